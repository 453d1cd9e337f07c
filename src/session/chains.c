/* The connections of our own probes, found by their id or by 5-tuple and time. */
#include "session/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void chains_release(struct chains *c)
{
    for (size_t i = 0; i < c->nr; i++) {
        if (c->items[i])
            free(c->items[i]->results);
        free(c->items[i]);
    }
    free(c->items);
    free(c->free_next);
    map_release(&c->by_id);
    map_release(&c->by_key);
    memset(c, 0, sizeof(*c));
}

struct chain *chains_get(const struct chains *c, uint64_t id)
{
    uint64_t at = map_get(&c->by_id, id);

    return at ? c->items[at - 1] : NULL;
}

struct chain *chains_add(struct chains *c, uint64_t id, uint32_t target, nstime now)
{
    struct chain *ch = calloc(1, sizeof(*ch));

    if (!ch)
        return NULL;
    ch->id = id;
    ch->target = target;
    ch->started = now;
    size_t at = c->free ? c->free - 1 : c->nr;
    if (ARRAY_GROW(c->items, c->nr + 1, c->alloc) ||
        ARRAY_GROW(c->free_next, c->nr + 1, c->free_alloc) || map_set(&c->by_id, id, at + 1)) {
        free(ch);
        return NULL;
    }
    if (c->free)
        c->free = c->free_next[at];
    else
        c->nr++;
    c->items[at] = ch;
    return ch;
}

/* The same for both directions: a NAT-less reset may be listed either way round. */
static uint64_t key_hash(const struct flow_key *k)
{
    uint64_t a = hash_bytes(k->sport, &k->src, sizeof(k->src));
    uint64_t b = hash_bytes(k->dport, &k->dst, sizeof(k->dst));

    return hash_mix(a ^ b, a + b);
}

int chains_set_flow(struct chains *c, struct chain *ch, const struct flow_key *flow)
{
    uint64_t hash = key_hash(flow), mine = map_get(&c->by_id, ch->id);

    if (ch->flow_known && flow_key_equal(&ch->flow, flow))
        return 0;
    ch->flow = *flow;
    if (!flow->src.family || !flow->sport) /* about to connect: not a 5-tuple yet */
        return 0;
    ch->flow_known = true;
    ch->older = (size_t)map_get(&c->by_key, hash);
    return map_set(&c->by_key, hash, mine);
}

/* The newest chain of that 5-tuple that had begun by then (ports are used again). */
struct chain *chains_find(const struct chains *c, const struct flow_key *flow, nstime at)
{
    size_t i = (size_t)map_get(&c->by_key, key_hash(flow));

    for (; i; i = c->items[i - 1]->older) {
        struct chain *ch = c->items[i - 1];
        if (!ch)
            return NULL;
        if (!flow_key_equal(&ch->flow, flow) && !flow_key_reverse_equal(&ch->flow, flow))
            continue;
        if (at == NSTIME_NONE || ch->started <= at + CHAIN_SLACK)
            return ch;
    }
    return NULL;
}

/* Of old rounds: nothing can belong to it any more. */
void chains_forget(struct chains *c, struct chain *ch)
{
    uint64_t at = map_get(&c->by_id, ch->id), hash = key_hash(&ch->flow);

    if (ch->flow_known) {
        size_t head = (size_t)map_get(&c->by_key, hash);
        if (head == at && ch->older)
            map_set(&c->by_key, hash, ch->older);
        else if (head == at)
            map_drop(&c->by_key, hash);
        else
            for (size_t i = head; i && c->items[i - 1]; i = c->items[i - 1]->older)
                if (c->items[i - 1]->older == at) {
                    c->items[i - 1]->older = ch->older;
                    break;
                }
    }
    map_drop(&c->by_id, ch->id);
    c->items[at - 1] = NULL;
    c->free_next[at - 1] = c->free;
    c->free = (size_t)at;
    free(ch->results);
    free(ch);
}

int chain_add_result(struct chain *ch, uint64_t result)
{
    int err = ARRAY_GROW(ch->results, ch->nresults + 1, ch->results_alloc);

    if (!err)
        ch->results[ch->nresults++] = result;
    return err;
}
