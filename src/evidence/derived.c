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

void facts_derive(struct facts *f)
{
    whose_timer(f);
    no_hop_spent(f);
}
