/*
 * test_screens.c: session + keys -> the screens in tests/screen/.
 *
 * REGEN=1 writes them anew (make check REGEN=1 TESTS=tests/ui/test_screens); look at the
 * difference before committing it. Further: screens say what they must at any size, and hostile
 * bytes never reach one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ui/private.h"
#include "world.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct golden {
    const char *name; /* tests/screen/NAME.screen */
    int cols, rows;
    bool ascii;
    const char *keys;
} goldens[] = {
    {"console-80x24", 80, 24, false, ""},
    {"console-120x40", 120, 40, false, ""},
    {"console-160x45", 160, 45, false, "Tab"},
    {"console-160x45-ascii", 160, 45, true, ""},
    {"console-80x24-ascii", 80, 24, true, ""},
    {"console-40x10", 40, 10, false, "2"},
    {"console-zoom-80x24", 80, 24, false, "3 z g"},
    {"console-filter-80x24", 80, 24, false, "/ host:10.0.0.7 Enter"},
    {"console-filter-typed-80x24", 80, 24, false, "/ flags:Q"},
    {"diagnosis-80x24", 80, 24, false, "Enter"},
    {"diagnosis-checklist-80x24", 80, 24, false, "Enter ]"},
    {"diagnosis-160x45", 160, 45, false, "Enter"},
    {"diagnosis-160x45-ascii", 160, 45, true, "Enter"},
    {"flow-80x24", 80, 24, false, "Enter f"},
    {"flow-120x40-compare", 120, 40, false, "Enter f ="},
    {"flow-160x45-idle", 160, 45, false, "2 / host:10.0.0.7 Enter f o"},
    {"flow-80x24-ascii", 80, 24, true, "Enter f"},
    {"packet-80x24", 80, 24, false, "Enter f Enter"},
    {"packet-160x45", 160, 45, false, "Enter f Enter"},
    {"help-80x24", 80, 24, false, "?"},
    {"help-diagnosis-120x40", 120, 40, false, "Enter ?"},
    {"help-reset-80x24", 80, 24, false, "? Tab"},
    {"too-small-39x10", 39, 10, false, ""},
    {"charts-80x24", 80, 24, false, "4"},
    {"charts-160x45", 160, 45, false, "4"},
    {"charts-80x24-ascii", 80, 24, true, "4"},
    {"host-80x24", 80, 24, false, "5"},
    {"host-160x45", 160, 45, false, "5"},
    {"targets-80x24", 80, 24, false, "6 Tab"},
    {"targets-120x40", 120, 40, false, "6"},
    {"settings-80x24", 80, 24, false, "7"},
    {"settings-keys-120x40", 120, 40, false, "7 Tab"},
    {"command-80x24", 80, 24, false, ": th Tab mon"},
    {"filter-completed-80x24", 80, 24, false, "/ ha Tab"},
};

/* ---- what the screens ask for, the same each time ---- */

static const struct host_snapshot *canned_host(void *arg, bool anew)
{
    static struct host_snapshot h;

    (void)arg;
    (void)anew;
    h.conntrack = (struct host_conntrack){true, 4000, 4096, 432000, 1, 0};
    h.pressure = (struct host_pressure){true, 1234, 5};
    h.listeners[0] = (struct host_listening){.port = 443, .waiting = 129, .backlog = 128};
    h.listeners[1] = (struct host_listening){.port = 22, .uid = 0, .backlog = 128};
    addr_parse("10.0.0.7", &h.listeners[0].addr);
    addr_parse("::", &h.listeners[1].addr);
    h.nlisteners = 2;
    for (size_t i = 0; i < HOST_SYSCTLS; i++)
        h.sysctls[i] = (struct host_sysctl){.name = "core/somaxconn",
                                            .what = "the longest accept queue a program gets",
                                            .value = "4096",
                                            .err = i == 3   ? -ENOENT
                                                   : i == 4 ? -EACCES
                                                            : 0};
    h.sources[0] = (struct host_said){.title = "counters", .found = "OutRsts 5"};
    h.sources[1] = (struct host_said){
        .title = "firewall rules", .err = -EPERM, .remedy = "sudo rstconsole ..."};
    h.nsources = 2;
    return &h;
}

static const struct ui_setting canned_settings[] = {
    {"theme", "Screen", "colours", "default light mono", true},
    {"interval", "Probes", "time between rounds", NULL, true},
    {"rate", "Limits", "new connections a second; 0: no limit", NULL, false},
};

static void canned_get(void *arg, size_t i, char *out, size_t outlen)
{
    static const char *const values[] = {"default", "10s", ""};

    (void)arg;
    snprintf(out, outlen, "%s", values[i]);
}

