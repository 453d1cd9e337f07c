/*
 * world.h: small sessions for the tests of the screens, made of crafted packets and results.
 */
#ifndef TESTS_UI_WORLD_H
#define TESTS_UI_WORLD_H

#include "session/session.h"

#define WORLD_START 1768485900000000000LL /* 2026-01-15T14:05:00Z */

struct world {
    struct session *s;
    struct settings settings;
    uint64_t packets;
    nstime now;
    struct {
        struct judgement judgement;
        struct checklist checklist;
    } * kept; /* by incident: the session's own, while ours stand there */
};
struct wire_end {
    const char *addr;
    uint16_t port;
    uint8_t ttl;
};
int world_empty(struct world *w); /* a session nothing has happened in */
int world_scene(struct world *w); /* three targets, a reset handshake, a forgotten idle flow ... */
int world_hostile(struct world *w); /* names and banners full of escape sequences */
void world_release(struct world *w);
/* Is the screen what tests/screen/NAME.screen holds? If not it is printed. REGEN=1 writes it. */
bool world_screen_is(const char *name, const char *screen);
/* One TCP segment at w->now + after. */
void world_tcp(struct world *w, nstime after, const struct wire_end *from,
               const struct wire_end *to, uint8_t flags, uint32_t seq, uint32_t ack,
               const void *data, size_t len);

#endif
