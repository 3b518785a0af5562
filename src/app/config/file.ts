/**
 * The configuration file: finding it, parsing it, and telling the position of any value in it. YAML and JSON go through
 * one parser that keeps positions (JSON is YAML's subset); TypeScript and JavaScript are run, so they have none.
 */
import { join, resolve } from 'node:path'
import { LineCounter, isNode, parseDocument, type Document } from 'yaml'
import { describeError } from '../../kernel/errors.ts'
import type { Complaint } from './complaint.ts'

export type Path = readonly (string | number)[]

export interface ConfigFile {
  readonly file: string
  /** What it says, unchecked; an empty object when it says nothing. */
  readonly content: unknown
  /** `file:line:column` of the value at a path, or of the nearest thing above it. */
  positionOf(path: Path): string
}

export interface FileAccess {
  readonly cwd: string
  /** Undefined when there is no such file; rejects on any other failure. */
  readonly readFile: (path: string) => Promise<string | undefined>
  /** Runs a module and answers its namespace. */
  readonly importModule: (path: string) => Promise<unknown>
}

const names = ['ts', 'json', 'yaml', 'yml'].map(extension => `constellation.config.${extension}`)
const systemDirectory = '/etc/constellation'

/** The named file, else the first that exists here or in /etc/constellation. Faults of the file go to `complaints`. */
export async function readConfigFile(
  named: string | undefined,
  access: FileAccess,
  complaints: Complaint[],
): Promise<ConfigFile | undefined> {
  const candidates =
    named === undefined
      ? [access.cwd, systemDirectory].flatMap(directory => names.map(name => join(directory, name)))
      : [resolve(access.cwd, named)]
  for (const file of candidates) {
    try {
      const text = await access.readFile(file)
      if (text === undefined) continue
      return /\.[cm]?[jt]s$/.test(file) ? await runProgram(file, access) : parseText(file, text, complaints)
    } catch (error) {
      complaints.push({ where: file, what: describeError(error) })
      return undefined
    }
  }
  if (named !== undefined) complaints.push({ where: candidates[0] ?? named, what: 'there is no such file' })
  return undefined
}

async function runProgram(file: string, access: FileAccess): Promise<ConfigFile> {
  const module = await access.importModule(file)
  const content = typeof module === 'object' && module !== null && 'default' in module ? module.default : module
  return { file, content, positionOf: () => file }
}

function parseText(file: string, text: string, complaints: Complaint[]): ConfigFile | undefined {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  for (const error of document.errors) complaints.push({ where: at(error.pos[0]), what: error.message })
  if (document.errors.length > 0) return undefined
  return {
    file,
    content: document.toJS() ?? {},
    positionOf: path => at(offsetOf(document, path)),
  }
}

function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return 0
}
