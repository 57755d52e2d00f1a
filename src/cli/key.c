/* An agent's key is made on its own side. The private half goes to a file that only its owner reads, or is printed
 * once. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "jose/jose.h"

enum { KEY_MAX = 8192 };

static enum err key_alg(const struct cli *c, enum jose_alg *ret, struct fault *f)
{
    const char *alg = cli_option(c, "alg");
    if (alg && strcmp(alg, "EdDSA") != 0 && strcmp(alg, "ES256") != 0)
        return fault_set(f, ERR_USAGE, "%s: --alg must be EdDSA or ES256, not %s", c->command->words, alg);
    *ret = alg && strcmp(alg, "ES256") == 0 ? JOSE_ES256 : JOSE_EDDSA;
    return ERR_OK;
}

static bool key_write_all(int fd, const unsigned char *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

static enum err key_save(const char *path, const struct secret *key, struct fault *f)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST)
        return fault_set(f, ERR_EXISTS, "%s is there already, and a key is never overwritten: name another file", path);
    if (fd < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    bool ok = key_write_all(fd, secret_bytes(key), secret_len(key)) &&
              key_write_all(fd, (const unsigned char *)"\n", 1) && fsync(fd) == 0;
    int why = errno;
    close(fd);
    if (ok)
        return ERR_OK;
    unlink(path);
    return fault_set(f, ERR_IO, "%s: %s", path, strerror(why));
}

enum err cli_key_make(struct cli *c, struct buf *public_jwk, struct secret **ret_private, struct fault *f)
{
    struct jose_key *key CLEANUP(jose_key_freep) = NULL;
    struct secret *private CLEANUP(secret_freep) = NULL;
    const char *file = cli_option(c, "key-file");
    enum jose_alg alg = JOSE_NONE;
    TRY(key_alg(c, &alg, f));
    TRY(jose_key_generate(alg, &key, f));
    TRY(jose_key_write_private(key, &private, f));
    if (file)
        TRY(key_save(file, private, f));
    jose_key_write_public(key, public_jwk);
    *ret_private = NULL;
    if (!file) {
        *ret_private = private;
        private = NULL;
    }
    return ERR_OK;
}

static enum err key_public_of_file(struct cli *c, const char *file, struct buf *public_jwk, struct fault *f)
{
    struct jose_key *key CLEANUP(jose_key_freep) = NULL;
    struct str text;
    TRY(cli_read(c, file, KEY_MAX, &text, f));
    if (jose_key_parse(text, true, &key, f)) /* a private key stops here, before it is sent anywhere */
        return fault_wrap(f, "--public-key %s", file);
    jose_key_write_public(key, public_jwk);
    return ERR_OK;
}

enum err cli_key_of_options(struct cli *c, struct buf *public_jwk, struct secret **ret_private, struct fault *f)
{
    const char *file = cli_option(c, "public-key"), *words = c->command->words;
    bool generate = cli_switch(c, "generate");
    *ret_private = NULL;
    if (!generate == !file)
        return fault_set(
            f, ERR_USAGE, "%s: %s", words,
            file ? "--generate and --public-key exclude each other"
                 : "the agent needs a key: --generate makes one here, --public-key FILE takes the public half "
                   "of its own (doorward agent keygen)");
    if (file && (cli_option(c, "key-file") || cli_option(c, "alg")))
        return fault_set(f, ERR_USAGE, "%s: --key-file and --alg go with --generate", words);
    return generate ? cli_key_make(c, public_jwk, ret_private, f) : key_public_of_file(c, file, public_jwk, f);
}

void cli_key_forget(struct cli *c)
{
    const char *file = cli_option(c, "key-file");
    if (file && cli_switch(c, "generate"))
        unlink(file);
}

void cli_key_print(const struct secret *key)
{
    fwrite(secret_bytes(key), 1, secret_len(key), stdout);
    putchar('\n');
}
