include(RmqFindLibrary)
rmq_find_library(Deflate libdeflate.h "deflate" rmq::deflate)
