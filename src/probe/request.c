/* What an HTTP request is made of, told to libcurl. */
#include "probe/transfer.h"
#include "config.h"
#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static int url_of(const struct target *t, bool tls, struct strbuf *url)
{
    bool v6 = t->numeric && t->address.family == 6;
    strbuf_addf(url, "%s://%s%s%s:%u%s", tls ? "https" : "http", v6 ? "[" : "", t->host,
                v6 ? "]" : "", t->port, t->path ? t->path : "/");
    return url->err;
}

static bool has_header(const struct target_options *o, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; o->headers && o->headers[i]; i++)
        if (!strncasecmp(o->headers[i], name, len) && o->headers[i][len] == ':')
            return true;
    return false;
}

static int append(struct curl_slist **list, const char *line)
{
    struct curl_slist *more = curl_slist_append(*list, line);
    if (!more)
        return -ENOMEM;
    *list = more;
    return 0;
}

static void set_request(struct chain *c, struct http *h)
{
    static const long versions[] = {[HTTP_BEST] = CURL_HTTP_VERSION_2TLS,
                                    [HTTP_1_0] = CURL_HTTP_VERSION_1_0,
                                    [HTTP_1_1] = CURL_HTTP_VERSION_1_1,
                                    [HTTP_2] = CURL_HTTP_VERSION_2TLS,
                                    [HTTP_2_PLAIN] = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE};
    const struct target_options *o = &c->st->t->opt;
    curl_easy_setopt(h->easy, CURLOPT_HTTP_VERSION, versions[o->http_version]);
    if (o->body) {
        curl_easy_setopt(h->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)o->body_len);
        curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, o->body);
    }
    if (o->method && !strcmp(o->method, "HEAD"))
        curl_easy_setopt(h->easy, CURLOPT_NOBODY, 1L);
    else if (o->method)
        curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, o->method);
}

