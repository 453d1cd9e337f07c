/*
 * history.c: what earlier runs found: a line for each target, and what is known of the chosen one.
 */
#include "ui/screen.h"
#include "view/view.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WIDE 110

struct past_screen {
    struct history_view view;
    bool loaded;
    int err;
    struct cursor_pos at;
    int rows;
    char search[200];
};

static void load(struct ui *ui, struct past_screen *v)
{
    if (v->loaded)
        history_view_release(&v->view);
    v->loaded = false;
    v->err = ui->act.history ? ui->act.history(ui->act.arg, v->search, &v->view) : -ENOENT;
    v->loaded = !v->err;
    cursor_clamp(&v->at, v->loaded ? (int)v->view.ntargets : 0, MAX_OF(v->rows, 1));
}

static int past_open(struct ui *ui, void *state, const struct place *at)
{
    (void)at;
    load(ui, state);
    return 0;
}

static void past_close(struct ui *ui, void *state)
{
    struct past_screen *v = state;

    (void)ui;
    if (v->loaded)
        history_view_release(&v->view);
}

/* "11-22 23:04", UTC */
static const char *moment(char *out, size_t outlen, nstime t)
{
    char text[TIME_TEXT_MAX];

    if (t == NSTIME_NONE)
        return "-";
    time_rfc3339(text, t);
    snprintf(out, outlen, "%.5s %.5s", text + 5, text + 11);
    return out;
}

/* ---- the targets ---- */

struct columns {
    int name, runs, harm, last, trend, why; /* where they begin; why -1: no room */
};

static struct columns columns_of(int w)
{
    struct columns c = {.name = 1, .why = -1};
    int trend = w >= WIDE ? 30 : 14;

    c.name = 1;
    c.trend = w >= WIDE ? 70 : w - trend - 1;
    c.last = c.trend - 13;
    c.harm = c.last - 7;
    c.runs = c.harm - 7;
    if (w >= WIDE)
        c.why = c.trend + trend + 2;
    return c;
}

static void draw_head(struct area a, const struct columns *c)
{
    area_put(a, c->name, 0, c->runs - 2, LOOK_HEAD, _("target"));
    area_put_right(a, c->runs, 0, 6, LOOK_HEAD, _("runs"));
    area_put_right(a, c->harm, 0, 6, LOOK_HEAD, _("harm"));
    area_put(a, c->last, 0, 12, LOOK_HEAD, _("latest"));
    area_put(a, c->trend, 0, c->why > 0 ? c->why - c->trend - 1 : -1, LOOK_HEAD, _("day by day"));
    if (c->why > 0)
        area_put(a, c->why, 0, -1, LOOK_HEAD, _("mostly"));
}

static void draw_row(struct ui *ui, struct area a, const struct columns *c, int y,
                     const struct past_screen *v, const struct history_target *t)
{
    char when[24], trend[128], n[32];
    int width = c->why > 0 ? c->why - c->trend - 2 : a.w - c->trend - 1;
    const struct cause *cause = cause_by_id(t->cause);

    area_put(a, c->name, y, c->runs - 2, t->harmful ? LOOK_STRONG : LOOK_NORMAL, t->name);
    count_text(n, sizeof(n), t->sessions);
    area_put_right(a, c->runs, y, 6, LOOK_DIM, n);
    count_text(n, sizeof(n), t->harmful);
    area_put_right(a, c->harm, y, 6, t->harmful ? LOOK_BAD : LOOK_GOOD, n);
    area_put(a, c->last, y, 12, LOOK_NORMAL, moment(when, sizeof(when), t->last));
    history_trend(trend, sizeof(trend), t, v->view.days, MIN_OF(width, 30), ui->ascii);
    area_put(a, c->trend, y, width, LOOK_WARN, trend);
    if (c->why > 0 && cause)
        area_put(a, c->why, y, -1, LOOK_NORMAL, _(cause->title));
}

static void draw_targets(struct ui *ui, struct area a, struct past_screen *v)
{
    struct columns c = columns_of(a.w);

    draw_head(a, &c);
    v->rows = MAX_OF(a.h - 1, 1);
    cursor_clamp(&v->at, (int)v->view.ntargets, v->rows);
    for (int y = 0; y < v->rows && v->at.top + y < (int)v->view.ntargets; y++) {
        draw_row(ui, a, &c, y + 1, v, &v->view.targets[v->at.top + y]);
        if (v->at.top + y == v->at.sel)
            area_select(a, y + 1);
    }
}

/* ---- the chosen one ---- */

