/* struct facts: a set of facts, at most one of each kind. */
#include "evidence/evidence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void facts_init(struct facts *f)
{
    *f = (struct facts){0};
    arena_init(&f->strings);
}

void facts_release(struct facts *f)
{
    free(f->items);
    arena_release(&f->strings);
    facts_init(f);
}

void facts_clear(struct facts *f)
{
    f->nr = 0;
    f->err = 0;
    arena_clear(&f->strings);
}

static const char *keep(struct facts *f, const char *s)
{
    if (!s)
        return NULL;
    const char *copy = arena_strdup(&f->strings, s);
    if (!copy && !f->err)
        f->err = -ENOMEM;
    return copy;
}

static struct fact *find(const struct facts *f, enum fact_kind kind)
{
    for (size_t i = 0; i < f->nr; i++)
        if (f->items[i].kind == kind)
            return &f->items[i];
    return NULL;
}

static void copy_strings(struct facts *f, struct fact *into)
{
    into->ref = keep(f, into->ref);
    for (int i = 0; i < FACT_VALUES; i++)
        if (into->v[i].type == VALUE_TEXT)
            into->v[i].u.s = keep(f, into->v[i].u.s ? into->v[i].u.s : "");
}

void facts_add(struct facts *f, const struct fact *fact)
{
    if (fact->kind <= FACT_NOTHING || fact->kind >= FACT_KIND_COUNT)
        return;
    struct fact copy = *fact; /* first: fact may point into items, which may move */
    copy_strings(f, &copy);
    struct fact *slot = find(f, fact->kind);
    if (!slot) {
        if (ARRAY_GROW(f->items, f->nr + 1, f->alloc) < 0) {
            f->err = -ENOMEM;
            return;
        }
        slot = &f->items[f->nr++];
    }
    *slot = copy;
}

void facts_put(struct facts *f, enum fact_kind kind, bool yes, enum fact_source src,
               uint64_t packet, const char *ref, struct value v0, struct value v1, struct value v2)
{
    struct fact fact = {
        .kind = kind, .yes = yes, .source = src, .packet = packet, .ref = ref, .v = {v0, v1, v2}};
    facts_add(f, &fact);
}

const struct fact *facts_get(const struct facts *f, enum fact_kind kind)
{
    const struct fact *fact = find(f, kind);
    return fact && !fact->undone ? fact : NULL;
}

bool facts_yes(const struct facts *f, enum fact_kind kind)
{
    const struct fact *fact = facts_get(f, kind);
    return fact && fact->yes;
}

bool facts_no(const struct facts *f, enum fact_kind kind)
{
    const struct fact *fact = facts_get(f, kind);
    return fact && !fact->yes;
}

void facts_merge(struct facts *into, const struct facts *from, bool replace)
{
    for (size_t i = 0; i < from->nr; i++)
        if (replace || !facts_get(into, from->items[i].kind))
            facts_add(into, &from->items[i]);
    if (from->err && !into->err)
        into->err = from->err;
}

void facts_swap(struct facts *a, struct facts *b)
{
    struct facts was = *a;
    *a = *b;
    *b = was;
}

static int by_kind(const void *a, const void *b)
{
    const struct fact *x = a, *y = b;
    return x->kind < y->kind ? -1 : x->kind > y->kind;
}

void facts_sort(struct facts *f)
{
    if (f->nr > 1)
        qsort(f->items, f->nr, sizeof(*f->items), by_kind);
}
