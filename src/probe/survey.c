/* Each configured server asked on its own, by UDP and then TCP, and what programs get from
 * getaddrinfo(3) beside it: answers that differ are the cause of many failures that look like the
 * network's. */
#include "probe/dns.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVERS_MAX 4
#define QUESTIONS   3
#define TRIES       1
#define TEXT_ADDRS  6 /* of one answer as text */

struct way;
struct asked {
    struct way *side;
    uint16_t type;
    bool done;
    enum failure failure;
    struct answer a;
};
struct way { /* one server, by one transport */
    struct server *server;
    struct asker asker;
    struct asked q[QUESTIONS];
    size_t nq;
    unsigned pending;
    bool tcp, begun, done;
    nstime began, took;
};
struct server {
    struct survey *s;
    char name[ENDPOINT_TEXT_MAX];
    struct way udp, tcp;
};
/* What another thread looks up: all of it its own. */
struct gai {
    struct survey *s; /* NULL: nobody wants to know any more */
    char host[256];
    int family, rc, err;
    struct addr addrs[ADDRESSES_MAX];
    size_t n, left_out;
    nstime took;
    bool done;
};
struct survey {
    const struct start *st;
    char host[256];
    int family;
    uint16_t type;
    bool https, all, telling;
    struct server servers[SERVERS_MAX];
    size_t n, left_out;
    struct gai *gai;
    void (*done)(void *arg);
    void *arg;
};

/* ---- getaddrinfo, aside ---- */
static void gai_work(void *arg)
{
    struct gai *g = arg;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_family = g->family == 4   ? AF_INET
                                          : g->family == 6 ? AF_INET6
                                                           : AF_UNSPEC};
    struct addrinfo *list = NULL;
    nstime began = loop_clock();
    g->rc = getaddrinfo(g->host, NULL, &hints, &list);
    g->err = errno;
    for (struct addrinfo *i = list; i; i = i->ai_next) {
        uint16_t port;
        if (g->n < ARRAY_SIZE(g->addrs))
            addr_from_sockaddr(i->ai_addr, &g->addrs[g->n++], &port);
        else
            g->left_out++;
    }
    if (list)
        freeaddrinfo(list);
    g->took = loop_clock() - began;
}

static void maybe_over(struct survey *s)
{
    if (!s->telling && survey_over(s) && s->done) {
        s->telling = true;
        s->done(s->arg);
    }
}

static void gai_done(void *arg)
{
    struct gai *g = arg;
    struct survey *s = g->s;
    g->done = true;
    if (s)
        maybe_over(s);
    else
        free(g);
}

static void gai_begin(struct survey *s, struct prober *p)
{
    struct gai *g = calloc(1, sizeof(*g));
    if (!g)
        return;
    g->s = s;
    g->family = s->family;
    snprintf(g->host, sizeof(g->host), "%s", s->host);
    if (loop_aside(p->l, gai_work, gai_done, g) < 0)
        free(g);
    else
        s->gai = g;
}

/* ---- one server ---- */
static enum failure failure_of(const struct way *v)
{
    enum failure f = FAIL_NONE;
    for (size_t i = 0; i < v->nq; i++) {
        if (v->q[i].done && v->q[i].failure == FAIL_NONE && v->q[i].a.records)
            return FAIL_NONE;
        if (v->q[i].type == DNS_HTTPS)
            continue;
        enum failure mine = !v->q[i].done ? FAIL_TIMEOUT : v->q[i].failure;
        f = f == FAIL_NONE || f == FAIL_DNS_NO_ANSWER ? mine : f;
    }
    return f;
}

static bool was_truncated(const struct way *v)
{
    for (size_t i = 0; i < v->nq; i++)
        if (v->q[i].a.truncated)
            return true;
    return false;
}

static void side_begin(struct way *v);

