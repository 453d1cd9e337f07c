/* The tls probe: OpenSSL with callbacks that keep what it saw. The same callbacks serve https. */
#include "probe/internal.h"
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* ---- telling ---- */
enum failure tls_certificate_failure(const struct chain *c)
{
    if (!c->tls.done || c->st->t->opt.insecure)
        return FAIL_NONE;
    switch (c->tls.verify) {
    case X509_V_OK: return c->tls.host_bad ? FAIL_TLS_HOSTNAME : FAIL_NONE;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED: return FAIL_TLS_AUTHORITY;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return FAIL_TLS_HOSTNAME;
    default: return FAIL_TLS_CERTIFICATE;
    }
}

void tls_put_alerts(struct result *r, const struct tls_seen *t)
{
    if (t->alert_seen) {
        const char *name = tls_alert_name(t->alert);
        result_set(r, "alert", v_text(name ? name : "unknown"));
        result_set(r, "alert_number", v_int(t->alert));
        result_set(r, "alert_level", v_text(t->alert_level == SSL3_AL_FATAL ? "fatal" : "warning"));
        if (t->alert_late)
            result_set(r, "alert_late", v_bool(true));
    }
    if (t->alert_sent) {
        const char *name = tls_alert_name(t->alert_out);
        result_set(r, "alert_sent", v_text(name ? name : "unknown"));
        result_set(r, "alert_sent_number", v_int(t->alert_out));
    }
}

/* The first bytes of a peer that does not speak what was awaited. */
void chain_put_first_bytes(struct chain *c, struct result *r)
{
    char text[161];
    struct app a;
    const char *kind = "binary";
    if (!c->nfirst)
        return;
    result_set(r, "first_bytes", v_text(text_clean(text, sizeof(text), c->first, c->nfirst)));
    if (app_decode(&a, c->first, c->nfirst, c->port, 0)) {
        if (a.kind == APP_TLS_ALERT || a.kind == APP_TLS_SERVER_HELLO || a.kind == APP_TLS_OTHER)
            kind = "TLS";
        else if (a.kind == APP_TEXT)
            kind = "text";
        else if (a.kind != APP_BINARY)
            kind = app_name(a.kind);
    }
    result_set(r, "first_bytes_kind", v_text(kind));
}

static void put_verify(struct chain *c, struct result *r)
{
    const struct tls_seen *t = &c->tls;
    if (!t->done)
        return;
    if (t->verify) {
        result_set(r, "verify", v_text(X509_verify_cert_error_string(t->verify)));
        result_set(r, "verify_depth", v_int(t->verify_depth));
    } else {
        result_set(r, "verify",
                   v_text(t->verify_ran ? "ok"
                          : c->session  ? "resumed: not shown again"
                                        : "no certificate came"));
    }
    result_set(r, "host_matches", v_bool(!t->host_bad));
    if (c->st->t->opt.insecure)
        result_set(r, "insecure", v_bool(true));
}

static void put_seen(struct chain *c, struct result *r)
{
    const struct tls_seen *t = &c->tls;
    if (chain_sni(c))
        result_set(r, "sni", v_text(chain_sni(c)));
    else
        result_set(r, "sni_sent", v_bool(false));
    if (t->hello_sent)
        result_set(r, "hello_bytes", v_int(t->hello_bytes));
    result_set(r, "server_hello", v_bool(t->server_hello));
    result_set(r, "client_certificate_wanted", v_bool(t->cert_wanted));
    tls_put_alerts(r, t);
    put_verify(c, r);
    if (t->error[0])
        result_set(r, "error", v_text(t->error));
    for (size_t i = 0; t->certs && i < t->certs->nfields; i++)
        result_add(r, t->certs->fields[i].name, t->certs->fields[i].value);
}

/* Tells the tls result; failure of the certificate alone leaves the chain going on. */
void tls_tell(struct chain *c, enum failure f, enum probe_stage s)
{
    struct result *r = chain_result(c, "tls");
    if (!r)
        return;
    if (f == FAIL_NONE)
        f = tls_certificate_failure(c);
    chain_set_failure(c, r, f, s);
    put_seen(c, r);
    if (c->sv.taken)
        chain_put_socket(c, r);
    if (f != FAIL_NONE && !c->tls.server_hello && !c->tls.alert_seen)
        chain_put_first_bytes(c, r);
    if (s == PSTAGE_HOLD) {
        result_set(r, "held", v_span(loop_clock() - c->tls_done));
        if (c->tls.close_notify || c->sv.eof)
            result_set(r, "close_notify", v_bool(c->tls.close_notify));
        result_set(r, "ticket", v_bool(c->tls.ticket));
    }
    chain_tell(c, r);
    if (f != FAIL_NONE && (!c->tls.done || s == PSTAGE_HOLD))
        chain_skip_rest(c, r);
}

