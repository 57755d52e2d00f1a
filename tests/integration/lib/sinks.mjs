// Where a gate sends its record: receivers that check what they are sent, and may be dead, slow or lying.
//
//   const hook = await webhook({ secret })
//   const gate = await startGate({ sinks: { siem: { kind: 'webhook', url: hook.url, secret: … } } })
//   await until('all to arrive', () => hook.entries.length === gate.audit().length)
//
// nats(): a real nats-server with JetStream, and a stream that is read back.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { connect } from 'nats'
import { Webhook } from 'standardwebhooks'
import { freePort, until } from './gate.mjs'

// Every entry from `first` on once in order, though some may come twice: what at least once means. Repetitions must be the same.
export function inOrder(entries) {
  const seen = new Map()
  let next = entries[0]?.seq
  for (const e of entries) {
    if (e.seq === next) next++
    else if (e.seq > next) throw new Error(`entry ${e.seq} came before ${next}`)
    const text = JSON.stringify(e)
    if ((seen.get(e.seq) ?? text) !== text) throw new Error(`entry ${e.seq} came twice, and not the same`)
    seen.set(e.seq, text)
  }
  return [...seen.values()].map((t) => JSON.parse(t))
}

// An HTTP server that answers as `answer(request, body)` says: a status, or { status, headers, body }; undefined: never.
export async function httpReceiver(answer, { tls, port = 0 } = {}) {
  const requests = [], open = new Set()
  const take = async (req, res) => {
    const parts = []
    for await (const part of req) parts.push(part)
    const request = { method: req.method, url: req.url, headers: req.headers, body: Buffer.concat(parts).toString(),
                      peer: req.socket.getPeerCertificate?.()?.subject?.CN }
    requests.push(request)
    const said = await answer(Object.assign(Object.create({ res }), request)) // the answer itself, for those who lie
    if (said === undefined) return
    const { status = 200, headers = {}, body = '' } = typeof said === 'number' ? { status: said } : said
    res.writeHead(status, headers).end(body)
  }
  const server = tls ? createSecureServer(tls, take) : createServer(take)
  server.on('connection', (s) => open.add(s) && s.on('close', () => open.delete(s)))
  await new Promise((done, failed) => server.on('error', failed).listen(port, '127.0.0.1', done))
  return {
    requests, port: server.address().port, url: `http${tls ? 's' : ''}://127.0.0.1:${server.address().port}`,
    close: () => new Promise((done) => {
      server.close(done)
      for (const s of open) s.destroy()
    }),
  }
}

// Takes what is signed as Standard Webhooks say; refuses what is not with 401.
export async function webhook({ secret, answer = () => 204, parse = JSON.parse, ...how }) {
  const verifier = new Webhook(secret), entries = [], ids = []
  const receiver = await httpReceiver(async (r) => {
    try {
      verifier.verify(r.body, r.headers)
    } catch (e) {
      if (e.name === 'WebhookVerificationError') return 401 // a body that is no JSON is another matter
    }
    const said = await answer(r)
    if (said >= 200 && said < 300) {
      entries.push(parse(r.body))
      ids.push(r.headers['webhook-id'])
    }
    return said
  }, how)
  return Object.assign(receiver, { entries, ids })
}

// RFC 5424, strictly, out of octet counting (RFC 6587). https://www.rfc-editor.org/rfc/rfc5424#section-6
const SYSLOG = new RegExp('^<(?<pri>\\d{1,3})>1 (?<time>\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,6})?(?:Z|[+-]\\d\\d:\\d\\d)) ' +
  '(?<host>-|[!-~]{1,255}) (?<app>-|[!-~]{1,48}) (?<proc>-|[!-~]{1,128}) (?<id>-|[!-~]{1,32}) ' +
  '(?<data>-|(?:\\[[!#-<>-\\\\^-~]{1,32}(?: [!#-<>-\\\\^-~]{1,32}="(?:[^"\\\\\\]]|\\\\["\\\\\\]])*")*\\])+)(?: (?<text>[^]*))?$', 'u')

export function syslogParse(text) {
  const m = SYSLOG.exec(text)
  if (!m) throw new Error(`not RFC 5424: ${text}`)
  const { pri, data, ...rest } = m.groups
  const params = Object.fromEntries([...data.matchAll(/ ([^\s="\]]+)="((?:[^"\\\]]|\\["\\\]])*)"/g)].map(([, k, v]) => [k, v.replace(/\\(["\\\]])/g, '$1')]))
  return { ...rest, facility: pri >> 3, severity: pri & 7, sd: /^\[([^ \]]+)/.exec(data)?.[1], params }
}

