/*
 * command.c: the ":" line: the names of actions, and commands that take an argument.
 */
#include "ui/private.h"
#include "ui/theme.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct command {
    const char *name, *args; /* args: N_(), what follows; NULL nothing */
    const char *help;        /* N_() */
    /* 0, or -EINVAL with what is wrong; do_it false: only looked at, as it is typed */
    int (*run)(struct ui *ui, const char *args, bool do_it, char *err, size_t errlen);
    void (*complete)(struct ui *ui, struct candidates *c, const char *word);
};

/* ---- what they do ---- */

static int run_filter(struct ui *ui, const char *args, bool do_it, char *err, size_t errlen)
{
    if (!do_it)
        return filter_box_check(args, err, errlen);
    return filter_box_set(&ui->filter, args, err, errlen);
}

static int run_add(struct ui *ui, const char *args, bool do_it, char *err, size_t errlen)
{
    if (do_it)
        return ui_add_target(ui, args, err, errlen);
    return ui_check_target(args, err, errlen);
}

static int run_theme(struct ui *ui, const char *args, bool do_it, char *err, size_t errlen)
{
    if (!theme_by_name(args)) {
        snprintf(err, errlen, "%s", _("no theme is called that; Tab lists them"));
        return -EINVAL;
    }
    if (do_it)
        ui_set_theme(ui, args);
    return 0;
}

static int run_packet(struct ui *ui, const char *args, bool do_it, char *err, size_t errlen)
{
    uint64_t n;

    if (parse_u64(args, 1, UINT64_MAX, &n) < 0 || !session_packet(ui->s, n)) {
        snprintf(err, errlen, "%s", _("no packet with that number is kept"));
        return -EINVAL;
    }
    if (do_it)
        ui_open_packet(ui, n);
    return 0;
}

/* "quit F10 q": the action's name, then its keys. */
static int run_bind(struct ui *ui, const char *args, bool do_it, char *err, size_t errlen)
{
    char name[40];
    size_t len = strcspn(args, " ");
    struct keymap trial = ui->keys;

    snprintf(name, sizeof(name), "%.*s", (int)MIN_OF(len, sizeof(name) - 1), args);
    enum action a = action_by_name(name);
    if (a == ACTION_NONE) {
        snprintf(err, errlen, _("no action is called %s"), name);
        return -EINVAL;
    }
    int rc = keymap_bind(&trial, a, args + len, err, errlen);
    if (rc == 0 && do_it)
        rc = ui_bind(ui, a, args + len + strspn(args + len, " "), err, errlen);
    return rc;
}

static int run_set(struct ui *ui, const char *args, bool do_it, char *err, size_t errlen)
{
    char name[40];
    size_t len = strcspn(args, " =");
    const char *value = args + len;

    snprintf(name, sizeof(name), "%.*s", (int)MIN_OF(len, sizeof(name) - 1), args);
    value += strspn(value, " =");
    return ui_set(ui, name, value, do_it, err, errlen);
}

/* ---- what can follow ---- */

static void complete_theme(struct ui *ui, struct candidates *c, const char *word)
{
    const char *name;

    (void)ui;
    for (size_t i = 0; (name = theme_name(i)); i++)
        candidate(c, word, name);
}

static void complete_action(struct ui *ui, struct candidates *c, const char *word)
{
    (void)ui;
    for (int a = 1; a < ACTION_COUNT; a++)
        candidate(c, word, action_info(a)->name);
}

static void complete_filter(struct ui *ui, struct candidates *c, const char *word)
{
    filter_complete(&ui->filter, ui->s, c, word);
}

static void complete_setting(struct ui *ui, struct candidates *c, const char *word)
{
    for (size_t i = 0; i < ui->act.nsettings; i++)
        candidate(c, word, ui->act.settings[i].name);
}

static const struct command commands[] = {
    {"filter", N_("WORDS"), N_("show only what matches"), run_filter, complete_filter},
    {"add-target", N_("TARGET"), N_("probe it too"), run_add, NULL},
    {"theme", N_("NAME"), N_("other colours"), run_theme, complete_theme},
    {"packet", N_("NUMBER"), N_("open that packet"), run_packet, NULL},
    {"bind", N_("ACTION KEYS"), N_("other keys for an action"), run_bind, complete_action},
    {"set", N_("NAME VALUE"), N_("change a setting"), run_set, complete_setting},
};

