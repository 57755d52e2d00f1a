// Progress on its way from every kind of server to every kind of client; and what it does to the time limit.
// areas: execute, connect
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startGate } from './lib/gate.mjs'
import { MODERN_STDIO, startServer } from './lib/servers.mjs'

let gate, token
const servers = []
const SERVERS = ['modern', 'legacy', 'stdio']

before(async () => {
  servers.push(...await Promise.all([startServer('modern_server.mjs'), startServer('legacy_server.mjs')]))
  gate = await startGate({
    workers: 3,
    servers: { modern: { url: servers[0].url, timeout: '1s' }, legacy: { url: servers[1].url, timeout: '1s' },
               stdio: { ...MODERN_STDIO, timeout: '1s' } },
    session: { max_tool_calls: 1000 },
  })
  token = gate.token(await gate.agent({ allow: SERVERS.flatMap((s) => [`${s}/slow`, `${s}/echo`]) }))
  for (const s of SERVERS) await gate.call(token, `${s}__echo`, { text: 'awake' }) // starts its process or session
})

after(async () => {
  await gate?.stop()
  await Promise.all(servers.map((s) => s.stop()))
})

for (const [name, connect] of Object.entries({ modern: () => gate.modernClient(token), legacy: () => gate.legacyClient(token) })) {
  for (const server of SERVERS) {
    test(`a ${name} client hears each step of a call to ${server}`, async () => {
      const client = await connect()
      const steps = []
      const result = await client.callTool({ name: `${server}__slow`, arguments: { steps: 3, ms: 30 } },
        ...(name === 'modern' ? [] : [undefined]), { onprogress: (p) => steps.push(p) })
      assert.equal(result.content[0].text, 'done')
      assert.deepEqual(steps.map((s) => [s.progress, s.total, s.message]), [[1, 3, 'step 1'], [2, 3, 'step 2'], [3, 3, 'step 3']])
      await client.close()
    })
  }
}

test('progress prolongs the time of a call; silence does not', async () => {
  await Promise.all(SERVERS.map(async (server) => {
    const told = await gate.call(token, `${server}__slow`, { steps: 4, ms: 400 }, { meta: { progressToken: 'p' } })
    assert.match(told.text, /"done"/)
    const silent = await gate.call(token, `${server}__slow`, { steps: 1, ms: 5000 })
    assert.equal(silent.json.error.data.code, 'upstream_timeout')
    assert.match(silent.json.error.message, /1000 ms/)
  }))
})

test('a call with a token is answered as a stream, with the agent\'s own token; one without as JSON', async () => {
  const stream = await gate.call(token, 'modern__slow', { steps: 2, ms: 10 }, { meta: { progressToken: 77 } })
  assert.match(stream.headers.get('content-type'), /^text\/event-stream/)
  const messages = stream.text.split('\n').filter((l) => l.startsWith('data: ')).map((l) => JSON.parse(l.slice(6)))
  assert.deepEqual(messages.slice(0, -1).map((m) => m.params.progressToken), [77, 77])
  assert.equal(messages.at(-1).id, 1)
  assert.equal(messages.at(-1).result.content[0].text, 'done')
  const plain = await gate.call(token, 'modern__slow', { steps: 2, ms: 10 })
  assert.equal(plain.json.result.content[0].text, 'done')
  const narrow = await gate.call(token, 'modern__slow', { steps: 2, ms: 10 }, { meta: { progressToken: 78 }, headers: { accept: 'application/json' } })
  assert.equal(narrow.json.result.content[0].text, 'done') // it takes no streams: the answer comes without its progress
})
