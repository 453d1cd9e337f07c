/*
 * A RST becomes a struct reset: a snapshot of its flow at that moment, which grows while packets
 * still come. What the peers say after a RST tells who really sent it, and whether it was heard.
 */
#include "flow/internal.h"

#include <stdlib.h>
#include <string.h>

#define BURST_SPAN   (5 * NS_PER_MS)
#define SWEEP_SPAN   (20 * NS_PER_MS) /* several services asked at once */
#define LAST_ACK_MAX (1 << 24)
#define EARLY_SPAN   (120 * NS_PER_SEC) /* a refusal captured before the SYN that it answers */
#define TELL_EACH    64 /* later packets are only told in powers of two, up to here */

/* ---- what it says of itself ---- */
static void take_segment(struct reset *r, const struct flow *f, enum side s, const struct packet *p)
{
    const struct flow_half *x = &f->side[s].half;
    r->key = f->key;
    r->time = p->time;
    r->packet = p->number;
    r->from = s;
    r->flags = p->tcp.flags;
    r->ttl = p->ttl;
    r->has_ts = p->tcp.has_ts;
    r->df = p->df;
    r->v6 = p->src.family == 6;
    r->mac_seen = p->mac_seen;
    r->mac_differs = p->mac_seen && x->mac_seen && memcmp(p->mac_src, x->mac, 6) != 0;
    r->df_lost = !r->v6 && !p->df && x->seen && x->df;
    r->tunnelled = p->tunnelled;
    r->checksum_bad = p->tcp.checksum_seen && !p->tcp.checksum_ok && !p->tcp.checksum_partial;
    r->window_raw = p->tcp.window;
    r->ip_id = p->ip_id;
    r->seq = p->tcp.seq;
    r->ack = p->tcp.ack;
    r->flow_label = p->flow_label;
    r->payload_len = p->payload_len;
    r->mptcp_reason = p->tcp.mptcp_rst;
    if (p->payload_caplen)
        rst_payload_text(r->payload_text, sizeof(r->payload_text), p->payload, p->payload_caplen);
}

/* ---- against the flow's own habits (causes.md B1) ---- */

/* The window as last told, or what is left of it: the right edge stays where it is while data comes
 * that nobody reads (RFC 9293 3.8.6), give or take what the scale rounds away. */
static bool same_window(const struct reset *r, const struct flow_half *x, const struct flow_half *y)
{
    bool scaled = x->wscale != WSCALE_NONE && y->wscale != WSCALE_NONE;
    unsigned shift = scaled ? x->wscale : 0;
    if (r->window_raw == x->window_raw)
        return true;
    uint32_t edge = y->acked + x->window, now = r->ack + ((uint32_t)r->window_raw << shift);
    int32_t off = (int32_t)(now - edge);
    return (r->flags & TCP_ACK) && abs(off) <= 1 << shift;
}

/* The TTL that the side's packets come with; of a server that has said nothing here yet, what it
 * came with in this client's other connections. */
static int16_t usual_ttl(struct flow_table *t, const struct reset *r, const struct flow *f)
{
    const struct flow_half *x = &f->side[r->from].half;
    if (x->seen || r->from != SIDE_RESP)
        return x->seen ? x->ttl : -1;
    const struct service *host = service_get(&t->services, host_key(t, &f->key.dst), false);
    return host && host->ttl ? host->ttl : -1;
}

