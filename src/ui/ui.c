/*
 * ui.c: the stack of screens, what a key does, and one drawing of everything.
 */
#include "ui/screen.h"
#include "ui/theme.h"
#include "ui/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIN_COLS 40
#define MIN_ROWS 10

/* ---- the stack ---- */

static void close_top(struct ui *ui)
{
    struct open_screen *top = &ui->stack[--ui->depth];

    if (top->screen->close)
        top->screen->close(ui, top->state);
    free(top->state);
    top->state = NULL;
}

int ui_open(struct ui *ui, const struct screen *screen, const struct place *at)
{
    static const struct place nowhere;
    struct open_screen one = {.screen = screen};
    int err;

    /* Help on help, a deep chain of jumps: the oldest but the first makes room. */
    if (ui->depth == SCREENS_MAX) {
        struct open_screen *old = &ui->stack[1];
        if (old->screen->close)
            old->screen->close(ui, old->state);
        free(old->state);
        memmove(old, old + 1, (SCREENS_MAX - 2) * sizeof(*old));
        ui->depth--;
    }
    one.state = calloc(1, screen->state_size);
    if (!one.state)
        return -ENOMEM;
    err = screen->open ? screen->open(ui, one.state, at ? at : &nowhere) : 0;
    if (err < 0) {
        if (screen->close)
            screen->close(ui, one.state);
        free(one.state);
        return err;
    }
    ui->stack[ui->depth++] = one;
    return 0;
}

void ui_back(struct ui *ui)
{
    if (ui->depth > 1)
        close_top(ui);
}

static struct open_screen *top_screen(struct ui *ui)
{
    return &ui->stack[ui->depth - 1];
}

void ui_open_incident(struct ui *ui, uint64_t incident)
{
    struct place at = {.incident = incident};

    if (!session_incident(ui->s, incident))
        ui_note(ui, LOOK_NOTE, "%s", _("nothing ended badly here: there is nothing to diagnose"));
    else
        ui_open(ui, &diagnosis_screen, &at);
}

void ui_open_flow(struct ui *ui, uint64_t flow, uint64_t packet)
{
    struct place at = {.flow = flow, .packet = packet};

    if (!flow || session_flow_packets(ui->s, flow, NULL, 0) == 0)
        ui_note(ui, LOOK_NOTE, "%s", _("no packets of this connection were captured"));
    else
        ui_open(ui, &flow_screen, &at);
}

void ui_open_packet(struct ui *ui, uint64_t packet)
{
    struct place at = {.packet = packet};

    if (!session_packet(ui->s, packet))
        ui_note(ui, LOOK_NOTE, _("packet %llu is not kept any more"), (unsigned long long)packet);
    else
        ui_open(ui, &packet_screen, &at);
}

void ui_note(struct ui *ui, enum look look, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(ui->note, sizeof(ui->note), fmt, ap);
    va_end(ap);
    ui->note_look = look;
}

/* ---- what every screen can do ---- */

static void do_quit(struct ui *ui)
{
    ui->quitting = true;
    if (ui->act.quit)
        ui->act.quit(ui->act.arg);
}

static void quit_answered(struct ui *ui, bool ok)
{
    if (ok)
        do_quit(ui);
    else
        ui->print_at_end = false;
}

/* A live session is written as it goes, a file is still there: what would really be lost? */
bool ui_would_lose(const struct ui *ui)
{
    const struct session *s = ui->s;

    return s->dirty && (s->settings.read_file ? ui->answered : !s->dir[0]);
}

static void quit_asked(struct ui *ui, bool leave_printed)
{
    ui->print_at_end = leave_printed;
    if (!ui_would_lose(ui)) {
        do_quit(ui);
        return;
    }
    ui_ask(ui, _("Not saved: quit all the same?"), quit_answered);
    snprintf(ui->prompt.hint, sizeof(ui->prompt.hint), "%s", _("y quit   n stay (F2 saves)"));
}

