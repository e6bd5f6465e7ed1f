# rmq_module(NAME SOURCES ... PUBLIC_HEADERS ... USES module... LIBRARIES target...)
# One static library per folder of src/. USES names the modules whose headers may be included
# (docs/architecture.md has the arrows); scripts/tidy.py reads USES and PUBLIC_HEADERS and fails on any other include.
function(rmq_module name)
  cmake_parse_arguments(M "" "" "SOURCES;PUBLIC_HEADERS;USES;LIBRARIES" ${ARGN})
  add_library(rmq_${name} STATIC ${M_SOURCES})
  target_include_directories(rmq_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  foreach(used IN LISTS M_USES)
    target_link_libraries(rmq_${name} PUBLIC rmq_${used})
  endforeach()
  target_link_libraries(rmq_${name} PUBLIC ${M_LIBRARIES})
endfunction()
