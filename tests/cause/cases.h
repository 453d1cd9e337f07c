/*
 * For every cause a set of facts in which it comes first, and one that looks alike in which it must
 * not. Words: NAME a fact that is yes, !NAME one that is no, NAME=VALUE with a number, a span
 * (5s, 20ms) or a text (_ for a blank). Sets of packets' facts begin with one of the macros.
 */
#define PKT(stage, class, from) "stage=" stage " rst-seen rst-class=" class " rst-from=" from " "
#define SYN_REFUSED             PKT("syn", "refuse", "server")
#define GENUINE                 "!rst-ttl !rst-seq "
#define FOREIGN_TTL             "rst-ttl=10 !rst-seq "
#define HELLO                   "reset-after-hello=517 sni=a.example !first-bytes-text !server-hello "
#define PROBE(stage)            "stage=" stage " connection-reset=ECONNRESET "

/* ---- firewall ---- */
CASE("fw-reject-syn-rst", SYN_REFUSED FOREIGN_TTL, SYN_REFUSED GENUINE)
CASE("fw-reject-icmp", "stage=syn connect-refused=1ms icmp-error=x",
     "stage=syn connect-refused=1ms !icmp-error")
CASE("fw-drop-syn", "stage=syn connect-timeout=10s syn-repeated=5",
     "stage=syn connect-timeout=10s listen-queue-full=9")
CASE("fw-midstream-reject",
     PKT("data", "passive", "server") FOREIGN_TTL "!fin-before same-instant-hosts=5",
     PKT("data", "passive", "server") GENUINE "retransmitted=3 !fin-before")
CASE("fw-midstream-drop", "stage=data stalled=60s user-firewall-rule",
     "stage=data stalled=60s retransmitted=8 segment-limit=1440 !new-connection-works")
CASE("fw-state-missing",
     PKT("ack", "passive", "server") FOREIGN_TTL "synack-repeated=2 data-after-rst=0",
     PKT("ack", "passive", "server") GENUINE "embryonic-rst=1")
CASE("dpi-onpath-rst",
     PKT("psh", "foreign", "server") FOREIGN_TTL "rst-fan=3 data-after-rst=500 request-seen=GET",
     PKT("psh", "active", "server") GENUINE "!data-after-rst request-seen=GET")
CASE("dpi-inline-rst",
     PKT("psh", "passive", "server") FOREIGN_TTL
     "rst-before-rtt=2ms nothing-acked=300 user-content-filter",
     PKT("psh", "passive", "server") GENUINE "nothing-acked=300 embryonic-rst=1")
CASE("dpi-residual-block",
     SYN_REFUSED
     "rst-ttl=9 !rst-seq user-content-filter rst-before-rtt=1ms rst-train=2 waiting-helps "
     "user-other-path-works",
     SYN_REFUSED GENUINE "!syn-retry-worked")
CASE("ip-port-block-rst",
     PKT("syn", "foreign", "server") FOREIGN_TTL "rst-train=3 rst-window=1980 any-bytes-cut",
     SYN_REFUSED GENUINE "!rst-train")
CASE("ips-signature-reset",
     PKT("psh", "active", "server") "!rst-ttl request-seen=GET request-part=x",
     PKT("psh", "active", "server") GENUINE "request-seen=GET !user-content-filter")
CASE("rate-limit-ban",
     "stage=syn connect-refused=1ms user-connection-limit load-threshold=20 target-listens",
     "stage=syn connect-refused=1ms !target-listens")
CASE("syn-option-intolerance",
     "stage=syn connect-refused=1ms syn-options=TCP_Fast_Open plain-syn-works",
     "stage=syn connect-refused=1ms !target-listens syn-options=TCP_Fast_Open !plain-syn-works")
CASE("syn-proxy-mismatch", PKT("ack", "passive", "server") "at-accept=5ms closed-port-accepts",
     PKT("ack", "active", "server") GENUINE "at-accept=5ms !closed-port-accepts")
CASE("explicit-proxy-required",
     SYN_REFUSED "rst-before-rtt=1ms proxy-configured=https_proxy !other-address-works "
                 "!other-port-works many-alike=5 !user-firewall-rule",
     SYN_REFUSED GENUINE "!proxy-configured")
