/*
 * The real shooter: each shot is a connection on the loop, and goes through its stages (connect,
 * hold, handshake, request, reply, idle, again) as its plan says.
 */
#include "experiment/flight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REPLY_CAP    ((size_t)64 << 10) /* of a reply that is looked at */
#define READ_CAP     ((uint64_t)4 << 20)
#define TICK         (20 * NS_PER_MS) /* while an acknowledgement is waited for */
#define PART_TIME    (300 * NS_PER_MS)
#define QUIET        (500 * NS_PER_MS) /* after the last byte, where nothing says it was the last */
#define EXPIRED_WAIT (200 * NS_PER_MS) /* for an ICMP error that comes behind the reset */
#define SYN_AGAIN    NS_PER_SEC        /* a SYN of our own: as Linux repeats its own */
#define RAW_PATIENCE NS_PER_SEC        /* a server may answer nothing to bytes it took */

static void on_event(void *arg, int events);
static void talk_on(struct flight *f);
static void stage_time(void *arg);

/* ---- ends ---- */

static void quiet(struct flight *f)
{
    watch_stop(f->watch);
    timer_stop(f->timer);
    timer_stop(f->beat);
    f->watch = NULL;
    f->timer = f->beat = NULL;
}

static void flight_free(struct flight *f)
{
    struct flight **at = &f->sh->flights;

    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    quiet(f);
    asked_cancel(f);
    if (f->s)
        f->s->priv = NULL;
    if (f->fd >= 0)
        close(f->fd);
    if (f->raw.holder >= 0)
        close(f->raw.holder);
    talk_free(f->talk);
    strbuf_release(&f->out);
    strbuf_release(&f->reply);
    free(f);
}

static void on_part_end(void *arg)
{
    flight_free(arg);
}

static void on_part_read(void *arg, int events)
{
    struct flight *f = arg;
    char buf[8192];

    (void)events;
    for (int i = 0; i < 16; i++) {
        ssize_t n = recv(f->fd, buf, sizeof(buf), MSG_DONTWAIT);
        if (n > 0)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        flight_free(f);
        return;
    }
}

/* A close() with bytes still coming would make this host send a RST: FIN, read to the peer's. What
 * was never acknowledged is not sent again with a full TTL. */
static void part(struct flight *f, bool over, bool unacked)
{
    f->s = NULL;
    if (!over && unacked)
        flight_reset_on_close(f);
    if (over || unacked || f->fd < 0 || shutdown(f->fd, SHUT_WR) < 0) {
        flight_free(f);
        return;
    }
    f->watch = loop_watch(f->sh->loop, f->fd, LOOP_READ, on_part_read, f);
    f->timer = loop_timer(f->sh->loop, PART_TIME, 0, on_part_end, f);
    if (!f->watch || !f->timer)
        flight_free(f);
}

static void set_stage(struct flight *f, enum shot_stage st)
{
    if (f->over)
        return;
    f->s->stage = st;
    if (f->changed)
        f->changed(f->arg, f->s);
}

static void note_talk(struct flight *f)
{
    struct talk_seen seen;

    if (!f->talk)
        return;
    talk_look(f->talk, &seen);
    f->s->server_hello = seen.server_hello;
    f->s->handshake = seen.stands;
    f->s->cert_wanted = seen.cert_wanted;
    f->s->cert_bad = seen.verify > 0;
    f->s->tls_version = seen.version;
    f->s->h2 = seen.h2;
    if (seen.alerted)
        f->s->alert = seen.alert;
}

static void on_over(void *arg)
{
    struct flight *f = arg;
    struct shot *s = f->s;
    void (*done)(void *, struct shot *) = f->done;
    void *done_arg = f->arg;
    bool over =
        s->end != SHOT_OK && s->end != SHOT_TIMEOUT && s->end != SHOT_ALERT && s->end != SHOT_FIN;
    bool stood = f->fd >= 0 && s->connected != NSTIME_NONE && !s->plan.raw_syn;

    quiet(f);
    if (f->expired_before >= 0)
        s->expired = (int)MAX_OF(flight_expired(s->plan.to.family) - f->expired_before, 0);
    s->priv = NULL;
    part(f, over || !stood, stood && s->unacked);
    done(done_arg, s);
}

