/*
 * Incidents: what ended badly. A reset of the packets and the failed results of the same connection
 * are one incident; its facts are those of all of them and of the ledger.
 */
#include "session/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct whole_incident { /* what readers see of it comes first */
    struct incident seen;
    struct incident_extra extra;
};

/* They stand in the order of their ids, and the old ones may be gone: where that id is or would be.
 */
static size_t place_of(const struct session *s, uint64_t id)
{
    size_t from = 0, to = s->nincidents;

    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (s->incidents[mid]->id < id)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

struct incident *incident_get(const struct session *s, uint64_t id)
{
    size_t at = id ? place_of(s, id) : s->nincidents;

    return at < s->nincidents && s->incidents[at]->id == id ? s->incidents[at] : NULL;
}

struct incident_extra *incident_extra(const struct session *s, const struct incident *i)
{
    (void)s;
    return &((struct whole_incident *)(uintptr_t)i)->extra;
}

void incident_dirty(struct session *s, struct incident *i)
{
    struct judging *j = &s->priv->judging;
    struct incident_extra *x = incident_extra(s, i);

    if (x->queued || ARRAY_GROW(j->queue, j->nqueue + 1, j->queue_alloc))
        return;
    x->queued = true;
    j->queue[j->nqueue++] = i->id;
}

static bool concerns(const struct session *s, const struct incident *i, struct subject about)
{
    const struct result *r;

    switch (about.about) {
    case ABOUT_HOST: return true;
    case ABOUT_TARGET: return i->target == about.id;
    case ABOUT_RESET: return i->reset && i->reset->id == about.id;
    case ABOUT_ENDING:
        return (i->ends[0] && i->ends[0]->id == about.id) ||
               (i->ends[1] && i->ends[1]->id == about.id);
    case ABOUT_LOG: return i->log_id == about.id;
    case ABOUT_RESULT:
        r = session_result_by_id(s, about.id);
        return r && i->chain && r->chain == i->chain;
    default: return false;
    }
}

void incident_dirty_subject(struct session *s, struct subject about)
{
    if (about.about == ABOUT_RESET) {
        struct incident *i = incident_get(s, map_get(&s->priv->reset_incident, about.id));
        if (i)
            incident_dirty(s, i);
        return;
    }
    if (about.about == ABOUT_RESULT) {
        const struct result *r = session_result_by_id(s, about.id);
        const struct chain *ch = r ? chains_get(&s->priv->chains, r->chain) : NULL;
        struct incident *i = ch ? incident_get(s, ch->incident) : NULL;
        if (i && i->chain == ch->id) {
            incident_dirty(s, i);
            return;
        }
    }
    for (size_t i = 0; i < s->nincidents; i++)
        if (concerns(s, s->incidents[i], about))
            incident_dirty(s, s->incidents[i]);
}

struct incident *incident_new(struct session *s)
{
    struct whole_incident *w = NULL;
    struct incident *i;

    if (s->nincidents < MAX_INCIDENTS &&
        ARRAY_GROW(s->incidents, s->nincidents + 1, s->incidents_alloc) == 0)
        w = calloc(1, sizeof(*w));
    if (!w) {
        s->limits.incidents_dropped++;
        return NULL;
    }
    i = &w->seen;
    judgement_init(&i->judgement);
    checklist_init(&i->checklist);
    s->incidents[s->nincidents++] = i;
    i->id = ++s->priv->next_incident;
    return i;
}

/* Of an old round, told by a probe alone and not worked on by anybody: it goes with its results. */
bool incident_forget(struct session *s, struct chain *ch)
{
    struct incident *i = incident_get(s, ch->incident);
    const struct incident_extra *x = i ? incident_extra(s, i) : NULL;

    if (!i)
        return true;
    if (i->reset || x->queued || x->nanswers || x->nskipped)
        return false;
    size_t at = place_of(s, i->id);
    incident_release(s, i);
    memmove(&s->incidents[at], &s->incidents[at + 1],
            (s->nincidents - at - 1) * sizeof(*s->incidents));
    s->nincidents--;
    s->limits.incidents_dropped++;
    ch->incident = 0;
    return true;
}

static void become_reset(struct session *s, struct incident *i)
{
    if (i->is_reset)
        return;
    i->is_reset = true;
    i->reset_id = ++s->priv->next_reset;
    s->resets_seen += !i->repeat;
}

static void adopt_chain(struct session *s, struct incident *i, struct chain *ch)
{
    i->chain = ch->id;
    i->target = ch->target;
    i->related = true;
    if (i->repeat != ch->repeat)
        s->priv->patterns_stale = true;
    i->repeat = ch->repeat;
    if (!ch->incident)
        ch->incident = i->id;
}

/* How it looks before it is judged; the judge has the last word. */
static void first_impression(struct incident *i)
{
    if (i->reset) {
        i->harmful = i->reset->harmful;
        i->harmful_why = i->reset->harmful_why;
    } else if (!i->chain) {
        i->harmful = true;
        i->harmful_why = N_("the connection was cut");
    } else {
        i->harmful = true;
        i->harmful_why = N_("the probe failed");
    }
}

static struct incident *incident_of_new_reset(struct session *s, const struct reset *r)
{
    struct chain *ch = chains_find(&s->priv->chains, &r->key, r->time);
    struct incident *i = ch && ch->incident ? incident_get(s, ch->incident) : NULL;

    if (!i || i->reset) { /* not known from its result yet, or a second one of the same tuple */
        i = incident_new(s);
        if (!i)
            return NULL;
        i->related = s->ntargets == 0 && !s->settings.command;
    }
    i->reset = r;
    i->flow = r->key;
    i->flow_known = true;
    i->time = r->time;
    if (ch) {
        ch->reset = r->id;
        adopt_chain(s, i, ch);
    }
    become_reset(s, i);
    if (!i->judged_revision)
        first_impression(i);
    map_set(&s->priv->reset_incident, r->id, i->id);
    endings_adopt(s, i);
    return i;
}

void incident_on_reset(void *arg, const struct reset *r)
{
    struct session *s = arg;
    struct incident *i = incident_get(s, map_get(&s->priv->reset_incident, r->id));

    if (!i) {
        i = incident_of_new_reset(s, r);
        if (!i) {
            s->resets_seen += r->rev <= 1;
            return;
        }
        session_touch(s);
    }
    s->priv->patterns_stale = true;
    incident_dirty(s, i);
}

/* A 5-tuple that became known after the packets: their reset is the chain's. */
void incident_of_chain_flow(struct session *s, struct chain *ch)
{
    const struct flow *f = flow_table_find(s->flows, &ch->flow, ch->started, 2 * CHAIN_SLACK);
    const struct reset *r = f ? flow_table_reset_of(s->flows, flow_id(f)) : NULL;
    struct incident *i = r ? incident_get(s, map_get(&s->priv->reset_incident, r->id)) : NULL;

    if (!i || i->chain || r->time < ch->started - CHAIN_SLACK)
        return;
    ch->reset = r->id;
    adopt_chain(s, i, ch);
    incident_dirty(s, i);
}

/* The socket says that a RST came although no packet of it was seen. A refusal that an ICMP error
 * made is none. */
static bool told_of_reset(const struct result *r)
{
    struct facts f;
    bool icmp;

    if (r->failure == FAIL_RESET)
        return true;
    if (r->failure != FAIL_REFUSED)
        return false;
    facts_init(&f);
    facts_of_result(&f, r);
    icmp = facts_yes(&f, FACT_ICMP_ERROR);
    facts_release(&f);
    return !icmp;
}

void incident_on_result(struct session *s, struct chain *ch, const struct result *r)
{
    struct incident *i = incident_get(s, ch->incident);
    bool failed = r->outcome == OUTCOME_FAILED && r->failure != FAIL_INTERRUPTED;

    if (!failed && r->flow_known && !strcmp(r->probe, "tcp"))
        neighbour_learnt(s, &r->flow.dst);
    if (failed && !i) {
        if (r->repeat && !told_of_reset(r))
            return; /* a repetition's failure is a fact of what it repeats */
        i = incident_new(s);
        if (!i)
            return;
        i->time = r->ended;
        adopt_chain(s, i, ch);
        first_impression(i);
    }
    if (!i)
        return;
    if (i->repeat != ch->repeat)
        s->priv->patterns_stale = true;
    i->repeat = ch->repeat;
    if (failed && !i->result) {
        i->result = r->id;
        s->priv->patterns_stale = true;
    }
    if (r->flow_known && !i->flow_known) {
        i->flow = r->flow;
        i->flow_known = true;
    }
    if (failed && told_of_reset(r))
        become_reset(s, i);
    endings_adopt(s, i);
    incident_dirty(s, i);
}

/* A reset that only the socket's end tells of: another program's connection. */
void incident_of_ending(struct session *s, const struct host_ending *e)
{
    struct incident *i = incident_new(s);

    if (!i)
        return;
    i->flow = e->flow;
    i->flow_known = true;
    i->time = e->time;
    i->related = e->command || (s->ntargets == 0 && !s->settings.command);
    i->ends[e->server] = e;
    s->priv->endings.next[e->id - 1].incident = i->id;
    become_reset(s, i);
    first_impression(i);
    endings_adopt(s, i);
    s->priv->patterns_stale = true;
    incident_dirty(s, i);
}

/* ---- the facts of an incident ---- */

struct subject incident_subject(const struct incident *i)
{
    if (i->reset)
        return (struct subject){ABOUT_RESET, i->reset->id};
    if (i->log)
        return (struct subject){ABOUT_LOG, i->log_id};
    if (!i->result && incident_ending(i))
        return (struct subject){ABOUT_ENDING, incident_ending(i)->id};
    return (struct subject){ABOUT_RESULT, i->result};
}

/* Of several requests on one connection the one that failed is spoken of. */
static bool failed_later(const struct session *s, const struct chain *ch, size_t i,
                         const struct result *r)
{
    while (++i < ch->nresults) {
        const struct result *next = session_result_by_id(s, ch->results[i]);
        if (next && next->outcome == OUTCOME_FAILED && !strcmp(next->probe, r->probe))
            return true;
    }
    return false;
}

static void facts_of_chain(const struct session *s, const struct chain *ch, struct facts *out)
{
    struct facts one;

    facts_init(&one);
    /* The failed stages first: what they say supersedes what the earlier ones saw. */
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < ch->nresults; i++) {
            const struct result *r = session_result_by_id(s, ch->results[i]);
            if (!r || (r->outcome == OUTCOME_FAILED) != (pass == 0))
                continue;
            if (pass == 1 && failed_later(s, ch, i, r))
                continue;
            facts_clear(&one);
            facts_of_result(&one, r);
            facts_merge(out, &one, false);
        }
    }
    facts_release(&one);
}

