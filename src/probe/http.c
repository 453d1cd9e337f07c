/* The http probe: libcurl speaks HTTP over the socket the tcp stage has connected. */
#include "probe/transfer.h"
#include "config.h"
#include <errno.h>
#include <linux/sockios.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define HEADERS_CAP ((uint64_t)256 << 10)
#define BY_CODE     FAIL_COUNT /* the failure that libcurl's code and the socket tell */
#define AFTER_TICK  (10 * NS_PER_MS)
#define AFTER_WAIT  (500 * NS_PER_MS) /* for the reset that follows an early reply */

struct curl { /* one multi handle a prober */
    struct prober *p;
    CURLM *multi;
    struct timer *timer;
};

static void http_finish(struct chain *c, enum failure f);
static struct curl *curl_of(const struct chain *c);
static void http_done(struct chain *c, CURLcode code);

/* ---- libcurl on the loop ---- */
static void take_messages(struct curl *m)
{
    CURLMsg *msg;
    int left;
    bool shared = m == m->p->curl;
    while ((msg = curl_multi_info_read(m->multi, &left))) {
        struct chain *c = NULL;
        CURLcode code = msg->data.result;
        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&c);
        http_done(c, code); /* msg is gone after this, and m where it is one chain's */
        if (!shared)
            return;
    }
}

