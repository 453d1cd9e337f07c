/* Steps: HTTP and other protocols. */
#include "step/private.h"

const struct step step_early_answer = {
    .id = "early-answer",
    .group = GROUP_PROTOCOL,
    .question = N_("Did an answer come before the request was complete?"),
    .why =
        N_("A server that refuses an upload early and closes turns its own answer into a reset."),
    .if_yes = N_("The status of that answer is the reason."),
    .if_no = N_("The server did not refuse early."),
    .how = N_("Read after the send error; try \"Expect: 100-continue\"."),
    .kinds = {FACT_EARLY_REPLY},
    .yes_is_suspect = true,
    .causes = {"http-early-reply-upload", "s3-early-error-close", "es-body-limit"},
    .cost = 0,
};
const struct step step_size_limit = {
    .id = "size-limit",
    .group = GROUP_PROTOCOL,
    .question = N_("Is the request larger than a limit on the way?"),
    .why = N_("Header and body limits end in 413, 431 or a reset."),
    .if_yes = N_("Make it smaller, or raise the limit."),
    .if_no = N_("Its size is not the cause."),
    .how = N_("client_max_body_size, http.max_content_length, LimitRequestFieldSize; halve the "
              "request until it passes."),
    .kinds = {FACT_HEADER_TOO_LARGE, FACT_SIZE_LIMIT, FACT_USER_SIZE_LIMIT},
    .yes_is_suspect = true,
    .answer = FACT_USER_SIZE_LIMIT,
    .causes = {"http-early-reply-upload", "http-header-too-large", "es-body-limit",
               "pmtu-blackhole"},
    .cost = 1,
};
const struct step step_right_service = {
    .id = "right-service",
    .group = GROUP_PROTOCOL,
    .question = N_("Is the right service behind this port?"),
    .why = N_("A client and a server of different protocols end in a reset."),
    .if_yes = N_("The service is the right one."),
    .if_no = N_("Use the right port."),
    .how = N_("On the server: ss -ltnp. From outside: look at the first bytes or the banner."),
    .kinds = {FACT_USER_RIGHT_SERVICE},
    .yes_is_suspect = false,
    .answer = FACT_USER_RIGHT_SERVICE,
    .causes = {"app-proto-mismatch", "tls-tls-to-plain", "tls-plain-to-tls"},
    .cost = 1,
};
const struct step step_tls_port = {
    .id = "tls-port",
    .group = GROUP_PROTOCOL,
    .question = N_("Is the port meant for TLS?"),
    .why = N_("Plain text to a TLS port (or the reverse) ends in an error, often a reset."),
    .if_yes = N_("Then plain text must not be sent to it."),
    .if_no = N_("Then TLS must not be spoken to it."),
    .how = N_("Look at the listener's configuration (ssl on the listen line)."),
    .kinds = {FACT_PLAIN_ON_TLS, FACT_PLAIN_ON_TLS_TEXT, FACT_USER_TLS_PORT},
    .yes_is_suspect = true,
    .answer = FACT_USER_TLS_PORT,
    .causes = {"tls-plain-to-tls", "tls-tls-to-plain"},
    .cost = 1,
};
const struct step step_access = {
    .id = "access",
    .group = GROUP_PROTOCOL,
    .question = N_("Does the service let in only certain clients or users?"),
    .why = N_("Databases and others close on clients they do not allow, sometimes after one line."),
    .if_yes = N_("Check the rule for this client."),
    .if_no = N_("Access rules are out."),
    .how = N_("pg_hba.conf, MySQL user@host, Redis protected mode, hosts.allow."),
    .kinds = {FACT_AUTH_WORDS, FACT_USER_ACCESS_LIST},
    .yes_is_suspect = true,
    .answer = FACT_USER_ACCESS_LIST,
    .causes = {"auth-abort", "conn-limit-reset", "s3-early-error-close"},
    .cost = 3,
};
