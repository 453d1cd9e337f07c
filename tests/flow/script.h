/*
 * Conversations as text, after packetdrill: one packet a line.
 *
 *   TIME DIR FLAGS SEQ[+LEN] [ACK] [key=value]... [text=REST OF LINE]
 *
 * TIME in seconds; DIR '>' from the client, '<' from the server; FLAGS of SFRPAU or '-'. SEQ and
 * ACK are relative to the ISNs of the script ('!' before one: absolute). Keys: win ttl id ws mss
 * port (of the client) sport (of the server) from (last byte of the client's address) isn (of this
 * line's sender); words: ts sack tfo bad partial unsummed df in out. \r and \n in text are line
 * ends.
 */
#ifndef TESTS_FLOW_SCRIPT_H
#define TESTS_FLOW_SCRIPT_H

#include "flow/flow.h"

#define SCRIPT_RECORDS_MAX 16
struct script {
    struct flow_table *t;
    uint32_t isn[2];
    uint64_t number;
    nstime start; /* added to every time */
    struct flow_record records[SCRIPT_RECORDS_MAX];
    size_t nrecords;
    unsigned told;           /* calls of on_reset */
    const struct flow *last; /* what the last line belonged to */
};
void script_init(struct script *s, const struct flow_settings *st /* or NULL */);
void script_release(struct script *s);
void script_run(struct script *s, const char *lines);
/* Runs it on a fresh table and finishes that; ends the test when a line makes no sense. */
void script_play(struct script *s, const char *lines);
/* The only reset, or reset `id`. */
const struct reset *script_reset(const struct script *s, uint64_t id);
/* "RSTO ShADadR; OTH R" of all records cut so far. */
const char *script_records(const struct script *s, char out[256]);

#define HANDSHAKE                                                                                  \
    "0.000 > S 0 win=64240 mss=1460 ws=7 sack ts id=100\n"                                         \
    "0.050 < SA 0 1 win=65160 mss=1460 ws=7 sack ts ttl=57\n"                                      \
    "0.050 > A 1 1 win=502 ts id=101\n"
#define REQUEST                                                                                    \
    "0.060 > PA 1 1 win=502 ts id=102 text=GET / HTTP/1.1\\r\\nHost: a.example\\r\\n\\r\\n\n"
#define REQUEST_LEN 35

#endif
