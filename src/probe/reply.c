/* What an HTTP transfer came to: the result, and the facts it tells. */
#include "probe/transfer.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum failure http_failure(const struct chain *c)
{
    const struct http *h = c->http;
    if (c->sv.err)
        return failure_of_errno(c->sv.err);
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

/* A reply that was never read by libcurl: its send() failed first, the reply was in the queue. */
void http_read_unread(struct chain *c)
{
    struct http *h = c->http;
    struct app a;
    if (h->status || c->scheme != SCHEME_HTTP || !c->nfirst)
        return;
    if (!app_decode(&a, c->first, c->nfirst, c->port, 0) || a.kind != APP_HTTP_RESPONSE)
        return;
    h->status = a.status;
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
    if (!o->body)
        return;
    result_set(r, "request_body", v_int((int64_t)o->body_len));
    result_set(r, "request_body_sent", v_int((int64_t)(h->body_out - h->unacked)));
    if (h->reply_early)
        result_set(r, "reply_while_sending", v_bool(true));
}

void http_tell(struct chain *c, enum failure f)
{
    struct http *h = c->http;
    struct result *r = chain_result(c, "http");
    if (!r)
        return;
    bool sending = !h->request_done || h->reply_early;
    chain_set_failure(c, r, f, f != FAIL_NONE && sending ? PSTAGE_REQUEST : PSTAGE_RESPONSE);
    put_request(c, r);
    put_response(c, r);
    chain_put_socket(c, r);
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
    if (h->not_http || (!h->status && c->scheme == SCHEME_HTTP))
        chain_put_first_bytes(c, r);
    chain_tell(c, r);
}

/* ---- facts ---- */

/* The reply came while the request was still on its way: libcurl saw it so, or the kernel had taken
 * the last byte but not sent it (TLS only adds to what is sent). */
static bool replied_early(const struct result *r)
{
    int64_t sent = field_int(r, "bytes_sent", 0);
    return field_true(r, "reply_while_sending") ||
           (field_int(r, "status", 0) && field_int(r, "request_body", 0) && sent > 0 &&
            sent < field_int(r, "request_bytes", 0));
}

static void facts_of_reply(struct facts *out, const struct result *r)
{
    int64_t status = field_int(r, "status", 0), want = field_int(r, "body_expected", -1);
    int64_t got = field_int(r, "body_bytes", 0), size = field_int(r, "request_body", 0);
    int64_t sent = field_int(r, "request_body_sent", 0);
    bool early = replied_early(r);
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
    } else if (r->outcome == OUTCOME_FAILED) {
        facts_put_no(out, r, FACT_REQUEST_SEEN, v_none(), v_none());
    }
    if (size && (r->stage == PSTAGE_REQUEST || replied_early(r)))
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

static void http_facts(struct facts *out, const struct result *r)
{
    const char *error = field_str(r, "error");
    facts_of_request(out, r);
    facts_of_reply(out, r);
    facts_of_tls_port(out, r);
    if (r->outcome != OUTCOME_FAILED)
        return;
    facts_of_end(out, r);
    facts_of_first_bytes(out, r);
    if (field_str(r, "alert") || field_str(r, "alert_sent"))
        tls_facts_of_alerts(out, r);
    if (error && (strstr(error, "GOAWAY") || strstr(error, "not closed cleanly")))
        facts_put_yes(out, r, FACT_H2_GOAWAY, v_text(error), v_none(), v_none());
}

const struct probe_type probe_type_http = {"http", N_("HTTP"), http_facts};
