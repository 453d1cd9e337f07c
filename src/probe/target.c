/* Targets: what a TARGET word or a line of a targets file says. */
#include "probe/dns.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name;
    enum scheme scheme;
    uint16_t port; /* 0: must be said */
} schemes[] = {
    {"es", SCHEME_HTTP, 9200},     {"es+https", SCHEME_HTTPS, 9200}, {"s3", SCHEME_HTTPS, 443},
    {"s3+http", SCHEME_HTTP, 80},  {"tcp", SCHEME_TCP, 0},           {"tls", SCHEME_TLS, 0},
    {"http", SCHEME_HTTP, 80},     {"https", SCHEME_HTTPS, 443},     {"dns", SCHEME_DNS, 0},
    {"smtp", SCHEME_SMTP, 25},     {"imap", SCHEME_IMAP, 143},       {"pop3", SCHEME_POP3, 110},
    {"ftp", SCHEME_FTP, 21},       {"pg", SCHEME_PG, 5432},          {"postgres", SCHEME_PG, 5432},
    {"mysql", SCHEME_MYSQL, 3306}, {"ldap", SCHEME_LDAP, 389},       {"redis", SCHEME_REDIS, 6379},
    {"ssh", SCHEME_SSH, 22},
};

/* ---- hosts ---- */
static int check_host(const char *host, char *err, size_t errlen)
{
    size_t len = strlen(host), label = 0;
    if (len && host[len - 1] == '.')
        len--;
    if (!len || len > 253)
        return target_refuse(err, errlen, _("\"%s\" is no host name"), host);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)host[i];
        if (c >= 0x80)
            return target_refuse(err, errlen, _("write the name \"%s\" in its xn-- form"), host);
        if (c == '.' || c == '-' ? label == 0 : !isalnum(c) && c != '_')
            return target_refuse(err, errlen, _("\"%s\" is no host name"), host);
        label = c == '.' ? 0 : label + 1;
        if (label > 63)
            return target_refuse(err, errlen, _("\"%s\" is no host name"), host);
    }
    return 0;
}

static int parse_port(const char *s, size_t len, uint16_t *out)
{
    char digits[6];
    uint64_t v;
    if (!len || len >= sizeof(digits))
        return -EINVAL;
    memcpy(digits, s, len);
    digits[len] = '\0';
    if (strspn(digits, "0123456789") != len || parse_u64(digits, 1, 65535, &v) < 0)
        return -EINVAL;
    *out = (uint16_t)v;
    return 0;
}

/* host, host:port, [v6], [v6]:port up to a '/', '?' or '#'; *port is 0 where none is said. */
int target_host_port(const char *spec, bool need_port, char host[256], uint16_t *port,
                     const char **rest, char *err, size_t errlen)
{
    size_t len = strcspn(spec, "/?#");
    const char *end = spec + len, *colon = NULL;
    size_t hlen;
    *rest = end;
    *port = 0;
    if (memchr(spec, '@', len))
        return target_refuse(err, errlen, _("a user name or password in a target is refused"));
    bool bracket = spec[0] == '[';
    if (bracket) {
        const char *close = memchr(spec, ']', len);
        if (!close)
            return target_refuse(err, errlen, _("\"%s\": the ] is missing"), spec);
        spec++;
        hlen = (size_t)(close - spec);
        if (close + 1 < end) {
            if (close[1] != ':')
                return target_refuse(err, errlen, _("after ] comes :port or nothing"));
            colon = close + 1;
        }
    } else {
        colon = memchr(spec, ':', len);
        hlen = colon ? (size_t)(colon - spec) : len;
        if (colon && memchr(colon + 1, ':', (size_t)(end - colon - 1))) { /* a bare v6 address */
            colon = NULL;
            hlen = len;
        }
    }
    if (hlen >= 256)
        return target_refuse(err, errlen, _("the host name is too long"));
    memcpy(host, spec, hlen);
    host[hlen] = '\0';
    if (colon && parse_port(colon + 1, (size_t)(end - colon - 1), port) < 0)
        return target_refuse(err, errlen, _("\"%.*s\" is no port (1 to 65535)"),
                             (int)(end - colon - 1), colon + 1);
    if (need_port && !*port)
        return target_refuse(err, errlen, _("a port is missing after \"%s\""), host);
    struct addr a;
    if (strchr(host, ':') || bracket) {
        if (strchr(host, '%'))
            return target_refuse(err, errlen,
                                 _("\"%s\": an address with an interface is not supported; "
                                   "use source=INTERFACE"),
                                 host);
        return addr_parse(host, &a) < 0
                   ? target_refuse(err, errlen, _("\"%s\" is no address"), host)
                   : 0;
    }
    return check_host(host, err, errlen);
}

