/*
 * Why the kernel sent a reset, and that it received one: the tracepoints tcp_send_reset (Linux 6.10
 * on with a reason) and tcp_receive_reset, in a tracefs instance of our own. They tell of the whole
 * machine, other network namespaces too. What an event holds is read from its format file.
 */
#include "host/helper/helper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_KB "256" /* of each processor */
#define LINE_MOST 1024

static int pipe_fd = -1;
static char line[LINE_MOST];
static size_t nline;

/* ---- an instance, and its end ---- */

static int put_file(int dir, const char *name, const char *text)
{
    int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
    int err = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

    if (fd >= 0)
        close(fd);
    return err;
}

static bool format_has(int dir, const char *event, const char *field)
{
    char path[128], text[8192];

    snprintf(path, sizeof(path), "events/tcp/%s/format", event);
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return strstr(text, field) != NULL;
}

/* Only to wait and to remove the directory. */
static void janitor_confine(void)
{
    static const int plain[] = {SCMP_SYS(read),           SCMP_SYS(close),      SCMP_SYS(rmdir),
                                SCMP_SYS(unlinkat),       SCMP_SYS(exit_group), SCMP_SYS(nanosleep),
                                SCMP_SYS(clock_nanosleep)};
    const cap_value_t keep = CAP_DAC_OVERRIDE;
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    cap_t c = cap_init(), have = cap_get_proc();
    cap_flag_value_t v = CAP_CLEAR;

    if (c && have && cap_get_flag(have, keep, CAP_PERMITTED, &v) == 0 && v == CAP_SET) {
        cap_set_flag(c, CAP_PERMITTED, 1, &keep, CAP_SET);
        cap_set_flag(c, CAP_EFFECTIVE, 1, &keep, CAP_SET);
    }
    if (!c || !have || !ctx || cap_set_proc(c) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        _exit(1);
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, plain[i], 0))
            _exit(1);
    if (seccomp_load(ctx))
        _exit(1);
}

