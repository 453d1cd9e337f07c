/*
 * screen.h: what the screens share: struct ui, the prompt, and the table of screens.
 */
#ifndef UI_SCREEN_H
#define UI_SCREEN_H

#include "ui/action.h"
#include "ui/canvas.h"
#include "ui/filter.h"
#include "ui/lines.h"
#include "ui/term.h"
#include "ui/ui.h"
#include "view/view.h"

/* What a screen is opened on. */
struct place {
    uint64_t incident; /* Diagnosis */
    uint64_t flow;     /* Flow */
    uint64_t packet;   /* Packet; in Flow: where to begin */
    const char *test;  /* Experiments: the one to begin with; NULL */
    int pane;          /* of the console, from 1 */
};
struct screen {
    const char *name;  /* "diagnosis" */
    const char *title; /* N_() */
    unsigned context;  /* IN_ */
    size_t state_size;
    int (*open)(struct ui *ui, void *state, const struct place *at);
    void (*draw)(struct ui *ui, void *state, struct area a);
    bool (*action)(struct ui *ui, void *state, enum action a); /* true: done */
    bool (*click)(struct ui *ui, void *state, int x, int y);   /* NULL: none */
    void (*close)(struct ui *ui, void *state);
    /* NULL where there is none of it: */
    void (*point)(struct ui *ui, void *state, int x, int y);     /* the pane there gets the focus */
    void (*place)(struct ui *ui, void *state, struct place *at); /* for a mark: open() takes it */
    void (*go)(struct ui *ui, void *state, const struct place *at); /* of the first screen alone */
    void (*copy)(struct ui *ui, void *state, struct strbuf *out);   /* nothing: the cursor's rows */
};
/* One file each; console_screen is the first on the stack. */
extern const struct screen console_screen, diagnosis_screen, flow_screen, packet_screen,
    help_screen, experiment_screen, host_screen, targets_screen, settings_screen, charts_screen,
    history_screen, compare_screen;

/* What could stand at the cursor of a prompt. */
#define CANDIDATES_MAX 96
struct candidates {
    size_t from; /* the word begins there */
    size_t n;
    bool more; /* than are listed */
    char words[CANDIDATES_MAX][48];
};
void candidate(struct candidates *c, const char *typed, const char *word); /* if it begins so */

#define PROMPT_LINES 50
struct history {
    char *lines[PROMPT_LINES]; /* oldest first */
    size_t n;
};

#define PROMPT_MAX 2000 /* a line of a log is pasted into it */
struct prompt {
    const char *label; /* NULL: no prompt */
    char text[PROMPT_MAX];
    size_t len, at; /* bytes */
    enum look look;
    char hint[200];                       /* what is wrong with it, or what it means */
    void (*changed)(struct ui *ui);       /* NULL */
    void (*done)(struct ui *ui, bool ok); /* Enter or Esc; text is still there */
    bool one_key;                         /* y or n, no text */
    /* text: what stands before the cursor; NULL: Tab does nothing */
    void (*complete)(struct ui *ui, struct candidates *c, const char *text);
    struct history *history; /* NULL none */
    size_t history_at;       /* from the newest, 0: what is being typed */
};

#define SCREENS_MAX 12
struct open_screen {
    const struct screen *screen;
    void *state;
};
struct mark {
    const struct screen *screen; /* NULL: not set */
    struct place at;
};
#define HINTS_MAX 32
struct ui {
    struct loop *loop;
    const struct session *s;
    struct ui_actions act;
    struct ui_options opt;
    char theme[24];
    struct keymap keys;
    bool ascii, root, script;
    enum plot_kind plots; /* what pictures are made of here */
    struct canvas canvas;
    struct terminal *term;
    struct plain *plain; /* line by line: no screen is drawn; else NULL */
    struct open_screen stack[SCREENS_MAX];
    int depth;
    struct prompt prompt;
    struct history commands, filters;
    struct filter_box filter; /* of the console's lists */
    struct mark marks[52], back_mark;
    enum action letter_for; /* MARK or JUMP: the next key is its letter */
    struct strbuf copied;   /* what was copied last */
    struct {
        int from, to;
        enum action action;
    } hints[HINTS_MAX]; /* where they stand in the last line, for the mouse */
    size_t nhints;
    int clicked_y;            /* of the click before, -1 none: a second one opens */
    char note[240];           /* what the last key did, until the next key */
    enum look note_look;
    char permission[400]; /* the line about capturing, "" none */
    uint64_t asked_incident; /* the experiment whose consent is asked for */
    const char *asked_test;
    char asked[200];         /* the question */
    bool answered;        /* the person told something that is not saved yet */
    bool guided_done, quitting, print_at_end, drawn_once, more_work, draw_armed;
    uint64_t drawn_revision;
    nstime last_draw;
    struct timer *draw_timer, *clock_timer;
    struct watch *input;
    int input_fd; /* of plain */
    struct signal_watch *signals[6];
    size_t nsignals;
};

