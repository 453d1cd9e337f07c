/*
 * term.c: canvas -> terminal. The only file that knows curses.
 */
#include "config.h"

#include "ui/term.h"
#include "ui/theme.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#define ESC_DELAY_MS 25 /* a lone Esc must not feel slow; ssh keeps sequences together */

struct terminal {
    SCREEN *screen;
    FILE *in; /* keys: the tty opened once more, or stdin */
    const struct theme *theme;
    int colors;
    bool mouse;
    struct canvas shown; /* what the terminal shows now */
    struct {
        short fg, bg;
    } pairs[128];
    short npairs;
};

/* ---- what a fatal signal needs: only write() and tcsetattr(), both async-signal-safe ---- */
static struct {
    int tty; /* whose settings are restored */
    volatile sig_atomic_t armed;
    struct termios saved;
    char restore[256];
    size_t len;
} rescue;
static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT};

static void restore_now(void)
{
    if (!rescue.armed)
        return;
    rescue.armed = 0;
    ssize_t n = write(STDOUT_FILENO, rescue.restore, rescue.len);
    (void)n;
    tcsetattr(rescue.tty, TCSANOW, &rescue.saved);
}

static void on_fatal(int signo)
{
    restore_now();
    raise(signo); /* SA_RESETHAND: now its default, the program dies of it as it should */
}

static void remember(const char *cap)
{
    char *s = tigetstr((char *)(uintptr_t)cap);
    size_t n = s && s != (char *)-1 ? strlen(s) : 0;

    if (n && rescue.len + n < sizeof(rescue.restore)) {
        memcpy(rescue.restore + rescue.len, s, n);
        rescue.len += n;
    }
}

