/* A dev program: probes its TARGETs again and again, each time with another allocation or system
 * call failing, once. Nothing may leak (memory, descriptors), crash or hang. Used by torture.py.
 *   torture [--calls] [--from N] [--step N] [--resolver ADDR:PORT] TARGET...
 *
 * The functions of this file stand before libc's also for the libraries (OpenSSL, libcurl, c-ares).
 * libuv is left out: it ends the program by abort() when it cannot go on, by its own design. */
#include "probe/probe.h"
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FDS_MAX  1024
#define PATIENCE 20 /* seconds: a run takes a few milliseconds */
#define FRAMES   24

static struct {
    bool armed, calls; /* what fails: calls of the system, or allocations */
    uint64_t at, seen; /* the at-th of those seen */
    bool failed;
    const char *what;
    void *frames[FRAMES];
    int nframes;
    int64_t live; /* blocks */
} fail;

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t m);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
void __libc_free(void *p);

static bool of_libuv(void *caller)
{
    static void *known[512];
    static bool answers[512];
    size_t at = ((uintptr_t)caller >> 2) % 512;
    Dl_info info;

    if (known[at] == caller)
        return answers[at];
    answers[at] = dladdr(caller, &info) && info.dli_fname && strstr(info.dli_fname, "libuv");
    known[at] = caller;
    return answers[at];
}

static bool is_due(bool call, const char *what, void *caller)
{
    if (!fail.armed || fail.calls != call)
        return false;
    fail.armed = false; /* what is looked up here is not counted */
    bool due = !of_libuv(caller) && __atomic_add_fetch(&fail.seen, 1, __ATOMIC_RELAXED) == fail.at;
    if (due) {
        fail.failed = true;
        fail.what = what;
        fail.nframes = backtrace(fail.frames, FRAMES);
    }
    fail.armed = true;
    return due;
}

#define ALLOCATION(call)                                                                           \
    do {                                                                                           \
        if (is_due(false, __func__, __builtin_return_address(0))) {                                \
            errno = ENOMEM;                                                                        \
            return NULL;                                                                           \
        }                                                                                          \
        void *got = (call);                                                                        \
        if (got)                                                                                   \
            __atomic_add_fetch(&fail.live, 1, __ATOMIC_RELAXED);                                   \
        return got;                                                                                \
    } while (0)

void *malloc(size_t n)
{
    ALLOCATION(__libc_malloc(n));
}

void *calloc(size_t n, size_t m)
{
    ALLOCATION(__libc_calloc(n, m));
}

void *aligned_alloc(size_t align, size_t n)
{
    ALLOCATION(__libc_memalign(align, n));
}

int posix_memalign(void **out, size_t align, size_t n)
{
    *out = aligned_alloc(align, n);
    return *out ? 0 : ENOMEM;
}

void *realloc(void *p, size_t n)
{
    if (!p)
        ALLOCATION(__libc_malloc(n));
    if (n && is_due(false, "realloc", __builtin_return_address(0))) {
        errno = ENOMEM;
        return NULL;
    }
    void *got = __libc_realloc(p, n);
    if (!got && !n)
        __atomic_add_fetch(&fail.live, -1, __ATOMIC_RELAXED);
    return got;
}

void free(void *p)
{
    int err = errno;

    if (p)
        __atomic_add_fetch(&fail.live, -1, __ATOMIC_RELAXED);
    __libc_free(p);
    errno = err;
}

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name)
{
    static struct {
        const char *name;
        void *fn;
    } found[32];
    for (size_t i = 0; i < ARRAY_SIZE(found); i++) {
        if (!found[i].name) {
            bool armed = fail.armed;
            fail.armed = false;
            found[i].fn = dlsym(RTLD_NEXT, name);
            found[i].name = name;
            fail.armed = armed;
        }
        if (!strcmp(found[i].name, name))
            return found[i].fn;
    }
    abort();
}

