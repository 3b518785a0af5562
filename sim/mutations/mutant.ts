/**
 * A planted bug: one place in the product's source, and what stands there instead. Planted in a copy, never in the product.
 */
export interface Mutant {
  readonly name: string
  /** What goes wrong for those who run it. */
  readonly harm: string
  /** Relative to `src/`. */
  readonly file: string
  /** Must occur exactly once in the file; otherwise the bug no longer applies and its author has to look again. */
  readonly find: string
  readonly replace: string
}
