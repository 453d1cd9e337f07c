#include "loop/loop.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct belt {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more, room;
    bool (*fill)(void *arg, unsigned place);
    void *arg;
    unsigned places;
    uint64_t filled, taken; /* so far; under the lock, as is stop */
    bool stop, joined;
};

static bool wait_room(struct belt *b)
{
    pthread_mutex_lock(&b->lock);
    while (!b->stop && b->filled - b->taken == b->places)
        pthread_cond_wait(&b->room, &b->lock);
    bool go = !b->stop;
    pthread_mutex_unlock(&b->lock);
    return go;
}

static void *fill_all(void *arg)
{
    struct belt *b = arg;
    bool more = true;

    for (uint64_t i = 0; more && wait_room(b); i++) {
        more = b->fill(b->arg, (unsigned)(i % b->places));
        pthread_mutex_lock(&b->lock);
        b->filled++;
        pthread_cond_signal(&b->more);
        pthread_mutex_unlock(&b->lock);
    }
    return NULL;
}

/* Signals stay the loop's. */
static int start(struct belt *b)
{
    sigset_t all, was;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &was);
    int err = pthread_create(&b->thread, NULL, fill_all, b);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    return err;
}

static void release(struct belt *b)
{
    pthread_cond_destroy(&b->more);
    pthread_cond_destroy(&b->room);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

struct belt *belt_start(unsigned places, bool (*fill)(void *arg, unsigned place), void *arg)
{
    struct belt *b = calloc(1, sizeof(*b));

    if (!b)
        return NULL;
    b->places = places;
    b->fill = fill;
    b->arg = arg;
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->more, NULL);
    pthread_cond_init(&b->room, NULL);
    if (!start(b))
        return b;
    release(b);
    return NULL;
}

unsigned belt_take(struct belt *b)
{
    pthread_mutex_lock(&b->lock);
    while (b->filled == b->taken)
        pthread_cond_wait(&b->more, &b->lock);
    unsigned place = (unsigned)(b->taken % b->places);
    pthread_mutex_unlock(&b->lock);
    return place;
}

/* Waking costs: once half of the places are free. */
void belt_done(struct belt *b)
{
    pthread_mutex_lock(&b->lock);
    if (b->filled - ++b->taken <= b->places / 2)
        pthread_cond_signal(&b->room);
    pthread_mutex_unlock(&b->lock);
}

void belt_halt(struct belt *b)
{
    if (!b || b->joined)
        return;
    pthread_mutex_lock(&b->lock);
    b->stop = true;
    pthread_cond_signal(&b->room);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->thread, NULL);
    b->joined = true;
}

void belt_stop(struct belt *b)
{
    belt_halt(b);
    if (b)
        release(b);
}
