/*
 * The outcome of a run for Prometheus and its kin: outcomes, timings, resets by cause, as
 * OpenMetrics 1.0 text. All of them are gauges, for each run speaks of itself alone: a counter that
 * begins anew with every run of a cron job would hide the second failure behind the first. For the
 * same reason no type is used that Prometheus' own older text format does not know: node_exporter's
 * textfile collector reads that one.
 */
#include "report/private.h"

#include "view/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

struct metrics {
    struct out out;
    const struct session *s;
    bool *shared; /* by target: another one bears the same name, and a series must be there once */
};

static void family(struct metrics *m, const char *name, const char *unit, const char *help)
{
    struct strbuf *sb = &m->out.buf;

    strbuf_addf(sb, "# TYPE %s gauge\n", name);
    if (unit)
        strbuf_addf(sb, "# UNIT %s %s\n", name, unit);
    strbuf_addf(sb, "# HELP %s %s\n", name, help);
}

/* sep: '{' before the first label, then ',' */
static void label(struct metrics *m, char sep, const char *name, const char *value)
{
    struct strbuf *sb = &m->out.buf;

    strbuf_addf(sb, "%c%s=\"", sep, name);
    for (; *value; value++) {
        if (*value == '\n') {
            strbuf_addstr(sb, "\\n");
            continue;
        }
        if (*value == '\\' || *value == '"')
            strbuf_addch(sb, '\\');
        strbuf_addch(sb, *value);
    }
    strbuf_addch(sb, '"');
}

static void label_target(struct metrics *m, const struct target_state *ts)
{
    struct strbuf sb = STRBUF_INIT;

    strbuf_addstr(&sb, ts ? ts->target->name : "");
    if (ts && m->shared[ts->target->id - 1])
        strbuf_addf(&sb, " #%u", ts->target->id);
    label(m, '{', "target", sb.buf);
    strbuf_release(&sb);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct target *const *)a)->name, (*(struct target *const *)b)->name);
}

static int find_shared_names(struct metrics *m)
{
    const struct session *s = m->s;
    const struct target **sorted = calloc(s->ntargets + 1, sizeof(struct target *));

    m->shared = calloc(s->ntargets + 1, sizeof(*m->shared));
    if (!sorted || !m->shared) {
        free(sorted);
        return -ENOMEM;
    }
    for (size_t i = 0; i < s->ntargets; i++)
        sorted[i] = s->targets[i].target;
    qsort(sorted, s->ntargets, sizeof(struct target *), by_name);
    for (size_t i = 1; i < s->ntargets; i++)
        if (strcmp(sorted[i]->name, sorted[i - 1]->name) == 0)
            m->shared[sorted[i]->id - 1] = m->shared[sorted[i - 1]->id - 1] = true;
    free(sorted);
    return 0;
}

static void put_count(struct metrics *m, uint64_t n)
{
    strbuf_addf(&m->out.buf, " %llu\n", (unsigned long long)n);
}

static void put_seconds(struct metrics *m, nstime span)
{
    bool minus = span < 0;
    uint64_t v = minus ? (uint64_t)-span : (uint64_t)span;

    strbuf_addf(&m->out.buf, "} %s%llu.%09llu\n", minus ? "-" : "",
                (unsigned long long)(v / NS_PER_SEC), (unsigned long long)(v % NS_PER_SEC));
}

static void plain(struct metrics *m, const char *name, const char *help, uint64_t n)
{
    family(m, name, NULL, help);
    strbuf_addstr(&m->out.buf, name);
    put_count(m, n);
}

/* ---- the run ---- */

static void moment(struct metrics *m, const char *name, const char *help, nstime t)
{
    if (t == NSTIME_NONE)
        return;
    family(m, name, "seconds", help);
    strbuf_addf(&m->out.buf, "%s %lld.%09lld\n", name, (long long)(t / NS_PER_SEC),
                (long long)(t % NS_PER_SEC));
}

