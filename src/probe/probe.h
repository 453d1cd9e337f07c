/*
 * probe: target -> plan -> results: DNS by c-ares, TCP, TLS by OpenSSL, HTTP by libcurl.
 *
 * Owns: struct target and struct result own their strings; a struct prober owns its connections,
 *   resolver and TLS contexts. A result handed to on_result becomes the receiver's (result_free).
 * Invariants: one loop, no threads; an http(s) target costs one connection; the first
 *   error of a socket is latched once and its receive queue drained before it is
 *   reported. Every byte from a peer is cleaned and capped before it becomes a field. A result is
 *   generic: adding a probe needs no edit elsewhere. Facts are a pure function of the results.
 *   Secrets never become fields.
 * Errors: -errno with text; a target that is down is a result, never an error.
 */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include "step/step.h"
#include "loop/loop.h"

/* ---- targets ---- */
enum scheme { SCHEME_AUTO /* host:port */, SCHEME_TCP, SCHEME_TLS, SCHEME_HTTP, SCHEME_HTTPS,
              SCHEME_DNS,
              /* first words, then TLS where it is offered */
              SCHEME_SMTP, SCHEME_IMAP, SCHEME_POP3, SCHEME_FTP, SCHEME_PG, SCHEME_MYSQL,
              SCHEME_LDAP, SCHEME_REDIS, SCHEME_SSH, SCHEME_COUNT };
struct target_options { /* of one target; unset (0, NULL, -1) ones come from the defaults */
    nstime timeout;          /* a stage; 0: default 10 s */
    nstime hold;             /* silence after the TCP handshake; -1: 1 s for tcp, none in http(s) */
    char *method;            /* NULL: GET, or POST with a body */
    char **headers;          /* "Name: value", NULL-terminated */
    char *body;              /* request body; for tcp:// what is sent after the hold began */
    size_t body_len;
    char *connect_to;        /* HOST:PORT to go to instead */
    char *cacert, *cert, *key;
    char *source;            /* local address or interface */
    uint16_t tls_min, tls_max; /* 0x0301..0x0304, 0 default */
    int family;              /* 4, 6, 0 both */
    int insecure;            /* 1: -k */
    /* What experiments vary: a target's copy with one of them changed is a probe's variant. */
    int source_port;         /* the local port */
    int ttl, ttl_after;      /* TTL or hop limit: from the SYN on; of what follows the handshake */
    int min_ttl;             /* what comes with a lower one is not heard (IP_MINTTL) */
    int mss;                 /* TCP_MAXSEG */
    int http_version;        /* enum http_version */
    int requests;            /* http(s): so many, one after the other on the same connection */
    nstime idle;             /* silence between them */
    char *proxy;             /* http:// https:// socks5:// HOST:PORT */
    char *auth;              /* FILE, env:NAME or aws: where the credentials are */
    char *sni;               /* server name sent; "": none; NULL: the target's own */
    char *alpn;              /* "h2,http/1.1"; "": none; NULL: what fits the port */
    char *groups, *ciphers;  /* as OpenSSL writes lists of them */
    int resume;              /* tls: once more with the session of the first connection */
    int hello_pad;           /* tls: bytes of an unassigned extension in the ClientHello */
    int hello_split;         /* tls: the ClientHello in two segments, parted inside its name */
};
enum http_version { HTTP_BEST, HTTP_1_0, HTTP_1_1, HTTP_2, HTTP_2_PLAIN /* no upgrade before */ };
struct target {
    uint32_t id;             /* from 1, the session's */
    char *name;              /* as given, cleaned: what reports show */
    enum scheme scheme;
    char *host;              /* name or numeric address, without brackets */
    bool numeric;
    struct addr address;     /* when numeric */
    uint16_t port;
    char *path;              /* http(s): "/" at least, with query */
    const struct playbook *playbook; /* its scheme's, or NULL */
    struct target_options opt;
};
/* Parses a TARGET of the command line or a line of a targets file
 * ("target key=value ..."; the keys are the table of keys.c, and name). 0, or -EINVAL with a sentence in err. */
int target_parse(struct target **out, const char *spec, char *err, size_t errlen);
int target_set(struct target *t, const char *key, const char *value, char *err, size_t errlen);
/* The table of options, for an editor: names, what they are, whether one is set and how it reads
 * (secrets are named by their files alone). */
