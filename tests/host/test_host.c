/* Facts of this host: counters as the kernel prints them, listeners made here, addresses. */
#include "host/host.h"
#include "host/watch.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const char snmp[] =
    "Ip: Forwarding DefaultTTL InReceives\n"
    "Ip: 1 64 12345\n"
    "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets"
    " CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n"
    "Tcp: 1 200 120000 -1 101 102 103 104 2 900 901 105 0 106 107\n"
    "Udp: InDatagrams OutRsts\n"
    "Udp: 5 999\n";
static const char netstat[] =
    "TcpExt: SyncookiesSent EmbryonicRsts ListenOverflows ListenDrops TCPAbortOnData"
    " TCPAbortOnClose TCPAbortOnMemory TCPAbortOnTimeout TCPAbortOnLinger SomethingNew\n"
    "TcpExt: 0 11 12 13 14 15 16 17 18 18446744073709551615\n"
    "IpExt: InNoRoutes\n"
    "IpExt: 3\n";

static void parses_by_name(void **state)
{
    struct host_counters c;

    (void)state;
    host_parse_counters(&c, snmp, netstat);
    assert_true(c.available);
    assert_int_equal(c.active_opens, 101);
    assert_int_equal(c.passive_opens, 102);
    assert_int_equal(c.attempt_fails, 103);
    assert_int_equal(c.estab_resets, 104);
    assert_int_equal(c.retrans_segs, 105);
    assert_int_equal(c.out_rsts, 106);
    assert_int_equal(c.in_csum_errors, 107);
    assert_int_equal(c.embryonic_rsts, 11);
    assert_int_equal(c.listen_overflows, 12);
    assert_int_equal(c.listen_drops, 13);
    assert_int_equal(c.abort_on_data, 14);
    assert_int_equal(c.abort_on_close, 15);
    assert_int_equal(c.abort_on_memory, 16);
    assert_int_equal(c.abort_on_timeout, 17);
    assert_int_equal(c.abort_on_linger, 18);
    assert_int_equal(c.challenge_ack, 0); /* a kernel that has no such name */
}

/* Whatever the text, no read past its end and no counter from nowhere. */
static void parses_anything(void **state)
{
    static const char *const odd[] = {"",
                                      "\n",
                                      ":\n:\n",
                                      "Tcp:\nTcp:\n",
                                      "Tcp: OutRsts\nTcp: x\n",
                                      "Tcp: OutRsts\n",
                                      "Tcp: OutRsts\nUdp: 5\n",
                                      "Tcp: OutRsts\nTcp: -1\n",
                                      "Tcp OutRsts\nTcp 5\n",
                                      "Tcp: OutRsts\nTcp: 99999999999999999999999999\n",
                                      "   \n   \n",
                                      "Tcp: A B OutRsts\nTcp: 1 2\n"};
    struct host_counters c;

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        host_parse_counters(&c, odd[i], odd[i]);
        assert_false(c.available);
        assert_int_equal(c.out_rsts, 0);
    }
    host_parse_counters(&c, NULL, NULL);
    assert_false(c.available);
    for (size_t cut = 0; cut < sizeof snmp; cut++) {
        char *copy = malloc(cut + 1);
        assert_non_null(copy);
        memcpy(copy, snmp, cut);
        copy[cut] = '\0';
        host_parse_counters(&c, copy, netstat);
        assert_true(c.out_rsts == 0 || c.out_rsts == 1 || c.out_rsts == 10 || c.out_rsts == 106);
        free(copy);
    }
}

static void names_and_values(void **state)
{
    struct host_counters c = {0};
    size_t n = 0;

    (void)state;
    for (; host_counter_name(n); n++) {
        host_counter_set(&c, n, n + 1);
        assert_int_equal(host_counter_value(&c, n), n + 1);
    }
    assert_true(n > 20);
    assert_int_equal(c.active_opens, 1);
    assert_string_equal(host_counter_name(0), "ActiveOpens");
    host_counter_set(&c, n, 7);
    assert_int_equal(host_counter_value(&c, n), 0);
    assert_false(c.available);
}

