/*
 * The kinds of fact: FACT(ID, "name", "family", "unit", severity, yes, no, missing).
 * name and family are the report's words; of one family only the strongest fact counts fully.
 * Sentences hold the values as %1$s, %2$s, %3$s. No include guard: included as an X-macro list.
 * Words the judge reads: STAGE's is a stage of design.md 6 (syn ack psh data idle close midstream
 * none; a probe's own connect hold handshake request response close are understood too); a side
 * is "client" or "server"; RST_CLASS's is active passive refuse foreign; an alert is its number;
 * an errno its name; DNS_FAILED's a name of design.md 6 (dns_nxdomain_error ...).
 */
/* ---- the stage and shape of the end (packets, or a probe's own view) ---- */
FACT(STAGE, "stage", "stage", "", SEV_INFO, N_("the connection ended at stage %1$s"), "", N_("at what stage the connection ended is not known"))
FACT(RST_SEEN, "rst-seen", "rst", "", SEV_BAD, N_("a RST was seen on the wire, from %1$s"), N_("no RST was seen on the wire"), N_("no packets were captured"))
FACT(RST_CLASS, "rst-class", "rst-class", "", SEV_NOTE, N_("the RST is of the %1$s kind (flags %2$s, window %3$s)"), "", N_("the RST's header was not captured"))
FACT(RST_FROM, "rst-from", "direction", "", SEV_INFO, N_("the RST bears the address of the %1$s"), "", "")
FACT(RST_OUTBOUND, "rst-outbound", "direction", "", SEV_NOTE, N_("this host sent the RST"), N_("the RST came from outside this host"), N_("whether this host sent the RST is not known"))
FACT(CONN_REFUSED, "connect-refused", "stage", "ms", SEV_BAD, N_("connect was refused after %1$s"), "", "")
FACT(CONN_RESET, "connection-reset", "errno", "", SEV_BAD, N_("the socket reported %1$s at stage %2$s"), N_("the socket reported no reset"), "")
FACT(CONN_TIMEOUT, "connect-timeout", "stage", "ms", SEV_BAD, N_("no answer to the SYN within %1$s (%2$s SYNs sent)"), "", "")
FACT(CONN_UNREACHABLE, "connect-unreachable", "stage", "", SEV_BAD, N_("connect failed with %1$s"), "", "")
FACT(CONN_OK, "connect-ok", "stage", "ms", SEV_INFO, N_("the TCP handshake took %1$s"), "", "")
FACT(ICMP_ERROR, "icmp-error", "icmp", "", SEV_WARN, N_("ICMP %1$s came from %2$s"), N_("no ICMP error came with it (error queue empty)"), N_("the error queue was not read"))
FACT(ICMP_OFFENDER_TARGET, "icmp-from-target", "icmp-who", "", SEV_NOTE, N_("the ICMP error came from the target itself"), N_("the ICMP error came from %1$s, not from the target"), "")
FACT(HOLD_RESET, "hold-reset", "stage", "ms", SEV_BAD, N_("reset %1$s after the handshake while the probe only held the connection (%2$s bytes sent)"), N_("the connection was held for %1$s without a reset"), N_("the connection was not held to see a late reset"))
FACT(HOLD_FIN, "hold-fin", "stage", "ms", SEV_WARN, N_("the peer closed with FIN %1$s after the handshake, nothing sent"), "", "")
FACT(NOTHING_SENT, "nothing-sent", "sent", "", SEV_INFO, N_("no payload was sent before it"), N_("%1$s bytes of payload had been sent"), "")
FACT(BYTES_SENT, "bytes-sent", "", "bytes", SEV_INFO, N_("%1$s bytes were sent, %2$s acknowledged"), "", "")
FACT(ALL_ACKED, "all-acked", "acks", "bytes", SEV_INFO, N_("the peer's TCP had acknowledged all %1$s bytes sent"), N_("%1$s of %2$s bytes sent were never acknowledged"), N_("how much the peer had acknowledged is not known"))
FACT(NOTHING_ACKED, "nothing-acked", "acks", "bytes", SEV_NOTE, N_("the peer acknowledged none of the %1$s bytes sent"), "", "")
FACT(NO_REPLY_BYTES, "no-reply-bytes", "reply", "", SEV_NOTE, N_("nothing came from the peer after the handshake"), N_("%1$s bytes came from the peer before the end"), "")
FACT(REPLY_CUT, "reply-cut-short", "reply", "bytes", SEV_BAD, N_("the response was cut short: %1$s of %2$s bytes came"), N_("the response was complete"), "")
FACT(RESPONSE_COMPLETE, "response-complete", "reply", "", SEV_NOTE, N_("a complete response had come before the reset"), N_("no complete response had come before the reset"), "")
FACT(REQUEST_SEEN, "request-seen", "request", "", SEV_INFO, N_("the request was %1$s"), N_("no request had been sent"), "")
FACT(FIN_BEFORE, "fin-before", "fin", "", SEV_NOTE, N_("a FIN came before the RST, from the %1$s"), N_("no FIN came before the RST"), N_("whether a FIN came first is not known"))
FACT(FIN_BOTH, "fin-both", "fin", "", SEV_INFO, N_("both sides had sent FIN"), "", "")
FACT(FIN_FROM_RST_SIDE, "fin-from-rst-side", "fin-side", "", SEV_INFO, N_("the side that reset had sent FIN before"), N_("the side that reset had sent no FIN"), "")
FACT(DATA_AFTER_FIN, "data-after-fin", "fin-data", "ms", SEV_NOTE, N_("data was sent to a side that had sent FIN %1$s before"), N_("no data was sent after the other side's FIN"), "")
FACT(CLOSE_NOTIFY, "close-notify", "fin", "", SEV_INFO, N_("TLS close_notify came before the end"), N_("no TLS close_notify came before the end"), "")
FACT(EPIPE_FIRST, "epipe-first", "errno", "", SEV_NOTE, N_("the first error was EPIPE: the peer had sent FIN earlier"), "", "")
FACT(EARLY_EOF, "early-eof", "stage", "ms", SEV_WARN, N_("the peer closed with FIN after %1$s without an answer"), "", "")
FACT(STALLED, "stalled", "stage", "ms", SEV_WARN, N_("nothing came back for %1$s after %2$s bytes were sent"), "", "")
FACT(HARMLESS, "harmless", "benign", "", SEV_INFO, N_("it did no harm: %1$s"), N_("it did harm: %1$s"), "")
FACT(LAST_DATA_TO_RST_SIDE, "last-data-to-rst-side", "last-data", "", SEV_INFO, N_("the last data before the reset went to the side that reset"), N_("the last data before the reset came from the side that reset"), "")
FACT(ZERO_WINDOW, "zero-window", "window-shut", "", SEV_NOTE, N_("the receive window was shut (zero)"), "", "")
FACT(ANSWERED_BEFORE, "answered-before", "reply", "bytes", SEV_INFO, N_("both sides had sent data: %1$s bytes one way, %2$s the other"), "", "")
/* ---- timing ---- */
FACT(RST_DELAY, "rst-delay", "delay", "ms", SEV_INFO, N_("the reset arrived %1$s after the segment it answers; the round trip was %2$s"), "", N_("the delay of the reset was not measured"))
FACT(RST_BEFORE_RTT, "rst-before-rtt", "timing", "ms", SEV_BAD, N_("the reset arrived %1$s after its trigger, sooner than the smallest round trip %2$s"), N_("the reset took at least one round trip (%1$s against %2$s)"), N_("the reset's delay against the round trip is not known"))
FACT(IDLE_BEFORE, "idle-before-reset", "idle", "ms", SEV_NOTE, N_("the connection had been idle for %1$s"), N_("the connection was not idle: %1$s since the last packet"), N_("the idle time before the reset is not known"))
FACT(IDLE_USUAL, "idle-usual", "idle-usual", "ms", SEV_NOTE, N_("the connection had been silent for about as long before (%1$s on the average, %2$s times) and lived on"), "", "")
FACT(IDLE_MATCHES, "idle-consistent-with", "idle", "", SEV_NOTE, N_("%1$s is consistent with the default timeout of %2$s"), "", "")
FACT(IDLE_PUSHED, "idle-pushed", "idle-push", "ms", SEV_WARN, N_("the reset came by itself after %1$s of silence, nobody had sent anything"), N_("the reset answered a segment"), "")
FACT(IDLE_ANSWERED, "idle-answered", "idle-push", "ms", SEV_WARN, N_("the reset answered the first segment after %1$s of silence"), "", "")
FACT(AGE, "age", "", "ms", SEV_INFO, N_("the connection was %1$s old"), "", "")
FACT(RESPONSE_WAIT, "response-wait", "wait", "ms", SEV_NOTE, N_("the peer was silent for %1$s after the request"), "", "")
FACT(RETRANSMITTED, "retransmitted", "retrans", "", SEV_WARN, N_("%1$s retransmissions went unanswered just before"), N_("nothing was retransmitted before it"), "")
FACT(GAVE_UP, "gave-up", "retrans", "", SEV_WARN, N_("the side that reset had retransmitted %1$s times without an answer"), "", "")
FACT(KEEPALIVES, "keepalives", "keepalive", "", SEV_NOTE, N_("keepalive probes went out before the reset"), "", "")
FACT(KEEPALIVE_UNANSWERED, "keepalives-unanswered", "keepalive", "ms", SEV_WARN, N_("keepalive probes went out and nothing came back for %1$s"), "", "")
FACT(UNPROVOKED, "unprovoked", "provoked", "", SEV_INFO, N_("no segment provoked the reset"), "", "")
FACT(IMMEDIATE_ACCEPT, "at-accept", "stage-detail", "ms", SEV_NOTE, N_("it came %1$s after the handshake, before any payload"), "", "")
/* ---- who sent it (causes.md B1, B7) ---- */
FACT(RST_TTL_DIFFERS, "rst-ttl", "ttl", "hops", SEV_WARN, N_("the reset came with TTL %2$s, other packets of that side with %3$s"), N_("the reset's TTL %2$s is that of the side's other packets"), N_("the reset's TTL cannot be compared"))
FACT(RST_TTL, "rst-ttl-value", "", "", SEV_INFO, N_("the reset came with TTL %1$s"), "", "")
FACT(RST_NO_HOP, "rst-no-hop", "ttl", "", SEV_WARN, N_("the reset came with TTL %1$s, which no router has lowered, though the target lies behind one"), N_("the reset's TTL %1$s was lowered on the way, as the target's packets are"), "")
FACT(RST_HOPS, "rst-hops", "ttl", "hops", SEV_INFO, N_("by its TTL the reset travelled about %1$s hops, that side's other packets about %2$s"), "", "")
FACT(RST_FARTHER, "rst-farther", "ttl-farther", "hops", SEV_WARN, N_("the reset came from %1$s hops farther away than the answer to the SYN: a box in between had answered it"), "", "")
FACT(RST_IPID_ODD, "rst-ip-id", "ip-id", "", SEV_NOTE, N_("the reset's IP-ID %1$s does not fit that side's other packets"), N_("the reset's IP-ID fits the side's other packets"), "")
FACT(RST_IPID_COPIED, "rst-ip-id-copied", "ip-id", "", SEV_WARN, N_("the reset copies the other side's IP-ID %1$s"), "", "")
FACT(RST_OPTIONS_ODD, "rst-options", "options", "", SEV_NOTE, N_("the reset lacks the timestamps this connection uses"), N_("the reset bears the options of its connection"), "")
FACT(RST_WINDOW_ODD, "rst-window", "window", "", SEV_NOTE, N_("the reset's window %1$s is neither 0 nor the last one (%2$s)"), "", "")
FACT(RST_SEQ_INEXACT, "rst-seq", "seq", "bytes", SEV_WARN, N_("the reset's sequence number is off by %1$s"), N_("the reset's sequence number is exact"), N_("the reset's sequence number cannot be checked"))
FACT(RST_OUT_OF_WINDOW, "rst-out-of-window", "seq", "bytes", SEV_NOTE, N_("the reset's sequence number is outside the window (off by %1$s): a receiver ignores it"), "", "")
FACT(RST_ACK_ODD, "rst-ack", "ack-field", "", SEV_NOTE, N_("the reset's acknowledgement number %1$s fits nothing that was sent"), "", "")
FACT(RST_FAN, "rst-fan", "train", "", SEV_BAD, N_("%1$s resets with different sequence numbers came"), "", "")
FACT(RST_TRAIN, "rst-train", "train", "", SEV_WARN, N_("%1$s resets came within %2$s"), N_("one reset came"), "")
FACT(INJECTOR_SHAPE, "rst-injector-shape", "injector", "", SEV_WARN,
     N_("the resets have a shape that was described of an injector: %1$s (%2$s)"), "", "")
