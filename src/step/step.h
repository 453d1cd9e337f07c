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

/* What an experiment offers the planner; the experiments themselves live in experiment/. */
struct test {
    const char *id;          /* "idle", "hops": the report's words */
    const char *title;       /* N_() */
    int connections, seconds;
    bool privileged, needs_consent;
};

enum step_state { STEP_PASS, STEP_SUSPECT, STEP_RULED_OUT, STEP_UNKNOWN, STEP_SKIPPED };
const char *step_state_name(enum step_state s);
const char *step_state_title(enum step_state s); /* N_() */
#define STEP_KINDS 6
struct step {
    const char *id;          /* "first-bytes" */
    enum group group;
    const char *question;    /* N_(): what is asked */
    const char *why;         /* N_(): why it is asked */
    const char *if_yes, *if_no; /* N_(): what each answer would mean */
    const char *how;         /* N_(): what the person can do or look at; NULL none */
    enum fact_kind kinds[STEP_KINDS]; /* facts that answer it (0-terminated): a yes makes it */
    bool yes_is_suspect;     /* suspect (true) or pass (false) */
    enum fact_kind answer;   /* the fact a person's yes / no becomes; 0: not for a person */
    const char *causes[8];   /* ids it separates; all ruled out -> step ruled out */
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

#endif