size_t target_keys(void);
const char *target_key(size_t i);      /* NULL past the last */
const char *target_key_help(size_t i); /* N_() */
bool target_get(const struct target *t, size_t i, char *out, size_t outlen);
void target_unset(struct target *t, size_t i);
struct target *target_copy(const struct target *t); /* with its id; NULL: no memory */
void target_apply_defaults(struct target *t, const struct target_options *defaults);
/* What the options name, once they are all known: connect-to, source, method, header, family, the
 * PEM files. Files that `like` (or NULL) names too were read then. 0; -EINVAL what is written is
 * wrong; another -errno it cannot be had here; a sentence in err. */
int target_check(const struct target *t, const struct target *like, char *err, size_t errlen);
void target_free(struct target *t);
void target_options_release(struct target_options *o);

/* ---- results ---- */
enum outcome { OUTCOME_OK, OUTCOME_FAILED, OUTCOME_SKIPPED };
const char *outcome_name(enum outcome o);
enum probe_stage { PSTAGE_DNS, PSTAGE_CONNECT, PSTAGE_HOLD, PSTAGE_HANDSHAKE, PSTAGE_REQUEST,
                   PSTAGE_RESPONSE, PSTAGE_CLOSE, PSTAGE_NONE };
const char *probe_stage_name(enum probe_stage s); /* NULL for NONE */
enum failure { /* OONI's names where OONI has one; the report's names */
    FAIL_NONE, FAIL_REFUSED, FAIL_RESET, FAIL_ABORTED, FAIL_HOST_UNREACHABLE,
    FAIL_NETWORK_UNREACHABLE, FAIL_TIMEOUT, FAIL_EOF, FAIL_BROKEN_PIPE, FAIL_DNS_NXDOMAIN,
    FAIL_DNS_NO_ANSWER, FAIL_DNS_SERVFAIL, FAIL_DNS_REFUSED, FAIL_TLS_HANDSHAKE, FAIL_TLS_HOSTNAME,
    FAIL_TLS_AUTHORITY, FAIL_TLS_CERTIFICATE, FAIL_HTTP_BAD_RESPONSE, FAIL_TOO_LARGE,
    FAIL_INTERRUPTED, FAIL_UNKNOWN, FAIL_COUNT
};
const char *failure_name(enum failure f);   /* "connection_reset"; NULL for FAIL_NONE */
const char *failure_title(enum failure f);  /* N_(): short, for a stage cell: "RESET" */
enum failure failure_by_name(const char *name);
enum { TIMING_DNS, TIMING_CONNECT, TIMING_TLS, TIMING_FIRST_BYTE, TIMING_TOTAL, TIMING_COUNT };
extern const char *const timing_names[TIMING_COUNT];
struct field {
    char *name;
    struct value value; /* text owned by the result; a list is one text field a value, same name */
};
struct result {
    uint64_t id;             /* from 1, the session's */
    uint32_t target;         /* target id */
    uint32_t round;          /* from 1 */
    uint64_t chain;          /* results of one connection (or one lookup) share it; never 0 */
    bool repeat;             /* of a repetition alone: an experiment, not listed as a probe */
    char probe[8];           /* "dns" "tcp" "tls" "http" */
    struct addr address;     /* family 0: none */
    enum outcome outcome;
    enum failure failure;
    enum probe_stage stage;  /* where it ended */
    int err;                 /* errno, positive; 0 none */
    bool flow_known;
    struct flow_key flow;    /* the probe is its originator */
    nstime started, ended;   /* wall */
    nstime timings[TIMING_COUNT]; /* spans, NSTIME_NONE */
    struct field *fields;
    size_t nfields, fields_alloc;
};
struct result *result_new(void);
void result_free(struct result *r);
int result_set(struct result *r, const char *name, struct value v); /* copies; caps text at 1 KiB */
int result_add(struct result *r, const char *name, struct value v); /* one more of that name */
const struct field *result_field(const struct result *r, const char *name); /* first or NULL */
/* Facts this result tells (of its own stage). Pure, from the generic parts alone. */
void facts_of_result(struct facts *out, const struct result *r);
/* True when a repetition alone would tell more. */
bool result_doubtful(const struct result *r);

