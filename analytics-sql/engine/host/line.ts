// What the engine's process and the program that started it say to each other by stdin and stdout, a line each.

/** Requests are taken. */
export const READY = "ready";
/** End in order. stdin that ends without it: the program was killed. */
export const CLOSE = "close";
