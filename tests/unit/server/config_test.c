// SPDX-License-Identifier: Apache-2.0
// Settings from flags and the environment.
#include "server/config.h"

#include "tests/support/test.h"

#include <stdlib.h>

static enum pz_status
read_config(struct pz_config *config, struct pz_error *err, const char *first, const char *second)
{
    char *argv[2] = {(char *)(uintptr_t)first, (char *)(uintptr_t)second};
    int argc = first == NULL ? 0 : second == NULL ? 1 : 2;
    return pz_config_read(config, argc, argv, err);
}

PZ_TEST(defaults_environment_and_flags)
{
    struct pz_config config;
    struct pz_error err;
    PZ_CHECK_OK(read_config(&config, &err, NULL, NULL), &err);
    PZ_CHECK_EQ_STR(config.data_dir, "./plaza-data");
    PZ_CHECK_EQ_STR(config.http_address, "127.0.0.1:7780");
    PZ_CHECK_EQ_U64(config.query_timeout, 30000000);
    PZ_CHECK_EQ_U64(config.bulk_body_max, 67108864);

    PZ_REQUIRE(setenv("PLAZA_SEAL_ROWS", "77", 1) == 0);
    PZ_CHECK_OK(read_config(&config, &err, NULL, NULL), &err);
    PZ_CHECK_EQ_U64(config.seal_rows, 77);
    PZ_CHECK_OK(read_config(&config, &err, "--seal-rows", "5"), &err);
    PZ_CHECK_EQ_U64(config.seal_rows, 5);
    PZ_REQUIRE(setenv("PLAZA_SEAL_ROWS", "many", 1) == 0);
    PZ_CHECK_STATUS(read_config(&config, &err, NULL, NULL), PZ_INVALID, &err);
    PZ_CHECK_CONTAINS(err.message, "PLAZA_SEAL_ROWS");
    PZ_REQUIRE(unsetenv("PLAZA_SEAL_ROWS") == 0);

    PZ_CHECK_OK(read_config(&config, &err, "--cache=2MiB", "--insecure-no-auth"), &err);
    PZ_CHECK_EQ_U64(config.cache_bytes, 2097152);
    PZ_CHECK_EQ_U64(config.insecure_no_auth, 1);
}

PZ_TEST(mistakes_are_named)
{
    struct pz_config config;
    struct pz_error err;
    PZ_CHECK_STATUS(read_config(&config, &err, "--seal-row", "5"), PZ_INVALID, &err);
    PZ_CHECK_EQ_STR(err.hint, "did you mean --seal-rows?");
    PZ_CHECK_STATUS(read_config(&config, &err, "--threads", NULL), PZ_INVALID, &err);
    PZ_CHECK_STATUS(read_config(&config, &err, "--threads", "999"), PZ_INVALID, &err);
    PZ_CHECK_STATUS(read_config(&config, &err, "--query-timeout", "0"), PZ_INVALID, &err);
    PZ_CHECK_STATUS(read_config(&config, &err, "stray", NULL), PZ_INVALID, &err);
    PZ_CHECK_STATUS(read_config(&config, &err, "--data", ""), PZ_INVALID, &err);
}

PZ_TEST(sizes_and_durations)
{
    uint64_t value;
    PZ_CHECK(pz_config_parse_size(PZ_STR("512"), &value) && value == 512);
    PZ_CHECK(pz_config_parse_size(PZ_STR("1.5KiB"), &value) && value == 1536);
    PZ_CHECK(pz_config_parse_size(PZ_STR("2M"), &value) && value == 2097152);
    PZ_CHECK(pz_config_parse_size(PZ_STR("3MB"), &value) && value == 3000000);
    PZ_CHECK(!pz_config_parse_size(PZ_STR(""), &value));
    PZ_CHECK(!pz_config_parse_size(PZ_STR("-1"), &value));
    PZ_CHECK(!pz_config_parse_size(PZ_STR("1Q"), &value));
    PZ_CHECK(!pz_config_parse_size(PZ_STR("99999999999TB"), &value));
    PZ_CHECK(pz_config_parse_duration(PZ_STR("250ms"), &value) && value == 250000);
    PZ_CHECK(pz_config_parse_duration(PZ_STR("2"), &value) && value == 2000000);
    PZ_CHECK(pz_config_parse_duration(PZ_STR("1h"), &value) && value == 3600000000);
    PZ_CHECK(!pz_config_parse_duration(PZ_STR("5 days"), &value));
}

PZ_TEST(help_names_every_setting)
{
    struct pz_buffer text = {0};
    pz_config_help(&text);
    PZ_CHECK_CONTAINS(text.data, "--bulk-body-max SIZE");
    PZ_CHECK_CONTAINS(text.data, "PLAZA_BULK_BODY_MAX, default 64MiB");
    pz_buffer_fini(&text);
}
