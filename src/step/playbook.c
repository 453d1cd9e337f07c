/*
 * Playbooks (causes.md G): for one kind of service, what is looked at in which order and what each
 * finding means there. They are data: an item is answered by a step of the checklist, by facts, or
 * by the person who does what it says.
 */
#include "step/private.h"

#include <string.h>

static const struct playbook elasticsearch = {
    .id = "elasticsearch",
    .schemes = {"es", "es+https"},
    .title = N_("Fluent Bit (or another shipper) to Elasticsearch"),
    .items =
        {{.say = N_("Does the port speak TLS or plain HTTP, and does the shipper the same?"),
          .means = N_("Plain HTTP on a TLS port is closed without a word and logged by "
                      "Elasticsearch; set tls On in the output, or use es+https://."),
          .step = "first-bytes"},
         {.say = N_("Ask for / with the shipper's credentials."),
          .means = N_("401 or 403 is an answer: the way is open, the user or the role is not. A "
                      "reset here is a proxy's."),
          .step = "access"},
         {.say = N_("How long may a connection be idle? Fluent Bit keeps one for 30 s "
                    "(net.keepalive_idle_timeout)."),
          .means = N_("A load balancer or server that forgets earlier resets the first request "
                      "after a pause: set the idle time below it, or net.keepalive Off."),
          .step = "idle-time",
          .test = "idle"},
         {.say = N_("Does it happen only on a connection that was used before?"),
          .means = N_("Broken pipe before Connection reset means that the server had closed it: "
                      "the race of a kept connection, harmless to send again."),
          .step = "reused-connection"},
         {.say = N_("Send bodies of growing size to _bulk: 1, 10, 50, 99, 101 MB."),
          .means =
              N_("A cliff at 100 MB is http.max_content_length; at 1 MB or 10 MB it is a proxy "
                 "before it (nginx: client_max_body_size). Lower the flush or chunk size."),
          .step = "size-limit",
          .test = "size"},
         {.say = N_("Look for status 429, es_rejected_execution_exception and long garbage "
                    "collections at that time."),
          .means = N_("The cluster sheds load: thread_pool.write.rejected grows. Slow down, add "
                      "nodes, do not only retry."),
          .step = "under-load"},
         {.say = N_("Look the name up again: does it still point where the shipper is connected?"),
          .means = N_("After a cluster upgrade shippers keep the old addresses until they are "
                      "restarted."),
          .step = "moved"},
         {.say =
              N_("Before Retry_Limit is raised: do the documents carry an _id (Generate_ID On)?"),
          .means = N_("Without one a bulk request that is sent twice is stored twice.")}},
};

static const struct playbook s3 = {
    .id = "s3",
    .schemes = {"s3", "s3+http"},
    .title = N_("S3 and other object stores"),
    .items =
        {{.say = N_("Compare the Date header of an answer with this host's clock."),
          .means = N_("15 minutes apart is RequestTimeTooSkewed: every signature is refused.")},
         {.say = N_("HEAD the bucket: does a 301 or 400 name another region "
                    "(x-amz-bucket-region)?"),
          .means = N_("A large upload to the wrong region is answered early and then reset: use "
                      "the bucket's own region."),
          .step = "early-answer"},
         {.say = N_("Upload a small object, then a large one, then with Expect: 100-continue."),
          .means = N_("Only large ones fail: a limit or an early refusal. With Expect the refusal "
                      "is read before the body is sent."),
          .step = "size-limit",
          .test = "size"},
         {.say = N_("Read the answer even when sending failed: is it 403 AccessDenied?"),
          .means =
              N_("Wrong or expired credentials: the store answers before it has read the body, "
                 "and closing then resets."),
          .step = "access"},
         {.say = N_("How long are pooled connections idle? The front end closes after about 20 s."),
          .means = N_("Close pooled connections earlier than that, and retry on a new one."),
          .step = "idle-time",
          .test = "idle"},
         {.say = N_("Look for 503 SlowDown."),
          .means =
              N_("More than about 3,500 writes or 5,500 reads a second on one prefix: back off "
                 "with jitter and spread the prefixes."),
          .step = "under-load"},
         {.say = N_("Where is the time before the first byte: DNS, connect or TLS?"),
          .means = N_("A slow connect through a NAT gateway points to its limit of 55,000 "
                      "connections to one destination; a gateway endpoint avoids it."),
          .step = "tables"},
         {.say = N_("Of a multipart upload send only the failed part again, from its first byte."),
          .means = N_("A body that is not rewound is too short: the store waits, then closes "
                      "(RequestTimeout).")}},
};

