/*
 * The watch over all TCP sockets of this network namespace: destroy events
 * (SKNLGRP_INET_TCP_DESTROY and its v6 sister, open to any user) and the table itself, dumped on a
 * tick. An event is judged after the next dump and reading of the counters, when all that happened
 * with it is known.
 */
#include "host/source.h"
#include "host/watch.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICK        (100 * NS_PER_MS)
#define TICK_MAX    (5 * NS_PER_SEC)
#define DUMP_SHARE  10 /* a dump takes at most this part of the time */
#define MESSAGE_MAX (32 * 1024)
#define READS_MAX   16 /* of one socket in one turn */
#define OWNER_WORK  (3 * NS_PER_MS)
#define SAMPLES     32
#define RECENT      256
#define PENDING_MAX 65536
#define FORGET      (60 * NS_PER_SEC) /* a dead socket that its program holds */
#define PORTS_MAX   256               /* of COMMAND */

struct pending { /* a destroy event not judged yet */
    struct sock_seen last;
    nstime time;
};
struct recent { /* what ended by a reset lately: how many shared a reading of the counters */
    nstime time;
    uint64_t flow;
};
struct claimed_port {
    uint16_t port;
    struct host_owner owner;
};
struct host_watch {
    struct loop *loop;
    struct host_watch_callbacks cb;
    int events_fd, dump_fd;
    struct watch *events_watch, *dump_watch;
    struct timer *tick;
    struct sock_table table;
    struct owners *owners;
    struct pending *pending;
    size_t npending, pending_alloc;
    struct host_ending *found; /* of one round, to be told together */
    size_t nfound, found_alloc;
    struct host_counters samples[SAMPLES];
    uint64_t nsamples;
    struct recent recent[RECENT];
    uint64_t nrecent;
    struct claimed_port ports[PORTS_MAX];
    size_t nports;
    uint8_t listening[65536 / 8];
    uint32_t round, seq;
    uint8_t family; /* being dumped: 4, 6; 0 none */
    nstime began, began_clock;
    bool dump_failed, flushing;
    struct host_privileged *privileged;
    const struct host_command *command; /* polled: NULL where its calls are seen */
    uint64_t nameless, lost;
    uint8_t buf[MESSAGE_MAX];
};

static bool listens(const struct host_watch *w, uint16_t port)
{
    return w->listening[port / 8] >> port % 8 & 1;
}

/* ---- sockets seen ---- */

static void note_owner(struct host_watch *w, struct known *k)
{
    if (k->owner_known || !k->s.inode)
        return;
    k->owner.uid = k->s.uid;
    k->owner_known = owners_find(w->owners, k->s.inode, &k->owner);
    if (k->owner_known && w->command && host_command_owns(w->command, (pid_t)k->owner.pid))
        k->command = true;
}

static void note_command(const struct host_watch *w, struct known *k)
{
    for (size_t i = 0; !k->command && i < w->nports; i++)
        if (w->ports[i].port == k->s.sport && k->s.state != SOCK_LISTEN) {
            k->command = true;
            if (k->owner.pid < 0)
                k->owner = w->ports[i].owner;
        }
}

static void seen(struct host_watch *w, const struct sock_seen *s)
{
    struct known *k;

    if (s->state == SOCK_LISTEN)
        w->listening[s->sport / 8] |= (uint8_t)(1 << s->sport % 8);
    if (!s->cookie || s->state == SOCK_LISTEN || s->state == SOCK_NEW_SYN_RECV)
        return;
    k = sock_table_find(&w->table, s->cookie);
    if (!k && !(k = sock_table_add(&w->table, s->cookie)))
        return;
    k->s = *s;
    if (k->role == ROLE_UNKNOWN)
        k->role = sock_role_of(s);
    k->round = w->round;
    k->seen = loop_wall(w->loop);
    k->missing = NSTIME_NONE;
    note_owner(w, k);
    note_command(w, k);
}

/* ---- destroy events ---- */

static int on_event(const struct nlmsghdr *nlh, void *arg)
{
    struct host_watch *w = arg;
    struct sock_seen s;

    if (sock_seen_parse(&s, nlh))
        return MNL_CB_OK;
    if (!s.dst.family && !s.dport) { /* a listener */
        w->listening[s.sport / 8] |= (uint8_t)(1 << s.sport % 8);
        return MNL_CB_OK;
    }
    if (w->npending >= PENDING_MAX || ARRAY_GROW(w->pending, w->npending + 1, w->pending_alloc)) {
        w->lost++;
        return MNL_CB_OK;
    }
    w->pending[w->npending++] = (struct pending){s, loop_wall(w->loop)};
    return MNL_CB_OK;
}

