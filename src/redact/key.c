/*
 * The keyed part: Crypto-PAn for addresses, and streams of bytes that replace others. The cipher is
 * OpenSSL's AES-128, one block at a time.
 */
#include "redact/private.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>

#define CACHE 4096

int redactor_new(struct redactor **out)
{
    struct redactor *r = calloc(1, sizeof(*r));
    EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
    uint8_t key[16];
    int err = -ENOMEM;

    if (!r || !aes)
        goto fail;
    r->aes = aes;
    r->cache = calloc(CACHE, sizeof(*r->cache));
    if (!r->cache)
        goto fail;
    err = -EIO;
    if (RAND_bytes(key, sizeof(key)) != 1 || RAND_bytes(r->pad, sizeof(r->pad)) != 1 ||
        RAND_bytes((uint8_t *)&r->hash_key, sizeof(r->hash_key)) != 1)
        goto fail;
    if (EVP_EncryptInit_ex(aes, EVP_aes_128_ecb(), NULL, key, NULL) != 1 ||
        EVP_CIPHER_CTX_set_padding(aes, 0) != 1)
        goto fail;
    OPENSSL_cleanse(key, sizeof(key));
    *out = r;
    return 0;
fail:
    EVP_CIPHER_CTX_free(aes);
    if (r)
        free(r->cache);
    free(r);
    return err;
}

void redactor_free(struct redactor *r)
{
    if (!r)
        return;
    EVP_CIPHER_CTX_free(r->aes);
    streams_release(&r->streams);
    OPENSSL_cleanse(r->cache, CACHE * sizeof(*r->cache));
    free(r->cache);
    OPENSSL_cleanse(r, sizeof(*r));
    free(r);
}

static bool blocks(struct redactor *r, const uint8_t *in, uint8_t *out, int n)
{
    int len = 0;

    if (!r->failed && EVP_EncryptUpdate(r->aes, out, &len, in, n * 16) == 1 && len == n * 16)
        return true;
    r->failed = true;
    memset(out, 0, (size_t)n * 16);
    return false;
}

uint64_t seed_of(struct redactor *r, unsigned kind, const void *data, size_t len)
{
    return hash_mix(hash_bytes(r->hash_key ^ kind, data, len), ((uint64_t)r->nonce << 32) + len);
}

void keystream(struct redactor *r, uint64_t seed, uint8_t *out, size_t n)
{
    uint8_t in[16 * 16] = {0}, block[sizeof(in)];

    for (uint64_t counter = 0; n;) {
        size_t take = MIN_OF(n, sizeof(block)), nblocks = (take + 15) / 16;
        for (size_t i = 0; i < nblocks; i++, counter++) {
            memcpy(in + 16 * i, &seed, 8);
            memcpy(in + 16 * i + 8, &counter, 8);
            in[16 * i + 15] ^= 0x80; /* apart from the addresses' blocks */
        }
        blocks(r, in, block, (int)nblocks);
        memcpy(out, block, take);
        out += take;
        n -= take;
    }
}

/* ---- addresses ---- */

struct range {
    uint8_t b[4];
    unsigned len;
};
/* RFC 6890, and multicast (RFC 5771). */
static const struct range special4[] = {
    {{0}, 8},
    {{10}, 8},
    {{100, 64}, 10},
    {{127}, 8},
    {{169, 254}, 16},
    {{172, 16}, 12},
    {{192, 0, 0}, 24},
    {{192, 0, 2}, 24},
    {{192, 88, 99}, 24},
    {{192, 168}, 16},
    {{198, 18}, 15},
    {{198, 51, 100}, 24},
    {{203, 0, 113}, 24},
    {{224}, 4},
    {{240}, 4},
};
/* The first 32 bits say it: 64:ff9b::/96 and ::/96 are read as their embedded address. 100::/64 is
 * discard-only, 2001::/23 IETF's, 2001:db8::/32 for documents, fc00::/7, fe80::/10, ff00::/8. */
static const struct range special6[] = {
    {{0, 0, 0, 0}, 32},
    {{0, 0x64, 0xff, 0x9b}, 32},
    {{1, 0, 0, 0}, 32},
    {{0x20, 1, 0, 0}, 32},
    {{0x20, 1, 0xd, 0xb8}, 32},
    {{0x20, 1, 0, 0}, 23},
    {{0x20, 2}, 16},
    {{0xfc}, 7},
    {{0xfe, 0x80}, 10},
    {{0xff}, 8},
};

static unsigned bit(const uint8_t *b, unsigned i)
{
    return b[i / 8] >> (7 - i % 8) & 1;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (bit(a, i) != bit(b, i))
            return false;
    return true;
}

/* Where the first i bits are the beginning of a special range's prefix the next bit stays: ranges
 * are mapped onto themselves, and nothing else into them. */