static int set_proxy(struct chain *c, struct http *h)
{
    const char *proxy = c->st->t->opt.proxy;
    h->proxied = proxy != NULL;
    h->tunnel = proxy && (c->scheme == SCHEME_HTTPS || !strncasecmp(proxy, "socks", 5));
    h->proxy_tls = proxy && !strncasecmp(proxy, "https", 5);
    char url[300];
    /* Never what the environment says; and the name is the proxy's to resolve, as with CONNECT. */
    bool socks = proxy && !strncasecmp(proxy, "socks5://", 9);
    snprintf(url, sizeof(url), "%s%s", socks ? "socks5h" : "",
             socks   ? proxy + 6
             : proxy ? proxy
                     : "");
    if (curl_easy_setopt(h->easy, CURLOPT_PROXY, url) != CURLE_OK)
        return -EINVAL;
    curl_easy_setopt(h->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(h->easy, CURLOPT_PROXY_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(h->easy, CURLOPT_PROXY_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(h->easy, CURLOPT_PROXY_CAINFO, NULL);
    curl_easy_setopt(h->easy, CURLOPT_PROXY_CAPATH, NULL);
    return 0;
}

/* ---- credentials ---- */
static int set_aws(struct chain *c, struct http *h)
{
    const struct target_options *o = &c->st->t->opt;
    const struct auth *a = &c->st->auth;
    static const char hex[] = "0123456789abcdef";
    unsigned char sum[SHA256_DIGEST_LENGTH];
    char line[64 + SHA256_DIGEST_LENGTH * 2], provider[256];
    size_t n = (size_t)snprintf(line, sizeof(line), "x-amz-content-sha256: ");
    SHA256((const unsigned char *)(o->body ? o->body : ""), o->body_len, sum);
    for (size_t i = 0; i < sizeof(sum); i++) {
        line[n++] = hex[sum[i] >> 4];
        line[n++] = hex[sum[i] & 15];
    }
    line[n] = '\0';
    snprintf(provider, sizeof(provider), "aws:amz:%s:%s", a->region, a->service);
    curl_easy_setopt(h->easy, CURLOPT_AWS_SIGV4, provider);
    curl_easy_setopt(h->easy, CURLOPT_USERNAME, a->user);
    curl_easy_setopt(h->easy, CURLOPT_PASSWORD, a->secret);
    int rc = append(&h->headers, line);
    if (rc == 0 && a->session) {
        struct strbuf sb = STRBUF_INIT;
        strbuf_addf(&sb, "x-amz-security-token: %s", a->session);
        rc = sb.err ? sb.err : append(&h->headers, sb.buf);
        strbuf_release(&sb);
    }
    return rc;
}

static int set_auth(struct chain *c, struct http *h)
{
    const struct auth *a = &c->st->auth;
    switch (a->kind) {
    case AUTH_BASIC:
        curl_easy_setopt(h->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(h->easy, CURLOPT_USERNAME, a->user);
        curl_easy_setopt(h->easy, CURLOPT_PASSWORD, a->secret);
        return 0;
    case AUTH_BEARER:
        curl_easy_setopt(h->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl_easy_setopt(h->easy, CURLOPT_XOAUTH2_BEARER, a->secret);
        return 0;
    case AUTH_AWS: return set_aws(c, h);
    default: return 0;
    }
}

static int set_headers(struct chain *c, struct http *h)
{
    const struct target_options *o = &c->st->t->opt;
    int rc = set_auth(c, h);
    for (size_t i = 0; o->headers && o->headers[i] && rc == 0; i++)
        rc = append(&h->headers, o->headers[i]);
    /* A pause for 100-continue would hide what a server does while a body comes. But libcurl signs
     * the headers it is given, and an empty one spoils the signature. */
    if (rc == 0 && !has_header(o, "Expect") && c->st->auth.kind != AUTH_AWS)
        rc = append(&h->headers, "Expect:");
    if (rc == 0 && o->body && !has_header(o, "Content-Type"))
        rc = append(&h->headers, "Content-Type: application/octet-stream");
    curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->headers);
    return rc;
}

static void set_options(CURL *e)
{
    curl_easy_setopt(e, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_HTTP09_ALLOWED, 1L); /* to see its bytes: on_body() */
    /* Verified by our own callbacks, which let the handshake go on (tls.c). */
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
}

/* No name reaches a resolver: libcurl is told the address it would find, the proxy's where there
 * is one (which then resolves the target's name by itself). */
static int set_resolve(struct chain *c, struct http *h)
{
    const struct target *t = c->st->t;
    char at[ADDR_TEXT_MAX];
    struct strbuf sb = STRBUF_INIT;
    struct addr numeric;
    if (h->proxied ? addr_parse(c->st->host, &numeric) == 0 : t->numeric) {
        /* libcurl keeps numbers too, and walks through all it keeps at each connection. */
        curl_easy_setopt(h->easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
        return 0;
    }
    strbuf_addf(&sb, "+%s:%u:%s%s%s", h->proxied ? c->st->host : t->host,
                h->proxied ? c->st->port : t->port, c->addr.family == 6 ? "[" : "",
                addr_text(at, &c->addr), c->addr.family == 6 ? "]" : "");
    int rc = sb.err ? sb.err : append(&h->resolve, sb.buf);
    strbuf_release(&sb);
    curl_easy_setopt(h->easy, CURLOPT_RESOLVE, h->resolve);
    return rc;
}

int http_set_request(struct chain *c, struct http *h)
{
    struct strbuf url = STRBUF_INIT;
    int rc = url_of(c->st->t, c->scheme == SCHEME_HTTPS, &url);
    if (rc == 0)
        curl_easy_setopt(h->easy, CURLOPT_URL, url.buf);
    strbuf_release(&url);
    set_options(h->easy);
    set_request(c, h);
    if (rc == 0)
        rc = set_proxy(c, h);
    if (rc == 0)
        rc = set_headers(c, h);
    if (rc == 0)
        rc = set_resolve(c, h);
    return rc;
}