/* ---- a tls:// chain ---- */
static enum probe_stage stage_of(const struct chain *c)
{
    return c->state == CHAIN_TLS_HOLD ? PSTAGE_HOLD : PSTAGE_HANDSHAKE;
}

/* Once more, with the session of this connection: does the server take it up again? */
static void resume(struct chain *c)
{
    SSL_SESSION *session = SSL_get1_session(c->ssl);
    struct chain *next = NULL;
    if (session && SSL_SESSION_is_resumable(session))
        next = chain_new(c->st, &c->addr);
    if (next)
        next->session = session;
    else
        SSL_SESSION_free(session);
    if (c->tls.certs)
        result_set(c->tls.certs, "resumable", v_bool(next != NULL));
}

static void finish(struct chain *c, enum failure f)
{
    enum probe_stage s = stage_of(c);
    chain_quiet(c);
    if (f == FAIL_NONE && c->st->t->opt.resume && !c->session)
        resume(c);
    if (c->ssl && f == FAIL_NONE)
        SSL_shutdown(c->ssl); /* close_notify; the answer is not awaited */
    chain_take(c);
    tls_tell(c, f, s);
    ERR_clear_error();
    chain_end(c);
}

void tls_interrupt(struct chain *c)
{
    finish(c, FAIL_INTERRUPTED);
}

static void keep_reason(struct chain *c)
{
    unsigned long e = ERR_peek_error();
    const char *reason = e ? ERR_reason_error_string(e) : NULL;
    if (reason)
        snprintf(c->tls.error, sizeof(c->tls.error), "%s", reason);
}

static enum failure failure_of_ssl(struct chain *c, int ret, int err)
{
    unsigned long e = ERR_peek_error();
    keep_reason(c);
    if (c->tls.flooded)
        return FAIL_TOO_LARGE;
    switch (SSL_get_error(c->ssl, ret)) {
    case SSL_ERROR_SYSCALL:
        if (err)
            sock_latch(&c->sv, err);
        else
            sock_eof(&c->sv);
        return chain_failure(c);
    case SSL_ERROR_ZERO_RETURN: sock_eof(&c->sv); return chain_failure(c);
    default:
        if (ERR_GET_REASON(e) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
            sock_eof(&c->sv);
            return c->tls.alert_seen ? FAIL_TLS_HANDSHAKE : chain_failure(c);
        }
        return FAIL_TLS_HANDSHAKE;
    }
}

static void on_tls_time(void *arg)
{
    struct chain *c = arg;
    finish(c, c->state == CHAIN_TLS_HOLD ? FAIL_NONE : FAIL_TIMEOUT);
}

/* After the handshake: a late alert (client certificate required) comes only now, RFC 8446 4.4.2;
 * a ticket says that the server took our Finished. */
static void hold_read(struct chain *c)
{
    char buf[4096];
    for (;;) {
        ERR_clear_error();
        errno = 0;
        int n = SSL_read(c->ssl, buf, sizeof(buf));
        int err = errno;
        if (n > 0) {
            c->got += (uint64_t)n;
            c->last_at = loop_clock();
            if (c->got < READ_CAP)
                continue;
            c->capped = true;
            finish(c, FAIL_NONE);
            return;
        }
        int e = SSL_get_error(c->ssl, n);
        if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) {
            if (c->tls.ticket && c->st->t->opt.hold < 0)
                finish(c, FAIL_NONE);
            return;
        }
        enum failure f = failure_of_ssl(c, n, err);
        if (f == FAIL_EOF && (c->got || e == SSL_ERROR_ZERO_RETURN))
            f = c->got ? FAIL_NONE : FAIL_EOF;
        finish(c, f);
        return;
    }
}

static void hold_begin(struct chain *c)
{
    nstime hold = chain_hold(c, HOLD_DEFAULT);
    c->state = CHAIN_TLS_HOLD;
    chain_timer(c, hold, on_tls_time);
    watch_set(c->watch, LOOP_READ);
    hold_read(c); /* the tickets may be here already */
}

static void handshake(struct chain *c);

static void on_hello_rest(void *arg)
{
    struct chain *c = arg;
    chain_timer(c, chain_timeout(c), on_tls_time);
    handshake(c);
}

