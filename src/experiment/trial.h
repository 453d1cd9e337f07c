/* experiment/ only: what an experiment uses to ask, and what it says. */
#ifndef EXPERIMENT_TRIAL_H
#define EXPERIMENT_TRIAL_H

#include "experiment/experiment.h"

#define EXPERIMENT(name) extern const struct experiment experiment_##name;
#include "experiment/list.h"
#undef EXPERIMENT

#define SHOTS_MAX 2000 /* of one trial */

/* ---- asking ---- */
/* A shot to the symptom's address; change it, then trial_shoot(). */
void plan_base(const struct trial *t, struct shot_plan *p, const char *label, double x);
/* The connection as the probe made it: what failed. */
void plan_same(struct trial *t, struct shot_plan *p, const char *label, double x);
/* The same, the name (TLS and Host) replaced; NULL: none is sent. */
void plan_named(struct trial *t, struct shot_plan *p, const char *label, const char *name);
/* The request of the target for another host, path or body (NULL: its own). */
void plan_request(struct trial *t, struct shot_plan *p, const char *host, const char *path,
                  const char *method, size_t body_len);
/* Begins when it may (content_gap); NULL: the trial's connections are used up, or no memory. */
const struct shot *trial_shoot(struct trial *t, const struct shot_plan *p);
void trial_drop(struct trial *t, const struct shot *s); /* it is not wanted any more */
nstime trial_time_left(const struct trial *t);          /* NSTIME_NONE: no limit */
void *trial_alloc(struct trial *t, size_t size);        /* zeroed, the trial's; NULL */
const char *trial_printf(struct trial *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
const struct trial_settings *trial_get_settings(const struct trial *t);
uint64_t trial_salt(const struct trial *t); /* another one each time */
size_t trial_open(const struct trial *t);
nstime trial_patience(const struct trial *t); /* how long a stage is waited for, by the RTT */
/* ... where most shots are meant to stay without an answer. */
nstime trial_short_patience(const struct trial *t);

/* ---- saying ---- */
void trial_fact(struct trial *t, enum fact_kind k, bool yes, struct value v0, struct value v1);
void trial_measure(struct trial *t, const char *name, struct value v);
void trial_finish(struct trial *t, enum trial_outcome o, const char *why); /* why: N_() or NULL */

/* ---- judging shots ---- */
bool shot_ended(const struct shot *s);
bool shot_passed(const struct shot *s);
bool shot_cut(const struct shot *s); /* reset, refused, closed early or stalled */
/* It ended as the symptom did. */
bool shot_as(const struct shot *s, const struct symptom *y);

/* ---- neutral.c: the only content that nobody typed ---- */
extern const char neutral_name[];  /* example.com (RFC 2606) */
extern const char neutral_bytes[]; /* an empty line */
#define NEUTRAL_BYTES_LEN 2
const char *neutral_random_name(struct trial *t);

#endif
