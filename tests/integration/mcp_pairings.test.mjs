// Everything a server can offer, through the gate, in each pairing of eras: real clients of both SDKs, real servers of both SDKs.
// One test for each; the ways in which each can go wrong have files of their own.
// areas: mcp, connect, execute
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { CreateMessageRequestSchema, ElicitRequestSchema, LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { startGate, until } from './lib/gate.mjs'
import { startWhole } from './lib/servers.mjs'

const TOOLS = ['ask', 'echo', 'sleep', 'steps', 'tell']
const CAN = { elicitation: { form: {} }, sampling: {} }
const servers = {}
let gate, token

before(async () => {
  ;[servers.modern, servers.legacy] = await Promise.all([startWhole('modern'), startWhole('legacy')])
  gate = await startGate({
    servers: { modern: { url: servers.modern.url }, legacy: { url: servers.legacy.url } },
    session: { max_tool_calls: 1000, rate: '10000/minute' },
    scopes: [{ when: {}, add: ['modern', 'legacy'].flatMap((s) => [`prompts:get:server:${s}`, `resources:read:server:${s}`]) }],
  })
  const of = Object.fromEntries(gate.json(['status']).servers.map((s) => [s.name, s.protocol]))
  assert.deepEqual(of, { modern: '2026-07-28', legacy: '2025-11-25' })
  token = gate.token(await gate.agent({ allow: ['modern', 'legacy'].flatMap((s) => TOOLS.map((t) => `${s}/${t}`)) }))
})

after(async () => {
  await gate?.stop()
  await Promise.all(Object.values(servers).map((s) => s.stop()))
})

// A client of either SDK on the path of one server. What differs between the two stands here.
const clients = {
  async modern(path, capabilities) {
    const client = await gate.modernClient(token, path, { pin: '2026-07-28' }, capabilities)
    return { client, call: (name, args = {}, options) => client.callTool({ name, arguments: args }, options),
             on: (method, handler) => client.setRequestHandler(method, handler),
             // In this era the level is part of a request, and the SDK has no word for it.
             told: async () => {
               const { text } = await gate.call(token, 'tell', {}, { path, meta: { 'io.modelcontextprotocol/logLevel': 'error' } })
               return [...text.matchAll(/^data: (.*)$/gm)].map((m) => JSON.parse(m[1])).filter((m) => m.method === 'notifications/message').map((m) => m.params)
             } }
  },
  async legacy(path, capabilities) {
    const client = await gate.legacyClient(token, path, capabilities)
    const schemas = { 'elicitation/create': ElicitRequestSchema, 'sampling/createMessage': CreateMessageRequestSchema }
    return { client, call: (name, args = {}, options) => client.callTool({ name, arguments: args }, undefined, options),
             on: (method, handler) => client.setRequestHandler(schemas[method], handler),
             told: async () => {
               const lines = []
               client.setNotificationHandler(LoggingMessageNotificationSchema, (n) => { lines.push(n.params) })
               await client.setLoggingLevel('error')
               await client.callTool({ name: 'tell', arguments: {} })
               return lines
             } }
  },
}

const scenes = {
  async tools({ client, call }) {
    assert.ok(client.getServerCapabilities().tools)
    assert.deepEqual((await client.listTools()).tools.map((t) => t.name), TOOLS)
    assert.deepEqual((await call('echo', { text: 'héllo' })).content, [{ type: 'text', text: 'héllo' }])
  },
  async resources({ client }) {
    assert.ok(client.getServerCapabilities().resources)
    assert.deepEqual((await client.listResources()).resources.map((r) => [r.uri, r.mimeType]), [['whole://note', 'text/plain']])
    assert.deepEqual((await client.readResource({ uri: 'whole://note' })).contents.map((c) => [c.uri, c.text]), [['whole://note', 'a note']])
  },
  async prompts({ client }) {
    assert.ok(client.getServerCapabilities().prompts)
    assert.deepEqual((await client.listPrompts()).prompts.map((p) => [p.name, p.arguments[0].name]), [['visit', 'city']])
    const { messages } = await client.getPrompt({ name: 'visit', arguments: { city: 'Oslo' } })
    assert.deepEqual(messages, [{ role: 'user', content: { type: 'text', text: 'Let us go to Oslo' } }])
  },
  async completion({ client }) {
    assert.ok(client.getServerCapabilities().completions)
    const { completion } = await client.complete({ ref: { type: 'ref/prompt', name: 'visit' }, argument: { name: 'city', value: 'O' } })
    assert.deepEqual(completion.values, ['Oslo', 'Ottawa'])
  },
  async logging({ client, told }) {
    assert.ok(client.getServerCapabilities().logging)
    assert.deepEqual(await told(), [{ level: 'error', logger: 'whole', data: 'a line of level error' }])
  },
  async progress({ call }) {
    const steps = []
    const result = await call('steps', {}, { onprogress: (p) => steps.push([p.progress, p.total, p.message]) })
    assert.equal(result.content[0].text, 'arrived')
    assert.deepEqual(steps, [[1, 3, 'step 1'], [2, 3, 'step 2'], [3, 3, 'step 3']])
  },
  async cancellation({ call }, server) {
    const count = async (fits) => (await server.seen()).filter(fits).length
    const [calls, aborted] = [(s) => s.body?.params?.name === 'sleep', (s) => s === 'aborted']
    const [sent, before] = [await count(calls), await count(aborted)]
    const abort = new AbortController()
    const waiting = assert.rejects(call('sleep', {}, { signal: abort.signal }))
    await until('the call to arrive', async () => await count(calls) > sent)
    abort.abort('changed my mind')
    await waiting
    await until('the server to be told', async () => await count(aborted) === before + 1)
  },
  async elicitation({ call, on }) {
    const asked = []
    on('elicitation/create', async ({ params }) => (asked.push(params.message), { action: 'accept', content: { city: 'Oslo' } }))
    const { content } = await call('ask', { what: 'elicitation' })
    assert.deepEqual(JSON.parse(content[0].text), { action: 'accept', content: { city: 'Oslo' } })
    assert.deepEqual(asked, ['Which city?'])
  },
  async sampling({ call, on }) {
    const asked = []
    const says = { role: 'assistant', model: 'm', content: { type: 'text', text: 'Oslo' } }
    on('sampling/createMessage', async ({ params }) => (asked.push(params.messages[0].content.text), says))
    const { content } = await call('ask', { what: 'sampling' })
    assert.deepEqual(JSON.parse(content[0].text), says)
    assert.deepEqual(asked, ['A city, please'])
  },
}

for (const [of, connect] of Object.entries(clients))
  for (const to of ['modern', 'legacy'])
    for (const [what, scene] of Object.entries(scenes))
      test(`${what}: a ${of} client, a ${to} server`, async () => {
        const one = await connect(`/mcp/${to}`, CAN)
        await scene(one, servers[to])
        await one.client.close()
      })
