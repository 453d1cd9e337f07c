/* The first words of protocols that are asked for TLS after them. Pure: bytes in, what they mean
 * out; words.c speaks and listens. */
#ifndef PROBE_DIALOGUE_H
#define PROBE_DIALOGUE_H

#include "probe/probe.h"

#define WORDS_MAX 4096 /* of one answer */

enum said {
    SAID_MORE,    /* the answer is not all here */
    SAID_NEXT,    /* the next step may be said */
    SAID_TLS,     /* a ClientHello comes next */
    SAID_DONE,    /* all is known, and there is no TLS to be had */
    SAID_REFUSED, /* the server speaks the protocol, but not with us */
    SAID_FOREIGN, /* another protocol */
};
struct talk {
    unsigned step;         /* 0: the greeting, 1: what can you do, 2: TLS please */
    bool offered, answers; /* TLS; it was asked for */
    char version[64];      /* what the server calls itself, clean */
    char text[256];        /* its last answer, clean */
    char able[256];        /* its capabilities, clean */
    size_t used;           /* bytes of the answer that were its; what follows was not asked for */
};
struct dialogue {
    enum scheme scheme;
    const char *name; /* as people write it */
    bool greets;      /* the server speaks first */
    /* What is said at t->step; its length, 0 where nothing is. */
    size_t (*say)(const struct talk *t, const struct addr *self, uint8_t *out, size_t room);
    enum said (*hear)(struct talk *t, const uint8_t *data, size_t len);
    const char *farewell;
};
const struct dialogue *dialogue_of(enum scheme s); /* NULL: it has none */
/* By a greeting: SCHEME_AUTO where it is none of ours. */
enum scheme dialogue_guess(const uint8_t *data, size_t len, uint16_t port);

#endif
