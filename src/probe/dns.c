/* The dns probe: c-ares asks, A and AAAA at once; the answers are read here, TTLs and all. */
#include "probe/dns.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define LOOKUPS_MAX  32 /* two questions each: above 64 datagrams get lost (socket buffer) */
#define TRIES        3
#define CNAMES_SHOWN 16
#define OTHERS_SHOWN 32
#define SURVEYS_MAX  8                 /* lookups at once that ask every server too */
#define SURVEY_WAIT  (300 * NS_PER_MS) /* for those that are slower than the first answer */

struct question { /* one family's, or of one type */
    struct lookup *lk;
    int family; /* 4, 6; 0: of another type */
    uint16_t type;
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
    struct question q[3]; /* IPv6, IPv4, another type */
    unsigned pending;
    bool begun, in_hosts, main_done;
    nstime took;
    struct survey *survey;
    struct addr addrs[2][ADDRESSES_MAX];
    size_t naddr[2], left_out;
    unsigned cnames, others;
};

struct dns {
    struct prober *p;
    /* c-ares takes SERVFAIL and REFUSED for a server that is not there and ends with ECONNREFUSED:
     * then the second one asks again, and passes on what the server said. */
    struct asker asker, literal;
    struct timer *begin;
    struct lookup *running_list, *waiting, **waiting_end;
    unsigned running, nwaiting;
    struct timespec resolv_mtime;
};

static void lookups_run(struct dns *d);
static void lookup_done(struct lookup *lk);

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
        rc = asker_open(&d->asker, d->p->l, d->p->resolver, ARES_FLAG_NOALIASES, TRIES);
        if (rc == 0)
            rc = asker_open(&d->literal, d->p->l, d->p->resolver,
                            ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP, 1);
        if (rc < 0)
            asker_close(&d->asker);
    }
    return rc;
}

/* ---- reading an answer ---- */
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

static void add_record(struct lookup *lk, const struct dns_record *rr, const uint8_t *msg,
                       size_t len)
{
    char text[ADDR_TEXT_MAX + 24], at[ADDR_TEXT_MAX], name[256];
    struct addr a = {.family = rr->type == DNS_AAAA ? 6 : 4};
    struct cursor data = rr->data;
    size_t size = rr->type == DNS_AAAA ? 16 : 4;
    /* An alias's record data may point back into the message, so it is read from there. */
    if (rr->type == DNS_CNAME && dns_name(&data, msg, len, name, sizeof(name)))
        add_cname(lk, rr->name, name, rr->ttl);
    if (rr->type != DNS_A && rr->type != DNS_AAAA)
        return;
    const uint8_t *b = cur_take(&data, size);
    if (!b)
        return;
    memcpy(a.b, b, size);
    if (!add_address(lk, &a))
        return;
    snprintf(text, sizeof(text), "%s %s ttl %u", a.family == 6 ? "AAAA" : "A", addr_text(at, &a),
             rr->ttl);
    result_add(lk->r, "answer", v_text(text));
    if ((int64_t)rr->ttl < field_int(lk->r, "ttl", INT64_MAX))
        result_set(lk->r, "ttl", v_int(rr->ttl));
}

/* A record of another type, as text. */
static void add_other(struct lookup *lk, const struct dns_record *rr, const uint8_t *msg,
                      size_t len)
{
    struct strbuf sb = STRBUF_INIT;
    if (lk->others++ < OTHERS_SHOWN && record_text(&sb, rr, msg, len))
        result_add(lk->r, "answer", v_text(sb.buf));
    strbuf_release(&sb);
}

static bool same_name(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    n -= n && a[n - 1] == '.';
    m -= m && b[m - 1] == '.';
    return n == m && !strncasecmp(a, b, n);
}

