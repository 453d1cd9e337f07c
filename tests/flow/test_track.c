/* The two halves: what is new, what is a repeat, what is a copy, what is another connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "tests/flow/script.h"

static const struct flow_half *orig(const struct script *s)
{
    return flow_get_half(s->last, SIDE_ORIG);
}

static struct flow_data orig_data(const struct script *s)
{
    return flow_get_data(s->last, SIDE_ORIG);
}

static struct flow_data resp_data(const struct script *s)
{
    return flow_get_data(s->last, SIDE_RESP);
}

static const struct flow_half *resp(const struct script *s)
{
    return flow_get_half(s->last, SIDE_RESP);
}

static void test_basic(void **state)
{
    struct script s;
    (void)state;
    script_init(&s, NULL);
    script_run(&s, HANDSHAKE REQUEST "0.1 < A 1 36 ts win=509\n");
    assert_int_equal(orig(&s)->bytes, 35);
    assert_int_equal(orig(&s)->acked, orig(&s)->next);
    assert_int_equal(orig(&s)->isn, 1000000);
    assert_int_equal(resp(&s)->window, 509 << 7);
    assert_int_equal(resp(&s)->ttl, 57);
    assert_true(orig(&s)->has_ts && resp(&s)->sack_ok);
    assert_int_equal(orig(&s)->mss, 1460);
    assert_int_equal(flow_rtt(s.last), 50 * NS_PER_MS);
    assert_false(flow_midstream(s.last));
    script_release(&s);
}

/* RFC 7323 2.2: scaled only if both sides offered it. */
static void test_scaling(void **state)
{
    struct script s;
    (void)state;
    script_init(&s, NULL);
    script_run(&s, "0 > S 0 ws=7\n0.1 < SA 0 1\n0.2 > A 1 1 win=100\n");
    assert_int_equal(orig(&s)->window, 100);
    script_release(&s);
}

static void test_wraparound(void **state)
{
    struct script s;
    (void)state;
    script_init(&s, NULL);
    s.isn[0] = 0xfffffff0;
    s.isn[1] = 0xffffffff;
    script_run(&s, "0 > S 0\n0.1 < SA 0 1\n0.2 > A 1 1\n0.3 > PA 1+100 1\n0.4 < PA 1+50 101\n"
                   "0.5 > A 101 51\n0.6 < RA 51 101 win=1024\n");
    assert_int_equal(orig(&s)->bytes, 100);
    assert_int_equal(resp(&s)->bytes, 50);
    assert_int_equal(orig_data(&s).retransmits, 0);
    const struct reset *r = script_reset(&s, 1);
    assert_int_equal(r->seq_fit, SEQ_EXACT);
    assert_int_equal(r->bytes[SIDE_ORIG].acked, 100);
    assert_int_equal(r->stage, STAGE_DATA);
    script_release(&s);
}

/* Twelve offloaded pieces of a gigabyte less a byte: sequence numbers wrap, the counts do not. */
static void test_counts_past_32_bits(void **state)
{
    const uint64_t piece = (1u << 30) - 1;
    struct script s;
    (void)state;
    script_init(&s, NULL);
    s.isn[0] = 0xfffffff0;
    script_run(&s, HANDSHAKE);
    for (uint64_t i = 0; i < 12; i++) {
        char line[128];
        uint32_t at = (uint32_t)(1 + i * piece);
        snprintf(line, sizeof(line), "0.%llu > PA %u+%u 1\n0.%llu < A 1 %u\n",
                 (unsigned long long)(200 + 2 * i), at, (unsigned)piece,
                 (unsigned long long)(201 + 2 * i), at + (uint32_t)piece);
        script_run(&s, line);
    }
    char last[64];
    snprintf(last, sizeof(last), "0.9 < RA 1 %u win=0\n", (unsigned)(uint32_t)(1 + 12 * piece));
    script_run(&s, last);
    assert_int_equal(orig(&s)->bytes, 12 * piece);
    assert_int_equal(orig_data(&s).retransmits, 0);
    const struct reset *r = script_reset(&s, 1);
    assert_int_equal(r->bytes[SIDE_ORIG].sent, 12 * piece);
    assert_int_equal(r->bytes[SIDE_ORIG].acked, 12 * piece);
    assert_int_equal(r->seq_fit, SEQ_EXACT);
    assert_true(r->payload_cut);
    flow_table_finish(s.t);
    assert_int_equal(s.records[0].bytes[0], 12 * piece);
    script_release(&s);
}

static void test_repeats(void **state)
{
    struct script s;
    (void)state;
    script_init(&s, NULL);
    script_run(&s, HANDSHAKE "0.1 > PA 1+100 1 id=1\n0.4 > PA 1+100 1 id=2\n0.5 < A 1 101\n"
                             "0.6 < A 1 101 id=3\n");
    assert_int_equal(orig_data(&s).retransmits, 1);
    assert_int_equal(orig(&s)->bytes, 100);
    /* a segment that overlaps counts what is new of it */
    script_run(&s, "0.7 > PA 51+100 1 id=3\n");
    assert_int_equal(orig(&s)->bytes, 150);
    script_release(&s);
}

