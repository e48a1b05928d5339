// The threads that share one product or one batch. They start when first needed, sleep when idle,
// and are not inherited by a forked child, which starts its own.
#pragma once

#include <cstdint>

namespace tilewise::threads {

class Pool;

// The most threads that a call may use, the caller's own included: the process's number. At first
// the CPUs that it may use.
int get_num_threads();
void set_num_threads(int count);

// While it lives, the calling thread computes: other callers have one thread less.
class Caller {
 public:
  // The most threads for the caller; 0: the process's number. Within the Caller of another call,
  // whose callback made this one, it is still one caller. Throws std::bad_alloc.
  explicit Caller(int most_threads);
  ~Caller();
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

 private:
  std::intptr_t outer_role_;
  Pool* counted_in_;
};

// How many of `wanted` threads are free now, the calling one included: planners ask, and so does
// the pool. No more than the caller's number, the CPUs of its affinity mask and its cgroup's quota,
// less the other callers; 1 while the pool is at work. Reads nothing for one thread.
int free_threads(int wanted);

// Calls task(context, i) for i = 0 .. parts - 1, and returns when all are done. Parts are claimed,
// in their order, by the caller and by each free thread that is awake, so a few parts a thread even
// out what else the CPUs do; the caller never waits for a part that nobody has begun. If the pool
// is at work already, for another thread or for a task that calls this again, the caller does every
// part itself. All parts compute in the caller's rounding mode, and their floating-point exceptions
// are raised on the caller. Tasks do not throw.
void run(int parts, void (*task)(void* context, int part), void* context);

template <class Task>
void for_each_part(int parts, const Task& task) {
  if (parts == 1) return task(0);
  run(
      parts, [](void* context, int part) { (*static_cast<const Task*>(context))(part); },
      const_cast<Task*>(&task));
}

// For tests of more threads than CPUs: the CPUs count as so many, whatever mask and quota say. 0:
// they count as they are.
void assume_cpus(int count);

}  // namespace tilewise::threads
