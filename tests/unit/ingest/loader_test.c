// SPDX-License-Identifier: Apache-2.0
// Whole loads: divisions of the input, encodings, rejects, and aborts that store nothing.
#include "tests/support/test.h"
#include "tests/unit/ingest/fake_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

static const struct pz_loader_options plain = {.format = PZ_RECORDS_NDJSON, .is_atomic = true};

static const char mixed_lines[] = "\xef\xbb\xbf{\"x\":1}\n"
                                  "\n"
                                  "{\"x\":\"two\"}\r\n"
                                  "  {\"x\":3}  \n"
                                  "{\"x\":4,}\n"
                                  "\t\r\n"
                                  "{\"x\":5}";

PZ_TEST(nothing_is_stored_when_one_row_is_bad)
{
    struct pz_store *store = fake_store_create();
    struct pz_load_answer answer;
    struct pz_row_error errors[PZ_ROW_ERRORS_MAX];
    struct pz_error err = {0};
    PZ_CHECK_STATUS(
        fake_load(store, "loose", &plain, PZ_STR(mixed_lines), 0, &answer, errors, &err),
        PZ_INVALID, &err);
    PZ_CHECK_EQ_U64(answer.accepted, 0);
    PZ_CHECK_EQ_U64(answer.rejected, 2);
    PZ_REQUIRE(answer.error_count == 2);
    PZ_CHECK_EQ_U64(errors[0].line, 3);
    PZ_CHECK_EQ_STR(errors[0].column, "x");
    PZ_CHECK_EQ_STR(errors[0].snippet, "{\"x\":\"two\"}");
    PZ_CHECK_EQ_U64(errors[1].line, 5);
    PZ_CHECK_EQ_STR(errors[1].column, "");
    PZ_CHECK_CONTAINS(err.message, "2 of 5 rows are bad");
    PZ_CHECK_EQ_U64(fake_store_commits(store), 0);
    fake_store_destroy(store);
}

PZ_TEST(bad_rows_become_dead_letters_in_the_same_commit)
{
    struct pz_store *store = fake_store_create();
    struct pz_loader_options options = plain;
    options.on_error = PZ_ON_ERROR_DEAD_LETTER;
    options.source = "a test";
    struct pz_load_answer answer;
    struct pz_error err = {0};
    PZ_CHECK_OK(fake_load(store, "loose", &options, PZ_STR(mixed_lines), 0, &answer, NULL, &err),
                &err);
    PZ_CHECK_EQ_U64(answer.accepted, 3);
    PZ_CHECK_EQ_U64(answer.rejected, 2);
    PZ_CHECK_EQ_U64(answer.commit, 1);
    PZ_CHECK_EQ_U64(fake_store_commits(store), 1);
    PZ_CHECK_EQ_STR(fake_store_rows(store, "loose"), "1\n3\n5\n");
    const char *letters = fake_store_rows(store, "dead_letters");
    PZ_CHECK_CONTAINS(letters, "a test|3|loose|{\"x\":\"two\"}|expected a whole number, found "
                               "\"two\"|x|");
    PZ_CHECK_CONTAINS(letters, "\na test|5|loose|{\"x\":4,}|malformed JSON");
    fake_store_destroy(store);
}

PZ_TEST(letters_hold_bytes_that_are_no_text)
{
    struct pz_store *store = fake_store_create();
    struct pz_loader_options options = plain;
    options.on_error = PZ_ON_ERROR_DEAD_LETTER;
    struct pz_load_answer answer;
    struct pz_row_error errors[PZ_ROW_ERRORS_MAX];
    struct pz_error err = {0};
    PZ_CHECK_OK(fake_load(store, "loose", &options,
                          PZ_STR("\xff\xfe"
                                 "ab\n"),
                          0, &answer, errors, &err),
                &err);
    PZ_CHECK_CONTAINS(fake_store_rows(store, "dead_letters"), "-|1|loose|base64://5hYg==|");
    PZ_CHECK_EQ_STR(errors[0].snippet, "?\?ab");
    fake_store_destroy(store);
}

static struct pz_str
str_of(const struct pz_buffer *buffer)
{
    return (struct pz_str){buffer->data, (uint32_t)buffer->len};
}

