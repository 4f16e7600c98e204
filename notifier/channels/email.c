/* A mail by SMTP: text and HTML, one thread per finding. */
#include "notifier/alert_html.h"
#include "notifier/channel.h"
#include "notifier/message.h"
#include "notifier/phrases.h"
#include "notifier/show.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX ((size_t)512 * 1024)
#define PART_MAX ((size_t)96 * 1024)
#define RECIPIENTS_MAX 100
#define SETTINGS_MAX ((size_t)128 * 1024)

enum starttls { STARTTLS_AUTO, STARTTLS_REQUIRED, STARTTLS_NEVER };
static const char *const starttls_names[] = {"auto", "required", "never", NULL};

struct email_options {
    const char *server, *user, *password, *from, *reply_to;
    struct gt_list to; /* const char * */
    int starttls;      /* enum starttls */
    int64_t timeout_ms;
};

struct email {
    const struct email_options *options;
    struct gt_arena *arena; /* owns what follows */
    struct gt_mailbox from, reply_to, *to;
    size_t to_count;
    const char **envelope; /* NULL-ended */
    bool require_tls;
};

/* ---- options ---- */

static size_t scheme_of(const char *server)
{
    return gt_starts_with(server, "smtp://") ? 7 : gt_starts_with(server, "smtps://") ? 8 : 0;
}

static int check_server(const char *server, struct gt_error *err)
{
    static const char advice[] = "write smtp://mail.acme.example:587 or smtps://mail.acme.example";
    const char *host = server + scheme_of(server);
    if (host == server)
        return gt_fail(err, GT_E_INVALID, "does not begin with smtp:// or smtps://; %s", advice);
    if (strchr(host, '@'))
        return gt_fail(err, GT_E_INVALID,
                       "holds a user name; put it into user and its password into password");
    size_t len = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              ".-:[]");
    if (len == 0 || host[0] == ':' || host[len])
        return gt_fail(err, GT_E_INVALID, "is not a server; %s", advice);
    return 0;
}

static int check_mailbox(const char *text, struct gt_error *err)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new(4096);
    struct gt_mailbox mailbox;
    return arena ? gt_mailbox_parse(text, arena, &mailbox, err)
                 : gt_fail(err, GT_E_NOMEM, "out of memory");
}

#define AT(field) offsetof(struct email_options, field)
static const struct gt_option options[] = {
    {.name = "server",
     .type = GT_OPTION_STRING,
     .offset = AT(server),
     .help = "smtp://host:587 or smtps://host:465",
     .flags = GT_OPTION_REQUIRED,
     .check = check_server},
    {.name = "user", .type = GT_OPTION_STRING, .offset = AT(user), .help = "login at the server"},
    {.name = "password",
     .type = GT_OPTION_SECRET,
     .offset = AT(password),
     .help = "of the user; best as file:/run/secrets/..."},
    {.name = "from",
     .type = GT_OPTION_STRING,
     .offset = AT(from),
     .help = "sender, \"guette <guette@acme.example>\"",
     .flags = GT_OPTION_REQUIRED,
     .check = check_mailbox},
    {.name = "to",
     .type = GT_OPTION_STRING,
     .offset = AT(to),
     .help = "recipients",
     .flags = GT_OPTION_REQUIRED | GT_OPTION_LIST,
     .check = check_mailbox},
    {.name = "reply_to",
     .type = GT_OPTION_STRING,
     .offset = AT(reply_to),
     .help = "where answers go",
     .check = check_mailbox},
    {.name = "starttls",
     .type = GT_OPTION_ENUM,
     .offset = AT(starttls),
     .fallback = "auto",
     .help = "auto: required but for a server on this machine",
     .choices = starttls_names},
    {.name = "timeout",
     .type = GT_OPTION_DURATION,
     .offset = AT(timeout_ms),
     .fallback = "60s",
     .help = "for the whole conversation",
     .least = GT_SECOND,
     .most = 4 * GT_MINUTE},
    {.type = GT_OPTION_END},
};

static bool is_here(const char *server)
{
    const char *host = server + scheme_of(server);
    size_t len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    return (len == 9 && strncasecmp(host, "localhost", 9) == 0) || strncmp(host, "127.", 4) == 0 ||
           (len == 5 && strncmp(host, "[::1]", 5) == 0);
}

