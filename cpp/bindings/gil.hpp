// The interpreter lock, let go and taken back by threads that may outlive the interpreter.
//
// CPython before 3.14 ends a thread that takes the lock when the interpreter has begun to shut
// down: it unwinds the thread's stack, and a destructor on it aborts the process. Here such a
// thread sleeps until the process ends, as in CPython 3.14.
#pragma once

#include <pybind11/pybind11.h>
#include <unistd.h>

#include <exception>

#include "threads/pool.hpp"

namespace tilewise::bindings {

// Calls what takes the lock, or runs Python, which lets it go and takes it back.
template <class Call>
auto sleep_if_python_is_gone(const Call& call) {
  try {
    return call();
  } catch (...) {
    if (std::current_exception()) throw;
    for (;;) pause();  // the end of a thread is no C++ exception
  }
}

// The number that tilewise.threads() sets for the current context, or 0: the process's holds. Needs
// the lock.
int threads_of_context();

// The calling thread computes without the lock, with the number of threads of its context.
class GilRelease {
 public:
  GilRelease() : GilRelease(threads_of_context()) {}
  GilRelease(const GilRelease&) = delete;
  GilRelease& operator=(const GilRelease&) = delete;

 private:
  class Unlocked {
   public:
    Unlocked() = default;
    Unlocked(const Unlocked&) = delete;
    Unlocked& operator=(const Unlocked&) = delete;
    ~Unlocked() {
      sleep_if_python_is_gone([this] { PyEval_RestoreThread(state_); });
    }

   private:
    PyThreadState* state_ = PyEval_SaveThread();
  };

  explicit GilRelease(int most_threads) : caller_(most_threads) {}

  Unlocked unlocked_;
  threads::Caller caller_;  // ends first: who waits for the lock does not compute
};

class GilAcquire {
 public:
  GilAcquire() {
    sleep_if_python_is_gone([this] { state_ = PyGILState_Ensure(); });
  }
  GilAcquire(const GilAcquire&) = delete;
  GilAcquire& operator=(const GilAcquire&) = delete;
  ~GilAcquire() { PyGILState_Release(state_); }

 private:
  PyGILState_STATE state_;
};

}  // namespace tilewise::bindings
