/* Causes: an application closed or died (causes.md A6). */
#include "cause/catalogue.h"

static const struct weight app_close_unread_w[] = {
    FROM_HOST,
    YIND(ABORT_ON_CLOSE, 1, 1, 600),
    YIN(ABORT_ON_CLOSE, 2, 1e9, 300),
    N(ABORT_ON_CLOSE, -400),
    YISD(KERNEL_SENT, "TCP_ABORT_ON_CLOSE", 600),
    YIS(KERNEL_SENT, "TCP_STATE|NO_SOCKET|TCP_TIMEWAIT_SOCKET|INVALID_SYN|TCP_KEEPALIVE_TIMEOUT",
        -400),
    YIND(UNREAD_AT_CLOSE, 1, 1e18, 600),
    N(UNREAD_AT_CLOSE, -300),
    Y(DROPPED_AT_ONCE, -300),
    YIN(ABORT_ON_DATA, 1, 1, -250),
    YIS(RST_CLASS, "active", 60),
    YIS(RST_CLASS, "passive", -100),
    Y(LAST_DATA_TO_RST_SIDE, 120),
    N(LAST_DATA_TO_RST_SIDE, -60),
    Y(NOTHING_SENT, -400),
    N(ALL_ACKED, 60),
    YIN(RESPONSE_WAIT, 1, 1e9, -150), /* unread data is met at once */
    Y(HOLD_RESET, -250),
    Y(RETRANSMITTED, -60),
    N(USER_READS_ALL, 250),
    Y(USER_READS_ALL, -250),
    Y(USER_LINGER, -150),
    YIS(RST_FROM, "client", -60),
    Y(REPEATED_SAME, 40),
    Y(REPLY_CUT, -100),
    Y(FIN_FROM_RST_SIDE, -100),
    Y(EARLY_REPLY, -60),
    YIN(GAVE_UP, 1, 2, -100),
    YIN(GAVE_UP, 3, 1e9, -300),
    Y(IDLE_PUSHED, -60),
    YISX(STAGE, "syn"),
    Y(HARMLESS, -50),
    Y(HELLO_SENT, -30),
    Y(SAME_INSTANT, -150),
    Y(SAME_INSTANT_HOSTS, -200),
    Y(OTHER_PROTOCOL, -200),
    Y(AUTH_WORDS, -150),
    YIN(HTTP_STATUS, 400, 431, -150),
    YIN(HTTP_STATUS, 503, 503, -100),
    Y(PLAIN_ON_TLS, -200),
    Y(PLAIN_ON_TLS_TEXT, -200),
    Y(SAME_AGE, -150),
    Y(KEEPALIVE_UNANSWERED, -250),
    YIN(RESPONSE_WAIT, 4, 1e9, -60),
    YHAS(RST_PAYLOAD, "aborted by the application", 60),
    Y(REPLY_UNREADABLE, -60),
    Y(NEUTRAL_SNI_OK, -100),
    Y(ANY_BYTES_CUT, 60),
    Y(REQUEST_PART, -100),
    Y(SEGMENT_LIMIT, -200),
    Y(REFUSED_AFTER, -150),
    Y(TLS_WORKS, -200),
};
const struct cause cause_app_close_unread = {
    .id = "app-close-unread",
    .group = GROUP_APPLICATION,
    .title = N_("the application closed with bytes still unread"),
    .what =
        N_("The program on the side that reset closed its socket while received bytes were waiting "
           "unread; the kernel then sends a reset instead of a FIN."),
    .confirm =
        N_("On that host TCPAbortOnClose goes up by one. Repeat without the extra bytes: it ends "
           "with a FIN."),
    .client = N_("Send no more than the server expects (no pipelining, no trailing bytes)."),
    .server =
        N_("Read or drain the request before closing: shutdown(SHUT_WR), read to the end, close."),
    .references =
        REFERENCES("RFC 1122 4.2.2.13", "RFC 2525 2.17", "Linux net/ipv4/tcp.c __tcp_close"),
    WEIGHTS(app_close_unread_w),
    CONFIDENCE(.6, .9, .99),
};

