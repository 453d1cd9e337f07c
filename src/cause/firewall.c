/* Causes: firewalls and other boxes on the path (causes.md A1). */
#include "cause/catalogue.h"

static const struct weight fw_reject_syn_rst_w[] = {
    YISR(STAGE, "syn", 0),       YR(CONN_REFUSED, 0),
    Y(RST_NO_HOP, 350),          N(RST_NO_HOP, -60),
    Y(RST_TTL_DIFFERS, 300),     N(RST_TTL_DIFFERS, -150),
    Y(RST_BEFORE_RTT, 250),      N(OUT_RSTS, 400),
    Y(OUT_RSTS, -400),           Y(RST_MAC_DIFFERS, 100),
    N(PORT_REUSED_LISTEN, -200), Y(PORT_REUSED_LISTEN, 250),
    Y(USER_FW_CHANGED, 250),     N(USER_FW_CHANGED, -150),
    Y(USER_FW_LOG, 400),         N(USER_FW_LOG, -120),
    Y(RESET_HOP, 400),           YIN(RESET_HOP, -1, .5, -450),
    N(RESET_HOP, -200),          Y(USER_OTHER_PATH, 150),
    Y(USER_SERVICE_RUNS, 200),   N(USER_SERVICE_RUNS, -200),
    YX(SYN_ANSWERED_BAD_ACK),    Y(OTHER_FAMILY_OK, 30),
    Y(ICMP_ERROR, -400),         Y(RST_IPID_ODD, 60),
    Y(WAIT_HELPS, -200),         Y(PLAIN_SYN_OK, -200),
    Y(ACCEPTED_BEFORE, -150), /* a rule does not begin with the sixth */
};
const struct cause cause_fw_reject_syn_rst = {
    .id = "fw-reject-syn-rst",
    .group = GROUP_FIREWALL,
    .title = N_("a firewall refuses the connection with a reset"),
    .what =
        N_("A firewall rule of the kind \"reject with tcp reset\" answers the first packet in the "
           "server's name. It looks like a closed port."),
    .confirm =
        N_("Compare the TTL of the reset with that of another port of the same host, or look "
           "whether the server's OutRsts counter moved: a firewall does not move it."),
    .client = N_("Ask whoever runs the firewall to allow this port from your address."),
    .server =
        N_("Check the host's own firewall (nft list ruleset, iptables -S) for a reject rule."),
    .network = N_("Open the port in the rule that rejects it, or correct the rule's addresses."),
    .deterministic = true,
    .references =
        REFERENCES("RFC 9293 3.5.3", "RFC 3360", "Linux net/ipv4/netfilter/nf_reject_ipv4.c"),
    WEIGHTS(fw_reject_syn_rst_w),
    CONFIDENCE(.5, .85, .99),
};

static const struct weight fw_reject_icmp_w[] = {
    Y(LOCAL_RULE_REJECTS, -500),
    YRD(ICMP_ERROR, 400),
    ND(ICMP_OFFENDER_TARGET, 200),
    Y(ICMP_OFFENDER_TARGET, -100),
    YISR(CONN_UNREACHABLE, "EHOSTUNREACH|EACCES|ENETUNREACH|ECONNREFUSED", 150),
    YIS(CONN_UNREACHABLE, "EACCES", 100),
    Y(USER_FW_CHANGED, 150),
    Y(USER_FW_LOG, 300),
    N(USER_FW_CHANGED, -100),
    YX(RST_SEEN),
    N(USER_PODS_READY, -250),
};
const struct cause cause_fw_reject_icmp = {
    .id = "fw-reject-icmp",
    .group = GROUP_FIREWALL,
    .title = N_("a firewall or router refuses with an ICMP error"),
    .what =
        N_("Not a reset: an ICMP \"unreachable\" came back. For the application it looks like a "
           "refused or unreachable connection."),
    .confirm = N_("Look at the address the ICMP error came from: that box refuses."),
    .client =
        N_("Ask whoever runs the box that sent the ICMP error to let the connection through."),
    .server = N_("Check the host's firewall for a reject rule if the error came from the server."),
    .network = N_("Correct the rule or the route on the box that sent the error."),
    .deterministic = true,
    .references = REFERENCES("RFC 1812 5.2.7.1", "RFC 4443 3.1", "ip(7) IP_RECVERR"),
    WEIGHTS(fw_reject_icmp_w),
    CONFIDENCE(.95, .99, .99),
};

