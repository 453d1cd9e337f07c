/* tests/lab/tunrouter on packets made by hand and a clock handed in: what comes out, when, and with
 * which numbers. */
#include "../wire/build.h"
#include "tunrouter/tunrouter.h"

#define CLIENT_PORT 40000
#define MS          NS_PER_MS

struct got {
    struct packet p;
    enum way way;
    nstime when;
    uint8_t raw[2048];
};
static struct got got[64];
static int ngot;
static nstime clock_now;
static struct line line;

static void leave(struct line *l, enum way way, const uint8_t *ip, size_t len)
{
    (void)l;
    assert_true(ngot < 64 && len <= sizeof(got[0].raw));
    struct got *g = &got[ngot++];
    memcpy(g->raw, ip, len);
    struct record rec = {
        .caplen = (uint32_t)len, .len = (uint32_t)len, .link = LINK_RAW, .data = g->raw};
    assert_int_equal(packet_decode(&g->p, &rec, NULL), 1);
    g->way = way;
    g->when = clock_now;
}

static int setup(void **state)
{
    (void)state;
    ngot = 0;
    clock_now = NS_PER_SEC;
    assert_int_equal(line_init(&line, 7), 0);
    line.leave = leave;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    line_release(&line);
    return 0;
}

static void rule(const char *text)
{
    char why[512] = "";

    if (rule_parse(&line.rules[line.nrules], text, why, sizeof(why)))
        fail_msg("%s", why);
    line.nrules++;
}

/* Lets the clock run to `until`, from event to event. */
static void run_to(nstime until)
{
    for (;;) {
        nstime next = line_run(&line, clock_now);
        if (next == NSTIME_NONE || next > until)
            break;
        clock_now = next;
    }
    clock_now = until;
    line_run(&line, clock_now);
}

static void send6(enum way way, uint8_t flags, uint32_t seq, uint32_t ack, const char *data,
                  bool v6)
{
    struct strbuf b = STRBUF_INIT;
    struct seg s = {.sport = way == UP ? CLIENT_PORT : 443,
                    .dport = way == UP ? 443 : CLIENT_PORT,
                    .seq = seq,
                    .ack = ack,
                    .flags = flags,
                    .data = data};

    put_tcp(&b, &s);
    if (v6)
        wrap_ip6(&b, 6, NULL);
    else
        wrap_ip4(&b, &(struct ip4){.proto = 6});
    if (way == DOWN) { /* the builder's addresses, turned about */
        size_t n = v6 ? 16 : 4, at = v6 ? 8 : 12;
        char t[16];
        memcpy(t, b.buf + at, n);
        memcpy(b.buf + at, b.buf + at + n, n);
        memcpy(b.buf + at + n, t, n);
    }
    line_enter(&line, way, (uint8_t *)b.buf, b.len, clock_now);
    strbuf_release(&b);
    run_to(clock_now);
}

static void send(enum way way, uint8_t flags, uint32_t seq, uint32_t ack, const char *data)
{
    send6(way, flags, seq, ack, data, false);
}

static void handshake(void)
{
    send(UP, TCP_SYN, 1000, 0, NULL);
    send(DOWN, TCP_SYN | TCP_ACK, 5000, 1001, NULL);
    send(UP, TCP_ACK, 1001, 5001, NULL);
    assert_int_equal(ngot, 3);
    ngot = 0;
}

static void assert_rst(const struct got *g, enum way way, uint32_t seq, uint8_t flags)
{
    assert_int_equal(g->way, way);
    assert_int_equal(g->p.tcp.flags, flags);
    assert_int_equal(g->p.tcp.seq, seq);
    assert_true(g->p.tcp.checksum_ok && g->p.ip_checksum_ok);
}

static void delay_and_order(void **state)
{
    (void)state;
    line.shape[FAR][UP] = (struct shape){.delay = 20 * MS, .jitter = 10 * MS};
    for (int i = 0; i < 20; i++)
        send(UP, TCP_ACK, 1001 + (uint32_t)i, 1, "x");
    assert_int_equal(ngot, 0);
    run_to(clock_now + 20 * MS - 1);
    assert_int_equal(ngot, 0);
    run_to(clock_now + 11 * MS);
    assert_int_equal(ngot, 20);
    for (int i = 0; i < 20; i++)
        assert_int_equal(got[i].p.tcp.seq, 1001 + i); /* jitter keeps the order */
}

static void reordering(void **state)
{
    (void)state;
    line.shape[FAR][UP] = (struct shape){.reorder = 30, .reorder_by = 5 * MS};
    for (int i = 0; i < 20; i++) {
        send(UP, TCP_ACK, 1001 + (uint32_t)i, 1, "x");
        run_to(clock_now + MS);
    }
    run_to(clock_now + 10 * MS);
    assert_int_equal(ngot, 20);
    int swaps = 0;
    for (int i = 1; i < 20; i++)
        swaps += got[i].p.tcp.seq < got[i - 1].p.tcp.seq;
    assert_in_range(swaps, 1, 15);
}