static const struct weight app_linger0_w[] = {
    FROM_HOST,
    YIND(ABORT_ON_DATA, 1, 1, 550),
    YIN(ABORT_ON_DATA, 2, 1e9, 250),
    N(ABORT_ON_DATA, -350),
    /* The state of linger 0, of a socket destroyed from outside and of a dropped queue alike. */
    YIS(KERNEL_SENT, "TCP_STATE", 250),
    YIS(KERNEL_SENT, "TCP_ABORT_ON_CLOSE|NO_SOCKET|TCP_TIMEWAIT_SOCKET|INVALID_SYN", -350),
    YD(DROPPED_AT_ONCE, 500),
    N(DROPPED_AT_ONCE, -300),
    Y(UNREAD_AT_CLOSE, -300),
    YIN(ABORT_ON_CLOSE, 1, 1, -300),
    YIS(RST_CLASS, "active", 60),
    YIS(RST_CLASS, "passive", -120),
    /* It tells a reset over a request from one over an answer, not abort from unread data. */
    Y(LAST_DATA_TO_RST_SIDE, 120),
    YIN(RESPONSE_WAIT, 1, 1e9, -100), /* who waits a second first has a clock: a deadline */
    Y(USER_LINGER, 350),
    N(USER_LINGER, -200),
    Y(DATA_AFTER_FIN, -150),
    Y(RETRANSMITTED, -60),
    Y(HOLD_RESET, 30),
    YIN(HOLD_RESET, 1.5, 1e9, -300),
    Y(EARLY_REPLY, -200),
    YIN(GAVE_UP, 1, 2, -100),
    YIN(GAVE_UP, 3, 1e9, -300),
    YISX(STAGE, "syn"),
    Y(HELLO_SENT, -60),
    Y(EARLY_EOF, -400),
    Y(HOLD_FIN, -400),
    Y(SAME_INSTANT, -100),
    Y(SAME_INSTANT_HOSTS, -150),
    Y(OTHER_PROTOCOL, -200),
    Y(AUTH_WORDS, -150),
    YIN(HTTP_STATUS, 400, 431, -150),
    YIN(HTTP_STATUS, 503, 503, -100),
    Y(PLAIN_ON_TLS, -200),
    Y(PLAIN_ON_TLS_TEXT, -200),
    Y(SAME_AGE, -150),
    Y(KEEPALIVE_UNANSWERED, -250),
    YHAS(RST_PAYLOAD, "aborted by the application", 100),
    Y(NEUTRAL_SNI_OK, -100),
    Y(ANY_BYTES_CUT, 60),
    Y(REQUEST_PART, -100),
    Y(REFUSED_AFTER, -150),
    Y(TLS_WORKS, -200),
    Y(NO_ABORT_COUNTED, -300),
};
const struct cause cause_app_linger0 = {
    .id = "app-linger0",
    .group = GROUP_APPLICATION,
    .title = N_("the application closes with a reset on purpose (SO_LINGER 0)"),
    .what =
        N_("The program set SO_LINGER to zero (proxies and benchmarks do), so its close is a reset "
           "even when everything was read."),
    .confirm =
        N_("On that host TCPAbortOnData goes up by one, and every close is a reset, also after a "
           "complete exchange."),
    .client =
        N_("If the answer was complete nothing is lost; otherwise treat it as a failed request."),
    .server = N_("Remove SO_LINGER 0, or close only after the answer was acknowledged."),
    .references = REFERENCES("socket(7) SO_LINGER", "HAProxy option nolinger"),
    WEIGHTS(app_linger0_w),
    CONFIDENCE(.5, .85, .98),
};

static const struct weight app_close_then_data_w[] = {
    YR(DATA_AFTER_FIN, 250),
    YR(EPIPE_FIRST, 150),
    Y(FIN_FROM_RST_SIDE, 60),
    N(FIN_FROM_RST_SIDE, -300),
    YIS(RST_CLASS, "passive", 80),
    YIS(RST_CLASS, "active", -40),
    Y(RST_TTL_DIFFERS, -120),
    YIN(DATA_AFTER_FIN, 20, 1e9, -300),
    Y(FIN_BOTH, -40),
    YIN(GAVE_UP, 3, 1e9, -300),
    Y(HARMLESS, -20),
    Y(REUSED, -80),
    Y(USER_POOL, -60),
    YIN(REUSED, 2, 1e9, -200),
    Y(NO_REPLY_BYTES, -250), /* a server that closes without a word is the story, not our bytes */
    YHAS(RST_PAYLOAD, "data after close", 150),
};
const struct cause cause_app_close_then_data = {
    .id = "app-close-then-data",
    .group = GROUP_APPLICATION,
    .title = N_("data was sent to a side that had closed already"),
    .what =
        N_("One side had sent FIN and closed its socket; the other went on sending, and its bytes "
           "were answered with a reset."),
    .confirm =
        N_("In the packets the FIN comes first; the sender gets EPIPE rather than ECONNRESET."),
    .client = N_("Stop at end of file: check for it before writing."),
    .server = N_("Close only after the client is done, or use shutdown(SHUT_WR) and read on."),
    .references = REFERENCES("RFC 9293 3.6", "RFC 1122 4.2.2.13"),
    WEIGHTS(app_close_then_data_w),
    CONFIDENCE(.95, .98, .99),
};

