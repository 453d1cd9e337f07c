/*
 * The configuration file: [options] are options of the command line under their long names, [keys]
 * are actions of the console with their keys. What the command line says counts more.
 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES_MAX 2000

/* In the order of the Settings screen. `now`: takes effect at once. */
static const struct {
    struct ui_setting shown;
    const char *standard; /* as it is without you */
} table[] = {
    {{"theme", N_("Screen"), N_("colours"), "default light high-contrast colour-blind mono", true},
     "default"},
    {{"color", N_("Screen"), N_("colours at all"), "auto always never", true}, "auto"},
    {{"ascii", N_("Screen"), N_("no line drawing characters"), "no yes", true}, "no"},
    {{"plots", N_("Screen"), N_("what charts are made of"), "auto braille blocks ascii", true},
     "auto"},
    {{"mouse", N_("Screen"), N_("the mouse: clicks and wheel"), "yes no", true}, "yes"},
    {{"interval", N_("Probes"), N_("time between rounds"), NULL, true}, "10s"},
    {{"timeout", N_("Probes"), N_("time for each stage, of targets added from now on"), NULL, true},
     "10s"},
    {{"experiments", N_("Probes"), N_("which may begin by themselves"), "none safe all", true},
     "safe"},
    {{"budget", N_("Probes"), N_("connections and time of one diagnosis"), NULL, true}, "40,60s"},
    {{"source", N_("Probes"), N_("address or interface to come from"), NULL, false}, ""},
    {{"proxy", N_("Probes"), N_("for http(s) targets"), NULL, false}, ""},
    {{"cacert", N_("Probes"), N_("PEM file of authorities"), NULL, false}, ""},
    {{"numeric", N_("Probes"), N_("no names for addresses"), "no yes", false}, "no"},
    {{"rate", N_("Limits"), N_("new connections a second; 0: no limit"), NULL, false}, "10000"},
    {{"max-connections", N_("Limits"), N_("probes' connections at once"), NULL, false}, ""},
    {{"max-per-host", N_("Limits"), N_("of them to one address"), NULL, false}, "64"},
    {{"max-memory", N_("Limits"), N_("of packets kept"), NULL, false}, "64M"},
    {{"max-flows", N_("Limits"), N_("connections held in memory"), NULL, false}, ""},
};
_Static_assert(ARRAY_SIZE(table) <= OPTION_VALUES, "a place for each");

size_t config_settings(const struct ui_setting **out)
{
    static struct ui_setting all[ARRAY_SIZE(table)];

    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        all[i] = table[i].shown;
    *out = all;
    return ARRAY_SIZE(table);
}

static int index_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (strcmp(table[i].shown.name, name) == 0)
            return (int)i;
    return -1;
}

const char *config_get(const struct options *o, size_t i)
{
    return o->values[i] ? o->values[i] : table[i].standard;
}

const char *config_standard(size_t i)
{
    return table[i].standard;
}

void config_unset(struct options *o, size_t i)
{
    free(o->values[i]);
    o->values[i] = NULL;
}

int config_note(struct options *o, const char *name, const char *value)
{
    int i = index_of(name);
    char *copy = i < 0 ? NULL : strdup(value);

    if (i < 0)
        return 0;
    if (!copy)
        return -ENOMEM;
    free(o->values[i]);
    o->values[i] = copy;
    return 0;
}

static bool one_of(const char *values, const char *value)
{
    size_t len = strlen(value);

    for (const char *p = values; *p; p += strcspn(p, " "), p += strspn(p, " "))
        if (len && strcspn(p, " ") == len && strncmp(p, value, len) == 0)
            return true;
    return false;
}