FACT(RST_MIXED, "rst-mixed", "train", "", SEV_WARN, N_("resets of the same side differ in %1$s"), "", "")
FACT(RST_DF_LOST, "rst-df", "ip-id", "", SEV_NOTE,
     N_("the reset lacks the don't-fragment bit that the side's other packets bear"), "", "")
FACT(RST_LABEL_DIFFERS, "rst-flow-label", "flow-label", "", SEV_INFO, N_("an active reset bears another IPv6 flow label than its flow"), "", "")
FACT(SPOKEN_FOR, "spoken-for", "spoken-for", "ms", SEV_WARN, N_("the packets of that side passed no router, yet a round trip took %1$s: a box near the capture speaks for it"), "", "")
FACT(RST_MAC_DIFFERS, "rst-mac", "mac", "", SEV_BAD, N_("the reset came from another link-layer address than that side's packets"), "", "")
FACT(DATA_AFTER_RST, "data-after-rst", "speaks-on", "bytes", SEV_BAD, N_("the side whose address the reset bears spoke on after it (%1$s bytes, %2$s packets)"), N_("the resetting side fell silent"), N_("what came after the reset is not known"))
FACT(RST_IGNORED, "rst-ignored", "speaks-on", "", SEV_NOTE, N_("both sides spoke on: the reset was ignored"), "", "")
FACT(RST_BOTH_WAYS, "rst-both-ways", "both-ways", "", SEV_WARN, N_("resets went to both sides"), "", "")
FACT(RST_PAYLOAD, "rst-payload", "rst-payload", "", SEV_WARN, N_("the reset carries a text: %1$s"), "", "")
FACT(RST_CHECKSUM_BAD, "rst-checksum-bad", "checksum", "", SEV_WARN, N_("the reset's checksum is wrong: a receiver drops it"), "", "")
FACT(SENDER_LOCAL, "sender-local", "sender-where", "", SEV_NOTE, N_("the reset was made on this host (or the host the capture was taken on)"), "", "")
FACT(VANTAGE, "vantage-end", "sender-where", "", SEV_INFO, N_("the packets were seen at the end of the %1$s (%2$s)"), "", N_("where the packets were seen is not known"))
FACT(MPTCP_REASON, "mptcp-reason", "rst-payload", "", SEV_NOTE, N_("the reset names the MPTCP reason %1$s"), "", "")
FACT(CAPTURE_DROPS, "capture-drops", "caveat", "packets", SEV_WARN, N_("%1$s packets were lost by the capture"), N_("the capture lost no packet"), "")
FACT(TUNNELLED, "tunnelled", "caveat", "", SEV_NOTE,
     N_("the packets came through a tunnel: their TTL counts hops inside it"), "", "")
