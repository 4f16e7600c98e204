/* Character references of HTML and XML: those of ASCII by name, all by number. */
#include "matchers/decode/decode.h"

#include <string.h>

#define ENTITY_MAX 12

static const struct {
    const char *name;
    char c;
} names[] = {
    {"amp", '&'},    {"lt", '<'},     {"gt", '>'},     {"quot", '"'},   {"apos", '\''},
    {"nbsp", ' '},   {"colon", ':'},  {"sol", '/'},    {"equals", '='}, {"commat", '@'},
    {"period", '.'}, {"lowbar", '_'}, {"hyphen", '-'}, {"dash", '-'},   {"plus", '+'},
    {"num", '#'},    {"dollar", '$'}, {"percnt", '%'}, {"excl", '!'},   {"ast", '*'},
    {"semi", ';'},   {"quest", '?'},  {"comma", ','},  {"lpar", '('},   {"rpar", ')'},
    {"bsol", '\\'},  {"verbar", '|'}, {"Hat", '^'},    {"grave", '`'},  {"lsqb", '['},
    {"rsqb", ']'},   {"lcub", '{'},   {"rcub", '}'},   {"Tab", '\t'},   {"NewLine", '\n'},
};

static uint32_t numbered(struct gt_str body)
{
    bool hex = body.len > 1 && (body.ptr[1] == 'x' || body.ptr[1] == 'X');
    uint32_t value = 0;
    size_t from = hex ? 2 : 1;
    for (size_t i = from; i < body.len && value <= 0x10FFFF; i++) {
        int digit = gt_hex_digit((unsigned char)body.ptr[i]);
        if (digit < 0 || (!hex && digit > 9))
            return 0;
        value = value * (hex ? 16 : 10) + (uint32_t)digit;
    }
    return body.len == from || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000) ? 0 : value;
}

size_t gt_entity_at(struct gt_str text, size_t at, uint32_t *ret_char)
{
    if (at + 3 >= text.len || text.ptr[at] != '&')
        return 0;
    size_t most = text.len - at < ENTITY_MAX ? text.len - at : ENTITY_MAX;
    const char *end = memchr(text.ptr + at, ';', most);
    if (!end)
        return 0;
    struct gt_str body = {text.ptr + at + 1, (size_t)(end - text.ptr) - at - 1};
    *ret_char = body.len > 0 && body.ptr[0] == '#' ? numbered(body) : 0;
    for (size_t i = 0; i < sizeof names / sizeof *names && !*ret_char; i++)
        if (gt_str_eq_c(body, names[i].name))
            *ret_char = (unsigned char)names[i].c;
    return *ret_char ? body.len + 2 : 0;
}

static bool find(struct gt_str text, size_t at, size_t least, struct gt_span *ret_span)
{
    uint32_t c = 0;
    if (gt_entity_at(text, at, &c) == 0 || c >= 0x7F || c <= 0x20)
        return false;
    *ret_span = gt_line_around(text, at, least, '&');
    return true;
}

static bool decode(struct gt_str text, struct gt_span span, struct gt_decoded *out)
{
    struct gt_str piece = {text.ptr, span.end};
    for (size_t at = span.start; at < span.end;) {
        const char *escape = memchr(text.ptr + at, '&', span.end - at);
        size_t stop = escape ? (size_t)(escape - text.ptr) : span.end;
        if (!gt_decoded_mark(out, at) || gt_buffer_append(&out->bytes, text.ptr + at, stop - at))
            return false;
        at = stop;
        if (!escape)
            break;
        uint32_t c = 0;
        size_t size = gt_entity_at(piece, at, &c);
        if (!gt_decoded_mark(out, at))
            return false;
        gt_append_char(&out->bytes, size ? c : '&');
        at += size ? size : 1;
    }
    return gt_buffer_ok(&out->bytes);
}

const struct gt_decoder gt_decoder_entities = {
    .name = "entities",
    .summary = "&quot; &#65; &#x41; as in HTML and XML",
    .sign = GT_SIGN_AMPERSAND,
    .view = true,
    .find = find,
    .decode = decode,
};
