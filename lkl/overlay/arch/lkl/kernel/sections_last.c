// SPDX-License-Identifier: GPL-2.0
/* The last object on the link line: see sections_first.c. */
#define CLOSE(sec, sym) \
	char sym[0] __attribute__((used, visibility("default"), section(sec)))

CLOSE(".rodata.zzlast", __end_rodata);
CLOSE(".data.zzlast", _edata);
CLOSE("__idle_sched_class", __sched_class_lowest);
CLOSE(".init.setup", __setup_end);
CLOSE(".initcall7s.init", __initcall_end);
CLOSE(".con_initcall.init", __con_initcall_end);
CLOSE(".init.ramfs.info", __init_end);
CLOSE(".bss.zzlast", __bss_stop);
CLOSE(".bss.zzlast", _end);
