/*
 * theme.c: the themes.
 *
 * Each look has a 256-colour pair and a 16-colour pair (on 8 colours the bright half becomes bold).
 * The background stays the terminal's own but for the bars, the cursor row and a reset: dark red
 * on pale yellow, as Wireshark paints it.
 */
#include "ui/theme.h"

#include <string.h>

struct paint {
    short fg256, bg256, fg16, bg16;
    unsigned flags;
};
struct theme {
    const char *name;
    struct paint looks[LOOK_COUNT];
    struct paint selected; /* its background, and what else the cursor row adds */
};

#define BOLD STYLE_BOLD
#define REV  STYLE_REVERSE

static const struct theme themes[] = {
    {.name = "default",
     .looks =
         {
             [LOOK_NORMAL] = {-1, -1, -1, -1, 0},       [LOOK_DIM] = {245, -1, 8, -1, 0},
             [LOOK_STRONG] = {-1, -1, -1, -1, BOLD},    [LOOK_TITLE] = {250, -1, 7, -1, 0},
             [LOOK_FOCUS] = {81, -1, 14, -1, BOLD},     [LOOK_FRAME] = {240, -1, 8, -1, 0},
             [LOOK_HEAD] = {109, -1, 6, -1, 0},         [LOOK_BAR] = {252, 237, 15, 4, 0},
             [LOOK_BAR_WARN] = {221, 237, 11, 4, BOLD}, [LOOK_KEY] = {81, -1, 14, -1, BOLD},
             [LOOK_GOOD] = {114, -1, 2, -1, 0},         [LOOK_NOTE] = {80, -1, 6, -1, 0},
             [LOOK_WARN] = {221, -1, 11, -1, 0},        [LOOK_BAD] = {203, -1, 9, -1, BOLD},
             [LOOK_RESET] = {124, 229, 1, 11, BOLD},    [LOOK_GAUGE] = {74, -1, 12, -1, 0},
             [LOOK_INPUT] = {-1, -1, -1, -1, BOLD},     [LOOK_INPUT_GOOD] = {114, -1, 10, -1, BOLD},
             [LOOK_INPUT_BAD] = {203, -1, 9, -1, BOLD},
         },
     .selected = {-1, 238, -1, -1, 0}},
    {.name = "light",
     .looks =
         {
             [LOOK_NORMAL] = {-1, -1, -1, -1, 0},       [LOOK_DIM] = {243, -1, 8, -1, 0},
             [LOOK_STRONG] = {-1, -1, -1, -1, BOLD},    [LOOK_TITLE] = {238, -1, 0, -1, 0},
             [LOOK_FOCUS] = {25, -1, 4, -1, BOLD},      [LOOK_FRAME] = {249, -1, 7, -1, 0},
             [LOOK_HEAD] = {30, -1, 6, -1, 0},          [LOOK_BAR] = {235, 253, 0, 7, 0},
             [LOOK_BAR_WARN] = {124, 253, 1, 7, BOLD},  [LOOK_KEY] = {25, -1, 4, -1, BOLD},
             [LOOK_GOOD] = {28, -1, 2, -1, 0},          [LOOK_NOTE] = {30, -1, 6, -1, 0},
             [LOOK_WARN] = {130, -1, 3, -1, BOLD},      [LOOK_BAD] = {160, -1, 1, -1, BOLD},
             [LOOK_RESET] = {124, 229, 1, 11, BOLD},    [LOOK_GAUGE] = {25, -1, 4, -1, 0},
             [LOOK_INPUT] = {-1, -1, -1, -1, BOLD},     [LOOK_INPUT_GOOD] = {28, -1, 2, -1, BOLD},
             [LOOK_INPUT_BAD] = {160, -1, 1, -1, BOLD},
         },
     .selected = {-1, 254, -1, 7, 0}},
    {.name = "high-contrast",
     .looks =
         {
             [LOOK_NORMAL] = {15, 0, 15, 0, 0},       [LOOK_DIM] = {252, 0, 7, 0, 0},
             [LOOK_STRONG] = {15, 0, 15, 0, BOLD},    [LOOK_TITLE] = {15, 0, 15, 0, BOLD},
             [LOOK_FOCUS] = {226, 0, 11, 0, BOLD},    [LOOK_FRAME] = {15, 0, 15, 0, 0},
             [LOOK_HEAD] = {51, 0, 14, 0, BOLD},      [LOOK_BAR] = {0, 15, 0, 15, BOLD},
             [LOOK_BAR_WARN] = {88, 15, 1, 15, BOLD}, [LOOK_KEY] = {226, 0, 11, 0, BOLD},
             [LOOK_GOOD] = {46, 0, 10, 0, BOLD},      [LOOK_NOTE] = {51, 0, 14, 0, BOLD},
             [LOOK_WARN] = {226, 0, 11, 0, BOLD},     [LOOK_BAD] = {210, 0, 9, 0, BOLD},
             [LOOK_RESET] = {88, 230, 1, 15, BOLD},   [LOOK_GAUGE] = {51, 0, 14, 0, BOLD},
             [LOOK_INPUT] = {15, 0, 15, 0, BOLD},     [LOOK_INPUT_GOOD] = {46, 0, 10, 0, BOLD},
             [LOOK_INPUT_BAD] = {210, 0, 9, 0, BOLD},
         },
     .selected = {0, 226, 0, 11, 0}},
    {.name = "colour-blind", /* blue and orange: told apart by every common colour vision */
     .looks =
         {
             [LOOK_NORMAL] = {-1, -1, -1, -1, 0},       [LOOK_DIM] = {245, -1, 8, -1, 0},
             [LOOK_STRONG] = {-1, -1, -1, -1, BOLD},    [LOOK_TITLE] = {250, -1, 7, -1, 0},
             [LOOK_FOCUS] = {75, -1, 12, -1, BOLD},     [LOOK_FRAME] = {240, -1, 8, -1, 0},
             [LOOK_HEAD] = {110, -1, 6, -1, 0},         [LOOK_BAR] = {252, 237, 15, 4, 0},
             [LOOK_BAR_WARN] = {221, 237, 11, 4, BOLD}, [LOOK_KEY] = {75, -1, 12, -1, BOLD},
             [LOOK_GOOD] = {75, -1, 12, -1, 0},         [LOOK_NOTE] = {110, -1, 14, -1, 0},
             [LOOK_WARN] = {222, -1, 11, -1, 0},        [LOOK_BAD] = {208, -1, 3, -1, BOLD},
             [LOOK_RESET] = {94, 229, 0, 11, BOLD},     [LOOK_GAUGE] = {75, -1, 12, -1, 0},
             [LOOK_INPUT] = {-1, -1, -1, -1, BOLD},     [LOOK_INPUT_GOOD] = {75, -1, 12, -1, BOLD},
             [LOOK_INPUT_BAD] = {208, -1, 3, -1, BOLD},
         },
     .selected = {-1, 238, -1, -1, 0}},
    {.name = "mono",
     .looks =
         {
             [LOOK_NORMAL] = {-1, -1, -1, -1, 0},
             [LOOK_DIM] = {-1, -1, -1, -1, STYLE_DIM},
             [LOOK_STRONG] = {-1, -1, -1, -1, BOLD},
             [LOOK_TITLE] = {-1, -1, -1, -1, 0},
             [LOOK_FOCUS] = {-1, -1, -1, -1, BOLD},
             [LOOK_FRAME] = {-1, -1, -1, -1, STYLE_DIM},
             [LOOK_HEAD] = {-1, -1, -1, -1, STYLE_DIM},
             [LOOK_BAR] = {-1, -1, -1, -1, REV},
             [LOOK_BAR_WARN] = {-1, -1, -1, -1, REV | BOLD},
             [LOOK_KEY] = {-1, -1, -1, -1, BOLD},
             [LOOK_GOOD] = {-1, -1, -1, -1, 0},
             [LOOK_NOTE] = {-1, -1, -1, -1, 0},
             [LOOK_WARN] = {-1, -1, -1, -1, BOLD},
             [LOOK_BAD] = {-1, -1, -1, -1, BOLD | STYLE_UNDERLINE},
             [LOOK_RESET] = {-1, -1, -1, -1, REV | BOLD},
             [LOOK_GAUGE] = {-1, -1, -1, -1, 0},
             [LOOK_INPUT] = {-1, -1, -1, -1, BOLD},
             [LOOK_INPUT_GOOD] = {-1, -1, -1, -1, BOLD},
             [LOOK_INPUT_BAD] = {-1, -1, -1, -1, BOLD | STYLE_UNDERLINE},
         },
     .selected = {-1, -1, -1, -1, REV}},
};

