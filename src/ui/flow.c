/*
 * flow.c: the ladder of a connection, and a normal close beside it.
 */
#include "ui/screen.h"
#include "view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDE_BY_SIDE 110

enum { COLUMNS_TIME, COLUMNS_SEQ, COLUMNS_TTL, COLUMNS_COUNT };
struct flow_view {
    uint64_t flow, start_packet, built;
    int columns;
    bool compare, cursor_set, tight; /* tight: a line for each packet, no time scale */
    struct ladder ladder, normal;
    struct shown {
        int row;    /* of the ladder */
        int spacer; /* from 1: room that stands for time before it; 0: the row itself */
    } * shown;
    size_t nshown, shown_alloc;
    struct cursor_pos at; /* of the ladder's rows */
    int top, rows;        /* of what is shown */
};

static int flow_open(struct ui *ui, void *state, const struct place *at)
{
    struct flow_view *v = state;

    (void)ui;
    v->flow = at->flow;
    v->start_packet = at->packet;
    v->built = UINT64_MAX;
    return ladder_normal_close(&v->normal);
}

static void flow_close(struct ui *ui, void *state)
{
    struct flow_view *v = state;

    (void)ui;
    ladder_release(&v->ladder);
    ladder_release(&v->normal);
    free(v->shown);
}

static void find_start(struct flow_view *v)
{
    for (size_t i = 0; i < v->ladder.nr; i++) {
        const struct ladder_row *row = &v->ladder.rows[i];
        if (v->start_packet ? row->packet == v->start_packet : row->is_cause_reset) {
            v->at.sel = (int)i;
            v->at.top = MAX_OF((int)i - 12, 0); /* what led to it is above */
            return;
        }
    }
}

/* How many empty rows a pause gets: time drawn to a scale that one can take in at a glance. Whole
 * seconds are a row of their own, folded. */
static int spacers_before(const struct ladder_row *row)
{
    if (row->kind != LADDER_PACKET || row->gap >= NS_PER_SEC)
        return 0;
    return row->gap >= 200 * NS_PER_MS  ? 3
           : row->gap >= 40 * NS_PER_MS ? 2
                                        : row->gap >= 8 * NS_PER_MS;
}

static void lay_out(struct flow_view *v)
{
    v->nshown = 0;
    for (size_t i = 0; i < v->ladder.nr; i++) {
        int spacers = v->tight ? 0 : spacers_before(&v->ladder.rows[i]);
        if (ARRAY_GROW(v->shown, v->nshown + (size_t)spacers + 1, v->shown_alloc) < 0)
            return;
        for (int k = 1; k <= spacers; k++)
            v->shown[v->nshown++] = (struct shown){(int)i, k};
        v->shown[v->nshown++] = (struct shown){(int)i, 0};
    }
}

/* The cursor's row in sight, as in a list of what is shown. */
static void scroll(struct flow_view *v)
{
    struct cursor_pos c = {.top = v->top};

    for (size_t i = 0; i < v->nshown; i++)
        if (v->shown[i].row == v->at.sel && !v->shown[i].spacer)
            c.sel = (int)i;
    cursor_clamp(&c, (int)v->nshown, v->rows);
    v->top = c.top;
}

static void rebuild(struct ui *ui, struct flow_view *v)
{
    if (v->built == ui->s->revision)
        return;
    v->built = ui->s->revision;
    ladder_build(&v->ladder, ui->s, v->flow);
    lay_out(v);
    if (!v->cursor_set && v->ladder.nr) {
        find_start(v);
        v->cursor_set = true;
    }
}

/* ---- one ladder ---- */

struct lanes {
    int left, right, extra; /* columns of the two lines; where further columns begin */
};

static struct lanes lanes_of(struct area a, int columns)
{
    int extra = columns == COLUMNS_SEQ ? 30 : columns == COLUMNS_TTL ? 20 : 8;
    struct lanes l = {.left = a.w < 60 ? 10 : 13};

    if (a.w - extra - l.left < 30)
        extra = 0;
    l.right = a.w - extra - 2;
    l.extra = a.w - extra;
    return l;
}

