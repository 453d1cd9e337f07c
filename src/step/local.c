/* Steps: this host. */
#include "step/private.h"

const struct step step_local_rule = {
    .id = "local-rule",
    .title = N_("local rule"),
    .group = GROUP_LOCAL,
    .question = N_("Does this host's own firewall or security agent reject it?"),
    .why = N_("A rule on this very host looks exactly like a refusing server."),
    .if_yes = N_("Correct the rule here."),
    .if_no = N_("This host lets it out."),
    .how = N_("nft list ruleset (output chain), iptables -S OUTPUT -v."),
    .kinds = {FACT_LOCAL_RULE_REJECTS, FACT_LOCAL_REJECT_RULE, FACT_USER_LOCAL_FW},
    .yes_is_suspect = true,
    .answer = FACT_USER_LOCAL_FW,
    .causes = {"local-fw-output-reject"},
    .cost = 1,
};
const struct step step_destroyed_here = {
    .id = "destroyed-here",
    .title = N_("destroyed here"),
    .group = GROUP_LOCAL,
    .question = N_("Did this host destroy the socket itself?"),
    .why = N_("ss -K, VPN clients and network managers kill sockets: ECONNABORTED."),
    .if_yes = N_("Find the tool that does it."),
    .if_no = N_("Nobody killed it here."),
    .how = N_("errno is ECONNABORTED; look for ss -K and network changes."),
    .kinds = {FACT_LOCAL_DESTROYED},
    .yes_is_suspect = true,
    .causes = {"local-sock-destroy"},
    .cost = 0,
};
const struct step step_network_changed = {
    .id = "network-changed",
    .title = N_("network changed"),
    .group = GROUP_LOCAL,
    .question = N_("Did this host change its network, VPN or address then?"),
    .why = N_("Old connections do not survive a new address."),
    .if_yes = N_("Reconnect after the change."),
    .if_no = N_("The network stayed the same."),
    .how = N_("ip monitor, journalctl -u NetworkManager."),
    .kinds = {FACT_LOCAL_ADDRESS_GONE, FACT_USER_NETWORK_CHANGED},
    .yes_is_suspect = true,
    .answer = FACT_USER_NETWORK_CHANGED,
    .causes = {"nat-rebind-ip-change", "peer-keepalive-expired", "local-keepalive-kill"},
    .cost = 1,
};
