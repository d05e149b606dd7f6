# SPDX-License-Identifier: Apache-2.0
# Makes C arrays of the console's files.
#
#   cmake -DSOURCE_DIR=… -DFILES=a;b -DOUT_C=… -DOUT_H=… -P embed.cmake
set(header "// Generated from server/api/console; do not edit.\n#ifndef PZ_SERVER_API_CONSOLE_FILES_H\n#define PZ_SERVER_API_CONSOLE_FILES_H\n#include <stddef.h>\n")
set(source "// Generated from server/api/console; do not edit.\n#include \"server/api/console_files.h\"\n")
set(all "")
foreach(file ${FILES})
    string(MAKE_C_IDENTIFIER "${file}" name)
    file(READ "${SOURCE_DIR}/${file}" hex HEX)
    string(APPEND all "${hex}")
    string(LENGTH "${hex}" digits)
    math(EXPR len "${digits} / 2")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
    string(APPEND header "extern const unsigned char pz_console_${name}[];\nextern const size_t pz_console_${name}_len;\n")
    string(APPEND source "const unsigned char pz_console_${name}[] = {\n${bytes}};\nconst size_t pz_console_${name}_len = ${len};\n")
endforeach()
string(SHA256 hash "${all}")
string(SUBSTRING "${hash}" 0 16 hash)
string(APPEND header "#define PZ_CONSOLE_HASH \"${hash}\"\n#endif\n")
file(WRITE "${OUT_C}" "${source}")
file(WRITE "${OUT_H}" "${header}")
