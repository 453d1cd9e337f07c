/*
 * filter.c: the display filter.
 */
#include "ui/filter.h"
#include "ui/screen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const keys[FK_COUNT] = {"host",  "port",    "flags",  "stage",
                                           "cause", "harmful", "process"};

static void forget_pcap(struct filter_box *f)
{
    for (size_t i = 0; i < f->npcap; i++)
        filter_free(f->pcap[i].f);
    f->npcap = 0;
}

void filter_box_release(struct filter_box *f)
{
    forget_pcap(f);
    memset(f, 0, sizeof(*f));
}

static int check_value(struct filter_word *w, char *err, size_t errlen)
{
    if (!w->value[0]) {
        snprintf(err, errlen, _("%s: needs a value"), keys[w->key]);
        return -EINVAL;
    }
    if (w->key == FK_PORT && parse_u64(w->value, 0, 65535, &w->port) < 0) {
        snprintf(err, errlen, _("port: wants a number up to 65535"));
        return -EINVAL;
    }
    if (w->key == FK_FLAGS && w->value[strspn(w->value, "SFRPAUECsfrpauec")]) {
        snprintf(err, errlen, _("flags: wants letters of S F R P A U E C"));
        return -EINVAL;
    }
    if (w->key == FK_HARMFUL) {
        w->yes = strcasecmp(w->value, "yes") == 0;
        if (!w->yes && strcasecmp(w->value, "no") != 0) {
            snprintf(err, errlen, _("harmful: wants yes or no"));
            return -EINVAL;
        }
    }
    return 0;
}

static int parse_word(struct filter_word *w, const char *word, size_t len, char *err, size_t errlen)
{
    const char *colon = memchr(word, ':', len);

    for (int k = 0; colon && k < FK_COUNT; k++) {
        size_t keylen = (size_t)(colon - word), n = len - keylen - 1;
        if (strlen(keys[k]) != keylen || strncmp(keys[k], word, keylen) != 0)
            continue;
        memset(w, 0, sizeof(*w));
        w->key = (enum filter_key)k;
        n = MIN_OF(n, sizeof(w->value) - 1);
        memcpy(w->value, colon + 1, n);
        return check_value(w, err, errlen);
    }
    snprintf(err, errlen,
             _("not a filter word: %.*s (host: port: flags: stage: cause: harmful: "
               "process:)"),
             (int)MIN_OF(len, 40u), word);
    return -EINVAL;
}

/* The form is told by its first word: "key:" of ours, anything else is a pcap filter. */
static bool looks_like_words(const char *text)
{
    size_t n = strcspn(text, ": ");

    if (text[n] != ':' || n == 0)
        return false;
    for (int k = 0; k < FK_COUNT; k++)
        if (strlen(keys[k]) == n && strncmp(text, keys[k], n) == 0)
            return true;
    return strspn(text, "abcdefghijklmnopqrstuvwxyz") == n && !strchr(text, '[');
}

static int parse_words(struct filter_box *f, const char *text, char *err, size_t errlen)
{
    f->nwords = 0;
    while (*text) {
        size_t len = strcspn(text, " ");
        if (len) {
            if (f->nwords == FILTER_WORDS) {
                snprintf(err, errlen, _("at most %d words"), FILTER_WORDS);
                return -E2BIG;
            }
            int rc = parse_word(&f->words[f->nwords], text, len, err, errlen);
            if (rc < 0)
                return rc;
            f->nwords++;
        }
        text += len;
        text += strspn(text, " ");
    }
    return 0;
}

int filter_box_check(const char *text, char *err, size_t errlen)
{
    struct filter_box f = {0};
    size_t good;

    err[0] = '\0';
    text += strspn(text, " ");
    if (!*text)
        return 0;
    if (looks_like_words(text))
        return parse_words(&f, text, err, errlen);
    return filter_check(text, LINK_RAW, false, err, errlen, &good);
}

int filter_box_set(struct filter_box *f, const char *text, char *err, size_t errlen)
{
    struct filter_box next = {0};
    int rc = filter_box_check(text, err, errlen);

    if (rc < 0)
        return rc;
    text += strspn(text, " ");
    snprintf(next.text, sizeof(next.text), "%s", text);
    next.generation = f->generation + 1;
    next.is_pcap = *text && !looks_like_words(text);
    if (*text && !next.is_pcap)
        rc = parse_words(&next, text, err, errlen);
    forget_pcap(f);
    *f = next;
    return rc;
}