void ui_save(struct ui *ui)
{
    char where[512] = "";
    int err = ui->act.save ? ui->act.save(ui->act.arg, where, sizeof(where)) : -ENOSYS;

    if (err < 0) {
        ui_note(ui, LOOK_BAD, _("not saved: %s"), where[0] ? where : strerror(-err));
        return;
    }
    ui->answered = false;
    ui_note(ui, LOOK_GOOD, _("saved in %s"), where);
}

static void save_redacted(struct ui *ui)
{
    char where[512] = "";
    int err =
        ui->act.save_redacted ? ui->act.save_redacted(ui->act.arg, where, sizeof(where)) : -ENOSYS;

    if (err < 0)
        ui_note(ui, LOOK_BAD, _("not saved: %s"), where[0] ? where : strerror(-err));
    else
        ui_note(ui, LOOK_GOOD, _("a redacted copy is saved in %s"), where);
}

void ui_lost(struct ui *ui)
{
    if (ui->quitting)
        return;
    if (ui_would_lose(ui))
        ui_save(ui);
    do_quit(ui);
}

static void refresh_asked(struct ui *ui)
{
    if (ui->s->ntargets == 0) {
        ui_note(ui, LOOK_NOTE, "%s", _("no target to probe: a adds one"));
    } else if (ui->act.probe_now) {
        ui->act.probe_now(ui->act.arg, 0);
        ui_note(ui, LOOK_NORMAL, "%s", _("probing again"));
    }
}

/* The screens one leafs through by number stand beside each other, not on each other. */
static void open_page(struct ui *ui, const struct screen *screen)
{
    if (top_screen(ui)->screen == screen)
        return;
    if (top_screen(ui)->screen->context & IN_PAGES)
        ui_back(ui);
    ui_open(ui, screen, NULL);
}

static void go_to_pane(struct ui *ui, enum action a)
{
    while (ui->depth > 1)
        close_top(ui);
    ui->stack[0].screen->action(ui, ui->stack[0].state, a);
}

static bool open_by_action(struct ui *ui, enum action a)
{
    switch (a) {
    case ACTION_HELP: ui_open(ui, &help_screen, NULL); return true;
    case ACTION_HOST: open_page(ui, &host_screen); return true;
    case ACTION_TARGETS: open_page(ui, &targets_screen); return true;
    case ACTION_SETTINGS: open_page(ui, &settings_screen); return true;
    case ACTION_HISTORY: open_page(ui, &history_screen); return true;
    case ACTION_COMPARE_RUNS: open_page(ui, &compare_screen); return true;
    case ACTION_CHARTS: open_page(ui, &charts_screen); return true;
    case ACTION_TAB_1:
    case ACTION_TAB_2:
    case ACTION_TAB_3: go_to_pane(ui, a); return true;
    default: return false;
    }
}

void ui_do(struct ui *ui, enum action a)
{
    struct open_screen *top = top_screen(ui);

    if (a == ACTION_NONE || (top->screen->action && top->screen->action(ui, top->state, a)))
        return;
    if (open_by_action(ui, a))
        return;
    switch (a) {
    case ACTION_QUIT: quit_asked(ui, false); break;
    case ACTION_QUIT_LEAVE: quit_asked(ui, true); break;
    case ACTION_SAVE: ui_save(ui); break;
    case ACTION_SAVE_REDACTED: save_redacted(ui); break;
    case ACTION_REFRESH: refresh_asked(ui); break;
    case ACTION_PAUSE:
        if (ui->act.pause)
            ui->act.pause(ui->act.arg, !ui->s->paused);
        break;
    case ACTION_COMMAND: command_prompt(ui); break;
    case ACTION_COPY: ui_copy(ui); break;
    case ACTION_MARK:
    case ACTION_JUMP: marks_begin(ui, a); break;
    case ACTION_BACK:
    case ACTION_CLOSE_HELP: ui_back(ui); break;
    case ACTION_REDRAW: ui->drawn_once = false; break;
    case ACTION_SUSPEND:
        if (ui->term)
            term_suspend(ui->term);
        ui->drawn_once = false;
        break;
    default: break;
    }
}

