/*
 * session.jsonl: one line of JSON for each input, with the moment it came (t, wall clock ns) and
 * how many packets had been seen before it (after). load.c reads what is written here. Headers and
 * bodies of targets are not written: they may hold secrets, and replaying needs none of them.
 */
#include "session/private.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

static bool wanted(const struct session *s)
{
    return !s->priv->loading && (s->priv->saving.lines_fd >= 0 || s->settings.keep_packets);
}

/* Strings are cleaned where they come in; what still is no UTF-8 becomes null. */
static json_t *text(const char *s)
{
    json_t *j = s ? json_string(s) : NULL;

    return j ? j : json_null();
}

static json_t *moment(nstime t)
{
    return t == NSTIME_NONE ? json_null() : json_integer(t);
}

static json_t *addr_json(const struct addr *a)
{
    char buf[ADDR_TEXT_MAX];

    return a->family ? json_string(addr_text(buf, a)) : json_null();
}

static json_t *flow_json(const struct flow_key *k)
{
    return json_pack("{s:o,s:i,s:o,s:i}", "src", addr_json(&k->src), "sport", (int)k->sport, "dst",
                     addr_json(&k->dst), "dport", (int)k->dport);
}

static json_t *value_json(const struct value *v)
{
    switch (v->type) {
    case VALUE_INT: return json_pack("{s:I}", "i", (json_int_t)v->u.i);
    case VALUE_SPAN: return json_pack("{s:I}", "ns", (json_int_t)v->u.i);
    case VALUE_REAL: return json_pack("{s:f}", "d", v->u.d);
    case VALUE_TEXT: return json_pack("{s:o}", "s", text(v->u.s));
    case VALUE_BOOL: return json_pack("{s:b}", "b", v->u.b);
    case VALUE_NONE: break;
    }
    return json_null();
}

static json_t *fact_json(const struct fact *f)
{
    json_t *values = json_array();

    for (size_t i = 0; i < FACT_VALUES; i++)
        json_array_append_new(values, value_json(&f->v[i]));
    return json_pack("{s:s,s:b,s:s,s:I,s:o,s:o}", "kind", fact_info(f->kind)->name, "yes", f->yes,
                     "source", fact_source_name(f->source), "packet", (json_int_t)f->packet, "ref",
                     text(f->ref), "v", values);
}

/* Takes j (NULL: out of memory), adds type, t and after, and hands the line on. */
static void put(struct session *s, const char *type, json_t *j)
{
    json_t *line = j ? json_pack("{s:s,s:I,s:I}", "type", type, "t", (json_int_t)session_now(s),
                                 "after", (json_int_t)s->priv->packets)
                     : NULL;
    char *out = NULL;

    if (line && json_object_update(line, j) == 0)
        out = json_dumps(line, JSON_COMPACT);
    if (out)
        save_text(s, out, strlen(out));
    free(out);
    json_decref(line);
    json_decref(j);
}

void journal_begin(struct session *s)
{
    const struct settings *st = &s->settings;
    json_t *j =
        json_pack("{s:i,s:s,s:o,s:o,s:o,s:o,s:o,s:I,s:I,s:I,s:I}", "v", SESSION_VERSION, "program",
                  PACKAGE_STRING, "name", text(st->name), "file", text(st->read_file), "filter",
                  text(st->filter), "playbook", text(st->playbook ? st->playbook->id : NULL),
                  "started", moment(s->started), "rounds", (json_int_t)st->rounds, "interval",
                  (json_int_t)st->interval, "max_flows", (json_int_t)st->max_flows, "first_packet",
                  (json_int_t)s->priv->saving.first_packet);

    if (j && s->redacted)
        json_object_set_new(j, "redacted", json_true());
    if (j)
        json_object_set_new(j, "number", text(s->priv->id));
    put(s, "session", j);
}

void journal_vantage(struct session *s)
{
    static const char *const captures[] = {"live", "file", "none"};
    const struct vantage *v = &s->vantage;

    if (!wanted(s))
        return;
    json_t *names = json_array(), *local = json_array();
    for (size_t i = 0; i < v->ninterfaces; i++)
        json_array_append_new(names, text(v->interfaces[i]));
    for (size_t i = 0; i < s->priv->nlocal; i++)
        json_array_append_new(local, addr_json(&s->priv->local[i]));
    put(s, "vantage",
        json_pack("{s:o,s:o,s:s,s:o,s:o,s:I,s:o,s:i,s:o}", "host", text(v->host), "user",
                  text(v->user), "capture", captures[v->capture], "interfaces", names, "dropped",
                  v->dropped_known ? json_integer((json_int_t)v->dropped) : json_null(),
                  "truncated", (json_int_t)v->truncated, "error", text(v->capture_error),
                  "error_kind", (int)v->capture_error_kind, "local", local));
}

