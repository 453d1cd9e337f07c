/*
 * session: the one mutable model and its single writer; run (what drives it); save, load, replay.
 *
 * Owns: a struct session owns everything in it. Readers (view, report, ui) get it const.
 * Invariants: the model changes only through session_*() calls. Its inputs are records, results,
 *   host samples, answers and notes; everything else (flows, resets, facts, judgements, checklists)
 *   is made from them, so replaying the inputs gives the same model, and a judgement does not
 *   depend on their order of arrival. session->revision goes up with every visible change.
 * Caps: packets kept (settings.max_memory), flows, resets, results a target; each that bites is
 *   counted in session->limits and shown.
 * Errors: 0 or -errno, with a sentence where err is asked for.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "capture/capture.h"
#include "experiment/experiment.h"
#include "host/host.h"
#include "probe/probe.h"
#include "session/history.h"
#include "step/step.h"

struct settings { /* what was asked for; main fills it from options */
    const char **interfaces; /* -i; n 0: any; one "none": no capture */
    size_t ninterfaces;
    bool interface_asked;    /* -i was given: not permitted is then an error (exit 3) */
    const char *filter, *read_file, *write_file;
    unsigned rounds;         /* -c; 0 endless */
    nstime interval, duration; /* duration 0: none */
    struct target_options defaults;
    bool numeric, live;      /* live: capture unless "none" */
    bool flows;              /* --flows */
    bool save;               /* keep a session directory */
    nstime at;               /* -r of a session: as it was then, or that long after it began;
                                0: all of it */
    bool redact;             /* -r: what is read is redacted as it comes in; else what is saved */
    const char *sessions_dir; /* where; NULL: $XDG_DATA_HOME/rstconsole/sessions */
    size_t max_flows;
    size_t max_memory;                      /* packets kept, bytes; 0: 64 MiB */
    unsigned max_connections, max_per_host; /* of probes at once; 0: the prober's own */
    unsigned rate;           /* new ones a second; 0: no limit */
    char **command;          /* NULL-terminated; a COMMAND is run: only its connections count */
    bool keep_packets;       /* false: nothing will look at packets (batch -r without --save) */
    const struct playbook *playbook; /* -P: of everything; NULL */
    const char *name;        /* part of the session's directory name: "demo" */
    enum { EXPERIMENTS_NONE, EXPERIMENTS_SAFE, EXPERIMENTS_ALL } experiments; /* begun by itself */
    unsigned budget_connections; /* of one diagnosis; 0: 40 */
    nstime budget_time;          /* 0: 60 s */
};

/* A packet that was kept, with what a list shows. */
struct kept_packet {
    uint64_t number, flow;   /* flow 0: none */
    nstime time;
    uint32_t caplen, len, link;
    const uint8_t *data;     /* caplen bytes, the session's */
    uint8_t is_reset;        /* 1: RST set; 2: the first RST of a struct reset */
};

/* Something that ended badly, or a reset that did not hurt: what is diagnosed. */
struct incident {
    uint64_t id;             /* from 1 */
    bool is_reset;           /* a RST (seen, or told by errno); else a failed probe without one */
    uint64_t reset_id;       /* the report's id of the reset, from 1 in order of time; 0 none */
    const struct reset *reset; /* packets' view; NULL: none seen */
    const struct host_ending *ends[2]; /* the socket's: [0] the client's, [1] the server's; NULL */
    uint64_t chain;          /* the probe's chain, 0: another program's flow */
    uint32_t target;         /* 0 */
    uint64_t result;         /* id of the failed result, 0 none */
    const struct log_group *log; /* told by a log alone: its lines; NULL */
    uint64_t log_id;         /* 0; else the group's index + 1 */
    struct flow_key flow;
    bool flow_known;
    nstime time;
    bool related;            /* of a target: counts for status and summary */
    bool repeat;             /* drawn by our own repetition: listed, harmless, counts nowhere */
    bool harmful;
    const char *harmful_why; /* N_() */
    struct judgement judgement;
    struct checklist checklist;
    uint64_t judged_revision;
    const char *next_test;   /* id of the experiment that would tell more; NULL none, or not asked */
    const char *next_why;    /* N_(): why it was not run */
};

