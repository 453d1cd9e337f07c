/* What each TLS connection is given: authorities, versions, a certificate, and the callbacks that
 * keep what OpenSSL saw. */
#include "probe/internal.h"
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* ---- what the callbacks see ---- */
static void see_alert(struct chain *c, bool out, const uint8_t *b, size_t len)
{
    struct tls_seen *t = &c->tls;
    if (len < 2)
        return;
    if (out) {
        if (b[1] == SSL3_AD_CLOSE_NOTIFY)
            return;
        t->alert_sent = true;
        t->alert_out = b[1];
        return;
    }
    if (b[1] == SSL3_AD_CLOSE_NOTIFY && t->done) {
        t->close_notify = true;
        return;
    }
    t->alert_seen = true;
    t->alert_late = t->done;
    t->alert_level = b[0];
    t->alert = b[1];
}

/* ServerHello: legacy_version is 0x0303 for 1.3 too; the final word is SSL_version() later. */
static void see_handshake(struct chain *c, bool out, const uint8_t *b, size_t len)
{
    struct tls_seen *t = &c->tls;
    if (!len)
        return;
    switch (b[0]) {
    case SSL3_MT_CLIENT_HELLO:
        if (out) {
            t->hello_sent = true;
            t->hello_bytes += (uint32_t)len;
            if (c->request_at == NSTIME_NONE)
                c->request_at = loop_clock();
        }
        break;
    case SSL3_MT_SERVER_HELLO: t->server_hello = !out || t->server_hello; break;
    case SSL3_MT_CERTIFICATE_REQUEST: t->cert_wanted = !out || t->cert_wanted; break;
    case SSL3_MT_NEWSESSION_TICKET: t->ticket = !out || t->ticket; break;
    default: break;
    }
}

/* Records that carry no data (requests to greet again, tickets, warnings) keep OpenSSL reading for
 * as long as they come, in one call. Once it is enough it is given an end to read instead. */
static void count_chatter(struct chain *c, int type, size_t len, SSL *ssl)
{
    struct tls_seen *t = &c->tls;
    BIO *end;
    if (type == SSL3_RT_INNER_CONTENT_TYPE)
        return;
    t->chatter += len;
    if (t->chatter < READ_CAP || t->flooded)
        return;
    t->flooded = true;
    end = BIO_new(BIO_s_null());
    if (end)
        SSL_set0_rbio(ssl, end);
}

static void on_message(int out, int version, int type, const void *buf, size_t len, SSL *ssl,
                       void *arg)
{
    struct chain *c = arg;
    (void)version;
    if (!out)
        count_chatter(c, type, len, ssl);
    /* An answer may be read before it could be peeked at: its first five bytes pass here. */
    if (type == SSL3_RT_HEADER && !out && !c->nfirst)
        chain_keep_first(c, buf, len);
    if (type == SSL3_RT_ALERT)
        see_alert(c, out, buf, len);
    else if (type == SSL3_RT_HANDSHAKE)
        see_handshake(c, out, buf, len);
    if (type == SSL3_RT_ALERT || type == SSL3_RT_HANDSHAKE)
        c->last_at = loop_clock();
}

static int verify_index(void)
{
    static int index = -1; /* OpenSSL's registry of slots is global too */
    if (index < 0)
        index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    return index;
}

/* Says yes to all: the first reason is kept, so that what lies behind is probed too. */
static int on_verify(int ok, X509_STORE_CTX *sc)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(sc, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct chain *c = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), verify_index());
    c->tls.verify_ran = true;
    if (!ok && !c->tls.verify) {
        c->tls.verify = X509_STORE_CTX_get_error(sc);
        c->tls.verify_depth = X509_STORE_CTX_get_error_depth(sc);
    }
    return 1;
}

/* ---- set-up ---- */
const char *chain_sni(const struct chain *c)
{
    const struct target *t = c->st->t;
    if (t->opt.sni)
        return *t->opt.sni ? t->opt.sni : NULL;
    return t->numeric ? NULL : t->host;
}

static void on_info(const SSL *ssl, int where, int ret)
{
    struct chain *c = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), verify_index());
    (void)ret;
    /* libcurl has put the URL's name there. */
    if ((where & SSL_CB_HANDSHAKE_START) && !c->tls.done && c->st->t->opt.sni)
        SSL_set_tlsext_host_name((SSL *)ssl, chain_sni(c));
    /* TLS 1.3 runs through here again for every ticket. */
    if (!(where & SSL_CB_HANDSHAKE_DONE) || c->tls.done)
        return;
    c->tls.done = true;
    c->tls_done = loop_clock();
    cert_see(c, ssl);
    if (!c->http)
        return;
    c->tls.live = (SSL *)ssl;
    http_tls_done(c);
}

void tls_seen_release(struct tls_seen *t)
{
    result_free(t->certs);
    t->certs = NULL;
}

/* ---- the authorities ---- */

/* A file of authorities is parsed once, not for each target that names it; again when it changed.
 */
struct authorities {
    struct authorities *next;
    X509_STORE *store;
    struct stat as; /* when it was read */
    char path[];
};

