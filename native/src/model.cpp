// See model.h.
#include "model.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "failure.h"
#include "memory.h"
#include "random.h"

namespace labdesk {

namespace {

constexpr const char *damaged = "Choose another model file, or download this one again.";
constexpr const char *unsupported = "Choose a model of the llama architecture with F32, F16, BF16 or Q8_0 weights.";

bool isReadable(uint32_t type) {
  return type == GGML_TYPE_F32 || type == GGML_TYPE_F16 || type == GGML_TYPE_BF16 || type == GGML_TYPE_Q8_0;
}

size_t rowBytes(const GgmlLibrary &ggml, const GgufTensor &tensor) {
  const ggml_type_traits *traits = ggml.typeTraits(static_cast<ggml_type>(tensor.type));
  return static_cast<size_t>(tensor.shape[0] / traits->blck_size) * traits->type_size;
}

std::string shapeText(const std::vector<long> &shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); i++) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

long rowCount(const GgufTensor &tensor) { return tensor.elementCount() / tensor.shape[0]; }

// The tensor's stored bytes, after checking its type and that its rows are whole blocks inside the file.
const char *storedBytes(const GgmlLibrary &ggml, const GgufFile &file, const GgufTensor &tensor) {
  require(isReadable(tensor.type), "unsupported-type",
          file.path() + ": the tensor '" + tensor.name + "' is of type " + typeName(ggml, tensor.type) +
              ", which cannot be trained.",
          unsupported);
  const ggml_type_traits *traits = ggml.typeTraits(static_cast<ggml_type>(tensor.type));
  require(tensor.shape[0] % traits->blck_size == 0, "bad-gguf",
          file.path() + ": the rows of the tensor '" + tensor.name + "' are no whole blocks.", damaged);
  return static_cast<const char *>(file.bytes(tensor, rowBytes(ggml, tensor) * static_cast<size_t>(rowCount(tensor))));
}

}  // namespace

std::string typeName(const GgmlLibrary &ggml, uint32_t type) {
  if (type >= GGML_TYPE_COUNT) return "number " + std::to_string(type);
  const ggml_type_traits *traits = ggml.typeTraits(static_cast<ggml_type>(type));
  return traits && traits->type_name ? traits->type_name : "number " + std::to_string(type);
}

void readValues(const GgmlLibrary &ggml, const GgufFile &file, const GgufTensor &tensor, float *out) {
  const char *bytes = storedBytes(ggml, file, tensor);
  const long count = tensor.elementCount();
  if (tensor.type == GGML_TYPE_F32)
    memcpy(out, bytes, static_cast<size_t>(count) * sizeof(float));
  else
    ggml.typeTraits(static_cast<ggml_type>(tensor.type))->to_float(bytes, out, count);
  const bool isFinite = std::all_of(out, out + count, [](float value) { return std::isfinite(value); });
  require(isFinite, "bad-gguf",
          file.path() + ": the tensor '" + tensor.name + "' holds a value that is not a finite number.", damaged);
}

// Tensors of equal input width whose rows are laid end to end.
struct Model::Group {
  std::vector<const GgufTensor *> parts;
  bool isMatrix;
};

// Lays the groups out in the frozen bytes or the trainable values: first all are measured, then filled.
struct Model::Builder {
  Model &model;
  const GgmlLibrary &ggml;
  size_t bytes = 0;
  size_t floats = 0;
  struct Place {
    Group group;
    bool asFloat;
    size_t offset;
  };
  std::vector<Place> places;

  const GgufTensor *part(const std::string &name, const std::vector<long> &shape) const {
    const GgufTensor *tensor = model.file_->tensor(name);
    require(tensor != nullptr, "bad-gguf", model.file_->path() + ": the tensor '" + name + "' is missing.", damaged);
    require(tensor->shape == shape, "bad-gguf",
            model.file_->path() + ": the tensor '" + name + "' has the shape " + shapeText(tensor->shape) +
                " instead of " + shapeText(shape) + ".",
            damaged);
    storedBytes(ggml, *model.file_, *tensor);
    return tensor;
  }

