/* The first bytes of streams: TLS, HTTP, HTTP/2, DNS, banners, and the payload of a RST. */
#include "build.h"

/* Decodes b, having decoded every prefix in a block of its own size. */
static bool app_of(struct app *a, const struct strbuf *b, uint16_t sport, uint16_t dport)
{
    for (size_t n = 0; n <= b->len; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        assert_non_null(exact);
        memcpy(exact, b->buf, n);
        bool got = app_decode(a, exact, n, sport, dport);
        assert_int_equal(got, n > 0);
        assert_true(strlen(a->text) < sizeof(a->text) && strlen(a->name) < sizeof(a->name));
        free(exact);
    }
    return app_decode(a, (const uint8_t *)b->buf, b->len, sport, dport);
}

static void text_case(struct app *a, const char *text)
{
    struct strbuf b = STRBUF_INIT;

    strbuf_addstr(&b, text);
    assert_true(app_of(a, &b, 40000, 9999));
    strbuf_release(&b);
}

static void hex_case(struct app *a, const char *hex, uint16_t port)
{
    struct strbuf b = STRBUF_INIT;

    put_hex(&b, hex);
    assert_true(app_of(a, &b, 40000, port));
    strbuf_release(&b);
}

static void put_ext(struct strbuf *b, unsigned type, const char *hex)
{
    struct strbuf e = STRBUF_INIT;

    put_hex(&e, hex);
    put16(b, type);
    put16(b, (unsigned)e.len);
    strbuf_add(b, e.buf, e.len);
    strbuf_release(&e);
}

/* A handshake message of the given type, without record header. */
static void put_hello(struct strbuf *b, bool client, size_t padding)
{
    struct strbuf body = STRBUF_INIT, ext = STRBUF_INIT;

    put_ext(&ext, 0x0a0a, ""); /* GREASE */
    if (client) {
        put_ext(&ext, 0, "000c 00 0009 612e6578616d706c65");
        put_ext(&ext, 16, "000c 02 6832 08 687474702f312e31");
        put_ext(&ext, 43, "06 4a4a 0304 0303");
    } else
        put_ext(&ext, 43, "0304");
    put16(&ext, 21);
    put16(&ext, (unsigned)padding);
    strbuf_addchars(&ext, 0, padding);
    put16(&body, 0x0303);
    strbuf_addchars(&body, 'r', 32);
    put8(&body, 0);
    put_hex(&body, client ? "0004 1301 c02f 01 00" : "1301 00");
    put16(&body, (unsigned)ext.len);
    strbuf_add(&body, ext.buf, ext.len);
    put8(b, client ? 1 : 2);
    put8(b, (unsigned)(body.len >> 16));
    put16(b, body.len & 65535);
    strbuf_add(b, body.buf, body.len);
    strbuf_release(&body);
    strbuf_release(&ext);
}

/* The message in records of at most `piece` bytes. */
static void put_records(struct strbuf *b, const struct strbuf *message, size_t piece)
{
    for (size_t at = 0; at < message->len; at += piece) {
        size_t n = MIN_OF(piece, message->len - at);
        put_hex(b, "16 0301");
        put16(b, (unsigned)n);
        strbuf_add(b, message->buf + at, n);
    }
}

static void check_hello(const struct app *a)
{
    assert_int_equal(a->kind, APP_TLS_CLIENT_HELLO);
    assert_string_equal(a->name, "a.example");
    assert_string_equal(a->alpn, "h2");
    assert_int_equal(a->tls_version, 0x0304);
    assert_string_equal(a->text, "ClientHello sni=a.example alpn=h2 TLS 1.3");
}

static void test_client_hello(void **state)
{
    struct strbuf message = STRBUF_INIT, b = STRBUF_INIT;
    struct app a;

    (void)state;
    put_hello(&message, true, 300);
    put_records(&b, &message, 16384);
    app_of(&a, &b, 1, 443);
    check_hello(&a);
    assert_false(a.partial);
    assert_int_equal(a.hello_len, b.len);
    assert_false(a.ech);
    /* cut behind the interesting extensions: they show, and that it is not all */
    app_decode(&a, (const uint8_t *)b.buf, b.len - 200, 1, 443);
    check_hello(&a);
    assert_true(a.partial);
    assert_int_equal(a.hello_len, b.len);
    /* the same over records of 7 bytes, the first holding less than a name */
    strbuf_reset(&b);
    put_records(&b, &message, 7);
    app_of(&a, &b, 1, 443);
    check_hello(&a);
    assert_false(a.partial);
    assert_int_equal(a.hello_len, b.len);
    strbuf_release(&b);
    strbuf_release(&message);
}

