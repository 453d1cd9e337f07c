/*
 * What a segment bears. It is taken for what app_decode() of wire/ takes it for, rewritten as that,
 * and read again: if the reading differs in anything but names and words, other bytes are tried.
 */
#include "redact/private.h"

#define TRIES 8

/* What must be the same of the two, so that the same is found out. */
static bool same_reading(const struct app *a, const struct app *b)
{
    return a->kind == b->kind && a->tls_version == b->tls_version && a->alert == b->alert &&
           a->alert_level == b->alert_level && a->alert_encrypted == b->alert_encrypted &&
           a->ech == b->ech && a->status == b->status && a->content_length == b->content_length &&
           a->chunked == b->chunked && a->connection_close == b->connection_close &&
           a->header_len == b->header_len && a->hello_len == b->hello_len &&
           a->partial == b->partial && a->h2_error == b->h2_error &&
           strcmp(a->method, b->method) == 0;
}

/* ---- HTTP/2 in the clear (RFC 9113): frame heads and codes ---- */

static void rewrite_h2(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    size_t at = 0;

    scramble_text(r, in, out, n, true);
    if (n >= 24 && memcmp(in, preface, 24) == 0) {
        memcpy(out, in, 24);
        at = 24;
    }
    while (n - at >= 9) {
        size_t len = (size_t)get16(in + at) << 8 | in[at + 2], left = n - at - 9;
        uint8_t type = in[at + 3];
        size_t kept = type == 4 || type == 3 || type == 8 || type == 2 ? len : type == 7 ? 8 : 0;
        if (type > 9)
            return;
        memcpy(out + at, in + at, 9);
        memcpy(out + at + 9, in + at + 9, MIN_OF(MIN_OF(kept, len), left));
        at += 9 + MIN_OF(len, left);
    }
}

/* A reply's number and its dash are the protocol's (RFC 5321 4.2). */
static void rewrite_reply(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n)
{
    scramble_text(r, in, out, n, true);
    if (n >= 4 && in[0] >= '1' && in[0] <= '5' && (in[3] == ' ' || in[3] == '-'))
        memcpy(out, in, 4);
}

static void rewrite_as(struct redactor *r, enum app_kind kind, const uint8_t *in, uint8_t *out,
                       size_t n)
{
    switch (kind) {
    case APP_TLS_CLIENT_HELLO:
    case APP_TLS_SERVER_HELLO:
    case APP_TLS_ALERT:
    case APP_TLS_OTHER: rewrite_tls(r, in, out, n); break;
    case APP_HTTP_REQUEST:
    case APP_HTTP_RESPONSE: rewrite_http(r, in, out, n); break;
    case APP_H2_PREFACE:
    case APP_H2_GOAWAY:
    case APP_H2_RST_STREAM:
    case APP_H2_OTHER: rewrite_h2(r, in, out, n); break;
    case APP_DNS_QUERY:
    case APP_DNS_ANSWER: rewrite_dns(r, in, out, n); break;
    case APP_SSH:
    case APP_SMTP:
    case APP_FTP:
    case APP_IMAP:
    case APP_POP3: rewrite_reply(r, in, out, n); break;
    case APP_TEXT:
    case APP_NONE:
    case APP_BINARY: scramble_text(r, in, out, n, true); break;
    }
}

void rewrite_app(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n, uint16_t sport,
                 uint16_t dport)
{
    struct app was, now;

    app_decode(&was, in, n, sport, dport);
    for (r->nonce = 0; r->nonce < TRIES; r->nonce++) {
        rewrite_as(r, was.kind, in, out, n);
        app_decode(&now, out, n, sport, dport);
        if (same_reading(&was, &now))
            break;
    }
    r->nonce = 0;
}

/* ---- a RST's payload: wire/rst_payload.c ---- */

static bool is_quotation(const uint8_t *p, size_t n)
{
    struct record rec = {.caplen = (uint32_t)n, .len = (uint32_t)n, .link = LINK_RAW, .data = p};
    struct packet pkt;

    return n >= 20 && n <= UINT16_MAX && packet_decode(&pkt, &rec, NULL) && !pkt.bad_ip;
}

static void rewrite_reason(struct rewrite *w, const struct span *s)
{
    const uint8_t *in = w->in + s->off;
    uint8_t *out = w->out + s->off;
    size_t n = here(s);

    scramble_text(w->r, in, out, n, true);
    if (n == 8 && get16(in) == 0x33aa)
        memcpy(out, in, 8);
    else if (n >= 3 && get16(in) == 0xf317)
        memcpy(out, in, 2);
    else if (n >= 3 && in[0] == 0x19 && get16(in + 1) == 12345) { /* CBOR: all but its words */
        for (size_t i = 0; i < n; i++)
            if (in[i] < 0x20 || in[i] > 0x7e || i < 3)
                out[i] = in[i];
        for (size_t i = 0; i + 1 < n; i++)
            if ((in[i] & 0xe0) == 0x60 || in[i] == 0x78)
                out[i] = in[i]; /* heads of strings are letters too */
    } else if (is_quotation(in, n)) {
        struct rewrite quote = *w;
        quote.quoted = true;
        rewrite_raw(&quote, *s);
    }
}

/* ---- */

static bool ends_chunks(const uint8_t *p, size_t n)
{
    return n >= 5 && memcmp(p + n - 5, "0\r\n\r\n", 5) == 0;
}

void rewrite_payload(struct rewrite *w, const struct span *s, const uint8_t *tcp)
{
    const uint8_t *in = w->in + s->off;
    uint8_t *out = w->out + s->off;
    size_t n = here(s);

    if (tcp[13] & TCP_RST) {
        rewrite_reason(w, s);
        return;
    }
    if (!stream_goes_on(w, s, tcp)) {
        rewrite_app(w->r, in, out, n, w->sport, w->dport);
        stream_begins(w, s, tcp);
    }
    if (ends_chunks(in, n))
        memcpy(out + n - 5, in + n - 5, 5);
}
