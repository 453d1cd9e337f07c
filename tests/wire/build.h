/* Packets made by hand for the tests: each function appends to a strbuf, or wraps what is in it. */
#ifndef TESTS_WIRE_BUILD_H
#define TESTS_WIRE_BUILD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "wire/wire.h"

#define SRC4 "\xc0\x00\x02\x01" /* 192.0.2.1 */
#define DST4 "\xc6\x33\x64\x02" /* 198.51.100.2 */
#define SRC6 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
#define DST6 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"

static inline void put8(struct strbuf *b, unsigned v)
{
    strbuf_addch(b, (char)v);
}
static inline void put16(struct strbuf *b, unsigned v)
{
    put8(b, v >> 8);
    put8(b, v & 255);
}
static inline void put32(struct strbuf *b, uint32_t v)
{
    put16(b, v >> 16);
    put16(b, v & 65535);
}
/* "45 00 00 3c", spaces as one likes. */
static inline void put_hex(struct strbuf *b, const char *hex)
{
    int half = -1;

    for (; *hex; hex++) {
        const char *digits = "0123456789abcdef", *at = strchr(digits, *hex);
        if (!at)
            continue;
        if (half < 0)
            half = (int)(at - digits);
        else {
            put8(b, (unsigned)(half << 4 | (int)(at - digits)));
            half = -1;
        }
    }
}
static inline void put_at16(struct strbuf *b, size_t at, unsigned v)
{
    b->buf[at] = (char)(v >> 8);
    b->buf[at + 1] = (char)v;
}
/* Puts `header` in front of what is in b. */
static inline void wrap(struct strbuf *b, struct strbuf *header)
{
    strbuf_add(header, b->buf, b->len);
    strbuf_reset(b);
    strbuf_add(b, header->buf, header->len);
    strbuf_release(header);
}

struct seg {
    uint16_t sport, dport;
    uint32_t seq, ack;
    uint8_t flags;
    const char *options; /* hex */
    const char *data;
};
/* A TCP segment; its checksum is filled by wrap_ip4 and wrap_ip6. */
static inline void put_tcp(struct strbuf *b, const struct seg *s)
{
    struct strbuf o = STRBUF_INIT;

    if (s->options)
        put_hex(&o, s->options);
    while (o.len % 4)
        put8(&o, 0);
    put16(b, s->sport);
    put16(b, s->dport);
    put32(b, s->seq);
    put32(b, s->ack);
    put8(b, (unsigned)((20 + o.len) / 4) << 4);
    put8(b, s->flags);
    put16(b, 1024);
    put32(b, 0);
    strbuf_add(b, o.buf, o.len);
    if (s->data)
        strbuf_addstr(b, s->data);
    strbuf_release(&o);
}
static inline void fill_tcp_sum(struct strbuf *b, const char *src, const char *dst, size_t alen)
{
    uint32_t sum = inet_checksum(0, (const uint8_t *)src, alen);

    sum += inet_checksum(0, (const uint8_t *)dst, alen);
    sum += 6 + (uint32_t)b->len;
    put_at16(b, 16, 0);
    put_at16(b, 16, 0xffffU & ~(unsigned)inet_checksum(sum, (const uint8_t *)b->buf, b->len));
}
struct ip4 {
    uint8_t proto;
    uint16_t id, frag; /* the whole flags and offset word */
    const char *options;
    bool no_sum; /* the TCP checksum stays as it is */
};
static inline void wrap_ip4(struct strbuf *b, const struct ip4 *h)
{
    struct strbuf o = STRBUF_INIT, ip = STRBUF_INIT;

    if (h->options)
        put_hex(&o, h->options);
    if (h->proto == 6 && b->len >= 20 && !h->frag && !h->no_sum)
        fill_tcp_sum(b, SRC4, DST4, 4);
    put8(&ip, 0x40 | (unsigned)(20 + o.len) / 4);
    put8(&ip, 0);
    put16(&ip, (unsigned)(20 + o.len + b->len));
    put16(&ip, h->id);
    put16(&ip, h->frag);
    put8(&ip, 57);
    put8(&ip, h->proto);
    put16(&ip, 0);
    strbuf_add(&ip, SRC4, 4);
    strbuf_add(&ip, DST4, 4);
    strbuf_add(&ip, o.buf, o.len);
    put_at16(&ip, 10, 0xffffU & ~(unsigned)inet_checksum(0, (const uint8_t *)ip.buf, ip.len));
    strbuf_release(&o);
    wrap(b, &ip);
}
/* extensions: hex, whose last next-header byte is already the transport's. */
static inline void wrap_ip6(struct strbuf *b, uint8_t next, const char *extensions)
{
    struct strbuf e = STRBUF_INIT, ip = STRBUF_INIT;

    if (next == 6 && !extensions)
        fill_tcp_sum(b, SRC6, DST6, 16);
    if (extensions)
        put_hex(&e, extensions);
    put32(&ip, 0x60012345);
    put16(&ip, (unsigned)(e.len + b->len));
    put8(&ip, next);
    put8(&ip, 61);
    strbuf_add(&ip, SRC6, 16);
    strbuf_add(&ip, DST6, 16);
    strbuf_add(&ip, e.buf, e.len);
    strbuf_release(&e);
    wrap(b, &ip);
}
static inline void wrap_hex(struct strbuf *b, const char *hex)
{
    struct strbuf h = STRBUF_INIT;

    put_hex(&h, hex);
    wrap(b, &h);
}
#define SRC6_HEX "20010db8000000000000000000000001"
#define ETHERNET "020000000002 020000000001 "

static inline struct record record_of(const struct strbuf *b, uint32_t link)
{
    return (struct record){
        .number = 1,
        .time = NS_PER_SEC,
        .caplen = (uint32_t)b->len,
        .len = (uint32_t)b->len,
        .link = link,
        .data = (const uint8_t *)b->buf,
    };
}
static inline int decode(struct packet *pkt, const struct strbuf *b, uint32_t link)
{
    struct record rec = record_of(b, link);

    return packet_decode(pkt, &rec, NULL);
}
/* Every prefix, in a block of exactly its size: a sanitizer sees the first byte read past it. */
static inline void decode_prefixes(const struct strbuf *b, uint32_t link)
{
    for (size_t n = 0; n <= b->len; n++) {
        struct record rec = record_of(b, link);
        struct packet pkt;
        uint8_t *exact = malloc(n ? n : 1);
        bool ok;
        assert_non_null(exact);
        memcpy(exact, b->buf, n);
        rec.data = exact;
        rec.caplen = (uint32_t)n;
        packet_decode(&pkt, &rec, NULL);
        assert_true(pkt.payload_caplen <= pkt.payload_len);
        packet_tcp_checksum(&pkt, &ok);
        free(exact);
    }
}

#endif