int filter_box_toggle(struct filter_box *f, const char *word, char *err, size_t errlen)
{
    char text[sizeof(f->text)] = "";
    size_t at = 0, wordlen = strlen(word);
    bool had = false;
    const char *p = f->is_pcap ? "" : f->text;

    while (*p) {
        size_t len = strcspn(p, " ");
        if (len == wordlen && strncmp(p, word, len) == 0)
            had = true;
        else if (len && at + len + 2 < sizeof(text))
            at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%.*s", at ? " " : "", (int)len,
                                   p);
        p += len;
        p += strspn(p, " ");
    }
    if (!had && at + wordlen + 2 < sizeof(text))
        snprintf(text + at, sizeof(text) - at, "%s%s", at ? " " : "", word);
    return filter_box_set(f, text, err, errlen);
}

/* ---- matching ---- */

static bool has_letters(const char *flags, const char *wanted)
{
    for (; *wanted; wanted++)
        if (!strchr(flags, *wanted >= 'a' ? *wanted - 32 : *wanted))
            return false;
    return true;
}

static bool cause_matches(const struct incident *i, const char *value)
{
    for (size_t n = 0; n < i->judgement.nverdicts; n++)
        if (strcasestr(i->judgement.verdicts[n].cause->id, value))
            return true;
    return false;
}

/* Of this host's sockets: the program's name, or its number. */
static bool process_matches(const struct incident *i, const char *value)
{
    char pid[24];

    for (int n = 0; n < 2; n++) {
        const struct host_ending *e = i->ends[n];
        if (!e)
            continue;
        snprintf(pid, sizeof(pid), "%lld", (long long)e->owner.pid);
        if (strcasestr(e->owner.name, value) || (e->owner.pid > 0 && strcmp(pid, value) == 0))
            return true;
    }
    return false;
}

static const char *incident_stage(const struct session *s, const struct incident *i)
{
    const struct result *r = i->result ? session_result_by_id(s, i->result) : NULL;
    const char *name = i->reset ? stage_name(i->reset->stage) : NULL;

    if (!name && r)
        name = probe_stage_name(r->stage);
    return name ? name : "unknown";
}

static bool incident_word(const struct filter_word *w, const struct session *s,
                          const struct incident *i)
{
    const struct flow_key *k = i->reset ? &i->reset->key : &i->flow;
    const struct target_state *t = i->target ? session_target(s, i->target) : NULL;
    char a[ADDR_TEXT_MAX], b[ADDR_TEXT_MAX];

    switch (w->key) {
    case FK_HOST:
        return strcasestr(addr_text(a, &k->src), w->value) ||
               strcasestr(addr_text(b, &k->dst), w->value) ||
               (t && strcasestr(t->target->name, w->value));
    case FK_PORT:
        return k->sport == w->port || k->dport == w->port || (t && t->target->port == w->port);
    case FK_STAGE: return strcasecmp(incident_stage(s, i), w->value) == 0;
    case FK_CAUSE: return cause_matches(i, w->value);
    case FK_PROCESS: return process_matches(i, w->value);
    case FK_HARMFUL: return i->harmful == w->yes;
    case FK_FLAGS:
    case FK_COUNT: break;
    }
    return true;
}

static struct filter *pcap_for(struct filter_box *f, uint32_t link)
{
    char err[200];

    for (size_t i = 0; i < f->npcap; i++)
        if (f->pcap[i].link == link)
            return f->pcap[i].f;
    if (f->npcap == FILTER_LINKS)
        return NULL;
    f->pcap[f->npcap].link = link;
    if (filter_compile(&f->pcap[f->npcap].f, f->text, link, err, sizeof(err)) < 0)
        f->pcap[f->npcap].f = NULL;
    return f->pcap[f->npcap++].f;
}

static bool pcap_packet(struct filter_box *f, const struct kept_packet *k)
{
    struct filter *compiled = pcap_for(f, k->link);
    struct record rec = kept_record(k);

    return compiled && filter_match(compiled, &rec);
}

