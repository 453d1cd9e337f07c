/* What a socket tells, read in the order in which nothing is lost. */
#include "probe/internal.h"
#include <errno.h>
#include <ifaddrs.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define DRAIN_MAX ((uint64_t)256 << 10)

int sock_error(int fd)
{
    int err = 0;
    socklen_t len = sizeof(err);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0 ? errno : err;
}

void sock_latch(struct sockview *v, int err)
{
    /* ENOTCONN: the error was read already, by whoever holds the socket. */
    if (!v->err && err != ENOTCONN)
        v->err = err;
}

/* Once an error was read, recv() gives 0 as well: only without one is it a FIN. */
void sock_eof(struct sockview *v)
{
    if (!v->err || v->err == EPIPE)
        v->eof = true;
}

static int bind_address(int fd, const struct addr *a, uint16_t port)
{
    struct sockaddr_storage ss;
    int one = 1;
    /* The port is chosen at connect(): a source address alone must not use up a port. */
    setsockopt(fd, port ? SOL_SOCKET : IPPROTO_IP, port ? SO_REUSEADDR : IP_BIND_ADDRESS_NO_PORT,
               &one, sizeof(one));
    size_t len = addr_to_sockaddr(a, port, &ss);
    return bind(fd, (struct sockaddr *)&ss, (socklen_t)len) < 0 ? -errno : 0;
}

static int bind_source(int fd, const struct addr *to, const char *source, uint16_t port)
{
    struct addr a = {.family = to->family};
    if (source && addr_parse(source, &a) == 0)
        return a.family == to->family ? bind_address(fd, &a, port) : -EAFNOSUPPORT;
    a = (struct addr){.family = to->family};
    if (source && !if_nametoindex(source))
        return -ENODEV;
    if (source &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, source, (socklen_t)strlen(source)) < 0)
        return -errno;
    return port ? bind_address(fd, &a, port) : 0;
}

static int set_number(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

int sock_set_ttl(int fd, int family, int ttl)
{
    return family == 4 ? set_number(fd, IPPROTO_IP, IP_TTL, ttl)
                       : set_number(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl);
}

/* What experiments vary. */
static int set_variant(int fd, int family, const struct target_options *o)
{
    int rc = o->ttl ? sock_set_ttl(fd, family, o->ttl) : 0;
    if (rc == 0 && o->min_ttl)
        rc = family == 4 ? set_number(fd, IPPROTO_IP, IP_MINTTL, o->min_ttl)
                         : set_number(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, o->min_ttl);
    if (rc == 0 && o->mss)
        rc = set_number(fd, IPPROTO_TCP, TCP_MAXSEG, o->mss);
    return rc;
}

int sock_open(const struct addr *a, const struct target_options *o, int *out, const char **what)
{
    int one = 1, rc = 0;
    *what = "socket";
    int fd = socket(a->family == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    IPPROTO_TCP);
    if (fd < 0)
        return -errno;
    /* Before connect(): the ICMP error that refused it is then kept with its sender. */
    if (a->family == 4)
        setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
    else
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (o->source || o->source_port) {
        *what = "source";
        rc = bind_source(fd, a, o->source, (uint16_t)o->source_port);
    }
    if (rc == 0) {
        *what = "setsockopt";
        rc = set_variant(fd, a->family, o);
    }
    if (rc < 0)
        close(fd);
    else
        *out = fd;
    return rc;
}

static void read_icmp(struct sockview *v, struct msghdr *m)
{
    for (struct cmsghdr *cm = CMSG_FIRSTHDR(m); cm; cm = CMSG_NXTHDR(m, cm)) {
        bool v4 = cm->cmsg_level == SOL_IP && cm->cmsg_type == IP_RECVERR;
        bool v6 = cm->cmsg_level == SOL_IPV6 && cm->cmsg_type == IPV6_RECVERR;
        struct sock_extended_err *ee = (struct sock_extended_err *)(void *)CMSG_DATA(cm);
        if ((!v4 && !v6) || v->icmp_seen || cm->cmsg_len < CMSG_LEN(sizeof(*ee)))
            continue;
        if (ee->ee_origin != SO_EE_ORIGIN_ICMP && ee->ee_origin != SO_EE_ORIGIN_ICMP6)
            continue;
        v->icmp_seen = true;
        v->icmp_v6 = ee->ee_origin == SO_EE_ORIGIN_ICMP6;
        v->icmp_type = ee->ee_type;
        v->icmp_code = ee->ee_code;
        uint16_t port;
        addr_from_sockaddr(SO_EE_OFFENDER(ee), &v->icmp_from, &port);
    }
}

static void read_error_queue(struct sockview *v, int fd)
{
    for (int i = 0; i < 16; i++) { /* an ICMP flood must not keep us here */
        _Alignas(struct cmsghdr) char control[512];
        char data[64];
        struct iovec iov = {data, sizeof(data)};
        struct msghdr m = {.msg_iov = &iov,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof(control)};
        if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
            v->queue_read = errno == EAGAIN || errno == EWOULDBLOCK;
            return;
        }
        read_icmp(v, &m);
    }
    v->queue_read = true;
}

