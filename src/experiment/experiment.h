/*
 * experiment: differential tests (causes.md C1). Each finds out one thing by connections of its
 * own, with a control beside what is tried.
 *
 * Owns: a struct trial (one experiment being run) owns its shots and all that they point to; a
 *   struct shooter owns the sockets. What an experiment found stays in the trial until trial_free().
 * Invariants: an experiment is a pure state machine: it asks for shots (connections with a plan) and
 *   is asked again when all of them have come back. It knows no clock and no socket, so that an hour
 *   of idle ladder is tested in milliseconds. Only shoot.c has sockets. trial_cancel() closes all of
 *   them at once. Nothing is sent but what the user typed (names, path, headers, body of the target)
 *   and the neutral content of neutral.c. A control that fails makes the outcome inconclusive.
 * Errors: -errno; what a peer does is a shot's end, never an error.
 */
#ifndef EXPERIMENT_EXPERIMENT_H
#define EXPERIMENT_EXPERIMENT_H

#include "loop/loop.h"
#include "probe/probe.h"
#include "step/step.h"

/* ---- shots: one connection each ---- */
enum shot_talk {
    TALK_NOTHING,
    TALK_RAW,
    TALK_TLS /* the handshake */,
    TALK_HTTP,
    TALK_HTTPS,
    TALK_PROBE /* what the prober makes of `probe`: HTTP/2 is spoken there */
};
enum shot_end {
    SHOT_OPEN,               /* not back yet */
    SHOT_OK, SHOT_REFUSED, SHOT_RESET, SHOT_FIN, SHOT_TIMEOUT,
    SHOT_UNREACHABLE,        /* an ICMP error before the handshake */
    SHOT_ALERT,              /* a fatal TLS alert */
    SHOT_LOCAL,              /* this host could not: no port, no memory, option refused */
    SHOT_CANCELLED
};
const char *shot_end_name(enum shot_end e);  /* "reset": report, session */
const char *shot_end_title(enum shot_end e); /* N_() */
enum shot_stage {
    SHOT_WAITING, SHOT_CONNECT, SHOT_HOLD, SHOT_HANDSHAKE, SHOT_REQUEST, SHOT_REPLY, SHOT_IDLE,
    SHOT_AGAIN /* the bytes sent after the idle time */
};
const char *shot_stage_name(enum shot_stage s);

