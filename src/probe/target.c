/* Targets: what a TARGET word or a line of a targets file says. */
#include "probe/internal.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define BODY_MAX    ((uint64_t)64 << 20)
#define HEADERS_MAX 64
#define LINE_MAX_   8192 /* of a targets file, and a header line */

static int refuse(char *err, size_t errlen, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static int refuse(char *err, size_t errlen, const char *fmt, ...)
{
    char raw[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(raw, sizeof(raw), fmt, ap);
    va_end(ap);
    if (errlen)
        text_clean(err, errlen, raw, strlen(raw));
    return -EINVAL;
}

static const struct {
    const char *name;
    enum scheme scheme;
    uint16_t port; /* 0: must be said */
} schemes[] = {
    {"tcp", SCHEME_TCP, 0},       {"tls", SCHEME_TLS, 0}, {"http", SCHEME_HTTP, 80},
    {"https", SCHEME_HTTPS, 443}, {"dns", SCHEME_DNS, 0},
};

/* ---- options ---- */
void target_options_release(struct target_options *o)
{
    free(o->method);
    for (size_t i = 0; o->headers && o->headers[i]; i++)
        free(o->headers[i]);
    free(o->headers);
    free(o->body);
    free(o->connect_to);
    free(o->cacert);
    free(o->cert);
    free(o->key);
    free(o->source);
    memset(o, 0, sizeof(*o));
    o->hold = -1;
}

static int set_string(char **at, const char *value)
{
    char *s = strdup(value);
    if (!s)
        return -ENOMEM;
    free(*at);
    *at = s;
    return 0;
}

static bool is_token(const char *s, size_t len) /* RFC 9110 5.6.2 */
{
    if (!len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)s[i]) && !(s[i] && strchr("!#$%&'*+-.^_`|~", s[i])))
            return false;
    return true;
}

static int add_header(struct target_options *o, const char *line)
{
    size_t n = 0;
    while (o->headers && o->headers[n])
        n++;
    char **more = realloc(o->headers, (n + 2) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    o->headers = more;
    more[n] = more[n + 1] = NULL;
    more[n] = strdup(line);
    return more[n] ? 0 : -ENOMEM;
}

static int set_header(struct target_options *o, const char *v, char *err, size_t errlen)
{
    const char *colon = strchr(v, ':');
    if (!colon || !is_token(v, (size_t)(colon - v)))
        return refuse(err, errlen, _("a header is written as Name: value, not \"%s\""), v);
    for (const char *p = v; *p; p++)
        if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
            return refuse(err, errlen, _("a header holds no control characters"));
    size_t n = 0;
    while (o->headers && o->headers[n])
        n++;
    if (n >= HEADERS_MAX || strlen(v) > LINE_MAX_ * 8)
        return refuse(err, errlen, _("too many headers, or one too long"));
    return add_header(o, v);
}

static int set_body(struct target_options *o, char *body, size_t len)
{
    free(o->body);
    o->body = body;
    o->body_len = len;
    return 0;
}

static int body_of_file(struct target_options *o, const char *path, char *err, size_t errlen)
{
    char *buf = NULL;
    size_t len = 0;
    int rc = 0;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0) {
        rc = refuse(err, errlen, _("cannot read %s: %s"), path, strerror(errno));
        goto out;
    }
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > BODY_MAX) {
        rc = refuse(err, errlen, _("%s is no regular file of at most 64 MiB"), path);
        goto out;
    }
    buf = malloc((size_t)st.st_size + 1);
    if (!buf) {
        rc = -ENOMEM;
        goto out;
    }
    while (len < (size_t)st.st_size) {
        ssize_t n = read(fd, buf + len, (size_t)st.st_size - len);
        if (n < 0) {
            rc = refuse(err, errlen, _("cannot read %s: %s"), path, strerror(errno));
            goto out;
        }
        if (n == 0)
            break;
        len += (size_t)n;
    }
    set_body(o, buf, len);
    buf = NULL;
