/*
 * TLS records and what of the handshake is in the clear (RFC 8446 4, 5): lengths, types, versions,
 * suites, groups and alerts stay; names, keys, randoms, tickets, certificates and ciphertext go.
 */
#include "redact/private.h"

enum { CCS = 20, ALERT = 21, HANDSHAKE = 22, DATA = 23, HEARTBEAT = 24 };
enum { CLIENT_HELLO = 1, SERVER_HELLO = 2, CERTIFICATE = 11 };
#define JOIN_MAX 16384

/* A message, or a part of one, in the clear: in and out of the same n bytes, all scrambled. */
struct clear {
    struct redactor *r;
    const uint8_t *in;
    uint8_t *out;
    size_t at, end;
};

static bool keep_n(struct clear *c, size_t n)
{
    n = MIN_OF(n, c->end - c->at);
    memcpy(c->out + c->at, c->in + c->at, n);
    c->at += n;
    return c->at < c->end;
}

static void skip(struct clear *c, size_t n)
{
    c->at += MIN_OF(n, c->end - c->at);
}

/* A length of `size` bytes, kept; what is here of that many bytes follows as *part. */
static bool vector(struct clear *c, size_t size, struct clear *part)
{
    size_t n = 0, at = c->at;

    if (size > c->end - at) {
        keep_n(c, size);
        return false;
    }
    for (size_t i = 0; i < size; i++)
        n = n << 8 | c->in[at + i];
    keep_n(c, size);
    *part = *c;
    part->end = c->at + MIN_OF(n, c->end - c->at);
    skip(c, n);
    return true;
}

static void server_name(struct clear v)
{
    struct clear name;

    keep_n(&v, 3); /* of the list, and its only type */
    if (vector(&v, 2, &name))
        for (size_t i = name.at; i < name.end;) {
            size_t n = 0;
            while (i + n < name.end && name.in[i + n] != '.')
                n++;
            redact_label(v.r, v.in + i, v.out + i, n, i > name.at);
            i += n;
            if (i < name.end)
                v.out[i] = v.in[i], i++;
        }
}

/* RFC 7301 6 and the registry: what is in use by everybody. */
static void protocols(struct clear v)
{
    static const char *const known[] = {
        "h2",     "http/1.1",    "http/1.0",   "h3",       "spdy/3",  "spdy/3.1",
        "spdy/2", "h2c",         "acme-tls/1", "grpc-exp", "h2-16",   "h2-15",
        "h2-14",  "postgresql",  "mqtt",       "dot",      "imap",    "pop3",
        "ftp",    "xmpp-client", "stun.turn",  "webrtc",   "http/0.9"};
    struct clear name;

    keep_n(&v, 2);
    while (v.at < v.end && vector(&v, 1, &name)) {
        size_t n = name.end - name.at;
        bool keep = false;
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
            keep = keep || (n == strlen(known[i]) && memcmp(v.in + name.at, known[i], n) == 0);
        if (keep)
            keep_n(&name, n);
        else
            scramble_text(v.r, v.in + name.at, v.out + name.at, n, false);
    }
}

/* Groups stay, keys go. A server's has no list, a retry's no key. */
static void key_share(struct clear v, bool client)
{
    struct clear key;

    if (client)
        keep_n(&v, 2);
    while (v.end - v.at >= 2) {
        keep_n(&v, 2);
        if (v.at == v.end || !vector(&v, 2, &key))
            return;
    }
}

static void extension(struct clear v, uint16_t type, bool client)
{
    switch (type) {
    case 0: server_name(v); break;
    case 16: protocols(v); break;
    case 51: key_share(v, client); break;
    case 1:  /* max_fragment_length */
    case 5:  /* status_request */
    case 10: /* supported_groups */
    case 11: /* ec_point_formats */
    case 13: /* signature_algorithms */
    case 27: /* compress_certificate */
    case 28: /* record_size_limit */
    case 43: /* supported_versions */
    case 45: /* psk_key_exchange_modes */
    case 50: /* signature_algorithms_cert */
        keep_n(&v, MIN_OF(v.end - v.at, type == 5 ? 5 : v.end - v.at));
        break;
    default: break;
    }
}

static void extensions(struct clear *c, bool client)
{
    struct clear all, one;

    if (c->at >= c->end || !vector(c, 2, &all))
        return;
    while (all.end - all.at >= 4) {
        uint16_t type = get16(all.in + all.at);
        keep_n(&all, 2);
        if (!vector(&all, 2, &one))
            return;
        extension(one, type, client);
    }
}

