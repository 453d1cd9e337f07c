/* The run without a screen: probe, watch, diagnose, report, exit. */
#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct batch {
    struct work work;
    uint64_t said; /* messages that stand on stderr */
};

/* As they come: a run may last for days. What fell out of the list meanwhile is not made up for. */
static void say_messages(const struct session *s, uint64_t *said)
{
    uint64_t gone = s->messages_ever - s->nmessages;

    for (uint64_t i = MAX_OF(*said, gone); i < s->messages_ever; i++)
        complain("%s", s->messages[i - gone].text);
    *said = s->messages_ever;
}

/* Neither packets nor probes: it would wait for a signal with nothing to see. */
static void end_if_blind(struct work *w)
{
    const struct session *s = w->session;

    if (w->failed || w->options->demo || s->ntargets || !s->settings.live ||
        !s->vantage.capture_error[0] || run_exit_status(w->run, &(const char *){NULL}) ||
        run_sees_sockets(w->run))
        return;
    complain("%s", _("nothing to do: no target, and nothing is captured"));
    w->failed = EXIT_CANNOT;
    run_stop(w->run);
}

static void on_run(void *arg, enum run_event ev)
{
    struct batch *b = arg;

    if (!b->work.run)
        return; /* while it is being started */
    say_messages(b->work.session, &b->said);
    if (ev == RUN_CAPTURE)
        end_if_blind(&b->work);
    if (ev == RUN_DONE)
        loop_quit(b->work.loop);
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

static int finish(const struct options *o, const struct session *s, uint64_t said)
{
    say_messages(s, &said);
    int status = write_report(o, s);
    return status ? status : session_exit_status(s);
}

/* A saved session: its inputs are replayed and judged anew. */
static int batch_session(const struct options *o)
{
    struct session *s = NULL;
    char err[300] = "";
    int rc = privilege_drop(), status = rc ? 0 : check_outputs(o);

    if (status)
        return status;
    if (!rc)
        rc = session_load(&s, o->settings.read_file, &o->settings, err, sizeof(err));
    if (rc) {
        complain("%s: %s", o->settings.read_file, err[0] ? err : strerror(-rc));
        return EXIT_CANNOT;
    }
    rc = finish(o, s, 0);
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
    struct batch b = {.said = 0};
    struct work *w = &b.work;
    int status;

    if (o->settings.read_file && session_is_session(o->settings.read_file))
        return batch_session(o);
    status = work_start(w, o, on_run, &b);
    if (!status)
        end_if_blind(w);
    if (!status && !run_done(w->run))
        loop_run(w->loop);
    if (!status)
        status = w->failed;
    if (!status)
        status = run_failed(o, w->run);
    if (!status)
        status = finish(o, w->session, b.said);
    if (!status && run_lost_capture(w->run)) /* said by then */
        status = EXIT_CANNOT;
    work_end(w);
    return status;
}
