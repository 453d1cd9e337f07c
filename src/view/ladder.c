/*
 * ladder.c: a flow as a ladder: packets between two ends, silences folded, the reset marked.
 */
#include "view/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LADDER_HEAD 200  /* packets shown from the start of a long flow */
#define LADDER_TAIL 1800 /* and from its end: that is where the reset is */
#define FOLD_AFTER  NS_PER_SEC

/* What is known of each side while the rows are made. */
struct side_state {
    bool base_known, next_known;
    uint32_t base, next;
};

struct build {
    struct ladder *l;
    const struct session *s;
    const struct reset *reset;
    struct side_state side[2];
    nstime first, previous;
    bool after_reset;
};

static struct ladder_row *add_row(struct ladder *l, enum ladder_kind kind)
{
    if (ARRAY_GROW(l->rows, l->nr + 1, l->alloc) < 0)
        return NULL;
    struct ladder_row *row = &l->rows[l->nr++];
    memset(row, 0, sizeof(*row));
    row->kind = kind;
    row->from = SIDE_NONE;
    return row;
}

static int add_note(struct ladder *l, nstime at, const char *text)
{
    struct ladder_row *row = add_row(l, LADDER_NOTE);

    if (!row)
        return -ENOMEM;
    row->time = at;
    snprintf(row->label, sizeof(row->label), "%s", text);
    return 0;
}

static int add_gap(struct build *b, nstime at, nstime gap)
{
    struct ladder_row *row = add_row(b->l, LADDER_GAP);
    char span[TIME_TEXT_MAX];

    if (!row)
        return -ENOMEM;
    row->time = at;
    row->gap = gap;
    snprintf(row->label, sizeof(row->label), _("%s of silence"), span_text(span, gap));
    return 0;
}

static const char *flag_words(uint8_t flags)
{
    if (flags & TCP_RST)
        return "RESET";
    if (flags & TCP_SYN)
        return flags & TCP_ACK ? "SYN-ACK" : "SYN";
    if (flags & TCP_FIN)
        return "FIN";
    return flags & TCP_ACK ? "ACK" : _("no flags");
}

/* What this segment is to the stream: new, sent again, or a keepalive (RFC 9293 3.8.4). */
static const char *segment_note(const struct side_state *st, const struct packet *p)
{
    uint32_t span = p->payload_len;

    if (!st->next_known || p->tcp.flags & (TCP_SYN | TCP_RST))
        return "";
    if (p->payload_len <= 1 && p->tcp.seq == st->next - 1 && !(p->tcp.flags & TCP_FIN))
        return _("keepalive");
    if (span && (int32_t)(p->tcp.seq + span - st->next) <= 0)
        return _("sent again");
    if (span && (int32_t)(p->tcp.seq - st->next) > 0)
        return _("after a gap");
    return "";
}

static void make_label(struct ladder_row *row, const struct side_state *st, const struct packet *p)
{
    const char *note = segment_note(st, p), *what = flag_words(p->tcp.flags);
    struct app app;
    char words[120] = "";

    if (p->payload_caplen && p->tcp.flags & TCP_RST) {
        if (!rst_payload_text(words, sizeof(words), p->payload, p->payload_caplen))
            words[0] = '\0';
    } else if (p->payload_caplen &&
               app_decode(&app, p->payload, p->payload_caplen, p->tcp.sport, p->tcp.dport) &&
               app.kind != APP_BINARY) {
        text_clean(words, sizeof(words), app.text, strlen(app.text));
        if (!words[strspn(words, ". ")]) /* nothing of it can be read */
            words[0] = '\0';
    }
    if (p->payload_len && !(p->tcp.flags & (TCP_SYN | TCP_FIN | TCP_RST)))
        what = words[0] ? words : _("data");
    else if (!p->tcp.window && !(p->tcp.flags & (TCP_RST | TCP_SYN)) && !note[0])
        note = _("window closed");
    bool twice = what == words || !words[0];
    snprintf(row->label, sizeof(row->label), "%s%s%s%s%s", what, twice ? "" : "  ",
             twice ? "" : words, note[0] ? "  " : "", note);
}

