// See checkpoint.h.
#include "checkpoint.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "failure.h"
#include "json.h"
#include "output_file.h"

namespace labdesk {

namespace {

constexpr const char *manifestName = "checkpoint.json";
constexpr const char *remedy = "Continue from an older checkpoint, or start this phase again.";

using Part = Optimizer::Part;

std::vector<Part> partsOf(Model &model, Optimizer &optimizer) {
  std::vector<Part> out = {{"values", reinterpret_cast<char *>(model.values().get()), model.values().sizeBytes()}};
  for (const Part &part : optimizer.parts()) out.push_back(part);
  return out;
}

// What must be equal for a checkpoint to fit; the moments' meaning depends on the optimiser's settings.
Json signature(const Model &model, const Optimizer &optimizer) {
  uint32_t layout = 0;
  for (const Trainable &t : model.trainables()) {
    layout = crc32(layout, t.name.data(), t.name.size());
    layout = crc32(layout, t.shape.data(), t.shape.size() * sizeof(long));
    layout = crc32(layout, &t.offset, sizeof t.offset);
  }
  Json out = Json::object();
  out.set("mode", model.mode() == Mode::full ? "full" : "lora");
  out.set("layout", static_cast<double>(layout));
  out.set("rank", model.lora().rank);
  out.set("alpha", model.lora().alpha);
  if (model.lora().isRankStabilised) out.set("rankStabilised", true);
  if (model.lora().keepsToLeast) out.set("leastUsed", true);
  const OptimizerPlan &plan = optimizer.plan();
  out.set("beta1", plan.beta1);
  out.set("beta2", plan.beta2);
  out.set("eps", plan.eps);
  out.set("weightDecay", plan.weightDecay);
  out.set("clipNorm", plan.clipNorm);
  if (plan.isEightBit) out.set("eightBit", true);
  return out;
}

// Value files are named after their content, so a new checkpoint never overwrites a file the current manifest needs.
Json writePart(const std::string &folder, const Part &part, long step) {
  OutputFile file(folder + "/" + part.name);
  file.write(part.bytes, part.sizeBytes);
  char name[80];
  snprintf(name, sizeof name, "%s-%ld-%08x.f32", part.name, step, file.crc());
  Json out = Json::object();
  out.set("name", name);
  out.set("sizeBytes", file.sizeBytes());
  out.set("crc32", static_cast<double>(file.crc()));
  file.finish(folder + "/" + name);
  return out;
}

void removeOthers(const std::string &folder, const std::vector<std::string> &kept) {
  DIR *listing = opendir(folder.c_str());
  if (!listing) return;
  while (const dirent *entry = readdir(listing)) {
    const std::string name = entry->d_name;
    const bool isOurs = name.size() > 4 && (name.compare(name.size() - 4, 4, ".f32") == 0 ||
                                            name.compare(name.size() - 5, 5, ".part") == 0);
    bool isKept = false;
    for (const std::string &k : kept) isKept = isKept || k == name;
    if (isOurs && !isKept) unlink((folder + "/" + name).c_str());
  }
  closedir(listing);
}

std::string readText(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  require(in.good(), "io", path + ": there is no complete checkpoint here.", remedy);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

Buffer<char> readPart(const std::string &folder, const Json &entry, size_t sizeBytes) {
  const std::string name = entry.text("name"), path = folder + "/" + name;
  require(name.find('/') == std::string::npos, "io", path + ": the checkpoint's manifest is damaged.", remedy);
  Buffer<char> out(sizeBytes);
  std::ifstream in(path, std::ios::binary);
  in.read(out.get(), static_cast<std::streamsize>(out.sizeBytes()));
  const bool isWhole = in.good() && in.peek() == std::ifstream::traits_type::eof() &&
                       entry.number("sizeBytes") == static_cast<double>(out.sizeBytes());
  require(isWhole, "io", path + ": this part of the checkpoint is missing or has another size.", remedy);
  require(entry.number("crc32") == static_cast<double>(crc32(0, out.get(), out.sizeBytes())), "io",
          path + ": this part of the checkpoint is damaged (its checksum differs).", remedy);
  return out;
}

}  // namespace

size_t saveCheckpoint(const std::string &folder, Model &model, Optimizer &optimizer) {
  if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST)
    throw Failure(errno == ENOSPC ? "disk-full" : "io",
                  folder + ": the folder cannot be made (" + strerror(errno) + ").",
                  "Check the disk and the folder's permissions.");
  const long step = optimizer.stepCount();
  size_t sizeBytes = 0;
  std::vector<std::string> kept = {manifestName};
  Json files = Json::object();
  for (const Part &part : partsOf(model, optimizer)) {
    Json written = writePart(folder, part, step);
    sizeBytes += part.sizeBytes;
    kept.push_back(written.text("name"));
    files.set(part.name, std::move(written));
  }
  Json manifest = Json::object();
  manifest.set("format", 1);
  manifest.set("step", step);
  manifest.set("sizeBytes", sizeBytes);
  manifest.set("signature", signature(model, optimizer));
  manifest.set("files", std::move(files));
  const std::string text = manifest.dump() + "\n";
  OutputFile file(folder + "/" + manifestName);
  file.write(text.data(), text.size());
  file.finish(folder + "/" + manifestName);
  removeOthers(folder, kept);
  return sizeBytes + text.size();
}

size_t loadCheckpoint(const std::string &folder, Model &model, Optimizer &optimizer) {
  const std::string path = folder + "/" + manifestName, text = readText(path);
  Json manifest;
  try {
    manifest = Json::parse(text);
    require(manifest.number("format") == 1, "io", "", remedy);
    manifest.object("signature");
    manifest.object("files");
    manifest.integer("step", 0, 1L << 40);
  } catch (const Failure &) {
    throw Failure("io", path + ": the checkpoint's manifest is damaged.", remedy);
  }
  require(manifest.object("signature").dump() == signature(model, optimizer).dump(), "bad-request",
          path + ": the checkpoint belongs to another model, adapter or optimiser setting.",
          "Choose the settings the checkpoint was made with, or start this phase again.");
  const Json &files = manifest.object("files");
  // Everything is read and checked before anything is changed.
  const std::vector<Part> parts = partsOf(model, optimizer);
  std::vector<Buffer<char>> read;
  size_t sizeBytes = text.size();
  for (const Part &part : parts) {
    read.push_back(readPart(folder, files.object(part.name), part.sizeBytes));
    sizeBytes += part.sizeBytes;
  }
  for (size_t i = 0; i < parts.size(); i++) memcpy(parts[i].bytes, read[i].get(), parts[i].sizeBytes);
  optimizer.setStepCount(manifest.integer("step", 0, 1L << 40));
  return sizeBytes;
}

}  // namespace labdesk
