/*
 * Which process holds a socket: /proc/PID/fd is walked for socket:[INODE], a piece in each turn,
 * newest processes first. Of other users' processes only root may see it; their uid and cgroup the
 * kernel tells with the socket itself.
 */
#include "host/sockdiag.h"
#include "loop/loop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOTS      16384 /* of inodes known; a later one takes an older one's place */
#define PIDS_MAX   65536
#define WALK_LEAST 64    /* processes of one turn */
#define UNKNOWN_MAX 64
#define ASKED       1024
#define FDS_MAX    65536 /* looked at of one process */

struct held {
    uint32_t inode;
    pid_t pid;
};
struct owners {
    struct held slots[SLOTS];
    pid_t *pids; /* of the walk, oldest first; taken from the end */
    size_t npids, pids_alloc;
    bool wanted, walking;
    uint32_t unknown[UNKNOWN_MAX], asked[ASKED]; /* for the helper: each inode once */
    size_t nunknown;
};

struct owners *owners_new(void)
{
    return calloc(1, sizeof(struct owners));
}

void owners_free(struct owners *o)
{
    if (!o)
        return;
    free(o->pids);
    free(o);
}

void owners_want(struct owners *o)
{
    o->wanted = true;
}

static int read_small(const char *path, char *out, size_t outlen)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, outlen - 1);

    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n < 0 ? -errno : 0;
}

/* The line of the unified hierarchy, "0::/path"; else the one systemd keeps. */
static void take_cgroup(struct host_owner *out, char *text)
{
    const char *best = "";

    for (char *line = text, *next; *line; line = next) {
        size_t len = strcspn(line, "\n");
        next = line + len + (line[len] == '\n');
        line[len] = '\0';
        char *path = strchr(line, ':');
        path = path ? strchr(path + 1, ':') : NULL;
        if (!path)
            continue;
        if (strncmp(line, "0::", 3) == 0 && path[1] && path[2])
            best = path + 1;
        else if (!*best && strstr(line, ":name=systemd:"))
            best = path + 1;
    }
    text_clean(out->cgroup, sizeof(out->cgroup), best, strlen(best));
}

int host_owner_of_pid(struct host_owner *out, pid_t pid)
{
    char path[64], text[4096];
    struct stat st;

    *out = (struct host_owner){.pid = pid, .uid = -1};
    snprintf(path, sizeof(path), "/proc/%ld", (long)pid);
    if (stat(path, &st) < 0)
        return -errno;
    out->uid = st.st_uid;
    snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
    if (read_small(path, text, sizeof(text)) == 0)
        text_clean(out->name, sizeof(out->name), text, strcspn(text, "\n"));
    snprintf(path, sizeof(path), "/proc/%ld/cgroup", (long)pid);
    if (read_small(path, text, sizeof(text)) == 0)
        take_cgroup(out, text);
    return 0;
}

/* A runtime names a container's cgroup by its 64 hex digits: docker-ID.scope, cri-containerd-ID,
 * libpod-ID, /docker/ID. */
bool host_container_of(char out[16], const char *cgroup)
{
    size_t run = 0;

    for (const char *p = cgroup; *p; p++) {
        run = strchr("0123456789abcdef", *p) ? run + 1 : 0;
        if (run == 64 && !strchr("0123456789abcdef", p[1])) {
            snprintf(out, 16, "%.12s", p - 63);
            return true;
        }
    }
    return false;
}

bool owners_find(struct owners *o, uint32_t inode, struct host_owner *out)
{
    const struct held *h = &o->slots[inode % SLOTS];

    if (!inode)
        return false;
    if (h->inode == inode)
        return host_owner_of_pid(out, h->pid) == 0;
    o->wanted = true;
    if (o->asked[inode % ASKED] != inode && o->nunknown < UNKNOWN_MAX) {
        o->asked[inode % ASKED] = inode;
        o->unknown[o->nunknown++] = inode;
    }
    return false;
}

void owners_told(struct owners *o, uint32_t inode, pid_t pid)
{
    o->slots[inode % SLOTS] = (struct held){inode, pid};
}

