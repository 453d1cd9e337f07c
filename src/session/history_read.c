/* Reading the history: one pass over the events of the time asked for, counted as they come. */
#include "session/history_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX  1000
#define TARGETS_MAX 20000
#define IDLES_MAX   4000 /* of one target */
#define CAUSES_HELD 8    /* of one target, for the most frequent one */

/* A table by id: ids are given from 1 on, without gaps to speak of. */
struct counted {
    struct history_target t;
    bool wanted;
    struct {
        int64_t cause;
        uint64_t count;
    } causes[CAUSES_HELD];
    nstime *idles;
    size_t nidles, idles_alloc;
};
struct reading {
    struct history_db *h;
    struct history_view *v;
    nstime since;
    struct counted *targets;
    size_t ntargets;
    const char **words;
    uint64_t *word_harmful;
    nstime *word_last;
    size_t nwords;
    const char *search;
};

static const char *column_text(struct reading *r, sqlite3_stmt *st, int column)
{
    const char *s = (const char *)sqlite3_column_text(st, column);
    size_t len = s ? strlen(s) : 0;
    char *out = arena_alloc(&r->v->mem, len + 4);

    /* Whoever can write the file is no friend for certain: it is cleaned like what a peer says. */
    if (out)
        text_clean(out, len + 1, s ? s : "", len);
    return out ? out : "";
}

static int largest(struct history_db *h, const char *sql, size_t *out)
{
    sqlite3_stmt *st = NULL;
    int err = history_prepare(h, &st, sql);

    *out = 0;
    if (!err) {
        int rc = sqlite3_step(st);
        int64_t n = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
        err = history_error(rc);
        if (n < 0 || n > 10000000)
            err = -EBADMSG;
        else
            *out = (size_t)n;
    }
    sqlite3_finalize(st);
    return err;
}

static bool has(const char *text, const char *part)
{
    return !part || !*part || strcasestr(text, part);
}

static int read_words(struct reading *r)
{
    sqlite3_stmt *st = NULL;
    int err = largest(r->h, "SELECT max(id) FROM words", &r->nwords), rc;

    r->words = calloc(r->nwords + 1, sizeof(*r->words));
    r->word_harmful = calloc(r->nwords + 1, sizeof(*r->word_harmful));
    r->word_last = calloc(r->nwords + 1, sizeof(*r->word_last));
    if (!r->words || !r->word_harmful || !r->word_last)
        return -ENOMEM;
    err = err ? err : history_prepare(r->h, &st, "SELECT id, word FROM words");
    while (!err && (rc = sqlite3_step(st)) != SQLITE_DONE) {
        err = history_error(rc);
        int64_t id = err ? 0 : sqlite3_column_int64(st, 0);
        if (id > 0 && (size_t)id <= r->nwords)
            r->words[id] = column_text(r, st, 1);
    }
    sqlite3_finalize(st);
    for (size_t i = 0; i <= r->nwords; i++)
        if (!r->words[i])
            r->words[i] = "";
    return err;
}

static int read_targets(struct reading *r)
{
    sqlite3_stmt *st = NULL;
    int err = largest(r->h, "SELECT max(id) FROM targets", &r->ntargets), rc;

    r->targets = calloc(r->ntargets + 1, sizeof(*r->targets));
    if (!r->targets)
        return -ENOMEM;
    err = err ? err : history_prepare(r->h, &st, "SELECT id, name FROM targets");
    while (!err && (rc = sqlite3_step(st)) != SQLITE_DONE) {
        err = history_error(rc);
        int64_t id = err ? 0 : sqlite3_column_int64(st, 0);
        if (id <= 0 || (size_t)id > r->ntargets)
            continue;
        r->targets[id].t = (struct history_target){
            .name = column_text(r, st, 1), .first = NSTIME_NONE, .last = NSTIME_NONE, .cause = ""};
        r->targets[id].wanted = has(r->targets[id].t.name, r->search);
    }
    sqlite3_finalize(st);
    return err;
}

static struct counted *target_at(struct reading *r, int64_t id)
{
    return id > 0 && (size_t)id <= r->ntargets && r->targets[id].t.name ? &r->targets[id] : NULL;
}

static const char *word_at(const struct reading *r, int64_t id)
{
    return id > 0 && (size_t)id <= r->nwords ? r->words[id] : "";
}

