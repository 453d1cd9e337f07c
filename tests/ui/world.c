/*
 * world.c: sessions made of crafted packets and results.
 */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static void record_ip(struct world *w, nstime after, const uint8_t *bytes, size_t len)
{
    w->now += after;
    struct record rec = {.number = ++w->packets,
                         .time = w->now,
                         .caplen = (uint32_t)len,
                         .len = (uint32_t)len,
                         .link = LINK_RAW,
                         .data = bytes};
    session_record(w->s, &rec);
}

static uint32_t sum_words(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (uint32_t)(p[i] << 8 | p[i + 1]);
    if (n & 1)
        sum += (uint32_t)p[n - 1] << 8;
    return sum;
}

static unsigned fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

static void ip_head(uint8_t *ip, const struct wire_end *from, const struct wire_end *to,
                    uint8_t protocol, size_t len)
{
    struct addr a, b;

    addr_parse(from->addr, &a);
    addr_parse(to->addr, &b);
    ip[0] = 0x45;
    put16(ip + 2, (unsigned)len);
    put16(ip + 6, 0x4000);
    ip[8] = from->ttl;
    ip[9] = protocol;
    memcpy(ip + 12, a.b, 4);
    memcpy(ip + 16, b.b, 4);
    put16(ip + 10, fold(sum_words(ip, 20)));
}

void world_tcp(struct world *w, nstime after, const struct wire_end *from,
               const struct wire_end *to, uint8_t flags, uint32_t seq, uint32_t ack,
               const void *data, size_t len)
{
    uint8_t b[2000] = {0};
    size_t head = flags & TCP_SYN ? 24 : 20, total = 20 + head + len;
    uint8_t *tcp = b + 20;

    if (total > sizeof(b))
        return;
    ip_head(b, from, to, 6, total);
    put16(tcp, from->port);
    put16(tcp + 2, to->port);
    put32(tcp + 4, seq);
    put32(tcp + 8, ack);
    tcp[12] = (uint8_t)(head / 4 << 4);
    tcp[13] = flags;
    put16(tcp + 14, flags & TCP_RST ? 0 : 64240);
    if (flags & TCP_SYN)
        memcpy(tcp + 20, "\x02\x04\x05\xb4", 4);
    if (len)
        memcpy(tcp + head, data, len);
    put16(tcp + 16,
          fold(sum_words(b + 12, 8) + 6 + (uint32_t)(head + len) + sum_words(tcp, head + len)));
    record_ip(w, after, b, total);
}

static size_t client_hello(uint8_t *out, const char *sni)
{
    size_t n = strlen(sni), ext = n + 9, body = 2 + 32 + 1 + 2 + 2 + 2 + 2 + ext;
    uint8_t *p = out;

    memset(out, 0, body + 9);
    *p++ = 22; /* handshake record (RFC 8446 5.1) */
    put16(p, 0x0301);
    put16(p + 2, (unsigned)(body + 4));
    p += 4;
    *p++ = 1; /* ClientHello */
    *p++ = 0;
    put16(p, (unsigned)body);
    p += 2;
    put16(p, 0x0303);
    p += 2 + 32 + 1;
    put16(p, 2);
    put16(p + 2, 0x1301);
    p += 4;
    *p++ = 1;
    *p++ = 0;
    put16(p, (unsigned)ext);
    p += 2;
    put16(p, 0); /* server_name */
    put16(p + 2, (unsigned)(n + 5));
    put16(p + 4, (unsigned)(n + 3));
    p[6] = 0;
    put16(p + 7, (unsigned)n);
    memcpy(p + 9, sni, n);
    return body + 9;
}

/* The TCP handshake; 24 ms there and back. */
static void open_tcp(struct world *w, const struct wire_end *c, const struct wire_end *s)
{
    world_tcp(w, 0, c, s, TCP_SYN, 1000, 0, NULL, 0);
    world_tcp(w, 24 * NS_PER_MS, s, c, TCP_SYN | TCP_ACK, 5000, 1001, NULL, 0);
    world_tcp(w, NS_PER_MS / 10, c, s, TCP_ACK, 1001, 5001, NULL, 0);
}

