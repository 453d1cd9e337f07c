/*
 * What track.c, which takes any segment, and quick.c, which takes the ordinary ones, both note of
 * one. Only those two include this.
 */
#ifndef FLOW_TRACK_H
#define FLOW_TRACK_H

#include "flow/internal.h"

#define ID_STEP_MAX 64
#define RTT_MAX     (3600 * NS_PER_SEC)

static inline void note_good_sum(struct flow_half *h, const struct packet *p)
{
    h->good_checksums +=
        p->tcp.checksum_seen && p->tcp.checksum_ok && h->good_checksums < UINT16_MAX;
}

/* Its copy may follow. */
static inline void note_seen(struct flow_side *side, const struct packet *p, uint32_t mark)
{
    uint8_t at = side->seen_at;
    side->seen[at] = mark;
    side->seen_ttl[at] = p->ttl ? p->ttl : 1;
    side->seen_at = at + 1 == SEEN_RING ? 0 : (uint8_t)(at + 1);
}

/* Do its IP-IDs count up? */
static inline void note_id(struct flow_half *h, const struct packet *p)
{
    uint16_t step = (uint16_t)(p->ip_id - h->ip_id_last);
    if (h->packets > h->syns && step > 0 && step <= ID_STEP_MAX)
        h->ip_id_counts = true;
    h->ip_id_last = p->ip_id;
}

static inline void note_window(struct flow_half *h, const struct flow_half *peer,
                               const struct tcp_header *t)
{
    bool scaled = !(t->flags & TCP_SYN) && h->wscale != WSCALE_NONE &&
                  (peer->wscale != WSCALE_NONE || !peer->syns);
    h->window_raw = t->window;
    h->window = (uint32_t)t->window << (scaled ? h->wscale : 0);
}

/* Who spoke, when and how much at once. */
static inline void note_sent(struct flow *f, enum side s, const struct packet *p)
{
    struct flow_more *m = f->more;
    if (m && m->max_seg[s] < p->payload_len)
        m->max_seg[s] = p->payload_len;
    if (m && s == SIDE_ORIG) {
        m->last_request = p->time;
        m->turns += f->last_data_from != SIDE_ORIG;
    }
    f->last_data_from = (uint8_t)s;
}

/* Data to ack, of segments sent once (Karn's rule, RFC 6298 3). */
static inline void note_rtt(struct flow *f, enum side s, const struct packet *p, bool repeat)
{
    struct flow_more *m = f->more;
    if (!m)
        return;
    enum side o = other(s);
    if (m->probe_time[o] != NSTIME_NONE && p->tcp.flags & TCP_ACK &&
        seq_ge(p->tcp.ack, m->probe_end[o])) {
        nstime rtt = p->time - m->probe_time[o];
        if (rtt >= 0 && rtt <= RTT_MAX && (m->rtt_min[s] == NSTIME_NONE || rtt < m->rtt_min[s]))
            m->rtt_min[s] = rtt;
        m->probe_time[o] = NSTIME_NONE;
    }
    if (repeat)
        m->probe_time[s] = NSTIME_NONE;
    else if (p->payload_len && m->probe_time[s] == NSTIME_NONE) {
        m->probe_time[s] = p->time;
        m->probe_end[s] = p->tcp.seq + p->payload_len;
    }
}

static inline uint32_t span_ms(nstime from, nstime to)
{
    if (from == NSTIME_NONE || to <= from)
        return 0;
    nstime ms = (to - from) / NS_PER_MS;
    return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

/* Field by field: a copy of what was written a moment ago would wait for the writes. */
static inline void take_heard(struct heard *h, const struct packet *p, uint32_t gap, bool keepalive,
                              bool repeat)
{
    h->packet = p->number;
    h->time = p->time;
    h->end = p->tcp.seq + segment_len(p);
    h->ack = p->tcp.flags & TCP_ACK ? p->tcp.ack : 0;
    h->gap_ms = gap;
    h->flags = p->tcp.flags;
    h->data = p->payload_len > 0;
    h->keepalive = keepalive;
    h->repeat = repeat;
}

/* What the next RST of the other side may be an answer to. */
static inline void note_heard(struct flow *f, enum side s, const struct packet *p, bool keepalive,
                              bool repeat)
{
    struct heard *last = &f->side[s].heard;
    const struct heard *theirs = &f->side[other(s)].heard;
    bool burst = !last->packet || (theirs->packet && theirs->packet > last->packet);
    uint32_t gap = span_ms(f->last_real, p->time);
    if (repeat)
        gap = last->gap_ms; /* waiting for an acknowledgement is no silence of the connection */
    take_heard(last, p, gap, keepalive, repeat);
    if (f->more && (burst || !f->more->burst[s].packet))
        take_heard(&f->more->burst[s], p, gap, keepalive, repeat);
    if (!keepalive)
        f->last_real = p->time;
}

#endif
