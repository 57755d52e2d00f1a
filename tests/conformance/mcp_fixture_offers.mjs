// The tools, prompts and resources of the fixture that ask their client nothing.
import { completable } from '@modelcontextprotocol/server'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
const SILENCE = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAAAAA=='
const SCHEMA_2020_12 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object',
  $defs: { address: { $anchor: 'addressDef', type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } } },
  properties: { name: { type: 'string' }, address: { $ref: '#/$defs/address' },
                contactMethod: { type: 'string', enum: ['phone', 'email'] }, phone: { type: 'string' }, email: { type: 'string' } },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  then: { required: ['phone'] }, else: { required: ['email'] },
  additionalProperties: false,
}

export const text = (words) => ({ type: 'text', text: words })
const image = { type: 'image', data: PIXEL, mimeType: 'image/png' }
const resource = (uri, mimeType, words) => ({ type: 'resource', resource: { uri, mimeType, text: words } })

export const tools = {
  test_simple_text: { does: () => [text('This is a simple text response for testing.')] },
  test_image_content: { does: () => [image] },
  test_audio_content: { does: () => [{ type: 'audio', data: SILENCE, mimeType: 'audio/wav' }] },
  test_embedded_resource: { does: () => [resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')] },
  test_multiple_content_types: {
    does: () => [text('Multiple content types test:'), image,
                 resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}')],
  },
  test_error_handling: {
    does: () => {
      throw new Error('This tool intentionally returns an error for testing')
    },
  },
  test_tool_with_progress: {
    does: async (_, { mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken
      for (const progress of [0, 50, 100]) {
        if (progressToken !== undefined)
          await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } })
        await sleep(50)
      }
      return [text('progress was reported')]
    },
  },
  test_tool_with_logging: {
    does: async (_, { mcpReq }) => {
      for (const line of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        await mcpReq.log('info', line)
        await sleep(50)
      }
      return [text('logged')]
    },
  },
  test_logging_tool: {
    does: async (_, { mcpReq }) => {
      await mcpReq.log('info', 'a line for those who asked for lines')
      return [text('logged')]
    },
  },
  // A question in the old way. The SDK refuses it where the client speaks 2026-07-28.
  test_streaming_elicitation: {
    does: async (_, { mcpReq }) => {
      const answer = await mcpReq.elicitInput({ message: 'Your name?', requestedSchema: { type: 'object', properties: {} } })
      return [text(`answered: ${answer.action}`)]
    },
  },
  // Leaves in the middle of the call; the answer is for those who come back for it. Without a stream to close it just answers.
  test_reconnection: {
    does: async (_, { http }) => {
      await sleep(50)
      http?.closeSSE?.()
      await sleep(100)
      return [text('the answer to a call whose stream was closed')]
    },
  },
  test_trigger_tool_change: { does: (_, _ctx, fixture) => [text(fixture.grow('tools'))] },
  test_trigger_prompt_change: { does: (_, _ctx, fixture) => [text(fixture.grow('prompts'))] },
  json_schema_2020_12_tool: { inputSchema: SCHEMA_2020_12, does: () => [text('ok')] },
  test_custom_headers: {
    inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } }, required: ['region'] },
    does: ({ region }) => [text(region)],
  },
}

const said = (...contents) => ({ messages: contents.map((content) => ({ role: 'user', content })) })
const PLACES = ['paris', 'park', 'party']

export const prompts = {
  test_simple_prompt: { does: () => said(text('This is a simple prompt for testing.')) },
  test_prompt_with_arguments: {
    argsSchema: z.object({ arg1: completable(z.string(), (begun) => PLACES.filter((p) => p.startsWith(begun))), arg2: z.string() }),
    does: ({ arg1, arg2 }) => said(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  },
  test_prompt_with_embedded_resource: {
    argsSchema: z.object({ resourceUri: z.string() }),
    does: ({ resourceUri }) => said(resource(resourceUri, 'text/plain', 'Embedded resource content for testing.'),
      text('Please process the embedded resource above.')),
  },
  test_prompt_with_image: { does: () => said(image, text('Please analyze the image above.')) },
}

export const resources = {
  'test://static-text': { mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
  'test://static-binary': { mimeType: 'image/png', blob: PIXEL },
  'test://watched-resource': { mimeType: 'text/plain', text: 'This one is watched.' },
}

export const templates = {
  'test://template/{id}/data': {
    mimeType: 'application/json', read: ({ id }) => JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
  },
}