static const struct weight app_crash_w[] = {
    FROM_HOST,
    Y(STALLED, -400), /* the kernel of a dead process says FIN or RST */
    Y(REPLY_CUT, 180),
    N(SYN_RETRY_WORKED, 40),
    N(NEW_CONN_WORKS, 100),
    Y(USER_KILLED, 300),
    N(USER_KILLED, -300),
    Y(USER_SERVER_LOG, 150),
    YIS(RST_CLASS, "passive", -80),
    YIS(RST_FROM, "client", -300),
    Y(MANY_RESETS, 10),
    Y(NOTHING_SENT, -100),
    Y(RESPONSE_COMPLETE, -150),
    Y(REPEATED_SAME, 20),
    N(PORT_REUSED_LISTEN, 60),
    Y(EARLY_REPLY, -250),
    Y(HARMLESS, -150),
    Y(ABORT_ON_CLOSE, 60),
    Y(ABORT_ON_DATA, -60),
    Y(HELLO_SENT, -60),
    Y(SAME_INSTANT, 250),

    Y(SAME_INSTANT_HOSTS, -200),
    Y(SAME_IDLE, -150),
    Y(SAME_WAIT, -100),
    Y(SAME_AGE, -150),
    YIN(HTTP_STATUS, 400, 599, -150),
    Y(UPSTREAM_WORDS, -200),
    YHAS(LOG_KERNEL, "segfault|dumped", 400),
    Y(REFUSED_AFTER, 350),
    Y(ACCEPTED_BEFORE, 150),
};
const struct cause cause_app_crash = {
    .id = "app-crash",
    .group = GROUP_APPLICATION,
    .title = N_("the server process crashed"),
    .what = N_(
        "The process died and the kernel closed its connections; until it runs again new ones are "
        "refused."),
    .confirm =
        N_("Connect again at once: refused for a moment, then fine. The log or core dump names "
           "the crash."),
    .client = N_("Reconnect with backoff; ask for the state before repeating a change."),
    .server = N_("Look into the journal (systemctl status, coredumpctl) at that time."),
    .references = REFERENCES("RFC 2525 2.17", "Linux net/ipv4/tcp.c __tcp_close"),
    WEIGHTS(app_crash_w),
    CONFIDENCE(.7, .75, .98),
};

static const struct weight app_deploy_restart_w[] = {
    Y(USER_DEPLOYED, 400),
    N(USER_DEPLOYED, -350),
    Y(MANY_RESETS, 20),
    Y(SYN_RETRY_WORKED, 100),
    YIS(RST_CLASS, "passive", -40),
    Y(RST_TTL_DIFFERS, -100),
    Y(NEW_CONN_WORKS, 40),
    YIS(RST_FROM, "client", -300),
    Y(REPEATED_SAME, -150),
    N(REPEATED_SAME, 100),
    Y(REPLY_CUT, -60),
    Y(HELLO_SENT, -60),
    N(PORT_REUSED_LISTEN, 60),
    YIN(HOLD_RESET, 0, 1e9, -30),
    Y(HARMLESS, -60),
    Y(USER_KUBERNETES, -100),
    Y(SAME_INSTANT, 250),

    Y(SAME_INSTANT_HOSTS, -100),
    Y(SAME_IDLE, -150),
    Y(SAME_WAIT, -100),
    Y(UNPROVOKED, 30),
    Y(REFUSED_AFTER, 250),
    Y(ACCEPTED_BEFORE, 150),
};
const struct cause cause_app_deploy_restart = {
    .id = "app-deploy-restart",
    .group = GROUP_APPLICATION,
    .title = N_("the service was being restarted"),
    .what =
        N_("The listener closed: connections waiting to be accepted are reset, new ones refused "
           "until it listens again, running ones cut at the end of the grace time."),
    .confirm = N_("Poll once a second: the outage lasts seconds and matches a deployment."),
    .client = N_("Retry with backoff."),
    .server =
        N_("Hand the listener over (SO_REUSEPORT, socket activation), drain before stopping."),
    .network = N_("Take the instance out of the load balancer before it stops."),
    .references =
        REFERENCES("Linux inet_csk_listen_stop", "listen(2)", "Kubernetes pod termination"),
    WEIGHTS(app_deploy_restart_w),
    CONFIDENCE(.7, .8, .98),
};

