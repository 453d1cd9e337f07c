/*
 * HTTP/1 heads (RFC 9112), byte for byte: methods, versions, statuses, the names of known headers
 * and those headers that say where a message ends stay. Paths and all other values go.
 */
#include "redact/private.h"

#include <ctype.h>
#include <strings.h>

static bool is(const uint8_t *p, size_t n, const char *word)
{
    return n == strlen(word) && strncasecmp((const char *)p, word, n) == 0;
}

/* What says where a message ends, and nothing of its content. */
static bool framing(const uint8_t *name, size_t n)
{
    static const char *const names[] = {"Content-Length",
                                        "Transfer-Encoding",
                                        "Connection",
                                        "Proxy-Connection",
                                        "Keep-Alive",
                                        "Expect",
                                        "TE"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (is(name, n, names[i]))
            return true;
    return false;
}

static bool all_digits(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isdigit(p[i]))
            return false;
    return true;
}

/* A value of framing is kept only if it is one of the words it may be. */
static bool framing_value(const uint8_t *p, size_t n)
{
    static const char *const words[] = {
        "close",   "keep-alive", "chunked", "gzip", "deflate",      "compress", "identity",
        "upgrade", "trailers",   "timeout", "max",  "100-continue", "te",       "http2-settings"};

    for (size_t i = 0; i < n;) {
        size_t len = 0;
        while (i + len < n && (isalnum(p[i + len]) || p[i + len] == '-'))
            len++;
        bool known = all_digits(p + i, len);
        for (size_t k = 0; k < ARRAY_SIZE(words); k++)
            known = known || is(p + i, len, words[k]);
        if (!known || len > 20)
            return false;
        i += len ? len : 1;
    }
    return true;
}

static void header_name(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t len = 0;
        while (i + len < n && isalnum(in[i + len]))
            len++;
        if (len && header_word((const char *)in + i, len))
            memcpy(out + i, in + i, len);
        else if (len)
            redact_label(r, in + i, out + i, len, false);
        else
            out[i] = in[i];
        i += len ? len : 1;
    }
}

static void header(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n)
{
    const uint8_t *colon = memchr(in, ':', n);
    size_t name = colon ? (size_t)(colon - in) : 0;

    scramble_text(r, in, out, n, false);
    if (!colon)
        return;
    header_name(r, in, out, name + 1);
    if (framing(in, name) && framing_value(colon + 1, n - name - 1))
        memcpy(out, in, n);
}

/* "GET /x HTTP/1.1": the target alone goes. */
static void request_line(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n)
{
    const uint8_t *space = memchr(in, ' ', n);
    size_t method = space ? (size_t)(space - in) + 1 : n, tail = 0;

    if (n >= method + 9 && memcmp(in + n - 9, " HTTP/1.", 8) == 0)
        tail = 9;
    memcpy(out, in, method);
    scramble_text(r, in + method, out + method, n - method - tail, true);
    memcpy(out + n - tail, in + n - tail, tail);
}

/* "HTTP/1.1 404 Not Found": the reason's words are those of RFC 9110, or they go. */
static void status_line(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n)
{
    size_t head = MIN_OF(n, 13);

    memcpy(out, in, head);
    for (size_t i = head; i < n;) {
        size_t len = 0;
        while (i + len < n && isalpha(in[i + len]))
            len++;
        if (len && word_of_protocols((const char *)in + i, len))
            memcpy(out + i, in + i, len);
        else if (len)
            redact_label(r, in + i, out + i, len, false);
        else
            scramble_text(r, in + i, out + i, 1, false);
        i += len ? len : 1;
    }
}

void rewrite_http(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n)
{
    size_t at = 0;

    for (bool first = true; at < n; first = false) {
        const uint8_t *end = memchr(in + at, '\n', n - at);
        size_t line = end ? (size_t)(end - in) - at : n - at, eol = end ? 1 : 0;
        if (line && in[at + line - 1] == '\r') {
            line--;
            eol++;
        }
        memcpy(out + at + line, in + at + line, eol);
        if (first && line >= 5 && memcmp(in, "HTTP/", 5) == 0)
            status_line(r, in, out, line);
        else if (first)
            request_line(r, in, out, line);
        else if (line)
            header(r, in + at, out + at, line);
        at += line + eol;
        if (!line && eol)
            break;
    }
    scramble_text(r, in + at, out + at, n - at, true);
}
