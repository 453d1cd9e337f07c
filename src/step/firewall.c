/* Steps: firewalls and other boxes on the path. */
#include "step/private.h"

const struct step step_reset_origin = {
    .id = "reset-origin",
    .group = GROUP_FIREWALL,
    .question = N_("Do the reset's own features fit the host whose address it bears?"),
    .why = N_("A box on the way can send a reset in the server's name; its TTL, its moment or its "
              "numbers then give it away."),
    .if_yes = N_("A box on the way sent it: look for the box, not at the server."),
    .if_no = N_("The host whose address it bears very likely sent it itself."),
    .how = N_("In the packets compare TTL, IP-ID and window of the reset with the SYN-ACK and the "
              "data before it."),
    .kinds = {FACT_RST_TTL_DIFFERS, FACT_RST_BEFORE_RTT, FACT_RST_FAN, FACT_DATA_AFTER_RST,
              FACT_RST_MAC_DIFFERS, FACT_RST_IPID_COPIED},
    .yes_is_suspect = true,
    .causes = {"fw-reject-syn-rst", "fw-midstream-reject", "dpi-onpath-rst", "dpi-inline-rst",
               "ip-port-block-rst", "tls-sni-filter", "fw-state-missing", "duplicate-ip"},
    .cost = 0,
};
const struct step step_icmp_error = {
    .id = "icmp-error",
    .group = GROUP_FIREWALL,
    .question = N_("Did an ICMP error come instead of an answer?"),
    .why = N_(
        "A router or firewall that refuses politely says so with ICMP, and bears its own address."),
    .if_yes = N_("The box that sent the ICMP error refuses the connection."),
    .if_no = N_("Nobody refused with ICMP."),
    .how = N_("rstconsole reads the error queue of its own probes; in a capture look for ICMP "
              "beside the SYN."),
    .kinds = {FACT_ICMP_ERROR, FACT_CONN_UNREACHABLE},
    .yes_is_suspect = true,
    .causes = {"fw-reject-icmp", "k8s-no-endpoints", "k8s-networkpolicy", "local-fw-output-reject"},
    .cost = 0,
};
const struct step step_firewall_rule = {
    .id = "firewall-rule",
    .group = GROUP_FIREWALL,
    .question = N_("Does a firewall rule cover this port and these addresses?"),
    .why = N_("A rule \"reject with tcp reset\" looks like a closed port, and a drop rule like a "
              "dead host."),
    .if_yes = N_("The rule is the first suspect: compare its counter before and after a try."),
    .if_no =
        N_("Firewalls that you know of are out; one that you do not know may still stand there."),
    .how = N_("On the server: nft list ruleset, iptables-save -c. Elsewhere ask who runs the "
              "firewall or security group."),
    .kinds = {FACT_USER_FW_CHANGED},
    .yes_is_suspect = true,
    .answer = FACT_USER_FW_CHANGED,
    .causes = {"fw-reject-syn-rst", "fw-reject-icmp", "fw-drop-syn", "fw-midstream-reject",
               "fw-midstream-drop", "k8s-networkpolicy"},
    .cost = 3,
};
const struct step step_firewall_log = {
    .id = "firewall-log",
    .group = GROUP_FIREWALL,
    .question = N_("Does the firewall's log show this connection?"),
    .why = N_("A firewall that resets or drops usually logs it, with the rule."),
    .if_yes = N_("The log names the rule."),
    .if_no = N_("That firewall did not do it (if it logs at all)."),
    .how = N_("Search its log for both addresses at that second."),
    .kinds = {FACT_USER_FW_LOG},
    .yes_is_suspect = true,
    .answer = FACT_USER_FW_LOG,
    .causes = {"fw-reject-syn-rst", "fw-drop-syn", "fw-midstream-reject", "fw-state-missing",
               "fw-midstream-drop", "ips-signature-reset"},
    .cost = 3,
};
const struct step step_content_filter = {
    .id = "content-filter",
    .group = GROUP_FIREWALL,
    .question = N_("Does an IPS, proxy or provider's filter look into this traffic?"),
    .why = N_("Filters cut connections for a server name, a URI or a keyword."),
    .if_yes = N_("Look into its log, and try harmless content on the same address."),
    .if_no = N_("A filter you know of is out."),
    .how = N_("Ask the network's administrators; try the same from a network without the filter."),
    .kinds = {FACT_USER_FILTER, FACT_REQUEST_PART},
    .yes_is_suspect = true,
    .answer = FACT_USER_FILTER,
    .causes = {"dpi-onpath-rst", "dpi-inline-rst", "tls-sni-filter", "ips-signature-reset",
               "tls-intercept-policy", "dpi-residual-block"},
    .test = "request",
    .cost = 3,
};
const struct step step_other_network = {
    .id = "other-network",
    .group = GROUP_FIREWALL,
    .question = N_("Does it work from another network?"),
    .why = N_("What fails only from here is on the way from here (or meant for this address)."),
    .if_yes = N_("The cause is on this path or a rule for this source, not the service itself."),
    .if_no = N_("The cause is at the server's end."),
    .how = N_("Try from a phone's network, a VPN or another site."),
    .kinds = {FACT_USER_OTHER_PATH},
    .yes_is_suspect = true,
    .answer = FACT_USER_OTHER_PATH,
    .causes = {"fw-reject-syn-rst", "fw-drop-syn", "dpi-onpath-rst", "ip-port-block-rst",
               "rate-limit-ban", "tls-sni-filter", "dpi-inline-rst", "k8s-networkpolicy"},
    .cost = 3,
};
const struct step step_two_paths = {
    .id = "two-paths",
    .group = GROUP_FIREWALL,
    .question = N_("Do packets there and back take different ways, or did a firewall fail over?"),
    .why = N_("A stateful box that sees half of a connection has no state for it and may reset."),
    .if_yes = N_("Make the path symmetric or let the pair share its state."),
    .if_no = N_("Missing state is unlikely."),
    .how = N_("Compare traceroutes from both ends; ask for failovers at that time."),
    .kinds = {FACT_USER_ASYMMETRIC},
    .yes_is_suspect = true,
    .answer = FACT_USER_ASYMMETRIC,
    .causes = {"fw-state-missing", "conntrack-flushed", "fw-midstream-reject"},
    .cost = 3,
};

