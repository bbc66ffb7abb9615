# SPDX-License-Identifier: Apache-2.0
# The target `coverage`, in a tree compiled with gcc's --coverage (the preset of that name): what the tests that have
# been run in it ran of the library and the program, as coverage/index.html and as a summary.
find_program(GCOVR gcovr)
if(NOT GCOVR)
  message(STATUS "No gcovr: there is no report of coverage")
  return()
endif()
set(coverage_report ${PROJECT_BINARY_DIR}/coverage/index.html)
add_custom_target(coverage VERBATIM WORKING_DIRECTORY ${PROJECT_BINARY_DIR}
  COMMAND ${CMAKE_COMMAND} -E make_directory coverage
  COMMAND ${GCOVR} --root ${PROJECT_SOURCE_DIR} --filter ${PROJECT_SOURCE_DIR}/lib/
          --filter ${PROJECT_SOURCE_DIR}/examples/cfdtbd/ --filter ${PROJECT_SOURCE_DIR}/include/
          --html-details ${coverage_report} --print-summary ${PROJECT_BINARY_DIR}
  COMMAND ${CMAKE_COMMAND} -E echo ${coverage_report})
