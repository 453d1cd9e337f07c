/*
 * Who asked for what before: one entry a (client, server, port) and one a client, so that a
 * refusal can be told from a scan (design.md 5). Two generations of bounded size: when the younger
 * is full the older is forgotten, so memory stays flat whatever a peer invents.
 */
#include "flow/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SERVICES_MAX 131072 /* slots of a generation, powers of two */
#define CLIENTS_MAX  32768

static uint64_t addr_hash(uint64_t key, const struct addr *a)
{
    uint64_t w[2];
    memcpy(w, a->b, sizeof(w));
    return hash_mix(hash_mix(w[0] ^ key, w[1]), key + a->family) | 1;
}

static uint64_t key_of(uint64_t client, uint64_t server, uint16_t port)
{
    return hash_mix(client, server + port) | 1; /* 0 marks a free slot */
}

uint64_t service_key(const struct flow_table *t, const struct flow_key *k)
{
    return key_of(addr_hash(t->hash_key, &k->src), addr_hash(~t->hash_key, &k->dst), k->dport);
}

/* No service has port 0 and the client ::. */
uint64_t host_key(const struct flow_table *t, const struct addr *a)
{
    return hash_mix(addr_hash(~t->hash_key, a), t->hash_key) | 1;
}

int services_init(struct services *s)
{
    *s = (struct services){0};
    s->now = calloc(SERVICES_MAX, sizeof(*s->now));
    s->before = calloc(SERVICES_MAX, sizeof(*s->before));
    s->cnow = calloc(CLIENTS_MAX, sizeof(*s->cnow));
    s->cbefore = calloc(CLIENTS_MAX, sizeof(*s->cbefore));
    return s->now && s->before && s->cnow && s->cbefore ? 0 : -ENOMEM;
}

void services_release(struct services *s)
{
    free(s->now);
    free(s->before);
    free(s->cnow);
    free(s->cbefore);
}

/* A slot's number; the lowest bit of a key is always set. */
static inline size_t slot_of(uint64_t key, size_t slots)
{
    return key >> 1 & (slots - 1);
}

void service_ahead(const struct flow_table *t, const struct addr *client, const struct addr *server,
                   uint16_t port)
{
    const struct services *s = &t->services;
    uint64_t c = addr_hash(t->hash_key, client);
    size_t at = slot_of(key_of(c, addr_hash(~t->hash_key, server), port), SERVICES_MAX);

    __builtin_prefetch(&s->now[at], 1);
    __builtin_prefetch(&s->before[at]);
    at = slot_of(c, CLIENTS_MAX);
    __builtin_prefetch(&s->cnow[at], 1);
    __builtin_prefetch(&s->cbefore[at]);
}

static struct service *service_slot(struct service *a, uint64_t key)
{
    size_t i = slot_of(key, SERVICES_MAX);
    while (a[i].key && a[i].key != key)
        i = (i + 1) & (SERVICES_MAX - 1);
    return &a[i];
}

struct service *service_get(struct services *s, uint64_t key, bool add)
{
    struct service *at = service_slot(s->now, key), *was;
    if (at->key == key)
        return at;
    was = service_slot(s->before, key);
    if (was->key != key && !add)
        return NULL;
    if (s->n >= SERVICES_MAX / 2) {
        struct service *swap = s->before;
        struct service kept = was->key == key ? *was : (struct service){0};
        s->before = s->now;
        s->now = swap;
        memset(s->now, 0, SERVICES_MAX * sizeof(*s->now));
        s->n = 0;
        at = service_slot(s->now, key);
        *at = kept;
    } else if (was->key == key) {
        *at = *was;
    }
    at->key = key;
    s->n++;
    return at;
}

static struct client *client_slot(struct client *a, uint64_t key)
{
    size_t i = slot_of(key, CLIENTS_MAX);
    while (a[i].key && a[i].key != key)
        i = (i + 1) & (CLIENTS_MAX - 1);
    return &a[i];
}

struct client *client_get(const struct flow_table *t, struct services *s, const struct addr *a,
                          bool add)
{
    uint64_t key = addr_hash(t->hash_key, a);
    struct client *at = client_slot(s->cnow, key), *was;
    if (at->key == key)
        return at;
    was = client_slot(s->cbefore, key);
    if (was->key != key && !add)
        return NULL;
    struct client kept = was->key == key ? *was : (struct client){0};
    if (s->cn >= CLIENTS_MAX / 2) {
        struct client *swap = s->cbefore;
        s->cbefore = s->cnow;
        s->cnow = swap;
        memset(s->cnow, 0, CLIENTS_MAX * sizeof(*s->cnow));
        s->cn = 0;
        at = client_slot(s->cnow, key);
    }
    *at = kept;
    at->key = key;
    s->cn++;
    return at;
}