export async function syslog({ tls, port = 0 } = {}) {
  const messages = [], faults = [], open = new Set(), peers = []
  const take = (socket) => {
    let rest = Buffer.alloc(0)
    open.add(socket)
    peers.push(socket.getPeerCertificate?.()?.subject?.CN)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
    socket.on('data', (d) => {
      rest = Buffer.concat([rest, d])
      for (;;) {
        const space = rest.indexOf(32)
        if (space < 0) return
        const length = rest.subarray(0, space).toString()
        if (!/^[1-9]\d*$/.test(length)) return faults.push(`no length: ${length}`)
        if (rest.length < space + 1 + Number(length)) return
        const text = rest.subarray(space + 1, space + 1 + Number(length)).toString()
        rest = rest.subarray(space + 1 + Number(length))
        try {
          messages.push({ ...syslogParse(text), raw: text })
        } catch (e) {
          faults.push(e.message)
        }
      }
    })
  }
  const server = tls ? createTlsServer(tls, take) : createTcpServer(take)
  server.on('tlsClientError', () => {})
  await new Promise((done, failed) => server.on('error', failed).listen(port, '127.0.0.1', done))
  return {
    messages, faults, peers, port: server.address().port, url: `${tls ? 'tls' : 'tcp'}://127.0.0.1:${server.address().port}`,
    drop: () => open.forEach((s) => s.destroy()),
    close: () => new Promise((done) => {
      server.close(done)
      open.forEach((s) => s.destroy())
    }),
  }
}

// Listens, accepts, says `hello` and then nothing, ever.
export async function deaf(hello) {
  const open = new Set()
  const server = createTcpServer((s) => {
    open.add(s.on('error', () => {}))
    if (hello) s.write(hello)
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return { port: server.address().port, open,
           close: () => new Promise((done) => { server.close(done); open.forEach((s) => s.destroy()) }) }
}

export async function nats({ tls, token, more = '', stream = { name: 'AUDIT', subjects: ['agent.audit'] } } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'doorward-nats-')), port = await freePort(), config = join(dir, 'nats.conf')
  writeFileSync(config, [`listen: "127.0.0.1:${port}"`, `jetstream: { store_dir: "${dir}" }`,
    token ? `authorization: { token: "${token}" }` : '',
    tls ? `tls: { cert_file: "${tls.certificate}", key_file: "${tls.key}"${tls.ca ? `, ca_file: "${tls.ca}", verify: true` : ''} }` : '',
    more].join('\n'))
  const client = () => connect({ servers: `127.0.0.1:${port}`, token, tls: tls?.client, reconnect: false })
  const server = {
    port, url: `${tls ? 'tls' : 'nats'}://127.0.0.1:${port}`, log: '',
    async start() {
      server.process = spawn('nats-server', ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } })
      server.process.stderr.on('data', (d) => (server.log += d))
      server.exited = new Promise((done) => server.process.on('exit', done))
      const nc = await until('nats-server', client)
      const jsm = await nc.jetstreamManager()
      if (stream) await until('the stream', () => jsm.streams.info(stream.name).catch(() => jsm.streams.add(stream)))
      await nc.close()
    },
    async stop(signal = 'SIGTERM') {
      server.process.kill(signal)
      await server.exited
    },
    // All messages of the stream, in its order.
    async messages() {
      const nc = await client()
      const jsm = await nc.jetstreamManager()
      const { state } = await jsm.streams.info(stream.name)
      const all = []
      for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
        const m = await jsm.streams.getMessage(stream.name, { seq })
        all.push({ subject: m.subject, id: m.header.get('Nats-Msg-Id'), type: m.header.get('Content-Type'), text: Buffer.from(m.data).toString() })
      }
      await nc.close()
      return all
    },
    async count() {
      const nc = await client()
      const jsm = await nc.jetstreamManager()
      const { state } = await jsm.streams.info(stream.name)
      await nc.close()
      return state.messages
    },
    async close() {
      await server.stop('SIGKILL')
      rmSync(dir, { recursive: true, force: true })
    },
  }
  await server.start()
  return server
}

export const sinkOf = async (gate, name) => (await gate.operator('GET', '/status')).json.sinks.find((s) => s.name === name)
