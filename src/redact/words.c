/*
 * What is nobody's: the words of protocols, of errors and of logs that stay where a text is
 * redacted. Everything that is not here is replaced.
 */
#include "redact/private.h"

#include <ctype.h>
#include <strings.h>

/* In sentences and log lines. What evidence/ looks for in a log must be among them: a test reads
 * its phrases through redact_text(). */
static const char text_words[] =
    " a abort aborted access actively addr address administrator after again alert all allowed an "
    "and any answer answers application as at attempt authentication authority authorization away "
    "back backend bad banner be because before begins body broken but by bytes ca call can cannot "
    "caused certificate certificates certification chain chunk chunked client clients close closed "
    "closes code command connect connected connecting connection connections connecttimeout "
    "content "
    "cookie could crit cut data day days debug delay denied depth dial did different disconnect "
    "disconnected disconnection dns do does done down downstream due during duration early elapsed "
    "empty encoding encrypted end ended endpoint ends eof err error errors established exception "
    "expected expired extension failed failure failures false fatal fields file files fin first "
    "flags for forbidden forcibly from frontend full gateway gave get go gone got grpc h had half "
    "hang has have header headers healthy hello helper host hosts hour hours http https idle if in "
    "info initial insufficient interface interfaces internal invalid io is issuer issues it itself "
    "keep keepalive key keys kill killed known large last late later latency length level life "
    "like "
    "limit limited line lines link listen listening local log login long lookup lost match may "
    "message method milliseconds millis minute minutes mismatch missing mode more ms name names "
    "nat "
    "near network new next no node none not nothing now number of off ok old on once one only open "
    "operation or order other out output over own packet packets page part path peer per "
    "permission "
    "permitted pid pipe plain please port post prematurely probe process protected protocol proxy "
    "put queue quic rate reached read reading reason reasons received record records recv refuse "
    "refused rejected remote remotely repeat reply request requests required reset resets "
    "resolution "
    "resolve resolved respond responded response retry return returned role root route rst second "
    "seconds security segment self send sending sent server servers service session set short shut "
    "shutdown signal signed since size skip sni so socket software speaks ssl stage stalled start "
    "started state status stop stopped stream such syn syscall system target temporarily temporary "
    "term terminate terminated terminating termination than that the then there this time timed "
    "timeout times tls to too trace transfer true truncated try trying txt type unable "
    "unauthorized "
    "unavailable unexpected unexpectedly unhealthy unknown unreachable unrecognized until "
    "unsupported "
    "up upgrade upstream uri us usable used user usually valid value verification verify version "
    "wait "
    "waiting warn warning was were what when while will window with within without word words "
    "worker "
    "write writing written wrong you "
    /* programs and the marks by which their logs are told apart */
    "bit caused cluster curl envoy exception fluent haproxy httpconnectionpool httpsconnectionpool "
    "istio java javax net nginx node python requests urllib ioexception socketexception "
    "sockettimeoutexception connectexception sslexception sslhandshakeexception "
    "unknownhostexception nohttpresponseexception system sockets winerror errno eai wsaeconnreset "
    "psycopg operationalerror connectionerror connectionreseterror connectionrefusederror "
    "brokenpipeerror remotedisconnected protocolerror newconnectionerror readtimeouterror "
    "maxretryerror "
    "valueerror timeouterror client_aborted grpc ess "
    /* HAProxy's states, Envoy's flags */
    "sc sd sh sq cd ch cr cq pr ph pd rc cc ss uc uf uh ur ut dc lr uo si nc upe "
    /* errno and resolver names are looked up besides; results' own words */
    "nxdomain nodata servfail noerror formerr notimp econn onnect eof_error dns_nxdomain_error "
    "active "
    "passive foreign refuse responder psh ack stall udp tcp destination icmp ttl exceeded hop "
    "transit "
    "administratively prohibited fragmentation needed host_unreachable stapled good revoked stale "
    "damaged supported notice quad stun resumed peer cipher suite aes gcm cbc sha sha256 sha384 "
    "chacha20 poly1305 ecdhe rsa ecdsa dhe psk with tlsv1 sslv3 tlsv null x25519 mlkem768 "
    "secp256r1 p "
    "h2 goaway rst_stream enhance your calm no_error protocol_error internal_error "
    "flow_control_error "
    "settings_timeout stream_closed frame_size_error refused_stream cancel compression_error "
    "connect_error enhance_your_calm inadequate_security http_1_1_required frame preface "
    "smtp ftp imap pop3 ssh postgresql postgres mysql redis ldap elasticsearch kubernetes database "
    "s3 "
    "gis capture captured clienthello serverhello printable binary text records query bulk "
    "unable_to_get_issuer_certificate jan feb mar apr may jun jul aug sep oct nov dec mon tue wed "
    "thu "
    "fri sat sun utc gmt pm am utf json xml html plain image gzip deflate br identity "
    /* of filters, pcap-filter(7) */
    "src dst port portrange net ether ip ip6 arp vlan and or not greater less gateway broadcast "
    "multicast tcpflags proto mask inbound outbound tcp-rst ";