/* How the name became the address is told by a result of its own, of the same round. */
static void facts_of_name(const struct session *s, const struct incident *i, struct facts *out)
{
    const struct result *failed = session_result_by_id(s, i->result);
    const struct target_state *ts = failed ? session_target(s, failed->target) : NULL;
    struct facts one;

    if (!ts)
        return;
    facts_init(&one);
    for (size_t k = ts->nresults; k-- > 0;) {
        const struct result *r = session_result_by_id(s, ts->results[k]);
        if (r && r != failed && r->round == failed->round && !strcmp(r->probe, "dns"))
            facts_of_result(&one, r);
    }
    for (size_t k = 0; k < one.nr; k++)
        if (!strncmp(fact_info(one.items[k].kind)->name, "dns-", 4) &&
            !facts_get(out, one.items[k].kind))
            facts_add(out, &one.items[k]);
    facts_release(&one);
}

static const char *failure_words(enum failure f)
{
    switch (f) {
    case FAIL_REFUSED: return N_("the connection was refused");
    case FAIL_RESET:
    case FAIL_BROKEN_PIPE: return N_("the connection was reset");
    case FAIL_TIMEOUT: return N_("no answer came in time");
    case FAIL_EOF: return N_("the connection was closed before an answer was complete");
    case FAIL_HOST_UNREACHABLE:
    case FAIL_NETWORK_UNREACHABLE: return N_("the host cannot be reached");
    case FAIL_DNS_NXDOMAIN:
    case FAIL_DNS_NO_ANSWER:
    case FAIL_DNS_SERVFAIL:
    case FAIL_DNS_REFUSED: return N_("the name did not resolve");
    case FAIL_TLS_HANDSHAKE: return N_("the TLS handshake failed");
    case FAIL_TLS_HOSTNAME:
    case FAIL_TLS_AUTHORITY:
    case FAIL_TLS_CERTIFICATE: return N_("the server's certificate was not accepted");
    default: return N_("the probe failed");
    }
}

