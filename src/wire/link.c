/* Link layers: everything in front of the IP header. LINKTYPE_ values as of tcpdump.org. */
#include "wire/decode.h"

#include <string.h>

#define TAGS_MAX 8 /* VLAN tags and the like on one frame */
#define MPLS_MAX 16

enum {
    ET_VLAN = 0x8100,
    ET_QINQ = 0x88a8,
    ET_QINQ_OLD = 0x9100,
    ET_QINQ_OLD2 = 0x9200,
    ET_VNTAG = 0x8926,
    ET_MPLS = 0x8847,
    ET_MPLS_MULTI = 0x8848,
    ET_PPPOE = 0x8864,
    ET_CISCO_META = 0x8909,
    ET_PBB = 0x88e7,
    ET_FABRICPATH = 0x8903,
    ET_CENTRINO = 0x2452, /* 802.11 frames as some drivers hand them up */
    ET_SNAP_MAX = 1500,
};

static uint16_t mpls(struct packet *pkt, struct cursor *c)
{
    for (int i = 0; i < MPLS_MAX; i++) {
        uint32_t label = cur_be32(c);
        if (c->bad)
            return 0;
        if (label & 0x100) /* bottom of the stack; what follows is told by its first nibble */
            return link_raw(pkt, c);
    }
    return 0;
}

/* RFC 2516: version and type, code, session, length, then PPP without its framing. */
static uint16_t pppoe(struct packet *pkt, struct cursor *c)
{
    const uint8_t *b = cur_take(c, 6);

    return b && b[1] == 0 ? link_ppp(pkt, c) : 0;
}

uint16_t link_ethertype(struct packet *pkt, struct cursor *c, uint16_t type)
{
    for (int tags = 0; tags < TAGS_MAX; tags++) {
        switch (type) {
        case ETHERTYPE_IPV4:
        case ETHERTYPE_IPV6: return type;
        case ET_VLAN:
        case ET_QINQ:
        case ET_QINQ_OLD:
        case ET_QINQ_OLD2: {
            uint16_t id = cur_be16(c) & 0xfff;
            if (pkt->vlan == 0)
                pkt->vlan = id;
            break;
        }
        case ET_VNTAG:
        case ET_CISCO_META: cur_take(c, type == ET_VNTAG ? 4 : 6); break;
        case ET_MPLS:
        case ET_MPLS_MULTI: return mpls(pkt, c);
        case ET_PPPOE: return pppoe(pkt, c);
        case ET_CENTRINO: return link_wifi(pkt, c);
        case ET_PBB: /* IEEE 802.1ah: service tag, then a frame's addresses and type */
            cur_take(c, 16);
            break;
        case ET_FABRICPATH: cur_take(c, 14); break;
        default: return 0;
        }
        type = cur_be16(c);
    }
    return 0;
}

/* IEEE 802.2: SNAP with an ethertype, or the SAP that was given to IP. */
static uint16_t llc(struct packet *pkt, struct cursor *c)
{
    const uint8_t *b = cur_take(c, 3);

    if (b && b[0] == 0x06 && b[1] == 0x06 && b[2] == 0x03)
        return ETHERTYPE_IPV4;
    if (!b || b[0] != 0xaa || b[1] != 0xaa || b[2] != 0x03)
        return 0;
    uint32_t oui = cur_be24(c);
    uint16_t type = cur_be16(c);
    return oui == 0 || oui == 0xf8 ? link_ethertype(pkt, c, type) : 0;
}

/* Frame control, two addresses, LLC. */
static uint16_t fddi(struct packet *pkt, struct cursor *c)
{
    const uint8_t *b = cur_take(c, 13);

    return b && (b[0] & 0xf0) == 0x50 ? llc(pkt, c) : 0; /* 0x5x: an LLC frame */
}

