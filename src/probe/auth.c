/* Credentials: read from a file or the environment, used, and kept out of everything told. */
#include "probe/internal.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define AUTH_MAX   8192
#define SECRET_MIN 4 /* shorter ones would be found everywhere */
#define BEGINNING  8 /* characters that must not be seen */
#define HIDDEN     "[secret]"

static void wipe(char **s)
{
    if (*s)
        OPENSSL_cleanse(*s, strlen(*s));
    free(*s);
    *s = NULL;
}

void auth_release(struct auth *a)
{
    char **all[] = {&a->user, &a->secret, &a->session, &a->encoded};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        wipe(all[i]);
    free(a->region);
    free(a->service);
    memset(a, 0, sizeof(*a));
}

static int set(char **at, const char *value, size_t len)
{
    wipe(at);
    *at = strndup(value, len);
    return *at ? 0 : -ENOMEM;
}

/* What a server that echoes its request would show of it. */
static int set_encoded(struct auth *a)
{
    struct strbuf sb = STRBUF_INIT;
    strbuf_addf(&sb, "%s:%s", a->user, a->secret);
    a->encoded = sb.err ? NULL : malloc((sb.len + 2) / 3 * 4 + 1);
    if (a->encoded)
        EVP_EncodeBlock((unsigned char *)a->encoded, (unsigned char *)sb.buf, (int)sb.len);
    if (sb.len)
        OPENSSL_cleanse(sb.buf, sb.len);
    strbuf_release(&sb);
    return a->encoded ? 0 : -ENOMEM;
}

static int set_pair(struct auth *a, const char *text, size_t len, char *err, size_t errlen)
{
    const char *colon = memchr(text, ':', len);
    if (!colon || colon == text)
        return target_refuse(err, errlen, _("auth: USER:PASSWORD or KEY:SECRET is missing"));
    int rc = set(&a->user, text, (size_t)(colon - text));
    return rc ? rc : set(&a->secret, colon + 1, len - (size_t)(colon + 1 - text));
}

static int set_place(struct auth *a, const char *text, char *err, size_t errlen)
{
    static const struct {
        const char *name;
        size_t at;
    } words[] = {{"token=", offsetof(struct auth, session)},
                 {"region=", offsetof(struct auth, region)},
                 {"service=", offsetof(struct auth, service)}};
    while (*(text += strspn(text, " \t"))) {
        size_t len = strcspn(text, " \t"), i = 0;
        while (i < ARRAY_SIZE(words) && strncmp(text, words[i].name, strlen(words[i].name)) != 0)
            i++;
        if (i == ARRAY_SIZE(words))
            return target_refuse(err, errlen,
                                 _("auth: after KEY:SECRET come token=, region= and "
                                   "service="));
        size_t skip = strlen(words[i].name);
        int rc = set((char **)(void *)((char *)a + words[i].at), text + skip, len - skip);
        if (rc < 0)
            return rc;
        text += len;
    }
    return 0;
}

/* "basic USER:PASSWORD", "bearer TOKEN", "aws KEY:SECRET [token=T] [region=R] [service=S]". */
static int parse(struct auth *a, const char *text, char *err, size_t errlen)
{
    size_t len = strcspn(text, " \t"), end;
    const char *rest = text + len + strspn(text + len, " \t");
    int rc;
    if (len == 5 && !strncasecmp(text, "basic", 5)) {
        a->kind = AUTH_BASIC;
        rc = set_pair(a, rest, strlen(rest), err, errlen);
        return rc ? rc : set_encoded(a);
    }
    if (len == 6 && !strncasecmp(text, "bearer", 6) && *rest) {
        a->kind = AUTH_BEARER;
        return set(&a->secret, rest, strlen(rest));
    }
    if (len == 3 && !strncasecmp(text, "aws", 3)) {
        a->kind = AUTH_AWS;
        end = strcspn(rest, " \t");
        rc = set_pair(a, rest, end, err, errlen);
        return rc ? rc : set_place(a, rest + end, err, errlen);
    }
    return target_refuse(err, errlen,
                         _("auth: write basic USER:PASSWORD, bearer TOKEN or aws "
                           "KEY:SECRET"));
}

static int read_file(const char *path, char text[AUTH_MAX], char *err, size_t errlen)
{
    size_t len = 0;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    while (fd >= 0 && len < AUTH_MAX - 1 && (n = read(fd, text + len, AUTH_MAX - 1 - len)) > 0)
        len += (size_t)n;
    int rc = fd < 0 || n < 0 ? -errno : 0;
    text[len] = '\0';
    if (fd >= 0)
        close(fd);
    if (rc < 0) {
        target_refuse(err, errlen, "%s: %s", path, strerror(-rc));
        return rc == -EINVAL ? -EIO : rc;
    }
    return 0;
}

