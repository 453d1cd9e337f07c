/* A probe's failed result, as the end of a shot would look. */
#include "experiment/trial.h"

#include <errno.h>
#include <string.h>

static enum shot_end end_of(const struct result *r)
{
    switch (r->failure) {
    case FAIL_REFUSED: return result_field(r, "icmp") ? SHOT_UNREACHABLE : SHOT_REFUSED;
    case FAIL_RESET:
    case FAIL_BROKEN_PIPE: return SHOT_RESET;
    case FAIL_EOF: return SHOT_FIN;
    case FAIL_TIMEOUT: return SHOT_TIMEOUT;
    case FAIL_HOST_UNREACHABLE:
    case FAIL_NETWORK_UNREACHABLE: return SHOT_UNREACHABLE;
    case FAIL_TLS_HANDSHAKE: return SHOT_ALERT;
    case FAIL_HTTP_BAD_RESPONSE: return SHOT_FIN;
    default: return SHOT_LOCAL;
    }
}

static enum shot_stage stage_of(const struct result *r)
{
    switch (r->stage) {
    case PSTAGE_CONNECT: return SHOT_CONNECT;
    case PSTAGE_HOLD: return SHOT_HOLD;
    case PSTAGE_HANDSHAKE: return SHOT_HANDSHAKE;
    case PSTAGE_REQUEST: return SHOT_REQUEST;
    default: return SHOT_REPLY;
    }
}

static int64_t number(const struct result *r, const char *name)
{
    const struct field *f = result_field(r, name);

    return f && (f->value.type == VALUE_INT || f->value.type == VALUE_SPAN) ? f->value.u.i : 0;
}

int symptom_of_result(struct symptom *out, const struct target *t, const struct result *r,
                      enum scheme spoken)
{
    *out = (struct symptom){.target = t, .address = r->address, .scheme = spoken};
    if (r->outcome != OUTCOME_FAILED || !r->address.family || !strcmp(r->probe, "dns") ||
        spoken == SCHEME_DNS || spoken == SCHEME_AUTO)
        return -ENOTSUP;
    out->end = end_of(r);
    if (out->end == SHOT_LOCAL)
        return -ENOTSUP;
    out->stage = stage_of(r);
    out->port = r->flow.dport ? r->flow.dport : t->port;
    out->silence = number(r, "silence");
    /* The silence that the target's own options ask for, before what then fails. */
    if (!strcmp(r->probe, "tcp") && out->stage > SHOT_HOLD)
        out->silence = MAX_OF(out->silence, t->opt.hold);
    if (t->opt.requests > 1)
        out->silence = MAX_OF(out->silence, t->opt.idle);
    out->rtt = number(r, "min_rtt") ? number(r, "min_rtt") : number(r, "rtt");
    out->sent = (uint64_t)number(r, "bytes_sent");
    return 0;
}