  size_t place(Group group) {
    Place out{std::move(group), false, 0};
    const bool trains = model.mode_ == Mode::full;
    out.asFloat = trains || !out.group.isMatrix;
    for (const GgufTensor *t : out.group.parts) out.asFloat = out.asFloat || t->type != out.group.parts[0]->type;
    if (trains) {
      floats = (floats + 15) / 16 * 16;
      out.offset = floats;
      for (const GgufTensor *t : out.group.parts) model.addTrainable(t->name, t->shape, floats);
    } else {
      bytes = (bytes + 63) / 64 * 64;
      out.offset = bytes;
      for (const GgufTensor *t : out.group.parts)
        bytes += out.asFloat ? static_cast<size_t>(t->elementCount()) * sizeof(float)
                             : rowBytes(ggml, *t) * static_cast<size_t>(rowCount(*t));
    }
    places.push_back(std::move(out));
    return places.size() - 1;
  }

  void fill(bool isRandom) {
    std::vector<float> checked;
    for (const Place &p : places) {
      size_t at = p.offset;
      for (const GgufTensor *t : p.group.parts) {
        const auto count = static_cast<size_t>(t->elementCount());
        if (model.mode_ == Mode::full) {
          if (!isRandom) readValues(ggml, *model.file_, *t, model.values_.get() + at);
          at += count;
        } else if (p.asFloat) {
          readValues(ggml, *model.file_, *t, reinterpret_cast<float *>(model.frozen_.get() + at));
          at += count * sizeof(float);
        } else {
          checked.resize(count);
          readValues(ggml, *model.file_, *t, checked.data());
          const size_t size = rowBytes(ggml, *t) * static_cast<size_t>(rowCount(*t));
          memcpy(model.frozen_.get() + at, storedBytes(ggml, *model.file_, *t), size);
          at += size;
        }
      }
    }
  }

  const void *rows(size_t index) const {
    const Place &p = places[index];
    return model.mode_ == Mode::full ? static_cast<const void *>(model.values_.get() + p.offset)
                                     : model.frozen_.get() + p.offset;
  }
  ptrdiff_t grad(size_t index) const {
    return model.mode_ == Mode::full ? static_cast<ptrdiff_t>(places[index].offset) : frozenOffset;
  }

  Weight weight(size_t index) const {
    const Place &p = places[index];
    Weight out;
    out.rows = rows(index);
    out.in = static_cast<int>(p.group.parts[0]->shape[0]);
    for (const GgufTensor *t : p.group.parts) out.out += static_cast<int>(rowCount(*t));
    const bool isF32 = p.asFloat || p.group.parts[0]->type == GGML_TYPE_F32;
    const ggml_type_traits *traits =
        ggml.typeTraits(isF32 ? GGML_TYPE_F32 : static_cast<ggml_type>(p.group.parts[0]->type));
    out.toFloat = isF32 ? nullptr : traits->to_float;
    out.blockSize = static_cast<int>(traits->blck_size);
    out.blockBytes = static_cast<int>(traits->type_size);
    out.rowBytes = static_cast<long>(out.in / out.blockSize) * out.blockBytes;
    return out;
  }
  Norm norm(size_t index) const { return {static_cast<const float *>(rows(index)), grad(index)}; }

  // Adapters of the targeted parts of `linear`, A's first so that they are one matrix.
  void adapt(Linear &linear, const Group &group, const std::vector<std::string> &targets, int rank, double alpha) {
    struct Part {
      const GgufTensor *tensor;
      int firstRow;
    };
    std::vector<Part> chosen;
    int row = 0;
    for (const GgufTensor *t : group.parts) {
      const std::string role = t->name.substr(t->name.find('.', 4) + 1);  // blk.N.<role>.weight
      if (std::find(targets.begin(), targets.end(), role.substr(0, role.find('.'))) != targets.end())
        chosen.push_back({t, row});
      row += static_cast<int>(rowCount(*t));
    }
    if (chosen.empty()) return;
    linear.rank = rank;
    linear.scale = static_cast<float>(alpha / rank);
    floats = (floats + 15) / 16 * 16;
    for (const Part &part : chosen) {
      linear.adapters.push_back({part.firstRow, static_cast<int>(rowCount(*part.tensor)), floats, 0});
      model.addTrainable(part.tensor->name + ".lora_a", {part.tensor->shape[0], rank}, floats);
    }
    for (size_t i = 0; i < chosen.size(); i++) {
      floats = (floats + 15) / 16 * 16;
      linear.adapters[i].b = floats;
      model.addTrainable(chosen[i].tensor->name + ".lora_b", {rank, rowCount(*chosen[i].tensor)}, floats);
    }
  }
};

