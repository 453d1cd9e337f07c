/*
 * ui: const session -> canvas -> terminal; one file per screen; only term.c knows curses.
 *
 * Owns: a struct ui owns its canvas, screens' states and the terminal (restored by ui_free, and on
 *   every fatal signal).
 * Invariants: screens read a const struct session and draw to a canvas of cells; nothing is
 *   diagnosed here. Every action has a name and stands in one table that dispatches keys and makes
 *   the help. No cell outside the canvas at any size. Data redraws at most 20 times a second, a key
 *   at once.
 */
#ifndef UI_UI_H
#define UI_UI_H

#include "session/session.h"

struct ui_binding { /* of the configuration's [keys] */
    const char *action, *keys;
};
struct ui_options {
    bool ascii, no_color, mouse;
    const char *theme; /* "default" "light" "high-contrast" "colour-blind" "mono" */
    const char *plots; /* "braille" "blocks" "ascii", NULL: what the terminal can */
    bool guided;       /* open the Diagnosis of the first harmful reset by itself, once */
    const struct ui_binding *bindings;
    size_t nbindings;
};
/* A setting as the Settings screen shows it. */
struct ui_setting {
    const char *name;   /* of the option and in the configuration file */
    const char *group;  /* N_() */
    const char *help;   /* N_() */
    const char *values; /* "none safe all": one of them; NULL: typed */
    bool now;           /* changes at once; else with the next start */
};
/* What the console may do; main provides it (the single writer is session/). */
struct ui_actions {
    void (*answer)(void *arg, uint64_t incident, const char *step, int yes);
    void (*undo)(void *arg, uint64_t incident);
    void (*skip)(void *arg, uint64_t incident, const char *step);
    void (*pause)(void *arg, bool pause);
    void (*probe_now)(void *arg, uint32_t target);
    int (*add_target)(void *arg, const char *spec, char *err, size_t errlen);
    uint64_t (*log_line)(void *arg, const char *text); /* the incident it tells of; 0: none */
    int (*save)(void *arg, char *where, size_t wherelen); /* F2: session and reports */
    int (*save_redacted)(void *arg, char *where, size_t wherelen); /* F4: a redacted copy */
    void (*quit)(void *arg);
    int (*experiment)(void *arg, uint64_t incident, const char *id /* NULL: the planner's */,
                      bool consent, char *err, size_t errlen);
    int (*prove)(void *arg, uint64_t incident, char *err, size_t errlen);
    void (*experiment_cancel)(void *arg);
    void (*experiment_pause)(void *arg, bool pause);
    /* Options of a target: takes t; NULL removes the target. */
    int (*change_target)(void *arg, uint32_t id, struct target *t, char *err, size_t errlen);
    const struct ui_setting *settings;
    size_t nsettings;
    void (*get_setting)(void *arg, size_t i, char *out, size_t outlen);
    /* value NULL: its default; do_it false: only looked at. Written to the configuration file. */
    int (*set_setting)(void *arg, size_t i, const char *value, bool do_it, char *err,
                       size_t errlen);
    int (*save_keys)(void *arg, const char *action, const char *keys, char *err, size_t errlen);
    /* The host as it is now: looked at aside, ui_changed() when it is there; NULL: not yet. */
    const struct host_snapshot *(*host)(void *arg, bool anew);
    /* What earlier runs found; 0: history_view_release() it. */
    int (*history)(void *arg, const char *search, struct history_view *out);
    /* A saved session to compare with; it stays the giver's. */
    int (*other_session)(void *arg, const char *path, const struct session **out, char *err,
                         size_t errlen);
    void *arg;
};
struct ui;
int ui_start(struct ui **out, struct loop *l, const struct session *s,
             const struct ui_actions *actions, const struct ui_options *opt);
void ui_changed(struct ui *ui); /* the session changed: redraw soon */
void ui_draw_soon(struct ui *ui); /* something else did */
void ui_free(struct ui *ui);
/* For golden tests, no tty: the screen after `keys` ("Tab d Enter F2 q" words) at cols x rows. */
int ui_script(struct strbuf *out, const struct session *s, const struct ui_actions *actions,
              const struct ui_options *opt, int cols, int rows, const char *keys);

/* Every action of the console with its keys, for the man page and for [keys]. */
void ui_list_keys(struct strbuf *out);

#endif