static int read_rounds(struct reading *r)
{
    sqlite3_stmt *st = NULL;
    int rc, err = history_prepare(r->h, &st,
                                  "SELECT r.target, r.passed, r.failed FROM sessions s"
                                  " JOIN rounds r ON r.session = s.id WHERE s.started >= ?1");

    if (!err)
        sqlite3_bind_int64(st, 1, r->since);
    while (!err && (rc = sqlite3_step(st)) != SQLITE_DONE) {
        err = history_error(rc);
        struct counted *c = err ? NULL : target_at(r, sqlite3_column_int64(st, 0));
        if (!c)
            continue;
        c->t.sessions++;
        c->t.passed += (uint64_t)sqlite3_column_int64(st, 1);
        c->t.failed += (uint64_t)sqlite3_column_int64(st, 2);
    }
    sqlite3_finalize(st);
    if (!err)
        err = history_prepare(r->h, &st, "SELECT count(*) FROM sessions WHERE started >= ?1");
    if (!err) {
        sqlite3_bind_int64(st, 1, r->since);
        rc = sqlite3_step(st);
        err = history_error(rc);
        r->v->sessions = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
        sqlite3_finalize(st);
    }
    return err;
}

/* The ones counted so far are few; a new one takes the place of the rarest. */
static void count_cause(struct counted *c, int64_t cause)
{
    size_t least = 0;

    for (size_t i = 0; i < CAUSES_HELD; i++) {
        if (c->causes[i].cause == cause && c->causes[i].count) {
            c->causes[i].count++;
            return;
        }
        if (c->causes[i].count < c->causes[least].count)
            least = i;
    }
    c->causes[least].cause = cause;
    c->causes[least].count = 1;
}

static int count_harm(struct reading *r, struct counted *c, nstime time, int64_t cause, nstime idle)
{
    struct history_target *t = &c->t;
    int64_t day = (time - r->since) / DAY;

    t->harmful++;
    t->first = t->first == NSTIME_NONE ? time : MIN_OF(t->first, time);
    t->last = MAX_OF(t->last, time);
    if (!t->days)
        t->days = arena_alloc(&r->v->mem, r->v->days * sizeof(*t->days));
    if (!t->days)
        return -ENOMEM;
    if (day >= 0 && day < r->v->days)
        t->days[day]++;
    count_cause(c, cause);
    if (cause > 0 && (size_t)cause <= r->nwords) {
        r->word_harmful[cause]++;
        r->word_last[cause] = MAX_OF(r->word_last[cause], time);
    }
    r->v->harmful++;
    if (idle <= 0 || c->nidles >= IDLES_MAX)
        return 0;
    if (ARRAY_GROW(c->idles, c->nidles + 1, c->idles_alloc))
        return -ENOMEM;
    c->idles[c->nidles++] = idle;
    return 0;
}

static void keep_event(struct reading *r, struct counted *c, sqlite3_stmt *st)
{
    struct history_event *e = &r->v->list[r->v->nlist++];

    *e = (struct history_event){.time = sqlite3_column_int64(st, 1),
                                .idle = sqlite3_column_int64(st, 4),
                                .target = c->t.name,
                                .cause = word_at(r, sqlite3_column_int64(st, 2)),
                                .harmful = sqlite3_column_int(st, 3) != 0,
                                .reset = sqlite3_column_int(st, 5) != 0,
                                .grade = word_at(r, sqlite3_column_int64(st, 6)),
                                .confidence = sqlite3_column_double(st, 7),
                                .stage = word_at(r, sqlite3_column_int64(st, 8)),
                                .sender = word_at(r, sqlite3_column_int64(st, 9)),
                                .address = column_text(r, st, 10),
                                .session = column_text(r, st, 11)};
}

static bool matches(const struct reading *r, const struct counted *c, int64_t cause)
{
    return c->wanted || has(word_at(r, cause), r->search);
}

static int begin_events(struct reading *r, sqlite3_stmt **st, const char *sql)
{
    int err = history_prepare(r->h, st, sql);

    if (!err) {
        sqlite3_bind_int64(*st, 1, r->since);
        sqlite3_bind_int64(*st, 2, r->v->asked.now);
    }
    return err;
}

/* All of them, in the order they lie in the file. */
static int count_events(struct reading *r)
{
    sqlite3_stmt *st = NULL;
    int rc, err = begin_events(r, &st,
                               "SELECT target, time, cause, harmful, idle FROM events"
                               " NOT INDEXED WHERE time >= ?1 AND time <= ?2");

    while (!err && (rc = sqlite3_step(st)) != SQLITE_DONE) {
        err = history_error(rc);
        struct counted *c = err ? NULL : target_at(r, sqlite3_column_int64(st, 0));
        if (!c || !matches(r, c, sqlite3_column_int64(st, 2)))
            continue;
        c->t.events++;
        r->v->events++;
        if (sqlite3_column_int(st, 3))
            err = count_harm(r, c, sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2),
                             sqlite3_column_int64(st, 4));
    }
    sqlite3_finalize(st);
    return err;
}

