/*
 * compare.c: two runs held against each other: rounds of this session before and after one of them,
 * or another session against this one.
 */
#include "ui/screen.h"
#include "view/view.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct compare_screen_state {
    struct comparison c;
    bool built;
    uint64_t revision;
    uint32_t split; /* the second side begins with this round; 0: not chosen yet */
    const struct session *other;
    char label[300];
    struct lines lines;
    struct cursor_pos at;
    int rows;
};

static uint32_t last_round(const struct session *s)
{
    uint32_t last = 0;

    for (size_t i = 0; i < s->ntargets; i++)
        last = MAX_OF(last, s->targets[i].rounds_done);
    return last;
}

static void rebuild(struct ui *ui, struct compare_screen_state *v)
{
    uint32_t last = last_round(ui->s), split = v->split ? v->split : last / 2 + 1;
    struct compare_side both[2] = {{ui->s, 1, split - 1, ""}, {ui->s, split, last, ""}};

    if (v->built && v->revision == ui->s->revision)
        return;
    if (v->built)
        compare_release(&v->c);
    v->revision = ui->s->revision;
    if (v->other) {
        both[0] = (struct compare_side){v->other, 0, 0, v->label};
        both[1] = (struct compare_side){ui->s, 0, 0, _("this session")};
    }
    v->built = (v->other || last >= 2) && compare_build(&v->c, both) == 0;
}

static void compare_close(struct ui *ui, void *state)
{
    struct compare_screen_state *v = state;

    (void)ui;
    if (v->built)
        compare_release(&v->c);
    lines_release(&v->lines);
}

/* ---- what it says ---- */

static enum look verdict_look(enum compare_verdict v)
{
    static const enum look looks[] = {LOOK_DIM,  LOOK_GOOD, LOOK_BAD,
                                      LOOK_WARN, LOOK_NOTE, LOOK_NOTE};

    return looks[v];
}

static void add_row(struct ui *ui, struct lines *l, int width, const struct compare_row *r)
{
    static const char *const marks[][2] = {{"=", "="}, {"▲", "+"}, {"▼", "!"},
                                           {"≠", "#"}, {"·", "."}, {"·", "."}};
    struct strbuf sb = STRBUF_INIT;

    strbuf_addf(&sb, "%s %s: %s", mark(ui, marks[r->verdict][0], marks[r->verdict][1]), r->name,
                _(compare_verdict_title(r->verdict)));
    lines_add(l, width, verdict_look(r->verdict), 0, 2, 0, -1, sb.buf);
    strbuf_reset(&sb);
    compare_counts(&sb, r, tr_locale);
    lines_add(l, width, LOOK_NORMAL, 2, 2, 0, -1, sb.buf);
    strbuf_reset(&sb);
    compare_causes(&sb, r, tr_locale);
    if (sb.len)
        lines_add(l, width, LOOK_NORMAL, 2, 2, 0, -1, sb.buf);
    strbuf_reset(&sb);
    compare_timings(&sb, r, tr_locale);
    if (sb.len)
        lines_add(l, width, LOOK_DIM, 2, 2, 0, -1, sb.buf);
    strbuf_release(&sb);
}

static void add_all(struct ui *ui, struct compare_screen_state *v, int width)
{
    struct strbuf sb = STRBUF_INIT;

    lines_clear(&v->lines);
    if (!v->built) {
        lines_add(&v->lines, width, LOOK_DIM, 0, 0, 0, -1,
                  _("two rounds of a target are needed, or another session: a"));
        return;
    }
    compare_summary(&sb, &v->c, tr_locale);
    lines_add(&v->lines, width, LOOK_STRONG, 0, 0, 0, -1, sb.buf);
    for (size_t i = 0; i < v->c.nrows; i++)
        add_row(ui, &v->lines, width, &v->c.rows[i]);
    if (v->c.nresets)
        lines_add(&v->lines, width, LOOK_HEAD, 0, 0, 0, -1,
                  _("Resets of connections that both saw"));
    for (size_t i = 0; i < v->c.nresets; i++) {
        strbuf_reset(&sb);
        compare_reset_text(&sb, &v->c, &v->c.resets[i], tr_locale);
        lines_add(&v->lines, width, LOOK_NORMAL, 2, 2, 0, -1, sb.buf);
    }
    strbuf_release(&sb);
}

