/* A growing string that remembers its first error, so that writers check once. */
#include "base/base.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char strbuf_slopbuf[1];

void strbuf_init(struct strbuf *sb)
{
    *sb = (struct strbuf)STRBUF_INIT;
}

void strbuf_release(struct strbuf *sb)
{
    size_t max = sb->max;
    if (sb->alloc)
        free(sb->buf);
    strbuf_init(sb);
    sb->max = max;
}

void strbuf_reset(struct strbuf *sb)
{
    sb->err = 0;
    strbuf_setlen(sb, 0);
}

void strbuf_setlen(struct strbuf *sb, size_t len)
{
    if (len > sb->len)
        return;
    sb->len = len;
    if (sb->alloc)
        sb->buf[len] = '\0';
}

int strbuf_reserve(struct strbuf *sb, size_t extra)
{
    size_t max = sb->max ? sb->max : STRBUF_MAX;
    if (sb->err)
        return sb->err;
    if (extra > max || sb->len > max - extra)
        return sb->err = -EFBIG;
    char *buf = sb->alloc ? sb->buf : NULL;
    int rc = ARRAY_GROW(buf, sb->len + extra + 1, sb->alloc);
    if (rc)
        return sb->err = rc;
    if (buf != sb->buf) {
        sb->buf = buf;
        buf[sb->len] = '\0';
    }
    return 0;
}

void strbuf_add(struct strbuf *sb, const void *data, size_t len)
{
    if (!len || strbuf_reserve(sb, len))
        return;
    memcpy(sb->buf + sb->len, data, len);
    sb->len += len;
    sb->buf[sb->len] = '\0';
}

void strbuf_addstr(struct strbuf *sb, const char *s)
{
    strbuf_add(sb, s, strlen(s));
}

void strbuf_addch(struct strbuf *sb, char c)
{
    strbuf_add(sb, &c, 1);
}

void strbuf_addchars(struct strbuf *sb, char c, size_t n)
{
    if (!n || strbuf_reserve(sb, n))
        return;
    memset(sb->buf + sb->len, c, n);
    sb->len += n;
    sb->buf[sb->len] = '\0';
}

void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap)
{
    va_list again;
    char small[256];
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof(small), fmt, ap);
    if (n < 0) {
        if (!sb->err)
            sb->err = -EINVAL;
    } else if ((size_t)n < sizeof(small)) {
        strbuf_add(sb, small, (size_t)n);
    } else if (!strbuf_reserve(sb, (size_t)n)) {
        vsnprintf(sb->buf + sb->len, (size_t)n + 1, fmt, again);
        sb->len += (size_t)n;
    }
    va_end(again);
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(sb, fmt, ap);
    va_end(ap);
}

char *strbuf_detach(struct strbuf *sb, size_t *len)
{
    if (len)
        *len = 0;
    if (strbuf_reserve(sb, 0)) {
        strbuf_release(sb);
        return NULL;
    }
    char *buf = sb->buf;
    if (len)
        *len = sb->len;
    sb->alloc = 0;
    strbuf_release(sb);
    return buf;
}