static void on_curl_time(void *arg)
{
    struct curl *m = arg;
    int running;
    curl_multi_socket_action(m->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    take_messages(m);
}

static int on_curl_timer(CURLM *multi, long ms, void *arg)
{
    struct curl *m = arg;
    (void)multi;
    if (ms >= 0)
        timer_again(m->timer, ms * NS_PER_MS);
    else
        timer_pause(m->timer);
    return 0;
}

static void on_http(void *arg, int events)
{
    struct chain *c = arg;
    struct curl *m = curl_of(c);
    int running, what = (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
                        (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);
    if (events & LOOP_READ)
        chain_peek(c);
    if (c->sv.err) {
        http_finish(c, failure_of_errno(c->sv.err));
        return;
    }
    curl_multi_socket_action(m->multi, c->fd, what, &running);
    take_messages(m);
}

static void on_unwatched(void *arg)
{
    http_finish(arg, FAIL_UNKNOWN);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socketp)
{
    struct chain *c = NULL;
    int events = (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);
    (void)arg;
    (void)socketp;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&c);
    if (!c || c->fd != fd || c->own_fd)
        return 0;
    if (what == CURL_POLL_REMOVE) {
        watch_stop(c->watch);
        c->watch = NULL;
    } else if (c->watch) {
        watch_set(c->watch, events);
    } else {
        chain_watch(c, events, on_http);
        if (!c->watch) {
            sock_latch(&c->sv, ENOMEM);
            chain_timer(c, 0, on_unwatched); /* not from inside libcurl */
        }
    }
    return 0;
}

static struct curl *curl_new(struct prober *p)
{
    struct curl *m = calloc(1, sizeof(*m));
    if (!m || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        !(m->multi = curl_multi_init())) {
        free(m);
        return NULL;
    }
    m->p = p;
    m->timer = loop_timer(p->l, NSTIME_NONE, 0, on_curl_time, m);
    if (!m->timer) {
        curl_multi_cleanup(m->multi);
        free(m);
        return NULL;
    }
    curl_multi_setopt(m->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(m->multi, CURLMOPT_SOCKETDATA, m);
    curl_multi_setopt(m->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(m->multi, CURLMOPT_TIMERDATA, m);
    return m;
}

static void curl_free_one(struct curl *m)
{
    if (!m)
        return;
    curl_multi_cleanup(m->multi);
    timer_stop(m->timer);
    free(m);
}

static struct curl *curl_get(struct prober *p)
{
    return p->curl ? p->curl : (p->curl = curl_new(p));
}

static struct curl *curl_of(const struct chain *c)
{
    return c->http && c->http->own ? c->http->own : c->st->p->curl;
}

int http_warm_up(struct prober *p)
{
    return curl_get(p) ? 0 : -ENOMEM;
}

void curl_release(struct prober *p)
{
    curl_free_one(p->curl);
    p->curl = NULL;
}

/* ---- the socket is ours before, and again after ---- */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct chain *c = arg;
    (void)purpose;
    (void)a;
    if (!c->own_fd || c->http->given) /* a second connection is never wanted */
        return CURL_SOCKET_BAD;
    c->own_fd = false;
    c->http->given = true;
    return c->fd;
}

static int on_sockopt(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    (void)arg;
    (void)fd;
    (void)purpose;
    return CURL_SOCKOPT_ALREADY_CONNECTED;
}

/* Not closed here: TCP_INFO, the error queue and what is unread are taken first. */
static int on_close(void *arg, curl_socket_t fd)
{
    struct chain *c = arg;
    if (c->fd == fd) {
        watch_stop(c->watch);
        c->watch = NULL;
        c->own_fd = true;
        c->tls.live = NULL;
        if (c->http)
            c->http->closed = true;
    }
    return 0;
}

static CURLcode on_ssl_ctx(CURL *easy, void *ctx, void *arg)
{
    struct chain *c = arg;
    struct http *h = c->http;
    (void)easy;
    if (h->proxy_tls && !h->proxy_tls_seen) { /* the handshake with the proxy comes first */
        h->proxy_tls_seen = true;
        return CURLE_OK;
    }
    c->nfirst = 0; /* of the proxy */
    c->peeked = false;
    return tls_prepare(c, ctx) < 0 ? CURLE_SSL_CERTPROBLEM : CURLE_OK;
}

static void on_stage_time(void *arg)
{
    struct chain *c = arg;
    if (c->http->after)
        http_finish(c, BY_CODE);
    else
        http_finish(c, FAIL_TIMEOUT);
}

void http_tls_done(struct chain *c)
{
    c->http->tls_told = true;
    c->request_at = c->first_at = NSTIME_NONE; /* from here on they speak of the request */
    tls_tell(c, FAIL_NONE, PSTAGE_HANDSHAKE);
    chain_timer(c, chain_timeout(c), on_stage_time);
}

/* ---- what goes out and comes in ---- */
/* libcurl clears the error by reading it, and CURLINFO_OS_ERRNO may be that of its farewell. Its
 * words come at the moment itself. */
static void latch_words(struct chain *c, const char *text, size_t len)
{
    static const int errors[] = {ECONNRESET,   EPIPE,       ETIMEDOUT,   ECONNABORTED,
                                 EHOSTUNREACH, ENETUNREACH, ECONNREFUSED};
    if (len < 14 || (strncmp(text, "Recv failure: ", 14) && strncmp(text, "Send failure: ", 14) &&
                     strncmp(text, "connect to ", 11)))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        const char *words = strerror(errors[i]);
        if (memmem(text, len, words, strlen(words)))
            sock_latch(&c->sv, errors[i]);
    }
}

/* A send() inside TLS has failed, and libcurl will hang up without another look: what the server
 * had said before is read while the keys are still there. */
static void rescue(struct chain *c)
{
    struct http *h = c->http;
    uint8_t buf[4096];
    int n;
    for (int i = 0; c->tls.live && i < 16; i++) {
        ERR_clear_error();
        n = SSL_read(c->tls.live, buf, sizeof(buf));
        if (n <= 0)
            break;
        size_t take = MIN_OF((size_t)n, sizeof(h->rescued) - h->nrescued);
        memcpy(h->rescued + h->nrescued, buf, take);
        h->nrescued += take;
        h->rescued_bytes += (uint64_t)n;
    }
    ERR_clear_error();
}

static bool number_after(const char *text, const char *word, int64_t *out)
{
    const char *at = strstr(text, word);
    char digits[12] = "";
    uint64_t v;
    if (!at)
        return false;
    at += strlen(word);
    memcpy(digits, at, MIN_OF(strspn(at, "0123456789"), sizeof(digits) - 1));
    if (parse_u64(digits, 0, UINT32_MAX, &v) < 0)
        return false;
    *out = (int64_t)v;
    return true;
}

/* HTTP/2's own endings, of which no callback tells: libcurl's words do (lib/http2.c, 7.88 to 8). */
static void see_h2(struct http *h, const char *data, size_t len)
{
    char text[256];
    int64_t n = 0;
    text_clean(text, sizeof(text), data, len);
    if (strstr(text, "GOAWAY, error=") && number_after(text, "GOAWAY, error=", &n)) {
        h->h2.goaway = true;
        h->h2.goaway_error = n;
        number_after(text, "last_stream=", &h->h2.last_stream);
    } else if (strstr(text, "not closed cleanly") && number_after(text, "(err ", &n)) {
        h->h2.reset = true;
        h->h2.reset_error = n;
    } else if (!strncmp(text, "REFUSED_STREAM", 14) || strstr(text, "refused by server")) {
        h->h2.reset = true;
        h->h2.reset_error = 7;
    }
}

static int on_debug(CURL *easy, curl_infotype type, char *data, size_t len, void *arg)
{
    struct chain *c = arg;
    struct http *h = c->http;
    (void)easy;
    if (type == CURLINFO_TEXT) {
        latch_words(c, data, len);
        see_h2(h, data, len);
        if (memmem(data, len, "SSL_write: ", 11))
            rescue(c);
    }
    if (type != CURLINFO_HEADER_OUT && type != CURLINFO_DATA_OUT)
        return 0;
    if (h->tunnel && c->scheme == SCHEME_HTTPS && !h->tls_told)
        return 0; /* CONNECT */
    c->last_at = loop_clock();
    if (c->request_at == NSTIME_NONE)
        c->request_at = c->last_at;
    if (type == CURLINFO_HEADER_OUT)
        h->head_out += len;
    else
        h->body_out += len;
    if (!h->request_done && h->head_out && h->body_out >= c->st->t->opt.body_len) {
        h->request_done = true;
        chain_timer(c, chain_timeout(c), on_stage_time);
    }
    return 0;
}

static void keep_header(const char *line, size_t len, const char *name, char *out, size_t outlen)
{
    size_t n = strlen(name);
    if (len <= n || line[n] != ':' || strncasecmp(line, name, n))
        return;
    line += n + 1;
    len -= n + 1;
    while (len && (*line == ' ' || *line == '\t')) {
        line++;
        len--;
    }
    while (len && (line[len - 1] == '\r' || line[len - 1] == '\n'))
        len--;
    text_clean(out, outlen, line, len);
}

void http_header_line(struct http *h, const char *line, size_t len)
{
    keep_header(line, len, "server", h->server, sizeof(h->server));
    keep_header(line, len, "content-type", h->type, sizeof(h->type));
    keep_header(line, len, "location", h->location, sizeof(h->location));
    keep_header(line, len, "retry-after", h->retry_after, sizeof(h->retry_after));
    keep_header(line, len, "via", h->via, sizeof(h->via));
    keep_header(line, len, "www-authenticate", h->wants_auth, sizeof(h->wants_auth));
    keep_header(line, len, "x-amz-bucket-region", h->region, sizeof(h->region));
}

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
    struct chain *c = arg;
    struct http *h = c->http;
    size_t len = size * n;
    if (c->first_at == NSTIME_NONE)
        c->first_at = loop_clock();
    h->header_bytes += len;
    if (len > 5 && !strncasecmp(line, "HTTP/", 5)) {
        curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &h->status);
        int queued = 0;
        if (ioctl(c->fd, SIOCOUTQ, &queued) < 0)
            queued = 0;
        if (h->status >= 200)
            http_note_early(c, queued);
        if (h->status == 100 && h->continue_after == NSTIME_NONE)
            h->continue_after = loop_clock() - c->request_at;
    }
    http_header_line(h, line, len);
    if (h->header_bytes <= HEADERS_CAP)
        return len;
    h->headers_capped = true;
    return 0;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct chain *c = arg;
    struct http *h = c->http;
    size_t len = size * n, room = sizeof(h->body) - h->nbody;
    memcpy(h->body + h->nbody, data, MIN_OF(len, room));
    h->nbody += MIN_OF(len, room);
    h->body_bytes += len;
    h->not_http = !h->header_bytes; /* libcurl takes whatever comes for HTTP/0.9 */
    if (h->not_http)
        return 0;
    if (h->body_bytes < READ_CAP)
        return len;
    h->body_capped = true;
    return 0;
}

