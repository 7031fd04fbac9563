// The functions of ggml that run graphs on a device, opened at run time from one folder of node-llama-cpp's libraries,
// and the devices they find. Refuses libraries whose layout differs from the headers this executable was built with. A
// process opens one folder only: the libraries of another variant would bring a second registry.
#pragma once
#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml.h>

#include <string>
#include <vector>

namespace labdesk {

#define LABDESK_GGML_CORE(X)                                                                                           \
  X(ggml_version)                                                                                                      \
  X(ggml_tensor_overhead) X(ggml_graph_overhead_custom) X(ggml_op_name) X(ggml_op_desc) X(ggml_type_name)              \
      X(ggml_log_set) X(ggml_init) X(ggml_free) X(ggml_nbytes) X(ggml_nelements) X(ggml_is_contiguous) X(              \
          ggml_new_tensor_1d) X(ggml_new_tensor_2d) X(ggml_new_graph_custom) X(ggml_graph_n_nodes) X(ggml_graph_node)  \
          X(ggml_build_forward_expand) X(ggml_set_input) X(ggml_set_output) X(ggml_mul_mat) X(ggml_mul_mat_set_prec)   \
              X(ggml_cont) X(ggml_permute) X(ggml_transpose) X(ggml_reshape_2d) X(ggml_reshape_3d) X(ggml_reshape_4d)  \
                  X(ggml_view_1d) X(ggml_view_2d) X(ggml_get_rows) X(ggml_set_rows) X(ggml_add) X(ggml_add_inplace)    \
                      X(ggml_acc) X(ggml_sub) X(ggml_mul) X(ggml_div) X(ggml_scale_bias) X(ggml_sqr) X(ggml_sqrt)      \
                          X(ggml_log) X(ggml_tanh) X(ggml_silu) X(ggml_silu_back) X(ggml_soft_max_ext)                 \
                              X(ggml_sum_rows) X(ggml_rms_norm) X(ggml_rope_ext) X(ggml_rope_ext_back) X(ggml_fill)    \
                                  X(ggml_concat) X(ggml_backend_dev_name) X(ggml_backend_dev_description)              \
                                      X(ggml_backend_dev_memory) X(ggml_backend_dev_type) X(ggml_backend_dev_init)     \
                                          X(ggml_backend_dev_supports_op) X(ggml_backend_dev_backend_reg)              \
                                              X(ggml_backend_dev_buffer_type) X(ggml_backend_reg_get_proc_address)     \
                                                  X(ggml_backend_reg_name) X(ggml_backend_free)                        \
                                                      X(ggml_backend_synchronize) X(ggml_backend_graph_compute)        \
                                                          X(ggml_backend_tensor_set) X(ggml_backend_tensor_get)        \
                                                              X(ggml_backend_buffer_free) X(ggml_backend_buffer_clear) \
                                                                  X(ggml_backend_alloc_ctx_tensors_from_buft)          \
                                                                      X(ggml_backend_alloc_ctx_tensors_from_buft_size) \
                                                                          X(ggml_gallocr_new) X(ggml_gallocr_free)     \
                                                                              X(ggml_gallocr_reserve)                  \
                                                                                  X(ggml_gallocr_reserve_n_size)       \
                                                                                      X(ggml_gallocr_alloc_graph)

#define LABDESK_GGML_REGISTRY(X) X(ggml_backend_load_all_from_path) X(ggml_backend_dev_count) X(ggml_backend_dev_get)

struct DeviceLibraryOptions {
  // Vulkan multiplies F32 matrices through F16 (relative error of a gradient 1e-3 to 3e-3). True turns that off, at the
  // price of speed.
  bool isExact = false;
  // Vulkan skips processors that only pretend to be a GPU, such as lavapipe; tests want them. Needs a machine without
  // another one.
  bool allowsSoftware = false;
};

struct DeviceSummary {
  std::string name, description;  // "Vulkan0", "NVIDIA GeForce RTX 4090"
  std::string kind;               // gpu, igpu, cpu or accelerator
  size_t freeBytes = 0, totalBytes = 0;
};

class DeviceLibrary {
 public:
  /**
   * Opens the libraries of `folder` and loads every backend among them. Throws `library`. Sets GGML_* environment
   * variables that are not set yet, so it must run before anything else loads a backend. Stays loaded until the process
   * ends.
   */
  static const DeviceLibrary &open(const std::string &folder, const DeviceLibraryOptions &options);

  std::vector<DeviceSummary> devices() const;
  /** Throws `bad-request` naming the devices there are. */
  ggml_backend_dev_t find(const std::string &name) const;
  DeviceSummary summarise(ggml_backend_dev_t device) const;
  /** Whether products of F32 matrices lose more than F32's own rounding on this device. */
  bool roundsToHalf(ggml_backend_dev_t device) const;
  /** The last error ggml logged, with a leading space, or nothing. */
  std::string lastError() const;

#define X(name) decltype(&::name) name = nullptr;
  LABDESK_GGML_CORE(X)
  LABDESK_GGML_REGISTRY(X)
#undef X

 private:
  void resolve(const std::string &folder);
  void verify() const;
  DeviceLibraryOptions options_;
  std::string folder_;
};

}  // namespace labdesk