/* As parts of a header's name, and of those alone. */
static const char header_words[] =
    " accept age agent allow alive allowed alt amz authenticate authorization basic cache charset "
    "clientip client cf close code connection content control cookie cookie2 credentials csp date "
    "disposition dnt do etag encoding encrypted expect expires expose ext features fetch for "
    "forwarded forwarding from frame h headers hits host hsts id if insecure ip keep language last "
    "length link location match max methods mobile mode modified nel none not of only options "
    "origin "
    "p3p path patch permissions platform policy port powered pragma preference priority product "
    "proto protection protocol proxy public purpose range ranges real ray referer referrer refresh "
    "remote report reporting request requested requests resource response retry robots runtime s "
    "sec "
    "secure security server service set site since source store strict tag te telemetry time "
    "timing "
    "to token trace trailer transfer transport type ua unmodified unsafe upgrade upstream uri user "
    "varnish vary via warning websocket with wap www x xss access ";

/* Labels that name nothing: kinds of service, the great top levels, reverse zones. Of two
 * letters all are kept behind a dot. */
static const char common_labels[] =
    " www com net org edu gov mil int arpa local localhost _tcp _udp "
    "in-addr ip6 dns ns1 ns2 localdomain ";

/* In payload these alone stay, in any case: flow/ and evidence/ read them. */
static const char *const phrases[] = {
    "denied",
    "not allowed",
    "unauthorized",
    "forbidden",
    "authentication",
    "not permitted",
    "protected mode",
    "login incorrect",
    "access",
    "header too large",
    "header or cookie too large",
    "header fields too large",
    "uri too long",
    "uri too large",
    "upstream connect error",
    "no healthy upstream",
    "upstream request timeout",
    "bad gateway",
    "gateway time-out",
    "gateway timeout",
    "no server is available",
    "plain HTTP request was sent to HTTPS",
    "HTTP request to an HTTPS server",
    "speaking plain HTTP to an SSL",
    "SMTP",
    "ESMTP",
    "FTP",
    "SSH-2.0-",
    "SSH-1.99-",
    "SSH-1.5-",
    "* OK",
    "* PREAUTH",
    "* BYE",
    "+OK",
    "-ERR",
    "HTTP/1.0",
    "HTTP/1.1",
    "x-amz-",
    "_bulk",
};

/* " word " in a list of such; at most 31 letters. */
static bool listed(const char *list, const char *word, size_t n)
{
    char key[34];

    if (!n || n > 31)
        return false;
    key[0] = ' ';
    for (size_t i = 0; i < n; i++)
        key[i + 1] = (char)tolower((unsigned char)word[i]);
    key[n + 1] = ' ';
    key[n + 2] = 0;
    return strstr(list, key) != NULL;
}

bool word_of_protocols(const char *word, size_t n)
{
    char upper[32];

    if (listed(text_words, word, n))
        return true;
    if (n >= sizeof(upper))
        return false;
    memcpy(upper, word, n);
    upper[n] = 0;
    return errno_from_name(upper) != 0;
}

bool redact_keeps_word(const char *word)
{
    return word_of_protocols(word, strlen(word));
}

bool label_of_everybody(const char *word, size_t n, bool after_dot)
{
    bool country =
        after_dot && n == 2 && isalpha((unsigned char)word[0]) && isalpha((unsigned char)word[1]);

    return country || listed(common_labels, word, n);
}

bool header_word(const char *word, size_t n)
{
    return listed(header_words, word, n);
}

size_t phrase_at(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < ARRAY_SIZE(phrases); i++) {
        size_t len = strlen(phrases[i]);
        if (len <= n && strncasecmp((const char *)p, phrases[i], len) == 0)
            return len;
    }
    return 0;
}
