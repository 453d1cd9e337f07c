/* What capread.c and pcapng_read.c share; private to wire/. */
#ifndef WIRE_CAPREAD_H
#define WIRE_CAPREAD_H

#include "wire/wire.h"

/* A record above this is a lie: offload hands up at most some 512 KiB, jumbograms stay below. */
#define RECORD_MAX   (16U << 20)
#define RECORD_PLAIN (256U << 10) /* libpcap's own limit, whatever the file's snaplen says */

static inline uint16_t rd16(const uint8_t *b, bool big)
{
    return (uint16_t)(big ? b[0] << 8 | b[1] : b[1] << 8 | b[0]);
}
static inline uint32_t rd32(const uint8_t *b, bool big)
{
    uint32_t be = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];

    return big ? be : __builtin_bswap32(be);
}

int cap_fail(struct capread *r, int err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The longest record a file with this snaplen may hold. */
uint32_t cap_limit(uint32_t snaplen);
/* Numbers the record, evens out caplen > len, counts. */
void cap_deliver(struct capread *r, struct record *rec);

/* pcapng_read.c: as capread_next, on a buffer that begins with a block. */
int pcapng_next(struct capread *r, const uint8_t *buf, size_t len, size_t *used,
                struct record *rec);
#define PCAPNG_SECTION 0x0a0d0d0aU

#endif
