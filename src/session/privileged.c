/*
 * What rstconsole-host tells of incidents: whether a rule of this host rejects or drops the
 * connection, why this host's kernel sent the reset, and what connection tracking did with it. Each
 * becomes facts of the incident, which are inputs like all others.
 */
#include "session/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RING    1024 /* resets of the kernel that no incident is known of yet */
#define RECENT  256  /* incidents that a late word may still speak of */
#define EARLY   (2 * NS_PER_SEC)
#define LATE    (600 * NS_PER_SEC) /* a program may close long after the reset came */
#define SETTLED (150 * NS_PER_MS)  /* by then the kernel's word has come, if any */
#define ROUGHLY NS_PER_SEC         /* an end is noticed up to this later */
#define WAITING 4096               /* incidents whose rules are asked for */

struct waiting {
    uint64_t incident;
    nstime since; /* loop_now() */
    bool asked;   /* the rules asked for last are later than it */
};
struct privileged {
    struct run *run;
    struct host_privileged *helper;
    struct kernel_reset ring[RING];
    bool taken[RING];
    uint64_t nring, looked; /* looked: incidents */
    struct waiting *waiting;
    size_t nwaiting, alloc;
    struct waiting *quiet; /* resets of which the kernel may still tell */
    size_t nquiet, quiet_alloc;
    bool baseline; /* the rules of the start are told, or cannot be */
};

static struct facts gathered(void)
{
    struct facts f;

    facts_init(&f);
    return f;
}

static void give(struct privileged *p, const struct incident *i, struct facts *f)
{
    struct subject about = incident_subject(i);

    for (size_t k = 0; k < f->nr; k++)
        session_fact(p->run->s, about, &f->items[k]);
    facts_release(f);
}

static bool same_flow(const struct flow_key *a, const struct flow_key *b)
{
    return flow_key_equal(a, b) || flow_key_reverse_equal(a, b);
}

/* ---- the kernel's resets ---- */

static bool speaks_of(const struct kernel_reset *k, const struct incident *i)
{
    return i->flow_known && same_flow(&k->flow, &i->flow) && k->time >= i->time - LATE &&
           k->time <= i->time + EARLY;
}

static void take_reset(struct privileged *p, size_t at, const struct incident *i)
{
    struct facts f = gathered();

    facts_of_kernel_reset(&f, &p->ring[at]);
    p->taken[at] = true;
    give(p, i, &f);
}

static void on_reset(void *arg, const struct kernel_reset *k)
{
    struct privileged *p = arg;
    struct session *s = p->run->s;
    size_t at = p->nring++ % RING;

    p->ring[at] = *k;
    p->taken[at] = false;
    for (uint64_t id = s->nincidents, n = 0; id > 0 && n < RECENT; id--, n++) {
        const struct incident *i = session_incident(s, id);
        if (i && speaks_of(k, i)) {
            take_reset(p, at, i);
            return;
        }
    }
}

/* False: the kernel told of no reset that it sent (yet). */
static bool match_ring(struct privileged *p, const struct incident *i)
{
    bool found = false;

    for (size_t at = 0; at < MIN_OF(p->nring, (uint64_t)RING); at++) {
        if (!speaks_of(&p->ring[at], i))
            continue;
        if (!p->taken[at])
            take_reset(p, at, i);
        found = found || p->ring[at].sent;
    }
    return found;
}

/* ---- rules ---- */

static bool local(const struct privileged *p, const struct addr *a)
{
    const struct session_private *priv = p->run->s->priv;

    return a->family && host_is_local(a, priv->local, priv->nlocal);
}

static bool past_handshake(const struct session *s, const struct incident *i)
{
    const struct result *r = session_result_by_id(s, i->result);
    const struct host_ending *e = incident_ending(i);

    if (i->reset)
        return i->reset->stage != STAGE_SYN && i->reset->stage != STAGE_NONE;
    return r ? r->stage > PSTAGE_CONNECT : e && e->how != ENDING_REFUSED;
}

/* When what rejected it cannot have come before. */
static nstime begun(const struct session *s, const struct incident *i)
{
    const struct result *r = session_result_by_id(s, i->result);

    return r ? r->started : i->time - ROUGHLY;
}

static void judge_rules(struct privileged *p, const struct incident *i)
{
    struct rules_question q = {i->flow, local(p, &i->flow.src), local(p, &i->flow.dst),
                               past_handshake(p->run->s, i), begun(p->run->s, i)};
    struct rules_answer a;
    struct facts f = gathered();

    host_privileged_judge(p->helper, &q, &a);
    facts_of_rules(&f, &a);
    give(p, i, &f);
}

static void on_rules(void *arg)
{
    struct privileged *p = arg;
    size_t left = 0;

    for (size_t k = 0; k < p->nwaiting; k++) {
        const struct incident *i = session_incident(p->run->s, p->waiting[k].incident);
        if (!p->waiting[k].asked)
            p->waiting[left++] = p->waiting[k];
        else if (i && i->flow_known)
            judge_rules(p, i);
    }
    p->nwaiting = left;
    if (!p->baseline) {
        p->baseline = true;
        privileged_ready(p->run);
    }
}

