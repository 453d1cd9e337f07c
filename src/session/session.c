/* The model and its single writer. */
#include "session/private.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

nstime session_now(const struct session *s)
{
    struct timespec ts;

    if (s->priv->loading && s->priv->now != NSTIME_NONE)
        return s->priv->now;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (nstime)ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

void session_touch(struct session *s)
{
    s->revision++;
    s->dirty = true;
}

static void on_flow_record(void *arg, const struct flow_record *rec)
{
    struct session *s = arg;

    if (!records_add(&s->priv->records, rec))
        s->limits.records_dropped++;
}

/* Flows lie all over their pieces: in huge pages they cost few faults and few TLB entries. Where
 * the kernel has none this is only advice not taken. */
static void *huge_block(size_t size)
{
    void *at = aligned_alloc(FLOW_BLOCK, size);

    if (at)
        madvise(at, size, MADV_HUGEPAGE);
    return at;
}

int session_make_flows(struct session *s)
{
    struct flow_settings st = {
        .max_flows = s->settings.max_flows,
        .max_kept_bytes = s->settings.max_memory,
        .local = s->priv->local,
        .nlocal = s->priv->nlocal,
        .on_record = s->settings.flows ? on_flow_record : NULL,
        .on_reset = incident_on_reset,
        .arg = s,
        .block = huge_block,
    };

    flow_table_free(s->flows);
    s->flows = flow_table_new(&st);
    return s->flows ? 0 : -ENOMEM;
}

static const char *keep(struct session *s, const char *text)
{
    return text ? arena_strdup(&s->priv->strings, text) : NULL;
}

static int copy_settings(struct session *s, const struct settings *st)
{
    struct settings *to = &s->settings;
    char **names = NULL;

    *to = *st;
    if (st->ninterfaces) {
        names = arena_alloc(&s->priv->strings, st->ninterfaces * sizeof(*names));
        if (!names)
            return -ENOMEM;
        for (size_t i = 0; i < st->ninterfaces; i++)
            names[i] = (char *)keep(s, st->interfaces[i]);
    }
    to->interfaces = (const char **)names;
    to->filter = keep(s, st->filter);
    to->read_file = keep(s, st->read_file);
    to->write_file = keep(s, st->write_file);
    to->sessions_dir = keep(s, st->sessions_dir);
    to->name = keep(s, st->name);
    return 0;
}

void vantage_fill(struct session *s)
{
    struct vantage *v = &s->vantage;
    struct passwd *pw = getpwuid(geteuid());

    if (v->capture == VANTAGE_FILE)
        return; /* where the file was made is not known */
    char host[256];
    if (gethostname(host, sizeof(host)) == 0) {
        host[sizeof(host) - 1] = 0;
        text_clean(v->host, sizeof(v->host), host, strlen(host));
    }
    if (pw && pw->pw_name)
        text_clean(v->user, sizeof(v->user), pw->pw_name, strlen(pw->pw_name));
}

static void make_id(struct session *s)
{
    uint64_t id = 0;

    if (getrandom(&id, sizeof(id), 0) == (ssize_t)sizeof(id))
        snprintf(s->priv->id, sizeof(s->priv->id), "%016llx", (unsigned long long)id);
}

struct session *session_new(const struct settings *st)
{
    struct session *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->priv = calloc(1, sizeof(*s->priv));
    if (!s->priv) {
        free(s);
        return NULL;
    }
    arena_init(&s->priv->strings);
    strbuf_init(&s->priv->journal);
    strbuf_init(&s->priv->line);
    saving_init(&s->priv->saving);
    records_init(&s->priv->records);
    s->priv->now = NSTIME_NONE;
    make_id(s);
    s->ended = NSTIME_NONE;
    s->priv->ring.max_bytes = st->max_memory ? st->max_memory : RING_DEFAULT;
    s->priv->defrag = defrag_new(0);
    s->ledger = ledger_new();
    if (!s->priv->defrag || !s->ledger || copy_settings(s, st))
        goto fail;
    s->vantage.capture = st->read_file ? VANTAGE_FILE : st->live ? VANTAGE_LIVE : VANTAGE_NONE;
    vantage_fill(s);
    if (s->vantage.capture != VANTAGE_FILE) {
        int n = host_addresses(&s->priv->local);
        s->priv->nlocal = n > 0 ? (size_t)n : 0;
    }
    if (session_make_flows(s) || redacting_begin(s))
        goto fail;
    s->started = s->settings.read_file ? NSTIME_NONE : session_now(s);
    return s;
fail:
    session_free(s);
    return NULL;
}

static void private_free(struct session *s)
{
    struct session_private *p = s->priv;

    defrag_free(p->defrag);
    ring_release(&p->ring);
    chains_release(&p->chains);
    endings_release(s);
    judging_release(&p->judging);
    map_release(&p->reset_incident);
    records_release(&p->records);
    redacting_release(&p->redacting);
    free(p->local);
    strbuf_release(&p->journal);
    strbuf_release(&p->line);
    saving_release(&p->saving);
    arena_release(&p->strings);
    free(p);
}

void session_free(struct session *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->nincidents; i++)
        incident_release(s, s->incidents[i]);
    free(s->incidents);
    log_digest_release(&s->log);
    for (size_t i = 0; i < s->nresults - s->results_gone; i++)
        result_free(s->results[i]);
    free(s->results);
    for (size_t i = 0; i < s->ntargets; i++) {
        target_free(s->targets[i].target);
        free(s->targets[i].results);
    }
    free(s->targets);
    for (size_t i = 0; i < s->nexperiments; i++)
        experiment_record_release(&s->experiments[i]);
    session_patterns_release(s);
    free(s->experiments);
    flow_table_free(s->flows);
    ledger_free(s->ledger);
    private_free(s);
    free(s);
}

