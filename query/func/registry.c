// SPDX-License-Identifier: Apache-2.0
// The functions SQL can call, and the choice among overloads.
#include "query/func/registry.h"

static const struct pz_function functions[PZ_FUNCTION_COUNT] = {
#define X(id, name, arguments, result, help) {PZ_FN_##id, name, arguments, result, help, false},
#include "query/func/functions.def"
#undef X
#define X(id, name, arguments, result, help) {PZ_AGG_##id, name, arguments, result, help, true},
#include "query/func/aggregates.def"
#undef X
};

const struct pz_function *
pz_function_get(enum pz_function_id id)
{
    PZ_ASSERT((uint32_t)id < PZ_FUNCTION_COUNT);
    return &functions[id];
}

const struct pz_function *
pz_function_find(struct pz_str name)
{
    for (uint32_t i = 0; i < PZ_FUNCTION_COUNT; i++) {
        if (pz_str_equal_nocase(pz_str_from(functions[i].name), name)) {
            return &functions[i];
        }
    }
    return NULL;
}

const char *
pz_function_name(uint32_t index)
{
    PZ_ASSERT(index < PZ_FUNCTION_COUNT);
    return functions[index].name;
}

static enum pz_type
type_of_letter(char letter)
{
    switch (letter) {
    case 'B':
        return PZ_TYPE_BIGINT;
    case 'D':
        return PZ_TYPE_DOUBLE;
    case 'T':
    case 'F':
        return PZ_TYPE_TEXT;
    case 'Z':
        return PZ_TYPE_BOOLEAN;
    case 'S':
        return PZ_TYPE_TIMESTAMP;
    case 'A':
        return PZ_TYPE_DATE;
    case 'I':
        return PZ_TYPE_INTERVAL;
    default:
        PZ_UNREACHABLE("a letter of functions.def");
    }
}

// Conversions it takes to give `from` to a parameter of `to`: 0, 1, or more than any call has when
// it cannot be given.
#define IMPOSSIBLE 100000u
#define LITERAL 1u // a literal without a type fits, but prefers TEXT
static unsigned
conversion_cost(enum pz_type from, enum pz_type to)
{
    if (from == to || (from == PZ_TYPE_SYMBOL && to == PZ_TYPE_TEXT)) {
        return 0;
    }
    if (from == PZ_TYPE_NULL) {
        return to == PZ_TYPE_TEXT ? 0 : LITERAL;
    }
    bool widens = (from == PZ_TYPE_BIGINT && to == PZ_TYPE_DOUBLE) ||
                  (from == PZ_TYPE_DATE && to == PZ_TYPE_TIMESTAMP);
    return widens ? 1 : IMPOSSIBLE;
}

// The type that two arguments of "any" share, or false.
static bool
common_type(enum pz_type a, enum pz_type b, enum pz_type *out)
{
    if (a == b || b == PZ_TYPE_NULL) {
        *out = a;
    } else if (a == PZ_TYPE_NULL || conversion_cost(a, b) <= 1) {
        *out = b;
    } else if (conversion_cost(b, a) <= 1) {
        *out = a;
    } else {
        return false;
    }
    return true;
}

// The letter of parameter `index`, walking past the marks; '\0' when there is none.
static char
parameter_letter(const char *arguments, uint32_t index)
{
    uint32_t position = 0;
    for (const char *at = arguments; *at != '\0'; at++) {
        if (*at == '+') {
            return at[-1];
        }
        if (*at == '?') {
            continue;
        }
        if (position == index) {
            return *at;
        }
        position++;
    }
    return '\0';
}

static uint32_t
parameters_required(const char *arguments)
{
    uint32_t count = 0;
    for (const char *at = arguments; *at != '\0'; at++) {
        if (*at == '?') {
            count--;
        } else if (*at != '+') {
            count++;
        }
    }
    return count;
}

// Tries one overload; its cost, or IMPOSSIBLE.
static unsigned
fit(const struct pz_function *function, const enum pz_type *types, uint32_t count,
    enum pz_type *types_out)
{
    if (count < parameters_required(function->arguments)) {
        return IMPOSSIBLE;
    }
    enum pz_type any = PZ_TYPE_NULL;
    unsigned cost = 0;
    for (uint32_t i = 0; i < count && cost < IMPOSSIBLE; i++) {
        char letter = parameter_letter(function->arguments, i);
        if (letter == '\0') {
            return IMPOSSIBLE;
        }
        if (letter == 'E') {
            cost += common_type(any, types[i], &any) ? 0 : IMPOSSIBLE;
            continue;
        }
        types_out[i] = type_of_letter(letter);
        cost += conversion_cost(types[i], types_out[i]);
    }
    for (uint32_t i = 0; i < count && cost < IMPOSSIBLE; i++) {
        if (parameter_letter(function->arguments, i) == 'E') {
            bool is_text =
                any == PZ_TYPE_NULL || (any == PZ_TYPE_SYMBOL && !function->is_aggregate);
            types_out[i] = is_text ? PZ_TYPE_TEXT : any;
        }
    }
    return cost;
}

