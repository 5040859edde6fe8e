// What nobody catches ends the program by SIGABRT, with a message: from main,
// a thread, a signal handler, a noexcept function; and set_terminate.
#include "test.h"
#include <exception>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <thread>

static void from_main() { throw std::runtime_error("nobody is here"); }
static void from_thread() { std::thread([] { throw std::logic_error("in a thread"); }).join(); }
static void from_pthread()
{
	pthread_t t;
	pthread_create(&t, nullptr, [](void *) -> void * { throw 7; }, nullptr);
	pthread_join(t, nullptr);
}
static void from_handler()
{
	signal(SIGUSR1, [](int) { throw std::out_of_range("in a handler"); });
	try { raise(SIGUSR1); } catch (...) { _exit(5); }
}
static void from_noexcept()
{
	auto f = []() noexcept { from_main(); };
	try { f(); } catch (...) { _exit(5); }
}
struct Abstract {
	Abstract() { call(); }
	virtual ~Abstract() {}
	void call() { pure(); }
	virtual void pure() = 0;
};
struct Concrete : Abstract {
	void pure() override {}
};
static void from_pure() { Concrete c; }
static void from_destructor()
{
	struct Throws {
		~Throws() noexcept(false) { throw 2; }
	};
	try { Throws t; throw 1; } catch (...) { _exit(5); }
}
static void joinable() { std::thread t([] {}); }
static void own_handler()
{
	std::set_terminate([] {
		try { std::rethrow_exception(std::current_exception()); }
		catch (const std::runtime_error &e) { dprintf(2, "mine: %s\n", e.what()); }
		_exit(9);
	});
	throw std::runtime_error("taken");
}
static void not_unwound()
{
	// A thread that ends itself is no exception.
	std::thread([] { try { pthread_exit(nullptr); } catch (...) { _exit(5); } }).join();
	_exit(0);
}

// No try block of ours may be below: the function runs in main's own frame.
static std::string said;

static int run(int fds[2], pid_t pid)
{
	char text[1000];
	ssize_t n;
	int status;

	close(fds[1]);
	said.clear();
	while ((n = read(fds[0], text, sizeof text)) > 0) said.append(text, n);
	close(fds[0]);
	OK(waitpid(pid, &status, 0));
	return status;
}

#define ENDS(f, status_ok, message) do { \
		int fds[2]; \
		OK(pipe(fds)); \
		pid_t pid = OK(fork()); \
		if (!pid) { dup2(fds[1], 2); f(); _exit(0); } \
		int status = run(fds, pid); \
		if (!(status_ok) || said.find(message) == std::string::npos) { \
			dprintf(2, "%s: status %#x, said: %s\n", #f, status, said.c_str()); \
			return 1; \
		} \
	} while (0)

int main()
{
	ENDS(from_main, killed(status, SIGABRT), "uncaught exception of type std::runtime_error: nobody is here");
	ENDS(from_thread, killed(status, SIGABRT), "std::logic_error: in a thread");
	ENDS(from_pthread, killed(status, SIGABRT), "uncaught exception of type int");
	ENDS(from_handler, killed(status, SIGABRT), "std::out_of_range: in a handler");
	// There clang does not say which: see README.md.
	ENDS(from_noexcept, killed(status, SIGABRT), "terminating");
	ENDS(from_pure, killed(status, SIGABRT), "Pure virtual function called");
	ENDS(from_destructor, killed(status, SIGABRT), "terminating");
	ENDS(joinable, killed(status, SIGABRT), "terminating");
	ENDS(own_handler, exited(status, 9), "mine: taken");
	ENDS(not_unwound, exited(status, 0), "");
}
