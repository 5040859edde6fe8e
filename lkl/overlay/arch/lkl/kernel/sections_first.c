// SPDX-License-Identifier: GPL-2.0
/*
 * wasm-ld has no linker scripts. It lays data segments out in the order it
 * first sees their names and joins equal ones in link order. So this object,
 * the first on the link line, opens every section whose place or start the
 * kernel relies on, and sections_last.c closes them.
 *
 * The arrays are C and "used" (not assembler): only that survives
 * --gc-sections. They have no size, so a start is also the first element.
 */
#define OPEN(sec, align, sym) \
	char sym[0] __attribute__((used, visibility("default"), section(sec), aligned(align)))

/* Code is not in memory: text symbols only have to exist and be in order. */
OPEN(".rodata.00first", 4096, _stext);
OPEN(".rodata.00first", 4096, _etext);
OPEN(".rodata.00first", 4096, _sinittext);
OPEN(".rodata.00first", 4096, _einittext);
OPEN(".rodata.00first", 4096, __sched_text_start);
OPEN(".rodata.00first", 4096, __sched_text_end);
OPEN(".rodata.00first", 4096, __cpuidle_text_start);
OPEN(".rodata.00first", 4096, __cpuidle_text_end);
OPEN(".rodata.00first", 4096, __start_notes);
OPEN(".rodata.00first", 4096, __stop_notes);
OPEN(".rodata.00first", 4096, __start_rodata);
OPEN(".rodata.00first", 4096, __per_cpu_load);
OPEN(".rodata.00first", 4096, __per_cpu_start);
OPEN(".rodata.00first", 4096, __per_cpu_end);

OPEN(".data.00first", 4096, _sdata);
OPEN(".data.00first", 4096, _data);
OPEN(".data.00first", 4096, __nosave_begin);
OPEN(".data.00first", 4096, __nosave_end);

/* Scheduler classes are compared by address, highest first. */
OPEN("__stop_sched_class", 32, __sched_class_highest);
OPEN("__dl_sched_class", 4, lkl_dl_sched_class);
OPEN("__rt_sched_class", 4, lkl_rt_sched_class);
OPEN("__fair_sched_class", 4, lkl_fair_sched_class);
OPEN("__ext_sched_class", 4, lkl_ext_sched_class);
OPEN("__idle_sched_class", 4, lkl_idle_sched_class);

/* For C identifiers wasm-ld makes __start_ and __stop_ itself, if not empty. */
OPEN("__param", 4, lkl_param);
OPEN("__modver", 4, __start___modver);
OPEN("__modver", 4, __stop___modver);
OPEN("__ex_table", 4, __start___ex_table);
OPEN("__ex_table", 4, __stop___ex_table);

OPEN(".init.data", 16, __init_begin);
OPEN(".init.rodata", 16, lkl_init_rodata);
OPEN(".init.setup", 4, __setup_start);
OPEN(".initcallearly.init", 4, __initcall_start);

#define LEVEL(n) \
	OPEN(".initcall" #n ".init", 4, __initcall##n##_start); \
	OPEN(".initcall" #n "s.init", 4, lkl_initcall##n##s)

LEVEL(0);
LEVEL(1);
LEVEL(2);
LEVEL(3);
LEVEL(4);
LEVEL(5);
/* The initramfs is unpacked between levels 5 and 6. */
OPEN(".initcallrootfs.init", 4, lkl_initcallrootfs);
OPEN(".initcallrootfss.init", 4, lkl_initcallrootfss);
LEVEL(6);
LEVEL(7);

OPEN(".con_initcall.init", 4, __con_initcall_start);
OPEN(".init.ramfs", 4, __initramfs_start);
OPEN(".init.ramfs.info", 8, lkl_init_ramfs_info);
OPEN(".bss.00first", 4096, __bss_start);