/* A hello larger than what is joined: the front is read, no more. */
static void test_huge_hello(void **state)
{
    struct strbuf message = STRBUF_INIT, b = STRBUF_INIT;
    struct app a;

    (void)state;
    put_hello(&message, true, 30000);
    put_records(&b, &message, 1000);
    assert_true(app_decode(&a, (const uint8_t *)b.buf, b.len, 1, 443));
    check_hello(&a);
    assert_true(a.partial);
    strbuf_release(&b);
    strbuf_release(&message);
}

static void test_server_hello(void **state)
{
    struct strbuf message = STRBUF_INIT, b = STRBUF_INIT;
    struct app a;

    (void)state;
    put_hello(&message, false, 0);
    put_records(&b, &message, 16384);
    put_hex(&b, "14 0303 0001 01");
    app_of(&a, &b, 443, 1);
    assert_int_equal(a.kind, APP_TLS_SERVER_HELLO);
    assert_int_equal(a.tls_version, 0x0304);
    assert_string_equal(a.text, "ServerHello TLS 1.3 cipher 0x1301");
    assert_false(a.partial);
    strbuf_release(&b);
    strbuf_release(&message);
}

static void test_alerts(void **state)
{
    struct app a;

    (void)state;
    hex_case(&a, "15 0303 0002 02 46", 443);
    assert_int_equal(a.kind, APP_TLS_ALERT);
    assert_int_equal(a.alert_level, 2);
    assert_int_equal(a.alert, 70);
    assert_false(a.alert_encrypted);
    assert_string_equal(a.text, "alert fatal protocol_version (70)");
    hex_case(&a, "15 0303 0002 01 00", 443);
    assert_string_equal(a.text, "alert warning close_notify (0)");
    hex_case(&a, "15 0303 001a 0000000000000001 112233445566778899aabbccddeeff001122", 443);
    assert_int_equal(a.kind, APP_TLS_ALERT);
    assert_true(a.alert_encrypted);
    hex_case(&a, "17 0303 0013 00112233445566778899aabbccddeeff001122", 443);
    assert_int_equal(a.kind, APP_TLS_ALERT);
    assert_true(a.alert_encrypted);
    hex_case(&a, "17 0303 0014 00112233445566778899aabbccddeeff00112233", 443);
    assert_int_equal(a.kind, APP_TLS_OTHER);
    hex_case(&a, "14 0303 0001 01 15 0303 0002 02 28", 443); /* an alert behind another record */
    assert_int_equal(a.alert, 40);
    hex_case(&a, "16 0303 0004 0e000000", 443);
    assert_int_equal(a.kind, APP_TLS_OTHER);
    assert_string_equal(tls_alert_name(112), "unrecognized_name");
    assert_null(tls_alert_name(3));
    assert_string_equal(tls_version_name(0x0304), "TLS 1.3");
}

static void test_ssl2(void **state)
{
    struct app a;

    (void)state;
    hex_case(&a,
             "802b 01 0301 0012 0000 0010 00c03c 010203 040506 070809 0a0b0c 0d0e0f "
             "00112233445566778899aabbccddeeff",
             443);
    assert_int_equal(a.kind, APP_TLS_CLIENT_HELLO);
    assert_int_equal(a.tls_version, 0x0301);
    assert_false(a.partial);
}

static void test_http_request(void **state)
{
    static const char head[] = "POST /upload?x=1 HTTP/1.1\r\nhost: www.example\r\n"
                               "Content-Length: 1048576\r\nConnection: keep-alive, Close\r\n\r\n";
    struct app a;

    (void)state;
    text_case(&a, head);
    assert_int_equal(a.kind, APP_HTTP_REQUEST);
    assert_string_equal(a.text, "POST /upload?x=1 HTTP/1.1");
    assert_string_equal(a.method, "POST");
    assert_string_equal(a.name, "www.example");
    assert_int_equal(a.content_length, 1048576);
    assert_true(a.connection_close);
    assert_int_equal(a.header_len, strlen(head));
    assert_false(a.partial);
    text_case(&a, "GET / HTTP/1.1\r\nHost: h\r\n");
    assert_true(a.partial);
    assert_string_equal(a.name, "h");
    assert_int_equal(a.header_len, 0);
    text_case(&a, "GET /a/long/path");
    assert_int_equal(a.kind, APP_HTTP_REQUEST);
    assert_true(a.partial);
    text_case(&a, "CONNECT www.example:443 HTTP/1.0\r\n\r\n");
    assert_string_equal(a.name, "www.example:443");
    assert_true(a.connection_close);
    text_case(&a, "GET \x1b]0;x\x07 HTTP/1.1\r\n\r\n");
    assert_string_equal(a.text, "GET .]0;x. HTTP/1.1");
    text_case(&a, "GET well soon\r\n");
    assert_int_equal(a.kind, APP_TEXT);
}

