/* The report as JSON (design.md 6, doc/report.schema.json): English whatever the locale. */
#include "report/private.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"

/* ---- facts and verdicts ---- */

static void value_json(struct json *j, const char *key, const struct value *v)
{
    switch (v->type) {
    case VALUE_INT: json_int(j, key, v->u.i); return;
    case VALUE_REAL: json_real(j, key, v->u.d); return;
    case VALUE_TEXT: json_text(j, key, v->u.s); return;
    case VALUE_BOOL: json_bool(j, key, v->u.b); return;
    case VALUE_SPAN: json_real(j, key, (double)v->u.i / NS_PER_MS); return;
    case VALUE_NONE: break;
    }
    json_null(j, key);
}

static const char *word_or_null(const char *s)
{
    return s && *s ? s : NULL;
}

static void fact_json(struct json *j, const struct fact *f, const char *weight)
{
    const struct fact_kind_info *info = fact_info(f->kind);
    struct strbuf text = STRBUF_INIT;
    const char *unit = word_or_null(info->unit);

    if (f->v[0].type == VALUE_SPAN)
        unit = "ms";
    json_open(j, NULL, '{');
    json_text(j, "kind", info->name);
    json_text(j, "family", word_or_null(info->family));
    json_bool(j, "yes", f->yes);
    value_json(j, "value", &f->v[0]);
    json_text(j, "unit", f->v[0].type == VALUE_NONE ? NULL : unit);
    fact_text(&text, f, tr_none);
    json_strbuf(j, "text", &text);
    json_text(j, "source", fact_source_name(f->source));
    if (f->packet)
        json_uint(j, "ref", f->packet);
    else
        json_text(j, "ref", word_or_null(f->ref));
    json_text(j, "weight", weight);
    json_close(j, '}');
}

static void missing_json(struct json *j, enum fact_kind kind, const char *weight)
{
    const struct fact_kind_info *info = fact_info(kind);
    struct strbuf text = STRBUF_INIT;

    json_open(j, NULL, '{');
    json_text(j, "kind", info->name);
    json_text(j, "family", word_or_null(info->family));
    json_null(j, "yes");
    json_null(j, "value");
    json_null(j, "unit");
    fact_missing_text(&text, kind, tr_none);
    json_strbuf(j, "text", &text);
    json_null(j, "source");
    json_null(j, "ref");
    json_text(j, "weight", weight);
    json_close(j, '}');
}

static void weighed_json(struct json *j, const char *key, const struct facts *facts,
                         const struct weighed *w, size_t n)
{
    json_open(j, key, '[');
    for (size_t i = 0; i < n; i++) {
        const struct fact *f = facts_get(facts, w[i].kind);
        if (f)
            fact_json(j, f, w[i].strong ? "strong" : "weak");
    }
    json_close(j, ']');
}

static void verdict_json(struct json *j, const struct judgement *jd, const struct verdict *v)
{
    struct strbuf advice = STRBUF_INIT;

    json_open(j, NULL, '{');
    json_text(j, "cause", v->cause->id);
    json_text(j, "group", group_name(v->cause->group));
    json_text(j, "grade", grade_name(v->grade));
    json_real(j, "confidence", v->confidence);
    weighed_json(j, "for", &jd->facts, v->for_, v->nfor);
    weighed_json(j, "against", &jd->facts, v->against, v->nagainst);
    json_open(j, "missing", '[');
    for (size_t i = 0; i < v->nmissing; i++)
        missing_json(j, v->missing[i].kind, v->missing[i].strong ? "strong" : "weak");
    json_close(j, ']');
    cause_advice(&advice, v->cause, &jd->facts, tr_none);
    json_strbuf(j, "advice", &advice);
    json_close(j, '}');
}

