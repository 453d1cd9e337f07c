/* The table under pressure: floods, caps, eviction, ICMP errors, and bytes that make no sense. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "tests/flow/script.h"

static struct packet syn_from(uint32_t source, nstime t)
{
    struct packet p = {.l4 = L4_TCP, .time = t, .ttl = 64};
    p.src =
        (struct addr){4, {10, (uint8_t)(source >> 16), (uint8_t)(source >> 8), (uint8_t)source}};
    p.dst = (struct addr){4, {192, 0, 2, 80}};
    p.tcp = (struct tcp_header){.sport = 1024,
                                .dport = 443,
                                .flags = TCP_SYN,
                                .seq = source,
                                .wscale = -1,
                                .mptcp_rst = -1,
                                .window = 1024};
    return p;
}

/* A million sources: memory stays flat, and a connection with data is not pushed out. */
static void test_syn_flood(void **state)
{
    struct flow_settings st = {.max_flows = 10000};
    struct script s;
    (void)state;
    script_init(&s, &st);
    script_run(&s, HANDSHAKE REQUEST);
    uint64_t served = flow_id(s.last);
    size_t before = 0, after;
    for (uint32_t i = 0; i < 1000000; i++) {
        struct packet p = syn_from(i, s.start + NS_PER_SEC + i * NS_PER_US);
        assert_non_null(flow_table_packet(s.t, &p));
        if (i == 50000)
            before = mallinfo2().uordblks;
    }
    after = mallinfo2().uordblks;
    assert_true(after <= before + 65536);
    assert_int_equal(flow_table_counts(s.t)->live_flows, st.max_flows);
    assert_int_equal(flow_table_limits(s.t)->flows_evicted, 1000001 - st.max_flows);
    assert_non_null(flow_table_by_id(s.t, served));
    script_run(&s, "9 < R 1 win=0\n");
    assert_int_equal(script_reset(&s, 1)->flow, served);
    script_release(&s);
}

static void test_eviction_order(void **state)
{
    struct flow_settings st = {.max_flows = 3};
    struct script s;
    (void)state;
    script_init(&s, &st);
    for (int i = 0; i < 3; i++)
        script_run(&s, i == 0   ? "0 > PA 1+5 1 port=1\n0 < A 1 6 port=1\n"
                       : i == 1 ? "1 > PA 1+5 1 port=2\n1 < A 1 6 port=2\n"
                                : "2 > PA 1+5 1 port=3\n2 < A 1 6 port=3\n");
    script_run(&s, "3 > A 6 1 port=1\n"); /* touched: 2 is the oldest now */
    script_run(&s, "4 > PA 1+5 1 port=4\n");
    assert_non_null(flow_table_by_id(s.t, 1));
    assert_null(flow_table_by_id(s.t, 2));
    assert_int_equal(flow_table_limits(s.t)->flows_evicted, 1);
    assert_int_equal(s.nrecords, 1); /* its record was handed out */
    script_release(&s);
}

/* Port reuse without end: generations of one 5-tuple, with eviction in between. */
static void test_generations(void **state)
{
    struct flow_settings st = {.max_flows = 5};
    struct script s;
    (void)state;
    script_init(&s, &st);
    for (uint32_t i = 0; i < 1000; i++) {
        struct packet p = syn_from(7, s.start + i * NS_PER_SEC);
        p.tcp.seq = i * 100000;
        const struct flow *f = flow_table_packet(s.t, &p);
        assert_int_equal(flow_id(f), i + 1);
    }
    assert_int_equal(flow_table_counts(s.t)->live_flows, 5);
    struct flow_key k = {syn_from(7, 0).src, syn_from(7, 0).dst, 1024, 443};
    assert_int_equal(flow_id(flow_table_find(s.t, &k, s.start + 997 * NS_PER_SEC, 0)), 998);
    assert_null(flow_table_find(s.t, &k, s.start + 3 * NS_PER_SEC, 0));
    script_release(&s);
}

static void test_caps(void **state)
{
    struct flow_settings st = {.max_resets = 2, .max_kept_bytes = 4096};
    struct script s;
    const uint8_t *b;
    (void)state;
    script_init(&s, &st);
    script_run(&s, "0 > S 0 port=1\n0 < RA !0 1 port=1\n0 > S 0 port=2\n0 < RA !0 1 port=2\n"
                   "0 > S 0 port=3\n0 < RA !0 1 port=3\n");
    assert_int_equal(flow_table_resets(s.t), 2);
    assert_int_equal(flow_table_limits(s.t)->resets_dropped, 1);
    assert_int_equal(flow_table_counts(s.t)->rsts, 3);
    script_run(&s, "1 > PA 1+3000 1 port=5\n");
    const struct flow *old = s.last;
    assert_int_equal(flow_first_bytes(old, SIDE_ORIG, &b), 3000);
    script_run(&s, "1 > PA 1+3000 1 port=6\n"); /* the older one gives way */
    assert_int_equal(flow_first_bytes(s.last, SIDE_ORIG, &b), 3000);
    assert_int_equal(flow_first_bytes(old, SIDE_ORIG, &b), 0);
    assert_int_equal(flow_table_limits(s.t)->bytes_refused, 3000);
    script_release(&s);
}

