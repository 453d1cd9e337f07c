/* Steps: the server's host. */
#include "step/private.h"

const struct step step_listening = {
    .id = "listening",
    .group = GROUP_HOST,
    .question = N_("Does the service listen on this port?"),
    .why = N_("Without a listener the kernel refuses."),
    .if_yes = N_("Then something else refuses: a firewall, or another address."),
    .if_no = N_("Start it, or correct its address."),
    .how = N_("On the server: ss -ltn 'sport = :PORT'."),
    .kinds = {FACT_PORT_REUSED_LISTEN, FACT_USER_SERVICE_RUNS},
    .yes_is_suspect = false,
    .answer = FACT_USER_SERVICE_RUNS,
    .causes = {"port-closed", "fw-reject-syn-rst", "l4-proxy-upstream-dead", "app-crash"},
    .cost = 1,
};
const struct step step_other_port = {
    .id = "other-port",
    .group = GROUP_HOST,
    .question = N_("Do other ports of the same address answer?"),
    .why = N_("It tells a dead or blocked host from one closed port."),
    .if_yes = N_("The host is alive: it is about this port."),
    .if_no = N_("It is about the host or the way to it."),
    .how = N_("Try a port that is surely open (22, 80, 443)."),
    .kinds = {FACT_OTHER_PORT_OK},
    .yes_is_suspect = true,
    .answer = FACT_OTHER_PORT_OK,
    .causes = {"fw-drop-syn", "ip-port-block-rst", "port-closed"},
    .test = "elsewhere",
    .cost = 1,
};
const struct step step_rebooted = {
    .id = "rebooted",
    .group = GROUP_HOST,
    .question = N_("Was the server rebooted, moved or restored then?"),
    .why = N_("A host that lost its state answers old connections with resets."),
    .if_yes = N_("Clients must reconnect; find why it restarted."),
    .if_no = N_("Lost state is out."),
    .how = N_("uptime, last reboot, the hypervisor's log."),
    .kinds = {FACT_USER_REBOOTED},
    .yes_is_suspect = true,
    .answer = FACT_USER_REBOOTED,
    .causes = {"host-reboot-lost-state", "vm-pause-migrate", "failover-no-state"},
    .cost = 3,
};
const struct step step_out_resets = {
    .id = "out-resets",
    .group = GROUP_HOST,
    .question = N_("Did the server's own TCP send the reset?"),
    .why = N_("Its OutRsts counter counts every reset that its kernel sends; a firewall's does not "
              "count."),
    .if_yes = N_("The kernel sent it: ask why (the counters beside it)."),
    .if_no = N_("A firewall or box sent it in the server's name."),
    .how = N_("On the server: nstat TcpOutRsts before and after a try."),
    .kinds = {FACT_OUT_RSTS},
    .yes_is_suspect = false,
    .answer = FACT_OUT_RSTS,
    .causes = {"fw-reject-syn-rst", "dpi-onpath-rst", "dpi-inline-rst", "fw-midstream-reject",
               "tls-sni-filter"},
    .cost = 1,
};

const struct step step_machine_paused = {
    .id = "machine-paused",
    .group = GROUP_HOST,
    .question = N_("Was the machine paused, migrated or restored from a snapshot then?"),
    .why = N_("Its clock and its connections then lag behind the rest of the world."),
    .if_yes = N_("Expect clients to reconnect; migrate with short pauses."),
    .if_no = N_("The machine ran through."),
    .how = N_("Look at the hypervisor and at clock jumps in the journal."),
    .kinds = {FACT_USER_VM_PAUSED},
    .yes_is_suspect = true,
    .answer = FACT_USER_VM_PAUSED,
    .causes = {"vm-pause-migrate", "host-reboot-lost-state"},
    .cost = 3,
};