out:
    free(buf);
    if (fd >= 0)
        close(fd);
    return rc;
}

static int set_body_size(struct target_options *o, const char *v, char *err, size_t errlen)
{
    uint64_t size;
    if (parse_size(v, &size) < 0 || size == 0 || size > BODY_MAX)
        return refuse(err, errlen, _("a body size is 1 to 64M, not \"%s\""), v);
    char *body = malloc(size);
    if (!body)
        return -ENOMEM;
    memset(body, 'x', size);
    return set_body(o, body, size);
}

static int parse_tls_version(const char *v, uint16_t *out)
{
    static const char *const names[] = {"1.0", "1.1", "1.2", "1.3"};
    if (!strncasecmp(v, "tls", 3))
        v += 3 + (v[3] == 'v' || v[3] == 'V' || v[3] == ' ');
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(v, names[i])) {
            *out = (uint16_t)(0x0301 + i);
            return 0;
        }
    return -EINVAL;
}

static int parse_host_port(const char *spec, bool need_port, char host[256], uint16_t *port,
                           const char **rest, char *err, size_t errlen);

static int set_span(nstime *at, bool zero_ok, const char *key, const char *v, char *err,
                    size_t errlen)
{
    nstime t;
    if (parse_seconds(v, &t) < 0 || t < 0 || (t == 0 && !zero_ok) || t > 86400 * NS_PER_SEC)
        return refuse(err, errlen, _("%s is a time such as 5, 1.5 or 300ms, not \"%s\""), key, v);
    *at = t;
    return 0;
}

static int set_flag(int *at, const char *key, const char *v, char *err, size_t errlen)
{
    if (!*v || !strcmp(v, "yes") || !strcmp(v, "1"))
        *at = 1;
    else if (!strcmp(v, "no") || !strcmp(v, "0"))
        *at = 0;
    else
        return refuse(err, errlen, _("%s is yes or no, not \"%s\""), key, v);
    return 0;
}

static int set_family(struct target_options *o, const char *v, char *err, size_t errlen)
{
    if (strcmp(v, "4") && strcmp(v, "6"))
        return refuse(err, errlen, _("family is 4 or 6, not \"%s\""), v);
    o->family = v[0] - '0';
    return 0;
}

static int set_tls(uint16_t *at, const char *key, const char *v, char *err, size_t errlen)
{
    if (parse_tls_version(v, at) < 0)
        return refuse(err, errlen, _("%s is 1.0, 1.1, 1.2 or 1.3, not \"%s\""), key, v);
    return 0;
}

static int set_connect_to(struct target_options *o, const char *v, char *err, size_t errlen)
{
    char host[256];
    uint16_t port;
    const char *rest;
    int rc = parse_host_port(v, true, host, &port, &rest, err, errlen);
    if (rc < 0)
        return rc;
    if (*rest)
        return refuse(err, errlen, _("connect-to is HOST:PORT, not \"%s\""), v);
    return set_string(&o->connect_to, v);
}

