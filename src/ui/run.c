/*
 * run.c: the console on a terminal: keys at once, data at most 20 times a second.
 */
#include "ui/plain.h"
#include "ui/private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FRAME (NS_PER_SEC / 20)

/* ---- line by line ---- */

static void flush_lines(struct ui *ui)
{
    fwrite(ui->plain->out.buf, 1, ui->plain->out.len, stdout);
    fflush(stdout);
    strbuf_reset(&ui->plain->out);
}

static void on_lines(void *arg, int events)
{
    struct ui *ui = arg;
    struct plain *p = ui->plain;
    char buf[512];
    ssize_t n = read(ui->input_fd, buf, sizeof(buf));

    (void)events;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        ui_lost(ui);
        return;
    }
    for (ssize_t i = 0; i < n && !ui->quitting; i++) {
        if (buf[i] != '\n' && p->len + 1 < sizeof(p->line)) {
            p->line[p->len++] = buf[i];
            continue;
        }
        p->line[p->len] = '\0';
        p->len = 0;
        plain_line(p, p->line);
        flush_lines(ui);
    }
}

static int start_lines(struct ui *ui)
{
    const char *cols = getenv("COLUMNS");
    uint64_t width = 80;

    ui->plain = calloc(1, sizeof(*ui->plain));
    if (!ui->plain)
        return -ENOMEM;
    if (cols && parse_u64(cols, 20, 1000, &width) < 0)
        width = 80;
    ui->input_fd = term_open_input();
    if (ui->input_fd < 0)
        ui->input_fd = STDIN_FILENO;
    plain_open(ui->plain, ui, (int)width - 1);
    flush_lines(ui);
    return 0;
}

static void end_lines(struct ui *ui)
{
    if (!ui->plain)
        return;
    plain_release(ui->plain);
    free(ui->plain);
    if (ui->input_fd > STDERR_FILENO)
        close(ui->input_fd);
}

/* ---- on a screen ---- */

static void draw_now(struct ui *ui)
{
    int cols, rows;

    if (ui->plain) {
        if (!ui->quitting)
            plain_news(ui->plain);
        flush_lines(ui);
        ui->drawn_revision = ui->s->revision;
        ui->last_draw = loop_clock();
        return;
    }

    if (ui->quitting)
        return;
    ui_refresh_permission(ui);
    term_size(ui->term, &cols, &rows);
    if (ui_draw(ui, cols, rows) < 0)
        return;
    term_draw(ui->term, &ui->canvas, !ui->drawn_once);
    ui->drawn_once = true;
    ui->last_draw = loop_clock();
    if (ui->more_work && !ui->draw_armed) { /* a filter still scans what was captured */
        ui->draw_armed = true;
        timer_again(ui->draw_timer, FRAME);
    }
}

static void on_draw_timer(void *arg)
{
    struct ui *ui = arg;

    ui->draw_armed = false;
    draw_now(ui);
}

static void on_clock(void *arg)
{
    draw_now(arg);
}

void ui_changed(struct ui *ui)
{
    if (ui->drawn_revision != ui->s->revision)
        ui_draw_soon(ui);
}

void ui_draw_soon(struct ui *ui)
{
    nstime since = loop_clock() - ui->last_draw;

    if (ui->quitting || ui->draw_armed)
        return;
    ui->draw_armed = true;
    timer_again(ui->draw_timer, since >= FRAME ? 0 : FRAME - since);
}

static void on_input(void *arg, int events)
{
    struct ui *ui = arg;
    struct key k;
    int rc = 0;

    (void)events;
    while (!ui->quitting && (rc = term_key(ui->term, &k)) > 0)
        ui_key(ui, &k);
    if (rc < 0)
        ui_lost(ui);
    draw_now(ui);
}

static void on_signal(void *arg, int signo)
{
    struct ui *ui = arg;

    if (ui->plain && (signo == SIGWINCH || signo == SIGCONT))
        return;
    switch (signo) {
    case SIGWINCH:
        term_resized(ui->term);
        ui->drawn_once = false;
        break;
    case SIGTSTP:
        term_suspend(ui->term);
        ui->drawn_once = false;
        break;
    case SIGCONT: ui->drawn_once = false; break;
    default: ui_lost(ui); return; /* SIGTERM, SIGHUP, SIGINT */
    }
    draw_now(ui);
}

static int watch_everything(struct ui *ui)
{
    static const int signals[] = {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGCONT};

    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        ui->signals[i] = loop_signal(ui->loop, signals[i], on_signal, ui);
        if (!ui->signals[i])
            return -ENOMEM;
        ui->nsignals = i + 1;
    }
    ui->input = loop_watch(ui->loop, ui->plain ? ui->input_fd : term_fd(ui->term), LOOP_READ,
                           ui->plain ? on_lines : on_input, ui);
    ui->draw_timer = loop_timer(ui->loop, 0, 0, on_draw_timer, ui);
    ui->clock_timer = loop_timer(ui->loop, NS_PER_SEC, NS_PER_SEC, on_clock, ui);
    return ui->input && ui->draw_timer && ui->clock_timer ? 0 : -ENOMEM;
}

int ui_start(struct ui **out, struct loop *l, const struct session *s,
             const struct ui_actions *actions, const struct ui_options *opt)
{
    struct ui *ui = ui_new(s, actions, opt);
    int err;

    if (!ui)
        return -ENOMEM;
    ui->loop = l;
    ui->root = geteuid() == 0;
    err = term_open(&ui->term, &ui->opt);
    if (err == -ENXIO)
        err = start_lines(ui);
    ui_choose_plots(ui);
    if (err == 0)
        err = watch_everything(ui);
    if (err < 0) {
        ui_free(ui);
        return err;
    }
    draw_now(ui);
    *out = ui;
    return 0;
}

void ui_free(struct ui *ui)
{
    struct strbuf last = STRBUF_INIT;

    if (!ui)
        return;
    watch_stop(ui->input);
    timer_stop(ui->draw_timer);
    timer_stop(ui->clock_timer);
    for (size_t i = 0; i < ui->nsignals; i++)
        signal_watch_stop(ui->signals[i]);
    if (ui->print_at_end && !ui->plain)
        canvas_text(&ui->canvas, &last);
    term_close(ui->term);
    end_lines(ui);
    if (last.len) {
        fwrite(last.buf, 1, last.len, stdout);
        fflush(stdout);
    }
    strbuf_release(&last);
    ui_release(ui);
}
