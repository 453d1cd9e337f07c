/* The console: the session, its run and the screens together. */
#include "program.h"
#include "ui/ui.h"

#include <errno.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct console {
    struct work work;
    struct ui *ui;
    struct options *options; /* the Settings screen changes them */
    bool quitting;
    struct session *other;      /* what this one is compared with */
    struct host_snapshot *host; /* the last one, NULL none yet */
    bool host_known, looking;
};

static void on_run(void *arg, enum run_event ev)
{
    struct console *c = arg;

    (void)ev;
    if (c->ui)
        ui_changed(c->ui);
    if (c->quitting && c->work.run && run_done(c->work.run))
        loop_quit(c->work.loop);
}

/* ---- what the screens may do ---- */

static void do_answer(void *arg, uint64_t incident, const char *step, int yes)
{
    struct console *c = arg;

    session_answer(c->work.session, incident, step, yes);
    ui_changed(c->ui);
}

static void do_undo(void *arg, uint64_t incident)
{
    struct console *c = arg;

    session_undo(c->work.session, incident);
    ui_changed(c->ui);
}

static void do_skip(void *arg, uint64_t incident, const char *step)
{
    struct console *c = arg;

    session_skip(c->work.session, incident, step);
    ui_changed(c->ui);
}

static void do_pause(void *arg, bool pause)
{
    struct console *c = arg;

    if (c->work.run)
        run_pause(c->work.run, pause);
}

static void do_probe_now(void *arg, uint32_t target)
{
    struct console *c = arg;

    if (c->work.run)
        run_probe_now(c->work.run, target);
}

static int do_add_target(void *arg, const char *spec, char *err, size_t errlen)
{
    struct console *c = arg;

    if (c->work.run && !c->work.session->settings.read_file)
        return run_add_target(c->work.run, spec, err, errlen);
    snprintf(err, errlen, "%s", _("a file takes no targets"));
    return -EINVAL;
}

static uint64_t do_log_line(void *arg, const char *text)
{
    struct console *c = arg;
    struct session *s = c->work.session;
    uint64_t id = session_log_line(s, _("pasted"), s->log.lines + 1, text, strlen(text));

    session_judge(s);
    return id;
}

static int do_save(void *arg, char *where, size_t wherelen)
{
    struct console *c = arg;

    return work_save(&c->work, where, wherelen);
}

static int do_save_redacted(void *arg, char *where, size_t wherelen)
{
    struct console *c = arg;

    return work_save_redacted(&c->work, where, wherelen);
}

static int do_experiment(void *arg, uint64_t incident, const char *id, bool consent, char *err,
                         size_t errlen)
{
    struct console *c = arg;

    if (c->work.run)
        return run_experiment(c->work.run, incident, id, consent, err, errlen);
    snprintf(err, errlen, "%s", _("experiments need a live target"));
    return -EINVAL;
}

static int do_prove(void *arg, uint64_t incident, char *err, size_t errlen)
{
    struct console *c = arg;

    if (c->work.run)
        return run_prove(c->work.run, incident, err, errlen);
    snprintf(err, errlen, "%s", _("experiments need a live target"));
    return -EINVAL;
}

static void do_experiment_cancel(void *arg)
{
    struct console *c = arg;

    if (c->work.run)
        run_experiment_cancel(c->work.run);
    ui_changed(c->ui);
}

static void do_experiment_pause(void *arg, bool pause)
{
    struct console *c = arg;

    if (c->work.run)
        run_experiment_pause(c->work.run, pause);
    ui_changed(c->ui);
}

static int do_change_target(void *arg, uint32_t id, struct target *t, char *err, size_t errlen)
{
    struct console *c = arg;
    int rc;

    if (!c->work.run) {
        target_free(t);
        snprintf(err, errlen, "%s", _("a file takes no targets"));
        return -EINVAL;
    }
    rc = run_change_target(c->work.run, id, t, err, errlen);
    ui_changed(c->ui);
    return rc;
}

/* ---- settings ---- */

static void do_get_setting(void *arg, size_t i, char *out, size_t outlen)
{
    struct console *c = arg;

    snprintf(out, outlen, "%s", config_get(c->options, i));
}

static int kept(const struct options *o, int rc, char *err, size_t errlen)
{
    if (rc < 0)
        snprintf(err, errlen, _("set for now, but not kept: %s: %s"),
                 o->config_path ? o->config_path : _("no configuration file"), strerror(-rc));
    else
        snprintf(err, errlen, _("kept in %s"), o->config_path);
    return 0;
}

/* Looked at: on a copy that is thrown away, with what it points into. */
static int try_setting(const char *name, const char *value, char *err, size_t errlen)
{
    struct options trial = {0};
    int rc = config_set(&trial, name, value, err, errlen);

    options_release(&trial);
    return rc;
}

static int do_set_setting(void *arg, size_t i, const char *value, bool do_it, char *err,
                          size_t errlen)
{
    struct console *c = arg;
    const struct ui_setting *all;
    const char *standard = config_standard(i), *text = value ? value : standard;
    int rc;

    if (i >= config_settings(&all))
        return -EINVAL;
    if (!*text && value) { /* nothing typed: as without it */
        value = NULL;
        text = standard;
    }
    rc = *text ? try_setting(all[i].name, text, err, errlen) : 0;
    if (rc < 0 || !do_it)
        return rc;
    if (*text)
        rc = config_set(c->options, all[i].name, text, err, errlen);
    if (rc < 0)
        return rc;
    if (!value)
        config_unset(c->options, i);
    session_tune(c->work.session, &c->options->settings);
    return kept(c->options, config_write(c->options, "options", all[i].name, value), err, errlen);
}

