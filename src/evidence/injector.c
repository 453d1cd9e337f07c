/*
 * Shapes of resets that have been described of injectors (causes.md B5), with where and of when.
 * Devices change and others may look the same: a shape is "as described", never a name of who.
 * Trains of equal copies that a host sends too are left out; each row here has a mark of its own.
 */
#include "evidence/private.h"

#define ANY       INT32_MIN
#define RST_ONLY  TCP_RST
#define RST_ACK   (TCP_RST | TCP_ACK)
#define MOST_RSTS 3

static const struct injector injectors[] = {
    {N_("three RST+ACK at sequence numbers 0, +1460 and +4380"),
     "Wang et al., IMC 2017",
     "2017",
     RST_ACK,
     3,
     {1460, 4380},
     ANY,
     0},
    {N_("RSTs whose sequence number goes up by 12503"),
     "Weaver, Sommer, Paxson, NDSS 2009",
     "2008",
     RST_ONLY,
     2,
     {12503, ANY},
     ANY,
     0},
    {N_("three RST+ACK at one sequence number, their TTL counting up by one"),
     "gfw.report, gfw_unconditional_rst_20250820",
     "2025-08-20",
     RST_ACK,
     3,
     {0, 0},
     1,
     0},
    {N_("one RST+ACK with ten bytes of payload"),
     "Wu et al., IEEE S&P 2025",
     "2025",
     RST_ACK,
     1,
     {ANY, ANY},
     ANY,
     10},
};

/* The resets of one side, the first and those noted after it, in the order they came. */
struct train {
    size_t n;
    uint8_t flags[MOST_RSTS], ttl[MOST_RSTS];
    uint32_t seq[MOST_RSTS];
};

static void train_of(struct train *t, const struct reset *r)
{
    *t = (struct train){.n = 1, .flags = {r->flags}, .ttl = {r->ttl}, .seq = {r->seq}};
    for (size_t i = 0; i < RESET_NOTES_MAX && t->n < MOST_RSTS; i++) {
        if (!r->others[i].packet || r->others[i].from != r->from)
            continue;
        t->flags[t->n] = r->others[i].flags;
        t->ttl[t->n] = r->others[i].ttl;
        t->seq[t->n++] = r->others[i].seq;
    }
}

static bool has_shape(const struct injector *j, const struct train *t, const struct reset *r)
{
    if (t->n < (size_t)j->count || (j->payload_len && r->payload_len != j->payload_len))
        return false;
    if (j->payload_len && r->payload_text[0]) /* it says something: nobody's filler */
        return false;
    for (int i = 0; i < j->count; i++) {
        if ((t->flags[i] & (TCP_RST | TCP_ACK)) != j->flags)
            return false;
        if (i && j->steps[i - 1] != ANY && t->seq[i] - t->seq[0] != (uint32_t)j->steps[i - 1])
            return false;
        if (i && j->ttl_step != ANY && t->ttl[i] - t->ttl[i - 1] != j->ttl_step)
            return false;
    }
    return true;
}

const struct injector *injector_like(const struct reset *r)
{
    struct train t;

    train_of(&t, r);
    for (size_t i = 0; i < ARRAY_SIZE(injectors); i++)
        if (has_shape(&injectors[i], &t, r))
            return &injectors[i];
    return NULL;
}
