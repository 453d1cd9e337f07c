/* Steps: timers. */
#include "step/private.h"

const struct step step_idle_time = {
    .id = "idle-time",
    .title = N_("idle time"),
    .group = GROUP_TIMEOUT,
    .question = N_("Had the connection been silent before it was cut?"),
    .why =
        N_("Load balancers, NATs and servers forget or close silent connections after a set time."),
    .if_yes =
        N_("Compare the silence with the timeouts on the path (60, 240, 350, 600, 900, 3600 s)."),
    .if_no = N_("No idle timeout."),
    .how = N_("The gap before the reset is in the packets."),
    .kinds = {FACT_IDLE_BEFORE, FACT_IDLE_PUSHED, FACT_IDLE_ANSWERED},
    .yes_is_suspect = true,
    .causes = {"idle-lb-rst", "idle-lb-rst-pushed", "idle-silent-drop", "keepalive-race",
               "ipvs-idle-900", "nat-mapping-expired", "peer-keepalive-expired"},
    .cost = 0,
};
const struct step step_idle_setting = {
    .id = "idle-setting",
    .title = N_("idle setting"),
    .group = GROUP_TIMEOUT,
    .question = N_("Is a timeout of about that length set on the path or in the server?"),
    .why = N_("A cut after one constant time is somebody's setting."),
    .if_yes =
        N_("That box or server cuts it: raise its timeout, or send keepalives below half of it."),
    .if_no = N_("Nobody you know of has that timeout."),
    .how = N_("Look at load balancer, proxy, NAT and server settings; hold a second connection "
              "idle and see when it is cut."),
    .kinds = {FACT_USER_IDLE_SETTING, FACT_IDLE_CUT},
    .yes_is_suspect = true,
    .answer = FACT_USER_IDLE_SETTING,
    .causes = {"idle-lb-rst", "idle-lb-rst-pushed", "idle-silent-drop", "inflight-idle-cut",
               "server-read-timeout", "nat-mapping-expired", "max-conn-age"},
    .test = "idle",
    .cost = 3,
};
const struct step step_reused_connection = {
    .id = "reused-connection",
    .title = N_("reused connection"),
    .group = GROUP_TIMEOUT,
    .question = N_("Does the client keep connections open and use them again?"),
    .why = N_("A request on a reused connection can meet the server's close on the way."),
    .if_yes =
        N_("Keep the client's idle time below the server's, and retry once on a new connection."),
    .if_no = N_("A stale connection is out."),
    .how = N_("Look at the HTTP client's pool or keep-alive settings."),
    .kinds = {FACT_REUSED, FACT_USER_POOL},
    .yes_is_suspect = true,
    .answer = FACT_USER_POOL,
    .causes = {"keepalive-race", "local-stale-pool", "keepalive-max-requests", "idle-lb-rst",
               "s3-idle-or-short-body"},
    .test = "http",
    .cost = 1,
};
const struct step step_request_count = {
    .id = "request-count",
    .title = N_("request count"),
    .group = GROUP_TIMEOUT,
    .question = N_("Does one connection take only so many requests?"),
    .why = N_("Servers close a kept connection after a number of requests (nginx 1000, Apache "
              "100); the next one is lost."),
    .if_yes = N_("Honour \"Connection: close\", or raise the number."),
    .if_no = N_("The number of requests is not the reason."),
    .how = N_("Repeat requests on one connection and count."),
    .kinds = {FACT_REQUEST_LIMIT},
    .yes_is_suspect = true,
    .answer = FACT_REQUEST_LIMIT,
    .causes = {"keepalive-max-requests", "max-conn-age"},
    .test = "http",
    .cost = 2,
};
const struct step step_slow_answer = {
    .id = "slow-answer",
    .title = N_("slow answer"),
    .group = GROUP_TIMEOUT,
    .question = N_("Does the server work long on such a request?"),
    .why = N_("Proxies and workers cut requests that take longer than they allow."),
    .if_yes = N_("Look for the timeout that has the length of the wait."),
    .if_no = N_("A deadline is unlikely."),
    .how = N_("Look at the request's duration in the server's log, and try a smaller one."),
    .kinds = {FACT_USER_SLOW, FACT_RESPONSE_WAIT, FACT_DURATION_CUT},
    .yes_is_suspect = true,
    .answer = FACT_USER_SLOW,
    .causes = {"inflight-idle-cut", "app-deadline-abort", "server-read-timeout",
               "tls-handshake-timeout"},
    .test = "duration",
    .cost = 1,
};
const struct step step_client_timeout = {
    .id = "client-timeout",
    .title = N_("client timeout"),
    .group = GROUP_TIMEOUT,
    .question = N_("Does the client give up after about that time?"),
    .why = N_("Many \"resets\" in a server's log are clients that stopped waiting."),
    .if_yes = N_("The client ended it: raise its timeout or answer sooner."),
    .if_no = N_("The client would have waited."),
    .how = N_("Look at the client's timeout settings."),
    .kinds = {FACT_USER_CLIENT_TIMEOUT},
    .yes_is_suspect = true,
    .answer = FACT_USER_CLIENT_TIMEOUT,
    .causes = {"client-app-abort", "app-deadline-abort", "local-keepalive-kill"},
    .cost = 1,
};
const struct step step_gave_up = {
    .id = "gave-up",
    .title = N_("gave up"),
    .group = GROUP_TIMEOUT,
    .question = N_("Had somebody retransmitted in vain before?"),
    .why = N_("Unanswered retransmissions tell of loss, dropped state or a dead host, not of a "
              "decision to close."),
    .if_yes = N_("The path or the other host was dead: look there."),
    .if_no = N_("Packets got through until the end."),
    .how = N_("Retransmissions are in the packets; nstat shows TcpRetransSegs and TCPTimeouts."),
    .kinds = {FACT_GAVE_UP, FACT_ABORT_ON_TIMEOUT},
    .yes_is_suspect = true,
    .causes = {"peer-rto-gave-up", "fw-midstream-drop", "local-keepalive-kill", "pmtu-blackhole",
               "idle-silent-drop"},
    .cost = 0,
};
