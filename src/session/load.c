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
    {"verdicts", load_verdicts},
    {"end", load_end},
};

/* ---- both streams together ---- */

/* --at: a moment, or a span after the beginning. */
void settle_until(struct loader *l, nstime begun)
{
    const nstime at = l->s->settings.at;

    if (at == 0 || l->until != NSTIME_NONE || begun == NSTIME_NONE)
        return;
    l->until = at < SPAN_MAX ? begun + at : at;
}

/* The two files bear one number, unless somebody put another packets.pcapng there. */
static bool packets_of_another(const struct loader *l)
{
    const char *comment = l->reader.comment, *id = l->s->priv->id;
    size_t n = strlen(SECTION_COMMENT);

    return id[0] && strncmp(comment, SECTION_COMMENT, n) == 0 && strcmp(comment + n, id) != 0;
}

static bool take_packet(struct loader *l, struct record *rec)
{
    if (packets_of_another(l)) {
        session_message(l->s, MSG_WARN, "%s",
                        _("packets.pcapng belongs to another session: it is left out"));
        l->strangers = true;
        return false;
    }
    if (l->by_packets)
        settle_until(l, rec->time);
    if (l->until != NSTIME_NONE && rec->time > l->until) {
        l->stopped |= l->by_packets;
        return false;
    }
    rec->number = ++l->given;
    l->s->priv->source = &l->reader;
    session_record(l->s, rec);
    return true;
}

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
        if (got > 0) {
            l->packets_done = !take_packet(l, &rec);
            continue;
        }
        l->packets_done = true;
        if (got < 0)
            session_message(l->s, MSG_WARN, _("packets.pcapng is damaged after packet %llu: %s"),
                            (unsigned long long)l->given, l->reader.error);
    }
}

static int load_typed(struct loader *l, const json_t *j, const char *type)
{
    for (size_t i = 0; i < ARRAY_SIZE(line_types); i++)
        if (strcmp(line_types[i].name, type) == 0)
            return line_types[i].load(l, j);
    return 0; /* of a later version: kept, not understood */
}

/* A session that was redacted when it was saved is not redacted once more. */
static bool redact_here(struct loader *l, const json_t *j, const char *type)
{
    struct session *s = l->s;

    if (strcmp(type, "session") == 0 && json_is_true(json_object_get(j, "redacted"))) {
        s->redacted = true;
        redacting_release(&s->priv->redacting);
    }
    return s->priv->redacting.what == REDACT_INPUT;
}

static int load_object(struct loader *l, const json_t *j, const char *type)
{
    uint64_t after = (uint64_t)MAX_OF(line_int(j, "after", 0), 0);

    if (!l->header && strcmp(type, "session") != 0)
        l->header = true; /* the first line is gone: what follows can be read all the same */
    l->s->priv->now = line_int(j, "t", NSTIME_NONE);
    if (l->until != NSTIME_NONE && !l->by_packets && l->s->priv->now > l->until)
        l->stopped = true;
    else
        feed_packets(l, after);
    if (l->stopped || (l->by_packets && after > l->given && l->until != NSTIME_NONE)) {
        l->stopped = true;
        return 0;
    }
    l->wanted = MAX_OF(l->wanted, after);
    return load_typed(l, j, type);
}

static int load_line(struct loader *l, const char *line, size_t len)
{
    const json_int_t flags = JSON_REJECT_DUPLICATES;
    json_t *j = len <= LINE_MAX_BYTES ? json_loadb(line, len, flags, NULL) : NULL;
    const char *type = json_string_value(json_object_get(j, "type"));
    int err = -EINVAL;

    if (type && redact_here(l, j, type)) {
        strbuf_reset(&l->clear);
        if (redacted_line(l->s, line, len, &l->clear) && !l->clear.err) {
            json_decref(j);
            line = l->clear.buf;
            len = l->clear.len;
            j = json_loadb(line, len, flags, NULL);
            type = json_string_value(json_object_get(j, "type"));
        } else {
            type = NULL;
        }
    }
    if (type)
        err = load_object(l, j, type);
    if (!err && !l->stopped && l->s->priv->teeing)
        save_text(l->s, line, len);
    json_decref(j);
    return err;
}

