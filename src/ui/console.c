/*
 * console.c: the first screen: targets, resets, packets.
 */
#include "ui/console.h"

#include <stdio.h>
#include <string.h>

#define SIDE_BY_SIDE 110 /* columns from which targets and resets share a row */

static const struct pane {
    const char *title;
    void (*draw)(struct ui *ui, struct console *c, struct area a, bool focus);
    bool (*action)(struct ui *ui, struct console *c, enum action a);
    void (*place)(struct ui *ui, struct console *c, struct place *at);
} panes[PANE_COUNT] = {
    [PANE_TARGETS] = {N_("Targets"), targets_draw, targets_action, targets_place},
    [PANE_RESETS] = {N_("Resets"), resets_draw, resets_action, resets_place},
    [PANE_PACKETS] = {N_("Packets"), packets_draw, packets_action, packets_place},
};

static int console_open(struct ui *ui, void *state, const struct place *at)
{
    struct console *c = state;

    (void)at;
    c->focus = ui->s->ntargets ? PANE_TARGETS : PANE_RESETS;
    return 0;
}

static void console_close(struct ui *ui, void *state)
{
    (void)ui;
    packets_release(state);
    resets_release(state);
}

/* ---- layout ---- */

static void pane_title(struct ui *ui, int pane, char *out, size_t outlen)
{
    const struct filter_box *f = &ui->filter;

    if (pane != PANE_TARGETS && f->text[0])
        snprintf(out, outlen, _("%d %s   filter: %s"), pane + 1, _(panes[pane].title), f->text);
    else
        snprintf(out, outlen, "%d %s", pane + 1, _(panes[pane].title));
}

static void draw_panes(struct ui *ui, struct console *c)
{
    for (int pane = 0; pane < PANE_COUNT; pane++)
        if (pane != c->focus)
            frame_lines(c->at[pane], false);
    frame_lines(c->at[c->focus], true);
    for (int pane = 0; pane < PANE_COUNT; pane++) {
        bool focus = pane == c->focus;
        char title[480];
        if (c->at[pane].h < 2)
            continue;
        pane_title(ui, pane, title, sizeof(title));
        frame_title(c->at[pane], title, NULL, focus);
        panes[pane].draw(ui, c, c->at[pane], focus);
    }
}

/* Rows a pane would like: so that an empty one does not take the room of a full one. */
static int wish(struct ui *ui, const struct console *c, int pane)
{
    int n = pane == PANE_TARGETS ? (int)ui->s->ntargets + 1 : 2 * (int)ui->s->nincidents;

    return MAX_OF(n, pane == PANE_TARGETS ? 2 : 3) + 2 + c->grow[pane];
}

static int bounded(int v, int low, int high)
{
    return MAX_OF(MIN_OF(v, high), MIN_OF(low, high));
}

/* Neighbours share a border: each begins on the last row or column of the one before. */
static void layout_wide(struct ui *ui, struct console *c, struct area a)
{
    int left =
        bounded(a.w / 2 + 2 + 4 * (c->grow[PANE_TARGETS] - c->grow[PANE_RESETS]), 40, a.w - 40);
    int top = MAX_OF(wish(ui, c, PANE_TARGETS), wish(ui, c, PANE_RESETS)) - c->grow[PANE_PACKETS];

    if (ui->s->ntargets == 0 && c->focus != PANE_TARGETS)
        left = 1; /* as below */
    top = bounded(top, 6, MAX_OF(a.h * 6 / 10, 6));
    if (left > 1)
        c->at[PANE_TARGETS] = area_sub(a, 0, 0, left, top);
    c->at[PANE_RESETS] = area_sub(a, left - 1, 0, a.w - left + 1, top);
    c->at[PANE_PACKETS] = area_sub(a, 0, top - 1, a.w, a.h - top + 1);
}

static void layout_tall(struct ui *ui, struct console *c, struct area a)
{
    int targets = bounded(wish(ui, c, PANE_TARGETS), 4, MAX_OF(a.h / 3, 4));
    int resets = bounded(wish(ui, c, PANE_RESETS), 5, MAX_OF(a.h * 2 / 5, 5));

    if (ui->s->ntargets == 0 && c->focus != PANE_TARGETS)
        targets = 1; /* a capture file without targets: the room is for what is there */
    resets = bounded(resets - c->grow[PANE_PACKETS], 4, a.h - targets - 3);
    if (targets > 1)
        c->at[PANE_TARGETS] = area_sub(a, 0, 0, a.w, targets);
    c->at[PANE_RESETS] = area_sub(a, 0, targets - 1, a.w, resets);
    targets += resets - 2;
    c->at[PANE_PACKETS] = area_sub(a, 0, targets, a.w, a.h - targets);
}

static void console_draw(struct ui *ui, void *state, struct area a)
{
    struct console *c = state;

    for (int pane = 0; pane < PANE_COUNT; pane++)
        c->at[pane] = area_sub(a, 0, 0, 0, 0);
    if (c->zoom || a.h < 14)
        c->at[c->focus] = a;
    else if (a.w >= SIDE_BY_SIDE)
        layout_wide(ui, c, a);
    else
        layout_tall(ui, c, a);
    draw_panes(ui, c);
}

