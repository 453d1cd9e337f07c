/* Link layers, IP, TCP, ICMP, tunnels: fields as built, and every prefix of each packet. */
#include "build.h"

static const struct seg syn = {.sport = 40000,
                               .dport = 443,
                               .seq = 0x01020304,
                               .flags = TCP_SYN,
                               .options = "020405b4 0402 080a 00000001 00000002 01 030307"};
static const struct seg data = {.sport = 40000,
                                .dport = 443,
                                .seq = 1,
                                .ack = 2,
                                .flags = TCP_PSH | TCP_ACK,
                                .options = "0101080a 00000005 00000006",
                                .data = "hello"};

static void check_data(const struct packet *p)
{
    assert_int_equal(p->l4, L4_TCP);
    assert_int_equal(p->tcp.sport, 40000);
    assert_int_equal(p->tcp.dport, 443);
    assert_int_equal(p->tcp.seq, 1);
    assert_int_equal(p->tcp.ack, 2);
    assert_int_equal(p->tcp.flags, TCP_PSH | TCP_ACK);
    assert_int_equal(p->tcp.window, 1024);
    assert_int_equal(p->tcp.header_len, 32);
    assert_true(p->tcp.has_ts);
    assert_int_equal(p->tcp.tsval, 5);
    assert_int_equal(p->tcp.tsecr, 6);
    assert_int_equal(p->payload_len, 5);
    assert_int_equal(p->payload_caplen, 5);
    assert_memory_equal(p->payload, "hello", 5);
    assert_true(p->tcp.checksum_seen);
    assert_true(p->tcp.checksum_ok);
    assert_int_equal(p->tcp.mptcp_rst, -1);
    assert_int_equal(p->tcp.wscale, -1);
}

static void make_data(struct strbuf *b, bool v6)
{
    put_tcp(b, &data);
    if (v6)
        wrap_ip6(b, 6, NULL);
    else
        wrap_ip4(b, &(struct ip4){.proto = 6, .id = 77, .frag = 0});
}

