/* The sockets of shots: their options before and after connect(), and what they tell at the end. */
#include "experiment/flight.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TCP_STATE_SYN_SENT 2
#define TCP_STATE_CLOSE 7 /* netinet/tcp.h, which does not go with linux/tcp.h */

static int set_int(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

void flight_set_ttl(struct flight *f, uint8_t ttl)
{
    int value = ttl ? ttl : -1; /* -1: the system's default (ip(7), ipv6(7)) */

    if (f->s && f->s->plan.to.family == 6)
        set_int(f->fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, value);
    else
        set_int(f->fd, IPPROTO_IP, IP_TTL, value);
}

void flight_set_keepalive(struct flight *f, int seconds)
{
    set_int(f->fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_int(f->fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
    set_int(f->fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds);
}

static int set_min_ttl(struct flight *f, uint8_t ttl)
{
    return f->s->plan.to.family == 6 ? set_int(f->fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, ttl)
                                     : set_int(f->fd, IPPROTO_IP, IP_MINTTL, ttl);
}

void flight_connected(struct flight *f)
{
    const struct shot_plan *p = &f->s->plan;

    if (p->ttl_syn)
        flight_set_ttl(f, 0);
    if (p->min_ttl_data)
        set_min_ttl(f, p->min_ttl_data);
    if (p->keepalive && !p->idle)
        flight_set_keepalive(f, p->keepalive);
    flight_take_info(f);
}

int flight_bind_source(struct flight *f)
{
    const struct shot_plan *p = &f->s->plan;
    struct sockaddr_storage ss;
    struct addr any = {.family = p->to.family}, from;

    if (p->source && addr_parse(p->source, &from) == 0)
        any = from;
    else if (p->source && setsockopt(f->fd, SOL_SOCKET, SO_BINDTODEVICE, p->source,
                                     (socklen_t)strlen(p->source)))
        return -errno;
    if (any.family != p->to.family)
        return -EAFNOSUPPORT;
    if (!p->source_port && !(p->source && addr_parse(p->source, &from) == 0))
        return 0;
    if (p->source_port)
        set_int(f->fd, SOL_SOCKET, SO_REUSEADDR, 1);
    else
        set_int(f->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    size_t len = addr_to_sockaddr(&any, p->source_port, &ss);
    return bind(f->fd, (struct sockaddr *)&ss, (socklen_t)len) < 0 ? -errno : 0;
}

static int set_options(struct flight *f)
{
    const struct shot_plan *p = &f->s->plan;
    bool v6 = p->to.family == 6;
    int rc = v6 ? set_int(f->fd, IPPROTO_IPV6, IPV6_RECVERR, 1)
                : set_int(f->fd, IPPROTO_IP, IP_RECVERR, 1);

    set_int(f->fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (!rc && p->ttl_syn)
        flight_set_ttl(f, p->ttl_syn);
    if (!rc && p->min_ttl)
        rc = set_min_ttl(f, p->min_ttl);
    if (!rc && p->max_segment)
        rc = set_int(f->fd, IPPROTO_TCP, TCP_MAXSEG, p->max_segment);
    return rc ? rc : flight_bind_source(f);
}

static bool get_info(const struct flight *f, struct tcp_info *i)
{
    socklen_t len = sizeof(*i);

    memset(i, 0, sizeof(*i));
    return getsockopt(f->fd, IPPROTO_TCP, TCP_INFO, i, &len) == 0;
}

int flight_open(struct flight *f)
{
    const struct shot_plan *p = &f->s->plan;
    struct sockaddr_storage ss;

    f->fd = socket(p->to.family == 6 ? AF_INET6 : AF_INET,
                   SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (f->fd < 0)
        return -errno;
    int rc = set_options(f);
    if (rc)
        return rc;
    size_t len = addr_to_sockaddr(&p->to, p->port, &ss);
    rc = connect(f->fd, (struct sockaddr *)&ss, (socklen_t)len) < 0 ? -errno : 0;
    rc = rc == -EINPROGRESS ? 0 : rc;
    if (!rc && p->ttl_ack) { /* the SYN is out, what answers the SYN-ACK must not be yet */
        struct tcp_info i;
        flight_set_ttl(f, p->ttl_ack);
        rc = get_info(f, &i) && i.tcpi_state == TCP_STATE_SYN_SENT ? 0 : -EALREADY;
    }
    return rc;
}

bool flight_dead(const struct flight *f)
{
    struct tcp_info i;

    return !get_info(f, &i) || i.tcpi_state == TCP_STATE_CLOSE;
}

/* sent - retransmitted - acknowledged holds after a reset too, where tcpi_unacked is 0 already; the
 * 1 is our SYN (causes.md 0.3). */
static uint64_t unacked_of(const struct tcp_info *i)
{
    uint64_t sent = i->tcpi_bytes_sent - i->tcpi_bytes_retrans;
    uint64_t acked = i->tcpi_bytes_acked ? i->tcpi_bytes_acked - 1 : 0;

    return sent > acked ? sent - acked : 0;
}

uint32_t flight_unacked(const struct flight *f)
{
    struct tcp_info i;
    int queued = 0;

    if (ioctl(f->fd, SIOCOUTQ, &queued) == 0 && queued > 0)
        return (uint32_t)queued;
    return get_info(f, &i) ? (uint32_t)unacked_of(&i) : 0;
}

void flight_take_info(struct flight *f)
{
    struct shot *s = f->s;
    struct tcp_info i;

    if (f->fd < 0 || !get_info(f, &i))
        return;
    s->sent = i.tcpi_bytes_sent - i.tcpi_bytes_retrans;
    s->unacked = unacked_of(&i);
    s->got = MAX_OF(s->got, i.tcpi_bytes_received);
    s->silent = (nstime)MIN_OF(i.tcpi_last_data_sent, i.tcpi_last_data_recv) * NS_PER_MS;
    s->mss = (int)i.tcpi_snd_mss;
    s->pmtu = (int)i.tcpi_pmtu;
    if (i.tcpi_min_rtt && i.tcpi_min_rtt != UINT32_MAX)
        s->rtt = (nstime)i.tcpi_min_rtt * NS_PER_US;
}

static void read_one(struct shot *s, struct msghdr *m)
{
    uint16_t port;

    for (struct cmsghdr *cm = CMSG_FIRSTHDR(m); cm; cm = CMSG_NXTHDR(m, cm)) {
        bool ours = (cm->cmsg_level == SOL_IP && cm->cmsg_type == IP_RECVERR) ||
                    (cm->cmsg_level == SOL_IPV6 && cm->cmsg_type == IPV6_RECVERR);
        struct sock_extended_err *ee = (struct sock_extended_err *)(void *)CMSG_DATA(cm);
        if (!ours || cm->cmsg_len < CMSG_LEN(sizeof(*ee)) || s->icmp ||
            (ee->ee_origin != SO_EE_ORIGIN_ICMP && ee->ee_origin != SO_EE_ORIGIN_ICMP6))
            continue;
        s->icmp = true;
        s->icmp_type = ee->ee_type;
        s->icmp_code = ee->ee_code;
        addr_from_sockaddr(SO_EE_OFFENDER(ee), &s->icmp_from, &port);
    }
}

void flight_read_icmp(struct flight *f)
{
    for (int i = 0; i < 16; i++) { /* a flood of them must not keep us here */
        _Alignas(struct cmsghdr) char control[512];
        char data[64];
        struct iovec iov = {data, sizeof(data)};
        struct msghdr m = {.msg_iov = &iov,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof(control)};
        if (recvmsg(f->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            return;
        read_one(f->s, &m);
    }
}

/* The value under `name` in a table of two lines, names and numbers ("Icmp: InMsgs ..."), or in one
 * of "name value" lines (snmp6). */
static int64_t counter_of(const char *text, const char *table, const char *name)
{
    const char *numbers, *n = NULL, *v = NULL;
    size_t len = strlen(table);

    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, table, len) != 0)
            continue;
        numbers = strchr(line, '\n');
        if (!numbers || strncmp(++numbers, table, len) != 0)
            return -1;
        n = line;
        v = numbers;
        break;
    }
    for (; n && v; n++, v++) {
        size_t have = strcspn(n, " \n");
        if (have == strlen(name) && strncmp(n, name, have) == 0)
            return strtoll(v, NULL, 10);
        n += have;
        v += strcspn(v, " \n");
        if (*n != ' ' || *v != ' ')
            return -1;
    }
    return -1;
}

static bool read_text(const char *path, char *out, size_t outlen)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, outlen - 1);

    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = 0;
    return n > 0;
}

int64_t flight_expired(int family)
{
    static const char v6[] = "Icmp6InTimeExcds";
    char text[8192];

    if (!read_text(family == 6 ? "/proc/net/snmp6" : "/proc/net/snmp", text, sizeof(text)))
        return -1;
    if (family != 6)
        return counter_of(text, "Icmp:", "InTimeExcds");
    char *at = strstr(text, v6);
    return at ? strtoll(at + sizeof(v6) - 1, NULL, 10) : -1;
}

void flight_reset_on_close(struct flight *f)
{
    struct linger l = {.l_onoff = 1, .l_linger = 0};

    setsockopt(f->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

bool flight_learn(struct flight *f, struct flow_key *flow)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);

    *flow = (struct flow_key){.dst = f->s->plan.to, .dport = f->s->plan.port};
    if (getsockname(f->fd, (struct sockaddr *)&ss, &len) < 0)
        return false;
    addr_from_sockaddr((struct sockaddr *)&ss, &flow->src, &flow->sport);
    f->s->local_port = flow->sport;
    return flow->sport != 0;
}
