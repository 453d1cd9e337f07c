/*
 * What many lines of a log say together. One line tells of one failure; that they all come after
 * the same time, at the same size or for many peers in one second is what names the cause
 * (causes.md C3).
 */
#include "evidence/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void log_digest_release(struct log_digest *d)
{
    for (size_t i = 0; i < d->nr; i++)
        free(d->groups[i]);
    free(d->groups);
    memset(d, 0, sizeof(*d));
}

static bool same_peer(const struct log_line *a, const struct log_line *b)
{
    return a->port == b->port && strcasecmp(a->host, b->host) == 0;
}

static int group_of(struct log_digest *d, const struct log_line *l, uint64_t number)
{
    for (size_t i = 0; i < d->nr; i++)
        if (d->groups[i]->first.error == l->error && same_peer(&d->groups[i]->first, l))
            return (int)i;
    if (d->nr >= LOG_GROUPS_MAX)
        return -E2BIG;
    struct log_group *g = calloc(1, sizeof(*g));
    if (!g || ARRAY_GROW(d->groups, d->nr + 1, d->alloc)) {
        free(g);
        return -ENOMEM;
    }
    g->first = *l;
    g->first_number = number;
    g->begun = g->ended = NSTIME_NONE;
    d->groups[d->nr] = g;
    return (int)d->nr++;
}

/* The errors of the second before this one: other peers, and a broken pipe of the same. */
static void look_back(struct log_digest *d, size_t group, nstime t)
{
    struct log_group *g = d->groups[group];
    size_t seen[ARRAY_SIZE(d->recent)], peers = 1;
    size_t n = MIN_OF(d->nrecent, ARRAY_SIZE(d->recent));

    seen[0] = group;
    for (size_t i = 0; i < n; i++) {
        const struct log_group *other = d->groups[d->recent[i].group];
        bool known = false;
        if (d->recent[i].time > t || t - d->recent[i].time > NS_PER_SEC)
            continue;
        if (other != g && other->first.error == LOGGED_PIPE && same_peer(&other->first, &g->first))
            g->after_pipe++;
        for (size_t k = 0; k < peers; k++)
            known = known || same_peer(&d->groups[seen[k]]->first, &other->first);
        if (!known && *other->first.host)
            seen[peers++] = d->recent[i].group;
    }
    for (size_t k = 0; k < peers; k++)
        d->groups[seen[k]]->peers_at_once =
            MAX_OF(d->groups[seen[k]]->peers_at_once, (unsigned)peers);
    d->recent[d->nrecent % ARRAY_SIZE(d->recent)].time = t;
    d->recent[d->nrecent++ % ARRAY_SIZE(d->recent)].group = group;
}

int log_digest_add(struct log_digest *d, const char *text, size_t len, uint64_t number)
{
    struct log_line l;
    int i;

    d->lines++;
    if (!log_line_read(&l, text, len))
        return -ENOENT;
    d->errors++;
    i = group_of(d, &l, number);
    if (i < 0) {
        d->dropped++;
        return i;
    }
    struct log_group *g = d->groups[i];
    g->lines++;
    g->last_number = number;
    if (l.time != NSTIME_NONE) {
        g->begun = g->begun == NSTIME_NONE ? l.time : MIN_OF(g->begun, l.time);
        g->ended = g->ended == NSTIME_NONE ? l.time : MAX_OF(g->ended, l.time);
        look_back(d, (size_t)i, l.time);
    }
    if (l.duration != NSTIME_NONE && g->ndurations < LOG_SAMPLES)
        g->durations[g->ndurations++] = l.duration;
    if (l.sent > 0 && g->nsizes < LOG_SAMPLES)
        g->sizes[g->nsizes++] = l.sent;
    return i;
}

/* ---- facts ---- */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* How many of n values lie within 3 % (at least slack) of their median, which is given back. */
static size_t near_median(const int64_t *values, size_t n, int64_t slack, int64_t *median)
{
    int64_t sorted[LOG_SAMPLES];
    size_t near = 0;

    memcpy(sorted, values, n * sizeof(*values));
    qsort(sorted, n, sizeof(*sorted), by_value);
    *median = sorted[n / 2];
    slack = MAX_OF(slack, *median * 3 / 100);
    for (size_t i = 0; i < n; i++)
        near += sorted[i] >= *median - slack && sorted[i] <= *median + slack;
    return near;
}

struct said {
    struct facts *out;
    const char *ref;
};

static void put(const struct said *s, enum fact_kind kind, bool yes, struct value v0,
                struct value v1, struct value v2)
{
    facts_put(s->out, kind, yes, SRC_LOG, 0, s->ref, v0, v1, v2);
}

/* Of three failures one may be alike by chance; what differs is told from five on. */
static void regularity(const struct said *s, enum fact_kind kind, const int64_t *values, size_t n,
                       int64_t slack, bool span)
{
    int64_t median;

    if (n < 3)
        return;
    size_t near = near_median(values, n, slack, &median);
    struct value m = span ? v_span(median) : v_int(median);
    if (near * 10 >= n * 7)
        put(s, kind, true, m, v_int((int64_t)near), v_int((int64_t)n));
    else if (n >= 5 && near * 2 < n)
        put(s, kind, false, m, v_int((int64_t)n), v_none());
}

