/* One function for each type of line. */
#include "session/load.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int load_session(struct loader *l, const json_t *j)
{
    struct session *s = l->s;
    char text[512];

    int64_t version = line_int(j, "v", 0);

    if (l->header)
        return 0;
    l->header = true;
    if (version > SESSION_VERSION)
        session_message(s, MSG_WARN,
                        _("a session of a newer version (%lld): what this one does not know is "
                          "left out"),
                        (long long)version);
    s->priv->id[0] = 0;
    if (line_text(text, sizeof(text), j, "number"))
        snprintf(s->priv->id, sizeof(s->priv->id), "%.16s", text);
    l->first_packet = (uint64_t)MAX_OF(line_int(j, "first_packet", 1), 1);
    l->given = l->first_packet - 1;
    s->started = line_int(j, "started", NSTIME_NONE);
    if (line_text(text, sizeof(text), j, "name"))
        s->settings.name = arena_strdup(&s->priv->strings, text);
    if (line_text(text, sizeof(text), j, "playbook") && !s->settings.playbook)
        s->settings.playbook = playbook_by_id(text);
    if (line_text(text, sizeof(text), j, "filter"))
        s->settings.filter = arena_strdup(&s->priv->strings, text);
    l->by_packets = json_is_string(json_object_get(j, "file"));
    if (!l->by_packets)
        settle_until(l, s->started);
    if (line_text(text, sizeof(text), j, "file")) {
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

int load_vantage(struct loader *l, const json_t *j)
{
    struct vantage *v = &l->s->vantage;
    const json_t *names = json_object_get(j, "interfaces");
    char word[16] = "";

    line_text(v->host, sizeof(v->host), j, "host");
    line_text(v->user, sizeof(v->user), j, "user");
    line_text(word, sizeof(word), j, "capture");
    v->capture = strcmp(word, "live") == 0   ? VANTAGE_LIVE
                 : strcmp(word, "file") == 0 ? VANTAGE_FILE
                                             : VANTAGE_NONE;
    v->dropped_known = json_is_integer(json_object_get(j, "dropped"));
    v->dropped = (uint64_t)MAX_OF(line_int(j, "dropped", 0), 0);
    v->truncated = MAX_OF(v->truncated, (uint64_t)MAX_OF(line_int(j, "truncated", 0), 0));
    line_text(v->capture_error, sizeof(v->capture_error), j, "error");
    v->capture_error_kind =
        (enum capture_error)line_ranged(j, "error_kind", CAPERR_NONE, CAPERR_HELPER, CAPERR_NONE);
    v->ninterfaces = 0;
    for (size_t i = 0; i < json_array_size(names) && i < ARRAY_SIZE(v->interfaces); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (name)
            text_clean(v->interfaces[v->ninterfaces++], sizeof(v->interfaces[0]), name,
                       strlen(name));
    }
    return load_local(l->s, json_object_get(j, "local"));
}

int load_target(struct loader *l, const json_t *j)
{
    char name[512], host[300], path[2048], book[40];
    struct target *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    t->opt.hold = -1;
    t->scheme = (enum scheme)line_ranged(j, "scheme", SCHEME_AUTO, SCHEME_COUNT - 1, SCHEME_AUTO);
    t->port = (uint16_t)line_ranged(j, "port", 0, UINT16_MAX, 0);
    t->numeric = line_addr(&t->address, j, "address");
    if (line_text(name, sizeof(name), j, "name") && name[0])
        t->name = strdup(name);
    if (line_text(host, sizeof(host), j, "host"))
        t->host = strdup(host);
    if (line_text(path, sizeof(path), j, "path"))
        t->path = strdup(path);
    if (line_text(book, sizeof(book), j, "playbook"))
        t->playbook = playbook_by_id(book);
    if (t->name && t->host && session_add_target(l->s, t) == 0)
        return 0;
    target_free(t);
    return -EINVAL;
}

int load_chain(struct loader *l, const json_t *j)
{
    struct flow_key flow;
    int64_t chain = line_int(j, "chain", 0);
    int target = line_ranged(j, "target", 0, INT_MAX, 0);

    if (chain <= 0 || !line_flow(&flow, j) || (size_t)target > l->s->ntargets)
        return -EINVAL;
    char name[32] = "";
    line_text(name, sizeof(name), j, "experiment");
    l->s->priv->repeating = json_is_true(json_object_get(j, "repeat"));
    l->s->priv->experiment = experiment_id(name);
    session_chain(l->s, (uint32_t)target, (uint64_t)chain, &flow);
    return 0;
}

int load_counters(struct loader *l, const json_t *j)
{
    const json_t *values = json_object_get(j, "values");
    struct host_counters c = {.available = true, .time = line_int(j, "time", NSTIME_NONE)};
    const char *name;

    for (size_t i = 0; (name = host_counter_name(i)); i++)
        host_counter_set(&c, i, (uint64_t)MAX_OF(line_int(values, name, 0), 0));
    session_counters(l->s, &c);
    return 0;
}

int load_fact(struct loader *l, const json_t *j)
{
    struct fact_text_space space;
    struct subject about;
    struct fact f;

    if (!line_subject(l->s, &about, j))
        return -EINVAL;
    if (line_fact(&f, json_object_get(j, "fact"), &space)) {
        session_fact(l->s, about, &f);
        if (f.source == SRC_USER)
            answer_replayed(l->s, about, f.kind);
    }
    return 0;
}

int load_undo(struct loader *l, const json_t *j)
{
    const json_t *kind = json_object_get(j, "kind");
    struct subject about;

    if (!line_subject(l->s, &about, j) || !json_is_string(kind))
        return -EINVAL;
    undo_replayed(l->s, about, fact_kind_by_name(json_string_value(kind)));
    return 0;
}

int load_skip(struct loader *l, const json_t *j)
{
    const json_t *step = json_object_get(j, "step");
    struct subject about;

    if (!line_subject(l->s, &about, j) || !json_is_string(step))
        return -EINVAL;
    skip_replayed(l->s, about, json_string_value(step));
    return 0;
}

static void load_owner(struct host_owner *o, const json_t *j)
{
    o->pid = line_int(j, "pid", -1);
    o->uid = line_int(j, "uid", -1);
    line_text(o->name, sizeof(o->name), j, "name");
    line_text(o->cgroup, sizeof(o->cgroup), j, "cgroup");
}

int load_ending(struct loader *l, const json_t *j)
{
    struct host_ending e = {.time = line_int(j, "time", NSTIME_NONE)};
    const json_t *delta = json_object_get(j, "delta");
    char how[16] = "";
    const char *name;

    line_text(how, sizeof(how), j, "how");
    int h = ending_how_by_name(how);
    if (h < 0 || !line_flow(&e.flow, j))
        return -EINVAL;
    e.how = (enum ending_how)h;
    e.socket = (uint64_t)MAX_OF(line_int(j, "socket", 0), 1);
    e.server = json_is_true(json_object_get(j, "server"));
    e.held = json_is_true(json_object_get(j, "held"));
    e.command = json_is_true(json_object_get(j, "command"));
    e.peer_here = json_is_true(json_object_get(j, "peer_here"));
    e.fin_before = json_is_true(json_object_get(j, "fin_before"));
    e.info = json_is_true(json_object_get(j, "info"));
    e.sent = (uint64_t)MAX_OF(line_int(j, "sent", 0), 0);
    e.acked = (uint64_t)MAX_OF(line_int(j, "acked", 0), 0);
    e.received = (uint64_t)MAX_OF(line_int(j, "received", 0), 0);
    e.unread = (uint64_t)MAX_OF(line_int(j, "unread", 0), 0);
    e.idle = line_int(j, "idle", NSTIME_NONE);
    e.rtt = line_int(j, "rtt", NSTIME_NONE);
    e.events = (unsigned)line_ranged(j, "events", 1, INT_MAX, 1);
    load_owner(&e.owner, json_object_get(j, "owner"));
    e.delta.available = json_is_object(delta);
    for (size_t i = 0; e.delta.available && (name = host_counter_name(i)); i++)
        host_counter_set(&e.delta, i, (uint64_t)MAX_OF(line_int(delta, name, 0), 0));
    session_ending(l->s, &e);
    return 0;
}

int load_log(struct loader *l, const json_t *j)
{
    char file[256], line[4096];

    if (!line_text(file, sizeof(file), j, "file") || !line_text(line, sizeof(line), j, "text"))
        return -EINVAL;
    session_log_line(l->s, file, (uint64_t)MAX_OF(line_int(j, "line", 0), 0), line, strlen(line));
    return 0;
}

int load_message(struct loader *l, const json_t *j)
{
    char text[240];

    if (!line_text(text, sizeof(text), j, "text"))
        return -EINVAL;
    session_message(l->s,
                    (enum message_level)line_ranged(j, "level", MSG_INFO, MSG_ERROR, MSG_INFO),
                    "%s", text);
    return 0;
}

int load_verdicts(struct loader *l, const json_t *j)
{
    json_decref(l->verdicts);
    l->verdicts = json_incref(json_object_get(j, "of"));
    return 0;
}

int load_end(struct loader *l, const json_t *j)
{
    if (!l->s->settings.read_file)
        l->s->ended = line_int(j, "ended", NSTIME_NONE);
    return 0;
}
