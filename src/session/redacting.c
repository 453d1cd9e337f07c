/*
 * Redaction of a session's inputs: packets and lines. What others read (reports, screens, a saved
 * session) is made from inputs, so it is enough to redact those; a string of a line goes unless its
 * key is known for one of our own words.
 */
#include "session/private.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int redacting_begin(struct session *s)
{
    struct redacting *rd = &s->priv->redacting;

    if (!s->settings.redact || rd->r)
        return 0;
    rd->what = s->settings.read_file ? REDACT_INPUT : REDACT_SAVED;
    return redactor_new(&rd->r);
}

void redacting_release(struct redacting *rd)
{
    redactor_free(rd->r);
    free(rd->data);
    memset(rd, 0, sizeof(*rd));
}

const struct record *redacted_record(struct session *s, const struct record *rec,
                                     struct record *space)
{
    struct redacting *rd = &s->priv->redacting;

    if (!rd->r)
        return rec;
    *space = *rec;
    if (rd->number != rec->number || !rd->data) {
        if (rec->caplen > rd->alloc || !rd->data) {
            uint8_t *data = realloc(rd->data, rec->caplen + 1024);
            if (!data) { /* nothing gets out as it is */
                space->caplen = 0;
                return space;
            }
            rd->data = data;
            rd->alloc = rec->caplen + 1024;
        }
        redact_packet(rd->r, rec, rd->data);
        rd->number = rec->number;
    }
    space->data = rd->data;
    return space;
}

void redacted_text(struct session *s, enum redact_how how, char *text, size_t size)
{
    struct redacting *rd = &s->priv->redacting;
    struct strbuf sb = STRBUF_INIT;

    if (!rd->r || !*text)
        return;
    redact_text(rd->r, how, text, strlen(text), &sb);
    text_clean(text, size, sb.buf, sb.err ? 0 : sb.len);
    strbuf_release(&sb);
}

/* Names of the kernel's own making, "eth0", say nothing. */
static bool plain_interface(const char *name)
{
    static const char *const kinds[] = {"eth", "ens", "eno",    "enp",  "wlan", "wlp",
                                        "lo",  "any", "docker", "veth", "br",   "tun",
                                        "tap", "wg",  "bond",   "ppp"};
    size_t n = strcspn(name, "0123456789");

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strlen(kinds[i]) == n && strncmp(name, kinds[i], n) == 0)
            return strlen(name) - n <= 6 && strspn(name + n, "0123456789sfnpd") == strlen(name + n);
    return false;
}

static const char *redacted_copy(struct session *s, enum redact_how how, const char *text)
{
    struct strbuf sb = STRBUF_INIT;
    char *copy;

    if (!text)
        return NULL;
    redact_text(s->priv->redacting.r, how, text, strlen(text), &sb);
    copy = sb.err ? NULL : arena_strdup(&s->priv->strings, sb.buf);
    strbuf_release(&sb);
    return copy ? copy : "";
}

/* Of a path the last part. */
static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

void redacted_names(struct session *s)
{
    if (s->priv->redacting.what != REDACT_INPUT || s->redacted)
        return;
    s->redacted = true;
    if (s->settings.read_file)
        s->settings.read_file = redacted_copy(s, REDACT_STRICT, file_name(s->settings.read_file));
    s->settings.filter = redacted_copy(s, REDACT_WORDS, s->settings.filter);
}

void redacted_interfaces(struct session *s)
{
    if (s->priv->redacting.what != REDACT_INPUT)
        return;
    for (size_t i = 0; i < s->vantage.ninterfaces; i++)
        if (!plain_interface(s->vantage.interfaces[i]))
            redacted_text(s, REDACT_STRICT, s->vantage.interfaces[i],
                          sizeof(s->vantage.interfaces[i]));
}

/* ---- lines ---- */

enum string_kind {
    STRING_KEEP,
    STRING_ADDR,
    STRING_HOW,
    STRING_URL,
    STRING_INTERFACE,
    STRING_PATH
};
struct string_rule {
    const char *key;
    enum string_kind kind;
    enum redact_how how;
};

