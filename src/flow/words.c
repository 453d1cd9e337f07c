/*
 * What the two ends said: the first bytes of each direction, the last segment, where an HTTP
 * message ends, and how TLS was closed. All of it capped; the oldest first bytes go when the
 * table's share is used up.
 */
#include "flow/internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_FIRST 64 /* room for a first small segment, and some more like it */

/* ---- first bytes ---- */
static bool make_room(struct flow_table *t, size_t need, const struct flow *keep)
{
    for (struct flow_more *m = t->more_first, *next;
         t->kept_bytes + need > t->st.max_kept_bytes && m; m = next) {
        next = m->next;
        if (m->owner == keep)
            continue;
        t->limits.bytes_refused += (uint64_t)m->first[0].len + m->first[1].len;
        flow_forget_words(t, m->owner);
    }
    return t->kept_bytes + need <= t->st.max_kept_bytes;
}

static bool kept_grow(struct flow_table *t, const struct flow *f, struct kept *k, size_t len)
{
    if (len <= k->alloc)
        return true;
    size_t alloc = k->alloc ? (size_t)k->alloc * 4 : KEPT_FIRST;
    alloc = store_size(MAX_OF(MIN_OF(alloc, FIRST_KEPT_MAX), len));
    if (!make_room(t, alloc - k->alloc, f))
        return false;
    uint8_t *data = store_get(&t->store, alloc);
    if (!data)
        return false;
    if (k->alloc) {
        memcpy(data, k->data, MAX_OF(k->len, k->early_end));
        store_put(&t->store, k->data, k->alloc);
    }
    t->kept_bytes += alloc - k->alloc;
    flow_link_words(t, f->more);
    k->data = data;
    k->alloc = (uint16_t)alloc;
    return true;
}

/* Puts a segment where it belongs; a ClientHello of two segments may come in the wrong order. */
static bool kept_put(struct flow_table *t, const struct flow *f, struct kept *k, uint32_t offset,
                     const uint8_t *data, size_t n)
{
    if (!kept_grow(t, f, k, offset + n)) {
        t->limits.bytes_refused += n;
        k->stopped = true;
        return false;
    }
    memcpy(k->data + offset, data, n);
    if (offset > k->len) {
        k->early = (uint16_t)offset;
        k->early_end = (uint16_t)(offset + n);
        return false;
    }
    k->len = (uint16_t)(offset + n);
    if (k->early && k->early <= k->len) {
        k->len = MAX_OF(k->len, k->early_end);
        k->early = k->early_end = 0;
    }
    return true;
}

static void keep_first(struct flow_table *t, struct flow *f, enum side s, const struct packet *p,
                       uint32_t offset)
{
    struct flow_more *m = f->more;
    struct kept *k = &m->first[s];
    bool ahead = offset > k->len;
    if (k->stopped || offset >= FIRST_KEPT_MAX || offset + p->payload_caplen <= k->len)
        return;
    if (ahead && (k->early || (!k->len && flow_midstream(f))))
        return;
    uint32_t skip = ahead ? 0 : k->len - offset; /* of two versions the first counts */
    size_t n = MIN_OF(p->payload_caplen, FIRST_KEPT_MAX - offset) - skip;
    if (!n || !kept_put(t, f, k, offset + skip, p->payload + skip, n))
        return;
    if (k->len >= FIRST_KEPT_MAX || p->payload_caplen < p->payload_len)
        k->stopped = true;
    free(m->app[s]); /* more bytes may say more */
    m->app[s] = NULL;
}

size_t flow_first_bytes(const struct flow *f, enum side s, const uint8_t **out)
{
    *out = f->more ? f->more->first[s == SIDE_RESP].data : NULL;
    return f->more ? f->more->first[s == SIDE_RESP].len : 0;
}

static void ports_of(const struct flow *f, enum side s, uint16_t *from, uint16_t *to)
{
    *from = s == SIDE_ORIG ? f->key.sport : f->key.dport;
    *to = s == SIDE_ORIG ? f->key.dport : f->key.sport;
}

const struct app *words_app(struct flow *f, enum side s)
{
    static const struct app none = {.kind = APP_NONE, .content_length = -1};
    struct flow_more *m = f->more;
    uint16_t from, to;
    if (!m || !m->first[s].len)
        return &none;
    if (m->app[s])
        return m->app[s];
    struct app *a = calloc(1, sizeof(*a));
    if (!a)
        return &none;
    ports_of(f, s, &from, &to);
    if (!app_decode(a, m->first[s].data, m->first[s].len, from, to))
        *a = none;
    m->app[s] = a;
    return a;
}

const struct app *flow_first_app(const struct flow *f, enum side s)
{
    return words_app((struct flow *)(uintptr_t)f, s); /* what is decoded is only remembered */
}

