/** Small files the agent keeps for itself under its data directory (node id, epoch, peers, last good document). */
export interface StateFiles {
  /** Undefined when it was never written. Rejects with `ConstellationError` `STATE_UNREADABLE` on any other failure. */
  read(name: string): Promise<string | undefined>
  /** All or nothing: temporary file, fsync, rename. Rejects with `STATE_UNWRITABLE` (a full disk, say). */
  write(name: string, text: string): Promise<void>
}
