/*
 * settings.c: every setting with what it is now, and every key: changed here, kept in the
 * configuration file.
 */
#include "ui/screen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME_COLS  17
#define VALUE_COLS 16
#define KEYS_COLS  18

enum { PAGE_SETTINGS, PAGE_KEYS, PAGES };
struct settings_view {
    int page;
    struct cursor_pos at[PAGES];
    int rows;
    struct area body;
};

static struct settings_view *view_of(struct ui *ui)
{
    struct open_screen *top = &ui->stack[ui->depth - 1];

    return top->screen == &settings_screen ? top->state : NULL;
}

static int count(const struct ui *ui, int page)
{
    return page == PAGE_SETTINGS ? (int)ui->act.nsettings : ACTION_COUNT - 1;
}

/* ---- drawing ---- */

static void draw_setting(struct ui *ui, struct area a, int y, int n)
{
    const struct ui_setting *s = &ui->act.settings[n];
    char value[120] = "";

    ui->act.get_setting(ui->act.arg, (size_t)n, value, sizeof(value));
    area_put(a, 1, y, NAME_COLS - 1, LOOK_STRONG, s->name);
    area_put(a, 1 + NAME_COLS, y, VALUE_COLS - 1, LOOK_GOOD, value[0] ? value : "-");
    int x = 1 + NAME_COLS + VALUE_COLS;
    x += area_put(a, x, y, a.w - x, LOOK_NORMAL, _(s->help)) + 1;
    if (s->values)
        x += area_putf(a, x, y, a.w - x, LOOK_DIM, "(%s)", s->values) + 1;
    if (!s->now)
        area_put(a, x, y, a.w - x, LOOK_NOTE, _("with the next start"));
}

/* Where the action's keys count: of one screen its name, of several nothing. */
static void draw_key(struct ui *ui, struct area a, int y, int n)
{
    enum action act = (enum action)(n + 1);
    const struct action_info *info = action_info(act);
    char keys[64];

    keymap_text(&ui->keys, act, keys, sizeof(keys));
    area_put(a, 1, y, 20, LOOK_STRONG, info->name);
    area_put(a, 22, y, KEYS_COLS - 1, keys[0] ? LOOK_KEY : LOOK_DIM, keys[0] ? keys : "-");
    area_put(a, 22 + KEYS_COLS, y, -1, LOOK_NORMAL, _(info->help));
}

static void settings_draw(struct ui *ui, void *state, struct area a)
{
    static const char *const titles[PAGES] = {N_("Settings"), N_("Keys")};
    struct settings_view *v = state;
    struct cursor_pos *at = &v->at[v->page];
    int n = count(ui, v->page), x = 2;

    frame_lines(a, true);
    for (int i = 0; i < PAGES; i++) {
        char text[60];
        snprintf(text, sizeof(text), " %s ", _(titles[i]));
        x += area_put(a, x, 0, -1, i == v->page ? LOOK_FOCUS : LOOK_TITLE, text) + 1;
    }
    struct area in = frame_inside(a);
    v->body = in;
    v->rows = MAX_OF(in.h, 1);
    cursor_clamp(at, n, in.h);
    for (int y = 0; y < in.h && at->top + y < n; y++) {
        if (v->page == PAGE_SETTINGS)
            draw_setting(ui, in, y, at->top + y);
        else
            draw_key(ui, in, y, at->top + y);
        if (at->top + y == at->sel)
            area_select(in, y);
    }
    if (n == 0)
        area_put(in, 1, 0, -1, LOOK_DIM, _("nothing can be set here"));
    range_draw(a, at->top, n, in.h);
}

/* ---- changing ---- */

static int try_value(struct ui *ui, const struct settings_view *v, const char *value, bool do_it,
                     char *err, size_t errlen)
{
    int n = v->at[v->page].sel;

    if (v->page == PAGE_SETTINGS)
        return n < (int)ui->act.nsettings
                   ? ui_set(ui, ui->act.settings[n].name, value, do_it, err, errlen)
                   : -EINVAL;
    enum action a = (enum action)(n + 1);
    const char *keys = value ? value : action_info(a)->keys;
    struct keymap trial = ui->keys;
    return do_it ? ui_bind(ui, a, keys, err, errlen) : keymap_bind(&trial, a, keys, err, errlen);
}

