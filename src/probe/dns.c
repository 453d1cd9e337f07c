/* The dns probe: c-ares asks, A and AAAA at once; the answers are read here, TTLs and all. */
#include "probe/internal.h"
#include <ares.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define LOOKUPS_MAX  32 /* two questions each: above 64 datagrams get lost (socket buffer) */
#define TRY_MS       2000
#define TRIES        3
#define CNAMES_SHOWN 16
#define TYPE_A       1
#define TYPE_CNAME   5
#define TYPE_AAAA    28

struct question { /* one family's */
    struct lookup *lk;
    int family;
    bool asked, again, answered;
    enum failure failure;
    int status; /* ARES_ */
    unsigned timeouts;
};

struct lookup {
    struct dns *dns;
    struct lookup *next; /* waiting, or running */
    struct start *st;    /* NULL: cancelled, waits for c-ares to let go */
    struct result *r;
    struct timer *timer;
    nstime began;
    struct question q[2]; /* IPv6, IPv4 */
    unsigned pending;
    bool begun, in_hosts;
    struct addr addrs[2][ADDRESSES_MAX];
    size_t naddr[2], left_out;
    unsigned cnames;
};

struct asker;
struct watched_fd {
    struct watched_fd *next;
    struct asker *asker;
    ares_socket_t fd;
    struct watch *watch;
    int events;
};

struct asker { /* one c-ares channel on the loop */
    struct loop *l;
    ares_channel channel;
    bool open;
    struct timer *timer;
    struct watched_fd *fds;
};

struct dns {
    struct prober *p;
    /* c-ares takes SERVFAIL and REFUSED for a server that is not there and ends with ECONNREFUSED:
     * then the second one asks again, and passes on what the server said. */
    struct asker asker, literal;
    struct timer *begin;
    struct lookup *running_list, *waiting, **waiting_end;
    unsigned running;
    struct timespec resolv_mtime;
};

static void lookups_run(struct dns *d);
static void lookup_done(struct lookup *lk);

/* ---- c-ares on the loop ---- */
static void set_timer(struct asker *d);

static void on_fd(void *arg, int events)
{
    struct watched_fd *w = arg;
    struct asker *d = w->asker;
    ares_socket_t fd = w->fd;
    ares_process_fd(d->channel, events & LOOP_READ && w->events & LOOP_READ ? fd : ARES_SOCKET_BAD,
                    events & LOOP_WRITE && w->events & LOOP_WRITE ? fd : ARES_SOCKET_BAD);
    set_timer(d);
}

static void on_time(void *arg)
{
    struct asker *d = arg;
    ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(d);
}

static void set_timer(struct asker *d)
{
    struct timeval tv;
    timer_stop(d->timer);
    d->timer = NULL;
    if (!d->open || !ares_timeout(d->channel, NULL, &tv))
        return;
    nstime after = (nstime)tv.tv_sec * NS_PER_SEC + (nstime)tv.tv_usec * NS_PER_US;
    d->timer = loop_timer(d->l, after, 0, on_time, d);
}

static void on_sock_state(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct asker *d = arg;
    int events = (readable ? LOOP_READ : 0) | (writable ? LOOP_WRITE : 0);
    struct watched_fd **at = &d->fds;
    while (*at && (*at)->fd != fd)
        at = &(*at)->next;
    struct watched_fd *w = *at;
    if (!events) {
        if (!w)
            return;
        *at = w->next;
        watch_stop(w->watch);
        free(w);
        return;
    }
    if (w) {
        w->events = events;
        watch_set(w->watch, events);
        return;
    }
    w = calloc(1, sizeof(*w));
    if (!w)
        return; /* its questions time out */
    *w = (struct watched_fd){d->fds, d, fd, NULL, events};
    w->watch = loop_watch(d->l, fd, events, on_fd, w);
    if (w->watch)
        d->fds = w;
    else
        free(w);
}

