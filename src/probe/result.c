/* Results: generic, so that nobody else knows one probe from another; and the words they use. */
#include "probe/internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_TEXT_MAX 1024
#define FIELDS_MAX     256 /* a peer decides how many there are of some */

static const char *const outcome_names[] = {"ok", "failed", "skipped"};
const char *outcome_name(enum outcome o)
{
    return outcome_names[o];
}

static const char *const stage_names[] = {"dns",     "connect",  "hold",  "handshake",
                                          "request", "response", "close", NULL};
const char *probe_stage_name(enum probe_stage s)
{
    return s < ARRAY_SIZE(stage_names) ? stage_names[s] : NULL;
}

static const struct {
    const char *name, *title;
} failures[FAIL_COUNT] = {
    [FAIL_NONE] = {NULL, N_("OK")},
    [FAIL_REFUSED] = {"connection_refused", N_("REFUSED")},
    [FAIL_RESET] = {"connection_reset", N_("RESET")},
    [FAIL_ABORTED] = {"connection_aborted", N_("ABORTED")},
    [FAIL_HOST_UNREACHABLE] = {"host_unreachable", N_("NO HOST")},
    [FAIL_NETWORK_UNREACHABLE] = {"network_unreachable", N_("NO ROUTE")},
    [FAIL_TIMEOUT] = {"generic_timeout_error", N_("TIMEOUT")},
    [FAIL_EOF] = {"eof_error", N_("CLOSED")},
    [FAIL_BROKEN_PIPE] = {"broken_pipe", N_("BROKEN")},
    [FAIL_DNS_NXDOMAIN] = {"dns_nxdomain_error", N_("NO NAME")},
    [FAIL_DNS_NO_ANSWER] = {"dns_no_answer", N_("NO ADDR")},
    [FAIL_DNS_SERVFAIL] = {"dns_servfail_error", N_("SERVFAIL")},
    [FAIL_DNS_REFUSED] = {"dns_refused_error", N_("DNS REF")},
    [FAIL_TLS_HANDSHAKE] = {"ssl_failed_handshake", N_("TLS FAIL")},
    [FAIL_TLS_HOSTNAME] = {"ssl_invalid_hostname", N_("BAD NAME")},
    [FAIL_TLS_AUTHORITY] = {"ssl_unknown_authority", N_("BAD CA")},
    [FAIL_TLS_CERTIFICATE] = {"ssl_invalid_certificate", N_("BAD CERT")},
    [FAIL_HTTP_BAD_RESPONSE] = {"http_bad_response", N_("NOT HTTP")},
    [FAIL_TOO_LARGE] = {"too_large", N_("TOO BIG")},
    [FAIL_INTERRUPTED] = {"interrupted", N_("STOPPED")},
    [FAIL_UNKNOWN] = {"unknown_failure", N_("FAILED")},
};

const char *failure_name(enum failure f)
{
    return failures[f].name;
}

const char *failure_title(enum failure f)
{
    return failures[f].title;
}

enum failure failure_by_name(const char *name)
{
    for (int f = FAIL_NONE + 1; name && f < FAIL_COUNT; f++)
        if (!strcmp(failures[f].name, name))
            return (enum failure)f;
    return name ? FAIL_UNKNOWN : FAIL_NONE;
}

enum failure failure_of_errno(int err)
{
    switch (err) {
    case ECONNREFUSED: return FAIL_REFUSED;
    case ECONNRESET: return FAIL_RESET;
    case ECONNABORTED: return FAIL_ABORTED;
    case EHOSTUNREACH:
    case EHOSTDOWN: return FAIL_HOST_UNREACHABLE;
    case ENETUNREACH:
    case ENETDOWN: return FAIL_NETWORK_UNREACHABLE;
    case ETIMEDOUT: return FAIL_TIMEOUT;
    case EPIPE: return FAIL_BROKEN_PIPE;
    default: return FAIL_UNKNOWN;
    }
}

const char *const timing_names[TIMING_COUNT] = {"dns", "connect", "tls", "first_byte", "total"};

struct result *result_new(void)
{
    struct result *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->stage = PSTAGE_NONE;
    for (size_t i = 0; i < TIMING_COUNT; i++)
        r->timings[i] = NSTIME_NONE;
    return r;
}

static void field_release(struct field *f)
{
    free(f->name);
    if (f->value.type == VALUE_TEXT)
        free((char *)f->value.u.s);
}

void result_free(struct result *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->nfields; i++)
        field_release(&r->fields[i]);
    free(r->fields);
    free(r);
}

static int value_copy(struct value *out, struct value v)
{
    *out = v;
    if (v.type != VALUE_TEXT)
        return 0;
    char clean[FIELD_TEXT_MAX + 1];
    const char *s = v.u.s ? v.u.s : "";
    out->u.s = strdup(text_clean(clean, sizeof(clean), s, strlen(s)));
    return out->u.s ? 0 : -ENOMEM;
}

int result_add(struct result *r, const char *name, struct value v)
{
    struct field f = {0};
    if (r->nfields >= FIELDS_MAX)
        return -E2BIG;
    int rc = ARRAY_GROW(r->fields, r->nfields + 1, r->fields_alloc);
    if (rc < 0)
        return rc;
    f.name = strdup(name);
    if (!f.name)
        return -ENOMEM;
    rc = value_copy(&f.value, v);
    if (rc < 0) {
        free(f.name);
        return rc;
    }
    r->fields[r->nfields++] = f;
    return 0;
}

int result_set(struct result *r, const char *name, struct value v)
{
    for (size_t i = 0; i < r->nfields; i++) {
        struct field *f = &r->fields[i];
        if (strcmp(f->name, name))
            continue;
        struct value copy;
        int rc = value_copy(&copy, v);
        if (rc < 0)
            return rc;
        if (f->value.type == VALUE_TEXT)
            free((char *)f->value.u.s);
        f->value = copy;
        return 0;
    }
    return result_add(r, name, v);
}

const struct field *result_field(const struct result *r, const char *name)
{
    for (size_t i = 0; i < r->nfields; i++)
        if (!strcmp(r->fields[i].name, name))
            return &r->fields[i];
    return NULL;
}

int64_t field_int(const struct result *r, const char *name, int64_t none)
{
    const struct field *f = result_field(r, name);
    if (!f || (f->value.type != VALUE_INT && f->value.type != VALUE_SPAN))
        return none;
    return f->value.u.i;
}

const char *field_str(const struct result *r, const char *name)
{
    const struct field *f = result_field(r, name);
    return f && f->value.type == VALUE_TEXT ? f->value.u.s : NULL;
}

bool field_true(const struct result *r, const char *name)
{
    const struct field *f = result_field(r, name);
    return f && f->value.type == VALUE_BOOL && f->value.u.b;
}
