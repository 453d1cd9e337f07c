/* Lines of logs as programs write them, what is read off one, and what many say together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "evidence/evidence.h"

static const struct {
    const char *line;
    enum logged error;
    const char *host;
    int port;
    const char *stage, *program;
} lines[] = {
    /* nginx */
    {"2026/11/22 14:05:12 [error] 31#31: *77 recv() failed (104: Connection reset by peer) while "
     "reading response header from upstream, client: 10.1.2.3, server: _, request: \"POST /_bulk "
     "HTTP/1.1\", upstream: \"http://10.0.0.7:8080/_bulk\", host: \"x\"",
     LOGGED_RESET, "10.0.0.7", 8080, "response", "nginx"},
    {"2026/11/22 14:05:12 [error] 31#31: *78 upstream prematurely closed connection while reading "
     "response header from upstream, client: 10.1.2.3, upstream: \"https://app.lan/x\"",
     LOGGED_EOF, "app.lan", 443, "response", "nginx"},
    {"2026/11/22 14:05:12 [error] 1#1: *9 connect() failed (111: Connection refused) while "
     "connecting to upstream, client: ::1, upstream: \"http://[2001:db8::7]:9000/\"",
     LOGGED_REFUSED, "2001:db8::7", 9000, "connect", "nginx"},
    {"2026/11/22 14:05:12 [error] 1#1: *9 upstream timed out (110: Connection timed out) while "
     "reading response header from upstream, client: 1.2.3.4, upstream: \"http://10.0.0.7/\"",
     LOGGED_TIMEOUT, "10.0.0.7", 80, "response", "nginx"},
    {"1#1: *9 writev() failed (32: Broken pipe) while sending request to upstream, client: "
     "1.2.3.4, upstream: \"http://10.0.0.7:81/\"",
     LOGGED_PIPE, "10.0.0.7", 81, "request", "nginx"},
    {"1#1: *9 SSL_do_handshake() failed (SSL: error:1408F10B:SSL routines:ssl3_get_record:wrong "
     "version number) while SSL handshaking to upstream, upstream: \"https://10.0.0.7:80/\"",
     LOGGED_NOT_TLS, "10.0.0.7", 80, "handshake", "nginx"},
    /* Fluent Bit */
    {"[2026/11/22 14:06:12] [error] [http_client] broken connection to es.lan:9200 ?", LOGGED_EOF,
     "es.lan", 9200, "", "fluent-bit"},
    {"[2026/11/22 14:06:12] [error] [upstream] connection #43 to es.lan:9200 timed out after 10 "
     "seconds (connection timeout)",
     LOGGED_TIMEOUT, "es.lan", 9200, "connect", "fluent-bit"},
    {"[2026/11/22 14:06:12] [error] [src/flb_io.c:201 errno=32] Broken pipe [output:es:es.0]",
     LOGGED_PIPE, "", 0, "request", "fluent-bit"},
    /* Go */
    {"Post \"https://es.lan:9200/_bulk\": read tcp 10.0.0.2:51124->10.0.0.7:9200: read: connection "
     "reset by peer",
     LOGGED_RESET, "10.0.0.7", 9200, "response", "go"},
    {"dial tcp 10.0.0.7:443: connect: connection refused", LOGGED_REFUSED, "10.0.0.7", 443,
     "connect", "go"},
    {"write tcp [::1]:5->[2001:db8::7]:9200: write: broken pipe", LOGGED_PIPE, "2001:db8::7", 9200,
     "request", "go"},
    {"Get \"https://a.lan/x\": EOF", LOGGED_EOF, "a.lan", 443, "response", ""},
    {"remote error: tls: protocol version not supported", LOGGED_TLS, "", 0, "handshake", ""},
    /* Python */
    {"urllib3.exceptions.ProtocolError: ('Connection aborted.', ConnectionResetError(104, "
     "'Connection reset by peer'))",
     LOGGED_RESET, "", 0, "", "python"},
    {"HTTPSConnectionPool(host='es.lan', port=9200): Max retries exceeded with url: / (Caused by "
     "NewConnectionError('[Errno 111] Connection refused'))",
     LOGGED_REFUSED, "es.lan", 9200, "connect", "python"},
    {"ConnectionResetError: [WinError 10054] An existing connection was forcibly closed by the "
     "remote host",
     LOGGED_RESET, "", 0, "", "python"},
    {"http.client.RemoteDisconnected: Remote end closed connection without response", LOGGED_EOF,
     "", 0, "response", "python"},
    /* Java */
    {"java.net.SocketException: Connection reset at java.net.SocketInputStream.read("
     "SocketInputStream.java:210)",
     LOGGED_RESET, "", 0, "", "java"},
    {"org.apache.http.NoHttpResponseException: es.lan:9200 failed to respond", LOGGED_EOF, "es.lan",
     9200, "response", "java"},
    {"javax.net.ssl.SSLHandshakeException: Received fatal alert: handshake_failure", LOGGED_TLS, "",
     0, "handshake", "java"},
    /* Node */
    {"Error: connect ECONNREFUSED 127.0.0.1:9200", LOGGED_REFUSED, "127.0.0.1", 9200, "connect",
     "node"},
    {"Error: read ECONNRESET", LOGGED_RESET, "", 0, "response", "node"},
    {"Error: socket hang up", LOGGED_EOF, "", 0, "response", "node"},
    {"Error: getaddrinfo ENOTFOUND es.lan", LOGGED_NAME, "", 0, "dns", "node"},
    /* .NET */
    {"System.Net.Http.HttpRequestException: No connection could be made because the target machine "
     "actively refused it. (10.0.0.7:443)",
     LOGGED_REFUSED, "10.0.0.7", 443, "connect", ".net"},
    /* curl */
    {"curl: (56) Recv failure: Connection reset by peer", LOGGED_RESET, "", 0, "response", "curl"},
    {"curl: (7) Failed to connect to es.lan port 9200 after 2 ms: Connection refused",
     LOGGED_REFUSED, "es.lan", 9200, "connect", "curl"},
    {"curl: (52) Empty reply from server", LOGGED_EOF, "", 0, "response", "curl"},
    /* HAProxy, by its termination state */
    {"Nov 22 14:05:12 lb haproxy[314]: 10.0.1.2:33317 [22/Nov/2026:12:14:14.655] in be/srv1 "
     "10/0/30/69/5109 200 2750 - - SD-- 1/1/1/1/0 0/0 \"GET / HTTP/1.1\"",
     LOGGED_RESET, "be/srv1", 0, "response", "haproxy"},
    {"haproxy[314]: 10.0.1.2:33317 [22/Nov/2026:12:14:14.655] in be/<NOSRV> 0/0/-1/-1/5 503 2750 "
     "- - SC-- 1/1/1/1/0 0/0 \"GET / HTTP/1.1\"",
     LOGGED_REFUSED, "be/<NOSRV>", 0, "connect", "haproxy"},
    {"haproxy[314]: 10.0.1.2:33317 [22/Nov/2026:12:14:14.655] in be/s 0/0/5007 212 cD "
     "0/0/0/0/3 0/0",
     LOGGED_TIMEOUT, "be/s", 0, "response", "haproxy"},
    {"haproxy[314]: 10.0.1.2:33317 [22/Nov/2026:12:14:14.655] in be/s 1/0/1/-1/77 -1 0 - - CH-- "
     "0/0/0/0/3 0/0 \"GET / HTTP/1.1\"",
     LOGGED_CLIENT, "be/s", 0, "response", "haproxy"},
    /* the kernel's, systemd's, gunicorn's */
    {"[77.1] nf_conntrack: nf_conntrack: table full, dropping packet", LOGGED_KERNEL, "", 0, "",
     ""},
    {"kernel: TCP: request_sock_TCP: Possible SYN flooding on port 80. Sending cookies.",
     LOGGED_KERNEL, "", 0, "", ""},
    {"TCP: out of memory -- consider tuning tcp_mem", LOGGED_KERNEL, "", 0, "", ""},
    {"Nov 22 14:05:12 h kernel: Out of memory: Killed process 77 (java) total-vm:9kB",
     LOGGED_KERNEL, "", 0, "", ""},
    {"[2026-11-22 14:05:12 +0000] [7] [CRITICAL] WORKER TIMEOUT (pid:9)", LOGGED_KERNEL, "", 0, "",
     ""},
    /* Envoy, by its response flags */
    {"[2026-04-15T20:17:00.310Z] \"POST /api HTTP/2\" 503 UC 154 0 226 100 \"10.0.35.28\" \"n\" "
     "\"cc21\" \"locations\" \"10.0.0.9:8080\"",
     LOGGED_EOF, "10.0.0.9", 8080, "response", "envoy"},
    {"[2026-04-15T20:17:00.310Z] \"GET / HTTP/1.1\" 503 UF upstream_reset_before_response_started{"
     "connection_failure} - \"-\" 0 91 3 - \"-\" \"curl\" \"id\" \"a\" \"10.0.0.9:8080\"",
     LOGGED_REFUSED, "10.0.0.9", 8080, "connect", "envoy"},
    {"[2026-04-15T20:17:00.310Z] \"GET / HTTP/1.1\" 503 UH 0 19 0 - \"-\"", LOGGED_NO_UPSTREAM, "",
     0, "connect", "envoy"},
};

