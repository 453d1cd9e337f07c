/*
 * diagnosis.h: what the Diagnosis screen says, as lines.
 */
#ifndef UI_DIAGNOSIS_H
#define UI_DIAGNOSIS_H

#include "ui/screen.h"
#include "view/view.h"

#define VERDICTS_OPEN 64
/* Items of lines: a verdict's heading is its index; what belongs to it, plus this. */
#define ITEM_UNDER     1000
#define ITEM_RULED_OUT 5000
#define LABEL_COLS     9
#define ITEM_LABELLED  9000 /* its first LABEL_COLS columns are a label */
#define UNKNOWN_MAX    64

enum { DIAG_CHECKLIST, DIAG_CAUSES, DIAG_ADVICE, DIAG_PANES };
struct diagnosis {
    uint64_t incident;
    int focus;
    bool zoom, step_chosen, ruled_out_open;
    bool closed[VERDICTS_OPEN]; /* verdicts folded in; the first is open, the others are not */
    bool opened[VERDICTS_OPEN];
    int step; /* index of the current item of the checklist */
    struct cursor_pos at[DIAG_PANES];
    int rows[DIAG_PANES];
    struct area where[DIAG_PANES], question; /* where they are; h 0: out of sight */
    struct lines causes, step_lines, advice;
    const struct step *unknown[UNKNOWN_MAX]; /* answered "I do not know" */
    size_t nunknown;
};
struct area diag_inside(struct area frame); /* a column of air on each side */
bool diag_verdict_open(const struct diagnosis *d, size_t i);
bool diag_does_not_know(const struct diagnosis *d, const struct step *step);
void diag_causes(struct ui *ui, struct diagnosis *d, const struct incident *i, int width);
void diag_step(struct ui *ui, struct diagnosis *d, const struct incident *i, int width);
void diag_advice(struct ui *ui, struct diagnosis *d, const struct incident *i, int width);
void diag_causes_draw(struct ui *ui, struct diagnosis *d, const struct incident *i,
                      struct area frame, bool focus);
void diag_checklist_draw(struct ui *ui, struct diagnosis *d, const struct incident *i,
                         struct area frame, bool focus);
/* The verdict the cursor is on, 0 when on none. */
size_t diag_verdict(const struct diagnosis *d, const struct incident *i);

#endif
