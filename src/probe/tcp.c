/* The tcp probe: connect, hold, send what the target carries, read. Every chain begins here. */
#include "probe/dialogue.h"
#include "probe/internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const scheme_words[] = {
    [SCHEME_AUTO] = "auto", [SCHEME_TCP] = "tcp",     [SCHEME_TLS] = "tls",
    [SCHEME_HTTP] = "http", [SCHEME_HTTPS] = "https", [SCHEME_DNS] = "dns",
    [SCHEME_SMTP] = "smtp", [SCHEME_IMAP] = "imap",   [SCHEME_POP3] = "pop3",
    [SCHEME_FTP] = "ftp",   [SCHEME_PG] = "postgres", [SCHEME_MYSQL] = "mysql",
    [SCHEME_LDAP] = "ldap", [SCHEME_REDIS] = "redis", [SCHEME_SSH] = "ssh"};

#define TCP_STATE_CLOSE 7 /* netinet/tcp.h, which does not go with linux/tcp.h */

static void hold_begin(struct chain *c);
static void send_begin(struct chain *c);

/* ---- telling ---- */
static void put_bytes_seen(struct chain *c, struct result *r)
{
    char text[161];
    if (c->body_off)
        result_set(r, "request_bytes", v_int((int64_t)c->sent));
    if (c->body_off && c->request_at != NSTIME_NONE && c->scheme == SCHEME_TCP)
        result_set(r, "quiet_before", v_span(c->request_at - c->connected));
    if (c->st->t->opt.body && c->scheme == SCHEME_TCP)
        result_set(r, "request_size", v_int((int64_t)c->st->t->opt.body_len));
    if (!c->nfirst)
        return;
    bool first_word = c->request_at == NSTIME_NONE || c->first_at <= c->request_at;
    text_clean(text, sizeof(text), c->first, c->nfirst);
    result_set(r, first_word ? "banner" : "reply", v_text(text));
    result_set(r, first_word ? "banner_after" : "reply_after",
               v_span(c->first_at - (first_word ? c->connected : c->request_at)));
    result_set(r, "reply_bytes", v_int((int64_t)(c->got + c->sv.unread)));
    if (c->capped)
        result_set(r, "reply_capped", v_bool(true));
}

static void tell_tcp(struct chain *c, enum failure f, enum probe_stage s)
{
    struct result *r = chain_result(c, "tcp");
    if (!r)
        return;
    chain_set_failure(c, r, f, s);
    result_set(r, "speaks", v_text(scheme_words[c->scheme]));
    chain_put_socket(c, r);
    put_bytes_seen(c, r);
    words_put(c, r);
    if (f == FAIL_HTTP_BAD_RESPONSE)
        chain_put_first_bytes(c, r);
    if (s == PSTAGE_HOLD || s == PSTAGE_RESPONSE)
        result_set(r, "held", v_span(loop_clock() - c->connected));
    chain_tell(c, r);
    if (f != FAIL_NONE)
        chain_skip_rest(c, r);
}

void tcp_failed(struct chain *c, enum failure f, enum probe_stage s)
{
    chain_quiet(c);
    chain_take(c);
    if (f == FAIL_UNKNOWN && c->sv.err)
        f = failure_of_errno(c->sv.err);
    tell_tcp(c, f, s);
    chain_end(c);
}

/* A tcp:// target has passed. */
static void tcp_passed(struct chain *c, enum probe_stage s)
{
    chain_quiet(c);
    chain_take(c);
    tell_tcp(c, FAIL_NONE, s);
    chain_end(c);
}

void tcp_spoken(struct chain *c, enum probe_stage s, const char *reason)
{
    chain_quiet(c);
    chain_take(c);
    tell_tcp(c, FAIL_NONE, s);
    chain_skip_because(c, reason);
    chain_end(c);
}

/* The tcp stage of a chain that goes on. */
void tcp_ok(struct chain *c, enum probe_stage s)
{
    struct result *r = chain_result(c, "tcp");
    if (!r)
        return;
    chain_set_failure(c, r, FAIL_NONE, s);
    result_set(r, "speaks", v_text(scheme_words[c->scheme]));
    struct sockview *v = &c->sv;
    v->info_len = sizeof(v->info);
    v->info_known = getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &v->info, &v->info_len) == 0;
    if (v->info_known) {
        result_set(r, "syns", v_int((int64_t)v->syn_retrans + 1));
        result_set(r, "rtt", v_span((nstime)v->info.tcpi_rtt * NS_PER_US));
        result_set(r, "mss", v_int(v->info.tcpi_snd_mss));
        result_set(r, "pmtu", v_int(v->info.tcpi_pmtu));
    }
    if (s == PSTAGE_HOLD)
        result_set(r, "held", v_span(loop_clock() - c->connected));
    put_bytes_seen(c, r);
    words_put(c, r);
    chain_tell(c, r);
}

