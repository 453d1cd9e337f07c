/* Messages of the kernel's sock_diag and rtnetlink: { type 8 bits, the rest of the message }. */
#include "fuzz.h"

#include "host/sockdiag.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t types[] = {SOCK_DIAG_BY_FAMILY, RTM_NEWLINK,  RTM_DELLINK,  RTM_NEWADDR,
                                     RTM_DELADDR,         RTM_NEWROUTE, RTM_DELROUTE, 0};
    struct sock_seen s;
    struct host_change c;
    struct nlmsghdr *nlh;

    if (size == 0 || size > 65536)
        return 0;
    /* Its own memory, so that a byte too far is seen. */
    nlh = calloc(1, NLMSG_ALIGN(sizeof(*nlh) + size - 1)); /* the kernel pads so too */
    MUST(nlh);
    *nlh = (struct nlmsghdr){.nlmsg_len = (uint32_t)(sizeof(*nlh) + size - 1),
                             .nlmsg_type = types[data[0] % ARRAY_SIZE(types)]};
    memcpy(nlh + 1, data + 1, size - 1);
    if (sock_seen_parse(&s, nlh) == 0) {
        MUST(s.src.family == 0 || s.src.family == 4 || s.src.family == 6);
        MUST(s.dst.family == 0 || s.dst.family == 4 || s.dst.family == 6);
    }
    if (host_change_parse(&c, nlh))
        must_be_clean(c.link, sizeof(c.link));
    free(nlh);
    return 0;
}

void fuzz_seeds(fuzz_add add, void *arg)
{
    uint8_t msg[1 + 72 + 4 + 280 + 12] = {0, 2, 1};
    static const uint8_t link[] = "\1\0\0\1\0\2\0\0\0\1\0\1\0\0\0\0\0\10\0\3\0eth0";
    static const uint8_t address[] = "\4\2\30\0\0\2\0\0\0\10\0\1\0\12\0\0\1\10\0\2\0\12\0\0\1";

    msg[1 + 72] = 284 & 0xff; /* INET_DIAG_INFO and its length */
    msg[1 + 73] = 284 >> 8;
    msg[1 + 74] = 2;
    msg[1 + 72 + 284] = 12; /* INET_DIAG_CGROUP_ID */
    msg[1 + 72 + 284 + 2] = 21;
    add(arg, msg, sizeof(msg));
    add(arg, link, sizeof(link) - 1);
    add(arg, address, sizeof(address) - 1);
}

void fuzz_seeds_of_capture(const uint8_t *file, size_t len, fuzz_add add, void *arg)
{
    (void)file;
    (void)len;
    (void)add;
    (void)arg;
}
