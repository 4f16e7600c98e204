#include "matchers/runs.h"

#include <ctype.h>

#define AZ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1

static const unsigned char in_run[256] = {
    ['+'] = 1, ['-'] = 1, ['/'] = 1, ['='] = 1, ['_'] = 1, ['~'] = 1, ['0'] = 1,  1,          1, 1,
    1,         1,         1,         1,         1,         1,         ['A'] = AZ, ['a'] = AZ,
};

bool gt_run_byte(char c)
{
    return in_run[(unsigned char)c];
}

/* Looks at one byte in GT_RUN_MIN while they are no part of a run. */
static bool find_run(const unsigned char *text, size_t len, size_t from, struct gt_span *ret)
{
    for (size_t at = from + GT_RUN_MIN - 1; at < len;) {
        size_t start = at + 1;
        while (start > from && in_run[text[start - 1]])
            start--;
        if (start > at) { /* this byte is none */
            from = at + 1;
            at = from + GT_RUN_MIN - 1;
            continue;
        }
        size_t end = at + 1;
        while (end < len && in_run[text[end]])
            end++;
        if (end - start >= GT_RUN_MIN) {
            *ret = (struct gt_span){start, end};
            return true;
        }
        from = end + 1;
        at = from + GT_RUN_MIN - 1;
    }
    return false;
}

static bool has_digit(const unsigned char *text, struct gt_span run)
{
    for (size_t i = run.start; i < run.end; i++)
        if (isdigit(text[i]))
            return true;
    return false;
}

bool gt_run_next(const char *text, size_t len, size_t from, struct gt_span *ret)
{
    const unsigned char *bytes = (const unsigned char *)text;
    struct gt_span run = {from, from};
    while (find_run(bytes, len, run.end, &run)) {
        if (has_digit(bytes, run)) {
            *ret = run;
            return true;
        }
    }
    return false;
}
