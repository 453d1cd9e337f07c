/* HTTP/1 heads (RFC 9112). */
#include "wire/app.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HEAD_MAX 65536

static const char *const methods[] = {
    "GET",    "POST",   "PUT",  "HEAD",  "DELETE",   "OPTIONS",   "PATCH",  "CONNECT",
    "TRACE",  "MKCOL",  "COPY", "MOVE",  "PROPFIND", "LOCK",      "UNLOCK", "PURGE",
    "SEARCH", "REPORT", "BREW", "MERGE", "CHECKOUT", "PROPPATCH",
};

/* One line off the front of c, without its end; false: it is not all here. */
static bool take_line(struct cursor *c, struct cursor *line)
{
    const uint8_t *end = cur_left(c) ? memchr(c->p, '\n', cur_left(c)) : NULL;

    if (!end)
        return false;
    *line = cur_sub(c, (size_t)(end - c->p));
    cur_u8(c);
    if (cur_left(line) && line->end[-1] == '\r')
        line->end--;
    return true;
}

static struct cursor trimmed(struct cursor v)
{
    while (cur_left(&v) && (v.p[0] == ' ' || v.p[0] == '\t'))
        v.p++;
    while (cur_left(&v) && (v.end[-1] == ' ' || v.end[-1] == '\t'))
        v.end--;
    return v;
}

static bool is_word(struct cursor v, const char *word)
{
    return cur_left(&v) == strlen(word) && strncasecmp((const char *)v.p, word, cur_left(&v)) == 0;
}

/* True if `word` is an element of a comma-separated list. */
static bool has_element(struct cursor list, const char *word)
{
    while (cur_left(&list)) {
        const uint8_t *comma = memchr(list.p, ',', cur_left(&list));
        struct cursor one = cur_sub(&list, comma ? (size_t)(comma - list.p) : cur_left(&list));
        if (comma)
            cur_u8(&list);
        if (is_word(trimmed(one), word))
            return true;
    }
    return false;
}

static int64_t decimal(struct cursor v)
{
    int64_t n = 0;

    if (!cur_left(&v) || cur_left(&v) > 18)
        return -1;
    while (cur_left(&v)) {
        uint8_t d = cur_u8(&v);
        if (d < '0' || d > '9')
            return -1;
        n = n * 10 + (d - '0');
    }
    return n;
}

static void take_header(struct app *a, struct cursor line, bool *keep_alive)
{
    const uint8_t *colon = cur_left(&line) ? memchr(line.p, ':', cur_left(&line)) : NULL;

    if (!colon)
        return;
    struct cursor name = cur_sub(&line, (size_t)(colon - line.p));
    cur_u8(&line);
    line = trimmed(line);
    if (is_word(name, "Host") && !a->name[0])
        text_clean(a->name, sizeof(a->name), line.p, cur_left(&line));
    else if (is_word(name, "Content-Length"))
        a->content_length = decimal(line);
    else if (is_word(name, "Transfer-Encoding"))
        a->chunked |= has_element(line, "chunked");
    else if (is_word(name, "Connection") || is_word(name, "Proxy-Connection")) {
        a->connection_close |= has_element(line, "close");
        *keep_alive |= has_element(line, "keep-alive");
    }
}

/* The header fields up to the blank line; a->partial where that has not come. */
static void take_headers(struct app *a, struct cursor c, const uint8_t *start, bool http10)
{
    struct cursor line;
    bool keep_alive = false;

    a->partial = true;
    while (a->partial && take_line(&c, &line)) {
        if (cur_left(&line) == 0) {
            a->partial = false;
            a->header_len = (uint32_t)(c.p - start);
        } else
            take_header(a, line, &keep_alive);
    }
    if (http10 && !keep_alive) /* RFC 9112 9.3: 1.0 closes unless asked not to */
        a->connection_close = true;
}

static const char *find_method(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        size_t n = strlen(methods[i]);
        if (len > n && data[n] == ' ' && memcmp(data, methods[i], n) == 0)
            return methods[i];
    }
    return NULL;
}

/* CONNECT names its host in the request line, others may give a whole URL (RFC 9112 3.2). */
static void name_of_target(struct app *a, struct cursor target)
{
    if (strcmp(a->method, "CONNECT") == 0)
        text_clean(a->name, sizeof(a->name), target.p, cur_left(&target));
}

static bool request(struct app *a, const uint8_t *data, size_t len)
{
    struct cursor c = cursor_of(data, len), line;
    const char *method = find_method(data, len);
    size_t shown = first_line(data, len, 400);

    if (!method)
        return false;
    bool all = take_line(&c, &line);
    if (all) {
        size_t n = cur_left(&line);
        if (n < 9 || memcmp(line.end - 9, " HTTP/1.", 8) != 0)
            return false;
    } else if (!is_printable(data, MIN_OF(len, 256)))
        return false;
    a->kind = APP_HTTP_REQUEST;
    snprintf(a->method, sizeof(a->method), "%s", method);
    text_clean(a->text, sizeof(a->text), data, shown);
    a->partial = true;
    if (!all)
        return true;
    bool http10 = line.end[-1] == '0';
    cur_take(&line, strlen(method) + 1);
    name_of_target(a, cur_sub(&line, cur_left(&line) - 9));
    take_headers(a, c, data, http10);
    return true;
}

static bool response(struct app *a, const uint8_t *data, size_t len)
{
    struct cursor c = cursor_of(data, len), line;

    if (!starts_with(data, len, "HTTP/1.") || len < 8)
        return false;
    a->kind = APP_HTTP_RESPONSE;
    a->partial = true;
    text_clean(a->text, sizeof(a->text), data, first_line(data, len, 400));
    if (!take_line(&c, &line))
        return true;
    bool http10 = data[7] == '0';
    cur_take(&line, MIN_OF(9, cur_left(&line)));
    int64_t status = decimal(cur_sub(&line, MIN_OF(3, cur_left(&line))));
    a->status = status >= 100 && status <= 999 ? (uint16_t)status : 0;
    take_headers(a, c, data, http10);
    return true;
}

bool http_decode(struct app *a, const uint8_t *data, size_t len)
{
    len = MIN_OF(len, HEAD_MAX);
    return request(a, data, len) || response(a, data, len);
}