static const struct weight l4_proxy_upstream_dead_w[] = {
    YR(LOG_NO_UPSTREAM, 200),
    YR(IMMEDIATE_ACCEPT, 30),
    YINR(HOLD_RESET, 0, 3, 30),
    YR(HOLD_FIN, 60),
    N(HOLD_RESET, -150),
    YR(USER_PROXY, 150),
    N(USER_PROXY, -300),
    Y(CLOSED_PORT_ACCEPTS, 100),
    N(NO_REPLY_BYTES, -250),
    YIS(RST_CLASS, "passive", -20),
    YIS(RST_FROM, "client", -300),
    YR(ANY_BYTES_CUT, 100),
    N(PORT_REUSED_LISTEN, 60),
    Y(LISTEN_OVERFLOW, -200),
    Y(EMBRYONIC_RST, -200),
    N(USER_SERVICE_RUNS, 200),
    Y(REPEATED_SAME, 60),
    Y(RST_TTL_DIFFERS, -60),
    Y(SYNACK_REPEATED, -150),
    Y(RST_BOTH_WAYS, -200),
    YHAS(RST_PAYLOAD, "network failure|reset received from the peer|destination unreachable", 150),
    YHAS(RST_PAYLOAD, "no available pool member|no server selected", 250), /* F5 */
    YHAS(PROXY_REFUSED, "status 502|status 503|status 504|refused|unreachable", 250),
    Y(SMALL_HELLO_OK, -300),
    Y(RST_BEFORE_RTT, -250),
    Y(TLS_WORKS, -200),
};
const struct cause cause_l4_proxy_upstream_dead = {
    .id = "l4-proxy-upstream-dead",
    .group = GROUP_APPLICATION,
    .title = N_("a forwarding proxy accepted, but nothing is behind it"),
    .what = N_("docker-proxy, ssh -L, kubectl port-forward or a TCP load balancer accepts the "
               "connection, cannot reach its target and closes."),
    .confirm =
        N_("Connect to the service directly, from inside or at the backend's address: refused."),
    .client = N_("Nothing to mend here; report it."),
    .server =
        N_("Let the service listen on 0.0.0.0 (not only 127.0.0.1) and check the port mapping."),
    .network = N_("Check the proxy's view of its backends."),
    .references = REFERENCES("moby/moby#13847", "docker-library/python#95"),
    WEIGHTS(l4_proxy_upstream_dead_w),
    CONFIDENCE(.7, .75, .98),
};

static const struct weight client_app_abort_w[] = {
    YR(LOG_CLIENT_ENDED, 250),
    YISR(RST_FROM, "client", 20),
    Y(SENDER_LOCAL, 60),
    YIS(RST_CLASS, "active", 60),
    YIS(RST_CLASS, "passive", -200), /* a stateless reply is no program's close */
    Y(LAST_DATA_TO_RST_SIDE, 40),
    Y(RST_TTL_DIFFERS, -250),
    N(RESPONSE_COMPLETE, 60),
    Y(FIN_FROM_RST_SIDE, 20),
    Y(USER_CLIENT_ABORTS, 300),
    N(USER_CLIENT_ABORTS, -200),
    Y(USER_CLIENT_TIMEOUT, 80),
    YIN(GAVE_UP, 1, 2, -100),
    YIN(GAVE_UP, 3, 1e9, -300),
    Y(RST_BEFORE_RTT, -300),
    Y(RST_FAN, -200),
    Y(TLS_ALERT_SENT, -300),
    Y(HARMLESS, -30),
    N(HARMLESS, 60),
    Y(SYN_ANSWERED_BAD_ACK, -300),
    YIN(DATA_AFTER_RST, 1, 1e18, -500),
    Y(UNSOLICITED_SYNACK, -250),
    Y(CERT_REJECTED, -300),
    Y(FIRST_BYTES_TEXT, -300),
    Y(SAME_WAIT, 60),
    Y(SAME_INSTANT_HOSTS, 60),
    Y(KEEPALIVE_UNANSWERED, -250),
    Y(NO_ABORT_COUNTED, -300),
};
const struct cause cause_client_app_abort = {
    .id = "client-app-abort",
    .group = GROUP_APPLICATION,
    .title = N_("the client itself ended the connection"),
    .what =
        N_("The client's program closed (timeout, cancel, exit, done early) with data still coming "
           "or unread; the server sees a reset."),
    .confirm =
        N_("The reset leaves the client's host; there TCPAbortOnClose or TCPAbortOnData goes up."),
    .client = N_("Raise the client's timeout, read the answer to its end, or accept it."),
    .server = N_("Nothing to mend; log it as a client abort."),
    .references = REFERENCES("RFC 2525 2.17", "RFC 1122 4.2.2.13"),
    WEIGHTS(client_app_abort_w),
    CONFIDENCE(.95, .95, .99),
};

