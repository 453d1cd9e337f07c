/*
 * The ordinary segment: next in order, of a connection that stands, acknowledging what was sent. It
 * does in one go what zeek.c, track.c and zeek_gap.c do step by step for any segment, and must come
 * to the same (a test compares the two over random traffic). Whatever is not plainly ordinary takes
 * the long way: nothing is changed before that is decided.
 */
#include "flow/track.h"

#include <string.h>

#define QUIET_MAX (60 * NS_PER_SEC) /* below every inactivity limit of Zeek's but a set one */

static inline bool flags_ordinary(const struct packet *p)
{
    const struct tcp_header *h = &p->tcp;
    return (h->flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == TCP_ACK && h->window && h->ack &&
           (!h->checksum_seen || h->checksum_ok || h->checksum_partial);
}

static inline bool end_stands(const struct zeek_end *e)
{
    return e->state == Z_ESTABLISHED || e->state == Z_PARTIAL;
}

/* Its record: both ends established, nothing due, no silence that would cut it. */
static inline bool record_ordinary(const struct flow_table *t, const struct flow *f,
                                   const struct packet *p)
{
    const struct zeek *z = &f->zeek;
    const struct zeek_end *a = &f->side[0].zeek, *b = &f->side[1].zeek;
    uint64_t quiet = (uint64_t)(p->time - z->last); /* a time before the last is a very long one */
    return z->open && (z->due == DUE_NEVER || z->due == DUE_ATTEMPT) && quiet < QUIET_MAX &&
           (!t->st.zeek_inactivity || quiet < (uint64_t)t->st.zeek_inactivity) && end_stands(a) &&
           end_stands(b) && a->seen && b->seen && !a->did_close && !b->did_close && !a->fin &&
           !b->fin;
}

/* Both views have it next in order, and what it acknowledges was sent and seen. */
static inline bool numbers_ordinary(const struct flow_side *x, const struct flow_side *y,
                                    const struct packet *p)
{
    const struct flow_half *h = &x->half, *o = &y->half;
    const struct zeek_end *e = &x->zeek, *peer = &y->zeek;
    uint32_t seq = p->tcp.seq, ack = p->tcp.ack;
    return seq == h->next && seq == e->start + (uint32_t)e->last && o->acked &&
           seq_ge(ack, o->acked) && seq_ge(o->next, ack) && !o->fin_seen &&
           seq_diff(ack, peer->start + (uint32_t)peer->ack) >= 0 &&
           seq_ge(peer->start + (uint32_t)peer->last, ack);
}

/* Payload that is all here, where nothing before it is missing. */
static inline bool payload_ordinary(const struct flow *f, const struct zeek_end *e,
                                    const struct packet *p)
{
    return !p->payload_len || (f->more && p->payload_caplen == p->payload_len && f->served &&
                               p->payload_len < 1u << 30 && !f->more->zeek_blocks[!e->orig] &&
                               seq_ge(e->delivered, (uint32_t)e->last));
}

static inline bool is_ordinary(const struct flow_table *t, const struct flow *f, enum side s,
                               const struct packet *p)
{
    const struct flow_side *x = &f->side[s], *y = &f->side[other(s)];
    return flags_ordinary(p) && !f->reset && (f->handshake_done || !f->synack_seen) &&
           x->half.seen && y->half.seen && p->ttl == x->half.ttl && !y->heard.keepalive &&
           record_ordinary(t, f, p) && numbers_ordinary(x, y, p) &&
           payload_ordinary(f, &x->zeek, p);
}

static inline void quick_zeek(struct flow_table *t, struct flow *f, struct zeek_end *e,
                              struct zeek_end *peer, const struct packet *p)
{
    int64_t acked = peer->ack + seq_diff(p->tcp.ack, peer->start + (uint32_t)peer->ack);
    e->packets++;
    zeek_letter(&f->zeek, e, p->payload_len > 0);
    f->zeek.last = p->time;
    peer->ack = acked;
    if (seq_gt((uint32_t)acked, peer->delivered)) /* of a capture that cuts packets */
        zeek_acked(t, f, peer, acked);
    else if (acked > 0 && seq_gt((uint32_t)acked, peer->trimmed))
        peer->trimmed = (uint32_t)acked;
    if (!p->payload_len)
        return;
    e->last += p->payload_len;
    if (seq_gt((uint32_t)e->last, e->delivered))
        e->delivered = (uint32_t)e->last;
}

static inline void quick_payload(struct flow *f, enum side s, const struct packet *p)
{
    struct flow_half *h = &f->side[s].half;
    h->bytes += p->payload_len;
    h->next += p->payload_len;
    f->more->repeats[s] = 0;
    note_sent(f, s, p);
}

static inline void quick_ack(struct flow *f, enum side s, const struct packet *p)
{
    struct flow_half *o = &f->side[other(s)].half;
    if (p->tcp.ack != o->acked) {
        o->acked = p->tcp.ack;
        if (f->more)
            f->more->repeats[other(s)] = 0;
    } else if (!p->payload_len && f->more && o->next != p->tcp.ack) {
        f->more->dup_acks[s]++; /* RFC 5681 2 */
    }
}

static inline void quick_half(struct flow_half *h, const struct flow_half *peer,
                              const struct packet *p)
{
    if (p->tcp.checksum_seen && p->tcp.checksum_partial)
        h->unfilled = true;
    note_good_sum(h, p);
    h->flow_label = p->flow_label;
    if (p->mac_seen) {
        memcpy(h->mac, p->mac_src, sizeof(h->mac));
        h->mac_seen = true;
    }
    note_id(h, p);
    if (p->tcp.has_ts && !h->syns)
        h->has_ts = true;
    note_window(h, peer, &p->tcp);
    h->packets++;
    h->last = p->time;
}

/* What moves the connection on is nobody's copy: that had moved it already. */
static inline bool is_copy(struct flow *f, enum side s, const struct packet *p, uint32_t mark)
{
    if (!p->payload_len && p->tcp.ack == f->side[other(s)].half.acked)
        return track_is_copy(f, s, p, mark);
    note_seen(&f->side[s], p, mark);
    return false;
}

bool quick_packet(struct flow_table *t, struct flow *f, enum side s, const struct packet *p,
                  uint32_t mark)
{
    struct flow_side *x = &f->side[s], *y = &f->side[other(s)];
    if (t->st.plodding || !is_ordinary(t, f, s, p) || is_copy(f, s, p, mark))
        return false;
    t->counts.ordinary++;
    quick_zeek(t, f, &x->zeek, &y->zeek, p);
    if (p->payload_len)
        quick_payload(f, s, p);
    quick_half(&x->half, &y->half, p);
    quick_ack(f, s, p);
    note_rtt(f, s, p, false);
    note_heard(f, s, p, false, false);
    if (p->payload_len)
        words_packet(t, f, s, p);
    table_touch(t, f, false);
    return true;
}