static void side_over(struct way *v)
{
    struct server *server = v->server;
    v->done = true;
    v->took = loop_clock() - v->began;
    /* TCP where UDP did not do, and where all of it was asked for. */
    enum failure f = failure_of(v);
    bool deaf = f == FAIL_TIMEOUT || f == FAIL_REFUSED || f == FAIL_UNKNOWN;
    if (!v->tcp && (deaf || was_truncated(v) || server->s->all))
        side_begin(&server->tcp);
    maybe_over(server->s);
}

static enum failure failure_of_rcode(const struct answer *a)
{
    switch (a->rcode) {
    case 0: return a->records ? FAIL_NONE : FAIL_DNS_NO_ANSWER;
    case 2: return FAIL_DNS_SERVFAIL;
    case 3: return FAIL_DNS_NXDOMAIN;
    case 5: return FAIL_DNS_REFUSED;
    default: return FAIL_UNKNOWN;
    }
}

static void on_side_answer(void *arg, int status, int timeouts, unsigned char *abuf, int alen)
{
    struct asked *q = arg;
    struct way *v = q->side;
    (void)timeouts;
    if (status == ARES_EDESTRUCTION)
        return;
    q->done = true;
    q->failure = failure_of_dns(status);
    if (abuf && alen > 0) {
        answer_read(&q->a, abuf, (size_t)alen, q->type);
        /* c-ares knows what was searched; the message, what the server said of it. */
        if (q->failure == FAIL_NONE || q->failure == FAIL_REFUSED || q->failure == FAIL_UNKNOWN)
            q->failure = q->a.damaged && !q->a.records ? FAIL_UNKNOWN : failure_of_rcode(&q->a);
    }
    if (!--v->pending)
        side_over(v);
}

static void side_add(struct way *v, uint16_t type)
{
    v->q[v->nq++] = (struct asked){.side = v, .type = type};
}

static void side_begin(struct way *v)
{
    struct survey *s = v->server->s;
    int flags = ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP | ARES_FLAG_EDNS |
                (v->tcp ? ARES_FLAG_USEVC : ARES_FLAG_IGNTC);
    v->begun = true;
    v->began = loop_clock();
    if (s->type) {
        side_add(v, s->type);
    } else {
        if (s->family != 6)
            side_add(v, DNS_A);
        if (s->family != 4)
            side_add(v, DNS_AAAA);
        if (s->https)
            side_add(v, DNS_HTTPS);
    }
    if (asker_open(&v->asker, s->st->p->l, v->server->name, flags, TRIES) < 0) {
        for (size_t i = 0; i < v->nq; i++) {
            v->q[i].done = true;
            v->q[i].failure = FAIL_UNKNOWN;
        }
        v->done = true;
        return;
    }
    v->pending = (unsigned)v->nq + 1; /* answers may come from inside */
    for (size_t i = 0; i < v->nq; i++)
        asker_search(&v->asker, s->host, v->q[i].type, on_side_answer, &v->q[i]);
    if (!--v->pending)
        side_over(v);
}

/* ---- all of them ---- */
static void add_servers(struct survey *s, ares_channel channel)
{
    struct ares_addr_port_node *list = NULL;
    if (ares_get_servers_ports(channel, &list) != ARES_SUCCESS)
        return;
    for (struct ares_addr_port_node *n = list; n; n = n->next) {
        struct addr a = {.family = n->family == AF_INET ? 4 : 6};
        if (s->n == SERVERS_MAX) {
            s->left_out++;
            continue;
        }
        struct server *v = &s->servers[s->n++];
        memcpy(a.b, &n->addr, a.family == 4 ? 4 : 16);
        endpoint_text(v->name, &a, (uint16_t)(n->udp_port ? n->udp_port : 53));
        v->s = s;
        v->udp.server = v->tcp.server = v;
        v->tcp.tcp = true;
    }
    ares_free_data(list);
}

