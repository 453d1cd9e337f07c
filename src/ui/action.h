/*
 * action.h: what the person may do: one table (list.h) that dispatches keys, fills the hints line
 * and the help screen.
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
    IN_SUB = IN_DIAGNOSIS | IN_FLOW | IN_PACKET | IN_HELP | IN_EXPERIMENT,
    IN_MOST = IN_CONSOLE | IN_DIAGNOSIS | IN_FLOW | IN_PACKET | IN_EXPERIMENT,
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
int action_keys(enum action a, int out[ACTION_KEYS]);  /* how many */
enum action action_of_key(unsigned context, int code); /* ACTION_NONE */
enum action action_by_name(const char *name);
/* The only action whose name begins so, else ACTION_NONE. */
enum action action_complete(const char *prefix, unsigned context);

#endif