uint16_t link_ethernet(struct packet *pkt, struct cursor *c)
{
    const uint8_t *b = cur_take(c, 14);

    if (!b)
        return 0;
    if (!pkt->mac_seen) { /* within a tunnel the outer ones stay: they are the neighbours */
        memcpy(pkt->mac_dst, b, 6);
        memcpy(pkt->mac_src, b + 6, 6);
        pkt->mac_seen = true;
    }
    uint16_t type = be16(b + 12);
    if (type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6)
        return type;
    if (type <= ET_SNAP_MAX)
        return llc(pkt, c);
    return link_ethertype(pkt, c, type);
}

uint16_t link_raw(struct packet *pkt, struct cursor *c)
{
    (void)pkt;
    if (cur_left(c) == 0)
        return 0;
    switch (c->p[0] >> 4) {
    case 4: return ETHERTYPE_IPV4;
    case 6: return ETHERTYPE_IPV6;
    default: return 0;
    }
}

static uint16_t only_ipv4(struct packet *pkt, struct cursor *c)
{
    return link_raw(pkt, c) == ETHERTYPE_IPV4 ? ETHERTYPE_IPV4 : 0;
}

static uint16_t only_ipv6(struct packet *pkt, struct cursor *c)
{
    return link_raw(pkt, c) == ETHERTYPE_IPV6 ? ETHERTYPE_IPV6 : 0;
}

/* AF_INET6 is 10, 23, 24, 28 or 30 on the systems that write these files. */
static uint16_t family_ethertype(uint32_t af)
{
    switch (af) {
    case 2: return ETHERTYPE_IPV4;
    case 10:
    case 23:
    case 24:
    case 28:
    case 30: return ETHERTYPE_IPV6;
    default: return 0;
    }
}

/* NULL: the family in the writer's byte order; LOOP: in network order. */
static uint16_t bsd_loopback(struct packet *pkt, struct cursor *c)
{
    uint32_t af = cur_be32(c);

    (void)pkt;
    return family_ethertype(af > 0xffff ? __builtin_bswap32(af) : af);
}

/* RFC 1661, with or without the HDLC address and control, protocol of one or two bytes. */
uint16_t link_ppp(struct packet *pkt, struct cursor *c)
{
    if (cur_left(c) >= 2 && be16(c->p) == 0xff03)
        cur_take(c, 2);
    uint16_t proto = cur_u8(c);
    if (!(proto & 1))
        proto = (uint16_t)(proto << 8 | cur_u8(c));
    if (c->bad)
        return 0;
    switch (proto) {
    case 0x0021: return ETHERTYPE_IPV4;
    case 0x0057: return ETHERTYPE_IPV6;
    case 0x0281:
    case 0x0283: return mpls(pkt, c);
    default: return 0;
    }
}

static uint16_t cisco_hdlc(struct packet *pkt, struct cursor *c)
{
    const uint8_t *b = cur_take(c, 4);

    return b ? link_ethertype(pkt, c, be16(b + 2)) : 0;
}

/* RFC 2427, and Cisco's variant with an ethertype right after the address. */
static uint16_t frame_relay(struct packet *pkt, struct cursor *c)
{
    int i = 0;

    while (i < 4 && !(cur_u8(c) & 1)) /* the last address byte has its lowest bit set */
        i++;
    const uint8_t *b = cur_take(c, 2);
    if (!b)
        return 0;
    if (b[0] != 0x03)
        return link_ethertype(pkt, c, be16(b));
    uint8_t nlpid = b[1] ? b[1] : cur_u8(c); /* a padding byte may stand in between */
    if (nlpid == 0xcc)
        return ETHERTYPE_IPV4;
    if (nlpid == 0x8e)
        return ETHERTYPE_IPV6;
    if (nlpid != 0x80)
        return 0;
    uint32_t oui = cur_be24(c);
    uint16_t type = cur_be16(c);
    return oui == 0 ? link_ethertype(pkt, c, type) : 0;
}

static void cooked_direction(struct packet *pkt, uint16_t packet_type)
{
    if (packet_type == 4)
        pkt->dir = DIR_OUT;
    else if (packet_type <= 2) /* to us, broadcast, multicast; 3 is somebody else's */
        pkt->dir = DIR_IN;
}

