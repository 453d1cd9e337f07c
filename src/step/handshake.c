/* Steps: the TLS handshake. */
#include "step/private.h"

const struct step step_first_bytes = {
    .id = "first-bytes",
    .group = GROUP_HANDSHAKE,
    .question = N_("Did the server answer a ClientHello with plain text?"),
    .why = N_("Then the port does not speak TLS at all."),
    .if_yes = N_("Use the plain scheme, STARTTLS or the right port."),
    .if_no = N_("The port speaks TLS, or said nothing."),
    .how = N_("The first bytes of the server are in the packets; openssl s_client shows \"wrong "
              "version number\"."),
    .kinds = {FACT_FIRST_BYTES_TEXT, FACT_PLAIN_WORKS},
    .yes_is_suspect = true,
    .answer = FACT_PLAIN_WORKS,
    .causes = {"tls-tls-to-plain", "tls-starttls-needed", "app-proto-mismatch"},
    .cost = 1,
};
const struct step step_tls_alert = {
    .id = "tls-alert",
    .group = GROUP_HANDSHAKE,
    .question = N_("Did the server say why in a TLS alert?"),
    .why = N_("A well-behaved TLS stack ends with an alert that has a number: version, cipher, "
              "name, certificate."),
    .if_yes = N_("The alert names the cause."),
    .if_no = N_("A bare reset here points to a box, a crash or a service that does not speak TLS."),
    .how = N_("The alert is in the packets, and in the error text of the client."),
    .kinds = {FACT_TLS_ALERT, FACT_TLS_LATE_ALERT},
    .yes_is_suspect = true,
    .causes = {"tls-version", "tls-cipher", "tls-alpn", "tls-sni-unknown", "tls-mtls-required",
               "tls-record-corrupt"},
    .cost = 0,
};
const struct step step_other_name = {
    .id = "other-name",
    .group = GROUP_HANDSHAKE,
    .question = N_("Does the same address finish the handshake with another server name?"),
    .why = N_("If the name decides, a filter on the way or a router by name is at work."),
    .if_yes = N_("The name decides: a filter, or a server that does not know it."),
    .if_no = N_("The name does not matter."),
    .how = N_("openssl s_client -connect ADDRESS:PORT -servername example.com"),
    .kinds = {FACT_NEUTRAL_SNI_OK},
    .yes_is_suspect = true,
    .answer = FACT_NEUTRAL_SNI_OK,
    .causes = {"tls-sni-filter", "tls-sni-unknown", "dpi-onpath-rst", "dpi-inline-rst",
               "tls-intercept-policy", "tls-big-clienthello"},
    .test = "sni",
    .cost = 1,
};
const struct step step_small_hello = {
    .id = "small-hello",
    .group = GROUP_HANDSHAKE,
    .question = N_("Does a small ClientHello pass where a large one fails?"),
    .why = N_("Post-quantum key shares make the ClientHello longer than one packet; some boxes do "
              "not bear that."),
    .if_yes = N_("Something on the way or the server reads only one packet."),
    .if_no = N_("The size is not the cause."),
    .how = N_("openssl s_client -groups X25519 (small) against the default of a current browser."),
    .kinds = {FACT_SMALL_HELLO_OK},
    .yes_is_suspect = true,
    .answer = FACT_SMALL_HELLO_OK,
    .causes = {"tls-big-clienthello", "pmtu-blackhole"},
    .test = "hello",
    .cost = 1,
};
const struct step step_client_certificate = {
    .id = "client-certificate",
    .group = GROUP_HANDSHAKE,
    .question = N_("Does the service demand a client certificate?"),
    .why = N_("With TLS 1.3 a missing client certificate shows only after the handshake, often as "
              "a reset."),
    .if_yes = N_("Give the client a certificate."),
    .if_no = N_("Client certificates are out."),
    .how = N_("Look at ssl_verify_client or the like; openssl s_client prints \"Acceptable client "
              "certificate CA names\"."),
    .kinds = {FACT_CERT_WANTED, FACT_USER_CLIENT_CERT},
    .yes_is_suspect = true,
    .answer = FACT_USER_CLIENT_CERT,
    .causes = {"tls-mtls-required", "tls-cipher"},
    .cost = 1,
};
const struct step step_certificate = {
    .id = "certificate",
    .group = GROUP_HANDSHAKE,
    .question = N_("Does the client refuse the server's certificate?"),
    .why = N_("A client that refuses it ends the connection itself, and the server logs a reset."),
    .if_yes = N_("The client ends it: correct the chain, the name or the clock."),
    .if_no = N_("The certificate is fine."),
    .how = N_("openssl s_client -verify_return_error; compare names and dates."),
    .kinds = {FACT_CERT_REJECTED},
    .yes_is_suspect = true,
    .causes = {"tls-client-rejects-cert", "tls-intercept-policy"},
    .test = "verify",
    .cost = 0,
};

const struct step step_same_issuer = {
    .id = "same-issuer",
    .group = GROUP_HANDSHAKE,
    .question = N_("Do certificates of unrelated sites come from one issuer here?"),
    .why = N_("Then a proxy ends TLS in between and may block by its own rules."),
    .if_yes = N_("A TLS-inspecting proxy is in the way: look at its policy."),
    .if_no = N_("Nobody ends TLS in between."),
    .how = N_("openssl s_client to two unrelated sites; compare the issuers."),
    .kinds = {FACT_SAME_ISSUER},
    .yes_is_suspect = true,
    .answer = FACT_SAME_ISSUER,
    .causes = {"tls-intercept-policy", "tls-client-rejects-cert"},
    .cost = 1,
};
const struct step step_split_hello = {
    .id = "split-hello",
    .group = GROUP_HANDSHAKE,
    .question = N_("Does a ClientHello pass that is cut in two at the server name?"),
    .why = N_("A filter that reads single segments does not see a name that lies in two."),
    .if_yes = N_("A box on the way reads the name: a filter."),
    .if_no = N_("It reads whole streams, or the name is not the reason."),
    .how = N_("Send the ClientHello in two writes with TCP_NODELAY and a pause between them."),
    .kinds = {FACT_SPLIT_HELLO_OK},
    .yes_is_suspect = true,
    .answer = FACT_SPLIT_HELLO_OK,
    .causes = {"tls-sni-filter", "dpi-onpath-rst", "dpi-inline-rst"},
    .test = "hello",
    .cost = 4,
};
