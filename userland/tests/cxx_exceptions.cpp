// Exceptions: which handler, what is destroyed, in which order; through C
// frames, deep stacks, constructors, function pointers; kept for later.
#include "test.h"
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

static std::string trace;

struct Mark {
	char name;
	explicit Mark(char n) : name(n) {}
	~Mark() { trace += name; }
};

struct Base : std::runtime_error {
	using std::runtime_error::runtime_error;
};
struct Derived : Base {
	using Base::Base;
};

__attribute__((noinline)) static void thrower(int what)
{
	Mark m('t');
	switch (what) {
	case 0: throw 42;
	case 1: throw Derived("derived");
	case 2: throw Base("base");
	case 3: throw std::string("text");
	case 4: throw nullptr;
	case 5: throw 2.5;
	}
}

static std::string handler(int what)
{
	try {
		Mark m('h');
		thrower(what);
		return "none";
	} catch (int i) {
		return i == 42 ? "int" : "?";
	} catch (const Derived &e) {
		return e.what();
	} catch (const std::exception &e) {
		return std::string("exception ") + e.what();
	} catch (std::string s) {
		return s;
	} catch (void *p) {
		return p ? "?" : "null";
	} catch (...) {
		return "any";
	}
}

static void choosing()
{
	const char *expected[] = {"int", "derived", "exception base", "text", "null", "any", "none"};
	for (int i = 0; i < 7; i++) CHECK(handler(i) == expected[i]);
	// Each time the callee's, then the caller's.
	CHECK(trace == "ththththththth");
}

static void order()
{
	trace.clear();
	try {
		Mark a('a');
		try {
			Mark b('b');
			throw Base("x");
		} catch (const Base &) {
			Mark c('c');
			throw;
		}
	} catch (const std::exception &e) {
		trace += e.what();
	}
	CHECK(trace == "bcax");
}

// A half-made object loses what it has, and is not destroyed itself.
struct Member {
	Mark first{'1'}, second{'2'};
	explicit Member(bool fail) : third((fail ? throw Base("member") : 0), '3') {}
	~Member() { trace += 'M'; }
	struct Third : Mark {
		Third(int, char n) : Mark(n) {}
	} third;
};

struct Tried {
	Member m;
	Tried() try : m(true) {} catch (const Base &) { trace += 'F'; }
};

static void constructors()
{
	trace.clear();
	try { Tried t; CHECK(!"constructed"); } catch (const Base &) { trace += 'C'; }
	CHECK(trace == "21FC");
	trace.clear();
	try {
		std::vector<std::unique_ptr<Mark>> v;
		v.push_back(std::make_unique<Mark>('v'));
		v.push_back(nullptr);
		v.at(5);
	} catch (const std::out_of_range &) { trace += '!'; }
	CHECK(trace == "v!");
	try {
		::operator delete(::operator new(OPAQUE(SIZE_MAX - 4096)));
		CHECK(!"allocated");
	} catch (const std::bad_alloc &) {}
}

// qsort and bsearch know nothing of exceptions.
static void c_frames()
{
	static int calls;
	int data[100];

	for (int i = 0; i < 100; i++) data[i] = (i * 37) % 100;
	try {
		qsort(data, 100, sizeof *data, [](const void *a, const void *b) {
			if (++calls == 50) throw calls;
			return *(const int *)a - *(const int *)b;
		});
		CHECK(!"sorted");
	} catch (int n) { CHECK(n == 50 && calls == 50); }
	// The C stack is as before: it sorts.
	calls = 1000;
	qsort(data, 100, sizeof *data, [](const void *a, const void *b) {
		return *(const int *)a - *(const int *)b;
	});
	for (int i = 1; i < 100; i++) CHECK(data[i - 1] <= data[i]);
}

static int deep(int n)
{
	Mark *m = n % 100 ? nullptr : new Mark('d');
	std::unique_ptr<Mark> own(m);
	if (!n) throw Base("deep");
	return deep(n - 1) + 1;
}

static void deep_stack()
{
	trace.clear();
	try { deep(10000); CHECK(!"returned"); } catch (const Base &) {}
	CHECK(trace == std::string(101, 'd'));
}

static void kept()
{
	std::exception_ptr p, q;
	try { throw Derived("kept"); } catch (...) { p = std::current_exception(); }
	q = p;
	for (int i = 0; i < 3; i++) {
		try { std::rethrow_exception(q); } catch (const Derived &e) {
			CHECK(!strcmp(e.what(), "kept"));
		}
	}
	p = nullptr;
	CHECK(!p && q);
	try {
		try { throw Base("inner"); } catch (...) { std::throw_with_nested(std::logic_error("outer")); }
	} catch (const std::exception &e) {
		CHECK(!strcmp(e.what(), "outer"));
		try { std::rethrow_if_nested(e); CHECK(!"nothing nested"); } catch (const Base &inner) {
			CHECK(!strcmp(inner.what(), "inner"));
		}
	}
}

// In a destructor during unwinding another exception may come and go.
struct Busy {
	~Busy()
	{
		CHECK(std::uncaught_exceptions() == 1);
		try { throw 1; } catch (int) { trace += 'b'; }
	}
};

static void nested()
{
	trace.clear();
	try { Busy b; throw Base("x"); } catch (const Base &) { trace += 'c'; }
	CHECK(trace == "bc" && std::uncaught_exceptions() == 0);
}

static void many()
{
	int caught = 0;
	for (int i = 0; i < 100000; i++) {
		try { thrower(OPAQUE(0)); } catch (int) { caught++; }
		if (i % 1000 == 0) trace.clear();
	}
	CHECK(caught == 100000);
}

int main()
{
	choosing();
	order();
	constructors();
	c_frames();
	deep_stack();
	kept();
	nested();
	many();
}
