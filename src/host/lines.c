/* One line of rstconsole-host, read: JSON from a program that may do more than we may, and that
 * speaks of what others named. Nothing of it is believed before it is checked. */
#include "host/privileged.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MOST 65536

static bool take_text(const json_t *o, const char *key, char *out, size_t len)
{
    const json_t *v = json_object_get(o, key);
    const char *s = json_string_value(v);

    out[0] = '\0';
    if (!s || json_string_length(v) >= len)
        return false;
    text_clean(out, len, s, json_string_length(v));
    return true;
}

static bool take_int(const json_t *o, const char *key, int64_t low, int64_t high, int64_t *out)
{
    const json_t *v = json_object_get(o, key);

    if (!json_is_integer(v) || json_integer_value(v) < low || json_integer_value(v) > high)
        return false;
    *out = json_integer_value(v);
    return true;
}

static bool take_end(const json_t *o, const char *addr_key, const char *port_key, struct addr *a,
                     uint16_t *port)
{
    const char *s = json_string_value(json_object_get(o, addr_key));
    int64_t n;

    if (!s || addr_parse(s, a) || !take_int(o, port_key, 0, 65535, &n))
        return false;
    *port = (uint16_t)n;
    return true;
}

static bool take_flow(const json_t *o, struct flow_key *k)
{
    memset(k, 0, sizeof(*k));
    return take_end(o, "src", "sport", &k->src, &k->sport) &&
           take_end(o, "dst", "dport", &k->dst, &k->dport);
}

static bool take_source(struct host_line *l, const json_t *o)
{
    take_text(o, "error", l->error, sizeof(l->error));
    take_text(o, "text", l->text, sizeof(l->text));
    return take_text(o, "name", l->name, sizeof(l->name));
}

static bool take_hex(const json_t *o, const char *key, uint64_t *out)
{
    const char *s = json_string_value(json_object_get(o, key));
    uint64_t v = 0;

    if (!s || !*s || strlen(s) > 16)
        return false;
    for (; *s; s++) {
        const char *digits = "0123456789abcdef", *at = strchr(digits, *s);
        if (!at)
            return false;
        v = v << 4 | (uint64_t)(at - digits);
    }
    *out = v;
    return true;
}

static bool take_reset(struct host_line *l, const json_t *o)
{
    struct kernel_reset *r = &l->reset;
    const json_t *sent = json_object_get(o, "sent");
    int64_t n;

    if (!json_is_boolean(sent) || !take_flow(json_object_get(o, "flow"), &r->flow) ||
        !take_int(o, "time", 0, INT64_MAX, &r->time))
        return false;
    r->sent = json_is_true(sent);
    r->pid = take_int(o, "pid", 1, INT32_MAX, &n) ? n : -1;
    take_text(o, "comm", r->comm, sizeof(r->comm));
    take_text(o, "state", r->state, sizeof(r->state));
    take_text(o, "reason", r->reason, sizeof(r->reason));
    take_hex(o, "cookie", &r->cookie);
    return true;
}

static bool take_entry(struct host_line *l, const json_t *o)
{
    char event[16];
    int64_t n;

    if (!take_text(o, "event", event, sizeof(event)) ||
        !take_flow(json_object_get(o, "flow"), &l->tracked.flow) ||
        !take_flow(json_object_get(o, "reply"), &l->tracked.reply))
        return false;
    l->tracked.forgotten = strcmp(event, "forgotten") == 0;
    take_text(o, "state", l->tracked.state, sizeof(l->tracked.state));
    l->tracked.timeout = take_int(o, "timeout", 0, UINT32_MAX, &n) ? n * NS_PER_SEC : NSTIME_NONE;
    return true;
}

static bool take_owner(struct host_line *l, const json_t *o)
{
    int64_t inode;

    l->owner = (struct host_owner){.pid = -1, .uid = -1};
    if (!take_int(o, "inode", 1, UINT32_MAX, &inode) ||
        !take_int(o, "pid", 1, INT32_MAX, &l->owner.pid) ||
        !take_int(o, "uid", 0, UINT32_MAX, &l->owner.uid))
        return false;
    l->inode = (uint64_t)inode;
    take_text(o, "comm", l->owner.name, sizeof(l->owner.name));
    take_text(o, "cgroup", l->owner.cgroup, sizeof(l->owner.cgroup));
    return true;
}

