/*
 * What the host's table of sockets says of ends: an input like packets and results. With a probe's
 * chain, or a reset that packets showed, it is joined; without either it is an incident of its own.
 */
#include "session/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define JOIN_LATE  (600 * NS_PER_SEC) /* a program may close long after the reset came */
#define JOIN_EARLY NS_PER_SEC

void endings_release(struct session *s)
{
    struct endings *e = &s->priv->endings;

    for (size_t i = 0; i < s->nendings; i++)
        free(s->endings[i]);
    free(s->endings);
    free(e->next);
    map_release(&e->by_socket);
    map_release(&e->by_flow);
}

/* Of both directions the same. What is not known of a tuple finds nothing. */
static uint64_t flow_hash(const struct flow_key *k)
{
    uint64_t a = hash_bytes(k->sport, &k->src, sizeof(k->src));
    uint64_t b = hash_bytes(k->dport, &k->dst, sizeof(k->dst));
    uint64_t h = hash_mix(a ^ b, a + b);

    return h ? h : 1;
}

static bool whole(const struct flow_key *k)
{
    return k->src.family && k->dst.family && k->sport && k->dport;
}

static bool same_flow(const struct flow_key *a, const struct flow_key *b)
{
    return flow_key_equal(a, b) || flow_key_reverse_equal(a, b);
}

static struct incident *incident_of(const struct session *s, const struct host_ending *e)
{
    return incident_get(s, s->priv->endings.next[e->id - 1].incident);
}

static void join(struct session *s, struct incident *i, const struct host_ending *e)
{
    const struct host_ending **end = &i->ends[e->server];

    s->priv->endings.next[e->id - 1].incident = i->id;
    i->related = i->related || e->command;
    if (!*end || (*end)->time <= e->time)
        *end = e;
    incident_dirty(s, i);
}

/* The endings of that flow that were noticed around t or later. */
void endings_adopt(struct session *s, struct incident *i)
{
    const struct endings *es = &s->priv->endings;

    if (!i->flow_known || !whole(&i->flow))
        return;
    for (size_t k = (size_t)map_get(&es->by_flow, flow_hash(&i->flow)); k;
         k = es->next[k - 1].older) {
        const struct host_ending *e = s->endings[k - 1];
        if (!es->next[k - 1].incident && same_flow(&e->flow, &i->flow) &&
            e->time >= i->time - JOIN_EARLY && e->time <= i->time + JOIN_LATE)
            join(s, i, e);
    }
}

/* An incident that packets, a probe or the connection's other end made of the same flow. */
static struct incident *existing(struct session *s, const struct host_ending *e)
{
    const struct endings *es = &s->priv->endings;
    const struct chain *ch = chains_find(&s->priv->chains, &e->flow, e->time);
    const struct flow *f;
    const struct reset *r;

    if (ch && ch->incident)
        return incident_get(s, ch->incident);
    f = flow_table_find(s->flows, &e->flow, e->time, JOIN_LATE);
    r = f ? flow_table_reset_of(s->flows, flow_id(f)) : NULL;
    if (r && r->time <= e->time + JOIN_EARLY)
        return incident_get(s, map_get(&s->priv->reset_incident, r->id));
    for (size_t k = (size_t)map_get(&es->by_flow, flow_hash(&e->flow)); k;
         k = es->next[k - 1].older) {
        const struct host_ending *other = s->endings[k - 1];
        struct incident *i = incident_of(s, other);
        if (other != e && i && same_flow(&other->flow, &e->flow) && other->server != e->server &&
            !i->ends[e->server] && other->time > e->time - JOIN_LATE)
            return i;
    }
    return NULL;
}

/* Whether an end that nothing else has told of is a matter of its own: of COMMAND its own, with
 * targets those of other programs to the same places, else all; where packets are captured, they
 * decide. */
