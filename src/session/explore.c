/*
 * Finding out by experiments: for each diagnosis that is not plain yet the planner's best one, then
 * the next, until it is plain, nothing would tell more, or its budget is spent. Diagnoses of
 * different targets go on side by side. Those of one failure hold for the same failure later.
 */
#include "session/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET_CONNECTIONS 40
#define BUDGET_TIME        (60 * NS_PER_SEC)
#define AT_ONCE            16   /* diagnoses explored side by side */
#define EXPLORED_MAX       1000 /* failures remembered */
#define DONE_MAX           32
#define LADDERS            8 /* an idle ladder takes at most so often the silence it is about */

struct explored { /* one kind of failure of one address of a target */
    uint32_t target;
    struct addr address;
    enum failure failure;
    enum probe_stage stage;
    uint64_t incident, result;      /* for which it is explored, and which had it last */
    const char *done[DONE_MAX + 1]; /* ids */
    size_t ndone;
    unsigned connections; /* spent */
    nstime spent;
    bool asked, consent, over; /* by a person: their own order */
    bool resume;               /* its idle ladder goes on first */
    struct explore_one *running;
};
struct explore_one {
    struct run *r;
    struct explored *x;
    struct shooter *shooter;
    struct trial *trial;
    int record; /* in session->experiments */
};

/* ---- which failure ---- */

unsigned experiment_most(const struct test *t, const struct settings *st)
{
    return MAX_OF(st->budget_connections, (unsigned)t->connections);
}

static struct explored *find(struct explore *e, const struct result *res)
{
    for (size_t i = 0; i < e->nr; i++) {
        struct explored *x = e->items[i];
        if (x->target == res->target && x->failure == res->failure && x->stage == res->stage &&
            addr_equal(&x->address, &res->address))
            return x;
    }
    return NULL;
}

static struct explored *explored_new(struct explore *e, const struct incident *i,
                                     const struct result *res)
{
    struct explored *x;

    if (e->nr >= EXPLORED_MAX || ARRAY_GROW(e->items, e->nr + 1, e->alloc))
        return NULL;
    x = calloc(1, sizeof(*x));
    if (!x)
        return NULL;
    *x = (struct explored){.target = res->target,
                           .address = res->address,
                           .failure = res->failure,
                           .stage = res->stage,
                           .incident = i->id,
                           .result = res->id};
    e->items[e->nr++] = x;
    return x;
}

/* What experiments told of this failure before holds for it now. */
static void told_before(struct run *r, struct explored *x, const struct incident *i)
{
    struct facts facts;

    if (x->result == i->result)
        return;
    facts_init(&facts);
    ledger_gather(r->s->ledger, (struct subject){ABOUT_RESULT, x->result}, &facts);
    for (size_t k = 0; k < facts.nr; k++)
        if (facts.items[k].source == SRC_EXPERIMENT)
            session_fact(r->s, (struct subject){ABOUT_RESULT, i->result}, &facts.items[k]);
    facts_release(&facts);
    x->result = i->result;
    x->incident = i->id;
}

/* ---- the symptom ---- */

static enum scheme spoken(const struct run *r, const struct incident *i, const struct target *t)
{
    static const struct {
        const char *word;
        enum scheme scheme;
    } words[] = {
        {"tcp", SCHEME_TCP}, {"tls", SCHEME_TLS}, {"http", SCHEME_HTTP}, {"https", SCHEME_HTTPS}};
    const struct chain *ch = chains_get(&r->s->priv->chains, i->chain);

    for (size_t k = 0; ch && t->scheme == SCHEME_AUTO && k < ch->nresults; k++) {
        const struct result *res = session_result_by_id(r->s, ch->results[k]);
        const struct field *f = res ? result_field(res, "speaks") : NULL;
        for (size_t w = 0; f && f->value.type == VALUE_TEXT && w < ARRAY_SIZE(words); w++)
            if (strcmp(f->value.u.s, words[w].word) == 0)
                return words[w].scheme;
    }
    return t->scheme == SCHEME_AUTO ? SCHEME_TCP : t->scheme;
}

