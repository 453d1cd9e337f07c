/* What every source of the host's evidence says of itself, for --doctor. */
#ifndef HOST_SOURCE_H
#define HOST_SOURCE_H

#include "host/host.h"

#define SOURCE(name) extern const struct host_source source_##name;
#include "host/list.h"
#undef SOURCE

/* A small file of /proc or /sys, cleaned, its first line; "" and -errno where it cannot be read. */
int source_line(char *out, size_t outlen, const char *path);

#endif
