/* Values out of the lines of a session: what is missing or of another type is the default. */
#include "session/load.h"

#include <string.h>

int64_t line_int(const json_t *j, const char *key, int64_t def)
{
    const json_t *v = json_object_get(j, key);

    return json_is_integer(v) ? (int64_t)json_integer_value(v) : def;
}

int line_ranged(const json_t *j, const char *key, int min, int max, int def)
{
    int64_t v = line_int(j, key, def);

    return v < min || v > max ? def : (int)v;
}

/* Clean even where somebody edited the file; NULL if it is no text. */
const char *line_text(char *out, size_t outlen, const json_t *j, const char *key)
{
    const json_t *v = json_object_get(j, key);

    if (!json_is_string(v))
        return NULL;
    return text_clean(out, outlen, json_string_value(v), json_string_length(v));
}

bool line_addr(struct addr *a, const json_t *j, const char *key)
{
    const json_t *v = json_object_get(j, key);

    memset(a, 0, sizeof(*a));
    return json_is_string(v) && addr_parse(json_string_value(v), a) == 0;
}

bool line_flow(struct flow_key *k, const json_t *j)
{
    const json_t *v = json_object_get(j, "flow");

    memset(k, 0, sizeof(*k));
    if (!json_is_object(v))
        return false;
    line_addr(&k->src, v, "src");
    line_addr(&k->dst, v, "dst");
    k->sport = (uint16_t)line_ranged(v, "sport", 0, UINT16_MAX, 0);
    k->dport = (uint16_t)line_ranged(v, "dport", 0, UINT16_MAX, 0);
    return true;
}

/* text: where a string of the value is kept clean. */
struct value line_value(const json_t *j, char *text, size_t textlen)
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
    if (line_text(text, textlen, j, "s"))
        return v_text(text);
    return v_none();
}

bool line_fact(struct fact *f, const json_t *j, struct fact_text_space *space)
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
    f->packet = (uint64_t)MAX_OF(line_int(j, "packet", 0), 0);
    f->ref = line_text(space->ref, sizeof(space->ref), j, "ref");
    f->source = SRC_USER;
    if (!line_text(source, sizeof(source), j, "source"))
        return false;
    for (int s = SRC_PACKET; s <= SRC_USER; s++)
        if (strcmp(fact_source_name((enum fact_source)s), source) == 0)
            f->source = (enum fact_source)s;
    for (size_t i = 0; i < FACT_VALUES && i < json_array_size(values); i++)
        f->v[i] = line_value(json_array_get(values, i), space->value[i], sizeof(space->value[i]));
    return true;
}

bool line_subject(const struct session *s, struct subject *about, const json_t *j)
{
    const uint64_t last[ABOUT_KINDS] = {
        0, s->ntargets, s->nresults, flow_table_resets(s->flows), s->nendings, s->log.nr};
    const json_t *word = json_object_get(j, "about");
    int64_t id = line_int(j, "id", -1);

    for (int i = 0; i < ABOUT_KINDS && json_is_string(word); i++) {
        if (strcmp(about_name((enum about)i), json_string_value(word)) != 0)
            continue;
        *about = (struct subject){(enum about)i, (uint64_t)id};
        return id >= (i == ABOUT_HOST ? 0 : 1) && (uint64_t)id <= last[i];
    }
    return false;
}
