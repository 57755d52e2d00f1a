// The record, checked by programs that do not belong to the gateway: one that is not ours (golang.org/x/mod/sumdb), and doorward-verify.
// areas: audit, tlog, proof
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { BUILD, DESK, startGate, until } from './lib/gate.mjs'
import { generator, judgeProgram, seed } from './lib/judge.mjs'
import { buildOutside, doorwardVerify, noOutside, outside, outsideAnswers } from './lib/outside.mjs'

const VIEWER = 'the-token-of-a-viewer-0123456789'
const ORDER = { orderId: 'ORD-A1B2C3D4' }
process.env.OUTSIDE_VIEWER = VIEWER
let gate, agent, access, work, keys, old

// Many at once, so that they share flushes.
async function calls(n) {
  for (let i = 0; i < n; i += 20)
    await Promise.all(Array.from({ length: Math.min(20, n - i) }, () => gate.call(access, 'desk__lookup_order', ORDER)))
}
const checkpoint = () => readFileSync(join(gate.dir, 'data/audit/checkpoint'), 'utf8')
const size = (note) => Number(note.split('\n')[1])
const covers = (n) => until(`a checkpoint of ${n} entries`, () => existsSync(join(gate.dir, 'data/audit/checkpoint')) && size(checkpoint()) >= n && checkpoint())
const file = (name, bytes) => {
  writeFileSync(join(work, name), bytes)
  return join(work, name)
}
const folder = (name) => {
  cpSync(join(work, 'tiles'), join(work, name), { recursive: true })
  return join(work, name)
}

// A witness as C2SP tlog-cosignature wants it, by Node's Ed25519.
function newWitness(name) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const key = Buffer.concat([Buffer.from([4]), Buffer.from(publicKey.export({ format: 'jwk' }).x, 'base64url')])
  const id = createHash('sha256').update(`${name}\n`).update(key).digest().subarray(0, 4)
  return {
    vkey: `${name}+${id.toString('hex')}+${key.toString('base64')}`,
    cosign(note, time) {
      const text = note.slice(0, note.lastIndexOf('\n\n') + 1), when = Buffer.alloc(8)
      when.writeBigUInt64BE(BigInt(time))
      const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), privateKey)
      return `— ${name} ${Buffer.concat([id, when, signature]).toString('base64')}\n`
    },
  }
}

before(async () => {
  buildOutside()
  work = mkdtempSync(join(tmpdir(), 'doorward-outside-'))
  gate = await startGate({ servers: { desk: DESK }, session: { max_tool_calls: 100000, rate: '100000/minute' },
    audit: { segment_bytes: 262144 },
    operators: [{ name: 'watcher', token: '${OUTSIDE_VIEWER}', role: 'viewer' }] })
  agent = await gate.agent({ allow: ['desk/lookup_order'] })
  access = gate.token(agent)
  await calls(40)
  old = [file('first', await covers(1))]
  await calls(150)
  old.push(file('second', await covers(300)))
  await calls(120)
  await covers(600)
  const from = join(gate.dir, 'audit-keys')
  keys = file('keys', readdirSync(from).filter((n) => n.endsWith('.pub')).map((n) => readFileSync(join(from, n), 'utf8').trim() + '\n').join(''))
  gate.cli(['audit', 'tiles', '-c', gate.file, join(work, 'tiles')])
})
after(async () => {
  await gate?.stop('SIGKILL')
  if (work) rmSync(work, { recursive: true, force: true })
})

describe('two programs, one tree', { skip: noOutside }, () => {
  test('roots and proofs of thousands of trees are the same, byte for byte', (t) => {
    const ours = judgeProgram('tlog_judge')
    if (ours.skip) return t.skip(ours.skip)
    const { below, pick } = generator(seed), lines = []
    const edges = [255, 256, 257, 511, 512, 513, 65535, 65536, 65537, 65792, 65793, 70000]
    for (let n = 1; n <= 40; n++)
      for (let i = 0; i < n; i++) lines.push(`inclusion ${i} ${n}`, `consistency ${i + 1} ${n}`, `root 0 ${n}`)
    for (let i = 0; i < 1000; i++) {
      const n = below(2) ? 1 + below(70000) : pick(edges)
      lines.push(`inclusion ${below(n)} ${n}`, `consistency ${1 + below(n)} ${n}`, `root 0 ${n}`)
    }
    const theirs = outsideAnswers(lines)
    assert.equal(theirs.length, lines.length)
    ours.ask(lines).forEach((answer, i) => assert.equal(answer, theirs[i], lines[i]))
  })
})

