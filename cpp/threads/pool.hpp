// The threads that share one product or one batch. They start when first needed, sleep when idle,
// and are not inherited by a forked child, which starts its own.
#pragma once

#include "base/types.hpp"

namespace tilewise::threads {

// The most threads that one call may use, the caller's own included. At first the CPUs that this
// process may use.
int get_num_threads();
void set_num_threads(int count);

// Calls task(context, i) for i = 0 .. parts - 1, part 0 on the calling thread, and returns when all
// are done. If the pool is at work already, for another thread or for a task that calls this again,
// the caller does every part itself. Callers that come together share the CPUs: each other one is a
// helper less. All parts compute in the caller's rounding mode, and their
// floating-point exceptions are raised on the caller. Tasks do not throw.
void run(int parts, void (*task)(void* context, int part), void* context);

template <class Task>
void for_each_part(int parts, const Task& task) {
  if (parts == 1) return task(0);
  run(
      parts, [](void* context, int part) { (*static_cast<const Task*>(context))(part); },
      const_cast<Task*>(&task));
}

}  // namespace tilewise::threads