/* The first line that is neither empty nor a comment. */
static char *first_line(char *text)
{
    for (char *line = text, *next; line; line = next) {
        next = strpbrk(line, "\r\n");
        if (next)
            *next++ = '\0';
        line += strspn(line, " \t");
        if (*line && *line != '#')
            return line;
    }
    return text + strlen(text);
}

static int from_aws(struct auth *a, char *err, size_t errlen)
{
    const char *key = getenv("AWS_ACCESS_KEY_ID"), *secret = getenv("AWS_SECRET_ACCESS_KEY");
    const char *token = getenv("AWS_SESSION_TOKEN");
    if (!key || !*key || !secret || !*secret)
        return target_refuse(err, errlen,
                             _("auth: AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set"));
    a->kind = AUTH_AWS;
    int rc = set(&a->user, key, strlen(key));
    if (rc == 0)
        rc = set(&a->secret, secret, strlen(secret));
    if (rc == 0 && token && *token)
        rc = set(&a->session, token, strlen(token));
    return rc;
}

static int set_defaults(struct auth *a)
{
    const char *region = getenv("AWS_REGION");
    if (!region || !*region)
        region = getenv("AWS_DEFAULT_REGION");
    if (!region || !*region)
        region = "us-east-1";
    if (!a->region && set(&a->region, region, strlen(region)) < 0)
        return -ENOMEM;
    return a->service ? 0 : set(&a->service, "s3", 2);
}

int auth_read(struct auth *a, const char *spec, char *err, size_t errlen)
{
    char text[AUTH_MAX];
    const char *env = NULL;
    int rc = 0;
    if (!strcmp(spec, "aws")) {
        rc = from_aws(a, err, errlen);
    } else if (!strncmp(spec, "env:", 4)) {
        env = getenv(spec + 4);
        if (!env)
            return target_refuse(err, errlen, _("auth: the variable %s is not set"), spec + 4);
        snprintf(text, sizeof(text), "%s", env);
        rc = parse(a, first_line(text), err, errlen);
    } else {
        rc = read_file(spec, text, err, errlen);
        if (rc == 0)
            rc = parse(a, first_line(text), err, errlen);
    }
    OPENSSL_cleanse(text, sizeof(text));
    if (rc == 0 && a->kind == AUTH_AWS)
        rc = set_defaults(a);
    if (rc < 0)
        auth_release(a);
    return rc;
}

/* ---- nothing of it is told ---- */
/* Cut off where a text is cut off, the beginning of a secret is as secret. */
static void hide(struct strbuf *sb, const char *secret)
{
    size_t len = secret ? strlen(secret) : 0, least = MIN_OF(len, (size_t)BEGINNING), from = 0;
    char beginning[BEGINNING + 1];
    if (len < SECRET_MIN)
        return;
    memcpy(beginning, secret, least);
    beginning[least] = '\0';
    for (char *at; (at = strstr(sb->buf + from, beginning));) {
        size_t n = least;
        while (n < len && at[n] == secret[n])
            n++;
        struct strbuf out = STRBUF_INIT;
        strbuf_add(&out, sb->buf, (size_t)(at - sb->buf));
        strbuf_addstr(&out, HIDDEN);
        from = out.len; /* the word itself may be the secret */
        strbuf_addstr(&out, at + n);
        strbuf_release(sb);
        *sb = out;
    }
    OPENSSL_cleanse(beginning, sizeof(beginning));
}

/* A header's value that the user gave for a server to know him by. */
static const char *secret_header(const char *line)
{
    static const char *const names[] = {"authorization", "proxy-authorization", "cookie",
                                        "x-api-key",     "x-auth-token",        "api-key"};
    size_t len = strcspn(line, ":");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (len == strlen(names[i]) && !strncasecmp(line, names[i], len)) {
            const char *value = line + len + strspn(line + len, ": \t");
            const char *word = strrchr(value, ' ');
            return word ? word + 1 : value;
        }
    return NULL;
}

void auth_hide(const struct start *st, struct result *r)
{
    const struct target_options *o = &st->t->opt;
    const struct auth *a = &st->auth;
    const char *const secrets[] = {a->secret, a->encoded, a->session};
    for (size_t i = 0; i < r->nfields; i++) {
        struct value *v = &r->fields[i].value;
        struct strbuf sb = STRBUF_INIT;
        if (v->type != VALUE_TEXT)
            continue;
        strbuf_addstr(&sb, v->u.s);
        for (size_t k = 0; k < ARRAY_SIZE(secrets); k++)
            hide(&sb, secrets[k]);
        for (size_t k = 0; o->headers && o->headers[k]; k++)
            hide(&sb, secret_header(o->headers[k]));
        if (strcmp(sb.buf, v->u.s) != 0) {
            char *hidden = strbuf_detach(&sb, NULL);
            if (hidden) {
                free((char *)v->u.s);
                v->u.s = hidden;
            } else {
                memset((char *)v->u.s, '*', strlen(v->u.s));
            }
        }
        strbuf_release(&sb);
    }
}
