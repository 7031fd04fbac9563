// See export.h. Metadata entries are copied byte for byte from the model that was loaded; tensors are converted and
// written one by one.
#include "export.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "failure.h"
#include "output_file.h"

namespace labdesk {

namespace {

constexpr size_t alignment = 32;

struct FileType {
  ggml_type type;
  uint32_t llamaFileType;  // llama_ftype of general.file_type
};

FileType fileType(const std::string &name) {
  if (name == "f32") return {GGML_TYPE_F32, 0};
  if (name == "f16") return {GGML_TYPE_F16, 1};
  if (name == "q8_0") return {GGML_TYPE_Q8_0, 7};
  if (name == "bf16") return {GGML_TYPE_BF16, 32};
  throw Failure("bad-request", "The export type '" + name + "' is unknown.", "Choose f32, f16, bf16 or q8_0.");
}

template <typename T>
void append(std::string &out, T value) {
  out.append(reinterpret_cast<const char *>(&value), sizeof value);
}
void appendText(std::string &out, const std::string &text) {
  append<uint64_t>(out, text.size());
  out += text;
}

struct OutTensor {
  std::string name;
  std::vector<long> shape;
  ggml_type type;
  const GgufTensor *source;    // of a model, else
  const Trainable *trainable;  // of an adapter
  size_t sizeBytes;
};

struct GgufDraft {
  std::string entries;
  uint64_t entryCount = 0;
  std::vector<OutTensor> tensors;

  void addText(const std::string &key, const std::string &value) {
    begin(key, GgufKind::string);
    appendText(entries, value);
  }
  void addNumber(const std::string &key, uint32_t value) {
    begin(key, GgufKind::u32);
    append(entries, value);
  }
  void addFloat(const std::string &key, float value) {
    begin(key, GgufKind::f32);
    append(entries, value);
  }
  void addRaw(const GgufEntry &entry) {
    entries.append(entry.bytes, entry.sizeBytes);
    entryCount++;
  }

  std::string header() const {
    std::string out = "GGUF";
    append<uint32_t>(out, 3);
    append<uint64_t>(out, tensors.size());
    append<uint64_t>(out, entryCount);
    out += entries;
    uint64_t offset = 0;
    for (const OutTensor &t : tensors) {
      appendText(out, t.name);
      append<uint32_t>(out, static_cast<uint32_t>(t.shape.size()));
      for (const long size : t.shape) append<uint64_t>(out, static_cast<uint64_t>(size));
      append<uint32_t>(out, t.type);
      append<uint64_t>(out, offset);
      offset += (t.sizeBytes + alignment - 1) / alignment * alignment;
    }
    out.resize((out.size() + alignment - 1) / alignment * alignment);
    return out;
  }