/* A click selects; one more on the same row opens. In the last line a click is the key there. */
static void click(struct ui *ui, const struct key *k)
{
    struct open_screen *top = top_screen(ui);
    bool again = ui->clicked_y == k->y;

    ui->clicked_y = -1;
    if (k->y == ui->canvas.rows - 1) {
        for (size_t i = 0; i < ui->nhints; i++)
            if (k->x >= ui->hints[i].from && k->x < ui->hints[i].to) {
                ui_do(ui, ui->hints[i].action);
                return;
            }
        return;
    }
    if (!top->screen->click || !top->screen->click(ui, top->state, k->x, k->y - 1))
        return;
    ui->clicked_y = again ? -1 : k->y;
    if (again)
        ui_do(ui, top->screen->context & (IN_TARGETS | IN_SETTINGS) ? ACTION_EDIT : ACTION_OPEN);
}

static void mouse_key(struct ui *ui, const struct key *k)
{
    struct open_screen *top = top_screen(ui);

    if (k->code == K_CLICK) {
        click(ui, k);
        return;
    }
    if (top->screen->point)
        top->screen->point(ui, top->state, k->x, k->y - 1);
    for (int i = 0; i < 3; i++)
        ui_do(ui, k->code == K_WHEEL_UP ? ACTION_UP : ACTION_DOWN);
}

void ui_key(struct ui *ui, const struct key *k)
{
    enum action a;

    if (prompt_open(ui)) {
        if (k->code < K_CLICK)
            prompt_key(ui, k->code);
        return;
    }
    ui->note[0] = '\0';
    if (k->code >= K_CLICK) {
        ui->letter_for = ACTION_NONE;
        mouse_key(ui, k);
        return;
    }
    ui->clicked_y = -1;
    if (ui->letter_for != ACTION_NONE) {
        marks_letter(ui, k->code);
        return;
    }
    a = keymap_action(&ui->keys, top_screen(ui)->screen->context, k->code);
    if (a != ACTION_NONE) {
        ui_do(ui, a);
        return;
    }
    if (k->code == K_ESC)
        return;
    char name[KEY_NAME_MAX], help[KEY_NAME_MAX] = "?";
    int keys[ACTION_KEYS];
    if (keymap_keys(&ui->keys, ACTION_HELP, keys) > 0)
        key_text(help, keys[0]);
    ui_note(ui, LOOK_DIM, _("%s does nothing here; %s shows the keys"), key_text(name, k->code),
            help);
}

/* ---- what may be changed while it runs ---- */

void ui_set_theme(struct ui *ui, const char *name)
{
    const struct theme *t = theme_by_name(name);

    if (t && name != ui->theme)
        snprintf(ui->theme, sizeof(ui->theme), "%.*s", (int)sizeof(ui->theme) - 1, name);
    if (ui->term)
        term_set_theme(ui->term, &ui->opt);
    ui->drawn_once = false;
}

void ui_set_ascii(struct ui *ui, bool ascii)
{
    ui->ascii = ui->canvas.ascii = ascii || !term_utf8();
    ui_choose_plots(ui);
    ui->drawn_once = false;
}

void ui_choose_plots(struct ui *ui)
{
    const char *asked = ui->opt.plots;

    if (ui->ascii || (asked && strcmp(asked, "ascii") == 0))
        ui->plots = PLOT_ASCII;
    else if (asked && strcmp(asked, "blocks") == 0)
        ui->plots = PLOT_BLOCK;
    else if (asked && strcmp(asked, "braille") == 0)
        ui->plots = PLOT_BRAILLE;
    else
        ui->plots = ui->term && !term_has_braille() ? PLOT_BLOCK : PLOT_BRAILLE;
}

int ui_bind(struct ui *ui, enum action a, const char *words, char *err, size_t errlen)
{
    int rc = keymap_bind(&ui->keys, a, words, err, errlen);

    if (rc == 0 && ui->act.save_keys)
        rc = ui->act.save_keys(ui->act.arg, action_info(a)->name, words, err, errlen);
    return rc;
}