static struct flow_key key_of(const struct wire_end *c, const struct wire_end *s)
{
    struct flow_key k = {.sport = c->port, .dport = s->port};

    addr_parse(c->addr, &k.src);
    addr_parse(s->addr, &k.dst);
    return k;
}

static struct result *result_for(struct world *w, uint32_t target, uint32_t round, uint64_t chain,
                                 const char *probe, enum probe_stage stage)
{
    struct result *r = result_new();

    if (!r)
        return NULL;
    r->target = target;
    r->round = round;
    r->chain = chain;
    strncat(r->probe, probe, sizeof(r->probe) - 1);
    r->stage = stage;
    r->started = r->ended = w->now;
    for (int i = 0; i < TIMING_COUNT; i++)
        r->timings[i] = NSTIME_NONE;
    return r;
}

static void good(struct world *w, uint32_t target, uint32_t round, uint64_t chain,
                 const char *probe, int timing, nstime took, int status)
{
    struct result *r = result_for(w, target, round, chain, probe, PSTAGE_CLOSE);

    if (!r)
        return;
    r->timings[timing] = took;
    r->timings[TIMING_TOTAL] = took;
    if (status)
        result_set(r, "status", v_int(status));
    session_result(w->s, r);
}

static void failed(struct world *w, uint32_t target, uint32_t round, uint64_t chain,
                   const char *probe, enum probe_stage stage, enum failure failure, int err,
                   const struct flow_key *flow)
{
    struct result *r = result_for(w, target, round, chain, probe, stage);

    if (!r)
        return;
    r->outcome = OUTCOME_FAILED;
    r->failure = failure;
    r->err = err;
    if (flow) {
        r->flow = *flow;
        r->flow_known = true;
    }
    session_result(w->s, r);
}

static int add_target(struct world *w, const char *spec)
{
    char err[200];
    struct target *t;
    int rc = target_parse(&t, spec, err, sizeof(err));

    return rc < 0 ? rc : session_add_target(w->s, t);
}

static int begin(struct world *w)
{
    memset(w, 0, sizeof(*w));
    w->now = WORLD_START;
    w->settings.live = true;
    w->settings.keep_packets = true;
    w->settings.rounds = 0;
    w->settings.interval = 10 * NS_PER_SEC;
    w->s = session_new(&w->settings);
    if (!w->s)
        return -ENOMEM;
    w->s->started = WORLD_START;
    w->s->ended = NSTIME_NONE;
    w->s->vantage.capture = VANTAGE_LIVE;
    w->s->vantage.dropped_known = true;
    text_clean(w->s->vantage.interfaces[0], sizeof(w->s->vantage.interfaces[0]), "eth0", 4);
    w->s->vantage.ninterfaces = 1;
    return 0;
}

int world_empty(struct world *w)
{
    return begin(w);
}

/* A box on the path answers the ClientHello of one name with a reset. */
static void reset_handshake(struct world *w, uint64_t chain, uint16_t port)
{
    const struct wire_end c = {"10.1.0.2", port, 64}, s = {"93.184.216.34", 443, 52};
    const struct wire_end box = {"93.184.216.34", 443, 62};
    struct flow_key key = key_of(&c, &s);
    uint8_t hello[600];
    size_t n = client_hello(hello, "api.example");

    session_chain(w->s, 1, chain, &key);
    open_tcp(w, &c, &s);
    world_tcp(w, NS_PER_MS, &c, &s, TCP_PSH | TCP_ACK, 1001, 5001, hello, n);
    world_tcp(w, 8 * NS_PER_MS, &box, &c, TCP_RST, 5001, 0, NULL, 0);
    failed(w, 1, (uint32_t)chain / 10, chain, "tls", PSTAGE_HANDSHAKE, FAIL_RESET, ECONNRESET,
           &key);
}

