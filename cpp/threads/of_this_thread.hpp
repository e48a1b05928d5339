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
  explicit ThreadKey(void (*destroy)(void*)) {
    if (pthread_key_create(&key_, destroy) != 0) throw std::bad_alloc();
  }
  void* get() const { return pthread_getspecific(key_); }
  void set(const void* value) const {
    if (pthread_setspecific(key_, value) != 0) throw std::bad_alloc();
  }

 private:
  pthread_key_t key_;
};

// The calling thread's T, which it makes when it first asks and which ends with it. Throws
// std::bad_alloc.
template <class T>
T& of_this_thread() {
  static const ThreadKey key([](void* value) { delete static_cast<T*>(value); });
  if (void* existing = key.get()) return *static_cast<T*>(existing);
  auto created = std::make_unique<T>();
  key.set(created.get());
  return *created.release();
}

}  // namespace tilewise::threads