// Any split of the input comes to the same.
static void
check_splits(const char *table, enum pz_record_format format, struct pz_str text)
{
    struct pz_loader_options options = {.format = format, .on_error = PZ_ON_ERROR_DEAD_LETTER};
    struct pz_store *whole = fake_store_create();
    struct pz_load_answer wanted;
    struct pz_row_error wanted_errors[PZ_ROW_ERRORS_MAX];
    struct pz_error wanted_err = {0};
    enum pz_status wanted_status =
        fake_load(whole, table, &options, text, 0, &wanted, wanted_errors, &wanted_err);
    for (size_t piece = 1; piece <= text.len; piece += 1 + piece / 16) {
        struct pz_store *store = fake_store_create();
        struct pz_load_answer answer;
        struct pz_row_error errors[PZ_ROW_ERRORS_MAX];
        struct pz_error err = {0};
        enum pz_status status =
            fake_load(store, table, &options, text, piece, &answer, errors, &err);
        PZ_CHECK(status == wanted_status);
        PZ_CHECK_EQ_STR(err.message, wanted_err.message);
        PZ_CHECK_EQ_STR(fake_store_rows(store, table), fake_store_rows(whole, table));
        PZ_CHECK_EQ_U64(answer.rejected, wanted.rejected);
        PZ_REQUIRE(answer.error_count == wanted.error_count);
        PZ_CHECK(memcmp(errors, wanted_errors, answer.error_count * sizeof(*errors)) == 0);
        fake_store_destroy(store);
    }
    fake_store_destroy(whole);
}

PZ_TEST(splits_do_not_matter)
{
    check_splits("loose", PZ_RECORDS_NDJSON, PZ_STR(mixed_lines));
    check_splits("kinds", PZ_RECORDS_CSV,
                 PZ_STR("\xef\xbb\xbft,n\r\n\"a\r\n\"\"b\",1\r\n\r\n\"x\"y,2\n\"\n\n\",three\n"
                        "z,4\n\"open,5\n"));
    check_splits("kinds", PZ_RECORDS_JSON_ARRAY,
                 PZ_STR("\xef\xbb\xbf [ {\"n\":1,\"t\":\"]}\\\"\"} ,\n{\"n\":{\"a\":[1,2]}},\n"
                        "17 , \"a,b\", [1,[2]], null,{\"n\":2},{\"n\":3}\n]\n "));
    check_splits("kinds", PZ_RECORDS_JSON_ARRAY, PZ_STR("[{\"n\":1},{\"n\":2}"));
    check_splits("kinds", PZ_RECORDS_JSON_ARRAY, PZ_STR("[{\"n\":1}{\"n\":2}]"));
    check_splits("kinds", PZ_RECORDS_JSON_ARRAY, PZ_STR(" {\"n\":1,\"t\":\"\\\\\"} "));
}

static void
check_array(const char *text, const char *rows, const char *message)
{
    struct pz_loader_options options = {.format = PZ_RECORDS_JSON_ARRAY};
    struct pz_store *store = fake_store_create();
    struct pz_load_answer answer;
    struct pz_row_error errors[PZ_ROW_ERRORS_MAX];
    struct pz_error err = {0};
    enum pz_status status =
        fake_load(store, "loose", &options, pz_str_from(text), 0, &answer, errors, &err);
    PZ_CHECK(status == (message[0] == '\0' ? PZ_OK : PZ_INVALID));
    PZ_CHECK_EQ_STR(fake_store_rows(store, "loose"), rows);
    PZ_CHECK_CONTAINS(err.message, message);
    fake_store_destroy(store);
}

PZ_TEST(arrays_of_objects)
{
    check_array("[]", "", "");
    check_array("[{\"x\":1},{\"x\":2}]", "1\n2\n", "");
    check_array("{\"x\":1}", "1\n", "");
    check_array("\n[\n]\n", "", "");
    check_array("", "", "expected a JSON array of objects");
    check_array("  ", "", "expected a JSON array of objects");
    check_array("17", "", "byte 1 of the body: expected a JSON array of objects");
    check_array("[", "", "cut off");
    check_array("[{\"x\":1}", "", "cut off");
    check_array("[{\"x\":1},", "", "cut off");
    check_array("[{\"x\":1},]", "", "byte 10 of the body: expected an object");
    check_array("[{\"x\":1}] x", "", "expected nothing after the end");
    check_array("[{\"x\":1} {\"x\":2}]", "", "expected a comma or the end of the array");
    check_array("[,{\"x\":1}]", "", "expected an object");
    check_array("[{\"x\":1}}]", "", "expected a comma or the end of the array");
    check_array("[{\"x\":1},17]", "", "1 of 2 rows is bad, so nothing was stored; line 2");
    check_array("{\"x\":1}{\"x\":2}", "", "expected nothing after");
}

