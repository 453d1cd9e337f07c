/*
 * A packet, layer by layer, as link.c and ip.c of wire/ read it: what they understand is kept or
 * mapped, all the rest has been scrambled before we begin.
 */
#include "redact/private.h"

enum { IPV4 = 0x0800, IPV6 = 0x86dd, ARP = 0x0806 };
enum {
    HOPOPTS = 0,
    ROUTING = 43,
    FRAGMENT = 44,
    AH = 51,
    NO_NEXT = 59,
    DSTOPTS = 60,
    MOBILITY = 135
};
#define TAGS_MAX       8
#define EXTENSIONS_MAX 16

void keep(struct rewrite *w, size_t off, size_t n)
{
    memcpy(w->out + off, w->in + off, n);
}

bool take(struct span *s, size_t n)
{
    if (n > here(s)) {
        s->off = s->end;
        return false;
    }
    s->off += n;
    s->wire -= MIN_OF((uint32_t)n, s->wire);
    return true;
}

/* Takes n bytes and keeps them; false: they are not all here. */
static bool keep_next(struct rewrite *w, struct span *s, size_t n)
{
    size_t at = s->off;

    if (!take(s, n))
        return false;
    keep(w, at, n);
    return true;
}

static void rewrite_addr(struct rewrite *w, size_t off, uint8_t family)
{
    struct addr a = {.family = family};
    size_t n = family == 4 ? 4 : 16;

    memcpy(a.b, w->in + off, n);
    redact_addr(w->r, &a);
    memcpy(w->out + off, a.b, n);
}

void rewrite_addr4(struct rewrite *w, size_t off)
{
    rewrite_addr(w, off, 4);
}

void rewrite_addr6(struct rewrite *w, size_t off)
{
    rewrite_addr(w, off, 6);
}

void rewrite_mac(struct rewrite *w, size_t off)
{
    memcpy(w->out + off, w->in + off, 6);
    redact_mac(w->r, w->out + off);
}

/* ---- checksums (RFC 1624): by what was changed, so that a wrong one stays as wrong ---- */

uint32_t sum16(uint32_t acc, const uint8_t *b, size_t n)
{
    for (size_t i = 0; i + 1 < n; i += 2)
        acc += get16(b + i);
    if (n & 1)
        acc += (uint32_t)b[n - 1] << 8;
    while (acc >> 16)
        acc = (acc & 0xffff) + (acc >> 16);
    return acc;
}

static uint32_t sum_addresses(const struct addr *a, const struct addr *b)
{
    return sum16(sum16(0, a->b, a->family == 4 ? 4 : 16), b->b, b->family == 4 ? 4 : 16);
}

/* a - b in ones' complement. */
static uint32_t minus(uint32_t a, uint32_t b)
{
    uint32_t d = a + (~b & 0xffff);

    return (d & 0xffff) + (d >> 16);
}

void mend_sum(struct rewrite *w, size_t at, size_t from, size_t to, bool addresses)
{
    uint32_t was, now, field;

    if (at + 2 > to)
        return;
    put16(w->out + at, get16(w->in + at));
    was = sum16(0, w->in + from, to - from);
    now = sum16(0, w->out + from, to - from);
    if (addresses) {
        was = minus(was, ~sum_addresses(&w->from_src, &w->from_dst) & 0xffff);
        now = minus(now, ~sum_addresses(&w->to_src, &w->to_dst) & 0xffff);
    }
    if (was == now)
        return;
    field = get16(w->in + at) + was;
    field = minus((field & 0xffff) + (field >> 16), now);
    put16(w->out + at, field);
}

/* The addresses of the header at `at` that the transport's checksum is over. */
static void set_ends(struct rewrite *w, uint8_t af, size_t src, size_t dst)
{
    size_t n = af == 4 ? 4 : 16;

    w->from_src = w->from_dst = w->to_src = w->to_dst = (struct addr){.family = af};
    memcpy(w->from_src.b, w->in + src, n);
    memcpy(w->from_dst.b, w->in + dst, n);
    memcpy(w->to_src.b, w->out + src, n);
    memcpy(w->to_dst.b, w->out + dst, n);
    w->sum_void = false;
}

/* ---- IPv4 ---- */

