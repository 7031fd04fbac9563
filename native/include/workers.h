// A fixed set of threads that share out numbered pieces of work. Whoever is free takes the next piece, so a busy core
// slows nobody but itself; waiting threads look around for some microseconds and then sleep, since machines are often
// oversubscribed.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace labdesk {

class Workers {
 public:
  explicit Workers(int count) : count_(count) {
    for (int i = 1; i < count; i++) threads_.emplace_back([this] { serve(); });
  }
  ~Workers() {
    {
      const std::lock_guard<std::mutex> hold(lock_);
      isEnding_ = true;
    }
    wake_.notify_all();
    for (std::thread &thread : threads_) thread.join();
  }
  Workers(const Workers &) = delete;
  Workers &operator=(const Workers &) = delete;

  int count() const { return count_; }

  /** Calls work(i) for every i below `pieces`, each on any one thread, and returns when all are done. `work` must not
   * throw. */
  void share(long pieces, const std::function<void(long)> &work) {
    if (pieces <= 0) return;
    if (count_ == 1 || pieces == 1) {
      for (long i = 0; i < pieces; i++) work(i);
      return;
    }
    {
      const std::lock_guard<std::mutex> hold(lock_);
      work_ = &work;
      pieces_ = pieces;
      next_.store(0, std::memory_order_relaxed);
      busy_.store(count_ - 1, std::memory_order_relaxed);
      round_.store(round_.load() + 1);
    }
    wake_.notify_all();
    takePieces(work, pieces);
    for (int i = 0; i < spins && busy_.load() > 0; i++) pause();
    std::unique_lock<std::mutex> hold(lock_);
    done_.wait(hold, [this] { return busy_.load() == 0; });
  }

 private:
  static constexpr int spins = 2000;

  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  void takePieces(const std::function<void(long)> &work, long pieces) {
    for (long i = next_.fetch_add(1); i < pieces; i = next_.fetch_add(1)) work(i);
  }

  void serve() {
    unsigned long seen = 0;
    while (true) {
      for (int i = 0; i < spins && round_.load() == seen; i++) pause();
      const std::function<void(long)> *work = nullptr;
      long pieces = 0;
      {
        std::unique_lock<std::mutex> hold(lock_);
        wake_.wait(hold, [&] { return isEnding_ || round_.load() != seen; });
        if (isEnding_) return;
        seen = round_.load();
        work = work_;
        pieces = pieces_;
      }
      takePieces(*work, pieces);
      if (busy_.fetch_sub(1) > 1) continue;
      const std::lock_guard<std::mutex> hold(lock_);
      done_.notify_one();
    }
  }

  const int count_;
  std::vector<std::thread> threads_;
  std::mutex lock_;
  std::condition_variable wake_, done_;
  const std::function<void(long)> *work_ = nullptr;
  long pieces_ = 0;
  std::atomic<long> next_{0};
  std::atomic<int> busy_{0};
  std::atomic<unsigned long> round_{0};
  bool isEnding_ = false;
};

}  // namespace labdesk
