// What clients and servers of the 2025-11-25 revision tell each other beside calls and answers: that a URL has to be opened,
// that what happened there is over, that a client's roots are others now; and what a modern client is given in its place.
// areas: connect, mcp
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ElicitationCompleteNotificationSchema, ElicitRequestSchema, ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { startGate, until } from './lib/gate.mjs'
import { asking, startAsking } from './lib/servers.mjs'

const SERVERS = ['http', 'stdio']
const CAN = { elicitation: { form: {}, url: {} }, roots: { listChanged: true } }
const URLS = { meta: { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { url: {} } } } }
let gate, token, server

before(async () => {
  server = await startAsking('legacy')
  gate = await startGate({
    workers: 3,
    servers: { http: { url: server.url }, stdio: asking('legacy') },
    session: { max_tool_calls: 1000, rate: '10000/minute' },
  })
  const agent = await gate.agent({ allow: SERVERS.flatMap((s) => ['ask', 'can', 'login', 'finish', 'roots'].map((t) => `${s}/${t}`)), more: ['--max-sessions', '50'] })
  token = gate.token(agent)
})
after(async () => {
  await gate?.stop()
  await server?.stop()
})

async function legacy(capabilities = CAN) {
  const before = streams
  const client = await gate.legacyClient(token, '/mcp', capabilities)
  Object.assign(client, { completed: [], roots: [] })
  client.setNotificationHandler(ElicitationCompleteNotificationSchema, ({ params }) => void client.completed.push(params.elicitationId))
  if (capabilities.elicitation) client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'accept' }))
  if (capabilities.roots) client.setRequestHandler(ListRootsRequestSchema, async () => ({ roots: client.roots }))
  client.run = async (name, args = {}) => (await client.callTool({ name, arguments: args })).content[0].text
  await until('its stream', () => streams > before)
  return client
}

// The SDK opens its stream behind our back.
let streams = 0
const { fetch } = globalThis
globalThis.fetch = async (url, init) => {
  const answer = await fetch(url, init)
  streams += init?.method === 'GET' && answer.ok
  return answer
}
const refusal = (client, name, args) => client.callTool({ name, arguments: args }).then(() => assert.fail('it was answered'), (e) => e)

for (const s of SERVERS) {
  test(`${s}: a call that needs a URL to be opened first says so to a legacy client, whole, and its end is told`, async () => {
    const client = await legacy()
    const { code, data } = await refusal(client, `${s}__login`, { id: `${s}-login` })
    assert.equal(code, -32042)
    assert.deepEqual(data, { elicitations: [{ mode: 'url', elicitationId: `${s}-login`, message: 'Please log in', url: 'https://example.com/login' }] })
    await client.run(`${s}__finish`, { id: `${s}-login` })
    await until('the end', () => client.completed.includes(`${s}-login`))
    assert.equal(await client.run(`${s}__login`, { id: `${s}-login` }), 'logged in')
    await client.close()
  })

  test(`${s}: the end of a URL that was asked for in the middle of a call is told to the client that was asked, once, and to no other`, async () => {
    const client = await legacy(), other = await legacy()
    assert.deepEqual(JSON.parse(await client.run(`${s}__ask`, { what: ['url'] })).url, { action: 'accept' })
    await other.run(`${s}__finish`, { id: 'login-1' })
    await until('the end', () => client.completed.length)
    await client.run(`${s}__finish`, { id: 'login-1' })
    await client.run(`${s}__finish`, { id: 'of-nobody' })
    await refusal(client, `${s}__login`, { id: 'the-last' })
    await client.run(`${s}__finish`, { id: 'the-last' })
    await until('the last one', () => client.completed.includes('the-last'))
    assert.deepEqual(client.completed, ['login-1', 'the-last'])
    assert.deepEqual(other.completed, [])
    await Promise.all([client.close(), other.close()])
  })

  test(`${s}: a client that opens no URLs gets the words, and not the code`, async () => {
    const client = await legacy({})
    const { code, message } = await refusal(client, `${s}__login`, { id: 'x' })
    assert.equal(code, -32603)
    assert.match(message, /Log in first/)
    await client.close()
  })

  test(`${s}: a modern client is asked for the URL as its revision does it, and its call is made again`, async () => {
    const id = `${s}-modern`
    const first = (await gate.call(token, `${s}__login`, { id }, URLS)).json.result
    assert.equal(first.resultType, 'input_required')
    assert.deepEqual(first.inputRequests, { 'input-1': { method: 'elicitation/create', params: { mode: 'url', message: 'Please log in', url: 'https://example.com/login' } } })
    await gate.recorded('what was asked', (e) => e.event === 'INPUT_ASKED' && e.toolName === `${s}/login`)
    const again = (state) => gate.modern(token, 'tools/call',
      { name: `${s}__login`, arguments: { id }, requestState: state, inputResponses: { 'input-1': { action: 'accept' } } }, URLS)
    const early = (await again(first.requestState)).json.result
    assert.equal(early.resultType, 'input_required') // the person is not done yet
    await gate.call(token, `${s}__finish`, { id }, URLS)
    assert.equal((await again(early.requestState)).json.result.content[0].text, 'logged in')
    const without = (await gate.call(token, `${s}__login`, { id: 'x' })).json
    assert.equal(without.error.code, -32603)
  })

  test(`${s}: a server that was told of a client's roots asks for them anew once they have changed`, async () => {
    const client = await legacy()
    assert.deepEqual(JSON.parse(await client.run(`${s}__can`)), CAN)
    for (const uri of ['file:///one', 'file:///two']) {
      client.roots = [{ uri }]
      await client.sendRootsListChanged()
      assert.deepEqual(JSON.parse(await client.run(`${s}__roots`)), [{ uri }])
    }
    await client.close()
  })

  test(`${s}: a change of roots in the middle of a call is told at once`, async () => {
    const client = await legacy()
    await client.run(`${s}__can`)
    client.roots = [{ uri: 'file:///now' }]
    const roots = client.run(`${s}__roots`) // waits for it
    await sleep(100)
    await client.sendRootsListChanged()
    assert.deepEqual(JSON.parse(await roots), client.roots)
    await client.close()
  })
}

test('a client that did not say that its roots may change is not listened to', async () => {
  const client = await legacy({ roots: {} })
  const { transport } = client
  await transport.send({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' })
  assert.match(await client.run('http__roots'), /never told/)
  await client.close()
})
