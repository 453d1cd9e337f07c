/* What the person says: an answer is a fact of the ledger, an undo takes the last one back. */
#include "session/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void answer_fact(struct fact *f, const struct step *step, int yes)
{
    *f = (struct fact){
        .kind = step->answer,
        .yes = yes != 0,
        .source = SRC_USER,
        .ref = step->id,
    };
}

/* The incident that a subject is of; NULL if it has none (any more). */
static struct incident *incident_about(const struct session *s, struct subject about)
{
    const struct result *r;

    if (about.about == ABOUT_RESET)
        return incident_get(s, map_get(&s->priv->reset_incident, about.id));
    for (size_t k = 0; about.about == ABOUT_LOG && k < s->nincidents; k++)
        if (s->incidents[k]->log_id == about.id)
            return s->incidents[k];
    for (size_t k = 0; about.about == ABOUT_ENDING && k < s->nincidents; k++)
        if (incident_subject(s->incidents[k]).about == ABOUT_ENDING &&
            incident_subject(s->incidents[k]).id == about.id)
            return s->incidents[k];
    r = about.about == ABOUT_RESULT ? session_result_by_id(s, about.id) : NULL;
    const struct incident *i = r ? session_incident_of_result(s, r) : NULL;
    return i ? incident_get(s, i->id) : NULL;
}

static bool remember_answer(struct session *s, const struct incident *i, enum fact_kind kind)
{
    struct incident_extra *x = incident_extra(s, i);

    if (x->nanswers >= MAX_ANSWERS || ARRAY_GROW(x->answers, x->nanswers + 1, x->answers_alloc))
        return false;
    x->answers[x->nanswers++] = kind;
    return true;
}

void session_answer(struct session *s, uint64_t incident, const char *step_id, int yes)
{
    struct incident *i = incident_get(s, incident);
    const struct step *step = step_by_id(step_id);
    struct fact f;

    if (!i || !step || !step->answer || !remember_answer(s, i, step->answer))
        return;
    answer_fact(&f, step, yes);
    session_fact(s, incident_subject(i), &f);
    session_judge(s);
}

void answer_replayed(struct session *s, struct subject about, enum fact_kind kind)
{
    const struct incident *i = incident_about(s, about);

    if (i)
        remember_answer(s, i, kind);
}

static void take_answer_back(struct session *s, struct incident *i, struct subject about,
                             enum fact_kind kind)
{
    if (ledger_undo(s->ledger, about, kind))
        return;
    journal_undo(s, about, kind);
    incident_dirty(s, i);
    session_touch(s);
}

void session_undo(struct session *s, uint64_t incident)
{
    struct incident *i = incident_get(s, incident);
    struct incident_extra *x = i ? incident_extra(s, i) : NULL;

    if (!x || !x->nanswers)
        return;
    take_answer_back(s, i, incident_subject(i), x->answers[--x->nanswers]);
    session_judge(s);
}

void undo_replayed(struct session *s, struct subject about, enum fact_kind kind)
{
    struct incident *i = incident_about(s, about);
    struct incident_extra *x = i ? incident_extra(s, i) : NULL;

    if (!x || !x->nanswers || x->answers[x->nanswers - 1] != kind)
        return;
    x->nanswers--;
    take_answer_back(s, i, about, kind);
}

static void skip(struct session *s, struct incident *i, const struct step *step)
{
    struct incident_extra *x = incident_extra(s, i);

    for (size_t k = 0; k < x->nskipped; k++)
        if (x->skipped[k] == step->id)
            return;
    if (ARRAY_GROW(x->skipped, x->nskipped + 2, x->skipped_alloc))
        return;
    x->skipped[x->nskipped++] = step->id;
    x->skipped[x->nskipped] = NULL;
    journal_skip(s, incident_subject(i), step->id);
    incident_dirty(s, i);
    session_touch(s);
}

void session_skip(struct session *s, uint64_t incident, const char *step_id)
{
    struct incident *i = incident_get(s, incident);
    const struct step *step = step_by_id(step_id);

    if (!i || !step)
        return;
    skip(s, i, step);
    session_judge(s);
}

void skip_replayed(struct session *s, struct subject about, const char *step_id)
{
    struct incident *i = incident_about(s, about);
    const struct step *step = step_by_id(step_id);

    if (i && step)
        skip(s, i, step);
}
