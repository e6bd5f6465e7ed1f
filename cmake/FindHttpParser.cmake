include(RmqFindLibrary)
rmq_find_library(HttpParser http_parser.h "http_parser" rmq::http_parser)
