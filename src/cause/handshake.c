/* Causes: the TLS handshake (causes.md A4). A well-behaved stack says why in an alert. */
#include "cause/catalogue.h"

static const struct weight tls_plain_to_tls_w[] = {
    YRD(PLAIN_ON_TLS, 500), YRD(PLAIN_ON_TLS_TEXT, 500),     YR(TLS_WORKS, 350),
    N(TLS_WORKS, -300),     YR(USER_TLS_PORT, 250),          N(USER_TLS_PORT, -250),
    Y(HELLO_SENT, -500),    YINR(HTTP_STATUS, 400, 400, 60), Y(RST_TTL_DIFFERS, -100),
    N(CLIENT_TLS, 90), /* causes.md A0: of HTTP that is cut without a word */
    YX(CLIENT_TLS),         Y(LAST_DATA_TO_RST_SIDE, 120),   YIS(RST_CLASS, "active", 40),
};
const struct cause cause_tls_plain_to_tls = {
    .id = "tls-plain-to-tls",
    .group = GROUP_HANDSHAKE,
    .title = N_("plain text was sent to a TLS port"),
    .what = N_("The client spoke HTTP (or another plain protocol) where the server expects TLS."),
    .confirm = N_("Send a ClientHello to the same port: the server answers it."),
    .client = N_("Use https:// (or the protocol's TLS variant) for this port."),
    .server = N_("Redirect plain HTTP on another port, or say so in the error page."),
    .deterministic = true,
    .references = REFERENCES("elastic/elasticsearch-py#1911",
                             "uken/fluent-plugin-elasticsearch#476", "RFC 8446 5.1"),
    WEIGHTS(tls_plain_to_tls_w),
    CONFIDENCE(.97, .98, .99),
};

static const struct weight tls_tls_to_plain_w[] = {
    YD(FIRST_BYTES_TEXT, 500),
    N(FIRST_BYTES_TEXT, 0),
    YX(FIRST_BYTES_TLS),
    YX(SERVER_HELLO),
    YR(HELLO_SENT, 80),
    YR(FIRST_BYTES_TEXT, 0),
    YR(PLAIN_WORKS, 400),
    N(PLAIN_WORKS, -100),
    N(USER_TLS_PORT, 250),
    Y(USER_TLS_PORT, -300),
    YX(TLS_ALERT),
    Y(RST_TTL_DIFFERS, -200),
    Y(RST_BEFORE_RTT, -300),
    Y(REPEATED_SAME, 60),
    N(REPEATED_SAME, -200),
    YIS(RST_CLASS, "active", 30),
    YIS(RST_CLASS, "passive", -100),
    Y(NEUTRAL_SNI_OK, -400),
    Y(RST_TRAIN, -150),
    Y(DATA_AFTER_RST, -60),
    YR(OTHER_PROTOCOL, 0),
    Y(ABORT_ON_CLOSE, 50),
    YX(TLS_OK),
    Y(BANNER_FIRST, -150),
    YIS(OTHER_PROTOCOL, "SMTP|FTP|IMAP|POP3", -300), /* they would take STARTTLS */
    NX(CLIENT_TLS),
    Y(SMALL_HELLO_OK, -400),
};
const struct cause cause_tls_tls_to_plain = {
    .id = "tls-tls-to-plain",
    .group = GROUP_HANDSHAKE,
    .title = N_("TLS was spoken to a port that does not speak TLS"),
    .what = N_("The client sent a ClientHello to a plain-text service, which answered with text or "
               "closed without reading it."),
    .confirm = N_("Ask the same port in plain text (GET, EHLO): it answers."),
    .client = N_("Use the plain scheme for this port, the right port, or STARTTLS."),
    .server = N_("Turn TLS on for this port if clients should use it."),
    .deterministic = true,
    .references = REFERENCES("RFC 8446 5.1"),
    WEIGHTS(tls_tls_to_plain_w),
    CONFIDENCE(.97, .98, .99),
};