/* ---- the last segment ---- */
static void keep_last(struct flow_more *m, enum side s, const struct packet *p)
{
    if (s == SIDE_ORIG && m->last_len && m->last_from == SIDE_RESP)
        return;
    m->last_from = (uint8_t)s;
    m->last_len = (uint8_t)MIN_OF(p->payload_caplen, LAST_KEPT_MAX);
    memcpy(m->last, p->payload, m->last_len);
}

static bool mostly_text(const uint8_t *d, size_t n)
{
    size_t text = 0;
    for (size_t i = 0; i < n; i++)
        text += isprint(d[i]) || d[i] == '\r' || d[i] == '\n' || d[i] == '\t';
    return n > 0 && text * 10 >= n * 9;
}

static void trim_lines(char *s)
{
    size_t n = strlen(s);
    while (n && (s[n - 1] == '.' || s[n - 1] == ' '))
        s[--n] = '\0';
}

/* The responder's last words, else the originator's. */
/* S3 and those that speak like it name themselves in every answer. */
bool words_of_store(const struct flow *f)
{
    const uint8_t *d;
    size_t n = flow_first_bytes(f, SIDE_RESP, &d);

    return n > 5 && memcmp(d, "HTTP/", 5) == 0 && memmem(d, n, "\nx-amz-", 7) != NULL;
}

/* The words of an HTTP answer's body, its tags left out: it says more than the status line. */
static void add_body(char *out, size_t outlen, const uint8_t *d, size_t n)
{
    char body[RESET_WORDS_MAX];
    size_t len = 0, have = strlen(out);
    bool tag = false;

    for (size_t i = 0; i < n && len + 1 < sizeof(body); i++) {
        if (d[i] == '<' || d[i] == '>') {
            tag = d[i] == '<';
            if (len && body[len - 1] != ' ')
                body[len++] = ' ';
        } else if (!tag && (d[i] > ' ' || (len && body[len - 1] != ' '))) {
            body[len++] = d[i] > ' ' ? (char)d[i] : ' ';
        }
    }
    if (len < 3 || have + 3 >= outlen)
        return;
    memcpy(out + have, ": ", 3);
    text_clean(out + have + 2, outlen - have - 2, body, len);
}

void words_last(const struct flow *f, char *out, size_t outlen)
{
    struct app a;
    uint16_t from, to;
    out[0] = '\0';
    if (!f->more)
        return;
    enum side s = (enum side)f->more->last_from;
    const uint8_t *d = f->more->last;
    size_t n = f->more->last_len;
    if (!n)
        return;
    ports_of(f, s, &from, &to);
    memset(&a, 0, sizeof(a));
    if (app_decode(&a, d, n, from, to) && a.kind != APP_BINARY && a.kind != APP_TEXT && a.text[0]) {
        text_clean(out, outlen, a.text, strlen(a.text));
        if (a.kind == APP_HTTP_RESPONSE && a.status >= 300 && a.header_len && a.header_len < n &&
            mostly_text(d + a.header_len, n - a.header_len))
            add_body(out, outlen, d + a.header_len, n - a.header_len);
    } else if (mostly_text(d, n)) {
        while (n && (d[n - 1] == '\r' || d[n - 1] == '\n'))
            n--;
        text_clean(out, outlen, d, n);
        trim_lines(out);
    }
}

/* ---- where an HTTP message ends ---- */
static bool begins_http(const struct packet *p)
{
    return p->payload_caplen >= 7 && memcmp(p->payload, "HTTP/1.", 7) == 0;
}

static bool ends_chunks(const struct packet *p)
{
    return p->payload_caplen == p->payload_len && p->payload_caplen >= 5 &&
           memcmp(p->payload + p->payload_caplen - 5, "0\r\n\r\n", 5) == 0;
}

static void http_head(struct flow *f, const struct app *a, uint64_t at)
{
    struct flow_more *m = f->more;
    const struct app *req = words_app(f, SIDE_ORIG);
    m->http = m->http_open = true;
    m->http_complete = m->http_chunked = m->http_to_fin = false;
    m->status = a->status;
    m->http_end = 0;
    if (a->status == 101 || strcmp(req->method, "CONNECT") == 0) { /* from here no HTTP any more */
        m->http = m->http_open = false;
        m->status = 0;
        m->upgraded = true;
        return;
    }
    if (!a->header_len)
        return;
    bool bodyless = a->status < 200 || a->status == 204 || a->status == 304 ||
                    (req->kind == APP_HTTP_REQUEST && strcmp(req->method, "HEAD") == 0);
    m->http_end = at + a->header_len;
    if (bodyless)
        return;
    if (a->chunked)
        m->http_chunked = true;
    else if (a->content_length >= 0)
        m->http_end += (uint64_t)a->content_length;
    else
        m->http_to_fin = true; /* RFC 9112 6.3: until the connection closes */
}

