/*
 * What the files of capture/ share. A struct capture is one source: a mapped file (file.c), a pipe
 * (stream.c) or the helper (live.c). The source takes its turns on the loop and hands records to
 * capture_deliver().
 *
 * A callback may stop or free its capture: every entry from the loop stands between
 * capture_enter() and capture_leave(), and the memory goes with the outermost leave.
 */
#ifndef CAPTURE_SOURCE_H
#define CAPTURE_SOURCE_H

#include "capture/capture.h"

#define SLICE_NS    (5 * NS_PER_MS)
#define TEXT_MAX    512
#define STREAM_MAX  ((size_t)32 << 20) /* a record that needs more is damage */
#define HELPER_NAME "rstconsole-capture"

/* ---- batch.c: records on their way, and what was made of each ---- */
#define BATCH_RECORDS 512
#define BATCH_STREAM  64 /* of a stream: what came is not kept waiting */
struct batch {
    struct record *records;
    uint8_t *made; /* made_size bytes each; NULL: nothing is made */
    size_t made_size, n;
    size_t at, soon; /* the next one to hand out, and to tell of */
    size_t used;     /* bytes it was filled from */
    int r;           /* what capread_next() said after them: 1 full, 0 more bytes needed, -errno */
    uint64_t seen;   /* records of the capture up to its end */
    struct capread_if *ifs; /* all interfaces, where there are more of them than known_ifs */
    size_t nifs, known_ifs;
};
int batch_init(struct batch *b, const struct capture_callbacks *cb);
void batch_release(struct batch *b);
void batch_fill(struct batch *b, struct capread *r, const struct capture_callbacks *cb,
                const uint8_t *p, size_t len, size_t max);
/* false: halted before its end; the rest is there for the next time. */
bool capture_hand(struct capture *c, struct batch *b);

/* ---- reader.c: a thread that fills batches from bytes in memory; they and walk must stay as
 * they are until reader_halt() ---- */
struct reader;
struct reader *reader_start(struct capread *walk, const struct capture_callbacks *cb,
                            const uint8_t *p, size_t len); /* NULL: none is to be had */
struct batch *reader_batch(struct reader *r); /* the next one; waits. Not after one with r <= 0 */
void reader_done(struct reader *r);           /* with that one */
void reader_halt(struct reader *r);           /* what it has read stays; also twice */
void reader_free(struct reader *r);

/* Fires on every turn of the loop while it is on: a timer of zero would keep I/O waiting. */
struct turn;
struct turn *turn_start(struct loop *l, void (*fn)(void *arg), void *arg);
void turn_set(struct turn *t, bool on);
void turn_stop(struct turn *t);

struct stream {
    uint8_t *buf;
    size_t start, end, alloc;
    bool eof;
};
/* One read() of fd. 1: bytes came; 0: none now, or the end (s->eof); -EFBIG: the cap; -errno. */
int stream_fill(struct stream *s, int fd);
void stream_release(struct stream *s);

struct source_ops {
    void (*pause)(struct capture *c, bool pause); /* NULL: cannot */
    void (*stop)(struct capture *c);
    bool (*settle)(struct capture *c); /* starts a round; false: nothing to wait for */
    void (*close)(struct capture *c);  /* safe at any time, also twice */
};

struct filter_set { /* an expression compiled for each link type met */
    char *expr;
    struct {
        uint32_t link;
        struct filter *f; /* NULL: does not compile there, so nothing matches */
    } items[16];
    size_t n, last;
};

struct settle_wait {
    struct capture *c;
    struct settle_wait *next;
    struct timer *deadline;
    uint64_t round;
    void (*done)(void *arg);
    void *arg;
};

struct capture {
    struct loop *loop;
    struct capture_callbacks cb;
    struct capture_stats stats;
    enum capture_state state;
    const struct source_ops *ops;
    void *source; /* of the file that has the ops */
    char *name;   /* of a file, put before what is said of it; NULL live */
    struct capread reader; /* where a thread reads, it is that thread's */
    struct batch batch;    /* of a stream */
    struct capread_if *ifs;
    size_t nifs;
    struct filter_set filters;
    bool link_checked;    /* capture_check_link() has passed */
    bool link_seen_known; /* a record of a link type that wire/ decodes came */
    uint32_t link_unknown;
    bool halted; /* the walk must stop: stopped, paused or freed */
    bool doomed;
    unsigned depth;
    struct settle_wait *waits;
    uint64_t round; /* of the settling that runs, or ran last */
    bool round_runs;
};

void capture_enter(struct capture *c);
bool capture_leave(struct capture *c); /* false: it is gone */
/* false: the walk must stop. */
bool capture_deliver(struct capture *c, const struct record *rec, void *made);
/* Walks whole records for one slice. 1: more is there, and the bytes must stay where they are; 0:
 * more bytes are needed; -EBADMSG ... */
int capture_walk(struct capture *c, const uint8_t *p, size_t len, size_t *used);
void capture_ready(struct capture *c);
/* The last word; after it the source is closed. */
void capture_finish(struct capture *c, enum capture_state state, enum capture_error err,
                    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The end of a file's or pipe's bytes, `left` of which are no whole record. */
void capture_finish_bytes(struct capture *c, size_t left);
void capture_finish_damage(struct capture *c);
void capture_round_done(struct capture *c);
struct capture *capture_new(struct loop *l, const struct capture_callbacks *cb, const char *filter);

/* The link type and the filter, as soon as a first record tells. 0, -ENOTSUP, -EINVAL with text. */
int capture_check_link(struct capture *c, uint32_t link, char *err, size_t errlen,
                       enum capture_error *kind);

/* Pipes, terminals, devices; takes fd over unless it is 0. */
int pipe_open(struct capture *c, int fd);
/* The name of a link type that wire/ does not decode either, by libpcap's table. */
const char *link_words(uint32_t link);
/* What the first bytes look like, for a message: "gzip data", NULL unknown. */
const char *looks_like(const uint8_t *p, size_t len);

#endif
