/* Causes: HTTP and other protocols misunderstood or misused (causes.md A5). */
#include "cause/catalogue.h"

static const struct weight http_early_reply_upload_w[] = {
    Y(LOG_SAME_SIZE, 120),
    N(LOG_SAME_SIZE, -60),
    YRD(EARLY_REPLY, 550),
    NX(EARLY_REPLY),
    YIN(HTTP_STATUS, 413, 413, 300),
    YINR(HTTP_STATUS, 400, 499, 40),
    YR(UPLOADING, 60),
    YIN(HTTP_STATUS, 200, 299, -150),
    Y(SIZE_LIMIT, 300),
    N(SIZE_LIMIT, -200),
    Y(USER_SIZE_LIMIT, 250),
    N(USER_SIZE_LIMIT, -150),
    YIS(RST_FROM, "client", -200),
    Y(HELLO_SENT, -200),
    N(NO_REPLY_BYTES, 40),
    Y(NO_REPLY_BYTES, -150),
    Y(ABORT_ON_CLOSE, 60),
    Y(RST_TTL_DIFFERS, -150),
    N(ALL_ACKED, 40),
    N(HTTP_STATUS, -200),
    YIS(RST_CLASS, "active", 30),
    NX(UPLOADING),
    YIN(HTTP_STATUS, 431, 431, -300),
    Y(SAME_SIZE, 150),
    N(SAME_SIZE, -60),
    YINX(EARLY_REPLY, 417, 417),
    Y(STORE_WORDS, -250),
    YIN(REQUEST_PAUSED, 5, 1e9, -400),
    Y(REPLY_UNREADABLE, 200),
    Y(REDIRECT, 40),
    Y(CONTINUE, -60),
};
const struct cause cause_http_early_reply_upload = {
    .id = "http-early-reply-upload",
    .group = GROUP_PROTOCOL,
    .title = N_("the server refused the upload before it had read it"),
    .what = N_(
        "The server answered (413, 401, 403, a redirect ...) and closed while the body was still "
        "coming; the unread bytes turn the close into a reset, and the answer may be lost."),
    .confirm =
        N_("Read after the send error: the status is there. Send \"Expect: 100-continue\", or "
           "smaller bodies until it passes."),
    .client =
        N_("Use \"Expect: 100-continue\", read the answer after a send error, and mind the status: "
           "it names the reason."),
    .server =
        N_("Raise the limit (client_max_body_size ...) or read and drop the body before closing "
           "(lingering close)."),
    .deterministic = true,
    .references = REFERENCES("RFC 9112 9.6", "RFC 9110 10.1.1", "nginx lingering_close"),
    WEIGHTS(http_early_reply_upload_w),
    CONFIDENCE(.92, .95, .99),
};

static const struct weight http_header_too_large_w[] = {
    YRD(HEADER_TOO_LARGE, 600),
    YINR(HTTP_STATUS, 431, 431, 500),
    YINR(HTTP_STATUS, 414, 414, 500),
    YHAS(REQUEST_PART, "header|cookie", 100),
};
const struct cause cause_http_header_too_large = {
    .id = "http-header-too-large",
    .group = GROUP_PROTOCOL,
    .title = N_("the request's header is too large"),
    .what =
        N_("Cookies, tokens or the URI exceed the server's header limit (4 to 32 KiB); it answered "
           "so and closed."),
    .confirm = N_("Send the same request with fewer headers: it passes below a limit."),
    .client = N_("Shrink cookies and headers, move data into the body."),
    .server =
        N_("Raise the header limit (large_client_header_buffers, LimitRequestFieldSize ...)."),
    .deterministic = true,
    .references = REFERENCES("RFC 6585 5", "RFC 9110 15.5.15"),
    WEIGHTS(http_header_too_large_w),
    CONFIDENCE(.93, .94, .98),
};

