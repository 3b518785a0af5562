/** The configuration's sources as they are on a real node: its files, its name, its interfaces. */
import { readFile } from 'node:fs/promises'
import { hostname, networkInterfaces } from 'node:os'
import { createJiti } from 'jiti'
import type { ConfigSources } from '../load-config.ts'

export function nodeSources(given: Pick<ConfigSources, 'flags' | 'env' | 'cwd'>): ConfigSources {
  return {
    ...given,
    hostName: hostname(),
    interfaces: networkInterfaces(),
    readFile: readFileIfThere,
    importModule: file => createJiti(import.meta.url).import(file),
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
