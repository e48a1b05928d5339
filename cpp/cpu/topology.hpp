// The data caches that one core sees, and how many cores there are for us.
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

// CPUs that this process may use: its affinity mask, cut to its cgroup's quota. At least 1. Read
// once.
int usable_cpus();

// Whole CPUs that the quota of the process' cgroup allows, read again when what was read is more
// than a second old; a large number where there is none.
int cpu_quota();

}  // namespace tilewise::cpu
