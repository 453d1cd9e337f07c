/*
 * Packets that were decoded before their turn: while memory brings their flows, the ones before
 * them are worked on. Only what stands for itself is decoded ahead; the rest waits for its turn.
 */
#include "session/private.h"

void session_ahead(struct session *s, const struct record *rec)
{
    struct ahead *a = &s->priv->ahead;

    if (!rec) {
        a->from = a->to;
        return;
    }
    struct ahead_packet *p = &a->packets[a->to % AHEAD_PACKETS];
    if (a->to - a->from == AHEAD_PACKETS)
        a->from++;
    a->to++;
    p->data = rec->data;
    p->plain = packet_decode_plain(&p->pkt, rec);
    if (p->plain)
        p->hash = flow_table_ahead(s->flows, &p->pkt);
}

struct packet *ahead_take(struct ahead *a, const struct record *rec, uint64_t *hash)
{
    while (a->from != a->to) {
        struct ahead_packet *p = &a->packets[a->from++ % AHEAD_PACKETS];
        if (p->data != rec->data)
            continue;
        p->pkt.number = rec->number;
        *hash = p->hash;
        return p->plain ? &p->pkt : NULL;
    }
    return NULL;
}