static void follow(struct side_state *st, const struct packet *p)
{
    uint32_t end =
        p->tcp.seq + p->payload_len + !!(p->tcp.flags & TCP_SYN) + !!(p->tcp.flags & TCP_FIN);

    if (p->tcp.flags & TCP_RST)
        return;
    if (!st->next_known || (int32_t)(end - st->next) > 0)
        st->next = end;
    st->next_known = true;
}

static int notes_after_reset(struct build *b, nstime at)
{
    const struct reset *r = b->reset;
    char text[160];

    for (int side = 0; side < 2; side++) {
        if (!r->bytes[side].known || r->bytes[side].sent <= r->bytes[side].acked)
            continue;
        unsigned long long open = r->bytes[side].sent - r->bytes[side].acked;
        snprintf(text, sizeof(text),
                 side == SIDE_ORIG ? _("in flight: %llu bytes of the client, never acknowledged")
                                   : _("in flight: %llu bytes of the server, never acknowledged"),
                 open);
        if (add_note(b->l, at, text) < 0)
            return -ENOMEM;
    }
    if (!r->fin_seen[0] && !r->fin_seen[1] && r->stage != STAGE_SYN && r->stage != STAGE_NONE)
        return add_note(b->l, at, _("no FIN came before it: neither side had closed"));
    return 0;
}

static int add_packet(struct build *b, const struct kept_packet *k)
{
    struct record rec = kept_record(k);
    const struct flow_key *key = &b->l->key;
    struct packet p;

    if (packet_decode(&p, &rec, NULL) <= 0)
        return 0;
    if (b->first == NSTIME_NONE)
        b->first = k->time;
    nstime gap = b->previous == NSTIME_NONE ? 0 : k->time - b->previous;
    if (gap >= FOLD_AFTER && add_gap(b, k->time - b->first, gap) < 0)
        return -ENOMEM;
    b->previous = k->time;
    struct ladder_row *row = add_row(b->l, LADDER_PACKET);
    if (!row)
        return -ENOMEM;
    row->packet = k->number;
    row->time = k->time - b->first;
    row->gap = gap;
    row->ttl = p.ttl;
    row->len = p.payload_len;
    if (p.l4 != L4_TCP) {
        char words[80];
        icmp_text(words, sizeof(words), p.l4 == L4_ICMP6, p.icmp.type, p.icmp.code);
        row->from = addr_equal(&p.src, &key->src) ? SIDE_ORIG : SIDE_RESP;
        snprintf(row->label, sizeof(row->label), "ICMP %s", words);
        return 0;
    }
    bool orig = addr_equal(&p.src, &key->src) && p.tcp.sport == key->sport;
    struct side_state *me = &b->side[orig ? SIDE_ORIG : SIDE_RESP];
    struct side_state *peer = &b->side[orig ? SIDE_RESP : SIDE_ORIG];
    row->from = orig ? SIDE_ORIG : SIDE_RESP;
    row->flags = p.tcp.flags;
    row->is_reset = p.tcp.flags & TCP_RST;
    row->is_cause_reset = b->reset && b->reset->packet == k->number;
    if (!me->base_known && !row->is_reset) {
        me->base = p.tcp.seq;
        me->base_known = true;
    }
    row->relative = me->base_known && (peer->base_known || !(p.tcp.flags & TCP_ACK));
    row->seq = me->base_known ? p.tcp.seq - me->base : p.tcp.seq;
    row->ack = !(p.tcp.flags & TCP_ACK) ? 0 : peer->base_known ? p.tcp.ack - peer->base : p.tcp.ack;
    make_label(row, me, &p);
    follow(me, &p);
    return row->is_cause_reset ? notes_after_reset(b, row->time) : 0;
}

static void learn_flow(struct build *b, uint64_t id)
{
    const struct flow *f = flow_table_by_id(b->s->flows, id);
    const struct reset *r = b->reset;

    if (r)
        b->l->key = r->key;
    if (!f)
        return;
    b->l->key = *flow_get_key(f);
    for (int side = 0; side < 2; side++) {
        const struct flow_half *h = flow_get_half(f, side);
        b->side[side].base_known = h->isn_known;
        b->side[side].base = h->isn;
    }
}

