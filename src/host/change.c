/* One message of rtnetlink: pure, so that it can be fuzzed. */
#include "host/host.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

static int take_name(const struct nlattr *attr, void *data)
{
    struct host_change *c = data;

    if (mnl_attr_get_type(attr) == IFLA_IFNAME)
        text_clean(c->link, sizeof(c->link), mnl_attr_get_payload(attr),
                   strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr)));
    return MNL_CB_OK;
}

static int take_address(const struct nlattr *attr, void *data)
{
    struct host_change *c = data;
    size_t len = c->address.family == 6 ? 16 : 4;
    int type = mnl_attr_get_type(attr);

    /* IFA_LOCAL is the address itself where IFA_ADDRESS is the other end's. */
    if ((type == IFA_LOCAL || (type == IFA_ADDRESS && !c->told)) &&
        mnl_attr_get_payload_len(attr) >= len) {
        memcpy(c->address.b, mnl_attr_get_payload(attr), len);
        c->told = type == IFA_LOCAL;
    }
    return MNL_CB_OK;
}

static void link_change(struct host_change *c, const struct nlmsghdr *nlh)
{
    const struct ifinfomsg *m = mnl_nlmsg_get_payload(nlh);

    if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*m))
        return;
    bool up = nlh->nlmsg_type == RTM_NEWLINK && (m->ifi_flags & IFF_RUNNING);
    c->kind = up ? CHANGE_LINK_UP : CHANGE_LINK_DOWN;
    c->index = (unsigned)m->ifi_index;
    mnl_attr_parse(nlh, sizeof(*m), take_name, c);
}

static void address_change(struct host_change *c, const struct nlmsghdr *nlh)
{
    const struct ifaddrmsg *m = mnl_nlmsg_get_payload(nlh);

    if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*m) ||
        (m->ifa_family != AF_INET && m->ifa_family != AF_INET6))
        return;
    c->address.family = m->ifa_family == AF_INET6 ? 6 : 4;
    c->index = m->ifa_index;
    mnl_attr_parse(nlh, sizeof(*m), take_address, c);
    c->kind = nlh->nlmsg_type == RTM_NEWADDR ? CHANGE_ADDRESS_NEW : CHANGE_ADDRESS_GONE;
}

/* Of routes only the default ones: the kernel tells each neighbour's too. */
static void route_change(struct host_change *c, const struct nlmsghdr *nlh)
{
    const struct rtmsg *m = mnl_nlmsg_get_payload(nlh);

    if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*m) || m->rtm_dst_len || m->rtm_type != RTN_UNICAST)
        return;
    c->kind = nlh->nlmsg_type == RTM_NEWROUTE ? CHANGE_ROUTE_NEW : CHANGE_ROUTE_GONE;
}

bool host_change_parse(struct host_change *c, const struct nlmsghdr *nlh)
{
    memset(c, 0, sizeof(*c));
    switch (nlh->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: link_change(c, nlh); break;
    case RTM_NEWADDR:
    case RTM_DELADDR: address_change(c, nlh); break;
    case RTM_NEWROUTE:
    case RTM_DELROUTE: route_change(c, nlh); break;
    default: break;
    }
    return c->kind != CHANGE_NONE;
}
