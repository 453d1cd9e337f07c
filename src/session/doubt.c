/*
 * What this host's counters say of a failed probe of this host. A delta speaks of one event only if
 * nothing else lay in its window (design.md 3); else the probe is repeated alone, with the counters
 * read right before and right after it.
 */
#include "session/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void doubt_release(struct doubt *d)
{
    free(d->deltas);
    free(d->repeats);
    free(d->spans);
    free(d->settled);
    memset(d, 0, sizeof(*d));
}

static bool is_local(const struct run *r, const struct addr *a)
{
    return a->family && host_is_local(a, r->s->priv->local, r->s->priv->nlocal);
}

/* The facts become the result's; those of a repetition say so. */
static void attach(struct run *r, uint64_t result, struct facts *facts, const char *ref)
{
    for (size_t i = 0; i < facts->nr; i++) {
        if (ref)
            facts->items[i].ref = ref;
        session_fact(r->s, (struct subject){ABOUT_RESULT, result}, &facts->items[i]);
    }
}

/* ---- deltas ---- */

static const struct host_counters *sample_before(const struct doubt *d, nstime t)
{
    uint64_t first = d->nsamples > SAMPLES ? d->nsamples - SAMPLES : 0;

    for (uint64_t i = d->nsamples; i > first; i--)
        if (d->samples[(i - 1) % SAMPLES].time <= t)
            return &d->samples[(i - 1) % SAMPLES];
    return NULL;
}

static unsigned probes_within(const struct doubt *d, nstime from, nstime to)
{
    unsigned n = 0;

    for (size_t i = 0; i < d->nspans; i++)
        n += d->spans[i].started <= to && d->spans[i].ended >= from;
    return n;
}

/* Counters that move once for each connection that is reset or refused. */
static bool moved_for_several(const struct host_counters *d)
{
    return d->abort_on_close > 1 || d->abort_on_data > 1 || d->abort_on_timeout > 1 ||
           d->abort_on_memory > 1 || d->embryonic_rsts > 1;
}

static struct settled_doubt *settled_before(struct doubt *d, const struct result *res)
{
    for (size_t i = 0; i < d->nsettled; i++) {
        struct settled_doubt *k = &d->settled[i];
        if (k->target == res->target && k->failure == res->failure && k->stage == res->stage &&
            addr_equal(&k->address, &res->address))
            return k;
    }
    return NULL;
}

/* The same target failed in the same way in an earlier round and was repeated alone then: what that
 * told holds for this one. */
static bool told_before(struct run *r, const struct result *res)
{
    struct settled_doubt *k = settled_before(&r->doubt, res);
    struct facts facts;

    if (!k || !session_result_by_id(r->s, k->result))
        return false;
    uint64_t before = k->result;
    k->result = res->id; /* the older one may be forgotten */
    facts_init(&facts);
    ledger_gather(r->s->ledger, (struct subject){ABOUT_RESULT, before}, &facts);
    for (size_t i = 0; i < facts.nr; i++)
        if (facts.items[i].ref && strcmp(facts.items[i].ref, "repeat") == 0)
            session_fact(r->s, (struct subject){ABOUT_RESULT, res->id}, &facts.items[i]);
    facts_release(&facts);
    return true;
}

static void want_repeat(struct run *r, const struct result *res)
{
    struct doubt *d = &r->doubt;

    if (d->spent + d->nrepeats >= REPEATS_MAX || r->stopping)
        return;
    for (size_t i = 0; i < d->nrepeats; i++)
        if (d->repeats[i].chain == res->chain)
            return;
    if (ARRAY_GROW(d->repeats, d->nrepeats + 1, d->repeats_alloc))
        return;
    d->repeats[d->nrepeats++] = (struct pending_repeat){
        .result = res->id,
        .chain = res->chain,
        .target = res->target,
        .round = res->round,
        .address = res->address,
        .failure = res->failure,
        .stage = res->stage,
    };
}