PZ_TEST(fields_can_be_renamed)
{
    struct pz_store *store = fake_store_create();
    struct pz_arena arena;
    pz_arena_init(&arena, NULL);
    struct pz_field_map map;
    struct pz_error err = {0};
    struct pz_load_answer answer;
    PZ_REQUIRE_OK(
        pz_field_map_parse(PZ_STR("user_id=user, body=text,message_id = id"), &arena, &map, &err),
        &err);
    struct pz_loader_options options = {
        .format = PZ_RECORDS_NDJSON, .map = &map, .ignore_unknown = true};
    PZ_CHECK_OK(fake_load(store, "messages", &options,
                          PZ_STR("{\"id\":93463966,\"user\":\"Astronomy\",\"text\":\"For you\","
                                 "\"created_at\":\"2013-08-03T21:19:45Z\",\"flair\":null}\n"
                                 "{\"body\":\"not this\",\"user\":\"u\",\"text\":\"but this\"}\n"),
                          0, &answer, NULL, &err),
                &err);
    PZ_CHECK_EQ_STR(fake_store_rows(store, "messages"),
                    "93463966|Astronomy|2013-08-03T21:19:45.000000Z|For you|-\n"
                    "-|u|-|but this|-\n");
    pz_arena_fini(&arena);
    fake_store_destroy(store);
}

static void
check_map(const char *text, const char *message)
{
    struct pz_store *store = fake_store_create();
    struct pz_arena arena;
    struct pz_field_map map;
    struct pz_error err = {0};
    struct pz_load_answer answer;
    pz_arena_init(&arena, NULL);
    enum pz_status status = pz_field_map_parse(pz_str_from(text), &arena, &map, &err);
    if (status == PZ_OK) {
        struct pz_loader_options options = {.map = &map};
        status = fake_load(store, "messages", &options, PZ_STR(""), 0, &answer, NULL, &err);
    }
    PZ_CHECK(status == (message[0] == '\0' ? PZ_OK : PZ_INVALID));
    PZ_CHECK_CONTAINS(err.message, message);
    pz_arena_fini(&arena);
    fake_store_destroy(store);
}

PZ_TEST(maps_are_checked)
{
    check_map("", "");
    check_map("body=text", "");
    check_map("body=user_id,user_id=body", "");
    check_map("body", "not column=field");
    check_map("body=", "a name is empty");
    check_map("=x", "a name is empty");
    check_map("body=a,", "not column=field");
    check_map("bodyy=a", "names column \"bodyy\"");
    check_map("body=a,body=b", "names column \"body\" twice");
    check_map("body=a,user_id=a", "uses field \"a\" twice");
    check_map("body=\xff", "not valid UTF-8");
}

PZ_TEST(an_unknown_table_is_not_found)
{
    struct pz_store *store = fake_store_create();
    struct pz_loader *loader;
    struct pz_error err = {0};
    PZ_CHECK_STATUS(pz_loader_create(store, PZ_STR("message"), &plain, &loader, &err), PZ_NOT_FOUND,
                    &err);
    PZ_CHECK_EQ_STR(err.hint, "did you mean \"messages\"?");
    PZ_CHECK(loader == NULL);
    fake_store_destroy(store);
}

// `count` rows, the numbers from 1 between two pieces of text; every row divisible by `bad_every`
// is bad (0: none).
static struct pz_buffer
numbers(const char *before, const char *after, unsigned count, unsigned bad_every)
{
    struct pz_buffer text = {0};
    for (unsigned i = 1; i <= count; i++) {
        if (bad_every > 0 && i % bad_every == 0) {
            pz_buffer_append_c(&text, "oops\n");
        } else {
            pz_buffer_printf(&text, "%s%u%s", before, i, after);
        }
    }
    return text;
}

static const char like_before[] = "{\"message_id\":";
static const char like_after[] = ",\"user_id\":\"u\"}\n";

