/*
 * Text that people read: addresses become what they became in packets, names and words what the
 * labels of names became. What is grammar stays, and with REDACT_WORDS the words of protocols.
 */
#include "redact/private.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define PORT_MAX   5
#define NUMBER_MAX 10 /* digits; a longer number is more likely somebody's than a count */

static bool in_address(char c)
{
    return isxdigit((unsigned char)c) || c == ':' || c == '.';
}

static bool word_char(char c)
{
    return isalnum((unsigned char)c) || (uint8_t)c >= 0x80;
}

static bool put_addr(struct redactor *r, const char *text, struct strbuf *out)
{
    struct addr a;
    char shown[ADDR_TEXT_MAX];

    if (addr_parse(text, &a))
        return false;
    redact_addr(r, &a);
    strbuf_addstr(out, addr_text(shown, &a));
    return true;
}

/* "02:00:5e:10:00:01", also with dashes. */
static size_t mac_at(struct redactor *r, const char *p, size_t n, struct strbuf *out)
{
    uint8_t mac[6];
    char shown[20];

    if (n < 17 || (p[2] != ':' && p[2] != '-') || (n > 17 && (word_char(p[17]) || p[17] == p[2])))
        return 0;
    for (int i = 0; i < 6; i++) {
        char pair[3] = {p[3 * i], p[3 * i + 1], 0};
        if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1]) ||
            (i < 5 && p[3 * i + 2] != p[2]))
            return 0;
        mac[i] =
            (uint8_t)((isdigit((unsigned char)pair[0]) ? pair[0] - '0' : (pair[0] | 32) - 'a' + 10)
                          << 4 |
                      (isdigit((unsigned char)pair[1]) ? pair[1] - '0'
                                                       : (pair[1] | 32) - 'a' + 10));
    }
    redact_mac(r, mac);
    snprintf(shown, sizeof(shown), "%02x%c%02x%c%02x%c%02x%c%02x%c%02x", mac[0], p[2], mac[1], p[2],
             mac[2], p[2], mac[3], p[2], mac[4], p[2], mac[5]);
    strbuf_addstr(out, shown);
    return 17;
}

/* The longest numeric address that begins here; its length, 0 none. Of "10.0.0.1:443" the colon is
 * no more of it, and of "10.0.0.1." not the dot. */
static size_t addr_at(struct redactor *r, const char *p, size_t n, struct strbuf *out)
{
    char text[64];
    size_t len = 0, dots = 0, colons = 0;

    while (len < n && len < sizeof(text) - 1 && in_address(p[len])) {
        dots += p[len] == '.';
        colons += p[len] == ':';
        len++;
    }
    if (dots < 3 && colons < 2)
        return 0;
    for (; len >= 2; len--) {
        if (len < n && word_char(p[len]) && word_char(p[len - 1]))
            continue; /* not within a word */
        memcpy(text, p, len);
        text[len] = 0;
        if (put_addr(r, text, out))
            return len;
    }
    return 0;
}

static void put_word(struct redactor *r, enum redact_how how, const char *p, size_t n,
                     bool after_dot, struct strbuf *out)
{
    size_t digits = 0;
    uint8_t space[256];

    while (digits < n && isdigit((unsigned char)p[digits]))
        digits++;
    if (how == REDACT_WORDS &&
        (digits == n ? n <= NUMBER_MAX
                     : word_of_protocols(p + digits, n - digits) && digits <= NUMBER_MAX)) {
        strbuf_add(out, p, n); /* 104, 10s, reset */
        return;
    }
    if (how == REDACT_WORDS && n >= 2 && (*p == 'T' || *p == 'Z') && digits == 0 &&
        isdigit((unsigned char)p[1]) && n <= 3) {
        strbuf_add(out, p, n); /* of a time: 2026-01-01T10 */
        return;
    }
    if (how == REDACT_NAMES && digits == n && n <= PORT_MAX) {
        strbuf_add(out, p, n);
        return;
    }
    for (size_t at = 0; at < n; at += sizeof(space)) {
        size_t len = MIN_OF(n - at, sizeof(space));
        redact_label(r, (const uint8_t *)p + at, space, len, after_dot);
        strbuf_add(out, space, len);
    }
}

static void payload_text(struct redactor *r, const char *in, size_t len, struct strbuf *out)
{
    uint8_t *copy = malloc(len + 1);

    if (!copy) {
        strbuf_addchars(out, 'x', len);
        return;
    }
    scramble_text(r, (const uint8_t *)in, copy, len, true);
    for (size_t i = 0; i < len; i++) /* it must stay UTF-8 */
        if (copy[i] >= 0x80)
            copy[i] = 'x';
    strbuf_add(out, copy, len);
    free(copy);
}

void redact_text(struct redactor *r, enum redact_how how, const char *in, size_t len,
                 struct strbuf *out)
{
    if (how == REDACT_PHRASES) {
        payload_text(r, in, len, out);
        return;
    }
    for (size_t i = 0; i < len;) {
        bool begins = i == 0 || !word_char(in[i - 1]);
        size_t n = begins ? mac_at(r, in + i, len - i, out) : 0;
        if (!n && begins && (in_address(in[i]) && in[i] != '.'))
            n = addr_at(r, in + i, len - i, out);
        if (!n) {
            while (i + n < len && word_char(in[i + n]))
                n++;
            if (n)
                put_word(r, how, in + i, n, i && in[i - 1] == '.', out);
            else
                strbuf_addch(out, in[i]);
        }
        i += n ? n : 1;
    }
}
