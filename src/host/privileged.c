/*
 * rstconsole-host, as the console sees it: a child that tells what it sees and answers what it is
 * asked, in lines. What it tells is kept here: which sources it has, and the rules of now and of
 * before.
 */
#include "host/privileged.h"
#include "host/sockdiag.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_ROOM   (64 * 1024)
#define COUNTS_KEPT 64
#define READ_MOST   (256 * 1024) /* of one turn */

struct told_source {
    bool told;
    char error[16], text[256];
};
struct host_privileged {
    struct loop *loop;
    struct privileged_callbacks cb;
    struct child *child;
    struct watch *out_watch, *err_watch;
    bool ready, ended;
    struct told_source sources[PRIV_SOURCES];
    struct ruleset rules, coming;
    struct rule_counts counts[COUNTS_KEPT]; /* a ring, newest at (ncounts - 1) % COUNTS_KEPT */
    uint64_t ncounts;
    bool rules_known, asked_rules;
    struct owners *owners; /* the watch's; NULL none */
    bool asked_owners;
    uint64_t lost;
    char line[LINE_ROOM];
    size_t nline;
    bool too_long;
};

static const char *const source_names[PRIV_SOURCES] = {"rules", "conntrack", "resets", "owners"};

/* ---- lines ---- */

static void take_source(struct host_privileged *p, const struct host_line *l)
{
    for (int i = 0; i < PRIV_SOURCES; i++) {
        if (strcmp(source_names[i], l->name) != 0)
            continue;
        struct told_source *s = &p->sources[i];
        s->told = true;
        memcpy(s->error, l->error, sizeof(s->error));
        memcpy(s->text, l->text, sizeof(s->text));
    }
}

static void rules_told(struct host_privileged *p, const struct host_line *l)
{
    bool ok = strcmp(l->name, "rules") == 0;

    p->asked_rules = false;
    p->coming.left_out = p->coming.left_out || l->left_out;
    if (!ok) {
        ruleset_release(&p->coming);
    } else {
        ruleset_move(&p->rules, &p->coming);
        p->rules_known = true;
        p->ncounts += rule_counts_take(&p->counts[p->ncounts % COUNTS_KEPT], &p->rules,
                                       loop_wall(p->loop)) == 0;
    }
    if (p->cb.on_rules)
        p->cb.on_rules(p->cb.arg);
}

static void take_end(struct host_privileged *p, const struct host_line *l)
{
    if (strcmp(l->name, "owners") == 0)
        p->asked_owners = false;
    else if (p->asked_rules && strcmp(l->name, "flow") != 0)
        rules_told(p, l);
}

static void became_ready(struct host_privileged *p)
{
    bool was = p->ready;

    p->ready = true;
    if (!was && p->cb.on_ready)
        p->cb.on_ready(p->cb.arg);
}

static void take_line(struct host_privileged *p, const char *text, size_t len)
{
    struct host_line l;

    switch (host_line_parse(&l, text, len)) {
    case LINE_SOURCE: take_source(p, &l); break;
    case LINE_READY: became_ready(p); break;
    case LINE_RESET:
        if (p->cb.on_reset)
            p->cb.on_reset(p->cb.arg, &l.reset);
        break;
    case LINE_ENTRY:
        if (p->cb.on_tracked)
            p->cb.on_tracked(p->cb.arg, &l.tracked);
        break;
    case LINE_OWNER:
        if (p->owners)
            owners_told(p->owners, (uint32_t)l.inode, (pid_t)l.owner.pid);
        break;
    case LINE_CHAIN: ruleset_add_chain(&p->coming, &l.chain); break;
    case LINE_RULE:
        ruleset_add_rule(&p->coming, l.rule);
        l.rule = NULL;
        break;
    case LINE_LEGACY: p->coming.legacy = true; break;
    case LINE_LOST:
        if (strcmp(l.name, "resets") == 0)
            p->lost += l.n;
        break;
    case LINE_END: take_end(p, &l); break;
    case LINE_NOTHING: break;
    }
    host_line_release(&l);
}

static void hang_up(struct host_privileged *p)
{
    p->ended = true;
    p->asked_owners = false;
    watch_stop(p->out_watch);
    p->out_watch = NULL;
    for (int i = 0; i < PRIV_SOURCES; i++)
        if (!p->sources[i].told || !p->sources[i].error[0])
            snprintf(p->sources[i].error, sizeof(p->sources[i].error), "EPIPE");
    if (p->asked_rules) {
        p->asked_rules = false;
        if (p->cb.on_rules)
            p->cb.on_rules(p->cb.arg);
    }
    became_ready(p);
}