PZ_TEST(many_rows_of_a_log_table_are_one_load)
{
    struct pz_store *store = fake_store_create();
    struct pz_buffer text = numbers("{\"x\":", "}\n", 300000, 0);
    struct pz_load_answer answer;
    struct pz_error err = {0};
    PZ_CHECK_OK(fake_load(store, "loose", &plain, str_of(&text), 100000, &answer, NULL, &err),
                &err);
    PZ_CHECK_EQ_U64(answer.accepted, 300000);
    PZ_CHECK_EQ_U64(fake_store_commits(store), 1);
    PZ_CHECK_EQ_U64(fake_store_loads(store), 1);
    PZ_CHECK_EQ_U64(fake_store_row_count(store, "loose"), 300000);
    struct pz_buffer wanted = numbers("", "\n", 300000, 0);
    PZ_CHECK(strcmp(fake_store_rows(store, "loose"), wanted.data) == 0);
    pz_buffer_fini(&wanted);
    pz_buffer_fini(&text);
    fake_store_destroy(store);
}

PZ_TEST(a_late_bad_row_undoes_a_load)
{
    struct pz_store *store = fake_store_create();
    struct pz_buffer text = numbers("{\"x\":", "}\n", 300000, 140000);
    struct pz_load_answer answer;
    struct pz_row_error errors[PZ_ROW_ERRORS_MAX];
    struct pz_error err = {0};
    PZ_CHECK_STATUS(fake_load(store, "loose", &plain, str_of(&text), 4096, &answer, errors, &err),
                    PZ_INVALID, &err);
    PZ_CHECK_EQ_U64(answer.rejected, 2);
    PZ_CHECK_EQ_U64(errors[0].line, 140000);
    PZ_CHECK_EQ_U64(errors[1].line, 280000);
    PZ_CHECK_EQ_U64(fake_store_commits(store), 0);
    struct pz_loader_options options = plain;
    options.on_error = PZ_ON_ERROR_DEAD_LETTER;
    PZ_CHECK_OK(fake_load(store, "loose", &options, str_of(&text), 4096, &answer, NULL, &err),
                &err);
    PZ_CHECK_EQ_U64(answer.accepted, 299998);
    PZ_CHECK_EQ_U64(fake_store_commits(store), 1);
    PZ_CHECK_EQ_U64(fake_store_row_count(store, "dead_letters"), 2);
    pz_buffer_fini(&text);
    fake_store_destroy(store);
}

PZ_TEST(likes_are_gathered_or_sliced)
{
    struct pz_buffer text = numbers(like_before, like_after, 150000, 1000);
    struct pz_load_answer answer;
    struct pz_error err = {0};
    for (int is_atomic = 0; is_atomic <= 1; is_atomic++) {
        struct pz_store *store = fake_store_create();
        struct pz_loader_options options = {.on_error = PZ_ON_ERROR_DEAD_LETTER,
                                            .is_atomic = is_atomic == 1};
        fake_store_refuse(store, 149999);
        fake_store_be_busy(store, is_atomic ? 0 : 3);
        struct pz_row_error errors[PZ_ROW_ERRORS_MAX];
        PZ_CHECK_OK(fake_load(store, "likes", &options, str_of(&text), 0, &answer, errors, &err),
                    &err);
        PZ_CHECK_EQ_U64(answer.accepted, 150000 - 150 - 1);
        PZ_CHECK_EQ_U64(answer.rejected, 151);
        PZ_CHECK_EQ_U64(answer.error_count, 100);
        PZ_CHECK_EQ_U64(fake_store_row_count(store, "likes"), 149849);
        PZ_CHECK_EQ_U64(fake_store_row_count(store, "dead_letters"), 150);
        PZ_CHECK_EQ_U64(fake_store_commits(store), is_atomic ? 1 : 3);
        PZ_CHECK_EQ_U64(answer.commit, is_atomic ? 1 : 3);
        fake_store_destroy(store);
    }
    pz_buffer_fini(&text);
}

PZ_TEST(rows_the_store_refuses_are_told_with_their_line)
{
    struct pz_store *store = fake_store_create();
    struct pz_load_answer answer;
    struct pz_row_error errors[PZ_ROW_ERRORS_MAX];
    struct pz_error err = {0};
    fake_store_refuse(store, 2);
    PZ_CHECK_STATUS(fake_load(store, "likes", &plain,
                              PZ_STR("{\"message_id\":1,\"user_id\":\"u\"}\n\n"
                                     "{\"message_id\":2,\"user_id\":\"u\"}\n"),
                              0, &answer, errors, &err),
                    PZ_INVALID, &err);
    PZ_CHECK_EQ_U64(answer.rejected, 1);
    PZ_CHECK_EQ_U64(answer.accepted, 0);
    PZ_CHECK(answer.is_refused && !answer.is_outcome_unknown);
    PZ_CHECK_EQ_U64(errors[0].line, 3);
    PZ_CHECK_EQ_STR(errors[0].message, "refused by the store");
    fake_store_destroy(store);
}

