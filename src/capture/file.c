#include "capture/source.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DROP_STEP    ((size_t)4 << 20)
#define THREAD_WORTH ((size_t)1 << 20)

/* A regular file, mapped and walked in place. */
struct mapped {
    struct turn *turn;
    struct reader *reader; /* NULL: small, or no thread was to be had */
    int fd;
    uint8_t *map;
    size_t size, off, dropped; /* bytes before `dropped` are mapped no more than on paper */
};

static void file_close(struct capture *c)
{
    struct mapped *m = c->source;

    if (!m)
        return;
    turn_stop(m->turn);
    reader_halt(m->reader);
    /* on_record() may have asked for this: its record still points into the mapping. */
    if (c->depth > 0 && !c->doomed) {
        m->turn = NULL;
        return;
    }
    reader_free(m->reader);
    if (m->map)
        munmap(m->map, m->size);
    if (m->fd >= 0)
        close(m->fd);
    free(m);
    c->source = NULL;
}

static void file_pause(struct capture *c, bool pause)
{
    struct mapped *m = c->source;

    c->halted = pause;
    turn_set(m->turn, !pause);
}

static void file_stop(struct capture *c)
{
    capture_finish(c, CAPTURE_ENDED, CAPERR_NONE, "%s", "");
}

static const struct source_ops file_ops = {
    .pause = file_pause, .stop = file_stop, .close = file_close};

/* A file that shrinks under its mapping would answer with SIGBUS. */
static bool still_whole(const struct mapped *m)
{
    struct stat st;

    return fstat(m->fd, &st) == 0 && st.st_size >= (off_t)m->size;
}

/* What was walked must not count as this program's memory: a capture may be larger than RAM. */
static void drop_behind(struct mapped *m)
{
    size_t to = m->off & ~(DROP_STEP - 1);

    if (to > m->dropped)
        madvise(m->map + m->dropped, to - m->dropped, MADV_DONTNEED);
    m->dropped = MAX_OF(m->dropped, to);
}

/* What the thread has read, for one slice. */
static int take_batches(struct capture *c, struct mapped *m, size_t *used)
{
    nstime until = loop_clock() + SLICE_NS;
    int r;

    do {
        struct batch *b = reader_batch(m->reader);
        if (!capture_hand(c, b))
            return 1;
        *used += b->used;
        r = b->r;
        reader_done(m->reader);
    } while (r > 0 && loop_clock() < until);
    return r;
}

static void on_file_turn(void *arg)
{
    struct capture *c = arg;
    struct mapped *m = c->source;
    size_t used = 0;

    capture_enter(c);
    capture_ready(c);
    if (c->halted) /* by who heard that it is ready */
        goto out;
    if (!still_whole(m)) {
        capture_finish(c, CAPTURE_ENDED, CAPERR_FILE, "%s",
                       _("it was cut while it was being read"));
        goto out;
    }
    int r = m->reader ? take_batches(c, m, &used)
                      : capture_walk(c, m->map + m->off, m->size - m->off, &used);
    m->off += used;
    drop_behind(m);
    if (r < 0)
        capture_finish_damage(c);
    else if (r == 0)
        capture_finish_bytes(c, m->size - m->off);
out:
    capture_leave(c);
}

/* Reads the first record with a reader of its own: a wrong format, link type or filter is told
 * before anything starts. */
static int check_front(struct capture *c, const struct mapped *m, char *err, size_t errlen,
                       enum capture_error *kind)
{
    struct record rec;
    size_t used = 0;
    const uint8_t *p = m->map + m->off;
    size_t len = m->size - m->off;

    int r = capread_next(&c->reader, p, len, &used, &rec);
    *kind = CAPERR_FORMAT;
    if (r < 0) {
        snprintf(err, errlen, "%s", c->reader.error);
    } else if (r == 0 && c->reader.nifs == 0 &&
               (used < len || c->reader.format != CAPREAD_PCAPNG)) {
        r = -EBADMSG;
        snprintf(err, errlen, "%s", _("it is cut inside the header of the capture"));
    } else if (r > 0 || c->reader.format == CAPREAD_PCAP) {
        r = capture_check_link(c, r > 0 ? rec.link : c->reader.link, err, errlen, kind);
    }
    c->link_checked = r == 0;
    capread_release(&c->reader);
    capread_init(&c->reader);
    return r < 0 ? r : 0;
}

static int map_file(struct mapped *m, const struct stat *st)
{
    off_t at = lseek(m->fd, 0, SEEK_CUR); /* stdin may have been read from before */

    m->size = (size_t)st->st_size;
    m->off = at > 0 && at < st->st_size ? (size_t)at : 0;
    m->map = mmap(NULL, m->size, PROT_READ, MAP_PRIVATE, m->fd, 0);
    if (m->map == MAP_FAILED) {
        m->map = NULL;
        return -errno;
    }
    madvise(m->map, m->size, MADV_SEQUENTIAL);
    return 0;
}