static void test_http_response(void **state)
{
    struct app a;

    (void)state;
    text_case(&a, "HTTP/1.1 413 Too Large\nTransfer-Encoding: gzip, Chunked\n\nbody");
    assert_int_equal(a.kind, APP_HTTP_RESPONSE);
    assert_int_equal(a.status, 413);
    assert_true(a.chunked);
    assert_false(a.connection_close);
    assert_int_equal(a.content_length, -1);
    assert_string_equal(a.text, "HTTP/1.1 413 Too Large");
    text_case(&a,
              "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 99999999999999999999"
              "\r\n\r\n");
    assert_int_equal(a.content_length, -1);
    assert_false(a.connection_close);
    text_case(&a, "HTTP/1.1 abc\r\n\r\n");
    assert_int_equal(a.status, 0);
}

static void test_h2(void **state)
{
    struct app a;

    (void)state;
    text_case(&a, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert_int_equal(a.kind, APP_H2_PREFACE);
    hex_case(&a,
             "000006 04 00 00000000 0003 00000064 000017 07 00 00000000 00000001 0000000b "
             "746f6f5f6d616e795f70696e677321",
             80);
    assert_int_equal(a.kind, APP_H2_GOAWAY);
    assert_int_equal(a.h2_error, 11);
    assert_string_equal(a.text, "GOAWAY ENHANCE_YOUR_CALM (11), last stream 1: too_many_pings!");
    hex_case(&a, "000004 03 00 00000005 00000007", 80);
    assert_int_equal(a.kind, APP_H2_RST_STREAM);
    assert_int_equal(a.h2_error, 7);
    hex_case(&a, "000000 04 01 00000000", 80);
    assert_int_equal(a.kind, APP_H2_OTHER);
    hex_case(&a, "000004 03 00 00000000 00000007", 80); /* no stream: no such frame */
    assert_int_equal(a.kind, APP_BINARY);
}

#define QUERY "1234 0100 0001 0000 0000 0000 01 61 07 6578616d706c65 00 001c 0001"

static void test_dns(void **state)
{
    struct app a;

    (void)state;
    hex_case(&a, QUERY, 53);
    assert_int_equal(a.kind, APP_DNS_QUERY);
    assert_string_equal(a.text, "AAAA a.example");
    assert_string_equal(a.name, "a.example");
    hex_case(&a, "001b" QUERY, 53);
    assert_int_equal(a.kind, APP_DNS_QUERY);
    assert_false(a.partial);
    hex_case(&a, "1234 8183 0001 0000 0000 0000 01 61 00 0001 0001", 53);
    assert_int_equal(a.kind, APP_DNS_ANSWER);
    assert_string_equal(a.text, "A a NXDOMAIN, 0 answers");
    hex_case(&a, "1234 0100 0001 0000 0000 0000 03 1b2e5b 00 ffff 0001", 53);
    assert_string_equal(a.text, "TYPE65535 .\\.[");
    hex_case(&a, QUERY, 443); /* elsewhere it is not asked for */
    assert_int_equal(a.kind, APP_BINARY);
    hex_case(&a, "1234 0100 0001 0000 0000 0000 c00c 0001 0001", 53); /* points at itself */
    assert_int_equal(a.kind, APP_BINARY);
    hex_case(&a, "1234 0100 0001 0000 0000 0000 01 61 c00c 0001 0001", 53); /* and in a circle */
    assert_int_equal(a.kind, APP_BINARY);
    hex_case(&a, "1234 0100 0001 0000 0000 0000 41 61 0001 0001", 53); /* no such label type */
    assert_int_equal(a.kind, APP_BINARY);
}

static void test_dns_walk(void **state)
{
    struct strbuf b = STRBUF_INIT;
    struct dns_walk w;
    struct dns_record rr;

    (void)state;
    put_hex(&b, "1234 8180 0001 0002 0001 0000 01 61 07 6578616d706c65 00 0041 0001"
                "c00c 0005 0001 00000e10 0004 01 62 c00e"
                "c00c 0041 0001 0000003c 0003 0001 00"
                "c00e 0002 0001 00000001 0002 c00c");
    for (size_t n = 0; n < b.len; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        assert_non_null(exact);
        memcpy(exact, b.buf, n);
        if (dns_walk_init(&w, exact, n))
            while (dns_walk_next(&w, &rr))
                ;
        free(exact);
    }
    assert_true(dns_walk_init(&w, (const uint8_t *)b.buf, b.len));
    assert_true(dns_walk_next(&w, &rr));
    assert_string_equal(rr.name, "a.example");
    assert_int_equal(rr.type, 5);
    assert_int_equal(rr.ttl, 3600);
    char name[256];
    assert_true(dns_name(&rr.data, w.msg, w.len, name, sizeof(name)));
    assert_string_equal(name, "b.example");
    assert_true(dns_walk_next(&w, &rr));
    assert_int_equal(rr.type, 65);
    assert_int_equal(cur_left(&rr.data), 3);
    assert_true(dns_walk_next(&w, &rr));
    assert_int_equal(rr.section, DNS_AUTHORITY);
    assert_string_equal(rr.name, "example");
    assert_false(dns_walk_next(&w, &rr));
    strbuf_release(&b);
}

static void test_banners(void **state)
{
    static const struct {
        const char *text;
        enum app_kind kind;
    } v[] = {
        {"SSH-2.0-OpenSSH_9.2p1 Debian\r\n", APP_SSH},
        {"220 mail.example ESMTP ready\r\n", APP_SMTP},
        {"220 (vsFTPd 3.0.3)\r\n", APP_FTP},
        {"220-Welcome\r\n", APP_SMTP},
        {"* OK IMAP4rev1 ready\r\n", APP_IMAP},
        {"+OK POP3 ready\r\n", APP_POP3},
        {"-ERR no\r\n", APP_POP3},
        {"hello there", APP_TEXT},
        {"\x01\x02\x03", APP_BINARY},
    };
    struct app a;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
        text_case(&a, v[i].text);
        assert_int_equal(a.kind, v[i].kind);
        assert_null(strpbrk(a.text, "\r\n"));
        assert_true(app_name(a.kind)[0]);
    }
    assert_false(app_decode(&a, (const uint8_t *)"", 0, 1, 2));
    assert_int_equal(a.kind, APP_NONE);
    assert_string_equal(app_name((enum app_kind)999), "nothing");
}

