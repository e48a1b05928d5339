// The instruction sets in the package, the one in use, and how it was chosen.
#pragma once

#include <string>
#include <vector>

#include "kernels/kernel_set.hpp"

namespace tilewise::kernels {

// Those that this CPU can run, best first.
std::vector<const KernelSet*> available();

// The first available one, or the one called `forced` unless that is empty. Throws
// std::runtime_error, with the list of what is possible, if `forced` is unknown or not available.
const KernelSet& choose(const std::string& forced);

// Sets the instruction set that everything uses from here on.
void use(const KernelSet& isa);

const KernelSet& in_use();

}  // namespace tilewise::kernels
