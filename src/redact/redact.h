/*
 * redact: what others need not see is replaced, the same thing always by the same: addresses by a
 * prefix-preserving permutation (Crypto-PAn), hardware addresses, the labels of names, words,
 * payload.
 *
 * Owns: a struct redactor owns its keys, which are random, held in memory only and wiped: nobody
 * can turn back what a session was redacted with, and two sessions do not show the same
 * replacement. Frees: redactor_free(). Invariants: default deny. A byte of a packet is kept only
 * where this folder knows it for a number of a protocol; every other one is replaced by one of its
 * class (letter, digit, control, high), so that lengths and what the decoders of wire/ read stay as
 * they were. Addresses of a special range (RFC 6890) stay in it. Checksums that were right are
 * right, wrong ones stay wrong by as much. Errors: 0 or -errno. What cannot be replaced for want of
 * memory is blanked, never let through. Sources: Xu, Fan, Ammar, Moon, "Prefix-preserving IP
 * address anonymization" (ICNP 2002); RFC 6890, 1624 (incremental checksums), 8446, 9112, 1035.
 */
#ifndef REDACT_REDACT_H
#define REDACT_REDACT_H

#include "wire/wire.h"

struct redactor;
int redactor_new(struct redactor **out);
void redactor_free(struct redactor *r);

void redact_addr(struct redactor *r, struct addr *a);
void redact_mac(struct redactor *r, uint8_t mac[6]);
/* A host name, same length: label by label; www, com and the like stay. */
void redact_name(struct redactor *r, char *name);

enum redact_how {
    REDACT_WORDS,   /* sentences and log lines: words of protocols and errors stay, and numbers */
    REDACT_NAMES,   /* a name or an endpoint: only short numbers stay, a port's */
    REDACT_PHRASES, /* payload that was quoted: as it is done in packets */
    REDACT_STRICT,  /* everything but punctuation and addresses' form is replaced */
};
/* Addresses in it become what redact_addr() makes of them, names and words what redact_name() does.
 */
void redact_text(struct redactor *r, enum redact_how how, const char *in, size_t len,
                 struct strbuf *out);
bool redact_keeps_word(const char *word); /* it stays in REDACT_WORDS */

/* Writes the packet's rec->caplen bytes to out, redacted. */
void redact_packet(struct redactor *r, const struct record *rec, uint8_t *out);

#endif
