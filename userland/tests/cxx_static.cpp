// Static and thread-local objects: constructed before main, in order;
// destroyed after it, in the opposite order, with atexit functions between.
#include "test.h"
#include <stdexcept>
#include <string>
#include <thread>

// What happens is written here, so that a parent can read what a child does
// after its main.
static int out = -1;

static void note(const std::string &what)
{
	static std::string *before_main = new std::string;
	if (out >= 0) write(out, (what + " ").data(), what.size() + 1);
	else before_main->append(what + " ");
	if (what == "main") {
		CHECK(*before_main == "early +first +second main ");
	}
}

struct Object {
	std::string name;
	explicit Object(const char *n) : name(n) { note("+" + name); }
	~Object() { note("-" + name); }
};

static Object first("first");
static Object second("second");
__attribute__((constructor(200))) static void early() { note("early"); }
__attribute__((destructor(200))) static void late() { note("late"); }
static thread_local Object each("each");

static Object &once()
{
	static Object o("once");
	return o;
}

// A constructor that throws is tried again at the next call.
static int tries;
static int &third_time()
{
	static int value = [] {
		if (++tries < 3) throw std::runtime_error("not yet");
		return tries;
	}();
	return value;
}

// What a child writes that runs f in main.
template <class F> static std::string child(F f)
{
	int fds[2], status;
	std::string said;
	char text[200];
	ssize_t n;

	OK(pipe(fds));
	pid_t pid = OK(fork());
	if (!pid) {
		out = fds[1];
		exit(f());
	}
	close(fds[1]);
	while ((n = read(fds[0], text, sizeof text)) > 0) said.append(text, n);
	close(fds[0]);
	OK(waitpid(pid, &status, 0));
	CHECK(exited(status, 3));
	return said;
}

static bool same(const std::string &got, const char *expected)
{
	if (got != expected) dprintf(2, "got: %s\nnot: %s\n", got.c_str(), expected);
	return got == expected;
}

int main()
{
	note("main");
	for (int i = 0; i < 2; i++) {
		try { third_time(); CHECK(!"constructed"); } catch (const std::runtime_error &) {}
	}
	CHECK(third_time() == 3 && third_time() == 3);

	CHECK(same(child([] { return 3; }), "-second -first late "));
	CHECK(same(child([] {
		once();
		atexit([] { note("atexit"); });
		once();
		return 3;
	}), "+once atexit -once -second -first late "));
	// Thread-local objects go with their thread; main's before the static ones.
	CHECK(same(child([] {
		std::thread([] { each.name += "'"; }).join();
		each.name += "\"";
		return 3;
	}), "+each -each' +each -each\" -second -first late "));
	CHECK(same(child([] {
		at_quick_exit([] { note("quick"); });
		quick_exit(3);
		return 0;
	}), "quick "));
	CHECK(same(child([] { _exit(3); return 0; }), ""));
	out = OK(dup(1));
	close(out);
}