static void take_features(struct flow_table *t, struct reset *r, const struct flow *f)
{
    const struct flow_half *x = &f->side[r->from].half, *y = &f->side[other(r->from)].half;
    r->ttl_baseline = usual_ttl(t, r, f);
    r->ttl_other = y->seen ? y->ttl : -1;
    r->ts_expected = f->side[0].half.has_ts && f->side[1].half.has_ts;
    r->window_last = x->window_raw;
    r->window_same = x->seen && same_window(r, x, y);
    if (!r->v6) {
        uint16_t step = (uint16_t)(r->ip_id - x->ip_id_last);
        r->ip_id_constant_zero = r->ip_id == 0;
        r->ip_id_comparable = x->packets > x->syns && x->seen && (x->ip_id_counts || x->ip_id_last);
        r->ip_id_follows = r->ip_id_comparable && step > 0 && step <= 64;
        r->ip_id_copies_other = y->packets > y->syns && y->ip_id_last && r->ip_id == y->ip_id_last;
    }
    r->label_comparable = r->v6 && x->seen;
    r->label_same = r->label_comparable && r->flow_label == x->flow_label;
}

/* ---- what it answers ---- */
#define RTT_NOISE (NS_PER_MS / 5) /* so much sooner than the smallest round trip is no haste */

static const struct heard *trigger_of(const struct flow *f, const struct reset *r, nstime rtt)
{
    const struct heard *last = &f->side[other(r->from)].heard;
    const struct heard *first = f->more ? &f->more->burst[other(r->from)] : last;
    if (!last->packet)
        return NULL;
    if (!first->packet)
        return last;
    /* Of several in flight it answers one that it can have seen: its ACK tells which, else the
     * last that is a round trip old, so that haste is never read out of a choice of ours. */
    if (r->flags & TCP_ACK && first->data && r->ack == first->end)
        return first;
    if (r->flags & TCP_ACK && last->data && r->ack == last->end)
        return last;
    return rtt == NSTIME_NONE || r->time - last->time >= rtt - rtt / 5 - RTT_NOISE ? last : first;
}

static nstime since(nstime then, nstime now)
{
    if (then == NSTIME_NONE)
        return NSTIME_NONE;
    return now > then ? now - then : 0;
}

/* The silence before it, or before the segment it answers. While either side waits for an
 * acknowledgement and repeats itself, the connection is not idle. */
static nstime idle_before(const struct flow *f, const struct reset *r)
{
    enum side y = other(r->from);
    const struct heard *asked = &f->side[y].heard;
    bool waiting = (f->more && (f->more->repeats[0] || f->more->repeats[1])) ||
                   (!f->handshake_done && f->side[SIDE_RESP].half.syns > 1);
    nstime before = waiting ? 0 : since(f->last_real, r->time);
    nstime asked_gap = (nstime)asked->gap_ms * NS_PER_MS;
    if (f->last_real == NSTIME_NONE)
        return NSTIME_NONE;
    if (f->more && f->more->burst[y].packet)
        asked_gap = MAX_OF(asked_gap, (nstime)f->more->burst[y].gap_ms * NS_PER_MS);
    bool answers = asked->packet > f->side[r->from].heard.packet; /* not acknowledged yet */
    return answers ? MAX_OF(before, asked_gap) : before;
}

static void take_timing(struct reset *r, const struct flow *f)
{
    enum side x = r->from, y = other(x);
    r->rtt = r->rtt_min = f->rtt_to[x];
    nstime data_rtt = f->more ? f->more->rtt_min[x] : NSTIME_NONE;
    if (data_rtt != NSTIME_NONE && (r->rtt_min == NSTIME_NONE || data_rtt < r->rtt_min))
        r->rtt_min = data_rtt;
    const struct heard *h = trigger_of(f, r, r->rtt_min);
    r->trigger_delay = NSTIME_NONE;
    if (h) {
        r->trigger_delay = since(h->time, r->time);
        r->trigger_packet = h->packet;
        r->trigger_has_data = h->data;
        r->trigger_is_syn = h->flags & TCP_SYN;
        r->trigger_is_fin = h->flags & TCP_FIN;
        r->trigger_is_keepalive = h->keepalive;
    }
    r->last_delay = f->side[y].heard.packet ? since(f->side[y].heard.time, r->time) : NSTIME_NONE;
    bool first = !f->side[0].half.packets && !f->side[1].half.packets;
    r->since_last = first ? NSTIME_NONE : since(flow_last(f), r->time);
    r->age = first ? 0 : since(flow_start(f), r->time);
    r->since_request = since(f->more ? f->more->last_request : NSTIME_NONE, r->time);
    r->since_fin = f->more ? since(f->more->fin_time[y], r->time) : NSTIME_NONE;
    r->idle = idle_before(f, r);
}

