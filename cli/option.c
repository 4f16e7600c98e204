/* Long options, read the same way by every command. */
#include "cli/cli.h"

#include <string.h>

static int unknown_option(const char *command, const char *given, const struct option *options)
{
    char word[64];
    const char *name = given + strspn(given, "-");
    snprintf(word, sizeof word, "%.*s", (int)strcspn(name, "="), name);
    struct gt_nearest nearest = {.word = word};
    for (const struct option *option = options; option->name; option++)
        gt_nearest_offer(&nearest, option->name);
    if (nearest.best)
        gt_cli_usage(command, "there is no option \"%s\"; did you mean --%s?", given, nearest.best);
    else
        gt_cli_usage(command, "there is no option \"%s\"", given);
    return '?';
}

int gt_cli_option(int argc, char **argv, const struct option *options)
{
    opterr = 0;
    int option = getopt_long(argc, argv, ":", options, NULL);
    if (option != ':' && option != '?')
        return option;
    const char *given = argv[optind - 1];
    if (option == ':') {
        gt_cli_usage(argv[0], "%s needs a value", given);
        return '?';
    }
    for (const struct option *known = options; known->name; known++)
        if (optopt && optopt == known->val && known->has_arg == no_argument) {
            gt_cli_usage(argv[0], "--%s takes no value", known->name);
            return '?';
        }
    if (given[0] != '-' || given[1] != '-') { /* inside a cluster of letters, optind stays behind */
        char letter[] = {'-', (char)optopt, '\0'};
        return unknown_option(argv[0], letter, options);
    }
    return unknown_option(argv[0], given, options);
}
