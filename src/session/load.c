/*
 * A saved session, read again: its lines and packets go through the same calls as when they came,
 * in the same order. A file that was cut, edited or made by somebody hostile ends in a message.
 */
#include "session/private.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)4 << 20)
#define RESULTS_MAX    5000000
#define CHAIN_TEXT     64

struct mapped {
    const uint8_t *data;
    size_t len;
};
struct loader {
    struct session *s;
    struct mapped lines, packets;
    struct capread reader;
    size_t at; /* in packets */
    uint64_t first_packet, given;
    bool packets_done, header;
    char *err;
    size_t errlen;
};

/* ---- files ---- */

static int map_file(struct mapped *m, const char *dir, const char *name)
{
    struct strbuf path = STRBUF_INIT;
    struct stat st;
    int fd, err = 0;

    strbuf_addf(&path, "%s/%s", dir, name);
    fd = path.err ? -1 : open(path.buf, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    err = path.err ? path.err : fd < 0 ? -errno : 0;
    strbuf_release(&path);
    if (err)
        return err;
    if (fstat(fd, &st) < 0)
        err = -errno;
    else if (!S_ISREG(st.st_mode))
        err = -EINVAL;
    else if (st.st_size) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
            err = -errno;
        else
            *m = (struct mapped){p, (size_t)st.st_size};
    }
    close(fd);
    return err;
}

static void unmap(struct mapped *m)
{
    if (m->data)
        munmap((void *)m->data, m->len);
    *m = (struct mapped){NULL, 0};
}

