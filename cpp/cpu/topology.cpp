#include "cpu/topology.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>

#include "cpu/affinity.hpp"

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

// 0: not read yet.
std::atomic<int> quota_read = 0;
std::atomic<std::int64_t> quota_read_at = 0;

}  // namespace

int cpu_quota() {
  using std::chrono::nanoseconds, std::chrono::seconds;
  const std::int64_t now = nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
  std::int64_t before = quota_read_at.load(std::memory_order_relaxed);
  const int known = quota_read.load(std::memory_order_relaxed);
  if (known > 0 && now - before < nanoseconds(seconds(1)).count()) return known;
  // One thread reads, the others go on with what is known.
  if (!quota_read_at.compare_exchange_strong(before, now) && known > 0) return known;
  const int least = cgroup_quota();
  quota_read.store(least, std::memory_order_relaxed);
  return least;
}

int usable_cpus() {
  static const int cpus = std::min(affinity().count, cpu_quota());
  return cpus;
}

const Caches& caches() {
  static const Caches found = read_caches();
  return found;
}

}  // namespace tilewise::cpu