/* ---- the target itself ---- */
void target_free(struct target *t)
{
    if (!t)
        return;
    free(t->name);
    free(t->host);
    free(t->path);
    target_options_release(&t->opt);
    free(t);
}

static int set_path(struct target *t, const char *rest, char *err, size_t errlen)
{
    bool http = t->scheme == SCHEME_HTTP || t->scheme == SCHEME_HTTPS;
    size_t len = strcspn(rest, "#"); /* a fragment is never sent */
    if (t->scheme == SCHEME_DNS && rest[0] == '/' && rest[1]) {
        if (!dns_type_by_name(rest + 1))
            return target_refuse(err, errlen, _("\"%s\" is no type of a DNS record"), rest + 1);
        return target_set_string(&t->path, rest);
    }
    if (!http) {
        if (*rest && strcmp(rest, "/"))
            return target_refuse(err, errlen, _("only http:// and https:// targets have a path"));
        return 0;
    }
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)rest[i] <= 0x20 || rest[i] == 0x7f)
            return target_refuse(err, errlen,
                                 _("a path holds no spaces and no control characters"));
    if (len > LINE_CAP)
        return target_refuse(err, errlen, _("the path is too long"));
    struct strbuf sb = STRBUF_INIT;
    if (!len || rest[0] != '/')
        strbuf_addch(&sb, '/');
    strbuf_add(&sb, rest, len);
    t->path = strbuf_detach(&sb, NULL);
    return t->path ? 0 : -ENOMEM;
}

static int parse_scheme(struct target *t, const char **spec, uint16_t *port, char *err,
                        size_t errlen)
{
    const char *sep = strstr(*spec, "://");
    t->scheme = SCHEME_HTTPS; /* a bare host */
    *port = 443;
    if (!sep)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
        size_t len = strlen(schemes[i].name);
        if ((size_t)(sep - *spec) == len && !strncasecmp(*spec, schemes[i].name, len)) {
            t->scheme = schemes[i].scheme;
            t->playbook = playbook_of_scheme(schemes[i].name);
            *port = schemes[i].port;
            *spec = sep + 3;
            return 0;
        }
    }
    return target_refuse(
        err, errlen,
        _("the scheme \"%.*s\" is not known; there are tcp, tls, http, https, dns, smtp, "
          "imap, pop3, ftp, pg, mysql, ldap, redis, ssh, es and s3"),
        (int)(sep - *spec), *spec);
}

static int parse_word(struct target *t, const char *word, char *err, size_t errlen)
{
    const char *spec = word, *rest;
    char host[256];
    uint16_t fallback, port;
    int rc = parse_scheme(t, &spec, &fallback, err, errlen);
    if (rc < 0)
        return rc;
    bool url = spec != word;
    if (!*spec || (spec[0] == ':' && spec[1] != ':'))
        return target_refuse(err, errlen, _("the host is missing"));
    rc = target_host_port(spec, t->scheme == SCHEME_TCP || t->scheme == SCHEME_TLS, host, &port,
                          &rest, err, errlen);
    if (rc < 0)
        return rc;
    if (!url && *rest)
        return target_refuse(err, errlen, _("write http:// or https:// before \"%s\""), word);
    if (!url && port)
        t->scheme = SCHEME_AUTO;
    if (t->scheme == SCHEME_DNS && port)
        return target_refuse(err, errlen, _("a dns:// target has no port"));
    t->port = port ? port : fallback;
    t->numeric = addr_parse(host, &t->address) == 0;
    if (t->numeric && t->scheme == SCHEME_DNS)
        return target_refuse(err, errlen, _("\"%s\" is an address, not a name"), host);
    if (target_set_string(&t->host, host) < 0)
        return -ENOMEM;
    return set_path(t, rest, err, errlen);
}

/* One word, or key=value with the value in double quotes where it holds spaces (\" and \\ inside).
 * Returns its end, NULL where a quote is open. */
static const char *next_word(const char *p, struct strbuf *out)
{
    bool quoted = false;
    strbuf_reset(out);
    for (; *p && (quoted || !isspace((unsigned char)*p)); p++) {
        if (*p == '"') {
            quoted = !quoted;
            continue;
        }
        if (quoted && *p == '\\' && (p[1] == '"' || p[1] == '\\'))
            p++;
        strbuf_addch(out, *p);
    }
    return quoted ? NULL : p;
}

static int parse_options(struct target *t, const char *p, char *err, size_t errlen)
{
    struct strbuf word = STRBUF_INIT;
    int rc = 0;
    while (rc == 0) {
        p += strspn(p, " \t\r\n\v\f");
        if (!*p || *p == '#')
            break;
        p = next_word(p, &word);
        if (!p) {
            rc = target_refuse(err, errlen, _("a quote is not closed"));
            break;
        }
        if (word.err) {
            rc = word.err;
            break;
        }
        char *eq = strchr(word.buf, '=');
        if (eq)
            *eq = '\0';
        else if (!target_flag(word.buf)) {
            rc = target_refuse(err, errlen, _("\"%s\": options are written key=value"), word.buf);
            break;
        }
        rc = target_set(t, word.buf, eq ? eq + 1 : "", err, errlen);
    }
    strbuf_release(&word);
    return rc;
}