void Model::addTrainable(const std::string &name, const std::vector<long> &shape, size_t &offset) {
  Trainable out;
  out.name = name;
  out.shape = shape;
  out.offset = offset;
  out.count = 1;
  for (const long size : shape) out.count *= static_cast<size_t>(size);
  out.decays = shape.size() > 1;
  offset += out.count;
  trainables_.push_back(std::move(out));
}

void Model::readShape() {
  const GgufFile &file = *file_;
  const std::string architecture = file.text("general.architecture");
  require(architecture == "llama", "unsupported-architecture",
          file.path() + ": the architecture '" + architecture + "' cannot be trained.", unsupported);
  const auto whole = [&](const std::string &key, long most) {
    const double value = file.number("llama." + key);
    require(value >= 1 && value <= static_cast<double>(most) && value == std::floor(value), "bad-gguf",
            file.path() + ": the metadata 'llama." + key + "' is not a usable number.", damaged);
    return static_cast<int>(value);
  };
  shape_.layerCount = whole("block_count", 1024);
  shape_.width = whole("embedding_length", 1 << 16);
  shape_.headCount = whole("attention.head_count", 1 << 12);
  shape_.kvHeadCount =
      file.has("llama.attention.head_count_kv") ? whole("attention.head_count_kv", 1 << 12) : shape_.headCount;
  shape_.ffnWidth = whole("feed_forward_length", 1 << 20);
  shape_.contextLength = whole("context_length", 1 << 30);
  require(shape_.headCount % shape_.kvHeadCount == 0, "bad-gguf", file.path() + ": the head counts do not divide.",
          damaged);
  const bool hasHeadSize = file.has("llama.attention.key_length");
  require(hasHeadSize || shape_.width % shape_.headCount == 0, "bad-gguf",
          file.path() + ": the head count does not divide the width.", damaged);
  shape_.headSize = hasHeadSize ? whole("attention.key_length", 1 << 12) : shape_.width / shape_.headCount;
  const bool isSquare =
      !file.has("llama.attention.value_length") || whole("attention.value_length", 1 << 12) == shape_.headSize;
  require(isSquare, "unsupported-architecture", file.path() + ": keys and values of different sizes cannot be trained.",
          unsupported);
  shape_.rotated =
      file.has("llama.rope.dimension_count") ? whole("rope.dimension_count", shape_.headSize) : shape_.headSize;
  require(shape_.rotated % 2 == 0, "bad-gguf", file.path() + ": the metadata 'llama.rope.dimension_count' is odd.",
          damaged);
  shape_.eps = static_cast<float>(file.number("llama.attention.layer_norm_rms_epsilon"));
  shape_.ropeBase =
      file.has("llama.rope.freq_base") ? static_cast<float>(file.number("llama.rope.freq_base")) : 10000.0f;
  require(shape_.eps > 0 && shape_.eps < 1 && shape_.ropeBase > 1 && std::isfinite(shape_.ropeBase), "bad-gguf",
          file.path() + ": the norm's epsilon or the RoPE base is not usable.", damaged);
  const bool isScaled = file.has("llama.rope.scaling.type") && file.text("llama.rope.scaling.type") != "none";
  // llama.cpp takes a factor without a type for linear scaling.
  const double factor = file.has("llama.rope.scaling.factor") ? file.number("llama.rope.scaling.factor") : 1;
  const bool hasNoFactor = factor == 0 || factor == 1 || file.has("llama.rope.scaling.type");
  require(!isScaled && hasNoFactor && !file.has("llama.rope.scale_linear"), "unsupported-architecture",
          file.path() + ": scaled RoPE positions cannot be trained.", unsupported);
  const bool hasExperts = file.has("llama.expert_count") && file.number("llama.expert_count") > 0;
  require(!hasExperts, "unsupported-architecture", file.path() + ": mixture-of-experts models cannot be trained.",
          unsupported);
  const GgufTensor *embedding = file.tensor("token_embd.weight");
  require(embedding && embedding->shape.size() == 2 && embedding->shape[1] < (1 << 24), "bad-gguf",
          file.path() + ": the tensor 'token_embd.weight' is missing or misshaped.", damaged);
  shape_.vocabSize = static_cast<int>(embedding->shape[1]);
  shape_.isTied = file.tensor("output.weight") == nullptr;
}

