/* Options, locale, then console or batch; the only place that ends the program. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

/* A descriptor that was closed must not become some file of ours that a report is then written to:
 * reading from it ends at once, writing to it fails. */
static void hold_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY) < 0)
            return;
}

static void set_language(void)
{
    setlocale(LC_ALL, "");
    bindtextdomain(PACKAGE, LOCALEDIR);
    textdomain(PACKAGE);
}

/* With -r - the packets come by stdin, and the keys from the terminal itself. */
static bool has_terminal(const struct options *o)
{
    const char *file = o->settings.read_file;

    if (!isatty(STDOUT_FILENO) || isatty(STDIN_FILENO))
        return isatty(STDOUT_FILENO);
    int fd = file && strcmp(file, "-") == 0 ? open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int console_or_hint(struct options *o)
{
    if (has_terminal(o))
        return console_main(o);
    complain("%s", _("the console needs a terminal; without one use --batch"));
    return EXIT_USAGE;
}

static int run_mode(struct options *o)
{
    switch (o->mode) {
    case MODE_HELP: options_help(); return EXIT_WELL;
    case MODE_VERSION: return print_version();
    case MODE_LIST_CAUSES: return print_causes();
    case MODE_EXPLAIN: return print_cause(o->explain);
    case MODE_LIST_INTERFACES: return print_interfaces();
    case MODE_DOCTOR: return print_doctor();
    case MODE_PRINT_CONFIG: return config_print(o);
    case MODE_LIST_KEYS: return print_keys();
    case MODE_HISTORY: return print_history(o);
    case MODE_COMPARE: return print_compare(o);
    case MODE_BATCH: return batch_main(o);
    case MODE_CONSOLE: return console_or_hint(o);
    }
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct options options;
    int status;

    hold_standard_descriptors();
    signal(SIGPIPE, SIG_IGN);
    set_language();
    status = options_parse(&options, argc, argv);
    if (!status)
        status = run_mode(&options);
    if (fflush(stdout) && !status) {
        complain("%s: %s", _("stdout"), strerror(errno));
        status = EXIT_CANNOT;
    }
    options_release(&options);
    return status;
}
