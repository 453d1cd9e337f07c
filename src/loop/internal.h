/* loop's own: what its files share. Only files of loop/ include this (and uv.h). */
#ifndef LOOP_INTERNAL_H
#define LOOP_INTERNAL_H

#include "loop/loop.h"
#include <uv.h>

struct loop {
    uv_loop_t uv;
    uv_prepare_t before_poll; /* both only make the cached time stale */
    uv_check_t after_poll;
    nstime now;               /* monotonic, NSTIME_NONE: not read in this turn */
    int epoll;                /* watch.c: what is watched, and libuv's view of it as one */
    uv_poll_t watched;
    struct watch *watches, *stopped;
    int nwatched;
};

/* ---- watch.c ---- */
int watches_init(struct loop *l); /* after uv_loop_init() */
void watches_forget(struct loop *l); /* frees what was stopped; not from inside a watch_fn */
void watches_stop_all(struct loop *l);
void watches_release(struct loop *l); /* once l->watched is closed */

/* Closes a child's pipes and handle, and frees it, running or not. */
void child_abandon(struct child *c);

#endif
