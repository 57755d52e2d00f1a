/* What the authenticator says: 37 bytes, and behind them what the flags announce. */
#include "base/enc.h"
#include "passkey/inner.h"

enum {
    DATA_PRESENT = 0x01,     /* UP: somebody was there */
    DATA_VERIFIED = 0x04,    /* UV: and it was the one whose passkey this is */
    DATA_MAY_BACK_UP = 0x08, /* BE */
    DATA_BACKED_UP = 0x10,   /* BS */
    DATA_PASSKEY = 0x40,     /* AT: a new passkey follows */
    DATA_EXTENSIONS = 0x80,  /* ED: extensions follow */
    DATA_HEAD = SHA256_BYTES + 5,
    DATA_AAGUID = 16,
};

static enum err data_flags(unsigned flags, bool fresh, struct fault *f)
{
    if (!(flags & DATA_PRESENT))
        return fault_set(f, ERR_PASSKEY, "authenticatorData: nobody was present (UP)");
    if (!(flags & DATA_VERIFIED))
        return fault_set(f, ERR_PASSKEY,
                         "authenticatorData: the authenticator did not verify who it was (UV): it wants a PIN, a"
                         " fingerprint or the like");
    if ((flags & DATA_BACKED_UP) && !(flags & DATA_MAY_BACK_UP))
        return fault_set(f, ERR_PASSKEY, "authenticatorData: backed up (BS), but may not be (BE)");
    if (!(flags & DATA_PASSKEY) == fresh)
        return fault_set(f, ERR_PASSKEY, "authenticatorData: %s (AT)",
                         fresh ? "no new passkey is in it" : "a new passkey is in what only signs");
    return ERR_OK;
}

/* attestedCredentialData (section 6.5.1) without its key: 16 bytes that name the make, the id's length and the id. */
static enum err data_id(struct str *rest, struct str *ret, struct fault *f)
{
    const unsigned char *p = (const unsigned char *)rest->p + DATA_AAGUID;
    if (rest->n < DATA_AAGUID + 2)
        return fault_set(f, ERR_PASSKEY, "authenticatorData ends within the new passkey");
    size_t n = (size_t)p[0] << 8 | p[1];
    *rest = str_skip(*rest, DATA_AAGUID + 2);
    if (n < 1 || n > PASSKEY_ID_MAX)
        return fault_set(f, ERR_PASSKEY, "a credential's id is of 1 to %d bytes, not %zu", PASSKEY_ID_MAX, n);
    if (n > rest->n)
        return fault_set(f, ERR_PASSKEY, "authenticatorData ends within the credential's id");
    *ret = (struct str){rest->p, n};
    *rest = str_skip(*rest, n);
    return ERR_OK;
}

/* One item of CBOR, a map. */
static enum err data_map(struct cbor *c, const char *what, struct str *ret, struct fault *f)
{
    struct fault inner = {0};
    struct str item;
    if (cbor_whole(c, &item, &inner))
        return passkey_syntax(f, what, &inner);
    if ((unsigned char)item.p[0] >> 5 != CBOR_MAP)
        return fault_set(f, ERR_PASSKEY, "%s is no map", what);
    *ret = item;
    return ERR_OK;
}

enum err passkey_data_read(const struct passkey_party *party, struct str bytes, bool fresh, struct passkey_data *ret,
                           struct fault *f)
{
    unsigned char hash[SHA256_BYTES];
    const unsigned char *p = (const unsigned char *)bytes.p;
    struct str extensions;
    if (bytes.n < DATA_HEAD || bytes.n > PASSKEY_OBJECT_MAX)
        return fault_set(f, ERR_PASSKEY, "authenticatorData is of %d to %d bytes, not %zu", DATA_HEAD,
                         PASSKEY_OBJECT_MAX, bytes.n);
    enc_sha256(party->id.p, party->id.n, hash);
    if (memcmp(p, hash, sizeof(hash)) != 0)
        return fault_set(f, ERR_PASSKEY, "authenticatorData: the passkey is not one for " STR_FMT, STR_ARG(party->id));
    unsigned flags = p[SHA256_BYTES];
    const unsigned char *count = p + SHA256_BYTES + 1;
    struct passkey_data d = {
        .count = (uint32_t)count[0] << 24 | (uint32_t)count[1] << 16 | (uint32_t)count[2] << 8 | count[3],
        .may_back_up = flags & DATA_MAY_BACK_UP,
    };
    struct str rest = str_skip(bytes, DATA_HEAD);
    TRY(data_flags(flags, fresh, f));
    if (fresh)
        TRY(data_id(&rest, &d.id, f));
    struct cbor c = {.text = rest};
    if (fresh)
        TRY(data_map(&c, "the passkey's public key", &d.cose, f));
    if (flags & DATA_EXTENSIONS)
        TRY(data_map(&c, "authenticatorData's extensions", &extensions, f));
    if (c.at != rest.n)
        return fault_set(f, ERR_PASSKEY, "authenticatorData: %zu bytes too many", rest.n - c.at);
    *ret = d;
    return ERR_OK;
}
