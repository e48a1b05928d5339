#include "threads/pool.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#include "cpu/affinity.hpp"
#include "cpu/floating_point.hpp"
#include "cpu/topology.hpp"
#include "threads/of_this_thread.hpp"

namespace tilewise::threads {
namespace {

// A worker that finds nothing to do spins this often, about 20 microseconds on Zen 5, before it
// sleeps: waking a sleeper costs the caller several microseconds. Longer, and the threads of
// another library would find the CPUs taken.
constexpr int spin_count = 500;
// The caller, which waits for workers at work, spins about 115 microseconds before it yields: that
// can cost it a turn of another program, milliseconds.
constexpr int spin_count_of_caller = 5000;

constexpr int most_workers = 1023;

void cpu_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

struct Job {
  void (*task)(void* context, int part);
  void* context;
  Parts parts;
  unsigned arithmetic_mode;  // of the caller
};

// The CPUs of a caller, as a worker has them.
struct Mask {
  cpu::Mask cpus;
  unsigned version = 0;
};

// How many more workers may join a job, and how many are in it.
class Gate {
 public:
  void open(int places) { state_.store(static_cast<unsigned>(places) * place); }

  bool enter() {
    unsigned now = state_.load(std::memory_order_relaxed);
    while (now >= place) {
      if (state_.compare_exchange_weak(now, now - place + 1, std::memory_order_acquire))
        return true;
    }
    return false;
  }
  void leave() { state_.fetch_sub(1, std::memory_order_release); }

  // Lets nobody in any more, and waits for those inside. The caller has nothing else to do and does
  // not sleep: a worker would wake it on its own CPU, and from then on the two would share one.
  void close() {
    state_.fetch_and(place - 1, std::memory_order_relaxed);
    for (int spin = 0; state_.load(std::memory_order_acquire) != 0; ++spin) {
      spin < spin_count_of_caller ? cpu_pause() : std::this_thread::yield();
    }
  }

 private:
  static constexpr unsigned place = 1u << 16;  // below it, the workers inside are counted

  std::atomic<unsigned> state_ = 0;
};

// Signals are for the threads of the program, whose handlers may be anything. Only a fault is the
// thread's own.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigdelset(&all, fault);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

std::atomic<int> num_threads = 0;  // 0: not asked for yet
std::atomic<int> assumed_cpus = 0;

// Of the calling thread: 0 if it is no Caller, 1 if it has the process's number, one more than its
// own number otherwise.
const ThreadKey role_key(nullptr);

std::intptr_t role() { return reinterpret_cast<std::intptr_t>(role_key.get()); }
void set_role(std::intptr_t role) { role_key.set(reinterpret_cast<void*>(role)); }

}  // namespace

// One job at a time: the caller and the workers that are awake claim parts from a counter until
// none is left, so nobody waits for a worker that the system does not run.
class Pool {
 public:
  void add_caller() { callers_.fetch_add(1, std::memory_order_relaxed); }
  void remove_caller() { callers_.fetch_sub(1, std::memory_order_relaxed); }

  // Of `wanted` threads, for a caller with this mask.
  int free_threads(int wanted, const cpu::Mask& mask) const {
    if (in_use_.test(std::memory_order_relaxed)) return 1;
    const std::intptr_t caller = role();
    const int own = caller > 1 ? static_cast<int>(caller - 1) : 0;
    // The child of a fork counts anew, though its thread may be in a call.
    const int others = std::max(callers_.load(std::memory_order_relaxed) - (caller > 0 ? 1 : 0), 0);
    const int assumed = assumed_cpus.load(std::memory_order_relaxed);
    const int cpus = assumed > 0 ? assumed : std::min(mask.count, cpu::cpu_quota());
    // The callers share the CPUs and the process's number; a caller's own number is its own.
    const int free =
        own > 0 ? std::min(own, cpus - others) : std::min(get_num_threads(), cpus) - others;
    return std::clamp(free, 1, wanted);
  }

