/* The report as JSON (design.md 6, doc/report.schema.json): English whatever the locale. */
#include "report/private.h"

#include "view/view.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"

/* ---- facts and verdicts ---- */

static void value_json(struct json *j, const char *key, const struct value *v)
{
    switch (v->type) {
    case VALUE_INT: jw_int(j, key, v->u.i); return;
    case VALUE_REAL: jw_real(j, key, v->u.d); return;
    case VALUE_TEXT: jw_text(j, key, v->u.s); return;
    case VALUE_BOOL: jw_bool(j, key, v->u.b); return;
    case VALUE_SPAN: jw_real(j, key, (double)v->u.i / NS_PER_MS); return;
    case VALUE_NONE: break;
    }
    jw_null(j, key);
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
    jw_open(j, NULL, '{');
    jw_text(j, "kind", info->name);
    jw_text(j, "family", word_or_null(info->family));
    jw_bool(j, "yes", f->yes);
    value_json(j, "value", &f->v[0]);
    jw_text(j, "unit", f->v[0].type == VALUE_NONE ? NULL : unit);
    fact_text(&text, f, tr_none);
    jw_strbuf(j, "text", &text);
    jw_text(j, "source", fact_source_name(f->source));
    if (f->packet)
        jw_uint(j, "ref", f->packet);
    else
        jw_text(j, "ref", word_or_null(f->ref));
    jw_text(j, "weight", weight);
    jw_close(j, '}');
}

static void missing_json(struct json *j, enum fact_kind kind, const char *weight)
{
    const struct fact_kind_info *info = fact_info(kind);
    struct strbuf text = STRBUF_INIT;

    jw_open(j, NULL, '{');
    jw_text(j, "kind", info->name);
    jw_text(j, "family", word_or_null(info->family));
    jw_null(j, "yes");
    jw_null(j, "value");
    jw_null(j, "unit");
    fact_missing_text(&text, kind, tr_none);
    jw_strbuf(j, "text", &text);
    jw_null(j, "source");
    jw_null(j, "ref");
    jw_text(j, "weight", weight);
    jw_close(j, '}');
}

static void weighed_json(struct json *j, const char *key, const struct facts *facts,
                         const struct weighed *w, size_t n)
{
    jw_open(j, key, '[');
    for (size_t i = 0; i < n; i++) {
        const struct fact *f = facts_get(facts, w[i].kind);
        if (f)
            fact_json(j, f, w[i].strong ? "strong" : "weak");
    }
    jw_close(j, ']');
}

static void verdict_json(struct json *j, const struct judgement *jd, const struct verdict *v)
{
    struct strbuf advice = STRBUF_INIT;

    jw_open(j, NULL, '{');
    jw_text(j, "cause", v->cause->id);
    jw_text(j, "group", group_name(v->cause->group));
    jw_text(j, "grade", grade_name(v->grade));
    jw_real(j, "confidence", v->confidence);
    weighed_json(j, "for", &jd->facts, v->for_, v->nfor);
    weighed_json(j, "against", &jd->facts, v->against, v->nagainst);
    jw_open(j, "missing", '[');
    for (size_t i = 0; i < v->nmissing; i++)
        missing_json(j, v->missing[i].kind, v->missing[i].strong ? "strong" : "weak");
    jw_close(j, ']');
    cause_advice(&advice, v->cause, &jd->facts, tr_none);
    jw_strbuf(j, "advice", &advice);
    jw_close(j, '}');
}

