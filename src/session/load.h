/* What the files that read a saved session share: load.c (the two streams), load_value.c (values
 * out of a line), load_lines.c, load_result.c, load_experiment.c (one function for each type of
 * line). */
#ifndef SESSION_LOAD_H
#define SESSION_LOAD_H

#include "session/private.h"

#include <jansson.h>

#define SPAN_MAX       (400 * 24 * 3600 * NS_PER_SEC) /* --at: less is after the beginning */
#define CHANGES_SAID   5
#define LINE_MAX_BYTES ((size_t)4 << 20)
#define RESULTS_MAX    5000000
#define CHAIN_TEXT     64

struct mapped {
    const uint8_t *data;
    size_t len;
};
struct loader {
    struct session *s;
    struct mapped lines, packets;
    struct mapped later; /* lines that came after those of the file */
    struct capread reader;
    struct strbuf clear;                  /* a line, redacted */
    size_t at;                            /* in packets */
    json_t *verdicts;    /* as they were when it was saved; NULL */
    uint64_t first_packet, given, wanted; /* wanted: the highest number a line speaks of */
    unsigned damaged, first_damaged;      /* lines that could not be read */
    nstime until;                         /* what came later is left out; NSTIME_NONE: nothing */
    bool by_packets;                      /* the clock of `until` is the packets', not the lines' */
    bool packets_done, header, stopped, strangers;
    char *err;
    size_t errlen;
};

/* ---- load.c ---- */
void settle_until(struct loader *l, nstime begun);

/* ---- load_value.c: what is missing or of another type is the default ---- */
int64_t line_int(const json_t *j, const char *key, int64_t def);
int line_ranged(const json_t *j, const char *key, int min, int max, int def);
/* Clean even where somebody edited the file; NULL if it is no text. */
const char *line_text(char *out, size_t outlen, const json_t *j, const char *key);
bool line_addr(struct addr *a, const json_t *j, const char *key);
bool line_flow(struct flow_key *k, const json_t *j);
/* text: where a string of the value is kept clean. */
struct value line_value(const json_t *j, char *text, size_t textlen);
struct fact_text_space {
    char ref[256], value[FACT_VALUES][1100];
};
bool line_fact(struct fact *f, const json_t *j, struct fact_text_space *space);
bool line_subject(const struct session *s, struct subject *about, const json_t *j);

/* ---- one for each type of line: 0, or -EINVAL ---- */
int load_session(struct loader *l, const json_t *j);
int load_vantage(struct loader *l, const json_t *j);
int load_target(struct loader *l, const json_t *j);
int load_chain(struct loader *l, const json_t *j);
int load_result(struct loader *l, const json_t *j);
int load_counters(struct loader *l, const json_t *j);
int load_fact(struct loader *l, const json_t *j);
int load_undo(struct loader *l, const json_t *j);
int load_skip(struct loader *l, const json_t *j);
int load_experiment(struct loader *l, const json_t *j);
int load_ending(struct loader *l, const json_t *j);
int load_log(struct loader *l, const json_t *j);
int load_message(struct loader *l, const json_t *j);
int load_verdicts(struct loader *l, const json_t *j);
int load_end(struct loader *l, const json_t *j);

#endif
