/* The line of an experiment. */
#include "session/load.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void text_of(char *out, size_t outlen, const json_t *v)
{
    text_clean(out, outlen, json_is_string(v) ? json_string_value(v) : "", json_string_length(v));
}

static int in_range(const json_t *v, int min, int max)
{
    json_int_t n = json_integer_value(v);

    return n < min || n > max ? min : (int)n;
}

static void load_row(struct experiment_record *e, const json_t *j)
{
    struct experiment_row *r;

    if (json_array_size(j) < 10 || e->nrows >= EXPERIMENT_ROWS ||
        ARRAY_GROW(e->rows, e->nrows + 1, e->rows_alloc))
        return;
    r = &e->rows[e->nrows++];
    memset(r, 0, sizeof(*r));
    text_of(r->label, sizeof(r->label), json_array_get(j, 0));
    r->x = json_number_value(json_array_get(j, 1));
    r->end = (enum shot_end)in_range(json_array_get(j, 2), SHOT_OPEN, SHOT_CANCELLED);
    r->stage = (enum shot_stage)in_range(json_array_get(j, 3), SHOT_WAITING, SHOT_AGAIN);
    r->control = json_is_true(json_array_get(j, 4));
    r->icmp = json_is_true(json_array_get(j, 5));
    nstime *const at[] = {&r->began, &r->ended, &r->connected};
    for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
        const json_t *n = json_array_get(j, 6 + i);
        *at[i] = json_is_integer(n) ? json_integer_value(n) : NSTIME_NONE;
    }
    text_of(r->note, sizeof(r->note), json_array_get(j, 9));
}

static void load_measure(struct experiment_record *e, const json_t *j)
{
    char space[1100];
    struct experiment_measure *m = &e->measures[e->nmeasures];

    if (e->nmeasures >= MEASURES_MAX || json_array_size(j) != 2)
        return;
    text_of(m->name, sizeof(m->name), json_array_get(j, 0));
    m->value = line_value(json_array_get(j, 1), space, sizeof(space));
    if (m->value.type == VALUE_TEXT) {
        m->value.u.s = arena_strdup(&e->facts.strings, space);
        if (!m->value.u.s)
            m->value = v_none();
    }
    e->nmeasures += m->name[0] != 0;
}

static void load_parts(struct experiment_record *e, const json_t *j)
{
    const json_t *facts = json_object_get(j, "facts"), *rows = json_object_get(j, "rows");
    const json_t *measures = json_object_get(j, "measures");
    struct fact_text_space space;
    struct fact f;

    for (size_t i = 0; i < json_array_size(facts) && i < FACT_KIND_COUNT; i++)
        if (line_fact(&f, json_array_get(facts, i), &space))
            facts_add(&e->facts, &f);
    for (size_t i = 0; i < json_array_size(rows); i++)
        load_row(e, json_array_get(rows, i));
    for (size_t i = 0; i < json_array_size(measures); i++)
        load_measure(e, json_array_get(measures, i));
}

/* A later line says more of the same experiment. */
static void drop_earlier(struct session *s, const struct experiment_record *e)
{
    for (size_t i = s->nexperiments; i-- > 0;) {
        struct experiment_record *o = &s->experiments[i];
        if (!o->unfinished || o->experiment != e->experiment || o->target != e->target ||
            o->incident != e->incident)
            continue;
        experiment_record_release(o);
        memmove(o, o + 1, (--s->nexperiments - i) * sizeof(*o));
        return;
    }
}

int load_experiment(struct loader *l, const json_t *j)
{
    struct experiment_record e = {.eta = NSTIME_NONE};
    char name[32] = "";

    line_text(name, sizeof(name), j, "experiment");
    e.experiment = experiment_id(name);
    if (!e.experiment)
        return 0; /* of another version */
    e.target = (uint32_t)line_ranged(j, "target", 0, INT_MAX, 0);
    e.incident = (uint64_t)MAX_OF(line_int(j, "incident", 0), 0);
    e.outcome = line_ranged(j, "outcome", EXP_SEPARATED, EXP_RUNNING, EXP_INCONCLUSIVE);
    e.unfinished = e.outcome == EXP_RUNNING;
    if (e.unfinished)
        e.outcome = EXP_CANCELLED;
    e.connections = (unsigned)line_ranged(j, "connections", 0, INT_MAX, 0);
    e.packets = (unsigned)line_ranged(j, "packets", 0, INT_MAX, 0);
    e.span = line_int(j, "span", 0);
    line_text(e.why, sizeof(e.why), j, "why");
    facts_init(&e.facts);
    load_parts(&e, j);
    drop_earlier(l->s, &e);
    session_experiment(l->s, &e);
    facts_release(&e.facts);
    free(e.rows);
    return 0;
}
