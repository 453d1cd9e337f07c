/* IPv4 and IPv6 fragments (RFC 791 3.2, RFC 8200 4.5). Where fragments overlap, what came first
 * stays; a datagram that contradicts its own length is dropped whole. */
#include "wire/decode.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_BYTES ((size_t)1 << 20)
#define BUCKETS       256
#define RANGES_MAX    32
#define WAIT_NS       (60 * NS_PER_SEC) /* RFC 8200 4.5 */
#define DATAGRAM_MAX  65535U

struct range {
    uint32_t from, to;
};
struct datagram {
    struct datagram *chain;         /* its bucket */
    struct datagram *older, *newer; /* all, by the time of their first fragment */
    struct addr src, dst;
    uint32_t id;
    uint8_t proto, first_proto;
    nstime first;
    uint32_t total; /* 0: the last fragment is not in */
    uint32_t alloc;
    unsigned nranges;
    struct range range[RANGES_MAX]; /* what is in, sorted, none touching another */
    uint8_t *data;
};
struct defrag {
    size_t max, used;
    struct datagram *bucket[BUCKETS], *oldest, *newest;
    struct datagram *done; /* the one last handed out */
};

struct defrag *defrag_new(size_t max_bytes)
{
    struct defrag *d = calloc(1, sizeof(*d));

    if (d)
        d->max = max_bytes ? max_bytes : DEFAULT_BYTES;
    return d;
}

static size_t cost(const struct datagram *g)
{
    return sizeof(*g) + g->alloc;
}

static void datagram_free(struct datagram *g)
{
    if (!g)
        return;
    free(g->data);
    free(g);
}

static unsigned bucket_of(const struct addr *src, const struct addr *dst, uint32_t id)
{
    uint64_t h = hash_bytes(id, src->b, sizeof(src->b));

    return (unsigned)(hash_bytes(h, dst->b, sizeof(dst->b)) % BUCKETS);
}

static void unlink_datagram(struct defrag *d, struct datagram *g)
{
    struct datagram **at = &d->bucket[bucket_of(&g->src, &g->dst, g->id)];

    while (*at != g)
        at = &(*at)->chain;
    *at = g->chain;
    *(g->older ? &g->older->newer : &d->oldest) = g->newer;
    *(g->newer ? &g->newer->older : &d->newest) = g->older;
    d->used -= cost(g);
}

static void drop(struct defrag *d, struct datagram *g)
{
    unlink_datagram(d, g);
    datagram_free(g);
}

void defrag_free(struct defrag *d)
{
    if (!d)
        return;
    while (d->oldest)
        drop(d, d->oldest);
    datagram_free(d->done);
    free(d);
}

static struct datagram *find(struct defrag *d, const struct fragment *f)
{
    struct datagram *g = d->bucket[bucket_of(&f->src, &f->dst, f->id)];

    for (; g; g = g->chain)
        if (g->id == f->id && addr_equal(&g->src, &f->src) && addr_equal(&g->dst, &f->dst) &&
            (f->src.family == 6 || g->proto == f->proto)) /* v6 goes by its first fragment's */
            return g;
    return NULL;
}

static struct datagram *start(struct defrag *d, const struct fragment *f)
{
    struct datagram *g = calloc(1, sizeof(*g));
    struct datagram **bucket = &d->bucket[bucket_of(&f->src, &f->dst, f->id)];

    if (!g)
        return NULL;
    g->src = f->src;
    g->dst = f->dst;
    g->id = f->id;
    g->proto = g->first_proto = f->proto;
    g->first = f->time;
    g->chain = *bucket;
    *bucket = g;
    g->older = d->newest;
    *(d->newest ? &d->newest->newer : &d->oldest) = g;
    d->newest = g;
    d->used += cost(g);
    return g;
}

/* Room for bytes up to `end`; the oldest others go when the store is full. */
static bool reserve(struct defrag *d, struct datagram *g, uint32_t end)
{
    uint32_t want = g->alloc ? g->alloc : 2048;

    while (want < end)
        want *= 2;
    if (want != g->alloc) {
        uint8_t *data = realloc(g->data, want);
        if (!data)
            return false;
        g->data = data;
        d->used += want - g->alloc;
        g->alloc = want;
    }
    while (d->used > d->max && d->oldest != g)
        drop(d, d->oldest);
    while (d->used > d->max && d->newest != g)
        drop(d, d->newest);
    return d->used <= d->max;
}

/* Copies [from, to) except what is there already, and notes it as in. false: too many holes. */
static bool fill(struct datagram *g, uint32_t from, uint32_t to, const uint8_t *bytes)
{
    unsigned i = 0, j;
    uint32_t at = from;
    struct range whole = {from, to};

    while (i < g->nranges && g->range[i].to < from)
        i++;
    for (j = i; j < g->nranges && g->range[j].from <= to; j++) {
        const struct range *r = &g->range[j];
        if (r->from > at)
            memcpy(g->data + at, bytes + (at - from), r->from - at);
        at = MAX_OF(at, r->to);
        whole.from = MIN_OF(whole.from, r->from);
        whole.to = MAX_OF(whole.to, r->to);
    }
    if (at < to)
        memcpy(g->data + at, bytes + (at - from), to - at);
    if (i == j && g->nranges == RANGES_MAX)
        return false;
    /* ranges i..j-1 become one */
    memmove(&g->range[i + 1], &g->range[j], (g->nranges - j) * sizeof(g->range[0]));
    g->range[i] = whole;
    g->nranges = g->nranges - (j - i) + 1;
    return true;
}

static bool contradicts(const struct datagram *g, const struct fragment *f, uint32_t end)
{
    if (g->total && (end > g->total || (!f->more && end != g->total)))
        return true;
    return !f->more && g->nranges && g->range[g->nranges - 1].to > end;
}

/* Captures may bear any time, and none: the span is taken where nothing can overflow. */
static bool too_old(const struct datagram *g, nstime now)
{
    __int128 span = (__int128)now - g->first;

    return now != NSTIME_NONE && g->first != NSTIME_NONE && (span > WAIT_NS || span < -WAIT_NS);
}

bool defrag_add(struct defrag *d, const struct fragment *f, struct cursor *out, uint8_t *proto)
{
    uint32_t end = f->offset + f->len;

    if (f->len == 0 || f->len > DATAGRAM_MAX || end > DATAGRAM_MAX || (f->more && f->len % 8))
        return false;
    struct datagram *g = find(d, f);
    if (g && too_old(g, f->time)) {
        drop(d, g); /* a number used again */
        g = NULL;
    }
    if (!g && !(g = start(d, f)))
        return false;
    if (contradicts(g, f, end) || !reserve(d, g, end) || !fill(g, f->offset, end, f->data)) {
        drop(d, g);
        return false;
    }
    if (!f->more)
        g->total = end;
    if (f->offset == 0)
        g->first_proto = f->proto;
    if (!g->total || g->nranges != 1 || g->range[0].from != 0 || g->range[0].to != g->total)
        return false;
    unlink_datagram(d, g);
    datagram_free(d->done);
    d->done = g;
    *out = cursor_of(g->data, g->total);
    *proto = g->first_proto;
    return true;
}
