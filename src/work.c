/* A session, what drives it, and the demo: put together in the right order, for console and batch.
 */
#include "program.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_filter(const struct options *o)
{
    const struct settings *st = &o->settings;
    bool any = !st->ninterfaces || strcmp(st->interfaces[0], "any") == 0;
    char err[256] = "";
    size_t good = 0;

    if (!st->filter)
        return 0;
    if (!filter_check(st->filter, st->live && any ? LINK_LINUX_SLL2 : LINK_EN10MB, true, err,
                      sizeof(err), &good))
        return 0;
    complain_filter(st->filter, err, good);
    return EXIT_USAGE;
}

static void on_signal(void *arg, int signo)
{
    struct work *w = arg;

    if (!w->run)
        return;
    if (w->options->settings.command) {
        /* From the terminal it has reached COMMAND already, which is of our group. */
        bool typed =
            signo == SIGINT && isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
        if (typed ? run_command_status(w->run) < 0 : run_command_signal(w->run, signo))
            return;
    }
    run_stop(w->run);
}

static void watch_signals(struct work *w)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
    size_t n = w->options->settings.command ? ARRAY_SIZE(signals) : 3;

    for (size_t i = 0; i < n; i++)
        w->signals[i] = loop_signal(w->loop, signals[i], on_signal, w);
}

static void fail(struct work *w, int status)
{
    if (!w->failed)
        w->failed = status;
    if (w->run)
        run_stop(w->run);
}

static void begin_to_save(struct work *w)
{
    char err[256] = "";

    if (!w->session->settings.save)
        return;
    if (session_save_begin(w->session, NULL, err, sizeof(err)) && !w->session->dir[0])
        session_message(w->session, MSG_WARN, _("the session is not saved: %s"), err);
}

/* The targets are known: from here on there is something to keep. */
static void go(struct work *w)
{
    begin_to_save(w);
    past_tell(w, 1);
    int err = run_go(w->run);

    if (!err)
        return;
    complain("%s: %s", w->options->settings.write_file, strerror(-err));
    fail(w, EXIT_CANNOT);
}

static void on_demo_ready(void *arg, int err, const char *text)
{
    struct work *w = arg;

    if (err) {
        complain("%s", text);
        fail(w, EXIT_CANNOT);
        return;
    }
    go(w);
}

static int start_run(struct work *w, run_fn fn, void *arg)
{
    char err[512] = "";
    int status = 0;

    if (run_start(&w->run, w->loop, w->session, fn, arg, err, sizeof(err), &status) == 0)
        return 0;
    if (status == EXIT_USAGE && w->options->settings.filter)
        complain_filter(w->options->settings.filter, err, 0);
    else
        complain("%s", err);
    return status ? status : EXIT_CANNOT;
}

static int drop(void)
{
    int err = privilege_drop();

    if (!err)
        return 0;
    complain(_("cannot become the user this was started for: %s"), strerror(-err));
    return EXIT_CANNOT;
}

static bool same_file(const char *a, const char *b)
{
    struct stat sa, sb;

    return a && b && stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
           sa.st_ino == sb.st_ino && (S_ISREG(sa.st_mode) || S_ISDIR(sa.st_mode));
}

/* Whether the report can be put there is better known before the work than after it. */
static int check_report_place(const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        complain(_("the report cannot be written: %s: %s"), path, strerror(EISDIR));
        return EXIT_CANNOT;
    }
    snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    if (eaccess(stat(path, &st) == 0 && !S_ISREG(st.st_mode) ? path : dir, W_OK) == 0)
        return 0;
    complain(_("the report cannot be written: %s: %s"), path, strerror(errno));
    return EXIT_CANNOT;
}

int check_outputs(const struct options *o)
{
    const char *in = o->settings.read_file, *packets = o->settings.write_file, *report = o->output;

    if (report && strcmp(report, "-") == 0)
        report = NULL;
    if (same_file(in, packets) || same_file(in, report)) {
        complain(_("%s: it is what -r reads, and would be overwritten"), in);
        return EXIT_USAGE;
    }
    if (same_file(packets, report) || (packets && report && strcmp(packets, report) == 0)) {
        complain(_("%s: -w and -o are one file"), packets);
        return EXIT_USAGE;
    }
    return report ? check_report_place(report) : 0;
}

/* Only the helper is started with the rights we came with; a file is opened by the user. */
static int start_privileged(struct work *w, run_fn fn, void *arg)
{
    int rc = w->options->settings.live ? start_run(w, fn, arg) : 0;

    rc = rc ? rc : drop();
    return rc || w->run ? rc : start_run(w, fn, arg);
}

