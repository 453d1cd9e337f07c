#include "host/source.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#define REPLY_MAX ((size_t)64 * 1024)
#define REPLIES   256 /* of a kernel that filters by port: a few listeners, however many sockets */

/* How well a listening socket fits: the kernel prefers the more specific one. */
enum fit { FIT_NONE, FIT_DUAL, FIT_WILDCARD, FIT_EXACT };

struct search {
    struct listener *out;
    const struct addr *addr;
    uint16_t port;
    enum fit best;
};

static bool all_zero(const uint8_t *b, size_t n)
{
    while (n > 0 && b[n - 1] == 0)
        n--;
    return n == 0;
}

static int take_v6only(const struct nlattr *attr, void *data)
{
    if (mnl_attr_get_type(attr) == INET_DIAG_SKV6ONLY && mnl_attr_get_payload_len(attr) >= 1)
        *(bool *)data = mnl_attr_get_u8(attr) != 0;
    return MNL_CB_OK;
}

static enum fit fit_v6(const struct addr *want, const uint8_t bound[16], bool v6only)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    if (want->family == 6) {
        if (memcmp(bound, want->b, 16) == 0)
            return FIT_EXACT;
        return all_zero(bound, 16) ? FIT_WILDCARD : FIT_NONE;
    }
    if (v6only)
        return FIT_NONE;
    /* A v6 socket serves v4 as ::ffff:a.b.c.d (RFC 4291 2.5.5.2). */
    if (memcmp(bound, mapped, sizeof mapped) == 0 && memcmp(bound + 12, want->b, 4) == 0)
        return FIT_EXACT;
    return all_zero(bound, 16) ? FIT_DUAL : FIT_NONE;
}

static enum fit fit_of(const struct search *s, const struct nlmsghdr *nlh,
                       const struct inet_diag_msg *m)
{
    const uint8_t *bound = (const uint8_t *)m->id.idiag_src;
    bool v6only = false;

    if (m->idiag_family == AF_INET6) {
        mnl_attr_parse(nlh, sizeof(*m), take_v6only, &v6only);
        return fit_v6(s->addr, bound, v6only);
    }
    if (m->idiag_family != AF_INET || s->addr->family != 4)
        return FIT_NONE;
    if (memcmp(bound, s->addr->b, 4) == 0)
        return FIT_EXACT;
    return all_zero(bound, 4) ? FIT_WILDCARD : FIT_NONE;
}

/* Of several equal ones (SO_REUSEPORT) the fullest is told: connections meet it too. */
static int on_socket(const struct nlmsghdr *nlh, void *data)
{
    struct search *s = data;
    const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);

    if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*m))
        return MNL_CB_OK;
    if (m->idiag_state != TCP_LISTEN || ntohs(m->id.idiag_sport) != s->port)
        return MNL_CB_OK;
    enum fit fit = fit_of(s, nlh, m);
    if (fit == FIT_NONE || fit < s->best)
        return MNL_CB_OK;
    /* Of a listener rqueue is its accept queue and wqueue the backlog (inet_diag.c). */
    bool fuller = m->idiag_rqueue > s->out->waiting;
    if (fit > s->best || !s->out->found || fuller)
        *s->out = (struct listener){true, m->idiag_rqueue, m->idiag_wqueue};
    s->best = fit;
    return MNL_CB_OK;
}

/* port 0: of every listener. */
static int send_request(struct mnl_socket *nl, uint8_t family, uint16_t port)
{
    char buf[256];
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

    nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    nlh->nlmsg_seq = family;
    struct inet_diag_req_v2 *req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));
    req->sdiag_family = family;
    req->sdiag_protocol = IPPROTO_TCP;
    req->idiag_states = 1U << TCP_LISTEN;
    req->id.idiag_sport = htons(port);
    return mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0 ? -errno : 0;
}

static int dump(struct mnl_socket *nl, uint8_t family, uint16_t port, mnl_cb_t each, void *arg,
                char *buf)
{
    int err = send_request(nl, family, port);

    for (int i = 0; err == 0 && i < REPLIES; i++) {
        ssize_t n = mnl_socket_recvfrom(nl, buf, REPLY_MAX);
        if (n < 0)
            return -errno;
        int r = mnl_cb_run(buf, (size_t)n, family, mnl_socket_get_portid(nl), each, arg);
        if (r < 0)
            return -errno;
        if (r == MNL_CB_STOP)
            return 0;
    }
    return err;
}

int listeners_dump(uint16_t port, bool v4, mnl_cb_t each, void *arg)
{
    /* The kernel answers a dump at once; a console never hangs on it. */
    const struct timeval patience = {.tv_usec = 200000};
    struct mnl_socket *nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
    char *buf = malloc(REPLY_MAX);
    int err = !nl ? -errno : !buf ? -ENOMEM : 0;

    if (!err && (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
                 setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &patience,
                            sizeof(patience)) < 0))
        err = -errno;
    if (!err && v4)
        err = dump(nl, AF_INET, port, each, arg, buf);
    if (!err) {
        err = dump(nl, AF_INET6, port, each, arg, buf);
        if (err == -ENOENT || err == -EAFNOSUPPORT) /* a kernel without IPv6 */
            err = 0;
    }
    free(buf);
    if (nl)
        mnl_socket_close(nl);
    return err;
}

int host_listener(struct listener *out, const struct addr *addr, uint16_t port)
{
    struct search s = {.out = out, .addr = addr, .port = port};

    *out = (struct listener){0};
    if (addr->family != 4 && addr->family != 6)
        return -EINVAL;
    return listeners_dump(port, addr->family == 4, on_socket, &s);
}