static void delta_is_clamped(void **state)
{
    struct host_counters a = {.available = true, .out_rsts = 10, .abort_on_data = 5};
    struct host_counters b = {.available = true, .out_rsts = 12, .abort_on_data = 4, .time = 9}, d;

    (void)state;
    host_counters_delta(&d, &a, &b);
    assert_true(d.available);
    assert_int_equal(d.out_rsts, 2);
    assert_int_equal(d.abort_on_data, 0);
    assert_int_equal(d.time, 9);
    a.available = false;
    host_counters_delta(&d, &a, &b);
    assert_false(d.available);
    assert_int_equal(d.out_rsts, 0);
}

/* A refused connection to this host is a reset of this host. */
static void counts_a_reset(void **state)
{
    struct host_counters a, b, d;
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof sin;

    (void)state;
    /* Bound but not listening: nobody else can take the port. */
    int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(taken, (struct sockaddr *)&sin, sizeof sin), 0);
    assert_int_equal(getsockname(taken, (struct sockaddr *)&sin, &len), 0);
    assert_int_equal(host_read_counters(&a), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof sin), -1);
    assert_int_equal(errno, ECONNREFUSED);
    assert_int_equal(host_read_counters(&b), 0);
    host_counters_delta(&d, &a, &b);
    assert_true(d.available && d.out_rsts >= 1 && d.attempt_fails >= 1 && d.active_opens >= 1);
    assert_true(b.time >= a.time && a.time > 0);
    close(fd);
    close(taken);
}

/* ---- facts ---- */
static struct facts facts;

static int setup(void **state)
{
    (void)state;
    facts_init(&facts);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    facts_release(&facts);
    return 0;
}

static void one_event(void **state)
{
    struct host_counters d = {.available = true, .abort_on_close = 1, .out_rsts = 1};

    (void)state;
    facts_of_counters(&facts, &d, 1);
    assert_true(facts_yes(&facts, FACT_ABORT_ON_CLOSE));
    assert_true(facts_yes(&facts, FACT_OUT_RSTS));
    assert_true(facts_no(&facts, FACT_ABORT_ON_DATA));
    assert_true(facts_no(&facts, FACT_ABORT_ON_TIMEOUT));
    assert_true(facts_no(&facts, FACT_ABORT_ON_MEMORY));
    assert_true(facts_no(&facts, FACT_EMBRYONIC_RST));
    assert_true(facts_no(&facts, FACT_LISTEN_OVERFLOW));
    assert_null(facts_get(&facts, FACT_COUNTER_SHARED));
    const struct fact *f = facts_get(&facts, FACT_ABORT_ON_CLOSE);
    assert_int_equal(f->v[0].u.i, 1);
    assert_int_equal(f->source, SRC_HOST);
    assert_string_equal(f->ref, "TCPAbortOnClose");
}

/* Two events, one of them moved the counter: which one is not known. What did not move speaks of
 * both. */
static void several_events(void **state)
{
    struct host_counters d = {.available = true, .abort_on_close = 1, .out_rsts = 2};

    (void)state;
    facts_of_counters(&facts, &d, 2);
    assert_null(facts_get(&facts, FACT_ABORT_ON_CLOSE));
    assert_null(facts_get(&facts, FACT_OUT_RSTS));
    assert_true(facts_no(&facts, FACT_ABORT_ON_DATA));
    assert_true(facts_yes(&facts, FACT_COUNTER_SHARED));
    assert_int_equal(facts_get(&facts, FACT_COUNTER_SHARED)->v[0].u.i, 2);
}

/* One event of ours, but the counter moved for others too. */
static void strangers_in_the_tick(void **state)
{
    struct host_counters d = {.available = true, .abort_on_data = 3, .out_rsts = 3};

    (void)state;
    facts_of_counters(&facts, &d, 1);
    assert_null(facts_get(&facts, FACT_ABORT_ON_DATA));
    assert_int_equal(facts_get(&facts, FACT_COUNTER_SHARED)->v[0].u.i, 3);
}