/* Idle for 350 s, then a query, and a reset from something that has forgotten the flow. */
static void forgotten_idle(struct world *w)
{
    const struct wire_end c = {"10.1.0.2", 40112, 64}, s = {"10.0.0.7", 5432, 60};
    const struct wire_end lb = {"10.0.0.7", 5432, 255};

    open_tcp(w, &c, &s);
    world_tcp(w, NS_PER_MS, &c, &s, TCP_PSH | TCP_ACK, 1001, 5001, "Q select 1", 10);
    world_tcp(w, 3 * NS_PER_MS, &s, &c, TCP_PSH | TCP_ACK, 5001, 1011, "T one row\n", 10);
    world_tcp(w, NS_PER_MS, &c, &s, TCP_ACK, 1011, 5011, NULL, 0);
    world_tcp(w, 350 * NS_PER_SEC, &c, &s, TCP_PSH | TCP_ACK, 1011, 5011, "Q select 2", 10);
    world_tcp(w, 2 * NS_PER_MS, &lb, &c, TCP_RST, 5011, 0, NULL, 0);
}

/* A whole exchange, closed by both; the client resets after that: harmless. */
static void http_exchange(struct world *w, uint16_t port, bool reset)
{
    static const char get[] = "GET /_cluster/health HTTP/1.1\r\nHost: es.lan:9200\r\n\r\n";
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    const struct wire_end c = {"10.1.0.2", port, 64}, s = {"10.0.0.9", 9200, 63};
    uint32_t a = 1001 + sizeof(get) - 1, b = 5001 + sizeof(ok) - 1;

    open_tcp(w, &c, &s);
    world_tcp(w, NS_PER_MS, &c, &s, TCP_PSH | TCP_ACK, 1001, 5001, get, sizeof(get) - 1);
    world_tcp(w, 25 * NS_PER_MS, &s, &c, TCP_PSH | TCP_ACK, 5001, a, ok, sizeof(ok) - 1);
    world_tcp(w, NS_PER_MS, &c, &s, TCP_ACK, a, b, NULL, 0);
    world_tcp(w, NS_PER_MS, &s, &c, TCP_FIN | TCP_ACK, b, a, NULL, 0);
    if (reset) {
        world_tcp(w, NS_PER_MS, &c, &s, TCP_RST | TCP_ACK, a, b + 1, NULL, 0);
        return;
    }
    world_tcp(w, NS_PER_MS, &c, &s, TCP_FIN | TCP_ACK, a, b + 1, NULL, 0);
    world_tcp(w, NS_PER_MS, &s, &c, TCP_ACK, b + 1, a + 1, NULL, 0);
}

/* ---- what was judged: of the tests' own, so that a better catalogue changes no screen here ----
 */

static const struct cause causes[] = {
    {.id = "sni-filter",
     .group = GROUP_FIREWALL,
     .title = "a filter on the path refuses the server's name",
     .what = "A device on the way reads the name in the ClientHello and answers with a reset.",
     .confirm = "The same address finishes the handshake with another name.",
     .client = "Use a path without the filter.",
     .network = "Allow the name in the filter."},
    {.id = "idle-forgotten",
     .group = GROUP_TIMEOUT,
     .title = "a load balancer forgot the idle connection",
     .what = "Nothing was said for longer than a box in between remembers.",
     .confirm = "Hold connections idle for growing times.",
     .client = "Send keepalives well below that time.",
     .network = "Raise the idle timeout."},
    {.id = "dropped-syn",
     .group = GROUP_FIREWALL,
     .title = "the first packet is dropped on the way",
     .what = "The SYN was never answered.",
     .server = "Look for a rule that drops."},
    {.id = "untidy-close",
     .group = GROUP_APPLICATION,
     .title = "an untidy but harmless close",
     .what = "The exchange was complete before the reset.",
     .client = "None needed."},
};

