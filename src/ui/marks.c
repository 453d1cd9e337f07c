/*
 * marks.c: places marked with a letter, and what is copied to the terminal's clipboard.
 */
#include "ui/screen.h"

#include <stdio.h>
#include <string.h>

/* ---- marks ---- */

static struct mark *mark_of(struct ui *ui, int letter)
{
    if (letter >= 'a' && letter <= 'z')
        return &ui->marks[letter - 'a'];
    if (letter >= 'A' && letter <= 'Z')
        return &ui->marks[26 + letter - 'A'];
    return NULL;
}

static bool here(struct ui *ui, struct mark *m)
{
    struct open_screen *top = &ui->stack[ui->depth - 1];

    m->screen = top->screen;
    m->at = (struct place){0};
    if (!top->screen->place)
        return false;
    top->screen->place(ui, top->state, &m->at);
    return true;
}

static void set_mark(struct ui *ui, int letter)
{
    struct mark *m = mark_of(ui, letter), at;

    if (!m) {
        ui_note(ui, LOOK_WARN, "%s", _("a mark is a letter"));
        return;
    }
    if (!here(ui, &at)) {
        ui_note(ui, LOOK_NOTE, "%s", _("this screen cannot be marked"));
        return;
    }
    *m = at;
    ui_note(ui, LOOK_NORMAL, _("marked as %c: '%c comes back here"), letter, letter);
}

static void go_to(struct ui *ui, const struct mark *to)
{
    struct mark target = *to, from;

    if (here(ui, &from))
        ui->back_mark = from;
    if (target.screen == &console_screen) {
        while (ui->depth > 1)
            ui_back(ui);
        if (target.screen->go)
            target.screen->go(ui, ui->stack[0].state, &target.at);
        return;
    }
    if (ui->depth > 1 && ui->stack[ui->depth - 1].screen == target.screen)
        ui_back(ui); /* the same screen elsewhere takes its place */
    ui_open(ui, target.screen, &target.at);
}

static void jump(struct ui *ui, int letter)
{
    const struct mark *m = letter == '\'' || letter == '`' ? &ui->back_mark : mark_of(ui, letter);

    if (m && m->screen)
        go_to(ui, m);
    else
        ui_note(ui, LOOK_NOTE, _("nothing is marked so; m and a letter marks"));
}

void marks_begin(struct ui *ui, enum action a)
{
    size_t at = 0;
    char all[120] = "";

    ui->letter_for = a;
    if (a == ACTION_MARK) {
        ui_note(ui, LOOK_KEY, "%s", _("mark: which letter?"));
        return;
    }
    for (int i = 0; i < 52; i++)
        if (ui->marks[i].screen)
            at += (size_t)snprintf(all + at, sizeof(all) - at, " %c",
                                   i < 26 ? 'a' + i : 'A' + i - 26);
    ui_note(ui, LOOK_KEY, _("jump: which letter?%s"), all);
}

void marks_letter(struct ui *ui, int code)
{
    enum action a = ui->letter_for;

    ui->letter_for = ACTION_NONE;
    ui->note[0] = '\0';
    if (code == K_ESC)
        return;
    if (a == ACTION_MARK)
        set_mark(ui, code);
    else
        jump(ui, code);
}

/* The letter a packet is marked with, 0 none. */
int mark_of_packet(const struct ui *ui, uint64_t packet)
{
    for (int i = 0; i < 52; i++)
        if (ui->marks[i].screen && ui->marks[i].at.packet == packet && packet)
            return i < 26 ? 'a' + i : 'A' + i - 26;
    return 0;
}

/* ---- copying ---- */

#define COPY_MAX 60000 /* base64 of it is under what terminals take of an OSC 52 */

/* Without anything better: the rows the cursor is on, else what the screen shows. */
static void copy_cells(struct ui *ui, struct strbuf *out)
{
    struct strbuf row = STRBUF_INIT;
    const struct canvas *c = &ui->canvas;
    bool any = false;

    for (int y = 0; y < c->rows; y++) {
        bool selected = false;
        size_t keep = 0;
        strbuf_reset(&row);
        for (int x = 0; x < c->cols; x++) {
            const struct cell *cell = canvas_cell(c, x, y);
            if (!cell->selected || cell->width == 0)
                continue;
            selected = true;
            strbuf_addstr(&row, cell->text);
            if (strcmp(cell->text, " ") != 0)
                keep = row.len;
        }
        if (!selected)
            continue;
        strbuf_addf(out, "%s%.*s", any ? "\n" : "", (int)keep, row.buf);
        any = true;
    }
    if (!any)
        canvas_text(c, out);
    strbuf_release(&row);
}

void ui_copy(struct ui *ui)
{
    struct open_screen *top = &ui->stack[ui->depth - 1];
    struct strbuf text = STRBUF_INIT;
    char first[80];
    size_t lines = 1;

    if (top->screen->copy)
        top->screen->copy(ui, top->state, &text);
    if (!text.len)
        copy_cells(ui, &text);
    if (text.len > COPY_MAX)
        strbuf_setlen(&text, COPY_MAX);
    for (size_t i = 0; i + 1 < text.len; i++)
        lines += text.buf[i] == '\n';
    if (text.err || !text.len) {
        ui_note(ui, LOOK_NOTE, "%s", _("there is nothing to copy here"));
    } else if (ui->term && !term_copy(ui->term, text.buf, text.len)) {
        ui_note(ui, LOOK_WARN, "%s", _("this terminal has no clipboard that programs may set"));
    } else {
        snprintf(first, sizeof(first), "%.*s", (int)strcspn(text.buf, "\n"), text.buf);
        ui_note(ui, LOOK_GOOD,
                P_("copied %zu line: %s", "copied %zu lines: %s", (unsigned long)lines), lines,
                first);
    }
    strbuf_release(&ui->copied);
    ui->copied = text;
}
