/** What the node's machine has. Numbers are 0 where the platform does not tell. */
export interface HostStats {
  readonly arch: string
  readonly os: string
  readonly cpuCount: number
  readonly memoryTotalBytes: number
  readonly memoryFreeBytes: number
  readonly diskTotalBytes: number
  readonly diskFreeBytes: number
}

export type ReadHostStats = () => Promise<HostStats>
