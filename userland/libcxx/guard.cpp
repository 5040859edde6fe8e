#include <exception>

// What stands at the bottom of every stack of a program with C++ in it: musl's
// entry points call through it. Nothing below would take an exception that gets
// here, so it ends the program as it must: in the guest, with its message.
// (A noexcept function would do the same but, on wasm, without knowing which
// exception it was.)
extern "C" void __wasm_guard(void (*function)(void *), void *argument)
{
	try {
		function(argument);
	} catch (...) {
		std::terminate();
	}
}