static void say_run(struct metrics *m)
{
    const struct session *s = m->s;
    const struct vantage *v = &s->vantage;

    family(m, "rstconsole_build_info", NULL, "the program's version");
    strbuf_addstr(&m->out.buf, "rstconsole_build_info");
    label(m, '{', "version", PACKAGE_VERSION);
    strbuf_addstr(&m->out.buf, "} 1\n");
    moment(m, "rstconsole_run_started_seconds", "when the run began", s->started);
    moment(m, "rstconsole_run_ended_seconds", "when the run ended", s->ended);
    plain(m, "rstconsole_exit_status",
          "0: all well; 1: a probe failed or a harmful reset was found",
          (uint64_t)session_exit_status(s));
    plain(m, "rstconsole_harmful_resets", "harmful resets of this run", s->harmful_resets);
    plain(m, "rstconsole_failed_probes", "failed probes of this run", s->failed_probes);
    plain(m, "rstconsole_logged_errors", "lines of logs that tell of a failed connection",
          s->log.errors);
    if (v->capture == VANTAGE_NONE)
        return;
    plain(m, "rstconsole_captured_packets", "packets seen", v->packets);
    family(m, "rstconsole_captured_bytes", "bytes", "bytes of the packets seen");
    strbuf_addf(&m->out.buf, "rstconsole_captured_bytes %llu\n", (unsigned long long)v->bytes);
    if (v->dropped_known)
        plain(m, "rstconsole_dropped_packets", "packets that the capture lost", v->dropped);
}

/* ---- targets ---- */

/* The latest result of a probe. */
static const struct result *latest(const struct metrics *m, const struct target_state *ts,
                                   const char *probe)
{
    const struct result *best = NULL;

    for (size_t i = ts->nresults; i-- > 0;) {
        const struct result *r = session_result_by_id(m->s, ts->results[i]);
        if (!r || r->repeat || r->outcome == OUTCOME_SKIPPED || strcmp(r->probe, probe) != 0)
            continue;
        if (best && r->round != best->round)
            break;
        if (!best || r->outcome == OUTCOME_FAILED)
            best = r;
    }
    return best;
}

typedef void result_fn(struct metrics *m, const struct target_state *ts, const struct result *r);

static void each_latest(struct metrics *m, result_fn *fn)
{
    for (size_t t = 0; t < m->s->ntargets; t++) {
        for (size_t i = 0; i < probe_type_count(); i++) {
            const struct result *r = latest(m, &m->s->targets[t], probe_type_at(i)->name);
            if (r)
                fn(m, &m->s->targets[t], r);
        }
        out_some(&m->out);
    }
}

static void begin_sample(struct metrics *m, const char *name, const struct target_state *ts,
                         const struct result *r)
{
    strbuf_addstr(&m->out.buf, name);
    label_target(m, ts);
    label(m, ',', "probe", r->probe);
}

static void say_success(struct metrics *m, const struct target_state *ts, const struct result *r)
{
    begin_sample(m, "rstconsole_probe_success", ts, r);
    strbuf_addf(&m->out.buf, "} %d\n", r->outcome == OUTCOME_OK);
}

static void say_failure(struct metrics *m, const struct target_state *ts, const struct result *r)
{
    if (r->outcome != OUTCOME_FAILED)
        return;
    begin_sample(m, "rstconsole_probe_failure", ts, r);
    label(m, ',', "failure", failure_name(r->failure));
    label(m, ',', "stage", probe_stage_name(r->stage) ? probe_stage_name(r->stage) : "");
    strbuf_addstr(&m->out.buf, "} 1\n");
}

static void say_timings(struct metrics *m, const struct target_state *ts, const struct result *r)
{
    for (int i = 0; i < TIMING_COUNT; i++) {
        if (r->timings[i] == NSTIME_NONE)
            continue;
        begin_sample(m, "rstconsole_probe_duration_seconds", ts, r);
        label(m, ',', "phase", timing_names[i]);
        put_seconds(m, r->timings[i]);
    }
}

static void say_status(struct metrics *m, const struct target_state *ts, const struct result *r)
{
    const struct field *f = result_field(r, "status");

    if (!f || f->value.type != VALUE_INT)
        return;
    begin_sample(m, "rstconsole_probe_http_status", ts, r);
    strbuf_addf(&m->out.buf, "} %lld\n", (long long)f->value.u.i);
}

static void say_counts(struct metrics *m)
{
    family(m, "rstconsole_target_rounds", NULL, "rounds of the target that are done");
    for (size_t t = 0; t < m->s->ntargets; t++) {
        strbuf_addstr(&m->out.buf, "rstconsole_target_rounds");
        label_target(m, &m->s->targets[t]);
        strbuf_addch(&m->out.buf, '}');
        put_count(m, m->s->targets[t].rounds_done);
        out_some(&m->out);
    }
    family(m, "rstconsole_target_probes", NULL, "probes of all its rounds by outcome");
    for (size_t t = 0; t < m->s->ntargets; t++) {
        const struct target_state *ts = &m->s->targets[t];
        for (int failed = 0; failed < 2; failed++) {
            strbuf_addstr(&m->out.buf, "rstconsole_target_probes");
            label_target(m, ts);
            label(m, ',', "outcome", failed ? "failed" : "ok");
            strbuf_addch(&m->out.buf, '}');
            put_count(m, failed ? ts->failed : ts->passed);
        }
        out_some(&m->out);
    }
}

