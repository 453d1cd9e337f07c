/* One captured record -> struct packet. This is the hot path: it allocates nothing, and clears the
 * packet but for what only a transport it may not have bears. */
#include "wire/decode.h"

#include <string.h>

static void udp_decode(struct decoder *dec, struct part p)
{
    struct packet *pkt = dec->pkt;
    const uint8_t *b = cur_take(&p.c, 8);

    if (!b) {
        pkt->l4 = L4_OTHER;
        return;
    }
    uint16_t len = be16(b + 4);
    p.wire -= MIN_OF(p.wire, 8);
    if (len >= 8 && len - 8U < p.wire)
        part_clip(&p, len - 8U);
    pkt->l4 = L4_UDP;
    pkt->udp_sport = be16(b);
    pkt->udp_dport = be16(b + 2);
    pkt->payload = p.c.p;
    pkt->payload_len = p.wire;
    pkt->payload_caplen = (uint32_t)cur_left(&p.c);
    if (dec->depth == 0)
        udp_tunnel_decode(dec, p, pkt->udp_dport);
}

static void other_decode(struct packet *pkt, struct part p)
{
    pkt->l4 = L4_OTHER;
    pkt->payload = p.c.p;
    pkt->payload_len = p.wire;
    pkt->payload_caplen = (uint32_t)cur_left(&p.c);
}

static void transport_decode(struct decoder *dec, uint8_t proto, struct part *p)
{
    switch (proto) {
    case PROTO_TCP: tcp_decode(dec, p); return;
    case PROTO_UDP: udp_decode(dec, *p); return;
    case PROTO_ICMP:
        if (dec->pkt->src.family == 4) {
            icmp_decode(dec, *p, false);
            return;
        }
        break;
    case PROTO_ICMP6:
        if (dec->pkt->src.family == 6) {
            icmp_decode(dec, *p, true);
            return;
        }
        break;
    case PROTO_IPIP:
    case PROTO_IPV6:
    case PROTO_GRE:
        if (dec->depth == 0 && tunnel_decode(dec, *p, proto))
            return;
        break;
    case PROTO_NONE: return;
    default: break;
    }
    other_decode(dec->pkt, *p);
}

int network_decode(struct decoder *dec, uint16_t ethertype, struct part *p)
{
    struct packet *pkt = dec->pkt;
    uint8_t proto = PROTO_NONE;
    bool ip = ethertype == ETHERTYPE_IPV4 ? ip4_header(dec, p, &proto) : ip6_header(dec, p, &proto);

    if (!ip)
        return 0;
    pkt->truncated |= cur_left(&p->c) < p->wire;
    transport_decode(dec, proto, p);
    return 1;
}

static void packet_begin(struct packet *pkt, const struct record *rec)
{
    memset(pkt, 0, offsetof(struct packet, tcp));
    memset(&pkt->caplen, 0, offsetof(struct packet, icmp) - offsetof(struct packet, caplen));
    pkt->number = rec->number;
    pkt->time = rec->time;
    pkt->caplen = rec->caplen;
    pkt->len = MAX_OF(rec->len, rec->caplen);
    pkt->link = rec->link;
    pkt->dir = rec->dir;
    pkt->truncated = rec->caplen < rec->len;
}

int packet_decode(struct packet *pkt, const struct record *rec, struct defrag *d)
{
    struct decoder dec = {.pkt = pkt, .defrag = d};
    struct part p = {.c = cursor_of(rec->data, rec->caplen)};

    packet_begin(pkt, rec);
    uint16_t ethertype = link_strip(pkt, &p.c, rec->link);
    if (!ethertype)
        return 0;
    p.wire = pkt->len - (uint32_t)(p.c.p - rec->data);
    return network_decode(&dec, ethertype, &p);
}

/* IPv4 without options, no fragment; or IPv6 without extension headers. */
static bool is_plain(const struct record *rec)
{
    const uint8_t *b = rec->data;

    if (rec->link != LINK_EN10MB || rec->caplen < 54)
        return false;
    if (be16(b + 12) == ETHERTYPE_IPV4)
        return b[14] == 0x45 && !(be16(b + 20) & 0x3fff) && b[23] == PROTO_TCP;
    return be16(b + 12) == ETHERTYPE_IPV6 && b[20] == PROTO_TCP && rec->caplen >= 74;
}

bool packet_decode_plain(struct packet *pkt, const struct record *rec)
{
    struct decoder dec = {.pkt = pkt};
    struct part p;

    if (!is_plain(rec))
        return false;
    packet_begin(pkt, rec);
    memcpy(pkt->mac_dst, rec->data, 6);
    memcpy(pkt->mac_src, rec->data + 6, 6);
    pkt->mac_seen = true;
    p = (struct part){cursor_of(rec->data + 14, rec->caplen - 14), pkt->len - 14};
    return network_decode(&dec, be16(rec->data + 12), &p) > 0 && pkt->l4 == L4_TCP;
}
