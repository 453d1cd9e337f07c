/*
 * loop: libuv behind a few verbs: watch a descriptor, after a time, child, signal, now, run a
 * blocking call aside.
 *
 * Owns: a struct loop owns its handles. Handles are freed by their X_stop() (safe at any time, also
 *   from their own callback, NULL allowed; no callback comes after it).
 * Invariants: one thread runs the loop and every callback; a callback takes about 5 ms at most.
 *   Only loop/ includes uv.h. Descriptors stay the caller's (never closed here, but for a child's
 *   pipes).
 *   SIGPIPE is ignored from loop_new() on: writing to a peer that went away gives EPIPE.
 * Errors: -errno; functions that return a handle return NULL with errno set.
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include "base/base.h"
#include <sys/types.h>

struct loop;
struct loop *loop_new(void);
void loop_free(struct loop *l); /* all handles must be stopped; closes what is left */
/* Until loop_quit() (1), or nothing is left to wait for (0). A watched signal alone, or a child whose
 * handle was freed, is nothing to wait for. */
int loop_run(struct loop *l);
int loop_run_once(struct loop *l, bool wait); /* one turn; 0 when nothing is left to wait for */
void loop_quit(struct loop *l);
nstime loop_now(struct loop *l);      /* monotonic, cached for the turn */
nstime loop_wall(struct loop *l);     /* wall clock now */
nstime loop_clock(void);              /* monotonic, read now: for timings */

enum { LOOP_READ = 1, LOOP_WRITE = 2 };
struct watch;
typedef void (*watch_fn)(void *arg, int events); /* events: LOOP_*; both on error or hang-up */
/* Sets fd to non-blocking. One watch a descriptor; not for regular files (EPERM). As long as the
 * condition holds the callback comes again, an error the callback does not clear too. */
struct watch *loop_watch(struct loop *l, int fd, int events, watch_fn fn, void *arg);
int watch_set(struct watch *w, int events); /* 0: pause */
void watch_stop(struct watch *w);

struct timer;
typedef void (*timer_fn)(void *arg);
/* Fires after `after` (NSTIME_NONE: not before it is set), never sooner (rounded up to
 * milliseconds), then each `every` (0: once; the timer must still be stopped). */
struct timer *loop_timer(struct loop *l, nstime after, nstime every, timer_fn fn, void *arg);
void timer_again(struct timer *t, nstime after); /* re-arm, once */
void timer_set(struct timer *t, nstime after, timer_fn fn); /* the same, for another function */
void timer_pause(struct timer *t);                           /* until it is set again */
void timer_stop(struct timer *t);

struct signal_watch;
typedef void (*signal_fn)(void *arg, int signo);
struct signal_watch *loop_signal(struct loop *l, int signo, signal_fn fn, void *arg);
void signal_watch_stop(struct signal_watch *s);

/* A child with its stdout and stderr as pipes (read by the caller with loop_watch), stdin
 * /dev/null. Descriptors are non-blocking and close-on-exec, closed by child_free(). path is
 * looked up in $PATH only when it has no slash. The child gets a session of its own: ^C on the
 * terminal does not reach it. on_exit may come before its pipes are read empty. */
struct child;
typedef void (*child_fn)(void *arg, int exit_status, int term_signal);
int loop_child(struct loop *l, const char *path, char *const argv[], child_fn on_exit, void *arg,
               struct child **out);
/* The same, its stdin a pipe that is written with child_stdin() (non-blocking). */
int loop_child_talk(struct loop *l, const char *path, char *const argv[], child_fn on_exit,
                    void *arg, struct child **out);
int child_stdin(const struct child *c); /* -1: it has none */
/* Where a helper of ours is: beside the running program, else where it was installed; never by
 * $PATH. -ENOENT: in neither. */
int loop_helper_path(char *out, size_t outlen, const char *name);
pid_t child_pid(const struct child *c);
int child_stdout(const struct child *c);
int child_stderr(const struct child *c);
int child_kill(struct child *c, int signo); /* that pid only; -ESRCH once it has ended */
void child_free(struct child *c);           /* does not kill */

/* Runs work(arg) on another thread, then done(arg) (may be NULL) on the loop, in loop_free() at the
 * latest. arg must be self-contained. */
int loop_aside(struct loop *l, void (*work)(void *arg), void (*done)(void *arg), void *arg);

/* A belt between two threads, for work that is nothing but bytes and cannot wait for a loop: one of
 * its own fills the places in order, over and over, the caller takes each in the same order and
 * gives it back. fill() may touch only what its arg owns; false: that place was the last. */
struct belt;
struct belt *belt_start(unsigned places, bool (*fill)(void *arg, unsigned place),
                        void *arg); /* NULL */
unsigned belt_take(struct belt *b); /* the next filled place, or the same till it is done; waits.
                                       Not after the last. */
void belt_done(struct belt *b);     /* with that place */
void belt_halt(struct belt *b);     /* the thread ends; what lies in the places stays */
void belt_stop(struct belt *b);

#endif
