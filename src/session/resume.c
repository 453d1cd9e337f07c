/*
 * What experiments of a saved session had found out before it was left, for those who go on: an
 * idle ladder of hours does not begin anew. The saved session stays as it is; its targets are asked
 * again, and where one fails again its ladder goes on from the rungs that are known.
 */
#include "session/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct resumed *resumed_of(const struct explore *e, uint32_t target)
{
    for (size_t i = 0; i < e->nresumed; i++)
        if (e->resumed[i].target == target)
            return &e->resumed[i];
    return NULL;
}

static struct resumed *resumed_new(struct explore *e, uint32_t target)
{
    struct resumed *k = (struct resumed *)resumed_of(e, target);

    if (k || ARRAY_GROW(e->resumed, e->nresumed + 1, e->resumed_alloc))
        return k;
    k = &e->resumed[e->nresumed++];
    *k = (struct resumed){.target = target};
    return k;
}

/* Its number among those of the run; it is added where it is not there. 0: it cannot be. */
static uint32_t own_target(struct run *r, const char *name, char *err, size_t errlen)
{
    for (size_t i = 0; i < r->s->ntargets; i++)
        if (strcmp(r->s->targets[i].target->name, name) == 0)
            return r->s->targets[i].target->id;
    return run_add_target(r, name, err, errlen) ? 0 : r->s->targets[r->s->ntargets - 1].target->id;
}

static bool worth_keeping(const struct experiment_row *row)
{
    return !row->control && row->ended != NSTIME_NONE && row->began != NSTIME_NONE &&
           row->end != SHOT_OPEN && row->end != SHOT_CANCELLED && row->end != SHOT_LOCAL;
}

static int take(struct resumed *k, const struct experiment_record *e)
{
    for (size_t i = 0; i < e->nrows; i++) {
        const struct experiment_row *row = &e->rows[i];
        if (!worth_keeping(row))
            continue;
        if (ARRAY_GROW(k->known, k->nknown + 1, k->alloc))
            return -ENOMEM;
        k->known[k->nknown++] = (struct trial_known){
            .x = row->x,
            .end = row->end,
            .stage = row->stage,
            .lasted = row->ended - row->began,
        };
    }
    return 0;
}

int run_resume(struct run *r, const char *path, char *err, size_t errlen)
{
    struct settings st = r->s->settings;
    struct session *old = NULL;
    size_t n = 0;

    st.read_file = path;
    st.save = st.live = false;
    int rc = session_load(&old, path, &st, err, errlen);
    for (size_t i = 0; !rc && i < old->nexperiments; i++) {
        const struct experiment_record *e = &old->experiments[i];
        const struct target_state *ts = session_target(old, e->target);
        if (e->outcome != EXP_CANCELLED || strcmp(e->experiment, "idle") != 0 || !ts)
            continue;
        uint32_t target = own_target(r, ts->target->name, err, errlen);
        struct resumed *k = target ? resumed_new(&r->explore, target) : NULL;
        rc = !target ? -EINVAL : !k ? -ENOMEM : take(k, e);
        n += k ? k->nknown : 0;
    }
    session_free(old);
    if (!rc && !n) {
        snprintf(err, errlen, "%s", _("no experiment was left unfinished in it"));
        rc = -ENOENT;
    }
    if (!rc)
        session_message(r->s, MSG_INFO, _("%zu silences that were tried before are known"), n);
    return rc;
}
