/* First bytes of streams, DNS messages, the payload of a RST: { ports hint 8 bits, bytes }. */
#include "fuzz.h"

static void walk_dns(const uint8_t *data, size_t size)
{
    struct dns_walk w;
    struct dns_record rr;
    char name[256], word[16];

    if (!dns_walk_init(&w, data, size))
        return;
    for (int i = 0; i < 1000 && dns_walk_next(&w, &rr); i++) {
        must_be_clean(rr.name, sizeof(rr.name));
        must_be_clean(dns_type_name(word, rr.type), sizeof(word));
        if (dns_name(&rr.data, data, size, name, sizeof(name)))
            must_be_clean(name, sizeof(name));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t ports[] = {443, 53, 80, 25, 21};
    struct app a;
    char text[160];

    if (size == 0)
        return 0;
    uint16_t port = ports[data[0] % ARRAY_SIZE(ports)];
    data++;
    size--;
    bool got = app_decode(&a, data, size, 40000, port);
    MUST(got == (size > 0) && got == (a.kind != APP_NONE));
    must_be_clean(a.text, sizeof(a.text));
    must_be_clean(a.name, sizeof(a.name));
    must_be_clean(a.alpn, sizeof(a.alpn));
    must_be_clean(a.method, sizeof(a.method));
    MUST(a.header_len <= size && a.content_length >= -1);
    MUST(app_name(a.kind)[0]);
    if (rst_payload_text(text, sizeof(text), data, size))
        must_be_clean(text, sizeof(text));
    dns_decode(&a, data, size);
    must_be_clean(a.text, sizeof(a.text));
    walk_dns(data, size);
    return 0;
}

void fuzz_seeds(fuzz_add add, void *arg)
{
    static const struct {
        const char *bytes;
        size_t len;
    } seeds[] = {
#define SEED(s) {s, sizeof(s) - 1}
        SEED("\0\x16\3\1\0\x49\1\0\0\x45\3\3rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr\0\0\2\x13\1\1\0\0\x1a"
             "\0\0\0\7\0\5\0\0\2ab\0\x10\0\5\0\3\2h2\0\x2b\0\3\2\3\4"),
        SEED("\0\x16\3\3\0\x30\2\0\0\x2c\3\3rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr\0\x13\1\0\0\6\0\x2b\0"
             "\2\3\4"),
        SEED("\0\x15\3\3\0\2\2\x46"),
        SEED("\0\x80\x2b\1\3\1\0\x12\0\0\0\x10\0\xc0\x3c\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf"
             "0123456789abcdef"),
        SEED("\2POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: a, "
             "chunked\r\n"
             "Connection: close\r\n\r\nhello"),
        SEED("\2HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"),
        SEED("\2PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        SEED("\2\0\0\0\4\0\0\0\0\0\0\0\x8\7\0\0\0\0\0\0\0\0\1\0\0\0\xb"),
        SEED("\1\x12\x34\x81\x80\0\1\0\2\0\0\0\0\1a\7example\0\0\1\0\1\xc0\xc\0\5\0\1\0\0\0\1\0\4"
             "\1b\xc0\xe\xc0\xc\0\1\0\1\0\0\0\1\0\4\1\2\3\4"),
        SEED("\1\0\x1b\x12\x34\1\0\0\1\0\0\0\0\0\0\1a\7example\0\0\x1c\0\1"),
        SEED("\3\x32\x32\x30 mail ESMTP\r\n"),
        SEED("\4SSH-2.0-x\r\n"),
        SEED("\0\x19\x30\x39\xa2\1\2\3\x64text"),
        SEED("\0\x33\xaa\0\1\0\0\0\0"),
        SEED("\0BIG-IP: no listener"),
    };

    for (size_t i = 0; i < ARRAY_SIZE(seeds); i++)
        add(arg, seeds[i].bytes, seeds[i].len);
}

static unsigned hint(const struct packet *p)
{
    uint16_t a = p->l4 == L4_UDP ? p->udp_dport : p->tcp.dport;

    return a == 53 ? 1 : a == 80 ? 2 : a == 25 ? 3 : a == 21 ? 4 : 0;
}

void fuzz_seeds_of_capture(const uint8_t *file, size_t len, fuzz_add add, void *arg)
{
    struct capread r;
    struct record rec;
    struct packet p;
    struct strbuf b = STRBUF_INIT;
    size_t at = 0, used;
    int taken = 0;

    capread_init(&r);
    while (taken < 6 && r.records < 40 && capread_next(&r, file + at, len - at, &used, &rec) == 1) {
        at += used;
        if (!packet_decode(&p, &rec, NULL) || (p.l4 != L4_TCP && p.l4 != L4_UDP) ||
            !p.payload_caplen)
            continue;
        strbuf_reset(&b);
        strbuf_addch(&b, (char)hint(&p));
        strbuf_add(&b, p.payload, MIN_OF(p.payload_caplen, 600));
        add(arg, b.buf, b.len);
        taken++;
    }
    capread_release(&r);
    strbuf_release(&b);
}