  void run(const Job& job) {
    const cpu::Mask mask = cpu::affinity();
    const int helpers = free_threads(std::min(job.parts.count, job.parts.threads), mask) - 1;
    if (helpers < 1 || in_use_.test_and_set(std::memory_order_acquire)) {
      for (int part = 0; part < job.parts.count; ++part) job.task(job.context, part);
      return;
    }
    start_workers(helpers, mask);
    job_ = job;
    next_part_.store(0, std::memory_order_relaxed);
    exceptions_.store(0, std::memory_order_relaxed);
    joined_.store(false, std::memory_order_relaxed);
    caller_cpu_.store(cpu::current_cpu(), std::memory_order_relaxed);
    gate_.open(helpers);
    wake(helpers);
    take_parts();
    gate_.close();
    move_workers_if_late();
    cpu::raise_exceptions(exceptions_.load(std::memory_order_relaxed));
    in_use_.clear(std::memory_order_release);
  }

 private:
  void take_parts() {
    for (int part;
         (part = next_part_.fetch_add(1, std::memory_order_relaxed)) < job_.parts.count;) {
      job_.task(job_.context, part);
    }
  }

  // The next job is there for all that spin; so many of those that sleep are woken.
  void wake(int helpers) {
    jobs_.fetch_add(1, std::memory_order_release);
    if (helpers >= workers_) return jobs_.notify_all();
    for (int i = 0; i < helpers; ++i) jobs_.notify_one();
  }

  // The scheduler likes to wake a thread on the CPU of the one that woke it, and to leave both
  // there. The caller does not sleep: a worker that waits for this very CPU would never run. After
  // a job that nobody joined the workers are moved. (To yield would give the CPU to any other
  // program, for milliseconds.) If that does not help, since they wait for another CPU, it is done
  // again after 2, 4, 8 .. such jobs: it takes 15 microseconds.
  void move_workers_if_late() {
    if (joined_.load(std::memory_order_relaxed)) {
      unjoined_ = 0;
      return;
    }
    if (!std::has_single_bit(++unjoined_)) return;
    const int cpu = cpu::current_cpu();
    for (int i = 0; i < workers_; ++i) {
      const cpu::ThreadId worker = ids_[i].load(std::memory_order_relaxed);
      if (worker != cpu::calling_thread) cpu::move_from(cpu, worker, mask_);
    }
  }

  // As many as the system grants, in the caller's place: on its CPUs, and no nicer than it is. A
  // thread that became nicer cannot go back, so a caller that is less nice has workers of its own,
  // and the old ones end.
  void start_workers(int wanted, const cpu::Mask& mask) {
    if (!(mask == mask_)) {
      const std::lock_guard lock(mask_mutex_);
      mask_ = mask;
      mask_version_.fetch_add(1, std::memory_order_relaxed);
    }
    const int niceness = cpu::niceness();
    if (workers_ > 0 && niceness < niceness_) {
      generation_.fetch_add(1, std::memory_order_relaxed);
      jobs_.fetch_add(1, std::memory_order_release);
      jobs_.notify_all();
      workers_ = 0;
    }
    if (workers_ >= wanted) return;
    if (workers_ == 0) niceness_ = niceness;
    const SignalsBlocked blocked;
    try {
      for (; workers_ < std::min(wanted, most_workers); ++workers_) {
        ids_[workers_].store(cpu::calling_thread, std::memory_order_relaxed);
        std::thread(&Pool::work, this, workers_, generation_.load()).detach();
      }
    } catch (const std::system_error&) {
    } catch (const std::bad_alloc&) {
    }
  }

