#include "capture/source.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK ((size_t)256 * 1024)

/* ---- bytes that arrive in pieces ---- */
static int make_room(struct stream *s)
{
    if (s->start > 0 && s->alloc - s->end < CHUNK) {
        memmove(s->buf, s->buf + s->start, s->end - s->start);
        s->end -= s->start;
        s->start = 0;
    }
    if (s->alloc - s->end >= CHUNK)
        return 0;
    size_t want = MAX_OF(s->alloc * 2, 2 * CHUNK);
    if (want > STREAM_MAX)
        return s->alloc > s->end ? 0 : -EFBIG;
    uint8_t *p = realloc(s->buf, want);
    if (!p)
        return -ENOMEM;
    s->buf = p;
    s->alloc = want;
    return 0;
}

int stream_fill(struct stream *s, int fd)
{
    int r = make_room(s);

    if (r < 0)
        return r;
    ssize_t n = read(fd, s->buf + s->end, MIN_OF(s->alloc - s->end, CHUNK));
    if (n > 0) {
        s->end += (size_t)n;
        return 1;
    }
    if (n == 0)
        s->eof = true;
    return n == 0 || errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

void stream_release(struct stream *s)
{
    free(s->buf);
    *s = (struct stream){0};
}

/* ---- stdin, a FIFO, a device ---- */
struct pipe_source {
    struct watch *w;
    struct turn *turn; /* on while whole records wait; for what cannot be polled, always */
    int fd;
    bool more, no_poll;
    struct stream in;
};

static void pipe_close(struct capture *c)
{
    struct pipe_source *s = c->source;

    if (!s)
        return;
    watch_stop(s->w);
    turn_stop(s->turn);
    s->w = NULL;
    s->turn = NULL;
    if (c->depth > 0 && !c->doomed)
        return;
    stream_release(&s->in);
    if (s->fd > STDIN_FILENO)
        close(s->fd);
    free(s);
    c->source = NULL;
}

static void pipe_arm(struct pipe_source *s, bool paused)
{
    if (s->w)
        watch_set(s->w, paused || s->more ? 0 : LOOP_READ);
    turn_set(s->turn, !paused && (s->more || s->no_poll));
}

static void pipe_pause(struct capture *c, bool pause)
{
    c->halted = pause;
    pipe_arm(c->source, pause);
}

static void pipe_stop(struct capture *c)
{
    capture_finish(c, CAPTURE_ENDED, CAPERR_NONE, "%s", "");
}

static const struct source_ops pipe_ops = {
    .pause = pipe_pause, .stop = pipe_stop, .close = pipe_close};

static void pipe_damage(struct capture *c, const struct pipe_source *s, int r)
{
    const char *like = looks_like(s->in.buf + s->in.start, s->in.end - s->in.start);

    if (r != -EPROTONOSUPPORT || c->reader.format != CAPREAD_UNKNOWN)
        capture_finish_damage(c);
    else if (like)
        capture_finish(c, CAPTURE_FAILED, CAPERR_FORMAT, _("it is not a capture: it looks like %s"),
                       _(like));
    else
        capture_finish(c, CAPTURE_FAILED, CAPERR_FORMAT, "%s",
                       _("it is not a capture (pcap or pcapng)"));
}

static void pipe_step(struct capture *c, struct pipe_source *s)
{
    size_t used = 0;
    int r = 0;

    if (!s->more)
        r = stream_fill(&s->in, s->fd);
    if (r == -EFBIG)
        capture_finish(c, CAPTURE_ENDED, CAPERR_FORMAT,
                       _("packet %llu claims to be larger than any packet"),
                       (unsigned long long)c->reader.records + 1);
    else if (r < 0)
        capture_finish(c, CAPTURE_ENDED, CAPERR_FILE, "%s", strerror(-r));
    if (r < 0)
        return;
    r = capture_walk(c, s->in.buf + s->in.start, s->in.end - s->in.start, &used);
    s->in.start += used;
    s->more = r > 0;
    if (c->state != CAPTURE_READY)
        return;
    if (r < 0)
        pipe_damage(c, s, r);
    else if (r == 0 && s->in.eof)
        capture_finish_bytes(c, s->in.end - s->in.start);
    else
        pipe_arm(s, c->halted);
}

static void on_pipe_turn(void *arg)
{
    struct capture *c = arg;

    capture_enter(c);
    capture_ready(c);
    if (!c->halted)
        pipe_step(c, c->source);
    capture_leave(c);
}

static void on_pipe(void *arg, int events)
{
    (void)events;
    on_pipe_turn(arg);
}

int pipe_open(struct capture *c, int fd)
{
    struct pipe_source *s = calloc(1, sizeof(*s));

    if (!s) {
        if (fd > STDIN_FILENO)
            close(fd);
        return -ENOMEM;
    }
    s->fd = fd;
    c->source = s;
    c->ops = &pipe_ops;
    s->w = loop_watch(c->loop, fd, LOOP_READ, on_pipe, c);
    s->no_poll = !s->w; /* /dev/null and its like: always readable */
    s->turn = turn_start(c->loop, on_pipe_turn, c);
    if (!s->turn)
        return -ENOMEM;
    pipe_arm(s, false);
    return 0;
}
