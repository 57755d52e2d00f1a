// The tools, prompts and resources that the scenarios of the official MCP suite expect, over stdio, by hand: no SDK stands between the suite and the
// gate. `node mcp_server.mjs [legacy]`; without the word it speaks 2026-07-28.
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { legacyTools, modernPrompt, modernTools } from './mcp_input.mjs'

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

let added = 0
const listening = new Map() // a modern client's subscriptions
function changed(list) {
  const method = `notifications/${list}/list_changed`
  if (legacy) send({ method })
  for (const [id, filter] of listening)
    if (filter[`${list}ListChanged`]) send({ method, params: { _meta: { 'io.modelcontextprotocol/subscriptionId': id } } })
}

const said = (content) => ({ role: 'user', content })
const prompts = {
  test_simple_prompt: { does: () => [said(text('This is a simple prompt for testing.'))] },
  test_prompt_with_arguments: {
    arguments: ['arg1', 'arg2'],
    does: ({ arg1, arg2 }) => [said(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))],
  },
  test_prompt_with_embedded_resource: {
    arguments: ['resourceUri'],
    does: ({ resourceUri }) => [said(resource(resourceUri, 'text/plain', 'Embedded resource content for testing.')),
                                said(text('Please process the embedded resource above.'))],
  },
  test_prompt_with_image: { does: () => [said(image), said(text('Please analyze the image above.'))] },
}

const resources = {
  'test://static-text': { mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
  'test://static-binary': { mimeType: 'image/png', blob: PIXEL },
  'test://watched-resource': { mimeType: 'text/plain', text: 'This one is watched.' },
}
function read(uri) {
  const [, id] = /^test:\/\/template\/([^/]+)\/data$/.exec(uri) ?? []
  const json = { mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }
  return id ? json : resources[uri]
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
  test_tool_with_logging: {
    does: async () => {
      for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        send({ method: 'notifications/message', params: { level: 'info', data } })
        await sleep(50)
      }
      return [text('logged')]
    },
  },
  test_trigger_tool_change: {
    does: () => {
      const name = `test_added_${++added}`
      tools[name] = { does: () => [text(name)] }
      changed('tools')
      return [text(name)]
    },
  },
  test_trigger_prompt_change: {
    does: () => {
      const name = `test_added_prompt_${++added}`
      prompts[name] = { does: () => [said(text(name))] }
      changed('prompts')
      return [text(name)]
    },
  },
  json_schema_2020_12_tool: { inputSchema: SCHEMA_2020_12, does: () => [text('ok')] },
  test_custom_headers: {
    inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } }, required: ['region'] },
    does: ({ region }) => [text(region)],
  },
}

Object.assign(tools, legacy ? legacyTools(ask) : modernTools)
if (!legacy) prompts.test_input_required_result_prompt = { wants: modernPrompt }

const listed = {
  tools: () => Object.entries(tools).map(([name, { inputSchema }]) => ({
    name, description: `The suite's ${name}`, inputSchema: inputSchema ?? { type: 'object', properties: {} } })),
  prompts: () => Object.entries(prompts).map(([name, { arguments: names }]) => ({
    name, description: `The suite's ${name}`, arguments: names?.map((n) => ({ name: n, required: true })) })),
  resources: () => Object.entries(resources).map(([uri, { mimeType }]) => ({ uri, name: uri.slice(7), description: `The suite's ${uri}`, mimeType })),
  resourceTemplates: () => [{ uriTemplate: 'test://template/{id}/data', name: 'template', description: 'The suite\'s template', mimeType: 'application/json' }],
}
const CAPABILITIES = { tools: { listChanged: true }, prompts: { listChanged: true }, resources: { subscribe: true }, completions: {}, logging: {} }

async function call(params) {
  if (tools[params.name].wants) return tools[params.name].wants(params)
  try {
    return { content: await tools[params.name].does(params.arguments ?? {}, params._meta?.progressToken) }
  } catch (e) {
    return { content: [text(e.message)], isError: true }
  }
}

const LATER = Symbol('no answer now')
const notFound = (uri) => ({ code: legacy ? -32002 : -32602, message: 'Resource not found', data: { uri } })

async function answer(id, method, params) {
  switch (method) {
    case 'server/discover': return legacy ? undefined : { supportedVersions: ['2026-07-28'], capabilities: CAPABILITIES }
    case 'initialize':
      return legacy && { protocolVersion: '2025-11-25', capabilities: CAPABILITIES, serverInfo: { name: 'suite', version: '1' } }
    case 'ping': return {}
    case 'logging/setLevel': case 'resources/subscribe': case 'resources/unsubscribe': return legacy && {}
    case 'subscriptions/listen':
      if (legacy) return
      listening.set(id, params.notifications)
      send({ method: 'notifications/subscriptions/acknowledged',
             params: { notifications: params.notifications, _meta: { 'io.modelcontextprotocol/subscriptionId': id } } })
      return LATER
    case 'tools/list': return { tools: listed.tools() }
    case 'prompts/list': return { prompts: listed.prompts() }
    case 'resources/list': return { resources: listed.resources() }
    case 'resources/templates/list': return { resourceTemplates: listed.resourceTemplates() }
    case 'prompts/get': return prompts[params.name]?.wants ? prompts[params.name].wants(params) : prompts[params.name] && { messages: prompts[params.name].does(params.arguments ?? {}) }
    case 'resources/read': return read(params.uri) ? { contents: [{ uri: params.uri, ...read(params.uri) }] } : { error: notFound(params.uri) }
    case 'completion/complete': return { completion: { values: ['paris', 'park', 'party'], total: 150, hasMore: false } }
    case 'tools/call': return await call(params)
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params, ...rest } = JSON.parse(line)
  if (!method) {
    waiting.get(id)?.(rest)
    waiting.delete(id)
  } else if (method === 'notifications/cancelled') {
    listening.delete(params?.requestId)
  } else if (id !== undefined) {
    answer(id, method, params ?? {}).then((result) => {
      if (result === LATER) return
      if (result?.error) send({ id, error: result.error })
      else if (result) send({ id, result: legacy ? result : { resultType: 'complete', ...result } })
      else send({ id, error: { code: -32601, message: `Method not found: ${method}` } })
    })
  }
}