static enum pz_type
result_type(const struct pz_function *function, const enum pz_type *types)
{
    if (function->result != '=') {
        return type_of_letter(function->result);
    }
    uint32_t i = 0;
    while (parameter_letter(function->arguments, i) != 'E') {
        i++;
    }
    return types[i];
}

// Between two overloads that fit equally well, literals without a type decide as in PostgreSQL: an
// operator gives the literal the type of the other side.
static bool
is_same_sided(const struct pz_function *function, const enum pz_type *types, uint32_t count,
              const enum pz_type *fitted)
{
    if (count != 2 || (types[0] == PZ_TYPE_NULL) == (types[1] == PZ_TYPE_NULL)) {
        return false;
    }
    return function->arguments[0] == function->arguments[1] && fitted[0] == fitted[1];
}

bool
pz_function_resolve(struct pz_str name, const enum pz_type *argument_types, uint32_t argument_count,
                    enum pz_type *argument_types_out, const struct pz_function **function_out,
                    enum pz_type *result_out)
{
    const struct pz_function *best = NULL;
    unsigned best_cost = IMPOSSIBLE;
    bool best_same = false;
    for (uint32_t i = 0; i < PZ_FUNCTION_COUNT; i++) {
        if (!pz_str_equal_nocase(pz_str_from(functions[i].name), name)) {
            continue;
        }
        unsigned cost = fit(&functions[i], argument_types, argument_count, argument_types_out);
        bool same = cost < IMPOSSIBLE && is_same_sided(&functions[i], argument_types,
                                                       argument_count, argument_types_out);
        if (cost < best_cost || (cost == best_cost && cost < IMPOSSIBLE && same && !best_same)) {
            best = &functions[i];
            best_cost = cost;
            best_same = same;
        }
    }
    if (best == NULL) {
        return false;
    }
    (void)fit(best, argument_types, argument_count, argument_types_out);
    *function_out = best;
    *result_out = result_type(best, argument_types_out);
    return true;
}

static const struct {
    const char *name;
    enum pz_time_field field;
} time_fields[] = {
    {"microsecond", PZ_FIELD_MICROSECOND},
    {"microseconds", PZ_FIELD_MICROSECOND},
    {"us", PZ_FIELD_MICROSECOND},
    {"millisecond", PZ_FIELD_MILLISECOND},
    {"milliseconds", PZ_FIELD_MILLISECOND},
    {"ms", PZ_FIELD_MILLISECOND},
    {"second", PZ_FIELD_SECOND},
    {"seconds", PZ_FIELD_SECOND},
    {"minute", PZ_FIELD_MINUTE},
    {"minutes", PZ_FIELD_MINUTE},
    {"hour", PZ_FIELD_HOUR},
    {"hours", PZ_FIELD_HOUR},
    {"day", PZ_FIELD_DAY},
    {"days", PZ_FIELD_DAY},
    {"week", PZ_FIELD_WEEK},
    {"weeks", PZ_FIELD_WEEK},
    {"month", PZ_FIELD_MONTH},
    {"months", PZ_FIELD_MONTH},
    {"quarter", PZ_FIELD_QUARTER},
    {"year", PZ_FIELD_YEAR},
    {"years", PZ_FIELD_YEAR},
    {"decade", PZ_FIELD_DECADE},
    {"decades", PZ_FIELD_DECADE},
    {"century", PZ_FIELD_CENTURY},
    {"centuries", PZ_FIELD_CENTURY},
    {"millennium", PZ_FIELD_MILLENNIUM},
    {"millennia", PZ_FIELD_MILLENNIUM},
    {"dow", PZ_FIELD_DOW},
    {"isodow", PZ_FIELD_ISODOW},
    {"doy", PZ_FIELD_DOY},
    {"isoyear", PZ_FIELD_ISOYEAR},
    {"epoch", PZ_FIELD_EPOCH},
};

bool
pz_time_field_find(struct pz_str name, enum pz_time_field *field_out)
{
    for (size_t i = 0; i < sizeof time_fields / sizeof *time_fields; i++) {
        if (pz_str_equal_nocase(pz_str_from(time_fields[i].name), name)) {
            *field_out = time_fields[i].field;
            return true;
        }
    }
    return false;
}
