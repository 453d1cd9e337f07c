/*
 * A refused SYN leaves no other packet of its flow to compare the reset with. Another connection of
 * ours to the same address does: a reset with another TTL than the SYN-ACKs of that address was
 * made by a box on the way, one with the same TTL by the host itself.
 */
#include "session/private.h"

#include <stdlib.h>

static bool wants_neighbour(const struct incident *i)
{
    return i->target && i->reset && i->reset->class == RST_REFUSE && i->reset->ttl_baseline < 0 &&
           i->reset->ttl;
}

/* The TTL of the SYN-ACK on a chain to the address; 0 if there is none. */
static int synack_ttl(const struct session *s, const struct chain *ch, const struct addr *server)
{
    const struct flow *f;
    const struct flow_half *half;

    if (!ch->flow_known || !addr_equal(&ch->flow.dst, server))
        return 0;
    f = flow_table_find(s->flows, &ch->flow, ch->started, 2 * CHAIN_SLACK);
    half = f ? flow_get_half(f, SIDE_RESP) : NULL;
    return half && half->seen && half->syns ? half->ttl : 0;
}

/* Of several TTLs (one address, several hosts behind it) the nearest to the reset's: so the fact
 * does not depend on which connection came first. */
static int nearest_ttl(const struct session *s, const struct incident *i)
{
    const struct addr *server = &i->reset->key.dst;
    int best = 0;

    for (size_t k = 0; k < s->priv->chains.nr; k++) {
        const struct chain *ch = s->priv->chains.items[k];
        int ttl = ch ? synack_ttl(s, ch, server) : 0;
        if (ttl && (!best || abs(ttl - i->reset->ttl) < abs(best - i->reset->ttl)))
            best = ttl;
    }
    return best;
}

void neighbour_facts(const struct session *s, const struct incident *i, struct facts *out)
{
    int ttl, differs;

    if (!wants_neighbour(i))
        return;
    ttl = nearest_ttl(s, i);
    if (!ttl)
        return;
    /* One hop more or less is another path, not another sender. */
    differs = abs(ttl - i->reset->ttl);
    facts_put(out, FACT_RST_TTL_DIFFERS, differs >= 2, SRC_PACKET, i->reset->packet, NULL,
              v_int(differs), v_int(i->reset->ttl), v_int(ttl));
}

/* A connection to the address stood: what was refused there may be judged better now. */
void neighbour_learnt(struct session *s, const struct addr *server)
{
    for (size_t k = 0; k < s->nincidents; k++) {
        struct incident *i = s->incidents[k];
        if (wants_neighbour(i) && (!server || addr_equal(&i->reset->key.dst, server)))
            incident_dirty(s, i);
    }
}
