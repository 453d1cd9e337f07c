/* The protocols of dialogue.h, one after the other. */
#include "probe/dialogue.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- lines ---- */
static bool begins(const uint8_t *data, size_t len, const char *word)
{
    size_t n = strlen(word);
    return len >= n && !strncasecmp((const char *)data, word, n);
}

/* As far as it came it may still become the word. */
static bool may_begin(const uint8_t *data, size_t len, const char *word)
{
    return !strncasecmp((const char *)data, word, MIN_OF(len, strlen(word)));
}

static bool has_word(const uint8_t *data, size_t len, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= len; i++)
        if (!strncasecmp((const char *)data + i, word, n))
            return true;
    return false;
}

/* The length of the line with its end, 0: it has none yet. */
static size_t line_of(const uint8_t *data, size_t len)
{
    const uint8_t *nl = memchr(data, '\n', len);
    return nl ? (size_t)(nl - data) + 1 : 0;
}

static void keep(char *out, size_t outlen, const uint8_t *data, size_t len)
{
    while (len && (data[len - 1] == '\n' || data[len - 1] == '\r'))
        len--;
    text_clean(out, outlen, data, len);
}

static void take(struct talk *t, const uint8_t *data, size_t len)
{
    t->used = len;
    keep(t->text, sizeof(t->text), data, len);
}

static size_t put(uint8_t *out, size_t room, const char *text)
{
    size_t len = strlen(text);
    if (len > room)
        return 0;
    memcpy(out, text, len);
    return len;
}

/* ---- three digits: SMTP (RFC 5321 4.2), FTP (RFC 959 4.2) ---- */
static bool is_code(const uint8_t *s)
{
    return s[0] >= '1' && s[0] <= '5' && s[1] >= '0' && s[1] <= '9' && s[2] >= '0' && s[2] <= '9';
}

/* MORE, FOREIGN, or NEXT with the code. */
static enum said coded(struct talk *t, const uint8_t *data, size_t len, int *code)
{
    size_t at = 0, n;
    if (len >= 1 && (data[0] < '1' || data[0] > '5'))
        return SAID_FOREIGN;
    if (len < 4)
        return SAID_MORE;
    if (!is_code(data) || !strchr(" -\r\n", data[3]))
        return SAID_FOREIGN;
    bool more = data[3] == '-';
    while ((n = line_of(data + at, len - at))) {
        bool last = !more || (n > 3 && !memcmp(data + at, data, 3) && data[at + 3] != '-');
        at += n;
        if (!last)
            continue;
        *code = (data[0] - '0') * 100 + (data[1] - '0') * 10 + data[2] - '0';
        take(t, data, at);
        return SAID_NEXT;
    }
    return SAID_MORE;
}

static size_t smtp_say(const struct talk *t, const struct addr *self, uint8_t *out, size_t room)
{
    char line[96], at[ADDR_TEXT_MAX];
    if (t->step == 2)
        return put(out, room, "STARTTLS\r\n");
    /* An address literal needs no name that could be looked up (RFC 5321 4.1.3). */
    snprintf(line, sizeof(line), "EHLO [%s%s]\r\n", self->family == 6 ? "IPv6:" : "",
             self->family ? addr_text(at, self) : "127.0.0.1");
    return put(out, room, line);
}

static enum said smtp_hear(struct talk *t, const uint8_t *data, size_t len)
{
    int code = 0;
    enum said said = coded(t, data, len, &code);
    if (said != SAID_NEXT)
        return said;
    if (t->step == 2)
        return code == 220 ? SAID_TLS : SAID_DONE;
    if (code >= 400)
        return SAID_REFUSED;
    if (t->step == 0) {
        keep(t->version, sizeof(t->version), data + MIN_OF(len, 4), t->used - 4);
        return SAID_NEXT;
    }
    keep(t->able, sizeof(t->able), data, t->used);
    t->offered = has_word(data, t->used, "STARTTLS");
    return t->offered ? SAID_NEXT : SAID_DONE;
}

static size_t ftp_say(const struct talk *t, const struct addr *self, uint8_t *out, size_t room)
{
    (void)self;
    return t->step == 1 ? put(out, room, "AUTH TLS\r\n") : 0; /* RFC 4217 4 */
}

