// The conversation with one host: open, load, then steps. Owns the loaded model, the workers' replicas and the
// optimiser.
#pragma once
#include <functional>
#include <memory>

#include "batch.h"
#include "frames.h"
#include "optimizer.h"

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
  Reply step(const Frame &frame);
  Reply evaluate(const Frame &frame);
  Reply gradients(const Frame &frame);
  Reply save(const Json &request);
  Reply restore(const Json &request);
  Reply exportModel(const Json &request);

  void requireModel(bool trains) const;
  // Runs packs on the workers; work(replica, pack, rowLoss). Row losses come back summed.
  std::vector<double> runPacks(const std::vector<Row> &rows,
                               const std::function<void(Replica &, const Pack &, std::vector<double> &)> &work);
  std::vector<double> computeGradients(const std::vector<Row> &rows, double weightSum);

  const Kernels *kernels_ = nullptr;
  GgmlLibrary ggml_;
  int threads_ = 0, maxTokens_ = 0;
  std::unique_ptr<Workers> workers_;
  std::unique_ptr<Model> model_;
  std::vector<std::unique_ptr<Replica>> replicas_;
  std::unique_ptr<Optimizer> optimizer_;
};

}  // namespace labdesk
