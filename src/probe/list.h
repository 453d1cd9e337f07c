/* The probe types: one line here, one struct probe_type_NAME in a file of its own. In the order in
 * which the stages of a connection come. No include guard: included as an X-macro list. */
PROBE(dns)
PROBE(tcp)
PROBE(tls)
PROBE(http)