static enum probe_stage stage_of(const struct chain *c)
{
    switch (c->state) {
    case CHAIN_HOLD: return PSTAGE_HOLD;
    case CHAIN_SEND: return PSTAGE_REQUEST;
    case CHAIN_REPLY:
    case CHAIN_WORDS: return PSTAGE_RESPONSE;
    case CHAIN_QUEUED: return PSTAGE_NONE;
    default: return PSTAGE_CONNECT;
    }
}

void tcp_interrupt(struct chain *c)
{
    enum probe_stage s = stage_of(c);
    tcp_failed(c, FAIL_INTERRUPTED, s);
}

/* ---- connect ---- */
static void learn_flow(struct chain *c)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    c->flow = (struct flow_key){.dst = c->addr, .dport = c->port};
    if (getsockname(c->fd, (struct sockaddr *)&ss, &len) < 0)
        return;
    addr_from_sockaddr((struct sockaddr *)&ss, &c->flow.src, &c->flow.sport);
    c->flow_known = c->flow.sport != 0;
}

static void go_on(struct chain *c)
{
    nstime hold = chain_hold(c, 0);
    switch (c->scheme) {
    case SCHEME_TLS: tls_begin(c); return;
    case SCHEME_HTTP:
    case SCHEME_HTTPS:
        if (hold > 0) {
            hold_begin(c);
            return;
        }
        tcp_ok(c, PSTAGE_CONNECT);
        http_begin(c);
        return;
    default:
        if (!words_begin(c))
            hold_begin(c);
    }
}

static void connected(struct chain *c)
{
    struct sockview *v = &c->sv;
    c->connected = c->last_at = loop_clock();
    learn_flow(c);
    v->info_len = sizeof(v->info);
    if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &v->info, &v->info_len) == 0)
        v->syn_retrans = v->info.tcpi_total_retrans;
    if (c->st->t->opt.ttl_after)
        sock_set_ttl(c->fd, c->addr.family, c->st->t->opt.ttl_after);
    chain_quiet(c);
    go_on(c);
}

static void on_connect(void *arg, int events)
{
    struct chain *c = arg;
    struct sockaddr_storage peer;
    socklen_t len = sizeof(peer);
    (void)events;
    int err = sock_error(c->fd);
    sock_latch(&c->sv, err);
    /* A RST in SYN_SENT is ECONNREFUSED. ECONNRESET came after the handshake, and sooner than we
     * could look: the next stage meets it. */
    if (err && err != ECONNRESET && err != EPIPE) {
        tcp_failed(c, failure_of_errno(err), PSTAGE_CONNECT);
        return;
    }
    /* Writable without an error is connected, unless the wake-up was for something else. */
    if (getpeername(c->fd, (struct sockaddr *)&peer, &len) < 0 && errno == ENOTCONN) {
        struct tcp_info info;
        socklen_t ilen = sizeof(info);
        bool closed = getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &ilen) == 0 &&
                      info.tcpi_state == TCP_STATE_CLOSE;
        if (!closed)
            return;
    }
    connected(c);
}

static void on_connect_timeout(void *arg)
{
    tcp_failed(arg, FAIL_TIMEOUT, PSTAGE_CONNECT);
}

static void begin_failed(struct chain *c, int err, const char *what)
{
    sock_latch(&c->sv, err);
    struct result *r = chain_result(c, "tcp");
    if (r) {
        chain_set_failure(c, r, failure_of_errno(err), PSTAGE_CONNECT);
        result_set(r, "call", v_text(what));
        chain_put_socket(c, r);
        chain_tell(c, r);
        chain_skip_rest(c, r);
    }
    chain_end(c);
}

