/* What an HTTP transfer came to: the result, and the facts it tells. */
#include "probe/transfer.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The proxy answered CONNECT, and not with success. */
static bool proxy_refused(const struct http *h)
{
    return h->tunnel && !h->status && h->proxy_status && h->proxy_status / 100 != 2;
}

enum failure http_failure(const struct chain *c)
{
    const struct http *h = c->http;
    if (c->sv.err)
        return failure_of_errno(c->sv.err);
    if (c->tls.flooded)
        return FAIL_TOO_LARGE;
    if (h->h2.reset || (h->h2.goaway && h->code != CURLE_OK) || proxy_refused(h))
        return FAIL_HTTP_BAD_RESPONSE; /* TCP stands: no reset */
    if (h->proxy_error)                /* whatever the proxy met, it did not meet us */
        return FAIL_UNKNOWN;
    switch (h->code) {
    case CURLE_OK: return FAIL_NONE;
    case CURLE_WRITE_ERROR:
        return h->not_http         ? FAIL_HTTP_BAD_RESPONSE
               : h->body_capped    ? FAIL_NONE
               : h->headers_capped ? FAIL_TOO_LARGE
                                   : FAIL_UNKNOWN;
    case CURLE_OUT_OF_MEMORY: /* libcurl's word for one header above 100 KiB */
        return h->header_bytes ? FAIL_TOO_LARGE : FAIL_UNKNOWN;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE: return FAIL_EOF;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* a version of HTTP that is none */
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_BAD_CONTENT_ENCODING: return FAIL_HTTP_BAD_RESPONSE;
    case CURLE_OPERATION_TIMEDOUT: return FAIL_TIMEOUT;
    default:
        if (c->tls.alert_seen || c->tls.alert_sent)
            return FAIL_TLS_HANDSHAKE;
        if (strstr(h->error, "SSL_ERROR_SYSCALL") || strstr(h->error, "unexpected eof"))
            return FAIL_EOF;
        if (h->code == CURLE_SSL_CONNECT_ERROR || strstr(h->error, "SSL routines"))
            return FAIL_TLS_HANDSHAKE;
        /* What is neither the socket's fault nor TLS's is what the peer said: lengths of chunks. */
        if (h->code == CURLE_RECV_ERROR && *h->error && !strstr(h->error, "Recv failure"))
            return FAIL_HTTP_BAD_RESPONSE;
        return c->sv.eof ? FAIL_EOF : FAIL_UNKNOWN;
    }
}

/* Whoever has read a request to its end has acknowledged it; what waits in the send queue was never
 * read, however willingly the socket took it. */
void http_note_early(struct chain *c, int queued)
{
    struct http *h = c->http;
    if (!c->st->t->opt.body_len || (h->request_done && queued <= 0))
        return;
    h->reply_early = true;
    h->unacked = MIN_OF((uint64_t)MAX_OF(queued, 0), h->body_out);
}

/* The head line by line, as far as it came, then the first bytes of the body. */
static void read_head(struct http *h, const uint8_t *data, size_t len, size_t head)
{
    size_t end = head ? head : len, at = 0;
    while (at < end) {
        const uint8_t *nl = memchr(data + at, '\n', end - at);
        size_t n = nl ? (size_t)(nl - data) + 1 - at : end - at;
        if (nl)
            http_header_line(h, (const char *)data + at, n);
        at += n;
    }
    h->nbody = len - end;
    memcpy(h->body, data + end, h->nbody);
}

/* A reply that was never read by libcurl: its send() failed first. It was in the socket's queue, or
 * inside TLS was decrypted at that moment. */
void http_read_unread(struct chain *c)
{
    struct http *h = c->http;
    bool plain = c->scheme == SCHEME_HTTP && !h->proxy_tls;
    const uint8_t *data = plain ? c->first : h->rescued;
    size_t len = plain ? c->nfirst : h->nrescued;
    struct app a;
    if (h->status || !len || !app_decode(&a, data, len, c->port, 0))
        return;
    if (a.kind == APP_H2_GOAWAY || a.kind == APP_H2_RST_STREAM) {
        h->h2.reset = a.kind == APP_H2_RST_STREAM;
        h->h2.goaway = a.kind == APP_H2_GOAWAY;
        h->h2.reset_error = h->h2.goaway_error = a.h2_error;
    }
    if (a.kind != APP_HTTP_RESPONSE)
        return;
    h->status = a.status;
    read_head(h, data, len, a.header_len);
    http_note_early(c, c->sv.outq);
    if (c->first_at == NSTIME_NONE)
        c->first_at = loop_clock();
}