static bool is_file(const char *dir, const char *name)
{
    char path[PATH_MAX];
    struct stat st;

    if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
        return false;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The directory that path means: itself, or the one it stands in. */
static bool session_dir_of(char *out, size_t outlen, const char *path)
{
    struct stat st;

    if (strcmp(path, "-") == 0 || (size_t)snprintf(out, outlen, "%s", path) >= outlen ||
        stat(path, &st) < 0)
        return false;
    if (S_ISDIR(st.st_mode))
        return is_file(out, "session.jsonl");
    char *slash = strrchr(out, '/');
    const char *name = slash ? slash + 1 : out;
    if (strcmp(name, "session.jsonl") != 0 && strcmp(name, "packets.pcapng") != 0)
        return false;
    if (slash == out)
        out[1] = 0;
    else if (slash)
        *slash = 0;
    else
        snprintf(out, outlen, ".");
    return is_file(out, "session.jsonl");
}

bool session_is_session(const char *path)
{
    char dir[PATH_MAX];

    return session_dir_of(dir, sizeof(dir), path);
}

/* ---- values out of lines: what is missing or of another type is the default ---- */

static int64_t get_int(const json_t *j, const char *key, int64_t def)
{
    const json_t *v = json_object_get(j, key);

    return json_is_integer(v) ? (int64_t)json_integer_value(v) : def;
}

static int get_ranged(const json_t *j, const char *key, int min, int max, int def)
{
    int64_t v = get_int(j, key, def);

    return v < min || v > max ? def : (int)v;
}

/* Clean even where somebody edited the file; NULL if it is no text. */
static const char *get_text(char *out, size_t outlen, const json_t *j, const char *key)
{
    const json_t *v = json_object_get(j, key);

    if (!json_is_string(v))
        return NULL;
    return text_clean(out, outlen, json_string_value(v), json_string_length(v));
}

static bool get_addr(struct addr *a, const json_t *j, const char *key)
{
    const json_t *v = json_object_get(j, key);

    memset(a, 0, sizeof(*a));
    return json_is_string(v) && addr_parse(json_string_value(v), a) == 0;
}

static bool get_flow(struct flow_key *k, const json_t *j)
{
    const json_t *v = json_object_get(j, "flow");

    memset(k, 0, sizeof(*k));
    if (!json_is_object(v))
        return false;
    get_addr(&k->src, v, "src");
    get_addr(&k->dst, v, "dst");
    k->sport = (uint16_t)get_ranged(v, "sport", 0, UINT16_MAX, 0);
    k->dport = (uint16_t)get_ranged(v, "dport", 0, UINT16_MAX, 0);
    return true;
}

/* text: where a string of the value is kept clean. */
static struct value get_value(const json_t *j, char *text, size_t textlen)
{
    const json_t *v;

    if ((v = json_object_get(j, "i")) && json_is_integer(v))
        return v_int(json_integer_value(v));
    if ((v = json_object_get(j, "ns")) && json_is_integer(v))
        return v_span(json_integer_value(v));
    if ((v = json_object_get(j, "d")) && json_is_number(v))
        return v_real(json_number_value(v));
    if ((v = json_object_get(j, "b")) && json_is_boolean(v))
        return v_bool(json_is_true(v));
    if (get_text(text, textlen, j, "s"))
        return v_text(text);
    return v_none();
}

struct fact_text_space {
    char ref[256], value[FACT_VALUES][1100];
};

static bool get_fact(struct fact *f, const json_t *j, struct fact_text_space *space)
{
    const json_t *kind = json_object_get(j, "kind"), *values = json_object_get(j, "v");
    char source[32];

    memset(f, 0, sizeof(*f));
    if (!json_is_string(kind))
        return false;
    f->kind = fact_kind_by_name(json_string_value(kind));
    if (f->kind == FACT_NOTHING)
        return false; /* a kind of another version */
    f->yes = json_is_true(json_object_get(j, "yes"));
    f->packet = (uint64_t)MAX_OF(get_int(j, "packet", 0), 0);
    f->ref = get_text(space->ref, sizeof(space->ref), j, "ref");
    f->source = SRC_USER;
    if (!get_text(source, sizeof(source), j, "source"))
        return false;
    for (int s = SRC_PACKET; s <= SRC_USER; s++)
        if (strcmp(fact_source_name((enum fact_source)s), source) == 0)
            f->source = (enum fact_source)s;
    for (size_t i = 0; i < FACT_VALUES && i < json_array_size(values); i++)
        f->v[i] = get_value(json_array_get(values, i), space->value[i], sizeof(space->value[i]));
    return true;
}

static bool get_subject(const struct session *s, struct subject *about, const json_t *j)
{
    const uint64_t last[ABOUT_KINDS] = {
        0, s->ntargets, s->nresults, flow_table_resets(s->flows), s->nendings, s->log.nr};
    const json_t *word = json_object_get(j, "about");
    int64_t id = get_int(j, "id", -1);

    for (int i = 0; i < ABOUT_KINDS && json_is_string(word); i++) {
        if (strcmp(about_name((enum about)i), json_string_value(word)) != 0)
            continue;
        *about = (struct subject){(enum about)i, (uint64_t)id};
        return id >= (i == ABOUT_HOST ? 0 : 1) && (uint64_t)id <= last[i];
    }
    return false;
}

/* ---- one function for each type of line: 0, or -EINVAL ---- */

static int load_session(struct loader *l, const json_t *j)
{
    struct session *s = l->s;
    char text[512];

    if (get_int(j, "v", 0) != 1)
        return -EPROTONOSUPPORT;
    if (l->header)
        return 0;
    l->header = true;
    l->first_packet = (uint64_t)MAX_OF(get_int(j, "first_packet", 1), 1);
    l->given = l->first_packet - 1;
    s->started = get_int(j, "started", NSTIME_NONE);
    if (get_text(text, sizeof(text), j, "name"))
        s->settings.name = arena_strdup(&s->priv->strings, text);
    if (get_text(text, sizeof(text), j, "playbook") && !s->settings.playbook)
        s->settings.playbook = playbook_by_id(text);
    if (get_text(text, sizeof(text), j, "filter"))
        s->settings.filter = arena_strdup(&s->priv->strings, text);
    if (get_text(text, sizeof(text), j, "file")) {
        s->settings.read_file = arena_strdup(&s->priv->strings, text);
        s->started = s->ended = NSTIME_NONE;
    }
    return 0;
}

static int load_local(struct session *s, const json_t *list)
{
    size_t n = MIN_OF(json_array_size(list), 1024);

    if (!n || s->vantage.packets)
        return 0;
    struct addr *local = calloc(n, sizeof(*local));
    if (!local)
        return -ENOMEM;
    free(s->priv->local);
    s->priv->local = local;
    s->priv->nlocal = 0;
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(list, i);
        if (json_is_string(v) && addr_parse(json_string_value(v), &local[s->priv->nlocal]) == 0)
            s->priv->nlocal++;
    }
    return session_make_flows(s);
}