CASE("tls-intercept-policy",
     "stage=psh !tls-ok certificate-rejected=self-signed_certificate_in_certificate_chain "
     "same-issuer=X "
     "user-content-filter",
     "stage=psh !tls-ok certificate-rejected=expired !same-issuer")
/* ---- timeout ---- */
CASE("idle-lb-rst",
     PKT("idle", "passive", "server") GENUINE
     "idle-before-reset=350s idle-answered=350s !fin-before",
     PKT("idle", "passive", "server") GENUINE "idle-before-reset=5s idle-answered=5s "
                                              "fin-before=server data-after-fin=300ms")
CASE("idle-lb-rst-pushed",
     PKT("idle", "foreign", "server") GENUINE
     "idle-before-reset=240s idle-pushed=240s !fin-before rst-both-ways",
     PKT("idle", "active", "client") GENUINE "idle-before-reset=3s idle-pushed=3s harmless=x")
CASE("idle-silent-drop", "stage=idle stalled=30s retransmitted=6 idle-before-reset=700s",
     "stage=data stalled=30s retransmitted=6 !idle-before-reset=20ms")
CASE("keepalive-race",
     PKT("close", "passive", "server") GENUINE
     "fin-before=server data-after-fin=300ms connection-reused=3 user-pool !response-complete "
     "!harmless=x",
     PKT("close", "passive", "client") GENUINE "fin-before=client data-after-fin=300ms harmless=x")
CASE("keepalive-max-requests",
     PKT("data", "passive", "server") GENUINE
     "connection-reused=1000 response-complete fin-before=server user-connection-limit",
     PKT("data", "passive", "server") GENUINE "!connection-reused")
CASE("inflight-idle-cut",
     PKT("idle", "active", "server") GENUINE
     "idle-before-reset=60s idle-pushed=60s response-wait=60s no-reply-bytes all-acked=300 "
     "request-seen=GET user-slow-request user-proxy",
     PKT("idle", "active", "server") GENUINE "idle-before-reset=60s idle-pushed=60s !response-wait")
CASE("server-read-timeout",
     PROBE("idle") "hold-reset=3s nothing-sent no-reply-bytes idle-pushed=3s repeats=3 !user-proxy",
     PROBE("ack") "hold-reset=2ms nothing-sent no-reply-bytes")
CASE("app-deadline-abort",
     PKT("idle", "active", "server") GENUINE
     "idle-before-reset=30s response-wait=30s user-slow-request user-server-log !user-proxy",
     PKT("data", "active", "server") GENUINE "!response-wait last-data-to-rst-side")
CASE("peer-keepalive-expired",
     PKT("idle", "passive", "server") GENUINE
     "idle-before-reset=7500s idle-answered=7500s user-network-changed !user-proxy !user-nat",
     PKT("idle", "passive", "server") GENUINE "idle-before-reset=20s idle-answered=20s")
CASE("peer-rto-gave-up",
     PKT("close", "active", "client") GENUINE "gave-up=5 fin-before=client !all-acked=100",
     PKT("close", "active", "client") GENUINE "fin-before=client harmless=x")
CASE("fin-wait2-late-data",
     PKT("close", "passive", "server") GENUINE
     "fin-before=server fin-from-rst-side data-after-fin=90s epipe-first",
     PKT("close", "passive", "server") GENUINE
     "fin-before=server fin-from-rst-side data-after-fin=30ms !harmless=x")
CASE("max-conn-age",
     "stage=data early-eof=5ms age=1800s answered-before=9 user-idle-setting user-proxy "
     "!user-process-killed",
     PKT("data", "active", "server") GENUINE "age=2s")
/* ---- load ---- */
CASE("accept-queue-overflow-rst",
     PKT("ack", "passive", "server") GENUINE "at-accept=1ms no-reply-bytes embryonic-rst=1 "
                                             "listen-overflow=1",
     PKT("ack", "active", "server") GENUINE "at-accept=1ms no-reply-bytes")
CASE("accept-queue-overflow-drop",
     "stage=ack stalled=5s synack-repeated=3 nothing-acked=100 listen-overflow=1",
     "stage=ack stalled=5s !listen-queue-full !listen-overflow")
