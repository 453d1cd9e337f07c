/*
 * What drives a session: the capture helper first, then rounds of probes; packets later than a
 * result arrive before it is judged; at the end the capture is drained (design.md 3).
 */
#include "session/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READY_WAIT  (2 * NS_PER_SEC)
#define DRAIN_WAIT  (3 * NS_PER_SEC)
#define JUDGE_SLICE 64
#define START_SLICE (3 * NS_PER_MS)
#define HELPER_WAIT (500 * NS_PER_MS) /* for what rstconsole-host still has to say */
#define HELPER_LOOK (10 * NS_PER_MS)
/* After a reset packets of the side it speaks for are still on their way, if somebody else made it:
 * so many round trips are waited for them, no less and no more than this. */
#define AFTERMATH_RTTS  2
#define AFTERMATH_LEAST (50 * NS_PER_MS)
#define AFTERMATH_MOST  NS_PER_SEC

static void begin_if_ready(struct run *r);
static void begin_round(struct run *r);
static void after_settled(void *arg);
static void finish(struct run *r);

static void set_state(struct run *r, enum run_state st)
{
    static const char *const names[] = {
        "waiting ready", "watching",       "round",  "settling",  "repeating",
        "experiments",   "between rounds", "ending", "finishing", "ended"};

    log_msg(LOG_DEBUG, "run: %s -> %s", names[r->state], names[st]);
    r->state = st;
}

static void tell(struct run *r, enum run_event ev)
{
    r->told_revision = r->s->revision;
    if (r->fn)
        r->fn(r->arg, ev);
}

static void wait_for(struct run *r, nstime after, timer_fn fn)
{
    timer_stop(r->wait);
    r->wait = loop_timer(r->loop, after, 0, fn, r);
}

/* ---- the capture ---- */

static void take_stats(struct run *r)
{
    const char *names[8];
    size_t n = MIN_OF(capture_interfaces(r->capture), ARRAY_SIZE(names));

    for (size_t i = 0; i < n; i++)
        names[i] = capture_interface(r->capture, i);
    session_capture(r->s, capture_get_stats(r->capture), names, n);
}

static void on_record(void *arg, const struct record *rec, void *made)
{
    struct run *r = arg;
    struct record space;

    session_made_record(r->s, rec, made);
    if (!r->write)
        return;
    rec = redacted_record(r->s, rec, &space);
    const char *name = rec->interface < capture_interfaces(r->capture)
                           ? capture_interface(r->capture, rec->interface)
                           : "";
    int err = write_file_add(r->write, rec, name);
    if (err) {
        session_message(r->s, MSG_ERROR, "%s: %s", r->s->settings.write_file, strerror(-err));
        write_file_close(r->write);
        r->write = NULL;
    }
}

static void make(const void *arg, const struct record *rec, void *made)
{
    flow_make_ready(made, rec, *(const uint64_t *)arg);
}

static void on_soon(void *arg, const void *made)
{
    flow_table_soon(((struct run *)arg)->s->flows, made);
}

static void fail(struct run *r, int status, const char *text)
{
    if (!r->exit_status) {
        r->exit_status = status;
        snprintf(r->error, sizeof(r->error), "%s", text);
    }
}

/* A capture that broke off: what it brought is kept, and probes go on without it. */
static void live_lost(struct run *r, const char *text)
{
    session_message(r->s, MSG_ERROR, _("the capture has ended: %s"), text);
    r->lost = true;
    if (r->s->ntargets == 0)
        run_stop(r);
}

