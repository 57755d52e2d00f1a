// The record as it grows, over server-sent events: each entry once, in order, whatever becomes of the connection.
// areas: admin, audit, net
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { EventSource } from 'eventsource'
import { DOORWARD, startGate, until } from './lib/gate.mjs'
import { figures, grown } from './lib/proc.mjs'
import { json, modernBasics, startRaw } from './lib/servers.mjs'
import { blocks } from './lib/sse.mjs'
import { each } from './lib/swarm.mjs'

process.env.STREAM_TEST_VIEWER = 'viewer-token-of-this-test'
const VIEWER = { name: 'watcher', role: 'viewer', token: '${STREAM_TEST_VIEWER}' }
let gate, fast, agent, other

before(async () => {
  fast = await startRaw((m, req, res) =>
    json(res, !m ? {} : m.method === 'tools/call' ? { id: m.id, result: { resultType: 'complete', content: [] } } : modernBasics(['t', 'u'], m)))
  gate = await startGate({ servers: { fast: { url: fast.url } }, session: { max_tool_calls: 1000000, rate: '1000000/second' },
    audit: { segment_bytes: 262144 }, limits: { stop_grace: '1s' }, operators: [VIEWER] })
  agent = await gate.agent({ id: 'busy', allow: ['fast/t', 'fast/u'], more: ['--max-sessions', '100'] })
  other = await gate.agent({ id: 'quiet', allow: ['fast/t'], more: ['--max-sessions', '100'] })
})
after(async () => {
  await gate?.stop('SIGKILL')
  await fast?.stop()
})

const calls = async (n, { who = agent, tool = 'fast__t', token = gate.token(who), width = 16 } = {}) =>
  each(Array(n).keys().toArray(), async (i) => assert.equal((await gate.call(token, tool, { i })).status, 200), width)
const raw = () => gate.cli(['audit', 'tail', '--dir', join(gate.dir, 'data/audit'), '-n', '1000000', '--json']).stdout.trim().split('\n')
const seqs = (entries) => entries.map((e) => e.seq)

const open = (query = '', { token = gate.operatorToken(), headers = {}, signal } = {}) =>
  fetch(`${gate.admin}/admin/v1/audit/stream${query}`, { signal, headers: { ...headers, ...(token && { authorization: `Bearer ${token}` }) } })

// A stream that is read in the background.
async function follow(query, options = {}) {
  const cut = new AbortController()
  const res = await open(query, { ...options, signal: cut.signal })
  assert.equal(res.status, 200, res.status === 200 ? '' : await res.text())
  const s = { res, blocks: [], entries: [], ended: false, stop: () => cut.abort() }
  s.done = (async () => {
    for await (const b of blocks(res)) {
      s.blocks.push(b)
      if (b.event === 'entry') s.entries.push(JSON.parse(b.data))
    }
    s.ended = true
  })().catch(() => {})
  return s
}

const refused = async (query, options) => {
  const res = await open(query, options)
  const body = await res.json()
  return { status: res.status, ...body }
}

