/*
 * term.h: the terminal: the only room for curses is term.c.
 */
#ifndef UI_TERM_H
#define UI_TERM_H

#include "ui/canvas.h"
#include "ui/key.h"
#include "ui/ui.h"

struct terminal;
/* Takes the terminal over (stdin, stdout). -ENOTTY, -ENXIO (TERM not known), -ENOMEM. Until
 * term_close() a fatal signal restores it before the program dies of it. */
int term_open(struct terminal **out, const struct ui_options *opt);
void term_close(struct terminal *t);
bool term_utf8(void); /* the locale's characters are UTF-8 */
bool term_has_braille(void); /* its font does, as far as $TERM tells */
void term_size(struct terminal *t, int *cols, int *rows);
void term_resized(struct terminal *t); /* after SIGWINCH: asks the tty */
void term_draw(struct terminal *t, const struct canvas *c, bool anew);
int term_open_input(void); /* the terminal once more, for keys; -1: it cannot be had */
int term_fd(const struct terminal *t);             /* readable: there are keys */
int term_key(struct terminal *t, struct key *out); /* 1, 0 none yet, -EIO: the tty is lost */
void term_set_mouse(struct terminal *t, bool on);
void term_set_theme(struct terminal *t, const struct ui_options *opt); /* theme, colours */
/* Sets the clipboard of the terminal; false: it has none that programs may set. */
bool term_copy(struct terminal *t, const char *text, size_t len);
void term_suspend(struct terminal *t); /* stops the process group, comes back on SIGCONT */

#endif
