/* Did it hurt, and may the request be sent again (causes.md 0.7, D). */
#include "cause/catalogue.h"

#include <string.h>

void judge_harm(struct judgement *j, const struct view *v)
{
    static const enum fact_kind failures[] = {FACT_RST_SEEN,
                                              FACT_CONN_REFUSED,
                                              FACT_CONN_RESET,
                                              FACT_CONN_TIMEOUT,
                                              FACT_CONN_UNREACHABLE,
                                              FACT_HOLD_RESET,
                                              FACT_HOLD_FIN,
                                              FACT_EARLY_EOF,
                                              FACT_STALLED,
                                              FACT_REPLY_CUT,
                                              FACT_DNS_FAILED,
                                              FACT_TLS_ALERT,
                                              FACT_LOCAL_PORTS_EXHAUSTED,
                                              FACT_TLS_LATE_ALERT,
                                              FACT_LOCAL_DESTROYED,
                                              FACT_CERT_REJECTED,
                                              FACT_FIRST_BYTES_TEXT};
    const struct fact *said = v->by[FACT_HARMLESS];

    if (said) {
        j->harmful = !said->yes;
        j->harmful_why = said->v[0].type == VALUE_TEXT && *said->v[0].u.s
                             ? said->v[0].u.s
                             : (said->yes ? N_("the exchange was complete")
                                          : N_("the exchange was not complete"));
        return;
    }
    if (view_yes(v, FACT_RESPONSE_COMPLETE) && !view_yes(v, FACT_EARLY_REPLY)) {
        j->harmful_why = N_("a complete response had come");
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(failures); i++)
        j->harmful = j->harmful || view_yes(v, failures[i]);
    j->harmful = j->harmful || view_no(v, FACT_TLS_OK);
    j->harmful_why = j->harmful ? N_("what was asked for did not succeed")
                                : N_("nothing that was asked for failed");
}

static const char *request_line(const struct view *v)
{
    const struct fact *f = v->by[FACT_REQUEST_SEEN];
    return f && f->yes && f->v[0].type == VALUE_TEXT ? f->v[0].u.s : NULL;
}

/* RFC 9110 9.2.2 */
static bool idempotent(const char *line)
{
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};

    for (size_t i = 0; line && i < ARRAY_SIZE(methods); i++) {
        size_t n = strlen(methods[i]);
        if (!strncmp(line, methods[i], n) && (line[n] == ' ' || !line[n]))
            return true;
    }
    return false;
}

/* REFUSED_STREAM, or a GOAWAY that leaves our stream out (RFC 9113 6.8, 8.7). */
static bool stream_refused(const struct view *v)
{
    const struct fact *f = v->by[FACT_H2_GOAWAY];
    const char *text = f && f->yes && f->v[0].type == VALUE_TEXT ? f->v[0].u.s : NULL;

    return text && (strstr(text, "REFUSED_STREAM") || strstr(text, "no stream processed"));
}

static void advise(struct judgement *j, enum retry r, const char *why)
{
    j->retry = r;
    j->retry_why = why;
}

/* Deterministic causes come first: the same again fails the same way. */
static bool fails_again(struct judgement *j)
{
    if (!j->nverdicts || j->verdicts[0].grade < GRADE_LIKELY ||
        !j->verdicts[0].cause->deterministic)
        return false;
    advise(j, RETRY_NO,
           N_("sent again unchanged it fails in the same way: remove the cause first"));
    return true;
}

void judge_retry(struct judgement *j, const struct view *v)
{
    const char *line = request_line(v);

    if (!j->harmful)
        advise(j, RETRY_NOT_NEEDED, N_("nothing was lost"));
    else if (fails_again(j))
        return;
    else if (view_yes(v, FACT_RESPONSE_COMPLETE) && !view_yes(v, FACT_EARLY_REPLY))
        advise(j, RETRY_NOT_NEEDED, N_("the response was complete"));
    else if (v->stage == STAGE_SYN || v->end == END_DNS)
        advise(j, RETRY_SAFE, N_("no connection was made, so nothing was sent"));
    else if (view_yes(v, FACT_NOTHING_SENT))
        advise(j, RETRY_SAFE, N_("nothing had been sent"));
    else if (stream_refused(v))
        advise(j, RETRY_SAFE,
               N_("the server says that it did nothing with the stream (RFC 9113 8.7)"));
    else if (view_yes(v, FACT_HELLO_SENT))
        advise(j, RETRY_SAFE, N_("only the TLS handshake had begun, no request was sent"));
    else if (view_yes(v, FACT_REPLY_CUT))
        advise(
            j, RETRY_RESUME,
            N_("part of the response came: ask for the rest (Range) where that is possible, else "
               "repeat only what may be done twice"));
    else if (view_yes(v, FACT_NOTHING_ACKED))
        advise(j, RETRY_LIKELY_SAFE, N_("the server's kernel had acknowledged nothing of it"));
    else if (idempotent(line))
        advise(j, view_no(v, FACT_ALL_ACKED) ? RETRY_LIKELY_SAFE : RETRY_SAFE,
               N_("the method may be repeated without harm (RFC 9110 9.2.2)"));
    else if (line)
        advise(
            j, RETRY_ASK,
            N_("the request may have been processed: ask for its state before sending it again"));
    else if (view_no(v, FACT_ALL_ACKED))
        advise(j, RETRY_IF_IDEMPOTENT,
               N_("part of the request was never acknowledged: repeat it if it may be done twice"));
    else if (view_yes(v, FACT_ALL_ACKED))
        advise(j, RETRY_ASK,
               N_("what was sent arrived, but whether it was processed is not known"));
    else
        advise(j, RETRY_ASK,
               N_("whether what was sent arrived, and whether it was processed, is not known"));
}

static const char *const retry_words[][2] = {
    [RETRY_SAFE] = {"safe", N_("yes, it is safe")},
    [RETRY_LIKELY_SAFE] = {"likely-safe", N_("yes, very likely safe")},
    [RETRY_IF_IDEMPOTENT] = {"if-idempotent", N_("only if it may be done twice")},
    [RETRY_RESUME] = {"resume", N_("resume where it was cut")},
    [RETRY_ASK] = {"ask-state-first", N_("ask for the state first")},
    [RETRY_NO] = {"no", N_("no, not unchanged")},
    [RETRY_NOT_NEEDED] = {"not-needed", N_("not needed")},
};

const char *retry_name(enum retry r)
{
    return retry_words[(size_t)r < ARRAY_SIZE(retry_words) ? r : RETRY_ASK][0];
}

const char *retry_title(enum retry r)
{
    return retry_words[(size_t)r < ARRAY_SIZE(retry_words) ? r : RETRY_ASK][1];
}