static void arm_rescue(bool mouse)
{
    struct sigaction sa = {.sa_handler = on_fatal, .sa_flags = SA_RESETHAND | SA_NODEFER};
    static const char mouse_off[] = "\033[?1000l\033[?1006l";

    rescue.len = 0;
    if (mouse) {
        memcpy(rescue.restore, mouse_off, sizeof(mouse_off) - 1);
        rescue.len = sizeof(mouse_off) - 1;
    }
    remember("sgr0");
    remember("op");
    remember("rmkx");
    remember("cnorm");
    remember("rmcup");
    rescue.armed = 1;
    sigemptyset(&sa.sa_mask);
    for (size_t i = 0; i < ARRAY_SIZE(fatal_signals); i++) {
        struct sigaction old;
        /* A sanitizer's own handler stays: its report is worth more than a tidy screen. */
        if (sigaction(fatal_signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(fatal_signals[i], &sa, NULL);
    }
}

static void disarm_rescue(void)
{
    rescue.armed = 0;
    for (size_t i = 0; i < ARRAY_SIZE(fatal_signals); i++) {
        struct sigaction old;
        if (sigaction(fatal_signals[i], NULL, &old) == 0 && old.sa_handler == on_fatal)
            signal(fatal_signals[i], SIG_DFL);
    }
}

bool term_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* The consoles of kernels have fonts of 256 or 512 characters: half blocks, no braille. */
bool term_has_braille(void)
{
    static const char *const without[] = {"linux", "vt", "cons", "pcvt", "wsvt", "fbterm"};
    const char *name = getenv("TERM");

    for (size_t i = 0; name && i < ARRAY_SIZE(without); i++)
        if (strncmp(name, without[i], strlen(without[i])) == 0)
            return false;
    return true;
}

/* ---- opening and closing ---- */

static void choose_colors(struct terminal *t, const struct ui_options *opt)
{
    const char *none = getenv("NO_COLOR");

    t->theme = theme_by_name(opt->theme);
    if (!t->theme)
        t->theme = theme_by_name(NULL);
    t->colors = 0;
    if (opt->no_color || (none && *none) || t->theme == theme_mono() || !has_colors())
        return;
    start_color();
    use_default_colors();
    t->colors = COLORS;
}

static void setup(struct terminal *t)
{
    raw(); /* ^C and ^Z are keys: the table says what they do */
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    leaveok(stdscr, FALSE);
    intrflush(stdscr, FALSE);
    curs_set(0);
    if (t->mouse) {
        mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
        mouseinterval(0);
    }
}

/* A terminal that cannot move its cursor (TERM=dumb) would only scroll. */
static bool usable(void)
{
    char *move = tigetstr((char *)(uintptr_t) "cup");

    return move && move != (char *)-1;
}

/* The loop makes what it watches non-blocking, and that is a property of the open file, which
 * stdin, stdout and the shell's own share: drawing would lose bytes on a slow line, and the shell
 * would be left with it. So keys are read from the terminal opened once more. */
int term_open_input(void)
{
    const char *name = ttyname(STDIN_FILENO);

    return open(name ? name : "/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static FILE *own_input(void)
{
    int fd = term_open_input();
    FILE *in = fd >= 0 ? fdopen(fd, "r") : NULL;

    if (!in && fd >= 0)
        close(fd);
    return in ? in : stdin;
}

static void close_input(FILE *in)
{
    if (in != stdin)
        fclose(in);
}

int term_fd(const struct terminal *t)
{
    return fileno(t->in);
}

int term_open(struct terminal **out, const struct ui_options *opt)
{
    struct terminal *t;

    if (!isatty(STDOUT_FILENO))
        return -ENOTTY;
    t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->in = own_input();
    rescue.tty = fileno(t->in);
    tcgetattr(rescue.tty, &rescue.saved);
    set_escdelay(ESC_DELAY_MS);
    t->screen = newterm(NULL, stdout, t->in);
    if (!t->screen || !usable()) {
        if (t->screen) {
            endwin();
            delscreen(t->screen);
        }
        close_input(t->in);
        free(t);
        return -ENXIO;
    }
    t->mouse = opt->mouse;
    canvas_init(&t->shown, false);
    choose_colors(t, opt);
    setup(t);
    arm_rescue(t->mouse);
    *out = t;
    return 0;
}

void term_close(struct terminal *t)
{
    if (!t)
        return;
    if (t->mouse)
        mousemask(0, NULL);
    endwin();
    disarm_rescue();
    delscreen(t->screen);
    close_input(t->in);
    canvas_release(&t->shown);
    free(t);
}

void term_size(struct terminal *t, int *cols, int *rows)
{
    (void)t;
    getmaxyx(stdscr, *rows, *cols);
}

void term_resized(struct terminal *t)
{
    struct winsize ws;

    (void)t;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_row && ws.ws_col)
        resizeterm(MIN_OF(ws.ws_row, CANVAS_MAX_ROWS), MIN_OF(ws.ws_col, CANVAS_MAX_COLS));
}

void term_suspend(struct terminal *t)
{
    int cols, rows;

    if (t->mouse)
        mousemask(0, NULL);
    endwin();
    signal(SIGTSTP, SIG_DFL);
    /* The whole group, as the tty would do it: a script that started us must stop too. */
    kill(0, SIGTSTP);
    term_resized(t);
    setup(t);
    term_size(t, &cols, &rows);
    clearok(stdscr, TRUE);
    refresh();
}

void term_set_mouse(struct terminal *t, bool on)
{
    t->mouse = on;
    mousemask(on ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0, NULL);
}

void term_set_theme(struct terminal *t, const struct ui_options *opt)
{
    t->npairs = 0;
    choose_colors(t, opt);
}

static size_t base64(char *out, const unsigned char *in, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0;

    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)in[i] << 16 | (i + 1 < len ? (uint32_t)in[i + 1] << 8 : 0) |
                     (i + 2 < len ? in[i + 2] : 0);
        out[n++] = digits[v >> 18 & 63];
        out[n++] = digits[v >> 12 & 63];
        out[n++] = i + 1 < len ? digits[v >> 6 & 63] : '=';
        out[n++] = i + 2 < len ? digits[v & 63] : '=';
    }
    return n;
}

/* OSC 52 of xterm's control sequences; terminals that lack it would show it as text. */
bool term_copy(struct terminal *t, const char *text, size_t len)
{
    static const char *const with[] = {"xterm", "tmux",    "screen", "rxvt",   "alacritty", "foot",
                                       "kitty", "wezterm", "st",     "mlterm", "contour"};
    static const char begin[] = "\033]52;c;";
    const char *name = getenv("TERM");
    bool can = false;
    char *out;

    (void)t;
    for (size_t i = 0; name && i < ARRAY_SIZE(with); i++)
        can |= strncmp(name, with[i], strlen(with[i])) == 0;
    out = can ? malloc(sizeof(begin) + (len + 2) / 3 * 4 + 2) : NULL;
    if (!out)
        return false;
    size_t n = sizeof(begin) - 1;
    memcpy(out, begin, n);
    n += base64(out + n, (const unsigned char *)text, len);
    out[n++] = '\a';
    fflush(stdout);
    for (size_t at = 0; at < n;) {
        ssize_t k = write(STDOUT_FILENO, out + at, n - at);
        if (k < 0 && errno != EINTR && errno != EAGAIN)
            break;
        at += k > 0 ? (size_t)k : 0;
    }
    free(out);
    return true;
}

/* ---- drawing ---- */

static short pair_of(struct terminal *t, short fg, short bg)
{
    short max = (short)MIN_OF((int)ARRAY_SIZE(t->pairs), COLOR_PAIRS - 1);

    if (fg < 0 && bg < 0)
        return 0;
    for (short i = 0; i < t->npairs; i++)
        if (t->pairs[i].fg == fg && t->pairs[i].bg == bg)
            return (short)(i + 1);
    if (t->npairs >= max || init_pair((short)(t->npairs + 1), fg, bg) == ERR)
        return 0;
    t->pairs[t->npairs].fg = fg;
    t->pairs[t->npairs].bg = bg;
    return ++t->npairs;
}

static void set_style(struct terminal *t, const struct cell *cell)
{
    struct style s = theme_style(t->theme, cell->look, cell->selected, t->colors);
    attr_t a = A_NORMAL;

    if (s.flags & STYLE_BOLD)
        a |= A_BOLD;
    if (s.flags & STYLE_DIM)
        a |= A_DIM;
    if (s.flags & STYLE_REVERSE)
        a |= A_REVERSE;
    if (s.flags & STYLE_UNDERLINE)
        a |= A_UNDERLINE;
    attr_set(a, t->colors ? pair_of(t, (short)s.fg, (short)s.bg) : 0, NULL);
}

static bool same(const struct cell *a, const struct cell *b)
{
    return a->look == b->look && a->selected == b->selected && a->width == b->width &&
           strcmp(a->text, b->text) == 0;
}

static void draw_row(struct terminal *t, const struct canvas *c, int y, bool anew)
{
    struct cell *was = &t->shown.cells[y * c->cols];
    const struct cell *now = &c->cells[y * c->cols];

    for (int x = 0; x < c->cols; x++) {
        if (now[x].width == 0 || (!anew && same(&was[x], &now[x])))
            continue;
        set_style(t, &now[x]);
        mvaddstr(y, x, now[x].text);
    }
    memcpy(was, now, (size_t)c->cols * sizeof(*now));
}

void term_draw(struct terminal *t, const struct canvas *c, bool anew)
{
    int cols, rows;

    term_size(t, &cols, &rows);
    if (t->shown.cols != c->cols || t->shown.rows != c->rows) {
        if (canvas_resize(&t->shown, c->cols, c->rows) < 0)
            return;
        anew = true;
    }
    if (anew) {
        erase();
        clearok(stdscr, TRUE);
    }
    for (int y = 0; y < c->rows && y < rows; y++)
        draw_row(t, c, y, anew);
    if (c->cursor_x >= 0) {
        curs_set(1);
        move(c->cursor_y, c->cursor_x);
    } else {
        curs_set(0);
        move(rows - 1, cols - 1);
    }
    refresh();
}

/* ---- keys ---- */

static int special_key(wint_t ch, struct key *out)
{
    static const struct {
        int curses, code;
    } table[] = {
        {KEY_UP, K_UP},       {KEY_DOWN, K_DOWN},    {KEY_LEFT, K_LEFT},
        {KEY_RIGHT, K_RIGHT}, {KEY_HOME, K_HOME},    {KEY_END, K_END},
        {KEY_PPAGE, K_PGUP},  {KEY_NPAGE, K_PGDN},   {KEY_IC, K_INSERT},
        {KEY_DC, K_DELETE},   {KEY_BTAB, K_BACKTAB}, {KEY_BACKSPACE, K_BACKSPACE},
        {KEY_ENTER, K_ENTER},
    };
    MEVENT m;

    if (ch == KEY_MOUSE) {
        if (getmouse(&m) != OK)
            return 0;
        out->x = m.x;
        out->y = m.y;
        return m.bstate & BUTTON4_PRESSED   ? K_WHEEL_UP
               : m.bstate & BUTTON5_PRESSED ? K_WHEEL_DOWN
               : m.bstate & BUTTON1_PRESSED ? K_CLICK
                                            : 0;
    }
    for (int i = 0; i < 12; i++)
        if (ch == (wint_t)KEY_F(i + 1))
            return K_F1 + i;
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (ch == (wint_t)table[i].curses)
            return table[i].code;
    return 0;
}

/* Readable without a byte to read: the other end of the terminal has gone. */
static bool tty_lost(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int n = 0;

    if (poll(&p, 1, 0) <= 0)
        return false;
    if (p.revents & (POLLHUP | POLLERR | POLLNVAL))
        return true;
    return ioctl(fd, FIONREAD, &n) < 0 || n == 0;
}

int term_key(struct terminal *t, struct key *out)
{
    wint_t ch;

    *out = (struct key){0};
    for (;;) {
        int kind = get_wch(&ch);
        if (kind == ERR)
            return tty_lost(term_fd(t)) ? -EIO : 0;
        if (kind == KEY_CODE_YES) {
            out->code = special_key(ch, out);
        } else {
            out->code = (int)ch;
            if (ch == '\n' || ch == '\r')
                out->code = K_ENTER;
            else if (ch == 8)
                out->code = K_BACKSPACE;
        }
        if (out->code)
            return 1;
    }
}
