/*
 * A line of an application's or proxy's log: what went wrong in it, with whom, when, after how long
 * and how many bytes. Words are looked for, no format is demanded: a line is often all there is,
 * and often wrapped in somebody else's. Where programs differ, their own words decide (errno texts
 * of libc and Winsock, Go's net package, the JDK, Node, urllib3, nginx, HAProxy's termination
 * state, Envoy's response flags).
 */
#include "evidence/private.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_READ 4096 /* of a longer line the rest is not looked at */

static const struct phrase {
    const char *words;
    enum logged error;
    const char *stage; /* NULL: the words do not tell */
} phrases[] = {
    /* the more telling words first: a line often holds several */
    {"nf_conntrack: table full", LOGGED_KERNEL, NULL},
    {"Possible SYN flooding", LOGGED_KERNEL, NULL},
    {"consider tuning tcp_mem", LOGGED_KERNEL, NULL},
    {"too many orphaned sockets", LOGGED_KERNEL, NULL},
    {"Out of memory: Killed process", LOGGED_KERNEL, NULL},
    {"oom-kill:", LOGGED_KERNEL, NULL},
    {": segfault at ", LOGGED_KERNEL, NULL},
    {"WORKER TIMEOUT", LOGGED_KERNEL, NULL}, /* gunicorn's arbiter, which then sends SIGKILL */
    {"Main process exited, code=killed", LOGGED_KERNEL, NULL},
    {"Main process exited, code=dumped", LOGGED_KERNEL, NULL},
    {"Too many open files", LOGGED_KERNEL, NULL},
    {"client prematurely closed", LOGGED_CLIENT, NULL},
    {"client closed connection", LOGGED_CLIENT, NULL},
    {"downstream_remote_disconnect", LOGGED_CLIENT, NULL},
    {"wrong version number", LOGGED_NOT_TLS, "handshake"},
    {"does not look like a TLS handshake", LOGGED_NOT_TLS, "handshake"},
    {"Unsupported or unrecognized SSL message", LOGGED_NOT_TLS, "handshake"},
    {"plain HTTP request was sent to HTTPS port", LOGGED_PLAIN, "request"},
    {"http: server gave HTTP response to HTTPS client", LOGGED_NOT_TLS, "handshake"},
    {"not an SSL/TLS record", LOGGED_PLAIN, "handshake"},
    {"upstream prematurely closed", LOGGED_EOF, NULL},
    {"connection termination", LOGGED_EOF, NULL},
    {"remote reset", LOGGED_RESET, NULL},
    {"connection refused", LOGGED_REFUSED, "connect"},
    {"actively refused it", LOGGED_REFUSED, "connect"},
    {"ECONNREFUSED", LOGGED_REFUSED, "connect"},
    {"[Errno 111]", LOGGED_REFUSED, "connect"},
    {"connection reset", LOGGED_RESET, NULL},
    {"forcibly closed by the remote host", LOGGED_RESET, NULL},
    {"WinError 10054", LOGGED_RESET, NULL},
    {"WSAECONNRESET", LOGGED_RESET, NULL},
    {"(10054)", LOGGED_RESET, NULL},
    {"ECONNRESET", LOGGED_RESET, NULL},
    {"[Errno 104]", LOGGED_RESET, NULL},
    {"errno=104", LOGGED_RESET, NULL},
    {"(104:", LOGGED_RESET, NULL},
    {"(104)", LOGGED_RESET, NULL},
    {"broken pipe", LOGGED_PIPE, "request"},
    {"EPIPE", LOGGED_PIPE, "request"},
    {"[Errno 32]", LOGGED_PIPE, "request"},
    {"errno=32", LOGGED_PIPE, "request"},
    {"software caused connection abort", LOGGED_ABORTED, NULL},
    {"ECONNABORTED", LOGGED_ABORTED, NULL},
    {"WinError 10053", LOGGED_ABORTED, NULL},
    {"socket hang up", LOGGED_EOF, "response"},
    {"unexpected EOF", LOGGED_EOF, "response"},
    {"unexpected end of file", LOGGED_EOF, "response"},
    {"failed to respond", LOGGED_EOF, "response"},
    {"closed connection without response", LOGGED_EOF, "response"},
    {"Server disconnected", LOGGED_EOF, "response"},
    {"Empty reply from server", LOGGED_EOF, "response"},
    {"response ended prematurely", LOGGED_EOF, "response"},
    {"server closed the connection unexpectedly", LOGGED_EOF, NULL},
    {"server has gone away", LOGGED_EOF, NULL},
    {"terminating connection due to administrator command", LOGGED_EOF, NULL},
    {"broken connection to", LOGGED_EOF, NULL},
    {"no route to host", LOGGED_UNREACHABLE, "connect"},
    {"host is unreachable", LOGGED_UNREACHABLE, "connect"},
    {"network is unreachable", LOGGED_UNREACHABLE, "connect"},
    {"EHOSTUNREACH", LOGGED_UNREACHABLE, "connect"},
    {"ENETUNREACH", LOGGED_UNREACHABLE, "connect"},
    {"Name or service not known", LOGGED_NAME, "dns"},
    {"Temporary failure in name resolution", LOGGED_NAME, "dns"},
    {"no such host", LOGGED_NAME, "dns"},
    {"Could not resolve host", LOGGED_NAME, "dns"},
    {"UnknownHostException", LOGGED_NAME, "dns"},
    {"ENOTFOUND", LOGGED_NAME, "dns"},
    {"EAI_AGAIN", LOGGED_NAME, "dns"},
    {"connect timed out", LOGGED_TIMEOUT, "connect"},
    {"connection timed out after", LOGGED_TIMEOUT, "connect"},
    {"ConnectTimeout", LOGGED_TIMEOUT, "connect"},
    {"connect timeout", LOGGED_TIMEOUT, "connect"},
    {"connection timeout", LOGGED_TIMEOUT, "connect"},
    {"connection timed out", LOGGED_TIMEOUT, NULL},
    {"read timed out", LOGGED_TIMEOUT, "response"},
    {"upstream timed out", LOGGED_TIMEOUT, NULL},
    {"i/o timeout", LOGGED_TIMEOUT, NULL},
    {"ETIMEDOUT", LOGGED_TIMEOUT, NULL},
    {"operation timed out", LOGGED_TIMEOUT, NULL},
    {"timed out", LOGGED_TIMEOUT, NULL},
    {"certificate verify failed", LOGGED_CERTIFICATE, "handshake"},
    {"certificate has expired", LOGGED_CERTIFICATE, "handshake"},
    {"unable to find valid certification path", LOGGED_CERTIFICATE, "handshake"},
    {"x509: ", LOGGED_CERTIFICATE, "handshake"},
    {"SSL alert number", LOGGED_TLS, "handshake"},
    {"fatal alert: ", LOGGED_TLS, "handshake"},
    {"remote error: tls: ", LOGGED_TLS, "handshake"},
    {"handshake failure", LOGGED_TLS, "handshake"},
    {"SSLHandshakeException", LOGGED_TLS, "handshake"},
    {"upstream connect error or disconnect/reset", LOGGED_RESET, NULL},
    {": EOF", LOGGED_EOF, "response"},
};

