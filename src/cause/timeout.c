/* Causes: timers that ran out (causes.md A2). */
#include "cause/catalogue.h"

static const struct weight idle_lb_rst_w[] = {
    Y(LOG_SAME_AGE, 80),
    YR(IDLE_ANSWERED, 120),
    YINR(IDLE_CUT, 1, 1e9, 200),
    YIS(IDLE_CUT_KIND, "rst-on-data", 250),
    YIS(IDLE_CUT_KIND, "fin|stall", -250),
    N(IDLE_CUT, -250),
    YIN(IDLE_BEFORE, 1, 20, -100),
    YIN(IDLE_BEFORE, 50, 1e9, 150),
    Y(IDLE_MATCHES, 60),
    YIS(RST_CLASS, "passive", 80),
    YIS(RST_CLASS, "active", -100),
    Y(RST_WINDOW_ODD, 80),
    Y(RST_BEFORE_RTT, 200), /* a box on the way has the timer */
    YIS(RST_CLASS, "foreign", 40),
    Y(FIN_BEFORE, -200),
    Y(RETRANSMITTED, -80),
    Y(RST_TTL_DIFFERS, 60),
    Y(USER_IDLE_SETTING, 300),
    N(USER_IDLE_SETTING, -200),
    Y(USER_PROXY, 100),
    N(USER_PROXY, -100),
    Y(USER_POOL, 40),
    N(USER_POOL, -100),
    N(OUT_RSTS, 200),
    Y(OUT_RSTS, -200),
    Y(RESPONSE_WAIT, -40),
    Y(SAME_IDLE, 150),
    N(SAME_IDLE, -30),
    Y(SAME_INSTANT_HOSTS, -250),
    Y(IDLE_USUAL, -250),
    YHAS(RST_PAYLOAD, "connection timeout|flow expired|no flow found", 150),
    Y(KEEPALIVE_HELPS, 100),
    N(KEEPALIVE_HELPS, -120),
    Y(RESET_HOP, 150),
};
const struct cause cause_idle_lb_rst = {
    .id = "idle-lb-rst",
    .group = GROUP_TIMEOUT,
    .title = N_("a load balancer or NAT forgot the idle connection"),
    .what =
        N_("The connection was silent longer than a box in between remembers it; the next packet "
           "was answered with a reset. The server does not know."),
    .confirm =
        N_("Hold connections idle for growing times: all beyond one time are reset at the next "
           "byte, none before it."),
    .client = N_("Close pooled connections, or send keepalives, at less than half of that time."),
    .server = N_("Send TCP keepalives well below that time, or close idle connections earlier."),
    .network = N_("Raise the idle timeout of the load balancer or NAT."),
    .references = REFERENCES("AWS NLB configurable idle timeout", "AWS NAT gateway troubleshooting",
                             "RFC 5382 REQ-5"),
    WEIGHTS(idle_lb_rst_w),
    CONFIDENCE(.85, .9, .98),
};