FACT(ONE_SIDED, "one-sided", "caveat", "", SEV_WARN, N_("the capture saw only one direction"), "", "")
FACT(PACKETS_MISSING, "packets-missing", "caveat", "", SEV_WARN,
     N_("the capture lacks packets of this connection: %1$s stretches were acknowledged that it does "
        "not hold"), "", "")
FACT(PAYLOAD_CUT, "payload-cut", "caveat", "", SEV_NOTE,
     N_("the capture holds only the front of this connection's larger packets: what was said may be "
        "missing here"), "", "")
FACT(MIDSTREAM, "midstream", "caveat", "", SEV_NOTE, N_("the start of the connection was not captured"), "", "")
/* ---- the handshake of TCP ---- */
FACT(SYNACK_REPEATED, "synack-repeated", "accept-queue", "", SEV_WARN, N_("the server repeated its SYN-ACK %1$s times although it had been acknowledged"), "", "")
FACT(SYN_REPEATED, "syn-repeated", "syn-repeat", "", SEV_NOTE, N_("the SYN was sent %1$s times"), "", "")
FACT(SYN_ANSWERED_BAD_ACK, "syn-bad-ack", "half-open", "", SEV_WARN, N_("the SYN was answered with an ACK of another connection"), "", "")
FACT(SYN_RETRY_WORKED, "syn-retry-worked", "retry", "", SEV_NOTE, N_("the next attempt of the same client succeeded"), N_("the next attempts of the same client failed too"), "")
FACT(ACCEPTED_BEFORE, "accepted-before", "retry", "", SEV_NOTE, N_("connections of the same client to the same port had been accepted before"), "", "")
FACT(REFUSED_AFTER, "refused-after", "retry", "", SEV_WARN, N_("the next connection of the same client was refused: nothing listened any more"), "", "")
FACT(PORT_REUSED_LISTEN, "target-listens", "listener", "", SEV_NOTE, N_("a socket of this host listens on the target's port"), N_("no socket of this host listens on the target's port"), N_("whether something listens on the port was not looked at"))
FACT(CLIENT_ABORTED_SYN, "client-aborted-handshake", "client-abort", "", SEV_INFO, N_("the client itself reset the connection right after the SYN-ACK"), "", "")
FACT(UNSOLICITED_SYNACK, "unsolicited-syn-ack", "client-abort", "", SEV_INFO, N_("the reset answered a SYN-ACK to which no SYN was seen"), "", "")
FACT(STRAY_SEGMENT, "stray-segment", "client-abort", "", SEV_INFO, N_("the reset answered a segment that belonged to no connection seen"), "", "")
FACT(SYN_OPTIONS, "syn-options", "syn-options", "", SEV_NOTE, N_("the SYN carried unusual options (%1$s)"), "", "")
FACT(PLAIN_SYN_OK, "plain-syn-works", "syn-options", "", SEV_WARN, N_("a SYN without unusual options is accepted"), N_("a SYN without unusual options fails too"), N_("a SYN without unusual options was not tried"))
FACT(OTHER_FAMILY_OK, "other-family-works", "other-family", "", SEV_WARN, N_("the same name works over %1$s"), N_("the other address family fails too"), N_("the other address family was not tried"))
FACT(OTHER_ADDRESS_OK, "other-address-works", "other-address", "", SEV_WARN, N_("another address of the same name works (%1$s)"), N_("the other addresses of the name fail too"), N_("the other addresses of the name were not tried"))
FACT(OTHER_PORT_OK, "other-port-works", "other-port", "", SEV_NOTE, N_("another port of the same address answers (%1$s)"), N_("other ports of the same address fail alike"), N_("other ports of the same address were not tried"))
FACT(CONTROL_HOST_OK, "control-host-works", "control-host", "", SEV_NOTE,
     N_("another target answers meanwhile (%1$s): the way out works"),
     N_("another target fails alike (%1$s): it is not about this one"),
     N_("no other target was tried beside it"))
