// What a load request asks for, read and checked.
#pragma once
#include "executor.h"
#include "json.h"
#include "model.h"
#include "optimizer.h"
#include "pass_buffers.h"

namespace labdesk {

constexpr const char *reportRemedy = "Restart Labdesk; if it returns, report it.";

struct LoadRequest {
  LoadPlan model;
  OptimizerPlan optimizer;
  Regulariser regulariser;
  PassPlan pass;
};

/** Throws `bad-request` naming the setting. */
LoadRequest readLoadRequest(const Json &request);

}  // namespace labdesk
