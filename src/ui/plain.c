/*
 * plain.c: the console as lines, questions and numbered choices.
 */
#include "ui/plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- saying ---- */

/* A paragraph, wrapped; nothing of a peer's reaches the terminal but its printable characters. */
static void say(struct plain *p, const char *text)
{
    struct lines l = {0};
    size_t room = 4 * strlen(text) + 1;
    char *clean = malloc(room);

    if (!clean)
        return;
    text_clean(clean, room, text, strlen(text));
    lines_add(&l, p->width, LOOK_NORMAL, 0, 2, 0, -1, clean);
    for (size_t i = 0; i < l.nr; i++)
        strbuf_addf(&p->out, "%*s%s\n", l.v[i].indent, "", l.v[i].text);
    lines_release(&l);
    free(clean);
}

static void sayf(struct plain *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void sayf(struct plain *p, const char *fmt, ...)
{
    char text[2000];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    say(p, text);
}

static void prompt(struct plain *p, const char *words)
{
    say(p, words);
    strbuf_addstr(&p->out, "> ");
}

static const struct incident *incident_of(const struct plain *p)
{
    return session_incident(p->ui->s, p->incident);
}

/* ---- the resets ---- */

static void say_incident(struct plain *p, size_t number, const struct incident *i)
{
    struct strbuf text = STRBUF_INIT;
    char clock[TIME_TEXT_MAX];

    if (number)
        strbuf_addf(&text, "%zu. ", number);
    strbuf_addf(&text, "%s: ", time_clock(clock, i->time, 0, false));
    incident_line(&text, p->ui->s, i, tr_locale);
    strbuf_addf(&text, ". %s. ", harm_word(i));
    judgement_headline(&text, &i->judgement, tr_locale);
    say(p, text.buf);
    strbuf_release(&text);
}

static void say_counts(struct plain *p)
{
    const struct session *s = p->ui->s;

    sayf(p,
         P_("%llu reset, %llu harmful, %llu probes failed, %zu targets.",
            "%llu resets, %llu harmful, %llu probes failed, %zu targets.",
            (unsigned long)s->resets_seen),
         (unsigned long long)s->resets_seen, (unsigned long long)s->harmful_resets,
         (unsigned long long)s->failed_probes, s->ntargets);
    if (p->ui->permission[0])
        say(p, p->ui->permission);
}

static void resets(struct plain *p)
{
    const struct session *s = p->ui->s;

    p->where = PLAIN_RESETS;
    p->nnumbers = 0;
    ui_refresh_permission(p->ui);
    say_counts(p);
    for (size_t n = s->nincidents; n-- > 0 && p->nnumbers < ARRAY_SIZE(p->numbers);) {
        const struct incident *i = s->incidents[n];
        if (i->repeat || !filter_box_incident(&p->ui->filter, s, i))
            continue;
        p->numbers[p->nnumbers++] = i->id;
        say_incident(p, p->nnumbers, i);
        p->told = MAX_OF(p->told, i->id);
    }
    if (p->nnumbers == 0)
        say(p, _("no reset so far"));
    prompt(p, _("A number: diagnose it. l: list again. t: targets. a TARGET: add one. / WORDS: "
                "filter. s: save. q: quit. h: help."));
}

static void targets(struct plain *p)
{
    const struct session *s = p->ui->s;

    for (size_t i = 0; i < s->ntargets; i++) {
        const struct target_state *t = &s->targets[i];
        struct strbuf text = STRBUF_INIT;
        strbuf_addf(&text, "%s:", t->target->name);
        for (size_t k = 0; k < probe_type_count(); k++) {
            struct stage_cell cell;
            stage_cell_fill(&cell, s, t->target->id, probe_type_at(k)->name, tr_locale);
            if (cell.known)
                strbuf_addf(&text, " %s %s.", _(probe_type_at(k)->title), cell.text);
        }
        strbuf_addf(&text, _(" Rounds: %u."), t->rounds_done);
        say(p, text.buf);
        strbuf_release(&text);
    }
    if (s->ntargets == 0)
        say(p, _("there is no target"));
    prompt(p, "");
}

/* ---- the diagnosis ---- */

static void say_facts(struct plain *p, const struct judgement *j, const struct weighed *w, size_t n,
                      const char *head)
{
    struct strbuf text = STRBUF_INIT;

    for (size_t i = 0; i < n; i++) {
        const struct fact *f = facts_get(&j->facts, w[i].kind);
        strbuf_reset(&text);
        strbuf_addf(&text, "%s: ", head);
        if (f)
            fact_text(&text, f, tr_locale);
        else
            fact_missing_text(&text, w[i].kind, tr_locale);
        if (f && f->packet)
            strbuf_addf(&text, _(" [packet %llu]"), (unsigned long long)f->packet);
        say(p, text.buf);
    }
    strbuf_release(&text);
}

static void causes(struct plain *p, const struct incident *i)
{
    const struct judgement *j = &i->judgement;

    for (size_t n = 0; n < j->nverdicts; n++) {
        const struct verdict *v = &j->verdicts[n];
        char percent[16];
        percent_text(percent, sizeof(percent), v->confidence);
        sayf(p, "%s, %s: %s", _(grade_title(v->grade)), percent, _(v->cause->title));
        say_facts(p, j, v->for_, v->nfor, _("for"));
        say_facts(p, j, v->against, v->nagainst, _("against"));
        say_facts(p, j, v->missing, v->nmissing, _("missing"));
    }
    if (j->nverdicts == 0)
        say(p, _("Not determined: nothing known points to a cause yet."));
}

static void checklist(struct plain *p, const struct incident *i)
{
    enum group group = (enum group) - 1;

    for (size_t k = 0; k < i->checklist.nr; k++) {
        const struct checklist_item *item = &i->checklist.items[k];
        if (item->step->group != group)
            sayf(p, "%s:", _(group_title(item->step->group)));
        group = item->step->group;
        sayf(p, "%s: %s", _(step_state_title(item->state)), _(item->step->question));
    }
}

static void labelled(struct plain *p, const char *label, const char *text)
{
    if (text && *text)
        sayf(p, "%s: %s", label, _(text));
}

/* The question that would tell the most, why it is asked, and what its answers would mean. */
static void question(struct plain *p, const struct incident *i)
{
    const struct checklist *c = &i->checklist;

    p->step = NULL;
    if (c->next < 0 || c->next >= (int)c->nr) {
        say(p, _("No question is open."));
        return;
    }
    p->step = c->items[c->next].step;
    sayf(p, _("Next question: %s"), _(p->step->question));
    labelled(p, _("why"), p->step->why);
    labelled(p, _("if yes"), p->step->if_yes);
    labelled(p, _("if no"), p->step->if_no);
    labelled(p, _("how"), p->step->how);
    if (p->step->answer == FACT_NOTHING)
        say(p, _("Packets and probes answer this, not a person. s sets it aside."));
}

static void advice(struct plain *p, const struct incident *i)
{
    const struct judgement *j = &i->judgement;

    if (j->nverdicts) {
        const struct cause *c = j->verdicts[0].cause;
        labelled(p, _("what"), c->what);
        labelled(p, _("client"), c->client);
        labelled(p, _("server"), c->server);
        labelled(p, _("network"), c->network);
        labelled(p, _("check"), c->confirm);
    }
    sayf(p, "%s: %s%s%s", _("retry"), _(retry_title(j->retry)),
         j->retry_why && *j->retry_why ? ": " : "",
         j->retry_why && *j->retry_why ? _(j->retry_why) : "");
}

static void ask_diagnosis(struct plain *p)
{
    prompt(p, _("y, n, i: yes, no, I do not know. s: skip. u: undo. w: reasons for and against. "
                "c: checklist. f: flow. e: experiments. >, <: another. d: say it again. b: back."));
}

static void diagnosis(struct plain *p)
{
    const struct incident *i = incident_of(p);

    if (!i) {
        resets(p);
        return;
    }
    p->where = PLAIN_DIAGNOSIS;
    say_incident(p, 0, i);
    if (i->judgement.sender != SENDER_UNKNOWN) {
        char percent[16];
        percent_text(percent, sizeof(percent), i->judgement.sender_confidence);
        sayf(p, "%s: %s (%s)", _("sent by"), _(incident_sender(i)), percent);
    }
    advice(p, i);
    question(p, i);
    ask_diagnosis(p);
}

static void answer(struct plain *p, char what)
{
    const struct ui_actions *act = &p->ui->act;
    const struct incident *i = incident_of(p);

    if (!i || !p->step) {
        say(p, _("No question is open."));
    } else if (what == 's') {
        if (act->skip)
            act->skip(act->arg, i->id, p->step->id);
        p->ui->answered = true;
    } else if (what == 'i' || p->step->answer == FACT_NOTHING) {
        say(p, what == 'i' ? _("Then it stays open.")
                           : _("packets and probes answer this question, not a person"));
        ask_diagnosis(p);
        return;
    } else {
        if (act->answer)
            act->answer(act->arg, i->id, p->step->id, what == 'y');
        p->ui->answered = true;
    }
    diagnosis(p);
}

static void other(struct plain *p, int step)
{
    const struct session *s = p->ui->s;
    uint64_t id = p->incident + (uint64_t)(int64_t)step;

    for (; id >= 1 && id <= s->nincidents; id += (uint64_t)(int64_t)step) {
        const struct incident *i = session_incident(s, id);
        if (i && !i->repeat) {
            p->incident = id;
            diagnosis(p);
            return;
        }
    }
    prompt(p, step > 0 ? _("this is the newest") : _("this is the oldest"));
}

/* ---- the flow ---- */

static void flow(struct plain *p)
{
    const struct incident *i = incident_of(p);
    const struct flow *f = i && i->flow_known
                               ? flow_table_find(p->ui->s->flows, &i->flow, i->time, 5 * NS_PER_SEC)
                               : NULL;
    struct ladder l = {0};

    p->where = PLAIN_FLOW;
    p->nnumbers = 0;
    ladder_build(&l, p->ui->s, i && i->reset ? i->reset->flow : f ? flow_id(f) : 0);
    if (l.nr == 0)
        say(p, _("no packets of this connection were captured"));
    for (size_t k = 0; k < l.nr; k++) {
        const struct ladder_row *row = &l.rows[k];
        char span[TIME_TEXT_MAX];
        if (row->kind != LADDER_PACKET || p->nnumbers == ARRAY_SIZE(p->numbers)) {
            say(p, row->label);
            continue;
        }
        p->numbers[p->nnumbers++] = row->packet;
        sayf(p, _("%zu. after %s, from the %s: %s"), p->nnumbers, span_text(span, row->time),
             row->from == SIDE_ORIG ? _("client") : _("server"), row->label);
    }
    ladder_release(&l);
    prompt(p, _("A number: that packet. =: how a normal close looks. b: back."));
}

static void normal_close(struct plain *p)
{
    struct ladder l = {0};

    if (ladder_normal_close(&l) == 0)
        for (size_t k = 0; k < l.nr; k++)
            sayf(p, "%s: %s",
                 l.rows[k].kind != LADDER_PACKET ? ""
                 : l.rows[k].from == SIDE_ORIG   ? _("client")
                                                 : _("server"),
                 l.rows[k].label);
    ladder_release(&l);
    prompt(p, "");
}

static void packet(struct plain *p, uint64_t number)
{
    const struct kept_packet *k = session_packet(p->ui->s, number);
    struct strbuf text = STRBUF_INIT;

    if (k && packet_layers(&text, k) == 0)
        for (char *at = text.buf; *at;) {
            size_t n = strcspn(at, "\n");
            char end = at[n];
            at[n] = '\0';
            say(p, at);
            at += n + (end == '\n');
        }
    strbuf_release(&text);
    prompt(p, "");
}

/* ---- experiments ---- */

static void experiments(struct plain *p)
{
    p->where = PLAIN_EXPERIMENTS;
    for (size_t i = 0; i < experiment_count(); i++) {
        const struct test *t = experiment_test(experiment_at(i));
        if (t)
            sayf(p, _("%zu. %s (about %d connections, %d s)"), i + 1, _(t->title), t->connections,
                 t->seconds);
    }
    prompt(p, _("A number runs it. A: the safe ones, the most telling first. b: back."));
}

static void run_test(struct plain *p, const char *id, bool consent)
{
    const struct ui_actions *act = &p->ui->act;
    const struct test *t = id ? test_by_id(id) : NULL;
    char err[200] = "";

    if (t && t->needs_consent && !consent) {
        p->where = PLAIN_CONSENT;
        p->test = id;
        sayf(p, _("%s: up to %d connections, about %d packets. Really?"), _(t->title),
             t->connections, t->packets);
        prompt(p, _("y: run it. n: do not."));
        return;
    }
    if (act->experiment && act->experiment(act->arg, p->incident, id, consent, err, sizeof(err)))
        say(p, err);
    else
        say(p, _("It runs; what it finds is told. d: the diagnosis as it is."));
    p->where = PLAIN_DIAGNOSIS;
    ask_diagnosis(p);
}

/* ---- what was typed ---- */

static void save(struct plain *p)
{
    ui_save(p->ui);
    prompt(p, p->ui->note);
    p->ui->note[0] = '\0';
}

static void quit(struct plain *p, bool sure)
{
    if (!sure && ui_would_lose(p->ui)) {
        p->where = PLAIN_QUIT;
        prompt(p, _("Not saved. y: quit all the same. n: stay (s saves)."));
        return;
    }
    p->ui->quitting = true;
    if (p->ui->act.quit)
        p->ui->act.quit(p->ui->act.arg);
}

static bool in_resets(struct plain *p, const char *line)
{
    char err[240] = "";

    if (strcmp(line, "l") == 0 || !*line)
        resets(p);
    else if (strcmp(line, "t") == 0)
        targets(p);
    else if (line[0] == 'a' && line[1] == ' ') {
        bool bad = ui_add_target(p->ui, line + 2, err, sizeof(err)) < 0;
        prompt(p, bad ? err : _("added; its result is told"));
    } else if (line[0] == '/') {
        if (filter_box_set(&p->ui->filter, line + 1 + strspn(line + 1, " "), err, sizeof(err)) < 0)
            prompt(p, err);
        else
            resets(p);
    } else
        return false;
    return true;
}

static bool in_diagnosis(struct plain *p, const char *line)
{
    const struct ui_actions *act = &p->ui->act;
    const struct incident *i = incident_of(p);
    char c = line[0];

    if (!i || (c && line[1]))
        return false;
    switch (c) {
    case 'y':
    case 'n':
    case 'i':
    case 's': answer(p, c); return true;
    case 'u':
        if (act->undo)
            act->undo(act->arg, i->id);
        diagnosis(p);
        return true;
    case 'w':
        causes(p, i);
        ask_diagnosis(p);
        return true;
    case 'c':
        checklist(p, i);
        ask_diagnosis(p);
        return true;
    case 'f': flow(p); return true;
    case 'e': experiments(p); return true;
    case 'd': diagnosis(p); return true;
    case '>': other(p, 1); return true;
    case '<': other(p, -1); return true;
    case 'b': resets(p); return true;
    default: return false;
    }
}

static bool by_number(struct plain *p, uint64_t n)
{
    if (p->where == PLAIN_EXPERIMENTS && n >= 1 && n <= experiment_count()) {
        run_test(p, experiment_at(n - 1)->id, false);
    } else if (n < 1 || n > p->nnumbers) {
        return false;
    } else if (p->where == PLAIN_RESETS) {
        p->incident = p->numbers[n - 1];
        diagnosis(p);
    } else if (p->where == PLAIN_FLOW) {
        packet(p, p->numbers[n - 1]);
    } else {
        return false;
    }
    return true;
}

static void help(struct plain *p)
{
    say(p, _("A TCP reset (RST) ends a connection at once. What was on the way is lost, and the "
             "program at the other end reads \"connection reset by peer\". The segment bears the "
             "address of the peer, but a firewall, a load balancer or this host may have made it: "
             "its TTL, its sequence number and its timing tell which."));
    say(p, _("Type a letter or a number, then Enter. An empty line lists the resets. What happens "
             "meanwhile is told in a line of its own."));
    prompt(p, "");
}

static bool in_question(struct plain *p, const char *line)
{
    enum plain_place was = p->where;
    bool yes = line[0] == 'y';

    if (was != PLAIN_CONSENT && was != PLAIN_QUIT)
        return false;
    p->where = was == PLAIN_CONSENT ? PLAIN_DIAGNOSIS : PLAIN_RESETS;
    if (was == PLAIN_CONSENT && yes)
        run_test(p, p->test, true);
    else if (was == PLAIN_QUIT && yes)
        quit(p, true);
    else if (was == PLAIN_CONSENT)
        diagnosis(p);
    else
        resets(p);
    return true;
}

void plain_line(struct plain *p, const char *line)
{
    uint64_t n;

    line += strspn(line, " \t");
    if (in_question(p, line))
        return;
    if (parse_u64(line, 1, UINT64_MAX, &n) == 0 && by_number(p, n))
        return;
    if (p->where == PLAIN_DIAGNOSIS && in_diagnosis(p, line))
        return;
    if (p->where == PLAIN_RESETS && in_resets(p, line))
        return;
    if (strcmp(line, "q") == 0)
        quit(p, false);
    else if (strcmp(line, "h") == 0 || strcmp(line, "?") == 0)
        help(p);
    else if (strcmp(line, "s") == 0)
        save(p);
    else if (strcmp(line, "=") == 0)
        normal_close(p);
    else if (p->where == PLAIN_EXPERIMENTS && strcmp(line, "A") == 0)
        run_test(p, NULL, false);
    else if (strcmp(line, "b") == 0 && (p->where == PLAIN_FLOW || p->where == PLAIN_EXPERIMENTS))
        diagnosis(p);
    else if (!*line || strcmp(line, "b") == 0)
        resets(p);
    else
        prompt(p, _("That is none of the choices. h: help."));
}

/* ---- what happens meanwhile ---- */

/* The same failure of a target in each round would talk without end. */
static bool said_before(struct plain *p, const struct incident *i)
{
    uint64_t key = reset_same_key(p->ui->s, i);

    if (!i->target)
        return false;
    for (size_t k = 0; k < p->nkinds; k++)
        if (p->kinds[k] == key)
            return true;
    if (p->nkinds < ARRAY_SIZE(p->kinds))
        p->kinds[p->nkinds++] = key;
    return false;
}

void plain_news(struct plain *p)
{
    const struct session *s = p->ui->s;
    size_t before = p->out.len;

    for (uint64_t id = p->told + 1; id <= s->nincidents; id++) {
        const struct incident *i = session_incident(s, id);
        if (i && i->judgement.nverdicts == 0 && !s->finished && i->judged_revision == 0)
            break; /* it is not judged yet: told when it is */
        p->told = id;
        if (!i || i->repeat || !i->harmful || said_before(p, i))
            continue;
        if (p->out.len == before)
            strbuf_addf(&p->out, "\n%s\n", _("New:"));
        bool numbered = p->where == PLAIN_RESETS && p->nnumbers < ARRAY_SIZE(p->numbers);
        if (numbered)
            p->numbers[p->nnumbers++] = id;
        say_incident(p, numbered ? p->nnumbers : 0, i);
    }
    if (s->finished && !p->said_done) {
        p->said_done = true;
        if (p->out.len == before)
            strbuf_addch(&p->out, '\n');
        say(p, _("Done: nothing more is looked at. An empty line lists the resets."));
    }
    if (p->out.len != before)
        strbuf_addstr(&p->out, "> ");
}

void plain_open(struct plain *p, struct ui *ui, int width)
{
    memset(p, 0, sizeof(*p));
    strbuf_init(&p->out);
    p->ui = ui;
    p->width = MAX_OF(MIN_OF(width, 100), 30);
    say(p, _("rstconsole, line by line: this terminal has no cursor that could be moved."));
    resets(p);
}

void plain_release(struct plain *p)
{
    strbuf_release(&p->out);
}
