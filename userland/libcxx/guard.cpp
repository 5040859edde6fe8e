// What stands at the bottom of every stack of a program with C++ in it: musl's
// entry points call through it. There is no frame below to search for a
// handler, so an exception that gets here ends the program as noexcept says:
// std::terminate, in the guest, with its message.
extern "C" void __wasm_guard(void (*function)(void *), void *argument) noexcept
{
	function(argument);
}
