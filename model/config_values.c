#include "model/config_parts.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 64
#define DOMAIN_MAX_LEN 253 /* RFC 1035, section 2.3.4, without the final dot */
#define LABEL_MAX_LEN 63

static const char letters_and_digits[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static bool is_domain_byte(char c)
{
    return (unsigned char)c >= 0x80 || c == '-' || (c && strchr(letters_and_digits, c));
}

/* Letters, digits and inner hyphens (RFC 1123, section 2.1), or an IDN's letters as people type
 * them. */
static bool is_label(const char *label, size_t len)
{
    if (len == 0 || len > LABEL_MAX_LEN || label[0] == '-' || label[len - 1] == '-')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_domain_byte(label[i]))
            return false;
    return true;
}

static int refuse_domain(struct gt_error *err, const char *advice)
{
    return gt_fail(err, GT_E_INVALID, "is not a domain name; %s", advice);
}

int gt_config_check_domain(const char *value, struct gt_error *err)
{
    size_t len = strlen(value), labels = 0, label = 0;
    if (len && value[len - 1] == '.')
        len--;
    if (strchr(value, '/'))
        return refuse_domain(err, "write it alone, without https:// and path");
    if (strchr(value, '@'))
        return refuse_domain(err, "write only what stands after the @");
    if (strchr(value, '*'))
        return refuse_domain(err, "leave out the *: subdomains are found anyway");
    if (len > DOMAIN_MAX_LEN)
        return refuse_domain(err, "it is longer than 253 characters");
    for (size_t at = 0; at < len; at += label + 1, labels++) {
        label = strcspn(value + at, ".");
        if (label > len - at)
            label = len - at;
        if (!is_label(value + at, label))
            return refuse_domain(err, "it may hold letters, digits, dots and, inside, hyphens");
    }
    if (labels < 2)
        return refuse_domain(err, "write it with its ending, like acme.example");
    if (strspn(value + len - label, "0123456789") >= label)
        return refuse_domain(err, "it looks like an address; write a name, like acme.example");
    return 0;
}

int gt_config_check_name(const char *value, struct gt_error *err)
{
    size_t len = strlen(value), good = 0;
    while (value[good] && (strchr(letters_and_digits, value[good]) || strchr("._-", value[good])))
        good++;
    if (len == 0 || len > NAME_MAX_LEN || good < len)
        return gt_fail(err, GT_E_INVALID,
                       "cannot be a name; take up to %d letters, digits, \".\", \"_\" and \"-\"",
                       NAME_MAX_LEN);
    return 0;
}

int gt_config_check_contact(const char *value, struct gt_error *err)
{
    bool web = gt_starts_with(value, "https://") || gt_starts_with(value, "http://");
    const char *at = strchr(value, '@');
    bool mail = at && at > value && strchr(at, '.') && !strpbrk(value, " <>");
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            web = mail = false; /* it becomes part of a request's header */
    if (web || mail)
        return 0;
    return gt_fail(err, GT_E_INVALID,
                   "is neither a mail address nor a web page; write one, like soc@acme.example");
}

int gt_config_check_proxy(const char *value, struct gt_error *err)
{
    static const char *const schemes[] = {"http://",    "https://",  "socks4://",
                                          "socks4a://", "socks5://", "socks5h://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (gt_starts_with(value, schemes[i]) && strlen(value) > strlen(schemes[i]))
            return 0;
    return gt_fail(err, GT_E_INVALID,
                   "is not a proxy's address; write http://HOST:PORT or socks5h://HOST:PORT");
}

int gt_config_check_listen(const char *value, struct gt_error *err)
{
    const char *colon = strrchr(value, ':');
    size_t host = colon ? (size_t)(colon - value) : 0;
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
    bool port = digits && digits <= 5 && !colon[1 + digits] && atoi(colon + 1) <= 65535;
    bool bracketed = host > 2 && value[0] == '[' && value[host - 1] == ']';
    bool plain = !memchr(value, ':', host) && !strpbrk(value, " []/");
    if (port && (bracketed || plain))
        return 0;
    return gt_fail(err, GT_E_INVALID,
                   "is not HOST:PORT; write it like 127.0.0.1:9090, [::1]:9090 or :9090");
}
