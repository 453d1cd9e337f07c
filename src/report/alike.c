/* Folding: a thousand resets of one kind are one paragraph and a number. */
#include "report/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    uint64_t key;
    size_t index;
};

static uint64_t incident_key(const struct session *s, const struct incident *i)
{
    const struct judgement *j = &i->judgement;
    const char *cause = j->nverdicts ? j->verdicts[0].cause->id : "";
    uint64_t key = hash_bytes(1, cause, strlen(cause));

    key = hash_mix(key, (uint64_t)incident_stage(s, i) * 16 + (uint64_t)j->sender);
    key = hash_mix(key, j->nverdicts ? (uint64_t)j->verdicts[0].grade : 9);
    key = hash_mix(key, (uint64_t)(i->is_reset + 2 * i->repeat + 4 * i->related + 8 * i->log_id));
    key = hash_mix(key, hash_bytes(2, i->harmful_why, strlen(i->harmful_why)));
    return i->harmful ? hash_mix(key, i->target) : key;
}

static int by_key(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int by_first(const void *a, const void *b)
{
    const struct alike *x = a, *y = b;

    return x->members[0] < y->members[0] ? -1 : x->members[0] > y->members[0];
}

void alike_release(struct alike_list *l)
{
    free(l->items);
    free(l->members);
    memset(l, 0, sizeof(*l));
}

static int group(struct alike_list *l, const struct session *s, const struct entry *e, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        l->members[i] = e[i].index;
        if (i && e[i].key == e[i - 1].key) {
            l->items[l->nr - 1].nr++;
            continue;
        }
        int err = ARRAY_GROW(l->items, l->nr + 1, l->alloc);
        if (err)
            return err;
        l->items[l->nr++] = (struct alike){s->incidents[e[i].index], &l->members[i], 1};
    }
    if (l->nr)
        qsort(l->items, l->nr, sizeof(*l->items), by_first);
    return 0;
}

int alike_build(struct alike_list *l, const struct session *s, bool harmful)
{
    struct entry *entries = calloc(s->nincidents + 1, sizeof(*entries));
    size_t n = 0;
    int err = -ENOMEM;

    memset(l, 0, sizeof(*l));
    l->members = calloc(s->nincidents + 1, sizeof(*l->members));
    if (entries && l->members) {
        for (size_t k = 0; k < s->nincidents; k++)
            if (s->incidents[k]->harmful == harmful && s->incidents[k]->harmful_why)
                entries[n++] = (struct entry){incident_key(s, s->incidents[k]), k};
        qsort(entries, n, sizeof(*entries), by_key);
        err = group(l, s, entries, n);
    }
    free(entries);
    if (err)
        alike_release(l);
    return err;
}