static void on_out(void *arg, int events)
{
    struct host_privileged *p = arg;
    char buf[16384];
    ssize_t n = 1;

    (void)events;
    for (size_t done = 0; done < READ_MOST && n > 0; done += (size_t)MAX_OF(n, 0)) {
        n = read(child_stdout(p->child), buf, sizeof(buf));
        for (ssize_t i = 0; i < n; i++) {
            if (buf[i] != '\n') {
                p->too_long = p->too_long || p->nline == sizeof(p->line);
                if (!p->too_long)
                    p->line[p->nline++] = buf[i];
                continue;
            }
            if (!p->too_long)
                take_line(p, p->line, p->nline);
            p->nline = 0;
            p->too_long = false;
        }
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        hang_up(p);
}

/* What libraries say of themselves is nobody's business; read, so that the helper never waits. */
static void on_err(void *arg, int events)
{
    struct host_privileged *p = arg;
    char buf[1024];
    ssize_t n = read(child_stderr(p->child), buf, sizeof(buf));

    (void)events;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        watch_stop(p->err_watch);
        p->err_watch = NULL;
    }
}

static void on_child_end(void *arg, int exit_status, int term_signal)
{
    (void)arg; /* its output ends, which says the same */
    (void)exit_status;
    (void)term_signal;
}

/* ---- begin and end ---- */

struct host_privileged *host_privileged_start(struct loop *l, const struct privileged_callbacks *cb)
{
    char path[PATH_MAX];
    char *argv[] = {path, NULL};
    struct host_privileged *p;

    if (loop_helper_path(path, sizeof(path), HOST_HELPER))
        return NULL;
    p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->loop = l;
    p->cb = *cb;
    if (loop_child_talk(l, path, argv, on_child_end, p, &p->child)) {
        free(p);
        return NULL;
    }
    p->out_watch = loop_watch(l, child_stdout(p->child), LOOP_READ, on_out, p);
    p->err_watch = loop_watch(l, child_stderr(p->child), LOOP_READ, on_err, p);
    if (p->out_watch && p->err_watch)
        return p;
    host_privileged_free(p);
    return NULL;
}

void host_privileged_free(struct host_privileged *p)
{
    if (!p)
        return;
    watch_stop(p->out_watch);
    watch_stop(p->err_watch);
    child_free(p->child); /* its stdin ends, and it with that */
    ruleset_release(&p->rules);
    for (size_t i = 0; i < COUNTS_KEPT; i++)
        rule_counts_release(&p->counts[i]);
    ruleset_release(&p->coming);
    free(p);
}

bool host_privileged_ready(const struct host_privileged *p)
{
    return !p || p->ready;
}

bool host_privileged_has(const struct host_privileged *p, enum privileged_source s)
{
    return p && !p->ended && p->sources[s].told && !p->sources[s].error[0];
}

int host_privileged_said(const struct host_privileged *p, enum privileged_source s,
                         const char **text)
{
    static const struct {
        const char *name;
        int err;
    } errors[] = {{"EPERM", EPERM}, {"EACCES", EACCES}, {"ENOENT", ENOENT}, {"ENOSYS", ENOSYS}};
    const struct told_source *t = &p->sources[s];

    *text = t->text;
    if (!t->error[0])
        return t->told ? 0 : -EIO;
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
        if (strcmp(t->error, errors[i].name) == 0)
            return -errors[i].err;
    return -EIO;
}

void host_privileged_size(const struct host_privileged *p, size_t *rules, size_t *chains)
{
    *rules = p->rules.nrules;
    *chains = p->rules.nchains;
}

uint64_t host_privileged_lost(const struct host_privileged *p)
{
    return p->lost;
}

/* ---- asking ---- */

/* A request is one short line: a pipe takes it whole or not at all. */
static int ask(struct host_privileged *p, const char *line, size_t len)
{
    ssize_t n = p->ended ? -1 : write(child_stdin(p->child), line, len);

    return n == (ssize_t)len ? 0 : -EAGAIN;
}

int host_privileged_ask_rules(struct host_privileged *p)
{
    if (!host_privileged_has(p, PRIV_RULES))
        return -EPERM;
    if (p->asked_rules)
        return -EBUSY;
    int err = ask(p, "rules\n", 6);
    p->asked_rules = !err;
    return err;
}

int host_privileged_ask_flow(struct host_privileged *p, const struct flow_key *k)
{
    char line[160], src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];

    if (!host_privileged_has(p, PRIV_CONNTRACK) || !k->src.family || !k->dst.family)
        return -EPERM;
    int n = snprintf(line, sizeof(line), "flow %s %u %s %u\n", addr_text(src, &k->src), k->sport,
                     addr_text(dst, &k->dst), k->dport);
    return ask(p, line, (size_t)n);
}

