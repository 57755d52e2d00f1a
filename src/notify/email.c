/*
 * E-mail over SMTP (RFC 5321), plain text: what waits, and where one decides; never a button. With STARTTLS, or TLS
 * from the start; in clear only to this machine.
 *
 * Words of others are indented, so that no line of theirs looks like one of ours, and the addresses in them are broken
 * up, since programs make links of whatever looks like one.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "notify/inner.h"

enum { EMAIL_ARENA = 64 << 20, EMAIL_BODY = 16 << 20, EMAIL_SHOWN = 100000, EMAIL_SUBJECT = 120, EMAIL_TURN_MS = 100 };

struct email {
    const struct conf_channel *conf;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *to;
    struct arena arena;
    struct buf text, message;
    size_t read;
    char why[CURL_ERROR_SIZE];
};

static void email_close(void *c)
{
    struct email *m = c;
    curl_easy_cleanup(m->easy);
    curl_multi_cleanup(m->multi);
    curl_slist_free_all(m->to);
    arena_done(&m->arena);
    buf_done(&m->text);
    buf_done(&m->message);
    free(m);
}

static bool email_local(struct str url)
{
    static const char *const hosts[] = {"smtp://127.", "smtp://localhost:", "smtp://[::1]"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        if (str_starts(url, str_of(hosts[i])))
            return true;
    return str_is(url, "smtp://localhost");
}

/* No name, no white space: what goes into an envelope and a header as it is. */
static bool email_address(struct str s)
{
    size_t at = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= 0x20 || s.p[i] >= 0x7f || strchr("<>(),;:\\\"[]", s.p[i]))
            return false;
        at += s.p[i] == '@';
    }
    return at == 1 && s.p[0] != '@' && s.p[s.n - 1] != '@' && s.n <= 254;
}

static size_t email_read(char *to, size_t size, size_t n, void *p)
{
    struct email *m = p;
    size_t room = size * n, left = m->message.n - m->read;
    room = room < left ? room : left;
    memcpy(to, m->message.p + m->read, room);
    m->read += room;
    return room;
}

static bool email_login(struct email *m)
{
    const struct secret *token = m->conf->token;
    if (!token)
        return true;
    char *z = malloc(secret_len(token) + 1); /* libcurl wants a zero behind it */
    if (!z)
        return false;
    memcpy(z, secret_bytes(token), secret_len(token));
    z[secret_len(token)] = 0;
    bool ok = curl_easy_setopt(m->easy, CURLOPT_USERNAME, m->conf->username.p) == CURLE_OK &&
              curl_easy_setopt(m->easy, CURLOPT_PASSWORD, z) == CURLE_OK;
    secret_wipe(z, secret_len(token));
    free(z);
    return ok;
}

static bool email_options(struct email *m)
{
    CURL *e = m->easy;
    bool ok = curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_URL, m->conf->url.p) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_ERRORBUFFER, m->why) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK;
    ok = ok && (!m->conf->ca.n || curl_easy_setopt(e, CURLOPT_CAINFO, m->conf->ca.p) == CURLE_OK);
    ok = ok && curl_easy_setopt(e, CURLOPT_MAIL_FROM, m->conf->from.p) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_MAIL_RCPT, m->to) == CURLE_OK;
    curl_easy_setopt(e, CURLOPT_USE_SSL, email_local(m->conf->url) ? (long)CURLUSESSL_TRY : (long)CURLUSESSL_ALL);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(e, CURLOPT_READFUNCTION, email_read);
    curl_easy_setopt(e, CURLOPT_READDATA, m);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)m->conf->timeout);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)m->conf->timeout);
    return ok && email_login(m);
}

static bool email_to(struct email *m)
{
    for (size_t i = 0; i < m->conf->to.n; i++) {
        struct curl_slist *longer = curl_slist_append(m->to, m->conf->to.v[i].p);
        if (!longer)
            return false;
        m->to = longer;
    }
    return true;
}

static enum err email_open(const struct conf_channel *conf, void **ret, struct fault *f)
{
    if (!email_address(conf->from))
        return fault_set(f, ERR_CONFIG, "from is wrong: must be an address such as doorward@example.com");
    for (size_t i = 0; i < conf->to.n; i++)
        if (!email_address(conf->to.v[i]))
            return fault_set(f, ERR_CONFIG, "to[%zu] is wrong: must be an address such as oncall@example.com", i);
    struct email *m = calloc(1, sizeof(*m));
    if (!m)
        return fault_set(f, ERR_NOMEM, "no memory for a channel");
    m->conf = conf;
    arena_init(&m->arena, EMAIL_ARENA);
    buf_init(&m->text, EMAIL_BODY);
    buf_init(&m->message, EMAIL_BODY * 2);
    m->multi = curl_multi_init();
    m->easy = curl_easy_init();
    if (!m->multi || !m->easy || !email_to(m) || !email_options(m)) {
        email_close(m);
        return fault_set(f, ERR_NOMEM, "no memory for a channel");
    }
    *ret = m;
    return ERR_OK;
}