void tcp_begin(struct chain *c)
{
    struct sockaddr_storage ss;
    const char *what;
    c->state = CHAIN_CONNECT;
    c->wall = loop_wall(c->st->p->l);
    c->t0 = loop_clock();
    int rc = sock_open(&c->addr, &c->st->t->opt, &c->fd, &what);
    if ((rc == -EMFILE || rc == -ENFILE) && queue_put_back(c))
        return;
    if (rc < 0) {
        begin_failed(c, -rc, what);
        return;
    }
    size_t len = addr_to_sockaddr(&c->addr, c->port, &ss);
    rc = connect(c->fd, (struct sockaddr *)&ss, (socklen_t)len) < 0 ? errno : 0;
    learn_flow(c);
    if (!c->explores && c->st->cb.on_chain)
        c->st->cb.on_chain(c->st->cb.arg, c->st->t->id, c->id, &c->flow);
    if (rc && rc != EINPROGRESS) {
        sock_latch(&c->sv, rc);
        tcp_failed(c, failure_of_errno(rc), PSTAGE_CONNECT);
        return;
    }
    chain_watch(c, LOOP_WRITE, on_connect);
    chain_timer(c, chain_timeout(c), on_connect_timeout);
    if (!c->watch) {
        sock_latch(&c->sv, ENOMEM);
        tcp_failed(c, FAIL_UNKNOWN, PSTAGE_CONNECT);
    }
}

/* ---- hold, send, reply ---- */
static bool has_body(const struct chain *c)
{
    return c->scheme == SCHEME_TCP && c->st->t->opt.body && c->st->t->opt.body_len;
}

static void hold_passed(struct chain *c)
{
    if (c->scheme == SCHEME_HTTP || c->scheme == SCHEME_HTTPS) {
        chain_quiet(c);
        tcp_ok(c, PSTAGE_HOLD);
        http_begin(c);
        return;
    }
    enum scheme spoken = c->explores ? dialogue_guess(c->first, c->nfirst, c->port) : SCHEME_AUTO;
    if (spoken != SCHEME_AUTO) {
        auto_found(c, spoken);
        return;
    }
    if (c->explores && !c->got) {
        chain_quiet(c);
        auto_begin(c);
        return;
    }
    tcp_passed(c, c->state == CHAIN_HOLD ? PSTAGE_HOLD : PSTAGE_RESPONSE);
}

/* The peer closed. A server that said its banner, or answered, has done its part. */
static void peer_closed(struct chain *c)
{
    bool answered = c->state == CHAIN_HOLD ? c->got > 0 : c->got > c->got_before;
    enum probe_stage s = stage_of(c);
    sock_eof(&c->sv);
    if (c->sv.err)
        tcp_failed(c, failure_of_errno(c->sv.err), s);
    else if (answered && c->state != CHAIN_SEND)
        tcp_passed(c, s);
    else
        tcp_failed(c, FAIL_EOF, s);
}

/* Takes what is there: true when the chain goes on. */
static bool read_some(struct chain *c)
{
    uint8_t buf[16384];
    for (int i = 0; i < 8; i++) {
        ssize_t n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            return true;
        if (n < 0) {
            sock_latch(&c->sv, errno);
            tcp_failed(c, failure_of_errno(c->sv.err), stage_of(c));
            return false;
        }
        if (n == 0) {
            peer_closed(c);
            return false;
        }
        c->last_at = loop_clock();
        if (c->first_at == NSTIME_NONE)
            c->first_at = c->last_at;
        chain_keep_first(c, buf, (size_t)n);
        c->got += (uint64_t)n;
        if (c->got >= READ_CAP) {
            c->capped = true;
            hold_passed(c);
            return false;
        }
    }
    return true;
}

static bool write_some(struct chain *c)
{
    const struct target_options *o = &c->st->t->opt;
    while (c->body_off < o->body_len) {
        ssize_t n = send(c->fd, o->body + c->body_off, o->body_len - c->body_off,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            return true;
        if (n < 0) {
            sock_latch(&c->sv, errno);
            tcp_failed(c, failure_of_errno(c->sv.err), PSTAGE_REQUEST);
            return false;
        }
        c->body_off += (size_t)n;
        c->sent += (uint64_t)n;
        c->last_at = loop_clock();
    }
    return true;
}

/* Sent twice again and never acknowledged: it has gone nowhere, silence is no consent. */
static bool sent_unheard(const struct chain *c)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    return getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_unacked &&
           info.tcpi_retransmits >= 2;
}

static void on_hold_time(void *arg)
{
    struct chain *c = arg;
    if (c->state == CHAIN_HOLD && has_body(c))
        send_begin(c);
    else if (c->state == CHAIN_SEND)
        tcp_failed(c, FAIL_TIMEOUT, PSTAGE_REQUEST);
    else if (c->state == CHAIN_REPLY && !c->got && sent_unheard(c))
        tcp_failed(c, FAIL_TIMEOUT, PSTAGE_RESPONSE);
    else
        hold_passed(c);
}

