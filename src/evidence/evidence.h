/*
 * evidence: the kinds of fact, the ledger, the facts read off a reset.
 *
 * Owns: struct facts owns its facts and their strings; struct ledger the stored facts (of probes,
 *   the host, experiments, logs and the user). Facts read off a reset are never stored: they are
 *   a pure function of struct reset, made anew when asked for.
 * Invariants: a fact is yes or no only when somebody looked; what nobody looked at is absent.
 *   A later fact of one kind about one thing supersedes the earlier; an undo is a fact too.
 *   A fact stores kind and typed values, never a sentence: fact_text() renders it.
 *   Adding a fact kind is one line in list.h. Facts of one family do not add up twice (cause/).
 * Errors: 0 or -ENOMEM.
 */
#ifndef EVIDENCE_EVIDENCE_H
#define EVIDENCE_EVIDENCE_H

#include "flow/flow.h"

enum fact_severity { SEV_INFO, SEV_NOTE, SEV_WARN, SEV_BAD };
enum fact_kind {
    FACT_NOTHING, /* 0: no kind */
#define FACT(id, name, family, unit, severity, yes, no, missing) FACT_##id,
#include "evidence/list.h"
#undef FACT
    FACT_KIND_COUNT
};
struct fact_kind_info {
    const char *name, *family, *unit; /* family and unit "" for none */
    enum fact_severity severity;
    const char *yes, *no, *missing;   /* msgids with %1$s, %2$s, %3$s for the values; no or
                                         missing "": a plain sentence is made from the name */
};
const struct fact_kind_info *fact_info(enum fact_kind kind);
enum fact_kind fact_kind_by_name(const char *name); /* FACT_NOTHING if unknown */

enum value_type { VALUE_NONE, VALUE_INT, VALUE_REAL, VALUE_TEXT, VALUE_BOOL, VALUE_SPAN };
struct value {
    enum value_type type;
    union {
        int64_t i; /* INT, and SPAN in ns: JSON prints a span as milliseconds, people see "8.1 ms" */
        double d;
        const char *s; /* TEXT, clean; owned by the struct facts that holds it */
        bool b;
    } u;
};
static inline struct value v_none(void)       { return (struct value){VALUE_NONE, {0}}; }
static inline struct value v_int(int64_t i)   { return (struct value){VALUE_INT, {.i = i}}; }
static inline struct value v_real(double d)   { return (struct value){VALUE_REAL, {.d = d}}; }
static inline struct value v_text(const char *s) { return (struct value){VALUE_TEXT, {.s = s}}; }
static inline struct value v_bool(bool b)     { return (struct value){VALUE_BOOL, {.b = b}}; }
static inline struct value v_span(nstime n)   { return (struct value){VALUE_SPAN, {.i = n}}; }

enum fact_source { SRC_PACKET, SRC_PROBE, SRC_HOST, SRC_EXPERIMENT, SRC_LOG, SRC_USER };
const char *fact_source_name(enum fact_source s);
#define FACT_VALUES 3
struct fact {
    enum fact_kind kind;
    bool yes;
    bool undone;           /* ledger only: withdrawn, counts as absent */
    enum fact_source source;
    uint64_t packet;       /* ref: a packet number, or 0 and then */
    const char *ref;       /* the name of a probe, counter, experiment, log line; NULL none */
    struct value v[FACT_VALUES]; /* v[0] is the fact's value in JSON */
};

struct facts { /* a set: at most one of each kind, in the order of list.h once sorted */
    struct fact *items;
    size_t nr, alloc;
    struct arena strings;
    int err;
};
void facts_init(struct facts *f);
void facts_release(struct facts *f);
void facts_clear(struct facts *f);
/* Adds (strings are copied); replaces an earlier one of its kind. */
void facts_add(struct facts *f, const struct fact *fact);
/* The shorthand used everywhere: facts_put(f, FACT_X, true, SRC_PROBE, 0, "tcp", v_int(3), ...). */
void facts_put(struct facts *f, enum fact_kind kind, bool yes, enum fact_source src,
               uint64_t packet, const char *ref, struct value v0, struct value v1,
               struct value v2);
const struct fact *facts_get(const struct facts *f, enum fact_kind kind); /* NULL absent */
bool facts_yes(const struct facts *f, enum fact_kind kind); /* present and yes */
bool facts_no(const struct facts *f, enum fact_kind kind);  /* present and no */
void facts_merge(struct facts *into, const struct facts *from, bool replace);
void facts_swap(struct facts *a, struct facts *b);
void facts_sort(struct facts *f);
/* Adds what follows from facts of different sources (evidence/derived.c). */
void facts_derive(struct facts *f);

