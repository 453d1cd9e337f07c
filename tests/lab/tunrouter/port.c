/* port.c: the ends of a line: a TUN device, or an Ethernet interface by packet socket (a user of a
 * namespace of their own may open the latter where /dev/net/tun is root's alone). */
#include "tunrouter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <arpa/inet.h>

/* "NAME[@NETNS]" taken apart; name holds IFNAMSIZ. The namespace is entered; *home is where we
 * were, -1: nowhere else. */
static int enter(const char *spec, char *name, int *home)
{
    const char *at = strchr(spec, '@');
    size_t n = at ? (size_t)(at - spec) : strlen(spec);
    char path[256];

    *home = -1;
    if (!n || n >= IFNAMSIZ)
        return -EINVAL;
    memcpy(name, spec, n);
    name[n] = '\0';
    if (!at)
        return 0;
    snprintf(path, sizeof(path), at[1] == '/' ? "%s" : "/proc/%s/ns/net", at + 1);
    int there = open(path, O_RDONLY | O_CLOEXEC);
    if (there < 0)
        return -errno;
    *home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int err = *home < 0 || setns(there, CLONE_NEWNET) ? -errno : 0;
    close(there);
    return err;
}

static int leave(int home, int err)
{
    if (home < 0)
        return err;
    if (setns(home, CLONE_NEWNET) && !err)
        err = -errno;
    close(home);
    return err;
}

static int open_tun(struct port *p)
{
    struct ifreq req = {.ifr_flags = IFF_TUN | IFF_NO_PI};

    p->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (p->fd < 0)
        return -errno;
    snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", p->name);
    return ioctl(p->fd, TUNSETIFF, &req) ? -errno : 0;
}

static int open_ethernet(struct port *p)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int one = 1, room = 1 << 22;

    p->ethernet = true;
    to.sll_ifindex = (int)if_nametoindex(p->name);
    if (!to.sll_ifindex)
        return -errno;
    p->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (p->fd < 0 || setsockopt(p->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)))
        return -errno;
    setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)); /* as far as it is allowed */
    return bind(p->fd, (struct sockaddr *)&to, sizeof(to)) ? -errno : 0;
}

int port_open(struct port *p, const char *spec)
{
    bool ethernet = !strncmp(spec, "eth:", 4), tun = !strncmp(spec, "tun:", 4);
    int home;

    *p = (struct port){.fd = -1};
    int err = enter(spec + (ethernet || tun ? 4 : 0), p->name, &home);
    if (!err)
        err = ethernet ? open_ethernet(p) : open_tun(p);
    err = leave(home, err);
    if (err)
        port_close(p);
    return err;
}

void port_close(struct port *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

/* The last frame of other protocols, to be handed on as it is. */
static uint8_t other_frame[RAW_MAX];
static size_t other_len;

ssize_t port_read(struct port *p, uint8_t *ip, size_t size)
{
    static uint8_t frame[RAW_MAX];
    ssize_t n;

    other_len = 0;
    if (!p->ethernet) {
        n = read(p->fd, ip, size);
        return n < 0 ? -errno : n;
    }
    n = recv(p->fd, frame, sizeof(frame), 0);
    if (n < 0)
        return -errno;
    if (n < 14)
        return 0;
    uint16_t type = (uint16_t)(frame[12] << 8 | frame[13]);
    /* Neighbour discovery stays Ethernet: its hop limit of 255 must not be spent. */
    bool neighbour = type == ETH_P_IPV6 && n >= 14 + 41 && frame[14 + 6] == 58 &&
                     frame[14 + 7] == 255 && frame[14 + 40] >= 133 && frame[14 + 40] <= 137;
    bool many = frame[0] & 1;
    if ((type != ETH_P_IP && type != ETH_P_IPV6) || neighbour || many) {
        if (!p->knows_frame) { /* who asks or answers there is who we shall send to */
            memcpy(p->frame, frame + 6, 6);
            memcpy(p->frame + 6, "\x02\0\0\0\0\1", 6);
            p->knows_frame = true;
        }
        other_len = (size_t)n;
        memcpy(other_frame, frame, other_len);
        return 0;
    }
    /* What we send out of this port goes back to who sent this, in the name of its neighbour. */
    memcpy(p->frame, frame + 6, 6);
    memcpy(p->frame + 6, frame, 6);
    p->knows_frame = true;
    size_t len = MIN_OF((size_t)n - 14, size);
    memcpy(ip, frame + 14, len);
    /* Short frames are filled up: the length is the IP header's. */
    size_t say =
        type == ETH_P_IP ? (size_t)(ip[2] << 8 | ip[3]) : (size_t)(ip[4] << 8 | ip[5]) + 40;
    return (ssize_t)(len >= 20 && say && say < len ? say : len);
}

int port_pass_frame(struct port *from, struct port *to)
{
    if (!other_len || !from->ethernet || !to->ethernet)
        return 0;
    return send(to->fd, other_frame, other_len, MSG_DONTWAIT) < 0 ? -errno : 0;
}

int port_write(struct port *p, const uint8_t *ip, size_t len)
{
    uint8_t frame[RAW_MAX + 14];

    if (!p->ethernet)
        return write(p->fd, ip, len) < 0 ? -errno : 0;
    if (!p->knows_frame)
        return -EDESTADDRREQ;
    memcpy(frame, p->frame, 12);
    frame[12] = ip[0] >> 4 == 4 ? 0x08 : 0x86;
    frame[13] = ip[0] >> 4 == 4 ? 0x00 : 0xdd;
    memcpy(frame + 14, ip, len);
    return send(p->fd, frame, len + 14, MSG_DONTWAIT) < 0 ? -errno : 0;
}

int port_plain(const char *spec)
{
    static const uint32_t off[] = {ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO};
    char name[IFNAMSIZ];
    int home, fd = -1;
    int err = enter(spec, name, &home);

    if (!err && (fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
        err = -errno;
    for (size_t i = 0; !err && i < ARRAY_SIZE(off); i++) {
        struct ethtool_value v = {.cmd = off[i]};
        struct ifreq req = {.ifr_data = (void *)&v};
        snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
        if (ioctl(fd, SIOCETHTOOL, &req) && errno != EOPNOTSUPP)
            err = -errno;
    }
    if (fd >= 0)
        close(fd);
    return leave(home, err);
}
