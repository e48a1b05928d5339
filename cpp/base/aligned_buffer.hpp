// Scratch memory on a 2 MiB boundary, in huge pages where the system grants them: a packed block
// then costs one or two entries of the address translation cache.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "base/types.hpp"

namespace tilewise {

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  ~AlignedBuffer() { std::free(data_); }

  // At least `count` elements, contents undefined; keeps its memory from one call to the next.
  // Throws std::bad_alloc and keeps what it had.
  template <class T>
  T* reserve(index count) {
    if (count > std::numeric_limits<index>::max() / 2 / static_cast<index>(sizeof(T))) {
      throw std::bad_alloc();
    }
    grow(static_cast<std::size_t>(count) * sizeof(T));
    return static_cast<T*>(data_);
  }

 private:
  static constexpr std::size_t huge_page = std::size_t{2} << 20;
  static constexpr std::size_t small_page = 4096;

  void grow(std::size_t bytes) {
    if (bytes <= capacity_) return;
    const std::size_t alignment = bytes < huge_page ? small_page : huge_page;
    const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    void* data = std::aligned_alloc(alignment, rounded);
    if (data == nullptr) throw std::bad_alloc();
#if defined(__linux__)
    if (alignment == huge_page) madvise(data, rounded, MADV_HUGEPAGE);
#endif
    std::free(data_);
    data_ = data;
    capacity_ = rounded;
  }

  void* data_ = nullptr;
  std::size_t capacity_ = 0;
};

}  // namespace tilewise
