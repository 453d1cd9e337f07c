/*
 * The parts of a log line that programs write alike: when it was, with whom, how long it took, how
 * many bytes there were. A line is text of at most LINE_MAX_READ bytes, already cleaned.
 */
#include "evidence/private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* ---- when ---- */

static int number(const char **p, int digits, int *out)
{
    int n = 0, i;

    for (i = 0; i < digits && isdigit((unsigned char)(*p)[i]); i++)
        n = n * 10 + ((*p)[i] - '0');
    if (i != digits)
        return -1;
    *p += digits;
    *out = n;
    return 0;
}

static int month_of(const char *p)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int m = 0; m < 12; m++)
        if (!strncasecmp(p, names + m * 3, 3))
            return m + 1;
    return 0;
}

/* "14:05:12", ".481" or ",481", "Z" or "+01:00" or " +0100" after a date. */
static bool clock_at(const char *p, struct tm *tm, nstime *out)
{
    nstime frac = 0, unit = NS_PER_SEC / 10;
    int zone = 0, h, m = 0;

    if (number(&p, 2, &tm->tm_hour) || *p++ != ':' || number(&p, 2, &tm->tm_min) || *p++ != ':' ||
        number(&p, 2, &tm->tm_sec) || tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 60)
        return false;
    if (*p == '.' || *p == ',')
        for (p++; isdigit((unsigned char)*p); p++, unit /= 10)
            frac += (*p - '0') * unit;
    if (*p == ' ' && (p[1] == '+' || p[1] == '-') && isdigit((unsigned char)p[2]))
        p++;
    if (*p == '+' || *p == '-') {
        int sign = *p++ == '-' ? -1 : 1;
        if (!number(&p, 2, &h)) {
            p += *p == ':';
            if (number(&p, 2, &m))
                m = 0;
            zone = sign * (h * 3600 + m * 60);
        }
    }
    if (tm->tm_mon < 0 || tm->tm_mon > 11 || tm->tm_mday < 1 || tm->tm_mday > 31 ||
        tm->tm_year < 70 || tm->tm_year > 290) /* what 64 bits of nanoseconds hold ends in 2262 */
        return false;
    *out = ((nstime)timegm(tm) - zone) * NS_PER_SEC + frac;
    return true;
}

/* A date and time that begins at p; a line without a zone is read as UTC. */
static bool moment_at(const char *p, nstime *out)
{
    struct tm tm = {0};
    const char *q = p;
    int year, month;

    if (!number(&q, 4, &year) && (*q == '-' || *q == '/')) {
        char sep = *q++;
        if (number(&q, 2, &month) || *q++ != sep || number(&q, 2, &tm.tm_mday))
            return false;
        if (*q != 'T' && *q != ' ')
            return false;
        q++;
        tm.tm_year = year - 1900;
        tm.tm_mon = month - 1;
        return clock_at(q, &tm, out);
    }
    q = p; /* 22/Nov/2026:14:05:12 +0000 */
    if (!number(&q, 2, &tm.tm_mday) && *q == '/' && (month = month_of(q + 1)) && q[4] == '/') {
        q += 5;
        if (number(&q, 4, &year) || *q++ != ':')
            return false;
        tm.tm_year = year - 1900;
        tm.tm_mon = month - 1;
        return clock_at(q, &tm, out);
    }
    q = p; /* Nov 22 14:05:12: no year, so only the distances mean something */
    if ((month = month_of(q)) && q[3] == ' ') {
        q += 4;
        tm.tm_mday = 0;
        for (; *q == ' ' || isdigit((unsigned char)*q); q++)
            if (*q != ' ') {
                tm.tm_mday = tm.tm_mday * 10 + (*q - '0');
                if (q[1] == ' ') {
                    q += 2;
                    break;
                }
            }
        tm.tm_year = 70;
        tm.tm_mon = month - 1;
        return clock_at(q, &tm, out);
    }
    return false;
}

nstime log_moment_of(const char *line)
{
    nstime t;

    for (const char *p = line; *p && p < line + 200; p++) {
        bool starts = p == line || !isalnum((unsigned char)p[-1]);
        if (starts && isalnum((unsigned char)*p) && moment_at(p, &t))
            return t;
    }
    return NSTIME_NONE;
}

