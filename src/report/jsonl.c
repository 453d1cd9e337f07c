/*
 * The objects of the JSON report, one a line: all at the end, or as they come. Of what ended badly
 * a line comes when its round is over and it is judged; a reset judged anew comes again.
 */
#include "report/private.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE 4096 /* what a pipe that is writable takes without a wait */

struct report_feed {
    const struct session *s;
    int fd;
    struct out out; /* its buffer alone is used: written as far as the reader takes it */
    uint64_t seen;  /* results up to this id are written or put off */
    uint64_t *later;
    size_t nlater, later_alloc;
    uint64_t revision; /* resets judged up to then are written */
    size_t experiments;
};

static void line_open(struct json *j, const char *type, const struct session *s, uint32_t target)
{
    const struct target_state *ts = session_target(s, target);

    jw_open(j, NULL, '{');
    jw_text(j, "type", type);
    if (strcmp(type, "experiment") != 0) /* it names its target itself */
        jw_text(j, "target", ts ? ts->target->name : NULL);
}

static void line_close(struct json *j)
{
    strbuf_addch(&j->out->buf, '}');
    strbuf_addch(&j->out->buf, '\n');
    j->depth = 0;
}

static void probe_line(struct json *j, const struct session *s, const struct result *r)
{
    if (!r || r->repeat)
        return;
    line_open(j, "probe", s, r->target);
    json_probe_keys(j, s, r);
    line_close(j);
}

static void vantage_line(struct json *j, const struct session *s)
{
    line_open(j, "vantage", s, 0);
    json_vantage_keys(j, &s->vantage);
    line_close(j);
}

static void reset_lines(struct json *j, const struct session *s, uint64_t after)
{
    for (size_t k = 0; k < s->nincidents; k++) {
        const struct incident *i = s->incidents[k];
        if (!i || !(i->is_reset || i->log) || (after && i->judged_revision <= after))
            continue;
        line_open(j, i->log ? "log" : "reset", s, i->target);
        if (i->log)
            json_log_keys(j, s, i);
        else
            json_reset_keys(j, s, i);
        line_close(j);
        if (!after)
            out_some(j->out);
    }
}

/* Returns where the first one stands that is under way. */
static size_t experiment_lines(struct json *j, const struct session *s, size_t from)
{
    size_t done = s->nexperiments;

    for (size_t k = from; k < s->nexperiments; k++) {
        if (s->experiments[k].outcome == EXP_RUNNING) {
            done = MIN_OF(done, k);
            continue;
        }
        if (k > done)
            continue;
        line_open(j, "experiment", s, s->experiments[k].target);
        json_experiment_keys(j, s, &s->experiments[k]);
        line_close(j);
    }
    return done;
}

static void flow_lines(struct json *j, const struct session *s)
{
    struct flow_record rec;

    for (uint64_t k = 0; s->settings.flows && session_flow_record(s, k, &rec); k++) {
        line_open(j, "flow", s, 0);
        json_flow_keys(j, &rec);
        line_close(j);
        out_some(j->out);
    }
}

static void last_lines(struct json *j, const struct session *s)
{
    flow_lines(j, s);
    line_open(j, "summary", s, 0);
    json_summary_keys(j, s);
    line_close(j);
}

static int jsonl_write(const struct session *s, const struct sink *to)
{
    struct out out;
    struct json j = {.out = &out};

    out_init(&out, to);
    vantage_line(&j, s);
    for (size_t t = 0; t < s->ntargets; t++) {
        for (size_t k = 0; k < s->targets[t].nresults; k++)
            probe_line(&j, s, session_result_by_id(s, s->targets[t].results[k]));
        out_some(&out);
    }
    reset_lines(&j, s, 0);
    experiment_lines(&j, s, 0);
    last_lines(&j, s);
    return out_finish(&out);
}

const struct report_format report_jsonl = {"jsonl", "jsonl", jsonl_write};

/* ---- as they come ---- */

static int feed_sink(void *arg, const char *data, size_t len)
{
    struct report_feed *f = arg;

    while (len) {
        ssize_t n = write(f->fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            poll(&(struct pollfd){.fd = f->fd, .events = POLLOUT}, 1, -1);
            continue;
        }
        if (n < 0)
            return -errno;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* A reader that takes its time must not stop the probes: what it does not take waits here. */
static void feed_write(struct report_feed *f)
{
    struct strbuf *sb = &f->out.buf;
    size_t off = 0;

    while (!f->out.err && !sb->err && off < sb->len) {
        struct pollfd p = {.fd = f->fd, .events = POLLOUT};
        if (poll(&p, 1, 0) <= 0)
            break;
        ssize_t n = write(f->fd, sb->buf + off, MIN_OF(sb->len - off, PIECE));
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            f->out.err = -errno;
        if (n <= 0)
            break;
        off += (size_t)n;
    }
    if (!off)
        return;
    memmove(sb->buf, sb->buf + off, sb->len - off + 1);
    sb->len -= off;
}

int report_feed_begin(struct report_feed **out, const struct session *s, int fd)
{
    struct report_feed *f = calloc(1, sizeof(*f));

    if (!f)
        return -ENOMEM;
    f->s = s;
    f->fd = fd;
    f->revision = 1;
    out_init(&f->out, NULL);
    struct json j = {.out = &f->out};
    vantage_line(&j, s);
    feed_write(f);
    *out = f;
    return 0;
}

/* Nothing can still change what is said of it: no packets come, and it is part of no incident. */
static bool is_final(const struct session *s, const struct result *r)
{
    return s->vantage.capture == VANTAGE_NONE && !session_incident_of_result(s, r);
}

static void put_off(struct report_feed *f, uint64_t id)
{
    if (ARRAY_GROW(f->later, f->nlater + 1, f->later_alloc))
        f->out.err = -ENOMEM;
    else
        f->later[f->nlater++] = id;
}

void report_feed_more(struct report_feed *f, bool round_over)
{
    const struct session *s = f->s;
    struct json j = {.out = &f->out};

    if (f->out.err)
        return;
    while (f->seen < s->nresults) {
        const struct result *r = session_result_by_id(s, ++f->seen);
        if (r && is_final(s, r))
            probe_line(&j, s, r);
        else if (r)
            put_off(f, r->id);
    }
    if (round_over) {
        for (size_t i = 0; i < f->nlater; i++)
            probe_line(&j, s, session_result_by_id(s, f->later[i]));
        f->nlater = 0;
        reset_lines(&j, s, f->revision);
        f->revision = MAX_OF(s->revision, 1);
        f->experiments = experiment_lines(&j, s, f->experiments);
    }
    feed_write(f);
}

int report_feed_end(struct report_feed *f)
{
    int err;

    if (!f)
        return 0;
    struct json j = {.out = &f->out};
    struct sink to = {feed_sink, f};
    report_feed_more(f, true);
    if (f->s->vantage.capture != VANTAGE_NONE)
        vantage_line(&j, f->s); /* with its final counts */
    f->out.to = &to;
    last_lines(&j, f->s);
    err = out_finish(&f->out);
    free(f->later);
    free(f);
    return err;
}
