// Python's signals, while the engine computes without the GIL.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "bindings/gil.hpp"
#include "sgd/problem.hpp"

namespace tilewise::bindings {

// Whether Ctrl-C was pressed, or another signal's handler raised; asked without the GIL.
class Signals {
 public:
  sgd::Interrupted asked() {
    return [this] {
      if (raised_) return true;
      const GilAcquire acquire;
      raised_ = sleep_if_python_is_gone([] { return PyErr_CheckSignals() != 0; });
      if (raised_) error_ = std::make_shared<pybind11::error_already_set>();
      return raised_;
    };
  }

  // Takes what Ctrl-C raised elsewhere.
  void take(const pybind11::error_already_set& error) {
    raised_ = true;
    error_ = std::make_shared<pybind11::error_already_set>(error);
  }

  void rethrow() const {
    if (raised_) throw *error_;
  }

 private:
  bool raised_ = false;
  std::shared_ptr<pybind11::error_already_set> error_;
};

}  // namespace tilewise::bindings
