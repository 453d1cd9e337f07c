/* The records of experiments: those that run, and what they found. */
#include "session/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHAINS_FROM ((uint64_t)1 << 48) /* above all that a prober gives */

void experiment_record_release(struct experiment_record *e)
{
    facts_release(&e->facts);
    free(e->rows);
}

static void copy_measures(struct experiment_record *to, const struct experiment_measure *from,
                          size_t n)
{
    to->nmeasures = 0;
    for (size_t i = 0; i < n && i < MEASURES_MAX; i++) {
        struct experiment_measure *m = &to->measures[to->nmeasures++];
        *m = from[i];
        if (m->value.type == VALUE_TEXT)
            m->value.u.s = arena_strdup(&to->facts.strings, m->value.u.s ? m->value.u.s : "");
        if (m->value.type == VALUE_TEXT && !m->value.u.s)
            m->value = v_none();
    }
}

int experiment_record_copy(struct experiment_record *to, const struct experiment_record *from)
{
    *to = *from;
    facts_init(&to->facts);
    to->rows = NULL;
    to->nrows = to->rows_alloc = 0;
    facts_merge(&to->facts, &from->facts, true);
    copy_measures(to, from->measures, from->nmeasures);
    if (!from->nrows)
        return 0;
    if (ARRAY_GROW(to->rows, from->nrows, to->rows_alloc))
        return -ENOMEM;
    memcpy(to->rows, from->rows, from->nrows * sizeof(*to->rows));
    to->nrows = from->nrows;
    return 0;
}

void session_experiment(struct session *s, const struct experiment_record *e)
{
    if (ARRAY_GROW(s->experiments, s->nexperiments + 1, s->experiments_alloc))
        return;
    struct experiment_record *to = &s->experiments[s->nexperiments++];
    experiment_record_copy(to, e);
    journal_experiment(s, to);
    session_touch(s);
}

int session_experiment_begin(struct session *s, const char *id, uint32_t target, uint64_t incident)
{
    if (ARRAY_GROW(s->experiments, s->nexperiments + 1, s->experiments_alloc))
        return -1;
    struct experiment_record *e = &s->experiments[s->nexperiments];
    *e = (struct experiment_record){.experiment = id,
                                    .target = target,
                                    .incident = incident,
                                    .outcome = EXP_RUNNING,
                                    .eta = NSTIME_NONE};
    facts_init(&e->facts);
    session_touch(s);
    return (int)s->nexperiments++;
}

static void copy_row(struct experiment_row *r, const struct shot *shot, nstime began)
{
    char text[ADDR_TEXT_MAX];
    const char *label = shot->plan.label ? shot->plan.label : "";

    memset(r, 0, sizeof(*r));
    text_clean(r->label, sizeof(r->label), label, strlen(label));
    r->x = shot->plan.x;
    r->end = shot->end;
    r->stage = shot->stage;
    r->control = shot->plan.control;
    r->icmp = shot->icmp;
    r->began = shot->began == NSTIME_NONE ? NSTIME_NONE : shot->began - began;
    r->ended = shot->ended == NSTIME_NONE ? NSTIME_NONE : shot->ended - began;
    r->connected = shot->connected;
    const char *note = shot->icmp_from.family ? addr_text(text, &shot->icmp_from) : shot->first;
    text_clean(r->note, sizeof(r->note), note, strlen(note));
}

/* Hours of silence are not lost with the program: what each rung told is an input at once. */
static void keep_rungs(struct session *s, struct experiment_record *e, const struct trial *t)
{
    size_t ended = 0;

    if (trial_experiment(t)->view != LIVE_RUNGS || e->outcome != EXP_RUNNING)
        return;
    for (size_t i = 0; i < e->nrows; i++)
        ended += e->rows[i].ended != NSTIME_NONE;
    if (ended == e->kept)
        return;
    e->kept = ended;
    journal_experiment(s, e);
}

void session_experiment_update(struct session *s, int index, const struct trial *t)
{
    struct experiment_record *e = &s->experiments[index];
    size_t n = MIN_OF(trial_shots(t), (size_t)EXPERIMENT_ROWS);

    if (ARRAY_GROW(e->rows, n, e->rows_alloc))
        return;
    e->nrows = n;
    for (size_t i = 0; i < n; i++)
        copy_row(&e->rows[i], trial_shot(t, i), trial_began(t));
    e->connections = trial_connections(t);
    e->packets = (unsigned)trial_packets(t);
    e->span = trial_span(t);
    e->paused = trial_paused(t);
    e->eta = session_now(s) + MAX_OF(trial_eta(t) - (trial_began(t) + trial_span(t)), 0);
    s->revision++;
    keep_rungs(s, e, t);
}

static void take_measures(struct experiment_record *e, const struct trial *t)
{
    struct experiment_measure all[MEASURES_MAX];
    size_t n = trial_measures(t);

    memset(all, 0, sizeof(all));
    for (size_t i = 0; i < n; i++) {
        const struct measure *m = trial_measure_at(t, i);
        text_clean(all[i].name, sizeof(all[i].name), m->name, strlen(m->name));
        all[i].value = m->value;
    }
    copy_measures(e, all, n);
}

void session_experiment_end(struct session *s, int index, const struct trial *t)
{
    struct experiment_record *e = &s->experiments[index];
    const char *why = trial_why(t);

    session_experiment_update(s, index, t);
    facts_merge(&e->facts, trial_facts(t), true);
    take_measures(e, t);
    e->outcome = trial_get_outcome(t) == TRIAL_SEPARATED   ? EXP_SEPARATED
                 : trial_get_outcome(t) == TRIAL_CANCELLED ? EXP_CANCELLED
                                                           : EXP_INCONCLUSIVE;
    if (why)
        text_clean(e->why, sizeof(e->why), why, strlen(why));
    e->eta = NSTIME_NONE;
    journal_experiment(s, e);
    session_touch(s);
}

void session_experiment_chain(struct session *s, int index, const struct flow_key *flow)
{
    struct session_private *p = s->priv;
    const struct experiment_record *e = &s->experiments[index];
    bool repeating = p->repeating;

    p->repeating = true;
    p->experiment = e->experiment;
    session_chain(s, e->target, CHAINS_FROM + p->next_chain++, flow);
    p->repeating = repeating;
    p->experiment = NULL;
}

void session_next_test(struct session *s, uint64_t incident, const char *test, const char *why)
{
    struct incident *i = incident_get(s, incident);

    if (!i)
        return;
    i->next_test = test;
    i->next_why = why;
    session_touch(s);
}