/* ---- the writer ---- */

int session_add_target(struct session *s, struct target *t)
{
    if (s->ntargets >= MAX_TARGETS)
        return -E2BIG;
    int err = ARRAY_GROW(s->targets, s->ntargets + 1, s->targets_alloc);
    if (err)
        return err;
    t->id = (uint32_t)s->ntargets + 1;
    s->targets[s->ntargets++] = (struct target_state){.target = t};
    journal_target(s, t);
    session_touch(s);
    return 0;
}

void session_change_target(struct session *s, uint32_t id, struct target *t)
{
    struct target_state *ts = id && id <= s->ntargets ? &s->targets[id - 1] : NULL;

    if (!ts) {
        target_free(t);
        return;
    }
    if (t) {
        target_free(ts->target);
        ts->target = t;
    } else {
        ts->removed = true;
    }
    session_touch(s);
}

void session_tune(struct session *s, const struct settings *st)
{
    s->settings.interval = st->interval;
    s->settings.experiments = st->experiments;
    s->settings.budget_connections = st->budget_connections;
    s->settings.budget_time = st->budget_time;
    s->settings.defaults.timeout = st->defaults.timeout;
    session_touch(s);
}

static void note_file_time(struct session *s, nstime t)
{
    if (!s->settings.read_file || t == NSTIME_NONE)
        return;
    if (s->started == NSTIME_NONE || t < s->started)
        s->started = t;
    if (s->ended == NSTIME_NONE || t > s->ended)
        s->ended = t;
}

/* The kept packet gets a mark once its flow's reset says that it is the first one. */
static uint8_t reset_mark(const struct session *s, const struct packet *pkt,
                          const struct flow *flow)
{
    if (pkt->l4 != L4_TCP || !(pkt->tcp.flags & TCP_RST))
        return 0;
    const struct reset *r = flow ? flow_table_reset_of(s->flows, flow_id(flow)) : NULL;
    return r && r->packet == pkt->number ? 2 : 1;
}

void session_record(struct session *s, const struct record *rec)
{
    session_made_record(s, rec, NULL);
}