/* One shot of an experiment, as the live view shows it. */
struct experiment_row {
    char label[48], note[64]; /* note: a router's address, the peer's first words */
    double x;                /* what was varied: a TTL, a size, seconds */
    enum shot_end end;
    enum shot_stage stage;
    bool control, icmp;
    nstime began, ended;     /* after the experiment's beginning; NSTIME_NONE not yet */
    nstime connected;        /* how long the handshake took */
};
#define EXPERIMENT_ROWS 500
struct experiment_measure {
    char name[24];
    struct value value;      /* its text is the facts' arena's */
};
struct experiment_record {   /* experiments[] of the report; those that run are the last ones */
    const char *experiment;  /* id */
    uint32_t target;
    uint64_t incident;       /* 0 none */
    enum { EXP_SEPARATED, EXP_INCONCLUSIVE, EXP_CANCELLED, EXP_RUNNING } outcome;
    unsigned connections, packets;
    nstime span;
    struct facts facts;
    struct experiment_measure measures[MEASURES_MAX];
    size_t nmeasures;
    char why[120];           /* inconclusive: English, to be translated; "" none */
    struct experiment_row *rows; /* the record's */
    size_t nrows, rows_alloc;
    bool paused, unfinished; /* unfinished: of a session that was left meanwhile */
    size_t kept;             /* shots ended that the session holds */
    nstime eta;              /* wall, when it ends at the latest; NSTIME_NONE */
};

struct vantage {
    char host[256], user[64];
    enum { VANTAGE_LIVE, VANTAGE_FILE, VANTAGE_NONE } capture;
    char interfaces[8][32];
    size_t ninterfaces;
    uint64_t packets, bytes, dropped, truncated;
    bool dropped_known;
    char capture_error[256]; /* why there is no capture, "" */
    enum capture_error capture_error_kind;
};

struct target_state {        /* a target and its recent rounds */
    struct target *target;
    uint32_t rounds_started, rounds_done;
    uint64_t *results;       /* ids of its results, oldest first, of the last 100 rounds */
    size_t nresults, results_alloc;
    uint64_t failed, passed; /* probes, all rounds */
    bool removed;            /* by the person: not probed any more; what it told stays */
};

enum message_level { MSG_INFO, MSG_WARN, MSG_ERROR };
struct message { nstime time; enum message_level level; char text[240]; };

struct session {
    struct settings settings;
    nstime started, ended;   /* wall; ended NSTIME_NONE while running. A file: of its packets */
    struct vantage vantage;
    struct target_state *targets; /* index = target id - 1 */
    size_t ntargets, targets_alloc;
    struct result **results; /* session_result_by_id(); the first ones go */
    size_t results_gone;
    size_t nresults, results_alloc;
    struct incident **incidents; /* by id; those of old rounds go */
    size_t nincidents, incidents_alloc;
    struct host_ending **endings; /* index = id - 1 */
    size_t nendings, endings_alloc;
    uint64_t nameless; /* connects that failed at once, of which the kernel kept no address */
    struct patterns patterns; /* what the resets have in common; of_item by item */
    uint64_t *pattern_incidents; /* of each item, the incident's id */
    struct experiment_record *experiments;
    size_t nexperiments, experiments_alloc;
    struct flow_table *flows;
    struct ledger *ledger;
    struct log_digest log;   /* what the lines of logs say */
    char log_name[256];      /* of the first one, "" none */
    struct host_counters first_counters, counters; /* at the start, latest */
    struct message messages[16]; /* ring, newest last */
    size_t nmessages;
    uint64_t messages_ever; /* the dropped ones too */
    uint64_t revision;       /* of anything */
    uint64_t resets_seen, harmful_resets, failed_probes, logged_errors; /* related ones */
    bool paused, finished, dirty; /* dirty: unsaved */
    bool redacted;           /* nothing in it is as it was: names, addresses, payload */
    struct {
        uint64_t packets_dropped, results_dropped, incidents_dropped, records_dropped,
            endings_dropped, log_lines_dropped;
    } limits;
    char dir[512];           /* where it is saved, "" not */
    struct session_private *priv;
};

