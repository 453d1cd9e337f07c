/*
 * TCP, UDP, ICMP and what may be carried in tunnels: headers are kept but for what names somebody,
 * payload goes to payload.c, the checksum is mended last.
 */
#include "redact/private.h"

enum { ICMP = 1, IPIP = 4, TCP = 6, UDP = 17, IPV6_IN_IP = 41, GRE = 47, ICMP6 = 58 };

/* ---- TCP ---- */

/* MPTCP (RFC 8684 3.4.1): an address of the sender; its keys and codes stay scrambled. */
static void option_mptcp(struct rewrite *w, size_t at, size_t len)
{
    keep(w, at + 2, MIN_OF(len - 2, 2));
    if (len >= 4 && w->in[at + 2] >> 4 == 3) {
        bool six = len >= 20;
        if (len >= (six ? 20U : 8U)) {
            if (six)
                rewrite_addr6(w, at + 4);
            else
                rewrite_addr4(w, at + 4);
        }
    }
}

static void option(struct rewrite *w, size_t at, uint8_t kind, size_t len)
{
    switch (kind) {
    case 2:
    case 3:
    case 4:
    case 5:
    case 8:
    case 28: keep(w, at + 2, len - 2); break; /* MSS, scale, SACK, timestamps, user timeout */
    case 30:
        if (len >= 3)
            option_mptcp(w, at, len);
        break;
    case 253:
    case 254: keep(w, at + 2, MIN_OF(len - 2, 2)); break; /* RFC 6994: whose experiment */
    default: break;                                       /* cookies, digests */
    }
}

static void tcp_options(struct rewrite *w, size_t at, size_t end)
{
    while (at < end) {
        uint8_t kind = w->in[at];
        keep(w, at, 1);
        if (kind == 0)
            return;
        if (kind == 1) {
            at++;
            continue;
        }
        if (at + 1 >= end)
            return;
        keep(w, at + 1, 1);
        size_t len = w->in[at + 1];
        if (len < 2 || len > end - at)
            return;
        option(w, at, kind, len);
        at += len;
    }
}

static uint32_t fold(uint32_t acc)
{
    while (acc >> 16)
        acc = (acc & 0xffff) + (acc >> 16);
    return acc;
}

/* An unfilled checksum field bears the sum of the pseudo header alone (wire/tcp.c). */
static uint32_t pseudo_sum(const struct addr *src, const struct addr *dst, uint32_t len,
                           uint8_t proto)
{
    size_t n = src->family == 4 ? 4 : 16;
    uint32_t acc = (len >> 16) + (len & 0xffff) + proto;

    for (size_t i = 0; i < n; i += 2)
        acc += (uint32_t)get16(src->b + i) + get16(dst->b + i);
    return fold(acc);
}

static void mend_transport(struct rewrite *w, size_t at, const struct span *s, uint32_t len,
                           uint8_t proto)
{
    uint16_t field;

    if (at + 2 > s->end)
        return;
    field = get16(w->in + at);
    if (!w->sum_void && field == pseudo_sum(&w->from_src, &w->from_dst, len, proto)) {
        put16(w->out + at, pseudo_sum(&w->to_src, &w->to_dst, len, proto));
        return;
    }
    mend_sum(w, at, s->off, s->end, !w->sum_void);
    /* a wrong one must not by chance look unfilled: it stays wrong, by one more */
    if (!w->sum_void && get16(w->out + at) == pseudo_sum(&w->to_src, &w->to_dst, len, proto) &&
        fold(pseudo_sum(&w->from_src, &w->from_dst, len, proto) +
             sum16(0, w->in + s->off, here(s))) != 0xffff)
        put16(w->out + at, get16(w->out + at) + 1U);
}

static void tcp(struct rewrite *w, struct span s, bool fragment)
{
    const uint8_t *b = w->in + s.off;
    struct span all = s;
    size_t at = s.off;

    (void)fragment;
    if (here(&s) < 20) {
        if (w->quoted) /* ports and a number are what an ICMP error has to quote */
            keep(w, at, MIN_OF(here(&s), 16));
        return;
    }
    keep(w, at, 20);
    uint32_t hlen = (b[12] >> 4) * 4U, wire = s.wire;
    w->sport = get16(b);
    w->dport = get16(b + 2);
    take(&s, 20);
    if (hlen >= 20 && (hlen <= wire || w->quoted)) {
        size_t end = MIN_OF(at + hlen, s.end);
        tcp_options(w, at + 20, end);
        take(&s, end - (at + 20));
        if (here(&s) && !w->quoted)
            rewrite_payload(w, &s, b);
    }
    mend_transport(w, at + 16, &all, wire, TCP);
}