describe('another verifier', { skip: noOutside }, () => {
  test('takes the checkpoint, and finds every entry of the record in it', () => {
    const seen = outside('checkpoint', keys, join(work, 'tiles/checkpoint'))
    assert.equal(seen.status, 0, seen.stderr)
    assert.ok(seen.json.size >= 600)
    const { origin } = seen.json
    assert.equal(readFileSync(keys, 'utf8').split('+')[0], origin)
    const whole = outside('log', keys, join(work, 'tiles'), ...old)
    assert.equal(whole.status, 0, whole.stderr)
    assert.deepEqual(whole.json, { size: seen.json.size, first: 0, older: 2 })
  })

  test('takes the proof of an entry, which is the one on record', () => {
    for (const seq of [1, 2, 256, 257, 300, 512, 513, 600]) {
      const proof = join(work, `${seq}.tlog-proof`)
      gate.cli(['audit', 'prove', String(seq), '-o', proof, '-c', gate.file])
      const seen = outside('proof', keys, proof)
      assert.equal(seen.status, 0, seen.stderr)
      assert.equal(seen.json.index, seq - 1)
      assert.deepEqual(JSON.parse(seen.json.entry), gate.json(['audit', 'show', String(seq)]))
    }
  })

  test('rejects a proof in which anything is another', () => {
    const proof = readFileSync(join(work, '300.tlog-proof'), 'utf8'), lines = proof.split('\n')
    const bent = {
      entry: proof.replace(/^extra .*$/m, `extra ${Buffer.from('{"seq":300}').toString('base64')}`),
      index: proof.replace(/^index 299$/m, 'index 298'),
      hash: lines.with(3, lines[4]).join('\n'),
      length: lines.toSpliced(3, 1).join('\n'),
      size: proof.replace(/^(.*\/audit\n)(\d+)$/m, (_, origin, n) => origin + (Number(n) - 1)),
      origin: proof.replace(/^127\.0\.0\.1:\d+\/audit\n/m, 'elsewhere.example/audit\n'),
    }
    for (const [name, text] of Object.entries(bent)) {
      assert.notEqual(text, proof, name)
      const path = file(`bent-${name}`, text)
      assert.equal(outside('proof', keys, path).status, 1, name)
      assert.equal(doorwardVerify('proof', path, '--key', keys).status, 1, name)
    }
  })
})

