// What a server sends that breaks its own outputSchema is withheld, with the reason; what keeps to it, or promised nothing, passes.
// areas: result, gate, connect, schema
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startGate } from './lib/gate.mjs'
import { json, modernBasics, MODERN_STDIO, startRaw, startServer } from './lib/servers.mjs'

const object = (properties) => ({ type: 'object', properties, required: Object.keys(properties) })
const BALANCE = object({ balance: { type: 'number' } })
const results = {
  broken: { content: [{ type: 'text', text: 'secret' }], structuredContent: { balance: 'secret' } },
  missing: { content: [{ type: 'text', text: '{"balance":1}' }] },
  lacking: { content: [], structuredContent: {} },
  kept: { content: [], structuredContent: { balance: 1.5 } },
  failed: { content: [{ type: 'text', text: 'no such account' }], isError: true },
  unusable: { content: [], structuredContent: { balance: 'anything' } },
  free: { content: [], structuredContent: { balance: 'anything' } },
}
const schemas = { unusable: { type: 'object', $ref: 'https://example.com/balance.json' }, free: undefined }

let gate, raw, old, legacy, token

before(async () => {
  raw = await startRaw((m, req, res) => {
    if (m.method === 'tools/call')
      return json(res, { id: m.id, result: { resultType: 'complete', ...results[m.params.name] } })
    const basics = modernBasics(Object.keys(results), m)
    for (const tool of basics.result?.tools ?? []) tool.outputSchema = tool.name in schemas ? schemas[tool.name] : BALANCE
    return json(res, basics)
  })
  old = await startRaw((m, req, res) => {
    if (req.method !== 'POST') return res.writeHead(405).end()
    if (m.id === undefined) return res.writeHead(202).end()
    if (m.method === 'initialize')
      return json(res, { id: m.id, result: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'old', version: '1' } } })
    if (m.method === 'tools/list')
      return json(res, { id: m.id, result: { tools: ['broken', 'kept'].map((name) => ({ name, inputSchema: { type: 'object' }, outputSchema: BALANCE })) } })
    if (m.method !== 'tools/call') return json(res, { id: m.id, error: { code: -32601, message: 'Method not found' } })
    res.writeHead(200, { 'content-type': 'text/event-stream' })
      .end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: m.id, result: results[m.params.name] })}\n\n`)
  })
  legacy = await startServer('legacy_server.mjs')
  gate = await startGate({ servers: { raw: { url: raw.url }, old: { url: old.url }, legacy: { url: legacy.url }, stdio: MODERN_STDIO } })
  token = gate.token(await gate.agent({
    allow: [...Object.keys(results).map((name) => `raw/${name}`), 'old/broken', 'old/kept', 'legacy/structured', 'stdio/structured'] }))
})

after(async () => {
  await gate?.stop()
  await raw?.stop()
  await old?.stop()
  await legacy?.stop()
})

for (const [name, words] of [['broken', /\/balance: must be a number$/], ['missing', /no structuredContent/], ['lacking', /balance/]]) {
  test(`${name}: the client learns why, not what; the record says that the call failed and what came back`, async () => {
    const { status, json, text } = await gate.call(token, `raw__${name}`, {})
    assert.equal(status, 502)
    assert.equal(json.error.data.code, 'result_mismatch')
    assert.match(json.error.message, words)
    assert.match(json.error.message, new RegExp(`raw/${name}`))
    assert.doesNotMatch(text, /secret/)
    const outcome = await gate.recorded('the outcome', (e) => e.event === 'TOOL_RESULT' && e.toolName === `raw/${name}`)
    assert.deepEqual([outcome.result, outcome.code], ['failure', 'result_mismatch'])
    assert.match(outcome.resultDigest, /^[0-9a-f]{64}$/)
    assert.doesNotMatch(JSON.stringify(outcome), /secret/)
  })
}

test('it is refused whatever client and server speak, as one answer or on a stream; and the server goes on', async () => {
  for (const client of [await gate.modernClient(token), await gate.legacyClient(token)]) {
    for (const server of ['raw', 'old']) {
      await assert.rejects(client.callTool({ name: `${server}__broken`, arguments: {} }),
        (e) => /balance: must be a number/.test(e.message) && !/secret/.test(JSON.stringify(e)))
      assert.deepEqual((await client.callTool({ name: `${server}__kept`, arguments: {} })).structuredContent, { balance: 1.5 })
    }
    await client.close()
  }
})

test('a result that fits, and an error of the tool, pass as they are', async () => {
  assert.deepEqual((await gate.call(token, 'raw__kept', {})).json.result.structuredContent, { balance: 1.5 })
  const { result } = (await gate.call(token, 'raw__failed', {})).json
  assert.deepEqual([result.isError, result.content[0].text], [true, 'no such account'])
})

test('an outputSchema that cannot be used is not shown, so that real clients can list and call the tool', async () => {
  for (const client of [await gate.modernClient(token), await gate.legacyClient(token)]) {
    const tools = Object.fromEntries((await client.listTools()).tools.map((t) => [t.name, t]))
    assert.equal(tools.raw__unusable.outputSchema, undefined)
    assert.deepEqual(tools.raw__kept.outputSchema, BALANCE)
    assert.deepEqual((await client.callTool({ name: 'raw__unusable', arguments: {} })).structuredContent, { balance: 'anything' })
    assert.deepEqual((await client.callTool({ name: 'raw__free', arguments: {} })).structuredContent, { balance: 'anything' })
    await client.close()
  }
  assert.match(gate.log, /"event":"tool_output_unusable".*"tool":"raw\/unusable".*example\.com/)
})

test('structured results of real servers pass, over HTTP and stdio', async () => {
  for (const name of ['legacy__structured', 'stdio__structured'])
    assert.deepEqual((await gate.call(token, name, { n: 21 })).json.result.structuredContent, { doubled: 42 }, name)
})
