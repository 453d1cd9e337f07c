/*
 * connects PORT COUNT [child]: makes COUNT connections to 127.0.0.1:PORT one after another, each of
 * about a millisecond, and prints the local ports. child: a grandchild makes them. Linked
 * statically: nothing can be preloaded into it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int one(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in me;
    socklen_t len = sizeof(me);
    char byte;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
        getsockname(fd, (struct sockaddr *)&me, &len) < 0)
        return -1;
    printf("%d\n", ntohs(me.sin_port));
    if (write(fd, "x", 1) != 1)
        perror("write");
    if (read(fd, &byte, 1) >= 0) /* the server resets */
        fprintf(stderr, "no reset\n");
    close(fd);
    return 0;
}

int main(int argc, char **argv)
{
    int port = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0;
    int count = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0;

    if (argc > 3 && fork() != 0) {
        wait(NULL);
        return 7;
    }
    if (argc > 3 && fork() != 0) {
        wait(NULL);
        return 0;
    }
    for (int i = 0; i < count; i++)
        if (one(port) < 0)
            return 1;
    return fflush(stdout) ? 1 : 7;
}
