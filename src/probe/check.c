/*
 * What a target's options name, looked at before the first probe: an option that cannot work is the
 * user's to mend, and must not be taken for a fault of the target.
 */
#include "probe/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int say(int rc, char *err, size_t errlen, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static int say(int rc, char *err, size_t errlen, const char *fmt, ...)
{
    char raw[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(raw, sizeof(raw), fmt, ap);
    va_end(ap);
    text_clean(err, errlen, raw, strlen(raw));
    return rc;
}

/* The options that came as defaults were not yet read as those of a line are. */
static int check_words(const struct target_options *o, char *err, size_t errlen)
{
    struct target scratch = {0};
    int rc = 0;
    if (o->connect_to)
        rc = target_set(&scratch, "connect-to", o->connect_to, err, errlen);
    if (!rc && o->proxy)
        rc = target_set(&scratch, "proxy", o->proxy, err, errlen);
    if (!rc && o->method)
        rc = target_set(&scratch, "method", o->method, err, errlen);
    for (size_t i = 0; !rc && o->headers && o->headers[i]; i++)
        rc = target_set(&scratch, "header", o->headers[i], err, errlen);
    target_options_release(&scratch.opt);
    if (!rc && o->tls_min && o->tls_max && o->tls_min > o->tls_max)
        rc = say(-EINVAL, err, errlen, "%s", _("tls-min is above tls-max"));
    if (!rc && o->key && !o->cert)
        rc = say(-EINVAL, err, errlen, "%s", _("key belongs to cert"));
    return rc;
}

static int check_variant(const struct target *t, char *err, size_t errlen)
{
    const struct target_options *o = &t->opt;
    if (o->hello_split && t->scheme != SCHEME_TLS)
        return say(-EINVAL, err, errlen, "%s", _("hello-split belongs to tls:// targets"));
    if (o->resume && t->scheme != SCHEME_TLS)
        return say(-EINVAL, err, errlen, "%s", _("resume belongs to tls:// targets"));
    if (o->proxy && !target_uses_proxy(t))
        return say(-EINVAL, err, errlen, "%s",
                   _("only http:// and https:// targets go through a proxy"));
    if (o->proxy && o->connect_to)
        return say(-EINVAL, err, errlen, "%s", _("proxy and connect-to exclude each other"));
    if (!o->alpn && !o->groups && !o->ciphers)
        return 0;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    int rc = ctx ? tls_set_variant(o, ctx) : -ENOMEM;
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return rc == -EINVAL ? say(rc, err, errlen, "%s",
                               _("alpn, groups or ciphers: not a list that OpenSSL knows"))
                         : rc;
}

static int check_auth(const struct target *t, char *err, size_t errlen)
{
    struct auth a = {0};
    int rc = auth_read(&a, t->opt.auth, err, errlen);
    auth_release(&a);
    return rc;
}

static int check_family(const struct target *t, char *err, size_t errlen)
{
    struct addr goal, from;
    char host[256];
    uint16_t port;
    int rc = target_goal(t, host, &port, &goal);
    if (rc < 0)
        return rc;
    if (goal.family && t->opt.family && goal.family != t->opt.family)
        return say(-EINVAL, err, errlen, _("%s is no IPv%d address"), host, t->opt.family);
    if (!t->opt.source || addr_parse(t->opt.source, &from) != 0)
        return 0;
    if ((goal.family && goal.family != from.family) ||
        (t->opt.family && t->opt.family != from.family))
        return say(-EINVAL, err, errlen, _("source %s is not of the target's address family"),
                   t->opt.source);
    return 0;
}

static int check_source(const char *source, char *err, size_t errlen)
{
    struct sockaddr_storage ss;
    struct addr a;
    if (addr_parse(source, &a) < 0)
        return if_nametoindex(source)
                   ? 0
                   : say(-ENODEV, err, errlen, _("source: no interface or address is called %s"),
                         source);
    int fd = socket(a.family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return say(-errno, err, errlen, "source: %s", strerror(errno));
    int rc = bind(fd, (struct sockaddr *)&ss, (socklen_t)addr_to_sockaddr(&a, 0, &ss)) ? -errno : 0;
    close(fd);
    if (rc == -EADDRNOTAVAIL)
        return say(rc, err, errlen, _("source: %s is no address of this host"), source);
    return rc ? say(rc, err, errlen, "source %s: %s", source, strerror(-rc)) : 0;
}

static int check_readable(const char *path, char *err, size_t errlen)
{
    char byte;
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
    if (fd < 0 || read(fd, &byte, 1) < 0)
        rc = say(-errno, err, errlen, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    /* EINVAL is kept for what is written wrongly. */
    return rc == -EINVAL ? -EIO : rc;
}

static int check_pem(const struct target_options *o, char *err, size_t errlen)
{
    const char *key = o->key ? o->key : o->cert;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    int rc = ctx ? 0 : say(-ENOMEM, err, errlen, "%s", strerror(ENOMEM));
    if (!rc && o->cacert && SSL_CTX_load_verify_file(ctx, o->cacert) != 1)
        rc = say(-EBADMSG, err, errlen, _("%s: there is no certificate in it (PEM)"), o->cacert);
    if (!rc && o->cert && SSL_CTX_use_certificate_chain_file(ctx, o->cert) != 1)
        rc = say(-EBADMSG, err, errlen, _("%s: there is no certificate in it (PEM)"), o->cert);
    if (!rc && o->cert && SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        rc = say(-EBADMSG, err, errlen, _("%s: there is no key in it that fits %s (PEM)"), key,
                 o->cert);
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return rc;
}

static int check_files(const struct target_options *o, char *err, size_t errlen)
{
    const char *const paths[] = {o->cacert, o->cert, o->key};
    int rc = 0;
    for (size_t i = 0; i < ARRAY_SIZE(paths) && !rc; i++)
        if (paths[i])
            rc = check_readable(paths[i], err, errlen);
    return rc || (!o->cacert && !o->cert) ? rc : check_pem(o, err, errlen);
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

int target_check(const struct target *t, const struct target *like, char *err, size_t errlen)
{
    const struct target_options *o = &t->opt, *p = like ? &like->opt : NULL;
    int rc = check_words(o, err, errlen);
    if (!rc)
        rc = check_variant(t, err, errlen);
    if (!rc)
        rc = check_family(t, err, errlen);
    if (!rc && o->auth)
        rc = check_auth(t, err, errlen);
    if (!rc && o->source && !(p && same(o->source, p->source)))
        rc = check_source(o->source, err, errlen);
    if (!rc && !(p && same(o->cacert, p->cacert) && same(o->cert, p->cert) && same(o->key, p->key)))
        rc = check_files(o, err, errlen);
    return rc;
}
