/** The node's identity: 128 random bits, made at the first start and kept with the agent's other small files. */
import { ConstellationError } from '../kernel/errors.ts'
import type { StateFiles } from '../ports/state-files.ts'

const fileName = 'node-id'
const pattern = /^[0-9a-f]{32}$/

/** `configured` wins and is kept. Rejects with `NODE_ID_MALFORMED` or what the state files reject with. */
export async function readOrMakeNodeId(
  files: StateFiles,
  configured: string | undefined,
  make: () => string,
): Promise<string> {
  const kept = (await files.read(fileName))?.trim()
  const nodeId = configured ?? kept ?? make()
  if (!pattern.test(nodeId)) {
    const hint = 'a node id is 32 hexadecimal digits; remove the file (or the setting) to get a new one'
    throw new ConstellationError('NODE_ID_MALFORMED', `not a node id: ${JSON.stringify(nodeId)}`, { hint })
  }
  if (nodeId !== kept) await files.write(fileName, `${nodeId}\n`)
  return nodeId
}
