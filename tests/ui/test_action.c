/*
 * test_action.c: the table of actions and the themes hold together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ui/action.h"
#include "ui/theme.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct keymap standard;

static void one_key_means_one_thing(void **state)
{
    int clashes = 0;

    (void)state;
    for (int a = 1; a < ACTION_COUNT; a++)
        for (int b = a + 1; b < ACTION_COUNT; b++) {
            int ka[ACTION_KEYS], kb[ACTION_KEYS], na = keymap_keys(&standard, a, ka),
                                                  nb = keymap_keys(&standard, b, kb);
            if (!(action_info(a)->contexts & action_info(b)->contexts))
                continue;
            for (int i = 0; i < na; i++)
                for (int j = 0; j < nb; j++)
                    if (ka[i] == kb[j]) {
                        print_message("%s and %s share a key\n", action_info(a)->name,
                                      action_info(b)->name);
                        clashes++;
                    }
        }
    assert_int_equal(clashes, 0);
}

static size_t words(const char *s)
{
    size_t n = 0;

    for (; *s; s++)
        n += *s != ' ' && (s[1] == ' ' || s[1] == '\0');
    return n;
}

static void every_action_has_name_help_and_keys(void **state)
{
    (void)state;
    for (int a = 1; a < ACTION_COUNT; a++) {
        const struct action_info *info = action_info(a);
        int keys[ACTION_KEYS], n = keymap_keys(&standard, a, keys);
        assert_non_null(info->name);
        assert_true(info->help && *info->help);
        assert_true(info->contexts != 0);
        assert_int_equal((size_t)n, words(info->keys)); /* each key's name is known */
        assert_int_equal(action_by_name(info->name), a);
        for (int i = 0; i < n; i++)
            for (unsigned context = 1; context & IN_ALL; context <<= 1)
                if (info->contexts & context)
                    assert_int_equal(keymap_action(&standard, context, keys[i]), a);
    }
}

static void function_keys_have_letter_twins(void **state)
{
    (void)state;
    for (int a = 1; a < ACTION_COUNT; a++) {
        int keys[ACTION_KEYS], n = keymap_keys(&standard, a, keys), letters = 0, functions = 0;
        for (int i = 0; i < n; i++) {
            functions += keys[i] >= K_F1 && keys[i] <= K_F12;
            letters += keys[i] > ' ' && keys[i] < 0x7f;
        }
        if (functions)
            assert_true(letters > 0);
    }
}

static void key_names_go_both_ways(void **state)
{
    static const char *const names[] = {"Tab",  "S-Tab", "Enter", "Esc",      "Space", "Up",
                                        "PgDn", "F1",    "F10",   "F12",      "^B",    "a",
                                        "?",    "é",     "Home",  "Backspace"};
    char out[KEY_NAME_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        int code = key_by_name(names[i]);
        assert_true(code != 0);
        assert_string_equal(key_text(out, code), names[i]);
    }
    assert_int_equal(key_by_name("F13"), 0);
    assert_int_equal(key_by_name("host:"), 0);
    assert_int_equal(key_by_name(""), 0);
}