static void ask_rules(struct privileged *p)
{
    if (!p->nwaiting || host_privileged_ask_rules(p->helper))
        return;
    for (size_t k = 0; k < p->nwaiting; k++)
        p->waiting[k].asked = true;
}

static void on_tracked(void *arg, const struct tracked *t)
{
    struct privileged *p = arg;
    struct session *s = p->run->s;

    for (uint64_t id = s->nincidents, n = 0; id > 0 && n < RECENT; id--, n++) {
        const struct incident *i = session_incident(s, id);
        if (!i || !i->flow_known || !same_flow(&t->flow, &i->flow))
            continue;
        struct facts f = gathered();
        facts_of_tracked(&f, t);
        give(p, i, &f);
        return;
    }
}

/* What it counts from: without rules there is nothing to wait for. */
static void on_helper_ready(void *arg)
{
    struct privileged *p = arg;

    if (p->helper && host_privileged_ask_rules(p->helper) == 0)
        return;
    p->baseline = true;
    privileged_ready(p->run);
}

/* ---- the tick ---- */

/* A reset that bears an address of this host, and of which its kernel said nothing: a rule, or a
 * forgery, made it. */
static bool would_be_told(const struct privileged *p, const struct incident *i)
{
    const struct result *r = session_result_by_id(p->run->s, i->result);
    const struct host_ending *e = incident_ending(i);
    bool from_server = i->reset ? i->reset->from == SIDE_RESP
                       : r      ? r->failure == FAIL_RESET || r->failure == FAIL_REFUSED
                                : e && host_ending_made_here(e) == e->server;

    if (!i->is_reset || !host_privileged_has(p->helper, PRIV_RESETS))
        return false;
    return local(p, from_server ? &i->flow.dst : &i->flow.src);
}

static void hear_silence(struct privileged *p)
{
    nstime now = loop_now(p->run->loop);
    size_t left = 0;

    for (size_t k = 0; k < p->nquiet; k++) {
        const struct incident *i = session_incident(p->run->s, p->quiet[k].incident);
        struct facts f = gathered();
        if (!i || match_ring(p, i))
            continue;
        if (now - p->quiet[k].since < SETTLED) {
            p->quiet[left++] = p->quiet[k];
            continue;
        }
        if (!host_privileged_lost(p->helper))
            facts_put(&f, FACT_KERNEL_SENT, false, SRC_HOST, 0, "tcp_send_reset", v_none(),
                      v_none(), v_none());
        give(p, i, &f);
    }
    p->nquiet = left;
}

static bool worth_asking(const struct privileged *p, const struct incident *i)
{
    return i->flow_known && !i->log && i->flow.src.family && i->flow.dst.family &&
           (local(p, &i->flow.src) || local(p, &i->flow.dst));
}

static void look_at_new(struct privileged *p)
{
    struct session *s = p->run->s;

    for (; p->looked < s->nincidents; p->looked++) {
        const struct incident *i = session_incident(s, p->looked + 1);
        if (!i || !worth_asking(p, i))
            continue;
        nstime now = loop_now(p->run->loop);
        if (!match_ring(p, i) && would_be_told(p, i) && p->nquiet < WAITING &&
            ARRAY_GROW(p->quiet, p->nquiet + 1, p->quiet_alloc) == 0)
            p->quiet[p->nquiet++] = (struct waiting){i->id, now, false};
        host_privileged_ask_flow(p->helper, &i->flow);
        if (p->nwaiting < WAITING && host_privileged_has(p->helper, PRIV_RULES) &&
            ARRAY_GROW(p->waiting, p->nwaiting + 1, p->alloc) == 0)
            p->waiting[p->nwaiting++] = (struct waiting){i->id, now, false};
    }
}

void privileged_tick(struct run *r)
{
    struct privileged *p = r->privileged;

    if (!p)
        return;
    look_at_new(p);
    hear_silence(p);
    ask_rules(p);
}

bool privileged_busy(struct run *r)
{
    if (!r->privileged)
        return false;
    privileged_tick(r);
    return r->privileged->nwaiting > 0 || r->privileged->nquiet > 0;
}

bool privileged_is_ready(const struct run *r)
{
    return !r->privileged || r->privileged->baseline;
}

void privileged_give_up(struct run *r)
{
    if (r->privileged)
        r->privileged->baseline = true;
}

void privileged_start(struct run *r)
{
    struct privileged *p = calloc(1, sizeof(*p));

    if (!p)
        return;
    const struct privileged_callbacks cb = {on_helper_ready, on_reset, on_tracked, on_rules, p};
    p->run = r;
    p->helper = host_privileged_start(r->loop, &cb);
    if (!p->helper) {
        free(p);
        return;
    }
    r->privileged = p;
    if (r->sockets)
        host_watch_privileged(r->sockets, p->helper);
}

void privileged_free(struct run *r)
{
    if (!r->privileged)
        return;
    host_privileged_free(r->privileged->helper);
    free(r->privileged->waiting);
    free(r->privileged->quiet);
    free(r->privileged);
    r->privileged = NULL;
}
