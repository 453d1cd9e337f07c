/* Causes: containers, meshes and cloud services (causes.md A10). */
#include "cause/catalogue.h"

static const struct weight k8s_no_endpoints_w[] = {
    YR(LOG_NO_UPSTREAM, 40),
    YISR(ICMP_ERROR, "port unreachable|udp port unreachable|destination port unreachable|3/3|1/4",
         150),
    YR(CONN_UNREACHABLE, 0),
    YR(USER_KUBERNETES, 200),
    N(USER_KUBERNETES, -300),
    N(USER_PODS_READY, 350),
    Y(USER_PODS_READY, -350),
    YX(RST_SEEN),
    Y(PORT_REUSED_LISTEN, -200),
};
const struct cause cause_k8s_no_endpoints = {
    .id = "k8s-no-endpoints",
    .group = GROUP_CLOUD,
    .title = N_("no ready pod stands behind the Kubernetes service"),
    .what = N_("kube-proxy rejects connections to a Service without ready endpoints with ICMP port "
               "unreachable (or drops them where the traffic policy is Local)."),
    .confirm =
        N_("kubectl get endpointslices shows none ready; the ICMP error comes from the node."),
    .client = N_("Retry later."),
    .server = N_("Look at readiness probes, selectors and pod events."),
    .references = REFERENCES("kubernetes/kubernetes#97360", "kubernetes/kubernetes#121371"),
    WEIGHTS(k8s_no_endpoints_w),
    CONFIDENCE(.9, .93, .99),
};

static const struct weight k8s_pod_terminating_w[] = {
    YR(USER_KUBERNETES, 300),
    N(USER_KUBERNETES, -300),
    Y(USER_DEPLOYED, 400),
    N(USER_DEPLOYED, -250),
    YIS(RST_CLASS, "refuse|passive", 40),
    Y(SYN_RETRY_WORKED, 60),
    N(REPEATED_SAME, 60),
    Y(MANY_RESETS, 40),
    Y(SAME_INSTANT, 60),
};
const struct cause cause_k8s_pod_terminating = {
    .id = "k8s-pod-terminating",
    .group = GROUP_CLOUD,
    .title = N_("a pod was ending while it still got traffic"),
    .what =
        N_("The pod got SIGTERM and stopped listening before it left the endpoints everywhere."),
    .confirm =
        N_("The failures fall on the seconds of a rollout; compare each pod's address with the "
           "Service's."),
    .client = N_("Retry."),
    .server = N_("Add a preStop sleep, drain, and keep listening until the endpoints are gone."),
    .references = REFERENCES("kubernetes/kubernetes#43576", "kubernetes/kubernetes#123116"),
    WEIGHTS(k8s_pod_terminating_w),
    CONFIDENCE(.6, .7, .98),
};

static const struct weight k8s_networkpolicy_w[] = {
    YR(USER_KUBERNETES, 250), N(USER_KUBERNETES, -300), Y(USER_FW_CHANGED, 200),
    N(USER_FW_CHANGED, -150), Y(USER_OTHER_PATH, 100),  N(USER_ALL_CLIENTS, 250),
    Y(USER_ALL_CLIENTS, -80), Y(USER_PODS_READY, 60),
};
const struct cause cause_k8s_networkpolicy = {
    .id = "k8s-networkpolicy",
    .group = GROUP_CLOUD,
    .title = N_("a Kubernetes NetworkPolicy forbids the connection"),
    .what = N_("A policy allows only some namespaces or labels; others are dropped (a timeout) or "
               "rejected."),
    .confirm = N_("The same probe from a pod with other labels passes."),
    .server = N_("Add the client's labels or namespace to the policy."),
    .network = N_("kubectl get networkpolicy -A shows which policy selects the pod."),
    .deterministic = true,
    .references = REFERENCES("Kubernetes network policies"),
    WEIGHTS(k8s_networkpolicy_w),
    CONFIDENCE(.7, .75, .98),
};

