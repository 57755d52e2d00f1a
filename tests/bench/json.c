/*
 * bench_json: GB/s of json_parse and of simdjson's DOM over the same bytes, round by round in turn, and the ratio of
 * the two. Ours checks what simdjson does and duplicate keys besides, and leaves numbers as text. One thread; the
 * median of the rounds.
 */
#include "base/json.h"
#include "bench.h"
#include "json_simdjson.h"

enum { ROUNDS = 21, ROUND_BYTES = 24 << 20 };

/* A tool call as it comes from an agent, about 1 KB. */
static void make_call(struct buf *b)
{
    buf_z(b, "{\"jsonrpc\":\"2.0\",\"id\":17,\"method\":\"tools/call\",\"params\":{\"name\":\"orders__refund_order\",");
    buf_z(b, "\"arguments\":{\"order_id\":\"ord_8fk2m1x9\",\"amount\":129.95,\"currency\":\"EUR\",\"reason\":");
    buf_z(b, "\"The parcel arrived damaged; the customer sent two photographs and would rather have the money than ");
    buf_z(b, "a second one.\\nAgreed on the phone with \\\"Ann\\\" from Bergstra\u00dfe.\",\"lines\":[");
    for (int i = 0; i < 4; i++)
        buf_fmt(b, "%s{\"sku\":\"A-10%02d\",\"quantity\":%d,\"price\":%d.%02d,\"restock\":%s}", i ? "," : "", i, i + 1,
                20 + 7 * i, 13 * i % 100, i % 2 ? "true" : "false");
    buf_z(b, "],\"notify\":true},\"_meta\":{\"progressToken\":\"p-17\",\"io.modelcontextprotocol/protocolVersion\":");
    buf_z(b, "\"2026-07-28\",\"io.modelcontextprotocol/clientInfo\":{\"name\":\"desk\",\"version\":\"1.4.2\"},");
    buf_z(b, "\"io.modelcontextprotocol/clientCapabilities\":{},\"traceparent\":");
    buf_z(b, "\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"}}}");
}

/* The result of a tool: rows of a query and the same once more as text, about 100 KB. */
static void make_result(struct buf *b)
{
    struct buf rows;
    buf_init(&rows, 1 << 20);
    for (int i = 0; i < 270; i++)
        buf_fmt(&rows,
                "%s{\"id\":%d,\"customer\":\"cus_%06d\",\"city\":\"M\u00fcnchen\",\"total\":%d.%02d,\"paid\":%s,"
                "\"created\":\"2026-11-%02dT08:%02d:00Z\",\"tags\":[\"web\",\"gift\"],\"note\":null}",
                i ? "," : "", 100000 + i, i * 37, i * 3, i % 100, i % 3 ? "true" : "false", i % 28 + 1, i % 60);
    struct json_out o = json_out(b);
    buf_z(b, "{\"jsonrpc\":\"2.0\",\"id\":17,\"result\":{\"structuredContent\":{\"rows\":[");
    buf_str(b, buf_view(&rows));
    buf_z(b, "]},\"content\":[{\"type\":\"text\",\"text\":");
    json_put_str(&o, buf_view(&rows));
    buf_z(b, "}],\"isError\":false}}");
    buf_done(&rows);
}

