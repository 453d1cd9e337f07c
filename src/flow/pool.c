/*
 * Where flows come from and go to: pooled flows behind a keyed hash, two LRU lists, and what goes
 * when the table is full. SYN-only flows stand in a list of their own and go first, so that a SYN
 * flood cannot push out connections that carry data.
 */
#include "flow/internal.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define FLOW_SLAB (FLOW_BLOCK / sizeof(struct flow))
#define MORE_SLAB (FLOW_BLOCK / sizeof(struct flow_more))

struct flow *table_flow(const struct flow_table *t, uint32_t index)
{
    return index == NO_INDEX ? NULL : &t->slabs[index / FLOW_SLAB][index % FLOW_SLAB];
}

/* ---- LRU lists ---- */
static struct lru *lru_of(struct flow_table *t, const struct flow *f)
{
    return f->syn_list ? &t->syn_lru : &t->lru;
}

static void lru_add(struct flow_table *t, struct flow *f)
{
    struct lru *l = lru_of(t, f);
    f->lru_prev = l->last;
    f->lru_next = NO_INDEX;
    if (l->last == NO_INDEX)
        l->first = f->index;
    else
        table_flow(t, l->last)->lru_next = f->index;
    l->last = f->index;
    l->n++;
}

static void lru_remove(struct flow_table *t, struct flow *f)
{
    struct lru *l = lru_of(t, f);
    if (f->lru_prev == NO_INDEX)
        l->first = f->lru_next;
    else
        table_flow(t, f->lru_prev)->lru_next = f->lru_next;
    if (f->lru_next == NO_INDEX)
        l->last = f->lru_prev;
    else
        table_flow(t, f->lru_next)->lru_prev = f->lru_prev;
    l->n--;
}

/* The lists are in order to within a second: to move one costs three flows. */
static uint32_t second_of(nstime t)
{
    return (uint32_t)(t / NS_PER_SEC);
}

static void table_move_last(struct flow_table *t, struct flow *f, bool syn_only)
{
    lru_remove(t, f);
    f->touched = second_of(t->now);
    f->syn_list = syn_only;
    lru_add(t, f);
}

void table_touch(struct flow_table *t, struct flow *f, bool syn_only)
{
    if (f->syn_list != syn_only || second_of(t->now) != f->touched)
        table_move_last(t, f, syn_only);
}

/* ---- hashing: both directions of a connection meet in one bucket ---- */
static inline uint64_t endpoint_hash(uint64_t key, const struct addr *a, uint16_t port)
{
    uint64_t w[2];
    if (a->family == 4) {
        uint32_t v4;
        memcpy(&v4, a->b, sizeof(v4));
        return hash_mix(v4 ^ key, (uint64_t)port << 8 ^ key >> 7);
    }
    memcpy(w, a->b, sizeof(w));
    return hash_mix(hash_mix(w[0] ^ key, w[1] + a->family), key ^ port);
}

static inline uint64_t tuple_hash(uint64_t key, const struct addr *a, uint16_t ap,
                                  const struct addr *b, uint16_t bp)
{
    uint64_t x = endpoint_hash(key, a, ap), y = endpoint_hash(key, b, bp);
    return hash_mix(x + y, x ^ y ^ key) | (uint64_t)1 << 63; /* symmetric; never 0 */
}

static uint32_t *key_bucket(const struct flow_table *t, const struct flow_key *k)
{
    uint64_t hash = tuple_hash(t->hash_key, &k->src, k->sport, &k->dst, k->dport);
    return &t->buckets[hash & (t->nbuckets - 1)];
}

uint32_t *table_id_bucket(const struct flow_table *t, uint64_t id)
{
    return &t->id_buckets[id & (t->nbuckets - 1)];
}

void table_fill_empty(uint32_t *a, size_t n)
{
    memset(a, 0xff, n * sizeof(*a)); /* NO_INDEX */
}

