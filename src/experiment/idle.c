/*
 * E9: how long a silent connection lives. Connections on a geometric ladder side by side; a cut
 * that comes by itself tells its time at once, one that only the next byte meets is closed in upon.
 * Then the same silence with TCP keepalives, and with bytes of the application: which of the two
 * keeps it alive tells a device on the path from a timer of the server.
 */
#include "experiment/trial.h"

#include <math.h>
#include <string.h>

#define RUNGS        16
#define BETWEEN      7
#define NEAR_ENOUGH  0.03              /* of the time found */
#define LADDER_MOST  (64 * NS_PER_SEC) /* where neither a silence was seen nor a limit is set */
#define CONTROL_IDLE (200 * NS_PER_MS)

struct idle {
    int wave;
    nstime first, most;
    nstime lives, dies; /* longest that lived, shortest that did not; dies 0: none */
    const char *kind;
    const struct shot *control, *rungs[RUNGS], *keepalive, *app;
    const struct shot *watch; /* says nothing beyond the time found: is it cut by itself? */
    int nrungs;
};

static const struct shot *rung(struct trial *t, nstime idle, bool control)
{
    struct shot_plan p;
    char text[TIME_TEXT_MAX];

    plan_same(t, &p, control ? N_("control") : trial_printf(t, "%s", span_text(text, idle)),
              (double)idle / NS_PER_SEC);
    p.control = control;
    p.content = false;
    p.hold = 0;
    p.requests = 0;
    p.idle = idle;
    p.again = p.request_len ? p.request : neutral_bytes;
    p.again_len = p.request_len ? p.request_len : NEUTRAL_BYTES_LEN;
    return trial_shoot(t, &p);
}

static const char *kind_of(const struct shot *s)
{
    if (!s)
        return NULL;
    if (s->stage == SHOT_IDLE)
        return s->end == SHOT_FIN ? "fin" : s->end == SHOT_RESET ? "rst" : NULL;
    if (s->stage != SHOT_AGAIN)
        return NULL;
    return s->end == SHOT_RESET     ? "rst-on-data"
           : s->end == SHOT_TIMEOUT ? "stall"
           : s->end == SHOT_FIN     ? "fin"
                                    : NULL;
}

/* What rungs told before the ladder was left. */
static void take_known(struct trial *t, struct idle *x)
{
    const struct trial_settings *st = trial_get_settings(t);

    for (size_t i = 0; i < st->nknown; i++) {
        const struct trial_known *k = &st->known[i];
        struct shot s = {.end = k->end, .stage = k->stage};
        const char *kind = kind_of(&s);
        nstime idle = (nstime)(k->x * NS_PER_SEC), at = k->stage == SHOT_IDLE ? k->lasted : idle;
        if (k->end == SHOT_OK)
            x->lives = MAX_OF(x->lives, idle);
        if (kind && (!x->dies || at < x->dies)) {
            x->dies = at;
            x->kind = kind;
        }
    }
}

/* The ladder: doubling from 1 s (or less, where the cut was quick) past the silence that was seen.
 */
static void begin(struct trial *t, struct idle *x)
{
    const struct symptom *y = trial_symptom(t);
    nstime left = trial_time_left(t);

    x->most = y->silence ? 2 * y->silence : LADDER_MOST;
    if (left != NSTIME_NONE)
        x->most = MIN_OF(x->most, left * 2 / 5); /* closing in takes as long again */
    x->first = y->silence && y->silence < 2 * NS_PER_SEC ? y->silence / 4 : NS_PER_SEC;
    x->control = rung(t, CONTROL_IDLE, true);
    take_known(t, x);
    for (nstime at = x->first; x->nrungs < RUNGS && at < x->most * 9 / 10; at *= 2)
        if (!x->dies && at > x->lives)
            x->rungs[x->nrungs++] = rung(t, at, false);
    if (x->nrungs < RUNGS && !x->dies && x->most > x->lives)
        x->rungs[x->nrungs++] = rung(t, x->most, false);
}

/* A longer silence than one that was already deadly tells nothing new: it is not waited for. */
static void seen(struct trial *t, void *state, const struct shot *s)
{
    struct idle *x = state;
    const char *kind = kind_of(s);

    if (!kind || s->stage != SHOT_AGAIN || s->plan.control)
        return;
    for (int i = 0; i < x->nrungs; i++)
        if (x->rungs[i] && x->rungs[i]->end == SHOT_OPEN && x->rungs[i]->plan.idle > s->plan.idle)
            trial_drop(t, x->rungs[i]);
}

/* A cut that came by itself is the cut, whatever a byte met a moment before it: a server that
 * counts the age of a connection does not care about bytes. */
static void narrow(struct idle *x)
{
    bool by_itself = false;

    for (int i = 0; i < x->nrungs; i++)
        by_itself = by_itself || (kind_of(x->rungs[i]) && x->rungs[i]->stage == SHOT_IDLE);
    for (int i = 0; i < x->nrungs; i++) {
        const struct shot *s = x->rungs[i];
        const char *kind = kind_of(s);
        if (s && s->end == SHOT_OK)
            x->lives = MAX_OF(x->lives, s->plan.idle);
        if (!kind || (by_itself && s->stage != SHOT_IDLE))
            continue;
        nstime at = s->stage == SHOT_IDLE ? s->silent : s->plan.idle;
        if (!x->dies || at < x->dies) {
            x->dies = at;
            x->kind = kind;
        }
    }
}

/* A box that sends its resets when the time is over is met by a byte of ours at the same moment:
 * the kind is seen only by one that keeps still. */
static void take_watch(struct idle *x)
{
    const char *kind = kind_of(x->watch);

    if (!kind || x->watch->stage != SHOT_IDLE)
        return;
    x->dies = x->watch->silent;
    x->kind = kind;
}

