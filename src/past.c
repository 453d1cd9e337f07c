/* What earlier runs found: looked up when a run begins, added to when it ends; --history. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CATCH_UP                                                                                   \
    (2 * NS_PER_SEC) /* what the end of a run may spend on sessions that are missing               \
                      */
#define EVENTS 20    /* the latest, told one by one */

static nstime wall(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

static bool is_past(void *arg)
{
    return wall() > *(const nstime *)arg;
}

/* 0 with h NULL: there is no place for it. */
static int open_history(struct history_db **h, char *path, size_t pathlen, char *note,
                        size_t notelen)
{
    int err = history_path(path, pathlen);

    *h = NULL;
    note[0] = '\0';
    if (err == -ENOENT)
        return 0;
    return err ? err : history_open(h, path, note, notelen);
}

static const char *why_not(int err)
{
    return err == -EPROTONOSUPPORT ? _("it is of a newer version of rstconsole") : strerror(-err);
}

/* ---- of a run ---- */

/* Its folder is marked, else the next --history would take it in with those that were killed. */
static void keep_out(const struct session *s)
{
    char mark[sizeof(s->dir) + 32];
    int fd = -1;

    if (s->dir[0]) {
        snprintf(mark, sizeof(mark), "%s/" HISTORY_NOT, s->dir);
        fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    }
    if (fd >= 0)
        close(fd);
}

void past_tell(struct work *w, uint32_t from)
{
    struct session *s = w->session;
    char path[PATH_MAX], note[PATH_MAX + 200];
    struct history_db *h;

    if (w->options->no_history)
        keep_out(s);
    if (w->options->no_history || !s->settings.save || from > s->ntargets)
        return;
    int err = open_history(&h, path, sizeof(path), note, sizeof(note));
    if (note[0])
        session_message(s, MSG_WARN, "%s", note);
    if (err)
        session_message(s, MSG_WARN, _("the history cannot be read: %s: %s"), path, why_not(err));
    for (uint32_t id = from; h && id <= s->ntargets; id++)
        history_tell(h, s, id);
    history_close(h);
}

void past_add(struct work *w)
{
    char path[PATH_MAX], note[PATH_MAX + 200], dir[PATH_MAX];
    nstime until = wall() + CATCH_UP;
    struct history_db *h;

    if (w->options->no_history || !w->session->settings.save)
        return;
    int err = open_history(&h, path, sizeof(path), note, sizeof(note));
    if (note[0])
        complain("%s", note);
    if (h)
        err = history_put(h, w->session);
    if (!err && h && history_incomplete(h) && sessions_dir(dir, sizeof(dir)) == 0)
        history_rebuild(h, dir, is_past, &until);
    history_close(h);
    if (err)
        complain(_("the history cannot be written: %s: %s"), path, why_not(err));
}

/* ---- --history ---- */

static int load_view(const struct options *o, struct history_view *v, const char *search)
{
    char path[PATH_MAX], note[PATH_MAX + 200], dir[PATH_MAX];
    struct history_query q = {
        .now = wall(), .days = o->days, .search = search, .max_events = EVENTS};
    struct history_db *h;
    int err = open_history(&h, path, sizeof(path), note, sizeof(note));

    if (note[0])
        complain("%s", note);
    if (!err && !h)
        err = -ENOENT;
    if (!err && sessions_dir(dir, sizeof(dir)) == 0)
        history_rebuild(h, dir, NULL, NULL); /* those of runs that were killed, too */
    if (!err)
        err = history_view_load(h, v, &q);
    history_close(h);
    if (err)
        complain(_("the history cannot be read: %s: %s"), path, why_not(err));
    return err ? EXIT_CANNOT : 0;
}

int past_view(struct work *w, struct history_view *v, const char *search)
{
    char path[PATH_MAX], note[PATH_MAX + 200];
    struct history_query q = {
        .now = wall(), .days = w->options->days, .search = search, .max_events = 1000};
    struct history_db *h;
    int err = open_history(&h, path, sizeof(path), note, sizeof(note));

    if (note[0])
        session_message(w->session, MSG_WARN, "%s", note);
    if (!err)
        err = h ? history_view_load(h, v, &q) : -ENOENT;
    history_close(h);
    return err;
}

int print_history(const struct options *o)
{
    struct history_view v;
    int rc = privilege_drop(), err;

    rc = rc ? EXIT_CANNOT : load_view(o, &v, o->nspecs ? o->specs[0] : NULL);
    if (rc)
        return rc;
    err = o->output && strcmp(o->output, "-") != 0
              ? report_history_to_file(&v, o->format, o->output)
              : report_history_to_fd(&v, o->format, STDOUT_FILENO);
    history_view_release(&v);
    if (!err)
        return EXIT_WELL;
    complain(_("the report cannot be written: %s: %s"), o->output ? o->output : _("stdout"),
             strerror(-err));
    return EXIT_CANNOT;
}
