/* Capture files: what is written is read back, whole or byte by byte; damage is told. */
#include <errno.h>
#include <stdio.h>
#include "build.h"

struct seen {
    struct record rec[32];
    uint8_t bytes[32][64];
    int n, end; /* the last return of capread_next */
};

/* Reads everything, handing in `step` more bytes at a time (0: all at once). */
static void read_all(struct capread *r, const struct strbuf *file, size_t step, struct seen *s)
{
    size_t at = 0, have = step ? 0 : file->len, used;
    struct record rec;

    capread_init(r);
    memset(s, 0, sizeof(*s));
    for (;;) {
        uint8_t *exact = malloc(have - at + 1);
        assert_non_null(exact);
        memcpy(exact, file->buf + at, have - at);
        s->end = capread_next(r, exact, have - at, &used, &rec);
        assert_true(used <= have - at);
        if (s->end == 1) {
            assert_true(s->n < 32);
            assert_true(rec.caplen <= rec.len);
            memcpy(s->bytes[s->n], rec.data, rec.caplen < 64 ? rec.caplen : 64);
            s->rec[s->n++] = rec;
        }
        free(exact);
        at += used;
        if (s->end < 0 || (s->end == 0 && have == file->len))
            return;
        if (s->end == 0)
            have = have + step < file->len ? have + step : file->len;
    }
}

static void same(const struct seen *a, const struct seen *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->end, b->end);
    for (int i = 0; i < a->n; i++) {
        assert_int_equal(a->rec[i].time, b->rec[i].time);
        assert_int_equal(a->rec[i].caplen, b->rec[i].caplen);
        assert_int_equal(a->rec[i].len, b->rec[i].len);
        assert_int_equal(a->rec[i].interface, b->rec[i].interface);
        assert_int_equal(a->rec[i].link, b->rec[i].link);
        assert_int_equal(a->rec[i].dir, b->rec[i].dir);
        assert_memory_equal(a->bytes[i], b->bytes[i], sizeof(a->bytes[i]));
    }
}

static struct record packet_of(const char *text, uint32_t interface, nstime t, uint32_t len)
{
    return (struct record){.time = t,
                           .caplen = (uint32_t)strlen(text),
                           .len = len,
                           .interface = interface,
                           .data = (const uint8_t *)text};
}

#define T0 1700000000123456789LL

static void put_example(struct strbuf *f)
{
    struct record a = packet_of("hello", 0, T0, 5), b = packet_of("worlds", 1, T0 + 1, 1500);

    b.dir = DIR_OUT;
    pcapng_add_section(f, "a comment \x1b[31m");
    pcapng_add_interface(f, "eth0", LINK_EN10MB, 65535);
    pcapng_add_interface(f, NULL, LINK_RAW, 0);
    pcapng_add_packet(f, &a, NULL);
    pcapng_add_packet(f, &b, "why it is here");
    pcapng_add_stats(f, 1, T0 + 2, 100, 7);
    pcapng_add_section(f, NULL);
    pcapng_add_interface(f, "lo", LINK_NULL, 96);
    a.interface = 0;
    a.dir = DIR_IN;
    pcapng_add_packet(f, &a, NULL);
}

static void test_pcapng_round_trip(void **state)
{
    struct strbuf f = STRBUF_INIT;
    struct capread r;
    struct seen s, pieces;

    (void)state;
    put_example(&f);
    assert_int_equal(f.err, 0);
    read_all(&r, &f, 0, &s);
    assert_int_equal(s.end, 0);
    assert_int_equal(s.n, 3);
    assert_int_equal(r.format, CAPREAD_PCAPNG);
    assert_int_equal(s.rec[0].time, T0);
    assert_int_equal(s.rec[1].time, T0 + 1);
    assert_int_equal(s.rec[1].number, 2);
    assert_int_equal(s.rec[1].len, 1500);
    assert_int_equal(s.rec[1].dir, DIR_OUT);
    assert_int_equal(s.rec[1].link, LINK_RAW);
    assert_int_equal(s.rec[2].link, LINK_NULL);
    assert_int_equal(s.rec[2].interface, 2); /* earlier sections' interfaces stay */
    assert_int_equal(s.rec[2].dir, DIR_IN);
    assert_memory_equal(s.bytes[1], "worlds", 6);
    assert_int_equal(r.nifs, 3);
    assert_string_equal(r.ifs[0].name, "eth0");
    assert_int_equal(r.ifs[0].drops, -1);
    assert_int_equal(r.ifs[1].drops, 7);
    assert_int_equal(r.truncated, 1);
    assert_false(r.torn);
    assert_string_equal(r.comment, "a comment .[31m");
    capread_release(&r);
    for (size_t step = 1; step < 40; step += 3) {
        read_all(&r, &f, step, &pieces);
        same(&s, &pieces);
        assert_int_equal(r.truncated, 1);
        capread_release(&r);
    }
    strbuf_release(&f);
}

