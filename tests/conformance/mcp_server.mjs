// The tools that the scenarios of the official MCP suite expect, over stdio, by hand: no SDK stands between the suite and the
// gate. `node mcp_server.mjs [legacy]`; without the word it speaks 2026-07-28.
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

const legacy = process.argv[2] === 'legacy'
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

const text = (words) => ({ type: 'text', text: words })
const image = { type: 'image', data: PIXEL, mimeType: 'image/png' }
const resource = (uri, mimeType, words) => ({ type: 'resource', resource: { uri, mimeType, text: words } })

const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\n')

let asked = 0
const waiting = new Map()
// A server that asks its client something, whether or not the client said that it can answer.
function ask(method, params) {
  const id = `ask-${++asked}`
  send({ id, method, params })
  return new Promise((done) => waiting.set(id, done))
}

const tools = {
  test_simple_text: { does: () => [text('This is a simple text response for testing.')] },
  test_image_content: { does: () => [image] },
  test_audio_content: { does: () => [{ type: 'audio', data: SILENCE, mimeType: 'audio/wav' }] },
  test_embedded_resource: {
    does: () => [resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  },
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
    does: async (_, progressToken) => {
      for (const progress of [0, 50, 100]) {
        if (progressToken !== undefined) send({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } })
        await sleep(50)
      }
      return [text('progress was reported')]
    },
  },
  // Both try what a gate must not let through: a question to the agent, and log lines that nobody asked for.
  test_streaming_elicitation: {
    does: async () => {
      const answer = await ask('elicitation/create', { message: 'Your name?', requestedSchema: { type: 'object', properties: {} } })
      return [text(answer.error ? 'nobody answered' : 'somebody answered')]
    },
  },
  test_logging_tool: {
    does: async () => {
      send({ method: 'notifications/message', params: { level: 'info', data: 'a line that nobody asked for' } })
      return [text('logged')]
    },
  },
  json_schema_2020_12_tool: { inputSchema: SCHEMA_2020_12, does: () => [text('ok')] },
  test_custom_headers: {
    inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } }, required: ['region'] },
    does: ({ region }) => [text(region)],
  },
}

const listed = Object.entries(tools).map(([name, { inputSchema }]) => ({
  name, description: `The suite's ${name}`, inputSchema: inputSchema ?? { type: 'object', properties: {} } }))

async function call(params) {
  try {
    return { content: await tools[params.name].does(params.arguments ?? {}, params._meta?.progressToken) }
  } catch (e) {
    return { content: [text(e.message)], isError: true }
  }
}

async function answer(method, params) {
  switch (method) {
    case 'server/discover': return legacy ? undefined : { supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }
    case 'initialize':
      return legacy && { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'suite', version: '1' } }
    case 'ping': return {}
    case 'tools/list': return { tools: listed }
    case 'tools/call': return await call(params)
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params, ...rest } = JSON.parse(line)
  if (!method) {
    waiting.get(id)?.(rest)
    waiting.delete(id)
  } else if (id !== undefined) {
    answer(method, params ?? {}).then((result) =>
      send(result ? { id, result: legacy ? result : { resultType: 'complete', ...result } }
                  : { id, error: { code: -32601, message: `Method not found: ${method}` } }))
  }
}
