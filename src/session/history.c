/* The history's database: opening, migrating, mending, writing. Reading is history_read.c's. */
#include "session/history_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUSY_MS 3000

/* Each brings the database from its index to the next version; none is ever changed, only added. */
static const char *const migrations[] = {
    "CREATE TABLE sessions (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, dir TEXT NOT NULL,"
    " host TEXT NOT NULL, version TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL,"
    " packets INTEGER NOT NULL);"
    "CREATE TABLE targets (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);"
    "CREATE TABLE rounds (session INTEGER NOT NULL, target INTEGER NOT NULL,"
    " rounds INTEGER NOT NULL, passed INTEGER NOT NULL, failed INTEGER NOT NULL, connect INTEGER,"
    " total INTEGER, PRIMARY KEY (session, target)) WITHOUT ROWID;"
    "CREATE TABLE events (id INTEGER PRIMARY KEY, session INTEGER NOT NULL,"
    " target INTEGER NOT NULL, time INTEGER NOT NULL, reset INTEGER NOT NULL,"
    " harmful INTEGER NOT NULL, cause INTEGER NOT NULL, grade INTEGER NOT NULL,"
    " confidence REAL NOT NULL, stage INTEGER NOT NULL, sender INTEGER NOT NULL, idle INTEGER);"
    "CREATE INDEX events_time ON events (time);"
    "CREATE INDEX events_target ON events (target, time);"
    "CREATE INDEX events_session ON events (session);",
    "ALTER TABLE events ADD COLUMN address TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX sessions_started ON sessions (started);"
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO meta VALUES ('complete', 0);",
};

int history_error(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return 0;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return -EBADMSG;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return -EBUSY;
    case SQLITE_FULL: return -ENOSPC;
    case SQLITE_READONLY: return -EROFS;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM: return -EACCES;
    case SQLITE_NOMEM: return -ENOMEM;
    default: return -EIO;
    }
}

static int run(struct history_db *h, const char *sql)
{
    return history_error(sqlite3_exec(h->db, sql, NULL, NULL, NULL));
}

int history_prepare(struct history_db *h, sqlite3_stmt **out, const char *sql)
{
    return history_error(sqlite3_prepare_v2(h->db, sql, -1, out, NULL));
}

static int get_number(struct history_db *h, const char *sql, int64_t *out)
{
    sqlite3_stmt *st = NULL;
    int err = history_prepare(h, &st, sql);

    *out = 0;
    if (!err) {
        int rc = sqlite3_step(st);
        if (rc == SQLITE_ROW)
            *out = sqlite3_column_int64(st, 0);
        else
            err = history_error(rc);
    }
    sqlite3_finalize(st);
    return err;
}

/* ---- where it is ---- */

static int make_parents(char *path)
{
    for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        int rc = mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
        *p = '/';
        if (rc)
            return rc;
    }
    return 0;
}

int history_path(char *out, size_t outlen)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n = 0;

    if (state && state[0] == '/')
        n = snprintf(out, outlen, "%s/rstconsole/history.db", state);
    else if (home && home[0] == '/')
        n = snprintf(out, outlen, "%s/.local/state/rstconsole/history.db", home);
    if (!n)
        return -ENOENT;
    if (n < 0 || (size_t)n >= outlen)
        return -ENAMETOOLONG;
    return make_parents(out);
}

/* ---- opening ---- */

static int migrate(struct history_db *h)
{
    int64_t version;
    char pragma[48];
    int err = run(h, "BEGIN IMMEDIATE");

    if (err)
        return err;
    err = get_number(h, "PRAGMA user_version", &version);
    if (!err && (version < 0 || (size_t)version > ARRAY_SIZE(migrations)))
        err = -EPROTONOSUPPORT;
    for (size_t i = (size_t)version; !err && i < ARRAY_SIZE(migrations); i++)
        err = run(h, migrations[i]);
    snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %zu", ARRAY_SIZE(migrations));
    if (!err && (size_t)version < ARRAY_SIZE(migrations))
        err = run(h, pragma);
    if (!err)
        return run(h, "COMMIT");
    run(h, "ROLLBACK");
    return err;
}