static bool own_matter(const struct session *s, const struct host_ending *e)
{
    if (s->settings.command)
        return e->command;
    if (s->vantage.capture == VANTAGE_LIVE)
        return false;
    if (!s->ntargets)
        return true;
    for (size_t t = 0; t < s->ntargets; t++) {
        const struct target_state *ts = &s->targets[t];
        const struct result *r =
            ts->nresults ? session_result_by_id(s, ts->results[ts->nresults - 1]) : NULL;
        if (r && r->flow_known && r->flow.dport == e->flow.dport &&
            addr_equal(&r->flow.dst, &e->flow.dst))
            return true;
    }
    return false;
}

static int store(struct session *s, const struct host_ending *e)
{
    struct endings *es = &s->priv->endings;
    struct host_ending *copy = NULL;

    if (s->nendings >= MAX_ENDINGS || ARRAY_GROW(s->endings, s->nendings + 1, s->endings_alloc) ||
        ARRAY_GROW(es->next, s->nendings + 1, es->alloc) || !(copy = malloc(sizeof(*copy))) ||
        map_set(&es->by_socket, e->socket, s->nendings + 1)) {
        free(copy);
        s->limits.endings_dropped++;
        return -ENOMEM;
    }
    *copy = *e;
    copy->id = s->nendings + 1;
    es->next[s->nendings] = (struct ending_link){0, 0};
    s->endings[s->nendings++] = copy;
    if (!whole(&e->flow))
        return 0;
    es->next[copy->id - 1].older = (size_t)map_get(&es->by_flow, flow_hash(&e->flow));
    return map_set(&es->by_flow, flow_hash(&e->flow), copy->id);
}

/* The program has closed it at last: how it ended was better known when it ended. */
static void update(struct session *s, struct host_ending *have, const struct host_ending *e)
{
    have->held = e->held;
    if (e->info && e->sent >= have->sent && e->received >= have->received) {
        have->info = true;
        have->sent = e->sent;
        have->acked = e->acked;
        have->received = e->received;
    }
    if (have->owner.pid < 0)
        have->owner = e->owner;
    struct incident *i = incident_of(s, have);
    if (i)
        incident_dirty(s, i);
}

void session_ending(struct session *s, const struct host_ending *e)
{
    size_t at = (size_t)map_get(&s->priv->endings.by_socket, e->socket);
    const struct chain *ch =
        whole(&e->flow) ? chains_find(&s->priv->chains, &e->flow, e->time) : NULL;
    struct incident *i = NULL;

    if (ch && !e->server && !e->command)
        return; /* our own probe's socket: its result has said all of it and more */
    journal_ending(s, e);
    if (at) {
        update(s, s->endings[at - 1], e);
    } else if (store(s, e) == 0) {
        e = s->endings[s->nendings - 1];
        if (whole(&e->flow))
            i = existing(s, e);
        if (i)
            join(s, i, e);
        else if (!ch && own_matter(s, e))
            incident_of_ending(s, e);
    }
    session_touch(s);
}

void session_nameless(struct session *s, uint64_t n)
{
    if (n <= s->nameless)
        return;
    s->nameless = n;
    if (s->ntargets) /* asked for targets: other programs' refusals are beside the point */
        return;
    session_message(s, MSG_INFO,
                    P_("%llu connect of a program failed at once: its address is not known to the "
                       "kernel any more",
                       "%llu connects of programs failed at once: their addresses are not known "
                       "to the kernel any more",
                       (unsigned long)n),
                    (unsigned long long)n);
}

/* The end that reset, or the one that told; its process is the reset's. */
const struct host_ending *incident_ending(const struct incident *i)
{
    for (int k = 0; k < 2; k++)
        if (i->ends[k] && host_ending_made_here(i->ends[k]))
            return i->ends[k];
    return i->ends[1] ? i->ends[1] : i->ends[0];
}

void endings_facts(const struct incident *i, struct facts *out)
{
    const struct host_ending *first = incident_ending(i);
    struct facts one;

    facts_init(&one);
    for (int pass = 0; pass < 2 && first; pass++) {
        const struct host_ending *e = pass == 0 ? first : i->ends[!first->server];
        if (!e)
            continue;
        facts_clear(&one);
        facts_of_ending(&one, e);
        facts_merge(out, &one, false);
    }
    facts_release(&one);
}
