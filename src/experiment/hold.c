/* E1: connect, send nothing, watch for three seconds; beside it the connection that failed. */
#include "experiment/trial.h"

#define HOLD (3 * NS_PER_SEC)

struct hold {
    const struct shot *silent, *same;
};

static void begin(struct trial *t, struct hold *h)
{
    struct shot_plan p;

    plan_base(t, &p, N_("silent"), HOLD / NS_PER_SEC);
    p.hold = HOLD;
    h->silent = trial_shoot(t, &p);
    plan_same(t, &p, N_("as before"), 0);
    p.control = true;
    h->same = trial_shoot(t, &p);
}

static void conclude(struct trial *t, const struct hold *h)
{
    const struct symptom *y = trial_symptom(t);
    const struct shot *s = h->silent;
    nstime held = s && s->ended != NSTIME_NONE && s->connected != NSTIME_NONE
                      ? s->ended - s->began - s->connected
                      : 0;

    trial_measure(t, "held_s", v_real((double)held / NS_PER_SEC));
    if (!shot_ended(s) || s->connected == NSTIME_NONE) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("the connection could not be made"));
        return;
    }
    if (s->end == SHOT_RESET)
        trial_fact(t, FACT_HOLD_RESET, true, v_span(held), v_int(0));
    else if (s->end == SHOT_FIN)
        trial_fact(t, FACT_HOLD_FIN, true, v_span(held), v_none());
    else if (!h->same || !shot_as(h->same, y)) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("it does not fail any more"));
        return;
    } else {
        trial_fact(t, FACT_HOLD_RESET, false, v_span(held), v_none());
    }
    if (s->first[0])
        trial_fact(t, FACT_BANNER_FIRST, true, v_text(s->first), v_none());
    else if (s->end == SHOT_OK)
        trial_fact(t, FACT_BANNER_FIRST, false, v_none(), v_none());
    trial_finish(t, TRIAL_SEPARATED, NULL);
}

static void next(struct trial *t, void *state)
{
    struct hold *h = state;

    if (!h->silent)
        begin(t, h);
    else
        conclude(t, h);
}

static const char *unfit(const struct symptom *y)
{
    return y->stage == SHOT_CONNECT ? N_("no connection stands that could be held") : NULL;
}

const struct experiment experiment_hold = {
    .id = "hold",
    .view = LIVE_LIST,
    .state_size = sizeof(struct hold),
    .measures = {"held_s"},
    .unfit = unfit,
    .next = next,
};
