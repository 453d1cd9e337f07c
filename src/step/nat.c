/* Steps: NAT and connection tracking. */
#include "step/private.h"

const struct step step_port_reused = {
    .id = "port-reused",
    .title = N_("port reused"),
    .group = GROUP_NAT,
    .question = N_("Did the SYN meet an old connection with the same ports?"),
    .why = N_("The server then answers with the old numbers, and the client resets."),
    .if_yes = N_("Use more source ports and close properly."),
    .if_no = N_("It did not."),
    .how = N_("In the packets the SYN is answered by an ACK with an unexpected number; nstat "
              "TCPChallengeACK on the server."),
    .kinds = {FACT_SYN_ANSWERED_BAD_ACK, FACT_CHALLENGE_ACK},
    .yes_is_suspect = true,
    .causes = {"timewait-collision", "snat-port-reuse"},
    .cost = 0,
};
const struct step step_nat_between = {
    .id = "nat-between",
    .title = N_("NAT between"),
    .group = GROUP_NAT,
    .question = N_("Does a NAT stand between client and server?"),
    .why = N_("A NAT forgets, reuses ports and rewrites."),
    .if_yes = N_("Compare its timeouts with the silence before the cut."),
    .if_no = N_("NAT causes are out."),
    .how = N_("Compare the client's address with the one the server sees."),
    .kinds = {FACT_USER_NAT},
    .yes_is_suspect = true,
    .answer = FACT_USER_NAT,
    .causes = {"nat-mapping-expired", "snat-port-reuse", "paws-nat-drop"},
    .cost = 1,
};
const struct step step_state_cleared = {
    .id = "state-cleared",
    .title = N_("state cleared"),
    .group = GROUP_NAT,
    .question = N_("Was a firewall, NAT or router on the path restarted, flushed or failed over?"),
    .why = N_("Its state was lost, and every connection through it with it."),
    .if_yes = N_("Synchronise state, or expect a cut at each failover."),
    .if_no = N_("State was not lost there."),
    .how = N_("Ask for changes at that second; did many connections die at once?"),
    .kinds = {FACT_USER_STATE_CLEARED},
    .yes_is_suspect = true,
    .answer = FACT_USER_STATE_CLEARED,
    .causes = {"conntrack-flushed", "fw-state-missing", "fw-midstream-reject", "fw-midstream-drop",
               "failover-no-state"},
    .cost = 3,
};