static bool pushed(const struct idle *x)
{
    return !strcmp(x->kind, "rst") || !strcmp(x->kind, "fin");
}

static void close_in(struct trial *t, struct idle *x)
{
    nstime gap = x->dies - x->lives;

    if (!x->watch) {
        struct shot_plan p;
        plan_same(t, &p, N_("says nothing more"), (double)x->dies / NS_PER_SEC);
        p.control = true;
        p.content = false;
        p.hold = 0;
        p.requests = 0;
        p.idle = x->dies + x->dies / 4 + NS_PER_SEC;
        p.again = NULL;
        x->watch = trial_shoot(t, &p);
    }

    x->nrungs = 0;
    for (int i = 1; i <= BETWEEN; i++) {
        const struct shot *s = rung(t, x->lives + gap * i / (BETWEEN + 1), false);
        if (s)
            x->rungs[x->nrungs++] = s;
    }
}

static const struct shot *kept(struct trial *t, struct idle *x, int keepalive, nstime app_every)
{
    struct shot_plan p;

    plan_same(t, &p, keepalive ? N_("with TCP keepalive") : N_("with bytes of its own"),
              (double)x->dies / NS_PER_SEC);
    p.control = true;
    p.content = false;
    p.hold = 0;
    p.requests = 0;
    p.idle = x->dies + x->dies / 2;
    p.again = p.request_len ? p.request : neutral_bytes;
    p.again_len = p.request_len ? p.request_len : NEUTRAL_BYTES_LEN;
    p.keepalive = keepalive;
    p.app_every = app_every;
    return trial_shoot(t, &p);
}

/* TCP counts keepalives in whole seconds: a shorter life than that cannot be kept by them. */
static void keep_alive(struct trial *t, struct idle *x)
{
    int seconds = (int)(x->dies / (2 * NS_PER_SEC));

    if (seconds >= 1)
        x->keepalive = kept(t, x, seconds, 0);
    x->app = kept(t, x, 0, x->dies / 2);
}

static void say_cut(struct trial *t, struct idle *x)
{
    nstime at = pushed(x) ? x->dies : x->lives + (x->dies - x->lives) / 2;

    trial_fact(t, FACT_IDLE_CUT, true, v_span(at), v_text(x->kind));
    trial_fact(t, FACT_IDLE_CUT_KIND, true, v_text(x->kind), v_none());
    trial_measure(t, "cut_s", v_real((double)at / NS_PER_SEC));
    trial_measure(t, "kind", v_text(x->kind));
    trial_measure(t, "within_s",
                  v_real(pushed(x) ? 0.01 : (double)(x->dies - x->lives) / 2 / NS_PER_SEC));
}

static void say_kept(struct trial *t, const struct idle *x)
{
    if (x->keepalive && shot_ended(x->keepalive)) {
        trial_measure(t, "keepalive_helps", v_bool(shot_passed(x->keepalive)));
        trial_fact(t, FACT_KEEPALIVE_HELPS, shot_passed(x->keepalive), v_span(x->dies), v_none());
    }
    if (x->app && shot_ended(x->app))
        trial_measure(t, "bytes_help", v_bool(shot_passed(x->app)));
}

static void after_ladder(struct trial *t, struct idle *x)
{
    if (x->wave == 2 && x->control && shot_ended(x->control) && !shot_passed(x->control)) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("a connection that was hardly silent fails too"));
        return;
    }
    narrow(x);
    take_watch(x);
    if (!x->dies && !x->lives) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("no connection could be held"));
        return;
    }
    if (!x->dies) {
        trial_fact(t, FACT_IDLE_CUT, false, v_span(x->lives), v_none());
        trial_measure(t, "lives_s", v_real((double)x->lives / NS_PER_SEC));
        trial_finish(t, TRIAL_SEPARATED, NULL);
        return;
    }
    if (!pushed(x) && (double)(x->dies - x->lives) > NEAR_ENOUGH * (double)x->dies) {
        close_in(t, x);
        if (x->nrungs)
            return;
    }
    say_cut(t, x);
    keep_alive(t, x);
    if (!trial_open(t))
        trial_finish(t, TRIAL_SEPARATED, NULL);
}

static void next(struct trial *t, void *state)
{
    struct idle *x = state;

    if (x->wave++ == 0)
        begin(t, x);
    else if (x->keepalive || x->app) {
        say_kept(t, x);
        trial_finish(t, TRIAL_SEPARATED, NULL);
    } else
        after_ladder(t, x);
}

/* How long what comes after the open rungs takes at most: closing in, then the keepalives. */
static nstime rest(const struct trial *t, const void *state)
{
    const struct idle *x = state;
    nstime dies = x->dies ? x->dies : x->most, sum = dies + dies / 2;

    (void)t;
    if (x->keepalive || x->app)
        return 0;
    if (!x->dies || !pushed(x)) /* each time an eighth of the gap is left */
        for (nstime gap = dies - (x->dies ? x->lives : dies / 2);
             (double)gap > NEAR_ENOUGH * (double)dies; gap /= BETWEEN + 1)
            sum += dies;
    return sum;
}

static const char *unfit(const struct symptom *y)
{
    if (y->stage == SHOT_CONNECT)
        return N_("no connection stands that could be held");
    return y->stage == SHOT_HOLD || y->silence >= NS_PER_SEC ? NULL
                                                             : N_("it was not silent before");
}

const struct experiment experiment_idle = {
    .id = "idle",
    .view = LIVE_RUNGS,
    .state_size = sizeof(struct idle),
    .measures = {"cut_s", "kind", "within_s", "lives_s", "keepalive_helps", "bytes_help"},
    .unfit = unfit,
    .next = next,
    .seen = seen,
    .rest = rest,
};
