/*
 * host: facts of this host: /proc counters, listen queues, local addresses, and how the kernel's
 *   table of sockets says that connections ended.
 *
 * Owns: the caller owns every struct filled here.
 * Invariants: reading never fails the program: a source that is not there or not permitted says so
 *   in `available`. Counters are read on a tick (design.md 3), never per probe; a delta speaks of
 *   one event only if it is 1. Only this folder includes libmnl.
 * Sources: /proc/net/snmp, /proc/net/netstat (names from the header line), NETLINK_SOCK_DIAG
 *   inet_diag_req_v2; Documentation/networking/snmp_counter.rst; causes.md 0.4.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "evidence/evidence.h"
#include "loop/loop.h"

#include <sys/types.h>

/* Counters we keep: X(field, "table", "name"). */
#define HOST_COUNTERS(X)                                                                           \
    X(active_opens, "Tcp", "ActiveOpens") X(passive_opens, "Tcp", "PassiveOpens")                  \
    X(attempt_fails, "Tcp", "AttemptFails") X(estab_resets, "Tcp", "EstabResets")                  \
    X(out_rsts, "Tcp", "OutRsts") X(retrans_segs, "Tcp", "RetransSegs")                            \
    X(in_csum_errors, "Tcp", "InCsumErrors")                                                       \
    X(abort_on_close, "TcpExt", "TCPAbortOnClose") X(abort_on_data, "TcpExt", "TCPAbortOnData")    \
    X(abort_on_timeout, "TcpExt", "TCPAbortOnTimeout")                                             \
    X(abort_on_memory, "TcpExt", "TCPAbortOnMemory")                                               \
    X(abort_on_linger, "TcpExt", "TCPAbortOnLinger")                                               \
    X(listen_overflows, "TcpExt", "ListenOverflows") X(listen_drops, "TcpExt", "ListenDrops")      \
    X(req_q_full_drop, "TcpExt", "TCPReqQFullDrop")                                                \
    X(req_q_full_cookies, "TcpExt", "TCPReqQFullDoCookies")                                        \
    X(embryonic_rsts, "TcpExt", "EmbryonicRsts") X(challenge_ack, "TcpExt", "TCPChallengeACK")     \
    X(syn_challenge, "TcpExt", "TCPSYNChallenge") X(syn_retrans, "TcpExt", "TCPSynRetrans")        \
    X(timeouts, "TcpExt", "TCPTimeouts") X(keepalive, "TcpExt", "TCPKeepAlive")                    \
    X(min_ttl_drop, "TcpExt", "TCPMinTTLDrop") X(backlog_drop, "TcpExt", "TCPBacklogDrop")

struct host_counters {
    bool available;
    nstime time; /* wall */
#define X(field, table, name) uint64_t field;
    HOST_COUNTERS(X)
#undef X
};
int host_read_counters(struct host_counters *out);
/* Parses the two files' texts, for tests and saved samples. */
void host_parse_counters(struct host_counters *out, const char *snmp, const char *netstat);
void host_counters_delta(struct host_counters *out, const struct host_counters *before,
                         const struct host_counters *after); /* clamped at 0 */
/* name by field order; NULL past the end. For the Host screen and for session lines. */
const char *host_counter_name(size_t i);
uint64_t host_counter_value(const struct host_counters *c, size_t i);
void host_counter_set(struct host_counters *c, size_t i, uint64_t v);

struct listener {
    bool found;
    uint32_t waiting, backlog; /* accept queue now, its limit */
};
/* The listening socket that would serve addr:port on this host, by sock_diag. */
int host_listener(struct listener *out, const struct addr *addr, uint16_t port);
/* This host's addresses; *out is malloc'ed. Returns how many or -errno. */
int host_addresses(struct addr **out);
/* 1 if the way to it goes through a router, 0 if it is on a link of this host, -errno. */
int host_behind_router(const struct addr *a);
bool host_is_local(const struct addr *a, const struct addr *local, size_t nlocal);

/* ---- sockets of this host, whoever owns them ---- */
struct host_owner {
    int64_t pid, uid; /* -1: not known (another user's, and no right to look) */
    char name[32], cgroup[200];
};
int host_owner_of_pid(struct host_owner *out, pid_t pid);
/* The first twelve digits of the container's id that a cgroup's path bears. */
bool host_container_of(char out[16], const char *cgroup);

/* How the kernel's socket table says that a connection ended. A destroy event carries no reason and
 * comes when the program closes: all of this is inferred, and says so. */
