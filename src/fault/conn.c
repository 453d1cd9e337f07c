/* One connection of a misbehaving server, as a state machine: wait, reply, end. */
#include "fault/fault.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONN_LIFE     (20 * NS_PER_SEC) /* longer than any client's hold: then it is dropped */
#define FLUSH_TICK    (2 * NS_PER_MS)
#define DRAIN_LIFE    (3 * NS_PER_SEC)
#define DRAIN_MAX     ((uint64_t)64 << 20)
#define HEAD_MAX      16384
#define READ_PER_TURN 65536

enum conn_state {
    CONN_AWAIT,  /* waits for what its fault waits for */
    CONN_REPLY,  /* writes the reply */
    CONN_FLUSH,  /* the reply is on its way: a reset now would take bytes of it back */
    CONN_UNREAD, /* waits until there is something to leave unread */
    CONN_DRAIN,  /* our FIN is sent: reads to the peer's */
};

struct conn {
    struct server *server;
    struct conn *next, **prev;
    enum conn_state state;
    int fd;
    struct watch *watch;
    struct timer *timer;
    uint64_t total; /* bytes read */
    size_t have;    /* of them, kept in head */
    size_t sent;    /* of reply and padding */
    char head[HEAD_MAX];
};

static void conn_events(void *arg, int events);

void conn_free(struct conn *c)
{
    if (!c)
        return;
    watch_stop(c->watch);
    timer_stop(c->timer);
    if (c->fd >= 0)
        close(c->fd);
    *c->prev = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->server->conns_nr--;
    free(c);
}

/* The end: conn_free() closes, server_resume() may accept the next. */
static void conn_gone(struct conn *c)
{
    struct server *s = c->server;

    conn_free(c);
    server_resume(s);
}

static void conn_abort(struct conn *c)
{
    struct linger lin = {.l_onoff = 1, .l_linger = 0};

    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &lin, sizeof(lin));
    conn_gone(c);
}

static void conn_set(struct conn *c, enum conn_state state, int events)
{
    c->state = state;
    if (watch_set(c->watch, events) < 0)
        log_msg(LOG_ERROR, "cannot watch a connection");
}

static void conn_end(struct conn *c)
{
    switch (c->server->fault->ending) {
    case END_ABORT: conn_abort(c); break;
    case END_UNREAD: conn_set(c, CONN_UNREAD, LOOP_READ); break;
    case END_FIN:
        shutdown(c->fd, SHUT_WR);
        c->total = 0;
        timer_again(c->timer, DRAIN_LIFE);
        conn_set(c, CONN_DRAIN, LOOP_READ);
        break;
    }
}

/* A reset throws away what the peer has not acknowledged yet, so wait for an empty send queue.
 * A careless server does not (END_UNREAD): it closes, and what was sent may just get through. */
static void conn_flush(struct conn *c)
{
    int left = 0;

    if (c->server->fault->ending == END_ABORT && !ioctl(c->fd, SIOCOUTQ, &left) && left > 0) {
        conn_set(c, CONN_FLUSH, 0);
        timer_again(c->timer, FLUSH_TICK);
        return;
    }
    conn_end(c);
}

static ssize_t reply_write(struct conn *c)
{
    const struct fault *f = c->server->fault;
    size_t len = f->reply_len ? f->reply_len : strlen(f->reply);
    char padding[1024];

    if (c->sent < len)
        return send(c->fd, f->reply + c->sent, len - c->sent, MSG_NOSIGNAL);
    memset(padding, '.', sizeof(padding));
    return send(c->fd, padding, MIN_OF(sizeof(padding), len + f->padding - c->sent), MSG_NOSIGNAL);
}

static void conn_reply(struct conn *c)
{
    const struct fault *f = c->server->fault;
    size_t all = f->reply ? (f->reply_len ? f->reply_len : strlen(f->reply)) + f->padding : 0;

    while (c->sent < all) {
        ssize_t n = reply_write(c);
        if (n < 0 && errno == EAGAIN) {
            conn_set(c, CONN_REPLY, LOOP_WRITE);
            return;
        }
        if (n < 0) {
            conn_gone(c);
            return;
        }
        c->sent += (size_t)n;
    }
    conn_flush(c);
}

/* Reads at most max bytes in one turn, keeping the first HEAD_MAX. 1: more may follow, 0: nothing
 * now, -ECONNRESET: the peer has ended. */
