/* A map of numbers: open addressing, linear probing, no tombstones (Knuth 6.4, algorithm R). */
#include "session/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t map_slot(const struct map *m, uint64_t key)
{
    size_t mask = m->alloc - 1, at = (size_t)hash_mix(key, 0x5eed) & mask;

    while (m->values[at] && m->keys[at] != key)
        at = (at + 1) & mask;
    return at;
}

void map_release(struct map *m)
{
    free(m->keys);
    free(m->values);
    memset(m, 0, sizeof(*m));
}

static int map_resize(struct map *m, size_t alloc)
{
    struct map bigger = {
        .keys = calloc(alloc, sizeof(uint64_t)),
        .values = calloc(alloc, sizeof(uint64_t)),
        .alloc = alloc,
    };

    if (!bigger.keys || !bigger.values) {
        map_release(&bigger);
        return -ENOMEM;
    }
    for (size_t i = 0; i < m->alloc; i++) {
        if (!m->values[i])
            continue;
        size_t at = map_slot(&bigger, m->keys[i]);
        bigger.keys[at] = m->keys[i];
        bigger.values[at] = m->values[i];
    }
    bigger.nr = m->nr;
    map_release(m);
    *m = bigger;
    return 0;
}

int map_set(struct map *m, uint64_t key, uint64_t value)
{
    if ((m->nr + 1) * 3 > m->alloc * 2) {
        int err = map_resize(m, m->alloc ? m->alloc * 2 : 16);
        if (err)
            return err;
    }
    size_t at = map_slot(m, key);
    if (!m->values[at])
        m->nr++;
    m->keys[at] = key;
    m->values[at] = value;
    return 0;
}

uint64_t map_get(const struct map *m, uint64_t key)
{
    return m->alloc ? m->values[map_slot(m, key)] : 0;
}

void map_drop(struct map *m, uint64_t key)
{
    if (!m->alloc)
        return;
    size_t mask = m->alloc - 1, hole = map_slot(m, key);
    if (!m->values[hole])
        return;
    m->nr--;
    m->values[hole] = 0;
    /* What was pushed past the hole moves back into it. */
    for (size_t at = (hole + 1) & mask; m->values[at]; at = (at + 1) & mask) {
        size_t home = (size_t)hash_mix(m->keys[at], 0x5eed) & mask;
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        m->keys[hole] = m->keys[at];
        m->values[hole] = m->values[at];
        m->values[at] = 0;
        hole = at;
    }
}
