/* line.c: a packet's way: the near stretch, the box with its rules, the far stretch. */
#include "tunrouter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int line_init(struct line *l, uint64_t seed)
{
    *l = (struct line){.port = {{.fd = -1}, {.fd = -1}}, .dice = {seed}};
    return flows_init(&l->flows);
}

void line_release(struct line *l)
{
    for (size_t i = 0; i < l->nheap; i++)
        free(l->heap[i].data);
    free(l->heap);
    flows_release(&l->flows);
    port_close(&l->port[0]);
    port_close(&l->port[1]);
}

/* ---- what waits for its time: a heap, first due first ---- */
static bool sooner(const struct waiting *a, const struct waiting *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void sift_down(struct line *l, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t c = 2 * i + 1; c <= 2 * i + 2 && c < l->nheap; c++)
            if (sooner(&l->heap[c], &l->heap[least]))
                least = c;
        if (least == i)
            return;
        struct waiting w = l->heap[i];
        l->heap[i] = l->heap[least];
        l->heap[least] = w;
        i = least;
    }
}

static void wait_until(struct line *l, nstime due, int at, enum way way, const uint8_t *ip,
                       size_t len)
{
    uint8_t *copy = malloc(len);

    if (!copy || l->nheap >= QUEUE_MAX || ARRAY_GROW(l->heap, l->nheap + 1, l->heap_alloc)) {
        free(copy);
        l->lost++;
        return;
    }
    memcpy(copy, ip, len);
    size_t i = l->nheap++;
    l->heap[i] = (struct waiting){due, l->order++, (uint8_t)at, (uint8_t)way, len, copy};
    for (; i && sooner(&l->heap[i], &l->heap[(i - 1) / 2]); i = (i - 1) / 2) {
        struct waiting w = l->heap[i];
        l->heap[i] = l->heap[(i - 1) / 2];
        l->heap[(i - 1) / 2] = w;
    }
}

/* Through one stretch; `at` says where it comes out. */
static void travel(struct line *l, enum stretch stretch, int at, enum way way, const uint8_t *ip,
                   size_t len, nstime now)
{
    struct shaped s;

    shape_packet(&l->shape[stretch][way], &l->dice, now, len, &s);
    l->lost += !s.copies;
    for (int i = 0; i < s.copies; i++) {
        wait_until(l, s.due[i], at, way, ip, len);
        /* The copy in the heap is turned over, not the caller's. */
        for (size_t k = 0; s.flip && k < l->nheap; k++)
            if (l->heap[k].order == l->order - 1)
                craft_flip(l->heap[k].data, len, &l->dice, false);
    }
}

void line_enter(struct line *l, enum way way, const uint8_t *ip, size_t len, nstime now)
{
    travel(l, way == UP ? NEAR : FAR, 0, way, ip, len, now);
}

/* From the box toward an end. */
void line_send(struct line *l, enum way way, const uint8_t *ip, size_t len, nstime when)
{
    if (len)
        travel(l, way == UP ? FAR : NEAR, 1, way, ip, len, when);
}

static void tell(struct line *l, const struct rule *r, const char *what, const struct flow *f)
{
    char text[400], from[ENDPOINT_TEXT_MAX] = "", to[ENDPOINT_TEXT_MAX] = "";

    if (!l->told)
        return;
    if (f) {
        endpoint_text(from, &f->client, f->cport);
        endpoint_text(to, &f->server, f->sport);
    }
    snprintf(text, sizeof(text), "rule %d %s %s %s", (int)(r - l->rules) + 1, what, from, to);
    l->told(l, text);
}

/* ---- forged resets ---- */

/* The numbers a RST must bear to be believed by the end it goes to. p is what drew it, NULL at a
 * pushed one; `swallowed`: it goes no further itself. */
static struct rst_numbers numbers(const struct forge *g, const struct flow *f,
                                  const struct packet *p, enum way came, enum way toward,
                                  bool swallowed)
{
    struct rst_numbers n = {f->side[toward].next, f->side[!toward].next, g->with_ack};

    if (!p)
        return n;
    uint32_t len = p->payload_len + !!(p->tcp.flags & TCP_SYN) + !!(p->tcp.flags & TCP_FIN);
    if (came != toward) { /* an answer to what that end sent (RFC 9293 3.10.7.1) */
        n.ack = p->tcp.seq + len;
        if (p->tcp.flags & TCP_ACK) {
            n.seq = p->tcp.ack;
        } else {
            n.seq = 0;
            n.ack_flag = true;
        }
    } else { /* in the name of the one who sent it */
        n.seq = swallowed ? p->tcp.seq : p->tcp.seq + len;
        n.ack = p->tcp.ack;
    }
    return n;
}

