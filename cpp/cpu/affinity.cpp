#include "cpu/affinity.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <thread>

namespace tilewise::cpu {

#if defined(__linux__)

Mask affinity() {
  Mask mask;
  if (sched_getaffinity(0, sizeof(mask.cpus), &mask.cpus) == 0) {
    mask.count = CPU_COUNT(&mask.cpus);
  } else {  // more CPUs than a cpu_set_t has
    mask.count = std::max(static_cast<int>(std::thread::hardware_concurrency()), 1);
  }
  return mask;
}

bool set_affinity(const Mask& mask) {
  return CPU_COUNT(&mask.cpus) == 0 || sched_setaffinity(0, sizeof(mask.cpus), &mask.cpus) == 0;
}

int current_cpu() { return sched_getcpu(); }

void leave_cpu(int cpu) {
  if (cpu < 0 || sched_getcpu() != cpu) return;
  const Mask all = affinity();
  Mask others = all;
  CPU_CLR(cpu, &others.cpus);
  if (CPU_COUNT(&others.cpus) > 0 && set_affinity(others)) set_affinity(all);
}

#else

Mask affinity() { return {std::max(static_cast<int>(std::thread::hardware_concurrency()), 1)}; }
bool set_affinity(const Mask&) { return true; }
int current_cpu() { return -1; }
void leave_cpu(int) {}

#endif

int niceness() { return getpriority(PRIO_PROCESS, 0); }

void take_ordinary_policy() {
  const sched_param none = {};
  pthread_setschedparam(pthread_self(), SCHED_OTHER, &none);
}

}  // namespace tilewise::cpu
