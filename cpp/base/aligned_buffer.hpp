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
    const index bytes = capacity_for<T>(count);
    if (bytes > capacity_) grow(bytes);
    return static_cast<T*>(data_);
  }

  index capacity() const { return capacity_; }

  // Bytes that so many elements take, in whole pages. Throws std::bad_alloc.
  template <class T>
  static index capacity_for(index count) {
    constexpr index size = sizeof(T);
    if (count > std::numeric_limits<index>::max() / 2 / size) throw std::bad_alloc();
    const index page = page_for(count * size);
    return (count * size + page - 1) / page * page;
  }

 private:
  static constexpr index huge_page = index{2} << 20;

  static index page_for(index bytes) { return bytes < huge_page ? 4096 : huge_page; }

  void grow(index bytes) {
    const index page = page_for(bytes);
    void* data = std::aligned_alloc(page, bytes);
    if (data == nullptr) throw std::bad_alloc();
#if defined(__linux__)
    if (page == huge_page) madvise(data, bytes, MADV_HUGEPAGE);
#endif
    std::free(data_);
    data_ = data;
    capacity_ = bytes;
  }

  void* data_ = nullptr;
  index capacity_ = 0;  // bytes
};

}  // namespace tilewise