/* ---- set-up ---- */
static void set_callbacks(struct chain *c, CURL *e)
{
    curl_easy_setopt(e, CURLOPT_PRIVATE, (char *)c);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->http->error);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, c);
    curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_sockopt);
    curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, c);
    curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
    curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, c);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(e, CURLOPT_VERBOSE, 1L); /* only so that on_debug is told */
    curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, on_debug);
    curl_easy_setopt(e, CURLOPT_DEBUGDATA, c);
}

static int http_set_up(struct chain *c)
{
    struct http *h = c->http = calloc(1, sizeof(*h));
    if (!h || !(h->easy = curl_easy_init()))
        return -ENOMEM;
    h->nth = 1;
    h->requests = (unsigned)MAX_OF(c->st->t->opt.requests, 1);
    /* Of its own where the connection is used again: nobody else's may be taken for it. */
    struct curl *m = h->requests > 1 ? h->own = curl_new(c->st->p) : curl_get(c->st->p);
    if (!m)
        return -ENOMEM;
    h->expected = -1;
    h->continue_after = NSTIME_NONE;
    set_callbacks(c, h->easy);
    curl_easy_setopt(h->easy, CURLOPT_FRESH_CONNECT, h->requests > 1 ? 0L : 1L);
    curl_easy_setopt(h->easy, CURLOPT_FORBID_REUSE, h->requests > 1 ? 0L : 1L);
    int rc = http_set_request(c, h);
    if (rc == 0 && curl_multi_add_handle(m->multi, h->easy) != CURLM_OK)
        rc = -ENOMEM;
    return rc;
}