static int decide_tls(struct email *mail, struct gt_error *err)
{
    const struct email_options *o = mail->options;
    bool encrypted = gt_starts_with(o->server, "smtps://"), here = is_here(o->server);
    if (!encrypted && !here && o->starttls == STARTTLS_NEVER && o->password)
        return gt_fail(err, GT_E_INVALID,
                       "the password would cross the network in the clear; remove starttls: never, "
                       "use smtps://, or remove the password");
    mail->require_tls =
        !encrypted && (o->starttls == STARTTLS_REQUIRED || (o->starttls == STARTTLS_AUTO && !here));
    return 0;
}

static int parse_mailboxes(struct email *mail, struct gt_error *err)
{
    const struct email_options *o = mail->options;
    int code = gt_mailbox_parse(o->from, mail->arena, &mail->from, err);
    if (code == 0 && !mail->from.name)
        mail->from.name = "guette";
    if (code == 0 && o->reply_to)
        code = gt_mailbox_parse(o->reply_to, mail->arena, &mail->reply_to, err);
    for (size_t i = 0; code == 0 && i < o->to.count; i++) {
        const char *text = *GT_LIST_ITEM(o->to, const char *, i);
        code = gt_mailbox_parse(text, mail->arena, &mail->to[i], err);
        if (code == 0)
            mail->envelope[mail->to_count++] = mail->to[i].address;
    }
    return code < 0 ? gt_error_prefix(err, "a sender or recipient") : 0;
}

static int open_email(void *self, const struct gt_config *config,
                      const struct gt_channel_config *settings, struct gt_error *err)
{
    struct email *mail = self;
    mail->options = settings->options;
    size_t count = mail->options->to.count;
    if (count > RECIPIENTS_MAX)
        return gt_fail(err, GT_E_INVALID, "has more than %d recipients; use a mailing list",
                       RECIPIENTS_MAX);
    mail->arena = gt_arena_new(SETTINGS_MAX);
    mail->to = mail->arena ? gt_arena_array(mail->arena, count + 1, sizeof(*mail->to)) : NULL;
    mail->envelope =
        mail->arena ? gt_arena_array(mail->arena, count + 1, sizeof(*mail->envelope)) : NULL;
    int code = mail->to && mail->envelope ? parse_mailboxes(mail, err)
                                          : gt_fail(err, GT_E_NOMEM, "out of memory");
    if (code == 0)
        code = decide_tls(mail, err);
    if (code < 0)
        gt_arena_free(mail->arena);
    return code;
}

static void close_email(void *self)
{
    struct email *mail = self;
    gt_arena_free(mail->arena);
}

/* ---- the message ---- */

/* The same for every alert of a finding, so that clients which thread by subject do so too. */
static void write_subject(const struct gt_alert *alert, struct gt_buffer *out)
{
    const struct gt_finding *finding = &alert->finding;
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(2048);
    gt_buffer_printf(&text, "[guette] %s: ", gt_say_severity(alert->lang, finding->severity));
    gt_show_defanged(&text, finding->title ? finding->title : finding->rule, 80);
    if (finding->brand) {
        gt_buffer_puts(&text, " - ");
        gt_show_defanged(&text, finding->brand, 40);
    }
    gt_buffer_printf(&text, " (%.8s)", finding->id);
    out->overflow |= text.overflow;
    gt_header_text(out, "Subject", text.data ? text.data : "");
}

static void write_thread(const struct email *mail, const struct gt_alert *alert,
                         struct gt_buffer *out)
{
    const char *domain = strrchr(mail->from.address, '@') + 1;
    gt_buffer_printf(out, "Message-ID: <alert-%s@%s>\r\n", alert->id, domain);
    gt_buffer_printf(out, "In-Reply-To: <finding-%s@%s>\r\n", alert->finding.id, domain);
    gt_buffer_printf(out, "References: <finding-%s@%s>\r\n", alert->finding.id, domain);
    gt_buffer_printf(out, "List-Id: <guette-alerts.%s>\r\n", domain);
}

static void write_headers(const struct email *mail, const struct gt_alert *alert,
                          struct gt_buffer *out)
{
    const struct gt_finding *finding = &alert->finding;
    gt_header_mailboxes(out, "From", &mail->from, 1);
    gt_header_mailboxes(out, "To", mail->to, mail->to_count);
    if (mail->reply_to.address)
        gt_header_mailboxes(out, "Reply-To", &mail->reply_to, 1);
    write_subject(alert, out);
    gt_header_date(out, "Date", alert->created_ms);
    write_thread(mail, alert, out);
    /* RFC 3834, and Microsoft's MS-OXCMAIL: no vacation notice answers this. */
    gt_buffer_puts(out, "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n");
    if (finding->severity >= GT_HIGH)
        gt_buffer_puts(out, "Importance: high\r\n");
    gt_header_text(out, "X-Guette-Severity", gt_severity_name(finding->severity));
    gt_header_text(out, "X-Guette-Rule", finding->rule);
}

