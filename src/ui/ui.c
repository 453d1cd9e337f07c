/*
 * ui.c: the stack of screens, what a key does, and one drawing of everything.
 */
#include "ui/screen.h"
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
static bool would_lose(const struct ui *ui)
{
    const struct session *s = ui->s;

    return s->dirty && (s->settings.read_file ? ui->answered : !s->dir[0]);
}

static void quit_asked(struct ui *ui, bool leave_printed)
{
    ui->print_at_end = leave_printed;
    if (!would_lose(ui)) {
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

void ui_lost(struct ui *ui)
{
    if (ui->quitting)
        return;
    if (would_lose(ui))
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

static void command_changed(struct ui *ui)
{
    struct prompt *p = &ui->prompt;
    enum action found = action_by_name(p->text);
    unsigned context = top_screen(ui)->screen->context;

    if (found == ACTION_NONE && p->len)
        found = action_complete(p->text, context);
    p->look = !p->len ? LOOK_INPUT : found != ACTION_NONE ? LOOK_INPUT_GOOD : LOOK_INPUT_BAD;
    snprintf(p->hint, sizeof(p->hint), "%s%s%s",
             found != ACTION_NONE ? action_info(found)->name : "", found != ACTION_NONE ? "  " : "",
             found != ACTION_NONE ? _(action_info(found)->help) : _("the name of an action"));
}

static void do_action(struct ui *ui, enum action a);

static void command_done(struct ui *ui, bool ok)
{
    unsigned context = top_screen(ui)->screen->context;
    enum action a = action_by_name(ui->prompt.text);

    if (!ok || !ui->prompt.text[0])
        return;
    if (a == ACTION_NONE)
        a = action_complete(ui->prompt.text, context);
    if (a == ACTION_NONE || !(action_info(a)->contexts & context))
        ui_note(ui, LOOK_WARN, "%s", _("no such action here"));
    else
        do_action(ui, a);
}

static void do_action(struct ui *ui, enum action a)
{
    struct open_screen *top = top_screen(ui);

    if (a == ACTION_NONE || (top->screen->action && top->screen->action(ui, top->state, a)))
        return;
    switch (a) {
    case ACTION_HELP: ui_open(ui, &help_screen, NULL); break;
    case ACTION_QUIT: quit_asked(ui, false); break;
    case ACTION_QUIT_LEAVE: quit_asked(ui, true); break;
    case ACTION_SAVE: ui_save(ui); break;
    case ACTION_REFRESH: refresh_asked(ui); break;
    case ACTION_PAUSE:
        if (ui->act.pause)
            ui->act.pause(ui->act.arg, !ui->s->paused);
        break;
    case ACTION_COMMAND: ui_prompt(ui, ":", "", command_changed, command_done); break;
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

static void mouse_key(struct ui *ui, const struct key *k)
{
    struct open_screen *top = top_screen(ui);

    if (k->code == K_CLICK && top->screen->click)
        top->screen->click(ui, top->state, k->x, k->y - 1);
    else if (k->code != K_CLICK)
        for (int i = 0; i < 3; i++)
            do_action(ui, k->code == K_WHEEL_UP ? ACTION_UP : ACTION_DOWN);
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
        mouse_key(ui, k);
        return;
    }
    a = action_of_key(top_screen(ui)->screen->context, k->code);
    if (a != ACTION_NONE) {
        do_action(ui, a);
        return;
    }
    if (k->code == K_ESC)
        return;
    char name[KEY_NAME_MAX];
    ui_note(ui, LOOK_DIM, _("%s does nothing here; ? shows the keys"), key_text(name, k->code));
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
    ui->plots = ui->ascii ? PLOT_ASCII : PLOT_BRAILLE;
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
    free(ui);
}