void session_made_record(struct session *s, const struct record *rec, struct flow_ready *made)
{
    struct session_private *p = s->priv;
    struct packet own, *pkt = &own;
    const struct flow *flow = NULL;
    struct record space;

    if (p->redacting.what == REDACT_INPUT) {
        rec = redacted_record(s, rec, &space);
        made = NULL;
    }
    p->packets = rec->number;
    s->vantage.packets++;
    s->vantage.bytes += rec->len;
    if (rec->caplen < rec->len)
        s->vantage.truncated++;
    note_file_time(s, rec->time);
    if (made && made->hash) {
        pkt = &made->pkt;
        flow = flow_table_ready(s->flows, made);
    } else if (packet_decode(pkt, rec, p->defrag) > 0) {
        flow = flow_table_packet(s->flows, pkt);
    }
    if (s->settings.keep_packets) {
        int gone = ring_add(&p->ring, rec, flow ? flow_id(flow) : 0, reset_mark(s, pkt, flow));
        s->limits.packets_dropped += gone < 0 ? 1 : (uint64_t)gone;
        s->revision++;
    }
    if (p->saving.packets_fd >= 0)
        save_packet(s, rec);
}

void session_chain(struct session *s, uint32_t target, uint64_t chain, const struct flow_key *flow)
{
    struct chain *ch = chains_get(&s->priv->chains, chain);

    if (!ch) {
        ch = chains_add(&s->priv->chains, chain, target, session_now(s));
        if (ch)
            ch->repeat = s->priv->repeating;
        if (ch)
            ch->experiment = s->priv->experiment;
    }
    if (!ch || !flow)
        return;
    bool known = ch->flow_known;
    if (chains_set_flow(&s->priv->chains, ch, flow) == 0 && ch->flow_known && !known) {
        journal_chain(s, ch);
        incident_of_chain_flow(s, ch);
    }
}

/* The list is moved once half of it is gone. */
static void results_shift(struct session *s)
{
    size_t n = s->nresults - s->results_gone, gone = 0;

    if (!n || s->results[0])
        return;
    while (gone < n && !s->results[gone])
        gone++;
    if (gone < 64 || gone * 2 < n)
        return;
    memmove(s->results, s->results + gone, (n - gone) * sizeof(*s->results));
    s->results_gone += gone;
}

static uint32_t rounds_kept(const struct session *s)
{
    size_t n = PROBES_KEPT / (3 * MAX_OF(s->ntargets, 1));

    return (uint32_t)MAX_OF(MIN_OF(n, ROUNDS_KEPT), 2);
}

/* A target keeps the results of its last rounds; what is older is counted. */
static void forget_old_rounds(struct session *s, struct target_state *ts, uint32_t round)
{
    const uint32_t kept = rounds_kept(s);
    size_t gone = 0;

    while (gone < ts->nresults) {
        uint64_t id = ts->results[gone];
        struct result *r = (struct result *)(uintptr_t)session_result_by_id(s, id);
        if (r && r->round + kept > round)
            break;
        if (r) {
            struct chain *ch = chains_get(&s->priv->chains, r->chain);
            if (ch && ch->incident && !incident_forget(s, ch))
                break; /* what packets tell of stays */
            if (ch && ch->results[ch->nresults - 1] == id)
                chains_forget(&s->priv->chains, ch);
            ledger_forget(s->ledger, (struct subject){ABOUT_RESULT, id});
            result_free(r);
            s->results[id - 1 - s->results_gone] = NULL;
            s->limits.results_dropped++;
        }
        gone++;
    }
    if (!gone)
        return;
    memmove(ts->results, ts->results + gone, (ts->nresults - gone) * sizeof(*ts->results));
    ts->nresults -= gone;
    results_shift(s);
}

static int index_result(struct session *s, struct result *r, struct chain *ch)
{
    struct target_state *ts =
        r->target && r->target <= s->ntargets ? &s->targets[r->target - 1] : NULL;
    int err = chain_add_result(ch, r->id);

    if (err || !ts)
        return err;
    if (!r->repeat) {
        if (r->outcome == OUTCOME_FAILED && r->failure != FAIL_INTERRUPTED) {
            ts->failed++;
            s->failed_probes++;
        } else if (r->outcome == OUTCOME_OK) {
            ts->passed++;
        }
    }
    err = ARRAY_GROW(ts->results, ts->nresults + 1, ts->results_alloc);
    if (err)
        return err;
    ts->results[ts->nresults++] = r->id;
    forget_old_rounds(s, ts, r->round);
    return 0;
}

