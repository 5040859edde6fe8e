/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Gs mode's `spectest`: direct imports, inline. Also tests that a header may
 * define them. */
#ifndef SPECTEST_H
#define SPECTEST_H

#define W2C_HAVE_spectest_print
#define W2C_HAVE_spectest_print_i32
#define W2C_HAVE_spectest_print_i64
#define W2C_HAVE_spectest_print_f32
#define W2C_HAVE_spectest_print_f64
#define W2C_HAVE_spectest_print_i32_f32
#define W2C_HAVE_spectest_print_f64_f64

static inline void spectest_print(void) {}
static inline void spectest_print_i32(u32 a) { (void)a; }
static inline void spectest_print_i64(u64 a) { (void)a; }
static inline void spectest_print_f32(f32 a) { (void)a; }
static inline void spectest_print_f64(f64 a) { (void)a; }
static inline void spectest_print_i32_f32(u32 a, f32 b) { (void)a, (void)b; }
static inline void spectest_print_f64_f64(f64 a, f64 b) { (void)a, (void)b; }

#endif