/* ---- rules ---- */

static bool take_chain(struct host_line *l, const json_t *o)
{
    struct chain_line *c = &l->chain;
    char policy[16];

    take_text(o, "hook", c->hook, sizeof(c->hook));
    if (!take_int(o, "prio", INT32_MIN, INT32_MAX, &c->priority))
        c->priority = 0;
    c->policy_drop = take_text(o, "policy", policy, sizeof(policy)) && !strcmp(policy, "drop");
    return take_text(o, "family", c->family, sizeof(c->family)) &&
           take_text(o, "table", c->table, sizeof(c->table)) &&
           take_text(o, "name", c->name, sizeof(c->name));
}

static bool take_pair(const json_t *v, int64_t high, int64_t *a, int64_t *b)
{
    if (json_array_size(v) != 2 || !json_is_integer(json_array_get(v, 0)) ||
        !json_is_integer(json_array_get(v, 1)))
        return false;
    *a = json_integer_value(json_array_get(v, 0));
    *b = json_integer_value(json_array_get(v, 1));
    return *a >= 0 && *a <= *b && *b <= high;
}

static bool take_net(const json_t *v, struct rule_value *out)
{
    const char *s = json_string_value(json_array_get(v, 0));
    const json_t *len = json_array_get(v, 1);

    if (json_array_size(v) != 2 || !s || !json_is_integer(len) || addr_parse(s, &out->net))
        return false;
    int most = out->net.family == 4 ? 32 : 128;
    json_int_t n = json_integer_value(len);
    out->len = n < 0 ? most : (int)MIN_OF(n, most);
    return true;
}

static bool take_value(enum rule_subject on, const json_t *v, struct rule_value *out)
{
    int64_t a, b;

    if (on == ASKS_DPORT || on == ASKS_SPORT) {
        if (!take_pair(v, 65535, &a, &b))
            return false;
        out->from = (uint16_t)a;
        out->to = (uint16_t)b;
        return true;
    }
    if (on == ASKS_SADDR || on == ASKS_DADDR)
        return take_net(v, out);
    const char *s = json_string_value(v);
    if (!s || strlen(s) >= sizeof(out->name))
        return false;
    text_clean(out->name, sizeof(out->name), s, strlen(s));
    return true;
}

static enum rule_subject subject_of(const char *word)
{
    static const char *const words[] = {
        [ASKS_UNKNOWN] = "?",     [ASKS_DPORT] = "dport", [ASKS_SPORT] = "sport",
        [ASKS_SADDR] = "saddr",   [ASKS_DADDR] = "daddr", [ASKS_PROTO] = "proto",
        [ASKS_FAMILY] = "family", [ASKS_IIF] = "iif",     [ASKS_OIF] = "oif",
        [ASKS_CT] = "ct",
    };

    for (size_t i = 0; word && i < ARRAY_SIZE(words); i++)
        if (strcmp(word, words[i]) == 0)
            return (enum rule_subject)i;
    return ASKS_UNKNOWN;
}

/* What cannot be read is a condition that may hold or not. */
static int take_condition(struct rule_condition *c, const json_t *o)
{
    const json_t *in = json_object_get(o, "in");
    size_t n = json_array_size(in);

    memset(c, 0, sizeof(*c));
    c->on = subject_of(json_string_value(json_object_get(o, "on")));
    c->negated = json_is_true(json_object_get(o, "not"));
    if (c->on == ASKS_UNKNOWN || n > RULE_VALUES || !json_is_array(in)) {
        c->on = ASKS_UNKNOWN;
        return 0;
    }
    c->values = calloc(n ? n : 1, sizeof(*c->values));
    if (!c->values)
        return -ENOMEM;
    for (size_t i = 0; i < n && c->on != ASKS_UNKNOWN; i++)
        if (!take_value(c->on, json_array_get(in, i), &c->values[c->nvalues++]))
            c->on = ASKS_UNKNOWN;
    return 0;
}

