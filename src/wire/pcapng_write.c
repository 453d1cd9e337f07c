/* Writing captures: pcapng blocks with nanosecond times, and classic pcap for generators. Blocks
 * are written little-endian, whatever the host: a file read back is then the same everywhere. */
#include "wire/capread.h"

#include <string.h>

#define COMMENT_MAX 4000

static void put16(struct strbuf *out, uint16_t v)
{
    uint8_t b[2] = {(uint8_t)v, (uint8_t)(v >> 8)};

    strbuf_add(out, b, 2);
}

static void put32(struct strbuf *out, uint32_t v)
{
    put16(out, (uint16_t)v);
    put16(out, (uint16_t)(v >> 16));
}

static void put64(struct strbuf *out, uint64_t v)
{
    put32(out, (uint32_t)v);
    put32(out, (uint32_t)(v >> 32));
}

static void put_padded(struct strbuf *out, const void *data, size_t len)
{
    strbuf_add(out, data, len);
    strbuf_addchars(out, '\0', -len & 3);
}

static void put_option(struct strbuf *out, uint16_t code, const void *data, size_t len)
{
    put16(out, code);
    put16(out, (uint16_t)len);
    put_padded(out, data, len);
}

static size_t comment_len(const char *comment)
{
    size_t len = comment ? strlen(comment) : 0;

    if (len > COMMENT_MAX) /* not in the middle of a UTF-8 character */
        for (len = COMMENT_MAX; len > 0 && ((uint8_t)comment[len] & 0xc0) == 0x80; len--)
            ;
    return len;
}

static size_t option_size(size_t len)
{
    return len ? 4 + ((len + 3) & ~(size_t)3) : 0;
}

void pcapng_add_section(struct strbuf *out, const char *comment)
{
    size_t clen = comment_len(comment);
    size_t options = clen ? option_size(clen) + 4 : 0;
    uint32_t total = (uint32_t)(28 + options);

    put32(out, PCAPNG_SECTION);
    put32(out, total);
    put32(out, 0x1a2b3c4d);
    put16(out, 1);
    put16(out, 0);
    put64(out, UINT64_MAX); /* section length not known */
    if (clen) {
        put_option(out, 1, comment, clen);
        put32(out, 0);
    }
    put32(out, total);
}

void pcapng_add_interface(struct strbuf *out, const char *name, uint32_t link, uint32_t snaplen)
{
    size_t nlen = name ? strlen(name) : 0;
    uint32_t total = (uint32_t)(20 + option_size(nlen) + 8 + 4);

    put32(out, 1);
    put32(out, total);
    put16(out, (uint16_t)link);
    put16(out, 0);
    put32(out, snaplen);
    if (nlen)
        put_option(out, 2, name, nlen);
    put_option(out, 9, "\x09", 1); /* if_tsresol: nanoseconds */
    put32(out, 0);
    put32(out, total);
}

static void put_ticks(struct strbuf *out, nstime t)
{
    uint64_t ticks = t < 0 ? 0 : (uint64_t)t; /* NSTIME_NONE and before 1970: 0 */

    put32(out, (uint32_t)(ticks >> 32));
    put32(out, (uint32_t)ticks);
}

void pcapng_add_packet(struct strbuf *out, const struct record *rec, const char *comment)
{
    size_t clen = comment_len(comment), pad = -(size_t)rec->caplen & 3;
    size_t dir = rec->dir == DIR_UNKNOWN ? 0 : 8;
    size_t options = clen || dir ? option_size(clen) + dir + 4 : 0;
    uint32_t total = (uint32_t)(32 + rec->caplen + pad + options);

    put32(out, 6);
    put32(out, total);
    put32(out, rec->interface);
    put_ticks(out, rec->time);
    put32(out, rec->caplen);
    put32(out, rec->len);
    put_padded(out, rec->data, rec->caplen);
    if (clen)
        put_option(out, 1, comment, clen);
    if (dir) {
        put32(out, 4 << 16 | 2); /* epb_flags, 4 bytes */
        put32(out, rec->dir == DIR_IN ? 1 : 2);
    }
    if (options)
        put32(out, 0);
    put32(out, total);
}

void pcapng_add_stats(struct strbuf *out, uint32_t interface, nstime t, uint64_t seen,
                      uint64_t dropped)
{
    uint32_t total = 24 + 2 * 12 + 4;

    put32(out, 5);
    put32(out, total);
    put32(out, interface);
    put_ticks(out, t);
    put32(out, 8 << 16 | 4); /* isb_ifrecv */
    put64(out, seen);
    put32(out, 8 << 16 | 5); /* isb_ifdrop */
    put64(out, dropped);
    put32(out, 0);
    put32(out, total);
}

void pcapng_add_name(struct strbuf *out, const struct addr *a, const char *name)
{
    size_t alen = a->family == 4 ? 4 : 16, nlen = strlen(name) + 1, len = alen + nlen;
    uint32_t total = (uint32_t)(8 + 4 + ((len + 3) & ~(size_t)3) + 4 + 4);

    if (!a->family || nlen > 255)
        return;
    put32(out, 4);
    put32(out, total);
    put16(out, a->family == 4 ? 1 : 2);
    put16(out, (uint16_t)len);
    strbuf_add(out, a->b, alen);
    put_padded(out, name, nlen); /* alen is a multiple of 4 */
    put32(out, 0);               /* the last record */
    put32(out, total);
}

size_t pcapng_whole(const uint8_t *buf, size_t len)
{
    size_t at = 0;
    bool big = false;

    while (len - at >= 12) {
        if (rd32(buf + at, true) == PCAPNG_SECTION)
            big = rd32(buf + at + 8, true) == 0x1a2b3c4d;
        uint32_t total = rd32(buf + at + 4, big);
        if (total < 12 || total % 4 || total > len - at)
            break;
        if (rd32(buf + at + total - 4, big) != total)
            break;
        at += total;
    }
    return at;
}

void pcap_add_header(struct strbuf *out, uint32_t link, uint32_t snaplen)
{
    put32(out, 0xa1b23c4d);
    put16(out, 2);
    put16(out, 4);
    put64(out, 0); /* zone and accuracy, never used */
    put32(out, snaplen);
    put32(out, link);
}

void pcap_add_record(struct strbuf *out, const struct record *rec)
{
    nstime t = rec->time < 0 ? 0 : rec->time;

    put32(out, (uint32_t)(t / NS_PER_SEC));
    put32(out, (uint32_t)(t % NS_PER_SEC));
    put32(out, rec->caplen);
    put32(out, rec->len);
    strbuf_add(out, rec->data, rec->caplen);
}
