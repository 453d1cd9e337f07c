/*
 * help.c: the keys of the screen below, from the table that dispatches them; and what a reset is.
 */
#include "ui/screen.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_KEYS, PAGE_RESET, PAGE_MARKS, PAGE_COUNT };
struct help {
    unsigned context; /* of the screen it was opened from */
    const char *of;
    int page;
    struct cursor_pos at;
    int rows;
    struct lines lines;
};

static const char *const titles[PAGE_COUNT] = {N_("Keys"), N_("What a reset is"),
                                               N_("Words and marks")};

static int help_open(struct ui *ui, void *state, const struct place *at)
{
    struct help *h = state;
    const struct screen *below = ui->depth ? ui->stack[ui->depth - 1].screen : &console_screen;

    (void)at;
    h->context = below->context;
    h->of = below->title;
    return 0;
}

static void help_close(struct ui *ui, void *state)
{
    struct help *h = state;

    (void)ui;
    lines_release(&h->lines);
}

static void add_actions(struct ui *ui, struct help *h, int width, bool own)
{
    for (int a = 1; a < ACTION_COUNT; a++) {
        const struct action_info *info = action_info(a);
        char keys[64], text[400];
        bool everywhere = (info->contexts & IN_MOST) == IN_MOST;
        if (!(info->contexts & h->context) || everywhere == own)
            continue;
        keymap_text(&ui->keys, a, keys, sizeof(keys));
        int pad = MAX_OF(14 - text_columns(keys), 1);
        snprintf(text, sizeof(text), "%s%*s%s", keys, pad, "", _(info->help));
        lines_add(&h->lines, width, LOOK_NORMAL, 2, 14, 0, a, text);
    }
}

static void add_keys(struct ui *ui, struct help *h, int width)
{
    char text[120];

    snprintf(text, sizeof(text), _("In %s"), _(h->of));
    lines_add(&h->lines, width, LOOK_TITLE, 0, 0, 0, -1, text);
    add_actions(ui, h, width, true);
    lines_add(&h->lines, width, LOOK_NORMAL, 0, 0, 0, -1, "");
    lines_add(&h->lines, width, LOOK_TITLE, 0, 0, 0, -1, _("Everywhere"));
    add_actions(ui, h, width, false);
}

static void add_reset_page(struct help *h, int width)
{
    static const struct {
        enum look look;
        const char *text;
    } page[] = {
        {LOOK_TITLE, N_("A reset")},
        {LOOK_NORMAL,
         N_("A TCP reset (RST) ends a connection at once. What was on the way is lost, and the "
            "program at the other end reads \"connection reset by peer\". The segment bears the "
            "address of the peer, but a firewall, a load balancer or this host may have made it: "
            "its TTL, its sequence number and its timing tell which.")},
        {LOOK_NORMAL, ""},
        {LOOK_TITLE, N_("A normal close")},
        {LOOK_NORMAL,
         N_("Each side sends a FIN when it has no more to say, and each FIN is acknowledged: both "
            "know that everything arrived (RFC 9293, section 3.6). In a Flow, the key = draws it "
            "beside yours.")},
        {LOOK_NORMAL, ""},
        {LOOK_TITLE, N_("When a reset is meant so")},
        {LOOK_NORMAL,
         N_("No program listens on the port: the host answers the SYN with a reset. A program "
            "closes with unread data, or asks for it (SO_LINGER 0). A segment arrives for a "
            "connection nobody knows any more, after a restart or a forgotten idle one.")},
        {LOOK_NORMAL, ""},
        {LOOK_TITLE, N_("When it does not hurt")},
        {LOOK_NORMAL,
         N_("A client that has its whole answer may reset instead of closing. Such a reset is "
            "listed as harmless, with the reason. H hides them in the console.")},
    };

    for (size_t i = 0; i < ARRAY_SIZE(page); i++)
        lines_add(&h->lines, width, page[i].look, page[i].look == LOOK_TITLE ? 0 : 2, 0, 0, -1,
                  page[i].text[0] ? _(page[i].text) : "");
}