static const struct weight tls_starttls_needed_w[] = {
    YR(BANNER_FIRST, 250),    Y(HELLO_SENT, 100),
    Y(FIRST_BYTES_TEXT, 150), YISX(OTHER_PROTOCOL, "SSH|SSH banner"),
    N(BANNER_FIRST, -300),    NX(FIRST_BYTES_TEXT),
    Y(PLAIN_WORKS, -100),     YX(SERVER_HELLO),
    Y(AUTH_WORDS, -100),      Y(CLIENT_TLS, 200),
    NX(CLIENT_TLS),           YISR(OTHER_PROTOCOL, "SMTP|FTP|IMAP|POP3", 450),
    Y(STARTTLS, 150),         N(STARTTLS, -100),
};
const struct cause cause_tls_starttls_needed = {
    .id = "tls-starttls-needed",
    .group = GROUP_HANDSHAKE,
    .title = N_("the port wants STARTTLS, not TLS from the first byte"),
    .what = N_("The server greets in plain text first; TLS begins only after a STARTTLS command."),
    .confirm = N_("Connect and wait a second before sending: a banner (220, +OK, * OK) comes."),
    .client = N_("Use STARTTLS on this port, or the port for implicit TLS (465, 993, 995 ...)."),
    .deterministic = true,
    .references = REFERENCES("RFC 3207", "RFC 9051 6.2.1", "RFC 8314"),
    WEIGHTS(tls_starttls_needed_w),
    CONFIDENCE(.97, .98, .99),
};

static const struct weight tls_version_w[] = {
    YINRD(TLS_ALERT, 70, 70, 600),
    YIN(TLS_ALERT, 40, 40, -60),
    YR(USER_TLS_CHANGED, 60),
    YINR(TLS_ALERT_SENT, 70, 70, 500),
    N(USER_TLS_CHANGED, -60),
    Y(SMALL_HELLO_OK, -60),
    N(TLS_ALERT, -200),
    Y(RST_TTL_DIFFERS, -100),
    YX(FIRST_BYTES_TEXT),
};
const struct cause cause_tls_version = {
    .id = "tls-version",
    .group = GROUP_HANDSHAKE,
    .title = N_("client and server have no TLS version in common"),
    .what = N_("The server refused the offered TLS versions (alert protocol_version)."),
    .confirm = N_("Try each version from TLS 1.0 to 1.3 alone (--tls-min, --tls-max)."),
    .client = N_("Allow TLS 1.2 and 1.3, or update the TLS library."),
    .server = N_("Enable TLS 1.2 and 1.3."),
    .deterministic = true,
    .references = REFERENCES("RFC 8446 6.2", "RFC 8996"),
    WEIGHTS(tls_version_w),
    CONFIDENCE(.97, .98, .99),
};

static const struct weight tls_cipher_w[] = {
    YINRD(TLS_ALERT, 71, 71, 600),
    YINR(TLS_ALERT, 40, 40, 450),
    Y(CERT_WANTED, -200),
    Y(SERVER_HELLO, -150),
    N(SERVER_HELLO, 60),
    Y(USER_CLIENT_CERT, -150),
    N(TLS_ALERT, -200),
    YX(FIRST_BYTES_TEXT),
};
const struct cause cause_tls_cipher = {
    .id = "tls-cipher",
    .group = GROUP_HANDSHAKE,
    .title = N_("client and server have no cipher, group or signature in common"),
    .what =
        N_("The server could not choose from what the client offered (alert handshake_failure or "
           "insufficient_security)."),
    .confirm = N_("Try other cipher suites and groups, and an RSA against an ECDSA certificate."),
    .client = N_("Allow the suites and groups that the server has."),
    .server = N_("Offer current suites (ECDHE with AES-GCM or ChaCha20) and groups."),
    .deterministic = true,
    .references = REFERENCES("RFC 8446 6.2", "RFC 8446 4.1.1"),
    WEIGHTS(tls_cipher_w),
    CONFIDENCE(.9, .92, .99),
};

static const struct weight tls_client_rejects_cert_w[] = {
    YINRD(TLS_ALERT_SENT, 42, 46, 600),
    YINRD(TLS_ALERT_SENT, 48, 48, 600),
    YRD(CERT_REJECTED, 450),
    NX(CERT_REJECTED),
    YIS(RST_FROM, "client", 100),
    YIS(RST_FROM, "server", -150),
    Y(SENDER_LOCAL, 40),
    YIN(TLS_ALERT, 1, 255, -200),
    Y(SAME_ISSUER, -400),
    Y(CERT_REVOKED, 100),
    Y(OCSP_STALE, 60),
};
const struct cause cause_tls_client_rejects_cert = {
    .id = "tls-client-rejects-cert",
    .group = GROUP_HANDSHAKE,
    .title = N_("the client does not accept the server's certificate"),
    .what = N_(
        "The client's check failed (name, date, unknown authority), it sent an alert and closed; "
        "the reset comes from the client's side."),
    .confirm =
        N_("Connect once without verification and look at the chain, the names and the dates."),
    .client = N_("Install the right authority, use the certificate's name, check the clock."),
    .server = N_("Send the whole chain, renew the certificate, add the missing name."),
    .deterministic = true,
    .references = REFERENCES("RFC 8446 6.2", "RFC 5280 6", "RFC 9525"),
    WEIGHTS(tls_client_rejects_cert_w),
    CONFIDENCE(.98, .99, .99),
};

