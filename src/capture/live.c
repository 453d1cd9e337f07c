#include "capture/source.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LEN 1024
#define IFS_MAX      64
#define STOP_MAX     (2 * NS_PER_SEC)
#define PIPE_BYTES   (1 << 20) /* what a busy console may leave unread before the ring fills */

/* The helper: packets on its stdout, lines on its stderr (helper.c says which). */
struct live {
    struct child *child;
    struct watch *out_watch, *err_watch;
    struct turn *turn;        /* on while whole records wait */
    struct timer *stop_timer; /* a helper that does not end is killed */
    struct stream out;
    char line[LINE_MAX_LEN];
    size_t nline;
    bool more, out_done, err_done, exited, stopping, end_seen;
    int exit_status, term_signal;
    uint64_t settle_need; /* records the answered round wants handed out */
    bool answered;
    enum capture_error err;
    char text[TEXT_MAX]; /* of the error line, or a stray line */
    char names[IFS_MAX][32];
    size_t nnames;
};

static void live_close(struct capture *c)
{
    struct live *s = c->source;

    if (!s)
        return;
    watch_stop(s->out_watch);
    watch_stop(s->err_watch);
    turn_stop(s->turn);
    timer_stop(s->stop_timer);
    s->out_watch = s->err_watch = NULL;
    s->turn = NULL;
    s->stop_timer = NULL;
    if (s->child) {
        if (!s->exited)
            child_kill(s->child, SIGTERM); /* with nobody reading, it ends at once */
        child_free(s->child);
        s->child = NULL;
    }
    if (c->depth > 0 && !c->doomed)
        return;
    stream_release(&s->out);
    free(s);
    c->source = NULL;
}

static void on_stop_timer(void *arg)
{
    struct capture *c = arg;
    struct live *s = c->source;

    if (s->child)
        child_kill(s->child, SIGKILL);
}

static void live_stop(struct capture *c)
{
    struct live *s = c->source;

    if (s->stopping)
        return;
    s->stopping = true;
    if (s->child && child_kill(s->child, SIGTERM) == 0)
        s->stop_timer = loop_timer(c->loop, STOP_MAX, 0, on_stop_timer, c);
}

/* SIGUSR1; the round is over when the `asked` line came and as many records as it says were
 * handed out. */
static bool live_settle(struct capture *c)
{
    struct live *s = c->source;

    s->answered = false;
    return s->child && !s->stopping && child_kill(s->child, SIGUSR1) == 0;
}

static const struct source_ops live_ops = {
    .stop = live_stop, .settle = live_settle, .close = live_close};

static void check_settled(struct capture *c, struct live *s)
{
    if (!s->answered || c->reader.records < s->settle_need)
        return;
    s->answered = false;
    capture_round_done(c);
}

/* ---- lines ---- */
static bool take_word(char **at, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(*at, word, n) != 0 || ((*at)[n] != ' ' && (*at)[n] != '\0'))
        return false;
    *at += n;
    while (**at == ' ')
        (*at)++;
    return true;
}

static bool take_number(char **at, uint64_t *out)
{
    char digits[24];
    size_t n = strspn(*at, "0123456789");

    if (n == 0 || n >= sizeof digits)
        return false;
    memcpy(digits, *at, n);
    digits[n] = '\0';
    *at += n;
    while (**at == ' ')
        (*at)++;
    return parse_u64(digits, 0, UINT64_MAX, out) == 0;
}

static void on_ready_line(struct capture *c, struct live *s, char *at)
{
    uint64_t link;

    if (!take_number(&at, &link))
        return;
    while (*at && s->nnames < IFS_MAX) {
        size_t n = strcspn(at, " ");
        text_clean(s->names[s->nnames++], sizeof s->names[0], at, n);
        at += n + strspn(at + n, " ");
    }
    capture_ready(c);
}

static void on_stats_line(struct capture *c, struct live *s, char *at)
{
    uint64_t seen, dropped;

    if (!take_number(&at, &seen) || !take_number(&at, &dropped))
        return;
    c->stats.seen = MAX_OF(c->stats.seen, seen);
    c->stats.dropped = dropped;
    c->stats.dropped_known = true;
    if (take_word(&at, "asked")) {
        s->answered = true;
        s->settle_need = seen;
        check_settled(c, s);
    }
}

