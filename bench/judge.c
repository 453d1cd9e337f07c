/*
 * judge: how long judging takes: 10,000 resets with up to 100 facts each, every one for itself (the
 * program judges those that are alike once). Prints "resets facts seconds".
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cause/cause.h"

#define RESETS    10000
#define MAX_FACTS 100

static uint32_t state = 12345;

static uint32_t next_random(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static void some_facts(struct facts *f)
{
    static const char *const stages[] = {"syn", "ack", "psh", "data", "idle", "close"};
    static const char *const classes[] = {"active", "passive", "refuse", "foreign"};
    size_t n = 20 + next_random() % (MAX_FACTS - 20 + 1);

    facts_clear(f);
    facts_put(f, FACT_RST_SEEN, true, SRC_PACKET, 1, NULL, v_text("server"), v_none(), v_none());
    facts_put(f, FACT_STAGE, true, SRC_PACKET, 1, NULL, v_text(stages[next_random() % 6]), v_none(),
              v_none());
    facts_put(f, FACT_RST_CLASS, true, SRC_PACKET, 1, NULL, v_text(classes[next_random() % 4]),
              v_none(), v_none());
    while (f->nr < n)
        facts_put(f, (enum fact_kind)(1 + next_random() % (FACT_KIND_COUNT - 1)),
                  next_random() % 3 > 0, SRC_PACKET, 1, NULL, v_int(next_random() % 500), v_none(),
                  v_none());
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void)
{
    struct judgement j;
    struct facts f;
    double took = 0;
    size_t facts = 0;

    judgement_init(&j);
    facts_init(&f);
    for (int i = 0; i < RESETS; i++) {
        some_facts(&f);
        facts += f.nr;
        double began = now();
        if (judge(&j, &f))
            return 1;
        took += now() - began;
    }
    printf("%d resets, %zu facts: %.3f s\n", RESETS, facts, took);
    facts_release(&f);
    judgement_release(&j);
    return 0;
}
