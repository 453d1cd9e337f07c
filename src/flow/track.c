/*
 * One segment moves its half of the flow on (RFC 9293 3.4, 3.10.7, seen from beside the path):
 * nothing is believed that the other packets of the flow cannot bear out, and whatever was lost
 * before the capture is made up for at the next packet.
 */
#include "flow/track.h"

#include <string.h>

#define SEQ_JUMP_MAX       (1 << 30) /* a next further off is no segment of this connection */
#define SYNACK_REPEATS_MAX 127

const struct flow_half *flow_get_half(const struct flow *f, enum side s)
{
    return &f->side[s == SIDE_RESP].half;
}

struct flow_data flow_get_data(const struct flow *f, enum side s)
{
    const struct flow_more *m = f->more;
    bool i = s == SIDE_RESP;
    return m ? (struct flow_data){m->retransmits[i], m->dup_acks[i], m->max_seg[i]}
             : (struct flow_data){0};
}

const struct flow_key *flow_get_key(const struct flow *f)
{
    return &f->key;
}

uint64_t flow_id(const struct flow *f)
{
    return f->id;
}

nstime flow_start(const struct flow *f)
{
    return f->start;
}

nstime flow_last(const struct flow *f)
{
    return MAX_OF(f->side[0].half.last, f->side[1].half.last);
}

nstime flow_rtt(const struct flow *f)
{
    nstime a = f->rtt_to[0], b = f->rtt_to[1];
    if (a == NSTIME_NONE || b == NSTIME_NONE)
        return MAX_OF(a, b);
    return a + b;
}

bool flow_midstream(const struct flow *f)
{
    return !f->side[SIDE_ORIG].half.syns && !f->side[SIDE_RESP].half.syns;
}

uint64_t half_acked_bytes(const struct flow_half *h)
{
    int32_t acked = seq_diff(h->acked, h->isn + 1);
    if (!h->isn_known || !h->acked || acked <= 0)
        return h->bytes && h->acked == h->next ? h->bytes : 0;
    uint64_t n = (uint64_t)acked;
    if (h->bytes > INT32_MAX) /* wrapped: count back from the end */
        n = h->bytes - (uint64_t)MAX_OF(0, seq_diff(h->next, h->acked));
    return MIN_OF(n, h->bytes);
}

/* ---- exact copies: capture on `any`, a mirror port, or both legs of a router (TTL less one) ----
 */
uint32_t track_mark(const struct packet *p)
{
    const struct tcp_header *h = &p->tcp;
    uint64_t x = hash_mix((uint64_t)h->seq << 32 | h->ack,
                          (uint64_t)p->ip_id << 48 | (uint64_t)h->flags << 40 |
                              (uint64_t)h->window << 24 | (p->payload_len & 0xffffff));
    x = hash_mix(x, (uint64_t)h->tsval << 32 | h->tsecr);
    if (h->nsack) /* duplicate ACKs differ in what they report (RFC 2018) */
        x = hash_mix(x, (uint64_t)h->sack[0].left << 32 | h->sack[0].right);
    return (uint32_t)(x ^ x >> 32);
}

bool track_is_copy(struct flow *f, enum side s, const struct packet *p, uint32_t mark)
{
    struct flow_side *side = &f->side[s];
    const struct flow_half *h = &side->half;
    /* Without an IP-ID (IPv6, or 0) equal bytes may be a genuine second segment: only a segment
     * that moves the connection on, or bears a timestamp, is then told from its copy. */
    bool telling =
        p->ip_id || p->payload_len || p->tcp.has_ts || p->tcp.flags & (TCP_SYN | TCP_FIN | TCP_RST);
    nstime span = p->ip_id && h->ip_id_counts ? COPY_SPAN_ID : COPY_SPAN;
    if (telling && h->packets && p->time - h->last <= span)
        for (int i = 0; i < SEEN_RING; i++) {
            int ttl = side->seen_ttl[i] - p->ttl;
            if (side->seen[i] == mark && side->seen_ttl[i] && ttl >= -1 && ttl <= 1)
                return true;
        }
    note_seen(side, p, mark);
    return false;
}

