/*
 * The helper as it is, and after it has confined itself: attempts at everything it must not be able
 * to do any more. Each prints "tried NAME refused" or "tried NAME ALLOWED". With --unlocked the
 * attempts are made without the confinement, which proves that they could succeed.
 */
struct helper;
static void try_everything(const struct helper *h);
#define HELPER_LOCKED(h) try_everything(h)
#define main             helper_main
int helper_main(int argc, char **argv);
#include "../../src/capture/helper.c"
#undef main

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netpacket/packet.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

static void tried(const char *name, long r)
{
    bool refused = r == -1 && errno == EPERM;

    if (refused || r >= 0)
        say("tried %s %s", name, refused ? "refused" : "ALLOWED");
    else
        say("tried %s failed: %s", name, strerror(errno));
}

/* A frame to nobody, of an Ethernet type for experiments (IEEE 802, 0x88b5). */
static uint8_t frame[60] = {[12] = 0x88, [13] = 0xb5};

static void try_sending(int fd)
{
    struct iovec iov = {frame, sizeof frame};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    struct mmsghdr many = {.msg_hdr = msg};
    int other = 7; /* a file that main() opened */

    tried("write", write(fd, frame, sizeof frame));
    tried("writev", writev(fd, &iov, 1));
    tried("send", send(fd, frame, sizeof frame, 0));
    tried("sendto", syscall(SYS_sendto, fd, frame, sizeof frame, 0, NULL, 0));
    tried("sendmsg", sendmsg(fd, &msg, 0));
    tried("sendmmsg", sendmmsg(fd, &many, 1, 0));
    tried("write-file", write(other, frame, sizeof frame));
    tried("pwrite-file", pwrite(other, frame, sizeof frame, 0));
    tried("sendfile", sendfile(fd, other, &(off_t){0}, sizeof frame));
}

static void try_opening(void)
{
    tried("socket-packet", socket(AF_PACKET, SOCK_RAW, 0));
    tried("socket-inet", socket(AF_INET, SOCK_STREAM, 0));
    tried("socket-netlink", socket(AF_NETLINK, SOCK_RAW, 0));
    tried("open", open("/etc/passwd", O_RDONLY));
    tried("openat", syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY));
    tried("dup", dup(STDERR_FILENO));
    tried("dup2", dup2(STDIN_FILENO, 20));
    tried("fcntl-dup", fcntl(STDERR_FILENO, F_DUPFD, 10));
}

static void try_the_rest(int fd)
{
    int fanout = 1;
    char byte;

    tried("setsockopt", setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &fanout, sizeof fanout));
    tried("ioctl", ioctl(fd, FIONREAD, &fanout));
    tried("read-file", pread(7, &byte, 1, 0));
    tried("mmap-exec",
          (long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    tried("prctl", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
    tried("kill", kill(getpid(), 0));
    long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        _exit(0);
    tried("clone", child);
    char *none[] = {NULL};
    execve("/proc/self/nothing", none, none); /* ENOENT: the attempt was let through */
    tried("execve", errno == ENOENT ? 0 : -1);
}

static void try_everything(const struct helper *h)
{
    int fd = pcap_get_selectable_fd(h->pcap);

    try_sending(fd);
    try_opening();
    try_the_rest(fd);
    say("tried all");
}

/* The same without the lock, on a packet socket of its own on lo. */
static int unlocked(void)
{
    struct sockaddr_ll lo = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_ALL),
                             .sll_ifindex = (int)if_nametoindex("lo")};
    int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));

    if (fd < 0 || bind(fd, (struct sockaddr *)&lo, sizeof lo) < 0)
        return 1;
    try_sending(fd);
    try_opening();
    try_the_rest(fd);
    say("tried all");
    return 0;
}

int main(int argc, char **argv)
{
    FILE *f = tmpfile();

    if (!f || (fileno(f) != 7 && dup2(fileno(f), 7) < 0) || write(7, frame, sizeof frame) < 0)
        return 1;
    if (argc > 1 && strcmp(argv[1], "--unlocked") == 0)
        return unlocked();
    return helper_main(argc, argv);
}
