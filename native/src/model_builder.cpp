// See model_builder.h.
#include "model_builder.h"

#include <algorithm>
#include <cstring>

#include "failure.h"
#include "memory.h"
#include "tensor_values.h"

namespace labdesk {

namespace {

constexpr const char *damaged = "Choose another model file, or download this one again.";

size_t roundUp(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

// blk.N.<role>.weight
std::string roleOf(const GgufTensor &tensor) {
  const size_t from = tensor.name.find('.', 4) + 1;
  return tensor.name.substr(from, tensor.name.find('.', from) - from);
}

// A fused tensor is adapted when any of what it fuses is asked for; a shared expert like the feed-forward it stands
// for.
bool isTargeted(const std::string &role, const std::vector<std::string> &targets, bool isFusedFfn) {
  const auto has = [&](const char *name) { return std::find(targets.begin(), targets.end(), name) != targets.end(); };
  if (role == "attn_qkv") return has("attn_q") || has("attn_k") || has("attn_v");
  if (role == "ffn_up" && isFusedFfn) return has("ffn_up") || has("ffn_gate");
  const size_t shared = role.find("_shexp");
  return has(role.substr(0, shared).c_str());
}

}  // namespace

ModelBuilder::ModelBuilder(Model &model, const Kernels &kernels, const LoadPlan &plan)
    : model_(model), kernels_(kernels), plan_(plan) {}

const GgufTensor *ModelBuilder::part(const std::string &name, const std::vector<long> &shape, bool isOptional) {
  const GgufFile &file = *model_.file_;
  const GgufTensor *tensor = file.tensor(name);
  if (!tensor && isOptional) return nullptr;
  require(tensor != nullptr, "bad-gguf", file.path() + ": the tensor '" + name + "' is missing.", damaged);
  require(tensor->shape == shape, "bad-gguf",
          file.path() + ": the tensor '" + name + "' has the shape " + shapeText(tensor->shape) + " instead of " +
              shapeText(shape) + ".",
          damaged);
  storedBytes(model_.ggml_, file, *tensor);
  used_[name] = true;
  return tensor;
}

void ModelBuilder::addTrainable(const GgufTensor &tensor, size_t &offset) {
  Trainable out;
  out.name = tensor.name;
  out.shape = tensor.shape;
  out.offset = offset;
  out.count = static_cast<size_t>(tensor.elementCount());
  out.decays = tensor.shape.size() > 1;
  offset += out.count;
  model_.trainables_.push_back(std::move(out));
}

size_t ModelBuilder::place(std::vector<const GgufTensor *> parts, bool trains, bool isMatrix) {
  Place out;
  out.trains = trains;
  out.asFloat = trains || !isMatrix;
  out.parts = std::move(parts);
  if (trains) {
    floats_ = roundUp(floats_, 16);
    out.offset = floats_;
    for (const GgufTensor *t : out.parts) addTrainable(*t, floats_);
  } else {
    bytes_ = roundUp(bytes_, 64);
    out.offset = bytes_;
    for (const GgufTensor *t : out.parts)
      bytes_ += out.asFloat ? static_cast<size_t>(t->elementCount()) * sizeof(float)
                            : rowBytes(model_.ggml_, *t) * static_cast<size_t>(rowCount(*t));
  }
  places_.push_back(std::move(out));
  return places_.size() - 1;
}

void ModelBuilder::placeVector(Vector &vector, const std::string &name, long count, bool trains) {
  vectors_.push_back({&vector, place({part(name, {count})}, trains, false)});
}

// One matrix of the tensors `roles`, with biases where the first has one.
void ModelBuilder::placeLinear(Linear &linear, const std::vector<std::string> &roles, const std::vector<long> &rows,
                               long in, bool trains) {
  std::vector<const GgufTensor *> weights, biases;
  const bool hasBias = model_.file_->tensor(roles[0] + ".bias") != nullptr;
  for (size_t i = 0; i < roles.size(); i++) {
    weights.push_back(part(roles[i] + ".weight", {in, rows[i]}));
    if (hasBias) biases.push_back(part(roles[i] + ".bias", {rows[i]}));
  }
  LinearPlace out{&linear, place(std::move(weights), trains, true), noPlace, 0};
  if (hasBias) out.bias = place(std::move(biases), trains, false);
  linears_.push_back(out);
}

void ModelBuilder::placeAttention(Layer &layer, bool trains) {
  const ModelShape &s = model_.shape_;
  const std::string at = "blk." + std::to_string(layer.index) + ".";
  const long d = s.width, q = s.queryWidth(), kv = s.kvWidth();
  if (s.architecture->hasPreNorms) placeVector(layer.attentionNorm, at + "attn_norm.weight", d, trains);
  const bool isFused = model_.file_->tensor(at + "attn_qkv.weight") != nullptr;
  const bool isPlain = !isFused && !model_.file_->tensor(at + "attn_q.bias");
  require(isPlain || !s.architecture->hasPlainQkv, "unsupported-architecture",
          model_.file_->path() + ": fused or biased queries of a " + s.architecture->name + " model cannot be trained.",
          "Choose another model.");
  if (isFused)
    placeLinear(layer.qkv, {at + "attn_qkv"}, {q + 2 * kv}, d, trains);
  else
    placeLinear(layer.qkv, {at + "attn_q", at + "attn_k", at + "attn_v"}, {q, kv, kv}, d, trains);
  if (s.architecture->headNorm != HeadNorm::none) {
    const bool isRow = s.architecture->headNorm == HeadNorm::wholeRow;
    placeVector(layer.queryNorm, at + "attn_q_norm.weight", isRow ? q : s.headSize, trains);
    placeVector(layer.keyNorm, at + "attn_k_norm.weight", isRow ? kv : s.headSize, trains);
  }
  placeLinear(layer.attentionOut, {at + "attn_output"}, {d}, q, trains);
  if (s.architecture->hasPostNorms) placeVector(layer.postAttentionNorm, at + "post_attention_norm.weight", d, trains);
}

void ModelBuilder::placeFeedForward(Layer &layer, bool trains) {
  const ModelShape &s = model_.shape_;
  const std::string at = "blk." + std::to_string(layer.index) + ".", suffix = s.expertCount > 0 ? "_shexp" : "";
  const long d = s.width, f = s.expertCount > 0 ? s.sharedWidth : s.ffnWidth;
  if (s.architecture->hasPreNorms) placeVector(layer.ffnNorm, at + "ffn_norm.weight", d, trains);
  if (s.expertCount > 0) placeExperts(layer, trains);
  if (f > 0) {
    const bool isFused = !model_.file_->tensor(at + "ffn_gate" + suffix + ".weight");
    if (isFused)
      placeLinear(layer.gateUp, {at + "ffn_up" + suffix}, {2 * f}, d, trains);
    else
      placeLinear(layer.gateUp, {at + "ffn_gate" + suffix, at + "ffn_up" + suffix}, {f, f}, d, trains);
    placeLinear(layer.down, {at + "ffn_down" + suffix}, {d}, f, trains);
  }
  if (s.architecture->hasPostNorms) placeVector(layer.postFfnNorm, at + "post_ffw_norm.weight", d, trains);
}

// Each kind of an expert's matrices is one 3-D tensor; the experts are slices of it. The router never trains.
void ModelBuilder::placeExperts(Layer &layer, bool trains) {
  const ModelShape &s = model_.shape_;
  const std::string at = "blk." + std::to_string(layer.index) + ".";
  const long d = s.width, f = s.expertWidth, n = s.expertCount;
  placeLinear(layer.router, {at + "ffn_gate_inp"}, {n}, d, false);
  layer.experts.resize(static_cast<size_t>(n));
  const auto slices = [&](const char *role, long in, long out, Linear Expert::*which) {
    const size_t whole = place({part(at + role + ".weight", {in, out, n})}, trains, true);
    for (int e = 0; e < n; e++)
      linears_.push_back({&(layer.experts[static_cast<size_t>(e)].*which), whole, noPlace, e});
  };
  slices("ffn_gate_exps", d, f, &Expert::gate);
  slices("ffn_up_exps", d, f, &Expert::up);
  slices("ffn_down_exps", f, d, &Expert::down);
}

void ModelBuilder::placeLayer(Layer &layer) {
  const bool trains = plan_.mode == Mode::full && layer.index >= plan_.frozenLayers;
  placeAttention(layer, trains);
  placeFeedForward(layer, trains);
}

void ModelBuilder::placeEnds() {
  const ModelShape &s = model_.shape_;
  const bool isFull = plan_.mode == Mode::full;
  embeddingPlace_ = place({part("token_embd.weight", {s.width, s.vocabSize})}, isFull && plan_.trainsEmbedding, true);
  if (s.isTied)
    linears_.push_back({&model_.head_, embeddingPlace_, noPlace, 0});
  else
    placeLinear(model_.head_, {"output"}, {s.vocabSize}, s.width, isFull && plan_.trainsEmbedding);
  placeVector(model_.finalNorm_, "output_norm.weight", s.width, isFull);
}

// Adapters of the targeted parts of `linear`, A's first so that they are one matrix.
void ModelBuilder::adapt(Linear &linear, const Place &place) {
  struct Part {
    const GgufTensor *tensor;
    int firstRow;
  };
  std::vector<Part> chosen;
  int row = 0;
  for (const GgufTensor *t : place.parts) {
    const bool isFusedFfn = t->shape[1] == 2 * model_.shape_.ffnWidth;
    if (isTargeted(roleOf(*t), model_.lora_.targets, isFusedFfn)) chosen.push_back({t, row});
    row += static_cast<int>(rowCount(*t));
  }
  if (chosen.empty()) return;
  const int rank = model_.lora_.rank;
  linear.rank = rank;
  linear.scale = model_.lora_.scale();
  const auto add = [&](const std::string &name, std::vector<long> shape) {
    const size_t at = floats_, count = static_cast<size_t>(shape[0]) * static_cast<size_t>(shape[1]);
    const bool isFixed = model_.lora_.keepsToLeast && name.compare(name.size() - 2, 2, "_a") == 0;
    model_.trainables_.push_back({name, std::move(shape), at, count, true, isFixed});
    floats_ += count;
    return at;
  };
  floats_ = roundUp(floats_, 16);
  for (const Part &p : chosen)
    linear.adapters.push_back({p.firstRow, static_cast<int>(rowCount(*p.tensor)),
                               add(p.tensor->name + ".lora_a", {p.tensor->shape[0], rank}), 0});
  for (size_t i = 0; i < chosen.size(); i++) {
    floats_ = roundUp(floats_, 16);
    linear.adapters[i].b = add(chosen[i].tensor->name + ".lora_b", {rank, rowCount(*chosen[i].tensor)});
  }
}

void ModelBuilder::placeAdapters() {
  for (const LinearPlace &l : linears_)
    for (size_t i = static_cast<size_t>(plan_.frozenLayers); i < model_.layers_.size(); i++) {
      Layer &layer = model_.layers_[i];
      const bool isAdapted = l.linear == &layer.qkv || l.linear == &layer.attentionOut || l.linear == &layer.gateUp ||
                             l.linear == &layer.down;
      if (isAdapted) adapt(*l.linear, places_[l.weight]);
    }
  require(floats_ > 0, "bad-request", "No tensor of the model is among the adapter's targets.",
          "Choose other targets, or fewer frozen layers.");
}

// Any tensor that the forward pass would ignore makes the result differ from llama.cpp's. Unknown names are refused
// before anything is missed, known ones that this architecture does not use at the end.
void ModelBuilder::refuseOthers(bool areAllUsed) const {
  static const char *roles[] = {"attn_norm",      "attn_q",        "attn_k",         "attn_v",
                                "attn_qkv",       "attn_output",   "attn_q_norm",    "attn_k_norm",
                                "ffn_norm",       "ffn_gate",      "ffn_up",         "ffn_down",
                                "ffn_gate_inp",   "ffn_gate_exps", "ffn_up_exps",    "ffn_down_exps",
                                "ffn_gate_shexp", "ffn_up_shexp",  "ffn_down_shexp", "post_attention_norm",
                                "post_ffw_norm"};
  const auto isKnown = [&](const GgufTensor &t) {
    if (areAllUsed) return used_.count(t.name) > 0;
    if (t.name.rfind("blk.", 0) != 0) return true;
    const std::string role = roleOf(t);
    return std::any_of(std::begin(roles), std::end(roles), [&](const char *known) { return role == known; });
  };
  for (const GgufTensor &t : model_.file_->tensors())
    require(isKnown(t), "unsupported-architecture",
            model_.file_->path() + ": the tensor '" + t.name + "' belongs to no " + model_.shape_.architecture->name +
                " model that can be trained.",
            "Choose another model.");
}

// llama3 keeps its factors in rope_freqs; longrope has short ones up to the original context and long ones beyond,
// chosen by the size of the context.
void ModelBuilder::readRopeFactors() {
  ModelShape &s = model_.shape_;
  const Architecture &a = *s.architecture;
  const GgufFile &file = *model_.file_;
  const auto read = [&](const std::string &name) {
    const GgufTensor *t = part(name, {s.rotated / 2}, true);
    if (!t) return;
    s.rope.factors.resize(static_cast<size_t>(t->elementCount()));
    readValues(model_.ggml_, file, *t, s.rope.factors.data());
    for (const float factor : s.rope.factors)
      require(factor > 0, "bad-gguf", file.path() + ": the tensor '" + name + "' holds a factor that is not above 0.",
              damaged);
  };
  const bool isLong = a.hasLongRope || (a.hasRopeFactors && s.rope.isLong);
  if (isLong) {
    const bool isBeyond = static_cast<float>(plan_.contextTokens) > s.rope.originalContext;
    for (const char *kind : {"long", "short"}) {
      const std::string name = std::string("rope_factors_") + kind + ".weight";
      if (isBeyond == (kind[0] == 'l'))
        read(name);
      else
        part(name, {s.rotated / 2}, true);
    }
  } else if (a.hasRopeFactors) {
    read("rope_freqs.weight");
  }
}

void ModelBuilder::fill() {
  const GgmlLibrary &ggml = model_.ggml_;
  const GgufFile &file = *model_.file_;
  for (const Place &p : places_) {
    size_t at = p.offset;
    for (const GgufTensor *t : p.parts) {
      const auto count = static_cast<size_t>(t->elementCount());
      if (p.trains) {
        if (!plan_.isRandom) readValues(ggml, file, *t, model_.values_.get() + at);
        at += count;
      } else if (p.asFloat) {
        readValues(ggml, file, *t, reinterpret_cast<float *>(model_.frozen_.get() + at));
        at += count * sizeof(float);
      } else {
        checkValues(ggml, file, *t);
        const size_t size = rowBytes(ggml, *t) * static_cast<size_t>(rowCount(*t));
        memcpy(model_.frozen_.get() + at, storedBytes(ggml, file, *t), size);
        at += size;
      }
      file.release(*t, rowBytes(ggml, *t) * static_cast<size_t>(rowCount(*t)));
    }
  }
}

// The rows of `parts`, which stand `bytesBefore` behind the start of their place and are of one type.
Weight ModelBuilder::weightOf(const Place &place, const std::vector<const GgufTensor *> &parts,
                              size_t bytesBefore) const {
  Weight out;
  out.type = place.asFloat ? GGML_TYPE_F32 : static_cast<int>(parts[0]->type);
  const ggml_type_traits *traits = model_.ggml_.typeTraits(static_cast<ggml_type>(out.type));
  const char *start = place.trains ? reinterpret_cast<const char *>(model_.values_.get() + place.offset)
                                   : model_.frozen_.get() + place.offset;
  out.rows = start + bytesBefore;
  out.in = static_cast<int>(parts[0]->shape[0]);
  for (const GgufTensor *t : parts) out.out += static_cast<int>(t->shape.size() > 2 ? t->shape[1] : rowCount(*t));
  out.toFloat = out.type == GGML_TYPE_F32                     ? nullptr
                : out.type == GGML_TYPE_F16 && kernels_.f16   ? kernels_.f16
                : out.type == GGML_TYPE_BF16 && kernels_.bf16 ? kernels_.bf16
                : out.type == GGML_TYPE_Q8_0 && kernels_.q8_0 ? kernels_.q8_0
                                                              : traits->to_float;
  out.blockSize = static_cast<int>(traits->blck_size);
  out.blockBytes = static_cast<int>(traits->type_size);
  out.rowBytes = static_cast<long>(out.in / out.blockSize) * out.blockBytes;
  return out;
}

// Neighbouring tensors of one type are one run; within a run, each adapted tensor is a piece of its own.
void ModelBuilder::cutPieces(Linear &linear, const Place &place) const {
  std::vector<const GgufTensor *> run, piece;
  size_t bytes = 0, runBytes = 0, pieceBytes = 0;
  int row = 0, runRow = 0, pieceRow = 0, pieceAdapter = -1;
  const auto closePiece = [&] {
    if (!piece.empty()) linear.pieces.push_back({weightOf(place, piece, pieceBytes), pieceRow, pieceAdapter});
    piece.clear();
  };
  const auto closeRun = [&] {
    closePiece();
    if (!run.empty()) linear.runs.push_back({weightOf(place, run, runBytes), runRow, -1});
    run.clear();
  };
  for (const GgufTensor *t : place.parts) {
    int adapter = -1;
    for (size_t i = 0; i < linear.adapters.size(); i++)
      if (linear.adapters[i].firstRow == row) adapter = static_cast<int>(i);
    if (!run.empty() && !place.asFloat && run[0]->type != t->type) closeRun();
    if (run.empty()) {
      runBytes = bytes;
      runRow = row;
    }
    if (adapter >= 0 || pieceAdapter >= 0) closePiece();
    if (piece.empty()) {
      pieceBytes = bytes;
      pieceRow = row;
      pieceAdapter = adapter;
    }
    run.push_back(t);
    piece.push_back(t);
    row += static_cast<int>(rowCount(*t));
    bytes += place.asFloat ? static_cast<size_t>(t->elementCount()) * sizeof(float)
                           : rowBytes(model_.ggml_, *t) * static_cast<size_t>(rowCount(*t));
  }
  closeRun();
}

void ModelBuilder::point() {
  const auto gradOf = [](const Place &p) { return p.trains ? static_cast<ptrdiff_t>(p.offset) : frozenOffset; };
  const auto vectorOf = [&](const Place &p) {
    Vector out;
    for (const GgufTensor *t : p.parts) out.count += static_cast<int>(t->elementCount());
    out.grad = gradOf(p);
    out.values =
        p.trains ? model_.values_.get() + p.offset : reinterpret_cast<const float *>(model_.frozen_.get() + p.offset);
    return out;
  };
  for (const VectorPlace &v : vectors_) *v.vector = vectorOf(places_[v.place]);
  for (const LinearPlace &l : linears_) {
    const Place &p = places_[l.weight];
    Linear &linear = *l.linear;
    linear.grad = gradOf(p);
    if (p.parts[0]->shape.size() > 2) {
      const Weight first = weightOf(p, p.parts, 0);
      const auto rows = static_cast<size_t>(first.out) * static_cast<size_t>(l.slice);
      const Piece slice{weightOf(p, p.parts, rows * static_cast<size_t>(first.rowBytes)), 0, -1};
      linear.pieces = linear.runs = {slice};
      if (p.trains) linear.grad += static_cast<ptrdiff_t>(rows * static_cast<size_t>(first.in));
    } else {
      cutPieces(linear, p);
    }
    linear.in = linear.runs[0].weight.in;
    linear.out = linear.runs.back().firstRow + linear.runs.back().weight.out;
    if (l.bias != noPlace) linear.bias = vectorOf(places_[l.bias]);
  }
  const Place &embedding = places_[embeddingPlace_];
  model_.embedding_ = weightOf(embedding, embedding.parts, 0);
  model_.embeddingGrad_ = gradOf(embedding);
}

void ModelBuilder::build() {
  model_.layers_.resize(static_cast<size_t>(model_.shape_.layerCount));
  require(plan_.frozenLayers <= model_.shape_.layerCount, "bad-request",
          "More layers are to stay frozen than the model has.", "Freeze fewer layers.");
  refuseOthers(false);
  for (size_t i = 0; i < model_.layers_.size(); i++) model_.layers_[i].index = static_cast<int>(i);
  placeEnds();
  for (Layer &layer : model_.layers_) placeLayer(layer);
  readRopeFactors();
  refuseOthers(true);
  if (plan_.mode == Mode::lora) placeAdapters();
  for (const GgufTensor &t : model_.file_->tensors())
    if (t.name.rfind("rope_f", 0) != 0) model_.parameterCount_ += t.elementCount();
  model_.frozenBytes_ = bytes_;
  model_.valueCount_ = floats_;
  if (!plan_.isOnlyMeasured) {
    requireMemory(model_.weightBytes());
    model_.frozen_ = Buffer<char>(bytes_);
    model_.values_ = Buffer<float>(floats_);
    fill();
  }
  point();
}

}  // namespace labdesk