static const struct weight ipvs_idle_900_w[] = {
    YINR(IDLE_BEFORE, 890, 932, 250),
    Y(IDLE_ANSWERED, 60),
    YIS(RST_CLASS, "passive", 60),
    YIS(RST_CLASS, "active", -150),
    Y(USER_KUBERNETES, 250),
    N(USER_KUBERNETES, -250),
    Y(FIN_BEFORE, -150),
    YINR(IDLE_CUT, 890, 932, 300),
    Y(IDLE_PUSHED, -200),
    Y(RST_WINDOW_ODD, -150),
    Y(SAME_INSTANT_HOSTS, -250),
    Y(IDLE_USUAL, -250),
    Y(KEEPALIVE_HELPS, 80),
    N(KEEPALIVE_HELPS, -100),
};
const struct cause cause_ipvs_idle_900 = {
    .id = "ipvs-idle-900",
    .group = GROUP_CLOUD,
    .title = N_("kube-proxy (IPVS) forgot the connection after 15 minutes"),
    .what =
        N_("IPVS forgets idle connections after 900 s; the next packet is answered with a reset by "
           "the node."),
    .confirm = N_("The idle time at which it fails is 900 s; ipvsadm --list --timeout shows it."),
    .client = N_("Send TCP keepalives more often than every 15 minutes."),
    .network = N_("Raise kube-proxy's --ipvs-tcp-timeout."),
    .references = REFERENCES("kubernetes/kubernetes#84041", "cloudnativelabs/kube-router#521"),
    WEIGHTS(ipvs_idle_900_w),
    CONFIDENCE(.9, .95, .99),
};

static const struct weight mesh_sidecar_w[] = {
    Y(LOG_NO_UPSTREAM, 60),       YR(USER_MESH, 350),
    N(USER_MESH, -400),           Y(HELLO_SENT, 20),
    YIS(RST_CLASS, "active", 40), YIN(HTTP_STATUS, 503, 503, 150),
    Y(RST_TTL_DIFFERS, -60),      YR(HELLO_SENT, 0),
    YR(REQUEST_SEEN, 0),          YR(IMMEDIATE_ACCEPT, 0),
    YX(FIRST_BYTES_TEXT),         YX(TLS_ALERT),
    Y(USER_KUBERNETES, 60),       N(USER_KUBERNETES, -100),
    Y(EARLY_REPLY, -150),         YR(UPSTREAM_WORDS, 400),
};
const struct cause cause_mesh_sidecar = {
    .id = "mesh-sidecar",
    .group = GROUP_CLOUD,
    .title = N_("the service mesh's sidecar resets"),
    .what = N_("The sidecar is not ready, is draining, or wants mutual TLS where plain text came."),
    .confirm =
        N_("Bypass the sidecar (pod address, excluded port); its access log shows UC, UF, UH or "
           "NR."),
    .client = N_("Speak mutual TLS through the mesh, not around it."),
    .server = N_("Hold the application until the proxy is ready; align idle timeouts."),
    .references = REFERENCES("istio/istio#55138", "envoyproxy/envoy#14981"),
    WEIGHTS(mesh_sidecar_w),
    CONFIDENCE(.75, .8, .97),
};

static const struct weight stale_discovery_w[] = {
    YR(USER_NAME_MOVED, 350),  N(USER_NAME_MOVED, -300), YR(OTHER_ADDRESS_OK, 200),
    N(OTHER_ADDRESS_OK, -60),  Y(DNS_HOSTS, -100),       Y(USER_ALL_CLIENTS, -60),
    ND(PORT_REUSED_LISTEN, 0), Y(DNS_MOVED, 300),        Y(DNS_SYSTEM_DIFFERS, 40),
};
const struct cause cause_stale_discovery = {
    .id = "stale-discovery",
    .group = GROUP_CLOUD,
    .title = N_("the name or registry points to an old address"),
    .what =
        N_("DNS, a cache or a service registry still gives an address that was given up or belongs "
           "to another service now."),
    .confirm =
        N_("Resolve afresh with two resolvers and try each address; compare the certificate's "
           "names."),
    .client = N_("Resolve again on errors, and do not cache longer than the TTL."),
    .server = N_("Correct the record, and lower its TTL before a move."),
    .references = REFERENCES("RFC 1035 3.2.1", "RFC 8767"),
    WEIGHTS(stale_discovery_w),
    CONFIDENCE(.85, .87, .97),
};

static const struct weight dual_stack_divergence_w[] = {
    YRD(OTHER_FAMILY_OK, 600),
    N(OTHER_FAMILY_OK, -400),
    Y(USER_OTHER_PATH, 0),
};
const struct cause cause_dual_stack_divergence = {
    .id = "dual-stack-divergence",
    .group = GROUP_CLOUD,
    .title = N_("one address family works, the other does not"),
    .what =
        N_("IPv4 and IPv6 of the same name lead to different places or paths, and one of them is "
           "broken."),
    .confirm = N_("Try with -4 and with -6."),
    .client = N_("Prefer the family that works until it is mended."),
    .server =
        N_("Let the service listen on both families, or remove the record of the broken one."),
    .network = N_("Check route and firewall of the failing family."),
    .deterministic = true,
    .references = REFERENCES("RFC 8305"),
    WEIGHTS(dual_stack_divergence_w),
    CONFIDENCE(.97, .98, .99),
};

