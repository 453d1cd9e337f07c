/* What a target's probes are to do: key=value options, one line of a table each. */
#include "probe/internal.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define BODY_MAX    ((uint64_t)64 << 20)
#define HEADERS_MAX 64

int target_refuse(char *err, size_t errlen, const char *fmt, ...)
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

int target_set_string(char **at, const char *value)
{
    char *s = strdup(value);
    if (!s)
        return -ENOMEM;
    free(*at);
    *at = s;
    return 0;
}

/* ---- values ---- */
struct key {
    const char *name;
    int (*set)(struct target_options *o, const struct key *k, const char *v, char *err,
               size_t errlen);
    size_t at;     /* of the option in struct target_options */
    long min, max; /* of a number */
    const char *help; /* N_() */
};

#define OPTION(o, k, type) ((type *)(void *)((char *)(o) + (k)->at))

static int set_text(struct target_options *o, const struct key *k, const char *v, char *err,
                    size_t errlen)
{
    (void)err;
    (void)errlen;
    return target_set_string(OPTION(o, k, char *), v);
}

static int set_int(struct target_options *o, const struct key *k, const char *v, char *err,
                   size_t errlen)
{
    uint64_t n;
    if (parse_u64(v, (uint64_t)k->min, (uint64_t)k->max, &n) < 0)
        return target_refuse(err, errlen, _("%s is a number from %ld to %ld, not \"%s\""), k->name,
                             k->min, k->max, v);
    *OPTION(o, k, int) = (int)n;
    return 0;
}

/* min 0: no time at all may be meant too. */
static int set_span(struct target_options *o, const struct key *k, const char *v, char *err,
                    size_t errlen)
{
    nstime t;
    if (parse_seconds(v, &t) < 0 || t < k->min || t > 86400 * NS_PER_SEC)
        return target_refuse(err, errlen, _("%s is a time such as 5, 1.5 or 300ms, not \"%s\""),
                             k->name, v);
    *OPTION(o, k, nstime) = t;
    return 0;
}

static int set_flag(struct target_options *o, const struct key *k, const char *v, char *err,
                    size_t errlen)
{
    bool yes = !*v || !strcmp(v, "yes") || !strcmp(v, "1");
    if (!yes && strcmp(v, "no") && strcmp(v, "0"))
        return target_refuse(err, errlen, _("%s is yes or no, not \"%s\""), k->name, v);
    *OPTION(o, k, int) = yes;
    return 0;
}

static int set_family(struct target_options *o, const struct key *k, const char *v, char *err,
                      size_t errlen)
{
    if (strcmp(v, "4") && strcmp(v, "6"))
        return target_refuse(err, errlen, _("family is 4 or 6, not \"%s\""), v);
    *OPTION(o, k, int) = v[0] - '0';
    return 0;
}

static int set_tls(struct target_options *o, const struct key *k, const char *v, char *err,
                   size_t errlen)
{
    static const char *const names[] = {"1.0", "1.1", "1.2", "1.3"};
    const char *version = v;
    if (!strncasecmp(v, "tls", 3))
        version += 3 + (v[3] == 'v' || v[3] == 'V' || v[3] == ' ');
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(version, names[i])) {
            *OPTION(o, k, uint16_t) = (uint16_t)(0x0301 + i);
            return 0;
        }
    return target_refuse(err, errlen, _("%s is 1.0, 1.1, 1.2 or 1.3, not \"%s\""), k->name, v);
}

static int set_http_version(struct target_options *o, const struct key *k, const char *v, char *err,
                            size_t errlen)
{
    static const struct {
        const char *name;
        int version;
    } known[] = {{"1.0", HTTP_1_0}, {"1.1", HTTP_1_1}, {"2", HTTP_2}, {"h2c", HTTP_2_PLAIN}};
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (!strcmp(v, known[i].name)) {
            *OPTION(o, k, int) = known[i].version;
            return 0;
        }
    return target_refuse(err, errlen, _("%s is 1.0, 1.1, 2 or h2c, not \"%s\""), k->name, v);
}

