/* First words on a chain: listens and speaks as dialogue.c says, then TLS where it is offered. */
#include "probe/dialogue.h"
#include "probe/internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct words {
    const struct dialogue *d;
    struct talk talk;
    uint8_t heard[WORDS_MAX];
    size_t nheard;
    uint8_t said[128];
    size_t nsaid, at; /* at: of it that went out */
    bool begun;       /* something of it was answered */
    bool refused;
};

void words_free(struct chain *c)
{
    free(c->words);
    c->words = NULL;
}

static void on_words(void *arg, int events);

/* ---- telling ---- */
static void put_text(struct result *r, const char *name, const char *text)
{
    if (*text)
        result_set(r, name, v_text(text));
}

void words_put(struct chain *c, struct result *r)
{
    const struct words *w = c->words;
    if (!w)
        return;
    put_text(r, "server_version", w->talk.version);
    put_text(r, "capabilities", w->talk.able);
    if ((w->talk.step || w->refused) && strcmp(w->talk.text, w->talk.version) != 0)
        put_text(r, "reply", w->talk.text);
    if (w->refused)
        put_text(r, "refused", w->talk.text);
    if (w->begun && !w->refused && w->d->scheme != SCHEME_SSH && w->d->scheme != SCHEME_REDIS)
        result_set(r, "starttls", v_bool(w->talk.offered));
    if (w->nheard > w->talk.used && w->talk.used && w->talk.offered)
        result_set(r, "words_not_asked_for", v_int((int64_t)(w->nheard - w->talk.used)));
}

static enum probe_stage stage_of(const struct chain *c)
{
    return c->words->talk.step == 0 ? PSTAGE_HOLD : PSTAGE_RESPONSE;
}

static void failed(struct chain *c, enum failure f)
{
    enum probe_stage s = stage_of(c);
    tcp_failed(c, f, s);
}

/* Without TLS: politely. */
static void done(struct chain *c, const char *reason)
{
    const char *bye = c->words->d->farewell;
    if (bye && send(c->fd, bye, strlen(bye), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        c->last_at = loop_clock();
    tcp_spoken(c, stage_of(c), reason);
}

static void foreign(struct chain *c)
{
    if (c->st->t->scheme == SCHEME_AUTO) /* nobody said that it was this one */
        tcp_spoken(c, stage_of(c), "the server speaks something else");
    else
        failed(c, FAIL_HTTP_BAD_RESPONSE);
}

static void to_tls(struct chain *c)
{
    chain_quiet(c);
    tls_begin_after(c, PSTAGE_RESPONSE);
}

/* ---- speaking ---- */
static void on_words_time(void *arg)
{
    struct chain *c = arg;
    if (c->words->refused)
        done(c, "the server refuses");
    else
        failed(c, FAIL_TIMEOUT);
}

static void speak(struct chain *c)
{
    struct words *w = c->words;
    while (w->at < w->nsaid) {
        ssize_t n = send(c->fd, w->said + w->at, w->nsaid - w->at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
            watch_set(c->watch, LOOP_READ | LOOP_WRITE);
            return;
        }
        if (n < 0) {
            sock_latch(&c->sv, errno);
            failed(c, failure_of_errno(c->sv.err));
            return;
        }
        w->at += (size_t)n;
        c->sent += (uint64_t)n;
        c->last_at = loop_clock();
    }
    watch_set(c->watch, LOOP_READ);
    if (w->talk.step == 1 && w->d->scheme == SCHEME_MYSQL)
        to_tls(c);
}

static void next_step(struct chain *c)
{
    struct words *w = c->words;
    w->talk.step++;
    w->nheard = 0;
    w->talk.used = 0;
    w->nsaid = w->d->say(&w->talk, &c->flow.src, w->said, sizeof(w->said));
    w->at = 0;
    if (c->request_at == NSTIME_NONE)
        c->request_at = loop_clock();
    c->got_before = c->got;
    chain_timer(c, chain_timeout(c), on_words_time);
    speak(c);
}

/* ---- listening ---- */
static void understand(struct chain *c)
{
    struct words *w = c->words;
    if (w->refused)
        return;
    enum said said = w->d->hear(&w->talk, w->heard, w->nheard);
    w->begun = w->begun || (said != SAID_MORE && said != SAID_FOREIGN);
    switch (said) {
    case SAID_MORE:
        if (w->nheard == sizeof(w->heard))
            failed(c, FAIL_TOO_LARGE);
        return;
    case SAID_NEXT: next_step(c); return;
    case SAID_TLS: to_tls(c); return;
    case SAID_DONE: done(c, "the server offers no TLS here"); return;
    case SAID_REFUSED: /* and hangs up, mostly: how, is worth a moment */
        w->refused = true;
        chain_timer(c, HOLD_DEFAULT, on_words_time);
        return;
    default: foreign(c);
    }
}

/* PostgreSQL's one byte may be followed by TLS: not a byte more is read. */
static size_t room_for(const struct words *w)
{
    return w->d->scheme == SCHEME_PG && !w->nheard ? 1 : sizeof(w->heard) - w->nheard;
}

static void listen_to(struct chain *c)
{
    struct words *w = c->words;
    uint8_t rest[512];
    ssize_t n = w->refused ? recv(c->fd, rest, sizeof(rest), MSG_DONTWAIT)
                           : recv(c->fd, w->heard + w->nheard, room_for(w), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n < 0) {
        sock_latch(&c->sv, errno);
        failed(c, failure_of_errno(c->sv.err));
        return;
    }
    if (n == 0) {
        sock_eof(&c->sv);
        failed(c, chain_failure(c));
        return;
    }
    c->last_at = loop_clock();
    if (c->first_at == NSTIME_NONE)
        c->first_at = c->last_at;
    c->got += (uint64_t)n;
    if (w->refused)
        return;
    chain_keep_first(c, w->heard + w->nheard, (size_t)n);
    w->nheard += (size_t)n;
    understand(c);
}

static void on_words(void *arg, int events)
{
    struct chain *c = arg;
    struct words *w = c->words;
    if (events & LOOP_READ)
        listen_to(c);
    else if (w->at < w->nsaid)
        speak(c);
}

bool words_begin(struct chain *c)
{
    const struct dialogue *d = dialogue_of(c->scheme);
    if (!d)
        return false;
    struct words *w = c->words = calloc(1, sizeof(*w));
    c->state = CHAIN_WORDS;
    chain_watch(c, LOOP_READ, on_words);
    chain_timer(c, chain_timeout(c), on_words_time);
    if (!w || !c->watch) {
        sock_latch(&c->sv, ENOMEM);
        tcp_failed(c, FAIL_UNKNOWN, PSTAGE_HOLD);
        return true;
    }
    w->d = d;
    w->talk.answers = true;
    if (c->nfirst) { /* a greeting that was heard already */
        w->nheard = c->nfirst;
        memcpy(w->heard, c->first, c->nfirst);
        understand(c);
    } else if (!d->greets) {
        next_step(c);
    }
    return true;
}

/* ---- facts ---- */
void words_facts(struct facts *out, const struct result *r)
{
    const char *why = field_str(r, "refused");
    struct value none = v_none();
    if (result_field(r, "starttls"))
        facts_put(out, FACT_STARTTLS, field_true(r, "starttls"), SRC_PROBE, 0, r->probe, none, none,
                  none);
    if (why)
        facts_put_yes(out, r, FACT_SERVICE_REFUSED, v_text(why), none, none);
}