static const struct weight fw_drop_syn_w[] = {
    YR(CONN_TIMEOUT, 0),        Y(SYN_REPEATED, 60),       N(ICMP_ERROR, 20),
    Y(OTHER_PORT_OK, 200),      N(OTHER_PORT_OK, -100),    Y(OTHER_FAMILY_OK, 60),
    Y(USER_FW_CHANGED, 250),    N(USER_FW_CHANGED, -150),  Y(USER_FW_LOG, 400),
    Y(USER_OTHER_PATH, 200),    N(USER_OTHER_PATH, -100),  Y(PORT_REUSED_LISTEN, 60),
    Y(LISTEN_QUEUE_FULL, -500), Y(LISTEN_OVERFLOW, -500),  Y(SYN_QUEUE_DROPS, -300),
    Y(CONNTRACK_FULL, -200),    N(USER_SERVICE_RUNS, -50), YX(RST_SEEN),
    Y(USER_KUBERNETES, -80),    Y(TARGET_LOCAL, -200),     YD(LOCAL_RULE_DROPS, 450),
    Y(CONTROL_HOST_OK, 20),     N(CONTROL_HOST_OK, 20),
};
const struct cause cause_fw_drop_syn = {
    .id = "fw-drop-syn",
    .group = GROUP_FIREWALL,
    .title = N_("the first packet is dropped on the way"),
    .what =
        N_("No answer came to any SYN. A firewall drops it silently, or the host is not there."),
    .confirm = N_("Try another port of the same host and the same port from another network."),
    .client = N_("Check the address and ask for the port to be opened for your network."),
    .server = N_("Check the host's firewall and the security group in front of it."),
    .network = N_("Look for a drop rule for this port, and for the last hop that still answers."),
    .deterministic = true,
    .references =
        REFERENCES("RFC 9293 3.8.3", "Linux ip-sysctl tcp_syn_retries, tcp_syn_linear_timeouts"),
    WEIGHTS(fw_drop_syn_w),
    CONFIDENCE(.7, .8, .99),
};

static const struct weight fw_midstream_reject_w[] = {
    FROM_BOX,
    YIS(RST_CLASS, "passive", 80),
    YIS(RST_CLASS, "active", -150),
    Y(RETRANSMITTED, -60),
    Y(DATA_AFTER_RST, 120),
    Y(IDLE_BEFORE, -60),
    Y(HELLO_SENT, -150),
    Y(RST_BOTH_WAYS, 100),
    Y(MANY_RESETS, 20),
    Y(NEW_CONN_WORKS, 60),
    Y(USER_FW_CHANGED, 250),
    N(USER_FW_CHANGED, -150),
    Y(OTHER_END_LIVES, 400),
    Y(USER_FW_LOG, 300),
    Y(USER_STATE_CLEARED, 100),
    Y(SAME_INSTANT, 60),
    Y(SAME_INSTANT_HOSTS, 250),
    Y(SAME_IDLE, -150),
    YIS(STAGE, "psh|ack", -120),
    YHAS(RST_PAYLOAD, "not authorized|middlebox interference", 80),
    N(BEHIND_ROUTER, -80),
    YIN(MPTCP_REASON, 3, 3, 60), /* RFC 8684 3.6: administratively prohibited */
};
const struct cause cause_fw_midstream_reject = {
    .id = "fw-midstream-reject",
    .group = GROUP_FIREWALL,
    .title = N_("a firewall began to reject the running connection"),
    .what = N_("A rule change, policy reload or session purge made a firewall answer packets of a "
               "running connection with resets. The server does not know."),
    .confirm =
        N_("Compare the reset's TTL with the server's, and see whether many connections died at "
           "the same moment and new ones work."),
    .client = N_("Reconnect; the request may have been processed, so ask for its state first."),
    .server = N_("Expect half-open connections: TCP keepalive clears them."),
    .network = N_("Allow established connections before pushing a new policy, and drain first."),
    .references = REFERENCES("nft(8) reject", "Linux net/ipv4/netfilter/nf_reject_ipv4.c"),
    WEIGHTS(fw_midstream_reject_w),
    CONFIDENCE(.4, .75, .98),
};

