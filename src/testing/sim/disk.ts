/**
 * A disk that forgets. What is written is visible at once and durable after a sync; a crash keeps some of what was not
 * synced, maybe torn in the middle. Files are inodes under names, and names need a sync of their own, as on a real disk.
 * Operations are synchronous, syncs call back: the event loop of a simulation never awaits.
 * Invariant: what a successful sync covered is there after any crash, unless a flipped bit or a lost disk says otherwise.
 */
import type { Prng } from '../../kernel/prng.ts'
import type { Millis } from '../../kernel/units.ts'
import type { SimTime } from './time.ts'

export interface DiskFaults {
  /** How long a sync takes. */
  readonly syncMs: readonly [least: Millis, most: Millis]
  /** Share of syncs that fail. What they should have saved may be lost, even when a later sync succeeds. */
  readonly syncFailure: number
}

export interface SimDisk {
  faults: DiskFaults
  read(name: string): Uint8Array | undefined
  /** A new, empty file under this name. */
  create(name: string): void
  /** The file must exist; a gap before `offset` reads as zeros. */
  write(name: string, offset: number, bytes: Uint8Array): void
  rename(from: string, to: string): void
  remove(name: string): void
  names(): readonly string[]
  /** Makes the content of a file durable. */
  sync(name: string, done: (ok: boolean) => void): void
  /** Makes the names durable, in the order in which they were changed. */
  syncNames(done: (ok: boolean) => void): void
  /** The power goes: syncs in progress never call back. */
  crash(): void
  /** One random bit of one file, durable and visible; false when there is nothing to flip. */
  flipBit(name: string): boolean
  /** Another disk was put in. */
  lose(): void
}

interface Write {
  readonly offset: number
  readonly bytes: Uint8Array
}

interface Inode {
  durable: Uint8Array
  visible: Uint8Array
  unsynced: Write[]
}

type NameChange = (names: Map<string, Inode>) => void

/** What a disk writes as one piece. */
const sectorBytes = 512

export const soundDisk: DiskFaults = { syncMs: [0, 2], syncFailure: 0 }

export function createSimDisk(time: SimTime, prng: Prng, faults: DiskFaults = soundDisk): SimDisk {
  let visible = new Map<string, Inode>()
  let durable = new Map<string, Inode>()
  let renamings: NameChange[] = []
  let life = 0

  function change(apply: NameChange): void {
    apply(visible)
    renamings.push(apply)
  }

  /** Calls back unless the power went before. */
  function afterSync(finish: () => void, giveUp: () => void, done: (ok: boolean) => void): void {
    const [least, most] = disk.faults.syncMs
    const fails = prng.next() < disk.faults.syncFailure
    const startedIn = life
    time.at(time.now() + least + prng.below(most - least + 1), () => {
      if (life !== startedIn) return
      if (fails) giveUp()
      else finish()
      done(!fails)
    })
  }

  function settle(inode: Inode): void {
    inode.durable = survivors(inode).reduce((content, write) => overwritten(content, write), inode.durable)
    inode.visible = inode.durable
    inode.unsynced = []
  }

  /** Which un-synced writes reached the platter: the first few in order, or any of them; the last one maybe in part. */
  function survivors({ unsynced }: Inode): readonly Write[] {
    const inOrder = prng.below(2) === 0
    const kept = inOrder ? unsynced.slice(0, prng.below(unsynced.length + 1)) : unsynced.filter(() => prng.below(2) > 0)
    const last = kept.at(-1)
    return last === undefined ? kept : [...kept.slice(0, -1), torn(last)]
  }

  function torn({ offset, bytes }: Write): Write {
    const sectors = Math.ceil(bytes.length / sectorBytes)
    return { offset, bytes: bytes.subarray(0, sectorBytes * prng.below(sectors + 1)) }
  }

  const disk: SimDisk = {
    faults,
    read: name => visible.get(name)?.visible.slice(),
    create(name) {
      const nothing = new Uint8Array(0)
      const inode: Inode = { durable: nothing, visible: nothing, unsynced: [] }
      change(names => void names.set(name, inode))
    },
    write(name, offset, bytes) {
      const inode = inodeOf(visible, name)
      const write = { offset, bytes: bytes.slice() }
      inode.visible = overwritten(inode.visible, write)
      inode.unsynced.push(write)
    },
    rename(from, to) {
      const inode = inodeOf(visible, from)
      change(names => {
        names.delete(from)
        names.set(to, inode)
      })
    },
    remove: name => change(names => void names.delete(name)),
    names: () => [...visible.keys()].sort(),
    sync(name, done) {
      const inode = inodeOf(visible, name)
      const covered = inode.unsynced.length
      const finish = (): void => {
        for (const write of inode.unsynced.splice(0, covered)) inode.durable = overwritten(inode.durable, write)
      }
      // The pages count as clean after a failed sync: no later one writes them.
      const giveUp = (): void => void inode.unsynced.splice(0, covered)
      afterSync(finish, giveUp, done)
    },
    syncNames(done) {
      const covered = renamings.length
      const finish = (): void => {
        for (const apply of renamings.splice(0, covered)) apply(durable)
      }
      afterSync(finish, () => undefined, done)
    },
    crash() {
      life++
      // Directories are journalled: their changes survive in order, up to some point.
      for (const apply of renamings.slice(0, prng.below(renamings.length + 1))) apply(durable)
      renamings = []
      for (const inode of new Set([...visible.values(), ...durable.values()])) settle(inode)
      visible = new Map(durable)
    },
    flipBit(name) {
      const inode = visible.get(name)
      if (inode === undefined || inode.visible.length === 0) return false
      const [at, bit] = [prng.below(inode.visible.length), 1 << prng.below(8)]
      inode.visible = flipped(inode.visible, at, bit)
      inode.durable = flipped(inode.durable, at, bit)
      return true
    },
    lose() {
      life++
      visible = new Map()
      durable = new Map()
      renamings = []
    },
  }
  return disk
}

function inodeOf(names: ReadonlyMap<string, Inode>, name: string): Inode {
  const inode = names.get(name)
  if (inode === undefined) throw new Error(`no file is called ${name}`)
  return inode
}

function overwritten(content: Uint8Array, { offset, bytes }: Write): Uint8Array {
  const result = new Uint8Array(Math.max(content.length, offset + bytes.length))
  result.set(content)
  result.set(bytes, offset)
  return result
}

function flipped(content: Uint8Array, at: number, bit: number): Uint8Array {
  return content.map((byte, i) => (i === at ? byte ^ bit : byte))
}