describe('what a stream shows', () => {
  test('the next committed entry and all after it, each as it is on record, byte for byte', async () => {
    const s = await follow('')
    assert.equal(s.res.headers.get('content-type'), 'text/event-stream')
    assert.equal(s.res.headers.get('cache-control'), 'no-store')
    await until('where it begins', () => s.blocks[0]?.id !== undefined)
    const begin = Number(s.blocks[0].id)
    await calls(5)
    await until('the entries', () => s.entries.length >= 11)
    s.stop()
    await s.done
    const shown = s.blocks.filter((b) => b.event === 'entry')
    assert.deepEqual(shown.map((b) => b.data), raw().slice(begin, begin + shown.length))
    assert.deepEqual(shown.map((b) => Number(b.id)), seqs(s.entries))
  })

  test('?from=start is the whole record, ?after= what stands behind an entry', async () => {
    const all = raw()
    const whole = await follow('?from=start')
    await until('all of it', () => whole.entries.length >= all.length)
    assert.deepEqual(whole.blocks.filter((b) => b.event === 'entry').slice(0, all.length).map((b) => b.data), all)
    const rest = await follow('?after=3')
    await until('the rest', () => rest.entries.length >= all.length - 3)
    assert.equal(rest.entries[0].seq, 4)
    const header = await follow('?after=3', { headers: { 'last-event-id': '5' } })
    await until('what the header says', () => header.entries.length > 0)
    assert.equal(header.entries[0].seq, 6, 'a client that comes back knows better than the address it began with')
    for (const s of [whole, rest, header]) s.stop()
  })

  test('only what is asked for, by agent, event, tool and session, all of them at once', async () => {
    const begin = raw().length
    const session = gate.open(other)
    await calls(3, { who: other, token: session.access_token })
    await calls(3, { tool: 'fast__u' })
    await until('the outcomes', () => gate.audit().filter((e) => e.seq > begin && e.event === 'TOOL_RESULT').length === 6)
    const behind = gate.audit().filter((e) => e.seq > begin)
    const cases = [
      ['agent=quiet', (e) => e.agentId === 'quiet'],
      ['event=TOOL_CALL', (e) => e.event === 'TOOL_CALL'],
      ['tool=fast%2Fu', (e) => e.toolName === 'fast/u'],
      [`session=${session.sessionId}`, (e) => e.sessionId === session.sessionId],
      ['agent=quiet&event=TOOL_RESULT&tool=fast/t', (e) => e.agentId === 'quiet' && e.event === 'TOOL_RESULT'],
    ]
    for (const [query, fits] of cases) {
      const want = seqs(behind.filter(fits))
      assert.ok(want.length >= 3, query)
      const s = await follow(`?after=${begin}&${query}`)
      await until(query, () => s.entries.length >= want.length)
      assert.deepEqual(seqs(s.entries), want, query)
      s.stop()
    }
  })

  test('what was passed over is not looked at again: the id goes on without an entry', async () => {
    await calls(700)
    const s = await follow('?from=start&agent=nobody')
    await until('an id far behind', () => s.blocks.some((b) => Number(b.id) >= 1024))
    assert.equal(s.entries.length, 0)
    const ids = s.blocks.filter((b) => b.id).map((b) => Number(b.id))
    assert.deepEqual(ids, ids.toSorted((a, b) => a - b))
    s.stop()
  })

  test('entries that are not kept any more are named, unless the first one there is was asked for', async () => {
    const dir = join(gate.dir, 'data/audit')
    const segments = () => readdirSync(dir).filter((n) => n.endsWith('.seg')).sort()
    await until('a second segment', async () => segments().length > 2 || (await calls(200), false))
    const second = Number.parseInt(segments()[1], 10)
    rmSync(join(dir, segments()[0]))
    const behind = await follow('?after=2')
    const fresh = await follow('?from=start')
    await until('an entry', () => behind.entries.length && fresh.entries.length)
    const gap = behind.blocks.find((b) => b.event === 'pruned')
    assert.deepEqual([JSON.parse(gap.data), gap.id], [{ from: 3, to: second - 1 }, String(second - 1)])
    assert.equal(behind.entries[0].seq, second)
    assert.equal(fresh.entries[0].seq, second)
    assert.ok(!fresh.blocks.some((b) => b.event === 'pruned'))
    behind.stop()
    fresh.stop()
  })
})

