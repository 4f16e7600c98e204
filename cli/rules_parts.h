/* The verbs of `guette rules`. Inside cli/ only. */
#ifndef GT_CLI_RULES_PARTS_H
#define GT_CLI_RULES_PARTS_H

#include "cli/cli.h"
#include "matchers/matchers.h"

#define GT_RULES_DIRECTORIES_MAX 16

struct gt_rules_options {
    const char *directories[GT_RULES_DIRECTORIES_MAX + 1];
    size_t count;
    bool only_given, json;
    const char *provider, *category; /* NULL: all */
    const char *example;             /* NULL: none; "-": standard input */
    unsigned top;
};

/* Each returns the exit code. argv are the words behind the verb. */
int gt_rules_list(struct gt_ruleset *ruleset, const struct gt_rules_options *options, int argc,
                  char **argv);
int gt_rules_show(struct gt_ruleset *ruleset, const struct gt_rules_options *options, int argc,
                  char **argv);
int gt_rules_bench(struct gt_ruleset *ruleset, const struct gt_rules_options *options, int argc,
                   char **argv);
/* Needs no ruleset: NULL. */
int gt_rules_new(struct gt_ruleset *ruleset, const struct gt_rules_options *options, int argc,
                 char **argv);

#endif
