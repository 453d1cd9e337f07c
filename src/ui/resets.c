/*
 * resets.c: the Resets pane: what ended badly, newest first, two lines each.
 */
#include "ui/console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_EACH 2

void resets_release(struct console *c)
{
    free(c->reset_rows);
    c->reset_rows = NULL;
    c->nreset_rows = c->reset_rows_alloc = 0;
}

static bool shown(struct ui *ui, const struct incident *i)
{
    return !i->repeat && filter_box_incident(&ui->filter, ui->s, i);
}

/* What makes two failures of one target the same: a row says how often, not each again. */
uint64_t reset_same_key(const struct session *s, const struct incident *i)
{
    const struct result *r = i->result ? session_result_by_id(s, i->result) : NULL;
    const struct judgement *j = &i->judgement;
    uint64_t key = hash_mix(i->target, (uint64_t)i->is_reset << 1 | i->harmful);

    if (j->nverdicts)
        key = hash_bytes(key, j->verdicts[0].cause->id, strlen(j->verdicts[0].cause->id));
    if (r)
        key = hash_mix(key, (uint64_t)r->failure << 8 | (uint64_t)r->stage);
    return hash_mix(key, i->reset ? (uint64_t)i->reset->stage + 1 : 0);
}

static int build_rows(struct ui *ui, struct console *c)
{
    const struct session *s = ui->s;
    size_t slots = 16, *table, at;

    while (slots < 2 * s->nincidents)
        slots *= 2;
    table = calloc(slots, sizeof(*table)); /* row + 1 by key, open addressing */
    if (!table)
        return -ENOMEM;
    c->nreset_rows = 0;
    for (size_t n = s->nincidents; n-- > 0;) {
        const struct incident *i = s->incidents[n];
        if (!shown(ui, i))
            continue;
        uint64_t key = i->target ? reset_same_key(s, i) : hash_mix(i->id, 1);
        for (at = key & (slots - 1); table[at]; at = (at + 1) & (slots - 1))
            if (c->reset_rows[table[at] - 1].key == key)
                break;
        if (table[at]) {
            c->reset_rows[table[at] - 1].times++;
            continue;
        }
        if (ARRAY_GROW(c->reset_rows, c->nreset_rows + 1, c->reset_rows_alloc) < 0)
            break;
        c->reset_rows[c->nreset_rows++] = (struct reset_row){i->id, key, 1};
        table[at] = c->nreset_rows;
    }
    free(table);
    c->rows_revision = s->revision;
    c->rows_generation = ui->filter.generation;
    return 0;
}

static void refresh_rows(struct ui *ui, struct console *c)
{
    if (!c->reset_rows || c->rows_revision != ui->s->revision ||
        c->rows_generation != ui->filter.generation)
        build_rows(ui, c);
}

static const struct incident *nth(struct ui *ui, const struct console *c, int n)
{
    return n >= 0 && (size_t)n < c->nreset_rows ? session_incident(ui->s, c->reset_rows[n].id)
                                                : NULL;
}

/* The row the cursor is on, also when a newer one of its kind has taken its place. */
static int index_of_sel(const struct console *c)
{
    for (size_t n = 0; n < c->nreset_rows; n++)
        if (c->reset_rows[n].key == c->reset_key)
            return (int)n;
    for (size_t n = 0; n < c->nreset_rows; n++)
        if (c->reset_rows[n].id <= c->reset_sel)
            return (int)n;
    return 0;
}

static void who_with_whom(struct ui *ui, struct strbuf *out, const struct incident *i)
{
    const struct flow_key *k = i->reset ? &i->reset->key : &i->flow;
    char client[ADDR_TEXT_MAX];

    if (!i->target && (i->reset || i->flow_known))
        strbuf_addf(out, "%s %s ", addr_text(client, &k->src), mark(ui, "→", ">"));
    incident_who(out, ui->s, i);
}

static void first_line(struct ui *ui, struct area a, int y, const struct incident *i,
                       unsigned times)
{
    struct strbuf who = STRBUF_INIT, stage = STRBUF_INIT;
    const char *word = harm_word(i);
    char clock[TIME_TEXT_MAX], more[24];
    int tail = text_columns(word) + 2, x = 2;

    who_with_whom(ui, &who, i);
    incident_stage_line(&stage, ui->s, i, tr_locale);
    x += area_put(a, x, y, -1, LOOK_DIM, time_clock(clock, i->time, 0, false)) + 2;
    x += area_put(a, x, y, a.w - x - tail, LOOK_STRONG, who.buf) + 2;
    snprintf(more, sizeof(more), "%s%u ", mark(ui, "×", "x"), times);
    if (times > 1)
        tail += text_columns(more) + 1;
    area_put(a, x, y, a.w - x - tail, LOOK_NORMAL, stage.buf);
    if (times > 1)
        area_put(a, a.w - tail, y, -1, LOOK_WARN, more);
    area_put_right(a, 0, y, a.w - 1, i->harmful ? LOOK_BAD : LOOK_DIM, word);
    strbuf_release(&who);
    strbuf_release(&stage);
}