/* Thousands of probes need as many descriptors; what the system allows may be taken unasked. */
static void raise_files(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur >= r.rlim_max)
        return;
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
}

int work_start(struct work *w, const struct options *o, run_fn fn, void *arg)
{
    int rc = check_filter(o);

    if (rc)
        return rc;
    w->options = o;
    raise_files();
    w->loop = loop_new();
    w->session = w->loop ? session_new(&o->settings) : NULL;
    if (!w->session) {
        complain("%s", strerror(ENOMEM));
        return EXIT_CANNOT;
    }
    rc = start_privileged(w, fn, arg);
    if (rc)
        return rc;
    rc = options_read_files((struct options *)o);
    if (rc)
        return rc;
    rc = check_outputs(o);
    if (rc)
        return rc;
    w->session->settings.defaults = o->settings.defaults;
    watch_signals(w);
    if (!o->demo) {
        rc = add_targets(w->run, o);
        rc = rc ? rc : read_logs(w->session, o);
        if (!rc)
            go(w);
        return rc ? rc : w->failed;
    }
    rc = demo_start(&w->demo, w->loop, w->run, on_demo_ready, w);
    if (rc)
        complain(_("the demo's servers (rstfault) cannot be started: %s"), strerror(-rc));
    return rc ? EXIT_CANNOT : 0;
}

void work_write_reports(const struct session *s)
{
    char path[600];

    for (size_t i = 0; i < report_count(); i++) {
        const struct report_format *f = report_at(i);
        if (strcmp(f->name, "jsonl") == 0)
            continue; /* for pipes; the same as json */
        snprintf(path, sizeof(path), "%s/report.%s", s->dir, f->suffix);
        int err = report_to_file(f, s, path);
        if (err)
            complain("%s: %s", path, strerror(-err));
    }
}

/* Beside a session that is redacted as it is written stand reports of what is written. */
static void write_reports(struct session *s, bool redact)
{
    struct session *copy = NULL;
    char err[300] = "";

    if (!redact || s->redacted) {
        work_write_reports(s);
        return;
    }
    if (session_redacted_copy(&copy, s, NULL, err, sizeof(err))) {
        complain(_("it cannot be redacted: %s"), err);
        return;
    }
    snprintf(copy->dir, sizeof(copy->dir), "%s", s->dir);
    work_write_reports(copy);
    session_free(copy);
}

int work_save_redacted(struct work *w, char *where, size_t wherelen)
{
    struct session *copy = NULL;
    char err[300] = "";
    int rc = session_redacted_copy(&copy, w->session, "", err, sizeof(err));

    if (rc) {
        snprintf(where, wherelen, "%s", err);
        return rc;
    }
    rc = session_is_saved(copy) ? session_save_end(copy) : -EIO;
    if (!rc)
        work_write_reports(copy);
    if (rc && copy->nmessages)
        snprintf(where, wherelen, "%s", copy->messages[copy->nmessages - 1].text);
    else
        snprintf(where, wherelen, "%s", rc ? strerror(-rc) : copy->dir);
    session_free(copy);
    return rc;
}

int work_save(struct work *w, char *where, size_t wherelen)
{
    struct session *s = w->session;
    char err[256] = "";
    int rc = session_save_begin(s, NULL, err, sizeof(err));

    if (rc) {
        snprintf(where, wherelen, "%s", err);
        return rc;
    }
    rc = session_save_sync(s);
    if (!rc) {
        write_reports(s, s->settings.redact);
        s->dirty = false;
    }
    snprintf(where, wherelen, "%s", rc ? strerror(-rc) : s->dir);
    return rc;
}

void work_end(struct work *w)
{
    demo_free(w->demo);
    for (size_t i = 0; i < ARRAY_SIZE(w->signals); i++)
        signal_watch_stop(w->signals[i]);
    const char *error;
    bool failed = w->failed || (w->run && run_exit_status(w->run, &error));
    run_free(w->run);
    if (w->session && failed) {
        session_save_discard(w->session);
    } else if (w->session && session_is_saved(w->session) && w->session->finished) {
        write_reports(w->session, w->session->settings.redact);
        session_save_end(w->session);
    }
    if (w->session && !failed && w->session->finished && w->options)
        if (!w->session->settings.redact) /* it would keep the names */
            past_add(w);
    session_free(w->session);
    loop_free(w->loop);
    memset(w, 0, sizeof(*w));
}