static void settle_delta(struct run *r, const struct pending_delta *p,
                         const struct host_counters *after)
{
    const struct host_counters *before = sample_before(&r->doubt, p->started);
    const struct result *res = session_result_by_id(r->s, p->result);
    struct host_counters delta;
    struct facts facts;

    if (!before || !res)
        return;
    host_counters_delta(&delta, before, after);
    unsigned events = probes_within(&r->doubt, before->time, after->time);
    if ((events > 1 || moved_for_several(&delta)) && result_doubtful(res)) {
        if (told_before(r, res))
            return;
        want_repeat(r, res);
        if (r->doubt.nrepeats && r->doubt.repeats[r->doubt.nrepeats - 1].chain == res->chain)
            return; /* told by the repetition alone */
    }
    facts_init(&facts);
    facts_of_counters(&facts, &delta, events ? events : 1);
    attach(r, p->result, &facts, NULL);
    facts_release(&facts);
}

void doubt_sample(struct run *r)
{
    struct doubt *d = &r->doubt;
    struct host_counters now;
    size_t left = 0;

    if (host_read_counters(&now) || !now.available) {
        d->ndeltas = 0;
        return;
    }
    d->samples[d->nsamples++ % SAMPLES] = now;
    session_counters(r->s, &now);
    for (size_t i = 0; i < d->ndeltas; i++) {
        if (d->deltas[i].ended < now.time)
            settle_delta(r, &d->deltas[i], &now);
        else
            d->deltas[left++] = d->deltas[i];
    }
    d->ndeltas = left;
    /* Spans that no sample reaches back to any more can disturb nothing. */
    const struct host_counters *oldest =
        &d->samples[d->nsamples > SAMPLES ? d->nsamples % SAMPLES : 0];
    for (size_t i = 0; i < d->nspans;) {
        if (d->spans[i].ended < oldest->time)
            d->spans[i] = d->spans[--d->nspans];
        else
            i++;
    }
}

static nstime note_span(struct doubt *d, const struct result *res)
{
    for (size_t i = 0; i < d->nspans; i++) {
        if (d->spans[i].chain != res->chain)
            continue;
        d->spans[i].started = MIN_OF(d->spans[i].started, res->started);
        d->spans[i].ended = MAX_OF(d->spans[i].ended, res->ended);
        return d->spans[i].started;
    }
    if (ARRAY_GROW(d->spans, d->nspans + 1, d->spans_alloc) == 0)
        d->spans[d->nspans++] = (struct chain_span){res->chain, res->started, res->ended};
    return res->started;
}

static bool address_gone(const struct run *r, const struct addr *a)
{
    for (size_t i = 0; i < r->ngone; i++)
        if (addr_equal(&r->gone[i], a))
            return true;
    return false;
}

/* Our counters tell nothing of another host, our routes how far its packets must come. */
static void far_target(struct run *r, const struct result *res)
{
    char gone[ADDR_TEXT_MAX];
    struct facts facts;
    int routed;

    if (res->outcome != OUTCOME_FAILED || res->failure == FAIL_INTERRUPTED)
        return;
    facts_init(&facts);
    facts_put(&facts, FACT_TARGET_LOCAL, false, SRC_HOST, 0, "addresses", v_none(), v_none(),
              v_none());
    struct host_conntrack conntrack;
    if (host_conntrack_read(&conntrack) == 0)
        facts_of_conntrack(&facts, &conntrack);
    if (res->flow_known && res->flow.src.family && address_gone(r, &res->flow.src))
        facts_put(&facts, FACT_LOCAL_ADDRESS_GONE, true, SRC_HOST, 0, "rtnetlink",
                  v_text(addr_text(gone, &res->flow.src)), v_none(), v_none());
    routed = host_behind_router(&res->address);
    if (routed >= 0)
        facts_put(&facts, FACT_BEHIND_ROUTER, routed, SRC_HOST, 0, "routes", v_none(), v_none(),
                  v_none());
    attach(r, res->id, &facts, NULL);
    facts_release(&facts);
}

