/*
 * bench_damage [N] [SEED]: a record of some thousand entries, long members and sealed values among them, and N times
 * (1000) one bit of one byte of its files turned over: each must be found by verification. Then N times the last
 * segment cut off at a random place: behind the newest checkpoint the record opens without what was torn, before it it
 * must not open. Fails at the first that is missed.
 */
#include "audit/key.h"
#include "audit/seal.h"
#include "bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRIES = 3000, FILES_MAX = 4096 };

static struct {
    char path[512];
    off_t size;
} files[FILES_MAX];
static size_t file_count;
static off_t file_bytes;

static int file_seen(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)at;
    if (type != FTW_F || !st->st_size || file_count == FILES_MAX || strstr(path, "/subjects/"))
        return 0; /* those are told by seal.key, which verification does not have */
    snprintf(files[file_count].path, sizeof(files[0].path), "%s", path);
    files[file_count++].size = st->st_size;
    file_bytes += st->st_size;
    return 0;
}

static struct conf *damage_conf(const char *keys)
{
    char text[256];
    struct conf *c;
    struct buf faults;
    buf_init(&faults, 1u << 20);
    int n = snprintf(text, sizeof(text), "audit: {keys: %s, segment_bytes: 256KiB, queue: 64MiB, seal: [email]}", keys);
    if (conf_parse((struct str){text, (size_t)n}, "bench.yaml", "/", &c, &faults))
        bench_die("configuration", faults.p);
    buf_done(&faults);
    return c;
}

static void damage_fill(struct audit *a, unsigned n)
{
    struct audit_entry e;
    char text[128];
    static char words[70000];
    memset(words, 'w', sizeof(words));
    audit_entry_init(&e, AUDIT_TOOL_RESULT, AUDIT_AI_AGENT);
    e.agent_id = STR("agt_1");
    e.user = STR("usr_1");
    for (unsigned i = 0; i < n; i++) {
        int k = snprintf(text, sizeof(text), "{\"email\":\"u%u@example.com\",\"order\":%u}", i, i);
        e.parameters = (struct str){text, (size_t)k};
        e.reasoning = i % 500 ? STR("as asked") : (struct str){words, sizeof(words) - i};
        audit_note(a, &e);
    }
    audit_wait(a, audit_seq(a) + n, 2000); /* some may wait for a key of its own; closing waits for all */
}

/* NULL: it does not open. */
static struct audit *damage_open(const char *dir, struct conf *conf, struct fault *f)
{
    struct audit *a = NULL;
    struct audit_recovery found;
    if (audit_open(dir, &conf->root.audit, &a, &found, f) == ERR_OK)
        audit_conf(a, conf);
    return a;
}

static enum err damage_verify(const char *dir, const char *keys, struct fault *f)
{
    struct note_verifiers v;
    struct log_verdict verdict;
    if (note_verifiers_read(keys, &v, f))
        bench_die(keys, f->text);
    const struct log_verify how = {.dir = dir, .verifiers = &v};
    enum err e = log_verify(&how, &verdict, f);
    note_verifiers_done(&v);
    if (!e && verdict.torn_bytes)
        return ERR_CORRUPT;
    return e;
}

static void damage_flip(const char *dir, const char *keys)
{
    struct fault f = {.text = ""};
    off_t at = (off_t)(random() % file_bytes);
    size_t i = 0;
    while (at >= files[i].size)
        at -= files[i++].size;
    unsigned char byte, other;
    int fd = open(files[i].path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || pread(fd, &byte, 1, at) != 1)
        bench_die(files[i].path, "cannot be read");
    other = (unsigned char)(byte ^ 1u << random() % 8);
    if (pwrite(fd, &other, 1, at) != 1)
        bench_die(files[i].path, "cannot be written");
    if (damage_verify(dir, keys, &f) == ERR_OK) {
        printf("MISSED: %s, offset %lld, %02x for %02x\n", files[i].path, (long long)at, other, byte);
        exit(1);
    }
    if (pwrite(fd, &byte, 1, at) != 1)
        bench_die(files[i].path, "cannot be written");
    close(fd);
}

