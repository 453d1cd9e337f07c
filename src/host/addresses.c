#include "host/host.h"
#include <errno.h>
#include <ifaddrs.h>
#include <stdlib.h>

#define ADDRESSES_MAX 65536

static int append(struct addr **list, size_t *nr, size_t *cap, const struct ifaddrs *i)
{
    struct addr a;
    uint16_t port;

    if (!i->ifa_addr || addr_from_sockaddr(i->ifa_addr, &a, &port) < 0 || a.family == 0)
        return 0;
    if (host_is_local(&a, *list, *nr))
        return 0;
    int err = ARRAY_GROW(*list, *nr + 1, *cap);
    if (err == 0)
        (*list)[(*nr)++] = a;
    return err;
}

int host_addresses(struct addr **out)
{
    struct ifaddrs *all = NULL;
    size_t nr = 0, cap = 0;
    int err = 0;

    *out = NULL;
    if (getifaddrs(&all) < 0)
        return -errno;
    for (const struct ifaddrs *i = all; i && err == 0 && nr < ADDRESSES_MAX; i = i->ifa_next)
        err = append(out, &nr, &cap, i);
    freeifaddrs(all);
    if (err == 0)
        return (int)nr;
    free(*out);
    *out = NULL;
    return err;
}

/* 127.0.0.0/8 is this host as a whole, though an interface lists one address of it. */
bool host_is_local(const struct addr *a, const struct addr *local, size_t nlocal)
{
    for (size_t i = 0; i < nlocal; i++)
        if (addr_equal(a, &local[i]))
            return true;
    return nlocal > 0 && addr_is_loopback(a);
}