 private:
  void begin(const std::string &key, GgufKind kind) {
    appendText(entries, key);
    append(entries, static_cast<uint32_t>(kind));
    entryCount++;
  }
};

size_t storedBytes(const GgmlLibrary &ggml, ggml_type type, const std::vector<long> &shape) {
  const ggml_type_traits *traits = ggml.typeTraits(type);
  size_t rows = 1;
  for (size_t i = 1; i < shape.size(); i++) rows *= static_cast<size_t>(shape[i]);
  return rows * static_cast<size_t>(shape[0] / traits->blck_size) * traits->type_size;
}

// Norms stay F32; a row that is no whole number of blocks is kept in F16.
ggml_type storedType(const GgmlLibrary &ggml, ggml_type wanted, const std::vector<long> &shape) {
  if (shape.size() < 2) return GGML_TYPE_F32;
  return shape[0] % ggml.typeTraits(wanted)->blck_size == 0 ? wanted : GGML_TYPE_F16;
}

void addTensor(GgufDraft &draft, const GgmlLibrary &ggml, OutTensor tensor, ggml_type wanted) {
  tensor.type = storedType(ggml, wanted, tensor.shape);
  tensor.sizeBytes = storedBytes(ggml, tensor.type, tensor.shape);
  draft.tensors.push_back(std::move(tensor));
}

GgufDraft draftAdapter(const GgmlLibrary &ggml, const Model &model, ggml_type type) {
  require(model.mode() == Mode::lora, "bad-request",
          "There is no adapter to export: the model was not loaded for LoRA.", "Export the model instead.");
  GgufDraft draft;
  draft.addText("general.type", "adapter");
  draft.addText("general.architecture", model.shape().architecture->name);
  draft.addText("adapter.type", "lora");
  // Readers scale by alpha / rank; a rank-stabilised adapter says the alpha that gives its own scale.
  draft.addFloat("adapter.lora.alpha", model.lora().scale() * static_cast<float>(model.lora().rank));
  for (const Trainable &t : model.trainables()) addTensor(draft, ggml, {t.name, t.shape, type, nullptr, &t, 0}, type);
  return draft;
}

GgufDraft draftModel(const GgmlLibrary &ggml, const Model &model, FileType type, const Json *metadata) {
  GgufDraft draft;
  for (const GgufEntry &entry : model.source().entries()) {
    const bool isReplaced = entry.key == "general.file_type" || entry.key == "general.alignment" ||
                            entry.key == "general.quantization_version" || (metadata && metadata->find(entry.key));
    if (!isReplaced) draft.addRaw(entry);
  }
  draft.addNumber("general.file_type", type.llamaFileType);
  if (type.type == GGML_TYPE_Q8_0) draft.addNumber("general.quantization_version", 2);
  for (const GgufTensor &t : model.source().tensors())
    addTensor(draft, ggml, {t.name, t.shape, type.type, &t, nullptr, 0}, type.type);
  return draft;
}

// Round to nearest, ties to even; a value beyond the type's range would become infinite and is refused.
void writeTensor(OutputFile &file, const GgmlLibrary &ggml, const OutTensor &tensor, const std::vector<float> &values) {
  if (tensor.type == GGML_TYPE_F32) {
    file.write(values.data(), tensor.sizeBytes);
    return;
  }
  for (const float value : values)
    require(tensor.type != GGML_TYPE_F16 || std::fabs(value) < 65504, "not-finite",
            "The tensor '" + tensor.name + "' holds a value too large for F16.", "Export as bf16 or f32.");
  std::vector<char> packed(tensor.sizeBytes);
  const long rows = static_cast<long>(values.size()) / tensor.shape[0];
  ggml.quantize(tensor.type, values.data(), packed.data(), 0, rows, tensor.shape[0], nullptr);
  file.write(packed.data(), packed.size());
}

}  // namespace

size_t exportGguf(const GgmlLibrary &ggml, const Model &model, const Json &request) {
  const std::string what = request.text("what"), path = request.text("path");
  const FileType type = fileType(request.text("type"));
  require(what == "adapter" || what == "model", "bad-request", "The export '" + what + "' is unknown.",
          "Choose adapter or model.");
  const Json *metadata = request.find("metadata");
  GgufDraft draft = what == "adapter" ? draftAdapter(ggml, model, type.type) : draftModel(ggml, model, type, metadata);
  if (metadata)
    for (const std::string &key : metadata->keys()) draft.addText(key, metadata->text(key));

  OutputFile file(path);
  const std::string header = draft.header();
  file.write(header.data(), header.size());
  for (const OutTensor &t : draft.tensors) {
    std::vector<float> values;
    if (t.source)
      values = model.readTensor(*t.source);
    else
      values.assign(model.values().get() + t.trainable->offset,
                    model.values().get() + t.trainable->offset + t.trainable->count);
    writeTensor(file, ggml, t, values);
    const char padding[alignment] = {};
    file.write(padding, (alignment - t.sizeBytes % alignment) % alignment);
  }
  const size_t sizeBytes = file.sizeBytes();
  file.finish(path);
  return sizeBytes;
}

}  // namespace labdesk