static void ruled_out_json(struct json *j, const struct judgement *jd)
{
    jw_open(j, "ruled_out", '[');
    for (size_t i = 0; i < jd->nruled_out; i++) {
        const struct ruled_out *r = &jd->ruled_out[i];
        jw_open(j, NULL, '{');
        jw_text(j, "cause", r->cause->id);
        jw_open(j, "by", '[');
        for (size_t k = 0; k < r->nby; k++) {
            const struct fact *f = facts_get(&jd->facts, r->by[k]);
            if (f)
                fact_json(j, f, "strong");
        }
        jw_close(j, ']');
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

static void checklist_json(struct json *j, const struct incident *i)
{
    jw_open(j, "checklist", '[');
    for (size_t k = 0; k < i->checklist.nr; k++) {
        const struct checklist_item *item = &i->checklist.items[k];
        jw_open(j, NULL, '{');
        jw_text(j, "step", item->step->id);
        jw_text(j, "group", group_name(item->step->group));
        jw_text(j, "state", step_state_name(item->state));
        jw_open(j, "facts", '[');
        for (size_t n = 0; n < STEP_KINDS && item->facts[n]; n++) {
            const struct fact *f = facts_get(&i->judgement.facts, item->facts[n]);
            if (f)
                fact_json(j, f, NULL);
        }
        jw_close(j, ']');
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

/* verdicts, ruled_out, retry, checklist: the same for a probe and its reset. */
static void playbook_json(struct json *j, const struct session *s, const struct incident *i)
{
    const struct playbook *b = session_playbook(s, i);

    if (!b)
        return;
    jw_open(j, "playbook", '{');
    jw_text(j, "id", b->id);
    jw_open(j, "items", '[');
    for (size_t k = 0; k < playbook_items(b); k++) {
        jw_open(j, NULL, '{');
        jw_text(j, "text", b->items[k].say);
        jw_text(j, "means", b->items[k].means);
        jw_text(
            j, "state",
            step_state_name(playbook_item_state(&b->items[k], &i->checklist, &i->judgement.facts)));
        jw_close(j, '}');
    }
    jw_close(j, ']');
    jw_close(j, '}');
}

static void seen_before_json(struct json *j, const struct facts *f)
{
    static const enum fact_kind kinds[] = {FACT_SEEN_BEFORE, FACT_SEEN_IDLE, FACT_SEEN_CAUSE};

    if (!facts_get(f, FACT_SEEN_BEFORE))
        return;
    jw_open(j, "seen_before", '[');
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (facts_get(f, kinds[i]))
            fact_json(j, facts_get(f, kinds[i]), NULL);
    jw_close(j, ']');
}

static void diagnosis_json(struct json *j, const struct session *s, const struct incident *i)
{
    const struct judgement *jd = &i->judgement;

    jw_open(j, "verdicts", '[');
    for (size_t k = 0; k < jd->nverdicts; k++)
        verdict_json(j, jd, &jd->verdicts[k]);
    jw_close(j, ']');
    ruled_out_json(j, jd);
    jw_open(j, "retry", '{');
    jw_text(j, "advice", retry_name(i->repeat ? RETRY_NOT_NEEDED : jd->retry));
    jw_text(j, "why", i->repeat ? "a probe of our own" : jd->retry_why ? jd->retry_why : "");
    jw_close(j, '}');
    checklist_json(j, i);
    playbook_json(j, s, i);
    seen_before_json(j, &jd->facts);
}

static void no_diagnosis_json(struct json *j)
{
    jw_open(j, "verdicts", '[');
    jw_close(j, ']');
    jw_open(j, "ruled_out", '[');
    jw_close(j, ']');
    jw_null(j, "retry");
    jw_open(j, "checklist", '[');
    jw_close(j, ']');
}

/* ---- targets and their probes ---- */

static void addr_json(struct json *j, const char *key, const struct addr *a)
{
    char buf[ADDR_TEXT_MAX];

    jw_text(j, key, a->family ? addr_text(buf, a) : NULL);
}

static void port_json(struct json *j, const char *key, uint16_t port)
{
    if (port)
        jw_uint(j, key, port);
    else
        jw_null(j, key);
}

/* A probe's tuple: what the kernel no longer knew is null. */
static void probe_flow_json(struct json *j, const char *key, const struct flow_key *k, bool known)
{
    if (!known) {
        jw_null(j, key);
        return;
    }
    jw_open(j, key, '{');
    addr_json(j, "src", &k->src);
    port_json(j, "sport", k->sport);
    addr_json(j, "dst", &k->dst);
    port_json(j, "dport", k->dport);
    jw_close(j, '}');
}

static void flow_json(struct json *j, const struct flow_key *k)
{
    jw_open(j, "flow", '{');
    addr_json(j, "src", &k->src);
    jw_uint(j, "sport", k->sport);
    addr_json(j, "dst", &k->dst);
    jw_uint(j, "dport", k->dport);
    jw_close(j, '}');
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
    jw_open(j, "fields", '{');
    for (size_t i = 0; i < r->nfields; i++) {
        const char *name = r->fields[i].name;
        if (result_field(r, name) != &r->fields[i])
            continue;
        if (same_name(r, name) == 1) {
            value_json(j, name, &r->fields[i].value);
            continue;
        }
        jw_open(j, name, '[');
        for (size_t k = i; k < r->nfields; k++)
            if (strcmp(r->fields[k].name, name) == 0)
                value_json(j, NULL, &r->fields[k].value);
        jw_close(j, ']');
    }
    jw_close(j, '}');
}

static void timings_json(struct json *j, const struct result *r)
{
    jw_open(j, "timings_ms", '{');
    for (size_t i = 0; i < TIMING_COUNT; i++)
        jw_span_ms(j, timing_names[i], r->timings[i]);
    jw_close(j, '}');
}

void json_probe_keys(struct json *j, const struct session *s, const struct result *r)
{
    const struct incident *i = session_incident_of_result(s, r);
    bool failed = r->outcome == OUTCOME_FAILED;

    jw_text(j, "probe", r->probe);
    jw_uint(j, "round", r->round);
    addr_json(j, "address", &r->address);
    jw_text(j, "outcome", outcome_name(r->outcome));
    jw_text(j, "failure", failure_name(r->failure));
    jw_text(j, "stage", probe_stage_name(r->stage));
    jw_text(j, "errno", r->err ? errno_name(r->err) : NULL);
    probe_flow_json(j, "flow", &r->flow, r->flow_known);
    timings_json(j, r);
    fields_json(j, r);
    if (i && i->reset_id && failed)
        jw_uint(j, "reset", i->reset_id);
    else
        jw_null(j, "reset");
    if (failed && i)
        diagnosis_json(j, s, i);
    else
        no_diagnosis_json(j);
}

static void targets_json(struct json *j, const struct session *s)
{
    jw_open(j, "targets", '[');
    for (size_t t = 0; t < s->ntargets; t++) {
        const struct target_state *ts = &s->targets[t];
        jw_open(j, NULL, '{');
        jw_text(j, "name", ts->target->name);
        jw_open(j, "probes", '[');
        for (size_t k = 0; k < ts->nresults; k++) {
            const struct result *r = session_result_by_id(s, ts->results[k]);
            if (!r || r->repeat)
                continue;
            jw_open(j, NULL, '{');
            json_probe_keys(j, s, r);
            jw_close(j, '}');
        }
        jw_close(j, ']');
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

/* ---- resets ---- */

static void sent_acked_json(struct json *j, const struct incident *i, int side, const char *key)
{
    const struct reset *r = i->reset;
    const struct host_ending *e = i->ends[side == SIDE_RESP];

    jw_open(j, key, '{');
    if (r && r->bytes[side].known) {
        jw_uint(j, "sent", r->bytes[side].sent);
        jw_uint(j, "acked", r->bytes[side].acked);
    } else if (!r && e && e->info) {
        jw_uint(j, "sent", e->sent);
        jw_uint(j, "acked", e->acked);
    } else {
        jw_null(j, "sent");
        jw_null(j, "acked");
    }
    jw_close(j, '}');
}

/* From whom, which way, seen where: of a socket of this host its own end is known. */
static void reset_way_json(struct json *j, const struct incident *i)
{
    const struct reset *r = i->reset;
    const struct host_ending *e = incident_ending(i);

    if (r) {
        jw_text(j, "from", r->from == SIDE_ORIG ? "orig" : "resp");
        jw_text(j, "direction", direction_name(r->direction));
        jw_text(j, "vantage_end", vantage_end_name(r->vantage_end));
    } else if (e && !i->result) {
        bool here = host_ending_made_here(e);
        jw_text(j, "from", here == e->server ? "resp" : "orig");
        jw_text(j, "direction", here ? "outbound" : "inbound");
        jw_text(j, "vantage_end", e->server ? "resp" : "orig");
    } else {
        jw_text(j, "from", "resp");
        jw_text(j, "direction", "inbound");
        jw_text(j, "vantage_end", "orig");
    }
}

/* What packets tell of the segment itself; without them what a socket can know. */
static void reset_wire_json(struct json *j, const struct session *s, const struct incident *i)
{
    const struct reset *r = i->reset;

    if (r)
        jw_uint(j, "packet", r->packet);
    else
        jw_null(j, "packet");
    if (r)
        flow_json(j, &r->key);
    else
        probe_flow_json(j, "flow", &i->flow, true);
    jw_bool(j, "related", i->related);
    reset_way_json(j, i);
    jw_text(j, "stage", stage_name(incident_stage(s, i)));
    jw_text(j, "class", r ? rst_class_name(r->class) : NULL);
}

static void sender_json(struct json *j, const struct judgement *jd)
{
    jw_open(j, "sender", '{');
    jw_text(j, "verdict", sender_name(jd->sender));
    jw_real(j, "confidence", jd->sender_confidence);
    weighed_json(j, "why", &jd->facts, jd->sender_why, jd->nsender_why);
    jw_close(j, '}');
}

/* Of a socket of this host: whose it was; null where the kernel does not let us know. */
static void process_json(struct json *j, const struct host_ending *e)
{
    if (!e || (e->owner.pid < 0 && e->owner.uid < 0)) {
        jw_null(j, "process");
        return;
    }
    jw_open(j, "process", '{');
    if (e->owner.pid >= 0)
        jw_uint(j, "pid", (uint64_t)e->owner.pid);
    else
        jw_null(j, "pid");
    jw_text(j, "name", word_or_null(e->owner.name));
    if (e->owner.uid >= 0)
        jw_uint(j, "uid", (uint64_t)e->owner.uid);
    else
        jw_null(j, "uid");
    jw_text(j, "cgroup", word_or_null(e->owner.cgroup));
    jw_close(j, '}');
}

void json_reset_keys(struct json *j, const struct session *s, const struct incident *i)
{
    const struct reset *r = i->reset;

    jw_uint(j, "id", i->reset_id);
    jw_time(j, "time", i->time);
    reset_wire_json(j, s, i);
    sender_json(j, &i->judgement);
    jw_text(j, "conn_state", r ? conn_state_name(r->conn_state) : NULL);
    jw_text(j, "history", r ? r->history : NULL);
    jw_bool(j, "harmful", i->harmful);
    jw_text(j, "harmful_why", i->harmful_why);
    const struct host_ending *e = incident_ending(i);
    jw_span_ms(j, "idle_ms", r ? r->idle : e && !i->result ? e->idle : NSTIME_NONE);
    jw_open(j, "bytes", '{');
    sent_acked_json(j, i, SIDE_ORIG, "orig");
    sent_acked_json(j, i, SIDE_RESP, "resp");
    jw_close(j, '}');
    jw_text(j, "last_words", r ? word_or_null(r->last_words) : NULL);
    process_json(j, incident_ending(i));
    diagnosis_json(j, s, i);
}

static void resets_json(struct json *j, const struct session *s)
{
    jw_open(j, "resets", '[');
    for (size_t k = 0; k < s->nincidents; k++) {
        if (!s->incidents[k]->is_reset)
            continue;
        jw_open(j, NULL, '{');
        json_reset_keys(j, s, s->incidents[k]);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

/* ---- what a log told ---- */

void json_log_keys(struct json *j, const struct session *s, const struct incident *i)
{
    const struct log_group *g = i->log;
    const struct log_line *l = &g->first;

    jw_text(j, "file", s->log_name);
    jw_uint(j, "line", g->first_number);
    jw_uint(j, "last_line", g->last_number);
    jw_uint(j, "lines", g->lines);
    jw_time(j, "time", g->begun);
    jw_time(j, "last_time", g->ended);
    jw_text(j, "error", logged_name(l->error));
    jw_text(j, "words", word_or_null(l->words));
    jw_text(j, "program", word_or_null(l->program));
    jw_text(j, "host", word_or_null(l->host));
    if (l->port)
        jw_uint(j, "port", l->port);
    else
        jw_null(j, "port");
    jw_bool(j, "related", i->related);
    jw_bool(j, "harmful", i->harmful);
    diagnosis_json(j, s, i);
}

/* Only with --log: a key of its own, as a line of a log is neither a probe nor a seen reset. */
static void logs_json(struct json *j, const struct session *s)
{
    if (!s->log.lines)
        return;
    jw_open(j, "log", '[');
    for (size_t k = 0; k < s->nincidents; k++) {
        if (!s->incidents[k] || !s->incidents[k]->log)
            continue;
        jw_open(j, NULL, '{');
        json_log_keys(j, s, s->incidents[k]);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

/* ---- the rest ---- */

void json_vantage_keys(struct json *j, const struct vantage *v)
{
    static const char *const captures[] = {"live", "file", "none"};

    jw_text(j, "host", word_or_null(v->host));
    jw_text(j, "user", word_or_null(v->user));
    jw_text(j, "capture", captures[v->capture]);
    jw_open(j, "interfaces", '[');
    for (size_t i = 0; i < v->ninterfaces; i++)
        jw_text(j, NULL, v->interfaces[i]);
    jw_close(j, ']');
    jw_uint(j, "packets", v->packets);
    jw_uint(j, "bytes", v->bytes);
    if (v->dropped_known)
        jw_uint(j, "dropped", v->dropped);
    else
        jw_null(j, "dropped");
    if (v->capture == VANTAGE_NONE)
        jw_null(j, "truncated");
    else
        jw_uint(j, "truncated", v->truncated);
    jw_text(j, "capture_error", word_or_null(v->capture_error));
}

void json_experiment_keys(struct json *j, const struct session *s,
                          const struct experiment_record *e)
{
    static const char *const outcomes[] = {"separated", "inconclusive", "cancelled"};
    const struct target_state *ts = session_target(s, e->target);

    jw_text(j, "experiment", e->experiment);
    jw_text(j, "target", ts ? ts->target->name : NULL);
    jw_text(j, "outcome", outcomes[e->outcome]);
    jw_open(j, "cost", '{');
    jw_uint(j, "connections", e->connections);
    if (e->packets)
        jw_uint(j, "packets", e->packets);
    else
        jw_null(j, "packets");
    jw_real(j, "seconds", e->span > 0 ? (double)e->span / NS_PER_SEC : 0);
    jw_close(j, '}');
    jw_open(j, "measured", '{');
    for (size_t k = 0; k < e->nmeasures; k++)
        value_json(j, e->measures[k].name, &e->measures[k].value);
    jw_close(j, '}');
    jw_text(j, "why", word_or_null(e->why));
    jw_open(j, "facts", '[');
    for (size_t k = 0; k < e->facts.nr; k++)
        fact_json(j, &e->facts.items[k], NULL);
    jw_close(j, ']');
}

static void experiment_in_list(struct json *j, const struct session *s,
                               const struct experiment_record *e)
{
    jw_open(j, NULL, '{');
    json_experiment_keys(j, s, e);
    jw_close(j, '}');
}

static void each_way_json(struct json *j, const char *key, const uint64_t v[2])
{
    jw_open(j, key, '{');
    jw_uint(j, "orig", v[SIDE_ORIG]);
    jw_uint(j, "resp", v[SIDE_RESP]);
    jw_close(j, '}');
}

void json_flow_keys(struct json *j, const struct flow_record *r)
{
    jw_uint(j, "id", r->flow);
    flow_json(j, &r->key);
    jw_time(j, "start", r->start);
    if (r->duration == NSTIME_NONE || r->duration < 0)
        jw_null(j, "duration_s");
    else
        jw_real(j, "duration_s", (double)r->duration / NS_PER_SEC);
    jw_text(j, "conn_state", conn_state_name(r->state));
    jw_text(j, "history", r->history);
    each_way_json(j, "packets", r->packets);
    each_way_json(j, "bytes", r->bytes);
}

static void flows_json(struct json *j, const struct session *s)
{
    struct flow_record rec;

    jw_open(j, "flows", '[');
    for (uint64_t i = 0; session_flow_record(s, i, &rec); i++) {
        jw_open(j, NULL, '{');
        json_flow_keys(j, &rec);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

static void limits_json(struct json *j, const struct session *s)
{
    const struct flow_limits_hit *hit = flow_table_limits(s->flows);

    jw_open(j, "limits", '{');
    jw_uint(j, "flows_evicted", hit->flows_evicted);
    jw_uint(j, "resets_dropped", hit->resets_dropped + s->limits.incidents_dropped);
    jw_uint(j, "flows_left_out", s->limits.records_dropped);
    jw_uint(j, "first_bytes_dropped", hit->bytes_refused);
    jw_uint(j, "results_dropped", s->limits.results_dropped);
    jw_close(j, '}');
}

void json_summary_keys(struct json *j, const struct session *s)
{
    struct strbuf text = STRBUF_INIT;

    words_summary(&text, s, tr_none);
    jw_strbuf(j, "text", &text);
    jw_uint(j, "harmful_resets", s->harmful_resets);
    jw_uint(j, "failed_probes", s->failed_probes);
}

/* What several resets have in common; the last key that a reader of version 1 need not know. */
static void pattern_json(struct json *j, const struct session *s, const struct pattern *p)
{
    struct strbuf text = STRBUF_INIT;
    struct fact f;
    size_t of;
    const struct cause *c = pattern_cause(s, p, &of);

    pattern_fact(&f, p);
    jw_open(j, NULL, '{');
    jw_text(j, "pattern", fact_info(f.kind)->name);
    jw_uint(j, "count", p->nr);
    jw_open(j, "resets", '[');
    for (size_t n = 0; n < p->nr; n++) {
        const struct incident *i = pattern_incident(s, p, n);
        if (i)
            jw_uint(j, NULL, i->reset_id);
    }
    jw_close(j, ']');
    fact_text(&text, &f, tr_none);
    jw_strbuf(j, "text", &text);
    jw_text(j, "cause", c ? c->id : NULL);
    jw_uint(j, "cause_count", of);
    jw_close(j, '}');
    out_some(j->out);
}

static void patterns_json(struct json *j, const struct session *s)
{
    jw_open(j, "patterns", '[');
    for (size_t k = 0; k < s->patterns.nr; k++)
        if (s->patterns.items[k].yes)
            pattern_json(j, s, &s->patterns.items[k]);
    jw_close(j, ']');
}

static int json_write(const struct session *s, const struct sink *to)
{
    struct out out;
    struct json j = {.out = &out};

    out_init(&out, to);
    jw_open(&j, NULL, '{');
    jw_text(&j, "schema", "rstconsole.report");
    jw_int(&j, "schema_version", 1);
    jw_text(&j, "program_version", PACKAGE_VERSION);
    jw_time(&j, "started", s->started);
    jw_time(&j, "ended", s->ended);
    jw_open(&j, "vantage", '{');
    json_vantage_keys(&j, &s->vantage);
    jw_close(&j, '}');
    targets_json(&j, s);
    resets_json(&j, s);
    patterns_json(&j, s);
    logs_json(&j, s);
    jw_open(&j, "experiments", '[');
    for (size_t i = 0; i < s->nexperiments; i++)
        if (s->experiments[i].outcome != EXP_RUNNING)
            experiment_in_list(&j, s, &s->experiments[i]);
    jw_close(&j, ']');
    if (s->settings.flows)
        flows_json(&j, s);
    limits_json(&j, s);
    jw_open(&j, "summary", '{');
    json_summary_keys(&j, s);
    jw_close(&j, '}');
    jw_close(&j, '}');
    strbuf_addch(&out.buf, '\n');
    return out_finish(&out);
}

const struct report_format report_json = {"json", "json", json_write};