#define CALL(err, name, ...)                                                                       \
    do {                                                                                           \
        if (is_due(true, #name, __builtin_return_address(0))) {                                    \
            errno = (err);                                                                         \
            return -1;                                                                             \
        }                                                                                          \
        return REAL(name)(__VA_ARGS__);                                                            \
    } while (0)

int socket(int domain, int type, int protocol)
{
    CALL(EMFILE, socket, domain, type, protocol);
}
int bind(int fd, const struct sockaddr *a, socklen_t len)
{
    CALL(EADDRINUSE, bind, fd, a, len);
}
int connect(int fd, const struct sockaddr *a, socklen_t len)
{
    CALL(EADDRNOTAVAIL, connect, fd, a, len);
}
int shutdown(int fd, int how)
{
    CALL(ENOTCONN, shutdown, fd, how);
}
int getsockopt(int fd, int level, int name, void *v, socklen_t *len)
{
    CALL(ENOBUFS, getsockopt, fd, level, name, v, len);
}
int setsockopt(int fd, int level, int name, const void *v, socklen_t len)
{
    CALL(ENOBUFS, setsockopt, fd, level, name, v, len);
}
int getsockname(int fd, struct sockaddr *a, socklen_t *len)
{
    CALL(ENOBUFS, getsockname, fd, a, len);
}
int getpeername(int fd, struct sockaddr *a, socklen_t *len)
{
    CALL(ENOBUFS, getpeername, fd, a, len);
}
ssize_t recv(int fd, void *buf, size_t n, int flags)
{
    CALL(ECONNRESET, recv, fd, buf, n, flags);
}
ssize_t recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *a, socklen_t *len)
{
    CALL(ENOMEM, recvfrom, fd, buf, n, flags, a, len);
}
ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    CALL(ENOMEM, recvmsg, fd, m, flags);
}
ssize_t send(int fd, const void *buf, size_t n, int flags)
{
    CALL(ENOBUFS, send, fd, buf, n, flags);
}
ssize_t sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *a,
               socklen_t len)
{
    CALL(ENOBUFS, sendto, fd, buf, n, flags, a, len);
}
ssize_t read(int fd, void *buf, size_t n)
{
    CALL(EIO, read, fd, buf, n);
}
ssize_t write(int fd, const void *buf, size_t n)
{
    CALL(EIO, write, fd, buf, n);
}
int epoll_ctl(int ep, int op, int fd, struct epoll_event *ev)
{
    CALL(ENOMEM, epoll_ctl, ep, op, fd, ev);
}
int epoll_wait(int ep, struct epoll_event *ev, int n, int ms)
{
    CALL(EINTR, epoll_wait, ep, ev, n, ms);
}
int epoll_create1(int flags)
{
    CALL(EMFILE, epoll_create1, flags);
}
int ioctl(int fd, unsigned long what, ...)
{
    va_list ap;
    va_start(ap, what);
    void *arg = va_arg(ap, void *);
    va_end(ap);
    CALL(ENOTTY, ioctl, fd, what, arg);
}
int fcntl(int fd, int what, ...)
{
    va_list ap;
    va_start(ap, what);
    void *arg = va_arg(ap, void *);
    va_end(ap);
    CALL(EBADF, fcntl, fd, what, arg);
}
int fcntl64(int fd, int what, ...) __attribute__((alias("fcntl")));
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    if (is_due(true, "getaddrinfo", __builtin_return_address(0)))
        return EAI_MEMORY;
    return REAL(getaddrinfo)(node, service, hints, out);
}

/* ---- the runs ---- */
static struct {
    const char *resolver;
    char **specs;
    int n;
} given;
static unsigned open_starts;
static uint64_t told, theirs;

static void say_where(void)
{
    fflush(stdout);
    fprintf(stderr, "  %s %" PRIu64 " (%s) failed at:\n", fail.calls ? "call" : "allocation",
            fail.at, fail.what ? fail.what : "none");
    backtrace_symbols_fd(fail.frames, fail.nframes, 2);
}

static void on_alarm(int signo)
{
    fail.armed = false;
    fprintf(stderr, signo == SIGALRM ? "torture: it hangs\n" : "torture: it crashes\n");
    say_where();
    _exit(1);
}

static void on_result(void *arg, struct result *r)
{
    (void)arg;
    struct facts f;

    told++;
    facts_init(&f);
    facts_of_result(&f, r);
    facts_release(&f);
    result_free(r);
}

static void on_done(void *arg, uint32_t target, uint32_t round)
{
    (void)target;
    (void)round;
    if (!--open_starts)
        loop_quit(arg);
}

