/*
 * test_languages.c: the screens in one language: those of tests/screen/LANG-*.screen, cells that
 * stay in their columns, words that fit where they must, plural forms. languages.sh runs it with
 * LANGUAGE and CATALOGUES (where msgfmt put them); GOLDENS=no leaves out the first.
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "experiment/experiment.h"
#include "ui/private.h"
#include "world.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *language;

static const struct golden {
    const char *name;
    int cols, rows;
    const char *keys;
} goldens[] = {
    {"console-80x24", 80, 24, ""},
    {"diagnosis-80x24", 80, 24, "Enter"},
    {"checklist-80x24", 80, 24, "Enter ]"},
    {"flow-80x24", 80, 24, "Enter f"},
    {"help-80x24", 80, 24, "?"},
};

static int golden_differs(const struct session *s, const struct golden *g)
{
    struct strbuf out = STRBUF_INIT;
    char name[100];

    assert_int_equal(ui_script(&out, s, NULL, NULL, g->cols, g->rows, g->keys), 0);
    snprintf(name, sizeof(name), "%s-%s", language, g->name);
    bool same = world_screen_is(name, out.buf);
    strbuf_release(&out);
    return !same;
}

static void screens_are_as_they_were(void **state)
{
    const char *goldens_too = getenv("GOLDENS");
    struct world w;
    int bad = 0;

    (void)state;
    if (goldens_too && strcmp(goldens_too, "no") == 0)
        skip();
    assert_int_equal(world_scene(&w), 0);
    for (size_t i = 0; i < ARRAY_SIZE(goldens); i++)
        bad += golden_differs(w.s, &goldens[i]);
    world_release(&w);
    assert_int_equal(bad, 0);
}

/* The line as its cells: text[x] holds what stands in column x, "" behind a wide character. */
struct row {
    int cols;
    char text[400][8];
};

static void row_of(struct row *r, const char *line, size_t len)
{
    r->cols = 0;
    for (const char *p = line; p < line + len;) {
        const char *next = p;
        char one[8] = "";
        utf8_next(&next);
        memcpy(one, p, (size_t)MIN_OF(next - p, 7));
        int w = text_columns(one);
        assert_true(r->cols + w < (int)ARRAY_SIZE(r->text));
        for (int i = 0; i < w; i++)
            snprintf(r->text[r->cols + i], sizeof(r->text[0]), "%s", i ? "" : one);
        r->cols += w;
        p = next;
    }
}

static bool is_frame(const char *cell)
{
    return *cell && strstr("│┌└├┐┘┤", cell);
}

/* A frame's right side stands in the last column whatever is written before it. */
static void frames_close(const struct session *s, const char *keys, int cols, int rows)
{
    struct strbuf out = STRBUF_INIT;
    int lines = 0;

    assert_int_equal(ui_script(&out, s, NULL, NULL, cols, rows, keys), 0);
    for (const char *p = out.buf; *p; lines++) {
        size_t n = strcspn(p, "\n");
        struct row r;
        row_of(&r, p, n);
        if (r.cols > cols ||
            (r.cols && is_frame(r.text[0]) && (r.cols != cols || !is_frame(r.text[cols - 1])))) {
            print_message("\"%s\" at %dx%d: %d columns: %.*s\n", keys, cols, rows, r.cols, (int)n,
                          p);
            fail();
        }
        p += n + (p[n] == '\n');
    }
    assert_int_equal(lines, rows);
    strbuf_release(&out);
}

static void wide_characters_keep_their_columns(void **state)
{
    static const char *const keys[] = {"",          "2",         "3 z",         "Enter",
                                       "Enter ]",   "Enter f",   "Enter f =",   "?",
                                       "? Tab",     "Enter f o", "Enter f o o", "Enter f Enter",
                                       "? Tab Tab", "Enter e"};
    static const int sizes[][2] = {{80, 24}, {81, 24}, {40, 10}, {120, 40}, {160, 45}, {63, 17}};
    struct world w;

    (void)state;
    assert_int_equal(world_scene(&w), 0);
    for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
            frames_close(w.s, keys[k], sizes[i][0], sizes[i][1]);
    world_release(&w);
}

/* Where text begins in a line of the screen that holds it, in columns. */
static int column_of(const char *screen, const char *in_line, const char *text)
{
    const char *at = strstr(screen, in_line), *line = at, *found;
    struct row r;

    assert_non_null(at);
    while (line > screen && line[-1] != '\n')
        line--;
    found = strstr(line, text);
    assert_non_null(found);
    assert_true(found <= line + strcspn(line, "\n"));
    row_of(&r, line, (size_t)(found - line));
    return r.cols;
}

static void heads_stand_over_their_columns(void **state)
{
    struct strbuf out = STRBUF_INIT;
    struct world w;

    (void)state;
    assert_int_equal(world_scene(&w), 0);
    assert_int_equal(ui_script(&out, w.s, NULL, NULL, 160, 45, "3 z g"), 0);
    char head[200];
    snprintf(head, sizeof(head), "│ %s ", _("time"));
    assert_int_equal(column_of(out.buf, head, _("from")),
                     column_of(out.buf, "10.1.0.2:51127", "10.1.0.2:51127"));
    assert_int_equal(column_of(out.buf, head, _("info")),
                     column_of(out.buf, "ClientHello", "ClientHello"));
    strbuf_reset(&out);
    assert_int_equal(ui_script(&out, w.s, NULL, NULL, 80, 24, ""), 0);
    assert_int_equal(column_of(out.buf, _("outcome"), _(probe_type_at(1)->title)),
                     column_of(out.buf, "10.0.0.9:9200/", "200 us"));
    assert_int_equal(column_of(out.buf, _("outcome"), _("outcome")),
                     column_of(out.buf, "10.0.0.9:9200/", _("ok")));
    strbuf_release(&out);
    world_release(&w);
}