static const struct weight idle_lb_rst_pushed_w[] = {
    Y(LOG_SAME_AGE, 80),
    YR(IDLE_PUSHED, 120),
    YINR(HOLD_RESET, 1, 1e9, 150),
    YIN(HOLD_RESET, 0, 1.5, -150),
    YIN(IDLE_BEFORE, 1, 2, -80),
    YIN(IDLE_BEFORE, 50, 1e9, 60),
    Y(IDLE_MATCHES, 80),
    N(IDLE_PUSHED, -200),
    Y(FIN_BEFORE, -150),
    Y(RST_TTL_DIFFERS, 150),
    Y(RST_BOTH_WAYS, 120),
    Y(RST_WINDOW_ODD, 60),
    Y(RST_TRAIN, 60),
    YIS(RST_CLASS, "passive|foreign", 60),
    Y(USER_IDLE_SETTING, 250),
    N(USER_IDLE_SETTING, -200),
    Y(USER_PROXY, 100),
    N(OUT_RSTS, 300),
    Y(SENDER_LOCAL, -250),
    YIN(RESPONSE_WAIT, 1, 1e9, -120),
    YIS(RST_FROM, "client", -40),
    Y(REPEATED_SAME, 100),
    YIN(IDLE_CUT, 1, 1e9, 150),
    YIS(IDLE_CUT_KIND, "rst", 300),
    YIS(IDLE_CUT_KIND, "fin|stall|rst-on-data", -250),
    N(IDLE_CUT, -250),
    Y(KEEPALIVES, -40),
    Y(HARMLESS, -60),
    N(USER_PROXY, -200),
    Y(TARGET_LOCAL, -150),
    Y(SAME_IDLE, 250),
    N(SAME_IDLE, -200),
    Y(IDLE_USUAL, -250),
    YHAS(RST_PAYLOAD, "connection timeout|flow expired", 150),
    Y(KEEPALIVE_HELPS, 80),
    N(KEEPALIVE_HELPS, -80),
    Y(REQUEST_HEAD_CUT, -150),
    Y(RESET_HOP, 150),
};
const struct cause cause_idle_lb_rst_pushed = {
    .id = "idle-lb-rst-pushed",
    .group = GROUP_TIMEOUT,
    .title = N_("an idle timeout on the way (or in the server) reset the connection"),
    .what = N_("Nobody had sent anything for a while and the reset came by itself: a load balancer "
               "with \"TCP reset on idle\", or a server's idle timer that ends in a reset."),
    .confirm = N_("Hold another connection silent: it is reset after the same time, without a byte "
                  "being sent."),
    .client = N_("Send keepalives below half of that time, or let the pool close first."),
    .server = N_("Raise the server's idle timeout if it is the server's."),
    .network = N_("Raise the idle timeout of the load balancer (Azure: 4 to 100 minutes)."),
    .references = REFERENCES("Azure load-balancer-tcp-reset"),
    WEIGHTS(idle_lb_rst_pushed_w),
    CONFIDENCE(.9, .95, .98),
};

static const struct weight idle_silent_drop_w[] = {
    YR(STALLED, 150),
    YINR(RETRANSMITTED, 3, 1e9, 60),
    YR(GAVE_UP, 60),
    YIN(IDLE_BEFORE, 50, 1e9, 200),
    N(IDLE_BEFORE, -200),
    Y(IDLE_MATCHES, 60),
    Y(USER_IDLE_SETTING, 200),
    N(USER_IDLE_SETTING, -150),
    Y(NEW_CONN_WORKS, 100),
    YIS(IDLE_CUT_KIND, "stall", 300),
    YIS(IDLE_CUT_KIND, "fin|rst|rst-on-data", -250),
    N(IDLE_CUT, -250),
    Y(USER_POOL, 60),
    YIN(IDLE_BEFORE, 1, 20, -150),
    Y(SAME_IDLE, 60),
    Y(KEEPALIVE_HELPS, 100),
    N(KEEPALIVE_HELPS, -120),
};
const struct cause cause_idle_silent_drop = {
    .id = "idle-silent-drop",
    .group = GROUP_TIMEOUT,
    .title = N_("a firewall or NAT silently forgot the idle connection"),
    .what =
        N_("After a long silence the next data got no answer at all: a box in between forgot the "
           "connection and drops its packets."),
    .confirm = N_("Hold connections idle for growing times: beyond one time sending stalls."),
    .client = N_("Send TCP keepalives below that time; set TCP_USER_TIMEOUT to notice earlier."),
    .server = N_("Send TCP keepalives below that time."),
    .network = N_("Raise the idle timeout, or let the box reject instead of drop."),
    .references = REFERENCES("Google Cloud VPC connection tracking",
                             "Cisco ASA/FTD global timeouts", "RFC 5382 REQ-5", "RFC 9293 3.8.4"),
    WEIGHTS(idle_silent_drop_w),
    CONFIDENCE(.85, .9, .95),
};

