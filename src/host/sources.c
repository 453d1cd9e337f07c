/* The list of sources, and what the plainer ones say of themselves. */
#include "host/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const struct host_source *const sources[] = {
#define SOURCE(name) &source_##name,
#include "host/list.h"
#undef SOURCE
};

size_t host_source_count(void)
{
    return ARRAY_SIZE(sources);
}

const struct host_source *host_source_at(size_t i)
{
    return i < ARRAY_SIZE(sources) ? sources[i] : NULL;
}

int source_line(char *out, size_t outlen, const char *path)
{
    char text[512];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    int err = n < 0 ? -errno : 0;

    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    for (char *p = text; *p; p++)
        if (*p == '\t')
            *p = ' ';
    text_clean(out, outlen, text, strcspn(text, "\n"));
    return err;
}

/* ---- counters ---- */

static int look_counters(struct strbuf *found, struct strbuf *remedy)
{
    struct host_counters c;
    int err = host_read_counters(&c);

    (void)remedy;
    if (!err)
        strbuf_addf(found, "OutRsts %llu, EstabResets %llu, TCPAbortOnClose %llu",
                    (unsigned long long)c.out_rsts, (unsigned long long)c.estab_resets,
                    (unsigned long long)c.abort_on_close);
    return err;
}
const struct host_source source_counters = {
    .name = "counters",
    .title = N_("counters of TCP (/proc/net/snmp, netstat)"),
    .look = look_counters,
};

/* ---- owners ---- */

static int look_owners(struct strbuf *found, struct strbuf *remedy)
{
    DIR *d = opendir("/proc");
    unsigned all = 0, seen = 0;
    struct dirent *e;
    char path[280];
    uint64_t pid;

    if (!d)
        return -errno;
    while ((e = readdir(d))) {
        if (parse_u64(e->d_name, 1, INT32_MAX, &pid))
            continue;
        all++;
        snprintf(path, sizeof(path), "/proc/%s/fd", e->d_name);
        DIR *fds = opendir(path);
        seen += fds != NULL;
        if (fds)
            closedir(fds);
    }
    closedir(d);
    strbuf_addf(found, _("%u of %u processes can be looked into"), seen, all);
    if (seen == all)
        return 0;
    strbuf_addstr(remedy, _("for those of other users (else only uid and cgroup are told): "
                            "sudo rstconsole ..."));
    return 0;
}
const struct host_source source_owners = {
    .name = "owners",
    .title = N_("which process holds a socket (/proc/PID/fd)"),
    .look = look_owners,
};

/* ---- cgroups ---- */

static int look_cgroups(struct strbuf *found, struct strbuf *remedy)
{
    static const char *const roots[] = {"/sys/fs/cgroup/cgroup.controllers",
                                        "/sys/fs/cgroup/unified/cgroup.controllers"};
    char line[256];

    (void)remedy;
    for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
        if (source_line(line, sizeof(line), roots[i]))
            continue;
        strbuf_addf(found, "cgroup2: %.*s", (int)(strrchr(roots[i], '/') - roots[i]), roots[i]);
        return 0;
    }
    return -ENOENT;
}
const struct host_source source_cgroups = {
    .name = "cgroups",
    .title = N_("cgroup and container of a socket"),
    .look = look_cgroups,
};

/* ---- sysctls ---- */

static int look_sysctls(struct strbuf *found, struct strbuf *remedy)
{
    static const char *const names[] = {
        "core/somaxconn",           "ipv4/tcp_abort_on_overflow", "ipv4/tcp_syncookies",
        "ipv4/tcp_max_syn_backlog", "ipv4/tcp_fin_timeout",       "ipv4/tcp_retries2",
        "ipv4/tcp_keepalive_time",  "ipv4/ip_local_port_range",   "ipv4/tcp_mtu_probing",
    };
    char path[128], line[64];
    const char *sep = "";

    (void)remedy;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(path, sizeof(path), "/proc/sys/net/%s", names[i]);
        if (source_line(line, sizeof(line), path))
            continue;
        strbuf_addf(found, "%s%s %s", sep, strrchr(names[i], '/') + 1, line);
        sep = ", ";
    }
    return found->len ? 0 : -ENOENT;
}
const struct host_source source_sysctls = {
    .name = "sysctls",
    .title = N_("settings of TCP (sysctl)"),
    .look = look_sysctls,
};

/* ---- COMMAND ---- */

static int look_command(struct strbuf *found, struct strbuf *remedy)
{
    char line[256];

    (void)remedy;
    /* Linux 4.14 on: the actions this kernel knows. */
    int err = source_line(line, sizeof(line), "/proc/sys/kernel/seccomp/actions_avail");
    if (err)
        return err;
    if (!strstr(line, "user_notif"))
        return -ENOSYS;
    strbuf_addstr(found, _("connects and accepts of COMMAND are seen as they happen"));
    return 0;
}
const struct host_source source_command = {
    .name = "command",
    .title = N_("the calls of COMMAND (seccomp)"),
    .look = look_command,
};
