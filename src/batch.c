/* The run without a screen: probe, watch, diagnose, report, exit. */
#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROGRESS_EVERY (250 * NS_PER_MS)

struct batch {
    struct work work;
    uint64_t said; /* messages that stand on stderr */
    struct timer *progress;
    struct report_feed *feed; /* jsonl to stdout; NULL: the report comes at the end */
};

/* How far it is, where somebody sits in front of it. */
static void on_progress(void *arg)
{
    const struct batch *b = arg;
    const struct session *s = b->work.session;
    struct strbuf text = STRBUF_INIT;
    uint64_t done = 0, started = 0;
    uint32_t round = 0;

    for (size_t i = 0; i < s->ntargets; i++) {
        started += s->targets[i].rounds_started;
        done += s->targets[i].rounds_done;
        round = MAX_OF(round, s->targets[i].rounds_started);
    }
    if (!round)
        return;
    done -= MIN_OF(done, (uint64_t)(round - 1) * s->ntargets);
    strbuf_addf(&text, _("round %u: %llu of %zu targets probed, %llu stages failed so far"), round,
                (unsigned long long)done, s->ntargets, (unsigned long long)s->failed_probes);
    if (!text.err && started)
        say_progress(text.buf);
    strbuf_release(&text);
}

static void begin_progress(struct batch *b)
{
    if (isatty(STDERR_FILENO) && b->work.session->ntargets)
        b->progress = loop_timer(b->work.loop, PROGRESS_EVERY, PROGRESS_EVERY, on_progress, b);
}

static void end_progress(struct batch *b)
{
    timer_stop(b->progress);
    b->progress = NULL;
    say_progress("");
}

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
    if (b->feed && ev != RUN_CAPTURE)
        report_feed_more(b->feed, ev == RUN_ROUND_OVER);
    if (ev == RUN_CAPTURE)
        end_if_blind(&b->work);
    if (ev == RUN_DONE)
        loop_quit(b->work.loop);
}

static int report_failed(const struct options *o, int err)
{
    complain(_("the report cannot be written: %s: %s"), o->output ? o->output : _("stdout"),
             strerror(-err));
    return EXIT_CANNOT;
}

static int report_fd(const struct options *o)
{
    return o->settings.command ? STDERR_FILENO : STDOUT_FILENO; /* stdout is COMMAND's */
}

/* Where packets or probes are watched, their lines come as they are found. */
static void begin_feed(struct batch *b)
{
    const struct options *o = b->work.options;
    bool to_stdout = !o->output || strcmp(o->output, "-") == 0;

    if (to_stdout && !o->settings.read_file && !o->settings.redact &&
        strcmp(o->format, "jsonl") == 0)
        report_feed_begin(&b->feed, b->work.session, report_fd(o));
}

static int write_report(const struct options *o, const struct session *s)
{
    const struct report_format *f = report_by_name(o->format);
    int err;

    if (o->output && strcmp(o->output, "-") != 0)
        err = report_to_file(f, s, o->output);
    else
        err = report_to_fd(f, s, report_fd(o));
    if (!err)
        return 0;
    return report_failed(o, err);
}

static int finish_feed(const struct options *o, struct batch *b)
{
    int err = report_feed_end(b->feed);

    b->feed = NULL;
    return err ? report_failed(o, err) : 0;
}

/* What was watched is redacted as it was saved; what was read had been redacted before. */
static int write_redacted(const struct options *o, struct session *s)
{
    struct session *copy = NULL;
    char err[300] = "";

    if (session_redacted_copy(&copy, s, NULL, err, sizeof(err))) {
        complain(_("it cannot be redacted: %s"), err);
        return EXIT_CANNOT;
    }
    int status = write_report(o, copy);
    session_free(copy);
    return status;
}

static int finish(const struct options *o, struct session *s, uint64_t said, struct batch *b)
{
    int status;

    say_messages(s, &said);
    if (b && b->feed)
        status = finish_feed(o, b);
    else if (o->settings.redact && !s->redacted)
        status = write_redacted(o, s);
    else
        status = write_report(o, s);
    return status ? status : session_exit_status(s);
}

/* COMMAND's own status comes first: who runs it under us must not be told otherwise. */
static int command_first(const struct run *r, int status)
{
    int own = r ? run_command_status(r) : -1;

    return own > 0 ? own : status;
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
    rc = read_logs(s, o);
    session_judge(s);
    rc = rc ? rc : finish(o, s, 0, NULL);
    if (session_is_saved(s)) {
        work_write_reports(s);
        session_save_end(s);
    }
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
    if (!status && o->nlogs && !w->session->ntargets && !o->settings.live &&
        !o->settings.read_file && !o->demo && !o->settings.command && !o->settings.duration)
        run_stop(w->run); /* a log alone: it has been read */
    if (!status && !run_done(w->run)) {
        begin_progress(&b);
        begin_feed(&b);
        loop_run(w->loop);
        end_progress(&b);
    }
    if (!status)
        status = w->failed;
    if (!status)
        status = run_failed(o, w->run);
    if (!status)
        status = finish(o, w->session, b.said, &b);
    if (!status && run_lost_capture(w->run)) /* said by then */
        status = EXIT_CANNOT;
    report_feed_end(b.feed);
    status = command_first(w->run, status);
    work_end(w);
    return status;
}