const struct step step_waiting = {
    .id = "waiting",
    .group = GROUP_FIREWALL,
    .question = N_("Does it work again after a wait of some minutes?"),
    .why = N_("Bans and filters punish an address for a time after they matched."),
    .if_yes = N_("A ban or filter remembers this address: look for the first failure."),
    .if_no = N_("It is not a ban."),
    .how = N_("Leave it alone for five minutes, then try once."),
    .kinds = {FACT_WAIT_HELPS},
    .yes_is_suspect = true,
    .answer = FACT_WAIT_HELPS,
    .causes = {"dpi-residual-block", "rate-limit-ban", "ip-port-block-rst"},
    .cost = 10,
};
const struct step step_reset_hop = {
    .id = "reset-hop",
    .group = GROUP_FIREWALL,
    .question = N_("Does a box nearer than the server send the reset?"),
    .why = N_("Packets with a small TTL reach only the first hops: what is reset then was reset by "
              "one of them."),
    .if_yes = N_("That hop resets: ask whoever runs it."),
    .if_no = N_("The server or its last hop resets."),
    .how = N_("Send the same packet with growing TTLs (nping --tcp --ttl N) and see from which on "
              "it is reset."),
    .kinds = {FACT_RESET_HOP, FACT_TTL_SHIELD},
    .yes_is_suspect = true,
    .answer = FACT_RESET_HOP,
    .causes = {"fw-reject-syn-rst", "dpi-onpath-rst", "dpi-inline-rst", "tls-sni-filter",
               "fw-midstream-reject", "ip-port-block-rst"},
    .test = "hops",
    .cost = 4,
};
const struct step step_same_again = {
    .id = "same-again",
    .group = GROUP_FIREWALL,
    .question = N_("Does it happen each time it is tried again alone?"),
    .why = N_("What fails each time is somebody's decision; what fails now and then is load, a "
              "path or a moment."),
    .if_yes = N_("A rule, a setting or the content decides."),
    .if_no = N_("Look for load, a restart, two paths or an old connection."),
    .how = N_("Try three times from fresh connections, with a pause between them."),
    .kinds = {FACT_REPEATED_SAME},
    .yes_is_suspect = true,
    .answer = FACT_REPEATED_SAME,
    .causes = {"port-closed", "tls-tls-to-plain", "ips-signature-reset", "app-deploy-restart",
               "accept-queue-overflow-rst", "fw-state-missing"},
    .test = "repeat",
    .cost = 1,
};
const struct step step_source_port = {
    .id = "source-port",
    .group = GROUP_FIREWALL,
    .question = N_("Does it depend on the client's source port?"),
    .why = N_("Routers choose among equal paths by the ports: one faulty path fails for some of "
              "them, each time."),
    .if_yes = N_("One of several paths has no state, a stale rule or a fault."),
    .if_no = N_("All paths are alike, or there is only one."),
    .how = N_("Connect 32 times from different source ports, and again from those that failed."),
    .kinds = {FACT_PORT_DEPENDS},
    .yes_is_suspect = true,
    .answer = FACT_PORT_DEPENDS,
    .causes = {"fw-state-missing", "failover-no-state"},
    .cost = 2,
};
const struct step step_plain_syn = {
    .id = "plain-syn",
    .group = GROUP_FIREWALL,
    .question = N_("Does a SYN without unusual options get through?"),
    .why = N_("Old boxes reset what bears TCP Fast Open, MPTCP or ECN (RFC 3360)."),
    .if_yes = N_("Turn the option off for this destination, or update the box."),
    .if_no = N_("The options are not the reason."),
    .how = N_("Turn net.ipv4.tcp_fastopen, net.mptcp.enabled or net.ipv4.tcp_ecn off and try."),
    .kinds = {FACT_PLAIN_SYN_OK},
    .yes_is_suspect = true,
    .answer = FACT_PLAIN_SYN_OK,
    .causes = {"syn-option-intolerance"},
    .test = "options",
    .cost = 2,
};
