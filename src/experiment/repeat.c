/*
 * E0: the same connection again, three times from new source ports; where some fail and others do
 * not, twice more from a port that failed and from one that passed: paths are chosen by the port.
 */
#include "experiment/trial.h"

#define TIMES 3
#define AGAIN 2

struct repeat {
    int wave;
    const struct shot *fresh[TIMES], *bad[AGAIN], *good[AGAIN];
};

static void again_from(struct trial *t, const struct shot **out, uint16_t port, const char *label)
{
    for (int i = 0; i < AGAIN; i++) {
        struct shot_plan p;
        plan_same(t, &p, label, port);
        p.source_port = port;
        p.content = true; /* one after the other: they share the port */
        out[i] = trial_shoot(t, &p);
    }
}

static void begin(struct trial *t, struct repeat *r)
{
    for (int i = 0; i < TIMES; i++) {
        struct shot_plan p;
        plan_same(t, &p, N_("new source port"), i + 1);
        r->fresh[i] = trial_shoot(t, &p);
    }
}

/* How many ended as the symptom did; ended: how many ended at all. */
static int count(const struct shot *const *shots, int n, const struct symptom *y, int *ended)
{
    int same = 0;

    *ended = 0;
    for (int i = 0; i < n; i++) {
        *ended += shot_ended(shots[i]);
        same += shots[i] && shot_as(shots[i], y);
    }
    return same;
}

static void first_look(struct trial *t, struct repeat *r)
{
    const struct symptom *y = trial_symptom(t);
    const struct shot *bad = NULL, *good = NULL;
    int ended, same = count(r->fresh, TIMES, y, &ended);

    trial_measure(t, "failed", v_int(same));
    trial_measure(t, "tries", v_int(ended));
    if (ended < TIMES) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("this host could not make the connections"));
        return;
    }
    if (same == TIMES || same == 0) {
        trial_fact(t, FACT_REPEATED_SAME, same > 0, v_int(same ? same : ended), v_int(ended));
        if (!same)
            trial_fact(t, FACT_NEW_CONN_WORKS, true, v_none(), v_none());
        trial_finish(t, TRIAL_SEPARATED, NULL);
        return;
    }
    for (int i = 0; i < TIMES; i++)
        *(shot_as(r->fresh[i], y) ? &bad : &good) = r->fresh[i];
    if (!bad->local_port || !good->local_port) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("it fails now and then"));
        return;
    }
    again_from(t, r->bad, bad->local_port, N_("the port that failed"));
    again_from(t, r->good, good->local_port, N_("the port that passed"));
}

static void second_look(struct trial *t, struct repeat *r)
{
    const struct symptom *y = trial_symptom(t);
    int bad_ended, good_ended, bad = count(r->bad, AGAIN, y, &bad_ended);
    int good = count(r->good, AGAIN, y, &good_ended);

    trial_measure(t, "failed", v_int(bad + good));
    if (bad_ended < AGAIN || good_ended < AGAIN) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("the source ports could not be used again"));
        return;
    }
    bool depends = bad == AGAIN && good == 0;
    trial_fact(t, FACT_PORT_DEPENDS, depends, depends ? v_int(1) : v_int(TIMES + 2 * AGAIN),
               v_int(2));
    trial_finish(t, depends ? TRIAL_SEPARATED : TRIAL_INCONCLUSIVE,
                 depends ? NULL : N_("it fails now and then"));
}

static void next(struct trial *t, void *state)
{
    struct repeat *r = state;

    switch (r->wave++) {
    case 0: begin(t, r); break;
    case 1: first_look(t, r); break;
    default: second_look(t, r);
    }
}

const struct experiment experiment_repeat = {
    .id = "repeat",
    .view = LIVE_LIST,
    .state_size = sizeof(struct repeat),
    .measures = {"failed", "tries"},
    .next = next,
};
