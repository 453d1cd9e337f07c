/* Causes: too much load, too few resources (causes.md A3). */
#include "cause/catalogue.h"

static const struct weight accept_queue_overflow_rst_w[] = {
    YD(EMBRYONIC_RST, 450),
    N(EMBRYONIC_RST, -250),
    YISD(KERNEL_SENT, "INVALID_SYN", 450),
    YIS(KERNEL_SENT, "NO_SOCKET|TCP_ABORT_ON_CLOSE|TCP_TIMEWAIT_SOCKET", -300),
    YD(LISTEN_OVERFLOW, 300),
    N(LISTEN_OVERFLOW, -200),
    Y(LISTEN_QUEUE_FULL, 300),
    N(LISTEN_QUEUE_FULL, -200),
    YIS(RST_CLASS, "passive", 80),
    YIS(RST_CLASS, "active", -300),
    Y(SYNACK_REPEATED, -60),
    Y(NO_REPLY_BYTES, 20),
    N(NO_REPLY_BYTES, -400),
    Y(RST_TTL_DIFFERS, -200),
    N(RST_TTL_DIFFERS, 40),
    Y(USER_OVERLOAD, 200),
    N(USER_OVERLOAD, -150),
    YR(IMMEDIATE_ACCEPT, 40),
    YR(NOTHING_ACKED, 60),
    YR(HOLD_RESET, 0),
    N(HOLD_RESET, -150),
    YR(SYNACK_REPEATED, -150),
    N(REPEATED_SAME, 40),
    Y(RST_BOTH_WAYS, -250),
    Y(DATA_AFTER_RST, -60),
    Y(LOAD_THRESHOLD, 200),
    N(LOAD_THRESHOLD, -150),
    YIN(SYNACK_REPEATED, 2, 1e9, -200),
    Y(RST_BEFORE_RTT, -250),
    Y(RESET_HOP, -250),
};
const struct cause cause_accept_queue_overflow_rst = {
    .id = "accept-queue-overflow-rst",
    .group = GROUP_LOAD,
    .title = N_("the server's accept queue was full and it resets then"),
    .what =
        N_("The application accepts connections too slowly; the listener's queue was full when the "
           "handshake ended, and tcp_abort_on_overflow=1 turns that into a reset."),
    .confirm =
        N_("On the server: ListenOverflows and EmbryonicRsts go up, and ss -ltn shows Recv-Q "
           "above Send-Q."),
    .client = N_("Retry with backoff; open fewer connections at once."),
    .server = N_("Accept faster, raise the listen backlog and net.core.somaxconn, or set "
                 "tcp_abort_on_overflow to 0."),
    .references = REFERENCES("Linux net/ipv4/tcp_minisocks.c tcp_check_req",
                             "Linux ip-sysctl tcp_abort_on_overflow"),
    WEIGHTS(accept_queue_overflow_rst_w),
    CONFIDENCE(.75, .8, .99),
};