/* What the program was doing, in its own words. The report's stage words (design.md 6). */
static const struct {
    const char *words, *stage;
} doing[] = {
    {"while connecting to upstream", "connect"},
    {"while SSL handshaking", "handshake"},
    {"SSL_do_handshake", "handshake"},
    {"SSL_connect", "handshake"},
    {"while sending request to upstream", "request"},
    {"while reading response header from upstream", "response"},
    {"while reading upstream", "response"},
    {"while waiting for request", "idle"},
    {"while keepalive", "idle"},
    {"dial tcp", "connect"},
    {"connect()", "connect"},
    {"connect ECONN", "connect"},
    {": write: ", "request"},
    {": read: ", "response"},
    {"read ECONNRESET", "response"},
    {"Recv failure", "response"},
    {"Send failure", "request"},
    {"before headers", "response"},
    {"TLS handshake", "handshake"},
    {"during SSL", "handshake"},
};

static const struct {
    const char *mark, *program;
} programs[] = {
    {"System.Net.", ".net"},
    {"SocketException (", ".net"},
    {"haproxy[", "haproxy"},
    {"[upstream]", "fluent-bit"},
    {"[http_client]", "fluent-bit"},
    {"[output:", "fluent-bit"},
    {"fluent-bit", "fluent-bit"},
    {"upstream: \"", "nginx"},
    {"nginx", "nginx"},
    {"Exception: ", "java"},
    {"Caused by: java", "java"},
    {"java.", "java"},
    {"curl: (", "curl"},
    {"HTTPConnectionPool", "python"},
    {"HTTPSConnectionPool", "python"},
    {"urllib3", "python"},
    {"http.client", "python"},
    {"[Errno ", "python"},
    {"WinError", "python"},
    {"dial tcp", "go"},
    {"read tcp", "go"},
    {"write tcp", "go"},
    {"Error: ", "node"},
    {"envoy", "envoy"},
};