static int load_vantage(struct loader *l, const json_t *j)
{
    struct vantage *v = &l->s->vantage;
    const json_t *names = json_object_get(j, "interfaces");
    char word[16] = "";

    get_text(v->host, sizeof(v->host), j, "host");
    get_text(v->user, sizeof(v->user), j, "user");
    get_text(word, sizeof(word), j, "capture");
    v->capture = strcmp(word, "live") == 0   ? VANTAGE_LIVE
                 : strcmp(word, "file") == 0 ? VANTAGE_FILE
                                             : VANTAGE_NONE;
    v->dropped_known = json_is_integer(json_object_get(j, "dropped"));
    v->dropped = (uint64_t)MAX_OF(get_int(j, "dropped", 0), 0);
    v->truncated = MAX_OF(v->truncated, (uint64_t)MAX_OF(get_int(j, "truncated", 0), 0));
    get_text(v->capture_error, sizeof(v->capture_error), j, "error");
    v->capture_error_kind =
        (enum capture_error)get_ranged(j, "error_kind", CAPERR_NONE, CAPERR_HELPER, CAPERR_NONE);
    v->ninterfaces = 0;
    for (size_t i = 0; i < json_array_size(names) && i < ARRAY_SIZE(v->interfaces); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (name)
            text_clean(v->interfaces[v->ninterfaces++], sizeof(v->interfaces[0]), name,
                       strlen(name));
    }
    return load_local(l->s, json_object_get(j, "local"));
}

static int load_target(struct loader *l, const json_t *j)
{
    char name[512], host[300], path[2048], book[40];
    struct target *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    t->opt.hold = -1;
    t->scheme = (enum scheme)get_ranged(j, "scheme", SCHEME_AUTO, SCHEME_COUNT - 1, SCHEME_AUTO);
    t->port = (uint16_t)get_ranged(j, "port", 0, UINT16_MAX, 0);
    t->numeric = get_addr(&t->address, j, "address");
    if (get_text(name, sizeof(name), j, "name") && name[0])
        t->name = strdup(name);
    if (get_text(host, sizeof(host), j, "host"))
        t->host = strdup(host);
    if (get_text(path, sizeof(path), j, "path"))
        t->path = strdup(path);
    if (get_text(book, sizeof(book), j, "playbook"))
        t->playbook = playbook_by_id(book);
    if (t->name && t->host && session_add_target(l->s, t) == 0)
        return 0;
    target_free(t);
    return -EINVAL;
}

static int load_chain(struct loader *l, const json_t *j)
{
    struct flow_key flow;
    int64_t chain = get_int(j, "chain", 0);
    int target = get_ranged(j, "target", 0, INT_MAX, 0);

    if (chain <= 0 || !get_flow(&flow, j) || (size_t)target > l->s->ntargets)
        return -EINVAL;
    char name[32] = "";
    get_text(name, sizeof(name), j, "experiment");
    l->s->priv->repeating = json_is_true(json_object_get(j, "repeat"));
    l->s->priv->experiment = experiment_id(name);
    session_chain(l->s, (uint32_t)target, (uint64_t)chain, &flow);
    return 0;
}

static void load_fields(struct result *r, const json_t *list)
{
    char name[CHAIN_TEXT], text[1100];

    for (size_t i = 0; i < json_array_size(list) && i < 1000; i++) {
        const json_t *pair = json_array_get(list, i);
        const char *key = json_string_value(json_array_get(pair, 0));
        if (!key)
            continue;
        text_clean(name, sizeof(name), key, strlen(key));
        result_add(r, name, get_value(json_array_get(pair, 1), text, sizeof(text)));
    }
}

