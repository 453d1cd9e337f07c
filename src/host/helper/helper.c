/*
 * rstconsole-host: what of this host only a privileged program may see, for rstconsole.
 *
 * Opens its sources, gives up what they do not need, has the kernel refuse it nearly every system
 * call, then writes JSON, one object a line, on stdout:
 *   {"source": {"name", "error": null | "EPERM"..., "text"}}   each source, first
 *   {"ready": true}
 *   {"reset": {...}}    the kernel sent or received a RST, and why      (as it happens)
 *   {"entry": {...}}    connection tracking forgot a living connection  (as it happens)
 * and answers requests, lines on stdin:
 *   rules                        {"chain": ...} and {"rule": ...} of every chain that filters TCP
 *   flow SRC SPORT DST DPORT     {"entry": ...} of connection tracking
 *   owners INODE...              {"owner": ...} of those sockets
 * each answer ends with {"end": {"of", "n", "left_out"}}. It ends when stdin does. It reads nothing
 * from the network and opens no socket but netlink's.
 */
#include "host/helper/helper.h"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <jansson.h>
#include <poll.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX 2048
#define OUT_MAX     (1 << 16)

static const struct source {
    const char *name;
    int (*open)(char *why, size_t len);
    cap_value_t keeps[2]; /* the capabilities it needs after it is open; -1 none */
} sources[] = {
    {"rules", rules_open, {CAP_NET_ADMIN, -1}},
    {"conntrack", entries_open, {CAP_NET_ADMIN, -1}},
    {"resets", trace_open, {-1, -1}},
    {"owners", owners_open, {CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH}},
};
#define NSOURCES (sizeof(sources) / sizeof(sources[0]))

static char out_buf[OUT_MAX];
static size_t nout;

/* ---- lines ---- */

static void flush_out(void)
{
    size_t done = 0;

    while (done < nout) {
        ssize_t n = write(STDOUT_FILENO, out_buf + done, nout - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            exit(0); /* nobody reads any more */
        done += (size_t)n;
    }
    nout = 0;
}

void put_line(struct json_t *line)
{
    char *text = line ? json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    size_t n = text ? strlen(text) : 0;

    json_decref(line);
    if (n + 1 > OUT_MAX - nout)
        flush_out();
    if (text && n + 1 <= OUT_MAX) {
        memcpy(out_buf + nout, text, n);
        out_buf[nout + n] = '\n';
        nout += n + 1;
    }
    free(text);
}

void put_end(const char *of, size_t n, size_t left_out)
{
    put_line(json_pack("{s:{s:s,s:I,s:I}}", "end", "of", of, "n", (json_int_t)n, "left_out",
                       (json_int_t)left_out));
}

bool take_number(const char *text, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        unsigned digit = (unsigned)(*text - '0');
        if (v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

/* ---- rights ---- */

bool may(int capability)
{
    cap_flag_value_t v = CAP_CLEAR;
    cap_t c = cap_get_proc();

    if (c)
        cap_get_flag(c, (cap_value_t)capability, CAP_EFFECTIVE, &v);
    cap_free(c);
    return v == CAP_SET;
}

static int set_capabilities(const cap_value_t *want, int n)
{
    cap_t have = cap_get_proc(), next = cap_init();
    int err = have && next ? 0 : -ENOMEM;

    for (int i = 0; !err && i < n; i++) {
        cap_flag_value_t v = CAP_CLEAR;
        if (cap_get_flag(have, want[i], CAP_PERMITTED, &v) == 0 && v == CAP_SET &&
            (cap_set_flag(next, CAP_PERMITTED, 1, &want[i], CAP_SET) < 0 ||
             cap_set_flag(next, CAP_EFFECTIVE, 1, &want[i], CAP_SET) < 0))
            err = -errno;
    }
    if (!err && cap_set_proc(next) < 0)
        err = -errno;
    cap_free(have);
    cap_free(next);
    return err;
}

/* Started by root for somebody: becomes that user, as the console does; capabilities are kept until
 * they are given up one by one. */
static int become_user(void)
{
    const char *text = getenv("SUDO_UID") ? getenv("SUDO_UID") : getenv("PKEXEC_UID");
    uint64_t uid;

    if (geteuid() != 0 || !text || !take_number(text, UINT32_MAX - 1, &uid) || uid == 0)
        return 0;
    const struct passwd *pw = getpwuid((uid_t)uid);
    gid_t gid = pw ? pw->pw_gid : (gid_t)uid;
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
        setresgid(gid, gid, gid) < 0 || setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) < 0)
        return -errno;
    return 0;
}

/* Read-only files (of /proc), netlink sockets, memory that never becomes executable. */
static int lock_down(void)
{
    static const int plain[] = {
        SCMP_SYS(read),          SCMP_SYS(poll),
        SCMP_SYS(ppoll),         SCMP_SYS(close),
        SCMP_SYS(fstat),         SCMP_SYS(newfstatat),
        SCMP_SYS(statx),         SCMP_SYS(stat),
        SCMP_SYS(lseek),         SCMP_SYS(getdents),
        SCMP_SYS(getdents64),    SCMP_SYS(readlink),
        SCMP_SYS(readlinkat),    SCMP_SYS(fcntl),
        SCMP_SYS(bind),          SCMP_SYS(getsockname),
        SCMP_SYS(setsockopt),    SCMP_SYS(getsockopt),
        SCMP_SYS(sendto),        SCMP_SYS(sendmsg),
        SCMP_SYS(recvfrom),      SCMP_SYS(recvmsg),
        SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64),
        SCMP_SYS(gettimeofday),  SCMP_SYS(time),
        SCMP_SYS(getpid),        SCMP_SYS(getrandom),
        SCMP_SYS(uname),         SCMP_SYS(munmap),
        SCMP_SYS(brk),           SCMP_SYS(mremap),
        SCMP_SYS(madvise),       SCMP_SYS(futex),
        SCMP_SYS(rt_sigreturn),  SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(rt_sigaction),  SCMP_SYS(restart_syscall),
        SCMP_SYS(exit),          SCMP_SYS(exit_group),
    };
    const scmp_datum_t writes = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int err = ctx ? 0 : -ENOMEM;

    for (size_t i = 0; !err && i < sizeof(plain) / sizeof(plain[0]); i++)
        err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, plain[i], 0);
    for (int fd = STDOUT_FILENO; !err && fd <= STDERR_FILENO; fd++)
        err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
                               SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)fd));
    if (!err)
        err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                               SCMP_A2(SCMP_CMP_MASKED_EQ, writes, 0));
    if (!err)
        err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
                               SCMP_A1(SCMP_CMP_MASKED_EQ, writes, 0));
    if (!err)
        err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                               SCMP_A0(SCMP_CMP_EQ, AF_NETLINK));
    if (!err)
        err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
                               SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                               SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
    if (!err)
        err = seccomp_load(ctx);
    seccomp_release(ctx);
    return err;
}