/* Cooked capture has the sender's address alone. */
static void cooked_source(struct packet *pkt, const uint8_t *addr, unsigned len)
{
    if (len != 6)
        return;
    memcpy(pkt->mac_src, addr, 6);
    pkt->mac_seen = true;
}

static uint16_t linux_sll(struct packet *pkt, struct cursor *c)
{
    const uint8_t *b = cur_take(c, 16);

    if (!b)
        return 0;
    cooked_direction(pkt, be16(b));
    cooked_source(pkt, b + 6, be16(b + 4));
    uint16_t proto = be16(b + 14);
    return proto == 4 ? llc(pkt, c) : link_ethertype(pkt, c, proto);
}

static uint16_t linux_sll2(struct packet *pkt, struct cursor *c)
{
    const uint8_t *b = cur_take(c, 20);

    if (!b)
        return 0;
    cooked_direction(pkt, b[10]);
    cooked_source(pkt, b + 12, b[11]);
    uint16_t proto = be16(b);
    return proto == 4 ? llc(pkt, c) : link_ethertype(pkt, c, proto);
}

/* Family, version, resource, then attributes in the writer's byte order; number 9 is the packet. */
static uint16_t nflog(struct packet *pkt, struct cursor *c)
{
    const uint8_t *b = cur_take(c, 4);

    if (!b || b[1] != 0)
        return 0;
    while (cur_left(c) >= 4) {
        const uint8_t *h = cur_take(c, 4);
        bool big = h[2] == 0; /* no attribute has a number above 255 */
        uint16_t type = big ? h[3] : h[2], len = big ? be16(h) : (uint16_t)(h[1] << 8 | h[0]);
        if (len < 4)
            return 0;
        if (type == 9)
            return link_raw(pkt, c); /* of a bridge anything may come: the nibble tells */
        cur_take(c, ((size_t)len - 4 + 3) & ~(size_t)3);
    }
    return 0;
}

/* A protected frame that was decrypted before it was written still has its cipher's header: 4 bytes
 * (WEP) or 8 (TKIP, CCMP). Otherwise there is nothing to read. */
static bool skip_cipher(struct cursor *c)
{
    for (size_t n = 4; n <= 8; n += 4)
        if (cur_left(c) >= n + 3 && memcmp(c->p + n, "\xaa\xaa\x03", 3) == 0) {
            cur_take(c, n);
            return true;
        }
    return false;
}

/* Data frames in the clear; management, control and protected frames have no IP to show. */
uint16_t link_wifi(struct packet *pkt, struct cursor *c)
{
    const uint8_t *b = cur_take(c, 24);
    size_t more = 0;
    bool aggregate = false;

    if (!b || (b[0] & 0x0c) != 0x08 || (b[0] & 0x40))
        return 0;
    if ((b[1] & 3) == 3)
        more += 6; /* the fourth address */
    if (b[0] & 0x80)
        more += (b[1] & 0x80) ? 6 : 2; /* QoS control, HT control */
    const uint8_t *rest = cur_take(c, more);
    if (rest && b[0] & 0x80) /* QoS control: an A-MSDU, frames with a short head each */
        aggregate = rest[(b[1] & 3) == 3 ? 6 : 0] & 0x80;
    if ((b[1] & 0x40) && !skip_cipher(c))
        return 0;
    if (aggregate)
        cur_take(c, 14); /* of several frames in one record the first is read */
    return llc(pkt, c);
}

static uint16_t radiotap(struct packet *pkt, struct cursor *c)
{
    const uint8_t *b = cur_take(c, 4);

    if (!b)
        return 0;
    unsigned len = (unsigned)(b[3] << 8 | b[2]);
    if (len < 8)
        return 0;
    cur_take(c, len - 4);
    return link_wifi(pkt, c);
}

