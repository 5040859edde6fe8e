/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Host operations that natively are C inlines in the kernel's own code: user
 * access. %gs is the current process's memory. Included by the generated C
 * (wasm2c option `header`).
 *
 * An access that faults has an entry in section wl_extable: two self-relative
 * offsets (instruction, fixup), which the engine's fault handler looks up.
 */
#ifndef LKL_NATIVE_H
#define LKL_NATIVE_H

#include <stdint.h>

struct kernel;

#define WL_EX(insn, fixup)                  \
	".pushsection wl_extable, \"aR\", @progbits\n"  \
	".p2align 2\n"                      \
	".long " insn " - .\n"              \
	".long " fixup " - .\n"             \
	".popsection\n"

#define WL_READ(type, reg, suffix)                                        \
	{                                                                 \
		type value;                                               \
		__asm__ goto("1: mov" suffix " %%gs:(%1), %0\n"           \
			     WL_EX("1b", "%l2")                           \
			     : reg(value)                                 \
			     : "r"((uint64_t)from)                        \
			     : "memory"                                   \
			     : fault);                                    \
		__builtin_memcpy(to, &value, sizeof value);               \
		return 0;                                                 \
	}

#define WL_WRITE(type, reg, suffix)                                       \
	{                                                                 \
		type value;                                               \
		__builtin_memcpy(&value, from, sizeof value);             \
		__asm__ goto("1: mov" suffix " %0, %%gs:(%1)\n"           \
			     WL_EX("1b", "%l2")                           \
			     :                                            \
			     : reg(value), "r"((uint64_t)to)              \
			     : "memory"                                   \
			     : fault);                                    \
		return 0;                                                 \
	}

/* The absolute address of the process's memory is in its context (w2c_head). */
static inline uint64_t lkl__user_base(void)
{
	uint64_t base;
	__asm__("movq %%gs:-12288, %0" : "=r"(base));
	return base;
}

/* How many bytes are left: of one that faults and all behind it. */
static inline uint32_t lkl__copy(void *to, const void *from, uint64_t left)
{
	__asm__ volatile("1: rep movsb\n2:\n" WL_EX("1b", "2b")
			 : "+D"(to), "+S"(from), "+c"(left)
			 :
			 : "memory");
	return (uint32_t)left;
}

static inline uint32_t lkl__read_user(uint8_t *to, uint32_t from, uint32_t len)
{
	switch (len) {
	case 1: WL_READ(uint8_t, "=q", "b")
	case 2: WL_READ(uint16_t, "=r", "w")
	case 4: WL_READ(uint32_t, "=r", "l")
	case 8: WL_READ(uint64_t, "=r", "q")
	}
	return lkl__copy(to, (const void *)(lkl__user_base() + from), len);
fault:
	return len;
}

static inline uint32_t lkl__write_user(uint32_t to, const uint8_t *from, uint32_t len)
{
	switch (len) {
	case 1: WL_WRITE(uint8_t, "q", "b")
	case 2: WL_WRITE(uint16_t, "r", "w")
	case 4: WL_WRITE(uint32_t, "r", "l")
	case 8: WL_WRITE(uint64_t, "r", "q")
	}
	return lkl__copy((void *)(lkl__user_base() + to), from, len);
fault:
	return len;
}

static inline uint32_t lkl__clear_user(uint32_t to, uint32_t len)
{
	void *target = (void *)(lkl__user_base() + to);
	uint64_t left = len;

	__asm__ volatile("1: rep stosb\n2:\n" WL_EX("1b", "2b")
			 : "+D"(target), "+c"(left)
			 : "a"(0)
			 : "memory");
	return (uint32_t)left;
}

#define LKL_MEMORY(in) ((uint8_t *)(in) + 12288)

/* A copy that stops early leaves the rest of the kernel's buffer to its caller,
 * which clears it (include/linux/uaccess.h). */
#define W2C_HAVE_host_copy_from_user
static inline uint32_t host_copy_from_user(struct kernel *in, uint32_t to, uint32_t from,
					   uint32_t len)
{
	return lkl__read_user(LKL_MEMORY(in) + to, from, len);
}

#define W2C_HAVE_host_copy_to_user
static inline uint32_t host_copy_to_user(struct kernel *in, uint32_t to, uint32_t from,
					 uint32_t len)
{
	return lkl__write_user(to, LKL_MEMORY(in) + from, len);
}

#define W2C_HAVE_host_clear_user
static inline uint32_t host_clear_user(struct kernel *in, uint32_t to, uint32_t len)
{
	(void)in;
	return lkl__clear_user(to, len);
}

#endif