static int check_whole(const struct target *t, char *err, size_t errlen)
{
    if (t->numeric && t->opt.family && t->opt.family != t->address.family && !t->opt.connect_to)
        return target_refuse(err, errlen,
                             _("\"%s\" is an IPv%d address and only IPv%d was asked for"), t->host,
                             t->address.family, t->opt.family);
    if (t->opt.tls_min && t->opt.tls_max && t->opt.tls_min > t->opt.tls_max)
        return target_refuse(err, errlen, _("tls-min is above tls-max"));
    return 0;
}

int target_parse(struct target **out, const char *spec, char *err, size_t errlen)
{
    struct strbuf word = STRBUF_INIT;
    char clean[256];
    int rc;
    *out = NULL;
    if (errlen)
        err[0] = '\0';
    struct target *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->opt.hold = -1;
    spec += strspn(spec, " \t\r\n\v\f");
    size_t len = strcspn(spec, " \t\r\n\v\f");
    if (!len) {
        rc = target_refuse(err, errlen, _("the target is empty"));
        goto out;
    }
    strbuf_add(&word, spec, len);
    if (word.err || target_set_string(&t->name, text_clean(clean, sizeof(clean), spec, len)) < 0) {
        rc = -ENOMEM;
        goto out;
    }
    rc = parse_word(t, word.buf, err, errlen);
    if (rc == 0)
        rc = parse_options(t, spec + len, err, errlen);
    if (rc == 0)
        rc = check_whole(t, err, errlen);
out:
    strbuf_release(&word);
    if (rc < 0) {
        if (rc == -ENOMEM && errlen)
            snprintf(err, errlen, "%s", strerror(ENOMEM));
        target_free(t);
        return -EINVAL;
    }
    *out = t;
    return 0;
}

struct target *target_copy(const struct target *t)
{
    struct target *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    *c = (struct target){.id = t->id,
                         .scheme = t->scheme,
                         .numeric = t->numeric,
                         .address = t->address,
                         .port = t->port,
                         .playbook = t->playbook};
    c->opt.hold = -1;
    c->name = strdup(t->name);
    c->host = strdup(t->host);
    c->path = t->path ? strdup(t->path) : NULL;
    target_apply_defaults(c, &t->opt);
    c->opt.hold = t->opt.hold;
    if (!c->name || !c->host || (t->path && !c->path) || (t->opt.body && !c->opt.body)) {
        target_free(c);
        return NULL;
    }
    return c;
}

static const struct {
    const char *name;
    uint16_t port;
} proxies[] = {{"http", 80}, {"https", 443}, {"socks5", 1080}, {"socks5h", 1080}};

int target_proxy(const char *url, char host[256], uint16_t *port, char *err, size_t errlen)
{
    const char *sep = strstr(url, "://"), *rest;
    size_t i = 0, len = sep ? (size_t)(sep - url) : 0;
    while (i < ARRAY_SIZE(proxies) &&
           (strlen(proxies[i].name) != len || strncasecmp(url, proxies[i].name, len) != 0))
        i++;
    if (i == ARRAY_SIZE(proxies))
        return target_refuse(
            err, errlen, _("a proxy is http://, https:// or socks5://HOST:PORT, not \"%s\""), url);
    int rc = target_host_port(sep + 3, false, host, port, &rest, err, errlen);
    if (rc < 0)
        return rc;
    if (*rest && strcmp(rest, "/") != 0)
        return target_refuse(err, errlen, _("a proxy has no path"));
    if (!*port)
        *port = proxies[i].port;
    return 0;
}

bool target_uses_proxy(const struct target *t)
{
    return t->opt.proxy && (t->scheme == SCHEME_HTTP || t->scheme == SCHEME_HTTPS);
}

/* Where the target's connections go: its proxy, connect-to, or its own host and port. */
int target_goal(const struct target *t, char host[256], uint16_t *port, struct addr *address)
{
    const char *rest;
    char err[8];
    *address = (struct addr){0};
    if (target_uses_proxy(t)) {
        int rc = target_proxy(t->opt.proxy, host, port, err, sizeof(err));
        if (rc < 0)
            return rc;
    } else if (t->opt.connect_to) {
        int rc = target_host_port(t->opt.connect_to, true, host, port, &rest, err, sizeof(err));
        if (rc < 0)
            return rc;
    } else {
        snprintf(host, 256, "%s", t->host);
        *port = t->port;
    }
    if (addr_parse(host, address) < 0)
        address->family = 0;
    return 0;
}