/* Every source is tried with all that was given; then only what those that work still need. */
static int open_sources(bool wanted[NSOURCES], int *working)
{
    static const cap_value_t all[] = {CAP_NET_ADMIN,    CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH,
                                      CAP_DAC_OVERRIDE, CAP_SETUID,     CAP_SETGID};
    cap_value_t keep[2 * NSOURCES];
    int nkeep = 0;

    int err = set_capabilities(all, sizeof(all) / sizeof(all[0]));
    for (size_t i = 0; !err && i < NSOURCES; i++) {
        char why[512] = "";
        if (!wanted[i])
            continue;
        int failed = sources[i].open(why, sizeof(why));
        const char *name = failed ? strerrorname_np(-failed) : NULL;
        put_line(json_pack("{s:{s:s,s:s?,s:s}}", "source", "name", sources[i].name, "error",
                           failed ? (name ? name : "EIO") : NULL, "text", why));
        *working += !failed;
        for (int k = 0; !failed && k < 2 && sources[i].keeps[k] >= 0; k++)
            keep[nkeep++] = sources[i].keeps[k];
    }
    if (!err)
        err = become_user();
    if (!err)
        err = set_capabilities(keep, nkeep);
    if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        err = -errno;
    return err ? err : lock_down();
}

/* ---- the loop ---- */

static void answer(char *line)
{
    size_t word = strcspn(line, " ");
    char *rest = line + word + (line[word] == ' ');

    line[word] = '\0';
    if (strcmp(line, "rules") == 0)
        rules_answer();
    else if (strcmp(line, "flow") == 0)
        entries_answer(rest);
    else if (strcmp(line, "owners") == 0)
        owners_answer(rest);
    else
        put_end("?", 0, 0);
}

/* False at the end of stdin. A line that is too long is no request. */
static bool take_requests(void)
{
    static char line[REQUEST_MAX];
    static size_t nline;
    static bool too_long;
    char buf[REQUEST_MAX];
    ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    for (ssize_t i = 0; i < n; i++) {
        if (buf[i] != '\n') {
            too_long = too_long || nline == sizeof(line) - 1;
            if (!too_long)
                line[nline++] = buf[i];
            continue;
        }
        line[nline] = '\0';
        if (too_long)
            put_end("?", 0, 0);
        else
            answer(line);
        nline = 0;
        too_long = false;
    }
    return n > 0;
}

static void serve(void)
{
    for (;;) {
        struct pollfd fds[] = {
            {STDIN_FILENO, POLLIN, 0}, {entries_fd(), POLLIN, 0}, {trace_fd(), POLLIN, 0}};
        flush_out();
        if (poll(fds, 3, -1) < 0 && errno != EINTR)
            return;
        if (fds[1].revents)
            entries_readable();
        if (fds[2].revents)
            trace_readable();
        if (fds[0].revents && !take_requests())
            return;
    }
}

static int usage(FILE *to, int status)
{
    fputs("Usage: rstconsole-host [SOURCE]...\n"
          "Tells rstconsole what of this host only a privileged program may see.\n"
          "SOURCE: rules, conntrack, resets, owners (all of them if none is given)\n"
          "  -h, --help     this\n"
          "  -V, --version  the version\n"
          "Requests on stdin: rules | flow SRC SPORT DST DPORT | owners INODE...\n"
          "See rstconsole-host(8).\n",
          to);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {0}};
    bool wanted[NSOURCES] = {false};
    int o, working = 0;

    while ((o = getopt_long(argc, argv, "hV", longs, NULL)) != -1) {
        if (o == 'h')
            return usage(stdout, 0);
        if (o != 'V')
            return usage(stderr, 2);
        puts("rstconsole-host " PACKAGE_VERSION);
        return 0;
    }
    for (int a = optind; a < argc; a++) {
        size_t i = 0;
        while (i < NSOURCES && strcmp(argv[a], sources[i].name) != 0)
            i++;
        if (i == NSOURCES)
            return usage(stderr, 2);
        wanted[i] = true;
    }
    for (size_t i = 0; optind >= argc && i < NSOURCES; i++)
        wanted[i] = true;
    signal(SIGPIPE, SIG_IGN);
    int err = open_sources(wanted, &working);
    if (err) {
        fprintf(stderr, "rstconsole-host: cannot confine itself: %s\n", strerror(-err));
        return 1;
    }
    put_line(json_pack("{s:b}", "ready", 1));
    if (working) /* else there is nothing to stay for */
        serve();
    flush_out();
    return 0;
}