/* A copy of the record whose last segment ends too early. What was published must not be missing. */
static void damage_cut(const char *dir, const char *keys, struct conf *conf, uint64_t published, unsigned *ret_refused,
                       unsigned *ret_opened)
{
    char copy[4096], command[9000], last[600] = "";
    struct fault f = {.text = ""};
    struct stat st;
    snprintf(copy, sizeof(copy), "%s.cut", dir);
    snprintf(command, sizeof(command), "rm -rf '%s' && cp -r '%s' '%s'", copy, dir, copy);
    if (system(command))
        bench_die(copy, "cannot be copied");
    struct dirent **names;
    int n = scandir(copy, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (str_ends(str_of(names[i]->d_name), STR(".seg")))
            snprintf(last, sizeof(last), "%.300s/%s", copy, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    if (stat(last, &st) < 0 || truncate(last, random() % st.st_size) < 0)
        bench_die(last, "cannot be cut");
    struct audit *a = damage_open(copy, conf, &f);
    if (a) {
        ++*ret_opened;
        if (audit_seq(a) < published) {
            printf("MISSED: %llu entries were published, and it opens with %llu\n", (unsigned long long)published,
                   (unsigned long long)audit_seq(a));
            exit(1);
        }
        audit_close(a);
        if (damage_verify(copy, keys, &f)) {
            printf("MISSED: what was opened after a torn end does not verify: %s\n", f.text);
            exit(1);
        }
    } else {
        ++*ret_refused;
    }
    snprintf(command, sizeof(command), "rm -rf '%s'", copy);
    if (system(command))
        bench_die(copy, "cannot be removed");
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 1000, refused = 0, opened = 0;
    unsigned seed = argc > 2 ? (unsigned)atoi(argv[2]) : (unsigned)getpid();
    char top[64] = "/tmp/bench-damage-XXXXXX", dir[128], keys[128], command[256];
    struct fault f = {.text = ""};
    srandom(seed);
    if (!mkdtemp(top))
        bench_die(top, "cannot be made");
    snprintf(dir, sizeof(dir), "%s/audit", top);
    snprintf(keys, sizeof(keys), "%s/keys", top);
    struct conf *conf = damage_conf(keys);
    struct audit *a = damage_open(dir, conf, &f);
    if (!a)
        bench_die(dir, f.text);
    damage_fill(a, ENTRIES);
    audit_close(a);
    if (damage_verify(dir, keys, &f))
        bench_die(dir, f.text);
    if (nftw(dir, file_seen, 16, FTW_PHYS) < 0)
        bench_die(dir, "cannot be walked");
    for (unsigned i = 0; i < count; i++)
        damage_flip(dir, keys);
    printf("%u bit flips in %zu files (%lld bytes): every one found (seed %u)\n", count, file_count,
           (long long)file_bytes, seed);
    /* A checkpoint that lies behind the end, as after a crash: entries come that nothing was published of. */
    uint64_t published = ENTRIES + 1;
    snprintf(command, sizeof(command), "cp -r %s %s.old", dir, dir);
    if (system(command))
        bench_die(dir, "cannot be copied");
    a = damage_open(dir, conf, &f);
    if (!a)
        bench_die(dir, f.text);
    damage_fill(a, 40);
    audit_close(a);
    snprintf(command, sizeof(command),
             "cp %s.old/checkpoint %s/ && rm -rf %s/checkpoints && cp -r %s.old/checkpoints %s/", dir, dir, dir, dir,
             dir);
    if (system(command))
        bench_die(dir, "cannot be copied");
    for (unsigned i = 0; i < count / 10; i++)
        damage_cut(dir, keys, conf, published, &refused, &opened);
    printf("%u torn ends: %u before what was published, refused; %u behind it, opened and whole\n", count / 10, refused,
           opened);
    conf_unref(conf);
    snprintf(command, sizeof(command), "rm -rf %s", top);
    return system(command) ? 1 : 0;
}
