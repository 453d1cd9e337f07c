/* A misbehaving server: its port, its queue, its connections. */
#include "fault/fault.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNS_MAX   64 /* of one server at a time; the next wait in its accept queue */
#define ACCEPTS_MAX 8  /* in one turn of the loop */
#define BACKLOG     128
#define FULL_LEN    1 /* the backlog of a queue that shall overflow */
#define FILL_MAX    8

/* As on a path with 1500-byte packets. Loopback's own 64 KiB segments let the kernel take a
 * whole MiB off the client's hands before the server has read a byte of it, and no upload would
 * ever be interrupted. */
static int set_ethernet(int fd)
{
    int mss = 1460, buf = 32768;

    if (setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buf, sizeof(buf)) < 0)
        return -errno;
    return 0;
}

static int bind_anywhere(struct server *s)
{
    struct sockaddr_in sin = {.sin_family = AF_INET};
    socklen_t len = sizeof(sin);

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 ||
        getsockname(s->fd, (struct sockaddr *)&sin, &len) < 0)
        return -errno;
    s->port = ntohs(sin.sin_port);
    return s->fault->ethernet ? set_ethernet(s->fd) : 0;
}

/* The accept queue of a listener: tcpi_unacked wait, tcpi_sacked is the backlog. A SYN is dropped
 * once more wait than the backlog says. */
static bool queue_is_full(int fd)
{
    struct tcp_info ti = {0};
    socklen_t len = sizeof(ti);

    return !getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &len) && ti.tcpi_unacked > ti.tcpi_sacked;
}

static int fill_one(struct server *s)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(s->port)};
    int fd;

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (ARRAY_GROW(s->fill, s->fill_nr + 1, s->fill_alloc) < 0)
        return -ENOMEM;
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    s->fill[s->fill_nr++] = fd;
    /* On loopback the handshake is over when connect() returns, EINPROGRESS or not. */
    if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 && errno != EINPROGRESS)
        return -errno;
    return 0;
}

static int fill_queue(struct server *s)
{
    for (int i = 0; i < FILL_MAX && !queue_is_full(s->fd); i++) {
        int rc = fill_one(s);
        if (rc < 0)
            return rc;
    }
    return queue_is_full(s->fd) ? 0 : -ENOTSUP;
}

static void server_accept(void *arg, int events)
{
    struct server *s = arg;

    (void)events;
    for (int i = 0; i < ACCEPTS_MAX && s->conns_nr < CONNS_MAX; i++) {
        int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            break;
        if (conn_start(s, fd) < 0)
            log_msg(LOG_ERROR, "%s: out of memory for a connection", s->fault->name);
    }
    if (s->conns_nr >= CONNS_MAX) {
        watch_stop(s->watch);
        s->watch = NULL;
    }
}

void server_resume(struct server *s)
{
    if (s->watch || s->fd < 0 || s->conns_nr >= CONNS_MAX)
        return;
    s->watch = loop_watch(s->loop, s->fd, LOOP_READ, server_accept, s);
    if (!s->watch)
        log_msg(LOG_ERROR, "%s: cannot watch the listener", s->fault->name);
}

static int server_listen(struct server *s)
{
    switch (s->fault->listening) {
    case LISTEN_NOT: return 0;
    case LISTEN_FULL:
        if (listen(s->fd, FULL_LEN) < 0)
            return -errno;
        return fill_queue(s);
    case LISTEN_ACCEPT: break;
    }
    if (listen(s->fd, BACKLOG) < 0)
        return -errno;
    server_resume(s);
    return s->watch ? 0 : -ENOMEM;
}

int server_new(struct loop *l, const struct fault *f, struct server **out)
{
    struct server *s = calloc(1, sizeof(*s));
    int rc;

    if (!s)
        return -ENOMEM;
    s->loop = l;
    s->fault = f;
    s->fd = -1;
    rc = bind_anywhere(s);
    if (!rc)
        rc = server_listen(s);
    if (rc < 0) {
        server_free(s);
        return rc;
    }
    *out = s;
    return 0;
}

void server_free(struct server *s)
{
    if (!s)
        return;
    watch_stop(s->watch);
    while (s->conns)
        conn_free(s->conns);
    for (size_t i = 0; i < s->fill_nr; i++)
        close(s->fill[i]);
    free(s->fill);
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}
