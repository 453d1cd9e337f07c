/*
 * E14: how long an answer may take. The request whose answer never came is made again, side by
 * side: who is cut after the same time each time meets a clock. Then once more with TCP keepalives:
 * a clock on the path that they reset is one for silence, one that they do not reset is the
 * server's own, or counts the whole request. Beside it a connection on which nothing is asked.
 */
#include "experiment/trial.h"

#define TIMES  3
#define NEAR   0.05              /* of the time; a clock is as exact as that */
#define COARSE (300 * NS_PER_MS) /* ... or ticks so */
#define APART  (250 * NS_PER_MS) /* between the beginnings: they are not one event */
#define LEAST  (300 * NS_PER_MS) /* sooner than that nothing was waited for */

struct duration {
    int wave;
    const struct shot *control, *same[TIMES], *kept;
    nstime cut, longest; /* mean time of the cuts; the longest answer that came */
};

static void begin(struct trial *t, struct duration *d)
{
    const struct symptom *y = trial_symptom(t);
    struct shot_plan p;

    plan_base(t, &p, N_("the connection alone"), 0);
    p.control = true;
    p.first_reply = true;
    d->control = trial_shoot(t, &p);
    for (int i = 0; i < TIMES; i++) {
        plan_same(t, &p, N_("as before"), (double)y->silence / NS_PER_SEC);
        p.timeout = 2 * y->silence + trial_patience(t);
        p.start = i * APART;
        p.first_reply = true;
        d->same[i] = trial_shoot(t, &p);
    }
}

/* From its last byte to the cut. */
static bool cut_waiting(const struct shot *s, nstime *after)
{
    *after = s->silent;
    return shot_ended(s) && (s->end == SHOT_RESET || s->end == SHOT_FIN) && !s->first[0] &&
           (s->stage == SHOT_REPLY || s->stage == SHOT_REQUEST);
}

static void keep_alive(struct trial *t, struct duration *d)
{
    int seconds = (int)(d->cut / (2 * NS_PER_SEC));
    struct shot_plan p;

    if (seconds < 1) /* TCP counts keepalives in whole seconds */
        return;
    plan_same(t, &p, N_("with TCP keepalive"), (double)d->cut / NS_PER_SEC);
    p.keepalive = seconds;
    p.timeout = 2 * d->cut;
    p.first_reply = true;
    d->kept = trial_shoot(t, &p);
}

static void say_none(struct trial *t, nstime up_to)
{
    trial_fact(t, FACT_DURATION_CUT, false, v_span(up_to), v_none());
    trial_measure(t, "lives_s", v_real((double)up_to / NS_PER_SEC));
    trial_finish(t, TRIAL_SEPARATED, NULL);
}

static void after_same(struct trial *t, struct duration *d)
{
    nstime least = INT64_MAX, most = 0, sum = 0, after;
    int cuts = 0;

    for (int i = 0; i < TIMES; i++) {
        const struct shot *s = d->same[i];
        if (s && s->end == SHOT_OK)
            d->longest = MAX_OF(d->longest, s->ended - s->began);
        if (!s || !cut_waiting(s, &after))
            continue;
        cuts++;
        least = MIN_OF(least, after);
        most = MAX_OF(most, after);
        sum += after;
    }
    if (cuts < 2) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("it does not fail any more"));
        return;
    }
    d->cut = sum / cuts;
    if (d->cut < LEAST) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("it is cut at once: no answer is waited for"));
        return;
    }
    if (most - least > MAX_OF(COARSE, (nstime)(NEAR * (double)d->cut)) || d->longest > most) {
        say_none(t, most);
        return;
    }
    trial_measure(t, "cut_s", v_real((double)d->cut / NS_PER_SEC));
    trial_measure(t, "within_s", v_real((double)(most - least) / 2 / NS_PER_SEC));
    trial_fact(t, FACT_DURATION_CUT, true, v_span(d->cut), v_none());
    keep_alive(t, d);
    if (!d->kept)
        trial_finish(t, TRIAL_SEPARATED, NULL);
}

static void after_kept(struct trial *t, const struct duration *d)
{
    nstime after;
    bool cut = cut_waiting(d->kept, &after);
    nstime waited = d->kept->ended != NSTIME_NONE ? d->kept->ended - d->kept->began : 0;

    if (shot_ended(d->kept)) {
        bool helps = !cut || waited > d->cut + d->cut / 4;
        trial_measure(t, "keepalive_helps", v_bool(helps));
        trial_fact(t, FACT_KEEPALIVE_HELPS, helps, v_span(d->cut), v_none());
    }
    trial_finish(t, TRIAL_SEPARATED, NULL);
}

static void next(struct trial *t, void *state)
{
    struct duration *d = state;

    if (d->wave++ == 0)
        begin(t, d);
    else if (d->kept)
        after_kept(t, d);
    else if (!shot_ended(d->control) || d->control->connected == NSTIME_NONE)
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("the harmless control does not pass either"));
    else
        after_same(t, d);
}

static const char *unfit(const struct symptom *y)
{
    if (y->scheme != SCHEME_HTTP && y->scheme != SCHEME_HTTPS)
        return N_("the target is not asked by HTTP");
    if (y->stage != SHOT_REPLY && y->stage != SHOT_REQUEST)
        return N_("no answer was waited for");
    if (y->end != SHOT_RESET && y->end != SHOT_FIN)
        return N_("nothing cut the wait: the answer just never came");
    return y->silence >= NS_PER_SEC ? NULL : N_("no answer was waited for");
}

const struct experiment experiment_duration = {
    .id = "duration",
    .view = LIVE_RUNGS,
    .state_size = sizeof(struct duration),
    .measures = {"cut_s", "within_s", "lives_s", "keepalive_helps"},
    .unfit = unfit,
    .next = next,
};
