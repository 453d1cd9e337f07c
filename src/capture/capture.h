/*
 * capture: where packets come from: files and stdin, the live helper.
 *
 * Owns: a struct capture owns its mapping, descriptors and child. Records handed to on_record
 *   point into it and are valid during the callback only.
 * Invariants: records come in file order with numbers from 1; slices of about 5 ms, so the loop
 *   keeps turning. pcap and pcapng are read by wire/, which reads every form libpcap reads; live
 *   capture and filters are libpcap's. Only this folder includes pcap.h. The helper (helper.c) is
 *   a program of its own.
 * Errors: callbacks get a sentence in the user's language (of the helper and libpcap: English),
 *   clean.
 */
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

#include "loop/loop.h"
#include "wire/wire.h"

enum capture_state { CAPTURE_STARTING, CAPTURE_READY, CAPTURE_ENDED, CAPTURE_FAILED };
enum capture_error { /* what kind of failure, for the exit status and the hint */
                     CAPERR_NONE,
                     CAPERR_PERMISSION,
                     CAPERR_NO_INTERFACE,
                     CAPERR_FILTER,
                     CAPERR_FILE,
                     CAPERR_FORMAT,
                     CAPERR_HELPER
};
struct capture_stats {
    uint64_t packets, bytes; /* handed out */
    uint64_t seen, dropped;  /* before a file's filter; lost, as kernel or file says */
    bool dropped_known;
    uint64_t truncated;
};
struct capture_callbacks {
    void (*on_record)(void *arg, const struct record *rec, void *made);
    /* State changed; ENDED or FAILED is the last one. FAILED: nothing can be read, text says why.
     * ENDED with an err: what came before was read, text says what is wrong with the rest (cut in
     * the middle of a packet, damaged). Both callbacks may stop or free the capture. */
    void (*on_state)(void *arg, enum capture_state state, enum capture_error err, const char *text);
    void *arg;
    /* Makes of a record what needs no other one, made_size bytes that on_record then gets. A file's
     * are made in another thread: it may touch only what never changes. on_soon: one that was made
     * comes soon. A capture with a filter makes nothing (made: NULL). make NULL: not wanted. */
    void (*make)(const void *make_arg, const struct record *rec, void *made);
    const void *make_arg;
    size_t made_size;
    void (*on_soon)(void *arg, const void *made);
};
struct capture;
/* path "-": stdin. filter NULL or a pcap-filter(7) expression. 0 or -errno with text in err. */
int capture_open_file(struct capture **out, struct loop *l, const char *path, const char *filter,
                      const struct capture_callbacks *cb, char *err, size_t errlen,
                      enum capture_error *kind);
/* One helper for all interfaces (n 0: "any"). Comes back at once; on_state tells READY or FAILED.
 * Several interfaces come as one LINUX_SLL2 stream. */
int capture_open_live(struct capture **out, struct loop *l, const char *const *interfaces, size_t n,
                      const char *filter, const struct capture_callbacks *cb);
const struct capture_stats *capture_get_stats(const struct capture *c);
enum capture_state capture_get_state(const struct capture *c);
/* The interfaces in use, known once READY (a pcapng file: those met so far). A file may not name
 * them: "". */
size_t capture_interfaces(const struct capture *c);
const char *capture_interface(const struct capture *c, size_t i);
/* Asks the helper for a `stats` line now; done(arg) once every packet seen before the call was
 * handed out (some 60 ms, the time of the ring; 500 ms at most). A file: done at its end, at once
 * when it is there. done is not called once the capture is freed. */
void capture_settle(struct capture *c, void (*done)(void *arg), void *arg);
/* SIGTERM, read to the end, then on_state(ENDED). Reads of a file just stop. */
void capture_stop(struct capture *c);
void capture_pause(struct capture *c, bool pause); /* a file only: stop handing out */
void capture_free(struct capture *c);
/* Where the helper is: beside the running binary, then libexecdir. -ENOENT. */
int capture_helper_path(char *out, size_t outlen);
/* The exact command that would permit live capture, one line (or that the helper is missing). */
void capture_permission_hint(struct strbuf *out);

/* ---- filters ---- */
/* 0, or -EINVAL with libpcap's own message in err and in *good the length of the longest prefix
 * that still compiles. Does not resolve names unless `resolve`. */
int filter_check(const char *expr, uint32_t linktype, bool resolve, char *err, size_t errlen,
                 size_t *good);
struct filter;
int filter_compile(struct filter **out, const char *expr, uint32_t linktype, char *err,
                   size_t errlen);
bool filter_match(const struct filter *f, const struct record *rec);
void filter_free(struct filter *f);
/* Interfaces for --list-interfaces: one line each "name  description  addresses". */
int capture_list_interfaces(struct strbuf *out, char *err, size_t errlen);

#endif