/* ---- what was in flight, and what was said ---- */
static uint64_t acked_with_rst(const struct reset *r, const struct flow_half *h)
{
    if (!(r->flags & TCP_ACK) || !h->seen || r->ack != h->next)
        return half_acked_bytes(h);
    return h->bytes; /* its own ACK covers what was open */
}

static void take_state(struct reset *r, const struct flow *f)
{
    for (int s = 0; s < 2; s++) {
        const struct flow_half *h = &f->side[s].half;
        r->bytes[s].sent = h->bytes;
        r->bytes[s].acked = s == (int)r->from ? half_acked_bytes(h) : acked_with_rst(r, h);
        r->bytes[s].known = h->seen || h->acked;
        r->fin_seen[s] = h->fin_seen;
        r->fin_acked[s] = h->fin_acked;
        r->fin_time[s] = f->more ? f->more->fin_time[s] : NSTIME_NONE;
    }
    const struct flow_half *o = &f->side[SIDE_ORIG].half, *p = &f->side[SIDE_RESP].half;
    r->retransmits_before = f->more ? f->more->repeats[other(r->from)] : 0;
    r->own_retransmits = f->more ? f->more->repeats[r->from] : 0;
    if (!f->handshake_done && f->side[r->from].half.syns > 1)
        r->own_retransmits += f->side[r->from].half.syns - 1;
    r->synack_repeats = f->synack_repeats;
    r->syn_repeats = 0;
    r->handshake_done = f->handshake_done;
    r->synack_seen = f->synack_seen;
    r->synack_bad_ack = f->synack_bad_ack;
    r->midstream = flow_midstream(f);
    r->one_sided = !o->seen || !p->seen;
    r->gaps = f->more ? f->more->zeek[0].gaps + f->more->zeek[1].gaps : 0;
    r->zero_window = o->zero_window || p->zero_window;
    r->keepalives_before = o->keepalive || p->keepalive;
    r->tfo = f->tfo;
    r->mptcp = r->mptcp_reason >= 0;
}

/* A bare ACK for a SYN, with numbers of another connection, is what a host says that still holds
 * the old one (RFC 5961 4.2). */
static bool half_open(const struct flow *f)
{
    const struct heard *h = &f->side[SIDE_RESP].heard;
    return f->side[SIDE_ORIG].half.syns && !f->synack_seen && h->packet &&
           !(h->flags & (TCP_SYN | TCP_RST)) && h->flags & TCP_ACK &&
           h->ack != f->side[SIDE_ORIG].half.isn + 1;
}

static void take_words(struct reset *r, struct flow *f)
{
    const struct flow_more *m = f->more;
    r->last_data_from = f->last_data_from;
    r->request_seen = f->side[SIDE_ORIG].half.bytes > 0;
    r->response_started = f->side[SIDE_RESP].half.bytes > 0;
    r->first_orig = *words_app(f, SIDE_ORIG);
    r->first_resp = *words_app(f, SIDE_RESP);
    words_last(f, r->last_words, sizeof(r->last_words));
    if (!m)
        return;
    r->turns = m->turns;
    r->payload_cut = m->cut;
    r->store = words_of_store(f);
    for (int s = 0; s < 2; s++) {
        r->alert_seen[s] = m->alert_seen[s];
        r->alert[s] = m->alert[s];
        r->close_notify[s] =
            m->close_notify[s] || (m->maybe_notify[s] && (r->fin_seen[s] || (int)r->from == s));
    }
    r->status = m->status;
    if (m->icmp.seen)
        r->icmp = m->icmp;
    r->response_complete =
        m->http ? m->http_complete
                : r->response_started && (r->fin_seen[SIDE_RESP] || r->close_notify[SIDE_RESP]);
}

