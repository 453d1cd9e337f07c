/* Connection tracking (ctnetlink): the entry of a connection, and living ones that are forgotten.
 */
#include "host/helper/helper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define MESSAGE_MAX 32768

static struct mnl_socket *events, *asked;
static unsigned seq;

struct end {
    int family; /* AF_INET, AF_INET6; 0 not told */
    uint8_t src[16], dst[16];
    uint16_t sport, dport;
    uint8_t proto;
};
struct entry {
    struct end orig, reply;
    int state; /* TCP_CONNTRACK_*, -1 not told */
    uint32_t timeout;
    bool timed;
};

int entries_open(char *why, size_t len)
{
    int room = 1 << 20, group = NFNLGRP_CONNTRACK_DESTROY;

    events = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    asked = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    int err = events && asked ? 0 : -errno;
    if (!err && (mnl_socket_bind(events, 0, MNL_SOCKET_AUTOPID) < 0 ||
                 mnl_socket_bind(asked, 0, MNL_SOCKET_AUTOPID) < 0 ||
                 mnl_socket_setsockopt(events, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0))
        err = -errno;
    if (err) {
        snprintf(why, len, "%s",
                 err == -EPERM ? "needs cap_net_admin" : "the kernel tells of no entries");
        if (events)
            mnl_socket_close(events);
        if (asked)
            mnl_socket_close(asked);
        events = asked = NULL;
        return err;
    }
    setsockopt(mnl_socket_get_fd(events), SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    return 0;
}

int entries_fd(void)
{
    return events ? mnl_socket_get_fd(events) : -1;
}

/* ---- reading ---- */

struct table {
    const struct nlattr *at[32];
};

static int note(const struct nlattr *a, void *arg)
{
    struct table *t = arg;
    unsigned type = mnl_attr_get_type(a);

    if (type < sizeof(t->at) / sizeof(t->at[0]))
        t->at[type] = a;
    return MNL_CB_OK;
}

static bool nested(struct table *t, const struct nlattr *in)
{
    memset(t, 0, sizeof(*t));
    return in && mnl_attr_parse_nested(in, note, t) == MNL_CB_OK;
}

static bool take(const struct nlattr *a, void *out, size_t n)
{
    if (!a || mnl_attr_get_payload_len(a) < n)
        return false;
    memcpy(out, mnl_attr_get_payload(a), n);
    return true;
}

static void take_end(struct end *e, const struct nlattr *a)
{
    struct table tuple, ip, proto;
    uint16_t sport = 0, dport = 0;

    memset(e, 0, sizeof(*e));
    if (!nested(&tuple, a) || !nested(&ip, tuple.at[CTA_TUPLE_IP]) ||
        !nested(&proto, tuple.at[CTA_TUPLE_PROTO]))
        return;
    take(proto.at[CTA_PROTO_NUM], &e->proto, 1);
    take(proto.at[CTA_PROTO_SRC_PORT], &sport, 2);
    take(proto.at[CTA_PROTO_DST_PORT], &dport, 2);
    e->sport = ntohs(sport);
    e->dport = ntohs(dport);
    if (take(ip.at[CTA_IP_V4_SRC], e->src, 4) && take(ip.at[CTA_IP_V4_DST], e->dst, 4))
        e->family = AF_INET;
    else if (take(ip.at[CTA_IP_V6_SRC], e->src, 16) && take(ip.at[CTA_IP_V6_DST], e->dst, 16))
        e->family = AF_INET6;
}

static bool take_entry(struct entry *e, const struct nlmsghdr *nlh)
{
    struct table all = {0}, info, tcp;
    uint8_t state;
    uint32_t timeout;

    if (nlh->nlmsg_len < NLMSG_HDRLEN + sizeof(struct nfgenmsg) ||
        mnl_attr_parse(nlh, sizeof(struct nfgenmsg), note, &all) != MNL_CB_OK)
        return false;
    take_end(&e->orig, all.at[CTA_TUPLE_ORIG]);
    take_end(&e->reply, all.at[CTA_TUPLE_REPLY]);
    e->state = -1;
    if (nested(&info, all.at[CTA_PROTOINFO]) && nested(&tcp, info.at[CTA_PROTOINFO_TCP]) &&
        take(tcp.at[CTA_PROTOINFO_TCP_STATE], &state, 1))
        e->state = state;
    e->timed = take(all.at[CTA_TIMEOUT], &timeout, 4);
    e->timeout = e->timed ? ntohl(timeout) : 0;
    return e->orig.family && e->orig.proto == IPPROTO_TCP;
}

/* ---- telling ---- */

static const char *const states[] = {"NONE",     "SYN_SENT",   "SYN_RECV", "ESTABLISHED",
                                     "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT",
                                     "CLOSE",    "SYN_SENT2"};

static json_t *end_json(const struct end *e)
{
    char src[INET6_ADDRSTRLEN] = "", dst[INET6_ADDRSTRLEN] = "";

    if (e->family) {
        inet_ntop(e->family, e->src, src, sizeof(src));
        inet_ntop(e->family, e->dst, dst, sizeof(dst));
    }
    return json_pack("{s:s,s:i,s:s,s:i}", "src", src, "sport", e->sport, "dst", dst, "dport",
                     e->dport);
}

static void put_entry(const struct entry *e, const char *event)
{
    bool known = e->state >= 0 && (size_t)e->state < sizeof(states) / sizeof(states[0]);

    put_line(json_pack("{s:{s:s,s:o,s:o,s:s?,s:o}}", "entry", "event", event, "flow",
                       end_json(&e->orig), "reply", end_json(&e->reply), "state",
                       known ? states[e->state] : NULL, "timeout",
                       e->timed ? json_integer(e->timeout) : json_null()));
}

static bool alive(int state)
{
    return state == TCP_CONNTRACK_SYN_RECV || state == TCP_CONNTRACK_ESTABLISHED;
}

/* Destroyed entries are many and mean nothing, but of connections that were still alive. */
static int on_event(const struct nlmsghdr *nlh, void *arg)
{
    struct entry e;

    (void)arg;
    if (take_entry(&e, nlh) && alive(e.state))
        put_entry(&e, "forgotten");
    return MNL_CB_OK;
}

void entries_readable(void)
{
    static char buf[MESSAGE_MAX];
    ssize_t n = recv(mnl_socket_get_fd(events), buf, sizeof(buf), MSG_DONTWAIT);

    if (n > 0)
        mnl_cb_run(buf, (size_t)n, 0, 0, on_event, NULL);
    else if (n < 0 && errno == ENOBUFS)
        put_line(json_pack("{s:{s:s,s:i}}", "lost", "of", "conntrack", "n", 1));
}

/* ---- asking ---- */

static bool take_request(struct end *e, char *request)
{
    char *word[5], *save;
    uint64_t sport, dport;
    int n = 0;

    for (char *w = strtok_r(request, " ", &save); w && n < 5; w = strtok_r(NULL, " ", &save))
        word[n++] = w;
    memset(e, 0, sizeof(*e));
    if (n != 4 || !take_number(word[1], 65535, &sport) || !take_number(word[3], 65535, &dport))
        return false;
    e->sport = (uint16_t)sport;
    e->dport = (uint16_t)dport;
    e->family = strchr(word[0], ':') ? AF_INET6 : AF_INET;
    return inet_pton(e->family, word[0], e->src) == 1 && inet_pton(e->family, word[2], e->dst) == 1;
}

static void put_request(struct nlmsghdr *nlh, const struct end *e)
{
    bool v4 = e->family == AF_INET;
    size_t n = v4 ? 4 : 16;

    struct nlattr *tuple = mnl_attr_nest_start(nlh, CTA_TUPLE_ORIG);
    struct nlattr *ip = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
    mnl_attr_put(nlh, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, n, e->src);
    mnl_attr_put(nlh, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, n, e->dst);
    mnl_attr_nest_end(nlh, ip);
    struct nlattr *proto = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
    mnl_attr_put_u8(nlh, CTA_PROTO_NUM, IPPROTO_TCP);
    mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(e->sport));
    mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(e->dport));
    mnl_attr_nest_end(nlh, proto);
    mnl_attr_nest_end(nlh, tuple);
}