static bool unchanged(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void authorities_free(struct authorities *a)
{
    X509_STORE_free(a->store);
    free(a);
}

void authorities_release(struct prober *p)
{
    while (p->authorities) {
        struct authorities *next = p->authorities->next;
        authorities_free(p->authorities);
        p->authorities = next;
    }
}

static struct authorities *authorities_read(const char *path, const struct stat *as)
{
    size_t len = strlen(path);
    struct authorities *a = calloc(1, sizeof(*a) + len + 1);

    if (!a)
        return NULL;
    a->as = *as;
    memcpy(a->path, path, len);
    a->store = X509_STORE_new();
    if (a->store && X509_STORE_load_file(a->store, path))
        return a;
    ERR_clear_error();
    authorities_free(a);
    return NULL;
}

/* The caller's reference; NULL: it cannot be read. */
static X509_STORE *authorities_of(struct prober *p, const char *path)
{
    struct authorities **at = &p->authorities, *a;
    struct stat now;

    if (stat(path, &now) < 0)
        return NULL;
    while (*at && strcmp((*at)->path, path) != 0)
        at = &(*at)->next;
    if (*at && !unchanged(&(*at)->as, &now)) {
        a = *at;
        *at = a->next;
        authorities_free(a); /* those that use its store hold it */
    } else if (*at) {
        return X509_STORE_up_ref((*at)->store) ? (*at)->store : NULL;
    }
    a = authorities_read(path, &now);
    if (!a)
        return NULL;
    a->next = p->authorities;
    p->authorities = a;
    return X509_STORE_up_ref(a->store) ? a->store : NULL;
}

X509_STORE *tls_store(struct start *st)
{
    struct prober *p = st->p;

    if (st->t->opt.cacert) {
        if (!st->store)
            st->store = authorities_of(p, st->t->opt.cacert);
        return st->store;
    }
    if (!p->store && (p->store = X509_STORE_new()))
        X509_STORE_set_default_paths(p->store); /* files of CAs are read as they are needed */
    return p->store;
}

/* ---- what a connection is given ---- */

int tls_warm_up(struct start *st)
{
    if (st->p->tls_warm)
        return 0;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    st->p->tls_warm = ctx != NULL;
    SSL_CTX_free(ctx);
    return st->p->tls_warm ? 0 : -ENOMEM;
}

static int use_client_cert(const struct target_options *o, SSL_CTX *ctx)
{
    if (!o->cert)
        return 0;
    const char *key = o->key ? o->key : o->cert;
    if (SSL_CTX_use_certificate_chain_file(ctx, o->cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        return -EINVAL;
    return 0;
}

static void set_versions(const struct target_options *o, SSL_CTX *ctx)
{
    uint16_t min = o->tls_min, max = o->tls_max;
    if (!min)
        min = max && max < TLS1_2_VERSION ? TLS1_VERSION : TLS1_2_VERSION;
    SSL_CTX_set_min_proto_version(ctx, min);
    SSL_CTX_set_max_proto_version(ctx, max);
    /* Asked for by name, an old version is to be tried, whatever this host's policy is. */
    if (min < TLS1_2_VERSION)
        SSL_CTX_set_security_level(ctx, 0);
}

/* "h2,http/1.1" as the wire has it; 0 and nothing where it is empty, -1 where it cannot be. */
static int alpn_wire(const char *list, unsigned char *out, size_t room)
{
    size_t n = 0;
    while (*list) {
        size_t len = strcspn(list, ",");
        if (!len || len > 255 || n + len + 1 > room)
            return -1;
        out[n++] = (unsigned char)len;
        memcpy(out + n, list, len);
        n += len;
        list += len + (list[len] == ',');
    }
    return (int)n;
}

int tls_set_variant(const struct target_options *o, SSL_CTX *ctx)
{
    unsigned char alpn[256];
    int n = o->alpn ? alpn_wire(o->alpn, alpn, sizeof(alpn)) : 0;
    if (n < 0 || (o->alpn && SSL_CTX_set_alpn_protos(ctx, n ? alpn : NULL, (unsigned)n) != 0))
        return -EINVAL;
    if (o->groups && SSL_CTX_set1_groups_list(ctx, o->groups) != 1)
        return -EINVAL;
    if (o->ciphers && SSL_CTX_set_cipher_list(ctx, o->ciphers) != 1 &&
        SSL_CTX_set_ciphersuites(ctx, o->ciphers) != 1)
        return -EINVAL;
    return 0;
}

int tls_prepare(struct chain *c, SSL_CTX *ctx)
{
    const struct target_options *o = &c->st->t->opt;
    X509_STORE *store = tls_store(c->st);
    if (!store) {
        snprintf(c->tls.error, sizeof(c->tls.error), "cannot read the CA file");
        return -EINVAL;
    }
    /* The callbacks find the chain there. */
    if (verify_index() < 0 || SSL_CTX_set_ex_data(ctx, verify_index(), c) != 1) {
        snprintf(c->tls.error, sizeof(c->tls.error), "%s", strerror(ENOMEM));
        ERR_clear_error();
        return -ENOMEM;
    }
    SSL_CTX_set_msg_callback(ctx, on_message);
    SSL_CTX_set_msg_callback_arg(ctx, c);
    SSL_CTX_set_info_callback(ctx, on_info);
    SSL_CTX_set1_cert_store(ctx, store);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, on_verify);
    set_versions(o, ctx);
    SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp);
    if (tls_set_variant(o, ctx) < 0 || (o->hello_pad && hello_pad(c, ctx) < 0)) {
        snprintf(c->tls.error, sizeof(c->tls.error), "cannot use the ciphers, groups or ALPN");
        ERR_clear_error();
        return -EINVAL;
    }
    if (use_client_cert(o, ctx) < 0) {
        snprintf(c->tls.error, sizeof(c->tls.error), "cannot use the client certificate or key");
        ERR_clear_error();
        return -EINVAL;
    }
    return 0;
}
