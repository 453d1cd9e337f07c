/*
 * A struct reset as one line of facts, "name=value" and bare words, for goldens and for comparing
 * with other people's tools. Bears no address and nothing that was said, only its length: captures
 * of others stay theirs.
 */
#ifndef TESTS_FLOW_SNAPSHOT_H
#define TESTS_FLOW_SNAPSHOT_H

#include "flow/flow.h"

void snapshot_text(struct strbuf *out, const struct reset *r); /* without the packet's number */

#endif