static const struct weight accept_queue_overflow_drop_w[] = {
    YRD(LISTEN_QUEUE_FULL, 400),
    N(LISTEN_QUEUE_FULL, -300),
    YRD(LISTEN_OVERFLOW, 400),
    N(LISTEN_OVERFLOW, -250),
    YINR(SYNACK_REPEATED, 2, 1e9, 350),
    YINR(SYNACK_REPEATED, 1, 1, 150),
    YR(CHALLENGE_ACK, 60),
    Y(NOTHING_ACKED, 100),
    YR(USER_OVERLOAD, 150),
    N(USER_OVERLOAD, -100),
    N(NO_REPLY_BYTES, -300),
    Y(SYN_REPEATED, 40),
    Y(RST_TTL_DIFFERS, -200),
    YIS(RST_FROM, "client", -200),
    Y(CONN_TIMEOUT, 60),
    Y(LOAD_THRESHOLD, 200),
    N(LOAD_THRESHOLD, -150),
    Y(STALLED, 60),
    YIS(RST_CLASS, "refuse", -300),
    Y(EMBRYONIC_RST, -200),
    Y(HOST_CPU_SHORT, 30),
    YHAS(LOG_KERNEL, "SYN flooding", 100),
    YIS(RST_CLASS, "active", -250), /* no program ever had it */
};
const struct cause cause_accept_queue_overflow_drop = {
    .id = "accept-queue-overflow-drop",
    .group = GROUP_LOAD,
    .title = N_("the server's accept queue is full"),
    .what =
        N_("The application accepts connections too slowly. The listener's queue is full, so the "
           "kernel drops SYNs and last ACKs and repeats its SYN-ACK; in the end a reset or a "
           "timeout."),
    .confirm = N_("On the server: ss -ltn shows Recv-Q at or above Send-Q for the listener, and "
                  "ListenOverflows goes up."),
    .client = N_("Retry with backoff; open fewer connections at once."),
    .server = N_("See why the application does not accept (blocked, too few workers); raise the "
                 "listen backlog and net.core.somaxconn."),
    .references = REFERENCES("listen(2)",
                             "Linux Documentation/networking/snmp_counter.rst (ListenOverflows)"),
    WEIGHTS(accept_queue_overflow_drop_w),
    CONFIDENCE(.75, .9, .99),
};

static const struct weight syn_queue_full_w[] = {
    YRD(SYN_QUEUE_DROPS, 450),
    N(SYN_QUEUE_DROPS, -300),
    YR(USER_OVERLOAD, 60),
    Y(SYN_REPEATED, 40),
    Y(LISTEN_QUEUE_FULL, -150),
    N(USER_OVERLOAD, -100),
    YHASR(LOG_KERNEL, "SYN flooding", 300),
};
const struct cause cause_syn_queue_full = {
    .id = "syn-queue-full",
    .group = GROUP_LOAD,
    .title = N_("the server's SYN queue is full"),
    .what =
        N_("More half-open connections than the backlog holds (a burst or a SYN flood) and no SYN "
           "cookies: new SYNs are dropped."),
    .confirm = N_("On the server TCPReqQFullDrop goes up (nstat)."),
    .client = N_("Retry with backoff."),
    .server = N_("Turn on net.ipv4.tcp_syncookies and raise tcp_max_syn_backlog."),
    .network = N_("Filter the flood in front of the server."),
    .references = REFERENCES("RFC 4987", "Linux ip-sysctl tcp_max_syn_backlog, tcp_syncookies"),
    WEIGHTS(syn_queue_full_w),
    CONFIDENCE(.5, .6, .99),
};

static const struct weight conn_limit_reset_w[] = {
    YR(IMMEDIATE_ACCEPT, 80),
    YINR(HOLD_RESET, 0, 1.5, 120),
    YINR(HOLD_FIN, 0, 1.5, 60),
    YIN(HOLD_RESET, 1.5, 1e9, -150),
    N(HOLD_RESET, -300),
    YIS(RST_CLASS, "active", 60),
    YIS(RST_CLASS, "passive", -150),
    Y(NOTHING_SENT, 20),
    YR(LOAD_THRESHOLD, 350),
    N(LOAD_THRESHOLD, -200),
    YR(USER_LIMIT, 250),
    N(USER_LIMIT, -200),
    Y(RST_TTL_DIFFERS, -150),
    Y(LISTEN_OVERFLOW, -200),
    Y(EMBRYONIC_RST, -200),
    Y(SYNACK_REPEATED, -150),
    YINR(HTTP_STATUS, 503, 503, 60),
    N(NO_REPLY_BYTES, -60),
    Y(CLOSED_PORT_ACCEPTS, -300),
    Y(DATA_AFTER_RST, -100),
    Y(LISTEN_QUEUE_FULL, -200),
    YHAS(SERVICE_REFUSED, "too many|max_connections|max number of clients|connection limit", 200),
    Y(RATE_THRESHOLD, -200),
    Y(RST_BEFORE_RTT, -300),
    Y(RESET_HOP, -300),
    N(RESET_HOP, 60),
};
const struct cause cause_conn_limit_reset = {
    .id = "conn-limit-reset",
    .group = GROUP_LOAD,
    .title = N_("the server closes at once: a limit on connections"),
    .what = N_("The server or load balancer accepts the connection and closes it right away, as it "
               "does above a set number of connections or for clients it does not serve."),
    .confirm = N_("Open connections one by one and hold them: it begins at one exact number."),
    .client = N_("Keep the pool smaller than the limit; reuse connections."),
    .server =
        N_("Raise the connection limit or the file limit, or find who holds the connections."),
    .network = N_("Look at the load balancer's own limits."),
    .references = REFERENCES("HAProxy maxconn, tcp-request connection reject",
                             "Envoy connection limit filter"),
    WEIGHTS(conn_limit_reset_w),
    CONFIDENCE(.8, .85, .98),
};

