/*
 * The experiments as the planner sees them: what their outcomes would tell, for their cost
 * (causes.md C3). The ledger alone says what is known already.
 */
#include "step/private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SURE             0.9 /* share of the first cause: nothing more is tried (causes.md C3) */
#define STATED           0.9 /* of an outcome's chance, what the catalogue says; the rest is noise */
#define MAX_LOG_ODDS     4.0
#define USUAL            150 /* centinats for the outcome that needs no reason */
#define CONNECTIONS_LOOK 4.0 /* so many connections cost as much as a look; so many seconds */
#define SECONDS_LOOK     10.0

static const struct test *const tests[] = {
#define TEST(name) &test_##name,
#include "step/test_list.h"
#undef TEST
};

size_t test_count(void)
{
    return ARRAY_SIZE(tests);
}

const struct test *test_at(size_t i)
{
    return i < ARRAY_SIZE(tests) ? tests[i] : NULL;
}

const struct test *test_by_id(const char *id)
{
    for (size_t i = 0; id && i < ARRAY_SIZE(tests); i++)
        if (!strcmp(tests[i]->id, id))
            return tests[i];
    return NULL;
}

size_t test_outcomes(const struct test *t)
{
    size_t n = 0;

    while (n < TEST_OUTCOMES && t->outcomes[n].id)
        n++;
    return n;
}

/* ---- P(outcome | cause) ---- */

static struct fact as_fact(const struct test_fact *f)
{
    struct value v = f->is ? v_text(f->is) : f->number > 0 ? v_real(f->number) : v_none();

    return (struct fact){.kind = f->kind, .yes = f->yes, .source = SRC_EXPERIMENT, .v = {v}};
}

/* What the fact would weigh for the cause: the strongest of its weights that would apply. */
static int weight_of(const struct cause *c, const struct test_fact *f)
{
    struct fact fact = as_fact(f);
    int strongest = 0;

    for (size_t i = 0; i < c->nweights; i++) {
        const struct weight *w = &c->weights[i];
        bool ranged = w->min != 0 || w->max != 0;
        if (w->kind != f->kind || w->yes != f->yes ||
            (fact.v[0].type == VALUE_NONE && (w->is || ranged)) || !weight_applies(w, &fact))
            continue;
        if (abs(w->centinats) > abs(strongest))
            strongest = w->centinats;
    }
    return strongest;
}

static double log_odds(const struct test_outcome *o, const struct cause *c)
{
    int sum = o->usual ? USUAL : 0;

    for (size_t i = 0; i < TEST_OUTCOME_FACTS && o->facts[i].kind; i++)
        sum += weight_of(c, &o->facts[i]);
    return fmin(fmax(sum / 100.0, -MAX_LOG_ODDS), MAX_LOG_ODDS);
}

double test_chance(const struct test *t, size_t outcome, const struct cause *c)
{
    size_t n = test_outcomes(t);
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += exp(log_odds(&t->outcomes[i], c));
    return outcome < n
               ? STATED * exp(log_odds(&t->outcomes[outcome], c)) / sum + (1 - STATED) / (double)n
               : 0;
}

/* ---- what it would tell ---- */

/* Known is what somebody found with the fact's first value; any outcome of it tells the rest. */
static bool all_known(const struct test *t, const struct judgement *j)
{
    for (size_t i = 0; i < test_outcomes(t); i++)
        for (size_t k = 0; k < TEST_OUTCOME_FACTS && t->outcomes[i].facts[k].kind; k++)
            if (facts_get(&j->facts, t->outcomes[i].facts[k].kind))
                return true;
    return false;
}

bool test_applies(const struct test *t, const struct judgement *j)
{
    return j->stage < STAGE_UNKNOWN && (t->stages & (1u << j->stage)) && !all_known(t, j);
}

double test_information(const struct test *t, const struct judgement *j)
{
    struct standing s;
    double chance[MAX_STANDING], gain;
    size_t n = test_outcomes(t);

    stand(&s, j, true);
    gain = standing_bits(&s, NULL, 0);
    for (size_t o = 0; o < n; o++) {
        for (size_t i = 0; i < s.n; i++)
            chance[i] = test_chance(t, o, s.cause[i]);
        gain -= standing_bits(&s, chance, 1 / (double)n);
    }
    return fmax(gain, 0);
}

double test_cost(const struct test *t)
{
    return 1 + t->connections / CONNECTIONS_LOOK + t->seconds / SECONDS_LOOK;
}

/* ---- which one ---- */

bool plan_settled(const struct judgement *j)
{
    double most = 0;

    if (!j->nverdicts)
        return false;
    for (size_t c = 0; j->shares && c < cause_count(); c++)
        most = fmax(most, j->shares[c]);
    return j->verdicts[0].grade == GRADE_CONFIRMED || (j->determined && most > SURE);
}

static bool is_done(const char *id, const char *const *done)
{
    for (; done && *done; done++)
        if (!strcmp(*done, id))
            return true;
    return false;
}

static bool affordable(const struct test *t, const struct budget *b)
{
    return t->connections <= b->connections && t->seconds <= b->seconds &&
           (!t->needs_consent || b->consent) && (!t->privileged || b->privileged);
}

const struct test *plan_test(const struct judgement *j, const struct budget *b,
                             const char *const *done)
{
    const struct test *best = NULL;
    double most = 0;

    if (plan_settled(j))
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        const struct test *t = tests[i];
        if (is_done(t->id, done) || !affordable(t, b) || !test_applies(t, j))
            continue;
        double gain = test_information(t, j);
        if (gain >= TEST_LEAST_BITS && gain / test_cost(t) > most) {
            most = gain / test_cost(t);
            best = t;
        }
    }
    return best;
}
