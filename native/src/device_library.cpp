// See device_library.h.
#include "device_library.h"

#include <dirent.h>
#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <memory>

#include "failure.h"

namespace labdesk {

namespace {

constexpr const char *remedy = "Reinstall Labdesk, or run 'npm install' and 'npm run build:native' again.";

#ifdef __APPLE__
constexpr const char *baseName = "libggml-base.dylib", *suffix = ".dylib";
#else
constexpr const char *baseName = "libggml-base.so", *suffix = ".so";
#endif

// Filled by ggml's log callback, which may run on any thread of a driver: a fixed buffer, no allocation.
char loggedError[512];

void keepErrors(ggml_log_level level, const char *text, void *) {
  if (level != GGML_LOG_LEVEL_ERROR) return;
  strncpy(loggedError, text, sizeof loggedError - 1);
  for (char *c = loggedError; *c; c++)
    if (*c == '\n') *c = ' ';
}

void *openLibrary(const std::string &path) {
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library) return library;
  const char *why = dlerror();
  throw Failure("library", "The ggml library could not be opened: " + std::string(why ? why : path), remedy);
}

// libggml.so, libggml.vulkan.v0.4.0.so... The name differs by variant; the backends are called libggml-<name>.
std::string registryPath(const std::string &folder) {
  const std::unique_ptr<DIR, int (*)(DIR *)> listing(opendir(folder.c_str()), closedir);
  require(listing != nullptr, "library", "The folder " + folder + " of the ggml libraries cannot be read.", remedy);
  while (const dirent *file = readdir(listing.get())) {
    const std::string name = file->d_name;
    if (name.rfind("libggml.", 0) == 0 && name.find(suffix) != std::string::npos) return folder + "/" + name;
  }
  throw Failure("library", "The folder " + folder + " holds no ggml registry.", remedy);
}

template <typename Function>
void bind(Function &function, void *library, const char *name) {
  void *symbol = dlsym(library, name);
  require(symbol != nullptr, "library", std::string("The ggml library lacks ") + name + ".", remedy);
  function = reinterpret_cast<Function>(symbol);
}

const char *kindName(enum ggml_backend_dev_type type) {
  switch (type) {
    case GGML_BACKEND_DEVICE_TYPE_CPU:
      return "cpu";
    case GGML_BACKEND_DEVICE_TYPE_GPU:
      return "gpu";
    case GGML_BACKEND_DEVICE_TYPE_IGPU:
      return "igpu";
    default:
      return "accelerator";
  }
}

}  // namespace

const DeviceLibrary &DeviceLibrary::open(const std::string &folder, const DeviceLibraryOptions &options) {
  static std::unique_ptr<DeviceLibrary> opened;
  if (opened) {
    require(opened->folder_ == folder, "library",
            "The trainer already uses the ggml libraries of " + opened->folder_ + ".",
            "Start another trainer for another device.");
    return *opened;
  }
  auto library = std::make_unique<DeviceLibrary>();
  library->options_ = options;
  library->folder_ = folder;
  setenv("GGML_NO_BACKTRACE", "1", 0);  // an abort would start a debugger
  if (options.isExact) setenv("GGML_VK_DISABLE_F16", "1", 0);
  if (options.allowsSoftware) setenv("GGML_VK_VISIBLE_DEVICES", "0", 0);
  library->resolve(folder);
  library->verify();
  library->ggml_log_set(keepErrors, nullptr);
  library->ggml_backend_load_all_from_path(folder.c_str());
  opened = std::move(library);
  return *opened;
}

void DeviceLibrary::resolve(const std::string &folder) {
  // The base first and by its full path: whatever asks for it by name afterwards gets this copy.
  void *base = openLibrary(folder + "/" + baseName);
  void *registry = openLibrary(registryPath(folder));
#define X(name) bind(name, base, #name);
  LABDESK_GGML_CORE(X)
#undef X
#define X(name) bind(name, registry, #name);
  LABDESK_GGML_REGISTRY(X)
#undef X
  require(dlsym(registry, "ggml_version") == reinterpret_cast<void *>(ggml_version), "library",
          "Two copies of the ggml library are loaded.", remedy);
}

void DeviceLibrary::verify() const {
  const std::string version = ggml_version();
  require(version == LABDESK_GGML_VERSION, "library",
          "The ggml library is version " + version + "; this trainer was built for " LABDESK_GGML_VERSION ".", remedy);
  constexpr size_t objectBytes = 32;  // ggml_object, private to ggml
  const auto isNamed = [&](ggml_op op, const char *name) { return strcmp(ggml_op_name(op), name) == 0; };
  require(ggml_tensor_overhead() == objectBytes + GGML_TENSOR_SIZE && isNamed(GGML_OP_MUL_MAT, "MUL_MAT") &&
              isNamed(GGML_OP_SET_ROWS, "SET_ROWS") && isNamed(GGML_OP_FILL, "FILL") && isNamed(GGML_OP_GLU, "GLU"),
          "library", "The layout of the ggml library differs from the one this trainer was built for.", remedy);
}

DeviceSummary DeviceLibrary::summarise(ggml_backend_dev_t device) const {
  DeviceSummary out;
  out.name = ggml_backend_dev_name(device);
  out.description = ggml_backend_dev_description(device);
  out.kind = kindName(ggml_backend_dev_type(device));
  ggml_backend_dev_memory(device, &out.freeBytes, &out.totalBytes);
  return out;
}

std::vector<DeviceSummary> DeviceLibrary::devices() const {
  std::vector<DeviceSummary> out;
  for (size_t i = 0; i < ggml_backend_dev_count(); i++) out.push_back(summarise(ggml_backend_dev_get(i)));
  return out;
}

ggml_backend_dev_t DeviceLibrary::find(const std::string &name) const {
  std::string known;
  for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
    const ggml_backend_dev_t device = ggml_backend_dev_get(i);
    if (name == ggml_backend_dev_name(device)) return device;
    known += (known.empty() ? "" : ", ") + std::string(ggml_backend_dev_name(device));
  }
  throw Failure("bad-request",
                "There is no device '" + name + "'; there are: " + (known.empty() ? "none" : known) + ".",
                "Choose another device, or the processor.");
}

bool DeviceLibrary::roundsToHalf(ggml_backend_dev_t device) const {
  const std::string registry = ggml_backend_reg_name(ggml_backend_dev_backend_reg(device));
  return registry != "CPU" && !(registry == "Vulkan" && getenv("GGML_VK_DISABLE_F16"));
}

std::string DeviceLibrary::lastError() const { return *loggedError ? " " + std::string(loggedError) : ""; }

}  // namespace labdesk
