/*
 * What main.c, batch.c, console.c and their helpers share. These files are the top of the house:
 * they may use every room, and main() has the only exit.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "privilege.h"
#include "report/report.h"
#include "session/session.h"
#include "ui/ui.h"

enum { EXIT_WELL = 0, EXIT_FOUND = 1, EXIT_USAGE = 2, EXIT_CANNOT = 3 };

/* ---- options.c ---- */
enum program_mode {
    MODE_CONSOLE,
    MODE_BATCH,
    MODE_HELP,
    MODE_VERSION,
    MODE_LIST_CAUSES,
    MODE_EXPLAIN,
    MODE_LIST_INTERFACES,
    MODE_DOCTOR,
    MODE_PRINT_CONFIG,
    MODE_LIST_KEYS,
    MODE_HISTORY,
    MODE_COMPARE
};
enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
#define OPTION_VALUES 24
struct options {
    enum program_mode mode;
    struct settings settings;
    char **headers; /* -H; NULL-terminated */
    size_t nheaders, headers_alloc;
    const char **interfaces;
    size_t interfaces_alloc;
    const char *output, *format, *targets_file, *data_file, *theme, *explain;
    enum color_when color;
    bool ascii, demo, save_asked, no_mouse;
    char *values[OPTION_VALUES]; /* of the settings of config.c, as they were written; NULL: not */
    struct ui_binding *bindings;
    size_t nbindings, bindings_alloc;
    char *config_path; /* where changes are kept; NULL: nowhere */
    char **kept;       /* values that settings point into */
    size_t nkept, kept_alloc;
    bool count_given, rate_given, no_history;
    unsigned days;     /* --days; 0: HISTORY_DAYS */
    const char **logs; /* --log */
    size_t nlogs, logs_alloc;
    char **specs; /* TARGETs, of argv */
    size_t nspecs;
    const char *resume; /* --resume: a saved session */
};
/* 0, or EXIT_USAGE after a line on stderr. */
int options_parse(struct options *o, int argc, char **argv);
/* What needs files: -d @FILE. After privileges were dropped. 0 or an exit status. */
int options_read_files(struct options *o);
void options_release(struct options *o);
void options_help(void);
/* One option by its long name: 0, or -EINVAL with why. */
int options_set(struct options *o, const char *name, const char *value, char *err, size_t errlen);

/* ---- config.c: the configuration file ---- */
/* path NULL: $XDG_CONFIG_HOME/rstconsole/config, which need not be there. 0 or an exit status. */
int config_read(struct options *o, const char *path);
int config_set(struct options *o, const char *name, const char *value, char *err, size_t errlen);
void config_unset(struct options *o, size_t i); /* what the screen shows of it */
int config_note(struct options *o, const char *name, const char *value); /* said on the line */
size_t config_settings(const struct ui_setting **out);
const char *config_get(const struct options *o, size_t i);
const char *config_standard(size_t i); /* without anybody's wish */
/* Puts it into the file, or (value NULL) takes it out. 0 or -errno. */
int config_write(const struct options *o, const char *section, const char *name, const char *value);
int config_print(const struct options *o);
const char *config_plots(const struct options *o); /* NULL: what the terminal can */
void config_release(struct options *o);

/* ---- say.c: stderr ---- */
/* One line that is written over by the next, on a terminal; "" takes it away. */
void say_progress(const char *text);
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* libpcap's message, the expression, and the part of it that still compiles, marked. */
void complain_filter(const char *expr, const char *message, size_t good);

/* ---- info.c: what is printed and done ---- */
int print_version(void);
int print_causes(void);
int print_cause(const char *id);
int print_interfaces(void);
int print_keys(void);
int print_doctor(void); /* what can be seen here, and how to get the rest */

/* ---- targets.c: -t FILE ---- */
int add_targets(struct run *r, const struct options *o); /* 0 or EXIT_USAGE, EXIT_CANNOT */

/* ---- logfile.c: --log FILE ---- */
int read_logs(struct session *s, const struct options *o); /* 0 or EXIT_CANNOT */

/* ---- demo.c: rstfault, the misbehaving servers ---- */
struct demo;
typedef void (*demo_ready_fn)(void *arg, int err, const char *text);
int demo_start(struct demo **out, struct loop *l, struct run *r, demo_ready_fn ready, void *arg);
void demo_free(struct demo *d); /* ends its child */

/* ---- work.c: session, run and demo in their right order ---- */
/* -o can be written, and neither -o nor -w is a file that is read. 0 or an exit status. */
int check_outputs(const struct options *o);
struct work {
    struct loop *loop;
    struct session *session;
    struct run *run;
    struct demo *demo;
    const struct options *options;
    struct signal_watch *signals[5];
    int failed; /* an exit status, or 0 */
};
/* Starts the capture, drops privileges, adds the targets, begins to save. 0 or an exit status. */
int work_start(struct work *w, const struct options *o, run_fn fn, void *arg);
int work_save(struct work *w, char *where, size_t wherelen); /* session and reports */
int work_save_redacted(struct work *w, char *where, size_t wherelen); /* a copy, beside it */
void work_write_reports(const struct session *s); /* into its directory */
void work_end(struct work *w); /* reports beside the session; frees all */

/* ---- past.c: what earlier runs found ---- */
void past_tell(struct work *w, uint32_t from); /* of the targets from this id on */
void past_add(struct work *w);
/* For the History screen. 0 or -errno; history_view_release() it. */
int past_view(struct work *w, struct history_view *v, const char *search);
int print_history(const struct options *o);

/* ---- compare.c ---- */
int print_compare(const struct options *o);

int batch_main(const struct options *o);
int console_main(struct options *o);

#endif
