/* Numbers from text, hashing, errno names, translation, the log. */
#include "base/base.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *tr_none(const char *msgid)
{
    return msgid;
}

const char *tr_locale(const char *msgid)
{
    return msgid[0] ? gettext(msgid) : msgid; /* gettext("") is the catalogue's header */
}

uint64_t hash_bytes(uint64_t key, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t h = hash_mix(key, len), w;
    for (; len >= 8; p += 8, len -= 8) {
        memcpy(&w, p, 8);
        h = hash_mix(h ^ w, key);
    }
    w = 0;
    if (len)
        memcpy(&w, p, len);
    return hash_mix(h ^ w, ~key);
}

int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
    char *end;
    if (!isdigit((unsigned char)s[0]))
        return -EINVAL;
    errno = 0;
    unsigned long long v = strtoull(s, &end, 10);
    if (*end)
        return -EINVAL;
    if (errno || v < min || v > max)
        return -ERANGE;
    *out = v;
    return 0;
}

/* A decimal number with '.' whatever the locale; *end behind it. */
static int decimal(const char *s, const char **end, double *out)
{
    double v = 0, unit = 0.1;
    const char *start = s;
    for (; isdigit((unsigned char)*s); s++)
        v = v * 10 + (*s - '0');
    if (*s == '.')
        for (s++; isdigit((unsigned char)*s); s++, unit /= 10)
            v += (*s - '0') * unit;
    if (s == start || (s == start + 1 && *start == '.'))
        return -EINVAL;
    *end = s;
    *out = v;
    return 0;
}

int parse_seconds(const char *s, nstime *out)
{
    static const struct {
        const char *suffix;
        double ns;
    } units[] = {{"", 1e9},   {"s", 1e9},    {"ms", 1e6},   {"us", 1e3},
                 {"m", 60e9}, {"min", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
    const char *end;
    double v;
    if (decimal(s, &end, &v))
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (!strcmp(end, units[i].suffix)) {
            if (v * units[i].ns > 9e18)
                return -ERANGE;
            *out = (nstime)(v * units[i].ns + 0.5);
            return 0;
        }
    return -EINVAL;
}

int parse_size(const char *s, uint64_t *out)
{
    static const char units[] = "kMGT";
    const char *end;
    double v;
    if (decimal(s, &end, &v))
        return -EINVAL;
    if (*end) {
        const char *u = strchr(units, *end == 'K'   ? 'k'
                                      : *end == 'm' ? 'M'
                                      : *end == 'g' ? 'G'
                                                    : *end);
        if (!u)
            return -EINVAL;
        for (; u >= units; u--)
            v *= 1024;
        end++;
        if (*end == 'i')
            end++;
        if (*end == 'B')
            end++;
    }
    if (*end)
        return -EINVAL;
    if (v > 9e18)
        return -ERANGE;
    *out = (uint64_t)v;
    return 0;
}

const char *errno_name(int err)
{
    const char *name = strerrorname_np(err < 0 ? -err : err);
    return name ? name : "EUNKNOWN";
}

int errno_from_name(const char *name)
{
    for (int e = 1; e < 200; e++) {
        const char *n = strerrorname_np(e);
        if (n && !strcmp(n, name))
            return e;
    }
    return 0;
}

static log_fn log_sink;
static void *log_arg;

void log_to(log_fn fn, void *arg)
{
    log_sink = fn;
    log_arg = arg;
}

void log_msg(enum log_level level, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (log_sink)
        log_sink(log_arg, level, line);
    else if (level <= LOG_WARN)
        fprintf(stderr, "rstconsole: %s\n", line);
}