/* Told in the next turn, so that whoever noticed the end still has his flight. */
static void end(struct flight *f, enum shot_end e, int err)
{
    struct shot *s = f->s;

    if (f->over)
        return;
    quiet(f);
    flight_take_info(f);
    note_talk(f);
    if (f->fd >= 0)
        flight_set_ttl(f, 0);
    s->end = e;
    s->err = err;
    s->ended = loop_clock();
    /* The kernel knows of the last byte sooner than a busy loop does. */
    nstime silent = f->last_byte == NSTIME_NONE ? 0 : s->ended - f->last_byte;
    s->silent =
        s->stage == SHOT_IDLE || s->stage == SHOT_REPLY ? MAX_OF(s->silent, silent) : silent;
    f->over = true;
    nstime late = f->expired_before >= 0 ? MAX_OF(EXPIRED_WAIT, 4 * s->rtt) : 0;
    f->timer = loop_timer(f->sh->loop, late, 0, on_over, f);
}

void asked_over(struct flight *f)
{
    end(f, f->s->end, 0);
}

static enum shot_end end_of_errno(int err, bool connected)
{
    switch (err) {
    case ECONNREFUSED: return connected ? SHOT_RESET : SHOT_REFUSED;
    case ECONNRESET:
    case EPIPE: return SHOT_RESET;
    case ETIMEDOUT: return SHOT_TIMEOUT;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EACCES: return SHOT_UNREACHABLE;
    default: return SHOT_LOCAL;
    }
}

/* An ICMP error on a standing connection is a word on the way (causes.md 0.2): only a closed TCP is
 * an end. True: it goes on. */
static bool goes_on(struct flight *f, int err)
{
    if (err == EAGAIN || err == EWOULDBLOCK || err == EINTR)
        return true;
    if (!flight_dead(f)) {
        f->s->icmp = true;
        flight_read_icmp(f);
        return true;
    }
    end(f, end_of_errno(err, true), err);
    return false;
}

/* ---- sending ---- */

/* Sends what may be sent now. False: it has ended. */
static bool flush(struct flight *f)
{
    if (f->over)
        return false;
    while (f->off < MIN_OF(f->out.len, f->limit)) {
        size_t n = MIN_OF(f->out.len, f->limit) - f->off;
        ssize_t sent = send(f->fd, f->out.buf + f->off, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            watch_set(f->watch, LOOP_READ | LOOP_WRITE);
            return true;
        }
        if (sent < 0) {
            if (!goes_on(f, errno))
                return false;
            continue;
        }
        f->off += (size_t)sent;
        f->last_byte = loop_clock();
    }
    if (f->watch)
        watch_set(f->watch, LOOP_READ);
    if (f->off == f->out.len) {
        strbuf_reset(&f->out);
        f->off = 0;
        f->limit = SIZE_MAX;
    }
    return true;
}

static void on_gap(void *arg)
{
    struct flight *f = arg;

    f->limit = SIZE_MAX;
    timer_stop(f->beat);
    f->beat = NULL;
    if (flush(f))
        f->asked_at = loop_clock();
}

/* The first words go out as the plan cuts them, with the TTL it gives. */
static bool send_first(struct flight *f)
{
    const struct shot_plan *p = &f->s->plan;
    size_t split = p->split;

    if (p->split_at_name)
        split = talk_middle_of_name(f->out.buf, f->out.len, p->tls.name);
    if (p->count_expired)
        f->expired_before = flight_expired(p->to.family);
    if (p->ttl_data)
        flight_set_ttl(f, p->ttl_data);
    f->first_write = true;
    if (split && split < f->out.len) {
        f->limit = split;
        f->beat = loop_timer(f->sh->loop, p->split_gap ? p->split_gap : TICK, 0, on_gap, f);
    }
    return flush(f);
}

static bool send_bytes(struct flight *f, const void *data, size_t len)
{
    const void *out;

    if (f->over)
        return false;
    if (f->talk) {
        if (talk_write(f->talk, data, len) < 0) {
            end(f, SHOT_LOCAL, EIO);
            return false;
        }
        size_t n = talk_output(f->talk, &out);
        strbuf_add(&f->out, out, n);
        talk_sent(f->talk, n);
    } else {
        strbuf_add(&f->out, data, len);
    }
    if (f->out.err) {
        end(f, SHOT_LOCAL, ENOMEM);
        return false;
    }
    f->asked_at = loop_clock();
    return f->first_write ? flush(f) : send_first(f);
}

