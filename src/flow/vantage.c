/*
 * On which end of the flow the packets were taken. Live, the cooked header or this host's
 * addresses tell; for a file three traces of the sending host do: a TTL nobody has decremented,
 * checksums left to the card, and segments larger than any the path can carry.
 */
#include "flow/internal.h"

static bool is_local(const struct flow_table *t, const struct addr *a)
{
    for (size_t i = 0; i < t->st.nlocal; i++)
        if (addr_equal(&t->local[i], a))
            return true;
    return false;
}

static bool undecremented(const struct flow_half *h)
{
    return h->seen && (h->ttl == 64 || h->ttl == 128 || h->ttl == 255);
}

static bool unfilled(const struct flow_half *h)
{
    return h->unfilled || (h->bad_checksums >= 2 && h->bad_checksums * 2ull >= h->packets);
}

/* Larger than the MSS the other side offered: cut only by the card of whoever sent it (TSO), or
 * glued together on the host that got it (GRO); the checksum or the TTL says which. */
static bool oversized(const struct flow *f, enum side s)
{
    const struct flow_half *peer = &f->side[other(s)].half;
    return peer->syns && peer->mss && flow_get_data(f, s).max_seg > peer->mss;
}

static enum vantage_end end_of(enum side s)
{
    return s == SIDE_ORIG ? VANTAGE_ORIG : VANTAGE_RESP;
}

/* The side the trace `local` holds for, if it holds for one side alone. */
static enum side only_side(bool orig, bool resp)
{
    return orig == resp ? SIDE_NONE : orig ? SIDE_ORIG : SIDE_RESP;
}

static enum side side_of_file(const struct flow *f, struct reset *r)
{
    const struct flow_half *o = &f->side[SIDE_ORIG].half, *p = &f->side[SIDE_RESP].half;
    enum side sums = only_side(unfilled(o), unfilled(p));
    enum side ttls = o->seen && p->seen ? only_side(undecremented(o), undecremented(p)) : SIDE_NONE;
    enum side large = only_side(oversized(f, SIDE_ORIG), oversized(f, SIDE_RESP));
    if (sums != SIDE_NONE) {
        r->vantage_by_checksum = true;
        r->vantage_by_ttl = ttls == sums;
        r->vantage_by_offload = large == sums;
        return sums;
    }
    if (ttls != SIDE_NONE) {
        r->vantage_by_ttl = true;
        r->vantage_by_offload = large == ttls;
        return ttls;
    }
    return SIDE_NONE;
}

void vantage_of(const struct flow_table *t, const struct flow *f, struct reset *r,
                const struct packet *p)
{
    enum side local = SIDE_NONE;
    bool within =
        addr_is_loopback(&f->key.src) || (is_local(t, &f->key.src) && is_local(t, &f->key.dst));
    r->vantage_end = VANTAGE_UNKNOWN;
    if (within) /* both ends are here: whoever sent it, this host did */
        local = r->from;
    else if (t->st.nlocal)
        local = only_side(is_local(t, &f->key.src), is_local(t, &f->key.dst));
    if (local == SIDE_NONE && p->dir == DIR_OUT)
        local = r->from;
    else if (local == SIDE_NONE && p->dir == DIR_IN && !addr_equal(&f->key.src, &f->key.dst))
        local = other(r->from);
    if (local == SIDE_NONE && !t->st.nlocal)
        local = side_of_file(f, r);
    if (local != SIDE_NONE) {
        r->vantage_end = end_of(local);
        r->direction = local == r->from ? DIRECTION_OUTBOUND : DIRECTION_INBOUND;
        return;
    }
    const struct flow_half *o = &f->side[SIDE_ORIG].half, *h = &f->side[SIDE_RESP].half;
    if (o->seen && h->seen && !undecremented(o) && !undecremented(h))
        r->vantage_end = VANTAGE_MIDDLE;
    r->direction = r->vantage_end == VANTAGE_MIDDLE ? DIRECTION_TRANSIT : DIRECTION_UNKNOWN;
}
