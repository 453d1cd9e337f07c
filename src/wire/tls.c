/* TLS records as far as they are in the clear (RFC 8446, 5246, 6066, 7301; SSLv2 hello RFC 5246
 * E.2). */
#include "wire/app.h"

#include <stdio.h>
#include <string.h>

enum { REC_CCS = 20, REC_ALERT = 21, REC_HANDSHAKE = 22, REC_DATA = 23, REC_HEARTBEAT = 24 };
enum { HS_CLIENT_HELLO = 1, HS_SERVER_HELLO = 2 };
enum { EXT_SNI = 0, EXT_ALPN = 16, EXT_VERSIONS = 43, EXT_ECH = 0xfe0d };
#define RECORD_LEN_MAX (16384 + 2048) /* RFC 5246 6.2.3 */
#define RECORDS_MAX    64             /* looked at in one piece of stream */
#define HELLO_JOIN_MAX 8192           /* a hello spread over records is joined up to here */
#define ALERT13_LEN    19             /* two bytes, the type, a 16-byte tag (RFC 8446 5.2) */

const char *tls_version_name(uint16_t version)
{
    switch (version) {
    case 0x0002: return "SSL 2";
    case 0x0300: return "SSL 3";
    case 0x0301: return "TLS 1.0";
    case 0x0302: return "TLS 1.1";
    case 0x0303: return "TLS 1.2";
    case 0x0304: return "TLS 1.3";
    default: return "TLS ?";
    }
}

const char *tls_alert_name(uint8_t alert)
{
    static const struct {
        uint8_t code;
        const char *name;
    } names[] = {
        {0, "close_notify"},
        {10, "unexpected_message"},
        {20, "bad_record_mac"},
        {21, "decryption_failed"},
        {22, "record_overflow"},
        {30, "decompression_failure"},
        {40, "handshake_failure"},
        {41, "no_certificate"},
        {42, "bad_certificate"},
        {43, "unsupported_certificate"},
        {44, "certificate_revoked"},
        {45, "certificate_expired"},
        {46, "certificate_unknown"},
        {47, "illegal_parameter"},
        {48, "unknown_ca"},
        {49, "access_denied"},
        {50, "decode_error"},
        {51, "decrypt_error"},
        {60, "export_restriction"},
        {70, "protocol_version"},
        {71, "insufficient_security"},
        {80, "internal_error"},
        {86, "inappropriate_fallback"},
        {90, "user_canceled"},
        {100, "no_renegotiation"},
        {109, "missing_extension"},
        {110, "unsupported_extension"},
        {111, "certificate_unobtainable"},
        {112, "unrecognized_name"},
        {113, "bad_certificate_status_response"},
        {114, "bad_certificate_hash_value"},
        {115, "unknown_psk_identity"},
        {116, "certificate_required"},
        {120, "no_application_protocol"},
        {121, "ech_required"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i].code == alert)
            return names[i].name;
    return NULL;
}

/* Drafts of TLS 1.3 are 0x7f00 and up; values that are no version (GREASE, RFC 8701) are 0. */
static uint16_t real_version(uint16_t v)
{
    if (v >> 8 == 0x7f)
        return 0x0304;
    return v == 0x0002 || (v >= 0x0300 && v <= 0x0304) ? v : 0;
}

static void take_sni(struct app *a, struct cursor v)
{
    cur_be16(&v);
    if (cur_u8(&v) != 0) /* host_name is the only type there ever was */
        return;
    struct cursor name = cur_sub(&v, cur_be16(&v));
    text_clean(a->name, sizeof(a->name), name.p, cur_left(&name));
}

static void take_alpn(struct app *a, struct cursor v)
{
    cur_be16(&v);
    struct cursor name = cur_sub(&v, cur_u8(&v));
    text_clean(a->alpn, sizeof(a->alpn), name.p, cur_left(&name));
}

static void take_versions(struct app *a, struct cursor v, bool client)
{
    uint16_t best = 0;

    if (client)
        cur_u8(&v);
    while (cur_left(&v) >= 2) {
        uint16_t version = real_version(cur_be16(&v));
        best = MAX_OF(best, version);
    }
    if (best)
        a->tls_version = best;
}

