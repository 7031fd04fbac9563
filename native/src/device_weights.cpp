// See device_weights.h.
#include "device_weights.h"

#include <algorithm>
#include <numeric>

#include "failure.h"

namespace labdesk {

namespace {

// A layer has seven matrices, each with a bias and an adapter's two, and six norms; then embedding, head and tables.
constexpr size_t tensorsPerLayer = 40, otherTensors = 16;

// The stored rows [firstRow, firstRow + rows) of a Linear; they always lie in one piece.
struct Rows {
  const void *at;
  int type;
};

Rows rowsOf(const Linear &linear, int firstRow, int rows) {
  for (const Piece &piece : linear.pieces) {
    const int skipped = firstRow - piece.firstRow;
    if (skipped < 0 || skipped + rows > piece.weight.out) continue;
    return {static_cast<const char *>(piece.weight.rows) + skipped * piece.weight.rowBytes, piece.weight.type};
  }
  throw Failure("unsupported-architecture", "A weight is cut in a way that no device takes.",
                "Train on the processor.");
}

}  // namespace

DeviceWeights::DeviceWeights(const DeviceLibrary &ggml, const Model &model) : ggml_(ggml), model_(model) {
  const ModelShape &shape = model.shape();
  require(shape.expertCount == 0, "unsupported-architecture", "Mixtures of experts cannot be trained on a device.",
          "Train this model on the processor, or choose a dense one.");
  const auto describe = [&] {
    ggml_context *context = ggml.ggml_init({ggml.ggml_tensor_overhead() * tensorLimit(), nullptr, true});
    if (!context) throw std::bad_alloc();
    return context;
  };
  frozenContext_ = describe();
  trainedContext_ = describe();
  gradContext_ = describe();
  const Weight &e = model.embedding();
  embedding_ = matrix(e.rows, e.type, e.in, e.out, model.embeddingGrad());
  head_ = linear(model.head(), 0, model.head().out);
  finalNorm_ = vector(model.finalNorm());
  for (const Layer &layer : model.layers()) addLayer(layer);
  factors_ = floats(shape.rope.factors);
  windowFactors_ = floats(shape.windowRope.factors);
  order_.resize(static_cast<size_t>(longest_));
  std::iota(order_.begin(), order_.end(), 0);
  identity_ = ggml.ggml_new_tensor_1d(frozenContext_, GGML_TYPE_I32, longest_);
  frozen_.push_back({identity_, order_.data()});
}

DeviceWeights::~DeviceWeights() {
  for (const ggml_backend_buffer_t buffer : {frozenBuffer_, trainedBuffer_, gradBuffer_})
    if (buffer) ggml_.ggml_backend_buffer_free(buffer);
  for (ggml_context *context : {frozenContext_, trainedContext_, gradContext_}) ggml_.ggml_free(context);
}

size_t DeviceWeights::tensorLimit() const { return model_.layers().size() * tensorsPerLayer + otherTensors; }

void DeviceWeights::addLayer(const Layer &layer) {
  const int q = model_.shape().queryWidth(), kv = model_.shape().kvWidth(), ffn = layer.gateUp.out / 2;
  DeviceLayer out;
  out.attentionNorm = vector(layer.attentionNorm);
  out.postAttentionNorm = vector(layer.postAttentionNorm);
  out.ffnNorm = vector(layer.ffnNorm);
  out.postFfnNorm = vector(layer.postFfnNorm);
  out.queryNorm = vector(layer.queryNorm);
  out.keyNorm = vector(layer.keyNorm);
  out.query = linear(layer.qkv, 0, q);
  out.key = linear(layer.qkv, q, kv);
  out.value = linear(layer.qkv, q + kv, kv);
  out.attentionOut = linear(layer.attentionOut, 0, layer.attentionOut.out);
  out.gate = linear(layer.gateUp, 0, ffn);
  out.up = linear(layer.gateUp, ffn, ffn);
  out.down = linear(layer.down, 0, layer.down.out);
  layers_.push_back(std::move(out));
}

// A frozen matrix or one of the trainable values, with its gradient beside it.
DeviceValue DeviceWeights::matrix(const void *rows, int type, long in, long out, ptrdiff_t grad) {
  DeviceValue &known = known_[{rows, in, out}];
  if (known) return known;
  longest_ = std::max(longest_, out);
  if (grad == frozenOffset) {
    known.value = ggml_.ggml_new_tensor_2d(frozenContext_, static_cast<ggml_type>(type), in, out);
    frozen_.push_back({known.value, rows});
    return known;
  }
  known.value = ggml_.ggml_new_tensor_2d(trainedContext_, GGML_TYPE_F32, in, out);
  known.grad = ggml_.ggml_new_tensor_2d(gradContext_, GGML_TYPE_F32, in, out);
  trained_.push_back({known, static_cast<size_t>(grad)});
  return known;
}

DeviceValue DeviceWeights::vector(const Vector &vector, int first, int count) {
  if (!vector.values) return {};
  const ptrdiff_t grad = vector.grad == frozenOffset ? frozenOffset : vector.grad + first;
  return matrix(vector.values + first, GGML_TYPE_F32, count, 1, grad);
}

DeviceLinear DeviceWeights::linear(const Linear &linear, int firstRow, int rows) {
  DeviceLinear out;
  const Rows stored = rowsOf(linear, firstRow, rows);
  const ptrdiff_t skipped = static_cast<ptrdiff_t>(firstRow) * linear.in;
  out.weight = matrix(stored.at, stored.type, linear.in, rows,
                      linear.grad == frozenOffset ? frozenOffset : linear.grad + skipped);
  out.bias = vector(linear.bias, firstRow, rows);
  for (const Adapter &adapter : linear.adapters) {
    const int skippedRows = firstRow - adapter.firstRow;
    if (skippedRows < 0 || skippedRows + rows > adapter.rows) continue;
    const float *values = model_.values().get();
    const size_t b = adapter.b + static_cast<size_t>(skippedRows) * static_cast<size_t>(linear.rank);
    out.a = matrix(values + adapter.a, GGML_TYPE_F32, linear.in, linear.rank, static_cast<ptrdiff_t>(adapter.a));
    out.b = matrix(values + b, GGML_TYPE_F32, linear.rank, rows, static_cast<ptrdiff_t>(b));
    out.scale = linear.scale;
  }
  return out;
}

Tensor DeviceWeights::floats(const std::vector<float> &values) {
  if (values.empty()) return nullptr;
  const Tensor out = ggml_.ggml_new_tensor_1d(frozenContext_, GGML_TYPE_F32, static_cast<int64_t>(values.size()));
  frozen_.push_back({out, values.data()});
  return out;
}

size_t DeviceWeights::plannedBytes(ggml_backend_buffer_type_t memory) const {
  size_t bytes = 0;
  for (ggml_context *context : {frozenContext_, trainedContext_, gradContext_})
    bytes += ggml_.ggml_backend_alloc_ctx_tensors_from_buft_size(context, memory);
  return bytes;
}

bool DeviceWeights::allocate(ggml_backend_buffer_type_t memory) {
  frozenBuffer_ = ggml_.ggml_backend_alloc_ctx_tensors_from_buft(frozenContext_, memory);
  if (!frozenBuffer_) return false;
  if (trained_.empty()) return true;
  trainedBuffer_ = ggml_.ggml_backend_alloc_ctx_tensors_from_buft(trainedContext_, memory);
  gradBuffer_ = ggml_.ggml_backend_alloc_ctx_tensors_from_buft(gradContext_, memory);
  return trainedBuffer_ && gradBuffer_;
}

void DeviceWeights::uploadFrozen() {
  for (const Frozen &one : frozen_)
    ggml_.ggml_backend_tensor_set(one.tensor, one.bytes, 0, ggml_.ggml_nbytes(one.tensor));
}

void DeviceWeights::uploadValues() {
  for (const Trained &one : trained_)
    ggml_.ggml_backend_tensor_set(one.at.value, model_.values().get() + one.offset, 0, ggml_.ggml_nbytes(one.at.value));
}

void DeviceWeights::zeroGradients() {
  if (gradBuffer_) ggml_.ggml_backend_buffer_clear(gradBuffer_, 0);
}

void DeviceWeights::downloadGradients(float *out, float factor) const {
  for (const Trained &one : trained_) {
    float *at = out + one.offset;
    const auto count = static_cast<size_t>(ggml_.ggml_nelements(one.at.grad));
    ggml_.ggml_backend_tensor_get(one.at.grad, at, 0, count * sizeof(float));
    for (size_t i = 0; i < count; i++) at[i] *= factor;
  }
}

}  // namespace labdesk
