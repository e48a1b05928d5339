// On which CPUs the calling thread may run, on which it is, and with what priority.
#pragma once

#if defined(__linux__)
#include <sched.h>
#endif

namespace tilewise::cpu {

// The CPUs of a thread; where the system does not tell, they are only counted.
struct Mask {
  int count = 0;
#if defined(__linux__)
  cpu_set_t cpus = {};

  bool operator==(const Mask& other) const { return CPU_EQUAL(&cpus, &other.cpus); }
#else
  bool operator==(const Mask&) const { return true; }
#endif
};

Mask affinity();  // of the calling thread

// What the system calls a thread.
using ThreadId = int;
constexpr ThreadId calling_thread = 0;
ThreadId thread_id();  // of the calling thread

// False, and nothing changed, if the system refuses.
bool set_affinity(ThreadId thread, const Mask& mask);
// Moves a thread away from a CPU, even one that waits there for its turn. Its mask, which is this
// one, is the same afterwards. Nothing happens if it has no other CPU.
void move_from(int cpu, ThreadId thread, const Mask& mask);

// The CPU that the calling thread is on, or -1.
int current_cpu();

// How much the calling thread leaves to others: -20 to 19.
int niceness();
// Gives the calling thread the ordinary scheduling policy, where the system lets it.
void take_ordinary_policy();

}  // namespace tilewise::cpu