struct session *session_new(const struct settings *st); /* NULL on ENOMEM; copies the pointers */
void session_free(struct session *s);

/* ---- the writer ---- */
int session_add_target(struct session *s, struct target *t); /* takes it; gives it an id */
/* Other options for a target (takes t, which bears its id), or t NULL: it is removed. */
void session_change_target(struct session *s, uint32_t id, struct target *t);
void session_record(struct session *s, const struct record *rec);
/* The same with what was made of it ahead; NULL: nothing. */
void session_made_record(struct session *s, const struct record *rec, struct flow_ready *made);
void session_chain(struct session *s, uint32_t target, uint64_t chain,
                   const struct flow_key *flow); /* a probe's 5-tuple, before its packets */
void session_result(struct session *s, struct result *r); /* takes it; gives it an id */
void session_counters(struct session *s, const struct host_counters *c);
void session_fact(struct session *s, struct subject about, const struct fact *f); /* an input */
void session_ending(struct session *s, const struct host_ending *e);
void session_nameless(struct session *s, uint64_t n); /* how many in all */
void session_experiment(struct session *s, const struct experiment_record *e);    /* copies */
/* One that begins: its index in s->experiments, or -1. It is an input once it has ended. */
int session_experiment_begin(struct session *s, const char *id, uint32_t target,
                             uint64_t incident);
void session_experiment_update(struct session *s, int index, const struct trial *t);
void session_experiment_end(struct session *s, int index, const struct trial *t);
/* The connection of an experiment: a reset on it is our own doing. */
void session_experiment_chain(struct session *s, int index, const struct flow_key *flow);
void session_next_test(struct session *s, uint64_t incident, const char *test, const char *why);
void session_answer(struct session *s, uint64_t incident, const char *step, int yes /* 1, 0 */);
void session_undo(struct session *s, uint64_t incident);      /* the last answer */
void session_skip(struct session *s, uint64_t incident, const char *step);
/* A line of a log (any bytes); source: its file's name. Secrets in it are masked, then it is kept if
 * it tells of an error. */
uint64_t session_log_line(struct session *s, const char *source, uint64_t number, const char *text,
                          size_t len); /* the incident it is counted under, 0 none */
