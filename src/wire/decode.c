/* One captured record -> struct packet. This is the hot path: it allocates nothing, and clears the
 * front of the packet alone. */
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

int packet_decode(struct packet *pkt, const struct record *rec, struct defrag *d)
{
    struct decoder dec = {.pkt = pkt, .defrag = d};
    struct part p = {.c = cursor_of(rec->data, rec->caplen)};

    memset(pkt, 0, offsetof(struct packet, tcp));
    pkt->number = rec->number;
    pkt->time = rec->time;
    pkt->caplen = rec->caplen;
    pkt->len = MAX_OF(rec->len, rec->caplen);
    pkt->link = rec->link;
    pkt->dir = rec->dir;
    pkt->truncated = rec->caplen < rec->len;
    uint16_t ethertype = link_strip(pkt, &p.c, rec->link);
    if (!ethertype)
        return 0;
    p.wire = pkt->len - (uint32_t)(p.c.p - rec->data);
    return network_decode(&dec, ethertype, &p);
}

bool packet_glance(struct packet_tuple *k, const struct record *rec)
{
    const uint8_t *b = rec->data, *l4 = b + 34;

    if (rec->link != LINK_EN10MB || rec->caplen < 38 || be16(b + 12) != ETHERTYPE_IPV4 ||
        b[14] != 0x45 || (b[23] != PROTO_TCP && b[23] != PROTO_UDP))
        return false;
    *k = (struct packet_tuple){.src.family = 4, .dst.family = 4};
    memcpy(k->src.b, b + 26, 4);
    memcpy(k->dst.b, b + 30, 4);
    k->sport = be16(l4);
    k->dport = be16(l4 + 2);
    return true;
}