void host_privileged_judge(const struct host_privileged *p, const struct rules_question *q,
                           struct rules_answer *out)
{
    memset(out, 0, sizeof(*out));
    uint64_t first = p->ncounts > COUNTS_KEPT ? p->ncounts - COUNTS_KEPT : 0;
    const struct rule_counts *before = NULL;

    for (uint64_t i = p->ncounts; i > first && !before; i--)
        if (p->counts[(i - 1) % COUNTS_KEPT].taken <= q->since)
            before = &p->counts[(i - 1) % COUNTS_KEPT];
    if (p->rules_known)
        ruleset_judge(&p->rules, before, q, out);
}

/* ---- owners: what the walk of /proc could not see is asked for ---- */

void privileged_serve_owners(struct host_privileged *p, struct owners *o)
{
    char line[1024] = "owners";
    uint32_t inodes[64];
    size_t len = strlen(line);

    p->owners = o;
    if (!o || p->asked_owners || !host_privileged_has(p, PRIV_OWNERS))
        return;
    size_t n = owners_unknown(o, inodes, ARRAY_SIZE(inodes));
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(line + len, sizeof(line) - len, " %" PRIu32, inodes[i]);
    line[len++] = '\n';
    if (n && ask(p, line, len) == 0)
        p->asked_owners = true;
}

/* ---- as facts ---- */

void facts_of_kernel_reset(struct facts *out, const struct kernel_reset *r)
{
    char who[64] = "?";

    if (r->pid >= 0)
        snprintf(who, sizeof(who), "%s (pid %lld)", r->comm, (long long)r->pid);
    if (!r->sent)
        facts_put(out, FACT_KERNEL_RECEIVED, true, SRC_HOST, 0, "tcp_receive_reset", v_none(),
                  v_none(), v_none());
    else
        facts_put(out, FACT_KERNEL_SENT, true, SRC_HOST, 0, "tcp_send_reset",
                  v_text(r->reason[0] ? r->reason : "?"), v_text(r->state[0] ? r->state : "?"),
                  v_text(who));
}

void facts_of_rules(struct facts *out, const struct rules_answer *a)
{
    struct value rule = v_text(a->rule);

    if (a->verdict == RULES_UNKNOWN)
        return;
    facts_put(out, FACT_LOCAL_RULE_REJECTS, a->verdict == RULES_REJECT, SRC_HOST, 0, "nftables",
              a->verdict == RULES_REJECT ? rule : v_none(), v_none(), v_none());
    facts_put(out, FACT_LOCAL_RULE_DROPS, a->verdict == RULES_DROP, SRC_HOST, 0, "nftables",
              a->verdict == RULES_DROP ? rule : v_none(), v_none(), v_none());
    if (a->verdict == RULES_REJECT && a->count)
        facts_put(out, FACT_LOCAL_REJECT_RULE, true, SRC_HOST, 0, "nftables",
                  v_int((int64_t)a->count), v_none(), v_none());
    else if (a->verdict != RULES_REJECT)
        facts_put(out, FACT_LOCAL_REJECT_RULE, false, SRC_HOST, 0, "nftables", v_none(), v_none(),
                  v_none());
}

void facts_of_tracked(struct facts *out, const struct tracked *t)
{
    char to[ADDR_TEXT_MAX + 16], text[ADDR_TEXT_MAX];
    const struct flow_key *f = &t->flow, *r = &t->reply;

    if (t->forgotten) {
        facts_put(out, FACT_CONNTRACK_FORGOT, true, SRC_HOST, 0, "conntrack", v_text(t->state),
                  v_none(), v_none());
        return;
    }
    bool same = addr_equal(&r->src, &f->dst) && r->sport == f->dport &&
                addr_equal(&r->dst, &f->src) && r->dport == f->sport;
    bool dnat = !addr_equal(&r->src, &f->dst) || r->sport != f->dport;
    if (same) {
        facts_put(out, FACT_TRANSLATED_HERE, false, SRC_HOST, 0, "conntrack", v_none(), v_none(),
                  v_none());
        return;
    }
    snprintf(to, sizeof(to), "%s port %u", addr_text(text, dnat ? &r->src : &r->dst),
             dnat ? r->sport : r->dport);
    facts_put(out, FACT_TRANSLATED_HERE, true, SRC_HOST, 0, "conntrack", v_text(to), v_none(),
              v_none());
}
