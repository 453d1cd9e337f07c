/* Causes: NAT and connection tracking (causes.md A8). */
#include "cause/catalogue.h"

static const struct weight nat_mapping_expired_w[] = {
    YR(CONNTRACK_FORGOT, 300),
    YR(TRANSLATED_HERE, 60),
    Y(LOCAL_RULE_REJECTS, -200),
    YR(IDLE_ANSWERED, 60),
    YIN(IDLE_BEFORE, 50, 1e9, 100),
    YIN(IDLE_BEFORE, 1, 20, -120),
    YIS(RST_CLASS, "passive", 60),
    YIS(RST_CLASS, "active", -200),
    N(RST_TTL_DIFFERS, 60),
    Y(RST_TTL_DIFFERS, -100),
    YR(USER_NAT, 250),
    N(USER_NAT, -300),
    Y(FIN_BEFORE, -150),
    Y(USER_IDLE_SETTING, 100),
    Y(OUT_RSTS, 100),
    YIS(RST_FROM, "client", -60),
    Y(SAME_IDLE, 100),
    Y(SAME_INSTANT_HOSTS, -100),
    Y(IDLE_USUAL, -200),
    Y(KEEPALIVE_HELPS, 80),
    N(KEEPALIVE_HELPS, -100),
};
const struct cause cause_nat_mapping_expired = {
    .id = "nat-mapping-expired",
    .group = GROUP_NAT,
    .title = N_("the NAT's mapping ran out"),
    .what =
        N_("After a silence the NAT gave the connection a new outside port, or none; the server "
           "does not know it and resets."),
    .confirm = N_("It depends on the idle time; compare the outside port before and after."),
    .client = N_("Send keepalives below the NAT's idle time."),
    .network = N_("Raise the NAT's idle timeout (RFC 5382 asks for 2 h 4 min)."),
    .references = REFERENCES("RFC 5382 REQ-5", "RFC 7857"),
    WEIGHTS(nat_mapping_expired_w),
    CONFIDENCE(.8, .85, .97),
};

static const struct weight nat_rebind_ip_change_w[] = {
    Y(LOG_MANY_PEERS, 120),
    YRD(LOCAL_ADDRESS_GONE, 550),
    YR(USER_NETWORK_CHANGED, 250),
    N(USER_NETWORK_CHANGED, -250),
    Y(STALLED, 60),
};
const struct cause cause_nat_rebind_ip_change = {
    .id = "nat-rebind-ip-change",
    .group = GROUP_NAT,
    .title = N_("this host's address changed under the connection"),
    .what =
        N_("DHCP, a mobile network or a VPN gave this host another address; the old connection's "
           "packets have no way back."),
    .confirm = N_("The source address of the connection is no longer on any interface."),
    .client = N_("Reconnect after a network change."),
    .references = REFERENCES("rtnetlink(7)", "RFC 5382"),
    WEIGHTS(nat_rebind_ip_change_w),
    CONFIDENCE(.95, .95, .98),
};

static const struct weight conntrack_invalid_unnat_w[] = {
    YISR(RST_FROM, "client", 20),  YIS(RST_CLASS, "passive", 60), YIS(RST_CLASS, "active", -250),
    YR(USER_KUBERNETES, 150),      N(USER_KUBERNETES, -150),      Y(UPLOADING, 60),
    Y(RETRANSMITTED, 60),          Y(FIN_BEFORE, -150),           Y(UNSOLICITED_SYNACK, -200),
    Y(SYN_ANSWERED_BAD_ACK, -250), Y(CLIENT_ABORTED_SYN, -250),   YIN(DATA_AFTER_RST, 1, 1e18, 60),
};
const struct cause cause_conntrack_invalid_unnat = {
    .id = "conntrack-invalid-unnat",
    .group = GROUP_NAT,
    .title = N_("connection tracking let a packet through untranslated"),
    .what =
        N_("A packet that connection tracking called invalid skipped the address translation; the "
           "client's kernel got it from an unknown address and reset (kube-proxy)."),
    .confirm =
        N_("A capture on the client shows packets from the pod's own address and resets to it; "
           "nf_conntrack_tcp_be_liberal=1 stops it."),
    .network = N_("Set net.netfilter.nf_conntrack_tcp_be_liberal=1 on the nodes, or drop invalid "
                  "packets."),
    .references = REFERENCES("kubernetes/kubernetes#74839", "kubernetes/kubernetes#120412",
                             "Linux nf_conntrack-sysctl nf_conntrack_tcp_be_liberal"),
    WEIGHTS(conntrack_invalid_unnat_w),
    CONFIDENCE(.4, .95, .99),
};

static const struct weight conntrack_flushed_w[] = {
    Y(LOG_MANY_PEERS, 150),
    YR(USER_STATE_CLEARED, 250),
    N(USER_STATE_CLEARED, -300),
    YIS(RST_CLASS, "passive", 60),
    YIS(RST_CLASS, "active", -200),
    Y(MANY_RESETS, 20),
    Y(RST_TTL_DIFFERS, 40),
    YR(MANY_RESETS, 0),
    YR(RST_TTL_DIFFERS, 0),
    Y(NEW_CONN_WORKS, 60),
    Y(FIN_BEFORE, -150),
    Y(HELLO_SENT, -150),
    Y(RST_TRAIN, -60),
    YR(SAME_INSTANT_HOSTS, 250),
    Y(SAME_INSTANT, 40),
    Y(SAME_IDLE, -150),
};
const struct cause cause_conntrack_flushed = {
    .id = "conntrack-flushed",
    .group = GROUP_NAT,
    .title = N_("connection tracking on the way was emptied"),
    .what =
        N_("A firewall or router was restarted, failed over or had its table flushed; packets of "
           "running connections are then unknown."),
    .confirm = N_("All connections through it died at the same moment; new ones work."),
    .client = N_("Reconnect."),
    .network = N_("Synchronise state between the pair, and avoid flushing the table."),
    .references = REFERENCES("conntrack(8)", "Linux nf_conntrack-sysctl nf_conntrack_tcp_loose"),
    WEIGHTS(conntrack_flushed_w),
    CONFIDENCE(.4, .6, .98),
};

