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
};

/* Closes a child's pipes and handle, and frees it, running or not. */
void child_abandon(struct child *c);

#endif