/* A live capture that cannot be had: fatal only where -i asked for it. */
static void live_failed(struct run *r, enum capture_error kind, const char *text)
{
    struct strbuf hint = STRBUF_INIT;

    session_capture_failed(r->s, kind, text);
    if (kind == CAPERR_FILTER) {
        fail(r, 2, text);
    } else if (r->s->settings.interface_asked) {
        fail(r, 3, text);
    } else {
        if (kind == CAPERR_PERMISSION && !strstr(text, "setcap"))
            capture_permission_hint(&hint);
        session_message(r->s, MSG_WARN, _("no packets are captured: %s"), text);
        if (hint.len && !hint.err && !strstr(text, hint.buf))
            session_message(r->s, MSG_INFO, _("to permit it: %s"), hint.buf);
        strbuf_release(&hint);
    }
    if (r->exit_status)
        run_stop(r);
}

static void file_failed(struct run *r, enum capture_error kind, const char *text)
{
    if (r->s->vantage.packets == 0)
        fail(r, kind == CAPERR_FILTER ? 2 : 3, text);
    else
        session_message(r->s, MSG_WARN, _("the file is damaged after packet %llu: %s"),
                        (unsigned long long)r->s->vantage.packets, text);
}

static void on_capture_state(void *arg, enum capture_state state, enum capture_error err,
                             const char *text)
{
    struct run *r = arg;

    if (r->state >= RUN_FINISHING)
        return;
    r->had_capture |= state == CAPTURE_READY;
    if (state == CAPTURE_READY || state == CAPTURE_ENDED)
        take_stats(r);
    if (state == CAPTURE_FAILED && r->s->settings.read_file)
        file_failed(r, err, text);
    else if (state == CAPTURE_FAILED && r->had_capture)
        live_lost(r, text);
    else if (state == CAPTURE_FAILED)
        live_failed(r, err, text);
    tell(r, RUN_CAPTURE);
    if (state == CAPTURE_READY || state == CAPTURE_FAILED) {
        r->ready = true;
        begin_if_ready(r);
    }
    if (state != CAPTURE_ENDED && state != CAPTURE_FAILED)
        return;
    if (state == CAPTURE_ENDED && err != CAPERR_NONE && r->s->settings.read_file)
        session_message(r->s, MSG_WARN, "%s", text);
    if (r->s->settings.read_file || r->state == RUN_ENDING)
        finish(r);
    else if (state == CAPTURE_ENDED)
        live_lost(r, _("its helper has ended"));
}

static int open_capture(struct run *r, char *err, size_t errlen, int *exit_status)
{
    const struct settings *st = &r->s->settings;
    struct capture_callbacks cb = {
        .on_record = on_record,
        .on_state = on_capture_state,
        .arg = r,
        .make = make,
        .make_arg = &r->flow_key,
        .made_size = sizeof(struct flow_ready),
        .on_soon = on_soon,
    };
    enum capture_error kind = CAPERR_NONE;
    int rc;

    r->flow_key = flow_table_key(r->s->flows);
    if (st->read_file) {
        rc = capture_open_file(&r->capture, r->loop, st->read_file, st->filter, &cb, err, errlen,
                               &kind);
        if (rc)
            *exit_status = kind == CAPERR_FILTER ? 2 : 3;
        return rc;
    }
    if (!st->live) {
        r->ready = true;
        return 0;
    }
    r->wanted_capture = true;
    rc = capture_open_live(&r->capture, r->loop, st->interfaces, st->ninterfaces, st->filter, &cb);
    if (rc) {
        r->ready = true;
        live_failed(r, CAPERR_HELPER, strerror(-rc));
        if (r->exit_status) {
            snprintf(err, errlen, "%s", r->error);
            *exit_status = r->exit_status;
            return rc;
        }
    }
    return 0;
}

/* ---- the tick ---- */

struct sync_job {
    int fds[2];
    unsigned *running;
};

static void sync_work(void *arg)
{
    struct sync_job *job = arg;

    for (int i = 0; i < 2; i++) {
        if (job->fds[i] < 0)
            continue;
        if (fdatasync(job->fds[i]) < 0)
            job->fds[i] = (close(job->fds[i]), -1);
        else
            close(job->fds[i]);
    }
}

static void sync_done(void *arg)
{
    free(arg);
}