/* A last line without its end was being written when the writer died: it is left out. One that
 * cannot be read is counted, and the rest is opened. */
static void load_lines(struct loader *l, const struct mapped *m)
{
    const char *p = (const char *)m->data, *end = p ? p + m->len : NULL;

    for (unsigned n = 1; p && p < end && !l->stopped; n++) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        if (!nl)
            break;
        if (load_line(l, p, (size_t)(nl - p))) {
            l->first_damaged = l->damaged ? l->first_damaged : n;
            l->damaged++;
        }
        p = nl + 1;
    }
}

static void say_damage(struct loader *l)
{
    struct session *s = l->s;

    if (l->damaged)
        session_message(s, MSG_WARN,
                        _("session.jsonl: %u lines are damaged, the first is line %u; the rest "
                          "is opened"),
                        l->damaged, l->first_damaged);
    if (!l->strangers && !l->stopped && l->wanted > l->given)
        session_message(s, MSG_WARN,
                        _("packets.pcapng ends with packet %llu, session.jsonl speaks of %llu: "
                          "later ones are missing"),
                        (unsigned long long)l->given, (unsigned long long)l->wanted);
}

static const struct incident *incident_at(const struct session *s, uint64_t packet)
{
    for (size_t k = 0; k < s->nincidents; k++)
        if (s->incidents[k] && s->incidents[k]->reset && s->incidents[k]->reset->packet == packet)
            return s->incidents[k];
    return NULL;
}

/* What this catalogue judges otherwise than the one it was saved by. */
static void say_changes(struct loader *l)
{
    unsigned changed = 0;

    for (size_t k = 0; k < json_array_size(l->verdicts); k++) {
        const json_t *v = json_array_get(l->verdicts, k);
        const char *was = json_string_value(json_array_get(v, 1));
        uint64_t packet = (uint64_t)json_integer_value(json_array_get(v, 0));
        const struct incident *i = was ? incident_at(l->s, packet) : NULL;
        const char *is = i && i->judgement.nverdicts ? i->judgement.verdicts[0].cause->id : "";
        char clean[64];
        if (!i || strcmp(was, is) == 0)
            continue;
        if (changed++ < CHANGES_SAID)
            session_message(l->s, MSG_INFO, _("packet %llu: judged %s when it was saved, now %s"),
                            (unsigned long long)packet,
                            *was ? text_clean(clean, sizeof(clean), was, strlen(was)) : "-",
                            *is ? is : "-");
    }
    if (changed > CHANGES_SAID)
        session_message(l->s, MSG_INFO, _("%u verdicts are others than when it was saved"),
                        changed);
}

static int load_all(struct loader *l)
{
    struct session *s = l->s;

    load_lines(l, &l->lines);
    if (!l->header && !l->packets.data) {
        snprintf(l->err, l->errlen, "%s", _("session.jsonl holds no session"));
        return -EINVAL;
    }
    load_lines(l, &l->later);
    if (!l->stopped)
        feed_packets(l, UINT64_MAX);
    say_damage(l);
    nstime ended = s->ended;
    session_finish(s);
    if (!l->stopped)
        say_changes(l);
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
    if (s->priv->redacting.r) {
        s->priv->redacting.what = REDACT_INPUT;
        s->redacted = true;
    }
    if (session_make_flows(s)) {
        session_free(s);
        return NULL;
    }
    return s;
}

/* Where it is saved itself while it is read. */
static void begin_tee(struct session *s, const char *dir)
{
    char err[300] = "";

    s->priv->teeing = true;
    if (session_save_begin(s, dir, err, sizeof(err))) {
        s->priv->teeing = false;
        session_message(s, MSG_WARN, _("the session is not saved: %s"), err);
    }
}