/* ---- probe types: one file each, a line in list.h ---- */
struct probe_type {
    const char *name;        /* "dns" */
    const char *title;       /* N_() column title */
    void (*facts)(struct facts *out, const struct result *r);
};
size_t probe_type_count(void);
const struct probe_type *probe_type_at(size_t i);

/* ---- running ---- */
struct prober_settings {
    unsigned max_in_flight;  /* connections; 0: 10000. Never more than descriptors allow */
    unsigned max_per_host;   /* of them to one address; 0: 64 */
    unsigned rate;           /* new connections a second; 0: no limit */
    bool no_names;           /* -n: numeric only in fields */
    const char *resolver;    /* "addr:port,..." for tests, NULL: the system's */
    bool ask_system;         /* getaddrinfo(3) too, though resolver is set */
};
struct prober;
struct prober *prober_new(struct loop *l, const struct prober_settings *st);
void prober_free(struct prober *p); /* stops all, no callback after it */
struct probe_callbacks {
    void (*on_chain)(void *arg, uint32_t target, uint64_t chain, const struct flow_key *flow);
    /* a chain's socket is about to connect (flow: src may be unset) or got its 5-tuple */
    void (*on_result)(void *arg, struct result *r); /* the receiver's from now on */
    void (*on_done)(void *arg, uint32_t target, uint32_t round); /* all of this start is told */
    void *arg;
};
/* Probes the target once (all addresses). Results come in the order they end. */
int prober_start(struct prober *p, const struct target *t, uint32_t round, bool repeat,
                 const struct probe_callbacks *cb);
/* One chain alone again, to that address: results bear repeat = true. */
int prober_repeat(struct prober *p, const struct target *t, const struct addr *address,
                  uint32_t round, const struct probe_callbacks *cb);
unsigned prober_in_flight(const struct prober *p); /* starts not yet done */
unsigned prober_limit(const struct prober *p);     /* connections at once, as settings and open files allow */
bool prober_short_of_files(const struct prober *p); /* a connection had to wait for a descriptor */
void prober_cancel(struct prober *p); /* the open ones end as FAIL_INTERRUPTED, told at once */

/* ---- talk: a TLS client without a socket, for experiments that shape the ClientHello ---- */
struct talk_options {
    const char *name;        /* server_name; NULL: the extension is left out */
    const char *alpn;        /* "h2,http/1.1"; NULL none */
    uint16_t min, max;       /* versions; 0 the library's */
    const char *groups;      /* "X25519:P-256"; NULL the library's */
    uint16_t pad;            /* bytes of an extension nobody knows (RFC 8701); 0 none */
    const char *cert, *key, *cacert; /* PEM files; NULL none */
};
struct talk;
/* 0; -ENOTSUP what is asked for (a group) this library has not; -EINVAL, -ENOMEM. */
int talk_new(struct talk **out, const struct talk_options *o);
void talk_free(struct talk *t);
enum talk_state { TALK_GOES_ON, TALK_STANDS, TALK_ENDED, TALK_BROKEN };
/* Takes bytes of the peer (len 0: begins). What is to be sent then lies in talk_output(). */
enum talk_state talk_input(struct talk *t, const void *data, size_t len);
size_t talk_output(struct talk *t, const void **data); /* valid until the next call */
void talk_sent(struct talk *t, size_t len);
int talk_write(struct talk *t, const void *data, size_t len); /* plain; once it stands */
ssize_t talk_read(struct talk *t, void *buf, size_t len);     /* plain; 0 none now */
struct talk_seen {
    bool server_hello, stands, alerted, cert_wanted, closed; /* closed: close_notify came */
    uint8_t alert;
    uint16_t version;
    bool h2;
    int verify;              /* X509_V_ERR_, 0 well, -1 not looked at */
};
void talk_look(const struct talk *t, struct talk_seen *out);
/* Where the server name lies in a ClientHello record: offset of its middle; 0 none. */
size_t talk_middle_of_name(const void *hello, size_t len, const char *name);
/* "User-Agent" and so on: the head of the request that the http probe would make, by HTTP/1.1. */
int talk_request(struct strbuf *out, const struct target *t, const char *host, const char *path,
                 const char *method, size_t body_len, bool close_after);

#endif
