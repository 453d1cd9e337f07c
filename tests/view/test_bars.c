/*
 * test_bars.c: bars and sparklines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "view/view.h"

#include <string.h>

static void bars_fill_by_eighths(void **state)
{
    char out[64];

    (void)state;
    bar_text(out, sizeof(out), 0.5, 4, false);
    assert_string_equal(out, "██  ");
    bar_text(out, sizeof(out), 0.91, 5, false);
    assert_string_equal(out, "████▌");
    bar_text(out, sizeof(out), 0.5, 4, true);
    assert_string_equal(out, "##--");
    bar_text(out, sizeof(out), 1e-9, 3, false);
    assert_string_equal(out, "▏  "); /* listed, so not nothing */
    bar_text(out, sizeof(out), 7, 2, true);
    assert_string_equal(out, "##");
    bar_text(out, sizeof(out), 0.0 / 0.0, 2, true);
    assert_string_equal(out, "--");
    char tiny[5] = "????";
    bar_text(tiny, sizeof(tiny), 1, 10, false);
    assert_true(strlen(tiny) < sizeof(tiny));
}

static void sparks_mark_failures(void **state)
{
    static const int v[] = {0, 1, 8, -1, 12};
    char out[64];

    (void)state;
    spark_text(out, sizeof(out), v, ARRAY_SIZE(v), false);
    assert_string_equal(out, "·▁█×█");
    spark_text(out, sizeof(out), v, ARRAY_SIZE(v), true);
    assert_string_equal(out, ".,OxO");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bars_fill_by_eighths),
        cmocka_unit_test(sparks_mark_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
