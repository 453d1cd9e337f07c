/* What the files of session/ share: the maps, the ring of packets, chains, the judge's queue. */
#ifndef SESSION_PRIVATE_H
#define SESSION_PRIVATE_H

#include "redact/redact.h"
#include "session/session.h"

#define SESSION_VERSION  1 /* a line more, or a key, is no other version */
#define VERDICTS_SAVED   1000 /* in the line that says what was judged */
#define SECTION_COMMENT  "rstconsole session " /* and its id */
#define MAX_INCIDENTS    100000
#define MAX_ENDINGS      100000
#define MAX_TARGETS      10000
#define MAX_ANSWERS      1000 /* of one incident */
#define ROUNDS_KEPT      100  /* of one target */
#define PROBES_KEPT      60000 /* of all: with many targets fewer rounds each, two at least */
#define JOURNAL_MAX      ((size_t)256 << 20)
#define RING_DEFAULT     ((size_t)64 << 20)
#define COUNTERS_EVERY   (10 * NS_PER_SEC) /* what they told of a result is kept as facts */
#define CHAIN_SLACK      NS_PER_SEC        /* packets' and results' clocks may differ a little */

/* ---- map.c: uint64 -> uint64, open addressing; 0 means "not there" ---- */
struct map {
    uint64_t *keys, *values;
    size_t nr, alloc; /* alloc: a power of two, or 0 */
};
void map_release(struct map *m);
int map_set(struct map *m, uint64_t key, uint64_t value); /* value != 0 */
uint64_t map_get(const struct map *m, uint64_t key);
void map_drop(struct map *m, uint64_t key);

/* ---- ring.c: the packets that are kept ---- */
struct ring_flow { /* the kept packets of a flow: numbers, oldest first */
    uint64_t *numbers;
    size_t nr, alloc, gone; /* gone: how many at the front are no longer kept */
};
struct ring {
    struct kept_packet *items; /* a deque: first..first+nr */
    size_t first, nr, alloc;
    size_t bytes, max_bytes;
    struct ring_flow *flows; /* index = map value - 1 */
    size_t nflows, flows_alloc;
    struct map by_flow;
};
void ring_release(struct ring *r);
/* Copies the packet in; returns how many old ones had to go, or -ENOMEM. */
int ring_add(struct ring *r, const struct record *rec, uint64_t flow, uint8_t is_reset);
struct kept_packet *ring_find(const struct ring *r, uint64_t number);

/* ---- chains.c: the connections of our own probes ---- */
struct chain {
    uint64_t id;
    uint32_t target;
    bool flow_known, repeat;
    const char *experiment; /* id of the one whose connection it is; NULL */
    struct flow_key flow;
    nstime started;
    uint64_t incident; /* id, 0 none */
    uint64_t reset;    /* flow's reset id, 0 none */
    size_t older;      /* index + 1 of an older chain with the same hash */
    uint64_t *results; /* ids */
    size_t nresults, results_alloc;
};
struct chains {
    struct chain **items;
    size_t nr, alloc;
    size_t free; /* index + 1 of a place that is free; the next one is where its chain's was */
    size_t *free_next, free_alloc;
    struct map by_id, by_key;
};
void chains_release(struct chains *c);
struct chain *chains_get(const struct chains *c, uint64_t id);
struct chain *chains_add(struct chains *c, uint64_t id, uint32_t target, nstime now);
int chains_set_flow(struct chains *c, struct chain *ch, const struct flow_key *flow);
struct chain *chains_find(const struct chains *c, const struct flow_key *flow, nstime at);
void chains_forget(struct chains *c, struct chain *ch);
int chain_add_result(struct chain *ch, uint64_t result);

/* ---- endings.c ---- */
struct ending_link {
    size_t older; /* index + 1 of an older one of the same flow */
    uint64_t incident;
};
struct endings {
    struct ending_link *next; /* index = id - 1 */
    size_t alloc;
    struct map by_socket, by_flow; /* -> id, the newest */
};
void endings_release(struct session *s);
void endings_adopt(struct session *s, struct incident *i); /* its flow has become known */
void endings_facts(const struct incident *i, struct facts *out);