void session_message(struct session *s, enum message_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Where packets come from: what the capture says of itself, its interfaces' names; live: whether
 * it works (error, text). */
void session_capture(struct session *s, const struct capture_stats *st,
                     const char *const *interfaces, size_t n);
void session_capture_failed(struct session *s, enum capture_error kind, const char *text);
/* What may change while it runs: interval, experiments, budget, timeout of further targets. */
void session_tune(struct session *s, const struct settings *st);
void session_judge(struct session *s);  /* what changed since the last call */
/* The same, at most max incidents: true if more are left. */
bool session_judge_some(struct session *s, size_t max);
void session_input_ended(struct session *s); /* no packet comes any more: flows settle */
void session_finish(struct session *s); /* end of input: everything settles, judged */

/* ---- reading it ---- */
/* The playbook that is followed for it: -P's, else its target's; NULL none. */
const struct playbook *session_playbook(const struct session *s, const struct incident *i);
const struct incident *session_incident(const struct session *s, uint64_t id);
const struct incident *session_incident_of_result(const struct session *s, const struct result *r);
/* Of an incident with ends: the one that reset, else the one that told of it. NULL without. */
const struct host_ending *incident_ending(const struct incident *i);
const struct incident *session_incident_of_flow(const struct session *s, uint64_t flow);
const struct target_state *session_target(const struct session *s, uint32_t id);
const struct result *session_result_by_id(const struct session *s, uint64_t id);
size_t session_packets(const struct session *s); /* kept ones */
const struct kept_packet *session_packet_at(const struct session *s, size_t i); /* oldest first */
const struct kept_packet *session_packet(const struct session *s, uint64_t number); /* NULL gone */
/* The kept packets of a flow, oldest first: fills up to max numbers, returns how many there are. */
size_t session_flow_packets(const struct session *s, uint64_t flow, uint64_t *numbers, size_t max);
/* What it has in common with others, of a kind; NULL nothing. */
const struct pattern *session_pattern_of(const struct session *s, const struct incident *i,
                                         enum pattern_kind kind);
int session_exit_status(const struct session *s); /* 0 or 1 (design.md 5) */
/* How many targets no round was finished of: the run was ended before, and they passed nothing. */
size_t session_unfinished(const struct session *s);
/* Zeek's records, in the order they were cut (settings.flows). */
uint64_t session_flow_records(const struct session *s); /* how many */
/* The i-th from 0, best asked for in order; false: there is none, or it cannot be read back. */
bool session_flow_record(const struct session *s, uint64_t i, struct flow_record *out);

/* ---- files ---- */
/* Creates the directory (0700) and from now on appends every input to it. */
int session_save_begin(struct session *s, const char *dir_or_null, char *err, size_t errlen);
int session_save_sync(struct session *s); /* write what is buffered */
int session_save_end(struct session *s);
bool session_is_saved(const struct session *s); /* its directory is being written */
void session_save_discard(struct session *s); /* nothing came of it: removes what was begun */
/* True if path is a session's directory, its session.jsonl or packets.pcapng beside one. */
bool session_is_session(const char *path);
int session_load(struct session **out, const char *path, const struct settings *st, char *err,
                 size_t errlen);
/* The same session with everything redacted, out of what is saved or still held; NULL dir: it is not
 * saved itself, else in a directory of its own, beside the others where dir is "". */
int session_redacted_copy(struct session **out, struct session *s, const char *dir, char *err,
                          size_t errlen);
int sessions_dir(char *out, size_t outlen); /* $XDG_DATA_HOME/rstconsole/sessions, made 0700 */

/* ---- run: what drives a session: capture, probes, counters, rounds, drain, judge ---- */
enum run_event { RUN_CHANGED, RUN_CAPTURE, RUN_RESULT, RUN_ROUND_OVER, RUN_DONE };
struct run;
typedef void (*run_fn)(void *arg, enum run_event ev);
int run_start(struct run **out, struct loop *l, struct session *s, run_fn fn, void *arg,
              char *err, size_t errlen, int *exit_status);
/* The targets are told, privileges dropped: rounds may begin. -errno: of settings.write_file. */
int run_go(struct run *r);
/* 0, or 2 or 3 with the reason: what was asked could not be done. */
int run_exit_status(const struct run *r, const char **error);
bool run_lost_capture(const struct run *r); /* one that -i asked for broke off */
/* What COMMAND ended with: its status, 128 + the signal's number; -1: none, or not yet. */
int run_command_status(const struct run *r);
/* Hands a signal to COMMAND: false if there is none that runs. */
bool run_command_signal(struct run *r, int signo);
bool run_sees_sockets(const struct run *r); /* the kernel tells of this host's sockets */
bool run_done(const struct run *r);       /* rounds over, packets drained, judged */
void run_stop(struct run *r);             /* SIGINT: probes cancelled, capture drained, RUN_DONE */
void run_pause(struct run *r, bool pause);
int run_probe_now(struct run *r, uint32_t target); /* 0: all; F5 */
/* Most connections of an experiment that needs consent: what is said when it is asked for. */
unsigned experiment_most(const struct test *t, const struct settings *st);
/* Runs one experiment for the incident, or (id NULL) what the planner thinks best, one after the
 * other. consent: those too that could load or alarm somebody. 0, -EBUSY, -ENOTSUP with why. */
int run_experiment(struct run *r, uint64_t incident, const char *id, bool consent, char *err,
                   size_t errlen);
/* Silences that experiments of a saved session had tried before it was left are not tried again:
 * they go on where the same targets (added where they are not there) fail again. */
int run_resume(struct run *r, const char *path, char *err, size_t errlen);
/* "Has the fix worked?": the failing probe again and again, against how it was before. */
int run_prove(struct run *r, uint64_t incident, char *err, size_t errlen);
void run_experiment_pause(struct run *r, bool pause);
bool run_experiment_cancel(struct run *r); /* true: one ran */
bool run_experimenting(const struct run *r);
int run_change_target(struct run *r, uint32_t id, struct target *t, char *err, size_t errlen);
int run_add_target(struct run *r, const char *spec, char *err, size_t errlen);
void run_free(struct run *r);

#endif