/* Flags are written yes and no; what only the screen knows is no option of the command line. */
int config_set(struct options *o, const char *name, const char *value, char *err, size_t errlen)
{
    int i = index_of(name);
    const char *values = i < 0 ? NULL : table[i].shown.values;

    if (i < 0) {
        snprintf(err, errlen, _("no option of this file: %s"), name);
        return -EINVAL;
    }
    if (values && !one_of(values, value)) {
        snprintf(err, errlen, _("%s is one of: %s"), name, values);
        return -EINVAL;
    }
    bool yes = strcmp(value, "yes") == 0;
    if (strcmp(name, "ascii") == 0)
        o->ascii = yes;
    else if (strcmp(name, "numeric") == 0)
        o->settings.numeric = yes;
    else if (strcmp(name, "mouse") == 0)
        o->no_mouse = !yes;
    else if (strcmp(name, "plots") != 0 && options_set(o, name, value, err, errlen) != 0)
        return -EINVAL;
    return config_note(o, name, value);
}

/* ---- reading ---- */

/* Started by root for a user, the file is that user's. */
static const char *home_of_user(char *out, size_t outlen)
{
    static const char *const vars[] = {"SUDO_UID", "PKEXEC_UID"};
    uint64_t uid;

    for (size_t i = 0; geteuid() == 0 && i < ARRAY_SIZE(vars); i++) {
        const char *text = getenv(vars[i]);
        struct passwd *pw = NULL;
        if (text && parse_u64(text, 1, UINT32_MAX, &uid) == 0)
            pw = getpwuid((uid_t)uid);
        if (pw) {
            snprintf(out, outlen, "%s", pw->pw_dir);
            return out;
        }
    }
    const char *home = getenv("HOME");
    snprintf(out, outlen, "%s", home ? home : "");
    return out;
}

static int find_path(char *out, size_t outlen)
{
    const char *xdg = getenv("XDG_CONFIG_HOME");
    char home[PATH_MAX - 64];

    if (xdg && xdg[0] == '/')
        snprintf(out, outlen, "%s/rstconsole/config", xdg);
    else if (home_of_user(home, sizeof(home))[0])
        snprintf(out, outlen, "%s/.config/rstconsole/config", home);
    else
        out[0] = '\0';
    return out[0] ? 0 : -ENOENT;
}

struct reading {
    struct options *o;
    char err[300];
};

static int add_binding(struct options *o, const char *action, const char *keys)
{
    struct ui_binding b = {.action = strdup(action), .keys = strdup(keys)};

    if (!b.action || !b.keys || ARRAY_GROW(o->bindings, o->nbindings + 1, o->bindings_alloc)) {
        free((char *)(uintptr_t)b.action);
        free((char *)(uintptr_t)b.keys);
        return -ENOMEM;
    }
    o->bindings[o->nbindings++] = b;
    return 0;
}

/* inih's handler: 0 refuses the line. */
static int on_pair(void *arg, const char *section, const char *name, const char *value)
{
    struct reading *r = arg;

    if (strcmp(section, "options") == 0)
        return config_set(r->o, name, value, r->err, sizeof(r->err)) == 0;
    if (strcmp(section, "keys") == 0)
        return add_binding(r->o, name, value) == 0;
    snprintf(r->err, sizeof(r->err), _("there are the sections [options] and [keys], not [%s]"),
             section);
    return 0;
}

int config_read(struct options *o, const char *path)
{
    struct reading r = {.o = o};
    char found[PATH_MAX];
    bool asked = path != NULL;
    FILE *f;
    int line;

    if (!path && find_path(found, sizeof(found)) == 0)
        path = found;
    if (!path)
        return 0;
    o->config_path = strdup(path);
    f = fopen(path, "re");
    if (!f && !asked) /* none is needed */
        return 0;
    if (!f) {
        complain("%s: %s", path, strerror(errno));
        return EXIT_CANNOT;
    }
    line = ini_parse_file(f, on_pair, &r);
    fclose(f);
    if (line == 0)
        return 0;
    complain("%s:%d: %s", path, line, r.err[0] ? r.err : _("neither [section] nor name = value"));
    return EXIT_USAGE;
}

/* ---- writing: the file stays as it was but for one line ---- */

static int make_folders(const char *path)
{
    char dir[PATH_MAX];

    snprintf(dir, sizeof(dir), "%s", path);
    for (char *p = dir + 1; *p; p++)
        if (*p == '/') {
            *p = '\0';
            if (mkdir(dir, 0700) < 0 && errno != EEXIST)
                return -errno;
            *p = '/';
        }
    return 0;
}

