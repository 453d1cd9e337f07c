/* One c-ares channel on the loop. */
#include "probe/dns.h"
#include <errno.h>
#include <stdlib.h>

#define TRY_MS   2000
#define EDNS_MAX 1232 /* passes every path (DNS flag day 2020) */

struct watched_fd {
    struct watched_fd *next;
    struct asker *asker;
    ares_socket_t fd;
    struct watch *watch;
    int events;
};

static void set_timer(struct asker *d);

static void on_fd(void *arg, int events)
{
    struct watched_fd *w = arg;
    struct asker *d = w->asker;
    ares_socket_t fd = w->fd;
    ares_process_fd(d->channel, events & LOOP_READ && w->events & LOOP_READ ? fd : ARES_SOCKET_BAD,
                    events & LOOP_WRITE && w->events & LOOP_WRITE ? fd : ARES_SOCKET_BAD);
    set_timer(d);
}

static void on_time(void *arg)
{
    struct asker *d = arg;
    ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(d);
}

static void set_timer(struct asker *d)
{
    struct timeval tv;
    if (!d->timer)
        return;
    timer_pause(d->timer);
    if (d->open && ares_timeout(d->channel, NULL, &tv))
        timer_again(d->timer, (nstime)tv.tv_sec * NS_PER_SEC + (nstime)tv.tv_usec * NS_PER_US);
}

static void on_sock_state(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct asker *d = arg;
    int events = (readable ? LOOP_READ : 0) | (writable ? LOOP_WRITE : 0);
    struct watched_fd **at = &d->fds;
    while (*at && (*at)->fd != fd)
        at = &(*at)->next;
    struct watched_fd *w = *at;
    if (!events) {
        if (!w)
            return;
        *at = w->next;
        watch_stop(w->watch);
        free(w);
        return;
    }
    if (w) {
        w->events = events;
        watch_set(w->watch, events);
        return;
    }
    w = calloc(1, sizeof(*w));
    if (!w)
        return; /* its questions time out */
    *w = (struct watched_fd){d->fds, d, fd, NULL, events};
    w->watch = loop_watch(d->l, fd, events, on_fd, w);
    if (w->watch)
        d->fds = w;
    else
        free(w);
}

int asker_open(struct asker *a, struct loop *l, const char *servers, int flags, int tries)
{
    struct ares_options o = {
        .flags = flags,
        .timeout = TRY_MS,
        .tries = tries,
        .ednspsz = EDNS_MAX,
        .sock_state_cb = on_sock_state,
        .sock_state_cb_data = a,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB |
               ARES_OPT_EDNSPSZ;
    a->l = l;
    int rc = ares_init_options(&a->channel, &o, mask);
    if (rc != ARES_SUCCESS)
        return rc == ARES_ENOMEM ? -ENOMEM : -EIO;
    if (servers && ares_set_servers_ports_csv(a->channel, servers) != ARES_SUCCESS) {
        ares_destroy(a->channel);
        return -EINVAL;
    }
    a->timer = loop_timer(l, NSTIME_NONE, 0, on_time, a);
    if (!a->timer) {
        ares_destroy(a->channel);
        return -ENOMEM;
    }
    a->open = true;
    return 0;
}

void asker_close(struct asker *a)
{
    bool was_open = a->open;
    a->open = false; /* answers that ares_destroy() gives begin nothing new */
    if (was_open)
        ares_destroy(a->channel);
    timer_stop(a->timer);
    a->timer = NULL;
}

void asker_search(struct asker *a, const char *name, int type, ares_callback fn, void *arg)
{
    ares_search(a->channel, name, 1, type, fn, arg);
    set_timer(a);
}

enum failure failure_of_dns(int status)
{
    switch (status) {
    case ARES_SUCCESS: return FAIL_NONE;
    case ARES_ENOTFOUND: return FAIL_DNS_NXDOMAIN;
    case ARES_ENODATA: return FAIL_DNS_NO_ANSWER;
    case ARES_ESERVFAIL: return FAIL_DNS_SERVFAIL;
    case ARES_EREFUSED: return FAIL_DNS_REFUSED;
    case ARES_ETIMEOUT: return FAIL_TIMEOUT;
    case ARES_ECONNREFUSED: return FAIL_REFUSED;
    default: return FAIL_UNKNOWN;
    }
}
