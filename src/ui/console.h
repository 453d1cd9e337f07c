/*
 * console.h: the three panes of the first screen.
 */
#ifndef UI_CONSOLE_H
#define UI_CONSOLE_H

#include "ui/screen.h"
#include "view/view.h"

enum { PANE_TARGETS, PANE_RESETS, PANE_PACKETS, PANE_COUNT };
/* A row of Resets: an incident, and how often the same happened to that target before. */
struct reset_row {
    uint64_t id, key;
    unsigned times;
};
struct console {
    int focus, grow[PANE_COUNT];
    bool zoom;
    struct area at[PANE_COUNT]; /* where they were drawn, for the mouse */
    struct cursor_pos targets;
    int targets_page;
    /* Resets: newest first. The cursor stays on its incident; 0 follows the newest. */
    uint64_t reset_sel, reset_key;
    struct cursor_pos resets;
    int resets_page;
    struct reset_row *reset_rows; /* rebuilt when the session or the filter changes */
    size_t nreset_rows, reset_rows_alloc;
    uint64_t rows_revision, rows_generation;
    /* Packets: oldest first. The cursor stays on its packet; 0 follows the newest. */
    uint64_t packet_sel;
    struct cursor_pos packets;
    int packets_page;
    uint64_t *shown; /* numbers that pass the filter; unused without one */
    size_t nshown, shown_alloc;
    uint64_t scanned, filter_generation; /* number of the last packet looked at */
    struct packet_line lines[CANVAS_MAX_ROWS];
};
void targets_draw(struct ui *ui, struct console *c, struct area a, bool focus);
bool targets_action(struct ui *ui, struct console *c, enum action a);
void targets_place(struct ui *ui, struct console *c, struct place *at);
void resets_draw(struct ui *ui, struct console *c, struct area a, bool focus);
bool resets_action(struct ui *ui, struct console *c, enum action a);
void resets_place(struct ui *ui, struct console *c, struct place *at);
void resets_show(struct ui *ui, struct console *c, uint64_t incident);
void resets_release(struct console *c);
void resets_click(struct ui *ui, struct console *c, int row);
void packets_draw(struct ui *ui, struct console *c, struct area a, bool focus);
bool packets_action(struct ui *ui, struct console *c, enum action a);
void packets_place(struct ui *ui, struct console *c, struct place *at);
void packets_click(struct ui *ui, struct console *c, int row);
void packets_find_reset(struct ui *ui, struct console *c, bool forward);
void packets_show(struct ui *ui, struct console *c, uint64_t packet);
void packets_release(struct console *c);

#endif