/* ---- with whom ---- */

static bool host_char(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '-' || c == '_';
}

static bool take_port(const char *p, uint16_t *port)
{
    unsigned n = 0;
    int digits = 0;

    for (; isdigit((unsigned char)p[digits]) && digits < 6; digits++)
        n = n * 10 + (unsigned)(p[digits] - '0');
    if (!digits || !n || n > 65535 || isalnum((unsigned char)p[digits]))
        return false;
    *port = (uint16_t)n;
    return true;
}

/* "host", "host:port", "[v6]:port" at p; the port stays what it was where none is given. */
static bool take_host(const char *p, struct log_line *out)
{
    size_t n = 0;

    if (*p == '[') {
        size_t end = strcspn(p, "] \"'");
        if (p[end] != ']' || end < 3 || end > 64)
            return false;
        text_clean(out->host, sizeof(out->host), p + 1, end - 1);
        if (p[end + 1] == ':')
            take_port(p + end + 2, &out->port);
        return true;
    }
    while (n < 254 && host_char(p[n]))
        n++;
    while (n && (p[n - 1] == '.' || p[n - 1] == '-'))
        n--;
    if (!n || n >= 254)
        return false;
    text_clean(out->host, sizeof(out->host), p, n);
    if (p[n] == ':')
        take_port(p + n + 1, &out->port);
    return true;
}

static bool take_url(const char *p, struct log_line *out)
{
    const char *sep = strstr(p, "://");
    static const struct {
        const char *scheme;
        uint16_t port;
    } known[] = {{"https", 443},  {"http", 80},    {"postgresql", 5432},
                 {"mysql", 3306}, {"redis", 6379}, {"wss", 443},
                 {"ws", 80}};

    if (!sep)
        return false;
    const char *host = sep + 3, *at = host + strcspn(host, "@/ \"'");
    if (*at == '@') /* never keep what stands before it: it may be a password */
        host = at + 1;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        size_t n = strlen(known[i].scheme);
        if (sep >= p + n && !strncasecmp(sep - n, known[i].scheme, n)) {
            out->port = known[i].port;
            break;
        }
    }
    return take_host(host, out);
}

static bool numeric_host(const char *s)
{
    struct addr a;

    return addr_parse(s, &a) == 0;
}

/* host:port anywhere: only an address, or a name right after a word that announces one. */
bool log_take_any(const char *line, struct log_line *out)
{
    static const char *const before[] = {
        "to ",         "from ",         "with ",     "host ",      "server ",  "peer ",
        "failed: ",    "backend ",      "remote ",   "addr=",      "address=", "host=",
        "connecting ", "ECONNREFUSED ", "upstream ", "Exception: "};
    const char *client = strcasestr(line, "client: ");

    for (const char *p = line; *p; p++) {
        struct log_line at = {.port = 0};
        if ((p > line && (host_char(p[-1]) || p[-1] == ':' || p[-1] == '/')) ||
            (client && p >= client && p < client + 60) || (!host_char(*p) && *p != '['))
            continue;
        if (!take_host(p, &at) || !at.port)
            continue;
        bool announced = numeric_host(at.host);
        for (size_t i = 0; !announced && i < ARRAY_SIZE(before); i++) {
            size_t n = strlen(before[i]);
            announced = p >= line + n && !strncasecmp(p - n, before[i], n);
        }
        if (!announced)
            continue;
        memcpy(out->host, at.host, sizeof(out->host));
        out->port = at.port;
        return true;
    }
    return false;
}

