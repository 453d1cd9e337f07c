/*
 * test_canvas.c: no cell outside, no hostile byte inside, columns where they belong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ui/canvas.h"
#include "ui/lines.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(struct canvas *c, const char *text)
{
    struct strbuf out = STRBUF_INIT;

    canvas_text(c, &out);
    assert_string_equal(out.buf, text);
    strbuf_release(&out);
}

static void text_is_clipped(void **state)
{
    struct canvas c;

    (void)state;
    canvas_init(&c, false);
    canvas_resize(&c, 6, 2);
    assert_int_equal(area_put(canvas_area(&c), 0, 0, -1, LOOK_NORMAL, "abcdefghij"), 6);
    assert_int_equal(area_put(canvas_area(&c), 4, 1, -1, LOOK_NORMAL, "xy"), 2);
    expect(&c, "abcde…\n    xy\n");
    area_put(canvas_area(&c), 0, 5, -1, LOOK_NORMAL, "below");
    area_put(canvas_area(&c), -3, 0, -1, LOOK_NORMAL, "left");
    area_put(canvas_area(&c), 0, -1, -1, LOOK_NORMAL, "above");
    canvas_release(&c);
}

static void areas_stay_inside_their_parent(void **state)
{
    struct canvas c;
    struct area a, b;

    (void)state;
    canvas_init(&c, false);
    canvas_resize(&c, 10, 4);
    a = area_sub(canvas_area(&c), 2, 1, 100, 100);
    assert_int_equal(a.w, 8);
    assert_int_equal(a.h, 3);
    b = area_sub(a, -5, -5, 6, 6);
    assert_int_equal(b.x, 2);
    assert_int_equal(b.w, 1);
    area_fill(area_sub(a, 20, 20, 5, 5), LOOK_BAD);
    area_put(b, 0, 0, -1, LOOK_NORMAL, "zz");
    expect(&c, "\n  …\n\n\n");
    canvas_release(&c);
}

static void wide_and_combining_keep_columns(void **state)
{
    struct canvas c;

    (void)state;
    canvas_init(&c, false);
    canvas_resize(&c, 8, 3);
    assert_int_equal(area_put(canvas_area(&c), 0, 0, -1, LOOK_NORMAL, "日本e\xcc\x81x"), 6);
    assert_string_equal(canvas_cell(&c, 4, 0)->text, "e\xcc\x81");
    assert_int_equal(canvas_cell(&c, 1, 0)->width, 0);
    /* A wide character is never cut in half: its place stays blank. */
    area_put(canvas_area(&c), 0, 1, 4, LOOK_NORMAL, "日本語");
    /* What is drawn over one half blanks the other. */
    area_put(canvas_area(&c), 0, 2, -1, LOOK_NORMAL, "日本");
    area_put(canvas_area(&c), 1, 2, 1, LOOK_NORMAL, "x");
    expect(&c, "日本e\xcc\x81x\n日 …\n x本\n");
    canvas_release(&c);
}

static void ascii_has_no_other_byte(void **state)
{
    struct canvas c;
    struct strbuf out = STRBUF_INIT;

    (void)state;
    canvas_init(&c, true);
    canvas_resize(&c, 30, 2);
    area_put(canvas_area(&c), 0, 0, -1, LOOK_NORMAL, "┌─┐ a → b … 日本 e\xcc\x81 \xc3\xa9 █");
    area_put(canvas_area(&c), 0, 1, 4, LOOK_NORMAL, "abcdefgh");
    canvas_text(&c, &out);
    for (size_t i = 0; i < out.len; i++)
        assert_true((unsigned char)out.buf[i] < 0x80);
    assert_string_equal(out.buf, "+-+ a > b ~ ???? e ? #\nabc~\n");
    strbuf_release(&out);
    canvas_release(&c);
}

static const char *const hostile[] = {
    "\033[31mred\033[0m",
    "\033]0;title\007",
    "\x9b"
    "31m",
    "\xc2\x9b"
    "2J",
    "a\xe2\x80\xae"
    "gnp.exe",
    "\xe2\x81\xa6z\xe2\x81\xa9",
    "zero\xe2\x80\x8bwidth",
    "\xff\xfe\xc0\x80",
    "\xed\xa0\x80",
    "\xf4\x90\x80\x80",
    "\xef\xbb\xbf"
    "bom",
    "tab\there",
    "\x7f",
    "\xc3",
};

