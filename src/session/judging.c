/*
 * What changed is judged again; incidents with the same fact signature share one judgement. Of a
 * number the signature keeps what the judge can tell apart: on which side of the weights'
 * thresholds it lies. Ten thousand resets of one kind cost one judgement.
 */
#include "session/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void judged_free(struct judged *d)
{
    if (!d)
        return;
    judgement_release(&d->judgement);
    checklist_release(&d->checklist);
    free(d);
}

void judging_release(struct judging *j)
{
    map_release(&j->by_signature); /* the incidents held the judgements */
    for (size_t i = 0; i < FACT_KIND_COUNT; i++)
        free(j->kinds[i].at);
    free(j->queue);
    memset(j, 0, sizeof(*j));
}

/* ---- the signature ---- */

static void threshold_add(struct threshold *t, double at)
{
    for (size_t i = 0; i < t->nr; i++)
        if (t->at[i] == at)
            return;
    if (at == 0 || ARRAY_GROW(t->at, t->nr + 1, t->alloc))
        return;
    t->at[t->nr++] = at;
}

static void learn_thresholds(struct judging *j)
{
    for (size_t k = 0; k < FACT_KIND_COUNT; k++)
        threshold_add(&j->kinds[k], 1); /* of a count: none, one, several */
    for (size_t c = 0; c < cause_count(); c++) {
        const struct cause *cause = cause_at(c);
        for (size_t w = 0; w < cause->nweights; w++) {
            const struct weight *wt = &cause->weights[w];
            threshold_add(&j->kinds[wt->kind], wt->min);
            threshold_add(&j->kinds[wt->kind], wt->max);
        }
    }
    j->ready = true;
}

/* The greatest threshold that v is on or past; *past: it is past it. 0: v is below all. */
static double threshold_under(const struct threshold *t, double v, bool *past)
{
    double under = 0;

    for (size_t i = 0; i < t->nr; i++)
        if (t->at[i] > under && t->at[i] <= v)
            under = t->at[i];
    *past = v > under;
    return under;
}

/* The least number on the same side of every threshold as v. */
static double number_alike(const struct threshold *t, double v)
{
    bool past;

    if (v <= 0)
        return v;
    double under = threshold_under(t, v, &past);
    return !past ? under : under > 0 ? MIN_OF(under * (1 + 1e-9), v) : MIN_OF(1e-9, v);
}

static int64_t whole_alike(const struct threshold *t, int64_t v)
{
    bool past;

    if (v <= 0)
        return v;
    int64_t under = (int64_t)threshold_under(t, (double)v, &past);
    return past ? MIN_OF(under + 1, v) : v;
}

static nstime span_alike(const struct threshold *t, nstime v)
{
    bool past;

    if (v <= 0)
        return v;
    nstime under = (nstime)(threshold_under(t, (double)v / NS_PER_SEC, &past) * NS_PER_SEC + .5);
    return past ? MIN_OF(under + 1, v) : v;
}

/* What the judge reads of a fact beyond its weights: where a box sits is told by hops, and by a
 * delay against the round trip where it was too short; whether a router lowered it, by a TTL. */
static bool read_whole(const struct facts *f, enum fact_kind k)
{
    return k == FACT_RST_HOPS || (k == FACT_RST_TTL && facts_yes(f, FACT_BEHIND_ROUTER)) ||
           (k == FACT_RST_DELAY && facts_yes(f, FACT_RST_BEFORE_RTT));
}

/* Causes are judged on such values alone, so that a judgement does not depend on which of the
 * resets that share it came first. Weights look at a fact's first value. */
static struct value value_alike(const struct judging *j, const struct facts *f, size_t i, size_t n)
{
    enum fact_kind kind = f->items[i].kind;
    const struct threshold *t = &j->kinds[kind];
    struct value v = f->items[i].v[n];

    if (v.type == VALUE_NONE || v.type == VALUE_TEXT || v.type == VALUE_BOOL || read_whole(f, kind))
        return v;
    if (v.type == VALUE_REAL)
        v.u.d = n ? 0 : number_alike(t, v.u.d);
    else if (v.type == VALUE_INT)
        v.u.i = n ? 0 : whole_alike(t, v.u.i);
    else
        v.u.i = n ? 0 : span_alike(t, v.u.i);
    return v;
}

