/* E11: the same connection to every address of the name. */
#include "experiment/trial.h"

#define OTHERS_MAX 8

struct address {
    bool begun;
    const struct shot *same, *others[OTHERS_MAX];
};

static void begin(struct trial *t, struct address *a)
{
    const struct symptom *y = trial_symptom(t);
    char text[ADDR_TEXT_MAX];
    struct shot_plan p;

    a->begun = true;
    plan_same(t, &p, trial_printf(t, "%s", addr_text(text, &y->address)), 0);
    p.control = true;
    a->same = trial_shoot(t, &p);
    for (size_t i = 0; i < y->nothers && i < OTHERS_MAX; i++) {
        plan_same(t, &p, trial_printf(t, "%s", addr_text(text, &y->others[i])), (double)i + 1);
        p.to = y->others[i];
        a->others[i] = trial_shoot(t, &p);
    }
}

struct tally {
    int tried, passed;
    const struct shot *one;
};

static void conclude(struct trial *t, const struct address *a)
{
    const struct symptom *y = trial_symptom(t);
    struct tally family = {0}, address = {0};
    char text[ADDR_TEXT_MAX];

    if (!a->same || !shot_as(a->same, y)) {
        trial_finish(t, TRIAL_INCONCLUSIVE, N_("it does not fail any more"));
        return;
    }
    for (size_t i = 0; i < OTHERS_MAX; i++) {
        const struct shot *s = a->others[i];
        struct tally *to = s && s->plan.to.family != y->address.family ? &family : &address;
        if (!shot_ended(s))
            continue;
        to->tried++;
        to->passed += shot_passed(s);
        if (shot_passed(s))
            to->one = s;
    }
    if (family.passed)
        trial_fact(t, FACT_OTHER_FAMILY_OK, true,
                   v_text(family.one->plan.to.family == 6 ? "IPv6" : "IPv4"), v_none());
    else if (family.tried)
        trial_fact(t, FACT_OTHER_FAMILY_OK, false, v_none(), v_none());
    if (address.passed)
        trial_fact(t, FACT_OTHER_ADDRESS_OK, true, v_text(addr_text(text, &address.one->plan.to)),
                   v_none());
    else if (address.tried)
        trial_fact(t, FACT_OTHER_ADDRESS_OK, false, v_none(), v_none());
    trial_measure(t, "addresses", v_int(family.tried + address.tried + 1));
    trial_measure(t, "passed", v_int(family.passed + address.passed));
    bool any = family.tried + address.tried > 0;
    trial_finish(t, any ? TRIAL_SEPARATED : TRIAL_INCONCLUSIVE,
                 any ? NULL : N_("the other addresses could not be tried"));
}

static void next(struct trial *t, void *state)
{
    struct address *a = state;

    if (!a->begun)
        begin(t, a);
    else
        conclude(t, a);
}

static const char *unfit(const struct symptom *y)
{
    return y->nothers ? NULL : N_("the name has one address only");
}

const struct experiment experiment_address = {
    .id = "address",
    .view = LIVE_LIST,
    .state_size = sizeof(struct address),
    .measures = {"addresses", "passed"},
    .unfit = unfit,
    .next = next,
};
