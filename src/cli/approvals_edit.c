/* Arguments in an editor, and what is different behind it. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json_diff.h"
#include "cli/approvals.h"

enum { EDIT_MAX = 16 << 20 };

extern char **environ;

static void edit_line(struct buf *b, unsigned depth)
{
    buf_char(b, '\n');
    for (unsigned i = 0; i < depth; i++)
        buf_z(b, "  ");
}

/* A member or an element on each line. */
static void edit_pretty(const struct json *j, uint32_t i, unsigned depth, struct buf *b)
{
    bool object = json_type(j, i) == JSON_OBJECT, first = true;
    if ((!object && json_type(j, i) != JSON_ARRAY) || !json_first(j, i)) {
        buf_str(b, json_raw(j, i));
        return;
    }
    buf_char(b, object ? '{' : '[');
    for (uint32_t at = json_first(j, i); at; at = json_next(j, i, object ? at + 1 : at)) {
        buf_z(b, first ? "" : ",");
        first = false;
        edit_line(b, depth + 1);
        if (object) {
            buf_str(b, json_raw(j, at));
            buf_z(b, ": ");
        }
        edit_pretty(j, object ? at + 1 : at, depth + 1, b);
    }
    edit_line(b, depth);
    buf_char(b, object ? '}' : ']');
}

/* Nobody else reads what is in it. */
static enum err edit_write(char *path, struct str text, struct fault *f)
{
    int fd = mkostemps(path, 5, O_CLOEXEC);
    if (fd < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    bool ok = true;
    for (size_t at = 0; ok && at < text.n;) {
        ssize_t n = write(fd, text.p + at, text.n - at);
        ok = n > 0 || (n < 0 && errno == EINTR);
        at += n > 0 ? (size_t)n : 0;
    }
    ok = close(fd) == 0 && ok;
    return ok ? ERR_OK : fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
}

/* The variable may hold options: "code --wait". */
static enum err edit_open(const char *path, struct fault *f)
{
    const char *editor = getenv("VISUAL");
    if (!editor || !*editor)
        editor = getenv("EDITOR");
    if (!editor || !*editor)
        editor = "vi";
    char command[4096];
    if (snprintf(command, sizeof(command), "%s \"$1\"", editor) >= (int)sizeof(command))
        return fault_set(f, ERR_CANCELLED, "$EDITOR is too long");
    char *argv[] = {(char *)"sh", (char *)"-c", command, (char *)"sh", (char *)path, NULL};
    pid_t pid;
    int status = 0;
    if (posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ))
        return fault_set(f, ERR_CANCELLED, "/bin/sh cannot be started");
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0
               ? ERR_OK
               : fault_set(f, ERR_CANCELLED, "the editor (%s) failed: nothing was decided", editor);
}

static void edit_tell(void *ctx, struct str path, enum json_change change, struct str old, struct str now)
{
    struct cli *c = ctx;
    const char *name = cli_shown(c, path, 0);
    if (change == JSON_ADDED)
        fprintf(stderr, "  + %s: %s\n", name, cli_shown(c, now, 0));
    else if (change == JSON_REMOVED)
        fprintf(stderr, "  - %s: %s\n", name, cli_shown(c, old, 0));
    else
        fprintf(stderr, "  %s: %s -> %s\n", name, cli_shown(c, old, 0), cli_shown(c, now, 0));
}

static enum err edit_read(struct cli *c, const char *path, const struct json *before, struct str *ret, struct fault *f)
{
    struct str text;
    struct json now;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, EDIT_MAX);
    TRY(cli_read(c, path, EDIT_MAX, &text, f));
    if (json_parse(&now, text, &c->arena, NULL, f))
        return fault_wrap(f, "the arguments as you have edited them");
    if (json_type(&now, JSON_ROOT) != JSON_OBJECT)
        return fault_set(f, ERR_SYNTAX, "the arguments must be a JSON object");
    if (json_equal(before, JSON_ROOT, &now, JSON_ROOT, &c->arena))
        return fault_set(f, ERR_CANCELLED,
                         "nothing was edited, so that nothing was decided; without --edit the call is "
                         "approved as it is");
    fprintf(stderr, "what you have changed:\n");
    if (json_diff(before, &now, edit_tell, c, &c->arena) || json_canonical(&now, JSON_ROOT, &b, &c->arena))
        return fault_set(f, ERR_LIMIT, "the arguments are too large to be compared");
    *ret = arena_buf(&c->arena, &b);
    return ret->p ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for the arguments");
}

enum err cli_approval_edit(struct cli *c, const struct approval_seen *s, struct str *ret, struct fault *f)
{
    struct json before;
    struct buf b CLEANUP(buf_done);
    const char *dir = getenv("TMPDIR");
    struct str raw = json_raw(&s->j, json_get(&s->j, JSON_ROOT, STR("arguments")));
    struct str path = arena_fmt(&c->arena, "%s/doorward-XXXXXX.json", dir && *dir ? dir : "/tmp");
    char name[4096];
    buf_init(&b, 4 * (size_t)EDIT_MAX);
    if (s->view.masked)
        return fault_set(
            f, ERR_CONFLICT,
            "its arguments hold what is not shown here, so that they cannot be edited: approve it or deny it");
    if (!path.p || path.n >= sizeof(name))
        return fault_set(f, ERR_NOMEM, "no room for the name of a file in $TMPDIR");
    TRY(json_parse(&before, raw, &c->arena, NULL, f));
    edit_pretty(&before, JSON_ROOT, 0, &b);
    buf_char(&b, '\n');
    if (buf_failed(&b))
        return fault_set(f, ERR_LIMIT, "the arguments are too large to be edited");
    memcpy(name, path.p, path.n + 1);
    enum err e = edit_write(name, buf_view(&b), f);
    if (!e)
        e = edit_open(name, f);
    if (!e)
        e = edit_read(c, name, &before, ret, f);
    unlink(name);
    return e;
}
