/* Causes: the server's host (causes.md A7). */
#include "cause/catalogue.h"

static const struct weight port_closed_w[] = {
    ND(PORT_REUSED_LISTEN, 500),
    Y(PORT_REUSED_LISTEN, -500),
    YR(CONN_REFUSED, 0),
    YISD(KERNEL_SENT, "NO_SOCKET", 400),
    N(KERNEL_SENT, -400),
    Y(LOCAL_RULE_REJECTS, -500),
    YISR(RST_CLASS, "refuse", 0),
    YX(ICMP_ERROR),
    Y(RST_TTL_DIFFERS, -200),
    N(RST_TTL_DIFFERS, 60),
    Y(RST_NO_HOP, -200),
    N(RST_NO_HOP, 30),
    Y(RST_BEFORE_RTT, -250),
    Y(RST_TRAIN, -200),
    Y(OUT_RSTS, 250),
    N(OUT_RSTS, -400),
    Y(OTHER_PORT_OK, 60),
    N(USER_SERVICE_RUNS, 300),
    Y(USER_SERVICE_RUNS, -250),
    Y(USER_FW_CHANGED, -80),
    N(USER_FW_CHANGED, 60),
    Y(REPEATED_SAME, 60),
    N(REPEATED_SAME, -200),
    Y(SYN_RETRY_WORKED, -100),
    YX(SYN_ANSWERED_BAD_ACK),
    N(SYN_RETRY_WORKED, 40),
    YIS(RST_FROM, "client", -500),
    Y(RST_WINDOW_ODD, -60),
    YISR(RST_CLASS, "active|passive|foreign", -10),
    Y(DATA_AFTER_RST, -150),
    YX(CONN_OK),
    YR(STRAY_SEGMENT, 100),
    Y(ANSWERED_BEFORE, -400),
    Y(PLAIN_SYN_OK, -400),
    Y(WAIT_HELPS, -60),
    Y(RESET_HOP, -400),
    N(RESET_HOP, 60),
    Y(ACCEPTED_BEFORE, -150),
};
const struct cause cause_port_closed = {
    .id = "port-closed",
    .group = GROUP_HOST,
    .title = N_("nothing listens on the port"),
    .what =
        N_("The host is alive and its kernel refused the connection: no program listens on that "
           "address and port."),
    .confirm =
        N_("On the server: ss -ltn shows no such listener. From outside: other ports answer with "
           "the same TTL."),
    .client = N_("Check host and port; try later if the service is starting."),
    .server = N_("Start the service, or let it listen on the right address (not only 127.0.0.1)."),
    .network = N_("Check port mappings and the load balancer's target port."),
    .deterministic = false,
    .references = REFERENCES("RFC 9293 3.5.2", "RFC 9293 3.10.7.1"),
    WEIGHTS(port_closed_w),
    CONFIDENCE(.85, .92, .99),
};

static const struct weight host_reboot_lost_state_w[] = {
    YIS(KERNEL_SENT, "TCP_FLAGS|NO_SOCKET", 150),
    YINR(RETRANSMITTED, 1, 1e9, 150),
    YISR(RST_CLASS, "passive", 60),
    YIS(RST_CLASS, "active", -300),
    N(RST_TTL_DIFFERS, 60),
    Y(RST_TTL_DIFFERS, -150),
    Y(FIN_BEFORE, -250),
    YR(USER_REBOOTED, 350),
    N(USER_REBOOTED, -350),
    Y(MANY_RESETS, 20),
    YIS(RST_FROM, "client", -60),
    Y(HELLO_SENT, -100),
    Y(NOTHING_ACKED, -100),
    N(SYN_RETRY_WORKED, 60),
    Y(USER_KILLED, -60),
    YIN(DATA_AFTER_RST, 1, 1e18, -200),
    Y(SAME_INSTANT, 120),
    Y(SAME_INSTANT_HOSTS, -200),
    Y(SAME_IDLE, -150),
    Y(SAME_WAIT, -150),
};
const struct cause cause_host_reboot_lost_state = {
    .id = "host-reboot-lost-state",
    .group = GROUP_HOST,
    .title = N_("the host came back without knowing the connection"),
    .what = N_("The peer's host crashed, was rebooted or lost its state; when it is back, the next "
               "packet of the old connection is answered with a reset."),
    .confirm =
        N_("Retransmissions without an answer, then the reset; uptime and logs show the restart."),
    .client = N_("Reconnect and resume; ask for the state of the last request."),
    .server = N_("Find why the host restarted."),
    .references = REFERENCES("RFC 9293 3.5.1"),
    WEIGHTS(host_reboot_lost_state_w),
    CONFIDENCE(.55, .75, .98),
};