static void take_extensions(struct app *a, struct cursor *c, bool client)
{
    struct cursor all = cur_sub(c, cur_be16(c));

    while (cur_left(&all) >= 4) {
        uint16_t type = cur_be16(&all);
        struct cursor v = cur_sub(&all, cur_be16(&all));
        switch (type) {
        case EXT_SNI: take_sni(a, v); break;
        case EXT_ALPN: take_alpn(a, v); break;
        case EXT_VERSIONS: take_versions(a, v, client); break;
        case EXT_ECH: a->ech = true; break;
        default: break;
        }
    }
}

static void hello_text(struct app *a, const char *what)
{
    snprintf(a->text, sizeof(a->text), "%s", what);
    if (a->name[0])
        text_addf(a->text, sizeof(a->text), " sni=%.80s", a->name);
    if (a->alpn[0])
        text_addf(a->text, sizeof(a->text), " alpn=%s", a->alpn);
    if (a->tls_version)
        text_addf(a->text, sizeof(a->text), " %s", tls_version_name(a->tls_version));
    if (a->ech)
        text_addf(a->text, sizeof(a->text), " ech");
}

/* RFC 8446 4.1.2. */
static void client_hello(struct app *a, struct cursor c)
{
    a->kind = APP_TLS_CLIENT_HELLO;
    a->tls_version = real_version(cur_be16(&c));
    cur_take(&c, 32);
    cur_sub(&c, cur_u8(&c));   /* session id */
    cur_sub(&c, cur_be16(&c)); /* cipher suites */
    cur_sub(&c, cur_u8(&c));   /* compression methods */
    if (cur_left(&c) > 0)
        take_extensions(a, &c, true);
    hello_text(a, "ClientHello");
}

/* RFC 8446 4.1.3: a retry request is a ServerHello with this random. */
static const uint8_t retry_random[32] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

static void server_hello(struct app *a, struct cursor c)
{
    a->kind = APP_TLS_SERVER_HELLO;
    a->tls_version = real_version(cur_be16(&c));
    const uint8_t *random = cur_take(&c, 32);
    bool retry = random && memcmp(random, retry_random, 32) == 0;
    cur_sub(&c, cur_u8(&c));
    uint16_t cipher = cur_be16(&c);
    bool whole = !c.bad;
    cur_u8(&c);
    if (cur_left(&c) > 0)
        take_extensions(a, &c, false);
    hello_text(a, retry ? "HelloRetryRequest" : "ServerHello");
    if (whole)
        text_addf(a->text, sizeof(a->text), " cipher 0x%04x", cipher);
}

struct tls_record {
    uint8_t type;
    uint16_t version, len;
    struct cursor body; /* what is here of it */
};

/* The next record header; false: not one, or not whole. */
static bool next_record(struct cursor *c, struct tls_record *r)
{
    const uint8_t *b = cur_left(c) >= 5 ? cur_take(c, 5) : NULL;

    if (!b || b[0] < REC_CCS || b[0] > REC_HEARTBEAT || b[1] != 3 || b[2] > 4)
        return false;
    r->type = b[0];
    r->version = (uint16_t)(b[1] << 8 | b[2]);
    r->len = (uint16_t)(b[3] << 8 | b[4]);
    r->body = cur_sub(c, r->len);
    return r->len <= RECORD_LEN_MAX;
}

static void alert_text(struct app *a, const struct tls_record *r)
{
    const uint8_t *b = r->body.p;

    a->kind = APP_TLS_ALERT;
    a->alert_encrypted = r->len != 2 || (cur_left(&r->body) == 2 && b[0] != 1 && b[0] != 2);
    if (a->alert_encrypted) {
        snprintf(a->text, sizeof(a->text), "alert (encrypted)");
        return;
    }
    if (cur_left(&r->body) < 2) {
        a->partial = true;
        snprintf(a->text, sizeof(a->text), "alert (cut)");
        return;
    }
    a->alert_level = b[0];
    a->alert = b[1];
    const char *name = tls_alert_name(a->alert);
    snprintf(a->text, sizeof(a->text), "alert %s %s (%u)", b[0] == 2 ? "fatal" : "warning",
             name ? name : "unknown", a->alert);
}

/* The handshake message at the front, its record headers taken out where it spans several. */
struct joined {
    const uint8_t *p;
    size_t len;       /* bytes here */
    uint32_t on_wire; /* records of it seen, headers included */
    uint32_t missing; /* bytes of its last record that are not here */
    uint8_t store[HELLO_JOIN_MAX];
};

static uint32_t message_len(const uint8_t *p)
{
    return 4 + ((uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]);
}