int target_set(struct target *t, const char *key, const char *value, char *err, size_t errlen)
{
    struct target_options *o = &t->opt;
    char clean[256];
    if (!strcmp(key, "timeout"))
        return set_span(&o->timeout, false, key, value, err, errlen);
    if (!strcmp(key, "hold"))
        return set_span(&o->hold, true, key, value, err, errlen);
    if (!strcmp(key, "method")) {
        if (strlen(value) > 32 || !is_token(value, strlen(value)))
            return refuse(err, errlen, _("\"%s\" is no HTTP method"), value);
        return set_string(&o->method, value);
    }
    if (!strcmp(key, "header"))
        return set_header(o, value, err, errlen);
    if (!strcmp(key, "body")) {
        if (value[0] == '@')
            return body_of_file(o, value + 1, err, errlen);
        char *body = strdup(value);
        return body ? set_body(o, body, strlen(body)) : -ENOMEM;
    }
    if (!strcmp(key, "body-size"))
        return set_body_size(o, value, err, errlen);
    if (!strcmp(key, "connect-to"))
        return set_connect_to(o, value, err, errlen);
    if (!strcmp(key, "cacert"))
        return set_string(&o->cacert, value);
    if (!strcmp(key, "cert"))
        return set_string(&o->cert, value);
    if (!strcmp(key, "key"))
        return set_string(&o->key, value);
    if (!strcmp(key, "source"))
        return set_string(&o->source, value);
    if (!strcmp(key, "tls-min"))
        return set_tls(&o->tls_min, key, value, err, errlen);
    if (!strcmp(key, "tls-max"))
        return set_tls(&o->tls_max, key, value, err, errlen);
    if (!strcmp(key, "family"))
        return set_family(o, value, err, errlen);
    if (!strcmp(key, "insecure"))
        return set_flag(&o->insecure, key, value, err, errlen);
    if (!strcmp(key, "name"))
        return set_string(&t->name, text_clean(clean, sizeof(clean), value, strlen(value)));
    return refuse(err, errlen, _("\"%s\" is no option of a target"), key);
}

