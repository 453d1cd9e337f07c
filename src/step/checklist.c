/* The steps, and the checklist that the facts make of them. */
#include "step/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct step *const steps[] = {
#define STEP(name) &step_##name,
#include "step/list.h"
#undef STEP
};

size_t step_count(void)
{
    return ARRAY_SIZE(steps);
}

const struct step *step_at(size_t i)
{
    return i < ARRAY_SIZE(steps) ? steps[i] : NULL;
}

const struct step *step_by_id(const char *id)
{
    for (size_t i = 0; id && i < ARRAY_SIZE(steps); i++)
        if (!strcmp(steps[i]->id, id))
            return steps[i];
    return NULL;
}

static const char *const state_words[][2] = {
    [STEP_PASS] = {"pass", N_("passed")},
    [STEP_SUSPECT] = {"suspect", N_("suspect")},
    [STEP_RULED_OUT] = {"ruled-out", N_("ruled out")},
    [STEP_UNKNOWN] = {"unknown", N_("unknown")},
    [STEP_SKIPPED] = {"skipped", N_("skipped")},
};

const char *step_state_name(enum step_state s)
{
    return state_words[(size_t)s < ARRAY_SIZE(state_words) ? s : STEP_UNKNOWN][0];
}

const char *step_state_title(enum step_state s)
{
    return state_words[(size_t)s < ARRAY_SIZE(state_words) ? s : STEP_UNKNOWN][1];
}

void checklist_init(struct checklist *c)
{
    *c = (struct checklist){.next = -1};
}

void checklist_release(struct checklist *c)
{
    free(c->items);
    checklist_init(c);
}

static bool is_skipped(const char *id, const char *const *skipped)
{
    for (; skipped && *skipped; skipped++)
        if (!strcmp(*skipped, id))
            return true;
    return false;
}

/* All the causes it separates cannot be: there is nothing left to ask. */
static bool all_out(const struct step *s, const struct judgement *j)
{
    bool any = false;

    for (size_t i = 0; j->shares && i < ARRAY_SIZE(s->causes) && s->causes[i]; i++)
        for (size_t c = 0; c < cause_count(); c++) {
            if (strcmp(cause_at(c)->id, s->causes[i]) != 0)
                continue;
            any = true;
            if (j->shares[c] > 0)
                return false;
            break;
        }
    return any;
}

/* Collects the facts that answer the step. A person's answer counts as any other fact; one fact
 * that makes it suspect is enough. */
static void judge_item(struct checklist_item *item, const struct judgement *j)
{
    const struct step *s = item->step;
    enum fact_kind kinds[STEP_KINDS + 1] = {0};
    size_t n = 0, present = 0;
    bool suspect = false, listed = false;

    for (; n < STEP_KINDS && s->kinds[n]; n++) {
        kinds[n] = s->kinds[n];
        listed = listed || s->kinds[n] == s->answer;
    }
    if (s->answer && !listed)
        kinds[n++] = s->answer;
    for (size_t i = 0; i < n; i++) {
        const struct fact *f = facts_get(&j->facts, kinds[i]);
        if (!f)
            continue;
        suspect = suspect || f->yes == s->yes_is_suspect;
        item->answered_by_user = item->answered_by_user || f->source == SRC_USER;
        if (present < STEP_KINDS)
            item->facts[present++] = f->kind;
    }
    if (present)
        item->state = suspect ? STEP_SUSPECT : STEP_PASS;
    else
        item->state = all_out(s, j) ? STEP_RULED_OUT : STEP_UNKNOWN;
}

int checklist_build(struct checklist *c, const struct judgement *j, const char *const *skipped)
{
    checklist_release(c);
    c->items = calloc(step_count(), sizeof(*c->items));
    if (!c->items)
        return -ENOMEM;
    c->nr = step_count();
    for (size_t i = 0; i < c->nr; i++) {
        c->items[i].step = step_at(i);
        judge_item(&c->items[i], j);
        if (is_skipped(steps[i]->id, skipped))
            c->items[i].state = STEP_SKIPPED;
    }
    c->next = plan_next(c, j);
    return 0;
}