/* By key, whatever the line. Words that stay are those that this program chose. */
static const struct string_rule by_key[] = {
    {"type", STRING_KEEP, 0},
    {"kind", STRING_KEEP, 0},
    {"source", STRING_KEEP, 0},
    {"about", STRING_KEEP, 0},
    {"probe", STRING_KEEP, 0},
    {"failure", STRING_KEEP, 0},
    {"how", STRING_KEEP, 0},
    {"step", STRING_KEEP, 0},
    {"experiment", STRING_KEEP, 0},
    {"playbook", STRING_KEEP, 0},
    {"of", STRING_KEEP, 0},
    {"program", STRING_KEEP, 0},
    {"number", STRING_KEEP, 0},
    {"capture", STRING_KEEP, 0},
    {"cause", STRING_KEEP, 0},
    {"grade", STRING_KEEP, 0},
    {"src", STRING_ADDR, 0},
    {"dst", STRING_ADDR, 0},
    {"address", STRING_ADDR, 0},
    {"local", STRING_ADDR, 0},
    {"interfaces", STRING_INTERFACE, 0},
    {"file", STRING_PATH, 0},
    {"filter", STRING_HOW, REDACT_WORDS},
    {"error", STRING_HOW, REDACT_WORDS},
    {"text", STRING_HOW, REDACT_WORDS},
    {"why", STRING_HOW, REDACT_WORDS},
    {"s", STRING_HOW, REDACT_WORDS},
    {"rows", STRING_HOW, REDACT_WORDS},
    {"ref", STRING_HOW, REDACT_WORDS},
    {"host", STRING_HOW, REDACT_NAMES},
};
/* A target's name is an URL; "name" is the session's or a process's elsewhere. */
static const struct string_rule of_target[] = {{"name", STRING_URL, 0}};
static const struct string_rule of_session[] = {{"name", STRING_KEEP, 0}};
static const struct string_rule of_ending[] = {{"name", STRING_HOW, REDACT_WORDS}};

/* Fields of a result whose text came from the peer. */
static const struct string_rule of_field[] = {
    {"reply", STRING_HOW, REDACT_PHRASES},
    {"banner", STRING_HOW, REDACT_PHRASES},
    {"first_bytes", STRING_HOW, REDACT_PHRASES},
    {"location", STRING_URL, 0},
    {"cname", STRING_HOW, REDACT_NAMES},
    {"answer", STRING_HOW, REDACT_NAMES},
    {"sni", STRING_HOW, REDACT_NAMES},
    {"proxy", STRING_URL, 0},
    {"resolver", STRING_HOW, REDACT_NAMES},
    {"source", STRING_HOW, REDACT_NAMES},
    {"server_name", STRING_HOW, REDACT_STRICT},
    {"subject", STRING_HOW, REDACT_STRICT},
    {"issuer", STRING_HOW, REDACT_STRICT},
    {"cookie", STRING_HOW, REDACT_STRICT},
    {"path", STRING_URL, 0},
    {"user_agent", STRING_HOW, REDACT_STRICT},
};

static const struct string_rule *rule_of(const struct string_rule *rules, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(rules[i].key, key) == 0)
            return &rules[i];
    return NULL;
}

/* "https://" and the port stay, the host is a name, what follows is nobody's business. */
static void add_url(struct redactor *r, const char *text, struct strbuf *out)
{
    const char *host = strstr(text, "://"), *path;

    host = host ? host + 3 : text;
    strbuf_add(out, text, (size_t)(host - text));
    path = host + strcspn(host, "/?#");
    redact_text(r, REDACT_NAMES, host, (size_t)(path - host), out);
    redact_text(r, REDACT_PHRASES, path, strlen(path), out); /* as in packets */
}

static void add_addr(struct redactor *r, const char *text, struct strbuf *out)
{
    struct addr a;
    char shown[ADDR_TEXT_MAX];

    if (addr_parse(text, &a)) {
        redact_text(r, REDACT_STRICT, text, strlen(text), out);
        return;
    }
    redact_addr(r, &a);
    strbuf_addstr(out, addr_text(shown, &a));
}