static void sync_aside(struct run *r)
{
    struct sync_job *job;

    if (session_save_sync(r->s))
        return;
    job = calloc(1, sizeof(*job));
    if (!job)
        return;
    if (save_dup_fds(r->s, job->fds)) {
        free(job);
        return;
    }
    if (loop_aside(r->loop, sync_work, sync_done, job)) {
        sync_work(job);
        free(job);
    }
}

static void on_ending(void *arg, const struct host_ending *e)
{
    struct run *r = arg;

    if (e->owner.pid != getpid()) /* our probes' results tell more */
        session_ending(r->s, e);
}

static void forget_gone(struct run *r, const struct addr *a)
{
    for (size_t i = 0; i < r->ngone; i++)
        if (addr_equal(&r->gone[i], a))
            r->gone[i--] = r->gone[--r->ngone];
}

static void on_change(void *arg, const struct host_change *c)
{
    struct run *r = arg;
    char text[ADDR_TEXT_MAX];

    switch (c->kind) {
    case CHANGE_LINK_DOWN:
        session_message(r->s, MSG_WARN, _("the link %s went down"), c->link);
        break;
    case CHANGE_ADDRESS_GONE:
        forget_gone(r, &c->address);
        if (r->ngone < ARRAY_SIZE(r->gone))
            r->gone[r->ngone++] = c->address;
        session_message(r->s, MSG_WARN, _("the address %s left this host"),
                        addr_text(text, &c->address));
        break;
    case CHANGE_ADDRESS_NEW: forget_gone(r, &c->address); break;
    case CHANGE_ROUTE_GONE:
        session_message(r->s, MSG_WARN, "%s", _("a default route of this host is gone"));
        break;
    default: break;
    }
}

static void start_sockets(struct run *r)
{
    const struct host_watch_callbacks cb = {on_ending, r};
    int err;

    r->changes = host_changes_start(r->loop, on_change, r); /* without it nothing fails */
    r->sockets = host_watch_start(r->loop, &cb, &err);
    if (!r->sockets)
        session_message(r->s, MSG_WARN, _("this host's sockets cannot be watched: %s"),
                        strerror(-err));
}

/* What ended just now is told before the end. */
static void stop_sockets(struct run *r)
{
    host_watch_flush(r->sockets);
    session_nameless(r->s, host_watch_nameless(r->sockets));
    host_watch_free(r->sockets);
    r->sockets = NULL;
}

/* Fewer at once than asked for, or than targets could use: said once. */
static void say_limits(struct run *r)
{
    unsigned limit = prober_limit(r->prober), wanted = r->s->settings.max_connections;

    if (wanted ? limit < wanted : limit < MIN_OF(r->s->ntargets, 10000))
        session_message(r->s, MSG_WARN,
                        _("at most %u connections at once: more files may not be open (ulimit -n)"),
                        limit);
}

static void say_short_of_files(struct run *r)
{
    if (r->said_files || !r->prober || !prober_short_of_files(r->prober))
        return;
    r->said_files = true;
    session_message(r->s, MSG_WARN, "%s",
                    _("no file descriptor was left: connections wait until others have ended"));
}

static void on_tick(void *arg)
{
    struct run *r = arg;

    r->ticks++;
    if (r->ticks % 10 == 0)
        session_nameless(r->s, host_watch_nameless(r->sockets));
    say_short_of_files(r);
    if (!r->s->settings.read_file)
        doubt_sample(r);
    privileged_tick(r);
    if (r->capture && r->ticks % 10 == 0)
        take_stats(r);
    if (r->ticks % 20 == 0)
        sync_aside(r);
    session_judge_some(r->s, JUDGE_SLICE);
    if (r->s->revision != r->told_revision)
        tell(r, RUN_CHANGED);
}

/* ---- probes ---- */

static void on_chain(void *arg, uint32_t target, uint64_t chain, const struct flow_key *flow)
{
    struct run *r = arg;

    session_chain(r->s, target, chain, flow);
}

