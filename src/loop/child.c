#include "loop/internal.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
    uv_process_t process;
    child_fn on_exit; /* NULL: freed by its owner, only to be reaped */
    void *arg;
    int in;       /* write end, -1 closed, or the child's stdin is /dev/null */
    int out, err; /* read ends, -1 closed */
    pid_t pid;
    bool ended, freed;
};

static void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void child_closed(uv_handle_t *h)
{
    free(h->data);
}

/* Closes the handle; the memory goes with the close callback. */
void child_abandon(struct child *c)
{
    fd_close(&c->in);
    fd_close(&c->out);
    fd_close(&c->err);
    c->freed = true;
    c->on_exit = NULL;
    if (!uv_is_closing((uv_handle_t *)&c->process))
        uv_close((uv_handle_t *)&c->process, child_closed);
}

static void on_exit_cb(uv_process_t *h, int64_t status, int term_signal)
{
    struct child *c = h->data;
    c->ended = true;
    if (c->on_exit)
        c->on_exit(c->arg, (int)status, term_signal);
    if (c->freed)
        child_abandon(c);
}

static int pipe_for_child(int *read_end, int *write_end)
{
    int fd[2];
    if (pipe2(fd, O_CLOEXEC) < 0)
        return -errno;
    /* Only our end: the two have file descriptions of their own. */
    if (fcntl(fd[0], F_SETFL, O_NONBLOCK) < 0) {
        int rc = -errno;
        close(fd[0]);
        close(fd[1]);
        return rc;
    }
    *read_end = fd[0];
    *write_end = fd[1];
    return 0;
}

static int pipe_to_child(int *write_end, int *read_end)
{
    int fd[2];

    if (pipe2(fd, O_CLOEXEC) < 0)
        return -errno;
    if (fcntl(fd[1], F_SETFL, O_NONBLOCK) < 0) {
        int rc = -errno;
        close(fd[0]);
        close(fd[1]);
        return rc;
    }
    *read_end = fd[0];
    *write_end = fd[1];
    return 0;
}

static int start_child(struct loop *l, const char *path, char *const argv[], child_fn on_exit,
                       void *arg, bool talk, struct child **out)
{
    int in_r = -1, out_w = -1, err_w = -1;
    struct child *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->in = c->out = c->err = -1;
    c->on_exit = on_exit;
    c->arg = arg;
    c->process.data = c;
    int rc = pipe_for_child(&c->out, &out_w);
    if (rc == 0)
        rc = pipe_for_child(&c->err, &err_w);
    if (rc == 0 && talk)
        rc = pipe_to_child(&c->in, &in_r);
    if (rc < 0)
        goto out;

    uv_stdio_container_t io[3] = {
        {.flags = talk ? UV_INHERIT_FD : UV_IGNORE, .data.fd = in_r},
        {.flags = UV_INHERIT_FD, .data.fd = out_w},
        {.flags = UV_INHERIT_FD, .data.fd = err_w},
    };
    uv_process_options_t opt = {
        .file = path,
        .args = (char **)argv,
        .exit_cb = on_exit_cb,
        .stdio = io,
        .stdio_count = 3,
        /* A session of its own: ^C on the terminal is ours to act on, a helper must live until
         * its last packets are read. */
        .flags = UV_PROCESS_DETACHED,
    };
    rc = uv_spawn(&l->uv, &c->process, &opt);
    if (rc < 0) {
        child_abandon(c); /* uv wants even a handle that failed closed */
        c = NULL;
        goto out;
    }
    c->pid = c->process.pid;
    *out = c;
out:
    fd_close(&in_r);
    fd_close(&out_w);
    fd_close(&err_w);
    if (rc < 0 && c) {
        fd_close(&c->in);
        fd_close(&c->out);
        fd_close(&c->err);
        free(c);
    }
    return rc;
}

int loop_child(struct loop *l, const char *path, char *const argv[], child_fn on_exit, void *arg,
               struct child **out)
{
    return start_child(l, path, argv, on_exit, arg, false, out);
}

int loop_child_talk(struct loop *l, const char *path, char *const argv[], child_fn on_exit,
                    void *arg, struct child **out)
{
    return start_child(l, path, argv, on_exit, arg, true, out);
}

/* ---- our own helpers ---- */

static int beside_program(char *out, size_t outlen, const char *name)
{
    char exe[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);

    if (n < 0)
        return -errno;
    exe[n] = '\0';
    char *slash = strrchr(exe, '/');
    if (!slash)
        return -ENOENT;
    *slash = '\0';
    if ((size_t)snprintf(out, outlen, "%s/%s", exe, name) >= outlen)
        return -ENAMETOOLONG;
    return access(out, F_OK) == 0 ? 0 : -errno;
}

int loop_helper_path(char *out, size_t outlen, const char *name)
{
    if (beside_program(out, outlen, name) == 0)
        return 0;
    if ((size_t)snprintf(out, outlen, "%s/%s", PKGLIBEXECDIR, name) >= outlen)
        return -ENAMETOOLONG;
    return access(out, F_OK) == 0 ? 0 : -ENOENT;
}

/* ---- a running child ---- */

pid_t child_pid(const struct child *c)
{
    return c->pid;
}

int child_stdin(const struct child *c)
{
    return c->in;
}

int child_stdout(const struct child *c)
{
    return c->out;
}

int child_stderr(const struct child *c)
{
    return c->err;
}

int child_kill(struct child *c, int signo)
{
    siginfo_t info;
    if (c->ended)
        return -ESRCH;
    /* Reaped already, its callback still to come: the number may be another's by now. */
    if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
        return errno == ECHILD ? -ESRCH : -errno;
    return kill(c->pid, signo) < 0 ? -errno : 0;
}

void child_free(struct child *c)
{
    if (!c || c->freed)
        return;
    if (c->ended) {
        child_abandon(c);
        return;
    }
    /* Still running: keep the handle so that libuv reaps it, but wait for it no longer. */
    fd_close(&c->in);
    fd_close(&c->out);
    fd_close(&c->err);
    c->freed = true;
    c->on_exit = NULL;
    uv_unref((uv_handle_t *)&c->process);
}