static const struct weight http_parse_reject_w[] = {
    YINR(HTTP_STATUS, 400, 400, 400),
    YINR(HTTP_STATUS, 505, 505, 400),
    YINR(HTTP_STATUS, 501, 501, 200),
    Y(PLAIN_ON_TLS_TEXT, -500),
    Y(HEADER_TOO_LARGE, -400),
    Y(EARLY_REPLY, -150),
    Y(HELLO_SENT, -400),
    Y(FIRST_BYTES_TEXT, -300),
    Y(OTHER_PROTOCOL, -200),
    Y(REQUEST_PART, 100),
    Y(STORE_WORDS, -300),
    YIN(RESPONSE_WAIT, 4, 1e9, -60),
    Y(UPLOADING, -60),
};
const struct cause cause_http_parse_reject = {
    .id = "http-parse-reject",
    .group = GROUP_PROTOCOL,
    .title = N_("the server does not understand the request"),
    .what =
        N_("A malformed request line or header, or a guard against request smuggling: the server "
           "says 400 (or nothing) and closes."),
    .confirm = N_("A minimal GET to the same place passes."),
    .client = N_("Correct the request; look at header syntax and lengths."),
    .server = N_("Look into the error log: it names the offending line."),
    .deterministic = true,
    .references = REFERENCES("RFC 9112 2.2", "RFC 9110 15.5.1"),
    WEIGHTS(http_parse_reject_w),
    CONFIDENCE(.9, .92, .97),
};

static const struct weight http_wrong_version_w[] = {
    YISR(OTHER_PROTOCOL, "HTTP response", 300),
    YISR(OTHER_PROTOCOL, "HTTP/2|HTTP/2 frame|HTTP/2 GOAWAY", 300),
    YINR(HTTP_STATUS, 505, 505, 250),
    YINR(HTTP_STATUS, 426, 426, 300),
    YX(HELLO_SENT),
    YX(FIRST_BYTES_TEXT),
    YX(FIRST_BYTES_TLS),
    YR(HTTP_OTHER_OK, 450),
    N(HTTP_OTHER_OK, -300),
    Y(PLAIN_ON_TLS_TEXT, -300),
};
const struct cause cause_http_wrong_version = {
    .id = "http-wrong-version",
    .group = GROUP_PROTOCOL,
    .title = N_("HTTP/2 and HTTP/1.1 were mixed up"),
    .what = N_("One side speaks HTTP/2 (h2c, gRPC) and the other only HTTP/1.1."),
    .confirm = N_("Try both versions explicitly."),
    .client = N_("Speak the version the server has; let ALPN choose."),
    .server = N_("Enable the version that clients use on this port."),
    .deterministic = true,
    .references = REFERENCES("RFC 9113 3.4", "RFC 7301"),
    WEIGHTS(http_wrong_version_w),
    CONFIDENCE(.95, .96, .98),
};

static const struct weight http_100_ignored_w[] = {
    YINR(HTTP_STATUS, 417, 417, 500),
    YR(UPLOADING, 20),
    Y(STALLED, 60),
    YIN(RESPONSE_WAIT, 0.9, 5, 20),
    Y(EARLY_REPLY, -150),
    Y(NOTHING_ACKED, -200),
    N(UPLOADING, -300),
    YIN(EARLY_REPLY, 417, 417, 100),
    Y(CONTINUE, -300),
    YHAS(REQUEST_PART, "expect", 250),
};
const struct cause cause_http_100_ignored = {
    .id = "http-100-ignored",
    .group = GROUP_PROTOCOL,
    .title = N_("\"Expect: 100-continue\" is mishandled"),
    .what =
        N_("The server or a proxy does not answer \"Expect: 100-continue\", or refuses it (417)."),
    .confirm = N_("Send the same request with and without the header."),
    .client = N_("Leave the header out."),
    .server = N_("Answer 100 Continue, or ignore the header."),
    .deterministic = true,
    .references = REFERENCES("RFC 9110 10.1.1"),
    WEIGHTS(http_100_ignored_w),
    CONFIDENCE(.9, .92, .95),
};