static void loss_and_copies_by_seed(void **state)
{
    (void)state;
    int counts[2];
    for (int turn = 0; turn < 2; turn++) {
        line.dice.state = 42;
        ngot = 0;
        line.shape[NEAR][DOWN] = (struct shape){.loss = 50, .duplicate = 20};
        for (int i = 0; i < 40; i++)
            send(DOWN, TCP_ACK, 1, 1, "x");
        counts[turn] = ngot;
    }
    assert_int_equal(counts[0], counts[1]); /* one seed, one fate */
    assert_in_range(counts[0], 10, 38);
    line.shape[NEAR][DOWN] = (struct shape){.loss = 100};
    ngot = 0;
    send(DOWN, TCP_ACK, 1, 1, "x");
    assert_int_equal(ngot, 0);
}

static void corruption(void **state)
{
    (void)state;
    line.shape[FAR][UP] = (struct shape){.corrupt = 100};
    send(UP, TCP_ACK, 1001, 1, "hello, world");
    assert_int_equal(ngot, 1);
    assert_memory_not_equal(got[0].p.payload, "hello, world", 12);
    assert_false(got[0].p.tcp.checksum_ok);
    line.shape[FAR][UP] = (struct shape){0};
    rule("up data : corrupt hidden");
    send(UP, TCP_ACK, 1001, 1, "hello, world");
    assert_memory_not_equal(got[1].p.payload, "hello, world", 12);
    assert_true(got[1].p.tcp.checksum_ok);
}

static void the_rate(void **state)
{
    (void)state;
    line.shape[FAR][UP] = (struct shape){.rate = 8000, .backlog = 2000}; /* 1000 bytes a second */
    static char hundred[101];
    memset(hundred, 'x', 100);
    for (int i = 0; i < 10; i++)
        send(UP, TCP_ACK, 1001, 1, hundred); /* 140 bytes with headers */
    run_to(clock_now + 699 * MS);
    assert_int_equal(ngot, 4); /* the fifth is out after 700 ms */
    run_to(clock_now + 10 * NS_PER_SEC);
    assert_int_equal(ngot, 10);
    for (int i = 0; i < 40; i++)
        send(UP, TCP_ACK, 1001, 1, hundred);
    run_to(clock_now + 60 * NS_PER_SEC);
    assert_in_range(ngot, 10 + 14, 10 + 16); /* 2000 bytes may wait, the rest is lost */
}

static void too_big(void **state)
{
    static char big[701];

    (void)state;
    memset(big, 'x', 700);
    line.mtu[UP] = 600;
    addr_parse("203.0.113.9", &line.hop4);
    send(UP, TCP_ACK, 1001, 1, big);
    assert_int_equal(ngot, 1);
    assert_int_equal(got[0].way, DOWN);
    assert_int_equal(got[0].p.l4, L4_ICMP);
    assert_int_equal(got[0].p.icmp.type, 3);
    assert_int_equal(got[0].p.icmp.code, 4);
    assert_int_equal(got[0].p.icmp.mtu, 600);
    assert_int_equal(got[0].p.icmp.sport, CLIENT_PORT);
    assert_true(addr_equal(&got[0].p.src, &line.hop4));
    line.mtu_silent = true;
    send(UP, TCP_ACK, 1001, 1, big);
    assert_int_equal(ngot, 1);
    line.mtu_silent = false;
    send6(UP, TCP_ACK, 1001, 1, big, true);
    assert_int_equal(got[1].p.l4, L4_ICMP6);
    assert_int_equal(got[1].p.icmp.type, 2);
    assert_int_equal(got[1].p.icmp.mtu, 600);
}

static void a_hop(void **state)
{
    (void)state;
    addr_parse("203.0.113.9", &line.hop4);
    struct strbuf b = STRBUF_INIT;
    struct seg s = {.sport = CLIENT_PORT, .dport = 443, .seq = 1000, .flags = TCP_SYN};
    put_tcp(&b, &s);
    wrap_ip4(&b, &(struct ip4){.proto = 6});
    uint8_t before = (uint8_t)b.buf[8];
    line_enter(&line, UP, (uint8_t *)b.buf, b.len, clock_now);
    b.buf[8] = 1;
    line_enter(&line, UP, (uint8_t *)b.buf, b.len, clock_now);
    strbuf_release(&b);
    run_to(clock_now);
    assert_int_equal(ngot, 2);
    assert_int_equal(got[0].p.ttl, before - 1);
    assert_true(got[0].p.ip_checksum_ok);
    assert_int_equal(got[1].way, DOWN);
    assert_int_equal(got[1].p.icmp.type, 11);
    assert_true(addr_equal(&got[1].p.src, &line.hop4));
    assert_int_equal(got[1].p.icmp.dport, 443);
}

