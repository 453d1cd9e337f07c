/*
 * compare.h: two runs held against each other. Part of view.h; nobody else includes it.
 *
 * What is compared is named as people name it: a target, or without targets the service that the
 * connections were to. A try is a round of a target, or a connection of a capture.
 */
#ifndef VIEW_COMPARE_H
#define VIEW_COMPARE_H

#include "session/session.h"

struct compare_side {
    const struct session *s;
    uint32_t from, to; /* rounds, from 1; 0: all of them */
    const char *label; /* what it was called by */
};
struct compare_half {
    bool known;
    uint64_t tries, failed;
    nstime timings[TIMING_COUNT]; /* the middle ones; NSTIME_NONE */
    size_t samples;
    const struct cause *cause; /* of most of its failures; NULL none, or not determined */
    uint64_t cause_count;
    enum sender sender;
    enum stage stage;
};
enum compare_verdict {
    COMPARE_SAME,
    COMPARE_BETTER,
    COMPARE_WORSE,
    COMPARE_CHANGED /* fails for another cause */,
    COMPARE_ONLY_A,
    COMPARE_ONLY_B
};
struct compare_row {
    char name[256];
    struct compare_half half[2];
    enum compare_verdict verdict;
    double p;  /* of so great a difference, were there none: Fisher's exact test, one-sided */
    bool sure; /* p < COMPARE_LEVEL */
};
#define COMPARE_LEVEL 0.01
/* A reset of a connection that both saw: two points of one path. */
struct compare_reset {
    struct flow_key key;
    const struct reset *reset[2]; /* NULL: that side saw the connection, not the reset */
};
#define COMPARE_RESETS_MAX 1000
struct comparison {
    struct compare_side side[2];
    struct compare_row *rows; /* worse first, then changed, better, the same */
    size_t nrows, rows_alloc;
    struct compare_reset *resets;
    size_t nresets, resets_alloc, more_resets; /* more: beyond the cap */
};
int compare_build(struct comparison *c, const struct compare_side side[2]);
void compare_release(struct comparison *c);
bool compare_is_worse(const struct comparison *c);
const char *compare_verdict_name(enum compare_verdict v);  /* "worse" */
const char *compare_verdict_title(enum compare_verdict v); /* N_() */
/* What can be said in one breath; of one row: its counts, and its timings (nothing without). */
void compare_summary(struct strbuf *out, const struct comparison *c, translate_fn tr);
void compare_counts(struct strbuf *out, const struct compare_row *r, translate_fn tr);
void compare_timings(struct strbuf *out, const struct compare_row *r, translate_fn tr);
void compare_causes(struct strbuf *out, const struct compare_row *r, translate_fn tr);
void compare_reset_text(struct strbuf *out, const struct comparison *c,
                        const struct compare_reset *r, translate_fn tr);

#endif
