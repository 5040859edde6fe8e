/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_ELF_H
#define _ASM_LKL_ELF_H

/* No ELF is ever loaded; generic code wants the types. */
#include <asm/ptrace.h>

#define ELF_NGREG (sizeof(struct user_regs_struct) / sizeof(unsigned long))
typedef unsigned long elf_greg_t;
typedef elf_greg_t elf_gregset_t[ELF_NGREG];
typedef unsigned long elf_fpregset_t;

#define elf_check_arch(x)	(0)
#define ELF_CLASS		ELFCLASS32
#define ELF_DATA		ELFDATA2LSB
#define ELF_ARCH		EM_NONE
#define ELF_EXEC_PAGESIZE	4096
#define ELF_PLATFORM		NULL
#define ELF_HWCAP		0
#define ELF_PLAT_INIT(regs, load_addr) do { } while (0)
#define ELF_ET_DYN_BASE		0

#endif