// Any tensor that the forward pass would ignore makes the result differ from llama.cpp's.
void Model::checkTensors() const {
  static const char *roles[] = {"attn_norm", "attn_q",   "attn_k", "attn_v",  "attn_output",
                                "ffn_norm",  "ffn_gate", "ffn_up", "ffn_down"};
  std::vector<std::string> known = {"token_embd.weight", "output_norm.weight", "output.weight", "rope_freqs.weight"};
  for (int i = 0; i < shape_.layerCount; i++)
    for (const char *role : roles) known.push_back("blk." + std::to_string(i) + "." + role + ".weight");
  std::sort(known.begin(), known.end());
  for (const GgufTensor &t : file_->tensors())
    require(std::binary_search(known.begin(), known.end(), t.name), "unsupported-architecture",
            file_->path() + ": the tensor '" + t.name + "' belongs to no llama model that can be trained.",
            unsupported);
}

// Where each group of tensors stands in the builder's list.
struct Model::Places {
  struct OfLayer {
    size_t attentionNorm, qkv, attentionOut, ffnNorm, gateUp, down;
  };
  size_t embedding, head, finalNorm;
  std::vector<OfLayer> layers;
};

Model::Places Model::placeTensors(Builder &builder) const {
  const long d = shape_.width, f = shape_.ffnWidth, v = shape_.vocabSize, q = shape_.queryWidth(),
             kv = shape_.kvWidth();
  const auto norm = [&](const std::string &name) { return builder.place({{builder.part(name, {d})}, false}); };
  Places out;
  out.embedding = builder.place({{builder.part("token_embd.weight", {d, v})}, true});
  out.head = shape_.isTied ? out.embedding : builder.place({{builder.part("output.weight", {d, v})}, true});
  out.finalNorm = norm("output_norm.weight");
  for (int i = 0; i < shape_.layerCount; i++) {
    const std::string at = "blk." + std::to_string(i) + ".";
    const auto part = [&](const char *role, long in, long out) {
      return builder.part(at + role + ".weight", {in, out});
    };
    Places::OfLayer layer;
    layer.attentionNorm = norm(at + "attn_norm.weight");
    layer.qkv = builder.place({{part("attn_q", d, q), part("attn_k", d, kv), part("attn_v", d, kv)}, true});
    layer.attentionOut = builder.place({{part("attn_output", q, d)}, true});
    layer.ffnNorm = norm(at + "ffn_norm.weight");
    layer.gateUp = builder.place({{part("ffn_gate", d, f), part("ffn_up", d, f)}, true});
    layer.down = builder.place({{part("ffn_down", f, d)}, true});
    out.layers.push_back(layer);
  }
  return out;
}

void Model::placeAdapters(Builder &builder, const Places &places) {
  for (size_t i = 0; i < layers_.size(); i++) {
    const auto adapt = [&](Linear &linear, size_t place) {
      builder.adapt(linear, builder.places[place].group, lora_.targets, lora_.rank, lora_.alpha);
    };
    adapt(layers_[i].qkv, places.layers[i].qkv);
    adapt(layers_[i].attentionOut, places.layers[i].attentionOut);
    adapt(layers_[i].gateUp, places.layers[i].gateUp);
    adapt(layers_[i].down, places.layers[i].down);
  }
}

void Model::pointAt(const Builder &builder, const Places &places) {
  const auto settle = [&](Linear &linear, size_t place) {
    linear.weight = builder.weight(place);
    linear.grad = builder.grad(place);
  };
  embedding_ = builder.weight(places.embedding);
  embeddingGrad_ = builder.grad(places.embedding);
  settle(head_, places.head);
  finalNorm_ = builder.norm(places.finalNorm);
  for (size_t i = 0; i < layers_.size(); i++) {
    const Places::OfLayer &place = places.layers[i];
    layers_[i].attentionNorm = builder.norm(place.attentionNorm);
    layers_[i].ffnNorm = builder.norm(place.ffnNorm);
    settle(layers_[i].qkv, place.qkv);
    settle(layers_[i].attentionOut, place.attentionOut);
    settle(layers_[i].gateUp, place.gateUp);
    settle(layers_[i].down, place.down);
  }
}

