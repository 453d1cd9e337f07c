/* Facts that follow from others of different sources. */
#include "evidence/evidence.h"

#include <string.h>

/* A reset whose TTL no router has lowered was made on this side of the first one, whatever address
 * it bears. Where all packets of that side come like this, a box speaks for the server throughout
 * and the reset is no odd one out. */
static void no_hop_spent(struct facts *f)
{
    const struct fact *ttl = facts_get(f, FACT_RST_TTL);

    if (!ttl || !facts_yes(f, FACT_BEHIND_ROUTER) || !facts_no(f, FACT_TARGET_LOCAL) ||
        !facts_yes(f, FACT_RST_FROM) || facts_no(f, FACT_RST_TTL_DIFFERS))
        return;
    const struct fact *from = facts_get(f, FACT_RST_FROM);
    if (from->v[0].type != VALUE_TEXT || strcmp(from->v[0].u.s, "server") != 0)
        return;
    int64_t v = ttl->v[0].u.i;
    bool unspent = v == 64 || v == 128 || v == 255;
    facts_put(f, FACT_RST_NO_HOP, unspent, SRC_PACKET, ttl->packet, NULL, v_int(v), v_none(),
              v_none());
}

/* Who answered the SYN sits nearer than who refused then: a proxy spoke before it knew. */
static void refused_behind(struct facts *f)
{
    const struct fact *hops = facts_get(f, FACT_RST_HOPS), *from = facts_get(f, FACT_RST_FROM);

    if (!hops || !hops->yes || !facts_yes(f, FACT_IMMEDIATE_ACCEPT) || !from ||
        strcmp(from->v[0].u.s, "server") != 0 || hops->v[0].u.i <= hops->v[1].u.i)
        return;
    facts_put(f, FACT_RST_FARTHER, true, SRC_PACKET, hops->packet, NULL,
              v_int(hops->v[0].u.i - hops->v[1].u.i), v_none(), v_none());
}

/* A time that an experiment or a log found is held against the same table. */
static void whose_timer(struct facts *f)
{
    static const enum fact_kind times[] = {FACT_IDLE_CUT, FACT_DURATION_CUT, FACT_LOG_SAME_AGE};
    char who[200];

    for (size_t i = 0; i < ARRAY_SIZE(times) && !facts_get(f, FACT_IDLE_MATCHES); i++) {
        const struct fact *t = facts_get(f, times[i]);
        if (t && t->yes && t->v[0].type == VALUE_SPAN &&
            lifetimes_text(who, sizeof(who), t->v[0].u.i))
            facts_put(f, FACT_IDLE_MATCHES, true, t->source, 0, t->ref, t->v[0], v_text(who),
                      v_none());
    }
}

/* A socket that its own program closes is counted as an abort, for unread data or for linger 0; one
 * that is destroyed from outside (SOCK_DESTROY) or with its listener is not (causes.md 0.4). */
static void nobody_closed(struct facts *f)
{
    const struct fact *class = facts_get(f, FACT_RST_CLASS);

    if (!facts_yes(f, FACT_RST_OUTBOUND) || !facts_yes(f, FACT_OUT_RSTS) ||
        facts_yes(f, FACT_COUNTER_SHARED) || !facts_no(f, FACT_ABORT_ON_CLOSE) ||
        !facts_no(f, FACT_ABORT_ON_DATA) || !facts_no(f, FACT_ABORT_ON_TIMEOUT) ||
        !facts_no(f, FACT_ABORT_ON_MEMORY) || !class || class->v[0].type != VALUE_TEXT ||
        strcmp(class->v[0].u.s, "active") != 0)
        return;
    facts_put(f, FACT_NO_ABORT_COUNTED, true, SRC_HOST, 0, "counters", v_none(), v_none(),
              v_none());
}

void facts_derive(struct facts *f)
{
    whose_timer(f);
    no_hop_spent(f);
    nobody_closed(f);
    refused_behind(f);
}
