// Arguments: judged by the tool's schema before anything leaves, parsed once and strictly, sent as they were judged.
// areas: gate, schema
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { DESK, startGate } from './lib/gate.mjs'
import { ledger } from './lib/ledger.mjs'
import { newAgent, token } from './lib/oauth.mjs'

let gate, access
const book = ledger()

before(async () => {
  gate = await startGate({ servers: { desk: DESK, book: book.server }, session: { max_tool_calls: 1000, rate: '10000/minute' } })
  access = await token(gate, await newAgent(gate, 'careful', { allowedTools: ['desk/lookup_order', 'desk/issue_refund', 'book/raw', 'book/write', 'book/deep'] }))
})
after(async () => gate?.stop())

// The body as bytes of the test's choice, in the legacy era.
async function send(body) {
  const res = await fetch(`${gate.url}/mcp`, { method: 'POST', headers: gate.headers(access), body })
  return { status: res.status, json: await res.json() }
}
const raw = (args, name = 'book__raw') => send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":${args}}}`)
// What reached the server, as bytes.
const arrived = async (args) => /"arguments":(.*?)(?:,"_meta":\{[^}]*\})?\}\}$/.exec((await raw(args)).json.result.content[0].text)[1]

test('arguments off the schema are told to the model, with the place, and never reach the server', async () => {
  for (const [name, args, word] of [['desk__lookup_order', { orderId: '1 OR 1=1' }, /\/orderId: must match/], ['desk__lookup_order', {}, /orderId/],
      ['desk__lookup_order', { orderId: 'ORD-A1B2C3D4', more: 1 }, /more/], ['desk__issue_refund', { orderId: 'ORD-A1B2C3D4', amount: -1 }, /\/amount: must be > 0, but is -1/],
      ['desk__issue_refund', { orderId: 'ORD-A1B2C3D4', amount: '5' }, /\/amount: must be a number/], ['book__deep', { customer: { age: 200 } }, /\/customer\/age: must be <= 120, but is 200/],
      ['book__write', { line: 7 }, /\/line: must be a string/]]) {
    const { status, json } = await gate.call(access, name, args)
    assert.equal(status, 200)
    assert.equal(json.result.isError, true)
    assert.match(json.result.content[0].text, word)
    assert.equal(json.result._meta['dev.doorward/code'], 'schema_mismatch')
    const entry = await gate.recorded('the refusal', (e) => e.traceId === json.result._meta['dev.doorward/traceId'])
    assert.deepEqual([entry.event, entry.code, entry.policyDecision.stage, entry.toolName], ['TOOL_DENIED', 'schema_mismatch', 'validate', name.replace('__', '/')])
    assert.match(entry.policyDecision.reason, word)
  }
  assert.deepEqual(book.lines(), [])
})

test('a real client gets the refusal as a result that it can show its model', async () => {
  const client = await gate.legacyClient(access)
  const answer = await client.callTool({ name: 'desk__lookup_order', arguments: { orderId: 'nonsense' } })
  assert.equal(answer.isError, true)
  assert.match(answer.content[0].text, /ORD-/)
  await client.close()
})

test('numbers arrive with the value that was sent', async () => {
  assert.equal(await arrived('{"n":9007199254740993}'), '{"n":9007199254740993}')
  assert.equal(await arrived('{"n":123456789012345678901234567890.5}'), '{"n":1.234567890123456789012345678905e+29}') // the same value, each digit
  assert.equal(await arrived('{"n":0.1}'), '{"n":0.1}')
})

test('what is sent, recorded and digested are the same canonical bytes', async () => {
  const canonical = '{"a":"A/é","b":[1,{"y":1.5,"z":null}]}'
  const digest = createHash('sha256').update(canonical).digest('hex')
  for (const args of ['{"b":[1.0,{"z":null,"y":15e-1}],"a":"\\u0041\\/\\u00e9"}', '{ "a" : "A/é" ,\n"b":[ 1,{"y":1.50,"z":null} ] }']) {
    assert.equal(await arrived(args), canonical)
    const intent = gate.audit().findLast((e) => e.event === 'TOOL_CALL')
    assert.equal(intent.digest, digest)
    assert.deepEqual(intent.parameters, JSON.parse(canonical))
  }
})

test('two readings of one body are refused: duplicate keys, wherever they are', async () => {
  for (const body of [
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"tools/list","params":{}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"book__raw","name":"book__write","arguments":{}}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"book__raw","arguments":{"a":1,"\\u0061":2}}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"book__raw","arguments":{"x":[{"a":1,"a":1}]}}}']) {
    const { status, json } = await send(body)
    assert.equal(status, 400)
    assert.equal(json.error.data.code, 'malformed')
    assert.match(json.error.message, /duplicate|twice/)
  }
})

test('what is no JSON is refused with its place', async () => {
  for (const body of ['', '{', '{"a":01}', "{'a':1}", '{"a":NaN}', '[1,]', '{"a":"\\ud800"}', '{"a":"\t"}', '{} {}', '// x\n{}']) {
    const { status, json } = await send(body)
    assert.equal(status, 400, body)
    assert.equal(json.error.code, -32700, body)
  }
  const utf8 = await send(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))
  assert.equal(utf8.status, 400)
})

test('depth and size are bounded', async () => {
  const deep = (n) => `${'['.repeat(n)}${']'.repeat(n)}`
  assert.equal((await raw(`{"x":${deep(50)}}`)).status, 200)
  const { status, json } = await raw(`{"x":${deep(100)}}`)
  assert.equal(status, 413)
  assert.match(json.error.message, /deep|depth/)
  assert.equal((await raw(`{"x":${deep(200000)}}`)).status, 413)
  assert.equal((await raw(`{"x":"${'y'.repeat(900000)}"}`)).status, 200)
  assert.equal((await raw(`{"x":"${'y'.repeat(1100000)}"}`)).status, 413)
})

test('arguments of another shape are refused', async () => {
  for (const args of ['[]', '"x"', '7', 'null'])
    assert.equal((await raw(args)).json.error?.code, -32602, args)
})
