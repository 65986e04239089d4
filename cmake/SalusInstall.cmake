# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where: programs, libsalus, its header and
# packages, the .proto files, man pages, the systemd unit, examples.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(libsalus_parts salus_client salus_net salus_transactions salus_crypto
  salus_proto salus_consensus salus_proto_generated)

# The shared library: the objects of the client, and of the rest what they use.
add_library(salus_shared SHARED $<TARGET_OBJECTS:salus_client>)
target_link_libraries(salus_shared PRIVATE ${libsalus_parts} salus_nng
  salus_mbedtls PkgConfig::SODIUM PkgConfig::PROTOBUF_C Threads::Threads)
target_link_options(salus_shared PRIVATE
  -Wl,--version-script=${CMAKE_SOURCE_DIR}/packaging/salus.map -Wl,--no-undefined)
target_include_directories(salus_shared INTERFACE
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
set_target_properties(salus_shared PROPERTIES OUTPUT_NAME salus
  EXPORT_NAME salus VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}
  LINK_DEPENDS ${CMAKE_SOURCE_DIR}/packaging/salus.map)

# The static one: all parts in one archive.
set(libsalus_a ${CMAKE_BINARY_DIR}/libsalus.a)
set(script ${CMAKE_BINARY_DIR}/libsalus.mri)
set(lines "create ${libsalus_a}\n")
foreach(part ${libsalus_parts})
  string(APPEND lines "addlib $<TARGET_FILE:${part}>\n")
endforeach()
file(GENERATE OUTPUT ${script} CONTENT "${lines}save\nend\n")
add_custom_command(OUTPUT ${libsalus_a}
  COMMAND ${CMAKE_COMMAND} -E rm -f ${libsalus_a}
  COMMAND sh -c "${CMAKE_AR} -M < ${script}"
  DEPENDS ${libsalus_parts} VERBATIM)
add_custom_target(salus_archive ALL DEPENDS ${libsalus_a})

# Man pages out of the programs' own help.
set(pages ${CMAKE_BINARY_DIR}/man)
file(MAKE_DIRECTORY ${pages})
set(help2man ${CMAKE_SOURCE_DIR}/packaging/help2man.sh)
add_custom_command(OUTPUT ${pages}/salus.1
  COMMAND sh -c "$<TARGET_FILE:salus> help --man > ${pages}/salus.1"
  DEPENDS salus VERBATIM)
add_custom_command(OUTPUT ${pages}/salusd.8
  COMMAND sh -c "sh ${help2man} $<TARGET_FILE:salusd> salusd 8 \
${PROJECT_VERSION} 'one replica of a Salus consortium' > ${pages}/salusd.8"
  DEPENDS salusd ${help2man} VERBATIM)
add_custom_command(OUTPUT ${pages}/salus-sim.1
  COMMAND sh -c "sh ${help2man} $<TARGET_FILE:salus-sim> salus-sim 1 \
${PROJECT_VERSION} 'simulate whole consortiums, faults included' > ${pages}/salus-sim.1"
  DEPENDS salus-sim ${help2man} VERBATIM)
add_custom_target(salus_man ALL
  DEPENDS ${pages}/salus.1 ${pages}/salusd.8 ${pages}/salus-sim.1)

configure_file(packaging/salus.pc.in ${CMAKE_BINARY_DIR}/salus.pc @ONLY)
configure_package_config_file(packaging/salusConfig.cmake.in
  ${CMAKE_BINARY_DIR}/salusConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/salus)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/salusConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)

install(TARGETS salus salus-sim RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS salusd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS salus_shared EXPORT salusTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT salusTargets NAMESPACE salus::
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/salus)
install(FILES ${libsalus_a} DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES client/salus.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_BINARY_DIR}/salus.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${CMAKE_BINARY_DIR}/salusConfig.cmake
  ${CMAKE_BINARY_DIR}/salusConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/salus)
install(DIRECTORY proto/salus DESTINATION ${CMAKE_INSTALL_DATADIR}/salus/proto
  FILES_MATCHING PATTERN "*.proto")
install(FILES ${pages}/salus.1 ${pages}/salus-sim.1
  DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${pages}/salusd.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
# It names program and runbook: by the prefix of the installation, which may be another
# one than that of the configuration.
install(CODE "
  set(CMAKE_INSTALL_FULL_SBINDIR
    \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_SBINDIR}\")
  set(CMAKE_INSTALL_FULL_DATADIR
    \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}\")
  configure_file(\"${CMAKE_SOURCE_DIR}/packaging/salusd@.service\"
    \"${CMAKE_BINARY_DIR}/salusd@.service\" @ONLY)")
install(FILES ${CMAKE_BINARY_DIR}/salusd@.service
  DESTINATION lib/systemd/system)
install(DIRECTORY examples/ DESTINATION ${CMAKE_INSTALL_DATADIR}/salus/examples)
install(FILES LICENSE README.md ARCHITECTURE.md CONTRIBUTING.md
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/salus)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/salus
  FILES_MATCHING PATTERN "*.md")
