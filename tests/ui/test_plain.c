/*
 * test_plain.c: the console line by line: the whole walk by letters and numbers, and nothing but
 * printable characters and newlines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ui/plain.h"
#include "ui/private.h"
#include "world.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct calls {
    int quits, saves, yes, no, undos, skips, runs;
    bool consent;
    char added[80], test[40];
};
static void on_quit(void *arg)
{
    ((struct calls *)arg)->quits++;
}
static int on_save(void *arg, char *where, size_t wherelen)
{
    ((struct calls *)arg)->saves++;
    snprintf(where, wherelen, "/somewhere");
    return 0;
}
static void on_answer(void *arg, uint64_t incident, const char *step, int yes)
{
    struct calls *c = arg;

    assert_true(incident > 0 && step && *step);
    yes ? c->yes++ : c->no++;
}
static void on_undo(void *arg, uint64_t incident)
{
    (void)incident;
    ((struct calls *)arg)->undos++;
}
static void on_skip(void *arg, uint64_t incident, const char *step)
{
    (void)incident;
    (void)step;
    ((struct calls *)arg)->skips++;
}
static int on_add(void *arg, const char *spec, char *err, size_t errlen)
{
    (void)err;
    (void)errlen;
    snprintf(((struct calls *)arg)->added, 80, "%s", spec);
    return 0;
}
static int on_experiment(void *arg, uint64_t incident, const char *id, bool consent, char *err,
                         size_t errlen)
{
    struct calls *c = arg;

    (void)incident;
    (void)err;
    (void)errlen;
    c->runs++;
    c->consent = consent;
    snprintf(c->test, sizeof(c->test), "%s", id ? id : "");
    return 0;
}

struct talk_ {
    struct world w;
    struct ui *ui;
    struct plain p;
    struct calls calls;
};

static void begin(struct talk_ *t, int (*make)(struct world *w))
{
    memset(t, 0, sizeof(*t));
    const struct ui_actions act = {.quit = on_quit,
                                   .save = on_save,
                                   .answer = on_answer,
                                   .undo = on_undo,
                                   .skip = on_skip,
                                   .add_target = on_add,
                                   .experiment = on_experiment,
                                   .arg = &t->calls};
    assert_int_equal(make(&t->w), 0);
    t->ui = ui_new(t->w.s, &act, NULL);
    assert_non_null(t->ui);
    t->ui->script = true;
    plain_open(&t->p, t->ui, 79);
}

static void end(struct talk_ *t)
{
    plain_release(&t->p);
    ui_release(t->ui);
    world_release(&t->w);
}

static void type(struct talk_ *t, const char *line, const char *want)
{
    strbuf_reset(&t->p.out);
    plain_line(&t->p, line);
    if (want && !strstr(t->p.out.buf, want)) {
        print_message("\"%s\" lacks \"%s\":\n%s", line, want, t->p.out.buf);
        fail();
    }
}

static void the_whole_walk_is_letters_and_numbers(void **state)
{
    struct talk_ t;

    (void)state;
    begin(&t, world_scene);
    assert_non_null(strstr(t.p.out.buf, "4 resets, 2 harmful"));
    assert_non_null(strstr(t.p.out.buf, "\n1. "));
    type(&t, "1", "retry: ");
    assert_non_null(strstr(t.p.out.buf, "Next question: "));
    type(&t, "w", "for: ");
    type(&t, "c", "unknown: ");
    type(&t, "y", "Next question: ");
    assert_int_equal(t.calls.yes, 1);
    type(&t, "n", NULL);
    assert_int_equal(t.calls.no, 1);
    type(&t, "i", "stays open");
    type(&t, "u", NULL);
    assert_int_equal(t.calls.undos, 1);
    type(&t, "s", NULL);
    assert_int_equal(t.calls.skips, 1);
    type(&t, "f", "1. after 0 s, from the client: SYN");
    type(&t, "=", "two FINs");
    type(&t, "1", "IPv4");
    type(&t, "b", "retry: ");
    type(&t, "b", "A number: diagnose it");
    type(&t, "s", "saved in /somewhere");
    type(&t, "nonsense", "none of the choices");
    type(&t, "999", "none of the choices");
    type(&t, "h", "A TCP reset");
    type(&t, "q", NULL);
    assert_int_equal(t.calls.quits, 1);
    end(&t);
}

static void what_could_load_asks_first(void **state)
{
    struct talk_ t;
    char number[24];

    (void)state;
    begin(&t, world_scene);
    type(&t, "1", NULL);
    for (size_t i = 0; i < experiment_count(); i++) {
        const struct test *test = experiment_test(experiment_at(i));
        snprintf(number, sizeof(number), "%zu", i + 1);
        type(&t, "e", number);
        int runs = t.calls.runs;
        type(&t, number, test->needs_consent ? "Really?" : "It runs");
        assert_int_equal(t.calls.runs, runs + !test->needs_consent);
        if (test->needs_consent) {
            type(&t, "y", "It runs");
            assert_true(t.calls.consent);
            assert_int_equal(t.calls.runs, runs + 1);
        }
        assert_string_equal(t.calls.test, experiment_at(i)->id);
    }
    type(&t, "e", NULL);
    type(&t, "A", "It runs");
    assert_string_equal(t.calls.test, "");
    end(&t);
}

static void targets_and_filters(void **state)
{
    struct talk_ t;

    (void)state;
    begin(&t, world_scene);
    type(&t, "t", "api.example");
    type(&t, "a tls://b.example:443", "added");
    assert_string_equal(t.calls.added, "tls://b.example:443");
    type(&t, "/ port:99999999", "65535");
    type(&t, "/ host:10.0.0.7", "10.0.0.7");
    assert_null(strstr(t.p.out.buf, "\n2. "));
    type(&t, "/", "\n2. ");
    t.w.s->dirty = true;
    type(&t, "q", "Not saved");
    type(&t, "n", "A number");
    assert_int_equal(t.calls.quits, 0);
    type(&t, "q", "Not saved");
    type(&t, "y", NULL);
    assert_int_equal(t.calls.quits, 1);
    end(&t);
}

static void news_are_told_once(void **state)
{
    struct talk_ t;

    (void)state;
    begin(&t, world_scene);
    strbuf_reset(&t.p.out);
    t.p.told = 0;
    t.p.nnumbers = 0;
    plain_news(&t.p);
    assert_non_null(strstr(t.p.out.buf, "New:\n1. "));
    type(&t, "1", "retry: ");
    strbuf_reset(&t.p.out);
    plain_news(&t.p);
    assert_int_equal(t.p.out.len, 0);
    end(&t);
}

static void hostile_bytes_are_not_said(void **state)
{
    static const char *const lines[] = {"",  "1", "w", "c", "f", "1", "2", "3", "b", "b",
                                        "2", "w", "f", "4", "b", "b", "t", "3", "f", "1"};
    struct talk_ t;

    (void)state;
    begin(&t, world_hostile);
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        type(&t, lines[i], NULL);
        for (const char *p = t.p.out.buf; *p;) {
            int32_t cp = utf8_next(&p);
            assert_true(cp == '\n' || (cp >= 0x20 && (cp < 0x7f || cp >= 0xa0)));
            assert_false((cp >= 0x200b && cp <= 0x200f) || (cp >= 0x202a && cp <= 0x202e));
        }
    }
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_walk_is_letters_and_numbers),
        cmocka_unit_test(what_could_load_asks_first),
        cmocka_unit_test(targets_and_filters),
        cmocka_unit_test(news_are_told_once),
        cmocka_unit_test(hostile_bytes_are_not_said),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    if (!setlocale(LC_ALL, "C.UTF-8")) {
        fputs("skipped: the locale C.UTF-8 is not here\n", stderr);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
