/*
 * A SYN of our own making, with only the options that are asked for: no socket option leaves out
 * timestamps, SACK or window scaling. The kernel knows nothing of it and resets what answers, so
 * the connection never stands. Needs CAP_NET_RAW; the port is held by a socket bound to it.
 */
#include "experiment/flight.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_LEN   20
#define WINDOW     64240
#define ANSWERS    16 /* read at once */
#define FLAG_SYN   0x02
#define FLAG_RST   0x04
#define FLAG_ACK   0x10
#define FLAG_ECN   0xc0 /* ECE and CWR: RFC 3168 6.1.1 */
#define MSS_COMMON 1440 /* fits IPv6 in Ethernet too */

bool experiment_raw(void)
{
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void put16(uint8_t *at, uint32_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static void put32(uint8_t *at, uint32_t v)
{
    put16(at, v >> 16);
    put16(at + 2, v);
}

static void add(struct rawsyn *r, const uint8_t *option, size_t len)
{
    memcpy(r->segment + r->len, option, len);
    r->len += len;
}

/* RFC 9293 3.2 (MSS), 2018 (SACK), 7323 (timestamps, window scale); padded to words. */
static void add_options(struct rawsyn *r, unsigned with, uint32_t stamp)
{
    static const uint8_t sack[] = {1, 1, 4, 2}, scale[] = {1, 3, 3, 7};
    uint8_t mss[] = {2, 4, MSS_COMMON >> 8, MSS_COMMON & 0xff};
    uint8_t stamps[12] = {1, 1, 8, 10};

    put32(stamps + 4, stamp);
    add(r, mss, sizeof(mss));
    if (with & SYN_WITH_SACK)
        add(r, sack, sizeof(sack));
    if (with & SYN_WITH_STAMPS)
        add(r, stamps, sizeof(stamps));
    if (with & SYN_WITH_SCALE)
        add(r, scale, sizeof(scale));
}

static void build(struct rawsyn *r, const struct shot_plan *p, const struct addr *from)
{
    size_t n = from->family == 6 ? 16 : 4;
    uint8_t pseudo[36];

    memset(r->segment, 0, sizeof(r->segment));
    put16(r->segment, r->port);
    put16(r->segment + 2, p->port);
    put32(r->segment + 4, r->seq);
    r->segment[13] = FLAG_SYN | (p->syn_with & SYN_WITH_ECN ? FLAG_ECN : 0);
    put16(r->segment + 14, WINDOW);
    r->len = HEAD_LEN;
    add_options(r, p->syn_with, r->seq);
    r->segment[12] = (uint8_t)(r->len / 4 << 4);
    memcpy(pseudo, from->b, n);
    memcpy(pseudo + n, p->to.b, n);
    put16(pseudo + 2 * n, IPPROTO_TCP);
    put16(pseudo + 2 * n + 2, (uint32_t)r->len);
    uint32_t sum = inet_checksum(0, pseudo, 2 * n + 4);
    put16(r->segment + 16, (uint16_t)~inet_checksum(sum, r->segment, r->len));
}

/* Only what goes to our port: the socket would hear all TCP of this host. Raw IPv4 comes with its
 * header, raw IPv6 without. */
static int listen_to(int fd, int family, uint16_t port)
{
    struct sock_filter v4[] = {
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 256),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_filter v6[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 2),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 256),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog prog = {family == 6 ? ARRAY_SIZE(v6) : ARRAY_SIZE(v4), family == 6 ? v6 : v4};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0 ? -errno : 0;
}

/* A port nobody else gets while the SYN is on its way. */
static int hold_port(struct rawsyn *r, const struct addr *from)
{
    struct sockaddr_storage ss;
    socklen_t len = (socklen_t)addr_to_sockaddr(from, 0, &ss);
    struct addr own;

    r->holder = socket(from->family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (r->holder < 0 || bind(r->holder, (struct sockaddr *)&ss, len) < 0)
        return -errno;
    len = sizeof(ss);
    if (getsockname(r->holder, (struct sockaddr *)&ss, &len) < 0)
        return -errno;
    addr_from_sockaddr((struct sockaddr *)&ss, &own, &r->port);
    return 0;
}

int rawsyn_open(struct flight *f)
{
    const struct shot_plan *p = &f->s->plan;
    struct rawsyn *r = &f->raw;
    struct sockaddr_storage ss;
    struct addr from;
    uint16_t port;

    f->fd = socket(p->to.family == 6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                   IPPROTO_TCP);
    if (f->fd < 0)
        return -errno;
    int rc = flight_bind_source(f);
    socklen_t len = (socklen_t)addr_to_sockaddr(&p->to, 0, &ss);
    if (rc)
        return rc;
    if (connect(f->fd, (struct sockaddr *)&ss, len) < 0)
        return -errno;
    len = sizeof(ss);
    if (getsockname(f->fd, (struct sockaddr *)&ss, &len) < 0)
        return -errno;
    addr_from_sockaddr((struct sockaddr *)&ss, &from, &port);
    rc = hold_port(r, &from);
    rc = rc ? rc : listen_to(f->fd, from.family, r->port);
    if (rc)
        return rc;
    f->s->local_port = r->port;
    r->seq = (uint32_t)hash_bytes((uint64_t)f->s->began, &r->port, sizeof(r->port));
    build(r, p, &from);
    return rawsyn_send(f);
}

int rawsyn_send(struct flight *f)
{
    ssize_t n = send(f->fd, f->raw.segment, f->raw.len, MSG_DONTWAIT | MSG_NOSIGNAL);

    return n == (ssize_t)f->raw.len ? 0 : n < 0 ? -errno : -EIO;
}

static enum shot_end end_of(const struct flight *f, const uint8_t *data, size_t len)
{
    struct cursor c = cursor_of(data, len);

    if (f->s->plan.to.family != 6)
        cur_take(&c, (size_t)(len ? (data[0] & 15) * 4 : 0));
    uint16_t sport = cur_be16(&c), dport = cur_be16(&c);
    cur_be32(&c);
    uint32_t ack = cur_be32(&c);
    cur_u8(&c);
    uint8_t flags = cur_u8(&c);
    if (c.bad || sport != f->s->plan.port || dport != f->raw.port || !(flags & FLAG_ACK) ||
        ack != f->raw.seq + 1)
        return SHOT_OPEN;
    return flags & FLAG_RST ? SHOT_REFUSED : flags & FLAG_SYN ? SHOT_OK : SHOT_OPEN;
}

enum shot_end rawsyn_read(struct flight *f, int *err)
{
    uint8_t data[256];

    for (int i = 0; i < ANSWERS; i++) {
        ssize_t n = recv(f->fd, data, sizeof(data), MSG_DONTWAIT);
        *err = n < 0 ? errno : 0;
        if (n < 0)
            return *err == EAGAIN || *err == EINTR ? SHOT_OPEN : SHOT_UNREACHABLE;
        enum shot_end e = end_of(f, data, (size_t)n);
        if (e != SHOT_OPEN)
            return e;
    }
    return SHOT_OPEN;
}