/* ---- tunnels: what carries a packet of its own ---- */

static void inner(struct rewrite *w, struct span s, void (*read)(struct rewrite *, struct span))
{
    struct rewrite deeper = *w;

    deeper.depth++;
    read(&deeper, s);
}

static bool keep_front(struct rewrite *w, struct span *s, size_t n)
{
    size_t at = s->off;

    if (!take(s, n))
        return false;
    keep(w, at, n);
    return true;
}

static void gre(struct rewrite *w, struct span s)
{
    const uint8_t *b = w->in + s.off;

    if (!keep_front(w, &s, 4))
        return;
    uint16_t flags = get16(b), proto = get16(b + 2);
    size_t more = (flags & 0x8000 ? 4U : 0) + (flags & 0x2000 ? 4U : 0) + (flags & 0x1000 ? 4U : 0);
    if (flags & 0x4000 || !keep_front(w, &s, more))
        return;
    if ((flags & 7) == 1) {
        if (!keep_front(w, &s, flags & 0x80 ? 4 : 0))
            return;
        if (proto == 0x880b) {
            inner(w, s, rewrite_ppp);
            return;
        }
    } else if (proto == 0x6558) {
        inner(w, s, rewrite_ethernet);
        return;
    } else if (proto == 0x88be || proto == 0x22eb) {
        size_t head = proto == 0x22eb ? 12 : flags & 0x1000 ? 8 : 0;
        if (keep_front(w, &s, head))
            inner(w, s, rewrite_ethernet);
        return;
    } else if (proto >= 0x8200 && proto <= 0x83ff) {
        inner(w, s, rewrite_wifi);
        return;
    }
    struct rewrite deeper = *w;
    deeper.depth++;
    rewrite_ethertype(&deeper, s, proto);
}

static void vxlan(struct rewrite *w, struct span s)
{
    const uint8_t *b = w->in + s.off;

    if (keep_front(w, &s, 8) && b[0] == 8)
        inner(w, s, rewrite_ethernet);
}

static void geneve(struct rewrite *w, struct span s)
{
    const uint8_t *b = w->in + s.off;

    if (!keep_front(w, &s, 8) || b[0] >> 6 != 0 || !take(&s, (b[0] & 0x3fU) * 4))
        return;
    if (get16(b + 2) == 0x6558) {
        inner(w, s, rewrite_ethernet);
        return;
    }
    struct rewrite deeper = *w;
    deeper.depth++;
    rewrite_ethertype(&deeper, s, get16(b + 2));
}

static void gtp(struct rewrite *w, struct span s)
{
    const uint8_t *b = w->in + s.off;

    if (!keep_front(w, &s, 8) || b[0] >> 4 != 3 || b[1] != 255)
        return;
    if (b[0] & 7) {
        const uint8_t *o = w->in + s.off;
        if (!keep_front(w, &s, 4))
            return;
        uint8_t next = b[0] & 4 ? o[3] : 0;
        for (int i = 0; next && i < 8 && here(&s); i++) {
            size_t at = s.off, words = w->in[at];
            if (!words || !take(&s, words * 4))
                return;
            keep(w, at, 1);
            keep(w, at + words * 4 - 1, 1);
            next = w->in[at + words * 4 - 1];
        }
    }
    inner(w, s, rewrite_raw);
}

/* The addresses of a Teredo packet say that it is one: they stay in 2001::/32. */
static void teredo(struct rewrite *w, struct span s)
{
    const uint8_t *b = w->in + s.off;

    if (here(&s) >= 4 && get16(b) == 1) {
        size_t more = b[2] + b[3] + 9U;
        if (!keep_front(w, &s, 4) || !take(&s, more))
            return;
    }
    b = w->in + s.off;
    if (here(&s) >= 8 && get16(b) == 0) {
        size_t at = s.off;
        keep_front(w, &s, 2);
        take(&s, 6);
        for (size_t i = 4; i < 8; i++) /* obfuscated by inversion */
            w->out[at + i] = (uint8_t)~w->in[at + i];
        struct addr a = {.family = 4};
        memcpy(a.b, w->out + at + 4, 4);
        redact_addr(w->r, &a);
        for (size_t i = 4; i < 8; i++)
            w->out[at + i] = (uint8_t)~a.b[i - 4];
    }
    inner(w, s, rewrite_raw);
}

static bool like_teredo(const struct rewrite *w, const struct span *s)
{
    const uint8_t *b = w->in + s->off;

    return w->from_src.family == 4 && here(s) >= 40 && (b[0] >> 4 == 6 || (b[0] == 0 && b[1] <= 1));
}

/* ---- UDP ---- */