void Model::readRopeFactors() {
  const GgufTensor *factors = file_->tensor("rope_freqs.weight");
  if (!factors) return;
  require(factors->elementCount() == shape_.rotated / 2, "bad-gguf",
          file_->path() + ": the tensor 'rope_freqs.weight' has another size than the rotated half head.", damaged);
  ropeFactors_.resize(static_cast<size_t>(factors->elementCount()));
  readValues(ggml_, *file_, *factors, ropeFactors_.data());
}

// All offsets are known before anything is allocated, so the memory is taken once and pointers into it stay valid.
Model::Model(const GgmlLibrary &ggml, const LoadPlan &plan)
    : ggml_(ggml), mode_(plan.mode), lora_(plan.lora), file_(std::make_unique<GgufFile>(plan.modelPath)) {
  readShape();
  checkTensors();
  readRopeFactors();
  for (const GgufTensor &t : file_->tensors()) parameterCount_ += t.name == "rope_freqs.weight" ? 0 : t.elementCount();
  layers_.resize(static_cast<size_t>(shape_.layerCount));
  Builder builder{*this, ggml, 0, 0, {}};
  const Places places = placeTensors(builder);
  if (mode_ == Mode::lora) placeAdapters(builder, places);
  requireMemory(builder.bytes + builder.floats * sizeof(float));
  frozen_ = Buffer<char>(builder.bytes);
  values_ = Buffer<float>(builder.floats);
  builder.fill(plan.isRandom);
  pointAt(builder, places);
  if (mode_ == Mode::full && plan.isRandom) randomise(plan.initSeed);
  if (mode_ == Mode::lora) startAdapters();
  if (mode_ == Mode::lora && !lora_.continueFrom.empty()) continueAdapters(lora_.continueFrom);
}

long Model::trainableCount() const {
  long count = 0;
  for (const Trainable &t : trainables_) count += static_cast<long>(t.count);
  return count;
}

const Trainable *Model::trainable(const std::string &name) const {
  for (const Trainable &t : trainables_)
    if (t.name == name) return &t;
  return nullptr;
}

// GPT-2's start: normal 0.02, outputs into the residual stream scaled by 1/sqrt(2 layers), norms 1.
void Model::randomise(double seed) {
  Random random(seed);
  const double residual = 0.02 / std::sqrt(2.0 * shape_.layerCount);
  for (const Trainable &t : trainables_) {
    float *values = values_.get() + t.offset;
    const bool isResidual =
        t.name.find("attn_output") != std::string::npos || t.name.find("ffn_down") != std::string::npos;
    for (size_t i = 0; i < t.count; i++)
      values[i] = t.decays ? static_cast<float>(random.normal() * (isResidual ? residual : 0.02)) : 1.0f;
  }
}

// LoRA's start (Hu et al. 2021, as PEFT does it): A uniform in +-1/sqrt(in), B zero.
void Model::startAdapters() {
  Random random(lora_.seed);
  for (const Trainable &t : trainables_) {
    const bool isA = t.name.size() > 7 && t.name.compare(t.name.size() - 7, 7, ".lora_a") == 0;
    const double reach = isA ? 1 / std::sqrt(static_cast<double>(t.shape[0])) : 0;
    for (size_t i = 0; i < t.count; i++)
      values_.get()[t.offset + i] = static_cast<float>((2 * random.uniform() - 1) * reach);
  }
}

void Model::continueAdapters(const std::string &path) {
  constexpr const char *remedy =
      "Choose an adapter that was trained on this model with the same rank and targets, or start a new one.";
  const GgufFile file(path);
  const bool isAdapter =
      file.has("adapter.type") && file.text("adapter.type") == "lora" && file.text("general.architecture") == "llama";
  require(isAdapter, "bad-gguf", path + ": this is no LoRA adapter of a llama model.", remedy);
  require(std::fabs(file.number("adapter.lora.alpha") - lora_.alpha) < 1e-6 * lora_.alpha, "bad-gguf",
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
  const auto scale = static_cast<float>(lora_.alpha / lora_.rank);
  for (long row = 0; row < b->shape[1]; row++)
    for (int r = 0; r < lora_.rank; r++) {
      const float factor = scale * values_.get()[b->offset + static_cast<size_t>(row * lora_.rank + r)];
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