static int set_connect_to(struct target_options *o, const struct key *k, const char *v, char *err,
                          size_t errlen)
{
    char host[256];
    uint16_t port;
    const char *rest;
    int rc = target_host_port(v, true, host, &port, &rest, err, errlen);
    if (rc < 0)
        return rc;
    if (*rest)
        return target_refuse(err, errlen, _("%s is HOST:PORT, not \"%s\""), k->name, v);
    return target_set_string(OPTION(o, k, char *), v);
}

static int set_proxy(struct target_options *o, const struct key *k, const char *v, char *err,
                     size_t errlen)
{
    char host[256];
    uint16_t port;
    int rc = target_proxy(v, host, &port, err, errlen);
    return rc ? rc : target_set_string(OPTION(o, k, char *), v);
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

static int set_method(struct target_options *o, const struct key *k, const char *v, char *err,
                      size_t errlen)
{
    if (strlen(v) > 32 || !is_token(v, strlen(v)))
        return target_refuse(err, errlen, _("\"%s\" is no HTTP method"), v);
    return target_set_string(OPTION(o, k, char *), v);
}

/* ---- headers and body ---- */
static size_t header_count(const struct target_options *o)
{
    size_t n = 0;
    while (o->headers && o->headers[n])
        n++;
    return n;
}

static int add_header(struct target_options *o, const char *line)
{
    size_t n = header_count(o);
    char **more = realloc(o->headers, (n + 2) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    o->headers = more;
    more[n] = more[n + 1] = NULL;
    more[n] = strdup(line);
    return more[n] ? 0 : -ENOMEM;
}

static int set_header(struct target_options *o, const struct key *k, const char *v, char *err,
                      size_t errlen)
{
    const char *colon = strchr(v, ':');
    (void)k;
    if (!colon || !is_token(v, (size_t)(colon - v)))
        return target_refuse(err, errlen, _("a header is written as Name: value, not \"%s\""), v);
    for (const char *p = v; *p; p++)
        if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
            return target_refuse(err, errlen, _("a header holds no control characters"));
    if (header_count(o) >= HEADERS_MAX || strlen(v) > LINE_CAP * 8)
        return target_refuse(err, errlen, _("too many headers, or one too long"));
    return add_header(o, v);
}

static int take_body(struct target_options *o, char *body, size_t len)
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
        rc = target_refuse(err, errlen, _("cannot read %s: %s"), path, strerror(errno));
        goto out;
    }
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > BODY_MAX) {
        rc = target_refuse(err, errlen, _("%s is no regular file of at most 64 MiB"), path);
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
            rc = target_refuse(err, errlen, _("cannot read %s: %s"), path, strerror(errno));
            goto out;
        }
        if (n == 0)
            break;
        len += (size_t)n;
    }
    take_body(o, buf, len);
    buf = NULL;
out:
    free(buf);
    if (fd >= 0)
        close(fd);
    return rc;
}

static int set_body(struct target_options *o, const struct key *k, const char *v, char *err,
                    size_t errlen)
{
    (void)k;
    if (v[0] == '@')
        return body_of_file(o, v + 1, err, errlen);
    char *body = strdup(v);
    return body ? take_body(o, body, strlen(body)) : -ENOMEM;
}

static int set_body_size(struct target_options *o, const struct key *k, const char *v, char *err,
                         size_t errlen)
{
    uint64_t size;
    (void)k;
    if (parse_size(v, &size) < 0 || size == 0 || size > BODY_MAX)
        return target_refuse(err, errlen, _("a body size is 1 to 64M, not \"%s\""), v);
    char *body = malloc(size);
    if (!body)
        return -ENOMEM;
    memset(body, 'x', size);
    return take_body(o, body, size);
}