PZ_TEST(a_store_that_fails_fails_the_load)
{
    struct pz_buffer text = numbers("{\"x\":", "}\n", 400000, 0);
    struct pz_load_answer answer;
    struct pz_error err = {0};
    struct pz_store *store = fake_store_create();
    fake_store_break(store);
    PZ_CHECK_STATUS(fake_load(store, "loose", &plain, str_of(&text), 65536, &answer, NULL, &err),
                    PZ_IO, &err);
    PZ_CHECK_EQ_STR(err.message, "the disk is gone");
    PZ_CHECK_STATUS(fake_load(store, "loose", &plain, PZ_STR("{\"x\":1}"), 0, &answer, NULL, &err),
                    PZ_IO, &err);
    fake_store_destroy(store);
    pz_buffer_fini(&text);
}

// Bad rows that were to be set aside are not why the load failed.
PZ_TEST(a_store_that_fails_is_not_blamed_on_bad_rows)
{
    struct pz_loader_options options = plain;
    options.on_error = PZ_ON_ERROR_DEAD_LETTER;
    struct pz_load_answer answer;
    struct pz_row_error errors[PZ_ROW_ERRORS_MAX];
    struct pz_error err = {0};
    struct pz_store *store = fake_store_create();
    fake_store_break(store);
    PZ_CHECK_STATUS(fake_load(store, "loose", &options, PZ_STR("{\"x\":1}\n{\"x\":\"bad\"}\n"), 0,
                              &answer, errors, &err),
                    PZ_IO, &err);
    PZ_CHECK_EQ_STR(err.message, "the disk is gone");
    PZ_CHECK_EQ_U64(answer.rejected, 1);
    PZ_CHECK(!answer.is_refused && answer.is_outcome_unknown);
    PZ_CHECK_EQ_U64(errors[0].line, 2);
    fake_store_destroy(store);
}

PZ_TEST(lines_can_continue_those_of_a_file)
{
    struct pz_loader_options options = {.lines_before = 1000};
    struct pz_store *store = fake_store_create();
    struct pz_load_answer answer;
    struct pz_row_error errors[PZ_ROW_ERRORS_MAX];
    struct pz_error err = {0};
    (void)fake_load(store, "loose", &options, PZ_STR("{\"x\":1}\noops\n"), 0, &answer, errors,
                    &err);
    PZ_CHECK_EQ_U64(errors[0].line, 1002);
    options.format = PZ_RECORDS_CSV;
    (void)fake_load(store, "loose", &options, PZ_STR("x\n1\noops\n"), 3, &answer, errors, &err);
    PZ_CHECK_EQ_U64(errors[0].line, 1002);
    fake_store_destroy(store);
}

PZ_TEST(limits)
{
    struct pz_store *store = fake_store_create();
    struct pz_load_answer answer;
    struct pz_error err = {0};
    struct pz_loader_options options = {.body_bytes_max = 20};
    PZ_CHECK_OK(fake_load(store, "loose", &options, PZ_STR("{\"x\":1}\n{\"x\":2}\n"), 5, &answer,
                          NULL, &err),
                &err);
    PZ_CHECK_STATUS(fake_load(store, "loose", &options, PZ_STR("{\"x\":1}\n{\"x\":2}\n{\"x\":3}\n"),
                              5, &answer, NULL, &err),
                    PZ_TOO_LARGE, &err);
    struct pz_buffer text = {0};
    pz_buffer_append_c(&text, "{\"x\":1}\n{\"x\":\"");
    PZ_REQUIRE(pz_buffer_reserve(&text, 20u << 20));
    memset(text.data + text.len, 'a', 20u << 20);
    text.len += 20u << 20;
    options.body_bytes_max = 0;
    for (size_t piece = 0; piece <= 1u << 20; piece += 1u << 20) {
        for (int format = PZ_RECORDS_NDJSON; format <= PZ_RECORDS_JSON_ARRAY; format++) {
            options.format = (enum pz_record_format)format;
            text.data[0] = format == PZ_RECORDS_CSV ? 'x' : format == PZ_RECORDS_NDJSON ? '{' : '[';
            memcpy(text.data + 1, format == PZ_RECORDS_CSV ? "\n1\n2\n\"" : "\"x\":1}", 6);
            if (format == PZ_RECORDS_JSON_ARRAY) {
                memcpy(text.data + 1, "{}   ,", 6);
            }
            PZ_CHECK_STATUS(
                fake_load(store, "loose", &options, str_of(&text), piece, &answer, NULL, &err),
                PZ_TOO_LARGE, &err);
            PZ_CHECK_CONTAINS(err.message, "longer than 16 MiB");
        }
    }
    pz_buffer_fini(&text);
    fake_store_destroy(store);
}

