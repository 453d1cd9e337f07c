/* The targets of the command line and of a targets file. */
#include "program.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_LIMIT 8192

/* What stands before an '@' may be a password: it is not repeated. */
static void show_target(char *out, size_t outlen, const char *spec)
{
    const char *scheme = strstr(spec, "://"), *start = scheme ? scheme + 3 : spec;
    const char *end = start + strcspn(start, "/?# \t"), *at = memrchr(start, '@', end - start);
    struct strbuf sb = STRBUF_INIT;

    if (at)
        strbuf_addf(&sb, "%.*s***%s", (int)(start - spec), spec, at);
    else
        strbuf_addstr(&sb, *spec ? spec : "\"\"");
    text_clean(out, outlen, sb.buf, sb.len);
    strbuf_release(&sb);
}

static int add_one(struct run *r, const char *spec, const char *where)
{
    char err[256] = "", shown[120];
    int rc = run_add_target(r, spec, err, sizeof(err));

    if (!rc)
        return 0;
    show_target(shown, sizeof(shown), spec);
    complain("%s%s: %s", where, shown, err[0] ? err : strerror(-rc));
    return rc == -EINVAL ? EXIT_USAGE : EXIT_CANNOT;
}

static char *trimmed(char *line)
{
    size_t len;

    while (isspace((unsigned char)*line))
        line++;
    len = strlen(line);
    while (len && isspace((unsigned char)line[len - 1]))
        line[--len] = 0;
    return line;
}

static int read_lines(struct run *r, FILE *in, const char *path)
{
    char *line = NULL, where[300];
    size_t alloc = 0;
    ssize_t len;
    bool any = false;
    int rc = 0;

    for (unsigned n = 1; !rc && (len = getline(&line, &alloc, in)) >= 0; n++) {
        snprintf(where, sizeof(where), "%s:%u: ", path, n);
        if ((size_t)len > LINE_LIMIT || strlen(line) != (size_t)len) {
            complain(_("%s:%u: not a line of text"), path, n);
            rc = EXIT_USAGE;
            break;
        }
        char *spec = trimmed(line);
        if (n == 1 && strncmp(spec, "\xef\xbb\xbf", 3) == 0)
            spec = trimmed(spec + 3); /* a byte order mark, as editors leave it */
        if (*spec && *spec != '#') {
            rc = add_one(r, spec, where);
            any = true;
        }
    }
    if (!rc && !any && !ferror(in)) {
        complain(_("%s: there is no target in it"), path);
        rc = EXIT_USAGE;
    }
    if (!rc && ferror(in)) {
        complain("%s: %s", path, strerror(errno));
        rc = EXIT_CANNOT;
    }
    free(line);
    return rc;
}

static int add_file(struct run *r, const char *path)
{
    FILE *in = strcmp(path, "-") ? fopen(path, "re") : stdin;
    int rc;

    if (!in) {
        complain("%s: %s", path, strerror(errno));
        return EXIT_CANNOT;
    }
    rc = read_lines(r, in, path);
    if (in != stdin)
        fclose(in);
    return rc;
}

int add_targets(struct run *r, const struct options *o)
{
    int rc = 0;

    for (size_t i = 0; i < o->nspecs && !rc; i++)
        rc = add_one(r, o->specs[i], "");
    if (!rc && o->targets_file)
        rc = add_file(r, o->targets_file);
    return rc;
}