/* ---- the IP header's habits, to hold a RST against (causes.md B1) ---- */
static void note_ip(struct flow_half *h, const struct packet *p)
{
    bool syn = p->tcp.flags & TCP_SYN;
    if (!h->packets || syn) {
        h->ttl = p->ttl;
        h->df = p->df;
    } else if (!h->syns && p->ttl != h->ttl && p->ttl == h->ttl_max) {
        h->ttl = p->ttl;
    }
    h->ttl_max = h->packets ? MAX_OF(h->ttl_max, p->ttl) : p->ttl;
    h->flow_label = p->flow_label;
    if (p->mac_seen) {
        memcpy(h->mac, p->mac_src, sizeof(h->mac));
        h->mac_seen = true;
    }
    if (syn)
        return; /* SYN-ACKs bear id 0 on Linux whatever the socket counts */
    note_id(h, p);
}

static void note_options(struct flow *f, enum side s, const struct packet *p)
{
    struct flow_half *h = &f->side[s].half;
    const struct tcp_header *t = &p->tcp;
    if (t->flags & TCP_SYN) {
        h->mss = t->has_mss ? t->mss : 0;
        h->sack_ok = t->sack_ok;
        h->wscale = t->wscale < 0 ? WSCALE_NONE : (uint8_t)MIN_OF(t->wscale, WSCALE_NONE - 1);
        f->tfo |= t->has_tfo;
        h->has_ts = t->has_ts;
    } else if (!h->syns && t->has_ts) {
        h->has_ts = true;
    }
    note_window(h, &f->side[other(s)].half, t);
    if (!t->window && !(t->flags & TCP_SYN))
        h->zero_window = true;
}

/* ---- the handshake ---- */
static nstime elapsed(nstime from, nstime to) /* a clock that stepped measures nothing */
{
    return to >= from && to - from <= RTT_MAX ? to - from : NSTIME_NONE;
}

static void note_open(struct flow *f, nstime syn)
{
    if (!f->synack_seen)
        f->opened = syn;
}

static void note_syn(struct flow *f, enum side s, const struct packet *p)
{
    struct flow_half *h = &f->side[s].half;
    /* Backscatter: of one side alone, each SYN-ACK answers another SYN that nobody here sent. */
    bool another = h->syns && p->tcp.flags & TCP_ACK && p->tcp.seq != h->isn && !h->bytes &&
                   !f->side[other(s)].half.seen;
    if (h->syns == 0 || another) {
        h->isn = p->tcp.seq;
        h->isn_known = true;
        if (!h->seen || seq_diff(h->next, h->isn) <= 0 || !h->bytes)
            h->next = h->isn + 1;
    }
    if (another)
        h->next = h->isn + 1;
    else
        count16(&h->syns);
    if (!(p->tcp.flags & TCP_ACK)) {
        if (s == SIDE_ORIG)
            note_open(f, h->syns == 1 ? p->time : NSTIME_NONE); /* Karn: which one is answered? */
        return;
    }
    if (s != SIDE_RESP)
        return;
    const struct flow_half *o = &f->side[SIDE_ORIG].half;
    bool good = !o->isn_known || (seq_gt(p->tcp.ack, o->isn) && seq_ge(o->next, p->tcp.ack));
    if (!good) {
        f->synack_bad_ack = true;
        return;
    }
    if (f->synack_seen && f->handshake_done && f->synack_repeats < SYNACK_REPEATS_MAX)
        f->synack_repeats++;
    if (!f->synack_seen && f->opened != NSTIME_NONE)
        f->rtt_to[SIDE_RESP] = elapsed(f->opened, p->time);
    f->opened = f->synack_seen ? NSTIME_NONE : p->time;
    f->synack_seen = true;
    if (h->acked == p->tcp.seq + 1) { /* captured in the wrong order: it is answered already */
        f->handshake_done = true;
        f->opened = NSTIME_NONE;
    }
}

static void note_handshake_ack(struct flow_table *t, struct flow *f, const struct packet *p)
{
    const struct flow_half *r = &f->side[SIDE_RESP].half;
    if (f->handshake_done || !f->synack_seen || !seq_gt(p->tcp.ack, r->isn))
        return;
    f->handshake_done = true;
    if (f->opened != NSTIME_NONE)
        f->rtt_to[SIDE_ORIG] = elapsed(f->opened, p->time);
    struct service *sv = service_get(&t->services, service_key(t, &f->key), true);
    if (sv)
        sv->connected = true;
    sv = service_get(&t->services, host_key(t, &f->key.dst), true);
    if (sv)
        sv->ttl = r->ttl;
    struct grown *g = table_grown(t, f->retry_of);
    if (g && g->r.stage == STAGE_SYN && !g->r.retry_worked) {
        g->r.retry_worked = true;
        reset_tell(t, g);
    }
}

