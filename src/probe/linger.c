/*
 * Lingering: close() with bytes still coming would make this host send a RST of its own. So a
 * socket that has passed says FIN, is read to the peer's, and is closed then, or after a while.
 * All are looked at together: a watch and a timer each would cost more than the whole of it.
 */
#include "probe/internal.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_TIME (500 * NS_PER_MS)
#define LOOK_EVERY  (20 * NS_PER_MS)
#define READS_MAX   16 /* in one look: a peer that never stops must not keep us */

struct lingerer {
    struct lingerer *next;
    int fd;
    nstime until;
};

/* True when the peer has ended too, or sends without end. */
static bool has_ended(int fd)
{
    char buf[16384];
    for (int i = 0; i < READS_MAX; i++) {
        ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
        if (n <= 0)
            return n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
    }
    return false;
}

static void look(struct prober *p, nstime now)
{
    struct lingerer **at = &p->lingers;
    while (*at) {
        struct lingerer *g = *at;
        if (now < g->until && !has_ended(g->fd)) {
            at = &g->next;
            continue;
        }
        *at = g->next;
        p->nlingers--;
        close(g->fd);
        free(g);
    }
    p->lingers_end = at;
}

static void on_look(void *arg)
{
    struct prober *p = arg;
    look(p, loop_clock());
    if (p->lingers) {
        timer_again(p->linger, LOOK_EVERY);
        return;
    }
    timer_stop(p->linger);
    p->linger = NULL;
}

void prober_linger(struct prober *p, int fd)
{
    struct lingerer *g = NULL;
    if (p->nlingers >= p->lingers_max)
        look(p, loop_clock());
    if (p->nlingers < p->lingers_max)
        g = calloc(1, sizeof(*g));
    if (g && !p->linger)
        p->linger = loop_timer(p->l, LOOK_EVERY, 0, on_look, p);
    if (!g || !p->linger || shutdown(fd, SHUT_WR) < 0) {
        free(g);
        close(fd);
        return;
    }
    g->fd = fd;
    g->until = loop_clock() + LINGER_TIME;
    *p->lingers_end = g;
    p->lingers_end = &g->next;
    p->nlingers++;
}

void lingers_release(struct prober *p)
{
    look(p, INT64_MAX);
    timer_stop(p->linger);
    p->linger = NULL;
}
