/*
 * compare.c: two runs held against each other: what failed how often, and why, and how long it
 * took.
 */
#include "view/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES_MAX 2000
#define NOISE       0.1                 /* where both fail, less of a difference is none */
#define FLOW_SLACK  (3600 * NS_PER_SEC) /* two hosts' clocks */

struct building {
    struct comparison *c;
    int side;
    uint64_t *buckets; /* hash of a name -> index + 1 of a row; open addressing */
    size_t nbuckets;
};

/* ---- rows by name ---- */

static int grow_buckets(struct building *b)
{
    size_t n = b->nbuckets ? b->nbuckets * 2 : 256;
    uint64_t *fresh = calloc(n, sizeof(*fresh));

    if (!fresh)
        return -ENOMEM;
    for (size_t i = 0; i < b->c->nrows; i++) {
        const char *name = b->c->rows[i].name;
        size_t at = hash_bytes(7, name, strlen(name)) & (n - 1);
        while (fresh[at])
            at = (at + 1) & (n - 1);
        fresh[at] = i + 1;
    }
    free(b->buckets);
    b->buckets = fresh;
    b->nbuckets = n;
    return 0;
}

static struct compare_row *row_of(struct building *b, const char *name)
{
    struct comparison *c = b->c;

    if (c->nrows * 2 >= b->nbuckets && grow_buckets(b))
        return NULL;
    size_t at = hash_bytes(7, name, strlen(name)) & (b->nbuckets - 1);
    for (; b->buckets[at]; at = (at + 1) & (b->nbuckets - 1))
        if (strcmp(c->rows[b->buckets[at] - 1].name, name) == 0)
            return &c->rows[b->buckets[at] - 1];
    if (ARRAY_GROW(c->rows, c->nrows + 1, c->rows_alloc))
        return NULL;
    struct compare_row *r = &c->rows[c->nrows++];
    memset(r, 0, sizeof(*r));
    text_clean(r->name, sizeof(r->name), name, strlen(name));
    r->p = 1;
    for (int k = 0; k < 2; k++) {
        r->half[k].sender = SENDER_UNKNOWN;
        r->half[k].stage = STAGE_UNKNOWN;
        for (int i = 0; i < TIMING_COUNT; i++)
            r->half[k].timings[i] = NSTIME_NONE;
    }
    b->buckets[at] = c->nrows;
    return r;
}

/* ---- one side's targets ---- */

static bool in_rounds(const struct compare_side *side, uint32_t round)
{
    return (!side->from || round >= side->from) && (!side->to || round <= side->to);
}

static int by_span(const void *a, const void *b)
{
    nstime x = *(const nstime *)a, y = *(const nstime *)b;

    return (x > y) - (x < y);
}

/* The middle one of a timing; each stage's own is told by its own probe. */
static nstime median(const struct compare_side *side, const struct target_state *ts, int timing,
                     nstime *spans, size_t *samples)
{
    size_t n = 0;

    for (size_t i = 0; i < ts->nresults && n < SAMPLES_MAX; i++) {
        const struct result *r = session_result_by_id(side->s, ts->results[i]);
        if (r && !r->repeat && r->outcome == OUTCOME_OK && in_rounds(side, r->round) &&
            r->timings[timing] != NSTIME_NONE)
            spans[n++] = r->timings[timing];
    }
    *samples = n;
    if (!n)
        return NSTIME_NONE;
    qsort(spans, n, sizeof(*spans), by_span);
    return spans[n / 2];
}

static void count_rounds(struct compare_half *half, const struct compare_side *side,
                         const struct target_state *ts)
{
    uint32_t round = 0;
    bool failed = false;

    for (size_t i = 0; i < ts->nresults; i++) {
        const struct result *r = session_result_by_id(side->s, ts->results[i]);
        if (!r || r->repeat || !in_rounds(side, r->round))
            continue;
        if (r->round != round) {
            half->failed += failed;
            half->tries++;
            round = r->round;
            failed = false;
        }
        failed = failed || r->outcome == OUTCOME_FAILED;
    }
    half->failed += failed;
}

