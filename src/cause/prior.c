/*
 * Priors: stage x who x how it ended -> how common each cause is there (causes.md A0, filled up for
 * resets of the client and for ends without a reset). A cause that no row names is not impossible,
 * only rare (PRIOR_FLOOR). Rows of one stage and end need not add up to 1.
 */
#include "cause/catalogue.h"

#include <math.h>

#define S(st)   (1u << STAGE_##st)
#define A       END_ACTIVE
#define P       END_PASSIVE
#define X       END_FOREIGN
#define RST     END_RST
#define FIN     END_FIN
#define STALL   END_STALL
#define ICMP    END_ICMP
#define OTHER   END_OTHER
#define LATE    (S(DATA) | S(IDLE) | S(MIDSTREAM))
#define SERVER  (1u << SIDE_RESP)
#define CLIENT  (1u << SIDE_ORIG)
#define ANYBODY (SERVER | CLIENT)

static const struct row {
    unsigned stages, sides, ends;
    const struct cause *cause;
    double p;
} rows[] = {
/* stages, whose address, ends, cause, share */
#define ROW(st, side, ends, id, p) {st, side, ends, &cause_##id, p},
#include "cause/priors.h"
#undef ROW
};

/* Of resets of unknown class (no packets): most come from a live socket. */
static double share_of(unsigned ends, enum end end)
{
    if (end != END_RST)
        return ends & end ? 1 : 0;
    return (ends & A ? .55 : 0) + (ends & P ? .25 : 0) + (ends & END_REFUSE ? .1 : 0) +
           (ends & X ? .1 : 0);
}

void priors_of(double *logp, const struct view *v)
{
    size_t n = cause_count();

    for (size_t i = 0; i < n; i++)
        logp[i] = PRIOR_FLOOR;
    for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
        const struct row *row = &rows[r];
        double p;
        if (!(row->stages & (1u << v->stage)) || !(row->sides & (1u << v->from)))
            continue;
        p = row->p * share_of(row->ends, v->end);
        if (p <= 0)
            continue;
        for (size_t i = 0; i < n; i++)
            if (cause_at(i) == row->cause)
                logp[i] += p;
    }
    for (size_t i = 0; i < n; i++)
        logp[i] = log(logp[i]);
}
