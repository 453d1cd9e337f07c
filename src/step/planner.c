/*
 * What to ask next: the open step whose answer is expected to say most, for its cost (causes.md
 * C3). What an answer would do to a cause is read off the weights of the catalogue on the fact that
 * the answer becomes; a step that an experiment answers is worth what the experiment's outcomes
 * tell.
 */
#include "step/private.h"

#include <math.h>

#define LEAST_SHARE    0.01 /* of a cause to be worth telling apart */
#define MOST_ASLEEP    0.25 /* of one that nothing points to yet */
#define LEAST_BITS     0.05 /* less than this no answer helps */
#define COST_OF_A_LOOK 1.0

/* The likeliest first, so that a cap never leaves out what matters. */
static void insert(struct standing *s, const struct cause *c, double p)
{
    size_t at = s->n;

    while (at > 0 && s->p[at - 1] < p)
        at--;
    if (at == MAX_STANDING)
        return;
    s->n = MIN_OF(s->n + 1, (size_t)MAX_STANDING);
    for (size_t i = s->n - 1; i > at; i--) {
        s->cause[i] = s->cause[i - 1];
        s->p[i] = s->p[i - 1];
    }
    s->cause[at] = c;
    s->p[at] = p;
}

/* asleep: with the causes that nothing points to yet. An experiment may find what they wait for,
 * and would never be run if they were left out; a person is not asked about each of them. */
void stand(struct standing *s, const struct judgement *j, bool asleep)
{
    const double *waiting = asleep ? j->asleep : NULL;
    double all = 1;

    *s = (struct standing){.rest = 1};
    for (size_t c = 0; waiting && c < cause_count(); c++)
        if (waiting[c] >= LEAST_SHARE)
            all += fmin(waiting[c], MOST_ASLEEP);
    for (size_t c = 0; j->shares && c < cause_count(); c++) {
        double p = fmax(j->shares[c], waiting ? fmin(waiting[c], MOST_ASLEEP) : 0);
        if (p >= LEAST_SHARE)
            insert(s, cause_at(c), p / all);
    }
    for (size_t i = 0; i < s->n; i++)
        s->rest -= s->p[i];
    s->rest = fmax(s->rest, 0);
}

static double bits(double p)
{
    return p > 0 ? -p * log2(p) : 0;
}

double standing_bits(const struct standing *s, const double *chance, double other)
{
    double seen = s->rest * (chance ? other : 1), sum;

    for (size_t i = 0; i < s->n; i++)
        seen += s->p[i] * (chance ? chance[i] : 1);
    if (seen <= 0)
        return 0;
    sum = bits(s->rest * (chance ? other : 1) / seen);
    for (size_t i = 0; i < s->n; i++)
        sum += bits(s->p[i] * (chance ? chance[i] : 1) / seen);
    return seen * sum;
}

/* The strongest weight of a cause on the kind being yes, or no. */
static int weight_on(const struct cause *c, enum fact_kind k, bool yes)
{
    int strongest = 0;

    for (size_t i = 0; i < c->nweights; i++) {
        const struct weight *w = &c->weights[i];
        if (w->kind != k || w->yes != yes || w->is || w->min != 0 || w->max != 0)
            continue;
        if ((w->centinats < 0 ? -w->centinats : w->centinats) >
            (strongest < 0 ? -strongest : strongest))
            strongest = w->centinats;
    }
    return strongest;
}

/* P(yes | cause), from the log-odds the two answers carry. */
static double chance_of_yes(const struct cause *c, enum fact_kind k)
{
    double odds = (weight_on(c, k, true) - weight_on(c, k, false)) / 100.0;

    return fmin(fmax(1 / (1 + exp(-odds)), .05), .95);
}

static double information(const struct standing *s, enum fact_kind k)
{
    double yes[MAX_STANDING], no[MAX_STANDING];

    for (size_t i = 0; i < s->n; i++) {
        yes[i] = chance_of_yes(s->cause[i], k);
        no[i] = 1 - yes[i];
    }
    return standing_bits(s, NULL, 0) - standing_bits(s, yes, .5) - standing_bits(s, no, .5);
}

/* Bits for the cost of the better way to answer it: by the person, or by the experiment. */
static double worth(const struct step *step, const struct standing *s, const struct judgement *j)
{
    const struct test *t = test_by_id(step->test);
    double best = 0, gain;

    gain = information(s, step->answer);
    if (gain >= LEAST_BITS)
        best = gain / (COST_OF_A_LOOK + step->cost);
    if (t && test_applies(t, j) && (gain = test_information(t, j)) >= TEST_LEAST_BITS)
        best = fmax(best, gain / test_cost(t));
    return best;
}

double plan_worth(const struct step *step, const struct judgement *j)
{
    struct standing s;

    stand(&s, j, false);
    return worth(step, &s, j);
}

int plan_next(const struct checklist *c, const struct judgement *j)
{
    struct standing s;
    double best = 0;
    int next = -1;

    if (plan_settled(j))
        return -1;
    stand(&s, j, false);
    for (size_t i = 0; i < c->nr; i++) {
        if (c->items[i].state != STEP_UNKNOWN || !c->items[i].step->answer)
            continue;
        double value = worth(c->items[i].step, &s, j);
        if (value > best) {
            best = value;
            next = (int)i;
        }
    }
    return next;
}
