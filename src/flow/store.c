/*
 * Room for first bytes: blocks of a few sizes cut from large pieces, so that keeping the beginning
 * of a connection asks the allocator for nothing. What is given back waits for the next of its
 * size.
 */
#include "flow/internal.h"

#include <stdlib.h>

#define STORE_LEAST 64

struct store_block {
    struct store_block *next;
};

static unsigned class_of_size(size_t size)
{
    unsigned class = 0;
    while ((size_t)STORE_LEAST << class < size)
        class ++;
    return class;
}

size_t store_size(size_t size)
{
    return (size_t)STORE_LEAST << class_of_size(size);
}

void *store_get(struct store *s, size_t size)
{
    unsigned class = class_of_size(size);
    struct store_block *b = s->idle[class];
    size = (size_t)STORE_LEAST << class;
    if (b) {
        s->idle[class] = b->next;
        return b;
    }
    if (s->left < size) { /* what is left over is less than one block: it is given up */
        uint8_t *piece;
        if (ARRAY_GROW(s->pieces, s->npieces + 1, s->pieces_alloc) < 0 ||
            !(piece = s->block(FLOW_BLOCK)))
            return NULL;
        s->pieces[s->npieces++] = piece;
        s->at = piece;
        s->left = FLOW_BLOCK;
    }
    void *at = s->at;
    s->at += size;
    s->left -= size;
    return at;
}

void store_put(struct store *s, void *block, size_t size)
{
    struct store_block *b = block;
    unsigned class = class_of_size(size);
    b->next = s->idle[class];
    s->idle[class] = b;
}

void store_release(struct store *s)
{
    for (size_t i = 0; i < s->npieces; i++)
        free(s->pieces[i]);
    free(s->pieces);
    *s = (struct store){.block = s->block};
}