/* ---- growing ---- */
void reset_tell(struct flow_table *t, struct grown *g)
{
    harm_judge(t, g, &g->r.harmful, &g->r.harmful_why);
    g->r.rev++;
    if (t->st.on_reset)
        t->st.on_reset(t->st.arg, &g->r);
}

void reset_settle(struct flow_table *t, struct grown *g)
{
    bool harmful;
    const char *why;
    g->record_open = false;
    harm_judge(t, g, &harmful, &why);
    if (harmful != g->r.harmful || why != g->r.harmful_why)
        reset_tell(t, g);
}

static bool record_grew(struct grown *g, const struct flow *f)
{
    if (!g->record_open || !f->zeek.open)
        return false;
    enum conn_state now = zeek_conn_state(f);
    if (now == g->r.conn_state && strcmp(g->r.history, f->zeek.history) == 0)
        return false;
    g->r.conn_state = now;
    memcpy(g->r.history, f->zeek.history, sizeof(g->r.history));
    return true;
}

/* Remember who was refused what, for the retry that may come and for telling scans. */
static void note_service(struct flow_table *t, const struct flow *f, struct grown *g)
{
    struct reset *r = &g->r;
    bool in_vain = r->stage == STAGE_SYN || (r->stage == STAGE_ACK && r->from == SIDE_ORIG) ||
                   (r->midstream && !r->request_seen && !r->response_started);
    struct service *sv = service_get(&t->services, service_key(t, &f->key), true);
    if (r->stage == STAGE_NONE || !sv)
        return;
    struct grown *before = table_grown(t, f->retry_of);
    if (before && before->r.stage != STAGE_SYN && r->stage == STAGE_SYN && r->from == SIDE_RESP &&
        !before->r.refused_after) {
        before->r.refused_after = true;
        reset_tell(t, before);
    }
    r->accepted_before = r->stage == STAGE_SYN && sv->connected;
    bool fresh = !sv->refused;
    sv->reset = (uint32_t)r->id;
    if (!in_vain)
        return;
    sv->refused = true;
    struct client *c = fresh ? client_get(t, &t->services, &f->key.src, true) : NULL;
    if (!c)
        return;
    c->sweeps |= c->probed && r->time - c->last <= SWEEP_SPAN;
    c->last = r->time;
    c->probed++;
}

/* Where one direction alone was captured, the RST's own ACK is the last that tells of the other. */
static void heed_last_ack(struct flow *f, enum side s, const struct packet *p)
{
    const struct flow_half *x = &f->side[s].half;
    struct flow_half *y = &f->side[other(s)].half;
    int32_t ahead = seq_diff(p->tcp.ack, y->acked);
    if (!(p->tcp.flags & TCP_ACK) || y->seen || !y->acked || p->tcp.seq != x->next || ahead <= 0 ||
        ahead > LAST_ACK_MAX)
        return;
    y->bytes += (uint32_t)ahead;
    y->acked = y->next = p->tcp.ack;
}

static void reset_new(struct flow_table *t, struct flow *f, enum side s, const struct packet *p)
{
    struct grown *g = table_add_reset(t, f->id);
    if (!g)
        return;
    struct reset *r = &g->r;
    f->reset = (uint32_t)r->id;
    f->synack_bad_ack |= half_open(f);
    heed_last_ack(f, s, p);
    take_segment(r, f, s, p);
    take_features(t, r, f);
    take_state(r, f);
    take_timing(r, f);
    r->stage = stage_of(f, r);
    seq_fit_of(f, r);
    r->class = class_of(f, r);
    take_words(r, f);
    vantage_of(t, f, r, p);
    r->rst_count = r->rst_burst = 1;
    g->client = f->key.src;
    g->from_next = f->side[s].half.next;
    g->peer_next = f->side[other(s)].half.next;
    g->record_open = true;
    r->conn_state = CONN_NONE;
    record_grew(g, f);
    note_service(t, f, g);
    reset_tell(t, g);
}