static void note_aftermath(struct run *r, const struct result *res)
{
    nstime rtt = res->timings[TIMING_CONNECT], wait;

    if (res->failure != FAIL_RESET && res->failure != FAIL_BROKEN_PIPE &&
        res->failure != FAIL_REFUSED)
        return;
    wait = rtt == NSTIME_NONE ? AFTERMATH_LEAST : AFTERMATH_RTTS * rtt;
    wait = MIN_OF(MAX_OF(wait, AFTERMATH_LEAST), AFTERMATH_MOST);
    r->aftermath = MAX_OF(r->aftermath, loop_now(r->loop) + wait);
}

static void on_result(void *arg, struct result *res)
{
    struct run *r = arg;

    session_result(r->s, res); /* it may be gone by the cap, never this one */
    const struct result *kept = session_result_by_id(r->s, r->s->nresults);
    if (kept == res) {
        doubt_result(r, kept);
        note_aftermath(r, kept);
    }
    tell(r, RUN_RESULT);
}

static void settle_capture(void *arg)
{
    struct run *r = arg;

    if (r->state != RUN_SETTLING)
        return;
    if (r->capture && capture_get_state(r->capture) == CAPTURE_READY)
        capture_settle(r->capture, after_settled, r);
    else
        after_settled(r);
}

static void settle(struct run *r)
{
    nstime wait = r->aftermath - loop_now(r->loop);

    set_state(r, RUN_SETTLING);
    if (wait > 0 && r->capture && capture_get_state(r->capture) == CAPTURE_READY)
        wait_for(r, wait, settle_capture);
    else
        settle_capture(r);
}

static void on_done(void *arg, uint32_t target, uint32_t round)
{
    struct run *r = arg;

    (void)round;
    if (r->doubt.running) {
        doubt_repeat_done(r);
    } else {
        if (target && target <= r->s->ntargets)
            r->s->targets[target - 1].rounds_done++;
        if (r->outstanding)
            r->outstanding--;
    }
    if (!r->outstanding && (r->state == RUN_ROUND || r->state == RUN_REPEATING))
        settle(r);
}

struct probe_callbacks run_callbacks(struct run *r)
{
    return (struct probe_callbacks){on_chain, on_result, on_done, r};
}

static void start_target(struct run *r, struct target_state *ts)
{
    struct probe_callbacks cb = run_callbacks(r);

    r->outstanding++; /* before: on_done may come at once */
    ts->rounds_started++;
    int err = prober_start(r->prober, ts->target, ts->rounds_started, false, &cb);
    if (!err)
        return;
    r->outstanding--;
    ts->rounds_done++;
    session_message(r->s, MSG_ERROR, "%s: %s", ts->target->name, strerror(-err));
    fail(r, 3, strerror(-err));
}

/* Thousands at once would hold up the keys and the packets: a slice, then the loop has its turn. */
static void start_some(void *arg)
{
    struct run *r = arg;
    nstime until = loop_clock() + START_SLICE;

    if (r->state != RUN_ROUND)
        return;
    for (; r->starting < r->s->ntargets; r->starting++) {
        if (loop_clock() >= until) {
            wait_for(r, 0, start_some);
            return;
        }
        if (!r->s->targets[r->starting].removed)
            start_target(r, &r->s->targets[r->starting]);
    }
    if (--r->outstanding == 0)
        settle(r);
}

static void begin_round(struct run *r)
{
    set_state(r, RUN_ROUND);
    r->again = false;
    r->round++;
    r->round_began = loop_now(r->loop);
    r->outstanding++; /* holds the round open while it is being started */
    r->starting = 0;
    tell(r, RUN_CHANGED);
    start_some(r);
}

static void on_next_round(void *arg)
{
    struct run *r = arg;

    if (r->s->paused)
        return;
    begin_round(r);
}

