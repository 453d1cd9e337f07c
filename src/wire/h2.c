/* HTTP/2 in the clear (RFC 9113): its preface, and the two frames that end things. */
#include "wire/app.h"

#include <stdio.h>
#include <string.h>

enum {
    H2_DATA = 0,
    H2_HEADERS = 1,
    H2_PRIORITY = 2,
    H2_RST_STREAM = 3,
    H2_SETTINGS = 4,
    H2_PUSH = 5,
    H2_PING = 6,
    H2_GOAWAY = 7,
    H2_WINDOW = 8,
    H2_CONTINUATION = 9,
};
#define FRAMES_MAX 256
static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const char *h2_error_name(uint32_t code)
{
    static const char *const names[] = {
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    };

    return code < ARRAY_SIZE(names) ? names[code] : "unknown error";
}

struct frame {
    uint32_t len, stream;
    uint8_t type, flags;
    struct cursor body;
};

static bool next_frame(struct cursor *c, struct frame *f)
{
    const uint8_t *b = cur_left(c) >= 9 ? cur_take(c, 9) : NULL;

    if (!b)
        return false;
    struct cursor h = cursor_of(b, 9);
    f->len = cur_be24(&h);
    f->type = cur_u8(&h);
    f->flags = cur_u8(&h);
    f->stream = cur_be32(&h) & 0x7fffffff;
    f->body = cur_sub(c, f->len);
    return true;
}

/* The sizes and streams RFC 9113 6 demands, so that chance bytes do not pass. */
static bool plausible(const struct frame *f)
{
    switch (f->type) {
    case H2_DATA:
    case H2_HEADERS:
    case H2_CONTINUATION:
    case H2_PUSH: return f->stream != 0 && f->len <= 16384;
    case H2_PRIORITY: return f->stream != 0 && f->len == 5;
    case H2_RST_STREAM: return f->stream != 0 && f->len == 4;
    case H2_SETTINGS: return f->stream == 0 && f->len % 6 == 0 && f->len <= 240 && f->flags <= 1;
    case H2_PING: return f->stream == 0 && f->len == 8 && f->flags <= 1;
    case H2_GOAWAY: return f->stream == 0 && f->len >= 8 && f->len <= 16384;
    case H2_WINDOW: return f->len == 4 && f->flags == 0;
    default: return false;
    }
}

static void goaway(struct app *a, struct cursor body)
{
    a->kind = APP_H2_GOAWAY;
    uint32_t last = cur_be32(&body) & 0x7fffffff;
    a->h2_error = cur_be32(&body);
    a->partial = body.bad;
    snprintf(a->text, sizeof(a->text), "GOAWAY %s (%u), last stream %u", h2_error_name(a->h2_error),
             a->h2_error, last);
    if (cur_left(&body)) { /* debug data, mostly words such as too_many_pings */
        char words[64];
        text_addf(a->text, sizeof(a->text), ": %s",
                  text_clean(words, sizeof(words), body.p, cur_left(&body)));
    }
}

static void rst_stream(struct app *a, const struct frame *f)
{
    struct cursor body = f->body;

    a->kind = APP_H2_RST_STREAM;
    a->h2_error = cur_be32(&body);
    a->partial = body.bad;
    snprintf(a->text, sizeof(a->text), "RST_STREAM stream %u %s (%u)", f->stream,
             h2_error_name(a->h2_error), a->h2_error);
}

static const char *frame_name(uint8_t type)
{
    static const char *const names[] = {"DATA",          "HEADERS",      "PRIORITY", "RST_STREAM",
                                        "SETTINGS",      "PUSH_PROMISE", "PING",     "GOAWAY",
                                        "WINDOW_UPDATE", "CONTINUATION"};

    return type < ARRAY_SIZE(names) ? names[type] : "?";
}

/* Nine bytes of header prove little. Frames with a fixed form are taken at their word; DATA and
 * HEADERS only if a chain of frames leads from them to one of those that end things. */
bool h2_decode(struct app *a, const uint8_t *data, size_t len)
{
    struct cursor c = cursor_of(data, len);
    struct frame f, first = {0};

    if (starts_with(data, len, preface)) {
        a->kind = APP_H2_PREFACE;
        snprintf(a->text, sizeof(a->text), "HTTP/2 preface");
        return true;
    }
    for (int i = 0; i < FRAMES_MAX && next_frame(&c, &f) && plausible(&f); i++) {
        if (i == 0)
            first = f;
        if (f.type == H2_GOAWAY)
            goaway(a, f.body);
        else if (f.type == H2_RST_STREAM)
            rst_stream(a, &f);
        if (a->kind != APP_NONE)
            return true;
        if (i == 0)
            first.stream |= 0x80000000; /* seen one */
    }
    if (!first.stream || (first.type != H2_SETTINGS && first.type != H2_PING))
        return false;
    a->kind = APP_H2_OTHER;
    snprintf(a->text, sizeof(a->text), "HTTP/2 %s", frame_name(first.type));
    return true;
}
