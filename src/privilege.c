/*
 * Started by root for somebody: once the capture helper runs, become that user for good, before
 * anything that others wrote is read.
 */
#include "privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

/* The user root was asked to act for; 0 none. */
static uid_t asked_for(void)
{
    static const char *const names[] = {"SUDO_UID", "PKEXEC_UID"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *text = getenv(names[i]);
        uint64_t uid;
        if (text && parse_u64(text, 1, UINT32_MAX - 1, &uid) == 0)
            return (uid_t)uid;
    }
    return 0;
}

static int become(const struct passwd *pw)
{
    if (initgroups(pw->pw_name, pw->pw_gid) < 0)
        return -errno;
    if (setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0)
        return -errno;
    if (setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
        return -errno;
    if (setuid(0) == 0 || geteuid() != pw->pw_uid || getegid() != pw->pw_gid)
        return -EPERM; /* there must be no way back */
    return 0;
}

int privilege_drop(void)
{
    static const char *const of_root[] = {"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME",
                                          "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"};
    uid_t uid = geteuid() == 0 ? asked_for() : 0;
    struct passwd *pw;
    int err;

    if (!uid)
        return 0;
    errno = 0;
    pw = getpwuid(uid);
    if (!pw)
        return errno ? -errno : -ENOENT;
    err = become(pw);
    if (err)
        return err;
    for (size_t i = 0; i < ARRAY_SIZE(of_root); i++)
        unsetenv(of_root[i]);
    if (setenv("HOME", pw->pw_dir, 1) || setenv("USER", pw->pw_name, 1) ||
        setenv("LOGNAME", pw->pw_name, 1))
        return -ENOMEM;
    return 0;
}
