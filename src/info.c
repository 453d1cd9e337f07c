/* What is printed and done: the version, the catalogue, the interfaces. */
#include "program.h"

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

int print_cause(const char *id)
{
    const struct cause *c = cause_by_id(id);

    if (!c && playbook_by_id(id))
        return print_playbook(playbook_by_id(id));
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
