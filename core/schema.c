#include "core/options.h"

#include "core/strings.h"

#include <stdlib.h>
#include <string.h>

/* JSON Schema 2020-12 (https://json-schema.org/draft/2020-12/schema) and help from option tables.
 *
 * Any scalar may hold ${NAME} instead of a value of its type; the schema allows such a string. */
#define VARIABLE "\\$\\{"

/* Type of JSON and pattern of a scalar's text, by option type. */
static const struct {
    const char *word, *type, *pattern;
} scalars[] = {
    [GT_OPTION_BOOL] = {"true or false", "boolean", VARIABLE},
    [GT_OPTION_INT] = {"whole number", "integer", VARIABLE},
    [GT_OPTION_NUMBER] = {"number", "number", VARIABLE},
    [GT_OPTION_DURATION] = {"duration", "number", "^[0-9.]+ ?(ms|s|m|min|h|d|w)?$|" VARIABLE},
    [GT_OPTION_SIZE] = {"size", "number", "^[0-9.]+ ?([kKMGT]i?)?B?$|" VARIABLE},
    [GT_OPTION_STRING] = {"text", "number", NULL},
    [GT_OPTION_SECRET] = {"secret", "number", NULL},
    [GT_OPTION_STRUCT] = {"map", NULL, NULL},
};