static enum rule_then then_of(const char *word)
{
    static const char *const words[] = {
        [THEN_ACCEPT] = "accept", [THEN_DROP] = "drop", [THEN_REJECT] = "reject",
        [THEN_RETURN] = "return", [THEN_JUMP] = "jump", [THEN_GOTO] = "goto",
        [THEN_QUEUE] = "queue",
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (words[i] && strcmp(word, words[i]) == 0)
            return (enum rule_then)i;
    return THEN_NOTHING;
}

static void rule_free(struct rule *r)
{
    for (size_t i = 0; r && i < r->nasks; i++)
        free(r->asks[i].values);
    free(r);
}

static bool take_rule(struct host_line *l, const json_t *o)
{
    const json_t *asks = json_object_get(o, "if"), *v;
    struct rule *r = calloc(1, sizeof(*r));
    char then[16];
    int64_t n = 0;
    size_t i;

    if (!r || !take_text(o, "family", r->family, sizeof(r->family)) ||
        !take_text(o, "table", r->table, sizeof(r->table)) ||
        !take_text(o, "chain", r->chain, sizeof(r->chain)) ||
        !take_text(o, "then", then, sizeof(then)) || !json_is_array(asks)) {
        free(r);
        return false;
    }
    r->then = then_of(then);
    take_text(o, "target", r->target, sizeof(r->target));
    take_text(o, "with", r->with, sizeof(r->with));
    r->handle = take_int(o, "handle", 0, INT64_MAX, &n) ? (uint64_t)n : 0;
    r->counted = take_int(o, "packets", 0, INT64_MAX, &n);
    r->packets = r->counted ? (uint64_t)n : 0;
    json_array_foreach(asks, i, v)
    {
        if (r->nasks == RULE_ASKS) {
            r->asks[0].on = ASKS_UNKNOWN;
            break;
        }
        if (take_condition(&r->asks[r->nasks++], v)) {
            rule_free(r);
            return false;
        }
    }
    l->rule = r;
    return true;
}

/* ---- the line ---- */

static bool take_count(struct host_line *l, const json_t *o)
{
    int64_t n;

    l->n = take_int(o, "n", 0, INT64_MAX, &n) ? (uint64_t)n : 0;
    l->left_out = take_int(o, "left_out", 0, INT64_MAX, &n) ? (uint64_t)n : 0;
    return take_text(o, "of", l->name, sizeof(l->name));
}

static bool take_nothing(struct host_line *l, const json_t *o)
{
    (void)l;
    return json_is_true(o);
}

enum host_line_kind host_line_parse(struct host_line *out, const char *text, size_t len)
{
    static const struct {
        const char *key;
        enum host_line_kind kind;
        bool (*take)(struct host_line *, const json_t *);
    } kinds[] = {
        {"source", LINE_SOURCE, take_source}, {"ready", LINE_READY, take_nothing},
        {"reset", LINE_RESET, take_reset},    {"entry", LINE_ENTRY, take_entry},
        {"owner", LINE_OWNER, take_owner},    {"chain", LINE_CHAIN, take_chain},
        {"rule", LINE_RULE, take_rule},       {"legacy", LINE_LEGACY, take_nothing},
        {"lost", LINE_LOST, take_count},      {"end", LINE_END, take_count},
    };
    json_error_t err;

    memset(out, 0, sizeof(*out));
    json_t *all = len <= LINE_MOST ? json_loadb(text, len, JSON_REJECT_DUPLICATES, &err) : NULL;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const json_t *o = json_object_get(all, kinds[i].key);
        if (!o)
            continue;
        if (kinds[i].take(out, o))
            out->kind = kinds[i].kind;
        break;
    }
    json_decref(all);
    return out->kind;
}

void host_line_release(struct host_line *l)
{
    rule_free(l->rule);
    l->rule = NULL;
}

void ruleset_release(struct ruleset *r)
{
    for (size_t i = 0; i < r->nrules; i++)
        rule_free(r->rules[i]);
    free(r->rules);
    free(r->chains);
    memset(r, 0, sizeof(*r));
}

void ruleset_move(struct ruleset *to, struct ruleset *from)
{
    ruleset_release(to);
    *to = *from;
    memset(from, 0, sizeof(*from));
}