static const struct weight timewait_collision_w[] = {
    YR(SYN_ANSWERED_BAD_ACK, 550), Y(SYN_RETRY_WORKED, 150), YR(CHALLENGE_ACK, 100),
    YIS(RST_FROM, "server", -200), Y(LISTEN_OVERFLOW, -200), Y(SYNACK_REPEATED, -200),
};
const struct cause cause_timewait_collision = {
    .id = "timewait-collision",
    .group = GROUP_NAT,
    .title = N_("the port was reused while the server still knew its last connection"),
    .what =
        N_("The SYN hit an old connection of the same ports on the server, which answered with an "
           "ACK of that one; the client reset it and its next SYN works."),
    .confirm =
        N_("Repeat with a fresh source port: it works at once. TCPChallengeACK goes up on the "
           "server."),
    .client = N_("Widen ip_local_port_range, keep TCP timestamps on, reuse connections."),
    .server = N_("Close connections properly so that no half-open ones stay."),
    .network = N_("Let the NAT wait longer before it gives a port out again."),
    .references = REFERENCES("RFC 9293 3.6.1", "RFC 6191", "RFC 5961 4.2"),
    WEIGHTS(timewait_collision_w),
    CONFIDENCE(.8, .97, .99),
};

static const struct weight paws_nat_drop_w[] = {
    YR(CONN_TIMEOUT, 0),  YR(USER_NAT, 200),       N(USER_NAT, -250),
    N(REPEATED_SAME, 60), N(USER_ALL_CLIENTS, 30), N(OTHER_PORT_OK, -30),
};
const struct cause cause_paws_nat_drop = {
    .id = "paws-nat-drop",
    .group = GROUP_NAT,
    .title = N_("an old server drops clients behind one NAT by their timestamps"),
    .what = N_("Several hosts behind one NAT have different timestamp clocks; a server with "
               "tcp_tw_recycle (Linux before 4.12) drops those that seem to go back."),
    .confirm =
        N_("With tcp_timestamps=0 on the client it works; PAWS counters move on the server."),
    .client = N_("Turn TCP timestamps off as a stopgap."),
    .server = N_("Turn tcp_tw_recycle off, or update the kernel."),
    .references = REFERENCES("RFC 7323 5", "Linux commit 4396e46187ca (tcp_tw_recycle removed)"),
    WEIGHTS(paws_nat_drop_w),
    CONFIDENCE(.8, .85, .98),
};

static const struct weight snat_port_reuse_w[] = {
    YR(SYN_ANSWERED_BAD_ACK, 300),
    Y(USER_NAT, 250),
    N(USER_NAT, -250),
    YIS(RST_FROM, "server", -100),
};
const struct cause cause_snat_port_reuse = {
    .id = "snat-port-reuse",
    .group = GROUP_NAT,
    .title = N_("a shared NAT gave a port out again too early"),
    .what =
        N_("A carrier's NAT reused an outside port while the server still held the connection of "
           "its former user."),
    .confirm = N_("It happens rarely and at random, and only through that NAT."),
    .client = N_("Retry at once: the next port works."),
    .network = N_("Let the NAT keep ports for TIME-WAIT's length (RFC 5382)."),
    .references = REFERENCES("RFC 6888", "RFC 7857"),
    WEIGHTS(snat_port_reuse_w),
    CONFIDENCE(.4, .6, .8),
};

static const struct weight stray_rst_in_window_w[] = {
    YR(RST_IGNORED, 350),
    YR(RST_OUT_OF_WINDOW, 300),
    YINR(DATA_AFTER_RST, 1, 1e18, 60),
    Y(RST_TTL_DIFFERS, -120),
    Y(RST_FAN, -150),
    Y(RST_TRAIN, -100),
    Y(RST_SEQ_INEXACT, 120),
    N(RST_SEQ_INEXACT, -60),
    Y(RST_ACK_ODD, 150),
    Y(HARMLESS, 60),
    Y(RST_CHECKSUM_BAD, 200),
    Y(RST_BEFORE_RTT, -100),
    Y(GAVE_UP, -200),
    Y(CLIENT_ABORTED_SYN, -100),
    Y(UNSOLICITED_SYNACK, -200),
};
const struct cause cause_stray_rst_in_window = {
    .id = "stray-rst-in-window",
    .group = GROUP_NAT,
    .title = N_("a stray reset that the receiver ignores"),
    .what = N_(
        "A late reset of an earlier connection (or a blind forgery) does not fit exactly; the "
        "receiver drops it or asks with a challenge ACK (RFC 5961), and the connection lives on."),
    .confirm = N_("The connection carries data afterwards."),
    .client = N_("None needed."),
    .benign = true,
    .references = REFERENCES("RFC 5961 3.2", "RFC 9293 3.10.7"),
    WEIGHTS(stray_rst_in_window_w),
    CONFIDENCE(.7, .95, .97),
};