CASE("syn-queue-full", "stage=syn connect-timeout=10s syn-queue-drops=1",
     "stage=syn connect-timeout=10s !syn-queue-drops")
CASE("conn-limit-reset",
     PKT("ack", "active", "server") GENUINE "at-accept=1ms nothing-sent load-threshold=100",
     PKT("ack", "passive", "server") GENUINE "at-accept=1ms nothing-sent embryonic-rst=1")
CASE("http-limit-close",
     "stage=psh early-eof=3ms request-seen=GET no-reply-bytes user-connection-limit",
     "stage=psh early-eof=3ms request-seen=GET no-reply-bytes user-process-killed")
CASE("overload-shed",
     PKT("data", "active", "server") GENUINE
     "http-status=503 user-overload many-alike=20 load-threshold=500",
     PKT("data", "active", "server") GENUINE "http-status=503 !user-overload")
CASE("memory-abort", PKT("data", "active", "server") GENUINE "abort-on-memory=1",
     PKT("data", "active", "server") GENUINE "!abort-on-memory")
CASE("fd-exhaustion",
     "stage=ack hold-fin=2ms user-overload user-server-log listen-queue-full=128 "
     "user-connection-limit !load-threshold !listen-overflow !user-proxy",
     "stage=ack hold-fin=2ms !user-overload")
CASE("worker-killed",
     "stage=data reply-cut-short=500 user-process-killed user-overload many-alike=4",
     "stage=data reply-cut-short=500 !user-process-killed connection-reset=ECONNRESET "
     "abort-on-data=1")
CASE("conntrack-full", "stage=syn connect-timeout=10s conntrack-full=65536",
     "stage=syn connect-timeout=10s !conntrack-full")
CASE("ephemeral-exhaustion", "stage=syn local-ports-exhausted=EADDRNOTAVAIL",
     "stage=syn connect-timeout=10s")
/* ---- handshake ---- */
CASE("tls-plain-to-tls", PROBE("psh") "plain-on-tls=HTTP request-seen=GET",
     PROBE("psh") "request-seen=GET !user-tls-port")
CASE("tls-tls-to-plain", PROBE("psh") "reset-after-hello=517 first-bytes-text=HTTP/1.1_400",
     PROBE("psh") "reset-after-hello=517 server-hello first-bytes-tls")
CASE("tls-starttls-needed",
     "stage=psh !tls-ok first-bytes-text=220_mail banner-first=220_mail reset-after-hello=517",
     "stage=psh !tls-ok first-bytes-text=HTTP reset-after-hello=517 !banner-first")
CASE("tls-version", "stage=psh !tls-ok tls-alert=70 reset-after-hello=517",
     "stage=psh !tls-ok tls-alert=40 reset-after-hello=517")
CASE("tls-cipher", "stage=psh !tls-ok tls-alert=40 reset-after-hello=517 !server-hello",
     "stage=psh !tls-ok tls-alert=40 client-certificate-wanted server-hello")
CASE("tls-client-rejects-cert", "stage=psh !tls-ok tls-alert-sent=45",
     PKT("psh", "active", "client") GENUINE "last-data-to-rst-side")
CASE("tls-mtls-required", "stage=data tls-ok tls-late-alert=116 client-certificate-wanted",
     "stage=psh !tls-ok tls-alert=70 !client-certificate-wanted")
CASE("tls-sni-unknown", "stage=psh !tls-ok tls-alert=112 reset-after-hello=517",
     PROBE("psh") HELLO "rst-ttl=9 rst-before-rtt=1ms")
CASE("tls-sni-filter",
     PKT("psh", "passive", "server") HELLO FOREIGN_TTL "rst-before-rtt=2ms neutral-sni-passes=b",
     PKT("psh", "active", "server") HELLO GENUINE "!neutral-sni-passes")
CASE("tls-alpn", "stage=psh !tls-ok tls-alert=120", "stage=psh !tls-ok tls-alert=70")
CASE("tls-big-clienthello",
     PKT("psh", "active", "server") HELLO GENUINE "hello-over-one-segment=1700 small-hello-passes",
     PKT("psh", "active", "server") HELLO GENUINE "hello-over-one-segment=1700 "
                                                  "!small-hello-passes")