static void note_other(struct reset *r, enum side s, const struct packet *p)
{
    uint32_t n = r->rst_count + r->rst_other_side - 2; /* this one is counted already */
    if (n >= RESET_NOTES_MAX)
        return;
    r->others[n].time = p->time;
    r->others[n].packet = p->number;
    r->others[n].from = s;
    r->others[n].flags = p->tcp.flags;
    r->others[n].ttl = p->ttl;
    r->others[n].seq = p->tcp.seq;
    r->others[n].ack = p->tcp.ack;
}

static bool power_of_two(uint64_t n)
{
    return (n & (n - 1)) == 0;
}

/* A copy of the first that came late says nothing; another segment is held against it. */
static bool compare_again(struct reset *r, const struct flow_half *x, const struct packet *p)
{
    bool alike = p->tcp.flags == r->flags, was_mac = r->mac_differs, was_id = r->rst_id_repeats;
    bool other_segment = p->tcp.seq != r->seq || p->tcp.ack != r->ack || !alike;
    r->rst_window_differs |=
        alike && p->tcp.window && r->window_raw && p->tcp.window != r->window_raw;
    r->rst_ts_differs |= alike && p->tcp.has_ts != r->has_ts;
    r->rst_id_repeats |= !r->v6 && other_segment && p->ip_id && p->ip_id == r->ip_id;
    r->mac_differs |= p->mac_seen && x->mac_seen && memcmp(p->mac_src, x->mac, 6) != 0;
    return r->mac_differs != was_mac || r->rst_id_repeats != was_id;
}

static void reset_again(struct flow_table *t, struct grown *g, const struct flow *f, enum side s,
                        const struct packet *p)
{
    struct reset *r = &g->r;
    bool news = false;
    if (s != r->from) {
        r->rst_other_side++;
    } else {
        r->rst_count++;
        news =
            (!r->rst_seq_fan && p->tcp.seq != r->seq) || (!r->rst_ttl_differs && p->ttl != r->ttl);
        r->rst_burst += p->time - r->time <= BURST_SPAN;
        r->rst_seq_fan |= p->tcp.seq != r->seq;
        r->rst_ack_differs |= p->tcp.ack != r->ack;
        r->rst_flags_differ |= p->tcp.flags != r->flags;
        r->rst_ttl_differs |= p->ttl != r->ttl;
        news |= compare_again(r, &f->side[s].half, p);
    }
    note_other(r, s, p);
    news |= record_grew(g, f);
    if (news || power_of_two(r->rst_count + r->rst_other_side))
        reset_tell(t, g);
}

void reset_packet(struct flow_table *t, struct flow *f, enum side s, const struct packet *p)
{
    struct grown *g = table_grown(t, f->reset);
    if (g && !g->over)
        reset_again(t, g, f, s, p);
    else
        reset_new(t, f, s, p);
}