static void test_icmp(void **state)
{
    struct script s;
    (void)state;
    script_init(&s, NULL);
    script_run(&s, "0 > S 0\n");
    const struct flow *f = s.last;
    struct packet p = {.l4 = L4_ICMP, .number = 2, .time = s.start + NS_PER_MS};
    p.src = (struct addr){4, {198, 51, 100, 1}};
    p.dst = (struct addr){4, {192, 0, 2, 1}};
    p.icmp = (struct icmp_info){.type = 3,
                                .code = 13,
                                .quoted = true,
                                .quoted_l4 = L4_TCP,
                                .ports_seen = true,
                                .src = {4, {192, 0, 2, 1}},
                                .dst = {4, {192, 0, 2, 80}},
                                .sport = 40000,
                                .dport = 443};
    assert_ptr_equal(flow_table_packet(s.t, &p), f);
    script_run(&s, "0.1 < RA !0 1 win=0\n");
    const struct reset *r = script_reset(&s, 1);
    assert_true(r->icmp.seen && !r->icmp.v6);
    assert_int_equal(r->icmp.code, 13);
    assert_int_equal(r->icmp.packet, 2);
    p.icmp.sport = 1; /* of no flow here */
    assert_null(flow_table_packet(s.t, &p));
    script_release(&s);
}

/* Whatever comes, in whatever order: no crash, and counts that add up. */
static void test_noise(void **state)
{
    struct flow_settings st = {.max_flows = 50, .max_kept_bytes = 20000, .max_resets = 500};
    struct script s;
    uint8_t text[64];
    uint64_t x = 42, resets = 0;
    (void)state;
    script_init(&s, &st);
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 37);
    for (uint32_t i = 0; i < 200000; i++) {
        x = hash_mix(x, i);
        struct packet p = syn_from((uint32_t)(x & 31), s.start + (nstime)(x >> 40) * NS_PER_MS);
        p.number = i + 1;
        p.tcp.flags = (uint8_t)(x >> 8);
        p.tcp.seq = (uint32_t)(x >> 3) & (x & 1 ? 0xffff : ~0u);
        p.tcp.ack = (uint32_t)(x >> 7) & (x & 2 ? 0xffff : ~0u);
        p.tcp.window = (uint16_t)(x >> 20);
        p.payload_len = x & 4 ? (uint32_t)(x >> 33) & 0xffff : 0;
        p.payload_caplen = MIN_OF(p.payload_len, (uint32_t)sizeof(text));
        p.payload = text;
        p.ip_id = (uint16_t)(x >> 11);
        p.ttl = (uint8_t)(x >> 13);
        p.tcp.has_ts = x & 64;
        p.tcp.wscale = (int8_t)(x >> 50);
        p.tcp.checksum_seen = x & 128;
        p.tcp.checksum_ok = x & 256;
        if (x & 8) {
            struct addr a = p.src;
            p.src = p.dst;
            p.dst = a;
            p.tcp.sport = 443;
            p.tcp.dport = 1024;
        }
        flow_table_packet(s.t, &p);
        resets += !!(p.tcp.flags & TCP_RST);
    }
    flow_table_finish(s.t);
    const struct flow_counts *c = flow_table_counts(s.t);
    assert_int_equal(c->packets, 200000);
    struct packet fresh = syn_from(999, s.start);
    const struct flow_half *nobody = flow_get_half(flow_table_packet(s.t, &fresh), SIDE_RESP);
    assert_true(!nobody->seen && !nobody->packets && !nobody->acked && !nobody->syns);
    assert_int_equal(nobody->last, NSTIME_NONE);
    assert_int_equal(c->flows, c->live_flows + flow_table_limits(s.t)->flows_evicted);
    assert_true(c->rsts + c->duplicates >= resets && c->rsts <= resets);
    for (uint64_t id = 1; id <= flow_table_resets(s.t); id++) {
        const struct reset *r = script_reset(&s, id);
        assert_non_null(r->harmful_why);
        assert_non_null(stage_name(r->stage));
        assert_true(r->bytes[0].acked <= r->bytes[0].sent);
        assert_true(r->bytes[1].acked <= r->bytes[1].sent);
    }
    script_release(&s);
}

static void test_no_time(void **state)
{
    struct script s;
    (void)state;
    script_init(&s, NULL);
    script_run(&s, "1 > S 0\n");
    struct packet p = syn_from(1, NSTIME_NONE);
    const struct flow *f = flow_table_packet(s.t, &p);
    assert_int_equal(flow_start(f), s.start + NS_PER_SEC);
    struct packet none = {.number = 3};
    assert_null(flow_table_packet(s.t, &none));
    assert_int_equal(flow_table_counts(s.t)->undecoded, 1);
    script_release(&s);
}

static void test_names(void **state)
{
    char text[FLOW_KEY_TEXT_MAX];
    struct flow_key k = {{4, {192, 0, 2, 1}}, {6, {0x20, 1, 0xd, 0xb8}}, 1, 2};
    (void)state;
    assert_string_equal(flow_key_text(text, &k), "192.0.2.1:1 > [2001:db8::]:2");
    assert_string_equal(conn_state_name(CONN_RSTOS0), "RSTOS0");
    assert_null(conn_state_name(CONN_NONE));
    assert_string_equal(stage_name(STAGE_NONE), "none");
    assert_null(stage_name(STAGE_UNKNOWN));
    assert_string_equal(rst_class_name(RST_FOREIGN), "foreign");
    assert_null(rst_class_name(RST_CLASS_UNKNOWN));
    assert_string_equal(direction_name(DIRECTION_UNKNOWN), "transit");
    assert_string_equal(vantage_end_name(VANTAGE_UNKNOWN), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syn_flood),   cmocka_unit_test(test_eviction_order),
        cmocka_unit_test(test_generations), cmocka_unit_test(test_caps),
        cmocka_unit_test(test_icmp),        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_no_time),     cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
