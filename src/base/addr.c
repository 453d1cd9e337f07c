/* Addresses: the C library prints IPv6 as RFC 5952 wants it (lower case, longest run of zeros). */
#include "base/base.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

const char *addr_text(char out[ADDR_TEXT_MAX], const struct addr *a)
{
    int family = a->family == 4 ? AF_INET : a->family == 6 ? AF_INET6 : 0;
    if (!family || !inet_ntop(family, a->b, out, ADDR_TEXT_MAX))
        snprintf(out, ADDR_TEXT_MAX, "?");
    return out;
}

int addr_parse(const char *s, struct addr *out)
{
    char bare[ADDR_TEXT_MAX];
    size_t n = strlen(s);
    struct addr a = {0};
    if (n >= 2 && s[0] == '[' && s[n - 1] == ']') {
        s++;
        n -= 2;
    }
    if (n >= sizeof(bare))
        return -EINVAL;
    memcpy(bare, s, n);
    bare[n] = '\0';
    if (inet_pton(AF_INET, bare, a.b) == 1)
        a.family = 4;
    else if (inet_pton(AF_INET6, bare, a.b) == 1)
        a.family = 6;
    else
        return -EINVAL;
    *out = a;
    return 0;
}

int addr_cmp(const struct addr *a, const struct addr *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return memcmp(a->b, b->b, sizeof(a->b));
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
    return addr_cmp(a, b) == 0;
}

static bool v4_mapped(const struct addr *a)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return a->family == 6 && !memcmp(a->b, prefix, sizeof(prefix));
}

bool addr_is_loopback(const struct addr *a)
{
    static const uint8_t one[16] = {[15] = 1};
    if (a->family == 4)
        return a->b[0] == 127;
    return a->family == 6 && (!memcmp(a->b, one, 16) || (v4_mapped(a) && a->b[12] == 127));
}

bool addr_is_private(const struct addr *a)
{
    const uint8_t *b = a->b;
    if (a->family == 4)
        return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
               (b[0] == 169 && b[1] == 254) || (b[0] == 100 && (b[1] & 0xc0) == 64);
    return a->family == 6 && ((b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80));
}

const char *endpoint_text(char out[ENDPOINT_TEXT_MAX], const struct addr *a, uint16_t port)
{
    char text[ADDR_TEXT_MAX];
    snprintf(out, ENDPOINT_TEXT_MAX, a->family == 6 ? "[%s]:%u" : "%s:%u", addr_text(text, a),
             (unsigned)port);
    return out;
}

int addr_from_sockaddr(const struct sockaddr *sa, struct addr *a, uint16_t *port)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    *a = (struct addr){0};
    if (sa->sa_family == AF_INET) {
        memcpy(&in, sa, sizeof(in));
        a->family = 4;
        memcpy(a->b, &in.sin_addr, 4);
        *port = ntohs(in.sin_port);
        return 0;
    }
    if (sa->sa_family == AF_INET6) {
        memcpy(&in6, sa, sizeof(in6));
        a->family = 6;
        memcpy(a->b, &in6.sin6_addr, 16);
        *port = ntohs(in6.sin6_port);
        if (v4_mapped(a)) {
            struct addr v4 = {.family = 4};
            memcpy(v4.b, a->b + 12, 4);
            *a = v4;
        }
        return 0;
    }
    *port = 0;
    return -EAFNOSUPPORT;
}

size_t addr_to_sockaddr(const struct addr *a, uint16_t port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    if (a->family == 4) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&in.sin_addr, a->b, 4);
        memcpy(out, &in, sizeof(in));
        return sizeof(in);
    }
    if (a->family == 6) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        memcpy(&in6.sin6_addr, a->b, 16);
        memcpy(out, &in6, sizeof(in6));
        return sizeof(in6);
    }
    return 0;
}