static void options4(struct rewrite *w, size_t at, size_t end)
{
    while (at + 1 < end) {
        uint8_t kind = w->in[at], len = w->in[at + 1];
        if (kind <= 1) {
            keep(w, at++, 1);
            continue;
        }
        if (len < 2 || len > end - at)
            return;
        keep(w, at, 2);
        if (kind == 7 || kind == 131 || kind == 137) { /* routes recorded, or asked for */
            if (len >= 3)
                keep(w, at + 2, 1);
            for (size_t a = at + 3; a + 4 <= at + len; a += 4)
                rewrite_addr4(w, a);
        } else if (kind == 148 && len == 4) { /* router alert (RFC 2113) */
            keep(w, at + 2, 2);
        }
        at += len;
    }
    if (at < end && w->in[at] <= 1)
        keep(w, at, 1);
}

static bool header_sum_ok(const uint8_t *b, size_t n)
{
    return sum16(0, b, n) == 0xffff;
}

/* What a fragment adds to a checksum that lies in another one must stay: one word makes it good. */
static void balance(struct rewrite *w, const struct span *s)
{
    size_t n = here(s) & ~(size_t)1, at;
    uint32_t was, now;

    if (n < 2)
        return;
    at = s->off + n - 2;
    was = sum16(0, w->in + s->off, here(s));
    put16(w->out + at, 0);
    now = sum16(0, w->out + s->off, here(s));
    put16(w->out + at, minus(was, now));
}

static void ip4(struct rewrite *w, struct span s)
{
    const uint8_t *b = w->in + s.off;
    size_t at = s.off;

    if (here(&s)) /* it tells the version */
        keep(w, at, 1);
    if (here(&s) < 20 || b[0] >> 4 != 4)
        return;
    uint32_t hlen = (b[0] & 15) * 4U, total = get16(b + 2);
    uint16_t frag = get16(b + 6);
    keep(w, at, 12);
    rewrite_addr4(w, at + 12);
    rewrite_addr4(w, at + 16);
    total = total ? total : s.wire;
    if (hlen < 20 || total < hlen || hlen > here(&s)) {
        mend_sum(w, at + 10, at, at + 20, false);
        return;
    }
    options4(w, at + 20, at + hlen);
    mend_sum(w, at + 10, at, at + hlen, false);
    bool flipped = total > s.wire && !header_sum_ok(b, hlen) && s.wire >= hlen;
    total = flipped ? s.wire : total;
    s.wire = total;
    s.end = MIN_OF(s.end, s.off + total);
    take(&s, hlen);
    set_ends(w, 4, at + 12, at + 16);
    if (frag & 0x1fff) {
        if (!flipped)
            balance(w, &s);
        return;
    }
    rewrite_transport(w, s, b[9], frag & 0x2000);
}

/* ---- IPv6 ---- */

static void options6(struct rewrite *w, size_t at, size_t end)
{
    while (at + 1 < end) {
        if (w->in[at] == 0) {
            keep(w, at++, 1);
            continue;
        }
        uint8_t kind = w->in[at], len = w->in[at + 1];
        keep(w, at, 2);
        if (len > end - at - 2)
            return;
        if ((kind == 0xc2 && len == 4) || (kind == 5 && len == 2) || kind == 1)
            keep(w, at + 2, len); /* jumbo payload, router alert, padding */
        else if (kind == 0xc9 && len == 16)
            rewrite_addr6(w, at + 2); /* home address (RFC 6275) */
        at += len + 2U;
    }
}

/* One extension header; false: cut or damaged. */
static bool extension(struct rewrite *w, struct span *s, uint8_t *proto)
{
    const uint8_t *b = w->in + s->off;
    size_t at = s->off;

    if (here(s) < 8)
        return false;
    uint32_t len = *proto == AH ? (b[1] + 2U) * 4 : (b[1] + 1U) * 8;
    keep(w, at, *proto == ROUTING || *proto == AH ? 8 : 2);
    if (len > s->wire || len > here(s))
        return false;
    if (*proto == ROUTING) {
        w->sum_void |= b[3] > 0;
        for (size_t a = at + 8; a + 16 <= at + len; a += 16)
            rewrite_addr6(w, a);
    } else if (*proto == HOPOPTS || *proto == DSTOPTS) {
        options6(w, at + 2, at + len);
    }
    *proto = b[0];
    return take(s, len);
}

