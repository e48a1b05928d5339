#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bindings/bindings.hpp"
#include "bindings/signals.hpp"
#include "bindings/training_arrays.hpp"
#include "sgd/loss.hpp"
#include "sgd/moments.hpp"
#include "sgd/row_sample.hpp"
#include "sgd/trainer.hpp"

namespace py = pybind11;

namespace tilewise::bindings {
namespace {

sgd::Settings make_settings(index batch_size, const std::string& optimizer,
                            const std::vector<double>& given, double weight_decay,
                            double clip_norm) {
  const auto* found = sgd::optimizer_named(optimizer);
  require(found != nullptr, "unknown optimizer");
  require(batch_size > 0, "batch_size is below 1");
  std::array<double, 3> hyperparameters = {};
  require(given.size() <= hyperparameters.size(), "too many hyperparameters");
  std::copy(given.begin(), given.end(), hyperparameters.begin());
  return {.batch_size = batch_size,
          .optimizer = found,
          .hyperparameters = hyperparameters,
          .weight_decay = weight_decay,
          .clip_norm = clip_norm};
}

py::dict optimizers() {
  py::dict all;
  for (const auto& optimizer : sgd::optimizers()) {
    py::dict hyperparameters;
    for (const auto& h : optimizer.hyperparameters) {
      if (h.name != nullptr) hyperparameters[h.name] = h.standard;
    }
    all[optimizer.name] = py::make_tuple(optimizer.slots, hyperparameters);
  }
  return all;
}

sgd::Sampler make_sampler(index n, const std::string& sampling, std::uint64_t seed,
                          index row_bytes) {
  const auto found = sgd::sampling_named(sampling);
  require(found.has_value(), "unknown sampling");
  require(n > 0 && row_bytes > 0, "n and row_bytes must be above 0");
  return sgd::Sampler(n, *found, seed, row_bytes);
}

py::array_t<std::int64_t> next_epoch(sgd::Sampler& sampler) {
  py::array_t<std::int64_t> rows(sampler.size());
  for (index i = 0; sampler.in_order() && i < sampler.size(); ++i) rows.mutable_at(i) = i;
  sampler.next_epoch(rows.mutable_data(), [] { return false; });
  return rows;
}

using RateArgument = std::variant<double, py::function>;

sgd::Rates rates_from(const RateArgument& rates, Signals& signals) {
  if (const auto* constant = std::get_if<double>(&rates)) return *constant;
  return sgd::RateWriter([&rates, &signals](index first, std::span<double> to) {
    const GilAcquire acquire;
    try {
      const auto given = sleep_if_python_is_gone([&] {
        return py::cast<py::array_t<double>>(
            std::get<py::function>(rates)(first, static_cast<index>(to.size())));
      });
      require(given.ndim() == 1 && given.shape(0) == static_cast<index>(to.size()),
              "rates gave another number of rates than asked for");
      for (index i = 0; i < given.shape(0); ++i) to[i] = given.at(i);
      return true;
    } catch (const py::error_already_set& error) {
      if (error.matches(PyExc_Exception)) throw;
      signals.take(error);
      return false;
    }
  });
}

// The records, and what interrupted the training, or None.
template <class T>
py::tuple train(const Array<T>& x, const Array<T>& y, const std::optional<Array<T>>& sample_weights,
                const BoundState& state, const RateArgument& rates, sgd::Sampler& sampler,
                const sgd::Schedule& schedule) {
  const auto examples = examples_of(x, y, sample_weights);
  const auto& changed = state.fitting(examples);
  require(sampler.size() == examples.x.rows, "the sampler has another number of rows");
  Signals signals;
  auto records = signals.without_gil([&](const sgd::Interrupted& interrupted) {
    return sgd::train(examples, state.settings, schedule, rates_from(rates, signals), sampler,
                      changed, interrupted);
  });
  return py::make_tuple(std::move(records), signals.raised());
}

// Whether the step led to finite numbers; else it is taken back.
template <class T>
bool step(const Array<T>& x, const Array<T>& y, const std::optional<Array<T>>& sample_weights,
          const BoundState& state, double rate) {
  const auto examples = examples_of(x, y, sample_weights);
  const auto& changed = state.fitting(examples);
  return interruptible([&](const sgd::Interrupted& interrupted) {
    return sgd::finite_step(examples, state.settings, rate, changed, interrupted);
  });
}

template <class T>
double mean_loss(const Array<T>& x, const Array<T>& y,
                 const std::optional<Array<T>>& sample_weights, const BoundState& state) {
  const auto examples = examples_of(x, y, sample_weights);
  const auto model = state.fitting(examples).result();
  return interruptible([&](const sgd::Interrupted& interrupted) {
    return sgd::mean_loss(examples, model, interrupted);
  });
}

// X W + bias, of shape (n, t).
template <class T>
Array<T> predict(const Array<T>& x, const BoundState& state) {
  const auto rows = matrix_view(x);
  const auto model = state.as<T>().result();
  require(rows.cols == model.features, "X must have shape (n, d)");
  Array<T> predictions({rows.rows, model.targets});
  T* const data = static_cast<T*>(predictions.mutable_data());
  const GilRelease release;
  sgd::predict(rows, model, data);
  return predictions;
}

template <class T>
index first_nonfinite(const Array<T>& array) {
  constexpr index size = sizeof(T);
  const bool vector = array.ndim() == 1;
  const auto view =
      vector ? MatrixView<const T>{array.data(), 1, array.shape(0), 0, array.strides(0) / size}
             : matrix_view(array);
  return interruptible(
      [&](const sgd::Interrupted& interrupted) { return sgd::first_nonfinite(view, interrupted); });
}

// The squared length of the longest row, with the 1 of the bias; that of a piece; the rows drawn.
template <class T>
py::tuple sample_rows(const Array<T>& x, const std::optional<Array<T>>& sample_weights,
                      index count) {
  const auto rows = matrix_view(x);
  require(rows.rows > 0 && rows.cols > 0 && rows.rows_contiguous() && count > 0,
          "X must have contiguous rows, and count be above 0");
  require(
      !sample_weights || (sample_weights->ndim() == 1 && sample_weights->shape(0) == rows.rows &&
                          is_contiguous(*sample_weights)),
      "sample_weights must be contiguous, of shape (n,)");
  const T* const weights = sample_weights ? sample_weights->data() : nullptr;
  const auto found = interruptible([&](const sgd::Interrupted& interrupted) {
    return sgd::sample_rows(rows, weights, count, interrupted);
  });
  return py::make_tuple(found.longest, found.piece,
                        py::array_t<index>(std::ssize(found.rows), found.rows.data()));
}

// Three arrays of shape (d,); see sgd::column_moments.
template <class T>
py::tuple column_moments(const Array<T>& x) {
  const auto rows = matrix_view(x);
  require(rows.rows > 0 && rows.rows_contiguous(), "X must have contiguous rows");
  const auto column = [&] { return py::array_t<double>(rows.cols); };
  auto origin = column(), rest = column(), squares = column();
  sgd::column_moments(rows, origin.mutable_data(), rest.mutable_data(), squares.mutable_data());
  return py::make_tuple(origin, rest, squares);
}

template <class T>
void register_for(py::module_& module) {
  const auto x = py::arg("X").noconvert();
  const auto y = py::arg("y").noconvert();
  const auto sample_weights = py::arg("sample_weights").noconvert();
  const auto state = py::arg("state");
  module.def("train", &train<T>, x, y, sample_weights, state, py::arg("rates"), py::arg("sampler"),
             py::arg("schedule"));
  module.def("step", &step<T>, x, y, sample_weights, state, py::arg("rate"));
  module.def("mean_loss", &mean_loss<T>, x, y, sample_weights, state);
  module.def("predict", &predict<T>, x, state);
  module.def("sample_rows", &sample_rows<T>, x, sample_weights, py::arg("count"));
  module.def("column_moments", &column_moments<T>, x);
  module.def("first_nonfinite", &first_nonfinite<T>, py::arg("A").noconvert());
}

}  // namespace

void register_trainer(py::module_& module) {
  py::class_<sgd::Sampler>(module, "Sampler")
      .def(py::init(&make_sampler), py::arg("n"), py::arg("sampling"), py::arg("seed"),
           py::arg("row_bytes") = 1)
      .def("next_epoch", &next_epoch, "The rows of the next epoch, int64 of shape (n,).")
      .def_property(
          "state",
          [](sgd::Sampler& sampler) {
            const auto state = sampler.random().state();
            return py::array_t<std::uint64_t>(static_cast<index>(state.size()), state.data());
          },
          [](sgd::Sampler& sampler, const py::array_t<std::uint64_t, py::array::c_style>& state) {
            sgd::Random::State words;
            require(state.size() == static_cast<index>(words.size()), "state must have shape (4,)");
            std::copy_n(state.data(), words.size(), words.begin());
            sampler.random().set_state(words);
          },
          "The state of the random numbers, uint64 of shape (4,).");
  py::class_<sgd::Settings>(module, "Settings")
      .def(py::init(&make_settings), py::arg("batch_size"), py::arg("optimizer"),
           py::arg("hyperparameters"), py::arg("weight_decay"), py::arg("clip_norm"));
  const auto settings = py::arg("settings");
  const auto values = py::arg("values").noconvert();
  const auto counters = py::arg("counters").noconvert();
  py::class_<BoundState>(module, "State")
      .def(py::init<const sgd::Settings&, const Array<float>&, const Counters&>(), settings, values,
           counters)
      .def(py::init<const sgd::Settings&, const Array<double>&, const Counters&>(), settings,
           values, counters);
  py::class_<sgd::Schedule>(module, "Schedule")
      .def(py::init<index, index, bool, double>(), py::arg("epochs"), py::arg("record_every"),
           py::arg("record_end"), py::arg("start_loss"));
  py::class_<sgd::Records>(module, "Records")
      .def(py::init<>())
      .def_readonly("losses", &sgd::Records::losses)
      .def_readonly("seconds", &sgd::Records::seconds)
      .def_readonly("examples", &sgd::Records::examples)
      .def_readonly("total_seconds", &sgd::Records::total_seconds)
      .def_readonly("rows", &sgd::Records::rows)
      .def_readonly("diverged_at", &sgd::Records::diverged_at)
      .def_readonly("start_loss", &sgd::Records::start_loss);
  py::list samplings;
  for (const auto name : sgd::sampling_names) samplings.append(name);
  module.attr("SAMPLINGS") = py::tuple(samplings);
  module.def("optimizers", &optimizers);
  register_for<float>(module);
  register_for<double>(module);
}

}  // namespace tilewise::bindings
