/* Which protocol the first bytes of a stream or segment speak. */
#include "wire/app.h"

#include <stdio.h>
#include <string.h>

#define TEXT_LOOK 128 /* bytes that must be printable to call it text */

size_t first_line(const uint8_t *data, size_t len, size_t max)
{
    size_t n = MIN_OF(len, max);
    const uint8_t *end = n ? memchr(data, '\n', n) : NULL;

    n = end ? (size_t)(end - data) : n;
    return n > 0 && data[n - 1] == '\r' ? n - 1 : n;
}

bool starts_with(const uint8_t *data, size_t len, const char *prefix)
{
    size_t n = strlen(prefix);

    return len >= n && memcmp(data, prefix, n) == 0;
}

bool is_printable(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((data[i] < 0x20 || data[i] > 0x7e) && data[i] != '\t' && data[i] != '\r' &&
            data[i] != '\n')
            return false;
    return len > 0;
}

void text_addf(char *out, size_t outlen, const char *fmt, ...)
{
    size_t n = strlen(out);
    va_list ap;

    va_start(ap, fmt);
    if (n < outlen)
        vsnprintf(out + n, outlen - n, fmt, ap);
    va_end(ap);
}

static void clean_line(struct app *a, const uint8_t *data, size_t len)
{
    text_clean(a->text, sizeof(a->text), data, first_line(data, len, sizeof(a->text) * 2));
}

static bool contains(const uint8_t *data, size_t len, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= len; i++)
        if (memcmp(data + i, word, n) == 0)
            return true;
    return false;
}

static bool is_reply_code(const uint8_t *d, size_t len)
{
    return len >= 4 && d[0] >= '1' && d[0] <= '5' && d[1] >= '0' && d[1] <= '9' && d[2] >= '0' &&
           d[2] <= '9' && (d[3] == ' ' || d[3] == '-');
}

/* SMTP (RFC 5321 4.2) and FTP (RFC 959 4.2) answer alike; the words tell, then the port. */
static enum app_kind reply_kind(const uint8_t *data, size_t len, uint16_t sport, uint16_t dport)
{
    size_t line = first_line(data, len, 512);
    bool ftp_port = sport == 21 || dport == 21;
    bool mail_port =
        sport == 25 || sport == 465 || sport == 587 || dport == 25 || dport == 465 || dport == 587;

    if (!is_reply_code(data, len))
        return APP_NONE;
    if (contains(data, line, "SMTP"))
        return APP_SMTP;
    if (contains(data, line, "FTP"))
        return APP_FTP;
    if (ftp_port)
        return APP_FTP;
    return mail_port || starts_with(data, len, "220") ? APP_SMTP : APP_NONE;
}

bool banner_decode(struct app *a, const uint8_t *data, size_t len, uint16_t sport, uint16_t dport)
{
    static const struct {
        const char *prefix;
        enum app_kind kind;
    } banners[] = {
        {"SSH-", APP_SSH},   {"* OK", APP_IMAP}, {"* PREAUTH", APP_IMAP},
        {"* BYE", APP_IMAP}, {"+OK", APP_POP3},  {"-ERR", APP_POP3},
    };

    for (size_t i = 0; i < ARRAY_SIZE(banners) && a->kind == APP_NONE; i++)
        if (starts_with(data, len, banners[i].prefix))
            a->kind = banners[i].kind;
    if (a->kind == APP_NONE)
        a->kind = reply_kind(data, len, sport, dport);
    if (a->kind == APP_NONE)
        return false;
    clean_line(a, data, len);
    a->partial = !memchr(data, '\n', len);
    return true;
}

static void plain_decode(struct app *a, const uint8_t *data, size_t len)
{
    if (is_printable(data, MIN_OF(len, TEXT_LOOK))) {
        a->kind = APP_TEXT;
        clean_line(a, data, len);
        return;
    }
    a->kind = APP_BINARY;
    for (size_t i = 0; i < MIN_OF(len, 16); i++)
        text_addf(a->text, sizeof(a->text), i ? " %02x" : "%02x", data[i]);
}

static bool dns_port(uint16_t port)
{
    return port == 53 || port == 5353 || port == 5355;
}

bool app_decode(struct app *a, const uint8_t *data, size_t len, uint16_t sport, uint16_t dport)
{
    *a = (struct app){.kind = APP_NONE, .content_length = -1};
    if (len == 0)
        return false;
    if ((dns_port(sport) || dns_port(dport)) && dns_stream_decode(a, data, len))
        return true;
    if (!tls_decode(a, data, len) && !h2_decode(a, data, len) && !http_decode(a, data, len) &&
        !banner_decode(a, data, len, sport, dport))
        plain_decode(a, data, len);
    return true;
}

const char *app_name(enum app_kind kind)
{
    static const char *const names[] = {
        [APP_NONE] = N_("nothing"),
        [APP_TLS_CLIENT_HELLO] = "ClientHello",
        [APP_TLS_SERVER_HELLO] = "ServerHello",
        [APP_TLS_ALERT] = N_("TLS alert"),
        [APP_TLS_OTHER] = N_("TLS record"),
        [APP_HTTP_REQUEST] = N_("HTTP request"),
        [APP_HTTP_RESPONSE] = N_("HTTP response"),
        [APP_H2_PREFACE] = N_("HTTP/2 preface"),
        [APP_H2_GOAWAY] = "HTTP/2 GOAWAY",
        [APP_H2_RST_STREAM] = "HTTP/2 RST_STREAM",
        [APP_H2_OTHER] = N_("HTTP/2 frame"),
        [APP_DNS_QUERY] = N_("DNS query"),
        [APP_DNS_ANSWER] = N_("DNS answer"),
        [APP_SSH] = "SSH",
        [APP_SMTP] = "SMTP",
        [APP_FTP] = "FTP",
        [APP_IMAP] = "IMAP",
        [APP_POP3] = "POP3",
        [APP_TEXT] = N_("text"),
        [APP_BINARY] = N_("binary data"),
    };

    return (unsigned)kind < ARRAY_SIZE(names) ? names[kind] : names[APP_NONE];
}
