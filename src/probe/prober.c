/* The prober: plans a target's chains, keeps a bound on those in flight, tells results. */
#include "probe/internal.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- telling: callbacks run from the loop alone, never from inside a probe ---- */
static void start_free(struct start *st);
static void start_unlink(struct start *st);
static void prober_destroy(struct prober *p);

static void tell_one(struct prober *p, struct told *t)
{
    struct start *st = t->st;
    struct result *r = t->r;
    if (t != &st->over)
        free(t);
    if (r) {
        if (p->freed)
            result_free(r);
        else
            st->cb.on_result(st->cb.arg, r);
        return;
    }
    p->starts_open--;
    uint32_t target = st->t->id, round = st->round;
    struct probe_callbacks cb = st->cb;
    start_unlink(st);
    start_free(st);
    if (!p->freed && cb.on_done)
        cb.on_done(cb.arg, target, round);
}

static void tell_all(void *arg)
{
    struct prober *p = arg;
    if (p->telling)
        return;
    p->telling = true;
    while (p->told) {
        struct told *t = p->told;
        p->told = t->next;
        if (!p->told)
            p->told_end = &p->told;
        tell_one(p, t);
    }
    p->telling = false;
    if (p->freed)
        prober_destroy(p);
}

/* Out of memory a result may be lost; that a start is over never is. */
static void tell(struct start *st, struct result *r)
{
    struct prober *p = st->p;
    struct told *t = r ? calloc(1, sizeof(*t)) : &st->over;
    if (!t) {
        log_msg(LOG_ERROR, "%s", strerror(ENOMEM));
        result_free(r);
        return;
    }
    t->st = st;
    t->r = r;
    *p->told_end = t;
    p->told_end = &t->next;
    timer_again(p->tell, 0);
}

/* ---- starts ---- */
static void start_free(struct start *st)
{
    target_free(st->t);
    result_free(st->dns);
    X509_STORE_free(st->store);
    auth_release(&st->auth);
    free(st);
}

static void start_unlink(struct start *st)
{
    if (st->prev)
        st->prev->next = st->next;
    else
        st->p->starts = st->next;
    if (st->next)
        st->next->prev = st->prev;
}

static void start_check(struct start *st)
{
    if (st->open || st->done)
        return;
    st->done = true;
    tell(st, NULL);
}

static unsigned scheme_probes(enum scheme s)
{
    switch (s) {
    case SCHEME_TLS:
    case SCHEME_SMTP:
    case SCHEME_IMAP:
    case SCHEME_POP3:
    case SCHEME_FTP:
    case SCHEME_PG:
    case SCHEME_MYSQL:
    case SCHEME_LDAP: return PROBE_TCP | PROBE_TLS;
    case SCHEME_HTTP: return PROBE_TCP | PROBE_HTTP;
    case SCHEME_HTTPS: return PROBE_TCP | PROBE_TLS | PROBE_HTTP;
    case SCHEME_DNS: return 0;
    default: return PROBE_TCP;
    }
}

static const struct {
    unsigned bit;
    const char *name;
} chain_probes[] = {{PROBE_TCP, "tcp"}, {PROBE_TLS, "tls"}, {PROBE_HTTP, "http"}};

static struct result *start_result(struct start *st, const char *probe, uint64_t chain)
{
    struct result *r = result_new();
    if (!r)
        return NULL;
    r->target = st->t->id;
    r->round = st->round;
    r->repeat = st->repeat;
    r->chain = chain;
    r->started = r->ended = loop_wall(st->p->l);
    size_t len = strlen(probe);
    memcpy(r->probe, probe, MIN_OF(len, sizeof(r->probe) - 1));
    r->timings[TIMING_DNS] = st->dns_span;
    return r;
}

/* What comes after a failed stage is skipped, and says because of what. */
static void set_skipped(struct result *r, const struct result *failed, const char *reason)
{
    r->outcome = OUTCOME_SKIPPED;
    r->stage = PSTAGE_NONE;
    const char *why = failed ? failure_name(failed->failure) : NULL;
    char text[128];
    if (failed)
        snprintf(text, sizeof(text), "%s failed: %s", failed->probe, why ? why : "unknown_failure");
    result_set(r, "reason", v_text(failed ? text : reason));
}

static void start_skip_all(struct start *st, const struct result *failed)
{
    unsigned probes = scheme_probes(st->t->scheme);
    for (size_t i = 0; i < ARRAY_SIZE(chain_probes); i++) {
        if (!(probes & chain_probes[i].bit))
            continue;
        struct result *r = start_result(st, chain_probes[i].name, failed->chain);
        if (!r)
            continue;
        set_skipped(r, failed, NULL);
        tell(st, r);
    }
}

