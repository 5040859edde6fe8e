/** Error numbers that host operations return, negated. */
export const ENXIO = 6;
export const ENOEXEC = 8;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EINVAL = 22;
export const ENOSYS = 38;