static const struct weight s3_early_error_close_w[] = {
    YR(EARLY_REPLY, 200),
    YINR(HTTP_STATUS, 301, 307, 250),
    YIN(HTTP_STATUS, 403, 403, 60),
    YIN(HTTP_STATUS, 413, 413, -400),
    NX(UPLOADING),
    N(NO_REPLY_BYTES, 20),
    YIN(HTTP_STATUS, 200, 299, -300),
    Y(USER_ACCESS_LIST, 60),
    YX(HELLO_SENT),
    YIN(HTTP_STATUS, 400, 400, -150),
    YR(USER_OBJECT_STORE, 200),
    N(USER_OBJECT_STORE, -300),
    YR(STORE_WORDS, 450),
    YIN(REQUEST_PAUSED, 5, 1e9, -400),
    Y(REPLY_UNREADABLE, 100),
    Y(REDIRECT, 60),
};
const struct cause cause_s3_early_error_close = {
    .id = "s3-early-error-close",
    .group = GROUP_CLOUD,
    .title = N_("the object store refused the upload early"),
    .what = N_("The store answered 3xx (wrong region), 403 or 400 before it had read the body, and "
               "closed."),
    .confirm = N_("HEAD the bucket and read x-amz-bucket-region; try a small PUT."),
    .client = N_("Use the right region's endpoint, signature version and clock; send \"Expect: "
                 "100-continue\"."),
    .deterministic = true,
    .references = REFERENCES("boto/boto#2207", "RFC 9112 9.6"),
    WEIGHTS(s3_early_error_close_w),
    CONFIDENCE(.9, .93, .98),
};

static const struct weight s3_idle_or_short_body_w[] = {
    YINR(IDLE_BEFORE, 18, 22, 150),
    YR(UPLOADING, 0),
    YIN(HTTP_STATUS, 400, 400, 60),
    Y(REUSED, 60),
    Y(EARLY_REPLY, -100),
    Y(USER_POOL, 60),
    N(USER_POOL, -100),
    Y(RESPONSE_WAIT, -20),
    YIN(RESPONSE_WAIT, 10, 1e9, 150),
    Y(REQUEST_PARTIAL, 100),
    YR(USER_OBJECT_STORE, 300),
    N(USER_OBJECT_STORE, -400),
    Y(SAME_IDLE, 60),
    YR(STORE_WORDS, 450),
    Y(IDLE_USUAL, -100),
    Y(REQUEST_PAUSED, 200),
};
const struct cause cause_s3_idle_or_short_body = {
    .id = "s3-idle-or-short-body",
    .group = GROUP_CLOUD,
    .title = N_("the object store closed an idle connection or waited for a longer body"),
    .what =
        N_("S3 closes idle pooled connections after about 20 s, and answers RequestTimeout when "
           "fewer bytes come than Content-Length said (a stream not rewound on retry)."),
    .confirm =
        N_("Look for the error code RequestTimeout, and at the idle time of failing requests."),
    .client = N_("Keep the pool's idle time under 20 s; rewind the body before a retry."),
    .references = REFERENCES("vectordotdev/vector#9703", "aws/aws-sdk-js#281"),
    WEIGHTS(s3_idle_or_short_body_w),
    CONFIDENCE(.85, .87, .97),
};

static const struct weight es_body_limit_w[] = {
    Y(LOG_SAME_SIZE, 120),
    N(LOG_SAME_SIZE, -60),
    YINR(SIZE_LIMIT, 9e7, 1.1e8, 400),
    YIN(UPLOADING, 1e8, 1e15, 250),
    YR(BULK_REQUEST, 300),
    Y(EARLY_REPLY, 550),
    YIN(UPLOADING, 0, 9e7, -300),
    YIN(HTTP_STATUS, 413, 413, 300),
    N(SIZE_LIMIT, -250),
    Y(USER_SIZE_LIMIT, 100),
    N(USER_SIZE_LIMIT, -150),
    Y(REPLY_UNREADABLE, 80),
};
const struct cause cause_es_body_limit = {
    .id = "es-body-limit",
    .group = GROUP_CLOUD,
    .title = N_("the bulk request is larger than Elasticsearch takes"),
    .what = N_(
        "A request above http.max_content_length (100 MB) is refused with 413, or by old versions "
        "with a bare close."),
    .confirm = N_("Bulk requests just below 100 MB pass and those above fail."),
    .client = N_("Send smaller bulk requests (5 to 15 MB work best)."),
    .server = N_("Raise http.max_content_length only if memory allows."),
    .deterministic = true,
    .references = REFERENCES("elastic/elasticsearch#2902", "elastic/elasticsearch#94430"),
    WEIGHTS(es_body_limit_w),
    CONFIDENCE(.93, .95, .99),
};