static const struct weight keepalive_race_w[] = {
    YR(EPIPE_FIRST, 200),
    YISR(FIN_BEFORE, "server|responder|client and server", 60),
    YR(REUSED, 200),
    YR(USER_POOL, 120),
    YR(IDLE_ANSWERED, 20),
    Y(DATA_AFTER_FIN, 60),
    YIN(DATA_AFTER_FIN, 0, 1, 80),
    Y(RESPONSE_COMPLETE, 40),
    N(USER_POOL, -300),
    N(REUSED, -300),
    YIN(IDLE_BEFORE, 1, 130, 60),
    Y(RST_TTL_DIFFERS, -100),
    YIS(RST_CLASS, "passive", 60),
    Y(NOTHING_SENT, -200),
    Y(IDLE_PUSHED, -200),
    YIS(RST_FROM, "client", -200),
    YIS(IDLE_CUT_KIND, "fin", 300),
    YIS(IDLE_CUT_KIND, "rst|rst-on-data|stall", -150),
    N(IDLE_CUT, -150),
    Y(HARMLESS, -100),
    YIN(DATA_AFTER_FIN, 1.5, 1e9, -250),
    Y(SAME_IDLE, 150),
    Y(IDLE_USUAL, -150),
    N(KEEPALIVE_HELPS, 80),
    Y(KEEPALIVE_HELPS, -150),
    N(FIN_BEFORE, -200), /* the FIN is what races: it comes before the reset */
};
const struct cause cause_keepalive_race = {
    .id = "keepalive-race",
    .group = GROUP_TIMEOUT,
    .title = N_("the server closed the idle connection while the request was on its way"),
    .what = N_("The server's keep-alive timer ended just as a reused connection carried the next "
               "request: FIN and request crossed, the request was reset."),
    .confirm =
        N_("Watch when the server closes an idle connection; failures happen only at that age "
           "of silence and only on reused connections."),
    .client = N_("Let the client's idle time be shorter than the server's, and retry on a reused "
                 "connection that read nothing."),
    .server =
        N_("Make the keep-alive timeout longer than that of every client and proxy before it."),
    .network = N_("Load balancer idle time below the backend's keep-alive time."),
    .references = REFERENCES("nodejs/node#20256", "RFC 9112 9.3.1", "AWS ALB attributes"),
    WEIGHTS(keepalive_race_w),
    CONFIDENCE(.9, .95, .99),
};

static const struct weight keepalive_max_requests_w[] = {
    YINR(REUSED, 50, 1e9, 200), Y(RESPONSE_COMPLETE, 60), YIS(FIN_BEFORE, "server", 100),
    Y(USER_POOL, 60),           YR(USER_LIMIT, 100),      N(USER_LIMIT, -100),
    Y(IDLE_BEFORE, -80),        YR(REQUEST_LIMIT, 450),   N(REQUEST_LIMIT, -300),
    YR(SAME_INDEX, 450),        N(SAME_INDEX, -200),
};
const struct cause cause_keepalive_max_requests = {
    .id = "keepalive-max-requests",
    .group = GROUP_TIMEOUT,
    .title = N_("the server closes a connection after so many requests"),
    .what =
        N_("Servers close a keep-alive connection after a number of requests (nginx 1000, Apache "
           "100) or at an age; a request sent just then is lost."),
    .confirm = N_("Repeat requests on one connection: it fails at the same count each time."),
    .client = N_("Honour \"Connection: close\" and retry on a new connection."),
    .server = N_("Raise keepalive_requests / MaxKeepAliveRequests."),
    .references =
        REFERENCES("nginx keepalive_requests", "Apache MaxKeepAliveRequests", "RFC 9112 9.6"),
    WEIGHTS(keepalive_max_requests_w),
    CONFIDENCE(.9, .95, .98),
};

