/* Redaction: the packets of fuzz_decode.c. What is read off a redacted packet is what was read off
 * it before, but for who is meant; a checksum is as right as it was; and nothing of a payload is
 * left. */
#include "fuzz.h"

#include "redact/redact.h"

static struct redactor *r;

/* In OpenSSL's place: with one key what was found can be found again. */
int RAND_bytes(unsigned char *buf, int num);
int RAND_bytes(unsigned char *buf, int num)
{
    memset(buf, 0x5a, (size_t)num);
    return 1;
}

static void same_addr(struct addr a, const struct addr *b)
{
    redact_addr(r, &a);
    MUST(addr_equal(&a, b));
}

static void same_tcp(const struct packet *a, const struct packet *b)
{
    const struct tcp_header *x = &a->tcp, *y = &b->tcp;
    bool ok_x, ok_y;

    MUST(x->sport == y->sport && x->dport == y->dport && x->seq == y->seq && x->ack == y->ack);
    MUST(x->flags == y->flags && x->window == y->window && x->urgent == y->urgent);
    MUST(x->header_len == y->header_len && x->options_len == y->options_len);
    MUST(x->nsack == y->nsack && x->wscale == y->wscale && x->mptcp_rst == y->mptcp_rst);
    MUST(x->has_mss == y->has_mss && x->sack_ok == y->sack_ok && x->has_ts == y->has_ts);
    MUST(x->has_tfo == y->has_tfo && x->bad_options == y->bad_options && x->mss == y->mss);
    MUST(x->tsval == y->tsval && x->tsecr == y->tsecr);
    MUST(x->checksum_seen == y->checksum_seen && x->checksum_ok == y->checksum_ok);
    MUST(x->checksum_partial == y->checksum_partial);
    bool seen = packet_tcp_checksum(a, &ok_x);
    MUST(seen == packet_tcp_checksum(b, &ok_y) && (!seen || ok_x == ok_y));
}

static void same(const struct packet *a, const struct packet *b)
{
    MUST(a->l4 == b->l4 && a->dir == b->dir && a->mac_seen == b->mac_seen && a->vlan == b->vlan);
    MUST(a->truncated == b->truncated && a->fragment == b->fragment && a->bad_ip == b->bad_ip);
    MUST(a->tunnelled == b->tunnelled && a->sum_void == b->sum_void);
    MUST(a->ttl == b->ttl && a->tos == b->tos && a->df == b->df && a->ip_id == b->ip_id);
    MUST(a->ip_checksum_ok == b->ip_checksum_ok && a->flow_label == b->flow_label);
    MUST(a->ip_len == b->ip_len && a->payload_len == b->payload_len);
    MUST(a->payload_caplen == b->payload_caplen);
    same_addr(a->src, &b->src);
    same_addr(a->dst, &b->dst);
    if (a->l4 == L4_TCP)
        same_tcp(a, b);
    if (a->l4 == L4_UDP)
        MUST(a->udp_sport == b->udp_sport && a->udp_dport == b->udp_dport);
    if (a->l4 == L4_ICMP || a->l4 == L4_ICMP6) {
        MUST(a->icmp.type == b->icmp.type && a->icmp.code == b->icmp.code);
        MUST(a->icmp.quoted == b->icmp.quoted && a->icmp.quoted_l4 == b->icmp.quoted_l4);
        MUST(a->icmp.sport == b->icmp.sport && a->icmp.dport == b->icmp.dport);
        MUST(a->icmp.seq == b->icmp.seq && a->icmp.mtu == b->icmp.mtu);
        if (a->icmp.quoted) {
            same_addr(a->icmp.src, &b->icmp.src);
            same_addr(a->icmp.dst, &b->icmp.dst);
        }
    }
}

static void one(const struct record *rec)
{
    struct record mine = *rec;
    struct packet a, b;
    uint8_t *out = malloc(rec->caplen ? rec->caplen : 1);

    if (!out)
        return;
    redact_packet(r, rec, out);
    mine.data = out;
    int was = packet_decode(&a, rec, NULL), is = packet_decode(&b, &mine, NULL);
    MUST(was == is);
    if (was)
        same(&a, &b);
    free(out);
}

