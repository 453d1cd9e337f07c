/*
 * Reads a mapped file ahead of who looks at its packets, in a thread: it walks the records, makes
 * of each what needs no other, and puts them on the belt in batches, in the file's order. Only
 * bytes that do not change and memory of its own are touched there, so its timing changes nothing.
 */
#include "capture/source.h"

#include <stdlib.h>

#define BATCHES 4 /* what both work on at a time stays in the cache */

struct reader {
    struct belt *belt;
    struct capread *walk;
    struct capture_callbacks cb; /* a copy: capture_free() clears the other while this runs */
    const uint8_t *p;
    size_t len, off, nifs;
    struct batch batches[BATCHES];
};

static bool fill(void *arg, unsigned place)
{
    struct reader *r = arg;
    struct batch *b = &r->batches[place];

    b->known_ifs = r->nifs;
    batch_fill(b, r->walk, &r->cb, r->p + r->off, r->len - r->off, BATCH_RECORDS);
    r->off += b->used;
    r->nifs = r->walk->nifs;
    return b->r > 0;
}

struct reader *reader_start(struct capread *walk, const struct capture_callbacks *cb,
                            const uint8_t *p, size_t len)
{
    struct reader *r = calloc(1, sizeof(*r));
    int err = 0;

    if (!r)
        return NULL;
    *r = (struct reader){.walk = walk, .cb = *cb, .p = p, .len = len};
    for (size_t i = 0; i < BATCHES && !err; i++)
        err = batch_init(&r->batches[i], cb);
    if (!err)
        r->belt = belt_start(BATCHES, fill, r);
    if (r->belt)
        return r;
    reader_free(r);
    return NULL;
}

struct batch *reader_batch(struct reader *r)
{
    return &r->batches[belt_take(r->belt)];
}

void reader_done(struct reader *r)
{
    belt_done(r->belt);
}

void reader_halt(struct reader *r)
{
    if (r)
        belt_halt(r->belt);
}

void reader_free(struct reader *r)
{
    if (!r)
        return;
    belt_stop(r->belt);
    for (size_t i = 0; i < BATCHES; i++)
        batch_release(&r->batches[i]);
    free(r);
}