static const struct weight inflight_idle_cut_w[] = {
    N(LOG_SAME_AGE, -100),
    Y(LOG_SAME_AGE, 150),
    YINR(RESPONSE_WAIT, 1, 1e9, 100),
    YIN(RESPONSE_WAIT, 29, 1e9, 150),
    YIN(RESPONSE_WAIT, 1, 10, -60),
    Y(NO_REPLY_BYTES, 40),
    Y(ALL_ACKED, 40),
    Y(IDLE_MATCHES, 80),
    Y(REQUEST_SEEN, 40),
    Y(REPLY_CUT, -150),
    Y(USER_SLOW, 250),
    N(USER_SLOW, -250),
    Y(USER_IDLE_SETTING, 250),
    N(USER_IDLE_SETTING, -150),
    Y(USER_PROXY, 80),
    N(USER_PROXY, -100),
    Y(RETRANSMITTED, -150),
    Y(UPLOADING, -20),
    YIS(RST_FROM, "client", -150),
    YIN(HTTP_STATUS, 504, 504, 200),
    Y(DURATION_CUT, 300),
    N(DURATION_CUT, -300),
    Y(SAME_WAIT, 250),
    N(SAME_WAIT, -200),
    Y(SAME_INSTANT, -150),
    Y(REQUEST_PARTIAL, -300),
    Y(HELLO_SENT, -250), /* no request is in flight yet */
    Y(RST_TTL_DIFFERS, 60),
    Y(REQUEST_HEAD_CUT, -300),
};
const struct cause cause_inflight_idle_cut = {
    .id = "inflight-idle-cut",
    .group = GROUP_TIMEOUT,
    .title = N_("a proxy cut the connection while the server was still working"),
    .what = N_("The request was complete and the server silent for longer than a load balancer or "
               "proxy allows (60 s, 4 min ...); it cut the connection."),
    .confirm =
        N_("Failures come at one constant time after the request, whatever its content; shorter "
           "work passes."),
    .client = N_("Ask for the work as a job and poll for it, or split it."),
    .server = N_("Answer early and send heartbeats or chunks while working."),
    .network = N_("Raise the idle timeout of the proxy for this path."),
    .references = REFERENCES("AWS ALB idle timeout", "Azure load-balancer-tcp-idle-timeout",
                             "Cloudflare connection limits"),
    WEIGHTS(inflight_idle_cut_w),
    CONFIDENCE(.85, .88, .97),
};

static const struct weight server_read_timeout_w[] = {
    N(LOG_SAME_AGE, -100),
    Y(LOG_SAME_AGE, 150),
    YINR(HOLD_RESET, 1.5, 1e9, 170),
    YINR(HOLD_FIN, 1.5, 1e9, 170),
    YR(UPLOADING, 40),
    YR(IDLE_PUSHED, 60),
    YIN(HOLD_RESET, 0, 1.5, -150),
    Y(RESPONSE_WAIT, -80),
    YIN(HTTP_STATUS, 408, 408, 500),
    YINR(HTTP_STATUS, 408, 408, 200),
    YIS(RST_CLASS, "active", 60),
    YIS(RST_CLASS, "passive", -80),
    Y(USER_IDLE_SETTING, 200),
    N(USER_IDLE_SETTING, -100),
    Y(ALL_ACKED, 10),
    YIS(RST_FROM, "client", -300),
    Y(ABORT_ON_DATA, 450),
    Y(REPEATED_SAME, 80),
    N(RESPONSE_COMPLETE, 20),
    Y(NOTHING_SENT, 20),
    Y(EARLY_REPLY, -60),
    Y(RST_TTL_DIFFERS, -150),
    Y(LAST_DATA_TO_RST_SIDE, -60),
    N(USER_PROXY, 150),
    Y(TARGET_LOCAL, 60),
    Y(SAME_IDLE, 200),
    N(SAME_IDLE, -100),
    Y(REQUEST_PARTIAL, 20),
    N(REQUEST_PARTIAL, -60),
    YR(REQUEST_PAUSED, 300),
    Y(IDLE_USUAL, -100),
    Y(STORE_WORDS, -200),
    YR(REQUEST_HEAD_CUT, 350),
};
const struct cause cause_server_read_timeout = {
    .id = "server-read-timeout",
    .group = GROUP_TIMEOUT,
    .title = N_("the server did not wait longer for the request"),
    .what =
        N_("The server waits only so long for headers or body (slowloris guard); then it closes, "
           "with a reset where it is set so (nginx reset_timedout_connection)."),
    .confirm =
        N_("Send nothing, or a byte now and then: the connection dies when the gap exceeds one "
           "constant time. A 408 may come first."),
    .client = N_("Send the request without pauses, or in smaller parts."),
    .server = N_("Raise client_header_timeout / client_body_timeout or the like."),
    .references =
        REFERENCES("nginx client_body_timeout, reset_timedout_connection", "RFC 9110 15.5.9"),
    WEIGHTS(server_read_timeout_w),
    CONFIDENCE(.85, .9, .97),
};

