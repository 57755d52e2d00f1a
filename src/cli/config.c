/* The configuration: checked, shown, described. */
#include "box/box.h"
#include "cli/cli.h"
#include "notify/notify.h"
#include "sink/sink.h"

static void config_print(struct buf *b)
{
    fwrite(b->p, 1, b->n, stdout);
    if (b->n && b->p[b->n - 1] != '\n')
        putchar('\n');
    buf_done(b);
}

void cli_print_faults_json(struct str faults)
{
    struct buf b;
    buf_init(&b, 4u << 20);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_bool(&o, "ok", !faults.n);
    json_kv_lines(&o, "faults", faults);
    json_close(&o, '}');
    cli_print_json(buf_view(&b));
    buf_done(&b);
}

/* A box that this kernel can only draw in part: no fault, but it has to be known. */
static void check_boxes(const struct conf *conf)
{
    unsigned missing = BOX_ALL & ~box_enforced();
    bool any = false;
    for (size_t i = 0; i < conf->root.servers.n; i++)
        any |= conf->root.servers.v[i].command.n && conf->root.servers.v[i].sandbox != CONF_SANDBOX_OFF;
    for (unsigned i = 0; any && box_names[i]; i++)
        if (missing >> i & 1)
            fprintf(stderr, "note: the kernel of this system cannot enforce \"%s\" of the servers' sandbox\n",
                    box_names[i]);
}

/* Faults go to standard output: they are the result that was asked for. */
enum err cli_run_config_check(struct cli *c, struct fault *f)
{
    const char *file = cli_config_file(c);
    struct buf faults CLEANUP(buf_done), shown CLEANUP(buf_done);
    buf_init(&faults, 1u << 20);
    buf_init(&shown, 8u << 20);
    if (!file)
        return cli_config(c, f);
    enum err e = conf_load(file, &c->conf, &faults);
    if (!e) {
        enum err sinks = sinks_check(c->conf, &faults);
        e = notify_check(c->conf, &faults);
        e = sinks ? sinks : e;
    }
    size_t lines = 0;
    for (size_t i = 0; i < faults.n; i++)
        lines += faults.p[i] == '\n';
    cli_visible(&shown, buf_view(&faults), true);
    if (c->json)
        cli_print_faults_json(buf_view(&faults));
    else if (e)
        fwrite(shown.p, 1, shown.n, stdout);
    else
        printf("%s is right\n", file);
    if (!e)
        check_boxes(c->conf);
    return e ? fault_set(f, e, "%s has %zu fault%s", file, lines, lines == 1 ? "" : "s") : ERR_OK;
}

enum err cli_run_config_show(struct cli *c, struct fault *f)
{
    struct buf b;
    TRY(cli_config(c, f));
    buf_init(&b, 16u << 20);
    conf_dump(c->conf, &b);
    config_print(&b);
    return ERR_OK;
}

/* What is made from the table of keys alone. */
static enum err config_describe(void (*write)(struct buf *out))
{
    struct buf b;
    buf_init(&b, 1u << 20);
    write(&b);
    config_print(&b);
    return ERR_OK;
}

enum err cli_run_config_schema(struct cli *c, struct fault *f)
{
    (void)c;
    (void)f;
    return config_describe(conf_schema);
}

enum err cli_run_config_reference(struct cli *c, struct fault *f)
{
    (void)c;
    (void)f;
    return config_describe(conf_reference);
}