static void draw_ends(struct area a, const struct lanes *l, const struct ladder *ladder)
{
    char from[ENDPOINT_TEXT_MAX + 20], to[ENDPOINT_TEXT_MAX + 20], ep[ENDPOINT_TEXT_MAX];
    int room = MAX_OF((l->right - l->left) / 2, 4);

    snprintf(from, sizeof(from), "%s", _("client"));
    snprintf(to, sizeof(to), "%s", _("server"));
    if (ladder->key.src.family) {
        snprintf(from, sizeof(from), "%s %s", _("client"),
                 endpoint_text(ep, &ladder->key.src, ladder->key.sport));
        snprintf(to, sizeof(to), "%s %s", endpoint_text(ep, &ladder->key.dst, ladder->key.dport),
                 _("server"));
    }
    area_put(a, 1, 0, l->left - 2, LOOK_HEAD, _("time"));
    area_put(a, l->left, 0, room, LOOK_STRONG, from);
    area_put_right(a, l->right - room + 1, 0, room, LOOK_STRONG, to);
}

static void draw_extra_head(struct area a, const struct lanes *l, int columns)
{
    if (l->extra >= a.w)
        return;
    if (columns == COLUMNS_TTL) {
        area_put_right(a, l->extra, 0, 4, LOOK_HEAD, "ttl");
        area_put_right(a, l->extra + 5, 0, 6, LOOK_HEAD, _("flags"));
        area_put(a, l->extra + 13, 0, -1, LOOK_HEAD, _("packet"));
    } else if (columns == COLUMNS_SEQ) {
        area_putf(a, l->extra, 0, 22, LOOK_HEAD, "%10s %10s", "seq", "ack");
        area_put_right(a, l->extra + 22, 0, 6, LOOK_HEAD, _("len"));
    } else {
        area_put_right(a, l->extra, 0, 7, LOOK_HEAD, _("len"));
    }
}

static void draw_extra(struct area a, int y, const struct lanes *l, int columns,
                       const struct ladder_row *row)
{
    enum look look = row->is_reset ? LOOK_RESET : LOOK_DIM;
    char flags[9], ack[16] = "-";

    if (l->extra >= a.w)
        return;
    if (row->flags & TCP_ACK)
        snprintf(ack, sizeof(ack), "%u", row->ack);
    if (columns == COLUMNS_SEQ)
        area_putf(a, l->extra, y, -1, look, "%10u %10s %6u", row->seq, ack, row->len);
    else if (columns == COLUMNS_TTL)
        area_putf(a, l->extra, y, -1, look, "%4u %6s  %llu", row->ttl,
                  tcp_flags_text(flags, row->flags), (unsigned long long)row->packet);
    else if (row->len)
        area_putf(a, l->extra, y, -1, look, "%7u", row->len);
}

static void draw_arrow(struct area a, int y, const struct lanes *l, const struct ladder_row *row)
{
    enum look look = row->is_reset          ? LOOK_RESET
                     : row->flags & TCP_FIN ? LOOK_NOTE
                     : row->len             ? LOOK_STRONG
                                            : LOOK_NORMAL;
    enum look line = row->is_reset ? LOOK_RESET : LOOK_DIM;
    int from = l->left + 1, w = l->right - l->left - 1;
    int room = w - 6, cols = MIN_OF(text_columns(row->label), MAX_OF(room, 0));
    bool to_right = row->from == SIDE_ORIG;

    area_hline(a, from, y, w, line);
    /* The label stands near the end it leaves from. */
    int x = to_right ? from + 2 : from + w - 3 - cols;
    if (cols > 0) {
        area_put(a, x - 1, y, 1, look, " ");
        area_put(a, x, y, cols, look, row->label);
        area_put(a, x + cols, y, 1, look, " ");
    }
    area_put(a, to_right ? from + w - 1 : from, y, 1, row->is_reset ? LOOK_RESET : LOOK_NORMAL,
             to_right ? "▶" : "◀");
}