static void forge_toward(struct line *l, const struct rule *r, const struct flow *f,
                         const struct packet *p, enum way came, enum way toward, nstime now)
{
    const struct forge *g = &r->forge;
    struct rst_numbers n = numbers(g, f, p, came, toward, r->act == ACT_RESET);
    uint8_t out[40 + 20 + sizeof(g->payload)];

    for (int i = 0; i < g->count; i++) {
        size_t len = craft_rst(out, g, f, p, toward, &n, i, &l->dice);
        line_send(l, toward, out, len, now + g->wait + i * g->gap);
    }
}

static void forge_all(struct line *l, const struct rule *r, const struct flow *f,
                      const struct packet *p, enum way came, nstime now)
{
    int to = r->forge.to;

    if (p && p->tcp.flags & TCP_RST)
        return; /* never a RST for a RST (RFC 9293 3.5.2) */
    if (to & TO_SENDER)
        to |= came == UP ? TO_CLIENT : TO_SERVER;
    if (to & TO_CLIENT)
        forge_toward(l, r, f, p, came, DOWN, now);
    if (to & TO_SERVER)
        forge_toward(l, r, f, p, came, UP, now);
}

/* ---- what lasts after a hit ---- */
static void residual_keep(struct line *l, const struct rule *r, const struct flow *f, nstime now)
{
    struct residual *slot = &l->residual[0];

    for (int i = 0; i < RESIDUAL_MAX; i++)
        if (l->residual[i].until < slot->until)
            slot = &l->residual[i];
    *slot = (struct residual){now + r->residual_for, f->client, f->server, 0, 0, r};
    if (r->residual == RES_TUPLE)
        slot->cport = f->cport;
    if (r->residual != RES_HOST)
        slot->sport = f->sport;
}

static const struct rule *residual_of(const struct line *l, const struct flow *f, nstime now)
{
    for (int i = 0; i < RESIDUAL_MAX; i++) {
        const struct residual *s = &l->residual[i];
        if (s->until > now && addr_equal(&s->client, &f->client) &&
            addr_equal(&s->server, &f->server) && (!s->sport || s->sport == f->sport) &&
            (!s->cport || s->cport == f->cport))
            return s->rule;
    }
    return NULL;
}

/* ---- the box ---- */
static const struct addr *own_address(const struct line *l, const struct packet *p)
{
    return p->src.family == 4 ? &l->hop4 : &l->hop6;
}

/* ICMP goes back the way the packet came, from the box's address; without one, from the address
 * the packet was for (as a transparent box does). */
static void send_icmp(struct line *l, enum craft_icmp what, uint8_t code, uint32_t mtu,
                      enum way came, const struct packet *p, const uint8_t *ip, size_t len,
                      nstime now)
{
    uint8_t out[9100];
    const struct addr *from = own_address(l, p)->family ? own_address(l, p) : &p->dst;

    if (p->l4 == L4_ICMP || p->l4 == L4_ICMP6) {
        bool error =
            p->src.family == 4 ? p->icmp.type != 8 && p->icmp.type != 0 : p->icmp.type < 128;
        if (error)
            return; /* no error about an error (RFC 1122 3.2.2, RFC 4443 2.4e) */
    }
    line_send(l, !came, out, craft_icmp(out, what, code, mtu, from, p, ip, len), now);
}

/* True: it goes no further, its TTL was the last or it was for the box itself. */
static bool hop(struct line *l, enum way way, const struct packet *p, uint8_t *ip, size_t len,
                nstime now)
{
    const struct addr *own = own_address(l, p);

    if (!own->family)
        return false;
    if (addr_equal(own, &p->dst)) {
        bool ask = p->l4 == (own->family == 4 ? L4_ICMP : L4_ICMP6) &&
                   p->icmp.type == (own->family == 4 ? 8 : 128);
        if (ask)
            send_icmp(l, CRAFT_ECHO, 0, 0, way, p, ip, len, now);
        return true;
    }
    if (craft_spend_ttl(ip, len))
        return false;
    send_icmp(l, CRAFT_EXCEEDED, 0, 0, way, p, ip, len, now);
    return true;
}

/* RFC 4443 3.1's codes for RFC 792's: port, administratively prohibited, else address. */
static uint8_t unreach_code(const struct rule *r, const struct packet *p)
{
    if (p->src.family == 4)
        return r->unreach;
    return r->unreach == 3                                           ? 4
           : r->unreach == 13 || r->unreach == 10 || r->unreach == 9 ? 1
           : r->unreach == 0                                         ? 0
                                                                     : 3;
}

/* Does what the rule says; true: the packet goes no further. */
static bool carry_out(struct line *l, const struct rule *r, enum way way, const struct packet *p,
                      struct flow *f, uint8_t *ip, size_t len, nstime now)
{
    if (f && r->mute & TO_CLIENT)
        f->muted[UP] = true;
    if (f && r->mute & TO_SERVER)
        f->muted[DOWN] = true;
    if (f && r->residual)
        residual_keep(l, r, f, now);
    switch (r->act) {
    case ACT_RESET:
        if (f)
            forge_all(l, r, f, p, way, now);
        return true;
    case ACT_UNREACH:
        send_icmp(l, CRAFT_UNREACH, unreach_code(r, p), 0, way, p, ip, len, now);
        return true;
    case ACT_CORRUPT: craft_flip(ip, len, &l->dice, r->hidden); return false;
    default: return r->act == ACT_DROP;
    }
}

