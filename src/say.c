/* What is said on stderr. */
#include "program.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool progress_stands;

void say_progress(const char *text)
{
    if (!*text && !progress_stands)
        return;
    fprintf(stderr, "\r%s\033[K", text);
    fflush(stderr);
    progress_stands = *text != 0;
}

void complain(const char *fmt, ...)
{
    va_list ap;

    say_progress("");
    fputs("rstconsole: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

void complain_filter(const char *expr, const char *message, size_t good)
{
    char shown[512];

    complain(_("filter: %s"), message);
    text_clean(shown, sizeof(shown), expr, strlen(expr));
    fprintf(stderr, "  %s\n  ", shown);
    for (size_t i = 0; i < good && i < sizeof(shown); i++)
        fputc('~', stderr);
    fputs("^\n", stderr);
}