/* ---- lines of which there are thousands: written as they go, without a tree of values ---- */

static void add_int(struct strbuf *sb, int64_t v)
{
    char digits[24];
    size_t at = sizeof(digits);
    uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    do
        digits[--at] = (char)('0' + left % 10);
    while (left /= 10);
    if (v < 0)
        digits[--at] = '-';
    strbuf_add(sb, digits + at, sizeof(digits) - at);
}

/* Plain ASCII is copied; what needs escapes, or is no UTF-8 (null), is jansson's. */
static void add_text(struct strbuf *sb, const char *s)
{
    const char *p = s;
    json_t *j;

    while (p && *p >= ' ' && *p < 0x7f && *p != '"' && *p != '\\')
        p++;
    if (p && !*p) {
        strbuf_addch(sb, '"');
        strbuf_add(sb, s, (size_t)(p - s));
        strbuf_addch(sb, '"');
        return;
    }
    j = s ? json_string(s) : NULL;
    char *out = j ? json_dumps(j, JSON_ENCODE_ANY) : NULL;
    strbuf_addstr(sb, out ? out : "null");
    free(out);
    json_decref(j);
}

static void add_key(struct strbuf *sb, const char *key)
{
    strbuf_addstr(sb, ",\"");
    strbuf_addstr(sb, key);
    strbuf_addstr(sb, "\":");
}

static void add_key_int(struct strbuf *sb, const char *key, int64_t v)
{
    add_key(sb, key);
    add_int(sb, v);
}

static void add_key_bool(struct strbuf *sb, const char *key, bool v)
{
    add_key(sb, key);
    strbuf_addstr(sb, v ? "true" : "false");
}

static void add_key_text(struct strbuf *sb, const char *key, const char *s)
{
    add_key(sb, key);
    add_text(sb, s);
}

static void add_moment(struct strbuf *sb, nstime t)
{
    if (t == NSTIME_NONE)
        strbuf_addstr(sb, "null");
    else
        add_int(sb, t);
}

static void add_key_moment(struct strbuf *sb, const char *key, nstime t)
{
    add_key(sb, key);
    add_moment(sb, t);
}

static void add_addr(struct strbuf *sb, const struct addr *a)
{
    char buf[ADDR_TEXT_MAX];

    add_text(sb, a->family ? addr_text(buf, a) : NULL);
}

static void add_key_addr(struct strbuf *sb, const char *key, const struct addr *a)
{
    add_key(sb, key);
    add_addr(sb, a);
}

static void add_key_flow(struct strbuf *sb, const char *key, const struct flow_key *k)
{
    add_key(sb, key);
    if (!k) {
        strbuf_addstr(sb, "null");
        return;
    }
    strbuf_addstr(sb, "{\"src\":");
    add_addr(sb, &k->src);
    add_key_int(sb, "sport", k->sport);
    add_key_addr(sb, "dst", &k->dst);
    add_key_int(sb, "dport", k->dport);
    strbuf_addch(sb, '}');
}

static void add_value(struct strbuf *sb, const struct value *v)
{
    json_t *j;
    char *out;

    switch (v->type) {
    case VALUE_INT: strbuf_addstr(sb, "{\"i\":"); break;
    case VALUE_SPAN: strbuf_addstr(sb, "{\"ns\":"); break;
    case VALUE_TEXT: strbuf_addstr(sb, "{\"s\":"); break;
    default:
        j = value_json(v);
        out = j ? json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        strbuf_addstr(sb, out ? out : "null");
        free(out);
        json_decref(j);
        return;
    }
    if (v->type == VALUE_TEXT)
        add_text(sb, v->u.s);
    else
        add_int(sb, v->u.i);
    strbuf_addch(sb, '}');
}

static void line_begin(struct session *s, const char *type)
{
    struct strbuf *sb = &s->priv->line;

    strbuf_reset(sb);
    strbuf_addstr(sb, "{\"type\":");
    add_text(sb, type);
    add_key_int(sb, "t", session_now(s));
    add_key_int(sb, "after", (int64_t)s->priv->packets);
}

static void line_end(struct session *s)
{
    struct strbuf *sb = &s->priv->line;

    strbuf_addch(sb, '}');
    if (!sb->err)
        save_text(s, sb->buf, sb->len);
}

