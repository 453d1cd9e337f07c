/*
 * Facts of a reset that tell who made it: its features against the genuine packets of the side
 * whose address it bears (causes.md B1), with the caveats of B7.
 */
#include "evidence/private.h"

#include <stdlib.h>

/* Stacks start at 64, 128 or 255 (old ones at 32): what is missing are the routers passed. */
static int hops_of(int ttl)
{
    return ttl > 128 ? 255 - ttl : ttl > 64 ? 128 - ttl : ttl > 32 ? 64 - ttl : 32 - ttl;
}

static void the_ttl(struct facts *out, const struct reset *r)
{
    say1(out, r, FACT_RST_TTL, true, v_int(r->ttl));
    if (r->ttl_baseline < 0)
        return;
    int differs = abs(r->ttl - r->ttl_baseline);
    /* +-1 happens where two ways are of unequal length (ECMP) */
    say(out, r, FACT_RST_TTL_DIFFERS, differs >= 2, v_int(differs), v_int(r->ttl),
        v_int(r->ttl_baseline));
    if (differs >= 2)
        say(out, r, FACT_RST_HOPS, true, v_int(hops_of(r->ttl)), v_int(hops_of(r->ttl_baseline)),
            v_none());
}

/* A public address that is no router away, but not near: a NAT or proxy answers in its name. */
static void the_proxy(struct facts *out, const struct reset *r)
{
    const struct addr *own = r->from == SIDE_ORIG ? &r->key.src : &r->key.dst;
    const struct addr *other = r->from == SIDE_ORIG ? &r->key.dst : &r->key.src;
    bool near = r->ttl_baseline >= 0 && hops_of(r->ttl_baseline) == 0 && hops_of(r->ttl) == 0;

    if (near && r->rtt != NSTIME_NONE && r->rtt >= 10 * NS_PER_MS && addr_is_private(other) &&
        !addr_is_private(own) && !addr_is_loopback(own))
        say1(out, r, FACT_SPOKEN_FOR, true, v_span(r->rtt));
}

static void the_ip_header(struct facts *out, const struct reset *r)
{
    if (!r->v6 && r->ip_id_comparable) {
        /* A stateless reply of Linux has id 0 (causes.md 0.1). */
        bool fits = (r->ip_id_follows || r->ip_id_constant_zero) && !r->rst_id_repeats;
        say1(out, r, FACT_RST_IPID_ODD, !fits, v_int(r->ip_id));
    } else if (r->rst_id_repeats) { /* no stack gives two segments one number */
        say1(out, r, FACT_RST_IPID_ODD, true, v_int(r->ip_id));
    }
    if (!r->v6 && r->ip_id_copies_other && r->ip_id)
        say1(out, r, FACT_RST_IPID_COPIED, true, v_int(r->ip_id));
    if (r->df_lost)
        say0(out, r, FACT_RST_DF_LOST, true);
    if (r->v6 && r->label_comparable && r->class == RST_ACTIVE && !r->label_same)
        say0(out, r, FACT_RST_LABEL_DIFFERS, true);
    if (r->mac_seen && r->mac_differs)
        say0(out, r, FACT_RST_MAC_DIFFERS, true);
}

static void the_tcp_header(struct facts *out, const struct reset *r)
{
    if (r->class == RST_ACTIVE && r->ts_expected)
        say0(out, r, FACT_RST_OPTIONS_ODD, !r->has_ts);
    if (r->window_raw && !r->window_same)
        say(out, r, FACT_RST_WINDOW_ODD, true, v_int(r->window_raw), v_int(r->window_last),
            v_none());
    if (r->seq_fit == SEQ_OUT_OF_WINDOW)
        say1(out, r, FACT_RST_OUT_OF_WINDOW, true, v_int(r->seq_off));
    else if (r->seq_fit != SEQ_UNKNOWN)
        say1(out, r, FACT_RST_SEQ_INEXACT, r->seq_fit == SEQ_IN_WINDOW, v_int(r->seq_off));
    if (!r->ack_matches && r->ack)
        say1(out, r, FACT_RST_ACK_ODD, true, v_int(r->ack));
    if (r->checksum_bad)
        say0(out, r, FACT_RST_CHECKSUM_BAD, true);
}

/* Resets to both sides at one moment: neither host answers a reset with a reset. */
static bool both_at_once(const struct reset *r)
{
    for (size_t i = 0; r->rst_other_side && !r->lived_on && i < ARRAY_SIZE(r->others); i++)
        if (r->others[i].packet && r->others[i].from != r->from &&
            r->others[i].time - r->time <= 5 * NS_PER_MS)
            return true;
    return false;
}

/* A stateless host answers each segment that was in flight with a reset of its own, so a train of
 * passive ones is odd only when too little was in flight to draw it; after a close never. */
