/*
 * report: const session -> text, markdown, JSON.
 *
 * Owns: nothing; writes to a sink as it goes.
 * Invariants: nothing is diagnosed here. JSON is English whatever the locale (tr_none); text and
 *   markdown are in the user's language. A format is one file plus one line in list.h. Every string
 *   is clean (no control characters).
 * Errors: the sink's first error comes back (-EPIPE, -ENOSPC ...).
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "session/session.h"

struct sink { /* where a report goes: called with pieces; returns 0 or -errno */
    int (*write)(void *arg, const char *data, size_t len);
    void *arg;
};
struct report_format {
    const char *name;  /* "json": of --format */
    const char *suffix; /* "json", "md", "txt": of saved files */
    int (*write)(const struct session *s, const struct sink *to);
};
const struct report_format *report_by_name(const char *name);
size_t report_count(void);
const struct report_format *report_at(size_t i);
/* jsonl as it goes, to a descriptor: what ended well at once, the rest when its round is over. Never
 * waits for the reader but at the end, where what is left and the first error come. */
struct report_feed;
int report_feed_begin(struct report_feed **out, const struct session *s, int fd);
void report_feed_more(struct report_feed *f, bool round_over);
int report_feed_end(struct report_feed *f); /* frees it; NULL: 0 */
int report_to_fd(const struct report_format *f, const struct session *s, int fd);
/* Temporary name, fsync, rename; 0600, or the mode of the file that was there. A pipe or device is written to as it is. */
int report_to_file(const struct report_format *f, const struct session *s, const char *path);
/* What earlier runs found; format "text" or "json". */
int report_history_to_fd(const struct history_view *v, const char *format, int fd);
int report_history_to_file(const struct history_view *v, const char *format, const char *path);
/* Two runs held against each other; format "text", "markdown", "json" or "html". */
struct comparison;
int report_compare_to_fd(const struct comparison *c, const char *format, int fd);
int report_compare_to_file(const struct comparison *c, const char *format, const char *path);

#endif