describe('who may have one', () => {
  test('a viewer may, and nobody without a token', async () => {
    assert.equal((await refused('', { token: null })).status, 401)
    assert.equal((await refused('', { token: 'none-of-ours' })).status, 401)
    const s = await follow('', { token: process.env.STREAM_TEST_VIEWER })
    s.stop()
  })

  test('what cannot be meant is refused with a word about it', async () => {
    for (const [query, headers, word] of [
      ['?after=twelve', {}, /after must be an entry's number/],
      ['', { 'last-event-id': '-1' }, /Last-Event-ID must be/],
      ['?from=end', {}, /from must be start/],
      ['?from=start&after=1', {}, /not both/],
      ['?agnet=busy', {}, /no parameter agnet/],
      ['?event=TOOL_CAL', {}, /no event TOOL_CAL/],
      ['?after=99999999', {}, /has no 99999999/],
    ]) {
      const r = await refused(query, { headers })
      assert.equal(r.status, 400, query)
      assert.match(r.message, word)
    }
  })

  test('only so many at one time, and the place of one that leaves is free again', async () => {
    const streams = await each(Array(64).fill(''), (q) => follow(q), 8)
    const r = await refused('')
    assert.deepEqual([r.status, r.error], [429, 'too_many_streams'])
    assert.match(r.message, /64 streams/)
    assert.match(await (await fetch(`${gate.admin}/metrics`, { headers: { authorization: `Bearer ${gate.operatorToken()}` } })).text(),
      /^doorward_audit_streams 64$/m)
    streams[0].stop()
    const again = await until('a place', async () => follow('').catch(() => null))
    for (const s of [...streams, again]) s.stop()
  })

  test('a reload that takes the token away ends its streams, and no others', async () => {
    const [theirs, ours] = [await follow('', { token: process.env.STREAM_TEST_VIEWER }), await follow('')]
    gate.write({ operators: [] })
    gate.cli(['reload', '-c', gate.file])
    await until('the end', () => theirs.ended)
    const last = theirs.blocks.at(-1)
    assert.deepEqual([last.event, JSON.parse(last.data).error], ['end', 'invalid_token'])
    assert.equal((await refused('', { token: process.env.STREAM_TEST_VIEWER })).status, 401)
    await until('the reload', () => ours.entries.some((e) => e.event === 'CONFIG_RELOADED'))
    assert.equal(ours.ended, false)
    ours.stop()
    gate.write({ operators: [VIEWER] })
    gate.cli(['reload', '-c', gate.file])
  })
})

describe('whatever becomes of the connection', () => {
  test('connections break at random while thousands of entries come: each comes once, in order', async () => {
    let last = String(raw().length)
    const begin = Number(last), got = []
    let breaks = 0, over = false
    const read = (async () => {
      while (!over) {
        const cut = new AbortController()
        let left = 1 + Math.floor(Math.random() * 400)
        try {
          for await (const b of blocks(await open('', { headers: { 'last-event-id': last }, signal: cut.signal }))) {
            if (b.id !== undefined) last = b.id
            if (b.event === 'entry') got.push(b.data)
            if (--left <= 0 || over) break
          }
        } catch {} // what was in the middle of an event is not there
        cut.abort()
        breaks++
      }
    })()
    await calls(2500)
    await until('the last outcome', () => JSON.parse(raw().at(-1)).event === 'TOOL_RESULT')
    const want = await until('all of it', () => {
      const all = raw().slice(raw().length - (JSON.parse(raw().at(-1)).seq - begin))
      return got.length >= all.length && all
    }, 30000)
    over = true
    await calls(1) // so that the last one comes back from its wait
    await read
    assert.ok(want.length >= 5000 && breaks > 10, `${want.length} entries, ${breaks} breaks`)
    assert.deepEqual(got.slice(0, want.length), want)
  })

  test('a client that does not read holds nobody up, costs no memory, and finds everything when it reads again', async () => {
    const begin = JSON.parse(raw().at(-1)).seq
    const deaf = await new Promise((done) => get(`${gate.admin}/admin/v1/audit/stream?after=${begin}`,
      { headers: { authorization: `Bearer ${gate.operatorToken()}` } }, done)) // nobody reads it yet
    const reader = await follow(`?after=${begin}`)
    const was = figures(gate.daemon.pid)
    const pad = 'x'.repeat(6000), token = gate.token(agent)
    await each(Array(3000).fill(0), async () => assert.equal((await gate.call(token, 'fast__t', { pad })).status, 200), 16)
    await until('the one that reads', () => reader.entries.filter((e) => e.event === 'TOOL_RESULT').length >= 3000, 30000)
    reader.stop()
    assert.ok(grown(was, figures(gate.daemon.pid)) < 16, 'in MiB, of 20 MiB and more of entries that nobody read')
    let text = ''
    const tail = seqs(reader.entries).at(-1)
    deaf.setEncoding('utf8').on('data', (d) => (text += d))
    await until('all of it, late', () => text.includes(`id: ${tail}\n`), 30000)
    deaf.destroy()
    const ids = [...text.matchAll(/^id: (\d+)\nevent: entry$/gm)].map((m) => Number(m[1]))
    for (let i = 1; i < ids.length; i++) assert.equal(ids[i], ids[i - 1] + 1)
    assert.equal(ids[0], begin + 1)
  })

  test('a client as browsers have it goes on by itself behind a gateway that was killed and came back', async () => {
    const got = []
    const begin = JSON.parse(raw().at(-1)).seq
    const source = new EventSource(`${gate.admin}/admin/v1/audit/stream?after=${begin}`, {
      fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${gate.operatorToken()}` } }) })
    source.addEventListener('entry', (e) => got.push({ id: Number(e.lastEventId), data: e.data }))
    await calls(200)
    await until('some', () => got.length > 100)
    for (let round = 0; round < 3; round++) {
      const working = calls(2000).catch(() => 'cut off')
      await sleep(150 + 100 * round)
      gate.daemon.kill('SIGKILL')
      await gate.exited
      await working
      await gate.start()
    }
    await calls(50)
    await until('the last outcome', () => JSON.parse(raw().at(-1)).event === 'TOOL_RESULT')
    const want = raw().filter((l) => JSON.parse(l).seq > begin)
    await until('all of it', () => got.length >= want.length, 20000)
    source.close()
    assert.deepEqual(got.map((g) => g.data), want)
    assert.deepEqual(got.map((g) => g.id), want.map((l) => JSON.parse(l).seq))
  })

  test('a gateway that stops says so to each of its streams, and waits for none', async () => {
    const streams = await each(Array(5).fill(''), () => follow(''))
    const deaf = connect(gate.adminPort, '127.0.0.1')
    deaf.write(`GET /admin/v1/audit/stream?from=start HTTP/1.1\r\nHost: 127.0.0.1:${gate.adminPort}\r\n` +
      `Authorization: Bearer ${gate.operatorToken()}\r\n\r\n`)
    deaf.pause()
    deaf.on('error', () => {})
    await sleep(300)
    const began = Date.now()
    gate.daemon.kill('SIGTERM')
    const { code } = await gate.exited
    assert.equal(code, 0)
    assert.ok(Date.now() - began < 8000)
    for (const s of streams) {
      await s.done
      const last = s.blocks.at(-1)
      assert.deepEqual([s.ended, last.event, JSON.parse(last.data).error], [true, 'end', 'stopping'])
    }
    deaf.destroy()
    await gate.start()
  })
})

describe('doorward audit tail -f', () => {
  // The command, running: what it has printed so far.
  const tail = (args, { cwd = gate.dir } = {}) => {
    const t = { out: '', err: '', child: spawn(DOORWARD, ['audit', 'tail', '-f', ...args], { cwd }) }
    t.child.stdout.setEncoding('utf8').on('data', (d) => (t.out += d))
    t.child.stderr.setEncoding('utf8').on('data', (d) => (t.err += d))
    t.exited = new Promise((done) => t.child.on('exit', (code) => done(code)))
    t.lines = () => t.out.split('\n').slice(0, -1)
    t.seqs = () => t.lines().map((l) => JSON.parse(l).seq)
    return t
  }
  const newest = () => JSON.parse(raw().at(-1)).seq

  test('loses no entry and shows none twice while the gateway is killed, and says when it was gone and when it was back', async () => {
    const begin = newest()
    const t = tail(['-c', gate.file, '-n', '5', '--json'])
    await until('the first lines', () => t.lines().length >= 5)
    assert.deepEqual(t.seqs().slice(0, 5), [4, 3, 2, 1, 0].map((n) => begin - n))
    for (let round = 0; round < 2; round++) {
      const working = calls(1500).catch(() => 'cut off')
      await sleep(150)
      gate.daemon.kill('SIGKILL')
      await gate.exited
      await working
      await until('a word about it', () => t.err.split('is lost').length === round + 2)
      await gate.start()
      await until('a word about it', () => t.err.split('is back').length === round + 2)
    }
    await calls(5)
    await until('all of it', () => t.seqs().at(-1) === newest())
    t.child.kill()
    assert.deepEqual(t.lines().slice(5), raw().filter((l) => JSON.parse(l).seq > begin))
    assert.match(t.err, /^doorward: audit tail: the connection to the gateway is lost \(.+\); it is tried again$/m)
  })

  test('shows only what it is asked for, for people', async () => {
    await calls(1, { who: other })
    const t = tail(['-c', gate.file, '-n', '1', '--agent', 'quiet', '--event', 'TOOL_CALL'])
    await until('the newest', () => t.lines().length === 1)
    await calls(2)
    await calls(2, { who: other })
    await until('two more', () => t.lines().length === 3)
    t.child.kill()
    for (const line of t.lines()) assert.match(line, /TOOL_CALL +quiet +fast\/t/)
  })

  test('reaches a gateway on another machine, by its address and a token', async () => {
    const token = join(gate.dir, 'viewer.token'), there = ['--admin', gate.admin, '--admin-token-file', token]
    writeFileSync(token, process.env.STREAM_TEST_VIEWER, { mode: 0o600 })
    const t = tail([...there, '-n', '3', '--json', '-a', 'quiet'], { cwd: '/' })
    await until('the newest', () => t.lines().length === 3)
    await calls(1, { who: other })
    await until('the next', () => t.lines().length >= 6) // its session, its intent, its outcome
    t.child.kill()
    const quiet = raw().map((l) => JSON.parse(l)).filter((e) => e.agentId === 'quiet').map((e) => e.seq)
    assert.deepEqual(t.seqs(), quiet.slice(-t.lines().length))
    const once = spawnSync(DOORWARD, ['audit', 'tail', ...there, '-n', '4', '--json'], { cwd: '/', encoding: 'utf8' })
    assert.equal(once.status, 0, once.stderr)
    assert.deepEqual(once.stdout.trim().split('\n'), raw().slice(-4))
  })

  test('a token that is taken away while it follows ends it, with a word about it', async () => {
    const token = join(gate.dir, 'viewer.token')
    const t = tail(['--admin', gate.admin, '--admin-token-file', token, '-n', '1'], { cwd: '/' })
    await until('the newest', () => t.lines().length >= 1)
    await sleep(200)
    gate.write({ operators: [] })
    gate.cli(['reload', '-c', gate.file])
    assert.equal(await t.exited, 3)
    assert.match(t.err, /the operator's token is not taken any more/)
    gate.write({ operators: [VIEWER] })
    gate.cli(['reload', '-c', gate.file])
  })

  test('with --dir, and when there is no gateway, it reads the files', async () => {
    const dir = join(gate.dir, 'data/audit')
    const files = tail(['--dir', dir, '-n', '1', '--json'])
    await until('the newest', () => files.lines().length >= 1)
    gate.daemon.kill('SIGTERM')
    await gate.exited
    await until('the end', () => JSON.parse(files.lines().at(-1)).event === JSON.parse(raw().at(-1)).event)
    const alone = tail(['-c', gate.file, '-n', '2', '--json'])
    await until('a word about it', () => /no gateway is asked \(nobody answers.*new entries are read from its files/.test(alone.err))
    await gate.start()
    await until('the start', () => [files, alone].every((t) => t.seqs().at(-1) === newest()))
    assert.equal(files.err, '')
    files.child.kill()
    alone.child.kill()
  })
})
