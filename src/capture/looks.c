#include "capture/source.h"
#include <ctype.h>
#include <string.h>

/* What people hand over for a capture. Magic numbers as in file(1)'s database; captures of other
 * programs by their own documentation. */
static const struct {
    const char *magic;
    size_t len;
    const char *name;
} known[] = {
    {"\x1f\x8b", 2, N_("gzip data: unpack it first (zcat FILE | rstconsole -r -)")},
    {"\xfd"
     "7zXZ\0",
     6, N_("xz data: unpack it first (xzcat FILE | rstconsole -r -)")},
    {"\x28\xb5\x2f\xfd", 4, N_("zstd data: unpack it first (zstdcat FILE | rstconsole -r -)")},
    {"\x04\x22\x4d\x18", 4, N_("lz4 data: unpack it first (lz4cat FILE | rstconsole -r -)")},
    {"BZh", 3, N_("bzip2 data: unpack it first (bzcat FILE | rstconsole -r -)")},
    {"PK\x03\x04", 4, N_("a zip archive: unpack it first")},
    {"7z\xbc\xaf\x27\x1c", 6, N_("a 7z archive: unpack it first")},
    {"snoop\0\0\0", 8, N_("a snoop capture: convert it (editcap -F pcap FILE NEW)")},
    {"GMBU", 4, N_("a Network Monitor capture: convert it (editcap -F pcap FILE NEW)")},
    {"RTSS", 4, N_("a Network Monitor capture: convert it (editcap -F pcap FILE NEW)")},
    {"XCP\0", 4, N_("a NetXray or Sniffer capture: convert it (editcap -F pcap FILE NEW)")},
    {"TRSNIFF data", 12, N_("a Sniffer capture: convert it (editcap -F pcap FILE NEW)")},
    {"\x7f"
     "ELF",
     4, N_("a program")},
    {"SQLite format 3", 15, N_("an SQLite database")},
    {"%PDF", 4, N_("a PDF document")},
    {"\x89PNG", 4, N_("a picture")},
    {"\xff\xd8\xff", 3, N_("a picture")},
    {"GIF8", 4, N_("a picture")},
    {"<?xml", 5, N_("XML (of a capture the pcap itself is wanted, not its PDML)")},
    {"<!DOCTYPE", 9, N_("a web page")},
    {"<html", 5, N_("a web page")},
};

static bool is_text(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isprint(p[i]) && !isspace(p[i]) && p[i] < 0x80)
            return false;
    return len > 0;
}

const char *looks_like(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (len >= known[i].len && memcmp(p, known[i].magic, known[i].len) == 0)
            return known[i].name;
    /* POSIX ustar: the magic stands at byte 257. */
    if (len >= 262 && memcmp(p + 257, "ustar", 5) == 0)
        return N_("a tar archive: unpack it first");
    return is_text(p, MIN_OF(len, 512)) ? N_("text") : NULL;
}