static void stage_timer(struct flight *f, nstime after)
{
    if (f->over)
        return;
    timer_stop(f->timer);
    f->timer = loop_timer(f->sh->loop, after, 0, stage_time, f);
}

/* ---- after the talk: idle, again ---- */

static void on_beat(void *arg)
{
    struct flight *f = arg;

    send_bytes(f, f->s->plan.again, f->s->plan.again_len);
}

static void begin_idle(struct flight *f)
{
    const struct shot_plan *p = &f->s->plan;

    if (f->over)
        return;
    set_stage(f, SHOT_IDLE);
    if (p->keepalive)
        flight_set_keepalive(f, p->keepalive);
    if (p->app_every && p->again) {
        timer_stop(f->beat);
        f->beat = loop_timer(f->sh->loop, p->app_every, p->app_every, on_beat, f);
    }
    f->last_byte = loop_clock();
    stage_timer(f, p->idle);
}

static void begin_again(struct flight *f)
{
    if (f->over)
        return;
    timer_stop(f->beat);
    f->beat = NULL;
    if (!f->s->plan.again) {
        end(f, SHOT_OK, 0);
        return;
    }
    set_stage(f, SHOT_AGAIN);
    strbuf_reset(&f->reply);
    f->reply_got = 0;
    f->reply_seen = false;
    if (send_bytes(f, f->s->plan.again, f->s->plan.again_len))
        stage_timer(f, TICK);
}

static void begin_request(struct flight *f);

static void talk_over(struct flight *f)
{
    const struct shot_plan *p = &f->s->plan;

    if (f->over)
        return;
    if (f->s->answered < p->requests && p->request) {
        begin_request(f);
        return;
    }
    if (p->idle)
        begin_idle(f);
    else
        end(f, SHOT_OK, 0);
}

/* ---- the reply ---- */

/* All of an HTTP answer is here: 1 yes, 0 no, -1 the connection's end decides. */
static int http_complete(struct flight *f, bool closed)
{
    struct app a;

    if (!app_decode(&a, (const uint8_t *)f->reply.buf, f->reply.len, 80, 0) ||
        a.kind != APP_HTTP_RESPONSE)
        return f->reply.len > 16 || closed ? -1 : 0;
    f->s->status = a.status;
    if (!a.header_len)
        return 0;
    if (f->s->plan.first_reply || f->s->plan.head_only || a.status == 204 || a.status == 304)
        return 1;
    if (a.chunked) /* the last chunk's line, unless more than the cap came */
        return f->reply_got > REPLY_CAP ||
               (f->reply.len >= 5 && !memcmp(f->reply.buf + f->reply.len - 5, "0\r\n\r\n", 5));
    if (a.content_length >= 0)
        return f->reply_got >= a.header_len + (uint64_t)a.content_length;
    return -1;
}

static void reply_over(struct flight *f)
{
    if (f->s->stage == SHOT_AGAIN) {
        end(f, SHOT_OK, 0);
        return;
    }
    f->s->answered++;
    talk_over(f);
}

static void took_reply(struct flight *f, const void *data, size_t len)
{
    struct shot *s = f->s;

    if (!s->first[0])
        text_clean(s->first, sizeof(s->first), data, len);
    f->reply_seen = true;
    f->reply_got += len;
    s->got += len;
    strbuf_add(&f->reply, data, MIN_OF(len, REPLY_CAP - MIN_OF(REPLY_CAP, f->reply.len)));
}