static void load_result_parts(struct result *r, const json_t *j)
{
    const json_t *timings = json_object_get(j, "timings");
    char word[48] = "";

    get_text(r->probe, sizeof(r->probe), j, "probe");
    get_addr(&r->address, j, "address");
    r->outcome = (enum outcome)get_ranged(j, "outcome", OUTCOME_OK, OUTCOME_SKIPPED, OUTCOME_OK);
    if (get_text(word, sizeof(word), j, "failure"))
        r->failure = failure_by_name(word);
    r->stage = (enum probe_stage)get_ranged(j, "stage", PSTAGE_DNS, PSTAGE_NONE, PSTAGE_NONE);
    r->err = get_ranged(j, "errno", 0, 4095, 0);
    r->flow_known = get_flow(&r->flow, j);
    r->started = get_int(j, "started", NSTIME_NONE);
    r->ended = get_int(j, "ended", NSTIME_NONE);
    for (size_t i = 0; i < TIMING_COUNT; i++) {
        const json_t *v = json_array_get(timings, i);
        r->timings[i] = json_is_integer(v) ? json_integer_value(v) : NSTIME_NONE;
    }
    load_fields(r, json_object_get(j, "fields"));
}

static bool probe_known(const char *name)
{
    for (size_t i = 0; i < probe_type_count(); i++)
        if (strcmp(probe_type_at(i)->name, name) == 0)
            return true;
    return false;
}

static int load_result(struct loader *l, const json_t *j)
{
    struct result *r = l->s->nresults < RESULTS_MAX ? result_new() : NULL;

    if (!r)
        return -ENOMEM;
    r->target = (uint32_t)get_ranged(j, "target", 0, INT_MAX, 0);
    r->round = (uint32_t)get_ranged(j, "round", 1, INT_MAX, 1);
    r->chain = (uint64_t)MAX_OF(get_int(j, "chain", 0), 0);
    r->repeat = json_is_true(json_object_get(j, "repeat"));
    load_result_parts(r, j);
    if (!r->chain || !r->target || r->target > l->s->ntargets || !probe_known(r->probe) ||
        (r->outcome == OUTCOME_FAILED && r->failure == FAIL_NONE)) {
        result_free(r);
        return -EINVAL;
    }
    session_result(l->s, r);
    return 0;
}

static int load_counters(struct loader *l, const json_t *j)
{
    const json_t *values = json_object_get(j, "values");
    struct host_counters c = {.available = true, .time = get_int(j, "time", NSTIME_NONE)};
    const char *name;

    for (size_t i = 0; (name = host_counter_name(i)); i++)
        host_counter_set(&c, i, (uint64_t)MAX_OF(get_int(values, name, 0), 0));
    session_counters(l->s, &c);
    return 0;
}

static int load_fact(struct loader *l, const json_t *j)
{
    struct fact_text_space space;
    struct subject about;
    struct fact f;

    if (!get_subject(l->s, &about, j))
        return -EINVAL;
    if (get_fact(&f, json_object_get(j, "fact"), &space)) {
        session_fact(l->s, about, &f);
        if (f.source == SRC_USER)
            answer_replayed(l->s, about, f.kind);
    }
    return 0;
}

static int load_undo(struct loader *l, const json_t *j)
{
    const json_t *kind = json_object_get(j, "kind");
    struct subject about;

    if (!get_subject(l->s, &about, j) || !json_is_string(kind))
        return -EINVAL;
    undo_replayed(l->s, about, fact_kind_by_name(json_string_value(kind)));
    return 0;
}

static int load_skip(struct loader *l, const json_t *j)
{
    const json_t *step = json_object_get(j, "step");
    struct subject about;

    if (!get_subject(l->s, &about, j) || !json_is_string(step))
        return -EINVAL;
    skip_replayed(l->s, about, json_string_value(step));
    return 0;
}

static void text_of(char *out, size_t outlen, const json_t *v)
{
    text_clean(out, outlen, json_is_string(v) ? json_string_value(v) : "", json_string_length(v));
}

static int in_range(const json_t *v, int min, int max)
{
    json_int_t n = json_integer_value(v);

    return n < min || n > max ? min : (int)n;
}