void chain_set_scheme(struct chain *c, enum scheme s)
{
    c->scheme = s;
    c->todo = scheme_probes(s);
}

/* A connection not begun yet. */
static void chain_init(struct chain *c)
{
    c->id = c->st->p->next_chain++;
    c->state = CHAIN_QUEUED;
    c->todo = scheme_probes(c->scheme);
    c->fd = -1;
    c->own_fd = true;
    c->flow_known = false;
    c->connected = c->tls_done = c->request_at = c->first_at = c->last_at = NSTIME_NONE;
    c->sv = (struct sockview){.outq = -1};
    c->tls = (struct tls_seen){0};
    c->sent = c->got = c->got_before = 0;
    c->nfirst = c->body_off = 0;
    c->capped = c->peeked = false;
}

struct chain *chain_new(struct start *st, const struct addr *a)
{
    struct chain *c = calloc(1, sizeof(*c));
    if (c) /* made once for all: no stage can find itself without an end */
        c->timer = loop_timer(st->p->l, NSTIME_NONE, 0, NULL, c);
    if (!c || !c->timer) {
        free(c);
        return NULL;
    }
    c->st = st;
    c->addr = *a;
    c->port = st->port;
    c->scheme = st->t->scheme == SCHEME_AUTO ? auto_guess(c->port, &c->explores) : st->t->scheme;
    chain_init(c);
    c->next = st->chains;
    st->chains = c;
    st->open++;
    queue_add(c);
    return c;
}

/* Of a name: where the connection failed, to be held against the name's next answer. */
static void remember_failure(struct start *st, const struct result *r)
{
    struct prober *p = st->p;
    uint32_t id = st->t->id;
    bool bad = r->outcome == OUTCOME_FAILED && r->failure != FAIL_INTERRUPTED;
    if (st->dns_span == NSTIME_NONE || st->repeat || !bad || !r->address.family)
        return;
    if (id >= p->nfailed) {
        if (ARRAY_GROW(p->failed, (size_t)id + 1, p->failed_alloc) < 0)
            return;
        memset(p->failed + p->nfailed, 0, (id + 1 - p->nfailed) * sizeof(*p->failed));
        p->nfailed = (size_t)id + 1;
    }
    p->failed[id] = r->address;
}

/* Stale discovery: the name has moved since. */
static void put_moved(struct start *st, struct result *dns, const struct addr *addrs, size_t n)
{
    struct prober *p = st->p;
    char text[ADDR_TEXT_MAX];
    uint32_t id = st->t->id;
    if (st->repeat || !n || id >= p->nfailed || !p->failed[id].family)
        return;
    for (size_t i = 0; i < n; i++)
        if (addr_equal(&addrs[i], &p->failed[id]))
            return;
    result_set(dns, "moved_from", v_text(addr_text(text, &p->failed[id])));
    p->failed[id].family = 0;
}

/* The name is resolved (n 0: it is not; st->dns says why). */
void start_resolved(struct start *st, const struct addr *addrs, size_t n)
{
    struct result *dns = st->dns;
    st->lookup = NULL;
    if (dns) {
        st->dns = NULL;
        st->dns_span = dns->timings[TIMING_DNS];
        put_moved(st, dns, addrs, n);
        dns->ended = loop_wall(st->p->l);
        tell(st, dns); /* later, from the loop: it is still ours to read */
        if (dns->outcome == OUTCOME_FAILED)
            start_skip_all(st, dns);
    }
    for (size_t i = 0; i < n && scheme_probes(st->t->scheme); i++)
        if (!chain_new(st, &addrs[i]))
            log_msg(LOG_ERROR, "%s", strerror(ENOMEM));
    st->open--;
    queue_soon(st->p);
    start_check(st);
}

static struct start *start_new(struct prober *p, const struct target *t, uint32_t round,
                               bool repeat, const struct probe_callbacks *cb)
{
    struct start *st = calloc(1, sizeof(*st));
    if (!st)
        return NULL;
    st->t = target_copy(t);
    if (!st->t) {
        free(st);
        return NULL;
    }
    st->p = p;
    st->round = round;
    st->repeat = repeat;
    st->cb = *cb;
    st->dns_span = NSTIME_NONE;
    st->open = 1;
    st->next = p->starts;
    if (st->next)
        st->next->prev = st;
    p->starts = st;
    p->starts_open++;
    return st;
}

