/*
 * plain.h: the console as lines: for terminals without a cursor, and for those who hear them.
 *
 * What is said is whole lines, each said once; what can be done is numbered or one letter, and
 * Enter ends it. The same session, the same actions, no screen.
 */
#ifndef UI_PLAIN_H
#define UI_PLAIN_H

#include "ui/screen.h"

enum plain_place {
    PLAIN_RESETS,
    PLAIN_DIAGNOSIS,
    PLAIN_FLOW,
    PLAIN_EXPERIMENTS,
    PLAIN_CONSENT,
    PLAIN_QUIT
};
struct plain {
    struct ui *ui;
    enum plain_place where;
    uint64_t incident;
    uint64_t told; /* the newest incident that was announced */
    bool ended, said_done;
    const char *test;        /* whose consent is asked for */
    const struct step *step; /* the question that was asked last */
    uint64_t numbers[200];   /* what the numbers of the last list stand for */
    size_t nnumbers;
    uint64_t kinds[256]; /* of failures of targets: each is announced once */
    size_t nkinds;
    int width;
    struct strbuf out; /* to be said; taken by whoever drives it */
    char line[PROMPT_MAX];
    size_t len;
};
void plain_open(struct plain *p, struct ui *ui, int width);
void plain_release(struct plain *p);
void plain_news(struct plain *p);                   /* the session changed: says what is new */
void plain_line(struct plain *p, const char *line); /* one was typed */

#endif