/* At the moment of the failure: the listener's queue; the counters at the next tick. */
void doubt_result(struct run *r, const struct result *res)
{
    struct doubt *d = &r->doubt;
    struct listener listener;
    struct facts facts;

    if (strcmp(res->probe, "dns") == 0 || !res->address.family)
        return;
    if (!is_local(r, &res->address)) {
        far_target(r, res);
        return;
    }
    nstime started = note_span(d, res);
    if (res->outcome != OUTCOME_FAILED || res->failure == FAIL_INTERRUPTED)
        return;
    if (res->repeat) {
        if (res->failure == d->now.failure) {
            d->failed_again = true;
            d->again = res->id;
        }
        return;
    }
    facts_init(&facts);
    facts_put(&facts, FACT_TARGET_LOCAL, true, SRC_HOST, 0, "addresses", v_none(), v_none(),
              v_none());
    uint16_t port = res->flow_known ? res->flow.dport : 0;
    if (port && host_listener(&listener, &res->address, port) == 0)
        facts_of_listener(&facts, &listener);
    struct host_pressure pressure;
    if (host_pressure_read(&pressure) == 0)
        facts_of_pressure(&facts, &pressure);
    attach(r, res->id, &facts, NULL);
    facts_release(&facts);
    if (ARRAY_GROW(d->deltas, d->ndeltas + 1, d->deltas_alloc) == 0)
        d->deltas[d->ndeltas++] = (struct pending_delta){
            .result = res->id, .chain = res->chain, .started = started, .ended = res->ended};
}

/* ---- repetitions ---- */

bool doubt_repeat_next(struct run *r)
{
    struct doubt *d = &r->doubt;
    struct probe_callbacks cb = run_callbacks(r);

    while (d->nrepeats) {
        d->now = d->repeats[0];
        memmove(d->repeats, d->repeats + 1, --d->nrepeats * sizeof(*d->repeats));
        const struct target_state *ts = session_target(r->s, d->now.target);
        if (!ts || host_read_counters(&d->before))
            continue;
        d->began = loop_now(r->loop);
        d->failed_again = false;
        d->running = r->s->priv->repeating = true;
        d->spent++;
        if (prober_repeat(r->prober, ts->target, &d->now.address, d->now.round, &cb) == 0)
            return true;
        d->running = r->s->priv->repeating = false;
    }
    return false;
}

static void record_repeat(struct run *r, const struct facts *facts, bool separated)
{
    struct experiment_record e = {
        .experiment = "repeat",
        .target = r->doubt.now.target,
        .outcome = separated ? EXP_SEPARATED : EXP_INCONCLUSIVE,
        .connections = 1,
        .span = loop_now(r->loop) - r->doubt.began,
        .facts = *facts,
    };

    session_experiment(r->s, &e);
}

void doubt_repeat_done(struct run *r)
{
    struct doubt *d = &r->doubt;
    struct host_counters after, delta;
    struct facts facts;
    bool separated = !d->failed_again;

    d->running = r->s->priv->repeating = false;
    d->now.tries++;
    facts_init(&facts);
    if (d->failed_again && host_read_counters(&after) == 0) {
        host_counters_delta(&delta, &d->before, &after);
        facts_of_counters(&facts, &delta, 1);
        for (size_t i = 0; i < facts.nr; i++)
            separated = separated || facts.items[i].yes;
        attach(r, d->again, &facts, "repeat");
    }
    /* Somebody else's connections moved them too: once more, later. */
    if (facts_yes(&facts, FACT_COUNTER_SHARED) && d->now.tries < TRIES_MAX &&
        d->spent + d->nrepeats < REPEATS_MAX && !r->stopping &&
        ARRAY_GROW(d->repeats, d->nrepeats + 1, d->repeats_alloc) == 0) {
        d->repeats[d->nrepeats++] = d->now;
        facts_release(&facts);
        return;
    }
    facts_put(&facts, FACT_REPEATED_SAME, d->failed_again, SRC_EXPERIMENT, 0, "repeat",
              v_int(d->now.tries), v_int(d->now.tries), v_none());
    attach(r, d->now.result, &facts, "repeat");
    record_repeat(r, &facts, separated);
    if (d->failed_again && ARRAY_GROW(d->settled, d->nsettled + 1, d->settled_alloc) == 0)
        d->settled[d->nsettled++] = (struct settled_doubt){
            d->now.target, d->now.address, d->now.failure, d->now.stage, d->now.result};
    facts_release(&facts);
}
