/*
 * packets.c: the Packets pane: what goes over the wire, the newest at the bottom.
 */
#include "ui/lines.h"
#include "ui/console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCAN_SLICE 20000 /* packets a filter looks at before the screen is drawn again */

void packets_release(struct console *c)
{
    free(c->shown);
    c->shown = NULL;
    c->nshown = c->shown_alloc = 0;
}

/* ---- what is shown: all that is kept, or the numbers that pass the filter ---- */

static size_t index_from(const struct session *s, uint64_t number)
{
    size_t low = 0, high = session_packets(s);

    while (low < high) { /* the first kept packet with this number or a later one */
        size_t mid = (low + high) / 2;
        if (session_packet_at(s, mid)->number < number)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void forget_gone(const struct session *s, struct console *c)
{
    size_t gone = 0;

    while (gone < c->nshown && !session_packet(s, c->shown[gone]))
        gone++;
    memmove(c->shown, c->shown + gone, (c->nshown - gone) * sizeof(*c->shown));
    c->nshown -= gone;
}

static void scan(struct ui *ui, struct console *c)
{
    const struct session *s = ui->s;
    struct filter_box *f = &ui->filter;

    if (c->filter_generation != f->generation) {
        c->filter_generation = f->generation;
        c->nshown = 0;
        c->scanned = 0;
    }
    if (!f->text[0])
        return;
    if (c->nshown)
        forget_gone(s, c);
    size_t n = session_packets(s), i = index_from(s, c->scanned + 1), stop = i + SCAN_SLICE;
    for (; i < n && i < stop; i++) {
        const struct kept_packet *k = session_packet_at(s, i);
        c->scanned = k->number;
        if (!filter_box_packet(f, s, k))
            continue;
        if (ARRAY_GROW(c->shown, c->nshown + 1, c->shown_alloc) < 0)
            return;
        c->shown[c->nshown++] = k->number;
    }
    ui->more_work |= i < n;
}

static int count(struct ui *ui, const struct console *c)
{
    return (int)(ui->filter.text[0] ? c->nshown : session_packets(ui->s));
}

static const struct kept_packet *nth(struct ui *ui, const struct console *c, int n)
{
    if (n < 0 || n >= count(ui, c))
        return NULL;
    return ui->filter.text[0] ? session_packet(ui->s, c->shown[n])
                              : session_packet_at(ui->s, (size_t)n);
}

static int index_of(struct ui *ui, const struct console *c, uint64_t number)
{
    size_t low = 0, high = c->nshown;

    if (!ui->filter.text[0])
        return (int)index_from(ui->s, number);
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (c->shown[mid] < number)
            low = mid + 1;
        else
            high = mid;
    }
    return (int)low;
}

/* ---- drawing ---- */

struct columns {
    int time, from, to, flags, seq, ack, len, ttl, info; /* widths; 0: not shown */
};

static struct columns choose(const struct packet_line *lines, int n, int w)
{
    struct columns c = {
        .time = 13, .from = 8, .to = 8, .flags = 6, .seq = 12, .ack = 12, .len = 6, .ttl = 4};
    int *optional[] = {&c.ack, &c.seq, &c.ttl, &c.len};

    for (int i = 0; i < n; i++) {
        c.from = MAX_OF(c.from, text_columns(lines[i].from));
        c.to = MAX_OF(c.to, text_columns(lines[i].to));
    }
    /* An IPv4 end and its port stay whole where they can; two IPv6 ends share half the row. */
    int most = MAX_OF(w / 4, w >= 76 ? 21 : 15);
    c.from = MIN_OF(c.from, most);
    c.to = MIN_OF(c.to, most) + 1;
    c.from += 3; /* the arrow */
    for (size_t i = 0; i <= ARRAY_SIZE(optional); i++) {
        c.info = w - 1 - c.time - c.from - c.to - c.flags - c.seq - c.ack - c.len - c.ttl;
        if (c.info >= 22 || i == ARRAY_SIZE(optional))
            break;
        *optional[i] = 0;
    }
    if (c.info < 16) { /* narrow: the milliseconds say little */
        c.info += 4;
        c.time -= 4;
    }
    return c;
}

static void draw_head(struct area a, const struct columns *c)
{
    const struct {
        const char *title;
        int w;
        bool right;
    } head[] = {
        {_("time"), c->time, false},   {_("from"), c->from, false}, {_("to"), c->to, false},
        {_("flags"), c->flags, false}, {"seq", c->seq, true},       {"ack", c->ack, true},
        {_("len"), c->len, true},      {"ttl", c->ttl, true},       {_("info"), c->info, false}};
    int x = 1;

    for (size_t i = 0; i < ARRAY_SIZE(head); i++) {
        if (head[i].w <= 0)
            continue;
        if (head[i].right)
            area_put_right(a, x, 0, head[i].w - 1, LOOK_HEAD, head[i].title);
        else
            area_put(a, x, 0, head[i].w - (head[i].w < 6 ? 0 : 1), LOOK_HEAD, head[i].title);
        x += head[i].w;
    }
}

static void put_number(struct area a, int *x, int y, int w, enum look look, uint32_t n)
{
    char text[16];

    if (w <= 0)
        return;
    snprintf(text, sizeof(text), "%u", n);
    area_put_right(a, *x, y, w - 1, look, text);
    *x += w;
}

static void draw_line(struct area a, int y, const struct columns *c, const struct packet_line *l)
{
    enum look look = l->reset ? LOOK_RESET : LOOK_NORMAL;
    enum look dim = l->reset ? LOOK_RESET : LOOK_DIM;
    int x = 1;

    if (l->reset)
        area_fill(area_sub(a, 0, y, a.w, 1), LOOK_RESET);
    /* Without the milliseconds the clock is simply shorter, not cut. */
    char clock[TIME_TEXT_MAX];
    snprintf(clock, sizeof(clock), "%.*s", c->time - 1, l->time);
    area_put(a, x, y, -1, dim, clock);
    x += c->time;
    area_put(a, x, y, c->from - 3, look, l->from);
    area_put(a, x + c->from - 2, y, 1, dim, "→");
    x += c->from;
    area_put(a, x, y, c->to - 1, look, l->to);
    x += c->to;
    area_put(a, x, y, c->flags - 1, look, l->flags);
    x += c->flags;
    put_number(a, &x, y, c->seq, dim, l->seq);
    put_number(a, &x, y, c->ack, dim, l->ack);
    put_number(a, &x, y, c->len, look, l->len);
    put_number(a, &x, y, c->ttl, dim, l->ttl);
    area_put(a, x, y, a.w - x, l->reset ? look : LOOK_NOTE, l->info);
}

/* Why there are none, in full: the message line may be too narrow for the command. */
static void draw_no_capture(struct ui *ui, struct area a)
{
    struct lines l = {0};
    struct cursor_pos top = {0, 0};

    lines_add(&l, a.w - 1, LOOK_DIM, 1, 0, 0, -1,
              _("packets are not captured: resets are told by the sockets and counters alone"));
    if (ui->permission[0])
        lines_add(&l, a.w - 1, LOOK_WARN, 1, 2, 0, -1, ui->permission);
    lines_draw(&l, a, &top, false);
    lines_release(&l);
}

static void draw_empty(struct ui *ui, struct area a)
{
    const struct session *s = ui->s;
    const char *text = _("no packet so far");

    if (session_packets(s))
        text = ui->more_work ? _("filtering") : _("none passes the filter: x clears it");
    else if (s->vantage.capture == VANTAGE_NONE) {
        draw_no_capture(ui, a);
        return;
    }
    area_put(a, 1, 0, -1, LOOK_DIM, text);
}

void packets_draw(struct ui *ui, struct console *c, struct area frame, bool focus)
{
    struct area a = frame_inside(frame);
    struct packet_line *lines = c->lines;
    int n, rows;

    scan(ui, c);
    n = count(ui, c);
    if (n == 0 || a.h < 1) {
        draw_empty(ui, a);
        return;
    }
    c->packets_page = MAX_OF(a.h - 1, 1);
    c->packets.sel = c->packet_sel ? index_of(ui, c, c->packet_sel) : n - 1;
    cursor_clamp(&c->packets, n, c->packets_page);
    rows = MIN_OF(MIN_OF(c->packets_page, n - c->packets.top), CANVAS_MAX_ROWS);
    for (int i = 0; i < rows; i++) {
        const struct kept_packet *k = nth(ui, c, c->packets.top + i);
        if (k)
            packet_line_fill(&lines[i], ui->s, k);
        else
            memset(&lines[i], 0, sizeof(lines[i]));
    }
    struct columns cols = choose(lines, rows, a.w);
    draw_head(a, &cols);
    for (int i = 0; i < rows; i++) {
        draw_line(a, i + 1, &cols, &lines[i]);
        const struct kept_packet *k = nth(ui, c, c->packets.top + i);
        char letter[2] = {(char)(k ? mark_of_packet(ui, k->number) : 0), '\0'};
        if (letter[0])
            area_put(a, 0, i + 1, 1, LOOK_KEY, letter);
        if (focus && c->packets.top + i == c->packets.sel) {
            area_select(a, i + 1);
            area_put(a, 0, i + 1, 1, lines[i].reset ? LOOK_RESET : LOOK_FOCUS, "▸");
        }
    }
    range_draw(frame, c->packets.top, n, c->packets_page);
}

/* ---- moving ---- */

static void remember(struct ui *ui, struct console *c)
{
    int n = count(ui, c);
    const struct kept_packet *k = nth(ui, c, c->packets.sel);

    c->packet_sel = k && c->packets.sel < n - 1 ? k->number : 0;
}

bool packets_action(struct ui *ui, struct console *c, enum action a)
{
    int n = count(ui, c);

    if (!cursor_move(&c->packets, a, n, c->packets_page))
        return false;
    remember(ui, c);
    return true;
}

void packets_click(struct ui *ui, struct console *c, int row)
{
    c->packets.sel = c->packets.top + MAX_OF(row, 0);
    cursor_clamp(&c->packets, count(ui, c), c->packets_page);
    remember(ui, c);
}

void packets_show(struct ui *ui, struct console *c, uint64_t packet)
{
    if (!session_packet(ui->s, packet)) {
        ui_note(ui, LOOK_NOTE, _("packet %llu is not kept any more"), (unsigned long long)packet);
        return;
    }
    c->packet_sel = packet;
    c->packets.sel = index_of(ui, c, packet);
    cursor_clamp(&c->packets, count(ui, c), c->packets_page);
}

void packets_find_reset(struct ui *ui, struct console *c, bool forward)
{
    int n = count(ui, c), step = forward ? 1 : -1;
    int from = c->packet_sel ? index_of(ui, c, c->packet_sel) : n - 1;

    for (int i = from + step, left = n; left > 0; i += step, left--) {
        i = (i + n) % n; /* round the end */
        const struct kept_packet *k = nth(ui, c, i);
        if (k && k->is_reset) {
            c->packets.sel = i;
            cursor_clamp(&c->packets, n, c->packets_page);
            c->packet_sel = k->number;
            return;
        }
    }
    ui_note(ui, LOOK_NOTE, "%s", _("no reset among the packets"));
}

void packets_place(struct ui *ui, struct console *c, struct place *at)
{
    int n = count(ui, c);
    const struct kept_packet *k =
        c->packet_sel ? session_packet(ui->s, c->packet_sel) : nth(ui, c, n - 1);

    if (!k)
        return;
    at->packet = k->number;
    at->flow = k->flow;
    const struct incident *i = k->flow ? session_incident_of_flow(ui->s, k->flow) : NULL;
    at->incident = i ? i->id : 0;
}
