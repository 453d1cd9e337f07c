/* experiment/ only: a shot with a socket (flight.c, shoot.c). */
#ifndef EXPERIMENT_FLIGHT_H
#define EXPERIMENT_FLIGHT_H

#include "experiment/experiment.h"

#include <linux/tcp.h>

struct real_shooter {
    struct shooter base;
    struct loop *loop;
    struct prober *prober; /* once a shot wants it */
    struct flight *flights;
    void (*on_flow)(void *arg, const struct flow_key *flow);
    void *arg;
};
#define RAWSYN_MOST 60 /* a TCP header with all its options */
struct rawsyn {
    int holder; /* keeps the port; -1 */
    uint16_t port;
    uint32_t seq;
    uint8_t segment[RAWSYN_MOST];
    size_t len;
};
struct flight {
    struct real_shooter *sh;
    struct flight *next;
    struct shot *s; /* NULL: told already, only parting from its peer */
    void (*done)(void *arg, struct shot *s);
    void (*changed)(void *arg, struct shot *s);
    void *arg;
    int fd;
    struct watch *watch;
    struct timer *timer, *beat; /* a stage's; the application's bytes while idle */
    struct talk *talk;
    struct strbuf out; /* to be sent, plain or TLS records */
    size_t off, limit; /* sent so far; no further before the gap is over */
    bool first_write, stands, reply_seen;
    bool asked; /* the prober works for it */
    bool over; /* its end is known, and told in the next turn: until then nothing moves it */
    struct strbuf reply; /* of the request being answered, up to a cap */
    uint64_t reply_got;
    nstime last_byte, asked_at;
    struct rawsyn raw;
    int64_t expired_before; /* time-exceeded errors when the payload went out; -1 not read */
};

/* flight.c: sockets */
int flight_open(struct flight *f);           /* socket, options, connect(): 0 or -errno */
void flight_connected(struct flight *f);     /* what the plan wants from here on */
int flight_bind_source(struct flight *f);    /* the address, device and port of the plan */
bool flight_dead(const struct flight *f);    /* its TCP is closed */
uint32_t flight_unacked(const struct flight *f);
void flight_set_ttl(struct flight *f, uint8_t ttl); /* 0: as the system has it */
void flight_set_keepalive(struct flight *f, int seconds);
void flight_read_icmp(struct flight *f);     /* the error queue */
void flight_take_info(struct flight *f);     /* into the shot */
void flight_reset_on_close(struct flight *f); /* what is not acknowledged is not sent again */
/* Time-exceeded errors that this host's kernel has counted; -1 unknown. After a reset the socket is
 * gone, and an ICMP error that comes behind it is told to nobody: the counter still knows it. */
int64_t flight_expired(int family);
bool flight_learn(struct flight *f, struct flow_key *flow); /* the 5-tuple */

/* asked.c: the prober makes the connection, and all that is said on it */
int asked_begin(struct flight *f); /* 0: asked_over() will come; -errno */
void asked_over(struct flight *f); /* shoot.c: its end stands in the shot */
void asked_cancel(struct flight *f);

/* rawsyn.c: a SYN without a connection */
int rawsyn_open(struct flight *f);                     /* sends it: 0 or -errno */
int rawsyn_send(struct flight *f);                     /* once more */
enum shot_end rawsyn_read(struct flight *f, int *err); /* SHOT_OPEN: no answer to it yet */

#endif
