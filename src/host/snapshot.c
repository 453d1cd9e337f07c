/* This host at one moment, for the Host screen: listening sockets and their queues, tables,
 * settings, and what every source says of itself. Blocks for as long as the kernel takes: it is
 * called off the loop. */
#include "host/source.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LISTENING 10 /* TCP_LISTEN: net/tcp_states.h */

/* Documentation/networking/ip-sysctl.rst and nf_conntrack-sysctl.rst. */
static const struct {
    const char *name, *what;
} settings[HOST_SYSCTLS] = {
    {"core/somaxconn", N_("the longest accept queue a program gets")},
    {"ipv4/tcp_abort_on_overflow", N_("1: a full accept queue answers with a reset")},
    {"ipv4/tcp_syncookies", N_("1: cookies when the SYN queue is full")},
    {"ipv4/tcp_max_syn_backlog", N_("half-open connections remembered")},
    {"ipv4/tcp_retries2", N_("retransmissions before it gives up")},
    {"ipv4/tcp_syn_retries", N_("SYNs sent again before it gives up")},
    {"ipv4/tcp_fin_timeout", N_("seconds in FIN-WAIT-2")},
    {"ipv4/tcp_keepalive_time", N_("seconds of silence before a keepalive")},
    {"ipv4/tcp_tw_reuse", N_("ports in TIME-WAIT are used again")},
    {"ipv4/ip_local_port_range", N_("ports for outgoing connections")},
    {"ipv4/tcp_mtu_probing", N_("1: probes for black holes of the path MTU")},
    {"netfilter/nf_conntrack_tcp_timeout_established", N_("seconds until conntrack forgets")},
    {"netfilter/nf_conntrack_tcp_loose", N_("1: conntrack takes up connections midway")},
    {"netfilter/nf_conntrack_tcp_be_liberal", N_("1: conntrack lets strange numbers pass")},
};

static void take_settings(struct host_snapshot *out)
{
    char path[128];

    for (size_t i = 0; i < HOST_SYSCTLS; i++) {
        struct host_sysctl *s = &out->sysctls[i];
        s->name = settings[i].name;
        s->what = settings[i].what;
        snprintf(path, sizeof(path), "/proc/sys/net/%s", s->name);
        s->err = source_line(s->value, sizeof(s->value), path);
    }
}

/* ---- listening sockets ---- */

static int on_listener(const struct nlmsghdr *nlh, void *data)
{
    struct host_snapshot *out = data;
    const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);
    struct host_listening *l;

    if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*m) || m->idiag_state != LISTENING ||
        (m->idiag_family != AF_INET && m->idiag_family != AF_INET6))
        return MNL_CB_OK;
    if (out->nlisteners == HOST_LISTENERS) {
        out->more_listeners++;
        return MNL_CB_OK;
    }
    l = &out->listeners[out->nlisteners++];
    l->addr.family = m->idiag_family == AF_INET ? 4 : 6;
    memcpy(l->addr.b, m->id.idiag_src, l->addr.family == 4 ? 4 : 16);
    l->port = ntohs(m->id.idiag_sport);
    l->uid = m->idiag_uid;
    l->waiting = m->idiag_rqueue; /* of a listener: its accept queue and its limit */
    l->backlog = m->idiag_wqueue;
    return MNL_CB_OK;
}

/* Fullest first, then by port: what overflows is what one looks for. */
static int by_queue(const void *pa, const void *pb)
{
    const struct host_listening *a = pa, *b = pb;
    uint64_t fa = a->waiting, fb = b->waiting;

    if (fa != fb)
        return fa > fb ? -1 : 1;
    return a->port != b->port ? (int)a->port - (int)b->port : memcmp(a->addr.b, b->addr.b, 16);
}

static int take_listeners(struct host_snapshot *out)
{
    int err = listeners_dump(0, true, on_listener, out);

    qsort(out->listeners, out->nlisteners, sizeof(out->listeners[0]), by_queue);
    return err;
}

/* ---- what the sources say ---- */

static void take_sources(struct host_snapshot *out)
{
    for (size_t i = 0; i < host_source_count() && out->nsources < HOST_SOURCES; i++) {
        const struct host_source *s = host_source_at(i);
        struct strbuf found = STRBUF_INIT, remedy = STRBUF_INIT;
        struct host_said *said = &out->sources[out->nsources++];
        said->title = s->title;
        said->err = s->look(&found, &remedy);
        text_clean(said->found, sizeof(said->found), found.buf, found.len);
        text_clean(said->remedy, sizeof(said->remedy), remedy.buf, remedy.len);
        strbuf_release(&found);
        strbuf_release(&remedy);
    }
}

void host_snapshot_take(struct host_snapshot *out, nstime now)
{
    memset(out, 0, sizeof(*out));
    out->taken = now;
    host_read_counters(&out->counters);
    host_conntrack_read(&out->conntrack);
    host_pressure_read(&out->pressure);
    take_settings(out);
    out->listeners_err = take_listeners(out);
    take_sources(out);
}
