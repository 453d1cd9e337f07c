/* What the experiments cost and what their outcomes become (causes.md C1, C2). */
#include "step/private.h"

#define S(st)     (1u << STAGE_##st)
#define CONNECTED (S(ACK) | S(PSH) | S(DATA) | S(IDLE) | S(CLOSE) | S(MIDSTREAM))
#define IS(k)                                                                                      \
    {                                                                                              \
        FACT_##k, true, NULL, 0                                                                    \
    }
#define NOT(k)                                                                                     \
    {                                                                                              \
        FACT_##k, false, NULL, 0                                                                   \
    }

const struct test test_repeat = {
    .id = "repeat",
    .title = N_("the same once more"),
    .about = N_("Makes the same connection three times from new source ports, alone."),
    .connections = 3,
    .packets = 30,
    .seconds = 3,
    .stages = S(SYN) | CONNECTED,
    .outcomes =
        {{"again", N_("It fails each time: somebody decides so."), {IS(REPEATED_SAME)}, true},
         {"gone",
          N_("It works now: it was the moment, the path or the old connection."),
          {NOT(REPEATED_SAME), IS(NEW_CONN_WORKS)}}},
};
const struct test test_hold = {
    .id = "hold",
    .title = N_("connect and keep silent"),
    .about = N_("Connects, sends nothing and watches for three seconds."),
    .connections = 2,
    .packets = 14,
    .seconds = 4,
    .stages = S(ACK) | S(PSH),
    .outcomes =
        {{"reset",
          N_("It is reset without a byte of ours: not the content."),
          {{FACT_HOLD_RESET, true, NULL, .01}}},
         {"fin", N_("The server closes by itself."), {{FACT_HOLD_FIN, true, NULL, .01}}},
         {"banner",
          N_("The server speaks first: it is not a TLS or HTTP port."),
          {IS(BANNER_FIRST)}},
         {"quiet", N_("Nothing happens until something is sent."), {NOT(HOLD_RESET)}, true}},
};
const struct test test_sni = {
    .id = "sni",
    .title = N_("another name"),
    .about = N_("The same address with a harmless server name, with none and with a random one."),
    .connections = 5,
    .packets = 45,
    .seconds = 5,
    .stages = S(PSH) | S(DATA),
    .outcomes = {{"name", N_("The name decides."), {IS(NEUTRAL_SNI_OK)}},
                 {"any", N_("Whatever the name, it is cut."), {NOT(NEUTRAL_SNI_OK)}, true}},
};
const struct test test_hops = {
    .id = "hops",
    .title = N_("which hop resets"),
    .about = N_("Sends the packet that is reset with growing TTLs, with a harmless one beside it."),
    .connections = 27,
    .packets = 110,
    .seconds = 12,
    .stages = S(SYN) | S(ACK) | S(PSH) | S(DATA),
    .outcomes =
        {{"before", N_("A box before the server resets."), {IS(RESET_HOP)}},
         {"server", N_("Nothing before the server's own hop resets."), {NOT(RESET_HOP)}, true}},
};
const struct test test_minttl = {
    .id = "minttl",
    .title = N_("refuse resets from nearer by"),
    .about = N_("Lets the kernel ignore packets whose TTL is lower than the server's."),
    .connections = 14,
    .packets = 60,
    .seconds = 6,
    .stages = S(PSH) | S(DATA) | S(IDLE),
    .outcomes = {{"lives", N_("The session lives on: the reset was forged."), {IS(TTL_SHIELD)}},
                 {"dies", N_("It dies all the same."), {NOT(TTL_SHIELD)}, true}},
};
const struct test test_hello = {
    .id = "hello",
    .title = N_("other shapes of the ClientHello"),
    .about = N_("A small ClientHello, one padded beyond a segment, one split at the name."),
    .connections = 9,
    .packets = 60,
    .seconds = 10,
    .stages = S(PSH),
    .outcomes = {{"size",
                  N_("Small ones pass, those over one segment do not."),
                  {IS(SMALL_HELLO_OK)}},
                 {"split",
                  N_("Split at the name it passes: a box reads single segments."),
                  {IS(SPLIT_HELLO_OK)}},
                 {"same",
                  N_("The shape makes no difference."),
                  {NOT(SMALL_HELLO_OK), NOT(SPLIT_HELLO_OK), NOT(PLAIN_WORKS)},
                  true},
                 {"plain",
                  N_("The port speaks plain text: no ClientHello helps."),
                  {IS(PLAIN_WORKS), NOT(SMALL_HELLO_OK)}}},
};
const struct test test_elsewhere = {
    .id = "elsewhere",
    .title = N_("another port"),
    .about =
        N_("Tries another port of the address, one that is surely closed, and another target."),
    .connections = 4,
    .packets = 12,
    .seconds = 3,
    .stages = S(SYN) | S(ACK) | S(PSH),
    .outcomes = {{"port",
                  N_("Another port answers: it is about this port."),
                  {IS(OTHER_PORT_OK), NOT(CLOSED_PORT_ACCEPTS)}},
                 {"proxy",
                  N_("Even a closed port accepts: a box answers in the host's name."),
                  {IS(CLOSED_PORT_ACCEPTS)}},
                 {"none", N_("No port of the address answers otherwise."), {NOT(OTHER_PORT_OK)}}},
};
const struct test test_size = {
    .id = "size",
    .title = N_("how large it may be"),
    .about = N_("The same with smaller packets, or with bodies of other sizes: to the byte."),
    .connections = 20,
    .packets = 400,
    .seconds = 20,
    .stages = S(PSH) | S(DATA) | S(IDLE),
    .outcomes =
        {{"limit", N_("Beyond one size it fails."), {IS(SIZE_LIMIT)}},
         {"packets", N_("Large packets vanish, small ones pass."), {IS(SEGMENT_LIMIT)}},
         {"any", N_("The size makes no difference."), {NOT(SIZE_LIMIT), NOT(SEGMENT_LIMIT)}, true}},
};
const struct test test_request = {
    .id = "request",
    .title = N_("which part of the request"),
    .about = N_("Leaves out one part of the request after another, down to a single byte."),
    .connections = 8,
    .packets = 120,
    .seconds = 10,
    .stages = S(PSH) | S(DATA),
    .outcomes = {{"part",
                  N_("Without one part of it the request passes."),
                  {IS(REQUEST_PART), NOT(ANY_BYTES_CUT)}},
                 {"any", N_("Any bytes at all are cut."), {IS(ANY_BYTES_CUT)}}},
};
const struct test test_idle = {
    .id = "idle",
    .title = N_("how long it may be silent"),
    .about = N_("Holds connections silent for growing times, side by side."),
    .connections = 12,
    .packets = 120,
    .seconds = 60,
    .stages = S(PSH) | S(DATA) | S(IDLE) | S(CLOSE) | S(MIDSTREAM),
    .outcomes = {{"fin",
                  N_("The server closes at that age of silence."),
                  {IS(IDLE_CUT), {FACT_IDLE_CUT_KIND, true, "fin", 0}}},
                 {"rst",
                  N_("A reset comes by itself at that age of silence."),
                  {IS(IDLE_CUT), {FACT_IDLE_CUT_KIND, true, "rst", 0}}},
                 {"rst-on-data",
                  N_("Beyond that silence the next byte is reset."),
                  {IS(IDLE_CUT), {FACT_IDLE_CUT_KIND, true, "rst-on-data", 0}}},
                 {"stall",
                  N_("Beyond that silence nothing is answered any more."),
                  {IS(IDLE_CUT), {FACT_IDLE_CUT_KIND, true, "stall", 0}}},
                 {"none", N_("Silence does no harm up to there."), {NOT(IDLE_CUT)}, true}},
};
const struct test test_ramp = {
    .id = "ramp",
    .title = N_("how many at once"),
    .about = N_("Opens more and more connections and holds them, then ever faster, up to a cap."),
    .connections = 40,
    .packets = 320,
    .seconds = 15,
    .needs_consent = true,
    .stages = S(SYN) | S(ACK) | S(PSH) | S(DATA),
    .outcomes = {{"threshold", N_("It begins at one number of connections."), {IS(LOAD_THRESHOLD)}},
                 {"rate", N_("It begins at one rate of connections."), {IS(RATE_THRESHOLD)}},
                 {"none",
                  N_("The number makes no difference."),
                  {NOT(LOAD_THRESHOLD), NOT(RATE_THRESHOLD)},
                  true}},
};
const struct test test_address = {
    .id = "address",
    .title = N_("every address of the name"),
    .about = N_("Connects to each address of the name, of both families."),
    .connections = 4,
    .packets = 16,
    .seconds = 4,
    .stages = S(SYN) | S(ACK) | S(PSH),
    .outcomes = {{"family", N_("Only one family fails."), {IS(OTHER_FAMILY_OK)}},
                 {"address", N_("Only some addresses fail."), {IS(OTHER_ADDRESS_OK)}},
                 {"none",
                  N_("All of them fail alike."),
                  {NOT(OTHER_ADDRESS_OK), NOT(OTHER_FAMILY_OK)},
                  true}},
};
const struct test test_http = {
    .id = "http",
    .title = N_("other ways to ask by HTTP"),
    .about = N_("HTTP/1.1 and HTTP/2, closing and keeping the connection, several requests on it."),
    .connections = 4,
    .packets = 100,
    .seconds = 6,
    .stages = S(PSH) | S(DATA) | S(CLOSE) | S(IDLE),
    .outcomes = {{"version", N_("With the other version it works."), {IS(HTTP_OTHER_OK)}},
                 {"count", N_("One connection takes only so many requests."), {IS(REQUEST_LIMIT)}},
                 {"tls", N_("The port speaks TLS."), {IS(TLS_WORKS)}},
                 {"same",
                  N_("The way of asking makes no difference."),
                  {NOT(HTTP_OTHER_OK), NOT(REQUEST_LIMIT), NOT(TLS_WORKS)},
                  true}},
};
const struct test test_options = {
    .id = "options",
    .title = N_("a plainer SYN"),
    .about = N_("Connects with and without the TCP options that old boxes do not bear."),
    .connections = 7,
    .packets = 20,
    .seconds = 6,
    .privileged = true,
    .stages = S(SYN),
    .outcomes = {{"plain", N_("Without an option it works."), {IS(PLAIN_SYN_OK)}},
                 {"same", N_("The options make no difference."), {NOT(PLAIN_SYN_OK)}, true}},
};
const struct test test_duration = {
    .id = "duration",
    .title = N_("how long an answer may take"),
    .about = N_("Makes the request again and again: is it cut after the same time each time?"),
    .connections = 5,
    .packets = 60,
    .seconds = 30,
    .stages = S(PSH) | S(DATA) | S(IDLE),
    .outcomes = {{"cliff",
                  N_("Answers that take longer than one time are cut."),
                  {IS(DURATION_CUT)}},
                 {"none", N_("The time makes no difference."), {NOT(DURATION_CUT)}, true}},
};
const struct test test_verify = {
    .id = "verify",
    .title = N_("with and without checking certificates"),
    .about = N_("The handshake without verification, and with a client certificate if there is "
                "one."),
    .connections = 2,
    .packets = 30,
    .seconds = 2,
    .stages = S(PSH) | S(DATA),
    .outcomes = {{"server",
                  N_("Only our check of the server's certificate fails."),
                  {IS(CERT_REJECTED)}},
                 {"client", N_("The server wants a certificate of ours."), {IS(CERT_WANTED)}},
                 {"neither",
                  N_("Certificates are not the reason."),
                  {NOT(CERT_REJECTED), NOT(CERT_WANTED)},
                  true}},
};