/* OutRsts counts all resets of the host, so a busy one does not make a sure counter doubtful. */
static void busy_host(void **state)
{
    struct host_counters d = {.available = true, .abort_on_data = 1, .out_rsts = 5};

    (void)state;
    facts_of_counters(&facts, &d, 1);
    assert_true(facts_yes(&facts, FACT_ABORT_ON_DATA));
    assert_null(facts_get(&facts, FACT_OUT_RSTS));
    assert_null(facts_get(&facts, FACT_COUNTER_SHARED));
}

/* Each repeated SYN that finds the queue full counts again. */
static void overflow_repeats(void **state)
{
    struct host_counters d = {.available = true, .listen_overflows = 4};

    (void)state;
    facts_of_counters(&facts, &d, 1);
    assert_true(facts_yes(&facts, FACT_LISTEN_OVERFLOW));
    assert_int_equal(facts_get(&facts, FACT_LISTEN_OVERFLOW)->v[0].u.i, 4);
    assert_true(facts_no(&facts, FACT_OUT_RSTS));
}

static void nothing_read_nothing_said(void **state)
{
    struct host_counters d = {.abort_on_data = 1};

    (void)state;
    facts_of_counters(&facts, &d, 1);
    assert_int_equal(facts.nr, 0);
}

static void queue_facts(void **state)
{
    struct listener l = {true, 6, 5};

    (void)state;
    facts_of_listener(&facts, &l);
    assert_true(facts_yes(&facts, FACT_PORT_REUSED_LISTEN));
    assert_true(facts_yes(&facts, FACT_LISTEN_QUEUE_FULL));
    assert_int_equal(facts_get(&facts, FACT_LISTEN_QUEUE_FULL)->v[1].u.i, 5);
    facts_clear(&facts);
    l.waiting = 5; /* room for one more: the kernel refuses at more than the backlog */
    facts_of_listener(&facts, &l);
    assert_true(facts_no(&facts, FACT_LISTEN_QUEUE_FULL));
    facts_clear(&facts);
    l = (struct listener){0};
    facts_of_listener(&facts, &l);
    assert_true(facts_no(&facts, FACT_PORT_REUSED_LISTEN));
    assert_null(facts_get(&facts, FACT_LISTEN_QUEUE_FULL));
}

/* ---- listeners ---- */
static int listen_on(const char *text, bool v6only, int backlog, uint16_t *port)
{
    struct addr a;
    struct sockaddr_storage ss;
    uint16_t got;
    int only = v6only;

    assert_int_equal(addr_parse(text, &a), 0);
    socklen_t len = (socklen_t)addr_to_sockaddr(&a, *port, &ss);
    int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (ss.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
    if (bind(fd, (struct sockaddr *)&ss, len) < 0 || listen(fd, backlog) < 0) {
        close(fd);
        return -1;
    }
    len = sizeof ss;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
    assert_int_equal(addr_from_sockaddr((struct sockaddr *)&ss, &a, &got), 0);
    *port = got;
    return fd;
}

static struct listener look(const char *text, uint16_t port)
{
    struct addr a;
    struct listener l = {true, 99, 99};

    assert_int_equal(addr_parse(text, &a), 0);
    assert_int_equal(host_listener(&l, &a, port), 0);
    return l;
}

static void finds_listeners(void **state)
{
    uint16_t port = 0;

    (void)state;
    int fd = listen_on("127.0.0.1", false, 7, &port);
    assert_true(fd >= 0);
    struct listener l = look("127.0.0.1", port);
    assert_true(l.found);
    assert_int_equal(l.backlog, 7);
    assert_int_equal(l.waiting, 0);
    assert_false(look("127.0.0.2", port).found); /* bound to one address only */
    assert_false(look("::1", port).found);
    close(fd);
    assert_false(look("127.0.0.1", port).found);
}

/* The last ACK of a handshake may be on its way when connect() is back. */
static uint32_t await_waiting(uint16_t port, uint32_t want)
{
    uint32_t waiting = 0;

    for (int i = 0; i < 100000 && waiting != want; i++)
        waiting = look("127.0.0.1", port).waiting;
    return waiting;
}

/* The queue as it fills, and full when the kernel lets no more in. */
static void sees_the_queue(void **state)
{
    uint16_t port = 0;
    int c[3];
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};

    (void)state;
    int fd = listen_on("127.0.0.1", false, 1, &port);
    assert_true(fd >= 0);
    sin.sin_port = htons(port);
    for (unsigned i = 0; i < 2; i++) {
        c[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(c[i], (struct sockaddr *)&sin, sizeof sin), 0);
        assert_int_equal(await_waiting(port, i + 1), i + 1);
    }
    struct listener l = look("127.0.0.1", port);
    assert_true(l.waiting > l.backlog);
    close(c[0]);
    close(c[1]);
    close(fd);
}

