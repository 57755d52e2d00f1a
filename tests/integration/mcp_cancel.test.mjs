// A client gives a call up: the server hears of it, and the record says that nobody knows what became of the call.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startGate, until } from './lib/gate.mjs'
import { startServer } from './lib/servers.mjs'

let gate, token, modern, legacy

before(async () => {
  ;[modern, legacy] = await Promise.all([startServer('modern_server.mjs'), startServer('legacy_server.mjs')])
  gate = await startGate({ servers: { modern: { url: modern.url }, legacy: { url: legacy.url } } })
  token = gate.token(await gate.agent({ allow: ['modern/slow', 'legacy/slow', 'legacy/echo'] }))
  await gate.call(token, 'legacy__echo', { text: 'awake' })
})

after(async () => {
  await gate?.stop()
  await modern?.stop()
  await legacy?.stop()
})

// A slow call with its server's, and the moment when it has arrived there.
async function arrived(server, count) {
  await until('the call to reach the server', async () =>
    (await server.seen()).filter((s) => s.body?.method === 'tools/call' && s.body.params.name === 'slow').length === count)
}
const calls = async (server) => (await server.seen()).filter((s) => s.body?.params?.name === 'slow').length
const aborted = async (server) => (await server.seen()).filter((s) => s === 'aborted').length
const outcomes = () => gate.audit().filter((e) => e.event === 'TOOL_RESULT' && e.toolName?.endsWith('/slow'))

for (const [name, server] of [['modern', () => modern], ['legacy', () => legacy]]) {
  test(`a modern client that closes its stream cancels the call to a ${name} server`, async () => {
    const before = outcomes().length
    const n = await calls(server())
    const abort = new AbortController()
    const call = gate.call(token, `${name}__slow`, { steps: 100, ms: 50 }, { signal: abort.signal }).catch((e) => e)
    await arrived(server(), n + 1)
    abort.abort()
    assert.equal((await call).name, 'AbortError')
    await until('the server to be told', async () => await aborted(server()) > 0)
    const entry = await until('the outcome', () => outcomes()[before])
    assert.equal(entry.result, 'unknown')
    assert.equal(entry.code, 'cancelled')
  })
}

test('the modern SDK\'s own cancellation does the same', async () => {
  const client = await gate.modernClient(token)
  const [n, before] = [await calls(modern), await aborted(modern)]
  const abort = new AbortController()
  const call = client.callTool({ name: 'modern__slow', arguments: { steps: 100, ms: 50 } }, { signal: abort.signal })
  await arrived(modern, n + 1)
  abort.abort('changed my mind')
  await assert.rejects(call)
  await until('the server to be told', async () => await aborted(modern) === before + 1)
  await client.close()
})

test('a legacy client cancels with a notification', async () => {
  const client = await gate.legacyClient(token)
  const [n, before, entries] = [await calls(legacy), await aborted(legacy), outcomes().length]
  const abort = new AbortController()
  const call = client.callTool({ name: 'legacy__slow', arguments: { steps: 100, ms: 50 } }, undefined, { signal: abort.signal })
  await arrived(legacy, n + 1)
  abort.abort('changed my mind')
  await assert.rejects(call)
  await until('the server to be told', async () => await aborted(legacy) === before + 1)
  assert.equal((await until('the outcome', () => outcomes()[entries])).code, 'cancelled')
  await client.close()
})

test('a notification of another session of the same agent cancels nothing', async () => {
  const [n, before, entries] = [await calls(legacy), await aborted(legacy), outcomes().length]
  const one = await gate.legacyClient(token)
  const other = await gate.legacyClient(token)
  const call = one.callTool({ name: 'legacy__slow', arguments: { steps: 6, ms: 50 } })
  await arrived(legacy, n + 1)
  for (let id = 0; id < 10; id++) await other.notification({ method: 'notifications/cancelled', params: { requestId: id } })
  assert.equal((await call).content[0].text, 'done')
  assert.equal(await aborted(legacy), before)
  assert.equal(outcomes()[entries].result, 'success')
  await one.close()
  await other.close()
})

test('a legacy client that only loses its connection cancels nothing: the call ends as it would have', async () => {
  const [n, before, entries] = [await calls(legacy), await aborted(legacy), outcomes().length]
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'legacy__slow', arguments: { steps: 4, ms: 50 } } }
  const abort = new AbortController()
  const call = fetch(`${gate.url}/mcp`, { method: 'POST', headers: gate.headers(token), body: JSON.stringify(body), signal: abort.signal }).catch((e) => e)
  await arrived(legacy, n + 1)
  abort.abort()
  await call
  const entry = await until('the outcome', () => outcomes()[entries])
  assert.equal(entry.result, 'success')
  await sleep(50)
  assert.equal(await aborted(legacy), before)
})
