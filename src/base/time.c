/* Moments and spans as text. */
#include "base/base.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void split(nstime t, time_t *sec, int64_t *ns)
{
    *sec = (time_t)(t / NS_PER_SEC);
    *ns = t % NS_PER_SEC;
    if (*ns < 0) {
        *ns += NS_PER_SEC;
        (*sec)--;
    }
}

const char *time_rfc3339(char out[TIME_TEXT_MAX], nstime t)
{
    time_t sec;
    int64_t ns;
    struct tm tm;
    char day[24];
    split(t, &sec, &ns);
    if (t == NSTIME_NONE || !gmtime_r(&sec, &tm) ||
        !strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm))
        snprintf(day, sizeof(day), "1970-01-01T00:00:00");
    snprintf(out, TIME_TEXT_MAX, "%s.%09dZ", day, (int)ns);
    return out;
}

/* Two digits at s, or -1. */
static int two(const char *s)
{
    return s[0] >= '0' && s[0] <= '9' && s[1] >= '0' && s[1] <= '9' ? (s[0] - '0') * 10 + s[1] - '0'
                                                                    : -1;
}

int time_parse_rfc3339(const char *s, nstime *out)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd";
    for (size_t i = 0; i < sizeof(shape) - 1; i++)
        if (shape[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != shape[i])
            return -EINVAL;
    struct tm tm = {.tm_year = two(s) * 100 + two(s + 2) - 1900,
                    .tm_mon = two(s + 5) - 1,
                    .tm_mday = two(s + 8),
                    .tm_hour = two(s + 11),
                    .tm_min = two(s + 14),
                    .tm_sec = two(s + 17)};
    if (tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
        tm.tm_min > 59 || tm.tm_sec > 60)
        return -EINVAL;
    int64_t ns = 0, unit = NS_PER_SEC / 10;
    s += sizeof(shape) - 1;
    if (*s == '.')
        for (s++; *s >= '0' && *s <= '9' && unit; s++, unit /= 10)
            ns += (*s - '0') * unit;
    if (strcmp(s, "Z"))
        return -EINVAL;
    int64_t sec = timegm(&tm);
    if (sec > INT64_MAX / NS_PER_SEC - 1 || sec < INT64_MIN / NS_PER_SEC + 1)
        return -EINVAL;
    *out = sec * NS_PER_SEC + ns;
    return 0;
}

const char *time_clock(char out[TIME_TEXT_MAX], nstime t, int digits, bool utc)
{
    time_t sec;
    int64_t ns;
    struct tm tm;
    char frac[16];
    split(t, &sec, &ns);
    if (t == NSTIME_NONE || !(utc ? gmtime_r(&sec, &tm) : localtime_r(&sec, &tm))) {
        snprintf(out, TIME_TEXT_MAX, "--:--:--");
        return out;
    }
    snprintf(frac, sizeof(frac), "%09d", (int)ns);
    digits = digits < 0 ? 0 : digits > 9 ? 9 : digits;
    snprintf(out, TIME_TEXT_MAX, "%02d:%02d:%02d%s%.*s", tm.tm_hour, tm.tm_min, tm.tm_sec,
             digits ? "." : "", digits, frac);
    return out;
}

/* v with at most two significant decimals and no trailing zeros: 8.1, 24, 0.35. */
static void number(char *out, size_t outlen, double v)
{
    snprintf(out, outlen, "%.*f", v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2, v);
    if (strchr(out, '.')) {
        size_t n = strlen(out);
        while (out[n - 1] == '0')
            out[--n] = '\0';
        if (out[n - 1] == '.')
            out[--n] = '\0';
    }
}

const char *span_text(char out[TIME_TEXT_MAX], nstime span)
{
    char num[24];
    const char *sign = span < 0 ? "-" : "";
    double s = span == NSTIME_NONE ? 0 : (double)(span < 0 ? -span : span) / (double)NS_PER_SEC;
    const char *unit = "s";
    if (span == NSTIME_NONE) {
        snprintf(out, TIME_TEXT_MAX, "?");
        return out;
    }
    if (s >= 5400) {
        int minutes = (int)(s / 60 + 0.5);
        snprintf(out, TIME_TEXT_MAX, "%s%d h %d min", sign, minutes / 60, minutes % 60);
        return out;
    }
    if (s != 0 && s < 0.001) {
        s *= 1e6;
        unit = "us";
    } else if (s != 0 && s < 1) {
        s *= 1e3;
        unit = "ms";
    }
    number(num, sizeof(num), s);
    snprintf(out, TIME_TEXT_MAX, "%s%s %s", sign, num, unit);
    return out;
}
