#include "capture/source.h"
#include <errno.h>
#include <limits.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- where the helper is ---- */
int capture_helper_path(char *out, size_t outlen)
{
    return loop_helper_path(out, outlen, HELPER_NAME);
}

/* As a shell reads it: a path with odd characters stands in single quotes. */
static void add_quoted(struct strbuf *out, const char *s)
{
    if (s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@")] ==
        '\0') {
        strbuf_addstr(out, s);
        return;
    }
    strbuf_addch(out, '\'');
    for (; *s; s++) {
        if (*s == '\'')
            strbuf_addstr(out, "'\\''");
        else
            strbuf_addch(out, *s);
    }
    strbuf_addch(out, '\'');
}

void capture_permission_hint(struct strbuf *out)
{
    char path[PATH_MAX];

    if (capture_helper_path(path, sizeof path) < 0) {
        strbuf_addf(out, _("%s was found neither beside this program nor in %s"), HELPER_NAME,
                    PKGLIBEXECDIR);
        return;
    }
    strbuf_addstr(out, "sudo setcap cap_net_raw=p ");
    add_quoted(out, path);
}

/* ---- --list-interfaces ---- */

/* Devices of libpcap that never carry TCP. */
static bool carries_ip(const char *name)
{
    static const char *const other[] = {"bluetooth", "usbmon", "dbus-", "nfqueue", "rpmsg"};

    for (size_t i = 0; i < ARRAY_SIZE(other); i++)
        if (strncmp(name, other[i], strlen(other[i])) == 0)
            return false;
    return true;
}

static void add_addresses(struct strbuf *out, const struct pcap_addr *a)
{
    char text[ADDR_TEXT_MAX];
    struct addr addr;
    uint16_t port;
    const char *sep = "  ";

    for (; a; a = a->next) {
        if (!a->addr || addr_from_sockaddr(a->addr, &addr, &port) < 0 || !addr.family)
            continue;
        strbuf_addf(out, "%s%s", sep, addr_text(text, &addr));
        sep = ", ";
    }
}

static const char *describe(const pcap_if_t *d)
{
    if (strcmp(d->name, "any") == 0)
        return _("all interfaces");
    if (d->flags & PCAP_IF_LOOPBACK)
        return _("loopback");
    if (!(d->flags & PCAP_IF_UP))
        return _("down");
    if (d->description)
        return d->description;
    return d->flags & PCAP_IF_WIRELESS ? _("wireless") : _("up");
}

int capture_list_interfaces(struct strbuf *out, char *err, size_t errlen)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    pcap_if_t *all = NULL;

    if (pcap_findalldevs(&all, why) < 0) {
        text_clean(err, errlen, why, strlen(why));
        return -EIO;
    }
    for (const pcap_if_t *d = all; d; d = d->next) {
        if (!carries_ip(d->name))
            continue;
        const char *what = describe(d);
        strbuf_add_clean(out, d->name, strlen(d->name), 64);
        strbuf_addstr(out, "  ");
        strbuf_add_clean(out, what, strlen(what), 120);
        add_addresses(out, d->addresses);
        strbuf_addch(out, '\n');
    }
    pcap_freealldevs(all);
    return out->err;
}