static void load_row(struct experiment_record *e, const json_t *j)
{
    struct experiment_row *r;

    if (json_array_size(j) < 10 || e->nrows >= EXPERIMENT_ROWS ||
        ARRAY_GROW(e->rows, e->nrows + 1, e->rows_alloc))
        return;
    r = &e->rows[e->nrows++];
    memset(r, 0, sizeof(*r));
    text_of(r->label, sizeof(r->label), json_array_get(j, 0));
    r->x = json_number_value(json_array_get(j, 1));
    r->end = (enum shot_end)in_range(json_array_get(j, 2), SHOT_OPEN, SHOT_CANCELLED);
    r->stage = (enum shot_stage)in_range(json_array_get(j, 3), SHOT_WAITING, SHOT_AGAIN);
    r->control = json_is_true(json_array_get(j, 4));
    r->icmp = json_is_true(json_array_get(j, 5));
    nstime *const at[] = {&r->began, &r->ended, &r->connected};
    for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
        const json_t *n = json_array_get(j, 6 + i);
        *at[i] = json_is_integer(n) ? json_integer_value(n) : NSTIME_NONE;
    }
    text_of(r->note, sizeof(r->note), json_array_get(j, 9));
}

static void load_measure(struct experiment_record *e, const json_t *j)
{
    char space[1100];
    struct experiment_measure *m = &e->measures[e->nmeasures];

    if (e->nmeasures >= MEASURES_MAX || json_array_size(j) != 2)
        return;
    text_of(m->name, sizeof(m->name), json_array_get(j, 0));
    m->value = get_value(json_array_get(j, 1), space, sizeof(space));
    if (m->value.type == VALUE_TEXT) {
        m->value.u.s = arena_strdup(&e->facts.strings, space);
        if (!m->value.u.s)
            m->value = v_none();
    }
    e->nmeasures += m->name[0] != 0;
}

static void load_parts(struct experiment_record *e, const json_t *j)
{
    const json_t *facts = json_object_get(j, "facts"), *rows = json_object_get(j, "rows");
    const json_t *measures = json_object_get(j, "measures");
    struct fact_text_space space;
    struct fact f;

    for (size_t i = 0; i < json_array_size(facts) && i < FACT_KIND_COUNT; i++)
        if (get_fact(&f, json_array_get(facts, i), &space))
            facts_add(&e->facts, &f);
    for (size_t i = 0; i < json_array_size(rows); i++)
        load_row(e, json_array_get(rows, i));
    for (size_t i = 0; i < json_array_size(measures); i++)
        load_measure(e, json_array_get(measures, i));
}

static int load_experiment(struct loader *l, const json_t *j)
{
    struct experiment_record e = {.eta = NSTIME_NONE};
    char name[32] = "";

    get_text(name, sizeof(name), j, "experiment");
    e.experiment = experiment_id(name);
    if (!e.experiment)
        return 0; /* of another version */
    e.target = (uint32_t)get_ranged(j, "target", 0, INT_MAX, 0);
    e.incident = (uint64_t)MAX_OF(get_int(j, "incident", 0), 0);
    e.outcome = get_ranged(j, "outcome", EXP_SEPARATED, EXP_CANCELLED, EXP_INCONCLUSIVE);
    e.connections = (unsigned)get_ranged(j, "connections", 0, INT_MAX, 0);
    e.packets = (unsigned)get_ranged(j, "packets", 0, INT_MAX, 0);
    e.span = get_int(j, "span", 0);
    get_text(e.why, sizeof(e.why), j, "why");
    facts_init(&e.facts);
    load_parts(&e, j);
    session_experiment(l->s, &e);
    facts_release(&e.facts);
    free(e.rows);
    return 0;
}

static void load_owner(struct host_owner *o, const json_t *j)
{
    o->pid = get_int(j, "pid", -1);
    o->uid = get_int(j, "uid", -1);
    get_text(o->name, sizeof(o->name), j, "name");
    get_text(o->cgroup, sizeof(o->cgroup), j, "cgroup");
}

