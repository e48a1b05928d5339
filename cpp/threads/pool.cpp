#include "threads/pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include "cpu/floating_point.hpp"
#include "cpu/topology.hpp"

namespace tilewise::threads {
namespace {

// A worker that finds nothing to do looks again this often, about 20 microseconds, before it
// sleeps: waking a sleeper costs the caller several microseconds.
constexpr int spin_count = 500;

void cpu_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Waits until `word` is no longer `old`, and returns it.
unsigned wait_for_change(const std::atomic<unsigned>& word, unsigned old) {
  for (int look = 0; look < spin_count; ++look) {
    const unsigned now = word.load(std::memory_order_acquire);
    if (now != old) return now;
    cpu_pause();
  }
  word.wait(old, std::memory_order_acquire);
  return word.load(std::memory_order_acquire);
}

struct Job {
  void (*task)(void* context, int part);
  void* context;
  int parts;
  int caller_cpu;
  unsigned arithmetic_mode;  // of the caller
};

class Pool {
 public:
  void run(const Job& job) {
    const int others = callers_.fetch_add(1, std::memory_order_relaxed);
    if (!try_run(job, std::max(get_num_threads() - 1 - others, 0))) {
      for (int part = 0; part < job.parts; ++part) job.task(job.context, part);
    }
    callers_.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  // False, with nothing done, if the pool is at work, for another thread or further up this one.
  bool try_run(const Job& job, int most_helpers) {
    if (in_use_.test_and_set(std::memory_order_acquire)) return false;
    const int wanted = std::min(job.parts - 1, most_helpers);
    start_workers(wanted);
    const int helpers = std::min(wanted, static_cast<int>(workers_.size()));
    for (int i = 0; i < helpers; ++i) workers_[i]->give(job, i + 1);
    job.task(job.context, 0);
    for (int part = helpers + 1; part < job.parts; ++part) job.task(job.context, part);
    unsigned exceptions = 0;
    for (int i = 0; i < helpers; ++i) exceptions |= workers_[i]->finish();
    cpu::raise_exceptions(exceptions);
    in_use_.clear(std::memory_order_release);
    return true;
  }

  // One thread and its mailbox. Odd tickets are work, even ones are work done.
  class Worker {
   public:
    Worker() { std::thread(&Worker::loop, this).detach(); }

    void give(const Job& job, int part) {
      job_ = job;
      part_ = part;
      ticket_.fetch_add(1, std::memory_order_release);
      ticket_.notify_all();
    }

    // The caller has nothing else to do and does not sleep: the worker would wake it on its own
    // CPU, and from then on the two would share one.
    unsigned finish() {
      for (int look = 0; ticket_.load(std::memory_order_acquire) % 2 == 1; ++look) {
        look < spin_count ? cpu_pause() : std::this_thread::yield();
      }
      return exceptions_;
    }

   private:
    void loop() {
      unsigned ticket = 0;
      for (;;) {
        while (ticket % 2 == 0) ticket = wait_for_change(ticket_, ticket);
        affinity_.leave_cpu(job_.caller_cpu);
        cpu::set_arithmetic_mode(job_.arithmetic_mode);
        job_.task(job_.context, part_);
        exceptions_ = cpu::raised_exceptions();
        ticket = ticket_.fetch_add(1, std::memory_order_release) + 1;
      }
    }

    cpu::Affinity affinity_;
    Job job_{};
    int part_ = 0;
    unsigned exceptions_ = 0;
    alignas(64) std::atomic<unsigned> ticket_ = 0;
  };

  // As many as the system grants.
  void start_workers(int wanted) {
    try {
      workers_.reserve(wanted);  // a worker that runs already must not be lost below
      while (static_cast<int>(workers_.size()) < wanted) {
        workers_.push_back(std::make_unique<Worker>());
      }
    } catch (const std::system_error&) {
    } catch (const std::bad_alloc&) {
    }
  }

  std::atomic<int> callers_ = 0;  // in run() now
  std::atomic_flag in_use_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

// Never destroyed: its threads may outlive everything else at exit. After a fork the child forgets
// the parent's pool, whose threads it does not have.
std::atomic<Pool*> pool = nullptr;

// When the library is loaded: at the first use, a fork could come in between.
const bool registered [[maybe_unused]] =
    pthread_atfork(nullptr, nullptr, [] { pool.store(nullptr, std::memory_order_release); }) == 0;

Pool& get_pool() {
  Pool* existing = pool.load(std::memory_order_acquire);
  if (existing != nullptr) return *existing;
  auto* created = new Pool;
  if (pool.compare_exchange_strong(existing, created)) return *created;
  delete created;
  return *existing;
}

std::atomic<int> num_threads = 0;  // 0: not asked for yet

}  // namespace

int get_num_threads() {
  const int count = num_threads.load(std::memory_order_relaxed);
  return count > 0 ? count : cpu::usable_cpus();
}

void set_num_threads(int count) { num_threads.store(count, std::memory_order_relaxed); }

void run(int parts, void (*task)(void* context, int part), void* context) {
  get_pool().run({task, context, parts, cpu::current_cpu(), cpu::arithmetic_mode()});
}

}  // namespace tilewise::threads