/* The address count before and after tells whether the answer held one. */
static bool read_answer(struct lookup *lk, const uint8_t *msg, size_t len, uint16_t type)
{
    struct dns_walk w;
    struct dns_record rr;
    bool first = true;
    if (!dns_walk_init(&w, msg, len))
        return false;
    while (dns_walk_next(&w, &rr)) {
        if (rr.section != DNS_ANSWER || rr.class != 1)
            continue;
        if (first && !same_name(rr.name, lk->st->host)) /* a search domain was added */
            result_set(lk->r, "name", v_text(rr.name));
        first = false;
        if (rr.type == type && type != DNS_A && type != DNS_AAAA)
            add_other(lk, &rr, msg, len);
        else
            add_record(lk, &rr, msg, len);
    }
    return !w.c.bad;
}

static void ask(struct question *q, struct asker *a);

static size_t found(const struct lookup *lk, const struct question *q)
{
    return q->family ? lk->naddr[q->family == 4] + lk->left_out : lk->others;
}

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
    q->failure = failure_of_dns(status);
    if (lk->st && status == ARES_SUCCESS && abuf && alen > 0) {
        size_t before = found(lk, q);
        bool whole = read_answer(lk, abuf, (size_t)alen, q->type);
        if (found(lk, q) == before)
            q->failure = whole ? FAIL_DNS_NO_ANSWER : FAIL_UNKNOWN;
    }
    if (!lk->pending)
        lookup_done(lk);
}