static void join_records(struct joined *j, struct cursor c)
{
    struct tls_record r;

    j->p = NULL;
    j->len = j->on_wire = j->missing = 0;
    for (int i = 0; i < RECORDS_MAX && next_record(&c, &r) && r.type == REC_HANDSHAKE; i++) {
        size_t n = cur_left(&r.body);
        j->on_wire += 5U + r.len;
        j->missing = (uint32_t)(r.len - n);
        if (i == 0) {
            j->p = r.body.p;
            j->len = n;
        } else {
            if (j->p != j->store)
                memcpy(j->store, j->p, MIN_OF(j->len, HELLO_JOIN_MAX));
            j->p = j->store;
            n = MIN_OF(n, HELLO_JOIN_MAX - j->len);
            memcpy(j->store + j->len, r.body.p, n);
            j->len += n;
        }
        if (j->missing || (j->len >= 4 && j->len >= message_len(j->p)) || j->len >= HELLO_JOIN_MAX)
            return;
    }
}

static bool handshake(struct app *a, const uint8_t *data, size_t len)
{
    struct joined j;

    join_records(&j, cursor_of(data, len));
    if (j.len < 1)
        return false;
    bool client = j.p[0] == HS_CLIENT_HELLO, whole = false;
    if (!client && j.p[0] != HS_SERVER_HELLO)
        return false;
    a->hello_len = j.on_wire;
    struct cursor c = cursor_of(j.p, j.len);
    cur_take(&c, 4);
    if (j.len >= 4) {
        uint32_t total = message_len(j.p);
        if (total < 4 + 34 || total > (1U << 17))
            return false; /* encrypted, its first byte by chance that of a hello */
        whole = j.len >= total;
        if (whole)
            c.end = j.p + total;
        else if (total > j.len + j.missing) /* more records must follow; how many is not known */
            a->hello_len += 5 + (uint32_t)(total - j.len - j.missing);
    }
    a->partial = !whole;
    if (client)
        client_hello(a, c);
    else
        server_hello(a, c);
    return true;
}

/* What can be said of one record that bears no hello. */
static void other_text(struct app *a, const struct tls_record *r)
{
    static const char *const names[] = {"ChangeCipherSpec", "alert", "handshake message",
                                        "application data", "heartbeat"};

    a->kind = APP_TLS_OTHER;
    a->tls_version = r->version;
    snprintf(a->text, sizeof(a->text), "TLS %s, %u bytes", names[r->type - REC_CCS], r->len);
}

/* SSLv2's hello, which TLS clients once sent: two bytes of length, type 1, version. */
static bool ssl2_hello(struct app *a, const uint8_t *data, size_t len)
{
    struct cursor c = cursor_of(data, len);
    uint16_t head = cur_be16(&c);
    uint8_t type = cur_u8(&c);
    uint16_t version = cur_be16(&c), ciphers = cur_be16(&c), session = cur_be16(&c),
             challenge = cur_be16(&c);

    if (c.bad || !(head & 0x8000) || type != 1 || !real_version(version) || ciphers == 0 ||
        ciphers % 3 || (session != 0 && session != 16) || challenge < 16 || challenge > 32 ||
        (head & 0x7fff) != 9 + ciphers + session + challenge)
        return false;
    a->kind = APP_TLS_CLIENT_HELLO;
    a->tls_version = version;
    a->hello_len = 2U + (head & 0x7fff);
    a->partial = len < a->hello_len;
    hello_text(a, "ClientHello (SSLv2 format)");
    return true;
}

bool tls_decode(struct app *a, const uint8_t *data, size_t len)
{
    struct cursor c = cursor_of(data, len);
    struct tls_record r, first = {0};

    if (ssl2_hello(a, data, len))
        return true;
    for (int i = 0; i < RECORDS_MAX && next_record(&c, &r); i++) {
        if (i == 0)
            first = r;
        if (i == 0 && r.type == REC_HANDSHAKE && handshake(a, data, len))
            return true;
        if (r.type == REC_ALERT) {
            alert_text(a, &r);
            return true;
        }
        /* TLS 1.3 hides an alert in a data record of this size; so little data is rare */
        if (r.type == REC_DATA && r.len == ALERT13_LEN && cur_left(&c) == 0) {
            a->kind = APP_TLS_ALERT;
            a->alert_encrypted = true;
            snprintf(a->text, sizeof(a->text), "encrypted record of an alert's size");
            return true;
        }
    }
    if (!first.type)
        return false;
    other_text(a, &first);
    return true;
}