static const struct weight benign_probe_rst_w[] = {
    YR(CLIENT_ABORTED_SYN, 200),
    YR(UNSOLICITED_SYNACK, 350),
    YR(PERIODIC_PROBE, 250),
    YR(STRAY_SEGMENT, 500),
    N(NOTHING_SENT, -400),
    YIS(RST_FROM, "server", -400),
    Y(USER_MONITOR, 300),
    N(USER_MONITOR, -250),
    Y(RST_TTL_DIFFERS, -200),
    Y(HARMLESS, 60),
    Y(RST_FAN, -200),
    Y(SYN_ANSWERED_BAD_ACK, -150),
    Y(DATA_AFTER_RST, -60),
    Y(RST_IGNORED, -300),
    Y(RST_OUT_OF_WINDOW, -150),
    Y(RST_SEQ_INEXACT, -100),
    Y(MANY_RESETS, 60),
};
const struct cause cause_benign_probe_rst = {
    .id = "benign-probe-rst",
    .group = GROUP_APPLICATION,
    .title = N_("a check or scan that connects and hangs up"),
    .what =
        N_("A health check, monitor, scanner or browser opened a connection (or got an answer it "
           "had not asked for) and reset it without sending anything."),
    .confirm = N_("It comes from the same address again and again, with zero bytes."),
    .client = N_("None needed; a check can close with FIN to be quieter."),
    .server = N_("Leave it out of alerts."),
    .benign = true,
    .references = REFERENCES("blog.cloudflare.com/tcp-resets-timeouts"),
    WEIGHTS(benign_probe_rst_w),
    CONFIDENCE(.9, .95, .97),
};

static const struct weight benign_unclean_close_w[] = {
    Y(STRAY_SEGMENT, -300),
    Y(HARMLESS, 200),
    N(HARMLESS, -350),
    Y(RESPONSE_COMPLETE, 100),
    N(RESPONSE_COMPLETE, -150),
    Y(FIN_BOTH, 60),
    Y(CLOSE_NOTIFY, 80),
    Y(REPLY_CUT, -400),
    Y(RST_TTL_DIFFERS, -150),
    Y(ANSWERED_BEFORE, 30),
    Y(NO_REPLY_BYTES, -250),
    N(FIN_BEFORE, -40),
    Y(TLS_ALERT, -150),
    Y(EARLY_REPLY, -300),
    Y(RETRANSMITTED, -30),
    YIN(GAVE_UP, 1, 2, -100),
    YIN(GAVE_UP, 3, 1e9, -300),
    YIN(DATA_AFTER_RST, 1, 1e18, -200),
    Y(RST_FAN, -200),
    YISX(STAGE, "syn|ack"),
    N(ALL_ACKED, -60),
    Y(RST_BEFORE_RTT, -200),
    Y(TLS_ALERT_SENT, -100),
    Y(OTHER_PROTOCOL, -150),
    Y(FIRST_BYTES_TEXT, -100),
    YIN(HTTP_STATUS, 400, 599, -20),
    YIN(DATA_AFTER_FIN, 5, 1e9, -150),
    Y(KEEPALIVE_UNANSWERED, -200),
    Y(AUTH_WORDS, -200),
};
const struct cause cause_benign_unclean_close = {
    .id = "benign-unclean-close",
    .group = GROUP_APPLICATION,
    .title = N_("an untidy but harmless close"),
    .what = N_("The exchange was complete and the connection was ended with a reset instead of, or "
               "after, the usual FIN. Browsers, Windows and many clients do so."),
    .confirm = N_("All bytes were acknowledged and the answer was complete before the reset."),
    .client = N_("None needed."),
    .server = N_("None needed; leave it out of alerts."),
    .benign = true,
    .references = REFERENCES("RFC 9112 9.6", "RFC 1122 4.2.2.13"),
    WEIGHTS(benign_unclean_close_w),
    CONFIDENCE(.95, .98, .99),
};