static void on_error_line(struct live *s, char *at)
{
    static const struct {
        const char *code;
        enum capture_error err;
    } codes[] = {
        {"PERM", CAPERR_PERMISSION}, {"NOIF", CAPERR_NO_INTERFACE}, {"DOWN", CAPERR_NO_INTERFACE},
        {"FILTER", CAPERR_FILTER},   {"INTERNAL", CAPERR_HELPER},
    };

    s->err = CAPERR_HELPER;
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        if (take_word(&at, codes[i].code)) {
            s->err = codes[i].err;
            break;
        }
    }
    text_clean(s->text, sizeof s->text, at, strlen(at));
}

static void on_line(struct capture *c, struct live *s, char *line)
{
    char *at = line;

    if (take_word(&at, "ready"))
        on_ready_line(c, s, at);
    else if (take_word(&at, "stats"))
        on_stats_line(c, s, at);
    else if (take_word(&at, "error"))
        on_error_line(s, at);
    else if (take_word(&at, "end"))
        s->end_seen = true;
    else if (s->err == CAPERR_NONE && s->text[0] == '\0') /* the dynamic linker, for one */
        text_clean(s->text, sizeof s->text, line, strlen(line));
}

/* One read a turn. A line that is too long is cut. */
static void read_lines(struct capture *c, struct live *s)
{
    struct stream in = {0};
    int r = stream_fill(&in, child_stderr(s->child));

    for (size_t i = in.start; i < in.end && !c->halted; i++) {
        char ch = (char)in.buf[i];
        if (ch != '\n' && s->nline < sizeof s->line - 1) {
            s->line[s->nline++] = ch;
        } else if (ch == '\n') {
            s->line[s->nline] = '\0';
            s->nline = 0;
            on_line(c, s, s->line);
        }
    }
    if (in.eof || (r < 0 && !c->halted)) {
        s->err_done = true;
        watch_stop(s->err_watch);
        s->err_watch = NULL;
    }
    stream_release(&in);
}

/* ---- the end ---- */
static void maybe_finished(struct capture *c, struct live *s)
{
    if (c->halted || !s->exited || !s->out_done || !s->err_done || s->more)
        return;
    if (s->err != CAPERR_NONE)
        capture_finish(c, CAPTURE_FAILED, s->err, "%s", s->text);
    else if (s->end_seen || s->stopping)
        capture_finish(c, CAPTURE_ENDED, CAPERR_NONE, "%s", "");
    else if (s->term_signal)
        capture_finish(c, CAPTURE_FAILED, CAPERR_HELPER, _("%s was ended by signal %d (%s)"),
                       HELPER_NAME, s->term_signal, strsignal(s->term_signal));
    else
        capture_finish(c, CAPTURE_FAILED, CAPERR_HELPER,
                       _("%s ended unexpectedly with status %d: %s"), HELPER_NAME, s->exit_status,
                       s->text);
}

static void on_exit_cb(void *arg, int exit_status, int term_signal)
{
    struct capture *c = arg;
    struct live *s = c->source;

    capture_enter(c);
    s->exited = true;
    s->exit_status = exit_status;
    s->term_signal = term_signal;
    maybe_finished(c, s);
    capture_leave(c);
}

/* ---- packets ---- */
static void out_ended(struct live *s)
{
    s->out_done = true;
    watch_stop(s->out_watch);
    s->out_watch = NULL;
}

static void step(struct capture *c, struct live *s)
{
    size_t used = 0;
    int r = 0;

    if (!s->more && !s->out_done) {
        r = stream_fill(&s->out, child_stdout(s->child));
        if (s->out.eof || r < 0)
            out_ended(s);
    }
    r = capture_walk(c, s->out.buf + s->out.start, s->out.end - s->out.start, &used);
    s->out.start += used;
    s->more = r > 0;
    if (r < 0)
        capture_finish(c, CAPTURE_FAILED, CAPERR_HELPER, _("the stream of %s is damaged: %s"),
                       HELPER_NAME, c->reader.error);
    if (c->halted)
        return;
    if (s->out_watch)
        watch_set(s->out_watch, s->more ? 0 : LOOP_READ);
    turn_set(s->turn, s->more);
    check_settled(c, s);
    maybe_finished(c, s);
}

