/* probe's own: what its files share. Only files of probe/ include this. */
#ifndef PROBE_INTERNAL_H
#define PROBE_INTERNAL_H

#include "probe/probe.h"
#include <linux/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#define TIMEOUT_DEFAULT  (10 * NS_PER_SEC)
#define HOLD_DEFAULT     NS_PER_SEC
#define BANNER_WAIT      (300 * NS_PER_MS) /* servers that speak first do so at once */
#define ADDRESSES_MAX    16                /* of one name */
#define FIRST_MAX        512               /* first bytes of a peer that are kept */
#define LINE_CAP         8192              /* of a targets file, and a header line */
#define READ_CAP         ((uint64_t)1 << 20) /* bytes of a peer read before it is enough */
#define LINGERS_MAX      512               /* sockets that are read to the peer's end */
#define DOUBTFUL_SILENCE NS_PER_SEC        /* idle: at least 1 s of silence */

/* ---- keys.c, target.c, result.c ---- */
int target_refuse(char *err, size_t errlen, const char *fmt, ...)
    __attribute__((format(printf, 3, 4))); /* -EINVAL, and why */
int target_set_string(char **at, const char *value);
bool target_flag(const char *key); /* an option that may stand without a value */
/* host, host:port, [v6], [v6]:port up to a '/', '?' or '#'; *port is 0 where none is said. */
int target_host_port(const char *spec, bool need_port, char host[256], uint16_t *port,
                     const char **rest, char *err, size_t errlen);
/* Where a proxy's URL points. */
int target_proxy(const char *url, char host[256], uint16_t *port, char *err, size_t errlen);
bool target_uses_proxy(const struct target *t);
int target_goal(const struct target *t, char host[256], uint16_t *port, struct addr *address);
enum failure failure_of_errno(int err);
int64_t field_int(const struct result *r, const char *name, int64_t none);
const char *field_str(const struct result *r, const char *name);
bool field_true(const struct result *r, const char *name);

/* ---- facts.c: what the probes' facts have in common ---- */
void facts_of_end(struct facts *out, const struct result *r);
void facts_put_yes(struct facts *out, const struct result *r, enum fact_kind k, struct value v0,
                   struct value v1, struct value v2);
void facts_put_no(struct facts *out, const struct result *r, enum fact_kind k, struct value v0,
                  struct value v1);
void facts_of_first_bytes(struct facts *out, const struct result *r);

/* ---- sock.c: what a socket tells before it is closed ---- */
struct sockview {
    int err;                /* the first error, positive, latched once; 0 none */
    int late_err;           /* SO_ERROR at the very end, when nothing came before */
    bool eof;               /* recv gave 0 */
    bool taken, info_known;
    struct tcp_info info;
    socklen_t info_len;
    uint32_t syn_retrans;   /* tcpi_total_retrans when the connection stood */
    int outq;               /* SIOCOUTQ, -1 unknown */
    bool queue_read;        /* the error queue was read */
    bool icmp_seen, icmp_v6;
    uint8_t icmp_type, icmp_code;
    struct addr icmp_from;
    uint64_t unread;        /* bytes drained at the end */
};
int sock_open(const struct addr *a, const struct target_options *o, int *fd, const char **what);
int sock_set_ttl(int fd, int family, int ttl);
void sock_latch(struct sockview *v, int err); /* keeps the first */
void sock_eof(struct sockview *v);            /* recv() gave 0 */
int sock_error(int fd);                       /* SO_ERROR, which clears it: once */

/* ---- prober.c ---- */
enum chain_state {
    CHAIN_QUEUED, CHAIN_CONNECT, CHAIN_HOLD, CHAIN_SEND, CHAIN_REPLY, CHAIN_WORDS, CHAIN_TLS, CHAIN_TLS_HOLD,
    CHAIN_HTTP, CHAIN_ENDED
};
enum { PROBE_TCP = 1, PROBE_TLS = 2, PROBE_HTTP = 4 }; /* the stages of a chain */

#define AUTO_TRIES 2
struct lookup;
struct http;
struct split;
struct words;
enum auth_kind { AUTH_NONE, AUTH_BASIC, AUTH_BEARER, AUTH_AWS };
struct auth { /* secrets: wiped when freed */
    enum auth_kind kind;
    char *user, *secret, *session, *encoded; /* encoded: as basic puts it into the header */
    char *region, *service;
};