/* Bytes of a reply came. */
static void look_at_reply(struct flight *f)
{
    enum shot_talk talk = f->s->plan.talk;

    if (f->over)
        return;
    if (f->s->stage != SHOT_REPLY && f->s->stage != SHOT_REQUEST && f->s->stage != SHOT_AGAIN)
        return;
    if (!f->reply_seen)
        return;
    if (talk == TALK_HTTP || talk == TALK_HTTPS) {
        if (http_complete(f, false) == 1 || f->reply_got > READ_CAP)
            reply_over(f);
        else if (f->s->stage == SHOT_REPLY) /* what still comes does not hang */
            stage_timer(f, f->s->plan.timeout);
        return;
    }
    if (f->s->plan.first_reply || f->s->stage == SHOT_AGAIN || talk == TALK_TLS)
        reply_over(f);
    else
        stage_timer(f, QUIET);
}

static void begin_request(struct flight *f)
{
    const struct shot_plan *p = &f->s->plan;

    strbuf_reset(&f->reply);
    f->reply_got = 0;
    f->reply_seen = false;
    set_stage(f, SHOT_REQUEST);
    if (!send_bytes(f, p->request, p->request_len))
        return;
    set_stage(f, SHOT_REPLY);
    if (p->acked_is_enough)
        stage_timer(f, TICK);
    else
        stage_timer(f, p->talk == TALK_RAW ? MIN_OF(p->timeout, RAW_PATIENCE) : p->timeout);
}

/* ---- the handshake ---- */

static bool feed_talk(struct flight *f, const void *data, size_t len)
{
    const void *out;
    enum talk_state st = talk_input(f->talk, data, len);
    size_t n = talk_output(f->talk, &out);

    note_talk(f);
    strbuf_add(&f->out, out, n);
    talk_sent(f->talk, n);
    if (n && !(f->first_write ? flush(f) : send_first(f)))
        return false;
    if (f->over)
        return false;
    if (st == TALK_BROKEN) {
        end(f, SHOT_ALERT, 0);
        return false;
    }
    if (st == TALK_STANDS && !f->stands) {
        f->stands = true;
        if (f->s->plan.talk == TALK_HTTPS) {
            begin_request(f);
        } else { /* a late alert or reset answers our Finished; a ticket says it was taken */
            set_stage(f, SHOT_REPLY);
            stage_timer(f, QUIET);
        }
    }
    return true;
}

/* Bytes after the handshake. */
static bool read_talk(struct flight *f)
{
    char buf[8192];
    struct talk_seen seen;
    ssize_t n;

    while (f->stands && (n = talk_read(f->talk, buf, sizeof(buf))) != 0) {
        if (n < 0) {
            talk_look(f->talk, &seen);
            end(f, seen.alerted ? SHOT_ALERT : SHOT_FIN, 0);
            return false;
        }
        took_reply(f, buf, (size_t)n);
    }
    note_talk(f);
    return true;
}

static int begin_talk_tls(struct flight *f)
{
    int rc = talk_new(&f->talk, &f->s->plan.tls);

    if (rc < 0)
        return rc;
    set_stage(f, SHOT_HANDSHAKE);
    stage_timer(f, f->s->plan.timeout);
    feed_talk(f, NULL, 0);
    return 0;
}

static void talk_on(struct flight *f)
{
    int rc;

    switch (f->s->plan.talk) {
    case TALK_PROBE: /* never on a socket of ours */
    case TALK_NOTHING: talk_over(f); return;
    case TALK_RAW:
    case TALK_HTTP: begin_request(f); return;
    case TALK_TLS:
    case TALK_HTTPS:
        rc = begin_talk_tls(f);
        if (rc < 0)
            end(f, SHOT_LOCAL, -rc);
    }
}

/* ---- reading ---- */

static void peer_closed(struct flight *f)
{
    enum shot_talk talk = f->s->plan.talk;
    bool http = talk == TALK_HTTP || talk == TALK_HTTPS;
    bool asked = f->s->stage == SHOT_REPLY || f->s->stage == SHOT_AGAIN;

    if (asked && f->reply_seen && (http ? http_complete(f, true) != 0 : true)) {
        f->s->answered += f->s->stage == SHOT_REPLY;
        end(f, f->s->plan.idle || f->s->plan.requests > f->s->answered ? SHOT_FIN : SHOT_OK, 0);
        return;
    }
    end(f, SHOT_FIN, 0);
}