FACT(CLOSED_PORT_ACCEPTS, "closed-port-accepts", "closed-port", "", SEV_WARN, N_("even a port that is surely closed accepts connections"), N_("a port that is surely closed refuses"), N_("a surely closed port was not tried"))
/* ---- this host's counters and queues (one event only, design.md 3) ---- */
FACT(TARGET_LOCAL, "target-is-local", "local", "", SEV_INFO, N_("the target is this host: its counters speak of both ends"), N_("the target is another host"), "")
FACT(BEHIND_ROUTER, "behind-router", "route", "", SEV_INFO, N_("the way to the target goes through a router"), N_("the target is on a link of this host"), "")
FACT(ABORT_ON_CLOSE, "abort-on-close", "host-counter", "", SEV_BAD, N_("TCPAbortOnClose went up by %1$s: a socket was closed with unread data"), N_("TCPAbortOnClose did not move"), N_("the counters of the resetting host were not read"))
FACT(ABORT_ON_DATA, "abort-on-data", "host-counter", "", SEV_BAD, N_("TCPAbortOnData went up by %1$s: a socket was aborted (linger 0, or data after close)"), N_("TCPAbortOnData did not move"), N_("the counters of the resetting host were not read"))
FACT(ABORT_ON_TIMEOUT, "abort-on-timeout", "host-counter", "", SEV_WARN, N_("TCPAbortOnTimeout went up by %1$s"), N_("TCPAbortOnTimeout did not move"), "")
FACT(ABORT_ON_MEMORY, "abort-on-memory", "host-counter", "", SEV_BAD, N_("TCPAbortOnMemory went up by %1$s"), N_("TCPAbortOnMemory did not move"), "")
FACT(NO_ABORT_COUNTED, "no-abort-counted", "no-abort", "", SEV_NOTE, N_("this host reset a live connection, and none of its counters of programs' aborts moved: nobody closed the socket"), "", "")
FACT(LISTEN_OVERFLOW, "listen-overflow", "accept-queue", "", SEV_BAD, N_("ListenOverflows went up by %1$s while the probe connected"), N_("ListenOverflows did not move"), N_("the server's listen counters were not read"))
FACT(LISTEN_QUEUE_FULL, "listen-queue-full", "accept-queue", "", SEV_BAD, N_("the listener's accept queue is full: %1$s waiting, backlog %2$s"), N_("the listener's accept queue has room: %1$s waiting, backlog %2$s"), N_("the listener's queue could not be looked at"))
FACT(EMBRYONIC_RST, "embryonic-rst", "accept-queue", "", SEV_WARN, N_("EmbryonicRsts went up by %1$s"), N_("EmbryonicRsts did not move"), "")
FACT(OUT_RSTS, "out-rsts", "peer-counters", "", SEV_NOTE, N_("OutRsts of the target's host went up by %1$s: its TCP sent the reset"), N_("OutRsts of the target's host did not move: its TCP did not send the reset"), N_("the server's OutRsts counter was not read"))
FACT(COUNTER_SHARED, "counter-shared", "caveat", "", SEV_NOTE, N_("the counters moved for several events at once (one of %1$s)"), "", "")
FACT(LOCAL_REJECT_RULE, "local-reject-rule", "local-rule", "packets", SEV_BAD, N_("a rule of this host that rejects counted %1$s packets"), N_("no rule of this host that rejects counted a packet"), N_("this host's firewall rules were not read"))
FACT(LOCAL_RULE_REJECTS, "local-rule-rejects", "local-rule", "", SEV_BAD,
     N_("by the rules of this host's firewall the connection is rejected (%1$s)"),
     N_("by the rules of this host's firewall the connection is not rejected"), "")
FACT(LOCAL_RULE_DROPS, "local-rule-drops", "local-rule-drops", "", SEV_BAD,
     N_("by the rules of this host's firewall packets of the connection are dropped (%1$s)"),
     N_("by the rules of this host's firewall no packet of the connection is dropped"), "")
FACT(KERNEL_SENT, "kernel-sent", "kernel-reset", "", SEV_BAD,
     N_("this host's kernel sent the reset: %1$s, socket %2$s, while %3$s ran"),
     N_("this host's kernel did not send the reset"), "")
FACT(KERNEL_RECEIVED, "kernel-received", "", "", SEV_INFO,
     N_("this host's kernel received a reset of the connection"), "", "")
FACT(CONNTRACK_FORGOT, "conntrack-forgot", "conntrack-entry", "", SEV_BAD,
     N_("connection tracking of this host forgot the connection while it lived (%1$s)"), "", "")
FACT(TRANSLATED_HERE, "translated-here", "conntrack-nat", "", SEV_NOTE,
     N_("this host translates the connection: its other address is %1$s"),
     N_("this host does not translate the connection's addresses"), "")
FACT(LOCAL_PORTS_EXHAUSTED, "local-ports-exhausted", "local", "", SEV_BAD, N_("no local port was free (%1$s)"), "", "")
FACT(LOCAL_DESTROYED, "local-destroyed", "local", "", SEV_BAD, N_("the socket was destroyed by this host (ECONNABORTED)"), "", "")
FACT(LOCAL_ADDRESS_GONE, "local-address-gone", "local", "", SEV_BAD, N_("the connection's source address left this host (%1$s)"), "", "")
FACT(CONNTRACK_FULL, "conntrack-full", "conntrack", "", SEV_BAD, N_("connection tracking is full: %1$s of %2$s entries"), N_("connection tracking has room: %1$s of %2$s entries"), N_("the connection tracking table was not looked at"))
FACT(SYN_QUEUE_DROPS, "syn-queue-drops", "syn-queue", "", SEV_BAD, N_("TCPReqQFullDrop went up by %1$s: the SYN queue was full"), N_("TCPReqQFullDrop did not move"), N_("the server's SYN queue counters were not read"))
FACT(CHALLENGE_ACK, "challenge-ack", "challenge", "", SEV_NOTE, N_("TCPChallengeACK went up by %1$s"), "", "")
FACT(SOCKET_RESET, "socket-reset", "errno", "", SEV_BAD,
     N_("this host's table of sockets, which gives no reason, shows that it was reset: %1$s"), "",
     "")
FACT(UNREAD_AT_CLOSE, "unread-at-close", "host-counter", "bytes", SEV_BAD,
     N_("the socket was closed with %1$s bytes unread"),
     N_("nothing lay unread when the socket was closed"),
     N_("what lay unread when the socket was closed is not known"))
FACT(DROPPED_AT_ONCE, "dropped-at-once", "host-counter", "", SEV_BAD,
     N_("the program dropped the connection at once (SO_LINGER 0, or a listener that closed with "
        "it in its queue)"),
     N_("the program did not drop the connection at once"),
     N_("how the program let go of the socket is not known"))
FACT(OTHER_END_LIVES, "other-end-lives", "peer-counters", "", SEV_BAD,
     N_("the other end, a socket of this host too, is still connected: it sent no reset"), "", "")
FACT(CLIENT_PROCESS, "client-process", "", "", SEV_INFO, N_("the client's socket belongs to %1$s"),
     "", N_("the process of the client is not known"))
FACT(SERVER_PROCESS, "server-process", "", "", SEV_INFO, N_("the server's socket belongs to %1$s"),
     "", N_("the process of the server is not known"))
FACT(NOT_NOTICED, "not-noticed", "", "", SEV_NOTE,
     N_("the program still held the dead socket when it was looked at"), "", "")
FACT(HOST_CPU_SHORT, "host-cpu-short", "host-load", "%", SEV_WARN,
     N_("tasks of this host waited %1$s %% of the last ten seconds for CPU"),
     N_("tasks of this host did not wait for CPU (%1$s %%)"),
     N_("how long tasks of this host wait for CPU is not known"))
FACT(HOST_MEMORY_SHORT, "host-memory-short", "host-load", "%", SEV_WARN,
     N_("tasks of this host waited %1$s %% of the last ten seconds for memory"),
     N_("tasks of this host did not wait for memory (%1$s %%)"),
     N_("how long tasks of this host wait for memory is not known"))
