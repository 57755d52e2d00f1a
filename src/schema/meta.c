/*
 * The metaschemas of draft-07 and draft 2020-12, as published by json-schema.org under the terms of the Academic Free
 * License 3.0 and the revised BSD licence, without white space, titles and comments. They are written with ' for ", and
 * schema_load() puts that right in its copy.
 */
#include "schema/inner.h"

/* clang-format off */
#define D "https://json-schema.org/draft/2020-12/"
#define HEAD(name)                                                                                                     \
    "{'$schema':'" D "schema','$id':'" D "meta/" name "','$vocabulary':{'" D "vocab/" name "':true},"                  \
    "'$dynamicAnchor':'meta','type':['object','boolean'],"

static const char draft7[] =
    "{'$schema':'http://json-schema.org/draft-07/schema#','$id':'http://json-schema.org/draft-07/schema#',"
    "'definitions':{'schemaArray':{'type':'array','minItems':1,'items':{'$ref':'#'}},"
    "'nonNegativeInteger':{'type':'integer','minimum':0},"
    "'nonNegativeIntegerDefault0':{'allOf':[{'$ref':'#/definitions/nonNegativeInteger'},{'default':0}]},"
    "'simpleTypes':{'enum':['array','boolean','integer','null','number','object','string']},"
    "'stringArray':{'type':'array','items':{'type':'string'},'uniqueItems':true,'default':[]}},'type':['object',"
    "'boolean'],'properties':{'$id':{'type':'string','format':'uri-reference'},'$schema':{'type':'string',"
    "'format':'uri'},'$ref':{'type':'string','format':'uri-reference'},'$comment':{'type':'string'},"
    "'title':{'type':'string'},'description':{'type':'string'},'default':true,'readOnly':{'type':'boolean',"
    "'default':false},'writeOnly':{'type':'boolean','default':false},'examples':{'type':'array','items':true},"
    "'multipleOf':{'type':'number','exclusiveMinimum':0},'maximum':{'type':'number'},"
    "'exclusiveMaximum':{'type':'number'},'minimum':{'type':'number'},'exclusiveMinimum':{'type':'number'},"
    "'maxLength':{'$ref':'#/definitions/nonNegativeInteger'},"
    "'minLength':{'$ref':'#/definitions/nonNegativeIntegerDefault0'},'pattern':{'type':'string',"
    "'format':'regex'},'additionalItems':{'$ref':'#'},'items':{'anyOf':[{'$ref':'#'},"
    "{'$ref':'#/definitions/schemaArray'}],'default':true},"
    "'maxItems':{'$ref':'#/definitions/nonNegativeInteger'},"
    "'minItems':{'$ref':'#/definitions/nonNegativeIntegerDefault0'},'uniqueItems':{'type':'boolean',"
    "'default':false},'contains':{'$ref':'#'},'maxProperties':{'$ref':'#/definitions/nonNegativeInteger'},"
    "'minProperties':{'$ref':'#/definitions/nonNegativeIntegerDefault0'},"
    "'required':{'$ref':'#/definitions/stringArray'},'additionalProperties':{'$ref':'#'},"
    "'definitions':{'type':'object','additionalProperties':{'$ref':'#'},'default':{}},"
    "'properties':{'type':'object','additionalProperties':{'$ref':'#'},'default':{}},"
    "'patternProperties':{'type':'object','additionalProperties':{'$ref':'#'},'propertyNames':{'format':'regex'},"
    "'default':{}},'dependencies':{'type':'object','additionalProperties':{'anyOf':[{'$ref':'#'},"
    "{'$ref':'#/definitions/stringArray'}]}},'propertyNames':{'$ref':'#'},'const':true,'enum':{'type':'array',"
    "'items':true},'type':{'anyOf':[{'$ref':'#/definitions/simpleTypes'},{'type':'array',"
    "'items':{'$ref':'#/definitions/simpleTypes'},'minItems':1,'uniqueItems':true}]},'format':{'type':'string'},"
    "'contentMediaType':{'type':'string'},'contentEncoding':{'type':'string'},'if':{'$ref':'#'},"
    "'then':{'$ref':'#'},'else':{'$ref':'#'},'allOf':{'$ref':'#/definitions/schemaArray'},"
    "'anyOf':{'$ref':'#/definitions/schemaArray'},'oneOf':{'$ref':'#/definitions/schemaArray'},"
    "'not':{'$ref':'#'}},'default':true}";

