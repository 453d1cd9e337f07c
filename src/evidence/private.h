/* evidence/ only: what its files share. */
#ifndef EVIDENCE_PRIVATE_H
#define EVIDENCE_PRIVATE_H

#include "evidence/evidence.h"

/* Facts of the reset's packet, with no, one or three values. */
void say(struct facts *out, const struct reset *r, enum fact_kind kind, bool yes, struct value v0,
         struct value v1, struct value v2);
void say0(struct facts *out, const struct reset *r, enum fact_kind kind, bool yes);
void say1(struct facts *out, const struct reset *r, enum fact_kind kind, bool yes, struct value v);
const char *side_word(enum side s);
void facts_of_sender(struct facts *out, const struct reset *r);

/* ---- logparts.c: the parts of a log line; -1, 0 or NSTIME_NONE where there is none ---- */
nstime log_moment_of(const char *line);
void log_whom(const char *line, struct log_line *out);     /* host and port */
bool log_take_any(const char *line, struct log_line *out); /* host:port wherever it stands */
nstime log_duration_of(const char *line);
int64_t log_bytes_of(const char *line);
int64_t log_count_at(const char *p); /* digits after blanks, '=', ':' or '"' */
int log_status_at(const char *p);    /* an HTTP status */

#endif