static const struct weight fw_midstream_drop_w[] = {
    YR(GAVE_UP, 120),
    YR(STALLED, 80),
    Y(ALL_ACKED, -150),     /* the peer has it: that way works */
    N(NO_REPLY_BYTES, 150), /* ... but the other did until then */
    YINR(RETRANSMITTED, 3, 1e9, 40),
    Y(ICMP_ERROR, 60),
    Y(NEW_CONN_WORKS, 100),
    Y(USER_FW_CHANGED, 200),
    N(USER_FW_CHANGED, -100),
    Y(USER_STATE_CLEARED, 100),
    Y(USER_FW_LOG, 250),
    Y(RESPONSE_COMPLETE, -60),
    N(RETRANSMITTED, -60),
    Y(REPLY_CUT, 200),
    Y(NEUTRAL_SNI_OK, -300),
    Y(PLAIN_WORKS, -300),
    Y(TLS_WORKS, -300),
    Y(SEGMENT_LIMIT, -300),
    Y(SAME_INSTANT_HOSTS, 60),
    Y(NOTHING_ACKED, -150), /* something had passed before */
};
const struct cause cause_fw_midstream_drop = {
    .id = "fw-midstream-drop",
    .group = GROUP_FIREWALL,
    .title = N_("packets of the running connection are dropped on the way"),
    .what =
        N_("One direction went dead in mid-flow: data was retransmitted again and again without "
           "an answer until a side gave up."),
    .confirm = N_("Open a fresh connection at once: if it works while the old one stays dead, "
                  "something on the way dropped only the old one."),
    .client = N_("Reconnect, and set TCP_USER_TIMEOUT so that a dead path is noticed earlier."),
    .server = N_("Set TCP_USER_TIMEOUT or keepalive so that dead connections are closed."),
    .network = N_("Look for packet loss and for a rule or state change at that time."),
    .references = REFERENCES("RFC 9293 3.8.3", "RFC 5482", "Linux ip-sysctl tcp_retries2"),
    WEIGHTS(fw_midstream_drop_w),
    CONFIDENCE(.6, .75, .95),
};

static const struct weight fw_state_missing_w[] = {
    FROM_BOX,
    Y(CONNTRACK_FORGOT, 350),
    YIS(RST_CLASS, "passive", 80),
    YIS(RST_CLASS, "active", -200),
    Y(SYNACK_REPEATED, 150),
    Y(DATA_AFTER_RST, 150),
    Y(MIDSTREAM, 40),
    Y(HELLO_SENT, -100),
    Y(RETRANSMITTED, 20),
    N(REPEATED_SAME, 80),
    Y(USER_STATE_CLEARED, 200),
    Y(USER_ASYMMETRIC, 300),
    N(USER_ASYMMETRIC, -150),
    Y(USER_FW_LOG, 200),
    N(OTHER_PORT_OK, 30),
    Y(PORT_DEPENDS, 400),
    N(PORT_DEPENDS, -150),
    Y(IDLE_ANSWERED, -40), /* a timer explains it without a second accident */
    Y(EMBRYONIC_RST, -300),
    Y(LISTEN_OVERFLOW, -200),
    Y(SAME_INSTANT_HOSTS, 150),
    Y(SAME_IDLE, -100),
    YIS(STAGE, "psh", -80),
    YHAS(RST_PAYLOAD, "no flow found", 150),
    N(BEHIND_ROUTER, -80),
    Y(RST_FARTHER, -250),
};
const struct cause cause_fw_state_missing = {
    .id = "fw-state-missing",
    .group = GROUP_FIREWALL,
    .title = N_("a firewall has no state for the connection"),
    .what =
        N_("A stateful box saw a packet of a connection it does not know (routing there and back "
           "differs, a failover without state, a restart) and answered with a reset."),
    .confirm = N_("Connect many times from different source ports: if some always fail, the path "
                  "chosen by the port decides."),
    .client = N_("Reconnect; a new source port may take another path."),
    .server = N_("Check that answers leave by the interface the requests came in."),
    .network =
        N_("Make the paths symmetric, synchronise state between the boxes, or let the firewall "
           "pick up running connections."),
    .references = REFERENCES("Linux nf_conntrack-sysctl nf_conntrack_tcp_loose", "RFC 9293 3.5.1"),
    WEIGHTS(fw_state_missing_w),
    CONFIDENCE(.5, .7, .98),
};

