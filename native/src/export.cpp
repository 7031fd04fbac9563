// See export.h. Metadata entries are copied byte for byte from the model that was loaded; tensors are converted and
// written one by one.
#include "export.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "failure.h"
#include "gguf_draft.h"

namespace labdesk {

namespace {

// `large` is for the tensors that suffer most: the head, and values and down projections of some layers.
struct FileType {
  ggml_type type, large;
  uint32_t llamaFileType;  // llama_ftype of general.file_type
};

FileType fileType(const std::string &name) {
  if (name == "f32") return {GGML_TYPE_F32, GGML_TYPE_F32, 0};
  if (name == "f16") return {GGML_TYPE_F16, GGML_TYPE_F16, 1};
  if (name == "q8_0") return {GGML_TYPE_Q8_0, GGML_TYPE_Q8_0, 7};
  if (name == "q4_k_m") return {GGML_TYPE_Q4_K, GGML_TYPE_Q6_K, 15};
  if (name == "q5_k_m") return {GGML_TYPE_Q5_K, GGML_TYPE_Q6_K, 17};
  if (name == "q6_k") return {GGML_TYPE_Q6_K, GGML_TYPE_Q6_K, 18};
  if (name == "bf16") return {GGML_TYPE_BF16, GGML_TYPE_BF16, 32};
  throw Failure("bad-request", "The export type '" + name + "' is unknown.",
                "Choose f32, f16, bf16, q8_0, q6_k, q5_k_m or q4_k_m.");
}

bool contains(const std::string &name, const char *part) { return name.find(part) != std::string::npos; }

// llama.cpp's choice for its _M mixtures: the first and last eighth of the layers and every third in between.
bool isLarge(const std::string &name, const ModelShape &shape) {
  if (name == "output.weight" || (name == "token_embd.weight" && shape.isTied)) return true;
  if (!contains(name, "attn_v") && !contains(name, "attn_qkv") && !contains(name, "ffn_down")) return false;
  const int layer = std::atoi(name.c_str() + 4), eighth = shape.layerCount / 8;
  return layer < eighth || layer >= 7 * shape.layerCount / 8 || (layer - eighth) % 3 == 2;
}

class Exporter {
 public:
  Exporter(const GgmlLibrary &ggml, const Model &model, Workers &workers, const FileType &type)
      : ggml_(ggml), model_(model), workers_(workers), type_(type) {}

  GgufDraft adapter() const {
    require(model_.mode() == Mode::lora, "bad-request",
            "There is no adapter to export: the model was not loaded for LoRA.", "Export the model instead.");
    GgufDraft draft;
    draft.addText("general.type", "adapter");
    draft.addText("general.architecture", model_.shape().architecture->name);
    draft.addText("adapter.type", "lora");
    // Readers scale by alpha / rank; a rank-stabilised adapter says the alpha that gives its own scale.
    draft.addFloat("adapter.lora.alpha", model_.lora().scale() * static_cast<float>(model_.lora().rank));
    for (const Trainable &t : model_.trainables())
      addTensor(draft, t.name, t.shape, [this, &t] {
        const float *at = model_.values().get() + t.offset;
        return std::vector<float>(at, at + t.count);
      });
    return draft;
  }

  GgufDraft model(const Json *metadata) const {
    GgufDraft draft;
    for (const GgufEntry &entry : model_.source().entries()) {
      const bool isReplaced = entry.key == "general.file_type" || entry.key == "general.alignment" ||
                              entry.key == "general.quantization_version" || (metadata && metadata->find(entry.key));
      if (!isReplaced) draft.addRaw(entry);
    }
    draft.addNumber("general.file_type", type_.llamaFileType);
    if (ggml_.typeTraits(type_.type)->is_quantized) draft.addNumber("general.quantization_version", 2);
    for (const GgufTensor &t : model_.source().tensors())
      addTensor(draft, t.name, t.shape, [this, &t] { return model_.readTensor(t); });
    return draft;
  }

  // Round to nearest, ties to even; a value beyond the type's range would become infinite and is refused.
  void write(OutputFile &file, const OutTensor &tensor) const {
    const std::vector<float> values = tensor.values();
    if (tensor.type == GGML_TYPE_F32) {
      file.write(values.data(), tensor.sizeBytes);
      return;
    }
    for (const float value : values)
      require(tensor.type != GGML_TYPE_F16 || std::fabs(value) < 65504, "not-finite",
              "The tensor '" + tensor.name + "' holds a value too large for F16.", "Export as bf16 or f32.");
    std::vector<char> packed(tensor.sizeBytes);
    constexpr long strip = 32;
    const long width = tensor.shape[0], rows = static_cast<long>(values.size()) / width;
    const size_t rowBytes = tensor.sizeBytes / static_cast<size_t>(rows);
    workers_.share((rows + strip - 1) / strip, [&](long i) {
      const long first = i * strip, count = std::min(strip, rows - first);
      ggml_.quantize(tensor.type, values.data() + first * width, packed.data() + static_cast<size_t>(first) * rowBytes,
                     0, count, width, nullptr);
    });
    file.write(packed.data(), packed.size());
  }

 private:
  // Norms, biases and routers stay F32; rows that are no whole blocks go to the next type whose blocks they fill.
  ggml_type storedType(const std::string &name, const std::vector<long> &shape) const {
    if (shape.size() < 2 || contains(name, "ffn_gate_inp")) return GGML_TYPE_F32;
    for (const ggml_type wanted : {isLarge(name, model_.shape()) ? type_.large : type_.type, GGML_TYPE_Q8_0})
      if (shape[0] % ggml_.typeTraits(wanted)->blck_size == 0) return wanted;
    return GGML_TYPE_F16;
  }

  void addTensor(GgufDraft &draft, const std::string &name, const std::vector<long> &shape,
                 std::function<std::vector<float>()> values) const {
    const ggml_type type = storedType(name, shape);
    const ggml_type_traits *traits = ggml_.typeTraits(type);
    size_t rows = 1;
    for (size_t i = 1; i < shape.size(); i++) rows *= static_cast<size_t>(shape[i]);
    const size_t sizeBytes = rows * static_cast<size_t>(shape[0] / traits->blck_size) * traits->type_size;
    draft.addTensor({name, shape, type, sizeBytes, std::move(values)});
  }

  const GgmlLibrary &ggml_;
  const Model &model_;
  Workers &workers_;
  const FileType type_;
};

}  // namespace

size_t exportGguf(const GgmlLibrary &ggml, const Model &model, Workers &workers, const Json &request) {
  const std::string what = request.text("what"), path = request.text("path");
  const Exporter exporter(ggml, model, workers, fileType(request.text("type")));
  require(what == "adapter" || what == "model", "bad-request", "The export '" + what + "' is unknown.",
          "Choose adapter or model.");
  const Json *metadata = request.find("metadata");
  GgufDraft draft = what == "adapter" ? exporter.adapter() : exporter.model(metadata);
  if (metadata)
    for (const std::string &key : metadata->keys()) draft.addText(key, metadata->text(key));

  OutputFile file(path);
  const std::string header = draft.header();
  file.write(header.data(), header.size());
  for (const OutTensor &t : draft.tensors()) {
    exporter.write(file, t);
    GgufDraft::pad(file, t.sizeBytes);
  }
  const size_t sizeBytes = file.sizeBytes();
  file.finish(path);
  return sizeBytes;
}

}  // namespace labdesk
