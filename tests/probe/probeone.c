/* A dev program: probes its TARGETs once and prints each result as one line of JSON-like text, with
 * the facts it tells. Used by the scripted tests; not installed.
 *   probeone [--resolver ADDR:PORT] [--in-flight N] [--cancel-after MS] [--repeat] TARGET... */
#include "probe/probe.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
    struct loop *l;
    struct prober *p;
    unsigned open;
    struct timer *cancel;
    struct target **targets;
    bool repeat;
    unsigned rounds; /* of each target */
};

static void print_text(const char *s)
{
    putchar('"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            putchar('\\');
        putchar(*s);
    }
    putchar('"');
}

static void print_value(struct value v)
{
    switch (v.type) {
    case VALUE_INT: printf("%" PRId64, v.u.i); break;
    case VALUE_SPAN: printf("%.3f", (double)v.u.i / 1e6); break; /* ms */
    case VALUE_REAL: printf("%g", v.u.d); break;
    case VALUE_BOOL: printf("%s", v.u.b ? "true" : "false"); break;
    case VALUE_TEXT: print_text(v.u.s); break;
    default: printf("null");
    }
}

/* A field that is there more than once is a list. */
static void print_fields(const struct result *r)
{
    bool first = true;
    printf("{");
    for (size_t i = 0; i < r->nfields; i++) {
        const char *name = r->fields[i].name;
        size_t n = 0;
        if (result_field(r, name) != &r->fields[i])
            continue;
        printf("%s\"%s\":[", first ? "" : ",", name);
        first = false;
        for (size_t k = i; k < r->nfields; k++)
            if (!strcmp(r->fields[k].name, name)) {
                printf("%s", n++ ? "," : "");
                print_value(r->fields[k].value);
            }
        printf("]");
    }
    printf("}");
}

static void print_facts(const struct result *r)
{
    struct facts f;
    facts_init(&f);
    facts_of_result(&f, r);
    facts_sort(&f);
    printf("{");
    for (size_t i = 0; i < f.nr; i++) {
        struct strbuf sb = STRBUF_INIT;
        fact_text(&sb, &f.items[i], tr_none);
        printf("%s\"%s\":{\"yes\":%s,\"text\":", i ? "," : "", fact_info(f.items[i].kind)->name,
               f.items[i].yes ? "true" : "false");
        print_text(sb.buf);
        printf("}");
        strbuf_release(&sb);
    }
    printf("}");
    facts_release(&f);
}

static void print_result(const struct result *r)
{
    char at[ADDR_TEXT_MAX], flow[FLOW_KEY_TEXT_MAX];
    const char *stage = probe_stage_name(r->stage), *failure = failure_name(r->failure);
    printf(
        "{\"type\":\"result\",\"probe\":\"%s\",\"target\":%u,\"round\":%u,\"chain\":%" PRIu64
        ",\"repeat\":%s,\"address\":\"%s\",\"outcome\":\"%s\",\"failure\":\"%s\",\"stage\":\"%s\","
        "\"errno\":\"%s\",\"doubtful\":%s",
        r->probe, r->target, r->round, r->chain, r->repeat ? "true" : "false",
        r->address.family ? addr_text(at, &r->address) : "", outcome_name(r->outcome),
        failure ? failure : "", stage ? stage : "", r->err ? errno_name(r->err) : "",
        result_doubtful(r) ? "true" : "false");
    if (r->flow_known)
        printf(",\"flow\":\"%s\"", flow_key_text(flow, &r->flow));
    printf(",\"ms\":{");
    bool first = true;
    for (int i = 0; i < TIMING_COUNT; i++)
        if (r->timings[i] != NSTIME_NONE) {
            printf("%s\"%s\":%.3f", first ? "" : ",", timing_names[i], (double)r->timings[i] / 1e6);
            first = false;
        }
    printf("},\"fields\":");
    print_fields(r);
    printf(",\"facts\":");
    print_facts(r);
    printf("}\n");
}

static void on_chain(void *arg, uint32_t target, uint64_t chain, const struct flow_key *flow)
{
    char text[FLOW_KEY_TEXT_MAX];
    (void)arg;
    printf("{\"type\":\"chain\",\"target\":%u,\"chain\":%" PRIu64 ",\"flow\":\"%s\"}\n", target,
           chain, flow_key_text(text, flow));
}

static void on_result(void *arg, struct result *r)
{
    (void)arg;
    print_result(r);
    result_free(r);
}

static void on_done(void *arg, uint32_t target, uint32_t round)
{
    struct run *x = arg;
    printf("{\"type\":\"done\",\"target\":%u,\"round\":%u}\n", target, round);
    struct probe_callbacks cb = {on_chain, on_result, on_done, x};
    if (round < x->rounds && prober_start(x->p, x->targets[target - 1], round + 1, false, &cb) == 0)
        return;
    if (!--x->open)
        loop_quit(x->l);
}

static void on_cancel(void *arg)
{
    struct run *x = arg;
    prober_cancel(x->p);
}

static int start_all(struct run *x, char **specs, int n)
{
    struct probe_callbacks cb = {on_chain, on_result, on_done, x};
    char err[256];
    for (int i = 0; i < n; i++) {
        if (target_parse(&x->targets[i], specs[i], err, sizeof(err)) < 0) {
            fprintf(stderr, "probeone: %s\n", err);
            return 2;
        }
        x->targets[i]->id = (uint32_t)i + 1;
        struct target *t = x->targets[i];
        int rc = x->repeat ? prober_repeat(x->p, t, &t->address, 1, &cb)
                           : prober_start(x->p, t, 1, false, &cb);
        if (rc < 0) {
            fprintf(stderr, "probeone: %s\n", errno_name(rc));
            return 3;
        }
        x->open++;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct prober_settings st = {0};
    struct run x = {0};
    uint64_t n, cancel_ms = 0;
    int i = 1, status;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (!strcmp(argv[i], "--resolver") && i + 1 < argc)
            st.resolver = argv[++i];
        else if (!strcmp(argv[i], "--in-flight") && i + 1 < argc &&
                 parse_u64(argv[++i], 1, 10000, &n) == 0)
            st.max_in_flight = (unsigned)n;
        else if (!strcmp(argv[i], "--cancel-after") && i + 1 < argc)
            parse_u64(argv[++i], 1, 60000, &cancel_ms);
        else if (!strcmp(argv[i], "--system"))
            st.ask_system = true;
        else if (!strcmp(argv[i], "--rounds") && i + 1 < argc &&
                 parse_u64(argv[++i], 1, 1000, &n) == 0)
            x.rounds = (unsigned)n;
        else if (!strcmp(argv[i], "--repeat"))
            x.repeat = true;
        else
            return 2;
    }
    x.l = loop_new();
    x.p = x.l ? prober_new(x.l, &st) : NULL;
    x.targets = calloc((size_t)argc, sizeof(*x.targets));
    if (!x.p || !x.targets)
        return 3;
    status = start_all(&x, argv + i, argc - i);
    if (status == 0 && cancel_ms)
        x.cancel = loop_timer(x.l, (nstime)cancel_ms * NS_PER_MS, 0, on_cancel, &x);
    if (status == 0 && x.open)
        loop_run(x.l);
    timer_stop(x.cancel);
    prober_free(x.p);
    for (i = 0; i < argc; i++)
        target_free(x.targets[i]);
    free(x.targets);
    loop_free(x.l);
    return status;
}