/* The other addresses of the name that the round's probes went to. */
static size_t other_addresses(const struct run *r, const struct result *res, struct addr *out,
                              size_t max)
{
    const struct target_state *ts = session_target(r->s, res->target);
    size_t n = 0;

    for (size_t i = 0; ts && i < ts->nresults; i++) {
        const struct result *o = session_result_by_id(r->s, ts->results[i]);
        bool known = !o || !o->address.family || o->round != res->round ||
                     addr_equal(&o->address, &res->address);
        for (size_t k = 0; !known && k < n; k++)
            known = addr_equal(&out[k], &o->address);
        if (!known && n < max)
            out[n++] = o->address;
    }
    return n;
}

/* Another target, at another address, as the control: one that answers, else any. */
static void other_target(const struct run *r, const struct result *res, struct symptom *y)
{
    for (size_t k = 0; k < r->s->ntargets; k++) {
        const struct target_state *ts = &r->s->targets[k];
        for (size_t i = ts->nresults; i-- > 0;) {
            const struct result *o = session_result_by_id(r->s, ts->results[i]);
            if (!o || o->target == res->target || !o->address.family || !o->flow.dport ||
                addr_equal(&o->address, &res->address) || strcmp(o->probe, "dns") == 0 ||
                (y->other && o->outcome != OUTCOME_OK))
                continue;
            y->other = ts->target;
            y->other_address = o->address;
            y->other_port = o->flow.dport;
            if (o->outcome == OUTCOME_OK)
                return;
        }
    }
}

static int symptom_of(const struct run *r, const struct incident *i, struct symptom *y,
                      struct addr *others, size_t max)
{
    const struct result *res = session_result_by_id(r->s, i->result);
    const struct target_state *ts = session_target(r->s, i->target);

    if (!res || !ts)
        return -ENOTSUP;
    int rc = symptom_of_result(y, ts->target, res, spoken(r, i, ts->target));
    y->others = others;
    y->nothers = rc ? 0 : other_addresses(r, res, others, max);
    if (!rc)
        other_target(r, res, y);
    return rc;
}

/* ---- one experiment ---- */

static void one_free(struct explore_one *o)
{
    if (!o)
        return;
    trial_free(o->trial);
    if (o->shooter)
        o->shooter->free(o->shooter);
    o->x->running = NULL;
    o->r->explore.running--;
    free(o);
}

static void on_flow(void *arg, const struct flow_key *flow)
{
    struct explore_one *o = arg;

    if (o->record >= 0)
        session_experiment_chain(o->r->s, o->record, flow);
}

static void on_trial_changed(void *arg, struct trial *t)
{
    struct explore_one *o = arg;

    session_experiment_update(o->r->s, o->record, t);
}

static void say_end(struct run *r, const struct experiment_record *e)
{
    const struct test *t = test_by_id(e->experiment);
    const struct target_state *ts = session_target(r->s, e->target);
    const char *words = e->outcome == EXP_SEPARATED   ? _("it told the causes apart")
                        : e->outcome == EXP_CANCELLED ? _("cancelled")
                                                      : _("inconclusive");

    session_message(r->s, MSG_INFO, _("experiment %s on %s: %s%s%s"),
                    t ? _(t->title) : e->experiment, ts ? ts->target->name : "?", words,
                    e->why[0] ? ": " : "", e->why[0] ? _(e->why) : "");
}

static void keep_facts(struct run *r, const struct explored *x, const struct facts *facts)
{
    for (size_t i = 0; i < facts->nr; i++)
        session_fact(r->s, (struct subject){ABOUT_RESULT, x->result}, &facts->items[i]);
}

static void on_trial_done(void *arg, struct trial *t)
{
    struct explore_one *o = arg;
    struct run *r = o->r;
    struct explored *x = o->x;

    session_experiment_end(r->s, o->record, t);
    keep_facts(r, x, trial_facts(t));
    x->connections += trial_connections(t);
    x->spent += trial_span(t);
    say_end(r, &r->s->experiments[o->record]);
    timer_again(r->explore.again, 0); /* never from inside the trial */
    o->record = -1;
}

static void say_begin(struct run *r, const struct test *t, const struct symptom *y)
{
    session_message(r->s, MSG_INFO,
                    _("experiment %s on %s: about %d connections, %d packets, %d s"), _(t->title),
                    y->target->name, t->connections, t->packets, t->seconds);
}

