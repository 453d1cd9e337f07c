/* countpcap FILE: the least a libpcap program can do, a bare pcap_next_ex loop. */
#include <pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    char err[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *h;
    const u_char *data;
    unsigned long long n = 0, bytes = 0;
    pcap_t *p = argc == 2 ? pcap_open_offline(argv[1], err) : NULL;
    if (!p)
        return 1;
    while (pcap_next_ex(p, &h, &data) == 1) {
        n++;
        bytes += h->len;
    }
    pcap_close(p);
    printf("%llu packets, %llu bytes\n", n, bytes);
    return 0;
}
