// Finds the tensors of a model, checks them, and lays them out: first every place is measured, then the memory is taken
// once and filled, so pointers into it stay valid.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "model.h"

namespace labdesk {

class ModelBuilder {
 public:
  ModelBuilder(Model &model, const Kernels &kernels, const LoadPlan &plan);
  /** Throws `bad-gguf`, `unsupported-architecture`, `unsupported-type` or std::bad_alloc. */
  void build();

 private:
  // Tensors of equal input width whose rows are laid end to end.
  struct Place {
    std::vector<const GgufTensor *> parts;
    bool trains = false;
    bool asFloat = false;
    size_t offset = 0;  // into the trainable values, or bytes of the frozen ones
  };
  struct LinearPlace {
    Linear *linear;
    size_t weight;
    size_t bias;    // noPlace: none
    int slice = 0;  // expert of a 3-D tensor
  };
  struct VectorPlace {
    Vector *vector;
    size_t place;
  };
  static constexpr size_t noPlace = static_cast<size_t>(-1);

  const GgufTensor *part(const std::string &name, const std::vector<long> &shape, bool isOptional = false);
  size_t place(std::vector<const GgufTensor *> parts, bool trains, bool isMatrix);
  void placeVector(Vector &vector, const std::string &name, long count, bool trains);
  void placeLinear(Linear &linear, const std::vector<std::string> &roles, const std::vector<long> &rows, long in,
                   bool trains);
  void placeExperts(Layer &layer, bool trains);
  void placeFeedForward(Layer &layer, bool trains);
  void placeAttention(Layer &layer, bool trains);
  void placeLayer(Layer &layer);
  void placeEnds();
  void placeAdapters();
  void adapt(Linear &linear, const Place &place);
  void refuseOthers(bool areAllUsed) const;
  void readRopeFactors();
  void fill();
  void point();
  Weight weightOf(const Place &place, const std::vector<const GgufTensor *> &parts, size_t bytesBefore) const;
  void cutPieces(Linear &linear, const Place &place) const;
  void addTrainable(const GgufTensor &tensor, size_t &offset);

  Model &model_;
  const Kernels &kernels_;
  const LoadPlan &plan_;
  size_t bytes_ = 0, floats_ = 0;
  std::vector<Place> places_;
  std::vector<LinearPlace> linears_;
  std::vector<VectorPlace> vectors_;
  size_t embeddingPlace_ = noPlace;
  std::map<std::string, bool> used_;
};

}  // namespace labdesk
