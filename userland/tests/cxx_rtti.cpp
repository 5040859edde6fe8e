// Run-time types: dynamic_cast over every kind of inheritance, typeid, names;
// catch clauses that need the same.
#include "test.h"
#include <any>
#include <cxxabi.h>
#include <memory>
#include <string>
#include <typeindex>
#include <typeinfo>
#include <variant>

namespace zoo {
struct Animal { virtual ~Animal() {} int a = 1; };
struct Bird : virtual Animal { int b = 2; };
struct Horse : virtual Animal { int h = 3; };
struct Pegasus final : Bird, Horse { int p = 4; };
struct Left : Animal { int l = 5; };
struct Right : Animal { int r = 6; };
struct Both : Left, Right {};
struct Hidden : private Left {};
template <class T> struct Cage : Animal { T t; };
}
using namespace zoo;

static void casts()
{
	std::unique_ptr<Animal> p(new Pegasus), l(new Left), c(new Cage<std::string>);
	auto *horse = dynamic_cast<Horse *>(p.get());
	CHECK(horse && horse->h == 3);
	auto *bird = dynamic_cast<Bird *>(horse);
	CHECK(bird && bird->b == 2 && dynamic_cast<void *>(horse) == dynamic_cast<void *>(bird));
	CHECK(dynamic_cast<Pegasus *>(bird)->p == 4);
	CHECK(!dynamic_cast<Horse *>(l.get()) && !dynamic_cast<Pegasus *>(c.get()));
	CHECK(dynamic_cast<Cage<std::string> *>(c.get()) && !dynamic_cast<Cage<int> *>(c.get()));
	Both both;
	Left *left = &both;
	CHECK(dynamic_cast<Right *>(left)->r == 6);
	CHECK(static_cast<Animal *>(static_cast<Right *>(&both)) != static_cast<Animal *>(left));
	try { (void)dynamic_cast<Pegasus &>(*l); CHECK(!"cast"); } catch (const std::bad_cast &) {}
}

static std::string demangled(const std::type_info &type)
{
	int status;
	std::unique_ptr<char, void (*)(void *)> name(
		abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), free);
	CHECK(status == 0);
	return name.get();
}

static void types()
{
	Pegasus pegasus;
	Animal &a = pegasus, *none = OPAQUE((Animal *)nullptr);
	CHECK(typeid(a) == typeid(Pegasus) && typeid(a) != typeid(Animal));
	CHECK(std::type_index(typeid(int)) != std::type_index(typeid(long)));
	CHECK(demangled(typeid(a)) == "zoo::Pegasus");
	CHECK(demangled(typeid(Cage<int (*)(long)>)) == "zoo::Cage<int (*)(long)>");
	try { (void)typeid(*none).name(); CHECK(!"typed"); } catch (const std::bad_typeid &) {}
	std::any any = std::string("x");
	CHECK(std::any_cast<std::string>(any) == "x");
	try { std::any_cast<int>(any); CHECK(!"cast"); } catch (const std::bad_any_cast &) {}
	std::variant<int, std::string> v = 1;
	try { std::get<std::string>(v); CHECK(!"got"); } catch (const std::bad_variant_access &) {}
}

template <class Thrown, class Caught> static bool catches(Thrown thrown)
{
	try { throw thrown; } catch (Caught) { return true; } catch (...) { return false; }
}

static void clauses()
{
	static Pegasus pegasus;
	static Both both;
	static Hidden hidden;
	CHECK((catches<Pegasus *, Animal *>(&pegasus)));
	CHECK((catches<Pegasus *, const Horse *>(&pegasus)));
	CHECK((catches<Pegasus *, const void *>(&pegasus)));
	CHECK((catches<Pegasus, const Animal &>(pegasus)));
	CHECK((catches<std::nullptr_t, Animal *>(nullptr)));
	CHECK((!catches<Both *, Animal *>(&both)));
	CHECK((!catches<Hidden *, Left *>(&hidden)));
	CHECK((!catches<Horse *, Bird *>(&pegasus)));
	CHECK((!catches<int, long>(1)));
	// By reference it is the object itself, at the right offset.
	try { throw Pegasus(); } catch (Horse &h) { CHECK(h.h == 3 && dynamic_cast<Pegasus &>(h).p == 4); }
}

int main()
{
	casts();
	types();
	clauses();
}
