/*
 * What several ends have in common (causes.md C3, history features). Values are the same when they
 * lie within 3 %: then at least three of them, and most of those there are, must. Ends at one
 * moment tell only where the connections had begun at different ones; else they are a burst of
 * attempts that all failed alike.
 */
#include "evidence/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LEAST       3                  /* ends that make a pattern */
#define LEAST_NO    4                  /* ends among which none was found make a no */
#define SAME_PART   33                 /* values within 1/33 (3 %) are the same */
#define SAME_SPAN   (150 * NS_PER_MS)  /* ... and spans within this, whatever they are */
#define LEAST_SPAN  (1500 * NS_PER_MS) /* of less, three alike are no wonder */
#define LEAST_INDEX 5
#define LEAST_SIZE  4096
#define INSTANT     (500 * NS_PER_MS)
#define SPREAD      5 /* they began over at least so many times the time in which they ended */

struct ranked { /* one item's value */
    int64_t value;
    uint32_t item;
};
struct search {
    struct patterns *out;
    const struct pattern_item *items;
    struct ranked *rank; /* room for all */
    size_t n;
};

void patterns_init(struct patterns *p)
{
    *p = (struct patterns){0};
    arena_init(&p->mem);
}

void patterns_release(struct patterns *p)
{
    free(p->items);
    free(p->of_item);
    arena_release(&p->mem);
    patterns_init(p);
}

/* ---- keeping what was found ---- */

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* The pattern of these ranked items; its members learn of it. */
static int found(struct search *s, struct pattern p, const struct ranked *r, size_t n)
{
    uint32_t *members = arena_alloc(&s->out->mem, n * sizeof(*members));
    int err = ARRAY_GROW(s->out->items, s->out->nr + 1, s->out->alloc);

    if (!members || err)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        members[i] = r[i].item;
    qsort(members, n, sizeof(*members), by_number);
    p.items = members;
    p.nr = n;
    s->out->items[s->out->nr++] = p;
    for (size_t i = 0; i < n; i++)
        s->out->of_item[members[i]][p.kind] = (uint32_t)s->out->nr;
    return 0;
}

static int by_value(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return x->item < y->item ? -1 : x->item > y->item;
}

/* ---- the same value ---- */

static bool is_span(enum pattern_kind k)
{
    return k == PATTERN_IDLE || k == PATTERN_WAIT || k == PATTERN_AGE;
}

static int64_t value_of(const struct pattern_item *i, enum pattern_kind k)
{
    int64_t v = 0;

    switch (k) {
    case PATTERN_IDLE: v = i->idle; break;
    case PATTERN_WAIT: v = i->wait; break;
    case PATTERN_AGE: v = i->age; break;
    case PATTERN_INDEX: return i->index >= LEAST_INDEX ? (int64_t)i->index : -1;
    case PATTERN_SIZE: return i->size >= LEAST_SIZE && i->size < INT64_MAX ? (int64_t)i->size : -1;
    default: return -1;
    }
    return v != NSTIME_NONE && v >= LEAST_SPAN ? v : -1;
}

static int64_t same_within(enum pattern_kind k, int64_t v)
{
    if (k == PATTERN_INDEX)
        return 0;
    return is_span(k) ? MAX_OF(v / SAME_PART, (int64_t)SAME_SPAN) : v / SAME_PART;
}

/* The most values that are the same: a window over them in order; of equal ones the lowest. */
static size_t widest(const struct ranked *r, size_t n, enum pattern_kind k, size_t *first)
{
    size_t best = 0;

    for (size_t lo = 0, hi = 0; lo < n; lo++) {
        while (hi < n && r[hi].value - r[lo].value <= same_within(k, r[lo].value))
            hi++;
        if (hi - lo > best) {
            best = hi - lo;
            *first = lo;
        }
    }
    return best;
}

/* Connections that began and ended together have all their times in common: no wonder. */
static bool at_many_moments(const struct search *s, enum pattern_kind k, const struct ranked *r,
                            size_t n)
{
    int64_t first = INT64_MAX, last = INT64_MIN, apart = r[n - 1].value - r[0].value;

    if (!is_span(k))
        return true;
    for (size_t i = 0; i < n; i++) {
        int64_t t = s->items[r[i].item].time;
        first = MIN_OF(first, t);
        last = MAX_OF(last, t);
    }
    return last - first >= MAX_OF(MAX_OF(SPREAD * apart, r[0].value / 4), (int64_t)NS_PER_SEC);
}