static const struct weight dpi_onpath_rst_w[] = {
    Y(OTHER_END_LIVES, -400),
    FORGED,
    YIS(RST_CLASS, "foreign", 100),
    Y(RST_BOTH_WAYS, 60),
    Y(NEUTRAL_SNI_OK, 250),
    N(NEUTRAL_SNI_OK, -60),
    Y(ALL_ACKED, 20),
    Y(USER_FILTER, 200),
    N(USER_FILTER, -100),
    Y(USER_OTHER_PATH, 150),
    N(USER_OTHER_PATH, -100),
    N(REPEATED_SAME, -80),
    Y(PORT_REUSED_LISTEN, -100),
    Y(RST_FARTHER, -200),
    Y(REQUEST_PART, 250),
    N(REQUEST_PART, -60),
};
const struct cause cause_dpi_onpath_rst = {
    .id = "dpi-onpath-rst",
    .group = GROUP_FIREWALL,
    .title = N_("a listening box on the path forges resets"),
    .what =
        N_("A device that sees a copy of the traffic (an IPS, a provider's or a state's filter) "
           "sends resets in the name of one or both ends; the genuine packets still arrive."),
    .confirm =
        N_("Look for genuine packets after the reset, resets that come sooner than the round "
           "trip, and a TTL unlike the server's; try a harmless name on the same address."),
    .client = N_("Try from another network or through a VPN; more retries do not help."),
    .server = N_("The server is not at fault and cannot mend it; say so to the user."),
    .network = N_("Find the device that matched (IPS or filter log at that time) and allow the "
                  "traffic, or ask the provider."),
    .deterministic = true,
    .references =
        REFERENCES("Weaver, Sommer, Paxson, NDSS 2009", "Clayton, Murdoch, Watson, PET 2006",
                   "Sundara Raman et al., SIGCOMM 2023"),
    WEIGHTS(dpi_onpath_rst_w),
    CONFIDENCE(.8, .95, .99),
};

static const struct weight dpi_inline_rst_w[] = {
    FROM_BOX,
    Y(NOTHING_ACKED, 60),
    Y(ALL_ACKED, -60),
    YIS(RST_CLASS, "passive", 40),
    YIS(RST_CLASS, "active", -80),
    YIN(DATA_AFTER_RST, 1, 1e18, -250),
    Y(HELLO_SENT, 30),
    Y(NEUTRAL_SNI_OK, 200),
    Y(ANY_BYTES_CUT, -150),
    Y(USER_FILTER, 200),
    N(USER_FILTER, -100),
    Y(USER_OTHER_PATH, 150),
    Y(RST_BOTH_WAYS, 200),
    N(REPEATED_SAME, -80),
    Y(SNI, -60),
    YHAS(RST_PAYLOAD, "middlebox interference", 100),
    N(NEUTRAL_SNI_OK, -60),
    Y(REQUEST_PART, 250),
    N(REQUEST_PART, -60),
};
const struct cause cause_dpi_inline_rst = {
    .id = "dpi-inline-rst",
    .group = GROUP_FIREWALL,
    .title = N_("a box in the way cuts the connection for its content"),
    .what =
        N_("An in-line IPS or filter swallowed the segment it disliked and answered with a reset; "
           "the server never saw it."),
    .confirm =
        N_("The server acknowledged none of those bytes; repeat with harmless content, and find "
           "the hop that resets."),
    .client = N_("Ask whoever runs the filter to allow this content or name."),
    .server = N_("The server's socket is still open: nothing arrived there."),
    .network = N_("Look into the log of the IPS or filter at that time and adjust the rule."),
    .deterministic = true,
    .references = REFERENCES("Sundara Raman et al., CoNEXT 2022 (CenTrace)",
                             "Sundara Raman et al., SIGCOMM 2023"),
    WEIGHTS(dpi_inline_rst_w),
    CONFIDENCE(.75, .9, .99),
};

