/*
 * cause: the catalogue, grouped as users think; the judge; who sent it; the retry advice.
 *
 * Owns: the catalogue is const data. struct judgement owns its lists (judgement_release).
 * Invariants: pure. A judgement is a function of the set of facts alone: permuting facts changes
 *   nothing. Weights are data; only the strongest fact of a family counts fully. Adding a cause is
 *   one entry in its group's file plus one line in list.h.
 * Grades: confirmed at .95 with a decisive fact, likely at .6, possible at .2 (design.md 3).
 * Sources: causes.md A (catalogue), A0 (priors), B (sender), D (retry).
 */
#ifndef CAUSE_CAUSE_H
#define CAUSE_CAUSE_H

#include "evidence/evidence.h"

enum group {
    GROUP_FIREWALL, GROUP_TIMEOUT, GROUP_LOAD, GROUP_HANDSHAKE, GROUP_PROTOCOL, GROUP_APPLICATION,
    GROUP_HOST, GROUP_NAT, GROUP_LOCAL, GROUP_CLOUD, GROUP_NAME, GROUP_COUNT
};
const char *group_name(enum group g);  /* "firewall": the report's word */
const char *group_title(enum group g); /* N_() for people: "Firewall" */

/* How one fact speaks for or against a cause, in centinats of log-odds (100 = a factor e). */
struct weight {
    enum fact_kind kind;
    bool yes;               /* applies when the fact is this */
    const char *is;         /* NULL any; else v[0] as text is one of "a|b|c"; "~a|b": holds one */
    double min, max;        /* both 0: any; else v[0] as a number (a span in seconds) in [min,max] */
    int centinats;          /* > 0 for, < 0 against */
    enum { W_PLAIN, W_DECISIVE = 1, W_RULES_OUT = 2, W_REQUIRED = 4 } flags;
    /* DECISIVE: allows `confirmed`. RULES_OUT: the cause cannot be. REQUIRED: unless one of the
     * cause's required weights applies, it is not considered at all. */
};
struct cause {
    const char *id;          /* of causes.md */
    enum group group;
    const char *title;       /* N_(): "the port is closed" */
    const char *what;        /* N_(): what happens, one or two sentences */
    const char *confirm;     /* N_(): how to confirm */
    const char *client, *server, *network; /* N_() remedy by audience; NULL none */
    const char *const *references; /* RFC sections, manual pages, reports; NULL-terminated */
    bool benign;             /* the exchange was not hurt */
    bool deterministic;      /* a retry unchanged fails again (causes.md D) */
    const struct weight *weights;
    size_t nweights;
    double confidence_cap;   /* highest honest posterior with packets (causes.md conf, c) */
    double cap_probe;        /* ... by probing alone (u) */
    double cap_host;         /* ... with a decisive fact, such as a counter of that host (p) */
};
size_t cause_count(void);
const struct cause *cause_at(size_t i);              /* in catalogue order */
const struct cause *cause_by_id(const char *id);     /* NULL */

enum grade { GRADE_NONE, GRADE_POSSIBLE, GRADE_LIKELY, GRADE_CONFIRMED };
const char *grade_name(enum grade g);
struct weighed {
    enum fact_kind kind;
    bool strong;             /* else weak */
    int centinats;           /* as it counted after the family rule */
};
struct verdict {
    const struct cause *cause;
    enum grade grade;
    double confidence;
    struct weighed *for_, *against, *missing; /* refer to facts by kind; arrays of the judgement */
    size_t nfor, nagainst, nmissing;
};
struct ruled_out {
    const struct cause *cause;
    enum fact_kind by[4];
    size_t nby;
};
enum sender {
    SENDER_PEER, SENDER_PEER_FIREWALL, SENDER_NEAR_CLIENT, SENDER_MID_PATH, SENDER_NEAR_SERVER,
    SENDER_FORGED, SENDER_LOCAL, SENDER_UNKNOWN
};
const char *sender_name(enum sender s);  /* "peer-firewall" */
const char *sender_title(enum sender s); /* N_() for people: "the server's host" */
enum retry { RETRY_SAFE, RETRY_LIKELY_SAFE, RETRY_IF_IDEMPOTENT, RETRY_RESUME, RETRY_ASK, RETRY_NO,
             RETRY_NOT_NEEDED };
const char *retry_name(enum retry r);    /* "ask-state-first" */
const char *retry_title(enum retry r);   /* N_(): "yes", "no: ..." short for people */

struct judgement {
    struct facts facts;      /* what it was judged on, sorted */
    enum stage stage;        /* the prior's: where the connection ended */
    struct verdict *verdicts; /* best first, at least `possible`; may be empty */
    size_t nverdicts;
    struct ruled_out *ruled_out;
    size_t nruled_out;
    enum sender sender;
    double sender_confidence;
    struct weighed *sender_why;
    size_t nsender_why;
    bool harmful;
    const char *harmful_why; /* N_() */
    enum retry retry;
    const char *retry_why;   /* N_() */
    bool determined;         /* the first verdict is likely or better */
    double *shares;          /* of every cause, in catalogue order: its share before the cap; 0: out */
    double *asleep;          /* of those that only lack what they require: theirs, were it no matter */
    struct arena mem;
};
void judgement_init(struct judgement *j);
void judgement_release(struct judgement *j);
/* Judges the facts (copied into j, which is cleared first). 0 or -ENOMEM. */
int judge(struct judgement *j, const struct facts *facts);
/* The log-odds of one cause (prior and weights), before it is set against the others; -INFINITY
 * when the cause is ruled out or lacks what it requires. */
double cause_score(const struct cause *c, const struct facts *facts);
/* True if the weight speaks on this fact. */
bool weight_applies(const struct weight *w, const struct fact *f);
/* The advice for a verdict as one paragraph: remedies by audience. */
void cause_advice(struct strbuf *out, const struct cause *c, const struct facts *facts,
                  translate_fn tr);
/* The advice in code and in settings: a list that ends with one whose `in` is NULL; NULL: none. */
struct snippet {
    const char *in;   /* "C", "nginx" */
    const char *text; /* lines, not translated */
};
const struct snippet *cause_snippets(const struct cause *c);
/* "not determined: possibly a, b; next: ..." or "likely: the port is closed (0.92)". */
void judgement_headline(struct strbuf *out, const struct judgement *j, translate_fn tr);

#endif
