/* Runs every file of the folders given through a fuzz target, so that a corpus is an ordinary test.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX ((size_t)16 * 1024 * 1024)

/* On the heap and exactly as long as the file, so that reading one byte too far is caught. */
static int replay(const char *path)
{
    struct gt_buffer text = GT_BUFFER(INPUT_MAX);
    struct gt_error err = {0};
    int rc = gt_file_read(path, &text, &err);
    uint8_t *exact = rc == 0 ? malloc(text.len ? text.len : 1) : NULL;
    if (!exact) {
        fprintf(stderr, "%s: %s\n", path, err.message);
        gt_buffer_free(&text);
        return -1;
    }
    if (text.len)
        memcpy(exact, text.data, text.len);
    LLVMFuzzerTestOneInput(exact, text.len);
    free(exact);
    gt_buffer_free(&text);
    return 0;
}

static int replay_folder(const char *folder, size_t *count)
{
    DIR *directory = opendir(folder);
    if (!directory) {
        perror(folder);
        return -1;
    }
    int rc = 0;
    for (struct dirent *entry = readdir(directory); entry && rc == 0; entry = readdir(directory)) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        rc = replay(path);
        ++*count;
    }
    closedir(directory);
    return rc;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    for (int i = 1; i < argc; i++)
        if (replay_folder(argv[i], &count))
            return 1;
    printf("%zu inputs\n", count);
    return count ? 0 : 1;
}
