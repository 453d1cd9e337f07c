/* What the formats share: a buffered way to the sink, a JSON writer, words about incidents. */
#ifndef REPORT_PRIVATE_H
#define REPORT_PRIVATE_H

#include "report/report.h"

struct out { /* collects, writes pieces of about 64 KiB; err: the first error */
    const struct sink *to; /* NULL: the buffer keeps it all */
    struct strbuf buf;
    int err;
};
void out_init(struct out *o, const struct sink *to);
void out_flush(struct out *o);
void out_some(struct out *o);  /* flushes when there is much */
int out_finish(struct out *o); /* flushes, releases, returns the first error */

/* ---- report.c: anything to a descriptor or a file ---- */
typedef int write_fn(const void *what, const struct sink *to);
int write_to_fd(write_fn *fn, const void *what, int fd);
int write_to_file(write_fn *fn, const void *what, const char *path);

/* ---- json_writer.c: commas and nesting are its own affair; key NULL in a list ---- */
#define JSON_DEPTH 16
struct json {
    struct out *out;
    bool filled[JSON_DEPTH]; /* the level has an element already */
    int depth;
};
void jw_open(struct json *j, const char *key, char bracket);  /* '{' or '[' */
void jw_close(struct json *j, char bracket);                  /* '}' or ']' */
void jw_text(struct json *j, const char *key, const char *s); /* NULL: null */
void jw_int(struct json *j, const char *key, int64_t v);
void jw_uint(struct json *j, const char *key, uint64_t v);
void jw_real(struct json *j, const char *key, double v); /* not finite: null */
void jw_bool(struct json *j, const char *key, bool v);
void jw_null(struct json *j, const char *key);
void jw_span_ms(struct json *j, const char *key, nstime span); /* NSTIME_NONE: null */
void jw_time(struct json *j, const char *key, nstime t);
void jw_strbuf(struct json *j, const char *key, struct strbuf *sb); /* and releases it */

/* ---- words.c: the model in sentences ---- */
/* What the report says in one breath. */
void words_summary(struct strbuf *out, const struct session *s, translate_fn tr);
/* "a -> b", by names where the target is known. */
void words_flow(struct strbuf *out, const struct session *s, const struct incident *i);
void words_sender(struct strbuf *out, const struct incident *i, translate_fn tr);
enum stage incident_stage(const struct session *s, const struct incident *i);
/* The results of an incident's failed stage; NULL none. */
const struct result *incident_failed_result(const struct session *s, const struct incident *i);

/* In the user's language. */
const char *grade_word(enum grade g); /* N_() */
void words_verdict(struct strbuf *sb, const struct verdict *v);
void words_reference(struct strbuf *sb, const struct fact *f); /* " (packet 12)" */
/* "#17 14:05:12.489 a > b (packet 12)" */
void words_title(struct strbuf *sb, const struct session *s, const struct incident *i);
void words_what(struct strbuf *out, const struct session *s, const struct incident *i);
void words_proof(struct strbuf *sb, const struct experiment_record *e);
/* What a person wants to know of a target although its probes may have passed: all of them yes. */
void target_remarks(struct facts *out, const struct session *s, const struct target_state *ts);

/* ---- json.c: the keys of its objects ---- */
void json_probe_keys(struct json *j, const struct session *s, const struct result *r);
void json_reset_keys(struct json *j, const struct session *s, const struct incident *i);
void json_log_keys(struct json *j, const struct session *s, const struct incident *i);
void json_vantage_keys(struct json *j, const struct vantage *v);
void json_experiment_keys(struct json *j, const struct session *s,
                          const struct experiment_record *e);
void json_flow_keys(struct json *j, const struct flow_record *r);
void json_summary_keys(struct json *j, const struct session *s);

#define FORMAT(variable) extern const struct report_format variable;
#include "report/list.h"
#undef FORMAT

#endif
