/* The http probe: libcurl speaks HTTP over the socket the tcp stage has connected. */
#include "probe/transfer.h"
#include "config.h"
#include <errno.h>
#include <linux/sockios.h>
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
static void http_done(struct chain *c, CURLcode code);

/* ---- libcurl on the loop ---- */
static void take_messages(struct curl *m)
{
    CURLMsg *msg;
    int left;
    while ((msg = curl_multi_info_read(m->multi, &left))) {
        struct chain *c = NULL;
        CURLcode code = msg->data.result;
        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&c);
        http_done(c, code); /* msg is gone after this */
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
    if (ms >= 0 && m->timer) {
        timer_again(m->timer, ms * NS_PER_MS);
        return 0;
    }
    timer_stop(m->timer);
    m->timer = ms < 0 ? NULL : loop_timer(m->p->l, ms * NS_PER_MS, 0, on_curl_time, m);
    return 0;
}

static void on_http(void *arg, int events)
{
    struct chain *c = arg;
    struct curl *m = c->st->p->curl;
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
    }
    return 0;
}

static struct curl *curl_get(struct prober *p)
{
    if (p->curl)
        return p->curl;
    struct curl *m = calloc(1, sizeof(*m));
    if (!m || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        !(m->multi = curl_multi_init())) {
        free(m);
        return NULL;
    }
    m->p = p;
    curl_multi_setopt(m->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(m->multi, CURLMOPT_SOCKETDATA, m);
    curl_multi_setopt(m->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(m->multi, CURLMOPT_TIMERDATA, m);
    return p->curl = m;
}

int http_warm_up(struct prober *p)
{
    return curl_get(p) ? 0 : -ENOMEM;
}

void curl_release(struct prober *p)
{
    if (!p->curl)
        return;
    timer_stop(p->curl->timer);
    p->curl->timer = NULL;
    curl_multi_cleanup(p->curl->multi);
    timer_stop(p->curl->timer);
    free(p->curl);
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
    }
    return 0;
}

static CURLcode on_ssl_ctx(CURL *easy, void *ctx, void *arg)
{
    struct chain *c = arg;
    (void)easy;
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

static int on_debug(CURL *easy, curl_infotype type, char *data, size_t len, void *arg)
{
    struct chain *c = arg;
    struct http *h = c->http;
    (void)easy;
    if (type == CURLINFO_TEXT)
        latch_words(c, data, len);
    if (type != CURLINFO_HEADER_OUT && type != CURLINFO_DATA_OUT)
        return 0;
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
    }
    keep_header(line, len, "server", h->server, sizeof(h->server));
    keep_header(line, len, "content-type", h->type, sizeof(h->type));
    keep_header(line, len, "location", h->location, sizeof(h->location));
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
static int url_of(const struct target *t, bool tls, struct strbuf *url)
{
    bool v6 = t->numeric && t->address.family == 6;
    strbuf_addf(url, "%s://%s%s%s:%u%s", tls ? "https" : "http", v6 ? "[" : "", t->host,
                v6 ? "]" : "", t->port, t->path ? t->path : "/");
    return url->err;
}

static bool has_header(const struct target_options *o, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; o->headers && o->headers[i]; i++)
        if (!strncasecmp(o->headers[i], name, len) && o->headers[i][len] == ':')
            return true;
    return false;
}

static int append(struct curl_slist **list, const char *line)
{
    struct curl_slist *more = curl_slist_append(*list, line);
    if (!more)
        return -ENOMEM;
    *list = more;
    return 0;
}

static int set_headers(struct chain *c, struct http *h)
{
    const struct target_options *o = &c->st->t->opt;
    int rc = 0;
    for (size_t i = 0; o->headers && o->headers[i] && rc == 0; i++)
        rc = append(&h->headers, o->headers[i]);
    /* A pause for 100-continue would hide what a server does while a body comes. */
    if (rc == 0 && !has_header(o, "Expect"))
        rc = append(&h->headers, "Expect:");
    if (rc == 0 && o->body && !has_header(o, "Content-Type"))
        rc = append(&h->headers, "Content-Type: application/octet-stream");
    curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->headers);
    return rc;
}

