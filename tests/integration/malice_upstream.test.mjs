// Servers behind the gate that answer with what is no strict HTTP/1.1: the call fails with a code that says so, its outcome is unknown
// on record, nothing of the answer reaches the agent, and the connection is not used again.
// areas: net, connect
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { startGate, until } from './lib/gate.mjs'
import { modernBasics } from './lib/servers.mjs'

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
const ok = (body, fields = '') => `${HEAD}${fields}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
const chunk = (text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
const chunked = (rest) => `${HEAD}Transfer-Encoding: chunked\r\n\r\n${rest}`

// Each makes an answer out of a whole and valid one, of which the agent must see nothing.
const GARBAGE = {
  'two different lengths': (a) => `${HEAD}Content-Length: ${a.length}\r\nContent-Length: 5\r\n\r\n${a}`,
  'two equal lengths': (a) => ok(a, `Content-Length: ${a.length}\r\n`),
  'a list of lengths': (a) => `${HEAD}Content-Length: ${a.length}, ${a.length}\r\n\r\n${a}`,
  'a signed length': (a) => `${HEAD}Content-Length: +${a.length}\r\n\r\n${a}`,
  'a hexadecimal length': (a) => `${HEAD}Content-Length: 0x${a.length.toString(16)}\r\n\r\n${a}`,
  'a length that overflows': (a) => `${HEAD}Content-Length: 18446744073709551617\r\n\r\n${a}`,
  'length and coding': (a) => `${HEAD}Content-Length: ${a.length}\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(a)}0\r\n\r\n`,
  'an unknown coding': (a) => `${HEAD}Transfer-Encoding: xchunked\r\n\r\n${chunk(a)}0\r\n\r\n`,
  'two codings': (a) => `${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n${chunk(a)}0\r\n\r\n`,
  'two fields of codings': (a) => `${HEAD}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(a)}0\r\n\r\n`,
  'chunked not last': (a) => `${HEAD}Transfer-Encoding: chunked, identity\r\n\r\n${chunk(a)}0\r\n\r\n`,
  'a chunk size with a sign': (a) => chunked(`+${chunk(a)}0\r\n\r\n`),
  'a chunk size with a prefix': (a) => chunked(`0x${chunk(a)}0\r\n\r\n`),
  'a chunk size with a space': (a) => chunked(`${a.length.toString(16)} \r\n${a}\r\n0\r\n\r\n`),
  'a chunk size that overflows': (a) => chunked(`10000000000000000${chunk(a)}0\r\n\r\n`),
  'a chunk extension': (a) => chunked(`${a.length.toString(16)};a=b\r\n${a}\r\n0\r\n\r\n`),
  'a chunk without an end': (a) => chunked(`${a.length.toString(16)}\r\n${a}0\r\n\r\n`),
  'a chunk that ends with a bare LF': (a) => chunked(`${a.length.toString(16)}\n${a}\n0\n\n`),
  'a trailer': (a) => chunked(`${chunk(a)}0\r\nX-More: yes\r\n\r\n`),
  'a trailer that frames': (a) => chunked(`${chunk(a)}0\r\nContent-Length: 5\r\n\r\n`),
  'bare LF': (a) => `HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: ${a.length}\n\n${a}`,
  'bare CR': (a) => ok(a, 'X: a\rb\r\n'),
  'a continued line': (a) => ok(a, 'X: a\r\n b\r\n'),
  'a space before the colon': (a) => `${HEAD}Content-Length : ${a.length}\r\n\r\n${a}`,
  'a line without a colon': (a) => ok(a, 'nothing\r\n'),
  'NUL in a value': (a) => ok(a, 'X: a\0b\r\n'),
  'a control byte in a value': (a) => ok(a, 'X: a\x01b\r\n'),
  'a control byte in a name': (a) => ok(a, 'X\x01Y: a\r\n'),
  'an empty line first': (a) => `\r\n${ok(a)}`,
  'HTTP/0.9': (a) => `${a}\r\n\r\n`,
  'HTTP/2.0': (a) => ok(a).replace('HTTP/1.1', 'HTTP/2.0'),
  'the name of the protocol in small letters': (a) => ok(a).replace('HTTP', 'http'),
  'a status of two digits': (a) => ok(a).replace('200', '20'),
  'a status of four digits': (a) => ok(a).replace('200', '2000'),
  'a status of no class': (a) => ok(a).replace('200', '700'),
  'a status that is no number': (a) => ok(a).replace('200', 'abc'),
  'two types': (a) => ok(a, 'Content-Type: application/json\r\n'),
  'too many fields': (a) => ok(a, 'X: y\r\n'.repeat(70)),
  'a head over the bound': (a) => ok(a, `X: ${'x'.repeat(70000)}\r\n`),
  'a head without end': () => `${HEAD}X: ${'x'.repeat(200000)}`,
  'no content, announced with a length': (a) => ok(a).replace('200 OK', '204 No Content'),
  'another protocol': () => 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n',
  'interim answers without end': (a) => 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(50) + ok(a),
  'an answer over the bound': () => `${HEAD}Content-Length: 4000000\r\n\r\n${'x'.repeat(100000)}`,
  'chunks over the bound': () => chunked(chunk('x'.repeat(1 << 20)) + chunk('x'.repeat(1 << 20)) + chunk('x'.repeat(1 << 20))),
}
// Then the server closes the connection itself.
const BROKEN = {
  'nothing at all': () => '',
  'half a head': () => HEAD,
  'half a body': (a) => `${HEAD}Content-Length: ${a.length + 10}\r\n\r\n${a}`,
  'chunks without the last': (a) => chunked(chunk(a)),
}
// Then it says no more, and keeps the connection open.
const SILENT = {
  'silence': () => '',
  'HTTP/0.9 without an end of a line': (a) => a,
  'a head that stops': () => HEAD,
  'a body that stops': (a) => `${HEAD}Content-Length: ${a.length + 10}\r\n\r\n${a}`,
  'a chunk that stops': (a) => chunked(`${(a.length + 10).toString(16)}\r\n${a}`),
}
const WAYS = { ...GARBAGE, ...BROKEN, ...SILENT }
const names = Object.keys(WAYS)
const tool = (what) => `t${names.indexOf(what)}`
const text = (id, words) => JSON.stringify({ jsonrpc: '2.0', id, result: { resultType: 'complete', content: [{ type: 'text', text: words }] } })

let gate, server, token
const spoiled = new Set(), reused = [] // connections that had a bad answer; what came on them afterwards

before(async () => {
  server = createServer((socket) => {
    let heard = ''
    socket.on('error', () => {})
    socket.on('data', (d) => {
      heard += d.toString('latin1')
      for (;;) {
        const end = heard.indexOf('\r\n\r\n')
        const length = Number(/^content-length: (\d+)/im.exec(heard)?.[1] ?? 0)
        if (end < 0 || heard.length < end + 4 + length) return
        const body = heard.slice(end + 4, end + 4 + length)
        heard = heard.slice(end + 4 + length)
        if (spoiled.has(socket)) reused.push(body)
        answer(socket, body ? JSON.parse(body) : {})
      }
    })
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  server.unref()
  gate = await startGate({
    servers: { raw: { url: `http://127.0.0.1:${server.address().port}/mcp`, timeout: '500ms' } },
    limits: { result_bytes: '2MiB' }, session: { max_tool_calls: 1000, rate: '100000/minute' } })
  token = gate.token(await gate.agent({ allow: ['fine', 'more', 'split', ...names.map(tool)].map((t) => `raw/${t}`) }))
})

