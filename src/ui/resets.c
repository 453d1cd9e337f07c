/*
 * resets.c: the Resets pane: what ended badly, newest first, two lines each.
 */
#include "ui/console.h"

#include <stdio.h>
#include <string.h>

#define LINES_EACH 2

/* The n-th incident shown (0: the newest); SIZE_MAX past the end. */
static bool shown(struct ui *ui, const struct incident *i)
{
    return !i->repeat && filter_box_incident(&ui->filter, ui->s, i);
}

static int count_shown(struct ui *ui)
{
    int n = 0;

    for (size_t i = 0; i < ui->s->nincidents; i++)
        n += shown(ui, ui->s->incidents[i]);
    return n;
}

static const struct incident *nth(struct ui *ui, int n)
{
    for (size_t i = ui->s->nincidents; i-- > 0;)
        if (shown(ui, ui->s->incidents[i]) && n-- == 0)
            return ui->s->incidents[i];
    return NULL;
}

static int index_of(struct ui *ui, uint64_t id)
{
    int n = 0;

    for (size_t i = ui->s->nincidents; i-- > 0;) {
        if (ui->s->incidents[i]->id == id)
            return n;
        n += shown(ui, ui->s->incidents[i]);
    }
    return 0;
}

static void first_line(struct ui *ui, struct area a, int y, const struct incident *i)
{
    struct strbuf who = STRBUF_INIT, stage = STRBUF_INIT;
    const char *word = harm_word(i);
    char clock[TIME_TEXT_MAX];
    int tail = text_columns(word) + 1, x = 2;

    incident_who(&who, ui->s, i);
    incident_stage_line(&stage, ui->s, i, tr_locale);
    x += area_put(a, x, y, -1, LOOK_DIM, time_clock(clock, i->time, 0, false)) + 2;
    x += area_put(a, x, y, a.w - x - tail, LOOK_STRONG, who.buf) + 2;
    area_put(a, x, y, a.w - x - tail, LOOK_NORMAL, stage.buf);
    area_put_right(a, a.w - tail, y, tail, i->harmful ? LOOK_BAD : LOOK_DIM, word);
    strbuf_release(&who);
    strbuf_release(&stage);
}

static void second_line(struct ui *ui, struct area a, int y, const struct incident *i)
{
    const struct judgement *j = &i->judgement;
    int x = 4, tail = 11;
    char bar[32], percent[16];

    if (j->sender != SENDER_UNKNOWN || i->is_reset)
        x += area_putf(a, x, y, a.w - x - tail, LOOK_NORMAL, "%s %s ", _(sender_title(j->sender)),
                       mark(ui, "·", "-"));
    if (j->nverdicts == 0) {
        area_put(a, x, y, -1, LOOK_DIM, _("not determined"));
        return;
    }
    const struct verdict *v = &j->verdicts[0];
    area_put(a, x, y, a.w - x - tail, v->grade >= GRADE_LIKELY ? LOOK_STRONG : LOOK_NORMAL,
             _(v->cause->title));
    bar_text(bar, sizeof(bar), v->confidence, 5, ui->ascii);
    percent_text(percent, sizeof(percent), v->confidence);
    area_put(a, a.w - tail + 1, y, 5, LOOK_GAUGE, bar);
    area_put_right(a, a.w - 5, y, 4, grade_look(v->grade), percent);
}

void resets_draw(struct ui *ui, struct console *c, struct area frame, bool focus)
{
    struct area a = frame_inside(frame);
    int n = count_shown(ui), hidden = 0;

    c->resets_count = n;
    c->resets_page = MAX_OF(a.h / LINES_EACH, 1);
    for (size_t i = 0; i < ui->s->nincidents; i++)
        hidden += !ui->s->incidents[i]->repeat;
    if (n == 0) {
        area_put(a, 1, 0, -1, LOOK_DIM,
                 hidden ? _("none passes the filter: x clears it") : _("no reset so far"));
        return;
    }
    c->resets.sel = c->reset_sel ? index_of(ui, c->reset_sel) : 0;
    cursor_clamp(&c->resets, n, c->resets_page);
    for (int row = 0; row * LINES_EACH < a.h && c->resets.top + row < n; row++) {
        const struct incident *i = nth(ui, c->resets.top + row);
        int y = row * LINES_EACH;
        first_line(ui, a, y, i);
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
    const struct incident *i = nth(ui, c->resets.sel);

    c->reset_sel = i && c->resets.sel > 0 ? i->id : 0;
}

bool resets_action(struct ui *ui, struct console *c, enum action a)
{
    if (!cursor_move(&c->resets, a, c->resets_count, c->resets_page))
        return false;
    remember(ui, c);
    return true;
}

void resets_click(struct ui *ui, struct console *c, int row)
{
    c->resets.sel = c->resets.top + MAX_OF(row, 0) / LINES_EACH;
    cursor_clamp(&c->resets, c->resets_count, c->resets_page);
    remember(ui, c);
}

void resets_place(struct ui *ui, struct console *c, struct place *at)
{
    const struct incident *i = c->reset_sel ? session_incident(ui->s, c->reset_sel) : nth(ui, 0);

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
