/* One experiment being run: its shots, its pace, its budget, and what it found. */
#include "experiment/trial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTENT_GAP NS_PER_SEC
/* Linux repeats a SYN after 1 s, data after 0.2 s at least: several tries fit. */
#define PATIENCE_MIN   (3 * NS_PER_SEC)
#define PATIENCE_SHORT NS_PER_SEC
#define PATIENCE_MAX   (6 * NS_PER_SEC)

struct trial {
    const struct experiment *e;
    struct symptom y;
    struct addr *others;
    struct shooter *sh;
    struct trial_settings st;
    trial_fn changed, done;
    void *arg, *state;
    struct arena mem;
    struct shot **shots;
    size_t nshots, alloc, open;
    struct shot **waiting; /* asked for while paused */
    size_t nwaiting, waiting_alloc;
    struct facts facts;
    struct measure measures[MEASURES_MAX];
    enum trial_outcome outcome;
    const char *why;
    bool over, told, paused, in_next;
    nstime began, ended, last_content;
    unsigned connections;
};

/* ---- the table ---- */

static const struct experiment *const experiments[] = {
#define EXPERIMENT(name) &experiment_##name,
#include "experiment/list.h"
#undef EXPERIMENT
};

size_t experiment_count(void)
{
    return ARRAY_SIZE(experiments);
}

const struct experiment *experiment_at(size_t i)
{
    return i < ARRAY_SIZE(experiments) ? experiments[i] : NULL;
}

const struct experiment *experiment_by_id(const char *id)
{
    for (size_t i = 0; id && i < ARRAY_SIZE(experiments); i++)
        if (!strcmp(experiments[i]->id, id))
            return experiments[i];
    return NULL;
}

const char *experiment_id(const char *id)
{
    const struct experiment *e = experiment_by_id(id);

    return e ? e->id : NULL;
}

const struct test *experiment_test(const struct experiment *e)
{
    return test_by_id(e->id);
}

/* ---- running ---- */

static void go_on(struct trial *t);

static void tell_changed(struct trial *t)
{
    if (t->changed && !t->over)
        t->changed(t->arg, t);
}

static void on_changed(void *arg, struct shot *s)
{
    (void)s;
    tell_changed(arg);
}

static void on_shot(void *arg, struct shot *s)
{
    struct trial *t = arg;

    t->open--;
    if (t->e->seen && !t->over)
        t->e->seen(t, t->state, s);
    tell_changed(t);
    go_on(t);
}

/* Asks what comes next once all shots are back; tells the end once. */
static void go_on(struct trial *t)
{
    if (t->in_next || t->told)
        return;
    t->in_next = true;
    while (!t->over && !t->open && !t->nwaiting) {
        t->e->next(t, t->state);
        if (!t->over && !t->open && !t->nwaiting)
            trial_finish(t, TRIAL_INCONCLUSIVE, N_("nothing more could be tried"));
    }
    t->in_next = false;
    if (!t->over || t->open)
        return;
    t->told = true;
    t->ended = t->sh->now(t->sh);
    if (t->done)
        t->done(t->arg, t);
}

/* The last word: what is still open is closed. */
void trial_finish(struct trial *t, enum trial_outcome o, const char *why)
{
    if (t->over)
        return;
    t->over = true;
    t->outcome = o;
    t->why = why;
    t->nwaiting = 0;
    for (size_t i = 0; i < t->nshots; i++)
        trial_drop(t, t->shots[i]);
}

static int begin_shot(struct trial *t, struct shot *s)
{
    nstime now = t->sh->now(t->sh), at = now + s->plan.start;
    nstime gap = t->st.content_gap ? t->st.content_gap : CONTENT_GAP;

    if (s->plan.content) {
        if (t->last_content != NSTIME_NONE)
            at = MAX_OF(at, t->last_content + gap);
        t->last_content = at;
        s->plan.start = at - now;
    }
    int rc = t->sh->begin(t->sh, s, on_shot, on_changed, t);
    if (rc == 0)
        t->open++;
    return rc;
}

const struct shot *trial_shoot(struct trial *t, const struct shot_plan *p)
{
    struct shot *s;

    if (t->over || t->nshots >= SHOTS_MAX ||
        (t->st.max_connections && t->connections >= t->st.max_connections) ||
        ARRAY_GROW(t->shots, t->nshots + 1, t->alloc) < 0 ||
        ARRAY_GROW(t->waiting, t->nwaiting + 1, t->waiting_alloc) < 0)
        return NULL;
    s = arena_alloc(&t->mem, sizeof(*s));
    if (!s)
        return NULL;
    s->plan = *p;
    s->index = t->nshots;
    s->began = s->ended = s->connected = NSTIME_NONE;
    if (t->paused)
        t->waiting[t->nwaiting++] = s;
    else if (begin_shot(t, s) < 0)
        return NULL;
    t->connections++;
    t->shots[t->nshots++] = s;
    return s;
}

