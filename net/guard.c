/* The address guard. curl asks it for every socket, so it sees the very address that is connected
 * to, after name resolution and however the URL spelled it, for every redirect and every address
 * tried. A connection that curl uses again is looked at once more before a request goes out on it:
 * it may have been opened for a request that was allowed more. */
#include "net/internal.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void remember(struct transfer *t, const struct sockaddr *address)
{
    size_t offset = address->sa_family == AF_INET6 ? offsetof(struct sockaddr_in6, sin6_addr)
                                                   : offsetof(struct sockaddr_in, sin_addr);
    if (!inet_ntop(address->sa_family, (const char *)address + offset, t->refused,
                   sizeof t->refused))
        memcpy(t->refused, "?", 2);
}

curl_socket_t gt_guard_socket(void *transfer, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *t = transfer;
    (void)purpose;
    if (!t->allow_private && !gt_address_public(&address->addr)) {
        remember(t, &address->addr);
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* An address as curl prints it. */
static bool parse(const char *text, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
        out->ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
        out->ss_family = AF_INET6;
    return out->ss_family != 0;
}

int gt_guard_reuse(void *transfer, char *remote, char *local, int remote_port, int local_port)
{
    struct transfer *t = transfer;
    struct sockaddr_storage address;
    (void)local, (void)remote_port, (void)local_port;
    if (t->allow_private)
        return CURL_PREREQFUNC_OK;
    if (parse(remote, &address) && gt_address_public((struct sockaddr *)&address))
        return CURL_PREREQFUNC_OK;
    snprintf(t->refused, sizeof t->refused, "%s", remote);
    return CURL_PREREQFUNC_ABORT;
}
