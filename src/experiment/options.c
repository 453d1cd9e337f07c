/*
 * E13: a plainer SYN. One with small segments alone, which any user may ask for; and, with the
 * right to make packets, one with no option but the segment size. Where that is taken, each of the
 * usual options beside it: which one is not borne?
 */
#include "experiment/trial.h"

#define SMALL_SEGMENT 536 /* RFC 9293 3.7.1: what everybody must take */

enum { SACK, STAMPS, SCALE, ECN, EACH };
static const struct {
    unsigned with;
    const char *name, *label;
} each[EACH] = {
    [SACK] = {SYN_WITH_SACK, "sack", N_("with SACK")},
    [STAMPS] = {SYN_WITH_STAMPS, "timestamps", N_("with timestamps")},
    [SCALE] = {SYN_WITH_SCALE, "window-scale", N_("with window scale")},
    [ECN] = {SYN_WITH_ECN, "ecn", N_("with ECN")},
};

struct options {
    int wave;
    const struct shot *same, *small, *bare, *each[EACH];
};

static const struct shot *raw(struct trial *t, const char *label, unsigned with, int x)
{
    struct shot_plan p;

    plan_base(t, &p, label, x);
    p.raw_syn = true;
    p.syn_with = with;
    return trial_shoot(t, &p);
}

static void begin(struct trial *t, struct options *o)
{
    struct shot_plan p;

    plan_base(t, &p, N_("as before"), 0);
    p.control = true;
    o->same = trial_shoot(t, &p);
    plan_base(t, &p, N_("small segments"), 1);
    p.max_segment = SMALL_SEGMENT;
    o->small = trial_shoot(t, &p);
    o->bare = raw(t, N_("no options"), 0, 2);
}

static bool taken(const struct shot *s)
{
    return s && s->connected != NSTIME_NONE;
}

static void after_bare(struct trial *t, struct options *o)
{
    if (!o->same || !shot_as(o->same, trial_symptom(t))) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("it does not fail any more"));
        return;
    }
    trial_measure(t, "small_segments", v_text(o->small ? shot_end_name(o->small->end) : ""));
    if (taken(o->bare)) {
        for (int i = 0; i < EACH; i++)
            o->each[i] = raw(t, each[i].label, each[i].with, 3 + i);
        return;
    }
    if (taken(o->small)) {
        trial_fact(t, FACT_PLAIN_SYN_OK, true, v_none(), v_none());
        trial_finish(t, TRIAL_SEPARATED, NULL);
    } else if (shot_ended(o->bare)) {
        trial_measure(t, "no_options", v_text(shot_end_name(o->bare->end)));
        trial_fact(t, FACT_PLAIN_SYN_OK, false, v_none(), v_none());
        trial_finish(t, TRIAL_SEPARATED, NULL);
    } else {
        trial_finish(
            t, TRIAL_INCONCLUSIVE,
            N_("to leave out single options needs the right to make packets (CAP_NET_RAW)"));
    }
}

static void conclude(struct trial *t, const struct options *o)
{
    const char *names = "";

    for (int i = 0; i < EACH; i++)
        if (shot_ended(o->each[i]) && !taken(o->each[i]))
            names = trial_printf(t, "%s%s%s", names, *names ? "," : "", each[i].name);
    trial_measure(t, "no_options", v_text(shot_end_name(o->bare->end)));
    trial_measure(t, "not_borne", *names ? v_text(names) : v_none());
    trial_fact(t, FACT_PLAIN_SYN_OK, true, v_none(), v_none());
    trial_finish(t, TRIAL_SEPARATED, NULL);
}

static void next(struct trial *t, void *state)
{
    struct options *o = state;

    switch (o->wave++) {
    case 0: begin(t, o); break;
    case 1: after_bare(t, o); break;
    default: conclude(t, o);
    }
}

static const char *unfit(const struct symptom *y)
{
    if (y->stage != SHOT_CONNECT)
        return N_("the SYN was taken");
    return y->end == SHOT_UNREACHABLE ? N_("a router said why") : NULL;
}

const struct experiment experiment_options = {
    .id = "options",
    .view = LIVE_LIST,
    .state_size = sizeof(struct options),
    .measures = {"small_segments", "no_options", "not_borne"},
    .unfit = unfit,
    .next = next,
};
