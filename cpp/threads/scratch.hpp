// Memory for what a call packs or computes aside.
#pragma once

#include "base/aligned_buffer.hpp"
#include "threads/of_this_thread.hpp"

namespace tilewise::threads {

// Room for `count` elements while it lives: in a buffer of the calling thread, which keeps it for
// the next call, or where all that a thread keeps would be too much, in one that is given back.
// Throws std::bad_alloc.
template <class T>
class Scratch {
 public:
  Scratch(AlignedBuffer& own, index count) {
    auto& kept = of_this_thread<Kept>().bytes;
    const index before = own.capacity();
    const index more = AlignedBuffer::capacity_for<T>(count) - before;
    const bool keep = more <= 0 || kept + more <= most_kept_bytes;
    data_ = (keep ? own : given_back_).template reserve<T>(count);
    if (keep) kept += own.capacity() - before;
  }

  T* data() const { return data_; }

 private:
  static constexpr index most_kept_bytes = index{32} << 20;
  struct Kept {
    index bytes = 0;  // in all buffers of the thread
  };

  AlignedBuffer given_back_;
  T* data_;
};

}  // namespace tilewise::threads