/* The newest that are asked for. */
static int list_events(struct reading *r, size_t max)
{
    sqlite3_stmt *st = NULL;
    int rc, err = begin_events(r, &st,
                               "SELECT e.target, e.time, e.cause, e.harmful, e.idle, e.reset,"
                               " e.grade, e.confidence, e.stage, e.sender, e.address,"
                               " (SELECT dir FROM sessions s WHERE s.id = e.session)"
                               " FROM events e WHERE e.time >= ?1 AND e.time <= ?2"
                               " ORDER BY e.time DESC");

    max = MIN_OF(max, EVENTS_MAX);
    r->v->list = calloc(max + 1, sizeof(*r->v->list));
    if (!r->v->list)
        err = -ENOMEM;
    while (!err && r->v->nlist < max && (rc = sqlite3_step(st)) != SQLITE_DONE) {
        err = history_error(rc);
        struct counted *c = err ? NULL : target_at(r, sqlite3_column_int64(st, 0));
        if (c && matches(r, c, sqlite3_column_int64(st, 2)))
            keep_event(r, c, st);
    }
    sqlite3_finalize(st);
    return err;
}

/* ---- what follows from the counts ---- */

static int by_span(const void *a, const void *b)
{
    nstime x = *(const nstime *)a, y = *(const nstime *)b;

    return (x > y) - (x < y);
}

/* The silence that most of them share within a tenth: three at least, and the half of all. */
static void common_idle(nstime *idles, size_t n, uint64_t of, nstime *idle, uint64_t *count)
{
    size_t best = 0, best_at = 0;

    *idle = 0;
    *count = 0;
    if (n < 3)
        return;
    qsort(idles, n, sizeof(*idles), by_span);
    for (size_t from = 0, to = 0; to < n; to++) {
        while (idles[to] - idles[from] > idles[from] / 10)
            from++;
        if (to - from + 1 > best) {
            best = to - from + 1;
            best_at = from;
        }
    }
    if (best < 3 || best * 2 < of)
        return;
    *idle = idles[best_at + best / 2];
    *count = best;
}

static int by_harm(const void *a, const void *b)
{
    const struct history_target *x = a, *y = b;

    if (x->harmful != y->harmful)
        return x->harmful > y->harmful ? -1 : 1;
    if (x->last != y->last)
        return x->last > y->last ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int take_targets(struct reading *r)
{
    struct history_view *v = r->v;
    size_t n = 0;

    for (size_t i = 1; i <= r->ntargets; i++)
        n += r->targets[i].t.events ||
             (r->targets[i].t.name && r->targets[i].wanted && r->targets[i].t.sessions);
    v->targets = calloc(n + 1, sizeof(*v->targets));
    if (!v->targets)
        return -ENOMEM;
    for (size_t i = 1; i <= r->ntargets; i++) {
        struct counted *c = &r->targets[i];
        if (!c->t.events && !(c->t.name && c->wanted && c->t.sessions))
            continue;
        for (size_t k = 0; k < CAUSES_HELD; k++) {
            if (c->causes[k].count <= c->t.cause_count || !*word_at(r, c->causes[k].cause))
                continue;
            c->t.cause_count = c->causes[k].count;
            c->t.cause = word_at(r, c->causes[k].cause);
        }
        common_idle(c->idles, c->nidles, c->t.harmful, &c->t.idle, &c->t.idle_count);
        v->targets[v->ntargets++] = c->t;
    }
    qsort(v->targets, v->ntargets, sizeof(*v->targets), by_harm);
    v->ntargets = MIN_OF(v->ntargets, TARGETS_MAX);
    return 0;
}

static int by_count(const void *a, const void *b)
{
    const struct history_cause *x = a, *y = b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->cause, y->cause);
}

static int take_causes(struct reading *r)
{
    struct history_view *v = r->v;

    v->causes = calloc(r->nwords + 1, sizeof(*v->causes));
    if (!v->causes)
        return -ENOMEM;
    for (size_t i = 1; i <= r->nwords; i++)
        if (r->word_harmful[i])
            v->causes[v->ncauses++] =
                (struct history_cause){r->words[i], r->word_harmful[i], r->word_last[i]};
    qsort(v->causes, v->ncauses, sizeof(*v->causes), by_count);
    return 0;
}