void http_begin(struct chain *c)
{
    c->state = CHAIN_HTTP;
    queue_works(c);
    if (http_set_up(c) < 0) {
        sock_latch(&c->sv, ENOMEM);
        http_finish(c, FAIL_UNKNOWN);
        return;
    }
    chain_timer(c, chain_timeout(c), on_stage_time);
}

/* ---- the end ---- */
static void read_infos(struct chain *c)
{
    struct http *h = c->http;
    curl_off_t length = -1, upload = 0;
    long err = 0, px = 0;
    curl_easy_getinfo(h->easy, CURLINFO_HTTP_CONNECTCODE, &h->proxy_status);
    curl_easy_getinfo(h->easy, CURLINFO_PROXY_ERROR, &px);
    h->proxy_error = (int)px;
    curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &h->status);
    curl_easy_getinfo(h->easy, CURLINFO_HTTP_VERSION, &h->version);
    curl_easy_getinfo(h->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    curl_easy_getinfo(h->easy, CURLINFO_SIZE_UPLOAD_T, &upload);
    curl_easy_getinfo(h->easy, CURLINFO_OS_ERRNO, &err);
    h->expected = length;
    if (upload > 0 && (uint64_t)upload > h->body_out)
        h->body_out = (uint64_t)upload;
    bool told = h->code == CURLE_SEND_ERROR || h->code == CURLE_RECV_ERROR ||
                h->code == CURLE_SSL_CONNECT_ERROR || h->code == CURLE_COULDNT_CONNECT;
    if (told && err != EAGAIN && err != EINPROGRESS)
        sock_latch(&c->sv, (int)err);
}

/* The transfer ends; the socket comes back through on_close(). */
static void let_go(struct chain *c)
{
    struct http *h = c->http;
    if (!h || !h->easy)
        return;
    read_infos(c);
    if (curl_of(c))
        curl_multi_remove_handle(curl_of(c)->multi, h->easy);
    curl_easy_cleanup(h->easy);
    h->easy = NULL;
    curl_free_one(h->own); /* its connection with it */
    h->own = NULL;
    c->own_fd = true;
    c->tls.live = NULL;
}

void http_free(struct chain *c)
{
    struct http *h = c->http;
    if (!h)
        return;
    let_go(c);
    curl_free_one(h->own); /* where set-up has failed */
    curl_slist_free_all(h->headers);
    curl_slist_free_all(h->resolve);
    free(h);
    c->http = NULL;
}

static void http_finish(struct chain *c, enum failure f)
{
    chain_quiet(c);
    let_go(c);
    chain_quiet(c);
    chain_take(c);
    if (!c->http) { /* out of memory */
        struct result *r = chain_result(c, c->scheme == SCHEME_HTTPS ? "tls" : "http");
        if (r) {
            chain_set_failure(c, r, f, PSTAGE_REQUEST);
            chain_tell(c, r);
            chain_skip_rest(c, r);
        }
        chain_end(c);
        return;
    }
    if (f == BY_CODE) {
        /* After a FIN it is our own farewell that broke the pipe. */
        bool farewell = c->sv.eof && c->sv.late_err == EPIPE && c->http->code != CURLE_SEND_ERROR;
        if (c->http->code != CURLE_OK && !farewell)
            sock_latch(&c->sv, c->sv.late_err);
        f = http_failure(c);
    }
    http_read_unread(c);
    bool refused = c->http->tunnel && !c->http->tls_told && !c->tls.hello_sent;
    if (c->scheme == SCHEME_HTTPS && !c->http->tls_told && !refused) {
        if (!c->tls.error[0])
            text_clean(c->tls.error, sizeof(c->tls.error), c->http->error, strlen(c->http->error));
        tls_tell(c, f, PSTAGE_HANDSHAKE);
    } else {
        http_tell(c, f);
    }
    chain_end(c);
}