static void compare_draw(struct ui *ui, void *state, struct area a)
{
    struct compare_screen_state *v = state;
    struct area in = frame_inside(a);
    char title[400];

    rebuild(ui, v);
    if (v->other)
        snprintf(title, sizeof(title), _("Compare: %s with this session"), v->label);
    else if (v->built)
        snprintf(title, sizeof(title), _("Compare: rounds %u to %u with rounds %u to %u"),
                 v->c.side[0].from, v->c.side[0].to, v->c.side[1].from, v->c.side[1].to);
    else
        snprintf(title, sizeof(title), "%s", _("Compare"));
    frame_lines(a, true);
    frame_title(a, title, NULL, true);
    in = area_sub(in, 1, 0, in.w - 2, in.h);
    add_all(ui, v, in.w);
    v->rows = MAX_OF(in.h, 1);
    int last = MAX_OF((int)v->lines.nr - in.h, 0);
    v->at.sel = v->at.top = MAX_OF(MIN_OF(v->at.top, last), 0);
    lines_draw(&v->lines, in, &v->at, false);
    range_draw(a, v->at.top, (int)v->lines.nr, in.h);
}

/* ---- what is compared ---- */

static struct compare_screen_state *state_of(struct ui *ui)
{
    const struct open_screen *top = &ui->stack[ui->depth - 1];

    return top->screen == &compare_screen ? top->state : NULL;
}

static void on_other(struct ui *ui, bool ok)
{
    struct compare_screen_state *v = state_of(ui);
    char err[300] = "";
    const struct session *other = NULL;

    if (!v || !ok || !ui->prompt.len)
        return;
    if (!ui->act.other_session ||
        ui->act.other_session(ui->act.arg, ui->prompt.text, &other, err, sizeof(err))) {
        ui_note(ui, LOOK_BAD, "%s", err[0] ? err : _("not a saved session"));
        return;
    }
    v->other = other;
    const char *slash = strrchr(ui->prompt.text, '/');
    const char *name = slash && slash[1] ? slash + 1 : ui->prompt.text;
    text_clean(v->label, sizeof(v->label), name, strlen(name));
    v->revision = UINT64_MAX;
}

static void move_split(struct ui *ui, struct compare_screen_state *v, int by)
{
    uint32_t last = last_round(ui->s);

    if (v->other || last < 2)
        return;
    int64_t split = (int64_t)(v->split ? v->split : last / 2 + 1) + by;
    v->split = (uint32_t)MIN_OF(MAX_OF(split, 2), (int64_t)last);
    v->revision = UINT64_MAX;
}

static bool compare_action(struct ui *ui, void *state, enum action a)
{
    struct compare_screen_state *v = state;
    struct cursor_pos c = {.sel = v->at.top, .top = v->at.top};
    int last = MAX_OF((int)v->lines.nr - v->rows, 0);

    switch (a) {
    case ACTION_OTHER_SESSION:
        ui_prompt(ui, _("session to compare with"), "", NULL, on_other);
        return true;
    case ACTION_ALL_AGAIN:
        v->other = NULL;
        v->revision = UINT64_MAX;
        return true;
    case ACTION_LATER_SPLIT: move_split(ui, v, 1); return true;
    case ACTION_EARLIER_SPLIT: move_split(ui, v, -1); return true;
    default: break;
    }
    if (!cursor_move(&c, a, last + 1, v->rows))
        return false;
    v->at.top = MIN_OF(c.sel, last);
    return true;
}

const struct screen compare_screen = {
    .name = "compare",
    .title = N_("Compare"),
    .context = IN_COMPARE,
    .state_size = sizeof(struct compare_screen_state),
    .draw = compare_draw,
    .action = compare_action,
    .close = compare_close,
};
