/* What all commands share: their settings, and how they end. */
#include "command.h"

#include <string.h>

#include "put.h"

const command stage_command = {.usage = "OUT [CONFIG.yaml]", .accepts = COMMAND_RUN_FLAGS};

int command_usage(const command *c, const char *what)
{
    put_line(stderr, "densefusion %s: %s; usage: densefusion %s %s", c->name, what, c->name,
             c->usage);
    return EXIT_USAGE;
}

int command_failed(df_status status, const df_error *err)
{
    if (status != DF_OK)
        put_line(stderr, "densefusion: %s", err->message);
    switch (status) {
    case DF_OK:
        return EXIT_DONE;
    case DF_STOPPED:
        return EXIT_STOPPED;
    case DF_CONFIG:
        return EXIT_USAGE;
    default:
        return EXIT_FAILED;
    }
}

static void tell_notes(df_str *notes)
{
    for (char *line = notes->data, *end; line && *line; line = end + 1) {
        end = strchr(line, '\n');
        *end = '\0';
        put_line(stderr, "densefusion: %s", line);
    }
    df_str_clear(notes);
}

df_status command_settings(df_config *config, const args *a, df_error *err)
{
    df_status status = a->config ? df_config_load(config, a->config, err) : DF_OK;
    for (int i = 0; status == DF_OK && i < a->n_settings; i++)
        status = df_config_set(config, a->settings[i].key, a->settings[i].value, err);
    if (status == DF_OK)
        tell_notes(&config->renamed.notes);
    return status;
}

df_status command_own_settings(const args *a, const char *name, const df_option *options,
                               void *config, df_error *err)
{
    df_status status = df_options_defaults(options, config, err);
    for (int i = 0; status == DF_OK && i < a->n_settings; i++) {
        const char *key = a->settings[i].key, *dot = strchr(key, '.');
        status =
            df_option_set(options, config, name, dot ? dot + 1 : key, a->settings[i].value, err);
    }
    return status;
}

int command_config(df_config *out, const args *a)
{
    df_error err = {""};
    df_status status = df_config_init(out, df_stages, &err);
    if (status == DF_OK)
        status = command_settings(out, a, &err);
    if (status != DF_OK)
        df_config_free(out);
    return command_failed(status, &err);
}