FACT(PROXY_CONFIGURED, "proxy-configured", "proxy", "", SEV_NOTE, N_("a proxy is configured on this host (%1$s)"), N_("no proxy is configured on this host"), "")
/* ---- TLS ---- */
FACT(HELLO_SENT, "reset-after-hello", "trigger", "bytes", SEV_NOTE, N_("the end answered the ClientHello (%1$s bytes)"), N_("the end did not come at the ClientHello"), "")
FACT(CLIENT_TLS, "client-spoke-tls", "client-words", "", SEV_INFO, N_("the client spoke TLS"), N_("the client did not speak TLS: %1$s"), "")
FACT(TLS_ALERT, "tls-alert", "first-bytes", "", SEV_WARN, N_("the server sent the TLS alert %1$s (%2$s)"), N_("no TLS alert came"), N_("the first bytes of the peer were not seen"))
FACT(TLS_ALERT_SENT, "tls-alert-sent", "alert-sent", "", SEV_WARN, N_("the client sent the TLS alert %1$s (%2$s)"), "", "")
FACT(TLS_LATE_ALERT, "tls-late-alert", "first-bytes", "", SEV_WARN, N_("after a finished handshake the server sent the TLS alert %1$s (%2$s)"), "", "")
FACT(FIRST_BYTES_TEXT, "first-bytes-text", "first-bytes", "", SEV_WARN, N_("the first bytes from the server are text, not TLS: %1$s"), N_("the first bytes from the server are not text"), N_("the first bytes of the peer were not seen"))
FACT(FIRST_BYTES_TLS, "first-bytes-tls", "first-bytes", "", SEV_NOTE, N_("the first bytes from the server are TLS"), "", "")
FACT(SERVER_HELLO, "server-hello", "server-hello", "", SEV_INFO, N_("the server answered with a ServerHello (%1$s)"), N_("no ServerHello came"), "")
FACT(BANNER_FIRST, "banner-first", "banner", "", SEV_WARN, N_("the server spoke first: %1$s"), N_("the server waited for the client to speak"), N_("whether the server speaks first was not tried"))
FACT(PLAIN_ON_TLS, "plain-on-tls", "first-bytes", "", SEV_WARN, N_("plain %1$s was sent and the server answered with TLS"), "", "")
FACT(PLAIN_ON_TLS_TEXT, "plain-on-tls-text", "first-bytes", "", SEV_WARN, N_("the server says plain HTTP was sent to a TLS port"), "", "")
FACT(TLS_OK, "tls-ok", "tls", "ms", SEV_INFO, N_("the TLS handshake took %1$s (%2$s)"), N_("the TLS handshake failed: %1$s"), "")
FACT(CERT_REJECTED, "certificate-rejected", "cert", "", SEV_WARN, N_("the server's certificate was not accepted: %1$s"), N_("the server's certificate was accepted"), "")
FACT(CERT_WANTED, "client-certificate-wanted", "cert-wanted", "", SEV_NOTE, N_("the server asked for a client certificate"), N_("the server asked for no client certificate"), "")
FACT(HELLO_BIG, "hello-over-one-segment", "hello-size", "bytes", SEV_NOTE, N_("the ClientHello took more than one segment (%1$s bytes)"), N_("the ClientHello fitted one segment (%1$s bytes)"), "")
FACT(SNI, "sni", "", "", SEV_INFO, N_("the TLS server name was %1$s"), N_("no TLS server name was sent"), "")
FACT(NEUTRAL_SNI_OK, "neutral-sni-passes", "content", "", SEV_BAD, N_("the same address finished the handshake when the name was %1$s"), N_("another server name was cut in the same way"), N_("another server name was not tried"))
FACT(SPLIT_HELLO_OK, "split-hello-passes", "hello", "", SEV_BAD, N_("a ClientHello split at the name passed"), N_("a ClientHello split at the name was cut too"), N_("a ClientHello split at the name was not tried"))
FACT(SMALL_HELLO_OK, "small-hello-passes", "hello", "", SEV_WARN, N_("a small ClientHello passed"), N_("a small ClientHello failed too"), N_("a smaller ClientHello was not tried"))
FACT(PLAIN_WORKS, "plain-works", "plain", "", SEV_WARN, N_("the port answers plain %1$s"), N_("the port does not answer plain text"), N_("plain text was not tried on the port"))
FACT(TLS_WORKS, "tls-works", "plain", "", SEV_WARN, N_("the port answers a ClientHello"), N_("the port does not answer a ClientHello"), N_("TLS was not tried on the port"))
FACT(ANY_BYTES_CUT, "any-bytes-cut", "content", "", SEV_WARN, N_("any bytes are cut in the same way"), N_("other bytes pass"), N_("other bytes were not tried"))
FACT(TLS_RESUMED, "tls-resumed", "resumed", "", SEV_INFO, N_("the server resumed the TLS session"), N_("the server did not resume the TLS session it had given"), "")
FACT(CERT_REVOKED, "certificate-revoked", "cert-ocsp", "", SEV_BAD, N_("the stapled OCSP answer says the certificate is revoked (%1$s)"), N_("the stapled OCSP answer says the certificate is good"), "")
FACT(OCSP_STALE, "ocsp-stale", "cert-ocsp", "", SEV_WARN, N_("the stapled OCSP answer is out of date (until %1$s)"), "", "")
/* ---- HTTP and other applications ---- */
FACT(HTTP_STATUS, "http-status", "status", "", SEV_NOTE, N_("the server answered with status %1$s"), N_("no HTTP status came"), "")
FACT(EARLY_REPLY, "early-reply", "early-reply", "", SEV_BAD, N_("status %1$s came while the request was still being sent (%2$s of %3$s bytes sent)"), N_("no reply came before the request was sent"), "")
FACT(UPLOADING, "uploading", "request", "bytes", SEV_INFO, N_("a request body of %1$s bytes was being sent"), N_("the request had no body"), "")
FACT(REQUEST_HEAD_CUT, "request-head-cut", "request-whole", "bytes", SEV_NOTE, N_("only the beginning of a request's head had been sent (%1$s bytes)"), "", "")
FACT(REQUEST_PARTIAL, "request-incomplete", "request-whole", "bytes", SEV_NOTE, N_("only %1$s of %2$s bytes of the request had been sent"), N_("the request had been sent whole (%1$s bytes)"), N_("whether the request was complete is not known"))
FACT(REQUEST_PAUSED, "request-paused", "request-pause", "ms", SEV_NOTE, N_("the rest of the request did not come for %1$s"), "", "")
FACT(UPSTREAM_WORDS, "upstream-words", "last-words", "", SEV_WARN, N_("a proxy says that what is behind it failed: %1$s"), "", "")
FACT(STORE_WORDS, "object-store-words", "store", "", SEV_NOTE, N_("the answer is that of an object store: %1$s"), "", "")
FACT(BULK_REQUEST, "bulk-request", "bulk", "", SEV_INFO, N_("it was a bulk request to Elasticsearch: %1$s"), "", "")
FACT(HEADER_TOO_LARGE, "header-too-large", "status", "", SEV_WARN, N_("the server says the request header is too large (%1$s)"), "", "")
FACT(OTHER_PROTOCOL, "other-protocol", "first-bytes", "", SEV_WARN, N_("the server speaks %1$s, the client %2$s"), "", "")
FACT(AUTH_WORDS, "auth-words", "last-words", "", SEV_WARN, N_("the peer's last words speak of access: %1$s"), "", "")
FACT(LAST_WORDS, "last-words", "last-words", "", SEV_INFO, N_("the peer's last words: %1$s"), "", "")
FACT(SAME_ISSUER, "same-issuer", "issuer", "", SEV_WARN, N_("certificates of unrelated sites come from one issuer here (%1$s)"), N_("unrelated sites have certificates of different issuers"), N_("the issuers of other sites' certificates were not compared"))
FACT(H2_GOAWAY, "h2-goaway", "h2", "", SEV_NOTE, N_("HTTP/2 GOAWAY or RST_STREAM came (%1$s), TCP stayed up"), "", "")
FACT(REDIRECT, "redirect", "redirect", "", SEV_INFO, N_("the server redirects to %1$s"), "", "")
FACT(CONTINUE, "continue-100", "expect", "ms", SEV_INFO, N_("100 Continue came after %1$s"), "", "")
FACT(REPLY_UNREADABLE, "reply-unreadable", "reply-unread", "bytes", SEV_NOTE, N_("%1$s bytes of an answer came after sending had failed and can no longer be decrypted"), "", "")
FACT(PROXY_USED, "proxy-used", "proxy-used", "", SEV_INFO, N_("the connection goes through the proxy %1$s"), "", "")
FACT(PROXY_REFUSED, "proxy-refused", "proxy-answer", "", SEV_WARN, N_("the proxy did not connect: %1$s"), "", "")
FACT(STARTTLS, "starttls", "starttls", "", SEV_INFO, N_("the server offers TLS after its first words"), N_("the server offers no TLS after its first words"), "")
FACT(SERVICE_REFUSED, "service-refused", "last-words", "", SEV_WARN, N_("the server refuses its service: %1$s"), "", "")
/* ---- repetition and pattern ---- */
FACT(REPEATED_SAME, "repeats", "repeat", "", SEV_NOTE, N_("it happened again when repeated alone (%1$s of %2$s)"), N_("it did not happen again when repeated alone (%1$s tries)"), N_("it was not repeated"))
FACT(WAIT_HELPS, "waiting-helps", "waiting", "ms", SEV_NOTE, N_("after a wait it works again"), N_("waiting does not help"), N_("whether waiting helps was not tried"))
FACT(PERIODIC_PROBE, "periodic", "pattern", "", SEV_INFO, N_("the client does the same again and again (%1$s times)"), "", "")
FACT(MANY_RESETS, "many-alike", "pattern", "", SEV_NOTE, N_("%1$s connections of this service ended alike"), "", "")
FACT(SAME_IDLE, "same-silence", "pattern-idle", "", SEV_WARN, N_("%1$s of %2$s connections of this service ended after the same silence, %3$s"), N_("the silences after which %1$s connections of this service ended differ (%2$s to %3$s)"), N_("whether others end after the same silence is not known"))
FACT(SAME_WAIT, "same-wait", "pattern-wait", "", SEV_WARN, N_("%1$s of %2$s connections of this service ended the same time after the request, %3$s"), N_("%1$s connections of this service ended at different times after the request (%2$s to %3$s)"), N_("whether others end the same time after the request is not known"))
FACT(SAME_AGE, "same-age", "pattern-age", "", SEV_WARN, N_("%1$s of %2$s connections of this service ended at the same age, %3$s"), N_("%1$s connections of this service ended at different ages (%2$s to %3$s)"), "")
FACT(SAME_INDEX, "same-request-index", "pattern-index", "", SEV_WARN, N_("%1$s of %2$s connections of this service ended at the same request, number %3$s of the connection"), N_("%1$s connections of this service ended at different requests (number %2$s to %3$s)"), "")
FACT(SAME_SIZE, "same-size", "pattern-size", "", SEV_WARN, N_("%1$s of %2$s uploads to this service ended after the same number of bytes, about %3$s"), N_("%1$s uploads to this service ended after different numbers of bytes (%2$s to %3$s)"), "")
FACT(SAME_INSTANT, "same-instant", "pattern-instant", "", SEV_WARN, N_("%1$s connections of this host that had begun at different times ended at one moment (within %3$s)"), N_("%1$s connections of this service ended at different moments"), "")
FACT(SAME_INSTANT_HOSTS, "same-instant-hosts", "pattern-instant", "", SEV_BAD, N_("%1$s connections to %2$s hosts that had begun at different times ended at one moment (within %3$s)"), "", "")
FACT(RESET_HOP, "reset-hop", "hops", "hops", SEV_BAD, N_("the reset comes from a box about %1$s hops away; the server is %2$s hops away"), N_("no box before the server resets"), N_("the hop that resets was not located"))
FACT(RESET_IN_LINE, "reset-in-line", "hops-in-line", "", SEV_NOTE,
     N_("packets do not get past the box that resets: it lies in their way"),
     N_("packets get past the box that resets: it only listens and forges"),
     N_("whether the box that resets lets packets pass is not known"))
