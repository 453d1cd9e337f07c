/* One level of tunnels: the flow inside is what people ask about. */
#include "wire/decode.h"

#include <string.h>

enum { GRE_CHECKSUM = 0x8000, GRE_ROUTING = 0x4000, GRE_KEY = 0x2000, GRE_SEQ = 0x1000 };
enum { GRE_ETHERNET = 0x6558, GRE_ERSPAN2 = 0x88be, GRE_ERSPAN3 = 0x22eb, GRE_PPP = 0x880b };
enum { GRE_WLAN_FIRST = 0x8200, GRE_WLAN_LAST = 0x83ff }; /* Aruba: 802.11, by port and queue */

/* Nothing of the outer headers may show through where the inner ones say nothing. */
static void forget_outer(struct packet *pkt)
{
    pkt->l4 = L4_NONE;
    pkt->fragment = pkt->reassembled = pkt->sum_void = pkt->df = pkt->ip_checksum_ok = false;
    pkt->ip_id = 0;
    pkt->flow_label = 0;
    pkt->udp_sport = pkt->udp_dport = 0;
    pkt->payload = NULL;
    pkt->payload_len = pkt->payload_caplen = 0;
}

/* Decodes what lies in the tunnel over the outer packet's fields; where that is not IP the outer
 * ones are put back. */
static int inner(struct decoder *dec, uint16_t ethertype, struct part p, struct packet *outer)
{
    struct packet *pkt = dec->pkt;

    if (outer->reassembled) /* the store's last datagram is what is being read */
        dec->defrag = NULL;
    dec->depth++;
    forget_outer(pkt);
    int got = ethertype ? network_decode(dec, ethertype, &p) : 0;
    dec->depth--;
    bool piece = outer->reassembled && pkt->fragment; /* a fragment within fragments: left shut */
    if (got == 1 && pkt->l4 != L4_NONE && !pkt->bad_ip && !piece) {
        pkt->tunnelled = true;
        pkt->reassembled |= outer->reassembled; /* the payload lies in the store */
        return 1;
    }
    *pkt = *outer;
    return 0;
}

/* RFC 2784, 2890; version 1 is PPTP's (RFC 2637), which carries PPP. */
static uint16_t gre(struct packet *pkt, struct cursor *c)
{
    uint16_t flags = cur_be16(c), proto = cur_be16(c);

    if (flags & GRE_ROUTING)
        return 0;
    cur_take(c, (flags & GRE_CHECKSUM ? 4U : 0) + (flags & GRE_KEY ? 4U : 0) +
                    (flags & GRE_SEQ ? 4U : 0));
    if ((flags & 7) == 1) {
        cur_take(c, flags & 0x80 ? 4 : 0); /* acknowledgment number */
        return proto == GRE_PPP ? link_ppp(pkt, c) : link_ethertype(pkt, c, proto);
    }
    switch (proto) {
    case GRE_ETHERNET: return link_ethernet(pkt, c);
    case GRE_ERSPAN2: cur_take(c, flags & GRE_SEQ ? 8 : 0); return link_ethernet(pkt, c);
    case GRE_ERSPAN3: cur_take(c, 12); return link_ethernet(pkt, c);
    default: break;
    }
    if (proto >= GRE_WLAN_FIRST && proto <= GRE_WLAN_LAST)
        return link_wifi(pkt, c);
    return link_ethertype(pkt, c, proto);
}

int tunnel_decode(struct decoder *dec, struct part p, uint8_t proto)
{
    struct packet outer = *dec->pkt;
    const uint8_t *from = p.c.p;
    uint16_t ethertype = ETHERTYPE_IPV4;

    if (proto == PROTO_IPV6)
        ethertype = ETHERTYPE_IPV6;
    else if (proto == PROTO_GRE) {
        ethertype = gre(dec->pkt, &p.c);
        p.wire -= MIN_OF(p.wire, (uint32_t)(p.c.p - from));
    }
    return inner(dec, ethertype, p, &outer);
}

