/*
 * packet_line.c: one line about a packet.
 */
#include "view/view.h"

#include <stdio.h>
#include <string.h>

struct record kept_record(const struct kept_packet *k)
{
    return (struct record){.number = k->number,
                           .time = k->time,
                           .caplen = k->caplen,
                           .len = k->len,
                           .link = k->link,
                           .data = k->data};
}

static void reset_info(struct packet_line *out, const struct session *s,
                       const struct kept_packet *k, const struct packet *p)
{
    const struct reset *r = k->flow ? flow_table_reset_of(s->flows, k->flow) : NULL;
    char span[TIME_TEXT_MAX];
    size_t at = (size_t)snprintf(out->info, sizeof(out->info), "RESET");

    if (!r || r->packet != k->number) {
        if (p->payload_caplen) {
            char words[100];
            if (rst_payload_text(words, sizeof(words), p->payload, p->payload_caplen))
                snprintf(out->info + at, sizeof(out->info) - at, "  %s", words);
        }
        return;
    }
    if (r->ttl_baseline >= 0 && r->ttl_baseline != r->ttl && at < sizeof(out->info))
        at += (size_t)snprintf(out->info + at, sizeof(out->info) - at, _("  ttl was %d"),
                               r->ttl_baseline);
    if (r->trigger_delay != NSTIME_NONE && r->rtt_min != NSTIME_NONE &&
        r->trigger_delay < r->rtt_min && at < sizeof(out->info)) {
        char rtt[TIME_TEXT_MAX];
        at += (size_t)snprintf(out->info + at, sizeof(out->info) - at, "  %s < rtt %s",
                               span_text(span, r->trigger_delay), span_text(rtt, r->rtt_min));
    } else if (r->stage == STAGE_IDLE && r->idle != NSTIME_NONE && at < sizeof(out->info)) {
        at += (size_t)snprintf(out->info + at, sizeof(out->info) - at, _("  after %s of silence"),
                               span_text(span, r->idle));
    }
    if (r->payload_text[0] && at < sizeof(out->info))
        snprintf(out->info + at, sizeof(out->info) - at, "  %s", r->payload_text);
}

static void tcp_line(struct packet_line *out, const struct session *s, const struct kept_packet *k,
                     const struct packet *p)
{
    struct app app;

    endpoint_text(out->from, &p->src, p->tcp.sport);
    endpoint_text(out->to, &p->dst, p->tcp.dport);
    tcp_flags_text(out->flags, p->tcp.flags);
    out->seq = p->tcp.seq;
    out->ack = p->tcp.ack;
    if (p->tcp.flags & TCP_RST) {
        out->reset = true;
        reset_info(out, s, k, p);
    } else if (p->payload_caplen &&
               app_decode(&app, p->payload, p->payload_caplen, p->tcp.sport, p->tcp.dport) &&
               app.kind != APP_BINARY) {
        text_clean(out->info, sizeof(out->info), app.text, strlen(app.text));
    }
}

static void icmp_line(struct packet_line *out, const struct packet *p)
{
    char words[80], quoted[ENDPOINT_TEXT_MAX];

    addr_text(out->from, &p->src);
    addr_text(out->to, &p->dst);
    icmp_text(words, sizeof(words), p->l4 == L4_ICMP6, p->icmp.type, p->icmp.code);
    if (p->icmp.quoted && p->icmp.ports_seen)
        snprintf(out->info, sizeof(out->info), _("ICMP %s, about %s"), words,
                 endpoint_text(quoted, &p->icmp.dst, p->icmp.dport));
    else
        snprintf(out->info, sizeof(out->info), "ICMP %s", words);
}

void packet_line_fill(struct packet_line *out, const struct session *s, const struct kept_packet *k)
{
    struct record rec = kept_record(k);
    struct packet p;
    struct app app;

    memset(out, 0, sizeof(*out));
    time_clock(out->time, k->time, 3, false);
    if (packet_decode(&p, &rec, NULL) <= 0) {
        snprintf(out->from, sizeof(out->from), "-");
        snprintf(out->to, sizeof(out->to), "-");
        snprintf(out->info, sizeof(out->info), _("not IP (%s, %u bytes)"), link_name(k->link),
                 k->len);
        return;
    }
    out->ttl = p.ttl;
    out->len = p.payload_len;
    switch (p.l4) {
    case L4_TCP: tcp_line(out, s, k, &p); return;
    case L4_ICMP:
    case L4_ICMP6: icmp_line(out, &p); return;
    case L4_UDP:
        endpoint_text(out->from, &p.src, p.udp_sport);
        endpoint_text(out->to, &p.dst, p.udp_dport);
        snprintf(out->flags, sizeof(out->flags), "udp");
        if (p.payload_caplen &&
            app_decode(&app, p.payload, p.payload_caplen, p.udp_sport, p.udp_dport) &&
            (app.kind == APP_DNS_QUERY || app.kind == APP_DNS_ANSWER))
            snprintf(out->info, sizeof(out->info), "DNS %s", app.text);
        return;
    default:
        addr_text(out->from, &p.src);
        addr_text(out->to, &p.dst);
        snprintf(out->info, sizeof(out->info), "%s", p.fragment ? _("IP fragment") : "IP");
    }
}