FACT(TTL_SHIELD, "ttl-shield", "hops", "", SEV_BAD, N_("with resets of a lower TTL refused the connection lived on"), N_("refusing resets of a lower TTL did not help"), N_("refusing resets of a lower TTL was not tried"))
FACT(IDLE_CUT, "idle-cut", "idle-ladder", "ms", SEV_BAD, N_("held idle, connections are cut after %1$s (%2$s)"), N_("connections held idle for %1$s were not cut"), N_("the idle time that a connection survives was not measured"))
FACT(IDLE_CUT_KIND, "idle-cut-kind", "idle-kind", "", SEV_NOTE, N_("connections held idle end in this way: %1$s"), "", "")
FACT(KEEPALIVE_HELPS, "keepalive-helps", "idle-keepalive", "ms", SEV_NOTE, N_("with TCP keepalives it lives longer than %1$s of silence: a box on the path forgets"), N_("TCP keepalives do not keep it alive beyond %1$s: a timer of the server ends it"), N_("whether TCP keepalives keep it alive was not tried"))
FACT(DURATION_CUT, "duration-cut", "duration-sweep", "ms", SEV_WARN, N_("answers that take longer than %1$s are cut"), N_("however long the answer takes makes no difference (up to %1$s)"), N_("how long an answer may take was not tried"))
FACT(REQUEST_LIMIT, "request-limit", "request-count", "", SEV_WARN, N_("one connection takes %1$s requests, then it is closed"), N_("%1$s requests on one connection passed"), N_("how many requests a connection takes was not tried"))
FACT(HTTP_OTHER_OK, "other-http-version-works", "http-version", "", SEV_WARN, N_("the same request works over %1$s"), N_("the same request fails over the other HTTP version too"), N_("the other HTTP version was not tried"))
FACT(REQUEST_PART, "request-part", "content-part", "", SEV_BAD, N_("the request passes without this part: %1$s"), N_("no single part of the request makes the difference"), N_("which part of the request matters was not tried"))
FACT(PORT_DEPENDS, "source-port-decides", "path", "", SEV_WARN, N_("from some source ports it fails each time, from others never (%1$s of %2$s fail)"), N_("it does not depend on the source port (%1$s tried)"), N_("other source ports were not tried"))
FACT(SIZE_LIMIT, "size-limit", "size-sweep", "bytes", SEV_WARN, N_("requests up to %1$s bytes pass, larger ones fail"), N_("the size of the request makes no difference"), N_("other sizes of the request were not tried"))
FACT(SEGMENT_LIMIT, "segment-limit", "size-segments", "bytes", SEV_BAD,
     N_("packets of up to %1$s bytes pass (%2$s), larger ones vanish and nobody says so"),
     N_("small packets make no difference"), N_("whether small packets pass was not tried"))
