/** Where the configuration of this process comes from: its environment, working directory, host and files. */
import { readFile } from 'node:fs/promises'
import { hostname, networkInterfaces } from 'node:os'
import { pathToFileURL } from 'node:url'
import type { ConfigSources } from './load-config.ts'

export function processSources(flags: Readonly<Record<string, string>>): ConfigSources {
  return {
    flags,
    env: process.env,
    hostName: hostname(),
    interfaces: networkInterfaces(),
    cwd: process.cwd(),
    readFile: readIfThere,
    importModule,
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    // Errors of the file system carry a code; nothing else is thrown here.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** jiti runs TypeScript, which Node 20 cannot; loaded only when such a file is there. */
async function importModule(path: string): Promise<unknown> {
  const { createJiti } = await import('jiti')
  return createJiti(import.meta.url, { fsCache: false }).import(pathToFileURL(path).href)
}