static int load_ending(struct loader *l, const json_t *j)
{
    struct host_ending e = {.time = get_int(j, "time", NSTIME_NONE)};
    const json_t *delta = json_object_get(j, "delta");
    char how[16] = "";
    const char *name;

    get_text(how, sizeof(how), j, "how");
    int h = ending_how_by_name(how);
    if (h < 0 || !get_flow(&e.flow, j))
        return -EINVAL;
    e.how = (enum ending_how)h;
    e.socket = (uint64_t)MAX_OF(get_int(j, "socket", 0), 1);
    e.server = json_is_true(json_object_get(j, "server"));
    e.held = json_is_true(json_object_get(j, "held"));
    e.command = json_is_true(json_object_get(j, "command"));
    e.peer_here = json_is_true(json_object_get(j, "peer_here"));
    e.fin_before = json_is_true(json_object_get(j, "fin_before"));
    e.info = json_is_true(json_object_get(j, "info"));
    e.sent = (uint64_t)MAX_OF(get_int(j, "sent", 0), 0);
    e.acked = (uint64_t)MAX_OF(get_int(j, "acked", 0), 0);
    e.received = (uint64_t)MAX_OF(get_int(j, "received", 0), 0);
    e.unread = (uint64_t)MAX_OF(get_int(j, "unread", 0), 0);
    e.idle = get_int(j, "idle", NSTIME_NONE);
    e.rtt = get_int(j, "rtt", NSTIME_NONE);
    e.events = (unsigned)get_ranged(j, "events", 1, INT_MAX, 1);
    load_owner(&e.owner, json_object_get(j, "owner"));
    e.delta.available = json_is_object(delta);
    for (size_t i = 0; e.delta.available && (name = host_counter_name(i)); i++)
        host_counter_set(&e.delta, i, (uint64_t)MAX_OF(get_int(delta, name, 0), 0));
    session_ending(l->s, &e);
    return 0;
}

static int load_log(struct loader *l, const json_t *j)
{
    char file[256], line[4096];

    if (!get_text(file, sizeof(file), j, "file") || !get_text(line, sizeof(line), j, "text"))
        return -EINVAL;
    session_log_line(l->s, file, (uint64_t)MAX_OF(get_int(j, "line", 0), 0), line, strlen(line));
    return 0;
}

static int load_message(struct loader *l, const json_t *j)
{
    char text[240];

    if (!get_text(text, sizeof(text), j, "text"))
        return -EINVAL;
    session_message(l->s, (enum message_level)get_ranged(j, "level", MSG_INFO, MSG_ERROR, MSG_INFO),
                    "%s", text);
    return 0;
}

static int load_end(struct loader *l, const json_t *j)
{
    if (!l->s->settings.read_file)
        l->s->ended = get_int(j, "ended", NSTIME_NONE);
    return 0;
}

static const struct line_type {
    const char *name;
    int (*load)(struct loader *l, const json_t *j);
} line_types[] = {
    {"session", load_session},
    {"vantage", load_vantage},
    {"target", load_target},
    {"chain", load_chain},
    {"result", load_result},
    {"counters", load_counters},
    {"fact", load_fact},
    {"undo", load_undo},
    {"skip", load_skip},
    {"ending", load_ending},
    {"message", load_message},
    {"log", load_log},
    {"experiment", load_experiment},
    {"end", load_end},
};

/* ---- both streams together ---- */

/* Hands over the packets up to number `to`. */
static void feed_packets(struct loader *l, uint64_t to)
{
    struct record rec;
    size_t used;

    while (!l->packets_done && l->given < to) {
        used = 0;
        int got =
            capread_next(&l->reader, l->packets.data + l->at, l->packets.len - l->at, &used, &rec);
        l->at += used;
        if (got == 0 && used)
            continue; /* blocks that are no packets */
        if (got <= 0) {
            l->packets_done = true;
            if (got < 0)
                session_message(l->s, MSG_WARN,
                                _("packets.pcapng is damaged after packet %llu: %s"),
                                (unsigned long long)l->given, l->reader.error);
            return;
        }
        rec.number = ++l->given;
        session_record(l->s, &rec);
    }
}