static const struct weight h2_goaway_rststream_w[] = {
    YR(H2_GOAWAY, 500),
    Y(RST_SEEN, -250),
    N(RST_SEEN, 100),
    N(CONN_RESET, 100),
};
const struct cause cause_h2_goaway_rststream = {
    .id = "h2-goaway-rststream",
    .group = GROUP_PROTOCOL,
    .title = N_("an HTTP/2 stream was reset, not the TCP connection"),
    .what =
        N_("The server sent RST_STREAM or GOAWAY; libraries print \"reset\", but TCP is alive."),
    .confirm =
        N_("The socket is still established and no RST was captured; the HTTP/2 error code says "
           "why."),
    .client = N_("Obey the last stream id of GOAWAY; ping less often (ENHANCE_YOUR_CALM)."),
    .server = N_("Look up the error code in the server's log."),
    .references = REFERENCES("RFC 9113 6.4, 6.8, 7", "zeromicro/go-zero#3250"),
    WEIGHTS(h2_goaway_rststream_w),
    CONFIDENCE(.98, .99, .99),
};

static const struct weight app_proto_mismatch_w[] = {
    YR(OTHER_PROTOCOL, 400),
    Y(BANNER_FIRST, 40),
    N(USER_RIGHT_SERVICE, 350),
    NR(USER_RIGHT_SERVICE, 0),
    Y(USER_RIGHT_SERVICE, -350),
    Y(REPEATED_SAME, 40),
    N(REPEATED_SAME, -200),
    Y(FIRST_BYTES_TEXT, -20),
    YX(SERVER_HELLO),
    YISX(OTHER_PROTOCOL, "HTTP/2|HTTP/2 frame"),
    Y(RST_TTL_DIFFERS, -100),
    YIS(OTHER_PROTOCOL, "HTTP response|HTTP/2 preface|HTTP/2 frame|HTTP/2 GOAWAY|HTTP/2 RST_STREAM",
        -350),
    YIS(OTHER_PROTOCOL, "SSH", 60),
    YR(ANY_BYTES_CUT, 150), /* whatever is said: it is not the language */
    Y(TLS_WORKS, -200),
    NR(PLAIN_WORKS, 120),
    NR(TLS_WORKS, 120),
};
const struct cause cause_app_proto_mismatch = {
    .id = "app-proto-mismatch",
    .group = GROUP_PROTOCOL,
    .title = N_("another service answers on this port"),
    .what = N_("Client and server speak different protocols (HTTP to SSH, TLS to a database ...)."),
    .confirm = N_("Look at the first bytes of the server: its banner names it."),
    .client = N_("Use the right port."),
    .server = N_("Check which service listens there (ss -ltnp)."),
    .deterministic = true,
    .references = REFERENCES("RFC 6335"),
    WEIGHTS(app_proto_mismatch_w),
    CONFIDENCE(.9, .92, .98),
};

static const struct weight auth_abort_w[] = {
    YR(AUTH_WORDS, 350),
    YR(USER_ACCESS_LIST, 200),
    N(USER_ACCESS_LIST, -250),
    Y(HELLO_SENT, -100),
    YINR(HTTP_STATUS, 401, 401, 60),
    YINR(HTTP_STATUS, 403, 403, 60),
    Y(EARLY_REPLY, -200),
    N(USER_ALL_CLIENTS, 100),
    Y(USER_ALL_CLIENTS, -150),
    Y(RST_TTL_DIFFERS, -150),
    Y(USER_OTHER_PATH, 60),
    Y(HARMLESS, -100),
    YHAS(SERVICE_REFUSED,
         "denied|not allowed|authentication|not authorized|protected mode|blocked|no pg_hba", 200),
    YHAS(PROXY_REFUSED, "status 401|status 403|status 407|not allowed by ruleset", 250),
    YHAS(RST_PAYLOAD, "not authorized", 60),
};
const struct cause cause_auth_abort = {
    .id = "auth-abort",
    .group = GROUP_PROTOCOL,
    .title = N_("the server does not let this client in"),
    .what = N_("Wrong credentials or an access rule: the server says a short word (or nothing) and "
               "closes."),
    .confirm =
        N_("Read before writing: the server's text says why. Try another user or source address."),
    .client = N_("Correct the credentials, or ask for access."),
    .server =
        N_("Correct the access rule (pg_hba.conf, MySQL host, Redis protected mode, hosts.deny)."),
    .deterministic = true,
    .references = REFERENCES("PostgreSQL pg_hba.conf", "Redis protected-mode"),
    WEIGHTS(auth_abort_w),
    CONFIDENCE(.85, .87, .98),
};