static const struct weight app_deadline_abort_w[] = {
    N(LOG_SAME_AGE, -100),
    Y(LOG_SAME_AGE, 150),
    YINR(RESPONSE_WAIT, 1, 1e9, 150),
    YIN(RESPONSE_WAIT, 4, 1e9, 200),
    YIS(RST_CLASS, "active", 60),
    YIS(RST_CLASS, "passive", -100),
    Y(USER_SLOW, 200),
    N(USER_SLOW, -250),
    YR(USER_CLIENT_TIMEOUT, 200),
    N(USER_CLIENT_TIMEOUT, -50),
    Y(ABORT_ON_CLOSE, 100),
    Y(NO_REPLY_BYTES, 30),
    Y(USER_SERVER_LOG, 150),
    N(USER_SERVER_LOG, -80),
    Y(RST_TTL_DIFFERS, -150),
    Y(RETRANSMITTED, -150),
    N(USER_PROXY, 60),
    Y(HARMLESS, -80),
    Y(DURATION_CUT, 300),
    N(DURATION_CUT, -300),
    Y(SAME_WAIT, 250),
    N(SAME_WAIT, -200),
    Y(SAME_INSTANT, -150),
    Y(REQUEST_PARTIAL, -150),
    Y(HELLO_SENT, -200),
    Y(REQUEST_HEAD_CUT, -200),
    YINR(STALLED, 1, 1e9, 40), /* ours */
    N(ALL_ACKED, -200),
};
const struct cause cause_app_deadline_abort = {
    .id = "app-deadline-abort",
    .group = GROUP_TIMEOUT,
    .title = N_("an application gave up at its own deadline"),
    .what = N_("The program on the side that reset has a time limit for the work (worker timeout, "
               "query timeout, client deadline) and closed when it was over."),
    .confirm =
        N_("The connection ends at the same round time after each long request; the log of that "
           "side names a timeout."),
    .client = N_("Raise the deadline, or ask for less at once."),
    .server = N_("Raise the worker or query timeout, or answer that it is over before closing."),
    .references = REFERENCES("RFC 1122 4.2.2.13", "gunicorn timeout"),
    WEIGHTS(app_deadline_abort_w),
    CONFIDENCE(.6, .7, .97),
};

static const struct weight peer_keepalive_expired_w[] = {
    YR(IDLE_ANSWERED, 60),
    YIS(RST_CLASS, "passive", 80),
    YIS(RST_CLASS, "active", -250),
    YIN(IDLE_BEFORE, 100, 1e9, 60),
    YR(USER_NETWORK_CHANGED, 250),
    N(USER_NETWORK_CHANGED, -120),
    Y(RST_TTL_DIFFERS, -150),
    Y(FIN_BEFORE, -150),
    Y(KEEPALIVES, 60),
    YIN(IDLE_BEFORE, 1, 60, -150),
    YHAS(RST_PAYLOAD, "keep-alive timeout|keepalive timeout", 150),
};
const struct cause cause_peer_keepalive_expired = {
    .id = "peer-keepalive-expired",
    .group = GROUP_TIMEOUT,
    .title = N_("the other side's keepalive failed while the path was down"),
    .what = N_("The peer's TCP keepalive got no answer (the path was down, this side slept) and it "
               "closed; its reset was lost, so this side learnt it at its next send."),
    .confirm = N_("Look for a link, route or suspend event during the silence."),
    .client = N_("Reconnect after a network change; use shorter keepalives."),
    .server = N_("Use keepalive times that outlast short outages, if that is wanted."),
    .references = REFERENCES("RFC 9293 3.8.4", "tcp(7) TCP_KEEPIDLE"),
    WEIGHTS(peer_keepalive_expired_w),
    CONFIDENCE(.5, .6, .97),
};

