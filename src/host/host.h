/*
 * host: facts of this host: /proc counters, listen queues, local addresses.
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

/* Facts from a delta around one event (events: how many events of its kind lay in the window). */
void facts_of_counters(struct facts *out, const struct host_counters *delta, unsigned events);
void facts_of_listener(struct facts *out, const struct listener *l);

#endif