/* ---- judging.c ---- */
struct judged { /* judgements shared by all incidents with the same signature */
    uint64_t signature;
    struct judgement judgement;
    struct checklist checklist; /* with nothing skipped */
    unsigned users;
};
struct threshold { /* the values at which some cause's weight begins or ends to apply */
    double *at;
    size_t nr, alloc;
};
struct judging {
    struct map by_signature; /* -> struct judged * */
    struct threshold kinds[FACT_KIND_COUNT];
    bool ready;
    uint64_t *queue; /* incidents to judge */
    size_t nqueue, queue_alloc;
};
void judging_release(struct judging *j);

/* What belongs to an incident and no reader needs. */
struct incident_extra {
    bool queued, counted_harmful;
    bool own_checklist;      /* something is skipped: not the shared one */
    uint32_t pattern_item;   /* index + 1 into what patterns were looked for in, 0 none */
    uint64_t pattern_shared; /* what it shares, hashed */
    struct judged *judged;   /* NULL: not judged yet */
    enum fact_kind *answers; /* what the person answered, oldest first */
    size_t nanswers, answers_alloc;
    const char **skipped; /* ids of steps, NULL-terminated */
    size_t nskipped, skipped_alloc;
};

/* ---- pattern.c ---- */
void session_find_patterns(struct session *s, bool all); /* all: however few have come since */
void pattern_facts(const struct session *s, const struct incident *i, struct facts *out);
void session_patterns_release(struct session *s);

/* ---- save.c ---- */
struct saving {
    int dir_fd, lines_fd, packets_fd, lock_fd; /* -1: not saving */
    struct strbuf lines, blocks;               /* not yet written */
    struct map interfaces; /* link << 32 | interface + 1 -> index + 1 in the file */
    uint32_t ninterfaces;
    uint64_t first_packet; /* number of the file's first packet */
    bool failed;           /* told once */
    bool memory;           /* lines and blocks are not written, but handed to somebody */
};
void saving_init(struct saving *sv);
void saving_release(struct saving *sv);

/* ---- records.c: Zeek's records, for the report ---- */
struct records {
    struct flow_record *held; /* the latest */
    size_t nheld, alloc;
    uint64_t spilled; /* how many stand in the file, the first ones */
    int fd;           /* -1: no file yet */
    bool no_file;     /* there can be none, or it is full */
    struct flow_record *block; /* read back from the file */
    uint64_t block_first;
    size_t nblock;
};
void records_init(struct records *r);
void records_release(struct records *r);
bool records_add(struct records *r, const struct flow_record *rec); /* false: left out */

/* ---- redacting.c ---- */
struct redacting {
    enum { REDACT_NOTHING, REDACT_INPUT, REDACT_SAVED } what; /* see settings.redact */
    struct redactor *r;
    uint8_t *data; /* of the packet that was redacted last */
    size_t alloc;
    uint64_t number;
};
int redacting_begin(struct session *s);
void redacting_release(struct redacting *rd);
/* The record as it may be seen; rec itself where nothing is redacted. Valid until the next one. */
const struct record *redacted_record(struct session *s, const struct record *rec,
                                     struct record *space);
/* The same for a line of session.jsonl, appended to out. false: it is no line. */
bool redacted_line(struct session *s, const char *line, size_t len, struct strbuf *out);
void redacted_text(struct session *s, enum redact_how how, char *text, size_t size); /* in place */
void redacted_names(struct session *s); /* of the file and the filter; once it is open */
void redacted_interfaces(struct session *s);