static int canned_set(void *arg, size_t i, const char *value, bool do_it, char *err, size_t errlen)
{
    (void)arg;
    (void)do_it;
    if (i == 1 && value && strspn(value, "0123456789s") != strlen(value)) {
        snprintf(err, errlen, "not a time");
        return -EINVAL;
    }
    snprintf(err, errlen, "%s", do_it ? "kept" : "");
    return 0;
}

static const struct ui_actions canned = {.host = canned_host,
                                         .settings = canned_settings,
                                         .nsettings = ARRAY_SIZE(canned_settings),
                                         .get_setting = canned_get,
                                         .set_setting = canned_set};

static int check_golden(const struct session *s, const struct golden *g)
{
    const struct ui_options opt = {.ascii = g->ascii};
    struct strbuf out = STRBUF_INIT;

    assert_int_equal(ui_script(&out, s, &canned, &opt, g->cols, g->rows, g->keys), 0);
    bool same = world_screen_is(g->name, out.buf);
    strbuf_release(&out);
    return !same;
}

static void screens_are_as_they_were(void **state)
{
    struct world w;
    int bad = 0;

    (void)state;
    assert_int_equal(world_scene(&w), 0);
    for (size_t i = 0; i < ARRAY_SIZE(goldens); i++)
        bad += check_golden(w.s, &goldens[i]);
    world_release(&w);
    assert_int_equal(bad, 0);
}

static void shows(const struct session *s, int cols, int rows, const char *keys, const char *text)
{
    struct strbuf out = STRBUF_INIT;

    assert_int_equal(ui_script(&out, s, NULL, NULL, cols, rows, keys), 0);
    if (!strstr(out.buf, text)) {
        print_message("\"%s\" at %dx%d lacks \"%s\":\n%s", keys, cols, rows, text, out.buf);
        fail();
    }
    strbuf_release(&out);
}

static void screens_say_what_they_must(void **state)
{
    struct world w;

    (void)state;
    assert_int_equal(world_scene(&w), 0);
    shows(w.s, 80, 24, "", "api.example");
    shows(w.s, 80, 24, "", "rstconsole");
    shows(w.s, 80, 24, "", "RESET");
    shows(w.s, 160, 45, "3 g", "ClientHello");
    shows(w.s, 39, 24, "", "40 x 10");
    shows(w.s, 100, 9, "", "40 x 10");
    shows(w.s, 80, 24, "/ host:10.0.0.7 Enter", "filter: host:10.0.0.7");
    shows(w.s, 80, 24, "/ port:99999999", "65535");
    shows(w.s, 80, 24, "H", "harmful:yes");
    shows(w.s, 80, 24, "r r ?", "Keys");
    shows(w.s, 80, 24, "Enter f", "client 10.1.0.2");
    shows(w.s, 80, 24, "Enter f =", "normal close");
    shows(w.s, 80, 24, "2 / host:10.0.0.7 Enter f", "of silence");
    shows(w.s, 80, 24, "Enter f Enter", "seq");
    shows(w.s, 80, 24, "F9", "F9 does nothing here");
    shows(w.s, 80, 24, ": zoo", "the pane alone");
    world_release(&w);
}

struct calls {
    int quits, saves, answers, undos, pauses, adds;
    char added[80];
};
static void count_quit(void *arg)
{
    ((struct calls *)arg)->quits++;
}
static int count_save(void *arg, char *where, size_t wherelen)
{
    ((struct calls *)arg)->saves++;
    snprintf(where, wherelen, "/somewhere");
    return 0;
}
static void count_answer(void *arg, uint64_t incident, const char *step, int yes)
{
    assert_true(incident > 0 && step && (yes == 0 || yes == 1));
    ((struct calls *)arg)->answers++;
}
static void count_undo(void *arg, uint64_t incident)
{
    assert_true(incident > 0);
    ((struct calls *)arg)->undos++;
}
static void count_pause(void *arg, bool pause)
{
    assert_true(pause);
    ((struct calls *)arg)->pauses++;
}
static int count_add(void *arg, const char *spec, char *err, size_t errlen)
{
    struct calls *c = arg;

    c->adds++;
    snprintf(c->added, sizeof(c->added), "%s", spec);
    if (strchr(spec, '@')) {
        snprintf(err, errlen, "no userinfo here");
        return -EINVAL;
    }
    return 0;
}

