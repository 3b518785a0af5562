/** The suites there are. A new one is a folder and a line here. */
import { gossipSuite } from './gossip/suite.ts'
import type { Suite } from './suite.ts'

export const suites: readonly Suite[] = [gossipSuite]

export function suiteCalled(name: string): Suite {
  const suite = suites.find(suite => suite.name === name)
  if (suite === undefined)
    throw new Error(`no suite is called ${name}; there are: ${suites.map(({ name }) => name).join(', ')}`)
  return suite
}
