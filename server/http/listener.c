// SPDX-License-Identifier: Apache-2.0
// The socket to listen at. Taken before anything is opened or made on disk, so that a start beside
// another program on the port leaves no trace; it listens only once there is somebody to answer.
#include "server/http/http.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static enum pz_status
fail_listener(const struct sockaddr_storage *address, struct pz_error *err)
{
    int number = errno;
    char text[PZ_HTTP_ADDRESS_MAX];
    pz_http_format_address(address, text);
    if (number == EADDRINUSE) {
        (void)pz_fail(err, PZ_BUSY, "%s is in use by another program", text);
        pz_error_hint(err, "stop it, or choose another with --http 127.0.0.1:PORT");
        return PZ_BUSY;
    }
    errno = number;
    return pz_fail_sys(err, "cannot listen at %s", text);
}

static bool
set_option(int fd, int level, int option)
{
    int on = 1;
    return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

enum pz_status
pz_http_bind(const struct sockaddr_storage *address, int *listener_out, struct pz_error *err)
{
    bool is_v6 = address->ss_family == AF_INET6;
    socklen_t len = is_v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    *listener_out = -1;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return fail_listener(address, err);
    }
    // Connections of a server that just ended do not keep the port, and [::] is IPv6 alone.
    if (!set_option(fd, SOL_SOCKET, SO_REUSEADDR) ||
        (is_v6 && !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY)) ||
        bind(fd, (const struct sockaddr *)address, len) != 0) {
        enum pz_status status = fail_listener(address, err);
        (void)close(fd);
        return status;
    }
    *listener_out = fd;
    return PZ_OK;
}

enum pz_status
pz__http_listen(const struct pz_http_options *options, struct pz_error *err)
{
    return listen(options->listener, SOMAXCONN) == 0 ? PZ_OK
                                                     : fail_listener(&options->address, err);
}