static void test_reordering(void **state)
{
    struct script s;
    (void)state;
    script_init(&s, NULL);
    script_run(&s, HANDSHAKE "0.100 > PA 1+100 1\n0.101 > PA 201+100 1\n0.102 > PA 101+100 1\n");
    assert_int_equal(orig(&s)->bytes, 300);
    assert_int_equal(orig_data(&s).retransmits, 0);
    script_run(&s, "0.2 < A 1 101 id=1\n0.21 < A 1 101 id=2\n0.22 < A 1 101 id=3\n");
    assert_int_equal(resp_data(&s).dup_acks, 2);
    script_release(&s);
}

/* Captured twice: on `any`, or on both legs of a router (TTL one less). */
static void test_copies(void **state)
{
    struct script s;
    (void)state;
    script_init(&s, NULL);
    script_run(&s, "0.0000 > S 0 id=1\n0.0001 > S 0 id=1 ttl=63\n0.0500 < SA 0 1\n"
                   "0.0501 < SA 0 1\n0.051 > A 1 1 id=2\n0.0511 > A 1 1 id=2 ttl=63\n"
                   "0.1 > PA 1+9 1 id=3\n0.1001 > PA 1+9 1 id=3 ttl=63\n0.2 < R 1 win=0\n"
                   "0.2001 < R 1 win=0\n0.2002 < R 1 win=0\n");
    assert_int_equal(flow_table_counts(s.t)->duplicates, 6);
    assert_int_equal(orig_data(&s).retransmits, 0);
    assert_int_equal(orig(&s)->packets, 3);
    assert_int_equal(orig(&s)->ttl, 64);
    assert_int_equal(script_reset(&s, 1)->rst_count, 1);
    script_release(&s);
    /* an injector's three are no copies: their TTLs differ too much */
    script_init(&s, NULL);
    script_run(&s, HANDSHAKE REQUEST "0.1 < RA 1 36 id=9 ttl=100\n0.1001 < RA 1 36 id=9 ttl=131\n"
                                     "0.1002 < RA 1 36 id=9 ttl=150\n");
    assert_int_equal(script_reset(&s, 1)->rst_count, 3);
    script_release(&s);
}

static void test_keepalive(void **state)
{
    struct script s;
    (void)state;
    script_init(&s, NULL);
    script_run(&s, HANDSHAKE "0.1 > PA 1+5 1\n0.2 < A 1 6\n60 > A 5 1\n60.1 < A 1 6\n"
                             "120 > A 5+1 1\n120.1 < A 1 6\n");
    assert_true(orig(&s)->keepalive);
    assert_int_equal(orig_data(&s).retransmits, 0);
    assert_int_equal(orig(&s)->bytes, 5);
    script_release(&s);
}

static void test_zero_window(void **state)
{
    struct script s;
    (void)state;
    script_init(&s, NULL);
    script_run(&s, HANDSHAKE "0.1 > PA 1+5 1\n0.2 < A 1 6 win=0\n0.3 < R 1 win=0\n");
    assert_true(resp(&s)->zero_window);
    assert_true(script_reset(&s, 1)->zero_window);
    script_release(&s);
}

static void test_large(void **state)
{
    struct script s;
    (void)state;
    script_init(&s, NULL);
    script_run(&s, HANDSHAKE "0.1 > A 1+64000 1\n0.1 > A 64001+64000 1\n0.2 < A 1 128001\n");
    assert_int_equal(orig(&s)->bytes, 128000);
    assert_int_equal(orig_data(&s).max_seg, 64000);
    script_release(&s);
}

static void test_simultaneous(void **state)
{
    struct script s;
    (void)state;
    script_init(&s, NULL);
    script_run(&s, "0 > S 0\n0.01 < S 0\n0.05 > SA 0 1\n0.06 < SA 0 1\n0.1 > PA 1+5 1\n"
                   "0.2 < PA 1+5 6\n0.3 > FA 6 6\n0.301 < FA 6 6\n0.4 > A 7 7\n0.401 < A 7 7\n");
    assert_int_equal(flow_table_counts(s.t)->flows, 1);
    assert_true(orig(&s)->fin_seen && orig(&s)->fin_acked);
    assert_true(resp(&s)->fin_seen && resp(&s)->fin_acked);
    assert_int_equal(orig(&s)->bytes, 5);
    script_release(&s);
}

static void test_half_close(void **state)
{
    struct script s;
    (void)state;
    script_init(&s, NULL);
    script_run(&s, HANDSHAKE "0.1 > FA 1 1\n0.2 < A 1 2\n5 < PA 1+500 2\n5.1 > A 2 501\n");
    assert_true(orig(&s)->fin_acked);
    assert_false(resp(&s)->fin_seen);
    assert_int_equal(resp(&s)->bytes, 500);
    script_release(&s);
}

