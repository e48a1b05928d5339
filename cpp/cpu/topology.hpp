// The data caches that one core sees.
#pragma once

#include "base/types.hpp"

namespace tilewise::cpu {

struct Caches {
  index l1;  // bytes of the core's own first level
  index l2;  // bytes of the core's own second level
  index l3;  // bytes of the last level, shared
};

// Read from the system once; a level that it does not tell gets a common size.
const Caches& caches();

}  // namespace tilewise::cpu
