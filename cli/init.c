/* guette init: a configuration to begin with, and the deployment's fingerprint key. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#define FILE_MAX ((size_t)64 * 1024)
#define PATH_SIZE 4096

extern const struct gt_embedded gt_config_template[];

struct settings {
    const char *domain, *name, *email, *directory;
    bool force;
};

/* A word of the template and what stands there instead. */
struct placeholder {
    const char *word, *value;
};

static int append_line(struct gt_buffer *out, const char *line, size_t len,
                       const struct placeholder *placeholders)
{
    for (size_t i = 0; i < len;) {
        const struct placeholder *p = placeholders;
        while (p->word && strncmp(line + i, p->word, strlen(p->word)) != 0)
            p++;
        if (p->word)
            gt_buffer_puts(out, p->value);
        else
            gt_buffer_putc(out, line[i]);
        i += p->word ? strlen(p->word) : 1;
    }
    return gt_buffer_ok(out) ? 0 : GT_E_LIMIT;
}

static int render(const struct settings *settings, struct gt_buffer *out, struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer name = GT_BUFFER(4096), email = GT_BUFFER(4096);
    if (gt_append_quoted(&name, settings->name) < 0 ||
        gt_append_quoted(&email, settings->email) < 0)
        return gt_fail(err, GT_E_LIMIT, "the name or address is too long");
    const struct placeholder placeholders[] = {{"@TITLE@", settings->name},
                                               {"@NAME@", name.data},
                                               {"@EMAIL@", email.data},
                                               {"@DOMAIN@", settings->domain},
                                               {NULL, NULL}};
    const struct gt_embedded *file = &gt_config_template[0];
    if (append_line(out, (const char *)file->bytes, file->len, placeholders) < 0)
        return gt_fail(err, GT_E_LIMIT, "the name or address is too long");
    return 0;
}

static int check(const struct settings *settings, struct gt_error *err)
{
    if (gt_config_check_domain(settings->domain, err) < 0)
        return gt_fail(err, GT_E_INVALID, "\"%s\" %s", settings->domain, err->message);
    if (gt_config_check_contact(settings->email, err) < 0)
        return gt_fail(err, GT_E_INVALID, "--email \"%s\" %s", settings->email, err->message);
    bool printable = gt_utf8_valid(settings->name, strlen(settings->name));
    for (const char *c = settings->name; *c; c++)
        printable = printable && (unsigned char)*c >= 0x20 && *c != 0x7f;
    if (!*settings->name || !printable)
        return gt_fail(err, GT_E_INVALID, "--name is not a line of text; write the brand's name");
    return 0;
}

static int path_in(const struct settings *settings, const char *name, char path[PATH_SIZE],
                   struct gt_error *err)
{
    int n = strcmp(settings->directory, ".") == 0
                ? snprintf(path, PATH_SIZE, "%s", name)
                : snprintf(path, PATH_SIZE, "%s/%s", settings->directory, name);
    if (n >= 0 && n < PATH_SIZE)
        return 0;
    return gt_fail(err, GT_E_LIMIT, "the directory's path is too long");
}

/* A key that is there stays, whatever --force says: with another one, all findings would look new.
 */
static int make_key(const struct settings *settings, struct gt_error *err)
{
    char path[PATH_SIZE];
    int rc = path_in(settings, "data/fingerprint.key", path, err);
    if (rc == 0)
        rc = gt_key_create(path, err);
    if (rc == 0)
        printf("made  %s (every worker needs this same key; keep a copy in a safe place)\n", path);
    else if (rc == GT_E_CONFLICT)
        printf("kept  %s (the fingerprint key that was there)\n", path);
    return rc == GT_E_CONFLICT ? 0 : rc;
}

static int make_inbox(const struct settings *settings, struct gt_error *err)
{
    char path[PATH_SIZE];
    int rc = path_in(settings, "inbox", path, err);
    if (rc < 0 || gt_file_exists(path))
        return rc;
    rc = gt_directory_make(path, 0755, err);
    if (rc == 0)
        printf("made  %s (files dropped there are read at once)\n", path);
    return rc;
}

static int make_config(const struct settings *settings, const char *path, struct gt_error *err)
{
    GT_BUFFER_AUTO struct gt_buffer text = GT_BUFFER(FILE_MAX);
    int rc = render(settings, &text, err);
    if (rc == 0)
        rc = gt_file_write(path, text.data, text.len, 0644, err);
    if (rc == 0)
        printf("wrote %s (it explains itself; read it once)\n", path);
    return rc;
}

static int make_all(const struct settings *settings, struct gt_error *err)
{
    char path[PATH_SIZE];
    int rc = path_in(settings, "guette.yaml", path, err);
    if (rc == 0 && gt_file_exists(path) && !settings->force)
        rc = gt_fail(err, GT_E_CONFLICT,
                     "%s is there already; --force overwrites it (the key is kept in any case)",
                     path);
    if (rc == 0)
        rc = gt_directory_make(settings->directory, 0755, err);
    if (rc == 0)
        rc = make_key(settings, err);
    if (rc == 0)
        rc = make_inbox(settings, err);
    if (rc == 0)
        rc = make_config(settings, path, err);
    if (rc < 0)
        return rc;
    bool here = strcmp(path, "guette.yaml") == 0;
    printf("\nNext:\n  guette config check%s%s\n  guette run%s%s\n", here ? "" : " ",
           here ? "" : path, here ? "" : " --config ", here ? "" : path);
    return 0;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"name", required_argument, NULL, 'n'},
                                            {"email", required_argument, NULL, 'e'},
                                            {"dir", required_argument, NULL, 'd'},
                                            {"force", no_argument, NULL, 'f'},
                                            {0}};
    struct settings settings = {.directory = "."};
    int option;
    optind = 1;
    while ((option = gt_cli_option(argc, argv, options)) != -1) {
        if (option == '?')
            return GT_EXIT_USAGE;
        if (option == 'f')
            settings.force = true;
        else
            *(option == 'n'   ? &settings.name
              : option == 'e' ? &settings.email
                              : &settings.directory) = optarg;
    }
    if (argc - optind != 1 || !settings.name || !settings.email)
        return gt_cli_usage("init", "needs the domain, --name and --email, like: guette init "
                                    "acme.example --name \"Acme Corp\" --email soc@acme.example");
    settings.domain = argv[optind];
    struct gt_error err = {0};
    if (check(&settings, &err) < 0)
        return gt_cli_usage("init", "%s", err.message);
    if (make_all(&settings, &err) == 0)
        return GT_EXIT_OK;
    fprintf(stderr, "guette init: %s\n", err.message);
    return GT_EXIT_FAILED;
}

const struct gt_command gt_command_init = {
    .name = "init",
    .summary = "write a configuration to begin with",
    .help = "Usage: guette init DOMAIN --name NAME --email ADDRESS [--dir DIR] [--force]\n"
            "\n"
            "Writes guette.yaml, commented, and makes the folder inbox/ and the fingerprint key\n"
            "data/fingerprint.key (mode 0600). A key that is there is never overwritten.\n"
            "\n"
            "  DOMAIN           the brand's main domain; add more in the file\n"
            "  --name NAME      the brand's name\n"
            "  --email ADDRESS  of the response team; operators of watched sites see it\n"
            "  --dir DIR        where to write; made when missing (default: here)\n"
            "  --force          overwrite a guette.yaml that is there\n"
            "\n"
            "Example: guette init acme.example --name \"Acme Corp\" --email soc@acme.example\n"
            "\n"
            "Exit codes: 0 done, 1 it could not be written, 2 wrong usage\n",
    .run = run,
};