static struct calls do_keys(const struct session *s, const char *keys, const char *text)
{
    struct calls calls = {0};
    const struct ui_actions act = {.quit = count_quit,
                                   .save = count_save,
                                   .answer = count_answer,
                                   .undo = count_undo,
                                   .pause = count_pause,
                                   .add_target = count_add,
                                   .arg = &calls};
    struct strbuf out = STRBUF_INIT;

    assert_int_equal(ui_script(&out, s, &act, NULL, 80, 24, keys), 0);
    if (text && !strstr(out.buf, text)) {
        print_message("\"%s\" lacks \"%s\":\n%s", keys, text, out.buf);
        fail();
    }
    strbuf_release(&out);
    return calls;
}

static void keys_do_what_they_say(void **state)
{
    struct world w;
    struct calls c;

    (void)state;
    assert_int_equal(world_scene(&w), 0);
    assert_int_equal(do_keys(w.s, "q", NULL).quits, 1);
    w.s->dirty = true; /* something would be lost: it asks */
    assert_int_equal(do_keys(w.s, "q", "Not saved").quits, 0);
    assert_int_equal(do_keys(w.s, "q n", NULL).quits, 0);
    assert_int_equal(do_keys(w.s, "q y", NULL).quits, 1);
    assert_int_equal(do_keys(w.s, "F2 q", "Not saved").saves, 1); /* it still is, in this world */
    w.s->settings.read_file = "x.pcap";                           /* the file is still there */
    assert_int_equal(do_keys(w.s, "q", NULL).quits, 1);
    assert_int_equal(do_keys(w.s, "Enter ] y q", "Not saved").answers, 1);
    assert_int_equal(do_keys(w.s, "Enter ] y F2 q", NULL).quits, 1);
    w.s->settings.read_file = NULL;
    snprintf(w.s->dir, sizeof(w.s->dir), "/d"); /* written as it goes */
    assert_int_equal(do_keys(w.s, "q", NULL).quits, 1);
    w.s->dir[0] = '\0';
    w.s->dirty = false;
    assert_int_equal(do_keys(w.s, "Enter q", NULL).quits, 1);
    assert_int_equal(do_keys(w.s, "? q", NULL).quits, 0); /* closes the help */
    assert_int_equal(do_keys(w.s, "F2", "saved in /somewhere").saves, 1);
    assert_int_equal(do_keys(w.s, "S", NULL).saves, 1);
    assert_int_equal(do_keys(w.s, "Space", NULL).pauses, 1);
    assert_int_equal(do_keys(w.s, "Enter u", NULL).undos, 1);
    c = do_keys(w.s, "a tls://b.example:443 Enter", "added: tls://b.example:443");
    assert_int_equal(c.adds, 1);
    assert_string_equal(c.added, "tls://b.example:443");
    do_keys(w.s, "a http://u@b/ Enter", "no userinfo here");
    assert_int_equal(do_keys(w.s, "a x Esc", NULL).adds, 0);
    world_release(&w);
}

/* What is typed in the new screens is checked, changed, and told. */
static void settings_and_keys_are_changed(void **state)
{
    static const struct {
        const char *keys, *want;
    } cases[] = {
        {"7 j Enter ^U soon", "not a time"},
        {"7 j Enter ^U 20s Enter", "kept"},
        {"7 Enter", "kept"}, /* one of few values: the next */
        {"7 Tab Enter ^U q", "the key of quit"},
        {"7 Tab Enter ^U Z Enter Z", "In Settings"}, /* help has another key now */
        {": set Space interval Space soon", "not a time"},
        {": set Space nonsense", "no setting is called"},
        {": theme Space pink", "no theme is called"},
        {": bind Space zoom Space q", "is the key of quit"},
        {": packet Space 999999", "no packet with that number"},
        {"6 Tab Enter soon", "is a time such as"},
        {"6 D", "Remove"},
        {"m a 4 ' a", "1 Targets"},
        {"3 g m b 7 ' b", "3 Packets"},
        {"' z", "nothing is marked so"},
        {"2 c", "copied"},
        {"4 5 6 7 4", "Time to connect"},
        {"5 1", "1 Targets"},
        {"/ process:nginx Enter", "filter: process:nginx"},
    };
    struct world w;

    (void)state;
    assert_int_equal(world_scene(&w), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf out = STRBUF_INIT;
        assert_int_equal(ui_script(&out, w.s, &canned, NULL, 100, 40, cases[i].keys), 0);
        if (!strstr(out.buf, cases[i].want)) {
            print_message("\"%s\" lacks \"%s\":\n%s", cases[i].keys, cases[i].want, out.buf);
            fail();
        }
        strbuf_release(&out);
    }
    world_release(&w);
}