/* ---- actions ---- */

static void filter_changed(struct ui *ui)
{
    struct prompt *p = &ui->prompt;
    int rc = filter_box_check(p->text, p->hint, sizeof(p->hint));

    p->look = !p->len ? LOOK_INPUT : rc < 0 ? LOOK_INPUT_BAD : LOOK_INPUT_GOOD;
    if (rc == 0)
        snprintf(p->hint, sizeof(p->hint), "%s",
                 p->len
                     ? _("ok: Enter sets it")
                     : _("host: port: flags: stage: cause: harmful: process:  or a pcap filter"));
}

static void filter_typed(struct ui *ui, struct candidates *c, const char *text)
{
    const char *word = strrchr(text, ' ');

    word = word ? word + 1 : text;
    c->from = (size_t)(word - text);
    filter_complete(&ui->filter, ui->s, c, word);
}

static void filter_done(struct ui *ui, bool ok)
{
    char err[200];

    if (ok && filter_box_set(&ui->filter, ui->prompt.text, err, sizeof(err)) < 0)
        ui_note(ui, LOOK_BAD, _("the filter stays as it was: %s"), err);
}

static void add_changed(struct ui *ui)
{
    struct prompt *p = &ui->prompt;
    int rc = p->len ? ui_check_target(p->text, p->hint, sizeof(p->hint)) : 0;

    p->look = !p->len ? LOOK_INPUT : rc < 0 ? LOOK_INPUT_BAD : LOOK_INPUT_GOOD;
    if (rc == 0)
        snprintf(p->hint, sizeof(p->hint), "%s",
                 p->len ? _("ok: Enter adds it")
                        : _("host, host:port or URL, then options: timeout=5 family=4 ..."));
}

static void add_done(struct ui *ui, bool ok)
{
    char err[200] = "";

    if (ok && ui->prompt.text[0] && ui->act.add_target &&
        ui_add_target(ui, ui->prompt.text, err, sizeof(err)) < 0)
        ui_note(ui, LOOK_BAD, "%s", err);
}

void ui_prompt_target(struct ui *ui)
{
    ui_prompt(ui, _("add target:"), "", add_changed, add_done);
}

static void paste_done(struct ui *ui, bool ok)
{
    if (!ok || !ui->prompt.text[0] || !ui->act.log_line)
        return;
    uint64_t id = ui->act.log_line(ui->act.arg, ui->prompt.text);
    if (id)
        ui_open_incident(ui, id);
    else
        ui_note(ui, LOOK_NOTE, _("that line tells of no connection that failed"));
}

static void toggle(struct ui *ui, const char *word)
{
    char err[200];

    if (filter_box_toggle(&ui->filter, word, err, sizeof(err)) < 0)
        ui_note(ui, LOOK_BAD, "%s", err);
}

static void only_this_target(struct ui *ui, const struct console *c)
{
    const struct session *s = ui->s;
    char word[100];

    for (size_t i = 0; i < ui->filter.nwords; i++)
        if (ui->filter.words[i].key == FK_HOST) { /* it is in force: take it out */
            snprintf(word, sizeof(word), "host:%s", ui->filter.words[i].value);
            toggle(ui, word);
            return;
        }
    if (!s->ntargets) {
        ui_note(ui, LOOK_NOTE, "%s", _("there is no target"));
        return;
    }
    size_t i = (size_t)bounded(c->targets.sel, 0, (int)s->ntargets - 1);
    snprintf(word, sizeof(word), "host:%.70s", s->targets[i].target->host);
    toggle(ui, word);
}

static bool filter_action(struct ui *ui, struct console *c, enum action a)
{
    switch (a) {
    case ACTION_FILTER:
        ui_prompt(ui, _("filter:"), ui->filter.text, filter_changed, filter_done);
        ui->prompt.complete = filter_typed;
        ui->prompt.history = &ui->filters;
        return true;
    case ACTION_CLEAR: {
        char err[200];
        filter_box_set(&ui->filter, "", err, sizeof(err));
        return true;
    }
    case ACTION_RESETS_ONLY: toggle(ui, "flags:R"); return true;
    case ACTION_HIDE_BENIGN: toggle(ui, "harmful:yes"); return true;
    case ACTION_THIS_TARGET: only_this_target(ui, c); return true;
    default: return false;
    }
}

static void open_here(struct ui *ui, struct console *c, enum action a)
{
    struct place at = {0};

    panes[c->focus].place(ui, c, &at);
    if (a == ACTION_FLOW) {
        ui_open_flow(ui, at.flow, at.packet);
    } else if (a == ACTION_EXPERIMENT) {
        ui_open_experiment(ui, at.incident, NULL);
    } else if (a == ACTION_DIAGNOSE || (c->focus != PANE_PACKETS && at.incident)) {
        ui_open_incident(ui, at.incident);
    } else if (c->focus == PANE_PACKETS && at.packet) {
        ui_open_packet(ui, at.packet);
    } else if (c->focus == PANE_TARGETS && at.flow) {
        ui_open_flow(ui, at.flow, 0);
    } else if (c->focus == PANE_TARGETS && ui->s->ntargets) {
        ui_note(ui, LOOK_NOTE, "%s", _("every stage passed: nothing to diagnose"));
    }
}

