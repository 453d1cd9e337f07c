/*
 * editor.c: the targets and their options: add, change, remove; what is typed is checked at once.
 */
#include "ui/chart.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_COLS  14
#define VALUE_COLS 22
#define SPARKS     60

enum { LIST, OPTIONS, EDIT_PANES };
struct editor {
    int focus;
    struct cursor_pos at[EDIT_PANES];
    int rows[EDIT_PANES];
    struct area where[EDIT_PANES];
    uint32_t removing; /* the target that is asked about */
};

/* The n-th target that is not removed; NULL past the last. */
static const struct target_state *nth(const struct session *s, int n)
{
    for (size_t i = 0; i < s->ntargets; i++)
        if (!s->targets[i].removed && n-- == 0)
            return &s->targets[i];
    return NULL;
}

static int count(const struct session *s)
{
    int n = 0;

    for (size_t i = 0; i < s->ntargets; i++)
        n += !s->targets[i].removed;
    return n;
}

static struct editor *editor_of(struct ui *ui)
{
    struct open_screen *top = &ui->stack[ui->depth - 1];

    return top->screen == &targets_screen ? top->state : NULL;
}

/* ---- drawing ---- */

static void draw_list(struct ui *ui, struct editor *e, struct area a)
{
    int n = count(ui->s), y = 0;
    bool focus = e->focus == LIST;

    cursor_clamp(&e->at[LIST], n, a.h);
    e->rows[LIST] = MAX_OF(a.h, 1);
    for (; y < a.h; y++) {
        const struct target_state *t = nth(ui->s, e->at[LIST].top + y);
        if (!t)
            break;
        bool here = e->at[LIST].top + y == e->at[LIST].sel;
        area_put(a, 1, y, a.w - 1, LOOK_STRONG, t->target->name);
        if (here)
            area_put(a, 0, y, 1, LOOK_FOCUS, "▸");
        if (here && focus)
            area_select(a, y);
    }
    if (n == 0)
        area_put(a, 1, 0, -1, LOOK_DIM, _("no targets: a adds one (host, host:port or URL)"));
    range_draw(e->where[LIST], e->at[LIST].top, n, a.h);
}

static void draw_option(struct area a, int y, const struct target *t, size_t i)
{
    char value[200];
    bool set = target_get(t, i, value, sizeof(value));

    area_put(a, 1, y, NAME_COLS - 2, set ? LOOK_STRONG : LOOK_NORMAL, target_key(i));
    area_put(a, NAME_COLS, y, VALUE_COLS - 1, set ? LOOK_GOOD : LOOK_DIM, set ? value : "-");
    area_put(a, NAME_COLS + VALUE_COLS, y, -1, LOOK_DIM, _(target_key_help(i)));
}

static void draw_options(struct ui *ui, struct editor *e, struct area a)
{
    const struct target_state *t = nth(ui->s, e->at[LIST].sel);
    int n = (int)target_keys(), head = a.h >= 12 ? 4 : 0;
    char text[200];

    if (!t)
        return;
    if (head) {
        int v[SPARKS], w = MIN_OF(a.w - 14, SPARKS);
        size_t nv = target_rounds(ui->s, t->target->id, v, (size_t)MAX_OF(w, 1));
        char spark[SPARKS * 4 + 1];
        area_putf(a, 1, 0, -1, LOOK_DIM, _("rounds done %u, probes passed %llu, failed %llu"),
                  t->rounds_done, (unsigned long long)t->passed, (unsigned long long)t->failed);
        spark_text(spark, sizeof(spark), v, nv, ui->ascii);
        area_put(a, 1, 1, -1, LOOK_GAUGE, spark);
        snprintf(text, sizeof(text), "%-*s%-*s%s", NAME_COLS - 1, _("option"), VALUE_COLS,
                 _("value"), _("what it is"));
        area_put(a, 1, 3, -1, LOOK_HEAD, text);
    }
    struct area body = area_sub(a, 0, head, a.w, a.h - head);
    struct cursor_pos *at = &e->at[OPTIONS];
    e->rows[OPTIONS] = MAX_OF(body.h, 1);
    cursor_clamp(at, n, body.h);
    for (int y = 0; y < body.h && at->top + y < n; y++) {
        draw_option(body, y, t->target, (size_t)(at->top + y));
        if (at->top + y == at->sel && e->focus == OPTIONS)
            area_select(body, y);
    }
    range_draw(e->where[OPTIONS], at->top, n, body.h);
}

