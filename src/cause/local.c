/* Causes: this host itself (causes.md A9). */
#include "cause/catalogue.h"

static const struct weight local_fw_output_reject_w[] = {
    YR(OTHER_END_LIVES, 1000),    YRD(LOCAL_REJECT_RULE, 550),   N(LOCAL_REJECT_RULE, -400),
    YR(USER_LOCAL_FW, 250),       N(USER_LOCAL_FW, -300),        YIN(CONN_REFUSED, 0, 0.0005, 30),
    Y(OTHER_PORT_OK, 20),         YX(SYN_ANSWERED_BAD_ACK),      Y(PORT_REUSED_LISTEN, 60),
    YRD(LOCAL_RULE_REJECTS, 550), N(LOCAL_RULE_REJECTS, -400),   Y(KERNEL_SENT, -500),
    YINR(RESET_HOP, -1, .5, 500), YIN(RESET_HOP, .5, 255, -300), N(RESET_HOP, -300),
};
const struct cause cause_local_fw_output_reject = {
    .id = "local-fw-output-reject",
    .group = GROUP_LOCAL,
    .title = N_("this host's own firewall refuses the connection"),
    .what =
        N_("A rule of this host's firewall (or a security agent) rejects the packet within this "
           "host; no reset comes from outside."),
    .confirm =
        N_("The rule's counter goes up, and a capture on the interface shows neither SYN nor "
           "reset."),
    .client = N_("Correct the rule on this host (nft list ruleset, iptables -S OUTPUT)."),
    .deterministic = true,
    .references = REFERENCES("nft(8) reject", "Linux net/ipv4/netfilter/nf_reject_ipv4.c"),
    WEIGHTS(local_fw_output_reject_w),
    CONFIDENCE(.8, .97, .99),
};

static const struct weight local_sock_destroy_w[] = {
    YRD(LOCAL_DESTROYED, 600),
    Y(KERNEL_RECEIVED, -200),
    YISR(CONN_RESET, "ECONNABORTED", 500),
    Y(UNPROVOKED, 30),
    YR(NO_ABORT_COUNTED, 550),
};
const struct cause cause_local_sock_destroy = {
    .id = "local-sock-destroy",
    .group = GROUP_LOCAL,
    .title = N_("this host destroyed the socket"),
    .what =
        N_("Somebody on this host ended the connection from outside the program (ss -K, a VPN or "
           "network manager): ECONNABORTED here, a reset to the peer."),
    .confirm = N_("errno is ECONNABORTED; look for ss -K or a network change at that time."),
    .client = N_("Find the tool that kills sockets; reconnect."),
    .references = REFERENCES("ss(8) -K", "sock_diag(7)", "Linux tcp_abort"),
    WEIGHTS(local_sock_destroy_w),
    CONFIDENCE(.97, .99, .99),
};

static const struct weight local_stale_pool_w[] = {
    YR(EPIPE_FIRST, 150),
    YINR(DATA_AFTER_FIN, 1.5, 1e9, 280),
    YR(REUSED, 60),
    Y(USER_POOL, 250),
    N(USER_POOL, -300),
    YIS(RST_FROM, "client", -200),
    YIN(DATA_AFTER_FIN, 0, 1, -150),
    YIN(REUSED, 2, 1e9, 60),
    Y(IDLE_BEFORE, 60),
    N(REUSED, -300),
    Y(RST_TTL_DIFFERS, -100),
    Y(NOTHING_SENT, -200),
};
const struct cause cause_local_stale_pool = {
    .id = "local-stale-pool",
    .group = GROUP_LOCAL,
    .title = N_("the client's pool handed out a connection the server had closed"),
    .what = N_("The server's FIN had come long before; the pool did not notice and sent the next "
               "request into the closed connection."),
    .confirm = N_("ss shows the socket in CLOSE-WAIT before the request is sent."),
    .client =
        N_("Validate pooled connections before use, and evict idle ones earlier than the server."),
    .references = REFERENCES("RFC 9112 9.3.1", "golang/go#22158"),
    WEIGHTS(local_stale_pool_w),
    CONFIDENCE(.97, .98, .99),
};

static const struct weight local_keepalive_kill_w[] = {
    YISR(CONN_RESET, "ETIMEDOUT", 400),
    YR(KEEPALIVES, 150),
    YISX(STAGE, "syn"),
    YIS(RST_FROM, "server", -150),
    Y(ABORT_ON_TIMEOUT, 150),
    YISD(KERNEL_SENT, "TCP_KEEPALIVE_TIMEOUT", 400),
    Y(KERNEL_RECEIVED, -200),
    YIS(RST_CLASS, "active", 60),
    N(IDLE_BEFORE, -60),
    Y(SENDER_LOCAL, 40),
    Y(FIN_BEFORE, -150),
    YIS(RST_CLASS, "passive", -200),
    Y(RESPONSE_COMPLETE, -60),
    Y(USER_NETWORK_CHANGED, 100),
    Y(GAVE_UP, -40),
    YR(KEEPALIVE_UNANSWERED, 350),
};
const struct cause cause_local_keepalive_kill = {
    .id = "local-keepalive-kill",
    .group = GROUP_LOCAL,
    .title = N_("keepalive found the peer dead"),
    .what =
        N_("Keepalive probes (or TCP_USER_TIMEOUT) got no answer, so the sender's own kernel ended "
           "the connection: ETIMEDOUT, and a reset to the peer."),
    .confirm = N_("TCPKeepAlive and TCPAbortOnTimeout went up here; errno is ETIMEDOUT."),
    .client = N_("Find why the peer did not answer: path, firewall, or the host itself."),
    .network = N_("Look for dropped state or loss at the time of the last packet."),
    .references = REFERENCES("tcp(7) TCP_KEEPIDLE, TCP_USER_TIMEOUT", "RFC 9293 3.8.4"),
    WEIGHTS(local_keepalive_kill_w),
    CONFIDENCE(.98, .99, .99),
};