/* What looks like it and tells of no failure. */
static const char *const quiet[] = {
    "",
    "GET / HTTP/1.1 200 12",
    "[2026-04-15T20:17:00.310Z] \"GET / HTTP/1.1\" 200 - 0 19 0 - \"-\"",
    "haproxy[314]: 10.0.1.2:33317 [22/Nov/2026:12:14:14.655] in be/s 1/0/1/2/4 200 99 - - ---- "
    "0/0/0/0/3 0/0 \"GET / HTTP/1.1\"",
    "Nov 22 14:05:12 host sshd[1]: Accepted publickey for root from 10.0.0.1 port 5",
    "connected to es.lan:9200",
    "\x1b[31m\xff\xfe\x01",
};

static void single_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct log_line l;
        bool ok = log_line_read(&l, lines[i].line, strlen(lines[i].line)) &&
                  l.error == lines[i].error && !strcmp(l.host, lines[i].host) &&
                  l.port == lines[i].port && !strcmp(l.stage, lines[i].stage) &&
                  !strcmp(l.program, lines[i].program);
        if (!ok)
            fail_msg("%s\n  read as %s, %s port %d, stage '%s', program '%s'", lines[i].line,
                     logged_name(l.error), l.host, l.port, l.stage, l.program);
    }
    for (size_t i = 0; i < ARRAY_SIZE(quiet); i++) {
        struct log_line l;
        if (log_line_read(&l, quiet[i], strlen(quiet[i])))
            fail_msg("an error is read into: %s", quiet[i]);
    }
}