static void ask(struct question *q, struct asker *a)
{
    q->lk->pending++;
    asker_search(a, q->lk->st->host, q->type, on_answer, q);
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
        for (size_t q = 0; q < ARRAY_SIZE(lk->q); q++)
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
    for (size_t i = 0; i < ARRAY_SIZE(lk->q); i++) {
        const struct question *q = &lk->q[i];
        timeouts += q->timeouts;
        if (q->family && q->answered && q->failure != FAIL_NONE)
            result_set(lk->r, q->family == 4 ? "a" : "aaaa", v_text(failure_name(q->failure)));
        if (q->family && q->asked && !q->answered)
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
    bool asked = lk->q[0].answered || lk->q[1].answered || lk->q[2].answered || lk->pending;
    result_set(r, "source", v_text(lk->in_hosts ? "hosts" : asked ? "dns" : "rfc6761"));
    if (asked) {
        put_servers(lk);
        put_families(lk);
    }
    if (lk->survey)
        survey_put(lk->survey, r, addrs, n);
    nstime now = loop_clock() - lk->began;
    r->timings[TIMING_DNS] = r->timings[TIMING_TOTAL] = lk->main_done ? lk->took : now;
    r->stage = PSTAGE_DNS;
    bool ok = n || lk->others;
    r->outcome = ok ? OUTCOME_OK : OUTCOME_FAILED;
    r->failure = ok ? FAIL_NONE : lk->pending ? FAIL_TIMEOUT : worst(lk);
}

static void lookup_free(struct lookup *lk)
{
    struct dns *d = lk->dns;
    struct lookup **at = lk->begun ? &d->running_list : &d->waiting;
    while (*at != lk)
        at = &(*at)->next;
    *at = lk->next;
    if (!lk->begun) {
        d->nwaiting--;
        if (!lk->next)
            d->waiting_end = at;
    }
    timer_stop(lk->timer);
    survey_free(lk->survey);
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

static void lookup_end(struct lookup *lk)
{
    struct dns *d = lk->dns;
    if (lk->st)
        lookup_tell(lk);
    lookup_free(lk);
    d->running--;
    if (d->asker.open)
        lookups_run(d);
}

/* A dns:// target wants to know of every server, and so does a name that does not resolve. */
static nstime patience(const struct lookup *lk)
{
    bool all = lk->st->t->scheme == SCHEME_DNS || (!lk->naddr[0] && !lk->naddr[1]);
    nstime timeout = lk->st->t->opt.timeout > 0 ? lk->st->t->opt.timeout : TIMEOUT_DEFAULT;
    return all ? timeout : SURVEY_WAIT;
}

/* The system's own order has answered. */
static void lookup_done(struct lookup *lk)
{
    lk->main_done = true;
    lk->took = loop_clock() - lk->began;
    if (lk->st && lk->survey && !survey_over(lk->survey) && lk->timer)
        timer_again(lk->timer, patience(lk));
    else
        lookup_end(lk);
}

static void on_survey(void *arg)
{
    struct lookup *lk = arg;
    if (lk->main_done && lk->timer)
        timer_again(lk->timer, 0);
}

static void on_lookup_timeout(void *arg)
{
    struct lookup *lk = arg;
    if (lk->main_done)
        lookup_end(lk);
    else
        lookup_tell(lk);
}

/* Asking all servers costs several times as much: at first, and where it is what was asked for. */
static bool wants_survey(const struct lookup *lk)
{
    const struct start *st = lk->st;
    return !st->repeat && lk->dns->running + lk->dns->nwaiting <= SURVEYS_MAX &&
           (st->round <= 1 || st->t->scheme == SCHEME_DNS);
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
    timer_again(lk->timer, timeout);
    bool local = look_locally(lk);
    if (wants_survey(lk) && !is_localhost(st->host))
        lk->survey = survey_begin(d->p, st, d->asker.channel, on_survey, lk);
    for (size_t i = 0; i < ARRAY_SIZE(lk->q) && !local; i++)
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
        d->nwaiting--;
        if (!d->waiting)
            d->waiting_end = &d->waiting;
        lk->next = d->running_list;
        d->running_list = lk;
        lookup_begin(lk);
    }
    while (d->waiting && !d->running) { /* nobody can be asked, and none is left that would go on */
        struct lookup *lk = d->waiting;
        lookup_tell(lk);
        lookup_free(lk);
    }
}

static void on_start(void *arg)
{
    struct dns *d = arg;
    lookups_run(d);
}

/* dns://name/TYPE */
uint16_t start_dns_type(const struct start *st)
{
    const char *path = st->t->scheme == SCHEME_DNS ? st->t->path : NULL;
    return path && path[0] && path[1] ? dns_type_by_name(path + 1) : 0;
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
        p->dns->begin = loop_timer(p->l, NSTIME_NONE, 0, on_start, p->dns);
        if (!p->dns->begin) {
            free(p->dns);
            p->dns = NULL;
            return -ENOMEM;
        }
    }
    struct dns *d = p->dns;
    int rc = askers_ready(d);
    if (rc < 0)
        return rc;
    struct lookup *lk = calloc(1, sizeof(*lk));
    if (lk) /* no question is asked that has no end */
        lk->timer = loop_timer(p->l, NSTIME_NONE, 0, on_lookup_timeout, lk);
    if (!lk || !lk->timer) {
        free(lk);
        return -ENOMEM;
    }
    uint16_t type = start_dns_type(st);
    lk->dns = d;
    lk->st = st;
    lk->r = r;
    for (size_t i = 0; i < 2; i++) {
        int family = i ? 4 : 6;
        lk->q[i] = (struct question){.lk = lk, .family = family, .type = i ? DNS_A : DNS_AAAA};
        lk->q[i].asked = (!st->t->opt.family || st->t->opt.family == family) && !type;
    }
    lk->q[2] = (struct question){.lk = lk, .type = type, .asked = type != 0};
    *d->waiting_end = lk;
    d->waiting_end = &lk->next;
    d->nwaiting++;
    st->lookup = lk;
    timer_again(d->begin, 0); /* /etc/hosts may answer at once: not inside prober_start() */
    return 0;
}

void dns_cancel(struct lookup *lk)
{
    timer_stop(lk->timer);
    lk->timer = NULL;
    lk->st = NULL;
    survey_free(lk->survey);
    lk->survey = NULL;
    if (lk->main_done)
        lk->dns->running--;
    if (!lk->begun || lk->main_done)
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
    survey_facts(out, r);
}

const struct probe_type probe_type_dns = {"dns", N_("DNS"), dns_facts};