/* RFC 8446 4.1.3: two values of the random say something. */
static void hello_random(struct clear *c)
{
    static const uint8_t retry[8] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11};
    size_t at = c->at, n = MIN_OF(32, c->end - at);

    if (n == 32 && memcmp(c->in + at, retry, 8) == 0)
        memcpy(c->out + at, c->in + at, 32);
    else if (n == 32 && memcmp(c->in + at + 24, "DOWNGRD", 7) == 0)
        memcpy(c->out + at + 24, c->in + at + 24, 8);
    skip(c, 32);
}

static void hello(struct clear m, bool client)
{
    struct clear part;

    keep_n(&m, 2);
    hello_random(&m);
    if (!vector(&m, 1, &part))
        return;
    if (client) {
        if (vector(&m, 2, &part))
            keep_n(&part, part.end - part.at);
        if (vector(&m, 1, &part))
            keep_n(&part, part.end - part.at);
    } else {
        keep_n(&m, 3);
    }
    extensions(&m, client);
}

/* The list of a Certificate message, of TLS 1.2 and before: how many there are and how long. */
static void certificates(struct clear m)
{
    struct clear list, one;

    if (vector(&m, 3, &list))
        while (list.end - list.at >= 3 && vector(&list, 3, &one))
            ;
}

static bool in_the_clear(const uint8_t *b, size_t n)
{
    uint32_t len = (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];

    if (n < 4 || len > 1U << 17)
        return false;
    switch (b[0]) {
    case CLIENT_HELLO:
    case SERVER_HELLO: return len >= 34;
    case 0:
    case 14: return len == 0;
    case 4:
    case CERTIFICATE:
    case 12:
    case 13:
    case 15:
    case 16:
    case 22: return true;
    default: return false; /* encrypted, like Finished */
    }
}

static void messages(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n)
{
    struct clear c = {r, in, out, 0, n}, m;

    while (c.end - c.at >= 4 && in_the_clear(in + c.at, c.end - c.at)) {
        uint8_t type = in[c.at];
        keep_n(&c, 1);
        if (!vector(&c, 3, &m))
            return;
        if (type == CLIENT_HELLO || type == SERVER_HELLO)
            hello(m, type == CLIENT_HELLO);
        else if (type == CERTIFICATE)
            certificates(m);
    }
    if (c.at == 0 && n && n < 4) /* a beginning too short to tell more than its type */
        out[0] = in[0];
}

struct piece {
    size_t body, len; /* what is here of it */
};

/* Handshake records in a row, their headers taken out, are one stream (RFC 8446 5.1). */
static size_t handshake(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n, size_t at,
                        uint8_t *buf)
{
    uint8_t *joined = buf, *done = buf + JOIN_MAX;
    struct piece parts[64];
    size_t total = 0, nparts = 0;

    while (n - at >= 5 && in[at] == HANDSHAKE && in[at + 1] == 3 && nparts < ARRAY_SIZE(parts)) {
        size_t len = MIN_OF(get16(in + at + 3), n - at - 5);
        if (total + len > JOIN_MAX)
            break;
        memcpy(out + at, in + at, 5);
        memcpy(joined + total, in + at + 5, len);
        parts[nparts++] = (struct piece){at + 5, len};
        total += len;
        at += 5 + len;
    }
    scramble(r, joined, done, total);
    messages(r, joined, done, total);
    for (size_t i = 0, from = 0; i < nparts; from += parts[i++].len)
        memcpy(out + parts[i].body, done + from, parts[i].len);
    return nparts ? at : n;
}

static void ssl2(const uint8_t *in, uint8_t *out, size_t n)
{
    memcpy(out, in, MIN_OF(n, 11));
    if (n > 11) /* cipher specs; the session and the challenge go */
        memcpy(out + 11, in + 11, MIN_OF(n - 11, (size_t)get16(in + 5)));
}

void rewrite_tls(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n)
{
    uint8_t buf[2 * JOIN_MAX];

    scramble(r, in, out, n);
    if (n >= 11 && (in[0] & 0x80)) {
        ssl2(in, out, n);
        return;
    }
    for (size_t at = 0; n - at >= 5;) {
        size_t len = MIN_OF(get16(in + at + 3), n - at - 5);
        if (in[at] < CCS || in[at] > HEARTBEAT || in[at + 1] != 3 || in[at + 2] > 4)
            return;
        if (in[at] == HANDSHAKE && get16(in + at + 3)) {
            at = handshake(r, in, out, n, at, buf);
            continue;
        }
        memcpy(out + at, in + at, 5);
        if ((in[at] == ALERT && get16(in + at + 3) == 2) || (in[at] == CCS && len == 1))
            memcpy(out + at + 5, in + at + 5, len);
        at += 5 + len;
    }
}
