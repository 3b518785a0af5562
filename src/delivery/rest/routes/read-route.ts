/** What routes have in common: problems documented, and a 405 for methods they do not have. */
import type { FastifyInstance } from 'fastify'
import { ProblemError, problemContentType } from '../problem.ts'
import { problem } from '../schema.ts'

const neither = ['PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Call it beside the GET route of `url`; HEAD comes with GET. */
export function refuseOtherMethods(app: FastifyInstance, url: string): void {
  refuse(app, url, ['POST', ...neither], 'GET, HEAD', 'can be read only')
}

/** Call it beside the POST route of `url`. */
export function refuseAllButPost(app: FastifyInstance, url: string): void {
  refuse(app, url, ['GET', ...neither], 'POST', 'takes POST only')
}

function refuse(app: FastifyInstance, url: string, method: string[], allow: string, rule: string): void {
  app.route({
    method,
    url,
    schema: { hide: true },
    // Before the body is parsed: its type does not matter for a method that is not there.
    onRequest: (request, _reply, done) =>
      done(
        new ProblemError({
          status: 405,
          code: 'METHOD_NOT_ALLOWED',
          detail: `${url} ${rule}, not ${request.method}`,
          headers: { allow },
        }),
      ),
    handler: () => undefined,
  })
}

/** For the `response` of a route's schema. */
export function problemResponse(description: string) {
  return { description, content: { [problemContentType]: { schema: problem } } }
}

export const unauthorised = { 401: problemResponse('Not a read over loopback, and no valid token') }