/* What a person consented to is what was said: the budget's number, and not more. */
static struct trial_settings settings_of(const struct run *r, const struct explored *x,
                                         const struct test *test)
{
    const struct settings *st = &r->s->settings;
    unsigned most = st->budget_connections ? st->budget_connections : BUDGET_CONNECTIONS;
    nstime time = st->budget_time ? st->budget_time : BUDGET_TIME;

    if (test && test->needs_consent)
        return (struct trial_settings){.max_connections = experiment_most(test, st)};
    if (x->asked) /* a person wants it: a budget of its own */
        return (struct trial_settings){.max_connections = 2 * most, .max_time = 2 * time};
    return (struct trial_settings){
        .max_connections = most > x->connections ? most - x->connections : 1,
        .max_time = MAX_OF(time - x->spent, NS_PER_SEC),
    };
}

static int start(struct run *r, struct explored *x, const struct experiment *e,
                 const struct symptom *y)
{
    const struct test *test = experiment_test(e);
    struct trial_settings st = settings_of(r, x, test);
    const struct resumed *known = resumed_of(&r->explore, x->target);
    struct explore_one *o = e ? calloc(1, sizeof(*o)) : NULL;
    int rc = -ENOMEM;

    if (!o)
        return e ? -ENOMEM : -ENOTSUP;
    if (e->view == LIVE_RUNGS) { /* who asks for it knows that silence takes its time */
        if (x->asked && !r->s->settings.budget_time)
            st.max_time = MAX_OF(st.max_time, LADDERS * y->silence);
        st.known = known ? known->known : NULL;
        st.nknown = known ? known->nknown : 0;
    }
    o->r = r;
    o->x = x;
    x->running = o;
    r->explore.running++;
    o->record = session_experiment_begin(r->s, e->id, x->target, x->incident);
    o->shooter = shooter_new(r->loop, on_flow, o);
    if (o->record >= 0 && o->shooter)
        rc = trial_start(&o->trial, e, y, o->shooter, &st, on_trial_changed, on_trial_done, o);
    if (!rc) {
        if (test && e != &experiment_prove)
            say_begin(r, test, y);
        session_experiment_update(r->s, o->record, o->trial);
        return 0;
    }
    if (o->record >= 0) {
        experiment_record_release(&r->s->experiments[o->record]);
        r->s->nexperiments--; /* it was the last one */
    }
    one_free(o);
    return rc;
}

/* ---- which experiment ---- */

static void mark_done(struct explored *x, const char *id)
{
    if (x->ndone < DONE_MAX)
        x->done[x->ndone++] = id;
}

/* Those that cannot be run for this failure need not be thought of. */
static void leave_out_unfit(struct explored *x, const struct symptom *y)
{
    for (size_t i = 0; i < test_count(); i++) {
        const struct experiment *e = experiment_by_id(test_at(i)->id);
        bool done = false;
        for (size_t k = 0; k < x->ndone; k++)
            done = done || strcmp(x->done[k], test_at(i)->id) == 0;
        if (!done && (!e || (e->unfit && e->unfit(y))))
            mark_done(x, test_at(i)->id);
    }
}

static struct budget budget_of(const struct run *r, const struct explored *x)
{
    const struct settings *st = &r->s->settings;
    unsigned most = st->budget_connections ? st->budget_connections : BUDGET_CONNECTIONS;
    nstime time = st->budget_time ? st->budget_time : BUDGET_TIME;

    return (struct budget){
        .connections = (int)(most > x->connections ? most - x->connections : 0),
        .seconds = (int)(MAX_OF(time - x->spent, 0) / NS_PER_SEC),
        .consent = x->asked ? x->consent : st->experiments == EXPERIMENTS_ALL,
        .privileged = experiment_raw(),
    };
}

/* What it would do next, had it leave and means. */
static void say_next(struct run *r, const struct explored *x, const struct incident *i)
{
    struct budget all = {10000, 100000, true, true}, b = budget_of(r, x);
    const struct test *t = plan_test(&i->judgement, &all, x->done);
    const char *why = !t                               ? NULL
                      : t->needs_consent && !b.consent ? N_("it needs your consent")
                      : t->privileged                  ? N_("it needs more rights")
                                                       : N_("the budget is spent");

    session_next_test(r->s, i->id, t ? t->id : NULL, why);
}

