/*
 * trialone EXPERIMENT TARGET WORD...: runs one experiment against a target and says what came out,
 * a line each. Words: end=reset stage=handshake scheme=https silence=SECONDS address=ADDR
 * other=ADDR gap=SECONDS connections=N time=SECONDS cancel=SECONDS shots
 */
#include "experiment/experiment.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct job {
    struct loop *l;
    struct trial *trial;
    struct timer *cancel;
    bool cancelled;
};

static void on_done(void *arg, struct trial *t)
{
    (void)t;
    loop_quit(((struct job *)arg)->l);
}

static void on_cancel(void *arg)
{
    struct job *j = arg;

    j->cancelled = true;
    if (j->trial)
        trial_cancel(j->trial);
    loop_quit(j->l);
}

static int sockets_open(void)
{
    char path[64], to[64];
    int n = 0;

    for (int fd = 3; fd < 1000; fd++) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        ssize_t len = readlink(path, to, sizeof(to) - 1);
        n += len > 6 && memcmp(to, "socket", 6) == 0;
    }
    return n;
}

static int word(const char *const *words, int n, const char *w)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(words[i], w))
            return i;
    fprintf(stderr, "trialone: %s?\n", w);
    exit(2);
}

static void set(struct symptom *y, struct trial_settings *st, nstime *cancel, char *arg)
{
    static const char *const schemes[] = {"auto", "tcp", "tls", "http", "https", "dns"};
    static struct addr other[8];
    char *value = strchr(arg, '=');
    const char *ends[SHOT_CANCELLED + 1], *stages[SHOT_AGAIN + 1];

    if (!value)
        return;
    *value++ = 0;
    for (int i = 0; i <= SHOT_CANCELLED; i++)
        ends[i] = shot_end_name((enum shot_end)i);
    for (int i = 0; i <= SHOT_AGAIN; i++)
        stages[i] = shot_stage_name((enum shot_stage)i);
    if (!strcmp(arg, "end"))
        y->end = (enum shot_end)word(ends, SHOT_CANCELLED + 1, value);
    else if (!strcmp(arg, "stage"))
        y->stage = (enum shot_stage)word(stages, SHOT_AGAIN + 1, value);
    else if (!strcmp(arg, "scheme"))
        y->scheme = (enum scheme)word(schemes, 6, value);
    else if (!strcmp(arg, "silence"))
        parse_seconds(value, &y->silence);
    else if (!strcmp(arg, "address"))
        addr_parse(value, &y->address);
    else if (!strcmp(arg, "other") && y->nothers < 8) {
        addr_parse(value, &other[y->nothers++]);
        y->others = other;
    } else if (!strcmp(arg, "gap"))
        parse_seconds(value, &st->content_gap);
    else if (!strcmp(arg, "connections"))
        st->max_connections = (unsigned)strtoul(value, NULL, 10);
    else if (!strcmp(arg, "time"))
        parse_seconds(value, &st->max_time);
    else if (!strcmp(arg, "cancel"))
        parse_seconds(value, cancel);
    else
        word(NULL, 0, arg);
}

static void print_value(const char *kind, const char *name, bool yes, const struct value *v)
{
    printf("%s %s", kind, name);
    if (!strcmp(kind, "fact"))
        printf(" %s", yes ? "yes" : "no");
    switch (v->type) {
    case VALUE_INT: printf(" %lld", (long long)v->u.i); break;
    case VALUE_SPAN: printf(" %.3f", (double)v->u.i / NS_PER_SEC); break;
    case VALUE_REAL: printf(" %.6g", v->u.d); break;
    case VALUE_TEXT: printf(" %s", v->u.s); break;
    case VALUE_BOOL: printf(" %s", v->u.b ? "true" : "false"); break;
    default: break;
    }
    printf("\n");
}

static void print(const struct trial *t, bool shots)
{
    static const char *const outcomes[] = {"separated", "inconclusive", "cancelled"};

    printf("outcome %s\n", outcomes[trial_get_outcome(t)]);
    if (trial_why(t))
        printf("why %s\n", trial_why(t));
    printf("connections %u\nseconds %.3f\n", trial_connections(t),
           (double)trial_span(t) / NS_PER_SEC);
    for (size_t i = 0; i < trial_measures(t); i++)
        print_value("measure", trial_measure_at(t, i)->name, true, &trial_measure_at(t, i)->value);
    for (size_t i = 0; i < trial_facts(t)->nr; i++) {
        const struct fact *f = &trial_facts(t)->items[i];
        print_value("fact", fact_info(f->kind)->name, f->yes, &f->v[0]);
    }
    for (size_t i = 0; shots && i < trial_shots(t); i++) {
        const struct shot *s = trial_shot(t, i);
        char from[ADDR_TEXT_MAX];
        printf("shot %g %s%s at %s errno %d icmp %d %s status %d silent %.3f expired %d \"%s\"\n",
               s->plan.x, s->plan.label ? s->plan.label : "", s->plan.control ? " (control)" : "",
               shot_stage_name(s->stage), s->err, s->icmp, addr_text(from, &s->icmp_from),
               s->status, (double)s->silent / NS_PER_SEC, s->expired, shot_end_name(s->end));
    }
}

int main(int argc, char **argv)
{
    const struct experiment *e = argc > 2 ? experiment_by_id(argv[1]) : NULL;
    struct target *target = NULL;
    struct trial_settings st = {0};
    struct symptom y = {.end = SHOT_RESET, .stage = SHOT_HANDSHAKE};
    struct job j = {.l = loop_new()};
    nstime cancel = 0;
    char err[200];
    bool shots = false;

    if (!e || !j.l || target_parse(&target, argv[2], err, sizeof(err))) {
        fprintf(stderr, "usage: trialone EXPERIMENT TARGET WORD...\n");
        return 2;
    }
    y.target = target;
    y.port = target->port;
    y.scheme = target->scheme;
    y.address = target->address;
    for (int i = 3; i < argc; i++) {
        shots |= !strcmp(argv[i], "shots");
        if (strncmp(argv[i], "opt:", 4) == 0) {
            char *value = strchr(argv[i], '=');
            *value = 0;
            if (target_set(target, argv[i] + 4, value + 1, err, sizeof(err)))
                fprintf(stderr, "%s\n", err);
        } else {
            set(&y, &st, &cancel, argv[i]);
        }
    }
    struct shooter *sh = shooter_new(j.l, NULL, NULL);
    int rc = sh ? trial_start(&j.trial, e, &y, sh, &st, NULL, on_done, &j) : -1;
    if (rc) {
        printf("unfit %s\n", e->unfit && e->unfit(&y) ? e->unfit(&y) : strerror(-rc));
    } else {
        if (cancel)
            j.cancel = loop_timer(j.l, cancel, 0, on_cancel, &j);
        loop_run(j.l);
        print(j.trial, shots);
    }
    if (j.cancelled)
        printf("sockets %d\n", sockets_open());
    trial_free(j.trial);
    if (sh)
        sh->free(sh);
    timer_stop(j.cancel);
    loop_run_once(j.l, false);
    loop_free(j.l);
    target_free(target);
    return 0;
}
