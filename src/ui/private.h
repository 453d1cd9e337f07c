/*
 * private.h: what ui.c, run.c and script.c share.
 */
#ifndef UI_PRIVATE_H
#define UI_PRIVATE_H

#include "ui/screen.h"

struct ui *ui_new(const struct session *s, const struct ui_actions *actions,
                  const struct ui_options *opt);
void ui_release(struct ui *ui);
void ui_key(struct ui *ui, const struct key *k);
int ui_draw(struct ui *ui, int cols, int rows);
void ui_lost(struct ui *ui); /* the terminal has gone: save and quit */
/* As ui_script(), the ui itself: free it with ui_release(). */
int ui_script_canvas(struct ui **out, const struct session *s, const struct ui_actions *actions,
                     const struct ui_options *opt, int cols, int rows, const char *keys);

#endif