static void on_hold(void *arg, int events)
{
    struct chain *c = arg;
    /* What came before an error is read before send() may report it. */
    if ((events & LOOP_READ) && !read_some(c))
        return;
    if (c->state == CHAIN_HOLD && has_body(c) && c->got) {
        send_begin(c);
        return;
    }
    if (c->state != CHAIN_SEND || !(events & LOOP_WRITE) || !write_some(c))
        return;
    if (c->body_off == c->st->t->opt.body_len) {
        c->state = CHAIN_REPLY;
        watch_set(c->watch, LOOP_READ);
        chain_timer(c, chain_hold(c, HOLD_DEFAULT), on_hold_time);
    }
}

static void send_begin(struct chain *c)
{
    c->state = CHAIN_SEND;
    c->request_at = loop_clock();
    c->got_before = c->got;
    chain_timer(c, chain_timeout(c), on_hold_time);
    watch_set(c->watch, LOOP_READ | LOOP_WRITE);
}

static void hold_begin(struct chain *c)
{
    nstime hold = chain_hold(c, HOLD_DEFAULT);
    c->state = CHAIN_HOLD;
    if (has_body(c) || c->explores)
        hold = c->st->t->opt.hold >= 0 ? hold : BANNER_WAIT;
    chain_watch(c, LOOP_READ, on_hold);
    chain_timer(c, hold, on_hold_time);
    if (!c->watch) {
        sock_latch(&c->sv, ENOMEM);
        tcp_failed(c, FAIL_UNKNOWN, PSTAGE_HOLD);
    }
}

/* ---- facts ---- */
static bool of_own_source(const struct result *r)
{
    const char *call = field_str(r, "call");
    return call && strcmp(call, "source") == 0;
}

static void facts_of_connect(struct facts *out, const struct result *r)
{
    struct value none = v_none();
    nstime took = r->timings[TIMING_TOTAL] != NSTIME_NONE ? r->timings[TIMING_TOTAL] : 0;
    int64_t syns = field_int(r, "syns", 1);
    switch (r->failure) {
    case FAIL_REFUSED: facts_put_yes(out, r, FACT_CONN_REFUSED, v_span(took), none, none); break;
    case FAIL_TIMEOUT:
        facts_put_yes(out, r, FACT_CONN_TIMEOUT, v_span(took), v_int(syns), none);
        break;
    default:
        if (of_own_source(r))
            break; /* our own options' fault: it says nothing of the target */
        if (r->err == EADDRNOTAVAIL || r->err == EAGAIN)
            facts_put_yes(out, r, FACT_LOCAL_PORTS_EXHAUSTED, v_text(errno_name(r->err)), none,
                          none);
        else if (r->err)
            facts_put_yes(out, r, FACT_CONN_UNREACHABLE, v_text(errno_name(r->err)), none, none);
    }
}

static void facts_of_hold(struct facts *out, const struct result *r)
{
    struct value none = v_none();
    const char *banner = field_str(r, "banner");
    nstime held = field_int(r, "held", 0);
    bool sent = field_int(r, "bytes_sent", 0) > 0;
    if (banner)
        facts_put_yes(out, r, FACT_BANNER_FIRST, v_text(banner), none, none);
    else if (held >= BANNER_WAIT && r->stage == PSTAGE_HOLD)
        facts_put_no(out, r, FACT_BANNER_FIRST, none, none);
    if (r->stage != PSTAGE_HOLD)
        return;
    if (r->failure == FAIL_RESET)
        facts_put_yes(out, r, FACT_HOLD_RESET, v_span(held), v_int(field_int(r, "bytes_sent", 0)),
                      none);
    else if (r->failure == FAIL_EOF && !sent)
        facts_put_yes(out, r, FACT_HOLD_FIN, v_span(held), none, none);
    else if (r->outcome == OUTCOME_OK)
        facts_put_no(out, r, FACT_HOLD_RESET, v_span(held), none);
}

static void tcp_facts(struct facts *out, const struct result *r)
{
    if (r->timings[TIMING_CONNECT] != NSTIME_NONE)
        facts_put_yes(out, r, FACT_CONN_OK, v_span(r->timings[TIMING_CONNECT]), v_none(), v_none());
    if (field_int(r, "syns", 1) > 1)
        facts_put_yes(out, r, FACT_SYN_REPEATED, v_int(field_int(r, "syns", 1)), v_none(),
                      v_none());
    facts_of_hold(out, r);
    words_facts(out, r);
    if (r->outcome != OUTCOME_FAILED)
        return;
    if (r->stage == PSTAGE_CONNECT)
        facts_of_connect(out, r);
    facts_of_end(out, r);
    facts_of_first_bytes(out, r);
}

const struct probe_type probe_type_tcp = {"tcp", N_("TCP"), tcp_facts};
