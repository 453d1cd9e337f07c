/* What the payload of a RST says (RFC 9293 3.5.3 lets a RST bear data): the diagnostic payload of
 * draft-ietf-tcpm-rst-diagnostic-payload in its three forms, words of a device such as F5's, a
 * quoted packet. The draft warns of text meant to mislead: it is shown as a quotation, cleaned. */
#include "wire/app.h"

#include <stdio.h>
#include <string.h>

#define MAGIC_CBOR    12345 /* to become the RFC's number */
#define MAGIC_COMPACT 0x33aa
#define MAGIC_TEXT    0xf317
#define COMPACT_LEN   8
#define DIAG_MAX      255 /* the draft's limit */
#define PRINTABLE_MIN 4   /* fewer printable bytes are chance */
enum { KEY_REASON = 1, KEY_PEN = 2, KEY_TEXT = 3 };

/* "TCP Failure Causes" of the draft; the numbers may still move until there is an RFC. */
static const char *const reasons[] = {
    [1] = "illegal option",
    [2] = "desynchronized state",
    [3] = "data after CLOSE",
    [4] = "aborted by the application (ABORT)",
    [5] = "unexpected ACK",
    [6] = "SYN in the window",
    [7] = "unexpected security compartment",
    [8] = "malformed message",
    [9] = "not authorized",
    [10] = "resource exceeded",
    [11] = "network failure",
    [12] = "reset received from the peer",
    [13] = "destination unreachable",
    [14] = "connection timeout",
    [15] = "too much outstanding data",
    [16] = "unacceptable performance",
    [17] = "middlebox interference",
};

struct diagnosis {
    bool has_reason, has_pen;
    uint64_t reason, pen;
    struct cursor text;
};

static void diagnosis_text(char *out, size_t outlen, const struct diagnosis *d)
{
    char words[DIAG_MAX + 1];

    snprintf(out, outlen, "diagnostic payload:");
    if (d->has_reason && d->has_pen && d->pen)
        text_addf(out, outlen, " reason %llu of enterprise %llu", (unsigned long long)d->reason,
                  (unsigned long long)d->pen);
    else if (d->has_reason)
        text_addf(out, outlen, " reason %llu, %s", (unsigned long long)d->reason,
                  d->reason < ARRAY_SIZE(reasons) && reasons[d->reason] ? reasons[d->reason]
                                                                        : "not in the draft");
    if (cur_left(&d->text))
        text_addf(out, outlen, " \"%s\"",
                  text_clean(words, sizeof(words), d->text.p, cur_left(&d->text)));
}

/* One CBOR head (RFC 8949 3): major type and argument. false: cut, or of a form not used here. */
static bool cbor_head(struct cursor *c, uint8_t *major, uint64_t *arg)
{
    uint8_t b = cur_u8(c), info = b & 31;

    *major = b >> 5;
    if (info < 24)
        *arg = info;
    else if (info == 24)
        *arg = cur_u8(c);
    else if (info == 25)
        *arg = cur_be16(c);
    else if (info == 26)
        *arg = cur_be32(c);
    else if (info == 27) {
        *arg = (uint64_t)cur_be32(c) << 32;
        *arg |= cur_be32(c);
    } else
        return false;
    return !c->bad;
}

/* One key and value of the map; values of other types end the reading. */
static bool cbor_pair(struct cursor *c, struct diagnosis *d)
{
    uint8_t major;
    uint64_t key, arg;

    if (!cbor_head(c, &major, &key) || major != 0 || !cbor_head(c, &major, &arg))
        return false;
    if (major == 3) {
        if (arg > cur_left(c))
            return false;
        struct cursor text = cur_sub(c, (size_t)arg);
        if (key == KEY_TEXT)
            d->text = text;
        return true;
    }
    if (major != 0)
        return false;
    if (key == KEY_REASON) {
        d->reason = arg;
        d->has_reason = true;
    } else if (key == KEY_PEN) {
        d->pen = arg;
        d->has_pen = true;
    }
    return true;
}

static bool cbor_diagnosis(struct cursor c, struct diagnosis *d)
{
    uint8_t major;
    uint64_t arg;

    if (!cbor_head(&c, &major, &arg) || major != 0 || arg != MAGIC_CBOR)
        return false;
    if (cur_left(&c) && c.p[0] == 0xbf) { /* a map of unstated length, up to a break */
        cur_u8(&c);
        arg = DIAG_MAX;
    } else if (!cbor_head(&c, &major, &arg) || major != 5 || arg > DIAG_MAX)
        return false;
    for (; arg > 0 && cur_left(&c) && c.p[0] != 0xff; arg--)
        if (!cbor_pair(&c, d))
            break;
    return d->has_reason || cur_left(&d->text);
}

static bool compact_diagnosis(struct cursor c, struct diagnosis *d)
{
    if (cur_left(&c) != COMPACT_LEN || cur_be16(&c) != MAGIC_COMPACT)
        return false;
    d->reason = cur_be16(&c);
    d->pen = cur_be32(&c);
    d->has_reason = d->has_pen = true;
    return d->reason != 0;
}

static bool text_diagnosis(struct cursor c, struct diagnosis *d)
{
    if (cur_left(&c) < 3 || cur_left(&c) > DIAG_MAX + 2 || cur_be16(&c) != MAGIC_TEXT)
        return false;
    d->text = c;
    return true;
}

/* Some BSD stacks and devices send back the packet they object to, from its IP header. */
static bool quoted_packet(char *out, size_t outlen, const uint8_t *data, size_t len)
{
    struct record rec = {
        .caplen = (uint32_t)len, .len = (uint32_t)len, .link = LINK_RAW, .data = data};
    struct packet pkt;
    char src[ENDPOINT_TEXT_MAX], dst[ENDPOINT_TEXT_MAX], flags[9];

    if (len < 20 || len > UINT16_MAX || !packet_decode(&pkt, &rec, NULL) || pkt.bad_ip ||
        (pkt.src.family == 4 && !pkt.ip_checksum_ok))
        return false;
    if (pkt.l4 != L4_TCP) {
        snprintf(out, outlen, "quotes a packet %s > %s", addr_text(src, &pkt.src),
                 addr_text(dst, &pkt.dst));
        return true;
    }
    snprintf(out, outlen, "quotes a packet %s > %s %s seq %u",
             endpoint_text(src, &pkt.src, pkt.tcp.sport),
             endpoint_text(dst, &pkt.dst, pkt.tcp.dport), tcp_flags_text(flags, pkt.tcp.flags),
             pkt.tcp.seq);
    return true;
}

/* Text, perhaps padded with zeros. */
static bool device_text(char *out, size_t outlen, const uint8_t *data, size_t len)
{
    while (len > 0 && data[len - 1] == 0)
        len--;
    if (len < PRINTABLE_MIN || !is_printable(data, MIN_OF(len, 128)))
        return false;
    while (len > 0 && (data[len - 1] == '\r' || data[len - 1] == '\n'))
        len--;
    text_clean(out, outlen, data, len);
    return true;
}

bool rst_payload_text(char *out, size_t outlen, const uint8_t *data, size_t len)
{
    struct diagnosis d = {.text = cursor_of(data, 0)};
    struct cursor c = cursor_of(data, len);

    if (outlen)
        out[0] = '\0';
    if (len == 0)
        return false;
    if (compact_diagnosis(c, &d) || text_diagnosis(c, &d) || cbor_diagnosis(c, &d)) {
        diagnosis_text(out, outlen, &d);
        return true;
    }
    return quoted_packet(out, outlen, data, len) || device_text(out, outlen, data, len);
}
