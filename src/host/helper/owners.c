/* Which process holds a socket, of any user: /proc/PID/fd is walked for socket:[INODE]. */
#include "host/helper/helper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASKED_MAX 64

int owners_open(char *why, size_t len)
{
    if (may(CAP_SYS_PTRACE) && may(CAP_DAC_READ_SEARCH))
        return 0;
    snprintf(why, len, "%s", "needs cap_sys_ptrace and cap_dac_read_search");
    return -EPERM;
}

static size_t read_file(int dir, const char *name, char *out, size_t outlen)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, outlen - 1);

    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* Bytes that are no text in ASCII become question marks: a process names itself as it likes. */
static void plain(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
            *s = '?';
}

/* The path in the unified hierarchy; else in systemd's own. */
static const char *cgroup_of(char *text)
{
    const char *best = "";

    for (char *line = text, *next; *line; line = next) {
        size_t n = strcspn(line, "\n");
        next = line + n + (line[n] == '\n');
        line[n] = '\0';
        const char *named = strstr(line, ":name=systemd:");
        if (strncmp(line, "0::/", 4) == 0 && line[4])
            best = line + 3;
        else if (named && !*best)
            best = named + strlen(":name=systemd:");
    }
    return best;
}

static void put_owner(uint64_t inode, int pid_dir, uint64_t pid)
{
    char comm[64], cgroups[4096];
    struct stat st;

    if (fstat(pid_dir, &st) < 0)
        return;
    read_file(pid_dir, "comm", comm, sizeof(comm));
    comm[strcspn(comm, "\n")] = '\0';
    plain(comm);
    read_file(pid_dir, "cgroup", cgroups, sizeof(cgroups));
    char *cgroup = strdup(cgroup_of(cgroups));
    if (!cgroup)
        return;
    plain(cgroup);
    put_line(json_pack("{s:{s:I,s:I,s:I,s:s,s:s}}", "owner", "inode", (json_int_t)inode, "pid",
                       (json_int_t)pid, "uid", (json_int_t)st.st_uid, "comm", comm, "cgroup",
                       cgroup));
    free(cgroup);
}

/* How many of the wanted ones this process holds; each is told of once. */
static size_t look_into(uint64_t pid, uint64_t *wanted, size_t n)
{
    char path[32], link[64];
    size_t found = 0;
    struct dirent *e;
    uint64_t inode;

    snprintf(path, sizeof(path), "/proc/%llu", (unsigned long long)pid);
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fds = dir < 0 ? -1 : openat(dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fds < 0 ? NULL : fdopendir(fds);
    while (d && found < n && (e = readdir(d))) {
        ssize_t len = readlinkat(fds, e->d_name, link, sizeof(link) - 1);
        if (len < 10 || memcmp(link, "socket:[", 8) != 0 || link[len - 1] != ']')
            continue;
        link[len - 1] = '\0';
        for (size_t i = 0; take_number(link + 8, UINT32_MAX, &inode) && i < n; i++)
            if (wanted[i] && wanted[i] == inode) {
                put_owner(inode, dir, pid);
                wanted[i] = 0;
                found++;
            }
    }
    if (d)
        closedir(d);
    else if (fds >= 0)
        close(fds);
    if (dir >= 0)
        close(dir);
    return found;
}

void owners_answer(char *request)
{
    uint64_t wanted[ASKED_MAX], pid;
    size_t n = 0, found = 0, left_out = 0;
    struct dirent *e;
    char *save;

    for (char *word = strtok_r(request, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        if (n == ASKED_MAX)
            left_out++;
        else
            n += take_number(word, UINT32_MAX, &wanted[n]) && wanted[n];
    }
    DIR *d = n ? opendir("/proc") : NULL;
    while (d && found < n && (e = readdir(d)))
        if (take_number(e->d_name, INT32_MAX, &pid))
            found += look_into(pid, wanted, n);
    if (d)
        closedir(d);
    put_end("owners", found, left_out);
}