void journal_target(struct session *s, const struct target *t)
{
    struct strbuf *sb = &s->priv->line;

    if (!wanted(s))
        return;
    line_begin(s, "target");
    add_key_text(sb, "name", t->name);
    add_key_int(sb, "scheme", t->scheme);
    add_key_text(sb, "host", t->host);
    add_key_int(sb, "port", t->port);
    add_key_text(sb, "path", t->path);
    add_key_addr(sb, "address", &t->address);
    if (t->playbook)
        add_key_text(sb, "playbook", t->playbook->id);
    line_end(s);
}

void journal_chain(struct session *s, const struct chain *ch)
{
    struct strbuf *sb = &s->priv->line;

    if (!wanted(s))
        return;
    line_begin(s, "chain");
    add_key_int(sb, "target", ch->target);
    add_key_int(sb, "chain", (int64_t)ch->id);
    add_key_bool(sb, "repeat", ch->repeat);
    add_key_flow(sb, "flow", &ch->flow);
    if (ch->experiment)
        add_key_text(sb, "experiment", ch->experiment);
    line_end(s);
}

static void add_fields(struct strbuf *sb, const struct result *r)
{
    add_key(sb, "fields");
    strbuf_addch(sb, '[');
    for (size_t i = 0; i < r->nfields; i++) {
        strbuf_addstr(sb, i ? ",[" : "[");
        add_text(sb, r->fields[i].name);
        strbuf_addch(sb, ',');
        add_value(sb, &r->fields[i].value);
        strbuf_addch(sb, ']');
    }
    strbuf_addch(sb, ']');
}

void journal_result(struct session *s, const struct result *r)
{
    struct strbuf *sb = &s->priv->line;

    if (!wanted(s))
        return;
    line_begin(s, "result");
    add_key_int(sb, "target", r->target);
    add_key_int(sb, "round", r->round);
    add_key_int(sb, "chain", (int64_t)r->chain);
    add_key_bool(sb, "repeat", r->repeat);
    add_key_text(sb, "probe", r->probe);
    add_key_addr(sb, "address", &r->address);
    add_key_int(sb, "outcome", r->outcome);
    add_key_text(sb, "failure", failure_name(r->failure));
    add_key_int(sb, "stage", r->stage);
    add_key_int(sb, "errno", r->err);
    add_key_flow(sb, "flow", r->flow_known ? &r->flow : NULL);
    add_key_moment(sb, "started", r->started);
    add_key_moment(sb, "ended", r->ended);
    add_key(sb, "timings");
    for (size_t i = 0; i < TIMING_COUNT; i++) {
        strbuf_addch(sb, i ? ',' : '[');
        add_moment(sb, r->timings[i]);
    }
    strbuf_addch(sb, ']');
    add_fields(sb, r);
    line_end(s);
}

void journal_counters(struct session *s, const struct host_counters *c)
{
    if (!wanted(s))
        return;
    json_t *values = json_object();
    const char *name;
    for (size_t i = 0; (name = host_counter_name(i)); i++)
        json_object_set_new(values, name, json_integer((json_int_t)host_counter_value(c, i)));
    put(s, "counters", json_pack("{s:o,s:o}", "time", moment(c->time), "values", values));
}

static json_t *subject_json(struct subject about)
{
    return json_pack("{s:s,s:I}", "about", about_name(about.about), "id", (json_int_t)about.id);
}

/* {"about", "id", key: value}; takes value. */
static json_t *about_json(struct subject about, const char *key, json_t *value)
{
    json_t *j = subject_json(about);

    if (!j || json_object_set_new(j, key, value)) {
        json_decref(j);
        return NULL;
    }
    return j;
}

void journal_fact(struct session *s, struct subject about, const struct fact *f)
{
    if (wanted(s))
        put(s, "fact", about_json(about, "fact", fact_json(f)));
}

void journal_undo(struct session *s, struct subject about, enum fact_kind kind)
{
    if (wanted(s))
        put(s, "undo", about_json(about, "kind", text(fact_info(kind)->name)));
}

void journal_skip(struct session *s, struct subject about, const char *step)
{
    if (wanted(s))
        put(s, "skip", about_json(about, "step", text(step)));
}

static json_t *row_json(const struct experiment_row *r)
{
    return json_pack("[o,f,i,i,b,b,o,o,o,o]", text(r->label), r->x, (int)r->end, (int)r->stage,
                     r->control, r->icmp, moment(r->began), moment(r->ended), moment(r->connected),
                     text(r->note));
}