static void say_not_capture(const uint8_t *p, size_t len, char *err, size_t errlen)
{
    const char *like = looks_like(p, len);

    if (like)
        snprintf(err, errlen, _("it is not a capture: it looks like %s"), _(like));
    else
        snprintf(err, errlen, "%s", _("it is not a capture (pcap or pcapng)"));
}

/* Takes fd over, whatever comes of it. */
static int regular_open(struct capture *c, int fd, const struct stat *st, char *err, size_t errlen,
                        enum capture_error *kind)
{
    struct mapped *m = calloc(1, sizeof(*m));
    int r = -ENOMEM;

    *kind = CAPERR_FILE;
    if (!m) {
        close(fd);
        goto out;
    }
    m->fd = fd;
    c->source = m;
    c->ops = &file_ops;
    r = map_file(m, st);
    if (r < 0)
        goto out;
    r = check_front(c, m, err, errlen, kind);
    if (r == -EPROTONOSUPPORT)
        say_not_capture(m->map + m->off, m->size - m->off, err, errlen);
    if (r < 0)
        return r;
    if (m->size - m->off >= THREAD_WORTH)
        m->reader = reader_start(&c->reader, &c->cb, m->map + m->off, m->size - m->off);
    m->turn = turn_start(c->loop, on_file_turn, c);
    r = m->turn ? 0 : -ENOMEM;
out:
    if (r < 0)
        snprintf(err, errlen, "%s", strerror(-r));
    return r;
}

static int open_fd(const char *path, struct stat *st)
{
    bool is_stdin = strcmp(path, "-") == 0;
    /* Non-blocking: a FIFO nobody writes to yet must not hold the console. */
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return -errno;
    if (fstat(fd, st) < 0) {
        int e = -errno;
        if (!is_stdin)
            close(fd);
        return e;
    }
    if (is_stdin && S_ISREG(st->st_mode)) {
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return fd < 0 ? -errno : fd;
    }
    return fd;
}

static int open_path(struct capture *c, const char *path, char *err, size_t errlen,
                     enum capture_error *kind)
{
    struct stat st;
    int fd = open_fd(path, &st);
    int r = fd;

    *kind = CAPERR_FILE;
    if (fd < 0) {
        snprintf(err, errlen, "%s", strerror(-fd));
        return fd;
    }
    if (S_ISREG(st.st_mode) && st.st_size > 0)
        return regular_open(c, fd, &st, err, errlen, kind);
    if (S_ISDIR(st.st_mode)) {
        snprintf(err, errlen, "%s", _("it is a directory"));
        r = -EISDIR;
    } else if (S_ISREG(st.st_mode)) {
        snprintf(err, errlen, "%s", _("there is nothing in it"));
        r = -ENODATA;
    } else if (isatty(fd)) {
        snprintf(err, errlen, "%s", _("it is a terminal: a capture is read from a file or a pipe"));
        r = -ENOTTY;
    } else {
        r = pipe_open(c, fd);
        if (r < 0)
            snprintf(err, errlen, "%s", strerror(-r));
        return r;
    }
    if (fd != STDIN_FILENO)
        close(fd);
    return r;
}

/* The link type comes with the first bytes, and with it the last word on the filter. What suits no
 * kind of link is wrong at once. */
static int check_syntax(const char *filter, char *err, size_t errlen)
{
    static const uint32_t links[] = {LINK_IEEE802_11_RADIO, LINK_LINUX_SLL2, LINK_EN10MB};
    int r = -EINVAL;

    for (size_t i = 0; r < 0 && i < ARRAY_SIZE(links); i++)
        r = filter_check(filter, links[i], false, err, errlen, NULL);
    return r;
}

int capture_open_file(struct capture **out, struct loop *l, const char *path, const char *filter,
                      const struct capture_callbacks *cb, char *err, size_t errlen,
                      enum capture_error *kind)
{
    char why[TEXT_MAX] = "", text[2 * TEXT_MAX];
    enum capture_error k = CAPERR_NONE;
    int r = -ENOMEM;
    struct capture *c = capture_new(l, cb, filter);

    if (c)
        c->name = strdup(strcmp(path, "-") == 0 ? _("standard input") : path);
    if (c && c->name)
        r = c->filters.expr ? check_syntax(filter, why, sizeof why) : 0;
    if (r < 0)
        k = r == -EINVAL ? CAPERR_FILTER : CAPERR_FILE;
    else
        r = open_path(c, path, why, sizeof why, &k);
    if (r == 0) {
        *out = c;
        *kind = CAPERR_NONE;
        return 0;
    }
    if (k == CAPERR_FILTER)
        snprintf(text, sizeof text, _("wrong filter: %s"), why);
    else
        snprintf(text, sizeof text, "%s: %s", c && c->name ? c->name : path,
                 why[0] ? why : strerror(-r));
    text_clean(err, errlen, text, strlen(text));
    *kind = k;
    capture_free(c);
    return r;
}
