/*
 * genpcap: a capture of many TCP flows, the same bytes for the same arguments.
 *
 *   genpcap FILE PACKETS FLOWS RESET_PERCENT PAYLOAD [FLOOD]   (PAYLOAD: bytes of a data segment)
 *
 * Flows are interleaved as on a busy link: 64 live at a time in each of many lanes, each with
 * handshake, request and answers, and an end by FIN both ways or, for RESET_PERCENT of them, by a
 * reset. Checksums are right, so that no reader takes another path. FLOOD: as many SYNs besides,
 * each from a source of its own, spread over the whole.
 */
#include "wire/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct live {
    uint32_t id, step, steps;
    uint32_t seq[2];
    uint16_t ip_id[2], port;
    bool reset;
};

struct gen {
    FILE *out;
    struct strbuf buf;
    uint64_t packets, number, flows_made, flows, rng;
    uint64_t flood, flooded, resets;
    unsigned reset_percent, payload;
    nstime now;
};

static uint64_t rnd(struct gen *g)
{
    g->rng ^= g->rng << 13;
    g->rng ^= g->rng >> 7;
    g->rng ^= g->rng << 17;
    return g->rng;
}

static void be16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void be32(uint8_t *p, uint32_t v)
{
    be16(p, v >> 16);
    be16(p + 2, v);
}

/* One packet of flow f from side; returns after writing it. */
static void packet(struct gen *g, struct live *f, int side, uint8_t flags, uint32_t len)
{
    static uint8_t frame[14 + 20 + 20 + 65536];
    uint8_t *ip = frame + 14, *tcp = ip + 20;
    uint8_t ends[2][4] = {{(uint8_t)(10 + (f->id >> 24)), (uint8_t)(f->id >> 16),
                           (uint8_t)(f->id >> 8), (uint8_t)f->id},
                          {192, 0, 2, (uint8_t)(1 + f->id % 200)}};
    memset(frame, side ? 2 : 4, 12);
    be16(frame + 12, 0x0800);
    memset(ip, 0, 40);
    ip[0] = 0x45;
    be16(ip + 2, 40 + len);
    be16(ip + 4, f->ip_id[side]++);
    ip[6] = 0x40;
    ip[8] = side ? 57 : 64;
    ip[9] = 6;
    memcpy(ip + 12, ends[side], 4);
    memcpy(ip + 16, ends[!side], 4);
    be16(ip + 10, (uint16_t)~inet_checksum(0, ip, 20));
    be16(tcp, side ? 443 : f->port);
    be16(tcp + 2, side ? f->port : 443);
    be32(tcp + 4, f->seq[side]);
    be32(tcp + 8, flags & TCP_ACK ? f->seq[!side] : 0);
    tcp[12] = 0x50;
    tcp[13] = flags;
    be16(tcp + 14, flags & TCP_RST ? 0 : 64240);
    memset(tcp + 20, 'x', len);
    uint8_t pseudo[12] = {0};
    memcpy(pseudo, ip + 12, 8);
    pseudo[9] = 6;
    be16(pseudo + 10, 20 + len);
    be16(tcp + 16, (uint16_t)~inet_checksum(inet_checksum(0, pseudo, 12), tcp, 20 + len));
    f->seq[side] += len + ((flags & (TCP_SYN | TCP_FIN)) ? 1 : 0);
    g->now += 700 + (nstime)(rnd(g) & 511);
    struct record rec = {.number = ++g->number,
                         .time = g->now,
                         .caplen = 54 + len,
                         .len = 54 + len,
                         .link = LINK_EN10MB,
                         .data = frame};
    pcap_add_record(&g->buf, &rec);
    if (g->buf.len > 1 << 20) {
        fwrite(g->buf.buf, 1, g->buf.len, g->out);
        strbuf_reset(&g->buf);
    }
}

