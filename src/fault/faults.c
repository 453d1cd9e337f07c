/* The faults themselves, as data. */
#include "fault/fault.h"

#include <string.h>

static const struct fault closed = {
    .name = "closed",
    .about = N_("nothing listens on the port: the SYN is answered with a reset"),
    .scheme = "tcp",
    .options = "",
    .listening = LISTEN_NOT,
};

static const struct fault at_accept = {
    .name = "at-accept",
    .about = N_("every connection is reset as soon as it is accepted"),
    .scheme = "tcp",
    .options = "",
    .await = AWAIT_NOTHING,
    .ending = END_ABORT,
};

static const struct fault unread = {
    .name = "unread",
    .about = N_("closes while the request still waits unread"),
    .scheme = "http",
    .options = "",
    .await = AWAIT_DATA,
    .ending = END_UNREAD,
};

static const struct fault linger = {
    .name = "linger",
    .about = N_("reads the request, then resets the connection on purpose (linger 0)"),
    .scheme = "http",
    .options = "",
    .await = AWAIT_REQUEST,
    .ending = END_ABORT,
};

static const struct fault hello = {
    .name = "hello",
    .about = N_("reads the TLS ClientHello, then resets the connection"),
    .scheme = "https",
    .options = "",
    .await = AWAIT_HELLO,
    .ending = END_ABORT,
};

/* A plain HTTP server gives up at the first bytes that are no method. */
static const struct fault text = {
    .name = "text",
    .about = N_("speaks plain HTTP where the client speaks TLS"),
    .scheme = "https",
    .options = "",
    .await = AWAIT_BYTES,
    .bytes = 5,
    .ending = END_FIN,
    .reply = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n"
             "Connection: close\r\n\r\nBad Request\n",
};

/* An alert record: content type 21, version 3.1, length 2; level fatal, protocol_version(70)
 * (RFC 8446 6 and 5.1). */
static const struct fault versions = {
    .name = "versions",
    .about = N_("has no TLS version in common with the client and says so (alert 70)"),
    .scheme = "https",
    .options = "",
    .await = AWAIT_HELLO,
    .ending = END_FIN,
    .reply = "\x15\x03\x01\x00\x02\x02\x46",
    .reply_len = 7,
};

static const struct fault idle = {
    .name = "idle",
    .about = N_("resets a connection that has been idle for 3 s"),
    .scheme = "tcp",
    .options = " hold=5",
    .await = AWAIT_SILENCE,
    .after = 3 * NS_PER_SEC,
    .ending = END_ABORT,
};

static const struct fault queue = {
    .name = "queue",
    .about = N_("never accepts: its accept queue is full and new connections are dropped"),
    .scheme = "tcp",
    .options = " timeout=3",
    .listening = LISTEN_FULL,
};

static const struct fault upload = {
    .name = "upload",
    .about = N_("answers 413 in the middle of an upload and closes without reading the rest"),
    .scheme = "http",
    .options = " method=POST body-size=1048576",
    .await = AWAIT_BYTES,
    .bytes = 16384,
    .ending = END_UNREAD,
    .reply = "HTTP/1.1 413 Payload Too Large\r\nContent-Type: text/plain\r\n"
             "Content-Length: 18\r\nConnection: close\r\n\r\nPayload Too Large\n",
    .ethernet = true,
};

static const struct fault half = {
    .name = "half",
    .about = N_("sends 4000 of 10000 bytes of its response, then resets the connection"),
    .scheme = "http",
    .options = "",
    .await = AWAIT_REQUEST,
    .ending = END_ABORT,
    .reply = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10000\r\n"
             "Connection: close\r\n\r\n",
    .padding = 4000,
};

static const struct fault healthy = {
    .name = "healthy",
    .about = N_("a correct HTTP server: nothing is wrong here"),
    .scheme = "http",
    .options = "",
    .await = AWAIT_REQUEST,
    .ending = END_FIN,
    .reply = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n"
             "Connection: close\r\n\r\nhello\n",
};

/* Those with a file of their own are declared by the list; the ones above are known already. */
#define FAULT(name) extern const struct fault name;
#include "fault/list.h"
#undef FAULT
#define FAULT(name) &name,
const struct fault *const faults[] = {
#include "fault/list.h"
};
#undef FAULT
const size_t faults_nr = ARRAY_SIZE(faults);

const struct fault *fault_by_name(const char *name)
{
    for (size_t i = 0; i < faults_nr; i++)
        if (!strcmp(faults[i]->name, name))
            return faults[i];
    return NULL;
}
