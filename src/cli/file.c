/* Files that are changed at once or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/import.h"

void file_stamp(char ret[FILE_STAMP])
{
    char text[CLOCK_RFC3339];
    size_t n = 0;
    clock_format(clock_wall_ms(), text);
    for (const char *c = text; *c && n < FILE_STAMP - 1; c++)
        if (*c != '-' && *c != ':')
            ret[n++] = *c;
    ret[n] = 0;
}

/* The mode is set whatever the umask says. Only root can give a file away, and then it must. */
static bool file_dress(int fd, mode_t mode, const struct stat *like)
{
    struct stat st;
    if (fchmod(fd, mode) < 0 || fstat(fd, &st) < 0)
        return false;
    if (!like || (st.st_uid == like->st_uid && st.st_gid == like->st_gid))
        return true;
    return fchown(fd, like->st_uid, like->st_gid) == 0 || geteuid() != 0;
}

enum err file_make(const char *path, struct str text, mode_t mode, const char *owner, struct fault *f)
{
    struct stat like;
    bool owned = owner && stat(owner, &like) == 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno == EEXIST ? fault_set(f, ERR_EXISTS, "%s: is there already, and is not overwritten", path)
                               : fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    bool ok = file_write(fd, text) && fsync(fd) == 0 && file_dress(fd, mode, owned ? &like : NULL);
    int why = errno;
    close(fd);
    if (ok)
        return ERR_OK;
    unlink(path);
    return fault_set(f, ERR_IO, "%s: %s", path, strerror(why));
}

static enum err file_swap(const char *path, struct str text, mode_t mode, struct fault *f)
{
    struct stat st;
    char part[4096];
    bool there = stat(path, &st) == 0;
    if (snprintf(part, sizeof(part), "%s.new-XXXXXX", path) >= (int)sizeof(part))
        return fault_set(f, ERR_IO, "%s: the path is too long", path);
    int fd = mkostemp(part, O_CLOEXEC);
    if (fd < 0)
        return fault_set(f, ERR_IO, "%s: %s", part, strerror(errno));
    bool ok =
        file_write(fd, text) && fsync(fd) == 0 && file_dress(fd, there ? st.st_mode & 07777 : mode, there ? &st : NULL);
    ok = close(fd) == 0 && ok && rename(part, path) == 0;
    int why = errno;
    if (!ok)
        unlink(part);
    (void)!file_flush_above(path);
    return ok ? ERR_OK : fault_set(f, ERR_IO, "%s: %s", path, strerror(why));
}

enum err file_replace(const char *path, struct str text, mode_t mode, struct fault *f)
{
    char *real = realpath(path, NULL);
    enum err e = file_swap(real ? real : path, text, mode, f);
    free(real);
    return e;
}

enum err cli_agree(struct cli *c, const char *question, struct fault *f)
{
    char answer[16] = "";
    if (cli_switch(c, "yes"))
        return ERR_OK;
    if (!isatty(STDIN_FILENO))
        return fault_set(f, ERR_CANCELLED, "nothing was written: standard input is no terminal to ask; --yes says yes");
    fflush(stdout);
    fprintf(stderr, "%s [y/N] ", question);
    if (fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
        return ERR_OK;
    return fault_set(f, ERR_CANCELLED, "nothing was written");
}
