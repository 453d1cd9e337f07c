/*
 * prompt.c: the one line a person types into.
 */
#include "ui/screen.h"

#include <stdio.h>
#include <stdlib.h>
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

    if (ok && p.history && p.text[0])
        history_add(p.history, p.text);
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

/* ---- what was typed before ---- */

void history_release(struct history *h)
{
    for (size_t i = 0; i < h->n; i++)
        free(h->lines[i]);
    h->n = 0;
}

void history_add(struct history *h, const char *line)
{
    char *copy;

    if (h->n && strcmp(h->lines[h->n - 1], line) == 0)
        return;
    copy = strdup(line);
    if (!copy)
        return;
    if (h->n == PROMPT_LINES) {
        free(h->lines[0]);
        memmove(h->lines, h->lines + 1, --h->n * sizeof(h->lines[0]));
    }
    h->lines[h->n++] = copy;
}

static void recall(struct ui *ui, int step)
{
    struct prompt *p = &ui->prompt;
    size_t n = p->history ? p->history->n : 0;

    if (step > 0 ? p->history_at >= n : p->history_at == 0)
        return;
    p->history_at += (size_t)step;
    snprintf(p->text, sizeof(p->text), "%s",
             p->history_at ? p->history->lines[n - p->history_at] : "");
    p->len = p->at = strlen(p->text);
    if (p->changed)
        p->changed(ui);
}

/* ---- what it could become ---- */

void candidate(struct candidates *c, const char *typed, const char *word)
{
    if (strncmp(word, typed, strlen(typed)) != 0 || strlen(word) >= sizeof(c->words[0]))
        return;
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->words[i], word) == 0)
            return;
    if (c->n == CANDIDATES_MAX)
        c->more = true;
    else
        memcpy(c->words[c->n++], word, strlen(word) + 1);
}

static void insert_text(struct prompt *p, const char *text)
{
    size_t n = strlen(text);

    if (p->len + n >= sizeof(p->text))
        return;
    memmove(p->text + p->at + n, p->text + p->at, p->len - p->at + 1);
    memcpy(p->text + p->at, text, n);
    p->len += n;
    p->at += n;
}

/* As far as all candidates agree; several are listed. */
static void complete(struct ui *ui)
{
    struct prompt *p = &ui->prompt;
    struct candidates *c = calloc(1, sizeof(*c));
    char typed[PROMPT_MAX];
    size_t common, at = 0;

    if (!c)
        return;
    memcpy(typed, p->text, p->at);
    typed[p->at] = '\0';
    p->complete(ui, c, typed);
    if (c->n == 0 || c->from > p->at) {
        free(c);
        return;
    }
    common = strlen(c->words[0]);
    for (size_t i = 1; i < c->n; i++)
        for (size_t k = 0; k < common; k++)
            if (c->words[i][k] != c->words[0][k])
                common = k;
    char shared[sizeof(c->words[0])];
    snprintf(shared, sizeof(shared), "%.*s", (int)common, c->words[0]);
    if (common > p->at - c->from)
        insert_text(p, shared + (p->at - c->from));
    if (c->n == 1 && common && shared[common - 1] != ':' && !p->text[p->at])
        insert_text(p, " ");
    if (p->changed)
        p->changed(ui);
    p->hint[0] = c->n > 1 ? '\0' : p->hint[0];
    for (size_t i = 0; c->n > 1 && i < c->n && at < sizeof(p->hint); i++)
        at +=
            (size_t)snprintf(p->hint + at, sizeof(p->hint) - at, "%s%s", i ? " " : "", c->words[i]);
    free(c);
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
    } else if (code == K_TAB && p->complete) {
        complete(ui);
    } else if (code == K_UP || code == 16) {
        recall(ui, 1);
    } else if (code == K_DOWN || code == 14) {
        recall(ui, -1);
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