/* However the helper ends, the instance goes: a child of its own waits for that. */
static int start_janitor(const char *path)
{
    int fd[2];

    if (pipe2(fd, O_CLOEXEC) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid < 0) {
        close(fd[0]);
        close(fd[1]);
        return -errno;
    }
    if (pid == 0) {
        char c;
        struct timespec pause = {0, 20000000};
        /* Not one of these: who reads our output must see its end, and the pipe must have one. */
        for (int i = 0; i < 1024; i++)
            if (i != fd[0])
                close(i);
        signal(SIGINT, SIG_IGN);
        signal(SIGTERM, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        janitor_confine();
        while (read(fd[0], &c, 1) > 0)
            ;
        for (int i = 0; i < 100 && rmdir(path) < 0 && errno == EBUSY; i++)
            nanosleep(&pause, NULL);
        _exit(0);
    }
    close(fd[0]); /* the other end stays open as long as this process lives */
    return 0;
}

static int open_instance(int dir)
{
    int err = put_file(dir, "trace_clock", "mono");

    put_file(dir, "buffer_size_kb", BUFFER_KB);
    if (!err)
        err = put_file(dir, "events/tcp/tcp_send_reset/enable", "1");
    if (!err)
        err = put_file(dir, "events/tcp/tcp_receive_reset/enable", "1");
    if (err)
        return err;
    pipe_fd = openat(dir, "trace_pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    return pipe_fd < 0 ? -errno : 0;
}

int trace_open(char *why, size_t len)
{
    static const char *const roots[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
    char path[128];
    int err = -ENOENT;

    for (size_t i = 0; i < 2 && err == -ENOENT; i++) {
        snprintf(path, sizeof(path), "%s/instances/rstconsole-%ld", roots[i], (long)getpid());
        err = mkdir(path, 0700) < 0 ? -errno : 0;
    }
    if (err == -ENOENT)
        snprintf(why, len, "%s",
                 "tracefs is not mounted: sudo mount -t tracefs tracefs /sys/kernel/tracing");
    else if (err == -EACCES || err == -EPERM)
        snprintf(why, len, "%s", "needs cap_dac_override (tracefs belongs to root)");
    if (err)
        return err;
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    err = dir < 0 ? -errno : open_instance(dir);
    if (!err && !format_has(dir, "tcp_send_reset", " reason;"))
        snprintf(why, len, "%s", "this kernel tells of resets, but not their reason");
    if (dir >= 0)
        close(dir);
    if (!err)
        err = start_janitor(path);
    if (err) {
        snprintf(why, len, "%s", "this kernel has no such tracepoints, or does not give them");
        if (pipe_fd >= 0)
            close(pipe_fd);
        pipe_fd = -1;
        rmdir(path);
    }
    return err;
}

int trace_fd(void)
{
    return pipe_fd;
}

/* ---- reading ---- */

/* The value of "key=..." in the kernel's print format, up to the next space; false without it. */
static bool value_of(const char *text, const char *key, char *out, size_t len)
{
    size_t n = strlen(key);

    for (const char *p = text; (p = strstr(p, key)); p += n) {
        if ((p != text && p[-1] != ' ') || p[n] != '=')
            continue;
        size_t k = strcspn(p + n + 1, " ");
        if (k == 0 || k >= len)
            return false;
        memcpy(out, p + n + 1, k);
        out[k] = '\0';
        return true;
    }
    return false;
}

/* "1.2.3.4:80" or "[::1]:80", as %pISpc prints it. */
static bool split_address(char *text, char **addr, uint64_t *port)
{
    unsigned char raw[16];
    char *colon = strrchr(text, ':');

    if (!colon || !take_number(colon + 1, 65535, port))
        return false;
    *colon = '\0';
    *addr = text;
    if (text[0] == '[' && colon > text && colon[-1] == ']') {
        colon[-1] = '\0';
        *addr = text + 1;
        return inet_pton(AF_INET6, *addr, raw) == 1;
    }
    return inet_pton(AF_INET, text, raw) == 1;
}

/* "   comm-pid   [001] ..s1. 123.456789: event: ...": a name may hold blanks and hyphens. */
static bool take_head(char *text, char **event, char **rest, char *comm, size_t len, uint64_t *pid,
                      int64_t *mono)
{
    char *cpu = NULL, *colon, *stamp;
    uint64_t sec, usec;

    for (char *p = text; (p = strstr(p, " ["));
         p++) /* the first "[001]": a name is too short for all of it */
        if (p[2] >= '0' && p[2] <= '9' && p[2 + strspn(p + 2, "0123456789")] == ']' && !cpu)
            cpu = p;
    if (!cpu || !(colon = strstr(cpu, ": ")))
        return false;
    *colon = '\0';
    stamp = strrchr(cpu, ' ');
    char *dot = stamp ? strchr(stamp, '.') : NULL;
    if (!dot)
        return false;
    *dot = '\0';
    if (!take_number(stamp + 1, INT64_MAX / 1000000000, &sec) ||
        !take_number(dot + 1, 999999999, &usec))
        return false;
    *mono = (int64_t)sec * 1000000000 + (int64_t)usec * (strlen(dot + 1) == 6 ? 1000 : 1);
    *event = colon + 2;
    *rest = strchr(*event, ':');
    if (!*rest)
        return false;
    *(*rest)++ = '\0';
    while (cpu > text && cpu[-1] == ' ')
        cpu--;
    *cpu = '\0';
    char *hyphen = strrchr(text, '-');
    if (!hyphen || !take_number(hyphen + 1, INT32_MAX, pid))
        return false;
    *hyphen = '\0';
    snprintf(comm, len, "%s", text + strspn(text, " "));
    for (char *p = comm; *p; p++)
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
            *p = '?';
    return true;
}

static json_int_t wall_of(int64_t mono)
{
    struct timespec w, m;

    clock_gettime(CLOCK_REALTIME, &w);
    clock_gettime(CLOCK_MONOTONIC, &m);
    return (json_int_t)(w.tv_sec - m.tv_sec) * 1000000000 + (w.tv_nsec - m.tv_nsec) + mono;
}

static void put_sent(const char *rest, json_t *line_out)
{
    char src[80], dst[80], word[48], *src_addr, *dst_addr;
    uint64_t sport, dport;

    if (!value_of(rest, "src", src, sizeof(src)) || !value_of(rest, "dest", dst, sizeof(dst)) ||
        !split_address(src, &src_addr, &sport) || !split_address(dst, &dst_addr, &dport)) {
        json_decref(line_out);
        return;
    }
    json_object_set_new(line_out, "sent", json_true());
    json_object_set_new(line_out, "flow",
                        json_pack("{s:s,s:I,s:s,s:I}", "src", src_addr, "sport", (json_int_t)sport,
                                  "dst", dst_addr, "dport", (json_int_t)dport));
    if (value_of(rest, "state", word, sizeof(word)))
        json_object_set_new(line_out, "state", json_string(word));
    if (value_of(rest, "reason", word, sizeof(word)))
        json_object_set_new(line_out, "reason", json_string(word));
    put_line(json_pack("{s:o}", "reset", line_out));
}

/* saddr is this host's: the reset came from daddr. */
static void put_received(const char *rest, json_t *line_out)
{
    char family[16], here[48], there[48], word[24], num[8];
    uint64_t sport, dport;
    bool v6 = value_of(rest, "family", family, sizeof(family)) && !strcmp(family, "AF_INET6");

    bool ok = value_of(rest, v6 ? "saddrv6" : "saddr", here, sizeof(here)) &&
              value_of(rest, v6 ? "daddrv6" : "daddr", there, sizeof(there)) &&
              value_of(rest, "sport", num, sizeof(num)) && take_number(num, 65535, &sport) &&
              value_of(rest, "dport", num, sizeof(num)) && take_number(num, 65535, &dport);
    if (!ok) {
        json_decref(line_out);
        return;
    }
    json_object_set_new(line_out, "sent", json_false());
    json_object_set_new(line_out, "flow",
                        json_pack("{s:s,s:I,s:s,s:I}", "src", there, "sport", (json_int_t)dport,
                                  "dst", here, "dport", (json_int_t)sport));
    if (value_of(rest, "sock_cookie", word, sizeof(word)))
        json_object_set_new(line_out, "cookie", json_string(word));
    put_line(json_pack("{s:o}", "reset", line_out));
}

static void take_line(char *text)
{
    char comm[32], *event, *rest;
    uint64_t pid, lost;
    int64_t mono;
    const char *gap = strstr(text, " [LOST ");

    if (strncmp(text, "CPU:", 4) == 0 && gap) {
        char *num = (char *)gap + 7;
        num[strspn(num, "0123456789")] = '\0';
        put_line(json_pack("{s:{s:s,s:I}}", "lost", "of", "resets", "n",
                           (json_int_t)(take_number(num, INT32_MAX, &lost) ? lost : 1)));
        return;
    }
    if (!take_head(text, &event, &rest, comm, sizeof(comm), &pid, &mono))
        return;
    bool sent = strcmp(event, "tcp_send_reset") == 0;
    if (!sent && strcmp(event, "tcp_receive_reset") != 0)
        return;
    json_t *o =
        json_pack("{s:I,s:I,s:s}", "time", wall_of(mono), "pid", (json_int_t)pid, "comm", comm);
    if (sent)
        put_sent(rest, o);
    else
        put_received(rest, o);
}

void trace_readable(void)
{
    char buf[8192];
    ssize_t n = read(pipe_fd, buf, sizeof(buf));

    for (ssize_t i = 0; i < n; i++) {
        if (buf[i] != '\n') {
            if (nline < sizeof(line) - 1)
                line[nline++] = buf[i];
            continue;
        }
        line[nline] = '\0';
        nline = 0;
        take_line(line);
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        close(pipe_fd);
        pipe_fd = -1;
    }
}