static void handshake(struct chain *c)
{
    ERR_clear_error();
    errno = 0;
    int n = SSL_do_handshake(c->ssl);
    int err = errno;
    if (n == 1) {
        hold_begin(c);
        return;
    }
    switch (SSL_get_error(c->ssl, n)) {
    case SSL_ERROR_WANT_READ: watch_set(c->watch, LOOP_READ); return;
    case SSL_ERROR_WANT_WRITE:
        if (hello_wait(c)) { /* nobody would wait for the socket: it is writable */
            watch_set(c->watch, LOOP_READ);
            chain_timer(c, hello_wait(c), on_hello_rest);
            return;
        }
        watch_set(c->watch, LOOP_READ | LOOP_WRITE);
        return;
    default: finish(c, failure_of_ssl(c, n, err));
    }
}

/* Looks before OpenSSL or libcurl read: five bytes of a text would be all that is left of it, and
 * an error is latched here, once and first. */
void chain_peek(struct chain *c)
{
    uint8_t buf[FIRST_MAX];
    ssize_t n = recv(c->fd, buf, c->nfirst ? 1 : sizeof(buf), MSG_PEEK | MSG_DONTWAIT);
    if (n > 0) {
        c->last_at = loop_clock();
        if (c->nfirst)
            return;
        chain_keep_first(c, buf, (size_t)n);
        c->peeked = true;
        c->first_at = c->last_at;
    } else if (n == 0) {
        sock_eof(&c->sv);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        sock_latch(&c->sv, errno); /* reading it has cleared it: they would see an EOF */
    }
}

static void on_tls(void *arg, int events)
{
    struct chain *c = arg;
    if (events & LOOP_READ)
        chain_peek(c);
    if (c->sv.err) {
        finish(c, chain_failure(c));
        return;
    }
    if (c->state == CHAIN_TLS)
        handshake(c);
    else
        hold_read(c);
}

static int make_ssl(struct chain *c)
{
    static const unsigned char web[] = "\x02h2\x08http/1.1";
    const struct target *t = c->st->t;
    c->ctx = SSL_CTX_new(TLS_client_method());
    if (!c->ctx || tls_prepare(c, c->ctx) < 0)
        return -EINVAL;
    c->ssl = SSL_new(c->ctx);
    if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1)
        return -ENOMEM;
    SSL_set_connect_state(c->ssl);
    if (c->session)
        SSL_set_session(c->ssl, c->session);
    if (chain_sni(c))
        SSL_set_tlsext_host_name(c->ssl, chain_sni(c));
    /* Only where the web lives: elsewhere an offer of h2 may itself be refused. */
    if ((c->port == 443 || c->port == 8443) && !t->opt.alpn)
        SSL_set_alpn_protos(c->ssl, web, sizeof(web) - 1);
    return t->opt.hello_split ? hello_split(c) : 0;
}

void tls_begin(struct chain *c)
{
    tls_begin_after(c, PSTAGE_CONNECT);
}

void tls_begin_after(struct chain *c, enum probe_stage s)
{
    tcp_ok(c, s);
    c->request_at = c->first_at = NSTIME_NONE; /* of the handshake, from here on */
    c->nfirst = 0;
    c->got = 0;
    c->state = CHAIN_TLS;
    queue_works(c);
    if (make_ssl(c) < 0) {
        keep_reason(c);
        finish(c, FAIL_UNKNOWN);
        return;
    }
    chain_watch(c, LOOP_READ | LOOP_WRITE, on_tls);
    chain_timer(c, chain_timeout(c), on_tls_time);
    if (!c->watch) {
        sock_latch(&c->sv, ENOMEM);
        finish(c, FAIL_UNKNOWN);
        return;
    }
    handshake(c);
}

/* ---- facts ---- */
void tls_facts_of_alerts(struct facts *out, const struct result *r)
{
    const char *alert = field_str(r, "alert"), *sent = field_str(r, "alert_sent");
    if (alert)
        facts_put_yes(out, r, field_true(r, "alert_late") ? FACT_TLS_LATE_ALERT : FACT_TLS_ALERT,
                      v_int(field_int(r, "alert_number", 0)), v_text(alert), v_none());
    else if (r->outcome == OUTCOME_FAILED)
        facts_put_no(out, r, FACT_TLS_ALERT, v_none(), v_none());
    if (sent)
        facts_put_yes(out, r, FACT_TLS_ALERT_SENT, v_int(field_int(r, "alert_sent_number", 0)),
                      v_text(sent), v_none());
}