static bool dns_port(uint16_t port)
{
    return port == 53 || port == 5353 || port == 5355;
}

static void udp(struct rewrite *w, struct span s, bool fragment)
{
    const uint8_t *b = w->in + s.off;
    struct span all = s;
    size_t at = s.off;

    (void)fragment;
    if (here(&s) < 8) {
        if (w->quoted)
            keep(w, at, MIN_OF(here(&s), 4));
        return;
    }
    keep(w, at, 8);
    take(&s, 8);
    uint16_t len = get16(b + 4), sport = get16(b), dport = get16(b + 2);
    if (len >= 8 && len - 8U < s.wire) {
        s.wire = len - 8U;
        s.end = MIN_OF(s.end, s.off + s.wire);
    }
    all.end = s.end;
    if (w->depth == 0 && !w->quoted && dport == 4789)
        vxlan(w, s);
    else if (w->depth == 0 && !w->quoted && dport == 6081)
        geneve(w, s);
    else if (w->depth == 0 && !w->quoted && dport == 2152)
        gtp(w, s);
    else if (w->depth == 0 && !w->quoted && like_teredo(w, &s))
        teredo(w, s);
    else if (!w->quoted && (dns_port(sport) || dns_port(dport)))
        rewrite_dns(w->r, w->in + s.off, w->out + s.off, here(&s));
    if (!get16(b + 6))
        return;
    mend_transport(w, at + 6, &all, s.wire + 8, UDP);
    if (!get16(w->out + at + 6))
        put16(w->out + at + 6, 0xffff);
}

/* ---- ICMP ---- */

/* Neighbour discovery (RFC 4861 4.6): link-layer addresses, prefixes, resolvers. */
static void nd_options(struct rewrite *w, struct span s)
{
    while (here(&s) >= 8) {
        size_t at = s.off, len = w->in[at + 1] * 8U;
        if (!len || !take(&s, len))
            return;
        keep(w, at, 2);
        switch (w->in[at]) {
        case 1:
        case 2: rewrite_mac(w, at + 2); break;
        case 3:
            keep(w, at + 2, 14 - 2);
            if (len >= 32)
                rewrite_addr6(w, at + 16);
            break;
        case 5: keep(w, at + 2, 6); break;
        case 25:
            keep(w, at + 2, 6);
            for (size_t a = at + 8; a + 16 <= at + len; a += 16)
                rewrite_addr6(w, a);
            break;
        default: break;
        }
    }
}

static void discovery(struct rewrite *w, struct span s, uint8_t type)
{
    size_t at = s.off;

    if (type == 134) {
        if (!keep_front(w, &s, 8))
            return;
    } else if (type >= 135) {
        if (!take(&s, 16))
            return;
        rewrite_addr6(w, at);
        if (type == 137) {
            if (!take(&s, 16))
                return;
            rewrite_addr6(w, at + 16);
        }
    }
    nd_options(w, s);
}

static void quotation(struct rewrite *w, struct span s)
{
    struct rewrite inside = *w;

    inside.quoted = true;
    rewrite_raw(&inside, s);
}

static void icmp(struct rewrite *w, struct span s, bool v6)
{
    const uint8_t *b = w->in + s.off;
    struct span all = s;
    size_t at = s.off;

    if (!keep_front(w, &s, 8))
        return;
    bool error = v6 ? b[0] >= 1 && b[0] <= 4
                    : b[0] == 3 || b[0] == 4 || b[0] == 5 || b[0] == 11 || b[0] == 12;
    if (!v6 && b[0] == 5)
        rewrite_addr4(w, at + 4);
    if (v6 && b[0] == 137)
        keep(w, at + 4, 4);
    if (error && !w->quoted)
        quotation(w, s);
    else if (v6 && b[0] >= 133 && b[0] <= 137)
        discovery(w, s, b[0]);
    if (v6)
        mend_transport(w, at + 2, &all, all.wire, ICMP6);
    else
        mend_sum(w, at + 2, all.off, all.end, false);
}

/* ---- */

void rewrite_transport(struct rewrite *w, struct span s, uint8_t proto, bool fragment)
{
    bool six = w->from_src.family == 6;

    switch (proto) {
    case TCP: tcp(w, s, fragment); return;
    case UDP: udp(w, s, fragment); return;
    case ICMP:
        if (!six)
            icmp(w, s, false);
        return;
    case ICMP6:
        if (six)
            icmp(w, s, true);
        return;
    case IPIP:
    case IPV6_IN_IP:
        if (!w->depth && !w->quoted)
            inner(w, s, rewrite_raw);
        return;
    case GRE:
        if (!w->depth && !w->quoted)
            gre(w, s);
        return;
    default: return;
    }
}