struct session_private {
    struct arena strings; /* the settings' */
    char id[20]; /* stands in both files of a saved session: do they belong together? */
    struct defrag *defrag;
    struct ring ring;
    struct chains chains;
    struct endings endings;
    struct judging judging;
    struct map reset_incident; /* flow's reset id -> incident */
    struct records records;
    struct addr *local;
    size_t nlocal;
    uint64_t packets;     /* records so far */
    nstime now;           /* the moment of the latest input; a load sets it from the line */
    uint64_t next_reset, next_incident; /* ids given */
    nstime counters_kept; /* when a line of them was written last */
    bool counters_late;   /* they have moved since */
    bool input_ended;
    bool repeating;        /* the chains that begin now are repetitions */
    const char *experiment; /* ... and this experiment's */
    uint64_t next_chain;   /* of experiments */
    bool loading;          /* inputs come from a file: not written again */
    const struct capread *source; /* where the packets come from, while loading */
    bool teeing;           /* ... but that file is copied to where it is saved */
    uint64_t patterns_at;  /* how many incidents there were then */
    bool patterns_stale;   /* resets have come or changed since */
    uint64_t drops_judged; /* vantage.dropped as the facts of the resets have it */
    struct strbuf line;    /* being made */
    struct strbuf journal; /* lines made while nothing is saved */
    struct saving saving;
    struct redacting redacting;
};

/* ---- session.c ---- */
nstime session_now(const struct session *s);
void session_touch(struct session *s);
/* Makes the flow table anew; only before the first record. */
int session_make_flows(struct session *s);
void vantage_fill(struct session *s); /* host and user, as they are now */

/* ---- incident.c ---- */
struct incident *incident_new(struct session *s); /* NULL: too many, counted */
void incident_on_reset(void *arg, const struct reset *r);
void incident_on_result(struct session *s, struct chain *ch, const struct result *r);
void incident_of_ending(struct session *s, const struct host_ending *e);
void incident_of_chain_flow(struct session *s, struct chain *ch);
struct incident *incident_get(const struct session *s, uint64_t id);
struct incident_extra *incident_extra(const struct session *s, const struct incident *i);
void incident_facts(const struct session *s, const struct incident *i, struct facts *out);
/* What its probes and this host's sockets told of it, without packets; adds to out. */
void incident_told(const struct session *s, const struct incident *i, struct facts *out);
struct subject incident_subject(const struct incident *i);
void incident_release(struct session *s, struct incident *i);
bool incident_forget(struct session *s, struct chain *ch); /* false: it stays */
void incident_dirty(struct session *s, struct incident *i);
void incident_dirty_subject(struct session *s, struct subject about);

/* ---- neighbour.c: what other connections to the same address tell of a refusal ---- */
void neighbour_facts(const struct session *s, const struct incident *i, struct facts *out);
void neighbour_learnt(struct session *s, const struct addr *server); /* NULL: any */

/* ---- log.c: what the lines of a log say of an incident ---- */
void log_facts(const struct session *s, const struct incident *i, struct facts *out);
void log_learnt(struct session *s, const struct log_group *g);

/* ---- answers.c: what a loaded session says was answered ---- */
void answer_replayed(struct session *s, struct subject about, enum fact_kind kind);
void undo_replayed(struct session *s, struct subject about, enum fact_kind kind);
void skip_replayed(struct session *s, struct subject about, const char *step_id);

/* ---- journal.c: one line of JSON for each input ---- */
void journal_begin(struct session *s);
void journal_vantage(struct session *s);
void journal_target(struct session *s, const struct target *t);
void journal_chain(struct session *s, const struct chain *ch);
void journal_result(struct session *s, const struct result *r);
void journal_counters(struct session *s, const struct host_counters *c);
void journal_fact(struct session *s, struct subject about, const struct fact *f);
void journal_undo(struct session *s, struct subject about, enum fact_kind kind);
void journal_skip(struct session *s, struct subject about, const char *step);
void journal_ending(struct session *s, const struct host_ending *e);
void journal_experiment(struct session *s, const struct experiment_record *e);
void experiment_record_release(struct experiment_record *e);
int experiment_record_copy(struct experiment_record *to, const struct experiment_record *from);
void journal_log(struct session *s, const char *source, uint64_t number, const char *line);
void journal_message(struct session *s, const struct message *m);
void journal_verdicts(struct session *s);
void journal_end(struct session *s);
void save_packet(struct session *s, const struct record *rec);
/* What session_save_begin() would write; the caller releases both. */
int save_to_memory(struct session *s, struct strbuf *lines, struct strbuf *blocks);
void save_text(struct session *s, const char *line, size_t len);
int save_dup_fds(const struct session *s, int fds[2]); /* -EBADF: not saving */

#endif
