// See device_executor.h.
#include "device_executor.h"

#include <algorithm>
#include <cmath>

#include "device_pass.h"
#include "failure.h"
#include "random.h"
#include "regulariser.h"

namespace labdesk {

namespace {

constexpr const char *useProcessor = "Train on the processor, or choose another device.";
constexpr const char *needLess =
    "Choose fewer tokens at once, an adapter instead of full training, a smaller model, or the processor; or close "
    "other programs "
    "that use the device.";
// Gradients on their way through F16 products are kept this much larger: a probability of a vocabulary of 50,000 words
// would vanish.
constexpr float halfGain = 128;

size_t mebibytes(size_t bytes) { return (bytes + (1 << 20) - 1) >> 20; }

// One row of that length with every prediction counting: no pack needs more.
Pack longestPack(const Model &model, int tokens) {
  Pack pack;
  for (int i = 0; i < tokens; i++) {
    pack.tokens.push_back(i % model.shape().vocabSize);
    pack.positions.push_back(i);
    pack.predictors.push_back(i);
  }
  pack.targets = pack.tokens;
  pack.weights.assign(pack.tokens.size(), 1);
  pack.rows.assign(pack.tokens.size(), 0);
  pack.segments = {{0, tokens}};
  pack.segmentRows = {0};
  return pack;
}

}  // namespace

struct DeviceExecutor::Backend {
  const DeviceLibrary &ggml;
  ggml_backend_t handle;

