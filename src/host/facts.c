#include "host/host.h"

/* Which counter speaks for which fact (causes.md 0.4). */
static const struct {
    enum fact_kind kind;
    size_t offset;
    const char *name;
    bool repeats; /* one event may move it more than once: each dropped ACK or SYN counts */
} spoken[] = {
#define SAYS(kind, field, name, repeats)                                                           \
    {                                                                                              \
        FACT_##kind, offsetof(struct host_counters, field), name, repeats                          \
    }
    SAYS(ABORT_ON_CLOSE, abort_on_close, "TCPAbortOnClose", false),
    SAYS(ABORT_ON_DATA, abort_on_data, "TCPAbortOnData", false),
    SAYS(ABORT_ON_TIMEOUT, abort_on_timeout, "TCPAbortOnTimeout", false),
    SAYS(ABORT_ON_MEMORY, abort_on_memory, "TCPAbortOnMemory", false),
    SAYS(EMBRYONIC_RST, embryonic_rsts, "EmbryonicRsts", false),
    SAYS(LISTEN_OVERFLOW, listen_overflows, "ListenOverflows", true),
    SAYS(OUT_RSTS, out_rsts, "OutRsts", false),
#undef SAYS
};

static uint64_t value_at(const struct host_counters *c, size_t offset)
{
    return *(const uint64_t *)((const char *)c + offset);
}

/* A counter that did not move says no for every event of the tick. One that moved by 1 says yes of
 * the only event. Else it is one of several, and which is not known: no fact but that. */
void facts_of_counters(struct facts *out, const struct host_counters *delta, unsigned events)
{
    uint64_t shared = 0;
    bool told = false;

    if (!delta->available)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(spoken); i++) {
        uint64_t d = value_at(delta, spoken[i].offset);
        bool only = d == 1 || (spoken[i].repeats && d > 1);
        if (d == 0 || (only && events <= 1)) {
            facts_put(out, spoken[i].kind, d > 0, SRC_HOST, 0, spoken[i].name, v_int((int64_t)d),
                      v_none(), v_none());
            told |= d > 0;
        } else if (spoken[i].kind != FACT_OUT_RSTS || !told) {
            /* OutRsts counts every reset of the host: beside a sure word it takes nothing away. */
            uint64_t n = MAX_OF(d, (uint64_t)events);
            shared = MAX_OF(shared, n);
        }
    }
    if (shared > 0)
        facts_put(out, FACT_COUNTER_SHARED, true, SRC_HOST, 0, "/proc/net/netstat",
                  v_int((int64_t)shared), v_none(), v_none());
}

void facts_of_listener(struct facts *out, const struct listener *l)
{
    facts_put(out, FACT_PORT_REUSED_LISTEN, l->found, SRC_HOST, 0, "sock_diag", v_none(), v_none(),
              v_none());
    if (!l->found)
        return;
    /* sk_acceptq_is_full(): more waiting than the backlog; a queue of backlog + 1 is the fullest
     * there is. */
    facts_put(out, FACT_LISTEN_QUEUE_FULL, l->waiting > l->backlog, SRC_HOST, 0, "sock_diag",
              v_int(l->waiting), v_int(l->backlog), v_none());
}
