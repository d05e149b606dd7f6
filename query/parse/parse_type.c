// SPDX-License-Identifier: Apache-2.0
// Names of types.
#include "base/num.h"
#include "base/suggest.h"
#include "query/parse/parser_internal.h"

// What PostgreSQL calls a type inside, where that is not the word written: the name of a column
// that is only a cast.
static struct pz_str
label_of(struct pz_str name)
{
    static const struct {
        const char *name;
        const char *label;
    } labels[] = {
        {"bigint", "int8"},  {"integer", "int4"}, {"int", "int4"},     {"smallint", "int2"},
        {"boolean", "bool"}, {"real", "float4"},  {"float", "float8"}, {"double", "float8"},
    };
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        if (pz_str_equal(name, pz_str_from(labels[i].name))) {
            return pz_str_from(labels[i].label);
        }
    }
    return name;
}

static enum pz_status
unknown_type(const struct pz_token *word, struct pz_error *err)
{
    static const struct {
        const char *name;
        const char *hint;
    } others[] = {
        {"numeric", "use BIGINT for whole numbers, DOUBLE for others"},
        {"decimal", "use BIGINT for whole numbers, DOUBLE for others"},
        {"timestamptz", "times are UTC: use TIMESTAMP"},
        {"time", "use TIMESTAMP"},
        {"char", "use TEXT"},
        {"character", "use TEXT"},
        {"uuid", "use TEXT"},
        {"json", "use TEXT"},
        {"jsonb", "use TEXT"},
        {"bytea", "use TEXT"},
        {"serial", "use BIGINT"},
        {"bigserial", "use BIGINT"},
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (pz_str_equal(word->text, pz_str_from(others[i].name))) {
            enum pz_status status = pz_fail_sql(err, "0A000", word->offset,
                                                "type \"%s\" is not supported", others[i].name);
            pz_error_hint(err, "%s", others[i].hint);
            return status;
        }
    }
    struct pz_str shown = pz_str_cut_utf8(word->text, PZ_NAME_LEN_MAX);
    enum pz_status status =
        pz_fail_sql(err, "42704", word->offset, "type \"%.*s\" does not exist", PZ_STR_ARG(shown));
    static const char *const names[] = {"bigint",  "integer",   "double", "text",     "symbol",
                                        "boolean", "timestamp", "date",   "interval", "varchar"};
    struct pz_suggestion suggestion;
    pz_suggest_begin(&suggestion, word->text);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)pz_suggest_offer(&suggestion, pz_str_from(names[i]));
    }
    if (!pz_suggest_hint(&suggestion, err)) {
        pz_error_hint(err, "the types are BIGINT, DOUBLE, TEXT, SYMBOL, BOOLEAN, TIMESTAMP, DATE "
                           "and INTERVAL");
    }
    return status;
}

// What may follow the first word: PRECISION, VARYING, WITH[OUT] TIME ZONE.
static enum pz_status
parse_second_word(struct pz_parser *parser, struct pz_token *word, struct pz_error *err)
{
    if (pz__token_is_word(word, "double")) {
        (void)pz__accept_word(parser, "precision"); // plain DOUBLE is fine, too
    } else if (pz__token_is_word(word, "character") && pz__accept_word(parser, "varying")) {
        word->text = PZ_STR("varchar");
    } else if (pz__token_is_word(word, "timestamp")) {
        if (pz__at_keyword(parser, PZ_KEYWORD_WITH) &&
            pz__token_is_word(&parser->window[1], "time")) {
            return pz__unsupported(word->offset, "a time zone in a type",
                                   "times are UTC: use TIMESTAMP", err);
        }
        if (pz__accept_word(parser, "without")) {
            PZ_TRY(pz__expect_word(parser, "time", err));
            PZ_TRY(pz__expect_word(parser, "zone", err));
        }
    }
    return PZ_OK;
}

// VARCHAR(n).
static enum pz_status
parse_length(struct pz_parser *parser, const struct pz_token *word, struct pz_parsed_type *out,
             struct pz_error *err)
{
    uint32_t offset = parser->window[0].offset;
    if (!pz_str_equal(word->text, PZ_STR("varchar"))) {
        return pz__unsupported(offset, "a length or precision of this type",
                               "write the type's name alone", err);
    }
    pz__advance(parser);
    int64_t length = 0;
    if (parser->window[0].kind != PZ_TOKEN_INTEGER) {
        return pz__syntax_error(parser, err);
    }
    if (!pz_parse_i64(parser->window[0].text, &length) || length < 1 ||
        length > (int64_t)PZ_TEXT_LEN_MAX) {
        return pz_fail_sql(err, "22023", parser->window[0].offset,
                           "the length of VARCHAR must be between 1 and %u", PZ_TEXT_LEN_MAX);
    }
    pz__advance(parser);
    out->length = (uint32_t)length;
    return pz__expect_operator(parser, PZ_OPERATOR_RPAREN, err);
}

enum pz_status
pz__parse_type(struct pz_parser *parser, struct pz_parsed_type *out, struct pz_error *err)
{
    struct pz_token word = parser->window[0];
    if (!pz__at_name(parser)) {
        return pz__syntax_error(parser, err);
    }
    pz__advance(parser);
    PZ_TRY(parse_second_word(parser, &word, err));
    *out = (struct pz_parsed_type){.offset = word.offset, .label = label_of(word.text)};
    if (!pz_type_from_name(word.text, &out->type)) {
        return unknown_type(&word, err);
    }
    if (pz__at_operator(parser, PZ_OPERATOR_LPAREN)) {
        PZ_TRY(parse_length(parser, &word, out, err));
    }
    if (pz__at_operator(parser, PZ_OPERATOR_LBRACKET)) {
        return pz__unsupported(parser->window[0].offset, "an array type", "plaza has no arrays",
                               err);
    }
    return PZ_OK;
}
