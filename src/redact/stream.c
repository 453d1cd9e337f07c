/*
 * A ClientHello or a head that does not fit one segment is rewritten as one piece: what came of it
 * is remembered until the rest is here, for a few hundred connections at a time.
 */
#include "redact/private.h"

#include <stdlib.h>

#define STREAMS    256
#define STREAM_MAX 8192

struct stream {
    struct addr src, dst;
    uint16_t sport, dport;
    uint32_t next; /* the sequence number that goes on */
    uint16_t len;  /* 0: free */
    uint8_t data[STREAM_MAX];
};

void streams_release(struct streams *st)
{
    free(st->items);
    *st = (struct streams){NULL, 0};
}

static uint32_t seq_of(const uint8_t *tcp)
{
    return (uint32_t)get16(tcp + 4) << 16 | get16(tcp + 6);
}

static struct stream *find(struct rewrite *w, uint32_t seq)
{
    struct streams *st = &w->r->streams;

    for (size_t i = 0; st->items && i < STREAMS; i++) {
        struct stream *s = &st->items[i];
        if (s->len && s->next == seq && s->sport == w->sport && s->dport == w->dport &&
            addr_equal(&s->src, &w->from_src) && addr_equal(&s->dst, &w->from_dst))
            return s;
    }
    return NULL;
}

static bool goes_on(const struct app *a)
{
    return a->partial && (a->kind == APP_TLS_CLIENT_HELLO || a->kind == APP_TLS_SERVER_HELLO ||
                          a->kind == APP_HTTP_REQUEST || a->kind == APP_HTTP_RESPONSE);
}

bool stream_goes_on(struct rewrite *w, const struct span *s, const uint8_t *tcp)
{
    struct stream *st = find(w, seq_of(tcp));
    size_t n = here(s);
    uint8_t *out;
    struct app a;

    if (!st)
        return false;
    size_t had = st->len, all = had + n;
    st->len = 0;
    out = all <= STREAM_MAX ? malloc(all) : NULL;
    if (!out)
        return false;
    memcpy(st->data + had, w->in + s->off, n);
    rewrite_app(w->r, st->data, out, all, w->sport, w->dport);
    memcpy(w->out + s->off, out + had, n);
    free(out);
    if (app_decode(&a, st->data, all, w->sport, w->dport) && goes_on(&a)) {
        st->len = (uint16_t)all;
        st->next += (uint32_t)n;
    }
    return true;
}

void stream_begins(struct rewrite *w, const struct span *s, const uint8_t *tcp)
{
    struct streams *all = &w->r->streams;
    const uint8_t *in = w->in + s->off;
    size_t n = here(s);
    struct app a;

    if (n < 5 || n > STREAM_MAX - 256 || n != s->wire ||
        !app_decode(&a, in, n, w->sport, w->dport) || !goes_on(&a))
        return;
    if (!all->items && !(all->items = calloc(STREAMS, sizeof(*all->items))))
        return;
    struct stream *st = &all->items[all->next++ % STREAMS];
    *st = (struct stream){.src = w->from_src,
                          .dst = w->from_dst,
                          .sport = w->sport,
                          .dport = w->dport,
                          .next = seq_of(tcp) + !!(tcp[13] & TCP_SYN) + (uint32_t)n,
                          .len = (uint16_t)n};
    memcpy(st->data, in, n);
}