int history_view_load(struct history_db *h, struct history_view *v, const struct history_query *q)
{
    struct reading r = {.h = h, .v = v};
    int err;

    memset(v, 0, sizeof(*v));
    arena_init(&v->mem);
    v->asked = *q;
    v->asked.search = q->search ? arena_strdup(&v->mem, q->search) : NULL;
    v->days = q->days ? MIN_OF(q->days, HISTORY_DAYS_MAX) : HISTORY_DAYS;
    r.since = q->now - v->days * DAY;
    r.search = v->asked.search;
    err = read_words(&r);
    err = err ? err : read_targets(&r);
    err = err ? err : read_rounds(&r);
    err = err ? err : count_events(&r);
    err = err ? err : list_events(&r, q->max_events);
    err = err ? err : take_targets(&r);
    err = err ? err : take_causes(&r);
    for (size_t i = 0; r.targets && i <= r.ntargets; i++)
        free(r.targets[i].idles);
    free(r.targets);
    free(r.words);
    free(r.word_harmful);
    free(r.word_last);
    if (err)
        history_view_release(v);
    return err;
}

void history_view_release(struct history_view *v)
{
    free(v->targets);
    free(v->list);
    free(v->causes);
    arena_release(&v->mem);
    memset(v, 0, sizeof(*v));
}

/* ---- one target ---- */

static int count_sessions(struct history_db *h, struct history_hint *out, const char *target,
                          nstime since)
{
    sqlite3_stmt *st = NULL;
    int err = history_prepare(h, &st,
                              "SELECT count(*) FROM targets t JOIN rounds r ON r.target = t.id"
                              " JOIN sessions s ON s.id = r.session"
                              " WHERE t.name = ?1 AND s.started >= ?2");

    if (!err) {
        sqlite3_bind_text(st, 1, target, -1, SQLITE_STATIC);
        sqlite3_bind_int64(st, 2, since);
        int rc = sqlite3_step(st);
        err = history_error(rc);
        out->sessions = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
    }
    sqlite3_finalize(st);
    return err;
}

static void take_hint(struct history_hint *out, struct counted *c, sqlite3_stmt *st)
{
    const char *cause = (const char *)sqlite3_column_text(st, 1);
    int64_t id = sqlite3_column_int64(st, 3);
    nstime idle = sqlite3_column_int64(st, 2);

    out->harmful++;
    out->last = MAX_OF(out->last, sqlite3_column_int64(st, 0));
    count_cause(c, id);
    for (size_t k = 0; k < CAUSES_HELD && cause && *cause; k++)
        if (c->causes[k].cause == id && c->causes[k].count > out->cause_count) {
            out->cause_count = c->causes[k].count;
            text_clean(out->cause, sizeof(out->cause), cause, strlen(cause));
        }
    if (idle > 0 && c->nidles < IDLES_MAX && !ARRAY_GROW(c->idles, c->nidles + 1, c->idles_alloc))
        c->idles[c->nidles++] = idle;
}

int history_hint_get(struct history_db *h, struct history_hint *out, const char *target, nstime now,
                     unsigned days)
{
    struct counted c = {.idles = NULL};
    sqlite3_stmt *st = NULL;
    nstime since = now - (days ? days : HISTORY_DAYS) * DAY;
    int rc, err;

    memset(out, 0, sizeof(*out));
    out->last = NSTIME_NONE;
    err = count_sessions(h, out, target, since);
    err = err ? err
              : history_prepare(h, &st,
                                "SELECT e.time, w.word, e.idle, e.cause FROM targets t"
                                " JOIN events e ON e.target = t.id"
                                " LEFT JOIN words w ON w.id = e.cause"
                                " WHERE t.name = ?1 AND e.time >= ?2 AND e.time <= ?3"
                                " AND e.harmful = 1 LIMIT 100000");
    if (!err) {
        sqlite3_bind_text(st, 1, target, -1, SQLITE_STATIC);
        sqlite3_bind_int64(st, 2, since);
        sqlite3_bind_int64(st, 3, now);
    }
    while (!err && (rc = sqlite3_step(st)) != SQLITE_DONE) {
        err = history_error(rc);
        if (!err)
            take_hint(out, &c, st);
    }
    sqlite3_finalize(st);
    common_idle(c.idles, c.nidles, out->harmful, &out->idle, &out->idle_count);
    free(c.idles);
    return err;
}
