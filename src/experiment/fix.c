/* Has the fix worked? Failures before and after, compared by Fisher's exact test as they come. */
#include "experiment/experiment.h"

#include <math.h>

#define LOOK_FIRST 4

static double log_choose(unsigned n, unsigned k)
{
    return lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
}

/* P of at most as many failures after, all failures being thrown among all tries by chance. */
double fix_p_value(const struct fix_counts *c)
{
    unsigned all = c->before + c->after, failed = c->before_failed + c->after_failed;
    double p = 0;

    if (!c->before || !c->after)
        return 1;
    for (unsigned k = 0; k <= c->after_failed; k++) {
        if (failed - k > c->before || k > failed)
            continue;
        p += exp(log_choose(c->after, k) + log_choose(c->before, failed - k) -
                 log_choose(all, failed));
    }
    return fmin(p, 1);
}

/* The first look at 4 tries, then at 8, 16, ...: look i may use level / 2^i, which sums to level.
 */
enum fix_state fix_state(const struct fix_counts *c, double level, unsigned cap)
{
    double share = level;
    bool look = false;

    for (unsigned n = LOOK_FIRST; n <= c->after && n; n *= 2) {
        share /= 2;
        look = n == c->after;
    }
    if (look && fix_p_value(c) < share)
        return FIX_PROVED;
    /* As often as before, or more often, over enough tries: there is nothing to wait for. */
    if (look && c->after >= 4 * LOOK_FIRST && c->before &&
        (double)c->after_failed / c->after >= (double)c->before_failed / c->before)
        return FIX_NOT_FIXED;
    return c->after >= cap ? FIX_UNDECIDED : FIX_GO_ON;
}
