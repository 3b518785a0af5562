/** The configuration's sources as they are on a real node: its files, its name, its interfaces. */
import { readFile } from 'node:fs/promises'
import { hostname, networkInterfaces } from 'node:os'
import type { ConfigSources } from '../load-config.ts'

export function nodeSources(given: Pick<ConfigSources, 'flags' | 'env' | 'cwd'>): ConfigSources {
  return {
    ...given,
    hostName: hostname(),
    interfaces: networkInterfaces(),
    readFile: readFileIfThere,
    importModule,
  }
}

async function readFileIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const absent = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    if (absent) return undefined
    throw error
  }
}

/** jiti runs TypeScript, which Node 20 cannot; loaded only when such a file is there, and without a cache on disk. */
async function importModule(file: string): Promise<unknown> {
  const { createJiti } = await import('jiti')
  return createJiti(import.meta.url, { fsCache: false }).import(file)
}