/* A lookup's chain is not the connection's: what it says of the name is said of the target. */
static void facts_of_name(struct session *s, const struct result *r)
{
    static const enum fact_kind kinds[] = {FACT_DNS_DIFFER, FACT_DNS_SYSTEM_DIFFERS,
                                           FACT_DNS_MOVED};
    struct subject about = {ABOUT_TARGET, r->target};
    struct facts f;
    bool any = false;

    if (strcmp(r->probe, "dns") != 0 || r->repeat)
        return;
    facts_init(&f);
    facts_of_result(&f, r);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const struct fact *one = facts_get(&f, kinds[i]);
        if (one && ledger_put(s->ledger, about, one) == 0)
            any = true;
    }
    facts_release(&f);
    if (any)
        incident_dirty_subject(s, about);
}

void session_result(struct session *s, struct result *r)
{
    struct session_private *p = s->priv;

    if (ARRAY_GROW(s->results, s->nresults - s->results_gone + 1, s->results_alloc)) {
        s->limits.results_dropped++;
        result_free(r);
        return;
    }
    struct chain *ch = chains_get(&p->chains, r->chain);
    if (!ch)
        ch = chains_add(&p->chains, r->chain, r->target, r->started);
    if (!ch) {
        s->limits.results_dropped++;
        result_free(r);
        return;
    }
    s->results[s->nresults - s->results_gone] = r;
    r->id = ++s->nresults;
    ch->repeat = ch->repeat || r->repeat;
    journal_result(s, r);
    if (r->flow_known && !ch->flow_known && chains_set_flow(&p->chains, ch, &r->flow) == 0)
        incident_of_chain_flow(s, ch);
    if (index_result(s, r, ch))
        s->limits.results_dropped++;
    incident_on_result(s, ch, r);
    facts_of_name(s, r);
    session_touch(s);
}

void session_counters(struct session *s, const struct host_counters *c)
{
    if (!c->available)
        return;
    bool first = !s->first_counters.available;
    struct host_counters delta;

    host_counters_delta(&delta, &s->counters, c);
    if (first)
        s->first_counters = *c;
    bool moved = first;
    for (size_t i = 0; !moved && host_counter_name(i); i++)
        moved = host_counter_value(&delta, i) != 0;
    s->counters = *c;
    if (!moved)
        return;
    s->priv->counters_late = !first && c->time < s->priv->counters_kept + COUNTERS_EVERY;
    if (!s->priv->counters_late) {
        s->priv->counters_kept = c->time;
        journal_counters(s, c);
    }
    session_touch(s);
}

void session_fact(struct session *s, struct subject about, const struct fact *f)
{
    if (ledger_put(s->ledger, about, f))
        return;
    journal_fact(s, about, f);
    incident_dirty_subject(s, about);
    session_touch(s);
}

void session_message(struct session *s, enum message_level level, const char *fmt, ...)
{
    struct strbuf text = STRBUF_INIT;
    struct message *m;
    va_list ap;

    if (s->nmessages == ARRAY_SIZE(s->messages)) {
        memmove(s->messages, s->messages + 1, sizeof(s->messages) - sizeof(s->messages[0]));
        s->nmessages--;
    }
    va_start(ap, fmt);
    strbuf_vaddf(&text, fmt, ap);
    va_end(ap);
    m = &s->messages[s->nmessages++];
    s->messages_ever++;
    m->time = session_now(s);
    m->level = level;
    text_clean(m->text, sizeof(m->text), text.buf, text.len);
    if (s->priv->redacting.what == REDACT_INPUT && !s->priv->loading)
        redacted_text(s, REDACT_WORDS, m->text, sizeof(m->text));
    strbuf_release(&text);
    journal_message(s, m);
    s->revision++;
}