/* True: one was begun for it. */
static bool explore_one(struct run *r, struct explored *x)
{
    const struct incident *i = session_incident(r->s, x->incident);
    struct budget b = budget_of(r, x);
    struct addr others[16];
    struct symptom y;

    if (!i || symptom_of(r, i, &y, others, ARRAY_SIZE(others))) {
        x->over = true;
        return false;
    }
    leave_out_unfit(x, &y);
    if (x->resume) {
        x->resume = false;
        mark_done(x, experiment_idle.id);
        if (start(r, x, &experiment_idle, &y) == 0)
            return true;
    }
    for (;;) {
        const struct test *t = plan_test(&i->judgement, &b, x->done);
        if (!t)
            break;
        mark_done(x, t->id);
        const struct experiment *e = experiment_by_id(t->id);
        if (e && start(r, x, e, &y) == 0)
            return true;
    }
    x->over = true;
    say_next(r, x, i);
    return false;
}

static bool worth(const struct incident *i)
{
    return i->related && i->result && i->target && !i->repeat && i->judged_revision && i->harmful;
}

bool explore_next(struct run *r)
{
    struct explore *e = &r->explore;

    for (; e->looked < r->s->nincidents; e->looked++) {
        const struct incident *i = session_incident(r->s, e->looked + 1);
        const struct result *res = i && worth(i) ? session_result_by_id(r->s, i->result) : NULL;
        struct explored *x = res ? find(e, res) : NULL;
        if (!res)
            continue;
        if (x)
            told_before(r, x, i);
        else if (resumed_of(e, res->target) || r->s->settings.experiments != EXPERIMENTS_NONE)
            x = explored_new(e, i, res);
        if (x && !x->ndone && resumed_of(e, res->target))
            x->resume = x->asked = true;
    }
    for (size_t k = 0; k < e->nr && e->running < AT_ONCE && !r->stopping; k++)
        if (!e->items[k]->over && !e->items[k]->running &&
            (e->items[k]->asked || r->s->settings.experiments != EXPERIMENTS_NONE))
            explore_one(r, e->items[k]);
    return e->running > 0;
}

/* A trial has ended: what it told is judged (with the packets it drew) before the next is chosen.
 */
static void on_again(void *arg)
{
    struct run *r = arg;

    for (size_t k = 0; k < r->explore.nr; k++) {
        struct explore_one *o = r->explore.items[k]->running;
        if (o && o->record < 0)
            one_free(o);
    }
    session_judge(r->s);
    run_tell_changed(r);
    if (explore_next(r))
        return;
    run_explored(r);
}

int explore_init(struct run *r)
{
    r->explore.again = loop_timer(r->loop, 0, 0, on_again, r);
    return r->explore.again ? 0 : -ENOMEM;
}

bool explore_cancel(struct run *r)
{
    struct explore *e = &r->explore;
    bool any = false;

    for (size_t k = 0; k < e->nr; k++) {
        struct explored *x = e->items[k];
        struct explore_one *o = x->running;
        if (!o)
            continue;
        any = true;
        x->over = true;
        if (o->record >= 0) {
            trial_cancel(o->trial);
            session_experiment_end(r->s, o->record, o->trial);
            say_end(r, &r->s->experiments[o->record]);
        }
        one_free(o);
    }
    return any;
}

void explore_release(struct run *r)
{
    explore_cancel(r);
    for (size_t k = 0; k < r->explore.nr; k++)
        free(r->explore.items[k]);
    free(r->explore.items);
    for (size_t k = 0; k < r->explore.nresumed; k++)
        free(r->explore.resumed[k].known);
    free(r->explore.resumed);
    timer_stop(r->explore.again);
    memset(&r->explore, 0, sizeof(r->explore));
}

/* ---- what a person may ask for ---- */

static int refuse(int rc, char *err, size_t errlen, const char *text)
{
    snprintf(err, errlen, "%s", text);
    return rc;
}