static void focus_on(struct ui *ui, struct console *c, int pane)
{
    (void)ui;
    c->focus = (pane + PANE_COUNT) % PANE_COUNT;
}

static bool console_action(struct ui *ui, void *state, enum action a)
{
    struct console *c = state;

    if (filter_action(ui, c, a) || panes[c->focus].action(ui, c, a))
        return true;
    switch (a) {
    case ACTION_NEXT_PANE: focus_on(ui, c, c->focus + 1); return true;
    case ACTION_PREVIOUS_PANE: focus_on(ui, c, c->focus - 1); return true;
    case ACTION_TAB_1:
    case ACTION_TAB_2:
    case ACTION_TAB_3: focus_on(ui, c, (int)(a - ACTION_TAB_1)); return true;
    case ACTION_ZOOM: c->zoom = !c->zoom; return true;
    case ACTION_GROW: c->grow[c->focus] = bounded(c->grow[c->focus] + 1, -40, 40); return true;
    case ACTION_SHRINK: c->grow[c->focus] = bounded(c->grow[c->focus] - 1, -40, 40); return true;
    case ACTION_OPEN:
    case ACTION_EXPERIMENT:
    case ACTION_DIAGNOSE:
    case ACTION_FLOW: open_here(ui, c, a); return true;
    case ACTION_PASTE: ui_prompt(ui, _("log line:"), "", NULL, paste_done); return true;
    case ACTION_ADD: ui_prompt_target(ui); return true;
    case ACTION_NEXT_RESET:
    case ACTION_PREVIOUS_RESET:
        c->focus = PANE_PACKETS;
        packets_find_reset(ui, c, a == ACTION_NEXT_RESET);
        return true;
    default: return false;
    }
}

static bool console_click(struct ui *ui, void *state, int x, int y)
{
    struct console *c = state;

    for (int pane = 0; pane < PANE_COUNT; pane++) {
        struct area a = c->at[pane];
        int row = y + 1 - a.y - 1; /* y is the screen's, a.y the canvas's, a frame line above */
        if (x < a.x || x >= a.x + a.w || y + 1 < a.y || y + 1 >= a.y + a.h)
            continue;
        focus_on(ui, c, pane);
        if (pane == PANE_TARGETS && row > 0)
            c->targets.sel = c->targets.top + row - 1;
        else if (pane == PANE_RESETS)
            resets_click(ui, c, row);
        else if (pane == PANE_PACKETS)
            packets_click(ui, c, row - 1);
        return true;
    }
    return false;
}

static void console_point(struct ui *ui, void *state, int x, int y)
{
    struct console *c = state;

    for (int pane = 0; pane < PANE_COUNT; pane++) {
        struct area a = c->at[pane];
        if (x >= a.x && x < a.x + a.w && y + 1 >= a.y && y + 1 < a.y + a.h)
            focus_on(ui, c, pane);
    }
}

static void console_place(struct ui *ui, void *state, struct place *at)
{
    struct console *c = state;

    panes[c->focus].place(ui, c, at);
    at->pane = c->focus + 1;
}

static void console_go(struct ui *ui, void *state, const struct place *at)
{
    struct console *c = state;

    focus_on(ui, c, at->pane - 1);
    if (c->focus == PANE_PACKETS)
        packets_show(ui, c, at->packet);
    else if (c->focus == PANE_RESETS)
        resets_show(ui, c, at->incident);
}

static void copy_target(struct ui *ui, const struct console *c, struct strbuf *out)
{
    const struct session *s = ui->s;

    if (s->ntargets)
        strbuf_addstr(out,
                      s->targets[bounded(c->targets.sel, 0, (int)s->ntargets - 1)].target->name);
}

static void console_copy(struct ui *ui, void *state, struct strbuf *out)
{
    struct console *c = state;
    struct place at = {0};

    panes[c->focus].place(ui, c, &at);
    const struct incident *i = at.incident ? session_incident(ui->s, at.incident) : NULL;
    if (c->focus == PANE_TARGETS)
        copy_target(ui, c, out);
    else if (c->focus == PANE_RESETS && i)
        incident_summary(out, ui->s, i, tr_locale);
    else if (c->focus == PANE_PACKETS && at.packet)
        packet_summary(out, ui->s, session_packet(ui->s, at.packet));
}

const struct screen console_screen = {
    .name = "console",
    .title = N_("Console"),
    .context = IN_CONSOLE,
    .state_size = sizeof(struct console),
    .open = console_open,
    .draw = console_draw,
    .action = console_action,
    .click = console_click,
    .close = console_close,
    .point = console_point,
    .place = console_place,
    .go = console_go,
    .copy = console_copy,
};
