/*
 * A TLS client without a socket: OpenSSL between two memory buffers. Who uses it decides how its
 * bytes are cut, delayed and limited on their way, which no socket interface of the library allows.
 */
#include "probe/internal.h"
#include "config.h"
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAD_EXTENSION 0xfafa /* RFC 8701: reserved, a server ignores what it does not know */
#define PAD_MAX       16000

struct talk {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in, *out; /* the SSL's */
    struct talk_seen seen;
    uint8_t *pad;
    size_t pad_len;
    X509_STORE *store;
    bool verify_ran;
};

static int talk_index(void)
{
    static int index = -1; /* OpenSSL's registry of slots is global too */
    if (index < 0)
        index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    return index;
}

static void on_message(int out, int version, int type, const void *buf, size_t len, SSL *ssl,
                       void *arg)
{
    struct talk *t = arg;
    const uint8_t *b = buf;
    (void)version;
    (void)ssl;
    if (out)
        return;
    if (type == SSL3_RT_ALERT && len >= 2) {
        if (b[1] == SSL3_AD_CLOSE_NOTIFY)
            t->seen.closed = true;
        else
            t->seen.alerted = true;
        t->seen.alert = b[1];
    }
    if (type == SSL3_RT_HANDSHAKE && len) {
        t->seen.server_hello |= b[0] == SSL3_MT_SERVER_HELLO;
        t->seen.cert_wanted |= b[0] == SSL3_MT_CERTIFICATE_REQUEST;
    }
}

/* Says yes to all: what lies behind is looked at too. */
static int on_verify(int ok, X509_STORE_CTX *sc)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(sc, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct talk *t = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), talk_index());
    if (!t->verify_ran)
        t->seen.verify = 0;
    t->verify_ran = true;
    if (!ok && !t->seen.verify)
        t->seen.verify = X509_STORE_CTX_get_error(sc);
    return 1;
}

static int on_pad(SSL *s, unsigned type, unsigned context, const unsigned char **out,
                  size_t *outlen, X509 *x, size_t chain, int *alert, void *arg)
{
    struct talk *t = arg;
    (void)s;
    (void)type;
    (void)context;
    (void)x;
    (void)chain;
    (void)alert;
    *out = t->pad;
    *outlen = t->pad_len;
    return 1;
}

static int set_pad(struct talk *t, uint16_t pad)
{
    if (!pad)
        return 0;
    t->pad_len = MIN_OF(pad, PAD_MAX);
    t->pad = calloc(1, t->pad_len);
    if (!t->pad)
        return -ENOMEM;
    return SSL_CTX_add_custom_ext(t->ctx, PAD_EXTENSION, SSL_EXT_CLIENT_HELLO, on_pad, NULL, t,
                                  NULL, NULL) == 1
               ? 0
               : -ENOMEM;
}

/* "h2,http/1.1" as length-prefixed names. */
static int set_alpn(struct talk *t, const char *alpn)
{
    unsigned char wire[64];
    size_t n = 0;
    while (alpn && *alpn) {
        size_t len = strcspn(alpn, ",");
        if (!len || n + len + 1 > sizeof(wire))
            return -EINVAL;
        wire[n++] = (unsigned char)len;
        memcpy(wire + n, alpn, len);
        n += len;
        alpn += len + (alpn[len] == ',');
    }
    return n && SSL_set_alpn_protos(t->ssl, wire, (unsigned)n) ? -ENOMEM : 0;
}

static int set_context(struct talk *t, const struct talk_options *o)
{
    if (talk_index() < 0 || SSL_CTX_set_ex_data(t->ctx, talk_index(), t) != 1)
        return -ENOMEM; /* the callbacks find it there */
    SSL_CTX_set_msg_callback(t->ctx, on_message);
    SSL_CTX_set_msg_callback_arg(t->ctx, t);
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, on_verify);
    t->seen.verify = -1;
    if (o->cacert ? !SSL_CTX_load_verify_file(t->ctx, o->cacert)
                  : !SSL_CTX_set_default_verify_paths(t->ctx))
        return -EINVAL;
    SSL_CTX_set_min_proto_version(t->ctx, o->min);
    SSL_CTX_set_max_proto_version(t->ctx, o->max);
    if (o->min && o->min < TLS1_2_VERSION)
        SSL_CTX_set_security_level(t->ctx, 0);
    if (o->groups && SSL_CTX_set1_groups_list(t->ctx, o->groups) != 1)
        return -ENOTSUP;
    const char *key = o->key ? o->key : o->cert;
    if (o->cert && (SSL_CTX_use_certificate_chain_file(t->ctx, o->cert) != 1 ||
                    SSL_CTX_use_PrivateKey_file(t->ctx, key, SSL_FILETYPE_PEM) != 1))
        return -EINVAL;
    return set_pad(t, o->pad);
}

int talk_new(struct talk **out, const struct talk_options *o)
{
    struct talk *t = calloc(1, sizeof(*t));
    int rc = -ENOMEM;
    if (!t)
        return rc;
    t->ctx = SSL_CTX_new(TLS_client_method());
    rc = t->ctx ? set_context(t, o) : -ENOMEM;
    if (rc < 0)
        goto fail;
    rc = -ENOMEM;
    t->ssl = SSL_new(t->ctx);
    t->in = BIO_new(BIO_s_mem());
    t->out = BIO_new(BIO_s_mem());
    if (!t->ssl || !t->in || !t->out) {
        BIO_free(t->in);
        BIO_free(t->out);
        goto fail;
    }
    SSL_set_bio(t->ssl, t->in, t->out);
    SSL_set_connect_state(t->ssl);
    if (o->name && SSL_set_tlsext_host_name(t->ssl, o->name) != 1)
        goto fail;
    rc = set_alpn(t, o->alpn);
    if (rc < 0)
        goto fail;
    *out = t;
    return 0;
fail:
    ERR_clear_error();
    talk_free(t);
    return rc;
}