static void round_over(struct run *r)
{
    const struct settings *st = &r->s->settings;
    nstime next = r->round_began + st->interval - loop_now(r->loop);

    tell(r, RUN_ROUND_OVER);
    if (r->stopping || (st->rounds && r->round >= st->rounds && !r->again)) {
        r->stopping = false;
        run_stop(r);
        return;
    }
    set_state(r, RUN_PAUSING);
    wait_for(r, r->again ? 0 : MAX_OF(next, 0), on_next_round);
}

/* What the privileged helper is asked about incidents is awaited, but not for ever. */
static bool wait_for_helper(struct run *r, timer_fn again)
{
    nstime now = loop_now(r->loop);

    if (!privileged_busy(r)) {
        r->privileged_since = 0;
        return false;
    }
    if (!r->privileged_since)
        r->privileged_since = now;
    if (now - r->privileged_since > HELPER_WAIT)
        return false;
    wait_for(r, HELPER_LOOK, again);
    return true;
}

/* Packets later than the results are here: judge, then repeat what is doubtful. */
static void after_settled(void *arg)
{
    struct run *r = arg;

    if (r->state != RUN_SETTLING || wait_for_helper(r, after_settled))
        return;
    if (r->capture)
        take_stats(r);
    doubt_sample(r);
    session_judge(r->s);
    tell(r, RUN_CHANGED);
    set_state(r, RUN_REPEATING);
    if (!r->stopping && doubt_repeat_next(r))
        return;
    set_state(r, RUN_EXPERIMENTS);
    if (r->stopping || !explore_next(r))
        round_over(r);
}

/* The packets that the last experiment drew are awaited as those of a round are. */
void run_explored(struct run *r)
{
    if (r->state == RUN_EXPERIMENTS)
        settle(r);
}

void run_tell_changed(struct run *r)
{
    tell(r, RUN_CHANGED);
}

/* ---- COMMAND ---- */

static void on_settled_command(void *arg)
{
    run_stop(arg);
}

static void on_command_exit(void *arg, int exit_status, int term_signal)
{
    struct run *r = arg;
    uint64_t unseen;

    r->command_status = term_signal ? 128 + term_signal : exit_status;
    if (host_command_calls(r->command, &unseen) && unseen)
        session_message(
            r->s, MSG_WARN,
            _("%llu calls of COMMAND could not be looked at: connections may be missed"),
            (unsigned long long)unseen);
    wait_for(r, 2 * TICK, on_settled_command); /* what it closed last is told within a tick */
}

static void start_command(struct run *r)
{
    char *const *argv = r->s->settings.command;
    char shown[200];
    int no_filter = 0;

    if (!r->sockets) {
        fail(r, 3, _("COMMAND cannot be watched: this host's sockets are not to be seen"));
        run_stop(r);
        return;
    }
    int err =
        host_command_start(&r->command, r->loop, argv, r->sockets, on_command_exit, r, &no_filter);
    if (err) {
        char text[300];
        snprintf(text, sizeof(text), "%s: %s",
                 text_clean(shown, sizeof(shown), argv[0], strlen(argv[0])), strerror(-err));
        r->command_status = err == -ENOENT ? 127 : 126;
        fail(r, r->command_status, text);
        run_stop(r);
        return;
    }
    if (no_filter) {
        host_watch_command(r->sockets, r->command);
        session_message(r->s, MSG_WARN,
                        _("COMMAND's connects cannot be seen as they happen (%s): its sockets are "
                          "polled, short connections may be missed"),
                        strerror(-no_filter));
    } else {
        session_message(r->s, MSG_INFO, "%s",
                        _("COMMAND runs with no_new_privs: set-user-ID programs and file "
                          "capabilities give it no rights"));
    }
}

int run_command_status(const struct run *r)
{
    return r->command_status;
}

bool run_command_signal(struct run *r, int signo)
{
    return r->command && host_command_signal(r->command, signo) == 0;
}

