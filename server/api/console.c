// SPDX-License-Identifier: Apache-2.0
// The console: pages that were made part of the program when it was built. Names are looked up in
// this table and nowhere else.
#include "server/api/api.h"
#include "server/api/console_files.h"
#include "server/http/problem.h"

static const struct console_file {
    const char *name;
    const char *content_type;
    const unsigned char *data;
    const size_t *len;
} files[] = {
    {"index.html", "text/html; charset=utf-8", pz_console_index_html, &pz_console_index_html_len},
    {"console.css", "text/css; charset=utf-8", pz_console_console_css, &pz_console_console_css_len},
    {"console.js", "text/javascript; charset=utf-8", pz_console_console_js,
     &pz_console_console_js_len},
};

static void
reply_file(struct pz_request *request, const struct console_file *file)
{
    pz_reply_begin(request, 200, file->content_type);
    request->reply.fixed_body = file->data;
    request->reply.fixed_len = *file->len;
    request->reply.is_cacheable = true;
    pz_reply_header(request, "Cache-Control", "no-cache");
    pz_reply_header(request, "ETag", "\"" PLAZA_VERSION "-" PZ_CONSOLE_HASH "\"");
    pz_reply_header(request, "Content-Security-Policy",
                    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                    "img-src 'self' data:; base-uri 'none'; form-action 'none'; "
                    "frame-ancestors 'none'");
    pz_reply_header(request, "Referrer-Policy", "no-referrer");
    pz_reply_header(request, "Cross-Origin-Resource-Policy", "same-origin");
    pz_reply_header(request, "Cross-Origin-Opener-Policy", "same-origin");
    pz_reply_header(request, "X-Frame-Options", "DENY");
    struct pz_str known = request->gate.if_none_match;
    if (pz_str_equal(known, PZ_STR("\"" PLAZA_VERSION "-" PZ_CONSOLE_HASH "\""))) {
        request->reply.status = 304;
        request->reply.fixed_body = NULL;
        request->reply.content_type = NULL;
    }
}

void
pz_api_console(struct pz_request *request)
{
    reply_file(request, &files[0]);
}

void
pz_api_console_file(struct pz_request *request)
{
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (pz_str_equal(request->path.segments[1], pz_str_from(files[i].name))) {
            reply_file(request, &files[i]);
            return;
        }
    }
    pz_problem_say(request, PZ_NOT_FOUND, "there is nothing at this path");
}
