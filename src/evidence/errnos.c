/*
 * What an error of a socket says of the wire (causes.md 0.2, measured on Linux 6.18): which events
 * give it, and how they are told apart. The first error alone counts: reading SO_ERROR clears it.
 */
#include "evidence/private.h"

#include <strings.h>

static const struct wire_errno errnos[] = {
    {"ECONNREFUSED", N_("a RST answered the SYN, or an ICMP port-unreachable did"),
     N_("With IP_RECVERR the error queue holds the ICMP error and the address of the router that "
        "sent it; it is empty after a RST.")},
    {"ECONNRESET", N_("a RST came on an open connection, and no FIN had come before"),
     N_("What had been received before it can still be read. Unacknowledged bytes are "
        "tcpi_bytes_sent - tcpi_bytes_retrans - (tcpi_bytes_acked - 1).")},
    {"EPIPE",
     N_("the peer had sent FIN, then a RST answered what was sent after it; or this side "
        "had shut down sending"),
     N_("recv() returned 0 before: the peer closed first, and the connection was used after.")},
    {"EOF", N_("a FIN came: the peer closed in the normal way"),
     N_("A complete answer before it is the normal end; EOF inside one is a cut.")},
    {"ETIMEDOUT", N_("nothing came at all: SYNs, data or keepalive probes went unanswered"),
     N_("Connecting: SYNs at 1, 2, 3, 4, 5 s, then doubling. Connected: TCP_USER_TIMEOUT, "
        "tcp_retries2 (about 15 minutes) or the keepalive timer of this side.")},
    {"EHOSTUNREACH",
     N_("an ICMP host-unreachable or administratively-prohibited answered the SYN, "
        "or no neighbour answered ARP"),
     N_("The error queue names the router. On an open connection it is soft: the connection lives "
        "on.")},
    {"ENETUNREACH", N_("this host has no route there, or an ICMP network-unreachable came"),
     N_("ip route get ADDRESS tells which.")},
    {"ECONNABORTED", N_("this host destroyed the socket (ss -K, a VPN or network manager)"),
     N_("No packet from outside gives it; our own host sent the RST.")},
    {"EADDRNOTAVAIL", N_("no local port was free, or the source address is not on this host"),
     N_("ss -s counts TIME_WAIT; see ip_local_port_range. Nothing was sent.")},
};

const struct wire_errno *wire_errno_by_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(errnos); i++)
        if (!strcasecmp(errnos[i].name, name))
            return &errnos[i];
    return NULL;
}