/* Three digits or so, whatever it is: one looks for what is large. */
static void time_text(char *out, size_t outlen, nstime t)
{
    double us = (double)t / NS_PER_US;

    if (t < NS_PER_MS)
        snprintf(out, outlen, "%.0f us", us);
    else if (t < NS_PER_SEC)
        snprintf(out, outlen, t < 100 * NS_PER_MS ? "%.1f ms" : "%.0f ms", us / 1e3);
    else
        snprintf(out, outlen, t < 100 * NS_PER_SEC ? "%.3f s" : "%.1f s", us / 1e6);
}

static void draw_spacer(struct area a, int y, const struct lanes *l, const struct ladder_row *row,
                        bool first)
{
    char text[TIME_TEXT_MAX], more[TIME_TEXT_MAX + 2];

    area_put(a, l->left, y, 1, LOOK_FRAME, "│");
    area_put(a, l->right, y, 1, LOOK_FRAME, "│");
    if (!first)
        return;
    time_text(text, sizeof(text), row->gap);
    snprintf(more, sizeof(more), "+%s", text);
    area_put_right(a, 0, y, l->left - 1, LOOK_NOTE, more);
}

static void draw_ladder_row(struct area a, int y, const struct lanes *l, int columns,
                            const struct ladder_row *row)
{
    char t[32];

    area_put(a, l->left, y, 1, LOOK_FRAME, row->kind == LADDER_GAP ? "┊" : "│");
    area_put(a, l->right, y, 1, LOOK_FRAME, row->kind == LADDER_GAP ? "┊" : "│");
    if (row->kind == LADDER_GAP) {
        int cols = text_columns(row->label), w = l->right - l->left - 1;
        area_put(a, l->left + 1 + MAX_OF((w - cols) / 2, 0), y, w, LOOK_WARN, row->label);
        return;
    }
    if (row->kind == LADDER_NOTE) {
        area_put(a, l->left + 2, y, l->right - l->left - 3, LOOK_WARN, row->label);
        return;
    }
    time_text(t, sizeof(t), row->time);
    area_put_right(a, 0, y, l->left - 1, row->is_reset ? LOOK_BAD : LOOK_DIM, t);
    draw_arrow(a, y, l, row);
    draw_extra(a, y, l, columns, row);
}

static void draw_ladder(struct flow_view *v, struct area a)
{
    struct lanes l = lanes_of(a, v->columns);

    draw_ends(a, &l, &v->ladder);
    draw_extra_head(a, &l, v->columns);
    struct area body = area_sub(a, 0, 1, a.w, a.h - 1);
    cursor_clamp(&v->at, (int)v->ladder.nr, body.h);
    scroll(v);
    for (int y = 0; y < body.h && v->top + y < (int)v->nshown; y++) {
        const struct shown *s = &v->shown[v->top + y];
        const struct ladder_row *row = &v->ladder.rows[s->row];
        if (s->spacer) {
            draw_spacer(body, y, &l, row, s->spacer == 1);
            continue;
        }
        draw_ladder_row(body, y, &l, v->columns, row);
        if (s->row == v->at.sel) {
            area_put(body, 0, y, 1, LOOK_FOCUS, "▸");
            area_select(body, y);
        }
    }
}

static void draw_model(struct area a, const struct ladder *ladder, int columns)
{
    struct lanes l = lanes_of(a, columns);

    draw_ends(a, &l, ladder);
    draw_extra_head(a, &l, columns);
    for (int y = 0; y + 1 < a.h && y < (int)ladder->nr; y++)
        draw_ladder_row(area_sub(a, 0, 1, a.w, a.h - 1), y, &l, columns, &ladder->rows[y]);
}

/* ---- what was on its way when the reset came ---- */