const char *logged_title(enum logged e)
{
    static const char *const titles[LOGGED_COUNT] = {"",
                                                     N_("connection reset"),
                                                     N_("broken pipe"),
                                                     N_("closed without an answer"),
                                                     N_("connection refused"),
                                                     N_("timed out"),
                                                     N_("host unreachable"),
                                                     N_("aborted by this host"),
                                                     N_("ended by the client"),
                                                     N_("TLS handshake failed"),
                                                     N_("certificate rejected"),
                                                     N_("an answer that is no TLS"),
                                                     N_("plain text on a TLS port"),
                                                     N_("name not resolved"),
                                                     N_("no upstream to send to"),
                                                     N_("trouble on the host")};

    return e < LOGGED_COUNT ? titles[e] : "";
}

const char *logged_name(enum logged e)
{
    static const char *const names[LOGGED_COUNT] = {"",
                                                    "connection_reset",
                                                    "broken_pipe",
                                                    "eof_error",
                                                    "connection_refused",
                                                    "generic_timeout_error",
                                                    "host_unreachable",
                                                    "connection_aborted",
                                                    "client_aborted",
                                                    "ssl_failed_handshake",
                                                    "ssl_invalid_certificate",
                                                    "not_tls",
                                                    "plain_on_tls",
                                                    "dns_nxdomain_error",
                                                    "no_upstream",
                                                    "host_trouble"};

    return e < LOGGED_COUNT ? names[e] : "";
}

/* ---- alerts ---- */

static int alert_of(const char *line)
{
    static const struct {
        const char *words;
        int alert;
    } named[] = {{"bad_certificate", 42},
                 {"bad certificate", 42},
                 {"handshake_failure", 40},
                 {"handshake failure", 40},
                 {"protocol_version", 70},
                 {"protocol version", 70},
                 {"unrecognized_name", 112},
                 {"unrecognized name", 112},
                 {"certificate_required", 116},
                 {"certificate required", 116},
                 {"no_application_protocol", 120},
                 {"no application protocol", 120},
                 {"unknown_ca", 48},
                 {"unknown certificate authority", 48},
                 {"unknown ca", 48},
                 {"certificate_expired", 45},
                 {"internal_error", 80},
                 {"internal error", 80},
                 {"insufficient_security", 71},
                 {"access_denied", 49}};
    const char *p = strcasestr(line, "SSL alert number");

    if (p) {
        int64_t n = log_count_at(p + 16);
        return n > 0 && n < 256 ? (int)n : 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(named); i++)
        if (strcasestr(line, named[i].words))
            return named[i].alert;
    return 0;
}

/* ---- proxies' own shorthand ---- */

/* " SD-- " after "200 2750 - - "; HAProxy's manual, "Session state at disconnection". */
static bool haproxy_state(const char *line, struct log_line *out)
{
    for (const char *p = line; (p = strchr(p, ' ')); p++) {
        size_t n = strcspn(p + 1, " ");
        if ((n != 4 && n != 2) || !strchr("CSPLRIDUKkcs", p[1]) || !strchr("RQCHDLTt", p[2]) ||
            (n == 4 && (!strchr("NIDVEOU-", p[3]) || !strchr("NIUPRD-", p[4]))))
            continue;
        text_clean(out->flags, sizeof(out->flags), p + 1, n);
        switch (p[1]) {
        case 'C': out->error = LOGGED_CLIENT; break;
        case 'c':
        case 's': out->error = LOGGED_TIMEOUT; break;
        case 'S':
            out->error = p[2] == 'C'   ? LOGGED_REFUSED
                         : p[2] == 'D' ? LOGGED_RESET /* "usually caused by a RST" */
                                       : LOGGED_EOF;
            break;
        default: out->error = LOGGED_RESET; break;
        }
        static const struct {
            char c;
            const char *stage;
        } phases[] = {{'R', "idle"},     {'Q', "connect"},  {'C', "connect"},
                      {'H', "response"}, {'D', "response"}, {'L', "close"}};
        for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
            if (phases[i].c == p[2])
                snprintf(out->stage, sizeof(out->stage), "%s", phases[i].stage);
        return true;
    }
    return false;
}

static void haproxy_numbers(const char *line, struct log_line *out)
{
    const char *p = strstr(line, "] ");

    p = p ? strstr(p, "] ") : NULL;
    for (const char *q = p; (q = q ? strstr(q + 1, "] ") : NULL);)
        p = q; /* after the accept date: "frontend backend/server 10/0/30/69/109 200 2750" */
    if (!p || !(p = strchr(p + 2, ' ')))
        return;
    size_t n = strcspn(p + 1, " ");
    text_clean(out->host, sizeof(out->host), p + 1, n);
    out->port = 0;
    p += 1 + n;
    if (!*p)
        return;
    const char *timers = p + 1, *end = timers + strcspn(timers, " "), *last = end;
    while (last > timers && last[-1] != '/')
        last--;
    int64_t ms = log_count_at(last + (*last == '+'));
    out->duration = ms >= 0 && ms < INT64_C(1) << 40 ? ms * NS_PER_MS : NSTIME_NONE;
    out->status = *end ? log_status_at(end) : 0;
    if (*end)
        out->received = log_count_at(end + 1 + (out->status ? 4 : 0));
}

