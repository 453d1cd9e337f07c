/* shape.c: dice, and what a stretch of line does to a packet's time and bits. */
#include "tunrouter.h"

uint64_t dice_next(struct dice *d)
{
    uint64_t z = d->state += 0x9e3779b97f4a7c15ULL;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

bool dice_hit(struct dice *d, double percent)
{
    if (percent <= 0)
        return false;
    return (double)(dice_next(d) >> 11) / (double)(1ULL << 53) * 100 < percent;
}

nstime dice_span(struct dice *d, nstime below)
{
    return below > 0 ? (nstime)(dice_next(d) % (uint64_t)below) : 0;
}

/* The moment a packet has been clocked out at the stretch's rate, NSTIME_NONE: no room to wait. */
static nstime clock_out(struct shape *s, nstime now, size_t len)
{
    if (!s->rate)
        return now;
    uint32_t backlog = s->backlog ? s->backlog : 256 * 1024;
    nstime start = MAX_OF(now, s->free_at);
    if ((uint64_t)(start - now) * s->rate / 8 > (uint64_t)backlog * NS_PER_SEC)
        return NSTIME_NONE;
    s->free_at = start + (nstime)((uint64_t)len * 8 * NS_PER_SEC / s->rate);
    return s->free_at;
}

void shape_packet(struct shape *s, struct dice *d, nstime now, size_t len, struct shaped *out)
{
    *out = (struct shaped){0};
    if (dice_hit(d, s->loss))
        return;
    nstime due = clock_out(s, now, len);
    if (due == NSTIME_NONE)
        return;
    due += s->delay + dice_span(d, s->jitter);
    if (dice_hit(d, s->reorder)) {
        due += s->reorder_by; /* those behind it overtake it */
    } else {
        due = MAX_OF(due, s->last_due);
        s->last_due = due;
    }
    out->due[out->copies++] = due;
    if (dice_hit(d, s->duplicate))
        out->due[out->copies++] = due;
    out->flip = dice_hit(d, s->corrupt);
}
