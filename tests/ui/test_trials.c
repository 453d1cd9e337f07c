/*
 * test_trials.c: the live views of experiments -> tests/screen/trial-*.screen: the hops with the
 * reset among them, the rungs of silence filling, the cliff of sizes, the scatter of a ramp.
 * REGEN=1 writes them anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ui/private.h"
#include "world.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MS NS_PER_MS

static void row(struct experiment_record *e, double x, enum shot_end end, bool control,
                nstime began, nstime took, const char *label, const char *note)
{
    assert_int_equal(ARRAY_GROW(e->rows, e->nrows + 1, e->rows_alloc), 0);
    struct experiment_row *r = &e->rows[e->nrows++];
    *r = (struct experiment_row){.x = x,
                                 .end = end,
                                 .stage = SHOT_REPLY,
                                 .control = control,
                                 .began = began,
                                 .ended = end == SHOT_OPEN ? NSTIME_NONE : began + took,
                                 .connected = end == SHOT_REFUSED ? NSTIME_NONE : took};
    snprintf(r->label, sizeof(r->label), "%s", label);
    snprintf(r->note, sizeof(r->note), "%s", note);
    r->icmp = *note != 0;
}

static void hops(struct experiment_record *e)
{
    static const char *const routers[] = {"192.0.2.1", "198.51.100.9", "203.0.113.77"};
    char label[] = "route";

    for (int k = 1; k <= 3; k++)
        row(e, k, SHOT_UNREACHABLE, true, 0, k * 4 * MS, label, routers[k - 1]);
    for (int k = 4; k <= 8; k++)
        row(e, k, SHOT_OK, true, 0, 18 * MS, label, "");
    row(e, 4, SHOT_RESET, false, NS_PER_SEC, 9 * MS, "", "");
    row(e, 4, SHOT_OK, true, NS_PER_SEC, 30 * MS, "control", "");
    row(e, 2, SHOT_TIMEOUT, false, 2 * NS_PER_SEC, NS_PER_SEC, "", "198.51.100.9");
    row(e, 2, SHOT_TIMEOUT, true, 2 * NS_PER_SEC, NS_PER_SEC, "control", "198.51.100.9");
    row(e, 3, SHOT_OPEN, false, 4 * NS_PER_SEC, 0, "", "");
    row(e, 3, SHOT_OPEN, true, 4 * NS_PER_SEC, 0, "control", "");
    e->span = 4 * NS_PER_SEC + 300 * MS;
}

static void idle(struct experiment_record *e)
{
    row(e, .2, SHOT_OK, true, 0, 210 * MS, "control", "");
    for (double s = 1; s <= 512; s *= 2)
        row(e, s, s <= 128 ? SHOT_OK : SHOT_OPEN, false, 0, (nstime)(s * NS_PER_SEC), "", "");
    e->span = 170 * NS_PER_SEC;
}

static void size(struct experiment_record *e)
{
    static const double sizes[] = {10000, 5000, 7500, 8750, 8125, 8437,
                                   8281,  8203, 8164, 8184, 8193};

    row(e, 0, SHOT_OK, true, 0, 8 * MS, "control", "");
    row(e, 20000, SHOT_RESET, true, 0, 8 * MS, "control", "");
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        row(e, sizes[i], sizes[i] <= 8192 ? SHOT_OK : SHOT_RESET, false, (nstime)i * NS_PER_SEC,
            9 * MS, "", "");
    e->span = 11 * NS_PER_SEC;
}

static void ramp(struct experiment_record *e)
{
    for (int n = 1; n <= 32; n *= 2)
        for (int i = 0; i < n; i++) {
            enum shot_end end = n == 32 && i >= 24 ? SHOT_RESET : SHOT_OK;
            nstime took = n >= 16 && i % 7 == 3 ? 1020 * MS : (12 + i % 5) * MS;
            row(e, n, end, n == 1, 0, n == 32 && i % 11 == 5 ? 3030 * MS : took, "", "");
        }
    e->span = 9 * NS_PER_SEC;
}

static const struct scene {
    const char *id;
    void (*rows)(struct experiment_record *e);
} scenes[] = {{"hops", hops}, {"idle", idle}, {"size", size}, {"ramp", ramp}};

static const struct format {
    const char *name;
    int cols, rows;
    bool ascii;
} formats[] = {
    {"80x24", 80, 24, false}, {"160x45", 160, 45, false}, {"160x45-ascii", 160, 45, true}};

static int check(const struct session *s, const char *id, const struct format *f)
{
    const struct ui_options opt = {.ascii = f->ascii};
    struct strbuf out = STRBUF_INIT;
    char name[100];

    assert_int_equal(ui_script(&out, s, NULL, &opt, f->cols, f->rows, "Enter e"), 0);
    snprintf(name, sizeof(name), "trial-%s-%s", id, f->name);
    bool same = world_screen_is(name, out.buf);
    strbuf_release(&out);
    return !same;
}

static void live_views_are_as_they_were(void **state)
{
    int bad = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
        struct world w;
        assert_int_equal(world_scene(&w), 0);
        for (size_t k = 0; k < w.s->nincidents; k++) { /* whichever is first in the list */
            struct experiment_record e = {.experiment = experiment_id(scenes[i].id),
                                          .incident = k + 1,
                                          .target = 1,
                                          .connections = 22,
                                          .packets = 96};
            facts_init(&e.facts);
            scenes[i].rows(&e);
            session_experiment(w.s, &e);
            struct experiment_record *kept = &w.s->experiments[w.s->nexperiments - 1];
            kept->outcome = EXP_RUNNING;
            kept->eta = WORLD_START + 600 * NS_PER_SEC;
            facts_release(&e.facts);
            free(e.rows);
        }
        for (size_t f = 0; f < ARRAY_SIZE(formats); f++)
            bad += check(w.s, scenes[i].id, &formats[f]);
        world_release(&w);
    }
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(live_views_are_as_they_were)};

    setenv("TZ", "UTC", 1);
    tzset();
    if (!setlocale(LC_ALL, "C.UTF-8")) {
        fputs("skipped: the locale C.UTF-8 is not here\n", stderr);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
