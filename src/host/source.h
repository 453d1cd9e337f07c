/* What every source of the host's evidence says of itself, for --doctor. */
#ifndef HOST_SOURCE_H
#define HOST_SOURCE_H

#include "host/host.h"

#define SOURCE(name) extern const struct host_source source_##name;
#include "host/list.h"
#undef SOURCE

/* A small file of /proc or /sys, cleaned, its first line; "" and -errno where it cannot be read. */
int source_line(char *out, size_t outlen, const char *path);

/* Every listening socket of that port (0: of any), v4 ones too if asked for: each is called with its
 * inet_diag_msg. 0 or -errno; a kernel without IPv6 is no error. */
struct nlmsghdr;
int listeners_dump(uint16_t port, bool v4, int (*each)(const struct nlmsghdr *, void *), void *arg);

#endif