enum { SYN_WITH_SACK = 1, SYN_WITH_STAMPS = 2, SYN_WITH_SCALE = 4, SYN_WITH_ECN = 8 };
struct shot_plan { /* texts and bytes are the trial's */
    const char *label;       /* N_() or plain: what the live view calls it */
    double x;                /* what is varied: a TTL, a size, seconds */
    bool control, content;   /* content: paced, content_gap apart */
    struct addr to;
    uint16_t port, source_port; /* 0: any */
    const char *source;      /* local address or interface, NULL any */
    nstime start;            /* after it was asked for */
    nstime timeout;          /* of a stage without an answer */
    uint8_t ttl_syn, ttl_ack, ttl_data; /* 0: as the system has it; ack: the handshake's third */
    uint8_t min_ttl, min_ttl_data; /* of what comes in: from the SYN on, from the handshake on */
    bool count_expired;      /* looks for time-exceeded errors beyond its end; no other shot beside */
    uint16_t max_segment;    /* TCP_MAXSEG; 0 */
    bool raw_syn;            /* a SYN of our own, which never becomes a connection (CAP_NET_RAW) */
    unsigned syn_with;       /* its options: SYN_WITH_ */
    nstime hold;             /* silence right after the handshake */
    enum shot_talk talk;
    struct talk_options tls; /* the ClientHello (probe.h) */
    const struct target *probe; /* with TALK_PROBE */
    const void *request;     /* RAW: all of it; HTTP(S): the head, and the body after it */
    size_t request_len;
    bool head_only;          /* HTTP: no body comes with the reply (HEAD) */
    bool first_reply;        /* enough once the first byte of a reply came */
    bool acked_is_enough;    /* enough once the peer's TCP has acknowledged what was sent */
    size_t split;            /* first write ends here; 0: one write */
    bool split_at_name;      /* of a ClientHello: in the middle of the name */
    nstime split_gap;        /* between the two writes */
    nstime idle;             /* silence after all that; 0 none */
    int keepalive;           /* seconds between TCP keepalives while idle, or all along; 0 none */
    nstime app_every;        /* the application's own bytes (`again`) while idle, so often; 0 */
    unsigned requests;       /* how often the request is made on one connection; 0: once */
    const void *again;       /* sent after the idle time; NULL: nothing is, the watch alone */
    size_t again_len;
};
struct shot {
    struct shot_plan plan;
    size_t index;            /* in the trial */
    enum shot_stage stage;   /* where it is, or ended */
    enum shot_end end;
    int err;                 /* errno, positive; 0 */
    nstime began, ended;     /* of the shooter's clock; NSTIME_NONE */
    nstime connected;        /* how long the handshake took; NSTIME_NONE */
    nstime silent;           /* at the end: since the last byte either way */
    bool icmp;               /* an ICMP error came, TTL exceeded while connected included */
    struct addr icmp_from;   /* known before the handshake only */
    uint8_t icmp_type, icmp_code;
    int expired;             /* time-exceeded errors this host got meanwhile; -1 not counted */
    uint16_t local_port;
    uint8_t alert;           /* TLS, with SHOT_ALERT */
    uint16_t tls_version;    /* chosen; 0 none */
    bool server_hello, handshake, cert_wanted, cert_bad;
    bool h2;                 /* by ALPN */
    int status;              /* HTTP, of the last answer; 0 none */
    unsigned answered;       /* requests that were */
    uint64_t sent, unacked, got;
    nstime rtt;              /* 0 unknown */
    int mss, pmtu;
    char first[80];          /* the peer's first words, clean */
    void *priv;              /* the shooter's */
};

struct shooter { /* the real one is made by shooter_new(), tests bring a world of their own */
    /* Begins it; done(arg, shot) comes later, never from inside, exactly once unless cancelled. */
    int (*begin)(struct shooter *sh, struct shot *s, void (*done)(void *arg, struct shot *s),
                 void (*changed)(void *arg, struct shot *s), void *arg);
    /* Closes; done() does not come. NULL: closes what is still parting from its peer. */
    void (*cancel)(struct shooter *sh, struct shot *s);
    nstime (*now)(struct shooter *sh);
    void (*free)(struct shooter *sh);
};
/* on_flow (may be NULL): a connection of ours got its 5-tuple. */
struct shooter *shooter_new(struct loop *l,
                            void (*on_flow)(void *arg, const struct flow_key *flow), void *arg);

bool experiment_raw(void); /* this process may make packets itself (E13) */

/* ---- what is to be explained ---- */
struct symptom {
    const struct target *target;
    struct addr address;
    uint16_t port;
    enum scheme scheme;      /* never AUTO: what the probe found to be spoken */
    enum shot_end end;
    enum shot_stage stage;
    nstime silence;          /* before the end; 0 none */
    nstime rtt;              /* smallest round trip seen; 0 unknown */
    uint64_t sent;           /* payload bytes when it ended */
    unsigned before_failed, before; /* how often it was tried so far, and failed so */
    const struct addr *others; /* the name's other addresses */
    size_t nothers;
    const struct target *other; /* another target of the person's, and where it is; NULL none */
    struct addr other_address;
    uint16_t other_port;
};
/* How a probe's failed result looks as the end of a shot. -ENOTSUP: not a connection's. */
int symptom_of_result(struct symptom *out, const struct target *t, const struct result *r,
                      enum scheme spoken);

