#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int gt_fail(struct gt_error *err, int code, const char *format, ...)
{
    if (!err)
        return code;
    char words[GT_ERROR_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    err->code = code;
    memcpy(err->message, words, sizeof words);
    return code;
}

int gt_error_prefix(struct gt_error *err, const char *format, ...)
{
    if (!err)
        return GT_E_IO;
    char words[2 * GT_ERROR_MAX];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(words, GT_ERROR_MAX, format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n < GT_ERROR_MAX ? (size_t)n : GT_ERROR_MAX - 1;
    snprintf(words + used, sizeof words - used, ": %s", err->message);
    snprintf(err->message, sizeof err->message, "%.*s", GT_ERROR_MAX - 1, words);
    return err->code;
}

const char *gt_code_name(int code)
{
    static const char *const names[] = {
        "ok",        "invalid", "no_memory", "io",          "full",    "again",
        "not_found", "limit",   "conflict",  "unsupported", "timeout", "refused",
    };
    size_t index = (size_t)-code;
    return code <= 0 && index < sizeof names / sizeof *names ? names[index] : "unknown";
}