static int write_part(struct gt_buffer *out, const char *boundary, const char *type,
                      const struct gt_alert *alert,
                      int (*write)(const struct gt_alert *, struct gt_buffer *))
{
    GT_BUFFER_AUTO struct gt_buffer part = GT_BUFFER(PART_MAX);
    int code = write(alert, &part);
    gt_buffer_printf(out,
                     "--%s\r\nContent-Type: %s; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
                     boundary, type);
    if (code == 0)
        gt_quoted_printable(out, part.data, part.len);
    gt_buffer_puts(out, "\r\n");
    return code;
}

static int write_text(const struct gt_alert *alert, struct gt_buffer *out)
{
    return gt_alert_text(alert, false, out);
}

static int write_message(const struct email *mail, const struct gt_alert *alert,
                         struct gt_buffer *out, struct gt_error *err)
{
    char boundary[64];
    /* "=_" never occurs in quoted-printable (RFC 2045, 6.7), so no content can end a part. */
    snprintf(boundary, sizeof(boundary), "=_guette_%s", alert->id);
    write_headers(mail, alert, out);
    gt_buffer_printf(out,
                     "MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n"
                     " boundary=\"%s\"\r\n\r\n",
                     boundary);
    int code = write_part(out, boundary, "text/plain", alert, write_text);
    if (code == 0)
        code = write_part(out, boundary, "text/html", alert, gt_alert_html);
    gt_buffer_printf(out, "--%s--\r\n", boundary);
    return code == 0 && gt_buffer_ok(out)
               ? 0
               : gt_fail(err, GT_E_LIMIT, "the alert does not fit into a mail");
}

static int render(const void *self, const struct gt_alert *alert, int64_t now_ms,
                  struct gt_arena *arena, struct gt_outgoing *ret, struct gt_error *err)
{
    const struct email *mail = self;
    GT_BUFFER_AUTO struct gt_buffer message = GT_BUFFER(MESSAGE_MAX);
    const char *bytes;
    int code = write_message(mail, alert, &message, err);
    if (code == 0)
        code = gt_take_bytes(&message, arena, &bytes, err);
    if (code < 0)
        return code;
    ret->type = GT_OUTGOING_MAIL;
    ret->mail = (struct gt_mail){
        .url = mail->options->server,
        .require_tls = mail->require_tls,
        .user = mail->options->user,
        .password = mail->options->password,
        .from = mail->from.address,
        .to = mail->envelope,
        .message = bytes,
        .message_len = message.len,
        .timeout_ms = mail->options->timeout_ms,
        .allow_private = true, /* a company's relay mostly is; nothing fetched can name it */
    };
    return 0;
}

/* ---- the answer ---- */

/* 5xx is for good (RFC 5321, 4.2.1), except where an operator can mend it on our side: login, TLS,
 * a full mailbox. */
static bool can_be_mended(int reply)
{
    static const int replies[] = {530, 534, 535, 538, 552};
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        if (replies[i] == reply)
            return true;
    }
    return reply < 500;
}

static void classify(const struct gt_http_response *response, struct gt_outcome *ret)
{
    int reply = response->status;
    const char *words = response->words ? response->words : "the server did not take the mail";
    if (!response->error && reply >= 200 && reply <= 299)
        gt_outcome_set(ret, GT_DELIVERED, -1, "SMTP %d", reply);
    else if (response->error == GT_E_INVALID || !can_be_mended(reply))
        gt_outcome_set(ret, GT_REJECTED, -1, "SMTP %d: %s", reply, words);
    else if (reply >= 400)
        gt_outcome_set(ret, GT_RETRY, response->retry_after_ms, "SMTP %d: %s", reply, words);
    else
        gt_outcome_set(ret, GT_RETRY, response->retry_after_ms, "%s", words);
}

const struct gt_channel_type gt_channel_email = {
    .kind = {.name = "email",
             .summary = "a mail by SMTP, text and HTML, one thread per finding",
             .options = options,
             .size = sizeof(struct email_options)},
    .self_size = sizeof(struct email),
    .open = open_email,
    .render = render,
    .classify = classify,
    .close = close_email,
};