static int copy_headers(struct target_options *o, char *const *headers)
{
    for (size_t i = 0; headers && headers[i]; i++) {
        int rc = add_header(o, headers[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Out of memory leaves an option at its default: the probe runs, and says what it did. */
void target_apply_defaults(struct target *t, const struct target_options *d)
{
    struct target_options *o = &t->opt;
    char **strings[] = {&o->method, &o->connect_to, &o->cacert, &o->cert, &o->key, &o->source};
    char *const from[] = {d->method, d->connect_to, d->cacert, d->cert, d->key, d->source};
    for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
        if (!*strings[i] && from[i])
            *strings[i] = strdup(from[i]);
    if (!o->timeout)
        o->timeout = d->timeout;
    if (o->hold < 0 && d->hold > 0)
        o->hold = d->hold;
    if (!o->headers)
        copy_headers(o, d->headers);
    if (!o->body && d->body) {
        o->body = malloc(d->body_len + 1);
        if (o->body) {
            memcpy(o->body, d->body, d->body_len);
            o->body_len = d->body_len;
        }
    }
    if (!o->tls_min)
        o->tls_min = d->tls_min;
    if (!o->tls_max)
        o->tls_max = d->tls_max;
    if (!o->family)
        o->family = d->family;
    if (!o->insecure)
        o->insecure = d->insecure;
}

/* ---- hosts ---- */
static int check_host(const char *host, char *err, size_t errlen)
{
    size_t len = strlen(host), label = 0;
    if (len && host[len - 1] == '.')
        len--;
    if (!len || len > 253)
        return refuse(err, errlen, _("\"%s\" is no host name"), host);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)host[i];
        if (c >= 0x80)
            return refuse(err, errlen, _("write the name \"%s\" in its xn-- form"), host);
        if (c == '.' || c == '-' ? label == 0 : !isalnum(c) && c != '_')
            return refuse(err, errlen, _("\"%s\" is no host name"), host);
        label = c == '.' ? 0 : label + 1;
        if (label > 63)
            return refuse(err, errlen, _("\"%s\" is no host name"), host);
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
static int parse_host_port(const char *spec, bool need_port, char host[256], uint16_t *port,
                           const char **rest, char *err, size_t errlen)
{
    size_t len = strcspn(spec, "/?#");
    const char *end = spec + len, *colon = NULL;
    size_t hlen;
    *rest = end;
    *port = 0;
    if (memchr(spec, '@', len))
        return refuse(err, errlen, _("a user name or password in a target is refused"));
    bool bracket = spec[0] == '[';
    if (bracket) {
        const char *close = memchr(spec, ']', len);
        if (!close)
            return refuse(err, errlen, _("\"%s\": the ] is missing"), spec);
        spec++;
        hlen = (size_t)(close - spec);
        if (close + 1 < end) {
            if (close[1] != ':')
                return refuse(err, errlen, _("after ] comes :port or nothing"));
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
        return refuse(err, errlen, _("the host name is too long"));
    memcpy(host, spec, hlen);
    host[hlen] = '\0';
    if (colon && parse_port(colon + 1, (size_t)(end - colon - 1), port) < 0)
        return refuse(err, errlen, _("\"%.*s\" is no port (1 to 65535)"), (int)(end - colon - 1),
                      colon + 1);
    if (need_port && !*port)
        return refuse(err, errlen, _("a port is missing after \"%s\""), host);
    struct addr a;
    if (strchr(host, ':') || bracket) {
        if (strchr(host, '%'))
            return refuse(err, errlen,
                          _("\"%s\": an address with an interface is not supported; "
                            "use source=INTERFACE"),
                          host);
        return addr_parse(host, &a) < 0 ? refuse(err, errlen, _("\"%s\" is no address"), host) : 0;
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
    if (!http) {
        if (*rest && strcmp(rest, "/"))
            return refuse(err, errlen, _("only http:// and https:// targets have a path"));
        return 0;
    }
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)rest[i] <= 0x20 || rest[i] == 0x7f)
            return refuse(err, errlen, _("a path holds no spaces and no control characters"));
    if (len > LINE_MAX_)
        return refuse(err, errlen, _("the path is too long"));
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
            *port = schemes[i].port;
            *spec = sep + 3;
            return 0;
        }
    }
    return refuse(err, errlen,
                  _("the scheme \"%.*s\" is not known; there are tcp, tls, http, "
                    "https and dns"),
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
        return refuse(err, errlen, _("the host is missing"));
    rc = parse_host_port(spec, t->scheme == SCHEME_TCP || t->scheme == SCHEME_TLS, host, &port,
                         &rest, err, errlen);
    if (rc < 0)
        return rc;
    if (!url && *rest)
        return refuse(err, errlen, _("write http:// or https:// before \"%s\""), word);
    if (!url && port)
        t->scheme = SCHEME_AUTO;
    if (t->scheme == SCHEME_DNS && port)
        return refuse(err, errlen, _("a dns:// target has no port"));
    t->port = port ? port : fallback;
    t->numeric = addr_parse(host, &t->address) == 0;
    if (t->numeric && t->scheme == SCHEME_DNS)
        return refuse(err, errlen, _("\"%s\" is an address, not a name"), host);
    if (set_string(&t->host, host) < 0)
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
            rc = refuse(err, errlen, _("a quote is not closed"));
            break;
        }
        if (word.err) {
            rc = word.err;
            break;
        }
        char *eq = strchr(word.buf, '=');
        if (eq)
            *eq = '\0';
        else if (strcmp(word.buf, "insecure")) {
            rc = refuse(err, errlen, _("\"%s\": options are written key=value"), word.buf);
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
        return refuse(err, errlen, _("\"%s\" is an IPv%d address and only IPv%d was asked for"),
                      t->host, t->address.family, t->opt.family);
    if (t->opt.tls_min && t->opt.tls_max && t->opt.tls_min > t->opt.tls_max)
        return refuse(err, errlen, _("tls-min is above tls-max"));
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
        rc = refuse(err, errlen, _("the target is empty"));
        goto out;
    }
    strbuf_add(&word, spec, len);
    if (word.err || set_string(&t->name, text_clean(clean, sizeof(clean), spec, len)) < 0) {
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
                         .port = t->port};
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

/* Where the target's connections go: connect-to, or its own host and port. */
int target_goal(const struct target *t, char host[256], uint16_t *port, struct addr *address)
{
    const char *rest;
    char err[8];
    *address = (struct addr){0};
    if (t->opt.connect_to) {
        int rc = parse_host_port(t->opt.connect_to, true, host, port, &rest, err, sizeof(err));
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
