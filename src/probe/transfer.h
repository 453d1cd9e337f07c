/* One HTTP transfer, shared by http.c (which runs it) and reply.c (which tells of it). */
#ifndef PROBE_TRANSFER_H
#define PROBE_TRANSFER_H

#include "probe/internal.h"
#include <curl/curl.h>

struct h2_end { /* what HTTP/2 ends by itself, TCP staying up (RFC 9113 6.4, 6.8) */
    bool reset, goaway;
    int64_t reset_error, goaway_error, last_stream;
};
struct curl;
struct http { /* one transfer */
    CURL *easy;
    struct curl *own;        /* a multi handle of this chain alone, NULL: the prober's */
    unsigned nth, requests;  /* this request's number on the connection, and how many are wanted */
    bool proxied, tunnel, proxy_tls, proxy_tls_seen, closed, idled;
    long proxy_status;       /* to CONNECT, 0 none */
    int proxy_error;         /* CURLPX_ */
    struct h2_end h2;
    nstime continue_after;   /* 100 Continue, since the request's head */
    uint8_t rescued[FIRST_MAX]; /* decrypted after a send had failed */
    size_t nrescued;
    uint64_t rescued_bytes;
    struct curl_slist *headers, *resolve;
    char error[CURL_ERROR_SIZE];
    CURLcode code;
    bool tls_told, given, request_done, body_capped, headers_capped, not_http, reply_early, after;
    nstime after_until;
    long status, version;
    uint64_t header_bytes, body_bytes, head_out, body_out;
    uint64_t unacked; /* of body_out, when an early reply came: still in the socket */
    int64_t expected; /* Content-Length, -1 unknown */
    char server[128], type[128], location[256], retry_after[64], via[128], wants_auth[128], region[64];
    uint8_t body[FIRST_MAX];
    size_t nbody;
};

int http_set_request(struct chain *c, struct http *h); /* request.c */
void http_header_line(struct http *h, const char *line, size_t len);
/* reply.c */
enum failure http_failure(const struct chain *c); /* by libcurl's code and what the socket told */
void http_read_unread(struct chain *c);           /* a reply that libcurl did not come to read */
/* A final reply is here: early if the server's TCP does not have the whole body yet. */
void http_note_early(struct chain *c, int queued);
void http_tell(struct chain *c, enum failure f); /* the http result */

#endif
