/* IPv4 (RFC 791) and IPv6 (RFC 8200) headers, with their fragments. */
#include "wire/decode.h"

#include <string.h>

#define EXTENSIONS_MAX 16

static void addr4(struct addr *a, const uint8_t *b)
{
    a->family = 4;
    memcpy(a->b, b, 4); /* the rest is zero: the packet was cleared */
    memset(a->b + 4, 0, 12);
}

static void addr6(struct addr *a, const uint8_t *b)
{
    a->family = 6;
    memcpy(a->b, b, 16);
}

/* A fragment: with a store it waits there until its siblings are in, and only the one that
 * completes the set is decoded further; what can never complete is decoded alone, if it is the
 * first. false: nothing can be read behind this header. */
static bool take_fragment(struct decoder *dec, struct part *p, struct fragment *f, uint8_t *proto)
{
    struct packet *pkt = dec->pkt;
    struct cursor whole;

    pkt->fragment = true;
    f->src = pkt->src;
    f->dst = pkt->dst;
    f->time = pkt->time;
    f->data = p->c.p;
    f->len = p->wire;
    if (!dec->defrag || cur_left(&p->c) < p->wire)
        return f->offset == 0;
    if (!defrag_add(dec->defrag, f, &whole, proto))
        return false;
    *p = (struct part){whole, (uint32_t)cur_left(&whole)};
    pkt->reassembled = true;
    return true;
}

bool ip4_header(struct decoder *dec, struct part *p, uint8_t *proto)
{
    struct packet *pkt = dec->pkt;
    const uint8_t *b = cur_left(&p->c) >= 20 ? p->c.p : NULL;

    if (!b || b[0] >> 4 != 4)
        return false;
    uint32_t hlen = (b[0] & 15) * 4U, total = be16(b + 2);
    uint16_t frag = be16(b + 6);
    addr4(&pkt->src, b + 12);
    addr4(&pkt->dst, b + 16);
    pkt->tos = b[1];
    pkt->ip_id = be16(b + 4);
    pkt->ttl = b[8];
    pkt->df = frag & 0x4000;
    *proto = b[9];
    if (total == 0) /* segmentation offload above 64 KiB, or before the length was filled in */
        total = p->wire;
    pkt->ip_len = total;
    if (hlen < 20 || total < hlen || hlen > cur_left(&p->c)) {
        pkt->bad_ip = true;
        *proto = PROTO_NONE;
        return true;
    }
    pkt->ip_checksum_ok =
        sum_fold(hlen == 20 ? sum_words(0, b, 20) : sum_words(0, b, hlen)) == 0xffff;
    bool flipped = total > p->wire && !pkt->ip_checksum_ok && p->wire >= hlen;
    if (flipped)
        total = p->wire; /* bits changed underway; with a right sum the record was cut later */
    part_clip(p, total);
    part_skip(p, hlen);
    if (flipped && frag & 0x1fff)
        *proto = PROTO_NONE;
    if (flipped || !(frag & 0x3fff))
        return true;
    struct fragment f = {
        .id = pkt->ip_id, .proto = *proto, .offset = (frag & 0x1fffU) * 8, .more = frag & 0x2000};
    if (!take_fragment(dec, p, &f, proto))
        *proto = PROTO_NONE;
    else if (pkt->reassembled)
        pkt->ip_len = hlen + p->wire;
    return true;
}

/* RFC 2675: the real length of a jumbogram stands in a hop-by-hop option; 0: none. */
static uint32_t jumbo_length(struct cursor options)
{
    while (cur_left(&options) >= 2) {
        uint8_t type = cur_u8(&options);
        if (type == 0)
            continue;
        uint8_t len = cur_u8(&options);
        if (type == 0xc2 && len == 4)
            return cur_be32(&options);
        cur_take(&options, len);
    }
    return 0;
}

/* One extension header whose first bytes are next and length; false: cut or damaged. */
static bool take_extension(struct decoder *dec, struct part *p, uint8_t *proto)
{
    const uint8_t *b = cur_left(&p->c) >= 8 ? p->c.p : NULL;

    if (!b)
        return false;
    uint32_t len = *proto == PROTO_AH ? (b[1] + 2U) * 4 : (b[1] + 1U) * 8;
    if (*proto == PROTO_ROUTING && b[3] > 0)
        dec->pkt->sum_void = true; /* RFC 8200 8.1: the sum is over the final destination */
    if (len > p->wire || len > cur_left(&p->c))
        return false;
    *proto = b[0];
    part_skip(p, len);
    return true;
}

static bool take_fragment6(struct decoder *dec, struct part *p, uint8_t *proto)
{
    const uint8_t *b = cur_left(&p->c) >= 8 ? p->c.p : NULL;

    if (!b)
        return false;
    struct fragment f = {
        .id = be32(b + 4), .proto = b[0], .offset = be16(b + 2) & 0xfff8U, .more = b[3] & 1};
    *proto = b[0];
    part_skip(p, 8);
    if (f.offset == 0 && !f.more) /* an atomic fragment (RFC 6946) is whole */
        return true;
    return take_fragment(dec, p, &f, proto);
}

static bool walk_extensions(struct decoder *dec, struct part *p, uint8_t *proto)
{
    for (int i = 0; i < EXTENSIONS_MAX; i++) {
        switch (*proto) {
        case PROTO_HOPOPTS:
        case PROTO_ROUTING:
        case PROTO_DSTOPTS:
        case PROTO_AH:
        case PROTO_MOBILITY:
            if (!take_extension(dec, p, proto))
                return false;
            break;
        case PROTO_FRAGMENT:
            if (!take_fragment6(dec, p, proto))
                return false;
            break;
        default: return true;
        }
    }
    return false;
}

bool ip6_header(struct decoder *dec, struct part *p, uint8_t *proto)
{
    struct packet *pkt = dec->pkt;
    const uint8_t *b = cur_left(&p->c) >= 40 ? p->c.p : NULL;

    if (!b || b[0] >> 4 != 6)
        return false;
    uint32_t word = be32(b), len = be16(b + 4);
    addr6(&pkt->src, b + 8);
    addr6(&pkt->dst, b + 24);
    pkt->tos = (uint8_t)(word >> 20);
    pkt->flow_label = word & 0xfffff;
    pkt->ttl = b[7];
    *proto = b[6];
    part_skip(p, 40);
    if (len == 0) {
        if (*proto == PROTO_HOPOPTS && cur_left(&p->c) >= 8) {
            struct cursor options =
                cursor_of(p->c.p, MIN_OF(cur_left(&p->c), (p->c.p[1] + 1U) * 8));
            cur_take(&options, 2);
            len = jumbo_length(options);
        }
        len = len ? len : p->wire;
    }
    if (len > p->wire && len > UINT16_MAX) {
        pkt->bad_ip = true;
        len = p->wire;
    }
    pkt->ip_len = len + 40;
    part_clip(p, len);
    if (*proto == PROTO_TCP || *proto == PROTO_UDP)
        return true;
    if (!walk_extensions(dec, p, proto)) {
        pkt->bad_ip |= !pkt->fragment;
        *proto = PROTO_NONE;
    }
    return true;
}