static struct log_line read_line(const char *text)
{
    struct log_line l;

    assert_true(log_line_read(&l, text, strlen(text)));
    return l;
}

static void moments(void **state)
{
    static const struct {
        const char *line;
        nstime seconds; /* since the epoch */
        nstime ms;
    } table[] = {
        {"2026-11-22T14:05:12.481Z EPIPE", 1795356312, 481},
        {"2026-11-22T15:05:12.481+01:00 EPIPE", 1795356312, 481},
        {"2026-11-22 14:05:12,481 EPIPE", 1795356312, 481},
        {"[2026/11/22 14:05:12] EPIPE", 1795356312, 0},
        {"1.2.3.4 - - [22/Nov/2026:14:05:12 +0000] EPIPE", 1795356312, 0},
        {"1.2.3.4 - - [22/Nov/2026:16:05:12 +0200] EPIPE", 1795356312, 0},
        {"Jan  2 00:00:03 host x: EPIPE", 86403, 0},
        {"Jan 12 00:00:03 host x: EPIPE", 11 * 86400 + 3, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        assert_int_equal(read_line(table[i].line).time,
                         table[i].seconds * NS_PER_SEC + table[i].ms * NS_PER_MS);
    assert_int_equal(read_line("99/99/9999 EPIPE 25:61:61").time, NSTIME_NONE);
    assert_int_equal(read_line("2026-13-45T00:00:00 EPIPE").time, NSTIME_NONE);
}

static void numbers(void **state)
{
    (void)state;
    assert_int_equal(read_line("broken pipe duration=12.5s").duration, 12500 * NS_PER_MS);
    assert_int_equal(read_line("broken pipe after 10000 ms").duration, 10 * NS_PER_SEC);
    assert_int_equal(read_line("broken pipe after 99999999999999999999 s").duration, NSTIME_NONE);
    assert_int_equal(read_line("broken pipe bytes_sent=1048576").sent, 1048576);
    assert_int_equal(read_line("broken pipe (10485760 bytes read, 1 more expected)").sent,
                     10485760);
    assert_int_equal(read_line("broken pipe").sent, -1);
    assert_int_equal(read_line("handshake failed: SSL alert number 70").alert, 70);
    struct log_line l = read_line("[2026-04-15T20:17:00.310Z] \"POST /a HTTP/2\" 503 UC 154 7 226 "
                                  "100 \"-\"");
    assert_int_equal(l.status, 503);
    assert_int_equal(l.sent, 154);
    assert_int_equal(l.received, 7);
    assert_int_equal(l.duration, 226 * NS_PER_MS);
    assert_string_equal(l.flags, "UC");
}

static const struct facts *told(struct facts *f, struct log_digest *d, const char *const *text,
                                size_t n, size_t group)
{
    facts_clear(f);
    log_digest_release(d);
    for (size_t i = 0; i < n; i++)
        log_digest_add(d, text[i], strlen(text[i]), i + 1);
    assert_true(group < d->nr);
    facts_of_log(f, d->groups[group], "app.log");
    return f;
}

static void many_lines(void **state)
{
    static const char *const same_age[] = {
        "read tcp 1.1.1.1:1->10.0.0.7:9200: read: connection reset by peer duration=60.1s",
        "read tcp 1.1.1.1:2->10.0.0.7:9200: read: connection reset by peer duration=60s",
        "read tcp 1.1.1.1:3->10.0.0.7:9200: read: connection reset by peer duration=59.9s"};
    static const char *const mixed_age[] = {"EPIPE took 1s", "EPIPE took 5s", "EPIPE took 30s",
                                            "EPIPE took 90s", "EPIPE took 300s"};
    static const char *const same_size[] = {"EPIPE size=1048576", "EPIPE size=1048577",
                                            "EPIPE size=1048576", "EPIPE size=9"};
    static const char *const burst[] = {"2026-11-22T14:05:12.1Z ECONNRESET to 10.0.0.1:80",
                                        "2026-11-22T14:05:12.2Z ECONNRESET to 10.0.0.2:80",
                                        "2026-11-22T14:05:12.9Z ECONNRESET to 10.0.0.3:80",
                                        "2026-11-22T14:09:00.0Z ECONNRESET to 10.0.0.4:80"};
    static const char *const pipe_first[] = {
        "2026-11-22T14:05:12.1Z write EPIPE to 10.0.0.1:80",
        "2026-11-22T14:05:12.2Z read ECONNRESET to 10.0.0.1:80"};
    struct log_digest d = {.nr = 0};
    struct facts f;

    (void)state;
    facts_init(&f);
    told(&f, &d, same_age, 3, 0);
    assert_true(facts_yes(&f, FACT_LOG_SAME_AGE) && facts_yes(&f, FACT_CONN_RESET));
    assert_int_equal(facts_get(&f, FACT_RESPONSE_WAIT)->v[0].u.i, 60 * NS_PER_SEC);
    assert_int_equal(facts_get(&f, FACT_LOG_SAYS)->v[1].u.i, 3);
    assert_int_equal(facts_get(&f, FACT_LOG_SAYS)->source, SRC_LOG);
    told(&f, &d, same_age, 2, 0); /* two are no pattern */
    assert_null(facts_get(&f, FACT_LOG_SAME_AGE));
    told(&f, &d, mixed_age, 5, 0);
    assert_true(facts_no(&f, FACT_LOG_SAME_AGE) && facts_yes(&f, FACT_EPIPE_FIRST));
    told(&f, &d, same_size, 4, 0);
    assert_true(facts_yes(&f, FACT_LOG_SAME_SIZE));
    told(&f, &d, burst, 4, 1);
    assert_int_equal(facts_get(&f, FACT_LOG_MANY_PEERS)->v[0].u.i, 3);
    told(&f, &d, burst, 4, 3);
    assert_null(facts_get(&f, FACT_LOG_MANY_PEERS));
    told(&f, &d, pipe_first, 2, 1);
    assert_true(facts_yes(&f, FACT_EPIPE_FIRST) && facts_yes(&f, FACT_CONN_RESET));
    facts_release(&f);
    log_digest_release(&d);
}

static void too_many_peers(void **state)
{
    struct log_digest d = {.nr = 0};
    char line[80];

    (void)state;
    for (int i = 0; i < LOG_GROUPS_MAX + 10; i++) {
        int n = snprintf(line, sizeof(line), "ECONNRESET to 10.1.%d.%d:80", i / 250, i % 250);
        int got = log_digest_add(&d, line, (size_t)n, 1);
        assert_int_equal(got, i < LOG_GROUPS_MAX ? i : -E2BIG);
    }
    assert_int_equal(d.dropped, 10);
    log_digest_release(&d);
}

/* All defaults near a time are told, and nothing is where none is. */
static void timers(void **state)
{
    char who[200];
    struct facts f;

    (void)state;
    assert_true(lifetimes_text(who, sizeof(who), 350 * NS_PER_SEC) >= 3);
    assert_non_null(strstr(who, "AWS NLB"));
    assert_non_null(strstr(who, "NAT gateway"));
    assert_true(lifetimes_text(who, sizeof(who), 3600 * NS_PER_SEC) >= 4);
    assert_int_equal(lifetimes_text(who, sizeof(who), 45 * NS_PER_SEC), 0);
    assert_string_equal(who, "");
    assert_true(lifetimes_text(who, 24, 60 * NS_PER_SEC) > 1); /* a small room is enough */
    assert_true(strlen(who) < 24);
    for (size_t i = 0; i < lifetime_count(); i++) {
        const struct lifetime *l = lifetime_at(i);
        assert_true(*l->who && *l->ends && strlen(l->as_of) == 7);
        assert_true(lifetime_matches(l, l->seconds * NS_PER_SEC));
        assert_false(lifetime_matches(l, l->seconds * NS_PER_SEC * 5 / 4));
    }
    /* what an experiment measured is held against them too */
    facts_init(&f);
    facts_put(&f, FACT_IDLE_CUT, true, SRC_EXPERIMENT, 0, "idle", v_span(350 * NS_PER_SEC),
              v_text("rst-on-data"), v_none());
    facts_derive(&f);
    assert_true(facts_yes(&f, FACT_IDLE_MATCHES));
    assert_int_equal(facts_get(&f, FACT_IDLE_MATCHES)->source, SRC_EXPERIMENT);
    facts_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_lines), cmocka_unit_test(moments),        cmocka_unit_test(numbers),
        cmocka_unit_test(many_lines),   cmocka_unit_test(too_many_peers), cmocka_unit_test(timers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
