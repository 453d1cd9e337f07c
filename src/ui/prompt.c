/*
 * prompt.c: the one line a person types into.
 */
#include "ui/screen.h"

#include <stdio.h>
#include <string.h>

bool prompt_open(const struct ui *ui)
{
    return ui->prompt.label != NULL;
}

void ui_prompt(struct ui *ui, const char *label, const char *text, void (*changed)(struct ui *ui),
               void (*done)(struct ui *ui, bool ok))
{
    struct prompt *p = &ui->prompt;

    memset(p, 0, sizeof(*p));
    p->label = label;
    p->look = LOOK_INPUT;
    p->changed = changed;
    p->done = done;
    snprintf(p->text, sizeof(p->text), "%s", text);
    p->len = p->at = strlen(p->text);
    if (changed)
        changed(ui);
}

void ui_ask(struct ui *ui, const char *question, void (*done)(struct ui *ui, bool ok))
{
    ui_prompt(ui, question, "", NULL, done);
    ui->prompt.one_key = true;
}

static void finish(struct ui *ui, bool ok)
{
    struct prompt p = ui->prompt;

    /* Closed before the callback, which may open the next one. */
    ui->prompt.label = NULL;
    if (p.done)
        p.done(ui, ok);
}

static size_t before(const struct prompt *p, size_t at)
{
    if (at == 0)
        return 0;
    do
        at--;
    while (at > 0 && ((unsigned char)p->text[at] & 0xc0) == 0x80);
    return at;
}

static size_t after(const struct prompt *p, size_t at)
{
    if (at < p->len)
        at++;
    while (at < p->len && ((unsigned char)p->text[at] & 0xc0) == 0x80)
        at++;
    return at;
}

static void cut(struct prompt *p, size_t from, size_t to)
{
    memmove(p->text + from, p->text + to, p->len - to + 1);
    p->len -= to - from;
    p->at = from;
}

static size_t word_before(const struct prompt *p)
{
    size_t at = p->at;

    while (at > 0 && p->text[at - 1] == ' ')
        at--;
    while (at > 0 && p->text[at - 1] != ' ')
        at--;
    return at;
}

static bool insert(struct prompt *p, int code)
{
    char text[4];
    size_t n = utf8_encode(text, code);

    if (p->len + n >= sizeof(p->text))
        return false;
    memmove(p->text + p->at + n, p->text + p->at, p->len - p->at + 1);
    memcpy(p->text + p->at, text, n);
    p->len += n;
    p->at += n;
    return true;
}

static bool edit(struct prompt *p, int code)
{
    switch (code) {
    case K_BACKSPACE: cut(p, before(p, p->at), p->at); return true;
    case K_DELETE:
    case 4: cut(p, p->at, after(p, p->at)); return true;
    case 21: cut(p, 0, p->at); return true;              /* ^U */
    case 11: cut(p, p->at, p->len); return true;         /* ^K */
    case 23: cut(p, word_before(p), p->at); return true; /* ^W */
    case K_LEFT: p->at = before(p, p->at); return false;
    case K_RIGHT: p->at = after(p, p->at); return false;
    case K_HOME:
    case 1: p->at = 0; return false;
    case K_END:
    case 5: p->at = p->len; return false;
    default: return code >= 0x20 && code < K_SPECIAL && code != K_BACKSPACE && insert(p, code);
    }
}

void prompt_key(struct ui *ui, int code)
{
    struct prompt *p = &ui->prompt;

    if (code == K_ESC || code == 3 || (p->one_key && (code == 'n' || code == 'N'))) {
        finish(ui, false);
    } else if (p->one_key) {
        if (code == 'y' || code == 'Y' || code == K_ENTER)
            finish(ui, true);
    } else if (code == K_ENTER) {
        finish(ui, true);
    } else if (code == K_BACKSPACE && p->len == 0) {
        finish(ui, false);
    } else if (edit(p, code) && p->changed) {
        p->changed(ui);
    }
}

void prompt_draw(struct ui *ui, struct area a)
{
    struct prompt *p = &ui->prompt;
    int label = area_put(a, 0, 0, a.w * 2 / 3, LOOK_KEY, p->label) + 1;
    int room = MAX_OF(a.w - label, 4), cols;
    const char *from = p->text;
    char head[PROMPT_MAX];

    if (p->one_key) {
        area_put(a, label, 0, -1, LOOK_NORMAL, p->hint);
        area_cursor(a, MIN_OF(label, a.w - 1), 0);
        return;
    }
    memcpy(head, p->text, p->at);
    head[p->at] = '\0';
    cols = text_columns(head);
    while (cols >= room && from < p->text + p->at) { /* the cursor stays in sight */
        utf8_next(&from);
        cols--;
    }
    int used = area_put(a, label, 0, room, p->look, from);
    area_cursor(a, MIN_OF(label + cols, a.w - 1), 0);
    if (p->hint[0] && label + used + 3 < a.w)
        area_put(a, label + used + 3, 0, -1, p->look == LOOK_INPUT_BAD ? LOOK_BAD : LOOK_DIM,
                 p->hint);
}
