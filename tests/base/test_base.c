/* base: strbuf, arena, addresses, times, text hygiene, numbers. */
#include "base/base.h"

#include <errno.h>
#include <locale.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static void strbuf_grows_and_remembers_errors(void **state)
{
    (void)state;
    struct strbuf sb = STRBUF_INIT;
    assert_string_equal(sb.buf, "");
    for (int i = 0; i < 1000; i++)
        strbuf_addf(&sb, "%d,", i);
    assert_int_equal(sb.err, 0);
    assert_int_equal(sb.len, strlen(sb.buf));
    strbuf_setlen(&sb, 4);
    assert_string_equal(sb.buf, "0,1,");
    strbuf_addchars(&sb, 'x', 300);
    strbuf_addf(&sb, "%0*d", 400, 7);
    assert_int_equal(sb.len, 704);
    size_t len;
    char *text = strbuf_detach(&sb, &len);
    assert_int_equal(len, 704);
    free(text);
    assert_string_equal(sb.buf, "");
    sb.max = 10;
    strbuf_addstr(&sb, "0123456789");
    assert_int_equal(sb.err, 0);
    strbuf_addch(&sb, 'x');
    assert_int_equal(sb.err, -EFBIG);
    strbuf_addstr(&sb, "");
    assert_string_equal(sb.buf, "0123456789");
    assert_null(strbuf_detach(&sb, &len));
    strbuf_release(&sb);
}

static void arena_is_aligned_and_clears(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    for (size_t i = 1; i < 6000; i += 7) {
        char *p = arena_alloc(&a, i);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 8, 0);
        memset(p, 1, i);
    }
    arena_clear(&a);
    assert_int_equal(a.used, 0);
    assert_string_equal(arena_strndup(&a, "abcdef", 3), "abc");
    assert_null(arena_alloc(&a, SIZE_MAX));
    arena_release(&a);
}

static void addresses(void **state)
{
    (void)state;
    static const char *const same[] = {
        "192.0.2.1", "2001:db8::1", "::", "::1", "fe80::1:0:0:1", "2001:db8:0:1:1:1:1:1"};
    struct addr a, b;
    char text[ADDR_TEXT_MAX], end[ENDPOINT_TEXT_MAX];
    for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
        assert_int_equal(addr_parse(same[i], &a), 0);
        assert_string_equal(addr_text(text, &a), same[i]);
        struct sockaddr_storage ss;
        uint16_t port;
        assert_true(addr_to_sockaddr(&a, 443, &ss) > 0);
        assert_int_equal(addr_from_sockaddr((struct sockaddr *)&ss, &b, &port), 0);
        assert_true(addr_equal(&a, &b));
        assert_int_equal(port, 443);
    }
    assert_int_equal(addr_parse("2001:DB8:0:0:0:0:0:1", &a), 0);
    assert_string_equal(addr_text(text, &a), "2001:db8::1");
    assert_string_equal(endpoint_text(end, &a, 80), "[2001:db8::1]:80");
    assert_int_equal(addr_parse("[::1]", &a), 0);
    assert_true(addr_is_loopback(&a));
    assert_int_equal(addr_parse("host", &a), -EINVAL);
    assert_int_equal(addr_parse("1.2.3", &a), -EINVAL);
    assert_int_equal(addr_parse("", &a), -EINVAL);
    addr_parse("172.31.0.1", &a);
    assert_true(addr_is_private(&a));
    addr_parse("172.32.0.1", &a);
    assert_false(addr_is_private(&a));
    addr_parse("::ffff:127.0.0.1", &a);
    assert_true(addr_is_loopback(&a));
    assert_string_equal(addr_text(text, &(struct addr){0}), "?");
}

