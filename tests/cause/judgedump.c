/*
 * judgedump FILE: what the judge says of each reset in a capture (pcap or pcapng). A tool for
 * tuning weights and looking at single resets; not a test.
 *   reset ID SRC SPORT DST DPORT STAGE FROM CLASS SENDER CONF HARMFUL RETRY CAUSE GRADE CONF
 * With -v each is followed by its facts, verdicts with their weights, and the next step.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "step/step.h"

static int read_all(const char *path, struct strbuf *out)
{
    char piece[65536];
    size_t n;
    FILE *f = fopen(path, "rb");

    if (!f)
        return -errno;
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        strbuf_add(out, piece, n);
    fclose(f);
    return out->err;
}

static int walk(struct flow_table *table, const struct strbuf *file)
{
    struct capread reader;
    struct record rec;
    struct packet pkt;
    struct defrag *defrag = defrag_new(0);
    size_t at = 0, used = 0;
    int got;

    capread_init(&reader);
    while ((got = capread_next(&reader, (const uint8_t *)file->buf + at, file->len - at, &used,
                               &rec)) > 0) {
        at += used;
        if (packet_decode(&pkt, &rec, defrag) > 0)
            flow_table_packet(table, &pkt);
    }
    if (got < 0)
        fprintf(stderr, "judgedump: %s\n", reader.error);
    flow_table_finish(table);
    capread_release(&reader);
    defrag_free(defrag);
    return got;
}

static void show_weighed(const char *what, const struct weighed *w, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("      %-7s %+5d %s\n", what, w[i].centinats, fact_info(w[i].kind)->name);
}

static void show_details(const struct judgement *j)
{
    struct strbuf text = STRBUF_INIT;
    struct checklist list;

    for (size_t i = 0; i < j->facts.nr; i++) {
        strbuf_reset(&text);
        fact_text(&text, &j->facts.items[i], tr_none);
        printf("    fact %-24s %-3s %s\n", fact_info(j->facts.items[i].kind)->name,
               j->facts.items[i].yes ? "yes" : "no", text.buf);
    }
    show_weighed("sender", j->sender_why, j->nsender_why);
    for (size_t i = 0; i < j->nverdicts; i++) {
        const struct verdict *v = &j->verdicts[i];
        printf("    verdict %s %s %.2f\n", v->cause->id, grade_name(v->grade), v->confidence);
        show_weighed("for", v->for_, v->nfor);
        show_weighed("against", v->against, v->nagainst);
        show_weighed("missing", v->missing, v->nmissing);
    }
    for (size_t i = 0; i < cause_count(); i++)
        if (j->shares[i] >= .03)
            printf("    share %.3f %s\n", j->shares[i], cause_at(i)->id);
    checklist_init(&list);
    if (!checklist_build(&list, j, NULL) && list.next >= 0)
        printf("    next %s\n", list.items[list.next].step->id);
    checklist_release(&list);
    strbuf_release(&text);
}

static int show(const struct reset *r, bool verbose)
{
    struct facts facts;
    struct judgement j;
    char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];

    facts_init(&facts);
    judgement_init(&j);
    facts_of_reset(&facts, r);
    int err = judge(&j, &facts);
    const char *stage = stage_name(r->stage), *class = rst_class_name(r->class);
    printf("reset %llu %s %u %s %u %s %s %s %s %.2f %s %s %s %s %.2f\n", (unsigned long long)r->id,
           addr_text(src, &r->key.src), r->key.sport, addr_text(dst, &r->key.dst), r->key.dport,
           stage ? stage : "-", r->from == SIDE_ORIG ? "orig" : "resp", class ? class : "-",
           sender_name(j.sender), j.sender_confidence, j.harmful ? "y" : "n", retry_name(j.retry),
           j.nverdicts ? j.verdicts[0].cause->id : "-",
           j.nverdicts ? grade_name(j.verdicts[0].grade) : "-",
           j.nverdicts ? j.verdicts[0].confidence : 0);
    if (verbose)
        show_details(&j);
    judgement_release(&j);
    facts_release(&facts);
    return err;
}

int main(int argc, char **argv)
{
    bool verbose = argc > 1 && !strcmp(argv[1], "-v");
    struct strbuf file = STRBUF_INIT;
    struct flow_settings settings = {0};
    struct flow_table *table = flow_table_new(&settings);

    if (argc != 2 + verbose || !table) {
        fprintf(stderr, "usage: judgedump [-v] FILE\n");
        return 2;
    }
    int err = read_all(argv[1 + verbose], &file);
    if (err) {
        fprintf(stderr, "judgedump: %s: %s\n", argv[1 + verbose], strerror(-err));
        return 1;
    }
    walk(table, &file);
    for (uint64_t id = 1; id <= flow_table_resets(table); id++)
        if (flow_table_reset(table, id))
            err |= show(flow_table_reset(table, id), verbose);
    flow_table_free(table);
    strbuf_release(&file);
    return err ? 1 : 0;
}
