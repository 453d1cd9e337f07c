/*
 * The ledger: what probes, the host, experiments, logs and the user said, by what it is about.
 * Every entry of a kind is kept for a while (an undo goes back to the one before), newest last.
 */
#include "evidence/evidence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HISTORY_A_KIND 8 /* superseded entries kept of one kind; older ones cannot be undone to */

struct page { /* what is known about one subject */
    struct subject subject;
    struct fact *items; /* in order of arrival; strings are malloc'ed */
    size_t nr, alloc;
    uint64_t revision;
};
struct ledger {
    struct page **slots; /* open addressing, a power of two */
    size_t nr, size;
};

const char *about_name(enum about a)
{
    static const char *const names[ABOUT_KINDS] = {"host",  "target", "result",
                                                   "reset", "ending", "log"};
    return a < ABOUT_KINDS ? names[a] : "";
}

struct ledger *ledger_new(void)
{
    return calloc(1, sizeof(struct ledger));
}

static void fact_release(struct fact *f)
{
    free((char *)f->ref);
    for (int i = 0; i < FACT_VALUES; i++)
        if (f->v[i].type == VALUE_TEXT)
            free((char *)f->v[i].u.s);
}

static void page_empty(struct page *p)
{
    for (size_t i = 0; i < p->nr; i++)
        fact_release(&p->items[i]);
    free(p->items);
    p->items = NULL;
    p->nr = p->alloc = 0;
}

void ledger_free(struct ledger *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->size; i++) {
        if (!l->slots[i])
            continue;
        page_empty(l->slots[i]);
        free(l->slots[i]);
    }
    free(l->slots);
    free(l);
}

static size_t place(const struct ledger *l, struct subject s)
{
    size_t i = (size_t)hash_mix(s.id, (uint64_t)s.about + 1) & (l->size - 1);

    while (l->slots[i] &&
           (l->slots[i]->subject.about != s.about || l->slots[i]->subject.id != s.id))
        i = (i + 1) & (l->size - 1);
    return i;
}

static struct page *page_of(const struct ledger *l, struct subject s)
{
    return l->size ? l->slots[place(l, s)] : NULL;
}

static int grow(struct ledger *l)
{
    struct ledger bigger = {.nr = l->nr, .size = l->size ? l->size * 2 : 64};

    bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
    if (!bigger.slots)
        return -ENOMEM;
    for (size_t i = 0; i < l->size; i++)
        if (l->slots[i])
            bigger.slots[place(&bigger, l->slots[i]->subject)] = l->slots[i];
    free(l->slots);
    *l = bigger;
    return 0;
}

static int page_make(struct ledger *l, struct subject s, struct page **out)
{
    *out = page_of(l, s);
    if (*out)
        return 0;
    if (2 * (l->nr + 1) > l->size && grow(l) < 0)
        return -ENOMEM;
    struct page *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->subject = s;
    l->slots[place(l, s)] = p;
    l->nr++;
    *out = p;
    return 0;
}

static int fact_copy(struct fact *out, const struct fact *f)
{
    *out = *f;
    out->undone = false;
    out->ref = NULL;
    for (int i = 0; i < FACT_VALUES; i++)
        if (out->v[i].type == VALUE_TEXT)
            out->v[i].u.s = NULL;
    if (f->ref && !(out->ref = strdup(f->ref)))
        return -ENOMEM;
    for (int i = 0; i < FACT_VALUES; i++) {
        if (f->v[i].type != VALUE_TEXT)
            continue;
        out->v[i].u.s = strdup(f->v[i].u.s ? f->v[i].u.s : "");
        if (!out->v[i].u.s)
            return -ENOMEM;
    }
    return 0;
}

/* Drops the oldest entry of a kind once there are too many. */
static void trim(struct page *p, enum fact_kind kind)
{
    size_t n = 0, oldest = 0;

    for (size_t i = p->nr; i-- > 0;)
        if (p->items[i].kind == kind) {
            n++;
            oldest = i;
        }
    if (n <= HISTORY_A_KIND)
        return;
    fact_release(&p->items[oldest]);
    memmove(&p->items[oldest], &p->items[oldest + 1], (p->nr - oldest - 1) * sizeof(*p->items));
    p->nr--;
}

int ledger_put(struct ledger *l, struct subject s, const struct fact *f)
{
    struct page *p;
    struct fact copy;

    if (f->kind <= FACT_NOTHING || f->kind >= FACT_KIND_COUNT)
        return -EINVAL;
    if (page_make(l, s, &p) < 0 || ARRAY_GROW(p->items, p->nr + 1, p->alloc) < 0)
        return -ENOMEM;
    if (fact_copy(&copy, f) < 0) {
        fact_release(&copy);
        return -ENOMEM;
    }
    p->items[p->nr++] = copy;
    trim(p, f->kind);
    p->revision++;
    return 0;
}

static struct fact *latest(const struct page *p, enum fact_kind kind)
{
    for (size_t i = p ? p->nr : 0; i-- > 0;)
        if (p->items[i].kind == kind && !p->items[i].undone)
            return &p->items[i];
    return NULL;
}

int ledger_undo(struct ledger *l, struct subject s, enum fact_kind kind)
{
    struct page *p = page_of(l, s);
    struct fact *f = latest(p, kind);

    if (!f)
        return -ENOENT;
    f->undone = true;
    p->revision++;
    return 0;
}

const struct fact *ledger_get(const struct ledger *l, struct subject s, enum fact_kind kind)
{
    return latest(page_of(l, s), kind);
}

void ledger_gather(const struct ledger *l, struct subject s, struct facts *out)
{
    const struct page *p = page_of(l, s);

    for (size_t i = p ? p->nr : 0; i-- > 0;) /* newest first, so that the first of a kind stays */
        if (!p->items[i].undone && !facts_get(out, p->items[i].kind))
            facts_add(out, &p->items[i]);
}

void ledger_forget(struct ledger *l, struct subject s)
{
    struct page *p = page_of(l, s);

    if (!p)
        return;
    page_empty(p); /* the page stays, so that its revision never goes back */
    p->revision++;
}

uint64_t ledger_revision(const struct ledger *l, struct subject s)
{
    const struct page *p = page_of(l, s);
    return p ? p->revision : 0;
}
