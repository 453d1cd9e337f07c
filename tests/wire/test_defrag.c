/* Fragments: any order, copies, overlaps, lies, and a store that stays within its size. */
#include "build.h"

#define LEN 4000

static uint8_t whole[20 + LEN];

static void make_whole(void)
{
    struct strbuf b = STRBUF_INIT;
    struct seg s = {.sport = 7, .dport = 8, .seq = 9, .flags = TCP_ACK};

    put_tcp(&b, &s);
    for (int i = 0; i < LEN; i++)
        put8(&b, (unsigned)(i * 7) & 255);
    fill_tcp_sum(&b, SRC4, DST4, 4);
    memcpy(whole, b.buf, sizeof(whole));
    strbuf_release(&b);
}

/* Hands in bytes [from, to) of the segment as a fragment; what packet_decode made of it. */
static void hand_in(struct defrag *d, unsigned id, size_t from, size_t to, bool more, nstime t,
                    struct packet *p)
{
    struct strbuf b = STRBUF_INIT;

    strbuf_add(&b, whole + from, to - from);
    wrap_ip4(&b, &(struct ip4){.proto = 6,
                               .id = (uint16_t)id,
                               .frag = (uint16_t)(from / 8 | (more ? 0x2000 : 0))});
    struct record rec = record_of(&b, LINK_RAW);
    rec.time = t;
    assert_int_equal(packet_decode(p, &rec, d), 1);
    assert_true(p->fragment);
    strbuf_release(&b);
}

static void check_whole(const struct packet *p)
{
    bool ok = false;

    assert_true(p->reassembled);
    assert_int_equal(p->l4, L4_TCP);
    assert_int_equal(p->payload_len, LEN);
    assert_int_equal(p->payload_caplen, LEN);
    assert_memory_equal(p->payload, whole + 20, LEN);
    assert_true(packet_tcp_checksum(p, &ok));
    assert_true(ok);
}

static const struct {
    size_t from, to;
} cuts[] = {{0, 8}, {8, 1480}, {1480, 2960}, {2960, sizeof(whole)}};

static void test_every_order(void **state)
{
    struct defrag *d = defrag_new(0);
    struct packet p;

    (void)state;
    for (unsigned order = 0; order < 256; order++) {
        unsigned seen = 0;
        bool twice = false;
        for (int i = 0; i < 4; i++) {
            twice |= seen >> (order >> i * 2 & 3) & 1;
            seen |= 1U << (order >> i * 2 & 3);
        }
        if (twice)
            continue;
        for (int i = 0; i < 4; i++) {
            unsigned k = order >> i * 2 & 3;
            hand_in(d, order, cuts[k].from, cuts[k].to, k < 3, NS_PER_SEC, &p);
            if (i < 3) {
                assert_false(p.reassembled);
                assert_int_equal(p.l4, L4_NONE);
            }
        }
        check_whole(&p);
    }
    defrag_free(d);
}

static void test_copies_and_overlaps(void **state)
{
    struct defrag *d = defrag_new(0);
    struct packet p;

    (void)state;
    hand_in(d, 1, 1480, 2960, true, 1, &p);
    hand_in(d, 1, 1480, 2960, true, 1, &p);
    hand_in(d, 1, 800, 1600, true, 1, &p);
    hand_in(d, 1, 2800, sizeof(whole), false, 1, &p);
    assert_false(p.reassembled);
    hand_in(d, 1, 0, 2000, true, 1, &p);
    check_whole(&p);
    defrag_free(d);
}

static void test_alone(void **state)
{
    struct packet p;

    (void)state;
    hand_in(NULL, 1, 0, 1480, true, 1, &p); /* the first shows its ports */
    assert_int_equal(p.l4, L4_TCP);
    assert_int_equal(p.tcp.dport, 8);
    assert_false(p.tcp.checksum_seen);
    hand_in(NULL, 1, 1480, 2960, true, 1, &p);
    assert_int_equal(p.l4, L4_NONE);
}

static void test_lies(void **state)
{
    struct defrag *d = defrag_new(0);
    struct packet p;

    (void)state;
    hand_in(d, 1, 0, 1480, true, 1, &p);
    hand_in(d, 1, 1480, 2960, false, 1, &p); /* says it ends here */
    assert_true(p.reassembled);              /* shorter than it was sent, but without a hole */
    hand_in(d, 2, 1480, 2960, true, 1, &p);
    hand_in(d, 2, 800, 1480, false, 1, &p); /* ends before what is in: dropped whole */
    hand_in(d, 2, 0, 800, true, 1, &p);
    assert_false(p.reassembled);
    hand_in(d, 3, 0, 13, true, 1, &p); /* not a multiple of eight */
    hand_in(d, 3, 16, 800, false, 1, &p);
    assert_false(p.reassembled);
    hand_in(d, 4, 0, 1480, true, 1, &p); /* two minutes later the number is another packet's */
    hand_in(d, 4, 1480, sizeof(whole), false, 120 * NS_PER_SEC, &p);
    assert_false(p.reassembled);
    hand_in(d, 5, 0, 1480, true, NSTIME_NONE, &p);
    hand_in(d, 5, 1480, sizeof(whole), false, INT64_MAX, &p);
    assert_true(p.reassembled);
    defrag_free(d);
}

/* A flood of first fragments pushes out the oldest, never the memory's bounds. */
static void test_flood(void **state)
{
    struct defrag *d = defrag_new(64 * 1024);
    struct packet p;

    (void)state;
    for (unsigned id = 0; id < 2000; id++)
        hand_in(d, id, 0, 1480, true, 1, &p);
    hand_in(d, 0, 1480, sizeof(whole), false, 1, &p);
    assert_false(p.reassembled); /* gone */
    hand_in(d, 1999, 1480, sizeof(whole), false, 1, &p);
    check_whole(&p);
    for (size_t at = 0; at + 16 <= 1600; at += 16) /* holes everywhere: given up, not grown */
        hand_in(d, 9000, at, at + 8, true, 1, &p);
    assert_false(p.reassembled);
    defrag_free(d);
    d = defrag_new(100); /* too small for any */
    hand_in(d, 1, 0, 1480, true, 1, &p);
    hand_in(d, 1, 1480, sizeof(whole), false, 1, &p);
    assert_false(p.reassembled);
    defrag_free(d);
}

static void test_ipv6(void **state)
{
    struct defrag *d = defrag_new(0);
    struct packet p = {0};

    (void)state;
    fill_tcp_sum(&(struct strbuf){.buf = (char *)whole, .len = sizeof(whole)}, SRC6, DST6, 16);
    for (int i = 0; i < 2; i++) {
        struct strbuf b = STRBUF_INIT;
        strbuf_add(&b, whole + i * 2000, i ? sizeof(whole) - 2000 : 2000);
        wrap_ip6(&b, 44, i ? "06 00 07d0 00000077" : "06 00 0001 00000077");
        struct record rec = record_of(&b, LINK_RAW);
        assert_int_equal(packet_decode(&p, &rec, d), 1);
        strbuf_release(&b);
    }
    check_whole(&p);
    defrag_free(d);
    make_whole();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_order), cmocka_unit_test(test_copies_and_overlaps),
        cmocka_unit_test(test_alone),       cmocka_unit_test(test_lies),
        cmocka_unit_test(test_flood),       cmocka_unit_test(test_ipv6),
    };

    make_whole();
    return cmocka_run_group_tests_name("defrag", tests, NULL, NULL);
}
