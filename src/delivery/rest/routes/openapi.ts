/** GET /openapi.json: this API in OpenAPI 3.1, made from the schemas that check its answers. */
import type { FastifyInstance } from 'fastify'
import { answerWithEtag } from '../etag.ts'
import { refuseOtherMethods } from './read-route.ts'

const url = '/openapi.json'

export function addOpenApiRoute(app: FastifyInstance): void {
  app.get(url, { schema: { hide: true }, onSend: answerWithEtag }, () => app.swagger())
  refuseOtherMethods(app, url)
}