/* False: it has ended. */
static bool read_all(struct flight *f)
{
    char buf[16384];

    for (int i = 0; i < 16; i++) {
        ssize_t n = recv(f->fd, buf, sizeof(buf), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            return true;
        if (n < 0) {
            if (!goes_on(f, errno))
                return false;
            continue;
        }
        if (n == 0) {
            peer_closed(f);
            return false;
        }
        f->last_byte = loop_clock();
        if (!f->talk)
            took_reply(f, buf, (size_t)n);
        else if (!f->s->first[0] && !f->stands && (uint8_t)buf[0] >= 0x20)
            text_clean(f->s->first, sizeof(f->s->first), buf, (size_t)n);
        if (f->talk && (!feed_talk(f, buf, (size_t)n) || !read_talk(f)))
            return false;
        if (f->over)
            return false;
    }
    return true;
}

/* err: it stood, and was reset before we could look; reading that has cleared it. */
static void connected(struct flight *f, int err)
{
    const struct shot_plan *p = &f->s->plan;
    struct flow_key flow;

    f->s->connected = loop_clock() - f->s->began;
    f->last_byte = loop_clock();
    if (flight_learn(f, &flow) && f->sh->on_flow)
        f->sh->on_flow(f->sh->arg, &flow);
    flight_connected(f);
    watch_set(f->watch, LOOP_READ);
    if (err) {
        set_stage(f, SHOT_HOLD);
        end(f, SHOT_RESET, err);
    } else if (p->hold) {
        set_stage(f, SHOT_HOLD);
        stage_timer(f, p->hold);
    } else {
        talk_on(f);
    }
}

static void on_connect(struct flight *f)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof(int), plen = sizeof(peer);
    int err = 0;

    if (getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
        err = errno;
    if (err && err != ECONNRESET && err != EPIPE) {
        flight_read_icmp(f);
        end(f, f->s->icmp ? SHOT_UNREACHABLE : end_of_errno(err, false), err);
        return;
    }
    if (!err && getpeername(f->fd, (struct sockaddr *)&peer, &plen) < 0 && errno == ENOTCONN)
        return;
    connected(f, err);
}

/* The answer to a SYN of our own. */
static void on_raw(struct flight *f)
{
    int err;
    enum shot_end e = rawsyn_read(f, &err);

    if (e == SHOT_OPEN)
        return;
    if (e == SHOT_OK)
        f->s->connected = loop_clock() - f->s->began;
    end(f, e, err);
}

static void on_raw_again(void *arg)
{
    rawsyn_send(arg);
}

static void on_event(void *arg, int events)
{
    struct flight *f = arg;

    if (f->over)
        return;
    if (f->s->plan.raw_syn) {
        on_raw(f);
        return;
    }
    if (f->s->stage == SHOT_CONNECT) {
        on_connect(f);
        return;
    }
    if ((events & LOOP_WRITE) && f->out.len && !flush(f))
        return;
    if ((events & LOOP_READ) && read_all(f))
        look_at_reply(f);
}

/* ---- time ---- */

/* After the bytes of SHOT_AGAIN, or where an acknowledgement is enough. */
static void await_ack(struct flight *f)
{
    nstime waited = loop_clock() - f->asked_at;
    nstime least = MAX_OF(10 * TICK, 4 * f->s->rtt);
    bool http = f->s->plan.talk == TALK_HTTP || f->s->plan.talk == TALK_HTTPS;
    bool all = !f->out.len && !flight_unacked(f);

    if (all && waited >= least &&
        (f->s->plan.acked_is_enough || (f->s->stage == SHOT_AGAIN && !http)))
        reply_over(f);
    else if (waited >= f->s->plan.timeout)
        end(f, SHOT_TIMEOUT, 0);
    else
        stage_timer(f, TICK);
}

static void stage_time(void *arg)
{
    struct flight *f = arg;

    switch (f->s->stage) {
    case SHOT_HOLD: talk_on(f); return;
    case SHOT_IDLE: begin_again(f); return;
    case SHOT_AGAIN: await_ack(f); return;
    case SHOT_REPLY:
        if (f->s->plan.acked_is_enough)
            await_ack(f);
        else if (f->s->plan.talk == TALK_TLS ||
                 (f->s->plan.talk == TALK_RAW && (f->reply_seen || !flight_unacked(f))))
            reply_over(f);
        else
            end(f, SHOT_TIMEOUT, 0);
        return;
    default: end(f, SHOT_TIMEOUT, 0);
    }
}

static void on_start(void *arg)
{
    struct flight *f = arg;

    f->s->began = loop_clock();
    f->s->stage = SHOT_CONNECT;
    f->s->expired = -1;
    if (f->s->plan.talk == TALK_PROBE) {
        int asked = asked_begin(f);
        if (asked < 0)
            end(f, SHOT_LOCAL, -asked);
        else
            set_stage(f, SHOT_CONNECT);
        return;
    }
    if (f->s->plan.count_expired && (f->s->plan.ttl_syn || f->s->plan.ttl_ack)) /* it may expire */
        f->expired_before = flight_expired(f->s->plan.to.family);
    bool raw = f->s->plan.raw_syn;
    int rc = raw ? rawsyn_open(f) : flight_open(f);
    if (rc < 0) {
        end(f,
            rc == -ECONNREFUSED                         ? SHOT_REFUSED
            : rc == -EHOSTUNREACH || rc == -ENETUNREACH ? SHOT_UNREACHABLE
                                                        : SHOT_LOCAL,
            -rc);
        return;
    }
    set_stage(f, SHOT_CONNECT);
    if (raw)
        f->beat = loop_timer(f->sh->loop, SYN_AGAIN, SYN_AGAIN, on_raw_again, f);
    f->watch = loop_watch(f->sh->loop, f->fd, raw ? LOOP_READ : LOOP_WRITE, on_event, f);
    stage_timer(f, f->s->plan.timeout);
    if (!f->watch || !f->timer)
        end(f, SHOT_LOCAL, ENOMEM);
}

/* ---- the shooter ---- */

static int begin(struct shooter *base, struct shot *s, void (*done)(void *arg, struct shot *s),
                 void (*changed)(void *arg, struct shot *s), void *arg)
{
    struct real_shooter *sh = (struct real_shooter *)base;
    struct flight *f = calloc(1, sizeof(*f));

    if (!f)
        return -ENOMEM;
    *f = (struct flight){.sh = sh,
                         .s = s,
                         .done = done,
                         .changed = changed,
                         .arg = arg,
                         .fd = -1,
                         .raw = {.holder = -1},
                         .limit = SIZE_MAX,
                         .last_byte = NSTIME_NONE,
                         .expired_before = -1,
                         .next = sh->flights};
    strbuf_init(&f->out);
    strbuf_init(&f->reply);
    s->stage = SHOT_WAITING;
    s->end = SHOT_OPEN;
    s->began = s->ended = s->connected = NSTIME_NONE;
    s->priv = f;
    f->timer = loop_timer(sh->loop, s->plan.start, 0, on_start, f);
    sh->flights = f;
    if (f->timer)
        return 0;
    flight_free(f);
    return -ENOMEM;
}

static void cancel(struct shooter *base, struct shot *s)
{
    struct real_shooter *sh = (struct real_shooter *)base;

    if (s) {
        struct flight *f = s->priv;
        if (!f)
            return;
        s->end = SHOT_CANCELLED;
        s->ended = loop_clock();
        if (f->fd >= 0)
            flight_reset_on_close(f);
        flight_free(f);
        return;
    }
    for (struct flight *f = sh->flights, *next; f; f = next) {
        next = f->next;
        if (!f->s)
            flight_free(f);
    }
}

static nstime now(struct shooter *base)
{
    (void)base;
    return loop_clock();
}

static void shooter_free(struct shooter *base)
{
    struct real_shooter *sh = (struct real_shooter *)base;

    if (!sh)
        return;
    while (sh->flights)
        flight_free(sh->flights);
    if (sh->prober)
        prober_free(sh->prober);
    free(sh);
}

struct shooter *shooter_new(struct loop *l, void (*on_flow)(void *arg, const struct flow_key *flow),
                            void *arg)
{
    struct real_shooter *sh = calloc(1, sizeof(*sh));

    if (!sh)
        return NULL;
    sh->base = (struct shooter){begin, cancel, now, shooter_free};
    sh->loop = l;
    sh->on_flow = on_flow;
    sh->arg = arg;
    return &sh->base;
}
