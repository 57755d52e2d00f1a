// Witnesses and anchors: what outside of this machine knows of the record, and what it notices.
// areas: sink, audit, tlog
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DESK, freePort, startGate, until } from './lib/gate.mjs'
import { consistent, parseKey, parseNote, signedBy, startWitness, writeKey } from './lib/witness.mjs'

const ORDER = { orderId: 'ORD-A1B2C3D4' }
const work = mkdtempSync(join(tmpdir(), 'doorward-witness-'))
let gate, witness, number = 0

beforeEach(async () => {
  witness = await startWitness(join(work, `witness-${++number}`))
})
afterEach(async () => {
  await gate?.stop('SIGKILL')
  gate = null
  await witness?.stop()
})
after(() => rmSync(work, { recursive: true }))

const logKeys = () => gate.json(['audit', 'keys']).keys.map((k) => k.key)
const asked = (w, more = {}) => ({ url: w.url, key: w.key, every: '1s', ...more })
const dir = () => join(gate.dir, 'data/audit')
const start = async (audit, more = {}) => {
  gate = await startGate({ servers: { desk: DESK }, audit, limits: { stop_grace: '1s' }, ...more })
  witness.logs = logKeys()
  return gate
}
const status = async (member = 'witnesses') => (await gate.operator('GET', '/status')).json.audit[member]
const up = (size = 1) => until('the witness to have cosigned', async () => (await status())[0].size >= size && (await status())[0])
const session = async () => gate.open(await gate.agent({ allow: ['desk/lookup_order'] }))
const work_on = async (n) => {
  const { access_token } = await session()
  for (let i = 0; i < n; i++) assert.equal((await gate.call(access_token, 'desk__lookup_order', ORDER)).status, 200)
}
const cosigned = () => parseNote(readFileSync(join(dir(), 'cosigned'), 'utf8'))
const metric = async (name) => {
  const text = await (await fetch(`${gate.admin}/metrics`, { headers: { authorization: `Bearer ${gate.operatorToken()}` } })).text()
  return Number(new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'm').exec(text)?.[1])
}