/* Twice the buckets once there are as many flows; on ENOMEM chains just grow longer. */
static void table_rehash(struct flow_table *t)
{
    size_t n = t->nbuckets * 2;
    uint32_t *b = malloc(n * sizeof(*b)), *ib = malloc(n * sizeof(*ib));
    if (!b || !ib) {
        free(b);
        free(ib);
        return;
    }
    free(t->buckets);
    free(t->id_buckets);
    t->buckets = b;
    t->id_buckets = ib;
    t->nbuckets = n;
    table_fill_empty(b, n);
    table_fill_empty(ib, n);
    for (size_t i = 0; i < t->next_fresh; i++) {
        struct flow *f = table_flow(t, (uint32_t)i);
        if (!f->in_use)
            continue;
        uint32_t *at = table_id_bucket(t, f->id);
        f->id_next = *at;
        *at = f->index;
        if (f->newer != NO_INDEX)
            continue; /* only the newest of a 5-tuple stands in the chain */
        at = key_bucket(t, &f->key);
        f->next = *at;
        *at = f->index;
    }
}

/* Word by word: the packet's were written just now in pieces of this size. */
static inline bool same_addr(const struct addr *a, const struct addr *b)
{
    uint32_t v[2];
    uint64_t w[2], x[2];
    if (a->family != b->family)
        return false;
    if (a->family == 4) {
        memcpy(&v[0], a->b, 4);
        memcpy(&v[1], b->b, 4);
        return v[0] == v[1];
    }
    memcpy(w, a->b, sizeof(w));
    memcpy(x, b->b, sizeof(x));
    return ((w[0] ^ x[0]) | (w[1] ^ x[1])) == 0;
}

static inline bool same_ends(const struct flow_key *k, const struct addr *src, uint16_t sport,
                             const struct addr *dst, uint16_t dport)
{
    return k->sport == sport && k->dport == dport && same_addr(&k->src, src) &&
           same_addr(&k->dst, dst);
}

static inline struct flow *find_hashed(const struct flow_table *t, uint64_t hash,
                                       const struct addr *src, uint16_t sport,
                                       const struct addr *dst, uint16_t dport, enum side *s)
{
    for (uint32_t i = t->buckets[hash & (t->nbuckets - 1)]; i != NO_INDEX;) {
        struct flow *f = table_flow(t, i);
        if (same_ends(&f->key, src, sport, dst, dport)) {
            *s = SIDE_ORIG;
            return f;
        }
        if (same_ends(&f->key, dst, dport, src, sport)) {
            *s = SIDE_RESP;
            return f;
        }
        i = f->next;
    }
    return NULL;
}

struct flow *table_find_tuple(const struct flow_table *t, const struct addr *src, uint16_t sport,
                              const struct addr *dst, uint16_t dport, enum side *s)
{
    return find_hashed(t, tuple_hash(t->hash_key, src, sport, dst, dport), src, sport, dst, dport,
                       s);
}

struct flow *table_find_packet(const struct flow_table *t, const struct packet *p, uint64_t hash,
                               enum side *s)
{
    return find_hashed(t, hash, &p->src, p->tcp.sport, &p->dst, p->tcp.dport, s);
}

uint64_t table_hash(uint64_t key, const struct packet *p)
{
    return tuple_hash(key, &p->src, p->tcp.sport, &p->dst, p->tcp.dport);
}

enum side table_side(const struct flow *f, const struct packet *p)
{
    return same_ends(&f->key, &p->src, p->tcp.sport, &p->dst, p->tcp.dport) ? SIDE_ORIG : SIDE_RESP;
}

/* ---- looking ahead: a busy link's flows are never in the cache when their packet comes ---- */
static void fetch(const void *at, size_t n)
{
    for (size_t i = 0; i < n; i += 64)
        __builtin_prefetch((const char *)at + i, 1);
}

static void fetch_parts(const struct flow_table *t, const struct flow *f)
{
    if (!f->served) /* soon it is noted that the service works */
        service_ahead(t, &f->key.src, &f->key.dst, f->key.dport);
    if (f->more)
        fetch(f->more, offsetof(struct flow_more, turns));
}

uint64_t flow_table_key(const struct flow_table *t)
{
    return t->hash_key;
}

void flow_make_ready(struct flow_ready *out, const struct record *rec, uint64_t key)
{
    bool plain = packet_decode_plain(&out->pkt, rec);
    out->hash = plain ? table_hash(key, &out->pkt) : 0;
    out->mark = plain ? track_mark(&out->pkt) : 0;
}

