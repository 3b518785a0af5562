/** What the node's machine has, as Node and the file system under the data directory tell it. */
import { statfs } from 'node:fs/promises'
import { arch, availableParallelism, freemem, platform, totalmem } from 'node:os'
import type { ReadHostStats } from '../../ports/host-stats.ts'

/** `directory` names the disk that counts. Until it exists its disk is reported as 0. */
export function hostStatsReader(directory: string): ReadHostStats {
  return async () => {
    const disk = await statfs(directory).catch(() => undefined)
    return {
      arch: arch(),
      os: platform(),
      cpuCount: availableParallelism(),
      memoryTotalBytes: totalmem(),
      memoryFreeBytes: freemem(),
      diskTotalBytes: disk === undefined ? 0 : disk.blocks * disk.bsize,
      // What an ordinary process may still take; `bfree` includes what is reserved for root.
      diskFreeBytes: disk === undefined ? 0 : disk.bavail * disk.bsize,
    }
  }
}
