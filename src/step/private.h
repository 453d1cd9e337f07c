/* step/ only. */
#ifndef STEP_PRIVATE_H
#define STEP_PRIVATE_H

#include "step/step.h"

#define STEP(name) extern const struct step step_##name;
#include "step/list.h"
#undef STEP

/* Index of the most informative open item, or -1 (planner.c). */
int plan_next(const struct checklist *c, const struct judgement *j);

#endif