/* What the screens themselves are made of changes with it. */
static void take_setting(struct ui *ui, const char *name, const char *value)
{
    static const char *const kinds[] = {"auto", "braille", "blocks", "ascii"};

    if (strcmp(name, "theme") == 0)
        ui_set_theme(ui, value);
    else if (strcmp(name, "ascii") == 0)
        ui_set_ascii(ui, strcmp(value, "yes") == 0);
    else if (strcmp(name, "color") == 0) {
        ui->opt.no_color = strcmp(value, "never") == 0;
        ui_set_theme(ui, ui->theme);
    } else if (strcmp(name, "plots") == 0) {
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
            if (strcmp(value, kinds[i]) == 0)
                ui->opt.plots = i ? kinds[i] : NULL;
        ui_choose_plots(ui);
    } else if (strcmp(name, "mouse") == 0 && ui->term) {
        term_set_mouse(ui->term, strcmp(value, "yes") == 0);
    }
}

int ui_set(struct ui *ui, const char *name, const char *value, bool do_it, char *err, size_t errlen)
{
    char now[120];

    for (size_t i = 0; i < ui->act.nsettings; i++) {
        if (strcmp(ui->act.settings[i].name, name) != 0)
            continue;
        int rc = ui->act.set_setting(ui->act.arg, i, value, do_it, err, errlen);
        if (rc == 0 && do_it) {
            ui->act.get_setting(ui->act.arg, i, now, sizeof(now));
            take_setting(ui, name, now);
        }
        return rc;
    }
    snprintf(err, errlen, _("no setting is called %s"), name);
    return -EINVAL;
}

int ui_check_target(const char *spec, char *err, size_t errlen)
{
    struct target *t = NULL;
    int rc = target_parse(&t, spec, err, errlen);

    if (rc == 0)
        target_free(t);
    return rc;
}

int ui_add_target(struct ui *ui, const char *spec, char *err, size_t errlen)
{
    int rc = ui->act.add_target ? ui->act.add_target(ui->act.arg, spec, err, errlen) : -EINVAL;

    if (rc == 0)
        ui_note(ui, LOOK_GOOD, _("added: %s"), spec);
    return rc;
}

/* ---- drawing ---- */

static void draw_too_small(struct ui *ui)
{
    struct area a = canvas_area(&ui->canvas);
    struct lines l = {0};
    struct cursor_pos top = {0};
    char text[160];

    snprintf(text, sizeof(text),
             _("rstconsole needs %d x %d characters; this terminal has %d x %d."), MIN_COLS,
             MIN_ROWS, a.w, a.h);
    lines_add(&l, a.w, LOOK_WARN, 0, 0, 0, -1, text);
    lines_add(&l, a.w, LOOK_DIM, 0, 0, 0, -1, _("Make it larger, or press q to quit."));
    lines_draw(&l, a, &top, false);
    lines_release(&l);
}

/* A guided run opens the diagnosis of its first harmful incident by itself, once. */
static void guide(struct ui *ui)
{
    if (!ui->opt.guided || ui->guided_done || prompt_open(ui))
        return;
    for (size_t i = 0; i < ui->s->nincidents; i++) {
        const struct incident *in = ui->s->incidents[i];
        if (!in->harmful || !in->related || in->repeat || in->judgement.nverdicts == 0)
            continue;
        ui->guided_done = true;
        if (ui->depth == 1)
            ui_open_incident(ui, in->id);
        return;
    }
}

int ui_draw(struct ui *ui, int cols, int rows)
{
    int err = canvas_resize(&ui->canvas, cols, rows);

    if (err < 0)
        return err;
    ui->more_work = false;
    guide(ui);
    if (cols < MIN_COLS || rows < MIN_ROWS) {
        draw_too_small(ui);
        return 0;
    }
    struct area all = canvas_area(&ui->canvas);
    struct open_screen *top = top_screen(ui);
    top_bar_draw(ui, area_sub(all, 0, 0, all.w, 1));
    top->screen->draw(ui, top->state, area_sub(all, 0, 1, all.w, all.h - 3));
    message_draw(ui, area_sub(all, 0, all.h - 2, all.w, 1));
    hints_draw(ui, area_sub(all, 0, all.h - 1, all.w, 1), top->screen->context);
    ui->drawn_revision = ui->s->revision;
    return 0;
}

