/* The TCP header (RFC 9293 3.1) and its options. */
#include "wire/decode.h"

#include <string.h>

enum {
    OPT_END = 0,
    OPT_NOP = 1,
    OPT_MSS = 2,
    OPT_WSCALE = 3,
    OPT_SACK_OK = 4,
    OPT_SACK = 5,
    OPT_TS = 8,
    OPT_MPTCP = 30,
    OPT_TFO = 34,
    OPT_EXPERIMENT1 = 253,
    OPT_EXPERIMENT2 = 254,
};
#define TFO_EXPERIMENT 0xf989 /* RFC 7413 4.1.1, before it got a number */
#define MP_TCPRST      8      /* RFC 8684 3.6 */
#define SUM_MAX        64     /* payload up to which every checksum is looked at */

static void take_sack(struct tcp_header *t, struct cursor *v)
{
    while (cur_left(v) >= 8 && t->nsack < TCP_SACK_MAX) {
        t->sack[t->nsack].left = cur_be32(v);
        t->sack[t->nsack++].right = cur_be32(v);
    }
}

static uint8_t capped(uint8_t value, uint8_t max)
{
    return MIN_OF(value, max);
}

static void take_option(struct tcp_header *t, uint8_t kind, struct cursor v)
{
    size_t len = cur_left(&v);

    switch (kind) {
    case OPT_MSS:
        t->has_mss = len == 2;
        t->mss = cur_be16(&v);
        break;
    case OPT_WSCALE: /* RFC 7323 2.3: above 14 counts as 14 */
        if (len == 1)
            t->wscale = (int8_t)capped(cur_u8(&v), 14);
        break;
    case OPT_SACK_OK: t->sack_ok = true; break;
    case OPT_SACK: take_sack(t, &v); break;
    case OPT_TS:
        t->has_ts = len == 8;
        t->tsval = cur_be32(&v);
        t->tsecr = cur_be32(&v);
        break;
    case OPT_MPTCP:
        if (len >= 2 && cur_u8(&v) >> 4 == MP_TCPRST)
            t->mptcp_rst = (int8_t)capped(cur_u8(&v), INT8_MAX);
        break;
    case OPT_TFO: t->has_tfo = true; break;
    case OPT_EXPERIMENT1:
    case OPT_EXPERIMENT2: t->has_tfo |= len >= 2 && cur_be16(&v) == TFO_EXPERIMENT; break;
    default: break;
    }
}

static void take_options(struct tcp_header *t, struct cursor o)
{
    /* What nearly every segment bears: NOP NOP TS (RFC 7323 appendix A). */
    if (cur_left(&o) == 12 && be32(o.p) == 0x0101080a) {
        t->has_ts = true;
        t->tsval = be32(o.p + 4);
        t->tsecr = be32(o.p + 8);
        return;
    }
    while (cur_left(&o) > 0) {
        uint8_t kind = cur_u8(&o);
        if (kind == OPT_END)
            return;
        if (kind == OPT_NOP)
            continue;
        uint8_t len = cur_u8(&o);
        if (o.bad || len < 2 || len - 2U > cur_left(&o)) {
            t->bad_options = true;
            return;
        }
        take_option(t, kind, cur_sub(&o, len - 2U));
    }
}

static uint64_t pseudo_header(const struct packet *pkt, uint32_t len)
{
    uint8_t tail[8] = {(uint8_t)(len >> 24),
                       (uint8_t)(len >> 16),
                       (uint8_t)(len >> 8),
                       (uint8_t)len,
                       0,
                       0,
                       0,
                       PROTO_TCP};
    uint64_t acc = sum_words(0, tail, 8);

    if (pkt->src.family == 4)
        return sum_words(sum_words(acc, pkt->src.b, 4), pkt->dst.b, 4);
    return sum_words(sum_words(acc, pkt->src.b, 16), pkt->dst.b, 16);
}

static bool sum_ok(const struct packet *pkt, const uint8_t *tcp, uint32_t len)
{
    return sum_fold(sum_words(pseudo_header(pkt, len), tcp, len)) == 0xffff;
}

/* An unfilled checksum field bears the pseudo header's sum. */
static bool sum_partial(const struct packet *pkt, const uint8_t *tcp, uint32_t len)
{
    uint16_t field;

    memcpy(&field, tcp + 16, 2);
    return field == sum_fold(pseudo_header(pkt, len));
}

bool packet_tcp_checksum(const struct packet *pkt, bool *ok)
{
    if (pkt->l4 != L4_TCP || !pkt->payload || pkt->truncated || pkt->sum_void ||
        (pkt->fragment && !pkt->reassembled) || pkt->tcp.bad_options)
        return false;
    const struct tcp_header *t = &pkt->tcp;
    *ok = t->checksum_seen
              ? t->checksum_ok
              : sum_ok(pkt, pkt->payload - t->header_len, t->header_len + pkt->payload_len);
    return true;
}

static void check_sum(struct packet *pkt, const uint8_t *tcp, uint32_t len)
{
    struct tcp_header *t = &pkt->tcp;

    t->checksum_seen = true;
    t->checksum_ok = sum_ok(pkt, tcp, len);
    if (!t->checksum_ok)
        t->checksum_partial = sum_partial(pkt, tcp, len);
}

void tcp_decode(struct decoder *dec, struct part *p)
{
    struct packet *pkt = dec->pkt;
    struct tcp_header *t = &pkt->tcp;
    uint32_t here = (uint32_t)cur_left(&p->c), wire = p->wire;
    const uint8_t *b = cur_take(&p->c, 20);

    if (!b) {
        pkt->l4 = L4_OTHER;
        return;
    }
    pkt->l4 = L4_TCP;
    *t = (struct tcp_header){
        .sport = be16(b),
        .dport = be16(b + 2),
        .seq = be32(b + 4),
        .ack = be32(b + 8),
        .flags = b[13],
        .window = be16(b + 14),
        .urgent = be16(b + 18),
        .header_len = (uint8_t)((b[12] >> 4) * 4),
        .wscale = -1,
        .mptcp_rst = -1,
    };
    if (t->header_len < 20 || t->header_len > wire) { /* nothing behind it can be believed */
        t->header_len = 20;
        t->bad_options = true;
        pkt->payload = p->c.p;
        return;
    }
    t->options_len = (uint8_t)(t->header_len - 20);
    if (t->options_len) {
        struct cursor options = cur_sub(&p->c, t->options_len);
        take_options(t, options);
        t->bad_options |= options.bad && pkt->caplen >= pkt->len;
    }
    pkt->payload = p->c.p;
    pkt->payload_len = wire - t->header_len;
    pkt->payload_caplen = (uint32_t)cur_left(&p->c);
    if (((t->flags & (TCP_SYN | TCP_FIN | TCP_RST)) || pkt->payload_len <= SUM_MAX) &&
        here == wire && !pkt->sum_void && !(pkt->fragment && !pkt->reassembled))
        check_sum(pkt, b, wire);
}

const char *tcp_flags_text(char out[9], uint8_t flags)
{
    static const struct {
        uint8_t flag;
        char letter;
    } order[] = {{TCP_SYN, 'S'}, {TCP_FIN, 'F'}, {TCP_RST, 'R'}, {TCP_PSH, 'P'},
                 {TCP_ACK, 'A'}, {TCP_URG, 'U'}, {TCP_ECE, 'E'}, {TCP_CWR, 'C'}};
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        if (flags & order[i].flag)
            out[n++] = order[i].letter;
    if (n == 0)
        out[n++] = '-';
    out[n] = '\0';
    return out;
}