/* Over what may lie between the header and the transport's; false: nothing of it can be read. */
static bool extensions(struct rewrite *w, struct span *s, uint8_t *proto, bool *fragment)
{
    for (int i = 0; i < EXTENSIONS_MAX; i++) {
        const uint8_t *b = w->in + s->off;
        switch (*proto) {
        case HOPOPTS:
        case ROUTING:
        case DSTOPTS:
        case AH:
        case MOBILITY:
            if (!extension(w, s, proto))
                return false;
            break;
        case FRAGMENT:
            if (!keep_next(w, s, 8))
                return false;
            *proto = b[0];
            *fragment = (get16(b + 2) & 0xfff9) != 0;
            if (get16(b + 2) & 0xfff8) {
                balance(w, s);
                return false;
            }
            break;
        default: return true;
        }
    }
    return false;
}

static uint32_t jumbo_length(const uint8_t *b, size_t n)
{
    for (size_t at = 2; at + 1 < n;) {
        if (b[at] == 0) {
            at++;
            continue;
        }
        if (b[at] == 0xc2 && b[at + 1] == 4 && at + 6 <= n)
            return (uint32_t)get16(b + at + 2) << 16 | get16(b + at + 4);
        at += b[at + 1] + 2U;
    }
    return 0;
}

static void ip6(struct rewrite *w, struct span s)
{
    const uint8_t *b = w->in + s.off;
    size_t at = s.off;
    bool fragment = false;

    if (here(&s))
        keep(w, at, 1);
    if (here(&s) < 40 || b[0] >> 4 != 6)
        return;
    uint32_t len = get16(b + 4);
    uint8_t proto = b[6];
    keep(w, at, 8);
    rewrite_addr6(w, at + 8);
    rewrite_addr6(w, at + 24);
    take(&s, 40);
    if (len == 0) {
        if (proto == HOPOPTS && here(&s) >= 8)
            len = jumbo_length(w->in + s.off, MIN_OF(here(&s), (w->in[s.off + 1] + 1U) * 8));
        len = len ? len : s.wire;
    }
    if (len > s.wire && len > UINT16_MAX)
        len = s.wire;
    s.wire = len;
    s.end = MIN_OF(s.end, s.off + len);
    set_ends(w, 6, at + 8, at + 24);
    if (extensions(w, &s, &proto, &fragment))
        rewrite_transport(w, s, proto, fragment);
}

/* RFC 826, for Ethernet and IPv4. */
static void arp(struct rewrite *w, struct span s)
{
    size_t at = s.off;

    if (here(&s) < 28 || get16(w->in + at) != 1 || get16(w->in + at + 2) != IPV4)
        return;
    keep(w, at, 8);
    rewrite_mac(w, at + 8);
    rewrite_addr4(w, at + 14);
    rewrite_mac(w, at + 18);
    rewrite_addr4(w, at + 24);
}

/* ---- links ---- */

void rewrite_raw(struct rewrite *w, struct span s)
{
    if (here(&s) && w->in[s.off] >> 4 == 4)
        ip4(w, s);
    else if (here(&s) && w->in[s.off] >> 4 == 6)
        ip6(w, s);
    else if (here(&s))
        keep(w, s.off, 1);
}

static void mpls(struct rewrite *w, struct span s)
{
    for (int i = 0; i < 16; i++) {
        size_t at = s.off;
        if (!keep_next(w, &s, 4))
            return;
        if (w->in[at + 2] & 1) {
            rewrite_raw(w, s);
            return;
        }
    }
}

static void pppoe(struct rewrite *w, struct span s)
{
    size_t at = s.off;

    if (keep_next(w, &s, 6) && w->in[at + 1] == 0)
        rewrite_ppp(w, s);
}

/* A frame's two addresses within a tag, or ahead of the type. */
static bool macs_next(struct rewrite *w, struct span *s)
{
    size_t at = s->off;

    if (!take(s, 12))
        return false;
    rewrite_mac(w, at);
    rewrite_mac(w, at + 6);
    return true;
}

void rewrite_ethertype(struct rewrite *w, struct span s, uint16_t type)
{
    for (int tags = 0; tags < TAGS_MAX; tags++) {
        bool ok = true;
        switch (type) {
        case IPV4: ip4(w, s); return;
        case IPV6: ip6(w, s); return;
        case ARP: arp(w, s); return;
        case 0x8100:
        case 0x88a8:
        case 0x9100:
        case 0x9200: ok = keep_next(w, &s, 2); break;
        case 0x8926: ok = keep_next(w, &s, 4); break;
        case 0x8909: ok = keep_next(w, &s, 6); break;
        case 0x8847:
        case 0x8848: mpls(w, s); return;
        case 0x8864: pppoe(w, s); return;
        case 0x2452: rewrite_wifi(w, s); return;
        case 0x88e7: ok = keep_next(w, &s, 4) && macs_next(w, &s); break;
        case 0x8903: ok = macs_next(w, &s) && keep_next(w, &s, 2); break;
        default: return;
        }
        size_t at = s.off;
        if (!ok || !keep_next(w, &s, 2))
            return;
        type = get16(w->in + at);
    }
}

