/* Nothing: a time64-only kernel has statx and no other stat call. */
