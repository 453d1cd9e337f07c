/*
 * A session's directory: packets.pcapng and session.jsonl grow by whole blocks and whole lines from
 * the first second; a lock file says that somebody writes. What a failed write leaves behind is
 * cut off again, and so is the torn tail of a session whose writer died.
 */
#include "session/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config.h"

#define FLUSH_AT 65536

void saving_init(struct saving *sv)
{
    memset(sv, 0, sizeof(*sv));
    sv->dir_fd = sv->lines_fd = sv->packets_fd = sv->lock_fd = -1;
    sv->first_packet = 1;
    strbuf_init(&sv->lines);
    strbuf_init(&sv->blocks);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void saving_release(struct saving *sv)
{
    close_fd(&sv->lines_fd);
    close_fd(&sv->packets_fd);
    if (sv->lock_fd >= 0 && sv->dir_fd >= 0)
        unlinkat(sv->dir_fd, "lock", 0);
    close_fd(&sv->lock_fd);
    close_fd(&sv->dir_fd);
    strbuf_release(&sv->lines);
    strbuf_release(&sv->blocks);
    map_release(&sv->interfaces);
    saving_init(sv);
}

/* ---- appending ---- */

static int append_all(int fd, const char *data, size_t len)
{
    off_t good = lseek(fd, 0, SEEK_END);

    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int err = -errno;
            if (good >= 0 && ftruncate(fd, good) < 0)
                return err; /* the torn tail is cut when it is opened */
            return err;
        }
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

static int flush(int fd, struct strbuf *sb)
{
    int err = sb->err;

    if (!err && sb->len)
        err = append_all(fd, sb->buf, sb->len);
    strbuf_reset(sb);
    return err;
}

int session_save_sync(struct session *s)
{
    struct saving *sv = &s->priv->saving;
    int err, err2;

    if (sv->lines_fd < 0)
        return sv->lines.err ? sv->lines.err : sv->blocks.err;
    /* Packets first: a line's `after` must not point past the packets that are there. */
    err = flush(sv->packets_fd, &sv->blocks);
    err2 = flush(sv->lines_fd, &sv->lines);
    err = err ? err : err2;
    if (err && !sv->failed) {
        sv->failed = true;
        saving_release(sv);
        sv->failed = true;
        session_message(s, MSG_ERROR, _("the session is no longer saved: %s: %s"), s->dir,
                        strerror(-err));
    }
    return err;
}

void save_text(struct session *s, const char *line, size_t len)
{
    struct saving *sv = &s->priv->saving;
    bool on = sv->lines_fd >= 0 || sv->memory;
    struct strbuf *to = on ? &sv->lines : &s->priv->journal;

    if (sv->failed)
        return;
    if (!on && to->len + len > JOURNAL_MAX)
        return;
    if (on && s->priv->redacting.what == REDACT_SAVED)
        redacted_line(s, line, len, to);
    else
        strbuf_add(to, line, len);
    strbuf_addch(to, '\n');
    if (sv->lines_fd >= 0 && sv->lines.len > FLUSH_AT)
        session_save_sync(s);
}

static void add_interface(struct session *s, const struct record *rec, uint64_t key)
{
    struct saving *sv = &s->priv->saving;
    const char *name =
        rec->interface < s->vantage.ninterfaces ? s->vantage.interfaces[rec->interface] : "";
    char comment[64];

    if (s->priv->source && rec->interface < s->priv->source->nifs && !s->redacted)
        name = s->priv->source->ifs[rec->interface].name;
    if (!sv->ninterfaces) {
        snprintf(comment, sizeof(comment), SECTION_COMMENT "%s", s->priv->id);
        pcapng_add_section(&sv->blocks, s->priv->id[0] ? comment : NULL);
    }
    pcapng_add_interface(&sv->blocks, name, rec->link, 0);
    if (map_set(&sv->interfaces, key, ++sv->ninterfaces))
        sv->blocks.err = -ENOMEM;
}

void save_packet(struct session *s, const struct record *rec)
{
    struct saving *sv = &s->priv->saving;
    uint64_t key = (uint64_t)rec->link << 32 | (rec->interface + 1ULL);
    struct record mine, space;

    if ((sv->packets_fd < 0 && !sv->memory) || (s->priv->loading && !s->priv->teeing))
        return;
    mine = s->priv->redacting.what == REDACT_SAVED ? *redacted_record(s, rec, &space) : *rec;
    if (!map_get(&sv->interfaces, key))
        add_interface(s, rec, key);
    mine.interface = (uint32_t)map_get(&sv->interfaces, key) - 1;
    pcapng_add_packet(&sv->blocks, &mine, NULL);
    if (sv->blocks.len > 4 * FLUSH_AT)
        session_save_sync(s);
}

int save_dup_fds(const struct session *s, int fds[2])
{
    const struct saving *sv = &s->priv->saving;

    if (sv->lines_fd < 0)
        return -EBADF;
    fds[0] = fcntl(sv->lines_fd, F_DUPFD_CLOEXEC, 0);
    fds[1] = fcntl(sv->packets_fd, F_DUPFD_CLOEXEC, 0);
    return 0;
}

/* ---- the directory ---- */

static int make_dirs(char *path)
{
    for (char *p = path + 1;; p++) {
        if (*p != '/' && *p)
            continue;
        char c = *p;
        *p = 0;
        int rc = mkdir(path, 0700);
        *p = c;
        if (rc < 0 && errno != EEXIST)
            return -errno;
        if (!c)
            return 0;
    }
}

int sessions_dir(char *out, size_t outlen)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    int n = 0;

    if (data && data[0] == '/')
        n = snprintf(out, outlen, "%s/rstconsole/sessions", data);
    else if (home && home[0] == '/')
        n = snprintf(out, outlen, "%s/.local/share/rstconsole/sessions", home);
    else
        *out = 0;
    if (!n)
        return -ENOENT;
    if (n < 0 || (size_t)n >= outlen)
        return -ENAMETOOLONG;
    return make_dirs(out);
}