static void run_once(void)
{
    struct prober_settings st = {.resolver = given.resolver};
    struct target *targets[32] = {NULL};
    struct loop *l = loop_new();
    struct prober *p = l ? prober_new(l, &st) : NULL;
    struct probe_callbacks cb = {NULL, on_result, on_done, l};
    char err[256];

    open_starts = 1;
    for (int i = 0; p && i < given.n && i < 32; i++) {
        if (target_parse(&targets[i], given.specs[i], err, sizeof(err)) < 0)
            continue;
        targets[i]->id = (uint32_t)i + 1;
        open_starts++;
        if (prober_start(p, targets[i], 1, false, &cb) < 0)
            open_starts--;
    }
    if (--open_starts)
        loop_run(l);
    if (open_starts) {
        fail.armed = false;
        fprintf(stderr, "torture: %u starts never ended\n", open_starts);
        say_where();
        exit(1);
    }
    prober_free(p);
    for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
        target_free(targets[i]);
    loop_free(l);
}

static int count_fds(void)
{
    int n = 0;

    for (int fd = 0; fd < FDS_MAX; fd++)
        n += REAL(fcntl)(fd, F_GETFD) >= 0;
    return n;
}

/* With the at-th failing; true if there was one so far in. */
static bool run_failing(uint64_t at)
{
    fail.at = at;
    fail.seen = 0;
    fail.failed = false;
    alarm(PATIENCE);
    fail.armed = true;
    run_once();
    fail.armed = false;
    alarm(0);
    return fail.failed;
}

/* OpenSSL 3.0 loses the names of a provider's groups when SSL_CTX_new() runs out of memory there.
 */
static bool known_of_openssl(void)
{
    char **names = backtrace_symbols(fail.frames, fail.nframes);
    bool known = false;

    for (int i = 0; names && i < fail.nframes; i++)
        known |= strstr(names[i], "(SSL_CTX_new_ex+") != NULL;
    free(names);
    return known;
}

/* What a first run allocates for good (caches of the libraries) a second one has already. */
static int check(uint64_t at)
{
    int64_t live = 0, grown = 1;
    int fds = count_fds();

    for (int i = 0; i < 5 && grown > 0; i++) {
        live = fail.live;
        run_failing(at);
        grown = fail.live - live;
    }
    if ((grown <= 0 || known_of_openssl()) && count_fds() <= fds) {
        theirs += grown > 0;
        return 0;
    }
    fprintf(stderr, "torture: %" PRId64 " blocks, %d descriptors leak\n", grown, count_fds() - fds);
    say_where();
    return 1;
}

int main(int argc, char **argv)
{
    uint64_t step = 1, from = 1, runs = 0, bad = 0;
    int i = 1;

    for (; i < argc && argv[i][0] == '-'; i++) {
        if (!strcmp(argv[i], "--calls"))
            fail.calls = true;
        else if (!strcmp(argv[i], "--step") && i + 1 < argc)
            parse_u64(argv[++i], 1, 1000000, &step);
        else if (!strcmp(argv[i], "--from") && i + 1 < argc)
            parse_u64(argv[++i], 1, 1000000000, &from);
        else if (!strcmp(argv[i], "--resolver") && i + 1 < argc)
            given.resolver = argv[++i];
        else
            return 2;
    }
    given.specs = argv + i;
    given.n = argc - i;
    backtrace(fail.frames, FRAMES); /* loads what it needs */
    signal(SIGALRM, on_alarm);
    signal(SIGSEGV, on_alarm);
    signal(SIGABRT, on_alarm);
    for (int k = 0; k < 3; k++)
        run_failing(UINT64_MAX);
    uint64_t seen = fail.seen;
    if (!told) {
        fprintf(stderr, "torture: nothing was probed\n");
        return 1;
    }
    for (uint64_t at = from; run_failing(at); at += step) {
        bad += (uint64_t)check(at);
        runs++;
        if (bad >= 10)
            break;
    }
    printf("%" PRIu64 " %s in a run, %" PRIu64 " failed, %" PRIu64 " bad, %" PRIu64
           " leaks of OpenSSL's own\n",
           seen, fail.calls ? "calls" : "allocations", runs, bad, theirs);
    return bad != 0;
}
