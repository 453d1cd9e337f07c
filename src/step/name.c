/* Steps: the name. */
#include "step/private.h"

const struct step step_resolves = {
    .id = "resolves",
    .group = GROUP_NAME,
    .question = N_("Does the name resolve?"),
    .why = N_("Without an address there is no connection."),
    .if_yes = N_("The name resolves."),
    .if_no = N_("Correct the name, the record or the resolver."),
    .how = N_("dig NAME. (with the dot), getent hosts NAME."),
    .kinds = {FACT_DNS_FAILED},
    .yes_is_suspect = true,
    .causes = {"dns-nxdomain", "dns-no-address", "dns-servfail", "dns-refused", "dns-timeout"},
    .cost = 0,
};
const struct step step_override = {
    .id = "override",
    .group = GROUP_NAME,
    .question = N_("Does /etc/hosts or a local cache override the name?"),
    .why = N_("An old line in /etc/hosts sends everybody on this host to the old place."),
    .if_yes = N_("Remove the line."),
    .if_no = N_("The name comes from the DNS."),
    .how = N_("grep NAME /etc/hosts; resolvectl query NAME."),
    .kinds = {FACT_DNS_HOSTS},
    .yes_is_suspect = true,
    .answer = FACT_DNS_HOSTS,
    .causes = {"dns-hosts-override", "stale-discovery"},
    .cost = 1,
};
const struct step step_moved = {
    .id = "moved",
    .group = GROUP_NAME,
    .question = N_("Was the name moved to another address lately?"),
    .why = N_("Caches and clients keep the old address beyond its time."),
    .if_yes = N_("Wait out the TTL, or restart the clients that cache."),
    .if_no = N_("The address is current."),
    .how = N_("Ask two resolvers and compare; ask who runs the service."),
    .kinds = {FACT_USER_NAME_MOVED},
    .yes_is_suspect = true,
    .answer = FACT_USER_NAME_MOVED,
    .causes = {"stale-discovery", "dns-hosts-override", "port-closed"},
    .cost = 3,
};
const struct step step_inside_only = {
    .id = "inside-only",
    .group = GROUP_NAME,
    .question = N_("Does the name exist only inside another network?"),
    .why = N_("Split DNS answers differently inside and outside."),
    .if_yes = N_("Use that network's resolver (VPN)."),
    .if_no = N_("The name is public."),
    .how = N_("Ask the resolver of that network."),
    .kinds = {FACT_USER_SPLIT_DNS},
    .yes_is_suspect = true,
    .answer = FACT_USER_SPLIT_DNS,
    .causes = {"dns-nxdomain"},
    .cost = 1,
};
