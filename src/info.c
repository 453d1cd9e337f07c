/* What is printed and done: the version, the catalogue, the interfaces. */
#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config.h"

int print_version(void)
{
    puts(PACKAGE_STRING);
    puts(_("Licence GPL-3.0-or-later: free software, without warranty."));
    return EXIT_WELL;
}

int print_causes(void)
{
    for (int g = 0; g < GROUP_COUNT; g++) {
        printf("%s\n", _(group_title((enum group)g)));
        for (size_t i = 0; i < cause_count(); i++) {
            const struct cause *c = cause_at(i);
            if (c->group == (enum group)g)
                printf("  %-28s %s\n", c->id, _(c->title));
        }
    }
    printf("%s\n", _("Playbooks"));
    for (size_t i = 0; i < playbook_count(); i++)
        printf("  %-28s %s\n", playbook_at(i)->id, _(playbook_at(i)->title));
    return EXIT_WELL;
}

static void paragraph(const char *title, const char *text)
{
    if (text && *text)
        printf("\n%s\n  %s\n", title, _(text));
}

static void print_snippets(const struct cause *c)
{
    const struct snippet *s = cause_snippets(c);

    if (!s)
        return;
    printf("\n%s\n", _("In code and settings"));
    for (; s->in; s++) {
        printf("  %s\n", s->in);
        for (const char *p = s->text; *p;) {
            int n = (int)strcspn(p, "\n");
            printf("    %.*s\n", n, p);
            p += n + (p[n] == '\n');
        }
    }
}

/* For causes that a measured time speaks for. */
static void print_lifetimes(const struct cause *c)
{
    bool speaks = false;

    for (size_t i = 0; i < c->nweights; i++)
        speaks = speaks || (c->weights[i].kind == FACT_IDLE_MATCHES && c->weights[i].centinats > 0);
    if (!speaks)
        return;
    printf("\n%s\n", _("Known defaults (a measured time is consistent with them, never proof)"));
    for (size_t i = 0; i < lifetime_count(); i++) {
        const struct lifetime *l = lifetime_at(i);
        printf("  %6d s  %s: %s", l->seconds, l->who, _(l->ends));
        printf(l->setting[0] ? " (%s; %s)\n" : "%s (%s)\n", l->setting, l->as_of);
    }
}

static int print_playbook(const struct playbook *p)
{
    printf("%s - %s\n", p->id, _(p->title));
    for (size_t i = 0; i < playbook_items(p); i++)
        printf("\n%2zu. %s\n    %s\n", i + 1, _(p->items[i].say), _(p->items[i].means));
    return EXIT_WELL;
}

static int print_errno(const struct wire_errno *e)
{
    printf("%s - %s\n", e->name, _(e->event));
    paragraph(_("How to tell"), e->tell);
    return EXIT_WELL;
}

int print_cause(const char *id)
{
    const struct cause *c = cause_by_id(id);

    if (!c && playbook_by_id(id))
        return print_playbook(playbook_by_id(id));
    if (!c && wire_errno_by_name(id))
        return print_errno(wire_errno_by_name(id));
    if (!c) {
        char shown[80];
        complain(_("--explain: no cause is called %s; see --list-causes"),
                 text_clean(shown, sizeof(shown), id, strlen(id)));
        return EXIT_USAGE;
    }
    printf("%s - %s (%s)\n", c->id, _(c->title), _(group_title(c->group)));
    paragraph(_("What happens"), c->what);
    paragraph(_("How to confirm it"), c->confirm);
    paragraph(_("What the client can do"), c->client);
    paragraph(_("What the server can do"), c->server);
    paragraph(_("What the network can do"), c->network);
    print_snippets(c);
    print_lifetimes(c);
    if (c->benign)
        printf("\n%s\n", _("Nothing was lost: harmless."));
    printf("\n%s\n", _("References"));
    for (const char *const *r = c->references; *r; r++)
        printf("  %s\n", *r);
    return EXIT_WELL;
}

int print_interfaces(void)
{
    struct strbuf list = STRBUF_INIT;
    char err[256] = "";
    int rc = capture_list_interfaces(&list, err, sizeof(err));

    if (rc) {
        complain("%s", err[0] ? err : strerror(-rc));
        strbuf_release(&list);
        return EXIT_CANNOT;
    }
    fputs(list.buf, stdout);
    strbuf_release(&list);
    return EXIT_WELL;
}

static void doctor_line(const char *title, int err, const struct strbuf *found,
                        const struct strbuf *remedy)
{
    const char *state = !err                              ? _("available")
                        : err == -EPERM || err == -EACCES ? _("not permitted")
                                                          : _("not here");

    printf("%s: %s\n", title, state);
    if (found->len)
        printf("    %s\n", found->buf);
    else if (err)
        printf("    %s\n", strerror(-err));
    if (remedy->len)
        printf("    -> %s\n", remedy->buf);
}

struct tried {
    struct loop *loop;
    enum capture_error err;
    char why[256];
};

static void on_tried_record(void *arg, const struct record *rec, void *made)
{
    (void)made;
    (void)arg;
    (void)rec;
}

static void on_tried(void *arg, enum capture_state state, enum capture_error err, const char *text)
{
    struct tried *t = arg;

    t->err = state == CAPTURE_READY ? CAPERR_NONE : err ? err : CAPERR_HELPER;
    if (text)
        text_clean(t->why, sizeof(t->why), text, strlen(text));
    loop_quit(t->loop);
}

/* The helper is started as it would be: no rule of thumb knows better. */
static int try_capture(struct tried *t)
{
    struct capture_callbacks cb = {.on_record = on_tried_record, .on_state = on_tried, .arg = t};
    struct capture *c = NULL;
    int err = -ENOMEM;

    t->err = CAPERR_HELPER;
    t->loop = loop_new();
    if (t->loop)
        err = capture_open_live(&c, t->loop, NULL, 0, NULL, &cb);
    if (!err)
        loop_run(t->loop);
    capture_free(c);
    loop_free(t->loop);
    if (err)
        return err;
    return t->err == CAPERR_NONE ? 0 : t->err == CAPERR_PERMISSION ? -EPERM : -ENOENT;
}

static void doctor_capture(void)
{
    struct strbuf found = STRBUF_INIT, remedy = STRBUF_INIT;
    struct tried t = {.why = ""};
    int err = try_capture(&t);

    if (err) {
        strbuf_addstr(&found, t.why); /* it holds the command that helps, where one does */
    } else {
        strbuf_addstr(&found, _("packets of every interface"));
    }
    doctor_line(_("live capture"), err, &found, &remedy);
    strbuf_release(&found);
    strbuf_release(&remedy);
}

int print_keys(void)
{
    struct strbuf text = STRBUF_INIT;

    ui_list_keys(&text);
    fputs(text.buf, stdout);
    strbuf_release(&text);
    return EXIT_WELL;
}

int print_doctor(void)
{
    doctor_capture();
    for (size_t i = 0; i < host_source_count(); i++) {
        const struct host_source *s = host_source_at(i);
        struct strbuf found = STRBUF_INIT, remedy = STRBUF_INIT;
        int err = s->look(&found, &remedy);
        doctor_line(_(s->title), err, &found, &remedy);
        strbuf_release(&found);
        strbuf_release(&remedy);
    }
    return EXIT_WELL;
}