static const struct step steps[] = {
    {.id = "reset-origin",
     .title = "reset origin",
     .group = GROUP_FIREWALL,
     .question = "Do the reset's own features fit the host whose address it bears?",
     .why = "A box on the way can send a reset in the server's name.",
     .if_yes = "A box on the way sent it.",
     .if_no = "The host itself very likely sent it.",
     .kinds = {FACT_RST_SEEN}},
    {.id = "firewall-rule",
     .title = "firewall rule",
     .group = GROUP_FIREWALL,
     .question = "Does a firewall rule cover this port?",
     .why = "A rule that rejects answers with a reset in the server's name.",
     .if_yes = "The rule is the first suspect.",
     .if_no = "Firewalls that you know of are out.",
     .how = "On the server: nft list ruleset. Elsewhere ask who runs the firewall.",
     .kinds = {FACT_USER_FW_CHANGED},
     .answer = FACT_USER_FW_CHANGED},
    {.id = "idle-time",
     .title = "idle time",
     .group = GROUP_TIMEOUT,
     .question = "Had the connection been idle?"},
    {.id = "under-load",
     .title = "under load",
     .group = GROUP_LOAD,
     .question = "Was the service under load at that time?",
     .why = "A full queue resets.",
     .answer = FACT_USER_OVERLOAD},
    {.id = "tls-version",
     .title = "tls version",
     .group = GROUP_HANDSHAKE,
     .question = "Is there a TLS version in common?"},
    {.id = "deployed",
     .title = "deployed",
     .group = GROUP_APPLICATION,
     .question = "Was the service restarted at that time?",
     .answer = FACT_USER_DEPLOYED},
    {.id = "listener",
     .title = "listener",
     .group = GROUP_HOST,
     .question = "Does something listen on the port?"},
    {.id = "nat-table",
     .title = "nat table",
     .group = GROUP_NAT,
     .question = "Is the NAT table full?"},
    {.id = "name-resolves",
     .title = "name resolves",
     .group = GROUP_NAME,
     .question = "Does the name resolve?"},
};
static const enum step_state states[ARRAY_SIZE(steps)] = {
    STEP_SUSPECT, STEP_UNKNOWN, STEP_PASS,    STEP_UNKNOWN, STEP_RULED_OUT,
    STEP_UNKNOWN, STEP_PASS,    STEP_UNKNOWN, STEP_SKIPPED,
};

static struct weighed for_first[] = {{FACT_RST_SEEN, true, 200}, {FACT_STAGE, false, 80}};
static struct weighed against_first[] = {{FACT_ICMP_ERROR, false, -60}};
static struct weighed missing_first[] = {{FACT_USER_FW_CHANGED, false, 70},
                                         {FACT_REPEATED_SAME, false, 60},
                                         {FACT_OUT_RSTS, false, 50},
                                         {FACT_LISTEN_OVERFLOW, false, 40},
                                         {FACT_USER_PROXY, false, 30}};
static struct weighed for_second[] = {{FACT_STAGE, false, 80}};
static struct weighed why_sender[] = {{FACT_RST_SEEN, true, 120}};
static struct ruled_out out[] = {{.cause = &causes[3], .by = {FACT_RST_SEEN}, .nby = 1}};

static const struct cause *cause_for(const struct incident *i)
{
    if (!i->is_reset)
        return &causes[2];
    if (i->reset && i->reset->stage == STAGE_IDLE)
        return &causes[1];
    return i->reset && i->reset->stage == STAGE_CLOSE ? &causes[3] : &causes[0];
}

static struct verdict verdicts[4][2];

