/*
 * What may begin when: so many connections at once, so many to one address, so many new ones a
 * second, and no more than there are descriptors for. A chain that must wait for its address waits
 * there, so that the others need not be looked through each time.
 *
 * Connections that wait for their peer are cheap; those with TLS and HTTP share this thread. A
 * thousand handshakes at once would each look slow because of the others, and need memory. So once
 * many are at work no new one begins until one has ended, or all of them turn out to hang.
 */
#include "probe/internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define AT_ONCE_DEFAULT 10000
#define HOST_DEFAULT    64
#define FILES_KEPT      96               /* for the program itself: reports, helpers, resolvers */
#define SLICE           64               /* begun in one go: the loop has others to serve */
#define BURST           (10 * NS_PER_MS) /* of the rate: what a timer is late is caught up */
#define FILES_AGAIN     (50 * NS_PER_MS) /* after the system had no descriptor */
#define WORKING_MAX     256
#define WORK_LOOK       (50 * NS_PER_MS)
#define STILL           (300 * NS_PER_MS) /* none has ended: they all wait for something */
#define BUCKETS_MIN     64

struct host_slot {          /* an address that is probed */
    struct host_slot *next; /* of its bucket */
    struct addr addr;
    unsigned admitted; /* ready or begun */
    struct chain *waiting, **waiting_end;
};

/* ---- addresses ---- */
static size_t bucket_of(const struct queue *q, const struct addr *a)
{
    return (size_t)hash_bytes(a->family, a->b, sizeof(a->b)) & (q->nbuckets - 1);
}

static int grow(struct queue *q)
{
    size_t n = q->nbuckets ? q->nbuckets * 2 : BUCKETS_MIN;
    struct host_slot **old = q->buckets, **more = calloc(n, sizeof(struct host_slot *));
    size_t nold = q->nbuckets;
    if (!more)
        return -ENOMEM;
    q->buckets = more;
    q->nbuckets = n;
    for (size_t i = 0; i < nold; i++) {
        while (old[i]) {
            struct host_slot *h = old[i];
            size_t at = bucket_of(q, &h->addr);
            old[i] = h->next;
            h->next = more[at];
            more[at] = h;
        }
    }
    free(old);
    return 0;
}

static struct host_slot *slot_get(struct queue *q, const struct addr *a)
{
    if (q->nhosts >= q->nbuckets && grow(q) < 0 && !q->nbuckets)
        return NULL;
    struct host_slot **at = &q->buckets[bucket_of(q, a)], *h;
    for (h = *at; h; h = h->next)
        if (addr_equal(&h->addr, a))
            return h;
    h = calloc(1, sizeof(*h));
    if (!h)
        return NULL;
    h->addr = *a;
    h->waiting_end = &h->waiting;
    h->next = *at;
    *at = h;
    q->nhosts++;
    return h;
}

static void slot_drop(struct queue *q, struct host_slot *h)
{
    struct host_slot **at = &q->buckets[bucket_of(q, &h->addr)];
    while (*at != h)
        at = &(*at)->next;
    *at = h->next;
    q->nhosts--;
    free(h);
}

/* ---- lists ---- */
static void push(struct chain ***end, struct chain *c)
{
    c->queue_next = NULL;
    **end = c;
    *end = &c->queue_next;
}

static struct chain *pop(struct chain **list, struct chain ***end)
{
    struct chain *c = *list;
    *list = c->queue_next;
    if (!*list)
        *end = list;
    c->queue_next = NULL;
    return c;
}

/* Out of memory for the address's count: better one too many at once than none. */
void queue_add(struct chain *c)
{
    struct queue *q = &c->st->p->queue;
    struct host_slot *h = c->slot = slot_get(q, &c->addr);
    if (h && h->admitted >= q->per_host) {
        push(&h->waiting_end, c);
        return;
    }
    if (h)
        h->admitted++;
    push(&q->ready_end, c);
}

static void on_pace(void *arg);

/* ---- limits ---- */
static unsigned files_allowed(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) < 0)
        return 256;
    return r.rlim_cur > 1000000 ? 1000000 : (unsigned)r.rlim_cur;
}

int queue_init(struct prober *p)
{
    struct queue *q = &p->queue;
    unsigned files = files_allowed(), kept = MIN_OF(FILES_KEPT, files / 2);
    unsigned wanted = p->st.max_in_flight ? p->st.max_in_flight : AT_ONCE_DEFAULT;
    q->ready_end = &q->ready;
    q->per_host = p->st.max_per_host ? p->st.max_per_host : HOST_DEFAULT;
    q->limit = q->allowed = MAX_OF(MIN_OF(wanted, (files - kept) / 8 * 7), 1);
    p->lingers_max = MIN_OF(LINGERS_MAX, files - kept - q->limit);
    q->pace = loop_timer(p->l, 0, 0, on_pace, p); /* made now: without it nothing would begin */
    return q->pace ? 0 : -ENOMEM;
}

