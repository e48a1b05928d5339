// Python's signals, while the engine computes without the GIL.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "bindings/gil.hpp"
#include "sgd/poll_counter.hpp"

namespace tilewise::bindings {

// Whether Ctrl-C was pressed, or another signal's handler raised.
class Signals {
 public:
  // Calls call(interrupted) without the GIL.
  template <class Call>
  auto without_gil(const Call& call) {
    const GilRelease release;
    return call([this] { return poll(); });
  }

  // Takes what Ctrl-C raised elsewhere.
  void take(const pybind11::error_already_set& error) {
    error_ = std::make_shared<pybind11::error_already_set>(error);
  }

  void rethrow() const {
    if (error_) throw *error_;
  }

  // What was raised, to be raised in Python; or None.
  pybind11::object raised() const {
    if (!error_) return pybind11::none();
    if (error_->trace()) PyException_SetTraceback(error_->value().ptr(), error_->trace().ptr());
    return error_->value();
  }

 private:
  bool poll() {
    if (error_) return true;
    const GilAcquire acquire;
    const bool raised = sleep_if_python_is_gone([] { return PyErr_CheckSignals() != 0; });
    if (raised) error_ = std::make_shared<pybind11::error_already_set>();
    return raised;
  }

  std::shared_ptr<pybind11::error_already_set> error_;
};

// The result of call(interrupted), without the GIL; or raises what a signal raised.
template <class Call>
auto interruptible(const Call& call) {
  Signals signals;
  const auto result = signals.without_gil(call);
  signals.rethrow();
  return result;
}

}  // namespace tilewise::bindings
