/* The list of formats, and where a report goes. */
#include "report/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct report_format *const formats[] = {
#define FORMAT(variable) &variable,
#include "report/list.h"
#undef FORMAT
};

size_t report_count(void)
{
    return ARRAY_SIZE(formats);
}

const struct report_format *report_at(size_t i)
{
    return i < ARRAY_SIZE(formats) ? formats[i] : NULL;
}

const struct report_format *report_by_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    return NULL;
}

/* ---- the buffer before the sink ---- */

void out_init(struct out *o, const struct sink *to)
{
    o->to = to;
    o->err = 0;
    strbuf_init(&o->buf);
}

void out_flush(struct out *o)
{
    if (!o->err)
        o->err = o->buf.err;
    if (!o->err && o->buf.len)
        o->err = o->to->write(o->to->arg, o->buf.buf, o->buf.len);
    strbuf_reset(&o->buf);
}

void out_some(struct out *o)
{
    if (o->to && o->buf.len >= 65536)
        out_flush(o);
}

int out_finish(struct out *o)
{
    out_flush(o);
    strbuf_release(&o->buf);
    return o->err;
}

/* ---- sinks ---- */

static int write_fd(void *arg, const char *data, size_t len)
{
    int fd = *(int *)arg;

    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

int write_to_fd(write_fn *fn, const void *what, int fd)
{
    struct sink to = {write_fd, &fd};

    return fn(what, &to);
}

/* A pipe or a device is written to, never replaced by a file. */
static int to_special(write_fn *fn, const void *what, const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    int err = fd < 0 ? -errno : write_to_fd(fn, what, fd);

    if (fd >= 0 && close(fd) < 0 && !err)
        err = -errno;
    return err;
}

/* Whom the file was open to, it stays open to: a collector of another user reads it. */
static int replace_file(write_fn *fn, const void *what, const char *path, mode_t mode)
{
    struct strbuf tmp = STRBUF_INIT;
    int fd, err;

    strbuf_addf(&tmp, "%s.XXXXXX", path);
    if (tmp.err)
        return tmp.err;
    fd = mkostemp(tmp.buf, O_CLOEXEC); /* 0600 */
    if (fd < 0) {
        err = -errno;
        goto out;
    }
    err = write_to_fd(fn, what, fd);
    if (!err && mode && fchmod(fd, mode) < 0)
        err = -errno;
    if (!err && fsync(fd) < 0 && errno != EINVAL)
        err = -errno;
    if (close(fd) < 0 && !err)
        err = -errno;
    if (!err && rename(tmp.buf, path) < 0)
        err = -errno;
    if (err)
        unlink(tmp.buf);
out:
    strbuf_release(&tmp);
    return err;
}

int write_to_file(write_fn *fn, const void *what, const char *path)
{
    char *real = realpath(path, NULL); /* what a link stands for; NULL: not there yet */
    struct stat st = {.st_mode = 0};
    bool there = stat(path, &st) == 0;
    int err;

    if (there && !S_ISREG(st.st_mode))
        err = to_special(fn, what, path);
    else
        err = replace_file(fn, what, real ? real : path, there ? st.st_mode & 0777 : 0);
    free(real);
    return err;
}

struct report_job {
    const struct report_format *format;
    const struct session *s;
};

static int write_report(const void *what, const struct sink *to)
{
    const struct report_job *job = what;

    return job->format->write(job->s, to);
}

int report_to_fd(const struct report_format *f, const struct session *s, int fd)
{
    return write_to_fd(write_report, &(struct report_job){f, s}, fd);
}

int report_to_file(const struct report_format *f, const struct session *s, const char *path)
{
    return write_to_file(write_report, &(struct report_job){f, s}, path);
}