static void fix_judgement(struct incident *i)
{
    struct judgement *j = &i->judgement;
    size_t n = (size_t)(cause_for(i) - causes);
    uint64_t packet = i->reset ? i->reset->packet : 0;

    verdicts[n][0] = (struct verdict){.cause = cause_for(i),
                                      .grade = n == 1 ? GRADE_CONFIRMED : GRADE_LIKELY,
                                      .confidence = n == 1 ? .97 : .81,
                                      .for_ = for_first,
                                      .nfor = ARRAY_SIZE(for_first),
                                      .against = against_first,
                                      .nagainst = ARRAY_SIZE(against_first),
                                      .missing = missing_first,
                                      .nmissing = ARRAY_SIZE(missing_first)};
    verdicts[n][1] = (struct verdict){.cause = &causes[(n + 1) % 3],
                                      .grade = GRADE_POSSIBLE,
                                      .confidence = .24,
                                      .for_ = for_second,
                                      .nfor = ARRAY_SIZE(for_second)};
    facts_init(&j->facts);
    facts_put(&j->facts, FACT_STAGE, true, SRC_PACKET, packet, NULL, v_text("psh"), v_none(),
              v_none());
    facts_put(&j->facts, FACT_RST_SEEN, true, SRC_PACKET, packet, NULL, v_text("server"), v_none(),
              v_none());
    facts_put(&j->facts, FACT_ICMP_ERROR, false, SRC_PROBE, 0, "tcp", v_none(), v_none(), v_none());
    facts_sort(&j->facts);
    j->verdicts = verdicts[n];
    j->nverdicts = 2;
    j->ruled_out = out;
    j->nruled_out = ARRAY_SIZE(out);
    j->sender = i->is_reset ? SENDER_MID_PATH : SENDER_UNKNOWN;
    j->sender_confidence = .88;
    j->sender_why = why_sender;
    j->nsender_why = i->is_reset ? ARRAY_SIZE(why_sender) : 0;
    j->retry = RETRY_SAFE;
    j->retry_why = "no request was sent";
    j->determined = true;
    i->harmful = n != 3;
}

static void fix_checklist(struct incident *i)
{
    static struct checklist_item items[ARRAY_SIZE(steps)];

    for (size_t n = 0; n < ARRAY_SIZE(steps); n++) {
        items[n].step = &steps[n];
        items[n].state = states[n];
    }
    items[0].facts[0] = FACT_RST_SEEN;
    i->checklist = (struct checklist){.items = items, .nr = ARRAY_SIZE(steps), .next = 1};
}

/* Who owns what an incident was judged with is the session's affair: it gets it back unchanged. */
static int fix_judgements(struct world *w)
{
    w->kept = calloc(w->s->nincidents + 1, sizeof(*w->kept));
    if (!w->kept)
        return -ENOMEM;
    for (size_t n = 0; n < w->s->nincidents; n++) {
        w->kept[n].judgement = w->s->incidents[n]->judgement;
        w->kept[n].checklist = w->s->incidents[n]->checklist;
        fix_judgement(w->s->incidents[n]);
        fix_checklist(w->s->incidents[n]);
    }
    return 0;
}

static void give_back(struct world *w)
{
    for (size_t n = 0; w->kept && n < w->s->nincidents; n++) {
        facts_release(&w->s->incidents[n]->judgement.facts);
        w->s->incidents[n]->judgement = w->kept[n].judgement;
        w->s->incidents[n]->checklist = w->kept[n].checklist;
    }
    free(w->kept);
}

/* ---- the sessions ---- */

