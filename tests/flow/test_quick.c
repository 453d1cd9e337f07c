/*
 * The short way of ordinary segments (quick.c) must come to what the long way comes to: the same
 * random traffic goes through two tables, one of which takes the long way always.
 */
#include "flow/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define CONNS   40
#define PACKETS 300000

struct conn {
    uint32_t next[2], acked[2]; /* as the ends have it; acked: what this side has acknowledged */
    unsigned step;
    bool closing;
};
struct twin {
    struct flow_table *t[2]; /* the long way, the short way */
    struct flow_record last[2];
    uint64_t records[2], seen, rng;
    struct conn conns[CONNS];
    nstime now;
};

static uint32_t chance(struct twin *w, uint32_t one_in)
{
    w->rng ^= w->rng << 13;
    w->rng ^= w->rng >> 7;
    w->rng ^= w->rng << 17;
    return (uint32_t)(w->rng >> 20) % one_in;
}

static void on_record(void *arg, const struct flow_record *rec)
{
    struct twin *w = arg;
    int i = w->records[0] > w->records[1]; /* the long way goes first */
    w->last[i] = *rec;
    w->records[i]++;
}

static void same_reset(const struct reset *a, const struct reset *b)
{
    assert_int_equal(a->flow, b->flow);
    assert_int_equal(a->rev, b->rev);
    assert_int_equal(a->stage, b->stage);
    assert_int_equal(a->class, b->class);
    assert_int_equal(a->seq_fit, b->seq_fit);
    assert_int_equal(a->vantage_end, b->vantage_end);
    assert_int_equal(a->idle, b->idle);
    assert_int_equal(a->rtt_min, b->rtt_min);
    assert_int_equal(a->trigger_packet, b->trigger_packet);
    assert_int_equal(a->trigger_delay, b->trigger_delay);
    assert_int_equal(a->since_request, b->since_request);
    assert_int_equal(a->turns, b->turns);
    assert_int_equal(a->retransmits_before, b->retransmits_before);
    assert_int_equal(a->own_retransmits, b->own_retransmits);
    assert_int_equal(a->ip_id_follows, b->ip_id_follows);
    assert_int_equal(a->window_same, b->window_same);
    assert_int_equal(a->last_data_from, b->last_data_from);
    assert_int_equal(a->conn_state, b->conn_state);
    assert_string_equal(a->history, b->history);
    assert_string_equal(a->last_words, b->last_words);
    assert_string_equal(a->first_resp.text, b->first_resp.text);
    assert_ptr_equal(a->harmful_why, b->harmful_why);
    for (int s = 0; s < 2; s++) {
        assert_int_equal(a->bytes[s].sent, b->bytes[s].sent);
        assert_int_equal(a->bytes[s].acked, b->bytes[s].acked);
    }
}

static void same_flow(const struct flow *a, const struct flow *b)
{
    assert_int_equal(!a, !b);
    if (!a)
        return;
    assert_int_equal(flow_id(a), flow_id(b));
    assert_string_equal(flow_history(a), flow_history(b));
    assert_int_equal(flow_conn_state(a), flow_conn_state(b));
    assert_int_equal(flow_rtt(a), flow_rtt(b));
    for (int s = 0; s < 2; s++) {
        const struct flow_half *x = flow_get_half(a, s), *y = flow_get_half(b, s);
        struct flow_data d = flow_get_data(a, s), e = flow_get_data(b, s);
        const uint8_t *first[2];
        assert_memory_equal(x, y, sizeof(*x));
        assert_memory_equal(&d, &e, sizeof(d));
        size_t n = flow_first_bytes(a, s, &first[0]);
        assert_int_equal(n, flow_first_bytes(b, s, &first[1]));
        if (n)
            assert_memory_equal(first[0], first[1], n);
    }
}

static void feed(struct twin *w, struct packet *p)
{
    const struct flow *f[2];
    p->number = ++w->seen;
    for (int i = 0; i < 2; i++)
        f[i] = flow_table_packet(w->t[i], p);
    same_flow(f[0], f[1]);
    assert_int_equal(w->records[0], w->records[1]);
    assert_string_equal(w->last[0].history, w->last[1].history);
    for (int s = 0; s < 2; s++) {
        assert_int_equal(w->last[0].packets[s], w->last[1].packets[s]);
        assert_int_equal(w->last[0].bytes[s], w->last[1].bytes[s]);
    }
}

