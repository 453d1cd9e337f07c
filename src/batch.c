/* The run without a screen: probe, watch, diagnose, report, exit. */
#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void on_run(void *arg, enum run_event ev)
{
    struct work *w = arg;

    if (ev == RUN_DONE)
        loop_quit(w->loop);
}

static void say_messages(const struct session *s)
{
    for (size_t i = 0; i < s->nmessages; i++)
        complain("%s", s->messages[i].text);
}

static int write_report(const struct options *o, const struct session *s)
{
    const struct report_format *f = report_by_name(o->format);
    int err;

    if (o->output && strcmp(o->output, "-") != 0)
        err = report_to_file(f, s, o->output);
    else
        err = report_to_fd(f, s, STDOUT_FILENO);
    if (!err)
        return 0;
    complain(_("the report cannot be written: %s: %s"), o->output ? o->output : _("stdout"),
             strerror(-err));
    return EXIT_CANNOT;
}

static int finish(const struct options *o, const struct session *s)
{
    say_messages(s);
    int status = write_report(o, s);
    return status ? status : session_exit_status(s);
}

/* A saved session: its inputs are replayed and judged anew. */
static int batch_session(const struct options *o)
{
    struct session *s = NULL;
    char err[300] = "";
    int rc = privilege_drop();

    if (!rc)
        rc = session_load(&s, o->settings.read_file, &o->settings, err, sizeof(err));
    if (rc) {
        complain("%s: %s", o->settings.read_file, err[0] ? err : strerror(-rc));
        return EXIT_CANNOT;
    }
    rc = finish(o, s);
    session_free(s);
    return rc;
}

static int run_failed(const struct options *o, const struct run *r)
{
    const char *error;
    int status = run_exit_status(r, &error);

    if (!status)
        return 0;
    if (status == EXIT_USAGE && o->settings.filter)
        complain_filter(o->settings.filter, error, 0);
    else
        complain("%s", error);
    return status;
}

int batch_main(const struct options *o)
{
    struct work w = {0};
    int status;

    if (o->settings.read_file && session_is_session(o->settings.read_file))
        return batch_session(o);
    status = work_start(&w, o, on_run, &w);
    if (!status && !run_done(w.run))
        loop_run(w.loop);
    if (!status)
        status = w.failed;
    if (!status)
        status = run_failed(o, w.run);
    if (!status)
        status = finish(o, w.session);
    work_end(&w);
    return status;
}
