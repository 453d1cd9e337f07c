/*
 * history.h: what earlier runs found, in one SQLite database for all of them (design.md 5: Places).
 *
 * Owns: a struct history_db owns its connection; a struct history_view what it shows (an arena).
 * Invariants: the session files are the truth, the database an index of them: it may be lost and is
 *   made anew from them. Two programs may use it at once (WAL, a lock file around opening and
 *   migrating). A database of a newer version is left alone. Nothing of a peer is stored but what a
 *   report shows: names, causes, times.
 * Errors: 0 or -errno; -EBADMSG: damaged (history_open() mends), -EPROTONOSUPPORT: of a newer
 * version. Part of session.h; nobody else includes it.
 */
#ifndef SESSION_HISTORY_H
#define SESSION_HISTORY_H

#include "base/base.h"

struct session;
struct history_db;

#define HISTORY_NOT      "no-history" /* a file of a session's folder: it is kept out */
#define HISTORY_DAYS     30           /* what is looked back on unless told otherwise */
#define HISTORY_DAYS_MAX 400          /* what is older is forgotten */

/* $XDG_STATE_HOME/rstconsole/history.db; its directory is made, 0700. -ENOENT: no home. */
int history_path(char *out, size_t outlen);
/* note: what there is to say ("" nothing): a damaged database was set aside. */
int history_open(struct history_db **out, const char *path, char *note, size_t notelen);
void history_close(struct history_db *h);
/* The session as it is now; what was known of it before goes. */
int history_put(struct history_db *h, const struct session *s);
/* True: sessions of before may be missing (the database is new or was set aside). */
bool history_incomplete(struct history_db *h);
/* Takes in the saved sessions below dir that are missing, until `enough` says so (NULL: all of
 * them); returns how many, or -errno. */
int history_rebuild(struct history_db *h, const char *dir, bool (*enough)(void *arg), void *arg);
bool history_has(struct history_db *h, const char *key);
int history_set_complete(struct history_db *h);

/* ---- reading ---- */
struct history_target {
    const char *name;
    uint64_t sessions, passed, failed; /* probes */
    uint64_t events, harmful;          /* resets and failures without one */
    nstime first, last;                /* of the harmful ones; NSTIME_NONE */
    const char *cause;                 /* id, of most of the harmful ones; "" none */
    uint64_t cause_count;
    nstime idle; /* the silence that came before most of them; 0 none */
    uint64_t idle_count;
    uint32_t *days; /* harmful ones of each day, the oldest first */
};
struct history_event {
    nstime time, idle; /* idle 0: none */
    const char *target, *cause, *grade, *stage, *sender, *address, *session;
    double confidence;
    bool harmful, reset;
};
struct history_cause {
    const char *cause; /* "" not determined */
    uint64_t count;
    nstime last;
};
struct history_query {
    nstime now;
    unsigned days;      /* 0: HISTORY_DAYS */
    const char *search; /* part of a target's name or a cause's id; NULL or "": all */
    size_t max_events;  /* the newest */
};
struct history_view {
    struct history_query asked;
    unsigned days;
    uint64_t sessions, events, harmful;
    struct history_target *targets; /* most harmful first, then the latest */
    size_t ntargets;
    struct history_event *list; /* newest first */
    size_t nlist;
    struct history_cause *causes; /* of the harmful ones, most often first */
    size_t ncauses;
    struct arena mem;
};
int history_view_load(struct history_db *h, struct history_view *v, const struct history_query *q);
void history_view_release(struct history_view *v);

/* What is known of one target, for a hint beside a new failure. */
struct history_hint {
    uint64_t sessions, harmful, cause_count, idle_count;
    char cause[48];
    nstime idle, last;
};
int history_hint_get(struct history_db *h, struct history_hint *out, const char *target, nstime now,
                     unsigned days);
/* The hint as facts about the target (an input, so that the saved session has them too). */
void history_tell(struct history_db *h, struct session *s, uint32_t target);

#endif
