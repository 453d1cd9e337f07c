/*
 * key.h: keys: a Unicode character, or one of these; and the words they are written as.
 */
#ifndef UI_KEY_H
#define UI_KEY_H

#include "base/base.h"

enum {
    KEY_NONE_ = 0,
    K_TAB = 9,
    K_ENTER = 13,
    K_ESC = 27,
    K_BACKSPACE = 127,
    K_SPECIAL = 0x200000, /* beyond Unicode */
    K_UP,
    K_DOWN,
    K_LEFT,
    K_RIGHT,
    K_HOME,
    K_END,
    K_PGUP,
    K_PGDN,
    K_INSERT,
    K_DELETE,
    K_BACKTAB,
    K_F1,
    K_F12 = K_F1 + 11,
    K_CLICK,
    K_WHEEL_UP,
    K_WHEEL_DOWN,
};
struct key {
    int code;
    int x, y; /* of a click or the wheel */
};
#define KEY_NAME_MAX 16
/* "Tab" "S-Tab" "Enter" "Esc" "Space" "Up" ... "F1" "^B" or the character itself. */
const char *key_text(char out[KEY_NAME_MAX], int code);
int key_by_name(const char *name); /* 0: no key of that name */

#endif