/* ---- the text ---- */

/* "https[://]evil.example" */
static void email_words(struct buf *b, struct str s)
{
    for (const char *at; (at = memmem(s.p, s.n, "://", 3));) {
        size_t n = (size_t)(at - s.p);
        buf_put(b, s.p, n);
        buf_z(b, "[://]");
        s = str_skip(s, n + 3);
    }
    buf_str(b, s);
}

static struct str email_section(struct email *m, const struct view_section *s, size_t *left)
{
    struct buf plain CLEANUP(buf_done), broken CLEANUP(buf_done);
    buf_init(&plain, EMAIL_BODY);
    buf_init(&broken, EMAIL_BODY);
    view_section_text(s, 0, &plain);
    struct str all = buf_view(&plain), fit = shown_cut(all, *left);
    *left -= shown_length(fit);
    email_words(&broken, fit);
    if (fit.n < all.n)
        buf_z(&broken, "\n… this is not all of it");
    if (buf_failed(&plain))
        return arena_buf(&m->arena, &plain); /* which fails with it */
    return arena_buf(&m->arena, &broken);
}

static void email_text(struct email *m, const struct notify_message *n)
{
    size_t left = EMAIL_SHOWN;
    struct str link = shown_link(m->conf, n->card.id, &m->arena);
    struct buf *b = &m->text;
    email_words(b, n->view.headline);
    buf_z(b, "\n\n");
    buf_str(b, n->end.n ? n->end : n->view.deadline);
    buf_z(b, "\n\nTo look at it");
    buf_z(b, n->over ? ":\n" : " and decide:\n");
    if (link.n) {
        buf_z(b, "  ");
        buf_str(b, link);
        buf_char(b, '\n');
    }
    buf_z(b, "  ");
    buf_str(b, shown_command(n, &m->arena));
    buf_char(b, '\n');
    for (size_t i = 0; i < VIEW_PARTS && !n->over; i++) {
        const struct view_section *s = &n->view.section[i];
        if (!s->n || s->part == VIEW_TIME)
            continue;
        buf_fmt(b, "\n" STR_FMT "\n    ", STR_ARG(s->title));
        struct str text = email_section(m, s, &left);
        while (text.n && text.p[text.n - 1] == '\n')
            text.n--;
        shown_indented(b, text, "    ");
        buf_char(b, '\n');
    }
    buf_z(b, "\nAddresses in the words of others are broken up: [://]. An answer to this message decides nothing.\n");
}

/* RFC 2047, in words of at most 75 characters; the text has no control characters. */
static void email_subject(struct buf *b, struct str s)
{
    bool first = true;
    for (struct str rest = s, piece; rest.n; rest = str_skip(rest, piece.n)) {
        char word[64];
        piece = shown_cut(rest, 10); /* 40 bytes at most */
        enc_b64(piece.p, piece.n, word);
        buf_z(b, first ? " " : "\r\n ");
        buf_fmt(b, "=?UTF-8?B?%s?=", word);
        first = false;
    }
}

static void email_base64(struct buf *b, struct str s)
{
    for (char line[80]; s.n;) {
        size_t n = s.n < 57 ? s.n : 57;
        enc_b64(s.p, n, line);
        buf_z(b, line);
        buf_z(b, "\r\n");
        s = str_skip(s, n);
    }
}

struct email_head {
    struct str subject;
    struct str id, answers; /* Message-ID and In-Reply-To, without the host; answers: or empty */
};

static void email_headers(struct email *m, const struct email_head *h)
{
    struct buf *b = &m->message;
    struct str host = m->conf->from, user;
    char when[64];
    time_t now = (time_t)(clock_wall_ms() / 1000);
    struct tm tm;
    str_cut(&host, '@', &user);
    gmtime_r(&now, &tm);
    strftime(when, sizeof(when), "%a, %d %b %Y %H:%M:%S +0000", &tm);
    buf_fmt(b, "From: Doorward <" STR_FMT ">\r\nTo:", STR_ARG(m->conf->from));
    for (size_t i = 0; i < m->conf->to.n; i++)
        buf_fmt(b, "%s " STR_FMT, i ? ",\r\n" : "", STR_ARG(m->conf->to.v[i]));
    buf_z(b, "\r\nSubject:");
    email_subject(b, h->subject);
    buf_fmt(b, "\r\nDate: %s\r\nMessage-ID: <" STR_FMT "@" STR_FMT ">\r\n", when, STR_ARG(h->id), STR_ARG(host));
    if (h->answers.n)
        buf_fmt(b, "In-Reply-To: <" STR_FMT "@" STR_FMT ">\r\nReferences: <" STR_FMT "@" STR_FMT ">\r\n",
                STR_ARG(h->answers), STR_ARG(host), STR_ARG(h->answers), STR_ARG(host));
    buf_z(b, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
             "Content-Transfer-Encoding: base64\r\n\r\n");
}

/* A line of words of others. */
static struct str email_line(struct email *m, const char *before, struct str words)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 65536);
    buf_z(&b, before);
    email_words(&b, shown_cut(words, EMAIL_SUBJECT));
    return arena_buf(&m->arena, &b);
}