const struct theme *theme_by_name(const char *name)
{
    if (!name)
        return &themes[0];
    for (size_t i = 0; i < ARRAY_SIZE(themes); i++)
        if (strcmp(themes[i].name, name) == 0)
            return &themes[i];
    return NULL;
}

const char *theme_name(size_t i)
{
    return i < ARRAY_SIZE(themes) ? themes[i].name : NULL;
}

const struct theme *theme_mono(void)
{
    return theme_by_name("mono");
}

/* Eight colours: the bright half is the dark one in bold, which terminals draw bright. */
static struct style eight(struct style s)
{
    if (s.fg >= 8) {
        s.fg = s.fg == 8 ? -1 : s.fg - 8;
        s.flags |= STYLE_BOLD;
    }
    if (s.bg >= 8)
        s.bg -= 8;
    return s;
}

struct style theme_style(const struct theme *t, enum look look, bool selected, int colors)
{
    if (colors < 8)
        t = theme_mono();
    const struct paint *p = &t->looks[look < LOOK_COUNT ? look : LOOK_NORMAL];
    bool full = colors >= 256;
    struct style s = {full ? p->fg256 : p->fg16, full ? p->bg256 : p->bg16, p->flags};

    if (selected && look != LOOK_RESET) {
        const struct paint *sel = &t->selected;
        int bg = full ? sel->bg256 : sel->bg16;
        if (bg >= 0)
            s.bg = bg;
        else if (!(s.flags & STYLE_REVERSE))
            s.flags |= STYLE_REVERSE; /* no colour to mark the row with */
        if ((full ? sel->fg256 : sel->fg16) >= 0)
            s.fg = full ? sel->fg256 : sel->fg16;
    } else if (selected) {
        s.flags |= STYLE_UNDERLINE; /* a reset keeps its colour under the cursor */
    }
    return colors >= 16 ? s : eight(s);
}
