// SPDX-License-Identifier: Apache-2.0
// Several statements in one text.
#include "server/cli/sql_split.h"

#include "tests/support/test.h"

static void
check_split(const char *text, const char *const *expected)
{
    struct pz_str rest = pz_str_from(text);
    struct pz_str statement;
    while (pz_sql_split(&rest, &statement)) {
        PZ_REQUIRE(*expected != NULL);
        PZ_CHECK_EQ_PZ_STR(statement, *expected++);
    }
    PZ_CHECK_MSG(*expected == NULL, "missing: %s", *expected == NULL ? "" : *expected);
}
#define CHECK_SPLIT(text, ...) check_split(text, (const char *const[]){__VA_ARGS__})

PZ_TEST(statements_end_at_semicolons)
{
    CHECK_SPLIT("", NULL);
    CHECK_SPLIT(" ;; -- nothing\n /* here ; */", NULL);
    CHECK_SPLIT("SELECT 1", "SELECT 1", NULL);
    CHECK_SPLIT("SELECT 1;\nSELECT 2;", "SELECT 1", "SELECT 2", NULL);
}

PZ_TEST(quotes_and_comments_hide_semicolons)
{
    CHECK_SPLIT("SELECT 'a;''b;'; X", "SELECT 'a;''b;'", "X", NULL);
    CHECK_SPLIT("SELECT \"a;b\"; X", "SELECT \"a;b\"", "X", NULL);
    CHECK_SPLIT("SELECT E'\\';' ; X", "SELECT E'\\';' ", "X", NULL);
    CHECK_SPLIT("SELECT '\\'; X", "SELECT '\\'", "X", NULL);
    CHECK_SPLIT("A -- ; '\n; B", "A -- ; '\n", "B", NULL);
    CHECK_SPLIT("A /* ; /* ; */ ; */ ; B", "A /* ; /* ; */ ; */ ", "B", NULL);
    CHECK_SPLIT("A 'open ; ", "A 'open ; ", NULL);
}

PZ_TEST(dollar_quotes_hide_semicolons)
{
    CHECK_SPLIT("SELECT $$a;'b$$; X", "SELECT $$a;'b$$", "X", NULL);
    CHECK_SPLIT("SELECT $t1$a;$$;$t$;$t1$; X", "SELECT $t1$a;$$;$t$;$t1$", "X", NULL);
    CHECK_SPLIT("$é_$;$é_$;X", "$é_$;$é_$", "X", NULL);
    CHECK_SPLIT("SELECT 1 AS a$$; X; Y$$", "SELECT 1 AS a$$", "X", "Y$$", NULL);
    CHECK_SPLIT("SELECT a$$b$c; X; $b$;$b$", "SELECT a$$b$c", "X", "$b$;$b$", NULL);
    CHECK_SPLIT("SELECT $1; X $", "SELECT $1", "X $", NULL);
    CHECK_SPLIT("'$$;'; \"$$\"; -- $$\nX", "'$$;'", "\"$$\"", "X", NULL);
    CHECK_SPLIT("A $$open ; ", "A $$open ; ", NULL);
    CHECK_SPLIT("$a$;$b$;$a$ ; $$;$$", "$a$;$b$;$a$ ", "$$;$$", NULL);
}