static void read_events(struct host_watch *w, int reads)
{
    while (reads-- > 0) {
        ssize_t n = recv(w->events_fd, w->buf, sizeof(w->buf), MSG_DONTWAIT);
        if (n < 0 && errno == ENOBUFS) {
            w->lost++; /* the kernel does not say how many */
            continue;
        }
        if (n <= 0)
            return;
        mnl_cb_run(w->buf, (size_t)n, 0, 0, on_event, w);
    }
}

static void on_events(void *arg, int events)
{
    (void)events;
    read_events(arg, READS_MAX);
}

/* ---- judging what ended ---- */

/* The newest reading of the counters that is older than the last sight of the socket. */
static void delta_since(const struct host_watch *w, nstime t, struct host_counters *out,
                        nstime *from)
{
    const struct host_counters *now = &w->samples[(w->nsamples - 1) % SAMPLES];
    uint64_t first = w->nsamples > SAMPLES ? w->nsamples - SAMPLES : 0;

    memset(out, 0, sizeof(*out));
    for (uint64_t i = w->nsamples; i > first; i--) {
        const struct host_counters *before = &w->samples[(i - 1) % SAMPLES];
        if (before->time > t)
            continue;
        host_counters_delta(out, before, now);
        *from = before->time;
        return;
    }
}

static uint64_t flow_hash(const struct flow_key *k)
{
    uint64_t a = hash_bytes(k->sport, &k->src, sizeof(k->src));
    uint64_t b = hash_bytes(k->dport, &k->dst, sizeof(k->dst));

    return hash_mix(a ^ b, a + b);
}

static unsigned ended_since(const struct host_watch *w, nstime from)
{
    uint64_t first = w->nrecent > RECENT ? w->nrecent - RECENT : 0;
    unsigned n = 0;

    for (uint64_t i = first; i < w->nrecent; i++) {
        const struct recent *r = &w->recent[i % RECENT];
        bool again = r->time < from;
        for (uint64_t k = first; k < i && !again; k++)
            again = w->recent[k % RECENT].time >= from && w->recent[k % RECENT].flow == r->flow;
        n += !again;
    }
    return n ? n : 1;
}

/* The other end, if it is a socket of this host: its port where ours forgot it, its life. */
static const struct known *other_end(const struct host_watch *w, const struct sock_seen *s)
{
    for (size_t i = 0; i < w->table.nr; i++) {
        const struct known *k = &w->table.items[i];
        if (k->used && k->s.dport == s->sport && (!s->dport || k->s.sport == s->dport) &&
            addr_equal(&k->s.dst, &s->src) && addr_equal(&k->s.src, &s->dst))
            return k;
    }
    return NULL;
}

static bool same_host(const struct sock_seen *s)
{
    return addr_is_loopback(&s->dst) || addr_equal(&s->src, &s->dst);
}

/* Its numbers say it, or its other end's; else who listens, which a dump may have missed. */
static bool is_server(const struct host_watch *w, const struct known *k, const struct known *other,
                      uint16_t sport, uint16_t dport)
{
    if (k && k->role != ROLE_UNKNOWN)
        return k->role == ROLE_SERVER;
    if (other && other->role != ROLE_UNKNOWN)
        return other->role == ROLE_CLIENT;
    return listens(w, sport) && !(listens(w, dport) && dport < sport);
}

static void judge_end(struct host_watch *w, struct known *k, const struct sock_seen *last,
                      nstime time)
{
    struct host_ending e = {.time = time, .socket = last ? last->cookie : k->s.cookie};
    struct sock_seen s = last ? *last : k->s;
    nstime alive = k && k->seen ? k->seen : time, from = time;
    const struct known *other = NULL;

    if (k && !s.dport) {
        s.dport = k->s.dport;
        s.dst = k->s.dst;
    }
    if (same_host(&s) && w->nfound < 64)
        other = other_end(w, &s);
    struct sock_seen whole = s;
    if (!s.dport && other)
        whole.dport = other->s.sport;
    struct host_counters delta;
    delta_since(w, MIN_OF(alive, time), &delta, &from);
    struct known with = k ? *k : (struct known){.missing = NSTIME_NONE, .owner = {-1, -1, "", ""}};
    if (!with.s.dport && whole.dport) { /* what the other end told */
        with.s.src = whole.src;
        with.s.sport = whole.sport;
        with.s.dst = whole.dst;
        with.s.dport = whole.dport;
    }
    bool known = k || (whole.dport && !s.dport);
    struct end_view v = {known ? &with : NULL, last, &delta,
                         is_server(w, k, other, whole.sport, whole.dport)};
    if (!ending_infer(&e, &v))
        return;
    if (!e.flow.dport && !e.flow.sport)
        return;
    e.delta = delta;
    e.owner = with.owner;
    if (!e.owner.cgroup[0] && with.s.cgroup_id)
        host_cgroup_by_id(e.owner.cgroup, sizeof(e.owner.cgroup), with.s.cgroup_id);
    e.command = with.command;
    for (size_t i = 0; !e.command && i < w->nports; i++)
        if (v.server && w->ports[i].port == whole.sport) {
            e.command = true;
            e.owner = w->ports[i].owner;
        }
    e.peer_here = other && other->missing == NSTIME_NONE && other->s.state == SOCK_ESTABLISHED &&
                  other->seen > time;
    if (ARRAY_GROW(w->found, w->nfound + 1, w->found_alloc))
        return;
    w->found[w->nfound++] = e;
    w->recent[w->nrecent++ % RECENT] = (struct recent){time, flow_hash(&e.flow)};
    w->found[w->nfound - 1].delta.time = from; /* until the others of the time are counted */
}