  void work(int self, unsigned generation) {
    cpu::take_ordinary_policy();
    const cpu::ThreadId id = cpu::thread_id();
    cpu::ThreadId none = cpu::calling_thread;
    ids_[self].compare_exchange_strong(none, id, std::memory_order_relaxed);
    Mask mask;
    for (unsigned seen = 0;;) {
      seen = next_job(seen);
      if (generation_.load(std::memory_order_relaxed) != generation) break;
      if (!take_mask(mask)) continue;
      const int caller_cpu = caller_cpu_.load(std::memory_order_relaxed);
      if (caller_cpu >= 0 && cpu::current_cpu() == caller_cpu) {
        cpu::move_from(caller_cpu, id, mask.cpus);
      }
      if (!gate_.enter()) continue;
      if (mask_version_.load(std::memory_order_relaxed) == mask.version) help();
      gate_.leave();
    }
    // The system may give the number to a thread of another program. The place may have been taken
    // by a worker of the next generation.
    cpu::ThreadId own = id;
    ids_[self].compare_exchange_strong(own, cpu::calling_thread, std::memory_order_relaxed);
  }

  void help() {
    joined_.store(true, std::memory_order_relaxed);
    cpu::set_arithmetic_mode(job_.arithmetic_mode);
    take_parts();
    exceptions_.fetch_or(cpu::raised_exceptions(), std::memory_order_relaxed);
  }

  unsigned next_job(unsigned seen) {
    for (int spin = 0; spin < spin_count; ++spin) {
      const unsigned now = jobs_.load(std::memory_order_acquire);
      if (now != seen) return now;
      cpu_pause();
    }
    jobs_.wait(seen, std::memory_order_acquire);
    return jobs_.load(std::memory_order_acquire);
  }

  // Moves the worker to the CPUs of the last caller, if it is not of this version yet. False if the
  // system does not let it.
  bool take_mask(Mask& own) {
    if (mask_version_.load(std::memory_order_relaxed) == own.version) return true;
    const std::lock_guard lock(mask_mutex_);
    if (!cpu::set_affinity(cpu::calling_thread, mask_)) return false;
    own = {mask_, mask_version_.load(std::memory_order_relaxed)};
    return true;
  }

  std::atomic<int> callers_ = 0;
  std::atomic_flag in_use_;
  int workers_ = 0;  // of this generation
  std::array<std::atomic<cpu::ThreadId>, most_workers> ids_{};
  int niceness_ = 0;
  unsigned unjoined_ = 0;  // jobs in a row
  std::atomic<unsigned> generation_ = 0;
  std::mutex mask_mutex_;
  cpu::Mask mask_;
  std::atomic<unsigned> mask_version_ = 0;
  Job job_{};
  std::atomic<bool> joined_ = false;
  std::atomic<int> caller_cpu_ = -1;
  std::atomic<unsigned> exceptions_ = 0;
  alignas(64) std::atomic<unsigned> jobs_ = 0;  // so far
  alignas(64) std::atomic<int> next_part_ = 0;
  alignas(64) Gate gate_;
};

namespace {

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

}  // namespace

int get_num_threads() {
  const int count = num_threads.load(std::memory_order_relaxed);
  return count > 0 ? count : cpu::usable_cpus();
}

void set_num_threads(int count) { num_threads.store(count, std::memory_order_relaxed); }

void assume_cpus(int count) { assumed_cpus.store(count, std::memory_order_relaxed); }

Caller::Caller(int most_threads)
    : outer_role_(role()), counted_in_(outer_role_ == 0 ? &get_pool() : nullptr) {
  set_role(1 + most_threads);
  if (counted_in_ != nullptr) counted_in_->add_caller();
}

Caller::~Caller() {
  if (counted_in_ != nullptr) counted_in_->remove_caller();
  set_role(outer_role_);
}

int free_threads(int wanted) {
  return wanted <= 1 ? 1 : get_pool().free_threads(wanted, cpu::affinity());
}

void run(const Parts& parts, void (*task)(void* context, int part), void* context) {
  get_pool().run({task, context, parts, cpu::arithmetic_mode()});
}

}  // namespace tilewise::threads