static bool leads_to_special(const struct addr *a, unsigned i)
{
    const struct range *s = a->family == 4 ? special4 : special6;
    size_t n = a->family == 4 ? ARRAY_SIZE(special4) : ARRAY_SIZE(special6);

    for (size_t k = 0; k < n; k++)
        if (i < s[k].len && same_bits(a->b, s[k].b, i))
            return true;
    return false;
}

/* The scope of a multicast group is part of its range (RFC 4291 2.7). */
static unsigned fixed_bits(const struct addr *a)
{
    return a->family == 6 && a->b[0] == 0xff ? 16 : 0;
}

static bool all_zero(const uint8_t *b, size_t n)
{
    while (n && !b[n - 1])
        n--;
    return n == 0;
}

/* No host's own: unspecified, limited broadcast, ::1, and groups everybody joins. */
static bool nobodys(const struct addr *a)
{
    if (a->family == 4)
        return all_zero(a->b, 4) || memcmp(a->b, "\xff\xff\xff\xff", 4) == 0 ||
               (a->b[0] == 224 && a->b[1] == 0 && a->b[2] <= 1);
    if (a->b[0] == 0xff)
        return all_zero(a->b + 2, 11) && a->b[13] <= 1;
    return all_zero(a->b, 15) && a->b[15] <= 1;
}

static void permute(struct redactor *r, struct addr *a)
{
    unsigned n = a->family == 4 ? 32 : 128;
    uint8_t in[128 * 16], out[128 * 16];
    struct addr to = *a;

    for (unsigned i = 0; i < n; i++) { /* the first i bits, then the pad's */
        uint8_t *b = in + (size_t)i * 16;
        memcpy(b, r->pad, 16);
        memcpy(b, a->b, i / 8);
        if (i % 8) {
            uint8_t mask = (uint8_t)(0xff << (8 - i % 8));
            b[i / 8] = (uint8_t)((a->b[i / 8] & mask) | (b[i / 8] & ~mask));
        }
        b[15] = (uint8_t)((b[15] & 0x7f) ^ (a->family == 4 ? 0x40 : 0));
    }
    bool ok = blocks(r, in, out, (int)n);
    for (unsigned i = fixed_bits(a); i < n; i++)
        if (!leads_to_special(a, i) && (ok ? out[(size_t)i * 16] & 0x80 : i % 3 == 0))
            to.b[i / 8] ^= (uint8_t)(0x80 >> i % 8);
    *a = to;
}

/* Offset of an IPv4 address within an IPv6 one: mapped, translated (RFC 6052), 6to4 (RFC 3056). */
static int embedded4(const struct addr *a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};

    if (memcmp(a->b, mapped, 12) == 0 || memcmp(a->b, nat64, 12) == 0 ||
        (all_zero(a->b, 12) && !all_zero(a->b + 12, 2)))
        return 12;
    return a->b[0] == 0x20 && a->b[1] == 2 ? 2 : -1;
}

void redact_addr(struct redactor *r, struct addr *a)
{
    int at = a->family == 6 ? embedded4(a) : -1;

    if ((a->family != 4 && a->family != 6) || nobodys(a))
        return;
    struct addr_pair *c = &r->cache[hash_bytes(r->hash_key, a->b, a->family == 4 ? 4 : 16) % CACHE];
    if (addr_equal(&c->from, a)) {
        *a = c->to;
        return;
    }
    struct addr from = *a;
    permute(r, a);
    if (at >= 0) { /* the same host by either name */
        struct addr four = {.family = 4};
        memcpy(four.b, from.b + at, 4);
        memcpy(a->b, from.b, (size_t)at);
        redact_addr(r, &four);
        memcpy(a->b + at, four.b, 4);
    }
    *c = (struct addr_pair){from, *a};
}

void redact_mac(struct redactor *r, uint8_t mac[6])
{
    size_t fixed = 0;
    uint8_t ks[6];

    if (all_zero(mac, 6) || memcmp(mac, "\xff\xff\xff\xff\xff\xff", 6) == 0 ||
        memcmp(mac, "\0\0\x5e\0", 4) == 0 || /* RFC 9542: virtual routers */
        memcmp(mac, "\1\x80\xc2", 3) == 0 || memcmp(mac, "\1\0\xc\xcc\xcc", 5) == 0)
        return;
    if (memcmp(mac, "\1\0\x5e\0", 4) == 0 && mac[4] <= 1)
        return;
    if (memcmp(mac, "\x33\x33\0\0\0", 5) == 0 || memcmp(mac, "\x33\x33\0\1\0", 5) == 0)
        return;
    if (memcmp(mac, "\1\0\x5e", 3) == 0)
        fixed = 3;
    else if (memcmp(mac, "\x33\x33", 2) == 0)
        fixed = 2;
    keystream(r, seed_of(r, 1, mac, 6), ks, 6);
    if (!fixed)
        ks[0] = (uint8_t)((ks[0] & ~3) | (mac[0] & 3)); /* group and local bits (IEEE 802) */
    memcpy(mac + fixed, ks + fixed, 6 - fixed);
}
