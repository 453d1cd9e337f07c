/* Filters: libpcap's own words, the longest prefix that compiles, and names that wait for Enter. */
#include "capture/capture.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int check(const char *expr, size_t *good)
{
    char err[256] = "";
    int r = filter_check(expr, LINK_EN10MB, false, err, sizeof err, good);

    assert_true(r == 0 ? err[0] == '\0' : err[0] != '\0');
    return r;
}

static void right_ones(void **state)
{
    static const char *const exprs[] = {"",
                                        "tcp",
                                        "tcp port 443 and host 192.0.2.1",
                                        "ip6 host 2001:db8::1",
                                        "tcp[tcpflags] & (tcp-syn|tcp-rst) != 0",
                                        "portrange 1-1024",
                                        "port 443",
                                        "ether host 00:00:5e:00:53:01",
                                        "net 10",
                                        "net 10.0.0.0/8",
                                        "vlan 5 and tcp",
                                        "not (icmp or icmp6)",
                                        "tcp[13] & 4 != 0",
                                        "ip proto \\tcp",
                                        "greater 100 && less 1000",
                                        "icmp[icmptype] = icmp-unreach"};

    (void)state;
    for (size_t i = 0; i < sizeof exprs / sizeof exprs[0]; i++) {
        size_t good = 0;
        if (check(exprs[i], &good) != 0)
            fail_msg("%s", exprs[i]);
        assert_int_equal(good, strlen(exprs[i]));
    }
}

/* Never resolved here: whether they exist is not asked, only whether the rest is right. */
static void names_wait(void **state)
{
    static const char *const exprs[] = {
        "host no-such-host.invalid",   "src host a.invalid and dst net corp.invalid",
        "ip6 host a.invalid",          "ether host box.invalid",
        "host a.invalid or b.invalid", "tcp port 80 and (host a.invalid or host b.invalid)",
        "gateway gw.invalid and tcp"};

    (void)state;
    for (size_t i = 0; i + 1 < sizeof exprs / sizeof exprs[0]; i++)
        if (check(exprs[i], NULL) != 0)
            fail_msg("%s", exprs[i]);
    /* What cannot be right for any name stays wrong. */
    assert_int_equal(check("host a.invalid b.invalid.", NULL), -EINVAL);
    assert_int_equal(check("host a.invalid and and tcp", NULL), -EINVAL);
}

static void prefixes(void **state)
{
    static const struct {
        const char *expr, *good;
    } t[] = {
        {"tcp port 443 and", "tcp port 443"},
        {"tcp port", "tcp"},
        {"tcp and host 10.0.0.1 andd udp", "tcp and host 10.0.0.1"},
        {"prot 80", ""},
        {"(tcp or udp", ""},
        {"tcp && host x.invalid && port 99999", "tcp && host x.invalid"},
        {"tcp[99", "tcp"},
        {"port 80 or (port 443", "port 80"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        size_t good = 99;
        assert_int_equal(check(t[i].expr, &good), -EINVAL);
        if (good != strlen(t[i].good))
            fail_msg("%s: %zu bytes are good, not %zu", t[i].expr, good, strlen(t[i].good));
    }
}

static void hostile(void **state)
{
    static char many[20000], deep[4096];
    size_t good;

    (void)state;
    memset(deep, '(', sizeof deep - 1);
    assert_int_equal(check(deep, &good), -EINVAL);
    for (size_t i = 0; i + 5 < sizeof many; i += 4)
        memcpy(many + i, "a b ", 4);
    assert_int_equal(check(many, &good), -EINVAL);
    assert_int_equal(check("\x01\xff\x80 tcp", &good), -EINVAL);
    assert_int_equal(check("'", &good), -EINVAL);
    assert_int_equal(check("tcp \\", &good), -EINVAL);
}

static const uint8_t syn[] = {
    0,    0,    0, 0,  0, 0, 0,    0, 0,  0, 0, 0, 8,    0,                           /* Ethernet */
    0x45, 0,    0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 10,   0, 0,    1,    10, 0, 0, 2,  /* IPv4 */
    0x12, 0x34, 0, 80, 0, 0, 0,    1, 0,  0, 0, 0, 0x50, 2, 0xff, 0xff, 0,  0, 0, 0}; /* TCP SYN */

static bool match(const char *expr, uint32_t link, const uint8_t *data, uint32_t len)
{
    struct filter *f = NULL;
    char err[256] = "";
    struct record rec = {.data = data, .caplen = len, .len = len, .link = link};

    if (filter_compile(&f, expr, link, err, sizeof err) < 0)
        fail_msg("%s: %s", expr, err);
    bool yes = filter_match(f, &rec);
    filter_free(f);
    return yes;
}

static void matches(void **state)
{
    (void)state;
    assert_true(match("tcp port 80", LINK_EN10MB, syn, sizeof syn));
    assert_false(match("tcp port 81", LINK_EN10MB, syn, sizeof syn));
    assert_true(match("tcp[tcpflags] == tcp-syn", LINK_EN10MB, syn, sizeof syn));
    /* The same IP packet on other links: the file's value 101 is libpcap's 12. */
    assert_true(match("tcp port 80", LINK_RAW, syn + 14, sizeof syn - 14));
    assert_true(match("src host 10.0.0.1", LINK_IPV4, syn + 14, sizeof syn - 14));
    /* Cut short: no match, no read past the end. */
    for (uint32_t n = 0; n < 36; n++)
        assert_false(match("tcp port 80", LINK_EN10MB, syn, n));
}

static void link_types(void **state)
{
    struct filter *f = NULL;
    char err[256] = "";

    (void)state;
    assert_int_equal(filter_compile(&f, "wlan type mgt", LINK_EN10MB, err, sizeof err), -EINVAL);
    assert_non_null(strstr(err, "802.11"));
    assert_int_equal(filter_compile(&f, "wlan type mgt", LINK_IEEE802_11, err, sizeof err), 0);
    filter_free(f);
    filter_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_ones), cmocka_unit_test(names_wait), cmocka_unit_test(prefixes),
        cmocka_unit_test(hostile),    cmocka_unit_test(matches),    cmocka_unit_test(link_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