static struct pz_buffer
gzip(struct pz_str text)
{
    struct pz_buffer out = {0};
    z_stream stream = {0};
    PZ_REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    PZ_REQUIRE(pz_buffer_reserve(&out, text.len + 1000));
    stream.next_in = (unsigned char *)(uintptr_t)text.data;
    stream.avail_in = text.len;
    stream.next_out = (unsigned char *)out.data;
    stream.avail_out = text.len + 1000;
    PZ_REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.len = stream.total_out;
    deflateEnd(&stream);
    return out;
}

PZ_TEST(compressed_input)
{
    struct pz_buffer text = numbers("{\"x\":", "}\n", 100000, 0);
    struct pz_buffer packed = gzip(str_of(&text));
    struct pz_loader_options options = {.encoding = PZ_ENCODING_GZIP};
    struct pz_store *store = fake_store_create();
    struct pz_load_answer answer;
    struct pz_error err = {0};
    PZ_CHECK_OK(fake_load(store, "loose", &options, str_of(&packed), 1000, &answer, NULL, &err),
                &err);
    PZ_CHECK_EQ_U64(answer.accepted, 100000);
    struct pz_str cut = {packed.data, (uint32_t)packed.len - 20};
    PZ_CHECK_STATUS(fake_load(store, "loose", &options, cut, 1000, &answer, NULL, &err), PZ_INVALID,
                    &err);
    packed.data[packed.len / 2] ^= 0x55;
    PZ_CHECK_STATUS(fake_load(store, "loose", &options, str_of(&packed), 1000, &answer, NULL, &err),
                    PZ_INVALID, &err);
    PZ_CHECK_EQ_U64(fake_store_row_count(store, "loose"), 100000);

    packed.len = ZSTD_compress(packed.data, packed.capacity, text.data, text.len, 3);
    PZ_REQUIRE(!ZSTD_isError(packed.len));
    options.encoding = PZ_ENCODING_ZSTD;
    PZ_CHECK_OK(fake_load(store, "loose", &options, str_of(&packed), 777, &answer, NULL, &err),
                &err);
    PZ_CHECK_EQ_U64(answer.accepted, 100000);
    pz_buffer_fini(&packed);
    pz_buffer_fini(&text);
    fake_store_destroy(store);
}

PZ_TEST(many_symbols_keep_their_codes)
{
    struct pz_store *store = fake_store_create();
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    struct pz_buffer text = {0};
    struct pz_buffer wanted = {0};
    for (int i = 0; i < 20000; i++) {
        char name[64];
        int len = snprintf(name, sizeof(name), "user %llu with a name of some length",
                           (unsigned long long)pz_rng_below(&rng, 3000));
        len = i % 3 == 0 ? len : (int)pz_rng_below(&rng, (uint64_t)len + 1);
        pz_buffer_printf(&text, "{\"n\":1,\"s\":\"%.*s\"}\n", len, name);
        pz_buffer_printf(&wanted, "-|-|-|-|%.*s|-|-|1\n", len, name);
    }
    struct pz_load_answer answer;
    struct pz_error err = {0};
    PZ_CHECK_OK(fake_load(store, "kinds", &plain, str_of(&text), 5000, &answer, NULL, &err), &err);
    PZ_CHECK(strcmp(fake_store_rows(store, "kinds"), wanted.data) == 0);
    pz_buffer_fini(&text);
    pz_buffer_fini(&wanted);
    fake_store_destroy(store);
}