nstime ui_wall(struct ui *ui)
{
    const struct session *s = ui->s;

    if (ui->loop && !ui->script)
        return loop_wall(ui->loop);
    return s->ended != NSTIME_NONE ? s->ended : s->started;
}

void ui_list_keys(struct strbuf *out)
{
    actions_list(out);
}

/* ---- life ---- */

static void permission_line(struct ui *ui)
{
    const struct vantage *v = &ui->s->vantage;
    struct strbuf hint = STRBUF_INIT;

    ui->permission[0] = '\0';
    if (v->capture_error_kind == CAPERR_PERMISSION) {
        capture_permission_hint(&hint);
        snprintf(ui->permission, sizeof(ui->permission), _("No permission to capture; run: %s"),
                 hint.buf);
        strbuf_release(&hint);
    } else if (v->capture_error[0]) {
        snprintf(ui->permission, sizeof(ui->permission), _("No capture: %s"), v->capture_error);
    }
}

void ui_refresh_permission(struct ui *ui)
{
    bool error = ui->s->vantage.capture_error[0] || ui->s->vantage.capture_error_kind;

    if (error != (ui->permission[0] != '\0'))
        permission_line(ui);
}

/* All of [keys] first, then what they clash with: two may change places. */
static void bind_keys(struct ui *ui)
{
    char err[200], name[KEY_NAME_MAX];
    int code;

    keymap_defaults(&ui->keys);
    for (size_t i = 0; i < ui->opt.nbindings; i++) {
        const struct ui_binding *b = &ui->opt.bindings[i];
        enum action a = action_by_name(b->action);
        if (a == ACTION_NONE)
            ui_note(ui, LOOK_WARN, _("[keys]: no action is called %s"), b->action);
        else if (keymap_set(&ui->keys, a, b->keys, err, sizeof(err)) < 0)
            ui_note(ui, LOOK_WARN, "[keys] %s: %s", b->action, err);
    }
    for (int a = 1; a < ACTION_COUNT; a++) {
        enum action other = keymap_clash(&ui->keys, (enum action)a, &code);
        if (other == ACTION_NONE)
            continue;
        ui_note(ui, LOOK_WARN, _("[keys]: %s is the key of %s and %s; the keys are as without it"),
                key_text(name, code), action_info(a)->name, action_info(other)->name);
        keymap_defaults(&ui->keys);
        return;
    }
}

struct ui *ui_new(const struct session *s, const struct ui_actions *actions,
                  const struct ui_options *opt)
{
    struct ui *ui = calloc(1, sizeof(*ui));

    if (!ui)
        return NULL;
    ui->s = s;
    if (actions)
        ui->act = *actions;
    if (opt)
        ui->opt = *opt;
    snprintf(ui->theme, sizeof(ui->theme), "%s", opt && opt->theme ? opt->theme : "default");
    ui->opt.theme = ui->theme;
    ui->ascii = ui->opt.ascii || !term_utf8();
    ui->clicked_y = -1;
    ui_choose_plots(ui);
    bind_keys(ui);
    canvas_init(&ui->canvas, ui->ascii);
    ui_refresh_permission(ui);
    if (ui_open(ui, &console_screen, NULL) < 0) {
        ui_release(ui);
        return NULL;
    }
    return ui;
}

void ui_release(struct ui *ui)
{
    while (ui->depth > 0)
        close_top(ui);
    canvas_release(&ui->canvas);
    filter_box_release(&ui->filter);
    history_release(&ui->commands);
    history_release(&ui->filters);
    strbuf_release(&ui->copied);
    free(ui);
}
