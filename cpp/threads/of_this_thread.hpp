// What each thread keeps for itself from call to call.
//
// No thread_local: in a library that Python loads, its memory is allocated when the thread first
// touches it, and glibc ends the process if there is none.
#pragma once

#include <pthread.h>

#include <memory>
#include <new>

namespace tilewise::threads {

class ThreadKey {
 public:
  explicit ThreadKey(void (*destroy)(void*)) noexcept
      : made_(pthread_key_create(&key_, destroy) == 0) {}
  void* get() const { return made_ ? pthread_getspecific(key_) : nullptr; }
  void set(const void* value) const {
    if (!made_ || pthread_setspecific(key_, value) != 0) throw std::bad_alloc();
  }

 private:
  pthread_key_t key_;
  bool made_;
};

// Made when the library is loaded: at the first use, a fork could leave its child waiting for the
// thread that makes it.
template <class T>
inline const ThreadKey key_of([](void* value) { delete static_cast<T*>(value); });

// The calling thread's T, which it makes when it first asks and which ends with it. Throws
// std::bad_alloc.
template <class T>
T& of_this_thread() {
  if (void* existing = key_of<T>.get()) return *static_cast<T*>(existing);
  auto created = std::make_unique<T>();
  key_of<T>.set(created.get());
  return *created.release();
}

}  // namespace tilewise::threads