static int load_begun(struct session **out, struct loader *l, const char *from)
{
    int rc = load_all(l);

    strbuf_release(&l->clear);
    json_decref(l->verdicts);
    capread_release(&l->reader);
    l->s->priv->source = NULL;
    if (rc) {
        session_save_discard(l->s);
        session_free(l->s);
        return rc;
    }
    l->s->priv->loading = false;
    if (!l->s->priv->teeing && from && strlen(from) < sizeof(l->s->dir))
        memcpy(l->s->dir, from, strlen(from) + 1); /* else it can be read, not be continued */
    l->s->priv->teeing = false;
    *out = l->s;
    return 0;
}

static int loader_init(struct loader *l, const struct settings *st, char *err, size_t errlen)
{
    *l = (struct loader){.err = err, .errlen = errlen, .first_packet = 1, .until = NSTIME_NONE};
    capread_init(&l->reader);
    strbuf_init(&l->clear);
    l->s = empty_session(st);
    return l->s ? 0 : -ENOMEM;
}

static int load_dir(struct session **out, const char *dir, const struct settings *st,
                    const struct mapped *later, const char *save_in, char *err, size_t errlen)
{
    struct loader l;
    int rc = loader_init(&l, st, err, errlen);

    if (!rc)
        rc = map_file(&l.lines, dir, "session.jsonl");
    if (!rc) {
        int missing = map_file(&l.packets, dir, "packets.pcapng");
        rc = missing == -ENOENT ? 0 : missing;
        l.packets_done = !l.packets.data;
    }
    if (rc) {
        snprintf(err, errlen, "%s", strerror(-rc));
        capread_release(&l.reader);
        session_free(l.s);
    } else {
        if (later)
            l.later = *later;
        if (st->save)
            begin_tee(l.s, save_in);
        rc = load_begun(out, &l, dir);
    }
    unmap(&l.lines);
    unmap(&l.packets);
    return rc;
}

int session_load(struct session **out, const char *path, const struct settings *st, char *err,
                 size_t errlen)
{
    char dir[PATH_MAX];

    snprintf(err, errlen, "%s", _("not a saved session"));
    if (!session_dir_of(dir, sizeof(dir), path))
        return -ENOENT;
    return load_dir(out, dir, st, NULL, NULL, err, errlen);
}

/* What is not saved is taken from memory. */
static int load_memory(struct session **out, struct session *s, const struct settings *st,
                       const char *save_in, char *err, size_t errlen)
{
    struct strbuf lines = STRBUF_INIT, blocks = STRBUF_INIT;
    struct loader l;
    int rc = save_to_memory(s, &lines, &blocks);

    if (!rc)
        rc = loader_init(&l, st, err, errlen);
    if (rc) {
        snprintf(err, errlen, "%s", strerror(-rc));
    } else {
        l.lines = (struct mapped){(const uint8_t *)lines.buf, lines.len};
        l.packets = (struct mapped){(const uint8_t *)blocks.buf, blocks.len};
        if (st->save)
            begin_tee(l.s, save_in);
        rc = load_begun(out, &l, NULL);
    }
    strbuf_release(&lines);
    strbuf_release(&blocks);
    return rc;
}

int session_redacted_copy(struct session **out, struct session *s, const char *dir, char *err,
                          size_t errlen)
{
    struct settings st = s->settings;
    struct strbuf *journal = &s->priv->journal;
    struct mapped later = {(const uint8_t *)journal->buf, journal->len};
    char name[80];

    snprintf(name, sizeof(name), "%s-redacted", s->settings.name ? s->settings.name : "session");
    st.name = name;
    st.redact = true;
    st.save = dir != NULL;
    st.at = 0;
    st.read_file = NULL;
    if (dir && !*dir)
        dir = NULL;
    if (!s->dir[0])
        return load_memory(out, s, &st, dir, err, errlen);
    if (!session_is_saved(s))
        return load_dir(out, s->dir, &st, &later, dir, err, errlen);
    session_save_sync(s);
    return load_dir(out, s->dir, &st, NULL, dir, err, errlen);
}