static void on_ready_late(void *arg)
{
    struct run *r = arg;

    if (!r->ready)
        session_message(r->s, MSG_WARN,
                        _("the capture is not ready after 2 s: going on without it"));
    r->ready = true;
    privileged_give_up(r);
    begin_if_ready(r);
}

void privileged_ready(struct run *r)
{
    begin_if_ready(r);
}

static void begin_if_ready(struct run *r)
{
    if (r->state != RUN_WAITING_READY || !r->go || !r->ready || r->exit_status ||
        !privileged_is_ready(r))
        return;
    timer_stop(r->wait);
    r->wait = NULL;
    if (r->s->settings.command && !r->s->settings.read_file) {
        set_state(r, RUN_WATCHING);
        start_command(r);
    } else if (r->s->ntargets && r->prober) {
        say_limits(r);
        begin_round(r);
    } else {
        set_state(r, RUN_WATCHING);
    }
}

/* ---- the end ---- */

static void ended(struct run *r)
{
    set_state(r, RUN_ENDED);
    timer_stop(r->wait);
    timer_stop(r->tick);
    timer_stop(r->deadline);
    r->wait = r->tick = r->deadline = NULL;
    session_finish(r->s);
    int err = write_file_close(r->write);
    r->write = NULL;
    if (err)
        session_message(r->s, MSG_ERROR, "%s: %s", r->s->settings.write_file, strerror(-err));
    session_save_sync(r->s);
    tell(r, RUN_DONE);
}

/* On a screen much to judge is judged piece by piece: keys are answered meanwhile. */
static void judge_rest(void *arg)
{
    struct run *r = arg;

    if (wait_for_helper(r, judge_rest))
        return;
    if (r->s->settings.keep_packets && session_judge_some(r->s, JUDGE_SLICE))
        wait_for(r, 0, judge_rest);
    else
        ended(r);
}

static void finish(struct run *r)
{
    if (r->state == RUN_FINISHING || r->state == RUN_ENDED)
        return;
    set_state(r, RUN_FINISHING);
    if (r->capture)
        take_stats(r);
    if (!r->s->settings.read_file)
        doubt_sample(r);
    stop_sockets(r);
    session_input_ended(r->s);
    judge_rest(r);
}

static void on_drain_late(void *arg)
{
    struct run *r = arg;

    session_message(r->s, MSG_WARN, _("the capture helper did not end in time"));
    finish(r);
}

static void on_ended_aside(void *arg)
{
    finish(arg);
}

void run_stop(struct run *r)
{
    if (r->stopping || r->state >= RUN_ENDING)
        return;
    r->stopping = true;
    set_state(r, RUN_ENDING);
    if (r->prober)
        prober_cancel(r->prober);
    explore_cancel(r);
    enum capture_state st = r->capture ? capture_get_state(r->capture) : CAPTURE_ENDED;
    if (st == CAPTURE_STARTING || st == CAPTURE_READY) {
        wait_for(r, DRAIN_WAIT, on_drain_late);
        capture_stop(r->capture);
        return;
    }
    wait_for(r, 0, on_ended_aside); /* never from inside the caller's callback */
}

static void on_deadline(void *arg)
{
    run_stop(arg);
}

bool run_sees_sockets(const struct run *r)
{
    return r->sockets != NULL;
}

bool run_done(const struct run *r)
{
    return r->state == RUN_ENDED;
}

bool run_lost_capture(const struct run *r)
{
    return r->lost && r->s->settings.interface_asked;
}

int run_exit_status(const struct run *r, const char **error)
{
    *error = r->error;
    return r->exit_status;
}

/* ---- what a person may ask for ---- */

int run_go(struct run *r)
{
    const char *path = r->s->settings.write_file;
    int err = path ? write_file_open(&r->write, path) : 0;

    if (err)
        return err;
    redacted_names(r->s);
    vantage_fill(r->s); /* the user may have changed since the capture was started */
    r->go = true;
    if (r->s->settings.duration)
        r->deadline = loop_timer(r->loop, r->s->settings.duration, 0, on_deadline, r);
    if ((!r->ready || !privileged_is_ready(r)) && !r->s->settings.read_file)
        wait_for(r, READY_WAIT, on_ready_late);
    begin_if_ready(r);
    return 0;
}