static const struct link_type {
    uint32_t id;
    const char *name;
    uint16_t (*strip)(struct packet *pkt, struct cursor *c); /* NULL: named only */
} link_types[] = {
    {LINK_EN10MB, "EN10MB", link_ethernet},
    {LINK_LINUX_SLL2, "LINUX_SLL2", linux_sll2},
    {LINK_LINUX_SLL, "LINUX_SLL", linux_sll},
    {LINK_RAW, "RAW", link_raw},
    {LINK_RAW_12, "RAW", link_raw},
    {LINK_RAW_14, "RAW", link_raw},
    {LINK_NULL, "NULL", bsd_loopback},
    {LINK_LOOP, "LOOP", bsd_loopback},
    {LINK_IPV4, "IPV4", only_ipv4},
    {LINK_IPV6, "IPV6", only_ipv6},
    {LINK_PPP, "PPP", link_ppp},
    {LINK_PPP_SERIAL, "PPP_SERIAL", link_ppp},
    {LINK_PPP_ETHER, "PPP_ETHER", pppoe},
    {LINK_C_HDLC, "C_HDLC", cisco_hdlc},
    {LINK_FRELAY, "FRELAY", frame_relay},
    {LINK_NFLOG, "NFLOG", nflog},
    {LINK_IEEE802_11, "IEEE802_11", link_wifi},
    {LINK_IEEE802_11_RADIO, "IEEE802_11_RADIO", radiotap},
    {6, "IEEE802_5", NULL},
    {7, "ARCNET_BSD", NULL},
    {8, "SLIP", NULL},
    {LINK_FDDI, "FDDI", fddi},
    {117, "PFLOG", NULL},
    {119, "IEEE802_11_PRISM", NULL},
    {129, "ARCNET_LINUX", NULL},
    {187, "BLUETOOTH_HCI_H4", NULL},
    {189, "USB_LINUX", NULL},
    {192, "PPI", NULL},
    {195, "IEEE802_15_4", NULL},
    {201, "BLUETOOTH_HCI_H4_WITH_PHDR", NULL},
    {220, "USB_LINUX_MMAPPED", NULL},
    {227, "CAN_SOCKETCAN", NULL},
    {231, "DBUS", NULL},
    {249, "USBPCAP", NULL},
    {253, "NETLINK", NULL},
};

static const struct link_type *find_type(uint32_t id)
{
    for (size_t i = 0; i < ARRAY_SIZE(link_types); i++)
        if (link_types[i].id == id)
            return &link_types[i];
    return NULL;
}

bool link_known(uint32_t linktype)
{
    const struct link_type *t = find_type(linktype);

    return t && t->strip;
}

/* Strings for the numbers without a name, made by the preprocessor: nothing to keep or free. */
#define T1(n) "type " #n
#define T10(n)                                                                                     \
    T1(n##0), T1(n##1), T1(n##2), T1(n##3), T1(n##4), T1(n##5), T1(n##6), T1(n##7), T1(n##8),      \
        T1(n##9)
#define T100(n)                                                                                    \
    T10(n##0), T10(n##1), T10(n##2), T10(n##3), T10(n##4), T10(n##5), T10(n##6), T10(n##7),        \
        T10(n##8), T10(n##9)

const char *link_name(uint32_t linktype)
{
    static const char *const numbers[] = {
        T10(),  T10(1), T10(2), T10(3),  T10(4),  T10(5),  T10(6),
        T10(7), T10(8), T10(9), T100(1), T100(2), T100(3),
    };
    const struct link_type *t = find_type(linktype);

    if (t)
        return t->name;
    return linktype < ARRAY_SIZE(numbers) ? numbers[linktype] : "type above 399";
}

uint16_t link_strip(struct packet *pkt, struct cursor *c, uint32_t linktype)
{
    if (linktype == LINK_EN10MB)
        return link_ethernet(pkt, c);
    const struct link_type *t = find_type(linktype);
    return t && t->strip ? t->strip(pkt, c) : 0;
}