static void llc(struct rewrite *w, struct span s)
{
    const uint8_t *b = w->in + s.off;

    if (!keep_next(w, &s, 3))
        return;
    if (b[0] == 6 && b[1] == 6 && b[2] == 3) {
        ip4(w, s);
        return;
    }
    if (b[0] != 0xaa || b[1] != 0xaa || b[2] != 3 || !keep_next(w, &s, 5))
        return;
    if (memcmp(b + 3, "\0\0\0", 3) == 0 || memcmp(b + 3, "\0\0\xf8", 3) == 0)
        rewrite_ethertype(w, s, get16(b + 6));
}

void rewrite_ethernet(struct rewrite *w, struct span s)
{
    const uint8_t *b = w->in + s.off;

    if (here(&s) < 14)
        return;
    macs_next(w, &s);
    keep_next(w, &s, 2);
    if (get16(b + 12) <= 1500)
        llc(w, s);
    else
        rewrite_ethertype(w, s, get16(b + 12));
}

void rewrite_ppp(struct rewrite *w, struct span s)
{
    if (here(&s) >= 2 && get16(w->in + s.off) == 0xff03)
        keep_next(w, &s, 2);
    size_t at = s.off;
    if (!keep_next(w, &s, 1))
        return;
    uint16_t proto = w->in[at];
    if (!(proto & 1)) {
        if (!keep_next(w, &s, 1))
            return;
        proto = get16(w->in + at);
    }
    switch (proto) {
    case 0x0021: ip4(w, s); break;
    case 0x0057: ip6(w, s); break;
    case 0x0281:
    case 0x0283: mpls(w, s); break;
    default: break;
    }
}

static void family(struct rewrite *w, struct span s)
{
    const uint8_t *b = w->in + s.off;

    if (!keep_next(w, &s, 4))
        return;
    uint32_t af = (uint32_t)get16(b) << 16 | get16(b + 2);
    af = af > 0xffff ? __builtin_bswap32(af) : af;
    if (af == 2)
        ip4(w, s);
    else
        ip6(w, s);
}

static void hdlc(struct rewrite *w, struct span s)
{
    const uint8_t *b = w->in + s.off;

    if (keep_next(w, &s, 4))
        rewrite_ethertype(w, s, get16(b + 2));
}

static void frame_relay(struct rewrite *w, struct span s)
{
    bool last = false;

    for (int i = 0; i < 5 && !last; i++) {
        size_t at = s.off;
        if (!keep_next(w, &s, 1))
            return;
        last = (w->in[at] & 1) || i == 3;
    }
    const uint8_t *b = w->in + s.off;
    if (!keep_next(w, &s, 2))
        return;
    if (b[0] != 3) {
        rewrite_ethertype(w, s, get16(b));
        return;
    }
    uint8_t nlpid = b[1];
    if (!nlpid) {
        if (!keep_next(w, &s, 1))
            return;
        nlpid = b[2];
        b++;
    }
    if (nlpid == 0xcc)
        ip4(w, s);
    else if (nlpid == 0x8e)
        ip6(w, s);
    else if (nlpid == 0x80 && keep_next(w, &s, 5) && memcmp(b + 2, "\0\0\0", 3) == 0)
        rewrite_ethertype(w, s, get16(b + 5));
}

static void fddi(struct rewrite *w, struct span s)
{
    size_t at = s.off;

    if (!keep_next(w, &s, 1) || !macs_next(w, &s) || (w->in[at] & 0xf0) != 0x50)
        return;
    llc(w, s);
}

/* Cooked: proto at p, the address's length at n (of size 2 or 1), the address at a. */
static void cooked(struct rewrite *w, struct span s, size_t head, size_t p, size_t n, size_t a)
{
    const uint8_t *b = w->in + s.off;
    size_t at = s.off;

    if (!keep_next(w, &s, head))
        return;
    unsigned len = head == 16 ? get16(b + n) : b[n];
    if (len == 6)
        rewrite_mac(w, at + a);
    else if (len)
        scramble(w->r, w->in + at + a, w->out + at + a, 8);
    uint16_t proto = get16(b + p);
    if (proto == 4)
        llc(w, s);
    else
        rewrite_ethertype(w, s, proto);
}