size_t owners_unknown(struct owners *o, uint32_t *inodes, size_t max)
{
    size_t n = MIN_OF(o->nunknown, max);

    memcpy(inodes, o->unknown, n * sizeof(*inodes));
    o->nunknown = 0;
    return n;
}

static void walk_process(struct owners *o, pid_t pid)
{
    char path[64], link[64], digits[24];
    struct dirent *e;
    uint64_t inode;
    int n = 0;

    snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
    DIR *d = opendir(path);
    if (!d)
        return;
    while (n++ < FDS_MAX && (e = readdir(d))) {
        ssize_t len = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);
        if (len < 10 || memcmp(link, "socket:[", 8) != 0 || link[len - 1] != ']')
            continue;
        link[len - 1] = '\0';
        snprintf(digits, sizeof(digits), "%.20s", link + 8);
        if (parse_u64(digits, 1, UINT32_MAX, &inode) == 0)
            o->slots[inode % SLOTS] = (struct held){(uint32_t)inode, pid};
    }
    closedir(d);
}

static int by_number(const void *a, const void *b)
{
    pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

    return x < y ? -1 : x > y;
}

static void begin_walk(struct owners *o)
{
    DIR *d = opendir("/proc");
    struct dirent *e;
    uint64_t pid;

    o->wanted = false;
    o->npids = 0;
    while (d && o->npids < PIDS_MAX && (e = readdir(d)))
        if (parse_u64(e->d_name, 1, INT32_MAX, &pid) == 0 &&
            ARRAY_GROW(o->pids, o->npids + 1, o->pids_alloc) == 0)
            o->pids[o->npids++] = (pid_t)pid;
    if (d)
        closedir(d);
    if (o->npids)
        qsort(o->pids, o->npids, sizeof(*o->pids), by_number);
    o->walking = o->npids > 0;
}

void owners_work(struct owners *o, nstime until)
{
    if (!o->walking && o->wanted)
        begin_walk(o);
    /* At least a few, however busy the machine is: a connection may not live long. */
    for (int n = 0; o->walking && (n < WALK_LEAST || loop_clock() < until); n++) {
        walk_process(o, o->pids[--o->npids]);
        o->walking = o->npids > 0;
    }
}

/* ---- a cgroup by the kernel's number: it is the inode of its directory in cgroup2 ---- */

#define CGROUPS_MAX 20000 /* directories looked at */
#define CGROUP_DEEP 16

static bool find_cgroup(int dir, uint64_t id, int depth, unsigned *left, struct strbuf *path)
{
    DIR *d = fdopendir(dir);
    struct dirent *e;
    bool found = false;
    size_t len = path->len;

    if (!d) {
        close(dir);
        return false;
    }
    while (!found && *left && (e = readdir(d))) {
        if (e->d_type != DT_DIR || e->d_name[0] == '.')
            continue;
        (*left)--;
        strbuf_addf(path, "/%s", e->d_name);
        found = e->d_ino == id;
        if (!found && depth < CGROUP_DEEP) {
            int sub = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            found = sub >= 0 && find_cgroup(sub, id, depth + 1, left, path);
        }
        if (!found)
            strbuf_setlen(path, len);
    }
    closedir(d);
    return found;
}

/* Any user may look: what the kernel tells of another user's socket without its process. */
void host_cgroup_by_id(char *out, size_t outlen, uint64_t id)
{
    static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    struct strbuf path = STRBUF_INIT;
    struct stat st;

    out[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(roots) && !out[0]; i++) {
        char probe[64];
        snprintf(probe, sizeof(probe), "%s/cgroup.controllers", roots[i]);
        if (stat(probe, &st) < 0 || stat(roots[i], &st) < 0)
            continue;
        unsigned left = CGROUPS_MAX;
        int fd = open(roots[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        strbuf_reset(&path);
        if (st.st_ino == id)
            strbuf_addch(&path, '/');
        else if (fd < 0 || !find_cgroup(fd, id, 0, &left, &path))
            strbuf_reset(&path);
        if (fd >= 0 && st.st_ino == id)
            close(fd);
        if (path.len && !path.err)
            text_clean(out, outlen, path.buf, path.len);
    }
    strbuf_release(&path);
}
