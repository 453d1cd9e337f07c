/*
 * packet.c: one packet: its layers, and its bytes.
 */
#include "ui/screen.h"
#include "view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEX_COLS     78
#define SIDE_BY_SIDE 130
#define TWO_COLUMNS  72
#define NAME_COLS    11
#define FIELD        -2 /* of a line: it holds a field */

enum { PART_LAYERS, PART_BYTES, PART_COUNT };
struct packet_view {
    uint64_t number, built;
    int focus;
    struct cursor_pos at[PART_COUNT];
    int rows[PART_COUNT], count[PART_COUNT];
    struct lines lines[PART_COUNT];
    struct area where[PART_COUNT];
    struct lines right; /* where there is room: the layers from TCP on, beside those below it */
};

static int packet_open(struct ui *ui, void *state, const struct place *at)
{
    struct packet_view *v = state;

    (void)ui;
    v->number = at->packet;
    return 0;
}

static void packet_close(struct ui *ui, void *state)
{
    struct packet_view *v = state;

    (void)ui;
    for (int i = 0; i < PART_COUNT; i++)
        lines_release(&v->lines[i]);
    lines_release(&v->right);
}

/* "  ttl  64": the value stands in a column of its own, also where it is wrapped. */
static void add_field(struct lines *l, int width, const char *text)
{
    const char *value = strstr(text, "  ");
    char line[440];
    int name = value ? (int)(value - text) : 0, cols;

    if (!value) {
        lines_add(l, width, LOOK_NORMAL, 2, 2, 0, -1, text);
        return;
    }
    snprintf(line, sizeof(line), "%.*s", name, text);
    bool reset = strcmp(line, _("flags")) == 0 && strstr(value, "RESET");
    cols = text_columns(line);
    snprintf(line + name, sizeof(line) - (size_t)name, "%*s%s", MAX_OF(NAME_COLS - cols, 2), "",
             value + strspn(value, " "));
    lines_add(l, width, reset ? LOOK_RESET : LOOK_NORMAL, 2, NAME_COLS, 0, FIELD, line);
}

/* Heads of layers begin a line, their fields are indented. After `split` heads: into right. */
static void add_layers(struct lines *left, struct lines *right, int split, int width,
                       const char *text)
{
    int heads = 0;

    while (*text) {
        char line[400];
        size_t n = strcspn(text, "\n"), skip = MIN_OF(strspn(text, " "), n);
        size_t keep = MIN_OF(n - skip, sizeof(line) - 1);
        heads += skip == 0;
        memcpy(line, text + skip, keep);
        line[keep] = '\0';
        if (skip)
            add_field(heads > split ? right : left, width, line);
        else
            lines_add(heads > split ? right : left, width, LOOK_TITLE, 0, 2, 0, -1, line);
        text += n + (text[n] == '\n');
    }
}

static void add_bytes(struct lines *l, const char *text)
{
    while (*text) {
        char line[200];
        size_t n = strcspn(text, "\n"), keep = MIN_OF(n, sizeof(line) - 1);
        memcpy(line, text, keep);
        line[keep] = '\0';
        lines_add(l, 200, LOOK_NORMAL, 0, 0, 0, -1, line);
        text += n + (text[n] == '\n');
    }
}

static void build(struct packet_view *v, const struct kept_packet *k, int width)
{
    struct strbuf text = STRBUF_INIT;
    bool two = width >= TWO_COLUMNS;

    for (int i = 0; i < PART_COUNT; i++)
        lines_clear(&v->lines[i]);
    lines_clear(&v->right);
    packet_layers(&text, k);
    add_layers(&v->lines[PART_LAYERS], &v->right, two ? 2 : 100, two ? width / 2 - 1 : width,
               text.buf);
    strbuf_reset(&text);
    packet_hex(&text, k);
    add_bytes(&v->lines[PART_BYTES], text.buf);
    strbuf_release(&text);
}

/* The names of fields step back behind their values. */
static void dim_names(const struct lines *l, struct area a, const struct cursor_pos *at)
{
    for (int y = 0; y < a.h && at->top + y < (int)l->nr; y++) {
        const struct line *line = &l->v[at->top + y];
        if (line->item == FIELD && line->indent == 2)
            area_look(area_sub(a, 2, y, NAME_COLS - 1, 1), 0, LOOK_DIM);
    }
}

static void draw_part(struct packet_view *v, int part, const char *title, struct area a)
{
    struct area inside = frame_inside(a);
    struct lines *l = &v->lines[part];

    v->where[part] = a;
    struct cursor_pos *at = &v->at[part];
    int n = (int)(part == PART_LAYERS ? MAX_OF(l->nr, v->right.nr) : l->nr);

    if (a.h < 2)
        return;
    frame_title(a, title, NULL, v->focus == part);
    inside = area_sub(inside, 1, 0, inside.w - 2, inside.h);
    v->rows[part] = inside.h;
    v->count[part] = n;
    at->top = MAX_OF(MIN_OF(at->top, n - inside.h), 0);
    struct cursor_pos from = {.sel = at->top, .top = at->top};
    if (at->top < (int)l->nr)
        lines_draw(l, inside, &from, false);
    if (part == PART_LAYERS) {
        struct area right = area_sub(inside, inside.w / 2 + 1, 0, inside.w, inside.h);
        struct cursor_pos top = {.sel = at->top, .top = at->top};
        dim_names(l, inside, at);
        if (at->top < (int)v->right.nr) {
            lines_draw(&v->right, right, &top, false);
            dim_names(&v->right, right, at);
        }
    }
    range_draw(a, at->top, n, inside.h);
}