static void texts(const uint8_t *data, size_t size)
{
    struct strbuf sb = STRBUF_INIT;

    redact_text(r, REDACT_WORDS, (const char *)data, size, &sb);
    redact_text(r, REDACT_STRICT, (const char *)data, size, &sb);
    strbuf_release(&sb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_of(data, size);

    if (!r && redactor_new(&r))
        return 0;
    for (int i = 1; cur_left(&c) >= 5; i++) {
        struct record rec = {.number = (uint64_t)i, .time = i * NS_PER_MS};
        rec.link = cur_be16(&c);
        uint32_t beyond = cur_u8(&c);
        struct cursor bytes = cur_sub(&c, cur_be16(&c));
        rec.caplen = (uint32_t)cur_left(&bytes);
        rec.len = rec.caplen + beyond;
        rec.data = bytes.p;
        one(&rec);
    }
    texts(data, size);
    return 0;
}

static void put_segment(struct strbuf *b, const char *payload, size_t len, bool reset)
{
    static const char head[] = "\x45\0\0\0\0\1\0\0\x40\6\0\0\xc0\0\2\1\xc0\0\2\2\x9c\x40\0\x50"
                               "\1\2\3\4\0\0\0\0\x50\x18\4\0\0\0\0\0";
    char packet[2048];

    memcpy(packet, head, 40);
    memcpy(packet + 40, payload, len);
    packet[2] = (char)((40 + len) >> 8);
    packet[3] = (char)(40 + len);
    packet[33] = reset ? 0x14 : 0x18;
    put_packet(b, LINK_RAW, packet, 40 + len);
}

void fuzz_seeds(fuzz_add add, void *arg)
{
    static const char http[] =
        "GET /secret/path?q=1 HTTP/1.1\r\nHost: inner.example\r\nCookie: a=b\r\n"
        "Content-Length: 3\r\n\r\nabc",
                      answer[] =
                          "HTTP/1.1 403 Forbidden\r\nServer: thing\r\nConnection: close\r\n\r\n"
                          "Access denied to 192.0.2.7",
                      smtp[] = "220 mail.example ESMTP ready\r\n", big[] = "BIG-IP: [0x1:3] {peer}",
                      cbor[] = "\x19\x30\x39\xa2\1\7\3\x63"
                               "abc",
                      goaway[] = "\0\0\x8\7\0\0\0\0\0\0\0\0\0\0\0\0\2",
                      alert[] = "\x15\3\3\0\2\2\x46",
                      hello[] =
                          "\x16\3\1\0\x43\1\0\0\x3f\3\3................................\0\0\2\x13\1"
                          "\1\0\0\x14\0\0\0\x10\0\xe\0\0\xb"
                          "inner.world";
    struct strbuf b = STRBUF_INIT;
    const struct {
        const char *p;
        size_t n;
    } payloads[] = {{http, sizeof(http) - 1},   {answer, sizeof(answer) - 1},
                    {smtp, sizeof(smtp) - 1},   {big, sizeof(big) - 1},
                    {cbor, sizeof(cbor) - 1},   {goaway, sizeof(goaway) - 1},
                    {alert, sizeof(alert) - 1}, {hello, sizeof(hello) - 1}};

    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        strbuf_reset(&b);
        put_segment(&b, payloads[i].p, payloads[i].n, false);
        put_segment(&b, payloads[i].p, payloads[i].n, true);
        add(arg, b.buf, b.len);
    }
    static const uint8_t dns[] =
        "\x45\0\0\x3c\0\1\0\0\x40\x11\0\0\xc0\0\2\1\xc0\0\2\2\x9c\x40\0\x35"
        "\0\x28\0\0\1\2\1\0\0\1\0\0\0\0\0\0\5inner\7example\0\0\1\0\1";
    static const uint8_t arp[] =
        "\xff\xff\xff\xff\xff\xff\2\0\0\0\0\1\x8\6\0\1\x8\0\6\4\0\1\2\0\0\0\0\1"
        "\xc0\0\2\1\0\0\0\0\0\0\xc0\0\2\2";
    strbuf_reset(&b);
    put_packet(&b, LINK_RAW, dns, sizeof(dns) - 1);
    put_packet(&b, LINK_EN10MB, arp, sizeof(arp) - 1);
    add(arg, b.buf, b.len);
    static const char log[] =
        "upstream timed out (110: Connection timed out) while connecting to "
        "upstream, client: 10.1.2.3, server: [2001:db8::1]:443, 02:00:00:00:00:01";
    add(arg, log, sizeof(log) - 1);
    strbuf_release(&b);
}

void fuzz_seeds_of_capture(const uint8_t *file, size_t len, fuzz_add add, void *arg)
{
    add_first_packets(file, len, 1400, add, arg);
}
