/* A small world, a request in it, and expressions asked there, for the tests of this folder. Texts are written with '
 * for ". */
#ifndef TEST_CEDAR_SCENE_H
#define TEST_CEDAR_SCENE_H

#include "../unit.h"

#include "cedar/cedar.h"

#include <stdio.h>
#include <stdlib.h>

#define SCENE_MEMORY ((size_t)64 << 20)

static inline struct cedar_entities *scene_entities(const char *json)
{
    struct fault f = {0};
    struct cedar_entities *s = NULL;
    struct cedar_entities_new *b = cedar_entities_begin(SCENE_MEMORY);
    char *text = quotes(strdup(json));
    if (cedar_entities_read(b, str_of(text), NULL, &f) || cedar_entities_done(b, &s, &f))
        fail_msg("%s: %s", json, f.text);
    free(text); /* a store must not need its text any longer */
    return s;
}

/* The words with which the entities are refused; "" when they are not. */
static inline const char *scene_entities_refused(const char *json)
{
    static struct fault f;
    struct cedar_entities *s = NULL;
    struct cedar_entities_new *b = cedar_entities_begin(SCENE_MEMORY);
    char *text = quotes(strdup(json));
    f = (struct fault){0};
    enum err e = cedar_entities_read(b, str_of(text), NULL, &f);
    if (e)
        cedar_entities_drop(b);
    else
        e = cedar_entities_done(b, &s, &f);
    assert_int_equal(e, f.err);
    free(text);
    cedar_entities_free(s);
    return f.text;
}

struct scene {
    struct arena arena;
    struct cedar_entities *store;
    struct cedar_request request;
};

static inline struct cedar_value scene_json(struct scene *s, const char *json)
{
    struct json j;
    struct fault f = {0};
    struct cedar_value v = {0};
    struct str text = arena_str(&s->arena, str_of(json));
    quotes((char *)(uintptr_t)text.p);
    if (json_parse(&j, text, &s->arena, NULL, &f) || cedar_value_read(&j, JSON_ROOT, "context", &s->arena, &v, &f))
        fail_msg("%s: %s", json, f.text);
    return v;
}

/* Alice of the support team, who knows Bob; there is nobody of that name. */
static inline void scene_begin(struct scene *s)
{
    *s = (struct scene){0};
    arena_init(&s->arena, SCENE_MEMORY);
    s->store = scene_entities(
        "[{'uid':{'type':'User','id':'alice'},'attrs':{'age':30,'name':'Alice','knows':{'__entity':{'type':'User',"
        "'id':'bob'}}},'tags':{'level':3},'parents':[{'type':'Team','id':'support'}]},"
        "{'uid':{'type':'Team','id':'support'},'attrs':{},'parents':[{'type':'Org','id':'house'}]},"
        "{'uid':{'type':'Action','id':'read'},'attrs':{},'parents':[{'type':'Action','id':'any'}]}]");
    s->request = (struct cedar_request){
        .principal = cedar_uid(STR("User"), STR("alice")),
        .action = cedar_uid(STR("Action"), STR("read")),
        .resource = cedar_uid(STR("Shop::Tool"), STR("orders/lookup")),
        .context = scene_json(s, "{'n':5,'s':'hello','yes':true,'set':[3,1,2],'deep':{'a':{'b':'c'}},"
                                 "'least':-9223372036854775808,'most':9223372036854775807,'none':[],"
                                 "'from':{'__extn':{'fn':'ip','arg':'10.1.2.3'}},'mixed':[1,'a'],"
                                 "'people':[{'__entity':{'type':'User','id':'bob'}}]}")
                       .record,
        .world = {.store = s->store}};
}

static inline void scene_end(struct scene *s)
{
    cedar_entities_free(s->store);
    arena_done(&s->arena);
}

static inline enum err scene_ask(struct scene *s, const char *text, struct cedar_value *ret, struct cedar_error *error)
{
    struct fault f = {0};
    const struct cedar_expr *e = NULL;
    struct str copy = arena_str(&s->arena, str_of(text));
    quotes((char *)(uintptr_t)copy.p);
    if (cedar_parse_expr(copy, &s->arena, &e, &f))
        fail_msg("%s: %s", text, f.text);
    return cedar_eval(e, &s->request, &s->arena, ret, error);
}

/* text comes to a value that is written as `want` (with ' for "). */
static inline void scene_is(struct scene *s, const char *text, const char *want)
{
    struct cedar_value v = {0};
    struct cedar_error error = {0};
    struct buf words;
    buf_init(&words, 1 << 16);
    if (scene_ask(s, text, &v, &error))
        cedar_error_text(&error, &words);
    else
        cedar_value_print(v, &words);
    buf_char(&words, 0);
    for (char *c = words.p; *c; c++)
        if (*c == '"')
            *c = '\'';
    if (strcmp(words.p, want) != 0)
        fail_msg("%s is %s, not %s", text, words.p, want);
    buf_done(&words);
}

static inline void scene_fails(struct scene *s, const char *text, enum cedar_why why)
{
    struct cedar_value v = {0};
    struct cedar_error error = {0};
    enum err e = scene_ask(s, text, &v, &error);
    if (e != ERR_SYNTAX || error.why != why)
        fail_msg("%s: %s, and why is %d, not %d", text, err_code(e), error.why, why);
}

#endif