/* What was typed without the blanks around it: completion leaves one behind. */
static const char *typed_text(char out[PROMPT_MAX], const struct ui *ui)
{
    size_t n;

    snprintf(out, PROMPT_MAX, "%s", ui->prompt.text + strspn(ui->prompt.text, " "));
    for (n = strlen(out); n && out[n - 1] == ' ';)
        out[--n] = '\0';
    return out;
}

static const struct command *command_of(const char *text, const char **args)
{
    size_t len = strcspn(text, " ");

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (strlen(commands[i].name) == len && strncmp(commands[i].name, text, len) == 0) {
            *args = text + len + strspn(text + len, " ");
            return &commands[i];
        }
    return NULL;
}

/* ---- the prompt ---- */

static unsigned context_of(const struct ui *ui)
{
    return ui->stack[ui->depth - 1].screen->context;
}

static enum action action_meant(struct ui *ui, const char *text)
{
    enum action a = action_by_name(text);

    if (a == ACTION_NONE && *text)
        a = action_complete(text, context_of(ui));
    return a != ACTION_NONE && action_info(a)->contexts & context_of(ui) ? a : ACTION_NONE;
}

static void command_changed(struct ui *ui)
{
    struct prompt *p = &ui->prompt;
    char buf[PROMPT_MAX];
    const char *args, *text = typed_text(buf, ui);
    const struct command *c = command_of(text, &args);
    enum action a = c ? ACTION_NONE : action_meant(ui, text);

    p->look = LOOK_INPUT;
    if (!*text) {
        snprintf(p->hint, sizeof(p->hint), "%s",
                 _("the name of an action, or filter, add-target, theme, packet, bind, set"));
    } else if (c && !*args) {
        snprintf(p->hint, sizeof(p->hint), "%s  %s", _(c->args), _(c->help));
    } else if (c) {
        int rc = c->run(ui, args, false, p->hint, sizeof(p->hint));
        p->look = rc < 0 ? LOOK_INPUT_BAD : LOOK_INPUT_GOOD;
        if (rc == 0)
            snprintf(p->hint, sizeof(p->hint), "%s", _("ok: Enter does it"));
    } else {
        p->look = a != ACTION_NONE ? LOOK_INPUT_GOOD : LOOK_INPUT_BAD;
        snprintf(p->hint, sizeof(p->hint), "%s%s%s", a != ACTION_NONE ? action_info(a)->name : "",
                 a != ACTION_NONE ? "  " : "",
                 a != ACTION_NONE ? _(action_info(a)->help) : _("the name of an action"));
    }
}

static void command_done(struct ui *ui, bool ok)
{
    char text[sizeof(ui->prompt.text)], err[240] = "";
    const char *args;

    if (!ok || !ui->prompt.text[0])
        return;
    typed_text(text, ui);
    const struct command *c = command_of(text, &args);
    if (c) {
        if (c->run(ui, args, true, err, sizeof(err)) < 0)
            ui_note(ui, LOOK_BAD, "%s", err);
        return;
    }
    enum action a = action_meant(ui, text);
    if (a == ACTION_NONE)
        ui_note(ui, LOOK_WARN, "%s", _("no such action here"));
    else
        ui_do(ui, a);
}

static void command_complete(struct ui *ui, struct candidates *c, const char *text)
{
    const char *args, *word = strrchr(text, ' ');
    const struct command *cmd = command_of(text, &args);

    word = word ? word + 1 : text;
    c->from = (size_t)(word - text);
    if (word != text) {
        if (cmd && cmd->complete)
            cmd->complete(ui, c, word);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        candidate(c, word, commands[i].name);
    for (int a = 1; a < ACTION_COUNT; a++)
        if (action_info(a)->contexts & context_of(ui))
            candidate(c, word, action_info(a)->name);
}

void command_prompt(struct ui *ui)
{
    ui_prompt(ui, ":", "", command_changed, command_done);
    ui->prompt.complete = command_complete;
    ui->prompt.history = &ui->commands;
    command_changed(ui);
}