/* Damage deep inside is found by the check; a history of years is not read through each time. */
static int check(struct history_db *h)
{
    sqlite3_stmt *st = NULL;
    int64_t pages = 0;
    int err = get_number(h, "PRAGMA page_count", &pages);

    if (err || pages > CHECKED_PAGES)
        return err;
    err = history_prepare(h, &st, "PRAGMA quick_check(1)");
    if (!err) {
        int rc = sqlite3_step(st);
        const unsigned char *word = rc == SQLITE_ROW ? sqlite3_column_text(st, 0) : NULL;
        err = word ? strcmp((const char *)word, "ok") ? -EBADMSG : 0 : history_error(rc);
    }
    sqlite3_finalize(st);
    return err;
}

static int open_db(struct history_db *h, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* its -wal gets the same mode */

    if (fd < 0)
        return -errno;
    close(fd);
    int err = history_error(sqlite3_open_v2(path, &h->db, SQLITE_OPEN_READWRITE, NULL));
    if (err)
        return err;
    sqlite3_busy_timeout(h->db, BUSY_MS);
    sqlite3_limit(h->db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_db_config(h->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(h->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    err = run(h, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
    err = err ? err : check(h);
    return err ? err : migrate(h);
}

static void close_db(struct history_db *h)
{
    sqlite3_close_v2(h->db);
    h->db = NULL;
}

/* Out of the way, not away: somebody may want to look at it. */
static int set_aside(const char *path, char *note, size_t notelen)
{
    static const char *const tails[] = {"", "-wal", "-shm"};
    char from[PATH_MAX], to[PATH_MAX], when[24] = "";
    time_t now = time(NULL);
    struct tm tm;
    int err = 0;

    strftime(when, sizeof(when), "%Y%m%dT%H%M%S", gmtime_r(&now, &tm));
    for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
        if ((size_t)snprintf(from, sizeof(from), "%s%s", path, tails[i]) >= sizeof(from) ||
            (size_t)snprintf(to, sizeof(to), "%s.damaged-%s%s", path, when, tails[i]) >= sizeof(to))
            return -ENAMETOOLONG;
        if (rename(from, to) < 0 && errno != ENOENT)
            err = err ? err : -errno;
    }
    if (!err)
        snprintf(
            note, notelen,
            _("the history was damaged: it is set aside as %s.damaged-%s and made anew from the "
              "saved sessions"),
            path, when);
    return err;
}

/* One program at a time opens, migrates and mends: else two would set aside each other's new one.
 */
static int lock_opening(const char *path)
{
    char lock[PATH_MAX];
    int fd;

    if ((size_t)snprintf(lock, sizeof(lock), "%s.lock", path) >= sizeof(lock))
        return -ENAMETOOLONG;
    fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    while (flock(fd, LOCK_EX) < 0) {
        if (errno == EINTR)
            continue;
        int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

int history_open(struct history_db **out, const char *path, char *note, size_t notelen)
{
    struct history_db *h = calloc(1, sizeof(*h));
    int fd = -1, err;

    *out = NULL;
    if (notelen)
        note[0] = '\0';
    fd = h ? lock_opening(path) : -ENOMEM;
    err = fd < 0 ? fd : open_db(h, path);
    if (err == -EBADMSG) {
        close_db(h);
        err = set_aside(path, note, notelen);
        err = err ? err : open_db(h, path);
    }
    if (fd >= 0)
        close(fd);
    if (err) {
        history_close(h);
        return err;
    }
    *out = h;
    return 0;
}

void history_close(struct history_db *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(h->statements[i]);
    close_db(h);
    free(h);
}

/* ---- writing ---- */

enum {
    ADD_SESSION,
    FIND_SESSION,
    DROP_EVENTS,
    DROP_ROUNDS,
    ADD_TARGET,
    FIND_TARGET,
    ADD_WORD,
    FIND_WORD,
    ADD_ROUNDS,
    ADD_EVENT,
    FORGET_EVENTS
};
static const char *const sql[STATEMENTS] = {
    [ADD_SESSION] = "INSERT INTO sessions (key, dir, host, version, started, ended, packets)"
                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (key) DO UPDATE SET"
                    " dir = ?2, version = ?4, ended = ?6, packets = ?7",
    [FIND_SESSION] = "SELECT id FROM sessions WHERE key = ?1",
    [DROP_EVENTS] = "DELETE FROM events WHERE session = ?1",
    [DROP_ROUNDS] = "DELETE FROM rounds WHERE session = ?1",
    [ADD_TARGET] = "INSERT INTO targets (name) VALUES (?1) ON CONFLICT (name) DO NOTHING",
    [FIND_TARGET] = "SELECT id FROM targets WHERE name = ?1",
    [ADD_WORD] = "INSERT INTO words (word) VALUES (?1) ON CONFLICT (word) DO NOTHING",
    [FIND_WORD] = "SELECT id FROM words WHERE word = ?1",
    [ADD_ROUNDS] = "INSERT OR REPLACE INTO rounds VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [ADD_EVENT] = "INSERT INTO events (session, target, time, reset, harmful, cause, grade,"
                  " confidence, stage, sender, idle, address)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [FORGET_EVENTS] = "DELETE FROM events WHERE time < ?1",
};

/* Its statement, ready to be bound; NULL: h->err says why. */
static sqlite3_stmt *statement(struct history_db *h, int which)
{
    if (!h->err && !h->statements[which])
        h->err = history_prepare(h, &h->statements[which], sql[which]);
    if (h->err)
        return NULL;
    sqlite3_reset(h->statements[which]);
    sqlite3_clear_bindings(h->statements[which]);
    return h->statements[which];
}

static void bind_text(sqlite3_stmt *st, int at, const char *s)
{
    sqlite3_bind_text(st, at, s ? s : "", -1, SQLITE_TRANSIENT);
}

static void bind_span(sqlite3_stmt *st, int at, nstime t)
{
    if (t == NSTIME_NONE)
        sqlite3_bind_null(st, at);
    else
        sqlite3_bind_int64(st, at, t);
}

/* Runs a statement that returns at most a number. */
static int64_t step(struct history_db *h, sqlite3_stmt *st)
{
    int64_t n = 0;

    if (!st || h->err)
        return 0;
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        n = sqlite3_column_int64(st, 0);
    h->err = history_error(rc);
    sqlite3_reset(st);
    return n;
}

static int64_t id_of(struct history_db *h, int find, int add, const char *text)
{
    for (int tries = 0; tries < 2; tries++) {
        sqlite3_stmt *st = statement(h, find);
        if (!st)
            return 0;
        bind_text(st, 1, text);
        int64_t id = step(h, st);
        if (id || h->err)
            return id;
        st = statement(h, add);
        if (!st)
            return 0;
        bind_text(st, 1, text);
        step(h, st);
    }
    return 0;
}

/* There are few words, and each event bears four. */
static int64_t word_id(struct history_db *h, const char *word)
{
    word = word ? word : "";
    for (size_t i = 0; i < h->nwords; i++)
        if (strcmp(h->words[i].text, word) == 0)
            return h->words[i].id;
    int64_t id = id_of(h, FIND_WORD, ADD_WORD, word);
    if (id && h->nwords < ARRAY_SIZE(h->words) && strlen(word) < sizeof(h->words[0].text)) {
        snprintf(h->words[h->nwords].text, sizeof(h->words[0].text), "%s", word);
        h->words[h->nwords++].id = id;
    }
    return id;
}

/* A saved session is known by its folder's name, another by its host and moment. */
static void key_of(char *out, size_t outlen, const struct session *s)
{
    const char *slash = strrchr(s->dir, '/');

    if (s->dir[0])
        snprintf(out, outlen, "%s", slash ? slash + 1 : s->dir);
    else
        snprintf(out, outlen, "%lld@%s", (long long)s->started, s->vantage.host);
}

static int64_t add_session(struct history_db *h, const struct session *s)
{
    char key[600];
    sqlite3_stmt *st = statement(h, ADD_SESSION);
    nstime started = s->started == NSTIME_NONE ? 0 : s->started;
    int64_t id;

    if (!st)
        return 0;
    key_of(key, sizeof(key), s);
    bind_text(st, 1, key);
    bind_text(st, 2, s->dir);
    bind_text(st, 3, s->vantage.host);
    bind_text(st, 4, PACKAGE_VERSION);
    sqlite3_bind_int64(st, 5, started);
    sqlite3_bind_int64(st, 6, s->ended == NSTIME_NONE ? started : s->ended);
    sqlite3_bind_int64(st, 7, (sqlite3_int64)s->vantage.packets);
    step(h, st);
    st = statement(h, FIND_SESSION);
    if (!st)
        return 0;
    bind_text(st, 1, key);
    id = step(h, st);
    static const int drops[] = {DROP_EVENTS, DROP_ROUNDS};
    for (size_t i = 0; i < ARRAY_SIZE(drops); i++) {
        st = statement(h, drops[i]);
        if (st)
            sqlite3_bind_int64(st, 1, id);
        step(h, st);
    }
    return id;
}

static int by_span(const void *a, const void *b)
{
    nstime x = *(const nstime *)a, y = *(const nstime *)b;

    return (x > y) - (x < y);
}

/* The middle one of a timing over the rounds that are kept; NSTIME_NONE without. */
static nstime median(const struct session *s, const struct target_state *ts, int timing)
{
    nstime spans[500];
    size_t n = 0;

    for (size_t i = 0; i < ts->nresults && n < ARRAY_SIZE(spans); i++) {
        const struct result *r = session_result_by_id(s, ts->results[i]);
        if (r && !r->repeat && r->outcome == OUTCOME_OK && r->timings[timing] != NSTIME_NONE)
            spans[n++] = r->timings[timing];
    }
    if (!n)
        return NSTIME_NONE;
    qsort(spans, n, sizeof(spans[0]), by_span);
    return spans[n / 2];
}

static void add_rounds(struct history_db *h, const struct session *s, int64_t session,
                       const struct target_state *ts)
{
    int64_t target = id_of(h, FIND_TARGET, ADD_TARGET, ts->target->name);
    sqlite3_stmt *st = statement(h, ADD_ROUNDS);

    if (!st)
        return;
    sqlite3_bind_int64(st, 1, session);
    sqlite3_bind_int64(st, 2, target);
    sqlite3_bind_int64(st, 3, ts->rounds_done);
    sqlite3_bind_int64(st, 4, (sqlite3_int64)ts->passed);
    sqlite3_bind_int64(st, 5, (sqlite3_int64)ts->failed);
    bind_span(st, 6, median(s, ts, TIMING_CONNECT));
    bind_span(st, 7, median(s, ts, TIMING_TOTAL));
    step(h, st);
}

/* A target's name; without one the service that the connection was to. */
static const char *event_target(char *out, size_t outlen, const struct session *s,
                                const struct incident *i)
{
    const struct target_state *ts = session_target(s, i->target);
    char to[ENDPOINT_TEXT_MAX];

    if (ts)
        return ts->target->name;
    if (i->flow_known)
        snprintf(out, outlen, "%s", endpoint_text(to, &i->flow.dst, i->flow.dport));
    else if (i->log && i->log->first.host[0])
        snprintf(out, outlen, i->log->first.port ? "%s:%u" : "%s", i->log->first.host,
                 i->log->first.port);
    else
        snprintf(out, outlen, "?");
    return out;
}

static nstime event_idle(const struct incident *i)
{
    const struct host_ending *e = incident_ending(i);
    const struct fact *f = facts_get(&i->judgement.facts, FACT_IDLE_BEFORE);

    if (f && f->yes && f->v[0].type == VALUE_SPAN)
        return f->v[0].u.i;
    if (i->reset && i->reset->stage == STAGE_IDLE)
        return i->reset->idle;
    return e && !i->result && e->idle >= NS_PER_SEC ? e->idle : NSTIME_NONE;
}

static void add_event(struct history_db *h, const struct session *s, int64_t session,
                      const struct incident *i)
{
    const struct judgement *j = &i->judgement;
    const struct verdict *v = j->determined ? &j->verdicts[0] : NULL;
    char name[320], to[ENDPOINT_TEXT_MAX] = "";
    int64_t target = id_of(h, FIND_TARGET, ADD_TARGET, event_target(name, sizeof(name), s, i));
    int64_t words[] = {word_id(h, v ? v->cause->id : ""), word_id(h, v ? grade_name(v->grade) : ""),
                       word_id(h, stage_name(j->stage)), word_id(h, sender_name(j->sender))};
    sqlite3_stmt *st = statement(h, ADD_EVENT);

    if (!st)
        return;
    if (i->flow_known)
        endpoint_text(to, &i->flow.dst, i->flow.dport);
    sqlite3_bind_int64(st, 1, session);
    sqlite3_bind_int64(st, 2, target);
    sqlite3_bind_int64(st, 3, i->time == NSTIME_NONE ? s->started : i->time);
    sqlite3_bind_int(st, 4, i->is_reset);
    sqlite3_bind_int(st, 5, i->harmful);
    sqlite3_bind_int64(st, 6, words[0]);
    sqlite3_bind_int64(st, 7, words[1]);
    sqlite3_bind_double(st, 8, v ? v->confidence : 0);
    sqlite3_bind_int64(st, 9, words[2]);
    sqlite3_bind_int64(st, 10, words[3]);
    bind_span(st, 11, event_idle(i));
    bind_text(st, 12, to);
    step(h, st);
}

static void forget_old(struct history_db *h, const struct session *s)
{
    sqlite3_stmt *st = s->started == NSTIME_NONE ? NULL : statement(h, FORGET_EVENTS);

    if (!st)
        return;
    sqlite3_bind_int64(st, 1, s->started - HISTORY_DAYS_MAX * DAY);
    step(h, st);
}

int history_put(struct history_db *h, const struct session *s)
{
    int64_t id;

    h->err = run(h, "BEGIN IMMEDIATE");
    if (h->err)
        return h->err;
    h->nwords = 0; /* another program may have made them anew */
    id = add_session(h, s);
    for (size_t t = 0; t < s->ntargets && !h->err; t++)
        add_rounds(h, s, id, &s->targets[t]);
    for (size_t k = 0; k < s->nincidents && !h->err; k++)
        if (s->incidents[k] && s->incidents[k]->related && !s->incidents[k]->repeat)
            add_event(h, s, id, s->incidents[k]);
    forget_old(h, s);
    if (!h->err)
        h->err = run(h, "COMMIT");
    if (h->err)
        run(h, "ROLLBACK");
    return h->err;
}

/* ---- is it all there? ---- */

bool history_incomplete(struct history_db *h)
{
    int64_t complete = 0;

    return get_number(h, "SELECT value FROM meta WHERE key = 'complete'", &complete) || !complete;
}

int history_set_complete(struct history_db *h)
{
    return run(h, "INSERT OR REPLACE INTO meta VALUES ('complete', 1)");
}

bool history_has(struct history_db *h, const char *key)
{
    h->err = 0;
    sqlite3_stmt *st = statement(h, FIND_SESSION);

    if (!st)
        return false;
    bind_text(st, 1, key);
    return step(h, st) != 0;
}
