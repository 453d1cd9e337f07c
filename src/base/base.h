/*
 * base: strings, arrays, addresses, times, text hygiene and the log.
 *
 * Owns: nothing global but the log sink (log_to). Everything else belongs to the caller.
 * Frees: S_release(struct S *) frees the contents; S_free() contents and struct (git's rule).
 * Errors: 0 or a negative errno; a strbuf keeps the first error (sb->err) and swallows later
 *   appends, so a writer checks once at the end.
 * Invariants: no I/O but the log, no clock: times are handed in. A strbuf's buf is always
 *   NUL-terminated and never NULL. Nothing here exits or aborts.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <libintl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- gettext: _() translates now, N_() only marks. JSON is written with tr_none. ---- */
#define _(s)  gettext(s)
#define N_(s) s
#define P_(one, many, n) ngettext(one, many, n)
typedef const char *(*translate_fn)(const char *msgid);
const char *tr_none(const char *msgid);   /* identity: English */
const char *tr_locale(const char *msgid); /* gettext */

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN_OF(a, b)  ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b)  ((a) > (b) ? (a) : (b))

/* ---- time: nanoseconds since the epoch (a moment) or between two moments (a span). ---- */
typedef int64_t nstime;
#define NSTIME_NONE INT64_MIN
#define NS_PER_US   1000LL
#define NS_PER_MS   1000000LL
#define NS_PER_SEC  1000000000LL
#define TIME_TEXT_MAX 40
/* RFC 3339, UTC, nine digits. Writes at most TIME_TEXT_MAX bytes, returns out. */
const char *time_rfc3339(char out[TIME_TEXT_MAX], nstime t);
int time_parse_rfc3339(const char *s, nstime *out); /* -EINVAL */
/* HH:MM:SS with `digits` (0..9) fractional digits, in local time (utc: UTC). */
const char *time_clock(char out[TIME_TEXT_MAX], nstime t, int digits, bool utc);
/* A span for people: "350 s", "8.1 ms", "12 us", "1 h 20 min". */
const char *span_text(char out[TIME_TEXT_MAX], nstime span);

/* ---- growable arrays: ARRAY_GROW(ptr, nr, cap) makes room for one more; 0 or -ENOMEM. ---- */
int array_grow(void *pptr, size_t *cap, size_t need, size_t size);
#define ARRAY_GROW(ptr, need, cap)                                                                 \
    ((need) <= (cap) ? 0 : array_grow(&(ptr), &(cap), (need), sizeof(*(ptr))))

/* ---- strbuf: a growing string; max caps it (0: STRBUF_MAX), past it err is -EFBIG. ---- */
#define STRBUF_MAX ((size_t)1 << 30)
struct strbuf {
    char *buf;
    size_t len, alloc, max;
    int err; /* first error met, 0 or -errno */
};
extern char strbuf_slopbuf[];
#define STRBUF_INIT {.buf = strbuf_slopbuf}
void strbuf_init(struct strbuf *sb);
void strbuf_release(struct strbuf *sb); /* frees, ready for use again */
void strbuf_reset(struct strbuf *sb);   /* empties, keeps memory, clears err */
void strbuf_setlen(struct strbuf *sb, size_t len); /* len <= sb->len */
int strbuf_reserve(struct strbuf *sb, size_t extra);
void strbuf_add(struct strbuf *sb, const void *data, size_t len);
void strbuf_addstr(struct strbuf *sb, const char *s);
void strbuf_addch(struct strbuf *sb, char c);
void strbuf_addchars(struct strbuf *sb, char c, size_t n);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
char *strbuf_detach(struct strbuf *sb, size_t *len); /* caller frees; NULL if err */

/* ---- arena: many small allocations freed together. ---- */
struct arena_block;
struct arena {
    struct arena_block *first;
    size_t used; /* bytes handed out */
};
void arena_init(struct arena *a);
void *arena_alloc(struct arena *a, size_t size); /* zeroed, aligned 8; NULL on ENOMEM */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t len);
void arena_clear(struct arena *a); /* keeps one block */
void arena_release(struct arena *a);

/* ---- addresses ---- */
struct addr {
    uint8_t family; /* 4, 6, or 0: none known */
    uint8_t b[16];  /* network order; IPv4 in the first four, rest zero */
};
#define ADDR_TEXT_MAX 48
const char *addr_text(char out[ADDR_TEXT_MAX], const struct addr *a); /* RFC 5952; "?" for none */
int addr_parse(const char *s, struct addr *out); /* numeric only; -EINVAL; [v6] brackets allowed */
bool addr_equal(const struct addr *a, const struct addr *b);
int addr_cmp(const struct addr *a, const struct addr *b);
bool addr_is_loopback(const struct addr *a);
bool addr_is_private(const struct addr *a); /* RFC 1918, ULA, link-local, CGN */
#define ENDPOINT_TEXT_MAX (ADDR_TEXT_MAX + 9)
/* "192.0.2.1:443", "[2001:db8::1]:443" */
const char *endpoint_text(char out[ENDPOINT_TEXT_MAX], const struct addr *a, uint16_t port);
struct sockaddr;
struct sockaddr_storage;
int addr_from_sockaddr(const struct sockaddr *sa, struct addr *a, uint16_t *port);
size_t addr_to_sockaddr(const struct addr *a, uint16_t port, struct sockaddr_storage *out);

/* ---- text hygiene: everything a peer controls goes through here before it is shown. ---- */
/* Copies at most outlen-1 bytes of valid UTF-8: control characters (C0, DEL, C1), bidi and
 * zero-width formatting characters and broken sequences become '.' (one a byte or character);
 * a cut text ends in "..." . Returns out. */
const char *text_clean(char *out, size_t outlen, const void *in, size_t inlen);
void strbuf_add_clean(struct strbuf *sb, const void *in, size_t inlen, size_t max);
/* The columns a UTF-8 string takes (wcwidth by our own table is not needed: locale's wcwidth,
 * unprintable counts 0), and the prefix of s that fits `cols`, in bytes. */
int text_width(const char *s);
size_t text_fit(const char *s, int cols);
/* The bytes of s that go on a line of `cols` columns: whole words, and of a script without spaces
 * as many characters as fit; never beyond a newline; at least one character. */
size_t text_break(const char *s, int cols);

/* ---- hashing: keyed, so that a peer cannot aim at one bucket. ---- */
uint64_t hash_bytes(uint64_t key, const void *data, size_t len);
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 m = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15ULL) * (b ^ 0xe7037ed1a0b428dbULL);
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* ---- numbers from text: whole string, range checked; -EINVAL, -ERANGE. ---- */
int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out);
int parse_seconds(const char *s, nstime *out); /* "1.5", "10s", "2m", "1h", "300ms" */
int parse_size(const char *s, uint64_t *out);  /* "64M", "1G", bytes */

/* ---- errno names: "ECONNRESET"; "EUNKNOWN" for an unknown one. ---- */
const char *errno_name(int err); /* err positive or negative */
int errno_from_name(const char *name); /* 0 if unknown */

/* ---- log: diagnostics for stderr or the console's message line. ---- */
enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
typedef void (*log_fn)(void *arg, enum log_level level, const char *line);
void log_to(log_fn fn, void *arg); /* NULL: to stderr, "rstconsole: line" */
void log_msg(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
