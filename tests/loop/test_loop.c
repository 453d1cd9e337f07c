/* loop: descriptors, timers, children, signals, work aside, and stopping from inside a callback. */
#include "loop/loop.h"
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

struct ctx {
    struct loop *l;
    struct watch *w, *w2;
    struct timer *t, *t2;
    struct signal_watch *s;
    struct child *c;
    int fd[2], calls, events, status, term, signo;
    nstime at;
    char text[64];
    size_t len;
    int worked, done;
};

static int setup(void **state)
{
    struct ctx *x = calloc(1, sizeof(*x));
    assert_non_null(x);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, x->fd), 0);
    x->l = loop_new();
    assert_non_null(x->l);
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct ctx *x = *state;
    loop_free(x->l);
    close(x->fd[0]);
    close(x->fd[1]);
    free(x);
    return 0;
}

static void on_watch(void *arg, int events)
{
    struct ctx *x = arg;
    x->calls++;
    x->events |= events;
    x->len = (size_t)read(x->fd[0], x->text, sizeof(x->text));
    watch_stop(x->w);
    x->w = NULL;
}

static void watch_reads_and_stops_itself(void **state)
{
    struct ctx *x = *state;
    assert_int_equal(write(x->fd[1], "hello", 5), 5);
    x->w = loop_watch(x->l, x->fd[0], LOOP_READ, on_watch, x);
    assert_non_null(x->w);
    assert_int_equal(loop_run(x->l), 0);
    assert_int_equal(x->calls, 1);
    assert_int_equal(x->events, LOOP_READ);
    assert_int_equal(x->len, 5);
}

static void on_writable(void *arg, int events)
{
    struct ctx *x = arg;
    x->calls++;
    x->events |= events;
    assert_int_equal(watch_set(x->w, 0), 0);
    loop_quit(x->l);
}

static void watch_set_pauses(void **state)
{
    struct ctx *x = *state;
    x->w = loop_watch(x->l, x->fd[0], LOOP_READ | LOOP_WRITE, on_writable, x);
    loop_run(x->l);
    assert_int_equal(x->events, LOOP_WRITE);
    loop_run_once(x->l, false);
    assert_int_equal(x->calls, 1);
    assert_int_equal(watch_set(x->w, LOOP_WRITE), 0);
    loop_run(x->l);
    assert_int_equal(x->calls, 2);
    watch_stop(x->w);
}

static void on_hangup(void *arg, int events)
{
    struct ctx *x = arg;
    x->calls++;
    x->events |= events;
    if (x->calls == 3) {
        watch_stop(x->w);
        loop_quit(x->l);
    }
}

static void hangup_comes_as_long_as_it_holds(void **state)
{
    struct ctx *x = *state;
    int p[2];
    assert_int_equal(pipe(p), 0);
    close(p[0]); /* the write end then polls POLLERR */
    x->w = loop_watch(x->l, p[1], LOOP_WRITE, on_hangup, x);
    loop_run(x->l);
    assert_int_equal(x->calls, 3);
    assert_true(x->events & LOOP_WRITE);
    close(p[1]);
}

static void a_descriptor_number_can_be_used_again_at_once(void **state)
{
    struct ctx *x = *state;
    int a[2], b[2];
    assert_int_equal(pipe(a), 0);
    struct watch *w = loop_watch(x->l, a[0], LOOP_READ, on_watch, x);
    watch_stop(w);
    close(a[0]);
    close(a[1]);
    assert_int_equal(pipe(b), 0);
    close(x->fd[0]);
    x->fd[0] = b[0];
    assert_int_equal(write(b[1], "x", 1), 1);
    x->w = loop_watch(x->l, b[0], LOOP_READ, on_watch, x);
    loop_run(x->l);
    assert_int_equal(x->calls, 1);
    close(b[1]);
}

static void on_regular(void *arg, int events)
{
    (void)arg;
    (void)events;
}

static void regular_file_is_an_error(void **state)
{
    struct ctx *x = *state;
    FILE *f = tmpfile();
    assert_non_null(f);
    errno = 0;
    assert_null(loop_watch(x->l, fileno(f), LOOP_READ, on_regular, x));
    assert_int_equal(errno, EPERM);
    fclose(f);
}

static void on_time(void *arg)
{
    struct ctx *x = arg;
    x->at = loop_clock();
    if (++x->calls == 3) {
        timer_stop(x->t);
        x->t = NULL;
    }
}

