/* flow.c: the connections a box has seen. */
#include "tunrouter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int flows_init(struct flows *f)
{
    f->top = 0;
    f->all = calloc(FLOWS_MAX, sizeof(*f->all));
    return f->all ? 0 : -ENOMEM;
}

void flows_release(struct flows *f)
{
    for (size_t i = 0; i < f->top; i++)
        free(f->all[i].head);
    free(f->all);
    f->all = NULL;
}

static bool flow_is(const struct flow *f, const struct packet *p, enum way way)
{
    const struct addr *c = way == UP ? &p->src : &p->dst, *s = way == UP ? &p->dst : &p->src;
    uint16_t cp = way == UP ? p->tcp.sport : p->tcp.dport;
    uint16_t sp = way == UP ? p->tcp.dport : p->tcp.sport;

    return f->used && f->cport == cp && f->sport == sp && addr_equal(&f->client, c) &&
           addr_equal(&f->server, s);
}

static void flow_begin(struct flow *f, const struct packet *p, enum way way, nstime now)
{
    uint8_t *head = f->head;

    *f = (struct flow){.used = true, .head = head, .born = now, .last = now};
    f->client = way == UP ? p->src : p->dst;
    f->server = way == UP ? p->dst : p->src;
    f->cport = way == UP ? p->tcp.sport : p->tcp.dport;
    f->sport = way == UP ? p->tcp.dport : p->tcp.sport;
}

struct flow *flows_see(struct flows *f, const struct packet *p, enum way way, nstime now)
{
    struct flow *oldest = &f->all[0], *found = NULL;

    for (size_t i = 0; i < f->top && !found; i++) {
        if (flow_is(&f->all[i], p, way))
            found = &f->all[i];
        if (f->all[i].last < oldest->last)
            oldest = &f->all[i];
    }
    bool syn = (p->tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    /* The same SYN again is no new connection. */
    if (found && !(syn && way == UP && found->side[UP].next != p->tcp.seq + 1))
        return found;
    if (!found)
        found = f->top < FLOWS_MAX ? &f->all[f->top++] : oldest;
    flow_begin(found, p, way, now);
    return found;
}

/* The client's first bytes in order, for rules that look across segments. */
static void keep_head(struct flow *f, const struct packet *p)
{
    if (!p->payload_caplen || f->head_len == FLOW_HEAD_MAX)
        return;
    if (!f->head && !(f->head = malloc(FLOW_HEAD_MAX)))
        return;
    if (!f->head_len)
        f->head_next = p->tcp.seq;
    if (p->tcp.seq != f->head_next)
        return;
    size_t n = MIN_OF((size_t)p->payload_caplen, FLOW_HEAD_MAX - f->head_len);
    memcpy(f->head + f->head_len, p->payload, n);
    f->head_len += n;
    f->head_next += (uint32_t)n;
}

void flow_count(struct flow *f, const struct packet *p, enum way way, nstime now)
{
    struct flow_side *s = &f->side[way];
    uint32_t end =
        p->tcp.seq + p->payload_len + !!(p->tcp.flags & TCP_SYN) + !!(p->tcp.flags & TCP_FIN);

    if (way == UP)
        keep_head(f, p);
    if (!(p->tcp.flags & TCP_RST)) {
        if (!s->seen || (int32_t)(end - s->next) > 0)
            s->next = end;
        s->ack = p->tcp.ack;
        s->window = p->tcp.window;
        s->ttl = p->ttl;
        s->id = p->ip_id ? p->ip_id : s->id;
        s->seen = true;
    }
    s->packets++;
    s->bytes += p->payload_len;
    if (p->tcp.flags & TCP_FIN)
        f->fins |= (uint8_t)(1 << way);
    f->closed = f->closed || (p->tcp.flags & TCP_RST) || f->fins == 3;
    f->last = now;
}

int flows_open(const struct flows *f, const struct flow *like)
{
    int n = 0;

    for (size_t i = 0; i < f->top; i++) {
        const struct flow *o = &f->all[i];
        n += o->used && !o->closed && o->sport == like->sport &&
             addr_equal(&o->client, &like->client) && addr_equal(&o->server, &like->server);
    }
    return n;
}