static void refused_syn(void **state)
{
    (void)state;
    rule("up syn port=443 : reset");
    send(UP, TCP_SYN, 1000, 0, NULL);
    assert_int_equal(ngot, 1);
    assert_rst(&got[0], DOWN, 0, TCP_RST | TCP_ACK);
    assert_int_equal(got[0].p.tcp.ack, 1001);
    assert_int_equal(got[0].p.tcp.window, 0);
    assert_int_equal(got[0].p.ip_id, 0);
    assert_true(got[0].p.df);
    assert_int_equal(got[0].p.ttl, 64);
}

static void in_line_and_on_path(void **state)
{
    (void)state;
    rule("up bytes=SECRET : reset");
    rule("up bytes=TAPPED : inject count=3 gap=1ms seq=0,1460,4380 ttl=copy-4 id=0x1234 no-df ack "
         "window=8192");
    handshake();
    send(UP, TCP_ACK | TCP_PSH, 1001, 5001, "GET SECRET");
    assert_int_equal(ngot, 1); /* the segment itself goes no further */
    assert_rst(&got[0], DOWN, 5001, TCP_RST);
    assert_int_equal(got[0].p.tcp.ack, 0);

    send(UP, TCP_SYN, 2000, 0, NULL); /* a new connection */
    send(DOWN, TCP_SYN | TCP_ACK, 7000, 2001, NULL);
    ngot = 0;
    send(UP, TCP_ACK | TCP_PSH, 2001, 7001, "GET TAPPED");
    run_to(clock_now + 10 * MS);
    assert_int_equal(ngot, 7); /* itself, three to each end */
    int to_client = 0, to_server = 0;
    for (int i = 0; i < ngot; i++) {
        const struct got *g = &got[i];
        if (!(g->p.tcp.flags & TCP_RST)) {
            assert_int_equal(g->way, UP);
            assert_int_equal(i, 0);
            continue;
        }
        assert_int_equal(g->p.ip_id, 0x1234);
        assert_false(g->p.df);
        assert_int_equal(g->p.tcp.window, 8192);
        assert_int_equal(g->p.ttl, got[0].p.ttl - 4);
        static const uint32_t offset[] = {0, 1460, 4380};
        if (g->way == DOWN) {
            assert_rst(g, DOWN, 7001 + offset[to_client++], TCP_RST | TCP_ACK);
            assert_int_equal(g->p.tcp.ack, 2011);
        } else
            assert_rst(g, UP, 2011 + offset[to_server++], TCP_RST | TCP_ACK);
    }
    assert_int_equal(to_client, 3);
    assert_int_equal(to_server, 3);
}

static void mute_and_residual(void **state)
{
    (void)state;
    rule("up bytes=SECRET : inject to=client mute=server residual=60,port");
    handshake();
    send(UP, TCP_ACK, 1001, 5001, "SECRET");
    assert_int_equal(ngot, 2);
    send(DOWN, TCP_ACK, 5001, 1007, "the answer");
    assert_int_equal(ngot, 2); /* nothing of the server gets through */
    ngot = 0;
    run_to(clock_now + 30 * NS_PER_SEC);
    send(UP, TCP_SYN, 3000, 0, NULL);
    assert_int_equal(ngot, 1);
    assert_rst(&got[0], DOWN, 0, TCP_RST | TCP_ACK);
    run_to(clock_now + 31 * NS_PER_SEC);
    send(UP, TCP_SYN, 4000, 0, NULL);
    assert_int_equal(got[1].way, UP); /* it is over */
}

static void forgetting(void **state)
{
    (void)state;
    rule("forget=10s : reset");
    handshake();
    run_to(clock_now + 9 * NS_PER_SEC);
    send(UP, TCP_ACK, 1001, 5001, "x");
    assert_int_equal(got[0].way, UP);
    run_to(clock_now + 10 * NS_PER_SEC);
    send(UP, TCP_ACK, 1002, 5001, "y");
    assert_int_equal(ngot, 2);
    assert_rst(&got[1], DOWN, 5001, TCP_RST);
    send(UP, TCP_ACK, 1002, 5001, "y");
    assert_rst(&got[2], DOWN, 5001, TCP_RST); /* it stays forgotten */
    send(UP, TCP_SYN, 9000, 0, NULL);
    assert_int_equal(got[3].way, UP);
}

static void pushing(void **state)
{
    (void)state;
    rule("forget=4 : push ack");
    handshake();
    nstime born = clock_now;
    run_to(born + 4 * NS_PER_SEC - 1);
    assert_int_equal(ngot, 0);
    run_to(born + 20 * NS_PER_SEC);
    assert_int_equal(ngot, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(got[i].when, born + 4 * NS_PER_SEC);
        assert_rst(&got[i], got[i].way, got[i].way == DOWN ? 5001 : 1001, TCP_RST | TCP_ACK);
    }
}

