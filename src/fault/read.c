/* How long is what the client is sending: just enough of HTTP and TLS to know where it ends. */
#include "fault/fault.h"

#include <string.h>
#include <strings.h>

#define BODY_MAX ((uint64_t)64 << 20)

/* The value of a Content-Length line; 0 where it is absent or not a number. */
static uint64_t content_length(const char *head, size_t len)
{
    static const char name[] = "\r\ncontent-length:";
    uint64_t n = 0;

    for (size_t i = 0; i + sizeof(name) - 1 < len; i++) {
        if (strncasecmp(head + i, name, sizeof(name) - 1))
            continue;
        i += sizeof(name) - 1;
        while (i < len && head[i] == ' ')
            i++;
        for (; i < len && head[i] >= '0' && head[i] <= '9' && n < BODY_MAX; i++)
            n = n * 10 + (uint64_t)(head[i] - '0');
        break;
    }
    return MIN_OF(n, BODY_MAX);
}

uint64_t http_request_length(const char *head, size_t have)
{
    const char *end = memmem(head, have, "\r\n\r\n", 4);
    size_t len;

    if (!end)
        return 0;
    len = (size_t)(end - head) + 4;
    return len + content_length(head, len);
}

/* RFC 8446 5.1: type 22, version, length of the record. A hello spread over records is taken to
 * end with its first one; what is no TLS has come whole with its first bytes. */
uint64_t tls_hello_length(const unsigned char *head, size_t have)
{
    if (have < 5)
        return 0;
    if (head[0] != 0x16)
        return have;
    return 5 + (uint64_t)(head[3] << 8 | head[4]);
}