static bool packet_word(const struct filter_word *w, const struct session *s,
                        const struct kept_packet *k, const struct packet *p)
{
    char text[ADDR_TEXT_MAX], other[ADDR_TEXT_MAX];
    const struct incident *i;

    switch (w->key) {
    case FK_HOST:
        i = session_incident_of_flow(s, k->flow);
        return strcasestr(addr_text(text, &p->src), w->value) ||
               strcasestr(addr_text(other, &p->dst), w->value) || (i && incident_word(w, s, i));
    case FK_PORT:
        if (p->l4 == L4_UDP)
            return p->udp_sport == w->port || p->udp_dport == w->port;
        return p->l4 == L4_TCP && (p->tcp.sport == w->port || p->tcp.dport == w->port);
    case FK_FLAGS:
        return p->l4 == L4_TCP && has_letters(tcp_flags_text(text, p->tcp.flags), w->value);
    case FK_HARMFUL: /* a flow that did not fail is neither: it stays */
        i = k->flow ? session_incident_of_flow(s, k->flow) : NULL;
        return !i || i->harmful == w->yes;
    case FK_STAGE:
    case FK_CAUSE:
    case FK_PROCESS:
        i = k->flow ? session_incident_of_flow(s, k->flow) : NULL;
        return i && incident_word(w, s, i);
    case FK_COUNT: break;
    }
    return true;
}

bool filter_box_packet(struct filter_box *f, const struct session *s, const struct kept_packet *k)
{
    struct record rec = kept_record(k);
    struct packet p;

    if (!f->text[0])
        return true;
    if (f->is_pcap)
        return pcap_packet(f, k);
    if (packet_decode(&p, &rec, NULL) <= 0)
        return false;
    for (size_t i = 0; i < f->nwords; i++)
        if (!packet_word(&f->words[i], s, k, &p))
            return false;
    return true;
}

bool filter_box_incident(struct filter_box *f, const struct session *s, const struct incident *i)
{
    const struct kept_packet *k;

    if (f->is_pcap) {
        k = i->reset ? session_packet(s, i->reset->packet) : NULL;
        return !k || pcap_packet(f, k);
    }
    for (size_t n = 0; n < f->nwords; n++)
        if (!incident_word(&f->words[n], s, i))
            return false;
    return true;
}

bool filter_box_target(const struct filter_box *f, const struct target *t)
{
    for (size_t n = 0; n < f->nwords; n++)
        if (f->words[n].key == FK_HOST && !strcasestr(t->name, f->words[n].value) &&
            !strcasestr(t->host, f->words[n].value))
            return false;
    return true;
}

/* ---- completion ---- */

static void word_candidate(struct candidates *c, const char *typed, enum filter_key k,
                           const char *value)
{
    char word[100];

    if (value && *value && !strchr(value, ' ')) {
        snprintf(word, sizeof(word), "%s:%s", keys[k], value);
        candidate(c, typed, word);
    }
}

static void incident_candidates(struct candidates *c, const char *typed, const struct session *s,
                                const struct incident *i)
{
    const struct flow_key *k = i->reset ? &i->reset->key : &i->flow;
    char text[ADDR_TEXT_MAX];

    word_candidate(c, typed, FK_STAGE, incident_stage(s, i));
    for (size_t n = 0; n < i->judgement.nverdicts; n++)
        word_candidate(c, typed, FK_CAUSE, i->judgement.verdicts[n].cause->id);
    for (int n = 0; n < 2; n++)
        if (i->ends[n])
            word_candidate(c, typed, FK_PROCESS, i->ends[n]->owner.name);
    if (!i->reset && !i->flow_known)
        return;
    word_candidate(c, typed, FK_HOST, addr_text(text, &k->dst));
    word_candidate(c, typed, FK_HOST, addr_text(text, &k->src));
    snprintf(text, sizeof(text), "%u", k->dport);
    word_candidate(c, typed, FK_PORT, text);
}

void filter_complete(const struct filter_box *f, const struct session *s, struct candidates *c,
                     const char *word)
{
    char key[16];

    (void)f;
    if (!strchr(word, ':')) {
        for (int k = 0; k < FK_COUNT; k++) {
            snprintf(key, sizeof(key), "%s:", keys[k]);
            candidate(c, word, key);
        }
        return;
    }
    word_candidate(c, word, FK_HARMFUL, "yes");
    word_candidate(c, word, FK_HARMFUL, "no");
    word_candidate(c, word, FK_FLAGS, "R");
    word_candidate(c, word, FK_FLAGS, "S");
    word_candidate(c, word, FK_FLAGS, "F");
    for (size_t i = 0; i < s->ntargets; i++)
        word_candidate(c, word, FK_HOST, s->targets[i].target->host);
    for (size_t i = s->nincidents; i-- > 0 && c->n < CANDIDATES_MAX;)
        incident_candidates(c, word, s, s->incidents[i]);
}
