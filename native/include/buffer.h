// Owned, 64-byte aligned memory: the same data always has the same alignment, so sums come out bit for bit the same.
#pragma once
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace labdesk {

template <typename T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t count) : count_(count) {
    const size_t bytes = (count * sizeof(T) + 63) / 64 * 64;
    if (!bytes) return;
    at_ = static_cast<T *>(aligned_alloc(64, bytes));
    if (!at_) throw std::bad_alloc();
    memset(at_, 0, bytes);
  }
  Buffer(Buffer &&other) noexcept : at_(std::exchange(other.at_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  Buffer &operator=(Buffer &&other) noexcept {
    std::swap(at_, other.at_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~Buffer() { free(at_); }

  T *get() { return at_; }
  const T *get() const { return at_; }
  size_t count() const { return count_; }
  size_t sizeBytes() const { return count_ * sizeof(T); }
  void zero() {
    if (at_) memset(at_, 0, sizeBytes());
  }

 private:
  T *at_ = nullptr;
  size_t count_ = 0;
};

}  // namespace labdesk
