// A witness of its own making (C2SP tlog-witness, tlog-cosignature, signed-note): it knows one log by its key, looks whether each tree goes
// on from the one before (RFC 6962, section 2.1.4, as RFC 9162, section 2.1.4.2, checks it), writes down what it saw, and cosigns it.
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest()
const node = (left, right) => sha256(Buffer.from([1]), left, right)
const rawKey = (key) => key.export({ format: 'der', type: 'spki' }).subarray(-32)
const publicKey = (raw) => createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]), format: 'der', type: 'spki' })
const keyId = (name, alg, raw) => sha256(Buffer.from(`${name}\n`), Buffer.from([alg]), raw).subarray(0, 4)

// "name+hash+base64(alg, key)"
export const parseKey = (text) => {
  const [, name, hash, base64] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text.trim())
  const bytes = Buffer.from(base64, 'base64'), raw = bytes.subarray(1)
  if (keyId(name, bytes[0], raw).toString('hex') !== hash) throw new Error(`the key ${text} has another hash`)
  return { name, hash, alg: bytes[0], raw, key: publicKey(raw) }
}
export const writeKey = (name, alg, raw) => `${name}+${keyId(name, alg, raw).toString('hex')}+${Buffer.concat([Buffer.from([alg]), raw]).toString('base64')}`

// { text, signatures: [{ name, hash, bytes }], origin, size, root }
export const parseNote = (note) => {
  const at = note.lastIndexOf('\n\n')
  if (at < 0 || !note.endsWith('\n')) throw new Error('no note')
  const text = note.slice(0, at + 1)
  const signatures = note.slice(at + 2, -1).split('\n').map((line) => {
    const [, name, base64] = /^— (\S+) ([A-Za-z0-9+/]+=*)$/.exec(line)
    const bytes = Buffer.from(base64, 'base64')
    return { name, hash: bytes.subarray(0, 4).toString('hex'), bytes: bytes.subarray(4), line: `${line}\n` }
  })
  const [origin, size, root] = text.split('\n')
  if (!/^(0|[1-9]\d*)$/.test(size)) throw new Error('no size')
  return { text, signatures, origin, size: Number(size), root: Buffer.from(root, 'base64') }
}

// Is one of the signatures this key's, and of this text? Of a cosignature its time, else true.
export const signedBy = (note, key) => {
  for (const s of note.signatures) {
    if (s.name !== key.name || s.hash !== key.hash) continue
    if (key.alg === 1) return s.bytes.length === 64 && verify(null, Buffer.from(note.text), key.key, s.bytes)
    if (s.bytes.length !== 72) return false
    const time = s.bytes.readBigUInt64BE(0)
    return verify(null, Buffer.from(`cosignature/v1\ntime ${time}\n${note.text}`), key.key, s.bytes.subarray(8)) && Number(time)
  }
  return false
}

export const consistent = (oldSize, oldRoot, size, root, proof) => {
  if (oldSize === size) return proof.length === 0 && oldRoot.equals(root)
  if (oldSize === 0) return proof.length === 0
  if (!proof.length) return false
  let path = [...proof]
  if (Number.isInteger(Math.log2(oldSize))) path = [oldRoot, ...path]
  let fn = BigInt(oldSize - 1), sn = BigInt(size - 1)
  while (fn & 1n) [fn, sn] = [fn >> 1n, sn >> 1n]
  let fr = path[0], sr = path[0]
  for (const c of path.slice(1)) {
    if (sn === 0n) return false
    if (fn & 1n || fn === sn) {
      fr = node(c, fr)
      sr = node(c, sr)
      while (!(fn & 1n) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n]
    } else sr = node(sr, c)
    ;[fn, sn] = [fn >> 1n, sn >> 1n]
  }
  return fr.equals(oldRoot) && sr.equals(root) && sn === 0n
}

// file: where it remembers key and tree. logs: keys of the logs that it knows, by their text; may be set later.
export async function startWitness(file, { name = 'witness.example/w1', port = 0 } = {}) {
  const w = { logs: [], seen: [], delay: 0, answer: null, name }
  const kept = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { key: generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }), trees: {} }
  const secret = createPrivateKey(kept.key), raw = rawKey(createPublicKey(secret))
  const save = () => {
    writeFileSync(`${file}.new`, JSON.stringify(kept))
    renameSync(`${file}.new`, file)
  }
  save()
  w.key = writeKey(name, 4, raw)
  w.tree = (origin) => kept.trees[origin]

  const cosign = (text) => {
    const time = BigInt(Math.floor(Date.now() / 1000)), stamp = Buffer.alloc(8)
    stamp.writeBigUInt64BE(time)
    const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), secret)
    return `— ${name} ${Buffer.concat([keyId(name, 4, raw), stamp, signature]).toString('base64')}\n`
  }

  const judge = (body) => {
    const at = body.indexOf('\n\n'), [old, ...lines] = body.slice(0, at).split('\n')
    const oldSize = /^old (0|[1-9]\d*)$/.exec(old)
    if (at < 0 || !oldSize || lines.length > 63 || lines.some((l) => Buffer.from(l, 'base64').length !== 32 || Buffer.from(l, 'base64').toString('base64') !== l))
      return [400, 'malformed']
    const note = parseNote(body.slice(at + 2)), keys = w.logs.map(parseKey).filter((k) => k.name === note.origin)
    const has = kept.trees[note.origin] ?? { size: 0 }, from = Number(oldSize[1])
    if (!keys.length) return [404, 'no such log']
    if (!keys.some((k) => signedBy(note, k))) return [403, 'not signed by a key of this log']
    if (from > note.size) return [400, 'the old size is larger']
    if (from !== has.size) return [409, `${has.size}\n`, 'text/x.tlog.size']
    if (from === note.size && from && has.root !== note.root.toString('base64')) return [409, `${has.size}\n`, 'text/x.tlog.size']
    if (!consistent(from, Buffer.from(has.root ?? '', 'base64'), note.size, note.root, lines.map((l) => Buffer.from(l, 'base64'))))
      return [422, 'the proof does not hold']
    kept.trees[note.origin] = { size: note.size, root: note.root.toString('base64') }
    save()
    return [200, cosign(note.text)]
  }

  w.sign = (body) => [200, cosign(parseNote(body.slice(body.indexOf('\n\n') + 2)).text)] // whatever it is

  const server = createServer(async (req, res) => {
    const chunks = []
    for await (const c of req) chunks.push(c)
    const body = Buffer.concat(chunks).toString()
    if (w.delay) await sleep(w.delay, null, { ref: false })
    const [status, text, type = 'text/plain'] = w.answer?.(body) ?? (req.method !== 'POST' || req.url !== '/add-checkpoint' ? [404, ''] : judge(body))
    w.seen.push({ status, old: body.split('\n')[0], at: Date.now() })
    res.writeHead(status, { 'content-type': type }).end(text)
  })
  await new Promise((done) => server.listen(port, '127.0.0.1', done))
  server.unref()
  w.port = server.address().port
  w.url = `http://127.0.0.1:${w.port}`
  w.stop = () => new Promise((done) => {
    server.close(done)
    server.closeAllConnections()
  })
  return w
}