enum ending_how {
    ENDING_UNREAD,   /* here: closed with bytes unread */
    ENDING_DROPPED,  /* here: disconnected at once (linger 0, a listener's queue dropped) */
    ENDING_GAVE_UP,  /* here: retransmissions or keepalives went unanswered */
    ENDING_RECEIVED, /* a reset came in */
    ENDING_REFUSED,  /* a reset came in answer to the SYN */
    ENDING_HOWS,
};
const char *ending_how_name(enum ending_how how); /* "unread" ..., for session lines */
int ending_how_by_name(const char *name);         /* -1 if unknown */
struct host_ending {
    uint64_t id;     /* the session's */
    uint64_t socket; /* the kernel's cookie: one socket, one ending */
    nstime time;     /* wall; noticed then */
    enum ending_how how;
    bool server;          /* this socket is the accepting side */
    bool held;            /* the program holds it still, and may not know yet */
    bool command;         /* of COMMAND */
    bool peer_here;       /* the other end is a socket of this host, and lives on */
    bool fin_before;      /* a FIN had come or been sent */
    bool info;            /* the numbers below were told */
    struct flow_key flow; /* originator first; family 0, port 0: not known any more */
    uint64_t sent, acked, received, unread;
    nstime idle, rtt; /* NSTIME_NONE: not known */
    struct host_owner owner;
    /* what the counters did while it ended, and how many connections ended in that time */
    struct host_counters delta;
    unsigned events;
};
/* Whether this socket's own side reset. */
bool host_ending_made_here(const struct host_ending *e);
void facts_of_ending(struct facts *out, const struct host_ending *e);

struct host_watch;
struct host_watch_callbacks {
    void (*on_ending)(void *arg, const struct host_ending *e); /* again when more is known */
    void *arg;
};
/* Watches all TCP sockets of this network namespace: destroy events as they come, the table each
 * 100 ms (less often where it is long). NULL with *err -errno: the kernel does not let us. */
struct host_watch *host_watch_start(struct loop *l, const struct host_watch_callbacks *cb,
                                    int *err);
void host_watch_free(struct host_watch *w);
/* Reads what is there now and tells of it: before the end. */
void host_watch_flush(struct host_watch *w);
/* What COMMAND is known to use: a socket by its cookie and where it connects to, or a listening
 * port. Their endings bear `command`. */
void host_watch_claim(struct host_watch *w, uint64_t cookie, const struct host_owner *owner,
                      const struct addr *dst, uint16_t dport);
void host_watch_claim_port(struct host_watch *w, uint16_t port, const struct host_owner *owner);
/* Without a filter: COMMAND's are the sockets whose process descends from it. */
struct host_command;
void host_watch_command(struct host_watch *w, const struct host_command *c);
/* Connects that failed at once, of which the kernel kept no address; sockets not kept for want of
 * room. */
uint64_t host_watch_nameless(const struct host_watch *w);
uint64_t host_watch_dropped(const struct host_watch *w);

/* ---- COMMAND: its output, its signals and its end pass through ---- */
typedef void (*host_command_fn)(void *arg, int exit_status, int term_signal);
/* Runs argv with this program's descriptors 0, 1 and 2, under no_new_privs, its connects and
 * accepts seen as they happen; *no_filter: 0, or -errno why that cannot be had, and then short
 * connections may be missed. -errno where it could not be started (of execvp too). */
int host_command_start(struct host_command **out, struct loop *l, char *const argv[],
                       struct host_watch *sockets, host_command_fn on_exit, void *arg,
                       int *no_filter);
int host_command_signal(struct host_command *c, int signo); /* -ESRCH: it has ended */
bool host_command_owns(const struct host_command *c, pid_t pid);
/* Calls seen; *unseen: those whose process did not let us look at its socket. */
uint64_t host_command_calls(const struct host_command *c, uint64_t *unseen);
void host_command_free(struct host_command *c); /* does not end it */

/* ---- sources of other kinds ---- */
struct host_conntrack {
    bool available;
    uint64_t count, max, established_s, loose, be_liberal;
};
int host_conntrack_read(struct host_conntrack *out);
void facts_of_conntrack(struct facts *out, const struct host_conntrack *c);
struct host_pressure {
    bool available;
    unsigned cpu, memory; /* hundredths of a percent of the last 10 s in which tasks waited */
};
int host_pressure_read(struct host_pressure *out);
void facts_of_pressure(struct facts *out, const struct host_pressure *p);

enum host_change_kind {
    CHANGE_NONE,
    CHANGE_LINK_UP,
    CHANGE_LINK_DOWN,
    CHANGE_ADDRESS_NEW,
    CHANGE_ADDRESS_GONE,
    CHANGE_ROUTE_NEW,
    CHANGE_ROUTE_GONE,
};
struct host_change {
    enum host_change_kind kind;
    unsigned index;      /* of the link, 0 not told */
    char link[32];       /* its name, of link changes */
    struct addr address; /* of address changes */
    bool told;
};
struct nlmsghdr;
bool host_change_parse(struct host_change *c, const struct nlmsghdr *nlh);
typedef void (*host_change_fn)(void *arg, const struct host_change *c);
struct host_changes;
struct host_changes *host_changes_start(struct loop *l, host_change_fn fn, void *arg);
void host_changes_free(struct host_changes *w);

