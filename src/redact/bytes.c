/*
 * Bytes for bytes, of the same class: what was a letter is a letter, what was a digit a digit.
 * Names are made of consonants alone, so that no replacement reads like a word somebody used; 0
 * stays 0, so that neither an end of chunks (RFC 9112 7.1) nor padding comes or goes.
 */
#include "redact/private.h"

#include <ctype.h>

static const char consonants[] = "bcdfghjkmnpqrtvwxz";
#define CONSONANTS (sizeof(consonants) - 1)

static uint8_t other_punct(uint8_t was, uint8_t ks)
{
    static const char marks[] = "!#$%&*+,-./:;=?@^_~|";

    /* what delimits stays a delimiter; '<' and '>' pair tags off */
    if (strchr("<>\"'()[]{}\\`", was))
        return was;
    return (uint8_t)marks[ks % (sizeof(marks) - 1)];
}

static uint8_t replace(uint8_t was, uint8_t ks)
{
    if (was == 0 || was == ' ' || was == '\r' || was == '\n' || was == '\t' || was == '0')
        return was;
    if (was >= 'a' && was <= 'z')
        return (uint8_t)consonants[ks % CONSONANTS];
    if (was >= 'A' && was <= 'Z')
        return (uint8_t)(consonants[ks % CONSONANTS] - 32);
    if (was >= '1' && was <= '9')
        return (uint8_t)('1' + ks % 9);
    if (was >= 0x80)
        return (uint8_t)(0x80 | ks);
    if (was < 0x20 || was == 0x7f) {
        uint8_t c = (uint8_t)(1 + ks % 0x1f);
        return c >= 9 && c <= 13 ? (uint8_t)(c + 5) : c;
    }
    return other_punct(was, ks);
}

void scramble(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n)
{
    uint8_t ks[256];
    uint64_t seed;

    for (size_t at = 0; at < n; at += sizeof(ks)) {
        size_t len = MIN_OF(n - at, sizeof(ks));
        seed = seed_of(r, 2, in + at, len);
        keystream(r, seed, ks, len);
        for (size_t i = 0; i < len; i++) {
            out[at + i] = replace(in[at + i], ks[i]);
            if (r->failed)
                out[at + i] = in[at + i] < 0x20 || in[at + i] > 0x7e ? 1 : 'x';
        }
    }
}

/* The nonce is left out: a name has one replacement, whatever is tried elsewhere. */
void redact_label(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n, bool after_dot)
{
    uint8_t lower[64], ks[64];
    unsigned nonce = r->nonce;

    if (label_of_everybody((const char *)in, n, after_dot)) {
        memmove(out, in, n);
        return;
    }
    r->nonce = 0;
    for (size_t at = 0; at < n; at += sizeof(ks)) {
        size_t len = MIN_OF(n - at, sizeof(ks));
        for (size_t i = 0; i < len; i++)
            lower[i] = (uint8_t)tolower(in[at + i]);
        keystream(r, seed_of(r, 3, lower, len), ks, len);
        for (size_t i = 0; i < len; i++) {
            uint8_t was = in[at + i];
            bool mark = was < 0x80 && ispunct(was);
            out[at + i] = mark          ? was
                          : was >= 0x80 ? (uint8_t)consonants[ks[i] % CONSONANTS]
                                        : replace(was, ks[i]);
            if (r->failed && !mark)
                out[at + i] = 'x';
        }
    }
    r->nonce = nonce;
}

static bool in_label(uint8_t c)
{
    return isalnum(c) && c < 0x80;
}

void scramble_text(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n, bool phrases)
{
    scramble(r, in, out, n);
    for (size_t i = 0; i < n;) {
        size_t len = phrases && (i == 0 || !in_label(in[i - 1])) ? phrase_at(in + i, n - i) : 0;
        if (len) {
            memcpy(out + i, in + i, len);
            i += len;
            continue;
        }
        while (i + len < n && in_label(in[i + len]))
            len++;
        if (len)
            redact_label(r, in + i, out + i, len, i && in[i - 1] == '.');
        else if (in[i] < 0x80 && ispunct(in[i]))
            out[i] = in[i]; /* between words it is grammar, not content */
        i += len ? len : 1;
    }
}

void redact_name(struct redactor *r, char *name)
{
    uint8_t *at = (uint8_t *)name;

    while (*at) {
        size_t n = 0;
        while (at[n] && at[n] != '.')
            n++;
        redact_label(r, at, at, n, at > (uint8_t *)name);
        at += n + (at[n] == '.');
    }
}
