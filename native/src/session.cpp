// See session.h.
#include "session.h"

#include <chrono>
#include <cmath>
#include <map>

#include "checkpoint.h"
#include "export.h"
#include "failure.h"
#include "memory.h"

namespace labdesk {

namespace {

constexpr const char *report = "Restart Labdesk; if it returns, report it.";

double milliseconds() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double setting(const Json &request, const char *key, double most) {
  const double value = request.number(key);
  require(value >= 0 && value <= most, "bad-request",
          std::string("The optimiser's '") + key + "' is outside its range.", report);
  return value;
}

OptimizerPlan readOptimizer(const Json &request) {
  OptimizerPlan plan;
  plan.beta1 = setting(request, "beta1", 0.9999999);
  plan.beta2 = setting(request, "beta2", 0.9999999);
  plan.eps = setting(request, "eps", 1e12);
  plan.weightDecay = setting(request, "weightDecay", 100);
  plan.clipNorm = setting(request, "clipNorm", 1e30);
  require(plan.eps > 0, "bad-request", "The optimiser's 'eps' must be above 0.", report);
  return plan;
}

LoadPlan readPlan(const Json &request) {
  LoadPlan plan;
  plan.modelPath = request.text("modelPath");
  const std::string mode = request.text("mode");
  require(mode == "full" || mode == "lora" || mode == "frozen", "bad-request", "The mode '" + mode + "' is unknown.",
          report);
  plan.mode = mode == "full" ? Mode::full : mode == "lora" ? Mode::lora : Mode::frozen;
  if (const Json *init = request.find("init")) {
    require(init->text("kind") == "random" && plan.mode == Mode::full, "bad-request",
            "Random weights are only for full training.", report);
    plan.isRandom = true;
    plan.initSeed = init->number("seed");
  }
  if (plan.mode != Mode::lora) return plan;
  const Json &lora = request.object("lora");
  plan.lora.rank = static_cast<int>(lora.integer("rank", 1, 1024));
  plan.lora.alpha = lora.number("alpha");
  plan.lora.seed = lora.number("seed");
  require(plan.lora.alpha > 0, "bad-request", "The adapter's alpha must be above 0.", report);
  static const char *known[] = {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"};
  for (const Json &target : lora.list("targets")) {
    bool isKnown = false;
    for (const char *name : known) isKnown = isKnown || target.asText() == name;
    require(isKnown, "bad-request", "The adapter target '" + target.asText() + "' is unknown.", report);
    plan.lora.targets.push_back(target.asText());
  }
  require(!plan.lora.targets.empty(), "bad-request", "An adapter needs at least one target.", report);
  if (lora.find("continueFrom")) plan.lora.continueFrom = lora.text("continueFrom");
  return plan;
}

double sumOfWeights(const std::vector<Row> &rows) {
  double sum = 0;
  for (const Row &row : rows) sum += row.weightSum;
  return sum;
}

}  // namespace

Reply Session::answer(const Frame &frame) {
  const std::string kind = frame.head.text("kind");
  try {
    if (kind == "open") return open(frame.head);
    require(kernels_ != nullptr, "bad-request", "The first request must be 'open'.", report);
    if (kind == "load") return load(frame.head);
    if (kind == "step") return step(frame);
    if (kind == "evaluate") return evaluate(frame);
    if (kind == "gradients") return gradients(frame);
    if (kind == "saveCheckpoint") return save(frame.head);
    if (kind == "loadCheckpoint") return restore(frame.head);
    if (kind == "export") return exportModel(frame.head);
  } catch (const std::bad_alloc &) {
    throw Failure("out-of-memory", "The machine has not enough free memory for this model.",
                  "Close other programs, choose fewer threads, a shorter context or a smaller model.");
  }
  throw Failure("bad-request", "The request '" + kind + "' is unknown.", report);
}

Reply Session::open(const Json &request) {
  require(kernels_ == nullptr, "bad-request", "The trainer is already open.", report);
  const int threads = static_cast<int>(request.integer("threads", 1, 256));
  const std::string isa = request.find("isa") ? request.text("isa") : "";
  const Kernels *kernels = selectKernels(isa.c_str());
  require(kernels != nullptr, "bad-request", "This machine or build has no '" + isa + "' kernels.",
          "Choose another instruction set, or none.");
  ggml_ = GgmlLibrary::open(request.text("libraryDir"));
  workers_ = std::make_unique<Workers>(threads);
  threads_ = threads;
  kernels_ = kernels;
  Reply reply;
  reply.head.set("protocol", 1);
  reply.head.set("ggmlVersion", ggml_.version);
  reply.head.set("isa", kernels->name);
  reply.head.set("threads", threads);
  return reply;
}

Reply Session::load(const Json &request) {
  const LoadPlan plan = readPlan(request);
  const OptimizerPlan optimizerPlan = readOptimizer(request.object("optimizer"));
  const int maxTokens = static_cast<int>(request.integer("microbatchTokens", 1, 1 << 20));
  const bool recompute = request.flag("recompute");
  // The former model goes first: two may not fit.
  replicas_.clear();
  optimizer_.reset();
  model_.reset();
  auto model = std::make_unique<Model>(ggml_, plan);
  const size_t replicaBytes = Replica::plannedBytes(*model, maxTokens, recompute) * static_cast<size_t>(threads_);
  const size_t stateBytes = plan.mode == Mode::frozen ? 0 : 2 * model->values().sizeBytes();
  requireMemory(replicaBytes + stateBytes);
  for (int i = 0; i < threads_; i++)
    replicas_.push_back(std::make_unique<Replica>(*model, *kernels_, maxTokens, recompute));
  optimizer_ = std::make_unique<Optimizer>(optimizerPlan, model->values().count());
  maxTokens_ = maxTokens;
  model_ = std::move(model);

  Reply reply;
  reply.head.set("architecture", "llama");
  reply.head.set("vocabSize", model_->shape().vocabSize);
  reply.head.set("layerCount", model_->shape().layerCount);
  reply.head.set("parameterCount", model_->parameterCount());
  reply.head.set("trainableCount", model_->trainableCount());
  reply.head.set("plannedBytes", model_->weightBytes() + stateBytes + replicaBytes);
  reply.head.set("contextLength", model_->shape().contextLength);
  return reply;
}

void Session::requireModel(bool trains) const {
  require(model_ != nullptr, "bad-request", "No model is loaded to train or to evaluate.", report);
  require(!trains || model_->mode() != Mode::frozen, "bad-request", "The model was loaded for evaluation only.",
          "Load it for full or LoRA training.");
}

std::vector<double> Session::runPacks(const std::vector<Row> &rows,
                                      const std::function<void(Replica &, const Pack &, std::vector<double> &)> &work) {
  const std::vector<std::vector<Pack>> packs = deal(rows, threads_, maxTokens_);
  // A row belongs to one worker, so each writes its own entries.
  std::vector<double> rowLoss(rows.size(), 0.0);
  workers_->run([&](int worker) {
    for (const Pack &pack : packs[static_cast<size_t>(worker)])
      work(*replicas_[static_cast<size_t>(worker)], pack, rowLoss);
  });
  return rowLoss;
}

// Leaves the summed gradient in the first replica. The replicas are added in order, so equal thread counts give equal
// bits.
std::vector<double> Session::computeGradients(const std::vector<Row> &rows, double weightSum) {
  const auto scale = static_cast<float>(1 / weightSum);
  workers_->run([&](int worker) { replicas_[static_cast<size_t>(worker)]->grads().zero(); });
  std::vector<double> rowLoss = runPacks(
      rows, [&](Replica &replica, const Pack &pack, std::vector<double> &loss) { replica.train(pack, scale, loss); });
  const size_t count = model_->values().count(), share = (count / static_cast<size_t>(threads_) + 16) / 16 * 16;
  workers_->run([&](int worker) {
    const size_t begin = std::min(count, static_cast<size_t>(worker) * share), end = std::min(count, begin + share);
    for (size_t r = 1; r < replicas_.size(); r++)
      kernels_->add(replicas_[0]->grads().get() + begin, replicas_[r]->grads().get() + begin,
                    static_cast<long>(end - begin));
  });
  return rowLoss;
}

Reply Session::step(const Frame &frame) {
  requireModel(true);
  const double start = milliseconds(), learningRate = frame.head.number("learningRate");
  require(learningRate >= 0 && learningRate < 1e3, "bad-request", "The learning rate is outside its range.", report);
  const std::vector<Row> rows = readRows(frame, model_->shape(), maxTokens_);
  const double weightSum = sumOfWeights(rows);
  require(weightSum > 0, "bad-request", "No token of this step counts towards the loss.",
          "Check the samples of the dataset: their responses are empty.");
  const std::vector<double> rowLoss = computeGradients(rows, weightSum);

  double lossSum = 0;
  long tokens = 0;
  std::map<int, std::pair<double, double>> groups;
  for (size_t i = 0; i < rows.size(); i++) {
    lossSum += rowLoss[i];
    tokens += rows[i].length;
    groups[rows[i].group].first += rowLoss[i];
    groups[rows[i].group].second += rows[i].weightSum;
  }
  require(std::isfinite(lossSum), "not-finite",
          "The loss is not a finite number in step " + std::to_string(optimizer_->stepCount() + 1) + ".",
          "Start a new tuning with a lower learning rate; this one would come to the same step again.");
  const double norm = optimizer_->step(*model_, replicas_[0]->grads(), learningRate, *kernels_, *workers_);

  Reply reply;
  reply.head.set("step", optimizer_->stepCount());
  reply.head.set("loss", lossSum / weightSum);
  reply.head.set("gradNorm", norm);
  Json list = Json::array();
  for (const auto &[group, sums] : groups) {
    Json one = Json::object();
    one.set("group", group);
    one.set("lossSum", sums.first);
    one.set("weightSum", sums.second);
    list.push(std::move(one));
  }
  reply.head.set("groups", std::move(list));
  reply.head.set("tokens", tokens);
  reply.head.set("ms", milliseconds() - start);
  return reply;
}

Reply Session::evaluate(const Frame &frame) {
  requireModel(false);
  const std::vector<Row> rows = readRows(frame, model_->shape(), maxTokens_);
  const std::vector<double> rowLoss = runPacks(
      rows, [](Replica &replica, const Pack &pack, std::vector<double> &loss) { replica.evaluate(pack, loss); });
  Json list = Json::array();
  for (size_t i = 0; i < rows.size(); i++) {
    require(std::isfinite(rowLoss[i]), "not-finite",
            "The loss of row " + std::to_string(i + 1) + " is not a finite number.",
            "Continue from an older checkpoint.");
    Json one = Json::object();
    one.set("lossSum", rowLoss[i]);
    one.set("weightSum", rows[i].weightSum);
    list.push(std::move(one));
  }
  Reply reply;
  reply.head.set("rows", std::move(list));
  return reply;
}

Reply Session::gradients(const Frame &frame) {
  requireModel(true);
  const std::vector<Row> rows = readRows(frame, model_->shape(), maxTokens_);
  const double weightSum = sumOfWeights(rows);
  require(weightSum > 0, "bad-request", "No token of this request counts towards the loss.", report);
  const std::vector<double> rowLoss = computeGradients(rows, weightSum);
  double lossSum = 0;
  for (const double loss : rowLoss) lossSum += loss;
  Reply reply;
  reply.head.set("loss", lossSum / weightSum);
  Json list = Json::array();
  for (const Trainable &t : model_->trainables()) {
    Json one = Json::object(), shape = Json::array();
    for (const long size : t.shape) shape.push(size);
    one.set("name", t.name);
    one.set("shape", std::move(shape));
    list.push(std::move(one));
    const float *grads = replicas_[0]->grads().get() + t.offset;
    reply.payload.insert(reply.payload.end(), grads, grads + t.count);
  }
  reply.head.set("tensors", std::move(list));
  return reply;
}

Reply Session::save(const Json &request) {
  requireModel(true);
  Reply reply;
  const size_t sizeBytes = saveCheckpoint(request.text("folder"), *model_, *optimizer_);
  reply.head.set("step", optimizer_->stepCount());
  reply.head.set("sizeBytes", sizeBytes);
  return reply;
}

Reply Session::restore(const Json &request) {
  requireModel(true);
  Reply reply;
  const size_t sizeBytes = loadCheckpoint(request.text("folder"), *model_, *optimizer_);
  reply.head.set("step", optimizer_->stepCount());
  reply.head.set("sizeBytes", sizeBytes);
  return reply;
}

Reply Session::exportModel(const Json &request) {
  requireModel(false);
  Reply reply;
  reply.head.set("sizeBytes", exportGguf(ggml_, *model_, request));
  return reply;
}

}  // namespace labdesk