static void counting(void **state)
{
    (void)state;
    rule("up syn over=2 : drop");
    rule("up syn v6 rate=3/10s : drop");
    for (int i = 0; i < 4; i++) {
        struct strbuf b = STRBUF_INIT;
        struct seg s = {.sport = (uint16_t)(50000 + i), .dport = 443, .seq = 1, .flags = TCP_SYN};
        put_tcp(&b, &s);
        wrap_ip4(&b, &(struct ip4){.proto = 6});
        line_enter(&line, UP, (uint8_t *)b.buf, b.len, clock_now);
        strbuf_release(&b);
    }
    run_to(clock_now);
    assert_int_equal(ngot, 2);
    ngot = 0;
    line.rules[0].over = 100;
    for (uint32_t i = 0; i < 5; i++)
        send6(UP, TCP_SYN, 100 + 7 * i, 0, NULL, true);
    assert_int_equal(ngot, 3);
    run_to(clock_now + 10 * NS_PER_SEC);
    send6(UP, TCP_SYN, 900, 0, NULL, true);
    assert_int_equal(ngot, 4);
}

static void across_segments(void **state)
{
    (void)state;
    rule("up bytes=SECRET : reset");
    handshake();
    send(UP, TCP_ACK, 1001, 5001, "SEC");
    send(UP, TCP_ACK, 1004, 5001, "RET");
    assert_int_equal(got[1].way, UP); /* a box that looks at segments alone sees nothing */
    line.rules[0].reassemble = true;
    send(UP, TCP_SYN, 2000, 0, NULL);
    ngot = 0;
    send(UP, TCP_ACK, 2001, 5001, "SEC");
    send(UP, TCP_ACK, 2004, 5001, "RET");
    assert_int_equal(ngot, 2);
    assert_rst(&got[1], DOWN, 5001, TCP_RST);
}

static void names(void **state)
{
    (void)state;
    rule("up host=*.bad.example : drop");
    rule("up !host=ok.example : reset");
    handshake();
    send(UP, TCP_ACK, 1001, 5001, "GET / HTTP/1.1\r\nHost: www.bad.example:8080\r\n\r\n");
    assert_int_equal(ngot, 0);
    send(UP, TCP_ACK, 1001, 5001, "GET / HTTP/1.1\r\nHost: ok.example\r\n\r\n");
    assert_int_equal(got[0].way, UP);
    send(UP, TCP_ACK, 1001, 5001, "GET / HTTP/1.1\r\nHost: other.example\r\n\r\n");
    assert_rst(&got[1], DOWN, 5001, TCP_RST);
}

static void unreachable(void **state)
{
    (void)state;
    rule("up syn : unreach=13");
    send(UP, TCP_SYN, 1000, 0, NULL);
    send6(UP, TCP_SYN, 1000, 0, NULL, true);
    assert_int_equal(got[0].p.icmp.type, 3);
    assert_int_equal(got[0].p.icmp.code, 13);
    assert_int_equal(got[1].p.icmp.type, 1);
    assert_int_equal(got[1].p.icmp.code, 1);
    assert_true(got[1].p.icmp.quoted);
}

static void wrong_rules(void **state)
{
    static const char *const wrong[] = {
        "",
        "up",
        "up :",
        "up : fly",
        "upp : drop",
        "port=0 : drop",
        "port=9-8 : drop",
        ": push",
        "bytes= : drop",
        "bytes=\\xzz : drop",
        "bytes=\"open : drop",
        "chance=101 : drop",
        ": reset ttl=copy3",
        ": reset ttl=300",
        ": reset seq=1,,2",
        ": reset count=65",
        ": reset to=nobody",
        "rate=3 : drop",
        ": drop residual=4,all",
        ": unreach",
        ": unreach=16",
    };
    struct rule r;
    char why[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        why[0] = '\0';
        if (!rule_parse(&r, wrong[i], why, sizeof(why)))
            fail_msg("'%s' was taken", wrong[i]);
        assert_true(why[0] != '\0');
    }
    assert_int_equal(rule_parse(&r, "bytes=\"a b\\x00c\" : drop", why, sizeof(why)), 0);
    assert_int_equal(r.nbytes, 5);
    assert_memory_equal(r.bytes, "a b\0c", 5);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(delay_and_order),
        T(reordering),
        T(loss_and_copies_by_seed),
        T(corruption),
        T(the_rate),
        T(too_big),
        T(a_hop),
        T(refused_syn),
        T(in_line_and_on_path),
        T(mute_and_residual),
        T(forgetting),
        T(pushing),
        T(counting),
        T(across_segments),
        T(names),
        T(unreachable),
        T(wrong_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
