/*
 * E10: more and more connections at once, each held for a second and a half, up to a cap; then the
 * number at which it begins. Where it begins, the same number again, but slowly, all of them held:
 * who refuses them counts connections; who takes them all counts how fast they came. Where nothing
 * fails, faster and faster, each closed again. How long each handshake took is kept: SYNs that were
 * dropped come again after 1, 3 and 7 s (RFC 6298), and that is what a full queue looks like.
 */
#include "experiment/trial.h"

#define CAP      32
#define HOLD     (1500 * NS_PER_MS)
#define BRIEF    (100 * NS_PER_MS)
#define SLOWLY   (400 * NS_PER_MS)
#define RETRY_MS 900 /* a handshake that took longer lost a SYN */

enum { CROWD, SLOW, FAST };
struct ramp {
    int ask;
    unsigned wave, cap;
    unsigned good, bad; /* most that went well, fewest that did not; 0 none */
    unsigned n, wanted; /* asked now */
    size_t first;       /* its first shot */
    unsigned late;      /* handshakes that lost a SYN */
};

static void ask(struct trial *t, struct ramp *r, unsigned n)
{
    r->wanted = n;
    r->first = trial_shots(t);
    for (unsigned i = 0; i < n; i++) {
        struct shot_plan p;
        nstime hold = r->ask == CROWD ? HOLD : r->ask == SLOW ? (n - i) * SLOWLY + HOLD : BRIEF;
        plan_same(t, &p, r->ask == FAST ? N_("a second") : NULL, n);
        p.control = n == 1;
        p.content = false;
        p.timeout = 5 * NS_PER_SEC;
        p.start = r->ask == CROWD ? 0 : r->ask == SLOW ? i * SLOWLY : i * NS_PER_SEC / n;
        if (p.talk == TALK_NOTHING)
            p.hold = hold;
        else
            p.idle = hold;
        if (!trial_shoot(t, &p))
            break;
    }
    r->n = (unsigned)(trial_shots(t) - r->first); /* its connections may be used up */
}

static bool take(struct trial *t, struct ramp *r)
{
    unsigned failed = 0, ended = 0;

    for (size_t i = r->first; i < trial_shots(t); i++) {
        const struct shot *s = trial_shot(t, i);
        ended += shot_ended(s);
        failed += shot_ended(s) && shot_cut(s);
        r->late += s->connected != NSTIME_NONE && s->connected >= RETRY_MS * NS_PER_MS;
    }
    return ended && failed;
}

static void finish(struct trial *t, const struct ramp *r, enum trial_outcome o, const char *why)
{
    trial_measure(t, "late_handshakes", v_int(r->late));
    trial_finish(t, o, why);
}

static void after_crowd(struct trial *t, struct ramp *r)
{
    bool failed = take(t, r);
    unsigned all = r->n;

    if (failed)
        r->bad = r->bad ? MIN_OF(r->bad, all) : all;
    else if (all == r->wanted)
        r->good = MAX_OF(r->good, all);
    if (r->bad == 1) {
        trial_fact(t, FACT_LOAD_THRESHOLD, false, v_int(1), v_none());
        finish(t, r, TRIAL_SEPARATED, NULL);
    } else if (all < r->wanted && !r->bad) {
        finish(t, r, TRIAL_INCONCLUSIVE, N_("up to the cap nothing failed"));
    } else if (r->bad && (r->bad - r->good <= 1 || all < r->wanted)) {
        trial_measure(t, "threshold", v_int(r->bad));
        trial_measure(t, "passes", v_int(r->good));
        r->ask = SLOW;
        ask(t, r, r->bad);
    } else if (!r->bad && r->n >= r->cap) {
        r->ask = FAST;
        ask(t, r, 2 * r->cap);
    } else {
        ask(t, r, r->bad ? r->good + (r->bad - r->good) / 2 : MIN_OF(r->n * 2, r->cap));
    }
}

static void after_slow(struct trial *t, const struct ramp *r, bool failed)
{
    if (failed || r->n < r->wanted) /* not enough of them to tell: the number alone is known */
        trial_fact(t, FACT_LOAD_THRESHOLD, true, v_int(r->good), v_none());
    if (!failed && r->n == r->wanted)
        trial_fact(t, FACT_RATE_THRESHOLD, true, v_int(r->good), v_none());
    else if (failed)
        trial_measure(t, "counts", v_text("connections"));
    if (!failed && r->n == r->wanted)
        trial_measure(t, "counts", v_text("rate"));
    finish(t, r, TRIAL_SEPARATED, NULL);
}

static void after_fast(struct trial *t, struct ramp *r, bool failed)
{
    if (failed) {
        trial_measure(t, "rate_threshold", v_int(r->n));
        trial_fact(t, FACT_RATE_THRESHOLD, true, v_int(r->good), v_none());
        finish(t, r, TRIAL_SEPARATED, NULL);
    } else if (r->n == r->wanted) {
        r->good = r->n;
        ask(t, r, 2 * r->n);
        if (!r->n)
            finish(t, r, TRIAL_INCONCLUSIVE, N_("up to the cap nothing failed"));
    } else {
        finish(t, r, TRIAL_INCONCLUSIVE, N_("up to the cap nothing failed"));
    }
}

static void next(struct trial *t, void *state)
{
    const struct trial_settings *st = trial_get_settings(t);
    struct ramp *r = state;

    if (!r->wave++) {
        r->cap = st->max_at_once ? st->max_at_once : CAP;
        ask(t, r, 1);
    } else if (r->ask == CROWD) {
        after_crowd(t, r);
        if (!trial_done(t) && !r->n && !r->bad)
            finish(t, r, TRIAL_INCONCLUSIVE, N_("up to the cap nothing failed"));
        else if (!trial_done(t) && !r->n)
            after_slow(t, r, false);
    } else {
        bool failed = take(t, r);
        if (r->ask == SLOW)
            after_slow(t, r, failed);
        else
            after_fast(t, r, failed);
    }
}

const struct experiment experiment_ramp = {
    .id = "ramp",
    .view = LIVE_SCATTER,
    .state_size = sizeof(struct ramp),
    .measures = {"threshold", "passes", "counts", "rate_threshold", "late_handshakes"},
    .next = next,
};
