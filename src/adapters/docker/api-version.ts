/**
 * Which Docker API version to speak: the older of the engine's newest and ours. Never a fixed one: a version above the
 * engine's is refused with 400, and engines of 29 refuse what is below 1.44 or 1.40.
 */

/** The newest whose changes were checked against the fields we read. */
const ours = '1.52'

/** `theirs` is the Api-Version header of `/_ping`. */
export function negotiate(theirs: string): string {
  const [theirMajor, theirMinor] = parts(theirs)
  const [ourMajor, ourMinor] = parts(ours)
  const isOlder = theirMajor !== ourMajor ? theirMajor < ourMajor : theirMinor < ourMinor
  return isOlder ? theirs : ours
}

function parts(version: string): readonly [major: number, minor: number] {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return [major, minor]
}
