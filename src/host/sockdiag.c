/* Messages of NETLINK_SOCK_DIAG: net/ipv4/inet_diag.c, tcp_diag.c. */
#include "host/sockdiag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#ifndef INET_DIAG_CGROUP_ID /* 5.7 */
#define INET_DIAG_CGROUP_ID 21
#endif

static void take_addr(struct addr *out, uint8_t family, const uint32_t words[4])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t none[16];
    uint8_t b[16];

    memset(out, 0, sizeof(*out));
    memcpy(b, words, 16);
    if (family == AF_INET) {
        if (memcmp(b, none, 4) == 0)
            return;
        out->family = 4;
        memcpy(out->b, b, 4);
    } else if (memcmp(b, mapped, sizeof(mapped)) == 0) { /* a v6 socket that speaks v4 */
        if (memcmp(b + 12, none, 4) == 0)
            return;
        out->family = 4;
        memcpy(out->b, b + 12, 4);
    } else if (memcmp(b, none, 16) != 0) {
        out->family = 6;
        memcpy(out->b, b, 16);
    }
}

/* A shorter struct tcp_info is an older kernel's: what it lacks stays zero. */
static void take_info(struct sock_seen *out, const struct nlattr *attr)
{
    struct tcp_info i;

    memset(&i, 0, sizeof(i));
    memcpy(&i, mnl_attr_get_payload(attr), MIN_OF(sizeof(i), mnl_attr_get_payload_len(attr)));
    out->info = mnl_attr_get_payload_len(attr) >= offsetof(struct tcp_info, tcpi_bytes_retrans);
    out->sent = i.tcpi_bytes_sent - MIN_OF(i.tcpi_bytes_retrans, i.tcpi_bytes_sent);
    out->acked = i.tcpi_bytes_acked;
    out->received = i.tcpi_bytes_received;
    out->rtt = i.tcpi_rtt;
    out->min_rtt = i.tcpi_min_rtt == UINT32_MAX ? 0 : i.tcpi_min_rtt;
    out->since_sent = i.tcpi_last_data_sent;
    out->since_received = i.tcpi_last_data_recv;
    out->retransmits = i.tcpi_retransmits;
    out->probes = i.tcpi_probes;
    out->segs_in = i.tcpi_segs_in;
    out->segs_out = i.tcpi_segs_out;
    out->unacked = i.tcpi_unacked;
}

static int take_attr(const struct nlattr *attr, void *data)
{
    struct sock_seen *out = data;

    if (mnl_attr_get_type(attr) == INET_DIAG_INFO)
        take_info(out, attr);
    else if (mnl_attr_get_type(attr) == INET_DIAG_CGROUP_ID &&
             mnl_attr_get_payload_len(attr) >= sizeof(out->cgroup_id))
        memcpy(&out->cgroup_id, mnl_attr_get_payload(attr), sizeof(out->cgroup_id));
    return MNL_CB_OK;
}

int sock_seen_parse(struct sock_seen *out, const struct nlmsghdr *nlh)
{
    const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);

    memset(out, 0, sizeof(*out));
    if (nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY || mnl_nlmsg_get_payload_len(nlh) < sizeof(*m) ||
        (m->idiag_family != AF_INET && m->idiag_family != AF_INET6))
        return -EINVAL;
    out->cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
    take_addr(&out->src, m->idiag_family, m->id.idiag_src);
    take_addr(&out->dst, m->idiag_family, m->id.idiag_dst);
    out->sport = ntohs(m->id.idiag_sport);
    out->dport = ntohs(m->id.idiag_dport);
    out->state = m->idiag_state;
    out->uid = m->idiag_uid;
    out->inode = m->idiag_inode;
    out->rqueue = m->idiag_rqueue;
    mnl_attr_parse(nlh, sizeof(*m), take_attr, out);
    return 0;
}

int sock_dump_request(int fd, uint8_t family, uint32_t seq)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 req;
    } msg;

    memset(&msg, 0, sizeof(msg));
    msg.head.nlmsg_len = sizeof(msg);
    msg.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    msg.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    msg.head.nlmsg_seq = seq;
    msg.req.sdiag_family = family == 6 ? AF_INET6 : AF_INET;
    msg.req.sdiag_protocol = IPPROTO_TCP;
    msg.req.idiag_ext = 1 << (INET_DIAG_INFO - 1);
    msg.req.idiag_states = ~(1U << SOCK_TIME_WAIT);
    return send(fd, &msg, sizeof(msg), MSG_DONTWAIT) < 0 ? -errno : 0;
}