/* What the probe's own failure settles, whatever the packets look like (on loopback checksums are
 * not filled in, and a refusal hurts whoever wanted to connect). */
static void facts_of_failure(const struct session *s, const struct incident *i, struct facts *out)
{
    const struct result *r = session_result_by_id(s, i->result);
    bool flow_says = i->reset && i->reset->harmful;

    if (!r)
        return;
    facts_put(out, FACT_HARMLESS, false, SRC_PROBE, 0, r->probe,
              v_text(flow_says ? i->reset->harmful_why : failure_words(r->failure)), v_none(),
              v_none());
    if (i->reset && (r->failure == FAIL_RESET || r->failure == FAIL_REFUSED))
        facts_put(out, FACT_RST_CHECKSUM_BAD, false, SRC_PROBE, 0, r->probe, v_none(), v_none(),
                  v_none());
}

void incident_told(const struct session *s, const struct incident *i, struct facts *out)
{
    const struct chain *ch = i->chain ? chains_get(&s->priv->chains, i->chain) : NULL;

    if (ch)
        facts_of_chain(s, ch, out);
    endings_facts(i, out);
}

void incident_facts(const struct session *s, const struct incident *i, struct facts *out)
{
    const struct chain *ch = i->chain ? chains_get(&s->priv->chains, i->chain) : NULL;
    struct facts read;

    facts_clear(out);
    facts_of_failure(s, i, out);
    if (i->reset)
        ledger_gather(s->ledger, (struct subject){ABOUT_RESET, i->reset->id}, out);
    for (int k = 0; k < 2; k++)
        if (i->ends[k])
            ledger_gather(s->ledger, (struct subject){ABOUT_ENDING, i->ends[k]->id}, out);
    for (size_t k = 0; ch && k < ch->nresults; k++)
        ledger_gather(s->ledger, (struct subject){ABOUT_RESULT, ch->results[k]}, out);
    if (i->log)
        ledger_gather(s->ledger, (struct subject){ABOUT_LOG, i->log_id}, out);
    if (i->target)
        ledger_gather(s->ledger, (struct subject){ABOUT_TARGET, i->target}, out);
    ledger_gather(s->ledger, (struct subject){ABOUT_HOST, 0}, out);
    facts_init(&read);
    if (i->reset) {
        facts_of_reset(&read, i->reset);
        neighbour_facts(s, i, &read);
        if (s->vantage.dropped_known)
            facts_put(&read, FACT_CAPTURE_DROPS, s->vantage.dropped > 0, SRC_PACKET, 0, NULL,
                      v_int((int64_t)s->vantage.dropped), v_none(), v_none());
    }
    pattern_facts(s, i, &read);
    log_facts(s, i, &read);
    if (out->nr)
        facts_merge(out, &read, false);
    else
        facts_swap(out, &read);
    facts_release(&read);
    incident_told(s, i, out);
    facts_of_name(s, i, out);
    facts_sort(out);
}
