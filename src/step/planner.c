/*
 * What to ask next: the open step whose answer is expected to say most, for its cost (causes.md C3,
 * simplified). What an answer would do to a cause is read off the weights of the catalogue on the
 * fact that the answer becomes.
 */
#include "step/private.h"

#include <math.h>

#define MAX_STANDING   24
#define LEAST_SHARE    0.01 /* of a cause to be worth telling apart */
#define SURE           0.97 /* no question is worth asking any more */
#define LEAST_BITS     0.02 /* less than this no answer helps */
#define COST_OF_A_LOOK 1.0

struct standing { /* the causes still standing */
    const struct cause *cause[MAX_STANDING];
    double p[MAX_STANDING];
    size_t n;
    double rest; /* of all others */
};

static void stand(struct standing *s, const struct judgement *j)
{
    *s = (struct standing){.rest = 1};
    for (size_t c = 0; j->shares && c < cause_count() && s->n < MAX_STANDING; c++) {
        if (j->shares[c] < LEAST_SHARE)
            continue;
        s->cause[s->n] = cause_at(c);
        s->p[s->n++] = j->shares[c];
        s->rest -= j->shares[c];
    }
    if (s->rest < 0)
        s->rest = 0;
}

static double bits(double p)
{
    return p > 0 ? -p * log2(p) : 0;
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
    double yes[MAX_STANDING], p_yes = s->rest * .5, before = bits(s->rest), after = 0;
    bool any = false;

    for (size_t i = 0; i < s->n; i++) {
        yes[i] = chance_of_yes(s->cause[i], k);
        any = any || yes[i] != .5;
        p_yes += s->p[i] * yes[i];
        before += bits(s->p[i]);
    }
    if (!any || p_yes <= 0 || p_yes >= 1)
        return 0;
    for (size_t i = 0; i < s->n; i++)
        after += p_yes * bits(s->p[i] * yes[i] / p_yes) +
                 (1 - p_yes) * bits(s->p[i] * (1 - yes[i]) / (1 - p_yes));
    after += p_yes * bits(s->rest * .5 / p_yes) + (1 - p_yes) * bits(s->rest * .5 / (1 - p_yes));
    return before - after;
}

int plan_next(const struct checklist *c, const struct judgement *j)
{
    struct standing s;
    double best = 0;
    int next = -1;

    if (j->nverdicts &&
        (j->verdicts[0].grade == GRADE_CONFIRMED || j->verdicts[0].confidence > SURE))
        return -1;
    stand(&s, j);
    for (size_t i = 0; i < c->nr; i++) {
        const struct step *step = c->items[i].step;
        if (c->items[i].state != STEP_UNKNOWN || !step->answer)
            continue;
        double gain = information(&s, step->answer);
        double value = gain / (COST_OF_A_LOOK + step->cost);
        if (gain >= LEAST_BITS && value > best) {
            best = value;
            next = (int)i;
        }
    }
    return next;
}