struct survey *survey_begin(struct prober *p, const struct start *st, ares_channel servers,
                            void (*done)(void *arg), void *arg)
{
    struct survey *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->st = st;
    s->family = st->t->opt.family;
    s->type = start_dns_type(st);
    s->https = st->t->scheme == SCHEME_HTTPS;
    s->all = st->t->scheme == SCHEME_DNS;
    snprintf(s->host, sizeof(s->host), "%s", st->host);
    add_servers(s, servers);
    if ((!p->resolver || p->st.ask_system) && !s->type)
        gai_begin(s, p);
    for (size_t i = 0; i < s->n; i++)
        side_begin(&s->servers[i].udp);
    s->done = done; /* not from inside here */
    s->arg = arg;
    return s;
}

bool survey_over(const struct survey *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct server *v = &s->servers[i];
        if (!v->udp.done || (v->tcp.begun && !v->tcp.done))
            return false;
    }
    return !s->gai || s->gai->done;
}

void survey_free(struct survey *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++) {
        asker_close(&s->servers[i].udp.asker);
        asker_close(&s->servers[i].tcp.asker);
    }
    if (s->gai && s->gai->done)
        free(s->gai);
    else if (s->gai)
        s->gai->s = NULL;
    free(s);
}

/* ---- what it came to ---- */
static bool has(const struct addr *set, size_t n, const struct addr *a)
{
    for (size_t i = 0; i < n; i++)
        if (addr_equal(&set[i], a))
            return true;
    return false;
}

static bool same_set(const struct addr *a, size_t na, const struct addr *b, size_t nb)
{
    for (size_t i = 0; i < na; i++)
        if (!has(b, nb, &a[i]))
            return false;
    for (size_t i = 0; i < nb; i++)
        if (!has(a, na, &b[i]))
            return false;
    return true;
}

static size_t addresses_of(const struct way *v, struct addr out[ADDRESSES_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < v->nq; i++)
        for (size_t k = 0; k < v->q[i].a.naddr && n < ADDRESSES_MAX; k++)
            if (!has(out, n, &v->q[i].a.addrs[k]))
                out[n++] = v->q[i].a.addrs[k];
    return n;
}

static void add_addresses(struct strbuf *sb, const struct addr *a, size_t n)
{
    char text[ADDR_TEXT_MAX];
    for (size_t i = 0; i < n && i < TEXT_ADDRS; i++)
        strbuf_addf(sb, "%s%s", i ? " " : "", addr_text(text, &a[i]));
    if (n > TEXT_ADDRS)
        strbuf_addf(sb, " and %zu more", n - TEXT_ADDRS);
}

static void put_side(struct result *r, const struct way *v)
{
    struct strbuf sb = STRBUF_INIT;
    struct addr a[ADDRESSES_MAX];
    size_t n = addresses_of(v, a);
    enum failure f = failure_of(v);
    if (!v->begun)
        return;
    strbuf_addf(&sb, "%s %s ", v->server->name, v->tcp ? "tcp" : "udp");
    if (n)
        add_addresses(&sb, a, n);
    else
        strbuf_addstr(&sb, f == FAIL_NONE && v->nq ? v->q[0].a.first : failure_name(f));
    if (was_truncated(v))
        strbuf_addstr(&sb, " (truncated)");
    if (v->done)
        strbuf_addf(&sb, " %.1f ms", (double)v->took / 1e6);
    result_add(r, "server", v_text(sb.buf));
    strbuf_release(&sb);
}

static const struct way *speaking(const struct server *v)
{
    return v->tcp.begun && failure_of(&v->udp) != FAIL_NONE && failure_of(&v->tcp) == FAIL_NONE
               ? &v->tcp
               : &v->udp;
}

static void put_difference(struct result *r, const char *field, const char *who,
                           const struct addr *a, size_t n, enum failure f)
{
    struct strbuf sb = STRBUF_INIT;
    strbuf_addf(&sb, "%s: ", who);
    if (n)
        add_addresses(&sb, a, n);
    else
        strbuf_addstr(&sb, failure_name(f));
    result_add(r, field, v_text(sb.buf));
    strbuf_release(&sb);
}