static const char *version_name(long v)
{
    switch (v) {
    case CURL_HTTP_VERSION_1_0: return "1.0";
    case CURL_HTTP_VERSION_1_1: return "1.1";
    case CURL_HTTP_VERSION_2_0: return "2";
    default: return NULL;
    }
}

static void put_text(struct result *r, const char *name, const char *s)
{
    if (s && *s)
        result_set(r, name, v_text(s));
}

static void put_h2(struct result *r, const struct h2_end *e)
{
    if (e->reset) {
        result_set(r, "rst_stream", v_text(h2_error_name((uint32_t)e->reset_error)));
        result_set(r, "rst_stream_code", v_int(e->reset_error));
    }
    if (e->goaway) {
        result_set(r, "goaway", v_text(h2_error_name((uint32_t)e->goaway_error)));
        result_set(r, "goaway_code", v_int(e->goaway_error));
        result_set(r, "goaway_last_stream", v_int(e->last_stream));
    }
}

static void put_proxy(struct chain *c, struct result *r)
{
    struct http *h = c->http;
    if (!h->proxied)
        return;
    result_set(r, "proxy", v_text(c->st->t->opt.proxy));
    if (h->proxy_status)
        result_set(r, "proxy_status", v_int(h->proxy_status));
    if (h->proxy_error)
        result_set(r, "proxy_error", v_int(h->proxy_error));
}

/* What lies encrypted in the queue when the keys are gone. */
static void put_unread(struct chain *c, struct result *r)
{
    struct http *h = c->http;
    if (h->rescued_bytes)
        result_set(r, "reply_after_send_error", v_int((int64_t)h->rescued_bytes));
    if (c->scheme == SCHEME_HTTPS && !h->status && !h->rescued_bytes && c->sv.unread)
        result_set(r, "reply_unreadable", v_int((int64_t)c->sv.unread));
}

static void put_response(struct chain *c, struct result *r)
{
    struct http *h = c->http;
    char text[161];
    if (h->status > 0)
        result_set(r, "status", v_int(h->status));
    put_text(r, "http_version", h->status > 0 ? version_name(h->version) : NULL);
    put_text(r, "server", h->server);
    put_text(r, "content_type", h->type);
    put_text(r, "location", h->location);
    put_text(r, "retry_after", h->retry_after);
    put_text(r, "via", h->via);
    put_text(r, "www_authenticate", h->wants_auth);
    put_text(r, "bucket_region", h->region);
    put_h2(r, &h->h2);
    if (h->header_bytes)
        result_set(r, "header_bytes", v_int((int64_t)h->header_bytes));
    result_set(r, "body_bytes", v_int((int64_t)h->body_bytes));
    if (h->expected >= 0)
        result_set(r, "body_expected", v_int(h->expected));
    if (h->body_capped)
        result_set(r, "body_capped", v_bool(true));
    if (h->nbody)
        result_set(
            r, "reply",
            v_text(text_clean(text, h->status >= 400 ? sizeof(text) : 65, h->body, h->nbody)));
}

static void put_request(struct chain *c, struct result *r)
{
    const struct target_options *o = &c->st->t->opt;
    struct http *h = c->http;
    result_set(r, "method", v_text(o->method ? o->method : o->body ? "POST" : "GET"));
    result_set(r, "request_bytes", v_int((int64_t)(h->head_out + h->body_out)));
    put_proxy(c, r);
    if (h->requests > 1) {
        result_set(r, "request", v_int(h->nth));
        if (c->st->t->opt.idle && h->nth > 1)
            result_set(r, "idle_before", v_span(c->st->t->opt.idle));
    }
    if (h->continue_after != NSTIME_NONE)
        result_set(r, "continue_after", v_span(h->continue_after));
    if (!o->body)
        return;
    result_set(r, "request_body", v_int((int64_t)o->body_len));
    result_set(r, "request_body_sent", v_int((int64_t)(h->body_out - h->unacked)));
    if (h->reply_early)
        result_set(r, "reply_while_sending", v_bool(true));
}