static const char d2020[] =
    "{'$schema':'" D "schema',"
    "'$id':'" D "schema',"
    "'$vocabulary':{'" D "vocab/core':true,"
    "'" D "vocab/applicator':true,"
    "'" D "vocab/unevaluated':true,"
    "'" D "vocab/validation':true,"
    "'" D "vocab/meta-data':true,"
    "'" D "vocab/format-annotation':true,"
    "'" D "vocab/content':true},'$dynamicAnchor':'meta',"
    "'allOf':[{'$ref':'meta/core'},{'$ref':'meta/applicator'},{'$ref':'meta/unevaluated'},"
    "{'$ref':'meta/validation'},{'$ref':'meta/meta-data'},{'$ref':'meta/format-annotation'},"
    "{'$ref':'meta/content'}],'type':['object','boolean'],'properties':{'definitions':{'type':'object',"
    "'additionalProperties':{'$dynamicRef':'#meta'},'deprecated':true,'default':{}},"
    "'dependencies':{'type':'object','additionalProperties':{'anyOf':[{'$dynamicRef':'#meta'},"
    "{'$ref':'meta/validation#/$defs/stringArray'}]},'deprecated':true,'default':{}},"
    "'$recursiveAnchor':{'$ref':'meta/core#/$defs/anchorString','deprecated':true},"
    "'$recursiveRef':{'$ref':'meta/core#/$defs/uriReferenceString','deprecated':true}}}";

static const char core[] =
    HEAD("core")
    "'properties':{'$id':{'$ref':'#/$defs/uriReferenceString','pattern':'^[^#]*#?$'},"
    "'$schema':{'$ref':'#/$defs/uriString'},'$ref':{'$ref':'#/$defs/uriReferenceString'},"
    "'$anchor':{'$ref':'#/$defs/anchorString'},'$dynamicRef':{'$ref':'#/$defs/uriReferenceString'},"
    "'$dynamicAnchor':{'$ref':'#/$defs/anchorString'},'$vocabulary':{'type':'object',"
    "'propertyNames':{'$ref':'#/$defs/uriString'},'additionalProperties':{'type':'boolean'}},"
    "'$comment':{'type':'string'},'$defs':{'type':'object','additionalProperties':{'$dynamicRef':'#meta'}}},"
    "'$defs':{'anchorString':{'type':'string','pattern':'^[A-Za-z_][-A-Za-z0-9._]*$'},"
    "'uriString':{'type':'string','format':'uri'},'uriReferenceString':{'type':'string',"
    "'format':'uri-reference'}}}";

static const char applicator[] =
    HEAD("applicator")
    "'properties':{'prefixItems':{'$ref':'#/$defs/schemaArray'},'items':{'$dynamicRef':'#meta'},"
    "'contains':{'$dynamicRef':'#meta'},'additionalProperties':{'$dynamicRef':'#meta'},"
    "'properties':{'type':'object','additionalProperties':{'$dynamicRef':'#meta'},'default':{}},"
    "'patternProperties':{'type':'object','additionalProperties':{'$dynamicRef':'#meta'},"
    "'propertyNames':{'format':'regex'},'default':{}},'dependentSchemas':{'type':'object',"
    "'additionalProperties':{'$dynamicRef':'#meta'},'default':{}},'propertyNames':{'$dynamicRef':'#meta'},"
    "'if':{'$dynamicRef':'#meta'},'then':{'$dynamicRef':'#meta'},'else':{'$dynamicRef':'#meta'},"
    "'allOf':{'$ref':'#/$defs/schemaArray'},'anyOf':{'$ref':'#/$defs/schemaArray'},"
    "'oneOf':{'$ref':'#/$defs/schemaArray'},'not':{'$dynamicRef':'#meta'}},"
    "'$defs':{'schemaArray':{'type':'array','minItems':1,'items':{'$dynamicRef':'#meta'}}}}";