static const struct playbook gis = {
    .id = "gis",
    .title = N_("Long jobs whose data grow (GIS, reports, exports)"),
    .items =
        {{.say = N_("Note time and size of jobs that passed and of jobs that failed."),
          .means = N_("Always after the same time: a timeout on the way. Always above the same "
                      "size: a limit. Neither: memory of the worker, or who may go out."),
          .step = "slow-answer"},
         {.say = N_("How long does it take until it is cut?"),
          .means = N_("The same time each run is a timeout of a proxy, load balancer or the "
                      "application: raise it, or make the job asynchronous."),
          .step = "idle-setting",
          .test = "duration"},
         {.say = N_("Is there a size above which it always fails?"),
          .means = N_("A body limit (413) or a path that loses large packets."),
          .step = "size-limit",
          .test = "size"},
         {.say = N_("Run it with half and with a quarter of the features."),
          .means = N_("Passes: cut the job into pieces.")},
         {.say = N_("Submit it as an asynchronous job and ask for its state (submitJob, then "
                    "poll)."),
          .means = N_("No connection need outlive a timeout any more.")},
         {.say = N_("Does the answer send anything while it is worked on?"),
          .means = N_("TCP keepalive does not help where a load balancer counts payload: a line of "
                      "progress every half minute does.")},
         {.say = N_("Look at the server's memory and its kernel log at that time."),
          .means = N_("Killed for want of memory: the worker's limit is below what the job needs."),
          .step = "process-killed"},
         {.say = N_("Does it fail only for one account of this machine?"),
          .means = N_("A policy for that account (a restricted service user) cuts its way out."),
          .step = "local-rule"},
         {.say = N_("After a reset ask for the job's state before it is submitted again."),
          .means = N_("The job may still run: a second one doubles the load and the result.")}},
};

static const struct playbook kubernetes = {
    .id = "kubernetes",
    .title = N_("Kubernetes and containers"),
    .items =
        {{.say = N_("Go from name to ClusterIP to endpoints: kubectl get endpointslices."),
          .means = N_("No ready endpoint: kube-proxy refuses with an ICMP error."),
          .step = "pods-ready"},
         {.say = N_("Try the service's address, each pod's address and a node port."),
          .means = N_("The first hop that fails is the place to look: service, node or pod."),
          .step = "other-address",
          .test = "address"},
         {.say = N_("Was anything rolled out in the last five minutes?"),
          .means = N_("A pod that ends while it is still in the load balancer resets: a preStop "
                      "sleep of 3 to 10 s closes that gap."),
          .step = "deployed"},
         {.say = N_("Does it come after 900 s of silence (kube-proxy in IPVS mode)?"),
          .means = N_("IPVS forgets idle connections then: send keepalives earlier."),
          .step = "idle-time",
          .test = "idle"},
         {.say = N_("Only large transfers, and packets with a pod's own address on the outside?"),
          .means = N_("conntrack calls reordered packets invalid and does not translate them: set "
                      "nf_conntrack_tcp_be_liberal, or drop invalid packets."),
          .step = "nat-between"},
         {.say = N_("Compare the NetworkPolicies with the labels of the client's pod."),
          .means = N_("A policy drops: it looks like a timeout, seldom like a reset."),
          .step = "firewall-rule"},
         {.say = N_("Is there a sidecar? Read its response flags (UC, UF, UH, NR)."),
          .means = N_("STRICT mutual TLS resets plain clients at their first bytes."),
          .step = "mesh"},
         {.say = N_("Is the container bound to 127.0.0.1 behind a published port?"),
          .means = N_("The proxy accepts, then resets: let it listen on 0.0.0.0 or ::."),
          .step = "proxy-before"},
         {.say = N_("Compare the connection tracking count with its maximum on the nodes."),
          .means = N_("A full table drops new connections at random."),
          .step = "tables"},
         {.say = N_("Does the client keep addresses of pods that are gone?"),
          .means = N_("A headless service's pods change: look the name up for each new "
                      "connection."),
          .step = "moved"},
         {.say = N_("Do only large packets vanish (overlay MTU of 1,450)?"),
          .means = N_("A path that loses large packets: set the MTU of the pods."),
          .test = "size"}},
};

static const struct playbook database = {
    .id = "database",
    .schemes = {"pg", "postgres", "mysql", "redis"},
    .title = N_("Pools of database connections"),
    .items =
        {{.say = N_("Does the first use after a pause fail?"),
          .means = N_("Something forgets idle connections: set the pool's maxLifetime below the "
                      "smallest of the database's, the load balancer's and the firewall's time."),
          .step = "idle-time",
          .test = "idle"},
         {.say = N_("Which error comes first: EPIPE, ECONNRESET or ETIMEDOUT?"),
          .means = N_("EPIPE: the database had closed (admin, wait_timeout). ECONNRESET: a box "
                      "forgot it and says so. ETIMEDOUT: a firewall drops silently."),
          .step = "reused-connection"},
         {.say = N_("Read the database's last message before it closed."),
          .means = N_("MySQL 4031: inactivity. PostgreSQL 57P01: shut down by an administrator; "
                      "57P05: idle session timeout."),
          .kinds = {FACT_LAST_WORDS, FACT_AUTH_WORDS}},
         {.say = N_("Did all connections die at once?"),
          .means = N_("A failover: the new node knows none of them. Look the name up anew, mind "
                      "the TTL, drop the whole pool."),
          .step = "rebooted"},
         {.say = N_("Is max_connections reached?"),
          .means = N_("The database says so in words; a reset there comes from a proxy such as "
                      "pgbouncer."),
          .step = "limits"},
         {.say = N_("Is TLS begun the way this database does it?"),
          .means = N_("A plain ClientHello to 3306 or 5432 is no fault of the server: its protocol "
                      "asks for TLS in its own words first."),
          .step = "first-bytes"},
         {.say = N_("What became of the transaction that was under way?"),
          .means = N_("Not known: ask (txid_status, GTID) before it is repeated.")}},
};

