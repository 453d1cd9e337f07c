/*
 * Pure readings of the moment of a RST: at what stage it came (design.md 6), of what kind it is
 * (causes.md 0.1), and whether its receiver had to honour it (RFC 9293 3.5.3, RFC 5961 3.2).
 */
#include "flow/internal.h"

#define IDLE_MIN  NS_PER_SEC
#define IDLE_RTTS 10

static bool idle_stage(const struct flow *f, const struct reset *r)
{
    nstime rtt = flow_rtt(f), limit = IDLE_MIN;
    const struct flow_more *m = f->more; /* a slow handshake (accept queue, wake-up) is no path */
    if (m && m->rtt_min[0] != NSTIME_NONE && m->rtt_min[1] != NSTIME_NONE && rtt != NSTIME_NONE)
        rtt = MIN_OF(rtt, m->rtt_min[0] + m->rtt_min[1]);
    if (rtt != NSTIME_NONE)
        limit = MAX_OF(limit, IDLE_RTTS * rtt);
    return r->idle != NSTIME_NONE && r->idle >= limit;
}

/* The SYN was not answered as it must be, as far as the packets tell: a client that went on to
 * acknowledge something has seen a SYN-ACK that the capture has not. */
static bool syn_stage(const struct flow *f)
{
    const struct flow_half *o = &f->side[SIDE_ORIG].half;
    return o->syns && !f->synack_seen && !(f->side[SIDE_ORIG].heard.flags & TCP_ACK);
}

/* Where several fit: none, close, syn, idle, data, psh, ack, midstream. */
enum stage stage_of(const struct flow *f, const struct reset *r)
{
    const struct flow_half *o = &f->side[SIDE_ORIG].half, *p = &f->side[SIDE_RESP].half;
    bool started = !flow_midstream(f);
    if (!o->seen && !p->seen)
        return STAGE_NONE;
    if (o->fin_seen || p->fin_seen)
        return STAGE_CLOSE;
    if (syn_stage(f))
        return STAGE_SYN;
    if (idle_stage(f, r))
        return STAGE_IDLE;
    if (p->bytes && (started || o->bytes))
        return STAGE_DATA;
    if (started && o->bytes)
        return STAGE_PSH;
    return started ? STAGE_ACK : STAGE_MIDSTREAM;
}

void seq_fit_of(const struct flow *f, struct reset *r)
{
    const struct flow_half *x = &f->side[r->from].half, *y = &f->side[other(r->from)].half;
    const struct heard *asked = &f->side[other(r->from)].heard;
    bool known = x->seen || x->acked;
    r->ack_matches = r->flags & TCP_ACK ? y->seen && r->ack == y->next : r->ack == 0;
    r->seq_off = known ? seq_diff(r->seq, x->next) : 0;
    if (r->stage == STAGE_SYN && r->from == SIDE_RESP) { /* SYN-SENT looks at the ACK alone */
        r->seq_off = 0;
        r->seq_fit = !(r->flags & TCP_ACK) || r->ack_matches ? SEQ_EXACT : SEQ_OUT_OF_WINDOW;
        return;
    }
    if (!known) {
        r->seq_fit = SEQ_UNKNOWN;
        return;
    }
    /* A stateless reply takes its number from the segment it answers, which may be behind. */
    bool as_asked =
        !(r->flags & TCP_ACK) && asked->packet && asked->flags & TCP_ACK && r->seq == asked->ack;
    /* ... even before that side's FIN, where it crossed what now draws the reset. */
    as_asked |= !(r->flags & TCP_ACK) && r->fin_seen[r->from] && r->seq_off == -1;
    if (r->seq_off == 0 || as_asked || (x->acked && r->seq == x->acked && !(r->flags & TCP_ACK))) {
        r->seq_fit = SEQ_EXACT;
        r->seq_off = 0;
    } else if (r->seq_off > 0 && (uint32_t)r->seq_off <= MAX_OF(y->window, 1u)) {
        r->seq_fit = SEQ_IN_WINDOW;
    } else {
        r->seq_fit = SEQ_OUT_OF_WINDOW;
    }
}

static bool like_windows(const struct reset *r) /* initial TTL 128, a few hops off */
{
    return r->ttl > 64 && r->ttl <= 128;
}

enum rst_class class_of(const struct flow *f, const struct reset *r)
{
    const struct flow_half *x = &f->side[r->from].half;
    bool exact = r->seq_fit == SEQ_EXACT, unknown = r->seq_fit == SEQ_UNKNOWN;
    if (r->flags & (TCP_SYN | TCP_FIN | TCP_URG))
        return RST_FOREIGN;
    if (r->flags & TCP_ACK && r->seq == 0 && r->window_raw == 0 &&
        (r->stage == STAGE_SYN || r->stage == STAGE_NONE || r->trigger_is_syn))
        return r->ack_matches || r->stage == STAGE_NONE ? RST_REFUSE : RST_FOREIGN;
    if (!(r->flags & TCP_ACK)) {
        bool bare = r->window_raw == 0 && !r->has_ts && (r->ack == 0 || like_windows(r));
        return bare && (exact || unknown) ? RST_PASSIVE : RST_FOREIGN;
    }
    if (unknown)
        return RST_CLASS_UNKNOWN;
    bool options = r->has_ts == r->ts_expected || (like_windows(r) && !r->has_ts);
    bool clock =
        r->has_ts && r->ts_expected; /* it knows the connection: any room may be free now */
    bool window = !x->seen || r->window_raw == x->window_raw || r->window_raw == 0 || clock ||
                  (x->window && r->window_raw <= x->window); /* BSD: what room is left now */
    return exact && options && window ? RST_ACTIVE : RST_FOREIGN;
}
