/* The end of a socket as facts: what the kernel tells without a packet, in words that say so. */
#include "host/host.h"

#include <stdio.h>
#include <string.h>

static void put(struct facts *out, enum fact_kind kind, bool yes, struct value v0, struct value v1)
{
    facts_put(out, kind, yes, SRC_HOST, 0, "sock_diag", v0, v1, v_none());
}

bool host_ending_made_here(const struct host_ending *e)
{
    return e->how == ENDING_UNREAD || e->how == ENDING_DROPPED || e->how == ENDING_GAVE_UP;
}

static bool within_host(const struct host_ending *e)
{
    return addr_is_loopback(&e->flow.dst) ||
           (e->flow.src.family && addr_equal(&e->flow.src, &e->flow.dst));
}

static bool is_idle(const struct host_ending *e)
{
    nstime least = e->rtt == NSTIME_NONE ? NS_PER_SEC : MAX_OF(NS_PER_SEC, 10 * e->rtt);

    return e->idle != NSTIME_NONE && e->idle >= least;
}

static const char *stage_of(const struct host_ending *e)
{
    uint64_t asked = e->server ? e->received : e->sent,
             answered = e->server ? e->sent : e->received;

    if (e->how == ENDING_REFUSED)
        return "syn";
    if (e->fin_before)
        return "close";
    if (!e->info)
        return NULL;
    if (is_idle(e))
        return "idle";
    return !asked && !answered ? "ack" : !answered ? "psh" : "data";
}

static void the_end(struct facts *out, const struct host_ending *e)
{
    static const char *const words[ENDING_HOWS] = {
        [ENDING_UNREAD] = N_("it was closed with bytes unread"),
        [ENDING_DROPPED] = N_("its program disconnected it"),
        [ENDING_GAVE_UP] = N_("what it sent went unanswered"),
        [ENDING_RECEIVED] = N_("its FIN was never acknowledged"),
        [ENDING_REFUSED] = N_("one segment came back for its SYN"),
    };
    bool here = host_ending_made_here(e), by_server = here == e->server;
    const char *stage = stage_of(e);

    put(out, FACT_SOCKET_RESET, true, v_text(words[e->how]), v_none());
    if (stage)
        put(out, FACT_STAGE, true, v_text(stage), v_none());
    put(out, FACT_RST_FROM, true, v_text(by_server ? N_("server") : N_("client")), v_none());
    if (!within_host(e))
        put(out, FACT_RST_OUTBOUND, here, v_none(), v_none());
    put(out, FACT_TARGET_LOCAL, e->server || within_host(e), v_none(), v_none());
    if (e->how == ENDING_REFUSED)
        put(out, FACT_CONN_REFUSED, true,
            e->rtt == NSTIME_NONE ? v_text(N_("an unknown time")) : v_span(e->rtt), v_none());
    if (e->how == ENDING_UNREAD)
        put(out, FACT_UNREAD_AT_CLOSE, true, v_int((int64_t)e->unread), v_none());
    if (e->how == ENDING_DROPPED || e->how == ENDING_UNREAD)
        put(out, FACT_DROPPED_AT_ONCE, e->how == ENDING_DROPPED, v_none(), v_none());
    if (e->fin_before)
        put(out, FACT_FIN_BEFORE, true, v_text(N_("client or server")), v_none());
    if (e->peer_here)
        put(out, FACT_OTHER_END_LIVES, true, v_none(), v_none());
    if (e->how == ENDING_REFUSED || !e->fin_before)
        put(out, FACT_HARMLESS, false,
            v_text(e->how == ENDING_REFUSED ? N_("the connection was refused")
                                            : N_("the connection was cut")),
            v_none());
    if (e->held)
        put(out, FACT_NOT_NOTICED, true, v_none(), v_none());
}

/* Of the originator's bytes, as everywhere; what a server's socket received is what it sent. */
static void the_bytes(struct facts *out, const struct host_ending *e)
{
    uint64_t sent = e->server ? e->received : e->sent, back = e->server ? e->sent : e->received;

    if (!e->info || e->how == ENDING_REFUSED)
        return;
    put(out, FACT_NOTHING_SENT, !sent, v_int((int64_t)sent), v_none());
    put(out, FACT_NO_REPLY_BYTES, !back, v_int((int64_t)back), v_none());
    if (sent && back)
        put(out, FACT_ANSWERED_BEFORE, true, v_int((int64_t)sent), v_int((int64_t)back));
    if (e->server || !sent)
        goto timing;
    put(out, FACT_BYTES_SENT, true, v_int((int64_t)sent), v_int((int64_t)e->acked));
    if (e->acked >= sent)
        put(out, FACT_ALL_ACKED, true, v_int((int64_t)sent), v_none());
    else
        put(out, FACT_ALL_ACKED, false, v_int((int64_t)(sent - e->acked)), v_int((int64_t)sent));
    if (!e->acked)
        put(out, FACT_NOTHING_ACKED, true, v_int((int64_t)sent), v_none());
timing:
    if (e->idle != NSTIME_NONE)
        put(out, FACT_IDLE_BEFORE, is_idle(e), v_span(e->idle), v_none());
}

static void the_owner(struct facts *out, const struct host_ending *e)
{
    const struct host_owner *o = &e->owner;
    struct strbuf sb = STRBUF_INIT;
    char container[16];

    if (o->pid < 0 && o->uid < 0 && !o->cgroup[0])
        return;
    if (o->name[0])
        strbuf_addf(&sb, "%s ", o->name);
    strbuf_addch(&sb, '(');
    if (o->pid >= 0)
        strbuf_addf(&sb, "pid %lld, ", (long long)o->pid);
    strbuf_addf(&sb, "uid %lld", (long long)o->uid);
    if (o->cgroup[0] && host_container_of(container, o->cgroup))
        strbuf_addf(&sb, ", container %s", container);
    else if (o->cgroup[0])
        strbuf_addf(&sb, ", cgroup %s", o->cgroup);
    strbuf_addch(&sb, ')');
    if (!sb.err)
        put(out, e->server ? FACT_SERVER_PROCESS : FACT_CLIENT_PROCESS, true, v_text(sb.buf),
            v_none());
    strbuf_release(&sb);
}

void facts_of_ending(struct facts *out, const struct host_ending *e)
{
    the_end(out, e);
    the_bytes(out, e);
    the_owner(out, e);
    facts_of_counters(out, &e->delta, e->events);
}
