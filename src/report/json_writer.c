/* JSON as it goes: nothing but the piece in hand is in memory. */
#include "report/private.h"

#include <math.h>
#include <string.h>

static void before(struct json *j, const char *key)
{
    struct strbuf *sb = &j->out->buf;

    if (j->depth > 0) {
        if (j->filled[j->depth - 1])
            strbuf_addch(sb, ',');
        j->filled[j->depth - 1] = true;
    }
    if (key) { /* no format: this is half of a large report's time */
        strbuf_addch(sb, '"');
        strbuf_addstr(sb, key);
        strbuf_add(sb, "\":", 2);
    }
}

static void add_quoted(struct strbuf *sb, const char *s)
{
    strbuf_addch(sb, '"');
    while (*s) {
        size_t plain = strcspn(s, "\"\\\001\002\003\004\005\006\007\010\011\012\013\014\015\016"
                                  "\017\020\021\022\023\024\025\026\027\030\031\032\033\034\035"
                                  "\036\037");
        strbuf_add(sb, s, plain);
        s += plain;
        if (!*s)
            break;
        if (*s == '"' || *s == '\\')
            strbuf_addf(sb, "\\%c", *s);
        else if (*s == '\n')
            strbuf_addstr(sb, "\\n");
        else
            strbuf_addf(sb, "\\u%04x", (unsigned char)*s);
        s++;
    }
    strbuf_addch(sb, '"');
}

void jw_open(struct json *j, const char *key, char bracket)
{
    before(j, key);
    strbuf_addch(&j->out->buf, bracket);
    if (j->depth < JSON_DEPTH)
        j->filled[j->depth++] = false;
}

void jw_close(struct json *j, char bracket)
{
    if (j->depth > 0)
        j->depth--;
    strbuf_addch(&j->out->buf, bracket);
    out_some(j->out);
}

void jw_null(struct json *j, const char *key)
{
    before(j, key);
    strbuf_addstr(&j->out->buf, "null");
}

void jw_text(struct json *j, const char *key, const char *s)
{
    if (!s) {
        jw_null(j, key);
        return;
    }
    before(j, key);
    add_quoted(&j->out->buf, s);
}

void jw_int(struct json *j, const char *key, int64_t v)
{
    before(j, key);
    strbuf_addf(&j->out->buf, "%lld", (long long)v);
}

void jw_uint(struct json *j, const char *key, uint64_t v)
{
    before(j, key);
    strbuf_addf(&j->out->buf, "%llu", (unsigned long long)v);
}

/* printf speaks the locale's decimal point; JSON does not. */
void jw_real(struct json *j, const char *key, double v)
{
    struct strbuf *sb = &j->out->buf;

    if (!isfinite(v)) {
        jw_null(j, key);
        return;
    }
    before(j, key);
    size_t at = sb->len;
    strbuf_addf(sb, "%.10g", v);
    if (!sb->err)
        for (char *p = sb->buf + at; *p; p++)
            if (*p == ',')
                *p = '.';
}

void jw_bool(struct json *j, const char *key, bool v)
{
    before(j, key);
    strbuf_addstr(&j->out->buf, v ? "true" : "false");
}

void jw_span_ms(struct json *j, const char *key, nstime span)
{
    if (span == NSTIME_NONE || span < 0)
        jw_null(j, key);
    else
        jw_real(j, key, (double)span / NS_PER_MS);
}

void jw_time(struct json *j, const char *key, nstime t)
{
    char buf[TIME_TEXT_MAX];

    jw_text(j, key, t == NSTIME_NONE ? NULL : time_rfc3339(buf, t));
}

void jw_strbuf(struct json *j, const char *key, struct strbuf *sb)
{
    jw_text(j, key, sb->err ? NULL : sb->buf);
    strbuf_release(sb);
}