static const struct weight dpi_residual_block_w[] = {
    YINR(RST_TRAIN, 2, 1e9, 60), YR(RST_TTL_DIFFERS, 100), N(SYN_RETRY_WORKED, 100),
    Y(USER_FILTER, 150),         YR(RST_FAN, 60),          Y(RST_BEFORE_RTT, 100),
    Y(MANY_RESETS, 80),          Y(USER_OTHER_PATH, 150),  N(USER_FILTER, -100),
    Y(OUT_RSTS, -400),           YR(WAIT_HELPS, 350),      N(WAIT_HELPS, -250),
    Y(TARGET_LOCAL, -300),
};
const struct cause cause_dpi_residual_block = {
    .id = "dpi-residual-block",
    .group = GROUP_FIREWALL,
    .title = N_("a filter still punishes the address after an earlier hit"),
    .what =
        N_("After a filter matched once it resets or drops everything between the two addresses "
           "for seconds to minutes, whatever the content."),
    .confirm = N_("Wait two minutes or more and try harmless content first: it works again."),
    .client = N_("Wait, then use another path; do not repeat the content that was hit."),
    .network = N_("Find the filter's match at the first failure, not at the later ones."),
    .references = REFERENCES("censoredplanet/CenTrace README", "net4people/bbs#285"),
    WEIGHTS(dpi_residual_block_w),
    CONFIDENCE(.7, .8, .9),
};

static const struct weight ip_port_block_rst_w[] = {
    Y(RST_TTL_DIFFERS, 150), N(RST_TTL_DIFFERS, -80), Y(RST_BEFORE_RTT, 250),
    Y(RST_TRAIN, 250),       Y(RST_FAN, 200),         Y(RST_WINDOW_ODD, 40),
    N(RST_TRAIN, -100),      Y(RST_IPID_COPIED, 150), Y(DATA_AFTER_RST, 150),
    Y(OTHER_PORT_OK, 150),   N(OTHER_PORT_OK, -100),  Y(ANY_BYTES_CUT, 300),
    N(ANY_BYTES_CUT, -150),  Y(OUT_RSTS, -400),       N(OUT_RSTS, 200),
    Y(USER_FILTER, 100),     Y(USER_OTHER_PATH, 200), N(USER_OTHER_PATH, -100),
    Y(WAIT_HELPS, -200),     Y(TARGET_LOCAL, -300),   Y(RESET_HOP, 250),
    N(RESET_HOP, -200),      Y(TTL_SHIELD, 150),      Y(RST_FARTHER, -200),
};
const struct cause cause_ip_port_block_rst = {
    .id = "ip-port-block-rst",
    .group = GROUP_FIREWALL,
    .title = N_("the address or port is blocked on the path with forged resets"),
    .what =
        N_("A device answers for this address and port with resets whatever is sent, often two or "
           "three at once with odd windows."),
    .confirm = N_("Try another port of the same address, and a single harmless byte on this one."),
    .client = N_("Use another port, address or route."),
    .server = N_("Offer the service on another address or port if the block is not yours to lift."),
    .network = N_("Ask the operator of the path which device lists this address."),
    .deterministic = true,
    .references = REFERENCES("gfw.report, gfw_unconditional_rst_20250820", "net4people/bbs#511",
                             "ooni/data#139"),
    WEIGHTS(ip_port_block_rst_w),
    CONFIDENCE(.75, .9, .95),
};

static const struct weight ips_signature_reset_w[] = {
    Y(REQUEST_SEEN, 80),        Y(RST_TTL_DIFFERS, 120),
    N(RST_TTL_DIFFERS, -40),    Y(HELLO_SENT, -50),
    Y(REPEATED_SAME, 60),       N(REPEATED_SAME, -120),
    Y(NEUTRAL_SNI_OK, 50),      Y(ANY_BYTES_CUT, -200),
    N(ANY_BYTES_CUT, 40),       Y(USER_FILTER, 300),
    N(NEUTRAL_SNI_OK, -60),     Y(TTL_SHIELD, -150),
    N(USER_FILTER, -200),       Y(OUT_RSTS, -200),
    N(OUT_RSTS, 150),           Y(USER_FW_LOG, 150),
    Y(DATA_AFTER_RST, 60),      Y(SENDER_LOCAL, -200),
    N(NO_REPLY_BYTES, -60),     Y(TARGET_LOCAL, -300),
    Y(REQUEST_PART, 350),       N(REQUEST_PART, -150),
    YIS(STAGE, "psh|data", 20), YHAS(RST_PAYLOAD, "not authorized|policy", 80),
    Y(RESET_HOP, 100),          N(RESET_HOP, -100),
    Y(TLS_WORKS, -200),         Y(REFUSED_AFTER, -200),
};
const struct cause cause_ips_signature_reset = {
    .id = "ips-signature-reset",
    .group = GROUP_FIREWALL,
    .title = N_("a WAF or IPS dislikes the request"),
    .what =
        N_("A web application firewall or IPS resets connections whose URI, header, user agent or "
           "body matches a rule."),
    .confirm =
        N_("Send the same bytes again (it is reset again), then change one part at a time until "
           "it passes."),
    .client = N_("Change the part of the request that matches, or ask for an exception."),
    .server = N_("Look into the WAF's log for this client at that time."),
    .network = N_("Look into the IPS's log; adjust or except the rule."),
    .deterministic = true,
    .references = REFERENCES("RFC 3360", "Suricata rules: reject"),
    WEIGHTS(ips_signature_reset_w),
    CONFIDENCE(.8, .85, .98),
};