void talk_free(struct talk *t)
{
    if (!t)
        return;
    SSL_free(t->ssl);
    SSL_CTX_free(t->ctx);
    free(t->pad);
    free(t);
}

static void look_at_end(struct talk *t)
{
    const unsigned char *alpn;
    unsigned len;
    t->seen.stands = true;
    t->seen.version = (uint16_t)SSL_version(t->ssl);
    SSL_get0_alpn_selected(t->ssl, &alpn, &len);
    t->seen.h2 = len == 2 && !memcmp(alpn, "h2", 2);
}

enum talk_state talk_input(struct talk *t, const void *data, size_t len)
{
    if (len && BIO_write(t->in, data, (int)len) != (int)len)
        return TALK_BROKEN;
    if (t->seen.stands)
        return t->seen.closed ? TALK_ENDED : TALK_STANDS;
    ERR_clear_error();
    int n = SSL_do_handshake(t->ssl);
    int e = SSL_get_error(t->ssl, n);
    ERR_clear_error();
    if (n == 1) {
        look_at_end(t);
        return TALK_STANDS;
    }
    return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? TALK_GOES_ON : TALK_BROKEN;
}

size_t talk_output(struct talk *t, const void **data)
{
    char *p = NULL;
    long n = BIO_get_mem_data(t->out, &p);
    *data = p;
    return n > 0 ? (size_t)n : 0;
}

void talk_sent(struct talk *t, size_t len)
{
    char buf[4096];
    while (len) {
        int n = BIO_read(t->out, buf, (int)MIN_OF(len, sizeof(buf)));
        if (n <= 0)
            return;
        len -= (size_t)n;
    }
}

int talk_write(struct talk *t, const void *data, size_t len)
{
    ERR_clear_error();
    int n = len ? SSL_write(t->ssl, data, (int)len) : 0;
    ERR_clear_error();
    return n == (int)len ? 0 : -EIO;
}

ssize_t talk_read(struct talk *t, void *buf, size_t len)
{
    ERR_clear_error();
    int n = SSL_read(t->ssl, buf, (int)len);
    int e = SSL_get_error(t->ssl, n);
    ERR_clear_error();
    if (n > 0)
        return n;
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE || e == SSL_ERROR_ZERO_RETURN)
        return 0;
    return -EIO;
}

void talk_look(const struct talk *t, struct talk_seen *out)
{
    *out = t->seen;
}

size_t talk_middle_of_name(const void *hello, size_t len, const char *name)
{
    size_t n = name ? strlen(name) : 0;
    const char *at = n ? memmem(hello, len, name, n) : NULL;
    return at ? (size_t)(at - (const char *)hello) + n / 2 : 0;
}

/* ---- the request the http probe would make ---- */
static bool is_header(const char *line, const char *name)
{
    size_t n = strlen(name);
    return !strncasecmp(line, name, n) && line[n] == ':';
}

static void add_host(struct strbuf *out, const struct target *t, const char *host)
{
    uint16_t usual = t->scheme == SCHEME_HTTPS ? 443 : 80;
    if (!host && t->numeric && t->address.family == 6)
        strbuf_addf(out, "Host: [%s]", t->host);
    else
        strbuf_addf(out, "Host: %s", host ? host : t->host);
    if (!host && t->port != usual)
        strbuf_addf(out, ":%u", t->port);
    strbuf_addstr(out, "\r\n");
}

int talk_request(struct strbuf *out, const struct target *t, const char *host, const char *path,
                 const char *method, size_t body_len, bool close_after)
{
    const struct target_options *o = &t->opt;
    bool has_host = false, has_agent = false, has_accept = false, has_type = false;
    if (!path)
        path = t->path ? t->path : "/";
    if (!method)
        method = o->method ? o->method : o->body ? "POST" : "GET";
    for (size_t i = 0; o->headers && o->headers[i]; i++) {
        has_host |= is_header(o->headers[i], "Host");
        has_agent |= is_header(o->headers[i], "User-Agent");
        has_accept |= is_header(o->headers[i], "Accept");
        has_type |= is_header(o->headers[i], "Content-Type");
    }
    strbuf_addf(out, "%s %s HTTP/1.1\r\n", method, path);
    if (!has_host || host)
        add_host(out, t, host);
    if (!has_agent)
        strbuf_addstr(out, "User-Agent: " PACKAGE_NAME "/" PACKAGE_VERSION "\r\n");
    if (!has_accept)
        strbuf_addstr(out, "Accept: */*\r\n");
    for (size_t i = 0; o->headers && o->headers[i]; i++)
        if (!(host && is_header(o->headers[i], "Host")))
            strbuf_addf(out, "%s\r\n", o->headers[i]);
    if (o->body && !has_type)
        strbuf_addstr(out, "Content-Type: application/octet-stream\r\n");
    if (o->body || body_len)
        strbuf_addf(out, "Content-Length: %zu\r\n", body_len);
    strbuf_addf(out, "%s\r\n", close_after ? "Connection: close\r\n" : "");
    return out->err;
}
