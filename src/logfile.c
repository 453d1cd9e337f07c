/* --log FILE: the lines of an application's or proxy's log, handed to the session. */
#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_BYTES_MAX ((uint64_t)4 << 30)
#define LINE_BYTES    8192 /* of a longer line the rest is skipped */

static int say(const char *path, int err)
{
    complain("%s: %s", path, strerror(err));
    return EXIT_CANNOT;
}

/* One line without its end: what is beyond LINE_BYTES is left out. -1 at the end of the file. */
static ssize_t get_line(FILE *f, char *line, uint64_t *bytes)
{
    size_t n = 0;
    int c;

    while ((c = getc_unlocked(f)) != EOF && c != '\n') {
        ++*bytes;
        if (n < LINE_BYTES)
            line[n++] = (char)c;
    }
    return c == EOF && !n ? -1 : (ssize_t)n;
}

static int read_one(struct session *s, const char *path)
{
    bool in = strcmp(path, "-") == 0;
    FILE *f = in ? stdin : fopen(path, "re");
    const char *name = strrchr(path, '/');
    uint64_t number = 0, bytes = 0, before = s->log.errors, dropped = s->limits.log_lines_dropped;
    char line[LINE_BYTES];
    ssize_t n;

    if (!f)
        return say(path, errno);
    while (bytes < LOG_BYTES_MAX && (n = get_line(f, line, &bytes)) >= 0)
        session_log_line(s, in ? "stdin" : name ? name + 1 : path, ++number, line, (size_t)n);
    int err = ferror(f) ? errno : 0;
    if (!in)
        fclose(f);
    if (err)
        return say(path, err);
    if (bytes >= LOG_BYTES_MAX)
        session_message(s, MSG_WARN, _("%s: only the first %llu lines were read"), path,
                        (unsigned long long)number);
    if (s->log.errors == before && s->limits.log_lines_dropped == dropped)
        session_message(s, MSG_WARN, _("%s: no line of %llu tells of a connection that failed"),
                        path, (unsigned long long)number);
    if (s->limits.log_lines_dropped > dropped)
        session_message(s, MSG_WARN, _("%s: %llu further errors were only counted"), path,
                        (unsigned long long)(s->limits.log_lines_dropped - dropped));
    return 0;
}

int read_logs(struct session *s, const struct options *o)
{
    int rc = 0;

    for (size_t i = 0; i < o->nlogs && !rc; i++)
        rc = read_one(s, o->logs[i]);
    return rc;
}
