/* Text hygiene: what a peer controls, made fit to be shown. */
#include "base/base.h"

#include <string.h>
#include <wchar.h>

/* One UTF-8 character at s (n bytes left): its length, 0 if broken (RFC 3629: shortest form, no
 * surrogates, up to U+10FFFF). */
static size_t utf8_char(const uint8_t *s, size_t n, uint32_t *out)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    if (!len || len > n || s[0] > 0xf4)
        return 0;
    uint32_t c = len == 1 ? s[0] : s[0] & (0xff >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *out = c;
    return len;
}

/* Controls, and the formatting characters that reorder, hide or join text (bidi, zero width,
 * tags, variation selectors, line separators). */
static bool unwelcome(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff ||
           (c >= 0xfff0 && c <= 0xfffb) || (c & 0xfffe) == 0xfffe || c >= 0xe0000;
}

const char *text_clean(char *out, size_t outlen, const void *in, size_t inlen)
{
    const uint8_t *s = in;
    size_t n = 0, i = 0, dots = 0; /* dots: where "..." would still fit */
    if (!outlen)
        return out;
    while (i < inlen) {
        uint32_t c = 0;
        size_t len = utf8_char(s + i, inlen - i, &c), keep = len;
        if (!len || unwelcome(c)) {
            keep = 0;
            len = len ? len : 1;
        }
        size_t need = keep ? keep : 1;
        if (n + need >= outlen) {
            if (outlen > 4) {
                memcpy(out + dots, "...", 3);
                n = dots + 3;
            }
            break;
        }
        if (n + 3 < outlen)
            dots = n;
        if (keep)
            memcpy(out + n, s + i, keep);
        else
            out[n] = '.';
        n += need;
        i += len;
    }
    out[n] = '\0';
    return out;
}

void strbuf_add_clean(struct strbuf *sb, const void *in, size_t inlen, size_t max)
{
    size_t room = MIN_OF(inlen, max);
    if (strbuf_reserve(sb, room))
        return;
    text_clean(sb->buf + sb->len, room + 1, in, inlen);
    sb->len += strlen(sb->buf + sb->len);
}

/* The next character of a valid string: bytes and columns (a broken byte counts one of each). */
static size_t next_char(const char *s, int *cols, uint32_t *out)
{
    uint32_t c = 0;
    size_t len = utf8_char((const uint8_t *)s, strnlen(s, 4), &c);
    int w = len ? wcwidth((wchar_t)c) : 1;
    *cols = w > 0 ? w : (c >= 0x80 && w < 0 && len) ? 1 : MAX_OF(w, 0);
    if (out)
        *out = c;
    return len ? len : 1;
}

int text_width(const char *s)
{
    int total = 0, cols;
    while (*s) {
        s += next_char(s, &cols, NULL);
        total += cols;
    }
    return total;
}

size_t text_fit(const char *s, int cols)
{
    size_t at = 0;
    int w;
    while (s[at]) {
        size_t len = next_char(s + at, &w, NULL);
        if (w > cols)
            break;
        cols -= w;
        at += len;
    }
    return at;
}

/* Wide scripts have no spaces: a line may end at any wide character, but none begins with a
 * closing mark and none ends with an opening one (W3C, Requirements for Chinese Text Layout). */
static bool may_part(uint32_t before, int before_cols, uint32_t after, int after_cols)
{
    static const char closing[] = ")]}>,.;:?!%'\"/", opening[] = "([{<'\"/";
    static const uint16_t wide_closing[] = {0x3001, 0x3002, 0x3009, 0x300b, 0x300d, 0x300f, 0x3011,
                                            0xff01, 0xff09, 0xff0c, 0xff1a, 0xff1b, 0xff1f};
    static const uint16_t wide_opening[] = {0x3008, 0x300a, 0x300c, 0x300e, 0x3010, 0xff08};

    if (before_cols != 2 && after_cols != 2)
        return false;
    if ((after < 0x80 && strchr(closing, (int)after)) ||
        (before < 0x80 && strchr(opening, (int)before)))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(wide_closing); i++)
        if (after == wide_closing[i])
            return false;
    for (size_t i = 0; i < ARRAY_SIZE(wide_opening); i++)
        if (before == wide_opening[i])
            return false;
    return true;
}

size_t text_break(const char *s, int cols)
{
    size_t at = 0, best = 0;
    uint32_t before = 0;
    int before_cols = 0;

    while (s[at] && s[at] != '\n') {
        uint32_t c;
        int w;
        size_t len = next_char(s + at, &w, &c);
        if (at && (c == ' ' || may_part(before, before_cols, c, w)))
            best = at;
        if (w > cols)
            return best ? best : at ? at : len;
        cols -= w;
        at += len;
        if (w) { /* a combining mark belongs to what it stands on */
            before = c;
            before_cols = w;
        }
    }
    return at;
}
