/**
 * Booleans as Traefik reads them, in labels and in documents: its decoders use Go's strconv.ParseBool, which accepts
 * these spellings and no others.
 */
const spellings: Readonly<Record<string, boolean>> = {
  '1': true,
  t: true,
  T: true,
  true: true,
  True: true,
  TRUE: true,
  '0': false,
  f: false,
  F: false,
  false: false,
  False: false,
  FALSE: false,
}

/** Undefined for anything Go would refuse, `yes` and `on` included. */
export function parseGoBoolean(text: string): boolean | undefined {
  return Object.hasOwn(spellings, text) ? spellings[text] : undefined
}
