/* privilege.c alone, apart from program.h: grp.h has a struct group of its own. */
#ifndef PRIVILEGE_H
#define PRIVILEGE_H

#include "base/base.h"

/* Started by root for a user (SUDO_UID, PKEXEC_UID): becomes that user for good, home included.
 * 0, or -errno: then nothing may go on. */
int privilege_drop(void);

#endif