struct told { /* an event for a callback, told from the loop */
    struct told *next;
    struct start *st;
    struct result *r; /* NULL: the start is done */
};
struct start { /* one prober_start() or prober_repeat() */
    struct prober *p;
    struct start *next, *prev;
    struct target *t;
    uint32_t round;
    bool repeat, done;
    struct told over;
    struct probe_callbacks cb;
    struct lookup *lookup;
    struct result *dns; /* being made */
    struct chain *chains;
    unsigned open; /* lookup and chains not ended */
    char host[256];
    uint16_t port;
    nstime dns_span; /* NSTIME_NONE */
    X509_STORE *store; /* of cacert, NULL: the system's */
    struct auth auth;
};

struct tls_seen { /* what the callbacks saw */
    uint32_t hello_bytes;
    bool hello_sent, server_hello, done, cert_wanted, ticket;
    uint16_t server_version;
    uint8_t alert, alert_level, alert_out;
    bool alert_seen, alert_late, alert_sent;
    uint64_t chatter; /* bytes of records that carry no data */
    bool flooded;     /* with those, until it was enough */
    int verify, verify_depth; /* X509_V_ERR_, 0 ok */
    bool verify_ran, host_bad;
    SSL *live; /* while libcurl holds it */
    bool close_notify;
    nstime ended;
    char error[256];          /* OpenSSL's reason */
    struct result *certs;     /* chain fields, made while the connection stands */
};

struct chain { /* one connection to one address */
    struct start *st;
    struct chain *next, *queue_next;
    uint64_t id;
    struct addr addr;
    uint16_t port;
    enum scheme scheme;
    enum chain_state state;
    struct host_slot *slot;    /* queue.c: of its address */
    bool begun, works;         /* it has its turn; it is past connecting, with TLS or HTTP */
    bool explores; /* scheme auto: tries what is spoken */
    unsigned tries;                  /* before this one */
    struct result *kept[AUTO_TRIES][4]; /* told when it is known which try speaks */
    size_t nkept[AUTO_TRIES];
    unsigned todo; /* PROBE_ stages not told yet */
    int fd;
    bool own_fd;   /* false while libcurl holds it */
    struct watch *watch;
    struct timer *timer;
    bool flow_known;
    struct flow_key flow;
    nstime wall, t0, connected, tls_done, request_at, first_at, last_at; /* monotonic but wall */
    struct sockview sv;
    uint8_t first[FIRST_MAX];
    size_t nfirst;
    bool peeked;
    uint64_t sent, got, got_before; /* got_before: when the request began */
    size_t body_off;
    bool capped;
    struct tls_seen tls;
    SSL_CTX *ctx;
    SSL *ssl;
    struct words *words;
    SSL_SESSION *session; /* to be resumed */
    struct split *split;
    struct http *http;
};

struct host_slot;
struct queue { /* queue.c */
    struct chain *ready, **ready_end; /* may begin as far as their addresses go */
    struct host_slot **buckets;
    size_t nbuckets, nhosts;
    unsigned active, limit, allowed, per_host; /* allowed: by settings and open files */
    unsigned working, extra;                   /* extra: may begin although many work */
    uint64_t ended, ended_seen; /* of those that worked */
    nstime still_since;         /* none has ended since */
    struct timer *pace;
    nstime next_at; /* of the rate */
    bool paced, running, short_of_files;
};

struct lingerer;
struct prober {
    struct loop *l;
    struct prober_settings st;
    char *resolver;
    uint64_t next_chain;
    unsigned starts_open;
    struct start *starts;
    struct queue queue;
    bool short_of_files; /* once there was no descriptor left */
    struct told *told, **told_end;
    struct timer *tell;
    bool telling, freed;
    struct lingerer *lingers, **lingers_end;
    struct timer *linger;
    unsigned nlingers, lingers_max;
    struct dns *dns;
    struct addr *failed; /* by target id: where its connection failed last; family 0: nowhere */
    size_t nfailed, failed_alloc;
    struct curl *curl;
    X509_STORE *store;
    struct authorities *authorities; /* files of them that targets name */
    bool tls_warm;
};

nstime chain_timeout(const struct chain *c);
nstime chain_hold(const struct chain *c, nstime fallback);
/* A result of this chain with everything that is common filled in; NULL: out of memory. */
struct result *chain_result(struct chain *c, const char *probe);
void chain_tell(struct chain *c, struct result *r); /* to on_result; ends the stage it names */
void chain_skip_rest(struct chain *c, const struct result *failed);
void chain_skip_because(struct chain *c, const char *reason);
void chain_set_scheme(struct chain *c, enum scheme s);
void chain_watch(struct chain *c, int events, watch_fn fn);
void chain_timer(struct chain *c, nstime after, timer_fn fn);
void chain_quiet(struct chain *c); /* no watch, no timer */
struct chain *chain_new(struct start *st, const struct addr *a); /* queued */
void chain_end(struct chain *c);   /* all is told: closes, starts the next one */
void chain_keep_first(struct chain *c, const void *data, size_t len);
void chain_take(struct chain *c); /* drains, error queue, TCP_INFO: once, before close */
void chain_put_socket(struct chain *c, struct result *r); /* as fields */
void chain_set_failure(struct chain *c, struct result *r, enum failure f, enum probe_stage s);
/* Where failure is not said by its caller: by the latched errno, EOF or nothing. */
enum failure chain_failure(const struct chain *c);

