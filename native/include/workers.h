// A fixed set of threads that run one function together and wait blocked, never spinning: machines are often
// oversubscribed.
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace labdesk {

class Workers {
 public:
  explicit Workers(int count) : count_(count) {
    for (int i = 1; i < count; i++) threads_.emplace_back([this, i] { serve(i); });
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

  /** Calls work(0) ... work(count - 1), each on its own thread, and returns when all have. `work` must not throw. */
  void run(const std::function<void(int)> &work) {
    {
      const std::lock_guard<std::mutex> hold(lock_);
      work_ = &work;
      busy_ = count_ - 1;
      round_++;
    }
    wake_.notify_all();
    work(0);
    std::unique_lock<std::mutex> hold(lock_);
    done_.wait(hold, [this] { return busy_ == 0; });
  }

 private:
  void serve(int index) {
    unsigned long seen = 0;
    while (true) {
      const std::function<void(int)> *work = nullptr;
      {
        std::unique_lock<std::mutex> hold(lock_);
        wake_.wait(hold, [&] { return isEnding_ || round_ != seen; });
        if (isEnding_) return;
        seen = round_;
        work = work_;
      }
      (*work)(index);
      const std::lock_guard<std::mutex> hold(lock_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  const int count_;
  std::vector<std::thread> threads_;
  std::mutex lock_;
  std::condition_variable wake_, done_;
  const std::function<void(int)> *work_ = nullptr;
  unsigned long round_ = 0;
  int busy_ = 0;
  bool isEnding_ = false;
};

}  // namespace labdesk
