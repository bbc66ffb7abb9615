# SPDX-License-Identifier: Apache-2.0
# Packages (docs/packaging.md): Debian's by `cpack`, from a tree configured as packaging/debian.sh does it; the sources by
# `cmake --build BUILD --target package_source`.
file(STRINGS packaging/debian/changelog entry LIMIT_COUNT 1)
if(NOT entry MATCHES "^cfdtbd \\((([0-9.]+)-([0-9]+))\\) ")
  message(FATAL_ERROR "packaging/debian/changelog does not begin with an entry: ${entry}")
endif()
set(debian_version ${CMAKE_MATCH_1})
set(CPACK_DEBIAN_PACKAGE_RELEASE ${CMAKE_MATCH_3})
if(NOT CMAKE_MATCH_2 STREQUAL PROJECT_VERSION)
  message(FATAL_ERROR "The project is ${PROJECT_VERSION}, but packaging/debian/changelog begins with ${CMAKE_MATCH_2}")
endif()
file(STRINGS packaging/debian/changelog signature REGEX "^ -- " LIMIT_COUNT 1)
string(REGEX REPLACE "^ -- (.*>)  .*$" "\\1" CPACK_DEBIAN_PACKAGE_MAINTAINER "${signature}")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME cfdtbd)
set(CPACK_PACKAGE_VENDOR libcfdtbd)
set(CPACK_PACKAGE_CONTACT "${CPACK_DEBIAN_PACKAGE_MAINTAINER}")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_SET_DESTDIR ON) # what is installed knows /usr as its place, not the folder it is staged in
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
    WORLD_EXECUTE)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_THREADS 0)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/packaging/begin.cmake)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/packaging/stage.cmake)

# For the two scripts.
set(CPACK_CFDTBD_STRIP ${CMAKE_STRIP})
set(CPACK_CFDTBD_SOURCE ${PROJECT_SOURCE_DIR})
set(CPACK_CFDTBD_LIBDIR ${CMAKE_INSTALL_FULL_LIBDIR})
set(CPACK_CFDTBD_ARCHITECTURE ${CMAKE_LIBRARY_ARCHITECTURE})
set(CPACK_CFDTBD_LIBRARY_FOLDERS ${PROJECT_BINARY_DIR}/lib ${CFDTBD_CUDA_FOLDER})

# package(GROUP NAME SECTION MULTIARCH DEPENDS [BINARY]): the components of a group become one package, described in
# packaging/debian/NAME.txt; it depends on what the file BINARY of the build links, too.
macro(package group name section multiarch depends)
  string(TOUPPER ${group} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name})
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION "${section}\nMulti-Arch: ${multiarch}") # which CPack knows from 3.31 on
  set(CPACK_DEBIAN_${upper}_PACKAGE_PRIORITY optional)
  set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS "${depends}")
  file(READ packaging/debian/${name}.txt CPACK_DEBIAN_${upper}_DESCRIPTION)
  set(CPACK_CFDTBD_${upper}_BINARY ${ARGN})
  list(APPEND CPACK_CFDTBD_GROUPS ${upper})
endmacro()
set(CPACK_COMPONENTS_ALL runtime development documentation)
set(CPACK_COMPONENT_DEVELOPMENT_GROUP dev)
set(CPACK_COMPONENT_DOCUMENTATION_GROUP dev)
package(runtime libcfdtbd${PROJECT_VERSION_MAJOR} libs same "" ${PROJECT_BINARY_DIR}/lib/libcfdtbd.so)
file(WRITE ${PROJECT_BINARY_DIR}/package/shlibs
     "libcfdtbd ${PROJECT_VERSION_MAJOR} libcfdtbd${PROJECT_VERSION_MAJOR} (>= ${PROJECT_VERSION})\n")
file(WRITE ${PROJECT_BINARY_DIR}/package/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/package/shlibs ${PROJECT_BINARY_DIR}/package/triggers)
package(dev libcfdtbd-dev libdevel same "libcfdtbd${PROJECT_VERSION_MAJOR} (= ${debian_version})")
if(CFDTBD_DENSE_NAME STREQUAL "dnnl")
  set(CPACK_DEBIAN_DEV_PACKAGE_RECOMMENDS libdnnl-dev)
endif()
if(CFDTBD_EXAMPLES)
  list(APPEND CPACK_COMPONENTS_ALL tools)
  package(tools cfdtbd-tools science foreign "libcfdtbd${PROJECT_VERSION_MAJOR} (>= ${PROJECT_VERSION})"
          ${PROJECT_BINARY_DIR}/examples/cfdtbd)
endif()
if(CFDTBD_CUDA_FILE)
  list(APPEND CPACK_COMPONENTS_ALL cuda)
  package(cuda libcfdtbd${PROJECT_VERSION_MAJOR}-cuda contrib/libs same
          "libcfdtbd${PROJECT_VERSION_MAJOR} (= ${debian_version})" ${CFDTBD_CUDA_FILE})
endif()
include(CPack)
# Where this is, CMake has a package_source of its own, which packs all that lies in the folder.
file(REMOVE ${PROJECT_BINARY_DIR}/CPackSourceConfig.cmake)
add_custom_target(package_source VERBATIM COMMAND sh ${PROJECT_SOURCE_DIR}/packaging/source.sh
  ${PROJECT_VERSION} ${PROJECT_BINARY_DIR}/cfdtbd-${PROJECT_VERSION}.tar.gz)