static void facts_of_hello(struct facts *out, const struct result *r)
{
    int64_t hello = field_int(r, "hello_bytes", 0), mss = field_int(r, "mss", 0);
    bool answered = field_true(r, "server_hello");
    const char *version = field_str(r, "version");
    if (answered)
        facts_put_yes(out, r, FACT_SERVER_HELLO, v_text(version ? version : "?"), v_none(),
                      v_none());
    else if (r->outcome == OUTCOME_FAILED)
        facts_put_no(out, r, FACT_SERVER_HELLO, v_none(), v_none());
    if (hello && r->outcome == OUTCOME_FAILED && r->stage == PSTAGE_HANDSHAKE) {
        facts_put_yes(out, r, FACT_CLIENT_TLS, v_none(), v_none(), v_none());
        if (answered || field_str(r, "alert")) /* an alert is an answer of its own */
            facts_put_no(out, r, FACT_HELLO_SENT, v_none(), v_none());
        else if (r->failure != FAIL_TIMEOUT)
            facts_put_yes(out, r, FACT_HELLO_SENT, v_int(hello), v_none(), v_none());
    }
    if (hello && mss && hello + 5 > mss)
        facts_put_yes(out, r, FACT_HELLO_BIG, v_int(hello), v_none(), v_none());
    else if (hello && mss)
        facts_put_no(out, r, FACT_HELLO_BIG, v_int(hello), v_none());
}

/* Ended nothing: the probe went on, unverified. */
static bool certificate_failed(const struct result *r)
{
    return r->failure == FAIL_TLS_AUTHORITY || r->failure == FAIL_TLS_CERTIFICATE ||
           r->failure == FAIL_TLS_HOSTNAME;
}

static void facts_of_session(struct facts *out, const struct result *r)
{
    struct value none = v_none();
    const char *ocsp = field_str(r, "ocsp"), *reason = field_str(r, "ocsp_reason");
    if (result_field(r, "resumed"))
        facts_put(out, FACT_TLS_RESUMED, field_true(r, "resumed"), SRC_PROBE, 0, r->probe, none,
                  none, none);
    if (result_field(r, "close_notify"))
        facts_put(out, FACT_CLOSE_NOTIFY, field_true(r, "close_notify"), SRC_PROBE, 0, r->probe,
                  none, none, none);
    /* What nobody has signed proves nothing. */
    if (ocsp && field_true(r, "ocsp_verified") && !strcmp(ocsp, "revoked"))
        facts_put_yes(out, r, FACT_CERT_REVOKED, v_text(reason ? reason : "unspecified"), none,
                      none);
    else if (ocsp && field_true(r, "ocsp_verified") && !strcmp(ocsp, "good"))
        facts_put_no(out, r, FACT_CERT_REVOKED, none, none);
    if (ocsp && field_true(r, "ocsp_stale"))
        facts_put_yes(out, r, FACT_OCSP_STALE,
                      v_text(field_str(r, "ocsp_until") ? field_str(r, "ocsp_until") : "?"), none,
                      none);
}

static void facts_of_certificate(struct facts *out, const struct result *r)
{
    const char *verify = field_str(r, "verify");
    if (!verify)
        return;
    if (r->failure == FAIL_TLS_HOSTNAME)
        verify = "it does not bear the target's name";
    if (certificate_failed(r))
        facts_put_yes(out, r, FACT_CERT_REJECTED, v_text(verify), v_none(), v_none());
    else if (!field_true(r, "insecure"))
        facts_put_no(out, r, FACT_CERT_REJECTED, v_none(), v_none());
}

static void tls_facts(struct facts *out, const struct result *r)
{
    const char *version = field_str(r, "version"), *sni = field_str(r, "sni");
    nstime took = r->timings[TIMING_TLS];
    if (version && took != NSTIME_NONE)
        facts_put_yes(out, r, FACT_TLS_OK, v_span(took), v_text(version), v_none());
    else if (r->outcome == OUTCOME_FAILED)
        facts_put_no(out, r, FACT_TLS_OK, v_text(failure_name(r->failure)), v_none());
    facts_of_hello(out, r);
    tls_facts_of_alerts(out, r);
    facts_of_certificate(out, r);
    facts_of_session(out, r);
    facts_of_first_bytes(out, r);
    if (field_true(r, "client_certificate_wanted"))
        facts_put_yes(out, r, FACT_CERT_WANTED, v_none(), v_none(), v_none());
    else if (field_true(r, "server_hello"))
        facts_put_no(out, r, FACT_CERT_WANTED, v_none(), v_none());
    if (sni)
        facts_put_yes(out, r, FACT_SNI, v_text(sni), v_none(), v_none());
    else
        facts_put_no(out, r, FACT_SNI, v_none(), v_none());
    if (r->outcome == OUTCOME_FAILED && !certificate_failed(r))
        facts_of_end(out, r);
}

const struct probe_type probe_type_tls = {"tls", N_("TLS"), tls_facts};