static const struct weight peer_rto_gave_up_w[] = {
    YINR(GAVE_UP, 3, 1e9, 400),
    YINR(GAVE_UP, 2, 2, 200),
    YINR(GAVE_UP, 1, 1, 130),
    YR(ABORT_ON_TIMEOUT, 200),
    YINR(RETRANSMITTED, 3, 1e9, 60),
    Y(RST_TTL_DIFFERS, -80),
    N(USER_NETWORK_CHANGED, -20),
    Y(DATA_AFTER_FIN, -100),
    Y(RST_TRAIN, -60),
    Y(RESPONSE_COMPLETE, -40),
    YISX(STAGE, "syn"),
    YHAS(RST_PAYLOAD, "retransmit timeout", 150),
    Y(ZERO_WINDOW, 40),
};
const struct cause cause_peer_rto_gave_up = {
    .id = "peer-rto-gave-up",
    .group = GROUP_TIMEOUT,
    .title = N_("a side gave up after retransmitting in vain"),
    .what = N_("One side sent the same bytes again and again, got no acknowledgement and ended the "
               "connection: packets are lost on the way, or the other host is gone."),
    .confirm =
        N_("Look for loss in that direction (retransmissions on other connections, interface "
           "errors) or a firewall that dropped the flow."),
    .client = N_("Reconnect; if it repeats, measure loss to this host."),
    .server =
        N_("Look at retransmissions (nstat TcpRetransSegs) and the host's load at that time."),
    .network = N_("Look for loss, a black hole or dropped state on the path."),
    .references = REFERENCES("RFC 9293 3.8.3", "RFC 5482", "tcp(7) TCP_USER_TIMEOUT"),
    WEIGHTS(peer_rto_gave_up_w),
    CONFIDENCE(.5, .8, .97),
};

static const struct weight fin_wait2_late_data_w[] = {
    YINR(DATA_AFTER_FIN, 20, 1e9, 250),
    YR(DATA_AFTER_FIN, 20),
    Y(EPIPE_FIRST, 120),
    YIS(RST_CLASS, "passive", 60),
    YIS(RST_CLASS, "active", -60),
    Y(RST_TTL_DIFFERS, -100),
    YIN(DATA_AFTER_FIN, 0, 2, -60),
    Y(FIN_BOTH, -120),
    YHAS(RST_PAYLOAD, "data after close", 80),
};
const struct cause cause_fin_wait2_late_data = {
    .id = "fin-wait2-late-data",
    .group = GROUP_TIMEOUT,
    .title = N_("data came long after the other side had closed"),
    .what =
        N_("One side closed and its kernel kept the half-closed connection only for a time (60 s "
           "on Linux); data that came later found nobody."),
    .confirm = N_("Compare the age of the FIN with the moment of the data."),
    .client = N_("Stop sending after end of file; close too."),
    .server = N_("Stop sending when the client has closed."),
    .references = REFERENCES("RFC 9293 3.6", "Linux ip-sysctl tcp_fin_timeout"),
    WEIGHTS(fin_wait2_late_data_w),
    CONFIDENCE(.9, .97, .99),
};

static const struct weight max_conn_age_w[] = {
    YR(H2_GOAWAY, 100),
    YINR(AGE, 300, 1e9, 40),
    YIN(IDLE_BEFORE, 30, 1e9, -150),
    Y(ANSWERED_BEFORE, 40),
    YR(USER_IDLE_SETTING, 250),
    Y(USER_PROXY, 60),
    N(USER_PROXY, -60),
    YIS(FIN_BEFORE, "server", 60),
    Y(RETRANSMITTED, -80),
    YR(SAME_AGE, 400),
    N(SAME_AGE, -200),
    Y(IDLE_USUAL, 60),
    Y(LOG_SAME_AGE, 80),
};
const struct cause cause_max_conn_age = {
    .id = "max-conn-age",
    .group = GROUP_TIMEOUT,
    .title = N_("the connection reached the greatest age the server allows"),
    .what = N_("Servers, meshes and load balancers rotate connections at a fixed age, busy or not "
               "(gRPC max_connection_age, pool maxLifetime)."),
    .confirm = N_("Keep one connection busy: it ends at the same age each time."),
    .client = N_("Handle GOAWAY, and rotate connections earlier by yourself."),
    .server = N_("Add a grace period and jitter to the age limit."),
    .references = REFERENCES("grpc/grpc-go#6019", "RFC 9113 6.8"),
    WEIGHTS(max_conn_age_w),
    CONFIDENCE(.8, .85, .97),
};
