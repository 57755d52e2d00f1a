// A client gives a call up: the server hears of it, and the record says that nobody knows what became of the call.
// areas: execute, connect
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startGate, until } from './lib/gate.mjs'
import { json, rude, startRaw, startServer } from './lib/servers.mjs'

let gate, token, modern, legacy, shy
const held = [] // answers of the shy server to `initialize`, which it gives when it is told to

before(async () => {
  ;[modern, legacy] = await Promise.all([startServer('modern_server.mjs'), startServer('legacy_server.mjs')])
  let probed = 0
  shy = await startRaw((m, req, res) => {
    if (req.method === 'DELETE' || m.id === undefined) return res.writeHead(202).end()
    if (m.method === 'server/discover') return json(res, { id: m.id, error: { code: -32601, message: 'no' } })
    if (m.method === 'tools/list') return json(res, { id: m.id, result: { tools: [{ name: 't', inputSchema: { type: 'object' } }] } })
    if (m.method === 'tools/call') return json(res, { id: m.id, result: { content: [] } })
    const opened = () => json(res, { id: m.id, result: { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 's', version: '1' } } },
      200, { 'mcp-session-id': `s-${probed}` })
    probed++ ? held.push(opened) : opened()
  })
  gate = await startGate({ workers: 3, servers: { modern: { url: modern.url }, legacy: { url: legacy.url }, process: rude('hang'), shy: { url: shy.url } } })
  token = gate.token(await gate.agent({ allow: ['modern/slow', 'legacy/slow', 'legacy/echo', 'process/call', 'shy/t'] }))
  await gate.call(token, 'legacy__echo', { text: 'awake' })
})

after(async () => {
  await gate?.stop()
  await modern?.stop()
  await legacy?.stop()
  await shy?.stop()
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

test('a call in work outlasts the end of its session, and so does the protocol session at its server', async () => {
  const theirs = async () => Number(await (await fetch(`http://127.0.0.1:${legacy.port}/sessions`)).text())
  const [n, resting] = [await calls(legacy), await theirs()]
  const opened = gate.open(await gate.agent({ allow: ['legacy/slow'] }))
  const call = gate.call(opened.access_token, 'legacy__slow', { steps: 10, ms: 50 })
  await arrived(legacy, n + 1)
  gate.cli(['session', 'end', '-c', gate.file, opened.sessionId])
  assert.equal(await theirs(), resting + 1)
  assert.equal((await call).json.result?.content[0].text, 'done')
  await until('the protocol session to be given back', async () => await theirs() === resting)
})

test('a call that is given up before its server has opened a session never reaches a tool', async () => {
  const abort = new AbortController()
  const calls = () => shy.seen.filter((s) => s.message?.method === 'tools/call')
  const lost = gate.call(token, 'shy__t', {}, { signal: abort.signal }).catch((e) => e)
  await until('the session to be asked for', () => held.length === 1)
  const kept = gate.call(token, 'shy__t', {}, { id: 2 })
  abort.abort()
  assert.equal((await lost).name, 'AbortError')
  await until('the outcome', () => gate.audit().findLast((e) => e.event === 'TOOL_RESULT' && e.toolName === 'shy/t' && e.code === 'cancelled'))
  held[0]()
  assert.equal((await kept).status, 200) // the other call that waited for the same session
  assert.equal(calls().length, 1)
  assert.equal(calls()[0].headers['mcp-protocol-version'], '2025-06-18')
})

test('a call to a process is cancelled with a notification', async () => {
  const abort = new AbortController()
  const call = gate.call(token, 'process__call', {}, { signal: abort.signal }).catch((e) => e)
  await until('the call to reach the process', () => /server_stderr.*"called"/.test(gate.log))
  abort.abort()
  await call
  await until('the process to be told', () => /server_stderr.*cancelled [0-9a-f]{16}/.test(gate.log))
  const entry = await until('the outcome', () => gate.audit().findLast((e) => e.event === 'TOOL_RESULT' && e.toolName === 'process/call'))
  assert.deepEqual([entry.code, entry.result], ['cancelled', 'unknown'])
})
