/* What the files of redact/ share. */
#ifndef REDACT_PRIVATE_H
#define REDACT_PRIVATE_H

#include "redact/redact.h"

#include <string.h>

struct stream; /* stream.c: a beginning that goes on in the next segment */
struct streams {
    struct stream *items; /* a ring */
    size_t next;
};

struct redactor {
    void *aes;       /* the cipher of addresses and of keystreams */
    uint8_t pad[16]; /* Crypto-PAn's */
    uint64_t hash_key;
    struct addr_pair { /* a cache: Crypto-PAn costs 32 or 128 blocks */
        struct addr from, to;
    } * cache;
    struct streams streams;
    unsigned nonce; /* another try at a scramble that came out as something it was not */
    bool failed;    /* the cipher failed once: everything is blanked from there */
};

/* ---- key.c ---- */
/* n bytes that depend on the key, what was hashed, and nothing else. */
void keystream(struct redactor *r, uint64_t seed, uint8_t *out, size_t n);
uint64_t seed_of(struct redactor *r, unsigned kind, const void *data, size_t len);

/* ---- bytes.c: same length, same class ---- */
void scramble(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n);
/* Letters and digits in runs, each as a name's label is; phrases that verdicts lean on are kept. */
void scramble_text(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n, bool phrases);
/* after_dot: of two letters it names a country, not a host. */
void redact_label(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n, bool after_dot);

/* ---- words.c ---- */
bool word_of_protocols(const char *word, size_t n);                  /* any case */
bool label_of_everybody(const char *word, size_t n, bool after_dot); /* www, com, arpa */
bool header_word(const char *word, size_t n); /* a part of a known header's name */
size_t phrase_at(const uint8_t *p, size_t n); /* its length, 0: none begins here */

/* ---- packet.c, transport.c: a packet that is being rewritten ---- */
struct span { /* of a layer: where it lies in the packet, and how long it was on the wire */
    size_t off, end;
    uint32_t wire;
};
struct rewrite {
    struct redactor *r;
    const uint8_t *in;
    uint8_t *out;
    int depth;   /* tunnels */
    bool quoted; /* within an ICMP error */
    bool sum_void;
    struct addr from_src, from_dst, to_src, to_dst; /* of the innermost IP header */
    uint16_t sport, dport;
};
static inline uint16_t get16(const uint8_t *b)
{
    return (uint16_t)(b[0] << 8 | b[1]);
}
static inline void put16(uint8_t *b, unsigned v)
{
    b[0] = (uint8_t)(v >> 8);
    b[1] = (uint8_t)v;
}
static inline size_t here(const struct span *s)
{
    return s->end - s->off;
}
void keep(struct rewrite *w, size_t off, size_t n);
/* Takes n bytes off the front; false: they are not all here. */
bool take(struct span *s, size_t n);
void rewrite_addr4(struct rewrite *w, size_t off);
void rewrite_addr6(struct rewrite *w, size_t off);
void rewrite_mac(struct rewrite *w, size_t off);
/* The 16-bit field at `at` makes good what has changed: in [from, to), and in the addresses. */
void mend_sum(struct rewrite *w, size_t at, size_t from, size_t to, bool addresses);
uint32_t sum16(uint32_t acc, const uint8_t *b, size_t n); /* ones' complement, folded */
void rewrite_ethernet(struct rewrite *w, struct span s);
void rewrite_ethertype(struct rewrite *w, struct span s, uint16_t type);
void rewrite_ppp(struct rewrite *w, struct span s);
void rewrite_wifi(struct rewrite *w, struct span s);
void rewrite_raw(struct rewrite *w, struct span s);
void rewrite_transport(struct rewrite *w, struct span s, uint8_t proto, bool fragment);

/* ---- payload.c and beside it: in and out are n bytes, out is all written ---- */
void rewrite_payload(struct rewrite *w, const struct span *s, const uint8_t *tcp);
/* The front of a stream, or a datagram. */
void rewrite_app(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n, uint16_t sport,
                 uint16_t dport);
void rewrite_tls(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n);
void rewrite_http(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n);
void rewrite_dns(struct redactor *r, const uint8_t *in, uint8_t *out, size_t n);

/* ---- stream.c ---- */
bool stream_goes_on(struct rewrite *w, const struct span *s, const uint8_t *tcp);
void stream_begins(struct rewrite *w, const struct span *s, const uint8_t *tcp);
void streams_release(struct streams *st);

#endif