static struct email_head email_head(struct email *m, const struct notify_message *n, bool first)
{
    const char *how = n->escalated ? "escalated" : approval_states[n->card.state];
    return (struct email_head){.subject = email_line(m, n->over ? "[over] " : "", n->view.headline),
                               .id = first ? n->card.id : arena_fmt(&m->arena, STR_FMT ".%s", STR_ARG(n->card.id), how),
                               .answers = first ? STR_NONE : n->card.id};
}

/* ---- sending ---- */

static bool email_run(struct email *m, const _Atomic bool *stop, CURLcode *ret)
{
    int running = 1, left;
    *ret = CURLE_FAILED_INIT;
    while (running) {
        if (atomic_load(stop))
            return false;
        CURLMcode c = curl_multi_perform(m->multi, &running);
        if (c == CURLM_OK && running)
            c = curl_multi_poll(m->multi, NULL, 0, EMAIL_TURN_MS, NULL);
        if (c != CURLM_OK)
            return true;
    }
    for (CURLMsg *msg; (msg = curl_multi_info_read(m->multi, &left));)
        if (msg->msg == CURLMSG_DONE)
            *ret = msg->data.result;
    return true;
}

/* A server's words are not repeated but for its code: it may greet with anything. */
static enum err email_result(struct email *m, CURLcode code, struct notify_told *told, struct fault *f)
{
    long status = 0;
    if (code == CURLE_OK)
        return ERR_OK;
    curl_easy_getinfo(m->easy, CURLINFO_RESPONSE_CODE, &status);
    told->refused = status == 552 || status == 554; /* too large, or no: this one, not the next */
    if (code == CURLE_LOGIN_DENIED)
        return fault_set(f, ERR_UNREACHABLE, "it does not accept username and token (%ld)", status);
    if (code == CURLE_USE_SSL_FAILED)
        return fault_set(f, ERR_UNREACHABLE, "it offers no TLS, and is not on this machine");
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return fault_set(f, ERR_UNREACHABLE, "the certificate is not to be trusted");
    if (status >= 400)
        return fault_set(f, ERR_UNREACHABLE, "answered %ld", status);
    return fault_set(f, ERR_UNREACHABLE, "%s", curl_easy_strerror(code));
}

static void email_begin(struct email *m)
{
    arena_reset(&m->arena);
    buf_clear(&m->text);
    buf_clear(&m->message);
}

/* What is in m->text. */
static enum err email_post(struct email *m, const struct email_head *head, const _Atomic bool *stop,
                           struct notify_told *told, struct fault *f)
{
    CURLcode code;
    email_headers(m, head);
    email_base64(&m->message, buf_view(&m->text));
    if (buf_failed(&m->text) || buf_failed(&m->message) || arena_failed(&m->arena))
        return fault_set(f, ERR_NOMEM, "no memory for a message");
    m->read = 0;
    m->why[0] = 0;
    if (curl_multi_add_handle(m->multi, m->easy) != CURLM_OK)
        return fault_set(f, ERR_NOMEM, "no memory for a message");
    bool done = email_run(m, stop, &code);
    curl_multi_remove_handle(m->multi, m->easy);
    return done ? email_result(m, code, told, f) : fault_set(f, ERR_STOPPING, "given up, since the gateway stops");
}

static enum err email_send(struct email *m, const struct notify_message *n, bool first, const _Atomic bool *stop,
                           struct notify_told *told, struct fault *f)
{
    email_begin(m);
    email_text(m, n);
    struct email_head head = email_head(m, n, first);
    return email_post(m, &head, stop, told, f);
}

static enum err email_page(void *c, const struct notify_page *page, const _Atomic bool *stop, struct notify_told *told,
                           struct fault *f)
{
    struct email *m = c;
    struct page_view v;
    size_t left = EMAIL_SHOWN;
    email_begin(m);
    page_shown(page, &m->arena, &v);
    email_words(&m->text, v.summary);
    buf_z(&m->text, "\n\n");
    buf_str(&m->text, email_section(m, &v.section, &left));
    buf_fmt(&m->text, "\nTo look at it:\n  " STR_FMT "\n", STR_ARG(v.command));
    struct email_head head = {.subject = email_line(m, "[break-glass] ", v.summary), .id = str_of(page->key)};
    return email_post(m, &head, stop, told, f);
}

static enum err email_ask(void *c, const struct notify_message *m, const _Atomic bool *stop, struct notify_told *told,
                          struct fault *f)
{
    return email_send(c, m, true, stop, told, f);
}

static enum err email_update(void *c, const struct notify_message *m, const _Atomic bool *stop,
                             struct notify_told *told, struct fault *f)
{
    return email_send(c, m, false, stop, told, f);
}

const struct notifier notify_email = {.name = "email",
                                      .open = email_open,
                                      .ask = email_ask,
                                      .update = email_update,
                                      .page = email_page,
                                      .close = email_close};
