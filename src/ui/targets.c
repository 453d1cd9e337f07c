/*
 * targets.c: the Targets pane: a row each, a cell for each stage, the outcome and recent rounds.
 */
#include "ui/console.h"

#include <stdio.h>
#include <string.h>

#define CELL_COLS 9
#define SPARK_MAX 24
#define NAME_MIN  12

struct columns {
    int name, cells, outcome, spark; /* widths; 0: not shown */
    size_t stages;
};

/* The name first; the outcome only repeats what a cell says, so it goes before the rounds do. */
static struct columns choose(const struct session *s, int w)
{
    struct columns c = {.stages = probe_type_count(), .cells = CELL_COLS};
    int longest = NAME_MIN, left;

    for (size_t i = 0; i < s->ntargets; i++)
        longest = MAX_OF(longest, text_columns(s->targets[i].target->name) + 2);
    if (w - 2 - (int)c.stages * CELL_COLS < longest + 15)
        c.cells--;
    while (c.stages > 0 && w - 2 - (int)c.stages * c.cells < NAME_MIN + 2)
        c.stages--;
    left = w - 2 - (int)c.stages * c.cells;
    c.name = MIN_OF(longest, MAX_OF(left - 5, MIN_OF(left, NAME_MIN)));
    left -= c.name;
    c.outcome = left >= 14 ? 10 : 0;
    left -= c.outcome;
    c.spark = left >= 4 ? MIN_OF(left, SPARK_MAX) : 0;
    return c;
}

static void draw_head(struct area a, const struct columns *c)
{
    int x = 2;

    area_put(a, x, 0, c->name, LOOK_HEAD, _("target"));
    x += c->name;
    for (size_t i = 0; i < c->stages; i++, x += c->cells)
        area_put(a, x, 0, c->cells - 1, LOOK_HEAD, _(probe_type_at(i)->title));
    if (c->outcome)
        area_put(a, x, 0, c->outcome - 1, LOOK_HEAD, _("outcome"));
    x += c->outcome;
    if (c->spark)
        area_put(a, x, 0, c->spark, LOOK_HEAD, _("rounds"));
}

static enum look cell_look(const struct stage_cell *cell)
{
    if (cell->running && !cell->known)
        return LOOK_DIM;
    if (cell->outcome == OUTCOME_FAILED)
        return LOOK_BAD;
    return cell->known ? LOOK_GOOD : LOOK_DIM;
}

static enum look outcome_of(const struct session *s, const struct target_state *t,
                            const char **word)
{
    const struct result *bad = target_failure(s, t->target->id);

    if (bad) {
        *word = _(failure_title(bad->failure == FAIL_NONE ? FAIL_UNKNOWN : bad->failure));
        return bad->failure == FAIL_RESET || bad->failure == FAIL_REFUSED ? LOOK_RESET : LOOK_BAD;
    }
    if (t->rounds_done == 0) {
        *word = t->rounds_started ? _("probing") : _("waiting");
        return LOOK_DIM;
    }
    *word = _("ok");
    return LOOK_GOOD;
}

static void draw_spark(struct ui *ui, struct area a, int x, int y, int w, uint32_t target)
{
    int v[SPARK_MAX];
    size_t n = target_rounds(ui->s, target, v, (size_t)MIN_OF(w, SPARK_MAX));

    for (size_t i = 0; i < n; i++) {
        char one[8];
        spark_text(one, sizeof(one), &v[i], 1, ui->ascii);
        area_put(a, x + (int)i, y, 1, v[i] < 0 ? LOOK_BAD : LOOK_GAUGE, one);
    }
}

static void draw_row(struct ui *ui, struct area a, int y, const struct columns *c,
                     const struct target_state *t)
{
    const char *word;
    enum look look = outcome_of(ui->s, t, &word);
    int x = 2;

    area_put(a, x, y, c->name - 1, LOOK_STRONG, t->target->name);
    x += c->name;
    for (size_t i = 0; i < c->stages; i++, x += c->cells) {
        struct stage_cell cell;
        stage_cell_fill(&cell, ui->s, t->target->id, probe_type_at(i)->name, tr_locale);
        area_put(a, x, y, c->cells - 1, cell_look(&cell), cell.text);
    }
    if (c->outcome)
        area_put(a, x, y, c->outcome - 1, look, word);
    x += c->outcome;
    if (c->spark)
        draw_spark(ui, a, x, y, c->spark, t->target->id);
}

void targets_draw(struct ui *ui, struct console *c, struct area frame, bool focus)
{
    struct area a = frame_inside(frame);
    const struct session *s = ui->s;
    struct columns cols = choose(s, a.w);
    int n = (int)s->ntargets;

    if (n == 0) {
        area_put(a, 1, 0, -1, LOOK_DIM, _("no targets: a adds one (host, host:port or URL)"));
        return;
    }
    draw_head(a, &cols);
    c->targets_page = MAX_OF(a.h - 1, 1);
    cursor_clamp(&c->targets, n, c->targets_page);
    for (int y = 1; y < a.h && c->targets.top + y - 1 < n; y++) {
        int at = c->targets.top + y - 1;
        draw_row(ui, a, y, &cols, &s->targets[at]);
        if (focus && at == c->targets.sel) {
            area_put(a, 0, y, 1, LOOK_FOCUS, "▸");
            area_select(a, y);
        }
    }
    range_draw(frame, c->targets.top, n, c->targets_page);
}

bool targets_action(struct ui *ui, struct console *c, enum action a)
{
    return cursor_move(&c->targets, a, (int)ui->s->ntargets, c->targets_page);
}

/* The latest incident of a target, its failed result's own if there is one. */
static uint64_t incident_of_target(const struct session *s, uint32_t target)
{
    const struct result *bad = target_failure(s, target);
    const struct incident *i = bad ? session_incident_of_result(s, bad) : NULL;

    if (i)
        return i->id;
    if (bad)
        for (size_t n = s->nincidents; n-- > 0;)
            if (s->incidents[n]->target == target && !s->incidents[n]->repeat)
                return s->incidents[n]->id;
    return 0;
}

void targets_place(struct ui *ui, struct console *c, struct place *at)
{
    const struct session *s = ui->s;

    if (s->ntargets == 0)
        return;
    const struct target_state *t = &s->targets[MIN_OF((size_t)c->targets.sel, s->ntargets - 1)];
    at->incident = incident_of_target(s, t->target->id);
    for (size_t i = t->nresults; i-- > 0;) {
        const struct result *r = session_result_by_id(s, t->results[i]);
        if (!r || !r->flow_known)
            continue;
        const struct flow *f = flow_table_find(s->flows, &r->flow, r->started, 5 * NS_PER_SEC);
        at->flow = f ? flow_id(f) : 0;
        return;
    }
}