static void hostile_bytes_never_arrive(void **state)
{
    (void)state;
    for (size_t n = 0; n < ARRAY_SIZE(hostile); n++)
        for (int ascii = 0; ascii < 2; ascii++) {
            struct canvas c;
            struct strbuf out = STRBUF_INIT;
            canvas_init(&c, ascii);
            canvas_resize(&c, 40, 1);
            area_put(canvas_area(&c), 0, 0, -1, LOOK_NORMAL, hostile[n]);
            canvas_text(&c, &out);
            const char *p = out.buf;
            while (*p && *p != '\n') {
                int32_t cp = utf8_next(&p);
                assert_true(cp >= 0x20 && (cp < 0x7f || cp >= 0xa0));
                assert_false(cp >= 0x200b && cp <= 0x200f);
                assert_false(cp >= 0x202a && cp <= 0x202e);
                assert_false(cp >= 0x2066 && cp <= 0x2069);
            }
            strbuf_release(&out);
            canvas_release(&c);
        }
}

/* Any bytes, anywhere, at any size: the sanitizers watch. */
static void random_text_at_random_places(void **state)
{
    struct canvas c;

    (void)state;
    srand(7);
    canvas_init(&c, false);
    for (int round = 0; round < 3000; round++) {
        char text[64];
        size_t n = (size_t)(rand() % 60);
        for (size_t i = 0; i < n; i++)
            text[i] = (char)(1 + rand() % 255);
        text[n] = '\0';
        c.ascii = rand() & 1;
        canvas_resize(&c, 1 + rand() % 300, 1 + rand() % 100);
        struct area a = area_sub(canvas_area(&c), rand() % 40 - 20, rand() % 40 - 20,
                                 rand() % 80 - 10, rand() % 80 - 10);
        area_put(a, rand() % 60 - 30, rand() % 20 - 5, rand() % 50 - 2, LOOK_RESET, text);
        area_put_right(a, rand() % 60 - 30, rand() % 20 - 5, rand() % 50, LOOK_BAD, text);
        area_hline(a, rand() % 60 - 30, rand() % 20, rand() % 60, LOOK_FRAME);
        area_select(a, rand() % 30 - 10);
        area_cursor(a, rand() % 90 - 20, rand() % 90 - 20);
        assert_true(c.cursor_x < c.cols && c.cursor_y < c.rows);
        for (int y = 0; y < c.rows; y++) {
            int cols = 0;
            for (int x = 0; x < c.cols; x++)
                cols += canvas_cell(&c, x, y)->width;
            assert_int_equal(cols, c.cols); /* halves always pair up */
        }
    }
    canvas_release(&c);
}

static void lines_wrap_at_words(void **state)
{
    struct lines l = {0};

    (void)state;
    lines_add(&l, 12, LOOK_NORMAL, 2, 2, 5, 1, "one two three fourandmore five");
    assert_int_equal(l.nr, 4);
    assert_string_equal(l.v[0].text, "one two");
    assert_string_equal(l.v[1].text, "three");
    assert_string_equal(l.v[2].text, "fourandm");
    assert_string_equal(l.v[3].text, "ore five");
    assert_int_equal(l.v[0].indent, 2);
    assert_int_equal(l.v[1].indent, 4);
    assert_int_equal(l.v[3].packet, 5);
    lines_clear(&l);
    lines_add(&l, 40, LOOK_NORMAL, 0, 0, 0, -1, "a\nb\n");
    assert_int_equal(l.nr, 2);
    lines_release(&l);
}

static void the_cursor_stays_in_the_list(void **state)
{
    struct cursor_pos c = {0};

    (void)state;
    assert_true(cursor_move(&c, ACTION_LAST, 50, 10));
    assert_int_equal(c.sel, 49);
    assert_int_equal(c.top, 40);
    cursor_move(&c, ACTION_DOWN, 50, 10);
    assert_int_equal(c.sel, 49);
    cursor_move(&c, ACTION_PAGE_UP, 50, 10);
    assert_int_equal(c.sel, 39);
    cursor_clamp(&c, 3, 10);
    assert_int_equal(c.sel, 2);
    assert_int_equal(c.top, 0);
    cursor_clamp(&c, 0, 0);
    assert_int_equal(c.sel, 0);
    assert_false(cursor_move(&c, ACTION_SAVE, 50, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_clipped),
        cmocka_unit_test(areas_stay_inside_their_parent),
        cmocka_unit_test(wide_and_combining_keep_columns),
        cmocka_unit_test(ascii_has_no_other_byte),
        cmocka_unit_test(hostile_bytes_never_arrive),
        cmocka_unit_test(random_text_at_random_places),
        cmocka_unit_test(lines_wrap_at_words),
        cmocka_unit_test(the_cursor_stays_in_the_list),
    };

    if (!setlocale(LC_ALL, "C.UTF-8"))
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