static void timer_never_early(void **state)
{
    struct ctx *x = *state;
    nstime t0 = loop_clock();
    x->calls = 2;
    x->t = loop_timer(x->l, 20 * NS_PER_MS, 0, on_time, x);
    loop_run(x->l);
    assert_true(x->at - t0 >= 20 * NS_PER_MS);
}

static void timer_repeats_until_stopped(void **state)
{
    struct ctx *x = *state;
    x->t = loop_timer(x->l, 0, NS_PER_MS, on_time, x);
    loop_run(x->l);
    assert_int_equal(x->calls, 3);
    timer_stop(NULL);
}

static void on_once(void *arg)
{
    struct ctx *x = arg;
    if (++x->calls < 3)
        timer_again(x->t, NS_PER_MS);
}

static void timer_again_arms_once(void **state)
{
    struct ctx *x = *state;
    x->t = loop_timer(x->l, 0, 0, on_once, x);
    loop_run(x->l); /* ends by itself: a timer that fired is nothing to wait for */
    assert_int_equal(x->calls, 3);
    timer_stop(x->t);
}

static void on_stop_other(void *arg)
{
    struct ctx *x = arg;
    x->calls++;
    timer_stop(x->t);
    timer_stop(x->t2);
    x->t = x->t2 = NULL;
}

static void no_callback_after_stop(void **state)
{
    struct ctx *x = *state;
    x->t = loop_timer(x->l, 0, 0, on_stop_other, x); /* both are due in the same turn */
    x->t2 = loop_timer(x->l, 0, 0, on_stop_other, x);
    loop_run(x->l);
    assert_int_equal(x->calls, 1);
}

static void on_sig(void *arg, int signo)
{
    struct ctx *x = arg;
    x->signo = signo;
    loop_quit(x->l);
}

static void signal_is_told(void **state)
{
    struct ctx *x = *state;
    x->s = loop_signal(x->l, SIGUSR2, on_sig, x);
    assert_non_null(x->s);
    assert_int_equal(loop_run_once(x->l, true), 0); /* alone it does not keep the loop */
    assert_int_equal(raise(SIGUSR2), 0);
    x->t = loop_timer(x->l, 10 * NS_PER_SEC, 0, on_time, x);
    loop_run(x->l);
    assert_int_equal(x->signo, SIGUSR2);
    timer_stop(x->t);
    signal_watch_stop(x->s);
}

static void on_child(void *arg, int status, int term)
{
    struct ctx *x = arg;
    x->calls++;
    x->status = status;
    x->term = term;
    assert_int_equal(child_kill(x->c, 0), -ESRCH);
}

static void on_child_out(void *arg, int events)
{
    struct ctx *x = arg;
    (void)events;
    ssize_t n = read(child_stdout(x->c), x->text + x->len, sizeof(x->text) - x->len);
    if (n > 0) {
        x->len += (size_t)n;
    } else if (n == 0) {
        watch_stop(x->w);
        x->w = NULL;
    }
}

static void child_speaks_and_ends(void **state)
{
    struct ctx *x = *state;
    char *argv[] = {"sh", "-c", "cat; echo out; exit 7", NULL}; /* cat: stdin is empty */
    assert_int_equal(loop_child(x->l, "/bin/sh", argv, on_child, x, &x->c), 0);
    assert_true(child_pid(x->c) > 0);
    x->w = loop_watch(x->l, child_stdout(x->c), LOOP_READ, on_child_out, x);
    loop_run(x->l);
    assert_int_equal(x->calls, 1);
    assert_int_equal(x->status, 7);
    assert_int_equal(x->term, 0);
    assert_int_equal(x->len, 4);
    assert_memory_equal(x->text, "out\n", 4);
    child_free(x->c);
}

static void child_is_killed_by_pid(void **state)
{
    struct ctx *x = *state;
    char *argv[] = {"sleep", "60", NULL};
    assert_int_equal(loop_child(x->l, "/bin/sleep", argv, on_child, x, &x->c), 0);
    assert_int_equal(child_kill(x->c, SIGTERM), 0);
    loop_run(x->l);
    assert_int_equal(x->term, SIGTERM);
    child_free(x->c);
}

static void child_that_cannot_start(void **state)
{
    struct ctx *x = *state;
    char *argv[] = {"nothing", NULL};
    assert_int_equal(loop_child(x->l, "/nonexistent/nothing", argv, on_child, x, &x->c), -ENOENT);
    assert_null(x->c);
    loop_run(x->l);
    assert_int_equal(x->calls, 0);
}