static void editor_draw(struct ui *ui, void *state, struct area a)
{
    struct editor *e = state;
    const struct target_state *t = nth(ui->s, e->at[LIST].sel);
    int left = a.w >= 70 ? MAX_OF(a.w * 3 / 10, 24) : 0;

    e->where[LIST] = left ? area_sub(a, 0, 0, left, a.h) : a;
    e->where[OPTIONS] = left ? area_sub(a, left - 1, 0, a.w - left + 1, a.h) : a;
    if (!left) /* one after the other: Tab changes */
        e->where[!e->focus] = area_sub(a, 0, 0, 0, 0);
    frame_lines(e->where[!e->focus], false);
    frame_lines(e->where[e->focus], true);
    frame_title(e->where[LIST], _("Targets"), NULL, e->focus == LIST);
    frame_title(e->where[OPTIONS], t ? t->target->name : _("Options"), NULL, e->focus == OPTIONS);
    if (e->where[LIST].h)
        draw_list(ui, e, frame_inside(e->where[LIST]));
    if (e->where[OPTIONS].h)
        draw_options(ui, e, frame_inside(e->where[OPTIONS]));
}

/* ---- changing ---- */

/* A copy of the target with that option changed; value NULL: as without it. */
static int changed_target(struct ui *ui, const struct editor *e, const char *value,
                          struct target **out, char *err, size_t errlen)
{
    const struct target_state *t = nth(ui->s, e->at[LIST].sel);
    size_t i = (size_t)e->at[OPTIONS].sel;
    struct target *copy = t ? target_copy(t->target) : NULL;
    int rc = 0;

    if (!copy) {
        snprintf(err, errlen, "%s", _("there is no target"));
        return -EINVAL;
    }
    if (!value || strcmp(target_key(i), "header") == 0)
        target_unset(copy, i);
    if (value)
        rc = target_set(copy, target_key(i), value, err, errlen);
    if (rc < 0) {
        target_free(copy);
        return rc;
    }
    *out = copy;
    return 0;
}

static void change(struct ui *ui, const struct editor *e, const char *value)
{
    struct target *t;
    char err[240] = "";
    int rc = changed_target(ui, e, value, &t, err, sizeof(err));

    if (rc == 0 && ui->act.change_target)
        rc = ui->act.change_target(ui->act.arg, t->id, t, err, sizeof(err));
    else if (rc == 0)
        target_free(t);
    if (rc < 0)
        ui_note(ui, LOOK_BAD, "%s", err[0] ? err : strerror(-rc));
    else
        ui_note(ui, LOOK_GOOD, _("%s: from the next round on"),
                target_key((size_t)e->at[OPTIONS].sel));
}

static void value_changed(struct ui *ui)
{
    struct prompt *p = &ui->prompt;
    struct editor *e = editor_of(ui);
    struct target *t;
    int rc;

    if (!e)
        return;
    rc = p->len ? changed_target(ui, e, p->text, &t, p->hint, sizeof(p->hint)) : 0;
    p->look = !p->len ? LOOK_INPUT : rc < 0 ? LOOK_INPUT_BAD : LOOK_INPUT_GOOD;
    if (rc == 0 && p->len)
        target_free(t);
    if (rc == 0)
        snprintf(p->hint, sizeof(p->hint), "%s",
                 p->len ? _("ok: Enter sets it") : _(target_key_help((size_t)e->at[OPTIONS].sel)));
}

static void value_done(struct ui *ui, bool ok)
{
    struct editor *e = editor_of(ui);

    if (ok && e)
        change(ui, e, ui->prompt.text[0] ? ui->prompt.text : NULL);
}

static void edit(struct ui *ui, struct editor *e)
{
    const struct target_state *t = nth(ui->s, e->at[LIST].sel);
    char value[200], *copied;

    if (!t)
        return;
    if (e->focus == LIST) {
        e->focus = OPTIONS;
        return;
    }
    size_t i = (size_t)e->at[OPTIONS].sel;
    if (!target_get(t->target, i, value, sizeof(value)) || strncmp(target_key(i), "body", 4) == 0)
        value[0] = '\0';
    copied = strstr(value, " (+");
    if (copied)
        *copied = '\0';
    ui_prompt(ui, target_key(i), value, value_changed, value_done);
}