static void add_marks_page(struct ui *ui, struct help *h, int width)
{
    const struct {
        const char *mark, *ascii, *text;
    } marks[] = {
        {"▲", "!", N_("suspect: what is known speaks for it")},
        {"✓", "+", N_("pass: looked at, and it is not this")},
        {"✗", "x", N_("ruled out: it cannot be, other facts say so")},
        {"?", "?", N_("unknown: nobody has looked yet; answering would help")},
        {"»", ">", N_("skipped: set aside by you")},
        {"█", "#", N_("a bar: how sure the verdict is")},
        {"×", "x",
         N_("in a row of rounds: this round failed; the others are higher the longer they took")},
        {"●", "*", N_("in the top bar: capturing")},
    };
    const struct {
        const char *text;
    } words[] = {
        /* xgettext:no-c-format */
        {N_("confirmed: a fact decides it, and the confidence is 95 % or more")},
        /* xgettext:no-c-format */
        {N_("likely: 60 % or more")},
        /* xgettext:no-c-format */
        {N_("possible: 20 % or more; what would tell is listed under missing")},
        {N_("not determined: nothing is likely; the checklist names the next question")},
    };

    lines_add(&h->lines, width, LOOK_TITLE, 0, 0, 0, -1, _("Marks"));
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
        char text[300];
        snprintf(text, sizeof(text), "%s  %s", mark(ui, marks[i].mark, marks[i].ascii),
                 _(marks[i].text));
        lines_add(&h->lines, width, LOOK_NORMAL, 2, 3, 0, -1, text);
    }
    lines_add(&h->lines, width, LOOK_NORMAL, 0, 0, 0, -1, "");
    lines_add(&h->lines, width, LOOK_TITLE, 0, 0, 0, -1, _("How sure"));
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        lines_add(&h->lines, width, LOOK_NORMAL, 2, 2, 0, -1, _(words[i].text));
}

static void draw_tabs(struct area a, int page)
{
    int x = 2;

    for (int i = 0; i < PAGE_COUNT; i++) {
        char text[80];
        snprintf(text, sizeof(text), " %d %s ", i + 1, _(titles[i]));
        x += area_put(a, x, 0, a.w - 2 - x, i == page ? LOOK_FOCUS : LOOK_TITLE, text);
        if (i + 1 < PAGE_COUNT)
            x += area_put(a, x, 0, 1, LOOK_FRAME, "─");
    }
}

static void help_draw(struct ui *ui, void *state, struct area a)
{
    struct help *h = state;
    struct area inside = frame_draw(a, "", true);

    draw_tabs(a, h->page);
    inside = area_sub(inside, 1, 0, MIN_OF(inside.w - 2, 96), inside.h);
    lines_clear(&h->lines);
    if (h->page == PAGE_KEYS)
        add_keys(ui, h, inside.w);
    else if (h->page == PAGE_RESET)
        add_reset_page(h, inside.w);
    else
        add_marks_page(ui, h, inside.w);
    h->rows = inside.h;
    /* Text, not a list: the cursor is the first line shown. */
    h->at.sel = h->at.top = MAX_OF(MIN_OF(h->at.top, (int)h->lines.nr - inside.h), 0);
    lines_draw(&h->lines, inside, &h->at, false);
    for (int y = 0; h->page == PAGE_KEYS && y < inside.h; y++) {
        int at = h->at.top + y;
        char keys[64];
        if (at >= (int)h->lines.nr || h->lines.v[at].item < 0 || h->lines.v[at].indent != 2)
            continue;
        keymap_text(&ui->keys, (enum action)h->lines.v[at].item, keys, sizeof(keys));
        area_put(inside, 2, y, 14, LOOK_KEY, keys);
    }
    range_draw(area_sub(a, 0, 0, a.w, 1), h->at.top, (int)h->lines.nr, inside.h);
}

static bool help_action(struct ui *ui, void *state, enum action a)
{
    struct help *h = state;
    struct cursor_pos c = {.sel = h->at.top, .top = h->at.top};
    int last = MAX_OF((int)h->lines.nr - h->rows, 0);

    (void)ui;
    if (a == ACTION_HELP)
        return true; /* it is open */
    if (a == ACTION_NEXT_PANE || a == ACTION_PREVIOUS_PANE) {
        h->page = (h->page + (a == ACTION_NEXT_PANE ? 1 : PAGE_COUNT - 1)) % PAGE_COUNT;
        h->at = (struct cursor_pos){0};
        return true;
    }
    if (a >= ACTION_TAB_1 && a <= ACTION_TAB_3) {
        h->page = (int)(a - ACTION_TAB_1);
        h->at = (struct cursor_pos){0};
        return true;
    }
    if (!cursor_move(&c, a, last + 1, MAX_OF(h->rows, 1)))
        return false;
    h->at.top = MIN_OF(c.sel, last);
    return true;
}

const struct screen help_screen = {
    .name = "help",
    .title = N_("Help"),
    .context = IN_HELP,
    .state_size = sizeof(struct help),
    .open = help_open,
    .draw = help_draw,
    .action = help_action,
    .close = help_close,
};
