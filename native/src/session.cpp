// See session.h.
#include "session.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "checkpoint.h"
#include "combine.h"
#include "cpu_executor.h"
#include "device_executor.h"
#include "export.h"
#include "failure.h"
#include "memory.h"

namespace labdesk {

namespace {

double milliseconds() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double sumOfWeights(const std::vector<Row> &rows) {
  double sum = 0;
  for (const Row &row : rows) sum += row.weightSum;
  return sum;
}

long sumOfTokens(const std::vector<Row> &rows) {
  long sum = 0;
  for (const Row &row : rows) sum += row.length;
  return sum;
}

}  // namespace

Reply Session::answer(const Frame &frame) {
  const std::string kind = frame.head.text("kind");
  try {
    if (kind == "open") return open(frame.head);
    require(kernels_ != nullptr, "bad-request", "The first request must be 'open'.", reportRemedy);
    if (kind == "load") return load(frame.head);
    if (kind == "plan") return plan(frame.head);
    if (kind == "devices") return devices();
    if (kind == "step") return step(frame);
    if (kind == "preferenceStep") return preferenceStep(frame);
    if (kind == "evaluate") return evaluate(frame);
    if (kind == "gradients") return gradients(frame);
    if (kind == "saveCheckpoint") return save(frame.head);
    if (kind == "loadCheckpoint") return restore(frame.head);
    if (kind == "export") return exportModel(frame.head);
    if (kind == "combineAdapters") return combine(frame.head);
  } catch (const std::bad_alloc &) {
    throw Failure("out-of-memory", "The machine has not enough free memory for this model.",
                  "Close other programs, choose a shorter context, a smaller model, or LoRA.");
  }
  throw Failure("bad-request", "The request '" + kind + "' is unknown.", reportRemedy);
}

Reply Session::open(const Json &request) {
  require(kernels_ == nullptr, "bad-request", "The trainer is already open.", reportRemedy);
  const int threads = static_cast<int>(request.integer("threads", 1, 256));
  const std::string isa = request.find("isa") ? request.text("isa") : "";
  const Kernels *kernels = selectKernels(isa.c_str());
  require(kernels != nullptr, "bad-request", "This machine or build has no '" + isa + "' kernels.",
          "Choose another instruction set, or none.");
  const std::string folder = request.text("libraryDir");
  ggml_ = GgmlLibrary::open(folder);
  if (const Json *device = request.find("device")) {
    deviceLibrary_ = &DeviceLibrary::open(folder, {device->flag("exact"), device->flag("allowsSoftware")});
    if (device->find("name")) device_ = device->text("name");
  }
  workers_ = std::make_unique<Workers>(threads);
  kernels_ = kernels;
  Reply reply;
  reply.head.set("protocol", 1);
  reply.head.set("ggmlVersion", ggml_.version);
  reply.head.set("isa", kernels->name);
  reply.head.set("threads", threads);
  return reply;
}

namespace {

void describe(Json &out, const Model &model, const LoadRequest &request, int threads) {
  const size_t weights = model.weightBytes(), pass = CpuExecutor::plannedBytes(model, request.pass, threads);
  const size_t state = model.mode() == Mode::frozen ? 0 : Optimizer::stateBytes(request.optimizer, model);
  out.set("architecture", model.shape().architecture->name);
  out.set("vocabSize", model.shape().vocabSize);
  out.set("layerCount", model.shape().layerCount);
  out.set("parameterCount", model.parameterCount());
  out.set("trainableCount", model.trainableCount());
  out.set("contextLength", model.shape().contextLength);
  out.set("weightBytes", weights);
  out.set("stateBytes", state);
  out.set("passBytes", pass);
  out.set("plannedBytes", weights + state + pass);
  out.set("checkpointBytes", model.valueCount() * sizeof(float) + state);
}

}  // namespace

Reply Session::devices() const {
  require(deviceLibrary_ != nullptr, "bad-request", "The trainer was opened without devices.", reportRemedy);
  Json list = Json::array();
  for (const DeviceSummary &device : deviceLibrary_->devices()) {
    Json one = Json::object();
    one.set("name", device.name);
    one.set("description", device.description);
    one.set("kind", device.kind);
    one.set("freeBytes", device.freeBytes);
    one.set("totalBytes", device.totalBytes);
    list.push(std::move(one));
  }
  Reply reply;
  reply.head.set("devices", std::move(list));
  return reply;
}

// A device is used only after it computed the gradients of this very model as the processor does.
std::unique_ptr<Executor> Session::makeExecutor(const Model &model, const LoadRequest &request, Json &reply) {
  const auto onProcessor = [&](const std::string &notice) {
    requireMemory(CpuExecutor::plannedBytes(model, request.pass, workers_->count()));
    reply.set("device", "cpu");
    if (!notice.empty()) reply.set("notice", notice);
    return std::make_unique<CpuExecutor>(model, *kernels_, *workers_, request.pass);
  };
  if (device_.empty()) return onProcessor("");
  if (request.regulariser.dropout > 0) return onProcessor("An adapter's dropout is only computed on the processor.");
  try {
    PassPlan small = request.pass;
    small.maxTokens = std::max(comparedTokens, 1);
    auto device = std::make_unique<DeviceExecutor>(
        *deviceLibrary_, model, DevicePlan{device_, request.pass.maxTokens, request.pass.recompute, workers_->count()});
    requireMemory(CpuExecutor::plannedBytes(model, small, workers_->count()));
    CpuExecutor cpu(model, *kernels_, *workers_, small);
    reply.set("selfTest", deviceSelfTest(cpu, *device, model, device_));
    reply.set("device", device_);
    return device;
  } catch (const Failure &failure) {
    const bool isDevices = failure.code == "device-untrusted" || failure.code == "out-of-memory" ||
                           failure.code == "unsupported-architecture";
    if (!isDevices) throw;
    return onProcessor(failure.message + " Training goes on on the processor.");
  }
}

Reply Session::plan(const Json &head) {
  LoadRequest request = readLoadRequest(head);
  request.model.isOnlyMeasured = true;
  const Model model(ggml_, *kernels_, request.model);
  Reply reply;
  describe(reply.head, model, request, workers_->count());
  return reply;
}

Reply Session::load(const Json &head) {
  const LoadRequest request = readLoadRequest(head);
  // The former model goes first: two may not fit.
  executor_.reset();
  optimizer_.reset();
  model_.reset();
  auto model = std::make_unique<Model>(ggml_, *kernels_, request.model);
  Reply reply;
  describe(reply.head, *model, request, workers_->count());
  requireMemory(static_cast<size_t>(reply.head.number("stateBytes")));
  executor_ = makeExecutor(*model, request, reply.head);
  if (request.model.mode != Mode::frozen) optimizer_ = std::make_unique<Optimizer>(request.optimizer, *model);
  plan_ = request.pass;
  regulariser_ = request.regulariser;
  model_ = std::move(model);
  return reply;
}

void Session::requireModel(bool trains) const {
  require(model_ != nullptr, "bad-request", "No model is loaded to train or to evaluate.", reportRemedy);
  require(!trains || model_->mode() != Mode::frozen, "bad-request", "The model was loaded for evaluation only.",
          "Load it for full or LoRA training.");
}

std::vector<double> Session::losses(const std::vector<Row> &rows, bool base) {
  std::vector<double> rowLoss(rows.size(), 0.0);
  executor_->evaluate(packRows(rows, executor_->packing()), base, rowLoss);
  return rowLoss;
}

std::vector<double> Session::computeGradients(const std::vector<Row> &rows, double lossScale,
                                              const std::vector<float> &factors) {
  std::vector<double> rowLoss(rows.size(), 0.0);
  Regulariser regulariser = regulariser_;
  regulariser.step = static_cast<uint64_t>(optimizer_->stepCount()) + 1;
  executor_->zeroGradients();
  executor_->train(packRows(rows, executor_->packing(), factors), static_cast<float>(lossScale), regulariser, rowLoss);
  return rowLoss;
}

// Applies the gradient in the executor; returns its norm.
double Session::update(const Frame &frame) {
  const double learningRate = frame.head.number("learningRate");
  const double norm = optimizer_->step(*model_, executor_->gradients(), learningRate, *kernels_, *workers_);
  executor_->valuesChanged();
  return norm;
}

namespace {

void requireRate(const Frame &frame) {
  const double learningRate = frame.head.number("learningRate");
  require(learningRate >= 0 && learningRate < 1e3, "bad-request", "The learning rate is outside its range.",
          reportRemedy);
}

void requireFinite(double loss, long step) {
  require(std::isfinite(loss), "not-finite", "The loss is not a finite number in step " + std::to_string(step) + ".",
          "Start a new tuning with a lower learning rate; this one would come to the same step again.");
}

Json groupLosses(const std::vector<Row> &rows, const std::vector<double> &rowLoss) {
  std::map<int, std::pair<double, double>> groups;
  for (size_t i = 0; i < rows.size(); i++) {
    groups[rows[i].group].first += rowLoss[i];
    groups[rows[i].group].second += rows[i].weightSum;
  }
  Json list = Json::array();
  for (const auto &[group, sums] : groups) {
    Json one = Json::object();
    one.set("group", group);
    one.set("lossSum", sums.first);
    one.set("weightSum", sums.second);
    list.push(std::move(one));
  }
  return list;
}

}  // namespace

Reply Session::step(const Frame &frame) {
  requireModel(true);
  requireRate(frame);
  const double start = milliseconds();
  const std::vector<Row> rows = readRows(frame, model_->shape(), plan_.maxTokens);
  const double weightSum = sumOfWeights(rows);
  require(weightSum > 0, "bad-request", "No token of this step counts towards the loss.",
          "Check the samples of the dataset: their responses are empty.");
  const std::vector<double> rowLoss = computeGradients(rows, 1 / weightSum, {});
  double lossSum = 0;
  for (const double loss : rowLoss) lossSum += loss;
  requireFinite(lossSum, optimizer_->stepCount() + 1);
  const double norm = update(frame);

  Reply reply;
  reply.head.set("step", optimizer_->stepCount());
  reply.head.set("loss", lossSum / weightSum);
  reply.head.set("gradNorm", norm);
  reply.head.set("groups", groupLosses(rows, rowLoss));
  reply.head.set("tokens", sumOfTokens(rows));
  reply.head.set("ms", milliseconds() - start);
  return reply;
}

namespace {

// Rows come in pairs, chosen before rejected. `references`: log probability of each row by the reference, or empty.
struct Preferences {
  double beta = 0;
  std::vector<double> references;
};

Preferences readPreferences(const Json &head, const std::vector<Row> &rows) {
  Preferences out;
  out.beta = head.number("beta");
  require(out.beta > 0 && out.beta <= 100, "bad-request", "The setting 'beta' is outside its range.", reportRemedy);
  require(!rows.empty() && rows.size() % 2 == 0, "bad-request", "Preferences come in pairs of rows.", reportRemedy);
  for (const Row &row : rows)
    require(row.weightSum > 0, "bad-request", "A chosen or rejected answer is empty.", "Leave the pair out.");
  if (!head.find("references")) return out;
  for (const Json &reference : head.list("references")) out.references.push_back(reference.asNumber());
  require(out.references.size() == rows.size(), "bad-request", "There is not one reference for each row.",
          reportRemedy);
  return out;
}

}  // namespace

// Direct preference optimisation (Rafailov et al. 2023): loss = -log sigmoid(beta * margin), where margin is how much
// more the policy prefers the chosen answer than the reference does. Its gradient is that of the rows' cross entropies,
// each times a factor that one forward pass finds.
Reply Session::preferenceStep(const Frame &frame) {
  requireModel(true);
  requireRate(frame);
  const double start = milliseconds();
  const std::vector<Row> rows = readRows(frame, model_->shape(), plan_.maxTokens);
  Preferences preferences = readPreferences(frame.head, rows);
  if (preferences.references.empty()) {
    require(model_->mode() == Mode::lora, "bad-request",
            "Full training has no reference in memory: its log probabilities must come with the request.",
            reportRemedy);
    for (const double loss : losses(rows, true)) preferences.references.push_back(-loss);
  }
  const std::vector<double> now = losses(rows, false);
  const double pairs = static_cast<double>(rows.size() / 2);
  std::vector<float> factors(rows.size());
  double lossSum = 0, marginSum = 0, wins = 0;
  for (size_t i = 0; i < rows.size(); i += 2) {
    const double margin = (-now[i] - preferences.references[i]) - (-now[i + 1] - preferences.references[i + 1]);
    const double z = preferences.beta * margin;
    const double pull = preferences.beta / (1 + std::exp(z)) / pairs;
    lossSum += z > 0 ? std::log1p(std::exp(-z)) : std::log1p(std::exp(z)) - z;
    marginSum += margin;
    wins += margin > 0;
    factors[i] = static_cast<float>(pull);
    factors[i + 1] = static_cast<float>(-pull);
  }
  requireFinite(lossSum, optimizer_->stepCount() + 1);
  computeGradients(rows, 1, factors);
  const double norm = update(frame);

  Reply reply;
  reply.head.set("step", optimizer_->stepCount());
  reply.head.set("loss", lossSum / pairs);
  reply.head.set("margin", marginSum / pairs);
  reply.head.set("accuracy", wins / pairs);
  reply.head.set("gradNorm", norm);
  reply.head.set("tokens", sumOfTokens(rows));
  reply.head.set("ms", milliseconds() - start);
  return reply;
}

Reply Session::evaluate(const Frame &frame) {
  requireModel(false);
  const std::vector<Row> rows = readRows(frame, model_->shape(), plan_.maxTokens);
  const std::vector<double> rowLoss = losses(rows, frame.head.flag("base"));
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
  const std::vector<Row> rows = readRows(frame, model_->shape(), plan_.maxTokens);
  const double weightSum = sumOfWeights(rows);
  require(weightSum > 0, "bad-request", "No token of this request counts towards the loss.", reportRemedy);
  const std::vector<double> rowLoss = computeGradients(rows, 1 / weightSum, {});
  double lossSum = 0;
  for (const double loss : rowLoss) lossSum += loss;
  Reply reply;
  reply.head.set("loss", lossSum / weightSum);
  Json list = Json::array();
  const float *all = executor_->gradients();
  for (const Trainable &t : model_->trainables()) {
    if (t.isFixed) continue;
    Json one = Json::object(), shape = Json::array();
    for (const long size : t.shape) shape.push(size);
    one.set("name", t.name);
    one.set("shape", std::move(shape));
    list.push(std::move(one));
    reply.payload.insert(reply.payload.end(), all + t.offset, all + t.offset + t.count);
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
  executor_->valuesChanged();
  reply.head.set("step", optimizer_->stepCount());
  reply.head.set("sizeBytes", sizeBytes);
  return reply;
}

Reply Session::combine(const Json &request) const {
  Reply reply;
  reply.head.set("sizeBytes", combineAdapters(ggml_, request));
  return reply;
}

Reply Session::exportModel(const Json &request) {
  requireModel(false);
  Reply reply;
  reply.head.set("sizeBytes", exportGguf(ggml_, *model_, *workers_, request));
  return reply;
}

}  // namespace labdesk
