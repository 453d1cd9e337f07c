/*
 * action.c: the table of actions, and the keys bound to them.
 */
#include "ui/action.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct action_info table[ACTION_COUNT] = {
#define ACTION(id, name, in, keys, rank, hint, help)                                               \
    [ACTION_##id] = {name, in, keys, rank, hint, help},
#include "ui/list.h"
#undef ACTION
};

const struct action_info *action_info(enum action a)
{
    return &table[a < ACTION_COUNT ? a : ACTION_NONE];
}

enum action action_by_name(const char *name)
{
    for (int a = 1; a < ACTION_COUNT; a++)
        if (strcmp(table[a].name, name) == 0)
            return a;
    return ACTION_NONE;
}

enum action action_complete(const char *prefix, unsigned context)
{
    enum action found = ACTION_NONE;

    for (int a = 1; a < ACTION_COUNT; a++) {
        if (!(table[a].contexts & context) || strncmp(table[a].name, prefix, strlen(prefix)) != 0)
            continue;
        if (found != ACTION_NONE)
            return ACTION_NONE;
        found = a;
    }
    return found;
}

/* ---- keys ---- */

void keymap_defaults(struct keymap *m)
{
    char err[80];

    memset(m, 0, sizeof(*m));
    for (int a = 1; a < ACTION_COUNT; a++)
        keymap_set(m, a, table[a].keys, err, sizeof(err)); /* a test holds that all are keys */
}

int keymap_set(struct keymap *m, enum action a, const char *words, char *err, size_t errlen)
{
    int keys[ACTION_KEYS] = {0}, n = 0;

    words += strspn(words, " ");
    while (*words) {
        char name[KEY_NAME_MAX] = "";
        size_t len = strcspn(words, " ");
        memcpy(name, words, MIN_OF(len, sizeof(name) - 1));
        int code = len < sizeof(name) ? key_by_name(name) : 0;
        if (!code) {
            snprintf(err, errlen, _("no key is called %s"), name);
            return -EINVAL;
        }
        if (n == ACTION_KEYS) {
            snprintf(err, errlen, _("at most %d keys for one action"), ACTION_KEYS);
            return -EINVAL;
        }
        keys[n++] = code;
        words += len;
        words += strspn(words, " ");
    }
    memcpy(m->keys[a], keys, sizeof(keys));
    return 0;
}

int keymap_keys(const struct keymap *m, enum action a, int out[ACTION_KEYS])
{
    int n = 0;

    while (n < ACTION_KEYS && m->keys[a][n]) {
        out[n] = m->keys[a][n];
        n++;
    }
    return n;
}

void keymap_text(const struct keymap *m, enum action a, char *out, size_t outlen)
{
    int keys[ACTION_KEYS], n = keymap_keys(m, a, keys);
    size_t at = 0;

    out[0] = '\0';
    for (int i = 0; i < n && at < outlen; i++) {
        char name[KEY_NAME_MAX];
        at +=
            (size_t)snprintf(out + at, outlen - at, "%s%s", i ? " " : "", key_text(name, keys[i]));
    }
}

static bool has_key(const struct keymap *m, enum action a, int code)
{
    for (int i = 0; i < ACTION_KEYS; i++)
        if (m->keys[a][i] == code)
            return true;
    return false;
}

enum action keymap_action(const struct keymap *m, unsigned context, int code)
{
    for (int a = 1; code && a < ACTION_COUNT; a++)
        if (table[a].contexts & context && has_key(m, a, code))
            return a;
    return ACTION_NONE;
}

enum action keymap_clash(const struct keymap *m, enum action a, int *code)
{
    for (int b = 1; b < ACTION_COUNT; b++) {
        if (b == (int)a || !(table[a].contexts & table[b].contexts))
            continue;
        for (int i = 0; i < ACTION_KEYS && m->keys[a][i]; i++)
            if (has_key(m, b, m->keys[a][i])) {
                *code = m->keys[a][i];
                return b;
            }
    }
    return ACTION_NONE;
}

int keymap_bind(struct keymap *m, enum action a, const char *words, char *err, size_t errlen)
{
    struct keymap next = *m;
    char name[KEY_NAME_MAX];
    int code, rc = keymap_set(&next, a, words, err, errlen);

    if (rc < 0)
        return rc;
    if (!next.keys[a][0] &&
        (a == ACTION_QUIT || a == ACTION_BACK || a == ACTION_COMMAND || a == ACTION_CLOSE_HELP)) {
        snprintf(err, errlen, _("%s needs a key: there would be no way out"), table[a].name);
        return -EINVAL;
    }
    enum action other = keymap_clash(&next, a, &code);
    if (other != ACTION_NONE) {
        snprintf(err, errlen, _("%s is the key of %s"), key_text(name, code), table[other].name);
        return -EINVAL;
    }
    *m = next;
    return 0;
}

/* ---- the table as text ---- */

static const struct {
    unsigned in; /* the actions of exactly these contexts first, then those of this one */
    const char *name;
} places[] = {{IN_ALL, "everywhere"},
              {IN_CONSOLE, "console"},
              {IN_DIAGNOSIS, "diagnosis"},
              {IN_EXPERIMENT, "experiments"},
              {IN_FLOW, "flow"},
              {IN_PACKET, "packet"},
              {IN_TARGETS, "targets"},
              {IN_SETTINGS, "settings"},
              {IN_CHARTS, "charts"},
              {IN_HISTORY, "history"},
              {IN_COMPARE, "compare"},
              {IN_HOST, "host"},
              {IN_HELP, "help"}};

/* Under which of the places an action is listed: the first that it belongs to. */
static size_t place_of(const struct action_info *info)
{
    if ((info->contexts & IN_MOST) == IN_MOST || (info->contexts & IN_SUB) == IN_SUB)
        return 0;
    for (size_t i = 1; i < ARRAY_SIZE(places); i++)
        if (info->contexts & places[i].in)
            return i;
    return 0;
}

void actions_list(struct strbuf *out)
{
    struct keymap m;
    char keys[64];

    keymap_defaults(&m);
    for (size_t p = 0; p < ARRAY_SIZE(places); p++) {
        bool head = false;
        for (int a = 1; a < ACTION_COUNT; a++) {
            if (place_of(&table[a]) != p)
                continue;
            if (!head)
                strbuf_addf(out, "%s:\n", places[p].name);
            head = true;
            keymap_text(&m, a, keys, sizeof(keys));
            strbuf_addf(out, "  %-18s %-20s %s\n", keys, table[a].name, _(table[a].help));
        }
    }
}