CASE("tls-handshake-timeout",
     "stage=idle early-eof=10s response-wait=10s reset-after-hello=517 connect-ok=3s "
     "retransmitted=2 "
     "syn-repeated=2 !user-slow-request !user-proxy",
     "stage=psh early-eof=5ms reset-after-hello=517 connect-ok=1ms")
CASE("tls-record-corrupt", "stage=data tls-ok tls-alert-sent=20 connection-reset=ECONNRESET",
     "stage=psh !tls-ok tls-alert-sent=45 certificate-rejected=expired")
CASE("tls-truncation", "stage=data tls-ok early-eof=20ms response-complete !reply-cut-short",
     "stage=data tls-ok early-eof=20ms reply-cut-short=10")
/* ---- protocol ---- */
CASE("http-early-reply-upload", PROBE("data") "early-reply=413 uploading=1000000 http-status=413",
     PROBE("data") "!early-reply uploading=1000000 !http-status")
CASE("http-header-too-large", "stage=data early-eof=2ms http-status=431 header-too-large=431",
     "stage=data early-eof=2ms http-status=400")
CASE("http-parse-reject", "stage=data early-eof=2ms http-status=400 request-seen=GET",
     "stage=data early-eof=2ms http-status=400 plain-on-tls-text request-seen=GET")
CASE("http-wrong-version", "stage=psh early-eof=2ms other-protocol=HTTP_response",
     "stage=psh early-eof=2ms other-protocol=SSH")
CASE("http-100-ignored", PROBE("data") "http-status=417 uploading=5000",
     PROBE("data") "http-status=413 uploading=5000000 early-reply=413")
CASE("h2-goaway-rststream", "stage=data h2-goaway=7 !rst-seen !connection-reset",
     PKT("data", "active", "server") GENUINE "last-data-to-rst-side")
CASE("app-proto-mismatch", PROBE("psh") "other-protocol=SSH banner-first=SSH-2.0 request-seen=GET",
     PROBE("psh") "request-seen=GET user-right-service")
CASE("auth-abort", "stage=ack hold-fin=5ms auth-words=Host_is_not_allowed user-access-list",
     "stage=ack hold-fin=5ms !user-access-list")
/* ---- application ---- */
CASE("app-close-unread", PROBE("psh") "abort-on-close=1 !abort-on-data request-seen=GET",
     PROBE("psh") "abort-on-data=1 !abort-on-close request-seen=GET")
CASE("app-linger0", PROBE("psh") "abort-on-data=1 !abort-on-close request-seen=GET",
     PROBE("psh") "abort-on-close=1 !abort-on-data request-seen=GET")
CASE("app-close-then-data",
     PKT("close", "passive", "server") GENUINE
     "fin-before=server fin-from-rst-side data-after-fin=30ms !harmless=x",
     PKT("close", "active", "client") GENUINE "fin-before=server !fin-from-rst-side harmless=x")
CASE(
    "app-crash",
    "stage=data reply-cut-short=9 !syn-retry-worked "
    "user-server-log",
    "stage=data reply-cut-short=9 !user-process-killed abort-on-data=1 connection-reset=ECONNRESET")
CASE("app-deploy-restart",
     PKT("ack", "active", "server") GENUINE "at-accept=2ms many-alike=20 user-deployed",
     PKT("ack", "active", "server") GENUINE "at-accept=2ms !user-deployed repeats=5")
CASE("l4-proxy-upstream-dead",
     "stage=ack hold-fin=5ms no-reply-bytes user-proxy !user-service-runs repeats=3",
     "stage=ack hold-fin=5ms no-reply-bytes !user-proxy user-connection-limit")
CASE("client-app-abort",
     PKT("data", "active", "client") GENUINE "last-data-to-rst-side !harmless=x !response-complete",
     PKT("data", "active", "client") FOREIGN_TTL "data-after-rst=900 rst-fan=3 !harmless=x")
CASE("benign-probe-rst",
     PKT("ack", "passive", "client") GENUINE "client-aborted-handshake harmless=x",
     PKT("psh", "active", "client") GENUINE "!nothing-sent")
CASE("benign-unclean-close",
     PKT("close", "active", "client") GENUINE
     "fin-before=server harmless=x response-complete answered-before=9",
     PKT("close", "active", "server") GENUINE
     "fin-before=client reply-cut-short=5 !harmless=x last-data-to-rst-side")