static void dual_stack(void **state)
{
    uint16_t port = 0;

    (void)state;
    int fd = listen_on("::", false, 3, &port);
    if (fd < 0)
        skip(); /* no IPv6 here */
    assert_true(look("::1", port).found);
    assert_true(look("127.0.0.1", port).found);
    assert_int_equal(look("127.0.0.1", port).backlog, 3);
    close(fd);
    port = 0;
    fd = listen_on("::", true, 3, &port);
    assert_true(look("::1", port).found);
    assert_false(look("127.0.0.1", port).found);
    /* The more specific one serves. */
    int own = listen_on("127.0.0.1", false, 9, &port);
    assert_true(own >= 0);
    assert_int_equal(look("127.0.0.1", port).backlog, 9);
    assert_int_equal(look("::1", port).backlog, 3);
    close(own);
    close(fd);
}

static void addresses(void **state)
{
    struct addr *local = NULL, a;

    (void)state;
    int n = host_addresses(&local);
    assert_true(n >= 0);
    if (n > 0) {
        assert_int_equal(addr_parse("127.77.1.2", &a), 0);
        assert_true(host_is_local(&a, local, (size_t)n));
        assert_true(host_is_local(&local[n - 1], local, (size_t)n));
        assert_int_equal(addr_parse("203.0.113.7", &a), 0);
        assert_false(host_is_local(&a, local, (size_t)n));
    }
    free(local);
    assert_false(host_is_local(&a, NULL, 0));
}

static void routes(void **state)
{
    struct addr a;

    (void)state;
    assert_int_equal(addr_parse("127.0.0.1", &a), 0);
    assert_int_equal(host_behind_router(&a), 0);
    assert_int_equal(addr_parse("::1", &a), 0);
    assert_int_equal(host_behind_router(&a), 0);
    a.family = 0;
    assert_int_equal(host_behind_router(&a), -EINVAL);
}

/* Who connected is told by the numbers, listener seen or not. */
static void roles_by_numbers(void **state)
{
    struct sock_seen s = {.info = true, .state = SOCK_ESTABLISHED};

    (void)state;
    assert_int_equal(sock_role_of(&s), ROLE_SERVER);
    s.acked = 1;
    assert_int_equal(sock_role_of(&s), ROLE_CLIENT);
    s.sent = 100;
    s.acked = 101;
    assert_int_equal(sock_role_of(&s), ROLE_CLIENT);
    s.acked = 100;
    assert_int_equal(sock_role_of(&s), ROLE_SERVER);
    s.unacked = 1; /* or a client of whose bytes one is on the way */
    assert_int_equal(sock_role_of(&s), ROLE_UNKNOWN);
    s.unacked = 0;
    s.state = SOCK_FIN_WAIT1; /* a FIN counts as well */
    assert_int_equal(sock_role_of(&s), ROLE_UNKNOWN);
}

int main(void)
{
#define FACTS_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_by_name),
        cmocka_unit_test(parses_anything),
        cmocka_unit_test(roles_by_numbers),
        cmocka_unit_test(names_and_values),
        cmocka_unit_test(delta_is_clamped),
        cmocka_unit_test(counts_a_reset),
        FACTS_TEST(one_event),
        FACTS_TEST(several_events),
        FACTS_TEST(strangers_in_the_tick),
        FACTS_TEST(busy_host),
        FACTS_TEST(overflow_repeats),
        FACTS_TEST(nothing_read_nothing_said),
        FACTS_TEST(queue_facts),
        cmocka_unit_test(finds_listeners),
        cmocka_unit_test(sees_the_queue),
        cmocka_unit_test(dual_stack),
        cmocka_unit_test(addresses),
        cmocka_unit_test(routes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