/* ---- the table ---- */
#define AT(member) offsetof(struct target_options, member)
static const struct key keys[] = {
    {"timeout", set_span, AT(timeout), 1, 0, N_("how long a stage may take")},
    {"hold", set_span, AT(hold), 0, 0, N_("silence after the handshake")},
    {"family", set_family, AT(family), 0, 0, N_("4 or 6 alone")},
    {"connect-to", set_connect_to, AT(connect_to), 0, 0, N_("HOST:PORT to go to instead")},
    {"source", set_text, AT(source), 0, 0, N_("address or interface to come from")},
    {"source-port", set_int, AT(source_port), 1, 65535, N_("local port")},
    {"ttl", set_int, AT(ttl), 1, 255, N_("TTL of all packets")},
    {"ttl-after", set_int, AT(ttl_after), 1, 255, N_("TTL after the handshake")},
    {"min-ttl", set_int, AT(min_ttl), 1, 255, N_("packets with a lower TTL are not heard")},
    {"mss", set_int, AT(mss), 88, 32767, N_("largest segment")},
    {"method", set_method, AT(method), 0, 0, N_("HTTP method")},
    {"header", set_header, 0, 0, 0, N_("HTTP header, Name: value")},
    {"body", set_body, 0, 0, 0, N_("request body, or @FILE")},
    {"body-size", set_body_size, 0, 0, 0, N_("a body of so many bytes")},
    {"http-version", set_http_version, AT(http_version), 0, 0, N_("1.0, 1.1, 2 or h2c")},
    {"requests", set_int, AT(requests), 1, 10000, N_("so many on one connection")},
    {"idle", set_span, AT(idle), 1, 0, N_("silence between them")},
    {"proxy", set_proxy, AT(proxy), 0, 0, N_("http://, https:// or socks5://HOST:PORT")},
    {"auth", set_text, AT(auth), 0, 0, N_("credentials: FILE, env:NAME or aws")},
    {"cacert", set_text, AT(cacert), 0, 0, N_("PEM file of authorities")},
    {"cert", set_text, AT(cert), 0, 0, N_("PEM file of a client certificate")},
    {"key", set_text, AT(key), 0, 0, N_("PEM file of its key")},
    {"insecure", set_flag, AT(insecure), 0, 0, N_("accept any certificate")},
    {"tls-min", set_tls, AT(tls_min), 0, 0, N_("lowest TLS version")},
    {"tls-max", set_tls, AT(tls_max), 0, 0, N_("highest TLS version")},
    {"sni", set_text, AT(sni), 0, 0, N_("server name sent; empty: none")},
    {"alpn", set_text, AT(alpn), 0, 0, N_("protocols offered")},
    {"groups", set_text, AT(groups), 0, 0, N_("key exchange groups")},
    {"ciphers", set_text, AT(ciphers), 0, 0, N_("cipher suites")},
    {"resume", set_flag, AT(resume), 0, 0, N_("once more with the first session")},
    {"hello-pad", set_int, AT(hello_pad), 1, 16384, N_("bytes added to the ClientHello")},
    {"hello-split", set_flag, AT(hello_split), 0, 0, N_("the ClientHello in two segments")},
};

/* Those that own memory, to be freed and copied alike. */
static const size_t texts[] = {AT(method), AT(connect_to), AT(cacert), AT(cert),
                               AT(key),    AT(source),     AT(sni),    AT(alpn),
                               AT(groups), AT(ciphers),    AT(proxy),  AT(auth)};
static const size_t ints[] = {AT(family),    AT(insecure),    AT(http_version), AT(source_port),
                              AT(ttl),       AT(min_ttl),     AT(ttl_after),    AT(mss),
                              AT(hello_pad), AT(hello_split), AT(requests),     AT(resume)};

static char **text_at(struct target_options *o, size_t i)
{
    return (char **)(void *)((char *)o + texts[i]);
}

static int *int_at(struct target_options *o, size_t i)
{
    return (int *)(void *)((char *)o + ints[i]);
}

int target_set(struct target *t, const char *key, const char *value, char *err, size_t errlen)
{
    char clean[256];
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (!strcmp(key, keys[i].name))
            return keys[i].set(&t->opt, &keys[i], value, err, errlen);
    if (!strcmp(key, "name"))
        return target_set_string(&t->name, text_clean(clean, sizeof(clean), value, strlen(value)));
    return target_refuse(err, errlen, _("\"%s\" is no option of a target"), key);
}

bool target_flag(const char *key)
{
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (!strcmp(key, keys[i].name))
            return keys[i].set == set_flag;
    return false;
}

/* ---- what is set, for people ---- */

size_t target_keys(void)
{
    return ARRAY_SIZE(keys);
}

const char *target_key(size_t i)
{
    return i < ARRAY_SIZE(keys) ? keys[i].name : NULL;
}