static void keys_are_bound_anew(void **state)
{
    struct keymap m = standard;
    char err[200] = "", text[64];
    int code;

    (void)state;
    assert_int_equal(keymap_bind(&m, ACTION_ZOOM, "Z F12", err, sizeof(err)), 0);
    keymap_text(&m, ACTION_ZOOM, text, sizeof(text));
    assert_string_equal(text, "Z F12");
    assert_int_equal(keymap_action(&m, IN_CONSOLE, 'Z'), ACTION_ZOOM);
    assert_int_equal(keymap_action(&m, IN_CONSOLE, 'z'), ACTION_NONE);
    /* what another action of the same screen uses is refused, and nothing changes */
    assert_int_equal(keymap_bind(&m, ACTION_ZOOM, "q", err, sizeof(err)), -EINVAL);
    assert_non_null(strstr(err, "quit"));
    keymap_text(&m, ACTION_ZOOM, text, sizeof(text));
    assert_string_equal(text, "Z F12");
    assert_int_equal(keymap_bind(&m, ACTION_ZOOM, "nokey", err, sizeof(err)), -EINVAL);
    assert_int_equal(keymap_bind(&m, ACTION_ZOOM, "b C E K M", err, sizeof(err)), -EINVAL);
    assert_int_equal(keymap_bind(&m, ACTION_ZOOM, "", err, sizeof(err)), 0);
    assert_int_equal(keymap_bind(&m, ACTION_QUIT, "", err, sizeof(err)), -EINVAL);
    /* of different screens two actions may share one: yes (diagnosis), y of nothing else */
    assert_int_equal(keymap_set(&m, ACTION_ZOOM, "q", err, sizeof(err)), 0);
    assert_int_equal(keymap_clash(&m, ACTION_ZOOM, &code), ACTION_QUIT);
    assert_int_equal(code, 'q');
}

static void the_table_reads_as_text(void **state)
{
    struct strbuf out = STRBUF_INIT;

    (void)state;
    actions_list(&out);
    for (int a = 1; a < ACTION_COUNT; a++) {
        char keys[64], line[100];
        keymap_text(&standard, a, keys, sizeof(keys));
        snprintf(line, sizeof(line), "\n  %-18s %-20s ", keys, action_info(a)->name);
        const char *at = strstr(out.buf, line);
        assert_non_null(at);
        assert_null(strstr(at + 1, line)); /* listed once */
    }
    strbuf_release(&out);
}

static void names_complete_when_only_one_fits(void **state)
{
    (void)state;
    assert_int_equal(action_complete("zo", IN_CONSOLE), ACTION_ZOOM);
    assert_int_equal(action_complete("next-", IN_DIAGNOSIS), ACTION_NONE);
    assert_int_equal(action_complete("zo", IN_HELP), ACTION_NONE);
}

static void a_reset_is_marked_in_every_theme(void **state)
{
    static const char *const names[] = {"default", "light", "high-contrast", "colour-blind",
                                        "mono"};
    static const int depths[] = {0, 8, 16, 256};

    (void)state;
    assert_null(theme_by_name("no such theme"));
    for (size_t t = 0; t < ARRAY_SIZE(names); t++)
        for (size_t d = 0; d < ARRAY_SIZE(depths); d++) {
            const struct theme *theme = theme_by_name(names[t]);
            struct style reset = theme_style(theme, LOOK_RESET, false, depths[d]);
            struct style plain = theme_style(theme, LOOK_NORMAL, false, depths[d]);
            struct style row = theme_style(theme, LOOK_NORMAL, true, depths[d]);
            assert_true(reset.fg != plain.fg || reset.bg != plain.bg || reset.flags != plain.flags);
            assert_true(row.bg != plain.bg || row.flags != plain.flags); /* the cursor shows */
            if (depths[d] < 8)
                assert_true(reset.fg == -1 && reset.bg == -1);
            assert_true(reset.fg < 256 && (depths[d] != 8 || (reset.fg < 8 && reset.bg < 8)));
        }
    struct style wireshark = theme_style(theme_by_name(NULL), LOOK_RESET, false, 256);
    assert_int_equal(wireshark.fg, 124); /* dark red */
    assert_int_equal(wireshark.bg, 229); /* pale yellow */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_key_means_one_thing),
        cmocka_unit_test(every_action_has_name_help_and_keys),
        cmocka_unit_test(function_keys_have_letter_twins),
        cmocka_unit_test(key_names_go_both_ways),
        cmocka_unit_test(keys_are_bound_anew),
        cmocka_unit_test(the_table_reads_as_text),
        cmocka_unit_test(names_complete_when_only_one_fits),
        cmocka_unit_test(a_reset_is_marked_in_every_theme),
    };

    keymap_defaults(&standard);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