static void payload_case(const char *hex, const char *expect)
{
    struct strbuf b = STRBUF_INIT;
    char out[200];

    put_hex(&b, hex);
    for (size_t n = 0; n < b.len; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        assert_non_null(exact);
        memcpy(exact, b.buf, n);
        rst_payload_text(out, sizeof(out), exact, n);
        free(exact);
    }
    assert_int_equal(rst_payload_text(out, sizeof(out), (const uint8_t *)b.buf, b.len), !!expect);
    assert_string_equal(out, expect ? expect : "");
    strbuf_release(&b);
}

static void test_rst_payload(void **state)
{
    struct strbuf b = STRBUF_INIT;
    struct seg s = {.sport = 80, .dport = 5000, .seq = 17, .flags = TCP_ACK};
    char out[200];

    (void)state;
    payload_case("19 3039 a1 01 02", "diagnostic payload: reason 2, desynchronized state");
    payload_case("19 3039 bf 01 0e ff", "diagnostic payload: reason 14, connection timeout");
    payload_case("19 3039 a2 01 1904d2 02 197ed9",
                 "diagnostic payload: reason 1234 of enterprise 32473");
    payload_case("19 3039 a1 03 64 62 75 73 79", "diagnostic payload: \"busy\"");
    payload_case("19 3039 a1 03 64 62 1b 73 79", "diagnostic payload: \"b.sy\"");
    payload_case("19 3039 a1 01 18ff", "diagnostic payload: reason 255, not in the draft");
    payload_case("19 3039 a0", NULL);
    payload_case("19 3039 a1 03 7b ffffffffffffffff", NULL);
    payload_case("33aa 0011 00000000", "diagnostic payload: reason 17, middlebox interference");
    payload_case("33aa 0000 00000000", NULL);
    payload_case("f317 6e6f 20 706f6f6c", "diagnostic payload: \"no pool\"");
    payload_case("4e6f206c6f63616c206c697374656e6572 0d0a 0000", "No local listener");
    payload_case("00112233", NULL);
    payload_case("41", NULL);
    put_tcp(&b, &s);
    wrap_ip4(&b, &(struct ip4){.proto = 6});
    assert_true(rst_payload_text(out, sizeof(out), (const uint8_t *)b.buf, b.len));
    assert_string_equal(out, "quotes a packet 192.0.2.1:80 > 198.51.100.2:5000 A seq 17");
    strbuf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client_hello),  cmocka_unit_test(test_huge_hello),
        cmocka_unit_test(test_server_hello),  cmocka_unit_test(test_alerts),
        cmocka_unit_test(test_ssl2),          cmocka_unit_test(test_http_request),
        cmocka_unit_test(test_http_response), cmocka_unit_test(test_h2),
        cmocka_unit_test(test_dns),           cmocka_unit_test(test_dns_walk),
        cmocka_unit_test(test_banners),       cmocka_unit_test(test_rst_payload),
    };

    return cmocka_run_group_tests_name("app", tests, NULL, NULL);
}