/* Bytes that came before a RST stay readable on Linux: a 413 is read after send() failed. */
static void drain(struct chain *c)
{
    uint8_t buf[16384];
    while (c->sv.unread < DRAIN_MAX && !c->sv.eof) {
        ssize_t n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);
        if (n < 0) {
            if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
                sock_latch(&c->sv, errno);
            return;
        }
        if (n == 0) {
            sock_eof(&c->sv);
            return;
        }
        if (!c->peeked) /* what was peeked at is still in the queue */
            chain_keep_first(c, buf, (size_t)n);
        c->sv.unread += (uint64_t)n;
    }
}

void chain_take(struct chain *c)
{
    struct sockview *v = &c->sv;
    if (v->taken || c->fd < 0)
        return;
    v->taken = true;
    if (c->connected != NSTIME_NONE)
        drain(c);
    read_error_queue(v, c->fd);
    v->info_len = sizeof(v->info);
    v->info_known = getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &v->info, &v->info_len) == 0;
    if (ioctl(c->fd, SIOCOUTQ, &v->outq) < 0)
        v->outq = -1;
    /* Of a tap that resets and a router that reports, both speak: the second one is kept too. */
    int err = sock_error(c->fd);
    if (err != v->err)
        v->late_err = err;
}

#define INFO_HAS(v, member)                                                                        \
    ((v)->info_len >= offsetof(struct tcp_info, member) + sizeof((v)->info.member))

/* unacked = bytes_sent - bytes_retrans - (bytes_acked - 1): still there after the reset, where
 * tcpi_unacked is 0 already. The 1 is our SYN. */
static void put_bytes(struct result *r, const struct sockview *v)
{
    const struct tcp_info *i = &v->info;
    if (!INFO_HAS(v, tcpi_bytes_retrans))
        return;
    int64_t sent = (int64_t)(i->tcpi_bytes_sent - i->tcpi_bytes_retrans);
    int64_t acked = i->tcpi_bytes_acked ? (int64_t)i->tcpi_bytes_acked - 1 : 0;
    if (acked > sent) /* our FIN is acknowledged too */
        acked = sent;
    result_set(r, "bytes_sent", v_int(sent));
    result_set(r, "bytes_acked", v_int(acked));
    result_set(r, "unacked", v_int(sent - acked));
    /* tcpi_bytes_received counts the peer's FIN as a byte. */
    int64_t got = (int64_t)i->tcpi_bytes_received;
    result_set(r, "bytes_received", v_int(got && v->eof ? got - 1 : got));
}

static void put_icmp(struct chain *c, struct result *r)
{
    const struct sockview *v = &c->sv;
    char text[96], from[ADDR_TEXT_MAX];
    if (!v->icmp_seen) {
        if (v->queue_read)
            result_set(r, "error_queue", v_text("empty"));
        return;
    }
    result_set(r, "icmp",
               v_text(icmp_text(text, sizeof(text), v->icmp_v6, v->icmp_type, v->icmp_code)));
    result_set(r, "icmp_type", v_int(v->icmp_type));
    result_set(r, "icmp_code", v_int(v->icmp_code));
    if (v->icmp_from.family)
        result_set(r, "icmp_from", v_text(addr_text(from, &v->icmp_from)));
}

static void put_path(struct result *r, const struct sockview *v)
{
    const struct tcp_info *i = &v->info;
    if (i->tcpi_rtt)
        result_set(r, "rtt", v_span((nstime)i->tcpi_rtt * NS_PER_US));
    if (INFO_HAS(v, tcpi_min_rtt) && i->tcpi_min_rtt && i->tcpi_min_rtt != UINT32_MAX)
        result_set(r, "min_rtt", v_span((nstime)i->tcpi_min_rtt * NS_PER_US));
    if (i->tcpi_snd_mss)
        result_set(r, "mss", v_int(i->tcpi_snd_mss));
    if (i->tcpi_pmtu)
        result_set(r, "pmtu", v_int(i->tcpi_pmtu));
    result_set(r, "retransmits", v_int((int64_t)i->tcpi_total_retrans - v->syn_retrans));
}

void chain_put_socket(struct chain *c, struct result *r)
{
    const struct sockview *v = &c->sv;
    bool stood = c->connected != NSTIME_NONE;
    if (v->info_known) {
        uint32_t repeats = stood ? v->syn_retrans : v->info.tcpi_total_retrans;
        result_set(r, "syns", v_int((int64_t)repeats + 1));
    }
    if (r->outcome == OUTCOME_FAILED || v->icmp_seen)
        put_icmp(c, r);
    if (!stood)
        return;
    if (v->info_known) {
        put_path(r, v);
        put_bytes(r, v);
    }
    if (v->outq > 0)
        result_set(r, "send_queue", v_int(v->outq));
    if (v->unread)
        result_set(r, "unread_bytes", v_int((int64_t)v->unread));
    nstime now = loop_clock();
    result_set(r, "age", v_span(now - c->connected));
    result_set(r, "silence", v_span(now - MAX_OF(c->last_at, c->connected)));
    if (v->late_err)
        result_set(r, "late_errno", v_text(errno_name(v->late_err)));
    if (v->eof)
        result_set(r, "peer_closed", v_bool(true));
}
