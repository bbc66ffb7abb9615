# SPDX-License-Identifier: Apache-2.0
# Read by cpack before anything is staged: refuses a tree that would put files where Debian does not look, dates
# everything in the packages by the changelog, and works out what they depend on.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()
if(NOT CPACK_CFDTBD_LIBDIR STREQUAL "/usr/lib/${CPACK_CFDTBD_ARCHITECTURE}")
  message(FATAL_ERROR "The libraries are for ${CPACK_CFDTBD_LIBDIR}: packages come from a tree for "
                      "/usr/lib/${CPACK_CFDTBD_ARCHITECTURE} (packaging/debian.sh configures one)")
endif()

function(run output)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${scratch} RESULT_VARIABLE result OUTPUT_VARIABLE said
                  ERROR_VARIABLE error OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGN}: ${result} ${error}")
  endif()
  set(${output} "${said}" PARENT_SCOPE)
endfunction()

set(scratch ${CPACK_PACKAGE_DIRECTORY}/dependencies) # dpkg-shlibdeps reads debian/control where it runs
file(MAKE_DIRECTORY ${scratch}/debian)
file(WRITE ${scratch}/debian/control "")
run(seconds dpkg-parsechangelog -l ${CPACK_CFDTBD_SOURCE}/packaging/debian/changelog -S Timestamp)
set(ENV{SOURCE_DATE_EPOCH} ${seconds})

set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # it would come before each description

# Libraries of ours and of CUDA's are found, but belong to no package: the first are written in cmake/packages.cmake,
# the others are said in the description.
set(folders "")
foreach(folder ${CPACK_CFDTBD_LIBRARY_FOLDERS})
  list(APPEND folders -l${folder})
endforeach()
foreach(group ${CPACK_CFDTBD_GROUPS})
  set(binary ${CPACK_CFDTBD_${group}_BINARY})
  if(binary)
    run(line dpkg-shlibdeps ${folders} --ignore-missing-info -O -e${binary})
    string(REGEX REPLACE "^shlibs:Depends=" "" line "${line}")
    set(depends ${CPACK_DEBIAN_${group}_PACKAGE_DEPENDS} ${line})
    list(JOIN depends ", " CPACK_DEBIAN_${group}_PACKAGE_DEPENDS)
    run(dynamic readelf -d ${binary})
    string(REGEX MATCHALL "lib(cu|nv)[a-zA-Z]+[.]so[.0-9]*" cuda "${dynamic}")
    list(JOIN cuda ", " cuda)
    string(REPLACE "@CUDA_LIBRARIES@" "${cuda}" CPACK_DEBIAN_${group}_DESCRIPTION "${CPACK_DEBIAN_${group}_DESCRIPTION}")
  endif()
endforeach()