static void nflog(struct rewrite *w, struct span s)
{
    const uint8_t *b = w->in + s.off;

    if (!keep_next(w, &s, 4) || b[1] != 0)
        return;
    while (here(&s) >= 4) {
        const uint8_t *h = w->in + s.off;
        keep_next(w, &s, 4);
        bool big = h[2] == 0;
        uint16_t type = big ? h[3] : h[2], len = big ? get16(h) : (uint16_t)(h[1] << 8 | h[0]);
        if (len < 4)
            return;
        if (type == 9) {
            rewrite_raw(w, s);
            return;
        }
        if (!take(&s, ((size_t)len - 4 + 3) & ~(size_t)3))
            return;
    }
}

void rewrite_wifi(struct rewrite *w, struct span s)
{
    const uint8_t *b = w->in + s.off;
    size_t at = s.off, more = 0;

    if (here(&s) >= 2)
        keep(w, at, 2);
    if (!take(&s, 24))
        return;
    keep(w, at, 4);
    for (size_t i = 4; i <= 16; i += 6)
        rewrite_mac(w, at + i);
    keep(w, at + 22, 2);
    if ((b[0] & 0x0c) != 0x08 || (b[0] & 0x40))
        return;
    bool four = (b[1] & 3) == 3, qos = b[0] & 0x80;
    more = (four ? 6 : 0) + (qos ? (b[1] & 0x80 ? 6 : 2) : 0);
    if (!keep_next(w, &s, more))
        return;
    if (four)
        rewrite_mac(w, at + 24);
    bool aggregate = qos && (b[24 + (four ? 6 : 0)] & 0x80);
    if (b[1] & 0x40) {
        size_t n = 0;
        for (size_t k = 4; k <= 8 && !n; k += 4)
            if (here(&s) >= k + 3 && memcmp(w->in + s.off + k, "\xaa\xaa\3", 3) == 0)
                n = k;
        if (!n || !keep_next(w, &s, n))
            return;
    }
    if (aggregate && (!macs_next(w, &s) || !keep_next(w, &s, 2)))
        return;
    llc(w, s);
}

static void radiotap(struct rewrite *w, struct span s)
{
    const uint8_t *b = w->in + s.off;

    if (!keep_next(w, &s, 4))
        return;
    unsigned len = (unsigned)(b[3] << 8 | b[2]);
    if (len >= 8 && keep_next(w, &s, len - 4))
        rewrite_wifi(w, s);
}

static void rewrite_link(struct rewrite *w, struct span s, uint32_t link)
{
    switch (link) {
    case LINK_EN10MB: rewrite_ethernet(w, s); break;
    case LINK_LINUX_SLL: cooked(w, s, 16, 14, 4, 6); break;
    case LINK_LINUX_SLL2: cooked(w, s, 20, 0, 11, 12); break;
    case LINK_RAW:
    case LINK_RAW_12:
    case LINK_RAW_14:
    case LINK_IPV4:
    case LINK_IPV6: rewrite_raw(w, s); break;
    case LINK_NULL:
    case LINK_LOOP: family(w, s); break;
    case LINK_PPP:
    case LINK_PPP_SERIAL: rewrite_ppp(w, s); break;
    case LINK_PPP_ETHER: pppoe(w, s); break;
    case LINK_C_HDLC: hdlc(w, s); break;
    case LINK_FRELAY: frame_relay(w, s); break;
    case LINK_NFLOG: nflog(w, s); break;
    case LINK_IEEE802_11: rewrite_wifi(w, s); break;
    case LINK_IEEE802_11_RADIO: radiotap(w, s); break;
    case LINK_FDDI: fddi(w, s); break;
    default: break;
    }
}

void redact_packet(struct redactor *r, const struct record *rec, uint8_t *out)
{
    struct rewrite w = {.r = r, .in = rec->data, .out = out};
    struct span s = {0, rec->caplen, MAX_OF(rec->len, rec->caplen)};

    if (!rec->caplen)
        return;
    scramble(r, rec->data, out, rec->caplen);
    rewrite_link(&w, s, rec->link);
    if (r->failed)
        memset(out, 0, rec->caplen);
}
