/* Mail by SMTP (RFC 5321). Dot-stuffing, pipelining of commands and STARTTLS are curl's. */
#include "net/internal.h"

#include <stdlib.h>
#include <string.h>

enum { REPLY_MAX = 300 };

#define TIMEOUT_MS (60 * GT_SECOND)

/* Nothing that could add a command or a parameter: RFC 5321 addresses need no brackets or blanks
 * outside quotes, and who writes those in a watcher's configuration is mistaken. */
static bool is_address(const char *text)
{
    return *text && gt_one_line(text) && !strpbrk(text, "<> ");
}

static int check(const struct gt_mail *mail, struct gt_error *err)
{
    if (!mail->from || (*mail->from && !is_address(mail->from)))
        return gt_fail(err, GT_E_INVALID, "the sender is not a bare mail address");
    if (!mail->to || !mail->to[0])
        return gt_fail(err, GT_E_INVALID, "the mail has no recipient");
    for (size_t i = 0; mail->to[i]; i++)
        if (!is_address(mail->to[i]))
            return gt_fail(err, GT_E_INVALID, "recipient %zu is not a bare mail address", i + 1);
    return 0;
}

static bool copy_texts(struct transfer *t, const struct gt_mail *mail)
{
    for (size_t i = 0; mail->to[i]; i++)
        if (!gt_slist_add(&t->to, mail->to[i]))
            return false;
    t->body = malloc(mail->message_len ? mail->message_len : 1);
    if (!t->body)
        return false;
    if (mail->message_len)
        memcpy(t->body, mail->message, mail->message_len);
    t->body_len = mail->message_len;
    return gt_copy(&t->from, mail->from) && gt_copy(&t->login, mail->user) &&
           gt_copy(&t->password, mail->password);
}

static int copy(struct transfer *t, const struct gt_mail *mail, struct gt_error *err)
{
    int rc = gt_place_parse(NULL, mail->url ? mail->url : "", gt_schemes_smtp, &t->at, err);
    if (rc)
        return rc;
    if (!copy_texts(t, mail))
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    t->require_tls = mail->require_tls;
    t->allow_private = mail->allow_private;
    t->timeout_ms = mail->timeout_ms > 0 ? mail->timeout_ms : TIMEOUT_MS;
    t->patience_ms = mail->patience_ms > 0 ? mail->patience_ms : GT_NET_PATIENCE_MS;
    t->received = GT_BUFFER(REPLY_MAX);
    return 0;
}

int gt_net_mail(struct gt_net *net, const struct gt_mail *mail, gt_http_done *done, void *user,
                struct gt_error *err)
{
    int rc = check(mail, err);
    if (rc)
        return rc;
    struct transfer *t = gt_transfer_new(net, &gt_kind_mail, done, user);
    if (!t)
        return gt_fail(err, GT_E_NOMEM, "out of memory");
    rc = copy(t, mail, err);
    if (rc) {
        gt_transfer_free(t);
        return rc;
    }
    return gt_net_submit(t, err);
}

static size_t on_read(char *out, size_t size, size_t count, void *transfer)
{
    struct transfer *t = transfer;
    size_t room = size * count, left = t->body_len - t->sent;
    size_t len = left < room ? left : room;
    if (len)
        memcpy(out, t->body + t->sent, len);
    t->sent += len;
    return len;
}

/* Keeps the last line in which the server refused something: the words for the operator. */
static size_t on_reply(char *bytes, size_t size, size_t count, void *transfer)
{
    struct transfer *t = transfer;
    struct gt_str line = gt_str_trim((struct gt_str){bytes, size * count});
    if (line.len >= 3 && (line.ptr[0] == '4' || line.ptr[0] == '5')) {
        gt_buffer_reset(&t->head);
        gt_utf8_append_clean(&t->head, line.ptr, line.len < REPLY_MAX ? line.len : REPLY_MAX);
    }
    return size * count;
}

static CURLcode set_session(struct transfer *t)
{
    CURLcode rc = curl_easy_setopt(t->easy, GT_CURL_PROTOCOLS, GT_PROTOCOLS_SMTP);
    rc = rc ? rc
            : curl_easy_setopt(t->easy, CURLOPT_USE_SSL,
                               (long)(t->require_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    if (t->login) {
        rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_USERNAME, t->login);
        rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_PASSWORD, t->password ? t->password : "");
    }
    return rc;
}

static CURLcode prepare(struct transfer *t)
{
    t->sent = 0;
    CURLcode rc = gt_transfer_prepare(t);
    rc = rc ? rc : set_session(t);
    /* One refused recipient ends the whole mail (CURLOPT_MAIL_RCPT_ALLOWFAILS is off by default).
     */
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_MAIL_FROM, t->from);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_MAIL_RCPT, t->to);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_UPLOAD, 1L);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, on_read);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->body_len);
    return rc ? rc : curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_reply);
}

static bool finish(struct transfer *t, CURLcode code)
{
    if (code == CURLE_OK)
        return false;
    if (t->head.len && t->status >= 400) {
        int error = t->status >= 500 ? GT_E_REFUSED : GT_E_AGAIN;
        gt_fail(&t->failure, error, "%s: the mail server refused: %s", t->at.origin, t->head.data);
    } else {
        gt_words(t, code);
    }
    return false;
}

const struct transfer_kind gt_kind_mail = {prepare, finish};