/* A bar of what each side had sent: full what was acknowledged, hollow what was not. */
static int draw_in_flight(struct ui *ui, const struct reset *r, struct area a)
{
    static const char *const sides[] = {N_("client sent"), N_("server sent")};
    uint64_t most = 1;
    int y = 0, label = MAX_OF(text_columns(_(sides[0])), text_columns(_(sides[1]))) + 1;
    int w = MAX_OF(MIN_OF(a.w - label - 44, 60), 8);

    for (int side = 0; side < 2; side++)
        most = MAX_OF(most, r->bytes[side].known ? r->bytes[side].sent : 0);
    for (int side = 0; side < 2 && y < a.h; side++) {
        uint64_t sent = r->bytes[side].sent, acked = MIN_OF(r->bytes[side].acked, sent);
        char n[32], open[32];
        if (!r->bytes[side].known)
            continue;
        area_put(a, 1, y, label, LOOK_DIM, _(sides[side]));
        int full = (int)((double)sent / (double)most * w + .5);
        int got = sent ? (int)((double)acked / (double)sent * full + .5) : 0;
        if (sent > acked && got == full && full > 0)
            got--; /* what was lost is never drawn as nothing */
        for (int x = 0; x < full; x++)
            area_put(a, 1 + label + x, y, 1, x < got ? LOOK_GAUGE : LOOK_WARN,
                     x < got ? mark(ui, "█", "#") : mark(ui, "░", "."));
        count_text(n, sizeof(n), sent);
        count_text(open, sizeof(open), sent - acked);
        if (sent > acked)
            area_putf(a, 2 + label + full, y, -1, LOOK_WARN,
                      _("%s bytes, %s of them in flight: never acknowledged"), n, open);
        else
            area_putf(a, 2 + label + full, y, -1, LOOK_NORMAL,
                      sent ? _("%s bytes, all acknowledged") : _("nothing"), n);
        y++;
    }
    return y;
}

/* ---- the arithmetic of the row under the cursor ---- */

static void draw_detail(struct ui *ui, struct flow_view *v, struct area a)
{
    const struct reset *r = flow_table_reset_of(ui->s->flows, v->flow);
    const struct ladder_row *row;
    char flags[9];

    if (v->at.sel >= (int)v->ladder.nr)
        return;
    row = &v->ladder.rows[v->at.sel];
    if (row->kind != LADDER_PACKET) {
        area_put(a, 1, 0, -1, LOOK_WARN, row->label);
        return;
    }
    int x = 1;
    x += area_putf(a, x, 0, -1, LOOK_NORMAL,
                   _("packet %llu   seq %u + %u = %u   ack %u   %s   ttl %u"),
                   (unsigned long long)row->packet, row->seq, row->len,
                   row->seq + row->len + !!(row->flags & TCP_SYN) + !!(row->flags & TCP_FIN),
                   row->ack, tcp_flags_text(flags, row->flags), row->ttl);
    if (!row->is_cause_reset || !r)
        return;
    int y = r->seq_fit != SEQ_UNKNOWN;
    if (r->seq_fit == SEQ_EXACT)
        area_put(a, 1, 1, -1, LOOK_NORMAL, _("its number is exactly the next expected one"));
    else if (r->seq_fit != SEQ_UNKNOWN)
        area_putf(a, 1, 1, -1, LOOK_WARN, _("its number is %d off the next expected one"),
                  r->seq_off);
    area_putf(a, 1, 1 + y, -1, LOOK_NORMAL, _("last words before it: %s"),
              r->last_words[0] ? r->last_words : _("none that can be read"));
    if (2 + y < a.h)
        draw_in_flight(ui, r, area_sub(a, 0, 2 + y, a.w, a.h - 2 - y));
}