void session_capture(struct session *s, const struct capture_stats *st,
                     const char *const *interfaces, size_t n)
{
    struct vantage *v = &s->vantage;
    bool changed = v->dropped_known != st->dropped_known || v->dropped != st->dropped ||
                   v->ninterfaces != MIN_OF(n, ARRAY_SIZE(v->interfaces));

    v->dropped_known = st->dropped_known;
    v->dropped = st->dropped;
    v->truncated = MAX_OF(v->truncated, st->truncated);
    v->ninterfaces = MIN_OF(n, ARRAY_SIZE(v->interfaces));
    for (size_t i = 0; i < v->ninterfaces; i++)
        text_clean(v->interfaces[i], sizeof(v->interfaces[i]), interfaces[i],
                   strlen(interfaces[i]));
    redacted_interfaces(s);
    if (!changed)
        return;
    journal_vantage(s);
    s->revision++;
}

void session_capture_failed(struct session *s, enum capture_error kind, const char *text)
{
    struct vantage *v = &s->vantage;

    v->capture = VANTAGE_NONE;
    v->capture_error_kind = kind;
    text_clean(v->capture_error, sizeof(v->capture_error), text, strlen(text));
    journal_vantage(s);
    session_touch(s);
}

void session_input_ended(struct session *s)
{
    if (!s->priv->input_ended) {
        flow_table_finish(s->flows);
        neighbour_learnt(s, NULL);
    }
    s->priv->input_ended = true;
}

void session_finish(struct session *s)
{
    if (s->finished)
        return;
    session_input_ended(s);
    s->finished = true;
    if (!s->settings.read_file)
        s->ended = session_now(s);
    session_judge(s);
    if (s->priv->counters_late)
        journal_counters(s, &s->counters);
    journal_verdicts(s);
    journal_end(s);
    session_touch(s);
}

/* ---- reading it ---- */

const struct playbook *session_playbook(const struct session *s, const struct incident *i)
{
    const struct target_state *t = i->target ? session_target(s, i->target) : NULL;

    return s->settings.playbook ? s->settings.playbook : t ? t->target->playbook : NULL;
}

const struct incident *session_incident(const struct session *s, uint64_t id)
{
    return incident_get(s, id);
}

const struct incident *session_incident_of_result(const struct session *s, const struct result *r)
{
    const struct chain *ch = chains_get(&s->priv->chains, r->chain);

    return ch && ch->incident ? incident_get(s, ch->incident) : NULL;
}

const struct incident *session_incident_of_flow(const struct session *s, uint64_t flow)
{
    const struct reset *r = flow_table_reset_of(s->flows, flow);
    uint64_t id = r ? map_get(&s->priv->reset_incident, r->id) : 0;

    return id ? incident_get(s, id) : NULL;
}

const struct target_state *session_target(const struct session *s, uint32_t id)
{
    return id && id <= s->ntargets ? &s->targets[id - 1] : NULL;
}

const struct result *session_result_by_id(const struct session *s, uint64_t id)
{
    return id > s->results_gone && id <= s->nresults ? s->results[id - 1 - s->results_gone] : NULL;
}

/* The results of a target come in the order of its rounds. */
struct rounds_seen {
    uint32_t round;
    bool stopped, finished;
};

static void see_result(struct rounds_seen *t, const struct result *r)
{
    if (t->round != r->round) {
        t->finished |= t->round && !t->stopped;
        t->round = r->round;
        t->stopped = false;
    }
    t->stopped |= r->failure == FAIL_INTERRUPTED;
}

size_t session_unfinished(const struct session *s)
{
    struct rounds_seen *seen = calloc(s->ntargets + 1, sizeof(*seen));
    size_t n = 0;

    if (!seen)
        return 0;
    for (uint64_t id = 1; id <= s->nresults; id++) {
        const struct result *r = session_result_by_id(s, id);
        if (r && r->target && r->target <= s->ntargets)
            see_result(&seen[r->target - 1], r);
    }
    for (size_t i = 0; i < s->ntargets; i++)
        n += !seen[i].finished && (!seen[i].round || seen[i].stopped);
    free(seen);
    return n;
}

int session_exit_status(const struct session *s)
{
    return s->harmful_resets || s->failed_probes || s->logged_errors || session_unfinished(s) ? 1
                                                                                              : 0;
}
