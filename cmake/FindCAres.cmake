include(RmqFindLibrary)
rmq_find_library(CAres ares.h "cares" rmq::cares)