/* The sentence of a fact (yes or no), or what is not known of a kind. tr: tr_locale or tr_none. */
void fact_text(struct strbuf *out, const struct fact *f, translate_fn tr);
void fact_missing_text(struct strbuf *out, enum fact_kind kind, translate_fn tr);
/* Renders msgid with numbered arguments %1$s ..., for every table of sentences in the program. */
void text_render(struct strbuf *out, const char *msgid, const struct value *v, size_t nv,
                 translate_fn tr);

/* Facts read off a reset. Pure; everything causes.md 0, B1 and B7 name that packets can tell. */
void facts_of_reset(struct facts *out, const struct reset *r);

/*
 * ---- patterns: what several ends have in common (pattern.c) ----
 * One end tells of a silence of 60 s; twenty ends after 60.0 s each tell of a timer. The caller
 * gives what it knows of each end and gets back what is common, and which ends share it. Pure: the
 * order of the items changes nothing but the order in the lists. An item is in one pattern of a
 * kind at most. A pattern that is *no* was looked for among enough ends and is not there.
 */
enum pattern_kind {
    PATTERN_ALIKE,         /* the same service, the same kind of end */
    PATTERN_IDLE,          /* after the same silence */
    PATTERN_WAIT,          /* the same time after the request */
    PATTERN_AGE,           /* at the same age */
    PATTERN_INDEX,         /* at the same request of a connection */
    PATTERN_SIZE,          /* after the same number of bytes of an upload */
    PATTERN_PERIODIC,      /* one client, nothing said, at even intervals */
    PATTERN_INSTANT,       /* begun apart, ended at one moment, on one host */
    PATTERN_INSTANT_HOSTS, /* ... on several hosts */
    PATTERN_KINDS
};
struct pattern_item {
    uint64_t service;        /* whatever is equal for one address and port */
    uint64_t host, client;   /* ... for the address that reset, for one client's */
    uint64_t shape;          /* ... for ends of one kind: stage, class, whose address */
    bool silent;             /* nothing was said on the connection */
    nstime time;
    nstime idle, wait, age;  /* NSTIME_NONE: not known, or none to speak of */
    nstime born;             /* when the connection began; NSTIME_NONE: not cut, or not known */
    uint64_t size;           /* sent of an upload that was not complete; 0 */
    uint32_t index;          /* of the request it ended at, from 1; 0 not known */
};
struct pattern {
    enum pattern_kind kind;
    bool yes;
    size_t nr, of;           /* ends that share it, of those looked at */
    size_t hosts;            /* of PATTERN_INSTANT_HOSTS */
    int64_t value, high;     /* the least and the greatest: a span in ns, or a number */
    const uint32_t *items;   /* indices of the ends that share it (no: of all), ascending */
};
struct patterns {
    struct pattern *items;
    size_t nr, alloc;
    uint32_t (*of_item)[PATTERN_KINDS]; /* of each item: index + 1 into items, 0 none */
    struct arena mem;
};
void patterns_init(struct patterns *p);
void patterns_release(struct patterns *p);
int patterns_find(struct patterns *p, const struct pattern_item *items, size_t n); /* -ENOMEM */
enum fact_kind pattern_fact_kind(enum pattern_kind kind);
void pattern_fact(struct fact *out, const struct pattern *p); /* holds no strings */
/* ---- shapes of resets that were described of injectors (causes.md B5) ---- */
struct injector {
    const char *shape;  /* N_() */
    const char *source; /* who described it */
    const char *as_of;
    int flags, count;     /* of that many resets of one side, all with these flags */
    int32_t steps[2];     /* sequence numbers against the first's; INT32_MIN: any */
    int32_t ttl_step;     /* from one to the next; INT32_MIN: any */
    uint32_t payload_len; /* 0: any */
};
const struct injector *injector_like(const struct reset *r); /* NULL: like none */

/* ---- what an error of a socket says of the wire (causes.md 0.2) ---- */
struct wire_errno {
    const char *name;  /* "ECONNRESET"; "EOF" for a read of 0 bytes */
    const char *event; /* N_(): what happened on the wire */
    const char *tell;  /* N_(): how its cases are told apart */
};
const struct wire_errno *wire_errno_by_name(const char *name); /* any case; NULL unknown */