/* ---- the next request on the same connection ---- */
static void next_request(struct chain *c)
{
    struct http *h = c->http;
    chain_quiet(c);
    c->request_at = c->first_at = NSTIME_NONE;
    chain_timer(c, chain_timeout(c), on_stage_time);
    if (curl_multi_add_handle(h->own->multi, h->easy) != CURLM_OK)
        http_finish(c, FAIL_UNKNOWN);
}

static void on_idle_time(void *arg)
{
    next_request(arg);
}

/* A server that ends an idle connection does it here: with a FIN, or a RST. What TLS says in
 * between (a ticket, a close_notify) is libcurl's to read. */
static void on_idle(void *arg, int events)
{
    struct chain *c = arg;
    uint8_t byte;
    (void)events;
    ssize_t n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n > 0) { /* to be read with the next answer */
        watch_set(c->watch, 0);
        return;
    }
    c->http->idled = true;
    if (n < 0)
        sock_latch(&c->sv, errno);
    else
        sock_eof(&c->sv);
    http_finish(c, chain_failure(c));
}

/* Tells this answer and goes on: false where the connection cannot be used again. */
static bool go_on(struct chain *c)
{
    struct http *h = c->http;
    struct http next = {.easy = h->easy, .headers = h->headers, .resolve = h->resolve};
    nstime idle = c->st->t->opt.idle;
    if (h->nth >= h->requests || h->closed || c->sv.err)
        return false;
    read_infos(c);
    chain_quiet(c);
    http_tell(c, FAIL_NONE);
    curl_multi_remove_handle(h->own->multi, h->easy);
    if (h->closed) { /* the answer was whole, but the server keeps nothing open */
        c->todo = 0;
        return false;
    }
    next.own = h->own;
    next.nth = h->nth + 1;
    next.requests = h->requests;
    next.tls_told = h->tls_told;
    next.given = h->given;
    next.proxied = h->proxied;
    next.tunnel = h->tunnel;
    next.proxy_tls = h->proxy_tls;
    next.proxy_tls_seen = h->proxy_tls_seen;
    next.expected = -1;
    next.continue_after = NSTIME_NONE;
    *h = next;
    c->last_at = loop_clock();
    if (!idle) {
        next_request(c);
        return true;
    }
    chain_watch(c, LOOP_READ, on_idle);
    chain_timer(c, idle, on_idle_time);
    return c->watch != NULL;
}

void http_interrupt(struct chain *c)
{
    http_finish(c, FAIL_INTERRUPTED);
}

/* The server answered before it had the whole body: does it abort too? Until it does, until what
 * was sent is acknowledged, or for AFTER_WAIT. */
static void on_after_fin(void *arg)
{
    struct chain *c = arg;
    int left = 0, err = sock_error(c->fd);
    sock_latch(&c->sv, err);
    bool wait = !err && ioctl(c->fd, SIOCOUTQ, &left) == 0 && left > 0;
    if (wait && loop_clock() < c->http->after_until)
        timer_again(c->timer, AFTER_TICK);
    else
        http_finish(c, BY_CODE);
}

static void on_after(void *arg, int events)
{
    struct chain *c = arg;
    char buf[16384];
    (void)events;
    for (int i = 0; i < 16; i++) {
        ssize_t n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);
        if (n > 0)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            return;
        if (n < 0) {
            sock_latch(&c->sv, errno);
            http_finish(c, BY_CODE);
            return;
        }
        sock_eof(&c->sv); /* a FIN; a RST may answer what we have sent since */
        chain_quiet(c);
        chain_timer(c, AFTER_TICK, on_after_fin);
        return;
    }
}

static void http_done(struct chain *c, CURLcode code)
{
    struct http *h = c->http;
    h->code = code;
    enum failure f = http_failure(c);
    if (f == FAIL_NONE && !h->reply_early && go_on(c))
        return;
    if (f == FAIL_NONE && h->reply_early) {
        let_go(c);
        chain_quiet(c);
        h->after = true;
        h->after_until = loop_clock() + AFTER_WAIT;
        chain_watch(c, LOOP_READ, on_after);
        chain_timer(c, AFTER_WAIT, on_stage_time);
        if (c->watch)
            return;
    }
    http_finish(c, BY_CODE);
}