describe('a witness', () => {
  test('cosigns the record as it grows, each time from the tree that it has', async () => {
    await start({ witnesses: [asked(witness)] })
    await up()
    for (let round = 0; round < 3; round++) {
      await work_on(3)
      await up(gate.audit().at(-1).seq)
    }
    const note = cosigned(), key = parseKey(witness.key)
    assert.ok(Math.abs(signedBy(note, key) - Date.now() / 1000) < 60, 'the cosignature is of this text and of now')
    assert.ok(logKeys().some((k) => signedBy(note, parseKey(k))))
    assert.deepEqual({ size: note.size, root: note.root.toString('base64') }, witness.tree(note.origin))
    const took = witness.seen.filter((s) => s.status === 200)
    assert.equal(took.length, witness.seen.length, 'what it has is remembered, not asked for')
    assert.ok(took.length >= 3 && new Set(took.map((s) => s.old)).size === took.length, JSON.stringify(witness.seen))
    assert.deepEqual([await metric('doorward_audit_witness_behind_entries'), (await metric('doorward_audit_witness_age_seconds')) < 30], [0, true])
    assert.match(gate.cli(['status', '-c', gate.file]).stdout, /WITNESS +UP +SIZE[\s\S]*witness\.example\/w1 +yes/)
    assert.equal(gate.cli(['audit', 'verify', '-c', gate.file]).status, 0)
  })

  test('is asked again from where it is, when the gateway was killed and when the witness was away', async () => {
    await start({ witnesses: [asked(witness)] })
    await up()
    await work_on(2)
    gate.daemon.kill('SIGKILL')
    await gate.exited
    await gate.start()
    const again = await up(gate.audit().at(-1).seq)
    assert.equal(again.failures, 0, 'that it has another size than we thought is no failure')
    assert.ok(witness.seen.some((s) => s.status === 409))
    const { port } = witness, file = join(work, `witness-${number}`)
    await witness.stop()
    await work_on(1)
    await until('a word about it', async () => (await status())[0].fault)
    assert.match(gate.log, /"event":"witness_gone","name":"witness\.example\/w1"/)
    witness = await startWitness(file, { port })
    witness.logs = logKeys()
    const back = await up(gate.audit().at(-1).seq)
    assert.deepEqual([back.up, back.fault], [true, ''])
    assert.match(gate.log, /"event":"witness_back"/)
  })

  test('that does not know this record, or not its key, is shown so, once in the log, and tried again', async () => {
    gate = await startGate({ servers: { desk: DESK }, audit: { witnesses: [asked(witness)] } })
    await until('404', async () => /does not know this record's origin/.test((await status())[0].fault))
    const [key] = logKeys(), stranger = parseKey((await startWitness(join(work, 'stranger'))).key)
    witness.logs = [writeKey(parseKey(key).name, 1, stranger.raw)]
    await until('403', async () => /trusts none of the keys/.test((await status())[0].fault))
    witness.logs = logKeys()
    await up()
    assert.equal(gate.log.match(/"event":"witness_gone"/g).length, 2)
  })

  test('another one\'s cosignature, one of another text, and what is none, count for nothing', async () => {
    const other = await startWitness(join(work, 'other'), { name: 'witness.example/other' })
    await start({ witnesses: [asked(witness)] })
    await up()
    const before = cosigned()
    let stale
    for (const [answer, word] of [
      [() => [200, 'thank you\n'], /no cosignature/],
      [() => [200, ''], /no cosignature/],
      [(body) => {
        stale ??= before.signatures.find((s) => s.name === 'witness.example/w1').line
        return [200, stale]
      }, /is not of this text/],
      [(body) => other.sign(body), /without a cosignature of witness\.example\/w1/],
      [() => [500, ''], /status 500/],
      [() => [200, 'x'.repeat(200000)], /longer than/],
    ]) {
      witness.answer = answer
      await work_on(1)
      await until(String(word), async () => word.test((await status())[0].fault))
      assert.deepEqual(cosigned().size, before.size)
    }
    witness.answer = null
    await up(gate.audit().at(-1).seq)
    await other.stop()
  })

  test('that is slow or silent delays no call and no other witness', async () => {
    const slow = await startWitness(join(work, 'slow'), { name: 'witness.example/slow' })
    slow.delay = 60000
    await start({ witnesses: [asked(slow), asked(witness)] })
    const began = Date.now()
    await work_on(20)
    assert.ok(Date.now() - began < 5000)
    await until('the other one', async () => (await status())[1].size >= 40)
    assert.equal((await status())[0].size, 0)
    const ended = Date.now()
    gate.daemon.kill('SIGTERM')
    assert.equal((await gate.exited).code, 0)
    assert.ok(Date.now() - ended < 5000, 'nor does it hold up the end')
    await slow.stop()
  })

  test('comes and goes with a reload', async () => {
    await start({})
    assert.deepEqual(await status(), [])
    gate.write({ audit: { witnesses: [asked(witness)] } })
    gate.cli(['reload', '-c', gate.file])
    await up()
    gate.write({ audit: {} })
    gate.cli(['reload', '-c', gate.file])
    assert.deepEqual(await status(), [])
    const seen = witness.seen.length
    await work_on(1)
    await sleep(1500)
    assert.equal(witness.seen.length, seen)
  })

  test('sees a record that was put back to an older copy and goes on from there', async () => {
    await start({ witnesses: [asked(witness)] })
    await up()
    gate.daemon.kill('SIGTERM')
    await gate.exited
    const copy = join(work, 'copy')
    cpSync(join(gate.dir, 'data'), copy, { recursive: true })
    await gate.start()
    await work_on(4)
    await up(gate.audit().at(-1).seq)
    gate.daemon.kill('SIGKILL')
    await gate.exited
    rmSync(join(gate.dir, 'data'), { recursive: true })
    cpSync(copy, join(gate.dir, 'data'), { recursive: true })
    await gate.start() // to itself it looks whole
    assert.equal(gate.cli(['audit', 'verify', '-c', gate.file]).status, 0)
    await until('the witness to be heard', async () => /it has seen \d+ entries, and here are \d+/.test((await status())[0].fault))
    assert.match(gate.log, /"level":"error","event":"witness_gone".*"code":"conflict"/)
    await work_on(8)
    await until('the same, when it is longer again', async () => /is no beginning of this one/.test((await status())[0].fault))
  })
})

describe('an anchor', () => {
  const notes = (file) => (existsSync(file) ? readFileSync(file, 'utf8').match(/.+\n.+\n.+\n\n(— .+\n)+(?=\n)/g) ?? [] : []).map(parseNote)

  test('is a file to which checkpoints are added, and by which the record is checked later', async () => {
    const file = join(work, 'anchor')
    const cut = 'somewhere/audit\n42\nq83vEj' // of a machine that stopped
    writeFileSync(file, cut)
    await start({ anchors: [{ file, every: '1s' }] })
    await until('the first', () => notes(file).length >= 1)
    await work_on(3)
    await until('all', () => notes(file).at(-1).size >= gate.audit().at(-1).seq)
    const all = notes(file)
    assert.ok(readFileSync(file, 'utf8').startsWith(`${cut}\n\n${all[0].text}\n— `))
    assert.ok(all.length >= 2 && all.length < 8)
    for (const n of all) assert.ok(logKeys().some((k) => signedBy(n, parseKey(k))))
    assert.equal((await status('anchors'))[0].name, file)
    assert.equal((await metric('doorward_audit_anchor_age_seconds')) < 30, true)
    assert.match(gate.cli(['status', '-c', gate.file]).stdout, /ANCHOR +UP/)
    const good = gate.cli(['audit', 'verify', '-c', gate.file, '--checkpoint', file], { ok: false })
    assert.equal(good.status, 0, good.stdout + good.stderr)
    assert.match(good.stderr, /passed over 1 piece that is no whole checkpoint/)
    rmSync(file)
    writeFileSync(file, 'nothing of the kind\n')
    const none = gate.cli(['audit', 'verify', '-c', gate.file, '--checkpoint', file], { ok: false })
    assert.notEqual(none.status, 0)
    assert.match(none.stderr, /holds no checkpoint/)
  })

  test('shows a record that was put back to an older copy, which to itself is whole', async () => {
    const file = join(work, 'anchor-2')
    await start({ anchors: [{ file, every: '1s' }] })
    await until('the first', () => notes(file).length)
    gate.daemon.kill('SIGTERM')
    await gate.exited
    const copy = join(work, 'copy-2')
    cpSync(join(gate.dir, 'data'), copy, { recursive: true })
    await gate.start()
    await work_on(4)
    const last = gate.audit().at(-1).seq
    await until('the newest', () => notes(file).at(-1).size >= last)
    gate.daemon.kill('SIGKILL')
    await gate.exited
    rmSync(join(gate.dir, 'data'), { recursive: true })
    cpSync(copy, join(gate.dir, 'data'), { recursive: true })
    assert.equal(gate.cli(['audit', 'verify', '-c', gate.file]).status, 0)
    const r = gate.cli(['audit', 'verify', '-c', gate.file, '--checkpoint', file], { ok: false })
    assert.equal(r.status, 4, r.stdout + r.stderr)
  })

  test('is an address to which each checkpoint is posted, with the headers of the configuration', async () => {
    const seen = []
    let answer = 503
    const server = createServer(async (req, res) => {
      const chunks = []
      for await (const c of req) chunks.push(c)
      seen.push({ url: req.url, headers: req.headers, text: Buffer.concat(chunks).toString() })
      res.writeHead(answer).end()
    })
    await new Promise((done) => server.listen(0, '127.0.0.1', done))
    process.env.ANCHOR_TEST_SECRET = 'a-secret-of-this-test'
    const url = `http://127.0.0.1:${server.address().port}/put`
    await start({ anchors: [{ url: `${url}?key=hidden`, every: '1s', headers: { authorization: 'Bearer ${ANCHOR_TEST_SECRET}' } }] })
    await until('a word about it', async () => /status 503/.test((await status('anchors'))[0].fault))
    answer = 201
    await until('one that was taken', async () => (await status('anchors'))[0].size > 0)
    const { headers, text, url: path } = seen.at(-1)
    assert.deepEqual([headers.authorization, headers['content-type'], path],
      ['Bearer a-secret-of-this-test', 'text/plain; charset=utf-8', '/put?key=hidden'])
    assert.ok(logKeys().some((k) => signedBy(parseNote(text), parseKey(k))))
    assert.equal((await status('anchors'))[0].name, url, 'without what may be a credential')
    assert.ok(!/a-secret|hidden/.test(gate.log + JSON.stringify(await status('anchors'))))
    server.close()
    server.closeAllConnections()
  })
})

// A witness that others wrote, when it is installed: go install filippo.io/torchwood/cmd/litewitness@v0.6.1
const litewitness = spawnSync('sh', ['-c', 'command -v litewitness'], { encoding: 'utf8' }).stdout.trim()
test('litewitness cosigns the record', { skip: !litewitness && 'litewitness is not installed' }, async () => {
  const home = mkdtempSync(join(tmpdir(), 'lw-')), socket = join(home, 's'), port = await freePort(), db = join(home, 'db')
  const run = (...args) => spawnSync(args[0], args.slice(1), { encoding: 'utf8', env: { ...process.env, SSH_AUTH_SOCK: socket } })
  run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(home, 'k'))
  const agent = spawn('ssh-agent', ['-a', socket, '-D'], { stdio: 'ignore' })
  await until('the agent', () => existsSync(socket))
  run('ssh-add', '-q', join(home, 'k'))
  const print = run('ssh-keygen', '-l', '-f', join(home, 'k.pub')).stdout.split(' ')[1]
  const lw = spawn(litewitness, ['-db', db, '-key', print, '-name', 'example.com/lw', '-listen', `127.0.0.1:${port}`, '-ssh-agent', socket],
    { stdio: ['ignore', 'ignore', 'pipe'] })
  try {
    await until('litewitness', async () => (await fetch(`http://127.0.0.1:${port}/`)).status)
    const raw = Buffer.from(readFileSync(join(home, 'k.pub'), 'utf8').split(' ')[1], 'base64').subarray(-32)
    await start({ witnesses: [{ url: `http://127.0.0.1:${port}`, key: writeKey('example.com/lw', 4, raw), every: '1s' }] })
    const { DatabaseSync } = await import('node:sqlite'), [key] = logKeys(), { name } = parseKey(key)
    const logs = new DatabaseSync(db)
    logs.prepare('INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)').run(name, '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=')
    logs.prepare('INSERT INTO key (origin, key) VALUES (?, ?)').run(name, key)
    logs.close()
    await up()
    await work_on(3)
    await up(gate.audit().at(-1).seq)
    assert.ok(signedBy(cosigned(), parseKey(writeKey('example.com/lw', 4, raw))))
  } finally {
    lw.kill()
    agent.kill()
    rmSync(home, { recursive: true })
  }
})

test('the witness of these tests takes no proof that proves nothing', () => {
  const root = Buffer.alloc(32, 1), other = Buffer.alloc(32, 2)
  assert.equal(consistent(4, root, 4, root, []), true)
  assert.equal(consistent(4, root, 4, other, []), false)
  assert.equal(consistent(3, root, 4, other, []), false)
  assert.equal(consistent(3, root, 4, other, [root, other]), false)
})
