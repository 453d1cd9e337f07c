#include "wire/wire.h"

#include <string.h>

/* RFC 1071. Words are summed as they lie in memory and turned round once at the end; a sum handed
 * in is of an even number of bytes. */
uint16_t inet_checksum(uint32_t sum, const uint8_t *data, size_t len)
{
    uint64_t acc = 0;
    uint32_t word;
    uint16_t half = 0;

    for (; len >= 4; data += 4, len -= 4) {
        memcpy(&word, data, 4);
        acc += word;
    }
    if (len >= 2) {
        memcpy(&half, data, 2);
        acc += half;
        data += 2;
        len -= 2;
    }
    if (len) {
        half = 0;
        memcpy(&half, data, 1);
        acc += half;
    }
    while (acc >> 16)
        acc = (acc & 0xffff) + (acc >> 16);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    acc = __builtin_bswap16((uint16_t)acc);
#endif
    acc += sum;
    while (acc >> 16)
        acc = (acc & 0xffff) + (acc >> 16);
    return (uint16_t)acc;
}
