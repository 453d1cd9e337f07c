/* The probe types, and the two pure questions asked of any result. */
#include "probe/internal.h"
#include <string.h>

#define PROBE(name) extern const struct probe_type probe_type_##name;
#include "probe/list.h"
#undef PROBE

static const struct probe_type *const types[] = {
#define PROBE(name) &probe_type_##name,
#include "probe/list.h"
#undef PROBE
};

size_t probe_type_count(void)
{
    return ARRAY_SIZE(types);
}

const struct probe_type *probe_type_at(size_t i)
{
    return i < ARRAY_SIZE(types) ? types[i] : NULL;
}

void facts_of_result(struct facts *out, const struct result *r)
{
    if (r->outcome == OUTCOME_SKIPPED || r->failure == FAIL_INTERRUPTED)
        return; /* nobody looked */
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (!strcmp(types[i]->name, r->probe))
            types[i]->facts(out, r);
}

/* This host's counters speak of both ends only where the target is this host. */
static bool target_is_local(const struct result *r)
{
    return addr_is_loopback(&r->address) ||
           (r->flow_known && addr_equal(&r->flow.src, &r->flow.dst));
}

bool result_doubtful(const struct result *r)
{
    if (r->outcome != OUTCOME_FAILED || r->repeat || !target_is_local(r))
        return false;
    switch (r->failure) {
    case FAIL_TIMEOUT: return r->stage == PSTAGE_CONNECT || r->stage == PSTAGE_HANDSHAKE;
    case FAIL_RESET:
    case FAIL_BROKEN_PIPE: break;
    default: return false;
    }
    /* Told already: by the reply, by text where TLS was awaited, by the silence that was cut. */
    if (field_true(r, "reply_while_sending") || field_str(r, "first_bytes"))
        return false;
    return r->stage != PSTAGE_HOLD || field_int(r, "silence", 0) < DOUBTFUL_SILENCE;
}