/* ---- an experiment ---- */
enum trial_outcome { TRIAL_SEPARATED, TRIAL_INCONCLUSIVE, TRIAL_CANCELLED };
enum live_view { LIVE_LIST, LIVE_HOPS, LIVE_RUNGS, LIVE_SCATTER, LIVE_CLIFF };
#define MEASURES_MAX 8
struct measure {
    const char *name;        /* "cut_s" */
    struct value value;      /* VALUE_NONE: not found (null) */
};
struct trial;
struct experiment {
    const char *id;          /* of its struct test */
    enum live_view view;
    size_t state_size;
    const char *measures[MEASURES_MAX]; /* names, all of them reported, null where not found */
    /* NULL: it can be run; else why not, N_(). */
    const char *(*unfit)(const struct symptom *y);
    void (*next)(struct trial *t, void *state); /* at first, and when all shots are back */
    void (*seen)(struct trial *t, void *state, const struct shot *s); /* one is back; may be NULL */
    nstime (*rest)(const struct trial *t, const void *state); /* at most so long after the open
                                                                 ones; NULL: not known */
};
size_t experiment_count(void);
const struct experiment *experiment_at(size_t i);
const struct experiment *experiment_by_id(const char *id); /* NULL */
const char *experiment_id(const char *id); /* the same word, ours; NULL unknown */
const struct test *experiment_test(const struct experiment *e);

/* A shot of the same experiment that was made before it was left: it need not be made again. */
struct trial_known {
    double x;
    enum shot_end end;
    enum shot_stage stage;
    nstime lasted;
};
struct trial_settings {
    nstime content_gap;      /* between shots with content; 0: 1 s */
    unsigned max_connections; /* 0: no limit of its own */
    nstime max_time;         /* no rung or wait is longer than what is left of it; 0: none */
    unsigned max_at_once;    /* of a ramp; 0: 32 */
    const struct trial_known *known; /* the trial copies them */
    size_t nknown;
};
typedef void (*trial_fn)(void *arg, struct trial *t);
int trial_start(struct trial **out, const struct experiment *e, const struct symptom *y,
                struct shooter *sh, const struct trial_settings *st, trial_fn changed,
                trial_fn done, void *arg);
void trial_cancel(struct trial *t); /* no socket is left; done() does not come */
void trial_pause(struct trial *t, bool pause); /* no new shot begins; open ones go on */
void trial_free(struct trial *t);

/* Reading it. */
const struct experiment *trial_experiment(const struct trial *t);
const struct symptom *trial_symptom(const struct trial *t);
bool trial_done(const struct trial *t);
bool trial_paused(const struct trial *t);
enum trial_outcome trial_get_outcome(const struct trial *t);
const char *trial_why(const struct trial *t); /* N_(): why inconclusive; NULL */
size_t trial_shots(const struct trial *t);
const struct shot *trial_shot(const struct trial *t, size_t i);
size_t trial_measures(const struct trial *t);
const struct measure *trial_measure_at(const struct trial *t, size_t i);
const struct facts *trial_facts(const struct trial *t);
unsigned trial_connections(const struct trial *t);
uint64_t trial_packets(const struct trial *t); /* an estimate from the stages reached */
nstime trial_began(const struct trial *t); /* of the shooter's clock */
nstime trial_span(const struct trial *t);
nstime trial_eta(const struct trial *t); /* moment of the shooter's clock it ends at the latest */

/* ---- has the fix worked? a sequential test ---- */
struct fix_counts {
    unsigned before_failed, before, after_failed, after;
};
/* The connection that failed made again and again, as an experiment of its own (a "repeat" in the
 * report); only a person asks for it. */
extern const struct experiment experiment_prove;
extern const struct experiment experiment_idle; /* the one that can be left and resumed */
/* P of so few failures after, were the rate the same (Fisher's exact test, one-sided). */
double fix_p_value(const struct fix_counts *c);
enum fix_state { FIX_GO_ON, FIX_PROVED, FIX_NOT_FIXED, FIX_UNDECIDED /* the cap is reached */ };
/* Looks are taken at doubling counts, each with its share of `level`: p < level holds whenever it
 * is stopped. cap: most connections after the fix. */
enum fix_state fix_state(const struct fix_counts *c, double level, unsigned cap);

#endif