static void test_port_reuse(void **state)
{
    struct script s;
    struct flow_key k = {{4, {192, 0, 2, 1}}, {4, {192, 0, 2, 80}}, 40000, 443};
    (void)state;
    script_init(&s, NULL);
    script_run(&s, HANDSHAKE);
    uint64_t first = flow_id(s.last);
    script_run(&s, "0.5 > S 0\n"); /* the same ISN: a retransmission */
    assert_int_equal(flow_id(s.last), first);
    script_run(&s, "20 > S 0 isn=777\n20.1 < SA 0 1 isn=888\n");
    assert_int_not_equal(flow_id(s.last), first);
    assert_int_equal(flow_table_counts(s.t)->flows, 2);
    assert_int_equal(flow_id(flow_table_find(s.t, &k, s.start + 1 * NS_PER_SEC, NS_PER_SEC)),
                     first);
    assert_ptr_equal(flow_table_find(s.t, &k, s.start + 20 * NS_PER_SEC, NS_PER_SEC), s.last);
    assert_null(flow_table_find(s.t, &k, s.start + 90 * NS_PER_SEC, NS_PER_SEC));
    assert_non_null(flow_table_by_id(s.t, first));
    assert_null(flow_table_by_id(s.t, 99));
    script_release(&s);
}

static void test_midstream(void **state)
{
    struct script s;
    (void)state;
    script_init(&s, NULL);
    script_run(&s, "0 < PA 5000+100 700\n0.1 > A 700 5100\n0.2 < PA 5100+100 700\n");
    assert_true(flow_midstream(s.last));
    assert_int_equal(flow_get_key(s.last)->dport, 443); /* who serves is told by the port */
    assert_int_equal(resp(&s)->bytes, 200);
    assert_int_equal(orig(&s)->bytes, 0);
    script_release(&s);
}

/* Only the client's packets: its ACKs tell what the server sent. */
static void test_one_direction(void **state)
{
    struct script s;
    (void)state;
    script_init(&s, NULL);
    script_run(&s, "0 > S 0\n0.1 > A 1 1\n0.2 > PA 1+10 1\n0.3 > A 11 501\n0.4 > RA 11 501\n");
    assert_int_equal(resp(&s)->bytes, 500);
    assert_false(resp(&s)->seen);
    const struct reset *r = script_reset(&s, 1);
    assert_true(r->one_sided);
    assert_int_equal(r->stage, STAGE_DATA);
    script_release(&s);
}

static void test_synack_first(void **state)
{
    struct script s;
    (void)state;
    script_init(&s, NULL);
    script_run(&s, "0 < SA 0 1 sport=7777\n0.1 > R 1 win=0 sport=7777\n");
    assert_int_equal(flow_get_key(s.last)->dport, 7777);
    assert_int_equal(script_reset(&s, 1)->from, SIDE_ORIG);
    assert_int_equal(script_reset(&s, 1)->seq_fit, SEQ_EXACT);
    assert_false(script_reset(&s, 1)->harmful);
    script_release(&s);
}

static void test_first_bytes(void **state)
{
    struct script s;
    const uint8_t *b;
    (void)state;
    script_init(&s, NULL);
    script_run(&s, HANDSHAKE "0.1 > PA 1 1 text=abc\n0.2 > PA 7 1 text=ghi\n");
    assert_int_equal(flow_first_bytes(s.last, SIDE_ORIG, &b), 3); /* never over a gap */
    script_run(&s, "0.3 > PA 4 1 text=def\n0.4 > PA 7 1 id=9 text=ghi\n");
    assert_int_equal(flow_first_bytes(s.last, SIDE_ORIG, &b), 9);
    assert_memory_equal(b, "abcdefghi", 9);
    assert_int_equal(flow_first_bytes(s.last, SIDE_RESP, &b), 0);
    assert_int_equal(flow_first_app(s.last, SIDE_RESP)->kind, APP_NONE);
    script_release(&s);
}

static void test_odd_numbers(void **state)
{
    struct script s;
    (void)state;
    script_init(&s, NULL);
    /* a segment from nowhere moves nothing */
    script_run(&s, HANDSHAKE "0.1 > PA 1+10 1\n0.2 > PA !3000000000+10 1\n0.3 < A 1 11\n");
    assert_int_equal(orig(&s)->next, 1000011);
    script_run(&s, "0.4 < A 1 !3000000000\n");
    assert_int_equal(orig(&s)->acked, 1000011);
    script_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_basic),
        cmocka_unit_test(test_scaling),
        cmocka_unit_test(test_wraparound),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_counts_past_32_bits),
        cmocka_unit_test(test_reordering),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_keepalive),
        cmocka_unit_test(test_zero_window),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_simultaneous),
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_port_reuse),
        cmocka_unit_test(test_midstream),
        cmocka_unit_test(test_one_direction),
        cmocka_unit_test(test_synack_first),
        cmocka_unit_test(test_first_bytes),
        cmocka_unit_test(test_odd_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
