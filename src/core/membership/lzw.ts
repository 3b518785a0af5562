/**
 * The codes of LZW as memberlist's peers use it (the variant of GIF): packed from the low bit up, 8-bit literals, widths
 * from 9 to 12 bits. Writing is lzw-encode.ts, reading is lzw-decode.ts.
 */

/** Empties the table. */
export const clearCode = 256
export const endCode = 257
export const firstFreeCode = 258
export const widthMin = 9
export const widthMax = 12
export const tableSize = 1 << widthMax
