/** How /openapi.json is made from the schemas of the routes. What the generator adds and no reader wants is taken out. */
import type { SwaggerTransformObject } from '@fastify/swagger'
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { components } from './schema.ts'

const zodToJsonConfig = {
  override: ({ jsonSchema }: { jsonSchema: Record<string, unknown> }): void => {
    // What is read and what is sent differ by route, every integer fits into a double, and a later version may say more.
    delete jsonSchema['readOnly']
    if (jsonSchema['additionalProperties'] === false) delete jsonSchema['additionalProperties']
    if (jsonSchema['maximum'] === Number.MAX_SAFE_INTEGER) delete jsonSchema['maximum']
    if (jsonSchema['minimum'] === Number.MIN_SAFE_INTEGER) delete jsonSchema['minimum']
  },
}

const settings = { schemaRegistry: components, zodToJsonConfig }
const withComponents = createJsonSchemaTransformObject(settings)

export function openApi(version: string) {
  return {
    openapi: {
      openapi: '3.1.0' as const,
      info: {
        title: 'Constellation agent',
        version,
        description: 'What one node knows about the cluster. Reads over loopback are open; all else needs the token.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      components: { securitySchemes: { token: { type: 'http' as const, scheme: 'bearer' } } },
      security: [{}, { token: [] }],
    },
    transform: createJsonSchemaTransform(settings),
    transformObject: withoutInputs,
  }
}

/** Every schema comes twice, as input and as output; we answer only. */
function withoutInputs(document: Parameters<SwaggerTransformObject>[0]): ReturnType<SwaggerTransformObject> {
  const made = withComponents(document)
  const schemas = 'components' in made ? made.components?.schemas : undefined
  // The object was made a line above, nobody else holds it.
  for (const name of Object.keys(schemas ?? {})) if (name.endsWith('Input')) delete schemas?.[name]
  return made
}
