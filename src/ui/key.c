/*
 * key.c: the names of keys.
 */
#include "ui/key.h"
#include "ui/canvas.h"

#include <stdio.h>
#include <string.h>

static const struct {
    int code;
    const char *name;
} names[] = {
    {K_TAB, "Tab"},     {K_BACKTAB, "S-Tab"}, {K_ENTER, "Enter"},   {K_ESC, "Esc"},
    {' ', "Space"},     {K_UP, "Up"},         {K_DOWN, "Down"},     {K_LEFT, "Left"},
    {K_RIGHT, "Right"}, {K_HOME, "Home"},     {K_END, "End"},       {K_PGUP, "PgUp"},
    {K_PGDN, "PgDn"},   {K_INSERT, "Insert"}, {K_DELETE, "Delete"}, {K_BACKSPACE, "Backspace"},
};

const char *key_text(char out[KEY_NAME_MAX], int code)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i].code == code) {
            snprintf(out, KEY_NAME_MAX, "%s", names[i].name);
            return out;
        }
    if (code >= K_F1 && code <= K_F12) {
        snprintf(out, KEY_NAME_MAX, "F%d", code - K_F1 + 1);
    } else if (code > 0 && code < 0x20) {
        snprintf(out, KEY_NAME_MAX, "^%c", code + 0x40);
    } else if (code > 0 && code < K_SPECIAL) {
        size_t n = utf8_encode(out, code);
        out[n] = '\0';
    } else {
        snprintf(out, KEY_NAME_MAX, "?");
    }
    return out;
}

int key_by_name(const char *name)
{
    const char *p = name;
    int32_t cp;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(names[i].name, name) == 0)
            return names[i].code;
    if (name[0] == 'F' && name[1] >= '1' && name[1] <= '9') {
        uint64_t n;
        return parse_u64(name + 1, 1, 12, &n) == 0 ? K_F1 + (int)n - 1 : 0;
    }
    if (name[0] == '^' && name[1] >= '@' && name[1] <= '_' && name[2] == '\0')
        return name[1] - '@';
    if (!*name)
        return 0;
    cp = utf8_next(&p);
    return *p || cp < 0 ? 0 : cp;
}