/* ---- host ---- */
CASE("port-closed", "stage=syn connect-refused=1ms !icmp-error !target-listens target-is-local",
     "stage=syn connect-refused=1ms icmp-error=x !icmp-from-target")
CASE("host-reboot-lost-state",
     PKT("data", "passive", "server") GENUINE "retransmitted=6 !fin-before user-rebooted",
     PKT("data", "active", "server") GENUINE "retransmitted=6 user-rebooted")
CASE("failover-no-state",
     PKT("data", "passive", "server") "rst-ttl=2 rst-mac many-alike=9 user-proxy "
                                      "user-state-cleared new-connection-works !user-rebooted "
                                      "!user-firewall-rule !user-two-paths !user-nat",
     PKT("data", "passive", "server") GENUINE "!user-proxy user-rebooted")
CASE("duplicate-ip", SYN_REFUSED "rst-mac !rst-ttl data-after-rst=0 !repeats", SYN_REFUSED GENUINE)
CASE("vm-pause-migrate",
     PKT("idle", "passive", "server") GENUINE
     "idle-before-reset=1500s keepalives user-machine-paused",
     PKT("idle", "passive", "server") GENUINE "idle-before-reset=1500s !user-machine-paused")
CASE("pmtu-blackhole", "stage=psh stalled=20s retransmitted=5 segment-limit=1440 uploading=3000",
     "stage=psh stalled=20s retransmitted=5 !segment-limit listen-queue-full=5")
/* ---- NAT ---- */
CASE("nat-mapping-expired",
     PKT("idle", "passive", "server") GENUINE "idle-before-reset=300s idle-answered=300s user-nat "
                                              "out-rsts=1 !user-proxy",
     PKT("idle", "passive", "server") GENUINE "idle-before-reset=300s idle-answered=300s !user-nat")
CASE("nat-rebind-ip-change", "stage=data stalled=10s local-address-gone=192.0.2.1",
     "stage=data stalled=10s !user-network-changed")
CASE("conntrack-invalid-unnat",
     PKT("data", "passive", "client") GENUINE "user-kubernetes uploading=900000 retransmitted=2 "
                                              "!user-client-aborts !fin-before !user-linger0",
     PKT("data", "active", "client") GENUINE "!user-kubernetes")
CASE("conntrack-flushed",
     PKT("data", "passive", "server") "rst-ttl=5 many-alike=30 user-state-cleared "
                                      "new-connection-works !user-firewall-rule !user-two-paths "
                                      "!user-proxy !user-firewall-log",
     PKT("data", "passive", "server") "rst-ttl=5 !user-state-cleared")
CASE("timewait-collision", PKT("syn", "refuse", "client") GENUINE "syn-bad-ack syn-retry-worked",
     PKT("ack", "passive", "client") GENUINE "client-aborted-handshake harmless=x")
CASE("paws-nat-drop",
     "stage=syn connect-timeout=10s user-nat !repeats !user-all-clients !user-firewall-rule "
     "!user-other-path-works !conntrack-full !listen-queue-full !user-overload "
     "!user-connection-limit "
     "!user-name-moved !other-port-works",
     "stage=syn connect-timeout=10s !user-nat")
CASE("snat-port-reuse",
     PKT("syn", "refuse", "client") GENUINE
     "syn-bad-ack user-nat !syn-retry-worked listen-overflow=1 "
     "synack-repeated=1",
     PKT("syn", "refuse", "client") GENUINE "syn-bad-ack !user-nat syn-retry-worked")
CASE("stray-rst-in-window",
     PKT("data", "active",
         "server") "!rst-ttl rst-seq=1200 rst-ignored data-after-rst=900 harmless=x "
                   "!rst-train",
     PKT("data", "active", "server") GENUINE "!data-after-rst !harmless=x last-data-to-rst-side")
/* ---- this host ---- */
CASE("local-fw-output-reject", "stage=syn connect-refused=0ms !icmp-error local-reject-rule=1",
     "stage=syn connect-refused=1ms !icmp-error !local-reject-rule")