/* Where a failed transfer ended. */
static enum probe_stage stage_of(const struct chain *c)
{
    const struct http *h = c->http;
    if (h->tunnel && !h->status && (proxy_refused(h) || h->proxy_error))
        return PSTAGE_CONNECT;
    if (h->idled)
        return PSTAGE_HOLD;
    return !h->request_done || h->reply_early ? PSTAGE_REQUEST : PSTAGE_RESPONSE;
}

void http_tell(struct chain *c, enum failure f)
{
    struct http *h = c->http;
    struct result *r = chain_result(c, "http");
    if (!r)
        return;
    chain_set_failure(c, r, f, f == FAIL_NONE ? PSTAGE_RESPONSE : stage_of(c));
    put_request(c, r);
    put_response(c, r);
    if (c->sv.taken)
        chain_put_socket(c, r);
    put_unread(c, r);
    if (c->tls.done && (c->tls.close_notify || c->sv.eof))
        result_set(r, "close_notify", v_bool(c->tls.close_notify));
    if (!c->tls.hello_sent)
        result_set(r, "plain", v_bool(true));
    if (tls_certificate_failure(c) != FAIL_NONE)
        result_set(r, "unverified", v_bool(true));
    tls_put_alerts(r, &c->tls);
    if (f == FAIL_NONE) {
        chain_tell(c, r);
        return;
    }
    if (f != FAIL_INTERRUPTED)
        put_text(r, "error", h->error);
    if (h->not_http) { /* inside of TLS too */
        c->nfirst = 0;
        chain_keep_first(c, h->body, h->nbody);
    }
    bool proxy = proxy_refused(h) || h->proxy_error;
    if (!proxy && (h->not_http || (!h->status && c->scheme == SCHEME_HTTP)))
        chain_put_first_bytes(c, r);
    chain_tell(c, r);
    chain_skip_rest(c, r); /* TLS, when the proxy did not come so far */
}

/* ---- facts ---- */

static void facts_of_reply(struct facts *out, const struct result *r)
{
    int64_t status = field_int(r, "status", 0), want = field_int(r, "body_expected", -1);
    int64_t got = field_int(r, "body_bytes", 0), size = field_int(r, "request_body", 0);
    int64_t sent = field_int(r, "request_body_sent", 0);
    bool early = field_true(r, "reply_while_sending");
    bool whole = r->outcome == OUTCOME_OK || (status && want >= 0 && got >= want);
    struct value none = v_none();
    if (status)
        facts_put_yes(out, r, FACT_HTTP_STATUS, v_int(status), none, none);
    else
        facts_put_no(out, r, FACT_HTTP_STATUS, none, none);
    if (early)
        facts_put_yes(out, r, FACT_EARLY_REPLY, v_int(status),
                      v_int(MIN_OF(sent, field_int(r, "bytes_sent", sent))), v_int(size));
    else if (size)
        facts_put_no(out, r, FACT_EARLY_REPLY, none, none);
    if (whole)
        facts_put_yes(out, r, FACT_RESPONSE_COMPLETE, none, none, none);
    else
        facts_put_no(out, r, FACT_RESPONSE_COMPLETE, none, none);
    if (whole)
        facts_put_no(out, r, FACT_REPLY_CUT, none, none);
    else if (status && !early && r->stage == PSTAGE_RESPONSE)
        facts_put_yes(out, r, FACT_REPLY_CUT, v_int(got), want >= 0 ? v_int(want) : v_text("?"),
                      none);
    if (status == 431 || status == 414 || status == 494)
        facts_put_yes(out, r, FACT_HEADER_TOO_LARGE, v_int(status), none, none);
}

static void facts_of_request(struct facts *out, const struct result *r)
{
    int64_t size = field_int(r, "request_body", 0);
    const char *method = field_str(r, "method");
    char text[64];
    if (field_int(r, "request_bytes", 0) > 0) {
        snprintf(text, sizeof(text), "HTTP %s", method ? method : "?");
        facts_put_yes(out, r, FACT_REQUEST_SEEN, v_text(text), v_none(), v_none());
        if (field_true(r, "plain"))
            facts_put(out, FACT_CLIENT_TLS, false, SRC_PROBE, 0, r->probe, v_text("HTTP"), v_none(),
                      v_none());
    } else if (r->outcome == OUTCOME_FAILED) {
        facts_put_no(out, r, FACT_REQUEST_SEEN, v_none(), v_none());
    }
    if (size && (r->stage == PSTAGE_REQUEST || field_true(r, "reply_while_sending")))
        facts_put_yes(out, r, FACT_UPLOADING, v_int(size), v_none(), v_none());
}