static int add_packets(struct build *b, const uint64_t *numbers, size_t n)
{
    int err = 0;

    for (size_t i = 0; i < n && !err; i++) {
        if (n > LADDER_HEAD + LADDER_TAIL && i == LADDER_HEAD) {
            char text[100];
            size_t skip = n - LADDER_HEAD - LADDER_TAIL;
            snprintf(text, sizeof(text), _("%zu packets are not drawn here"), skip);
            err = add_note(b->l, 0, text);
            i += skip;
        }
        const struct kept_packet *k = session_packet(b->s, numbers[i]);
        if (!k)
            continue;
        if (b->l->key.src.family == 0) { /* the flow is forgotten: its first sender began it */
            struct record rec = kept_record(k);
            struct packet p;
            if (packet_decode(&p, &rec, NULL) > 0)
                b->l->key = (struct flow_key){p.src, p.dst, p.tcp.sport, p.tcp.dport};
        }
        if (!err)
            err = add_packet(b, k);
    }
    return err;
}

int ladder_build(struct ladder *l, const struct session *s, uint64_t flow)
{
    struct build b = {.l = l, .s = s, .first = NSTIME_NONE, .previous = NSTIME_NONE};
    size_t n = flow ? session_flow_packets(s, flow, NULL, 0) : 0;
    uint64_t *numbers;
    int err;

    l->nr = 0;
    l->cut = false;
    memset(&l->key, 0, sizeof(l->key));
    b.reset = flow ? flow_table_reset_of(s->flows, flow) : NULL;
    learn_flow(&b, flow);
    const struct flow *f = flow ? flow_table_by_id(s->flows, flow) : NULL;
    if (f)
        l->cut = flow_get_half(f, SIDE_ORIG)->packets + flow_get_half(f, SIDE_RESP)->packets > n;
    if (n == 0)
        return 0;
    numbers = calloc(n, sizeof(*numbers));
    if (!numbers)
        return -ENOMEM;
    n = MIN_OF(n, session_flow_packets(s, flow, numbers, n));
    err = add_packets(&b, numbers, n);
    free(numbers);
    return err;
}

/* RFC 9293 3.6, figure 12: each side sends FIN, each FIN is acknowledged, nothing is lost. */
int ladder_normal_close(struct ladder *l)
{
    static const struct {
        enum side from;
        uint8_t flags;
        int ms;
        uint32_t seq, ack, len;
        const char *label;
    } model[] = {
        {SIDE_ORIG, TCP_SYN, 0, 0, 0, 0, "SYN"},
        {SIDE_RESP, TCP_SYN | TCP_ACK, 10, 0, 1, 0, "SYN-ACK"},
        {SIDE_ORIG, TCP_ACK, 10, 1, 1, 0, "ACK"},
        {SIDE_ORIG, TCP_PSH | TCP_ACK, 11, 1, 1, 120, N_("request")},
        {SIDE_RESP, TCP_PSH | TCP_ACK, 40, 1, 121, 900, N_("response")},
        {SIDE_ORIG, TCP_ACK, 40, 121, 901, 0, "ACK"},
        {SIDE_ORIG, TCP_FIN | TCP_ACK, 60, 121, 901, 0, N_("FIN  the client is done")},
        {SIDE_RESP, TCP_ACK, 70, 901, 122, 0, "ACK"},
        {SIDE_RESP, TCP_FIN | TCP_ACK, 70, 901, 122, 0, N_("FIN  so is the server")},
        {SIDE_ORIG, TCP_ACK, 80, 122, 902, 0, N_("ACK  all arrived")},
    };

    l->nr = 0;
    l->cut = false;
    memset(&l->key, 0, sizeof(l->key));
    for (size_t i = 0; i < ARRAY_SIZE(model); i++) {
        struct ladder_row *row = add_row(l, LADDER_PACKET);
        if (!row)
            return -ENOMEM;
        row->from = model[i].from;
        row->flags = model[i].flags;
        row->time = model[i].ms * NS_PER_MS;
        row->gap = i ? row->time - model[i - 1].ms * NS_PER_MS : 0;
        row->seq = model[i].seq;
        row->ack = model[i].ack;
        row->len = model[i].len;
        row->ttl = 64;
        row->relative = true;
        snprintf(row->label, sizeof(row->label), "%s", _(model[i].label));
    }
    return add_note(l, 80 * NS_PER_MS, _("two FINs, both acknowledged"));
}

void ladder_release(struct ladder *l)
{
    free(l->rows);
    memset(l, 0, sizeof(*l));
}
