/* What the files of the socket watch share: the table of sockets seen, and what its end means. */
#ifndef HOST_WATCH_H
#define HOST_WATCH_H

#include "host/sockdiag.h"

#define KNOWN_MAX 65536 /* sockets remembered */

enum sock_role { ROLE_UNKNOWN, ROLE_CLIENT, ROLE_SERVER };
/* Of a connected socket all of whose bytes are acknowledged: a client's SYN was, too (tcp_ack()
 * counts it); an accepted socket began after it. ROLE_UNKNOWN while bytes are on the way. */
enum sock_role sock_role_of(const struct sock_seen *s);

struct known {
    struct sock_seen s; /* as last seen */
    struct host_owner owner;
    bool owner_known, command, told;
    enum sock_role role; /* by its numbers, once they told it */
    uint32_t round;       /* of the dump that saw it last */
    nstime seen, missing; /* wall; missing: not in the table any more since then, NSTIME_NONE */
    uint32_t next;        /* index + 1 in its bucket, or of the free list */
    bool used;
};
struct sock_table {
    struct known *items;
    size_t nr, alloc;
    uint32_t *buckets; /* index + 1 */
    uint32_t free;
    uint64_t dropped;
};
int sock_table_init(struct sock_table *t);
void sock_table_release(struct sock_table *t);
struct known *sock_table_find(const struct sock_table *t, uint64_t cookie);
struct known *sock_table_add(struct sock_table *t, uint64_t cookie); /* NULL: no room, counted */
void sock_table_drop(struct sock_table *t, struct known *k);

/* What is known around an end: pure but for the table it looks into. */
struct end_view {
    const struct known *k;        /* NULL: never seen in a dump */
    const struct sock_seen *last; /* of the destroy event; NULL: it only is missing */
    const struct host_counters *delta;
    bool server;
};
/* True if it ended by a reset; fills how, the flow, the numbers. */
bool ending_infer(struct host_ending *out, const struct end_view *v);

#endif