static void times(void **state)
{
    (void)state;
    char out[TIME_TEXT_MAX];
    nstime t;
    assert_int_equal(time_parse_rfc3339("2025-11-20T14:05:10.002114337Z", &t), 0);
    assert_string_equal(time_rfc3339(out, t), "2025-11-20T14:05:10.002114337Z");
    assert_string_equal(time_rfc3339(out, -1), "1969-12-31T23:59:59.999999999Z");
    assert_string_equal(time_rfc3339(out, NSTIME_NONE + 1), time_rfc3339(out, NSTIME_NONE + 1));
    assert_int_equal(time_parse_rfc3339("2025-11-20T14:05:10Z", &t), 0);
    assert_int_equal(t % NS_PER_SEC, 0);
    assert_int_equal(time_parse_rfc3339("2025-13-20T14:05:10Z", &t), -EINVAL);
    assert_int_equal(time_parse_rfc3339("2025-11-20 14:05:10Z", &t), -EINVAL);
    assert_int_equal(time_parse_rfc3339("", &t), -EINVAL);
    assert_string_equal(time_clock(out, 3661 * NS_PER_SEC + 5 * NS_PER_MS, 3, true),
                        "01:01:01.005");
    assert_string_equal(span_text(out, 350 * NS_PER_SEC), "350 s");
    assert_string_equal(span_text(out, 8100 * NS_PER_US), "8.1 ms");
    assert_string_equal(span_text(out, 12 * NS_PER_US), "12 us");
    assert_string_equal(span_text(out, 4800 * NS_PER_SEC), "4800 s");
    assert_string_equal(span_text(out, 7500 * NS_PER_SEC), "2 h 5 min");
    assert_string_equal(span_text(out, 0), "0 s");
    assert_string_equal(span_text(out, NSTIME_NONE), "?");
}

static void hygiene(void **state)
{
    (void)state;
    char out[64], tiny[6];
#define CLEAN(s) text_clean(out, sizeof(out), s, sizeof(s) - 1)
    assert_string_equal(CLEAN("a\x1b[31mb\r\n\x7f"), "a.[31mb...");
    assert_string_equal(CLEAN("gr\xc3\xbc\xc3\x9f \xe4\xb8\xad"),
                        "gr\xc3\xbc\xc3\x9f \xe4\xb8\xad");
    assert_string_equal(CLEAN("\xc2\x9b"
                              "1m"),
                        ".1m"); /* C1 CSI */
    assert_string_equal(CLEAN("x\xe2\x80\xae"
                              "y\xe2\x80\x8b"),
                        "x.y.");                                      /* RLO, zero width */
    assert_string_equal(CLEAN("\xc0\x80\xed\xa0\x80\xff"), "......"); /* overlong, surrogate */
    assert_string_equal(CLEAN("a\0b"), "a.b");
    assert_string_equal(text_clean(tiny, sizeof(tiny), "abcdefgh", 8), "ab...");
    assert_string_equal(text_clean(tiny, sizeof(tiny), "abcde", 5), "abcde");
    for (size_t cap = 1; cap < 12; cap++) { /* a cut never splits a character */
        char *exact = malloc(cap);
        text_clean(exact, cap, "\xe4\xb8\xad\xe6\x96\x87\xe5\xad\x97", 9);
        assert_true(strlen(exact) < cap);
        free(exact);
    }
    struct strbuf sb = STRBUF_INIT;
    strbuf_add_clean(&sb, "one\ntwo", 7, 100);
    assert_string_equal(sb.buf, "one.two");
    strbuf_release(&sb);
}

static void widths(void **state)
{
    (void)state;
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        skip();
    assert_int_equal(text_width("abc"), 3);
    assert_int_equal(text_width("\xe4\xb8\xad\xe6\x96\x87"), 4);
    assert_int_equal(text_width("e\xcc\x81"), 1); /* combining acute */
    assert_int_equal(text_fit("\xe4\xb8\xad\xe6\x96\x87", 3), 3);
    assert_int_equal(text_fit("abc", 2), 2);
    assert_int_equal(text_fit("abc", 0), 0);
}

