/* craft.c: packets of our own (RST, ICMP) and changed ones. */
#include "tunrouter.h"

#include <string.h>

const struct forge forge_default = {
    .count = 1,
    .nseq = 1,
    .ttl = 64,
    .ttl_from = TTL_FIXED,
    .id_from = ID_FIXED,
};

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* Where the transport header begins and which it is; 0: none we know. Extension headers of IPv6
 * are not walked: hosts in a lab send none. */
static size_t transport(const uint8_t *ip, size_t len, uint8_t *proto)
{
    size_t at = 0;

    if (len >= 20 && ip[0] >> 4 == 4) {
        at = (size_t)(ip[0] & 15) * 4;
        *proto = ip[9];
        if (get16(ip + 6) & 0x1fff)
            return 0; /* a later fragment */
    } else if (len >= 40 && ip[0] >> 4 == 6) {
        at = 40;
        *proto = ip[6];
    }
    return at >= 20 && at < len ? at : 0;
}

void craft_sums(uint8_t *ip, size_t len)
{
    uint8_t proto = 0;
    size_t at = transport(ip, len, &proto);
    size_t where = proto == 6 ? 16 : proto == 17 ? 6 : 2;
    uint8_t pseudo[40] = {0};
    size_t alen = ip[0] >> 4 == 4 ? 8 : 32;

    if (alen == 8) {
        put16(ip + 10, 0);
        put16(ip + 10, (uint16_t)~inet_checksum(0, ip, (size_t)(ip[0] & 15) * 4));
    }
    if (!at || (proto != 6 && proto != 17 && proto != 58 && proto != 1) || at + where + 2 > len)
        return;
    memcpy(pseudo, alen == 8 ? ip + 12 : ip + 8, alen);
    put32(pseudo + alen, (uint32_t)(len - at));
    pseudo[alen + 7] = proto;
    uint32_t sum = proto == 1 ? 0 : inet_checksum(0, pseudo, alen + 8);
    put16(ip + at + where, 0);
    put16(ip + at + where, (uint16_t)~inet_checksum(sum, ip + at, len - at));
}

bool craft_spend_ttl(uint8_t *ip, size_t len)
{
    if (len >= 20 && ip[0] >> 4 == 4) {
        if (ip[8] <= 1)
            return false;
        ip[8]--;
        put16(ip + 10, 0);
        put16(ip + 10, (uint16_t)~inet_checksum(0, ip, (size_t)(ip[0] & 15) * 4));
    } else if (len >= 40 && ip[0] >> 4 == 6) {
        if (ip[7] <= 1)
            return false;
        ip[7]--;
    }
    return true;
}

void craft_flip(uint8_t *ip, size_t len, struct dice *d, bool fix_sum)
{
    uint8_t proto = 0;
    size_t at = transport(ip, len, &proto);

    if (!at)
        return;
    size_t body = at + (proto == 6 && at + 13 < len ? (size_t)(ip[at + 12] >> 4) * 4 : 8);
    if (body >= len)
        return;
    ip[body + dice_next(d) % (len - body)] ^= (uint8_t)(1u << (dice_next(d) % 8));
    if (fix_sum)
        craft_sums(ip, len);
}

/* An IP header for a packet of len bytes in all; the bytes it takes. */
static size_t ip_header(uint8_t *out, const struct addr *from, const struct addr *to, uint8_t proto,
                        size_t body, int ttl)
{
    if (from->family == 4) {
        memset(out, 0, 20);
        out[0] = 0x45;
        put16(out + 2, (uint32_t)(20 + body));
        out[6] = 0x40; /* DF */
        out[8] = (uint8_t)ttl;
        out[9] = proto;
        memcpy(out + 12, from->b, 4);
        memcpy(out + 16, to->b, 4);
        return 20;
    }
    memset(out, 0, 40);
    out[0] = 0x60;
    put16(out + 4, (uint32_t)body);
    out[6] = proto;
    out[7] = (uint8_t)ttl;
    memcpy(out + 8, from->b, 16);
    memcpy(out + 24, to->b, 16);
    return 40;
}