static void ruled_out_json(struct json *j, const struct judgement *jd)
{
    json_open(j, "ruled_out", '[');
    for (size_t i = 0; i < jd->nruled_out; i++) {
        const struct ruled_out *r = &jd->ruled_out[i];
        json_open(j, NULL, '{');
        json_text(j, "cause", r->cause->id);
        json_open(j, "by", '[');
        for (size_t k = 0; k < r->nby; k++) {
            const struct fact *f = facts_get(&jd->facts, r->by[k]);
            if (f)
                fact_json(j, f, "strong");
        }
        json_close(j, ']');
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void checklist_json(struct json *j, const struct incident *i)
{
    json_open(j, "checklist", '[');
    for (size_t k = 0; k < i->checklist.nr; k++) {
        const struct checklist_item *item = &i->checklist.items[k];
        json_open(j, NULL, '{');
        json_text(j, "step", item->step->id);
        json_text(j, "group", group_name(item->step->group));
        json_text(j, "state", step_state_name(item->state));
        json_open(j, "facts", '[');
        for (size_t n = 0; n < STEP_KINDS && item->facts[n]; n++) {
            const struct fact *f = facts_get(&i->judgement.facts, item->facts[n]);
            if (f)
                fact_json(j, f, NULL);
        }
        json_close(j, ']');
        json_close(j, '}');
    }
    json_close(j, ']');
}

/* verdicts, ruled_out, retry, checklist: the same for a probe and its reset. */
static void diagnosis_json(struct json *j, const struct incident *i)
{
    const struct judgement *jd = &i->judgement;

    json_open(j, "verdicts", '[');
    for (size_t k = 0; k < jd->nverdicts; k++)
        verdict_json(j, jd, &jd->verdicts[k]);
    json_close(j, ']');
    ruled_out_json(j, jd);
    json_open(j, "retry", '{');
    json_text(j, "advice", retry_name(i->repeat ? RETRY_NOT_NEEDED : jd->retry));
    json_text(j, "why", i->repeat ? "a probe of our own" : jd->retry_why ? jd->retry_why : "");
    json_close(j, '}');
    checklist_json(j, i);
}

static void no_diagnosis_json(struct json *j)
{
    json_open(j, "verdicts", '[');
    json_close(j, ']');
    json_open(j, "ruled_out", '[');
    json_close(j, ']');
    json_null(j, "retry");
    json_open(j, "checklist", '[');
    json_close(j, ']');
}

/* ---- targets and their probes ---- */

static void addr_json(struct json *j, const char *key, const struct addr *a)
{
    char buf[ADDR_TEXT_MAX];

    json_text(j, key, a->family ? addr_text(buf, a) : NULL);
}

static void port_json(struct json *j, const char *key, uint16_t port)
{
    if (port)
        json_uint(j, key, port);
    else
        json_null(j, key);
}

/* A probe's tuple: what the kernel no longer knew is null. */
static void probe_flow_json(struct json *j, const char *key, const struct flow_key *k, bool known)
{
    if (!known) {
        json_null(j, key);
        return;
    }
    json_open(j, key, '{');
    addr_json(j, "src", &k->src);
    port_json(j, "sport", k->sport);
    addr_json(j, "dst", &k->dst);
    port_json(j, "dport", k->dport);
    json_close(j, '}');
}

static void flow_json(struct json *j, const struct flow_key *k)
{
    json_open(j, "flow", '{');
    addr_json(j, "src", &k->src);
    json_uint(j, "sport", k->sport);
    addr_json(j, "dst", &k->dst);
    json_uint(j, "dport", k->dport);
    json_close(j, '}');
}

static size_t same_name(const struct result *r, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < r->nfields; i++)
        n += strcmp(r->fields[i].name, name) == 0;
    return n;
}

/* A name that stands several times is a list. */
static void fields_json(struct json *j, const struct result *r)
{
    json_open(j, "fields", '{');
    for (size_t i = 0; i < r->nfields; i++) {
        const char *name = r->fields[i].name;
        if (result_field(r, name) != &r->fields[i])
            continue;
        if (same_name(r, name) == 1) {
            value_json(j, name, &r->fields[i].value);
            continue;
        }
        json_open(j, name, '[');
        for (size_t k = i; k < r->nfields; k++)
            if (strcmp(r->fields[k].name, name) == 0)
                value_json(j, NULL, &r->fields[k].value);
        json_close(j, ']');
    }
    json_close(j, '}');
}

static void timings_json(struct json *j, const struct result *r)
{
    json_open(j, "timings_ms", '{');
    for (size_t i = 0; i < TIMING_COUNT; i++)
        json_span_ms(j, timing_names[i], r->timings[i]);
    json_close(j, '}');
}

static void probe_json(struct json *j, const struct session *s, const struct result *r)
{
    const struct incident *i = session_incident_of_result(s, r);
    bool failed = r->outcome == OUTCOME_FAILED;

    json_open(j, NULL, '{');
    json_text(j, "probe", r->probe);
    json_uint(j, "round", r->round);
    addr_json(j, "address", &r->address);
    json_text(j, "outcome", outcome_name(r->outcome));
    json_text(j, "failure", failure_name(r->failure));
    json_text(j, "stage", probe_stage_name(r->stage));
    json_text(j, "errno", r->err ? errno_name(r->err) : NULL);
    probe_flow_json(j, "flow", &r->flow, r->flow_known);
    timings_json(j, r);
    fields_json(j, r);
    if (i && i->reset_id && failed)
        json_uint(j, "reset", i->reset_id);
    else
        json_null(j, "reset");
    if (failed && i)
        diagnosis_json(j, i);
    else
        no_diagnosis_json(j);
    json_close(j, '}');
}

static void targets_json(struct json *j, const struct session *s)
{
    json_open(j, "targets", '[');
    for (size_t t = 0; t < s->ntargets; t++) {
        const struct target_state *ts = &s->targets[t];
        json_open(j, NULL, '{');
        json_text(j, "name", ts->target->name);
        json_open(j, "probes", '[');
        for (size_t k = 0; k < ts->nresults; k++) {
            const struct result *r = session_result_by_id(s, ts->results[k]);
            if (r && !r->repeat)
                probe_json(j, s, r);
        }
        json_close(j, ']');
        json_close(j, '}');
    }
    json_close(j, ']');
}

/* ---- resets ---- */

static void sent_acked_json(struct json *j, const struct reset *r, int side, const char *key)
{
    json_open(j, key, '{');
    if (r && r->bytes[side].known) {
        json_uint(j, "sent", r->bytes[side].sent);
        json_uint(j, "acked", r->bytes[side].acked);
    } else {
        json_null(j, "sent");
        json_null(j, "acked");
    }
    json_close(j, '}');
}

/* What packets tell of the segment itself; without them what a socket can know. */
static void reset_wire_json(struct json *j, const struct session *s, const struct incident *i)
{
    const struct reset *r = i->reset;

    if (r)
        json_uint(j, "packet", r->packet);
    else
        json_null(j, "packet");
    if (r)
        flow_json(j, &r->key);
    else
        probe_flow_json(j, "flow", &i->flow, true);
    json_bool(j, "related", i->related);
    json_text(j, "from", r ? (r->from == SIDE_ORIG ? "orig" : "resp") : "resp");
    json_text(j, "direction", r ? direction_name(r->direction) : "inbound");
    json_text(j, "vantage_end", r ? vantage_end_name(r->vantage_end) : "orig");
    json_text(j, "stage", stage_name(incident_stage(s, i)));
    json_text(j, "class", r ? rst_class_name(r->class) : NULL);
}

static void sender_json(struct json *j, const struct judgement *jd)
{
    json_open(j, "sender", '{');
    json_text(j, "verdict", sender_name(jd->sender));
    json_real(j, "confidence", jd->sender_confidence);
    weighed_json(j, "why", &jd->facts, jd->sender_why, jd->nsender_why);
    json_close(j, '}');
}

static void reset_json(struct json *j, const struct session *s, const struct incident *i)
{
    const struct reset *r = i->reset;

    json_open(j, NULL, '{');
    json_uint(j, "id", i->reset_id);
    json_time(j, "time", i->time);
    reset_wire_json(j, s, i);
    sender_json(j, &i->judgement);
    json_text(j, "conn_state", r ? conn_state_name(r->conn_state) : NULL);
    json_text(j, "history", r ? r->history : NULL);
    json_bool(j, "harmful", i->harmful);
    json_text(j, "harmful_why", i->harmful_why);
    json_span_ms(j, "idle_ms", r ? r->idle : NSTIME_NONE);
    json_open(j, "bytes", '{');
    sent_acked_json(j, r, SIDE_ORIG, "orig");
    sent_acked_json(j, r, SIDE_RESP, "resp");
    json_close(j, '}');
    json_text(j, "last_words", r ? word_or_null(r->last_words) : NULL);
    json_null(j, "process");
    diagnosis_json(j, i);
    json_close(j, '}');
}

static void resets_json(struct json *j, const struct session *s)
{
    json_open(j, "resets", '[');
    for (size_t k = 0; k < s->nincidents; k++)
        if (s->incidents[k]->is_reset)
            reset_json(j, s, s->incidents[k]);
    json_close(j, ']');
}

/* ---- the rest ---- */

static void vantage_json(struct json *j, const struct vantage *v)
{
    static const char *const captures[] = {"live", "file", "none"};

    json_open(j, "vantage", '{');
    json_text(j, "host", word_or_null(v->host));
    json_text(j, "user", word_or_null(v->user));
    json_text(j, "capture", captures[v->capture]);
    json_open(j, "interfaces", '[');
    for (size_t i = 0; i < v->ninterfaces; i++)
        json_text(j, NULL, v->interfaces[i]);
    json_close(j, ']');
    json_uint(j, "packets", v->packets);
    json_uint(j, "bytes", v->bytes);
    if (v->dropped_known)
        json_uint(j, "dropped", v->dropped);
    else
        json_null(j, "dropped");
    if (v->capture == VANTAGE_NONE)
        json_null(j, "truncated");
    else
        json_uint(j, "truncated", v->truncated);
    json_text(j, "capture_error", word_or_null(v->capture_error));
    json_close(j, '}');
}

static void experiment_json(struct json *j, const struct session *s,
                            const struct experiment_record *e)
{
    static const char *const outcomes[] = {"separated", "inconclusive", "cancelled"};
    const struct target_state *ts = session_target(s, e->target);

    json_open(j, NULL, '{');
    json_text(j, "experiment", e->experiment);
    json_text(j, "target", ts ? ts->target->name : NULL);
    json_text(j, "outcome", outcomes[e->outcome]);
    json_open(j, "cost", '{');
    json_uint(j, "connections", e->connections);
    if (e->packets)
        json_uint(j, "packets", e->packets);
    else
        json_null(j, "packets");
    json_real(j, "seconds", e->span > 0 ? (double)e->span / NS_PER_SEC : 0);
    json_close(j, '}');
    json_open(j, "measured", '{');
    json_close(j, '}');
    json_open(j, "facts", '[');
    for (size_t k = 0; k < e->facts.nr; k++)
        fact_json(j, &e->facts.items[k], NULL);
    json_close(j, ']');
    json_close(j, '}');
}

static void each_way_json(struct json *j, const char *key, const uint64_t v[2])
{
    json_open(j, key, '{');
    json_uint(j, "orig", v[SIDE_ORIG]);
    json_uint(j, "resp", v[SIDE_RESP]);
    json_close(j, '}');
}

static void flows_json(struct json *j, const struct session *s)
{
    const struct flow_record *records;
    size_t n = session_flow_records(s, &records);

    json_open(j, "flows", '[');
    for (size_t i = 0; i < n; i++) {
        const struct flow_record *r = &records[i];
        json_open(j, NULL, '{');
        json_uint(j, "id", r->flow);
        flow_json(j, &r->key);
        json_time(j, "start", r->start);
        if (r->duration == NSTIME_NONE || r->duration < 0)
            json_null(j, "duration_s");
        else
            json_real(j, "duration_s", (double)r->duration / NS_PER_SEC);
        json_text(j, "conn_state", conn_state_name(r->state));
        json_text(j, "history", r->history);
        each_way_json(j, "packets", r->packets);
        each_way_json(j, "bytes", r->bytes);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void limits_json(struct json *j, const struct session *s)
{
    const struct flow_limits_hit *hit = flow_table_limits(s->flows);

    json_open(j, "limits", '{');
    json_uint(j, "flows_evicted", hit->flows_evicted);
    json_uint(j, "resets_dropped", hit->resets_dropped + s->limits.incidents_dropped);
    json_uint(j, "results_dropped", s->limits.results_dropped);
    json_close(j, '}');
}

static void summary_json(struct json *j, const struct session *s)
{
    struct strbuf text = STRBUF_INIT;

    json_open(j, "summary", '{');
    words_summary(&text, s, tr_none);
    json_strbuf(j, "text", &text);
    json_uint(j, "harmful_resets", s->harmful_resets);
    json_uint(j, "failed_probes", s->failed_probes);
    json_close(j, '}');
}

static int json_write(const struct session *s, const struct sink *to)
{
    struct out out;
    struct json j = {.out = &out};

    out_init(&out, to);
    json_open(&j, NULL, '{');
    json_text(&j, "schema", "rstconsole.report");
    json_int(&j, "schema_version", 1);
    json_text(&j, "program_version", PACKAGE_VERSION);
    json_time(&j, "started", s->started);
    json_time(&j, "ended", s->ended);
    vantage_json(&j, &s->vantage);
    targets_json(&j, s);
    resets_json(&j, s);
    json_open(&j, "experiments", '[');
    for (size_t i = 0; i < s->nexperiments; i++)
        experiment_json(&j, s, &s->experiments[i]);
    json_close(&j, ']');
    if (s->settings.flows)
        flows_json(&j, s);
    limits_json(&j, s);
    summary_json(&j, s);
    json_close(&j, '}');
    strbuf_addch(&out.buf, '\n');
    return out_finish(&out);
}

const struct report_format report_json = {"json", "json", json_write};
