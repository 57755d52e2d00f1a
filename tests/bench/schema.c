/*
 * bench_schema: microseconds to judge the arguments of a typical tool call (about 1 KB, and a small one) by its
 * inputSchema on an already parsed tape, and to compile that schema. One thread; the median of several rounds.
 */
#include "schema/schema.h"
#include "bench.h"

#define ROUNDS 15

static const char order_schema[] =
    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\",\"properties\":{"
    "\"order_id\":{\"type\":\"string\",\"pattern\":\"^ord_[a-z0-9]{6,32}$\"},"
    "\"customer\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64},"
    "\"name\":{\"type\":\"string\",\"maxLength\":120},\"age\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":150},"
    "\"tier\":{\"enum\":[\"free\",\"pro\",\"enterprise\"]},\"address\":{\"$ref\":\"#/$defs/address\"}},"
    "\"required\":[\"id\",\"name\"],\"additionalProperties\":false},"
    "\"lines\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":100,\"items\":{\"type\":\"object\",\"properties\":{"
    "\"sku\":{\"type\":\"string\"},\"title\":{\"type\":\"string\",\"maxLength\":200},"
    "\"quantity\":{\"type\":\"integer\",\"minimum\":1},\"price\":{\"type\":\"number\",\"multipleOf\":0.01}},"
    "\"required\":[\"sku\",\"quantity\"]}},"
    "\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"uniqueItems\":true},"
    "\"payment\":{\"oneOf\":[{\"type\":\"object\",\"properties\":{\"kind\":{\"const\":\"card\"},\"last4\":{\"type\":"
    "\"string\"}},\"required\":[\"kind\",\"last4\"]},{\"type\":\"object\",\"properties\":{\"kind\":{\"const\":"
    "\"invoice\"},\"days\":{\"type\":\"integer\"}},\"required\":[\"kind\",\"days\"]}]},"
    "\"note\":{\"type\":[\"string\",\"null\"]},\"notify\":{\"type\":\"boolean\"}},"
    "\"required\":[\"order_id\",\"customer\",\"lines\"],\"additionalProperties\":false,"
    "\"$defs\":{\"address\":{\"type\":\"object\",\"properties\":{\"street\":{\"type\":\"string\"},\"city\":{\"type\":"
    "\"string\"},\"zip\":{\"type\":\"string\"},\"country\":{\"type\":\"string\",\"minLength\":2,\"maxLength\":2}},"
    "\"required\":[\"street\",\"city\"]}}}";

static const char order_call[] =
    "{\"order_id\":\"ord_8fk2m1x9\",\"customer\":{\"id\":\"cus_5512\",\"name\":\"Ann "
    "Example\",\"age\":41,\"tier\":\"pro\","
    "\"address\":{\"street\":\"12 Harbour Road\",\"city\":\"Hamburg\",\"zip\":\"20457\",\"country\":\"DE\"}},"
    "\"lines\":[{\"sku\":\"A-1001\",\"title\":\"Walnut desk, 160 x 80 cm\",\"quantity\":1,\"price\":549.00},"
    "{\"sku\":\"A-2210\",\"title\":\"Cable tray with clamps, black, set of two\",\"quantity\":2,\"price\":39.95},"
    "{\"sku\":\"B-0034\",\"title\":\"Desk lamp, dimmable, 4000 K\",\"quantity\":1,\"price\":89.50},"
    "{\"sku\":\"C-7781\",\"title\":\"Monitor arm, up to 9 kg\",\"quantity\":2,\"price\":119.00}],"
    "\"tags\":[\"office\",\"priority\",\"returning-customer\"],"
    "\"payment\":{\"kind\":\"invoice\",\"days\":14},"
    "\"note\":\"Please deliver to the back entrance between nine and eleven. The bell is broken, so that the driver "
    "should call ahead; somebody will come down and open the gate. Packaging can be taken back at once, and the old "
    "desk stands ready to be picked up, as was agreed on the phone with your colleague last week.\",\"notify\":true}";

static const char lookup_schema[] = "{\"type\":\"object\",\"properties\":{\"order_id\":{\"type\":\"string\"},"
                                    "\"verbose\":{\"type\":\"boolean\"}},\"required\":[\"order_id\"]}";
static const char lookup_call[] = "{\"order_id\":\"ord_8fk2m1x9\",\"verbose\":false}";

static double validate_us(const struct schema *s, const struct json *j, int times)
{
    double took[ROUNDS];
    struct fault f;
    struct arena scratch;
    arena_init(&scratch, 1 << 20);
    for (int r = 0; r < ROUNDS; r++) {
        double start = bench_seconds();
        for (int i = 0; i < times; i++) {
            bench_must(schema_validate(s, j, JSON_ROOT, &scratch, &f), &f);
            arena_reset(&scratch);
        }
        took[r] = (bench_seconds() - start) * 1e6 / times;
    }
    arena_done(&scratch);
    return bench_median(took, ROUNDS);
}

static double compile_us(struct str text, int times)
{
    double took[ROUNDS];
    struct fault f;
    for (int r = 0; r < ROUNDS; r++) {
        double start = bench_seconds();
        for (int i = 0; i < times; i++) {
            struct schema *s = NULL;
            bench_must(schema_compile(text, NULL, NULL, &s, &f), &f);
            schema_unref(s);
        }
        took[r] = (bench_seconds() - start) * 1e6 / times;
    }
    return bench_median(took, ROUNDS);
}

static void bench(const char *name, const char *schema, const char *call)
{
    struct schema *s = NULL;
    struct fault f;
    struct arena a;
    struct json j;
    arena_init(&a, 1 << 20);
    bench_must(schema_compile(str_of(schema), NULL, NULL, &s, &f), &f);
    bench_must(json_parse(&j, str_of(call), &a, NULL, &f), &f);
    printf("%-8s %5zu bytes of arguments: %6.2f us to judge; %5zu bytes of schema: %7.1f us to compile\n", name,
           strlen(call), validate_us(s, &j, 20000), strlen(schema), compile_us(str_of(schema), 200));
    schema_unref(s);
    arena_done(&a);
}

int main(void)
{
    bench("order", order_schema, order_call);
    bench("lookup", lookup_schema, lookup_call);
    bench("meta", "{\"$ref\":\"https://json-schema.org/draft/2020-12/schema\"}", order_schema);
    return 0;
}