static int add_targets(struct building *b)
{
    const struct compare_side *side = &b->c->side[b->side];
    nstime *spans = calloc(SAMPLES_MAX, sizeof(*spans));
    int err = spans ? 0 : -ENOMEM;

    for (size_t t = 0; t < side->s->ntargets && !err; t++) {
        const struct target_state *ts = &side->s->targets[t];
        struct compare_row *row = row_of(b, ts->target->name);
        if (!row) {
            err = -ENOMEM;
            break;
        }
        struct compare_half *half = &row->half[b->side];
        count_rounds(half, side, ts);
        half->known = half->tries > 0;
        for (int i = 0; i < TIMING_COUNT; i++) {
            size_t n;
            half->timings[i] = median(side, ts, i, spans, &n);
            half->samples = MAX_OF(half->samples, n);
        }
    }
    free(spans);
    return err;
}

/* ---- one side's connections ---- */

static int add_connections(struct building *b)
{
    const struct session *s = b->c->side[b->side].s;
    struct flow_record rec;
    char name[ENDPOINT_TEXT_MAX];

    for (uint64_t i = 0; session_flow_record(s, i, &rec); i++) {
        struct compare_row *row = row_of(b, endpoint_text(name, &rec.key.dst, rec.key.dport));
        if (!row)
            return -ENOMEM;
        row->half[b->side].known = true;
        row->half[b->side].tries++;
    }
    return 0;
}

static bool incident_counts(const struct compare_side *side, const struct incident *i)
{
    const struct result *r = i ? session_result_by_id(side->s, i->result) : NULL;

    return i && i->harmful && i->related && !i->repeat && (!r || in_rounds(side, r->round));
}

static struct compare_row *row_of_incident(struct building *b, const struct incident *i)
{
    const struct target_state *ts = session_target(b->c->side[b->side].s, i->target);
    char name[ENDPOINT_TEXT_MAX];

    if (ts)
        return row_of(b, ts->target->name);
    return i->flow_known ? row_of(b, endpoint_text(name, &i->flow.dst, i->flow.dport)) : NULL;
}

/* seen: how often the cause stood there so far. The most frequent one stays. */
static void take_cause(struct compare_half *half, const struct judgement *j, uint64_t *seen)
{
    const struct cause *cause = j->determined ? j->verdicts[0].cause : NULL;
    uint64_t n = ++*seen;

    if (!cause || n <= half->cause_count)
        return;
    half->cause = cause;
    half->cause_count = n;
    half->sender = j->sender;
    half->stage = j->stage;
}

struct seen_cause { /* of an incident */
    size_t row, incident;
    const struct cause *cause;
};

static int by_row(const void *a, const void *b)
{
    const struct seen_cause *x = a, *y = b;

    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return (x->cause > y->cause) - (x->cause < y->cause);
}

static int add_incidents(struct building *b)
{
    const struct compare_side *side = &b->c->side[b->side];
    const struct session *s = side->s;
    struct seen_cause *seen = calloc(s->nincidents + 1, sizeof(*seen));
    size_t n = 0;

    for (size_t k = 0; seen && k < s->nincidents; k++) {
        if (!incident_counts(side, s->incidents[k]))
            continue;
        struct compare_row *row = row_of_incident(b, s->incidents[k]);
        if (!row)
            continue;
        struct compare_half *half = &row->half[b->side];
        if (!session_target(s, s->incidents[k]->target)) {
            half->known = true;
            half->failed++;
            half->tries = MAX_OF(half->tries, half->failed);
        }
        const struct judgement *j = &s->incidents[k]->judgement;
        seen[n++] = (struct seen_cause){(size_t)(row - b->c->rows), k,
                                        j->determined ? j->verdicts[0].cause : NULL};
    }
    if (seen && n)
        qsort(seen, n, sizeof(*seen), by_row);
    uint64_t count = 0;
    for (size_t k = 0; seen && k < n; k++) {
        if (!k || by_row(&seen[k - 1], &seen[k]))
            count = 0;
        take_cause(&b->c->rows[seen[k].row].half[b->side],
                   &s->incidents[seen[k].incident]->judgement, &count);
    }
    int err = seen ? 0 : -ENOMEM;
    free(seen);
    return err;
}

/* ---- what follows ---- */