static void set_value(struct ui *ui, const struct settings_view *v, const char *value)
{
    char err[240] = "";
    int rc = try_value(ui, v, value, true, err, sizeof(err));

    if (rc < 0)
        ui_note(ui, LOOK_BAD, "%s", err[0] ? err : strerror(-rc));
    else if (err[0]) /* where it is kept */
        ui_note(ui, LOOK_GOOD, "%s", err);
}

static void typed(struct ui *ui)
{
    struct prompt *p = &ui->prompt;
    const struct settings_view *v = view_of(ui);
    int rc;

    if (!v)
        return;
    p->hint[0] = '\0';
    rc = p->len || v->page == PAGE_KEYS ? try_value(ui, v, p->text, false, p->hint, sizeof(p->hint))
                                        : 0;
    p->look = rc < 0 ? LOOK_INPUT_BAD : LOOK_INPUT_GOOD;
    if (rc == 0 && !p->hint[0])
        snprintf(p->hint, sizeof(p->hint), "%s",
                 v->page == PAGE_KEYS ? _("names of keys: a F2 ^X S-Tab Space; none: no key")
                                      : _("ok: Enter sets it"));
}

static void value_done(struct ui *ui, bool ok)
{
    const struct settings_view *v = view_of(ui);

    if (ok && v)
        set_value(ui, v, ui->prompt.text);
}

static void value_complete(struct ui *ui, struct candidates *c, const char *text)
{
    const struct settings_view *v = view_of(ui);
    const char *p = v && v->page == PAGE_SETTINGS ? ui->act.settings[v->at[0].sel].values : NULL;

    while (p && *p) {
        char word[40];
        size_t len = strcspn(p, " ");
        snprintf(word, sizeof(word), "%.*s", (int)MIN_OF(len, sizeof(word) - 1), p);
        candidate(c, text, word);
        p += len;
        p += strspn(p, " ");
    }
}

/* The value after this one, round the end: what Enter does to a setting of few values. */
static void next_value(struct ui *ui, const struct settings_view *v)
{
    size_t n = (size_t)v->at[0].sel;
    const char *values = ui->act.settings[n].values, *p;
    char now[120], next[40];

    ui->act.get_setting(ui->act.arg, n, now, sizeof(now));
    for (p = values; *p; p += strcspn(p, " "), p += strspn(p, " "))
        if (strlen(now) == strcspn(p, " ") && strncmp(p, now, strlen(now)) == 0) {
            p += strlen(now);
            p += strspn(p, " ");
            break;
        }
    if (!*p)
        p = values;
    snprintf(next, sizeof(next), "%.*s", (int)MIN_OF(strcspn(p, " "), sizeof(next) - 1), p);
    set_value(ui, v, next);
}

static void edit(struct ui *ui, const struct settings_view *v)
{
    int n = v->at[v->page].sel;
    char now[120];

    if (n >= count(ui, v->page))
        return;
    if (v->page == PAGE_SETTINGS && ui->act.settings[n].values) {
        next_value(ui, v);
        return;
    }
    if (v->page == PAGE_SETTINGS)
        ui->act.get_setting(ui->act.arg, (size_t)n, now, sizeof(now));
    else
        keymap_text(&ui->keys, (enum action)(n + 1), now, sizeof(now));
    ui_prompt(ui,
              v->page == PAGE_SETTINGS ? ui->act.settings[n].name
                                       : action_info((enum action)(n + 1))->name,
              now, typed, value_done);
    ui->prompt.complete = value_complete;
}

static bool settings_action(struct ui *ui, void *state, enum action a)
{
    struct settings_view *v = state;

    if (cursor_move(&v->at[v->page], a, count(ui, v->page), v->rows))
        return true;
    switch (a) {
    case ACTION_NEXT_PANE:
    case ACTION_PREVIOUS_PANE: v->page = !v->page; return true;
    case ACTION_EDIT: edit(ui, v); return true;
    case ACTION_DEFAULT: set_value(ui, v, NULL); return true;
    default: return false;
    }
}

static bool settings_click(struct ui *ui, void *state, int x, int y)
{
    struct settings_view *v = state;
    int row = y + 1 - v->body.y;

    if (row < 0 || row >= v->body.h || x < v->body.x)
        return false;
    v->at[v->page].sel = v->at[v->page].top + row;
    cursor_clamp(&v->at[v->page], count(ui, v->page), v->rows);
    return true;
}

const struct screen settings_screen = {
    .name = "settings",
    .title = N_("Settings"),
    .context = IN_SETTINGS,
    .state_size = sizeof(struct settings_view),
    .draw = settings_draw,
    .action = settings_action,
    .click = settings_click,
};
