/* What the first-bytes decoders share; private to wire/. Each looks at the front of data and
 * returns true with a->kind set, or false having changed nothing that shows. */
#ifndef WIRE_APP_H
#define WIRE_APP_H

#include "wire/wire.h"

bool tls_decode(struct app *a, const uint8_t *data, size_t len);
bool http_decode(struct app *a, const uint8_t *data, size_t len);
bool h2_decode(struct app *a, const uint8_t *data, size_t len);
bool banner_decode(struct app *a, const uint8_t *data, size_t len, uint16_t sport, uint16_t dport);
bool dns_stream_decode(struct app *a, const uint8_t *data, size_t len);

/* The first line of data without its end of line, at most max bytes. */
size_t first_line(const uint8_t *data, size_t len, size_t max);
bool starts_with(const uint8_t *data, size_t len, const char *prefix);
/* True for text as people write it: printable ASCII, tab, CR and LF. */
bool is_printable(const uint8_t *data, size_t len);
/* Appends to a NUL-terminated text of limited size. */
void text_addf(char *out, size_t outlen, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
