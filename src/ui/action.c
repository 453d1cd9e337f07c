/*
 * action.c: the table of actions.
 */
#include "ui/action.h"

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

int action_keys(enum action a, int out[ACTION_KEYS])
{
    const char *p = action_info(a)->keys;
    int n = 0;

    while (p && *p && n < ACTION_KEYS) {
        char name[KEY_NAME_MAX];
        size_t len = strcspn(p, " ");
        if (len < sizeof(name)) {
            memcpy(name, p, len);
            name[len] = '\0';
            out[n] = key_by_name(name);
            n += out[n] != 0;
        }
        p += len;
        p += strspn(p, " ");
    }
    return n;
}

enum action action_of_key(unsigned context, int code)
{
    for (int a = 1; a < ACTION_COUNT; a++) {
        int keys[ACTION_KEYS], n;
        if (!(table[a].contexts & context))
            continue;
        n = action_keys(a, keys);
        for (int i = 0; i < n; i++)
            if (keys[i] == code)
                return a;
    }
    return ACTION_NONE;
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
