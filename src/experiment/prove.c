/*
 * Has the fix worked? The connection that failed, again and again, a second apart, until the
 * sequential test of fix.c can tell: fixed, not fixed, or not to be told with so many.
 */
#include "experiment/trial.h"

#define WAVE  4
#define CAP   64
#define LEVEL 0.01

struct prove {
    struct fix_counts c;
    size_t seen; /* shots counted */
};

static void count(struct trial *t, struct prove *p)
{
    for (; p->seen < trial_shots(t); p->seen++) {
        const struct shot *s = trial_shot(t, p->seen);
        if (!shot_ended(s))
            continue;
        p->c.after++;
        p->c.after_failed += shot_cut(s) || shot_as(s, trial_symptom(t));
    }
}

static void say(struct trial *t, const struct prove *p, enum fix_state st)
{
    trial_measure(t, "before_failed", v_int(p->c.before_failed));
    trial_measure(t, "before", v_int(p->c.before));
    trial_measure(t, "after_failed", v_int(p->c.after_failed));
    trial_measure(t, "after", v_int(p->c.after));
    trial_measure(t, "p", v_real(fix_p_value(&p->c)));
    trial_measure(t, "fix",
                  v_text(st == FIX_PROVED      ? "fixed"
                         : st == FIX_NOT_FIXED ? "not-fixed"
                                               : "undecided"));
    trial_finish(t, st == FIX_PROVED || st == FIX_NOT_FIXED ? TRIAL_SEPARATED : TRIAL_INCONCLUSIVE,
                 st == FIX_PROVED      ? N_("the fix has worked")
                 : st == FIX_NOT_FIXED ? N_("it fails as often as before")
                                       : N_("so many tries do not tell it from chance"));
}

static void next(struct trial *t, void *state)
{
    struct prove *p = state;
    const struct symptom *y = trial_symptom(t);

    p->c.before_failed = y->before_failed;
    p->c.before = y->before;
    count(t, p);
    enum fix_state st = p->c.after ? fix_state(&p->c, LEVEL, CAP) : FIX_GO_ON;
    if (st != FIX_GO_ON) {
        say(t, p, st);
        return;
    }
    for (int i = 0; i < WAVE; i++) {
        struct shot_plan plan;
        plan_same(t, &plan, N_("as before"), (double)trial_shots(t) + 1);
        plan.content = true;
        trial_shoot(t, &plan);
    }
    if (!trial_open(t))
        say(t, p, FIX_UNDECIDED);
}

static const char *unfit(const struct symptom *y)
{
    return y->before_failed ? NULL : N_("nothing had failed before");
}

const struct experiment experiment_prove = {
    .id = "repeat",
    .view = LIVE_LIST,
    .state_size = sizeof(struct prove),
    .measures = {"before_failed", "before", "after_failed", "after", "p", "fix"},
    .unfit = unfit,
    .next = next,
};