static const struct weight tls_mtls_required_w[] = {
    YINRD(TLS_ALERT, 116, 116, 600),
    YINRD(TLS_LATE_ALERT, 116, 116, 600),
    YR(CERT_WANTED, 100),
    NX(CERT_WANTED),
    YIN(TLS_ALERT, 40, 42, 250),
    YIN(TLS_LATE_ALERT, 40, 48, 200),
    YR(USER_CLIENT_CERT, 250),
    N(USER_CLIENT_CERT, -250),
    YIN(TLS_ALERT, 70, 70, -400),
    YIN(TLS_ALERT, 112, 112, -400),
    YX(FIRST_BYTES_TEXT),
};
const struct cause cause_tls_mtls_required = {
    .id = "tls-mtls-required",
    .group = GROUP_HANDSHAKE,
    .title = N_("the server demands a client certificate"),
    .what = N_("No client certificate was sent, or not one the server accepts. With TLS 1.3 the "
               "handshake looks finished and the error comes afterwards."),
    .confirm =
        N_("Read after the first write: the alert certificate_required comes; with a certificate "
           "it works."),
    .client = N_("Give the client its certificate and key (--cert, --key)."),
    .server = N_("Check which authority client certificates must come from."),
    .deterministic = true,
    .references = REFERENCES("RFC 8446 4.3.2", "RFC 8446 6.2 (certificate_required)"),
    WEIGHTS(tls_mtls_required_w),
    CONFIDENCE(.95, .95, .99),
};

static const struct weight tls_sni_unknown_w[] = {
    YIND(TLS_ALERT, 112, 112, 600),
    YR(HELLO_SENT, 60),
    YIN(TLS_ALERT, 1, 111, -400),
    YINR(TLS_ALERT, 112, 112, 0),
    N(SNI, 60),
    Y(SNI, 10),
    Y(NEUTRAL_SNI_OK, 250),
    N(NEUTRAL_SNI_OK, 30), /* who knows few names knows the harmless ones as little */
    YIS(RST_CLASS, "active", 30),
    YIS(RST_CLASS, "passive", -60),
    Y(RST_TTL_DIFFERS, -250),
    Y(RST_BEFORE_RTT, -400),
    YX(FIRST_BYTES_TEXT),
    YX(SERVER_HELLO),
    Y(REPEATED_SAME, 40),
    N(REPEATED_SAME, -200),
    Y(RST_TRAIN, -200),
    Y(USER_PROXY, 100),
    N(USER_PROXY, -60),
    YX(TLS_OK),
    Y(SMALL_HELLO_OK, -300),
    Y(PLAIN_WORKS, -300),
};
const struct cause cause_tls_sni_unknown = {
    .id = "tls-sni-unknown",
    .group = GROUP_HANDSHAKE,
    .title = N_("the server does not know the name asked for"),
    .what =
        N_("The TLS server name matches nothing there: alert unrecognized_name, or a reset by a "
           "router that chooses by name."),
    .confirm = N_("Try a name from the certificate, no name, and a random one."),
    .client = N_("Use the right name; check what the name resolves to."),
    .server = N_("Add the name to the server's or router's configuration."),
    .deterministic = true,
    .references = REFERENCES("RFC 6066 3"),
    WEIGHTS(tls_sni_unknown_w),
    CONFIDENCE(.9, .92, .98),
};

