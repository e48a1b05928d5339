#include "kernels/registry.hpp"

#include <stdexcept>

#include "cpu/features.hpp"

namespace tilewise::kernels {

#if defined(__x86_64__)
extern const KernelSet avx512;
extern const KernelSet avx2;
#endif
extern const KernelSet portable;

namespace {

struct Entry {
  const KernelSet* isa;
  bool (*supported)();
};

// In order of preference: the first that the CPU supports is used.
constexpr Entry entries[] = {
#if defined(__x86_64__)
    {&avx512, cpu::has_avx512},
    {&avx2, cpu::has_avx2},
#endif
    {&portable, [] { return true; }},
};

const KernelSet* current = nullptr;

std::string names(const std::vector<const KernelSet*>& isas) {
  std::string list;
  for (const KernelSet* isa : isas) list += (list.empty() ? "" : ", ") + std::string(isa->name);
  return list;
}

// The text with \xff for each byte that is not printable ASCII: Python takes messages as UTF-8.
std::string printable(const std::string& text) {
  constexpr const char* digits = "0123456789abcdef";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= ' ' && byte <= '~' && byte != '\\';
    escaped +=
        plain ? std::string(1, c) : std::string("\\x") + digits[byte / 16] + digits[byte % 16];
  }
  return escaped;
}

}  // namespace

std::vector<const KernelSet*> available() {
  std::vector<const KernelSet*> isas;
  for (const Entry& entry : entries) {
    if (entry.supported()) isas.push_back(entry.isa);
  }
  return isas;
}

const KernelSet& choose(const std::string& forced) {
  const auto isas = available();
  if (forced.empty()) return *isas.front();
  for (const KernelSet* isa : isas) {
    if (forced == isa->name) return *isa;
  }
  throw std::runtime_error("TILEWISE_ISA='" + printable(forced) +
                           "' is not possible on this CPU; choose one of: " + names(isas) +
                           ", or unset it");
}

void use(const KernelSet& isa) { current = &isa; }

const KernelSet& in_use() { return *current; }

}  // namespace tilewise::kernels