/* ---- what rstconsole-host tells, where it is permitted ---- */

struct kernel_reset { /* of the tracepoints tcp_send_reset and tcp_receive_reset; machine-wide */
    nstime time;      /* wall */
    bool sent;
    struct flow_key flow; /* of the RST: its sender first */
    int64_t pid;          /* what ran then, not always its cause; -1 not told */
    char comm[32];
    char state[24], reason[40]; /* as the kernel names them, "" not told */
    uint64_t cookie;            /* of the socket that received it, 0 not told */
};
struct tracked { /* an entry of connection tracking */
    struct flow_key flow, reply;
    char state[16];
    nstime timeout;
    bool forgotten; /* it is gone, though the connection lived */
};
enum rules_verdict { RULES_UNKNOWN, RULES_PASS, RULES_REJECT, RULES_DROP };
struct rules_question {
    struct flow_key flow;
    bool client_here, server_here, established;
    nstime since; /* wall: what was counted later counts */
};
struct rules_answer {
    enum rules_verdict verdict;
    uint64_t count; /* packets it counted since, 0: it has no counter, or was not seen to */
    char rule[160];
};
struct host_privileged;
struct privileged_callbacks {
    void (*on_ready)(void *arg); /* once: what it may is known, or it has ended */
    void (*on_reset)(void *arg, const struct kernel_reset *r);
    void (*on_tracked)(void *arg, const struct tracked *t);
    void (*on_rules)(void *arg); /* the rules are those of now */
    void *arg;
};
/* The helper is started; it says what it may. NULL where it is not installed. */
struct host_privileged *host_privileged_start(struct loop *l,
                                              const struct privileged_callbacks *cb);
void host_privileged_free(struct host_privileged *p);
bool host_privileged_ready(const struct host_privileged *p); /* it said so, or has ended */
enum privileged_source { PRIV_RULES, PRIV_CONNTRACK, PRIV_RESETS, PRIV_OWNERS, PRIV_SOURCES };
bool host_privileged_has(const struct host_privileged *p, enum privileged_source s);
/* 0 or -errno, and what it said of the source ("" nothing). */
int host_privileged_said(const struct host_privileged *p, enum privileged_source s,
                         const char **text);
void host_privileged_size(const struct host_privileged *p, size_t *rules, size_t *chains);
uint64_t host_privileged_lost(const struct host_privileged *p); /* resets not told of */
/* Asks for the rules of now; on_rules comes once they are told. -errno: they cannot be. */
int host_privileged_ask_rules(struct host_privileged *p);
/* By the rules told last; counted since the rules told before these. */
void host_privileged_judge(const struct host_privileged *p, const struct rules_question *q,
                           struct rules_answer *out);
int host_privileged_ask_flow(struct host_privileged *p, const struct flow_key *k);
/* Whom a socket belongs to, of any user: asked for, and found by host_watch when it is told. */
void host_watch_privileged(struct host_watch *w, struct host_privileged *p);
void facts_of_kernel_reset(struct facts *out, const struct kernel_reset *r);
void facts_of_rules(struct facts *out, const struct rules_answer *a);
void facts_of_tracked(struct facts *out, const struct tracked *t);

/* What a source says of itself: 0 and what it finds here, or -errno; remedy: how to get (the rest
 * of) it, a command where there is one. */
struct host_source {
    const char *name, *title; /* title: N_() */
    int (*look)(struct strbuf *found, struct strbuf *remedy);
};
size_t host_source_count(void);
const struct host_source *host_source_at(size_t i);

/* ---- this host at one moment, for the Host screen ---- */
#define HOST_LISTENERS 256
#define HOST_SYSCTLS   14
#define HOST_SOURCES   24
struct host_listening {
    struct addr addr;
    uint16_t port;
    uint32_t uid, waiting, backlog; /* accept queue now, its limit */
};
struct host_sysctl {
    const char *name, *what; /* what: N_() */
    char value[80];
    int err; /* 0, -ENOENT: this kernel (or namespace) has no such setting */
};
struct host_said {     /* by a source */
    const char *title; /* N_() */
    int err;
    char found[600], remedy[300];
};
struct host_snapshot {
    nstime taken; /* wall */
    struct host_counters counters;
    struct host_conntrack conntrack;
    struct host_pressure pressure;
    struct host_listening listeners[HOST_LISTENERS]; /* the fullest first */
    size_t nlisteners, more_listeners;
    int listeners_err;
    struct host_sysctl sysctls[HOST_SYSCTLS];
    struct host_said sources[HOST_SOURCES];
    size_t nsources;
};
/* Takes some milliseconds: not on the loop. */
void host_snapshot_take(struct host_snapshot *out, nstime now);

/* Facts from a delta around one event (events: how many events of its kind lay in the window). */
void facts_of_counters(struct facts *out, const struct host_counters *delta, unsigned events);
void facts_of_listener(struct facts *out, const struct listener *l);

#endif