/* A SYN of the same connection after its refusal: the client tries again from the same port. */
static bool syn_again(struct grown *g, const struct flow *f, enum side s, const struct packet *p)
{
    if (g->r.stage != STAGE_SYN || s != SIDE_ORIG ||
        (p->tcp.flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
        return false;
    g->r.syn_repeats++;
    g->r.retried = true;
    return f->side[SIDE_ORIG].half.syns > 1;
}

/* Did this packet show that its sender goes on, and that the other side had not hung up? */
static void heed(struct grown *g, const struct flow *f, enum side s, const struct packet *p)
{
    struct reset *r = &g->r;
    uint32_t end = p->tcp.seq + segment_len(p);
    bool acks = p->tcp.flags & TCP_ACK;
    if (s == r->from) {
        g->side_spoke |= seq_gt(end, g->from_next) || (p->tcp.flags & TCP_SYN && acks) ||
                         (acks && seq_gt(p->tcp.ack, g->peer_next));
    } else if (g->side_spoke) {
        g->peer_spoke |= (acks && seq_gt(p->tcp.ack, g->from_next)) || seq_gt(end, g->peer_next);
    }
    if (r->stage == STAGE_SYN && f->handshake_done) /* it opened after all */
        g->side_spoke = g->peer_spoke = true;
    if (!g->side_spoke || !g->peer_spoke)
        return;
    g->over = true;
    if (r->syn_repeats && f->handshake_done)
        r->retry_worked = true;
    else
        r->lived_on = true;
}

/* ---- captured in the wrong order ---- */
static bool precedes(const struct grown *g, const struct flow *f, enum side s,
                     const struct packet *p)
{
    const struct reset *r = &g->r;
    return r->stage == STAGE_NONE && r->rst_count == 1 && !r->rst_other_side &&
           (p->tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && r->from == other(s) &&
           r->flags & TCP_ACK && r->seq == 0 && r->ack == p->tcp.seq + segment_len(p) &&
           p->time - r->time <= EARLY_SPAN && f->side[s].half.packets == 1 && !f->more;
}

static void swap_ends(struct flow *f, struct reset *r)
{
    struct flow_side side = f->side[0];
    f->side[0] = f->side[1];
    f->side[1] = side;
    f->key = (struct flow_key){f->key.dst, f->key.src, f->key.dport, f->key.sport};
    f->zeek.orig = !f->zeek.orig;
    if (r->vantage_end == VANTAGE_ORIG || r->vantage_end == VANTAGE_RESP)
        r->vantage_end = r->vantage_end == VANTAGE_ORIG ? VANTAGE_RESP : VANTAGE_ORIG;
}

/* The SYN that a refusal without any other packet had answered: now it is plain who asked. */
static void take_late_syn(struct flow_table *t, struct grown *g, struct flow *f, enum side s,
                          const struct packet *p)
{
    struct reset *r = &g->r;
    if (s == SIDE_RESP)
        swap_ends(f, r);
    r->key = f->key;
    r->from = SIDE_RESP;
    r->stage = STAGE_SYN;
    r->midstream = false;
    r->ttl_other = p->ttl;
    r->trigger_packet = p->number;
    r->trigger_is_syn = true;
    r->trigger_delay = 0;
    r->bytes[SIDE_ORIG].known = true;
    seq_fit_of(f, r);
    r->class = class_of(f, r);
    g->client = f->key.src;
    g->from_next = f->side[SIDE_RESP].half.next;
    g->peer_next = f->side[SIDE_ORIG].half.next;
    note_service(t, f, g);
    record_grew(g, f);
    reset_tell(t, g);
}

void reset_after(struct flow_table *t, struct flow *f, enum side s, const struct packet *p)
{
    struct grown *g = table_grown(t, f->reset);
    if (!g)
        return;
    if (precedes(g, f, s, p)) {
        take_late_syn(t, g, f, s, p);
        return;
    }
    struct reset *r = &g->r;
    bool news = syn_again(g, f, s, p);
    bool was_over = g->over, first = !r->packets_after[s], speaking = g->side_spoke;
    if (was_over)
        return; /* what comes now belongs to another chapter */
    r->packets_after[s]++;
    if (p->payload_len && !f->side[s].heard.repeat) {
        news |= !r->data_after[s];
        r->data_after[s] += p->payload_len;
    }
    if (p->tcp.flags & TCP_FIN)
        news |= !r->fin_seen[s];
    heed(g, f, s, p);
    news |= record_grew(g, f) || first || g->over || g->side_spoke != speaking;
    news |= power_of_two(r->packets_after[s]) && r->packets_after[s] >= TELL_EACH;
    if (news)
        reset_tell(t, g);
}