/* Words of servers that got plain HTTP on a TLS port: nginx, Apache, Go's net/http. */
static void facts_of_tls_port(struct facts *out, const struct result *r)
{
    static const char *const words[] = {"plain HTTP request was sent to HTTPS port",
                                        "speaking plain HTTP to an SSL-enabled",
                                        "HTTP request to an HTTPS server"};
    const char *reply = field_str(r, "reply");
    for (size_t i = 0; reply && i < ARRAY_SIZE(words); i++)
        if (strcasestr(reply, words[i]))
            facts_put_yes(out, r, FACT_PLAIN_ON_TLS_TEXT, v_none(), v_none(), v_none());
}

static void facts_of_h2(struct facts *out, const struct result *r)
{
    const char *reset = field_str(r, "rst_stream"), *goaway = field_str(r, "goaway");
    const char *version = field_str(r, "http_version");
    char text[96];
    if (reset || goaway) {
        bool ours_left_out = goaway && !reset && field_int(r, "goaway_last_stream", 1) == 0;
        snprintf(text, sizeof(text), "%s %s%s", reset ? "RST_STREAM" : "GOAWAY",
                 reset ? reset : goaway, ours_left_out ? ", no stream processed" : "");
        facts_put_yes(out, r, FACT_H2_GOAWAY, v_text(text), v_none(), v_none());
    } else if (version && !strcmp(version, "2")) {
        facts_put_no(out, r, FACT_H2_GOAWAY, v_none(), v_none());
    }
}

static void facts_of_proxy(struct facts *out, const struct result *r)
{
    const char *proxy = field_str(r, "proxy");
    int64_t status = field_int(r, "proxy_status", 0), error = field_int(r, "proxy_error", 0);
    const char *words = field_str(r, "error");
    char text[300];
    if (!proxy)
        return;
    facts_put_yes(out, r, FACT_PROXY_USED, v_text(proxy), v_none(), v_none());
    if (status && status / 100 != 2)
        snprintf(text, sizeof(text), "status %d", (int)status);
    else if (error)
        snprintf(text, sizeof(text), "%s", words ? words : "SOCKS");
    else
        return;
    facts_put_yes(out, r, FACT_PROXY_REFUSED, v_text(text), v_none(), v_none());
}

static void facts_of_connection(struct facts *out, const struct result *r)
{
    int64_t nth = field_int(r, "request", 0);
    const char *location = field_str(r, "location");
    struct value none = v_none();
    if (nth > 1)
        facts_put_yes(out, r, FACT_REUSED, v_int(nth), none, none);
    else
        facts_put_no(out, r, FACT_REUSED, none, none);
    if (location)
        facts_put_yes(out, r, FACT_REDIRECT, v_text(location), none, none);
    if (field_int(r, "continue_after", -1) >= 0)
        facts_put_yes(out, r, FACT_CONTINUE, v_span(field_int(r, "continue_after", 0)), none, none);
    if (field_int(r, "reply_unreadable", 0))
        facts_put_yes(out, r, FACT_REPLY_UNREADABLE, v_int(field_int(r, "reply_unreadable", 0)),
                      none, none);
    if (result_field(r, "close_notify"))
        facts_put(out, FACT_CLOSE_NOTIFY, field_true(r, "close_notify"), SRC_PROBE, 0, r->probe,
                  none, none, none);
}

static void http_facts(struct facts *out, const struct result *r)
{
    facts_of_request(out, r);
    facts_of_reply(out, r);
    facts_of_tls_port(out, r);
    facts_of_h2(out, r);
    facts_of_proxy(out, r);
    facts_of_connection(out, r);
    if (r->outcome != OUTCOME_FAILED)
        return;
    facts_of_end(out, r);
    facts_of_first_bytes(out, r);
    if (field_str(r, "alert") || field_str(r, "alert_sent"))
        tls_facts_of_alerts(out, r);
}

const struct probe_type probe_type_http = {"http", N_("HTTP"), http_facts};
