/*
 * action.h: what the person may do: one table (list.h) that dispatches keys, fills the hints line,
 * the help screen and the man page; and the keys, which may be bound anew.
 */
#ifndef UI_ACTION_H
#define UI_ACTION_H

#include "ui/key.h"

enum {
    IN_CONSOLE = 1,
    IN_DIAGNOSIS = 2,
    IN_FLOW = 4,
    IN_PACKET = 8,
    IN_HELP = 16,
    IN_EXPERIMENT = 32,
    IN_HOST = 64,
    IN_TARGETS = 128,
    IN_SETTINGS = 256,
    IN_CHARTS = 512,
    IN_HISTORY = 1024,
    IN_COMPARE = 2048,
    /* the screens one leafs through by number */
    IN_PAGES = IN_HOST | IN_TARGETS | IN_SETTINGS | IN_CHARTS | IN_HISTORY | IN_COMPARE,
    IN_SUB = IN_DIAGNOSIS | IN_FLOW | IN_PACKET | IN_HELP | IN_EXPERIMENT | IN_PAGES,
    IN_MOST = IN_CONSOLE | IN_DIAGNOSIS | IN_FLOW | IN_PACKET | IN_EXPERIMENT | IN_PAGES,
    IN_ALL = IN_MOST | IN_HELP,
};
enum action {
    ACTION_NONE,
#define ACTION(id, name, in, keys, rank, hint, help) ACTION_##id,
#include "ui/list.h"
#undef ACTION
    ACTION_COUNT
};
#define ACTION_KEYS 4
struct action_info {
    const char *name;
    unsigned contexts;
    const char *keys;
    int rank;                /* in the hints line: 1 first */
    const char *hint, *help; /* N_() */
};
const struct action_info *action_info(enum action a);
enum action action_by_name(const char *name);
/* The only action whose name begins so, else ACTION_NONE. */
enum action action_complete(const char *prefix, unsigned context);

/* Which keys do it: the table's own until they are bound anew. */
struct keymap {
    int keys[ACTION_COUNT][ACTION_KEYS]; /* 0: none further */
};
void keymap_defaults(struct keymap *m);
/* words: "F2 S", "" no key. -EINVAL: no such key, too many; err says which. */
int keymap_set(struct keymap *m, enum action a, const char *words, char *err, size_t errlen);
/* An action that shares a key with a in one context, ACTION_NONE. */
enum action keymap_clash(const struct keymap *m, enum action a, int *code);
/* As keymap_set, but refuses what another action uses, and what would leave no way out. */
int keymap_bind(struct keymap *m, enum action a, const char *words, char *err, size_t errlen);
int keymap_keys(const struct keymap *m, enum action a, int out[ACTION_KEYS]);      /* how many */
void keymap_text(const struct keymap *m, enum action a, char *out, size_t outlen); /* "F2 S" */
enum action keymap_action(const struct keymap *m, unsigned context, int code);     /* ACTION_NONE */

/* The table as text: a line for each action, grouped by where it works; what the man page says. */
void actions_list(struct strbuf *out);

#endif