static const struct weight rate_limit_ban_w[] = {
    YR(ACCEPTED_BEFORE, 150), Y(RST_TTL_DIFFERS, 100),
    N(RST_TTL_DIFFERS, -100), YR(LOAD_THRESHOLD, 200),
    N(LOAD_THRESHOLD, -200),  YR(USER_LIMIT, 200),
    N(USER_LIMIT, -200),      YR(MANY_RESETS, 80),
    YR(SYN_RETRY_WORKED, 30), Y(USER_OTHER_PATH, 100),
    N(REPEATED_SAME, 30),     N(PORT_REUSED_LISTEN, -300),
    N(USER_ALL_CLIENTS, 100), YINR(HTTP_STATUS, 429, 429, 300),
    YR(WAIT_HELPS, 250),      N(WAIT_HELPS, -200),
    Y(TARGET_LOCAL, -300),    YR(RATE_THRESHOLD, 350),
    N(RATE_THRESHOLD, -150),
};
const struct cause cause_rate_limit_ban = {
    .id = "rate-limit-ban",
    .group = GROUP_FIREWALL,
    .title = N_("too many connections: a limiter or ban refuses more"),
    .what =
        N_("A rate limiter, fail2ban or a flow limit refuses further connections of this source "
           "after a number of them in a time."),
    .confirm =
        N_("The first ones pass and the later ones fail; it clears after a wait, and another "
           "source address works at once."),
    .client = N_("Slow down, reuse connections, wait for the ban to end."),
    .server = N_("Allow-list this client or raise the limit (fail2ban-client status, nft sets)."),
    .network = N_("Look for this address in the limiter's or ban list."),
    .references = REFERENCES("nft(8) limit, meter", "fail2ban(1)"),
    WEIGHTS(rate_limit_ban_w),
    CONFIDENCE(.75, .8, .98),
};

static const struct weight syn_option_intolerance_w[] = {
    YR(SYN_OPTIONS, 200),        Y(SYN_RETRY_WORKED, 60),
    Y(USER_OTHER_PATH, 60),      Y(RST_TTL_DIFFERS, 60),
    Y(PORT_REUSED_LISTEN, 100),  Y(PLAIN_SYN_OK, 450),
    N(PLAIN_SYN_OK, -400),       YHAS(RST_PAYLOAD, "illegal option", 200),
    YIN(MPTCP_REASON, 6, 6, 80), /* RFC 8684 3.6: middlebox interference */
};
const struct cause cause_syn_option_intolerance = {
    .id = "syn-option-intolerance",
    .group = GROUP_FIREWALL,
    .title = N_("a box does not bear the options of the SYN"),
    .what =
        N_("An old device resets or drops a SYN with TCP Fast Open, MPTCP, ECN or other options "
           "it does not know (RFC 3360)."),
    .confirm = N_("Connect once without the option: it works."),
    .client = N_("Turn the option off for this destination."),
    .server = N_("Update the load balancer or firewall in front."),
    .network = N_("Let unknown TCP options through, as RFC 3360 asks."),
    .deterministic = true,
    .references = REFERENCES("RFC 3360", "RFC 3168 6.1.1.1", "RFC 7413", "RFC 8684 3.7"),
    WEIGHTS(syn_option_intolerance_w),
    CONFIDENCE(.8, .9, .95),
};