static uint64_t value_signature(const struct value *v)
{
    switch (v->type) {
    case VALUE_NONE: return 1;
    case VALUE_BOOL: return 2 + v->u.b;
    case VALUE_INT:
    case VALUE_SPAN: return hash_mix(v->type, (uint64_t)v->u.i);
    case VALUE_REAL: return hash_bytes(v->type, &v->u.d, sizeof(v->u.d));
    case VALUE_TEXT: return v->u.s ? hash_bytes(v->type, v->u.s, strlen(v->u.s)) : 6;
    }
    return 0;
}

static uint64_t facts_signature(const struct judging *j, const struct facts *f)
{
    uint64_t sig = f->nr;

    for (size_t i = 0; i < f->nr; i++) {
        const struct fact *fact = &f->items[i];
        sig = hash_mix(sig, (uint64_t)fact->kind * 16 + fact->source * 2 + fact->yes);
        if (fact->ref)
            sig = hash_mix(sig, hash_bytes(7, fact->ref, strlen(fact->ref)));
        for (size_t v = 0; v < FACT_VALUES; v++) {
            struct value alike = value_alike(j, f, i, v);
            sig = hash_mix(sig, value_signature(&alike));
        }
    }
    return sig ? sig : 1;
}

/* ---- one incident ---- */

static int judge_alike(const struct judging *j, struct judgement *out, const struct facts *f)
{
    struct facts alike;
    int err;

    facts_init(&alike);
    facts_merge(&alike, f, true);
    for (size_t i = 0; i < alike.nr; i++)
        for (size_t v = 0; v < FACT_VALUES; v++)
            alike.items[i].v[v] = value_alike(j, f, i, v);
    err = alike.err ? alike.err : judge(out, &alike);
    facts_release(&alike);
    return err;
}

static struct judged *judged_get(struct judging *j, const struct facts *f)
{
    uint64_t signature = facts_signature(j, f);
    struct judged *d = (struct judged *)(uintptr_t)map_get(&j->by_signature, signature);

    if (d)
        return d;
    d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    judgement_init(&d->judgement);
    checklist_init(&d->checklist);
    d->signature = signature;
    if (judge_alike(j, &d->judgement, f) || checklist_build(&d->checklist, &d->judgement, NULL) ||
        map_set(&j->by_signature, signature, (uintptr_t)d)) {
        judged_free(d);
        return NULL;
    }
    return d;
}

/* The incident's own facts in as little memory as may be: what they say in words is the same in all
 * that share a signature, so the words stay with the shared ones. Takes `own`. */
static void keep_facts(struct facts *to, const struct facts *shared, struct facts *own)
{
    struct fact *items = shared->nr == own->nr ? calloc(own->nr + 1, sizeof(*items)) : NULL;

    for (size_t i = 0; items && i < own->nr; i++) {
        items[i] = own->items[i];
        items[i].ref = shared->items[i].ref;
        for (size_t v = 0; v < FACT_VALUES; v++)
            if (items[i].v[v].type == VALUE_TEXT)
                items[i].v[v].u.s = shared->items[i].v[v].u.s;
        if (items[i].kind != shared->items[i].kind) {
            free(items);
            items = NULL;
        }
    }
    *to = *own;
    if (!items)
        return;
    facts_init(to);
    to->items = items;
    to->nr = to->alloc = own->nr;
    facts_release(own);
}

/* The incident's view: its own facts, the shared lists. */
static void lend(struct session *s, struct incident *i, struct judged *d, struct facts *own)
{
    struct incident_extra *x = incident_extra(s, i);

    d->users++;
    x->judged = d;
    i->judgement = d->judgement;
    keep_facts(&i->judgement.facts, &d->judgement.facts, own);
    arena_init(&i->judgement.mem);
    i->checklist = d->checklist;
    checklist_follow(&i->checklist, session_playbook(s, i), &i->judgement);
    /* Where nobody looks at the screens ten thousand resets need not hold it each. */
    x->own_checklist = x->nskipped > 0 || s->settings.keep_packets;
    if (!x->own_checklist)
        return;
    checklist_init(&i->checklist);
    if (checklist_build(&i->checklist, &i->judgement, x->skipped)) {
        checklist_release(&i->checklist);
        i->checklist = d->checklist;
        x->own_checklist = false;
    }
    checklist_follow(&i->checklist, session_playbook(s, i), &i->judgement);
}