static int same_value(struct search *s, const uint32_t *order, size_t n, enum pattern_kind k)
{
    struct pattern p = {.kind = k};
    size_t have = 0, first = 0;

    for (size_t i = 0; i < n; i++) {
        int64_t v = value_of(&s->items[order[i]], k);
        if (v > 0)
            s->rank[have++] = (struct ranked){v, order[i]};
    }
    if (have < LEAST)
        return 0;
    qsort(s->rank, have, sizeof(*s->rank), by_value);
    size_t most = widest(s->rank, have, k, &first);
    p.of = have;
    if (most >= LEAST && 5 * most >= 3 * have) {
        if (!at_many_moments(s, k, s->rank + first, most))
            return 0;
        p.yes = true;
        p.value = s->rank[first].value;
        p.high = s->rank[first + most - 1].value;
        return found(s, p, s->rank + first, most);
    }
    p.value = s->rank[0].value;
    p.high = s->rank[have - 1].value;
    bool apart = 2 * most <= have && p.high / 2 >= p.value;
    return have >= LEAST_NO && apart ? found(s, p, s->rank, have) : 0;
}

/* ---- again and again ---- */

static int alike(struct search *s, const uint32_t *order, size_t n)
{
    struct pattern p = {.kind = PATTERN_ALIKE, .yes = true, .of = n, .value = (int64_t)n};

    if (n < LEAST)
        return 0;
    for (size_t i = 0; i < n; i++)
        s->rank[i] = (struct ranked){0, order[i]};
    return found(s, p, s->rank, n);
}

/* The times of one client's silent ends; even when no interval is far from their mean. */
static bool even_intervals(const struct ranked *r, size_t n)
{
    int64_t mean = (r[n - 1].value - r[0].value) / (int64_t)(n - 1);

    if (mean < NS_PER_SEC / 2)
        return false;
    for (size_t i = 1; i < n; i++) {
        int64_t off = r[i].value - r[i - 1].value - mean;
        if (off > mean / 10 || off < -mean / 10)
            return false;
    }
    return true;
}

static int periodic(struct search *s, const uint32_t *order, size_t n)
{
    for (size_t i = 0, end; i < n; i = end) {
        uint64_t client = s->items[order[i]].client;
        size_t have = 0;
        for (end = i; end < n && s->items[order[end]].client == client; end++)
            if (s->items[order[end]].silent)
                s->rank[have++] = (struct ranked){s->items[order[end]].time, order[end]};
        if (have < LEAST)
            continue;
        qsort(s->rank, have, sizeof(*s->rank), by_value);
        struct pattern p = {.kind = PATTERN_PERIODIC, .yes = true, .of = have};
        p.value = p.high = (s->rank[have - 1].value - s->rank[0].value) / (int64_t)(have - 1);
        int err = even_intervals(s->rank, have) ? found(s, p, s->rank, have) : 0;
        if (err)
            return err;
    }
    return 0;
}

/* ---- at one moment ---- */

static size_t hosts_of(const struct search *s, const struct ranked *r, size_t n)
{
    size_t hosts = 0;

    for (size_t i = 0; i < n && hosts < 100; i++) {
        bool first = true;
        for (size_t k = 0; k < i && first; k++)
            first = s->items[r[k].item].host != s->items[r[i].item].host;
        hosts += first;
    }
    return hosts;
}

static bool began_apart(const struct search *s, const struct ranked *r, size_t n)
{
    int64_t first = INT64_MAX, last = INT64_MIN, took = r[n - 1].value - r[0].value;

    for (size_t i = 0; i < n; i++) {
        int64_t began = s->items[r[i].item].born;
        first = MIN_OF(first, began);
        last = MAX_OF(last, began);
    }
    return last - first >= MAX_OF(SPREAD * took, (int64_t)NS_PER_SEC);
}

/* Windows of one moment over the ends in r, in order of time. */
static int moments(struct search *s, size_t n)
{
    for (size_t lo = 0, hi; lo < n; lo = hi) {
        const struct ranked *r = s->rank + lo;
        for (hi = lo; hi < n && s->rank[hi].value - r->value <= INSTANT;)
            hi++;
        if (hi - lo < LEAST || !began_apart(s, r, hi - lo))
            continue;
        struct pattern p = {.kind = PATTERN_INSTANT, .yes = true, .of = hi - lo};
        p.hosts = hosts_of(s, r, hi - lo);
        p.kind = p.hosts > 1 ? PATTERN_INSTANT_HOSTS : PATTERN_INSTANT;
        p.value = p.high = r[hi - lo - 1].value - r->value;
        int err = found(s, p, r, hi - lo);
        if (err)
            return err;
    }
    return 0;
}