static void flow_draw(struct ui *ui, void *state, struct area a)
{
    struct flow_view *v = state;
    char title[FLOW_KEY_TEXT_MAX + 60], key[FLOW_KEY_TEXT_MAX];
    bool beside = v->compare && a.w >= SIDE_BY_SIDE, instead = v->compare && !beside;
    int detail = a.h >= 20 ? 5 : a.h >= 14 ? 3 : 0, left = beside ? a.w * 6 / 10 : a.w;

    rebuild(ui, v);
    snprintf(title, sizeof(title), _("Flow %s%s"), flow_key_text(key, &v->ladder.key),
             v->ladder.cut ? _("   (older packets are not kept)") : "");
    if (!instead) {
        struct area outer = area_sub(a, 0, 0, left, a.h - detail);
        struct area inside = frame_draw(outer, title, true);
        v->rows = MAX_OF(inside.h - 1, 1);
        if (v->ladder.nr == 0)
            area_put(inside, 1, 0, -1, LOOK_DIM, _("no packets of this connection are kept"));
        else
            draw_ladder(v, inside);
        range_draw(outer, v->top, (int)v->nshown, v->rows);
    }
    if (v->compare) {
        struct area outer = instead ? area_sub(a, 0, 0, a.w, a.h - detail)
                                    : area_sub(a, left - 1, 0, a.w - left + 1, a.h - detail);
        struct area inside = frame_draw(outer, _("A normal close, for comparison"), instead);
        draw_model(inside, &v->normal, v->columns == COLUMNS_TTL ? 0 : v->columns);
        range_draw(outer, 0, (int)v->normal.nr, inside.h - 1);
    }
    if (detail)
        draw_detail(ui, v, area_sub(a, 0, a.h - detail, a.w, detail));
}

static bool flow_action(struct ui *ui, void *state, enum action a)
{
    struct flow_view *v = state;
    const struct incident *i;

    if (cursor_move(&v->at, a, (int)v->ladder.nr, v->rows))
        return true;
    switch (a) {
    case ACTION_COMPARE: v->compare = !v->compare; return true;
    case ACTION_TIME_SCALE:
        v->tight = !v->tight;
        lay_out(v);
        return true;
    case ACTION_COLUMNS: v->columns = (v->columns + 1) % COLUMNS_COUNT; return true;
    case ACTION_TO_RESET:
        v->start_packet = 0;
        find_start(v);
        return true;
    case ACTION_DIAGNOSE:
        i = session_incident_of_flow(ui->s, v->flow);
        ui_open_incident(ui, i ? i->id : 0);
        return true;
    case ACTION_OPEN:
        if (v->at.sel < (int)v->ladder.nr && v->ladder.rows[v->at.sel].packet)
            ui_open_packet(ui, v->ladder.rows[v->at.sel].packet);
        return true;
    default: return false;
    }
}

static void flow_place(struct ui *ui, void *state, struct place *at)
{
    const struct flow_view *v = state;

    (void)ui;
    at->flow = v->flow;
    if (v->at.sel < (int)v->ladder.nr)
        at->packet = v->ladder.rows[v->at.sel].packet;
}

static bool flow_click(struct ui *ui, void *state, int x, int y)
{
    struct flow_view *v = state;
    int at = v->top + y - 2; /* the frame and the heads of the columns */

    (void)ui;
    (void)x;
    if (y < 2 || y - 2 >= v->rows || at >= (int)v->nshown)
        return false;
    v->at.sel = v->shown[at].row;
    return true;
}

/* The ladder as text, for a ticket. */
static void flow_copy(struct ui *ui, void *state, struct strbuf *out)
{
    const struct flow_view *v = state;
    char t[TIME_TEXT_MAX], key[FLOW_KEY_TEXT_MAX];

    (void)ui;
    strbuf_addstr(out, flow_key_text(key, &v->ladder.key));
    for (size_t i = 0; i < v->ladder.nr; i++) {
        const struct ladder_row *row = &v->ladder.rows[i];
        time_text(t, sizeof(t), row->time);
        if (row->kind == LADDER_PACKET)
            strbuf_addf(out, "\n%10s %s %s", t, row->from == SIDE_ORIG ? "-->" : "<--", row->label);
        else
            strbuf_addf(out, "\n%10s     %s", "", row->label);
    }
}

const struct screen flow_screen = {
    .name = "flow",
    .title = N_("Flow"),
    .context = IN_FLOW,
    .state_size = sizeof(struct flow_view),
    .open = flow_open,
    .draw = flow_draw,
    .action = flow_action,
    .click = flow_click,
    .close = flow_close,
    .place = flow_place,
    .copy = flow_copy,
};
