/* Packets by hand, for the tests: Ethernet, IPv4, TCP, with right checksums. */
#ifndef TESTS_PACKETS_H
#define TESTS_PACKETS_H

#include "wire/wire.h"

#include <string.h>

struct maker { /* makes records one after the other */
    uint8_t frame[2048];
    uint64_t number;
    nstime time;
};

static inline void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

struct segment {
    const struct addr *src, *dst; /* IPv4 */
    uint16_t sport, dport;
    uint8_t flags, ttl;
    uint32_t seq, ack;
    uint16_t window;
    const char *payload;
};

static inline struct record make_record(struct maker *m, const struct segment *g)
{
    size_t plen = g->payload ? strlen(g->payload) : 0;
    uint8_t *ip = m->frame + 14, *tcp = ip + 20;
    uint32_t sum = 0;

    memset(m->frame, 0, 54);
    put16(m->frame + 12, 0x0800);
    ip[0] = 0x45;
    put16(ip + 2, (unsigned)(40 + plen));
    put16(ip + 4, (unsigned)m->number + 1);
    ip[6] = 0x40;
    ip[8] = g->ttl ? g->ttl : 64;
    ip[9] = 6;
    memcpy(ip + 12, g->src->b, 4);
    memcpy(ip + 16, g->dst->b, 4);
    put16(ip + 10, (uint16_t)~inet_checksum(0, ip, 20));
    put16(tcp, g->sport);
    put16(tcp + 2, g->dport);
    put32(tcp + 4, g->seq);
    put32(tcp + 8, g->ack);
    tcp[12] = 5 << 4;
    tcp[13] = g->flags;
    put16(tcp + 14, g->window);
    if (plen)
        memcpy(tcp + 20, g->payload, plen);
    for (int i = 12; i < 20; i += 2)
        sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
    sum += 6 + 20 + (uint32_t)plen;
    put16(tcp + 16, (uint16_t)~inet_checksum(sum, tcp, 20 + plen));
    m->time += 10 * NS_PER_MS;
    return (struct record){.number = ++m->number,
                           .time = m->time,
                           .caplen = (uint32_t)(54 + plen),
                           .len = (uint32_t)(54 + plen),
                           .link = LINK_EN10MB,
                           .data = m->frame};
}

#endif
