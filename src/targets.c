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

static int add_single(struct run *r, const char *spec, const char *where)
{
    char err[256] = "", shown[120];
    int rc = run_add_target(r, spec, err, sizeof(err));

    if (!rc)
        return 0;
    show_target(shown, sizeof(shown), spec);
    complain("%s%s: %s", where, shown, err[0] ? err : strerror(-rc));
    return rc == -EINVAL ? EXIT_USAGE : EXIT_CANNOT;
}

/* Where a list of ports stands in spec, "host:22,80,8000-8010": 0 when there is none. */
static size_t port_list(const char *spec, size_t *len)
{
    const char *scheme = strstr(spec, "://"), *start = scheme ? scheme + 3 : spec;
    const char *end = start + strcspn(start, "/?# \t"), *colon = memrchr(start, ':', end - start);

    if (!colon || memchr(colon, ']', (size_t)(end - colon)) ||
        (memchr(start, ':', (size_t)(colon - start)) && *start != '['))
        return 0;
    *len = (size_t)(end - colon - 1);
    bool list = memchr(colon, ',', *len + 1) || memchr(colon, '-', *len + 1);
    return list && strspn(colon + 1, "0123456789,-") == *len ? (size_t)(colon + 1 - spec) : 0;
}

/* One of the list, "80" or "8000-8010". */
static int parse_ports(const char *text, size_t len, uint64_t *first, uint64_t *last)
{
    char word[16];
    size_t dash = strcspn(text, "-,");

    if (len >= sizeof(word))
        return -EINVAL;
    snprintf(word, sizeof(word), "%.*s", (int)MIN_OF(dash, len), text);
    if (parse_u64(word, 1, 65535, first))
        return -EINVAL;
    *last = *first;
    if (dash >= len)
        return 0;
    snprintf(word, sizeof(word), "%.*s", (int)(len - dash - 1), text + dash + 1);
    return parse_u64(word, *first, 65535, last);
}

static int add_ports(struct run *r, const char *spec, size_t at, size_t len, const char *where)
{
    const char *p = spec + at, *end = p + len;
    int rc = 0;

    while (!rc && p <= end) {
        size_t n = strcspn(p, ",");
        uint64_t first, last;
        n = MIN_OF(n, (size_t)(end - p));
        if (parse_ports(p, n, &first, &last)) {
            complain(_("%s%.*s: not a list of ports (as 22,80,8000-8010)"), where, (int)(at + len),
                     spec);
            return EXIT_USAGE;
        }
        for (; !rc && first <= last; first++) {
            struct strbuf one = STRBUF_INIT;
            strbuf_addf(&one, "%.*s%u%s", (int)at, spec, (unsigned)first, end);
            rc = one.err ? EXIT_CANNOT : add_single(r, one.buf, where);
            strbuf_release(&one);
        }
        p += n + 1;
    }
    return rc;
}

static int add_one(struct run *r, const char *spec, const char *where)
{
    size_t len = 0, at = port_list(spec, &len);

    return at ? add_ports(r, spec, at, len, where) : add_single(r, spec, where);
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
    if (!rc && o->resume) {
        char err[300] = "";
        int failed = run_resume(r, o->resume, err, sizeof(err));
        if (failed)
            complain("%s: %s", o->resume, err[0] ? err : strerror(-failed));
        rc = failed ? EXIT_CANNOT : 0;
    }
    return rc;
}
