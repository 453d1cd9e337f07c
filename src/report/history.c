/* What earlier runs found, as text and as JSON. */
#include "report/private.h"

#include "view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

#define NAME_MAX_COLUMNS 32

static const char *moment(char out[TIME_TEXT_MAX], nstime t)
{
    char text[TIME_TEXT_MAX];

    if (t == NSTIME_NONE)
        return "-";
    time_rfc3339(text, t);
    snprintf(out, TIME_TEXT_MAX, "%.10s %.5s", text, text + 11);
    return out;
}

/* Cut or filled up to so many columns. */
static void column(struct strbuf *sb, const char *text, int columns)
{
    size_t n = text_fit(text, columns);

    strbuf_add(sb, text, n);
    for (int w = text_width(text); n == strlen(text) && w < columns; w++)
        strbuf_addch(sb, ' ');
}

/* Over numbers of six columns. */
static void number_head(struct strbuf *sb, const char *text)
{
    strbuf_addchars(sb, ' ', (size_t)MAX_OF(7 - text_width(text), 1));
    strbuf_addstr(sb, text);
}

static void say_target(struct strbuf *sb, const struct history_view *v,
                       const struct history_target *t)
{
    char when[TIME_TEXT_MAX], trend[HISTORY_DAYS_MAX * 4 + 4];

    column(sb, t->name, NAME_MAX_COLUMNS);
    strbuf_addf(sb, " %6llu %6llu  %-16s  ", (unsigned long long)t->sessions,
                (unsigned long long)t->harmful, moment(when, t->last));
    history_trend(trend, sizeof(trend), t, v->days, 14, false);
    strbuf_addf(sb, "%s\n", trend);
    if (!t->harmful)
        return;
    strbuf_addstr(sb, "    ");
    history_line(sb, t, v->days, tr_locale);
    strbuf_addch(sb, '\n');
}

static void say_event(struct strbuf *sb, const struct history_event *e)
{
    char when[TIME_TEXT_MAX], span[TIME_TEXT_MAX];

    strbuf_addf(sb, "%s  %s %s", moment(when, e->time), e->harmful ? "x" : "=", e->target);
    if (*e->stage)
        strbuf_addf(sb, "  %s", e->stage);
    if (e->idle > 0)
        strbuf_addf(sb, " (%s)", span_text(span, e->idle));
    strbuf_addf(sb, "  %s", *e->cause ? e->cause : _("not determined"));
    if (*e->cause)
        strbuf_addf(sb, " %.0f %%", e->confidence * 100);
    strbuf_addch(sb, '\n');
}

static void say_causes(struct strbuf *sb, const struct history_view *v)
{
    strbuf_addf(sb, "\n%s\n", _("Why"));
    for (size_t i = 0; i < v->ncauses; i++) {
        const struct cause *c = cause_by_id(v->causes[i].cause);
        strbuf_addf(sb, "%6llu  %s", (unsigned long long)v->causes[i].count,
                    c ? _(c->title) : _("not determined"));
        if (c)
            strbuf_addf(sb, " [%s]", c->id);
        strbuf_addch(sb, '\n');
    }
}

static int write_text(const struct history_view *v, const struct sink *to)
{
    struct value n[] = {v_int(v->days), v_int((int64_t)v->sessions), v_int((int64_t)v->harmful),
                        v_int((int64_t)v->ntargets)};
    struct out o;

    out_init(&o, to);
    text_render(&o.buf,
                N_("The last %1$s days: runs %2$s, targets %4$s, harmful resets and failures %3$s"),
                n, 4, tr_locale);
    strbuf_addch(&o.buf, '\n');
    if (!v->ntargets) {
        strbuf_addf(&o.buf, "%s\n",
                    v->asked.search ? _("nothing of that name") : _("nothing was kept yet"));
        return out_finish(&o);
    }
    strbuf_addch(&o.buf, '\n');
    column(&o.buf, _("target"), NAME_MAX_COLUMNS);
    number_head(&o.buf, _("runs"));
    number_head(&o.buf, _("harm"));
    strbuf_addstr(&o.buf, "  ");
    column(&o.buf, _("latest (UTC)"), 18);
    strbuf_addf(&o.buf, "%s\n", _("day by day"));
    for (size_t i = 0; i < v->ntargets; i++) {
        say_target(&o.buf, v, &v->targets[i]);
        out_some(&o);
    }
    if (v->ncauses)
        say_causes(&o.buf, v);
    if (v->nlist)
        strbuf_addf(&o.buf, "\n%s\n", _("The latest (UTC)"));
    for (size_t i = 0; i < v->nlist; i++)
        say_event(&o.buf, &v->list[i]);
    return out_finish(&o);
}

