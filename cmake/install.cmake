# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where, in components: runtime (the shared library), development (headers, archive, cfdtbd.pc,
# the CMake package), tools (the program), cuda (the plugin), documentation.
include(CMakePackageConfigHelpers)

# ---- the libraries, the headers and the CMake package ----
foreach(target cfdtbd cfdtbd_static)
  target_include_directories(${target} PUBLIC $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
install(TARGETS cfdtbd EXPORT cfdtbdTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development)
install(TARGETS cfdtbd_static EXPORT cfdtbdStaticTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(FILES include/cfdtbd.h include/cfdtbd_serving.h include/cfdtbd.hpp include/cfdtbd_serving.hpp
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/cfdtbd)
foreach(set cfdtbdTargets cfdtbdStaticTargets) # two: a program that links the shared library needs nothing of the archive's
  install(EXPORT ${set} NAMESPACE cfdtbd:: DESTINATION ${package_folder} COMPONENT development)
endforeach()

# ---- what a program that links the archive needs besides: CFDTBD_DENSE_LIBRARIES, by name ----
# A folder is written down where the linker would not look by itself.
set(dense_names "")
set(dense_flags "")
set(dense_folders "")
foreach(library ${CFDTBD_DENSE_LIBRARIES})
  get_filename_component(name ${library} NAME)
  string(REGEX REPLACE "^lib(.+)\\.(so|a)[.0-9]*$" "\\1" name ${name})
  get_filename_component(folder ${library} DIRECTORY)
  if(folder AND NOT folder IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
    list(APPEND dense_folders ${folder})
    list(APPEND dense_flags -L${folder})
  endif()
  list(APPEND dense_names ${name})
  list(APPEND dense_flags -l${name})
endforeach()
list(POP_FRONT dense_names CFDTBD_DENSE_NAME)
list(JOIN dense_names " " CFDTBD_DENSE_BESIDES)
set(CFDTBD_DENSE_FOLDERS "${dense_folders}")
list(JOIN dense_flags " " CFDTBD_PRIVATE_LIBS)
string(APPEND CFDTBD_PRIVATE_LIBS " -lpthread -ldl -lm")
if(dense_folders AND NOT DEFINED CMAKE_INSTALL_RPATH) # the shared library must find it, too
  set_target_properties(cfdtbd PROPERTIES INSTALL_RPATH "${dense_folders}")
endif()

configure_package_config_file(cmake/cfdtbdConfig.cmake.in ${PROJECT_BINARY_DIR}/package/cfdtbdConfig.cmake
  INSTALL_DESTINATION ${package_folder} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/cfdtbdConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/cfdtbdConfig.cmake ${PROJECT_BINARY_DIR}/package/cfdtbdConfigVersion.cmake
        DESTINATION ${package_folder} COMPONENT development)

# ---- cfdtbd.pc, written when installing: only then is the prefix known (cmake --install BUILD --prefix ...) ----
configure_file(cmake/install_pc.cmake.in ${PROJECT_BINARY_DIR}/package/install_pc.cmake @ONLY)
install(SCRIPT ${PROJECT_BINARY_DIR}/package/install_pc.cmake COMPONENT development)

# ---- how the program finds the library: by itself where the system does ----
set(CFDTBD_PROGRAM_RPATH "")
if(NOT CMAKE_INSTALL_FULL_LIBDIR IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
  if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_BINDIR}")
    set(CFDTBD_PROGRAM_RPATH ${CMAKE_INSTALL_FULL_LIBDIR})
  else()
    file(RELATIVE_PATH up ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
    set(CFDTBD_PROGRAM_RPATH "$ORIGIN/${up}")
  endif()
endif()

# ---- to read ----
if(NOT CMAKE_SOURCE_DIR STREQUAL PROJECT_SOURCE_DIR)
  return() # another project's documentation is its own
endif()
file(GLOB pages CONFIGURE_DEPENDS docs/*.md)
file(GLOB figures CONFIGURE_DEPENDS docs/figures/*.svg)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT documentation)
install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs COMPONENT documentation)
install(FILES ${figures} DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs/figures COMPONENT documentation)
file(GLOB commands CONFIGURE_DEPENDS docs/man/*.1)
file(GLOB functions CONFIGURE_DEPENDS docs/man/*.3)
install(FILES ${commands} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tools)
install(FILES ${functions} DESTINATION ${CMAKE_INSTALL_MANDIR}/man3 COMPONENT development)