/* "<time>-<name>", and "-2" ... where that is taken. */
static int new_dir(struct session *s, char *out, size_t outlen)
{
    char base[400] = "", when[32];
    time_t now = (time_t)(session_now(s) / NS_PER_SEC);
    struct tm tm;
    int err = 0;

    if (s->settings.sessions_dir) {
        if ((size_t)snprintf(base, sizeof(base), "%s", s->settings.sessions_dir) >= sizeof(base))
            return -ENAMETOOLONG;
        err = make_dirs(base);
    } else {
        err = sessions_dir(base, sizeof(base));
    }
    snprintf(out, outlen, "%s", base); /* for a message, until it has its name */
    if (err)
        return err;
    localtime_r(&now, &tm);
    strftime(when, sizeof(when), "%Y%m%dT%H%M%S", &tm);
    for (int i = 1; i < 1000; i++) {
        int n = snprintf(out, outlen, i == 1 ? "%s/%s-%s" : "%s/%s-%s-%d", base, when,
                         s->settings.name ? s->settings.name : "session", i);
        if (n < 0 || (size_t)n >= outlen)
            return -ENAMETOOLONG;
        if (mkdir(out, 0700) == 0)
            return 0;
        if (errno != EEXIST)
            return -errno;
    }
    return -EEXIST;
}