/* RFC 7348 5: flags with the I bit, VNI, then Ethernet. */
static uint16_t vxlan(struct packet *pkt, struct cursor *c)
{
    const uint8_t *b = cur_take(c, 8);

    return b && b[0] == 0x08 ? link_ethernet(pkt, c) : 0;
}

/* RFC 8926 3.4: version and length of the options, flags, protocol, VNI, options. */
static uint16_t geneve(struct packet *pkt, struct cursor *c)
{
    const uint8_t *b = cur_take(c, 8);

    if (!b || b[0] >> 6 != 0)
        return 0;
    cur_take(c, (b[0] & 0x3fU) * 4);
    uint16_t proto = be16(b + 2);
    return proto == GRE_ETHERNET ? link_ethernet(pkt, c) : link_ethertype(pkt, c, proto);
}

/* 3GPP TS 29.281 5.1, version 1: a user's IP packet, behind extension headers if there are any. */
static uint16_t gtp(struct packet *pkt, struct cursor *c)
{
    const uint8_t *b = cur_take(c, 8);

    if (!b || b[0] >> 4 != 3 || b[1] != 255)
        return 0;
    if (b[0] & 7) {
        const uint8_t *o = cur_take(c, 4);
        uint8_t next = o && (b[0] & 4) ? o[3] : 0;
        for (int i = 0; next && i < 8 && cur_left(c) > 0; i++) {
            uint8_t words = c->p[0];
            const uint8_t *e = words ? cur_take(c, words * 4U) : NULL;
            if (!e)
                return 0;
            next = e[words * 4 - 1];
        }
    }
    return link_raw(pkt, c);
}

/* RFC 4380 5.1.1, 5.2.3: authentication, origin, then IPv6 that fills the datagram, with an address
 * of 2001::/32 on either end. Relays and hosts use ports of their own: only the content tells. */
static uint16_t teredo(struct packet *pkt, struct cursor *c)
{
    static const uint8_t prefix[4] = {0x20, 0x01, 0, 0};

    (void)pkt;
    if (cur_left(c) >= 4 && be16(c->p) == 1) {
        const uint8_t *b = cur_take(c, 4);
        cur_take(c, b[2] + b[3] + 9U); /* client, authentication value, nonce, confirmation */
    }
    if (cur_left(c) >= 8 && be16(c->p) == 0)
        cur_take(c, 8); /* origin */
    if (cur_left(c) < 40 || c->p[0] >> 4 != 6)
        return 0;
    bool either = memcmp(c->p + 8, prefix, 4) == 0 || memcmp(c->p + 24, prefix, 4) == 0;
    return either && be16(c->p + 4) + 40U >= cur_left(c) ? ETHERTYPE_IPV6 : 0;
}

/* A datagram that may be Teredo's: of IPv4, beginning with IPv6's version or with an indication. */
static bool like_teredo(const struct packet *outer, const struct cursor *c)
{
    return outer->src.family == 4 && cur_left(c) >= 40 &&
           (c->p[0] >> 4 == 6 || (c->p[0] == 0 && c->p[1] <= 1));
}

int udp_tunnel_decode(struct decoder *dec, struct part p, uint16_t port)
{
    static const struct {
        uint16_t port;
        uint16_t (*strip)(struct packet *pkt, struct cursor *c);
    } tunnels[] = {{4789, vxlan}, {6081, geneve}, {2152, gtp}};
    const uint8_t *from = p.c.p;
    uint16_t (*strip)(struct packet *, struct cursor *) =
        like_teredo(dec->pkt, &p.c) ? teredo : NULL;

    for (size_t i = 0; i < ARRAY_SIZE(tunnels); i++)
        if (tunnels[i].port == port)
            strip = tunnels[i].strip;
    if (!strip)
        return 0;
    struct packet outer = *dec->pkt;
    uint16_t ethertype = strip(dec->pkt, &p.c);
    p.wire -= MIN_OF(p.wire, (uint32_t)(p.c.p - from));
    return inner(dec, ethertype, p, &outer);
}