static int do_save_keys(void *arg, const char *action, const char *keys, char *err, size_t errlen)
{
    struct console *c = arg;

    return kept(c->options, config_write(c->options, "keys", action, keys), err, errlen);
}

/* ---- the host: looked at aside, for it takes its time ---- */

struct host_job {
    struct console *console;
    struct host_snapshot now;
    nstime wall;
};

static void host_work(void *arg)
{
    struct host_job *job = arg;

    host_snapshot_take(&job->now, job->wall);
}

static void host_done(void *arg)
{
    struct host_job *job = arg;
    struct console *c = job->console;

    c->looking = false;
    if (c->host) {
        *c->host = job->now;
        c->host_known = true;
    }
    free(job);
    if (c->ui)
        ui_draw_soon(c->ui);
}

static const struct host_snapshot *do_host(void *arg, bool anew)
{
    struct console *c = arg;

    if (!c->host)
        c->host = calloc(1, sizeof(*c->host));
    if (c->host && !c->looking && (anew || !c->host_known)) {
        struct host_job *job = calloc(1, sizeof(*job));
        if (job) {
            job->console = c;
            job->wall = loop_wall(c->work.loop);
            c->looking = loop_aside(c->work.loop, host_work, host_done, job) == 0;
            if (!c->looking)
                free(job);
        }
    }
    return c->host_known ? c->host : NULL;
}

static int do_history(void *arg, const char *search, struct history_view *out)
{
    struct console *c = arg;

    return past_view(&c->work, out, search);
}

static int do_other_session(void *arg, const char *path, const struct session **out, char *err,
                            size_t errlen)
{
    struct console *c = arg;
    struct session *s = NULL;
    int rc = session_load(&s, path, &c->work.options->settings, err, errlen);

    if (rc)
        return rc;
    session_judge(s);
    session_free(c->other);
    *out = c->other = s;
    return 0;
}

static void do_quit(void *arg)
{
    struct console *c = arg;

    c->quitting = true;
    if (!c->work.run || run_done(c->work.run))
        loop_quit(c->work.loop);
    else
        run_stop(c->work.run);
}

/* ---- */

static bool utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static int start_screens(struct console *c, const struct options *o)
{
    struct ui_actions actions = {.answer = do_answer,
                                 .experiment = do_experiment,
                                 .prove = do_prove,
                                 .experiment_cancel = do_experiment_cancel,
                                 .experiment_pause = do_experiment_pause,
                                 .undo = do_undo,
                                 .skip = do_skip,
                                 .pause = do_pause,
                                 .probe_now = do_probe_now,
                                 .add_target = do_add_target,
                                 .log_line = do_log_line,
                                 .save = do_save,
                                 .change_target = do_change_target,
                                 .get_setting = do_get_setting,
                                 .set_setting = do_set_setting,
                                 .save_keys = do_save_keys,
                                 .host = do_host,
                                 .save_redacted = do_save_redacted,
                                 .history = do_history,
                                 .other_session = do_other_session,
                                 .quit = do_quit,
                                 .arg = c};
    const char *no_color = getenv("NO_COLOR");
    struct ui_options opt = {
        .ascii = o->ascii || !utf8(),
        .no_color = o->color == COLOR_NEVER || (o->color == COLOR_AUTO && no_color && no_color[0]),
        .mouse = !o->no_mouse,
        .theme = o->theme,
        .plots = config_plots(o),
        .bindings = o->bindings,
        .nbindings = o->nbindings,
        .guided = o->demo || o->nspecs || o->targets_file,
    };
    actions.nsettings = config_settings(&actions.settings);
    int err = ui_start(&c->ui, c->work.loop, c->work.session, &actions, &opt);

    if (!err)
        return 0;
    if (err != -ENXIO) /* said already */
        complain(_("the screen cannot be used: %s"), strerror(-err));
    return EXIT_CANNOT;
}

static int load(struct console *c, const struct options *o)
{
    char err[300] = "";
    int rc = privilege_drop();

    c->work.options = o;
    c->work.loop = loop_new();
    if (!rc && !c->work.loop)
        rc = -ENOMEM;
    if (!rc)
        rc = session_load(&c->work.session, o->settings.read_file, &o->settings, err, sizeof(err));
    if (!rc && (rc = read_logs(c->work.session, o)))
        return rc;
    if (!rc) {
        session_judge(c->work.session);
        return 0;
    }
    complain("%s: %s", o->settings.read_file, err[0] ? err : strerror(-rc));
    return EXIT_CANNOT;
}

/* Lines for stderr would tear the screen: they become the console's messages. */
static void log_to_session(void *arg, enum log_level level, const char *line)
{
    if (level <= LOG_WARN)
        session_message(arg, level == LOG_ERROR ? MSG_ERROR : MSG_WARN, "%s", line);
}

static int run_screens(struct console *c, const struct options *o)
{
    const char *error = "";
    int status = start_screens(c, o);

    if (status)
        return status;
    log_to(log_to_session, c->work.session);
    loop_run(c->work.loop);
    log_to(NULL, NULL);
    ui_free(c->ui);
    c->ui = NULL;
    if (c->work.run)
        status = run_exit_status(c->work.run, &error);
    if (status)
        complain("%s", error);
    return status ? status : c->work.failed;
}

int console_main(struct options *o)
{
    struct console c = {.options = o};
    bool saved = o->settings.read_file && session_is_session(o->settings.read_file);
    int status = saved ? load(&c, o) : work_start(&c.work, o, on_run, &c);

    if (!status)
        status = run_screens(&c, o);
    if (!status && c.work.session)
        status = session_exit_status(c.work.session);
    session_free(c.other);
    work_end(&c.work);
    free(c.host);
    return status;
}
