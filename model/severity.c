#include "model/severity.h"

#include <string.h>

const char *const gt_severity_names[] = {"info", "low", "medium", "high", "critical", NULL};
const char *const gt_confidence_names[] = {"possible", "likely", "certain", NULL};
const char *const gt_lang_names[] = {"en", "fr", NULL};

/* First score of each level, and the one past the last. */
static const int first_score[] = {0, 20, 40, 65, 85, 101};

const char *gt_severity_name(enum gt_severity severity)
{
    return (unsigned)severity <= GT_CRITICAL ? gt_severity_names[severity] : "info";
}

int gt_severity_parse(const char *text)
{
    for (int i = 0; text && gt_severity_names[i]; i++)
        if (strcmp(text, gt_severity_names[i]) == 0)
            return i;
    return -1;
}

enum gt_severity gt_severity_of_score(int score)
{
    int level = GT_INFORMATIONAL;
    while (level < GT_CRITICAL && score >= first_score[level + 1])
        level++;
    return (enum gt_severity)level;
}

int gt_severity_score(enum gt_severity severity)
{
    unsigned level = (unsigned)severity <= GT_CRITICAL ? severity : 0;
    return (first_score[level] + first_score[level + 1] - 1) / 2;
}

const char *gt_confidence_name(enum gt_confidence confidence)
{
    return (unsigned)confidence <= GT_CERTAIN ? gt_confidence_names[confidence] : "possible";
}
