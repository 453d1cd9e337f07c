#include "loop/internal.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

static nstime clock_read(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (nstime)ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

nstime loop_clock(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

nstime loop_wall(struct loop *l)
{
    (void)l;
    return clock_read(CLOCK_REALTIME);
}

/* uv_now() counts milliseconds; reports want more. Read once when first asked for in a turn. */
nstime loop_now(struct loop *l)
{
    if (l->now == NSTIME_NONE)
        l->now = loop_clock();
    return l->now;
}

static void on_before_poll(uv_prepare_t *h)
{
    struct loop *l = h->data;
    watches_forget(l);
    l->now = NSTIME_NONE;
}

static void on_after_poll(uv_check_t *h)
{
    struct loop *l = h->data;
    l->now = NSTIME_NONE;
}

struct loop *loop_new(void)
{
    struct loop *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    int rc = uv_loop_init(&l->uv);
    if (rc == 0 && (rc = watches_init(l)) < 0) {
        uv_run(&l->uv, UV_RUN_NOWAIT);
        uv_loop_close(&l->uv);
    }
    if (rc < 0) {
        free(l);
        errno = -rc;
        return NULL;
    }
    l->now = NSTIME_NONE;
    l->uv.data = l;
    uv_prepare_init(&l->uv, &l->before_poll);
    uv_check_init(&l->uv, &l->after_poll);
    l->before_poll.data = l->after_poll.data = l;
    uv_prepare_start(&l->before_poll, on_before_poll);
    uv_check_start(&l->after_poll, on_after_poll);
    uv_unref((uv_handle_t *)&l->before_poll);
    uv_unref((uv_handle_t *)&l->after_poll);
    /* A peer that went away is told by EPIPE; the signal would end the program. */
    signal(SIGPIPE, SIG_IGN);
    return l;
}

/* ---- timer ---- */
struct timer {
    uv_timer_t timer;
    struct loop *loop;
    timer_fn fn;
    void *arg;
};

/* libuv counts whole milliseconds from the last one begun: one more, so that none comes early. */
static uint64_t ms_of(nstime span)
{
    return span <= 0 ? 0 : (uint64_t)((span + NS_PER_MS - 1) / NS_PER_MS) + 1;
}

static void on_timer(uv_timer_t *h)
{
    struct timer *t = h->data;
    t->fn(t->arg);
}

static void timer_closed(uv_handle_t *h)
{
    free(h->data);
}

static void timer_start(struct timer *t, nstime after, nstime every)
{
    uv_update_time(&t->loop->uv); /* a long callback before must not make it fire early */
    uint64_t repeat = every > 0 ? (uint64_t)((every + NS_PER_MS - 1) / NS_PER_MS) : 0;
    uv_timer_start(&t->timer, on_timer, ms_of(after), repeat);
}

struct timer *loop_timer(struct loop *l, nstime after, nstime every, timer_fn fn, void *arg)
{
    struct timer *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    uv_timer_init(&l->uv, &t->timer);
    t->timer.data = t;
    t->loop = l;
    t->fn = fn;
    t->arg = arg;
    if (after != NSTIME_NONE)
        timer_start(t, after, every);
    return t;
}

void timer_again(struct timer *t, nstime after)
{
    timer_start(t, after, 0);
}

void timer_set(struct timer *t, nstime after, timer_fn fn)
{
    t->fn = fn;
    timer_start(t, after, 0);
}

void timer_pause(struct timer *t)
{
    uv_timer_stop(&t->timer);
}

void timer_stop(struct timer *t)
{
    if (t && !uv_is_closing((uv_handle_t *)&t->timer))
        uv_close((uv_handle_t *)&t->timer, timer_closed);
}

/* ---- signal ---- */
struct signal_watch {
    uv_signal_t signal;
    signal_fn fn;
    void *arg;
};

static void on_signal(uv_signal_t *h, int signo)
{
    struct signal_watch *s = h->data;
    s->fn(s->arg, signo);
}

static void signal_closed(uv_handle_t *h)
{
    free(h->data);
}

struct signal_watch *loop_signal(struct loop *l, int signo, signal_fn fn, void *arg)
{
    struct signal_watch *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    int rc = uv_signal_init(&l->uv, &s->signal);
    if (rc < 0) {
        free(s);
        errno = -rc;
        return NULL;
    }
    s->signal.data = s;
    s->fn = fn;
    s->arg = arg;
    rc = uv_signal_start(&s->signal, on_signal, signo);
    if (rc < 0) {
        signal_watch_stop(s);
        errno = -rc;
        return NULL;
    }
    uv_unref((uv_handle_t *)&s->signal); /* to wait for a signal alone is no work left */
    return s;
}

void signal_watch_stop(struct signal_watch *s)
{
    if (s && !uv_is_closing((uv_handle_t *)&s->signal))
        uv_close((uv_handle_t *)&s->signal, signal_closed);
}

/* ---- aside ---- */
struct aside {
    uv_work_t work;
    void (*run)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

static void on_work(uv_work_t *req)
{
    struct aside *a = req->data;
    a->run(a->arg);
}

static void on_worked(uv_work_t *req, int status)
{
    struct aside *a = req->data;
    (void)status; /* nothing here cancels */
    if (a->done)
        a->done(a->arg);
    free(a);
}

int loop_aside(struct loop *l, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    struct aside *a = calloc(1, sizeof(*a));
    if (!a)
        return -ENOMEM;
    a->work.data = a;
    a->run = work;
    a->done = done;
    a->arg = arg;
    int rc = uv_queue_work(&l->uv, &a->work, on_work, on_worked);
    if (rc < 0)
        free(a);
    return rc;
}

/* ---- the loop ---- */
int loop_run(struct loop *l)
{
    l->now = NSTIME_NONE;
    return uv_run(&l->uv, UV_RUN_DEFAULT) ? 1 : 0;
}

int loop_run_once(struct loop *l, bool wait)
{
    l->now = NSTIME_NONE;
    return uv_run(&l->uv, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT) ? 1 : 0;
}

void loop_quit(struct loop *l)
{
    uv_stop(&l->uv);
}

static void close_left(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (uv_is_closing(h))
        return;
    switch (h->type) {
    case UV_TIMER: timer_stop(h->data); break;
    case UV_SIGNAL: signal_watch_stop(h->data); break;
    case UV_PROCESS: child_abandon(h->data); break;
    default: uv_close(h, NULL);
    }
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    watches_stop_all(l);
    uv_walk(&l->uv, close_left, NULL);
    /* Close callbacks, and work that still runs aside. */
    while (uv_run(&l->uv, UV_RUN_DEFAULT))
        uv_walk(&l->uv, close_left, NULL);
    uv_walk(&l->uv, close_left, NULL); /* what a done() of that work began */
    uv_run(&l->uv, UV_RUN_DEFAULT);
    uv_loop_close(&l->uv);
    watches_release(l);
    free(l);
}