static enum said ftp_hear(struct talk *t, const uint8_t *data, size_t len)
{
    int code = 0;
    enum said said = coded(t, data, len, &code);
    if (said != SAID_NEXT)
        return said;
    if (t->step == 0 && code < 400)
        keep(t->version, sizeof(t->version), data + MIN_OF(len, 4), t->used - 4);
    if (t->step == 0)
        return code >= 400 ? SAID_REFUSED : code < 200 ? SAID_MORE : SAID_NEXT;
    t->offered = code == 234;
    return t->offered ? SAID_TLS : SAID_DONE;
}

/* ---- IMAP (RFC 9051), POP3 (RFC 1939, 2449, 2595) ---- */
static size_t imap_say(const struct talk *t, const struct addr *self, uint8_t *out, size_t room)
{
    (void)self;
    return put(out, room, t->step == 1 ? "a1 CAPABILITY\r\n" : "a2 STARTTLS\r\n");
}

/* Up to the line with our tag. */
static enum said tagged(struct talk *t, const uint8_t *data, size_t len, const char *tag, bool *ok)
{
    size_t at = 0, n;
    while ((n = line_of(data + at, len - at))) {
        if (!begins(data + at, n, tag) && data[at] != '*')
            return SAID_FOREIGN;
        if (begins(data + at, n, tag)) {
            *ok = begins(data + at + strlen(tag), n - strlen(tag), "OK");
            take(t, data, at + n);
            return SAID_NEXT;
        }
        at += n;
    }
    return SAID_MORE;
}

static enum said imap_hear(struct talk *t, const uint8_t *data, size_t len)
{
    bool ok = false;
    if (t->step == 0) {
        size_t n = line_of(data, len);
        if (!may_begin(data, len, "* "))
            return SAID_FOREIGN;
        if (!n)
            return SAID_MORE;
        take(t, data, n);
        keep(t->version, sizeof(t->version), data + 2, n - 2);
        return begins(data, n, "* BYE") ? SAID_REFUSED : SAID_NEXT;
    }
    enum said said = tagged(t, data, len, t->step == 1 ? "a1 " : "a2 ", &ok);
    if (said != SAID_NEXT)
        return said;
    if (t->step == 2)
        return ok ? SAID_TLS : SAID_DONE;
    keep(t->able, sizeof(t->able), data, t->used);
    t->offered = has_word(data, t->used, "STARTTLS");
    return t->offered ? SAID_NEXT : SAID_DONE;
}

static size_t pop3_say(const struct talk *t, const struct addr *self, uint8_t *out, size_t room)
{
    (void)self;
    return put(out, room, t->step == 1 ? "CAPA\r\n" : "STLS\r\n");
}

static enum said pop3_hear(struct talk *t, const uint8_t *data, size_t len)
{
    size_t n = line_of(data, len), at = n;
    bool ok = begins(data, len, "+OK");
    if (!may_begin(data, len, "+OK") && !may_begin(data, len, "-ERR"))
        return SAID_FOREIGN;
    if (!n)
        return SAID_MORE;
    take(t, data, n);
    if (t->step == 0) {
        keep(t->version, sizeof(t->version), data + 3, n - 3);
        return ok ? SAID_NEXT : SAID_REFUSED;
    }
    if (t->step == 2)
        return ok ? SAID_TLS : SAID_DONE;
    if (!ok) /* no CAPA: no word of STLS either */
        return SAID_DONE;
    while ((n = line_of(data + at, len - at))) {
        bool end = data[at] == '.' && n <= 3;
        t->offered = t->offered || (begins(data + at, n, "STLS") && n <= 6);
        at += n;
        if (!end)
            continue;
        take(t, data, at);
        keep(t->able, sizeof(t->able), data, at);
        return t->offered ? SAID_NEXT : SAID_DONE;
    }
    t->offered = false;
    return SAID_MORE;
}

/* ---- PostgreSQL: SSLRequest, and one byte of an answer ---- */
static size_t pg_say(const struct talk *t, const struct addr *self, uint8_t *out, size_t room)
{
    static const uint8_t request[] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
    (void)t;
    (void)self;
    if (room < sizeof(request))
        return 0;
    memcpy(out, request, sizeof(request));
    return sizeof(request);
}

static enum said pg_hear(struct talk *t, const uint8_t *data, size_t len)
{
    if (!len)
        return SAID_MORE;
    t->used = 1;
    t->offered = data[0] == 'S';
    if (data[0] == 'S' || data[0] == 'N') {
        snprintf(t->text, sizeof(t->text), "%c", data[0]);
        return t->offered ? SAID_TLS : SAID_DONE;
    }
    if (data[0] != 'E')
        return SAID_FOREIGN;
    /* An error of before the protocol's version 3 is text, a later one fields. */
    take(t, data, len);
    return SAID_REFUSED;
}