static bool is_pair(const char *line, const char *name)
{
    size_t len = strlen(name);

    line += strspn(line, " \t");
    if (strncmp(line, name, len) != 0)
        return false;
    line += len;
    line += strspn(line, " \t");
    return *line == '=' || *line == ':';
}

/* Copies `in` with `name = value` in its section (value NULL: without it). */
static void edit(struct strbuf *out, FILE *in, const char *section, const char *name,
                 const char *value)
{
    char line[4096], head[64];
    bool inside = false, done = value == NULL;

    snprintf(head, sizeof(head), "[%s]", section);
    while (in && fgets(line, sizeof(line), in)) {
        const char *p = line + strspn(line, " \t");
        if (*p == '[') {
            if (inside && !done) {
                strbuf_addf(out, "%s = %s\n", name, value);
                done = true;
            }
            inside = strncmp(p, head, strlen(head)) == 0;
        } else if (inside && is_pair(line, name)) {
            if (!done)
                strbuf_addf(out, "%s = %s\n", name, value);
            done = true;
            continue;
        }
        strbuf_addstr(out, line);
        if (!strchr(line, '\n'))
            strbuf_addch(out, '\n');
    }
    if (done)
        return;
    if (!inside)
        strbuf_addf(out, "%s[%s]\n", out->len ? "\n" : "", section);
    strbuf_addf(out, "%s = %s\n", name, value);
}

static int replace(const char *path, const struct strbuf *text)
{
    char temp[PATH_MAX + 8];
    int err = 0, fd;

    snprintf(temp, sizeof(temp), "%s.XXXXXX", path);
    fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    for (size_t at = 0; !err && at < text->len;) {
        ssize_t n = write(fd, text->buf + at, text->len - at);
        if (n < 0 && errno != EINTR)
            err = -errno;
        at += n > 0 ? (size_t)n : 0;
    }
    if (!err && fsync(fd) < 0)
        err = -errno;
    close(fd);
    if (!err && rename(temp, path) < 0)
        err = -errno;
    if (err)
        unlink(temp);
    return err;
}

int config_write(const struct options *o, const char *section, const char *name, const char *value)
{
    struct strbuf text = STRBUF_INIT;
    char real[PATH_MAX];
    const char *path = o->config_path;
    int err;

    if (!path)
        return -ENOENT;
    err = make_folders(path);
    if (err)
        return err;
    if (realpath(path, real)) /* a link stays one */
        path = real;
    FILE *in = fopen(path, "re");
    if (!in && errno != ENOENT)
        return -errno;
    edit(&text, in, section, name, value);
    err = text.err ? text.err : 0;
    if (in && ferror(in))
        err = -EIO;
    if (in)
        fclose(in);
    if (!err)
        err = replace(path, &text);
    strbuf_release(&text);
    return err;
}

/* ---- the rest ---- */

const char *config_plots(const struct options *o)
{
    const char *value = config_get(o, (size_t)index_of("plots"));

    return strcmp(value, "auto") == 0 ? NULL : value;
}

int config_print(const struct options *o)
{
    printf("# %s\n[options]\n", o->config_path ? o->config_path : _("no configuration file"));
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        const char *value = config_get(o, i);
        printf("%s%s = %s\n", o->values[i] ? "" : "# ", table[i].shown.name, value);
    }
    printf("\n[keys]\n");
    for (size_t i = 0; i < o->nbindings; i++)
        printf("%s = %s\n", o->bindings[i].action, o->bindings[i].keys);
    return EXIT_WELL;
}

void config_release(struct options *o)
{
    for (size_t i = 0; i < OPTION_VALUES; i++)
        free(o->values[i]);
    for (size_t i = 0; i < o->nbindings; i++) {
        free((char *)(uintptr_t)o->bindings[i].action);
        free((char *)(uintptr_t)o->bindings[i].keys);
    }
    free(o->bindings);
    free(o->config_path);
}