/* ---- queue.c ---- */
int queue_init(struct prober *p);
void queue_release(struct prober *p);
void queue_add(struct chain *c);
void queue_soon(struct prober *p);
void queue_run(struct prober *p);     /* begins what may begin */
bool queue_put_back(struct chain *c); /* no descriptor is left: later, or false */
void queue_works(struct chain *c);    /* from here on it costs us time, not only the peer */
void queue_left(struct chain *c);     /* it has ended, begun or not */
void queue_cancel(struct prober *p);

/* ---- linger.c ---- */
void prober_linger(struct prober *p, int fd); /* FIN, read to the peer's, close */
void lingers_release(struct prober *p);

/* ---- tcp.c, tls.c, http.c, auto.c ---- */
void tcp_begin(struct chain *c);
void tcp_interrupt(struct chain *c);
void tcp_failed(struct chain *c, enum failure f, enum probe_stage s);
void tcp_ok(struct chain *c, enum probe_stage s);
/* All is said, TLS does not follow; why. */
void tcp_spoken(struct chain *c, enum probe_stage s, const char *reason);
bool words_begin(struct chain *c); /* words.c; false: the scheme has no first words */
void words_put(struct chain *c, struct result *r);
void words_free(struct chain *c);
void words_facts(struct facts *out, const struct result *r);
void cert_see(struct chain *c, const SSL *ssl); /* cert.c: the handshake stands */
/* auth.c: FILE, env:NAME or aws. 0; -errno and a sentence in err. */
int auth_read(struct auth *a, const char *spec, char *err, size_t errlen);
void auth_release(struct auth *a);
void auth_hide(const struct start *st, struct result *r); /* in its texts */
const char *chain_sni(const struct chain *c); /* the server name sent; NULL none */
/* hello.c */
int hello_pad(struct chain *c, SSL_CTX *ctx);
int hello_split(struct chain *c);
nstime hello_wait(const struct chain *c);
void tls_begin(struct chain *c);
void tls_begin_after(struct chain *c, enum probe_stage s); /* tcp ended at that stage */
void tls_interrupt(struct chain *c);
int tls_prepare(struct chain *c, SSL_CTX *ctx); /* callbacks, store, versions; -errno */
void tls_tell(struct chain *c, enum failure f, enum probe_stage s); /* the tls result */
void tls_seen_release(struct tls_seen *t);
enum failure tls_certificate_failure(const struct chain *c); /* FAIL_NONE: accepted */
X509_STORE *tls_store(struct start *st);
void authorities_release(struct prober *p);
int tls_warm_up(struct start *st); /* what takes long the first time, before any clock runs */
int tls_set_variant(const struct target_options *o, SSL_CTX *ctx);
void tls_put_alerts(struct result *r, const struct tls_seen *t);
void tls_facts_of_alerts(struct facts *out, const struct result *r);
void chain_put_first_bytes(struct chain *c, struct result *r);
void chain_peek(struct chain *c);
void http_begin(struct chain *c);
void http_tls_done(struct chain *c);
void http_interrupt(struct chain *c);
void http_free(struct chain *c);
int http_warm_up(struct prober *p);
void curl_release(struct prober *p);
enum scheme auto_guess(uint16_t port, bool *explores);
void auto_found(struct chain *c, enum scheme s);
void auto_begin(struct chain *c); /* the connection stands and is silent: find out what it speaks */
void auto_keep(struct chain *c, struct result *r);
bool auto_goes_on(struct chain *c); /* a try has ended: true when another one was begun */
void chain_again(struct chain *c, enum scheme s); /* the next try, on a connection of its own */
void chain_tell_kept(struct chain *c, struct result **results, size_t n);

/* ---- dns.c ---- */
/* Looks `host` up and fills r (fields, outcome, failure); then done(st, addrs, n). */
int dns_lookup(struct start *st, struct result *r);
void dns_cancel(struct lookup *lk);
void dns_release(struct prober *p);
void start_resolved(struct start *st, const struct addr *addrs, size_t n); /* prober.c */

#endif
