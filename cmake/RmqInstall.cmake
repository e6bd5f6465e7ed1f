# What other projects get: the executable, and the C++ client as one static library with one header.
# find_package(rmq) then gives the target rmq::client; tests/install/ does that.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

add_library(rmq_sdk STATIC)
foreach(module base protocol net client)
  target_sources(rmq_sdk PRIVATE $<TARGET_OBJECTS:rmq_${module}>)
endforeach()
set_target_properties(rmq_sdk PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME rmq EXPORT_NAME client)
target_include_directories(rmq_sdk INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(rmq_sdk INTERFACE cxx_std_20)
target_link_libraries(rmq_sdk PRIVATE Threads::Threads ZLIB::ZLIB rmq::cares rmq::deflate rmq::lz4 rmq::xxhash rmq::zstd)

set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/rmq)
install(TARGETS rmq RUNTIME)
install(TARGETS rmq_sdk EXPORT rmqTargets ARCHIVE)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/rmq TYPE INCLUDE)
install(EXPORT rmqTargets NAMESPACE rmq:: DESTINATION ${package_directory})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/rmqConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/rmqConfig.cmake
                              INSTALL_DESTINATION ${package_directory})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/rmqConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/rmqConfig.cmake ${PROJECT_BINARY_DIR}/rmqConfigVersion.cmake
              ${PROJECT_SOURCE_DIR}/cmake/RmqFindLibrary.cmake ${PROJECT_SOURCE_DIR}/cmake/FindCAres.cmake
              ${PROJECT_SOURCE_DIR}/cmake/FindDeflate.cmake ${PROJECT_SOURCE_DIR}/cmake/FindLz4.cmake
              ${PROJECT_SOURCE_DIR}/cmake/FindXxHash.cmake ${PROJECT_SOURCE_DIR}/cmake/FindZstd.cmake
        DESTINATION ${package_directory})
