/* Whether a router stands between this host and an address: the kernel's own route look-up. */
#include "host/host.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#define ROUTE_BYTES 8192 /* of one netlink message; libmnl's own size is no constant */

static int take_gateway(const struct nlattr *attr, void *data)
{
    int type = mnl_attr_get_type(attr);

    if (type == RTA_GATEWAY || type == RTA_VIA)
        *(bool *)data = true;
    return MNL_CB_OK;
}

static int on_route(const struct nlmsghdr *nlh, void *data)
{
    struct rtmsg *m = mnl_nlmsg_get_payload(nlh);

    if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*m))
        return MNL_CB_ERROR;
    if (m->rtm_type != RTN_UNICAST && m->rtm_type != RTN_LOCAL)
        return MNL_CB_ERROR;
    return mnl_attr_parse(nlh, sizeof(*m), take_gateway, data) < 0 ? MNL_CB_ERROR : MNL_CB_STOP;
}

static int ask(struct mnl_socket *nl, const struct addr *a)
{
    char buf[ROUTE_BYTES];
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

    nlh->nlmsg_type = RTM_GETROUTE;
    nlh->nlmsg_flags = NLM_F_REQUEST;
    nlh->nlmsg_seq = 1;
    struct rtmsg *m = mnl_nlmsg_put_extra_header(nlh, sizeof(*m));
    m->rtm_family = a->family == 6 ? AF_INET6 : AF_INET;
    m->rtm_dst_len = a->family == 6 ? 128 : 32;
    mnl_attr_put(nlh, RTA_DST, a->family == 6 ? 16 : 4, a->b);
    return mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0 ? -errno : 0;
}

int host_behind_router(const struct addr *a)
{
    char buf[ROUTE_BYTES];
    struct timeval patience = {.tv_usec = 100000}; /* the kernel answers at once */
    bool gateway = false;
    int rc = -EIO;

    if (!a->family)
        return -EINVAL;
    struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (!nl)
        return -errno;
    if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
        setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0)
        goto out;
    rc = ask(nl, a);
    if (rc < 0)
        goto out;
    ssize_t n = mnl_socket_recvfrom(nl, buf, sizeof buf);
    rc = -EIO;
    if (n > 0 &&
        mnl_cb_run(buf, (size_t)n, 1, mnl_socket_get_portid(nl), on_route, &gateway) == MNL_CB_STOP)
        rc = gateway;
out:
    mnl_socket_close(nl);
    return rc;
}
