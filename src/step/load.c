/* Steps: load and limits. */
#include "step/private.h"

const struct step step_accept_queue = {
    .id = "accept-queue",
    .group = GROUP_LOAD,
    .question = N_("Is the server's accept queue full?"),
    .why = N_("If the application accepts too slowly, the kernel drops or resets new connections."),
    .if_yes = N_("See why the application does not accept; raise the backlog."),
    .if_no = N_("The queue is not the cause."),
    .how = N_("On the server: ss -ltn (Recv-Q against Send-Q) and nstat TcpExtListenOverflows."),
    .kinds = {FACT_LISTEN_QUEUE_FULL, FACT_LISTEN_OVERFLOW, FACT_SYNACK_REPEATED,
              FACT_EMBRYONIC_RST},
    .yes_is_suspect = true,
    .answer = FACT_LISTEN_QUEUE_FULL,
    .causes = {"accept-queue-overflow-drop", "accept-queue-overflow-rst", "syn-queue-full",
               "fd-exhaustion"},
    .cost = 1,
};
const struct step step_under_load = {
    .id = "under-load",
    .group = GROUP_LOAD,
    .question = N_("Was the service under unusual load then?"),
    .why = N_("Queues, limits and shedding act only under load."),
    .if_yes = N_("Look at the limits it ran into first."),
    .if_no = N_("Load is not the cause."),
    .how = N_("Look at its metrics (connections, CPU, latency) at that minute."),
    .kinds = {FACT_USER_OVERLOAD},
    .yes_is_suspect = true,
    .answer = FACT_USER_OVERLOAD,
    .causes = {"accept-queue-overflow-drop", "accept-queue-overflow-rst", "overload-shed",
               "fd-exhaustion", "syn-queue-full", "worker-killed", "conntrack-full"},
    .cost = 3,
};
const struct step step_limits = {
    .id = "limits",
    .group = GROUP_LOAD,
    .question = N_("Is a limit on connections or requests set (server, proxy, fail2ban)?"),
    .why = N_("Above a limit servers close at once, or refuse."),
    .if_yes = N_("Compare the limit with the number of connections at that time."),
    .if_no = N_("A limit is out."),
    .how =
        N_("Look at max_connections, limit_conn, MaxClients, ulimit -n, fail2ban-client status."),
    .kinds = {FACT_USER_LIMIT, FACT_LOAD_THRESHOLD},
    .yes_is_suspect = true,
    .answer = FACT_USER_LIMIT,
    .causes = {"conn-limit-reset", "http-limit-close", "rate-limit-ban", "fd-exhaustion",
               "keepalive-max-requests"},
    .test = "ramp",
    .cost = 3,
};
const struct step step_process_killed = {
    .id = "process-killed",
    .group = GROUP_LOAD,
    .question = N_("Did the server's process die at that time?"),
    .why = N_("When a process dies the kernel closes its connections, some of them with a reset."),
    .if_yes = N_("Look into dmesg (out of memory), the journal and core dumps."),
    .if_no = N_("The process lived on."),
    .how = N_("journalctl -k and the service's journal at that second; compare the process's start "
              "time."),
    .kinds = {FACT_USER_KILLED},
    .yes_is_suspect = true,
    .answer = FACT_USER_KILLED,
    .causes = {"worker-killed", "app-crash", "app-deploy-restart"},
    .cost = 3,
};
const struct step step_tables = {
    .id = "tables",
    .group = GROUP_LOAD,
    .question = N_("Is a table full (connection tracking, local ports, TCP memory)?"),
    .why = N_("Full tables drop or abort connections without a word to the application."),
    .if_yes = N_("Raise the table or use fewer connections."),
    .if_no = N_("No table is full."),
    .how =
        N_("sysctl net.netfilter.nf_conntrack_count against _max; ss -s; nstat TCPAbortOnMemory."),
    .kinds = {FACT_CONNTRACK_FULL, FACT_LOCAL_PORTS_EXHAUSTED, FACT_ABORT_ON_MEMORY,
              FACT_SYN_QUEUE_DROPS},
    .yes_is_suspect = true,
    .answer = FACT_CONNTRACK_FULL,
    .causes = {"conntrack-full", "ephemeral-exhaustion", "memory-abort", "syn-queue-full"},
    .cost = 1,
};