static void set_request(struct chain *c, struct http *h)
{
    static const long versions[] = {[HTTP_BEST] = CURL_HTTP_VERSION_2TLS,
                                    [HTTP_1_0] = CURL_HTTP_VERSION_1_0,
                                    [HTTP_1_1] = CURL_HTTP_VERSION_1_1,
                                    [HTTP_2] = CURL_HTTP_VERSION_2TLS,
                                    [HTTP_2_PLAIN] = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE};
    const struct target_options *o = &c->st->t->opt;
    curl_easy_setopt(h->easy, CURLOPT_HTTP_VERSION, versions[o->http_version]);
    if (o->body) {
        curl_easy_setopt(h->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)o->body_len);
        curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, o->body);
    }
    if (o->method && !strcmp(o->method, "HEAD"))
        curl_easy_setopt(h->easy, CURLOPT_NOBODY, 1L);
    else if (o->method)
        curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, o->method);
}

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

static void set_options(CURL *e)
{
    curl_easy_setopt(e, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PROXY, ""); /* not what the environment says */
    curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_HTTP09_ALLOWED, 1L); /* to see its bytes: on_body() */
    /* Verified by our own callbacks, which let the handshake go on (tls.c). */
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
}

/* The name never reaches a resolver: libcurl is told the address it would find. */
static int set_resolve(struct chain *c, struct http *h)
{
    const struct target *t = c->st->t;
    char at[ADDR_TEXT_MAX];
    struct strbuf sb = STRBUF_INIT;
    if (t->numeric)
        return 0;
    strbuf_addf(&sb, "+%s:%u:%s%s%s", t->host, t->port, c->addr.family == 6 ? "[" : "",
                addr_text(at, &c->addr), c->addr.family == 6 ? "]" : "");
    int rc = sb.err ? sb.err : append(&h->resolve, sb.buf);
    strbuf_release(&sb);
    curl_easy_setopt(h->easy, CURLOPT_RESOLVE, h->resolve);
    return rc;
}

static int http_set_up(struct chain *c)
{
    struct strbuf url = STRBUF_INIT;
    struct curl *m = curl_get(c->st->p);
    struct http *h = c->http = calloc(1, sizeof(*h));
    if (!m || !h || !(h->easy = curl_easy_init()))
        return -ENOMEM;
    h->expected = -1;
    int rc = url_of(c->st->t, c->scheme == SCHEME_HTTPS, &url);
    if (rc == 0)
        curl_easy_setopt(h->easy, CURLOPT_URL, url.buf);
    strbuf_release(&url);
    set_options(h->easy);
    set_callbacks(c, h->easy);
    set_request(c, h);
    if (rc == 0)
        rc = set_headers(c, h);
    if (rc == 0)
        rc = set_resolve(c, h);
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
    long err = 0;
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
    if (c->st->p->curl)
        curl_multi_remove_handle(c->st->p->curl->multi, h->easy);
    curl_easy_cleanup(h->easy);
    h->easy = NULL;
    c->own_fd = true;
}

void http_free(struct chain *c)
{
    struct http *h = c->http;
    if (!h)
        return;
    let_go(c);
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
        if (c->http->code != CURLE_OK)
            sock_latch(&c->sv, c->sv.late_err);
        f = http_failure(c);
    }
    http_read_unread(c);
    if (c->scheme == SCHEME_HTTPS && !c->http->tls_told) {
        if (!c->tls.error[0])
            text_clean(c->tls.error, sizeof(c->tls.error), c->http->error, strlen(c->http->error));
        tls_tell(c, f, PSTAGE_HANDSHAKE);
    } else {
        http_tell(c, f);
    }
    chain_end(c);
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
    if (f == FAIL_NONE && h->reply_early) {
        let_go(c);
        chain_quiet(c);
        h->after = true;
        h->after_until = loop_clock() + AFTER_WAIT;
        chain_watch(c, LOOP_READ, on_after);
        chain_timer(c, AFTER_WAIT, on_stage_time);
        if (c->watch && c->timer)
            return;
    }
    http_finish(c, BY_CODE);
}