/* ---- sequence space ---- */
static bool hole_fill(struct flow_more *m, enum side s, uint32_t left, uint32_t right)
{
    for (int i = 0; m && i < m->holes[s]; i++) {
        if (seq_gt(m->hole[s][i].left, left) || seq_gt(right, m->hole[s][i].right))
            continue;
        if (m->hole[s][i].left == left)
            m->hole[s][i].left = right;
        else
            m->hole[s][i].right = left; /* what lies past it is given up */
        if (m->hole[s][i].left == m->hole[s][i].right)
            m->hole[s][i] = m->hole[s][--m->holes[s]];
        return true;
    }
    return false;
}

static void hole_add(struct flow_more *m, enum side s, uint32_t left, uint32_t right)
{
    if (!m)
        return;
    if (m->holes[s] == HOLES_MAX) {
        memmove(&m->hole[s][0], &m->hole[s][1], sizeof(m->hole[s][0]) * (HOLES_MAX - 1));
        m->holes[s]--;
    }
    m->hole[s][m->holes[s]].left = left;
    m->hole[s][m->holes[s]++].right = right;
}

/* A keep-alive is one byte below what was sent already, with at most that byte (RFC 9293 3.8.4). */
static bool is_keepalive(const struct flow_half *h, const struct packet *p)
{
    return h->seen && p->payload_len <= 1 && !(p->tcp.flags & (TCP_SYN | TCP_FIN | TCP_RST)) &&
           p->tcp.seq == h->next - 1 && h->acked == h->next;
}

/* The payload of a segment: new, a retransmission, or a late piece of a hole. True: a repeat. */
static bool note_payload(struct flow *f, enum side s, const struct packet *p)
{
    struct flow_half *h = &f->side[s].half;
    struct flow_more *m = f->more;
    uint32_t left = p->tcp.seq + !!(p->tcp.flags & TCP_SYN), right = left + p->payload_len;
    bool repeat = false;
    int32_t ahead = seq_diff(right, h->next);
    if (ahead > 0 && ahead < SEQ_JUMP_MAX) {
        if (seq_gt(left, h->next))
            hole_add(m, s, h->next, left);
        h->bytes += seq_gt(h->next, left) ? (uint32_t)ahead : p->payload_len;
        h->next = right;
        if (m)
            m->repeats[s] = 0;
    } else if (hole_fill(m, s, left, right)) {
        h->bytes += p->payload_len;
    } else {
        repeat = true;
        if (m)
            m->retransmits[s]++;
        if (m && seq_gt(right, h->acked))
            m->repeats[s]++;
    }
    note_sent(f, s, p);
    return repeat;
}

static void note_fin(struct flow_table *t, struct flow *f, enum side s, const struct packet *p)
{
    struct flow_half *h = &f->side[s].half;
    uint32_t end = p->tcp.seq + p->payload_len + 1;
    struct flow_more *m = flow_need_more(t, f);
    if (h->fin_seen && m && end == h->next)
        m->repeats[s]++; /* an unanswered FIN sent again */
    if (!h->fin_seen && m)
        m->fin_time[s] = p->time;
    h->fin_seen = true;
    int32_t ahead = seq_diff(end, h->next);
    if (ahead > 0 && ahead < SEQ_JUMP_MAX)
        h->next = end;
}

/* ---- acknowledgements ---- */
static void note_ack(struct flow *f, enum side s, const struct packet *p)
{
    struct flow_half *h = &f->side[s].half, *o = &f->side[other(s)].half;
    uint32_t ack = p->tcp.ack;
    /* One direction only: the ack tells where the other stands; a SYN-ACK's is of its SYN alone. */
    if (!o->seen && (!o->acked || p->tcp.flags & TCP_SYN)) {
        o->next = o->acked = ack;
        if (!o->isn_known)
            o->isn = ack - 1;
        return;
    }
    if (o->syns && !h->syns && !f->handshake_done && !flow_get_data(f, other(s)).max_seg &&
        seq_gt(ack, o->next))
        return; /* numbers of another connection (RFC 5961 4.2) */
    int32_t ahead = o->acked ? seq_diff(ack, o->acked) : 1;
    bool sane = !o->seen || seq_diff(ack, o->next) < SEQ_JUMP_MAX;
    if (ahead > 0 && ahead < SEQ_JUMP_MAX && sane) {
        o->acked = ack;
        if (o->fin_seen && seq_ge(ack, o->next))
            o->fin_acked = true;
        if (!o->seen) {
            o->bytes += (uint32_t)ahead; /* acknowledged, so it was sent */
            o->next = ack;
        }
        if (f->more)
            f->more->repeats[other(s)] = 0;
    } else if (ahead == 0 && !p->payload_len && !(p->tcp.flags & (TCP_SYN | TCP_FIN)) &&
               h->window_raw == p->tcp.window && seq_gt(o->next, ack) && f->more) {
        f->more->dup_acks[s]++; /* RFC 5681 2 */
    }
}

