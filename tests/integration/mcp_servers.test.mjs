// The servers of the field behind the gate: their tools, called by a modern client; what they answer arrives whole.
// areas: execute, connect
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { npmServer, startGate, until } from './lib/gate.mjs'
import { startEverything } from './lib/servers.mjs'

let gate, client, everything
const dir = mkdtempSync(join(tmpdir(), 'doorward-files-'))
const files = join(dir, 'files')
const memory = join(dir, 'memory')
const call = (name, args = {}) => client.callTool({ name, arguments: args })

before(async () => {
  mkdirSync(files)
  mkdirSync(memory)
  writeFileSync(join(files, 'hello.txt'), 'hello, door\n')
  everything = await startEverything()
  gate = await startGate({
    servers: {
      everything: npmServer('server-everything', 'stdio'),
      'everything-http': { url: everything.url },
      files: { ...npmServer('server-filesystem', files), write: [files] },
      memory: { ...npmServer('server-memory'), env: { MEMORY_FILE_PATH: join(memory, 'memory.json') }, write: [memory] },
    },
    session: { max_tool_calls: 1000, rate: '10000/minute' },
  })
  const tools = gate.json(['tools', 'list']).tools.map((t) => t.id)
  client = await gate.modernClient(gate.token(await gate.agent({ allow: tools })))
})

after(async () => {
  await client?.close()
  await gate?.stop()
  await everything?.stop()
  rmSync(dir, { recursive: true, force: true })
})

test('every server is up, with the revision that it speaks, and its tools are listed', async () => {
  const { tools } = await client.listTools()
  for (const name of ['everything__echo', 'everything-http__echo', 'files__read_text_file', 'memory__create_entities'])
    assert.ok(tools.find((t) => t.name === name)?.inputSchema, name)
  const { servers } = gate.json(['status'])
  assert.deepEqual(servers.map((s) => s.name), ['everything', 'everything-http', 'files', 'memory'])
  for (const s of servers) assert.match(s.protocol, /^20\d\d-\d\d-\d\d$/)
})

for (const server of ['everything', 'everything-http']) {
  test(`${server}: text, sums and structured content`, async () => {
    assert.equal((await call(`${server}__echo`, { message: 'hi' })).content[0].text, 'Echo: hi')
    assert.match((await call(`${server}__get-sum`, { a: 2, b: 40 })).content[0].text, /42/)
    const weather = await call(`${server}__get-structured-content`, { location: 'Chicago' })
    assert.equal(typeof weather.structuredContent.temperature, 'number')
    assert.deepEqual(JSON.parse(weather.content[0].text), weather.structuredContent)
  })

  test(`${server}: images, links and embedded resources`, async () => {
    const image = (await call(`${server}__get-tiny-image`)).content.find((c) => c.type === 'image')
    assert.equal(image.mimeType, 'image/png')
    assert.deepEqual(Buffer.from(image.data, 'base64').subarray(1, 4), Buffer.from('PNG'))
    const links = (await call(`${server}__get-resource-links`, { count: 3 })).content.filter((c) => c.type === 'resource_link')
    assert.equal(links.length, 3)
    const blob = (await call(`${server}__get-resource-reference`, { resourceType: 'Text', resourceId: 1 })).content
    assert.ok(blob.find((c) => c.type === 'resource')?.resource.uri)
    const marked = await call(`${server}__get-annotated-message`, { messageType: 'error', includeImage: false })
    assert.equal(marked.content[0].annotations.priority, 1)
  })
}

test('everything over stdio: its environment is the configuration\'s, a PATH, and a folder of its own', async () => {
  const env = JSON.parse((await call('everything__get-env')).content[0].text)
  assert.deepEqual(Object.keys(env), ['PATH', 'TMPDIR', 'HOME'])
})

test('filesystem: reads, writes, and stays within its folder', async () => {
  assert.match((await call('files__read_text_file', { path: join(files, 'hello.txt') })).content[0].text, /hello, door/)
  await call('files__write_file', { path: join(files, 'new.txt'), content: 'written through the door' })
  assert.equal(readFileSync(join(files, 'new.txt'), 'utf8'), 'written through the door')
  const outside = await call('files__read_text_file', { path: '/etc/hostname' })
  assert.equal(outside.isError, true)
})

test('memory: what one call stores, the next one finds', async () => {
  await call('memory__create_entities', { entities: [{ name: 'door', entityType: 'thing', observations: ['is shut'] }] })
  const graph = await call('memory__read_graph')
  assert.equal(graph.structuredContent.entities[0].name, 'door')
})

test('every call is on record with its outcome', async () => {
  await until('the last outcome', () => {
    const events = gate.audit().map((e) => e.event)
    const [intents, outcomes] = ['TOOL_CALL', 'TOOL_RESULT'].map((name) => events.filter((e) => e === name).length)
    return intents > 10 && intents === outcomes
  })
})
