/* The table of fact kinds, made from list.h. */
#include "evidence/evidence.h"

#include <string.h>

static const struct fact_kind_info kinds[FACT_KIND_COUNT] = {
    [FACT_NOTHING] = {"nothing", "", "", SEV_INFO, "", "", ""},
#define FACT(id, name, family, unit, severity, yes, no, missing)                                   \
    [FACT_##id] = {name, family, unit, severity, yes, no, missing},
#include "evidence/list.h"
#undef FACT
};

const struct fact_kind_info *fact_info(enum fact_kind kind)
{
    return kind < FACT_KIND_COUNT ? &kinds[kind] : &kinds[FACT_NOTHING];
}

enum fact_kind fact_kind_by_name(const char *name)
{
    for (int k = FACT_NOTHING + 1; k < FACT_KIND_COUNT; k++)
        if (name && !strcmp(kinds[k].name, name))
            return (enum fact_kind)k;
    return FACT_NOTHING;
}

const char *fact_source_name(enum fact_source s)
{
    static const char *const names[] = {"packet", "probe", "host", "experiment", "log", "user"};
    return (size_t)s < ARRAY_SIZE(names) ? names[s] : "packet";
}