static const struct weight tls_sni_filter_w[] = {
    YR(HELLO_SENT, 100),
    NX(HELLO_SENT),
    Y(NOTHING_ACKED, 60), /* what an in-line filter eats is never acknowledged */
    Y(ALL_ACKED, -60),
    Y(RST_TTL_DIFFERS, 200),
    N(RST_TTL_DIFFERS, -120),
    Y(RST_BEFORE_RTT, 250),
    Y(SNI, 20),
    N(SNI, -200),
    Y(NEUTRAL_SNI_OK, 400),
    N(NEUTRAL_SNI_OK, -250),
    Y(SPLIT_HELLO_OK, 300),
    N(SPLIT_HELLO_OK, -80),
    Y(RST_FAN, 150),
    Y(RST_TRAIN, 100),
    YIN(DATA_AFTER_RST, 1, 1e18, 100),
    Y(RST_IPID_COPIED, 100),
    YX(FIRST_BYTES_TEXT),
    YINX(TLS_ALERT, 1, 255),
    Y(OUT_RSTS, -400),
    N(OUT_RSTS, 250),
    Y(RESET_HOP, 250),
    Y(USER_FILTER, 250),
    N(USER_FILTER, -100),
    Y(USER_OTHER_PATH, 150),
    YIS(RST_CLASS, "active", -60),
    Y(SERVER_HELLO, -200),
    Y(TARGET_LOCAL, -400),
    N(REPEATED_SAME, -100),
    Y(NOTHING_ACKED, 80),
    YR(STALLED, 40),
    NX(CLIENT_TLS),
};
const struct cause cause_tls_sni_filter = {
    .id = "tls-sni-filter",
    .group = GROUP_HANDSHAKE,
    .title = N_("a filter on the path cuts connections to this name"),
    .what =
        N_("A firewall or censor reads the server name in the ClientHello and resets (or drops) "
           "the connection; the server has no part in it."),
    .confirm =
        N_("The same address finishes the handshake with another name; find the hop that resets."),
    .client = N_("Ask whoever runs the network to allow this name, or use another network."),
    .server = N_("The server is not at fault."),
    .network = N_("Allow the name in the filter; look into its log at that time."),
    .deterministic = true,
    .references = REFERENCES("Sundara Raman et al., CoNEXT 2022 (CenTrace)",
                             "Sundara Raman et al., SIGCOMM 2023"),
    WEIGHTS(tls_sni_filter_w),
    CONFIDENCE(.85, .95, .99),
};

static const struct weight tls_alpn_w[] = {
    YINRD(TLS_ALERT, 120, 120, 600),
    Y(HTTP_OTHER_OK, 60),
};
const struct cause cause_tls_alpn = {
    .id = "tls-alpn",
    .group = GROUP_HANDSHAKE,
    .title = N_("client and server have no application protocol in common"),
    .what = N_("The server speaks none of the protocols offered by ALPN (alert "
               "no_application_protocol)."),
    .confirm = N_("Offer h2, http/1.1 and none in turn."),
    .client = N_("Offer http/1.1 too, or the protocol the server speaks."),
    .server = N_("Enable the protocol that clients offer."),
    .deterministic = true,
    .references = REFERENCES("RFC 7301 3.2"),
    WEIGHTS(tls_alpn_w),
    CONFIDENCE(.98, .99, .99),
};

static const struct weight tls_big_clienthello_w[] = {
    YR(HELLO_BIG, 80),
    NX(HELLO_BIG),
    Y(SMALL_HELLO_OK, 500),
    N(SMALL_HELLO_OK, -400),
    NX(HELLO_SENT),
    YX(FIRST_BYTES_TEXT),
    YINX(TLS_ALERT, 1, 255),
    Y(SERVER_HELLO, -300),
    Y(RST_TTL_DIFFERS, -60),
    Y(STALLED, 40),
    N(ALL_ACKED, 20),
    Y(NEUTRAL_SNI_OK, -200),
    YX(TLS_OK),
    Y(SEGMENT_LIMIT, 60),
};
const struct cause cause_tls_big_clienthello = {
    .id = "tls-big-clienthello",
    .group = GROUP_HANDSHAKE,
    .title = N_("something does not bear a ClientHello of more than one segment"),
    .what =
        N_("Post-quantum key shares make the ClientHello longer than one packet; a faulty server "
           "or box reads once and resets or hangs (tldr.fail)."),
    .confirm = N_("A small ClientHello passes; one padded to the same size fails."),
    .client = N_("Until it is mended, leave out the post-quantum group."),
    .server = N_("Update the TLS server or load balancer: read until the record is complete."),
    .network = N_("Update the box that inspects TLS."),
    .deterministic = true,
    .references = REFERENCES("tldr.fail", "RFC 8446 5.1"),
    WEIGHTS(tls_big_clienthello_w),
    CONFIDENCE(.95, .96, .98),
};