FACT(LOAD_THRESHOLD, "load-threshold", "ramp", "", SEV_WARN, N_("it happens only above %1$s connections at once"), N_("the number of connections makes no difference"), N_("other numbers of connections were not tried"))
FACT(RATE_THRESHOLD, "rate-threshold", "ramp-rate", "", SEV_WARN,
     N_("it happens only above %1$s new connections a second"),
     N_("how fast connections follow one another makes no difference (up to %1$s a second)"),
     N_("other rates of connections were not tried"))
FACT(NEW_CONN_WORKS, "new-connection-works", "new-conn", "", SEV_NOTE, N_("a new connection works at once"), N_("a new connection fails too"), N_("a new connection was not tried"))
FACT(REUSED, "connection-reused", "reused", "", SEV_NOTE, N_("the connection had been used before (request %1$s on it)"), N_("the connection was fresh"), "")
/* ---- names ---- */
FACT(DNS_FAILED, "dns-failed", "dns", "", SEV_BAD, N_("the name did not resolve: %1$s"), N_("the name resolved"), N_("the name was not looked up"))
FACT(DNS_HOSTS, "dns-hosts", "dns-hosts", "", SEV_NOTE, N_("the answer came from /etc/hosts"), N_("the answer did not come from /etc/hosts"), "")
/* ---- what a log says ---- */
FACT(LOG_SAYS, "log-says", "", "", SEV_NOTE, N_("the log says \"%1$s\" (lines: %2$s)"), "", N_("what the application's log says is not known"))
FACT(LOG_SAME_AGE, "log-same-age", "idle", "ms", SEV_WARN, N_("the logged failures come after %1$s each time (%2$s of %3$s)"), N_("the logged failures come after different times (%2$s of them, median %1$s)"), "")
FACT(LOG_SAME_SIZE, "log-same-size", "size-sweep", "bytes", SEV_WARN, N_("the logged failures come at %1$s bytes each time (%2$s of %3$s)"), N_("the logged failures come at different sizes (%2$s of them, median %1$s bytes)"), "")
FACT(LOG_MANY_PEERS, "log-many-peers", "pattern", "", SEV_WARN, N_("connections to %1$s peers failed within one second, says the log"), "", "")
FACT(LOG_CLIENT_ENDED, "log-client-ended", "client-abort", "", SEV_NOTE, N_("the server's or proxy's log says that the client ended it (%1$s)"), "", "")
FACT(LOG_KERNEL, "log-kernel", "log-kernel", "", SEV_BAD, N_("a host's log tells of trouble at that time: \"%1$s\""), "", "")
FACT(LOG_NO_UPSTREAM, "log-no-upstream", "upstream", "", SEV_BAD, N_("the proxy's log says that it had no server to send to (%1$s)"), "", "")
FACT(DNS_DIFFER, "dns-servers-differ", "dns-answers", "", SEV_NOTE, N_("a name server gives other addresses: %1$s"), N_("all name servers give the same addresses"), N_("the name servers were not asked one by one"))
FACT(DNS_SERVER_FAILS, "dns-server-fails", "dns-server", "", SEV_WARN, N_("a name server fails where another answers: %1$s"), N_("no name server fails"), "")
FACT(DNS_TCP_ONLY, "dns-tcp-only", "dns-server", "", SEV_WARN, N_("the name server %1$s answers over TCP but not over UDP"), "", "")
FACT(DNS_WHY, "dns-extended-error", "dns-why", "", SEV_NOTE, N_("the name server says why (extended error): %1$s"), "", "")
FACT(DNS_SYSTEM_DIFFERS, "dns-system-differs", "dns-hosts", "", SEV_WARN, N_("programs of this host get another answer (getaddrinfo: %1$s) than the name servers give (%2$s)"), N_("programs of this host get the same answer as the name servers give"), "")
FACT(DNS_MOVED, "dns-moved", "dns-moved", "", SEV_WARN, N_("the name now points to %1$s, the connection that failed went to %2$s"), "", "")
/* ---- what earlier runs found (the history) ---- */
FACT(SEEN_BEFORE, "seen-before", "history", "", SEV_NOTE,
     N_("failed %1$s times in the last %2$s days, in %3$s runs"),
     N_("did not fail in the last %2$s days, in %3$s runs"),
     N_("whether this happened before is not known"))
FACT(SEEN_IDLE, "seen-idle", "history-idle", "ms", SEV_NOTE,
     N_("%2$s of the %3$s earlier failures came after %1$s of silence"), "", "")
FACT(SEEN_CAUSE, "seen-cause", "history-cause", "", SEV_NOTE,
     N_("%2$s of the %3$s earlier failures were judged %1$s"), "", "")