static void begin(struct gen *g, struct live *f)
{
    uint64_t average = g->packets / g->flows;
    *f = (struct live){.id = (uint32_t)g->flows_made++, .port = (uint16_t)(32768 + rnd(g) % 28000)};
    f->seq[0] = (uint32_t)rnd(g);
    f->seq[1] = (uint32_t)rnd(g);
    f->steps = (uint32_t)(average > 8 ? average - 4 + rnd(g) % 9 : average);
    f->reset = rnd(g) % 100 < g->reset_percent;
}

/* The next packet of a flow; false when it was its last. */
static bool step(struct gen *g, struct live *f)
{
    uint32_t n = f->step++, tail = f->reset ? 1 : 4, left = f->steps - n;
    if (n == 0)
        packet(g, f, 0, TCP_SYN, 0);
    else if (n == 1)
        packet(g, f, 1, TCP_SYN | TCP_ACK, 0);
    else if (n == 2)
        packet(g, f, 0, TCP_ACK, 0);
    else if (left <= tail && f->reset)
        packet(g, f, 1, TCP_RST, 0), g->resets++;
    else if (left <= tail)
        packet(g, f, left == 4 || left == 1 ? 0 : 1,
               left == 4 || left == 2 ? TCP_FIN | TCP_ACK : TCP_ACK, 0);
    else if (n == 3)
        packet(g, f, 0, TCP_PSH | TCP_ACK, MIN_OF(g->payload, 300u));
    else if (n & 1)
        packet(g, f, 0, TCP_ACK, 0);
    else
        packet(g, f, 1, TCP_PSH | TCP_ACK, g->payload);
    return f->step < f->steps && g->number - g->flooded < g->packets;
}

/* SYNs of the flood up to where the other packets have got. */
static void flood(struct gen *g)
{
    while (g->flooded * g->packets < g->flood * (g->number - g->flooded)) {
        /* no address twice: the odd factor permutes the 2^24 of a network of their own */
        struct live f = {.id = (uint32_t)(++g->flooded * 2654435761u & 0xffffff) | 1u << 24,
                         .port = (uint16_t)(1024 + g->flooded % 60000),
                         .seq = {(uint32_t)rnd(g), 0}};
        packet(g, &f, 0, TCP_SYN, 0);
    }
}

int main(int argc, char **argv)
{
    static struct live lanes[4096];
    uint64_t v[5] = {0};
    struct gen g = {.rng = 88172645463325252ULL, .now = 1700000000 * NS_PER_SEC};
    if (argc != 6 && argc != 7) {
        fputs("usage: genpcap FILE PACKETS FLOWS RESET_PERCENT PAYLOAD [FLOOD]\n", stderr);
        return 2;
    }
    for (int i = 0; i < argc - 2; i++)
        if (parse_u64(argv[i + 2], i < 2, i == 2 ? 100 : i == 3 ? 60000 : 1000000000, &v[i])) {
            fprintf(stderr, "genpcap: bad number '%s'\n", argv[i + 2]);
            return 2;
        }
    g.packets = v[0];
    g.flows = v[1];
    g.reset_percent = (unsigned)v[2];
    g.payload = (unsigned)v[3];
    g.flood = v[4];
    g.out = fopen(argv[1], "wb");
    if (!g.out) {
        fprintf(stderr, "genpcap: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    strbuf_init(&g.buf);
    pcap_add_header(&g.buf, LINK_EN10MB, 65535);
    size_t n = MIN_OF(ARRAY_SIZE(lanes), (size_t)g.flows);
    for (size_t i = 0; i < n; i++)
        begin(&g, &lanes[i]);
    while (g.number - g.flooded < g.packets) {
        flood(&g);
        struct live *f = &lanes[rnd(&g) % n];
        for (unsigned k = 0; k < 1 + (rnd(&g) & 3); k++)
            if (!step(&g, f)) {
                begin(&g, f);
                break;
            }
    }
    fwrite(g.buf.buf, 1, g.buf.len, g.out);
    strbuf_release(&g.buf);
    printf("%llu packets, %llu flows, %llu resets\n", (unsigned long long)g.number,
           (unsigned long long)(g.flows_made + g.flooded), (unsigned long long)g.resets);
    return fclose(g.out) ? 1 : 0;
}