/* '"GET / HTTP/1.1" 503 UC 154 0 226 ...'; the flags of Envoy's access log. */
static bool envoy_flags(const char *line, struct log_line *out)
{
    static const struct {
        const char *flag;
        enum logged error;
        const char *stage;
    } flags[] = {{"UC", LOGGED_EOF, "response"},        {"UF", LOGGED_REFUSED, "connect"},
                 {"UH", LOGGED_NO_UPSTREAM, "connect"}, {"UR", LOGGED_RESET, "response"},
                 {"UT", LOGGED_TIMEOUT, "response"},    {"DC", LOGGED_CLIENT, ""},
                 {"LR", LOGGED_RESET, "response"},      {"UO", LOGGED_NO_UPSTREAM, "connect"},
                 {"SI", LOGGED_TIMEOUT, "idle"},        {"NC", LOGGED_NO_UPSTREAM, "connect"},
                 {"UPE", LOGGED_EOF, "response"}};
    const char *p = strstr(line, " HTTP/");
    size_t n;

    if (!p || !(p = strchr(p, '"')) || !(out->status = log_status_at(p + 1)))
        return false;
    p += 1 + strspn(p + 1, " ") + 3;
    if (*p++ != ' ')
        return false;
    n = strcspn(p, " ,");
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if (strlen(flags[i].flag) != n || strncmp(p, flags[i].flag, n) != 0)
            continue;
        text_clean(out->flags, sizeof(out->flags), p, strcspn(p, " "));
        out->error = flags[i].error;
        snprintf(out->stage, sizeof(out->stage), "%s", flags[i].stage);
        p += strcspn(p, " ");
        /* istio's default puts words between the flags and the byte counts */
        for (int skip = 0; skip < 4 && *p; skip++) {
            p += strspn(p, " ");
            if (isdigit((unsigned char)*p))
                break;
            p += *p == '"' ? 1 + strcspn(p + 1, "\"") : 0;
            p += strcspn(p, " ");
        }
        out->sent = log_count_at(p);
        p += strspn(p, " 0123456789") ? strcspn(p + strspn(p, " "), " ") + strspn(p, " ") : 0;
        out->received = log_count_at(p);
        p += strspn(p, " ");
        p += strcspn(p, " ");
        int64_t ms = log_count_at(p);
        out->duration = ms >= 0 && ms < INT64_C(1) << 40 ? ms * NS_PER_MS : NSTIME_NONE;
        return true;
    }
    return false;
}

/* ---- a line ---- */

static bool words_of(const char *line, struct log_line *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(phrases); i++) {
        const char *p = strcasestr(line, phrases[i].words);
        if (!p)
            continue;
        out->error = phrases[i].error;
        text_clean(out->words, sizeof(out->words), p, strlen(phrases[i].words));
        if (phrases[i].stage)
            snprintf(out->stage, sizeof(out->stage), "%s", phrases[i].stage);
        return true;
    }
    return false;
}

static void program_of(const char *line, struct log_line *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
        if (strstr(line, programs[i].mark)) {
            snprintf(out->program, sizeof(out->program), "%s", programs[i].program);
            return;
        }
}

bool log_line_read(struct log_line *out, const char *text, size_t len)
{
    char line[LINE_MAX_READ];

    memset(out, 0, sizeof(*out));
    out->time = out->duration = NSTIME_NONE;
    out->sent = out->received = -1;
    text_clean(line, sizeof(line), text, len);
    program_of(line, out);
    if (!strcmp(out->program, "haproxy") && haproxy_state(line, out)) {
        haproxy_numbers(line, out);
        text_clean(out->words, sizeof(out->words), out->flags, strlen(out->flags));
    } else if (envoy_flags(line, out)) {
        snprintf(out->program, sizeof(out->program), "envoy");
        text_clean(out->words, sizeof(out->words), out->flags, strlen(out->flags));
        log_take_any(line, out);
    } else if (words_of(line, out)) {
        for (size_t i = 0; i < ARRAY_SIZE(doing); i++)
            if (strcasestr(line, doing[i].words)) {
                snprintf(out->stage, sizeof(out->stage), "%s", doing[i].stage);
                break;
            }
        log_whom(line, out);
        out->duration = log_duration_of(line);
        out->sent = log_bytes_of(line);
        if (out->error == LOGGED_TLS || out->error == LOGGED_CERTIFICATE)
            out->alert = alert_of(line);
    } else {
        return false;
    }
    out->time = log_moment_of(line);
    return true;
}