static int warm_up(struct start *st)
{
    enum scheme s = st->t->scheme;
    bool http = s == SCHEME_AUTO || (scheme_probes(s) & PROBE_HTTP);
    int rc = s == SCHEME_HTTP ? 0 : tls_warm_up(st);
    return rc < 0 || !http ? rc : http_warm_up(st->p);
}

static int start_begin(struct start *st, const struct addr *address)
{
    struct addr numeric;
    char err[8];
    int rc = target_goal(st->t, st->host, &st->port, &numeric);
    if (rc == 0 && st->t->opt.auth)
        rc = auth_read(&st->auth, st->t->opt.auth, err, sizeof(err));
    if (rc == 0 && st->t->scheme != SCHEME_TCP && st->t->scheme != SCHEME_DNS)
        rc = warm_up(st);
    if (rc == 0 && (address || numeric.family)) {
        start_resolved(st, address ? address : &numeric, 1);
        return 0;
    }
    if (rc == 0) {
        st->dns = start_result(st, "dns", st->p->next_chain++);
        rc = st->dns ? dns_lookup(st, st->dns) : -ENOMEM;
    }
    if (rc < 0) { /* nothing was told yet: the caller's error */
        start_unlink(st);
        st->p->starts_open--;
        start_free(st);
    }
    return rc;
}

int prober_start(struct prober *p, const struct target *t, uint32_t round, bool repeat,
                 const struct probe_callbacks *cb)
{
    struct start *st = start_new(p, t, round, repeat, cb);
    return st ? start_begin(st, NULL) : -ENOMEM;
}

int prober_repeat(struct prober *p, const struct target *t, const struct addr *address,
                  uint32_t round, const struct probe_callbacks *cb)
{
    struct start *st = start_new(p, t, round, true, cb);
    return st ? start_begin(st, address && address->family ? address : NULL) : -ENOMEM;
}

unsigned prober_in_flight(const struct prober *p)
{
    return p->starts_open;
}

bool prober_short_of_files(const struct prober *p)
{
    return p->short_of_files;
}

/* ---- chains ---- */
nstime chain_timeout(const struct chain *c)
{
    nstime t = c->st->t->opt.timeout;
    return t > 0 ? t : TIMEOUT_DEFAULT;
}

nstime chain_hold(const struct chain *c, nstime fallback)
{
    nstime h = c->st->t->opt.hold;
    return h >= 0 ? h : fallback;
}

static nstime span(nstime from, nstime to)
{
    return from == NSTIME_NONE || to == NSTIME_NONE ? NSTIME_NONE : to - from;
}

struct result *chain_result(struct chain *c, const char *probe)
{
    struct result *r = start_result(c->st, probe, c->id);
    if (!r)
        return NULL;
    nstime now = loop_clock();
    r->address = c->addr;
    r->flow = c->flow;
    r->flow_known = c->flow_known;
    r->started = c->wall ? c->wall : r->started;
    r->timings[TIMING_CONNECT] = span(c->t0, c->connected);
    r->timings[TIMING_TLS] = span(c->connected, c->tls_done);
    r->timings[TIMING_FIRST_BYTE] = span(c->request_at, c->first_at);
    if (c->t0)
        r->timings[TIMING_TOTAL] = now - c->t0;
    return r;
}

static unsigned probe_bit(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(chain_probes); i++)
        if (!strcmp(chain_probes[i].name, name))
            return chain_probes[i].bit;
    return 0;
}

void chain_tell(struct chain *c, struct result *r)
{
    if (!r)
        return;
    c->todo &= ~probe_bit(r->probe);
    auth_hide(c->st, r);
    remember_failure(c->st, r);
    if (c->explores)
        auto_keep(c, r);
    else
        tell(c->st, r);
}

static void skip_rest(struct chain *c, const struct result *failed, const char *reason)
{
    for (size_t i = 0; i < ARRAY_SIZE(chain_probes); i++) {
        if (!(c->todo & chain_probes[i].bit))
            continue;
        struct result *r = chain_result(c, chain_probes[i].name);
        if (!r)
            continue;
        set_skipped(r, failed, reason);
        chain_tell(c, r);
    }
}

void chain_skip_rest(struct chain *c, const struct result *failed)
{
    skip_rest(c, failed, NULL);
}

void chain_skip_because(struct chain *c, const char *reason)
{
    skip_rest(c, NULL, reason);
}

void chain_set_failure(struct chain *c, struct result *r, enum failure f, enum probe_stage s)
{
    r->outcome = f == FAIL_NONE ? OUTCOME_OK : OUTCOME_FAILED;
    r->failure = f;
    r->stage = s;
    if (f != FAIL_NONE && f != FAIL_INTERRUPTED)
        r->err = c->sv.err;
}