/* Each packet is met three times before it is due: its bucket, its flow, the flow's parts. */
void flow_table_soon(struct flow_table *t, const struct flow_ready *r)
{
    unsigned now = t->ahead_at++ & (AHEAD_MAX - 1), then = (now + 10) & (AHEAD_MAX - 1),
             soon = (now + 4) & (AHEAD_MAX - 1);
    const struct packet *p = &r->pkt;
    if (!r->hash)
        return;
    t->ahead[now].hash = r->hash;
    if (p->payload_len)
        __builtin_prefetch(p->payload);
    __builtin_prefetch(&t->buckets[r->hash & (t->nbuckets - 1)]);
    uint32_t i = t->buckets[t->ahead[then].hash & (t->nbuckets - 1)];
    t->ahead[then].index = i;
    if (i != NO_INDEX) {
        const struct flow *f = table_flow(t, i);
        fetch(f, offsetof(struct flow, id)); /* the cold line after these is not fetched */
        fetch(f->side, sizeof(f->side));
    }
    i = t->ahead[soon].index;
    if (i < t->next_fresh)
        fetch_parts(t, table_flow(t, i));
    if ((p->tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
        service_ahead(t, &p->src, &p->dst, p->tcp.dport);
}

/* ---- making and forgetting flows ---- */
static struct flow *flow_fresh(struct flow_table *t)
{
    if (t->free_list != NO_INDEX) {
        struct flow *f = table_flow(t, t->free_list);
        t->free_list = f->next;
        return f;
    }
    if (t->next_fresh / FLOW_SLAB >= t->nslabs) {
        if (ARRAY_GROW(t->slabs, t->nslabs + 1, t->slabs_alloc) < 0)
            return NULL;
        struct flow *slab = t->st.block(FLOW_BLOCK);
        if (!slab)
            return NULL;
        t->slabs[t->nslabs++] = slab;
    }
    struct flow *f = table_flow(t, (uint32_t)t->next_fresh);
    memset(f, 0, sizeof(*f));
    f->index = (uint32_t)t->next_fresh++;
    if (t->next_fresh % FLOW_SLAB) /* the next one's memory is in no cache yet */
        fetch(f + 1, sizeof(*f));
    return f;
}

static void unlink_id(struct flow_table *t, struct flow *f)
{
    uint32_t *at = table_id_bucket(t, f->id);
    while (*at != NO_INDEX && *at != f->index)
        at = &table_flow(t, *at)->id_next;
    if (*at == f->index)
        *at = f->id_next;
}

static void unlink_key(struct flow_table *t, struct flow *f)
{
    if (f->older != NO_INDEX)
        table_flow(t, f->older)->newer = f->newer;
    if (f->newer != NO_INDEX) {
        table_flow(t, f->newer)->older = f->older;
        return;
    }
    uint32_t *at = key_bucket(t, &f->key);
    while (*at != NO_INDEX && *at != f->index)
        at = &table_flow(t, *at)->next;
    if (*at != f->index)
        return;
    if (f->older == NO_INDEX) {
        *at = f->next;
        return;
    }
    table_flow(t, f->older)->next = f->next;
    *at = f->older;
}

/* The list of flows that keep first bytes, the longest kept first. */
void flow_link_words(struct flow_table *t, struct flow_more *m)
{
    if (m->linked)
        return;
    m->linked = true;
    m->next = NULL;
    m->prev = t->more_last;
    if (t->more_last)
        t->more_last->next = m;
    else
        t->more_first = m;
    t->more_last = m;
}

static void more_unlink(struct flow_table *t, struct flow_more *m)
{
    if (!m->linked)
        return;
    m->linked = false;
    if (m->prev)
        m->prev->next = m->next;
    else
        t->more_first = m->next;
    if (m->next)
        m->next->prev = m->prev;
    else
        t->more_last = m->prev;
}

void flow_forget_words(struct flow_table *t, struct flow *f)
{
    struct flow_more *m = f->more;
    if (!m)
        return;
    more_unlink(t, m);
    for (int s = 0; s < 2; s++) {
        t->kept_bytes -= m->first[s].alloc;
        if (m->first[s].alloc)
            store_put(&t->store, m->first[s].data, m->first[s].alloc);
        free(m->app[s]);
        m->first[s] = (struct kept){.stopped = true};
        m->app[s] = NULL;
    }
}

static void flow_forget(struct flow_table *t, struct flow *f)
{
    if (f->zeek.open)
        zeek_cut(t, f);
    if (f->more) {
        flow_forget_words(t, f);
        flow_drop_more(t, f);
    }
    unlink_key(t, f);
    unlink_id(t, f);
    lru_remove(t, f);
    uint32_t index = f->index;
    memset(f, 0, sizeof(*f));
    f->index = index;
    f->next = t->free_list;
    t->free_list = index;
    t->counts.live_flows--;
}

/* Full: the oldest idle flow that never was answered goes first. */
static void table_make_room(struct flow_table *t)
{
    while (t->counts.live_flows >= t->st.max_flows) {
        uint32_t i = t->syn_lru.first != NO_INDEX ? t->syn_lru.first : t->lru.first;
        flow_forget(t, table_flow(t, i));
        t->limits.flows_evicted++;
    }
}

struct flow *table_make_flow(struct flow_table *t, const struct packet *p, struct flow *old)
{
    if (old && t->counts.live_flows >= t->st.max_flows &&
        old->index == (t->syn_lru.n ? t->syn_lru.first : t->lru.first))
        table_move_last(t, old, old->syn_list); /* not the one we hang the new one on */
    table_make_room(t);
    if (old && !old->in_use)
        old = NULL;
    struct flow *f = flow_fresh(t);
    if (!f)
        return NULL;
    bool flip = zeek_flips(p);
    f->key = flip ? (struct flow_key){p->dst, p->src, p->tcp.dport, p->tcp.sport}
                  : (struct flow_key){p->src, p->dst, p->tcp.sport, p->tcp.dport};
    f->in_use = true;
    f->id = ++t->next_id;
    f->older = f->newer = NO_INDEX;
    f->last_data_from = SIDE_NONE;
    f->last_real = f->opened = NSTIME_NONE;
    f->rtt_to[0] = f->rtt_to[1] = NSTIME_NONE;
    f->side[0].half.last = f->side[1].half.last = NSTIME_NONE;
    f->start = NSTIME_NONE;
    f->side[0].half.wscale = f->side[1].half.wscale = WSCALE_NONE;
    f->zeek.start = NSTIME_NONE;

    uint32_t *at = key_bucket(t, &f->key);
    if (old) { /* port reuse: the newest takes the old one's place in the chain */
        uint32_t *from = at;
        while (*from != NO_INDEX && *from != old->index)
            from = &table_flow(t, *from)->next;
        if (*from == old->index)
            *from = old->next;
        f->older = old->index;
        old->newer = f->index;
    }
    f->next = *at;
    *at = f->index;
    at = table_id_bucket(t, f->id);
    f->id_next = *at;
    *at = f->index;
    f->syn_list = true;
    f->touched = second_of(p->time);
    lru_add(t, f);
    t->counts.flows++;
    if (++t->counts.live_flows > t->nbuckets)
        table_rehash(t);
    return f;
}

static struct flow_more *more_fresh(struct flow_table *t)
{
    struct flow_more *m = t->free_more;
    if (m) {
        t->free_more = m->next;
        return m;
    }
    if (!t->more_left) {
        if (ARRAY_GROW(t->more_slabs, t->nmore_slabs + 1, t->more_slabs_alloc) < 0)
            return NULL;
        struct flow_more *slab = t->st.block(FLOW_BLOCK);
        if (!slab)
            return NULL;
        t->more_slabs[t->nmore_slabs++] = slab;
        t->more_left = MORE_SLAB;
    }
    m = &t->more_slabs[t->nmore_slabs - 1][MORE_SLAB - t->more_left];
    if (--t->more_left) /* the next one's memory is in no cache yet */
        fetch(m + 1, offsetof(struct flow_more, hole));
    return m;
}

struct flow_more *flow_need_more(struct flow_table *t, struct flow *f)
{
    if (f->more)
        return f->more;
    struct flow_more *m = more_fresh(t);
    if (!m)
        return NULL;
    memset(m, 0, offsetof(struct flow_more, last));
    memset(m->retransmits, 0,
           offsetof(struct flow_more, hole) - offsetof(struct flow_more, retransmits));
    m->icmp.seen = false;
    for (int s = 0; s < 2; s++)
        m->fin_time[s] = m->probe_time[s] = m->rtt_min[s] = m->burst[s].time = NSTIME_NONE;
    m->last_request = NSTIME_NONE;
    m->owner = f;
    f->more = m;
    return m;
}

void flow_drop_more(struct flow_table *t, struct flow *f)
{
    f->more->next = t->free_more;
    t->free_more = f->more;
    f->more = NULL;
}
