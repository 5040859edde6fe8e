/* The thread pointer is wasm-ld's __tls_base, a global each thread has its own
 * of. TLS begins there; struct pthread lies just below. */
static inline uintptr_t __get_tp(void)
{
	uintptr_t tp;
	__asm__ __volatile__(
		".globaltype __tls_base, i32\n\t"
		"global.get __tls_base\n\t"
		"local.set %0" : "=r"(tp));
	return tp;
}

static inline void __set_tp(uintptr_t tp)
{
	__asm__ __volatile__(
		".globaltype __tls_base, i32\n\t"
		"local.get %0\n\t"
		"global.set __tls_base" :: "r"(tp));
}

#define TLS_ABOVE_TP
#define GAP_ABOVE_TP 0

/* SIGCONTEXT_RESTART in mcontext_t's flags: sigreturn makes the interrupted
 * call again. */
#define MC_RESTART 1
