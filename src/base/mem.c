/* Growable arrays and arenas. */
#include "base/base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int array_grow(void *pptr, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return 0;
    size_t want = *cap < 8 ? 8 : *cap + *cap / 2;
    if (want < need)
        want = need;
    if (size && want > SIZE_MAX / size)
        return -ENOMEM;
    void *old, *fresh;
    memcpy(&old, pptr, sizeof(old)); /* pptr is the address of some object pointer */
    fresh = realloc(old, want * size);
    if (!fresh)
        return -ENOMEM;
    memcpy(pptr, &fresh, sizeof(fresh));
    *cap = want;
    return 0;
}

#define ARENA_BLOCK 4000

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    max_align_t data[];
};

void arena_init(struct arena *a)
{
    *a = (struct arena){0};
}

static struct arena_block *arena_more(struct arena *a, size_t size)
{
    size_t want = MAX_OF(size, (size_t)ARENA_BLOCK);
    struct arena_block *b = malloc(sizeof(*b) + want);
    if (!b)
        return NULL;
    b->used = 0;
    b->size = want;
    b->next = a->first;
    a->first = b;
    return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > SIZE_MAX - 64)
        return NULL;
    size = (size + 7) & ~(size_t)7;
    struct arena_block *b = a->first;
    if (!b || b->size - b->used < size)
        b = arena_more(a, size);
    if (!b)
        return NULL;
    void *at = (char *)b->data + b->used;
    b->used += size;
    a->used += size;
    return memset(at, 0, size);
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
    char *copy = arena_alloc(a, len + 1);
    if (copy)
        memcpy(copy, s, len);
    return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

static void arena_drop(struct arena_block *b)
{
    while (b) {
        struct arena_block *next = b->next;
        free(b);
        b = next;
    }
}

void arena_clear(struct arena *a)
{
    if (a->first) {
        arena_drop(a->first->next);
        a->first->next = NULL;
        a->first->used = 0;
    }
    a->used = 0;
}

void arena_release(struct arena *a)
{
    arena_drop(a->first);
    arena_init(a);
}