static void remove_answered(struct ui *ui, bool ok)
{
    struct editor *e = editor_of(ui);
    char err[200] = "";

    if (!ok || !e || !ui->act.change_target)
        return;
    int rc = ui->act.change_target(ui->act.arg, e->removing, NULL, err, sizeof(err));
    if (rc < 0)
        ui_note(ui, LOOK_BAD, "%s", err[0] ? err : strerror(-rc));
    else
        ui_note(ui, LOOK_GOOD, "%s", _("removed: what it told so far is kept"));
}

static void ask_to_remove(struct ui *ui, struct editor *e)
{
    const struct target_state *t = nth(ui->s, e->at[LIST].sel);

    if (!t)
        return;
    e->removing = t->target->id;
    snprintf(ui->asked, sizeof(ui->asked), _("Remove %.100s?"), t->target->name);
    ui_ask(ui, ui->asked, remove_answered);
    snprintf(ui->prompt.hint, sizeof(ui->prompt.hint), "%s", _("y removes it   n keeps it"));
}

static void probe_this(struct ui *ui, const struct editor *e)
{
    const struct target_state *t = nth(ui->s, e->at[LIST].sel);

    if (!t || !ui->act.probe_now)
        return;
    ui->act.probe_now(ui->act.arg, t->target->id);
    ui_note(ui, LOOK_NORMAL, "%s", _("probing again"));
}

static bool editor_action(struct ui *ui, void *state, enum action a)
{
    struct editor *e = state;
    int n = e->focus == LIST ? count(ui->s) : (int)target_keys();

    if (cursor_move(&e->at[e->focus], a, n, e->rows[e->focus]))
        return true;
    switch (a) {
    case ACTION_NEXT_PANE:
    case ACTION_PREVIOUS_PANE: e->focus = !e->focus; return true;
    case ACTION_EDIT: edit(ui, e); return true;
    case ACTION_ADD: ui_prompt_target(ui); return true;
    case ACTION_REMOVE: ask_to_remove(ui, e); return true;
    case ACTION_DEFAULT:
        if (e->focus == OPTIONS)
            change(ui, e, NULL);
        return true;
    case ACTION_PROBE_ONE: probe_this(ui, e); return true;
    case ACTION_BACK:
        if (e->focus != OPTIONS)
            return false;
        e->focus = LIST;
        return true;
    default: return false;
    }
}

static bool editor_click(struct ui *ui, void *state, int x, int y)
{
    struct editor *e = state;

    for (int i = 0; i < EDIT_PANES; i++) {
        struct area a = e->where[i];
        int head = i == OPTIONS && a.h - 2 >= 12 ? 4 : 0, row = y + 1 - a.y - 1 - head;
        if (x < a.x || x >= a.x + a.w || y + 1 < a.y || y + 1 >= a.y + a.h)
            continue;
        e->focus = i;
        if (row < 0)
            return false;
        e->at[i].sel = e->at[i].top + row;
        cursor_clamp(&e->at[i], i == LIST ? count(ui->s) : (int)target_keys(), e->rows[i]);
        return true;
    }
    return false;
}

static void editor_copy(struct ui *ui, void *state, struct strbuf *out)
{
    const struct editor *e = state;
    const struct target_state *t = nth(ui->s, e->at[LIST].sel);
    char value[200];

    if (!t)
        return;
    strbuf_addstr(out, t->target->name);
    for (size_t i = 0; i < target_keys(); i++)
        if (target_get(t->target, i, value, sizeof(value)))
            strbuf_addf(out, strchr(value, ' ') ? " %s=\"%s\"" : " %s=%s", target_key(i), value);
}

const struct screen targets_screen = {
    .name = "targets",
    .title = N_("Targets"),
    .context = IN_TARGETS,
    .state_size = sizeof(struct editor),
    .draw = editor_draw,
    .action = editor_action,
    .click = editor_click,
    .copy = editor_copy,
};
