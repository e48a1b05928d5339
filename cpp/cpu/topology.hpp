// The data caches that one core sees, and how many cores there are for us.
#pragma once

#if defined(__linux__)
#include <sched.h>
#endif

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

// The CPU that the calling thread is on, or -1.
int current_cpu();

// Where one thread may run. The scheduler likes to wake a thread on the CPU of the one that woke
// it, and to leave both there for milliseconds.
class Affinity {
 public:
  // If the calling thread, always the same, is on this CPU, moves it to another that it may use,
  // where it stays until a later call finds it beside the caller again.
  void leave_cpu(int cpu);

#if defined(__linux__)
 private:
  // What the thread may use is its mask, unless that is the one set here.
  cpu_set_t allowed_{};
  cpu_set_t narrowed_{};
#endif
};

}  // namespace tilewise::cpu
