// The functions used of node-llama-cpp's libggml-base, opened at run time by absolute path. Refuses a library of
// another version than the headers this executable was built with.
#pragma once
#include <ggml.h>

#include <string>

namespace labdesk {

struct GgmlLibrary {
  std::string version;
  decltype(&ggml_get_type_traits) typeTraits = nullptr;
  decltype(&ggml_quantize_chunk) quantize = nullptr;

  /** Throws `library` naming what is missing or different. The library stays loaded until the process ends. */
  static GgmlLibrary open(const std::string &folder);
};

}  // namespace labdesk