static int load_line(struct loader *l, const char *line, size_t len)
{
    json_error_t at;
    json_t *j = len <= LINE_MAX_BYTES ? json_loadb(line, len, JSON_REJECT_DUPLICATES, &at) : NULL;
    const json_t *type = json_object_get(j, "type");
    int err = -EINVAL;

    if (!json_is_string(type))
        goto out;
    err = 0;
    if (!l->header && strcmp(json_string_value(type), "session") != 0) {
        err = -EINVAL;
        goto out;
    }
    l->s->priv->now = get_int(j, "t", NSTIME_NONE);
    feed_packets(l, (uint64_t)MAX_OF(get_int(j, "after", 0), 0));
    for (size_t i = 0; i < ARRAY_SIZE(line_types); i++)
        if (strcmp(line_types[i].name, json_string_value(type)) == 0) {
            err = line_types[i].load(l, j);
            break;
        }
out:
    json_decref(j);
    return err;
}

/* A last line without its end was being written when the writer died: it is left out. */
static int load_lines(struct loader *l)
{
    const char *p = (const char *)l->lines.data, *end = p ? p + l->lines.len : NULL;
    int err;

    for (unsigned n = 1; p && p < end; n++) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        if (!nl)
            break;
        err = load_line(l, p, (size_t)(nl - p));
        if (err == -EPROTONOSUPPORT) {
            snprintf(l->err, l->errlen, "%s", _("a session of another version"));
            return err;
        }
        if (err) {
            snprintf(l->err, l->errlen, _("session.jsonl: line %u is damaged"), n);
            return err;
        }
        p = nl + 1;
    }
    if (l->header)
        return 0;
    snprintf(l->err, l->errlen, "%s", _("session.jsonl holds no session"));
    return -EINVAL;
}

static int load_all(struct loader *l)
{
    struct session *s = l->s;
    int err = load_lines(l);

    if (err)
        return err;
    feed_packets(l, UINT64_MAX);
    nstime ended = s->ended;
    session_finish(s);
    if (!s->settings.read_file)
        s->ended = ended != NSTIME_NONE ? ended : s->priv->now;
    s->dirty = false;
    return 0;
}

static struct session *empty_session(const struct settings *st)
{
    struct settings mine = *st;

    mine.read_file = NULL;
    mine.live = false;
    mine.keep_packets = st->keep_packets;
    struct session *s = session_new(&mine);
    if (!s)
        return NULL;
    /* Nothing of this host belongs to it. */
    memset(&s->vantage, 0, sizeof(s->vantage));
    s->vantage.capture = VANTAGE_NONE;
    free(s->priv->local);
    s->priv->local = NULL;
    s->priv->nlocal = 0;
    s->priv->loading = true;
    if (session_make_flows(s)) {
        session_free(s);
        return NULL;
    }
    return s;
}

int session_load(struct session **out, const char *path, const struct settings *st, char *err,
                 size_t errlen)
{
    struct loader l = {.err = err, .errlen = errlen, .first_packet = 1};
    char dir[PATH_MAX];
    int rc;

    snprintf(err, errlen, "%s", _("not a saved session"));
    if (!session_dir_of(dir, sizeof(dir), path))
        return -ENOENT;
    capread_init(&l.reader);
    l.s = empty_session(st);
    rc = l.s ? map_file(&l.lines, dir, "session.jsonl") : -ENOMEM;
    if (!rc) {
        int missing = map_file(&l.packets, dir, "packets.pcapng");
        rc = missing == -ENOENT ? 0 : missing;
        l.packets_done = !l.packets.data;
    }
    if (rc)
        snprintf(err, errlen, "%s", strerror(-rc));
    else
        rc = load_all(&l);
    unmap(&l.lines);
    unmap(&l.packets);
    capread_release(&l.reader);
    if (rc) {
        session_free(l.s);
        return rc;
    }
    l.s->priv->loading = false;
    if (strlen(dir) < sizeof(l.s->dir)) /* else it can be read, not be continued */
        memcpy(l.s->dir, dir, strlen(dir) + 1);
    *out = l.s;
    return 0;
}