  Backend(const DeviceLibrary &ggml, ggml_backend_dev_t device, int threads)
      : ggml(ggml), handle(ggml.ggml_backend_dev_init(device, nullptr)) {
    require(
        handle != nullptr, "device-untrusted",
        std::string("The device ") + ggml.ggml_backend_dev_name(device) + " could not be started." + ggml.lastError(),
        useProcessor);
    void *setter =
        ggml.ggml_backend_reg_get_proc_address(ggml.ggml_backend_dev_backend_reg(device), "ggml_backend_set_n_threads");
    if (setter) reinterpret_cast<ggml_backend_set_n_threads_t>(setter)(handle, threads);
  }
  ~Backend() { ggml.ggml_backend_free(handle); }
  Backend(const Backend &) = delete;
  Backend &operator=(const Backend &) = delete;
};

struct DeviceExecutor::RunOptions {
  bool trains = false;
  DevicePassPlan pass;
};

DeviceExecutor::DeviceExecutor(const DeviceLibrary &ggml, const Model &model, const DevicePlan &plan)
    : ggml_(ggml),
      model_(model),
      plan_(plan),
      device_(ggml.find(plan.device)),
      roundsToHalf_(ggml.roundsToHalf(device_)),
      backend_(std::make_unique<Backend>(ggml, device_, plan.threads)),
      weights_(ggml, model),
      allocator_(ggml.ggml_gallocr_new(ggml.ggml_backend_dev_buffer_type(device_)), ggml.ggml_gallocr_free) {
  const ggml_backend_buffer_type_t memory = ggml.ggml_backend_dev_buffer_type(device_);
  weightBytes_ = weights_.plannedBytes(memory);
  requireRoom(weightBytes_, "the model's weights and gradients");
  require(weights_.allocate(memory), "out-of-memory",
          "The device " + plan.device + " would not give " + std::to_string(mebibytes(weightBytes_)) + " MiB." +
              ggml.lastError(),
          needLess);
  planGraph();
  weights_.uploadFrozen();
  weights_.uploadValues();
  weights_.zeroGradients();
  if (model.mode() != Mode::frozen) grads_ = Buffer<float>(model.values().count());
}

DeviceExecutor::~DeviceExecutor() = default;

void DeviceExecutor::requireRoom(size_t neededBytes, const char *what) const {
  const DeviceSummary device = ggml_.summarise(device_);
  if (device.totalBytes == 0 || neededBytes <= device.freeBytes) return;  // some drivers do not tell
  throw Failure("out-of-memory",
                "The device " + device.description + " (" + device.name + ") has " +
                    std::to_string(device.freeBytes >> 20) + " MiB free, and " + what + " need " +
                    std::to_string(mebibytes(neededBytes)) + " MiB.",
                needLess);
}

// Measures the largest graph before it takes its memory, and asks the device about every operation of it.
void DeviceExecutor::planGraph() {
  Graph graph(ggml_, DevicePass::nodeLimit(model_, plan_.maxTokens), Graph::Use::measuring);
  DevicePassPlan pass;
  pass.recompute = plan_.recompute;
  DevicePass nodes(graph, weights_, longestPack(model_, plan_.maxTokens), pass);
  model_.mode() == Mode::frozen ? nodes.evaluate() : nodes.train();
  if (const Tensor missing = graph.unsupported(device_))
    throw Failure(
        "device-untrusted",
        "The device " + plan_.device + " cannot compute " + ggml_.ggml_op_desc(missing) + " as this model needs it.",
        useProcessor);
  ggml_.ggml_gallocr_reserve_n_size(allocator_.get(), graph.nodes(), nullptr, nullptr, &graphBytes_);
  requireRoom(graphBytes_, "its activations");
  allocate(graph);
}

// Always measured anew: the allocator takes graphs of equal counts for the same one.
void DeviceExecutor::allocate(const Graph &graph) {
  size_t bytes = 0;
  ggml_.ggml_gallocr_reserve_n_size(allocator_.get(), graph.nodes(), nullptr, nullptr, &bytes);
  graphBytes_ = std::max(graphBytes_, bytes);
  require(ggml_.ggml_gallocr_reserve(allocator_.get(), graph.nodes()) &&
              ggml_.ggml_gallocr_alloc_graph(allocator_.get(), graph.nodes()),
          "out-of-memory",
          "The device " + plan_.device + " would not give " + std::to_string(mebibytes(bytes)) +
              " MiB for activations." + ggml_.lastError(),
          needLess);
}

void DeviceExecutor::run(const Pack &pack, const RunOptions &options, std::vector<double> &rowLoss) {
  if (pack.predictors.empty()) return;
  Graph graph(ggml_, DevicePass::nodeLimit(model_, static_cast<long>(pack.tokens.size())), Graph::Use::running);
  DevicePass pass(graph, weights_, pack, options.pass);
  options.trains ? pass.train() : pass.evaluate();
  allocate(graph);
  graph.upload();
  ggml_status status = GGML_STATUS_FAILED;
  std::string why = ggml_.lastError();
  try {
    status = ggml_.ggml_backend_graph_compute(backend_->handle, graph.nodes());
  } catch (const std::exception &thrown) {  // Vulkan's own, for a lost device
    why = std::string(" ") + thrown.what();
  }
  require(status == GGML_STATUS_SUCCESS, status == GGML_STATUS_ALLOC_FAILED ? "out-of-memory" : "device-untrusted",
          "The device " + plan_.device + " failed while it computed." + why,
          status == GGML_STATUS_ALLOC_FAILED ? needLess : useProcessor);
  const std::vector<float> logProbabilities = pass.readLogProbabilities();
  for (size_t r = 0; r < logProbabilities.size(); r++)
    rowLoss[static_cast<size_t>(pack.rows[r])] -=
        static_cast<double>(pack.weights[r]) * static_cast<double>(logProbabilities[r]);
}

void DeviceExecutor::evaluate(const std::vector<Pack> &packs, bool base, std::vector<double> &rowLoss) {
  RunOptions options;
  options.pass.base = base;
  for (const Pack &pack : packs) run(pack, options, rowLoss);
}

void DeviceExecutor::train(const std::vector<Pack> &packs, float lossScale, const Regulariser &regulariser,
                           std::vector<double> &rowLoss) {
  require(regulariser.dropout == 0, "bad-request", "An adapter's dropout is only computed on the processor.",
          "Set dropout to 0, or train on the processor.");
  if (firstScale_ == 0) firstScale_ = lossScale;
  RunOptions options;
  options.trains = true;
  options.pass.recompute = plan_.recompute;
  options.pass.klWeight = regulariser.klWeight;
  options.pass.gradFactor = (roundsToHalf_ ? halfGain : 1) * (firstScale_ == 0 ? 0 : lossScale / firstScale_);
  for (const Pack &pack : packs) {
    if (regulariser.neftuneAlpha > 0) {
      options.pass.noise.assign(pack.tokens.size() * static_cast<size_t>(model_.shape().width), 0.0f);
      addNeftune(pack, regulariser, model_.shape().width, options.pass.noise.data());
    }
    run(pack, options, rowLoss);
  }
}

void DeviceExecutor::zeroGradients() {
  weights_.zeroGradients();
  firstScale_ = 0;
}

// The loss's scale is applied here, after the products that lose small numbers.
float *DeviceExecutor::gradients() {
  weights_.downloadGradients(grads_.get(), firstScale_ / (roundsToHalf_ ? halfGain : 1));
  return grads_.get();
}

namespace {

Pack comparedPack(const Model &model) {
  constexpr int rows = 2, length = comparedTokens / rows;
  Random random(7);
  Pack pack;
  for (int row = 0; row < rows; row++) {
    const int begin = row * length;
    for (int i = 0; i < length; i++) {
      pack.tokens.push_back(static_cast<int>(random.uniform() * model.shape().vocabSize));
      pack.positions.push_back(i);
      if (i == 0 || random.uniform() < 0.3) continue;
      pack.predictors.push_back(begin + i - 1);
      pack.targets.push_back(pack.tokens.back());
      pack.weights.push_back(static_cast<float>(0.5 + random.uniform()));
      pack.rows.push_back(row);
    }
    pack.segments.push_back({begin, begin + length});
    pack.segmentRows.push_back(row);
  }
  return pack;
}

double norm(const float *x, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += static_cast<double>(x[i]) * x[i];
  return std::sqrt(sum);
}

// |a - b| / |a| of the worst tensor; one whose own gradient is next to nothing is measured against the largest.
double worstTensor(const float *cpu, const float *device, const Model &model) {
  double largest = 0, worst = 0;
  for (const Trainable &t : model.trainables()) largest = std::max(largest, norm(cpu + t.offset, t.count));
  for (const Trainable &t : model.trainables()) {
    std::vector<float> off(cpu + t.offset, cpu + t.offset + t.count);
    for (size_t i = 0; i < t.count; i++) off[i] -= device[t.offset + i];
    const double size = std::max(norm(cpu + t.offset, t.count), 1e-3 * largest);
    const double error = norm(off.data(), t.count) / std::max(size, 1e-30);
    worst = std::isfinite(error) ? std::max(worst, error) : INFINITY;
  }
  return worst;
}

}  // namespace

double compareExecutors(Executor &cpu, Executor &device, const Model &model) {
  const std::vector<Pack> packs = {comparedPack(model)};
  std::vector<double> cpuLoss(2, 0.0), deviceLoss(2, 0.0);
  const bool trains = model.mode() != Mode::frozen;
  for (const auto &[executor, loss] : {std::pair(&cpu, &cpuLoss), std::pair(&device, &deviceLoss)}) {
    if (!trains) {
      executor->evaluate(packs, false, *loss);
      continue;
    }
    executor->zeroGradients();
    executor->train(packs, 1.0f / static_cast<float>(packs[0].predictors.size()), {}, *loss);
  }
  double worst = 0;
  for (size_t r = 0; r < cpuLoss.size(); r++) {
    const double error = std::fabs(deviceLoss[r] - cpuLoss[r]) / std::fabs(cpuLoss[r]);
    worst = std::isfinite(error) ? std::max(worst, error) : INFINITY;
  }
  if (!trains) return worst;
  worst = std::max(worst, worstTensor(cpu.gradients(), device.gradients(), model));
  cpu.zeroGradients();
  device.zeroGradients();
  return worst;
}

std::string deviceSelfTest(Executor &cpu, DeviceExecutor &device, const Model &model, const std::string &name) {
  const double error = compareExecutors(cpu, device, model);
  char text[160];
  snprintf(text, sizeof text, "the gradients of the device %s differ from the processor's by %.2g of their size",
           name.c_str(), error);
  if (error > device.tolerance())
    throw Failure("device-untrusted", std::string(1, 'T') + (text + 1) + ".",
                  "Update the device's driver, or train on the processor.");
  return text;
}

}  // namespace labdesk