static void take_back(struct session *s, struct incident *i)
{
    struct incident_extra *x = incident_extra(s, i);
    struct judged *d = x->judged;

    if (!d)
        return;
    facts_release(&i->judgement.facts);
    if (x->own_checklist)
        checklist_release(&i->checklist);
    judgement_init(&i->judgement);
    checklist_init(&i->checklist);
    x->judged = NULL;
    if (--d->users == 0) {
        map_drop(&s->priv->judging.by_signature, d->signature);
        judged_free(d);
    }
}

void incident_release(struct session *s, struct incident *i)
{
    struct incident_extra *x = incident_extra(s, i);

    take_back(s, i);
    free(x->answers);
    free(x->skipped);
    free(i);
}

static bool chain_passed(const struct session *s, const struct incident *i)
{
    const struct chain *ch = i->chain ? chains_get(&s->priv->chains, i->chain) : NULL;

    return ch && ch->nresults && !i->result;
}

/* One sentence an experiment, kept as long as the session. */
static const char *drawn_by(const struct session *s, const struct incident *i)
{
    const struct chain *ch = i->chain ? chains_get(&s->priv->chains, i->chain) : NULL;
    struct strbuf sb = STRBUF_INIT;

    if (!ch || !ch->experiment)
        return N_("drawn by the repetition (experiment repeat)");
    strbuf_addf(&sb, "drawn by the experiment %s", ch->experiment);
    const char *kept = sb.err ? NULL : arena_strdup(&s->priv->strings, sb.buf);
    strbuf_release(&sb);
    return kept ? kept : N_("drawn by the repetition (experiment repeat)");
}

/* design.md 5: what counts as harm depends on whose connection it was. */
static void decide_harm(const struct session *s, struct incident *i)
{
    const struct judgement *j = &i->judgement;

    i->harmful = j->harmful;
    i->harmful_why = j->harmful_why;
    if (i->repeat) {
        i->harmful = false;
        i->harmful_why = drawn_by(s, i);
    } else if (i->log) {
        i->harmful = i->log->first.error != LOGGED_CLIENT;
    } else if (i->result) {
        i->harmful = true;
    } else if (chain_passed(s, i)) {
        i->harmful = false;
        i->harmful_why = N_("every stage of the probe had passed");
    }
    if (!i->harmful_why)
        i->harmful_why = i->harmful ? N_("the connection was cut") : N_("nothing was lost");
}

static void count_harm(struct session *s, struct incident *i)
{
    struct incident_extra *x = incident_extra(s, i);
    bool counts = (i->is_reset || i->log) && i->related && i->harmful && !i->repeat;
    uint64_t *count = i->log ? &s->logged_errors : &s->harmful_resets;

    if (counts && !x->counted_harmful)
        ++*count;
    else if (!counts && x->counted_harmful)
        --*count;
    x->counted_harmful = counts;
}

static void judge_incident(struct session *s, struct incident *i)
{
    struct facts facts;
    struct judged *d;

    facts_init(&facts);
    incident_facts(s, i, &facts);
    d = judged_get(&s->priv->judging, &facts);
    if (!d) {
        facts_release(&facts);
        return;
    }
    d->users++; /* take_back() must not free what is lent again */
    take_back(s, i);
    lend(s, i, d, &facts);
    d->users--;
    decide_harm(s, i);
    count_harm(s, i);
    i->judged_revision = ++s->revision;
}

/* A capture that lost packets weakens what is said of every reset. */
static void note_drops(struct session *s)
{
    uint64_t now = s->vantage.dropped_known ? s->vantage.dropped + 1 : 0;

    if (now == s->priv->drops_judged)
        return;
    s->priv->drops_judged = now;
    for (size_t i = 0; i < s->nincidents; i++)
        if (s->incidents[i]->reset)
            incident_dirty(s, s->incidents[i]);
}

bool session_judge_some(struct session *s, size_t max)
{
    struct judging *j = &s->priv->judging;

    if (!j->ready)
        learn_thresholds(j);
    note_drops(s);
    session_find_patterns(s, max == SIZE_MAX);
    size_t n = MIN_OF(max, j->nqueue);
    for (size_t k = 0; k < n; k++) {
        struct incident *i = incident_get(s, j->queue[k]);
        incident_extra(s, i)->queued = false;
        judge_incident(s, i);
    }
    if (n)
        memmove(j->queue, j->queue + n, (j->nqueue - n) * sizeof(*j->queue));
    j->nqueue -= n;
    return j->nqueue > 0;
}

void session_judge(struct session *s)
{
    session_judge_some(s, SIZE_MAX);
}
