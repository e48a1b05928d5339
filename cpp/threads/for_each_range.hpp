// Work on many like things, shared by the threads.
#pragma once

#include <atomic>
#include <new>

#include "base/split.hpp"
#include "threads/pool.hpp"

namespace tilewise::threads {

// Calls task(begin, end) for as many ranges as parts, which make up 0 .. count - 1. If one of them
// throws std::bad_alloc, so does this, after the others.
template <class Task>
void for_each_range(index count, const Parts& parts, const Task& task) {
  if (parts.count <= 1) return task(index{0}, count);
  const EvenSplit ranges = {count, parts.count};
  std::atomic<bool> out_of_memory = false;
  for_each_part(parts, [&](int part) {
    try {
      task(ranges.begin(part), ranges.begin(part + 1));
    } catch (const std::bad_alloc&) {
      out_of_memory = true;
    }
  });
  if (out_of_memory) throw std::bad_alloc();
}

}  // namespace tilewise::threads
