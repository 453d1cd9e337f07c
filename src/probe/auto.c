/* host:port: finds out by itself what is spoken there. At most two connections an address; the
 * results of one of them are told, as if its scheme had been written. */
#include "probe/internal.h"
#include <string.h>

/* Where the port says it, nothing is tried. Ports of protocols whose client speaks first and is
 * neither TLS nor HTTP are only held: a ClientHello would be noise in their logs. */
static const struct {
    uint16_t port;
    enum scheme scheme;
} known[] = {
    {465, SCHEME_TLS},  {636, SCHEME_TLS},  {853, SCHEME_TLS},   {989, SCHEME_TLS},
    {990, SCHEME_TLS},  {993, SCHEME_TLS},  {995, SCHEME_TLS},   {5671, SCHEME_TLS},
    {6697, SCHEME_TLS}, {8883, SCHEME_TLS}, {53, SCHEME_TCP},    {88, SCHEME_TCP},
    {139, SCHEME_TCP},  {179, SCHEME_TCP},  {389, SCHEME_LDAP},  {445, SCHEME_TCP},
    {1433, SCHEME_TCP}, {1521, SCHEME_TCP}, {1883, SCHEME_TCP},  {2181, SCHEME_TCP},
    {3389, SCHEME_TCP}, {5432, SCHEME_PG},  {5672, SCHEME_TCP},  {6379, SCHEME_REDIS},
    {9042, SCHEME_TCP}, {9092, SCHEME_TCP}, {11211, SCHEME_TCP}, {27017, SCHEME_TCP},
};
static const uint16_t http_ports[] = {80,   3000, 5000, 5601, 8000, 8008,
                                      8080, 8081, 8888, 9090, 9200, 15672};
static const uint16_t https_ports[] = {443, 4443, 6443, 8443, 9443};

static bool has_port(const uint16_t *ports, size_t n, uint16_t port)
{
    for (size_t i = 0; i < n; i++)
        if (ports[i] == port)
            return true;
    return false;
}

enum scheme auto_guess(uint16_t port, bool *explores)
{
    *explores = false;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (known[i].port == port)
            return known[i].scheme;
    *explores = true;
    if (has_port(http_ports, ARRAY_SIZE(http_ports), port))
        return SCHEME_HTTP;
    if (has_port(https_ports, ARRAY_SIZE(https_ports), port))
        return SCHEME_HTTPS;
    return SCHEME_AUTO; /* waits for a banner first */
}

/* The greeting says it: on with its first words, on this connection. */
void auto_found(struct chain *c, enum scheme s)
{
    chain_quiet(c);
    c->explores = false;
    chain_set_scheme(c, s);
    if (c->flow_known && c->st->cb.on_chain)
        c->st->cb.on_chain(c->st->cb.arg, c->st->t->id, c->id, &c->flow);
    words_begin(c);
}

void auto_begin(struct chain *c)
{
    c->scheme = SCHEME_HTTPS;
    c->todo = PROBE_TCP | PROBE_TLS | PROBE_HTTP;
    tcp_ok(c, PSTAGE_HOLD);
    http_begin(c);
}

void auto_keep(struct chain *c, struct result *r)
{
    if (c->nkept[c->tries] < ARRAY_SIZE(c->kept[0]))
        c->kept[c->tries][c->nkept[c->tries]++] = r;
    else
        result_free(r);
}

static struct result *kept_result(const struct chain *c, unsigned try, const char *probe)
{
    for (size_t i = 0; i < c->nkept[try]; i++)
        if (!strcmp(c->kept[try][i]->probe, probe))
            return c->kept[try][i];
    return NULL;
}

static void drop(struct chain *c, unsigned try, const char *probe)
{
    size_t n = 0;
    for (size_t i = 0; i < c->nkept[try]; i++) {
        struct result *r = c->kept[try][i];
        if (!probe || !strcmp(r->probe, probe))
            result_free(r);
        else
            c->kept[try][n++] = r;
    }
    c->nkept[try] = n;
}

/* No other try can say more: what was awaited is spoken, or nothing can be. */
static bool is_answer(struct chain *c)
{
    const struct result *tcp = kept_result(c, c->tries, "tcp");
    const struct result *tls = kept_result(c, c->tries, "tls");
    const struct result *http = kept_result(c, c->tries, "http");
    if (!tcp || tcp->outcome != OUTCOME_OK || c->scheme == SCHEME_AUTO)
        return true;
    if ((tls && tls->failure == FAIL_INTERRUPTED) || (http && http->failure == FAIL_INTERRUPTED))
        return true;
    if (c->scheme == SCHEME_HTTPS)
        return tls && (field_true(tls, "server_hello") || field_str(tls, "alert"));
    return http && field_int(http, "status", 0) > 0;
}

static bool has_reset(const struct chain *c, unsigned try)
{
    for (size_t i = 0; i < c->nkept[try]; i++)
        if (c->kept[try][i]->failure == FAIL_RESET || c->kept[try][i]->failure == FAIL_BROKEN_PIPE)
            return true;
    return false;
}

static void tell_try(struct chain *c, unsigned try)
{
    const struct result *tls = kept_result(c, try, "tls"), *http = kept_result(c, try, "http");
    /* TLS, but what is inside is not HTTP: nobody said that it was. */
    if (tls && tls->failure == FAIL_NONE && http && http->failure == FAIL_HTTP_BAD_RESPONSE)
        drop(c, try, "http");
    for (unsigned i = 0; i < AUTO_TRIES; i++)
        if (i != try)
            drop(c, i, NULL);
    chain_tell_kept(c, c->kept[try], c->nkept[try]);
    c->nkept[try] = 0;
}

/* Neither TLS nor HTTP, and no reset: the port is open, which is all there is to say. */
static void tell_open(struct chain *c)
{
    struct result *tcp = kept_result(c, 0, "tcp");
    result_set(tcp, "speaks", v_text("neither TLS nor HTTP"));
    drop(c, 0, "tls");
    drop(c, 0, "http");
    tell_try(c, 0);
}

bool auto_goes_on(struct chain *c)
{
    if (is_answer(c)) {
        tell_try(c, c->tries);
        return false;
    }
    if (c->tries + 1 < AUTO_TRIES) {
        enum scheme other = c->scheme == SCHEME_HTTPS ? SCHEME_HTTP : SCHEME_HTTPS;
        c->tries++;
        chain_again(c, other);
        return true;
    }
    if (has_reset(c, 0))
        tell_try(c, 0);
    else if (has_reset(c, 1))
        tell_try(c, 1);
    else
        tell_open(c);
    return false;
}
