#include "host/host.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROC_MAX ((size_t)256 * 1024) /* netstat is some 4 KiB today */

static const struct {
    const char *table, *name;
    size_t offset;
} fields[] = {
#define X(field, table, name) {table, name, offsetof(struct host_counters, field)},
    HOST_COUNTERS(X)
#undef X
};

static uint64_t *field_at(struct host_counters *c, size_t i)
{
    return (uint64_t *)((char *)c + fields[i].offset);
}

const char *host_counter_name(size_t i)
{
    return i < ARRAY_SIZE(fields) ? fields[i].name : NULL;
}

uint64_t host_counter_value(const struct host_counters *c, size_t i)
{
    uint64_t v = 0;

    if (i < ARRAY_SIZE(fields))
        memcpy(&v, (const char *)c + fields[i].offset, sizeof v);
    return v;
}

void host_counter_set(struct host_counters *c, size_t i, uint64_t v)
{
    if (i < ARRAY_SIZE(fields))
        *field_at(c, i) = v;
}

/* ---- parsing: pairs of lines, "Tcp: NAME NAME ..." and "Tcp: 1 2 ..." ---- */
struct line {
    const char *p, *end;
};

static bool next_line(const char **at, struct line *out)
{
    if (!**at)
        return false;
    size_t n = strcspn(*at, "\n");
    *out = (struct line){*at, *at + n};
    *at += n + ((*at)[n] == '\n');
    return true;
}

static bool next_word(struct line *l, const char **word, size_t *len)
{
    while (l->p < l->end && *l->p == ' ')
        l->p++;
    *word = l->p;
    while (l->p < l->end && *l->p != ' ')
        l->p++;
    *len = (size_t)(l->p - *word);
    return *len > 0;
}

static bool same(const char *word, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(word, name, len) == 0;
}

static bool number(const char *word, size_t len, uint64_t *out)
{
    char text[24];

    if (len >= sizeof text) /* no counter has so many digits */
        return false;
    memcpy(text, word, len);
    text[len] = '\0';
    return parse_u64(text, 0, UINT64_MAX, out) == 0; /* MaxConn is -1: not a counter */
}

static bool set_field(struct host_counters *out, const char *table, size_t table_len,
                      const char *name, size_t name_len, uint64_t v)
{
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (!same(table, table_len, fields[i].table) || !same(name, name_len, fields[i].name))
            continue;
        *field_at(out, i) = v;
        return true;
    }
    return false;
}

static bool parse_pair(struct host_counters *out, struct line names, struct line values)
{
    const char *table, *table2, *name, *value;
    size_t table_len, len2, name_len, value_len;
    bool any = false;
    uint64_t v;

    if (!next_word(&names, &table, &table_len) || !next_word(&values, &table2, &len2))
        return false;
    if (table_len != len2 || memcmp(table, table2, len2) != 0 || table[table_len - 1] != ':')
        return false;
    while (next_word(&names, &name, &name_len) && next_word(&values, &value, &value_len))
        if (number(value, value_len, &v))
            any |= set_field(out, table, table_len - 1, name, name_len, v);
    return any;
}

static bool parse(struct host_counters *out, const char *text)
{
    struct line names, values;
    bool any = false;

    while (text && next_line(&text, &names) && next_line(&text, &values))
        any |= parse_pair(out, names, values);
    return any;
}

void host_parse_counters(struct host_counters *out, const char *snmp, const char *netstat)
{
    *out = (struct host_counters){.time = NSTIME_NONE};
    bool tcp = parse(out, snmp), ext = parse(out, netstat);
    out->available = tcp && ext;
}

/* ---- reading ---- */
static int read_proc(const char *path, struct strbuf *out)
{
    char buf[8192];
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    while ((n = read(fd, buf, sizeof buf)) > 0 && out->len < PROC_MAX)
        strbuf_add(out, buf, (size_t)n);
    int err = n < 0 ? -errno : out->err;
    close(fd);
    return err;
}

int host_read_counters(struct host_counters *out)
{
    struct strbuf snmp = STRBUF_INIT, netstat = STRBUF_INIT;
    struct timespec now;

    *out = (struct host_counters){.time = NSTIME_NONE};
    int err = read_proc("/proc/net/snmp", &snmp);
    if (err == 0)
        err = read_proc("/proc/net/netstat", &netstat);
    if (err == 0) {
        host_parse_counters(out, snmp.buf, netstat.buf);
        clock_gettime(CLOCK_REALTIME, &now);
        out->time = now.tv_sec * NS_PER_SEC + now.tv_nsec;
        err = out->available ? 0 : -ENODATA;
    }
    strbuf_release(&snmp);
    strbuf_release(&netstat);
    return err;
}

void host_counters_delta(struct host_counters *out, const struct host_counters *before,
                         const struct host_counters *after)
{
    struct host_counters d = {.available = before->available && after->available,
                              .time = after->time};

    for (size_t i = 0; d.available && i < ARRAY_SIZE(fields); i++) {
        uint64_t a = host_counter_value(before, i), b = host_counter_value(after, i);
        *field_at(&d, i) = b > a ? b - a : 0;
    }
    *out = d;
}
