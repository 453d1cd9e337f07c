/*
 * E10: more and more connections at once, each held for a second and a half, up to a cap; then the
 * number at which it begins. How long each handshake took is kept: SYNs that were dropped come
 * again after 1, 3 and 7 s (RFC 6298), and that is what a full queue looks like from here.
 */
#include "experiment/trial.h"

#define CAP      32
#define HOLD     (1500 * NS_PER_MS)
#define RETRY_MS 900 /* a handshake that took longer lost a SYN */

struct ramp {
    unsigned wave, cap;
    unsigned good, bad; /* most at once that went well, fewest that did not; 0 none */
    unsigned n;         /* asked now */
    size_t first;       /* its first shot */
    unsigned late;      /* handshakes that lost a SYN */
};

static void ask(struct trial *t, struct ramp *r, unsigned n)
{
    r->n = n;
    r->first = trial_shots(t);
    for (unsigned i = 0; i < n; i++) {
        struct shot_plan p;
        plan_same(t, &p, NULL, n);
        p.control = n == 1;
        p.content = false;
        p.timeout = 5 * NS_PER_SEC;
        if (p.talk == TALK_NOTHING)
            p.hold = HOLD;
        else
            p.idle = HOLD;
        trial_shoot(t, &p);
    }
    r->n = (unsigned)(trial_shots(t) - r->first); /* its connections may be used up */
}

static void take(struct trial *t, struct ramp *r)
{
    unsigned failed = 0, ended = 0;

    for (size_t i = r->first; i < trial_shots(t); i++) {
        const struct shot *s = trial_shot(t, i);
        ended += shot_ended(s);
        failed += shot_ended(s) && shot_cut(s);
        r->late += s->connected != NSTIME_NONE && s->connected >= RETRY_MS * NS_PER_MS;
    }
    if (!ended)
        return;
    if (failed)
        r->bad = r->bad ? MIN_OF(r->bad, r->n) : r->n;
    else
        r->good = MAX_OF(r->good, r->n);
}

static void conclude(struct trial *t, const struct ramp *r)
{
    trial_measure(t, "late_handshakes", v_int(r->late));
    if (r->bad == 1) {
        trial_fact(t, FACT_LOAD_THRESHOLD, false, v_int(1), v_none());
        trial_finish(t, TRIAL_SEPARATED, NULL);
    } else if (r->bad) {
        trial_measure(t, "threshold", v_int(r->bad));
        trial_fact(t, FACT_LOAD_THRESHOLD, true, v_int(r->good), v_none());
        trial_finish(t, TRIAL_SEPARATED, NULL);
    } else {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("up to the cap nothing failed"));
    }
}

static void next(struct trial *t, void *state)
{
    const struct trial_settings *st = trial_get_settings(t);
    struct ramp *r = state;

    if (!r->wave++) {
        r->cap = st->max_at_once ? st->max_at_once : CAP;
        ask(t, r, 1);
        return;
    }
    take(t, r);
    if (r->bad == 1 || (r->bad && r->bad - r->good <= 1) || (!r->bad && r->n >= r->cap)) {
        conclude(t, r);
        return;
    }
    ask(t, r, r->bad ? r->good + (r->bad - r->good) / 2 : MIN_OF(r->n * 2, r->cap));
}

const struct experiment experiment_ramp = {
    .id = "ramp",
    .view = LIVE_SCATTER,
    .state_size = sizeof(struct ramp),
    .measures = {"threshold", "late_handshakes"},
    .next = next,
};
