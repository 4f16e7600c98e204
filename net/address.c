/* Which addresses are public: tables of what is not. */
#include "net/internal.h"

#include <string.h>
#include <sys/socket.h>

enum verdict {
    REFUSED,
    PUBLIC,
    EMBEDDED, /* an IPv4 address at byte `at` decides */
    TEREDO,   /* two of them: the server's, and the client's with its bits flipped */
};

struct range {
    unsigned char prefix[16];
    unsigned char bits;
    unsigned char verdict;
    unsigned char at;
};

/* IANA IPv4 Special-Purpose Address Registry (RFC 6890, RFC 8190): what is not "globally
 * reachable", and what no registry lists but a watcher must not reach. First hit decides; the rest
 * is public. */
static const struct range ipv4[] = {
    {{0}, 8, REFUSED, 0},                 /* this network, RFC 791 */
    {{10}, 8, REFUSED, 0},                /* private, RFC 1918 */
    {{100, 64}, 10, REFUSED, 0},          /* shared (carrier-grade NAT), RFC 6598 */
    {{127}, 8, REFUSED, 0},               /* loopback, RFC 1122 */
    {{169, 254}, 16, REFUSED, 0},         /* link-local, RFC 3927; cloud metadata services */
    {{172, 16}, 12, REFUSED, 0},          /* private, RFC 1918 */
    {{192, 0, 0}, 24, REFUSED, 0},        /* IETF protocol assignments, RFC 6890 */
    {{192, 0, 2}, 24, REFUSED, 0},        /* documentation, RFC 5737 */
    {{192, 88, 99}, 24, REFUSED, 0},      /* 6to4 relay anycast, deprecated by RFC 7526 */
    {{192, 168}, 16, REFUSED, 0},         /* private, RFC 1918 */
    {{198, 18}, 15, REFUSED, 0},          /* benchmarking, RFC 2544 */
    {{198, 51, 100}, 24, REFUSED, 0},     /* documentation, RFC 5737 */
    {{203, 0, 113}, 24, REFUSED, 0},      /* documentation, RFC 5737 */
    {{224}, 4, REFUSED, 0},               /* multicast, RFC 5771 */
    {{240}, 4, REFUSED, 0},               /* reserved, RFC 1112; limited broadcast, RFC 8190 */
    {{168, 63, 129, 16}, 32, REFUSED, 0}, /* Azure's virtual public IP of the host (its docs) */
};

/* IANA IPv6 Special-Purpose Address Registry; longer prefixes before those that hold them. Only
 * 2000::/3 is given out as global unicast (RFC 4291, IANA IPv6 address space), the rest is refused.
 */
static const struct range ipv6[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, EMBEDDED, 12}, /* mapped, RFC 4291 */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0}, 96, EMBEDDED, 12}, /* translated, RFC 2765 */
    {{0, 0x64, 0xff, 0x9b}, 96, EMBEDDED, 12},                      /* NAT64, RFC 6052 */
    {{0x20, 0x01, 0x00, 0x00}, 32, TEREDO, 0},                      /* RFC 4380 */
    {{0x20, 0x01, 0x00, 0x03}, 32, PUBLIC, 0},                      /* AMT, RFC 7450 */
    {{0x20, 0x01, 0x00, 0x04, 0x01, 0x12}, 48, PUBLIC, 0},          /* AS112, RFC 7535 */
    {{0x20, 0x01, 0x00}, 23, REFUSED, 0}, /* IETF protocol assignments, RFC 2928; benchmarking,
                                             RFC 5180; ORCHID, RFC 7343 */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, REFUSED, 0}, /* documentation, RFC 3849 */
    {{0x20, 0x02}, 16, EMBEDDED, 2},            /* 6to4, RFC 3056 */
    {{0x3f, 0xff, 0x00}, 20, REFUSED, 0},       /* documentation, RFC 9637 */
    {{0x20}, 3, PUBLIC, 0},
    {{0},
     0,
     REFUSED,
     0}, /* unspecified, loopback, IPv4-compatible, 64:ff9b:1::/48 (RFC 8215), discard
            100::/64 (RFC 6666), SRv6 5f00::/16 (RFC 9602), unique local fc00::/7
            (RFC 4193), link-local fe80::/10, site-local fec0::/10, multicast ff00::/8 */
};

static bool inside(const unsigned char *address, const struct range *range)
{
    size_t whole = range->bits / 8;
    unsigned rest = range->bits % 8;
    if (memcmp(address, range->prefix, whole) != 0)
        return false;
    unsigned mask = 0xff00u >> rest & 0xff;
    return rest == 0 || (address[whole] & mask) == (range->prefix[whole] & mask);
}

static const struct range *find(const struct range *table, size_t count,
                                const unsigned char *address)
{
    for (size_t i = 0; i < count; i++)
        if (inside(address, &table[i]))
            return &table[i];
    return NULL;
}

static bool ipv4_public(const unsigned char *address)
{
    return !find(ipv4, sizeof ipv4 / sizeof *ipv4, address);
}

static bool teredo_public(const unsigned char *address)
{
    unsigned char client[4];
    for (size_t i = 0; i < sizeof client; i++)
        client[i] = address[12 + i] ^ 0xff;
    return ipv4_public(address + 4) && ipv4_public(client);
}

static bool ipv6_public(const unsigned char *address)
{
    const struct range *range = find(ipv6, sizeof ipv6 / sizeof *ipv6, address);
    switch (range ? range->verdict : REFUSED) {
    case PUBLIC:
        return true;
    case EMBEDDED:
        return ipv4_public(address + range->at);
    case TEREDO:
        return teredo_public(address);
    default:
        return false;
    }
}

bool gt_address_public(const struct sockaddr *address)
{
    unsigned char bytes[16];
    if (address->sa_family == AF_INET) {
        memcpy(bytes, (const char *)address + offsetof(struct sockaddr_in, sin_addr), 4);
        return ipv4_public(bytes);
    }
    if (address->sa_family == AF_INET6) {
        memcpy(bytes, (const char *)address + offsetof(struct sockaddr_in6, sin6_addr), 16);
        return ipv6_public(bytes);
    }
    return false;
}
