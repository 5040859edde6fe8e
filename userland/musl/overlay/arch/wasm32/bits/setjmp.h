/* The engine stores a handle to the saved frame here, never an address of the
 * host: a guest may overwrite it. */
typedef unsigned long __jmp_buf[8];
