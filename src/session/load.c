/*
 * A saved session, read again: its lines and packets go through the same calls as when they came,
 * in the same order. A file that was cut, edited or made by somebody hostile ends in a message.
 */
#include "session/load.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files ---- */

static int map_file(struct mapped *m, const char *dir, const char *name)
{
    struct strbuf path = STRBUF_INIT;
    struct stat st;
    int fd, err = 0;

    strbuf_addf(&path, "%s/%s", dir, name);
    fd = path.err ? -1 : open(path.buf, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    err = path.err ? path.err : fd < 0 ? -errno : 0;
    strbuf_release(&path);
    if (err)
        return err;
    if (fstat(fd, &st) < 0)
        err = -errno;
    else if (!S_ISREG(st.st_mode))
        err = -EINVAL;
    else if (st.st_size) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
            err = -errno;
        else
            *m = (struct mapped){p, (size_t)st.st_size};
    }
    close(fd);
    return err;
}

static void unmap(struct mapped *m)
{
    if (m->data)
        munmap((void *)m->data, m->len);
    *m = (struct mapped){NULL, 0};
}

static bool is_file(const char *dir, const char *name)
{
    char path[PATH_MAX];
    struct stat st;

    if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
        return false;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The directory that path means: itself, or the one it stands in. */
static bool session_dir_of(char *out, size_t outlen, const char *path)
{
    struct stat st;

    if (strcmp(path, "-") == 0 || (size_t)snprintf(out, outlen, "%s", path) >= outlen ||
        stat(path, &st) < 0)
        return false;
    if (S_ISDIR(st.st_mode))
        return is_file(out, "session.jsonl");
    char *slash = strrchr(out, '/');
    const char *name = slash ? slash + 1 : out;
    if (strcmp(name, "session.jsonl") != 0 && strcmp(name, "packets.pcapng") != 0)
        return false;
    if (slash == out)
        out[1] = 0;
    else if (slash)
        *slash = 0;
    else
        snprintf(out, outlen, ".");
    return is_file(out, "session.jsonl");
}

bool session_is_session(const char *path)
{
    char dir[PATH_MAX];

    return session_dir_of(dir, sizeof(dir), path);
}

static const struct line_type {
    const char *name;
    int (*load)(struct loader *l, const json_t *j);
} line_types[] = {
    {"session", load_session},
    {"vantage", load_vantage},
    {"target", load_target},
    {"chain", load_chain},
    {"result", load_result},
    {"counters", load_counters},
    {"fact", load_fact},
    {"undo", load_undo},
    {"skip", load_skip},
    {"ending", load_ending},
    {"message", load_message},
    {"log", load_log},
    {"experiment", load_experiment},
    {"end", load_end},
};

/* ---- both streams together ---- */

/* Hands over the packets up to number `to`. */
static void feed_packets(struct loader *l, uint64_t to)
{
    struct record rec;
    size_t used;

    while (!l->packets_done && l->given < to) {
        used = 0;
        int got =
            capread_next(&l->reader, l->packets.data + l->at, l->packets.len - l->at, &used, &rec);
        l->at += used;
        if (got == 0 && used)
            continue; /* blocks that are no packets */
        if (got <= 0) {
            l->packets_done = true;
            if (got < 0)
                session_message(l->s, MSG_WARN,
                                _("packets.pcapng is damaged after packet %llu: %s"),
                                (unsigned long long)l->given, l->reader.error);
            return;
        }
        rec.number = ++l->given;
        session_record(l->s, &rec);
    }
}

static int load_line(struct loader *l, const char *line, size_t len)
{
    json_error_t at;
    json_t *j = len <= LINE_MAX_BYTES ? json_loadb(line, len, JSON_REJECT_DUPLICATES, &at) : NULL;
    const json_t *type = json_object_get(j, "type");
    int err = -EINVAL;

    if (!json_is_string(type))
        goto out;
    err = 0;
    if (!l->header && strcmp(json_string_value(type), "session") != 0) {
        err = -EINVAL;
        goto out;
    }
    l->s->priv->now = line_int(j, "t", NSTIME_NONE);
    feed_packets(l, (uint64_t)MAX_OF(line_int(j, "after", 0), 0));
    for (size_t i = 0; i < ARRAY_SIZE(line_types); i++)
        if (strcmp(line_types[i].name, json_string_value(type)) == 0) {
            err = line_types[i].load(l, j);
            break;
        }
out:
    json_decref(j);
    return err;
}

/* A last line without its end was being written when the writer died: it is left out. */
static int load_lines(struct loader *l)
{
    const char *p = (const char *)l->lines.data, *end = p ? p + l->lines.len : NULL;
    int err;

    for (unsigned n = 1; p && p < end; n++) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        if (!nl)
            break;
        err = load_line(l, p, (size_t)(nl - p));
        if (err == -EPROTONOSUPPORT) {
            snprintf(l->err, l->errlen, "%s", _("a session of another version"));
            return err;
        }
        if (err) {
            snprintf(l->err, l->errlen, _("session.jsonl: line %u is damaged"), n);
            return err;
        }
        p = nl + 1;
    }
    if (l->header)
        return 0;
    snprintf(l->err, l->errlen, "%s", _("session.jsonl holds no session"));
    return -EINVAL;
}

static int load_all(struct loader *l)
{
    struct session *s = l->s;
    int err = load_lines(l);

    if (err)
        return err;
    feed_packets(l, UINT64_MAX);
    nstime ended = s->ended;
    session_finish(s);
    if (!s->settings.read_file)
        s->ended = ended != NSTIME_NONE ? ended : s->priv->now;
    s->dirty = false;
    return 0;
}

static struct session *empty_session(const struct settings *st)
{
    struct settings mine = *st;

    mine.read_file = NULL;
    mine.live = false;
    mine.keep_packets = st->keep_packets;
    struct session *s = session_new(&mine);
    if (!s)
        return NULL;
    /* Nothing of this host belongs to it. */
    memset(&s->vantage, 0, sizeof(s->vantage));
    s->vantage.capture = VANTAGE_NONE;
    free(s->priv->local);
    s->priv->local = NULL;
    s->priv->nlocal = 0;
    s->priv->loading = true;
    if (session_make_flows(s)) {
        session_free(s);
        return NULL;
    }
    return s;
}

int session_load(struct session **out, const char *path, const struct settings *st, char *err,
                 size_t errlen)
{
    struct loader l = {.err = err, .errlen = errlen, .first_packet = 1};
    char dir[PATH_MAX];
    int rc;

    snprintf(err, errlen, "%s", _("not a saved session"));
    if (!session_dir_of(dir, sizeof(dir), path))
        return -ENOENT;
    capread_init(&l.reader);
    l.s = empty_session(st);
    rc = l.s ? map_file(&l.lines, dir, "session.jsonl") : -ENOMEM;
    if (!rc) {
        int missing = map_file(&l.packets, dir, "packets.pcapng");
        rc = missing == -ENOENT ? 0 : missing;
        l.packets_done = !l.packets.data;
    }
    if (rc)
        snprintf(err, errlen, "%s", strerror(-rc));
    else
        rc = load_all(&l);
    unmap(&l.lines);
    unmap(&l.packets);
    capread_release(&l.reader);
    if (rc) {
        session_free(l.s);
        return rc;
    }
    l.s->priv->loading = false;
    if (strlen(dir) < sizeof(l.s->dir)) /* else it can be read, not be continued */
        memcpy(l.s->dir, dir, strlen(dir) + 1);
    *out = l.s;
    return 0;
}