static void add_event(struct ui *ui, struct strbuf *sb, const struct history_event *e)
{
    char when[24], span[TIME_TEXT_MAX];
    const struct cause *c = cause_by_id(e->cause);

    strbuf_addf(sb, "%s %s ", moment(when, sizeof(when), e->time),
                e->harmful ? mark(ui, "✗", "x") : mark(ui, "·", "."));
    strbuf_addstr(sb, c ? _(c->title) : _("not determined"));
    if (*e->stage)
        strbuf_addf(sb, "  %s", e->stage);
    if (e->idle > 0)
        strbuf_addf(sb, " %s", span_text(span, e->idle));
}

static void draw_chosen(struct ui *ui, struct area a, const struct past_screen *v)
{
    const struct history_target *t =
        v->at.sel < (int)v->view.ntargets ? &v->view.targets[v->at.sel] : NULL;
    struct strbuf sb = STRBUF_INIT;
    int y = 1;

    if (!t)
        return;
    if (t->harmful)
        history_line(&sb, t, v->view.days, tr_locale);
    else
        strbuf_addstr(&sb, _("nothing failed"));
    area_put(a, 1, 0, -1, t->harmful ? LOOK_WARN : LOOK_GOOD, sb.buf);
    for (size_t i = 0; i < v->view.nlist && y < a.h; i++) {
        if (strcmp(v->view.list[i].target, t->name) != 0)
            continue;
        strbuf_reset(&sb);
        add_event(ui, &sb, &v->view.list[i]);
        area_put(a, 1, y++, -1, v->view.list[i].harmful ? LOOK_NORMAL : LOOK_DIM, sb.buf);
    }
    strbuf_release(&sb);
}

static const char *nothing_words(const struct past_screen *v)
{
    if (!v->loaded)
        return v->err == -ENOENT ? _("there is no place for a history")
                                 : _("the history cannot be read");
    return v->search[0] ? _("nothing of that name") : _("nothing was kept yet");
}

static void past_draw(struct ui *ui, void *state, struct area a)
{
    struct past_screen *v = state;
    int top = MAX_OF(a.h * 3 / 5, 4);
    struct area list = area_sub(a, 0, 0, a.w, top + 1), one = area_sub(a, 0, top, a.w, a.h - top);
    char title[160], right[120] = "";

    if (v->search[0])
        snprintf(right, sizeof(right), _("search: %s"), v->search);
    if (v->loaded)
        snprintf(title, sizeof(title), _("History: %u days, %llu runs, %llu failures"),
                 v->view.days, (unsigned long long)v->view.sessions,
                 (unsigned long long)v->view.harmful);
    else
        snprintf(title, sizeof(title), "%s", _("History"));
    frame_lines(one, false);
    frame_lines(list, true);
    frame_title(list, title, right[0] ? right : NULL, true);
    if (!v->loaded || !v->view.ntargets) {
        area_put(frame_inside(list), 1, 0, -1, LOOK_DIM, nothing_words(v));
        return;
    }
    frame_title(one, v->view.targets[MIN_OF(v->at.sel, (int)v->view.ntargets - 1)].name, NULL,
                false);
    draw_targets(ui, frame_inside(list), v);
    draw_chosen(ui, frame_inside(one), v);
    range_draw(list, v->at.top, (int)v->view.ntargets, v->rows);
}

static struct past_screen *state_of(struct ui *ui)
{
    const struct open_screen *top = &ui->stack[ui->depth - 1];

    return top->screen == &history_screen ? top->state : NULL;
}

static void on_search(struct ui *ui, bool ok)
{
    struct past_screen *v = state_of(ui);

    if (!v || !ok)
        return;
    text_clean(v->search, sizeof(v->search), ui->prompt.text, ui->prompt.len);
    v->at = (struct cursor_pos){0, 0};
    load(ui, v);
}

static bool past_action(struct ui *ui, void *state, enum action a)
{
    struct past_screen *v = state;

    switch (a) {
    case ACTION_SEARCH_HISTORY: ui_prompt(ui, _("search"), v->search, NULL, on_search); return true;
    case ACTION_ALL_AGAIN: v->search[0] = '\0'; /* fall through */
    case ACTION_REFRESH: load(ui, v); return true;
    default: break;
    }
    return v->loaded && cursor_move(&v->at, a, (int)v->view.ntargets, MAX_OF(v->rows, 1));
}

static bool past_click(struct ui *ui, void *state, int x, int y)
{
    struct past_screen *v = state;

    (void)ui;
    (void)x;
    if (y >= 2 && v->loaded && v->at.top + y - 2 < (int)v->view.ntargets && y - 2 < v->rows)
        v->at.sel = v->at.top + y - 2;
    return false;
}

const struct screen history_screen = {
    .name = "history",
    .title = N_("History"),
    .context = IN_HISTORY,
    .state_size = sizeof(struct past_screen),
    .open = past_open,
    .draw = past_draw,
    .action = past_action,
    .click = past_click,
    .close = past_close,
};