/* The same segment behind every link header. */
static void test_links(void **state)
{
    static const struct {
        uint32_t link;
        bool v6;
        const char *header;
        uint16_t vlan;
        int dir;
    } v[] = {
        {LINK_EN10MB, false, ETHERNET "0800", 0, 0},
        {LINK_EN10MB, true, ETHERNET "86dd", 0, 0},
        {LINK_EN10MB, false, ETHERNET "8100 2064 0800", 100, 0},
        {LINK_EN10MB, true, ETHERNET "88a8 0064 8100 00c8 86dd", 100, 0},
        {LINK_EN10MB, false, ETHERNET "9100 0064 8100 00c8 0800", 100, 0},
        {LINK_EN10MB, false, ETHERNET "8847 00064000 000c8140 ", 0, 0},
        {LINK_EN10MB, true, ETHERNET "8864 1100 0001 0041 0057", 0, 0},
        {LINK_EN10MB, false, ETHERNET "8864 1100 0001 0041 0021", 0, 0},
        {LINK_EN10MB, false, ETHERNET "0042 aaaa03 000000 0800", 0, 0},
        {LINK_EN10MB, false, ETHERNET "003d 060603", 0, 0},
        {LINK_LINUX_SLL, false, "0004 0001 0006 020000000001 0000 0800", 0, DIR_OUT},
        {LINK_LINUX_SLL, true, "0000 0001 0006 020000000001 0000 86dd", 0, DIR_IN},
        {LINK_LINUX_SLL, false, "0003 0001 0006 020000000001 0000 8100 0064 0800", 100, 0},
        {LINK_LINUX_SLL2, false, "0800 0000 00000002 0001 04 06 0200000000010000", 0, DIR_OUT},
        {LINK_RAW, false, "", 0, 0},
        {LINK_RAW, true, "", 0, 0},
        {LINK_RAW_12, true, "", 0, 0},
        {LINK_RAW_14, false, "", 0, 0},
        {LINK_IPV4, false, "", 0, 0},
        {LINK_IPV6, true, "", 0, 0},
        {LINK_NULL, false, "02000000", 0, 0},
        {LINK_NULL, false, "00000002", 0, 0},
        {LINK_NULL, true, "1e000000", 0, 0},
        {LINK_NULL, true, "0000001c", 0, 0},
        {LINK_LOOP, true, "00000018", 0, 0},
        {LINK_PPP, false, "ff03 0021", 0, 0},
        {LINK_PPP, true, "0057", 0, 0},
        {LINK_PPP, false, "21", 0, 0},
        {LINK_PPP_SERIAL, false, "ff03 0021", 0, 0},
        {LINK_PPP_ETHER, false, "1100 0001 0041 0021", 0, 0},
        {LINK_C_HDLC, true, "0f00 86dd", 0, 0},
        {LINK_FRELAY, false, "1841 03 cc", 0, 0},
        {LINK_FRELAY, false, "1841 03 00 80 000000 0800", 0, 0},
        {LINK_NFLOG, false, "02 00 0000 0800 0100 0800 0100 0600 0a00 6100 0000 4000 0900", 0, 0},
        {LINK_NFLOG, true, "0a 00 0000 0008 0001 08000100 0040 0009", 0, 0},
        {LINK_EN10MB, false,
         ETHERNET "2452 0841 0000 020000000003 020000000001 020000000002 0000 11223300 aaaa03 "
                  "000000 0800",
         0, 0},
        {LINK_FDDI, false, "50 020000000002 020000000001 aaaa03 000000 0800", 0, 0},
        {LINK_NFLOG, true, "07 00 0001 0800 0100 86dd0300 4000 0900", 0, 0},
        {LINK_EN10MB, false, ETHERNET "88e7 00000001 020000000002 020000000001 0800", 0, 0},
        {LINK_EN10MB, true, ETHERNET "8903 0020 020000000002 020000000001 86dd", 0, 0},
        {LINK_IEEE802_11, false,
         "0801 0000 020000000003 020000000001 020000000002 0000 aaaa03 000000 0800", 0, 0},
        {LINK_IEEE802_11_RADIO, true,
         "00 00 0800 00000000 8802 0000 020000000003 020000000001 020000000002 0000 0000 aaaa03 "
         "000000 86dd",
         0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
        struct strbuf b = STRBUF_INIT;
        struct packet p;
        make_data(&b, v[i].v6);
        wrap_hex(&b, v[i].header);
        assert_true(link_known(v[i].link));
        assert_int_equal(decode(&p, &b, v[i].link), 1);
        assert_int_equal(p.src.family, v[i].v6 ? 6 : 4);
        assert_memory_equal(p.src.b, v[i].v6 ? SRC6 : SRC4, v[i].v6 ? 16 : 4);
        assert_memory_equal(p.dst.b, v[i].v6 ? DST6 : DST4, v[i].v6 ? 16 : 4);
        assert_int_equal(p.vlan, v[i].vlan);
        assert_int_equal(p.dir, v[i].dir);
        check_data(&p);
        decode_prefixes(&b, v[i].link);
        strbuf_release(&b);
    }
}

static void test_no_ip(void **state)
{
    static const struct {
        uint32_t link;
        const char *hex;
    } v[] = {
        {LINK_EN10MB, ETHERNET "0806 00010800060400010200"},
        {LINK_EN10MB, ETHERNET "0026 424203000000"},
        {LINK_EN10MB, ETHERNET "8100 0001 8100 0001 8100 0001 8100 0001 8100 0001 8100 0001 8100 "
                               "0001 8100 0001 8100 0001 8100 0001 0800"},
        {LINK_EN10MB, ETHERNET "0800 65"},
        {147, "4500002800000000400600007f0000017f000001"},
        {LINK_PPP, "ff03 c021 0101"},
        {LINK_IEEE802_11, "0841 0000 020000000003 020000000001 020000000002 0000 aaaa03000000"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
        struct strbuf b = STRBUF_INIT;
        struct packet p;
        put_hex(&b, v[i].hex);
        assert_int_equal(decode(&p, &b, v[i].link), 0);
        assert_int_equal(p.src.family, 0);
        decode_prefixes(&b, v[i].link);
        strbuf_release(&b);
    }
    assert_false(link_known(147));
    assert_string_equal(link_name(147), "type 147");
    assert_string_equal(link_name(0xffffffff), "type above 399");
    assert_string_equal(link_name(LINK_LINUX_SLL2), "LINUX_SLL2");
}

static void test_ipv4(void **state)
{
    struct strbuf b = STRBUF_INIT;
    struct packet p;

    (void)state;
    put_tcp(&b, &syn);
    wrap_ip4(&b, &(struct ip4){.proto = 6, .id = 0xbeef, .options = "94040000 01010101"});
    assert_int_equal(decode(&p, &b, LINK_RAW), 1);
    assert_int_equal(p.ttl, 57);
    assert_int_equal(p.ip_id, 0xbeef);
    assert_int_equal(p.ip_len, 28 + 40);
    assert_true(p.ip_checksum_ok);
    assert_false(p.df);
    assert_int_equal(p.tcp.flags, TCP_SYN);
    assert_true(p.tcp.has_mss && p.tcp.mss == 1460);
    assert_true(p.tcp.sack_ok);
    assert_int_equal(p.tcp.wscale, 7);
    assert_int_equal(p.tcp.tsval, 1);
    assert_true(p.tcp.checksum_seen && p.tcp.checksum_ok);
    decode_prefixes(&b, LINK_RAW);

    b.buf[8]--; /* TTL: the header's checksum no longer fits */
    decode(&p, &b, LINK_RAW);
    assert_false(p.ip_checksum_ok);

    put_at16(&b, 2, 0); /* total length 0: segmentation offload */
    decode(&p, &b, LINK_RAW);
    assert_int_equal(p.ip_len, b.len);
    assert_int_equal(p.l4, L4_TCP);

    put_at16(&b, 2, 2000); /* more than the frame had, and the sum is wrong: changed underway */
    decode(&p, &b, LINK_RAW);
    assert_int_equal(p.payload_len, b.len - 28 - 40);

    put_at16(&b, 10, 0); /* with a right sum: somebody cut the record, and the frame's length too */
    put_at16(&b, 10, 0xffffU & ~(unsigned)inet_checksum(0, (const uint8_t *)b.buf, 28));
    decode(&p, &b, LINK_RAW);
    assert_true(p.ip_checksum_ok);
    assert_true(p.truncated);
    assert_int_equal(p.payload_len, 2000 - 28 - 40);
    assert_int_equal(p.payload_caplen, 0);
    assert_false(p.tcp.checksum_seen);

    put_at16(&b, 2, 24); /* less than its own header */
    assert_int_equal(decode(&p, &b, LINK_RAW), 1);
    assert_true(p.bad_ip);
    assert_int_equal(p.l4, L4_NONE);
    strbuf_release(&b);
}

/* Ethernet pads short frames: those bytes are no payload. */
static void test_padding(void **state)
{
    struct strbuf b = STRBUF_INIT;
    struct seg ack = {.sport = 1, .dport = 2, .seq = 3, .ack = 4, .flags = TCP_ACK};
    struct packet p;

    (void)state;
    put_tcp(&b, &ack);
    wrap_ip4(&b, &(struct ip4){.proto = 6});
    wrap_hex(&b, ETHERNET "0800");
    strbuf_addchars(&b, 'x', 6);
    decode(&p, &b, LINK_EN10MB);
    assert_int_equal(p.payload_len, 0);
    assert_int_equal(p.payload_caplen, 0);
    assert_false(p.truncated);
    assert_true(p.tcp.checksum_ok);
    assert_int_equal(p.mac_src[5], 1);
    assert_int_equal(p.mac_dst[5], 2);
    strbuf_release(&b);
}

static void test_ipv6_extensions(void **state)
{
    static const struct {
        uint8_t next;
        const char *hex;
        int l4;
    } v[] = {
        {0, "06 00 01040000 0000", L4_TCP},                      /* hop-by-hop */
        {60, "06 01 010c0000 0000 0000 0000 0000 0000", L4_TCP}, /* destination options */
        {43, "06 02 0000 00000000" SRC6_HEX, L4_TCP},            /* routing, none left */
        {0, "2b 00 010400000000 3c 00 0000 00000000 06 00 010400000000", L4_TCP},
        {51, "06 04 0000 00000001 00000001 000000000000000000000000", L4_TCP}, /* AH */
        {44, "06 00 0000 00000001", L4_TCP},                                   /* atomic fragment */
        {135, "06 00 010400000000", L4_TCP},
        {59, "06 00 010400000000", L4_NONE},
        {50, "06 00 010400000000", L4_OTHER},
        {0, "06 ff 010400000000", L4_NONE}, /* longer than the packet */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
        struct strbuf b = STRBUF_INIT;
        struct packet p;
        put_tcp(&b, &data);
        fill_tcp_sum(&b, SRC6, DST6, 16);
        wrap_ip6(&b, v[i].next, v[i].hex);
        assert_int_equal(decode(&p, &b, LINK_RAW), 1);
        assert_int_equal(p.l4, v[i].l4);
        assert_int_equal(p.flow_label, 0x12345);
        assert_int_equal(p.ttl, 61);
        if (v[i].l4 == L4_TCP)
            check_data(&p);
        decode_prefixes(&b, LINK_RAW);
        strbuf_release(&b);
    }
}

/* A routing header with segments left: the sum is over an address that is not in the header. */
static void test_routing_sum(void **state)
{
    struct strbuf b = STRBUF_INIT;
    struct packet p;
    bool ok;

    (void)state;
    put_tcp(&b, &data);
    wrap_ip6(&b, 43, "06 02 0001 00000000" SRC6_HEX);
    decode(&p, &b, LINK_RAW);
    assert_int_equal(p.l4, L4_TCP);
    assert_false(p.tcp.checksum_seen);
    assert_false(packet_tcp_checksum(&p, &ok));
    strbuf_release(&b);
}

static void test_jumbo(void **state)
{
    struct strbuf b = STRBUF_INIT;
    struct packet p;

    (void)state;
    put_tcp(&b, &data);
    strbuf_addchars(&b, 'j', 70000);
    size_t len = b.len + 8;
    wrap_ip6(&b, 0, "06 00 c204 00011234");
    put_at16(&b, 4, 0);
    put_at16(&b, 44, (unsigned)(len >> 16));
    put_at16(&b, 46, len & 65535);
    decode(&p, &b, LINK_RAW);
    assert_int_equal(p.payload_len, 70005);
    assert_int_equal(p.ip_len, len + 40);
    put_at16(&b, 44, 0xffff); /* four gigabytes are a lie */
    decode(&p, &b, LINK_RAW);
    assert_true(p.bad_ip);
    assert_int_equal(p.payload_len, 70005);
    strbuf_release(&b);
}

static void option_case(const char *options, struct packet *p)
{
    struct strbuf b = STRBUF_INIT;
    struct seg s = {.flags = TCP_RST, .options = options};

    put_tcp(&b, &s);
    wrap_ip4(&b, &(struct ip4){.proto = 6});
    decode(p, &b, LINK_RAW);
    assert_int_equal(p->l4, L4_TCP);
    decode_prefixes(&b, LINK_RAW);
    strbuf_release(&b);
}

static void test_options(void **state)
{
    struct packet p;

    (void)state;
    option_case("1e04 80 03", &p); /* MP_TCPRST, reason 3 */
    assert_int_equal(p.tcp.mptcp_rst, 3);
    option_case("1e08 00 00 00000001", &p); /* MP_CAPABLE */
    assert_int_equal(p.tcp.mptcp_rst, -1);
    option_case("220a 1122334455667788", &p);
    assert_true(p.tcp.has_tfo);
    option_case("fe04 f989", &p);
    assert_true(p.tcp.has_tfo);
    option_case("fe04 aaaa", &p);
    assert_false(p.tcp.has_tfo);
    option_case("0101 050a 00000001 00000002", &p);
    assert_int_equal(p.tcp.nsack, 1);
    assert_int_equal(p.tcp.sack[0].left, 1);
    assert_int_equal(p.tcp.sack[0].right, 2);
    option_case("0522 00000001 00000002 00000003 00000004 00000005 00000006 00000007 00000008", &p);
    assert_int_equal(p.tcp.nsack, 4);
    option_case("0303 ff", &p);
    assert_int_equal(p.tcp.wscale, 14);
    assert_false(p.tcp.bad_options);
    option_case("0200 0000", &p); /* length 0 */
    assert_true(p.tcp.bad_options);
    option_case("080a 0000", &p); /* longer than the header */
    assert_true(p.tcp.bad_options);
    option_case("00 ffffff", &p); /* end of options: what follows is padding */
    assert_false(p.tcp.bad_options);
}

static void test_header_length(void **state)
{
    struct strbuf b = STRBUF_INIT;
    struct packet p;

    (void)state;
    put_tcp(&b, &data);
    wrap_ip4(&b, &(struct ip4){.proto = 6});
    b.buf[32] = 0x10; /* 4 bytes: less than a header */
    decode(&p, &b, LINK_RAW);
    assert_int_equal(p.l4, L4_TCP);
    assert_true(p.tcp.bad_options);
    assert_int_equal(p.payload_len, 0);
    decode_prefixes(&b, LINK_RAW);
    b.buf[32] = (char)0xf0; /* 60 bytes: more than the packet */
    decode(&p, &b, LINK_RAW);
    assert_true(p.tcp.bad_options);
    assert_int_equal(p.payload_len, 0);
    decode_prefixes(&b, LINK_RAW);
    strbuf_release(&b);
}

static void test_checksum(void **state)
{
    struct strbuf b = STRBUF_INIT;
    struct seg s = {.sport = 1, .dport = 2, .flags = TCP_ACK};
    struct packet p;
    bool ok = false;

    (void)state;
    put_tcp(&b, &s);
    strbuf_addchars(&b, 'd', 333); /* odd, and too long to be summed unasked */
    wrap_ip4(&b, &(struct ip4){.proto = 6});
    decode(&p, &b, LINK_RAW);
    assert_false(p.tcp.checksum_seen);
    assert_true(packet_tcp_checksum(&p, &ok));
    assert_true(ok);
    b.buf[b.len - 1] ^= 1;
    decode(&p, &b, LINK_RAW);
    assert_true(packet_tcp_checksum(&p, &ok));
    assert_false(ok);
    struct record rec = record_of(&b, LINK_RAW);
    rec.caplen -= 1;
    packet_decode(&p, &rec, NULL);
    assert_false(packet_tcp_checksum(&p, &ok));

    /* A sum left to the network card is the pseudo header's. */
    strbuf_reset(&b);
    put_tcp(&b, &s);
    wrap_ip4(&b, &(struct ip4){.proto = 6, .no_sum = true});
    uint32_t pseudo =
        inet_checksum(inet_checksum(0, (const uint8_t *)SRC4, 4), (const uint8_t *)DST4, 4);
    put_at16(&b, 36, inet_checksum(pseudo + 6 + 20, NULL, 0));
    decode(&p, &b, LINK_RAW);
    assert_true(p.tcp.checksum_seen);
    assert_false(p.tcp.checksum_ok);
    assert_true(p.tcp.checksum_partial);
    put_at16(&b, 36, 0x1234);
    decode(&p, &b, LINK_RAW);
    assert_false(p.tcp.checksum_ok || p.tcp.checksum_partial);
    strbuf_release(&b);
}

static void test_sums(void **state)
{
    (void)state; /* the example of RFC 1071 section 3 */
    assert_int_equal(inet_checksum(0, (const uint8_t *)"\x00\x01\xf2\x03\xf4\xf5\xf6\xf7", 8),
                     0xddf2);
    assert_int_equal(inet_checksum(0, (const uint8_t *)"\x12", 1), 0x1200);
    assert_int_equal(inet_checksum(0xffff0001, NULL, 0), 1);
}

/* The flow in a tunnel is the one that shows; what is no IP in it leaves the outer packet. */
static void test_tunnels(void **state)
{
    static const struct {
        uint8_t proto;
        const char *header;
        bool v6;
    } v[] = {
        {4, "", false},
        {41, "", true},
        {47, "0000 0800", false},
        {47, "b000 86dd 00000000 00000001 00000002", true},
        {47, "3081 880b 00410001 00000001 00000002 ff03 0021", false},
        {47, "0000 6558" ETHERNET "0800", false},
        {47, "1000 88be 00000001 0000000000000000" ETHERNET "0800", false},
        {17, "cc00 12b5 0000 0000 08000000 00000100" ETHERNET "86dd", true},
        {17, "cc00 17c1 0000 0000 0200 6558 00000100 0000000000000000" ETHERNET "0800", false},
        {17, "cc00 17c1 0000 0000 0000 86dd 00000100", true},
        {17, "0868 0868 0000 0000 30ff 0058 00000001", false},
        {17, "0868 0868 0000 0000 34ff 0058 00000001 00000085 01100900", true},
        {47, "3081 0800 00410001 00000001 00000002", false},
        {47, "0000 8200 0801 0000 020000000003 020000000001 020000000002 0000 aaaa03 000000 0800",
         false},
        /* QoS data with an A-MSDU: destination, source and length before the LLC header */
        {47,
         "0000 8200 8801 0000 020000000003 020000000001 020000000002 0000 8000 020000000002 "
         "020000000001 0040 aaaa03 000000 0800",
         false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
        struct strbuf b = STRBUF_INIT;
        struct packet p;
        make_data(&b, v[i].v6);
        wrap_hex(&b, v[i].header);
        wrap_ip4(&b, &(struct ip4){.proto = v[i].proto});
        assert_int_equal(decode(&p, &b, LINK_RAW), 1);
        assert_true(p.tunnelled);
        assert_int_equal(p.src.family, v[i].v6 ? 6 : 4);
        check_data(&p);
        decode_prefixes(&b, LINK_RAW);
        /* a tunnel in a tunnel stays closed */
        wrap_ip4(&b, &(struct ip4){.proto = 4});
        assert_int_equal(decode(&p, &b, LINK_RAW), 1);
        assert_int_not_equal(p.l4, L4_TCP);
        decode_prefixes(&b, LINK_RAW);
        strbuf_release(&b);
    }
    struct strbuf b = STRBUF_INIT;
    struct packet p;
    make_data(&b, false); /* the inner header lies: nothing of the outer one shows instead */
    b.buf[32] = 0x10;
    wrap_hex(&b, "cc00 12b5 0000 0000 08000000 00000100" ETHERNET "0800");
    wrap_ip4(&b, &(struct ip4){.proto = 17});
    assert_int_equal(decode(&p, &b, LINK_RAW), 1);
    assert_int_equal(p.l4, L4_TCP);
    assert_int_equal(p.payload_len, 0);
    assert_int_equal(p.udp_dport, 0);
    strbuf_reset(&b);
    put_hex(&b, "0000 88cc 0207");
    wrap_ip4(&b, &(struct ip4){.proto = 47});
    assert_int_equal(decode(&p, &b, LINK_RAW), 1);
    assert_false(p.tunnelled);
    assert_int_equal(p.l4, L4_OTHER);
    assert_int_equal(p.src.family, 4);
    strbuf_release(&b);
}

/* RFC 4380: IPv6 in UDP on any port, behind authentication and origin; an address of 2001::/32. */
static void test_teredo(void **state)
{
    static const char *const heads[] = {"", "0000 1234 01020304",
                                        "0001 0102 aa bbbb 0102030405060708 00",
                                        "0001 0000 0102030405060708 00 0000 1234 01020304"};
    struct packet p;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(heads) * 2; i++) {
        struct strbuf b = STRBUF_INIT;
        bool teredo = i % 2 == 0;
        make_data(&b, true);
        if (teredo)
            memcpy(b.buf + (i % 4 ? 24 : 8), "\x20\x01\0\0", 4);
        wrap_hex(&b, heads[i / 2]);
        wrap_hex(&b, "ceb4 0ed5 0000 0000");
        wrap_ip4(&b, &(struct ip4){.proto = 17});
        assert_int_equal(decode(&p, &b, LINK_RAW), 1);
        assert_int_equal(p.tunnelled, teredo);
        assert_int_equal(p.src.family, teredo ? 6 : 4);
        assert_int_equal(p.l4, teredo ? L4_TCP : L4_UDP);
        decode_prefixes(&b, LINK_RAW);
        strbuf_release(&b);
    }
}

static void test_udp(void **state)
{
    struct strbuf b = STRBUF_INIT;
    struct packet p;

    (void)state;
    put_hex(&b, "1234 0035 000b 0000 61626364");
    wrap_ip4(&b, &(struct ip4){.proto = 17});
    decode(&p, &b, LINK_RAW);
    assert_int_equal(p.l4, L4_UDP);
    assert_int_equal(p.udp_sport, 0x1234);
    assert_int_equal(p.udp_dport, 53);
    assert_int_equal(p.payload_len, 3); /* by the UDP length */
    decode_prefixes(&b, LINK_RAW);
    strbuf_release(&b);
}

static void test_icmp(void **state)
{
    struct strbuf b = STRBUF_INIT;
    struct packet p;
    char text[64];

    (void)state;
    put_tcp(&b, &syn);
    wrap_ip4(&b, &(struct ip4){.proto = 6});
    strbuf_setlen(&b, 28); /* eight bytes of TCP are quoted, as RFC 792 asks */
    wrap_hex(&b, "0304 0000 0000 0578");
    wrap_ip4(&b, &(struct ip4){.proto = 1});
    decode(&p, &b, LINK_RAW);
    assert_int_equal(p.l4, L4_ICMP);
    assert_int_equal(p.icmp.mtu, 1400);
    assert_true(p.icmp.quoted && p.icmp.ports_seen && p.icmp.seq_seen);
    assert_int_equal(p.icmp.quoted_l4, L4_TCP);
    assert_int_equal(p.icmp.sport, 40000);
    assert_int_equal(p.icmp.dport, 443);
    assert_int_equal(p.icmp.seq, 0x01020304);
    assert_memory_equal(p.icmp.dst.b, DST4, 4);
    assert_string_equal(icmp_text(text, sizeof(text), false, 3, 4), "fragmentation needed");
    assert_string_equal(icmp_text(text, sizeof(text), false, 3, 99), "destination unreachable");
    assert_string_equal(icmp_text(text, sizeof(text), false, 77, 9), "ICMP 77/9");
    decode_prefixes(&b, LINK_RAW);

    strbuf_reset(&b);
    put_tcp(&b, &syn);
    wrap_ip6(&b, 6, NULL);
    wrap_hex(&b, "0104 0000 00000000");
    wrap_ip6(&b, 58, NULL);
    decode(&p, &b, LINK_RAW);
    assert_int_equal(p.l4, L4_ICMP6);
    assert_true(p.icmp.quoted && p.icmp.seq_seen);
    assert_memory_equal(p.icmp.dst.b, DST6, 16);
    assert_string_equal(icmp_text(text, sizeof(text), true, 1, 4), "port unreachable");
    decode_prefixes(&b, LINK_RAW);

    strbuf_reset(&b);
    put_hex(&b, "0800 0000 00010001 41424344");
    wrap_ip4(&b, &(struct ip4){.proto = 1});
    decode(&p, &b, LINK_RAW);
    assert_false(p.icmp.quoted);
    strbuf_release(&b);
}

static void test_flags(void **state)
{
    char out[9];

    (void)state;
    assert_string_equal(tcp_flags_text(out, TCP_SYN | TCP_ACK), "SA");
    assert_string_equal(tcp_flags_text(out, TCP_PSH | TCP_ACK), "PA");
    assert_string_equal(tcp_flags_text(out, TCP_FIN | TCP_ACK), "FA");
    assert_string_equal(tcp_flags_text(out, TCP_RST), "R");
    assert_string_equal(tcp_flags_text(out, TCP_RST | TCP_ACK), "RA");
    assert_string_equal(tcp_flags_text(out, 0), "-");
    assert_string_equal(tcp_flags_text(out, 0xff), "SFRPAUEC");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_no_ip),
        cmocka_unit_test(test_ipv4),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_ipv6_extensions),
        cmocka_unit_test(test_routing_sum),
        cmocka_unit_test(test_jumbo),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_header_length),
        cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_tunnels),
        cmocka_unit_test(test_teredo),
        cmocka_unit_test(test_udp),
        cmocka_unit_test(test_icmp),
        cmocka_unit_test(test_flags),
    };

    return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
