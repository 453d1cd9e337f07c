/*
 * COMMAND, and which sockets are its own: a seccomp filter that is inherited by all it starts hands
 * each connect() and accept() over to us before the kernel carries it out (seccomp_unotify(2)), so
 * that a connection of one millisecond is known by its cookie before it exists. We only look, and
 * always let the call go on. Where the filter cannot be had, the table of sockets is all there is.
 */
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS_MAX 64 /* looked at in one turn */

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE_ARCH AUDIT_ARCH_RISCV64
#endif
#if defined(NATIVE_ARCH) && defined(SYS_pidfd_open) && defined(SYS_pidfd_getfd) &&                 \
    defined(SECCOMP_USER_NOTIF_FLAG_CONTINUE)
#define CAN_NOTIFY 1
#else
#define CAN_NOTIFY 0
#endif

struct host_command {
    struct loop *loop;
    struct host_watch *sockets;
    host_command_fn on_exit;
    void *arg;
    pid_t pid;
    int pidfd, notify_fd, keeper; /* keeper: the pipe whose end tells it that we are gone */
    struct watch *exit_watch, *notify_watch;
    uint64_t calls, unseen; /* unseen: the process did not let us look */
    bool ended;
};

/* ---- the child, up to exec: nothing but system calls ---- */

static int install_filter(void)
{
#if CAN_NOTIFY
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_connect, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_accept, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_accept4, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    };
    struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    long fd =
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
    return fd < 0 ? -errno : (int)fd;
#else
    return -ENOSYS;
#endif
}

/* The listener, or why there is none, goes to the parent; the child waits until it is served. */
static int hand_over(int sock, int fd)
{
    union {
        struct cmsghdr align;
        char buf[CMSG_SPACE(sizeof(int))];
    } control;
    int32_t word = fd;
    struct iovec io = {&word, sizeof(word)};
    struct msghdr msg = {.msg_iov = &io, .msg_iovlen = 1};
    char go;

    memset(&control, 0, sizeof(control));
    if (fd >= 0) {
        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control.buf);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(int));
    }
    if (sendmsg(sock, &msg, 0) < 0 || read(sock, &go, 1) != 1)
        return -1;
    if (fd >= 0)
        close(fd);
    return 0;
}