CASE("local-sock-destroy", "stage=data connection-reset=ECONNABORTED local-destroyed",
     "stage=data connection-reset=ECONNRESET")
CASE(
    "local-stale-pool",
    PROBE("close") "epipe-first fin-before=server data-after-fin=20s connection-reused=4 user-pool "
                   "!harmless=x rst-from=server idle-before-reset=20s",
    PROBE("close") "epipe-first fin-before=server !connection-reused data-after-fin=20ms")
CASE(
    "local-keepalive-kill",
    PKT("idle", "active", "client") GENUINE
    "connection-reset=ETIMEDOUT keepalives abort-on-timeout=1 idle-before-reset=7900s sender-local",
    PKT("idle", "active", "client") GENUINE "idle-before-reset=3s harmless=x")
/* ---- cloud ---- */
CASE("k8s-no-endpoints",
     "stage=syn connect-refused=1ms icmp-error=port_unreachable !icmp-from-target user-kubernetes "
     "!user-pods-ready",
     "stage=syn connect-refused=1ms icmp-error=port_unreachable !icmp-from-target !user-kubernetes")
CASE("k8s-pod-terminating",
     SYN_REFUSED GENUINE "user-kubernetes user-deployed syn-retry-worked !repeats many-alike=4 "
                         "user-service-runs !user-firewall-rule target-listens",
     SYN_REFUSED GENUINE "!user-kubernetes")
CASE("k8s-networkpolicy",
     "stage=syn connect-timeout=10s user-kubernetes user-firewall-rule !user-all-clients "
     "user-other-path-works user-pods-ready !user-connection-limit other-family-works=IPv4 "
     "!other-port-works !other-family-works",
     "stage=syn connect-timeout=10s !user-kubernetes user-firewall-rule")
CASE("ipvs-idle-900",
     PKT("idle", "passive", "server") GENUINE
     "idle-before-reset=905s idle-answered=905s user-kubernetes",
     PKT("idle", "passive", "server") GENUINE
     "idle-before-reset=350s idle-answered=350s !user-kubernetes")
CASE("mesh-sidecar", PKT("psh", "active", "server") HELLO GENUINE "user-mesh user-kubernetes",
     PKT("psh", "active", "server") HELLO GENUINE "!user-mesh")
CASE("stale-discovery",
     "stage=syn connect-timeout=10s user-name-moved other-address-works=192.0.2.2",
     "stage=syn connect-timeout=10s !user-name-moved")
CASE("dual-stack-divergence", "stage=syn connect-refused=1ms other-family-works=IPv4 !icmp-error",
     "stage=syn connect-refused=1ms !other-family-works !icmp-error")
CASE("s3-early-error-close",
     PROBE("data") "http-status=307 uploading=9000000 early-reply=307 user-object-store "
                   "!user-size-limit !size-limit",
     PROBE("data") "http-status=413 uploading=9000000 early-reply=413")
CASE("s3-idle-or-short-body",
     PKT("idle", "active", "server") GENUINE "idle-before-reset=20s user-object-store user-pool "
                                             "connection-reused=3",
     PKT("idle", "active", "server") GENUINE "idle-before-reset=20s !user-object-store")
CASE("es-body-limit",
     PROBE("data") "uploading=150000000 http-status=413 size-limit=104857600 user-size-limit "
                   "!early-reply",
     PROBE("data") "uploading=1000 http-status=413 early-reply=413")
/* ---- name ---- */
CASE("dns-nxdomain", "dns-failed=dns_nxdomain_error", "dns-failed=dns_servfail_error")
CASE("dns-no-address", "dns-failed=dns_no_answer", "dns-failed=dns_nxdomain_error")
CASE("dns-servfail", "dns-failed=dns_servfail_error", "dns-failed=dns_refused_error")
CASE("dns-refused", "dns-failed=dns_refused_error", "dns-failed=generic_timeout_error")
CASE("dns-timeout", "dns-failed=generic_timeout_error", "dns-failed=dns_no_answer")
CASE("dns-hosts-override",
     "stage=syn connect-timeout=10s dns-hosts !user-all-clients user-name-moved "
     "!other-address-works !user-firewall-rule !other-port-works !user-other-path-works",
     "stage=syn connect-timeout=10s !dns-hosts")
