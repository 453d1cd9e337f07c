/* step/ only. */
#ifndef STEP_PRIVATE_H
#define STEP_PRIVATE_H

#include "step/step.h"

#define STEP(name) extern const struct step step_##name;
#include "step/list.h"
#undef STEP
#define TEST(name) extern const struct test test_##name;
#include "step/test_list.h"
#undef TEST

/* The causes still standing, and how much is open between them (planner.c). */
#define MAX_STANDING 24
struct standing {
    const struct cause *cause[MAX_STANDING];
    double p[MAX_STANDING];
    size_t n;
    double rest; /* of all others */
};
void stand(struct standing *s, const struct judgement *j, bool asleep);
/* The entropy in bits once something was seen that cause i makes with chance[i], the rest with
 * other, times how likely it is seen; with chance NULL as it is now. */
double standing_bits(const struct standing *s, const double *chance, double other);

/* Index of the most informative open item, or -1 (planner.c). */
/* What its answer is expected to say, for its cost; 0: nothing worth asking. */
double plan_worth(const struct step *step, const struct judgement *j);
int plan_next(const struct checklist *c, const struct judgement *j);

#endif
