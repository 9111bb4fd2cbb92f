/* Compiling this file checks the header's layout assertions with the package's own C compiler. */
#include "aib_plugin.h"