static const struct weight failover_no_state_w[] = {
    Y(LOG_MANY_PEERS, 80),
    YISR(RST_CLASS, "passive", 60),
    YIS(RST_CLASS, "active", -300),
    Y(RETRANSMITTED, 20),
    Y(RST_MAC_DIFFERS, 150),
    YIN(RST_TTL_DIFFERS, 1, 3, 60),
    Y(FIN_BEFORE, -200),
    Y(MANY_RESETS, 20),
    YR(USER_PROXY, 60),
    N(USER_PROXY, -150),
    Y(USER_STATE_CLEARED, 150),
    Y(USER_REBOOTED, 60),
    Y(HELLO_SENT, -100),
    N(USER_REBOOTED, -60),
    Y(NEW_CONN_WORKS, 80),
    Y(OTHER_ADDRESS_OK, 60),
    YIS(RST_FROM, "client", -200),
    YIN(DATA_AFTER_RST, 1, 1e18, -100),
    Y(PORT_DEPENDS, 120),
    Y(SAME_INSTANT, 120),
    Y(SAME_INSTANT_HOSTS, -60),
    Y(SAME_IDLE, -150),
    Y(DNS_MOVED, 60),
};
const struct cause cause_failover_no_state = {
    .id = "failover-no-state",
    .group = GROUP_HOST,
    .title = N_("the address moved to a host that does not know the connection"),
    .what = N_("A virtual address, anycast route or load balancer now sends the packets to another "
               "host, which answers them with a reset."),
    .confirm =
        N_("Many connections die at once; new ones reach another host (certificate, headers, "
           "link-layer address)."),
    .client = N_("Reconnect; retry what is safe to repeat."),
    .server = N_("Drain before moving, or synchronise connections."),
    .network = N_("Look for a failover, a route change or a backend that left at that time."),
    .references = REFERENCES("RFC 9293 3.5.1", "RFC 4786"),
    WEIGHTS(failover_no_state_w),
    CONFIDENCE(.5, .75, .97),
};

static const struct weight duplicate_ip_w[] = {
    YR(RST_MAC_DIFFERS, 450),
    Y(RST_TTL_DIFFERS, 30),
    Y(DATA_AFTER_RST, 80),
    Y(RST_BEFORE_RTT, 40),
    YISR(RST_CLASS, "passive|refuse", 30),
    N(RST_TTL_DIFFERS, 60),
    N(REPEATED_SAME, 60),
    YIS(RST_CLASS, "active", -200),
};
const struct cause cause_duplicate_ip = {
    .id = "duplicate-ip",
    .group = GROUP_HOST,
    .title = N_("two hosts use the same address"),
    .what = N_("Another host on the same network owns the address too; packets that reach it are "
               "answered with resets."),
    .confirm =
        N_("The link-layer address of the reset differs from that of the SYN-ACK; arping gets two "
           "answers."),
    .server = N_("Change the address of one of the two."),
    .network = N_("Find the second host by its link-layer address, and correct the address plan."),
    .references = REFERENCES("RFC 5227"),
    WEIGHTS(duplicate_ip_w),
    CONFIDENCE(.7, .97, .99),
};

static const struct weight vm_pause_migrate_w[] = {
    YR(USER_REBOOTED, 60),         YINR(RETRANSMITTED, 3, 1e9, 40), Y(KEEPALIVES, 60),
    YIN(IDLE_BEFORE, 60, 1e9, 40), N(USER_REBOOTED, -200),          Y(RST_TTL_DIFFERS, -150),
    Y(FIN_BEFORE, -150),           YR(USER_VM_PAUSED, 500),         N(USER_VM_PAUSED, -300),
};
const struct cause cause_vm_pause_migrate = {
    .id = "vm-pause-migrate",
    .group = GROUP_HOST,
    .title = N_("a virtual machine was paused, moved or restored"),
    .what =
        N_("The machine stood still longer than the other side's timers, or was restored from an "
           "older state; its connections are then unknown or expired."),
    .confirm = N_("The host's clock jumped, or the hypervisor logged a migration."),
    .server = N_("Migrate live with short pauses; expect clients to reconnect."),
    .references = REFERENCES("RFC 9293 3.8.4"),
    WEIGHTS(vm_pause_migrate_w),
    CONFIDENCE(.3, .4, .95),
};

static const struct weight pmtu_blackhole_w[] = {
    Y(LOG_SAME_SIZE, 60),
    YINR(STALLED, 1, 1e9, 60),
    YINR(RETRANSMITTED, 2, 1e9, 60),
    YR(GAVE_UP, 30),
    YR(SEGMENT_LIMIT, 500),
    N(SEGMENT_LIMIT, -400),
    Y(SMALL_HELLO_OK, 150),
    Y(HELLO_BIG, 60),
    Y(UPLOADING, 60),
    Y(NOTHING_ACKED, 20),
    N(HELLO_BIG, -60),
    Y(SYNACK_REPEATED, -250),
    Y(IDLE_BEFORE, -60),
    Y(LISTEN_QUEUE_FULL, -250),
    Y(NEW_CONN_WORKS, -40),
    Y(ALL_ACKED, -60), /* what we sent has arrived */
    YISX(STAGE, "syn"),
    YIN(REPLY_CUT, 3000, 1e18, -300), /* full-size packets had come */
    Y(NEUTRAL_SNI_OK, -300),
    Y(PLAIN_WORKS, -300),
    Y(TLS_WORKS, -300),
};
const struct cause cause_pmtu_blackhole = {
    .id = "pmtu-blackhole",
    .group = GROUP_HOST,
    .title = N_("large packets vanish on the way (path MTU)"),
    .what =
        N_("The handshake passes, the first full-size packet does not, and the ICMP message that "
           "should say so is lost: a stall, then a timeout."),
    .confirm =
        N_("Small requests pass and those over one packet stall; with a small MSS it works."),
    .client = N_("Set net.ipv4.tcp_mtu_probing=1, or lower the interface's MTU."),
    .server = N_("The same on the server for answers that stall."),
    .network =
        N_("Let ICMP \"fragmentation needed\" / \"packet too big\" through, or clamp the MSS."),
    .deterministic = true,
    .references = REFERENCES("RFC 2923", "RFC 4821", "Linux ip-sysctl tcp_mtu_probing"),
    WEIGHTS(pmtu_blackhole_w),
    CONFIDENCE(.9, .93, .98),
};