static void become_command(int sock, char *const argv[])
{
    static const int defaults[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
    sigset_t none;

    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
        signal(defaults[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (hand_over(sock, install_filter()) == 0)
        execvp(argv[0], argv);
    int32_t err = errno;
    ssize_t n = write(sock, &err, sizeof(err)); /* close-on-exec: read only where exec failed */
    (void)n;
    _exit(127);
}

/* ---- the keeper ---- */

#if CAN_NOTIFY
static bool let_go_on(int fd, uint64_t id)
{
    struct seccomp_notif_resp resp = {.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};

    return ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &resp) == 0;
}

/* A call that nobody answers fails with ENOSYS: what COMMAND leaves running outlives us, so a small
 * process waits until we are gone, however that came, and then lets all calls go on. */
static void keep(int notify_fd, int gone)
{
    struct seccomp_notif req;
    char byte;
    int null = open("/dev/null", O_RDWR);

    for (int fd = 0; null >= 0 && fd <= 2; fd++)
        dup2(null, fd);
    setsid();
    while (read(gone, &byte, 1) < 0 && errno == EINTR)
        ;
    for (;;) {
        struct pollfd p = {notify_fd, POLLIN, 0};
        if (poll(&p, 1, -1) < 0 && errno != EINTR)
            _exit(0);
        if (p.revents & (POLLHUP | POLLERR | POLLNVAL)) /* the last of them has ended */
            _exit(0);
        memset(&req, 0, sizeof(req));
        if (ioctl(notify_fd, SECCOMP_IOCTL_NOTIF_RECV, &req) == 0)
            let_go_on(notify_fd, req.id);
    }
}
#endif

static void start_keeper(struct host_command *c)
{
#if CAN_NOTIFY
    int gone[2];

    if (pipe2(gone, O_CLOEXEC) < 0)
        return;
    pid_t pid = fork();
    if (pid == 0) {
        /* Twice, so that nobody has to wait for it. */
        close(gone[1]);
        if (fork() != 0)
            _exit(0);
        keep(c->notify_fd, gone[0]);
        _exit(0);
    }
    close(gone[0]);
    if (pid < 0) {
        close(gone[1]);
        return;
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    c->keeper = gone[1];
#else
    (void)c;
#endif
}

/* ---- calls ---- */

#if CAN_NOTIFY
static pid_t process_of(pid_t thread)
{
    char path[64], text[2048];

    snprintf(path, sizeof(path), "/proc/%ld/status", (long)thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return thread;
    text[n] = '\0';
    const char *at = strstr(text, "\nTgid:\t");
    char digits[16];
    uint64_t pid;
    if (!at)
        return thread;
    at += 7;
    snprintf(digits, sizeof(digits), "%.*s", (int)MIN_OF(strcspn(at, "\n"), (size_t)12), at);
    return parse_u64(digits, 1, INT32_MAX, &pid) ? thread : (pid_t)pid;
}

static int its_socket(pid_t process, int fd)
{
    long pidfd = syscall(SYS_pidfd_open, process, 0);

    if (pidfd < 0)
        return -errno;
    long got = syscall(SYS_pidfd_getfd, (int)pidfd, fd, 0);
    int err = got < 0 ? -errno : (int)got;
    close((int)pidfd);
    return err;
}

static bool is_tcp(int fd)
{
    int domain = 0, protocol = 0;
    socklen_t len = sizeof(int);

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
           (domain == AF_INET || domain == AF_INET6) &&
           getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 && protocol == IPPROTO_TCP;
}

static void on_connect(struct host_command *c, const struct seccomp_notif *req, int fd,
                       const struct host_owner *owner)
{
    struct sockaddr_storage to;
    struct addr dst = {0};
    uint16_t port = 0;
    uint64_t cookie = 0;
    socklen_t len = sizeof(cookie);
    struct iovec here = {&to, MIN_OF((size_t)req->data.args[2], sizeof(to))};
    struct iovec there = {(void *)(uintptr_t)req->data.args[1], here.iov_len};

    memset(&to, 0, sizeof(to));
    if (process_vm_readv((pid_t)req->pid, &here, 1, &there, 1, 0) < 0 ||
        addr_from_sockaddr((struct sockaddr *)&to, &dst, &port) < 0)
        memset(&dst, 0, sizeof(dst));
    if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0)
        host_watch_claim(c->sockets, cookie, owner, &dst, port);
}

static void on_accept(struct host_command *c, int fd, const struct host_owner *owner)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);
    struct addr a;
    uint16_t port;

    if (getsockname(fd, (struct sockaddr *)&at, &len) == 0 &&
        addr_from_sockaddr((struct sockaddr *)&at, &a, &port) == 0 && port)
        host_watch_claim_port(c->sockets, port, owner);
}

static void look(struct host_command *c, const struct seccomp_notif *req)
{
    struct host_owner owner;
    pid_t process = process_of((pid_t)req->pid);
    int fd = its_socket(process, (int)req->data.args[0]);

    c->calls++;
    if (fd < 0) {
        c->unseen += fd != -EBADF && fd != -ESRCH;
        return;
    }
    if (is_tcp(fd) && host_owner_of_pid(&owner, process) == 0) {
        if (req->data.nr == SYS_connect)
            on_connect(c, req, fd, &owner);
        else
            on_accept(c, fd, &owner);
    }
    close(fd);
}

static void on_calls(void *arg, int events)
{
    struct host_command *c = arg;
    struct seccomp_notif req;

    (void)events;
    for (int i = 0; i < CALLS_MAX; i++) {
        struct pollfd p = {c->notify_fd, POLLIN, 0};
        if (poll(&p, 1, 0) <= 0)
            return;
        if (p.revents & (POLLHUP | POLLERR)) { /* nobody is left under the filter */
            watch_stop(c->notify_watch);
            c->notify_watch = NULL;
            return;
        }
        memset(&req, 0, sizeof(req));
        if (ioctl(c->notify_fd, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0)
            return; /* it was killed meanwhile */
        look(c, &req);
        let_go_on(c->notify_fd, req.id);
    }
}
#endif

/* ---- begin and end ---- */

static void on_ended(void *arg, int events)
{
    struct host_command *c = arg;
    siginfo_t info;

    (void)events;
    memset(&info, 0, sizeof(info));
    if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG) < 0 || !info.si_pid)
        return;
    c->ended = true;
    watch_stop(c->exit_watch);
    c->exit_watch = NULL;
    bool exited = info.si_code == CLD_EXITED;
    c->on_exit(c->arg, exited ? info.si_status : 0, exited ? 0 : info.si_status);
}

