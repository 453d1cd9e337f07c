/*
 * What the end of a socket means (design.md 3, No capture permission). Measured on Linux 6.18; the
 * places in the kernel are named. The last struct tcp_info still counts what was acknowledged, so a
 * connection whose FIN was never acknowledged was cut; who cut it, the queue, the counters and
 * whether it was gone before its program closed it tell together.
 */
#include "host/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const hows[ENDING_HOWS] = {"unread", "dropped", "gave-up", "received",
                                              "refused"};

const char *ending_how_name(enum ending_how how)
{
    return how < ENDING_HOWS ? hows[how] : NULL;
}

int ending_how_by_name(const char *name)
{
    for (int i = 0; i < ENDING_HOWS; i++)
        if (strcmp(hows[i], name) == 0)
            return i;
    return -1;
}

/* ---- the table ---- */

#define BUCKETS 16384

int sock_table_init(struct sock_table *t)
{
    memset(t, 0, sizeof(*t));
    t->buckets = calloc(BUCKETS, sizeof(*t->buckets));
    return t->buckets ? 0 : -ENOMEM;
}

void sock_table_release(struct sock_table *t)
{
    free(t->items);
    free(t->buckets);
    memset(t, 0, sizeof(*t));
}

static uint32_t *bucket_of(const struct sock_table *t, uint64_t cookie)
{
    return &t->buckets[hash_mix(cookie, 1) % BUCKETS];
}

struct known *sock_table_find(const struct sock_table *t, uint64_t cookie)
{
    for (uint32_t i = *bucket_of(t, cookie); i; i = t->items[i - 1].next)
        if (t->items[i - 1].s.cookie == cookie)
            return &t->items[i - 1];
    return NULL;
}

struct known *sock_table_add(struct sock_table *t, uint64_t cookie)
{
    uint32_t *bucket = bucket_of(t, cookie), at = t->free;

    if (at) {
        t->free = t->items[at - 1].next;
    } else if (t->nr < KNOWN_MAX && ARRAY_GROW(t->items, t->nr + 1, t->alloc) == 0) {
        at = (uint32_t)++t->nr;
    } else {
        t->dropped++;
        return NULL;
    }
    struct known *k = &t->items[at - 1];
    *k = (struct known){.s = {.cookie = cookie},
                        .missing = NSTIME_NONE,
                        .next = *bucket,
                        .used = true,
                        .owner = {.pid = -1, .uid = -1}};
    *bucket = at;
    return k;
}

void sock_table_drop(struct sock_table *t, struct known *k)
{
    uint32_t at = (uint32_t)(k - t->items) + 1, *link = bucket_of(t, k->s.cookie);

    while (*link && *link != at)
        link = &t->items[*link - 1].next;
    if (*link)
        *link = k->next;
    k->used = false;
    k->next = t->free;
    t->free = at;
}

enum sock_role sock_role_of(const struct sock_seen *s)
{
    if (!s->info || s->unacked || (s->state != SOCK_ESTABLISHED && s->state != SOCK_CLOSE_WAIT))
        return ROLE_UNKNOWN;
    return s->acked == s->sent + 1 ? ROLE_CLIENT : s->acked == s->sent ? ROLE_SERVER : ROLE_UNKNOWN;
}

/* ---- what the end means ---- */

static bool connected(uint8_t state)
{
    return state == SOCK_ESTABLISHED || state == SOCK_CLOSE_WAIT || state == SOCK_FIN_WAIT1 ||
           state == SOCK_FIN_WAIT2 || state == SOCK_LAST_ACK || state == SOCK_CLOSING;
}

/* tcp_disconnect() takes the peer's port away and empties the numbers, and leaves min_rtt: linger
 * 0, connect(AF_UNSPEC), and the queue of a listener that closes (tcp.c, inet_connection_sock.c).
 */
static bool was_dropped(const struct end_view *v)
{
    const struct sock_seen *l = v->last;

    return l && !l->dport && l->dst.family && ((v->k && connected(v->k->s.state)) || l->min_rtt);
}

static bool was_refused(const struct end_view *v)
{
    const struct sock_seen *l = v->last;
    bool trying = v->k && v->k->s.state == SOCK_SYN_SENT;

    if (!l || (v->k && !trying)) /* while its program holds it an ICMP error looks the same */
        return false;
    if (!l->dport) /* a blocking connect has lost its numbers too */
        return trying && v->delta->available && v->delta->attempt_fails > 0;
    /* One segment out, one in, no round trip measured: the answer to the SYN was a RST. An ICMP
     * error is no segment, and a time-out has none. */
    return l->dst.family && l->info && !l->min_rtt && !l->rtt && !l->sent && !l->received &&
           l->acked == 0 && l->segs_in > 0 && l->segs_out > 0;
}

/* tcpi_bytes_acked counts the client's SYN and either side's FIN. */
static bool fin_acked(const struct sock_seen *s, bool server)
{
    return s->acked >= s->sent + (server ? 1 : 2);
}