static const struct weight tls_handshake_timeout_w[] = {
    YINR(RESPONSE_WAIT, 1, 1e9, 60),
    YIN(RESPONSE_WAIT, 4, 1e9, 100),
    YINR(STALLED, 2, 1e9, 60),
    N(HELLO_SENT, -60),
    N(ALL_ACKED, -100),
    Y(NOTHING_ACKED, -150), /* the hello itself is lost on the way */
    Y(HELLO_SENT, 60),
    YINR(HOLD_FIN, 4, 1e9, 60),
    YINR(CONN_OK, 1, 1e9, 250),
    Y(SYN_REPEATED, 60),
    Y(RETRANSMITTED, 60),
    YX(FIRST_BYTES_TEXT),
    YX(TLS_OK),
    YX(REQUEST_SEEN),
    Y(UPLOADING, -200),
    YHAS(RST_PAYLOAD, "handshake timeout", 150),
    Y(HOST_CPU_SHORT, 30),
    Y(SEGMENT_LIMIT, -300),
    Y(NEUTRAL_SNI_OK, -300),
    Y(SMALL_HELLO_OK, -200),
    Y(PLAIN_WORKS, -300),
    N(SEGMENT_LIMIT, 60),
};
const struct cause cause_tls_handshake_timeout = {
    .id = "tls-handshake-timeout",
    .group = GROUP_HANDSHAKE,
    .title = N_("the handshake took longer than a side allows"),
    .what =
        N_("On a slow path connecting and the handshake exceed a limit of the client or server."),
    .confirm = N_("Measure DNS, TCP and TLS times apart, and look for retransmissions."),
    .client = N_("Raise the connect timeout; use a nearer endpoint."),
    .server = N_("Raise the handshake timeout."),
    .network = N_("Look for loss and delay on the path."),
    .references = REFERENCES("Fluent Bit administration/networking (net.connect_timeout)"),
    WEIGHTS(tls_handshake_timeout_w),
    CONFIDENCE(.8, .85, .95),
};

static const struct weight tls_record_corrupt_w[] = {
    YINRD(TLS_ALERT, 20, 20, 500),     YINRD(TLS_ALERT_SENT, 20, 20, 500),
    YINR(TLS_ALERT, 50, 51, 300),      YINR(TLS_ALERT_SENT, 50, 51, 250),
    YINR(TLS_LATE_ALERT, 20, 20, 500), Y(NOTHING_SENT, -300),
    Y(RST_CHECKSUM_BAD, 30),           Y(EARLY_EOF, -300), /* a cut record, not a damaged one */
};
const struct cause cause_tls_record_corrupt = {
    .id = "tls-record-corrupt",
    .group = GROUP_HANDSHAKE,
    .title = N_("TLS records arrive damaged"),
    .what = N_(
        "A side could not verify or decode a record (bad_record_mac, decode_error): bits flipped "
        "on the way, a faulty network card, or a box that rewrites data."),
    .confirm =
        N_("Repeat a large transfer, then with offloads off (ethtool -K) or another interface."),
    .client = N_("Try another network card, driver or path."),
    .server = N_("Look at TcpInCsumErrors and the interface's errors."),
    .network = N_("Look for a box that changes payload."),
    .references = REFERENCES("RFC 8446 6.2 (bad_record_mac)", "Stone, Partridge, SIGCOMM 2000"),
    WEIGHTS(tls_record_corrupt_w),
    CONFIDENCE(.6, .7, .9),
};

static const struct weight tls_truncation_w[] = {
    YR(EARLY_EOF, 60),  Y(TLS_OK, 150),    Y(CLOSE_NOTIFY, -400),
    Y(REPLY_CUT, -150), N(REPLY_CUT, 150), Y(RESPONSE_COMPLETE, 250),
    YX(RST_SEEN),       NX(CLIENT_TLS), /* in plain text nothing has to be said before the FIN */
    YX(HELLO_SENT),
};
const struct cause cause_tls_truncation = {
    .id = "tls-truncation",
    .group = GROUP_HANDSHAKE,
    .title = N_("the server ends TLS without close_notify"),
    .what = N_(
        "The connection ended with a plain FIN; strict TLS libraries call that an unexpected end "
        "of file even when the answer was complete."),
    .confirm =
        N_("Compare the Content-Length with what came: if it is all there, nothing is lost."),
    .client = N_("Ignore it when the body is complete."),
    .server = N_("Send close_notify before closing."),
    .benign = true,
    .references = REFERENCES("RFC 8446 6.1", "RFC 9112 9.8"),
    WEIGHTS(tls_truncation_w),
    CONFIDENCE(.95, .97, .98),
};
