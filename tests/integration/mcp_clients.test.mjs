// Every client of the field with every kind of server: what an agent sees does not depend on what the server speaks.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { DESK, startGate, TOP } from './lib/gate.mjs'
import { startServer } from './lib/servers.mjs'

let gate, agent, token
const servers = []
const TOOLS = ['echo', 'fails', 'slow', 'structured']

before(async () => {
  const started = await Promise.all([
    startServer('modern_server.mjs'), startServer('modern_server.mjs', { mode: ['--sse'] }),
    startServer('legacy_server.mjs'), startServer('legacy_server.mjs', { mode: ['--json'] })])
  servers.push(...started)
  const [modern, sse, legacy, plain] = started.map((s) => ({ url: s.url }))
  gate = await startGate({ workers: 3, servers: { desk: DESK, modern, sse, legacy, json: plain }, session: { max_tool_calls: 1000, rate: '10000/minute' } })
  const fixtures = ['modern', 'sse', 'legacy', 'json'].flatMap((s) => TOOLS.map((t) => `${s}/${t}`))
  agent = await gate.agent({ allow: ['desk/lookup_order', 'desk/search_faq', ...fixtures] })
  token = gate.token(agent)
})

after(async () => {
  await gate?.stop()
  await Promise.all(servers.map((s) => s.stop()))
})

const clients = {
  '@modelcontextprotocol/client, 2026-07-28': (path) => gate.modernClient(token, path),
  '@modelcontextprotocol/client, negotiating': (path) => gate.modernClient(token, path, 'auto'),
  '@modelcontextprotocol/client, legacy mode': (path) => gate.modernClient(token, path, 'legacy'),
  '@modelcontextprotocol/sdk 1.x': (path) => gate.legacyClient(token, path),
}

for (const [name, connect] of Object.entries(clients)) {
  test(`${name}: lists and calls tools of all servers on /mcp`, async () => {
    const client = await connect('/mcp')
    const { tools } = await client.listTools()
    const names = tools.map((t) => t.name)
    assert.deepEqual(names, [...names].sort())
    assert.equal(names.length, 2 + 4 * TOOLS.length)
    assert.ok(names.includes('desk__lookup_order') && !names.includes('desk__issue_refund'))
    for (const server of ['modern', 'sse', 'legacy', 'json']) {
      const echo = await client.callTool({ name: `${server}__echo`, arguments: { text: `héllo "${server}"` } })
      assert.deepEqual(echo.content, [{ type: 'text', text: `héllo "${server}"` }])
      const structured = await client.callTool({ name: `${server}__structured`, arguments: { n: 21 } })
      assert.deepEqual(structured.structuredContent, { doubled: 42 })
      const fails = await client.callTool({ name: `${server}__fails`, arguments: {} })
      assert.equal(fails.isError, true)
      assert.equal(fails.content[0].text, 'it did not work')
    }
    const order = await client.callTool({ name: 'desk__lookup_order', arguments: { orderId: 'ORD-A1B2C3D4' } })
    assert.equal(order.structuredContent.status, 'shipped')
    assert.equal(order.structuredContent.total, 129.9)
    await client.close()
  })

  test(`${name}: sees one server alone, without prefixes, on /mcp/{server}`, async () => {
    const client = await connect('/mcp/legacy')
    const { tools } = await client.listTools()
    assert.deepEqual(tools.map((t) => t.name), TOOLS)
    assert.equal(tools.find((t) => t.name === 'structured').outputSchema.type, 'object')
    const echo = await client.callTool({ name: 'echo', arguments: { text: 'hi' } })
    assert.equal(echo.content[0].text, 'hi')
    await client.close()
  })

  test(`${name}: learns from a result why arguments were refused`, async () => {
    const client = await connect('/mcp')
    const result = await client.callTool({ name: 'desk__lookup_order', arguments: { orderId: '1 OR 1=1' } })
    assert.equal(result.isError, true)
    assert.match(result.content[0].text, /schema_mismatch.*orderId/s)
    await client.close()
  })

  test(`${name}: is refused a tool that is not on its list`, async () => {
    const client = await connect('/mcp')
    await assert.rejects(client.callTool({ name: 'desk__issue_refund', arguments: { orderId: 'ORD-A1B2C3D4', amount: 1 } }))
    await client.close()
  })
}

test('revisions are agreed on with each client', async () => {
  const modern = await clients['@modelcontextprotocol/client, negotiating']('/mcp')
  const legacy = await clients['@modelcontextprotocol/sdk 1.x']('/mcp')
  assert.equal(modern.getNegotiatedProtocolVersion(), '2026-07-28')
  assert.equal(modern.getServerVersion()?.name, 'doorward')
  assert.equal(legacy.getServerVersion().name, 'doorward')
  assert.equal(legacy.transport.protocolVersion, '2025-11-25')
  assert.ok(legacy.transport.sessionId)
  await legacy.transport.terminateSession() // 405: nothing is kept for it
  await modern.close()
  await legacy.close()
})

// Its home is the test's, so that it finds and leaves nothing of its own.
const inspector = async (...args) => {
  const bin = join(TOP, 'tests/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js')
  const { stdout } = await promisify(execFile)(process.execPath, [bin, '--cli', `${gate.url}/mcp`, '--transport', 'http', '--header',
    `Authorization: Bearer ${token}`, ...args], { env: { ...process.env, HOME: gate.dir } })
  return JSON.parse(stdout)
}

test("Inspector's command line lists and calls what its agent may use, and nothing else", async () => {
  const { tools } = await inspector('--method', 'tools/list')
  assert.equal(tools.length, 2 + 4 * TOOLS.length)
  for (const server of ['modern', 'legacy']) {
    const answer = await inspector('--method', 'tools/call', '--tool-name', `${server}__structured`, '--tool-arg', 'n=21')
    assert.deepEqual(answer.structuredContent, { doubled: 42 })
  }
  await assert.rejects(inspector('--method', 'tools/call', '--tool-name', 'desk__issue_refund'), /desk__issue_refund/)
})
