/*
 * bars.c: bars and sparklines as text.
 */
#include "view/view.h"

#include <string.h>

/* Eighths of a cell, from empty to full. */
static const char *const eighths[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
static const char *const heights[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

static size_t append(char *out, size_t outlen, size_t at, const char *s)
{
    size_t n = strlen(s);

    if (at + n + 1 > outlen)
        return at;
    memcpy(out + at, s, n);
    out[at + n] = '\0';
    return at + n;
}

void bar_text(char *out, size_t outlen, double v, int width, bool ascii)
{
    size_t at = 0;

    if (outlen == 0)
        return;
    out[0] = '\0';
    if (!(v >= 0))
        v = 0;
    if (v > 1)
        v = 1;
    int units = (int)(v * width * (ascii ? 1 : 8) + 0.5);
    /* A verdict that is listed has some share: never draw it as nothing. */
    if (v > 0 && units == 0)
        units = 1;
    for (int i = 0; i < width; i++) {
        if (ascii) {
            at = append(out, outlen, at, i < units ? "#" : "-");
            continue;
        }
        int here = units - i * 8;
        at = append(out, outlen, at, eighths[here < 0 ? 0 : here > 8 ? 8 : here]);
    }
}

void spark_text(char *out, size_t outlen, const int *v, size_t n, bool ascii)
{
    static const char steps[] = ".,_-=+*oO";
    size_t at = 0;

    if (outlen == 0)
        return;
    out[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (v[i] < 0) {
            at = append(out, outlen, at, ascii ? "x" : "×");
        } else if (v[i] == 0) {
            at = append(out, outlen, at, ascii ? "." : "·");
        } else {
            int h = v[i] > 8 ? 8 : v[i];
            char one[2] = {steps[h], '\0'};
            at = append(out, outlen, at, ascii ? one : heights[h]);
        }
    }
}