/* rcv_nxt counts the peer's FIN: a queue of one may be that alone. */
static uint64_t unread_of(const struct end_view *v)
{
    uint64_t n = v->last ? v->last->rqueue : 0;
    bool fin = v->k && (v->k->s.state == SOCK_CLOSE_WAIT || v->k->s.state == SOCK_LAST_ACK ||
                        v->k->s.state == SOCK_CLOSING);

    return fin && n ? n - 1 : n;
}

static void take_flow(struct host_ending *out, const struct end_view *v)
{
    const struct sock_seen *s = v->last && v->last->dport ? v->last : v->k ? &v->k->s : v->last;
    struct flow_key *f = &out->flow;

    memset(f, 0, sizeof(*f));
    out->server = v->server;
    f->src = v->server ? s->dst : s->src;
    f->sport = v->server ? s->dport : s->sport;
    f->dst = v->server ? s->src : s->dst;
    f->dport = v->server ? s->sport : s->dport;
    if (v->last && !s->sport && !v->server) /* claimed before it was bound */
        f->sport = v->last->sport;
}

static nstime idle_of(const struct sock_seen *s)
{
    uint32_t ms = MIN_OF(s->since_sent, s->since_received);

    return s->sent || s->received > 1 ? ms * NS_PER_MS : NSTIME_NONE;
}

static void take_numbers(struct host_ending *out, const struct end_view *v)
{
    const struct sock_seen *s = v->last && v->last->info && v->last->dport ? v->last
                                : v->k && v->k->s.info                     ? &v->k->s
                                                                           : NULL;
    bool fin_in = v->k && v->k->s.state == SOCK_CLOSE_WAIT;

    out->idle = out->rtt = NSTIME_NONE;
    if (!s)
        return;
    out->info = true;
    out->sent = s->sent;
    /* A client's SYN is acknowledged with it. */
    out->acked = MIN_OF(s->acked - MIN_OF(s->acked, v->server ? 0 : 1), s->sent);
    out->received = s->received - MIN_OF(s->received, fin_in ? 1 : 0);
    out->rtt = s->rtt ? s->rtt * NS_PER_US : NSTIME_NONE;
}

/* The last numbers are of the close. Where the reset came before it, the last look at the living
 * socket tells how idle it was. */
static void take_idle(struct host_ending *out, const struct end_view *v)
{
    bool own = host_ending_made_here(out) && out->how != ENDING_DROPPED;
    const struct sock_seen *s = own && v->last ? v->last : v->k && v->k->seen ? &v->k->s : NULL;

    if (out->how != ENDING_REFUSED && s && s->info)
        out->idle = idle_of(s);
}

static bool gave_up(const struct end_view *v)
{
    const struct sock_seen *s = v->last ? v->last : &v->k->s;

    return v->delta->available && v->delta->abort_on_timeout > 0 && (s->retransmits || s->probes);
}

/* A queue with something in it: closed unread, unless the reset had come before and the program
 * never read what lay there. */
static bool closed_unread(const struct end_view *v, uint64_t unread)
{
    if (!v->last || !unread || (v->k && v->k->missing != NSTIME_NONE))
        return false;
    if (v->delta->available)
        return v->delta->abort_on_close > 0;
    return unread > 1;
}

static bool infer(struct host_ending *out, const struct end_view *v)
{
    const struct sock_seen *l = v->last;
    uint8_t state = v->k ? v->k->s.state : 0;

    if (!l && !v->k)
        return false;
    if ((l && !l->dst.family) || state == SOCK_LISTEN || state == SOCK_NEW_SYN_RECV)
        return false; /* a listener, or a socket that never went anywhere */
    take_flow(out, v);
    take_numbers(out, v);
    out->unread = unread_of(v);
    out->fin_before = state == SOCK_CLOSE_WAIT || state == SOCK_FIN_WAIT1 ||
                      state == SOCK_FIN_WAIT2 || state == SOCK_LAST_ACK || state == SOCK_CLOSING;
    out->held = !l;
    if (was_dropped(v)) {
        out->how = ENDING_DROPPED;
        return true;
    }
    if (was_refused(v)) {
        out->how = ENDING_REFUSED;
        out->server = false;
        return true;
    }
    bool answered = l && (l->min_rtt || l->rtt);
    if (!answered && (state == SOCK_SYN_SENT || state == SOCK_SYN_RECV || !v->k))
        return false;
    if (!l) { /* missing only: EstabResets alone tells it from a quick orderly end */
        if ((state != SOCK_ESTABLISHED && state != SOCK_CLOSE_WAIT) || !v->delta->available ||
            !v->delta->estab_resets)
            return false;
        out->how = gave_up(v) ? ENDING_GAVE_UP : ENDING_RECEIVED;
        return true;
    }
    if (!l->info || !l->dport || fin_acked(l, v->server))
        return false;
    out->how = closed_unread(v, out->unread) ? ENDING_UNREAD
               : gave_up(v)                  ? ENDING_GAVE_UP
                                             : ENDING_RECEIVED;
    return true;
}

bool ending_infer(struct host_ending *out, const struct end_view *v)
{
    if (!infer(out, v))
        return false;
    take_idle(out, v);
    return true;
}