static const struct playbook https = {
    .id = "https",
    .title = N_("A web site that resets"),
    .items =
        {{.say = N_("Connect and say nothing: does it hold?"),
          .means = N_("Reset at once: the address or port is meant. It holds: what is sent is."),
          .step = "first-bytes",
          .test = "hold"},
         {.say = N_("Send another name (SNI, Host) to the same address."),
          .means = N_("The other name passes: something reads names and cuts this one."),
          .step = "other-name",
          .test = "sni"},
         {.say = N_("At which distance does the reset arise?"),
          .means = N_("Nearer than the server: a box on the way, in the path or beside it."),
          .step = "reset-hop",
          .test = "hops"},
         {.say = N_("Does the session live when resets from nearer than the server are refused?"),
          .means = N_("Then they are forged, and the server knows nothing of them."),
          .step = "reset-origin",
          .test = "minttl"},
         {.say = N_("Try each address and both families."),
          .means = N_("Only some fail: one server, one path or one family is broken."),
          .step = "other-address",
          .test = "address"},
         {.say = N_("Send a small ClientHello (no post-quantum group)."),
          .means = N_("Small ones pass: a server or box cannot read a hello of two segments."),
          .step = "small-hello",
          .test = "hello"},
         {.say = N_("Is a proxy prescribed for this network?"),
          .means = N_("Then going out directly is what is being cut."),
          .step = "proxy-before"},
         {.say = N_("Does it work from another network?"),
          .means = N_("Then it depends on what lies between; no owner is named without proof."),
          .step = "other-network"}},
};

static const struct playbook *const playbooks[] = {&elasticsearch, &s3,       &gis,
                                                   &kubernetes,    &database, &https};

size_t playbook_count(void)
{
    return ARRAY_SIZE(playbooks);
}

const struct playbook *playbook_at(size_t i)
{
    return i < ARRAY_SIZE(playbooks) ? playbooks[i] : NULL;
}

const struct playbook *playbook_by_id(const char *id)
{
    for (size_t i = 0; id && i < ARRAY_SIZE(playbooks); i++)
        if (strcmp(playbooks[i]->id, id) == 0)
            return playbooks[i];
    return NULL;
}

const struct playbook *playbook_of_scheme(const char *scheme)
{
    for (size_t i = 0; scheme && i < ARRAY_SIZE(playbooks); i++)
        for (size_t k = 0; k < PLAYBOOK_SCHEMES && playbooks[i]->schemes[k]; k++)
            if (strcmp(playbooks[i]->schemes[k], scheme) == 0)
                return playbooks[i];
    return NULL;
}

size_t playbook_items(const struct playbook *p)
{
    size_t n = 0;

    while (n < PLAYBOOK_ITEMS && p->items[n].say)
        n++;
    return n;
}

static int place_of(const struct checklist *c, const char *step)
{
    for (size_t i = 0; step && i < c->nr; i++)
        if (strcmp(c->items[i].step->id, step) == 0)
            return (int)i;
    return -1;
}

enum step_state playbook_item_state(const struct playbook_item *item, const struct checklist *c,
                                    const struct facts *facts)
{
    int at = place_of(c, item->step);

    if (at >= 0)
        return c->items[at].state;
    for (size_t k = 0; k < ARRAY_SIZE(item->kinds) && item->kinds[k]; k++)
        if (facts_yes(facts, item->kinds[k]))
            return STEP_SUSPECT;
    return STEP_UNKNOWN;
}

void checklist_follow(struct checklist *c, const struct playbook *p, const struct judgement *j)
{
    if (!p || c->next < 0) /* nothing more would help: the playbook changes nothing about that */
        return;
    for (size_t i = 0; i < playbook_items(p); i++) {
        int at = place_of(c, p->items[i].step);
        if (at >= 0 && c->items[at].state == STEP_UNKNOWN && c->items[at].step->answer &&
            plan_worth(c->items[at].step, j) > 0) {
            c->next = at;
            return;
        }
    }
}