void facts_of_log_pattern(struct facts *out, const struct log_group *g, const char *ref)
{
    struct said s = {out, ref};

    put(&s, FACT_LOG_SAYS, true, v_text(*g->first.words ? g->first.words : "?"),
        v_int((int64_t)g->lines), v_none());
    if (g->first.error == LOGGED_KERNEL)
        put(&s, FACT_LOG_KERNEL, true, v_text(g->first.words), v_none(), v_none());
    regularity(&s, FACT_LOG_SAME_AGE, g->durations, g->ndurations, NS_PER_SEC / 2, true);
    regularity(&s, FACT_LOG_SAME_SIZE, g->sizes, g->nsizes, 1, false);
    if (g->peers_at_once >= 3)
        put(&s, FACT_LOG_MANY_PEERS, true, v_int(g->peers_at_once), v_none(), v_none());
}

static struct value untold(nstime span)
{
    return span == NSTIME_NONE ? v_text(N_("a time that the log does not tell")) : v_span(span);
}

static void of_timeout(const struct said *s, const struct log_line *l)
{
    if (strcmp(l->stage, "connect") == 0)
        put(s, FACT_CONN_TIMEOUT, true, untold(l->duration), v_text(N_("an unknown number of")),
            v_none());
    else
        put(s, FACT_STALLED, true, untold(l->duration), v_text(N_("an unknown number of")),
            v_none());
}

static void of_error(const struct said *s, const struct log_group *g)
{
    const struct log_line *l = &g->first;
    struct value stage = v_text(*l->stage ? l->stage : N_("a stage that the log does not tell")),
                 none = v_none();

    switch (l->error) {
    case LOGGED_RESET: put(s, FACT_CONN_RESET, true, v_text("ECONNRESET"), stage, none); break;
    case LOGGED_PIPE: put(s, FACT_EPIPE_FIRST, true, none, none, none); break;
    case LOGGED_EOF: put(s, FACT_EARLY_EOF, true, untold(l->duration), none, none); break;
    case LOGGED_REFUSED: put(s, FACT_CONN_REFUSED, true, untold(l->duration), none, none); break;
    case LOGGED_TIMEOUT: of_timeout(s, l); break;
    case LOGGED_UNREACHABLE:
        put(s, FACT_CONN_UNREACHABLE, true, v_text("EHOSTUNREACH"), none, none);
        break;
    case LOGGED_ABORTED: put(s, FACT_LOCAL_DESTROYED, true, none, none, none); break;
    case LOGGED_CLIENT: put(s, FACT_LOG_CLIENT_ENDED, true, v_text(l->words), none, none); break;
    case LOGGED_TLS:
        put(s, FACT_TLS_OK, false, v_text(l->words), none, none);
        if (l->alert)
            put(s, FACT_TLS_ALERT, true, v_int(l->alert), v_text(l->words), none);
        break;
    case LOGGED_CERTIFICATE: put(s, FACT_CERT_REJECTED, true, v_text(l->words), none, none); break;
    case LOGGED_NOT_TLS: put(s, FACT_FIRST_BYTES_TEXT, true, v_text(l->words), none, none); break;
    case LOGGED_PLAIN: put(s, FACT_PLAIN_ON_TLS_TEXT, true, none, none, none); break;
    case LOGGED_NAME:
        /* EAI_AGAIN is a server that fails or one that does not answer */
        put(s, FACT_DNS_FAILED, true,
            v_text(strcasestr(l->words, "temporary") || strcasestr(l->words, "AGAIN")
                       ? "EAI_AGAIN"
                       : "dns_nxdomain_error"),
            none, none);
        break;
    case LOGGED_NO_UPSTREAM:
        put(s, FACT_LOG_NO_UPSTREAM, true, v_text(l->words), none, none);
        break;
    case LOGGED_KERNEL: /* said with the pattern, of incidents near it too */
    case LOGGED_NOTHING:
    case LOGGED_COUNT: break;
    }
}

void facts_of_log(struct facts *out, const struct log_group *g, const char *ref)
{
    const struct log_line *l = &g->first;
    struct said s = {out, ref};
    int64_t median;

    facts_of_log_pattern(out, g, ref);
    of_error(&s, g);
    if (*l->stage || l->error == LOGGED_REFUSED)
        put(&s, FACT_STAGE, true, v_text(*l->stage ? l->stage : "connect"), v_none(), v_none());
    if (l->error == LOGGED_RESET && g->after_pipe * 2 > g->lines)
        put(&s, FACT_EPIPE_FIRST, true, v_none(), v_none(), v_none());
    if (l->status)
        put(&s, FACT_HTTP_STATUS, true, v_int(l->status), v_none(), v_none());
    if (g->ndurations && strcmp(l->stage, "response") == 0) {
        near_median(g->durations, g->ndurations, NS_PER_SEC / 2, &median);
        put(&s, FACT_RESPONSE_WAIT, true, v_span(median), v_none(), v_none());
    } else if (g->ndurations) {
        near_median(g->durations, g->ndurations, NS_PER_SEC / 2, &median);
        put(&s, FACT_AGE, true, v_span(median), v_none(), v_none());
    }
    if (g->nsizes) {
        near_median(g->sizes, g->nsizes, 1, &median);
        put(&s, FACT_UPLOADING, true, v_int(median), v_none(), v_none());
    }
    put(&s, FACT_HARMLESS, false, v_text(N_("an application logged it as an error")), v_none(),
        v_none());
}