static void judge_row(struct compare_row *r)
{
    const struct compare_half *a = &r->half[0], *b = &r->half[1];

    if (!a->known || !b->known) {
        r->verdict = a->known ? COMPARE_ONLY_A : COMPARE_ONLY_B;
        return;
    }
    uint64_t left = a->failed * b->tries, right = b->failed * a->tries;
    struct fix_counts better = {(unsigned)a->failed, (unsigned)a->tries, (unsigned)b->failed,
                                (unsigned)b->tries};
    struct fix_counts worse = {(unsigned)b->failed, (unsigned)b->tries, (unsigned)a->failed,
                               (unsigned)a->tries};
    r->p = right == left ? 1 : fix_p_value(right < left ? &better : &worse);
    r->sure = r->p < COMPARE_LEVEL;
    if (right != left && (r->p < NOISE || !a->failed || !b->failed))
        r->verdict = right < left ? COMPARE_BETTER : COMPARE_WORSE;
    else if (a->failed && a->cause != b->cause)
        r->verdict = COMPARE_CHANGED;
}

static int by_weight(const void *a, const void *b)
{
    static const int weight[] = {[COMPARE_WORSE] = 0,  [COMPARE_CHANGED] = 1, [COMPARE_BETTER] = 2,
                                 [COMPARE_ONLY_B] = 3, [COMPARE_ONLY_A] = 4,  [COMPARE_SAME] = 5};
    const struct compare_row *x = a, *y = b;

    if (x->verdict != y->verdict)
        return weight[x->verdict] - weight[y->verdict];
    if (x->p < y->p || x->p > y->p)
        return x->p < y->p ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* ---- resets of connections that both saw ---- */

static const struct reset *reset_of(const struct session *s, const struct flow *f)
{
    return f ? flow_table_reset_of(s->flows, flow_id(f)) : NULL;
}

static int add_reset(struct comparison *c, const struct flow_key *key, const struct reset *a,
                     const struct reset *b)
{
    if (c->nresets >= COMPARE_RESETS_MAX) {
        c->more_resets++;
        return 0;
    }
    if (ARRAY_GROW(c->resets, c->nresets + 1, c->resets_alloc))
        return -ENOMEM;
    c->resets[c->nresets++] = (struct compare_reset){*key, {a, b}};
    return 0;
}

/* Ports are used again: only the initial sequence numbers tell that it is one connection. */
static bool same_connection(const struct flow *a, const struct flow *b)
{
    bool same = false;

    for (int side = 0; a && b && side < 2; side++) {
        const struct flow_half *x = flow_get_half(a, side), *y = flow_get_half(b, side);
        if (!x->isn_known || !y->isn_known)
            continue;
        if (x->isn != y->isn)
            return false;
        same = true;
    }
    return same;
}

static int pair_resets(struct comparison *c)
{
    const struct session *a = c->side[0].s, *b = c->side[1].s;
    int err = 0;

    if (a == b)
        return 0;
    for (int side = 0; side < 2 && !err; side++) {
        const struct session *one = side ? b : a, *other = side ? a : b;
        for (uint64_t id = 1; id <= flow_table_resets(one->flows) && !err; id++) {
            const struct reset *r = flow_table_reset(one->flows, id);
            const struct flow *f =
                r ? flow_table_find(other->flows, &r->key, r->time, FLOW_SLACK) : NULL;
            const struct flow *mine = r ? flow_table_by_id(one->flows, r->flow) : NULL;
            const struct reset *theirs = reset_of(other, f);
            if (same_connection(mine, f) &&
                !(side && theirs)) /* told with the first side's already */
                err = add_reset(c, &r->key, side ? theirs : r, side ? r : theirs);
        }
    }
    return err;
}

int compare_build(struct comparison *c, const struct compare_side side[2])
{
    struct building b = {.c = c};
    int err = 0;

    memset(c, 0, sizeof(*c));
    memcpy(c->side, side, sizeof(c->side));
    for (b.side = 0; b.side < 2 && !err; b.side++) {
        err = add_targets(&b);
        if (!err && !side[b.side].s->ntargets)
            err = add_connections(&b);
        err = err ? err : add_incidents(&b);
    }
    for (size_t i = 0; i < c->nrows; i++)
        judge_row(&c->rows[i]);
    if (c->nrows)
        qsort(c->rows, c->nrows, sizeof(*c->rows), by_weight);
    err = err ? err : pair_resets(c);
    free(b.buckets);
    if (err)
        compare_release(c);
    return err;
}

void compare_release(struct comparison *c)
{
    free(c->rows);
    free(c->resets);
    memset(c, 0, sizeof(*c));
}

bool compare_is_worse(const struct comparison *c)
{
    for (size_t i = 0; i < c->nrows; i++)
        if (c->rows[i].verdict == COMPARE_WORSE)
            return true;
    return false;
}
