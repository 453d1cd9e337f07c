/*
 * E6: other ports of the same address, and one that nobody listens on (IANA has never assigned
 * it): a box that answers in the host's name accepts that one too. And another target of the
 * person's own, as the control host: is it about this one at all?
 */
#include "experiment/trial.h"

#define CLOSED_PORT 4 /* unassigned */
#define OTHERS      2

static const uint16_t usual[] = {443, 80, 22};

struct elsewhere {
    bool begun;
    const struct shot *same, *closed, *others[OTHERS], *host;
};

static const struct shot *knock(struct trial *t, uint16_t port, const char *label)
{
    struct shot_plan p;

    plan_base(t, &p, label, port);
    p.port = port;
    p.hold = 100 * NS_PER_MS;
    return trial_shoot(t, &p);
}

static void begin(struct trial *t, struct elsewhere *e)
{
    const struct symptom *y = trial_symptom(t);
    struct shot_plan p;
    int n = 0;

    e->begun = true;
    plan_same(t, &p, N_("as before"), y->port);
    p.control = true;
    e->same = trial_shoot(t, &p);
    e->closed = knock(t, CLOSED_PORT, N_("a closed port"));
    if (y->other) {
        plan_base(t, &p, y->other->name, y->other_port);
        p.to = y->other_address;
        p.port = y->other_port;
        p.hold = 100 * NS_PER_MS;
        e->host = trial_shoot(t, &p);
    }
    for (size_t i = 0; i < ARRAY_SIZE(usual) && n < OTHERS && y->stage == SHOT_CONNECT; i++)
        if (usual[i] != y->port)
            e->others[n++] = knock(t, usual[i], trial_printf(t, "port %u", usual[i]));
}

static void say_others(struct trial *t, const struct elsewhere *e)
{
    const struct symptom *y = trial_symptom(t);
    int alike = 0, tried = 0;

    for (int i = 0; i < OTHERS; i++) {
        const struct shot *s = e->others[i];
        if (!shot_ended(s))
            continue;
        if (s->connected != NSTIME_NONE) {
            trial_fact(t, FACT_OTHER_PORT_OK, true, v_int(s->plan.port), v_none());
            trial_measure(t, "open_port", v_int(s->plan.port));
            return;
        }
        tried++;
        alike += s->end == y->end;
    }
    if (tried && alike == tried)
        trial_fact(t, FACT_OTHER_PORT_OK, false, v_none(), v_none());
}

static void conclude(struct trial *t, const struct elsewhere *e)
{
    if (!e->same || !shot_as(e->same, trial_symptom(t))) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("it does not fail any more"));
        return;
    }
    say_others(t, e);
    if (shot_ended(e->host))
        trial_fact(t, FACT_CONTROL_HOST_OK, e->host->connected != NSTIME_NONE,
                   v_text(trial_symptom(t)->other->name), v_none());
    /* No answer at all is neither: a firewall drops what is not allowed. */
    if (shot_ended(e->closed) && e->closed->connected != NSTIME_NONE)
        trial_fact(t, FACT_CLOSED_PORT_ACCEPTS, true, v_none(), v_none());
    else if (shot_ended(e->closed) && e->closed->end == SHOT_REFUSED)
        trial_fact(t, FACT_CLOSED_PORT_ACCEPTS, false, v_none(), v_none());
    bool any = trial_facts(t)->nr > 0;
    trial_finish(t, any ? TRIAL_SEPARATED : TRIAL_INCONCLUSIVE,
                 any ? NULL : N_("the other ports do not answer at all"));
}

static void next(struct trial *t, void *state)
{
    struct elsewhere *e = state;

    if (!e->begun)
        begin(t, e);
    else
        conclude(t, e);
}

const struct experiment experiment_elsewhere = {
    .id = "elsewhere",
    .view = LIVE_LIST,
    .state_size = sizeof(struct elsewhere),
    .measures = {"open_port"},
    .next = next,
};