static const struct weight http_limit_close_w[] = {
    YR(REQUEST_SEEN, 30),
    Y(NO_REPLY_BYTES, 40),
    Y(ALL_ACKED, 20),
    YINR(HTTP_STATUS, 503, 503, 200),
    YINR(HTTP_STATUS, 429, 429, 450),
    YR(USER_LIMIT, 250),
    N(USER_LIMIT, -200),
    Y(EARLY_EOF, 80),
    Y(LOAD_THRESHOLD, 300),
    N(LOAD_THRESHOLD, -200),
    N(REPEATED_SAME, 20),
    Y(RST_TTL_DIFFERS, -150),
    Y(HELLO_SENT, -200),
    YIN(RESPONSE_WAIT, 1, 1e9, -150),
    Y(EARLY_REPLY, -250),
    Y(HARMLESS, -100),
    Y(REPLY_CUT, -150),
    N(RATE_THRESHOLD, -60),
    Y(RATE_THRESHOLD, 200),
    Y(TLS_WORKS, -150),
    Y(RST_BEFORE_RTT, -300),
    Y(REFUSED_AFTER, -200),
};
const struct cause cause_http_limit_close = {
    .id = "http-limit-close",
    .group = GROUP_LOAD,
    .title = N_("the web server closes without an answer: a limit or a rule"),
    .what = N_("A limit on requests or connections, or a rule such as nginx \"return 444\", closes "
               "the connection without a reply."),
    .confirm = N_("Vary the rate and the Host header: it depends on them."),
    .client = N_("Slow down; check the Host header."),
    .server = N_("Look at limit_req, limit_conn and rules that close without a reply."),
    .references = REFERENCES("nginx limit_conn, limit_req, return 444"),
    WEIGHTS(http_limit_close_w),
    CONFIDENCE(.75, .8, .97),
};

static const struct weight overload_shed_w[] = {
    YR(USER_OVERLOAD, 250),
    N(USER_OVERLOAD, -250),
    YINR(HTTP_STATUS, 503, 503, 150),
    YR(LOAD_THRESHOLD, 60),
    Y(MANY_RESETS, 60),
    N(REPEATED_SAME, 30),
    YIS(RST_CLASS, "active", 20),
    Y(RST_TTL_DIFFERS, -150),
    Y(LISTEN_QUEUE_FULL, -100),
    YHAS(RST_PAYLOAD, "resource exceeded|unacceptable performance", 60),
    YHAS(SERVICE_REFUSED, "421|too many|overload|busy", 60),
    Y(HOST_CPU_SHORT, 30),
    YIN(MPTCP_REASON, 2, 2, 60), /* RFC 8684 3.6: lack of resources */
};
const struct cause cause_overload_shed = {
    .id = "overload-shed",
    .group = GROUP_LOAD,
    .title = N_("the server or proxy sheds load"),
    .what = N_("Under load a proxy or application drops connections or streams to save the rest."),
    .confirm =
        N_("Response times rise first, 503 answers are among the failures, and it passes with "
           "the load."),
    .client = N_("Back off, and keep retries to a tenth of the traffic."),
    .server = N_("Add capacity, or shed earlier with 503 and Retry-After."),
    .references = REFERENCES("Envoy overload manager", "RFC 9113 8.7"),
    WEIGHTS(overload_shed_w),
    CONFIDENCE(.6, .65, .95),
};

