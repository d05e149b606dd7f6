# SPDX-License-Identifier: Apache-2.0
# Tests written in Python against the built program.
#
#     pz_python_test(http.10_messages 10_messages.py [TIMEOUT seconds] [LABELS …] [ARGS …])
#
# Without Python the tests are listed all the same, and fail when run: a build for use needs none.
find_package(Python3 QUIET COMPONENTS Interpreter)
if(NOT Python3_EXECUTABLE)
    set(Python3_EXECUTABLE python3)
endif()

function(pz_python_test name script)
    cmake_parse_arguments(arg "" "TIMEOUT" "LABELS;ARGS" ${ARGN})
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 120)
    endif()
    add_test(NAME ${name}
        COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${arg_ARGS})
    set_tests_properties(${name} PROPERTIES
        TIMEOUT ${arg_TIMEOUT}
        LABELS "blackbox;${arg_LABELS}"
        ENVIRONMENT "PLAZA_BIN=$<TARGET_FILE:plaza>")
endfunction()
