/* One HTTP transfer, shared by http.c (which runs it) and reply.c (which tells of it). */
#ifndef PROBE_TRANSFER_H
#define PROBE_TRANSFER_H

#include "probe/internal.h"
#include <curl/curl.h>

struct http { /* one transfer */
    CURL *easy;
    struct curl_slist *headers, *resolve;
    char error[CURL_ERROR_SIZE];
    CURLcode code;
    bool tls_told, given, request_done, body_capped, headers_capped, not_http, reply_early, after;
    nstime after_until;
    long status, version;
    uint64_t header_bytes, body_bytes, head_out, body_out;
    uint64_t unacked; /* of body_out, when an early reply came: still in the socket */
    int64_t expected; /* Content-Length, -1 unknown */
    char server[128], type[128], location[256], reply[160];
    uint8_t body[FIRST_MAX];
    size_t nbody;
};

/* reply.c */
enum failure http_failure(const struct chain *c); /* by libcurl's code and what the socket told */
void http_read_unread(struct chain *c);           /* a reply that libcurl did not come to read */
/* A final reply is here: early if the server's TCP does not have the whole body yet. */
void http_note_early(struct chain *c, int queued);
void http_tell(struct chain *c, enum failure f); /* the http result */

#endif