static void say_targets(struct metrics *m)
{
    if (!m->s->ntargets)
        return;
    say_counts(m);
    family(m, "rstconsole_probe_success", NULL,
           "1: the probe of the latest round passed; 0: failed");
    each_latest(m, say_success);
    family(m, "rstconsole_probe_failure", NULL, "what the probe of the latest round failed with");
    each_latest(m, say_failure);
    family(m, "rstconsole_probe_duration_seconds", "seconds", "what the latest round took");
    each_latest(m, say_timings);
    family(m, "rstconsole_probe_http_status", NULL, "status of the latest HTTP response");
    each_latest(m, say_status);
}

/* ---- resets and failures by cause ---- */

struct labels {
    uint32_t target;
    bool reset, harmful, related;
    enum grade grade;
    enum sender sender;
    enum stage stage;
    const char *cause;
};

static int by_labels(const void *a, const void *b)
{
    const struct labels *x = a, *y = b;
    const int differ[] = {x->reset - y->reset,
                          (x->target > y->target) - (x->target < y->target),
                          strcmp(x->cause, y->cause),
                          (int)x->grade - (int)y->grade,
                          (int)x->sender - (int)y->sender,
                          (int)x->stage - (int)y->stage,
                          x->harmful - y->harmful,
                          x->related - y->related};

    for (size_t i = 0; i < ARRAY_SIZE(differ); i++)
        if (differ[i])
            return differ[i];
    return 0;
}

static struct labels labels_of(const struct session *s, const struct incident *i)
{
    const struct judgement *j = &i->judgement;
    const struct verdict *v = j->nverdicts ? &j->verdicts[0] : NULL;

    return (struct labels){.target = i->target,
                           .reset = i->is_reset,
                           .harmful = i->harmful,
                           .related = i->related,
                           .grade = v ? v->grade : GRADE_NONE,
                           .sender = i->is_reset ? j->sender : SENDER_UNKNOWN,
                           .stage = incident_stage(s, i),
                           .cause = j->determined ? v->cause->id : ""};
}

static void say_group(struct metrics *m, const struct labels *g, uint64_t n)
{
    const struct target_state *ts = session_target(m->s, g->target);
    const char *stage = stage_name(g->stage);

    strbuf_addstr(&m->out.buf, g->reset ? "rstconsole_resets" : "rstconsole_failures");
    label_target(m, ts);
    label(m, ',', "cause", g->cause[0] ? g->cause : "not-determined");
    label(m, ',', "grade", g->cause[0] ? grade_name(g->grade) : "");
    label(m, ',', "stage", stage ? stage : "");
    if (g->reset)
        label(m, ',', "sender", sender_name(g->sender));
    label(m, ',', "harmful", g->harmful ? "true" : "false");
    label(m, ',', "related", g->related ? "true" : "false");
    strbuf_addch(&m->out.buf, '}');
    put_count(m, n);
    out_some(&m->out);
}

static void say_groups(struct metrics *m, const struct labels *g, size_t n, bool reset)
{
    family(m, reset ? "rstconsole_resets" : "rstconsole_failures", NULL,
           reset ? "resets by cause" : "failures without a reset by cause");
    for (size_t i = 0, k; i < n; i = k) {
        for (k = i + 1; k < n && by_labels(&g[i], &g[k]) == 0; k++)
            ;
        if (g[i].reset == reset)
            say_group(m, &g[i], k - i);
    }
}

static int say_incidents(struct metrics *m)
{
    const struct session *s = m->s;
    struct labels *g = calloc(s->nincidents + 1, sizeof(*g));
    size_t n = 0;

    if (!g)
        return -ENOMEM;
    for (size_t k = 0; k < s->nincidents; k++)
        if (s->incidents[k] && !s->incidents[k]->repeat)
            g[n++] = labels_of(s, s->incidents[k]);
    qsort(g, n, sizeof(*g), by_labels);
    say_groups(m, g, n, true);
    say_groups(m, g, n, false);
    free(g);
    return 0;
}

static int openmetrics_write(const struct session *s, const struct sink *to)
{
    struct metrics m = {.s = s};
    int err = find_shared_names(&m);

    out_init(&m.out, to);
    if (!err) {
        say_run(&m);
        say_targets(&m);
        err = say_incidents(&m);
    }
    free(m.shared);
    strbuf_addstr(&m.out.buf, "# EOF\n");
    int written = out_finish(&m.out);
    return err ? err : written;
}

const struct report_format report_openmetrics = {"openmetrics", "prom", openmetrics_write};