static int at_one_moment(struct search *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        if (s->items[i].time != NSTIME_NONE && s->items[i].born != NSTIME_NONE &&
            s->items[i].time - s->items[i].born >= INSTANT)
            s->rank[n++] = (struct ranked){s->items[i].time, (uint32_t)i};
    qsort(s->rank, n, sizeof(*s->rank), by_value);
    return moments(s, n);
}

/* ---- all of it ---- */

struct place { /* where an item stands: with those of its service and shape, by client */
    uint64_t service, shape, client;
    uint32_t item;
};

static int by_service(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->service != y->service)
        return x->service < y->service ? -1 : 1;
    if (x->shape != y->shape)
        return x->shape < y->shape ? -1 : 1;
    if (x->client != y->client)
        return x->client < y->client ? -1 : 1;
    return x->item < y->item ? -1 : x->item > y->item;
}

static bool together(const struct place *a, const struct place *b)
{
    return a->service == b->service && a->shape == b->shape;
}

/* What the ends of one service and shape have in common. */
static int of_service(struct search *s, const uint32_t *order, size_t n)
{
    int err = alike(s, order, n);

    for (enum pattern_kind k = PATTERN_IDLE; k <= PATTERN_SIZE && !err; k++)
        err = same_value(s, order, n, k);
    return err ? err : periodic(s, order, n);
}

static int of_services(struct search *s, struct place *places, uint32_t *order)
{
    int err = 0;

    for (size_t i = 0; i < s->n; i++)
        places[i] =
            (struct place){s->items[i].service, s->items[i].shape, s->items[i].client, (uint32_t)i};
    qsort(places, s->n, sizeof(*places), by_service);
    for (size_t i = 0; i < s->n; i++)
        order[i] = places[i].item;
    for (size_t i = 0, end; i < s->n && !err; i = end) {
        for (end = i + 1; end < s->n && together(&places[i], &places[end]);)
            end++;
        err = of_service(s, order + i, end - i);
    }
    return err ? err : at_one_moment(s);
}

int patterns_find(struct patterns *p, const struct pattern_item *items, size_t n)
{
    struct search s = {.out = p, .items = items, .n = n};
    struct place *places = malloc((n + 1) * sizeof(*places));
    uint32_t *order = malloc((n + 1) * sizeof(*order));
    int err = -ENOMEM;

    patterns_release(p);
    p->of_item = calloc(n + 1, sizeof(*p->of_item));
    s.rank = malloc((n + 1) * sizeof(*s.rank));
    if (places && order && p->of_item && s.rank)
        err = of_services(&s, places, order);
    free(places);
    free(order);
    free(s.rank);
    if (err)
        patterns_release(p);
    return err;
}

/* ---- as a fact ---- */

enum fact_kind pattern_fact_kind(enum pattern_kind kind)
{
    static const enum fact_kind kinds[PATTERN_KINDS] = {[PATTERN_ALIKE] = FACT_MANY_RESETS,
                                                        [PATTERN_IDLE] = FACT_SAME_IDLE,
                                                        [PATTERN_WAIT] = FACT_SAME_WAIT,
                                                        [PATTERN_AGE] = FACT_SAME_AGE,
                                                        [PATTERN_INDEX] = FACT_SAME_INDEX,
                                                        [PATTERN_SIZE] = FACT_SAME_SIZE,
                                                        [PATTERN_PERIODIC] = FACT_PERIODIC_PROBE,
                                                        [PATTERN_INSTANT] = FACT_SAME_INSTANT,
                                                        [PATTERN_INSTANT_HOSTS] =
                                                            FACT_SAME_INSTANT_HOSTS};

    return kind < PATTERN_KINDS ? kinds[kind] : FACT_NOTHING;
}

static struct value pattern_value(enum pattern_kind k, int64_t v)
{
    return k == PATTERN_INDEX || k == PATTERN_SIZE || k == PATTERN_ALIKE ? v_int(v) : v_span(v);
}

void pattern_fact(struct fact *out, const struct pattern *p)
{
    *out = (struct fact){.kind = pattern_fact_kind(p->kind), .yes = p->yes, .source = SRC_PACKET};
    out->v[0] = v_int((int64_t)p->nr);
    if (p->kind == PATTERN_ALIKE)
        return;
    if (!p->yes) {
        out->v[1] = pattern_value(p->kind, p->value);
        out->v[2] = pattern_value(p->kind, p->high);
        return;
    }
    out->v[1] = v_int((int64_t)(p->kind == PATTERN_INSTANT_HOSTS ? p->hosts : p->of));
    /* the middle, for many; the greatest would be the one that is off */
    out->v[2] = pattern_value(p->kind, p->value + (p->high - p->value) / 2);
}