static struct packet segment(struct twin *w, uint32_t c, int side, uint8_t flags, uint32_t len)
{
    static const uint8_t text[1500] = "HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n";
    struct conn *k = &w->conns[c];
    struct addr ends[2] = {{4, {10, 0, 0, (uint8_t)c}}, {4, {192, 0, 2, 1}}};
    uint16_t ports[2] = {(uint16_t)(40000 + c), c & 1 ? 443 : 8125};
    struct packet p = {.time = w->now,
                       .l4 = L4_TCP,
                       .src = ends[side],
                       .dst = ends[!side],
                       .ttl = side ? 57 : 64,
                       .ip_id = (uint16_t)(w->seen * 3),
                       .mac_seen = true,
                       .payload_len = len,
                       .payload_caplen = len,
                       .payload = text,
                       .tcp = {.sport = ports[side],
                               .dport = ports[!side],
                               .seq = k->next[side],
                               .ack = flags & TCP_ACK ? k->next[!side] : 0,
                               .flags = flags,
                               .window = 500,
                               .wscale = -1,
                               .mptcp_rst = -1,
                               .checksum_seen = len <= 64, /* as the decoder sums */
                               .checksum_ok = len <= 64,
                               .has_ts = c & 2,
                               .tsval = (uint32_t)(w->now / NS_PER_MS)}};
    k->next[side] += len + !!(flags & (TCP_SYN | TCP_FIN));
    w->now += (nstime)chance(w, 30) * NS_PER_MS;
    return p;
}

/* What a network and a careless capture do to a segment. False: it was lost. */
static bool spoil(struct twin *w, struct packet *p)
{
    switch (chance(w, 150)) {
    case 0: return false;
    case 1: p->ttl--; break;
    case 2: p->tcp.window = (uint16_t)chance(w, 3); break;
    case 3: p->payload_caplen = p->payload_len / 2; break;
    case 4: p->tcp.checksum_seen = true, p->tcp.checksum_ok = false; break;
    case 5:
        p->tcp.checksum_seen = p->tcp.checksum_partial = true;
        p->tcp.checksum_ok = false;
        break;
    case 6: p->tcp.seq -= chance(w, 3000); break;
    case 7: p->tcp.ack -= chance(w, 3000); break;
    case 8: p->tcp.ack += chance(w, 3000); break;
    case 9: p->tcp.seq--, p->payload_len = p->payload_caplen = 0; break; /* a keep-alive */
    case 10: w->now += chance(w, 8) ? 0 : (nstime)chance(w, 70) * NS_PER_SEC; break;
    case 11: w->now += chance(w, 20) ? 0 : 400 * NS_PER_SEC; break;
    case 12: p->time -= 3 * NS_PER_SEC; break;
    case 13: p->tcp.ack = 0; break;
    case 14: p->tcp.flags |= TCP_URG; break;
    case 15: p->ip_id = 0; break;
    default: break;
    }
    return true;
}

static void step(struct twin *w, uint32_t c)
{
    struct conn *k = &w->conns[c];
    int side = (int)chance(w, 2);
    uint8_t flags = TCP_ACK;
    uint32_t len = chance(w, 3) ? chance(w, 1400) + 1 : 0;
    if (k->step < 3) {
        static const uint8_t opening[] = {TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK};
        side = k->step == 1;
        flags = opening[k->step];
        len = 0;
        if (k->step == 0)
            k->next[0] = (uint32_t)w->rng, k->next[1] = (uint32_t)(w->rng >> 30);
    } else if (k->closing || !chance(w, 300)) {
        flags |= chance(w, 3) ? TCP_FIN : TCP_RST;
        k->closing = true;
    }
    k->step++;
    struct packet p = segment(w, c, side, flags, len);
    if (spoil(w, &p))
        feed(w, &p);
    if (!chance(w, 120))
        feed(w, &p); /* again: a copy, or a retransmission */
    if (k->closing && !chance(w, 4))
        *k = (struct conn){.step = chance(w, 5) ? 0 : 3};
}

static void test_same(void **state)
{
    struct twin w = {.rng = 88172645463325252ULL, .now = 1700000000 * NS_PER_SEC};
    struct flow_settings st = {
        .on_record = on_record, .arg = &w, .max_flows = 200, .max_kept_bytes = 200000};
    (void)state;
    st.plodding = true;
    w.t[0] = flow_table_new(&st);
    st.plodding = false;
    w.t[1] = flow_table_new(&st);
    assert_true(w.t[0] && w.t[1]);
    while (w.seen < PACKETS)
        step(&w, chance(&w, CONNS));
    size_t n = flow_table_resets(w.t[0]);
    assert_int_equal(n, flow_table_resets(w.t[1]));
    assert_true(n > 500 && w.records[0] > 500);
    for (uint64_t id = 1; id <= n; id++)
        same_reset(flow_table_reset(w.t[0], id), flow_table_reset(w.t[1], id));
    assert_int_equal(flow_table_counts(w.t[0])->ordinary, 0);
    assert_true(flow_table_counts(w.t[1])->ordinary > PACKETS / 4); /* or nothing was compared */
    assert_int_equal(flow_table_counts(w.t[0])->duplicates, flow_table_counts(w.t[1])->duplicates);
    flow_table_free(w.t[0]);
    flow_table_free(w.t[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