static void the_train(struct facts *out, const struct reset *r)
{
    uint64_t in_flight = r->bytes[side_other(r->from)].sent;
    bool few_segments = in_flight <= 1460;
    bool odd = r->rst_burst >= 2 && r->stage != STAGE_CLOSE &&
               (r->class != RST_PASSIVE || (few_segments && r->rst_burst >= 3));

    if (odd && r->rst_seq_fan)
        say1(out, r, FACT_RST_FAN, true, v_int(r->rst_burst));
    if (odd)
        say(out, r, FACT_RST_TRAIN, true, v_int(r->rst_burst), v_span(5 * NS_PER_MS), v_none());
    else if (r->rst_count <= 1)
        say0(out, r, FACT_RST_TRAIN, false);
    if (r->rst_ttl_differs && r->stage != STAGE_NONE) /* there a loop wears a copy down */
        say1(out, r, FACT_RST_MIXED, true, v_text("TTL"));
    else if (r->rst_window_differs && r->rst_burst >= 2)
        say1(out, r, FACT_RST_MIXED, true, v_text(N_("the window")));
    else if (r->rst_ts_differs)
        say1(out, r, FACT_RST_MIXED, true, v_text(N_("the timestamps")));
    if (both_at_once(r))
        say0(out, r, FACT_RST_BOTH_WAYS, true);
    const struct injector *like = injector_like(r);
    if (like)
        say(out, r, FACT_INJECTOR_SHAPE, true, v_text(like->shape), v_text(like->source), v_none());
}

static void the_time(struct facts *out, const struct reset *r)
{
    if (r->rtt_min == NSTIME_NONE || r->trigger_delay == NSTIME_NONE)
        return;
    /* Only a reset that acknowledges its trigger surely answers it. */
    bool answers =
        (r->flags & 0x10) && r->ack_matches && (r->trigger_has_data || r->trigger_is_syn);
    nstime jitter = r->rtt_min / 5 + NS_PER_MS / 5;
    /* A stateless one always answers something (RFC 9293 3.10.7.1): the first that was said since
     * that side spoke last, or, after a silence in which an answer would have come, the last. */
    bool stateless = r->class == RST_PASSIVE && r->seq_fit == SEQ_EXACT && !r->fin_seen[r->from];
    nstime delay = r->trigger_delay;
    if (stateless && r->stage == STAGE_IDLE && r->last_delay != NSTIME_NONE)
        delay = MIN_OF(delay, r->last_delay);
    if (stateless && delay < r->rtt_min - jitter)
        say(out, r, FACT_RST_BEFORE_RTT, true, v_span(delay), v_span(r->rtt_min), v_none());
    else if (r->trigger_delay < r->rtt_min - jitter && answers)
        say(out, r, FACT_RST_BEFORE_RTT, true, v_span(r->trigger_delay), v_span(r->rtt_min),
            v_none());
    else if (r->trigger_delay >= r->rtt_min - jitter)
        say(out, r, FACT_RST_BEFORE_RTT, false, v_span(r->trigger_delay), v_span(r->rtt_min),
            v_none());
}

static void the_aftermath(struct facts *out, const struct reset *r)
{
    if (r->data_after[r->from])
        say(out, r, FACT_DATA_AFTER_RST, true, v_int((int64_t)r->data_after[r->from]),
            v_int(r->packets_after[r->from]), v_none());
    else if (!r->packets_after[r->from])
        say0(out, r, FACT_DATA_AFTER_RST, false);
    if (r->lived_on)
        say0(out, r, FACT_RST_IGNORED, true);
}

static void the_vantage(struct facts *out, const struct reset *r)
{
    bool sure = r->vantage_by_checksum || r->vantage_by_offload;
    bool told = !sure && !r->vantage_by_ttl; /* by this host's addresses, or by the capture */
    bool live = told && (r->direction == DIRECTION_OUTBOUND || r->direction == DIRECTION_INBOUND);
    bool at_sender = (r->vantage_end == VANTAGE_ORIG && r->from == SIDE_ORIG) ||
                     (r->vantage_end == VANTAGE_RESP && r->from == SIDE_RESP);

    if (live)
        say0(out, r, FACT_RST_OUTBOUND, r->direction == DIRECTION_OUTBOUND);
    if (r->vantage_end == VANTAGE_ORIG || r->vantage_end == VANTAGE_RESP)
        say(out, r, FACT_VANTAGE, true,
            v_text(side_word(r->vantage_end == VANTAGE_ORIG ? SIDE_ORIG : SIDE_RESP)),
            v_text(r->vantage_by_checksum  ? N_("checksums not filled in")
                   : r->vantage_by_offload ? N_("segments larger than a frame")
                   : r->vantage_by_ttl     ? N_("its TTL is an initial one")
                                           : N_("the capture tells what went out")),
            v_none());
    /* A near neighbour has an initial TTL too: that alone does not make the sender local. */
    if (at_sender && (sure || told))
        say0(out, r, FACT_SENDER_LOCAL, true);
}

void facts_of_sender(struct facts *out, const struct reset *r)
{
    the_ttl(out, r);
    the_proxy(out, r);
    the_ip_header(out, r);
    the_tcp_header(out, r);
    the_train(out, r);
    the_time(out, r);
    the_aftermath(out, r);
    the_vantage(out, r);
}