static int open_lock(struct saving *sv)
{
    sv->lock_fd = openat(sv->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (sv->lock_fd < 0)
        return -errno;
    if (flock(sv->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        int err = -errno;
        close_fd(&sv->lock_fd); /* not ours to unlink */
        return err;
    }
    return 0;
}

static int open_append(int dir_fd, const char *name, bool exists)
{
    int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (exists ? 0 : O_EXCL);
    int fd = openat(dir_fd, name, flags, 0600);

    return fd < 0 ? -errno : fd;
}

/* Cuts a file at the last whole line or block. */
static int cut_tail(int fd, bool lines)
{
    struct stat st;
    size_t whole = 0;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (!st.st_size)
        return 0;
    uint8_t *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return -errno;
    if (lines) {
        const uint8_t *nl = memrchr(map, '\n', (size_t)st.st_size);
        whole = nl ? (size_t)(nl - map) + 1 : 0;
    } else {
        whole = pcapng_whole(map, (size_t)st.st_size);
    }
    munmap(map, (size_t)st.st_size);
    if (whole < (size_t)st.st_size && ftruncate(fd, (off_t)whole) < 0)
        return -errno;
    return 0;
}

static int open_files(struct saving *sv, const char *dir, bool exists)
{
    int err;

    sv->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (sv->dir_fd < 0)
        return -errno;
    err = open_lock(sv);
    if (err)
        return err;
    sv->lines_fd = open_append(sv->dir_fd, "session.jsonl", exists);
    sv->packets_fd = open_append(sv->dir_fd, "packets.pcapng", exists);
    if (sv->lines_fd < 0 || sv->packets_fd < 0)
        return sv->lines_fd < 0 ? sv->lines_fd : sv->packets_fd;
    if (exists)
        err = cut_tail(sv->lines_fd, true);
    return err ? err : exists ? cut_tail(sv->packets_fd, false) : 0;
}

static void write_kept_packets(struct session *s)
{
    struct saving *sv = &s->priv->saving;
    size_t n = session_packets(s);
    const struct kept_packet *first = session_packet_at(s, 0);

    sv->first_packet = first ? first->number : s->priv->packets + 1;
    for (size_t i = 0; i < n; i++) {
        const struct kept_packet *k = session_packet_at(s, i);
        struct record rec = {.number = k->number,
                             .time = k->time,
                             .caplen = k->caplen,
                             .len = k->len,
                             .link = k->link,
                             .data = k->data};
        save_packet(s, &rec);
    }
    if (sv->first_packet > 1)
        session_message(s, MSG_WARN,
                        _("the saved session begins at packet %llu: the ones before "
                          "it are no longer kept"),
                        (unsigned long long)sv->first_packet);
}

/* Lines that were made while nothing was saved. */
static void add_journal(struct session *s, const struct strbuf *journal)
{
    const char *p = journal->buf, *end = p + journal->len;

    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t len = nl ? (size_t)(nl - p) : (size_t)(end - p);
        save_text(s, p, len);
        p += len + 1;
    }
}

static void write_beginning(struct session *s)
{
    struct strbuf journal = s->priv->journal;

    strbuf_init(&s->priv->journal);
    write_kept_packets(s);
    uint64_t packets = s->priv->packets;
    s->priv->packets = 0; /* the first lines come before all packets */
    journal_begin(s);
    journal_vantage(s);
    s->priv->packets = packets;
    add_journal(s, &journal);
    if (s->priv->saving.memory)
        s->priv->journal = journal; /* it is still to be saved, perhaps */
    else
        strbuf_release(&journal);
}

int save_to_memory(struct session *s, struct strbuf *lines, struct strbuf *blocks)
{
    struct saving mine = s->priv->saving, *sv = &s->priv->saving;
    int err;

    saving_init(sv);
    sv->memory = true;
    write_beginning(s);
    err = sv->lines.err ? sv->lines.err : sv->blocks.err;
    *lines = sv->lines;
    *blocks = sv->blocks;
    map_release(&sv->interfaces);
    *sv = mine;
    return err;
}

static void save_refused(int rc, const char *dir, char *err, size_t errlen)
{
    if (rc == -EWOULDBLOCK)
        snprintf(err, errlen, _("another rstconsole is writing it: %s"), dir);
    else if (!dir[0])
        snprintf(err, errlen, "%s", _("neither XDG_DATA_HOME nor HOME names a directory"));
    else
        snprintf(err, errlen, "%s: %s", dir, strerror(-rc));
}

int session_save_begin(struct session *s, const char *dir_or_null, char *err, size_t errlen)
{
    struct saving *sv = &s->priv->saving;
    bool again = !dir_or_null && s->dir[0]; /* one that was loaded: it goes on */
    char dir[sizeof(s->dir)] = "";
    int rc = 0;

    if (sv->lines_fd >= 0)
        return 0;
    redacted_names(s);
    sv->failed = false;
    if (dir_or_null || again) {
        const char *from = again ? s->dir : dir_or_null;
        if ((size_t)snprintf(dir, sizeof(dir), "%s", from) >= sizeof(dir))
            rc = -ENAMETOOLONG;
        else if (mkdir(dir, 0700) < 0 && errno != EEXIST)
            rc = -errno;
    } else {
        rc = new_dir(s, dir, sizeof(dir));
    }
    rc = rc ? rc : open_files(sv, dir, again);
    if (rc) {
        saving_release(sv);
        save_refused(rc, dir, err, errlen);
        return rc;
    }
    if (again) {
        add_journal(s, &s->priv->journal);
        strbuf_release(&s->priv->journal);
    } else if (!s->priv->teeing) {
        write_beginning(s);
    }
    snprintf(s->dir, sizeof(s->dir), "%s", dir);
    rc = session_save_sync(s); /* a message says what failed */
    if (rc)
        snprintf(err, errlen, "%s: %s", dir, strerror(-rc));
    return rc;
}

bool session_is_saved(const struct session *s)
{
    return s->priv->saving.lines_fd >= 0;
}

int session_save_end(struct session *s)
{
    struct saving *sv = &s->priv->saving;
    int err = session_save_sync(s);

    if (sv->lines_fd < 0)
        return err;
    if (fdatasync(sv->packets_fd) < 0 || fdatasync(sv->lines_fd) < 0)
        err = err ? err : -errno;
    saving_release(sv);
    if (!err)
        s->dirty = false;
    return err;
}

void session_save_discard(struct session *s)
{
    struct saving *sv = &s->priv->saving;

    if (sv->dir_fd < 0)
        return;
    unlinkat(sv->dir_fd, "session.jsonl", 0);
    unlinkat(sv->dir_fd, "packets.pcapng", 0);
    saving_release(sv);
    rmdir(s->dir);
    s->dir[0] = 0;
}