// Each begins with the whole record in a folder of its own, and with checkpoints that somebody kept.
describe('a record that was changed is rejected by both', { skip: noOutside }, () => {
  const rejected = (dir, kept = old) => {
    const theirs = outside('log', keys, dir, ...kept), ours = doorwardVerify('log', dir, '--key', keys, ...kept.flatMap((c) => ['--old', c]))
    assert.equal(theirs.status, 1, 'the other verifier takes it')
    assert.equal(ours.status, 1, 'doorward-verify takes it')
    return ours.stderr
  }
  const entriesOf = (bytes) => {
    const list = []
    for (let at = 0; at < bytes.length; at += 2 + bytes.readUInt16BE(at)) list.push(bytes.subarray(at, at + 2 + bytes.readUInt16BE(at)))
    return list
  }
  const BUNDLE = 'tile/entries/001'

  test('it is whole before', () => {
    const seen = doorwardVerify('log', join(work, 'tiles'), '--key', keys, '--json', ...old.flatMap((c) => ['--old', c]))
    assert.equal(seen.status, 0, seen.stdout)
    assert.deepEqual([seen.json.ok, seen.json.pruned, seen.json.older], [true, 0, 2])
  })

  test('one letter of one entry', () => {
    const dir = folder('letter'), path = join(dir, BUNDLE), bytes = readFileSync(path)
    bytes[bytes.indexOf('"seq":300,') + 7] ^= 1
    writeFileSync(path, bytes)
    assert.match(rejected(dir), /entry 300 is not the one whose hash the record's tree holds/)
  })

  test('two entries in another order', () => {
    const dir = folder('order'), path = join(dir, BUNDLE), list = entriesOf(readFileSync(path))
    writeFileSync(path, Buffer.concat(list.with(7, list[8]).with(8, list[7])))
    rejected(dir)
  })

  test('two entries in another order, with hashes that say the same', () => {
    const dir = folder('order-and-hashes'), path = join(dir, BUNDLE), list = entriesOf(readFileSync(path))
    writeFileSync(path, Buffer.concat(list.with(7, list[8]).with(8, list[7])))
    const tile = join(dir, 'tile/0/001'), hashes = readFileSync(tile), seventh = Buffer.from(hashes.subarray(7 * 32, 8 * 32))
    hashes.copy(hashes, 7 * 32, 8 * 32, 9 * 32)
    seventh.copy(hashes, 8 * 32)
    writeFileSync(tile, hashes)
    rejected(dir)
  })

  test('two entries in another order, with a tree that was grown again from them: the signature is of another one', () => {
    const dir = folder('grown'), path = join(dir, BUNDLE), list = entriesOf(readFileSync(path))
    const turned = list.with(7, list[8]).with(8, list[7])
    writeFileSync(path, Buffer.concat(turned))
    const hash = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest()
    let row = turned.map((entry) => hash(Buffer.from([0]), entry.subarray(2)))
    writeFileSync(join(dir, 'tile/0/001'), Buffer.concat(row))
    while (row.length > 1) row = row.filter((_, i) => i % 2 === 0).map((left, i) => hash(Buffer.from([1]), left, row[2 * i + 1]))
    const above = join(dir, 'tile/1/000.p', readdirSync(join(dir, 'tile/1/000.p'))[0]), hashes = readFileSync(above)
    row[0].copy(hashes, 32)
    writeFileSync(above, hashes)
    assert.match(rejected(dir, []), /the entries are not those that its checkpoint signs/)
  })

  test('an entry less', () => {
    const dir = folder('less'), path = join(dir, BUNDLE)
    writeFileSync(path, Buffer.concat(entriesOf(readFileSync(path)).toSpliced(100, 1)))
    rejected(dir)
  })

  test('a bundle less in the middle', () => {
    const dir = folder('gap')
    rmSync(join(dir, BUNDLE))
    assert.match(rejected(dir), /tile\/entries\/001.*: No such file/)
  })

  test('without its tail, under the older checkpoint, which is genuine: whoever kept a newer one sees it', () => {
    const dir = folder('tail'), newest = file('newest', readFileSync(join(dir, 'checkpoint')))
    cpSync(old[1], join(dir, 'checkpoint'))
    const n = size(readFileSync(old[1], 'utf8'))
    for (const part of ['entries', '0']) {
      const at = join(dir, `tile/${part}/${String(Math.floor(n / 256)).padStart(3, '0')}`)
      const full = existsSync(at) ? readFileSync(at) : readFileSync(join(`${at}.p`, readdirSync(`${at}.p`)[0]))
      mkdirSync(`${at}.p`, { recursive: true })
      writeFileSync(`${at}.p/${n % 256}`, part === '0' ? full.subarray(0, 32 * (n % 256)) : Buffer.concat(entriesOf(full).slice(0, n % 256)))
    }
    mkdirSync(join(dir, 'tile/1/000.p'), { recursive: true })
    writeFileSync(join(dir, 'tile/1/000.p', String(Math.floor(n / 256))), readFileSync(join(dir, 'tile/1/000.p', readdirSync(join(dir, 'tile/1/000.p'))[0])).subarray(0, 32 * Math.floor(n / 256)))
    assert.equal(outside('log', keys, dir, old[0]).status, 0)
    assert.equal(doorwardVerify('log', dir, '--key', keys, '--old', old[0]).status, 0)
    assert.match(rejected(dir, [old[0], newest]), /newest: is of another log, or of more entries than this one has/)
  })

  test('signed in the name of another log by the key of this one', () => {
    const dir = folder('renamed'), path = join(dir, 'checkpoint')
    writeFileSync(path, forged(readFileSync(path, 'utf8'), (text) => text.replace(/^.*\n/, 'elsewhere.example/audit\n')))
    assert.match(rejected(dir, []), /is of the log "elsewhere.example\/audit", and no key of that name was given/)
  })

  test('signed by nobody, or by a key that nobody knows', () => {
    const dir = folder('unsigned'), path = join(dir, 'checkpoint'), text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace(/^(\d+)$/m, (n) => String(Number(n) - 1)))
    assert.match(rejected(dir, []), /the signature of .* is not of this text/)
    writeFileSync(path, text.replace(/^— (\S+) (\S+)$/m, (_, name, bytes) => {
      const raw = Buffer.from(bytes, 'base64')
      raw[0] ^= 1
      return `— ${name} ${raw.toString('base64')}`
    }))
    assert.match(rejected(dir, []), /is signed by none of the keys that were given/)
  })
})