/* ---- MySQL: the handshake packet, and SSLRequest ---- */
#define MYSQL_SSL   0x0800
#define MYSQL_HEAD  4
#define MYSQL_ERROR 0xff

static size_t mysql_say(const struct talk *t, const struct addr *self, uint8_t *out, size_t room)
{
    /* CLIENT_PROTOCOL_41, CLIENT_SSL, CLIENT_SECURE_CONNECTION; 16 MiB packets; utf8mb4. */
    static const uint8_t request[] = {32, 0, 0, 1, 0x00, 0x8a, 0, 0, 0, 0, 0, 1, 45};
    (void)self;
    if (t->step != 1 || room < 36)
        return 0;
    memset(out, 0, 36);
    memcpy(out, request, sizeof(request));
    return 36;
}

static enum said mysql_error(struct talk *t, struct cursor c)
{
    char text[200];
    uint16_t number = cur_u8(&c);
    number |= (uint16_t)(cur_u8(&c) << 8);
    size_t n = cur_left(&c);
    const uint8_t *words = cur_take(&c, n);
    if (c.bad)
        return SAID_FOREIGN;
    keep(text, sizeof(text), words, n);
    snprintf(t->text, sizeof(t->text), "error %u: %s", number, text);
    return SAID_REFUSED;
}

static enum said mysql_hear(struct talk *t, const uint8_t *data, size_t len)
{
    struct cursor c = cursor_of(data, len);
    uint32_t size = cur_u8(&c);
    size |= (uint32_t)cur_u8(&c) << 8;
    size |= (uint32_t)cur_u8(&c) << 16;
    uint8_t number = cur_u8(&c);
    if (c.bad)
        return SAID_MORE;
    if (number != 0 || size < 8 || size > WORDS_MAX - MYSQL_HEAD)
        return SAID_FOREIGN;
    if (len < size + MYSQL_HEAD)
        return SAID_MORE;
    struct cursor body = cur_sub(&c, size);
    t->used = size + MYSQL_HEAD;
    uint8_t kind = cur_u8(&body);
    if (kind == MYSQL_ERROR)
        return mysql_error(t, body);
    const uint8_t *name = data + MYSQL_HEAD + 1, *end = memchr(name, 0, size - 1);
    if (kind != 10 || !end)
        return SAID_FOREIGN;
    keep(t->version, sizeof(t->version), name, (size_t)(end - name));
    keep(t->text, sizeof(t->text), name, (size_t)(end - name));
    cur_take(&body, (size_t)(end - name) + 1 + 4 + 8 + 1); /* thread, salt, filler */
    uint16_t able = cur_u8(&body);
    able |= (uint16_t)(cur_u8(&body) << 8);
    if (body.bad)
        return SAID_FOREIGN;
    t->offered = able & MYSQL_SSL;
    t->answers = false; /* the ClientHello follows the request at once */
    return t->offered ? SAID_NEXT : SAID_DONE;
}

/* ---- LDAP: the extended request StartTLS (RFC 4511 4.14) ---- */
#define LDAP_OID "1.3.6.1.4.1.1466.20037"

static size_t ldap_say(const struct talk *t, const struct addr *self, uint8_t *out, size_t room)
{
    static const uint8_t head[] = {0x30, 0x1d, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16};
    size_t oid = strlen(LDAP_OID);
    (void)t;
    (void)self;
    if (room < sizeof(head) + oid)
        return 0;
    memcpy(out, head, sizeof(head));
    memcpy(out + sizeof(head), LDAP_OID, oid);
    return sizeof(head) + oid;
}

/* A BER length, of at most two bytes here. */
static size_t ber_length(struct cursor *c)
{
    uint8_t b = cur_u8(c);
    if (b < 0x80)
        return b;
    if (b == 0x81)
        return cur_u8(c);
    if (b == 0x82)
        return cur_be16(c);
    c->bad = true;
    return 0;
}

