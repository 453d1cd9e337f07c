/* The catalogue: every cause of list.h, in its order, and the names of groups and grades. */
#include "cause/catalogue.h"

#include <string.h>

static const struct cause *const causes[] = {
#define CAUSE(name) &cause_##name,
#include "cause/list.h"
#undef CAUSE
};

size_t cause_count(void)
{
    return ARRAY_SIZE(causes);
}

const struct cause *cause_at(size_t i)
{
    return i < ARRAY_SIZE(causes) ? causes[i] : NULL;
}

const struct cause *cause_by_id(const char *id)
{
    for (size_t i = 0; id && i < ARRAY_SIZE(causes); i++)
        if (!strcmp(causes[i]->id, id))
            return causes[i];
    return NULL;
}

static const char *const group_words[GROUP_COUNT][2] = {
    [GROUP_FIREWALL] = {"firewall", N_("Firewall")},
    [GROUP_TIMEOUT] = {"timeout", N_("Timeout")},
    [GROUP_LOAD] = {"load", N_("Load")},
    [GROUP_HANDSHAKE] = {"handshake", N_("Handshake")},
    [GROUP_PROTOCOL] = {"protocol", N_("Protocol")},
    [GROUP_APPLICATION] = {"application", N_("Application")},
    [GROUP_HOST] = {"host", N_("Host")},
    [GROUP_NAT] = {"nat", N_("NAT")},
    [GROUP_LOCAL] = {"local", N_("This host")},
    [GROUP_CLOUD] = {"cloud", N_("Cloud")},
    [GROUP_NAME] = {"name", N_("Name")},
};

const char *group_name(enum group g)
{
    return (size_t)g < GROUP_COUNT ? group_words[g][0] : "host";
}

const char *group_title(enum group g)
{
    return (size_t)g < GROUP_COUNT ? group_words[g][1] : "";
}

const char *grade_name(enum grade g)
{
    static const char *const names[] = {"none", "possible", "likely", "confirmed"};
    return (size_t)g < ARRAY_SIZE(names) ? names[g] : "none";
}