static void lines_end_where_they_may(void **state)
{
    (void)state;
    assert_int_equal(text_break("one two", 7), 7);
    assert_int_equal(text_break("one two three", 7), 7); /* the space after it need not fit */
    assert_int_equal(text_break("one two three", 6), 3);
    assert_int_equal(text_break("onetwo", 4), 4);
    assert_int_equal(text_break("one\ntwo", 40), 3);
    assert_int_equal(text_break("x", 0), 1);
    /* Without spaces: after each wide character, and between it and a narrow one. */
    assert_int_equal(text_break("防火墙以重置拒绝", 7), 9);
    assert_int_equal(text_break("防火墙 RST", 8), 9);
    assert_int_equal(text_break("防火墙RST", 8), 9);
    /* No mark that closes begins a line, none that opens ends one. */
    assert_int_equal(text_break("防火墙，拒绝", 6), 6);
    assert_int_equal(text_break("防火墙（拒绝）", 8), 9);
    assert_int_equal(text_break("防火墙), x", 6), 6);
    assert_int_equal(text_break("墙e\xcc\x81墙", 3), 6); /* a combining mark stays */
}

static void numbers(void **state)
{
    (void)state;
    uint64_t u;
    nstime t;
    assert_int_equal(parse_u64("65535", 1, 65535, &u), 0);
    assert_int_equal(parse_u64("65536", 1, 65535, &u), -ERANGE);
    assert_int_equal(parse_u64("0", 1, 65535, &u), -ERANGE);
    assert_int_equal(parse_u64("99999999999999999999999", 0, UINT64_MAX, &u), -ERANGE);
    assert_int_equal(parse_u64(" 1", 0, 9, &u), -EINVAL);
    assert_int_equal(parse_u64("-1", 0, 9, &u), -EINVAL);
    assert_int_equal(parse_u64("1x", 0, 9, &u), -EINVAL);
    assert_int_equal(parse_u64("", 0, 9, &u), -EINVAL);
    assert_int_equal(parse_seconds("1.5", &t), 0);
    assert_int_equal(t, 1500 * NS_PER_MS);
    assert_int_equal(parse_seconds("300ms", &t), 0);
    assert_int_equal(t, 300 * NS_PER_MS);
    assert_int_equal(parse_seconds("2m", &t), 0);
    assert_int_equal(t, 120 * NS_PER_SEC);
    assert_int_equal(parse_seconds("x", &t), -EINVAL);
    assert_int_equal(parse_seconds("1y", &t), -EINVAL);
    assert_int_equal(parse_seconds("1e5", &t), -EINVAL);
    assert_int_equal(parse_seconds(".", &t), -EINVAL);
    assert_int_equal(parse_size("64M", &u), 0);
    assert_int_equal(u, 64 << 20);
    assert_int_equal(parse_size("1GiB", &u), 0);
    assert_int_equal(u, 1 << 30);
    assert_int_equal(parse_size("12", &u), 0);
    assert_int_equal(parse_size("1X", &u), -EINVAL);
    assert_string_equal(errno_name(-ECONNRESET), "ECONNRESET");
    assert_string_equal(errno_name(9999), "EUNKNOWN");
    assert_int_equal(errno_from_name("ECONNREFUSED"), ECONNREFUSED);
    assert_int_equal(errno_from_name("ENONSENSE"), 0);
    assert_true(hash_bytes(1, "abcdefghij", 10) != hash_bytes(2, "abcdefghij", 10));
    assert_true(hash_bytes(1, "abcdefghij", 10) != hash_bytes(1, "abcdefghik", 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strbuf_grows_and_remembers_errors),
        cmocka_unit_test(arena_is_aligned_and_clears),
        cmocka_unit_test(addresses),
        cmocka_unit_test(times),
        cmocka_unit_test(hygiene),
        cmocka_unit_test(widths),
        cmocka_unit_test(lines_end_where_they_may),
        cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