/* json_object_set_new takes the value even when it fails, so a chain may be checked at its end. */
static bool put(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

static bool put_bounds(json_t *schema, const struct gt_option *option)
{
    bool numeric = option->type == GT_OPTION_INT || option->type == GT_OPTION_NUMBER;
    if (!numeric || (option->least == 0 && option->most == 0))
        return true;
    bool whole = option->type == GT_OPTION_INT;
    bool ok = put(schema, "minimum",
                  whole ? json_integer((json_int_t)option->least) : json_real(option->least));
    if (option->most > option->least)
        ok &= put(schema, "maximum",
                  whole ? json_integer((json_int_t)option->most) : json_real(option->most));
    return ok;
}

static json_t *enum_schema(const struct gt_option *option)
{
    json_t *names = json_array();
    for (size_t i = 0; names && option->choices[i]; i++)
        if (json_array_append_new(names, json_string(option->choices[i]))) {
            json_decref(names);
            return NULL;
        }
    return json_pack("{s:[{s:o}, {s:s, s:s}]}", "anyOf", "enum", names, "type", "string", "pattern",
                     VARIABLE);
}

static json_t *scalar_schema(const struct gt_option *option)
{
    if (option->type == GT_OPTION_ENUM)
        return enum_schema(option);
    json_t *schema = json_pack("{s:[s, s]}", "type", scalars[option->type].type, "string");
    const char *pattern = scalars[option->type].pattern;
    if (!schema || !put_bounds(schema, option) ||
        (pattern && !put(schema, "pattern", json_string(pattern)))) {
        json_decref(schema);
        return NULL;
    }
    return schema;
}

/* The default in the type of its option. */
static json_t *default_to_json(const struct gt_option *option)
{
    const char *text = option->fallback;
    char *end;
    if (option->type == GT_OPTION_BOOL)
        return json_boolean(strcmp(text, "true") == 0);
    if (option->type == GT_OPTION_INT)
        return json_integer(strtoll(text, &end, 10));
    if (option->type == GT_OPTION_NUMBER)
        return json_real(strtod(text, &end));
    return json_string(text);
}

static json_t *option_schema(const struct gt_option *option, void *context);

/* Adds rows to the properties and the list of required keys. */
static bool put_rows(const struct gt_option *options, void *context, json_t *properties,
                     json_t *required)
{
    for (const struct gt_option *o = options; o->type; o++) {
        if (o->flags & GT_OPTION_HIDDEN)
            continue;
        if (!put(properties, o->name, option_schema(o, context)))
            return false;
        if ((o->flags & GT_OPTION_REQUIRED) &&
            json_array_append_new(required, json_string(o->name)))
            return false;
    }
    return true;
}

/* A map without `type` is of the default kind, so only that one may leave it out. */
static bool require_type(const struct gt_option *options, const struct gt_kind *kind,
                         json_t *required)
{
    for (const struct gt_option *o = options; o->type; o++)
        if (strcmp(o->name, "type") == 0 && o->fallback && strcmp(o->fallback, kind->name) != 0)
            return json_array_append_new(required, json_string("type")) == 0;
    return true;
}

/* kind: its rows, too, and its name as the only value of `type`; NULL: none. */
static json_t *map_schema(const struct gt_option *options, const struct gt_kind *kind,
                          void *context)
{
    json_t *properties = json_object(), *required = json_array();
    bool ok = properties && required && put_rows(options, context, properties, required);
    if (ok && kind)
        ok = put_rows(kind->options, context, properties, required) &&
             require_type(options, kind, required) &&
             put(properties, "type",
                 json_pack("{s:s, s:s}", "const", kind->name, "description", kind->summary));
    json_t *schema = json_pack("{s:s, s:b, s:o, s:o}", "type", "object", "additionalProperties", 0,
                               "properties", properties, "required", required);
    if (ok)
        return schema;
    json_decref(schema);
    return NULL;
}

static json_t *kinds_schema(const struct gt_option *option, void *context)
{
    json_t *all = json_array();
    const struct gt_kind *const *kinds = option->kinds(context);
    for (; all && kinds && *kinds; kinds++) {
        if (json_array_append_new(all, map_schema(option->nested, *kinds, context))) {
            json_decref(all);
            return NULL;
        }
    }
    return json_pack("{s:o}", "oneOf", all);
}

static const struct gt_option *shorthand_row(const struct gt_option *option)
{
    for (const struct gt_option *o = option->nested; option->shorthand && o->type; o++)
        if (strcmp(o->name, option->shorthand) == 0)
            return o;
    return NULL;
}

/* One value, not regarding GT_OPTION_LIST. */
static json_t *value_schema(const struct gt_option *option, void *context)
{
    if (option->type != GT_OPTION_STRUCT)
        return scalar_schema(option);
    const struct gt_option *shorthand = shorthand_row(option);
    json_t *map =
        option->kinds ? kinds_schema(option, context) : map_schema(option->nested, NULL, context);
    return shorthand ? json_pack("{s:[o, o]}", "anyOf", scalar_schema(shorthand), map) : map;
}

static json_t *list_schema(const struct gt_option *option, void *context)
{
    json_t *list = json_pack("{s:s, s:o}", "type", "array", "items", value_schema(option, context));
    const struct gt_option *single =
        option->type == GT_OPTION_STRUCT ? shorthand_row(option) : option;
    return single ? json_pack("{s:[o, o]}", "anyOf", list, scalar_schema(single)) : list;
}

static json_t *option_schema(const struct gt_option *option, void *context)
{
    json_t *schema = option->flags & GT_OPTION_LIST ? list_schema(option, context)
                                                    : value_schema(option, context);
    bool ok = schema && put(schema, "description", json_string(option->help));
    if (ok && option->fallback)
        ok = put(schema, "default", default_to_json(option));
    if (ok)
        return schema;
    json_decref(schema);
    return NULL;
}

json_t *gt_options_schema(const struct gt_option *options, void *context)
{
    json_t *schema = map_schema(options, NULL, context);
    if (schema &&
        put(schema, "$schema", json_string("https://json-schema.org/draft/2020-12/schema")))
        return schema;
    json_decref(schema);
    return NULL;
}

const char *gt_option_type_words(const struct gt_option *option, struct gt_arena *arena)
{
    GT_BUFFER_AUTO struct gt_buffer words = GT_BUFFER(512);
    if (option->flags & GT_OPTION_LIST)
        gt_buffer_puts(&words, "list of ");
    if (option->type != GT_OPTION_ENUM)
        gt_buffer_puts(&words, scalars[option->type].word);
    for (size_t i = 0; option->type == GT_OPTION_ENUM && option->choices[i]; i++)
        gt_buffer_printf(&words, "%s%s", i ? " | " : "", option->choices[i]);
    return gt_arena_memdup(arena, words.data, words.len);
}

static void write_help(const struct gt_option *options, const char *prefix, struct gt_arena *arena,
                       struct gt_buffer *out)
{
    for (const struct gt_option *o = options; o->type; o++) {
        const char *name = gt_arena_printf(arena, "%s%s", prefix, o->name);
        const char *type = gt_option_type_words(o, arena);
        if (o->flags & GT_OPTION_HIDDEN)
            continue;
        gt_buffer_printf(out, "  %-28s %-16s %s", name ? name : o->name, type ? type : "", o->help);
        if (o->fallback)
            gt_buffer_printf(out, " (default %s)", o->fallback);
        else if (o->flags & GT_OPTION_REQUIRED)
            gt_buffer_puts(out, " (required)");
        gt_buffer_putc(out, '\n');
        const char *inner = gt_arena_printf(arena, "%s%s.", name ? name : "",
                                            o->flags & GT_OPTION_LIST ? "[]" : "");
        if (o->type == GT_OPTION_STRUCT && inner)
            write_help(o->nested, inner, arena, out);
    }
}

int gt_options_help(const struct gt_option *options, struct gt_buffer *out)
{
    GT_ARENA_AUTO struct gt_arena *arena = gt_arena_new((size_t)1024 * 1024);
    if (!arena)
        return GT_E_NOMEM;
    write_help(options, "", arena, out);
    return gt_buffer_ok(out) ? 0 : GT_E_LIMIT;
}