static void on_turn(void *arg)
{
    struct capture *c = arg;

    capture_enter(c);
    if (!c->halted)
        step(c, c->source);
    capture_leave(c);
}

static void on_out(void *arg, int events)
{
    (void)events;
    on_turn(arg);
}

static void on_err(void *arg, int events)
{
    struct capture *c = arg;
    struct live *s = c->source;

    (void)events;
    capture_enter(c);
    read_lines(c, s);
    maybe_finished(c, s);
    capture_leave(c);
}

/* ---- opening ---- */
static int spawn(struct capture *c, struct live *s, const char *const *interfaces, size_t n,
                 const char *filter)
{
    char path[PATH_MAX];
    const char *argv[2 * IFS_MAX + 4];
    size_t k = 0;

    int r = capture_helper_path(path, sizeof path);
    if (r < 0)
        return r;
    argv[k++] = path;
    for (size_t i = 0; i < n && i < IFS_MAX; i++) {
        argv[k++] = "-i";
        argv[k++] = interfaces[i];
    }
    if (filter && filter[0]) {
        argv[k++] = "-f";
        argv[k++] = filter;
    }
    argv[k] = NULL;
    r = loop_child(c->loop, path, (char *const *)argv, on_exit_cb, c, &s->child);
    if (r < 0)
        return r;
    (void)fcntl(child_stdout(s->child), F_SETPIPE_SZ,
                PIPE_BYTES); /* a larger pipe is only better */
    s->out_watch = loop_watch(c->loop, child_stdout(s->child), LOOP_READ, on_out, c);
    s->err_watch = loop_watch(c->loop, child_stderr(s->child), LOOP_READ, on_err, c);
    return s->out_watch && s->err_watch ? 0 : -ENOMEM;
}

/* No helper: told in the first turn, as every other failure is. */
static void on_spawn_failed(void *arg)
{
    struct capture *c = arg;
    struct live *s = c->source;

    capture_enter(c);
    capture_finish(c, CAPTURE_FAILED, s->err, "%s", s->text);
    capture_leave(c);
}

static void spawn_failed(struct live *s, int r)
{
    s->err = r == -EACCES || r == -EPERM ? CAPERR_PERMISSION : CAPERR_HELPER;
    if (r == -ENOENT)
        snprintf(s->text, sizeof s->text, _("%s was found neither beside this program nor in %s"),
                 HELPER_NAME, PKGLIBEXECDIR);
    else
        snprintf(s->text, sizeof s->text, _("%s could not be started: %s"), HELPER_NAME,
                 strerror(-r));
}

int capture_open_live(struct capture **out, struct loop *l, const char *const *interfaces, size_t n,
                      const char *filter, const struct capture_callbacks *cb)
{
    struct capture *c = capture_new(l, cb, NULL);
    struct live *s = calloc(1, sizeof(*s));

    if (!c || !s) {
        capture_free(c);
        free(s);
        return -ENOMEM;
    }
    c->source = s;
    c->ops = &live_ops;
    int r = spawn(c, s, interfaces, n, filter);
    if (r < 0)
        spawn_failed(s, r);
    s->turn = turn_start(l, r < 0 ? on_spawn_failed : on_turn, c);
    if (!s->turn) {
        capture_free(c);
        return -ENOMEM;
    }
    turn_set(s->turn, r < 0);
    *out = c;
    return 0;
}

/* ---- names of interfaces ---- */
size_t capture_interfaces(const struct capture *c)
{
    const struct live *s = c->source;

    return c->ops == &live_ops && s ? s->nnames : c->nifs;
}

const char *capture_interface(const struct capture *c, size_t i)
{
    const struct live *s = c->source;

    if (i >= capture_interfaces(c))
        return NULL;
    return c->ops == &live_ops && s ? s->names[i] : c->ifs[i].name;
}
