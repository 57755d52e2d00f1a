#include "cedar/ext_inner.h"

static const struct cedar_ext_info infos[CEDAR_EXT_COUNT] = {
    [CEDAR_EXT_NONE] = {"", CEDAR_FUNCTION, CEDAR_NONE, 0, {CEDAR_NONE, CEDAR_NONE}},
#define EXT(name, text, style, result, n, first, second)                                                               \
    [CEDAR_EXT_##name] = {text, CEDAR_##style, CEDAR_##result, n, {CEDAR_##first, CEDAR_##second}},
#include "cedar/ext.def"
#undef EXT
};

const struct cedar_ext_info *cedar_ext_info(enum cedar_ext fn)
{
    return &infos[(unsigned)fn < CEDAR_EXT_COUNT ? fn : CEDAR_EXT_NONE];
}

enum cedar_ext cedar_ext_find(struct str name, enum cedar_ext_style style)
{
    for (unsigned i = CEDAR_EXT_NONE + 1; i < CEDAR_EXT_COUNT; i++)
        if (infos[i].style == style && str_is(name, infos[i].name))
            return (enum cedar_ext)i;
    return CEDAR_EXT_NONE;
}

enum cedar_ext cedar_ext_constructor(enum cedar_kind k)
{
    switch (k) {
    case CEDAR_DECIMAL: return CEDAR_EXT_DECIMAL;
    case CEDAR_IP: return CEDAR_EXT_IP;
    case CEDAR_DATETIME: return CEDAR_EXT_DATETIME;
    case CEDAR_DURATION: return CEDAR_EXT_DURATION;
    default: return CEDAR_EXT_NONE;
    }
}

static enum err ext_type(const struct cedar_ext_info *info, const struct cedar_value *arg, struct fault *f)
{
    for (unsigned i = 0; i < info->n; i++)
        if (arg[i].kind != info->arg[i])
            return fault_set(f, ERR_SYNTAX, "%s takes %s, not %s", info->name, cedar_kind_name(info->arg[i]),
                             cedar_kind_name(arg[i].kind));
    return ERR_OK;
}

static enum err ext_overflow(const struct cedar_ext_info *info, struct fault *f)
{
    return fault_set(f, ERR_SYNTAX, "the result of %s is out of range", info->name);
}

static void set_bool(struct cedar_value *ret, bool b)
{
    *ret = cedar_bool(b);
}

static void set_number(struct cedar_value *ret, enum cedar_kind k, int64_t i)
{
    *ret = (struct cedar_value){.kind = k, .i = i};
}

enum err cedar_ext_call(enum cedar_ext fn, const struct cedar_value *arg, struct arena *a, struct cedar_value *ret,
                        struct fault *f)
{
    const struct cedar_ext_info *info = cedar_ext_info(fn);
    int64_t v;
    TRY(ext_type(info, arg, f));
    switch (fn) {
    case CEDAR_EXT_DECIMAL: return cedar_decimal_parse(cedar_value_str(arg[0]), ret, f);
    case CEDAR_EXT_DECIMAL_LT: set_bool(ret, arg[0].i < arg[1].i); break;
    case CEDAR_EXT_DECIMAL_LE: set_bool(ret, arg[0].i <= arg[1].i); break;
    case CEDAR_EXT_DECIMAL_GT: set_bool(ret, arg[0].i > arg[1].i); break;
    case CEDAR_EXT_DECIMAL_GE: set_bool(ret, arg[0].i >= arg[1].i); break;
    case CEDAR_EXT_IP: return cedar_ip_parse(cedar_value_str(arg[0]), a, ret, f);
    case CEDAR_EXT_IP_V4: set_bool(ret, !arg[0].ip->v6); break;
    case CEDAR_EXT_IP_V6: set_bool(ret, arg[0].ip->v6); break;
    case CEDAR_EXT_IP_LOOPBACK: set_bool(ret, cedar_ip_loopback(arg[0].ip)); break;
    case CEDAR_EXT_IP_MULTICAST: set_bool(ret, cedar_ip_multicast(arg[0].ip)); break;
    case CEDAR_EXT_IP_IN_RANGE: set_bool(ret, cedar_ip_in_range(arg[0].ip, arg[1].ip)); break;
    case CEDAR_EXT_DATETIME: return cedar_datetime_parse(cedar_value_str(arg[0]), ret, f);
    case CEDAR_EXT_OFFSET:
        if (__builtin_add_overflow(arg[0].i, arg[1].i, &v))
            return ext_overflow(info, f);
        set_number(ret, CEDAR_DATETIME, v);
        break;
    case CEDAR_EXT_DURATION_SINCE:
        if (__builtin_sub_overflow(arg[0].i, arg[1].i, &v))
            return ext_overflow(info, f);
        set_number(ret, CEDAR_DURATION, v);
        break;
    case CEDAR_EXT_TO_DATE:
        if (!cedar_datetime_date(arg[0].i, &v))
            return ext_overflow(info, f);
        set_number(ret, CEDAR_DATETIME, v);
        break;
    case CEDAR_EXT_TO_TIME: set_number(ret, CEDAR_DURATION, cedar_datetime_time(arg[0].i)); break;
    case CEDAR_EXT_DURATION: return cedar_duration_parse(cedar_value_str(arg[0]), ret, f);
    case CEDAR_EXT_TO_MILLISECONDS: set_number(ret, CEDAR_LONG, arg[0].i); break;
    case CEDAR_EXT_TO_SECONDS: set_number(ret, CEDAR_LONG, arg[0].i / 1000); break;
    case CEDAR_EXT_TO_MINUTES: set_number(ret, CEDAR_LONG, arg[0].i / 60000); break;
    case CEDAR_EXT_TO_HOURS: set_number(ret, CEDAR_LONG, arg[0].i / 3600000); break;
    case CEDAR_EXT_TO_DAYS: set_number(ret, CEDAR_LONG, arg[0].i / 86400000); break;
    case CEDAR_EXT_NONE:
    case CEDAR_EXT_COUNT: return fault_set(f, ERR_SYNTAX, "there is no such function");
    }
    return ERR_OK;
}

struct str cedar_ext_write(struct cedar_value v, char room[static CEDAR_EXT_TEXT])
{
    room[0] = 0;
    switch (v.kind) {
    case CEDAR_DECIMAL: cedar_decimal_write(v.i, room); break;
    case CEDAR_IP: cedar_ip_write(v.ip, room); break;
    case CEDAR_DATETIME: cedar_datetime_write(v.i, room); break;
    case CEDAR_DURATION: cedar_duration_write(v.i, room); break;
    default: break;
    }
    return str_of(room);
}

void cedar_ext_text(struct cedar_value v, struct buf *out)
{
    char room[CEDAR_EXT_TEXT];
    buf_str(out, cedar_ext_write(v, room));
}
