/*
 * Watches: descriptors in an epoll set of our own, which libuv watches as one. A uv_poll_t costs
 * five epoll_ctl() calls from its making to its end, and two each time what it waits for changes;
 * with thousands of short connections that was a tenth of the whole cost.
 */
#include "loop/internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_MAX 256 /* taken at once: timers and others get their turn in between */

struct watch {
    struct loop *loop;
    struct watch *next, *prev; /* of the loop's; next: of those to be freed */
    int fd;
    int events; /* wanted; 0 paused */
    bool stopped;
    watch_fn fn;
    void *arg;
};

void watches_forget(struct loop *l)
{
    while (l->stopped) {
        struct watch *w = l->stopped;
        l->stopped = w->next;
        free(w);
    }
}

/* EPOLLHUP alone comes unasked: then what was wanted may be tried. */
static int events_of(const struct watch *w, uint32_t ready)
{
    int ev = (ready & EPOLLIN ? LOOP_READ : 0) | (ready & EPOLLOUT ? LOOP_WRITE : 0);

    if (ready & EPOLLERR)
        return LOOP_READ | LOOP_WRITE;
    return (ev | (ready & EPOLLHUP ? LOOP_READ | LOOP_WRITE : 0)) & w->events;
}

static void on_ready(uv_poll_t *h, int status, int events)
{
    struct loop *l = h->data;
    struct epoll_event ready[EVENTS_MAX];
    int n = epoll_wait(l->epoll, ready, EVENTS_MAX, 0);

    (void)status;
    (void)events;
    for (int i = 0; i < n; i++) {
        struct watch *w = ready[i].data.ptr;
        int ev = w->events ? events_of(w, ready[i].events) : 0;
        if (ev) /* not stopped or paused by a callback before it */
            w->fn(w->arg, ev);
    }
}

/* The loop waits for watches only while one wants something. */
static void count(struct loop *l, int by)
{
    l->nwatched += by;
    if (l->nwatched)
        uv_ref((uv_handle_t *)&l->watched);
    else
        uv_unref((uv_handle_t *)&l->watched);
}

static int set(struct watch *w, int op, int events)
{
    struct epoll_event ev = {
        .events = (events & LOOP_READ ? EPOLLIN : 0) | (events & LOOP_WRITE ? EPOLLOUT : 0),
        .data.ptr = w,
    };

    return epoll_ctl(w->loop->epoll, op, w->fd, &ev) < 0 ? -errno : 0;
}

int watch_set(struct watch *w, int events)
{
    int op = !w->events ? EPOLL_CTL_ADD : !events ? EPOLL_CTL_DEL : EPOLL_CTL_MOD, rc;

    if (events == w->events)
        return 0;
    rc = set(w, op, events);
    if (rc == 0 && !w->events)
        count(w->loop, 1);
    else if (w->events && !events)
        count(w->loop, -1);
    if (rc == 0 || !events) /* what cannot be left out of the set is in it no more */
        w->events = events;
    return rc;
}

static int set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0)
        return -errno;
    return flags & O_NONBLOCK || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 ? 0 : -errno;
}

struct watch *loop_watch(struct loop *l, int fd, int events, watch_fn fn, void *arg)
{
    struct watch *w = calloc(1, sizeof(*w));
    int rc;

    if (!w)
        return NULL;
    *w = (struct watch){.loop = l, .fd = fd, .fn = fn, .arg = arg};
    rc = set_nonblocking(fd);
    if (rc == 0)
        rc = watch_set(w, events ? events : LOOP_READ); /* tells whether it can be watched */
    if (rc == 0 && !events)
        rc = watch_set(w, 0);
    if (rc < 0) {
        free(w);
        errno = -rc;
        return NULL;
    }
    w->next = l->watches;
    if (w->next)
        w->next->prev = w;
    l->watches = w;
    return w;
}

void watch_stop(struct watch *w)
{
    if (!w || w->stopped)
        return;
    struct loop *l = w->loop;
    w->stopped = true;
    watch_set(w, 0);
    if (w->prev)
        w->prev->next = w->next;
    else
        l->watches = w->next;
    if (w->next)
        w->next->prev = w->prev;
    w->next = l->stopped; /* an event of it may be in on_ready()'s hand */
    l->stopped = w;
}

int watches_init(struct loop *l)
{
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll < 0)
        return -errno;
    int rc = uv_poll_init(&l->uv, &l->watched, l->epoll);
    if (rc == 0) {
        l->watched.data = l;
        rc = uv_poll_start(&l->watched, UV_READABLE, on_ready);
        uv_unref((uv_handle_t *)&l->watched);
    }
    if (rc < 0)
        close(l->epoll);
    return rc;
}

void watches_stop_all(struct loop *l)
{
    while (l->watches)
        watch_stop(l->watches);
}

void watches_release(struct loop *l)
{
    watches_stop_all(l);
    watches_forget(l);
    close(l->epoll);
}
