/* target_parse(): every form of a TARGET, and what is refused with which words. */
#include "probe/probe.h"
#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct target *parsed(const char *spec)
{
    struct target *t;
    char err[256];
    if (target_parse(&t, spec, err, sizeof(err)) < 0)
        fail_msg("%s: %s", spec, err);
    return t;
}

static void refused(const char *spec, const char *words)
{
    struct target *t = (void *)&t;
    char err[256] = "";
    assert_int_equal(target_parse(&t, spec, err, sizeof(err)), -EINVAL);
    assert_null(t);
    if (!strstr(err, words))
        fail_msg("%s: \"%s\" lacks \"%s\"", spec, err, words);
}

static void forms(void **state)
{
    static const struct {
        const char *spec, *host, *path;
        enum scheme scheme;
        uint16_t port;
        bool numeric;
    } t[] = {
        {"example.com", "example.com", "/", SCHEME_HTTPS, 443, false},
        {"example.com.", "example.com.", "/", SCHEME_HTTPS, 443, false},
        {"example.com:25", "example.com", NULL, SCHEME_AUTO, 25, false},
        {"192.0.2.1", "192.0.2.1", "/", SCHEME_HTTPS, 443, true},
        {"192.0.2.1:22", "192.0.2.1", NULL, SCHEME_AUTO, 22, true},
        {"[2001:db8::1]", "2001:db8::1", "/", SCHEME_HTTPS, 443, true},
        {"2001:db8::1", "2001:db8::1", "/", SCHEME_HTTPS, 443, true},
        {"[2001:db8::1]:80", "2001:db8::1", NULL, SCHEME_AUTO, 80, true},
        {"tcp://h:1", "h", NULL, SCHEME_TCP, 1, false},
        {"TCP://h:65535/", "h", NULL, SCHEME_TCP, 65535, false},
        {"tls://[::1]:993", "::1", NULL, SCHEME_TLS, 993, true},
        {"http://h", "h", "/", SCHEME_HTTP, 80, false},
        {"http://h:8080/a?b=c#d", "h", "/a?b=c", SCHEME_HTTP, 8080, false},
        {"https://h?q", "h", "/?q", SCHEME_HTTPS, 443, false},
        {"https://[2001:db8::2]:444/x", "2001:db8::2", "/x", SCHEME_HTTPS, 444, true},
        {"dns://a_b.example", "a_b.example", NULL, SCHEME_DNS, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        struct target *x = parsed(t[i].spec);
        assert_string_equal(x->host, t[i].host);
        assert_string_equal(x->name, t[i].spec);
        assert_int_equal(x->scheme, t[i].scheme);
        assert_int_equal(x->numeric, t[i].numeric);
        if (t[i].scheme != SCHEME_DNS)
            assert_int_equal(x->port, t[i].port);
        if (t[i].path)
            assert_string_equal(x->path, t[i].path);
        else if (x->scheme == SCHEME_TCP || x->scheme == SCHEME_TLS)
            assert_null(x->path);
        target_free(x);
    }
}

static void refusals(void **state)
{
    static const struct {
        const char *spec, *words;
    } t[] = {
        {"", "empty"},
        {"   ", "empty"},
        {"gopher://h/", "the scheme \"gopher\" is not known"},
        {"http://user:secret@h/", "refused"},
        {"user@h:22", "refused"},
        {"tcp://h", "a port is missing"},
        {"tls://h", "a port is missing"},
        {"h:0", "is no port"},
        {"h:65536", "is no port"},
        {"h:8o", "is no port"},
        {"h:", "is no port"},
        {"h:+1", "is no port"},
        {"http://", "the host is missing"},
        {"http:///x", "is no host name"},
        {"http://a b/", "written key=value"},
        {"http://h/\x01", "control characters"},
        {"a..b", "is no host name"},
        {"-_!", "is no host name"},
        {"m\xc3\xbcnchen.example", "xn--"},
        {"[2001:db8::1", "the ] is missing"},
        {"[2001:db8::1]x", "after ]"},
        {"[nonsense]:80", "is no"},
        {"[fe80::1%eth0]:80", "source=INTERFACE"},
        {"dns://192.0.2.1", "not a name"},
        {"dns://h:53", "has no port"},
        {"tcp://h:1/path", "only http://"},
        {"h/path", "write http:// or https://"},
        {"tcp://h:1 nosuch=1", "is no option of a target"},
        {"tcp://h:1 timeout=0", "timeout is a time"},
        {"tcp://h:1 timeout=-1", "timeout is a time"},
        {"tcp://h:1 hold=x", "hold is a time"},
        {"tcp://h:1 family=5", "4 or 6"},
        {"tcp://192.0.2.1:1 family=6", "only IPv6 was asked for"},
        {"tcp://h:1 body=\"open", "quote"},
        {"http://h method=G@T", "no HTTP method"},
        {"http://h header=novalue", "Name: value"},
        {"http://h header=\"A: b\x01\"", "control characters"},
        {"http://h body=@/nonexistent/file", "cannot read"},
        {"http://h body-size=65M", "body size"},
        {"https://h tls-min=1.3 tls-max=1.2", "tls-min is above"},
        {"https://h tls-min=4", "1.0, 1.1, 1.2 or 1.3"},
        {"https://h insecure=maybe", "yes or no"},
        {"https://h connect-to=192.0.2.1", "a port is missing"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(t); i++)
        refused(t[i].spec, t[i].words);
}

/* Whatever is given, no byte of it may reach a terminal raw. */
static void names_are_clean(void **state)
{
    struct target *t;
    char err[256];
    (void)state;
    assert_int_equal(target_parse(&t, "ftp\x1b]0;x\x07://h", err, sizeof(err)), -EINVAL);
    assert_null(strchr(err, '\x1b'));
    t = parsed("h:1 name=\"a\x1b[31m b\"");
    assert_string_equal(t->name, "a.[31m b");
    target_free(t);
}

static void options(void **state)
{
    struct target *t = parsed("http://h/ timeout=2.5 hold=300ms method=PUT header=\"A: b c\" "
                              "header=X:y body=\"say \\\"hi\\\"\" connect-to=[::1]:81 cacert=/ca "
                              "cert=/c key=/k source=eth0 tls-min=1.0 tls-max=tlsv1.2 family=4 "
                              "insecure name=shown # a comment");
    const struct target_options *o = &t->opt;
    (void)state;
    assert_true(o->timeout == 2500 * NS_PER_MS);
    assert_true(o->hold == 300 * NS_PER_MS);
    assert_string_equal(o->method, "PUT");
    assert_string_equal(o->headers[0], "A: b c");
    assert_string_equal(o->headers[1], "X:y");
    assert_null(o->headers[2]);
    assert_int_equal(o->body_len, 8);
    assert_memory_equal(o->body, "say \"hi\"", 8);
    assert_string_equal(o->connect_to, "[::1]:81");
    assert_string_equal(o->cacert, "/ca");
    assert_string_equal(o->source, "eth0");
    assert_int_equal(o->tls_min, 0x0301);
    assert_int_equal(o->tls_max, 0x0303);
    assert_int_equal(o->family, 4);
    assert_int_equal(o->insecure, 1);
    assert_string_equal(t->name, "shown");
    target_free(t);
    t = parsed("http://h body-size=1M");
    assert_int_equal(t->opt.body_len, 1 << 20);
    assert_true(t->opt.hold == -1);
    target_free(t);
}

static void defaults_fill_only_what_is_unset(void **state)
{
    char *headers[] = {"D: e", NULL};
    struct target_options d = {.timeout = NS_PER_SEC,
                               .hold = 2 * NS_PER_SEC,
                               .method = "HEAD",
                               .headers = headers,
                               .body = "b",
                               .body_len = 1,
                               .tls_min = 0x0303,
                               .family = 6,
                               .insecure = 1};
    struct target *t = parsed("http://h timeout=3 method=GET");
    (void)state;
    target_apply_defaults(t, &d);
    assert_true(t->opt.timeout == 3 * NS_PER_SEC);
    assert_true(t->opt.hold == 2 * NS_PER_SEC);
    assert_string_equal(t->opt.method, "GET");
    assert_string_equal(t->opt.headers[0], "D: e");
    assert_int_equal(t->opt.body_len, 1);
    assert_int_equal(t->opt.tls_min, 0x0303);
    assert_int_equal(t->opt.family, 6);
    assert_int_equal(t->opt.insecure, 1);
    target_free(t); /* its strings are its own: the sanitizers would tell */
    struct target_options none = {0};
    t = parsed("http://h hold=0");
    target_apply_defaults(t, &none);
    assert_true(t->opt.hold == 0);
    target_free(t);
    t = parsed("http://h");
    target_apply_defaults(t, &none);
    assert_true(t->opt.hold == -1);
    target_free(t);
    target_free(NULL);
}

/* Nothing read past its end, whatever the bytes: each prefix of each form. */
static void every_prefix_is_survived(void **state)
{
    static const char *const specs[] = {
        "https://[2001:db8::1]:444/x?y#z name=\"a b\" header=\"A: b\" hold=1",
        "user:pw@host:99999/ x",
        "tcp://h:1 body=\"\\\"",
        "://",
        "[]:",
        "a:b:c",
        "http://[::1]:"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
        for (size_t len = 0; len <= strlen(specs[i]); len++) {
            char *s = strndup(specs[i], len), err[64];
            struct target *t = NULL;
            int rc = target_parse(&t, s, err, sizeof(err));
            assert_true(rc == 0 ? t != NULL : rc == -EINVAL && !t && err[0]);
            target_free(t);
            free(s);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),
        cmocka_unit_test(refusals),
        cmocka_unit_test(names_are_clean),
        cmocka_unit_test(options),
        cmocka_unit_test(defaults_fill_only_what_is_unset),
        cmocka_unit_test(every_prefix_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