static void put_server(const struct survey *s, struct result *r, const struct server *v,
                       const struct addr *found, size_t nfound)
{
    struct addr a[ADDRESSES_MAX];
    const struct way *side = speaking(v);
    enum failure f = failure_of(side);
    size_t n = addresses_of(side, a);
    put_side(r, &v->udp);
    put_side(r, &v->tcp);
    for (size_t i = 0; i < side->nq; i++) {
        if (side->q[i].a.why[0])
            result_set(r, "extended_error", v_text(side->q[i].a.why));
        if (side->q[i].type == DNS_HTTPS && side->q[i].a.records)
            result_set(r, "https_record", v_text(side->q[i].a.first));
    }
    if (v->udp.done && v->tcp.done && failure_of(&v->tcp) == FAIL_NONE &&
        failure_of(&v->udp) != FAIL_NONE)
        result_add(r, "tcp_only", v_text(v->name));
    if (!side->done)
        return; /* not in time: that is no answer yet */
    if (f == FAIL_NONE && !s->type && !same_set(a, n, found, nfound))
        put_difference(r, "server_differs", v->name, a, n, f);
    else if (f != FAIL_NONE && nfound)
        put_difference(r, "server_fails", v->name, NULL, 0, f);
}

static void put_system(struct result *r, const struct gai *g, const struct addr *found,
                       size_t nfound)
{
    struct strbuf sb = STRBUF_INIT;
    const char *words = g->rc == EAI_SYSTEM ? strerror(g->err) : gai_strerror(g->rc);
    if (!g->done) {
        result_set(r, "getaddrinfo", v_text("no answer yet"));
        return;
    }
    if (g->rc == 0)
        add_addresses(&sb, g->addrs, g->n);
    else
        strbuf_addstr(&sb, words);
    result_set(r, "getaddrinfo", v_text(sb.buf));
    result_set(r, "getaddrinfo_took", v_span(g->took));
    if (!same_set(g->addrs, g->n, found, nfound) && !g->left_out)
        result_set(r, "getaddrinfo_differs", v_bool(true));
    strbuf_release(&sb);
}

void survey_put(const struct survey *s, struct result *r, const struct addr *found, size_t n)
{
    for (size_t i = 0; i < s->n; i++)
        put_server(s, r, &s->servers[i], found, n);
    if (s->left_out)
        result_set(r, "servers_left_out", v_int((int64_t)s->left_out));
    if (s->gai)
        put_system(r, s->gai, found, n);
}

/* ---- facts ---- */
void survey_facts(struct facts *out, const struct result *r)
{
    struct value none = v_none();
    const char *differs = field_str(r, "server_differs"), *fails = field_str(r, "server_fails");
    const char *tcp = field_str(r, "tcp_only"), *why = field_str(r, "extended_error");
    const char *programs = field_str(r, "getaddrinfo"), *first = field_str(r, "address");
    bool asked = field_str(r, "server") != NULL;
    if (differs)
        facts_put_yes(out, r, FACT_DNS_DIFFER, v_text(differs), none, none);
    else if (asked)
        facts_put_no(out, r, FACT_DNS_DIFFER, none, none);
    if (fails)
        facts_put_yes(out, r, FACT_DNS_SERVER_FAILS, v_text(fails), none, none);
    else if (asked && r->outcome == OUTCOME_OK)
        facts_put_no(out, r, FACT_DNS_SERVER_FAILS, none, none);
    if (tcp)
        facts_put_yes(out, r, FACT_DNS_TCP_ONLY, v_text(tcp), none, none);
    if (why)
        facts_put_yes(out, r, FACT_DNS_WHY, v_text(why), none, none);
    if (programs && field_true(r, "getaddrinfo_differs"))
        facts_put_yes(out, r, FACT_DNS_SYSTEM_DIFFERS, v_text(programs),
                      v_text(first ? first : failure_name(r->failure)), none);
    else if (programs)
        facts_put_no(out, r, FACT_DNS_SYSTEM_DIFFERS, none, none);
    if (first && field_str(r, "moved_from"))
        facts_put_yes(out, r, FACT_DNS_MOVED, v_text(first), v_text(field_str(r, "moved_from")),
                      none);
}
