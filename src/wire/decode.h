/* What the decoders of one packet share; private to wire/. */
#ifndef WIRE_DECODE_H
#define WIRE_DECODE_H

#include "wire/wire.h"

#include <string.h>

enum { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_IPV6 = 0x86dd };
enum {
    PROTO_HOPOPTS = 0,
    PROTO_ICMP = 1,
    PROTO_IPIP = 4,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_IPV6 = 41,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_GRE = 47,
    PROTO_ESP = 50,
    PROTO_AH = 51,
    PROTO_ICMP6 = 58,
    PROTO_NONE = 59,
    PROTO_DSTOPTS = 60,
    PROTO_MOBILITY = 135,
};

/* Bytes of a layer: those that are here, and how many there were on the wire. */
struct part {
    struct cursor c;
    uint32_t wire;
};

struct decoder {
    struct packet *pkt;
    struct defrag *defrag; /* or NULL */
    int depth;             /* 1 within a tunnel */
};

static inline uint16_t be16(const uint8_t *b)
{
    return (uint16_t)(b[0] << 8 | b[1]);
}
static inline uint32_t be32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}
/* The Internet checksum in parts (checksum.c): words summed as they lie in memory. A sum that is to
 * be all ones is so in either byte order. */
static inline uint64_t sum_words(uint64_t acc, const uint8_t *data, size_t len)
{
    uint64_t eight;
    uint32_t four;
    uint16_t two;

    for (; len >= 8; data += 8, len -= 8) {
        memcpy(&eight, data, 8);
        acc += (eight & 0xffffffff) + (eight >> 32);
    }
    if (len >= 4) {
        memcpy(&four, data, 4);
        acc += four;
        data += 4;
        len -= 4;
    }
    if (len >= 2) {
        memcpy(&two, data, 2);
        acc += two;
        data += 2;
        len -= 2;
    }
    if (len) {
        two = 0;
        memcpy(&two, data, 1);
        acc += two;
    }
    return acc;
}
static inline uint16_t sum_fold(uint64_t acc)
{
    acc = (acc >> 32) + (acc & 0xffffffff);
    acc = (acc >> 32) + (acc & 0xffffffff);
    acc = (acc >> 16) + (acc & 0xffff);
    acc = (acc >> 16) + (acc & 0xffff);
    return (uint16_t)acc;
}
/* Drops n bytes off the front, in both counts. */
static inline void part_skip(struct part *p, uint32_t n)
{
    cur_take(&p->c, n);
    p->wire -= MIN_OF(n, p->wire);
}
/* The layer ends after n bytes on the wire (n <= wire or more: then it was cut). */
static inline void part_clip(struct part *p, uint32_t n)
{
    p->wire = n;
    if (cur_left(&p->c) > n)
        p->c.end = p->c.p + n;
}

/* link.c: takes the link headers off; the ethertype of an IP packet that follows, or 0. */
uint16_t link_strip(struct packet *pkt, struct cursor *c, uint32_t linktype);
uint16_t link_ethernet(struct packet *pkt, struct cursor *c);
uint16_t link_ethertype(struct packet *pkt, struct cursor *c, uint16_t type);
uint16_t link_ppp(struct packet *pkt, struct cursor *c);
uint16_t link_raw(struct packet *pkt, struct cursor *c);
uint16_t link_wifi(struct packet *pkt, struct cursor *c);

/* ip.c: takes IP headers off; false: not IP after all. proto is the transport's, PROTO_NONE where
 * nothing can follow (an incomplete set of fragments). */
bool ip4_header(struct decoder *dec, struct part *p, uint8_t *proto);
bool ip6_header(struct decoder *dec, struct part *p, uint8_t *proto);

/* defrag.c: one fragment in; true: *out is the whole payload, valid until the next call. */
struct fragment {
    struct addr src, dst;
    uint32_t id;
    uint8_t proto;
    uint32_t offset;
    bool more;
    nstime time;
    const uint8_t *data;
    uint32_t len;
};
bool defrag_add(struct defrag *d, const struct fragment *f, struct cursor *out, uint8_t *proto);

/* tcp.c, icmp.c */
void tcp_decode(struct decoder *dec, struct part *p);
void icmp_decode(struct decoder *dec, struct part p, bool v6);
/* tunnel.c: what follows proto is a packet of its own: 1 it was decoded, 0 it is not. */
int tunnel_decode(struct decoder *dec, struct part p, uint8_t proto);
/* The same for UDP's payload, where its destination port is a tunnel's. */
int udp_tunnel_decode(struct decoder *dec, struct part p, uint16_t port);
/* decode.c: an IP packet; 1 or 0 as packet_decode. */
int network_decode(struct decoder *dec, uint16_t ethertype, struct part *p);

#endif