static const struct weight memory_abort_w[] = {
    YRD(ABORT_ON_MEMORY, 600),
    N(ABORT_ON_MEMORY, -400),
    YISRD(KERNEL_SENT, "TCP_ABORT_ON_MEMORY", 600),
    Y(USER_OVERLOAD, 60),
    YHAS(RST_PAYLOAD, "resource exceeded", 80),
    Y(HOST_MEMORY_SHORT, 40),
    YHASRD(LOG_KERNEL, "tcp_mem|orphaned", 600),
};
const struct cause cause_memory_abort = {
    .id = "memory-abort",
    .group = GROUP_LOAD,
    .title = N_("the kernel ran out of TCP memory"),
    .what = N_("tcp_mem or tcp_max_orphans was exceeded, and the kernel reset connections to free "
               "memory."),
    .confirm =
        N_("TCPAbortOnMemory goes up, and the kernel log says \"out of memory -- consider tuning "
           "tcp_mem\"."),
    .server = N_("Find who holds socket memory (ss -tm); raise tcp_mem and tcp_max_orphans."),
    .references = REFERENCES("Linux ip-sysctl tcp_mem, tcp_max_orphans",
                             "Linux Documentation/networking/snmp_counter.rst (TCPAbortOnMemory)"),
    WEIGHTS(memory_abort_w),
    CONFIDENCE(.2, .3, .99),
};

static const struct weight fd_exhaustion_w[] = {
    Y(IMMEDIATE_ACCEPT, 20),
    YR(LISTEN_QUEUE_FULL, 60),
    YR(HOLD_FIN, 30),
    YR(SYNACK_REPEATED, 40),
    YR(USER_LIMIT, 60),
    N(USER_LIMIT, -60),
    Y(USER_OVERLOAD, 100),
    N(USER_OVERLOAD, -100),
    Y(USER_SERVER_LOG, 120),
    N(USER_SERVER_LOG, -200),
    YR(IMMEDIATE_ACCEPT, 0),
    YIS(RST_CLASS, "passive", -30),
    YHASR(LOG_KERNEL, "open files", 350),
};
const struct cause cause_fd_exhaustion = {
    .id = "fd-exhaustion",
    .group = GROUP_LOAD,
    .title = N_("the server has no file descriptor left"),
    .what =
        N_("accept() fails for want of descriptors (EMFILE): the queue fills, or connections are "
           "closed at once."),
    .confirm =
        N_("On the server compare ls /proc/PID/fd with /proc/PID/limits; its log says \"too many "
           "open files\"."),
    .client = N_("Hold fewer connections open."),
    .server = N_("Raise LimitNOFILE / ulimit -n, and look for leaked descriptors."),
    .references = REFERENCES("accept(2) EMFILE", "getrlimit(2) RLIMIT_NOFILE"),
    WEIGHTS(fd_exhaustion_w),
    CONFIDENCE(.3, .4, .98),
};