/* Cut anywhere: what was whole is delivered, the torn record counts as truncated. */
static void test_torn(void **state)
{
    struct strbuf f = STRBUF_INIT;
    struct record rec = packet_of("0123456789", 0, T0, 10);
    struct capread r;
    struct seen s;

    (void)state;
    pcap_add_header(&f, LINK_RAW, 262144);
    pcap_add_record(&f, &rec);
    pcap_add_record(&f, &rec);
    size_t first = 24 + 16 + 10, all = f.len;
    for (size_t cut = 24; cut <= all; cut++) {
        f.len = cut;
        read_all(&r, &f, 0, &s);
        assert_int_equal(s.end, 0);
        assert_int_equal(s.n, cut == all ? 2 : cut >= first ? 1 : 0);
        assert_int_equal(r.torn, cut != 24 && cut != first && cut != all);
        assert_int_equal(r.truncated, r.torn);
        capread_release(&r);
    }
    f.len = all;
    read_all(&r, &f, 1, &s); /* torn at nearly every step, whole in the end */
    assert_int_equal(r.truncated, 0);
    capread_release(&r);
    strbuf_release(&f);
}

static void test_whole_blocks(void **state)
{
    struct strbuf f = STRBUF_INIT;

    (void)state;
    put_example(&f);
    size_t all = f.len, last = 0;
    for (size_t cut = 0; cut <= all; cut++) {
        size_t whole = pcapng_whole((const uint8_t *)f.buf, cut);
        assert_true(whole <= cut && whole >= last);
        last = whole;
    }
    assert_int_equal(last, all);
    strbuf_release(&f);
}

static void put_order(struct strbuf *f, bool big, uint32_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        put8(f, v >> (big ? (bytes - 1 - i) * 8 : i * 8) & 255);
}

static void put_pcap(struct strbuf *f, bool big, uint32_t magic, unsigned minor)
{
    put_order(f, big, magic, 4);
    put_order(f, big, 2, 2);
    put_order(f, big, minor, 2);
    put_order(f, big, 0, 4);
    put_order(f, big, 0, 4);
    put_order(f, big, 65535, 4);
    put_order(f, big, LINK_RAW, 4);
    put_order(f, big, 1700000000, 4);
    put_order(f, big, 123456, 4);
    put_order(f, big, minor < 3 ? 60 : 3, 4); /* before 2.3 the length on the wire came first */
    put_order(f, big, minor < 3 ? 3 : 60, 4);
    if (magic == 0xa1b2cd34) /* interface, protocol, packet type, padding */
        put_hex(f, "01000000 0008 00 00");
    strbuf_addstr(f, "abc");
}

