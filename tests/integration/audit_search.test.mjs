// Finding entries: by everything that can be asked, through the operators' API and from the files, while the gateway works.
// areas: search, record
import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { DESK, startGate, until } from './lib/gate.mjs'
import { ledger } from './lib/ledger.mjs'
import { newAgent, token } from './lib/oauth.mjs'

const VIEWER = 'opt_a-viewer-of-the-record-0123456789'
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
let gate, all, anna

before(async () => {
  const book = ledger()
  process.env.SEARCH_VIEWER = VIEWER
  gate = await startGate({ servers: { desk: DESK, book: book.server }, session: { max_tool_calls: 10000, rate: '100000/minute' },
    operators: [{ name: 'vera', role: 'viewer', token: '${SEARCH_VIEWER}' }] })
  anna = await newAgent(gate, 'anna', { allowedTools: ['desk/lookup_order', 'book/write'], maxConcurrentSessions: 50 })
  const bert = await newAgent(gate, 'bert', { allowedTools: ['book/write'], maxConcurrentSessions: 50 })
  const ute = gate.open(anna, '--user', 'ute@example.com')
  await gate.call(ute.access_token, 'desk__lookup_order', { orderId: 'ORD-A1B2C3D4' }, { headers: { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` } })
  await gate.call(ute.access_token, 'desk__lookup_order', { orderId: 'ORD-ZZZZZZZZ' })
  const access = await token(gate, bert)
  await gate.call(access, 'desk__lookup_order', { orderId: 'ORD-A1B2C3D4' }) // not on the whitelist
  await gate.call(access, 'book__write', { line: 'Grüße an die "zweite Lieferung", 100% pünktlich' },
    { meta: { 'dev.doorward/reasoning': 'the customer was promised a postcard' } })
  await gate.recorded('the last outcome', (e) => e.event === 'TOOL_RESULT' && e.toolName === 'book/write')
  all = gate.audit()
})
after(async () => gate?.stop('SIGKILL'))

const api = (query) => gate.operator('GET', `/audit/search?${new URLSearchParams(query)}`)
const cli = (...args) => gate.cli(['audit', 'search', '-c', gate.file, ...args], { ok: false })
const jsonLines = (text) => text.trim().split('\n').map((l) => JSON.parse(l))

async function found(query) {
  const { status, json } = await api({ limit: 1000, ...query })
  assert.equal(status, 200, JSON.stringify(json))
  assert.equal(json.next, null)
  return json.entries
}

describe('questions', () => {
  const by = {
    agent: ['anna', (e) => e.agentId === 'anna'],
    user: ['ute@example.com', (e) => e.triggerUserId === 'ute@example.com'],
    tool: ['desk/lookup_order', (e) => e.toolName === 'desk/lookup_order'],
    event: ['TOOL_DENIED', (e) => e.event === 'TOOL_DENIED'],
    trace: [TRACE, (e) => e.traceId === TRACE],
  }
  for (const [name, [value, fits]] of Object.entries(by))
    test(`${name} finds its entries, the newest first, each as it is on record`, async () => {
      const want = all.filter(fits).reverse()
      assert.ok(want.length > 0)
      assert.deepEqual(await found({ [name]: value }), want)
      const lines = jsonLines(cli(`--${name}`, value, '-n', '1000', '--json').stdout)
      assert.equal(lines.at(-1).next, null)
      assert.deepEqual(lines.slice(0, -1), want)
    })

  test('a session, the digest of the arguments, and what an operator did', async () => {
    const call = all.find((e) => e.event === 'TOOL_CALL')
    assert.deepEqual(await found({ session: call.sessionId }), all.filter((e) => e.sessionId === call.sessionId).reverse())
    assert.deepEqual((await found({ digest: call.digest })).map((e) => e.digest), all.filter((e) => e.digest === call.digest).map(() => call.digest))
    assert.deepEqual((await found({ user: 'operator', event: 'AGENT_CREATED' })).map((e) => e.agentId), ['bert', 'anna'])
  })

  test('what was decided, and what came of it', async () => {
    assert.deepEqual((await found({ decision: 'denied' })).map((e) => e.event), ['TOOL_DENIED'])
    assert.equal((await found({ decision: 'allowed', event: 'TOOL_CALL' })).length, 3)
    assert.deepEqual((await found({ decision: 'failure', agent: 'anna' })).map((e) => e.result), ['failure'])
    assert.deepEqual(await found({ decision: 'success', event: 'TOOL_CALL' }), [])
  })

  test('a time, as dates and as durations', async () => {
    const [from, to] = [all.at(3).timestamp, all.at(-2).timestamp]
    assert.deepEqual(await found({ since: from, until: to }), all.filter((e) => e.timestamp >= from && e.timestamp < to).reverse())
    assert.equal((await found({ since: '1h' })).length, (await found({})).length)
    assert.deepEqual(await found({ until: '1h' }), [])
  })

  test('words of parameters, of the reasoning and of the reason', async () => {
    const numbers = async (text, more = {}) => (await found({ text, ...more })).map((e) => e.seq)
    const calls = all.filter((e) => e.event === 'TOOL_CALL'), denied = all.find((e) => e.event === 'TOOL_DENIED')
    assert.deepEqual(await numbers('ord-a1b2c3d4'), [denied.seq, calls[0].seq])
    assert.deepEqual(await numbers('ord-zz'), [])
    assert.deepEqual(await numbers('ord-zz*'), [calls[1].seq])
    assert.deepEqual(await numbers('GRÜSSE'), [])
    assert.deepEqual(await numbers('grüße pünktlich'), [calls[2].seq])
    assert.deepEqual(await numbers('"zweite lieferung"'), [calls[2].seq])
    assert.deepEqual(await numbers('"lieferung zweite"'), [])
    assert.deepEqual(await numbers('postcard', { event: 'TOOL_CALL' }), [calls[2].seq])
    assert.ok((await numbers('whitelist')).includes(denied.seq) === /whitelist/i.test(denied.policyDecision.reason))
    assert.deepEqual(await numbers('orderId', { agent: 'anna', tool: 'desk/lookup_order' }), [calls[1].seq, calls[0].seq])
    assert.match(cli('zweite', 'lieferung').stdout, /book\/write/)
  })

  test('a text that looks like a statement or a query is words, or is refused with words', async () => {
    for (const text of ["' OR 1=1 --", '"', '""', 'NEAR(a b)', '-x', 'a AND', 'key:val^2', '*', '%00', '('.repeat(900), 'ab '.repeat(40), '{"$ne":1}']) {
      const { status, json } = await api({ text })
      assert.ok(status === 200 || (status === 400 && json.error === 'invalid_params'), `${text}: ${status} ${JSON.stringify(json)}`)
    }
  })

  test('a question that is none says what would be right', async () => {
    for (const [query, words] of [[{ event: 'TOOL_CAL' }, /no event TOOL_CAL/], [{ decision: 'maybe' }, /allowed or denied/], [{ since: 'soon' }, /7d/],
                                  [{ limit: 0 }, /1 to 1000/], [{ limit: 'x' }, /whole number/], [{ agnet: 'anna' }, /agnet/], [{ oldest: 'yes' }, /true or false/]]) {
      const { status, json } = await api(query)
      assert.equal(status, 400)
      assert.match(json.message, words)
    }
    const r = cli('--event', 'TOOL_CAL')
    assert.equal(r.status, 2)
    assert.match(r.stderr, /no event TOOL_CAL/)
  })

  test('a viewer may ask, nobody else without a token', async () => {
    assert.equal((await gate.operator('GET', '/audit/search?agent=anna', undefined, { token: VIEWER })).status, 200)
    assert.equal((await gate.operator('GET', '/audit/search?agent=anna', undefined, { token: null })).status, 401)
  })

  test('one entry by its number', async () => {
    const want = all.at(-1)
    assert.deepEqual((await gate.operator('GET', `/audit/entries/${want.seq}`)).json, want)
    assert.equal((await gate.operator('GET', '/audit/entries/99999999')).status, 404)
    assert.equal((await gate.operator('GET', '/audit/entries/x')).status, 400)
  })
})

describe('pages', () => {
  test('nothing is lost and nothing comes twice while entries come', async () => {
    const access = await token(gate, anna)
    for (let i = 0; i < 40; i++) await gate.call(access, 'book__write', { line: `before ${i}` })
    let stop = false
    const writing = (async () => {
      for (let i = 0; !stop; i++) await gate.call(access, 'book__write', { line: `meanwhile ${i}` })
    })()
    const { json: newest } = await api({ limit: 1 })
    const seen = []
    for (let after = newest.entries[0].seq + 1; after; ) {
      const { json } = await api({ after, limit: 7, agent: 'anna' })
      seen.push(...json.entries.map((e) => e.seq))
      after = json.next
    }
    const forth = []
    for (let after = 0, end = newest.entries[0].seq; ; ) {
      const { json } = await api({ ...(after && { after }), limit: 9, agent: 'anna', oldest: true })
      forth.push(...json.entries.map((e) => e.seq).filter((n) => n <= end))
      after = json.next
      if (!after || after > end) break
    }
    stop = true
    await writing
    const want = gate.audit().filter((e) => e.agentId === 'anna' && e.seq <= newest.entries[0].seq).map((e) => e.seq)
    assert.ok(want.length > 80)
    assert.deepEqual(seen, [...want].reverse())
    assert.deepEqual(forth, want)
  })

  test('the command line says how to go on', async () => {
    const first = cli('--agent', 'anna', '-n', '2')
    const cursor = /--after (\d+)/.exec(first.stderr)[1]
    const [a, b] = [first, cli('--agent', 'anna', '-n', '2', '--after', cursor)].map((r) => r.stdout.trim().split('\n'))
    assert.equal(a.length + b.length, 4)
    assert.deepEqual([...a, ...b], cli('--agent', 'anna', '-n', '4').stdout.trim().split('\n'))
    assert.match(cli('--agent', 'nobody').stderr, /No entry/)
  })

  test('through a gateway on another machine the answer is the same', async () => {
    const far = (...args) => gate.cli(['audit', 'search', '--admin', gate.admin, '--admin-token-file', join(gate.dir, 'data/operator.token'), ...args], { ok: false })
    for (const args of [['--agent', 'anna', '-n', '1100'], ['--user', 'ute@example.com', '--oldest'], ['"zweite Lieferung"'], ['--since', '1h', '-n', '3']])
      assert.equal(far(...args).stdout, cli(...args).stdout)
    assert.match(far('--decision', 'maybe').stderr, /allowed or denied/)
  })
})

describe('the index', () => {
  const files = () => readdirSync(join(gate.dir, 'data/audit/index')).filter((f) => /^\d{20}\.db$/.test(f))
  const indexed = (n) => until('the index to be there', async () => (await gate.operator('GET', '/status')).json.audit.indexed >= n)
  const again = async () => {
    gate.daemon.kill('SIGTERM')
    await gate.exited
  }

  test('an entry is found the moment it is on record', async () => {
    const access = await token(gate, anna)
    for (let i = 0; i < 20; i++) {
      await gate.call(access, 'book__write', { line: `at once moment${i}x` })
      assert.equal((await found({ text: `moment${i}x`, event: 'TOOL_CALL' })).length, 1)
    }
  })

  test('it follows the record, and what it is behind can be seen', async () => {
    const last = gate.audit().at(-1).seq
    await indexed(last)
    assert.equal(files().length, 1)
    const { json } = await api({ agent: 'anna', limit: 1000 })
    assert.ok(json.indexed >= last && json.scanned <= 4)
    assert.deepEqual(json.entries, gate.audit().filter((e) => e.agentId === 'anna').reverse())
    const metrics = await (await fetch(`${gate.admin}/metrics`, { headers: { authorization: `Bearer ${gate.operatorToken()}` } })).text()
    assert.match(metrics, /^doorward_audit_index_lag \d+$/m)
  })

  test('one gateway keeps it: a second writer is told so', async () => {
    const r = gate.cli(['audit', 'index', '-c', gate.file], { ok: false })
    assert.notEqual(r.status, 0)
    assert.match(r.stderr, /another process/)
  })

  test('deleted under a gateway that runs, it is made again; meanwhile nothing is missing', async () => {
    const want = gate.audit().filter((e) => e.agentId === 'anna').reverse()
    rmSync(join(gate.dir, 'data/audit/index'), { recursive: true })
    assert.deepEqual(await found({ agent: 'anna' }), want)
    await gate.call(await token(gate, anna), 'book__write', { line: 'the index comes back' })
    await until('the index to be made again', () => existsSync(join(gate.dir, 'data/audit/index')) && files().length === 1)
    await indexed(want[0].seq)
    assert.deepEqual((await found({ agent: 'anna' })).slice(-want.length), want)
  })

  test('a gateway that is killed leaves an index that goes on', async () => {
    const access = await token(gate, anna)
    for (let i = 0; i < 10; i++) await gate.call(access, 'book__write', { line: `killed ${i}` })
    gate.daemon.kill('SIGKILL')
    await gate.exited
    const want = gate.audit().filter((e) => e.agentId === 'anna').reverse()
    const lines = jsonLines(cli('--agent', 'anna', '-n', '1000', '--json').stdout)
    assert.deepEqual(lines.slice(0, -1), want)
    await gate.start()
    await indexed(want[0].seq)
    assert.deepEqual((await found({ agent: 'anna' })).slice(-want.length), want)
    assert.ok(!existsSync(join(gate.dir, 'data/audit/index', `${files()[0]}.damaged`)))
  })

  test('without a gateway it is asked, mended and made from the files', async () => {
    await again()
    const want = gate.audit().filter((e) => e.agentId === 'anna').reverse()
    const ask = () => jsonLines(cli('--agent', 'anna', '-n', '1000', '--json').stdout)
    assert.deepEqual(ask().slice(0, -1), want)
    writeFileSync(join(gate.dir, 'data/audit/index', files()[0]), 'this is no database, and never was one')
    assert.deepEqual(ask().slice(0, -1), want)
    assert.match(cli('--agent', 'anna').stderr, /damaged/)
    assert.match(gate.cli(['audit', 'index', '-c', gate.file]).stdout, /Everything up to entry \d+ is indexed/)
    const lines = ask()
    assert.deepEqual(lines.slice(0, -1), want)
    assert.equal(lines.at(-1).scanned, 0)
    writeFileSync(join(gate.dir, 'data/audit/index', files()[0]), 'damaged once more, and this time a gateway starts')
    await gate.start()
    await indexed(want[0].seq)
    assert.deepEqual(await found({ agent: 'anna' }), want)
    assert.match(gate.log, /audit_index_made_again/)
  })
})