after(async () => {
  await gate?.stop()
  server?.close()
})

function answer(socket, m) {
  if (m.method !== 'tools/call')
    return socket.write(ok(JSON.stringify({ jsonrpc: '2.0', ...modernBasics(['fine', 'more', 'split', ...names.map(tool)], m) })))
  const fine = ok(text(m.id, 'fine'))
  if (m.params.name === 'fine') return socket.write(fine)
  spoiled.add(socket)
  if (m.params.name === 'more') return socket.write(fine + ok(text('next', 'smuggled'))) // an answer that nobody asked for
  if (m.params.name === 'split') { // the same, a moment later, when the connection rests
    spoiled.delete(socket)
    return socket.write(fine, () => setTimeout(() => socket.write(ok(text('next', 'smuggled')), () => spoiled.add(socket)), 50))
  }
  const what = names[Number(m.params.name.slice(1))]
  socket.write(Buffer.from(WAYS[what](text(m.id, 'smuggled')), 'latin1'), () => BROKEN[what] && socket.end())
}

const call = (name) => gate.call(token, `raw__${name}`, {})
const closed = (what) => until(`the connection to be closed: ${what}`, () => [...spoiled].every((s) => s.destroyed || s.readableEnded))

for (const [code, ways] of Object.entries({ upstream_garbage: GARBAGE, upstream_unavailable: BROKEN, upstream_timeout: SILENT }))
  test(`what is no answer is ${code}; its connection is closed, and the next call is as good as ever`, async () => {
    for (const what of Object.keys(ways)) {
      const { status, json, text: all } = await call(tool(what))
      assert.equal(json.error?.data.code, code, `${what}: ${all}`)
      assert.equal(status, 200, what) // what went wrong behind the gate is an error of the protocol
      assert.ok(!all.includes('smuggled'), what)
      await closed(what)
      assert.equal((await call('fine')).json.result?.content[0].text, 'fine', what)
    }
    assert.deepEqual(reused, [])
  })

test('an answer behind the answer is not read, and its connection not used again, whenever it comes', async () => {
  for (const name of ['more', 'split']) {
    const before = spoiled.size
    assert.equal((await call(name)).json.result?.content[0].text, 'fine')
    await until('more to come', () => spoiled.size > before)
    await closed(name)
    for (let i = 0; i < 3; i++) assert.equal((await call('fine')).json.result?.content[0].text, 'fine', name)
  }
  assert.deepEqual(reused, [])
})

test('the outcome of each is unknown on record', async () => {
  const of = await until('all outcomes', () => {
    const entries = gate.audit().filter((e) => e.event === 'TOOL_RESULT' && /^raw\/t\d/.test(e.toolName))
    return entries.length === names.length && entries
  })
  for (const e of of) assert.ok(['unknown', 'timeout'].includes(e.result), `${e.toolName}: ${e.result}`)
  assert.equal(gate.cli(['audit', 'verify', '--dir', `${gate.dir}/data/audit`]).status, 0)
})
