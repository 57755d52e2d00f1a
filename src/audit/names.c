#include "audit/names.h"

static const struct str name_labels[] = {{"name", 4}, {"key", 3}, {"header", 6}, {"variable", 8}};
#define NAME_LABELS (sizeof(name_labels) / sizeof(name_labels[0]))

bool name_listed(const struct conf_strings *patterns, struct str folded)
{
    char wanted[NAME_MAX_FOLDED];
    struct str pattern;
    for (size_t i = 0; i < patterns->n; i++)
        if (name_fold(patterns->v[i], true, wanted, &pattern) && str_match(pattern, folded))
            return true;
    return false;
}

bool name_labelled(const struct json *j, uint32_t object, name_wanted *wanted, const struct conf_strings *patterns,
                   struct arena *a)
{
    for (size_t i = 0; i < NAME_LABELS; i++) {
        uint32_t name = json_get(j, object, name_labels[i]);
        if (json_type(j, name) == JSON_STRING && wanted(patterns, json_str(j, name, a)))
            return json_get(j, object, STR("value")) != 0;
    }
    return false;
}

bool name_is_label(const struct json *j, uint32_t key)
{
    for (size_t i = 0; i < NAME_LABELS; i++)
        if (json_str_is(j, key, name_labels[i]))
            return true;
    return false;
}
