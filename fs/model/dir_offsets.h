// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fs/model/listings.h"

namespace nacre::fs {

// Gives the entries their offsets, by which they are ordered then. An offset belongs to a name and not to a
// place in one listing: the kernel goes on in one listing where it has stopped in another, when the directory
// was changed meanwhile or its own memory of it is gone. They fit into 31 bits, as programs of 32 bits want
// them. Of two names for which the same one would be due, which happens among very many, the later one has
// the next.
void assign_offsets(MergedListing& entries);

}  // namespace nacre::fs