void trial_drop(struct trial *t, const struct shot *shot)
{
    struct shot *s = t->shots[shot->index];

    if (s->end != SHOT_OPEN && !s->priv) /* with priv it has ended, and is not told yet */
        return;
    for (size_t i = 0; i < t->nwaiting; i++)
        if (t->waiting[i] == s) {
            memmove(t->waiting + i, t->waiting + i + 1, (--t->nwaiting - i) * sizeof(s));
            s->end = SHOT_CANCELLED;
            return;
        }
    if (s->stage == SHOT_WAITING)
        t->connections -= t->connections > 0; /* never made */
    enum shot_end e = s->end;
    t->sh->cancel(t->sh, s);
    s->end = e == SHOT_OPEN ? SHOT_CANCELLED : e;
    t->open -= t->open > 0;
}

static int copy_symptom(struct trial *t, const struct symptom *y)
{
    struct addr *others = arena_alloc(&t->mem, (y->nothers + 1) * sizeof(*others));

    t->y = *y;
    if (!others)
        return -ENOMEM;
    if (y->nothers)
        memcpy(others, y->others, y->nothers * sizeof(*others));
    t->y.others = others;
    struct trial_known *known = arena_alloc(&t->mem, (t->st.nknown + 1) * sizeof(*known));
    if (!known)
        return -ENOMEM;
    if (t->st.nknown)
        memcpy(known, t->st.known, t->st.nknown * sizeof(*known));
    t->st.known = known;
    return 0;
}

int trial_start(struct trial **out, const struct experiment *e, const struct symptom *y,
                struct shooter *sh, const struct trial_settings *st, trial_fn changed,
                trial_fn done, void *arg)
{
    struct trial *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    *t = (struct trial){.e = e,
                        .sh = sh,
                        .changed = changed,
                        .done = done,
                        .arg = arg,
                        .last_content = NSTIME_NONE,
                        .ended = NSTIME_NONE};
    if (st)
        t->st = *st;
    arena_init(&t->mem);
    facts_init(&t->facts);
    for (size_t i = 0; i < MEASURES_MAX; i++)
        t->measures[i] = (struct measure){e->measures[i], v_none()};
    t->state = e->state_size ? arena_alloc(&t->mem, e->state_size) : NULL;
    if ((e->state_size && !t->state) || copy_symptom(t, y) < 0) {
        trial_free(t);
        return -ENOMEM;
    }
    t->began = sh->now(sh);
    *out = t;
    const char *unfit = e->unfit ? e->unfit(&t->y) : NULL;
    if (unfit) {
        trial_free(t);
        *out = NULL;
        return -ENOTSUP;
    }
    t->in_next = true; /* done() does not come from inside trial_start() */
    e->next(t, t->state);
    t->in_next = false;
    if (t->open)
        return 0;
    trial_free(t); /* not one connection could be begun: nobody would ever hear of an end */
    *out = NULL;
    return -EAGAIN;
}

void trial_cancel(struct trial *t)
{
    if (t->told)
        return;
    t->told = true;
    trial_finish(t, TRIAL_CANCELLED, NULL);
    t->outcome = TRIAL_CANCELLED;
    t->sh->cancel(t->sh, NULL);
    t->ended = t->sh->now(t->sh);
}

void trial_pause(struct trial *t, bool pause)
{
    size_t n = t->nwaiting;

    if (t->paused == pause || t->over)
        return;
    t->paused = pause;
    if (pause) {
        tell_changed(t);
        return;
    }
    t->nwaiting = 0;
    for (size_t i = 0; i < n; i++)
        if (begin_shot(t, t->waiting[i]) < 0) {
            t->waiting[i]->end = SHOT_LOCAL;
            t->waiting[i]->err = ENOMEM;
        }
    go_on(t);
}

void trial_free(struct trial *t)
{
    if (!t)
        return;
    trial_cancel(t);
    facts_release(&t->facts);
    free(t->shots);
    free(t->waiting);
    arena_release(&t->mem);
    free(t);
}

/* ---- what experiments ask and say ---- */

void *trial_alloc(struct trial *t, size_t size)
{
    return arena_alloc(&t->mem, size);
}

