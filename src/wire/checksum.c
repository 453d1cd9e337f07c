#include "wire/decode.h"

/* RFC 1071: words are summed as they lie in memory and turned round once at the end; a sum handed
 * in is of an even number of bytes. */
uint16_t inet_checksum(uint32_t sum, const uint8_t *data, size_t len)
{
    uint64_t acc = sum_fold(sum_words(0, data, len));

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    acc = __builtin_bswap16((uint16_t)acc);
#endif
    return sum_fold(acc + sum);
}