const char *target_key_help(size_t i)
{
    return keys[i < ARRAY_SIZE(keys) ? i : 0].help;
}

static bool get_int(const struct key *k, int v, char *out, size_t outlen)
{
    static const char *const versions[] = {"", "1.0", "1.1", "2", "h2c"};

    if (k->set == set_flag)
        snprintf(out, outlen, "%s", v ? "yes" : "no");
    else if (k->set == set_http_version)
        snprintf(out, outlen, "%s", versions[v >= 0 && v <= HTTP_2_PLAIN ? v : 0]);
    else
        snprintf(out, outlen, "%d", v);
    return v != 0;
}

static bool get_list(struct target_options *o, const struct key *k, char *out, size_t outlen)
{
    size_t n = header_count(o);

    out[0] = '\0';
    if (k->set == set_header && n)
        snprintf(out, outlen, n > 1 ? "%s (+%zu)" : "%s", o->headers[0], n - 1);
    else if (k->set == set_body && o->body)
        snprintf(out, outlen, P_("%zu byte", "%zu bytes", (unsigned long)o->body_len), o->body_len);
    return out[0] != '\0';
}

bool target_get(const struct target *t, size_t i, char *out, size_t outlen)
{
    const struct key *k = &keys[i < ARRAY_SIZE(keys) ? i : 0];
    struct target_options *o = (struct target_options *)(uintptr_t)&t->opt;

    out[0] = '\0';
    if (k->set == set_header || k->set == set_body || k->set == set_body_size)
        return get_list(o, k, out, outlen);
    if (k->set == set_span) {
        nstime v = *OPTION(o, k, nstime);
        if (v > 0 || (v == 0 && k->min == 0 && k->at == AT(hold)))
            snprintf(out, outlen, "%gs", (double)v / NS_PER_SEC);
        return out[0] != '\0';
    }
    if (k->set == set_tls) {
        uint16_t v = *OPTION(o, k, uint16_t);
        if (v)
            snprintf(out, outlen, "1.%d", v - 0x0301);
        return v != 0;
    }
    if (k->set == set_int || k->set == set_flag || k->set == set_family ||
        k->set == set_http_version)
        return get_int(k, *OPTION(o, k, int), out, outlen);
    const char *text = *OPTION(o, k, char *);
    if (text)
        text_clean(out, outlen, text, strlen(text));
    return text != NULL;
}

void target_unset(struct target *t, size_t i)
{
    const struct key *k = &keys[i < ARRAY_SIZE(keys) ? i : 0];
    struct target_options *o = &t->opt;

    if (k->set == set_header) {
        for (size_t n = 0; o->headers && o->headers[n]; n++)
            free(o->headers[n]);
        free(o->headers);
        o->headers = NULL;
    } else if (k->set == set_body || k->set == set_body_size) {
        free(o->body);
        o->body = NULL;
        o->body_len = 0;
    } else if (k->set == set_span) {
        *OPTION(o, k, nstime) = k->at == AT(hold) ? -1 : 0;
    } else if (k->set == set_tls) {
        *OPTION(o, k, uint16_t) = 0;
    } else if (k->set == set_int || k->set == set_flag || k->set == set_family ||
               k->set == set_http_version) {
        *OPTION(o, k, int) = 0;
    } else {
        free(*OPTION(o, k, char *));
        *OPTION(o, k, char *) = NULL;
    }
}

void target_options_release(struct target_options *o)
{
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        free(*text_at(o, i));
    for (size_t i = 0; o->headers && o->headers[i]; i++)
        free(o->headers[i]);
    free(o->headers);
    free(o->body);
    memset(o, 0, sizeof(*o));
    o->hold = -1;
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
    struct target_options *o = &t->opt, from = *d;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (!*text_at(o, i) && *text_at(&from, i))
            *text_at(o, i) = strdup(*text_at(&from, i));
    for (size_t i = 0; i < ARRAY_SIZE(ints); i++)
        if (!*int_at(o, i))
            *int_at(o, i) = *int_at(&from, i);
    if (!o->timeout)
        o->timeout = d->timeout;
    if (!o->idle)
        o->idle = d->idle;
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
}