static const struct weight worker_killed_w[] = {
    FROM_HOST,
    Y(REPLY_CUT, 200),
    Y(STALLED, -400), /* the kernel of a killed process says FIN or RST */
    Y(MANY_RESETS, 20),
    Y(USER_KILLED, 350),
    N(USER_KILLED, -300),
    YIN(RESPONSE_WAIT, 0.2, 1e9, 40),
    Y(USER_OVERLOAD, 60),
    YIS(RST_CLASS, "passive", -100),
    YIS(RST_FROM, "client", -300),
    Y(NOTHING_SENT, -150),
    Y(RESPONSE_COMPLETE, -100),
    N(REPEATED_SAME, 60),
    Y(REPEATED_SAME, 0),
    Y(USER_SERVER_LOG, 100),
    Y(ABORT_ON_CLOSE, 60),
    Y(ABORT_ON_DATA, -60),
    N(ALL_ACKED, -20),
    Y(EARLY_REPLY, -250),
    Y(HARMLESS, -150),
    Y(HELLO_SENT, -60),
    Y(SAME_INSTANT, 250),

    Y(SAME_INSTANT_HOSTS, -200),
    Y(SAME_IDLE, -150),
    Y(SAME_AGE, -150),
    YIN(HTTP_STATUS, 400, 599, -150),
    Y(UPSTREAM_WORDS, -200),
    Y(HOST_MEMORY_SHORT, 60),
    YHAS(LOG_KERNEL, "killed|oom-kill|WORKER TIMEOUT", 400),
    Y(UPLOADING, 60),
};
const struct cause cause_worker_killed = {
    .id = "worker-killed",
    .group = GROUP_LOAD,
    .title = N_("the process that served the request was killed"),
    .what =
        N_("The worker died in the middle (out of memory, SIGKILL at a worker timeout); the kernel "
           "closed its connections, with a reset where bytes were unread."),
    .confirm = N_("Several connections end at one instant; the kernel or supervisor log names the "
                  "process."),
    .client = N_("Ask for the state before sending the request again."),
    .server = N_("Look into dmesg (OOM) and the supervisor's log; give it memory or time."),
    .references = REFERENCES("gunicorn timeout", "Linux __tcp_close (RFC 2525 2.17)"),
    WEIGHTS(worker_killed_w),
    CONFIDENCE(.5, .6, .98),
};

static const struct weight conntrack_full_w[] = {
    YRD(CONNTRACK_FULL, 450),
    N(CONNTRACK_FULL, -400),
    Y(SYN_REPEATED, 30),
    Y(USER_OVERLOAD, 60),
    YHAS(RST_PAYLOAD, "resource exceeded", 100),
    YHASRD(LOG_KERNEL, "table full", 600),
};
const struct cause cause_conntrack_full = {
    .id = "conntrack-full",
    .group = GROUP_LOAD,
    .title = N_("the connection tracking table is full"),
    .what =
        N_("A router or node has no room for another connection and drops new ones; running ones "
           "go on."),
    .confirm = N_("nf_conntrack_count is at nf_conntrack_max; the kernel log says \"table full, "
                  "dropping packet\"."),
    .client = N_("Reuse connections; retry later."),
    .network = N_("Raise nf_conntrack_max and shorten its timeouts on that node."),
    .references =
        REFERENCES("Linux nf_conntrack-sysctl nf_conntrack_max", "kubernetes/kubernetes#18604"),
    WEIGHTS(conntrack_full_w),
    CONFIDENCE(.4, .5, .99),
};

static const struct weight ephemeral_exhaustion_w[] = {
    YRD(LOCAL_PORTS_EXHAUSTED, 600),
};
const struct cause cause_ephemeral_exhaustion = {
    .id = "ephemeral-exhaustion",
    .group = GROUP_LOAD,
    .title = N_("no local port is left"),
    .what = N_("This host (or the NAT for it) has used all source ports towards that destination."),
    .confirm =
        N_("connect says EADDRNOTAVAIL; ss -s shows many sockets in time-wait; another source "
           "address works."),
    .client = N_("Reuse connections, widen ip_local_port_range, or add source addresses."),
    .network = N_("Give the NAT more addresses."),
    .references = REFERENCES("Linux ip-sysctl ip_local_port_range",
                             "AWS NAT gateway ErrorPortAllocation", "RFC 6056"),
    WEIGHTS(ephemeral_exhaustion_w),
    CONFIDENCE(.9, .9, .98),
};
