// Static and thread-local objects: constructed before main, in order;
// destroyed after it, in the opposite order, mixed with atexit functions.
#include "test.h"
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static std::vector<std::string> &log()
{
	static auto *v = new std::vector<std::string>;
	return *v;
}

struct Object {
	std::string name;
	explicit Object(const char *n) : name(n) { log().push_back("+" + name); }
	~Object() { log().push_back("-" + name); }
};

static Object first("first");
static Object second("second");
__attribute__((constructor(200))) static void early() { log().push_back("early"); }
__attribute__((destructor)) static void late() { log().push_back("late"); }
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

static std::string joined()
{
	std::string s;
	for (auto &l : log()) s += (s.empty() ? "" : " ") + l;
	return s;
}

static int out;

int main()
{
	CHECK(joined() == "early +first +second");
	log().clear();

	for (int i = 0; i < 2; i++) {
		try { third_time(); CHECK(!"constructed"); } catch (const std::runtime_error &) {}
	}
	CHECK(third_time() == 3 && third_time() == 3);

	std::thread([] { each.name += " of a thread"; }).join();
	CHECK(joined() == "+each -each of a thread");
	log().clear();
	each.name += " of main";
	CHECK(&once() == &once());
	CHECK(joined() == "+each +once");
	log().clear();

	// The rest comes after main: a child's parent reads it.
	int fds[2], status;
	OK(pipe(fds));
	pid_t pid = OK(fork());
	if (!pid) {
		out = fds[1];
		// Registered last, so it runs before the objects' destructors; the
		// one that runs at the very end was registered before main.
		atexit([] { log().push_back("atexit"); });
		static struct Writer {
			~Writer()
			{
				std::string s = joined();
				write(out, s.data(), s.size());
			}
		} writer;
		struct Last {
			static void write_log()
			{
				std::string s = "|" + joined();
				write(out, s.data(), s.size());
			}
		};
		(void)writer;
		log().clear();
		at_quick_exit([] { write(out, "quick", 5); });
		pid_t quick = OK(fork());
		if (!quick) quick_exit(0);
		OK(waitpid(quick, &status, 0));
		return 0;
	}
	close(fds[1]);
	char text[1000];
	size_t got = 0;
	ssize_t n;
	while ((n = read(fds[0], text + got, sizeof text - 1 - got)) > 0) got += n;
	text[got] = 0;
	OK(waitpid(pid, &status, 0));
	CHECK(exited(status, 0));
	if (strcmp(text, "quick-each of main")) {
		dprintf(2, "the child wrote: %s\n", text);
		return 1;
	}
	// And in this process all others, seen by a destructor that is older.
	return 0;
}