/* What a person asks for must have a failure of a live target behind it, at which nothing runs. */
static int prepare(struct run *r, uint64_t incident, struct explored **out, struct symptom *y,
                   struct addr *others, size_t max, char *err, size_t errlen)
{
    const struct incident *i = session_incident(r->s, incident);
    const struct result *res = i ? session_result_by_id(r->s, i->result) : NULL;
    struct explored *x = res ? find(&r->explore, res) : NULL;

    if (r->s->settings.read_file || r->state >= RUN_ENDING)
        return refuse(-ENOTSUP, err, errlen, _("experiments need a live target"));
    if (!res || symptom_of(r, i, y, others, max))
        return refuse(-ENOTSUP, err, errlen, _("no target of yours is behind this one"));
    if (!x)
        x = explored_new(&r->explore, i, res);
    if (!x)
        return refuse(-ENOMEM, err, errlen, strerror(ENOMEM));
    if (x->running)
        return refuse(-EBUSY, err, errlen, _("an experiment is running: Esc cancels it"));
    *out = x;
    return 0;
}

int run_experiment(struct run *r, uint64_t incident, const char *id, bool consent, char *err,
                   size_t errlen)
{
    const struct test *t = test_by_id(id);
    const struct experiment *e = id ? experiment_by_id(id) : NULL;
    struct addr others[16];
    struct explored *x;
    struct symptom y;
    int rc = prepare(r, incident, &x, &y, others, ARRAY_SIZE(others), err, errlen);

    if (rc)
        return rc;
    x->asked = true;
    x->consent = consent;
    x->over = false;
    if (!id) {
        if (explore_one(r, x))
            return 0;
        return refuse(-ENOENT, err, errlen, _("no experiment would tell more"));
    }
    if (!t || !e)
        return refuse(-ENOTSUP, err, errlen, _("this experiment is not there"));
    if (e->unfit && e->unfit(&y))
        return refuse(-ENOTSUP, err, errlen, _(e->unfit(&y)));
    x->over = true; /* this one alone */
    mark_done(x, id);
    rc = start(r, x, e, &y);
    return rc ? refuse(rc, err, errlen, strerror(-rc)) : 0;
}

/* How often that probe of that address was tried up to its last failure of this kind, and failed.
 */
static void count_before(const struct run *r, const struct explored *x, const struct result *res,
                         struct symptom *y)
{
    const struct target_state *ts = session_target(r->s, res->target);
    const struct fact *again =
        ledger_get(r->s->ledger, (struct subject){ABOUT_RESULT, x->result}, FACT_REPEATED_SAME);

    for (size_t i = 0; ts && i < ts->nresults; i++) {
        const struct result *o = session_result_by_id(r->s, ts->results[i]);
        if (!o || o->id > res->id || o->outcome == OUTCOME_SKIPPED ||
            strcmp(o->probe, res->probe) != 0 || !addr_equal(&o->address, &res->address))
            continue;
        y->before++;
        y->before_failed += o->failure == res->failure && o->stage == res->stage;
    }
    if (again && again->yes && again->v[0].type == VALUE_INT && again->v[1].type == VALUE_INT) {
        y->before_failed += (unsigned)again->v[0].u.i;
        y->before += (unsigned)again->v[1].u.i;
    }
}

int run_prove(struct run *r, uint64_t incident, char *err, size_t errlen)
{
    struct addr others[16];
    struct explored *x;
    struct symptom y;
    int rc = prepare(r, incident, &x, &y, others, ARRAY_SIZE(others), err, errlen);

    if (rc)
        return rc;
    count_before(r, x, session_result_by_id(r->s, session_incident(r->s, incident)->result), &y);
    x->asked = x->over = true;
    rc = start(r, x, &experiment_prove, &y);
    return rc ? refuse(rc, err, errlen, strerror(-rc)) : 0;
}

void run_experiment_pause(struct run *r, bool pause)
{
    for (size_t k = 0; k < r->explore.nr; k++)
        if (r->explore.items[k]->running)
            trial_pause(r->explore.items[k]->running->trial, pause);
}

bool run_experiment_cancel(struct run *r)
{
    bool any = explore_cancel(r);

    if (any)
        timer_again(r->explore.again, 0);
    return any;
}

bool run_experimenting(const struct run *r)
{
    return r->explore.running > 0;
}