static const char unevaluated[] =
    HEAD("unevaluated")
    "'properties':{'unevaluatedItems':{'$dynamicRef':'#meta'},'unevaluatedProperties':{'$dynamicRef':'#meta'}}}";

static const char validation[] =
    HEAD("validation")
    "'properties':{'type':{'anyOf':[{'$ref':'#/$defs/simpleTypes'},{'type':'array',"
    "'items':{'$ref':'#/$defs/simpleTypes'},'minItems':1,'uniqueItems':true}]},'const':true,"
    "'enum':{'type':'array','items':true},'multipleOf':{'type':'number','exclusiveMinimum':0},"
    "'maximum':{'type':'number'},'exclusiveMaximum':{'type':'number'},'minimum':{'type':'number'},"
    "'exclusiveMinimum':{'type':'number'},'maxLength':{'$ref':'#/$defs/nonNegativeInteger'},"
    "'minLength':{'$ref':'#/$defs/nonNegativeIntegerDefault0'},'pattern':{'type':'string','format':'regex'},"
    "'maxItems':{'$ref':'#/$defs/nonNegativeInteger'},'minItems':{'$ref':'#/$defs/nonNegativeIntegerDefault0'},"
    "'uniqueItems':{'type':'boolean','default':false},'maxContains':{'$ref':'#/$defs/nonNegativeInteger'},"
    "'minContains':{'$ref':'#/$defs/nonNegativeInteger','default':1},"
    "'maxProperties':{'$ref':'#/$defs/nonNegativeInteger'},"
    "'minProperties':{'$ref':'#/$defs/nonNegativeIntegerDefault0'},'required':{'$ref':'#/$defs/stringArray'},"
    "'dependentRequired':{'type':'object','additionalProperties':{'$ref':'#/$defs/stringArray'}}},"
    "'$defs':{'nonNegativeInteger':{'type':'integer','minimum':0},"
    "'nonNegativeIntegerDefault0':{'$ref':'#/$defs/nonNegativeInteger','default':0},"
    "'simpleTypes':{'enum':['array','boolean','integer','null','number','object','string']},"
    "'stringArray':{'type':'array','items':{'type':'string'},'uniqueItems':true,'default':[]}}}";

static const char meta_data[] =
    HEAD("meta-data")
    "'properties':{'title':{'type':'string'},'description':{'type':'string'},'default':true,"
    "'deprecated':{'type':'boolean','default':false},'readOnly':{'type':'boolean','default':false},"
    "'writeOnly':{'type':'boolean','default':false},'examples':{'type':'array','items':true}}}";

static const char format_annotation[] =
    HEAD("format-annotation")
    "'properties':{'format':{'type':'string'}}}";

static const char content[] =
    HEAD("content")
    "'properties':{'contentEncoding':{'type':'string'},'contentMediaType':{'type':'string'},"
    "'contentSchema':{'$dynamicRef':'#meta'}}}";

/* clang-format on */
#define TEXT(array)                                                                                                    \
    {                                                                                                                  \
        array, sizeof(array) - 1                                                                                       \
    }

static const struct {
    const char *uri;
    struct str text;
} documents[] = {
    {"http://json-schema.org/draft-07/schema", TEXT(draft7)},
    {D "schema", TEXT(d2020)},
    {D "meta/core", TEXT(core)},
    {D "meta/applicator", TEXT(applicator)},
    {D "meta/unevaluated", TEXT(unevaluated)},
    {D "meta/validation", TEXT(validation)},
    {D "meta/meta-data", TEXT(meta_data)},
    {D "meta/format-annotation", TEXT(format_annotation)},
    {D "meta/content", TEXT(content)},
};

struct str schema_meta(struct str uri)
{
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
        if (str_is(uri, documents[i].uri))
            return documents[i].text;
    return STR_NONE;
}