/* The answer to a keep-alive says nothing new either. */
static bool answers_keepalive(const struct flow *f, enum side s, const struct packet *p)
{
    const struct heard *theirs = &f->side[other(s)].heard;
    return theirs->keepalive && !p->payload_len && theirs->packet > f->side[s].heard.packet &&
           p->tcp.ack == f->side[other(s)].half.acked;
}

static void note_served(struct flow_table *t, struct flow *f)
{
    f->served = true;
    struct grown *g = table_grown(t, f->retry_of);
    if (g && g->r.stage != STAGE_SYN && !g->r.retry_worked) {
        g->r.retry_worked = true;
        reset_tell(t, g);
    }
    struct client *c = client_get(t, &t->services, &f->key.src, true);
    if (c)
        c->served++;
}

static void track_segment(struct flow_table *t, struct flow *f, enum side s, const struct packet *p)
{
    struct flow_half *h = &f->side[s].half;
    uint8_t flags = p->tcp.flags;
    bool keepalive = is_keepalive(h, p), repeat = false;
    if (flags & TCP_SYN)
        note_syn(f, s, p);
    else if (!h->seen && !h->next) { /* picked up midstream: as though the SYN came just before */
        h->isn = p->tcp.seq - 1;
        h->next = p->tcp.seq;
    } else if (!h->seen && !h->syns && seq_diff(p->tcp.seq, h->next) > 0) {
        h->next = p->tcp.seq;
    }
    note_options(f, s, p);
    if (p->payload_len && !keepalive) {
        flow_need_more(t, f);
        repeat = note_payload(f, s, p);
        if (s == SIDE_RESP && !f->served)
            note_served(t, f);
    }
    if (flags & TCP_FIN) {
        repeat |= h->fin_seen;
        note_fin(t, f, s, p);
    }
    if (flags & TCP_ACK) {
        keepalive |= answers_keepalive(f, s, p);
        note_ack(f, s, p);
        if (s == SIDE_ORIG)
            note_handshake_ack(t, f, p);
    }
    if (keepalive && p->tcp.seq == h->next - 1)
        h->keepalive = true;
    note_rtt(f, s, p, repeat);
    note_heard(f, s, p, keepalive, repeat || (flags & TCP_SYN && h->syns > 1));
}

/* A new connection of a client whose last one to this service was reset is its retry. */
static void note_retry(struct flow_table *t, struct flow *f)
{
    struct service *sv = service_get(&t->services, service_key(t, &f->key), false);
    if (!sv)
        return;
    struct grown *g = table_grown(t, sv->reset);
    if (!g)
        return;
    f->retry_of = sv->reset;
    if (!g->r.retried) {
        g->r.retried = true;
        reset_tell(t, g);
    }
}

void track_packet(struct flow_table *t, struct flow *f, enum side s, const struct packet *p)
{
    struct flow_half *h = &f->side[s].half;
    bool first_syn =
        s == SIDE_ORIG && !h->syns && (p->tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
    if (p->tcp.checksum_seen && p->tcp.checksum_partial)
        h->unfilled = true;
    note_good_sum(h, p);
    h->bad_checksums += p->tcp.checksum_seen && !p->tcp.checksum_ok && !p->tcp.checksum_partial;
    if (!(p->tcp.flags & TCP_RST)) {
        note_ip(h, p);
        track_segment(t, f, s, p);
        h->seen = true;
    }
    if (!h->packets && (f->start == NSTIME_NONE || p->time < f->start))
        f->start = p->time;
    h->packets++;
    h->last = p->time;
    if (first_syn)
        note_retry(t, f);
}