const char *trial_printf(struct trial *t, const char *fmt, ...)
{
    struct strbuf sb = STRBUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    strbuf_vaddf(&sb, fmt, ap);
    va_end(ap);
    const char *s = sb.err ? NULL : arena_strdup(&t->mem, sb.buf);
    strbuf_release(&sb);
    return s ? s : "";
}

const struct trial_settings *trial_get_settings(const struct trial *t)
{
    return &t->st;
}

uint64_t trial_salt(const struct trial *t)
{
    return (uint64_t)t->began;
}

size_t trial_open(const struct trial *t)
{
    return t->open;
}

nstime trial_time_left(const struct trial *t)
{
    if (!t->st.max_time)
        return NSTIME_NONE;
    return MAX_OF(t->began + t->st.max_time - t->sh->now(t->sh), 0);
}

nstime trial_patience(const struct trial *t)
{
    return MIN_OF(MAX_OF(PATIENCE_MIN, 10 * t->y.rtt), PATIENCE_MAX);
}

nstime trial_short_patience(const struct trial *t)
{
    return MIN_OF(MAX_OF(PATIENCE_SHORT, 6 * t->y.rtt), PATIENCE_MAX);
}

void trial_fact(struct trial *t, enum fact_kind k, bool yes, struct value v0, struct value v1)
{
    facts_put(&t->facts, k, yes, SRC_EXPERIMENT, 0, t->e->id, v0, v1, v_none());
}

void trial_measure(struct trial *t, const char *name, struct value v)
{
    for (size_t i = 0; i < MEASURES_MAX && t->measures[i].name; i++) {
        if (strcmp(t->measures[i].name, name) != 0)
            continue;
        if (v.type == VALUE_TEXT)
            v.u.s = arena_strdup(&t->mem, v.u.s ? v.u.s : "");
        t->measures[i].value = v;
    }
}

/* ---- reading it ---- */

const struct experiment *trial_experiment(const struct trial *t)
{
    return t->e;
}
const struct symptom *trial_symptom(const struct trial *t)
{
    return &t->y;
}
bool trial_done(const struct trial *t)
{
    return t->over;
}
bool trial_paused(const struct trial *t)
{
    return t->paused;
}
enum trial_outcome trial_get_outcome(const struct trial *t)
{
    return t->outcome;
}
const char *trial_why(const struct trial *t)
{
    return t->why;
}
size_t trial_shots(const struct trial *t)
{
    return t->nshots;
}
const struct shot *trial_shot(const struct trial *t, size_t i)
{
    return i < t->nshots ? t->shots[i] : NULL;
}
const struct facts *trial_facts(const struct trial *t)
{
    return &t->facts;
}
unsigned trial_connections(const struct trial *t)
{
    return t->connections;
}

size_t trial_measures(const struct trial *t)
{
    size_t n = 0;

    while (n < MEASURES_MAX && t->measures[n].name)
        n++;
    return n;
}

const struct measure *trial_measure_at(const struct trial *t, size_t i)
{
    return i < trial_measures(t) ? &t->measures[i] : NULL;
}

nstime trial_began(const struct trial *t)
{
    return t->began;
}

nstime trial_span(const struct trial *t)
{
    return (t->ended != NSTIME_NONE ? t->ended : t->sh->now(t->sh)) - t->began;
}

/* A SYN, or a handshake, the segments of what was sent and their acknowledgements, and the end. */
static uint64_t packets_of(const struct shot *s)
{
    unsigned mss = s->mss > 0 ? (unsigned)s->mss : 1400;

    if (s->began == NSTIME_NONE)
        return 0;
    if (s->connected == NSTIME_NONE)
        return s->end == SHOT_TIMEOUT ? 2 : 1;
    return 4 + 2 * ((s->sent + mss - 1) / mss) + (s->got + mss - 1) / mss;
}

uint64_t trial_packets(const struct trial *t)
{
    uint64_t n = 0;

    for (size_t i = 0; i < t->nshots; i++)
        n += packets_of(t->shots[i]);
    return n;
}

nstime trial_eta(const struct trial *t)
{
    nstime last = t->sh->now(t->sh);

    for (size_t i = 0; i < t->nshots; i++) {
        const struct shot *s = t->shots[i];
        if (s->end != SHOT_OPEN)
            continue;
        nstime at = s->began == NSTIME_NONE ? t->sh->now(t->sh) + s->plan.start : s->began;
        last = MAX_OF(last, at + s->plan.hold + s->plan.idle);
    }
    return last + (t->e->rest && !t->over ? t->e->rest(t, t->state) : 0);
}