void queue_release(struct prober *p)
{
    struct queue *q = &p->queue;
    timer_stop(q->pace);
    q->pace = NULL;
    for (size_t i = 0; i < q->nbuckets; i++)
        while (q->buckets[i])
            slot_drop(q, q->buckets[i]);
    free(q->buckets);
    q->buckets = NULL;
    q->nbuckets = 0;
}

unsigned prober_limit(const struct prober *p)
{
    return p->queue.allowed;
}

/* ---- beginning ---- */
/* As long as one ends now and then their peers are at it, and more would only make them wait. */
static void look_at_work(struct queue *q)
{
    nstime now = loop_clock();
    bool moves = q->ended != q->ended_seen;
    if (moves || !q->still_since)
        q->still_since = now;
    q->ended_seen = q->ended;
    q->extra = now - q->still_since >= STILL ? WORKING_MAX / 2 : 0;
}

static void on_pace(void *arg)
{
    struct prober *p = arg;
    p->queue.paced = false;
    if (p->queue.short_of_files) { /* perhaps others have let go */
        p->queue.short_of_files = false;
        p->queue.limit = p->queue.allowed;
    }
    look_at_work(&p->queue);
    queue_run(p);
}

static void pace(struct prober *p, nstime after)
{
    if (p->queue.paced)
        return;
    p->queue.paced = true;
    timer_again(p->queue.pace, after);
}

/* Many starts in a row begin together, from the loop. */
void queue_soon(struct prober *p)
{
    if (p->queue.ready)
        pace(p, 0);
}

/* How long the rate lets the next one wait; 0: it may begin, and is counted. */
static nstime rate_wait(struct prober *p)
{
    nstime now, every = p->st.rate ? NS_PER_SEC / p->st.rate : 0;
    if (!every)
        return 0;
    now = loop_clock();
    if (p->queue.next_at > now)
        return p->queue.next_at - now;
    p->queue.next_at = MAX_OF(p->queue.next_at, now - BURST) + every;
    return 0;
}

void queue_run(struct prober *p)
{
    struct queue *q = &p->queue;
    if (q->running) /* a chain that ended as it began */
        return;
    q->running = true;
    for (int n = 0; q->ready && q->active < q->limit; n++) {
        bool much = q->working >= WORKING_MAX && !q->extra;
        nstime wait = much ? WORK_LOOK : n < SLICE ? rate_wait(p) : 1;
        if (wait) {
            pace(p, wait);
            break;
        }
        if (q->working >= WORKING_MAX)
            q->extra--;
        struct chain *c = pop(&q->ready, &q->ready_end);
        q->active++;
        c->begun = true;
        tcp_begin(c);
    }
    q->running = false;
}

/* No descriptor was left (EMFILE, ENFILE): it waits like one not begun, as long as others are under
 * way that will give theirs back. */
bool queue_put_back(struct chain *c)
{
    struct prober *p = c->st->p;
    struct queue *q = &p->queue;
    if (q->active < 2)
        return false;
    c->begun = false;
    c->state = CHAIN_QUEUED;
    q->limit = --q->active;
    q->short_of_files = p->short_of_files = true;
    c->queue_next = q->ready;
    if (!q->ready)
        q->ready_end = &c->queue_next;
    q->ready = c;
    pace(p, FILES_AGAIN);
    return true;
}

void queue_works(struct chain *c)
{
    c->st->p->queue.working += !c->works;
    c->works = true;
}

void queue_left(struct chain *c)
{
    struct queue *q = &c->st->p->queue;
    struct host_slot *h = c->slot;
    q->active -= c->begun;
    q->working -= c->works;
    q->ended += c->works;
    c->slot = NULL;
    if (!h)
        return;
    h->admitted--;
    if (h->waiting) {
        h->admitted++;
        push(&q->ready_end, pop(&h->waiting, &h->waiting_end));
    }
    if (!h->admitted)
        slot_drop(q, h);
}

/* All is cancelled: those never begun end like the others, and no other takes their place. */
void queue_cancel(struct prober *p)
{
    struct queue *q = &p->queue;
    while (q->ready)
        pop(&q->ready, &q->ready_end);
    for (size_t i = 0; i < q->nbuckets; i++) {
        for (struct host_slot *h = q->buckets[i]; h; h = h->next) {
            while (h->waiting) {
                pop(&h->waiting, &h->waiting_end);
                h->admitted++;
            }
        }
    }
}
