/*
 * Fuzz targets: each file fuzz_NAME.c has one entry point, libFuzzer's, and says how to begin.
 * With clang they link to -fsanitize=fuzzer ("make libfuzzer"); without, fuzz/standalone.c runs
 * them on files, or mutates what is there for some seconds ("make check").
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef void (*fuzz_add)(void *arg, const void *data, size_t len);
/* The inputs this target begins with, made by itself. */
void fuzz_seeds(fuzz_add add, void *arg);
/* The inputs to be had from one file of the corpus (a capture). */
void fuzz_seeds_of_capture(const uint8_t *file, size_t len, fuzz_add add, void *arg);

/* What must hold of any input; stops so that both runners notice. */
#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #cond);                  \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Shown text never bears what a terminal would obey. */
static inline void must_be_clean(const char *text, size_t size)
{
    size_t n = strnlen(text, size);

    MUST(n < size);
    for (size_t i = 0; i < n; i++)
        MUST((uint8_t)text[i] >= 0x20 && text[i] != 0x7f);
}

static inline void put_be16(struct strbuf *b, unsigned v)
{
    strbuf_addch(b, (char)(v >> 8));
    strbuf_addch(b, (char)v);
}

/* A packet among those of one input: its link type, a byte to spare, its length, its bytes. */
static inline void put_packet(struct strbuf *b, uint32_t link, const void *data, size_t len)
{
    put_be16(b, link);
    strbuf_addch(b, 0);
    put_be16(b, (unsigned)len);
    strbuf_add(b, data, len);
}

/* The first packets of a capture, each cut at so many bytes, as one input. */
static inline void add_first_packets(const uint8_t *file, size_t len, size_t most, fuzz_add add,
                                     void *arg)
{
    struct capread c;
    struct record rec;
    struct strbuf b = STRBUF_INIT;
    size_t at = 0, used;

    capread_init(&c);
    while (c.records < 12 && capread_next(&c, file + at, len - at, &used, &rec) == 1) {
        at += used;
        put_packet(&b, rec.link, rec.data, MIN_OF(rec.caplen, most));
    }
    if (b.len)
        add(arg, b.buf, b.len);
    capread_release(&c);
    strbuf_release(&b);
}

#endif
