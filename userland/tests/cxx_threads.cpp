// Threads as C++ has them: exceptions stay in theirs or travel by future and
// exception_ptr; mutexes, condition variables, call_once, thread_local.
#include "test.h"
#include <atomic>
#include <condition_variable>
#include <future>
#include <latch>
#include <mutex>
#include <numeric>
#include <queue>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

// Throwing at the same time in many threads, preempted while they do.
static void together()
{
	std::atomic<int> good = 0;
	std::vector<std::thread> threads;

	for (int t = 0; t < 8; t++) {
		threads.emplace_back([t, &good] {
			for (int i = 0; i < 2000; i++) {
				try {
					try { throw std::to_string(t * 10000 + i); } catch (std::string &s) {
						std::this_thread::yield();
						s += "!";
						throw;
					}
				} catch (const std::string &s) {
					if (s == std::to_string(t * 10000 + i) + "!") good++;
				}
			}
		});
	}
	for (auto &t : threads) t.join();
	CHECK(good == 16000);
}

static void futures()
{
	auto value = std::async(std::launch::async, [] { return 6 * 7; });
	auto error = std::async(std::launch::async, []() -> int { throw std::domain_error("async"); });
	CHECK(value.get() == 42);
	try { error.get(); CHECK(!"a value"); } catch (const std::domain_error &e) {
		CHECK(!strcmp(e.what(), "async"));
	}

	std::promise<std::string> promise;
	std::thread([&] {
		try { throw std::runtime_error("promised"); } catch (...) {
			promise.set_exception(std::current_exception());
		}
	}).join();
	try { promise.get_future().get(); CHECK(!"a value"); } catch (const std::runtime_error &e) {
		CHECK(!strcmp(e.what(), "promised"));
	}

	std::future<int> broken;
	{ std::promise<int> p; broken = p.get_future(); }
	try { broken.get(); CHECK(!"a value"); } catch (const std::future_error &e) {
		CHECK(e.code() == std::future_errc::broken_promise);
	}
	std::packaged_task<int(int)> task([](int i) { return i + 1; });
	auto result = task.get_future();
	std::thread(std::move(task), 1).join();
	CHECK(result.get() == 2);
}

static void queue()
{
	std::mutex m;
	std::condition_variable ready;
	std::queue<int> q;
	long sum = 0;
	std::thread consumer([&] {
		for (int got = 0; got < 1000; got++) {
			std::unique_lock lock(m);
			ready.wait(lock, [&] { return !q.empty(); });
			sum += q.front();
			q.pop();
		}
	});
	for (int i = 0; i < 1000; i++) {
		std::lock_guard lock(m);
		q.push(i);
		ready.notify_one();
	}
	consumer.join();
	CHECK(sum == 999 * 1000 / 2);

	std::unique_lock lock(m);
	CHECK(!ready.wait_for(lock, std::chrono::milliseconds(2), [] { return false; }));
	std::shared_mutex shared;
	std::shared_lock a(shared), b(shared);
	CHECK(!shared.try_lock());
}

// A lock is released by the exception that passes it; once means once.
static void unwinding_unlocks()
{
	std::mutex m;
	try { std::lock_guard lock(m); throw 1; } catch (int) {}
	CHECK(m.try_lock());
	m.unlock();

	std::once_flag flag;
	int calls = 0;
	for (int i = 0; i < 3; i++) {
		try { std::call_once(flag, [&] { if (++calls < 2) throw calls; }); } catch (int) {}
	}
	CHECK(calls == 2);
}

static thread_local int mine = 5;

static void local()
{
	std::latch all(4);
	std::atomic<int> sum = 0;
	std::vector<std::thread> threads;
	for (int i = 0; i < 4; i++) {
		threads.emplace_back([&, i] {
			mine += i;
			all.arrive_and_wait();
			sum += mine;
		});
	}
	for (auto &t : threads) t.join();
	CHECK(sum == 26 && mine == 5);
	std::atomic<long long> wide = 0;
	std::thread up([&] { for (int i = 0; i < 1000; i++) wide += 1ll << 33; });
	std::thread down([&] { for (int i = 0; i < 1000; i++) wide -= 1ll << 33; });
	up.join();
	down.join();
	CHECK(wide == 0);
}

int main()
{
	together();
	futures();
	queue();
	unwinding_unlocks();
	local();
}
