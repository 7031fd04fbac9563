// See model.h.
#include "model.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "failure.h"
#include "model_builder.h"
#include "random.h"
#include "subspace.h"
#include "tensor_values.h"

namespace labdesk {

float LoraPlan::scale() const {
  return static_cast<float>(isRankStabilised ? alpha / std::sqrt(static_cast<double>(rank)) : alpha / rank);
}

Model::Model(const GgmlLibrary &ggml, const Kernels &kernels, const LoadPlan &plan)
    : ggml_(ggml), mode_(plan.mode), lora_(plan.lora), file_(std::make_unique<GgufFile>(plan.modelPath)) {
  shape_ = readShape(*file_);
  ModelBuilder(*this, kernels, plan).build();
  const bool reachesEmbedding = embeddingGrad_ != frozenOffset;
  firstTrainedLayer_ = shape_.layerCount;
  for (Layer &layer : layers_) {
    layer.trains = mode_ != Mode::frozen && layer.index >= plan.frozenLayers;
    if (layer.trains || reachesEmbedding) firstTrainedLayer_ = std::min(firstTrainedLayer_, layer.index);
  }
  if (plan.isOnlyMeasured) return;
  if (mode_ == Mode::full && plan.isRandom) randomise(plan.initSeed);
  if (mode_ == Mode::lora) startAdapters(kernels);
  if (mode_ == Mode::lora && !lora_.continueFrom.empty()) continueAdapters(lora_.continueFrom);
}

long Model::trainableCount() const {
  long count = 0;
  for (const Trainable &t : trainables_) count += t.isFixed ? 0 : static_cast<long>(t.count);
  return count;
}

const Trainable *Model::trainable(const std::string &name) const {
  for (const Trainable &t : trainables_)
    if (t.name == name) return &t;
  return nullptr;
}

// GPT-2's start: normal 0.02, outputs into the residual stream scaled by 1/sqrt(2 layers), norms 1, biases 0.
void Model::randomise(double seed) {
  Random random(seed);
  const double residual = 0.02 / std::sqrt(2.0 * shape_.layerCount);
  for (const Trainable &t : trainables_) {
    float *values = values_.get() + t.offset;
    const bool isResidual =
        t.name.find("attn_output") != std::string::npos || t.name.find("ffn_down") != std::string::npos;
    const bool isBias = t.name.size() > 5 && t.name.compare(t.name.size() - 5, 5, ".bias") == 0;
    for (size_t i = 0; i < t.count; i++)
      values[i] = t.decays ? static_cast<float>(random.normal() * (isResidual ? residual : 0.02))
                  : isBias ? 0.0f
                           : 1.0f;
  }
}

// LoRA's start (Hu et al. 2021, as PEFT does it): A uniform in +-1/sqrt(in), B zero.
void Model::startAdapters(const Kernels &kernels) {
  Random random(lora_.seed);
  double site = lora_.seed;
  for (const Trainable &t : trainables_) {
    const bool isA = t.name.size() > 7 && t.name.compare(t.name.size() - 7, 7, ".lora_a") == 0;
    float *values = values_.get() + t.offset;
    if (isA && lora_.keepsToLeast) {
      const GgufTensor &base = *file_->tensor(t.name.substr(0, t.name.size() - 7));
      require(t.shape[1] <= base.shape[0], "bad-request",
              "The adapter's rank is above the width of '" + base.name + "'.", "Choose a lower rank.");
      std::vector<float> weight(static_cast<size_t>(base.elementCount()));
      readValues(ggml_, *file_, base, weight.data());
      leastDirections(kernels, weight.data(), rowCount(base), base.shape[0], static_cast<int>(t.shape[1]), site++,
                      values);
      continue;
    }
    const double reach = isA ? 1 / std::sqrt(static_cast<double>(t.shape[0])) : 0;
    for (size_t i = 0; i < t.count; i++) values[i] = static_cast<float>((2 * random.uniform() - 1) * reach);
  }
}

void Model::continueAdapters(const std::string &path) {
  constexpr const char *remedy =
      "Choose an adapter that was trained on this model with the same rank and targets, or start a new one.";
  const std::string architecture = shape_.architecture->name;
  const GgufFile file(path);
  const bool isAdapter = file.has("adapter.type") && file.text("adapter.type") == "lora" &&
                         file.text("general.architecture") == architecture;
  require(isAdapter, "bad-gguf", path + ": this is no LoRA adapter of a " + architecture + " model.", remedy);
  const double alpha = static_cast<double>(lora_.scale()) * lora_.rank;
  require(std::fabs(file.number("adapter.lora.alpha") - alpha) < 1e-6 * alpha, "bad-gguf",
          path + ": the adapter's alpha differs from the one asked for.", remedy);
  require(file.tensors().size() == trainables_.size(), "bad-gguf",
          path + ": the adapter covers other tensors than the ones asked for.", remedy);
  for (const Trainable &t : trainables_) {
    const GgufTensor *tensor = file.tensor(t.name);
    require(tensor && tensor->shape == t.shape, "bad-gguf",
            path + ": the adapter tensor '" + t.name + "' is missing or has another shape.", remedy);
    readValues(ggml_, file, *tensor, values_.get() + t.offset);
  }
}

// W + scale * B A, row by row.
void Model::mergeAdapter(const std::string &name, std::vector<float> &values, long in) const {
  const Trainable *a = trainable(name + ".lora_a"), *b = trainable(name + ".lora_b");
  if (!a || !b) return;
  for (long row = 0; row < b->shape[1]; row++)
    for (int r = 0; r < lora_.rank; r++) {
      const float factor = lora_.scale() * values_.get()[b->offset + static_cast<size_t>(row * lora_.rank + r)];
      const float *direction = values_.get() + a->offset + static_cast<size_t>(r * in);
      for (long i = 0; i < in; i++) values[static_cast<size_t>(row * in + i)] += factor * direction[i];
    }
}

std::vector<float> Model::readTensor(const GgufTensor &tensor) const {
  std::vector<float> out(static_cast<size_t>(tensor.elementCount()));
  if (const Trainable *own = trainable(tensor.name)) {
    memcpy(out.data(), values_.get() + own->offset, out.size() * sizeof(float));
    return out;
  }
  readValues(ggml_, *file_, tensor, out.data());
  mergeAdapter(tensor.name, out, tensor.shape[0]);
  return out;
}

}  // namespace labdesk