/* ---- JSON ---- */

static void target_json(struct json *j, const struct history_view *v,
                        const struct history_target *t)
{
    jw_open(j, NULL, '{');
    jw_text(j, "target", t->name);
    jw_uint(j, "runs", t->sessions);
    jw_uint(j, "probes_passed", t->passed);
    jw_uint(j, "probes_failed", t->failed);
    jw_uint(j, "events", t->events);
    jw_uint(j, "harmful", t->harmful);
    jw_time(j, "first", t->first);
    jw_time(j, "last", t->last);
    jw_text(j, "cause", *t->cause ? t->cause : NULL);
    jw_uint(j, "cause_count", t->cause_count);
    jw_span_ms(j, "idle_ms", t->idle > 0 ? t->idle : NSTIME_NONE);
    jw_uint(j, "idle_count", t->idle_count);
    jw_open(j, "days", '[');
    for (unsigned d = 0; d < v->days; d++)
        jw_uint(j, NULL, t->days ? t->days[d] : 0);
    jw_close(j, ']');
    jw_close(j, '}');
    out_some(j->out);
}

static void event_json(struct json *j, const struct history_event *e)
{
    jw_open(j, NULL, '{');
    jw_time(j, "time", e->time);
    jw_text(j, "target", e->target);
    jw_bool(j, "reset", e->reset);
    jw_bool(j, "harmful", e->harmful);
    jw_text(j, "cause", *e->cause ? e->cause : NULL);
    jw_text(j, "grade", *e->grade ? e->grade : NULL);
    jw_real(j, "confidence", e->confidence);
    jw_text(j, "stage", *e->stage ? e->stage : NULL);
    jw_text(j, "sender", *e->sender ? e->sender : NULL);
    jw_span_ms(j, "idle_ms", e->idle > 0 ? e->idle : NSTIME_NONE);
    jw_text(j, "address", *e->address ? e->address : NULL);
    jw_text(j, "session", *e->session ? e->session : NULL);
    jw_close(j, '}');
}

static int write_json(const struct history_view *v, const struct sink *to)
{
    struct out o;
    struct json j = {.out = &o};

    out_init(&o, to);
    jw_open(&j, NULL, '{');
    jw_text(&j, "schema", "rstconsole.history");
    jw_int(&j, "schema_version", 1);
    jw_text(&j, "program_version", PACKAGE_VERSION);
    jw_uint(&j, "days", v->days);
    jw_text(&j, "search", v->asked.search);
    jw_uint(&j, "runs", v->sessions);
    jw_uint(&j, "events", v->events);
    jw_uint(&j, "harmful", v->harmful);
    jw_open(&j, "targets", '[');
    for (size_t i = 0; i < v->ntargets; i++)
        target_json(&j, v, &v->targets[i]);
    jw_close(&j, ']');
    jw_open(&j, "causes", '[');
    for (size_t i = 0; i < v->ncauses; i++) {
        jw_open(&j, NULL, '{');
        jw_text(&j, "cause", *v->causes[i].cause ? v->causes[i].cause : NULL);
        jw_uint(&j, "count", v->causes[i].count);
        jw_time(&j, "last", v->causes[i].last);
        jw_close(&j, '}');
    }
    jw_close(&j, ']');
    jw_open(&j, "latest", '[');
    for (size_t i = 0; i < v->nlist; i++)
        event_json(&j, &v->list[i]);
    jw_close(&j, ']');
    jw_close(&j, '}');
    strbuf_addch(&o.buf, '\n');
    return out_finish(&o);
}

struct history_job {
    const struct history_view *v;
    bool json;
};

static int write_history(const void *what, const struct sink *to)
{
    const struct history_job *job = what;

    return job->json ? write_json(job->v, to) : write_text(job->v, to);
}

int report_history_to_fd(const struct history_view *v, const char *format, int fd)
{
    struct history_job job = {v, strcmp(format, "json") == 0};

    return write_to_fd(write_history, &job, fd);
}

int report_history_to_file(const struct history_view *v, const char *format, const char *path)
{
    struct history_job job = {v, strcmp(format, "json") == 0};

    return write_to_file(write_history, &job, path);
}
