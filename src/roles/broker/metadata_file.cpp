#include "roles/broker/metadata_file.h"
