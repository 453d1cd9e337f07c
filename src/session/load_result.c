/* The line of a result. */
#include "session/load.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void load_fields(struct result *r, const json_t *list)
{
    char name[CHAIN_TEXT], text[1100];

    for (size_t i = 0; i < json_array_size(list) && i < 1000; i++) {
        const json_t *pair = json_array_get(list, i);
        const char *key = json_string_value(json_array_get(pair, 0));
        if (!key)
            continue;
        text_clean(name, sizeof(name), key, strlen(key));
        result_add(r, name, line_value(json_array_get(pair, 1), text, sizeof(text)));
    }
}

static void load_result_parts(struct result *r, const json_t *j)
{
    const json_t *timings = json_object_get(j, "timings");
    char word[48] = "";

    line_text(r->probe, sizeof(r->probe), j, "probe");
    line_addr(&r->address, j, "address");
    r->outcome = (enum outcome)line_ranged(j, "outcome", OUTCOME_OK, OUTCOME_SKIPPED, OUTCOME_OK);
    if (line_text(word, sizeof(word), j, "failure"))
        r->failure = failure_by_name(word);
    r->stage = (enum probe_stage)line_ranged(j, "stage", PSTAGE_DNS, PSTAGE_NONE, PSTAGE_NONE);
    r->err = line_ranged(j, "errno", 0, 4095, 0);
    r->flow_known = line_flow(&r->flow, j);
    r->started = line_int(j, "started", NSTIME_NONE);
    r->ended = line_int(j, "ended", NSTIME_NONE);
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

int load_result(struct loader *l, const json_t *j)
{
    struct result *r = l->s->nresults < RESULTS_MAX ? result_new() : NULL;

    if (!r)
        return -ENOMEM;
    r->target = (uint32_t)line_ranged(j, "target", 0, INT_MAX, 0);
    r->round = (uint32_t)line_ranged(j, "round", 1, INT_MAX, 1);
    r->chain = (uint64_t)MAX_OF(line_int(j, "chain", 0), 0);
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
