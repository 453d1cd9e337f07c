/*
 * fault: rstfault, the demo's misbehaving servers. Each fault is a row of data (list.h's
 * entries, faults.c) that one state machine (server.c, conn.c) carries out on loopback.
 *
 * Owns: a struct server owns its listener and its connections; a struct conn its descriptor.
 * Frees: server_free() closes all of them.
 * Invariants: only 127.0.0.1, no threads, no root. Everything a client controls is capped: the
 *   connections of a server, the bytes kept of one, and the time it may take.
 * Errors: 0 or -errno.
 */
#ifndef FAULT_FAULT_H
#define FAULT_FAULT_H

#include "base/base.h"
#include "loop/loop.h"

/* What a server waits for before it misbehaves. */
enum await {
    AWAIT_NOTHING, /* the accept itself */
    AWAIT_DATA,    /* the first byte, which stays unread */
    AWAIT_BYTES,   /* `bytes` bytes, read */
    AWAIT_HELLO,   /* a whole TLS ClientHello, read */
    AWAIT_REQUEST, /* a whole HTTP request with its body, read */
    AWAIT_SILENCE, /* `after`, with nothing read */
};

/* How it ends the connection. */
enum ending {
    END_ABORT,  /* SO_LINGER {1, 0}, close: an immediate RST */
    END_UNREAD, /* close while data wait unread: a RST (RFC 2525 2.17) */
    END_FIN,    /* shutdown, read to the peer's FIN, close: no RST */
};

enum listening {
    LISTEN_ACCEPT,
    LISTEN_NOT,  /* bound, so that nobody else takes the port, but not listening */
    LISTEN_FULL, /* never accepting, the accept queue full from the start */
};

struct fault {
    const char *name;
    const char *about;   /* N_() */
    const char *scheme;  /* of the target: "tcp" "http" "https" */
    const char *options; /* of the target: " key=value ..." or "" */
    enum listening listening;
    enum await await;
    enum ending ending;
    size_t bytes;      /* AWAIT_BYTES */
    nstime after;      /* AWAIT_SILENCE */
    const char *reply; /* NULL: none */
    size_t reply_len;  /* 0: strlen(reply) */
    size_t padding;    /* that many more bytes after the reply */
    bool ethernet;     /* buffers as on an Ethernet path, not loopback's 64 KiB segments */
};
extern const struct fault *const faults[];
extern const size_t faults_nr;
const struct fault *fault_by_name(const char *name); /* NULL: none such */

struct conn;
struct server {
    const struct fault *fault;
    struct loop *loop;
    int fd;
    uint16_t port;
    struct watch *watch; /* NULL: not accepting */
    struct conn *conns;  /* list, newest first */
    size_t conns_nr;
    int *fill; /* LISTEN_FULL: the clients that fill the queue */
    size_t fill_nr, fill_alloc;
};
int server_new(struct loop *l, const struct fault *f, struct server **out);
void server_free(struct server *s);
void server_resume(struct server *s); /* a connection ended: there may be room again */

/* Takes fd over. A connection frees itself when it has ended. */
int conn_start(struct server *s, int fd);
void conn_free(struct conn *c);

/* How many bytes the request or hello in head[0..have) takes in all; 0: not known yet. */
uint64_t http_request_length(const char *head, size_t have);
uint64_t tls_hello_length(const unsigned char *head, size_t have);

#endif
