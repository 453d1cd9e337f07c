/* Links that go up or down, addresses that come and go: rtnetlink's groups, open to any user. */
#include "host/source.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHANGE_BYTES 16384
#define READS_MAX    16

struct host_changes {
    host_change_fn fn;
    void *arg;
    int fd;
    struct watch *watch;
    uint8_t buf[CHANGE_BYTES];
};

static int open_changes(void)
{
    struct sockaddr_nl at = {.nl_family = AF_NETLINK,
                             .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                                          RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
        int err = -errno;
        close(fd);
        return err;
    }
    return fd < 0 ? -errno : fd;
}

static int on_message(const struct nlmsghdr *nlh, void *arg)
{
    struct host_changes *w = arg;
    struct host_change c;

    if (host_change_parse(&c, nlh))
        w->fn(w->arg, &c);
    return MNL_CB_OK;
}

static void on_readable(void *arg, int events)
{
    struct host_changes *w = arg;

    (void)events;
    for (int i = 0; i < READS_MAX; i++) {
        ssize_t n = recv(w->fd, w->buf, sizeof(w->buf), MSG_DONTWAIT);
        if (n <= 0)
            return;
        mnl_cb_run(w->buf, (size_t)n, 0, 0, on_message, w);
    }
}

struct host_changes *host_changes_start(struct loop *l, host_change_fn fn, void *arg)
{
    struct host_changes *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->fn = fn;
    w->arg = arg;
    w->fd = open_changes();
    w->watch = w->fd >= 0 ? loop_watch(l, w->fd, LOOP_READ, on_readable, w) : NULL;
    if (w->watch)
        return w;
    host_changes_free(w);
    return NULL;
}

void host_changes_free(struct host_changes *w)
{
    if (!w)
        return;
    watch_stop(w->watch);
    if (w->fd >= 0)
        close(w->fd);
    free(w);
}

static int look_changes(struct strbuf *found, struct strbuf *remedy)
{
    int fd = open_changes();

    (void)remedy;
    if (fd < 0)
        return fd;
    close(fd);
    strbuf_addstr(found, _("links, addresses and default routes that come and go"));
    return 0;
}
const struct host_source source_changes = {
    .name = "changes",
    .title = N_("changes of the network (rtnetlink)"),
    .look = look_changes,
};
