/**
 * GET /api/v1/gossip/keys: which node has which keys, by fingerprint. POST .../install, .../use and .../remove change them on
 * every node. A key is taken and never given back.
 */
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Facade } from '../../../controllers/facade.ts'
import type { KeysAnswer, NodeKeysAnswer } from '../../../controllers/key-answers.ts'
import { parseKey } from '../../../controllers/keyring-file.ts'
import { ProblemError } from '../problem.ts'
import { fingerprintBody, gossipKeys, keyBody } from '../schema.ts'
import { problemResponse, refuseAllButPost, refuseOtherMethods, unauthorised } from './read-route.ts'

const listUrl = '/api/v1/gossip/keys'
const installUrl = `${listUrl}/install`

const onlyWithToken = [{ token: [] }]

const changeResponse = {
  200: gossipKeys,
  400: problemResponse('No such key or fingerprint is possible'),
  401: problemResponse('A change needs the token, over loopback, too'),
  409: problemResponse('A node refused, or would have been cut off; `reasons` says which and why'),
}

export function addKeyRoutes(app: FastifyInstance, facade: Facade): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  const list = {
    operationId: 'listGossipKeys',
    summary: 'The gossip keys of every node, by fingerprint',
    response: { 200: gossipKeys, ...unauthorised },
  }
  typed.get(listUrl, { schema: list }, () => facade.keys({ kind: 'list' }))
  refuseOtherMethods(app, listUrl)

  const install = {
    operationId: 'installGossipKey',
    summary: 'Give every node a further key: it decrypts, and nothing is encrypted with it yet',
    security: onlyWithToken,
    body: keyBody,
    response: changeResponse,
  }
  typed.post(installUrl, { schema: install }, async request => {
    const key = parseKey(request.body.key)
    if (key !== undefined) return completed(await facade.keys({ kind: 'install', key }))
    const detail = 'the key is not base64 of 16, 24 or 32 bytes; `constellation keys generate` makes one'
    throw new ProblemError({ status: 400, code: 'KEY_INVALID', detail })
  })
  refuseAllButPost(app, installUrl)
  addNamedRoute(app, facade, 'use', 'Encrypt with an installed key on every node')
  addNamedRoute(app, facade, 'remove', 'Forget a key, which is not the primary, on every node')
}

function addNamedRoute(app: FastifyInstance, facade: Facade, kind: 'use' | 'remove', summary: string): void {
  const url = `${listUrl}/${kind}`
  const schema = {
    operationId: `${kind}GossipKey`,
    summary,
    security: onlyWithToken,
    body: fingerprintBody,
    response: changeResponse,
  }
  app
    .withTypeProvider<ZodTypeProvider>()
    .post(url, { schema }, async ({ body }) => completed(await facade.keys({ kind, fingerprint: body.fingerprint })))
  refuseAllButPost(app, url)
}

/** Nodes that did not answer are named in the answer; a node that refused makes it a problem. */
function completed(answer: KeysAnswer): KeysAnswer {
  const { operation, refusals, nodes } = answer
  if (refusals.length === 0) return answer
  const done = nodes.filter(({ outcome }) => outcome === 'done').length
  throw new ProblemError({
    status: 409,
    code: 'KEYS_REFUSED',
    detail: done === 0 ? `${operation}: nothing was changed` : `${operation}: done by ${done} of ${nodes.length} nodes`,
    reasons: done === 0 ? refusals : nodes.map(inWords),
  })
}

function inWords({ node, outcome, reason }: NodeKeysAnswer): string {
  return `${node}: ${reason ?? outcome}`
}