static enum said ldap_hear(struct talk *t, const uint8_t *data, size_t len)
{
    struct cursor c = cursor_of(data, len);
    if (len && data[0] != 0x30)
        return SAID_FOREIGN;
    if (len < 4)
        return SAID_MORE;
    cur_u8(&c);
    size_t size = ber_length(&c);
    if (c.bad || size > WORDS_MAX - 8)
        return SAID_FOREIGN;
    if (cur_left(&c) < size)
        return SAID_MORE;
    struct cursor message = cur_sub(&c, size);
    t->used = len - cur_left(&c);
    bool id = cur_u8(&message) == 0x02;
    cur_take(&message, ber_length(&message));
    bool extended = cur_u8(&message) == 0x78; /* ExtendedResponse */
    ber_length(&message);
    bool enumerated = cur_u8(&message) == 0x0a && cur_u8(&message) == 1;
    uint8_t code = cur_u8(&message);
    if (message.bad || !id || !extended || !enumerated)
        return SAID_FOREIGN;
    snprintf(t->text, sizeof(t->text), "LDAP result %u", code);
    t->offered = code == 0;
    return t->offered ? SAID_TLS : SAID_DONE;
}

/* ---- Redis, SSH ---- */
static size_t redis_say(const struct talk *t, const struct addr *self, uint8_t *out, size_t room)
{
    (void)t;
    (void)self;
    return put(out, room, "PING\r\n");
}

static enum said redis_hear(struct talk *t, const uint8_t *data, size_t len)
{
    size_t n = line_of(data, len);
    if (len && data[0] != '+' && data[0] != '-')
        return SAID_FOREIGN;
    if (!n)
        return SAID_MORE;
    take(t, data, n);
    return begins(data, n, "-DENIED") || begins(data, n, "-ERR max") ? SAID_REFUSED : SAID_DONE;
}

static size_t ssh_say(const struct talk *t, const struct addr *self, uint8_t *out, size_t room)
{
    (void)t;
    (void)self;
    (void)out;
    (void)room;
    return 0;
}

/* Lines may come before the version (RFC 4253 4.2). */
static enum said ssh_hear(struct talk *t, const uint8_t *data, size_t len)
{
    size_t at = 0, n;
    while ((n = line_of(data + at, len - at))) {
        if (begins(data + at, n, "SSH-")) {
            keep(t->version, sizeof(t->version), data + at, n);
            take(t, data, at + n);
            return SAID_DONE;
        }
        at += n;
    }
    return len > 1024 ? SAID_FOREIGN : SAID_MORE;
}

/* ---- all of them ---- */
static const struct dialogue dialogues[] = {
    {SCHEME_SMTP, "SMTP", true, smtp_say, smtp_hear, "QUIT\r\n"},
    {SCHEME_IMAP, "IMAP", true, imap_say, imap_hear, "a9 LOGOUT\r\n"},
    {SCHEME_POP3, "POP3", true, pop3_say, pop3_hear, "QUIT\r\n"},
    {SCHEME_FTP, "FTP", true, ftp_say, ftp_hear, "QUIT\r\n"},
    {SCHEME_PG, "PostgreSQL", false, pg_say, pg_hear, NULL},
    {SCHEME_MYSQL, "MySQL", true, mysql_say, mysql_hear, NULL},
    {SCHEME_LDAP, "LDAP", false, ldap_say, ldap_hear, NULL},
    {SCHEME_REDIS, "Redis", false, redis_say, redis_hear, NULL},
    {SCHEME_SSH, "SSH", true, ssh_say, ssh_hear, NULL},
};

const struct dialogue *dialogue_of(enum scheme s)
{
    for (size_t i = 0; i < ARRAY_SIZE(dialogues); i++)
        if (dialogues[i].scheme == s)
            return &dialogues[i];
    return NULL;
}

enum scheme dialogue_guess(const uint8_t *data, size_t len, uint16_t port)
{
    struct talk t = {0};
    if (begins(data, len, "SSH-"))
        return SCHEME_SSH;
    if (begins(data, len, "* OK") || begins(data, len, "* BYE") || begins(data, len, "* PREAUTH"))
        return SCHEME_IMAP;
    if (begins(data, len, "+OK") || (port == 110 && begins(data, len, "-ERR")))
        return SCHEME_POP3;
    if (len > 3 && is_code(data)) {
        if (port == 21 || has_word(data, len, "FTP"))
            return SCHEME_FTP;
        if (port == 25 || port == 587 || port == 2525 || has_word(data, len, "SMTP"))
            return SCHEME_SMTP;
        return SCHEME_AUTO;
    }
    enum said said = mysql_hear(&t, data, len);
    return len > MYSQL_HEAD && said != SAID_FOREIGN && said != SAID_MORE ? SCHEME_MYSQL
                                                                         : SCHEME_AUTO;
}