static void judge_events(struct host_watch *w)
{
    size_t left = 0;

    for (size_t i = 0; i < w->npending; i++) {
        struct pending *p = &w->pending[i];
        if (p->time >= w->began && !w->flushing) {
            w->pending[left++] = *p;
            continue;
        }
        struct known *k = sock_table_find(&w->table, p->last.cookie);
        size_t before = w->nfound;
        judge_end(w, k, &p->last, p->time);
        w->nameless +=
            w->nfound == before && !k && !p->last.dport && !p->last.min_rtt && !p->last.src.family;
        if (k)
            sock_table_drop(&w->table, k);
    }
    w->npending = left;
}

/* What the dump did not see any more, and no event has told of. */
static void judge_missing(struct host_watch *w)
{
    nstime now = loop_wall(w->loop);

    for (size_t i = 0; i < w->table.nr; i++) {
        struct known *k = &w->table.items[i];
        if (!k->used || k->round == w->round || !k->seen)
            continue;
        if (k->missing == NSTIME_NONE) {
            k->missing = now;
        } else if (now - k->missing > FORGET) {
            sock_table_drop(&w->table, k);
        } else if (!k->told) {
            k->told = true;
            judge_end(w, k, NULL, k->missing);
        }
    }
}

static void tell(struct host_watch *w)
{
    for (size_t i = 0; i < w->nfound; i++) {
        struct host_ending *e = &w->found[i];
        e->events = ended_since(w, e->delta.time);
        w->cb.on_ending(w->cb.arg, e);
    }
    w->nfound = 0;
}

/* ---- dumps ---- */

static void end_dump(struct host_watch *w)
{
    nstime took = loop_clock() - w->began_clock;

    w->family = 0;
    read_events(w, 1024);
    w->nsamples += host_read_counters(&w->samples[w->nsamples % SAMPLES]) == 0;
    if (w->nsamples) {
        judge_events(w);
        if (!w->dump_failed)
            judge_missing(w);
        tell(w);
    }
    owners_work(w->owners, loop_clock() + OWNER_WORK);
    if (w->privileged)
        privileged_serve_owners(w->privileged, w->owners);
    timer_again(w->tick, MIN_OF(MAX_OF(TICK, took * DUMP_SHARE), TICK_MAX));
}

static void ask(struct host_watch *w, uint8_t family)
{
    w->family = family;
    int err = sock_dump_request(w->dump_fd, family, ++w->seq);
    if (!err)
        return;
    w->dump_failed = true;
    end_dump(w);
}

static void begin_dump(struct host_watch *w)
{
    if (w->family) /* the one before is not over */
        return;
    if (w->nsamples == 0)
        w->nsamples += host_read_counters(&w->samples[0]) == 0;
    w->began = loop_wall(w->loop);
    w->began_clock = loop_clock();
    w->round++;
    w->dump_failed = false;
    ask(w, 4);
}

static void on_tick(void *arg)
{
    begin_dump(arg);
}

static int on_dumped(const struct nlmsghdr *nlh, void *arg)
{
    struct host_watch *w = arg;
    struct sock_seen s;

    if (nlh->nlmsg_seq == w->seq && sock_seen_parse(&s, nlh) == 0)
        seen(w, &s);
    return MNL_CB_OK;
}

/* One message of a dump: true when the family is through. */
static bool dump_message(struct host_watch *w, size_t n)
{
    const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)w->buf;

    int r = mnl_cb_run(w->buf, n, 0, 0, on_dumped, w);
    if (r < 0 && !(w->family == 6 && (errno == ENOENT || errno == EAFNOSUPPORT)))
        w->dump_failed = true;
    return r <= 0 && nlh->nlmsg_seq == w->seq;
}