static int on_answer(const struct nlmsghdr *nlh, void *arg)
{
    size_t *found = arg;
    struct entry e;

    if (take_entry(&e, nlh)) {
        put_entry(&e, "found");
        (*found)++;
    }
    return MNL_CB_OK;
}

void entries_answer(char *request)
{
    static char buf[MESSAGE_MAX];
    struct end e;
    size_t found = 0;

    if (!asked || !take_request(&e, request)) {
        put_end("flow", 0, 0);
        return;
    }
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
    nlh->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
    nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    nlh->nlmsg_seq = ++seq;
    struct nfgenmsg *nf = mnl_nlmsg_put_extra_header(nlh, sizeof(*nf));
    *nf = (struct nfgenmsg){.nfgen_family = (uint8_t)e.family, .version = NFNETLINK_V0};
    put_request(nlh, &e);
    /* The kernel answers while it is asked: an entry and an acknowledgement, or an error. */
    if (mnl_socket_sendto(asked, nlh, nlh->nlmsg_len) >= 0) {
        ssize_t n;
        while ((n = recv(mnl_socket_get_fd(asked), buf, sizeof(buf), MSG_DONTWAIT)) > 0)
            mnl_cb_run(buf, (size_t)n, seq, mnl_socket_get_portid(asked), on_answer, &found);
    }
    put_end("flow", found, 0);
}