void log_whom(const char *line, struct log_line *out)
{
    const char *p;
    unsigned long port;
    char *end;

    if ((p = strcasestr(line, "upstream: \"")) && take_url(p + 11, out))
        return;
    if ((p = strstr(line, "->")) && take_host(p + 2, out) && out->port)
        return;
    if ((p = strcasestr(line, "dial tcp ")) && take_host(p + 9, out) && out->port)
        return;
    if ((p = strcasestr(line, "host='")) && take_host(p + 6, out)) {
        if ((p = strcasestr(line, "port=")))
            take_port(p + 5, &out->port);
        return;
    }
    if ((p = strcasestr(line, "onnect to ")) && take_host(p + 10, out)) {
        p += 10 + strlen(out->host);
        if (!out->port && !strncmp(p, " port ", 6)) {
            port = strtoul(p + 6, &end, 10);
            out->port = end != p + 6 && port < 65536 ? (uint16_t)port : 0;
        }
        if (out->port)
            return;
    }
    out->host[0] = '\0';
    out->port = 0;
    for (p = line; (p = strstr(p, "://")); p += 3) {
        const char *start = p;
        while (start > line && isalpha((unsigned char)start[-1]))
            start--;
        if (take_url(start, out))
            return;
    }
    out->host[0] = '\0';
    out->port = 0;
    log_take_any(line, out);
}

/* ---- how long, how much ---- */

/* "key=12.5s", "key: 350ms", "after 10000 ms", "after 30000 milliseconds" */
static nstime duration_at(const char *p)
{
    static const struct {
        const char *unit;
        nstime ns;
    } units[] = {{"milliseconds", NS_PER_MS},  {"millis", NS_PER_MS}, {"ms", NS_PER_MS},
                 {"minutes", 60 * NS_PER_SEC}, {"us", NS_PER_US},     {"s", NS_PER_SEC},
                 {"m", 60 * NS_PER_SEC}};
    double v = 0, unit = 0.1;
    const char *start;

    while (*p == ' ' || *p == '=' || *p == ':' || *p == '"')
        p++;
    for (start = p; isdigit((unsigned char)*p) && p < start + 12; p++)
        v = v * 10 + (*p - '0');
    if (p == start)
        return NSTIME_NONE;
    if (*p == '.')
        for (p++; isdigit((unsigned char)*p); p++, unit /= 10)
            v += (*p - '0') * unit;
    while (*p == ' ')
        p++;
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        size_t n = strlen(units[i].unit);
        if (!strncasecmp(p, units[i].unit, n) && !isalpha((unsigned char)p[n]))
            return v < 1e9 ? (nstime)(v * (double)units[i].ns) : NSTIME_NONE;
    }
    return NSTIME_NONE;
}

nstime log_duration_of(const char *line)
{
    static const char *const keys[] = {"duration", "elapsed", "request_time", "took ",
                                       "after ",   "latency", "idle for ",    "open for "};

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        for (const char *p = line; (p = strcasestr(p, keys[i])); p++) {
            nstime t = duration_at(p + strlen(keys[i]));
            if (t != NSTIME_NONE)
                return t;
        }
    return NSTIME_NONE;
}

int64_t log_count_at(const char *p)
{
    int64_t n = 0;
    const char *start;

    while (*p == ' ' || *p == '=' || *p == ':' || *p == '"')
        p++;
    for (start = p; isdigit((unsigned char)*p) && p < start + 15; p++)
        n = n * 10 + (*p - '0');
    return p == start ? -1 : n;
}

int64_t log_bytes_of(const char *line)
{
    static const char *const keys[] = {
        "bytes_sent",     "bytes sent", "body_bytes", "content-length",
        "content_length", "bytes=",     "size=",      "bytes:"};
    const char *p;

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if ((p = strcasestr(line, keys[i]))) {
            int64_t n = log_count_at(p + strlen(keys[i]));
            if (n >= 0)
                return n;
        }
    /* "(10485760 bytes read, 231 more expected)", "with 1234 out of 5678 bytes" */
    if ((p = strcasestr(line, " bytes ")) || (p = strcasestr(line, " bytes"))) {
        const char *q = p;
        while (q > line && isdigit((unsigned char)q[-1]))
            q--;
        if (q < p)
            return log_count_at(q);
    }
    return -1;
}

int log_status_at(const char *p)
{
    int n;

    while (*p == ' ' || *p == '"')
        p++;
    return !number(&p, 3, &n) && n >= 100 && n < 600 && !isdigit((unsigned char)*p) ? n : 0;
}