// The log's own key, as who has stolen it would use it.
function forged(note, change) {
  const from = join(gate.dir, 'audit-keys'), text = readFileSync(join(from, readdirSync(from).find((n) => /^\d.*\.key$/.test(n))), 'utf8').trim()
  const [, name, id, key] = text.match(/^PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+(.+)$/)
  const privateKey = createPrivateKey({ format: 'der', type: 'pkcs8',
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(key, 'base64').subarray(1)]) })
  const body = change(note.slice(0, note.lastIndexOf('\n\n') + 1))
  return `${body}\n— ${name} ${Buffer.concat([Buffer.from(id, 'hex'), sign(null, Buffer.from(body), privateKey)]).toString('base64')}\n`
}

describe('two histories under one key', { skip: noOutside }, () => {
  test('are told apart by whoever kept a checkpoint of the other', () => {
    const newest = join(work, 'tiles/checkpoint')
    const fork = file('fork', forged(readFileSync(old[1], 'utf8'), (text) => text.replace(/^[A-Za-z0-9+/]{43}=$/m, `${'A'.repeat(43)}=`)))
    assert.equal(outside('checkpoint', keys, fork).status, 0, 'it is signed')
    const ours = doorwardVerify('log', join(work, 'tiles'), '--key', keys, '--old', fork)
    assert.equal(ours.status, 1)
    assert.match(ours.stderr, /the record's first \d+ entries are not those that it signs/)
    assert.equal(outside('log', keys, join(work, 'tiles'), fork).status, 1)
    assert.equal(doorwardVerify('consistency', fork, newest, '--key', keys, '--log', join(work, 'tiles')).status, 1)
    assert.equal(doorwardVerify('consistency', old[1], fork, '--key', keys, '--log', join(work, 'tiles')).status, 1, 'one size, two roots')
  })
})

describe('consistency', () => {
  const consistency = (...args) => doorwardVerify('consistency', ...args, '--key', keys, '--log', join(work, 'tiles'))

  test('an older checkpoint is a beginning of a newer one, and not the other way round', () => {
    const newest = join(work, 'tiles/checkpoint')
    for (const [a, b] of [[old[0], old[1]], [old[0], newest], [old[1], newest], [newest, newest]]) {
      const seen = consistency(a, b)
      assert.equal(seen.status, 0, seen.stderr)
      assert.match(seen.stdout, /is a beginning of/)
    }
    assert.equal(consistency(newest, old[0]).status, 1)
  })

  test('the proof of another program is taken: as a witness gets it, or a hash a line', { skip: noOutside }, () => {
    const newest = join(work, 'tiles/checkpoint'), made = outside('request', keys, join(work, 'tiles'), old[0])
    assert.equal(made.status, 0, made.stderr)
    const taken = (name, text, from = old[0]) => doorwardVerify('consistency', from, newest, '--key', keys, '--proof', file(name, text)).status
    assert.equal(outside('witness', keys, old[0], file('request', made.stdout)).status, 0)
    assert.equal(taken('request', made.stdout), 0)
    const hashes = made.stdout.split('\n\n')[0].split('\n').slice(1)
    assert.ok(hashes.length > 3)
    assert.equal(taken('hashes', hashes.join('\n') + '\n'), 0)
    assert.equal(taken('fewer', hashes.slice(1).join('\n')), 1)
    assert.equal(taken('more', [...hashes, hashes[0]].join('\n')), 1)
    assert.equal(taken('turned', hashes.toReversed().join('\n')), 1)
    assert.equal(taken('other', made.stdout, old[1]), 1)
  })
})

describe('doorward-verify', () => {
  const proof = () => join(work, 'one.tlog-proof')
  before(() => gate.cli(['audit', 'prove', '42', '-o', proof(), '-c', gate.file]))

  test('says what it has checked, and shows the entry', () => {
    const seen = doorwardVerify('proof', proof(), '--key', keys)
    assert.equal(seen.status, 0, seen.stderr)
    assert.match(seen.stdout, /^Entry 42 is in the record of 127\.0\.0\.1:\d+\/audit\.\n\ncheckpoint +\d+ entries, root \S+\nsigned by +\S+\+[0-9a-f]{8}\nentry +\{/)
    const { json } = doorwardVerify('proof', proof(), '--key', keys, '--json')
    assert.deepEqual([json.ok, json.index, json.seq], [true, 41, 42])
    assert.deepEqual(json.entry, gate.json(['audit', 'show', '42']))
  })

  test('takes the key as it is written, in a file, or in a folder', () => {
    for (const key of [readFileSync(keys, 'utf8').trim(), keys, join(gate.dir, 'audit-keys')])
      assert.equal(doorwardVerify('proof', proof(), '--key', key).status, 0)
  })

  test('compares with the entry that is given', () => {
    const { entry } = outside('proof', keys, proof()).json ?? {}
    const text = entry ?? Buffer.from(readFileSync(proof(), 'utf8').match(/^extra (.*)$/m)[1], 'base64').toString()
    assert.equal(doorwardVerify('proof', proof(), '--key', keys, '--entry', file('entry', text)).status, 0)
    assert.equal(doorwardVerify('proof', proof(), '--key', keys, '--entry', file('entry', text + '\n')).status, 0)
    const bare = file('bare', readFileSync(proof(), 'utf8').replace(/^extra .*\n/m, ''))
    assert.equal(doorwardVerify('proof', bare, '--key', keys, '--entry', file('entry', text)).status, 0)
    const without = doorwardVerify('proof', bare, '--key', keys)
    assert.equal(without.status, 2)
    assert.match(without.stderr, /--entry must name/)
    const other = doorwardVerify('proof', proof(), '--key', keys, '--entry', file('other', text.replace('"seq":42', '"seq":43')))
    assert.equal(other.status, 1)
    assert.match(other.stderr, /proves nothing about .*other/)
  })

  test('asks for the witness that is named, and says when it signed', () => {
    const witness = newWitness('witness.example/w1'), other = newWitness('witness.example/w2')
    const [before, note] = readFileSync(proof(), 'utf8').split(/(?<=\n\n)(?=127\.)/)
    const path = file('witnessed', before + note + witness.cosign(note, 1795668645))
    assert.equal(doorwardVerify('proof', path, '--key', keys).status, 0)
    const seen = doorwardVerify('proof', path, '--key', keys, '--witness', witness.vkey)
    assert.equal(seen.status, 0, seen.stderr)
    assert.match(seen.stdout, /^witnessed by witness\.example\/w1\+[0-9a-f]{8} at 2026-11-26T04:50:45/m)
    const both = doorwardVerify('proof', path, '--key', keys, '--witness', witness.vkey, '--witness', other.vkey)
    assert.equal(both.status, 1)
    assert.match(both.stderr, /not signed by witness\.example\/w2/)
    const late = file('late', before + note + witness.cosign(note, 1795668645).replace(/.{4}==\n$/, 'AAAA==\n'))
    assert.equal(doorwardVerify('proof', late, '--key', keys, '--witness', witness.vkey).status, 1)
    if (!noOutside) assert.deepEqual(outside('cosignature', witness.vkey, file('note', note + witness.cosign(note, 1795668645))).json, { time: 1795668645 })
  })

  test('cannot open a connection: it is linked with nothing that does', (t) => {
    const nm = spawnSync('nm', ['-D', '--undefined-only', join(BUILD, 'doorward-verify')], { encoding: 'utf8' })
    if (nm.error) return t.skip('nm is not installed')
    assert.match(nm.stdout, / (open|open64|fopen64?)@/)
    assert.doesNotMatch(nm.stdout, / (socket|connect|getaddrinfo|SSL_new|uv_)/)
  })

  test('2 is for questions that were not understood, and for files that cannot be read', () => {
    for (const args of [[], ['proof'], ['proof', proof()], ['proof', proof(), '--key'], ['proof', proof(), '--key', 'nonsense'],
                        ['proof', join(work, 'nothing'), '--key', keys], ['prove', proof()], ['consistency', old[0], old[1], '--key', keys],
                        ['proof', proof(), '--key', keys, '--what', 'ever'], ['log', '--key', keys]])
      assert.equal(doorwardVerify(...args).status, 2, args.join(' '))
    const { json } = doorwardVerify('proof', join(work, 'nothing'), '--key', keys, '--json')
    assert.equal(json.ok, false)
    assert.match(json.message, /nothing: No such file/)
  })
})

describe('the log over HTTP', () => {
  const get = (path, token = gate.operatorToken()) => fetch(`${gate.admin}/admin/v1/audit/log/${path}`, { headers: { authorization: `Bearer ${token}` } })
  const padded = (n) => String(n).padStart(3, '0')

  test('a client of tlog-tiles fetches the whole record, and the other verifier takes it', { skip: noOutside }, async () => {
    const dir = join(work, 'fetched')
    const keep = async (path) => {
      const res = await get(path)
      assert.equal(res.status, 200, path)
      mkdirSync(dirname(join(dir, path)), { recursive: true })
      writeFileSync(join(dir, path), Buffer.from(await res.arrayBuffer()))
      return res
    }
    const head = await keep('checkpoint')
    assert.equal(head.headers.get('content-type'), 'text/plain; charset=utf-8')
    assert.equal(head.headers.get('cache-control'), 'no-store')
    const n = size(readFileSync(join(dir, 'checkpoint'), 'utf8'))
    for (let level = 0, count = n; count > 0; level++, count = Math.floor(count / 256))
      for (let i = 0; i * 256 < count; i++) {
        const rest = count - i * 256, path = padded(i) + (rest < 256 ? `.p/${rest}` : '')
        const res = await keep(`tile/${level}/${path}`)
        assert.equal(res.headers.get('content-type'), 'application/octet-stream')
        assert.match(res.headers.get('cache-control'), /immutable/)
        if (level === 0) await keep(`tile/entries/${path}`)
      }
    const seen = outside('log', keys, dir, ...old)
    assert.equal(seen.status, 0, seen.stderr)
    assert.equal(seen.json.size, n)
    assert.equal(doorwardVerify('log', dir, '--key', keys).status, 0)
  })

  test('a partial tile comes out of a wider one', async () => {
    const full = Buffer.from(await (await get('tile/0/000')).arrayBuffer())
    assert.equal(full.length, 256 * 32)
    for (const width of [1, 17, 255]) {
      const part = Buffer.from(await (await get(`tile/0/000.p/${width}`)).arrayBuffer())
      assert.deepEqual(part, full.subarray(0, 32 * width))
    }
    const bundle = Buffer.from(await (await get('tile/entries/000.p/1')).arrayBuffer())
    assert.equal(JSON.parse(bundle.subarray(2)).seq, 1)
    assert.equal(bundle.readUInt16BE(0), bundle.length - 2)
  })

  test('what no checkpoint covers is not there, and neither is what is no tile', async () => {
    for (const path of ['tile/0/x001/000', 'tile/0/900', 'tile/entries/900', 'tile/1/000', 'tile/7/000.p/1', 'tile/8/000', 'tile/63/000', 'tile/0/0', 'tile/0/000.p/0',
                        'tile/0/000.p/256', 'tile/0/%2e%2e/000', 'tile', 'tile/', 'nothing'])
      assert.equal((await get(path)).status, 404, path)
  })

  test('the proof of an entry is there as a file, too', async () => {
    const res = await get('proof/77')
    assert.equal(res.headers.get('content-type'), 'text/plain; charset=utf-8')
    const seen = doorwardVerify('proof', file('served', await res.text()), '--key', keys, '--json')
    assert.deepEqual([seen.status, seen.json.seq], [0, 77])
    for (const path of ['proof/0', 'proof/x', 'proof/99999999', 'proof/', 'proof/1/2']) assert.equal((await get(path)).status, 404, path)
  })

  test('an entry is not served before a checkpoint covers it', async () => {
    const covered = async () => size(await (await get('checkpoint')).text())
    let early = 0
    for (let i = 0; i < 20 && !early; i++) {
      await calls(2)
      const { seq } = gate.audit().at(-1)
      const { status } = await get(`tile/entries/${padded(Math.floor(seq / 256))}${seq % 256 ? `.p/${seq % 256}` : ''}`)
      if (status === 200) assert.ok(await covered() >= seq)
      else early += status === 404
    }
    assert.ok(early > 0)
  })

  test('a viewer reads it, and nobody else', async () => {
    assert.equal((await get('checkpoint', VIEWER)).status, 200)
    assert.equal((await get('tile/entries/000', VIEWER)).status, 200)
    assert.equal((await get('checkpoint', access)).status, 401)
    assert.equal((await fetch(`${gate.admin}/admin/v1/audit/log/tile/0/000`)).status, 401)
  })
})

describe('a folder for an auditor', () => {
  test('is brought up to date, and what was full stays as it was written', async () => {
    const dir = folder('again'), full = join(dir, 'tile/entries/000'), was = statSync(full).mtimeMs
    await calls(150)
    const n = gate.audit().at(-1).seq
    await covers(n)
    const said = gate.json(['audit', 'tiles', dir])
    assert.ok(said.size >= n && said.written > 0)
    assert.equal(statSync(full).mtimeMs, was)
    const seen = doorwardVerify('log', dir, '--key', keys, '--old', join(work, 'tiles/checkpoint'))
    assert.equal(seen.status, 0, seen.stderr)
    assert.deepEqual(readdirSync(join(dir, 'tile/entries')).filter((name) => name === '002.p'), [])
  })

  test('is not the record itself', () => {
    const r = gate.cli(['audit', 'tiles', '-c', gate.file, join(gate.dir, 'data/audit')], { ok: false })
    assert.equal(r.status, 2)
    assert.match(r.stderr, /is the record itself/)
  })

  test('is not written from a record whose entries are not those of its tree', () => {
    const dir = join(work, 'bent-record')
    cpSync(join(gate.dir, 'data/audit'), dir, { recursive: true })
    const tile = join(dir, 'tile/0/000'), hashes = readFileSync(tile)
    hashes[32 * 30] ^= 1
    writeFileSync(tile, hashes)
    const r = gate.cli(['audit', 'tiles', join(work, 'bent-tiles'), '--dir', dir], { ok: false })
    assert.equal(r.status, 4)
    assert.match(r.stderr, /entry 31 is not the one that the record's tree holds/)
    assert.ok(!existsSync(join(work, 'bent-tiles/checkpoint')))
  })

  test('is left alone when it holds another record', () => {
    const dir = folder('another')
    writeFileSync(join(dir, 'checkpoint'), readFileSync(join(dir, 'checkpoint'), 'utf8').replace(/^.*\n/, 'elsewhere.example/audit\n'))
    const r = gate.cli(['audit', 'tiles', '-c', gate.file, dir], { ok: false })
    assert.notEqual(r.status, 0)
    assert.match(r.stderr, /holds another record/)
  })

  test('is refused when its checkpoint signs other entries than the record has', () => {
    const dir = folder('forked'), path = join(dir, 'checkpoint')
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^[A-Za-z0-9+/]{43}=$/m, 'A'.repeat(43) + '='))
    const r = gate.cli(['audit', 'tiles', '-c', gate.file, dir], { ok: false })
    assert.equal(r.status, 4)
    assert.match(r.stderr, /signs \d+ entries that are not the record's first ones/)
  })
})

describe('a record whose first entries were pruned', () => {
  let dir, first
  before(() => {
    dir = join(work, 'pruned')
    cpSync(join(gate.dir, 'data/audit'), dir, { recursive: true })
    const segments = readdirSync(dir).filter((name) => name.endsWith('.seg')).sort()
    assert.ok(segments.length > 1)
    rmSync(join(dir, segments[0]))
    first = Number(segments[1].slice(0, 20))
  })

  test('is proved by the hashes that stay', { skip: noOutside }, () => {
    const out = join(work, 'pruned-tiles'), whole = 256 * Math.ceil((first - 1) / 256)
    const said = JSON.parse(gate.cli(['audit', 'tiles', out, '--dir', dir, '--json']).stdout)
    assert.equal(said.pruned, whole)
    const ours = doorwardVerify('log', out, '--key', keys, '--json', '--old', old[0])
    assert.equal(ours.status, 0, ours.stdout)
    assert.equal(ours.json.pruned, whole)
    const theirs = outside('log', keys, out, ...old)
    assert.equal(theirs.status, 0, theirs.stderr)
    assert.equal(theirs.json.first, whole)
  })

  test('still proves an entry to whoever kept it', () => {
    const proof = file('of-pruned', gate.cli(['audit', 'prove', '5', '--dir', dir]).stdout)
    assert.doesNotMatch(readFileSync(proof, 'utf8'), /^extra/m)
    const kept = file('kept', Buffer.from(gate.cli(['audit', 'prove', '5', '-c', gate.file]).stdout.match(/^extra (.*)$/m)[1], 'base64'))
    assert.equal(doorwardVerify('proof', proof, '--key', keys, '--entry', kept).status, 0)
    assert.equal(doorwardVerify('proof', proof, '--key', keys).status, 2)
  })
})

describe('audit prove', () => {
  test('waits for the checkpoint that covers a new entry', async () => {
    const { json } = await gate.call(access, 'desk__lookup_order', ORDER)
    assert.ok(json.result)
    const { seq } = gate.audit().findLast((e) => e.event === 'TOOL_CALL')
    const proof = gate.cli(['audit', 'prove', String(seq), '-c', gate.file]).stdout
    assert.match(proof, new RegExp(`^index ${seq - 1}$`, 'm'))
    assert.equal(doorwardVerify('proof', file('new', proof), '--key', keys).status, 0)
  })

  test('hands out no proof that does not hold: of hashes that were changed, or of an entry that was', () => {
    const dir = join(work, 'record')
    cpSync(join(gate.dir, 'data/audit'), dir, { recursive: true })
    const prove = (seq) => gate.cli(['audit', 'prove', String(seq), '--dir', dir], { ok: false })
    assert.equal(prove(20).status, 0)
    const tile = join(dir, 'tile/0/000'), hashes = readFileSync(tile)
    hashes[32 * 30] ^= 1
    writeFileSync(tile, hashes)
    const bent = prove(20)
    assert.equal(bent.status, 4)
    assert.match(bent.stderr, /the tree's hashes in .* do not lead to the root of its checkpoint/)
    assert.equal(prove(300).status, 0) // its way does not lead through that hash: the tile's root is kept above it
    writeFileSync(tile, hashes.subarray(0, 100))
    assert.match(prove(20).stderr, /tile\/0\/000: must be 8192 bytes, and has 100/)
    assert.match(prove(9999999).stderr, /there is no entry/)
  })

  test('knows of no entry that is not there, and writes over no file', () => {
    const none = gate.cli(['audit', 'prove', '9999999', '-c', gate.file], { ok: false })
    assert.equal(none.status, 1)
    assert.match(none.stderr, /there is no entry 9999999; the newest is \d+/)
    const there = gate.cli(['audit', 'prove', '1', '-o', keys, '-c', gate.file], { ok: false })
    assert.notEqual(there.status, 0)
    assert.equal(gate.cli(['audit', 'prove', 'x', '-c', gate.file], { ok: false }).status, 2)
  })
})