int world_scene(struct world *w)
{
    int rc = begin(w);

    if (rc < 0)
        return rc;
    add_target(w, "https://api.example/");
    add_target(w, "http://10.0.0.9:9200/");
    add_target(w, "tls://s3.lan:9000");
    for (uint32_t round = 1; round <= 3; round++) {
        uint64_t chain = round * 10;
        for (uint32_t t = 0; t < 3; t++)
            w->s->targets[t].rounds_started = round;
        good(w, 1, round, chain, "dns", TIMING_DNS, 4 * NS_PER_MS, 0);
        good(w, 1, round, chain, "tcp", TIMING_CONNECT, 24 * NS_PER_MS, 0);
        if (round < 2)
            good(w, 1, round, chain, "tls", TIMING_TLS, 31 * NS_PER_MS, 0);
        else
            reset_handshake(w, chain, (uint16_t)(51124 + round));
        good(w, 2, round, chain + 1, "tcp", TIMING_CONNECT, 200 * NS_PER_US, 0);
        good(w, 2, round, chain + 1, "http", TIMING_FIRST_BYTE, 3 * NS_PER_MS, 200);
        good(w, 3, round, chain + 2, "dns", TIMING_DNS, NS_PER_MS, 0);
        failed(w, 3, round, chain + 3, "tcp", PSTAGE_CONNECT, FAIL_TIMEOUT, ETIMEDOUT, NULL);
        for (uint32_t t = 0; t < 3; t++)
            w->s->targets[t].rounds_done = round;
        w->now += NS_PER_SEC;
    }
    http_exchange(w, 40200, false);
    forgotten_idle(w);
    http_exchange(w, 40201, true);
    session_finish(w->s);
    w->s->ended = w->now;
    w->s->dirty = false;
    return fix_judgements(w);
}

int world_hostile(struct world *w)
{
    static const char *const words[] = {
        "\033[31mHTTP/1.1 200\033[0m", "220 \033]0;owned\007 ready\r\n",
        "SSH-2.0-\xe2\x80\xae\xe2\x80\x8b"
        "evil\x9b"
        "2J\r\n",
        "\xff\xfe\xc0\x80 banner\r\n",
        "HTTP/1.1 200 \x1b[2J\r\nServer: \x1b]52;c;aGk=\x07\r\n\r\n"};
    int rc = begin(w);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        const struct wire_end c = {"10.1.0.2", (uint16_t)(41000 + i), 64};
        const struct wire_end s = {"10.0.0.66", 443, 60};
        size_t n = strlen(words[i]);
        uint8_t hello[600];
        size_t h = client_hello(hello, i & 1 ? "\033[2Jevil.example" : "\xe2\x80\xaemoc.live");
        open_tcp(w, &c, &s);
        world_tcp(w, NS_PER_MS, &c, &s, TCP_PSH | TCP_ACK, 1001, 5001, hello, h);
        world_tcp(w, NS_PER_MS, &s, &c, TCP_PSH | TCP_ACK, 5001, (uint32_t)(1001 + h), words[i], n);
        world_tcp(w, NS_PER_MS, &s, &c, TCP_RST | TCP_ACK, (uint32_t)(5001 + n),
                  (uint32_t)(1001 + h), words[i], n);
    }
    session_message(w->s, MSG_WARN, "said %s", words[1]);
    session_finish(w->s);
    w->s->ended = w->now;
    return 0;
}

void world_release(struct world *w)
{
    give_back(w);
    session_free(w->s);
    memset(w, 0, sizeof(*w));
}

/* ---- screens as they were ---- */

static int read_whole(const char *path, struct strbuf *text)
{
    char buf[4096];
    size_t n;
    FILE *f = fopen(path, "r");

    if (!f)
        return -errno;
    while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
        strbuf_add(text, buf, n);
    fclose(f);
    return 0;
}

static bool write_whole(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    bool put = f && fputs(text, f) >= 0;

    return f && fclose(f) == 0 && put;
}

bool world_screen_is(const char *name, const char *screen)
{
    const char *dir = getenv("srcdir"), *regen = getenv("REGEN");
    struct strbuf want = STRBUF_INIT;
    char path[600];

    snprintf(path, sizeof(path), "%s/tests/screen/%s.screen", dir ? dir : ".", name);
    if (regen && *regen)
        return write_whole(path, screen);
    bool same = read_whole(path, &want) == 0 && strcmp(want.len ? want.buf : "", screen) == 0;
    if (!same)
        fprintf(stderr, "%s differs (REGEN=1 writes it); it is now:\n%s", path, screen);
    strbuf_release(&want);
    return same;
}
