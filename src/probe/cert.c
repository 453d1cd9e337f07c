/* The certificates a server showed, as fields. */
#include "probe/internal.h"
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CHAIN_SHOWN 8
#define NAMES_SHOWN 5

static void name_text(X509_NAME *n, char *out, size_t outlen)
{
    BIO *b = BIO_new(BIO_s_mem());
    char *data;
    out[0] = '\0';
    if (!b)
        return;
    if (X509_NAME_print_ex(b, n, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
        long len = BIO_get_mem_data(b, &data);
        text_clean(out, outlen, data, len > 0 ? (size_t)len : 0);
    }
    BIO_free(b);
}

static void time_text(const ASN1_TIME *t, char out[TIME_TEXT_MAX])
{
    struct tm tm;
    out[0] = '\0';
    if (ASN1_TIME_to_tm(t, &tm))
        strftime(out, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void put_names(struct result *r, X509 *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int n = names ? sk_GENERAL_NAME_num(names) : 0;
    result_set(r, "cert_names", v_int(n));
    for (int i = 0, shown = 0; i < n && shown < NAMES_SHOWN; i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
        if (g->type != GEN_DNS)
            continue;
        char clean[256];
        const ASN1_STRING *s = g->d.dNSName;
        text_clean(clean, sizeof(clean), ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
        result_add(r, "cert_name", v_text(clean));
        shown++;
    }
    GENERAL_NAMES_free(names);
}

static void put_leaf(struct result *r, X509 *cert)
{
    char text[512], when[TIME_TEXT_MAX];
    int bits = 0;
    name_text(X509_get_subject_name(cert), text, sizeof(text));
    result_set(r, "cert_subject", v_text(text));
    name_text(X509_get_issuer_name(cert), text, sizeof(text));
    result_set(r, "cert_issuer", v_text(text));
    time_text(X509_get0_notBefore(cert), when);
    result_set(r, "cert_from", v_text(when));
    time_text(X509_get0_notAfter(cert), when);
    result_set(r, "cert_until", v_text(when));
    EVP_PKEY *key = X509_get0_pubkey(cert);
    if (key && (bits = EVP_PKEY_get_bits(key)) > 0) {
        snprintf(text, sizeof(text), "%s %d", OBJ_nid2sn(EVP_PKEY_get_base_id(key)), bits);
        result_set(r, "cert_key", v_text(text));
    }
    put_names(r, cert);
}

static void put_chain(struct result *r, STACK_OF(X509) * certs)
{
    int n = certs ? sk_X509_num(certs) : 0;
    result_set(r, "cert_chain", v_int(n));
    for (int i = 1; i < n && i < CHAIN_SHOWN; i++) {
        char subject[400], line[480], when[TIME_TEXT_MAX];
        X509 *x = sk_X509_value(certs, i);
        name_text(X509_get_subject_name(x), subject, sizeof(subject));
        time_text(X509_get0_notAfter(x), when);
        snprintf(line, sizeof(line), "%s, until %s", subject, when);
        result_add(r, "cert_above", v_text(line));
    }
}

static void check_host(struct chain *c, X509 *cert)
{
    const struct target *t = c->st->t;
    size_t len = strlen(t->host);
    int ok;
    if (t->numeric) {
        ok = X509_check_ip(cert, t->address.b, t->address.family == 4 ? 4 : 16, 0);
    } else {
        if (len && t->host[len - 1] == '.')
            len--;
        ok = X509_check_host(cert, t->host, len, 0, NULL);
    }
    c->tls.host_bad = ok != 1;
}

/* ---- OCSP stapling (RFC 6066 8, RFC 6960) ---- */
static void ocsp_time(const ASN1_GENERALIZEDTIME *t, char out[TIME_TEXT_MAX])
{
    out[0] = '\0';
    if (t)
        time_text(t, out);
}

/* Which of the answers is the leaf's: there is one, or it is the first. */
static void put_single(struct result *r, OCSP_BASICRESP *basic)
{
    ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *until = NULL;
    char when[TIME_TEXT_MAX];
    int reason = -1;
    OCSP_SINGLERESP *one = OCSP_resp_get0(basic, 0);
    if (!one)
        return;
    int status = OCSP_single_get0_status(one, &reason, &revoked, &from, &until);
    result_set(r, "ocsp", v_text(OCSP_cert_status_str(status)));
    ocsp_time(until, when);
    if (*when)
        result_set(r, "ocsp_until", v_text(when));
    if (!OCSP_check_validity(from, until, 300, -1))
        result_set(r, "ocsp_stale", v_bool(true));
    ocsp_time(revoked, when);
    if (*when)
        result_set(r, "ocsp_revoked", v_text(when));
    if (reason >= 0)
        result_set(r, "ocsp_reason", v_text(OCSP_crl_reason_str(reason)));
}

static void put_ocsp(struct chain *c, const SSL *ssl, struct result *r)
{
    const unsigned char *der = NULL;
    long len = SSL_get_tlsext_status_ocsp_resp((SSL *)ssl, &der);
    OCSP_RESPONSE *resp = der && len > 0 ? d2i_OCSP_RESPONSE(NULL, &der, len) : NULL;
    OCSP_BASICRESP *basic = NULL;
    if (!der || len <= 0) {
        result_set(r, "ocsp", v_text("none stapled"));
        return;
    }
    if (!resp)
        result_set(r, "ocsp", v_text("damaged"));
    else if (OCSP_response_status(resp) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        result_set(r, "ocsp", v_text(OCSP_response_status_str(OCSP_response_status(resp))));
    else if ((basic = OCSP_response_get1_basic(resp))) {
        X509_STORE *store = tls_store(c->st);
        put_single(r, basic);
        result_set(
            r, "ocsp_verified",
            v_bool(store && OCSP_basic_verify(basic, SSL_get_peer_cert_chain(ssl), store, 0) == 1));
    }
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(resp);
    ERR_clear_error();
}

static void put_group(struct result *r, SSL *ssl)
{
    int id = (int)SSL_get_negotiated_group(ssl);
    const char *name = id > 0 ? SSL_group_to_name(ssl, id) : NULL;
    if (name)
        result_set(r, "group", v_text(name));
}

/* The handshake stands: everything of it is read now, libcurl frees the SSL before it tells us. */
void cert_see(struct chain *c, const SSL *ssl)
{
    struct result *r = c->tls.certs ? c->tls.certs : result_new();
    const unsigned char *alpn;
    unsigned len;
    char text[64];
    c->tls.certs = r;
    if (!r)
        return;
    result_set(r, "version", v_text(SSL_get_version(ssl)));
    result_set(r, "cipher", v_text(SSL_get_cipher_name(ssl)));
    SSL_get0_alpn_selected(ssl, &alpn, &len);
    if (len)
        result_set(r, "alpn", v_text(text_clean(text, sizeof(text), alpn, len)));
    put_group(r, (SSL *)ssl);
    if (c->session)
        result_set(r, "resumed", v_bool(SSL_session_reused((SSL *)ssl) != 0));
    X509 *cert = SSL_get0_peer_certificate(ssl);
    if (cert && !SSL_session_reused((SSL *)ssl))
        put_ocsp(c, ssl, r);
    if (cert) {
        check_host(c, cert);
        put_leaf(r, cert);
        put_chain(r, SSL_get_peer_cert_chain(ssl));
    }
}
