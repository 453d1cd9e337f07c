/*
 * The packets as pcapng with the verdicts as comments, for Wireshark and tshark: what was found in
 * short at the section, each verdict at the reset it speaks of, a word at the segment the reset
 * answers and at the ICMP error that tells of it; what the capture lost at its interfaces; the
 * targets' names.
 */
#include "report/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINKS_MAX  64
#define NAMES_MAX  10000
#define FACTS_SAID 6

struct comment { /* at a packet; of one packet there may be several */
    uint64_t packet;
    const struct incident *incident;
    enum { ABOUT_THE_RESET, ABOUT_ITS_TRIGGER, ABOUT_ITS_ICMP } about;
};
struct comments {
    struct comment *items;
    size_t nr, alloc;
    int err;
};

static void add_comment(struct comments *c, uint64_t packet, const struct incident *i, int about)
{
    if (!packet || c->err)
        return;
    c->err = ARRAY_GROW(c->items, c->nr + 1, c->alloc);
    if (!c->err)
        c->items[c->nr++] = (struct comment){packet, i, about};
}

static int by_packet(const void *a, const void *b)
{
    const struct comment *x = a, *y = b;

    if (x->packet != y->packet)
        return x->packet < y->packet ? -1 : 1;
    return x->incident->id < y->incident->id ? -1 : x->incident->id > y->incident->id;
}

static void find_comments(struct comments *c, const struct session *s)
{
    for (size_t k = 0; k < s->nincidents; k++) {
        const struct incident *i = s->incidents[k];
        if (!i || !i->reset)
            continue;
        add_comment(c, i->reset->packet, i, ABOUT_THE_RESET);
        if (i->harmful)
            add_comment(c, i->reset->trigger_packet, i, ABOUT_ITS_TRIGGER);
        if (i->reset->icmp.seen)
            add_comment(c, i->reset->icmp.packet, i, ABOUT_ITS_ICMP);
    }
    if (c->nr)
        qsort(c->items, c->nr, sizeof(*c->items), by_packet);
}

static void say_verdict(struct strbuf *sb, const struct session *s, const struct incident *i)
{
    const struct judgement *j = &i->judgement;

    words_title(sb, s, i);
    strbuf_addch(sb, '\n');
    words_what(sb, s, i);
    strbuf_addf(sb, "\n%s: ", _("Sender"));
    words_sender(sb, i, tr_locale);
    strbuf_addf(sb, "\n%s: ", _("Cause"));
    if (!j->nverdicts) {
        strbuf_addstr(sb, _("not determined"));
        return;
    }
    words_verdict(sb, &j->verdicts[0]);
    for (size_t k = 0; k < j->verdicts[0].nfor && k < FACTS_SAID; k++) {
        const struct fact *f = facts_get(&j->facts, j->verdicts[0].for_[k].kind);
        if (!f)
            continue;
        strbuf_addstr(sb, "\n+ ");
        fact_text(sb, f, tr_locale);
    }
}

static void say_comment(struct strbuf *sb, const struct session *s, const struct comment *c)
{
    struct value id = v_int((int64_t)c->incident->reset_id);

    if (sb->len)
        strbuf_addstr(sb, "\n\n");
    if (c->about == ABOUT_THE_RESET)
        say_verdict(sb, s, c->incident);
    else
        text_render(sb,
                    c->about == ABOUT_ITS_TRIGGER ? N_("reset #%1$s answers this segment")
                                                  : N_("this error speaks of reset #%1$s"),
                    &id, 1, tr_locale);
}

static void say_section(struct strbuf *sb, const struct session *s)
{
    const struct kept_packet *first = session_packet_at(s, 0);

    strbuf_addstr(sb, "rstconsole: ");
    words_summary(sb, s, tr_locale);
    if (first && first->number > 1) {
        struct value n = v_int((int64_t)first->number);
        strbuf_addch(sb, '\n');
        text_render(sb, N_("the first packet here is number %1$s: older ones were not kept"), &n, 1,
                    tr_locale);
    }
}

/* Of the interfaces only the link types are known for every packet. */
struct links {
    uint32_t of[LINKS_MAX];
    size_t nr;
};

static size_t link_of(const struct links *l, uint32_t link)
{
    size_t i = 0;

    while (i < l->nr && l->of[i] != link)
        i++;
    return i;
}

static void add_interfaces(struct out *o, const struct session *s, struct links *l)
{
    size_t n = session_packets(s);
    const struct vantage *v = &s->vantage;
    struct strbuf names = STRBUF_INIT;

    l->nr = 0;
    for (size_t i = 0; i < n && l->nr < LINKS_MAX; i++) {
        uint32_t link = session_packet_at(s, i)->link;
        if (link_of(l, link) == l->nr)
            l->of[l->nr++] = link;
    }
    for (size_t i = 0; i < v->ninterfaces; i++)
        strbuf_addf(&names, "%s%s", i ? "," : "", v->interfaces[i]);
    for (size_t i = 0; i < l->nr; i++)
        pcapng_add_interface(&o->buf, names.buf, l->of[i], 0);
    strbuf_release(&names);
}

static void add_names(struct out *o, const struct session *s)
{
    const size_t most = MIN_OF(s->nresults - s->results_gone, (size_t)NAMES_MAX);
    struct addr last = {0};

    for (size_t k = 0; k < most; k++) {
        const struct result *r = s->results[k];
        const struct target_state *t = r ? session_target(s, r->target) : NULL;
        if (!t || t->target->numeric || !r->address.family || addr_equal(&r->address, &last))
            continue;
        last = r->address;
        pcapng_add_name(&o->buf, &last, t->target->host);
    }
}

static void add_packets(struct out *o, const struct session *s, const struct comments *c,
                        const struct links *l)
{
    struct strbuf words = STRBUF_INIT;
    size_t n = session_packets(s), at = 0;

    for (size_t i = 0; i < n; i++) {
        const struct kept_packet *k = session_packet_at(s, i);
        struct record rec = {.time = k->time,
                             .caplen = k->caplen,
                             .len = k->len,
                             .interface = (uint32_t)link_of(l, k->link),
                             .data = k->data};
        strbuf_reset(&words);
        while (at < c->nr && c->items[at].packet < k->number)
            at++;
        for (; at < c->nr && c->items[at].packet == k->number; at++)
            say_comment(&words, s, &c->items[at]);
        if (rec.interface < l->nr)
            pcapng_add_packet(&o->buf, &rec, words.len ? words.buf : NULL);
        out_some(o);
    }
    strbuf_release(&words);
}

static int write_pcapng(const struct session *s, const struct sink *to)
{
    struct strbuf section = STRBUF_INIT;
    struct comments c = {0};
    struct links l;
    struct out o;

    out_init(&o, to);
    find_comments(&c, s);
    say_section(&section, s);
    pcapng_add_section(&o.buf, section.buf);
    add_interfaces(&o, s, &l);
    add_names(&o, s);
    add_packets(&o, s, &c, &l);
    if (s->vantage.dropped_known)
        for (size_t i = 0; i < l.nr; i++) /* counted together: told at the first */
            pcapng_add_stats(&o.buf, (uint32_t)i, s->ended, i ? 0 : s->vantage.packets,
                             i ? 0 : s->vantage.dropped);
    strbuf_release(&section);
    free(c.items);
    int err = out_finish(&o);
    return c.err ? c.err : err;
}

const struct report_format report_pcapng = {
    .name = "pcapng",
    .suffix = "pcapng",
    .write = write_pcapng,
};
