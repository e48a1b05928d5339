#include "cpu/topology.hpp"

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>

namespace tilewise::cpu {
namespace {

constexpr index kib = 1024;
constexpr Caches common = {32 * kib, 512 * kib, 8192 * kib};

std::string first_word(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

// "32K", "1024K", "16M" in bytes; 0 if the text is no size.
index parse_size(const std::string& text) {
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  if (digits == 0 || digits > 12) return 0;
  const index number = std::stoll(text.substr(0, digits));
  if (digits == text.size()) return number;
  if (text[digits] == 'K') return number * kib;
  if (text[digits] == 'M') return number * kib * kib;
  return 0;
}

Caches read_caches() {
  Caches found = common;
  for (int i = 0; i < 8; ++i) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/";
    if (first_word(folder + "type") == "Instruction") continue;
    const index size = parse_size(first_word(folder + "size"));
    if (size == 0) continue;
    const std::string level = first_word(folder + "level");
    if (level == "1") found.l1 = size;
    if (level == "2") found.l2 = size;
    if (level == "3") found.l3 = size;
  }
  return found;
}

// Whole CPUs that the files of a cgroup's quota and period allow; no limit is a large number.
int quota(double limit, double period) {
  if (!(limit > 0) || !(period > 0)) return 1 << 20;
  return static_cast<int>(std::clamp(limit / period, 1.0, 1048576.0));
}

int quota_v2(const std::string& folder) {
  double limit = 0;
  double period = 0;
  std::ifstream(folder + "/cpu.max") >> limit >> period;  // "max" reads as 0: no limit
  return quota(limit, period);
}

int quota_v1(const std::string& folder) {
  double limit = 0;
  double period = 0;
  std::ifstream(folder + "/cpu.cfs_quota_us") >> limit;  // -1 is no limit
  std::ifstream(folder + "/cpu.cfs_period_us") >> period;
  return quota(limit, period);
}

// The group of a line of /proc/self/cgroup, as 4:cpu,cpuacct:/group, or "" if it is of another
// controller. Version 2 has one line, without a controller.
std::string group_in(const std::string& line, const std::string& controller) {
  const auto first = line.find(':');
  const auto second = line.find(':', first + 1);
  if (second == std::string::npos) return "";
  if (line.compare(second, 2, ":/") != 0) return "";
  const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
  return controllers.find("," + controller + ",") == std::string::npos ? ""
                                                                       : line.substr(second + 1);
}

// The least quota of this process' group and of all above it. In a container the group may be
// named from outside, where only the topmost folder exists.
int cgroup_quota() {
  int least = std::min(quota_v2("/sys/fs/cgroup"), quota_v1("/sys/fs/cgroup/cpu"));
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    for (auto group = group_in(line, ""); group.size() > 1; group.erase(group.rfind('/'))) {
      least = std::min(least, quota_v2("/sys/fs/cgroup" + group));
    }
    for (auto group = group_in(line, "cpu"); group.size() > 1; group.erase(group.rfind('/'))) {
      least = std::min(least, quota_v1("/sys/fs/cgroup/cpu" + group));
    }
  }
  return least;
}

int affinity() {
#if defined(__linux__)
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof(mask), &mask) == 0) return CPU_COUNT(&mask);
#endif
  return std::max(static_cast<int>(std::thread::hardware_concurrency()), 1);
}

}  // namespace

int usable_cpus() {
  static const int cpus = std::min(affinity(), cgroup_quota());
  return cpus;
}

const Caches& caches() {
  static const Caches found = read_caches();
  return found;
}

#if defined(__linux__)

int current_cpu() { return sched_getcpu(); }

void Affinity::leave_cpu(int cpu) {
  if (cpu < 0 || sched_getcpu() != cpu) return;
  cpu_set_t now;
  if (sched_getaffinity(0, sizeof(now), &now) != 0) return;
  if (!CPU_EQUAL(&now, &narrowed_)) allowed_ = now;
  cpu_set_t others = allowed_;
  CPU_CLR(cpu, &others);
  if (CPU_COUNT(&others) == 0) return;
  if (sched_setaffinity(0, sizeof(others), &others) == 0) narrowed_ = others;
}

#else

int current_cpu() { return -1; }
void Affinity::leave_cpu(int) {}

#endif

}  // namespace tilewise::cpu
