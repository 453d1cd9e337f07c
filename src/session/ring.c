/* The packets that are kept for the screens and the session: the oldest go when memory is full. */
#include "session/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct kept_packet *ring_at(const struct ring *r, size_t i)
{
    return &r->items[(r->first + i) % r->alloc];
}

void ring_release(struct ring *r)
{
    for (size_t i = 0; i < r->nr; i++)
        free((void *)ring_at(r, i)->data);
    free(r->items);
    for (size_t i = 0; i < r->nflows; i++)
        free(r->flows[i].numbers);
    free(r->flows);
    map_release(&r->by_flow);
    memset(r, 0, sizeof(*r));
}

static int ring_grow(struct ring *r)
{
    size_t alloc = r->alloc ? r->alloc * 2 : 256;
    struct kept_packet *items = malloc(alloc * sizeof(*items));

    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < r->nr; i++)
        items[i] = *ring_at(r, i);
    free(r->items);
    r->items = items;
    r->first = 0;
    r->alloc = alloc;
    return 0;
}

static void ring_drop_oldest(struct ring *r)
{
    struct kept_packet *old = ring_at(r, 0);
    uint64_t slot = old->flow ? map_get(&r->by_flow, old->flow) : 0;

    if (slot) {
        struct ring_flow *rf = &r->flows[slot - 1];
        rf->gone++;
        if (rf->gone > 64 && rf->gone > rf->nr / 2) {
            memmove(rf->numbers, rf->numbers + rf->gone,
                    (rf->nr - rf->gone) * sizeof(*rf->numbers));
            rf->nr -= rf->gone;
            rf->gone = 0;
        }
    }
    r->bytes -= old->caplen + sizeof(*old);
    free((void *)old->data);
    r->first = (r->first + 1) % r->alloc;
    r->nr--;
}

static int ring_index_flow(struct ring *r, uint64_t flow, uint64_t number)
{
    uint64_t slot = map_get(&r->by_flow, flow);
    int err;

    if (!slot) {
        err = ARRAY_GROW(r->flows, r->nflows + 1, r->flows_alloc);
        if (err)
            return err;
        err = map_set(&r->by_flow, flow, r->nflows + 1);
        if (err)
            return err;
        memset(&r->flows[r->nflows], 0, sizeof(r->flows[0]));
        slot = ++r->nflows;
    }
    struct ring_flow *rf = &r->flows[slot - 1];
    err = ARRAY_GROW(rf->numbers, rf->nr + 1, rf->alloc);
    if (err)
        return err;
    rf->numbers[rf->nr++] = number;
    return 0;
}

int ring_add(struct ring *r, const struct record *rec, uint64_t flow, uint8_t is_reset)
{
    size_t need = rec->caplen + sizeof(struct kept_packet);
    int gone = 0, err;

    while (r->nr && r->bytes + need > r->max_bytes) {
        ring_drop_oldest(r);
        gone++;
    }
    if (r->nr == r->alloc) {
        err = ring_grow(r);
        if (err)
            return err;
    }
    uint8_t *data = malloc(rec->caplen ? rec->caplen : 1);
    if (!data)
        return -ENOMEM;
    if (rec->caplen)
        memcpy(data, rec->data, rec->caplen);
    err = flow ? ring_index_flow(r, flow, rec->number) : 0;
    if (err) {
        free(data);
        return err;
    }
    *ring_at(r, r->nr) = (struct kept_packet){
        .number = rec->number,
        .flow = flow,
        .time = rec->time,
        .caplen = rec->caplen,
        .len = rec->len,
        .link = rec->link,
        .data = data,
        .is_reset = is_reset,
    };
    r->nr++;
    r->bytes += need;
    return gone;
}

struct kept_packet *ring_find(const struct ring *r, uint64_t number)
{
    size_t lo = 0, hi = r->nr;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (ring_at(r, mid)->number < number)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < r->nr && ring_at(r, lo)->number == number ? ring_at(r, lo) : NULL;
}

size_t session_packets(const struct session *s)
{
    return s->priv->ring.nr;
}

const struct kept_packet *session_packet_at(const struct session *s, size_t i)
{
    return i < s->priv->ring.nr ? ring_at(&s->priv->ring, i) : NULL;
}

const struct kept_packet *session_packet(const struct session *s, uint64_t number)
{
    return ring_find(&s->priv->ring, number);
}

size_t session_flow_packets(const struct session *s, uint64_t flow, uint64_t *numbers, size_t max)
{
    const struct ring *r = &s->priv->ring;
    uint64_t slot = map_get(&r->by_flow, flow);

    if (!slot)
        return 0;
    const struct ring_flow *rf = &r->flows[slot - 1];
    size_t n = rf->nr - rf->gone;
    for (size_t i = 0; i < n && i < max; i++)
        numbers[i] = rf->numbers[rf->gone + i];
    return n;
}
