# Language level, warnings and sanitizers for every target of the project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(RMQ_CCACHE ccache)
if(RMQ_CCACHE)
  # Relative paths, so that another checkout finds what this one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${RMQ_CCACHE})
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-Wthread-safety)
  # clang 14 has coroutines, but Asio 1.22 does not recognise them by itself.
  add_compile_definitions(ASIO_HAS_CO_AWAIT=1)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_compile_options(-Wno-restrict)  # false alarms on "literal" + std::string (GCC bug 105651)
endif()
add_compile_definitions(ASIO_STANDALONE ASIO_NO_DEPRECATED)

if(RMQ_SANITIZE)
  add_compile_options(-fsanitize=${RMQ_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${RMQ_SANITIZE})
  # Asio 1.22 finds aligned_alloc or not, depending on what was included before it; sanitizers see the mixture.
  add_compile_definitions(ASIO_DISABLE_STD_ALIGNED_ALLOC)
  if(RMQ_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize=function,vptr)
  endif()
endif()

if(RMQ_STATIC)
  # Whole, and still loaded at a random address.
  add_link_options(-static-pie)
endif()

if(RMQ_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