int ui_open(struct ui *ui, const struct screen *screen, const struct place *at);
void ui_back(struct ui *ui);
void ui_note(struct ui *ui, enum look look, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void ui_prompt(struct ui *ui, const char *label, const char *text, void (*changed)(struct ui *ui),
               void (*done)(struct ui *ui, bool ok));
void ui_ask(struct ui *ui, const char *question, void (*done)(struct ui *ui, bool ok));
void ui_save(struct ui *ui);
bool ui_would_lose(const struct ui *ui); /* by quitting now */
void ui_refresh_permission(struct ui *ui);
void ui_do(struct ui *ui, enum action a);
void ui_copy(struct ui *ui);
void ui_set_theme(struct ui *ui, const char *name);
void ui_set_ascii(struct ui *ui, bool ascii);
void ui_choose_plots(struct ui *ui);
int ui_bind(struct ui *ui, enum action a, const char *words, char *err,
            size_t errlen); /* and saves */
/* A setting by its name; do_it false: only looked at. */
int ui_set(struct ui *ui, const char *name, const char *value, bool do_it, char *err,
           size_t errlen);
void ui_prompt_target(struct ui *ui);
int ui_check_target(const char *spec, char *err, size_t errlen);
int ui_add_target(struct ui *ui, const char *spec, char *err, size_t errlen);
void command_prompt(struct ui *ui);
void marks_begin(struct ui *ui, enum action a);
void marks_letter(struct ui *ui, int code);
int mark_of_packet(const struct ui *ui, uint64_t packet);
void history_add(struct history *h, const char *line);
void history_release(struct history *h);
void ui_open_incident(struct ui *ui, uint64_t incident); /* Diagnosis, or says there is none */
uint64_t reset_same_key(const struct session *s, const struct incident *i);
void ui_open_flow(struct ui *ui, uint64_t flow, uint64_t packet);
void ui_open_packet(struct ui *ui, uint64_t packet);
void ui_open_experiment(struct ui *ui, uint64_t incident, const char *test);
/* Runs it; one that could load or alarm somebody asks first. */
void ui_prove(struct ui *ui, uint64_t incident);
void ui_run_test(struct ui *ui, uint64_t incident, const char *id);
nstime ui_wall(struct ui *ui);
void prompt_draw(struct ui *ui, struct area a);
void prompt_key(struct ui *ui, int code);
bool prompt_open(const struct ui *ui);

/* bars.c: the lines every screen has. */
void top_bar_draw(struct ui *ui, struct area a);
void message_draw(struct ui *ui, struct area a);
void hints_draw(struct ui *ui, struct area a, unsigned context);
/* Frames join where they overlap: draw the lines of all first, the one with focus last. */
void frame_lines(struct area a, bool focus);
void frame_title(struct area a, const char *title, const char *right, bool focus);
struct area frame_inside(struct area a);
struct area frame_draw(struct area a, const char *title, bool focus); /* all of it */
/* "11-20 of 57" at the right of a frame's title line; nothing when all is in sight. */
void range_draw(struct area a, int top, int n, int page);

/* Words and looks the screens agree on. */
enum look grade_look(enum grade g);
const char *grade_title(enum grade g); /* N_() */
const char *harm_word(const struct incident *i);
enum look severity_look(enum fact_severity s);
/* "93 %": a confidence as people read it. */
void percent_text(char *out, size_t outlen, double v);
/* Thousands with commas. */
void count_text(char *out, size_t outlen, uint64_t n);
const char *mark(const struct ui *ui, const char *utf8, const char *ascii);

#endif
