/*
 * The table of flows: a packet comes in, its flow is found or begins, and what it says goes to the
 * record, the reset, the halves and the words in turn. Keeps the resets, and looks things up.
 */
#include "flow/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#define RESET_SLAB    64
#define BUCKETS_FIRST 4096
#define DEFAULT_FLOWS 1000000
#define DEFAULT_KEPT  ((size_t)64 << 20)

/* ---- resets ---- */
struct grown *table_grown(const struct flow_table *t, uint64_t id)
{
    if (id < 1 || id > t->nresets)
        return NULL;
    return &t->resets[(id - 1) / RESET_SLAB][(id - 1) % RESET_SLAB];
}

static void reset_index(struct flow_table *t, struct grown *g)
{
    uint32_t *at = &t->reset_buckets[g->r.flow & (t->nreset_buckets - 1)];
    g->next_of_flow = *at;
    *at = (uint32_t)g->r.id;
}

static void resets_rehash(struct flow_table *t)
{
    size_t n = t->nreset_buckets ? t->nreset_buckets * 4 : 256;
    uint32_t *b = calloc(n, sizeof(*b));
    if (!b)
        return;
    free(t->reset_buckets);
    t->reset_buckets = b;
    t->nreset_buckets = n;
    for (uint64_t id = 1; id <= t->nresets; id++)
        reset_index(t, table_grown(t, id));
}

struct grown *table_add_reset(struct flow_table *t, uint64_t flow)
{
    if (t->nresets >= t->st.max_resets) {
        t->limits.resets_dropped++;
        return NULL;
    }
    if (t->nresets >= t->nreset_buckets * 2 || !t->nreset_buckets)
        resets_rehash(t);
    if (t->nresets / RESET_SLAB >= t->reset_slabs) {
        struct grown *slab;
        if (ARRAY_GROW(t->resets, t->reset_slabs + 1, t->reset_slabs_alloc) < 0 ||
            !(slab = calloc(RESET_SLAB, sizeof(*slab)))) {
            t->limits.resets_dropped++;
            return NULL;
        }
        t->resets[t->reset_slabs++] = slab;
    }
    struct grown *g = table_grown(t, ++t->nresets);
    g->r.id = t->nresets;
    g->r.flow = flow;
    if (t->nreset_buckets)
        reset_index(t, g);
    return g;
}

/* ---- the table itself ---- */
static uint64_t random_key(const struct flow_table *t)
{
    uint64_t w[2] = {0, 0};
    const void *seed = (const void *)getauxval(AT_RANDOM); /* 16 bytes the kernel gave us */
    if (seed)
        memcpy(w, seed, sizeof(w));
    return hash_mix(w[0] ^ (uint64_t)(uintptr_t)t, w[1]);
}

static void *plain_block(size_t size)
{
    return aligned_alloc(CACHE_LINE, size);
}

struct flow_table *flow_table_new(const struct flow_settings *st)
{
    struct flow_table *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->st = *st;
    if (!t->st.block)
        t->st.block = plain_block;
    t->store.block = t->st.block;
    if (!t->st.max_flows)
        t->st.max_flows = DEFAULT_FLOWS;
    if (!t->st.max_resets)
        t->st.max_resets = FLOW_RESETS_DEFAULT;
    if (!t->st.max_kept_bytes)
        t->st.max_kept_bytes = DEFAULT_KEPT;
    t->hash_key = random_key(t);
    t->free_list = t->syn_lru.first = t->syn_lru.last = t->lru.first = t->lru.last = NO_INDEX;
    t->nbuckets = BUCKETS_FIRST;
    t->buckets = malloc(t->nbuckets * sizeof(*t->buckets));
    t->id_buckets = malloc(t->nbuckets * sizeof(*t->id_buckets));
    if (st->nlocal)
        t->local = malloc(st->nlocal * sizeof(*t->local));
    if (!t->buckets || !t->id_buckets || (st->nlocal && !t->local) ||
        services_init(&t->services) < 0) {
        flow_table_free(t);
        return NULL;
    }
    if (st->nlocal)
        memcpy(t->local, st->local, st->nlocal * sizeof(*t->local));
    table_fill_empty(t->buckets, t->nbuckets);
    table_fill_empty(t->id_buckets, t->nbuckets);
    return t;
}