/* What a social network answers: objects of many keys in many rows, texts beyond ASCII, indented. About 600 KB. */
static void make_feed(struct buf *b)
{
    static const char *const flags[] = {"protected",
                                        "geo_enabled",
                                        "verified",
                                        "contributors_enabled",
                                        "is_translator",
                                        "profile_background_tile",
                                        "profile_use_background_image",
                                        "default_profile",
                                        "default_profile_image",
                                        "following",
                                        "follow_request_sent",
                                        "notifications"};
    buf_z(b, "{\n  \"statuses\": [");
    for (int i = 0; i < 250; i++) {
        buf_fmt(
            b,
            "%s\n    {\n      \"metadata\": {\n        \"result_type\": \"recent\",\n        \"iso_language_code\": "
            "\"ja\"\n      },\n      \"created_at\": \"Sun Aug 31 00:29:%02d +0000 2014\",\n      \"id\": "
            "5058749246%08d,\n      \"text\": \"@user%d \u4e00\u7dd2\u306b\u904a\u307c\u3046\u3088 \u660e\u65e5\u306e"
            "\u5915\u65b9\u306b\u99c5\u524d\u3067 https:\\/\\/t.example\\/%x #tag\",\n      \"truncated\": false,\n"
            "      \"in_reply_to_user_id\": null,\n      \"user\": {",
            i ? "," : "", i % 60, i * 7919, i, i * 4099);
        buf_fmt(
            b,
            "\n        \"id\": %d,\n        \"id_str\": \"%d\",\n        \"name\": \"\u540d\u524d %d\",\n        "
            "\"screen_name\": \"user%d\",\n        \"location\": \"\",\n        \"description\": \"\u30d7\u30ed\u30d5"
            "\u30a3\u30fc\u30eb\u3067\u3059\u3002 24\u3001life and times of nobody\",\n        \"url\": null,",
            1186275104 + i, 1186275104 + i, i, i);
        for (size_t k = 0; k < sizeof(flags) / sizeof(flags[0]); k++)
            buf_fmt(b, "\n        \"%s\": %s,", flags[k], (i + (int)k) % 2 ? "true" : "false");
        for (int k = 0; k < 6; k++)
            buf_fmt(b, "\n        \"profile_color_%d\": \"%06X\",", k, (i * 65537 + k * 4099) & 0xffffff);
        buf_fmt(
            b,
            "\n        \"followers_count\": %d,\n        \"friends_count\": %d,\n        \"lang\": \"ja\"\n      },"
            "\n      \"entities\": {\n        \"hashtags\": [],\n        \"indices\": [\n          %d,\n          %d\n"
            "        ]\n      },\n      \"retweet_count\": %d,\n      \"lang\": \"ja\"\n    }",
            i * 31, i * 17, i % 9, i % 9 + 14, i % 5);
    }
    buf_z(b, "\n  ]\n}\n");
}

static void parse_ours(struct str text, struct arena *a)
{
    struct json j;
    struct fault f;
    bench_must(json_parse(&j, text, a, NULL, &f), &f);
    arena_reset(a);
}

static void bench(const char *name, void (*make)(struct buf *), struct simdjson_parser *second)
{
    double ours[ROUNDS], theirs[ROUNDS];
    struct arena a;
    struct buf b;
    buf_init(&b, 16 << 20);
    make(&b);
    struct str text = buf_view(&b);
    if (buf_failed(&b) || !buf_reserve(&b, SIMDJSON_PADDING_BYTES))
        bench_die(name, "no room");
    text.p = b.p;
    arena_init(&a, 64 << 20);
    int times = (int)(ROUND_BYTES / text.n);
    for (int r = 0; r < ROUNDS; r++) {
        double start = bench_seconds();
        for (int i = 0; i < times; i++)
            parse_ours(text, &a);
        ours[r] = (bench_seconds() - start) / times;
        start = bench_seconds();
        for (int i = 0; i < times; i++)
            if (!simdjson_parse(second, text.p, text.n))
                bench_die("simdjson", "refuses");
        theirs[r] = (bench_seconds() - start) / times;
    }
    double o = bench_median(ours, ROUNDS), t = bench_median(theirs, ROUNDS);
    printf("%-7s %7zu bytes: ours %5.2f GB/s (%8.2f us), simdjson (%s) %5.2f GB/s, ratio %.2f\n", name, text.n,
           (double)text.n / o / 1e9, o * 1e6, simdjson_kernel(), (double)text.n / t / 1e9, t / o);
    arena_done(&a);
    buf_done(&b);
}

int main(void)
{
    struct simdjson_parser *second = simdjson_new();
    bench("call", make_call, second);
    bench("result", make_result, second);
    bench("feed", make_feed, second);
    simdjson_free(second);
    return 0;
}