static const struct weight syn_proxy_mismatch_w[] = {
    Y(RST_TTL_DIFFERS, 80),
    YRD(CLOSED_PORT_ACCEPTS, 400),
    N(CLOSED_PORT_ACCEPTS, -300),
    Y(SYNACK_REPEATED, 60),
    YIS(RST_CLASS, "active", -80),
    YR(IMMEDIATE_ACCEPT, 30),
    YR(NOTHING_ACKED, 30),
    Y(USER_PROXY, 100),
    N(USER_PROXY, -150),
    Y(DATA_AFTER_RST, 40),
    Y(HOLD_RESET, 20),
    Y(LISTEN_OVERFLOW, -200),
    Y(TARGET_LOCAL, -300),
    YR(RST_FARTHER, 400),
    Y(RESET_HOP, 300),
    N(RESET_HOP, -100),
};
const struct cause cause_syn_proxy_mismatch = {
    .id = "syn-proxy-mismatch",
    .group = GROUP_FIREWALL,
    .title = N_("a SYN proxy accepted, the server behind it refused"),
    .what = N_("A device that answers SYNs for the server (SYN cookies, DDoS guard) completed the "
               "handshake; the server behind it then refused."),
    .confirm = N_("Connect to a port that is surely closed: if that succeeds, the proxy answers."),
    .client = N_("Nothing to mend here; report it with the time."),
    .server = N_("See whether the service runs and accepts the proxy's address."),
    .network = N_("Check the SYN proxy's view of the backend's health and TCP options."),
    .references = REFERENCES("RFC 4987", "iptables-extensions(8) SYNPROXY"),
    WEIGHTS(syn_proxy_mismatch_w),
    CONFIDENCE(.7, .85, .98),
};

static const struct weight explicit_proxy_required_w[] = {
    YR(PROXY_CONFIGURED, 200), N(PROXY_CONFIGURED, -200), Y(RST_TTL_DIFFERS, 60),
    Y(RST_BEFORE_RTT, 60),     N(OTHER_ADDRESS_OK, 60),   N(OTHER_PORT_OK, 30),
    Y(MANY_RESETS, 60),        Y(TARGET_LOCAL, -300),     Y(PROXY_USED, -200),
};
const struct cause cause_explicit_proxy_required = {
    .id = "explicit-proxy-required",
    .group = GROUP_FIREWALL,
    .title = N_("direct connections are refused: a proxy must be used"),
    .what = N_("The network lets connections out only through a proxy and resets direct ones."),
    .confirm = N_("Every outside target fails alike and inside ones work; the same request through "
                  "the proxy succeeds."),
    .client = N_("Configure the proxy for this program (https_proxy, or its own setting)."),
    .network = N_("Allow this destination directly if it should work without the proxy."),
    .deterministic = true,
    .references = REFERENCES("RFC 9110 9.3.6", "RFC 9112 3.2.3"),
    WEIGHTS(explicit_proxy_required_w),
    CONFIDENCE(.8, .85, .98),
};

static const struct weight tls_intercept_policy_w[] = {
    YISR(CERT_REJECTED,
         "unable to get local issuer certificate|self-signed certificate in certificate chain|"
         "self signed certificate in certificate chain",
         80),
    YR(USER_FILTER, 80),
    Y(HELLO_SENT, 60),
    N(USER_FILTER, -250),
    Y(NEUTRAL_SNI_OK, 200),
    N(RST_TTL_DIFFERS, 20),
    YR(SAME_ISSUER, 500),
    N(SAME_ISSUER, -300),
    Y(TARGET_LOCAL, -300),
};
const struct cause cause_tls_intercept_policy = {
    .id = "tls-intercept-policy",
    .group = GROUP_FIREWALL,
    .title = N_("a TLS-inspecting proxy blocks the site"),
    .what = N_("A proxy on the path ends TLS itself and blocks by category: another authority's "
               "certificate on allowed sites, a reset after the name on blocked ones."),
    .confirm =
        N_("Compare the issuer of the certificate across sites: one issuer for all is the proxy."),
    .client = N_("Ask for an exception; install the proxy's authority if policy allows it."),
    .network = N_("Adjust the category or the bypass list of the proxy."),
    .deterministic = true,
    .references = REFERENCES("Durumeric et al., NDSS 2017"),
    WEIGHTS(tls_intercept_policy_w),
    CONFIDENCE(.75, .85, .98),
};
