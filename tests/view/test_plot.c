/*
 * test_plot.c: dots become the right characters, nothing is drawn outside, ticks are round.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "view/view.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void row_is(const struct plot *p, int row, const char *want)
{
    char all[400] = "";

    for (int col = 0; col < p->cols; col++) {
        char text[PLOT_TEXT_MAX];
        int ink;
        plot_text(p, col, row, text, &ink);
        strncat(all, text, sizeof(all) - strlen(all) - 1);
    }
    assert_string_equal(all, want);
}

static void dots_become_characters(void **state)
{
    struct plot p;

    (void)state;
    assert_int_equal(plot_init(&p, 2, 1, PLOT_BRAILLE), 0);
    assert_int_equal(plot_width(&p), 4);
    assert_int_equal(plot_height(&p), 4);
    plot_dot(&p, 0, 3, 1); /* top left: dot 1 */
    plot_dot(&p, 1, 0, 1); /* bottom right: dot 8 */
    for (int y = 0; y < 4; y++)
        for (int x = 2; x < 4; x++)
            plot_dot(&p, x, y, 2);
    row_is(&p, 0, "⢁⣿");
    plot_release(&p);
    assert_int_equal(plot_init(&p, 4, 1, PLOT_BLOCK), 0);
    plot_dot(&p, 1, 0, 1);
    plot_dot(&p, 2, 1, 1);
    plot_column(&p, 3, 1, 1);
    row_is(&p, 0, " ▄▀█");
    plot_release(&p);
    assert_int_equal(plot_init(&p, 4, 1, PLOT_ASCII), 0);
    plot_dot(&p, 0, 0, 1);
    plot_dot(&p, 1, 1, 1);
    plot_column(&p, 2, 1e-6, 1); /* some is never nothing */
    plot_mark(&p, 3, 0, "x", 1);
    row_is(&p, 0, ".'.x");
    plot_release(&p);
}

static void bars_are_smooth_where_the_font_is(void **state)
{
    static const struct {
        enum plot_kind kind;
        const char *top, *bottom;
    } want[] = {
        {PLOT_BRAILLE, " ▂█▁", " ███"}, {PLOT_BLOCK, " ▄█ ", " ███"}, {PLOT_ASCII, "  # ", " ###"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
        struct plot p;
        assert_int_equal(plot_init(&p, 4, 2, want[i].kind), 0);
        plot_bar(&p, 0, 1, 0, 1);
        plot_bar(&p, 1, 2, .625, 1);
        plot_bar(&p, 2, 3, 7, 1);
        plot_bar(&p, 3, 4, .55, 1);
        plot_bar(&p, -3, 0, 1, 1);
        plot_bar(&p, 4, 90, 1, 1);
        row_is(&p, 0, want[i].top);
        row_is(&p, 1, want[i].bottom);
        plot_release(&p);
    }
}

static void nothing_falls_outside(void **state)
{
    (void)state;
    srand(3);
    assert_int_equal(plot_init(&(struct plot){0}, 0, 4, PLOT_BRAILLE), -EINVAL);
    assert_int_equal(plot_init(&(struct plot){0}, 4, 100000, PLOT_BRAILLE), -EINVAL);
    for (int round = 0; round < 300; round++) {
        struct plot p;
        int cols = 1 + rand() % 40, rows = 1 + rand() % 20, ink;
        char text[PLOT_TEXT_MAX];
        assert_int_equal(plot_init(&p, cols, rows, (enum plot_kind)(rand() % 3)), 0);
        for (int i = 0; i < 30; i++) {
            int x = rand() % 400 - 150, y = rand() % 400 - 150;
            plot_dot(&p, x, y, 1);
            plot_line(&p, x, y, rand() % 300 - 100, rand() % 300 - 100, 2);
            plot_mark(&p, x, y, "×", 3);
            plot_column(&p, x, (double)(rand() % 300) / 100 - 1, 1);
        }
        plot_text(&p, cols, rows, text, &ink);
        assert_string_equal(text, " ");
        plot_release(&p);
    }
}

static void the_higher_ink_wins(void **state)
{
    struct plot p;
    char text[PLOT_TEXT_MAX];
    int ink;

    (void)state;
    assert_int_equal(plot_init(&p, 1, 1, PLOT_BRAILLE), 0);
    plot_dot(&p, 0, 0, 2);
    plot_dot(&p, 1, 1, 1);
    plot_text(&p, 0, 0, text, &ink);
    assert_int_equal(ink, 2);
    plot_release(&p);
}

static void ticks_are_round_and_inside(void **state)
{
    struct plot_scale s = {.min = 0, .max = 97, .set = true};
    double t[20];

    (void)state;
    assert_int_equal(plot_ticks(&s, t, 6), 5);
    assert_true(t[1] == 20 && t[4] == 80);
    s = (struct plot_scale){.min = 0.0003, .max = 2, .log = true, .set = true};
    assert_int_equal(plot_ticks(&s, t, 10), 4);
    assert_true(fabs(t[0] - 0.001) < 1e-12 && t[3] == 1);
    s = (struct plot_scale){.min = 7, .max = 7, .set = true};
    assert_int_equal(plot_ticks(&s, t, 5), 1);
    srand(5);
    for (int i = 0; i < 2000; i++) {
        double a = exp((double)(rand() % 600) / 20 - 15), b = a * (1 + (double)(rand() % 9999) / 7);
        size_t n, max = 1 + (size_t)rand() % 15;
        s = (struct plot_scale){.min = a, .max = b, .log = rand() & 1, .set = true};
        n = plot_ticks(&s, t, max);
        assert_true(n >= 1 && n <= max);
        for (size_t k = 0; k < n; k++) {
            assert_true(t[k] >= a * (1 - 1e-6) && t[k] <= b * (1 + 1e-6));
            assert_true(plot_place(&s, t[k]) >= 0 && plot_place(&s, t[k]) <= 1);
        }
    }
}

static void values_without_a_place_are_left_out(void **state)
{
    double v[] = {NAN, 3, 1, INFINITY, 2, 10, -1};
    double bins[3];
    struct plot_scale s = {0}, log = {.log = true};

    (void)state;
    plot_fit(&s, v, ARRAY_SIZE(v));
    assert_true(s.min == -1 && s.max == 10);
    plot_fit(&log, v, ARRAY_SIZE(v));
    assert_true(log.min == 1 && log.max == 10);
    assert_true(isnan(plot_place(&log, -1)));
    s = (struct plot_scale){.min = 0, .max = 9, .set = true};
    assert_int_equal(plot_bins(&s, v + 1, 2, bins, 3), 1);
    assert_true(bins[0] == 1 && bins[1] == 1 && bins[2] == 0);
    double q[] = {5, 1, 4, 2, 3};
    assert_true(plot_quantile(q, 5, .5) == 3 && plot_quantile(q, 5, 1) == 5);
    assert_true(plot_quantile(q, 5, .01) == 1 && isnan(plot_quantile(q, 0, .5)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dots_become_characters),
        cmocka_unit_test(bars_are_smooth_where_the_font_is),
        cmocka_unit_test(nothing_falls_outside),
        cmocka_unit_test(the_higher_ink_wins),
        cmocka_unit_test(ticks_are_round_and_inside),
        cmocka_unit_test(values_without_a_place_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