static int conn_read(struct conn *c, size_t max)
{
    char rest[16384];

    while (max) {
        bool keep = c->have < HEAD_MAX;
        char *to = keep ? c->head + c->have : rest;
        ssize_t n = recv(c->fd, to, MIN_OF(max, keep ? HEAD_MAX - c->have : sizeof(rest)), 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (n <= 0)
            return -ECONNRESET;
        if (keep)
            c->have += (size_t)n;
        c->total += (uint64_t)n;
        max -= (size_t)n;
    }
    return 1;
}

/* How many bytes this connection waits for; 0: not known yet. */
static uint64_t conn_wanted(const struct conn *c)
{
    const struct fault *f = c->server->fault;
    uint64_t want = 0;

    switch (f->await) {
    case AWAIT_BYTES: return f->bytes;
    case AWAIT_HELLO: want = tls_hello_length((const unsigned char *)c->head, c->have); break;
    case AWAIT_REQUEST: want = http_request_length(c->head, c->have); break;
    default: break;
    }
    if (!want && c->have == HEAD_MAX)
        return HEAD_MAX; /* a head without end: it has had its chance */
    return want;
}

static void conn_await(struct conn *c)
{
    const struct fault *f = c->server->fault;
    uint64_t want;
    int rc;

    if (f->await == AWAIT_DATA) {
        conn_reply(c);
        return;
    }
    rc = conn_read(c, f->await == AWAIT_BYTES ? f->bytes - c->total : READ_PER_TURN);
    want = conn_wanted(c);
    if (want && c->total >= want)
        conn_reply(c);
    else if (rc < 0)
        conn_gone(c);
}

/* Closing with data in the receive queue makes the kernel send a RST. */
static void conn_unread(struct conn *c)
{
    int waiting = 0;
    char byte;

    if (!ioctl(c->fd, FIONREAD, &waiting) && waiting > 0)
        conn_gone(c);
    else if (recv(c->fd, &byte, 1, MSG_PEEK) == 0 || errno != EAGAIN)
        conn_gone(c); /* the peer has ended first: nothing will come to be left unread */
}

static void conn_drain(struct conn *c)
{
    int rc = conn_read(c, READ_PER_TURN);

    if (rc < 0 || c->total > DRAIN_MAX)
        conn_gone(c);
}

static void conn_events(void *arg, int events)
{
    struct conn *c = arg;

    (void)events;
    switch (c->state) {
    case CONN_AWAIT: conn_await(c); break;
    case CONN_REPLY: conn_reply(c); break;
    case CONN_FLUSH: break;
    case CONN_UNREAD: conn_unread(c); break;
    case CONN_DRAIN: conn_drain(c); break;
    }
}

static void conn_timer(void *arg)
{
    struct conn *c = arg;

    if (c->state == CONN_FLUSH)
        conn_flush(c);
    else if (c->state == CONN_AWAIT && c->server->fault->await == AWAIT_SILENCE)
        conn_reply(c);
    else
        conn_gone(c);
}

static int conn_link(struct server *s, int fd, struct conn **out)
{
    struct conn *c = calloc(1, sizeof(*c));

    if (!c) {
        close(fd);
        return -ENOMEM;
    }
    c->server = s;
    c->fd = fd;
    c->next = s->conns;
    c->prev = &s->conns;
    if (c->next)
        c->next->prev = &c->next;
    s->conns = c;
    s->conns_nr++;
    *out = c;
    return 0;
}

int conn_start(struct server *s, int fd)
{
    const struct fault *f = s->fault;
    bool silence = f->await == AWAIT_SILENCE;
    struct conn *c;
    int rc = conn_link(s, fd, &c);

    if (rc < 0)
        return rc;
    if (f->await == AWAIT_NOTHING && !f->reply) {
        conn_abort(c);
        return 0;
    }
    c->state = CONN_AWAIT;
    /* Silence is waited for without looking at what comes. */
    c->watch = loop_watch(s->loop, fd, silence ? 0 : LOOP_READ, conn_events, c);
    c->timer = loop_timer(s->loop, silence ? f->after : CONN_LIFE, 0, conn_timer, c);
    if (!c->watch || !c->timer) {
        conn_free(c);
        return -ENOMEM;
    }
    return 0;
}
