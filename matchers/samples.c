#include "matchers/samples.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define REPEATED_MAX 6 /* of one character in a row */
#define COUNTING_MAX 7 /* 1234567, abcdefg, 7654321 */
#define LONG_WORD 6
#define KINDS_MIN 4 /* different characters */

static const char *const sample_words[] = {
    "example",  "sample",   "changeme", "change_me", "change-me", "placeholder", "your_",
    "your-",    "yourkey",  "yourtok",  "yourapi",   "yoursec",   "redacted",    "dummy",
    "insert_",  "insert-",  "replace_", "replace-",  "replaceme", "todo",        "fixme",
    "foobar",   "deadbeef", "cafebabe", "lorem",     "xxxx",      "my_secret",   "my-secret",
    "mysecret", "notreal",  "not_real", "fake",      "<your",     "test_key",    NULL,
};

static bool goes_on(const char *value, size_t len, size_t at)
{
    return at < len && isalnum((unsigned char)value[at]);
}

/* A short word stands in a random value by chance: it counts where it stands alone. */
static bool holds_word(const char *value, size_t len)
{
    for (const char *const *word = sample_words; *word; word++) {
        size_t size = strlen(*word);
        for (size_t i = 0; i + size <= len; i++)
            if (strncasecmp(value + i, *word, size) == 0 &&
                (size >= LONG_WORD ||
                 (!goes_on(value, len, i + size) && (i == 0 || !goes_on(value, len, i - 1)))))
                return true;
    }
    return false;
}

/* Runs of equal steps: 0 repeats, 1 and -1 count. */
static bool runs(const char *value, size_t len)
{
    size_t repeated = 1, up = 1, down = 1;
    for (size_t i = 1; i < len; i++) {
        int step = value[i] - value[i - 1];
        bool word = isalnum((unsigned char)value[i]) && isalnum((unsigned char)value[i - 1]);
        repeated = step == 0 ? repeated + 1 : 1;
        up = step == 1 && word ? up + 1 : 1;
        down = step == -1 && word ? down + 1 : 1;
        if (repeated >= REPEATED_MAX || up >= COUNTING_MAX || down >= COUNTING_MAX)
            return true;
    }
    return false;
}

static size_t kinds(const char *value, size_t len)
{
    bool seen[256] = {false};
    size_t count = 0;
    for (size_t i = 0; i < len; i++) {
        count += !seen[(unsigned char)value[i]];
        seen[(unsigned char)value[i]] = true;
    }
    return count;
}

bool gt_value_is_sample(const char *value, size_t len)
{
    return kinds(value, len) < KINDS_MIN || runs(value, len) || holds_word(value, len);
}