static int asker_open(struct asker *a, struct prober *p, int flags, int tries)
{
    struct ares_options o = {
        .flags = flags,
        .timeout = TRY_MS,
        .tries = tries,
        .sock_state_cb = on_sock_state,
        .sock_state_cb_data = a,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    a->l = p->l;
    int rc = ares_init_options(&a->channel, &o, mask);
    if (rc != ARES_SUCCESS)
        return rc == ARES_ENOMEM ? -ENOMEM : -EIO;
    if (p->resolver && ares_set_servers_ports_csv(a->channel, p->resolver) != ARES_SUCCESS) {
        ares_destroy(a->channel);
        return -EINVAL;
    }
    a->open = true;
    return 0;
}

static void asker_close(struct asker *a)
{
    bool was_open = a->open;
    a->open = false; /* answers that ares_destroy() gives begin nothing new */
    if (was_open)
        ares_destroy(a->channel);
    timer_stop(a->timer);
    a->timer = NULL;
}

/* A console runs for days: between lookups the channels follow a changed resolv.conf. */
static int askers_ready(struct dns *d)
{
    struct stat sb = {0};
    int rc = 0;
    bool there = stat("/etc/resolv.conf", &sb) == 0;
    if (d->asker.open && !d->running && !d->p->resolver && there &&
        (sb.st_mtim.tv_sec != d->resolv_mtime.tv_sec ||
         sb.st_mtim.tv_nsec != d->resolv_mtime.tv_nsec)) {
        asker_close(&d->asker);
        asker_close(&d->literal);
    }
    if (!d->asker.open) {
        d->resolv_mtime = sb.st_mtim;
        rc = asker_open(&d->asker, d->p, ARES_FLAG_NOALIASES, TRIES);
        if (rc == 0)
            rc = asker_open(&d->literal, d->p, ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP, 1);
        if (rc < 0)
            asker_close(&d->asker);
    }
    return rc;
}

/* ---- reading an answer (RFC 1035 4.1) ---- */
static bool read_name(struct cursor *c, const uint8_t *msg, size_t len, char out[256])
{
    struct cursor at = *c;
    char raw[256];
    size_t n = 0;
    bool jumped = false;
    for (int steps = 0; steps < 128; steps++) { /* a loop of pointers ends here */
        uint8_t b = cur_u8(&at);
        if (at.bad)
            return false;
        if ((b & 0xc0) == 0xc0) {
            size_t to = (size_t)(b & 0x3f) << 8 | cur_u8(&at);
            if (at.bad || to >= len)
                return false;
            if (!jumped)
                *c = at;
            jumped = true;
            at = cursor_of(msg + to, len - to);
            continue;
        }
        if (b & 0xc0)
            return false;
        if (!b) {
            if (!jumped)
                *c = at;
            text_clean(out, 256, raw, n > 1 ? n - 1 : n);
            return true;
        }
        const uint8_t *label = cur_take(&at, b);
        if (!label || n + b + 1 > 254)
            return false;
        memcpy(raw + n, label, b);
        n += b;
        raw[n++] = '.';
    }
    return false;
}

static bool add_address(struct lookup *lk, const struct addr *a)
{
    int q = a->family == 4;
    if (lk->naddr[q] >= ADDRESSES_MAX) {
        lk->left_out++;
        return false;
    }
    lk->addrs[q][lk->naddr[q]++] = *a;
    return true;
}

/* The A and the AAAA answer tell the same aliases: each is shown once. */
static void add_cname(struct lookup *lk, const char *owner, const char *target, uint32_t ttl)
{
    struct result *r = lk->r;
    char line[600];
    int len = snprintf(line, sizeof(line), "%s -> %s", owner, target);
    for (size_t i = 0; i < r->nfields; i++)
        if (!strcmp(r->fields[i].name, "cname") &&
            !strncmp(r->fields[i].value.u.s, line, (size_t)len) &&
            r->fields[i].value.u.s[len] == ' ')
            return;
    if (lk->cnames++ >= CNAMES_SHOWN)
        return;
    snprintf(line + len, sizeof(line) - (size_t)len, " ttl %u", ttl);
    result_add(r, "cname", v_text(line));
}

static void add_record(struct lookup *lk, const char *owner, uint16_t type, uint32_t ttl,
                       struct cursor rd, const uint8_t *msg, size_t len)
{
    char text[ADDR_TEXT_MAX + 24], at[ADDR_TEXT_MAX], name[256];
    struct addr a = {.family = type == TYPE_AAAA ? 6 : 4};
    size_t size = type == TYPE_AAAA ? 16 : 4;
    /* An alias's record data may point back into the message, so it is read from there. */
    if (type == TYPE_CNAME && read_name(&rd, msg, len, name))
        add_cname(lk, owner, name, ttl);
    if (type != TYPE_A && type != TYPE_AAAA)
        return;
    const uint8_t *b = cur_take(&rd, size);
    if (!b)
        return;
    memcpy(a.b, b, size);
    if (!add_address(lk, &a))
        return;
    snprintf(text, sizeof(text), "%s %s ttl %u", a.family == 6 ? "AAAA" : "A", addr_text(at, &a),
             ttl);
    result_add(lk->r, "answer", v_text(text));
    if ((int64_t)ttl < field_int(lk->r, "ttl", INT64_MAX))
        result_set(lk->r, "ttl", v_int(ttl));
}

/* The address count before and after tells whether the answer held one. */
static bool read_answer(struct lookup *lk, const uint8_t *msg, size_t len)
{
    struct cursor c = cursor_of(msg, len);
    char name[256];
    cur_take(&c, 4);
    uint16_t questions = cur_be16(&c), answers = cur_be16(&c);
    cur_take(&c, 4);
    for (uint16_t i = 0; i < questions && !c.bad; i++) {
        if (!read_name(&c, msg, len, name))
            return false;
        cur_take(&c, 4);
        if (strcasecmp(name, lk->st->host)) /* a search domain was added */
            result_set(lk->r, "name", v_text(name));
    }
    for (uint16_t i = 0; i < answers && !c.bad; i++) {
        if (!read_name(&c, msg, len, name))
            return false;
        uint16_t type = cur_be16(&c), cls = cur_be16(&c);
        uint32_t ttl = cur_be32(&c);
        struct cursor rd = cur_sub(&c, cur_be16(&c));
        if (!c.bad && cls == 1)
            add_record(lk, name, type, ttl, rd, msg, len);
    }
    return !c.bad;
}

static enum failure failure_of_status(int status)
{
    switch (status) {
    case ARES_SUCCESS: return FAIL_NONE;
    case ARES_ENOTFOUND: return FAIL_DNS_NXDOMAIN;
    case ARES_ENODATA: return FAIL_DNS_NO_ANSWER;
    case ARES_ESERVFAIL: return FAIL_DNS_SERVFAIL;
    case ARES_EREFUSED: return FAIL_DNS_REFUSED;
    case ARES_ETIMEOUT: return FAIL_TIMEOUT;
    case ARES_ECONNREFUSED: return FAIL_REFUSED;
    default: return FAIL_UNKNOWN;
    }
}

static void ask(struct question *q, struct asker *a);

static void on_answer(void *arg, int status, int timeouts, unsigned char *abuf, int alen)
{
    struct question *q = arg;
    struct lookup *lk = q->lk;
    lk->pending--;
    if (status == ARES_ECONNREFUSED && !q->again && lk->st && lk->dns->literal.open) {
        q->again = true;
        ask(q, &lk->dns->literal);
        return;
    }
    q->answered = true;
    q->status = status;
    q->timeouts = (unsigned)timeouts;
    q->failure = failure_of_status(status);
    if (lk->st && status == ARES_SUCCESS && abuf && alen > 0) {
        size_t before = lk->naddr[q->family == 4] + lk->left_out;
        bool whole = read_answer(lk, abuf, (size_t)alen);
        if (lk->naddr[q->family == 4] + lk->left_out == before)
            q->failure = whole ? FAIL_DNS_NO_ANSWER : FAIL_UNKNOWN;
    }
    if (!lk->pending)
        lookup_done(lk);
}

static void ask(struct question *q, struct asker *a)
{
    q->lk->pending++;
    ares_search(a->channel, q->lk->st->host, 1, q->family == 4 ? TYPE_A : TYPE_AAAA, on_answer, q);
    set_timer(a);
}

/* ---- /etc/hosts, and localhost (RFC 6761 6.3) ---- */
static bool look_in_hosts(struct lookup *lk, int family)
{
    struct hostent *h = NULL;
    char text[ADDR_TEXT_MAX + 24], at[ADDR_TEXT_MAX];
    int af = family == 4 ? AF_INET : AF_INET6;
    if (ares_gethostbyname_file(lk->dns->asker.channel, lk->st->host, af, &h) != ARES_SUCCESS)
        return false;
    for (char **p = h->h_addr_list; *p; p++) {
        struct addr a = {.family = (uint8_t)family};
        memcpy(a.b, *p, family == 4 ? 4 : 16);
        if (!add_address(lk, &a))
            continue;
        snprintf(text, sizeof(text), "%s %s", family == 4 ? "A" : "AAAA", addr_text(at, &a));
        result_add(lk->r, "answer", v_text(text));
    }
    ares_free_hostent(h);
    return lk->naddr[family == 4] > 0;
}

static bool is_localhost(const char *host)
{
    size_t len = strlen(host);
    if (len && host[len - 1] == '.')
        len--;
    return len >= 9 && !strncasecmp(host + len - 9, "localhost", 9) &&
           (len == 9 || host[len - 10] == '.');
}

static bool look_locally(struct lookup *lk)
{
    static const struct addr loopback[2] = {{6, {[15] = 1}}, {4, {127, 0, 0, 1}}};
    bool found = false;
    for (size_t i = 0; i < 2; i++)
        if (lk->q[i].asked && look_in_hosts(lk, lk->q[i].family))
            found = true;
    if (found) {
        lk->in_hosts = true;
        return true;
    }
    if (!is_localhost(lk->st->host))
        return false;
    for (size_t i = 0; i < 2; i++)
        if (lk->q[i].asked)
            add_address(lk, &loopback[i]);
    return true;
}

/* ---- lookups ---- */
static size_t interleave(const struct lookup *lk, struct addr *out)
{
    size_t n = 0;
    for (size_t i = 0; i < ADDRESSES_MAX && n < ADDRESSES_MAX; i++)
        for (int q = 0; q < 2 && n < ADDRESSES_MAX; q++)
            if (i < lk->naddr[q])
                out[n++] = lk->addrs[q][i];
    return n;
}

static enum failure worst(const struct lookup *lk)
{
    /* Of two reasons the one that says more about the servers. */
    static const enum failure order[] = {FAIL_REFUSED,     FAIL_TIMEOUT,       FAIL_DNS_SERVFAIL,
                                         FAIL_DNS_REFUSED, FAIL_DNS_NO_ANSWER, FAIL_DNS_NXDOMAIN};
    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        for (size_t q = 0; q < 2; q++)
            if (lk->q[q].answered && lk->q[q].failure == order[i])
                return order[i];
    return FAIL_UNKNOWN;
}

static void put_servers(struct lookup *lk)
{
    struct ares_addr_port_node *list = NULL, *n;
    char text[ENDPOINT_TEXT_MAX];
    int left = 3;
    if (ares_get_servers_ports(lk->dns->asker.channel, &list) != ARES_SUCCESS)
        return;
    for (n = list; n && left-- > 0; n = n->next) {
        struct addr a = {.family = n->family == AF_INET ? 4 : 6};
        memcpy(a.b, &n->addr, a.family == 4 ? 4 : 16);
        endpoint_text(text, &a, (uint16_t)(n->udp_port ? n->udp_port : 53));
        result_add(lk->r, "resolver", v_text(text));
    }
    ares_free_data(list);
}

static void put_families(struct lookup *lk)
{
    unsigned timeouts = 0;
    for (size_t i = 0; i < 2; i++) {
        const struct question *q = &lk->q[i];
        timeouts += q->timeouts;
        if (q->answered && q->failure != FAIL_NONE)
            result_set(lk->r, q->family == 4 ? "a" : "aaaa", v_text(failure_name(q->failure)));
        if (q->asked && !q->answered)
            result_set(lk->r, q->family == 4 ? "a" : "aaaa", v_text(failure_name(FAIL_TIMEOUT)));
        if (q->answered && q->failure == FAIL_UNKNOWN)
            result_set(lk->r, "error", v_text(ares_strerror(q->status)));
    }
    if (timeouts)
        result_set(lk->r, "unanswered", v_int(timeouts));
}

static void fill_result(struct lookup *lk, const struct addr *addrs, size_t n)
{
    struct result *r = lk->r;
    char text[ADDR_TEXT_MAX];
    for (size_t i = 0; i < n; i++)
        result_add(r, "address", v_text(addr_text(text, &addrs[i])));
    size_t all = lk->naddr[0] + lk->naddr[1] + lk->left_out;
    if (all > n)
        result_set(r, "addresses_left_out", v_int((int64_t)(all - n)));
    bool asked = lk->q[0].answered || lk->q[1].answered || lk->pending;
    result_set(r, "source", v_text(lk->in_hosts ? "hosts" : asked ? "dns" : "rfc6761"));
    if (asked) {
        put_servers(lk);
        put_families(lk);
    }
    r->timings[TIMING_DNS] = r->timings[TIMING_TOTAL] = loop_clock() - lk->began;
    r->stage = PSTAGE_DNS;
    r->outcome = n ? OUTCOME_OK : OUTCOME_FAILED;
    r->failure = n ? FAIL_NONE : lk->pending ? FAIL_TIMEOUT : worst(lk);
}

static void lookup_free(struct lookup *lk)
{
    struct dns *d = lk->dns;
    struct lookup **at = lk->begun ? &d->running_list : &d->waiting;
    while (*at != lk)
        at = &(*at)->next;
    *at = lk->next;
    if (!lk->begun && !lk->next)
        d->waiting_end = at;
    timer_stop(lk->timer);
    free(lk);
}

/* Tells the start, and leaves lk to c-ares while that still holds questions of it. */
static void lookup_tell(struct lookup *lk)
{
    struct start *st = lk->st;
    struct addr addrs[ADDRESSES_MAX];
    size_t n = interleave(lk, addrs);
    fill_result(lk, addrs, n);
    lk->st = NULL;
    timer_stop(lk->timer);
    lk->timer = NULL;
    start_resolved(st, addrs, n);
}

static void lookup_done(struct lookup *lk)
{
    struct dns *d = lk->dns;
    if (lk->st)
        lookup_tell(lk);
    lookup_free(lk);
    d->running--;
    if (d->asker.open)
        lookups_run(d);
}

static void on_lookup_timeout(void *arg)
{
    struct lookup *lk = arg;
    lookup_tell(lk);
}

static void lookup_begin(struct lookup *lk)
{
    struct dns *d = lk->dns;
    struct start *st = lk->st;
    nstime timeout = st->t->opt.timeout > 0 ? st->t->opt.timeout : TIMEOUT_DEFAULT;
    lk->begun = true;
    d->running++;
    lk->began = loop_clock();
    lk->r->started = loop_wall(d->p->l);
    lk->pending = 1; /* until all questions are out: answers may come from inside ares_search() */
    lk->timer = loop_timer(d->p->l, timeout, 0, on_lookup_timeout, lk);
    bool local = look_locally(lk);
    for (size_t i = 0; i < 2 && !local; i++)
        if (lk->q[i].asked)
            ask(&lk->q[i], &d->asker);
    if (!--lk->pending)
        lookup_done(lk);
}

static void lookups_run(struct dns *d)
{
    while (d->waiting && d->running < LOOKUPS_MAX && askers_ready(d) == 0) {
        struct lookup *lk = d->waiting;
        d->waiting = lk->next;
        if (!d->waiting)
            d->waiting_end = &d->waiting;
        lk->next = d->running_list;
        d->running_list = lk;
        lookup_begin(lk);
    }
}

static void on_start(void *arg)
{
    struct dns *d = arg;
    timer_stop(d->begin);
    d->begin = NULL;
    lookups_run(d);
}

int dns_lookup(struct start *st, struct result *r)
{
    struct prober *p = st->p;
    if (!p->dns) {
        p->dns = calloc(1, sizeof(*p->dns));
        if (!p->dns)
            return -ENOMEM;
        p->dns->p = p;
        p->dns->waiting_end = &p->dns->waiting;
    }
    struct dns *d = p->dns;
    int rc = askers_ready(d);
    if (rc < 0)
        return rc;
    struct lookup *lk = calloc(1, sizeof(*lk));
    if (!lk)
        return -ENOMEM;
    lk->dns = d;
    lk->st = st;
    lk->r = r;
    for (size_t i = 0; i < 2; i++) {
        int family = i ? 4 : 6;
        lk->q[i] = (struct question){.lk = lk, .family = family};
        lk->q[i].asked = !st->t->opt.family || st->t->opt.family == family;
    }
    *d->waiting_end = lk;
    d->waiting_end = &lk->next;
    st->lookup = lk;
    if (!d->begin) /* /etc/hosts may answer at once: not from inside prober_start() */
        d->begin = loop_timer(p->l, 0, 0, on_start, d);
    return 0;
}

void dns_cancel(struct lookup *lk)
{
    timer_stop(lk->timer);
    lk->timer = NULL;
    lk->st = NULL;
    if (!lk->begun)
        lookup_free(lk);
}

void dns_release(struct prober *p)
{
    struct dns *d = p->dns;
    if (!d)
        return;
    timer_stop(d->begin);
    asker_close(&d->asker);
    asker_close(&d->literal);
    while (d->waiting)
        lookup_free(d->waiting);
    while (d->running_list)
        lookup_free(d->running_list);
    free(d);
    p->dns = NULL;
}

/* ---- facts ---- */
static void dns_facts(struct facts *out, const struct result *r)
{
    struct value none = v_none();
    const char *source = field_str(r, "source");
    if (r->outcome == OUTCOME_FAILED)
        facts_put_yes(out, r, FACT_DNS_FAILED, v_text(failure_name(r->failure)), none, none);
    else
        facts_put_no(out, r, FACT_DNS_FAILED, none, none);
    if (source && r->outcome == OUTCOME_OK) {
        if (!strcmp(source, "hosts"))
            facts_put_yes(out, r, FACT_DNS_HOSTS, none, none, none);
        else
            facts_put_no(out, r, FACT_DNS_HOSTS, none, none);
    }
}

const struct probe_type probe_type_dns = {"dns", N_("DNS"), dns_facts};
