/* The words of flow/: states, stages, classes, keys. All are the report's, never translated. */
#include "flow/internal.h"

#include <stdio.h>

static const char *const conn_names[] = {"S0",   "S1",     "SF",    "REJ", "S2",  "S3", "RSTO",
                                         "RSTR", "RSTOS0", "RSTRH", "SH",  "SHR", "OTH"};
static const char *const stage_names[] = {"syn",  "ack",   "psh",       "data",
                                          "idle", "close", "midstream", "none"};
static const char *const class_names[] = {"active", "passive", "refuse", "foreign"};
static const char *const direction_names[] = {"inbound", "outbound", "transit"};
static const char *const vantage_names[] = {"orig", "resp", "middle"};

#define NAME_OF(table, value)                                                                      \
    ((size_t)(value) < ARRAY_SIZE(table) ? (table)[(size_t)(value)] : NULL)

const char *conn_state_name(enum conn_state s)
{
    return NAME_OF(conn_names, s);
}

const char *stage_name(enum stage s)
{
    return NAME_OF(stage_names, s);
}

const char *rst_class_name(enum rst_class c)
{
    return NAME_OF(class_names, c);
}

/* Unknown counts as transit: the report has no fourth word (design.md 6). */
const char *direction_name(enum direction d)
{
    const char *name = NAME_OF(direction_names, d);
    return name ? name : "transit";
}

const char *vantage_end_name(enum vantage_end v)
{
    const char *name = NAME_OF(vantage_names, v);
    return name ? name : "unknown";
}

bool flow_key_equal(const struct flow_key *a, const struct flow_key *b)
{
    return a->sport == b->sport && a->dport == b->dport && addr_equal(&a->src, &b->src) &&
           addr_equal(&a->dst, &b->dst);
}

bool flow_key_reverse_equal(const struct flow_key *a, const struct flow_key *b)
{
    return a->sport == b->dport && a->dport == b->sport && addr_equal(&a->src, &b->dst) &&
           addr_equal(&a->dst, &b->src);
}

const char *flow_key_text(char out[FLOW_KEY_TEXT_MAX], const struct flow_key *k)
{
    char from[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX];
    endpoint_text(from, &k->src, k->sport);
    endpoint_text(to, &k->dst, k->dport);
    snprintf(out, FLOW_KEY_TEXT_MAX, "%s > %s", from, to);
    return out;
}