void run_pause(struct run *r, bool pause)
{
    r->s->paused = pause;
    r->s->revision++;
    if (r->capture && r->s->settings.read_file)
        capture_pause(r->capture, pause);
    if (!pause && r->state == RUN_PAUSING)
        wait_for(r, 0, on_next_round);
}

int run_probe_now(struct run *r, uint32_t target)
{
    (void)target; /* a round is of all targets: their counters are read together */
    if (!r->prober || !r->s->ntargets)
        return -EINVAL;
    if (r->state == RUN_PAUSING || r->state == RUN_WATCHING)
        begin_round(r);
    else
        r->again = true;
    return 0;
}

int run_add_target(struct run *r, const char *spec, char *err, size_t errlen)
{
    size_t n = r->s->ntargets;
    struct target *t;
    int rc = target_parse(&t, spec, err, errlen);

    if (rc)
        return rc;
    target_apply_defaults(t, &r->s->settings.defaults);
    rc = target_check(t, n ? r->s->targets[n - 1].target : NULL, err, errlen);
    if (!rc) {
        rc = session_add_target(r->s, t);
        if (rc)
            snprintf(err, errlen, "%s", strerror(-rc));
    }
    if (rc) {
        target_free(t);
        return rc;
    }
    if (r->go)
        run_probe_now(r, t->id);
    return 0;
}

int run_change_target(struct run *r, uint32_t id, struct target *t, char *err, size_t errlen)
{
    int rc = t ? target_check(t, NULL, err, errlen) : 0;

    if (!rc && run_experimenting(r)) { /* it looks at the target as it is */
        snprintf(err, errlen, "%s", _("an experiment runs: after it"));
        rc = -EBUSY;
    }
    if (rc)
        target_free(t);
    else
        session_change_target(r->s, id, t);
    return rc;
}

int run_start(struct run **out, struct loop *l, struct session *s, run_fn fn, void *arg, char *err,
              size_t errlen, int *exit_status)
{
    struct run *r = calloc(1, sizeof(*r));
    struct prober_settings ps = {
        .max_in_flight = s->settings.max_connections,
        .max_per_host = s->settings.max_per_host,
        .rate = s->settings.rate,
        .no_names = s->settings.numeric,
    };
    int rc = -ENOMEM;

    *exit_status = 3;
    snprintf(err, errlen, "%s", strerror(ENOMEM));
    if (!r)
        return rc;
    r->command_status = -1;
    r->loop = l;
    r->s = s;
    r->fn = fn;
    r->arg = arg;
    rc = open_capture(r, err, errlen, exit_status);
    if (rc)
        goto fail;
    if (!s->settings.read_file) {
        rc = -ENOMEM;
        r->prober = prober_new(l, &ps);
        if (!r->prober)
            goto fail;
        doubt_sample(r);
        start_sockets(r);
        privileged_start(r);
        if (explore_init(r))
            goto fail;
    }
    if (s->settings.keep_packets || !s->settings.read_file) {
        r->tick = loop_timer(l, TICK, TICK, on_tick, r);
        if (!r->tick)
            goto fail;
    }
    *exit_status = 0;
    *out = r;
    return 0;
fail:
    run_free(r);
    return rc;
}

void run_free(struct run *r)
{
    if (!r)
        return;
    set_state(r, RUN_ENDED);
    timer_stop(r->wait);
    timer_stop(r->tick);
    timer_stop(r->deadline);
    explore_release(r);
    prober_free(r->prober);
    host_command_free(r->command);
    host_changes_free(r->changes);
    host_watch_free(r->sockets);
    privileged_free(r);
    capture_free(r->capture);
    write_file_close(r->write);
    doubt_release(&r->doubt);
    free(r);
}
