/*
 * test_past.c: the screens of History and Compare: as they were (tests/screen/NAME.screen, REGEN=1
 * writes them anew), at any size, and with words of strangers in them.
 */
#include "ui/ui.h"
#include "world.h"

#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define HOUR (3600 * NS_PER_SEC)

static struct history_target targets[] = {
    {.name = "db.lan:5432",
     .sessions = 30,
     .passed = 46,
     .failed = 14,
     .events = 15,
     .harmful = 14,
     .cause = "idle-lb-rst-pushed",
     .cause_count = 12,
     .idle = 350 * NS_PER_SEC,
     .idle_count = 12},
    {.name = "https://api.example/",
     .sessions = 28,
     .failed = 3,
     .events = 3,
     .harmful = 3,
     .cause = "dpi-sni-rst-inject",
     .cause_count = 3},
    {.name = "https://\xe4\xb8\xad\xe6\x96\x87.example/\x1b[31m",
     .sessions = 1200000,
     .passed = 2400000,
     .first = NSTIME_NONE,
     .last = NSTIME_NONE,
     .cause = ""},
};
static uint32_t days[2][HISTORY_DAYS];
static struct history_event events[] = {
    {.time = WORLD_START - HOUR,
     .idle = 350 * NS_PER_SEC,
     .target = "db.lan:5432",
     .cause = "idle-lb-rst-pushed",
     .grade = "likely",
     .stage = "idle",
     .sender = "mid-path",
     .address = "10.0.0.7:5432",
     .session = "",
     .confidence = .8,
     .harmful = true,
     .reset = true},
    {.time = WORLD_START - 30 * HOUR,
     .target = "db.lan:5432",
     .cause = "",
     .grade = "",
     .stage = "data",
     .sender = "unknown",
     .address = "",
     .session = ""},
    {.time = WORLD_START - 2 * HOUR,
     .target = "https://api.example/",
     .cause = "no-such-cause",
     .grade = "",
     .stage = "psh",
     .sender = "",
     .address = "",
     .session = "",
     .harmful = true},
};

static int give_history(void *arg, const char *search, struct history_view *out)
{
    (void)arg;
    memset(out, 0, sizeof(*out));
    arena_init(&out->mem);
    if (strcmp(search, "broken") == 0)
        return -EIO;
    out->days = HISTORY_DAYS;
    out->sessions = 58;
    out->harmful = 17;
    out->targets = calloc(ARRAY_SIZE(targets), sizeof(*targets));
    out->list = calloc(ARRAY_SIZE(events), sizeof(*events));
    assert_non_null(out->targets);
    assert_non_null(out->list);
    for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
        if (strstr(targets[i].name, search))
            out->targets[out->ntargets++] = targets[i];
    memcpy(out->list, events, sizeof(events));
    out->nlist = ARRAY_SIZE(events);
    return 0;
}

static int give_other(void *arg, const char *path, const struct session **out, char *err,
                      size_t errlen)
{
    struct world *other = arg;

    if (strcmp(path, "other") != 0) {
        snprintf(err, errlen, "no such session");
        return -ENOENT;
    }
    *out = other->s;
    return 0;
}

static struct world here, other;
static struct ui_actions actions = {
    .history = give_history, .other_session = give_other, .arg = &other};

static int make(void **state)
{
    (void)state;
    targets[0].first = targets[1].first = WORLD_START - 700 * HOUR;
    targets[0].last = WORLD_START - HOUR;
    targets[1].last = WORLD_START - 2 * HOUR;
    for (int i = 0; i < HISTORY_DAYS; i++)
        days[0][i] = i % 3 == 0 ? (uint32_t)i / 7 : 0;
    days[1][HISTORY_DAYS - 1] = 3;
    targets[0].days = days[0];
    targets[1].days = days[1];
    return world_scene(&here) || world_scene(&other);
}

static int unmake(void **state)
{
    (void)state;
    world_release(&here);
    world_release(&other);
    return 0;
}

static const struct golden {
    const char *name;
    int cols, rows;
    bool ascii;
    const char *keys;
} goldens[] = {
    {"history-80x24", 80, 24, false, "8"},
    {"history-160x45", 160, 45, false, "8 Down"},
    {"history-80x24-ascii", 80, 24, true, "8"},
    {"compare-80x24", 80, 24, false, "9 a other Enter"},
    {"compare-160x45", 160, 45, false, "9 a other Enter"},
};

static void script(struct strbuf *out, int cols, int rows, bool ascii, const char *keys)
{
    const struct ui_options opt = {.ascii = ascii};

    assert_int_equal(ui_script(out, here.s, &actions, &opt, cols, rows, keys), 0);
}

static bool is_golden(const struct golden *g)
{
    struct strbuf out = STRBUF_INIT;

    script(&out, g->cols, g->rows, g->ascii, g->keys);
    bool same = world_screen_is(g->name, out.buf);
    strbuf_release(&out);
    return same;
}

static void screens_are_as_they_were(void **state)
{
    bool same = true;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(goldens); i++)
        same = is_golden(&goldens[i]) && same;
    assert_true(same);
}

static void shows(const char *keys, const char *text)
{
    struct strbuf out = STRBUF_INIT;

    script(&out, 80, 24, false, keys);
    if (!strstr(out.buf, text)) {
        print_message("\"%s\" lacks \"%s\":\n%s", keys, text, out.buf);
        fail();
    }
    strbuf_release(&out);
}

static void keys_do_what_they_say(void **state)
{
    (void)state;
    shows("8", "12 of them after 350 s of silence");
    shows("8 Down", "3 times in 30 days");
    shows("8 / api Enter", "search: api");
    shows("8 / nothing Enter", "nothing of that name");
    shows("8 / broken Enter", "the history cannot be read");
    shows("8 / nothing Enter x", "db.lan:5432");
    shows("9", "rounds 1 to 1 with rounds 2 to 3");
    shows("9 ]", "rounds 1 to 2 with rounds 3 to 3");
    shows("9 ] ] ] [", "rounds 1 to 1 with rounds 2 to 3");
    shows("9 a nowhere Enter", "no such session");
    shows("9 a other Enter", "other with this session");
    shows("9 a other Enter x", "rounds 1 to 1 with rounds 2 to 3");
    shows("8 9 Esc", "Targets");
}

/* No byte of a stranger's name but printable ones, and nothing outside the canvas (sanitizers). */
static void any_size_will_do(void **state)
{
    static const char *const keys[] = {"8", "8 G", "8 Down Down", "9", "9 a other Enter G"};

    (void)state;
    for (int cols = 40; cols <= 200; cols += 23)
        for (int rows = 10; rows <= 60; rows += 7)
            for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
                struct strbuf out = STRBUF_INIT;
                script(&out, cols, rows, k % 2, keys[k]);
                assert_null(strchr(out.buf, '\x1b'));
                strbuf_release(&out);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(screens_are_as_they_were),
        cmocka_unit_test(keys_do_what_they_say),
        cmocka_unit_test(any_size_will_do),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    if (!setlocale(LC_ALL, "C.UTF-8")) {
        puts("skipped: there is no C.UTF-8 locale");
        return 77;
    }
    return cmocka_run_group_tests(tests, make, unmake);
}