/* The cause, then who sent it: of two that do not fit the cause stays whole. */
static void second_line(struct ui *ui, struct area a, int y, const struct incident *i)
{
    const struct judgement *j = &i->judgement;
    int x = 4, tail = 12;
    char bar[32], percent[16];

    if (j->nverdicts == 0) {
        x += area_put(a, x, y, a.w - x - tail, LOOK_DIM, _("not determined"));
    } else {
        const struct verdict *v = &j->verdicts[0];
        x += area_put(a, x, y, a.w - x - tail, v->grade >= GRADE_LIKELY ? LOOK_STRONG : LOOK_NORMAL,
                      _(v->cause->title));
        bar_text(bar, sizeof(bar), v->confidence, 5, ui->ascii);
        percent_text(percent, sizeof(percent), v->confidence);
        area_put(a, a.w - 11, y, 5, LOOK_GAUGE, bar);
        area_put_right(a, a.w - 5, y, 4, grade_look(v->grade), percent);
    }
    if (j->sender != SENDER_UNKNOWN && a.w - x - tail > 14)
        area_putf(a, x, y, a.w - x - tail, LOOK_DIM, _(" %s from %s"), mark(ui, "·", "-"),
                  _(incident_sender(i)));
}

void resets_draw(struct ui *ui, struct console *c, struct area frame, bool focus)
{
    struct area a = frame_inside(frame);
    int n, hidden = 0;

    refresh_rows(ui, c);
    n = (int)c->nreset_rows;
    c->resets_page = MAX_OF(a.h / LINES_EACH, 1);
    for (size_t i = 0; i < ui->s->nincidents; i++)
        hidden += !ui->s->incidents[i]->repeat;
    if (n == 0) {
        area_put(a, 1, 0, -1, LOOK_DIM,
                 hidden ? _("none passes the filter: x clears it") : _("no reset so far"));
        return;
    }
    c->resets.sel = c->reset_sel ? index_of_sel(c) : 0;
    cursor_clamp(&c->resets, n, c->resets_page);
    for (int row = 0; row * LINES_EACH < a.h && c->resets.top + row < n; row++) {
        const struct incident *i = nth(ui, c, c->resets.top + row);
        int y = row * LINES_EACH;
        if (!i)
            continue;
        first_line(ui, a, y, i, c->reset_rows[c->resets.top + row].times);
        second_line(ui, a, y + 1, i);
        if (focus && c->resets.top + row == c->resets.sel) {
            area_put(a, 0, y, 1, LOOK_FOCUS, "▸");
            area_select(a, y);
            area_select(a, y + 1);
        }
    }
    range_draw(frame, c->resets.top, n, c->resets_page);
}

static void remember(struct ui *ui, struct console *c)
{
    const struct incident *i = nth(ui, c, c->resets.sel);

    c->reset_sel = i && c->resets.sel > 0 ? i->id : 0;
    c->reset_key = i ? c->reset_rows[c->resets.sel].key : 0;
}

bool resets_action(struct ui *ui, struct console *c, enum action a)
{
    if (!cursor_move(&c->resets, a, (int)c->nreset_rows, c->resets_page))
        return false;
    remember(ui, c);
    return true;
}

void resets_show(struct ui *ui, struct console *c, uint64_t incident)
{
    refresh_rows(ui, c);
    for (size_t n = 0; n < c->nreset_rows; n++)
        if (c->reset_rows[n].id == incident) {
            c->resets.sel = (int)n;
            cursor_clamp(&c->resets, (int)c->nreset_rows, c->resets_page);
            remember(ui, c);
        }
}

void resets_click(struct ui *ui, struct console *c, int row)
{
    c->resets.sel = c->resets.top + MAX_OF(row, 0) / LINES_EACH;
    cursor_clamp(&c->resets, (int)c->nreset_rows, c->resets_page);
    remember(ui, c);
}

void resets_place(struct ui *ui, struct console *c, struct place *at)
{
    const struct incident *i = nth(ui, c, c->resets.sel);

    if (!i)
        return;
    at->incident = i->id;
    if (i->reset) {
        at->flow = i->reset->flow;
        at->packet = i->reset->packet;
    } else if (i->flow_known) {
        const struct flow *f = flow_table_find(ui->s->flows, &i->flow, i->time, 5 * NS_PER_SEC);
        at->flow = f ? flow_id(f) : 0;
    }
}
