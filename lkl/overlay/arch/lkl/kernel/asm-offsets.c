// SPDX-License-Identifier: GPL-2.0
/* No assembler of ours reads structures; kbuild wants the file. */
#include <linux/kbuild.h>

int main(void);
int main(void)
{
	return 0;
}