/* ---- timers that are somebody's default (causes.md F) ---- */
struct lifetime {
    int seconds;
    const char *who;     /* the product, in its own words */
    const char *ends;    /* N_(): what happens then */
    const char *setting; /* its name or range, "" none known */
    const char *as_of;   /* when it was looked up: "2026-11" */
};
size_t lifetime_count(void);
const struct lifetime *lifetime_at(size_t i);
bool lifetime_matches(const struct lifetime *l, nstime idle);
/* All that match, as a list that fits; returns how many there are. */
size_t lifetimes_text(char *out, size_t outlen, nstime idle);

/* ---- what an application's or proxy's log says ---- */
enum logged { /* what went wrong, as the words of the line have it */
    LOGGED_NOTHING, LOGGED_RESET, LOGGED_PIPE, LOGGED_EOF, LOGGED_REFUSED, LOGGED_TIMEOUT,
    LOGGED_UNREACHABLE, LOGGED_ABORTED /* by this host's kernel */, LOGGED_CLIENT /* by the client */,
    LOGGED_TLS, LOGGED_CERTIFICATE, LOGGED_NOT_TLS, LOGGED_PLAIN, LOGGED_NAME, LOGGED_NO_UPSTREAM,
    LOGGED_KERNEL /* the kernel, or what keeps services, of a host */,
    LOGGED_COUNT
};
const char *logged_name(enum logged e);  /* "connection_reset"; "" for NOTHING */
const char *logged_title(enum logged e); /* N_() for people: "connection reset" */
struct log_line {
    enum logged error;
    char words[64], program[16]; /* clean; as found, "" unknown */
    char host[256];              /* the peer: a name or an address, "" unknown */
    uint16_t port;               /* 0 unknown */
    char stage[12];              /* "connect", "response" ...; "" unknown */
    char flags[16];              /* HAProxy's termination state, Envoy's response flags */
    nstime time, duration;       /* NSTIME_NONE; a line without a zone is read as UTC */
    int64_t sent, received;      /* bytes, -1 unknown */
    int alert, status;           /* 0 none */
};
/* False: nothing went wrong in it, or nothing that is known here. text: any bytes. */
bool log_line_read(struct log_line *out, const char *text, size_t len);
#define LOG_SAMPLES 128
struct log_group { /* lines of one error with one peer */
    struct log_line first;
    uint64_t lines, first_number, last_number;
    nstime begun, ended;         /* of those that bear a time */
    nstime durations[LOG_SAMPLES];
    int64_t sizes[LOG_SAMPLES];
    size_t ndurations, nsizes;   /* the first ones */
    uint64_t after_pipe;         /* came within a second after a broken pipe of the same peer */
    unsigned peers_at_once;      /* most peers that failed within one second, this one with them */
};
#define LOG_GROUPS_MAX 500
struct log_digest {
    struct log_group **groups;
    size_t nr, alloc;
    uint64_t lines, errors, dropped; /* read; of them errors; left out by the cap */
    struct { nstime time; size_t group; } recent[64]; /* a ring of errors with a time */
    size_t nrecent;
};
void log_digest_release(struct log_digest *d);
/* Counts the line; its group's index, or -ENOENT (no error in it), -E2BIG (too many), -ENOMEM. */
int log_digest_add(struct log_digest *d, const char *text, size_t len, uint64_t number);
/* What a group says of its failure; ref is the name of the log. */
void facts_of_log(struct facts *out, const struct log_group *g, const char *ref);
/* The same without what only speaks of those very connections: for a reset of the same peer that
 * was seen by other means. */
void facts_of_log_pattern(struct facts *out, const struct log_group *g, const char *ref);

/* ---- the ledger ---- */
enum about {
    ABOUT_HOST, ABOUT_TARGET, ABOUT_RESULT, ABOUT_RESET, ABOUT_ENDING, ABOUT_LOG, ABOUT_KINDS
};
const char *about_name(enum about a); /* "reset": the word in a saved session */
struct subject {
    enum about about;
    uint64_t id; /* 0 for the host */
};
struct ledger;
struct ledger *ledger_new(void);
void ledger_free(struct ledger *l);
int ledger_put(struct ledger *l, struct subject s, const struct fact *f); /* supersedes */
int ledger_undo(struct ledger *l, struct subject s, enum fact_kind kind); /* back to the one before */
/* Adds what is known of the subject (undone ones left out) to out, replacing nothing there. */
void ledger_gather(const struct ledger *l, struct subject s, struct facts *out);
const struct fact *ledger_get(const struct ledger *l, struct subject s, enum fact_kind kind);
void ledger_forget(struct ledger *l, struct subject s);
uint64_t ledger_revision(const struct ledger *l, struct subject s); /* goes up with each change */

#endif