void flow_table_free(struct flow_table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->next_fresh; i++) {
        struct flow_more *m = table_flow(t, (uint32_t)i)->more;
        for (int s = 0; m && s < 2; s++)
            free(m->app[s]);
    }
    for (size_t i = 0; i < t->nslabs; i++)
        free(t->slabs[i]);
    for (size_t i = 0; i < t->nmore_slabs; i++)
        free(t->more_slabs[i]);
    free(t->more_slabs);
    for (size_t i = 0; i < t->reset_slabs; i++)
        free(t->resets[i]);
    store_release(&t->store);
    services_release(&t->services);
    free(t->slabs);
    free(t->resets);
    free(t->reset_buckets);
    free(t->buckets);
    free(t->id_buckets);
    free(t->local);
    free(t);
}

/* A SYN with another ISN on a known 5-tuple is a new connection (RFC 9293 3.4.1, 3.6.1); so is
 * one with the same after both ends had closed. */
static bool starts_anew(const struct flow *f, enum side s, const struct packet *p)
{
    if ((p->tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
        return false;
    const struct flow_half *h = &f->side[s].half;
    if (h->syns)
        return h->isn != p->tcp.seq;
    if (!h->seen)
        return f->side[other(s)].half.fin_seen ||
               (f->side[other(s)].half.seen && !f->side[other(s)].half.syns);
    return true; /* it spoke before without one: that was another connection */
}

static const struct flow *icmp_packet(struct flow_table *t, const struct packet *p)
{
    const struct icmp_info *ic = &p->icmp;
    enum side s;
    if (!ic->quoted || ic->quoted_l4 != L4_TCP || !ic->ports_seen)
        return NULL;
    struct flow *f = table_find_tuple(t, &ic->src, ic->sport, &ic->dst, ic->dport, &s);
    struct flow_more *m = f ? flow_need_more(t, f) : NULL;
    if (!m)
        return f;
    m->icmp = (struct flow_icmp){.seen = true,
                                 .v6 = p->l4 == L4_ICMP6,
                                 .type = ic->type,
                                 .code = ic->code,
                                 .from = p->src,
                                 .time = p->time,
                                 .packet = p->number};
    struct grown *g = table_grown(t, f->reset);
    if (g && !g->r.icmp.seen) {
        g->r.icmp = m->icmp;
        reset_tell(t, g);
    }
    return f;
}

/* A wrong checksum on one packet of a side whose others are right is corruption: a receiver drops
 * it. One that is merely not yet filled in (offload) is none. Long segments are not summed, so once
 * there was a wrong one only those that were summed, and right, speak for the side. */
static bool is_corrupt(const struct flow_half *h, const struct packet *p)
{
    if (!p->tcp.checksum_seen || p->tcp.checksum_ok || p->tcp.checksum_partial || h->unfilled)
        return false;
    return h->bad_checksums ? h->good_checksums >= MIN_OF(h->bad_checksums * 4ull + 2, UINT16_MAX)
                            : h->packets >= 2;
}

static const struct flow *tcp_packet(struct flow_table *t, const struct packet *p, uint64_t hash,
                                     uint32_t mark)
{
    enum side s;
    t->counts.tcp_packets++;
    struct flow *f = table_find_packet(t, p, hash, &s);
    if (f && f->key.sport == f->key.dport && addr_equal(&f->key.src, &f->key.dst))
        s = SIDE_ORIG; /* both ends look the same */
    if (f && quick_packet(t, f, s, p, mark))
        return f;
    if (!f || starts_anew(f, s, p)) {
        f = table_make_flow(t, p, f);
        if (!f)
            return NULL;
        s = table_side(f, p);
    }
    bool corrupt = is_corrupt(&f->side[s].half, p), rst = p->tcp.flags & TCP_RST;
    zeek_packet(t, f, s, p, corrupt);
    if (track_is_copy(f, s, p, mark)) {
        t->counts.duplicates++;
        return f;
    }
    if (rst) {
        t->counts.rsts++;
        reset_packet(t, f, s, p);
    }
    if (corrupt) {
        f->side[s].half.bad_checksums++;
    } else {
        track_packet(t, f, s, p);
        if (!rst)
            words_packet(t, f, s, p);
    }
    if (!rst && f->reset)
        reset_after(t, f, s, p);
    bool syn_only = !f->side[SIDE_RESP].half.seen || !f->side[SIDE_ORIG].half.seen;
    table_touch(t, f, syn_only && !f->more);
    return f;
}

const struct flow *flow_table_ready(struct flow_table *t, const struct flow_ready *r)
{
    t->counts.packets++;
    t->counts.ip_packets++;
    t->now = r->pkt.time;
    return tcp_packet(t, &r->pkt, r->hash, r->mark);
}

const struct flow *flow_table_packet(struct flow_table *t, const struct packet *p)
{
    struct packet timed;
    t->counts.packets++;
    if (!p->src.family) {
        t->counts.undecoded++;
        return NULL;
    }
    t->counts.ip_packets++;
    if (p->time == NSTIME_NONE) { /* a simple packet block bears no time: as the one before */
        timed = *p;
        timed.time = t->now;
        p = &timed;
    }
    t->now = p->time;
    if (p->l4 == L4_TCP)
        return tcp_packet(t, p, table_hash(t->hash_key, p), track_mark(p));
    if (p->l4 == L4_ICMP || p->l4 == L4_ICMP6)
        return icmp_packet(t, p);
    return NULL;
}

void flow_table_finish(struct flow_table *t)
{
    for (size_t i = 0; i < t->next_fresh; i++) {
        struct flow *f = table_flow(t, (uint32_t)i);
        if (f->in_use && f->zeek.open)
            zeek_cut(t, f);
    }
    for (uint64_t id = 1; id <= t->nresets; id++)
        reset_settle(t, table_grown(t, id));
}

/* ---- looking things up ---- */
size_t flow_table_resets(const struct flow_table *t)
{
    return t->nresets;
}

const struct reset *flow_table_reset(const struct flow_table *t, uint64_t id)
{
    const struct grown *g = table_grown(t, id);
    return g ? &g->r : NULL;
}

const struct flow *flow_table_by_id(const struct flow_table *t, uint64_t id)
{
    for (uint32_t i = *table_id_bucket(t, id); i != NO_INDEX;) {
        const struct flow *f = table_flow(t, i);
        if (f->id == id)
            return f;
        i = f->id_next;
    }
    return NULL;
}

const struct flow *flow_table_find(const struct flow_table *t, const struct flow_key *k,
                                   nstime when, nstime slack)
{
    enum side s;
    const struct flow *f = table_find_tuple(t, &k->src, k->sport, &k->dst, k->dport, &s);
    while (f && (flow_start(f) > when + slack || flow_last(f) < when - slack))
        f = table_flow(t, f->older);
    return f;
}

const struct reset *flow_table_reset_of(const struct flow_table *t, uint64_t flow)
{
    if (!t->nreset_buckets)
        return NULL;
    uint32_t id = t->reset_buckets[flow & (t->nreset_buckets - 1)]; /* newest first */
    for (struct grown *g; (g = table_grown(t, id)); id = g->next_of_flow)
        if (g->r.flow == flow)
            return &g->r;
    return NULL;
}

const struct flow_counts *flow_table_counts(const struct flow_table *t)
{
    return &t->counts;
}

const struct flow_limits_hit *flow_table_limits(const struct flow_table *t)
{
    return &t->limits;
}
