/* Which channels hear of a finding. */
#include "notifier/notifier.h"

#include <fnmatch.h>
#include <string.h>

#define NAME(list, i) (*GT_LIST_ITEM(list, const char *, i))

static bool names_brand(const struct gt_list *brands, const char *brand)
{
    for (size_t i = 0; brand && i < brands->count; i++) {
        if (gt_equals_ignoring_case(NAME(*brands, i), brand))
            return true;
    }
    return brands->count == 0;
}

static bool fits_rule(const struct gt_list *patterns, const char *rule)
{
    for (size_t i = 0; rule && i < patterns->count; i++) {
        if (fnmatch(NAME(*patterns, i), rule, 0) == 0)
            return true;
    }
    return patterns->count == 0;
}

static bool names_channel(const struct gt_list *channels, const char *name)
{
    for (size_t i = 0; i < channels->count; i++) {
        if (strcmp(NAME(*channels, i), name) == 0)
            return true;
    }
    return channels->count == 0;
}

static bool is_routed(const struct gt_config *config, const struct gt_finding *finding,
                      const char *channel)
{
    for (size_t i = 0; i < config->routes.count; i++) {
        const struct gt_route *route = GT_LIST_ITEM(config->routes, struct gt_route, i);
        if ((int)finding->severity >= route->min_severity &&
            names_brand(&route->brands, finding->brand) &&
            fits_rule(&route->rules, finding->rule) && names_channel(&route->channels, channel))
            return true;
    }
    return config->routes.count == 0;
}

size_t gt_route(const struct gt_config *config, const struct gt_finding *finding,
                const char **ret_channels, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < config->channels.count && count < most; i++) {
        const struct gt_channel_config *channel =
            GT_LIST_ITEM(config->channels, struct gt_channel_config, i);
        if (channel->enabled && is_routed(config, finding, channel->name))
            ret_channels[count++] = channel->name;
    }
    return count;
}
