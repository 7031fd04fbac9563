// See ggml_library.h.
#include "ggml_library.h"

#include <dlfcn.h>

#include <cstring>

#include "failure.h"

namespace labdesk {

namespace {

constexpr const char *remedy = "Reinstall Labdesk, or run 'npm install' and 'npm run build:native' again.";

#ifdef __APPLE__
constexpr const char *libraryName = "libggml-base.dylib";
#else
constexpr const char *libraryName = "libggml-base.so";
#endif

template <typename Function>
Function find(void *library, const char *name) {
  void *symbol = dlsym(library, name);
  require(symbol != nullptr, "library", std::string("The ggml library lacks ") + name + ".", remedy);
  return reinterpret_cast<Function>(symbol);
}

}  // namespace

GgmlLibrary GgmlLibrary::open(const std::string &folder) {
  const std::string path = folder + "/" + libraryName;
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *why = dlerror();
    throw Failure("library", "The ggml library could not be opened: " + std::string(why ? why : path), remedy);
  }
  GgmlLibrary out;
  out.version = find<decltype(&ggml_version)>(library, "ggml_version")();
  require(out.version == LABDESK_GGML_VERSION, "library",
          "The ggml library is version " + out.version + "; this trainer was built for " LABDESK_GGML_VERSION ".",
          remedy);
  out.typeTraits = find<decltype(&ggml_get_type_traits)>(library, "ggml_get_type_traits");
  out.quantize = find<decltype(&ggml_quantize_chunk)>(library, "ggml_quantize_chunk");
  // A different layout of the traits would show in these.
  const ggml_type_traits *q8 = out.typeTraits(GGML_TYPE_Q8_0), *bf16 = out.typeTraits(GGML_TYPE_BF16);
  require(q8 && bf16 && strcmp(q8->type_name, "q8_0") == 0 && q8->blck_size == 32 && q8->type_size == 34 &&
              q8->to_float && strcmp(bf16->type_name, "bf16") == 0 && bf16->type_size == 2,
          "library", "The ggml library's type table differs from the one this trainer was built for.", remedy);
  return out;
}

}  // namespace labdesk
