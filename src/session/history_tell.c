/* The history and the sessions: facts about a target that was met before, and the database made
 * anew from the saved sessions. */
#include "session/private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define REF "history"

static void tell(struct session *s, uint32_t target, enum fact_kind kind, bool yes, struct value a,
                 struct value b, struct value c)
{
    struct fact f = {.kind = kind, .yes = yes, .source = SRC_HOST, .ref = REF, .v = {a, b, c}};

    session_fact(s, (struct subject){ABOUT_TARGET, target}, &f);
}

/* "no" is said only of a target that was probed before. */
void history_tell(struct history_db *h, struct session *s, uint32_t target)
{
    const struct target_state *ts = session_target(s, target);
    nstime now = s->started != NSTIME_NONE ? s->started : session_now(s);
    struct history_hint hint;

    if (!ts || history_hint_get(h, &hint, ts->target->name, now, HISTORY_DAYS) || !hint.sessions)
        return;
    tell(s, target, FACT_SEEN_BEFORE, hint.harmful > 0, v_int((int64_t)hint.harmful),
         v_int(HISTORY_DAYS), v_int((int64_t)hint.sessions));
    if (hint.idle_count)
        tell(s, target, FACT_SEEN_IDLE, true, v_span(hint.idle), v_int((int64_t)hint.idle_count),
             v_int((int64_t)hint.harmful));
    if (hint.cause_count)
        tell(s, target, FACT_SEEN_CAUSE, true, v_text(hint.cause), v_int((int64_t)hint.cause_count),
             v_int((int64_t)hint.harmful));
}

/* ---- from the files ---- */

static int take_in(struct history_db *h, const char *path)
{
    struct settings st = {.keep_packets = false};
    struct session *s = NULL;
    char err[300];
    int rc = session_load(&s, path, &st, err, sizeof(err));

    if (rc)
        return rc;
    session_judge(s);
    rc = history_put(h, s);
    session_free(s);
    return rc;
}

/* Whoever made it wanted no history of it. */
static bool kept_out(const char *path)
{
    char mark[PATH_MAX + 32];
    struct stat st;

    snprintf(mark, sizeof(mark), "%s/" HISTORY_NOT, path);
    return stat(mark, &st) == 0;
}

/* A session that cannot be read is passed over: what is damaged must not keep the others out. */
int history_rebuild(struct history_db *h, const char *dir, bool (*enough)(void *arg), void *arg)
{
    char path[PATH_MAX + 2];
    struct dirent *e;
    DIR *d = opendir(dir);
    int taken = 0, rc = 0;
    bool all = true;

    if (!d)
        return errno == ENOENT ? history_set_complete(h) : -errno;
    while (!rc && (e = readdir(d))) {
        if (e->d_name[0] == '.' || history_has(h, e->d_name) ||
            (size_t)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) >= sizeof(path) ||
            !session_is_session(path) || kept_out(path))
            continue;
        if (enough && enough(arg)) {
            all = false;
            break;
        }
        rc = take_in(h, path);
        taken += !rc;
        if (rc != -ENOSPC && rc != -EBADMSG && rc != -EBUSY)
            rc = 0;
    }
    closedir(d);
    if (!rc && all)
        rc = history_set_complete(h);
    return rc ? rc : taken;
}