static int forged_ttl(const struct forge *g, const struct flow_side *claimed,
                      const struct packet *p)
{
    int ttl = g->ttl;

    if (g->ttl_from == TTL_COPY)
        ttl = (claimed->seen ? claimed->ttl : 64) + g->ttl;
    else if (g->ttl_from == TTL_TRIGGER)
        ttl = (p ? p->ttl : 64) + g->ttl;
    return ttl < 1 ? 1 : ttl > 255 ? 255 : ttl;
}

static uint16_t forged_id(const struct forge *g, const struct flow_side *claimed,
                          const struct packet *p, int nth, struct dice *d)
{
    switch (g->id_from) {
    case ID_RANDOM: return (uint16_t)dice_next(d);
    case ID_NEXT: return (uint16_t)(claimed->id + 1 + nth);
    case ID_TRIGGER: return p ? p->ip_id : 0;
    default: return (uint16_t)g->id;
    }
}

size_t craft_rst(uint8_t *out, const struct forge *g, const struct flow *f, const struct packet *p,
                 enum way toward, const struct rst_numbers *n, int nth, struct dice *d)
{
    /* Toward the client it bears the server's address. */
    const struct flow_side *claimed = &f->side[toward];
    const struct addr *from = toward == UP ? &f->client : &f->server;
    const struct addr *to = toward == UP ? &f->server : &f->client;
    size_t body = 20 + g->payload_len;
    size_t at = ip_header(out, from, to, 6, body, forged_ttl(g, claimed, p));
    uint8_t *tcp = out + at;

    if (from->family == 4) {
        put16(out + 4, forged_id(g, claimed, p, nth, d));
        if (g->no_df)
            out[6] = 0;
    }
    memset(tcp, 0, 20);
    put16(tcp, toward == UP ? f->cport : f->sport);
    put16(tcp + 2, toward == UP ? f->sport : f->cport);
    put32(tcp + 4, n->seq + (uint32_t)g->seq[nth % (g->nseq ? g->nseq : 1)]);
    if (n->ack_flag)
        put32(tcp + 8, n->ack);
    tcp[12] = 5 << 4;
    tcp[13] = (uint8_t)(TCP_RST | (n->ack_flag ? TCP_ACK : 0));
    put16(tcp + 14, g->window_copy ? claimed->window : g->window);
    memcpy(tcp + 20, g->payload, g->payload_len);
    craft_sums(out, at + body);
    return at + body;
}

size_t craft_icmp(uint8_t *out, enum craft_icmp what, uint8_t code, uint32_t mtu,
                  const struct addr *from, const struct packet *p, const uint8_t *raw, size_t len)
{
    bool v4 = p->src.family == 4;
    /* RFC 1812 4.3.2.3 and RFC 4443 2.4(c): as much of the packet as fits. */
    size_t quote = MIN_OF(len, v4 ? (size_t)548 : (size_t)1232);
    static const uint8_t types[][2] = {{3, 1}, {3, 2}, {11, 3}, {0, 129}};
    size_t head = 8;

    if (from->family != p->src.family)
        return 0;
    if (what == CRAFT_ECHO) { /* the request itself, with another type */
        uint8_t proto = 0;
        size_t at = transport(raw, len, &proto);
        if (!at || len - at < 8 || len > 9000)
            return 0;
        raw += at;
        quote = len - at;
        head = 0;
    }
    size_t at = ip_header(out, from, &p->src, v4 ? 1 : 58, head + quote, 64);
    uint8_t *icmp = out + at;
    memset(icmp, 0, 8);
    memcpy(icmp + head, raw, quote);
    icmp[0] = types[what][v4 ? 0 : 1];
    icmp[1] = what == CRAFT_TOO_BIG && v4 ? 4 : what == CRAFT_UNREACH ? code : 0;
    if (what == CRAFT_TOO_BIG)
        put32(icmp + 4, mtu);
    if (v4)
        out[6] = 0;
    craft_sums(out, at + head + quote);
    return at + head + quote;
}