static int too_wide(const char *msgid, int cols)
{
    if (text_columns(_(msgid)) <= cols)
        return 0;
    print_message("%s: \"%s\" is %d columns wide, there are %d\n", language, _(msgid),
                  text_columns(_(msgid)), cols);
    return 1;
}

/* Words of tables stand in columns of a fixed width: cut there they would say nothing. */
static void words_of_tables_fit(void **state)
{
    static const struct {
        const char *msgid;
        int cols;
    } words[] = {
        {"harmless", 10}, {"HARMFUL", 10}, {"FAILED", 10}, {"for", 7},       {"against", 7},
        {"missing", 7},   {"why", 8},      {"known", 8},   {"before", 8},    {"if yes", 8},
        {"if no", 8},     {"how", 8},      {"sent by", 8}, {"pattern", 8},   {"playbook", 8},
        {"what", 8},      {"client", 8},   {"server", 8},  {"network", 8},   {"retry", 8},
        {"check", 8},     {"probing", 9},  {"waiting", 9}, {"ok", 9},        {"outcome", 9},
        {"suspect", 9},   {"passed", 9},   {"unknown", 9}, {"ruled out", 9}, {"skipped", 9},
        {"time", 11},     {"len", 6},      {"flags", 6},   {"from port", 9}, {"to port", 9},
    };
    int bad = 0;

    (void)state;
    for (int f = 1; f < FAIL_COUNT; f++)
        bad += too_wide(failure_title(f), 8);
    for (size_t i = 0; i < step_count(); i++)
        bad += too_wide(step_at(i)->title, 18);
    for (size_t i = 0; i < probe_type_count(); i++)
        bad += too_wide(probe_type_at(i)->title, 7);
    for (int e = SHOT_OPEN; e <= SHOT_CANCELLED; e++)
        bad += too_wide(shot_end_title((enum shot_end)e), 13);
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        bad += too_wide(words[i].msgid, words[i].cols);
    assert_int_equal(bad, 0);
}

/* What the widest row of hints may not crowd out: the first of each screen. */
static void the_first_hints_fit(void **state)
{
    static const char *const hints[] = {"help", "pane", "open", "diagnose", "flow", "add"};
    int cols = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
        cols += text_columns(_(hints[i])) + 4;
    assert_true(cols < 80);
}

static void plural_forms_are_right(void **state)
{
    static const struct {
        const char *language;
        unsigned long n;
        const char *targets, *caused;
    } forms[] = {
        {"de", 0, "0 Ziele", "▸ ausgeschlossen: 0 Ursachen"},
        {"de", 1, "1 Ziel", "▸ ausgeschlossen: 1 Ursache"},
        {"de", 2, "2 Ziele", "▸ ausgeschlossen: 2 Ursachen"},
        {"es", 0, "0 destinos", "▸ descartadas: 0 causas"},
        {"es", 1, "1 destino", "▸ descartada: 1 causa"},
        {"es", 21, "21 destinos", "▸ descartadas: 21 causas"},
        {"zh_CN", 0, "0 个目标", "▸ 已排除：0 个原因"},
        {"zh_CN", 1, "1 个目标", "▸ 已排除：1 个原因"},
        {"zh_CN", 5, "5 个目标", "▸ 已排除：5 个原因"},
    };
    int tried = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        char text[200];
        if (strcmp(forms[i].language, language) != 0)
            continue;
        tried++;
        snprintf(text, sizeof(text), P_("%zu target", "%zu targets", forms[i].n),
                 (size_t)forms[i].n);
        assert_string_equal(text, forms[i].targets);
        snprintf(text, sizeof(text),
                 P_("%s ruled out: %zu cause", "%s ruled out: %zu causes", forms[i].n), "▸",
                 (size_t)forms[i].n);
        assert_string_equal(text, forms[i].caused);
    }
    assert_true(tried > 0); /* a new language says its forms here */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(screens_are_as_they_were),
        cmocka_unit_test(wide_characters_keep_their_columns),
        cmocka_unit_test(heads_stand_over_their_columns),
        cmocka_unit_test(words_of_tables_fit),
        cmocka_unit_test(the_first_hints_fit),
        cmocka_unit_test(plural_forms_are_right),
    };
    const char *catalogues = getenv("CATALOGUES");

    language = getenv("LANGUAGE");
    setenv("TZ", "UTC", 1);
    tzset();
    if (!language || !catalogues || !setlocale(LC_ALL, "C.UTF-8")) {
        fputs("skipped: run by languages.sh, in the locale C.UTF-8\n", stderr);
        return 77;
    }
    bindtextdomain(PACKAGE, catalogues);
    textdomain(PACKAGE);
    if (strcmp(_("harmless"), "harmless") == 0) {
        fprintf(stderr, "no catalogue of %s in %s\n", language, catalogues);
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