static void on_regular_time(void *arg)
{
    (void)arg;
}

static void freed_child_is_still_reaped(void **state)
{
    struct ctx *x = *state;
    char *argv[] = {"sleep", "60", NULL};
    assert_int_equal(loop_child(x->l, "/bin/sleep", argv, on_child, x, &x->c), 0);
    pid_t pid = child_pid(x->c);
    child_free(x->c);
    assert_int_equal(loop_run(x->l), 0); /* nothing to wait for */
    assert_int_equal(kill(pid, SIGKILL), 0);
    x->t = loop_timer(x->l, 0, NS_PER_MS, on_regular_time, x);
    while (waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT) == 0)
        loop_run_once(x->l, true);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(x->calls, 0);
    timer_stop(x->t);
}

static void work(void *arg)
{
    struct ctx *x = arg;
    x->worked = 1;
}

static void work_done(void *arg)
{
    struct ctx *x = arg;
    x->done = x->worked;
}

static void work_runs_aside(void **state)
{
    struct ctx *x = *state;
    assert_int_equal(loop_aside(x->l, work, work_done, x), 0);
    loop_run(x->l);
    assert_int_equal(x->done, 1);
}

static void free_closes_what_is_left(void **state)
{
    struct ctx *x = *state;
    struct loop *l = loop_new();
    char *argv[] = {"true", NULL};
    struct child *c;
    assert_non_null(loop_watch(l, x->fd[0], LOOP_READ, on_watch, x));
    assert_non_null(loop_timer(l, NS_PER_SEC, 0, on_time, x));
    assert_non_null(loop_signal(l, SIGUSR1, on_sig, x));
    assert_int_equal(loop_child(l, "/bin/true", argv, on_child, x, &c), 0);
    pid_t pid = child_pid(c);
    assert_int_equal(loop_aside(l, work, work_done, x), 0);
    loop_free(l); /* the sanitizers tell if something stayed */
    assert_int_equal(x->done, 1);
    assert_int_equal(x->calls, 0);
    waitpid(pid, NULL, 0);
}

static void clock_goes_forward(void **state)
{
    struct ctx *x = *state;
    nstime a = loop_now(x->l);
    assert_true(loop_now(x->l) == a);
    while (loop_clock() == a)
        continue;
    loop_run_once(x->l, false);
    assert_true(loop_now(x->l) > a);
    assert_true(loop_wall(x->l) > 1600000000 * NS_PER_SEC);
}

/* ---- the belt ---- */
struct load {
    unsigned last, made, at[4]; /* at: what lies in each place */
};

static bool load_next(void *arg, unsigned place)
{
    struct load *l = arg;
    l->at[place] = l->made;
    return l->made++ != l->last;
}

static void a_belt_brings_all_in_order(void **state)
{
    struct load l = {.last = 20000};
    struct belt *b = belt_start(4, load_next, &l);
    (void)state;
    assert_non_null(b);
    for (unsigned i = 0; i <= l.last; i++) {
        assert_int_equal(l.at[belt_take(b)], i);
        assert_int_equal(belt_take(b), i % 4); /* the same, till it is done */
        belt_done(b);
    }
    belt_stop(b);
    assert_int_equal(l.made, l.last + 1);
}

static void a_belt_stops_with_places_full(void **state)
{
    struct load l = {.last = UINT32_MAX};
    struct belt *b = belt_start(4, load_next, &l);
    (void)state;
    assert_non_null(b);
    unsigned place = belt_take(b);
    belt_halt(b);
    belt_halt(b);
    assert_int_equal(l.at[place], 0);
    belt_stop(b);
    assert_in_range(l.made, 1, 4);
    belt_stop(NULL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_belt_brings_all_in_order),
        T(a_belt_stops_with_places_full),
        T(watch_reads_and_stops_itself),
        T(watch_set_pauses),
        T(hangup_comes_as_long_as_it_holds),
        T(a_descriptor_number_can_be_used_again_at_once),
        T(regular_file_is_an_error),
        T(timer_never_early),
        T(timer_repeats_until_stopped),
        T(timer_again_arms_once),
        T(no_callback_after_stop),
        T(signal_is_told),
        T(child_speaks_and_ends),
        T(child_is_killed_by_pid),
        T(child_that_cannot_start),
        T(freed_child_is_still_reaped),
        T(work_runs_aside),
        T(free_closes_what_is_left),
        T(clock_goes_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