static void test_pcap_variants(void **state)
{
    static const struct {
        uint32_t magic;
        unsigned minor;
        nstime t;
    } v[] = {
        {0xa1b2c3d4, 4, 1700000000123456000LL}, {0xa1b23c4d, 4, 1700000000000123456LL},
        {0xa1b2cd34, 4, 1700000000123456000LL}, {0xa12b3c4d, 4, 1700000000123456000LL},
        {0xa1b2c3d4, 2, 1700000000123456000LL}, {0xa1b2c3d4, 3, 1700000000123456000LL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(v) * 2; i++) {
        struct strbuf f = STRBUF_INIT;
        struct capread r;
        struct seen s, pieces;
        put_pcap(&f, i % 2, v[i / 2].magic, v[i / 2].minor);
        read_all(&r, &f, 0, &s);
        assert_int_equal(s.n, 1);
        assert_int_equal(s.end, 0);
        assert_int_equal(s.rec[0].time, v[i / 2].t);
        assert_int_equal(s.rec[0].caplen, 3);
        assert_int_equal(s.rec[0].len, 60);
        assert_int_equal(s.rec[0].link, LINK_RAW);
        assert_memory_equal(s.bytes[0], "abc", 3);
        assert_int_equal(r.truncated, 1);
        assert_int_equal(r.nifs, 1);
        capread_release(&r);
        read_all(&r, &f, 1, &pieces);
        same(&s, &pieces);
        capread_release(&r);
        strbuf_release(&f);
    }
}

/* Big-endian section: old and simple packet blocks, resolutions, an offset, unknown blocks. */
static void test_pcapng_blocks(void **state)
{
    struct strbuf f = STRBUF_INIT;
    struct capread r;
    struct seen s, pieces;

    (void)state;
    put_hex(&f, "0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c");
    /* interface 0: 2^-10 s, offset 1000 s */
    put_hex(&f, "00000001 0000002c 0065 0000 00000040 0009 0001 8a000000 000e 0008 00000000000003e8"
                "0000 0000 0000002c");
    /* interface 1: default microseconds, snaplen 4 */
    put_hex(&f, "00000001 00000014 0001 0000 00000004 00000014");
    put_hex(&f, "00000bad 00000010 01020304 00000010");
    /* enhanced: 1.5 s in 1/1024 */
    put_hex(&f, "00000006 00000024 00000000 00000000 00000600 00000002 00000002 61620000 00000024");
    /* obsolete: interface 1, drops 0xffff, 3 us */
    put_hex(&f,
            "00000002 00000024 0001 ffff 00000000 00000003 00000003 00000063 616263ff 00000024");
    /* simple: 6 on the wire; interface 0 has snaplen 64 */
    put_hex(&f, "00000003 00000018 00000006 616263646566 0000 00000018");
    read_all(&r, &f, 0, &s);
    assert_string_equal(r.error, "");
    assert_int_equal(s.end, 0);
    assert_int_equal(s.n, 3);
    assert_int_equal(s.rec[0].time, 1001 * NS_PER_SEC + NS_PER_SEC / 2);
    assert_int_equal(s.rec[0].link, LINK_RAW);
    assert_int_equal(s.rec[1].time, 3 * NS_PER_US);
    assert_int_equal(s.rec[1].interface, 1);
    assert_int_equal(s.rec[1].len, 0x63);
    assert_true(s.rec[2].time == NSTIME_NONE);
    assert_int_equal(s.rec[2].caplen, 6);
    capread_release(&r);
    read_all(&r, &f, 1, &pieces);
    same(&s, &pieces);
    capread_release(&r);
    strbuf_release(&f);
}

#define SHB  "0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c "
#define IDB  "00000001 00000014 0065 0000 00000000 00000014 "
#define PCAP "a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000065 "

static void test_damage(void **state)
{
    static const struct {
        const char *hex;
        int err;
        const char *word;
    } v[] = {
        {"474946383961", -EPROTONOSUPPORT, "not a pcap"},
        {"1f8b0800", -EPROTONOSUPPORT, "gzip"},
        {"28b52ffd", -EPROTONOSUPPORT, "zstd"},
        {"a1b2c3d4 0007 0004 00000000 00000000 0000ffff 00000065", -EBADMSG, "version 7.4"},
        {PCAP "00000000 00000000 7fffffff 7fffffff", -EBADMSG, "claims 2147483647"},
        {PCAP "00000000 00000000 00040001 00040001", -EBADMSG, "claims 262145"},
        {"0a0d0d0a 0000001c 11111111 0001 0000", -EBADMSG, "byte-order"},
        {"0a0d0d0a 0000001c 1a2b3c4d 0009 0000 ffffffffffffffff 0000001c", -EBADMSG, "version 9"},
        {SHB "00000006 fffffff0 00000000", -EBADMSG, "claims"},
        {SHB "00000006 0000000e 00000000", -EBADMSG, "claims 14"},
        {SHB IDB "00000bad 00000010 01020304 00000014", -EBADMSG, "two lengths"},
        {SHB "00000006 00000020 00000000 00000000 00000000 00000000 00000000 00000020", -EBADMSG,
         "interface 0"},
        {SHB IDB "00000006 00000020 00000000 00000000 00000000 00000010 00000010 00000020",
         -EBADMSG, "claims 16"},
        {SHB IDB "00000006 00000014 00000000 00000000 00000014", -EBADMSG, "damaged"},
        {SHB "00000001 00000020 0065 0000 00000000 0009 0001 1e000000 00000000 00000020", -EBADMSG,
         "resolution"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
        struct strbuf f = STRBUF_INIT;
        struct capread r;
        struct seen s;
        put_hex(&f, v[i].hex);
        for (size_t step = 0; step < 2; step++) {
            read_all(&r, &f, step, &s);
            assert_int_equal(s.end, v[i].err);
            assert_int_equal(s.n, 0);
            assert_non_null(strstr(r.error, v[i].word));
            capread_release(&r);
        }
        strbuf_release(&f);
    }
}

/* Times no clock has, and lengths of zero. */
static void test_edges(void **state)
{
    struct strbuf f = STRBUF_INIT;
    struct record rec = {.time = NSTIME_NONE, .len = 60};
    struct capread r;
    struct seen s;

    (void)state;
    pcapng_add_section(&f, NULL);
    pcapng_add_interface(&f, "x", LINK_RAW, 0);
    pcapng_add_packet(&f, &rec, NULL);
    put_hex(&f, "06000000 20000000 00000000 ffffffff ffffffff 00000000 00000000 20000000");
    read_all(&r, &f, 0, &s);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.rec[0].caplen, 0);
    assert_int_equal(s.rec[0].time, 0);
    assert_true(s.rec[1].time == NSTIME_NONE);
    capread_release(&r);
    strbuf_release(&f);
    read_all(&r, &f, 0, &s); /* an empty file is no capture yet */
    assert_int_equal(s.end, 0);
    assert_int_equal(r.format, CAPREAD_UNKNOWN);
    capread_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pcapng_round_trip),
        cmocka_unit_test(test_torn),
        cmocka_unit_test(test_whole_blocks),
        cmocka_unit_test(test_pcap_variants),
        cmocka_unit_test(test_pcapng_blocks),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_edges),
    };

    return cmocka_run_group_tests_name("capread", tests, NULL, NULL);
}