static void http_response(struct flow *f, const struct packet *p, uint64_t at)
{
    struct flow_more *m = f->more;
    struct app a;
    uint64_t end = at + p->payload_len;
    if (m->upgraded)
        return;
    if (begins_http(p) && (!m->http_open || m->http_complete || !m->http_end)) {
        memset(&a, 0, sizeof(a));
        if (app_decode(&a, p->payload, p->payload_caplen, f->key.dport, f->key.sport) &&
            a.kind == APP_HTTP_RESPONSE)
            http_head(f, &a, at);
    } else if (m->http_open && !m->http_end) { /* the head goes on: look at the first bytes */
        const struct app *first = words_app(f, SIDE_RESP);
        if (first->kind == APP_HTTP_RESPONSE && first->header_len)
            http_head(f, first, 0);
    }
    if (!m->http_open || !m->http_end)
        return;
    if (m->http_chunked ? ends_chunks(p) : !m->http_to_fin && end >= m->http_end) {
        m->http_complete = m->status >= 200;
        m->http_open = !m->http_complete;
    }
}

static void http_request(struct flow *f, const struct packet *p)
{
    struct flow_more *m = f->more;
    struct app a;
    if (!m->http_complete || !p->payload_caplen || !isupper(p->payload[0]))
        return;
    memset(&a, 0, sizeof(a));
    if (app_decode(&a, p->payload, p->payload_caplen, f->key.sport, f->key.dport) &&
        a.kind == APP_HTTP_REQUEST)
        m->http_complete = m->http_open = false; /* the next question is open */
}

/* ---- TLS records (RFC 8446 5.1, 6.1) ---- */
enum {
    REC_ALERT = 21,
    REC_HANDSHAKE = 22,
    REC_DATA = 23,
    TLS13_ALERT_LEN = 19,
    ALERT_RECORD_MAX = 96
};

static void tls_alert(struct flow_more *m, enum side s, struct cursor body, uint16_t len)
{
    uint8_t level = cur_u8(&body), alert = cur_u8(&body);
    if (len != 2 || body.bad || level < 1 || level > 2) {
        m->maybe_notify[s] = len <= ALERT_RECORD_MAX; /* encrypted */
        return;
    }
    m->alert_seen[s] = true;
    m->alert[s] = alert;
    m->close_notify[s] |= alert == 0;
}

static void tls_records(struct flow_more *m, enum side s, const struct packet *p)
{
    struct cursor c = cursor_of(p->payload, p->payload_caplen);
    if (p->payload_caplen < 5 || p->payload[1] != 3 || p->payload[0] < 20 || p->payload[0] > 23)
        return;
    m->tls[s] |= p->payload[0] == REC_HANDSHAKE || p->payload[0] == REC_ALERT;
    if (!m->tls[s] && !m->tls[other(s)])
        return;
    while (cur_left(&c) >= 5) {
        uint8_t type = cur_u8(&c), major = cur_u8(&c);
        cur_u8(&c);
        uint16_t len = cur_be16(&c);
        struct cursor body = c;
        if (major != 3 || type < 20 || type > 23)
            return;
        m->maybe_notify[s] = type == REC_DATA && len == TLS13_ALERT_LEN;
        if (type == REC_ALERT)
            tls_alert(m, s, body, len);
        if (!cur_take(&c, len))
            return;
    }
}

void words_packet(struct flow_table *t, struct flow *f, enum side s, const struct packet *p)
{
    struct flow_more *m = f->more;
    const struct flow_half *h = &f->side[s].half;
    if (!m)
        return;
    m->cut |= p->payload_caplen < p->payload_len;
    uint32_t offset = p->tcp.seq + !!(p->tcp.flags & TCP_SYN) - (h->isn + 1);
    uint64_t at = (h->bytes & ~(uint64_t)UINT32_MAX) | offset;
    bool repeat = f->side[s].heard.repeat || f->side[s].heard.keepalive;
    if (p->payload_caplen && !f->side[s].heard.keepalive)
        keep_first(t, f, s, p, offset);
    if (p->payload_caplen && !repeat) {
        keep_last(m, s, p);
        m->maybe_notify[s] = false;
        tls_records(m, s, p);
        if (s == SIDE_RESP)
            http_response(f, p, at);
        else
            http_request(f, p);
    }
    if (p->tcp.flags & TCP_FIN) {
        m->close_notify[s] |= m->maybe_notify[s];
        if (s == SIDE_RESP && m->http_open && m->http_to_fin)
            m->http_complete = true;
    }
}
