/* What run.c (rounds, capture, the end) and doubt.c (counters, repetitions) share. */
#ifndef SESSION_RUN_H
#define SESSION_RUN_H

#include "session/private.h"

#define SAMPLES     256 /* of the host counters, one a tick */
#define TICK        (100 * NS_PER_MS)
#define TRIES_MAX   3  /* of one repetition, while others disturb it */
#define REPEATS_MAX 40 /* connections a run spends on repetitions */

struct pending_delta { /* a failed chain whose counters are read at the next tick */
    uint64_t result, chain;
    nstime started, ended;
};
struct pending_repeat {
    uint64_t result, chain;
    uint32_t target, round;
    struct addr address;
    enum failure failure;
    enum probe_stage stage;
    int tries;
};
struct settled_doubt { /* what was repeated: the same failure later is not repeated again */
    uint32_t target;
    struct addr address;
    enum failure failure;
    enum probe_stage stage;
    uint64_t result; /* whose facts a repetition gave */
};
struct chain_span { /* when our probes of this host were at work */
    uint64_t chain;
    nstime started, ended;
};
struct doubt {
    struct host_counters samples[SAMPLES]; /* a ring, newest at (nsamples - 1) % SAMPLES */
    uint64_t nsamples;
    struct pending_delta *deltas;
    size_t ndeltas, deltas_alloc;
    struct pending_repeat *repeats;
    size_t nrepeats, repeats_alloc;
    struct settled_doubt *settled;
    size_t nsettled, settled_alloc;
    struct chain_span *spans;
    size_t nspans, spans_alloc;
    unsigned spent;
    /* the one that runs */
    bool running, failed_again;
    uint64_t again; /* its failed result */
    struct pending_repeat now;
    struct host_counters before;
    nstime began;
};

struct resumed { /* what a saved session knew of a target's silences */
    uint32_t target;
    struct trial_known *known;
    size_t nknown, alloc;
};
struct explored;
struct privileged;
struct explore { /* experiments: explore.c */
    struct explored **items;
    size_t nr, alloc;
    uint64_t looked; /* incidents looked at */
    unsigned running;
    struct timer *again;
    struct resumed *resumed;
    size_t nresumed, resumed_alloc;
};

enum run_state {
    RUN_WAITING_READY, /* for the helper, and for the targets to be told */
    RUN_WATCHING,      /* no targets: packets only */
    RUN_ROUND,
    RUN_SETTLING,
    RUN_REPEATING,
    RUN_EXPERIMENTS,
    RUN_PAUSING,   /* between rounds */
    RUN_ENDING,    /* the capture drains */
    RUN_FINISHING, /* what is left is judged */
    RUN_ENDED,
};
struct run {
    struct loop *loop;
    struct session *s;
    run_fn fn;
    void *arg;
    struct capture *capture;
    uint64_t flow_key; /* the flow table's, for what is made of packets ahead */
    struct prober *prober;
    struct host_changes *changes;
    struct addr gone[64]; /* addresses that left this host meanwhile */
    size_t ngone;
    struct host_command *command;
    int command_status;
    struct privileged *privileged; /* NULL: its helper is not installed */
    nstime privileged_since;
    struct host_watch *sockets; /* NULL: the kernel does not let us */
    struct timer *tick, *wait, *deadline;
    size_t starting; /* index of the next target of the round that begins */
    nstime aftermath; /* so long packets that belong to a result may still come */
    enum run_state state;
    bool go, ready, stopping, again, wanted_capture;
    bool said_files;
    bool had_capture, lost; /* it was ready once; it broke off */
    int exit_status;
    char error[512];
    uint32_t round;
    unsigned outstanding;
    nstime round_began;
    uint64_t told_revision;
    unsigned ticks, syncing;
    struct doubt doubt;
    struct explore explore;
    struct write_file *write;
};

/* ---- doubt.c ---- */
void doubt_release(struct doubt *d);
void doubt_sample(struct run *r); /* a tick: reads the counters, settles what waits for them */
void doubt_result(struct run *r, const struct result *res);
/* Starts the next repetition: true, or false when none is left. */
bool doubt_repeat_next(struct run *r);
void doubt_repeat_done(struct run *r);
void run_repeat_done(struct run *r); /* run.c: goes on */
struct probe_callbacks run_callbacks(struct run *r);

/* ---- explore.c ---- */
int explore_init(struct run *r);
void explore_release(struct run *r);
bool explore_next(struct run *r); /* true: experiments are running */
bool explore_cancel(struct run *r);
const struct resumed *resumed_of(const struct explore *e, uint32_t target); /* resume.c; NULL */
void run_explored(struct run *r); /* run.c: none runs any more */
void run_tell_changed(struct run *r);

/* ---- privileged.c: what rstconsole-host tells ---- */
void privileged_start(struct run *r); /* before rights are given up */
void privileged_free(struct run *r);
void privileged_tick(struct run *r);
bool privileged_busy(struct run *r); /* it is still asked about incidents */
bool privileged_is_ready(const struct run *r);
void privileged_give_up(struct run *r); /* nobody waits for it any more */
void privileged_ready(struct run *r);   /* run.c: goes on */

/* ---- writefile.c: -w ---- */
int write_file_open(struct write_file **out, const char *path);
int write_file_add(struct write_file *w, const struct record *rec, const char *interface);
int write_file_close(struct write_file *w); /* NULL: 0 */

#endif