static void hostile_bytes_never_reach_a_screen(void **state)
{
    static const char *const keys[] = {"",    "2",         "3 z",         "2 Enter", "2 Enter Tab",
                                       "2 f", "2 f Enter", "3 g Enter",   "2 f = o", "4",
                                       "6",   "6 Tab",     "/ host: Tab", "2 c"};
    struct world w;

    (void)state;
    assert_int_equal(world_hostile(&w), 0);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        struct strbuf out = STRBUF_INIT;
        const char *p;
        assert_int_equal(ui_script(&out, w.s, NULL, NULL, 160, 45, keys[i]), 0);
        for (p = out.buf; *p;) {
            int32_t cp = utf8_next(&p);
            assert_true(cp == '\n' || (cp >= 0x20 && (cp < 0x7f || cp >= 0xa0)));
            assert_false((cp >= 0x200b && cp <= 0x200f) || (cp >= 0x202a && cp <= 0x202e));
        }
        strbuf_release(&out);
    }
    world_release(&w);
}

static void an_empty_session_says_what_to_do(void **state)
{
    struct world w;

    (void)state;
    assert_int_equal(world_empty(&w), 0);
    shows(w.s, 80, 24, "", "press a and type a host");
    shows(w.s, 80, 24, "Enter", "no reset so far");
    shows(w.s, 80, 24, "n", "no reset among the packets");
    snprintf(w.s->vantage.capture_error, sizeof(w.s->vantage.capture_error), "not permitted");
    w.s->vantage.capture_error_kind = CAPERR_PERMISSION;
    w.s->vantage.capture = VANTAGE_NONE;
    shows(w.s, 80, 24, "", "No permission to capture; run: ");
    world_release(&w);
}

/* Any size, any keys: the sanitizers watch, and rows stay whole. */
static void random_keys_at_random_sizes(void **state)
{
    static const char *const words[] = {
        "Tab",       "S-Tab", "Enter", "Esc", "Space", "Up",      "Down",   "PgUp", "PgDn", "Home",
        "End",       "g",     "G",     "z",   "+",     "-",       "d",      "f",    "n",    "N",
        "p",         "r",     "H",     "t",   "x",     "/",       "host:1", "a",    "?",    "1",
        "2",         "3",     "y",     "i",   "s",     "u",       "]",      "<",    ">",    "=",
        "o",         "^D",    "^U",    "F2",  "F5",    "q",       ":",      "flow", "ü",    "日",
        "Backspace", "Left",  "Right", "j",   "k",     "cause:x", "tcp",    "^L",   "4",    "5",
        "6",         "7",     "c",     "m",   "'",     "D",       "a",      "v4"};
    struct world worlds[3];

    (void)state;
    srand(11);
    assert_int_equal(world_scene(&worlds[0]), 0);
    assert_int_equal(world_empty(&worlds[1]), 0);
    assert_int_equal(world_hostile(&worlds[2]), 0);
    for (int round = 0; round < 1500; round++) {
        const struct ui_options opt = {.ascii = rand() & 1, .guided = rand() & 1};
        char keys[600] = "";
        struct ui *ui;
        for (int i = rand() % 25; i > 0; i--) {
            strncat(keys, words[(size_t)rand() % ARRAY_SIZE(words)],
                    sizeof(keys) - strlen(keys) - 2);
            strncat(keys, " ", sizeof(keys) - strlen(keys) - 1);
        }
        int cols = rand() % 4 ? 1 + rand() % 130 : 1 + rand() % 300, rows = 1 + rand() % 100;
        assert_int_equal(
            ui_script_canvas(&ui, worlds[rand() % 3].s, &canned, &opt, cols, rows, keys), 0);
        assert_int_equal(ui->canvas.cols, cols);
        for (int y = 0; y < rows; y++) {
            int sum = 0;
            for (int x = 0; x < cols; x++)
                sum += canvas_cell(&ui->canvas, x, y)->width;
            assert_int_equal(sum, cols);
        }
        ui_release(ui);
    }
    for (size_t i = 0; i < ARRAY_SIZE(worlds); i++)
        world_release(&worlds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(screens_are_as_they_were),
        cmocka_unit_test(screens_say_what_they_must),
        cmocka_unit_test(keys_do_what_they_say),
        cmocka_unit_test(settings_and_keys_are_changed),
        cmocka_unit_test(hostile_bytes_never_reach_a_screen),
        cmocka_unit_test(an_empty_session_says_what_to_do),
        cmocka_unit_test(random_keys_at_random_sizes),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    if (!setlocale(LC_ALL, "C.UTF-8")) {
        fputs("skipped: the locale C.UTF-8 is not here\n", stderr);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
