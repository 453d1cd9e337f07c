/* What a sock_diag message tells of one TCP socket; pure, so that it can be fuzzed. */
#ifndef HOST_SOCKDIAG_H
#define HOST_SOCKDIAG_H

#include "host/host.h"

#define HOST_HELPER "rstconsole-host"

struct nlmsghdr;

/* net/tcp_states.h: no header for programs has them beside the long struct tcp_info. */
enum sock_state {
    SOCK_ESTABLISHED = 1,
    SOCK_SYN_SENT,
    SOCK_SYN_RECV,
    SOCK_FIN_WAIT1,
    SOCK_FIN_WAIT2,
    SOCK_TIME_WAIT,
    SOCK_CLOSE,
    SOCK_CLOSE_WAIT,
    SOCK_LAST_ACK,
    SOCK_LISTEN,
    SOCK_CLOSING,
    SOCK_NEW_SYN_RECV,
};

struct sock_seen {
    uint64_t cookie, cgroup_id; /* 0: not told */
    struct addr src, dst;       /* family 0: the kernel does not know it any more */
    uint16_t sport, dport;
    uint8_t state;
    uint32_t uid, inode, rqueue;
    bool info;                           /* what follows was told */
    uint64_t sent, acked, received;      /* acked counts the SYN of a client and a FIN */
    uint32_t rtt, min_rtt;               /* microseconds; 0: never measured */
    uint32_t since_sent, since_received; /* milliseconds */
    uint32_t retransmits, probes, segs_in, segs_out;
    uint32_t unacked; /* segments on the way */
};
/* 0, or -EINVAL for what is no message of a TCP socket. */
int sock_seen_parse(struct sock_seen *out, const struct nlmsghdr *nlh);

/* One request to a NETLINK_SOCK_DIAG socket: all sockets of a family but those in TIME_WAIT. */
int sock_dump_request(int fd, uint8_t family, uint32_t seq);

/* Which process holds which socket: /proc is walked piece by piece. */
struct owners;
struct owners *owners_new(void);
void owners_free(struct owners *o);
/* Looks for `inode`; queued when not known: a walk that began after this call answers it. */
bool owners_find(struct owners *o, uint32_t inode, struct host_owner *out);
void owners_want(struct owners *o);
/* The helper said so. */
void owners_told(struct owners *o, uint32_t inode, pid_t pid);
/* Sockets that were looked for and not found yet, each once. */
size_t owners_unknown(struct owners *o, uint32_t *inodes, size_t max);
struct host_privileged;
/* NULL: nobody wants them any more. */
void privileged_serve_owners(struct host_privileged *p, struct owners *o);
void host_cgroup_by_id(char *out, size_t outlen, uint64_t id); /* "": not found */
void owners_work(struct owners *o, nstime until);              /* loop_clock() */

#endif
