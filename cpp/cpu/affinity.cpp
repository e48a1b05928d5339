#include "cpu/affinity.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

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

ThreadId thread_id() { return static_cast<ThreadId>(syscall(SYS_gettid)); }

bool set_affinity(ThreadId thread, const Mask& mask) {
  return CPU_COUNT(&mask.cpus) == 0 ||
         sched_setaffinity(thread, sizeof(mask.cpus), &mask.cpus) == 0;
}

void move_from(int cpu, ThreadId thread, const Mask& mask) {
  Mask others = mask;
  CPU_CLR(cpu, &others.cpus);
  if (CPU_COUNT(&others.cpus) > 0 && set_affinity(thread, others)) set_affinity(thread, mask);
}

int current_cpu() { return sched_getcpu(); }

#else

Mask affinity() { return {std::max(static_cast<int>(std::thread::hardware_concurrency()), 1)}; }
ThreadId thread_id() { return calling_thread; }
bool set_affinity(ThreadId, const Mask&) { return true; }
void move_from(int, ThreadId, const Mask&) {}
int current_cpu() { return -1; }

#endif

int niceness() { return getpriority(PRIO_PROCESS, 0); }

void take_ordinary_policy() {
  const sched_param none = {};
  pthread_setschedparam(pthread_self(), SCHED_OTHER, &none);
}

}  // namespace tilewise::cpu