static void packet_draw(struct ui *ui, void *state, struct area a)
{
    struct packet_view *v = state;
    const struct kept_packet *k = session_packet(ui->s, v->number);
    struct packet_line line;
    struct area part[PART_COUNT];
    char title[300];
    bool wide = a.w >= SIDE_BY_SIDE;

    if (!k) {
        area_putf(a, 1, 0, -1, LOOK_WARN, _("packet %llu is not kept any more"),
                  (unsigned long long)v->number);
        return;
    }
    packet_line_fill(&line, ui->s, k);
    snprintf(title, sizeof(title), _("Packet %llu   %s > %s  %s"), (unsigned long long)k->number,
             line.from, line.to, line.flags);
    int left = wide ? a.w - HEX_COLS - 3 : a.w;
    build(v, k, left - 4);
    int bytes = MIN_OF((int)v->lines[PART_BYTES].nr + 2, MAX_OF(a.h * 4 / 10, 5));
    part[PART_LAYERS] = area_sub(a, 0, 0, left, wide ? a.h : a.h - bytes + 1);
    part[PART_BYTES] = wide ? area_sub(a, left - 1, 0, a.w - left + 1, a.h)
                            : area_sub(a, 0, a.h - bytes, a.w, bytes);
    if (a.h < 12) { /* one after the other: Tab changes */
        part[v->focus] = a;
        part[!v->focus] = area_sub(a, 0, 0, 0, 0);
    }
    frame_lines(part[!v->focus], false);
    frame_lines(part[v->focus], true);
    draw_part(v, PART_LAYERS, title, part[PART_LAYERS]);
    draw_part(v, PART_BYTES, _("Bytes"), part[PART_BYTES]);
}

static void go(struct ui *ui, struct packet_view *v, int step)
{
    const struct kept_packet *k = session_packet(ui->s, v->number);
    size_t n = k && k->flow ? session_flow_packets(ui->s, k->flow, NULL, 0) : 0;
    uint64_t *numbers, next = 0;

    if (n == 0) {
        if (session_packet(ui->s, v->number + (uint64_t)step))
            v->number += (uint64_t)step;
        return;
    }
    numbers = calloc(n, sizeof(*numbers));
    if (!numbers)
        return;
    n = MIN_OF(n, session_flow_packets(ui->s, k->flow, numbers, n));
    for (size_t i = 0; i < n; i++)
        if (numbers[i] == v->number && (step > 0 ? i + 1 < n : i > 0))
            next = numbers[step > 0 ? i + 1 : i - 1];
    free(numbers);
    if (next)
        v->number = next;
    else
        ui_note(ui, LOOK_DIM, "%s",
                step > 0 ? _("the last packet of this connection")
                         : _("the first packet of this connection"));
}

static bool packet_action(struct ui *ui, void *state, enum action a)
{
    struct packet_view *v = state;
    const struct kept_packet *k = session_packet(ui->s, v->number);
    const struct incident *i;
    struct cursor_pos c = {.sel = v->at[v->focus].top, .top = v->at[v->focus].top};
    int last = MAX_OF(v->count[v->focus] - v->rows[v->focus], 0);

    switch (a) {
    case ACTION_NEXT_PANE:
    case ACTION_PREVIOUS_PANE: v->focus = !v->focus; return true;
    case ACTION_NEXT_PACKET: go(ui, v, 1); return true;
    case ACTION_PREVIOUS_PACKET: go(ui, v, -1); return true;
    case ACTION_FLOW: ui_open_flow(ui, k ? k->flow : 0, v->number); return true;
    case ACTION_DIAGNOSE:
        i = k && k->flow ? session_incident_of_flow(ui->s, k->flow) : NULL;
        ui_open_incident(ui, i ? i->id : 0);
        return true;
    default: break;
    }
    if (!cursor_move(&c, a, last + 1, MAX_OF(v->rows[v->focus], 1)))
        return false;
    v->at[v->focus].top = MIN_OF(c.sel, last);
    return true;
}

static void packet_place(struct ui *ui, void *state, struct place *at)
{
    (void)ui;
    at->packet = ((const struct packet_view *)state)->number;
}

static void packet_copy(struct ui *ui, void *state, struct strbuf *out)
{
    const struct kept_packet *k =
        session_packet(ui->s, ((const struct packet_view *)state)->number);

    if (!k)
        return;
    packet_layers(out, k);
    packet_hex(out, k);
}

static void packet_point(struct ui *ui, void *state, int x, int y)
{
    struct packet_view *v = state;

    (void)ui;
    for (int i = 0; i < PART_COUNT; i++)
        if (x >= v->where[i].x && x < v->where[i].x + v->where[i].w && y + 1 >= v->where[i].y &&
            y + 1 < v->where[i].y + v->where[i].h)
            v->focus = i;
}

const struct screen packet_screen = {
    .name = "packet",
    .title = N_("Packet"),
    .context = IN_PACKET,
    .state_size = sizeof(struct packet_view),
    .open = packet_open,
    .draw = packet_draw,
    .action = packet_action,
    .close = packet_close,
    .point = packet_point,
    .place = packet_place,
    .copy = packet_copy,
};