void journal_experiment(struct session *s, const struct experiment_record *e)
{
    if (!wanted(s))
        return;
    json_t *facts = json_array(), *rows = json_array(), *measures = json_array();
    for (size_t i = 0; i < e->facts.nr; i++)
        json_array_append_new(facts, fact_json(&e->facts.items[i]));
    for (size_t i = 0; i < e->nrows; i++)
        json_array_append_new(rows, row_json(&e->rows[i]));
    for (size_t i = 0; i < e->nmeasures; i++)
        json_array_append_new(
            measures, json_pack("[s,o]", e->measures[i].name, value_json(&e->measures[i].value)));
    put(s, "experiment",
        json_pack("{s:s,s:i,s:I,s:i,s:i,s:i,s:I,s:s,s:o,s:o,s:o}", "experiment", e->experiment,
                  "target", (int)e->target, "incident", (json_int_t)e->incident, "outcome",
                  (int)e->outcome, "connections", (int)e->connections, "packets", (int)e->packets,
                  "span", (json_int_t)e->span, "why", e->why, "measures", measures, "rows", rows,
                  "facts", facts));
}

static json_t *owner_json(const struct host_owner *o)
{
    return json_pack("{s:I,s:I,s:o,s:o}", "pid", (json_int_t)o->pid, "uid", (json_int_t)o->uid,
                     "name", text(o->name), "cgroup", text(o->cgroup));
}

void journal_ending(struct session *s, const struct host_ending *e)
{
    json_t *delta = NULL;
    const char *name;

    if (!wanted(s))
        return;
    delta = e->delta.available ? json_object() : json_null();
    for (size_t i = 0; e->delta.available && (name = host_counter_name(i)); i++)
        if (host_counter_value(&e->delta, i))
            json_object_set_new(delta, name,
                                json_integer((json_int_t)host_counter_value(&e->delta, i)));
    json_t *j =
        json_pack("{s:I,s:o,s:s,s:o,s:b,s:b,s:b,s:b,s:b,s:b}", "socket", (json_int_t)e->socket,
                  "time", moment(e->time), "how", ending_how_name(e->how), "flow",
                  flow_json(&e->flow), "server", e->server, "held", e->held, "command", e->command,
                  "peer_here", e->peer_here, "fin_before", e->fin_before, "info", e->info);
    if (!j) {
        json_decref(delta);
        return;
    }
    json_object_set_new(j, "sent", json_integer((json_int_t)e->sent));
    json_object_set_new(j, "acked", json_integer((json_int_t)e->acked));
    json_object_set_new(j, "received", json_integer((json_int_t)e->received));
    json_object_set_new(j, "unread", json_integer((json_int_t)e->unread));
    json_object_set_new(j, "idle", moment(e->idle));
    json_object_set_new(j, "rtt", moment(e->rtt));
    json_object_set_new(j, "events", json_integer((json_int_t)e->events));
    json_object_set_new(j, "owner", owner_json(&e->owner));
    json_object_set_new(j, "delta", delta);
    put(s, "ending", j);
}

void journal_log(struct session *s, const char *source, uint64_t number, const char *line)
{
    if (wanted(s))
        put(s, "log",
            json_pack("{s:o,s:I,s:o}", "file", text(source), "line", (json_int_t)number, "text",
                      text(line)));
}

void journal_message(struct session *s, const struct message *m)
{
    if (wanted(s))
        put(s, "message", json_pack("{s:i,s:o}", "level", (int)m->level, "text", text(m->text)));
}

/* What was judged, so that a later catalogue can say what it judges otherwise: no input. */
void journal_verdicts(struct session *s)
{
    json_t *list = json_array();

    for (size_t k = 0; k < s->nincidents && json_array_size(list) < VERDICTS_SAVED; k++) {
        const struct incident *i = s->incidents[k];
        const struct judgement *j = i ? &i->judgement : NULL;
        if (!i || !i->reset)
            continue;
        json_array_append_new(list, json_pack("[I,s,i]", (json_int_t)i->reset->packet,
                                              j->nverdicts ? j->verdicts[0].cause->id : "",
                                              j->nverdicts ? (int)j->verdicts[0].grade : 0));
    }
    if (wanted(s) && json_array_size(list))
        put(s, "verdicts", json_pack("{s:O}", "of", list));
    json_decref(list);
}

void journal_end(struct session *s)
{
    if (wanted(s))
        put(s, "end", json_pack("{s:o}", "ended", moment(s->ended)));
}
