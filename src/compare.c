/* --compare A B: two sessions or captures, or rounds of one, held against each other. */
#include "program.h"
#include "view/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct compared {
    struct work work;
    struct options options;
    char path[4096];
    uint32_t from, to;
};

static void on_run(void *arg, enum run_event ev)
{
    struct compared *side = arg;

    if (side->work.run && ev == RUN_DONE)
        loop_quit(side->work.loop);
}

/* "PATH#3", "PATH#4-9": those rounds of it. A file of that very name comes first. */
static int parse_side(struct compared *side, const char *text)
{
    struct stat st;
    const char *hash = stat(text, &st) ? strrchr(text, '#') : NULL;
    size_t len = hash ? (size_t)(hash - text) : strlen(text);
    char number[32];
    uint64_t from, to;

    if (len >= sizeof(side->path))
        return -ENAMETOOLONG;
    memcpy(side->path, text, len);
    side->path[len] = '\0';
    if (!hash)
        return 0;
    size_t n = strcspn(hash + 1, "-");
    snprintf(number, sizeof(number), "%.*s", (int)MIN_OF(n, sizeof(number) - 1), hash + 1);
    int err = parse_u64(number, 1, UINT32_MAX, &from);
    to = from;
    if (!err && hash[1 + n])
        err = parse_u64(hash + 2 + n, from, UINT32_MAX, &to);
    side->from = (uint32_t)from;
    side->to = (uint32_t)to;
    return err ? -EINVAL : 0;
}

static int load_session(struct compared *side)
{
    char err[300] = "";
    int rc = privilege_drop();

    side->work.options = &side->options;
    if (!rc)
        rc = session_load(&side->work.session, side->path, &side->options.settings, err,
                          sizeof(err));
    if (!rc) {
        session_judge(side->work.session);
        return 0;
    }
    complain("%s: %s", side->path, err[0] ? err : strerror(-rc));
    return EXIT_CANNOT;
}

static int load_capture(struct compared *side)
{
    const char *error;
    int status = work_start(&side->work, &side->options, on_run, side);

    if (!status && !run_done(side->work.run))
        loop_run(side->work.loop);
    if (!status)
        status = side->work.failed;
    if (!status && (status = run_exit_status(side->work.run, &error)))
        complain("%s", error);
    return status;
}

static int load_side(struct compared *side, const struct options *o, const char *text)
{
    int err = parse_side(side, text);

    if (err) {
        complain(_("%s: rounds are written FILE#3 or FILE#4-9"), text);
        return EXIT_USAGE;
    }
    side->options = *o;
    side->options.output = NULL;
    side->options.settings.read_file = side->path;
    side->options.settings.write_file = NULL;
    side->options.settings.flows = true; /* they are the tries of a capture */
    side->options.settings.live = side->options.settings.save = false;
    side->options.settings.keep_packets = false;
    side->options.nspecs = 0;
    return session_is_session(side->path) ? load_session(side) : load_capture(side);
}

static int write_out(const struct options *o, const struct comparison *c)
{
    bool to_file = o->output && strcmp(o->output, "-") != 0;
    int err = to_file ? report_compare_to_file(c, o->format, o->output)
                      : report_compare_to_fd(c, o->format, STDOUT_FILENO);

    if (!err)
        return compare_is_worse(c) ? EXIT_FOUND : EXIT_WELL;
    complain(_("the report cannot be written: %s: %s"), to_file ? o->output : _("stdout"),
             strerror(-err));
    return EXIT_CANNOT;
}

int print_compare(const struct options *o)
{
    struct compared *sides = calloc(2, sizeof(*sides));
    struct compare_side both[2];
    struct comparison c;
    int rc = sides ? 0 : EXIT_CANNOT;

    for (int i = 0; i < 2 && !rc; i++) {
        rc = load_side(&sides[i], o, o->specs[i]);
        both[i] =
            (struct compare_side){sides[i].work.session, sides[i].from, sides[i].to, o->specs[i]};
    }
    if (!rc) {
        int err = compare_build(&c, both);
        if (err)
            complain("%s", strerror(-err));
        rc = err ? EXIT_CANNOT : write_out(o, &c);
        if (!err)
            compare_release(&c);
    }
    for (int i = 0; sides && i < 2; i++)
        work_end(&sides[i].work);
    free(sides);
    return rc;
}
