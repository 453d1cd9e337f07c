/*
 * --demo: rstfault runs as a child and says on stdout where its servers listen, one target a line
 * in random order, then "ready". It is ended by its process id.
 */
#include "program.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEMO_LINES_MAX 65536 /* bytes it may say */

struct demo {
    struct loop *loop;
    struct run *run;
    struct child *child;
    struct watch *out, *err;
    struct strbuf said;
    demo_ready_fn ready;
    void *arg;
    bool told;
};

static int beside(char *out, size_t outlen, const char *tail)
{
    char self[400];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (n <= 0)
        return -ENOENT;
    self[n] = 0;
    char *slash = strrchr(self, '/');
    if (!slash)
        return -ENOENT;
    *slash = 0;
    int len = snprintf(out, outlen, "%s/%s", self, tail);
    return len < 0 || (size_t)len >= outlen || access(out, X_OK) < 0 ? -ENOENT : 0;
}

/* Beside the running binary, then where it is installed; never by $PATH. */
static int find_rstfault(char *out, size_t outlen)
{
    if (beside(out, outlen, "rstfault") == 0)
        return 0;
    snprintf(out, outlen, "%s/rstfault", PKGLIBEXECDIR);
    return access(out, X_OK) < 0 ? -ENOENT : 0;
}

static void demo_tell(struct demo *d, int err, const char *text)
{
    if (d->told)
        return;
    d->told = true;
    d->ready(d->arg, err, text);
}

static void demo_line(struct demo *d, const char *line)
{
    char err[256] = "";

    if (strcmp(line, "ready") == 0) {
        demo_tell(d, 0, "");
    } else if (strncmp(line, "target ", 7) == 0) {
        int rc = run_add_target(d->run, line + 7, err, sizeof(err));
        if (rc)
            demo_tell(d, rc, err);
    }
}

static void demo_lines(struct demo *d)
{
    char *nl;

    while ((nl = memchr(d->said.buf, '\n', d->said.len))) {
        size_t len = (size_t)(nl - d->said.buf);
        *nl = 0;
        demo_line(d, d->said.buf);
        memmove(d->said.buf, nl + 1, d->said.len - len - 1);
        strbuf_setlen(&d->said, d->said.len - len - 1);
    }
}

static void on_demo_out(void *arg, int events)
{
    struct demo *d = arg;
    char buf[4096];
    ssize_t n = read(child_stdout(d->child), buf, sizeof(buf));

    (void)events;
    if (n > 0 && d->said.len + (size_t)n < DEMO_LINES_MAX) {
        strbuf_add(&d->said, buf, (size_t)n);
        demo_lines(d);
    } else if (n >= 0 || (errno != EAGAIN && errno != EINTR)) {
        watch_stop(d->out);
        d->out = NULL;
        demo_tell(d, -EIO, _("the demo's servers did not start"));
    }
}

/* What it says of itself is of no use here, but must not fill the pipe. */
static void on_demo_err(void *arg, int events)
{
    struct demo *d = arg;
    char buf[512];
    ssize_t n = read(child_stderr(d->child), buf, sizeof(buf));

    (void)events;
    if (n > 0) {
        char line[256];
        log_msg(LOG_DEBUG, "rstfault: %s", text_clean(line, sizeof(line), buf, (size_t)n));
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        watch_stop(d->err);
        d->err = NULL;
    }
}

static void on_demo_exit(void *arg, int status, int signo)
{
    char text[120];

    snprintf(text, sizeof(text), _("the demo's servers ended (status %d, signal %d)"), status,
             signo);
    demo_tell(arg, -EIO, text);
}

int demo_start(struct demo **out, struct loop *l, struct run *r, demo_ready_fn ready, void *arg)
{
    char path[512];
    int err = find_rstfault(path, sizeof(path));
    char *argv[] = {path, NULL};

    if (err)
        return err;
    struct demo *d = calloc(1, sizeof(*d));
    if (!d)
        return -ENOMEM;
    d->loop = l;
    d->run = r;
    d->ready = ready;
    d->arg = arg;
    strbuf_init(&d->said);
    err = loop_child(l, path, argv, on_demo_exit, d, &d->child);
    if (err)
        goto fail;
    err = -ENOMEM;
    d->out = loop_watch(l, child_stdout(d->child), LOOP_READ, on_demo_out, d);
    d->err = loop_watch(l, child_stderr(d->child), LOOP_READ, on_demo_err, d);
    if (!d->out || !d->err)
        goto fail;
    *out = d;
    return 0;
fail:
    demo_free(d);
    return err;
}

void demo_free(struct demo *d)
{
    if (!d)
        return;
    d->told = true;
    watch_stop(d->out);
    watch_stop(d->err);
    if (d->child) {
        child_kill(d->child, SIGTERM);
        child_free(d->child);
    }
    strbuf_release(&d->said);
    free(d);
}
