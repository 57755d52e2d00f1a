#include "base/hash.h"

#include <pthread.h>
#include <sodium.h>

static unsigned char str_hash_key[crypto_shorthash_KEYBYTES];
static pthread_once_t str_hash_once = PTHREAD_ONCE_INIT;

static void str_hash_seed(void)
{
    if (sodium_init() < 0)
        __builtin_trap(); /* without randomness nothing of the house may start */
    randombytes_buf(str_hash_key, sizeof(str_hash_key));
}

uint64_t str_hash(struct str a)
{
    pthread_once(&str_hash_once, str_hash_seed);
    uint64_t h;
    crypto_shorthash((unsigned char *)&h, (const unsigned char *)a.p, a.n, str_hash_key);
    return h;
}
