/*
 * Records in batches: a batch is filled by walking the reader, then handed out one by one. What can
 * be made of a record before its turn is made while filling, and told of a little before it is due.
 */
#include "capture/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SOON    16 /* far enough for memory to answer, near enough to stay cached */
#define MADE_AT 64 /* a cache line */

int batch_init(struct batch *b, const struct capture_callbacks *cb)
{
    size_t size = cb->make ? (cb->made_size + MADE_AT - 1) / MADE_AT * MADE_AT : 0;

    *b = (struct batch){.made_size = size};
    b->records = malloc(BATCH_RECORDS * sizeof(*b->records));
    if (size)
        b->made = aligned_alloc(MADE_AT, BATCH_RECORDS * size);
    if (b->records && (b->made || !size))
        return 0;
    batch_release(b);
    return -ENOMEM;
}

void batch_release(struct batch *b)
{
    free(b->records);
    free(b->made);
    free(b->ifs);
    *b = (struct batch){0};
}

static void *made_at(const struct batch *b, size_t i)
{
    return b->made ? b->made + i * b->made_size : NULL;
}

/* The reader may move its table while these are looked at: they get one of their own. */
static void note_interfaces(struct batch *b, const struct capread *r)
{
    if (r->nifs == b->known_ifs)
        return;
    free(b->ifs);
    b->ifs = malloc(r->nifs * sizeof(*b->ifs));
    b->nifs = b->ifs ? r->nifs : 0;
    if (b->ifs)
        memcpy(b->ifs, r->ifs, r->nifs * sizeof(*b->ifs));
}

void batch_fill(struct batch *b, struct capread *r, const struct capture_callbacks *cb,
                const uint8_t *p, size_t len, size_t max)
{
    size_t took = 0;

    b->n = b->at = b->soon = b->used = 0;
    b->r = 1;
    while (b->n < max) {
        b->r = capread_next(r, p + b->used, len - b->used, &took, &b->records[b->n]);
        b->used += took;
        if (b->r <= 0)
            break;
        if (b->made)
            cb->make(cb->make_arg, &b->records[b->n], made_at(b, b->n));
        b->n++;
    }
    b->seen = r->records;
    note_interfaces(b, r);
}

static void tell_soon(struct capture *c, struct batch *b)
{
    for (size_t to = MIN_OF(b->at + SOON, b->n); b->soon < to; b->soon++) {
        size_t next = b->soon + SOON;
        if (next < b->n) { /* it was written by another processor */
            const char *m = made_at(b, next);
            for (size_t k = 0; k < 128; k += 64)
                __builtin_prefetch(m + k);
            __builtin_prefetch(&b->records[next]);
        }
        c->cb.on_soon(c->cb.arg, made_at(b, b->soon));
    }
}

bool capture_hand(struct capture *c, struct batch *b)
{
    if (b->nifs > c->nifs) {
        free(c->ifs);
        c->ifs = b->ifs;
        c->nifs = b->nifs;
        b->ifs = NULL;
        b->nifs = 0;
    }
    while (b->at < b->n) {
        if (b->made)
            tell_soon(c, b);
        size_t i = b->at++;
        if (!capture_deliver(c, &b->records[i], made_at(b, i))) {
            c->stats.seen = MAX_OF(c->stats.seen, b->records[i].number);
            return false;
        }
    }
    c->stats.seen = MAX_OF(c->stats.seen, b->seen);
    return true;
}

int capture_walk(struct capture *c, const uint8_t *p, size_t len, size_t *used)
{
    nstime until = loop_clock() + SLICE_NS;
    struct batch *b = &c->batch;

    *used = 0;
    for (;;) {
        if (b->at == b->n) { /* else it was halted there */
            b->known_ifs = c->nifs;
            batch_fill(b, &c->reader, &c->cb, p + *used, len - *used, BATCH_STREAM);
            *used += b->used;
        }
        if (!capture_hand(c, b))
            return 1;
        if (b->r <= 0 || loop_clock() >= until)
            return b->r;
    }
}