enum failure chain_failure(const struct chain *c)
{
    if (c->sv.err)
        return failure_of_errno(c->sv.err);
    return c->sv.eof ? FAIL_EOF : FAIL_UNKNOWN;
}

void chain_quiet(struct chain *c)
{
    watch_stop(c->watch);
    c->watch = NULL;
    timer_pause(c->timer);
}

void chain_watch(struct chain *c, int events, watch_fn fn)
{
    watch_stop(c->watch);
    c->watch = loop_watch(c->st->p->l, c->fd, events, fn, c);
}

void chain_timer(struct chain *c, nstime after, timer_fn fn)
{
    timer_set(c->timer, after, fn);
}

void chain_keep_first(struct chain *c, const void *data, size_t len)
{
    size_t room = sizeof(c->first) - c->nfirst;
    size_t n = MIN_OF(len, room);
    memcpy(c->first + c->nfirst, data, n);
    c->nfirst += n;
}

static void chain_unlink(struct chain *c)
{
    struct chain **at = &c->st->chains;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
}

static void chain_release(struct chain *c)
{
    chain_quiet(c);
    http_free(c);
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    free(c->split);
    c->split = NULL;
    c->ssl = NULL;
    c->ctx = NULL;
    words_free(c);
    SSL_SESSION_free(c->session);
    c->session = NULL;
    tls_seen_release(&c->tls);
    bool over = c->connected == NSTIME_NONE || (c->sv.err && c->sv.err != EPIPE);
    if (c->fd >= 0 && over)
        close(c->fd);
    else if (c->fd >= 0)
        prober_linger(c->st->p, c->fd);
    c->fd = -1;
}

void chain_again(struct chain *c, enum scheme s)
{
    chain_release(c);
    c->scheme = s;
    chain_init(c);
    tcp_begin(c);
}

/* What a first try has kept is told now: it is not exploring any more. */
void chain_tell_kept(struct chain *c, struct result **results, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct result *r = results[i];
        if (i == 0 && r->flow_known && c->st->cb.on_chain)
            c->st->cb.on_chain(c->st->cb.arg, c->st->t->id, r->chain, &r->flow);
        tell(c->st, r);
    }
}

void chain_end(struct chain *c)
{
    struct start *st = c->st;
    struct prober *p = st->p;
    if (c->explores && auto_goes_on(c))
        return;
    chain_release(c);
    chain_unlink(c);
    queue_left(c);
    timer_stop(c->timer);
    free(c);
    st->open--;
    start_check(st);
    queue_run(p);
}

/* ---- the prober ---- */
struct prober *prober_new(struct loop *l, const struct prober_settings *st)
{
    struct prober *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->l = l;
    if (st)
        p->st = *st;
    if (st && st->resolver) {
        p->resolver = strdup(st->resolver);
        if (!p->resolver)
            goto fail;
    }
    p->next_chain = 1;
    p->told_end = &p->told;
    p->lingers_end = &p->lingers;
    if (queue_init(p) < 0)
        goto fail;
    p->tell = loop_timer(l, 0, 0, tell_all, p);
    if (!p->tell)
        goto fail;
    return p;
fail:
    queue_release(p);
    free(p->resolver);
    free(p);
    return NULL;
}

static void chain_interrupt(struct chain *c)
{
    switch (c->state) {
    case CHAIN_TLS:
    case CHAIN_TLS_HOLD: tls_interrupt(c); break;
    case CHAIN_HTTP: http_interrupt(c); break;
    default: tcp_interrupt(c);
    }
}

static void start_interrupt(struct start *st)
{
    if (st->lookup) {
        dns_cancel(st->lookup);
        st->dns->outcome = OUTCOME_FAILED;
        st->dns->failure = FAIL_INTERRUPTED;
        st->dns->stage = PSTAGE_DNS;
        start_resolved(st, NULL, 0);
    }
    while (st->chains)
        chain_interrupt(st->chains);
}

void prober_cancel(struct prober *p)
{
    queue_cancel(p);
    for (struct start *st = p->starts; st; st = st->next)
        start_interrupt(st);
    tell_all(p);
}

static void prober_destroy(struct prober *p)
{
    lingers_release(p);
    queue_release(p);
    timer_stop(p->tell);
    dns_release(p);
    free(p->failed);
    curl_release(p);
    X509_STORE_free(p->store);
    authorities_release(p);
    free(p->resolver);
    free(p);
}

void prober_free(struct prober *p)
{
    if (!p || p->freed)
        return;
    p->freed = true;  /* from here on nothing is told */
    prober_cancel(p); /* tell_all() ends with prober_destroy(), the outer one if called from it */
}