static json_t *string_done(struct redactor *r, const struct string_rule *rule, const char *text)
{
    struct strbuf sb = STRBUF_INIT;
    json_t *j;

    if (rule && rule->kind == STRING_KEEP)
        return json_string(text);
    if (!rule)
        redact_text(r, REDACT_STRICT, text, strlen(text), &sb);
    else if (rule->kind == STRING_ADDR)
        add_addr(r, text, &sb);
    else if (rule->kind == STRING_URL)
        add_url(r, text, &sb);
    else if (rule->kind == STRING_PATH)
        redact_text(r, REDACT_STRICT, file_name(text), strlen(file_name(text)), &sb);
    else if (rule->kind == STRING_INTERFACE && plain_interface(text))
        strbuf_addstr(&sb, text);
    else
        redact_text(r, rule->kind == STRING_HOW ? rule->how : REDACT_STRICT, text, strlen(text),
                    &sb);
    j = json_string(sb.err ? "" : sb.buf);
    strbuf_release(&sb);
    return j ? j : json_string("");
}

struct lines_of { /* the rules that stand before those by key */
    const struct string_rule *own;
    size_t n;
};

static json_t *value_done(struct redactor *r, const struct lines_of *own, const char *key,
                          const json_t *v);

static const struct string_rule *rule_of_field(const char *name)
{
    static const struct string_rule certificate = {"", STRING_HOW, REDACT_STRICT};

    return strncmp(name, "cert_", 5) == 0 ? &certificate
                                          : rule_of(of_field, ARRAY_SIZE(of_field), name);
}

static const struct string_rule *rule_for(const struct lines_of *own, const char *key)
{
    const struct string_rule *rule = rule_of(own->own, own->n, key);

    return rule ? rule : rule_of(by_key, ARRAY_SIZE(by_key), key);
}

/* [name, value]: the name is ours and says what the value may show. */
static json_t *pair_done(struct redactor *r, const struct lines_of *own, const json_t *pair)
{
    const char *name = json_string_value(json_array_get(pair, 0));
    const json_t *value = json_array_get(pair, 1), *text = json_object_get(value, "s");
    const struct string_rule *rule = rule_of_field(name ? name : "");
    json_t *out = json_array();

    json_array_append_new(out, json_string(name ? name : ""));
    if (rule && json_is_string(text)) {
        json_t *v = json_object();
        json_object_set_new(v, "s", string_done(r, rule, json_string_value(text)));
        json_array_append_new(out, v);
    } else {
        json_array_append_new(out, value_done(r, own, "s", value));
    }
    return out;
}

static json_t *array_done(struct redactor *r, const struct lines_of *own, const char *key,
                          const json_t *v)
{
    bool pairs = strcmp(key, "fields") == 0 || strcmp(key, "measures") == 0;
    json_t *out = json_array();

    for (size_t i = 0; i < json_array_size(v); i++)
        json_array_append_new(out, pairs ? pair_done(r, own, json_array_get(v, i))
                                         : value_done(r, own, key, json_array_get(v, i)));
    return out;
}

static json_t *object_done(struct redactor *r, const struct lines_of *own, const json_t *v)
{
    json_t *out = json_object(), *each;
    const char *key;

    json_object_foreach((json_t *)(uintptr_t)v, key, each) /* only reads */
        json_object_set_new(out, key, value_done(r, own, key, each));
    return out;
}

static json_t *value_done(struct redactor *r, const struct lines_of *own, const char *key,
                          const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT: return object_done(r, own, v);
    case JSON_ARRAY: return array_done(r, own, key, v);
    case JSON_STRING: return string_done(r, rule_for(own, key), json_string_value(v));
    default: return json_incref((json_t *)(uintptr_t)v);
    }
}

bool redacted_line(struct session *s, const char *line, size_t len, struct strbuf *out)
{
    static const struct {
        const char *type;
        struct lines_of own;
    } own[] = {{"target", {of_target, ARRAY_SIZE(of_target)}},
               {"session", {of_session, ARRAY_SIZE(of_session)}},
               {"ending", {of_ending, ARRAY_SIZE(of_ending)}}};
    static const struct lines_of none = {NULL, 0};
    const struct lines_of *mine = &none;
    json_t *j = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    const char *type = json_string_value(json_object_get(j, "type"));
    char *text;

    if (!type) {
        json_decref(j);
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        if (strcmp(own[i].type, type) == 0)
            mine = &own[i].own;
    json_t *done = object_done(s->priv->redacting.r, mine, j);
    if (strcmp(type, "session") == 0)
        json_object_set_new(done, "redacted", json_true());
    text = json_dumps(done, JSON_COMPACT);
    if (text)
        strbuf_addstr(out, text);
    free(text);
    json_decref(done);
    json_decref(j);
    return text != NULL;
}
