/* ICMP (RFC 792, 1191) and ICMPv6 (RFC 4443) with the packet they quote. */
#include "wire/decode.h"

#include <stdio.h>
#include <string.h>

static void quoted_transport(struct icmp_info *i, struct cursor c, uint8_t proto)
{
    i->quoted_l4 = proto == PROTO_TCP     ? L4_TCP
                   : proto == PROTO_UDP   ? L4_UDP
                   : proto == PROTO_ICMP  ? L4_ICMP
                   : proto == PROTO_ICMP6 ? L4_ICMP6
                                          : L4_OTHER;
    if (i->quoted_l4 != L4_TCP && i->quoted_l4 != L4_UDP)
        return;
    const uint8_t *b = cur_take(&c, 4);
    if (!b)
        return;
    i->sport = be16(b);
    i->dport = be16(b + 2);
    i->ports_seen = true;
    b = i->quoted_l4 == L4_TCP ? cur_take(&c, 4) : NULL;
    if (b) {
        i->seq = be32(b);
        i->seq_seen = true;
    }
}

/* The quotation is an IP packet, mostly cut: its header is read as any other's, into a packet of
 * its own, without the fragment store (it is no fragment of this conversation). */
static void take_quotation(struct icmp_info *i, struct part p, bool v6)
{
    struct packet inner;
    struct decoder dec = {.pkt = &inner};
    uint8_t proto = PROTO_NONE;

    memset(&inner, 0, offsetof(struct packet, tcp));
    if (!(v6 ? ip6_header(&dec, &p, &proto) : ip4_header(&dec, &p, &proto)))
        return;
    i->quoted = true;
    i->src = inner.src;
    i->dst = inner.dst;
    if (proto != PROTO_NONE)
        quoted_transport(i, p.c, proto);
}

static bool quotes(bool v6, uint8_t type)
{
    if (v6)
        return type >= 1 && type <= 4;
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

void icmp_decode(struct decoder *dec, struct part p, bool v6)
{
    struct packet *pkt = dec->pkt;
    struct icmp_info *i = &pkt->icmp;
    const uint8_t *b = cur_take(&p.c, 8);

    if (!b) {
        pkt->l4 = L4_OTHER;
        return;
    }
    pkt->l4 = v6 ? L4_ICMP6 : L4_ICMP;
    *i = (struct icmp_info){.type = b[0], .code = b[1]};
    if (!v6 && i->type == 3 && i->code == 4)
        i->mtu = be16(b + 6);
    if (v6 && i->type == 2)
        i->mtu = (uint16_t)MIN_OF(be32(b + 4), UINT16_MAX);
    p.wire -= MIN_OF(p.wire, 8);
    pkt->payload = p.c.p;
    pkt->payload_len = p.wire;
    pkt->payload_caplen = (uint32_t)cur_left(&p.c);
    if (quotes(v6, i->type))
        take_quotation(i, p, v6);
}

struct icmp_words {
    uint8_t type;
    int16_t code; /* -1: any */
    const char *text;
};

/* IANA's ICMP parameters, the errors and what a person meets. */
static const struct icmp_words words4[] = {
    {0, -1, N_("echo reply")},
    {3, 0, N_("network unreachable")},
    {3, 1, N_("host unreachable")},
    {3, 2, N_("protocol unreachable")},
    {3, 3, N_("port unreachable")},
    {3, 4, N_("fragmentation needed")},
    {3, 5, N_("source route failed")},
    {3, 6, N_("network unknown")},
    {3, 7, N_("host unknown")},
    {3, 9, N_("network administratively prohibited")},
    {3, 10, N_("host administratively prohibited")},
    {3, 11, N_("network unreachable for this type of service")},
    {3, 12, N_("host unreachable for this type of service")},
    {3, 13, N_("administratively prohibited")},
    {3, 14, N_("host precedence violation")},
    {3, 15, N_("precedence cutoff")},
    {3, -1, N_("destination unreachable")},
    {4, -1, N_("source quench")},
    {5, -1, N_("redirect")},
    {8, -1, N_("echo request")},
    {11, 0, N_("TTL expired in transit")},
    {11, 1, N_("fragment reassembly time exceeded")},
    {12, -1, N_("parameter problem")},
};
static const struct icmp_words words6[] = {
    {1, 0, N_("no route to destination")},
    {1, 1, N_("administratively prohibited")},
    {1, 2, N_("beyond scope of source address")},
    {1, 3, N_("address unreachable")},
    {1, 4, N_("port unreachable")},
    {1, 5, N_("source address failed policy")},
    {1, 6, N_("reject route to destination")},
    {1, -1, N_("destination unreachable")},
    {2, -1, N_("packet too big")},
    {3, 0, N_("hop limit exceeded in transit")},
    {3, 1, N_("fragment reassembly time exceeded")},
    {4, -1, N_("parameter problem")},
    {128, -1, N_("echo request")},
    {129, -1, N_("echo reply")},
    {133, -1, N_("router solicitation")},
    {134, -1, N_("router advertisement")},
    {135, -1, N_("neighbour solicitation")},
    {136, -1, N_("neighbour advertisement")},
};

const char *icmp_text(char *out, size_t outlen, bool v6, uint8_t type, uint8_t code)
{
    const struct icmp_words *w = v6 ? words6 : words4;
    size_t n = v6 ? ARRAY_SIZE(words6) : ARRAY_SIZE(words4);

    for (size_t i = 0; i < n; i++)
        if (w[i].type == type && (w[i].code < 0 || w[i].code == code)) {
            snprintf(out, outlen, "%s", w[i].text);
            return out;
        }
    snprintf(out, outlen, "%s %u/%u", v6 ? "ICMPv6" : "ICMP", type, code);
    return out;
}
