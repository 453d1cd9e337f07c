/*
 * summary.c: an incident and a packet as a few lines of text, to be pasted somewhere.
 */
#include "view/view.h"

#include <stdio.h>

static void add(struct strbuf *out, translate_fn tr, const char *label, const char *text)
{
    if (text && *text)
        strbuf_addf(out, "%s: %s\n", tr(label), tr(text));
}

void incident_summary(struct strbuf *out, const struct session *s, const struct incident *i,
                      translate_fn tr)
{
    const struct judgement *j = &i->judgement;
    const struct flow_key *k = i->reset ? &i->reset->key : &i->flow;
    char clock[TIME_TEXT_MAX], flow[FLOW_KEY_TEXT_MAX];

    strbuf_addf(out, "%s  ", time_rfc3339(clock, i->time));
    incident_line(out, s, i, tr);
    strbuf_addch(out, '\n');
    if (i->reset || i->flow_known)
        strbuf_addf(out, "%s\n", flow_key_text(flow, k));
    judgement_headline(out, j, tr);
    strbuf_addch(out, '\n');
    if (i->is_reset && j->sender != SENDER_UNKNOWN)
        strbuf_addf(out, "%s: %s (%.2f)\n", tr(N_("sent by")), tr(incident_sender(i)),
                    j->sender_confidence);
    if (j->nverdicts) {
        const struct cause *c = j->verdicts[0].cause;
        for (size_t n = 0; n < j->verdicts[0].nfor; n++) {
            const struct fact *f = facts_get(&j->facts, j->verdicts[0].for_[n].kind);
            if (!f)
                continue;
            strbuf_addstr(out, "+ ");
            fact_text(out, f, tr);
            strbuf_addch(out, '\n');
        }
        add(out, tr, N_("client"), c->client);
        add(out, tr, N_("server"), c->server);
        add(out, tr, N_("network"), c->network);
    }
    strbuf_addf(out, "%s: %s", tr(N_("retry")), tr(retry_title(j->retry)));
}

void packet_summary(struct strbuf *out, const struct session *s, const struct kept_packet *k)
{
    struct packet_line l;

    if (!k)
        return;
    packet_line_fill(&l, s, k);
    strbuf_addf(out, "%llu %s %s > %s %s seq %u ack %u len %u ttl %u %s",
                (unsigned long long)k->number, l.time, l.from, l.to, l.flags, l.seq, l.ack, l.len,
                l.ttl, l.info);
}
