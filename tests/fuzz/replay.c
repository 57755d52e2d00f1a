/* Runs a fuzz target once over every file of the folders given: the corpus as a test, with any compiler. */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

static size_t replay_file(const char *path)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (!f || fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode)) {
        if (f)
            fclose(f);
        return 0;
    }
    size_t n = (size_t)st.st_size;
    uint8_t *p = malloc(n ? n : 1); /* of just this size, so that a read behind the end is seen */
    if (!p || fread(p, 1, n, f) != n) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    fclose(f);
    LLVMFuzzerTestOneInput(p, n);
    free(p);
    return 1;
}

static size_t replay_folder(const char *folder)
{
    size_t count = 0;
    char path[4096];
    DIR *d = opendir(folder);
    if (!d) {
        perror(folder);
        exit(1);
    }
    for (struct dirent *e; (e = readdir(d));) {
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.')
            count += replay_file(path);
    }
    closedir(d);
    return count;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    for (int i = 1; i < argc; i++)
        count += replay_folder(argv[i]);
    printf("%zu inputs\n", count);
    return count ? 0 : 1; /* an empty corpus proves nothing */
}
