# SPDX-License-Identifier: Apache-2.0
# Language level, include root and warnings of plaza's own code, in one place.
set(PLAZA_SANITIZE "" CACHE STRING "comma-separated list given to -fsanitize, or empty")
option(PLAZA_HARDEN "compile and link with the hardening flags of a release" OFF)

add_library(plaza_flags INTERFACE)
target_include_directories(plaza_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
target_compile_definitions(plaza_flags INTERFACE _GNU_SOURCE PLAZA_VERSION="${PROJECT_VERSION}")
target_compile_options(plaza_flags INTERFACE
    -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wformat=2 -Wvla -Wundef
    -Wstrict-prototypes -Wmissing-prototypes -Werror -fno-omit-frame-pointer -fno-math-errno)
if(PLAZA_SANITIZE)
    target_compile_options(plaza_flags INTERFACE -fsanitize=${PLAZA_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(plaza_flags INTERFACE -fsanitize=${PLAZA_SANITIZE})
endif()
if(PLAZA_HARDEN)
    target_compile_options(plaza_flags INTERFACE
        -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection
        -fcf-protection -fPIE)
    target_link_options(plaza_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed)
endif()