static bool dump_step(struct host_watch *w)
{
    ssize_t n = recv(w->dump_fd, w->buf, sizeof(w->buf), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n < 0)
        w->dump_failed = true;
    if (!w->family || (n > 0 && !dump_message(w, (size_t)n)))
        return true;
    if (w->family == 4 && n > 0)
        ask(w, 6);
    else
        end_dump(w);
    return true;
}

static void on_dump(void *arg, int events)
{
    struct host_watch *w = arg;

    (void)events;
    for (int i = 0; i < READS_MAX && dump_step(w); i++)
        ;
}

void host_watch_flush(struct host_watch *w)
{
    if (!w)
        return;
    w->flushing = true;
    for (int round = 0; round < 2; round++) {
        begin_dump(w);
        for (int i = 0; w->family && i < 100000; i++)
            if (!dump_step(w))
                break; /* the kernel answers a dump while it is asked */
    }
    w->flushing = false;
}

/* ---- what COMMAND uses ---- */

void host_watch_claim(struct host_watch *w, uint64_t cookie, const struct host_owner *owner,
                      const struct addr *dst, uint16_t dport)
{
    struct known *k = sock_table_find(&w->table, cookie);

    if (!k && !(k = sock_table_add(&w->table, cookie)))
        return;
    if (!k->seen) {
        k->s.state = SOCK_SYN_SENT;
        k->s.dst = *dst;
        k->s.dport = dport;
    }
    k->command = k->owner_known = true;
    k->owner = *owner;
}

void host_watch_claim_port(struct host_watch *w, uint16_t port, const struct host_owner *owner)
{
    w->listening[port / 8] |= (uint8_t)(1 << port % 8);
    for (size_t i = 0; i < w->nports; i++)
        if (w->ports[i].port == port)
            return;
    if (w->nports < PORTS_MAX)
        w->ports[w->nports++] = (struct claimed_port){port, *owner};
}

void host_watch_command(struct host_watch *w, const struct host_command *c)
{
    w->command = c;
}

void host_watch_privileged(struct host_watch *w, struct host_privileged *p)
{
    w->privileged = p;
}

uint64_t host_watch_nameless(const struct host_watch *w)
{
    return w ? w->nameless : 0;
}

uint64_t host_watch_dropped(const struct host_watch *w)
{
    return w ? w->lost + w->table.dropped : 0;
}

/* ---- begin and end ---- */

static int open_socket(unsigned groups)
{
    struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = groups};
    int room = 4 << 20; /* a burst of ends; the kernel grants what it may */
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    if (bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
        int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

struct host_watch *host_watch_start(struct loop *l, const struct host_watch_callbacks *cb, int *err)
{
    const unsigned groups =
        1U << (SKNLGRP_INET_TCP_DESTROY - 1) | 1U << (SKNLGRP_INET6_TCP_DESTROY - 1);
    struct host_watch *w = calloc(1, sizeof(*w));

    *err = -ENOMEM;
    if (!w)
        return NULL;
    w->loop = l;
    w->cb = *cb;
    w->dump_fd = -1;
    w->events_fd = open_socket(groups);
    if (w->events_fd < 0 || (w->dump_fd = open_socket(0)) < 0) {
        *err = w->events_fd < 0 ? w->events_fd : w->dump_fd;
        goto fail;
    }
    w->owners = owners_new();
    if (!w->owners || sock_table_init(&w->table))
        goto fail;
    w->events_watch = loop_watch(l, w->events_fd, LOOP_READ, on_events, w);
    w->dump_watch = loop_watch(l, w->dump_fd, LOOP_READ, on_dump, w);
    w->tick = loop_timer(l, TICK, 0, on_tick, w);
    if (!w->events_watch || !w->dump_watch || !w->tick)
        goto fail;
    begin_dump(w);
    *err = 0;
    return w;
fail:
    host_watch_free(w);
    return NULL;
}

void host_watch_free(struct host_watch *w)
{
    if (!w)
        return;
    watch_stop(w->events_watch);
    watch_stop(w->dump_watch);
    timer_stop(w->tick);
    if (w->events_fd >= 0)
        close(w->events_fd);
    if (w->dump_fd >= 0)
        close(w->dump_fd);
    if (w->privileged)
        privileged_serve_owners(w->privileged, NULL);
    owners_free(w->owners);
    sock_table_release(&w->table);
    free(w->pending);
    free(w->found);
    free(w);
}

static int look_sockets(struct strbuf *found, struct strbuf *remedy)
{
    int fd = open_socket(1U << (SKNLGRP_INET_TCP_DESTROY - 1));

    (void)remedy;
    if (fd < 0)
        return fd;
    close(fd);
    strbuf_addstr(found, _("every socket's end with its last numbers, whoever owns it"));
    return 0;
}
const struct host_source source_sockets = {
    .name = "sockets",
    .title = N_("the table of sockets and their ends (sock_diag)"),
    .look = look_sockets,
};
