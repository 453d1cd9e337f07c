/*
 * step: the checklist: its groups, steps and the planner; playbooks; struct test.
 *
 * Owns: steps are const data; a struct checklist owns its items.
 * Invariants: pure. A step's state is a function of facts and judgement alone. Adding a step is one
 *   entry in its group's file plus one line in list.h.
 * The user's answer to a step is a fact (the step's `answer` kind, source user) in the ledger, so
 *   undoing it is ledger_undo().
 */
#ifndef STEP_STEP_H
#define STEP_STEP_H

#include "cause/cause.h"

/*
 * What an experiment offers the planner (causes.md C1); the experiments themselves live in
 * experiment/ and put the facts of the outcome they saw, and measured, into the ledger (source
 * experiment, ref the test's id). How likely a cause makes an outcome is read off the catalogue's
 * weights on those facts, so that planner and judge cannot disagree.
 */
#define TEST_OUTCOMES      5
#define TEST_OUTCOME_FACTS 3
struct test_fact {
    enum fact_kind kind;     /* FACT_NOTHING ends the list */
    bool yes;
    const char *is;          /* its first value where that matters: a word, or ... */
    double number;           /* ... a number (a span in seconds); 0 any */
};
struct test_outcome {
    const char *id;          /* "cut" */
    const char *reading;     /* N_(): what it means, one sentence */
    struct test_fact facts[TEST_OUTCOME_FACTS];
    bool usual;              /* what is seen where the cause has no part in it */
};
struct test {
    const char *id;          /* "idle", "hops": the report's words */
    const char *title;       /* N_() */
    const char *about;       /* N_(): what it does, one sentence */
    int connections, packets, seconds; /* of a usual run */
    bool privileged, needs_consent;
    unsigned stages;         /* 1u << STAGE_x: of what it can tell anything */
    struct test_outcome outcomes[TEST_OUTCOMES]; /* those that tell; inconclusive is none of them */
};
size_t test_count(void);
const struct test *test_at(size_t i);
const struct test *test_by_id(const char *id); /* NULL */
size_t test_outcomes(const struct test *t);
/* P(outcome | cause); NULL: one that the test is not about. Over all outcomes they add up to 1. */
double test_chance(const struct test *t, size_t outcome, const struct cause *c);
/* True if it can tell something that is not known yet. */
bool test_applies(const struct test *t, const struct judgement *j);
double test_information(const struct test *t, const struct judgement *j); /* expected bits */
double test_cost(const struct test *t); /* of packets and seconds, in looks */

struct budget { /* what may still be spent */
    int connections, seconds;
    bool consent, privileged; /* whether those that need it may be chosen */
};
/* Experiments are not begun for less than this (causes.md C3). */
#define TEST_LEAST_BITS 0.15
/* The experiment that is expected to tell most for its cost; NULL when it is plain enough who did
 * it, when none tells TEST_LEAST_BITS, or when the budget is spent. done: ids, NULL-terminated, of
 * those that need not be run again; may be NULL. */
const struct test *plan_test(const struct judgement *j, const struct budget *b,
                             const char *const *done);
/* It is plain enough: confirmed, or nearly certain. Nothing more is asked or tried. */
bool plan_settled(const struct judgement *j);

enum step_state { STEP_PASS, STEP_SUSPECT, STEP_RULED_OUT, STEP_UNKNOWN, STEP_SKIPPED };
const char *step_state_name(enum step_state s);
const char *step_state_title(enum step_state s); /* N_() */
#define STEP_KINDS 6
struct step {
    const char *id;          /* "first-bytes" */
    const char *title;       /* N_(): its short name in the checklist: "first bytes" */
    enum group group;
    const char *question;    /* N_(): what is asked */
    const char *why;         /* N_(): why it is asked */
    const char *if_yes, *if_no; /* N_(): what each answer would mean */
    const char *how;         /* N_(): what the person can do or look at; NULL none */
    enum fact_kind kinds[STEP_KINDS]; /* facts that answer it (0-terminated): a yes makes it */
    bool yes_is_suspect;     /* suspect (true) or pass (false) */
    enum fact_kind answer;   /* the fact a person's yes / no becomes; 0: not for a person */
    const char *causes[8];   /* ids it separates; all ruled out -> step ruled out */
    const char *test;        /* id of the experiment that answers it; NULL none */
    int cost;                /* 0 free, 1 a look, 3 ask somebody, 10 wait */
};
size_t step_count(void);
const struct step *step_at(size_t i);
const struct step *step_by_id(const char *id);

struct checklist_item {
    const struct step *step;
    enum step_state state;
    bool answered_by_user;
    enum fact_kind facts[STEP_KINDS]; /* present ones, 0-terminated */
};
struct checklist {
    struct checklist_item *items; /* all steps, in the order of the groups */
    size_t nr;
    int next;                /* index of the most informative open step, -1: none would help */
};
void checklist_init(struct checklist *c);
void checklist_release(struct checklist *c);
/* skipped: ids the person set aside ("" terminated by NULL), may be NULL. 0 or -ENOMEM. */
int checklist_build(struct checklist *c, const struct judgement *j, const char *const *skipped);

/* ---- playbooks (causes.md G): for one kind of service, what is looked at in which order ---- */
#define PLAYBOOK_ITEMS   12
#define PLAYBOOK_SCHEMES 4
struct playbook_item {
    const char *say;         /* N_(): what to look at or try */
    const char *means;       /* N_(): what it means there */
    const char *step, *test; /* ids of the step and the experiment that answer it; NULL none */
    enum fact_kind kinds[2]; /* without a step: a yes makes it suspect */
};
struct playbook {
    const char *id, *title;  /* "elasticsearch"; title N_() */
    const char *schemes[PLAYBOOK_SCHEMES]; /* targets that it is for: "es" */
    struct playbook_item items[PLAYBOOK_ITEMS];
};
size_t playbook_count(void);
const struct playbook *playbook_at(size_t i);
const struct playbook *playbook_by_id(const char *id);         /* NULL */
const struct playbook *playbook_of_scheme(const char *scheme); /* NULL */
size_t playbook_items(const struct playbook *p);
enum step_state playbook_item_state(const struct playbook_item *item, const struct checklist *c,
                                    const struct facts *facts);
/* The next step is the first open one of the playbook that would tell anything, if one would. */
void checklist_follow(struct checklist *c, const struct playbook *p, const struct judgement *j);

#endif