static int take_listener(int sock, int *listener)
{
    union {
        struct cmsghdr align;
        char buf[CMSG_SPACE(sizeof(int))];
    } control;
    int32_t word = 0;
    struct iovec io = {&word, sizeof(word)};
    struct msghdr msg = {.msg_iov = &io,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control.buf)};

    *listener = -1;
    if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != sizeof(word))
        return -EIO;
    struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
    if (h && h->cmsg_type == SCM_RIGHTS)
        memcpy(listener, CMSG_DATA(h), sizeof(int));
    return word < 0 ? word : 0;
}

/* 0 once COMMAND runs; why there is no filter in *no_filter. */
static int begin(struct host_command *c, int sock, int *no_filter)
{
    int32_t err = 0;

    *no_filter = take_listener(sock, &c->notify_fd);
    c->pidfd = -1;
#ifdef SYS_pidfd_open
    c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
#endif
    if (c->pidfd < 0)
        return -errno;
    (void)fcntl(c->pidfd, F_SETFD, FD_CLOEXEC);
    if (c->notify_fd >= 0)
        start_keeper(c);
    if (write(sock, "g", 1) != 1)
        return -errno;
    ssize_t n;
    while ((n = read(sock, &err, sizeof(err))) < 0 && errno == EINTR)
        ;
    if (n == sizeof(err) && err)
        return -err; /* exec failed */
    c->exit_watch = loop_watch(c->loop, c->pidfd, LOOP_READ, on_ended, c);
#if CAN_NOTIFY
    if (c->notify_fd >= 0)
        c->notify_watch = loop_watch(c->loop, c->notify_fd, LOOP_READ, on_calls, c);
    if (c->notify_fd >= 0 && !c->notify_watch)
        return -ENOMEM;
#endif
    return c->exit_watch ? 0 : -ENOMEM;
}

int host_command_start(struct host_command **out, struct loop *l, char *const argv[],
                       struct host_watch *sockets, host_command_fn on_exit, void *arg,
                       int *no_filter)
{
    struct host_command *c = calloc(1, sizeof(*c));
    int pair[2], err;

    if (!c)
        return -ENOMEM;
    *c = (struct host_command){.loop = l,
                               .sockets = sockets,
                               .on_exit = on_exit,
                               .arg = arg,
                               .pidfd = -1,
                               .notify_fd = -1,
                               .keeper = -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        err = -errno;
        free(c);
        return err;
    }
    c->pid = fork();
    if (c->pid == 0) {
        close(pair[0]);
        become_command(pair[1], argv);
    }
    close(pair[1]);
    err = c->pid < 0 ? -errno : begin(c, pair[0], no_filter);
    close(pair[0]);
    if (err) {
        host_command_free(c);
        return err;
    }
    *out = c;
    return 0;
}

int host_command_signal(struct host_command *c, int signo)
{
    /* Not reaped before on_ended() says so: the number is its own. */
    return c->ended ? -ESRCH : kill(c->pid, signo) < 0 ? -errno : 0;
}

uint64_t host_command_calls(const struct host_command *c, uint64_t *unseen)
{
    *unseen = c->unseen;
    return c->calls;
}

bool host_command_owns(const struct host_command *c, pid_t pid)
{
    char path[64], text[512];
    uint64_t parent;

    for (int depth = 0; pid > 1 && depth < 64; depth++) {
        if (pid == c->pid)
            return true;
        snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        if (fd >= 0)
            close(fd);
        text[n > 0 ? n : 0] = '\0';
        const char *at = strrchr(text, ')'); /* "PID (NAME) S PPID": a name may hold anything */
        char digits[16];
        if (!at || strlen(at) < 5)
            return false;
        snprintf(digits, sizeof(digits), "%.*s", (int)MIN_OF(strcspn(at + 4, " "), (size_t)12),
                 at + 4);
        if (parse_u64(digits, 0, INT32_MAX, &parent))
            return false;
        pid = (pid_t)parent;
    }
    return false;
}

void host_command_free(struct host_command *c)
{
    if (!c)
        return;
    watch_stop(c->exit_watch);
    watch_stop(c->notify_watch);
    if (c->notify_fd >= 0)
        close(c->notify_fd);
    if (c->pidfd >= 0)
        close(c->pidfd);
    if (c->keeper >= 0)
        close(c->keeper);
    free(c);
}
