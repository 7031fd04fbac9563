// A checkpoint folder: `checkpoint.json` names the value files with their sizes and checksums and is replaced last, so
// the folder holds at every moment either the older complete checkpoint or the newer one.
#pragma once
#include <string>

#include "model.h"
#include "optimizer.h"

namespace labdesk {

/** Returns the bytes written. */
size_t saveCheckpoint(const std::string &folder, Model &model, Optimizer &optimizer);

/** Returns the bytes read. Refuses (`io`, `bad-request`), changing nothing, what is incomplete or of another model or
 * setting. */
size_t loadCheckpoint(const std::string &folder, Model &model, Optimizer &optimizer);

}  // namespace labdesk
