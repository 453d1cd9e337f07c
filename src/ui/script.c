/*
 * script.c: keys -> screen, without a terminal: what golden tests run.
 */
#include "ui/private.h"

#include <errno.h>
#include <string.h>

#define WORK_ROUNDS 10000 /* a filter scans in slices: here until it is through */

static void draw_whole(struct ui *ui, int cols, int rows)
{
    for (int i = 0; i < WORK_ROUNDS; i++) {
        ui_draw(ui, cols, rows);
        if (!ui->more_work)
            return;
    }
}

/* A word that names a key is that key; of any other word the characters are typed. */
static void type_word(struct ui *ui, const char *word)
{
    struct key k = {.code = key_by_name(word)};

    if (k.code) {
        ui_key(ui, &k);
        return;
    }
    while (*word && !ui->quitting) {
        int32_t cp = utf8_next(&word);
        k.code = cp < 0 ? '?' : cp;
        ui_key(ui, &k);
    }
}

int ui_script_canvas(struct ui **out, const struct session *s, const struct ui_actions *actions,
                     const struct ui_options *opt, int cols, int rows, const char *keys)
{
    struct ui *ui = ui_new(s, actions, opt);

    if (!ui)
        return -ENOMEM;
    ui->script = true;
    draw_whole(ui, cols, rows);
    while (*keys && !ui->quitting) {
        char word[PROMPT_MAX];
        size_t len = strcspn(keys, " ");
        if (len && len < sizeof(word)) {
            memcpy(word, keys, len);
            word[len] = '\0';
            type_word(ui, word);
            draw_whole(ui, cols, rows);
        }
        keys += len;
        keys += strspn(keys, " ");
    }
    *out = ui;
    return 0;
}

int ui_script(struct strbuf *out, const struct session *s, const struct ui_actions *actions,
              const struct ui_options *opt, int cols, int rows, const char *keys)
{
    struct ui *ui;
    int err = ui_script_canvas(&ui, s, actions, opt, cols, rows, keys);

    if (err < 0)
        return err;
    canvas_text(&ui->canvas, out);
    ui_release(ui);
    return out->err;
}