static bool blocked(struct line *l, enum way way, const struct packet *p, struct flow *f,
                    nstime now)
{
    const struct rule *r;

    if (f->muted[way])
        return true;
    if (way != UP || !(r = residual_of(l, f, now)))
        return false;
    tell(l, r, "still holds for", f);
    if (!r->residual_drop)
        forge_all(l, r, f, p, way, now);
    return true;
}

/* False: it goes no further. *taps: the rules, a bit each, whose forgeries follow it. */
static bool through_rules(struct line *l, enum way way, const struct packet *p, struct flow *f,
                          uint8_t *ip, size_t len, nstime now, uint64_t *taps)
{
    for (int i = 0; i < l->nrules; i++) {
        struct rule *r = &l->rules[i];
        if (!rule_match(r, i, p, way, f, &l->flows, &l->dice, now))
            continue;
        tell(l, r, "fires on", f);
        if (r->act == ACT_INJECT)
            *taps |= 1ULL << i;
        if (carry_out(l, r, way, p, f, ip, len, now))
            return false;
        if (r->act == ACT_PASS)
            break;
    }
    return true;
}

/* IPv4 without DF is not cut up here: no host of a lab sends it over TCP. */
static void send_on(struct line *l, enum way way, const struct packet *p, const uint8_t *ip,
                    size_t len, nstime now)
{
    if (!l->mtu[way] || len <= l->mtu[way])
        line_send(l, way, ip, len, now);
    else if (!l->mtu_silent)
        send_icmp(l, CRAFT_TOO_BIG, 0, l->mtu[way], way, p, ip, len, now);
}

static void at_box(struct line *l, enum way way, uint8_t *ip, size_t len, nstime now)
{
    struct record rec = {
        .caplen = (uint32_t)len, .len = (uint32_t)len, .link = LINK_RAW, .data = ip};
    struct packet p;
    struct flow *f = NULL;

    if (packet_decode(&p, &rec, NULL) != 1 || hop(l, way, &p, ip, len, now))
        return;
    p.ttl = ip[0] >> 4 == 4 ? ip[8] : ip[7];
    if (p.l4 == L4_TCP && !p.fragment) {
        f = flows_see(&l->flows, &p, way, now);
        /* Expiry is looked at with the silence before this packet. */
        for (int i = 0; i < l->nrules; i++)
            if (l->rules[i].forget && f->side[UP].packets && now - f->last >= l->rules[i].forget)
                f->forgotten = true;
        flow_count(f, &p, way, now);
        if (blocked(l, way, &p, f, now))
            return;
    }
    uint64_t taps = 0;
    bool on = through_rules(l, way, &p, f, ip, len, now, &taps);
    if (on)
        send_on(l, way, &p, ip, len, now);
    for (int i = 0; f && i < l->nrules; i++)
        if (taps >> i & 1)
            forge_all(l, &l->rules[i], f, &p, way, now);
}

/* Pushed resets: flows whose silence has grown too long. */
static nstime push_expired(struct line *l, nstime now)
{
    nstime next = NSTIME_NONE;

    for (int i = 0; i < l->nrules; i++) {
        struct rule *r = &l->rules[i];
        if (r->act != ACT_PUSH)
            continue;
        for (size_t k = 0; k < l->flows.top; k++) {
            struct flow *f = &l->flows.all[k];
            nstime due = f->last + r->forget;
            if (!f->used || f->pushed || f->closed || !f->side[DOWN].seen ||
                (r->port_high && (f->sport < r->port_low || f->sport > r->port_high)))
                continue;
            if (due > now) {
                next = next == NSTIME_NONE ? due : MIN_OF(next, due);
                continue;
            }
            f->pushed = f->forgotten = true;
            r->fired++;
            tell(l, r, "fires on", f);
            forge_all(l, r, f, NULL, UP, now);
        }
    }
    return next;
}

nstime line_run(struct line *l, nstime now)
{
    nstime push = push_expired(l, now);

    while (l->nheap && l->heap[0].due <= now) {
        struct waiting w = l->heap[0];
        l->heap[0] = l->heap[--l->nheap];
        sift_down(l, 0);
        if (w.at) {
            l->passed[w.way]++;
            l->leave(l, (enum way)w.way, w.data, w.len);
        } else {
            at_box(l, (enum way)w.way, w.data, w.len, now);
        }
        free(w.data);
    }
    if (!l->nheap)
        return push;
    return push == NSTIME_NONE ? l->heap[0].due : MIN_OF(push, l->heap[0].due);
}