/* ---- what the user answered: one for each question the checklist may ask ---- */
FACT(USER_SERVER_LOG, "user-server-log", "user-log", "", SEV_NOTE, N_("the server's log shows an error at that time, says the user"), N_("the server's log shows nothing at that time, says the user"), N_("nobody has looked into the server's log"))
FACT(USER_FW_CHANGED, "user-firewall-rule", "user-fw", "", SEV_NOTE, N_("a firewall rule covers this port, says the user"), N_("no firewall rule covers this port, says the user"), N_("nobody has asked who runs the firewall"))
FACT(USER_DEPLOYED, "user-deployed", "user-deploy", "", SEV_NOTE, N_("the service was restarted or deployed at that time, says the user"), N_("the service was not restarted at that time, says the user"), N_("whether the service was restarted is not known"))
FACT(USER_OVERLOAD, "user-overload", "user-load", "", SEV_NOTE, N_("the service was under load at that time, says the user"), N_("the service was not under load, says the user"), N_("the load of the service is not known"))
FACT(USER_IDLE_SETTING, "user-idle-setting", "user-idle", "", SEV_NOTE, N_("a timeout on the path has that length, says the user"), N_("no timeout on the path has that length, says the user"), N_("the timeouts on the path are not known"))
FACT(USER_PROXY, "user-proxy", "user-proxy", "", SEV_NOTE, N_("a proxy or load balancer stands before the server, says the user"), N_("no proxy stands before the server, says the user"), N_("whether a proxy stands before the server is not known"))
FACT(USER_FW_LOG, "user-firewall-log", "user-fw", "", SEV_NOTE, N_("the firewall's log shows this connection, says the user"), N_("the firewall's log does not show this connection, says the user"), N_("nobody has looked into the firewall's log"))
FACT(USER_FILTER, "user-content-filter", "user-filter", "", SEV_NOTE, N_("a content filter or IPS stands on the path, says the user"), N_("no content filter stands on the path, says the user"), N_("whether a content filter stands on the path is not known"))
FACT(USER_OTHER_PATH, "user-other-path-works", "user-path", "", SEV_NOTE, N_("it works from another network, says the user"), N_("it fails from another network too, says the user"), N_("nobody has tried it from another network"))
FACT(USER_ALL_CLIENTS, "user-all-clients", "user-clients", "", SEV_NOTE, N_("other clients have it too, says the user"), N_("other clients do not have it, says the user"), N_("whether other clients have it is not known"))
FACT(USER_STATE_CLEARED, "user-state-cleared", "user-state", "", SEV_NOTE, N_("a firewall, NAT or router on the path was restarted or failed over then, says the user"), N_("nothing on the path was restarted, says the user"), N_("whether something on the path was restarted is not known"))
FACT(USER_ASYMMETRIC, "user-two-paths", "user-routing", "", SEV_NOTE, N_("packets there and back take different ways, says the user"), N_("packets there and back take the same way, says the user"), N_("whether both directions take the same way is not known"))
FACT(USER_POOL, "user-pool", "user-pool", "", SEV_NOTE, N_("the client keeps connections open for later requests, says the user"), N_("the client opens a fresh connection each time, says the user"), N_("whether the client reuses connections is not known"))
FACT(USER_SLOW, "user-slow-request", "user-slow", "", SEV_NOTE, N_("such requests take long on the server, says the user"), N_("such requests are quick on the server, says the user"), N_("how long the server works on such a request is not known"))
FACT(USER_CLIENT_TIMEOUT, "user-client-timeout", "user-client-timeout", "", SEV_NOTE, N_("the client gives up after about that time, says the user"), N_("the client has no such timeout, says the user"), N_("the client's own timeout is not known"))
FACT(USER_LIMIT, "user-connection-limit", "user-limit", "", SEV_NOTE, N_("a limit on connections or requests is set, says the user"), N_("no limit on connections is set, says the user"), N_("the limits of the service are not known"))
FACT(USER_KILLED, "user-process-killed", "user-crash", "", SEV_NOTE, N_("the server process crashed or was killed then, says the user"), N_("the server process ran through, says the user"), N_("whether the server process died is not known"))
FACT(USER_CLIENT_CERT, "user-client-certificate", "user-mtls", "", SEV_NOTE, N_("the service demands client certificates, says the user"), N_("the service demands no client certificate, says the user"), N_("whether the service demands client certificates is not known"))
FACT(USER_TLS_CHANGED, "user-tls-changed", "user-tls", "", SEV_NOTE, N_("the TLS settings were changed lately, says the user"), N_("the TLS settings were not changed, says the user"), N_("whether the TLS settings were changed is not known"))
FACT(USER_TLS_PORT, "user-tls-port", "user-port", "", SEV_NOTE, N_("the port is meant for TLS, says the user"), N_("the port is not meant for TLS, says the user"), N_("what the port is meant for is not known"))
FACT(USER_RIGHT_SERVICE, "user-right-service", "user-service", "", SEV_NOTE, N_("it is the right service on this port, says the user"), N_("another service is on this port, says the user"), N_("whether the right service is on this port is not known"))
FACT(USER_SIZE_LIMIT, "user-size-limit", "user-size", "", SEV_NOTE, N_("a size limit is set that the request exceeds, says the user"), N_("the request is below every size limit, says the user"), N_("the size limits are not known"))
FACT(USER_ACCESS_LIST, "user-access-list", "user-acl", "", SEV_NOTE, N_("the service lets in only certain clients, says the user"), N_("the service lets everybody in, says the user"), N_("the access rules of the service are not known"))
FACT(USER_READS_ALL, "user-reads-all", "user-app", "", SEV_NOTE, N_("the server reads the whole request before it closes, says the user"), N_("the server closes without reading everything, says the user"), N_("how the server closes is not known"))
FACT(USER_LINGER, "user-linger0", "user-app", "", SEV_NOTE, N_("the server closes with SO_LINGER 0, says the user"), N_("the server does not set SO_LINGER 0, says the user"), N_("how the server closes its sockets is not known"))
FACT(USER_CLIENT_ABORTS, "user-client-aborts", "user-client", "", SEV_NOTE, N_("the client cancels or exits then, says the user"), N_("the client waits for the answer, says the user"), N_("whether the client cancels is not known"))
FACT(USER_MONITOR, "user-monitor", "user-monitor", "", SEV_NOTE, N_("a monitor or scanner connects like this, says the user"), N_("no monitor connects like this, says the user"), N_("whether a monitor connects like this is not known"))
FACT(USER_SERVICE_RUNS, "user-service-runs", "user-runs", "", SEV_NOTE, N_("the service runs and listens on this port, says the user"), N_("the service does not listen on this port, says the user"), N_("whether the service listens on this port is not known"))
FACT(USER_REBOOTED, "user-rebooted", "user-reboot", "", SEV_NOTE, N_("the server was rebooted or moved then, says the user"), N_("the server was not rebooted, says the user"), N_("whether the server was rebooted is not known"))
FACT(USER_NAT, "user-nat", "user-nat", "", SEV_NOTE, N_("a NAT stands between client and server, says the user"), N_("no NAT stands between them, says the user"), N_("whether a NAT stands between them is not known"))
FACT(USER_NETWORK_CHANGED, "user-network-changed", "user-net", "", SEV_NOTE, N_("this host changed its network or VPN then, says the user"), N_("this host's network did not change, says the user"), N_("whether this host's network changed is not known"))
FACT(USER_LOCAL_FW, "user-local-firewall", "user-local", "", SEV_NOTE, N_("a firewall or security agent runs on this host, says the user"), N_("no firewall runs on this host, says the user"), N_("whether a firewall runs on this host is not known"))
FACT(USER_KUBERNETES, "user-kubernetes", "user-cloud", "", SEV_NOTE, N_("the service runs in Kubernetes, says the user"), N_("the service does not run in Kubernetes, says the user"), N_("where the service runs is not known"))
FACT(USER_PODS_READY, "user-pods-ready", "user-pods", "", SEV_NOTE, N_("ready pods stand behind the service, says the user"), N_("no ready pod stands behind the service, says the user"), N_("whether ready pods stand behind the service is not known"))
FACT(USER_MESH, "user-mesh", "user-mesh", "", SEV_NOTE, N_("a service mesh is in use, says the user"), N_("no service mesh is in use, says the user"), N_("whether a service mesh is in use is not known"))
FACT(USER_NAME_MOVED, "user-name-moved", "user-name", "", SEV_NOTE, N_("the name was moved to another address lately, says the user"), N_("the name was not moved, says the user"), N_("whether the name was moved is not known"))
FACT(USER_SPLIT_DNS, "user-split-dns", "user-dns", "", SEV_NOTE, N_("the name exists only inside another network, says the user"), N_("the name is public, says the user"), N_("whether the name exists only inside another network is not known"))
FACT(USER_VM_PAUSED, "user-machine-paused", "user-reboot", "", SEV_NOTE, N_("the machine was paused, migrated or restored then, says the user"), N_("the machine ran through, says the user"), N_("whether the machine was paused is not known"))
FACT(USER_OBJECT_STORE, "user-object-store", "user-service", "", SEV_NOTE, N_("the server is an object store (S3), says the user"), N_("the server is no object store, says the user"), N_("whether the server is an object store is not known"))
