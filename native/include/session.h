// The conversation with one host: open, load, then steps. Owns the loaded model, its executor and the optimiser.
#pragma once
#include <functional>
#include <memory>

#include "batch.h"
#include "device_library.h"
#include "frames.h"
#include "requests.h"
#include "workers.h"

namespace labdesk {

struct Reply {
  Json head = Json::object();
  std::vector<float> payload;
};

class Session {
 public:
  /** Answers one request; throws Failure, after which the session is as it was before (a failed load leaves no model).
   */
  Reply answer(const Frame &frame);

 private:
  Reply open(const Json &request);
  Reply load(const Json &request);
  Reply plan(const Json &request);
  Reply devices() const;
  Reply step(const Frame &frame);
  Reply preferenceStep(const Frame &frame);
  Reply evaluate(const Frame &frame);
  Reply gradients(const Frame &frame);
  Reply save(const Json &request);
  Reply restore(const Json &request);
  Reply exportModel(const Json &request);
  Reply combine(const Json &request) const;

  // The wished device's executor, or the processor's with a notice why.
  std::unique_ptr<Executor> makeExecutor(const Model &model, const LoadRequest &request, Json &reply);
  void requireModel(bool trains) const;
  std::vector<double> losses(const std::vector<Row> &rows, bool base);
  // Leaves the summed gradient in the executor.
  std::vector<double> computeGradients(const std::vector<Row> &rows, double lossScale,
                                       const std::vector<float> &factors);
  double update(const Frame &frame);

  const Kernels *kernels_ = nullptr;
  GgmlLibrary ggml_;
  const DeviceLibrary *deviceLibrary_ = nullptr;  // only where a device was asked for
  std::string device_;                            // its name
  PassPlan plan_;
  Regulariser regulariser_;
  std::unique_ptr<Workers> workers_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Optimizer> optimizer_;
};

}  // namespace labdesk
